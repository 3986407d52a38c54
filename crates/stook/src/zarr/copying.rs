//! Copies of nodes and of stores, as zarr-python's version 2 made them.

mod keys;

pub use keys::{CopyStore, copy_store};

use stook_core::{AttributeEdits, Error, NodePath, Result};

use super::creation::from_array;
use crate::array::Array;
use crate::copy::{self, Change, Ranges, Target, Watch, Way, Window};
use crate::file::{File, Node};
use crate::group::Group;

/// What becomes of a node, or a key, that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IfExists {
    /// It is an error.
    #[default]
    Raise,
    /// It is replaced.
    Replace,
    /// It stays as it is.
    Skip,
    /// An array all of whose chunks are stored stays as it is; any other is replaced.
    SkipInitialized,
}

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// How many nodes, or keys, were copied.
    pub n_copied: u64,
    /// How many were left as they are.
    pub n_skipped: u64,
    /// How many bytes: of items in memory for nodes, of values for keys.
    pub n_bytes_copied: u64,
}

impl std::ops::AddAssign for Copied {
    fn add_assign(&mut self, more: Self) {
        self.n_copied = self.n_copied.saturating_add(more.n_copied);
        self.n_skipped = self.n_skipped.saturating_add(more.n_skipped);
        self.n_bytes_copied = self.n_bytes_copied.saturating_add(more.n_bytes_copied);
    }
}

/// A copy of nodes that is about to be made; [`Copy::run`] makes it.
#[derive(Clone, Debug)]
#[must_use = "nothing is copied before `run`"]
pub struct Copy {
    source: Node,
    target: Group,
    name: Option<String>,
    has_root: bool,
    is_shallow: bool,
    has_attributes: bool,
    if_exists: IfExists,
    is_dry_run: bool,
}

impl From<&Array> for Node {
    fn from(array: &Array) -> Self {
        Self::Array(array.clone())
    }
}

impl From<&Group> for Node {
    fn from(group: &Group) -> Self {
        Self::Group(group.clone())
    }
}

/// Begins a copy of an array, or of a group with all below it, into the group `target`; either
/// may be of any format.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// use stook::zarr::{self, IfExists};
///
/// let old = zarr::group(zarr::Place::memory()).open()?;
/// zarr::ones([10]).store(&old).path("a/b").create()?;
/// let new = zarr::group(zarr::Place::memory()).open()?;
/// let copied = zarr::copy(&old.group("a")?, &new).run()?;
/// assert_eq!((copied.n_copied, copied.n_skipped, copied.n_bytes_copied), (2, 0, 80));
/// assert!(zarr::copy(&old.group("a")?, &new).run().is_err());
/// let again = zarr::copy(&old.group("a")?, &new).if_exists(IfExists::Skip).run()?;
/// assert_eq!(again.n_skipped, 1);
/// # Ok(())
/// # }
/// ```
pub fn copy(source: impl Into<Node>, target: &Group) -> Copy {
    Copy {
        source: source.into(),
        target: target.clone(),
        name: None,
        has_root: true,
        is_shallow: false,
        has_attributes: true,
        if_exists: IfExists::default(),
        is_dry_run: false,
    }
}

/// Begins a copy of all that is in the group `source`, and of its attributes, into `target`.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// use stook::zarr;
///
/// let old = zarr::group(zarr::Place::memory()).open()?;
/// zarr::ones([10]).store(&old).path("a/b").create()?;
/// let new = zarr::group(zarr::Place::memory()).open()?;
/// assert_eq!(zarr::copy_all(&old, &new).run()?.n_copied, 2);
/// assert!(new.contains("a/b")?);
/// # Ok(())
/// # }
/// ```
pub fn copy_all(source: &Group, target: &Group) -> Copy {
    Copy { has_root: false, ..copy(source, target) }
}

impl Copy {
    /// The name, or path, of the copy in the target (default: that of the source).
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Copies a group and the arrays in it, but no groups in it.
    pub fn shallow(mut self) -> Self {
        self.is_shallow = true;
        self
    }

    /// Copies no attributes.
    pub fn without_attributes(mut self) -> Self {
        self.has_attributes = false;
        self
    }

    /// What becomes of arrays that are there already. Groups are merged.
    pub fn if_exists(mut self, if_exists: IfExists) -> Self {
        self.if_exists = if_exists;
        self
    }

    /// Counts what would be copied, and copies nothing.
    pub fn dry_run(mut self) -> Self {
        self.is_dry_run = true;
        self
    }

    /// Makes the copy.
    ///
    /// # Errors
    /// `AlreadyExists` as [`IfExists`] says, `InvalidInput` for the copy of a root without a name,
    /// or into itself; `Unsupported` for what the target cannot hold, `ReadOnly`, and what reading
    /// and writing may give. What was copied before stays.
    pub fn run(self) -> Result<Copied> {
        let source = self.source.path();
        let base = if self.has_root {
            match (&self.name, source.name()) {
                (Some(name), _) => self.target.below(name)?,
                (None, "") => {
                    return Err(Error::invalid("the copy of a root needs a name").at_node(source));
                }
                (None, name) => self.target.below(name)?,
            }
        } else {
            self.target.path().clone()
        };
        let is_same = is_same(file_of(&self.source), self.target.file());
        if is_same && base.starts_with(source) {
            let message = format!("`{source}` cannot be copied into itself, to `{base}`");
            return Err(Error::invalid(message).at_node(source));
        }
        let mut done = Copied::default();
        // Nodes to be copied, with where they go: no recursion into what files say.
        let mut open = vec![(self.source.clone(), base, self.has_root)];
        while let Some((node, to, is_counted)) = open.pop() {
            match node {
                Node::Array(array) => done += self.array(&array, &to)?,
                Node::Group(group) => {
                    let Some(copied) = self.group(&group, &to, is_counted)? else {
                        done.n_skipped += 1;
                        continue;
                    };
                    done += copied;
                    for (name, node) in group.nodes()? {
                        let is_group = matches!(node, Node::Group(_));
                        if !(self.is_shallow && is_group && self.has_root) {
                            open.push((node, to.join(&name)?, true));
                        }
                    }
                }
            }
        }
        Ok(done)
    }

