//! One array: its chunks past the library, everything else through it.

mod chunks;
mod contiguous;
mod create;
mod external;
mod plain;
mod sources;
mod values;
mod virtual_array;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use stook_core::chunk::{
    Access, ChunkList, ChunkPart, ChunkSource, ChunkWrite, Deliver, InPlace, ValueSource,
    VisitStored,
};
use stook_core::codec::{CodecSpec, Endian, swap_items};
use stook_core::file::FileIo;
use stook_core::store::ReadTo;
use stook_core::values::byte_len;
use stook_core::{
    ArraySpec, ChunkGrid, EncodedChunk, Error, ErrorKind, Extent, NodePath, Pipeline, Result,
    Values,
};

use self::chunks::{ChunkReader, is_read_in_parts};
use self::contiguous::Contiguous;
use self::external::ExternalFiles;
use crate::attributes::memory_of;
use crate::dtype::{self, Stored};
use crate::ffi::{self, ChunkCache, ChunkRecord, Dataset, FillStatus, Layout};
use crate::filter;
use crate::place::Backing;
use crate::pytables;
use crate::scales;
use crate::shared::{Shared, c_path};
use crate::state::{ChunkIndex, Place, State};

pub(crate) use create::{adapt, create};
pub(crate) use plain::PlainArray;
pub(crate) use virtual_array::create as create_virtual;
pub use virtual_array::{Span, VirtualPart};

/// More chunks than this that were written since the index was read are worth reading it again.
const MANY_MOVED: usize = 16;

/// How elements go between the file and the engine.
#[derive(Debug)]
enum Way {
    /// Encoded chunks, past the library.
    Chunks,
    /// In one piece, past the library.
    Contiguous(Contiguous),
    /// Values, through the library.
    Values,
}

/// An open array.
#[derive(Debug)]
pub(crate) struct Hdf5Array {
    // Dropped before the file that it belongs to.
    dataset: Dataset,
    stored: Stored,
    state: Arc<State>,
    way: Way,
    node: NodePath,
    shared: Arc<Shared>,
    /// Whether the elements are those of other arrays, or lie in other files.
    is_elsewhere: bool,
    /// Whether others have been told that the elements change.
    is_marked: AtomicBool,
}

/// Positions in a list of chunks, by where the chunks are.
#[derive(Debug, Default)]
struct Places {
    stored: Vec<(usize, ChunkRecord)>,
    moved: Vec<usize>,
    missing: Vec<usize>,
}

impl Hdf5Array {
    /// Opens the array `node`.
    pub(crate) fn open(shared: &Arc<Shared>, node: &NodePath) -> Result<Self> {
        let _lock = ffi::lock();
        let path = c_path(node)?;
        let corrupt = shared.corrupt(node);
        let dataset = Dataset::open_unchecked(shared.file(), &path, ChunkCache::None);
        let dataset = dataset.map_err(&corrupt)?;
        let creation = dataset.creation().map_err(&corrupt)?;
        if creation.layout().map_err(&corrupt)? == Layout::Virtual {
            sources::check(shared, node, &dataset)?;
        }
        let mut dataset = dataset.ready().map_err(&corrupt)?;
        let stored = dataset.datatype().and_then(|datatype| dtype::read(&datatype));
        let stored = stored.map_err(&corrupt)?;
        let (spec, layout) = describe(shared, node, &dataset, &stored)?;
        let key = dataset.identity().map_err(&corrupt)?;
        let is_elsewhere = matches!(layout, Layout::External | Layout::Virtual);
        if layout == Layout::External && !stored.is_direct {
            let message = format!("external storage of items of type {}", stored.dtype);
            return Err(shared.at(Error::unsupported(message), node));
        }
        let way = match layout {
            _ if !stored.is_direct || spec.is_null() => Way::Values,
            Layout::Chunked(_) if is_library_only(&dataset, &spec).map_err(&corrupt)? => {
                Way::Values
            }
            Layout::Chunked(_) => Way::Chunks,
            Layout::Contiguous => Way::Contiguous(Contiguous::new(&spec, shared)?),
            Layout::External => {
                let files = ExternalFiles::open(shared, node, &creation)?;
                Way::Contiguous(Contiguous::external(&spec, files)?)
            }
            Layout::Compact | Layout::Virtual => Way::Values,
        };
        if matches!((&way, &layout), (Way::Values, Layout::Chunked(_))) {
            // Blocks of values are read through the library, chunk after chunk: let it keep some.
            drop(dataset);
            dataset = Dataset::open(shared.file(), &path, ChunkCache::Some).map_err(&corrupt)?;
        }
        let state = State::of(key, spec);
        let (node, shared, is_marked) = (node.clone(), Arc::clone(shared), AtomicBool::new(false));
        Ok(Self { dataset, stored, state, way, node, shared, is_elsewhere, is_marked })
    }

