//! Nodes as metadata documents in a store: found, read, written and removed.
//!
//! Invariants: a document is replaced as a whole; changes of documents of one store exclude each
//! other within this process, and no change that another process makes to a document is lost, where
//! the store can guard that ([`ByteStore::update`]); consolidated metadata that covers a node is dropped before the
//! node changes, so that it is never out of date by our doing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use serde_json::{Value, json};
use stook_core::store::{ByteStore, Edit};
use stook_core::{
    ConsolidatedMetadata, Durability, Error, Format, Limits, Mode, NodeKind, NodePath, OpenOptions,
    Result,
};

use crate::consolidated::{self, Consolidated};
use crate::json::{self, Object};
use crate::layout::{self, ArrayLayout};
use crate::records;

/// The document of a node of version 3.
pub(crate) const ZARR_JSON: &str = "zarr.json";
/// The document of an array of version 2.
pub(crate) const ZARRAY: &str = ".zarray";
/// The document of a group of version 2.
pub(crate) const ZGROUP: &str = ".zgroup";
/// The attributes of a node of version 2.
pub(crate) const ZATTRS: &str = ".zattrs";
/// The consolidated metadata of a group of version 2.
pub(crate) const ZMETADATA: &str = ".zmetadata";

/// A node as its documents describe it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) format: Format,
    pub(crate) kind: NodeKind,
    /// `zarr.json`, `.zarray` or `.zgroup`.
    pub(crate) doc: Object,
    /// `.zattrs`, where it came with consolidated metadata.
    pub(crate) attributes: Option<Object>,
}

/// What a document becomes; `None` where it stays as it is.
pub(crate) type ChangeDocument<'a> = dyn FnMut(Object) -> Result<Option<Object>> + 'a;

/// What the attributes of a node become, and the records of their types.
pub(crate) type ChangeAttributes<'a> = dyn FnMut(&Node, Object) -> Result<(Object, Object)> + 'a;

/// The nodes of one store.
#[derive(Debug)]
pub(crate) struct Nodes {
    store: Arc<dyn ByteStore>,
    mode: Mode,
    limits: Limits,
    ignores_consolidated: bool,
    /// Consolidated metadata of the root with the stamp of its document.
    consolidated: RwLock<Option<(Stamp, Arc<Consolidated>)>>,
}

/// What changes when a document does: its version or, where that cannot be told (of a file that
/// was just written), its length.
type Stamp = (Option<u64>, Option<u64>);

impl Nodes {
    /// The nodes of `store`.
    ///
    /// # Errors
    /// `ReadOnly` if it is to be changed and cannot.
    pub(crate) fn new(store: Arc<dyn ByteStore>, options: &OpenOptions) -> Result<Self> {
        if options.mode == Mode::ReadWrite && store.is_read_only() {
            let error = Error::read_only("the store is read-only");
            return Err(error.at_file(store.location()));
        }
        let (mode, limits) = (options.mode, options.limits.clone());
        let ignores_consolidated = options.consolidated == ConsolidatedMetadata::Ignored;
        Ok(Self { store, mode, limits, ignores_consolidated, consolidated: RwLock::default() })
    }

    /// The same nodes, each from its own documents.
    pub(crate) fn ignoring_consolidated(self) -> Self {
        Self { ignores_consolidated: true, ..self }
    }

