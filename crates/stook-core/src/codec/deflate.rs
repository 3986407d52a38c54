//! DEFLATE (RFC 1951), in the wrappers that gzip, zlib and Blosc share.
//!
//! libdeflate decodes, and encodes from level 2 on; level 1, and up to 3 where the data are
//! mostly runs, is [`fast`], which finds runs first. It also takes the front of what begins with
//! noise, as shuffled measurements do: no level finds anything there, and libdeflate looks long.
//! Up to level 5 it goes on with what follows, if that is mostly runs and no more than the noise.
//!
//! libdeflate works on whole buffers, which chunks are, and reads and writes two to three times
//! as fast as zlib. It never writes past the output it is given. What shrank to an eighth is tried
//! by [`quick`] first; what that leaves, or gets another checksum of, is libdeflate's to judge.

mod fast;
mod huffman;
mod quick;

use std::ffi::{c_int, c_void};
use std::ptr::NonNull;

use libdeflate_sys as sys;

use super::{Scratch, spare};
use crate::error::{Error, Result};

/// What surrounds the DEFLATE stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapper {
    /// RFC 1950.
    Zlib,
    /// RFC 1952.
    Gzip,
}

impl Wrapper {
    fn name(self) -> &'static str {
        match self {
            Self::Zlib => "zlib",
            Self::Gzip => "gzip",
        }
    }
}

/// The highest level that formats know.
pub(super) const MAX_LEVEL: u32 = 9;

/// How many bytes a call to [`inflate`] read and wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) read: usize,
    pub(super) written: usize,
}

/// Decodes one stream (one member of a gzip file) at the front of `encoded`.
///
/// # Errors
/// `Corrupt` if it is none, its checksum differs, or it decodes to more than `out` holds.
#[expect(unsafe_code, reason = "libdeflate is C")]
pub(super) fn inflate(
    wrapper: Wrapper,
    encoded: &[u8],
    out: &mut [u8],
    scratch: &mut Scratch,
) -> Result<Progress> {
    let inflater = scratch.context::<Inflater>();
    if quick::is_worth(encoded.len(), out.len())
        && let Some(progress) = inflater.quick(wrapper, encoded, out)
    {
        return Ok(progress);
    }
    let handle = inflater.handle()?;
    let (mut read, mut written) = (0, 0);
    let decompress = match wrapper {
        Wrapper::Zlib => sys::libdeflate_zlib_decompress_ex,
        Wrapper::Gzip => sys::libdeflate_gzip_decompress_ex,
    };
    // SAFETY: the handle is alive and borrowed mutably, pointers and lengths are those of
    // slices, and the two results outlive the call.
    let result = unsafe {
        decompress(
            handle.as_ptr(),
            encoded.as_ptr().cast(),
            encoded.len(),
            out.as_mut_ptr().cast(),
            out.len(),
            &raw mut read,
            &raw mut written,
        )
    };
    match result {
        sys::libdeflate_result_LIBDEFLATE_SUCCESS => Ok(Progress { read, written }),
        sys::libdeflate_result_LIBDEFLATE_INSUFFICIENT_SPACE => {
            Err(super::longer_than(wrapper.name(), out.len()))
        }
        _ => Err(Error::corrupt(format!(
            "{} bytes are no valid {} stream",
            encoded.len(),
            wrapper.name()
        ))),
    }
}

/// Up to this level data that are mostly runs are encoded by [`fast`]: more effort hardly makes
/// them shorter.
const MAX_FAST_LEVEL: u32 = 3;
/// The same of data that are at least half noise: that takes nearly all of what is stored.
const MAX_FAST_LEVEL_BEHIND_NOISE: u32 = 5;

/// Whether at least half of `raw` is equal bytes behind one another, or equal numbers, as far as a
/// sample tells.
fn is_mostly_runs(raw: &[u8]) -> bool {
    const SAMPLES: usize = 256;
    let (words, _) = raw.as_chunks::<8>();
    let step = (words.len() / SAMPLES).max(1);
    let is_run = |(word, next): &(&[u8; 8], &[u8; 8])| {
        let first = u64::from_le_bytes(**word);
        first == first.rotate_left(8) || word == next
    };
    let sample = words.iter().zip(words.iter().skip(1)).step_by(step);
    sample.clone().filter(is_run).count() * 2 > sample.len()
}

