//! What PyTables keeps beside a table and has to learn when its rows change: that the indexes of
//! its columns are stale, and how many rows there are.
//!
//! The indexes of the table `x` lie in the group `_i_x` beside it. PyTables does not use one whose
//! attribute `DIRTY` is not 0, and makes it anew on request.

use std::ffi::CStr;

use stook_core::{AttributeEdits, DType, NodePath, Result, Values};

use crate::attributes;
use crate::ffi::{self, LinkClass, Location, ObjectKind};
use crate::pending::Lenient;
use crate::shared::{Shared, c_path};

/// How deep columns nest in columns.
const MAX_DEPTH: usize = 32;

/// Tells PyTables that the rows of `node`, if it is a table of PyTables, change.
///
/// # Errors
/// `Io`, `Corrupt`: nothing has been changed then but perhaps the mark on some indexes.
pub(crate) fn mark_changed(shared: &Shared, node: &NodePath) -> Result<()> {
    let _lock = ffi::lock();
    let corrupt = shared.corrupt(node);
    let table = Location::open(shared.file(), &c_path(node)?).map_err(&corrupt)?;
    if !has_class(shared, &table, "TABLE") {
        return Ok(());
    }
    let Some(parent) = node.parent() else { return Ok(()) };
    let indexes = parent.join(&format!("_i_{}", node.name()))?;
    let path = c_path(&indexes)?;
    let root = Location::open(shared.file(), c"/").map_err(&corrupt)?;
    let is_there = root.link(&path).map_err(&corrupt)? == Some(LinkClass::Hard);
    if is_there && root.kind_at(&path).map_err(&corrupt)? == ObjectKind::Group {
        let group = Location::open(shared.file(), &path).map_err(&corrupt)?;
        mark_indexes(shared, &indexes, &group, 0)?;
    }
    Ok(())
}

/// Writes how many rows the table `node` has, where PyTables has written it too.
///
/// # Errors
/// `Io`, `Corrupt`.
pub(crate) fn count_rows(shared: &Shared, node: &NodePath, n_rows: u64) -> Result<()> {
    let _lock = ffi::lock();
    let table = Location::open(shared.file(), &c_path(node)?).map_err(shared.corrupt(node))?;
    let counts = table.has_attribute(c"NROWS").map_err(shared.corrupt(node))?;
    if counts && has_class(shared, &table, "TABLE") {
        set_number(shared, node, &table, "NROWS", n_rows)?;
    }
    Ok(())
}

fn mark_indexes(shared: &Shared, path: &NodePath, group: &Location, depth: usize) -> Result<()> {
    if has_class(shared, group, "INDEX") {
        return set_number(shared, path, group, "DIRTY", 1);
    }
    let corrupt = shared.corrupt(path);
    for link in group.links(shared.limits.n_nodes).map_err(&corrupt)? {
        let is_group = link.class == LinkClass::Hard
            && group.kind_at(&link.name).map_err(&corrupt)? == ObjectKind::Group;
        if is_group && depth < MAX_DEPTH {
            let path = path.join(&link.name.to_string_lossy())?;
            let group = Location::open(shared.file(), &c_path(&path)?).map_err(&corrupt)?;
            mark_indexes(shared, &path, &group, depth + 1)?;
        }
    }
    Ok(())
}

/// Whether the attribute `CLASS`, by which PyTables knows what a node is, says `class`.
fn has_class(shared: &Shared, location: &Location, class: &str) -> bool {
    text(shared, location, c"CLASS").is_some_and(|found| found == class)
}

fn text(shared: &Shared, location: &Location, name: &CStr) -> Option<String> {
    let context: (&dyn ffi::References, _) = (shared, &shared.limits);
    attributes::read_text(location, name, context).ok().flatten()
}

#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn set_number(
    shared: &Shared,
    node: &NodePath,
    location: &Location,
    name: &str,
    number: u64,
) -> Result<()> {
    let items = number.to_ne_bytes().to_vec();
    let number = Values::new(DType::Int64, Vec::new(), items, Vec::new())?;
    let edits = AttributeEdits::new().set(name, number);
    let references = Lenient::new(shared);
    attributes::edit(location, &edits, &[], &references).map_err(|error| match error {
        attributes::EditError::Failure(failure) => shared.io(node)(failure),
        attributes::EditError::Error(error) => shared.at(error, node),
    })
}
