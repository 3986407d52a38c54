//! Opening nodes, in the modes that zarr-python has.

use std::fmt;

use stook_core::{AttributeValue, DType, Error, Format, NodeKind, NodePath, Result};

use super::hierarchy::{NewGroup, create_group};
use super::new_array::NewArray;
use super::place::{AccessMode, Place};
use crate::array::Array;
use crate::file::{File, Node};
use crate::group::Group;

/// Whether consolidated metadata is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UseConsolidated {
    /// Where there is some, and nothing is to be written.
    #[default]
    IfPresent,
    /// It must be there.
    Required,
    /// Every node's own document is read.
    Ignored,
}

/// Begins the opening of an array or group, which creates a group where there is nothing, unless
/// it is told another mode or an array to create.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// use stook::{Node, zarr};
///
/// let place = zarr::Place::memory();
/// assert!(matches!(zarr::open(&place).open()?, Node::Group(_)));
/// let made = zarr::open(&place).path("a").creating(|new| new.shape([3]).chunks(3)).open()?;
/// assert!(matches!(made, Node::Array(_)));
/// # Ok(())
/// # }
/// ```
pub fn open(place: impl Into<Place>) -> Open {
    let place = place.into();
    Open { group: open_group(place.clone()), array: None, place }
}

/// Begins the opening of an array that must be there, for reading and writing, unless another
/// mode is said.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// use stook::zarr::{self, AccessMode};
///
/// let place = zarr::Place::memory();
/// let open = || zarr::open_array(&place).path("a");
/// assert!(open().open().is_err());
/// let made = open().mode(AccessMode::Append).creating(|new| new.shape([3])).open()?;
/// assert_eq!(open().open()?.shape(), made.shape());
/// # Ok(())
/// # }
/// ```
pub fn open_array(place: impl Into<Place>) -> OpenArray {
    let new = NewArray::new(place.into()).dtype(DType::Float64);
    OpenArray { new, mode: AccessMode::ReadWrite }
}

/// Begins the opening of a group, which is created where there is none.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// use stook::zarr::{self, AccessMode};
///
/// let place = zarr::Place::memory();
/// zarr::open_group(&place).path("a/b").attribute("x", 1).open()?;
/// let a = zarr::open_group(&place).path("a").mode(AccessMode::Read).open()?;
/// assert_eq!(a.children()?[0].name, "b");
/// assert!(zarr::open_group(&place).path("c").mode(AccessMode::Read).open().is_err());
/// # Ok(())
/// # }
/// ```
pub fn open_group(place: impl Into<Place>) -> OpenGroup {
    let new = create_group(place);
    OpenGroup { new, mode: AccessMode::default(), consolidated: UseConsolidated::default() }
}

/// Begins the opening of a group whose consolidated metadata must be there, for reading, unless
/// another mode is said.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// use stook::zarr;
///
/// let place = zarr::Place::memory();
/// zarr::zeros([3]).store(&place).path("a").create()?;
/// assert!(zarr::open_consolidated(&place).open().is_err());
/// zarr::consolidate_metadata(&place, "")?;
/// assert_eq!(zarr::open_consolidated(&place).open()?.children()?.len(), 1);
/// # Ok(())
/// # }
/// ```
pub fn open_consolidated(place: impl Into<Place>) -> OpenGroup {
    open_group(place).mode(AccessMode::Read).consolidated(UseConsolidated::Required)
}

/// Begins the opening of a group, which is created where there is none; it is
/// [`open_group`] in its usual mode.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// let group = stook::zarr::group(stook::zarr::Place::memory()).open()?;
/// assert!(group.children()?.is_empty());
/// # Ok(())
/// # }
/// ```
pub fn group(place: impl Into<Place>) -> OpenGroup {
    open_group(place)
}

/// A group that is about to be opened.
#[derive(Clone, Debug)]
#[must_use = "nothing is opened before `open`"]
pub struct OpenGroup {
    new: NewGroup,
    mode: AccessMode,
    consolidated: UseConsolidated,
}

