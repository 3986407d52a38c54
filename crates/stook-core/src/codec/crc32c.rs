//! CRC-32C (Castagnoli) of the bytes, appended little-endian.

use super::{Codec, Scratch, spare};
use crate::error::{Error, Result};

const LEN: usize = 4;

/// Appends a CRC-32C and checks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Crc32c;

impl Codec for Crc32c {
    fn name(&self) -> &'static str {
        "crc32c"
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
        out.extend_from_slice(&crc32c::crc32c(raw).to_le_bytes());
        Ok(())
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let (data, stored) = encoded
            .split_last_chunk::<LEN>()
            .ok_or_else(|| super::too_short("crc32c", LEN, encoded.len()))?;
        let (stored, found) = (u32::from_le_bytes(*stored), crc32c::crc32c(data));
        if stored != found {
            return Err(Error::corrupt(format!(
                "crc32c: expected checksum {stored:#010x}, found {found:#010x}"
            )));
        }
        super::copy_to_front("crc32c", data, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_polynomial_is_written() {
        let mut out = Vec::new();
        Crc32c.encode_into(b"123456789", &mut out, &mut Scratch::new()).unwrap();
        assert_eq!(out[9..], 0xE306_9283_u32.to_le_bytes());
    }

    #[test]
    fn a_wrong_checksum_names_both() {
        let error = Crc32c.decode_into(&[1, 0, 0, 0, 0], &mut [0], &mut Scratch::new());
        let message = error.unwrap_err().message().to_owned();
        assert_eq!(message, "crc32c: expected checksum 0x00000000, found 0xa016d052");
    }
}
