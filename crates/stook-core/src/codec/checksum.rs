//! Checksums of 32 bits, appended little-endian: what crc32c and fletcher32 share.

use super::{Codec, Scratch, spare};
use crate::error::{Error, Result};

const LEN: usize = 4;

/// Appends a checksum and checks it.
#[derive(Clone, Debug)]
pub(super) struct Checksum {
    pub(super) name: &'static str,
    pub(super) compute: fn(&[u8]) -> u32,
    /// Another form of the checksum that was computed, which is read as well.
    pub(super) also: fn(u32) -> u32,
}

impl Codec for Checksum {
    fn name(&self) -> &'static str {
        self.name
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        raw_len.saturating_add(LEN)
    }

    fn has_fixed_len(&self) -> bool {
        true
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _: &mut Scratch) -> Result<()> {
        spare::reserve(out, raw.len().saturating_add(LEN))?;
        out.extend_from_slice(raw);
        out.extend_from_slice(&(self.compute)(raw).to_le_bytes());
        Ok(())
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let (data, stored) = encoded
            .split_last_chunk::<LEN>()
            .ok_or_else(|| super::too_short(self.name, LEN, encoded.len()))?;
        let (stored, found) = (u32::from_le_bytes(*stored), (self.compute)(data));
        if stored != found && stored != (self.also)(found) {
            return Err(Error::corrupt(format!(
                "{}: expected checksum {stored:#010x}, found {found:#010x}",
                self.name
            )));
        }
        let room = out.len();
        let front = out.get_mut(..data.len());
        front.ok_or_else(|| super::wrong_len(self.name, room, data.len()))?.copy_from_slice(data);
        Ok(data.len())
    }
}