/// Bytes that are known to be noise before `fast` takes them: fewer are not worth a seam.
const MIN_NOISE_LEN: usize = 32 << 10;

#[expect(unsafe_code, reason = "libdeflate is C")]
fn adler32(bytes: &[u8]) -> u32 {
    // SAFETY: pointer and length are those of a slice.
    unsafe { sys::libdeflate_adler32(1, bytes.as_ptr().cast(), bytes.len()) }
}

#[expect(unsafe_code, reason = "libdeflate is C")]
fn crc32(bytes: &[u8]) -> u32 {
    // SAFETY: pointer and length are those of a slice.
    unsafe { sys::libdeflate_crc32(0, bytes.as_ptr().cast(), bytes.len()) }
}

/// Appends the encoding of `raw` by [`fast`], as far as it goes, and libdeflate to `out`.
fn deflate_in_parts(
    wrapper: Wrapper,
    (level, fast_part): (u32, Part),
    raw: &[u8],
    out: &mut Vec<u8>,
    scratch: &mut Scratch,
) -> Result<()> {
    // Compressor and level, as libdeflate gives them.
    let (zlib_level, gzip_level) = match level {
        0..2 => (0x01, 4),
        2..6 => (0x5e, 0),
        6..8 => (0x9c, 0),
        _ => (0xda, 2),
    };
    match wrapper {
        Wrapper::Zlib => out.extend([0x78, zlib_level]),
        Wrapper::Gzip => out.extend([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, gzip_level, 0xff]),
    }
    let encoder = scratch.context::<fast::Encoder>();
    let n_encoded = match fast_part {
        Part::Whole => {
            encoder.encode(raw, out)?;
            raw.len()
        }
        Part::Noise => encoder.encode_noise(raw, out)?,
    };
    if let Some(rest) = raw.get(n_encoded..).filter(|rest| !rest.is_empty()) {
        let is_mostly_noise = n_encoded >= raw.len() / 2;
        if is_mostly_noise && level <= MAX_FAST_LEVEL_BEHIND_NOISE && is_mostly_runs(rest) {
            scratch.context::<fast::Encoder>().encode(rest, out)?;
        } else {
            deflate_with(Stream::RAW, level, rest, out, scratch)?;
        }
    }
    match wrapper {
        Wrapper::Zlib => out.extend_from_slice(&adler32(raw).to_be_bytes()),
        Wrapper::Gzip => {
            out.extend_from_slice(&crc32(raw).to_le_bytes());
            // The length is counted modulo 2^32.
            out.extend_from_slice(&(raw.len() as u32).to_le_bytes());
        }
    }
    Ok(())
}

/// What [`fast`] encodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// All.
    Whole,
    /// The front, as far as it is noise.
    Noise,
}

/// Appends the encoding of `raw` at `level` (0 to 9) to `out`.
///
/// # Errors
/// `LimitExceeded` if there is no memory.
pub(super) fn deflate(
    wrapper: Wrapper,
    level: u32,
    raw: &[u8],
    out: &mut Vec<u8>,
    scratch: &mut Scratch,
) -> Result<()> {
    if level == 1 || (2..=MAX_FAST_LEVEL).contains(&level) && is_mostly_runs(raw) {
        return deflate_in_parts(wrapper, (level, Part::Whole), raw, out, scratch);
    }
    let sample = raw.get(..MIN_NOISE_LEN).filter(|_| level > 0);
    if sample.is_some_and(|sample| scratch.context::<fast::Encoder>().is_noise(sample)) {
        return deflate_in_parts(wrapper, (level, Part::Noise), raw, out, scratch);
    }
    let stream = match wrapper {
        Wrapper::Zlib => Stream::ZLIB,
        Wrapper::Gzip => Stream::GZIP,
    };
    deflate_with(stream, level, raw, out, scratch)
}

