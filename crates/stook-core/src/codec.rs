//! Codecs: what turns the items of a chunk into stored bytes and back, a file each.
//!
//! [`CodecSpec`] names a codec and its configuration independent of any format; formats map
//! their ids and filter numbers to it. [`build`] makes the [`Step`] that runs.
//!
//! Invariants: a codec keeps no state but its configuration, so one instance serves all
//! threads; contexts and buffers live in the caller's [`Scratch`]. Encoded bytes are untrusted:
//! decoding them gives an error or data of at most the length asked for, never a panic.

// One module a codec; see docs/formats/codecs.md for the bytes of each.
mod bitshuffle;
mod blosc;
mod blosc2;
mod byte_order;
mod bzip2;
mod checksum;
mod crc32c;
pub(crate) mod deflate;
mod fletcher32;
mod gzip;
mod jenkins;
mod lz4;
mod lz4_hdf5;
mod lzf;
mod lzma;
mod member_order;
mod numeric;
mod packed;
mod scratch;
mod shuffle;
mod spare;
mod spec;
mod streams;
mod szip;
mod transpose;
mod vlen;
mod zlib;
mod zstd;

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

pub use byte_order::swap_items;
pub use jenkins::lookup3;
pub use member_order::{MemberOrder, swap_parts};
pub use numeric::zfp_hdf5_values;
pub use packed::{pack, unpack};
pub use scratch::Scratch;
pub use spec::*;
pub use transpose::transpose;

use self::checksum::Checksum;
use self::vlen::Vlen;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::limits::Limits;

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

    /// Fills `out` with the encoding of `raw`, whose length it has: for codecs of which
    /// `has_fixed_len`.
    ///
    /// # Errors
    /// `InvalidInput` where `raw` cannot be encoded, or not to so many bytes.
    fn encode_to(&self, raw: &[u8], out: &mut [u8], scratch: &mut Scratch) -> Result<()> {
        encode_through_buffer(self, raw, out, scratch)
    }

    /// The room that [`encode_within`](Self::encode_within) asks for, for codecs that have it.
    fn encode_room(&self, raw_len: usize) -> Option<usize> {
        let _ = raw_len;
        None
    }

    /// Writes the encoding of `raw` to the front of `out`, which has the room that was asked for,
    /// and returns how many bytes that were.
    ///
    /// # Errors
    /// `InvalidInput` where `raw` cannot be encoded, or not to so many bytes.
    fn encode_within(&self, raw: &[u8], out: &mut [u8], scratch: &mut Scratch) -> Result<usize> {
        self.encode_to(raw, out, scratch).map(|()| out.len())
    }

    /// Decodes `encoded` to the front of `out` and returns how many bytes that were.
    ///
    /// # Errors
    /// `Corrupt` where `encoded` is no encoding, or one of more bytes than `out` has.
    fn decode_into(&self, encoded: &[u8], out: &mut [u8], scratch: &mut Scratch) -> Result<usize>;

    /// Which part of `encoded` it decodes to, for codecs that only check it and cut something off.
    ///
    /// # Errors
    /// `Corrupt` where `encoded` is no encoding.
    fn decoded_part(&self, encoded: &[u8]) -> Result<Option<Range<usize>>> {
        let _ = encoded;
        Ok(None)
    }
}

/// Fills `out` with the encoding of `raw` by way of a buffer of `scratch`.
fn encode_through_buffer<C: Codec + ?Sized>(
    codec: &C,
    raw: &[u8],
    out: &mut [u8],
    scratch: &mut Scratch,
) -> Result<()> {
    let mut encoded = scratch.take_buffer();
    let done = codec.encode_into(raw, &mut encoded, scratch).and_then(|()| {
        if encoded.len() != out.len() {
            return Err(wrong_room(codec.name(), encoded.len(), out.len()));
        }
        out.copy_from_slice(&encoded);
        Ok(())
    });
    scratch.give_buffer(encoded);
    done
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

    /// How many items `encoded` says it holds, where it says so; not to be trusted.
    fn n_items(&self, encoded: &[u8]) -> Option<usize> {
        let _ = encoded;
        None
    }

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

/// What a step of a chain is given: the items at that place, and how they lie.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// The type of the items; `UInt8` where they are mere bytes.
    pub dtype: DType,
    /// The order of their bytes.
    pub endian: Endian,
    /// The shape of a chunk, in the order in which its items lie; `None` for mere bytes, and
    /// where chunks differ.
    pub shape: Option<Vec<u64>>,
}

impl Stage {
    /// Items in memory, in chunks of `shape` where they all have the same.
    #[must_use]
    pub fn new(dtype: DType, shape: Option<Vec<u64>>) -> Self {
        Self { dtype, endian: Endian::NATIVE, shape }
    }

    /// Bytes that mean nothing here.
    #[must_use]
    pub fn bytes() -> Self {
        Self::new(DType::UInt8, None)
    }

    /// The same arrangement of other numbers.
    #[must_use]
    pub fn retyped(&self, number: &StoredNumber) -> Self {
        Self { dtype: number.dtype.clone(), endian: number.endian, shape: self.shape.clone() }
    }
}

