//! Decoding an entry's data as it is read.

use flate2::{Decompress, FlushDecompress, Status};
use zstd_safe::{DCtx, InBuffer, OutBuffer};

use super::record::{DEFLATED, STORED, ZSTD};
use crate::error::{Error, Result};
use crate::file::FileIo;

/// Compressed data is read in pieces of so many bytes.
const PIECE_LEN: usize = 128 << 10;

/// Deflate makes at most 1032 bytes of one; a little more for the first ones.
const MAX_DEFLATE_RATIO: u64 = 1032;

/// Whether `method` can be read.
pub(super) fn check_method(method: u16) -> Result<()> {
    match method {
        STORED | DEFLATED | ZSTD => Ok(()),
        _ => Err(Error::unsupported(format!("zip compression method {method} is not supported"))),
    }
}

/// Whether `compressed_len` bytes can be the compressed form of `len`.
pub(super) fn check_lengths(method: u16, compressed_len: u64, len: u64) -> Result<()> {
    let is_possible = match method {
        STORED => compressed_len == len,
        DEFLATED => len <= compressed_len.saturating_mul(MAX_DEFLATE_RATIO),
        _ => true,
    };
    if is_possible {
        return Ok(());
    }
    Err(Error::corrupt(format!("zip entry of {compressed_len} bytes cannot hold {len} bytes")))
}

/// Fills `out` with what `len` bytes at `offset` of `file` decode to, which must be exactly that
/// much.
pub(super) fn decode(
    file: &dyn FileIo,
    method: u16,
    (offset, len): (u64, u64),
    out: &mut [u8],
) -> Result<()> {
    let Some(mut decoder) = Decoder::new(method)? else {
        return file.read_exact_at(offset, out);
    };
    let mut piece = vec![0; PIECE_LEN.min(usize::try_from(len).unwrap_or(PIECE_LEN))];
    let (mut at, end) = (offset, offset.saturating_add(len));
    let mut filled = 0;
    let mut is_done = false;
    while at < end && !is_done {
        let n = piece.len().min(usize::try_from(end - at).unwrap_or(usize::MAX));
        let piece = piece.get_mut(..n).unwrap_or_default();
        file.read_exact_at(at, piece)?;
        at += n as u64;
        is_done = match decoder.decode(piece, out, &mut filled)? {
            State::Wants => false,
            State::Done => true,
            State::Full => return Err(too_much()),
        };
    }
    if is_done && filled == out.len() && at == end {
        return Ok(());
    }
    Err(wrong_len(out.len(), filled))
}

/// Fills `out` with the first of what `len` bytes at `offset` of `file` decode to, reading in small
/// pieces no farther than that takes.
pub(super) fn decode_head(
    file: &dyn FileIo,
    method: u16,
    (offset, len): (u64, u64),
    out: &mut [u8],
) -> Result<()> {
    const HEAD_PIECE_LEN: usize = 4 << 10;
    let Some(mut decoder) = Decoder::new(method)? else {
        return file.read_exact_at(offset, out);
    };
    let mut piece = [0; HEAD_PIECE_LEN];
    let (mut at, end) = (offset, offset.saturating_add(len));
    let mut filled = 0;
    while at < end && filled < out.len() {
        let n = piece.len().min(usize::try_from(end - at).unwrap_or(usize::MAX));
        let piece = piece.get_mut(..n).unwrap_or_default();
        file.read_exact_at(at, piece)?;
        at += n as u64;
        if decoder.decode(piece, out, &mut filled)? != State::Wants {
            break;
        }
    }
    if filled == out.len() { Ok(()) } else { Err(wrong_len(out.len(), filled)) }
}

fn too_much() -> Error {
    Error::corrupt("zip entry decodes to more than its length")
}

fn wrong_len(expected: usize, found: usize) -> Error {
    Error::corrupt(format!("zip entry: expected {expected} decoded bytes, found {found}"))
}

