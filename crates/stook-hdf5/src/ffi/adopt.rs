//! Objects that were written past the library become the library's.
//!
//! Space is taken at the end of the file, which the library asks the driver for whenever it
//! allocates some itself. What lies there is opened by its address and linked; from then on it is
//! an object as any other.

use std::ffi::{CStr, c_uint, c_void};

use hdf5_metno_sys::h5d::{H5D_ALLOC_TIME_EARLY, H5D_FILL_TIME_NEVER, H5Dcreate_anon};
use hdf5_metno_sys::h5f::{
    H5F_ACC_SWMR_WRITE, H5F_FSPACE_STRATEGY_FSM_AGGR, H5F_info2_t, H5Fget_create_plist,
    H5Fget_info2, H5Fget_intent, H5Fget_vfd_handle,
};
use hdf5_metno_sys::h5o::{H5O_token_t, H5Odecr_refcount, H5Olink, H5Oopen_by_token};
use hdf5_metno_sys::h5p::{
    H5P_CLS_DATASET_CREATE, H5P_DEFAULT, H5Pcreate, H5Pget_file_space_strategy, H5Pget_sizes,
    H5Pget_sym_k, H5Pget_userblock, H5Pset_alloc_time, H5Pset_fill_time,
};
use stook_core::Error;

use super::plist::link_creation;
use super::{Datatype, File, Id, Location, Result, Space, call, driver, lock};
use crate::native::NAMES_K;

/// More than the library keeps in store for small data, so that it takes it from the end of the
/// file.
const PROBE_LEN_BYTES: u64 = 4096;

/// What may be made past the library in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MayAdopt {
    /// Arrays.
    pub(crate) arrays: bool,
    /// Groups of the old style.
    pub(crate) groups: bool,
}

/// The superblock of files in which the library makes groups of the new style.
const SUPERBLOCK_V110: u32 = 3;

impl File {
    /// What may be made past the library: nothing unless it takes space from the end of the file as it
    /// comes, addresses count from its first byte, and nobody follows the writing; groups where the
    /// library would make them in the old style, with as many names a node as ours.
    pub(crate) fn may_adopt(&self) -> Result<MayAdopt> {
        let _lock = lock();
        let file = self.id().raw();
        let mut intent: c_uint = 0;
        call!("intent", H5Fget_intent(file, &raw mut intent))?;
        let fcpl = Id::owned(call!("file properties", H5Fget_create_plist(file))?);
        let (mut strategy, mut persists, mut threshold) = (H5F_FSPACE_STRATEGY_FSM_AGGR, 0, 0_u64);
        let (to, persists_to, threshold_to) =
            (&raw mut strategy, &raw mut persists, &raw mut threshold);
        call!(
            "space strategy",
            H5Pget_file_space_strategy(fcpl.raw(), to, persists_to, threshold_to)
        )?;
        let (mut block, mut addresses, mut lengths) = (0_u64, 0, 0);
        call!("user block", H5Pget_userblock(fcpl.raw(), &raw mut block))?;
        call!("sizes", H5Pget_sizes(fcpl.raw(), &raw mut addresses, &raw mut lengths))?;
        let (mut children, mut symbols) = (0, 0);
        call!("sizes", H5Pget_sym_k(fcpl.raw(), &raw mut children, &raw mut symbols))?;
        let mut info = H5F_info2_t::default();
        call!("superblock", H5Fget_info2(file, &raw mut info))?;
        let arrays = intent & H5F_ACC_SWMR_WRITE == 0
            && strategy == H5F_FSPACE_STRATEGY_FSM_AGGR
            && persists == 0
            && (block, addresses, lengths) == (0, 8, 8);
        let is_old = info.super_.version < SUPERBLOCK_V110;
        Ok(MayAdopt { arrays, groups: arrays && is_old && (children, symbols) == NAMES_K })
    }

    /// Takes `len` bytes at the end of the file, whose address this gives.
    pub(crate) fn reserve(&self, len: u64) -> Result<u64> {
        let _lock = lock();
        let mut open: *mut c_void = std::ptr::null_mut();
        call!("driver", H5Fget_vfd_handle(self.id().raw(), H5P_DEFAULT, &raw mut open))?;
        let address = driver::reserve(open, len)
            .ok_or_else(|| super::Failure::from(Error::limit("the file is too long")))?;
        self.note_end()?;
        Ok(address)
    }

    /// Has the library note that the file is longer, so that it writes so to the superblock: it
    /// does when it takes something from the end, which goes again.
    fn note_end(&self) -> Result<()> {
        let dcpl = Id::owned(call!("dataset properties", H5Pcreate(*H5P_CLS_DATASET_CREATE))?);
        call!("allocation", H5Pset_alloc_time(dcpl.raw(), H5D_ALLOC_TIME_EARLY))?;
        call!("filling", H5Pset_fill_time(dcpl.raw(), H5D_FILL_TIME_NEVER))?;
        let (bytes, space) =
            (Datatype::integer(1, false, false)?, Space::fixed(&[PROBE_LEN_BYTES])?);
        let (file, kind, space) = (self.id().raw(), bytes.id().raw(), space.id().raw());
        let probe = call!("probe", H5Dcreate_anon(file, kind, space, dcpl.raw(), H5P_DEFAULT))?;
        drop(Id::owned(probe));
        Ok(())
    }

    /// Gives the object whose header lies at `address`, and that says it has one link, the name
    /// `name` in `group`. Where that fails the object goes, with its elements.
    pub(crate) fn adopt(&self, address: u64, group: &Location, name: &CStr) -> Result<()> {
        let _lock = lock();
        let lcpl = link_creation(name)?;
        let object =
            Id::owned(call!("open", H5Oopen_by_token(self.id().raw(), token_of(address)))?);
        // As an object that was made without a name: it goes when it is closed and still has none.
        call!("link count", H5Odecr_refcount(object.raw()))?;
        let (from, to) = (object.raw(), group.id().raw());
        call!("create", H5Olink(from, to, name.as_ptr(), lcpl, H5P_DEFAULT)).map(drop)
    }
}

/// What names the object at `address` to the library.
fn token_of(address: u64) -> H5O_token_t {
    let mut token = [0_u8; size_of::<H5O_token_t>()];
    if let Some(front) = token.first_chunk_mut::<8>() {
        *front = address.to_le_bytes();
    }
    // SAFETY: a token is as many plain bytes; the native format has the address in the first 8.
    unsafe { std::mem::transmute(token) }
}