/// Makes the step that `spec` describes for what `stage` says it is given, and says what it
/// gives to the next.
///
/// # Errors
/// `Unsupported` for a codec that is not known, `InvalidInput` for a configuration out of range.
pub fn build(spec: &CodecSpec, stage: &Stage) -> Result<(Step, Stage)> {
    if let Some(built) = numeric::build(spec, stage)? {
        return Ok(built);
    }
    let after = match spec {
        CodecSpec::Transpose { order } => {
            let shape = stage
                .shape
                .as_ref()
                .map(|shape| order.iter().filter_map(|&axis| shape.get(axis).copied()).collect());
            Stage { shape, ..stage.clone() }
        }
        CodecSpec::ByteOrder(endian) => Stage { endian: *endian, ..stage.clone() },
        _ => Stage::bytes(),
    };
    Ok((step(spec, &stage.dtype)?, after))
}

fn step(spec: &CodecSpec, dtype: &DType) -> Result<Step> {
    let codec: Arc<dyn Codec> = match spec {
        CodecSpec::Transpose { order } => {
            transpose::check_order(order)?;
            return Ok(Step::Transpose(order.clone()));
        }
        CodecSpec::ByteOrder(endian) => return Ok(Step::ByteOrder(*endian)),
        CodecSpec::VlenUtf8 => return heap_step(Vlen::Utf8, dtype),
        CodecSpec::VlenBytes if packed::Packed::is_for(dtype) => {
            return Ok(Step::Heap(Arc::new(packed::Packed(dtype.clone()))));
        }
        CodecSpec::VlenBytes => return heap_step(Vlen::Bytes, dtype),
        CodecSpec::Gzip { level } => Arc::new(gzip::Gzip::new(*level)?),
        CodecSpec::Zlib { level } => Arc::new(zlib::Zlib::new(*level)?),
        CodecSpec::Zstd { level, checksum } => Arc::new(zstd::Zstd::new(*level, *checksum)?),
        CodecSpec::Blosc(config) => Arc::new(blosc::BloscCodec::new(config)?),
        CodecSpec::Blosc2(config) => Arc::new(blosc2::Blosc2Codec::new(config)?),
        CodecSpec::Lz4 { acceleration } => Arc::new(lz4::Lz4 { acceleration: *acceleration }),
        CodecSpec::Lz4Hdf5 { block_len_bytes } => {
            Arc::new(lz4_hdf5::Lz4Hdf5::new(*block_len_bytes)?)
        }
        CodecSpec::Lzf => Arc::new(lzf::Lzf),
        CodecSpec::Bitshuffle(config) => Arc::new(bitshuffle::BitshuffleCodec::new(config)?),
        CodecSpec::Bzip2 { level } => Arc::new(bzip2::Bzip2::new(*level)?),
        CodecSpec::Lzma(config) => Arc::new(lzma::LzmaCodec::new(config)?),
        CodecSpec::Szip(config) => Arc::new(szip::SzipCodec::new(config)?),
        CodecSpec::Shuffle { item_size } => Arc::new(shuffle::Shuffle::new(*item_size)?),
        CodecSpec::Crc32c => Arc::new(Checksum::appended(crc32c::Crc32c)),
        CodecSpec::Checksum { algorithm, place } => checksum_codec(*algorithm, *place),
        CodecSpec::Jenkins { initial, prefix } => {
            let prefix = prefix.clone().unwrap_or_default();
            Arc::new(Checksum::appended(jenkins::Jenkins { initial: *initial, prefix }))
        }
        CodecSpec::Fletcher32 => Arc::new(Checksum::appended(fletcher32::Fletcher32)),
        CodecSpec::Custom(codec) => Arc::clone(&codec.0),
        CodecSpec::Unknown { name, .. } => {
            return Err(Error::unsupported(format!("codec `{name}` is not supported")));
        }
        other => {
            let name = other.name();
            return Err(Error::unsupported(format!("codec `{name}` is not supported")));
        }
    };
    Ok(Step::Codec(codec))
}

fn checksum_codec(algorithm: ChecksumAlgorithm, place: ChecksumPlace) -> Arc<dyn Codec> {
    match algorithm {
        ChecksumAlgorithm::Crc32 => Arc::new(Checksum { sum: checksum::Crc32, place }),
        ChecksumAlgorithm::Adler32 => Arc::new(Checksum { sum: checksum::Adler32, place }),
        ChecksumAlgorithm::Crc32c => Arc::new(Checksum { sum: crc32c::Crc32c, place }),
    }
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

/// The source of errors that say that nothing but room for what is decoded was missing: that so
/// much was decoded, not that a header says so.
#[derive(Debug)]
struct NoRoom;

impl std::fmt::Display for NoRoom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the output is full")
    }
}

impl std::error::Error for NoRoom {}

/// Whether `error` says that nothing but room for what is decoded was missing.
pub(crate) fn is_for_room(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<NoRoom>())
}

#[cold]
fn wrong_len(codec: &str, expected: usize, found: usize) -> Error {
    Error::corrupt(format!("{codec}: expected at most {expected} decoded bytes, found {found}"))
}

/// There is another room than that for the encoding of fixed length.
#[cold]
fn wrong_room(codec: &str, expected: usize, found: usize) -> Error {
    Error::invalid(format!("{codec}: expected room for {expected} encoded bytes, found {found}"))
}

#[cold]
fn longer_than(codec: &str, expected: usize) -> Error {
    Error::corrupt(format!("{codec}: expected at most {expected} decoded bytes, found more"))
        .with_source(NoRoom)
}

#[cold]
fn too_short(codec: &str, expected: usize, found: usize) -> Error {
    Error::corrupt(format!("{codec}: expected at least {expected} bytes, found {found}"))
}
