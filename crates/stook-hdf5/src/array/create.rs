//! Creating arrays, and the nearest array that HDF5 can hold.

use std::sync::Arc;

use stook_core::codec::{CodecSpec, Endian, MemberOrder};
use stook_core::container::{Adapted, Loss};
use stook_core::values::byte_len;
use stook_core::{ArraySpec, ChunkGrid, Error, Extent, NodePath, Result, Values};

use super::Hdf5Array;
use crate::ffi::{self, ChunkCache, Dataset, DatasetCreation, MemoryType, Space};
use crate::filter::{ChunkOf, filter_of};
use crate::pending::Pending;
use crate::scales;
use crate::shared::{Shared, c_path};

/// The most bytes of a chunk: its length is a 32-bit number in the file.
const MAX_CHUNK_LEN_BYTES: u64 = u32::MAX as u64;
/// The most axes.
const MAX_RANK: usize = 32;

/// How an array will be laid out, found out before the file is touched.
#[derive(Debug)]
struct Plan {
    extent: ffi::Extent,
    /// The chunk shape; `None` for storage in one piece.
    chunk: Option<Vec<u64>>,
    filters: Vec<ffi::Filter>,
    is_big: bool,
}

impl Plan {
    fn new(spec: &ArraySpec) -> Result<Self> {
        if spec.shards.is_some() {
            return Err(Error::unsupported("HDF5 has no shards"));
        }
        let Some(chunk) = spec.grid.regular_shape() else {
            return Err(Error::unsupported("HDF5 has no chunks of different shapes in one array"));
        };
        let Extent::Shape(shape) = &spec.extent else {
            let (chunk, filters) = (None, Vec::new());
            return Ok(Self { extent: ffi::Extent::Null, chunk, filters, is_big: is_big(spec) });
        };
        if shape.len() > MAX_RANK || chunk.len() != shape.len() {
            let (rank, found) = (shape.len(), chunk.len());
            return Err(Error::unsupported(format!(
                "HDF5 has arrays of at most {MAX_RANK} axes with chunks of as many; found {rank} \
                 axes, chunks of {found}"
            )));
        }
        let item_size = spec.dtype.item_size();
        let chunk_len = byte_len(chunk, item_size).map_or(u64::MAX, |len| len as u64);
        let mut filters = Vec::new();
        let is_big = is_big(spec);
        let of = ChunkOf { dtype: &spec.dtype, shape: chunk, is_big, len_bytes: chunk_len };
        for codec in &spec.codecs {
            filters.extend(filter_of(codec, &of)?);
        }
        if is_contiguous(spec, shape, !filters.is_empty()) {
            let extent = fixed(shape);
            return Ok(Self { extent, chunk: None, filters, is_big });
        }
        if shape.is_empty() {
            return Err(Error::unsupported("HDF5 applies no codecs to scalars"));
        }
        if chunk_len > MAX_CHUNK_LEN_BYTES {
            return Err(Error::unsupported(format!(
                "a chunk of {chunk_len} bytes exceeds the {MAX_CHUNK_LEN_BYTES} bytes of HDF5"
            )));
        }
        let max_shape = max_shape_of(spec, shape, chunk);
        let extent = ffi::Extent::Simple { shape: shape.clone(), max_shape };
        Ok(Self { extent, chunk: Some(chunk.to_vec()), filters, is_big })
    }
}

fn fixed(shape: &[u64]) -> ffi::Extent {
    if shape.is_empty() {
        return ffi::Extent::Scalar;
    }
    let max_shape = shape.iter().map(|&len| Some(len)).collect();
    ffi::Extent::Simple { shape: shape.to_vec(), max_shape }
}

fn is_big(spec: &ArraySpec) -> bool {
    spec.codecs.contains(&CodecSpec::ByteOrder(Endian::Big))
}

/// Whether the elements go in one piece: no filters, no chunks, no room to grow. One chunk that
/// holds all is as good as one piece, where nobody set bounds.
fn is_contiguous(spec: &ArraySpec, shape: &[u64], has_filters: bool) -> bool {
    let max = spec.max_shape.as_deref();
    let is_fixed = max.is_none_or(|max| max.iter().zip(shape).all(|(max, len)| *max == Some(*len)));
    let is_whole = (max.is_none() || shape.is_empty()) && spec.grid == ChunkGrid::whole(shape);
    !has_filters && is_fixed && (spec.contiguous || is_whole)
}

