//! Arrays of the plain forms in a file that is only read: no call of the library is made for them.
//!
//! What is found not to be plain when it is read, or to be damaged, is left to the library, which
//! also has the words for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use stook_core::chunk::{
    Access, Block, ChunkList, ChunkPart, ChunkSource, ChunkWrite, Deliver, ValueSource, VisitStored,
};
use stook_core::dtype::OpaqueType;
use stook_core::file::FileIo;
use stook_core::store::ReadTo;
use stook_core::values::byte_len;
use stook_core::{
    Array, ArraySpec, AxisSelection, ChunkGrid, DType, EncodedChunk, Error, NodePath, Result,
    Selection, Values,
};

use super::chunks::{ChunkReader, is_read_in_parts};
use super::{Hdf5Array, access_of};
use crate::filter;
use crate::native::{Dataset, Fill, Place, Reader, Span, TEXT_LEN};
use crate::shared::Shared;
use crate::state::{self, ChunkIndex, fingerprint};

/// An array that is read past the library.
#[derive(Debug)]
pub(crate) struct PlainArray {
    shared: Arc<Shared>,
    node: NodePath,
    spec: Arc<ArraySpec>,
    place: Place,
    identity: u64,
    /// Where chunks lie; `None` within where the library must be asked.
    index: OnceLock<Option<ChunkIndex>>,
    /// Chunks that were passed on the way to those that were looked for by themselves.
    n_passed: AtomicU64,
    /// Of text: its references, as an array.
    references: Option<Array>,
    /// The array by way of the library, once it was needed.
    library: OnceLock<Hdf5Array>,
}

/// Of so many chunks one may be looked for by itself before the index is read.
const FEW: u64 = 8;
/// Of so many chunks the index is read before a part of one.
const SHORT: u64 = 4096;

impl PlainArray {
    /// The array at `node`; `None` where it is not of a plain form.
    pub(crate) fn open(shared: &Arc<Shared>, node: &NodePath) -> Option<Self> {
        let native = shared.native.as_ref()?;
        let (address, dataset) = native.dataset(node)?;
        let spec = spec_of(&dataset)?;
        byte_len(spec.shape(), spec.dtype.item_size()).ok()?;
        let of = |spec: ArraySpec, identity: u64| Self {
            shared: Arc::clone(shared),
            node: node.clone(),
            spec: Arc::new(spec),
            place: dataset.place.clone(),
            identity,
            index: OnceLock::new(),
            n_passed: AtomicU64::new(0),
            references: None,
            library: OnceLock::new(),
        };
        let identity = fingerprint((native.number(), address));
        if !dataset.is_text() {
            return Some(of(spec, identity));
        }
        let raw = of(references_of(&spec), identity.wrapping_add(1));
        let references = Array::new(Arc::new(raw), &shared.path, node.clone());
        Some(Self { references: Some(references), ..of(spec, identity) })
    }

    fn native(&self) -> Option<&Reader> {
        self.shared.native.as_ref()
    }

    /// The array as the library has it.
    fn library(&self) -> Result<&Hdf5Array> {
        if let Some(known) = self.library.get() {
            return Ok(known);
        }
        let opened = Hdf5Array::open(&self.shared, &self.node)?;
        Ok(self.library.get_or_init(|| opened))
    }

    /// Where all chunks lie, as far as that is understood.
    fn index(&self) -> Option<&ChunkIndex> {
        let read = || {
            let mut index = ChunkIndex::empty(&self.spec).ok()?;
            let Place::Chunks { tree, shape } = &self.place else { return None };
            if let Some(tree) = tree {
                let (first, last) = (vec![0; shape.len()], vec![u64::MAX; shape.len()]);
                let (span, n) = (Span { first: &first, last: &last }, index.n_places());
                let mut insert = |first: &[u64], record| index.insert(first, record);
                self.native()?.chunks((*tree, n), span, &mut insert)?;
            }
            Some(index)
        };
        self.index.get_or_init(read).as_ref()
    }

