//! Labelled arrays and sessions: what `stook.larray` is made of.

pub(crate) mod axes;
pub(crate) mod kernels;
pub(crate) mod key;
mod label;
pub(crate) mod lazy;
pub(crate) mod session;
pub(crate) mod text;
