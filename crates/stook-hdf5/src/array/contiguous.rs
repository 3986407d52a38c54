//! Elements in one piece, read and written in place.

use std::sync::atomic::{AtomicU64, Ordering};

use stook_core::chunk::{Block, ChunkList, ChunkWrite, Deliver, InPlace};
use stook_core::codec::swap_items;
use stook_core::container::Mode;
use stook_core::file::{FileIo, Mapping};
use stook_core::values::byte_len;
use stook_core::{ArraySpec, EncodedChunk, Error, Result};

use super::external::ExternalFiles;
use super::{Hdf5Array, Way};
use crate::ffi;
use crate::shared::Shared;

/// Where the elements lie.
#[derive(Debug)]
pub(super) struct Contiguous {
    len_bytes: u64,
    /// The first byte in the file; `NOWHERE` until something is written.
    offset: AtomicU64,
    map: Option<Mapping>,
    /// The files that hold the elements, where that is not the file of the array.
    files: Option<ExternalFiles>,
}

const NOWHERE: u64 = u64::MAX;

impl Contiguous {
    pub(super) fn new(spec: &ArraySpec, shared: &Shared) -> Result<Self> {
        let len_bytes = byte_len(spec.shape(), spec.dtype.item_size())? as u64;
        let is_mapped = shared.memory_map && shared.mode == Mode::Read && len_bytes > 0;
        let map = if is_mapped { shared.io.map() } else { None };
        let offset = AtomicU64::new(NOWHERE);
        Ok(Self { len_bytes, offset, map, files: None })
    }

    /// Elements in files of their own.
    pub(super) fn external(spec: &ArraySpec, files: ExternalFiles) -> Result<Self> {
        let len_bytes = byte_len(spec.shape(), spec.dtype.item_size())? as u64;
        let offset = AtomicU64::new(NOWHERE);
        Ok(Self { len_bytes, offset, map: None, files: Some(files) })
    }

    /// The first byte, if anything has been written.
    fn offset(&self, array: &Hdf5Array) -> Result<Option<u64>> {
        let known = self.offset.load(Ordering::Acquire);
        if known != NOWHERE {
            return Ok(Some(known));
        }
        let found = array.dataset.offset(array.shared.file());
        let found = found.map_err(array.shared.io(&array.node))?;
        self.offset.store(found.unwrap_or(NOWHERE), Ordering::Release);
        Ok(found)
    }

    /// Whether anything has been written; `None` where there is room, all of it at once.
    pub(super) fn is_stored(&self, array: &Hdf5Array) -> Result<Option<bool>> {
        Ok((self.files.is_none() && self.offset(array)?.is_none()).then_some(false))
    }

    /// The first byte, after having the library make room.
    fn allocated(&self, array: &Hdf5Array) -> Result<u64> {
        // Under the lock, so that no other handle writes an element over what this one wrote.
        let _lock = ffi::lock();
        if let Some(offset) = self.offset(array)? {
            return Ok(offset);
        }
        let io = array.shared.io(&array.node);
        // The library makes room when it writes: one element, which fills the others where the
        // file has a fill value of its own.
        let spec = array.state.spec();
        let (start, shape) = (vec![0; spec.shape().len()], vec![1; spec.shape().len()]);
        let size = spec.dtype.item_size();
        let fill = spec.fill_value.as_ref().map_or_else(|| vec![0; size], |v| v.items().to_vec());
        let before = array.shared.file().len_bytes().map_err(&io)?;
        array.write_values(Block { start: &start, shape: &shape }, &fill, &[])?;
        array.shared.file().flush().map_err(&io)?;
        let offset = self.offset(array)?;
        let offset = offset.ok_or_else(|| array.at(Error::corrupt("no storage was allocated")))?;
        let is_zero = fill.iter().all(|&byte| byte == 0);
        if is_zero && offset < before {
            // Room that something else has left: the library does not clear it.
            let zeros = vec![0; 1 << 16];
            let mut at = 0;
            let end = self.len_bytes.min(before - offset);
            while at < end {
                let n = (end - at).min(zeros.len() as u64);
                let n = usize::try_from(n).unwrap_or(zeros.len());
                array.shared.io.write_at(offset + at, zeros.get(..n).unwrap_or(&zeros))?;
                at += n as u64;
            }
        }
        Ok(offset)
    }

