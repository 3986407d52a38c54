//! The signature by which an HDF5 file is known.

use stook_core::file::FileIo;
use stook_core::{Error, Result};

/// The first bytes of a superblock.
const SIGNATURE: &[u8; 8] = b"\x89HDF\r\n\x1a\n";

/// Whether `file` is HDF5: the signature stands at byte 0, or behind a user block of 512, 1024,
/// 2048, … bytes.
///
/// # Errors
/// `Io`.
pub fn is_hdf5(file: &dyn FileIo) -> Result<bool> {
    user_block_len(file).map(|len| len.is_some())
}

/// The bytes before the signature, which are no part of what HDF5 holds; `None` if `file` is not
/// HDF5.
///
/// # Errors
/// `Io`.
pub fn user_block_len(file: &dyn FileIo) -> Result<Option<u64>> {
    let len = file.len_bytes()?;
    let mut at = 0_u64;
    while at < len {
        let mut found = [0; 8];
        if file.read_at(at, &mut found)? == 8 && found == *SIGNATURE {
            return Ok(Some(at));
        }
        at = if at == 0 { 512 } else { at.saturating_mul(2) };
    }
    Ok(None)
}

/// Refuses unless `file` is HDF5.
pub(crate) fn expect(file: &dyn FileIo) -> Result<()> {
    if is_hdf5(file)? {
        return Ok(());
    }
    let mut found = [0; 8];
    let len = file.read_at(0, &mut found)?;
    let found = found.get(..len).unwrap_or(&[]).escape_ascii();
    let message = format!(
        "expected the HDF5 signature `{}` at byte 0, 512, 1024, …; the file begins with `{found}`",
        SIGNATURE.escape_ascii()
    );
    Err(Error::corrupt(message).at_file(file.path()))
}