    fn at(&self, error: Error) -> Error {
        self.shared.at(error, &self.node)
    }

    fn at_chunk(&self, error: Error, index: &[u64]) -> Error {
        self.at(error.at_chunk(index))
    }

    /// Refuses unless the elements may be changed; tells those who keep track of them.
    fn start_change(&self) -> Result<()> {
        self.shared.expect_writable(&self.node)?;
        if self.is_elsewhere {
            let message = "the elements belong to other arrays or files, and are written there";
            return Err(self.at(Error::unsupported(message)));
        }
        if !self.is_marked.load(Ordering::Acquire) {
            pytables::mark_changed(&self.shared, &self.node)?;
            self.is_marked.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// The first element of the chunk at `index`.
    fn first_element(&self, spec: &ArraySpec, index: &[u64]) -> Vec<u64> {
        (0..index.len())
            .map(|axis| spec.grid.extent(axis, index.get(axis).copied().unwrap_or(0)).0)
            .collect()
    }

    /// Where the chunks of `at` are.
    fn places(&self, at: ChunkList<'_>) -> Result<Places> {
        self.shared.io.expect_kept().map_err(|error| self.at(error))?;
        let find = |index: &ChunkIndex| {
            let mut places = Places::default();
            for (position, chunk) in at.iter().enumerate() {
                match index.get(chunk) {
                    Place::At(record) => places.stored.push((position, record)),
                    Place::Moved => places.moved.push(position),
                    Place::Nowhere => places.missing.push(position),
                }
            }
            places
        };
        self.state.with_index(&self.dataset, find).map_err(|error| self.at(error))
    }

    /// `bytes` in a form that the library does not write over the chunk that they replace, which
    /// somebody may be reading (SWMR): it does so where both have one length. A stream of zlib
    /// gets a byte more then, which no decoder looks at.
    fn elsewhere<'a>(&self, spec: &ArraySpec, first: &[u64], bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let is_zlib = matches!(spec.codecs.last(), Some(CodecSpec::Zlib { .. }));
        if !is_zlib || self.dataset.chunk_len(first).ok() != Some(bytes.len() as u64) {
            return Cow::Borrowed(bytes);
        }
        let mut longer = bytes.to_vec();
        longer.push(0);
        Cow::Owned(longer)
    }

    /// Reads one chunk through the library, and delivers it.
    fn read_moved(&self, position: usize, index: &[u64], deliver: &Deliver<'_>) -> Result<()> {
        let first = self.first_element(&self.state.spec(), index);
        let read = self.dataset.read_chunk(&first, &self.shared.limits);
        let read = read.map_err(|failure| {
            let error = self.shared.error(failure, ErrorKind::Corrupt, &self.node);
            self.at_chunk(error, index)
        })?;
        match read {
            Some((bytes, skipped)) => {
                deliver(position, Some(EncodedChunk { bytes: &bytes, skipped }))
            }
            None => deliver(position, None),
        }
    }
}

impl ChunkSource for Hdf5Array {
    fn spec(&self) -> Arc<ArraySpec> {
        self.state.spec()
    }

    fn identity(&self) -> u64 {
        self.state.identity
    }

