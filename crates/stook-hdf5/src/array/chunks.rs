//! The bytes of chunks, read past the library.

use std::cell::Cell;

use stook_core::chunk::{ChunkList, ChunkPart, Deliver};
use stook_core::file::FileIo;
use stook_core::store::ReadTo;
use stook_core::{EncodedChunk, Error, NodePath, Result};

use crate::ffi::ChunkRecord;
use crate::shared::Shared;
use crate::state::Place;

/// Chunks that lie closer than this are read together with what is between them.
const GAP_LEN_BYTES: u64 = 16 << 10;
/// Parts of chunks from here on are read straight to where they go, each by a call of its own:
/// that costs less than a copy.
const DIRECT_LEN_BYTES: usize = 32 << 10;
/// The most that is read at once.
const READ_LEN_BYTES: u64 = 4 << 20;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Reads the chunks of an array.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkReader<'a> {
    pub(super) shared: &'a Shared,
    pub(super) node: &'a NodePath,
}

impl ChunkReader<'_> {
    fn at_chunk(&self, error: Error, index: &[u64]) -> Error {
        self.shared.at(error.at_chunk(index), self.node)
    }

    /// Refuses a record that the file cannot hold, before anything is allocated for it.
    fn check_record(&self, record: &ChunkRecord, len_file: u64) -> Result<()> {
        self.shared.limits.chunk(record.len_bytes)?;
        match record.address.checked_add(record.len_bytes) {
            Some(end) if end <= len_file => Ok(()),
            _ => Err(Error::corrupt(format!(
                "expected {} bytes at {}, found a file of {len_file} bytes",
                record.len_bytes, record.address
            ))),
        }
    }

    /// Reads the chunks of `wanted` (positions in `at`, sorted by address) that lie close to one
    /// another, and delivers them.
    fn read_run(
        &self,
        run: &[(usize, ChunkRecord)],
        at: ChunkList<'_>,
        buffer: &mut Vec<u8>,
        deliver: &Deliver<'_>,
    ) -> Result<()> {
        let (Some((first_at, first)), Some((_, last))) = (run.first(), run.last()) else {
            return Ok(());
        };
        let end = run.iter().map(|(_, r)| r.address + r.len_bytes).max().unwrap_or(last.address);
        let len = usize::try_from(end - first.address)
            .map_err(|_| Error::limit("a chunk larger than memory"))?;
        if buffer.len() < len {
            buffer.resize(len, 0);
        }
        let bytes = buffer.get_mut(..len).unwrap_or(&mut []);
        self.shared
            .io
            .read_exact_at(first.address, bytes)
            .map_err(|error| self.at_chunk(error, at.get(*first_at)))?;
        for (position, record) in run {
            let start = usize::try_from(record.address - first.address).unwrap_or(usize::MAX);
            let len = usize::try_from(record.len_bytes).unwrap_or(usize::MAX);
            let bytes = bytes.get(start..start.saturating_add(len)).unwrap_or(&[]);
            deliver(*position, Some(EncodedChunk { bytes, skipped: record.skipped }))?;
        }
        Ok(())
    }

    /// Reads a part of the chunk that lies at `place`, of items as they are.
    pub(super) fn read_part(
        &self,
        place: Place,
        part: ChunkPart<'_>,
        out: &mut [u8],
    ) -> Result<ReadTo> {
        let record = match place {
            Place::At(record) => record,
            Place::Nowhere => return Ok(ReadTo::Missing),
            Place::Moved => return Ok(ReadTo::Unable),
        };
        if record.len_bytes != part.len_chunk as u64 {
            return Ok(ReadTo::Unable);
        }
        let mut read = || {
            self.check_record(&record, self.shared.io.len_bytes()?)?;
            self.shared.io.read_exact_at(record.address.saturating_add(part.from as u64), out)
        };
        read().map(|()| ReadTo::Done).map_err(|error| self.at_chunk(error, part.index))
    }

    /// Delivers the chunks of `wanted`, which are at the positions of `at` that it says.
    pub(super) fn read(
        &self,
        wanted: &mut [(usize, ChunkRecord)],
        at: ChunkList<'_>,
        deliver: &Deliver<'_>,
    ) -> Result<()> {
        if wanted.is_empty() {
            return Ok(());
        }
        let len_file = self.shared.io.len_bytes()?;
        for (position, record) in wanted.iter() {
            self.check_record(record, len_file)
                .map_err(|error| self.at_chunk(error, at.get(*position)))?;
        }
        wanted.sort_unstable_by_key(|(_, record)| record.address);
        let mut buffer = BUFFER.take();
        let result = runs(wanted).try_for_each(|run| self.read_run(run, at, &mut buffer, deliver));
        if buffer.capacity() as u64 <= 2 * READ_LEN_BYTES {
            BUFFER.set(buffer);
        }
        result
    }
}

/// Whether a part of `len` bytes is read sooner by itself than with other chunks.
pub(super) fn is_read_in_parts(part: &ChunkPart<'_>, len: usize) -> bool {
    part.is_alone || len >= DIRECT_LEN_BYTES
}

/// Cuts records sorted by address where there is a gap, or much to read.
fn runs(records: &[(usize, ChunkRecord)]) -> impl Iterator<Item = &[(usize, ChunkRecord)]> {
    let mut start = 0;
    let mut len = 0_u64;
    records.chunk_by(move |(_, a), (_, b)| {
        if len == 0 {
            start = a.address;
        }
        let end = a.address.saturating_add(a.len_bytes);
        len = b.address.saturating_add(b.len_bytes).saturating_sub(start);
        let is_near = b.address >= end && b.address - end <= GAP_LEN_BYTES && len <= READ_LEN_BYTES;
        if !is_near {
            len = 0;
        }
        is_near
    })
}
