//! Attributes of an object.

use std::ffi::{CStr, CString, c_char, c_void};

use hdf5_metno_sys::h5::{H5_INDEX_CRT_ORDER, H5_INDEX_NAME, H5_ITER_INC, H5_index_t, herr_t};
use hdf5_metno_sys::h5a::{
    H5A_info_t, H5Acreate2, H5Adelete, H5Aexists, H5Aget_space, H5Aget_type, H5Aiterate2, H5Aopen,
    H5Aread, H5Arename, H5Awrite,
};
use hdf5_metno_sys::h5i::hid_t;
use hdf5_metno_sys::h5p::H5P_DEFAULT;
use stook_core::Limits;

use super::plist::attribute_creation;
use super::values::{MemoryType, References};
use super::{Datatype, Id, Location, Result, Space, call, lock};

/// An open attribute.
#[derive(Debug)]
pub(crate) struct Attribute {
    id: Id,
}

extern "C" fn push_name(
    _: hid_t,
    name: *const c_char,
    _: *const H5A_info_t,
    names: *mut c_void,
) -> herr_t {
    // SAFETY: the library passes a NUL-terminated name and the pointer given to the iteration.
    let (name, names) = unsafe { (CStr::from_ptr(name), &mut *names.cast::<Vec<CString>>()) };
    names.push(name.to_owned());
    0
}

impl Location {
    /// The names of the attributes, in the order of their creation where that is known.
    pub(crate) fn attribute_names(&self) -> Result<Vec<CString>> {
        let _lock = lock();
        self.iterate(H5_INDEX_CRT_ORDER).or_else(|_| self.iterate(H5_INDEX_NAME))
    }

    fn iterate(&self, index: H5_index_t) -> Result<Vec<CString>> {
        let mut names: Vec<CString> = Vec::new();
        let mut at = 0;
        let (order, data) = (H5_ITER_INC, (&raw mut names).cast());
        call!(
            "list attributes",
            H5Aiterate2(self.id().raw(), index, order, &raw mut at, Some(push_name), data)
        )?;
        Ok(names)
    }

    /// Whether there is an attribute `name`.
    pub(crate) fn has_attribute(&self, name: &CStr) -> Result<bool> {
        Ok(call!("attribute", H5Aexists(self.id().raw(), name.as_ptr()))? > 0)
    }

    /// Opens the attribute `name`.
    pub(crate) fn attribute(&self, name: &CStr) -> Result<Attribute> {
        let id = call!("open attribute", H5Aopen(self.id().raw(), name.as_ptr(), H5P_DEFAULT))?;
        Ok(Attribute { id: Id::owned(id) })
    }

    /// Creates the attribute `name`.
    pub(crate) fn create_attribute(
        &self,
        name: &CStr,
        datatype: &Datatype,
        space: &Space,
    ) -> Result<Attribute> {
        let acpl = attribute_creation()?;
        let (kind, space) = (datatype.id().raw(), space.id().raw());
        let id = call!(
            "create attribute",
            H5Acreate2(self.id().raw(), name.as_ptr(), kind, space, acpl, H5P_DEFAULT)
        )?;
        Ok(Attribute { id: Id::owned(id) })
    }

    /// Deletes the attribute `name`.
    pub(crate) fn delete_attribute(&self, name: &CStr) -> Result<()> {
        call!("delete attribute", H5Adelete(self.id().raw(), name.as_ptr())).map(drop)
    }

    /// Renames an attribute; there is none called `to`.
    pub(crate) fn rename_attribute(&self, from: &CStr, to: &CStr) -> Result<()> {
        call!("rename attribute", H5Arename(self.id().raw(), from.as_ptr(), to.as_ptr())).map(drop)
    }
}

impl Attribute {
    /// Its type in the file.
    pub(crate) fn datatype(&self) -> Result<Datatype> {
        Ok(Datatype::owned(Id::owned(call!("attribute type", H5Aget_type(self.id.raw()))?)))
    }

    /// Its extent.
    pub(crate) fn space(&self) -> Result<Space> {
        Ok(Space::owned(Id::owned(call!("attribute extent", H5Aget_space(self.id.raw()))?)))
    }

    /// Reads all its items to `items` and `heap`.
    pub(crate) fn read(
        &self,
        memory: &MemoryType,
        out: (&mut [u8], &mut Vec<u8>),
        context: (&dyn References, &Limits),
    ) -> Result<()> {
        let _lock = lock();
        let n = self.space()?.n_selected()?;
        let kind = memory.datatype().id().raw();
        let read = |buffer| call!("read attribute", H5Aread(self.id.raw(), kind, buffer)).map(drop);
        // SAFETY: the call fills all `n` items of the attribute with the memory type.
        unsafe { memory.read(n, out, context, read) }
    }

    /// Writes all its items from `items` and `heap`.
    pub(crate) fn write(
        &self,
        memory: &MemoryType,
        values: (&[u8], &[u8]),
        references: &dyn References,
    ) -> Result<()> {
        let _lock = lock();
        let n = self.space()?.n_selected()?;
        let kind = memory.datatype().id().raw();
        memory.write(n, values, references, |buffer| {
            // `buffer` holds `n` items of the memory type.
            call!("write attribute", H5Awrite(self.id.raw(), kind, buffer)).map(drop)
        })
    }
}