    fn is_fixed(&self) -> bool {
        matches!(self.shared.io, Backing::Reader(_)) && !self.is_elsewhere
    }

    fn access(&self) -> Access {
        access_of(&self.state.spec())
    }

    fn read_chunks(&self, at: ChunkList<'_>, deliver: &Deliver<'_>) -> Result<()> {
        match &self.way {
            Way::Chunks => {}
            Way::Contiguous(contiguous) => return contiguous.read_chunks(self, at, deliver),
            Way::Values => return Err(self.at(Error::unsupported(VALUES_ONLY))),
        }
        if self.state.is_worth_no_index(at.len()) {
            self.shared.io.expect_kept().map_err(|error| self.at(error))?;
            let mut chunks = at.iter().enumerate();
            return chunks.try_for_each(|(i, chunk)| self.read_moved(i, chunk, deliver));
        }
        let mut places = self.places(at)?;
        if places.moved.len() > MANY_MOVED {
            self.state.refresh();
            places = self.places(at)?;
        }
        places.missing.into_iter().try_for_each(|position| deliver(position, None))?;
        for position in places.moved {
            self.read_moved(position, at.get(position), deliver)?;
        }
        let reader = ChunkReader { shared: &self.shared, node: &self.node };
        reader.read(&mut places.stored, at, deliver)
    }

    fn read_part(&self, part: ChunkPart<'_>, out: &mut [u8]) -> Result<ReadTo> {
        if !is_read_in_parts(&part, out.len())
            || !matches!(self.way, Way::Chunks)
            || self.state.is_worth_no_index(0)
        {
            return Ok(ReadTo::Unable);
        }
        self.shared.io.expect_kept().map_err(|error| self.at(error))?;
        let find = |index: &ChunkIndex| index.get(part.index);
        let place = self.state.with_index(&self.dataset, find).map_err(|error| self.at(error))?;
        ChunkReader { shared: &self.shared, node: &self.node }.read_part(place, part, out)
    }

    fn write_part(&self, part: ChunkPart<'_>, bytes: &[u8]) -> Result<bool> {
        self.start_change()?;
        if !matches!(self.way, Way::Chunks) || !self.state.spec().codecs.is_empty() {
            return Ok(false);
        }
        // The chunk stays where it is for as long as its place is known.
        let write = |record: &ChunkRecord| {
            let end = part.from.checked_add(bytes.len()).filter(|&end| end <= part.len_chunk);
            if end.is_none() || record.len_bytes != part.len_chunk as u64 {
                return Ok(false);
            }
            let at = record.address.saturating_add(part.from as u64);
            self.shared.io.write_at(at, bytes).map(|()| true)
        };
        let written = self.state.with_last(part.index, write);
        written.map_err(|error| self.at_chunk(error, part.index))
    }

