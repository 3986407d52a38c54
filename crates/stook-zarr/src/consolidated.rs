//! Consolidated metadata: the documents of all nodes below a group in one document, inline in
//! `zarr.json` in version 3, as `.zmetadata` in version 2.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Value, json};
use stook_core::{Child, Error, Format, Limits, Link, NodeKind, NodePath, Result};

use crate::json::{self, Object};
use crate::node::{Node, Nodes, ZARR_JSON, ZARRAY, ZATTRS, ZGROUP, ZMETADATA, key_of};

/// Where `zarr.json` holds it.
pub(crate) const KEY: &str = "consolidated_metadata";

/// The nodes that a root's consolidated metadata describes; where there is none, at most the
/// root itself, which had to be read to learn that.
#[derive(Debug)]
pub(crate) struct Consolidated {
    key: &'static str,
    is_there: bool,
    nodes: HashMap<String, Arc<Node>>,
    children: HashMap<String, Vec<Child>>,
}

impl Consolidated {
    /// No consolidated metadata in the document at `key`.
    pub(crate) fn none(key: &'static str) -> Self {
        Self { key, is_there: false, nodes: HashMap::new(), children: HashMap::new() }
    }

    /// The key of its document.
    pub(crate) fn key(&self) -> &'static str {
        self.key
    }

    /// Whether there is any.
    pub(crate) fn is_there(&self) -> bool {
        self.is_there
    }

    /// No consolidated metadata in the `zarr.json` of `root`.
    pub(crate) fn only(root: Node) -> Self {
        let nodes = HashMap::from([(String::new(), Arc::new(root))]);
        Self { nodes, ..Self::none(ZARR_JSON) }
    }

    /// The node at the path whose key this is.
    pub(crate) fn node(&self, key: &str) -> Option<&Arc<Node>> {
        self.nodes.get(key)
    }

    /// The names in the group whose key this is.
    pub(crate) fn children(&self, key: &str) -> Vec<Child> {
        self.children.get(key).cloned().unwrap_or_default()
    }

    /// What the root `zarr.json` holds.
    ///
    /// # Errors
    /// `Corrupt`, `LimitExceeded`.
    pub(crate) fn parse_v3(mut root: Node, limits: &Limits) -> Result<Self> {
        if !root.doc.contains_key(KEY) {
            return Ok(Self::only(root));
        }
        let mut found = Self::none(ZARR_JSON);
        let inline = root.doc.shift_remove(KEY);
        let Some(Value::Object(mut inline)) = inline else { return Ok(found) };
        if inline.get("kind").is_some_and(|kind| kind != "inline") {
            return Ok(found);
        }
        let nodes = match inline.remove("metadata") {
            Some(Value::Object(nodes)) => nodes,
            _ => return Err(malformed(ZARR_JSON)),
        };
        check_count(nodes.len(), limits)?;
        for (key, doc) in nodes {
            let Value::Object(mut doc) = doc else { return Err(malformed(&key)) };
            doc.shift_remove(KEY);
            found.nodes.insert(key.clone(), Arc::new(Node::consolidated(&key, None, doc)?));
        }
        found.nodes.insert(String::new(), Arc::new(root));
        found.link();
        Ok(found)
    }

    /// What `.zmetadata` holds.
    ///
    /// # Errors
    /// `Corrupt`, `LimitExceeded`.
    pub(crate) fn parse_v2(mut doc: Object, limits: &Limits) -> Result<Self> {
        let mut found = Self::none(ZMETADATA);
        let Some(Value::Object(docs)) = doc.remove("metadata") else {
            return Err(malformed(ZMETADATA));
        };
        check_count(docs.len(), limits)?;
        let (mut nodes, mut attributes) = (Vec::new(), HashMap::new());
        for (key, doc) in docs {
            let (path, name) = key.rsplit_once('/').unwrap_or(("", &key));
            let kind = match name {
                ZARRAY => Some(NodeKind::Array),
                ZGROUP => Some(NodeKind::Group),
                ZATTRS => None,
                _ => continue,
            };
            let Value::Object(mut doc) = doc else { return Err(malformed(&key)) };
            if kind == Some(NodeKind::Group) {
                doc.shift_remove(KEY);
            }
            match kind {
                Some(kind) => {
                    nodes.push((path.to_owned(), Node::consolidated(&key, Some(kind), doc)?));
                }
                None => {
                    attributes.insert(path.to_owned(), doc);
                }
            }
        }
        for (path, mut node) in nodes {
            node.attributes = Some(attributes.remove(&path).unwrap_or_default());
            found.nodes.insert(path, Arc::new(node));
        }
        found.link();
        Ok(found)
    }

    /// Lists every node in the group above it.
    fn link(&mut self) {
        self.is_there = true;
        let mut children: HashMap<String, BTreeMap<String, NodeKind>> = HashMap::new();
        for (key, node) in self.nodes.iter().filter(|(key, _)| !key.is_empty()) {
            let (group, name) = key.rsplit_once('/').unwrap_or(("", key));
            children.entry(group.to_owned()).or_default().insert(name.to_owned(), node.kind);
        }
        self.children = children
            .into_iter()
            .map(|(group, names)| {
                let names = names.into_iter().map(|(name, kind)| child(name, kind));
                (group, names.collect())
            })
            .collect();
    }
}

