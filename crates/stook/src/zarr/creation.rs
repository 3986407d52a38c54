//! The functions that begin new arrays, and the documents of those.

use serde_json::{Map, Value, json};
use stook_core::codec::Endian;
use stook_core::{ArraySpec, ChunkGrid, CodecSpec, DType, Error, Format, Result, Values};
use stook_zarr::{array_document, codec_document};

use super::chunks::{Chunks, Shards, partition};
use super::fill::{FillValue, default_of};
use super::new_array::{
    CodecSetting, Data, IndexLocation, KeyEncoding, NewArray, Order, Separator,
};
use super::place::Place;
use crate::array::Array;

type Document = Map<String, Value>;

/// Begins an array in `place`; its shape and type are still to be said, or its data.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// use stook::zarr;
///
/// let place = zarr::Place::memory();
/// let array = zarr::create_array(&place).path("a").shape([10]).dtype("uint8".parse()?).create()?;
/// assert_eq!(array.path().as_str(), "/a");
/// # Ok(())
/// # }
/// ```
pub fn create_array(place: impl Into<Place>) -> NewArray {
    NewArray::new(place.into())
}

/// Begins an array of `shape` and of `float64`, unless another type is said; in memory, unless a
/// store is said.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// let array = stook::zarr::create([2, 3]).chunks(2).create()?;
/// assert_eq!(array.read_as::<f64>(&stook::Selection::All)?, [0.0; 6]);
/// # Ok(())
/// # }
/// ```
pub fn create(shape: impl Into<Vec<u64>>) -> NewArray {
    NewArray::new(Place::memory()).shape(shape).dtype(DType::Float64)
}

/// Begins an array whose elements nobody has set: they are the fill value.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// assert_eq!(stook::zarr::empty([7]).create()?.shape(), [7]);
/// # Ok(())
/// # }
/// ```
pub fn empty(shape: impl Into<Vec<u64>>) -> NewArray {
    create(shape)
}

/// Begins an array of zeros.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// let zeros = stook::zarr::zeros([2]).dtype("int8".parse()?).create()?;
/// assert_eq!(zeros.read_as::<i8>(&stook::Selection::All)?, [0, 0]);
/// # Ok(())
/// # }
/// ```
pub fn zeros(shape: impl Into<Vec<u64>>) -> NewArray {
    create(shape).fill_value(0)
}

/// Begins an array of ones.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// assert_eq!(stook::zarr::ones([2]).create()?.read_as::<f64>(&stook::Selection::All)?, [1.0; 2]);
/// # Ok(())
/// # }
/// ```
pub fn ones(shape: impl Into<Vec<u64>>) -> NewArray {
    create(shape).fill_value(1)
}

/// Begins an array of `fill_value`.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// let full = stook::zarr::full([2], 0.5).create()?;
/// assert_eq!(full.read_as::<f64>(&stook::Selection::All)?, [0.5; 2]);
/// # Ok(())
/// # }
/// ```
pub fn full(shape: impl Into<Vec<u64>>, fill_value: impl Into<FillValue>) -> NewArray {
    create(shape).fill_value(fill_value)
}

/// Begins an array that holds `values`; in memory, unless a store is said.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// use stook::{Selection, Values, zarr};
///
/// let texts = Values::from_strings(vec![2], &["a", "bab"])?;
/// let array = zarr::array(texts.clone()).create()?;
/// assert_eq!(array.read(&Selection::All)?, texts);
/// # Ok(())
/// # }
/// ```
pub fn array(values: Values) -> NewArray {
    NewArray::new(Place::memory()).data(values)
}

/// Begins a copy of `array` in `place`: of its elements, and of all settings that are not said
/// otherwise; but not of its attributes.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// use stook::{Format, Selection, zarr};
///
/// let old = zarr::ones([4]).format(Format::ZarrV2).chunks([3]).create()?;
/// let new = zarr::from_array(zarr::Place::memory(), &old).format(Format::ZarrV3).create()?;
/// assert_eq!(new.read_as::<f64>(&Selection::All)?, [1.0; 4]);
/// assert_eq!(new.spec().grid, old.spec().grid);
/// # Ok(())
/// # }
/// ```
pub fn from_array(place: impl Into<Place>, array: &Array) -> NewArray {
    let mut new = NewArray::new(place.into());
    new.like = Some(array.clone());
    new.data = Some(Data::Array(array.clone()));
    new
}

/// The document of `new`, without attributes.
///
/// # Errors
/// `InvalidInput`, `Unsupported`.
pub(super) fn document(new: &NewArray) -> Result<Document> {
    let (shape, dtype) = new.extent()?;
    let format = new.format.unwrap_or(Format::ZarrV3);
    let item = if dtype.has_heap() { 1 } else { dtype.item_size() as u64 };
    let (auto, none) = (Chunks::default(), Shards::default());
    let (chunks, shards) = (new.chunks.as_ref(), new.shards.as_ref());
    let (chunks, shards) =
        partition(&shape, item, chunks.unwrap_or(&auto), shards.unwrap_or(&none))?;
    let fill = new.fill_value.clone().unwrap_or_default().of_type(&dtype)?;
    let mut spec = ArraySpec::new(dtype.clone(), shape);
    spec.grid = ChunkGrid::regular(shards.clone().unwrap_or_else(|| chunks.clone()))?;
    spec.codecs = default_codecs(&dtype, new.endian.unwrap_or(Endian::Little));
    match format {
        Format::ZarrV2 => {
            spec.fill_value = fill;
            let (mut document, _) = array_document(&spec, format)?;
            finish_v2(new, &spec, &mut document)?;
            Ok(document)
        }
        _ => {
            spec.fill_value = Some(fill.map_or_else(|| default_of(&dtype), Ok)?);
            spec.dimension_names.clone_from(&new.dimension_names);
            let (mut document, _) = array_document(&spec, format)?;
            finish_v3(new, &spec, &mut document, shards.map(|_| chunks))?;
            Ok(document)
        }
    }
}

