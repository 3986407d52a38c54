//! An npz archive: a group of arrays, an npy file each in a zip archive.
//!
//! Entries that do not end in `.npy` are no arrays and are left alone. A group is there while
//! something lies below it, or by an entry of its own, whose name ends in a slash. Changes go to
//! a temporary file and reach the archive with the commit, all at once.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stook_core::store::zip::Archive;
use stook_core::{
    Adapted, ArraySpec, AttributeEdits, AttributeValue, Attributes, Child, ChunkSource, Container,
    Durability, Error, Format, Link, Mode, NodeKind, NodePath, OpenOptions, Result,
};

use self::source::{Entry, NpzSource};
use crate::adapt;
use crate::npy::{identity_of, no_attributes};
use crate::object_source::ObjectSource;
use crate::objects::{Objects, is_object};

const SUFFIX: &str = ".npy";

/// Whether a file that begins with `head` is a zip archive whose first entry is an npy file.
#[must_use]
pub fn is_npz(head: &[u8]) -> bool {
    const NAME_LEN_AT: usize = 26;
    const NAME_AT: usize = 30;
    let name_len = head.get(NAME_LEN_AT..NAME_LEN_AT + 2).and_then(|len| len.try_into().ok());
    let name_len = name_len.map_or(0, |len| usize::from(u16::from_le_bytes(len)));
    let name = head.get(NAME_AT..NAME_AT + name_len).unwrap_or(&[]);
    head.starts_with(b"PK\x03\x04") && name.ends_with(SUFFIX.as_bytes())
}

/// Opens the npz archive at `path`.
///
/// # Errors
/// `NotFound`, `Corrupt`, `Unsupported`, `LimitExceeded`, `Locked`, `Io`.
pub fn open_npz(path: impl AsRef<Path>, options: &OpenOptions) -> Result<Arc<dyn Container>> {
    let archive = Archive::open(&path, options.mode, &options.limits)?;
    NpzContainer::over(archive, path.as_ref(), options)
}

/// An empty archive, which comes to be at `path` with the first commit.
///
/// # Errors
/// `AlreadyExists`, `NotFound` if the folder is missing, `Io`.
pub fn create_npz(path: impl AsRef<Path>, options: &OpenOptions) -> Result<Arc<dyn Container>> {
    let archive = Archive::create(&path, &options.limits)?;
    let options = OpenOptions { mode: Mode::ReadWrite, ..options.clone() };
    NpzContainer::over(archive, path.as_ref(), &options)
}

#[derive(Debug)]
struct NpzContainer {
    archive: Arc<Archive>,
    location: String,
    options: OpenOptions,
    tree: Mutex<Tree>,
    /// Arrays of objects that are open, by entry: they reach the archive before a commit.
    objects: Mutex<BTreeMap<String, Arc<ObjectSource>>>,
}

/// What lies in each group, by key (the path without its leading slash), the root included.
#[derive(Clone, Debug, Default)]
struct Tree(BTreeMap<String, BTreeMap<String, NodeKind>>);

impl Tree {
    fn new(names: &[String], folders: BTreeSet<String>) -> Result<Self> {
        let mut tree = Self(BTreeMap::from([(String::new(), BTreeMap::new())]));
        let arrays = names.iter().filter_map(|name| name.strip_suffix(SUFFIX));
        for key in arrays.filter(|key| !key.is_empty() && !key.ends_with('/')) {
            tree.add(key, NodeKind::Array)?;
        }
        folders.iter().try_for_each(|key| tree.add(key, NodeKind::Group))?;
        Ok(tree)
    }

    /// Adds a node and the groups above it; a group may be there already.
    fn add(&mut self, key: &str, kind: NodeKind) -> Result<()> {
        let (parent, name) = split(key);
        if !parent.is_empty() || name.is_empty() {
            self.add(parent, NodeKind::Group)?;
        }
        let found = self.0.entry(parent.to_owned()).or_default().insert(name.to_owned(), kind);
        if found.is_some_and(|found| found != kind) {
            return Err(Error::unsupported(format!("`{key}` is both an array and a group")));
        }
        if kind == NodeKind::Group {
            self.0.entry(key.to_owned()).or_default();
        }
        Ok(())
    }

