//! New arrays that take from another what is not said otherwise.

use serde_json::{Map, Value};
use stook_core::codec::Endian;
use stook_core::{Error, Format, Result};

use super::chunks::{Chunks, Shards};
use super::creation::create_array;
use super::fill::FillValue;
use super::new_array::{CodecSetting, IndexLocation, KeyEncoding, NewArray, Order, Separator};
use super::opening::{OpenArray, open_array};
use super::place::{AccessMode, Place};
use crate::array::Array;

/// Begins an array in memory like `array`, which is empty.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// use stook::zarr;
///
/// let old = zarr::full([4], 3).dtype("int8".parse()?).chunks(2).create()?;
/// let new = zarr::empty_like(&old).shape([2]).create()?;
/// assert_eq!(new.read_as::<i8>(&stook::Selection::All)?, [3, 3]);
/// assert_eq!(new.spec().grid, old.spec().grid);
/// # Ok(())
/// # }
/// ```
pub fn empty_like(array: &Array) -> NewArray {
    let mut new = create_array(Place::memory());
    new.like = Some(array.clone());
    new
}

/// Begins an array in memory like `array`, of `fill_value`.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// let old = stook::zarr::zeros([2]).create()?;
/// let new = stook::zarr::full_like(&old, 2.5).create()?;
/// assert_eq!(new.read_as::<f64>(&stook::Selection::All)?, [2.5; 2]);
/// # Ok(())
/// # }
/// ```
pub fn full_like(array: &Array, fill_value: impl Into<FillValue>) -> NewArray {
    empty_like(array).fill_value(fill_value)
}

/// Begins an array in memory like `array`, of ones.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// let old = stook::zarr::zeros([2]).dtype("uint16".parse()?).create()?;
/// let new = stook::zarr::ones_like(&old).create()?;
/// assert_eq!(new.read_as::<u16>(&stook::Selection::All)?, [1; 2]);
/// # Ok(())
/// # }
/// ```
pub fn ones_like(array: &Array) -> NewArray {
    full_like(array, 1)
}

/// Begins an array in memory like `array`, of zeros.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// let old = stook::zarr::ones([2]).create()?;
/// let new = stook::zarr::zeros_like(&old).create()?;
/// assert_eq!(new.read_as::<f64>(&stook::Selection::All)?, [0.0; 2]);
/// # Ok(())
/// # }
/// ```
pub fn zeros_like(array: &Array) -> NewArray {
    full_like(array, 0)
}

/// Begins the opening of the array at `path`, in memory unless a store is said, which is created
/// like `array` where there is none.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// use stook::zarr;
///
/// let place = zarr::Place::memory();
/// let old = zarr::zeros([2]).create()?;
/// let new = zarr::open_like(&old, "copy").store(&place).open()?;
/// assert_eq!(zarr::open_array(&place).path("copy").open()?.shape(), new.shape());
/// # Ok(())
/// # }
/// ```
pub fn open_like(array: &Array, path: impl Into<String>) -> OpenArray {
    let like = array.clone();
    let open = open_array(Place::memory()).path(path).mode(AccessMode::Append);
    open.creating(move |mut new| {
        (new.like, new.dtype) = (Some(like), None);
        new
    })
}

/// `new` with what it does not say filled in from `array`.
///
/// # Errors
/// What reading the document of `array` may give.
pub(super) fn filled(new: &NewArray, array: &Array) -> Result<NewArray> {
    let node = array.path();
    let document = array.file().document(node.as_str())?;
    let document = document.ok_or_else(|| Error::not_found("the array is gone").at_node(node))?;
    let spec = array.spec();
    let is_v2 = document.get("zarr_format") == Some(&Value::from(2));
    let own = if is_v2 { Format::ZarrV2 } else { Format::ZarrV3 };
    let mut new = new.clone();
    let is_same = *new.format.get_or_insert(own) == own;
    if new.data.is_none() {
        new.shape.get_or_insert_with(|| spec.shape().to_vec());
        new.dtype.get_or_insert_with(|| spec.dtype.clone());
    }
    if new.fill_value.is_none() && new.dtype.as_ref().is_none_or(|dtype| *dtype == spec.dtype) {
        let fill = spec.fill_value.clone();
        new.fill_value = Some(fill.map_or(FillValue::Undefined, FillValue::Value));
    }
    if is_v2 {
        cut_as_v2(&mut new, array);
        if is_same {
            fill_v2(&mut new, &document);
        }
    } else {
        fill_v3(&mut new, &document, is_same);
    }
    Ok(new)
}

fn cut_as_v2(new: &mut NewArray, array: &Array) {
    if let (None, Some(shape)) = (&new.chunks, array.spec().grid.regular_shape()) {
        new.chunks = Some(Chunks::Shape(shape.to_vec()));
    }
}

