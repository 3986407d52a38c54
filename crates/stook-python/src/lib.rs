//! The Python package stook
