//! A Zarr hierarchy as a container.

mod document;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use stook_core::chunk::ChunkSource;
use stook_core::store::ByteStore;
use stook_core::{
    Adapted, ArraySpec, AttributeEdits, AttributeValue, Attributes, Child, Container, Durability,
    Error, Format, Mode, NodeKind, NodePath, OpenOptions, Opened, Result,
};

use crate::attribute::typed;
use crate::consolidated::{self, Consolidated, check_count, child};
use crate::describe::check_zarr;
use crate::layout::ArrayLayout;
use crate::node::{Node, Nodes, ZARR_JSON, ZARRAY, ZATTRS, ZGROUP, ZMETADATA, key_of};
use crate::source::ArraySource;
use crate::{adapt, attribute, layout, records};

/// One Zarr hierarchy in a byte store.
///
/// Nodes of versions 2 and 3 may lie in one hierarchy; where a node has documents of both, those
/// of version 3 count. New nodes are of the version of the root.
#[derive(Debug)]
pub struct ZarrContainer {
    nodes: Arc<Nodes>,
    location: String,
    format: Format,
    open: OpenArrays,
}

/// The arrays that are open, so that all handles to one see the same shape.
#[derive(Debug, Default)]
struct OpenArrays(Mutex<HashMap<NodePath, Weak<ArraySource>>>);

impl OpenArrays {
    /// The open array at `path` if it is what `layout` describes, else a new one.
    fn get(&self, nodes: &Arc<Nodes>, path: &NodePath, layout: ArrayLayout) -> Arc<ArraySource> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = open.get(path).and_then(Weak::upgrade)
            && source.refresh(&layout)
        {
            return source;
        }
        if open.len() == open.capacity() {
            open.retain(|_, source| source.strong_count() > 0);
        }
        let source = Arc::new(ArraySource::new(Arc::clone(nodes), path.clone(), layout));
        open.insert(path.clone(), Arc::downgrade(&source));
        source
    }
}

