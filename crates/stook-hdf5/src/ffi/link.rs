//! Links of a group: listing, creating, moving, deleting.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering};

use hdf5_metno_sys::h5::{H5_INDEX_NAME, H5_ITER_NATIVE, hbool_t, herr_t};
use hdf5_metno_sys::h5i::hid_t;
use hdf5_metno_sys::h5l::{
    H5L_info2_t, H5Lcreate_external, H5Lcreate_hard, H5Lcreate_soft, H5Ldelete, H5Lexists,
    H5Lget_info2, H5Lget_val, H5Literate2, H5Lmove, H5Lunpack_elink_val,
};
use hdf5_metno_sys::h5p::H5P_DEFAULT;

use stook_core::ErrorKind;

use super::plist::{link_access, link_creation};
use super::{Failure, File, Location, Result, call, lock};

/// How often a link was taken away in this process, or tried to be.
static N_UNLINKED: AtomicU64 = AtomicU64::new(0);

/// A number that changes when a path may lead to something else than before.
pub(crate) fn n_unlinked() -> u64 {
    N_UNLINKED.load(Ordering::Relaxed)
}

/// What a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkClass {
    /// To an object of this file, by address.
    Hard,
    /// To a path.
    Soft,
    /// To a path in another file.
    External,
    /// Of a class that an application registered.
    User,
}

impl LinkClass {
    fn from_raw(class: c_int) -> Self {
        match class {
            0 => Self::Hard,
            1 => Self::Soft,
            64 => Self::External,
            _ => Self::User,
        }
    }
}

/// `H5L_info2_t` with a plain number for the class, which a file may set to what the enum of the
/// bindings does not list.
#[repr(C)]
#[derive(Clone, Copy)]
struct LinkInfo {
    class: c_int,
    corder_valid: hbool_t,
    corder: i64,
    cset: c_int,
    /// An object token, or the length of the link's value as `usize` in its first 8 bytes.
    value: [u64; 2],
}

const _: () = assert!(size_of::<LinkInfo>() == size_of::<H5L_info2_t>());

/// A link of a group.
#[derive(Clone, Debug)]
pub(crate) struct LinkRecord {
    /// Its name, without the NUL.
    pub(crate) name: CString,
    /// What it is.
    pub(crate) class: LinkClass,
    /// The address of the object that a hard link leads to.
    pub(crate) address: Option<u64>,
    /// The position among the names that were made, where the group keeps it.
    pub(crate) created: Option<u64>,
}

struct Listing {
    links: Vec<LinkRecord>,
    limit: u64,
}

extern "C" fn push_link(
    _: hid_t,
    name: *const c_char,
    info: *const H5L_info2_t,
    listing: *mut c_void,
) -> herr_t {
    // SAFETY: the library passes a NUL-terminated name, a record of the layout above, and the
    // pointer given to the iteration.
    let (name, info, listing) = unsafe {
        (CStr::from_ptr(name), &*info.cast::<LinkInfo>(), &mut *listing.cast::<Listing>())
    };
    if listing.links.len() as u64 >= listing.limit {
        return -1;
    }
    let class = LinkClass::from_raw(info.class);
    let address = (class == LinkClass::Hard).then_some(info.value[0]);
    let created = u64::try_from(info.corder).ok().filter(|_| info.corder_valid != 0);
    listing.links.push(LinkRecord { name: name.to_owned(), class, address, created });
    0
}

impl Location {
    /// The links of this group in the order of its index, at most `limit`.
    pub(crate) fn links(&self, limit: u64) -> Result<Vec<LinkRecord>> {
        let mut listing = Listing { links: Vec::new(), limit };
        let (mut at, data) = (0, (&raw mut listing).cast());
        let (id, index) = (self.id().raw(), H5_INDEX_NAME);
        let listed = call!(
            "list",
            H5Literate2(id, index, H5_ITER_NATIVE, &raw mut at, Some(push_link), data)
        );
        if listed.is_err() && listing.links.len() as u64 >= limit {
            let message = format!("more names than the limit of {limit}");
            return Err(Failure::new("list", message).of(ErrorKind::LimitExceeded));
        }
        listed.map(|_| listing.links)
    }

    /// The class of the link `name` of this group, or `None` if there is no such link.
    pub(crate) fn link(&self, name: &CStr) -> Result<Option<LinkClass>> {
        let _lock = lock();
        let lapl = link_access()?;
        if call!("look up", H5Lexists(self.id().raw(), name.as_ptr(), lapl))? == 0 {
            return Ok(None);
        }
        Ok(Some(LinkClass::from_raw(self.link_info(name)?.class)))
    }

