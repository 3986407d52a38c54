//! What is in a group, the attributes of what is, and what arrays are.
//!
//! The children of groups that were listed are known. So a walk, which asks for the children of
//! groups and then, or later, for what they are, reads each header where it lies. Who asks for a node
//! by its path has it looked for by the index of names, group by group; groups are remembered.

use std::collections::HashMap;
use std::ffi::CStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use stook_core::container::{Child, Link, NodeKind};
use stook_core::file::FileIo;
use stook_core::{AttributeValue, Limits, NodePath};

use super::chunks::{Span, Visit, Walk};
use super::dataset::{Dataset, Place};
use super::group::{Entry, entries, find};
use super::header::{Header, kind};
use super::source::{Pages, Source};
use super::{attribute, heap};
use crate::ffi::{ChunkRecord, ObjectKind};

/// Names that are remembered, and groups whose addresses are.
const MAX_KNOWN: usize = 1 << 16;

/// A node whose header is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Target {
    address: u64,
    kind: NodeKind,
}

/// A name in a group, and what it leads to.
type Named = (Box<str>, Target);

/// Reads the tree of a file.
#[derive(Debug)]
pub(crate) struct Reader {
    number: u64,
    file: Arc<dyn FileIo>,
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    pages: Pages,
    header: Header,
    /// The groups that were listed last, by their paths, and what is in each, sorted.
    listed: HashMap<Box<str>, Box<[Named]>>,
    /// How many names that are.
    n_listed: usize,
    /// The groups that were found so far, by their paths.
    groups: HashMap<NodePath, u64>,
}

impl Reader {
    /// A reader of a file whose bytes do not change.
    pub(crate) fn new(file: Arc<dyn FileIo>, limits: &Limits) -> Self {
        // None of the numbers that the library gives its files.
        static NUMBERS: AtomicU64 = AtomicU64::new(1 << 63);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        Self { number, file, limits: limits.clone(), state: Mutex::default() }
    }

    /// The number that no other reader has.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// What is in `group`, sorted by name.
    pub(crate) fn children(&self, group: &NodePath) -> Option<Vec<Child>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.children(&*self.file, group, &self.limits)
    }

    /// What is at `node`.
    pub(crate) fn kind(&self, node: &NodePath) -> Option<ObjectKind> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.reach(&*self.file, node)?.kind {
            NodeKind::Group => Some(ObjectKind::Group),
            NodeKind::Array => Some(ObjectKind::Dataset),
            _ => None,
        }
    }

    /// The attribute `name` of `node`.
    #[expect(clippy::option_option, reason = "not known is not the same as not there")]
    pub(crate) fn attribute(&self, node: &NodePath, name: &CStr) -> Option<Option<AttributeValue>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let target = state.reach(&*self.file, node)?;
        state.read_header(&*self.file, target.address)?;
        let State { pages, header, .. } = &mut *state;
        let mut source = Source { file: &*self.file, pages };
        attribute::read(&mut source, header, (name.to_bytes(), &self.limits))
    }

    /// The address of the array at `node`, and what it is.
    pub(crate) fn dataset(&self, node: &NodePath) -> Option<(u64, Dataset)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let target = state.reach(&*self.file, node)?;
        state.read_header(&*self.file, target.address)?;
        Some((target.address, Dataset::parse(&state.header)?))
    }

    /// Visits the chunks of `span`, at most `n`, that the tree at `address` lists.
    pub(crate) fn chunks(
        &self,
        (address, n): (u64, u64),
        span: Span<'_>,
        visit: &mut Visit<'_>,
    ) -> Option<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Each node leads to something but for the root, and is on a path of its own; and each has
        // room in the file.
        let n_left = n.saturating_mul(2).saturating_add(MAX_KNOWN as u64);
        let n_left = n_left.min(self.file.len_bytes().ok()?);
        let mut source = Source { file: &*self.file, pages: &mut state.pages };
        Walk { span, n_left }.node(&mut source, (address, None), visit)
    }

    /// Looks at an array, and at what the tree of its chunks leads to.
    fn walk_array(&self, node: &NodePath) {
        const N_CHUNKS: u64 = 1 << 12;
        let Some((_, dataset)) = self.dataset(node) else { return };
        let Place::Chunks { shape, tree: Some(tree) } = &dataset.place else { return };
        let (first, last) = (vec![0; shape.len()], vec![u64::MAX; shape.len()]);
        let span = Span { first: &first, last: &last };
        let mut references = Vec::new();
        let mut visit = |_: &[u64], record: ChunkRecord| {
            // Whatever bytes there are may be taken for references.
            references.extend(record.address.to_le_bytes());
            references
                .extend([record.len_bytes.to_le_bytes(), record.address.to_le_bytes()].concat());
            Some(())
        };
        let _ = self.chunks((*tree, N_CHUNKS), span, &mut visit);
        let mut items = vec![0; references.len()];
        let _ = self.texts(&references, (&mut items, &mut Vec::new()));
    }

    /// The text that `references` lead to, as the items of `items` and the bytes that they hold.
    pub(crate) fn texts(&self, references: &[u8], to: (&mut [u8], &mut Vec<u8>)) -> Option<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut source = Source { file: &*self.file, pages: &mut state.pages };
        heap::texts(&mut source, references, to, &self.limits)
    }
}

