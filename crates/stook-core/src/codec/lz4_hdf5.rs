//! LZ4 as HDF5's filter 32004 frames it: lengths, then blocks with their encoded lengths.

use super::{Codec, Scratch, lz4, spare};
use crate::error::{Error, Result};

const HEADER_LEN: usize = 12;
/// What the filter takes where no block length is given.
const DEFAULT_BLOCK_LEN: usize = 1 << 30;

/// LZ4 blocks behind big-endian lengths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lz4Hdf5 {
    block_len: usize,
}

impl Lz4Hdf5 {
    pub(super) fn new(block_len_bytes: u32) -> Result<Self> {
        let block_len = match usize::try_from(block_len_bytes) {
            Ok(0) => DEFAULT_BLOCK_LEN,
            Ok(len) if len <= lz4::MAX_BLOCK_LEN => len,
            _ => {
                return Err(Error::invalid(format!(
                    "lz4: expected a block of at most {} bytes, found {block_len_bytes}",
                    lz4::MAX_BLOCK_LEN
                )));
            }
        };
        Ok(Self { block_len })
    }
}

impl Codec for Lz4Hdf5 {
    fn name(&self) -> &'static str {
        "lz4"
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        super::generous_bound(raw_len)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _: &mut Scratch) -> Result<()> {
        let block_len = self.block_len.min(raw.len()).max(1);
        spare::reserve(out, HEADER_LEN + 4)?;
        out.extend_from_slice(&(raw.len() as u64).to_be_bytes());
        out.extend_from_slice(&length(block_len)?.to_be_bytes());
        for block in raw.chunks(block_len) {
            let start = out.len();
            out.extend_from_slice(&[0; 4]);
            lz4::compress_block(block, 1, out)?;
            if out.len() - start - 4 >= block.len() {
                out.truncate(start + 4);
                out.extend_from_slice(block);
            }
            let encoded_len = length(out.len() - start - 4)?;
            out[start..start + 4].copy_from_slice(&encoded_len.to_be_bytes());
        }
        Ok(())
    }

    fn decoded_len(&self, encoded: &[u8]) -> Option<u64> {
        encoded.first_chunk().map(|len| u64::from_be_bytes(*len))
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let header = encoded
            .first_chunk::<HEADER_LEN>()
            .ok_or_else(|| super::too_short("lz4", HEADER_LEN, encoded.len()))?;
        let [a, b, c, d, e, f, g, h, block_len @ ..] = *header;
        let len = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let block_len = usize::try_from(u32::from_be_bytes(block_len)).unwrap_or(usize::MAX);
        let room = out.len();
        let out = out.get_mut(..len).ok_or_else(|| super::wrong_len("lz4", room, len))?;
        if block_len == 0 && len > 0 {
            return Err(Error::corrupt("lz4: expected a block length above 0, found 0"));
        }
        let mut rest = encoded.get(HEADER_LEN..).unwrap_or_default();
        for to in out.chunks_mut(block_len.max(1)) {
            let (block, behind) = split_block(rest)?;
            if block.len() == to.len() {
                to.copy_from_slice(block);
            } else {
                lz4::decompress_block(block, to)?;
            }
            rest = behind;
        }
        Ok(len)
    }
}

/// The encoded block at the front, and what lies behind it.
fn split_block(rest: &[u8]) -> Result<(&[u8], &[u8])> {
    let (len, rest) =
        rest.split_first_chunk::<4>().ok_or_else(|| super::too_short("lz4", 4, rest.len()))?;
    let len = usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX);
    rest.split_at_checked(len).ok_or_else(|| super::too_short("lz4", len, rest.len()))
}

fn length(len: usize) -> Result<u32> {
    u32::try_from(len).map_err(|_| Error::invalid(format!("lz4: a block of {len} bytes")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_framed_as_the_filter_does() {
        let codec = Lz4Hdf5::new(4).unwrap();
        let (mut encoded, mut scratch) = (Vec::new(), Scratch::new());
        codec.encode_into(b"stooks", &mut encoded, &mut scratch).unwrap();
        let expected = b"\0\0\0\0\0\0\0\x06\0\0\0\x04\0\0\0\x04stoo\0\0\0\x02ks";
        assert_eq!(encoded, expected);
        let mut out = [0; 6];
        assert_eq!(codec.decode_into(&encoded, &mut out, &mut scratch).unwrap(), 6);
        assert_eq!(&out, b"stooks");
    }

    #[test]
    fn a_length_past_the_output_is_refused_first() {
        let mut encoded = [0xFF; 40];
        let (codec, mut scratch) = (Lz4Hdf5::new(0).unwrap(), Scratch::new());
        assert!(codec.decode_into(&encoded, &mut [0; 40], &mut scratch).is_err());
        encoded[..12].fill(0);
        encoded[7] = 1;
        let error = codec.decode_into(&encoded, &mut [0; 40], &mut scratch).unwrap_err();
        assert_eq!(error.message(), "lz4: expected a block length above 0, found 0");
    }
}