/// Ends a DEFLATE stream that was made of [`deflate_piece`]s: an empty block that is the last.
pub(crate) const END_OF_PIECES: [u8; 2] = [3, 0];

/// Appends the encoding of a piece of a stream to `out`, by [`fast`]. Pieces that were encoded apart,
/// by any threads, are the stream one behind the other, with [`END_OF_PIECES`].
///
/// # Errors
/// `LimitExceeded` if there is no memory.
pub(crate) fn deflate_piece(raw: &[u8], out: &mut Vec<u8>, scratch: &mut Scratch) -> Result<()> {
    scratch.context::<fast::Encoder>().encode_open(raw, out)
}

type Bound = unsafe extern "C" fn(*mut sys::libdeflate_compressor, usize) -> usize;
type Compress = unsafe extern "C" fn(
    *mut sys::libdeflate_compressor,
    *const c_void,
    usize,
    *mut c_void,
    usize,
) -> usize;

/// The calls by which libdeflate makes a kind of stream.
#[derive(Clone, Copy)]
struct Stream {
    bound: Bound,
    compress: Compress,
}

impl Stream {
    const RAW: Self = Self {
        bound: sys::libdeflate_deflate_compress_bound,
        compress: sys::libdeflate_deflate_compress,
    };
    const ZLIB: Self = Self {
        bound: sys::libdeflate_zlib_compress_bound,
        compress: sys::libdeflate_zlib_compress,
    };
    const GZIP: Self = Self {
        bound: sys::libdeflate_gzip_compress_bound,
        compress: sys::libdeflate_gzip_compress,
    };
}

/// Appends the encoding of `raw` by libdeflate to `out`.
#[expect(unsafe_code, reason = "libdeflate is C")]
fn deflate_with(
    stream: Stream,
    level: u32,
    raw: &[u8],
    out: &mut Vec<u8>,
    scratch: &mut Scratch,
) -> Result<()> {
    let handle = scratch.context::<Deflaters>().handle(level)?.as_ptr();
    // SAFETY: the handle is alive and borrowed mutably.
    let room = unsafe { (stream.bound)(handle, raw.len()) };
    let encode = |room: &mut [std::mem::MaybeUninit<u8>]| {
        let (to, len) = (room.as_mut_ptr().cast(), room.len());
        // SAFETY: as above, and pointers and lengths are those of slices.
        match unsafe { (stream.compress)(handle, raw.as_ptr().cast(), raw.len(), to, len) } {
            0 => Err(Error::invalid(format!("{} bytes cannot be deflated", raw.len()))),
            written => Ok(written),
        }
    };
    // SAFETY: libdeflate returns how many bytes it wrote.
    unsafe { spare::append_with(out, room, encode) }
}

/// Appends the zlib stream of `raw` to `out` if it takes at most `room` bytes.
///
/// # Errors
/// `LimitExceeded` if there is no memory.
#[expect(unsafe_code, reason = "libdeflate is C")]
pub(super) fn deflate_within(
    level: u32,
    raw: &[u8],
    room: usize,
    out: &mut Vec<u8>,
    scratch: &mut Scratch,
) -> Result<bool> {
    let handle = scratch.context::<Deflaters>().handle(level)?.as_ptr();
    let start = out.len();
    let encode = |room: &mut [std::mem::MaybeUninit<u8>]| {
        let (from, to) = (raw.as_ptr().cast(), room.as_mut_ptr().cast());
        // SAFETY: the handle is alive and borrowed mutably, pointers and lengths are those of
        // slices; 0 is returned where the stream does not fit.
        Ok(unsafe { sys::libdeflate_zlib_compress(handle, from, raw.len(), to, room.len()) })
    };
    // SAFETY: libdeflate returns how many bytes it wrote.
    unsafe { spare::append_with(out, room, encode)? };
    Ok(out.len() > start)
}

