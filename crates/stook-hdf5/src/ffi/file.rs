//! Files: opening, creating, flushing.

use std::ffi::{c_int, c_uint};
use std::path::Path;

use hdf5_metno_sys::h5::herr_t;
use hdf5_metno_sys::h5ac::H5AC_cache_config_t;
use hdf5_metno_sys::h5f::{
    H5F_ACC_RDONLY, H5F_ACC_RDWR, H5F_ACC_SWMR_READ, H5F_ACC_TRUNC, H5F_CLOSE_WEAK,
    H5F_LIBVER_EARLIEST, H5F_LIBVER_V110, H5F_SCOPE_GLOBAL, H5Fcreate, H5Fflush,
    H5Fget_create_plist, H5Fget_filesize, H5Fopen, H5Fstart_swmr_write,
};
use hdf5_metno_sys::h5i::hid_t;
use hdf5_metno_sys::h5p::{
    H5P_CLS_FILE_ACCESS, H5P_CLS_FILE_CREATE, H5Pcreate, H5Pget_mdc_config, H5Pget_userblock,
    H5Pset_cache, H5Pset_driver, H5Pset_fclose_degree, H5Pset_libver_bounds, H5Pset_mdc_config,
    H5Pset_sieve_buf_size, H5Pset_userblock,
};

use super::plist::{AttributeOrder, set_attribute_order, set_name_order};
use super::{Id, Result, c_string, call, driver, lock};
use crate::container::NameOrder;
use crate::place::Backing;

unsafe extern "C" {
    /// Missing in `hdf5-metno-sys`. Bit 0 admits datatypes with many unused bits, which the
    /// library otherwise takes for damage in objects without a checksum; n-bit data need them.
    unsafe fn H5Pset_relax_file_integrity_checks(plist: hid_t, flags: u64) -> herr_t;
}

#[cfg(unix)]
unsafe extern "C" {
    unsafe fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
    unsafe fn dup2(from: c_int, to: c_int) -> c_int;
}

// The same numbers on every Unix.
#[cfg(unix)]
const F_SETFD: c_int = 2;
#[cfg(unix)]
const FD_CLOEXEC: c_int = 1;

const RELAX_UNUSED_BITS: u64 = 1;
/// `H5AC__CURR_CACHE_CONFIG_VERSION`.
const CACHE_CONFIG_VERSION: c_int = 1;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// An existing file, for reading.
    Read,
    /// An existing file, for reading and writing.
    Write(Oldest),
    /// An existing file, for reading, as its writer leaves it: it keeps what is on disk readable,
    /// as HDF5's single-writer mode has it.
    ReadBesideWriter,
    /// A new file, which is there, empty.
    Create(New),
}

/// The oldest library that reads what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oldest {
    /// As old as the features that are used allow.
    Any,
    /// HDF5 1.10: structures that can be read while they are written (SWMR).
    V110,
}

/// What a new file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct New {
    pub(crate) oldest: Oldest,
    /// Whether its root keeps the order of its names.
    pub(crate) names: NameOrder,
    /// The bytes before it: none, or a power of two from 512 on.
    pub(crate) user_block: u64,
}

/// An open file.
#[derive(Debug)]
pub(crate) struct File {
    id: Id,
}

impl File {
    /// Opens or creates the file at `path`, which is `backing` where that is known.
    pub(crate) fn open(
        path: &Path,
        access: Access,
        order: AttributeOrder,
        backing: Option<&Backing>,
    ) -> Result<Self> {
        let _lock = lock();
        driver::opening(backing, || Self::open_next(path, access, order))
    }

    fn open_next(path: &Path, access: Access, order: AttributeOrder) -> Result<Self> {
        let name = c_string(path.as_os_str().as_encoded_bytes())?;
        let fapl = access_list(access)?;
        let open = |flags: c_uint| call!("open", H5Fopen(name.as_ptr(), flags, fapl.raw()));
        let id = match access {
            Access::Read => open(H5F_ACC_RDONLY)?,
            Access::ReadBesideWriter => open(H5F_ACC_RDONLY | H5F_ACC_SWMR_READ)?,
            Access::Write(_) => open(H5F_ACC_RDWR)?,
            Access::Create(new) => {
                let fcpl = Id::owned(call!("file properties", H5Pcreate(*H5P_CLS_FILE_CREATE))?);
                set_attribute_order(&fcpl, order)?;
                set_name_order(&fcpl, new.names)?;
                call!("user block", H5Pset_userblock(fcpl.raw(), new.user_block))?;
                let flags = H5F_ACC_TRUNC;
                call!("create", H5Fcreate(name.as_ptr(), flags, fcpl.raw(), fapl.raw()))?
            }
        };
        Ok(Self { id: Id::owned(id) })
    }