/// Walks the tree of `file` past the library, as far as that understands it, and returns how many
/// nodes it found: what fuzzers are given, and nobody else needs.
#[doc(hidden)]
#[must_use]
pub fn walk_natively(file: Arc<dyn FileIo>, limits: &Limits) -> u64 {
    const ASKED_FOR: [&CStr; 3] = [c"CLASS", c"TITLE", c"title"];
    let reader = Reader::new(file, limits);
    let (mut ahead, mut n_found) = (vec![NodePath::root()], 0_u64);
    while let Some(group) = ahead.pop() {
        for child in reader.children(&group).unwrap_or_default() {
            let Ok(node) = group.join(&child.name) else { continue };
            for name in ASKED_FOR {
                let _ = reader.attribute(&node, name);
            }
            if child.kind == Some(NodeKind::Array) {
                reader.walk_array(&node);
            }
            n_found += 1;
            if child.kind == Some(NodeKind::Group) && n_found < limits.n_nodes {
                ahead.push(node);
            }
        }
    }
    n_found
}

impl State {
    fn read_header(&mut self, file: &dyn FileIo, address: u64) -> Option<()> {
        let mut source = Source { file, pages: &mut self.pages };
        self.header.read(&mut source, address)
    }

    fn target(&self, node: &NodePath) -> Option<Target> {
        let (group, name) = node.as_str().rsplit_once('/')?;
        let children = self.listed.get(if group.is_empty() { "/" } else { group })?;
        let at = children.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        children.get(at).map(|(_, target)| *target)
    }

    /// The node at `path`: looked for from the root on.
    fn reach(&mut self, file: &dyn FileIo, path: &NodePath) -> Option<Target> {
        if let Some(target) = self.target(path) {
            return Some(target);
        }
        let root = Source { file, pages: &mut self.pages }.root()?;
        let mut here = Target { address: root, kind: NodeKind::Group };
        let mut node = NodePath::root();
        for segment in path.segments() {
            if here.kind != NodeKind::Group {
                return None;
            }
            node = node.join(segment).ok()?;
            here = match self.groups.get(&node) {
                Some(&address) => Target { address, kind: NodeKind::Group },
                None => self.step(file, here.address, segment)?,
            };
            if here.kind == NodeKind::Group && self.groups.len() < MAX_KNOWN {
                self.groups.insert(node.clone(), here.address);
            }
        }
        Some(here)
    }

    /// What `name` leads to in the group whose header is at `address`.
    fn step(&mut self, file: &dyn FileIo, address: u64, name: &str) -> Option<Target> {
        self.read_header(file, address)?;
        let mut source = Source { file, pages: &mut self.pages };
        let address = find(&mut source, &self.header, name.as_bytes())?;
        self.read_header(file, address)?;
        Some(Target { address, kind: kind_of(&self.header)? })
    }

    /// The address of the group at `path`.
    fn group_at(&mut self, file: &dyn FileIo, path: &NodePath) -> Option<u64> {
        if path.is_root() {
            return Source { file, pages: &mut self.pages }.root();
        }
        let target = self.reach(file, path)?;
        (target.kind == NodeKind::Group).then_some(target.address)
    }

    fn children(
        &mut self,
        file: &dyn FileIo,
        path: &NodePath,
        limits: &Limits,
    ) -> Option<Vec<Child>> {
        let address = self.group_at(file, path)?;
        self.read_header(file, address)?;
        let mut source = Source { file, pages: &mut self.pages };
        let mut found = entries(&mut source, &self.header, limits)?;
        found.sort_unstable();
        let is_unique = found
            .windows(2)
            .all(|pair| pair.first().map(|e| &e.name) != pair.last().map(|e| &e.name));
        if !is_unique {
            return None;
        }
        let children = found.into_iter().map(|entry| self.child(file, entry));
        let children = children.collect::<Option<Vec<_>>>()?;
        self.keep(path, &children);
        Some(children)
    }

    fn child(&mut self, file: &dyn FileIo, entry: Entry) -> Option<Child> {
        let Entry { name, address, created } = entry;
        self.read_header(file, address)?;
        let kind = kind_of(&self.header)?;
        let name =
            String::from_utf8(name).ok().filter(|name| !name.contains('/') && name != ".")?;
        Some(Child { name, kind: Some(kind), link: Link::Hard, identity: Some(address), created })
    }

    /// Remembers the children of `group`.
    fn keep(&mut self, group: &NodePath, children: &[Child]) {
        // The name of the group counts, too.
        let n_names = children.len() + 1;
        if self.n_listed + n_names > MAX_KNOWN {
            self.listed.clear();
            self.n_listed = 0;
        }
        if n_names <= MAX_KNOWN {
            let known = children.iter().filter_map(|child| {
                let target = Target { address: child.identity?, kind: child.kind? };
                Some((child.name.as_str().into(), target))
            });
            let before = self.listed.insert(group.as_str().into(), known.collect());
            self.n_listed += n_names;
            self.n_listed -= before.map_or(0, |before| before.len() + 1);
        }
        let groups = children.iter().filter(|child| child.kind == Some(NodeKind::Group));
        let groups =
            groups.filter_map(|child| Some((group.join(&child.name).ok()?, child.identity?)));
        let n_free = MAX_KNOWN.saturating_sub(self.groups.len());
        self.groups.extend(groups.take(n_free));
    }
}

/// What the node of a header is.
fn kind_of(header: &Header) -> Option<NodeKind> {
    let has = |kind| header.messages().any(|message| message.kind == kind);
    let is_group = has(kind::SYMBOL_TABLE) || has(kind::LINK_INFO);
    let [is_typed, is_laid_out, has_space] =
        [kind::DATATYPE, kind::LAYOUT, kind::DATASPACE].map(has);
    match (is_group, is_typed, is_laid_out && has_space) {
        (true, false, false) => Some(NodeKind::Group),
        (false, true, true) => Some(NodeKind::Array),
        // A named type, or a node of several kinds.
        _ => None,
    }
}
