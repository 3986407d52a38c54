//! A group that was just made, and that the library does not know yet, with what is made in it.
//!
//! The library takes most of the time that a small array takes: to open it and to give it its name.
//! So a new group waits, and arrays that are made in it go to the file and to its list of names;
//! when anybody asks for anything else, the group is written with all its names, and the library
//! is given that one object.
//!
//! Invariants:
//! - There is one such group in a file at most, and nothing below it but arrays made in one piece.
//! - Whoever asks the library for something by its name does so through [`Shared::file`], which
//!   settles the group first; so does a commit.
//! - Nothing of it is committed before it is settled, and what is given up goes with it.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::sync::atomic::Ordering;

use stook_core::file::FileIo as _;
use stook_core::{AttributeEdits, AttributeValue, NodePath, Result};

use super::super::{Found, Hdf5File};
use super::arena::io_error;
use super::{Whole, arena};
use crate::ffi::{self, ATTRIBUTE_PHASES, AttributeOrder, File, Location, ObjectKind};
use crate::native::{encode_group, names, names_len};
use crate::place::Backing;
use crate::shared::{Shared, c_path, name};

/// Names of such a group at most; one with more is settled.
const MAX_NAMES: usize = 4096;

/// A group that the library does not know yet.
#[derive(Debug)]
pub(super) struct Young {
    path: NodePath,
    name: CString,
    /// The file, and the group that it is made in, kept open.
    file: File,
    parent: Location,
    attributes: Vec<(String, Option<AttributeValue>)>,
    /// The headers of the arrays in it, by their names.
    children: BTreeMap<CString, u64>,
}

impl Young {
    /// Whether an array of this name can be made in it.
    pub(super) fn takes(&self, name: &CString) -> bool {
        // Groups of the old style hold names in ASCII alone.
        self.children.len() < MAX_NAMES
            && name.to_bytes().is_ascii()
            && !name.to_bytes().is_empty()
            && !self.children.contains_key(name)
    }

    /// Adds an array whose header lies at `address`.
    pub(super) fn push(&mut self, name: CString, address: u64) {
        self.children.insert(name, address);
    }

    /// What `node` is; `None` where the library knows that.
    fn kind_of(&self, node: &NodePath) -> Option<Option<ObjectKind>> {
        if *node == self.path {
            return Some(Some(ObjectKind::Group));
        }
        if node.parent().as_ref() != Some(&self.path) {
            return None;
        }
        let is_there = name(node.name()).is_ok_and(|name| self.children.contains_key(&name));
        Some(is_there.then_some(ObjectKind::Dataset))
    }
}

impl Whole {
    /// The group that waits, where it is the one at `path`.
    pub(super) fn young_for(&mut self, path: &NodePath) -> Option<&mut Young> {
        self.young.as_mut().filter(|young| young.path == *path)
    }

    /// Gives the group that waits to the library.
    ///
    /// # Errors
    /// `Io`: the group and what was made in it are lost.
    pub(super) fn settle(&mut self, io: &Backing) -> Result<()> {
        let Some(young) = self.young.take() else { return Ok(()) };
        self.write(&young, io).map_err(|error| {
            let n = young.children.len();
            let message = format!("the group and the {n} arrays made in it are lost: {error}");
            stook_core::Error::new(error.kind(), message).at_node(&young.path).at_file(io.path())
        })
    }

    fn write(&mut self, young: &Young, io: &Backing) -> Result<()> {
        let attributes = self.attributes(young.attributes.iter());
        let header = attributes.and_then(|new| encode_group(&new, ATTRIBUTE_PHASES));
        let header = header.expect("attributes were encoded when they were set");
        let children = || young.children.iter().map(|(name, &at)| (name.to_bytes(), at));
        let header_len = header.len().next_multiple_of(arena::ALIGNMENT);
        let len = header_len + names_len(children().map(|(name, _)| name));
        let start = self.arena.take((&young.file, io), len)?;
        let names = names(children(), start + header_len as u64);
        self.arena.put(start, &header.sealed(names.tree, names.heap));
        self.arena.put(start + header_len as u64, &names.bytes);
        self.arena.flush(io)?;
        let adopted = young.file.adopt(start, &young.parent, &young.name);
        adopted.map_err(|failure| io_error(&failure, io))
    }
}

impl Shared {
    /// The file as the library has it, which knows of all that was made.
    pub(crate) fn file(&self) -> &File {
        if let Some(made) = self.io.made() {
            made.settle(&self.io);
        }
        self.file_alone()
    }
}

impl Hdf5File {
    /// What `node` is, where that is a group that waits, or lies in one; `None` elsewhere.
    pub(in super::super) fn young_kind(&self, node: &NodePath) -> Option<Option<ObjectKind>> {
        let made = self.shared.io.made()?;
        if !made.is_waiting.load(Ordering::Acquire) {
            return None;
        }
        made.lock().young.as_ref()?.kind_of(node)
    }

    /// Makes a group that waits for what is made in it; false where that is not the way to make it.
    pub(in super::super) fn create_young(&self, node: &NodePath) -> Result<bool> {
        let shared = &*self.shared;
        let is_usual = shared.order == AttributeOrder::Tracked && !shared.is_swmr();
        let (Some(made), Some(parent)) = (shared.io.made().filter(|_| is_usual), node.parent())
        else {
            return Ok(false);
        };
        let _lock = ffi::lock();
        self.expect_free(node)?;
        if !matches!(self.find(&parent)?, Found::Node(ObjectKind::Group)) {
            return Ok(false);
        }
        // The one that waits may be the parent.
        made.settle(&shared.io);
        let mut whole = made.lock();
        let file = shared.file_alone();
        let may_adopt = whole.may_adopt(file).map_err(shared.io(node))?;
        if !may_adopt.groups || cfg!(target_endian = "big") {
            return Ok(false);
        }
        let name = name(node.name()).map_err(|error| shared.at(error, node))?;
        let parent = c_path(&parent)?;
        let parent = Location::open(file, &parent).map_err(shared.corrupt(node))?;
        let young = Young {
            path: node.clone(),
            name,
            file: file.another().map_err(shared.io(node))?,
            parent,
            attributes: Vec::new(),
            children: BTreeMap::new(),
        };
        shared.forget_names();
        whole.young = Some(young);
        made.is_waiting.store(true, Ordering::Release);
        Ok(true)
    }

    /// Sets attributes of a group that waits; false where it does not, or they are not plain.
    pub(in super::super) fn edit_young(
        &self,
        node: &NodePath,
        edits: &AttributeEdits,
    ) -> Result<bool> {
        let Some(made) = self.shared.io.made() else { return Ok(false) };
        if edits.clear || !made.is_waiting.load(Ordering::Acquire) {
            return Ok(false);
        }
        let _lock = ffi::lock();
        let mut whole = made.lock();
        let Some(known) = whole.young_for(node).map(|young| young.attributes.clone()) else {
            return Ok(false);
        };
        let all = [known.as_slice(), edits.changes.as_slice()].concat();
        // One that is set again is left to the library.
        let attributes = whole.attributes(all.iter());
        if attributes.and_then(|new| encode_group(&new, ATTRIBUTE_PHASES)).is_none() {
            return Ok(false);
        }
        if let Some(young) = whole.young_for(node) {
            young.attributes = all;
        }
        Ok(true)
    }
}
