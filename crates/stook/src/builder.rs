//! The making of a new array.

use stook_core::container::WholeArray;
use stook_core::file::place::remove_empty;
use stook_core::{
    ArraySpec, AttributeEdits, AttributeValue, ChunkGrid, CodecSpec, DType, Error, Extent, Format,
    Loss, NodePath, Pipeline, Result, Values, View,
};

use crate::array::Array;
use crate::file::File;
use crate::group::Group;
use crate::{scale_offset, szip};

/// How a new array is cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Chunking {
    /// As the format does best: chunks of about 2 MiB of whole rows in Zarr, one piece in HDF5
    /// and npy.
    #[default]
    Auto,
    /// Chunks of this shape.
    Shape(Vec<u64>),
}

/// What encodes the chunks of a new array.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Codecs {
    /// zstd in Zarr; nothing in HDF5 and npy.
    #[default]
    Auto,
    /// These, first applied first.
    Chain(Vec<CodecSpec>),
}

/// A new array in the making; [`ArrayBuilder::create`] makes it.
#[derive(Clone, Debug)]
#[must_use = "nothing is made before `create`"]
pub struct ArrayBuilder {
    group: Group,
    path: String,
    dtype: DType,
    shape: Vec<u64>,
    max_shape: Option<Vec<Option<u64>>>,
    chunking: Chunking,
    shards: Option<Vec<u64>>,
    codecs: Codecs,
    fill_value: Option<Values>,
    dimension_names: Option<Vec<Option<String>>>,
    attributes: AttributeEdits,
    is_null: bool,
    /// Whether the file is begun with the array, and goes with it.
    is_new_file: bool,
}

impl ArrayBuilder {
    pub(crate) fn new(group: Group, path: &str) -> Self {
        Self {
            group,
            path: path.to_owned(),
            dtype: DType::Float64,
            shape: Vec::new(),
            max_shape: None,
            chunking: Chunking::default(),
            shards: None,
            codecs: Codecs::default(),
            fill_value: None,
            dimension_names: None,
            attributes: AttributeEdits::new(),
            is_null: false,
            is_new_file: false,
        }
    }

    /// The array that is the root of `file`, in which there is nothing yet.
    pub(crate) fn of_new_file(file: File) -> Self {
        let builder = Self::new(Group::new(file, NodePath::root()), "/");
        Self { is_new_file: true, ..builder }
    }