/// Where a decoder is after a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It goes on with the next piece.
    Wants,
    /// The data has ended, and so has the piece.
    Done,
    /// There is more than its output has room for.
    Full,
}

enum Decoder {
    Deflate(Decompress),
    Zstd(DCtx<'static>),
}

impl Decoder {
    /// The decoder of `method`; `None` for data that is stored as it is.
    fn new(method: u16) -> Result<Option<Self>> {
        Ok(Some(match method {
            STORED => return Ok(None),
            DEFLATED => Self::Deflate(Decompress::new(false)),
            ZSTD => Self::Zstd(
                DCtx::try_create().ok_or_else(|| Error::limit("no memory for a zstd decoder"))?,
            ),
            _ => return check_method(method).map(|()| None),
        }))
    }

    /// Decodes `piece` to `out` from `filled` on.
    fn decode(&mut self, piece: &[u8], out: &mut [u8], filled: &mut usize) -> Result<State> {
        let mut rest = piece;
        loop {
            let space = out.get_mut(*filled..).unwrap_or_default();
            let (n_read, n_written, is_done) = match self {
                Self::Deflate(context) => {
                    let before = (context.total_in(), context.total_out());
                    let status = context.decompress(rest, space, FlushDecompress::None).map_err(
                        |error| Error::corrupt("invalid deflate data").with_source(error),
                    )?;
                    let n = |now: u64, before: u64| usize::try_from(now - before).unwrap_or(0);
                    let n_read = n(context.total_in(), before.0);
                    (n_read, n(context.total_out(), before.1), status == Status::StreamEnd)
                }
                Self::Zstd(context) => {
                    let mut input = InBuffer::around(rest);
                    let mut output = OutBuffer::around(space);
                    let hint =
                        context.decompress_stream(&mut output, &mut input).map_err(|code| {
                            let name = zstd_safe::get_error_name(code);
                            Error::corrupt(format!("invalid zstd data: {name}"))
                        })?;
                    (input.pos(), output.pos(), hint == 0)
                }
            };
            rest = rest.get(n_read..).unwrap_or_default();
            *filled += n_written;
            if is_done {
                return Ok(if rest.is_empty() { State::Done } else { State::Full });
            }
            if n_read == 0 && n_written == 0 {
                return Ok(if rest.is_empty() { State::Wants } else { State::Full });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::FaultyFile;

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn check(method: u16, encoded: &[u8], raw: &[u8]) {
        let len = encoded.len() as u64;
        let file = FaultyFile::new([b"xx", encoded, b"y"].concat());
        let mut out = vec![0; raw.len()];
        decode(&file, method, (2, len), &mut out).unwrap();
        assert_eq!(out, raw);
        let mut out = vec![0; raw.len() - 1];
        assert!(decode(&file, method, (2, len), &mut out).is_err());
        let mut out = vec![0; raw.len() + 1];
        assert!(decode(&file, method, (2, len), &mut out).is_err());
        let mut out = vec![0; raw.len()];
        assert!(decode(&file, method, (2, len - 1), &mut out).is_err());
        assert!(decode(&file, method, (2, len + 1), &mut out).is_err());
    }

    #[test]
    fn data_decodes_to_its_exact_length_or_is_corrupt() {
        let raw: Vec<u8> = (0..400_000_u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
        for raw in [&raw[..], &raw[..10], &[0; 300_000]] {
            check(DEFLATED, &deflate(raw), raw);
            let mut encoded = Vec::with_capacity(zstd_safe::compress_bound(raw.len()));
            zstd_safe::compress(&mut encoded, raw, 1).unwrap();
            check(ZSTD, &encoded, raw);
            check_lengths(DEFLATED, deflate(raw).len() as u64, raw.len() as u64).unwrap();
        }
        assert!(check_lengths(DEFLATED, 10, 1 << 40).is_err());
        assert!(check_lengths(STORED, 10, 11).is_err());
        assert!(check_method(12).is_err());
    }
}