    fn kind(&self, key: &str) -> Option<NodeKind> {
        if key.is_empty() {
            return Some(NodeKind::Group);
        }
        let (parent, name) = split(key);
        self.0.get(parent)?.get(name).copied()
    }

    fn remove(&mut self, key: &str) {
        let (parent, name) = split(key);
        if let Some(children) = self.0.get_mut(parent) {
            children.remove(name);
        }
        let below = format!("{key}/");
        self.0.retain(|group, _| group != key && !group.starts_with(&below));
    }

    fn empty_groups(&self) -> BTreeSet<String> {
        let groups = self.0.iter().filter(|(key, children)| !key.is_empty() && children.is_empty());
        groups.map(|(key, _)| key.clone()).collect()
    }
}

fn split(key: &str) -> (&str, &str) {
    key.rsplit_once('/').unwrap_or(("", key))
}

fn entry_name(node: &NodePath) -> String {
    format!("{}{SUFFIX}", node.key())
}

impl NpzContainer {
    fn over(archive: Archive, path: &Path, options: &OpenOptions) -> Result<Arc<dyn Container>> {
        let tree =
            Tree::new(&archive.names(), archive.folders()).map_err(|error| error.at_file(path))?;
        Ok(Arc::new(Self {
            archive: Arc::new(archive),
            location: path.display().to_string(),
            options: options.clone(),
            tree: Mutex::new(tree),
            objects: Mutex::default(),
        }))
    }

    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Arc<ObjectSource>>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_entry(&self, entry: String) -> Result<Arc<dyn ChunkSource>> {
        if let Some(source) = self.objects().get(&entry) {
            return Ok(Arc::clone(source) as Arc<dyn ChunkSource>);
        }
        let archive = Arc::clone(&self.archive);
        Ok(match NpzSource::open(archive, entry.clone(), &self.options.limits)? {
            Entry::Items(source) => Arc::new(source),
            Entry::Objects(objects, len) => self.keep_objects(&entry, objects, len),
        })
    }

    fn keep_objects(&self, entry: &str, objects: Objects, len: u64) -> Arc<ObjectSource> {
        let place = (self.location.clone(), identity_of(self.archive.path(), entry));
        let source = Arc::new(ObjectSource::new(objects, place, self.options.mode, len));
        Arc::clone(self.objects().entry(entry.to_owned()).or_insert(source))
    }

    /// Puts changed objects into the archive.
    fn save_objects(&self) -> Result<()> {
        for (entry, source) in self.objects().iter() {
            if let Some((n_changes, bytes)) = source.changed_bytes()? {
                self.archive.put(entry, &bytes)?;
                source.set_saved(n_changes);
            }
        }
        Ok(())
    }

    /// Forgets the objects at `node` and below it: its entries have gone elsewhere.
    fn forget_objects(&self, node: &NodePath) {
        let (entry, below) = (entry_name(node), format!("{}/", node.key()));
        self.objects().retain(|name, source| {
            let stays = *name != entry && !name.starts_with(&below);
            if !stays {
                source.set_gone();
            }
            stays
        });
    }

    fn located(&self, error: Error, node: &NodePath) -> Error {
        error.at_file(&self.location).at_node(node)
    }

    fn fail<T>(&self, error: Error, node: &NodePath) -> Result<T> {
        Err(self.located(error, node))
    }

    fn check_writable(&self, node: &NodePath) -> Result<()> {
        match self.options.mode {
            Mode::ReadWrite => Ok(()),
            Mode::Read => self.fail(Error::read_only("opened for reading only"), node),
        }
    }