/// Decompressors, made at their first use.
#[derive(Default)]
struct Inflater {
    handle: Option<NonNull<sys::libdeflate_decompressor>>,
    quick: Option<Box<quick::Decoder>>,
}

impl Inflater {
    /// Decodes a stream by [`quick`]; `None` where that fails for whatever reason.
    fn quick(&mut self, wrapper: Wrapper, encoded: &[u8], out: &mut [u8]) -> Option<Progress> {
        let (len_front, len_sum) = match (wrapper, encoded) {
            // RFC 1950, section 2.2: DEFLATE without a dictionary, and a check of both bytes.
            (Wrapper::Zlib, &[method, flags, ..])
                if method & 0x8f == 8
                    && flags & 0x20 == 0
                    && u16::from_be_bytes([method, flags]) % 31 == 0 =>
            {
                (2, 4)
            }
            // RFC 1952, section 2.3, without any of the optional fields.
            (Wrapper::Gzip, [0x1f, 0x8b, 8, 0, ..]) => (10, 8),
            _ => return None,
        };
        let decoder = self.quick.get_or_insert_default();
        let progress = decoder.decode(encoded.get(len_front..)?, out)?;
        let end = len_front + progress.read;
        let sum = encoded.get(end..end + len_sum)?;
        let written = out.get(..progress.written)?;
        let is_same = match wrapper {
            Wrapper::Zlib => sum == adler32(written).to_be_bytes(),
            Wrapper::Gzip => {
                // The length is counted modulo 2^32.
                let len = written.len() as u32;
                sum.starts_with(&crc32(written).to_le_bytes()) && sum.ends_with(&len.to_le_bytes())
            }
        };
        is_same.then_some(Progress { read: end + len_sum, written: progress.written })
    }

    #[expect(unsafe_code, reason = "libdeflate is C")]
    fn handle(&mut self) -> Result<NonNull<sys::libdeflate_decompressor>> {
        if self.handle.is_none() {
            // SAFETY: no preconditions.
            self.handle = NonNull::new(unsafe { sys::libdeflate_alloc_decompressor() });
        }
        self.handle.ok_or_else(no_memory)
    }
}

impl Drop for Inflater {
    #[expect(unsafe_code, reason = "libdeflate is C")]
    fn drop(&mut self) {
        if let Some(handle) = self.handle {
            // SAFETY: the handle came from libdeflate and is freed once.
            unsafe { sys::libdeflate_free_decompressor(handle.as_ptr()) };
        }
    }
}

// SAFETY: a decompressor is plain memory without ties to a thread; this is its only owner.
#[expect(unsafe_code, reason = "the pointer is an owned allocation")]
unsafe impl Send for Inflater {}

/// A compressor for each level, made at its first use: the level is fixed in the allocation.
#[derive(Default)]
struct Deflaters([Option<NonNull<sys::libdeflate_compressor>>; MAX_LEVEL as usize + 1]);

impl Deflaters {
    #[expect(unsafe_code, reason = "libdeflate is C")]
    fn handle(&mut self, level: u32) -> Result<NonNull<sys::libdeflate_compressor>> {
        let level = level.min(MAX_LEVEL);
        let slot = &mut self.0[level as usize];
        if slot.is_none() {
            let level = c_int::try_from(level).expect("at most 9");
            // SAFETY: no preconditions; a level out of range gives null.
            *slot = NonNull::new(unsafe { sys::libdeflate_alloc_compressor(level) });
        }
        slot.ok_or_else(no_memory)
    }
}

impl Drop for Deflaters {
    #[expect(unsafe_code, reason = "libdeflate is C")]
    fn drop(&mut self) {
        for handle in self.0.iter().flatten() {
            // SAFETY: the handle came from libdeflate and is freed once.
            unsafe { sys::libdeflate_free_compressor(handle.as_ptr()) };
        }
    }
}

// SAFETY: compressors are plain memory without ties to a thread; this is their only owner.
#[expect(unsafe_code, reason = "the pointers are owned allocations")]
unsafe impl Send for Deflaters {}

fn no_memory() -> Error {
    Error::limit("no memory for a deflate context")
}
