//! Arrays in metadata documents: from `zarr.json` or `.zarray` to an [`ArraySpec`] and back.

mod print;

pub(crate) use print::print;

use serde_json::Value;
use stook_core::codec::{Endian, Stage, unpack};
use stook_core::{
    ArraySpec, ChunkGrid, CodecSpec, DType, Error, Extent, Format, Limits, NodePath, Result, Values,
};

use crate::codec::{self, Chain, Sharding};
use crate::dtype::{self, full, v2, v3};
use crate::json::{self, Object};
use crate::keys::ChunkKeys;
use crate::shard::{ShardCodec, ShardLevel};
use crate::{fill, grid, numcodecs};

/// The attribute in which xarray keeps the names of axes in version 2.
pub(crate) const ARRAY_DIMENSIONS: &str = "_ARRAY_DIMENSIONS";

/// More axes than this are refused; zarr-python and NumPy stop at 64.
const MAX_RANK: usize = 64;

/// More levels of shards within shards than this are refused.
const MAX_LEVELS: usize = 8;

/// An array as its document describes it.
#[derive(Clone, Debug)]
pub(crate) struct ArrayLayout {
    pub(crate) format: Format,
    pub(crate) spec: ArraySpec,
    pub(crate) keys: ChunkKeys,
    /// Shards from the outermost to the innermost; empty where a key holds one chunk.
    pub(crate) shards: Vec<ShardLevel>,
}

/// The array that a `.zarray` describes; `attributes` are those of its `.zattrs`.
///
/// # Errors
/// `Corrupt`, `Unsupported`, `LimitExceeded`.
pub(crate) fn parse_v2(
    path: &NodePath,
    doc: &Object,
    attributes: &Object,
    limits: &Limits,
) -> Result<ArrayLayout> {
    let shape = lengths(doc, "shape")?;
    let rank = shape.len();
    let stored = v2::parse(required(doc, "dtype")?, codec::object_codec(doc))?;
    check_item(&stored.dtype, limits)?;
    let grid = grid::regular(&lengths(doc, "chunks")?, &shape)?;
    let codecs = codec::parse_v2(doc, &stored, grid.regular_shape().unwrap_or_default())?;
    let fill_value = match doc.get("fill_value") {
        Some(value) => fill::parse(&stored, value)?,
        None => None,
    };
    let names = attributes.get(ARRAY_DIMENSIONS).and_then(Value::as_array);
    let names = names.map(|names| names.iter().map(|name| name.as_str().map(str::to_owned)));
    let dimension_names = names
        .map(Iterator::collect::<Vec<_>>)
        .filter(|names| names.len() == rank && names.iter().all(Option::is_some));
    let mut spec = ArraySpec {
        grid,
        codecs,
        fill_value,
        dimension_names,
        ..ArraySpec::new(stored.dtype, shape)
    };
    take_full_type(&mut spec, doc, Format::ZarrV2, limits)?;
    let keys = ChunkKeys::parse_v2(path, doc.get("dimension_separator"))?;
    Ok(ArrayLayout { format: Format::ZarrV2, spec, keys, shards: Vec::new() })
}

/// The array that a `zarr.json` describes.
///
/// # Errors
/// `Corrupt`, `Unsupported`, `LimitExceeded`.
pub(crate) fn parse_v3(path: &NodePath, doc: &Object, limits: &Limits) -> Result<ArrayLayout> {
    check_members(doc)?;
    let shape = lengths(doc, "shape")?;
    let stored = v3::stored(v3::parse(required(doc, "data_type")?)?);
    check_item(&stored.dtype, limits)?;
    let fill_value = fill::parse(&stored, required(doc, "fill_value")?)?;
    let outer = grid::parse(required(doc, "chunk_grid")?, &shape, limits)?;
    let spec = ArraySpec {
        grid: outer,
        fill_value,
        dimension_names: dimension_names(doc, shape.len())?,
        ..ArraySpec::new(stored.dtype, shape)
    };
    let keys = ChunkKeys::parse_v3(path, required(doc, "chunk_key_encoding")?)?;
    let mut layout = ArrayLayout { format: Format::ZarrV3, spec, keys, shards: Vec::new() };
    let codecs = codec_list(doc.get("codecs"))?;
    add_codecs(&mut layout, codecs, limits)?;
    take_full_type(&mut layout.spec, doc, Format::ZarrV3, limits)?;
    Ok(layout)
}

