//! Codecs: what turns the items of a chunk into stored bytes and back, a file each.
//!
//! [`CodecSpec`] names a codec and its configuration independent of any format; formats map
//! their ids and filter numbers to it. [`build`] makes the [`Step`] that runs.
//!
//! Invariants: a codec keeps no state but its configuration, so one instance serves all
//! threads; contexts and buffers live in the caller's [`Scratch`]. Encoded bytes are untrusted:
//! decoding them gives an error or data of at most the length asked for, never a panic.

// One module a codec; see docs/formats/codecs.md for the bytes of each.
mod blosc;
mod byte_order;
mod checksum;
mod crc32c;
mod deflate;
mod fletcher32;
mod gzip;
mod lz4;
mod lz4_hdf5;
mod lzf;
mod member_order;
mod scratch;
mod shuffle;
mod spare;
mod transpose;
mod vlen;
mod zlib;
mod zstd;

use std::fmt::Debug;
use std::sync::Arc;

pub use byte_order::swap_items;
pub use member_order::{MemberOrder, swap_parts};
pub use scratch::Scratch;
pub use transpose::transpose;

use self::vlen::Vlen;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::limits::Limits;

/// A codec and its configuration.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CodecSpec {
    /// Stores the axes in another order: stored axis `i` is array axis `order[i]`.
    Transpose {
        /// A permutation of the axes.
        order: Vec<usize>,
    },
    /// Items to bytes, in the byte order given.
    ByteOrder(Endian),
    /// Variable-length text as count, then length and bytes of each (numcodecs `vlen-utf8`).
    VlenUtf8,
    /// Variable-length bytes likewise (numcodecs `vlen-bytes`).
    VlenBytes,
    /// RFC 1952.
    Gzip {
        /// 0 to 9.
        level: u32,
    },
    /// RFC 1950 (HDF5's deflate filter, numcodecs `zlib`).
    Zlib {
        /// 0 to 9.
        level: u32,
    },
    /// Zstandard frames.
    Zstd {
        /// -131072 to 22.
        level: i32,
        /// Whether frames carry a content checksum.
        checksum: bool,
    },
    /// Blosc 1 containers.
    Blosc(Blosc),
    /// An LZ4 block behind its decoded length as a little-endian `u32` (numcodecs `lz4`).
    Lz4 {
        /// 1 is the default; higher is faster and larger.
        acceleration: i32,
    },
    /// LZ4 blocks as the HDF5 filter 32004 frames them.
    Lz4Hdf5 {
        /// Bytes of a decoded block; 0 means the filter's default.
        block_len_bytes: u32,
    },
    /// LZF as h5py's filter 32000 stores it.
    Lzf,
    /// Byte `i` of all items, then byte `i + 1`.
    Shuffle {
        /// Bytes of an item.
        item_size: usize,
    },
    /// CRC-32C of the bytes, appended little-endian.
    Crc32c,
    /// HDF5's Fletcher-32 of the bytes, appended little-endian.
    Fletcher32,
    /// A codec that brings itself: a format's own, or one that a user registered.
    Custom(CustomCodec),
    /// A codec that is not known; using it is an error that names it.
    Unknown {
        /// Its id, name or filter number with name.
        name: String,
        /// Its configuration as the file gives it.
        configuration: serde_json::Value,
    },
}

/// The order of the bytes in a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endian {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl Endian {
    /// The machine's own.
    pub const NATIVE: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };
}

/// The configuration of Blosc 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Blosc {
    /// The compressor within.
    pub compressor: BloscCompressor,
    /// 0 to 9.
    pub level: u32,
    /// What precedes the compressor.
    pub shuffle: BloscShuffle,
    /// Bytes of an item, for the shuffle.
    pub item_size: usize,
    /// Bytes of a block; 0 lets Blosc choose.
    pub block_len_bytes: usize,
}

/// The compressors within Blosc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum BloscCompressor {
    BloscLz,
    Lz4,
    Lz4Hc,
    Snappy,
    Zlib,
    Zstd,
}

/// What precedes the compressor in Blosc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum BloscShuffle {
    None,
    Byte,
    Bit,
}

/// A codec that brings itself; equal to its own clones only.
#[derive(Clone, Debug)]
pub struct CustomCodec(pub Arc<dyn Codec>);

