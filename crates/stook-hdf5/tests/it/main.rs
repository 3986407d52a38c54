//! The container on fixtures of other tools and on files of its own.
#![allow(clippy::disallowed_methods, reason = "tests make and break files")]

mod attributes;
mod corrupt;
mod create;
mod fixtures;
mod support;
mod tree;