/// # Errors
/// `Unsupported` for a member of a `zarr.json` that must be understood and is not.
pub(crate) fn check_members(doc: &Object) -> Result<()> {
    const KNOWN: [&str; 12] = [
        "zarr_format",
        "node_type",
        "data_type",
        "shape",
        "chunk_grid",
        "chunk_key_encoding",
        "fill_value",
        "codecs",
        "attributes",
        "storage_transformers",
        "dimension_names",
        "consolidated_metadata",
    ];
    for (name, value) in doc.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str())) {
        if value.get("must_understand") != Some(&Value::Bool(false)) {
            return Err(Error::unsupported(format!("extension `{name}` is not supported")));
        }
    }
    match doc.get("storage_transformers") {
        Some(Value::Array(transformers)) if !transformers.is_empty() => {
            Err(Error::unsupported("storage transformers are not supported"))
        }
        _ => Ok(()),
    }
}

/// Lets items be of the type that the document gives beside the nearest that Zarr has.
fn take_full_type(
    spec: &mut ArraySpec,
    doc: &Object,
    format: Format,
    limits: &Limits,
) -> Result<()> {
    if full::is_null(doc, format) && spec.shape() == [0] {
        spec.extent = Extent::Null;
        spec.grid = ChunkGrid::whole(&[]);
        spec.dimension_names = None;
    }
    let is_other = |codec: &CodecSpec| match codec {
        CodecSpec::ByteOrder(endian) => *endian == Endian::Big,
        // But for numcodecs' own, which work on bytes.
        CodecSpec::Custom(_) => numcodecs::settings(codec, &Stage::bytes()).is_none(),
        _ => false,
    };
    if spec.codecs.iter().any(is_other) {
        return Ok(()); // not written by stook, and the parts to swap may be others
    }
    let Some(dtype) = full::dtype_of(doc, format, &spec.dtype) else { return Ok(()) };
    check_item(&dtype, limits)?;
    if let Some(fill) = spec.fill_value.take() {
        let is_packed = full::is_packed(&dtype);
        spec.fill_value = Some(match is_packed {
            true => unpacked(&dtype, fill.payload(0)?, limits)?,
            false => {
                let (_, shape, items, heap) = fill.into_parts();
                Values::new(dtype.clone(), shape, items, heap)?
            }
        });
    }
    spec.dtype = dtype;
    Ok(())
}

/// The fill value whose packed form is `bytes`; no bytes are zero.
fn unpacked(dtype: &DType, mut bytes: &[u8], limits: &Limits) -> Result<Values> {
    let mut fill = Values::zeroed(dtype.clone(), Vec::new())?;
    if !bytes.is_empty() {
        let (dtype, shape, mut items, mut heap) = fill.into_parts();
        unpack(&dtype, &mut bytes, &mut items, &mut heap, limits)?;
        fill = Values::new(dtype, shape, items, heap)?;
    }
    Ok(fill)
}

/// Follows shards inwards while they are all there is on their level, then takes the codecs.
fn add_codecs(layout: &mut ArrayLayout, mut codecs: &[Value], limits: &Limits) -> Result<()> {
    while let [only] = codecs
        && let Some(sharding) = codec::parse_sharding(only)?
    {
        let outer = layout.spec.grid.regular_shape();
        let outer = outer.ok_or_else(|| {
            Error::unsupported("shards of a rectilinear chunk grid are not supported")
        })?;
        if layout.shards.len() == MAX_LEVELS {
            return Err(Error::limit(format!("more than {MAX_LEVELS} levels of shards")));
        }
        layout.shards.push(ShardLevel::new(outer, &sharding, limits)?);
        let inner = grid::regular(&sharding.chunk_shape, outer)?;
        let outer = std::mem::replace(&mut layout.spec.grid, inner);
        layout.spec.shards.get_or_insert(outer);
        codecs = sharding.codecs;
    }
    ShardLevel::check_total(&layout.shards, limits)?;
    let shape = layout.spec.grid.regular_shape().map(<[u64]>::to_vec);
    layout.spec.codecs = parse_chain(layout, codecs, shape.as_deref(), limits)?;
    Ok(())
}

/// The codecs of a chain; shards in the midst of one become a codec of whole shards.
fn parse_chain(
    layout: &ArrayLayout,
    codecs: &[Value],
    shape: Option<&[u64]>,
    limits: &Limits,
) -> Result<Vec<CodecSpec>> {
    let spec = &layout.spec;
    let mut chain = Chain::new(&spec.dtype, shape, spec.grid.rank());
    for codec in codecs {
        match codec::parse_sharding(codec)? {
            Some(sharding) => {
                let shards = shard_codec(spec, chain.stage(), &sharding, limits)?;
                chain.add_shards(shards)?;
            }
            None => chain.push(codec)?,
        }
    }
    chain.finish()
}