/// A name in a group.
pub(crate) fn child(name: String, kind: NodeKind) -> Child {
    Child { name, kind: Some(kind), link: Link::Hard, identity: None, created: None }
}

fn malformed(key: &str) -> Error {
    Error::corrupt(format!("`{key}`: expected consolidated metadata as an object of objects"))
}

/// # Errors
/// `LimitExceeded` over the number of nodes allowed.
pub(crate) fn check_count(n: usize, limits: &Limits) -> Result<()> {
    if n as u64 > limits.n_nodes {
        let limit = limits.n_nodes;
        return Err(Error::limit(format!("{n} nodes exceed the limit of {limit}")));
    }
    Ok(())
}

/// Writes the metadata of all nodes below `path` into its own.
///
/// # Errors
/// `NotFound`, `InvalidInput` if `path` is no group, `Unsupported` where versions are mixed,
/// `ReadOnly`, `Corrupt`, `LimitExceeded`, `Io`.
pub(crate) fn write(nodes: &Nodes, path: &NodePath) -> Result<()> {
    nodes.check_writable()?;
    let _guard = nodes.lock();
    let root = nodes.expect(path)?;
    if root.kind != NodeKind::Group {
        return Err(Error::invalid("expected a group, found an array"));
    }
    nodes.drop_consolidated(path)?;
    let mut all = Vec::new();
    collect(nodes, path, root.format, &mut all)?;
    if root.format == Format::ZarrV2 {
        return write_v2(nodes, path, &root, all);
    }
    let mut metadata = Object::new();
    for (key, node, _) in all {
        metadata.insert(key, Value::Object(entry(&node)));
    }
    let inline = json!({"kind": "inline", "must_understand": false, "metadata": metadata});
    let is_there = nodes.edit(&key_of(path, ZARR_JSON), &mut |mut own| {
        own.shift_remove(KEY);
        let mut doc = Object::new();
        // zarr-python's order of keys: behind the version.
        for (name, value) in own {
            let is_version = name == "zarr_format";
            doc.insert(name, value);
            if is_version {
                doc.insert(KEY.to_owned(), inline.clone());
            }
        }
        Ok(Some(doc))
    })?;
    if is_there { Ok(()) } else { nodes.expect_own(path).map(drop) }
}

/// A node of version 3 as it appears in consolidated metadata.
fn entry(node: &Node) -> Object {
    let mut doc = node.doc.clone();
    doc.shift_remove(KEY);
    if node.kind == NodeKind::Group {
        let none = json!({"kind": "inline", "must_understand": false, "metadata": {}});
        doc.shift_remove("node_type");
        doc.insert(KEY.to_owned(), none);
        doc.insert("node_type".to_owned(), json!("group"));
    }
    doc
}

fn write_v2(
    nodes: &Nodes,
    path: &NodePath,
    root: &Node,
    all: Vec<(String, Arc<Node>, Object)>,
) -> Result<()> {
    let mut metadata = Object::new();
    metadata.insert(ZGROUP.to_owned(), Value::Object(root.doc.clone()));
    metadata.insert(ZATTRS.to_owned(), Value::Object(nodes.attributes(path, root)?));
    for (key, node, attributes) in all {
        metadata.insert(format!("{key}/{ZATTRS}"), Value::Object(attributes));
        let mut doc = node.doc.clone();
        if node.kind == NodeKind::Group {
            // As zarr-python has it of groups below.
            let none = json!({"metadata": {}, "must_understand": false, "kind": "inline"});
            doc.insert(KEY.to_owned(), none);
        }
        metadata.insert(format!("{key}/{}", node.document()), Value::Object(doc));
    }
    let doc = json!({"metadata": metadata, "zarr_consolidated_format": 1});
    let Value::Object(doc) = doc else { return Ok(()) };
    nodes.store().set(&key_of(path, ZMETADATA), &json::print(&doc))
}

/// All nodes below `group` by their key below it, parents first.
fn collect(
    nodes: &Nodes,
    group: &NodePath,
    format: Format,
    all: &mut Vec<(String, Arc<Node>, Object)>,
) -> Result<()> {
    let start = if group.is_root() { 0 } else { group.key().len() + 1 };
    let mut groups = vec![group.clone()];
    while let Some(group) = groups.pop() {
        for name in nodes.store().list(group.key())?.prefixes {
            let Ok(path) = group.join(&name) else { continue };
            let Some(node) = nodes.load(&path)? else { continue };
            if node.format != format {
                return Err(Error::unsupported(format!(
                    "`{path}` is {}: metadata of mixed versions cannot be consolidated",
                    node.format
                )));
            }
            let attributes = nodes.attributes(&path, &node)?;
            if node.kind == NodeKind::Group {
                groups.push(path.clone());
            }
            all.push((path.key().get(start..).unwrap_or_default().to_owned(), node, attributes));
            check_count(all.len(), nodes.limits())?;
        }
    }
    Ok(())
}
