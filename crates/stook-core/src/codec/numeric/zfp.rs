//! zfp: numbers compressed block by block, with or without loss.
//!
//! numcodecs' `zfpy` puts zfp's whole header before the stream, HDF5's filter 32013 into its
//! values. Either says the type and shape of what was compressed; they must be those of the items,
//! but for the shape, which a filter before it may have flattened.

use std::sync::Arc;

use zfp_rs::codec::block::decode_block;
use zfp_rs::{
    ZfpBitStream, ZfpBitStreamRef, ZfpConfig, ZfpDimensionality, ZfpField, ZfpFieldMetadata,
    ZfpFieldMut, ZfpHeaderMask, ZfpScalar, ZfpScalarType, ZfpStreamAlignment,
};

use super::elements;
use super::number::is_time;
use crate::codec::{Codec, Endian, Scratch, Stage, Zfp, generous_bound, wrong_len};
use crate::dtype::DType;
use crate::element::Element;
use crate::error::{Error, Result};

const NAME: &str = "zfpy";

/// numcodecs' numbers of the modes.
const FIXED_RATE: u32 = 2;
const FIXED_PRECISION: u32 = 3;
const FIXED_ACCURACY: u32 = 4;
const REVERSIBLE: u32 = 5;

#[derive(Debug)]
struct Zfpy {
    kind: ZfpScalarType,
    config: Option<ZfpConfig>,
    /// Of a chunk, the fastest axis first; `None` where chunks differ.
    dims: Option<[usize; 4]>,
}

/// # Errors
/// `Unsupported` for what zfp does not compress, `InvalidInput` for settings out of range.
pub(super) fn new(config: &Zfp, stage: &Stage) -> Result<Arc<dyn Codec>> {
    let kind = scalar_type(NAME, stage)?;
    let dims = stage.shape.as_deref().map(|shape| dims(NAME, shape)).transpose()?;
    let axes = dims.map_or(ZfpDimensionality::D1, dimensionality);
    Ok(Arc::new(Zfpy { kind, config: settings(config, kind, axes)?, dims }))
}

fn scalar_type(codec: &str, stage: &Stage) -> Result<ZfpScalarType> {
    let kind = match &stage.dtype {
        DType::Int32 => ZfpScalarType::I32,
        DType::Int64 | DType::DateTime(_) | DType::TimeDelta(_) => ZfpScalarType::I64,
        DType::Float32 => ZfpScalarType::F32,
        DType::Float64 => ZfpScalarType::F64,
        other => return Err(Error::unsupported(format!("{codec}: items of type {other}"))),
    };
    if stage.endian != Endian::NATIVE && !is_time(&stage.dtype) {
        let dtype = &stage.dtype;
        return Err(Error::unsupported(format!("{codec}: {dtype} in another byte order")));
    }
    Ok(kind)
}

/// zfp counts axes from the fastest and knows at most four.
fn dims(codec: &str, shape: &[u64]) -> Result<[usize; 4]> {
    let mut dims = [0; 4];
    if shape.is_empty() || shape.len() > dims.len() {
        let n = shape.len();
        return Err(Error::unsupported(format!("{codec}: expected 1 to 4 axes, found {n}")));
    }
    for (to, &len) in dims.iter_mut().zip(shape.iter().rev()) {
        *to = usize::try_from(len).unwrap_or(usize::MAX);
    }
    Ok(dims)
}

/// How numcodecs sets zfp up; `None` for a mode that only the stream describes.
fn settings(
    config: &Zfp,
    kind: ZfpScalarType,
    axes: ZfpDimensionality,
) -> Result<Option<ZfpConfig>> {
    let rate = || {
        ZfpConfig::fixed_rate(config.rate, kind, axes, ZfpStreamAlignment::Unaligned).map_err(
            |error| Error::invalid(format!("{NAME}: a rate of {}", config.rate)).with_source(error),
        )
    };
    // Without its count a mode keeps everything, as in zfpy.
    Ok(match config.mode {
        FIXED_RATE if config.rate >= 0.0 => Some(rate()?),
        FIXED_PRECISION if config.precision >= 0 => {
            Some(ZfpConfig::fixed_precision(config.precision.unsigned_abs()))
        }
        FIXED_ACCURACY if config.tolerance >= 0.0 => {
            Some(ZfpConfig::fixed_accuracy(config.tolerance))
        }
        FIXED_RATE | FIXED_PRECISION | FIXED_ACCURACY | REVERSIBLE => Some(ZfpConfig::reversible()),
        _ => None,
    })
}

/// `$body` with the Rust type `$T` of zfp's.
macro_rules! with_scalar {
    ($kind:expr, $T:ident => $body:expr) => {
        match $kind {
            ZfpScalarType::I32 => {
                type $T = i32;
                $body
            }
            ZfpScalarType::I64 => {
                type $T = i64;
                $body
            }
            ZfpScalarType::F32 => {
                type $T = f32;
                $body
            }
            ZfpScalarType::F64 => {
                type $T = f64;
                $body
            }
        }
    };
}

