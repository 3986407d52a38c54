//! gzip (RFC 1952): one member is written, any number are read.

use super::deflate::{self, Wrapper};
use super::{Codec, Scratch};
use crate::error::{Error, Result};

/// Compresses with gzip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gzip {
    level: u32,
}

impl Gzip {
    pub(super) fn new(level: u32) -> Result<Self> {
        super::check_level("gzip", level, deflate::MAX_LEVEL)?;
        Ok(Self { level })
    }
}

impl Codec for Gzip {
    fn name(&self) -> &'static str {
        "gzip"
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        super::generous_bound(raw_len)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, scratch: &mut Scratch) -> Result<()> {
        deflate::deflate(Wrapper::Gzip, self.level, raw, out, scratch)
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], scratch: &mut Scratch) -> Result<usize> {
        let (mut rest, mut written) = (encoded, 0);
        loop {
            let room = out.get_mut(written..).unwrap_or_default();
            let progress = deflate::inflate(Wrapper::Gzip, rest, room, scratch)?;
            written += progress.written;
            rest = rest.get(progress.read..).unwrap_or_default();
            // gzip files may end in zero padding, but members have no zeros between them.
            if rest.iter().all(|&byte| byte == 0) {
                return Ok(written);
            }
            if !rest.starts_with(&[0x1f, 0x8b]) {
                let len = rest.len();
                return Err(Error::corrupt(format!(
                    "expected the end of the gzip stream, found {len} more bytes"
                )));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `gzip.compress(b"stook", mtime=0)` of Python 3.11.
    const STOOK: [u8; 25] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x2b, 0x2e, 0xc9, 0xcf, 0xcf,
        0x06, 0x00, 0x6c, 0x19, 0x83, 0xe7, 0x05, 0x00, 0x00, 0x00,
    ];

    fn decode(encoded: &[u8], len: usize) -> Result<Vec<u8>> {
        let mut out = vec![0; len];
        let n = Gzip::new(5)?.decode_into(encoded, &mut out, &mut Scratch::new())?;
        out.truncate(n);
        Ok(out)
    }

    #[test]
    fn members_are_joined_and_padding_is_skipped() {
        let two = [STOOK.as_slice(), &STOOK, &[0; 3]].concat();
        assert_eq!(decode(&two, 10).unwrap(), b"stookstook");
        assert_eq!(decode(&two, 20).unwrap(), b"stookstook");
    }

    #[test]
    fn a_member_past_the_end_of_the_output_is_corrupt() {
        let two = [STOOK, STOOK].concat();
        assert!(decode(&two, 5).is_err());
        assert!(decode(&two, 7).is_err());
        assert!(decode(&STOOK, 4).is_err());
    }

    #[test]
    fn garbage_behind_a_member_is_corrupt() {
        let error = decode(&[STOOK.as_slice(), b"garbage"].concat(), 20).unwrap_err();
        assert_eq!(error.message(), "expected the end of the gzip stream, found 7 more bytes");
    }

    #[test]
    fn a_level_out_of_range_is_refused() {
        assert!(Gzip::new(10).is_err());
    }
}
