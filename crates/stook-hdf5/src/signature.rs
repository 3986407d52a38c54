//! The signature by which an HDF5 file is known.

use stook_core::codec::lookup3;
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

/// What the superblock says of a program that writes the file, or did when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Nothing.
    None,
    /// One writes it.
    Written,
    /// One writes it and keeps it readable (SWMR).
    Swmr,
}

/// Where the flags of a superblock of version 3 are.
const FLAGS_AT: usize = 11;
/// The bytes of a superblock up to its flags.
const MARKED_LEN: usize = FLAGS_AT + 1;
const FLAG_WRITTEN: u8 = 1;
const FLAG_SWMR: u8 = 4;

/// The mark of `file`; none in a file of an older superblock, which has no room for one.
///
/// # Errors
/// `Io`.
pub(crate) fn mark_of(file: &dyn FileIo) -> Result<Mark> {
    let Some(at) = user_block_len(file)? else { return Ok(Mark::None) };
    let mut found = [0; 12];
    if file.read_at(at, &mut found)? < found.len() || found[8] < 3 {
        return Ok(Mark::None);
    }
    Ok(match found[11] {
        flags if flags & FLAG_WRITTEN == 0 => Mark::None,
        flags if flags & FLAG_SWMR != 0 => Mark::Swmr,
        _ => Mark::Written,
    })
}

/// Removes the mark of `file`, which nobody writes.
///
/// # Errors
/// `Corrupt` where the superblock is damaged, `Io`.
pub(crate) fn clear_mark(file: &dyn FileIo) -> Result<()> {
    if mark_of(file)? == Mark::None {
        return Ok(());
    }
    let at = user_block_len(file)?.unwrap_or(0);
    let mut head = [0; MARKED_LEN];
    file.read_exact_at(at, &mut head)?;
    let mut bytes = vec![0; superblock_len(&head)];
    file.read_exact_at(at, &mut bytes)?;
    if !unmark(&mut bytes) {
        let message = "the checksum of the superblock does not match";
        return Err(Error::corrupt(message).at_file(file.path()));
    }
    file.write_at(at, &bytes)
}

/// The length of a superblock of version 3 that begins with `head`: four addresses follow, and a
/// checksum of all.
fn superblock_len(head: &[u8; MARKED_LEN]) -> usize {
    head.len() + 4 * usize::from(head[9]) + 4
}

/// Whether `bytes` are a superblock of version 3.
pub(crate) fn is_superblock(bytes: &[u8]) -> bool {
    bytes.starts_with(SIGNATURE)
        && bytes.first_chunk().map(superblock_len).is_some_and(|len| bytes.len() == len)
}

/// Whether `bytes` begin with a superblock of version 3 that has a mark.
pub(crate) fn is_marked(bytes: &[u8]) -> bool {
    let head: Option<&[u8; MARKED_LEN]> = bytes.first_chunk();
    let marks = FLAG_WRITTEN | FLAG_SWMR;
    head.is_some_and(|head| head.starts_with(SIGNATURE) && head[8] >= 3 && head[11] & marks != 0)
}

/// Removes the mark of the superblock that `bytes` begin with; false where its checksum is not
/// that of what is there.
pub(crate) fn unmark(bytes: &mut [u8]) -> bool {
    let Some(len) = bytes.first_chunk().map(superblock_len) else { return false };
    let Some((body, stored)) =
        bytes.get_mut(..len).and_then(|bytes| bytes.split_last_chunk_mut::<4>())
    else {
        return false;
    };
    if lookup3(body).to_le_bytes() != *stored {
        return false;
    }
    if let Some(flags) = body.get_mut(FLAGS_AT) {
        *flags &= !(FLAG_WRITTEN | FLAG_SWMR);
    }
    *stored = lookup3(body).to_le_bytes();
    true
}

/// The version of the superblock of `file`.
///
/// # Errors
/// `Io`.
pub(crate) fn superblock_version(file: &dyn FileIo) -> Result<u8> {
    let at = user_block_len(file)?.unwrap_or(0);
    let mut head = [0; 9];
    file.read_at(at, &mut head)?;
    Ok(head[8])
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

#[cfg(test)]
mod tests {
    use stook_core::file::FaultyFile;

    use super::*;

    #[test]
    fn a_mark_is_found_and_removed() {
        let mut bytes = b"\x89HDF\r\n\x1a\n\x03\x08\x08\x05".to_vec();
        bytes.extend((0..32).collect::<Vec<u8>>());
        let checksum = lookup3(&bytes);
        bytes.extend(checksum.to_le_bytes());
        let file = FaultyFile::new(bytes.clone());
        assert_eq!(mark_of(&file).unwrap(), Mark::Swmr);
        assert!(is_marked(&bytes) && !is_marked(&bytes[..11]));
        clear_mark(&file).unwrap();
        assert_eq!(mark_of(&file).unwrap(), Mark::None);
        let cleared = file.contents();
        assert_eq!(lookup3(&cleared[..44]).to_le_bytes(), cleared[44..]);
        bytes[20] ^= 1;
        assert!(clear_mark(&FaultyFile::new(bytes)).is_err());
    }
}