impl OpenGroup {
    /// Where the group is in its hierarchy (default: it is the root).
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.new = self.new.path(path);
        self
    }

    /// The mode.
    pub fn mode(mut self, mode: AccessMode) -> Self {
        self.mode = mode;
        self
    }

    /// The version that the group must have, and is created in (default: any; 3).
    pub fn format(mut self, format: Format) -> Self {
        self.new = self.new.format(format);
        self
    }

    /// Whether consolidated metadata is read.
    pub fn consolidated(mut self, consolidated: UseConsolidated) -> Self {
        self.consolidated = consolidated;
        self
    }

    /// Sets an attribute of a group that is created.
    pub fn attribute(mut self, name: &str, value: impl Into<AttributeValue>) -> Self {
        self.new = self.new.attribute(name, value);
        self
    }

    /// Opens the group, or creates it where the mode says so.
    ///
    /// # Errors
    /// `NotFound`, also without consolidated metadata that is required; `AlreadyExists`,
    /// `InvalidInput` for an array or a group of another version, `ReadOnly`, `Unsupported`,
    /// `Corrupt`, `LimitExceeded`, `Io`.
    pub fn open(self) -> Result<Group> {
        self.new.place.work(self.mode, self.consolidated, |file| self.open_in(file))
    }

    fn open_in(&self, file: &File) -> Result<Group> {
        let node = self.new.place.node(&self.new.path)?;
        if self.mode.opens() && file.container().kind(&node)?.is_some() {
            let group = file.group(node.as_str())?;
            expect_format(file, &node, self.new.format)?;
            self.expect_consolidated(file, &node)?;
            return Ok(group);
        }
        if !self.mode.creates() || self.consolidated == UseConsolidated::Required {
            return Err(missing("a group", file, &node));
        }
        check_empty(self.mode, file, &node)?;
        let mut new = self.new.clone();
        new.is_overwriting |= self.mode == AccessMode::Overwrite;
        new.create_in_file(file)
    }

    fn expect_consolidated(&self, file: &File, node: &NodePath) -> Result<()> {
        let is_there = || match file.zarr() {
            Some(zarr) => zarr.is_consolidated(node),
            None => Ok(false),
        };
        if self.consolidated == UseConsolidated::Required && !is_there()? {
            let error = Error::not_found("there is no consolidated metadata");
            return Err(error.at_node(node).at_file(file.path()));
        }
        Ok(())
    }
}

/// An array that is about to be opened.
#[derive(Clone, Debug)]
#[must_use = "nothing is opened before `open`"]
pub struct OpenArray {
    new: NewArray,
    mode: AccessMode,
}

impl OpenArray {
    /// Where the hierarchy is (default: the place that the function was given).
    pub fn store(mut self, place: impl Into<Place>) -> Self {
        self.new = self.new.store(place);
        self
    }

    /// Where the array is in its hierarchy (default: it is the root).
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.new = self.new.path(path);
        self
    }

    /// The mode.
    pub fn mode(mut self, mode: AccessMode) -> Self {
        self.mode = mode;
        self
    }

    /// The version that the array must have, and is created in (default: any; 3).
    pub fn format(mut self, format: Format) -> Self {
        self.new = self.new.format(format);
        self
    }

    /// What the array is where it is created.
    pub fn creating(mut self, what: impl FnOnce(NewArray) -> NewArray) -> Self {
        self.new = what(self.new);
        self
    }

    /// Opens the array, or creates it where the mode says so.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`, `InvalidInput` for a group or an array of another version,
    /// and those of [`NewArray::create`].
    pub fn open(self) -> Result<Array> {
        let place = self.new.place.clone();
        place.work(self.mode, UseConsolidated::default(), |file| self.open_in(file))
    }

    fn open_in(self, file: &File) -> Result<Array> {
        let node = self.new.place.node(&self.new.path)?;
        if self.mode.opens() && file.container().kind(&node)?.is_some() {
            expect_format(file, &node, self.new.format)?;
            return file.array(node.as_str());
        }
        if !self.mode.creates() {
            return Err(missing("an array", file, &node));
        }
        check_empty(self.mode, file, &node)?;
        let new = match self.mode {
            AccessMode::Overwrite => self.new.overwrite(),
            _ => self.new,
        };
        new.create_in_file(file)
    }
}

