//! Where elements that lie in other files lie: the sources of virtual datasets, external storage.

use std::ffi::{CStr, c_char, c_uint};

use hdf5_metno_sys::h5::hsize_t;
use hdf5_metno_sys::h5d::H5D_VIRTUAL;
use hdf5_metno_sys::h5p::{
    H5Pget_external, H5Pget_external_count, H5Pget_virtual_count, H5Pget_virtual_dsetname,
    H5Pget_virtual_filename, H5Pset_layout, H5Pset_virtual,
};

use super::{DatasetCreation, Failure, Result, Space, call, lock, sized_text};

/// A part of a file that holds elements of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExternalPart {
    /// The file, as the dataset names it.
    pub(crate) file: String,
    /// The first byte.
    pub(crate) offset: u64,
    /// Bytes; `None` for all that there are.
    pub(crate) len_bytes: Option<u64>,
}

/// A mapping of a virtual dataset: the names of a file and of a dataset, perhaps with `%b` for
/// the number of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VirtualSource {
    pub(crate) file: String,
    pub(crate) dataset: String,
}

/// The longest name of a file in an external file list that is read.
const MAX_NAME_LEN: usize = 1 << 16;

impl DatasetCreation {
    /// The parts of external files, in order.
    pub(crate) fn external_parts(&self) -> Result<Vec<ExternalPart>> {
        let _lock = lock();
        let n = call!("external files", H5Pget_external_count(self.id().raw()))?;
        (0..c_uint::try_from(n).unwrap_or(0)).map(|at| self.external_part(at)).collect()
    }

    fn external_part(&self, at: c_uint) -> Result<ExternalPart> {
        let mut name = vec![0_u8; MAX_NAME_LEN];
        let (mut offset, mut len): (i64, hsize_t) = (0, 0);
        let (to, offset_to, len_to) =
            (name.as_mut_ptr().cast::<c_char>(), &raw mut offset, &raw mut len);
        // The library writes at most as many bytes as the second argument says.
        call!(
            "external file",
            H5Pget_external(self.id().raw(), at, name.len(), to, offset_to.cast(), len_to)
        )?;
        let end = name.iter().position(|&byte| byte == 0);
        let end = end.ok_or_else(|| Failure::new("external file", "a name without an end"))?;
        name.truncate(end);
        let offset = u64::try_from(offset)
            .map_err(|_| Failure::new("external file", format!("offset {offset} is negative")))?;
        Ok(ExternalPart {
            file: String::from_utf8_lossy(&name).into_owned(),
            offset,
            len_bytes: (len != hsize_t::MAX).then_some(len),
        })
    }

    /// Makes the dataset to be created a virtual one.
    pub(crate) fn set_virtual(&self) -> Result<()> {
        call!("layout", H5Pset_layout(self.id().raw(), H5D_VIRTUAL)).map(drop)
    }

    /// Adds a mapping: the elements that `from` selects in a dataset of a file are those that `to`
    /// selects.
    pub(crate) fn push_virtual(
        &self,
        to: &Space,
        (file, dataset): (&CStr, &CStr),
        from: &Space,
    ) -> Result<()> {
        let (file, dataset) = (file.as_ptr(), dataset.as_ptr());
        let (to, from) = (to.id().raw(), from.id().raw());
        call!("virtual source", H5Pset_virtual(self.id().raw(), to, file, dataset, from)).map(drop)
    }

    /// The mappings of a virtual dataset.
    pub(crate) fn virtual_sources(&self) -> Result<Vec<VirtualSource>> {
        let _lock = lock();
        let id = self.id().raw();
        let mut n = 0;
        call!("virtual sources", H5Pget_virtual_count(id, &raw mut n))?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (0..n)
            .map(|at| {
                // SAFETY: `sized_text` keeps buffer and length together.
                let file = sized_text("virtual source", |to, len| unsafe {
                    H5Pget_virtual_filename(id, at, to, len)
                })?;
                // SAFETY: as above.
                let dataset = sized_text("virtual source", |to, len| unsafe {
                    H5Pget_virtual_dsetname(id, at, to, len)
                })?;
                Ok(VirtualSource { file: text(file), dataset: text(dataset) })
            })
            .collect()
    }
}
