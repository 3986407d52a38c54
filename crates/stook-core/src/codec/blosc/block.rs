//! What a block of Blosc holds: streams, each behind its length, of one compressor. The same in
//! Blosc 1 and 2, but for runs of one byte that Blosc 2 has.

use std::ffi::c_int;

use super::blosclz;
use crate::codec::deflate::{self, Wrapper};
use crate::codec::{BloscCompressor, Scratch, lz4, spare, too_short, zstd};
use crate::error::{Error, Result};

/// The compressors, as a container's flags number them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::codec) enum Format {
    BloscLz,
    Lz4,
    Snappy,
    Zlib,
    Zstd,
}

impl Format {
    /// The compressor with this number.
    ///
    /// # Errors
    /// `Unsupported` if there is none.
    pub(in crate::codec) fn from_number(codec: &str, number: u8) -> Result<Self> {
        match number {
            0 => Ok(Self::BloscLz),
            1 => Ok(Self::Lz4),
            2 => Ok(Self::Snappy),
            3 => Ok(Self::Zlib),
            4 => Ok(Self::Zstd),
            other => Err(Error::unsupported(format!("{codec}: compressor {other} is not known"))),
        }
    }

    /// The number of the format that `compressor` writes.
    pub(in crate::codec) fn number_of(compressor: BloscCompressor) -> u8 {
        match compressor {
            BloscCompressor::BloscLz => 0,
            BloscCompressor::Lz4 | BloscCompressor::Lz4Hc => 1,
            BloscCompressor::Snappy => 2,
            BloscCompressor::Zlib => 3,
            BloscCompressor::Zstd => 4,
        }
    }
}

/// Whether a stream may be a run of one byte, which has no data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::codec) enum Runs {
    Never,
    Known,
}

/// Set in the byte behind the length of a run.
const TOKEN_RUN: u8 = 0x01;

/// Reads the streams of a block.
#[derive(Clone, Copy, Debug)]
pub(in crate::codec) struct Decoder {
    /// What errors call it.
    pub(in crate::codec) codec: &'static str,
    pub(in crate::codec) format: Format,
    pub(in crate::codec) runs: Runs,
}

impl Decoder {
    /// Decodes `n_streams` streams of equal decoded length, at the front of `encoded`, to `out`.
    ///
    /// # Errors
    /// `Corrupt` if they are none, or of another length.
    pub(in crate::codec) fn decode(
        &self,
        n_streams: usize,
        encoded: &[u8],
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<()> {
        if out.is_empty() {
            return Ok(());
        }
        if n_streams == 0 || !out.len().is_multiple_of(n_streams) {
            return Err(Error::corrupt(format!(
                "{}: a block of {} bytes cannot be split in {n_streams}",
                self.codec,
                out.len()
            )));
        }
        let mut rest = encoded;
        for to in out.chunks_mut(out.len() / n_streams) {
            rest = self.decode_stream(rest, to, scratch)?;
        }
        Ok(())
    }

    /// Decodes the stream at the front of `rest`; returns what is behind it.
    fn decode_stream<'a>(
        &self,
        rest: &'a [u8],
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<&'a [u8]> {
        let (len, behind) =
            rest.split_first_chunk().ok_or_else(|| too_short(self.codec, 4, rest.len()))?;
        let len = i32::from_le_bytes(*len);
        if self.runs == Runs::Known && len <= 0 {
            return self.decode_run(len, behind, out);
        }
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let (data, behind) =
            behind.split_at_checked(len).ok_or_else(|| too_short(self.codec, len, behind.len()))?;
        if data.len() == out.len() {
            out.copy_from_slice(data);
        } else {
            self.decompress(data, out, scratch)?;
        }
        Ok(behind)
    }

    fn decode_run<'a>(&self, len: i32, rest: &'a [u8], out: &mut [u8]) -> Result<&'a [u8]> {
        if len == 0 {
            out.fill(0);
            return Ok(rest);
        }
        match (u8::try_from(len.unsigned_abs()), rest.split_first()) {
            (Ok(byte), Some((token, behind))) if token & TOKEN_RUN != 0 => {
                out.fill(byte);
                Ok(behind)
            }
            (_, token) => Err(Error::corrupt(format!(
                "{}: expected a run of a byte, found length {len} and token {:?}",
                self.codec,
                token.map(|(token, _)| token)
            ))),
        }
    }

    fn decompress(&self, data: &[u8], out: &mut [u8], scratch: &mut Scratch) -> Result<()> {
        let written = match self.format {
            Format::BloscLz => blosclz::decompress(data, out)?,
            Format::Lz4 => return lz4::decompress_block(data, out),
            Format::Snappy => snap::raw::Decoder::new().decompress(data, out).map_err(|error| {
                Error::corrupt(format!(
                    "{}: {} bytes are no valid snappy stream of {}: {error}",
                    self.codec,
                    data.len(),
                    out.len()
                ))
            })?,
            Format::Zlib => deflate::inflate(Wrapper::Zlib, data, out, scratch)?.written,
            Format::Zstd => zstd::decode_frames(data, out, scratch)?,
        };
        if written != out.len() {
            return Err(Error::corrupt(format!(
                "{}: expected {} decoded bytes of {:?}, found {written}",
                self.codec,
                out.len(),
                self.format
            )));
        }
        Ok(())
    }
}

