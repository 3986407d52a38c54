//! HDF5 files as a stook container.
#![cfg_attr(not(test), allow(dead_code, reason = "wip"))]

#[expect(unsafe_code, reason = "the HDF5 library is in C; this module makes it safe")]
mod ffi;