/// How far each axis may grow: as the spec says, and without bound where it does not say.
///
/// A chunk must not be longer than an axis that cannot grow to its length: such an axis gets
/// room for one whole chunk.
fn max_shape_of(spec: &ArraySpec, shape: &[u64], chunk: &[u64]) -> Vec<Option<u64>> {
    match &spec.max_shape {
        None => vec![None; shape.len()],
        Some(max) => {
            let axes = max.iter().zip(chunk);
            axes.map(|(max, &chunk)| max.map(|max| max.max(chunk))).collect()
        }
    }
}

/// Creates the array `node`; where that fails nothing is left behind.
pub(crate) fn create(shared: &Arc<Shared>, node: &NodePath, spec: &ArraySpec) -> Result<Hdf5Array> {
    let at = |error| shared.at(error, node);
    let plan = Plan::new(spec).map_err(at)?;
    let datatype = ffi::datatype_of(&spec.dtype, plan.is_big).map_err(shared.io(node))?;
    let path = c_path(node)?;
    let make = || {
        let _lock = ffi::lock();
        let space = Space::new(&plan.extent)?;
        let creation = DatasetCreation::new(shared.order)?;
        match &plan.chunk {
            Some(chunk) => creation.set_chunked(chunk)?,
            None => creation.set_contiguous()?,
        }
        for filter in &plan.filters {
            creation.push_filter(filter)?;
        }
        if let Some(fill) = spec.fill_value.as_ref().filter(|fill| !is_zero(fill)) {
            let memory = MemoryType::new(&spec.dtype)?;
            let values = (fill.items(), fill.heap());
            creation.set_fill_value(&memory, values, &**shared)?;
        }
        let cache = ChunkCache::None;
        let dataset = Dataset::create(shared.file(), &path, &datatype, &space, &creation, cache)?;
        if let Some(names) = &spec.dimension_names
            && names.iter().any(Option::is_some)
        {
            scales::write_labels(&dataset.location()?, names, shared)?;
            shared.remember([Pending::Scales { node: node.clone() }]);
        }
        Ok(())
    };
    make().map_err(shared.io(node))?;
    Hdf5Array::open(shared, node)
}

/// Whether a fill value is what HDF5 takes anyway: zeros, or nothing on a heap.
pub(super) fn is_zero(fill: &Values) -> bool {
    fill.heap().is_empty() && fill.items().iter().all(|&byte| byte == 0)
}

/// The nearest array to `spec` that every HDF5 reader can read.
pub(crate) fn adapt(spec: &ArraySpec) -> Result<Adapted<ArraySpec>> {
    let mut losses = Vec::new();
    let mut value = spec.clone();
    if ffi::datatype_of(&spec.dtype, false).is_err() {
        return Err(Error::unsupported(format!("HDF5 has no type for {}", spec.dtype)));
    }
    adapt_grid(&mut value, &mut losses);
    adapt_codecs(&mut value, &mut losses);
    Ok(Adapted { value, losses })
}

fn adapt_grid(spec: &mut ArraySpec, losses: &mut Vec<Loss>) {
    if spec.shards.take().is_some() {
        losses.push(Loss::new("shards", "stored as plain chunks"));
    }
    if spec.grid.regular_shape().is_none() {
        // The longest chunk along each axis.
        let shape = spec.shape();
        let counts = spec.grid.counts(shape);
        let lengths = counts.iter().enumerate().map(|(axis, &n)| {
            (0..n).map(|idx| spec.grid.extent(axis, idx).1).max().unwrap_or(1).max(1)
        });
        spec.grid = ChunkGrid::Regular(lengths.collect());
        losses.push(Loss::new("chunks of different shapes", "stored as chunks of one shape"));
    }
    let len =
        |shape: &[u64]| byte_len(shape, spec.dtype.item_size()).map_or(u64::MAX, |n| n as u64);
    let mut chunk = spec.grid.regular_shape().unwrap_or(&[]).to_vec();
    if len(&chunk) > MAX_CHUNK_LEN_BYTES && !is_plain(&spec.codecs) {
        while len(&chunk) > MAX_CHUNK_LEN_BYTES / 4 {
            let Some(longest) = chunk.iter_mut().max().filter(|longest| **longest > 1) else {
                break;
            };
            *longest = longest.div_ceil(2);
        }
        spec.grid = ChunkGrid::Regular(chunk);
        losses.push(Loss::new("chunk shape", "cut to chunks below 4 GiB"));
    }
}