    /// Where some chunks lie that are near one another, as an index of little more than them:
    /// where it would take longer to read that of all. The outer `None` is for this.
    #[expect(clippy::option_option, reason = "not worth it is not the same as not understood")]
    fn index_of(&self, at: ChunkList<'_>) -> Option<Option<ChunkIndex>> {
        let Place::Chunks { tree: Some(tree), shape } = &self.place else { return None };
        if self.index.get().is_some() {
            return None;
        }
        let mut index = ChunkIndex::empty(&self.spec).ok()?;
        let ends = at.iter().map(|chunk| Some((index.position(chunk)?, chunk)));
        let ends = ends.collect::<Option<Vec<_>>>()?;
        let (first, last) = (ends.iter().min()?, ends.iter().max()?);
        let n = last.0 - first.0 + 1;
        // Who asks again and again has the index read at last: a box of tiles may be of few, and have
        // many between them.
        if n > index.n_places() / FEW
            || self.n_passed.fetch_add(n, Ordering::Relaxed) > index.n_places() / 2
        {
            return None;
        }
        let element = |chunk: &[u64]| -> Vec<u64> {
            chunk.iter().zip(shape).map(|(&at, &len)| at.saturating_mul(len)).collect()
        };
        let (first, last) = (element(first.1), element(last.1));
        let span = Span { first: &first, last: &last };
        let mut insert = |first: &[u64], record| index.insert(first, record);
        let read = self.native()?.chunks((*tree, n), span, &mut insert);
        let is_all = at.iter().all(|chunk| index.get(chunk) != state::Place::Nowhere);
        // What is not found by the keys of the tree is not there only if no node has it.
        (read.is_none() || is_all).then(|| read.map(|()| index))
    }

    /// Reads all elements, which lie in one piece, and delivers them as a chunk.
    fn read_whole(
        &self,
        address: Option<u64>,
        at: ChunkList<'_>,
        deliver: &Deliver<'_>,
    ) -> Result<()> {
        let located = |error: Error| self.shared.at(error, &self.node);
        let len = byte_len(self.spec.shape(), self.spec.dtype.item_size()).map_err(located)?;
        let len = self.shared.limits.chunk(len as u64).map_err(located)?;
        for position in 0..at.len() {
            let Some(address) = address else {
                deliver(position, None)?;
                continue;
            };
            let found = self.shared.io.len_bytes()?;
            if address.checked_add(len as u64).is_none_or(|end| end > found) {
                let message = format!(
                    "expected {len} bytes of elements at {address}, found a file of {found} bytes"
                );
                return Err(located(Error::corrupt(message)));
            }
            let mut bytes = vec![0; len];
            self.shared.io.read_exact_at(address, &mut bytes).map_err(located)?;
            deliver(position, Some(EncodedChunk { bytes: &bytes, skipped: 0 }))?;
        }
        Ok(())
    }

    fn read_only<T>(&self) -> Result<T> {
        self.shared.expect_writable(&self.node)?;
        let message = "the array was opened for reading";
        Err(self.shared.at(Error::read_only(message), &self.node))
    }
}

/// Everything about the array but its elements.
fn spec_of(dataset: &Dataset) -> Option<ArraySpec> {
    let mut spec = ArraySpec::new(dataset.dtype.clone(), dataset.shape.clone());
    spec.grid = match &dataset.place {
        Place::Chunks { shape, .. } => ChunkGrid::regular(shape.clone()).ok()?,
        Place::Whole { .. } => ChunkGrid::whole(&dataset.shape),
    };
    spec.contiguous = matches!(dataset.place, Place::Whole { .. });
    spec.max_shape = Some(dataset.max_shape.clone());
    let item_size = dataset.dtype.item_size();
    spec.codecs = dataset.filters.iter().map(|it| filter::codec_of(it, item_size)).collect();
    let scalar = |item: Vec<u8>| Values::new(dataset.dtype.clone(), Vec::new(), item, Vec::new());
    spec.fill_value = match &dataset.fill {
        Fill::Undefined => None,
        Fill::Zero => Some(Values::zeroed(dataset.dtype.clone(), Vec::new()).ok()?),
        Fill::Item(item) => Some(scalar(item.clone()).ok()?),
    };
    Some(spec)
}

/// The references of text, as elements.
fn references_of(spec: &ArraySpec) -> ArraySpec {
    let opaque = OpaqueType { size: TEXT_LEN, tag: String::new() };
    let dtype = DType::Opaque(Arc::new(opaque));
    ArraySpec { dtype, fill_value: None, ..spec.clone() }
}

impl ChunkSource for PlainArray {
    fn spec(&self) -> Arc<ArraySpec> {
        Arc::clone(&self.spec)
    }

    fn identity(&self) -> u64 {
        self.identity
    }

    fn is_fixed(&self) -> bool {
        true
    }

