//! The sources of virtual arrays, checked before the library opens them.
//!
//! The library finds and opens sources by itself, at any time between opening a virtual dataset
//! and reading it, as their names say. Whatever it would come by is opened here
//! first: by the rules of [`crate::outside`], without links that leave a file, down to sources
//! that are virtual themselves.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use stook_core::container::Mode;
use stook_core::{Error, ErrorKind, NodePath, Result};

use crate::ffi::{
    Access, AttributeOrder, ChunkCache, Dataset, File, Layout, LinkClass, Location, ObjectKind,
    Oldest, VirtualSource, c_string,
};
use crate::outside::Surroundings;
use crate::shared::Shared;

/// What a source is to a file, in errors.
const WHAT: &str = "source of a virtual array";
/// Where the library is told more folders with sources.
const VARIABLE: &str = "HDF5_VDS_PREFIX";
/// How deep virtual arrays may lie over virtual arrays.
const MAX_DEPTH: usize = 8;

/// Refuses where the sources of the virtual dataset `dataset`, or what they lead to, may not be
/// opened.
///
/// # Errors
/// `Unsupported`, `LimitExceeded`, `Corrupt`, `Io`.
pub(super) fn check(shared: &Arc<Shared>, node: &NodePath, dataset: &Dataset) -> Result<()> {
    let (mode, n_left) = (shared.mode, shared.limits.n_nodes);
    let mut checker = Checker { seen: HashSet::new(), mode, n_left };
    let at = |error| shared.at(error, node);
    checker.dataset(shared.file(), &shared.surroundings, dataset, 0).map_err(at)
}

struct Checker {
    /// Files and paths in them that have been looked at.
    seen: HashSet<(PathBuf, String)>,
    mode: Mode,
    /// How many more sources may be looked at.
    n_left: u64,
}

fn corrupt(failure: crate::ffi::Failure) -> Error {
    Error::new(failure.kind().unwrap_or(ErrorKind::Corrupt), failure.to_string())
}

impl Checker {
    /// Checks what `dataset`, of `file`, leads to.
    fn dataset(
        &mut self,
        file: &File,
        around: &Surroundings,
        dataset: &Dataset,
        depth: usize,
    ) -> Result<()> {
        let creation = dataset.creation().map_err(corrupt)?;
        match creation.layout().map_err(corrupt)? {
            // The library would open the files by names that are relative to wherever it runs.
            Layout::External => Err(Error::unsupported("a virtual array over external storage")),
            Layout::Virtual if depth >= MAX_DEPTH => {
                Err(Error::limit(format!("virtual arrays over virtual arrays, {MAX_DEPTH} deep")))
            }
            Layout::Virtual => {
                let sources = creation.virtual_sources().map_err(corrupt)?;
                sources.iter().try_for_each(|s| self.source(file, around, s, depth))
            }
            _ => Ok(()),
        }
    }

    /// Checks one mapping: a source, or for names with `%b` one after the other until one is
    /// missing, as the library does.
    fn source(
        &mut self,
        file: &File,
        around: &Surroundings,
        source: &VirtualSource,
        depth: usize,
    ) -> Result<()> {
        let (name, path) = (Pattern::new(&source.file), Pattern::new(&source.dataset));
        if !name.has_block && !path.has_block {
            return self.one(file, around, (&name.with(0), &path.with(0)), depth).map(drop);
        }
        let mut block = 0;
        while self.one(file, around, (&name.with(block), &path.with(block)), depth)? {
            block += 1;
        }
        Ok(())
    }

    /// Checks the dataset at `path` of the file called `name`; false if it is not there.
    fn one(
        &mut self,
        file: &File,
        around: &Surroundings,
        (name, path): (&str, &str),
        depth: usize,
    ) -> Result<bool> {
        self.n_left = self.n_left.checked_sub(1).ok_or_else(|| {
            Error::limit("a virtual array of more sources than the limit on nodes")
        })?;
        if name == "." {
            return self.path(file, around, path, depth);
        }
        let Some(found) = around.find(name, WHAT, VARIABLE)? else { return Ok(false) };
        if !self.seen.insert((found.clone(), path.to_owned())) {
            return Ok(true);
        }
        // As the library will open it: a source that it cannot open would read as fill values.
        let access = match self.mode {
            Mode::Read => Access::Read,
            Mode::ReadWrite => Access::Write(Oldest::Any),
        };
        let opened = File::open(&found, access, AttributeOrder::default(), None);
        let opened = opened.map_err(|failure| {
            let error = corrupt(failure).at_file(&found);
            error.within(format!("{WHAT} `{name}`"))
        })?;
        let around = around.beside(&found)?;
        self.path(&opened, &around, path, depth)
    }

    fn path(
        &mut self,
        file: &File,
        around: &Surroundings,
        path: &str,
        depth: usize,
    ) -> Result<bool> {
        let root = Location::open(file, c"/").map_err(corrupt)?;
        let mut above = String::new();
        for segment in path.split('/').filter(|segment| !segment.is_empty() && *segment != ".") {
            above.push('/');
            above.push_str(segment);
            let here = c_string(above.as_str()).map_err(corrupt)?;
            match root.link(&here).map_err(corrupt)? {
                None => return Ok(false),
                Some(LinkClass::Hard) => {}
                Some(_) if root.kind_at(&here).is_ok() => {}
                Some(_) => {
                    let message = format!("{WHAT}: the link `{above}` leads out of its file");
                    return Err(Error::unsupported(message));
                }
            }
            if root.kind_at(&here).map_err(corrupt)? == ObjectKind::Dataset {
                let dataset = Dataset::open_unchecked(file, &here, ChunkCache::None);
                self.dataset(file, around, &dataset.map_err(corrupt)?, depth + 1)?;
            }
        }
        Ok(true)
    }
}

/// A name in which `%b` stands for the number of a block, and `%%` for `%`.
struct Pattern<'a> {
    text: &'a str,
    has_block: bool,
}

impl<'a> Pattern<'a> {
    fn new(text: &'a str) -> Self {
        let has_block = text.replace("%%", "").contains("%b");
        Self { text, has_block }
    }

    fn with(&self, block: u64) -> String {
        let parts = self.text.split("%%").map(|part| part.replace("%b", &block.to_string()));
        parts.collect::<Vec<_>>().join("%")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_numbered_in_names() {
        let pattern = Pattern::new("f-%b-%%b.h5");
        assert_eq!((pattern.has_block, pattern.with(12)), (true, "f-12-%b.h5".to_owned()));
        let pattern = Pattern::new("100%%b");
        assert_eq!((pattern.has_block, pattern.with(3)), (false, "100%b".to_owned()));
    }
}