    pub(crate) fn store(&self) -> &dyn ByteStore {
        &*self.store
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// An error says where it happened.
    pub(crate) fn located<T>(&self, path: &NodePath, result: Result<T>) -> Result<T> {
        result.map_err(|error| error.at_node(path).at_file(self.store.location()))
    }

    /// # Errors
    /// `ReadOnly` if nothing may be changed.
    pub(crate) fn check_writable(&self) -> Result<()> {
        match self.mode {
            Mode::ReadWrite => Ok(()),
            Mode::Read => Err(Error::read_only("opened for reading only")),
        }
    }

    /// Keeps other changes of this store's documents in this process waiting.
    pub(crate) fn lock(&self) -> MutexGuard<'static, ()> {
        static LOCKS: [Mutex<()>; 64] = [const { Mutex::new(()) }; 64];
        let at = usize::try_from(self.store.identity() % 64).unwrap_or(0);
        LOCKS[at].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The document at `key`; `None` if there is none.
    ///
    /// # Errors
    /// `Corrupt`, `LimitExceeded`, `Io`.
    pub(crate) fn read(&self, key: &str) -> Result<Option<Object>> {
        let mut text = Vec::new();
        if !self.store.get(key, &mut text, self.limits.metadata_len_bytes)? {
            return Ok(None);
        }
        json::parse_object(key, &text).map(Some)
    }

    /// Replaces the document at `key`.
    ///
    /// # Errors
    /// `ReadOnly`, `Io`.
    pub(crate) fn write(&self, key: &str, doc: &Object) -> Result<()> {
        self.store.set(key, &json::print(doc))
    }

    /// The node at `path`; `None` if there is none.
    ///
    /// # Errors
    /// `Corrupt`, `Unsupported`, `LimitExceeded`, `Io`.
    pub(crate) fn load(&self, path: &NodePath) -> Result<Option<Arc<Node>>> {
        if let Some(known) = self.known()?
            && let Some(node) = known.node(path.key())
        {
            return Ok(Some(Arc::clone(node)));
        }
        self.load_own(path).map(|node| node.map(Arc::new))
    }

    /// The node at `path` from its own documents.
    pub(crate) fn load_own(&self, path: &NodePath) -> Result<Option<Node>> {
        let mut key = key_of(path, ZARR_JSON);
        if let Some(doc) = self.read(&key)? {
            return Node::v3(&key, doc).map(Some);
        }
        for (name, kind) in [(ZARRAY, NodeKind::Array), (ZGROUP, NodeKind::Group)] {
            key = key_of(path, name);
            if let Some(doc) = self.read(&key)? {
                return Node::v2(&key, kind, doc).map(Some);
            }
        }
        Ok(None)
    }

    /// The node at `path`, which is there.
    ///
    /// # Errors
    /// `NotFound`, and those of [`Nodes::load`].
    pub(crate) fn expect(&self, path: &NodePath) -> Result<Arc<Node>> {
        self.load(path)?.ok_or_else(missing)
    }

    /// The node at `path`, which is there, from its own documents.
    ///
    /// # Errors
    /// As [`Nodes::expect`].
    pub(crate) fn expect_own(&self, path: &NodePath) -> Result<Node> {
        self.load_own(path)?.ok_or_else(missing)
    }

    /// The attributes of `node`, which lies at `path`.
    ///
    /// # Errors
    /// `Corrupt`, `LimitExceeded`, `Io`.
    pub(crate) fn attributes(&self, path: &NodePath, node: &Node) -> Result<Object> {
        if let Some(attributes) = &node.attributes {
            return Ok(attributes.clone());
        }
        if node.format == Format::ZarrV2 {
            return Ok(self.read(&key_of(path, ZATTRS))?.unwrap_or_default());
        }
        match node.doc.get("attributes") {
            None | Some(Value::Null) => Ok(Object::new()),
            Some(Value::Object(attributes)) => Ok(attributes.clone()),
            Some(other) => Err(Error::corrupt(format!(
                "`attributes`: expected an object, found {}",
                json::kind(other)
            ))),
        }
    }

    /// Changes the document at `key` to what `change` makes of it, or not where that is `None`,
    /// such that no change that is made by others meanwhile is lost: it is asked again then.
    /// False if there is no such document.
    ///
    /// # Errors
    /// `ReadOnly`, `Corrupt`, `LimitExceeded`, `Locked`, `Io`, and what `change` returns.
    pub(crate) fn edit(&self, key: &str, change: &mut ChangeDocument<'_>) -> Result<bool> {
        let mut is_there = false;
        self.store.update(key, self.limits.metadata_len_bytes, &mut |text, out| {
            is_there = text.is_some();
            let Some(text) = text else { return Ok(Edit::Keep) };
            let Some(doc) = change(json::parse_object(key, text)?)? else { return Ok(Edit::Keep) };
            out.extend_from_slice(&json::print(&doc));
            Ok(Edit::Set)
        })?;
        Ok(is_there)
    }

    /// Changes the document of the array of version `format` at `path`, as [`Nodes::edit`] does.
    ///
    /// # Errors
    /// `NotFound` if it is gone, and those of [`Nodes::edit`].
    pub(crate) fn edit_array(
        &self,
        path: &NodePath,
        format: Format,
        change: &mut ChangeDocument<'_>,
    ) -> Result<()> {
        let _guard = self.lock();
        path.parent().map_or(Ok(()), |group| self.drop_consolidated(&group))?;
        let name = if format == Format::ZarrV2 { ZARRAY } else { ZARR_JSON };
        if self.edit(&key_of(path, name), change)? { Ok(()) } else { Err(missing()) }
    }

    /// Changes the attributes of the node at `path` to what `change` makes of the node and them:
    /// attributes, and the records of their types; a node of version 2 that has none left has no
    /// document for them. What others change meanwhile is not lost.
    ///
    /// # Errors
    /// `NotFound`, `ReadOnly`, `Corrupt`, `LimitExceeded`, `Locked`, `Io`, and what `change`
    /// returns.
    pub(crate) fn edit_attributes(
        &self,
        path: &NodePath,
        change: &mut ChangeAttributes<'_>,
    ) -> Result<()> {
        let _guard = self.lock();
        self.drop_consolidated(path)?;
        let key = key_of(path, ZARR_JSON);
        let is_there = self.edit(&key, &mut |mut doc| {
            doc.shift_remove(consolidated::KEY);
            let node = Node::v3(&key, doc.clone())?;
            let (mut attributes, records) = change(&node, self.attributes(path, &node)?)?;
            records::put(&node, records, &mut attributes, &mut doc);
            doc.insert("attributes".to_owned(), Value::Object(attributes));
            Ok(Some(doc))
        })?;
        if is_there {
            return Ok(());
        }
        let node = self.expect_own(path)?;
        self.edit_attributes_v2(path, &node, change)
    }

    fn edit_attributes_v2(
        &self,
        path: &NodePath,
        node: &Node,
        change: &mut ChangeAttributes<'_>,
    ) -> Result<()> {
        let key = key_of(path, ZATTRS);
        let mut kept = Object::new();
        self.store.update(&key, self.limits.metadata_len_bytes, &mut |text, out| {
            let attributes = text.map(|text| json::parse_object(&key, text)).transpose()?;
            let (attributes, records) = change(node, attributes.unwrap_or_default())?;
            kept = records;
            if attributes.is_empty() {
                return Ok(Edit::Erase);
            }
            out.extend_from_slice(&json::print(&attributes));
            Ok(Edit::Set)
        })?;
        // The records lie in the document of the node, which few have to change.
        if !records::put(node, kept.clone(), &mut Object::new(), &mut node.doc.clone()) {
            return Ok(());
        }
        self.edit(&key_of(path, node.document()), &mut |mut doc| {
            let has_changed = records::put(node, kept.clone(), &mut Object::new(), &mut doc);
            Ok(has_changed.then_some(doc))
        })?;
        Ok(())
    }

    /// The array that `node`, which lies at `path`, is.
    ///
    /// # Errors
    /// `InvalidInput` if it is none, `Corrupt`, `Unsupported`, `LimitExceeded`, `Io`.
    pub(crate) fn layout(&self, path: &NodePath, node: &Node) -> Result<ArrayLayout> {
        if node.kind != NodeKind::Array {
            return Err(Error::invalid("expected an array, found a group"));
        }
        if node.format == Format::ZarrV2 {
            let attributes = self.attributes(path, node)?;
            return layout::parse_v2(path, &node.doc, &attributes, &self.limits);
        }
        layout::parse_v3(path, &node.doc, &self.limits)
    }

    /// Makes changes durable.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn sync(&self, durability: Durability) -> Result<()> {
        self.store.sync(durability)
    }