    fn check(&self, array: &Hdf5Array, offset: u64, len: usize) -> Result<()> {
        match offset.checked_add(len as u64) {
            Some(end) if end <= self.len_bytes => Ok(()),
            _ => Err(array.at(Error::invalid(format!(
                "{len} bytes at {offset} lie outside the {} bytes of the elements",
                self.len_bytes
            )))),
        }
    }

    /// Delivers all elements as the one chunk there is.
    pub(super) fn read_chunks(
        &self,
        array: &Hdf5Array,
        at: ChunkList<'_>,
        deliver: &Deliver<'_>,
    ) -> Result<()> {
        for position in 0..at.len() {
            if self.files.is_none() && self.offset(array)?.is_none() {
                deliver(position, None)?;
                continue;
            }
            let len = array.shared.limits.chunk(self.len_bytes).map_err(|e| array.at(e))?;
            if self.files.is_none() {
                array.expect_stored(len as u64)?;
            }
            let mut bytes = vec![0; len];
            array.read_at(0, &mut bytes)?;
            deliver(position, Some(EncodedChunk { bytes: &bytes, skipped: 0 }))?;
        }
        Ok(())
    }

    /// Stores all elements, given as the one chunk there is.
    pub(super) fn write_chunks(&self, array: &Hdf5Array, chunks: &[ChunkWrite<'_>]) -> Result<()> {
        chunks.iter().try_for_each(|chunk| match chunk.bytes {
            Some(bytes) => array.write_at(0, bytes),
            None => array.fill(ChunkList::one(chunk.index)),
        })
    }
}

impl Hdf5Array {
    fn contiguous(&self) -> Result<&Contiguous> {
        match &self.way {
            Way::Contiguous(contiguous) => Ok(contiguous),
            _ => Err(self.at(Error::unsupported("the elements do not lie in one piece"))),
        }
    }

    /// Refuses where the file is too short for `len` bytes of elements.
    fn expect_stored(&self, len: u64) -> Result<()> {
        let found = self.shared.io.len_bytes()?;
        let offset = self.contiguous()?.offset(self)?.unwrap_or(0);
        if offset.checked_add(len).is_none_or(|end| end > found) {
            return Err(self.at(Error::corrupt(format!(
                "expected {len} bytes at {offset}, found a file of {found} bytes"
            ))));
        }
        Ok(())
    }
}

impl InPlace for Hdf5Array {
    fn mapped(&self) -> Option<&[u8]> {
        let contiguous = self.contiguous().ok()?;
        let map = contiguous.map.as_deref()?;
        let start = usize::try_from(contiguous.offset(self).ok()??).ok()?;
        let len = usize::try_from(contiguous.len_bytes).ok()?;
        map.get(start..start.checked_add(len)?)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let contiguous = self.contiguous()?;
        contiguous.check(self, offset, out.len())?;
        if let Some(files) = &contiguous.files {
            return files.read_at(offset, out).map_err(|error| self.at(error));
        }
        if let Some(start) = contiguous.offset(self)? {
            let at = start.checked_add(offset);
            let at =
                at.ok_or_else(|| self.at(Error::corrupt("the elements' address overflows")))?;
            return self.shared.io.read_exact_at(at, out).map_err(|error| self.at(error));
        }
        let spec = self.state.spec();
        match &spec.fill_value {
            Some(fill) if fill.items().iter().any(|&byte| byte != 0) => {
                let mut item = fill.items().to_vec();
                if self.stored.is_foreign() {
                    swap_items(&spec.dtype, &mut item);
                }
                let skip = usize::try_from(offset % item.len() as u64).unwrap_or(0);
                let bytes = item.iter().copied().cycle().skip(skip);
                out.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
            }
            _ => out.fill(0),
        }
        Ok(())
    }

    fn is_writable(&self) -> bool {
        self.shared.mode == Mode::ReadWrite && !self.is_elsewhere
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.start_change()?;
        let contiguous = self.contiguous()?;
        contiguous.check(self, offset, bytes.len())?;
        if bytes.is_empty() {
            return Ok(());
        }
        let start = match contiguous.offset(self)? {
            Some(start) => start,
            None => contiguous.allocated(self)?,
        };
        self.shared.io.write_at(start + offset, bytes).map_err(|error| self.at(error))
    }
}
