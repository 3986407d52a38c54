//! bzip2: one stream is written, any number are read (numcodecs `bz2`, HDF5's filter 307).

use std::mem::MaybeUninit;

use bzip2::{Action, Compress, Compression, Decompress, Error as StreamError, Status};

use super::streams::{self, Decoder, Progress};
use super::{Codec, Scratch, spare};
use crate::error::{Error, Result};

const LEVELS: std::ops::RangeInclusive<u32> = 1..=9;
/// What the library takes by itself: how soon it turns to the sort that repetition cannot slow.
const WORK_FACTOR: u32 = 0;
/// The library counts the input of a call in 32 bits.
const MAX_PIECE_LEN: usize = 1 << 30;

/// Compresses with bzip2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bzip2 {
    level: u32,
}

impl Bzip2 {
    pub(super) fn new(level: u32) -> Result<Self> {
        if !LEVELS.contains(&level) {
            let (min, max) = (LEVELS.start(), LEVELS.end());
            return Err(Error::invalid(format!(
                "bz2: expected a level of {min} to {max}, found {level}"
            )));
        }
        Ok(Self { level })
    }
}

impl Codec for Bzip2 {
    fn name(&self) -> &'static str {
        "bz2"
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        super::generous_bound(raw_len)
    }

    #[expect(unsafe_code, reason = "the room behind the output is not initialised")]
    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _: &mut Scratch) -> Result<()> {
        // The library's own bound: data that does not compress grows by less than one percent.
        let room = raw.len().saturating_add(raw.len() / 100).saturating_add(600);
        let write = |room: &mut [MaybeUninit<u8>]| encode(self.level, raw, room);
        // SAFETY: `encode` returns how many bytes were written.
        unsafe { spare::append_with(out, room, write) }
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let (mut read, mut written) = (0, 0);
        loop {
            let input = encoded.get(read..).unwrap_or_default();
            let room = out.get_mut(written..).unwrap_or_default();
            let mut stream = Stream(Decompress::new(false));
            let done = streams::decode_stream("bz2", &mut stream, input, room)?;
            (read, written) = (read + done.read, written + done.written);
            if read == encoded.len() {
                return Ok(written);
            }
        }
    }
}

/// Encodes `raw` as one stream to the front of `room`; returns the stream's length.
fn encode(level: u32, raw: &[u8], room: &mut [MaybeUninit<u8>]) -> Result<usize> {
    let mut stream = Compress::new(Compression::new(level), WORK_FACTOR);
    let mut written = 0;
    let mut advance = |input: &[u8], action| {
        let (read_before, written_before) = (stream.total_in(), stream.total_out());
        let room = room.get_mut(written..).unwrap_or_default();
        let status = stream.compress_uninit(input, room, action).map_err(cannot_encode)?;
        let (n_read, n_written) =
            (stream.total_in() - read_before, stream.total_out() - written_before);
        if n_read == 0 && n_written == 0 && status != Status::StreamEnd {
            return Err(cannot_encode("no room for the stream"));
        }
        written += usize::try_from(n_written).expect("less than the room");
        Ok((usize::try_from(n_read).expect("less than the input"), status))
    };
    let mut rest = raw;
    while rest.len() > MAX_PIECE_LEN {
        let (n_read, _) = advance(&rest[..MAX_PIECE_LEN], Action::Run)?;
        rest = &rest[n_read..];
    }
    loop {
        let (n_read, status) = advance(rest, Action::Finish)?;
        rest = &rest[n_read..];
        if status == Status::StreamEnd {
            return Ok(written);
        }
    }
}

struct Stream(Decompress);

impl Decoder for Stream {
    fn advance(&mut self, input: &[u8], out: &mut [u8]) -> Result<Progress> {
        let (read, written) = (self.0.total_in(), self.0.total_out());
        let status = self.0.decompress(input, out).map_err(|error| {
            let reason = match error {
                StreamError::DataMagic => "no stream begins here",
                _ => "the stream is damaged",
            };
            Error::corrupt(format!("bz2: {reason}"))
        })?;
        if status == Status::MemNeeded {
            return Err(Error::limit("no memory for a bz2 decoder"));
        }
        let since = |total: u64, before: u64| {
            usize::try_from(total - before).expect("less than a slice has")
        };
        let read = since(self.0.total_in(), read);
        let written = since(self.0.total_out(), written);
        Ok(Progress { read, written, is_end: status == Status::StreamEnd })
    }
}

#[cold]
fn cannot_encode(reason: impl std::fmt::Display) -> Error {
    Error::invalid(format!("bz2: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(level: u32, raw: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Bzip2::new(level).unwrap().encode_into(raw, &mut out, &mut Scratch::new()).unwrap();
        out
    }

    fn decode(encoded: &[u8], len: usize) -> Result<Vec<u8>> {
        let mut out = vec![0; len];
        let n = Bzip2::new(1)?.decode_into(encoded, &mut out, &mut Scratch::new())?;
        out.truncate(n);
        Ok(out)
    }

    #[test]
    fn streams_are_joined() {
        let all = [encode(1, b"sto"), encode(9, b""), encode(3, b"ok")].concat();
        assert_eq!(decode(&all, 5).unwrap(), b"stook");
        let error = decode(&all, 4).unwrap_err();
        assert_eq!(
            error.message(),
            "bz2: expected a stream of at most 1 decoded bytes, found more"
        );
        let error = decode(&all[..all.len() - 1], 5).unwrap_err();
        assert_eq!(error.message(), "bz2: the stream is cut short");
        let error = decode(&[&all, &b"rest"[..]].concat(), 5).unwrap_err();
        assert_eq!(error.message(), "bz2: no stream begins here");
    }

    #[test]
    fn levels_are_checked() {
        for (level, is_valid) in [(0, false), (1, true), (9, true), (10, false)] {
            assert_eq!(Bzip2::new(level).is_ok(), is_valid, "{level}");
        }
    }
}