    fn file(&self) -> &File {
        self.target.file()
    }

    fn exists(&self, to: &NodePath) -> Error {
        let error = Error::already_exists("there is a node of this name");
        error.at_node(to).at_file(self.file().path())
    }

    /// Copies one array.
    fn array(&self, array: &Array, to: &NodePath) -> Result<Copied> {
        let there = self.file().container().kind(to)?;
        let is_skipped = match (there, self.if_exists) {
            (None, _) | (_, IfExists::Replace) => false,
            (_, IfExists::Raise) => return Err(self.exists(to)),
            (_, IfExists::Skip) => true,
            (_, IfExists::SkipInitialized) => match self.file().node(to.as_str())? {
                Node::Array(there) => is_initialized(&there)?,
                Node::Group(_) => false,
            },
        };
        if is_skipped {
            return Ok(Copied { n_skipped: 1, ..Copied::default() });
        }
        if self.is_dry_run {
            return Ok(Copied { n_copied: 1, ..Copied::default() });
        }
        let made = self.new_array(array, to, there.is_some())?;
        copy_elements(array, &made)?;
        self.attributes(&Node::from(array), to)?;
        Ok(Copied { n_copied: 1, n_skipped: 0, n_bytes_copied: array.spec().n_bytes() })
    }

    /// An array like `array`, in the place of what is there.
    fn new_array(&self, array: &Array, to: &NodePath, is_there: bool) -> Result<Array> {
        let (file, parent) = (self.file(), to.parent().unwrap_or_default());
        let spec = array.spec();
        let is_plain = !spec.is_null() && spec.grid.regular_shape().is_some();
        if let (Some(zarr), true) = (file.zarr(), is_plain) {
            let format = match zarr.document(&parent)? {
                Some(_) => zarr.format_of(&parent)?,
                None => file.format(),
            };
            let new = from_array(file, array).format(format).path(to.as_str()).without_data();
            return if is_there { new.overwrite().create() } else { new.create() };
        }
        let spec = file.container().adapt_array(&spec)?.value;
        if is_there {
            file.container().remove(to)?;
        }
        file.container().create_array(to, &spec)?;
        file.array(to.as_str())
    }

    /// Makes the group `to`, unless it is there; `None` if it is left out for the array there.
    fn group(&self, group: &Group, to: &NodePath, is_counted: bool) -> Result<Option<Copied>> {
        use stook_core::NodeKind;
        let container = self.file().container();
        let there = container.kind(to)?;
        if there == Some(NodeKind::Array) {
            match self.if_exists {
                IfExists::Raise => return Err(self.exists(to)),
                IfExists::Replace if !self.is_dry_run => container.remove(to)?,
                IfExists::Replace => {}
                IfExists::Skip | IfExists::SkipInitialized => return Ok(None),
            }
        }
        if !self.is_dry_run {
            if there != Some(NodeKind::Group) {
                container.create_group(to)?;
            }
            self.attributes(&Node::from(group), to)?;
        }
        Ok(Some(Copied { n_copied: u64::from(is_counted), ..Copied::default() }))
    }

    /// Copies attributes in the nearest form that the target has.
    fn attributes(&self, from: &Node, to: &NodePath) -> Result<()> {
        if !self.has_attributes {
            return Ok(());
        }
        let container = self.file().container();
        let mut edits = AttributeEdits::new();
        for (name, value) in from.attributes()? {
            let value = container.adapt_attribute(&name, &value)?.value;
            edits = edits.set(name, value);
        }
        if edits.changes.is_empty() { Ok(()) } else { container.edit_attributes(to, &edits) }
    }
}

fn file_of(node: &Node) -> &File {
    match node {
        Node::Array(array) => array.file(),
        Node::Group(group) => group.file(),
    }
}

/// Whether two files are one hierarchy.
fn is_same(one: &File, other: &File) -> bool {
    match (one.zarr(), other.zarr()) {
        (Some(one), Some(other)) => one.store().identity() == other.store().identity(),
        _ => one.path() == other.path(),
    }
}

fn is_initialized(array: &Array) -> Result<bool> {
    let spec = array.spec();
    let counts = spec.write_grid().counts(spec.shape());
    let n = counts.iter().fold(1_u64, |n, &count| n.saturating_mul(count));
    Ok(array.source().n_stored()? >= n)
}

/// A copy that nobody watches.
struct Unwatched;

impl Watch for Unwatched {
    fn has(&mut self, _: u64, _: &Ranges) -> Result<bool> {
        Ok(false)
    }

    fn did(&mut self, _: u64, _: u64, _: bool) -> Result<()> {
        Ok(())
    }
}

/// Copies all elements of `from` to `to`, which has its shape and type.
///
/// # Errors
/// What reading and writing may give.
pub(super) fn copy_elements(from: &Array, to: &Array) -> Result<()> {
    const BLOCK_LEN_BYTES: u64 = 64 << 20;
    let (window, change) = (Window::all(from.spec().shape()), Change::default());
    let way = Way { window: &window, change: &change, block_len_bytes: BLOCK_LEN_BYTES };
    copy::copy(from, &Target::new(to, false), way, &mut Unwatched)
}
