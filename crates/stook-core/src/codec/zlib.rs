//! zlib (RFC 1950): HDF5's deflate filter and numcodecs' `zlib`.

use super::deflate::{self, Wrapper};
use super::{Codec, Scratch};
use crate::error::Result;

/// Compresses with zlib.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Zlib {
    level: u32,
}

impl Zlib {
    pub(super) fn new(level: u32) -> Result<Self> {
        super::check_level("zlib", level, deflate::MAX_LEVEL)?;
        Ok(Self { level })
    }
}

impl Codec for Zlib {
    fn name(&self) -> &'static str {
        "zlib"
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        super::generous_bound(raw_len)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, scratch: &mut Scratch) -> Result<()> {
        deflate::deflate(Wrapper::Zlib, self.level, raw, out, scratch)
    }

    /// Bytes behind the stream are ignored, as zlib's `uncompress` and HDF5 do.
    fn decode_into(&self, encoded: &[u8], out: &mut [u8], scratch: &mut Scratch) -> Result<usize> {
        Ok(deflate::inflate(Wrapper::Zlib, encoded, out, scratch)?.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_checksum_is_corrupt() {
        let (codec, mut scratch) = (Zlib::new(4).unwrap(), Scratch::new());
        let mut encoded = Vec::new();
        codec.encode_into(b"stook stook", &mut encoded, &mut scratch).unwrap();
        *encoded.last_mut().unwrap() ^= 1;
        let error = codec.decode_into(&encoded, &mut [0; 11], &mut scratch).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Corrupt);
    }

    #[test]
    fn every_level_gives_a_zlib_header() {
        for level in 0..=9 {
            let mut encoded = Vec::new();
            let codec = Zlib::new(level).unwrap();
            codec.encode_into(&[7; 100], &mut encoded, &mut Scratch::new()).unwrap();
            assert_eq!((encoded[0], u16::from_be_bytes([encoded[0], encoded[1]]) % 31), (0x78, 0));
        }
    }
}
