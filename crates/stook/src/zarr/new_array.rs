//! A new array in the making.

use serde_json::{Map, Value};
use stook_core::codec::Endian;
use stook_core::{
    AttributeEdits, AttributeValue, CodecSpec, DType, EmptyChunks, Error, Format, Result,
    Selection, Values,
};

use super::chunks::{Chunks, Shards};
use super::copying::copy_elements;
use super::fill::FillValue;
use super::opening::UseConsolidated;
use super::place::{AccessMode, Place};
use super::{creation, like};
use crate::array::Array;
use crate::file::File;

/// The order of elements within a chunk, where the version has one (2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// The last axis varies fastest.
    #[default]
    C,
    /// The first axis varies fastest.
    F,
}

/// What separates the numbers in the keys of chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Separator {
    /// A dot.
    Dot,
    /// A slash.
    Slash,
}

/// How the keys of chunks are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyEncoding {
    /// `c/0/1`, or `c.0.1`.
    Default(Separator),
    /// `0.1`, or `0/1`.
    V2(Separator),
}

/// Where a shard has its index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IndexLocation {
    /// Before its chunks.
    Start,
    /// Behind its chunks.
    #[default]
    End,
}

/// A codec: by its meaning, or as the document of the array's version has it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CodecSetting {
    /// By its meaning.
    Spec(CodecSpec),
    /// As it stands in the document.
    Document(Value),
}

impl From<CodecSpec> for CodecSetting {
    fn from(spec: CodecSpec) -> Self {
        Self::Spec(spec)
    }
}

impl From<Value> for CodecSetting {
    fn from(document: Value) -> Self {
        Self::Document(document)
    }
}

/// The documents of one node: `zarr.json`, or `.zarray` or `.zgroup` and the attributes beside it.
pub type Documents = (Map<String, Value>, Option<Map<String, Value>>);

/// What a new array is filled with.
#[derive(Clone, Debug)]
pub(super) enum Data {
    Values(Values),
    Array(Array),
}

/// A new array in the making; [`NewArray::create`] makes it.
#[derive(Clone, Debug)]
#[must_use = "nothing is made before `create`"]
pub struct NewArray {
    pub(super) place: Place,
    pub(super) path: String,
    pub(super) shape: Option<Vec<u64>>,
    pub(super) dtype: Option<DType>,
    pub(super) endian: Option<Endian>,
    pub(super) data: Option<Data>,
    pub(super) chunks: Option<Chunks>,
    pub(super) shards: Option<Shards>,
    pub(super) index_location: Option<IndexLocation>,
    pub(super) filters: Option<Vec<CodecSetting>>,
    pub(super) serializer: Option<CodecSetting>,
    pub(super) compressors: Option<Vec<CodecSetting>>,
    pub(super) codecs: Option<Vec<CodecSetting>>,
    pub(super) fill_value: Option<FillValue>,
    pub(super) order: Option<Order>,
    pub(super) format: Option<Format>,
    pub(super) keys: Option<KeyEncoding>,
    pub(super) dimension_names: Option<Vec<Option<String>>>,
    pub(super) like: Option<Array>,
    attributes: AttributeEdits,
    is_overwriting: bool,
    empty_chunks: EmptyChunks,
}

impl NewArray {
    pub(super) fn new(place: Place) -> Self {
        Self {
            place,
            path: String::new(),
            shape: None,
            dtype: None,
            endian: None,
            data: None,
            chunks: None,
            shards: None,
            index_location: None,
            filters: None,
            serializer: None,
            compressors: None,
            codecs: None,
            fill_value: None,
            order: None,
            format: None,
            keys: None,
            dimension_names: None,
            like: None,
            attributes: AttributeEdits::new(),
            is_overwriting: false,
            empty_chunks: EmptyChunks::default(),
        }
    }

    /// Where the hierarchy is (default: a new store in memory, or the one the function was given).
    pub fn store(mut self, place: impl Into<Place>) -> Self {
        self.place = place.into();
        self
    }

    /// Where the array is in its hierarchy (default: it is the root).
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The shape.
    pub fn shape(mut self, shape: impl Into<Vec<u64>>) -> Self {
        self.shape = Some(shape.into());
        self
    }