fn shard_codec(
    spec: &ArraySpec,
    stage: &Stage,
    sharding: &Sharding<'_>,
    limits: &Limits,
) -> Result<CodecSpec> {
    let shape = stage.shape.as_deref();
    let shape = shape.ok_or_else(|| Error::unsupported("shards of a rectilinear chunk grid"))?;
    if spec.dtype != stage.dtype {
        return Err(Error::unsupported(format!(
            "shards of {} behind a codec that makes them of {} are not supported",
            stage.dtype, spec.dtype
        )));
    }
    if spec.dtype.has_heap() {
        return Err(Error::unsupported(
            "shards between other codecs are not supported for items of variable length",
        ));
    }
    let level = ShardLevel::new(shape, sharding, limits)?;
    let inner = ArraySpec {
        grid: grid::regular(&sharding.chunk_shape, shape)?,
        fill_value: spec.fill_value.clone(),
        ..ArraySpec::new(spec.dtype.clone(), shape)
    };
    let mut layout = ArrayLayout {
        format: Format::ZarrV3,
        spec: inner,
        keys: ChunkKeys::none(),
        shards: vec![level],
    };
    add_codecs_within(&mut layout, sharding.codecs, limits)?;
    // What is not known within shards is not known of the whole.
    let is_unknown = |codec: &&CodecSpec| matches!(codec, CodecSpec::Unknown { .. });
    if let Some(unknown) = layout.spec.codecs.iter().find(is_unknown) {
        return Ok(unknown.clone());
    }
    Ok(ShardCodec::new(layout.spec, layout.shards, limits).into_spec())
}

/// As [`add_codecs`] for what lies in a shard that is already on the list.
fn add_codecs_within(layout: &mut ArrayLayout, codecs: &[Value], limits: &Limits) -> Result<()> {
    layout.spec.shards = None;
    add_codecs(layout, codecs, limits)?;
    layout.spec.shards = None;
    Ok(())
}

/// An item is held in memory for the fill value; chunks are checked when they are read.
fn check_item(dtype: &DType, limits: &Limits) -> Result<()> {
    limits.chunk(dtype.item_size() as u64).map(|_| ())
}

fn dimension_names(doc: &Object, rank: usize) -> Result<Option<Vec<Option<String>>>> {
    let names = match doc.get("dimension_names") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(names)) => names,
        Some(other) => {
            let found = json::kind(other);
            return Err(Error::corrupt(format!(
                "`dimension_names`: expected a list, found {found}"
            )));
        }
    };
    let names: Vec<_> = names.iter().map(|name| name.as_str().map(str::to_owned)).collect();
    match names.len() {
        len if len == rank => Ok(Some(names)),
        len => {
            Err(Error::corrupt(format!("`dimension_names`: expected {rank} names, found {len}")))
        }
    }
}

fn codec_list(value: Option<&Value>) -> Result<&[Value]> {
    match value {
        Some(Value::Array(codecs)) => Ok(codecs),
        other => Err(Error::corrupt(format!(
            "`codecs`: expected a list, found {}",
            other.map_or("nothing", json::kind)
        ))),
    }
}

fn required<'a>(doc: &'a Object, key: &str) -> Result<&'a Value> {
    doc.get(key).ok_or_else(|| Error::corrupt(format!("the metadata lacks `{key}`")))
}

fn lengths(doc: &Object, key: &str) -> Result<Vec<u64>> {
    let value = required(doc, key)?;
    let lengths = value.as_array().and_then(|list| list.iter().map(Value::as_u64).collect());
    let lengths: Vec<u64> = lengths.ok_or_else(|| {
        Error::corrupt(format!("`{key}`: expected a list of lengths, found {value}"))
    })?;
    if lengths.len() > MAX_RANK {
        return Err(Error::limit(format!("`{key}`: more than {MAX_RANK} axes")));
    }
    Ok(lengths)
}

/// Replaces the shape in the document of an array, and nothing else but a list of chunk lengths
/// that must get longer; returns the grid after.
///
/// # Errors
/// `LimitExceeded`, `Corrupt`.
pub(crate) fn set_shape(
    doc: &mut Object,
    spec: &ArraySpec,
    shape: &[u64],
    limits: &Limits,
) -> Result<ChunkGrid> {
    let mut grid = spec.grid.clone();
    if let (ChunkGrid::Rectilinear(_), Some(value)) = (&grid, doc.get_mut("chunk_grid")) {
        grid::grow(value, shape, limits)?;
        grid = grid::parse(value, shape, limits)?;
    }
    doc.insert("shape".to_owned(), shape.iter().copied().collect());
    Ok(grid)
}

/// The shape in the document of an array.
///
/// # Errors
/// `Corrupt`, `LimitExceeded`.
pub(crate) fn shape(doc: &Object) -> Result<Vec<u64>> {
    lengths(doc, "shape")
}

/// Whether big and little members are mixed in `spec`, which its codecs then say.
pub(crate) fn stored_type(spec: &ArraySpec, endian: Endian) -> dtype::StoredType {
    dtype::StoredType::simple(spec.dtype.clone(), endian)
}