impl PartialEq for CustomCodec {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl CodecSpec {
    /// The name that errors and `stook info` show.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Transpose { .. } => "transpose",
            Self::ByteOrder(_) => "bytes",
            Self::VlenUtf8 => "vlen-utf8",
            Self::VlenBytes => "vlen-bytes",
            Self::Gzip { .. } => "gzip",
            Self::Zlib { .. } => "zlib",
            Self::Zstd { .. } => "zstd",
            Self::Blosc(_) => "blosc",
            Self::Lz4 { .. } | Self::Lz4Hdf5 { .. } => "lz4",
            Self::Lzf => "lzf",
            Self::Shuffle { .. } => "shuffle",
            Self::Crc32c => "crc32c",
            Self::Fletcher32 => "fletcher32",
            Self::Custom(codec) => codec.0.name(),
            Self::Unknown { name, .. } => name,
        }
    }
}

/// Turns bytes into stored bytes and back.
pub trait Codec: Debug + Send + Sync {
    /// The name that errors show.
    fn name(&self) -> &'static str;

    /// The longest encoding of `raw_len` bytes that this codec accepts when decoding; exact
    /// where `has_fixed_len`.
    fn encoded_bound(&self, raw_len: usize) -> usize;

    /// Whether the length of an encoding depends on the length of its input only.
    fn has_fixed_len(&self) -> bool {
        false
    }

    /// How many bytes `encoded` says it decodes to, where it says so; not to be trusted.
    fn decoded_len(&self, encoded: &[u8]) -> Option<u64> {
        let _ = encoded;
        None
    }

    /// Appends the encoding of `raw` to `out`.
    ///
    /// # Errors
    /// `InvalidInput` where `raw` cannot be encoded.
    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, scratch: &mut Scratch) -> Result<()>;

    /// Decodes `encoded` to the front of `out` and returns how many bytes that were.
    ///
    /// # Errors
    /// `Corrupt` where `encoded` is no encoding, or one of more bytes than `out` has.
    fn decode_into(&self, encoded: &[u8], out: &mut [u8], scratch: &mut Scratch) -> Result<usize>;
}

/// Turns heap items into stored bytes and back.
pub trait HeapCodec: Debug + Send + Sync {
    /// The name that errors show.
    fn name(&self) -> &'static str;

    /// Appends the encoding of `items`, whose payload lies in `heap`, to `out`.
    ///
    /// # Errors
    /// `InvalidInput` where an item cannot be encoded.
    fn encode_into(&self, items: &[u8], heap: &[u8], out: &mut Vec<u8>) -> Result<()>;

    /// Decodes exactly the items that fill `items`, appending their payload to `heap`.
    ///
    /// # Errors
    /// `Corrupt`, `LimitExceeded`.
    fn decode_into(
        &self,
        encoded: &[u8],
        items: &mut [u8],
        heap: &mut Vec<u8>,
        limits: &Limits,
    ) -> Result<()>;
}

/// A codec ready to run on chunks of one shape and dtype.
#[derive(Clone, Debug)]
pub enum Step {
    /// Another order of the axes.
    Transpose(Vec<usize>),
    /// Items to bytes in a byte order.
    ByteOrder(Endian),
    /// Heap items to bytes.
    Heap(Arc<dyn HeapCodec>),
    /// Bytes to bytes.
    Codec(Arc<dyn Codec>),
}