/// An array or group that is about to be opened.
#[derive(Clone)]
#[must_use = "nothing is opened before `open`"]
pub struct Open {
    place: Place,
    group: OpenGroup,
    array: Option<NewArray>,
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open").field("group", &self.group).field("array", &self.array).finish()
    }
}

impl Open {
    /// Where the node is in its hierarchy (default: it is the root).
    pub fn path(mut self, path: impl Into<String>) -> Self {
        let path = path.into();
        self.array = self.array.map(|new| new.path(path.clone()));
        self.group = self.group.path(path);
        self
    }

    /// The mode.
    pub fn mode(mut self, mode: AccessMode) -> Self {
        self.group = self.group.mode(mode);
        self
    }

    /// The version that the node must have, and is created in (default: any; 3).
    pub fn format(mut self, format: Format) -> Self {
        self.array = self.array.map(|new| new.format(format));
        self.group = self.group.format(format);
        self
    }

    /// Whether consolidated metadata is read.
    pub fn consolidated(mut self, consolidated: UseConsolidated) -> Self {
        self.group = self.group.consolidated(consolidated);
        self
    }

    /// Where a node is created it is this array.
    pub fn creating(mut self, what: impl FnOnce(NewArray) -> NewArray) -> Self {
        let mut new = open_array(&self.place).new.path(self.group.new.path.clone());
        new.format = self.group.new.format;
        self.array = Some(what(new));
        self
    }

    /// Opens the node, or creates it where the mode says so.
    ///
    /// # Errors
    /// As [`OpenGroup::open`] and [`OpenArray::open`].
    pub fn open(self) -> Result<Node> {
        let OpenGroup { new, mode, consolidated } = &self.group;
        let (place, mode, consolidated) = (new.place.clone(), *mode, *consolidated);
        place.work(mode, consolidated, |file| self.open_in(file))
    }

    fn open_in(self, file: &File) -> Result<Node> {
        let OpenGroup { new, mode, .. } = &self.group;
        let node = new.place.node(&new.path)?;
        let there = if mode.opens() { file.container().kind(&node)? } else { None };
        match (there, self.array) {
            (Some(NodeKind::Array), _) => {
                expect_format(file, &node, new.format)?;
                file.array(node.as_str()).map(Node::Array)
            }
            (None, Some(array)) if mode.creates() => {
                OpenArray { new: array, mode: *mode }.open_in(file).map(Node::Array)
            }
            _ => self.group.open_in(file).map(Node::Group),
        }
    }
}

fn expect_format(file: &File, node: &NodePath, expected: Option<Format>) -> Result<()> {
    let Some(expected) = expected else { return Ok(()) };
    let found = match file.zarr() {
        Some(zarr) => zarr.format_of(node)?,
        None => file.format(),
    };
    if found != expected {
        let error = Error::invalid(format!("expected {expected}, found {found}"));
        return Err(error.at_node(node).at_file(file.path()));
    }
    Ok(())
}

fn missing(what: &str, file: &File, node: &NodePath) -> Error {
    Error::not_found(format!("expected {what}, found nothing")).at_node(node).at_file(file.path())
}

/// # Errors
/// `AlreadyExists` in the mode that creates where there is nothing, if there is anything.
fn check_empty(mode: AccessMode, file: &File, node: &NodePath) -> Result<()> {
    if mode == AccessMode::Create && !Place::is_empty(file, node)? {
        let error = Error::already_exists("expected nothing, found keys of a store");
        return Err(error.at_node(node).at_file(file.path()));
    }
    Ok(())
}
