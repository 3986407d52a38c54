//! Checksums of 32 bits, little-endian, before or behind the bytes: what all of them share, and
//! CRC-32 and Adler-32.

use std::fmt::Debug;
use std::ops::Range;

use super::{ChecksumPlace, Codec, Scratch, spare};
use crate::error::{Error, Result};

const LEN: usize = 4;

/// How a checksum is calculated.
pub(super) trait Sum: Debug + Send + Sync {
    /// The name that errors show.
    const NAME: &'static str;

    /// The checksum of `data`.
    fn of(&self, data: &[u8]) -> u32;

    /// Another form of the checksum that was calculated, which is read as well.
    fn other_form(&self, sum: u32) -> u32 {
        sum
    }
}

/// Adds a checksum, and checks and removes it.
#[derive(Clone, Debug)]
pub(super) struct Checksum<S> {
    pub(super) sum: S,
    pub(super) place: ChecksumPlace,
}

impl<S> Checksum<S> {
    /// Behind the bytes.
    pub(super) const fn appended(sum: S) -> Self {
        Self { sum, place: ChecksumPlace::End }
    }
}

impl<S: Sum> Codec for Checksum<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        raw_len.saturating_add(LEN)
    }

    fn has_fixed_len(&self) -> bool {
        true
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _: &mut Scratch) -> Result<()> {
        spare::reserve(out, raw.len().saturating_add(LEN))?;
        let sum = self.sum.of(raw).to_le_bytes();
        let (first, second) = match self.place {
            ChecksumPlace::Start => (sum.as_slice(), raw),
            ChecksumPlace::End => (raw, sum.as_slice()),
        };
        out.extend_from_slice(first);
        out.extend_from_slice(second);
        Ok(())
    }

    fn encode_to(&self, raw: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<()> {
        let (room, len) = (out.len(), self.encoded_bound(raw.len()));
        let parts = match self.place {
            _ if room != len => None,
            ChecksumPlace::Start => out.split_first_chunk_mut().map(|(sum, data)| (data, sum)),
            ChecksumPlace::End => out.split_last_chunk_mut(),
        };
        let (data, sum): (_, &mut [u8; LEN]) =
            parts.ok_or_else(|| super::wrong_room(S::NAME, len, room))?;
        *sum = self.sum.of(raw).to_le_bytes();
        data.copy_from_slice(raw);
        Ok(())
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let part = self.checked(encoded)?;
        let (room, data) = (out.len(), encoded.get(part).unwrap_or_default());
        let front = out.get_mut(..data.len());
        front.ok_or_else(|| super::wrong_len(S::NAME, room, data.len()))?.copy_from_slice(data);
        Ok(data.len())
    }

    fn decoded_part(&self, encoded: &[u8]) -> Result<Option<Range<usize>>> {
        self.checked(encoded).map(Some)
    }
}

impl<S: Sum> Checksum<S> {
    /// Where in `encoded` the data lie, whose checksum is right.
    fn checked(&self, encoded: &[u8]) -> Result<Range<usize>> {
        let parts = match self.place {
            ChecksumPlace::Start => encoded.split_first_chunk().map(|(sum, data)| (data, sum)),
            ChecksumPlace::End => encoded.split_last_chunk(),
        };
        let (data, stored) = parts.ok_or_else(|| super::too_short(S::NAME, LEN, encoded.len()))?;
        let (stored, found) = (u32::from_le_bytes(*stored), self.sum.of(data));
        if stored != found && stored != self.sum.other_form(found) {
            return Err(Error::corrupt(format!(
                "{}: expected checksum {stored:#010x}, found {found:#010x}",
                S::NAME
            )));
        }
        let start = if self.place == ChecksumPlace::Start { LEN } else { 0 };
        Ok(start..start + data.len())
    }
}

/// CRC-32 as in gzip and zlib (polynomial 0x04C11DB7, reflected).
#[derive(Clone, Copy, Debug)]
pub(super) struct Crc32;

impl Sum for Crc32 {
    const NAME: &'static str = "crc32";

    #[expect(unsafe_code, reason = "libdeflate is C")]
    fn of(&self, data: &[u8]) -> u32 {
        // SAFETY: pointer and length are those of a slice.
        unsafe { libdeflate_sys::libdeflate_crc32(0, data.as_ptr().cast(), data.len()) }
    }
}

/// Adler-32 as in zlib (RFC 1950).
#[derive(Clone, Copy, Debug)]
pub(super) struct Adler32;

impl Sum for Adler32 {
    const NAME: &'static str = "adler32";

    #[expect(unsafe_code, reason = "libdeflate is C")]
    fn of(&self, data: &[u8]) -> u32 {
        // SAFETY: pointer and length are those of a slice.
        unsafe { libdeflate_sys::libdeflate_adler32(1, data.as_ptr().cast(), data.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_values_are_those_of_the_algorithms() {
        assert_eq!(Crc32.of(b"123456789"), 0xCBF4_3926);
        assert_eq!(Adler32.of(b"123456789"), 0x091E_01DE);
        assert_eq!((Crc32.of(b""), Adler32.of(b"")), (0, 1));
    }

    #[test]
    fn a_checksum_lies_where_it_should() {
        let sum = 0xCBF4_3926_u32.to_le_bytes();
        for (place, expected) in [
            (ChecksumPlace::Start, [&sum, b"123456789".as_slice()].concat()),
            (ChecksumPlace::End, [b"123456789".as_slice(), &sum].concat()),
        ] {
            let (codec, mut encoded) = (Checksum { sum: Crc32, place }, Vec::new());
            codec.encode_into(b"123456789", &mut encoded, &mut Scratch::new()).unwrap();
            assert_eq!(encoded, expected);
        }
    }
}