/// Writes the streams of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::codec) struct Encoder {
    pub(in crate::codec) compressor: BloscCompressor,
    /// 1 to 9.
    pub(in crate::codec) level: u32,
    pub(in crate::codec) runs: Runs,
}

impl Encoder {
    /// Appends `block` as `n_streams` streams to `out`.
    ///
    /// # Errors
    /// `LimitExceeded` if there is no memory.
    pub(in crate::codec) fn encode(
        &self,
        n_streams: usize,
        block: &[u8],
        out: &mut Vec<u8>,
        scratch: &mut Scratch,
    ) -> Result<()> {
        for stream in block.chunks(block.len().div_ceil(n_streams).max(1)) {
            let start = out.len();
            out.extend_from_slice(&[0; 4]);
            let len = match self.run(stream) {
                Some(0) => 0,
                Some(byte) => {
                    out.push(TOKEN_RUN);
                    -i32::from(byte)
                }
                None => {
                    if !self.compress(stream, out, scratch)? {
                        out.truncate(start + 4);
                        out.extend_from_slice(stream);
                    }
                    let len = i32::try_from(out.len() - start - 4);
                    len.map_err(|_| Error::invalid("blosc: a block of 2 GiB or more"))?
                }
            };
            out[start..start + 4].copy_from_slice(&len.to_le_bytes());
        }
        Ok(())
    }

    /// The byte that all of `stream` is.
    fn run(&self, stream: &[u8]) -> Option<u8> {
        let first = *stream.first()?;
        let is_run = self.runs == Runs::Known && stream.iter().all(|&byte| byte == first);
        is_run.then_some(first)
    }

    /// Appends the compressed `raw` to `out` if that is shorter.
    fn compress(&self, raw: &[u8], out: &mut Vec<u8>, scratch: &mut Scratch) -> Result<bool> {
        let Some(room) = raw.len().checked_sub(1) else {
            return Ok(false);
        };
        let level = self.level.clamp(1, 9);
        match self.compressor {
            BloscCompressor::BloscLz => blosclz::compress_within(level, raw, room, out, scratch),
            BloscCompressor::Lz4 => {
                let acceleration = 10 - c_int::try_from(level).expect("at most 9");
                lz4::compress_within(raw, lz4::Effort::Fast(acceleration), room, out)
            }
            BloscCompressor::Lz4Hc => {
                let level = c_int::try_from(level).expect("at most 9");
                lz4::compress_within(raw, lz4::Effort::High(level), room, out)
            }
            BloscCompressor::Snappy => snappy_within(raw, room, out, scratch),
            BloscCompressor::Zlib => deflate::deflate_within(level, raw, room, out, scratch),
            BloscCompressor::Zstd => {
                // As Blosc spreads its levels over those of zstd.
                let level = match level {
                    8 => zstd::max_level() - 2,
                    9 => zstd::max_level(),
                    level => i32::try_from(level).expect("at most 9") * 2 - 1,
                };
                zstd::encode_within(level, raw, room, out, scratch)
            }
        }
    }
}

/// Appends the snappy stream of `raw` to `out` if it takes at most `room` bytes.
fn snappy_within(
    raw: &[u8],
    room: usize,
    out: &mut Vec<u8>,
    scratch: &mut Scratch,
) -> Result<bool> {
    let start = out.len();
    let bound = snap::raw::max_compress_len(raw.len());
    spare::reserve(out, bound)?;
    out.resize(start + bound, 0);
    let encoder = scratch.context::<Option<snap::raw::Encoder>>();
    let written = encoder
        .get_or_insert_with(snap::raw::Encoder::new)
        .compress(raw, &mut out[start..])
        .map_err(|error| Error::invalid(format!("snappy: {error}")))?;
    out.truncate(start + written);
    Ok(written <= room)
}
