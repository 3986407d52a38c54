//! Places in a file: groups, datasets, named datatypes, opened by path or address.

use std::ffi::CStr;
use std::mem::MaybeUninit;

use hdf5_metno_sys::h5g::{H5Gcreate2, H5Gget_create_plist};
use hdf5_metno_sys::h5i::{H5I_GROUP, H5I_INVALID_HID, H5Iget_type};
use hdf5_metno_sys::h5o::{
    H5O_INFO_BASIC, H5O_TYPE_DATASET, H5O_TYPE_GROUP, H5O_TYPE_NAMED_DATATYPE, H5O_info2_t,
    H5O_type_t, H5Oget_info_by_name3, H5Oget_info3, H5Oopen,
};
use hdf5_metno_sys::h5p::{H5P_CRT_ORDER_TRACKED, H5P_DEFAULT, H5Pget_attr_creation_order};
use hdf5_metno_sys::h5r::{H5R_OBJECT1, H5Rcreate, H5Rget_name};

use super::plist::{AttributeOrder, group_creation, link_access, link_creation};
use super::{Datatype, File, Id, Result, call, lock, sized_text};
use crate::container::NameOrder;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectKind {
    /// A group.
    Group,
    /// A dataset.
    Dataset,
    /// A committed datatype.
    Datatype,
    /// Something this library version does not know.
    Unknown,
}

impl ObjectKind {
    fn from_raw(kind: H5O_type_t) -> Self {
        match kind {
            H5O_TYPE_GROUP => Self::Group,
            H5O_TYPE_DATASET => Self::Dataset,
            H5O_TYPE_NAMED_DATATYPE => Self::Datatype,
            _ => Self::Unknown,
        }
    }
}

/// An open object of any kind.
#[derive(Debug)]
pub(crate) struct Location {
    id: Id,
}

impl Location {
    /// Opens the object at `path` of `file`, following links in this file.
    pub(crate) fn open(file: &File, path: &CStr) -> Result<Self> {
        let lapl = link_access()?;
        let id = call!("open", H5Oopen(file.id().raw(), path.as_ptr(), lapl))?;
        Ok(Self { id: Id::owned(id) })
    }

    /// Creates the group at `path`, and the groups above it.
    pub(crate) fn create_group(
        file: &File,
        path: &CStr,
        order: AttributeOrder,
        names: NameOrder,
    ) -> Result<Self> {
        let lcpl = link_creation(path)?;
        let gcpl = group_creation(order, names)?;
        let id = call!(
            "create group",
            H5Gcreate2(file.id().raw(), path.as_ptr(), lcpl, gcpl, H5P_DEFAULT)
        )?;
        Ok(Self { id: Id::owned(id) })
    }

    pub(super) fn owned(id: Id) -> Self {
        Self { id }
    }

    pub(super) fn id(&self) -> &Id {
        &self.id
    }

    /// The named datatype that this is.
    pub(crate) fn into_datatype(self) -> Datatype {
        Datatype::owned(self.id)
    }

    /// What the object at `path`, relative to this one, is; links are followed in this file.
    pub(crate) fn kind_at(&self, path: &CStr) -> Result<ObjectKind> {
        let lapl = link_access()?;
        let mut info = MaybeUninit::<H5O_info2_t>::zeroed();
        call!(
            "object information",
            H5Oget_info_by_name3(
                self.id.raw(),
                path.as_ptr(),
                info.as_mut_ptr(),
                H5O_INFO_BASIC,
                lapl
            )
        )?;
        // SAFETY: as in `info`.
        Ok(ObjectKind::from_raw(unsafe { info.assume_init() }.type_))
    }

    /// Whether it is a group.
    pub(crate) fn is_group(&self) -> bool {
        let _lock = lock();
        // SAFETY: the id is valid and the call takes nothing else.
        unsafe { H5Iget_type(self.id.raw()) == H5I_GROUP }
    }

    /// What names the object in this process: its file's number and its address.
    pub(crate) fn identity(&self) -> Result<(u64, u64)> {
        identity(&self.id)
    }

    /// Whether the object, a group, remembers the order of its attributes.
    pub(crate) fn attribute_order(&self) -> Result<AttributeOrder> {
        let plist = Id::owned(call!("group properties", H5Gget_create_plist(self.id.raw()))?);
        let mut flags = 0;
        call!("group properties", H5Pget_attr_creation_order(plist.raw(), &raw mut flags))?;
        let is_tracked = flags & H5P_CRT_ORDER_TRACKED != 0;
        Ok(if is_tracked { AttributeOrder::Tracked } else { AttributeOrder::Untracked })
    }
}

impl File {
    /// The path of the object that the stored reference `address` names, if it names one.
    pub(crate) fn dereference(&self, address: u64) -> Result<Option<String>> {
        if address == 0 || address == u64::MAX {
            return Ok(None);
        }
        // SAFETY: the library reads an address; `sized_text` keeps buffer and length together.
        let text = sized_text("reference", |buffer, len| unsafe {
            H5Rget_name(self.id().raw(), H5R_OBJECT1, (&raw const address).cast(), buffer, len)
        })?;
        Ok((!text.is_empty()).then(|| String::from_utf8_lossy(&text).into_owned()))
    }

    /// The reference to the object at `path`.
    pub(crate) fn reference(&self, path: &CStr) -> Result<u64> {
        let mut address = 0_u64;
        // An object reference of the old kind is an address, and needs no dataspace.
        let (to, none) = ((&raw mut address).cast(), H5I_INVALID_HID);
        call!("reference", H5Rcreate(to, self.id().raw(), path.as_ptr(), H5R_OBJECT1, none))?;
        Ok(address)
    }
}

/// The number of the open file and the address of the object in it: unique in this process, and
/// the same for all ids of one object.
#[expect(clippy::host_endian_bytes, reason = "an identity in this process only")]
pub(super) fn identity(id: &Id) -> Result<(u64, u64)> {
    let info = info(id)?;
    // SAFETY: a token is 16 plain bytes; the native format keeps the address in the first 8.
    let token: [u8; 16] = unsafe { std::mem::transmute(info.token) };
    let address = token.first_chunk::<8>().map_or(0, |bytes| u64::from_ne_bytes(*bytes));
    Ok((info.fileno, address))
}

fn info(id: &Id) -> Result<H5O_info2_t> {
    let mut info = MaybeUninit::<H5O_info2_t>::zeroed();
    call!("object information", H5Oget_info3(id.raw(), info.as_mut_ptr(), H5O_INFO_BASIC))?;
    // SAFETY: the call succeeded, so the library has filled the basic fields; the others are
    // integers, for which the zeros from before are valid.
    Ok(unsafe { info.assume_init() })
}