    pub(super) fn id(&self) -> &Id {
        &self.id
    }

    /// Another handle to the same open file.
    pub(crate) fn another(&self) -> Result<Self> {
        Ok(Self { id: self.id.another()? })
    }

    /// Hands everything the library holds to the driver.
    pub(crate) fn flush(&self) -> Result<()> {
        call!("flush", H5Fflush(self.id.raw(), H5F_SCOPE_GLOBAL)).map(drop)
    }

    /// Goes over to HDF5's single-writer mode (SWMR): from here on the library writes metadata in
    /// an order in which a reader finds it whole, and uses no room anew that was given up.
    pub(crate) fn start_swmr(&self) -> Result<()> {
        call!("single-writer mode", H5Fstart_swmr_write(self.id.raw())).map(drop)
    }

    /// The bytes before the file begins, which are its user's.
    pub(crate) fn user_block(&self) -> Result<u64> {
        let _lock = lock();
        let fcpl = call!("file properties", H5Fget_create_plist(self.id.raw()))?;
        let fcpl = Id::owned(fcpl);
        let mut len = 0;
        call!("user block", H5Pget_userblock(fcpl.raw(), &raw mut len))?;
        Ok(len)
    }

    /// The bytes of the file as the library sees it.
    pub(crate) fn len_bytes(&self) -> Result<u64> {
        let mut len = 0;
        call!("file size", H5Fget_filesize(self.id.raw(), &raw mut len))?;
        Ok(len)
    }
}

/// Puts `other` in the place of the descriptor of `file`, which gives up what it held, its locks
/// too if it is the last to hold them.
#[cfg(unix)]
pub(crate) fn replace_descriptor(
    file: &impl std::os::fd::AsRawFd,
    other: &impl std::os::fd::AsRawFd,
) {
    // SAFETY: both descriptors are open, and stay owned by who owns them.
    unsafe {
        dup2(other.as_raw_fd(), file.as_raw_fd());
        fcntl(file.as_raw_fd(), F_SETFD, FD_CLOEXEC);
    }
}

/// Close the file with the last object, as the library does for sources of virtual datasets that it
/// opens by itself (all who open one file must agree); keep no chunk cache, write what HDF5 1.10
/// reads.
fn access_list(access: Access) -> Result<Id> {
    let fapl = Id::owned(call!("file access properties", H5Pcreate(*H5P_CLS_FILE_ACCESS))?);
    let id = fapl.raw();
    call!("close degree", H5Pset_fclose_degree(id, H5F_CLOSE_WEAK))?;
    call!("chunk cache", H5Pset_cache(id, 0, 1, 0, 1.0))?;
    // Elements are also read and written past the library, which must not keep any.
    call!("sieve buffer", H5Pset_sieve_buf_size(id, 0))?;
    call!("integrity checks", H5Pset_relax_file_integrity_checks(id, RELAX_UNUSED_BITS))?;
    bound_metadata_cache(&fapl)?;
    call!("file driver", H5Pset_driver(id, driver::id()?, std::ptr::null()))?;
    if let Access::Write(oldest) | Access::Create(New { oldest, .. }) = access {
        let low = match oldest {
            Oldest::Any => H5F_LIBVER_EARLIEST,
            Oldest::V110 => H5F_LIBVER_V110,
        };
        call!("format bounds", H5Pset_libver_bounds(id, low, H5F_LIBVER_V110))?;
    }
    Ok(fapl)
}

/// Bytes of metadata that the library keeps to begin with, and at most. In memory they take about
/// four times as much.
const METADATA_LEN_BYTES: (usize, usize) = (512 << 10, 8 << 20);

/// Has the library begin with a smaller cache than its own 2 MiB, which grows where it is missed.
fn bound_metadata_cache(fapl: &Id) -> Result<()> {
    let mut config = H5AC_cache_config_t { version: CACHE_CONFIG_VERSION, ..Default::default() };
    call!("metadata cache", H5Pget_mdc_config(fapl.raw(), &raw mut config))?;
    (config.initial_size, config.max_size) = METADATA_LEN_BYTES;
    config.min_size = config.initial_size / 2;
    config.set_initial_size = 1;
    call!("metadata cache", H5Pset_mdc_config(fapl.raw(), &raw const config)).map(drop)
}
