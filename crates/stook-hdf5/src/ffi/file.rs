//! Files: opening, creating, flushing.

use std::ffi::{c_int, c_uint, c_void};
use std::path::Path;

use hdf5_metno_sys::h5::herr_t;
use hdf5_metno_sys::h5f::{
    H5F_ACC_EXCL, H5F_ACC_RDONLY, H5F_ACC_RDWR, H5F_ACC_SWMR_READ, H5F_ACC_TRUNC, H5F_CLOSE_WEAK,
    H5F_LIBVER_EARLIEST, H5F_LIBVER_V110, H5F_SCOPE_GLOBAL, H5Fcreate, H5Fflush, H5Fget_filesize,
    H5Fget_vfd_handle, H5Fopen,
};
use hdf5_metno_sys::h5i::hid_t;
use hdf5_metno_sys::h5p::{
    H5P_CLS_FILE_ACCESS, H5P_CLS_FILE_CREATE, H5P_DEFAULT, H5Pcreate, H5Pset_cache,
    H5Pset_fclose_degree, H5Pset_file_locking, H5Pset_libver_bounds, H5Pset_sieve_buf_size,
};

use super::plist::{AttributeOrder, set_attribute_order};
use super::{Id, Result, c_string, call, lock};

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

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// An existing file, for reading.
    Read,
    /// An existing file, for reading and writing.
    Write,
    /// A new file; fails if there is one.
    Create,
    /// A new file in the place of any that is there.
    Truncate,
}

/// An open file.
#[derive(Debug)]
pub(crate) struct File {
    id: Id,
}

impl File {
    /// Opens or creates the file at `path`. A file is read without a lock where another process
    /// holds one, and as a reader beside its writer where it is marked as being written.
    pub(crate) fn open(path: &Path, access: Access, order: AttributeOrder) -> Result<Self> {
        let _lock = lock();
        let opened = Self::open_with(path, access, order, Way::Locked);
        let Err(failure) = opened else { return opened };
        let is_reading = access == Access::Read;
        let again = if is_reading && failure.mentions("unable to lock file") {
            Self::open_with(path, access, order, Way::Unlocked)
        } else if is_reading && failure.mentions("already open for write") {
            Self::open_with(path, access, order, Way::BesideWriter)
        } else {
            return Err(failure);
        };
        match again {
            Err(second) if is_reading && second.mentions("already open for write") => {
                Self::open_with(path, access, order, Way::BesideWriter)
            }
            // The first failure says why the second way was tried at all.
            again => again.map_err(|_| failure),
        }
    }

    fn open_with(path: &Path, access: Access, order: AttributeOrder, way: Way) -> Result<Self> {
        let name = c_string(path.as_os_str().as_encoded_bytes())?;
        let fapl = access_list(access, way)?;
        let id = match access {
            Access::Read | Access::Write => {
                let flags = match (access, way) {
                    (Access::Read, Way::BesideWriter) => H5F_ACC_RDONLY | H5F_ACC_SWMR_READ,
                    (Access::Read, _) => H5F_ACC_RDONLY,
                    _ => H5F_ACC_RDWR,
                };
                call!("open", H5Fopen(name.as_ptr(), flags, fapl.raw()))?
            }
            Access::Create | Access::Truncate => {
                let fcpl = Id::owned(call!("file properties", H5Pcreate(*H5P_CLS_FILE_CREATE))?);
                set_attribute_order(&fcpl, order)?;
                let flags: c_uint =
                    if access == Access::Create { H5F_ACC_EXCL } else { H5F_ACC_TRUNC };
                call!("create", H5Fcreate(name.as_ptr(), flags, fcpl.raw(), fapl.raw()))?
            }
        };
        let file = Self { id: Id::owned(id) };
        #[cfg(unix)]
        file.close_on_exec();
        Ok(file)
    }

    /// Keeps child processes from inheriting the descriptor, and with it the lock.
    #[cfg(unix)]
    fn close_on_exec(&self) {
        if let Some(descriptor) = self.descriptor() {
            // SAFETY: setting a flag on a descriptor fails at worst.
            unsafe { fcntl(descriptor, F_SETFD, FD_CLOEXEC) };
        }
    }

    /// What the operating system calls the file in the library's hands.
    #[cfg(unix)]
    pub(crate) fn descriptor(&self) -> Option<c_int> {
        let mut handle: *mut c_void = std::ptr::null_mut();
        let to = &raw mut handle;
        call!("file handle", H5Fget_vfd_handle(self.id.raw(), H5P_DEFAULT, to)).ok()?;
        // SAFETY: the driver of local files, which is the only one used here, hands out a
        // pointer to its descriptor.
        (!handle.is_null()).then(|| unsafe { *handle.cast::<c_int>() })
    }

    /// Puts `other` in the place of the descriptor in the library's hands: what it writes from
    /// here on goes there.
    #[cfg(unix)]
    pub(crate) fn replace_descriptor(&self, other: &impl std::os::fd::AsRawFd) {
        if let Some(descriptor) = self.descriptor() {
            // SAFETY: both descriptors are open; the library owns its own by number only.
            unsafe {
                dup2(other.as_raw_fd(), descriptor);
                fcntl(descriptor, F_SETFD, FD_CLOEXEC);
            }
        }
    }

    pub(super) fn id(&self) -> &Id {
        &self.id
    }

    /// Hands everything the library holds to the operating system.
    pub(crate) fn flush(&self) -> Result<()> {
        call!("flush", H5Fflush(self.id.raw(), H5F_SCOPE_GLOBAL)).map(drop)
    }

    /// The bytes of the file as the library sees it.
    pub(crate) fn len_bytes(&self) -> Result<u64> {
        let mut len = 0;
        call!("file size", H5Fget_filesize(self.id.raw(), &raw mut len))?;
        Ok(len)
    }
}

/// How a file that others may have open is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Locked,
    Unlocked,
    /// As HDF5's single-writer mode has it: the writer keeps what is on disk readable.
    BesideWriter,
}

/// Close the file with the last object, as the library does for sources of virtual datasets that it
/// opens by itself (all who open one file must agree); keep no chunk cache, write what HDF5 1.10
/// reads.
fn access_list(access: Access, way: Way) -> Result<Id> {
    let fapl = Id::owned(call!("file access properties", H5Pcreate(*H5P_CLS_FILE_ACCESS))?);
    let id = fapl.raw();
    call!("close degree", H5Pset_fclose_degree(id, H5F_CLOSE_WEAK))?;
    call!("chunk cache", H5Pset_cache(id, 0, 1, 0, 1.0))?;
    // Elements are also read and written past the library, which must not keep any.
    call!("sieve buffer", H5Pset_sieve_buf_size(id, 0))?;
    call!("integrity checks", H5Pset_relax_file_integrity_checks(id, RELAX_UNUSED_BITS))?;
    let take = u8::from(way == Way::Locked);
    call!("file locking", H5Pset_file_locking(id, take, 1))?;
    if access != Access::Read {
        call!("format bounds", H5Pset_libver_bounds(id, H5F_LIBVER_EARLIEST, H5F_LIBVER_V110))?;
    }
    Ok(fapl)
}