    fn is_remote(&self) -> bool {
        self.store.requests_in_flight().is_some()
    }

    /// Consolidated metadata of the root, if there is any, for readers: who changes nodes looks at
    /// their own documents.
    ///
    /// # Errors
    /// `Corrupt`, `LimitExceeded`, `Io`.
    pub(crate) fn consolidated(&self) -> Result<Option<Arc<Consolidated>>> {
        Ok(self.known()?.filter(|consolidated| consolidated.is_there()))
    }

    /// What the documents of the root say, as they are now; `None` for who changes nodes.
    fn known(&self) -> Result<Option<Arc<Consolidated>>> {
        if self.mode == Mode::ReadWrite || self.ignores_consolidated {
            return Ok(None);
        }
        let known = self.consolidated.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((stamp, consolidated)) = known
            && self.stamp(consolidated.key())? == stamp
        {
            return Ok(Some(consolidated));
        }
        let (stamp, consolidated) = self.learn()?;
        let consolidated = Arc::new(consolidated);
        let known = Some((stamp, Arc::clone(&consolidated)));
        *self.consolidated.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(Some(consolidated))
    }

    /// Reads the documents of the root.
    fn learn(&self) -> Result<(Stamp, Consolidated)> {
        // The stamp comes first: a document that is replaced meanwhile is then read again.
        let stamp = self.stamp(ZARR_JSON)?;
        let Some(root) = self.load_own(&NodePath::root())? else {
            return Ok((stamp, Consolidated::none(ZARR_JSON)));
        };
        if root.format == Format::ZarrV2 && root.kind == NodeKind::Array && self.is_remote() {
            return Ok((stamp, Consolidated::only(root)));
        }
        if root.format == Format::ZarrV2 {
            let stamp = self.stamp(ZMETADATA)?;
            let doc = if root.kind == NodeKind::Array { None } else { self.read(ZMETADATA)? };
            let none = || Ok(Consolidated::none(ZMETADATA));
            let found = doc.map_or_else(none, |doc| Consolidated::parse_v2(doc, &self.limits))?;
            return Ok((stamp, found));
        }
        let found = match root.kind {
            NodeKind::Array => Consolidated::only(root),
            _ => Consolidated::parse_v3(root, &self.limits)?,
        };
        // A length alone does not tell that a root is as it was.
        let is_kept = found.is_there() || stamp.0.is_some() || self.is_remote();
        Ok((stamp, if is_kept { found } else { Consolidated::none(ZARR_JSON) }))
    }

