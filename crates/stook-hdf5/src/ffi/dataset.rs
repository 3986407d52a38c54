//! Datasets: creating, opening, reading and writing elements and whole chunks.

use std::ffi::{CStr, c_int, c_uint, c_void};

use hdf5_metno_sys::h5::{HADDR_UNDEF, haddr_t, herr_t, hsize_t};
use hdf5_metno_sys::h5d::{
    H5Dchunk_iter, H5Dcreate2, H5Dget_chunk_index_type, H5Dget_create_plist, H5Dget_offset,
    H5Dget_space, H5Dget_storage_size, H5Dget_type, H5Dopen2, H5Dread, H5Dread_chunk2,
    H5Dset_extent, H5Dwrite, H5Dwrite_chunk,
};
use hdf5_metno_sys::h5i::hid_t;
use hdf5_metno_sys::h5p::H5P_DEFAULT;
use stook_core::{ErrorKind, Limits};

use super::object::identity;
use super::plist::{ChunkCache, Layout, dataset_access, link_creation};
use super::values::{MemoryType, References};
use super::{
    DatasetCreation, Datatype, Failure, File, Id, Location, Result, Space, call, driver, lock,
};

/// `H5D_CHUNK_IDX_EARRAY`, which the bindings do not name.
const EXTENSIBLE_ARRAY: c_uint = 4;

unsafe extern "C" {
    /// Missing in `hdf5-metno-sys`.
    unsafe fn H5Dget_chunk_storage_size(
        dataset: hid_t,
        first: *const hsize_t,
        len_bytes: *mut hsize_t,
    ) -> herr_t;
}

/// A chunk that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChunkRecord {
    /// First byte in the file.
    pub(crate) address: u64,
    /// Bytes.
    pub(crate) len_bytes: u64,
    /// The filters that were skipped, a bit each.
    pub(crate) skipped: u32,
}

/// An open dataset.
#[derive(Debug)]
pub(crate) struct Dataset {
    id: Id,
    /// The number of axes, which never changes.
    rank: usize,
}

/// What [`push_chunk`] is given.
struct ChunkVisit<'a> {
    rank: usize,
    visit: &'a mut dyn FnMut(&[u64], ChunkRecord) -> bool,
}

extern "C" fn push_chunk(
    offset: *const hsize_t,
    skipped: c_uint,
    address: haddr_t,
    len_bytes: hsize_t,
    data: *mut c_void,
) -> c_int {
    // SAFETY: the library passes the chunk's offset, a number an axis, and the pointer given to
    // the iteration, whose rank is the dataset's.
    let (offset, data) = unsafe {
        let data = &mut *data.cast::<ChunkVisit<'_>>();
        (std::slice::from_raw_parts(offset, data.rank), data)
    };
    let record = ChunkRecord { address, len_bytes, skipped };
    if (data.visit)(offset, record) { 0 } else { -1 }
}

impl Dataset {
    /// Opens the dataset at `path`, which is not virtual, with or without a chunk cache.
    pub(crate) fn open(file: &File, path: &CStr, cache: ChunkCache) -> Result<Self> {
        let dataset = Self::open_unchecked(file, path, cache)?;
        if dataset.creation()?.layout()? == Layout::Virtual {
            let message = "the sources of a virtual dataset have not been looked at";
            return Err(Failure::new("open", message).of(ErrorKind::Unsupported));
        }
        dataset.ready()
    }

    /// Opens the dataset at `path` without looking at its extent. That of a virtual dataset, and
    /// its elements, have the library open other files, which have to be checked before.
    pub(crate) fn open_unchecked(file: &File, path: &CStr, cache: ChunkCache) -> Result<Self> {
        let dapl = dataset_access(cache)?;
        let id = call!("open", H5Dopen2(file.id().raw(), path.as_ptr(), dapl))?;
        Ok(Self { id: Id::owned(id), rank: 0 })
    }

    /// The dataset with its number of axes known, as all that follows needs it.
    pub(crate) fn ready(mut self) -> Result<Self> {
        self.rank = self.space()?.rank()?;
        Ok(self)
    }

