//! Labelled arrays and sessions: what `stook.larray` is made of.

pub(crate) mod kernels;
