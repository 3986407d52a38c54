//! Writing behind the end of a buffer without clearing the room first.

use std::mem::MaybeUninit;

use crate::error::{Error, Result};

/// Appends to `out` what `write` puts to the front of the `room` bytes it is given.
///
/// # Safety
/// `write` has initialised as many bytes as it returns.
///
/// # Errors
/// `LimitExceeded` if there is no memory, and what `write` returns; `out` is then as it was.
#[expect(unsafe_code, reason = "the room is written by C libraries, clearing it costs time")]
pub(super) unsafe fn append_with(
    out: &mut Vec<u8>,
    room: usize,
    write: impl FnOnce(&mut [MaybeUninit<u8>]) -> Result<usize>,
) -> Result<()> {
    reserve(out, room)?;
    let start = out.len();
    let spare = out.spare_capacity_mut().get_mut(..room).unwrap_or_default();
    let written = write(spare)?;
    assert!(written <= room, "a compressor wrote past its room");
    // SAFETY: the caller promises that these bytes are initialised, and they are within capacity.
    unsafe { out.set_len(start + written) };
    Ok(())
}

/// Bytes as room for others.
#[expect(unsafe_code, reason = "what C writes to has one type")]
pub(super) fn as_uninit(bytes: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: both have one layout, and nothing but initialised bytes is written by those who
    // borrow this.
    unsafe { &mut *(std::ptr::from_mut(bytes) as *mut [MaybeUninit<u8>]) }
}

/// Makes room for `n_bytes` more.
///
/// # Errors
/// `LimitExceeded` if there is no memory.
pub(super) fn reserve(out: &mut Vec<u8>, n_bytes: usize) -> Result<()> {
    out.try_reserve(n_bytes).map_err(|_| {
        Error::limit(format!("{n_bytes} bytes for a codec exceed the memory there is"))
    })
}
