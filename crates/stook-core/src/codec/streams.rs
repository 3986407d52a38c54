//! Streams one behind another, through decoders that take input and room bit by bit: what bzip2
//! and lzma share.

use crate::error::{Error, Result};

/// The decoder of one stream.
pub(super) trait Decoder {
    /// Decodes from the front of `input` to the front of `out`, as much as there is input and
    /// room for.
    ///
    /// # Errors
    /// `Corrupt`, `LimitExceeded` if there is no memory.
    fn advance(&mut self, input: &[u8], out: &mut [u8]) -> Result<Progress>;
}

/// What a call to [`Decoder::advance`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) read: usize,
    pub(super) written: usize,
    /// Whether the stream ended there.
    pub(super) is_end: bool,
}

/// Decodes the stream at the front of `encoded` to the front of `out`.
///
/// # Errors
/// `Corrupt` if it is cut short or decodes to more than `out` holds, and what `decoder` returns.
pub(super) fn decode_stream(
    codec: &str,
    decoder: &mut dyn Decoder,
    encoded: &[u8],
    out: &mut [u8],
) -> Result<Progress> {
    let (mut read, mut written) = (0, 0);
    loop {
        let input = encoded.get(read..).unwrap_or_default();
        // A full output does not mean that the decoder has seen the end of its stream.
        let mut spill = [0];
        let room = match out.get_mut(written..) {
            Some(room) if !room.is_empty() => room,
            _ => &mut spill,
        };
        let step = decoder.advance(input, room)?;
        (read, written) = (read + step.read, written + step.written);
        if written > out.len() {
            let error = Error::corrupt(format!(
                "{codec}: expected a stream of at most {} decoded bytes, found more",
                out.len()
            ));
            return Err(error.with_source(super::NoRoom));
        }
        if step.is_end {
            return Ok(Progress { read, written, is_end: true });
        }
        if (step.read, step.written) == (0, 0) {
            return Err(Error::corrupt(format!("{codec}: the stream is cut short")));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::codec::{Scratch, Stage, Step, build, is_for_room, spec::CodecSpec};

    #[test]
    fn room_is_asked_for_by_what_is_decoded_only() {
        let decode = |spec: &CodecSpec, encoded: &[u8]| {
            let Ok((Step::Codec(codec), _)) = build(spec, &Stage::bytes()) else { panic!() };
            let mut encoded = encoded.to_vec();
            if encoded.is_empty() {
                codec.encode_into(&[7; 100], &mut encoded, &mut Scratch::new()).unwrap();
            }
            codec.decode_into(&encoded, &mut [0; 10], &mut Scratch::new()).unwrap_err()
        };
        assert!(is_for_room(&decode(&CodecSpec::Bzip2 { level: 1 }, &[])));
        // A gigabyte, says the header.
        let lz4 = CodecSpec::Lz4 { acceleration: 1 };
        assert!(!is_for_room(&decode(&lz4, &[0, 0, 0, 64, 1, 2, 3])));
    }
}