    /// What tells a change of the document at `key`; behind a network, where each question is a
    /// request, nothing does: a reader sees the root as it was when it was opened.
    fn stamp(&self, key: &str) -> Result<Stamp> {
        if self.is_remote() {
            return Ok((None, None));
        }
        match self.store.version(key)? {
            None => Ok((None, self.store.len_bytes(key)?)),
            version => Ok((version, None)),
        }
    }

    /// Removes consolidated metadata from `path` and the groups above it; the caller holds the
    /// lock.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    pub(crate) fn drop_consolidated(&self, path: &NodePath) -> Result<()> {
        let mut next = Some(path.clone());
        let mut text = Vec::new();
        while let Some(group) = next {
            let key = key_of(&group, ZARR_JSON);
            text.clear();
            let is_there = self.store.get(&key, &mut text, self.limits.metadata_len_bytes)?;
            let name = consolidated::KEY.as_bytes();
            if is_there && text.windows(name.len()).any(|window| window == name) {
                self.edit(&key, &mut |mut doc| {
                    Ok(doc.shift_remove(consolidated::KEY).is_some().then_some(doc))
                })?;
            }
            // Where a node is of version 3, nobody looks at documents of version 2, and behind a
            // network each question is a request.
            if !(is_there && self.is_remote()) {
                self.store.erase(&key_of(&group, ZMETADATA))?;
            }
            next = group.parent();
        }
        Ok(())
    }
}

impl Node {
    /// A node of version 3.
    pub(crate) fn v3(key: &str, doc: Object) -> Result<Self> {
        check_version(key, &doc, 3)?;
        let kind = match doc.get("node_type").and_then(Value::as_str) {
            Some("group") => NodeKind::Group,
            Some("array") => NodeKind::Array,
            _ => {
                let found = doc.get("node_type").unwrap_or(&Value::Null);
                return Err(Error::corrupt(format!(
                    "`{key}`: expected `node_type` to be group or array, found {found}"
                )));
            }
        };
        Ok(Self { format: Format::ZarrV3, kind, doc, attributes: None })
    }

    /// A node of version 2.
    pub(crate) fn v2(key: &str, kind: NodeKind, doc: Object) -> Result<Self> {
        check_version(key, &doc, 2)?;
        Ok(Self { format: Format::ZarrV2, kind, doc, attributes: None })
    }

    /// A node of either version from consolidated metadata.
    pub(crate) fn consolidated(key: &str, kind: Option<NodeKind>, doc: Object) -> Result<Self> {
        match kind {
            None => Self::v3(key, doc),
            Some(kind) => Self::v2(key, kind, doc),
        }
    }

    /// The name of its document.
    pub(crate) fn document(&self) -> &'static str {
        match (self.format, self.kind) {
            (Format::ZarrV2, NodeKind::Array) => ZARRAY,
            (Format::ZarrV2, _) => ZGROUP,
            _ => ZARR_JSON,
        }
    }

    /// The document of a new group.
    pub(crate) fn new_group(format: Format) -> (&'static str, Object) {
        let (key, doc) = match format {
            Format::ZarrV2 => (ZGROUP, json!({"zarr_format": 2})),
            _ => (ZARR_JSON, json!({"attributes": {}, "zarr_format": 3, "node_type": "group"})),
        };
        match doc {
            Value::Object(doc) => (key, doc),
            _ => (key, Object::new()),
        }
    }
}

fn missing() -> Error {
    Error::not_found("there is no such group or array")
}

fn check_version(key: &str, doc: &Object, expected: u64) -> Result<()> {
    match doc.get("zarr_format") {
        Some(version) if version.as_u64() == Some(expected) => Ok(()),
        Some(version) if version.is_u64() => Err(Error::unsupported(format!(
            "`{key}`: expected Zarr version {expected}, found {version}"
        ))),
        _ => Err(Error::corrupt(format!("`{key}`: expected `zarr_format` {expected}"))),
    }
}

/// The key of the document `name` of the node at `path`.
pub(crate) fn key_of(path: &NodePath, name: &str) -> String {
    if path.is_root() { name.to_owned() } else { format!("{}/{name}", path.key()) }
}
