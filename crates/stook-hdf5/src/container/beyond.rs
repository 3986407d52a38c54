//! Nodes of other files, reached by external links.
//!
//! The library does not follow such links: a node of another file belongs to that file, whose
//! bytes are read past the library too. So the other file is opened here, for reading, if its
//! place is allowed, and asked for the node.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use stook_core::container::{Mode, OpenOptions};
use stook_core::{Error, ErrorKind, NodePath, Result};

use super::Hdf5File;
use crate::ffi::{self, LinkClass, ObjectKind};
use crate::shared::{Shared, c_path};

/// What an external link is to a file, in errors.
const WHAT: &str = "external link to";
/// Where the library is told more folders with files that links lead to.
const VARIABLE: &str = "HDF5_EXT_PREFIX";
/// The most links, of either kind, that one path goes through.
const MAX_LINKS: usize = 32;
/// The most files that one path goes through.
const MAX_FILES: u32 = 8;
/// The most other files that are kept open for later.
const MAX_KEPT: usize = 32;

/// Where a path leaves its file.
struct Leaving {
    file: String,
    /// The node there.
    node: NodePath,
}

impl Hdf5File {
    /// `here`, or what `there` says of the node in another file that `node` leads to, where it
    /// leads to nothing here.
    pub(super) fn or_beyond<T>(
        &self,
        node: &NodePath,
        here: Result<T>,
        there: impl FnOnce(&Self, &NodePath) -> Result<T>,
    ) -> Result<T> {
        match here {
            Err(error) if error.kind() == ErrorKind::NotFound => match self.beyond(node)? {
                Some((file, node)) => there(&file, &node),
                None => Err(error),
            },
            result => result,
        }
    }

    /// The other file, and the node in it, that `node` leads to by an external link; `None` if
    /// there is no such link, or no such file.
    pub(super) fn beyond(&self, node: &NodePath) -> Result<Option<(Self, NodePath)>> {
        let leaving = {
            let _lock = ffi::lock();
            self.leaving(node)?
        };
        let Some(leaving) = leaving else { return Ok(None) };
        let surroundings = &self.shared.surroundings;
        let found =
            surroundings.find(&leaving.file, WHAT, VARIABLE).map_err(|e| self.at(e, node))?;
        let Some(path) = found else { return Ok(None) };
        let other = self.other(path).map_err(|error| match error.location().node {
            Some(_) => error,
            None => error.at_node(node),
        })?;
        Ok(Some((other, leaving.node)))
    }

    /// Where the path `node` leaves this file, soft links followed.
    fn leaving(&self, node: &NodePath) -> Result<Option<Leaving>> {
        let root = self.root()?;
        let mut node = node.clone();
        'path: for _ in 0..MAX_LINKS {
            let mut group = NodePath::root();
            let path = node.clone();
            let mut segments = path.segments();
            while let Some(segment) = segments.next() {
                let here = group.join(segment)?;
                let path = c_path(&here)?;
                let corrupt = self.shared.corrupt(&here);
                match root.link(&path).map_err(&corrupt)? {
                    Some(LinkClass::Hard | LinkClass::Soft)
                        if root.kind_at(&path).is_ok_and(|kind| kind == ObjectKind::Group) =>
                    {
                        group = here.clone();
                    }
                    Some(LinkClass::Soft) => {
                        let target = root.soft_target(&path).map_err(&corrupt)?;
                        let Ok(target) = resolve(&group, &target) else { return Ok(None) };
                        node = segments.try_fold(target, |at, segment| at.join(segment))?;
                        continue 'path;
                    }
                    Some(LinkClass::External) => {
                        let (file, target) = root.external_target(&path).map_err(&corrupt)?;
                        let Ok(target) = resolve(&NodePath::root(), &target) else {
                            return Ok(None);
                        };
                        let node = segments.try_fold(target, |at, segment| at.join(segment))?;
                        return Ok(Some(Leaving { file, node }));
                    }
                    Some(LinkClass::Hard | LinkClass::User) | None => return Ok(None),
                }
            }
            return Ok(None);
        }
        // Soft links in a circle lead nowhere.
        Ok(None)
    }

    /// The file at `path`, opened for reading.
    fn other(&self, path: PathBuf) -> Result<Self> {
        let shared = &self.shared;
        let mut kept = shared.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(other) = kept.get(&path) {
            return Ok(Self::of(Arc::clone(other)));
        }
        if shared.n_links >= MAX_FILES {
            let message = format!("external links lead through more than {MAX_FILES} files");
            return Err(Error::limit(message));
        }
        let options = OpenOptions {
            mode: Mode::Read,
            limits: shared.limits.clone(),
            memory_map: shared.memory_map,
            outside: shared.surroundings.outside.clone(),
            ..OpenOptions::default()
        };
        let mut other: Shared = Self::open_shared(&path, &options)?;
        other.surroundings = shared.surroundings.beside(&path)?;
        other.n_links = shared.n_links + 1;
        let other = Arc::new(other);
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(path, Arc::clone(&other));
        Ok(Self::of(other))
    }
}

/// The node that `target`, as a link in `group` spells it, names.
fn resolve(group: &NodePath, target: &str) -> Result<NodePath> {
    let start = if target.starts_with('/') { NodePath::root() } else { group.clone() };
    let segments = target.split('/').filter(|segment| !segment.is_empty() && *segment != ".");
    segments.into_iter().try_fold(start, |at, segment| at.join(segment))
}