/// Makes the step that `spec` describes, for items of `dtype`.
///
/// # Errors
/// `Unsupported` for a codec that is not known, `InvalidInput` for a configuration out of range.
pub fn build(spec: &CodecSpec, dtype: &DType) -> Result<Step> {
    let codec: Arc<dyn Codec> = match spec {
        CodecSpec::Transpose { order } => {
            transpose::check_order(order)?;
            return Ok(Step::Transpose(order.clone()));
        }
        CodecSpec::ByteOrder(endian) => return Ok(Step::ByteOrder(*endian)),
        CodecSpec::VlenUtf8 => return heap_step(Vlen::Utf8, dtype),
        CodecSpec::VlenBytes => return heap_step(Vlen::Bytes, dtype),
        CodecSpec::Gzip { level } => Arc::new(gzip::Gzip::new(*level)?),
        CodecSpec::Zlib { level } => Arc::new(zlib::Zlib::new(*level)?),
        CodecSpec::Zstd { level, checksum } => Arc::new(zstd::Zstd::new(*level, *checksum)?),
        CodecSpec::Blosc(config) => Arc::new(blosc::BloscCodec::new(config)?),
        CodecSpec::Lz4 { acceleration } => Arc::new(lz4::Lz4 { acceleration: *acceleration }),
        CodecSpec::Lz4Hdf5 { block_len_bytes } => {
            Arc::new(lz4_hdf5::Lz4Hdf5::new(*block_len_bytes)?)
        }
        CodecSpec::Lzf => Arc::new(lzf::Lzf),
        CodecSpec::Shuffle { item_size } => Arc::new(shuffle::Shuffle::new(*item_size)?),
        CodecSpec::Crc32c => Arc::new(crc32c::CRC32C),
        CodecSpec::Fletcher32 => Arc::new(fletcher32::FLETCHER32),
        CodecSpec::Custom(codec) => Arc::clone(&codec.0),
        CodecSpec::Unknown { name, .. } => {
            return Err(Error::unsupported(format!("codec `{name}` is not supported")));
        }
    };
    Ok(Step::Codec(codec))
}

fn heap_step(codec: Vlen, dtype: &DType) -> Result<Step> {
    codec.check(dtype)?;
    Ok(Step::Heap(Arc::new(codec)))
}

/// What compressors accept: more than any sensible writer makes of data that does not compress
/// (stored blocks, many frames, padding), and little enough to refuse what is no encoding.
fn generous_bound(raw_len: usize) -> usize {
    raw_len.saturating_mul(2).saturating_add(64 << 10)
}

fn check_level(codec: &str, level: u32, max: u32) -> Result<()> {
    if level > max {
        return Err(Error::invalid(format!(
            "{codec}: expected a level of 0 to {max}, found {level}"
        )));
    }
    Ok(())
}

/// Copies `len` bytes within `out` to `at` from `distance` before it, repeating what it has just
/// copied where they overlap; `None` if that reaches out of what is written or of `out`. What is
/// behind them in `out` may change.
fn copy_match(out: &mut [u8], at: usize, distance: usize, len: usize) -> Option<()> {
    const STEP: usize = 16;
    const SHORT: usize = 128;
    let start = at.checked_sub(distance).filter(|_| distance > 0)?;
    let end = at.checked_add(len)?;
    // Most copies are short: whole steps, past the end too, are faster than the exact length.
    if len <= SHORT
        && let Some(window) = out.get_mut(start..end.checked_add(2 * STEP)?)
    {
        let mut step = |from: usize, to: usize| {
            let bytes: [u8; STEP] = *window.get(from..)?.first_chunk()?;
            *window.get_mut(to..)?.first_chunk_mut()? = bytes;
            Some(())
        };
        let mut period = distance;
        while period < STEP {
            step(0, period)?;
            period *= 2;
        }
        for from in (0..(distance + len).saturating_sub(period)).step_by(STEP) {
            step(from, from + period)?;
        }
        return Some(());
    }
    let window = out.get_mut(start..end)?;
    if distance >= len {
        window.copy_within(..len, distance);
        return Some(());
    }
    let mut done = distance;
    while done < window.len() {
        let step = done.min(window.len() - done);
        window.copy_within(..step, done);
        done += step;
    }
    Some(())
}

/// Copies the first `len` bytes of `from`, at most 32, to `at`; `None` if there is no room or
/// there are not as many. What is behind them in `out` may change.
fn copy_literals(from: &[u8], out: &mut [u8], at: usize, len: usize) -> Option<()> {
    let to = out.get_mut(at..)?;
    if let (Some(from), Some(to)) = (from.first_chunk::<32>(), to.first_chunk_mut::<32>()) {
        *to = *from;
    } else {
        to.get_mut(..len)?.copy_from_slice(from.get(..len)?);
    }
    Some(())
}

#[cold]
fn wrong_len(codec: &str, expected: usize, found: usize) -> Error {
    Error::corrupt(format!("{codec}: expected at most {expected} decoded bytes, found {found}"))
}

#[cold]
fn longer_than(codec: &str, expected: usize) -> Error {
    Error::corrupt(format!("{codec}: expected at most {expected} decoded bytes, found more"))
}

#[cold]
fn too_short(codec: &str, expected: usize, found: usize) -> Error {
    Error::corrupt(format!("{codec}: expected at least {expected} bytes, found {found}"))
}
