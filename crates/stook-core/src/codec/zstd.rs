//! Zstandard (RFC 8878): one frame is written, any number are read, skippable ones included.

use zstd_safe::{CCtx, CParameter, DCtx, ErrorCode, ResetDirective};

use super::{Codec, Scratch, spare};
use crate::error::{Error, ErrorKind, Result};

const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();
/// Followed by a low nibble of any value.
const MAGIC_SKIPPABLE: u32 = 0x184D_2A50;

/// Compresses with Zstandard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Zstd {
    level: i32,
    checksum: bool,
}

impl Zstd {
    pub(super) fn new(level: i32, checksum: bool) -> Result<Self> {
        check_level(level)?;
        Ok(Self { level, checksum })
    }
}

/// Refuses what is no level of zstd's.
///
/// # Errors
/// `InvalidInput`.
pub(super) fn check_level(level: i32) -> Result<()> {
    let (min, max) = (zstd_safe::min_c_level(), zstd_safe::max_c_level());
    if !(min..=max).contains(&level) {
        return Err(Error::invalid(format!(
            "zstd: expected a level of {min} to {max}, found {level}"
        )));
    }
    Ok(())
}

impl Codec for Zstd {
    fn name(&self) -> &'static str {
        "zstd"
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        super::generous_bound(raw_len)
    }

    /// Where there is one frame only, and it says so.
    fn decoded_len(&self, encoded: &[u8]) -> Option<u64> {
        let is_one = encoded.starts_with(&MAGIC)
            && zstd_safe::find_frame_compressed_size(encoded) == Ok(encoded.len());
        zstd_safe::get_frame_content_size(encoded).ok().flatten().filter(|_| is_one)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, scratch: &mut Scratch) -> Result<()> {
        let context = encoder(self.level, self.checksum, scratch)?;
        encode(context, raw, zstd_safe::compress_bound(raw.len()), out)
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], scratch: &mut Scratch) -> Result<usize> {
        decode_frames(encoded, out, scratch)
    }
}

fn encoder(level: i32, checksum: bool, scratch: &mut Scratch) -> Result<&mut CCtx<'static>> {
    let context = scratch.context::<Encoder>().context()?;
    for parameter in [CParameter::CompressionLevel(level), CParameter::ChecksumFlag(checksum)] {
        context.set_parameter(parameter).map_err(encode_error)?;
    }
    Ok(context)
}

/// Appends `raw` as one frame without a checksum to `out`.
///
/// # Errors
/// `LimitExceeded` if there is no memory.
pub(super) fn encode_frame(
    level: i32,
    raw: &[u8],
    out: &mut Vec<u8>,
    scratch: &mut Scratch,
) -> Result<()> {
    encode(encoder(level, false, scratch)?, raw, zstd_safe::compress_bound(raw.len()), out)
}

/// Appends `raw` as one frame without a checksum to `out` if it takes at most `room` bytes.
///
/// # Errors
/// `LimitExceeded` if there is no memory.
pub(super) fn encode_within(
    level: i32,
    raw: &[u8],
    room: usize,
    out: &mut Vec<u8>,
    scratch: &mut Scratch,
) -> Result<bool> {
    let context = encoder(level, false, scratch)?;
    match encode(context, raw, room, out) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::LimitExceeded => Err(error),
        Err(_) => {
            // Else the context would go on with what did not fit.
            context.reset(ResetDirective::SessionOnly).map_err(encode_error)?;
            Ok(false)
        }
    }
}

/// The highest level.
pub(super) fn max_level() -> i32 {
    zstd_safe::max_c_level()
}

/// Appends the frame to `out` if it takes at most `room` bytes.
#[expect(unsafe_code, reason = "the room behind the output is not initialised")]
fn encode(context: &mut CCtx<'_>, raw: &[u8], room: usize, out: &mut Vec<u8>) -> Result<()> {
    let write = |room: &mut [std::mem::MaybeUninit<u8>]| {
        context.compress2(&mut Room(room), raw).map_err(encode_error)
    };
    // SAFETY: zstd returns how many bytes it wrote.
    unsafe { spare::append_with(out, room, write) }
}

/// Decodes all frames of `encoded` one behind another.
///
/// # Errors
/// `Corrupt` if there is none, one is damaged, or they decode to more than `out` holds.
pub(super) fn decode_frames(
    encoded: &[u8],
    out: &mut [u8],
    scratch: &mut Scratch,
) -> Result<usize> {
    let context = scratch.context::<Decoder>().context()?;
    let (mut rest, mut written) = (encoded, 0);
    loop {
        let magic = rest.first_chunk::<4>().copied().unwrap_or_default();
        let is_skippable = u32::from_le_bytes(magic) & !0xF == MAGIC_SKIPPABLE;
        // Also keeps out the formats from before version 0.8.
        if magic != MAGIC && !is_skippable {
            return Err(Error::corrupt(format!(
                "expected the zstd magic {MAGIC:02x?}, found {magic:02x?}"
            )));
        }
        let len = zstd_safe::find_frame_compressed_size(rest)
            .map_err(|code| decode_error(code, rest.len()))?;
        let (frame, behind) =
            rest.split_at_checked(len).ok_or_else(|| decode_error(0, rest.len()))?;
        if !is_skippable {
            let room = out.get_mut(written..).unwrap_or_default();
            written += context.decompress(room, frame).map_err(|code| {
                if zstd_safe::is_error_kind(code, DST_TOO_SMALL) {
                    super::longer_than("zstd", out.len())
                } else {
                    decode_error(code, frame.len())
                }
            })?;
        }
        rest = behind;
        if rest.is_empty() {
            return Ok(written);
        }
    }
}