    /// Creates the dataset `path`, and the groups above it.
    pub(crate) fn create(
        file: &File,
        path: &CStr,
        datatype: &Datatype,
        space: &Space,
        properties: &DatasetCreation,
        cache: ChunkCache,
    ) -> Result<Self> {
        let (lcpl, dapl) = (link_creation(path)?, dataset_access(cache)?);
        let id = call!(
            "create",
            H5Dcreate2(
                file.id().raw(),
                path.as_ptr(),
                datatype.id().raw(),
                space.id().raw(),
                lcpl,
                properties.id().raw(),
                dapl
            )
        )?;
        Self { id: Id::owned(id), rank: 0 }.ready()
    }

    /// The same object, for its attributes.
    pub(crate) fn location(&self) -> Result<Location> {
        Ok(Location::owned(self.id.another()?))
    }

    /// What names this dataset in this process: its file's number and its address.
    pub(crate) fn identity(&self) -> Result<(u64, u64)> {
        identity(&self.id)
    }

    /// The type in the file.
    pub(crate) fn datatype(&self) -> Result<Datatype> {
        Ok(Datatype::owned(Id::owned(call!("datatype", H5Dget_type(self.id.raw()))?)))
    }

    /// The extent as it is now.
    pub(crate) fn space(&self) -> Result<Space> {
        Ok(Space::owned(Id::owned(call!("dataspace", H5Dget_space(self.id.raw()))?)))
    }

    /// The properties with which the dataset was created.
    pub(crate) fn creation(&self) -> Result<DatasetCreation> {
        let id = call!("properties", H5Dget_create_plist(self.id.raw()))?;
        Ok(DatasetCreation::owned(Id::owned(id)))
    }

    /// The first byte of contiguous elements in `file`, which they are in, if they have been
    /// allocated.
    pub(crate) fn offset(&self, file: &File) -> Result<Option<u64>> {
        let _lock = lock();
        // SAFETY: the id is valid and the call takes nothing else. "Undefined" also stands for
        // failure, which leaves an error stack that the next call clears.
        let offset = unsafe { H5Dget_offset(self.id.raw()) };
        // The library adds the length of a user block to "undefined", too.
        let is_past = offset.wrapping_add(1).is_power_of_two();
        let is_undefined = offset == HADDR_UNDEF || (is_past && offset < file.user_block()?);
        Ok((!is_undefined).then_some(offset))
    }

    /// The bytes that the elements take in the file.
    pub(crate) fn storage_len_bytes(&self) -> u64 {
        let _lock = lock();
        // SAFETY: the id is valid and the call takes nothing else.
        unsafe { H5Dget_storage_size(self.id.raw()) }
    }

    /// Whether the chunks are in an extensible array, as those of one unlimited axis may be.
    pub(crate) fn is_extensible_array(&self) -> Result<bool> {
        let mut kind = 0;
        call!("chunk index", H5Dget_chunk_index_type(self.id.raw(), &raw mut kind))?;
        Ok(kind == EXTENSIBLE_ARRAY)
    }

    /// Calls `visit(first element, record)` for every chunk that is stored, until it returns
    /// false. `visit` must not call the library.
    pub(crate) fn for_each_chunk(
        &self,
        visit: &mut dyn FnMut(&[u64], ChunkRecord) -> bool,
    ) -> Result<()> {
        let mut data = ChunkVisit { rank: self.rank, visit };
        let data = (&raw mut data).cast();
        call!("list chunks", H5Dchunk_iter(self.id.raw(), H5P_DEFAULT, Some(push_chunk), data))
            .map(drop)
    }

