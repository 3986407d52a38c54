//! One array of an npz archive.
//!
//! A stored entry is read and written where it lies; parts of it are not checked against its
//! checksum, which covers the whole. A compressed entry is decoded whole at the first read and
//! kept while this handle lives; the first write turns it into a stored one.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use stook_core::chunk::{ChunkWrite, Deliver};
use stook_core::store::zip::Archive;
use stook_core::{ArraySpec, ChunkList, ChunkSource, Error, InPlace, Limits, Mode, Result};

use crate::elements;
use crate::header::Header;
use crate::npy::identity_of;
use crate::objects::Objects;

#[derive(Debug)]
pub(super) struct NpzSource {
    archive: Arc<Archive>,
    entry: String,
    limits: Limits,
    state: RwLock<State>,
    is_in_place: bool,
    identity: u64,
    /// The version of a compressed entry, and its bytes from the header on.
    decoded: OnceLock<(u64, Vec<u8>)>,
}

/// An array of an archive, as it was opened.
#[derive(Debug)]
pub(super) enum Entry {
    /// Items, where they lie in the archive.
    Items(NpzSource),
    /// Objects, and the bytes that they take there.
    Objects(Objects, u64),
}

#[derive(Debug)]
struct State {
    header: Header,
    data_offset: u64,
    spec: Arc<ArraySpec>,
}

impl State {
    fn new(header: Header, data_offset: u64) -> Self {
        let spec = Arc::new(header.to_spec());
        Self { header, data_offset, spec }
    }
}

impl NpzSource {
    /// Opens `entry`.
    ///
    /// # Errors
    /// Those of [`Header::read`] and [`Objects::read`].
    pub(super) fn open(archive: Arc<Archive>, entry: String, limits: &Limits) -> Result<Entry> {
        let info = archive.info(&entry).ok_or_else(|| Error::not_found("no such array"))?;
        let mut whole = Vec::new();
        let mut header = None;
        if info.is_stored {
            let mut read = |at: u64, out: &mut [u8]| archive.read_at(&entry, at, out);
            header = Some(Header::read(info.len_bytes, limits, &mut read)?);
        }
        if header.as_ref().is_none_or(|(header, _)| header.is_object()) {
            archive.read_whole(&entry, &mut whole, limits.chunk_len_bytes)?;
            let mut read = |at: u64, out: &mut [u8]| copy_part(&whole, at, out);
            header = Some(Header::read(whole.len() as u64, limits, &mut read)?);
        }
        let (header, start) = header.ok_or_else(|| Error::not_found("no such array"))?;
        if header.is_object() {
            let pickle = whole.get(usize::try_from(start).unwrap_or(usize::MAX)..);
            let objects = Objects::read(pickle.unwrap_or_default(), &header.shape, limits)?;
            return Ok(Entry::Objects(objects, info.stored_len_bytes));
        }
        elements::check_len(header.data_len()?, info.len_bytes.saturating_sub(start))?;
        let decoded = OnceLock::new();
        if !info.is_stored {
            let _ = decoded.set((info.version, whole));
        }
        let state = State::new(header, start);
        Ok(Entry::Items(Self::new(archive, entry, limits, state, decoded)))
    }

    pub(super) fn create(
        archive: Arc<Archive>,
        entry: String,
        spec: &ArraySpec,
        limits: &Limits,
    ) -> Result<Self> {
        let header = Header::from_spec(spec)?;
        let bytes = header.to_bytes()?;
        archive.reserve(&entry, &bytes, header.data_len()?)?;
        let state = State::new(header, bytes.len() as u64);
        Ok(Self::new(archive, entry, limits, state, OnceLock::new()))
    }

    fn new(
        archive: Arc<Archive>,
        entry: String,
        limits: &Limits,
        state: State,
        decoded: OnceLock<(u64, Vec<u8>)>,
    ) -> Self {
        let identity = identity_of(archive.path(), &entry);
        let (is_in_place, state) = (state.spec.contiguous, RwLock::new(state));
        Self { archive, entry, limits: limits.clone(), state, is_in_place, identity, decoded }
    }