/// What zarr-python does to items of a type.
fn default_codecs(dtype: &DType, endian: Endian) -> Vec<CodecSpec> {
    let zstd = CodecSpec::Zstd { level: 0, checksum: false };
    match dtype {
        DType::String(_) => vec![CodecSpec::VlenUtf8, zstd],
        _ if dtype.has_heap() => vec![CodecSpec::VlenBytes, zstd],
        _ if dtype.has_byte_order() => vec![CodecSpec::ByteOrder(endian), zstd],
        _ => vec![zstd],
    }
}

fn codec(setting: &CodecSetting, spec: &ArraySpec, format: Format) -> Result<Value> {
    match setting {
        CodecSetting::Document(document) => Ok(document.clone()),
        CodecSetting::Spec(codec) => codec_document(codec, spec, format),
    }
}

fn codecs(settings: &[CodecSetting], spec: &ArraySpec, format: Format) -> Result<Vec<Value>> {
    settings.iter().map(|setting| codec(setting, spec, format)).collect()
}

fn refuse(is_said: bool, what: &str) -> Result<()> {
    match is_said {
        true => Err(Error::invalid(format!("{what}: Zarr v2 arrays have none"))),
        false => Ok(()),
    }
}

fn finish_v2(new: &NewArray, spec: &ArraySpec, document: &mut Document) -> Result<()> {
    refuse(new.shards.as_ref().is_some_and(|shards| *shards != Shards::None), "shards")?;
    refuse(new.serializer.is_some(), "serializer")?;
    refuse(new.codecs.is_some(), "codecs")?;
    refuse(new.dimension_names.is_some(), "dimension names")?;
    let format = Format::ZarrV2;
    let mut set = |name: &str, value: Value| document.insert(name.to_owned(), value);
    if let Some(filters) = &new.filters {
        let filters = codecs(filters, spec, format)?;
        set("filters", if filters.is_empty() { Value::Null } else { filters.into() });
    }
    match new.compressors.as_deref() {
        None => {}
        Some([]) => drop(set("compressor", Value::Null)),
        Some([only]) => drop(set("compressor", codec(only, spec, format)?)),
        Some(more) => {
            let found = more.len();
            return Err(Error::invalid(format!(
                "compressors: expected at most one for Zarr v2, found {found}"
            )));
        }
    }
    if new.order == Some(Order::F) {
        set("order", "F".into());
    }
    match new.keys {
        None | Some(KeyEncoding::V2(Separator::Dot)) => {}
        Some(KeyEncoding::V2(Separator::Slash)) => drop(set("dimension_separator", "/".into())),
        Some(KeyEncoding::Default(_)) => {
            return Err(Error::invalid("chunk key encoding: Zarr v2 arrays have `v2`"));
        }
    }
    Ok(())
}

fn finish_v3(
    new: &NewArray,
    spec: &ArraySpec,
    document: &mut Document,
    chunks_in_shards: Option<Vec<u64>>,
) -> Result<()> {
    let format = Format::ZarrV3;
    let mut chain = match document.get_mut("codecs") {
        Some(Value::Array(codecs)) => std::mem::take(codecs),
        _ => Vec::new(),
    };
    if let Some(all) = &new.codecs {
        if new.filters.is_some() || new.serializer.is_some() || new.compressors.is_some() {
            return Err(Error::invalid(
                "codecs: expected all of them, or filters, serializer and compressors; found both",
            ));
        }
        chain = codecs(all, spec, format)?;
    } else {
        if let Some(compressors) = &new.compressors {
            chain.truncate(1);
            chain.extend(codecs(compressors, spec, format)?);
        }
        if let (Some(serializer), Some(first)) = (&new.serializer, chain.first_mut()) {
            *first = codec(serializer, spec, format)?;
        }
        if let Some(filters) = &new.filters {
            chain.splice(0..0, codecs(filters, spec, format)?);
        }
    }
    if let Some(chunks) = chunks_in_shards {
        let location = match new.index_location.unwrap_or_default() {
            IndexLocation::Start => "start",
            IndexLocation::End => "end",
        };
        let endian = json!({"name": "bytes", "configuration": {"endian": "little"}});
        chain = vec![json!({"name": "sharding_indexed", "configuration": {
            "chunk_shape": chunks, "codecs": chain,
            "index_codecs": [endian, {"name": "crc32c"}], "index_location": location,
        }})];
    }
    document.insert("codecs".to_owned(), chain.into());
    if let Some(keys) = new.keys {
        let (name, separator) = match keys {
            KeyEncoding::Default(separator) => ("default", separator),
            KeyEncoding::V2(separator) => ("v2", separator),
        };
        let separator = if separator == Separator::Dot { "." } else { "/" };
        let keys = json!({"name": name, "configuration": {"separator": separator}});
        document.insert("chunk_key_encoding".to_owned(), keys);
    }
    Ok(())
}