    /// The type of the items.
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.dtype = Some(dtype);
        self
    }

    /// The byte order in which items are stored (default little). A `serializer` that is given
    /// says its own.
    pub fn endian(mut self, endian: Endian) -> Self {
        self.endian = Some(endian);
        self
    }

    /// What the array is filled with, which says its shape and type.
    pub fn data(mut self, values: Values) -> Self {
        self.data = Some(Data::Values(values));
        self
    }

    /// Leaves the array empty: data said its shape and type only.
    pub fn without_data(mut self) -> Self {
        if let Some(data) = self.data.take() {
            let (shape, dtype) = match &data {
                Data::Values(values) => (values.shape().to_vec(), values.dtype().clone()),
                Data::Array(array) => (array.shape(), array.dtype()),
            };
            (self.shape, self.dtype) = (Some(shape), Some(dtype));
        }
        self
    }

    /// How it is cut (default: a guess).
    pub fn chunks(mut self, chunks: impl Into<Chunks>) -> Self {
        self.chunks = Some(chunks.into());
        self
    }

    /// The shape of the shards, in elements: whole multiples of the chunks (version 3).
    pub fn shards(mut self, shape: impl Into<Vec<u64>>) -> Self {
        self.shards = Some(Shards::Shape(shape.into()));
        self
    }

    /// Shards of two chunks along every axis that has more than eight (version 3).
    pub fn auto_shards(mut self) -> Self {
        self.shards = Some(Shards::Auto);
        self
    }

    /// Where shards have their index.
    pub fn index_location(mut self, location: IndexLocation) -> Self {
        self.index_location = Some(location);
        self
    }

    /// What is done to the items of a chunk before they become bytes (default: nothing; in
    /// version 2 what turns text and bytes of varying length into such).
    pub fn filters<C: Into<CodecSetting>>(mut self, filters: impl IntoIterator<Item = C>) -> Self {
        self.filters = Some(filters.into_iter().map(Into::into).collect());
        self
    }

    /// What makes bytes of items (version 3; default: by the type).
    pub fn serializer(mut self, serializer: impl Into<CodecSetting>) -> Self {
        self.serializer = Some(serializer.into());
        self
    }

    /// What is done to the bytes (default: zstd of level 0; nothing if empty). Version 2 has at
    /// most one.
    pub fn compressors<C: Into<CodecSetting>>(
        mut self,
        compressors: impl IntoIterator<Item = C>,
    ) -> Self {
        self.compressors = Some(compressors.into_iter().map(Into::into).collect());
        self
    }

    /// All codecs, first applied first (version 3).
    pub fn codecs<C: Into<CodecSetting>>(mut self, codecs: impl IntoIterator<Item = C>) -> Self {
        self.codecs = Some(codecs.into_iter().map(Into::into).collect());
        self
    }

    /// What elements are that were never written.
    pub fn fill_value(mut self, fill_value: impl Into<FillValue>) -> Self {
        self.fill_value = Some(fill_value.into());
        self
    }

    /// The order of elements within a chunk (version 2; in version 3 a codec says it).
    pub fn order(mut self, order: Order) -> Self {
        self.order = Some(order);
        self
    }

    /// The version (default 3, or that of the array this one is like).
    pub fn format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// Also sets an attribute.
    pub fn attribute(mut self, name: &str, value: impl Into<AttributeValue>) -> Self {
        self.attributes = self.attributes.set(name, value);
        self
    }

    /// How the keys of chunks are spelled (default: `c/0/1` in version 3, `0.1` in version 2).
    pub fn chunk_key_encoding(mut self, encoding: KeyEncoding) -> Self {
        self.keys = Some(encoding);
        self
    }

    /// A name for each axis (version 3).
    pub fn dimension_names<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        self.some_dimension_names(names.into_iter().map(|name| Some(name.into())))
    }

    /// A name for some of the axes (version 3).
    pub fn some_dimension_names(mut self, names: impl IntoIterator<Item = Option<String>>) -> Self {
        self.dimension_names = Some(names.into_iter().collect());
        self
    }

    /// Takes the place of what is there, and of all below it, once this is found in order.
    pub fn overwrite(mut self) -> Self {
        self.is_overwriting = true;
        self
    }

    /// What becomes of chunks of nothing but the fill value, for the handle that is returned.
    pub fn empty_chunks(mut self, empty_chunks: EmptyChunks) -> Self {
        self.empty_chunks = empty_chunks;
        self
    }

    /// The documents of the array: `zarr.json`, or `.zarray` and the `.zattrs` beside it.
    ///
    /// ```
    /// # fn main() -> stook::Result<()> {
    /// let (document, _) = stook::zarr::zeros([3]).documents()?;
    /// assert_eq!(document["codecs"][1]["name"], "zstd");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidInput` for settings that do not fit each other or the version, `Unsupported` for
    /// what the version cannot say; what reading the array may give that this one is like.
    pub fn documents(&self) -> Result<Documents> {
        let mut document = match &self.like {
            Some(array) => creation::document(&like::filled(self, array)?)?,
            None => creation::document(self)?,
        };
        let mut attributes = Map::new();
        for (name, value) in &self.attributes.changes {
            if let Some(AttributeValue::Json(value)) = value {
                attributes.insert(name.clone(), value.clone());
            }
        }
        if document.get("zarr_format") == Some(&Value::from(2)) {
            return Ok((document, Some(attributes)));
        }
        document.insert("attributes".to_owned(), Value::Object(attributes));
        Ok((document, None))
    }

    /// Makes the array, the groups above it that are missing, and the folder or archive it is in.
    ///
    /// # Errors
    /// Those of [`NewArray::documents`]; `AlreadyExists`, `Unsupported` also for a place that is
    /// no Zarr hierarchy, `ReadOnly`, `Io`; and what writing the data may give, before which
    /// nothing is left behind.
    pub fn create(self) -> Result<Array> {
        // A folder is not made for what is not in order.
        self.documents()?;
        let usual = UseConsolidated::default();
        self.place.work(AccessMode::Append, usual, |file| self.create_in_file(file))
    }

    pub(super) fn create_in_file(&self, file: &File) -> Result<Array> {
        let node = self.place.node(&self.path)?;
        let (document, attributes) = self.documents()?;
        let array = self.make(file, node.as_str(), &document, attributes.as_ref())?;
        let array = array.with_empty_chunks(self.empty_chunks);
        match &self.data {
            Some(Data::Values(values)) => array.write(&Selection::All, values)?,
            Some(Data::Array(from)) => copy_elements(from, &array)?,
            None => {}
        }
        Ok(array)
    }

    fn make(
        &self,
        file: &File,
        node: &str,
        document: &Map<String, Value>,
        attributes: Option<&Map<String, Value>>,
    ) -> Result<Array> {
        file.create_document(node, document, attributes, self.is_overwriting)?;
        let array = file.array(node)?;
        for (name, value) in &self.attributes.changes {
            if let Some(value @ (AttributeValue::Values(_) | AttributeValue::Null(_))) = value {
                array.set_attribute(name, value.clone())?;
            }
        }
        Ok(array)
    }

    /// Shape and type, said or those of the data.
    pub(super) fn extent(&self) -> Result<(Vec<u64>, DType)> {
        let of_data = self.data.as_ref().map(|data| match data {
            Data::Values(values) => (values.shape().to_vec(), values.dtype().clone()),
            Data::Array(array) => (array.shape(), array.dtype()),
        });
        match (of_data, &self.shape, &self.dtype) {
            (Some((shape, dtype)), said, said_dtype) => {
                if said.as_ref().is_some_and(|said| *said != shape) {
                    return Err(Error::invalid(format!(
                        "shape: expected that of the data, {shape:?}, found {said:?}"
                    )));
                }
                if said_dtype.as_ref().is_some_and(|said| *said != dtype) {
                    return Err(Error::invalid(format!(
                        "dtype: expected that of the data, {dtype}"
                    )));
                }
                Ok((shape, dtype))
            }
            (None, Some(shape), Some(dtype)) => Ok((shape.clone(), dtype.clone())),
            (None, None, _) => Err(Error::invalid("expected a shape or data, found neither")),
            (None, _, None) => Err(Error::invalid("expected a dtype or data, found neither")),
        }
    }
}