    /// The type of the items (default `float64`).
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.dtype = dtype;
        self
    }

    /// The shape (default: a scalar).
    pub fn shape(mut self, shape: impl Into<Vec<u64>>) -> Self {
        self.shape = shape.into();
        self
    }

    /// Without elements and without a shape: a type alone (HDF5's null dataspace).
    pub fn null(mut self) -> Self {
        self.is_null = true;
        self
    }

    /// How far each axis may grow, `None` without bound. Zarr arrays may always be resized; so
    /// may HDF5 arrays with chunks unless this says otherwise, and those in one piece never.
    pub fn max_shape(mut self, max_shape: impl Into<Vec<Option<u64>>>) -> Self {
        self.max_shape = Some(max_shape.into());
        self
    }

    /// The shape of the chunks.
    pub fn chunks(mut self, shape: impl Into<Vec<u64>>) -> Self {
        self.chunking = Chunking::Shape(shape.into());
        self
    }

    /// The shape of the shards, in elements: whole multiples of the chunks (Zarr v3).
    pub fn shards(mut self, shape: impl Into<Vec<u64>>) -> Self {
        self.shards = Some(shape.into());
        self
    }

    /// What encodes the chunks, first applied first; nothing if empty.
    pub fn codecs(mut self, codecs: impl Into<Vec<CodecSpec>>) -> Self {
        self.codecs = Codecs::Chain(codecs.into());
        self
    }

    /// What elements are that were never written: a scalar of the array's dtype (default zero).
    pub fn fill_value(mut self, fill_value: Values) -> Self {
        self.fill_value = Some(fill_value);
        self
    }

    /// A name for each axis.
    pub fn dimension_names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.dimension_names = Some(names.into_iter().map(|name| Some(name.into())).collect());
        self
    }

    /// Also sets an attribute.
    pub fn attribute(mut self, name: &str, value: impl Into<AttributeValue>) -> Self {
        self.attributes = self.attributes.set(name, value);
        self
    }

    /// Makes the array, and the groups above it that are missing.
    ///
    /// # Errors
    /// `AlreadyExists`, `InvalidInput` for chunks, shards or a fill value that do not fit the
    /// shape or dtype, `Unsupported` for what the format cannot hold, `ReadOnly`, `Io`. Nothing
    /// is left behind.
    pub fn create(self) -> Result<Array> {
        self.make().inspect_err(|_| {
            if self.is_new_file {
                remove_empty(self.group.file().path());
            }
        })
    }

    /// Makes the array with `items`, in one step, where its format makes small arrays quicker so
    /// and no more than a dtype and a shape was asked for; `None`, and nothing made, where it is
    /// to be created and written after.
    ///
    /// # Errors
    /// `InvalidInput` for a path that is none, `ReadOnly`, `Corrupt`, `Io`.
    pub fn create_whole(&self, items: &View<'_>) -> Result<Option<Array>> {
        let file = self.group.file();
        let is_stored_as_it_is = match &self.codecs {
            Codecs::Auto => true,
            Codecs::Chain(codecs) => codecs.is_empty(),
        };
        let is_plain = file.format() == Format::Hdf5
            && is_stored_as_it_is
            && self.chunking == Chunking::Auto
            && !(self.is_null || self.is_new_file || self.dtype.has_heap())
            && self.attributes.changes.is_empty()
            && (&self.max_shape, &self.shards) == (&None, &None)
            && (&self.fill_value, &self.dimension_names) == (&None, &None);
        if !is_plain || items.shape() != self.shape {
            return Ok(None);
        }
        let Some(items) = items.in_one_piece(&self.dtype) else { return Ok(None) };
        let (path, attributes) = (self.group.below(&self.path)?, &self.attributes);
        let whole = WholeArray { dtype: &self.dtype, shape: &self.shape, items, attributes };
        if !whole.is_small() || !file.container().create_whole(&path, &whole)? {
            return Ok(None);
        }
        let source = file.container().open_array(&path)?;
        Ok(Some(Array::new(file.clone(), path, source)))
    }

    fn make(&self) -> Result<Array> {
        let path = self.group.below(&self.path)?;
        let file = self.group.file();
        let located = |error: Error| error.at_node(&path).at_file(file.path());
        let spec = self.spec(file.format()).map_err(located)?;
        let source = file.container().create_array(&path, &spec)?;
        let array = Array::new(file.clone(), path.clone(), source);
        for (name, value) in &self.attributes.changes {
            let Some(value) = value else { continue };
            if let Err(error) = array.set_attribute(name, value.clone()) {
                // The first error is the one to tell.
                let _ = file.container().remove(&path);
                return Err(error);
            }
        }
        Ok(array)
    }

    /// What was asked for, in the form that the format has for it.
    fn spec(&self, format: Format) -> Result<ArraySpec> {
        let mut spec = ArraySpec::new(self.dtype.clone(), self.shape.clone());
        if self.is_null {
            spec.extent = Extent::Null;
        }
        spec.max_shape.clone_from(&self.max_shape);
        spec.dimension_names.clone_from(&self.dimension_names);
        spec.fill_value = Some(match &self.fill_value {
            Some(fill) if fill.dtype() == &self.dtype && fill.len() == 1 => {
                fill.clone().reshaped(Vec::new())?
            }
            Some(fill) => {
                let found = format!("{} of shape {:?}", fill.dtype(), fill.shape());
                return Err(Error::invalid(format!(
                    "fill value: expected one {}, found {found}",
                    self.dtype
                )));
            }
            None => Values::zeroed(self.dtype.clone(), Vec::new())?,
        });
        self.lay_out(&mut spec, format)?;
        // A setting out of range is told now, not by the first read or write.
        szip::fit(&mut spec);
        scale_offset::fit(&mut spec);
        Pipeline::new(&spec)?;
        self.check_max_shape()?;
        let mut adapted = self.group.file().container().adapt_array(&spec)?;
        if format == Format::Hdf5 && !self.shape.is_empty() && self.codecs != Codecs::Auto {
            // A filter that few readers have is not chosen, but it may be asked for. One that
            // there is none for is refused by name when the array is made.
            adapted.value.codecs.clone_from(&spec.codecs);
            adapted.losses.retain(|loss| !loss.what.starts_with("codec"));
        }
        self.expect_kept(&spec, &adapted.value, &adapted.losses)?;
        Ok(adapted.value)
    }

    fn check_max_shape(&self) -> Result<()> {
        let Some(max) = &self.max_shape else { return Ok(()) };
        let fits = |(max, &len): (&Option<u64>, &u64)| max.is_none_or(|max| len <= max);
        if max.len() != self.shape.len() || !max.iter().zip(&self.shape).all(fits) {
            let shape = &self.shape;
            return Err(Error::invalid(format!("shape {shape:?} is beyond its bounds {max:?}")));
        }
        Ok(())
    }

    fn lay_out(&self, spec: &mut ArraySpec, format: Format) -> Result<()> {
        let is_zarr = matches!(format, Format::ZarrV2 | Format::ZarrV3);
        let is_auto = self.chunking == Chunking::Auto && self.shards.is_none();
        let wants_codecs = matches!(&self.codecs, Codecs::Chain(chain) if !chain.is_empty());
        spec.contiguous = is_auto && self.max_shape.is_none() && !wants_codecs;
        if let Chunking::Shape(chunks) = &self.chunking {
            check_rank("chunks", chunks, &self.shape)?;
            spec.grid = ChunkGrid::regular(chunks.clone())?;
        } else if !spec.contiguous {
            spec.grid = ChunkGrid::regular(guess_chunks(spec, self.shards.as_deref()))?;
        }
        if let Some(shards) = &self.shards {
            check_rank("shards", shards, &self.shape)?;
            let chunks = spec.grid.regular_shape().unwrap_or_default();
            if shards.iter().zip(chunks).any(|(shard, chunk)| shard % chunk != 0) {
                return Err(Error::invalid(format!(
                    "shards {shards:?} are no multiples of chunks {chunks:?}"
                )));
            }
            spec.shards = Some(ChunkGrid::regular(shards.clone())?);
        }
        match &self.codecs {
            Codecs::Chain(chain) => spec.codecs.clone_from(chain),
            Codecs::Auto if is_zarr && !spec.contiguous => {
                spec.codecs.push(CodecSpec::Zstd { level: 0, checksum: false });
            }
            Codecs::Auto => {}
        }
        Ok(())
    }

    /// Refuses where the format would change what was asked for in so many words.
    fn expect_kept(&self, asked: &ArraySpec, adapted: &ArraySpec, losses: &[Loss]) -> Result<()> {
        let is_kept = asked.dtype == adapted.dtype
            && asked.shards == adapted.shards
            && (asked.contiguous || asked.grid == adapted.grid)
            && (self.codecs == Codecs::Auto
                || losses.iter().all(|loss| !loss.what.starts_with("codec")));
        if is_kept {
            return Ok(());
        }
        let losses: Vec<String> = losses
            .iter()
            .map(|loss| format!("{} would become {}", loss.what, loss.becomes))
            .collect();
        let format = self.group.file().format();
        Err(Error::unsupported(format!("{format} cannot hold this array: {}", losses.join("; "))))
    }
}

fn check_rank(what: &str, found: &[u64], shape: &[u64]) -> Result<()> {
    if found.len() != shape.len() {
        let (expected, found) = (shape.len(), found.len());
        return Err(Error::invalid(format!(
            "{what}: expected a length for each of {expected} axes, found {found}"
        )));
    }
    Ok(())
}

/// Chunks of about 1 MiB, of whole rows as far as they are small enough; divisors of the shards
/// where there are any.
pub(crate) fn guess_chunks(spec: &ArraySpec, shards: Option<&[u64]>) -> Vec<u64> {
    const CHUNK_LEN_BYTES: u64 = 1 << 20;
    if let Some(shards) = shards {
        return shards.to_vec();
    }
    let item = spec.dtype.item_size().max(1) as u64;
    let mut room = (CHUNK_LEN_BYTES / item).max(1);
    let mut chunks = vec![1; spec.shape().len()];
    for (chunk, &len) in chunks.iter_mut().zip(spec.shape()).rev() {
        // An axis that is empty now is one that will grow.
        *chunk = if len == 0 { room } else { len.min(room) };
        room = (room / *chunk).max(1);
    }
    chunks
}