    /// The encoded bytes of the chunk whose first element is `at`, and the filters that were
    /// skipped; `None` if it is not stored.
    ///
    /// This finds one chunk by the index; asking for its address would walk all of them.
    pub(crate) fn read_chunk(&self, at: &[u64], limits: &Limits) -> Result<Option<(Vec<u8>, u32)>> {
        if at.len() != self.rank {
            return Err(Failure::new("read chunk", "an index of another rank than the dataset"));
        }
        let _lock = lock();
        let (mut skipped, mut len) = (0, 0);
        let (skipped_to, len_to) = (&raw mut skipped, &raw mut len);
        let (id, first) = (self.id.raw(), at.as_ptr());
        let none = std::ptr::null_mut();
        let asked =
            call!("find chunk", H5Dread_chunk2(id, H5P_DEFAULT, first, skipped_to, none, len_to));
        match asked {
            Err(failure)
                if failure.mentions("chunk address isn't defined")
                    || failure.mentions("storage is not initialized") =>
            {
                return Ok(None);
            }
            asked => asked?,
        };
        let mut bytes = vec![0_u8; limits.chunk(len as u64)?];
        // The library writes at most `len` bytes, of which there are as many as it said.
        let to = bytes.as_mut_ptr().cast();
        call!("read chunk", H5Dread_chunk2(id, H5P_DEFAULT, first, skipped_to, to, len_to))?;
        bytes.truncate(len);
        Ok(Some((bytes, skipped)))
    }

    /// Stores a whole encoded chunk whose first element is `at`; where it went, if that is known.
    pub(crate) fn write_chunk(&self, at: &[u64], bytes: &[u8]) -> Result<Option<ChunkRecord>> {
        if at.len() != self.rank {
            return Err(Failure::new("write chunk", "an index of another rank than the dataset"));
        }
        let (id, len, from) = (self.id.raw(), bytes.len(), bytes.as_ptr().cast());
        let (written, address) = driver::placing(bytes, || {
            call!("write chunk", H5Dwrite_chunk(id, H5P_DEFAULT, 0, at.as_ptr(), len, from))
        });
        let record = |address| ChunkRecord { address, len_bytes: len as u64, skipped: 0 };
        written.map(|_| address.map(record))
    }

    /// The encoded bytes of the chunk whose first element is `at`; 0 where it is not stored.
    pub(crate) fn chunk_len(&self, at: &[u64]) -> Result<u64> {
        if at.len() != self.rank {
            return Err(Failure::new("find chunk", "an index of another rank than the dataset"));
        }
        let mut len = 0;
        let (id, to) = (self.id.raw(), &raw mut len);
        call!("find chunk", H5Dget_chunk_storage_size(id, at.as_ptr(), to))?;
        Ok(len)
    }

    /// Changes the shape, not the rank.
    pub(crate) fn set_shape(&self, shape: &[u64]) -> Result<()> {
        if shape.len() != self.rank {
            return Err(Failure::new("resize", "a shape of another rank than the dataset"));
        }
        call!("resize", H5Dset_extent(self.id.raw(), shape.as_ptr())).map(drop)
    }

    /// Reads the elements that `selection` selects to `items` and `heap`.
    pub(crate) fn read(
        &self,
        selection: &Space,
        memory: &MemoryType,
        out: (&mut [u8], &mut Vec<u8>),
        context: (&dyn References, &Limits),
    ) -> Result<()> {
        let _lock = lock();
        let n = selection.n_selected()?;
        let in_memory = Space::fixed(&[n])?;
        let kind = memory.datatype().id().raw();
        let (to, from) = (in_memory.id().raw(), selection.id().raw());
        let read = |buffer| {
            call!("read", H5Dread(self.id.raw(), kind, to, from, H5P_DEFAULT, buffer)).map(drop)
        };
        // SAFETY: the call fills as many items as are selected with the memory type.
        unsafe { memory.read(n, out, context, read) }
    }

    /// Writes the elements that `selection` selects from `items` and `heap`.
    pub(crate) fn write(
        &self,
        selection: &Space,
        memory: &MemoryType,
        values: (&[u8], &[u8]),
        references: &dyn References,
    ) -> Result<()> {
        let _lock = lock();
        let n = selection.n_selected()?;
        let in_memory = Space::fixed(&[n])?;
        let kind = memory.datatype().id().raw();
        let (from, to) = (in_memory.id().raw(), selection.id().raw());
        memory.write(n, values, references, |buffer| {
            // `buffer` holds as many items of the memory type as are selected.
            call!("write", H5Dwrite(self.id.raw(), kind, from, to, H5P_DEFAULT, buffer)).map(drop)
        })
    }
}