    /// The decoded bytes, while they are those of the archive.
    fn decoded(&self) -> Option<&[u8]> {
        let (version, bytes) = self.decoded.get()?;
        let is_current = self.archive.info(&self.entry)?.version == *version;
        is_current.then_some(bytes.as_slice())
    }

    /// Where the data begins and its length.
    fn extent(&self) -> Result<(u64, u64)> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        Ok((state.data_offset, state.header.data_len()?))
    }

    /// Where `len` bytes at `offset` of the elements lie in the entry.
    fn place(&self, offset: u64, len: usize) -> Result<u64> {
        let (start, data_len) = self.extent()?;
        elements::check_place(offset, len, data_len)?;
        Ok(start + offset)
    }

    /// Turns a compressed entry into a stored one.
    fn make_stored(&self) -> Result<()> {
        if self.archive.info(&self.entry).is_none_or(|info| info.is_stored) {
            return Ok(());
        }
        match self.decoded() {
            Some(bytes) => self.archive.put(&self.entry, bytes),
            None => {
                let mut bytes = Vec::new();
                let limit = self.limits.chunk_len_bytes;
                self.archive.read_whole(&self.entry, &mut bytes, limit)?;
                self.archive.put(&self.entry, &bytes)
            }
        }
    }
}

fn copy_part(bytes: &[u8], at: u64, out: &mut [u8]) -> Result<()> {
    let start = usize::try_from(at).unwrap_or(usize::MAX);
    let part = bytes.get(start..start.saturating_add(out.len()));
    out.copy_from_slice(part.ok_or_else(|| Error::corrupt("the entry ends too early"))?);
    Ok(())
}

impl ChunkSource for NpzSource {
    fn spec(&self) -> Arc<ArraySpec> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner).spec)
    }

    fn identity(&self) -> u64 {
        self.identity
    }

    fn read_chunks(&self, at: ChunkList<'_>, deliver: &Deliver<'_>) -> Result<()> {
        elements::read_chunks(self, self.extent()?.1, &self.limits, at, deliver)
    }

    fn write_chunks(&self, chunks: &[ChunkWrite<'_>]) -> Result<()> {
        elements::write_chunks(self, self.extent()?.1, chunks)
            .map_err(|error| error.at_file(self.archive.path()))
    }

    fn erase_chunks(&self, _at: ChunkList<'_>) -> Result<()> {
        Err(elements::no_erasing().at_file(self.archive.path()))
    }

    fn resize(&self, shape: &[u64]) -> Result<()> {
        if self.archive.mode() == Mode::Read {
            return Err(Error::read_only("opened for reading only").at_file(self.archive.path()));
        }
        self.make_stored()?;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        elements::check_resize(&state.header, shape)
            .map_err(|error| error.at_file(self.archive.path()))?;
        let mut header = state.header.clone();
        header.shape = shape.to_vec();
        let bytes = header.to_bytes()?;
        self.archive.resize(&self.entry, state.data_offset, &bytes, header.data_len()?)?;
        *state = State::new(header, bytes.len() as u64);
        Ok(())
    }

    fn in_place(&self) -> Option<&dyn InPlace> {
        self.is_in_place.then_some(self)
    }

    fn n_stored(&self) -> Result<u64> {
        Ok(u64::from(self.extent()?.1 > 0))
    }

    fn len_stored_bytes(&self) -> Result<u64> {
        Ok(self.archive.info(&self.entry).map_or(0, |info| info.stored_len_bytes))
    }
}

impl InPlace for NpzSource {
    fn mapped(&self) -> Option<&[u8]> {
        let (start, len) = self.extent().ok()?;
        let start = usize::try_from(start).ok()?;
        self.decoded()?.get(start..start.checked_add(usize::try_from(len).ok()?)?)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let at = self.place(offset, out.len())?;
        match self.decoded() {
            Some(bytes) => copy_part(bytes, at, out),
            None => self.archive.read_at(&self.entry, at, out),
        }
    }

    fn is_writable(&self) -> bool {
        self.archive.mode() == Mode::ReadWrite
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let at = self.place(offset, bytes.len())?;
        self.make_stored()?;
        self.archive.write_at(&self.entry, at, bytes)
    }
}