    fn access(&self) -> Access {
        access_of(&self.spec)
    }

    fn read_chunks(&self, at: ChunkList<'_>, deliver: &Deliver<'_>) -> Result<()> {
        self.shared.io.expect_kept().map_err(|error| self.shared.at(error, &self.node))?;
        if let Place::Whole { address } = self.place {
            return self.read_whole(address, at, deliver);
        }
        let some = self.index_of(at);
        let index = match &some {
            Some(some) => some.as_ref(),
            None => self.index(),
        };
        let Some(index) = index else { return self.library()?.read_chunks(at, deliver) };
        let mut stored = Vec::with_capacity(at.len());
        for (position, chunk) in at.iter().enumerate() {
            match index.get(chunk) {
                state::Place::At(record) => stored.push((position, record)),
                _ => deliver(position, None)?,
            }
        }
        ChunkReader { shared: &self.shared, node: &self.node }.read(&mut stored, at, deliver)
    }

    fn read_part(&self, part: ChunkPart<'_>, out: &mut [u8]) -> Result<ReadTo> {
        let is_chunked = matches!(self.place, Place::Chunks { .. });
        if !is_chunked || !is_read_in_parts(&part, out.len()) {
            return Ok(ReadTo::Unable);
        }
        self.shared.io.expect_kept().map_err(|error| self.shared.at(error, &self.node))?;
        // Rows are often read one by one: a short index is worth reading at once.
        let counts = self.spec.grid.counts(self.spec.shape());
        let n_chunks = counts.iter().fold(1_u64, |n, &count| n.saturating_mul(count));
        let is_long = n_chunks > SHORT;
        let some = is_long.then(|| self.index_of(ChunkList::one(part.index))).flatten();
        let index = match &some {
            Some(some) => some.as_ref(),
            None => self.index(),
        };
        let Some(index) = index else { return Ok(ReadTo::Unable) };
        let reader = ChunkReader { shared: &self.shared, node: &self.node };
        reader.read_part(index.get(part.index), part, out)
    }

    fn write_chunks(&self, _: &[ChunkWrite<'_>]) -> Result<()> {
        self.read_only()
    }

    fn erase_chunks(&self, _: ChunkList<'_>) -> Result<()> {
        self.read_only()
    }

    fn resize(&self, _: &[u64]) -> Result<()> {
        self.read_only()
    }

    fn chunk_version(&self, _: &[u64]) -> Result<Option<u64>> {
        Ok(Some(0))
    }

    fn values(&self) -> Option<&dyn ValueSource> {
        if self.references.is_some() { Some(self) } else { None }
    }

    fn is_stored(&self, unit: &[u64]) -> Result<Option<bool>> {
        match self.index() {
            Some(index) if self.references.is_none() => {
                Ok(Some(index.get(unit) != state::Place::Nowhere))
            }
            _ => self.library()?.is_stored(unit),
        }
    }

    fn visit_stored(&self, visit: &mut VisitStored<'_>) -> Result<bool> {
        match self.index() {
            Some(index) => index.stored().iter().try_for_each(|at| visit(at)).map(|()| true),
            None => self.library()?.visit_stored(visit),
        }
    }

    fn n_stored(&self) -> Result<u64> {
        match self.index() {
            Some(index) if self.references.is_none() => Ok(index.n_stored()),
            _ => self.library()?.n_stored(),
        }
    }

    fn len_stored_bytes(&self) -> Result<u64> {
        match self.index() {
            Some(index) if self.references.is_none() => Ok(index.len_bytes()),
            _ => self.library()?.len_stored_bytes(),
        }
    }
}

impl ValueSource for PlainArray {
    fn read_block(&self, block: Block<'_>, items: &mut [u8], heap: &mut Vec<u8>) -> Result<()> {
        let (Some(references), Some(native)) = (&self.references, self.native()) else {
            return self.library()?.read_block(block, items, heap);
        };
        let ranges = block.start.iter().zip(block.shape);
        let ranges = ranges.map(|(&start, &n)| AxisSelection::range(start, start + n)).collect();
        let found = references.read(&Selection::Axes(ranges))?;
        let before = heap.len();
        if native.texts(found.items(), (items, heap)).is_some() {
            return Ok(());
        }
        heap.truncate(before);
        self.library()?.read_block(block, items, heap)
    }

    fn write_block(&self, _: Block<'_>, _: &[u8], _: &[u8]) -> Result<()> {
        self.read_only()
    }
}