fn is_plain(codecs: &[CodecSpec]) -> bool {
    let is_order = |codec: &CodecSpec| {
        matches!(codec, CodecSpec::ByteOrder(_) | CodecSpec::VlenUtf8 | CodecSpec::VlenBytes)
    };
    codecs.iter().all(is_order)
}

/// Codecs that only plugins of HDF5 can read become zlib behind a shuffle.
fn adapt_codecs(spec: &mut ArraySpec, losses: &mut Vec<Loss>) {
    let item_size = spec.dtype.item_size();
    let is_scalar = spec.shape().is_empty();
    let mut codecs: Vec<CodecSpec> = Vec::new();
    for codec in std::mem::take(&mut spec.codecs) {
        let name = codec.name().to_owned();
        let lost = |becomes: &str| Loss::new(format!("codec {name}"), becomes);
        match codec {
            CodecSpec::ByteOrder(_) => codecs.push(codec),
            CodecSpec::VlenUtf8 | CodecSpec::VlenBytes => {}
            CodecSpec::Custom(_) if name == MemberOrder::NAME => {
                losses.push(lost("stored in one byte order"));
            }
            _ if is_scalar => losses.push(lost("not applied to a scalar")),
            CodecSpec::Zlib { .. } | CodecSpec::Shuffle { .. } | CodecSpec::Fletcher32 => {
                codecs.push(codec);
            }
            CodecSpec::Gzip { level } => {
                codecs.push(CodecSpec::Zlib { level });
                losses.push(lost("stored as zlib of the same level"));
            }
            CodecSpec::Crc32c => {
                codecs.push(CodecSpec::Fletcher32);
                losses.push(lost("stored as fletcher32"));
            }
            CodecSpec::Transpose { .. } => losses.push(lost("stored in C order")),
            _ => {
                if item_size > 1 && !codecs.iter().any(|c| matches!(c, CodecSpec::Shuffle { .. })) {
                    codecs.push(CodecSpec::Shuffle { item_size });
                }
                codecs.push(CodecSpec::Zlib { level: 4 });
                losses.push(lost("stored as zlib level 4, which every HDF5 reader knows"));
            }
        }
    }
    spec.codecs = codecs;
}

#[cfg(test)]
mod tests {
    use stook_core::DType;

    use super::*;

    fn spec() -> ArraySpec {
        let mut spec = ArraySpec::new(DType::Float32, [10, 10]);
        spec.grid = ChunkGrid::regular([5, 5]).unwrap();
        spec
    }

    #[test]
    fn what_hdf5_cannot_hold_is_named() {
        let mut sharded = spec();
        sharded.shards = Some(ChunkGrid::regular([10, 10]).unwrap());
        assert!(Plan::new(&sharded).unwrap_err().message().contains("shards"));
        let mut transposed = spec();
        transposed.codecs = vec![CodecSpec::Transpose { order: vec![1, 0] }];
        assert!(Plan::new(&transposed).unwrap_err().message().contains("transpose"));
    }

    #[test]
    fn adapted_specs_can_be_created() {
        let mut sharded = spec();
        sharded.shards = Some(ChunkGrid::regular([10, 10]).unwrap());
        sharded.codecs = vec![
            CodecSpec::Transpose { order: vec![1, 0] },
            CodecSpec::ByteOrder(Endian::Little),
            CodecSpec::Zstd { level: 0, checksum: true },
            CodecSpec::Crc32c,
        ];
        let adapted = adapt(&sharded).unwrap();
        assert_eq!(adapted.losses.len(), 4);
        let plan = Plan::new(&adapted.value).unwrap();
        assert_eq!(plan.filters.iter().map(|filter| filter.id).collect::<Vec<_>>(), [2, 1, 3]);
    }

    #[test]
    fn an_array_without_chunks_and_codecs_lies_in_one_piece() {
        assert!(Plan::new(&ArraySpec::new(DType::Float32, [3])).unwrap().chunk.is_none());
        assert!(Plan::new(&spec()).unwrap().chunk.is_some());
        let mut growing = ArraySpec::new(DType::Float32, [3]);
        growing.max_shape = Some(vec![None]);
        assert!(Plan::new(&growing).unwrap().chunk.is_some());
    }
}