/// The axes of `dims` that there are.
fn dimensionality(dims: [usize; 4]) -> ZfpDimensionality {
    match dims {
        [_, 0, ..] => ZfpDimensionality::D1,
        [_, _, 0, _] => ZfpDimensionality::D2,
        [_, _, _, 0] => ZfpDimensionality::D3,
        _ => ZfpDimensionality::D4,
    }
}

fn n_items(dims: [usize; 4]) -> usize {
    dims.iter().take_while(|&&len| len > 0).fold(1, |n: usize, &len| n.saturating_mul(len))
}

/// The stream of `raw`, behind the parts of its header that are asked for.
fn compress<T: Element + ZfpScalar>(
    raw: &[u8],
    dims: [usize; 4],
    config: &ZfpConfig,
    header: ZfpHeaderMask,
    scratch: &mut Scratch,
) -> Result<ZfpBitStream> {
    const HEADER_LEN: usize = 32;
    let (expected, found) = (n_items(dims).saturating_mul(size_of::<T>()), raw.len());
    if found != expected {
        return Err(Error::invalid(format!("zfp: expected {expected} bytes, found {found}")));
    }
    elements::read(raw, scratch, |numbers: &[T]| {
        let field = ZfpField::new(numbers, dims).map_err(|error| invalid(&error))?;
        let room = config.maximum_size(field.scalar_type(), field.dims());
        let room = room.and_then(|len| len.checked_add(HEADER_LEN));
        let room = room.ok_or_else(|| Error::limit("zfp: a chunk larger than memory"))?;
        let mut stream =
            ZfpBitStream::new(room).map_err(|error| Error::limit(error.to_string()))?;
        if header != ZfpHeaderMask::empty() {
            let written = stream.write_header(config, &field.metadata(), header);
            written.map_err(|error| invalid(&error))?;
        }
        stream.compress(config, &field).map_err(|error| invalid(&error))?;
        Ok(stream)
    })
}

#[cold]
fn invalid(error: &dyn std::fmt::Display) -> Error {
    Error::invalid(format!("zfp: {error}"))
}

/// The numbers of `stream` to the front of `out`.
fn decompress<T: Element + ZfpScalar>(
    codec: &str,
    stream: &mut ZfpBitStream,
    config: &ZfpConfig,
    dims: [usize; 4],
    (out, scratch): (&mut [u8], &mut Scratch),
) -> Result<usize> {
    let n = n_items(dims);
    let (room, len) = (out.len(), n.saturating_mul(size_of::<T>()));
    let out = out.get_mut(..len).ok_or_else(|| wrong_len(codec, room, len))?;
    elements::write(out, scratch, |numbers: &mut [T]| {
        let corrupt = |error: &dyn std::fmt::Display| Error::corrupt(format!("{codec}: {error}"));
        let mut field = ZfpFieldMut::new(numbers, dims).map_err(|error| corrupt(&error))?;
        stream.decompress(config, &mut field).map_err(|error| corrupt(&error))?;
        Ok(n)
    })
}

/// What is read of a whole header.
fn read_header(codec: &str, stream: &mut ZfpBitStream) -> Result<(ZfpFieldMetadata, ZfpConfig)> {
    let header = stream
        .read_header(ZfpHeaderMask::FULL)
        .map_err(|error| Error::corrupt(format!("{codec}: {error}")))?;
    match (header.metadata, header.config) {
        (Some(metadata), Some(config)) => Ok((metadata, config)),
        _ => Err(Error::corrupt(format!("{codec}: expected a whole header"))),
    }
}

fn stream_of(encoded: &[u8]) -> Result<ZfpBitStream> {
    ZfpBitStream::from_bytes(encoded).map_err(|error| Error::limit(error.to_string()))
}

impl Codec for Zfpy {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        generous_bound(raw_len)
    }

    fn decoded_len(&self, encoded: &[u8]) -> Option<u64> {
        const HEADER_LEN: usize = 24;
        let mut stream = stream_of(encoded.get(..HEADER_LEN.min(encoded.len()))?).ok()?;
        let (metadata, _) = read_header(NAME, &mut stream).ok()?;
        (n_items(metadata.dims) as u64).checked_mul(metadata.scalar_type.size() as u64)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, scratch: &mut Scratch) -> Result<()> {
        let config = self.config.as_ref().ok_or_else(|| {
            Error::unsupported(format!("{NAME}: writing in a mode that has no setting"))
        })?;
        let dims = self.dims.unwrap_or([raw.len() / self.kind.size(), 0, 0, 0]);
        let stream = with_scalar!(
            self.kind,
            T => compress::<T>(raw, dims, config, ZfpHeaderMask::FULL, scratch)
        )?;
        out.extend_from_slice(stream.as_bytes());
        Ok(())
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], scratch: &mut Scratch) -> Result<usize> {
        let mut stream = stream_of(encoded)?;
        let (metadata, config) = read_header(NAME, &mut stream)?;
        if metadata.scalar_type != self.kind {
            let (expected, found) = (self.kind, metadata.scalar_type);
            return Err(Error::corrupt(format!("{NAME}: expected {expected:?}, found {found:?}")));
        }
        let place = (out, scratch);
        with_scalar!(
            self.kind,
            T => decompress::<T>(NAME, &mut stream, &config, metadata.dims, place)
        )
    }
}