    fn link_info(&self, name: &CStr) -> Result<LinkInfo> {
        let mut info = MaybeUninit::<LinkInfo>::zeroed();
        // The record has the size of the library's (asserted above).
        let record = info.as_mut_ptr().cast();
        call!("link", H5Lget_info2(self.id().raw(), name.as_ptr(), record, H5P_DEFAULT))?;
        // SAFETY: all fields are integers; the library has filled them.
        Ok(unsafe { info.assume_init() })
    }

    /// The bytes of the value of the soft or external link `name`.
    fn link_value(&self, name: &CStr) -> Result<Vec<u8>> {
        let _lock = lock();
        let len = self.link_info(name)?.value[0];
        let len = usize::try_from(len).ok().filter(|&len| len <= 1 << 20).ok_or_else(|| {
            Failure::new("link", format!("a link value of {len} bytes is implausible"))
        })?;
        let mut value = vec![0_u8; len];
        // The library writes at most `len` bytes.
        let buffer = value.as_mut_ptr().cast();
        call!("link", H5Lget_val(self.id().raw(), name.as_ptr(), buffer, len, H5P_DEFAULT))?;
        Ok(value)
    }

    /// The path that the soft link `name` holds.
    pub(crate) fn soft_target(&self, name: &CStr) -> Result<String> {
        let mut value = self.link_value(name)?;
        value.truncate(value.iter().position(|&byte| byte == 0).unwrap_or(value.len()));
        Ok(String::from_utf8_lossy(&value).into_owned())
    }

    /// The file and the path that the external link `name` holds.
    pub(crate) fn external_target(&self, name: &CStr) -> Result<(String, String)> {
        let mut value = self.link_value(name)?;
        // Whatever the file says, the text ends within the buffer.
        value.extend([0, 0]);
        let mut flags: c_uint = 0;
        let (mut file, mut path) = (std::ptr::null(), std::ptr::null());
        let _lock = lock();
        call!(
            "external link",
            H5Lunpack_elink_val(
                value.as_ptr().cast(),
                value.len(),
                &raw mut flags,
                &raw mut file,
                &raw mut path
            )
        )?;
        // SAFETY: on success both point into `value`, which ends with NUL bytes.
        let text = |at| unsafe { CStr::from_ptr(at) }.to_string_lossy().into_owned();
        Ok((text(file), text(path)))
    }

    /// Gives the object at the path `target` of this location the further name `name`.
    pub(crate) fn link_hard(&self, target: &CStr, name: &CStr) -> Result<()> {
        let lcpl = link_creation(name)?;
        let id = self.id().raw();
        call!(
            "create hard link",
            H5Lcreate_hard(id, target.as_ptr(), id, name.as_ptr(), lcpl, H5P_DEFAULT)
        )
        .map(drop)
    }

    /// Makes `name` a soft link to `target`.
    pub(crate) fn link_soft(&self, name: &CStr, target: &CStr) -> Result<()> {
        let lcpl = link_creation(name)?;
        call!(
            "create soft link",
            H5Lcreate_soft(target.as_ptr(), self.id().raw(), name.as_ptr(), lcpl, H5P_DEFAULT)
        )
        .map(drop)
    }

    /// Makes `name` an external link to `path` of `file`.
    pub(crate) fn link_external(&self, name: &CStr, file: &CStr, path: &CStr) -> Result<()> {
        let lcpl = link_creation(name)?;
        call!(
            "create external link",
            H5Lcreate_external(
                file.as_ptr(),
                path.as_ptr(),
                self.id().raw(),
                name.as_ptr(),
                lcpl,
                H5P_DEFAULT
            )
        )
        .map(drop)
    }

    /// Deletes the link `name`; an object without links goes with it.
    pub(crate) fn unlink(&self, name: &CStr) -> Result<()> {
        N_UNLINKED.fetch_add(1, Ordering::Relaxed);
        call!("remove", H5Ldelete(self.id().raw(), name.as_ptr(), H5P_DEFAULT)).map(drop)
    }
}

impl File {
    /// Moves the link at `from` to `to`, creating the groups above it.
    pub(crate) fn rename(&self, from: &CStr, to: &CStr) -> Result<()> {
        N_UNLINKED.fetch_add(1, Ordering::Relaxed);
        let lcpl = link_creation(to)?;
        let id = self.id().raw();
        call!("rename", H5Lmove(id, from.as_ptr(), id, to.as_ptr(), lcpl, H5P_DEFAULT)).map(drop)
    }
}
