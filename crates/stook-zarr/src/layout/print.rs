//! New arrays as metadata documents, keys in the order in which zarr-python writes them.

use serde_json::{Map, Value, json};
use stook_core::codec::Endian;
use stook_core::dtype::TimeBase;
use stook_core::{ArraySpec, ChunkGrid, CodecSpec, DType, Error, Extent, Format, Result, Values};

use super::{ARRAY_DIMENSIONS, stored_type};
use crate::codec;
use crate::dtype::{full, v2, v3};
use crate::json::Object;
use crate::keys::ChunkKeys;
use crate::{adapt, fill, grid};

/// The documents of a new array.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Printed {
    /// `zarr.json` or `.zarray`.
    pub(crate) array: Object,
    /// `.zattrs`, if it is needed.
    pub(crate) attributes: Option<Object>,
}

/// The documents of a new array of `spec` in version `format`.
///
/// # Errors
/// `Unsupported` for what that version cannot say.
pub(crate) fn print(spec: &ArraySpec, format: Format) -> Result<Printed> {
    let stored = if spec.is_null() { &empty(spec) } else { spec };
    check_ranks(stored)?;
    let mut printed = match is_known(stored, format) {
        true => print_stored(stored, format)?,
        false => print_stored(&adapt::stored(stored, format)?, format)?,
    };
    if spec.is_null() || !is_known(stored, format) {
        let extension = full::extension(&spec.dtype, spec.is_null())?;
        printed.array.insert(full::member(format).to_owned(), extension);
    }
    Ok(printed)
}

/// What has no extent is stored as an array without items.
fn empty(spec: &ArraySpec) -> ArraySpec {
    ArraySpec {
        extent: Extent::Shape(vec![0]),
        grid: ChunkGrid::Regular(vec![1]),
        shards: None,
        dimension_names: None,
        ..spec.clone()
    }
}

fn check_ranks(spec: &ArraySpec) -> Result<()> {
    let rank = spec.shape().len();
    if spec.grid.rank() != rank || spec.shards.as_ref().is_some_and(|grid| grid.rank() != rank) {
        return Err(Error::invalid(format!("expected a chunk grid of {rank} axes")));
    }
    if let Some(names) = spec.dimension_names.as_ref().filter(|names| names.len() != rank) {
        let found = names.len();
        return Err(Error::invalid(format!(
            "`dimension_names`: expected {rank} names, found {found}"
        )));
    }
    Ok(())
}

/// Whether version `format` has the type of `spec`.
fn is_known(spec: &ArraySpec, format: Format) -> bool {
    match format {
        Format::ZarrV2 if full::is_packed(&spec.dtype) => {
            spec.codecs.iter().any(|codec| matches!(codec, CodecSpec::VlenArray { .. }))
        }
        Format::ZarrV2 => v2::print(&spec.dtype, Endian::Little).is_ok(),
        _ => v3::print(&spec.dtype).is_ok(),
    }
}

/// An array whose type version `format` has.
fn print_stored(spec: &ArraySpec, format: Format) -> Result<Printed> {
    match format {
        Format::ZarrV2 => print_v2(spec),
        _ => print_v3(spec),
    }
}

fn print_v2(spec: &ArraySpec) -> Result<Printed> {
    let shape = spec.shape();
    let chunks = spec.grid.regular_shape();
    let chunks = chunks.ok_or_else(|| Error::unsupported("Zarr v2 has regular chunks only"))?;
    if spec.shards.is_some() {
        return Err(Error::unsupported("Zarr v2 has no shards"));
    }
    let codecs = codec::print_v2(&spec.codecs, &spec.dtype, shape.len())?;
    let stored = stored_type(spec, codecs.endian);
    let fill_value = match &spec.fill_value {
        Some(fill) => fill::print(fill, &stored, Format::ZarrV2)?,
        None => Value::Null,
    };
    let mut array = Map::new();
    array.insert("shape".to_owned(), json!(shape));
    array.insert("chunks".to_owned(), json!(chunks));
    array.insert("dtype".to_owned(), v2::print(&spec.dtype, codecs.endian)?);
    array.insert("fill_value".to_owned(), fill_value);
    array.insert("order".to_owned(), json!(codecs.order));
    array.insert("filters".to_owned(), codecs.filters);
    array.insert("dimension_separator".to_owned(), json!("."));
    array.insert("compressor".to_owned(), codecs.compressor);
    array.insert("zarr_format".to_owned(), json!(2));
    let attributes = match &spec.dimension_names {
        Some(names) if names.iter().all(Option::is_some) => {
            Some(Object::from_iter([(ARRAY_DIMENSIONS.to_owned(), json!(names))]))
        }
        Some(_) => {
            return Err(Error::unsupported("Zarr v2 names all axes of an array or none"));
        }
        None => None,
    };
    Ok(Printed { array, attributes })
}

fn print_v3(spec: &ArraySpec) -> Result<Printed> {
    let mut codecs = codec::print_v3(&spec.codecs, &spec.dtype)?;
    if let Some(shards) = &spec.shards {
        check_shards(spec)?;
        codecs = vec![codec::print_shards(&spec.grid, codecs)?];
        shards.regular_shape().ok_or_else(|| Error::unsupported("shards of a rectilinear grid"))?;
    }
    let stored = stored_type(spec, Endian::Little);
    let zero = default_fill(spec)?;
    let fill_value =
        fill::print(spec.fill_value.as_ref().unwrap_or(&zero), &stored, Format::ZarrV3)?;
    let mut array = Map::new();
    array.insert("shape".to_owned(), json!(spec.shape()));
    array.insert("data_type".to_owned(), v3::print(&spec.dtype)?);
    array.insert("chunk_grid".to_owned(), grid::print(spec.write_grid())?);
    array.insert("chunk_key_encoding".to_owned(), ChunkKeys::print_v3());
    array.insert("fill_value".to_owned(), fill_value);
    array.insert("codecs".to_owned(), Value::Array(codecs));
    array.insert("attributes".to_owned(), json!({}));
    if let Some(names) = &spec.dimension_names {
        array.insert("dimension_names".to_owned(), json!(names));
    }
    array.insert("zarr_format".to_owned(), json!(3));
    array.insert("node_type".to_owned(), json!("array"));
    array.insert("storage_transformers".to_owned(), json!([]));
    Ok(Printed { array, attributes: None })
}

/// The fill value of a type, which version 3 requires: zero, false, empty; for times without a
/// unit the only one there is.
#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
pub(crate) fn default_fill(spec: &ArraySpec) -> Result<Values> {
    let dtype = spec.dtype.clone();
    match dtype {
        DType::DateTime(unit) if unit.base == TimeBase::Generic => {
            Values::new(dtype, Vec::new(), i64::MIN.to_ne_bytes().to_vec(), Vec::new())
        }
        _ => Values::zeroed(dtype, Vec::new()),
    }
}

fn check_shards(spec: &ArraySpec) -> Result<()> {
    let shards = spec.shards.as_ref().and_then(|grid| grid.regular_shape());
    let (Some(shards), Some(chunks)) = (shards, spec.grid.regular_shape()) else {
        return Err(Error::unsupported("Zarr has no shards of a rectilinear grid"));
    };
    if shards.iter().zip(chunks).any(|(shard, chunk)| !shard.is_multiple_of(*chunk)) {
        return Err(Error::invalid(format!(
            "shard shape {shards:?}: expected multiples of the chunk shape {chunks:?}"
        )));
    }
    Ok(())
}
