//! What an array is: everything about it but its elements.

use crate::codec::CodecSpec;
use crate::dtype::DType;
use crate::grid::ChunkGrid;
use crate::values::Values;

/// The extent of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// No elements and no shape (HDF5's null dataspace).
    Null,
    /// A shape; empty for a scalar.
    Shape(Vec<u64>),
}

/// The description of an array, the same for every format.
#[derive(Clone, Debug, PartialEq)]
pub struct ArraySpec {
    /// The type of its items.
    pub dtype: DType,
    /// Its extent.
    pub extent: Extent,
    /// How far each axis may grow, `None` without bound; `None` as a whole where the format
    /// does not say (any axis may be resized, as in Zarr).
    pub max_shape: Option<Vec<Option<u64>>>,
    /// The grid of the chunks that are read one by one (inner chunks where there are shards).
    pub grid: ChunkGrid,
    /// The grid of what is written as one, where that is not `grid`: the shards.
    pub shards: Option<ChunkGrid>,
    /// The value of what was never written, a scalar of `dtype`; `None` where undefined.
    pub fill_value: Option<Values>,
    /// What turns a chunk's items into stored bytes, first applied first.
    ///
    /// Order: steps on items in their array ([`CodecSpec::Transpose`], filters), then the one
    /// step to bytes ([`CodecSpec::ByteOrder`] or a variable-length codec; absent means the
    /// machine's little-endian order), then steps on bytes. Codecs around a shard index are the
    /// format's own business.
    pub codecs: Vec<CodecSpec>,
    /// A name for each axis, where there are any.
    pub dimension_names: Option<Vec<Option<String>>>,
    /// Whether the elements lie in one piece, without chunks or codecs but byte order and axis
    /// order; `grid` then has one chunk.
    pub contiguous: bool,
}

impl ArraySpec {
    /// An array of one chunk without codecs and without a fill value.
    #[must_use]
    pub fn new(dtype: DType, shape: impl Into<Vec<u64>>) -> Self {
        let shape = shape.into();
        Self {
            dtype,
            grid: ChunkGrid::whole(&shape),
            extent: Extent::Shape(shape),
            max_shape: None,
            shards: None,
            fill_value: None,
            codecs: Vec::new(),
            dimension_names: None,
            contiguous: false,
        }
    }

    /// The shape; empty for scalars and null extents.
    #[must_use]
    pub fn shape(&self) -> &[u64] {
        match &self.extent {
            Extent::Null => &[],
            Extent::Shape(shape) => shape,
        }
    }

    /// Whether the extent is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.extent == Extent::Null
    }

    /// The number of elements, saturating.
    #[must_use]
    pub fn n_elements(&self) -> u64 {
        match &self.extent {
            Extent::Null => 0,
            Extent::Shape(shape) => shape.iter().fold(1_u64, |n, &len| n.saturating_mul(len)),
        }
    }

    /// The bytes of all items in memory, saturating, without variable-length payload.
    #[must_use]
    pub fn n_bytes(&self) -> u64 {
        self.n_elements().saturating_mul(self.dtype.item_size() as u64)
    }

    /// The grid of what is written as one.
    #[must_use]
    pub fn write_grid(&self) -> &ChunkGrid {
        self.shards.as_ref().unwrap_or(&self.grid)
    }
}