fn fill_v2(new: &mut NewArray, document: &Map<String, Value>) {
    let setting = |value: &Value| CodecSetting::Document(value.clone());
    if new.filters.is_none() {
        let filters = document.get("filters").and_then(Value::as_array);
        new.filters = Some(filters.into_iter().flatten().map(setting).collect());
    }
    if new.compressors.is_none() {
        let compressor = document.get("compressor").filter(|value| !value.is_null());
        new.compressors = Some(compressor.into_iter().map(setting).collect());
    }
    if document.get("order").is_some_and(|order| order == "F") {
        new.order.get_or_insert(Order::F);
    }
    if document.get("dtype").and_then(Value::as_str).is_some_and(|dtype| dtype.starts_with('>')) {
        new.endian.get_or_insert(Endian::Big);
    }
    let is_slash = document.get("dimension_separator").is_some_and(|found| found == "/");
    let separator = if is_slash { Separator::Slash } else { Separator::Dot };
    new.keys.get_or_insert(KeyEncoding::V2(separator));
}

fn shape_of(value: Option<&Value>) -> Option<Vec<u64>> {
    value?.as_array()?.iter().map(Value::as_u64).collect()
}

/// From a `zarr.json`; chunks and names only, unless the new array is of version 3, too.
fn fill_v3(new: &mut NewArray, document: &Map<String, Value>, is_same: bool) {
    let configuration = |codec: &Value, name: &str| codec.get("configuration")?.get(name).cloned();
    let grid = document.get("chunk_grid").and_then(|grid| configuration(grid, "chunk_shape"));
    let outer = shape_of(grid.as_ref());
    let mut chain = document.get("codecs").and_then(Value::as_array).cloned().unwrap_or_default();
    let sharding = match chain.as_slice() {
        [only] if only.get("name").is_some_and(|name| name == "sharding_indexed") => {
            Some(only.clone())
        }
        _ => None,
    };
    let inner =
        sharding.as_ref().and_then(|codec| shape_of(configuration(codec, "chunk_shape").as_ref()));
    if let Some(sharding) = &sharding {
        chain = match configuration(sharding, "codecs") {
            Some(Value::Array(codecs)) => codecs,
            _ => Vec::new(),
        };
        if configuration(sharding, "index_location").is_some_and(|found| found == "start") {
            new.index_location.get_or_insert(IndexLocation::Start);
        }
    }
    if new.chunks.is_none() && new.shards.is_none() {
        if let (Some(outer), Some(_), true) = (&outer, &inner, is_same) {
            new.shards = Some(Shards::Shape(outer.clone()));
        }
        new.chunks = inner.or(outer).map(Chunks::Shape);
    }
    if !is_same {
        return;
    }
    fill_codecs(new, chain);
    new.keys = new.keys.or_else(|| keys_of(document));
    if new.dimension_names.is_none() {
        let names = document.get("dimension_names").and_then(Value::as_array);
        let name = |name: &Value| name.as_str().map(str::to_owned);
        new.dimension_names = names.map(|names| names.iter().map(name).collect());
    }
}

/// Takes what is not said from `chain`: filters, then what makes bytes, then compressors.
fn fill_codecs(new: &mut NewArray, mut chain: Vec<Value>) {
    const SERIALIZERS: [&str; 9] = [
        "bytes",
        "endian",
        "vlen-utf8",
        "vlen-bytes",
        "vlen-array",
        "sharding_indexed",
        "packbits",
        "numcodecs.pcodec",
        "numcodecs.zfpy",
    ];
    if new.codecs.is_some() {
        return;
    }
    let settings = |codecs: Vec<Value>| codecs.into_iter().map(CodecSetting::Document).collect();
    let name = |codec: &Value| codec.get("name").unwrap_or(codec).as_str().map(str::to_owned);
    let is_serializer =
        |codec: &Value| name(codec).is_some_and(|name| SERIALIZERS.contains(&name.as_str()));
    let said = new.filters.is_some() || new.serializer.is_some() || new.compressors.is_some();
    match chain.iter().position(is_serializer) {
        Some(at) if said => {
            let compressors = chain.split_off(at.saturating_add(1));
            let serializer = chain.pop().map(CodecSetting::Document);
            new.compressors.get_or_insert_with(|| settings(compressors));
            new.serializer = new.serializer.take().or(serializer);
            new.filters.get_or_insert_with(|| settings(chain));
        }
        _ if said => {}
        _ => new.codecs = Some(settings(chain)),
    }
}

fn keys_of(document: &Map<String, Value>) -> Option<KeyEncoding> {
    let keys = document.get("chunk_key_encoding")?;
    let separator = keys.get("configuration").and_then(|settings| settings.get("separator"));
    match keys.get("name")?.as_str()? {
        "v2" if separator.is_some_and(|found| found == "/") => {
            Some(KeyEncoding::V2(Separator::Slash))
        }
        "v2" => Some(KeyEncoding::V2(Separator::Dot)),
        _ if separator.is_some_and(|found| found == ".") => {
            Some(KeyEncoding::Default(Separator::Dot))
        }
        _ => Some(KeyEncoding::Default(Separator::Slash)),
    }
}
