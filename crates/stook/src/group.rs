//! A group of a tree.

use stook_core::{
    AttributeEdits, AttributeValue, Attributes, Child, Error, Link, NodeKind, NodePath, Result,
};

use crate::array::Array;
use crate::builder::ArrayBuilder;
use crate::file::{File, Node};

/// A group. Cheap to clone. Paths given to its methods are relative to it; a leading slash does
/// not matter.
#[derive(Clone, Debug)]
pub struct Group {
    file: File,
    path: NodePath,
}

impl Group {
    pub(crate) fn new(file: File, path: NodePath) -> Self {
        Self { file, path }
    }

    /// Where it is in its tree.
    #[must_use]
    pub fn path(&self) -> &NodePath {
        &self.path
    }

    /// The file it is in.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    pub(crate) fn below(&self, path: &str) -> Result<NodePath> {
        NodePath::parse(&format!("{}/{path}", self.path))
    }

    /// The names in the group, sorted.
    ///
    /// # Errors
    /// `Corrupt`, `LimitExceeded`, `Io`.
    pub fn children(&self) -> Result<Vec<Child>> {
        self.file.container().children(&self.path)
    }

    /// The groups and arrays in the group, by name. Links that lead nowhere and nodes of other
    /// kinds are passed over.
    ///
    /// # Errors
    /// As [`Group::children`], and what opening an array may give.
    pub fn nodes(&self) -> Result<Vec<(String, Node)>> {
        let is_known =
            |child: &Child| matches!(child.kind, Some(NodeKind::Group | NodeKind::Array));
        let children = self.file.nodes_in(&self.path)?.into_iter();
        let nodes = children.filter(|(child, _)| is_known(child)).map(|(child, node)| {
            let node = node.map_or_else(|| self.node(&child.name), Ok)?;
            Ok((child.name, node))
        });
        nodes.collect()
    }

    /// The node at `path`.
    ///
    /// # Errors
    /// As [`File::node`].
    pub fn node(&self, path: &str) -> Result<Node> {
        self.file.node_at(self.below(path)?)
    }

    /// The group at `path`.
    ///
    /// # Errors
    /// As [`File::group`].
    pub fn group(&self, path: &str) -> Result<Self> {
        self.file.group(self.below(path)?.as_str())
    }

    /// The array at `path`.
    ///
    /// # Errors
    /// As [`File::array`].
    pub fn open_array(&self, path: &str) -> Result<Array> {
        self.file.array(self.below(path)?.as_str())
    }

    /// Whether there is a node at `path`.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    pub fn contains(&self, path: &str) -> Result<bool> {
        Ok(self.file.container().kind(&self.below(path)?)?.is_some())
    }

    /// Creates the group at `path`, and those above it that are missing.
    ///
    /// # Errors
    /// `AlreadyExists`, `ReadOnly`, `Unsupported`, `Io`.
    pub fn create_group(&self, path: &str) -> Result<Self> {
        let path = self.below(path)?;
        self.file.container().create_group(&path)?;
        Ok(Self { file: self.file.clone(), path })
    }

    /// The group at `path`, created if it is missing.
    ///
    /// # Errors
    /// As [`Group::create_group`]; `InvalidInput` if there is an array.
    pub fn require_group(&self, path: &str) -> Result<Self> {
        if self.contains(path)? { self.group(path) } else { self.create_group(path) }
    }

    /// Begins a new array at `path`.
    pub fn array(&self, path: &str) -> ArrayBuilder {
        ArrayBuilder::new(self.clone(), path)
    }

    /// Removes the node at `path` and all below it (of a link: the link).
    ///
    /// # Errors
    /// `NotFound`, `ReadOnly`, `Io`.
    pub fn remove(&self, path: &str) -> Result<()> {
        self.file.container().remove(&self.below(path)?)
    }

    /// Moves the node at `from`, and all below it, to `to`.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`, `InvalidInput` into itself, `ReadOnly`, `Io`.
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.file.container().rename(&self.below(from)?, &self.below(to)?)
    }

    /// Creates a soft or external link at `path`.
    ///
    /// # Errors
    /// `Unsupported` where the format has no links, `AlreadyExists`, `ReadOnly`, `Io`.
    pub fn create_link(&self, path: &str, link: &Link) -> Result<()> {
        if *link == Link::Hard {
            return Err(Error::invalid("a hard link names no target"));
        }
        self.file.container().create_link(&self.below(path)?, link)
    }

    /// Its attributes.
    ///
    /// # Errors
    /// `Corrupt`, `Unsupported`, `LimitExceeded`, `Io`.
    pub fn attributes(&self) -> Result<Attributes> {
        self.file.container().attributes(&self.path)
    }

    /// Changes attributes, all or none.
    ///
    /// # Errors
    /// `ReadOnly`, `Unsupported`, `Io`.
    pub fn edit_attributes(&self, edits: &AttributeEdits) -> Result<()> {
        self.file.container().edit_attributes(&self.path, edits)
    }

    /// Sets one attribute, in the nearest form that the format can hold.
    ///
    /// # Errors
    /// `ReadOnly`, `Unsupported`, `Io`.
    pub fn set_attribute(&self, name: &str, value: impl Into<AttributeValue>) -> Result<()> {
        set_attribute(&self.file, &self.path, name, &value.into())
    }
}

pub(crate) fn set_attribute(
    file: &File,
    path: &NodePath,
    name: &str,
    value: &AttributeValue,
) -> Result<()> {
    let adapted = file.container().adapt_attribute(name, value)?.value;
    file.container().edit_attributes(path, &AttributeEdits::new().set(name, adapted))
}