const DST_TOO_SMALL: zstd_safe::zstd_sys::ZSTD_ErrorCode =
    zstd_safe::zstd_sys::ZSTD_ErrorCode::ZSTD_error_dstSize_tooSmall;

/// Room that `zstd_safe` may write to.
struct Room<'a>(&'a mut [std::mem::MaybeUninit<u8>]);

// SAFETY: pointer and capacity are those of the slice; nothing is claimed to be initialised.
#[expect(unsafe_code, reason = "the trait is how zstd_safe is told of room")]
unsafe impl zstd_safe::WriteBuf for Room<'_> {
    fn as_slice(&self) -> &[u8] {
        &[]
    }

    fn capacity(&self) -> usize {
        self.0.len()
    }

    fn as_mut_ptr(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }

    unsafe fn filled_until(&mut self, _: usize) {}
}

/// A compression context, made at its first use.
#[derive(Default)]
struct Encoder(Option<CCtx<'static>>);

impl Encoder {
    fn context(&mut self) -> Result<&mut CCtx<'static>> {
        if self.0.is_none() {
            self.0 = CCtx::try_create();
        }
        self.0.as_mut().ok_or_else(no_memory)
    }
}

/// A decompression context, made at its first use.
#[derive(Default)]
struct Decoder(Option<DCtx<'static>>);

impl Decoder {
    fn context(&mut self) -> Result<&mut DCtx<'static>> {
        if self.0.is_none() {
            self.0 = DCtx::try_create();
        }
        self.0.as_mut().ok_or_else(no_memory)
    }
}

fn no_memory() -> Error {
    Error::limit("no memory for a zstd context")
}

fn encode_error(code: ErrorCode) -> Error {
    Error::invalid(format!("zstd: {}", zstd_safe::get_error_name(code)))
}

fn decode_error(code: ErrorCode, len: usize) -> Error {
    let name = zstd_safe::get_error_name(code);
    Error::corrupt(format!("{len} bytes are no valid zstd frame: {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(level: i32, checksum: bool, raw: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let codec = Zstd::new(level, checksum).unwrap();
        codec.encode_into(raw, &mut out, &mut Scratch::new()).unwrap();
        out
    }

    fn decode(encoded: &[u8], len: usize) -> Result<Vec<u8>> {
        let mut out = vec![0; len];
        let n = Zstd::new(0, false)?.decode_into(encoded, &mut out, &mut Scratch::new())?;
        out.truncate(n);
        Ok(out)
    }

    #[test]
    fn frames_are_joined_and_skippable_ones_skipped() {
        let skippable = [0x5A, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3];
        let frame = encode(3, true, b"stook");
        let all = [&frame, skippable.as_slice(), &frame, &skippable].concat();
        assert_eq!(decode(&all, 10).unwrap(), b"stookstook");
        assert!(decode(&all, 9).is_err());
        assert!(decode(&all[..all.len() - 1], 10).is_err());
    }

    #[test]
    fn a_frame_without_content_size_is_read() {
        let mut context = CCtx::create();
        context.set_parameter(CParameter::ContentSizeFlag(false)).unwrap();
        let mut frame = Vec::with_capacity(100);
        context.compress2(&mut frame, b"stook").unwrap();
        assert_eq!(zstd_safe::get_frame_content_size(&frame).unwrap(), None);
        assert_eq!(decode(&frame, 5).unwrap(), b"stook");
        let error = decode(&frame, 4).unwrap_err();
        assert_eq!(error.message(), "zstd: expected at most 4 decoded bytes, found more");
    }

    #[test]
    fn the_checksum_is_written_and_checked() {
        let (plain, mut checked) = (encode(1, false, &[1; 50]), encode(1, true, &[1; 50]));
        assert_eq!(checked.len(), plain.len() + 4);
        *checked.last_mut().unwrap() ^= 1;
        assert!(decode(&checked, 50).is_err());
    }

    #[test]
    fn a_legacy_magic_is_corrupt() {
        assert!(decode(&[0x27, 0xB5, 0x2F, 0xFD, 0, 0, 0, 0, 0, 0], 10).is_err());
    }

    #[test]
    fn levels_are_checked() {
        for (level, is_valid) in [(-131_073, false), (-131_072, true), (22, true), (23, false)] {
            assert_eq!(Zstd::new(level, false).is_ok(), is_valid, "{level}");
        }
    }
}