/// HDF5's filter 32013: its values are the version of the filter, then zfp's header in
/// little-endian words. It takes numbers in the machine's order, whatever that of the dataset is.
#[derive(Debug)]
struct ZfpHdf5 {
    metadata: ZfpFieldMetadata,
    config: ZfpConfig,
}

const HDF5_NAME: &str = "zfp";
const WORD_LEN: usize = 4;

/// # Errors
/// `Unsupported` for values that are no header of this version of zfp.
pub(super) fn new_hdf5(values: &[u32]) -> Result<Arc<dyn Codec>> {
    let words = values.get(1..).unwrap_or_default().iter().take(WORD_LEN * 2);
    let bytes: Vec<u8> = words.flat_map(|word| word.to_le_bytes()).collect();
    let (metadata, config) = read_header(HDF5_NAME, &mut stream_of(&bytes)?).map_err(|error| {
        Error::unsupported(format!("{HDF5_NAME}: filter values {values:?}")).with_source(error)
    })?;
    Ok(Arc::new(ZfpHdf5 { metadata, config }))
}

/// The values of HDF5's filter 32013 for `config` on the chunks of `stage`.
///
/// # Errors
/// `Unsupported` for what zfp does not compress, `InvalidInput` for settings out of range.
pub fn zfp_hdf5_values(config: &Zfp, stage: &Stage) -> Result<Vec<u32>> {
    /// zfp 1.0.1, its codec 5, and version 1.1.1 of the filter.
    const VERSION: u32 = 0x1010_5111;
    let stage = Stage { endian: Endian::NATIVE, ..stage.clone() };
    let kind = scalar_type(HDF5_NAME, &stage)?;
    let dims = dims(HDF5_NAME, stage.shape.as_deref().unwrap_or_default())?;
    let config = settings(config, kind, dimensionality(dims))?
        .ok_or_else(|| Error::unsupported(format!("{HDF5_NAME}: a mode that has no setting")))?;
    let mut header = ZfpBitStream::new(32).map_err(|error| Error::limit(error.to_string()))?;
    let metadata = ZfpFieldMetadata { scalar_type: kind, dims };
    let n_bits = header.write_header(&config, &metadata, ZfpHeaderMask::FULL);
    let n_bits = n_bits.map_err(|error| invalid(&error))?;
    header.flush();
    let words = header.as_bytes().as_chunks::<WORD_LEN>().0.iter();
    let words = words.take(n_bits.div_ceil(WORD_LEN * 8)).map(|word| u32::from_le_bytes(*word));
    Ok(std::iter::once(VERSION).chain(words).collect())
}

impl ZfpHdf5 {
    /// Bytes of the blocks in `stream`, without what pads its last word.
    fn exact_len<T: ZfpScalar + Default>(&self, stream: &ZfpBitStream) -> usize {
        let dims = self.metadata.dims;
        let axes = dimensionality(dims);
        let n_blocks = n_items(dims.map(|len| len.div_ceil(4)));
        let mut block = [T::default(); 256];
        let block = &mut block[..axes.block_size()];
        let mut rest = ZfpBitStreamRef::from_words(stream.as_words());
        let read = |_| decode_block(&mut rest, &self.config, block, axes).unwrap_or(0);
        (0..n_blocks).map(read).sum::<usize>().div_ceil(8)
    }
}

impl Codec for ZfpHdf5 {
    fn name(&self) -> &'static str {
        HDF5_NAME
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        generous_bound(raw_len)
    }

    fn decoded_len(&self, _: &[u8]) -> Option<u64> {
        let Self { metadata, .. } = self;
        (n_items(metadata.dims) as u64).checked_mul(metadata.scalar_type.size() as u64)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, scratch: &mut Scratch) -> Result<()> {
        let Self { metadata, config } = self;
        with_scalar!(metadata.scalar_type, T => {
            let none = ZfpHeaderMask::empty();
            let stream = compress::<T>(raw, metadata.dims, config, none, scratch)?;
            let len = self.exact_len::<T>(&stream);
            out.extend_from_slice(stream.as_bytes().get(..len).unwrap_or(stream.as_bytes()));
        });
        Ok(())
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], scratch: &mut Scratch) -> Result<usize> {
        let Self { metadata, config } = self;
        let mut stream = stream_of(encoded)?;
        let place = (out, scratch);
        with_scalar!(
            metadata.scalar_type,
            T => decompress::<T>(HDF5_NAME, &mut stream, config, metadata.dims, place)
        )
    }
}