    fn write_chunks(&self, chunks: &[ChunkWrite<'_>]) -> Result<()> {
        self.start_change()?;
        match &self.way {
            Way::Chunks => {}
            Way::Contiguous(contiguous) => return contiguous.write_chunks(self, chunks),
            Way::Values => return Err(self.at(Error::unsupported(VALUES_ONLY))),
        }
        let spec = self.state.spec();
        let stored = || chunks.iter().filter_map(|chunk| Some((chunk.index, chunk.bytes?)));
        let is_swmr = self.shared.is_swmr();
        self.state.moving(stored().map(|(index, _)| index), || {
            stored().try_fold(None, |_, (index, bytes)| {
                let first = self.first_element(&spec, index);
                let bytes = match is_swmr {
                    true => self.elsewhere(&spec, &first, bytes),
                    false => Cow::Borrowed(bytes),
                };
                let written = self.dataset.write_chunk(&first, &bytes).map_err(|failure| {
                    let error = Error::new(ErrorKind::Io, failure.to_string());
                    self.at_chunk(error, index)
                });
                Ok(written?.map(|record| (index.to_vec(), record)))
            })
        })?;
        let erased = chunks.iter().filter(|chunk| chunk.bytes.is_none());
        erased.into_iter().try_for_each(|chunk| self.fill(ChunkList::one(chunk.index)))
    }

    fn erase_chunks(&self, at: ChunkList<'_>) -> Result<()> {
        self.start_change()?;
        self.fill(at)
    }

    fn resize(&self, shape: &[u64]) -> Result<()> {
        self.start_change()?;
        let spec = self.state.spec();
        if spec.shape() == shape {
            return Ok(());
        }
        check_shape(&spec, shape).map_err(|error| self.at(error))?;
        let keeps_chunks = spec.shape().iter().zip(shape).all(|(old, new)| old <= new);
        let resized = self.state.resizing(|| self.dataset.set_shape(shape), keeps_chunks);
        let now = self.dataset.space().and_then(|space| space.extent());
        if let Ok(ffi::Extent::Simple { shape, .. }) = now {
            self.state.set_shape(&shape);
        }
        resized.map_err(self.shared.io(&self.node))?;
        pytables::count_rows(&self.shared, &self.node, shape.first().copied().unwrap_or(0))
    }

    fn chunk_version(&self, at: &[u64]) -> Result<Option<u64>> {
        let _ = at;
        Ok(Some(self.state.version()))
    }

    fn in_place(&self) -> Option<&dyn InPlace> {
        match &self.way {
            Way::Contiguous(_) => Some(self),
            _ => None,
        }
    }

    fn values(&self) -> Option<&dyn ValueSource> {
        match &self.way {
            Way::Values => Some(self),
            _ => None,
        }
    }

    fn is_stored(&self, unit: &[u64]) -> Result<Option<bool>> {
        match &self.way {
            Way::Chunks => {
                let find = |index: &ChunkIndex| Some(index.get(unit) != Place::Nowhere);
                self.state.with_index(&self.dataset, find).map_err(|error| self.at(error))
            }
            Way::Contiguous(contiguous) => contiguous.is_stored(self),
            Way::Values => Ok(None),
        }
    }

    fn visit_stored(&self, visit: &mut VisitStored<'_>) -> Result<bool> {
        // Chunks whose values go through the library are in an index, too.
        let has_index = match &self.way {
            Way::Chunks => true,
            Way::Contiguous(_) => false,
            Way::Values => !self.spec().contiguous && !self.spec().is_null(),
        };
        if !has_index {
            return Ok(false);
        }
        self.state.refresh();
        let positions = self.state.with_index(&self.dataset, ChunkIndex::stored);
        let positions = positions.map_err(|error| self.at(error))?;
        positions.iter().try_for_each(|at| visit(at)).map(|()| true)
    }

    fn n_stored(&self) -> Result<u64> {
        self.state.refresh();
        match &self.way {
            Way::Chunks => self.state.with_index(&self.dataset, |index| index.n_stored()),
            _ => Ok(u64::from(self.dataset.storage_len_bytes() > 0)),
        }
    }

    fn len_stored_bytes(&self) -> Result<u64> {
        self.state.refresh();
        match &self.way {
            Way::Chunks => self.state.with_index(&self.dataset, |index| index.len_bytes()),
            _ => Ok(self.dataset.storage_len_bytes()),
        }
    }
}

/// How the chunks of an array are best asked for.
fn access_of(spec: &ArraySpec) -> Access {
    let lens = spec.grid.regular_shape().unwrap_or(&[]).iter();
    let len = lens.fold(spec.dtype.item_size() as u64, |n, &len| n.saturating_mul(len)).max(1);
    let batch = usize::try_from((1_u64 << 20).div_ceil(len)).unwrap_or(1).clamp(1, 64);
    Access { batch, ..Access::default() }
}

const VALUES_ONLY: &str = "the elements are read and written as values, not as chunks";

/// Refuses a shape that the array cannot take.
fn check_shape(spec: &ArraySpec, shape: &[u64]) -> Result<()> {
    let old = spec.shape();
    if spec.is_null() || old.len() != shape.len() {
        return Err(Error::invalid(format!("cannot resize {old:?} to {shape:?}: another rank")));
    }
    let max = spec.max_shape.as_deref().unwrap_or(&[]);
    let is_within = shape.iter().zip(max).all(|(&len, max)| max.is_none_or(|max| len <= max));
    if !is_within {
        return Err(Error::invalid(format!("shape {shape:?} exceeds the maximal shape {max:?}")));
    }
    Ok(())
}

/// Whether elements go through the library: where it alone knows a filter, where nobody does (it
/// reads the chunks that skip it, and those that are not there), and where it stores chunks at
/// the edge without any.
fn is_library_only(dataset: &Dataset, spec: &ArraySpec) -> ffi::Result<bool> {
    let creation = dataset.creation()?;
    let filters = creation.filters()?;
    let is_unknown = !filters.is_empty() && Pipeline::new(spec).is_err();
    Ok(is_unknown || (!filters.is_empty() && creation.has_plain_edges()?))
}

/// Everything about the array but its elements.
fn describe(
    shared: &Shared,
    node: &NodePath,
    dataset: &Dataset,
    stored: &Stored,
) -> Result<(ArraySpec, Layout)> {
    let corrupt = shared.corrupt(node);
    let creation = dataset.creation().map_err(&corrupt)?;
    let layout = creation.layout().map_err(&corrupt)?;
    let extent = dataset.space().and_then(|space| space.extent()).map_err(&corrupt)?;
    let (extent, max_shape) = match extent {
        ffi::Extent::Null => (Extent::Null, None),
        ffi::Extent::Scalar => (Extent::Shape(Vec::new()), Some(Vec::new())),
        ffi::Extent::Simple { shape, max_shape } => (Extent::Shape(shape), Some(max_shape)),
    };
    let mut spec = ArraySpec::new(stored.dtype.clone(), Vec::new());
    spec.extent = extent;
    spec.grid = match &layout {
        Layout::Chunked(chunk) => {
            ChunkGrid::regular(chunk.clone()).map_err(|error| shared.at(error, node))?
        }
        _ => ChunkGrid::whole(spec.shape()),
    };
    spec.contiguous = !matches!(layout, Layout::Chunked(_)) && !spec.is_null();
    if spec.contiguous && stored.is_direct {
        byte_len(spec.shape(), stored.dtype.item_size()).map_err(|e| shared.at(e, node))?;
    }
    spec.max_shape = max_shape;
    if stored.endian == Some(Endian::Big) {
        spec.codecs.push(CodecSpec::ByteOrder(Endian::Big));
    }
    let item_size = stored.dtype.item_size();
    for filter in creation.filters().map_err(&corrupt)? {
        spec.codecs.push(filter::codec_of(&filter, item_size));
    }
    spec.fill_value = fill_value(shared, &creation, stored, dataset).map_err(&corrupt)?;
    let location = dataset.location().map_err(&corrupt)?;
    let context: (&dyn ffi::References, _) = (shared, &shared.limits);
    let rank = spec.grid.rank();
    spec.dimension_names = scales::read_names(&location, node, rank, context).ok().flatten();
    Ok((spec, layout))
}

fn fill_value(
    shared: &Shared,
    creation: &ffi::DatasetCreation,
    stored: &Stored,
    dataset: &Dataset,
) -> ffi::Result<Option<Values>> {
    let dtype = &stored.dtype;
    match creation.fill_status()? {
        FillStatus::Undefined => Ok(None),
        FillStatus::Zero => Ok(Some(Values::zeroed(dtype.clone(), Vec::new())?)),
        FillStatus::Defined => {
            let memory = memory_of(stored, dataset.datatype()?)?;
            let (mut item, mut heap) = (vec![0_u8; dtype.item_size()], Vec::new());
            creation.fill_value(&memory, (&mut item, &mut heap), (shared, &shared.limits))?;
            if stored.is_direct && stored.is_foreign() {
                swap_items(dtype, &mut item);
            }
            Ok(Some(Values::new(dtype.clone(), Vec::new(), item, heap)?))
        }
    }
}
