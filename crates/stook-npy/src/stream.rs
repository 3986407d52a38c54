//! npy to where nothing can be sought, such as a pipe: the header first, then items as they come.

use stook_core::{ArraySpec, DType, Error, Result};

use crate::header::Header;

/// The bytes of an npy file of `shape` up to its data. What follows are the items in C order as
/// they lie in memory.
///
/// # Errors
/// `Unsupported` for a dtype that numpy has not, or whose items vary in size.
pub fn npy_header(dtype: &DType, shape: &[u64]) -> Result<Vec<u8>> {
    if dtype.has_heap() {
        return Err(Error::unsupported(format!("npy has no items of type {dtype}")));
    }
    Header::from_spec(&ArraySpec::new(dtype.clone(), shape))?.to_bytes()
}