/// Whether `store` holds a Zarr group or array at its root.
///
/// # Errors
/// `Io`.
pub fn is_zarr(store: &dyn ByteStore) -> Result<bool> {
    for key in [ZARR_JSON, ZGROUP, ZARRAY] {
        if store.len_bytes(key)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// # Errors
/// `InvalidInput` where a name in `path` is that of a document.
fn check_names(path: &NodePath) -> Result<()> {
    let documents = [ZARR_JSON, ZARRAY, ZGROUP, ZATTRS, ZMETADATA];
    match path.segments().find(|name| documents.contains(name)) {
        Some(name) => {
            let message = format!("`{name}` is the name of a metadata document, not of a node");
            Err(Error::invalid(message))
        }
        None => Ok(()),
    }
}

impl ZarrContainer {
    /// Opens the hierarchy in `store`.
    ///
    /// # Errors
    /// `NotFound` if there is none, `ReadOnly` if the store cannot be changed as the options ask
    /// for, `Corrupt`, `Unsupported`, `LimitExceeded`, `Io`.
    pub fn open(store: Arc<dyn ByteStore>, options: &OpenOptions) -> Result<Self> {
        let location = store.location().to_owned();
        let nodes = Arc::new(Nodes::new(store, options)?);
        let root = NodePath::root();
        let found = nodes.load(&root).map_err(|error| error.at_file(&location))?;
        let found = found.ok_or_else(|| {
            Error::not_found(
                "there is no Zarr group or array: expected `zarr.json`, `.zgroup` or `.zarray`",
            )
            .at_file(&location)
        })?;
        Ok(Self { nodes, location, format: found.format, open: OpenArrays::default() })
    }

    /// Makes a hierarchy of version `format` with an empty root group in `store`.
    ///
    /// # Errors
    /// `AlreadyExists` if there is one, `InvalidInput` if `format` is not Zarr, `ReadOnly`, `Io`.
    pub fn create(
        store: Arc<dyn ByteStore>,
        format: Format,
        options: &OpenOptions,
    ) -> Result<Self> {
        let container = Self::empty(store, format, options)?;
        container.create_group(&NodePath::root())?;
        Ok(container)
    }

    /// A hierarchy of version `format` in `store` whose root is still to be created, as a group
    /// or as the only array.
    ///
    /// # Errors
    /// `AlreadyExists` if there is one, `InvalidInput` if `format` is not Zarr, `ReadOnly`, `Io`.
    pub fn empty(store: Arc<dyn ByteStore>, format: Format, options: &OpenOptions) -> Result<Self> {
        let location = store.location().to_owned();
        check_zarr(format).map_err(|error| error.at_file(&location))?;
        let options = OpenOptions { mode: Mode::ReadWrite, ..options.clone() };
        let nodes = Arc::new(Nodes::new(store, &options)?);
        if is_zarr(nodes.store()).map_err(|error| error.at_file(&location))? {
            return Err(Error::already_exists("there is a Zarr hierarchy").at_file(&location));
        }
        Ok(Self { nodes, location, format, open: OpenArrays::default() })
    }

    /// The hierarchy in `store`, whatever there is in it: no root is demanded. New nodes are of
    /// version `format`, else of that of the root, else of version 3.
    ///
    /// Behind a network each node is read from its own documents: who has one handle for long
    /// would not see that consolidated ones were replaced.
    ///
    /// # Errors
    /// `InvalidInput` if `format` is not Zarr, `ReadOnly` if the store cannot be changed as the
    /// options ask for; without `format` also `Corrupt`, `Unsupported`, `LimitExceeded`, `Io`.
    pub fn of_store(
        store: Arc<dyn ByteStore>,
        format: Option<Format>,
        options: &OpenOptions,
    ) -> Result<Self> {
        let location = store.location().to_owned();
        format.map_or(Ok(()), check_zarr).map_err(|error| error.at_file(&location))?;
        let mut nodes = Nodes::new(store, options)?;
        if nodes.store().requests_in_flight().is_some() {
            nodes = nodes.ignoring_consolidated();
        }
        let nodes = Arc::new(nodes);
        let format = match format {
            Some(format) => format,
            None => {
                let root = nodes.load(&NodePath::root()).map_err(|e| e.at_file(&location))?;
                root.map_or(Format::ZarrV3, |root| root.format)
            }
        };
        Ok(Self { nodes, location, format, open: OpenArrays::default() })
    }

    /// Writes the metadata of all nodes below `group` into that of the group, from where readers
    /// take it in one go. Any later change to one of the nodes removes it again.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` if `group` is no group, `Unsupported` where versions are
    /// mixed, `ReadOnly`, `Corrupt`, `LimitExceeded`, `Io`.
    pub fn consolidate(&self, group: &NodePath) -> Result<()> {
        self.nodes.located(group, consolidated::write(&self.nodes, group))
    }

    /// The metadata documents of `node` as they are stored: `zarr.json`, or `.zarray` or
    /// `.zgroup`.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, `LimitExceeded`, `Io`.
    pub fn metadata(&self, node: &NodePath) -> Result<serde_json::Map<String, serde_json::Value>> {
        let found = self.nodes.located(node, self.nodes.expect(node))?;
        Ok(found.doc.clone())
    }

    /// The version of `node`.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, `LimitExceeded`, `Io`.
    pub fn format_of(&self, node: &NodePath) -> Result<Format> {
        self.nodes.located(node, self.nodes.expect(node)).map(|node| node.format)
    }

    /// The byte store.
    #[must_use]
    pub fn store(&self) -> &dyn ByteStore {
        self.nodes.store()
    }

    /// Creates the groups above `path` that are missing, in version `format`.
    fn create_parents(&self, path: &NodePath, format: Format) -> Result<()> {
        let mut missing = Vec::new();
        let mut next = path.parent();
        while let Some(group) = next {
            match self.nodes.load(&group)?.map(|node| node.kind) {
                Some(NodeKind::Group) => break,
                Some(_) => {
                    return Err(Error::invalid(format!("`{group}` is an array, not a group")));
                }
                None => {
                    next = group.parent();
                    missing.push(group);
                }
            }
        }
        let (name, doc) = Node::new_group(format);
        let text = crate::json::print(&doc);
        for group in missing.iter().rev() {
            self.nodes.store().set_new(&key_of(group, name), &text)?;
        }
        Ok(())
    }

    /// Checks that a node may be created at `path`: that its name is not that of a document, and
    /// there is none.
    fn check_free(&self, path: &NodePath) -> Result<()> {
        check_names(path)?;
        match self.nodes.load(path)?.map(|node| node.kind) {
            None => Ok(()),
            Some(NodeKind::Array) => Err(Error::already_exists("there is an array of this name")),
            Some(_) => Err(Error::already_exists("there is a group of this name")),
        }
    }

    fn new_group(&self, path: &NodePath) -> Result<()> {
        self.nodes.check_writable()?;
        let _guard = self.nodes.lock();
        self.check_free(path)?;
        self.create_parents(path, self.format)?;
        self.nodes.drop_consolidated(path)?;
        let (name, doc) = Node::new_group(self.format);
        match self.nodes.store().set_new(&key_of(path, name), &crate::json::print(&doc))? {
            true => Ok(()),
            false => Err(Error::already_exists("there is a group of this name")),
        }
    }

    fn new_array(&self, path: &NodePath, spec: &ArraySpec) -> Result<Arc<dyn ChunkSource>> {
        self.nodes.check_writable()?;
        let printed = layout::print(spec, self.format)?;
        let attributes = printed.attributes.clone().unwrap_or_default();
        let (name, layout) = match self.format {
            Format::ZarrV2 => {
                let limits = self.nodes.limits();
                (ZARRAY, layout::parse_v2(path, &printed.array, &attributes, limits)?)
            }
            _ => (ZARR_JSON, layout::parse_v3(path, &printed.array, self.nodes.limits())?),
        };
        let _guard = self.nodes.lock();
        self.check_free(path)?;
        self.create_parents(path, self.format)?;
        self.nodes.drop_consolidated(path)?;
        let text = crate::json::print(&printed.array);
        if !self.nodes.store().set_new(&key_of(path, name), &text)? {
            return Err(Error::already_exists("there is an array of this name"));
        }
        if let Some(attributes) = &printed.attributes {
            self.nodes.write(&key_of(path, ZATTRS), attributes)?;
        }
        Ok(self.open.get(&self.nodes, path, layout))
    }

    fn open_as_array(&self, path: &NodePath, node: &Node) -> Result<Arc<dyn ChunkSource>> {
        let layout = self.nodes.layout(path, node)?;
        Ok(self.open.get(&self.nodes, path, layout))
    }

    fn list(&self, group: &NodePath) -> Result<Vec<Child>> {
        if let Some(consolidated) = self.consolidated_at(group)? {
            return Ok(consolidated.children(group.key()));
        }
        let nodes = self.load_children(group)?;
        Ok(nodes.into_iter().map(|(name, _, node)| child(name, node.kind)).collect())
    }

    fn open_listed(&self, group: &NodePath) -> Result<Vec<(Child, Option<Opened>)>> {
        let opened = |(name, path, node): (String, NodePath, Arc<Node>)| {
            let opened = match node.kind {
                NodeKind::Array => self.open_as_array(&path, &node).map(Opened::Array).ok(),
                _ => Some(Opened::Group),
            };
            (child(name, node.kind), opened)
        };
        let nodes = match self.consolidated_at(group)? {
            None => self.load_children(group)?,
            Some(consolidated) => {
                let known = |child: Child| {
                    let path = group.join(&child.name).ok()?;
                    let node = Arc::clone(consolidated.node(path.key())?);
                    Some((child.name, path, node))
                };
                consolidated.children(group.key()).into_iter().filter_map(known).collect()
            }
        };
        Ok(nodes.into_iter().map(opened).collect())
    }

    /// The consolidated metadata that tells what is in `group`, which is there.
    fn consolidated_at(&self, group: &NodePath) -> Result<Option<Arc<Consolidated>>> {
        if self.nodes.expect(group)?.kind != NodeKind::Group {
            return Err(Error::invalid("expected a group, found an array"));
        }
        let found = self.nodes.consolidated()?;
        Ok(found.filter(|consolidated| consolidated.node(group.key()).is_some()))
    }

    /// The nodes in `group` from their own documents.
    fn load_children(&self, group: &NodePath) -> Result<Vec<(String, NodePath, Arc<Node>)>> {
        let names = self.list_names(group)?;
        let mut children = Vec::with_capacity(names.len());
        for name in names {
            let Ok(path) = group.join(&name) else { continue };
            let node = self.nodes.load(&path).map_err(|error| error.at_node(&path))?;
            children.extend(node.map(|node| (name, path, node)));
        }
        Ok(children)
    }

    fn list_names(&self, group: &NodePath) -> Result<Vec<String>> {
        let names = self.nodes.store().list(group.key())?.prefixes;
        check_count(names.len(), self.nodes.limits())?;
        Ok(names)
    }

    fn take_away(&self, path: &NodePath) -> Result<()> {
        self.nodes.check_writable()?;
        if path.is_root() {
            return Err(Error::invalid("the root cannot be removed"));
        }
        let _guard = self.nodes.lock();
        self.nodes.expect(path)?;
        self.nodes.drop_consolidated(path)?;
        self.nodes.store().erase_prefix(path.key())
    }

    fn move_node(&self, from: &NodePath, to: &NodePath) -> Result<()> {
        self.nodes.check_writable()?;
        if from.is_root() || to.is_root() {
            return Err(Error::invalid("the root cannot be moved or replaced"));
        }
        self.nodes.expect(from)?;
        if from == to {
            return Ok(());
        }
        if to.starts_with(from) {
            return Err(Error::invalid(format!("`{from}` cannot be moved into itself, to `{to}`")));
        }
        let _guard = self.nodes.lock();
        self.check_free(to).map_err(|error| error.at_node(to))?;
        self.create_parents(to, self.format)?;
        for path in [from, to] {
            self.nodes.drop_consolidated(&path.parent().unwrap_or_default())?;
        }
        self.nodes.store().rename_prefix(from.key(), to.key())
    }

    fn change_attributes(&self, path: &NodePath, edits: &AttributeEdits) -> Result<()> {
        self.nodes.check_writable()?;
        self.nodes.edit_attributes(path, &mut |node, mut attributes| {
            let mut records = records::take(node, &mut attributes);
            if edits.clear {
                attributes.clear();
            }
            for (name, value) in &edits.changes {
                records.shift_remove(name);
                match value {
                    Some(value) => {
                        attributes.insert(name.clone(), attribute::to_json(name, value)?);
                        records.extend(typed::record(value).map(|record| (name.clone(), record)));
                    }
                    None => {
                        attributes.shift_remove(name);
                    }
                }
            }
            records.retain(|name, _| attributes.contains_key(name));
            Ok((attributes, records))
        })
    }

    fn read_attributes(&self, path: &NodePath) -> Result<Attributes> {
        let node = self.nodes.expect(path)?;
        let mut attributes = self.nodes.attributes(path, &node)?;
        let (records, limits) = (records::take(&node, &mut attributes), self.nodes.limits());
        let value_of = |name: &str, json: serde_json::Value| {
            let record = records.get(name);
            match record.and_then(|record| typed::recall(record, &json, limits)) {
                Some(value) => Ok(value),
                None => attribute::from_json(json),
            }
        };
        attributes
            .into_iter()
            .map(|(name, json)| Ok((name.clone(), value_of(&name, json)?)))
            .collect()
    }
}

impl Container for ZarrContainer {
    fn format(&self) -> Format {
        self.format
    }

    fn mode(&self) -> Mode {
        self.nodes.mode()
    }

    fn location(&self) -> &str {
        &self.location
    }

    fn kind(&self, node: &NodePath) -> Result<Option<NodeKind>> {
        self.nodes.located(node, self.nodes.load(node)).map(|node| node.map(|node| node.kind))
    }

    fn children(&self, group: &NodePath) -> Result<Vec<Child>> {
        self.nodes.located(group, self.list(group))
    }

    fn open_children(&self, group: &NodePath) -> Result<Vec<(Child, Option<Opened>)>> {
        self.nodes.located(group, self.open_listed(group))
    }

    fn names(&self, group: &NodePath) -> Result<Vec<String>> {
        self.nodes.located(group, self.list_names(group))
    }

    fn create_group(&self, group: &NodePath) -> Result<()> {
        self.nodes.located(group, self.new_group(group))
    }

    fn create_array(&self, array: &NodePath, spec: &ArraySpec) -> Result<Arc<dyn ChunkSource>> {
        self.nodes.located(array, self.new_array(array, spec))
    }

    fn open_array(&self, array: &NodePath) -> Result<Arc<dyn ChunkSource>> {
        let open = || {
            let node = self.nodes.expect(array)?;
            self.open_as_array(array, &node)
        };
        self.nodes.located(array, open())
    }

    fn open_node(&self, node: &NodePath) -> Result<Option<Opened>> {
        let open = || match self.nodes.load(node)? {
            None => Ok(None),
            Some(found) if found.kind == NodeKind::Array => {
                self.open_as_array(node, &found).map(|source| Some(Opened::Array(source)))
            }
            Some(_) => Ok(Some(Opened::Group)),
        };
        self.nodes.located(node, open())
    }

    fn remove(&self, node: &NodePath) -> Result<()> {
        self.nodes.located(node, self.take_away(node))
    }

    fn rename(&self, from: &NodePath, to: &NodePath) -> Result<()> {
        self.nodes.located(from, self.move_node(from, to))
    }

    fn attributes(&self, node: &NodePath) -> Result<Attributes> {
        self.nodes.located(node, self.read_attributes(node))
    }

    fn edit_attributes(&self, node: &NodePath, edits: &AttributeEdits) -> Result<()> {
        self.nodes.located(node, self.change_attributes(node, edits))
    }

    fn adapt_array(&self, spec: &ArraySpec) -> Result<Adapted<ArraySpec>> {
        adapt::array(spec, self.format).map_err(|error| error.at_file(&self.location))
    }

    fn adapt_attribute(
        &self,
        name: &str,
        value: &AttributeValue,
    ) -> Result<Adapted<AttributeValue>> {
        attribute::adapt(name, value).map_err(|error| error.at_file(&self.location))
    }

    fn commit(&self, durability: Durability) -> Result<()> {
        self.nodes.sync(durability).map_err(|error| error.at_file(&self.location))
    }
}
