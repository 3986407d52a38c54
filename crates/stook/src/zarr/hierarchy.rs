//! New groups, whole hierarchies, and consolidated metadata.

use std::collections::BTreeMap;

use serde_json::Map;
use stook_core::{AttributeEdits, AttributeValue, Error, Format, NodeKind, NodePath, Result};
use stook_zarr::group_document;

use super::new_array::Documents;
use super::opening::UseConsolidated;
use super::place::{AccessMode, Place};
use crate::file::{File, Node};
use crate::group::Group;

/// A new group in the making; [`NewGroup::create`] makes it.
#[derive(Clone, Debug)]
#[must_use = "nothing is made before `create`"]
pub struct NewGroup {
    pub(super) place: Place,
    pub(super) path: String,
    pub(super) format: Option<Format>,
    pub(super) is_overwriting: bool,
    attributes: AttributeEdits,
}

/// Begins a group in `place`.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// let place = stook::zarr::Place::memory();
/// let group = stook::zarr::create_group(&place).path("a").attribute("x", 1).create()?;
/// assert_eq!(group.attributes()?.len(), 1);
/// # Ok(())
/// # }
/// ```
pub fn create_group(place: impl Into<Place>) -> NewGroup {
    NewGroup {
        place: place.into(),
        path: String::new(),
        format: None,
        is_overwriting: false,
        attributes: AttributeEdits::new(),
    }
}

impl NewGroup {
    /// Where the group is in its hierarchy (default: it is the root).
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The version (default 3).
    pub fn format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// Also sets an attribute.
    pub fn attribute(mut self, name: &str, value: impl Into<AttributeValue>) -> Self {
        self.attributes = self.attributes.set(name, value);
        self
    }

    /// Takes the place of what is there, and of all below it.
    pub fn overwrite(mut self) -> Self {
        self.is_overwriting = true;
        self
    }

    /// Makes the group, the groups above it that are missing, and the folder or archive it is in.
    ///
    /// # Errors
    /// `AlreadyExists`, `InvalidInput`, `ReadOnly`, `Unsupported`, `Io`.
    pub fn create(self) -> Result<Group> {
        let usual = UseConsolidated::default();
        self.place.work(AccessMode::Append, usual, |file| self.create_in_file(file))
    }

    pub(super) fn create_in_file(&self, file: &File) -> Result<Group> {
        let node = self.place.node(&self.path)?;
        let document = group_document(self.format.unwrap_or(Format::ZarrV3))?;
        let mut attributes = Map::new();
        for (name, value) in &self.attributes.changes {
            if let Some(AttributeValue::Json(value)) = value {
                attributes.insert(name.clone(), value.clone());
            }
        }
        file.create_document(node.as_str(), &document, Some(&attributes), self.is_overwriting)?;
        let group = file.group(node.as_str())?;
        for (name, value) in &self.attributes.changes {
            if let Some(value @ (AttributeValue::Values(_) | AttributeValue::Null(_))) = value {
                group.set_attribute(name, value.clone())?;
            }
        }
        Ok(group)
    }
}

/// Writes the metadata of all nodes below the group at `path` into that of the group, which it
/// returns.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// use stook::zarr;
///
/// let place = zarr::Place::memory();
/// zarr::zeros([3]).store(&place).path("a/b").create()?;
/// let root = zarr::consolidate_metadata(&place, "")?;
/// assert!(root.file().consolidated("/")?.is_some());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `NotFound`, `InvalidInput` for an array, `Unsupported` where versions are mixed, `ReadOnly`,
/// `Corrupt`, `LimitExceeded`, `Io`.
pub fn consolidate_metadata(place: impl Into<Place>, path: &str) -> Result<Group> {
    let place = place.into();
    let node = place.node(path)?;
    let file = place.open(AccessMode::ReadWrite)?;
    file.consolidate(node.as_str())?;
    file.commit()?;
    file.group(node.as_str())
}

/// Creates all `nodes` in `place`, and the groups above them that are missing: paths with their
/// documents, as [`NewArray::documents`](super::NewArray::documents) gives them. What is there
/// stays, unless it is replaced as `if_exists` says. All documents are found in order before the
/// first is written. Returns the nodes by path, those that were added among them.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// use stook::zarr::{self, IfExists};
///
/// let place = zarr::Place::memory();
/// let array = zarr::zeros([3]).documents()?;
/// let nodes = zarr::create_hierarchy(&place, [("a/b", array)], IfExists::Raise)?;
/// assert_eq!(nodes.keys().map(|path| path.as_str()).collect::<Vec<_>>(), ["/", "/a", "/a/b"]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `AlreadyExists`, `InvalidInput` for documents of several versions, for nodes below an array,
/// and for `IfExists::SkipInitialized`; and those of [`File::create_document`].
pub fn create_hierarchy<P: AsRef<str>>(
    place: impl Into<Place>,
    nodes: impl IntoIterator<Item = (P, Documents)>,
    if_exists: super::IfExists,
) -> Result<BTreeMap<NodePath, Node>> {
    let place = place.into();
    let mut all = BTreeMap::new();
    for (path, documents) in nodes {
        all.insert(place.node(path.as_ref())?, documents);
    }
    let usual = UseConsolidated::default();
    place.work(AccessMode::Append, usual, |file| write_all(file, &all, if_exists))
}

fn write_all(
    file: &File,
    all: &BTreeMap<NodePath, Documents>,
    if_exists: super::IfExists,
) -> Result<BTreeMap<NodePath, Node>> {
    let zarr = file.zarr().ok_or_else(|| {
        Error::unsupported(format!("expected a Zarr hierarchy, found {}", file.format()))
    })?;
    let is_array = |documents: &Documents| documents.0.contains_key("shape");
    let mut versions = all.values().map(|(document, _)| document.get("zarr_format"));
    let version = versions.next().flatten();
    if versions.any(|other| other != version) {
        return Err(Error::invalid("expected documents of one version, found several"));
    }
    let mut implied = BTreeMap::new();
    let mut kept = Vec::new();
    for (path, (document, _)) in all {
        zarr.check_document(path, document)?;
        let is_there = file.container().kind(path)?.is_some();
        match if_exists {
            super::IfExists::Raise if is_there => {
                return Err(Error::already_exists("there is a node of this name").at_node(path));
            }
            super::IfExists::Skip if is_there => kept.push(path),
            super::IfExists::SkipInitialized => {
                return Err(Error::invalid("a hierarchy is replaced, kept, or an error"));
            }
            _ => {}
        }
        for above in std::iter::successors(path.parent(), NodePath::parent) {
            let is_array = match all.get(&above) {
                Some(documents) => is_array(documents),
                None => file.container().kind(&above)? == Some(NodeKind::Array),
            };
            if is_array {
                let message = format!("`{above}` is an array, not a group");
                return Err(Error::invalid(message).at_node(path));
            }
            if !all.contains_key(&above) {
                implied.insert(above, ());
            }
        }
    }
    // Parents come first: a path sorts before those below it.
    for (path, (document, attributes)) in all.iter().filter(|(path, _)| !kept.contains(path)) {
        let is_replaced = if_exists == super::IfExists::Replace;
        zarr.create_document(path, document, attributes.as_ref(), is_replaced)?;
    }
    let paths = all.keys().chain(implied.keys());
    paths.map(|path| Ok((path.clone(), file.node(path.as_str())?))).collect()
}