    fn found(&self, tree: &Tree, node: &NodePath) -> Result<NodeKind> {
        let missing = || self.located(Error::not_found("this node does not exist"), node);
        tree.kind(node.key()).ok_or_else(missing)
    }

    /// Whether `node` may be created: it is not there, and nothing above it is an array.
    fn check_new(&self, tree: &Tree, node: &NodePath) -> Result<()> {
        self.check_writable(node)?;
        if tree.kind(node.key()).is_some() {
            return self.fail(Error::already_exists("this node exists"), node);
        }
        let mut above = node.parent();
        while let Some(group) = above {
            if tree.kind(group.key()) == Some(NodeKind::Array) {
                let what = format!("`{group}` is an array and cannot hold nodes");
                return self.fail(Error::invalid(what), node);
            }
            above = group.parent();
        }
        Ok(())
    }
}

impl Container for NpzContainer {
    fn format(&self) -> Format {
        Format::Npz
    }

    fn mode(&self) -> Mode {
        self.options.mode
    }

    fn location(&self) -> &str {
        &self.location
    }

    fn kind(&self, node: &NodePath) -> Result<Option<NodeKind>> {
        Ok(self.tree().kind(node.key()))
    }

    fn children(&self, group: &NodePath) -> Result<Vec<Child>> {
        let tree = self.tree();
        if self.found(&tree, group)? != NodeKind::Group {
            return self.fail(Error::invalid("this is an array, not a group"), group);
        }
        let children = tree.0.get(group.key()).into_iter().flatten();
        let child = |(name, kind): (&String, &NodeKind)| Child {
            name: name.clone(),
            kind: Some(*kind),
            link: Link::Hard,
            identity: None,
            created: None,
        };
        Ok(children.map(child).collect())
    }

    fn create_group(&self, group: &NodePath) -> Result<()> {
        let mut tree = self.tree();
        self.check_new(&tree, group)?;
        tree.add(group.key(), NodeKind::Group)
    }

    fn create_array(&self, array: &NodePath, spec: &ArraySpec) -> Result<Arc<dyn ChunkSource>> {
        let mut tree = self.tree();
        self.check_new(&tree, array)?;
        let entry = entry_name(array);
        let source = adapt::exact(Format::Npz, spec).and_then(|spec| {
            if is_object(&spec.dtype) {
                let objects = Objects::empty(spec.dtype.clone(), spec.shape().to_vec())?;
                let source = self.keep_objects(&entry, objects, 0);
                self.save_objects().inspect_err(|_| self.forget_objects(array))?;
                return Ok(source as Arc<dyn ChunkSource>);
            }
            let archive = Arc::clone(&self.archive);
            let source = NpzSource::create(archive, entry, &spec, &self.options.limits)?;
            Ok(Arc::new(source))
        });
        let source = source.map_err(|error| self.located(error, array))?;
        tree.add(array.key(), NodeKind::Array)?;
        Ok(source)
    }

    fn open_array(&self, array: &NodePath) -> Result<Arc<dyn ChunkSource>> {
        if self.found(&self.tree(), array)? != NodeKind::Array {
            return self.fail(Error::invalid("this is a group, not an array"), array);
        }
        self.open_entry(entry_name(array)).map_err(|error| self.located(error, array))
    }

    fn remove(&self, node: &NodePath) -> Result<()> {
        self.check_writable(node)?;
        if node.is_root() {
            return self.fail(Error::invalid("the root cannot be removed"), node);
        }
        let mut tree = self.tree();
        let removed = match self.found(&tree, node)? {
            NodeKind::Array => self.archive.remove(&entry_name(node)).map(|_| ()),
            _ => self.archive.remove_below(node.key()),
        };
        removed.map_err(|error| self.located(error, node))?;
        self.forget_objects(node);
        tree.remove(node.key());
        Ok(())
    }

