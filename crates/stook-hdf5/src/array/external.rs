//! Elements in files of their own, read past the library.

use std::path::PathBuf;

use stook_core::file::{FileIo, LocalFile};
use stook_core::{Error, NodePath, Result};

use crate::ffi;
use crate::shared::Shared;

/// What external storage is to a file, in errors.
const WHAT: &str = "external storage";
/// Where the library is told more folders with external storage.
const VARIABLE: &str = "HDF5_EXTFILE_PREFIX";

/// Parts of files, which follow one another.
#[derive(Debug)]
pub(super) struct ExternalFiles {
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    name: String,
    /// `None` if there is no such file.
    file: Option<LocalFile>,
    offset: u64,
    /// The first byte of the elements that lies here, and the first that does not.
    start: u64,
    end: u64,
}

/// Where the parts of the storage of `creation` lie.
///
/// # Errors
/// `Unsupported` where one may not be opened.
fn find(
    shared: &Shared,
    node: &NodePath,
    creation: &ffi::DatasetCreation,
) -> Result<Vec<(ffi::ExternalPart, Option<PathBuf>)>> {
    let parts = creation.external_parts().map_err(shared.corrupt(node))?;
    let find = |part: ffi::ExternalPart| {
        let path = shared.surroundings.find(&part.file, WHAT, VARIABLE);
        Ok((part, path.map_err(|error| shared.at(error, node))?))
    };
    parts.into_iter().map(find).collect()
}

impl ExternalFiles {
    pub(super) fn open(
        shared: &Shared,
        node: &NodePath,
        creation: &ffi::DatasetCreation,
    ) -> Result<Self> {
        let mut parts = Vec::new();
        let mut start = 0_u64;
        for (part, path) in find(shared, node, creation)? {
            let end = part.len_bytes.map_or(u64::MAX, |len| start.saturating_add(len));
            let file = path.map(LocalFile::open).transpose()?;
            parts.push(Part { name: part.file, file, offset: part.offset, start, end });
            start = end;
        }
        Ok(Self { parts })
    }

    /// Fills `out` with the bytes from `offset` on; behind the end of a file they are zero.
    pub(super) fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let mut done = 0_usize;
        while done < out.len() {
            let at = offset.checked_add(done as u64);
            let part = at.and_then(|at| self.parts.iter().find(|p| p.start <= at && at < p.end));
            let (Some(at), Some(part)) = (at, part) else {
                return Err(Error::corrupt("the elements do not fit in their external storage"));
            };
            let n = usize::try_from(part.end - at).unwrap_or(usize::MAX).min(out.len() - done);
            let out = out.get_mut(done..done + n).unwrap_or(&mut []);
            part.read_at(at - part.start, out)?;
            done += n;
        }
        Ok(())
    }
}

impl Part {
    fn read_at(&self, at: u64, out: &mut [u8]) -> Result<()> {
        let Some(file) = &self.file else {
            return Err(Error::not_found(format!("{WHAT} `{}` does not exist", self.name)));
        };
        let start = self.offset.checked_add(at);
        let start = start.ok_or_else(|| Error::corrupt("the elements' address overflows"))?;
        let n = file.len_bytes()?.saturating_sub(start);
        let n = usize::try_from(n).unwrap_or(usize::MAX).min(out.len());
        let (there, behind) = out.split_at_mut(n);
        behind.fill(0);
        if there.is_empty() { Ok(()) } else { file.read_exact_at(start, there) }
    }
}
