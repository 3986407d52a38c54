//! BloscLZ, the compressor of Blosc's own: decoding of its version 1 streams.
//!
//! A control byte below 32 is followed by that many literal bytes and one more. Any other copies
//! `length + 3` bytes from `distance + 1` back: the upper three bits less one are the length (at
//! 6, bytes are added up to one that is not 255), the lower five and the next byte the distance.
//! The largest such distance is followed by two bytes, big-endian, of what is beyond it.

use crate::codec::{copy_literals, copy_match, longer_than};
use crate::error::{Error, Result};

const FAR: usize = 8191;

/// Decodes `encoded` to the front of `out` and returns how many bytes that were.
pub(super) fn decompress(encoded: &[u8], out: &mut [u8]) -> Result<usize> {
    let mut input = Input(encoded);
    let mut written = 0;
    // The upper bits of the first byte are the version.
    let mut control = input.byte()? & 31;
    loop {
        if control < 32 {
            let (from, len) = (input.0, usize::from(control) + 1);
            input.take(len)?;
            copy_literals(from, out, written, len)
                .ok_or_else(|| longer_than("blosclz", out.len()))?;
            written += len;
        } else {
            let (distance, len) = input.copy(control)?;
            if len > out.len() - written {
                return Err(longer_than("blosclz", out.len()));
            }
            copy_match(out, written, distance, len).ok_or_else(|| {
                let message = format!("byte {written} is copied from {distance} before it");
                Error::corrupt(format!("blosclz: {message}"))
            })?;
            written += len;
        }
        match input.0.split_first() {
            None => return Ok(written),
            Some((&next, rest)) => (control, input.0) = (next, rest),
        }
    }
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let cut_short = || Error::corrupt("blosclz: the stream is cut short");
        let (taken, rest) = self.0.split_at_checked(len).ok_or_else(cut_short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    /// The distance and length of the copy that `control` begins.
    fn copy(&mut self, control: u8) -> Result<(usize, usize)> {
        let mut len = usize::from(control >> 5) - 1;
        if len == 6 {
            loop {
                let more = self.byte()?;
                len += usize::from(more);
                if more != 255 {
                    break;
                }
            }
        }
        let mut distance = usize::from(u16::from_be_bytes([control & 31, self.byte()?]));
        if distance == FAR {
            distance += usize::from(u16::from_be_bytes([self.byte()?, self.byte()?]));
        }
        Ok((distance + 1, len + 3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(encoded: &[u8], len: usize) -> Result<Vec<u8>> {
        let mut out = vec![0; len];
        let n = decompress(encoded, &mut out)?;
        out.truncate(n);
        Ok(out)
    }

    #[test]
    fn controls_are_read_as_documented() {
        assert_eq!(decode(&[0x21, b'a', b'b', 0x40, 1], 6).unwrap(), b"ababab");
        assert_eq!(decode(&[0x20, b'x', 0xE0, 2, 0], 12).unwrap(), b"xxxxxxxxxxxx");
        for broken in
            [&[][..], &[1, b'a'], &[0, b'x', 0x20], &[0, b'x', 0xE0, 255], &[0, 1, 63, 255, 0]]
        {
            assert!(decode(broken, 1000).is_err(), "{broken:?}");
        }
        assert!(decode(&[0x20, b'x', 0xE0, 2, 0], 11).is_err());
    }
}