    fn rename(&self, from: &NodePath, to: &NodePath) -> Result<()> {
        self.check_writable(from)?;
        if from.is_root() || to.starts_with(from) && to != from {
            return self.fail(Error::invalid("a node cannot be moved into itself"), from);
        }
        let mut tree = self.tree();
        let kind = self.found(&tree, from)?;
        self.check_new(&tree, to)?;
        self.save_objects()?;
        let moved = match kind {
            NodeKind::Array => self.archive.rename(&entry_name(from), &entry_name(to)),
            _ => self.archive.rename_folder(from.key(), to.key()),
        };
        moved.map_err(|error| self.located(error, from))?;
        self.forget_objects(from);
        // Groups that hold nothing are known to the tree only.
        let below = format!("{}/", from.key());
        let groups: Vec<_> = tree.0.keys().filter(|key| key.starts_with(&below)).cloned().collect();
        tree.remove(from.key());
        tree.add(to.key(), kind)?;
        for group in groups {
            if let Some(rest) = group.strip_prefix(from.key()) {
                tree.add(&format!("{}{rest}", to.key()), NodeKind::Group)?;
            }
        }
        for name in self.archive.names() {
            if let Some(key) = name.strip_suffix(SUFFIX).filter(|key| !key.is_empty()) {
                tree.add(key, NodeKind::Array)?;
            }
        }
        Ok(())
    }

    fn attributes(&self, node: &NodePath) -> Result<Attributes> {
        self.found(&self.tree(), node).map(|_| Attributes::new())
    }

    fn edit_attributes(&self, node: &NodePath, edits: &AttributeEdits) -> Result<()> {
        self.found(&self.tree(), node)?;
        no_attributes(Format::Npz, self.options.mode, edits)
            .map_err(|error| self.located(error, node))
    }

    fn adapt_array(&self, spec: &ArraySpec) -> Result<Adapted<ArraySpec>> {
        adapt::adapt(Format::Npz, spec)
    }

    fn adapt_attribute(&self, name: &str, _: &AttributeValue) -> Result<Adapted<AttributeValue>> {
        Err(Error::unsupported(format!("npz has no attributes: `{name}`")))
    }

    fn commit(&self, durability: Durability) -> Result<()> {
        if durability == Durability::None || self.options.mode == Mode::Read {
            return Ok(());
        }
        // Nobody removes or moves an array meanwhile, which would come back.
        let tree = self.tree();
        self.save_objects()?;
        let groups = tree.empty_groups();
        if groups != self.archive.folders() {
            self.archive.set_folders(groups)?;
        }
        self.archive.commit(durability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_make_a_tree() {
        let names = ["a.npy", "g/h/b.npy", "readme.txt", ".npy", "g/.npy"].map(str::to_owned);
        let mut tree = Tree::new(&names, BTreeSet::from(["e/f".to_owned()])).unwrap();
        let kinds = ["", "a", "g", "g/h", "g/h/b", "e", "e/f"].map(|key| tree.kind(key).unwrap());
        let (a, g) = (NodeKind::Array, NodeKind::Group);
        assert_eq!(kinds, [g, a, g, g, a, g, g]);
        assert_eq!(tree.kind("readme.txt"), None);
        assert_eq!(tree.empty_groups(), BTreeSet::from(["e/f".to_owned()]));
        tree.remove("g");
        assert_eq!((tree.kind("g/h/b"), tree.kind("g/h")), (None, None));
        let names = ["a.npy", "a/b.npy"].map(str::to_owned);
        assert!(Tree::new(&names, BTreeSet::new()).is_err());
    }

    #[test]
    fn the_first_entry_tells_an_npz() {
        let head = |name: &[u8]| {
            let mut head = b"PK\x03\x04".to_vec();
            head.resize(26, 0);
            head.extend_from_slice(&[u8::try_from(name.len()).unwrap(), 0, 0, 0]);
            [head, name.to_vec()].concat()
        };
        assert!(is_npz(&head(b"arr_0.npy")));
        assert!(!is_npz(&head(b"zarr.json")));
        assert!(!is_npz(b"PK\x03\x04") && !is_npz(b""));
    }
}
