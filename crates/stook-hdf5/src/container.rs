//! The container: the tree of a file.

mod beyond;
mod kept;
mod single;
mod whole;

use std::collections::{HashMap, HashSet};
use std::ffi::{CStr, CString};
use std::path::Path;
use std::sync::Arc;

use stook_core::chunk::ChunkSource;
use stook_core::container::{
    Adapted, Child, Container, Durability, Format, Link, Mode, NodeKind, OpenOptions, Opened,
    Outside, WholeArray,
};
use stook_core::{
    ArraySpec, AttributeEdits, AttributeValue, Attributes, DType, Error, ErrorKind, Limits,
    NodePath, Result,
};

use crate::array::{self, Hdf5Array, PlainArray, VirtualPart};
use crate::attributes::{self, EditError};
use crate::ffi::{
    self, Access, AttributeOrder, Failure, File, LinkClass, Location, New, ObjectKind, Oldest,
};
use crate::native;
use crate::pending::{Lenient, Pending, When};
use crate::place::{self, Backing, InTheWay, Intent};
use crate::scales;
use crate::shared::{Shared, c_path, name};
use crate::signature::{self, Mark, mark_of};

use self::kept::KeptArrays;

pub(crate) use whole::Made;

/// Bytes of a user block, at least.
const MIN_USER_BLOCK: u64 = 512;

/// What happens to a file that is in the way of a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// Creating fails.
    #[default]
    Refuse,
    /// The new file takes its place.
    Replace,
}

/// Who shall be able to read a new file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Readers {
    /// HDF5 1.8 (2008) and later. Nodes remember the order of their attributes and hold large
    /// ones.
    #[default]
    V18,
    /// The oldest: no order of attributes, none over 64 KiB.
    Oldest,
    /// HDF5 1.10 (2016) and later, which may read the file while it is written, by
    /// [`Container::start_swmr`].
    V110,
}

/// Whether a group keeps the order in which its names were made ([`Child::created`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameOrder {
    /// It does not.
    #[default]
    Forgotten,
    /// It does; HDF5 1.8 and later read it.
    Kept,
}

/// How a file is created.
#[derive(Clone, Debug, Default)]
pub struct CreateOptions {
    /// What happens to a file that is in the way.
    pub existing: Existing,
    /// Who shall be able to read it.
    pub readers: Readers,
    /// What the file may ask for when it is read.
    pub limits: Limits,
    /// Whether the root keeps the order of its names.
    pub names: NameOrder,
    /// Bytes before the file begins, which are its user's: none, or a power of two from 512 on.
    pub user_block: u64,
}

/// An open HDF5 file.
///
/// Links into other files are listed, and followed by who asks for the node they lead to, for
/// reading and as [`OpenOptions::outside`] allows. Dropping the last handle closes the file;
/// call [`Container::commit`] before to learn of write errors.
#[derive(Debug)]
pub struct Hdf5File {
    shared: Arc<Shared>,
    /// The arrays that were opened last, where the file is read at one commit.
    kept: KeptArrays,
}

impl Hdf5File {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt` where it is no HDF5 file or a damaged one, `Locked` where another
    /// process writes it and it is to be written, `ReadOnly` without permission, `Io`.
    pub fn open(path: impl AsRef<Path>, options: &OpenOptions) -> Result<Self> {
        Ok(Self::of(Arc::new(Self::open_shared(path.as_ref(), options)?)))
    }

    /// The open file.
    fn of(shared: Arc<Shared>) -> Self {
        Self { shared, kept: KeptArrays::default() }
    }

    fn open_shared(path: &Path, options: &OpenOptions) -> Result<Shared> {
        let intent = if options.mode == Mode::Read { Intent::Read } else { Intent::Write };
        // One that is no HDF5 file is not recovered either.
        signature::expect(&stook_core::file::LocalFile::open(path)?)?;
        let io = place::open(path, intent)?;
        let mark = if matches!(io, Backing::Writer(_)) { Mark::None } else { mark_of(&io)? };
        let access = match (intent, mark) {
            (Intent::Write, _) => Access::Write(oldest_of(&io)?),
            (Intent::Read, Mark::None) => Access::Read,
            (Intent::Read, Mark::Swmr) => Access::ReadBesideWriter,
            (Intent::Read, Mark::Written) => return Err(place::marked(path)),
        };
        let file = File::open(path, access, AttributeOrder::default(), Some(&io))
            .map_err(|failure| open_error(&failure, path))?;
        let mut shared = Shared::new(file, io, path, (options.mode, &options.outside))?;
        shared.limits = options.limits.clone();
        shared.memory_map = options.memory_map;
        shared.order = order_of_root(&shared)?;
        if access == Access::Read && matches!(shared.io, Backing::Reader(_)) {
            shared.native = Some(native::Reader::new(Arc::new(shared.io.clone()), &shared.limits));
        }
        Ok(shared)
    }

    /// The file as it is now, where another process has committed to it since this one was opened
    /// for reading; `None` where this is it. What was opened before goes on showing the file as
    /// it was, for as long as the writer's journal knows that.
    ///
    /// # Errors
    /// Those of [`Hdf5File::open`].
    pub fn refreshed(&self) -> Result<Option<Self>> {
        let shared = &self.shared;
        if !self.is_outdated()? {
            return Ok(None);
        }
        let options = OpenOptions {
            mode: shared.mode,
            limits: shared.limits.clone(),
            memory_map: shared.memory_map,
            outside: shared.surroundings.outside.clone(),
            ..OpenOptions::default()
        };
        Self::open(&shared.path, &options).map(Some)
    }

    /// Whether another process has committed to the file since it was opened for reading, or may
    /// have: a program that writes past us does not say.
    ///
    /// # Errors
    /// `Io`.
    pub fn is_outdated(&self) -> Result<bool> {
        self.shared.io.is_outdated()
    }

    /// Creates a file at `path`, open for reading and writing.
    ///
    /// # Errors
    /// `AlreadyExists`, `NotFound` if its folder is missing, `ReadOnly`, `Locked`, `InvalidInput`
    /// where no user block has such a size, `Io`.
    pub fn create(path: impl AsRef<Path>, options: &CreateOptions) -> Result<Self> {
        let path = path.as_ref();
        let (names, user_block) = (options.names, options.user_block);
        if user_block != 0 && (user_block < MIN_USER_BLOCK || !user_block.is_power_of_two()) {
            let message = format!("a user block of {user_block} bytes");
            let hint = "the bytes of a user block are a power of two, 512 or more";
            return Err(Error::invalid(message).with_hint(hint).at_file(path));
        }
        let in_the_way = match options.existing {
            Existing::Refuse => InTheWay::Refused,
            Existing::Replace => InTheWay::Replaced,
        };
        let io = place::create(path, in_the_way)?;
        let order = match options.readers {
            Readers::V110 | Readers::V18 => AttributeOrder::Tracked,
            Readers::Oldest => AttributeOrder::Untracked,
        };
        let oldest = match options.readers {
            Readers::V110 => Oldest::V110,
            Readers::V18 | Readers::Oldest => Oldest::Any,
        };
        let new = New { oldest, names, user_block };
        let file = File::open(path, Access::Create(new), order, Some(&io))
            .map_err(|failure| open_error(&failure, path))?;
        let mut shared = Shared::new(file, io, path, (Mode::ReadWrite, &Outside::Refused))?;
        shared.limits = options.limits.clone();
        shared.order = order;
        Ok(Self::of(Arc::new(shared)))
    }

    /// Creates `group`, which keeps the order of its names or does not, and the groups above it that
    /// are missing.
    ///
    /// # Errors
    /// Those of [`Container::create_group`].
    pub fn create_group_with(&self, group: &NodePath, names: NameOrder) -> Result<()> {
        self.creating(group, || {
            let (file, path) = (self.shared.file(), c_path(group)?);
            Location::create_group(file, &path, self.shared.order, names)
                .map(drop)
                .map_err(self.shared.io(group))
        })
    }

    /// Creates `array`, whose elements are those of `parts`, and fill values elsewhere; of `spec`
    /// type, shape, maximal shape and fill value count.
    ///
    /// # Errors
    /// As [`Container::create_array`]; `InvalidInput` where a part and its place differ in size.
    pub fn create_virtual(
        &self,
        array: &NodePath,
        spec: &ArraySpec,
        parts: &[VirtualPart],
    ) -> Result<Arc<dyn ChunkSource>> {
        let make = || array::create_virtual(&self.shared, array, (spec, parts));
        Ok(Arc::new(self.creating(array, make)?))
    }

    /// The path that the file was opened by.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }
}

/// New nodes in an old file are as its root is, so that its readers go on reading it.
fn order_of_root(shared: &Shared) -> Result<AttributeOrder> {
    let root = NodePath::root();
    Location::open(shared.file(), c"/")
        .and_then(|location| location.attribute_order())
        .map_err(shared.corrupt(&root))
}

/// The superblock that libraries since 1.10 read.
const SUPERBLOCK_V110: u8 = 3;

/// Nodes of a file that only libraries since 1.10 open need be readable by no older ones.
fn oldest_of(io: &Backing) -> Result<Oldest> {
    let is_v110 = signature::superblock_version(io)? >= SUPERBLOCK_V110;
    Ok(if is_v110 { Oldest::V110 } else { Oldest::Any })
}

/// The length that the library found and the one that the file says it has, where it is cut.
fn truncation(text: &str) -> Option<(&str, &str)> {
    let found = text.split_once("truncated file: eof = ")?.1.split_once(',')?.0;
    let expected = text.split_once("stored_eof = ")?.1;
    Some((found, expected.split(|c: char| !c.is_ascii_digit()).next()?))
}

fn open_error(failure: &Failure, path: &Path) -> Error {
    let text = failure.to_string();
    if let Some((found, expected)) = truncation(&text) {
        let message = format!("the file is truncated: expected {expected} bytes, found {found}");
        return Error::corrupt(message).at_file(path);
    }
    let kind = match failure.kind() {
        Some(kind) => kind,
        None if failure.mentions("already open") => ErrorKind::Locked,
        None if failure.mentions("unable to create file") => ErrorKind::Io,
        None => ErrorKind::Corrupt,
    };
    Error::new(kind, text).at_file(path)
}

/// What a look at a path found.
enum Found {
    Node(ObjectKind),
    /// A link that leads nowhere in this file.
    Dangling,
    Nothing,
}

impl Hdf5File {
    fn at(&self, error: Error, node: &NodePath) -> Error {
        self.shared.at(error, node)
    }

    fn root(&self) -> Result<Location> {
        Location::open(self.shared.file(), c"/").map_err(self.shared.corrupt(&NodePath::root()))
    }

    /// What `node` is.
    fn find(&self, node: &NodePath) -> Result<Found> {
        if let Some(kind) = self.shared.native.as_ref().and_then(|native| native.kind(node)) {
            return Ok(Found::Node(kind));
        }
        if let Some(kind) = self.young_kind(node) {
            return Ok(kind.map_or(Found::Nothing, Found::Node));
        }
        if self.is_kept_group(node) {
            return Ok(Found::Node(ObjectKind::Group));
        }
        let _lock = ffi::lock();
        let root = self.root()?;
        if node.is_root() {
            return Ok(Found::Node(ObjectKind::Group));
        }
        let path = c_path(node)?;
        let failure = match root.kind_at(&path) {
            Ok(kind) => return Ok(Found::Node(kind)),
            Err(failure) => failure,
        };
        // Not there, or there and damaged: go down to where it ends.
        let mut above = NodePath::root();
        for segment in node.segments() {
            let here = above.join(segment)?;
            let path = c_path(&here)?;
            match root.link(&path) {
                Ok(None) => return Ok(Found::Nothing),
                Ok(Some(LinkClass::Hard)) => {}
                Ok(Some(_)) if root.kind_at(&path).is_err() => return Ok(Found::Dangling),
                Ok(Some(_)) => {}
                Err(failure) => {
                    return Err(self.shared.error(failure, ErrorKind::Corrupt, &here));
                }
            }
            let is_last = here == *node;
            match root.kind_at(&path) {
                Ok(ObjectKind::Group) => {}
                Ok(_) if !is_last => return Ok(Found::Nothing),
                Ok(kind) => return Ok(Found::Node(kind)),
                Err(failure) => {
                    return Err(self.shared.error(failure, ErrorKind::Corrupt, &here));
                }
            }
            above = here;
        }
        Err(self.shared.error(failure, ErrorKind::Corrupt, node))
    }

    /// Opens `node`, of any kind.
    fn location(&self, node: &NodePath) -> Result<(Location, ObjectKind)> {
        let _lock = ffi::lock();
        let kind = self.expect_there(node)?;
        let location = Location::open(self.shared.file(), &c_path(node)?);
        Ok((location.map_err(self.shared.corrupt(node))?, kind))
    }

    /// What `node` is; an error if it is not there.
    fn expect_there(&self, node: &NodePath) -> Result<ObjectKind> {
        match self.find(node)? {
            Found::Node(kind) => Ok(kind),
            Found::Dangling => {
                let message = "the link leads to nothing in this file";
                Err(self.at(Error::not_found(message), node))
            }
            Found::Nothing => Err(self.at(Error::not_found("no such node"), node)),
        }
    }

    /// Refuses unless `node` can be created: nothing is there, and only groups are above it.
    fn expect_free(&self, node: &NodePath) -> Result<()> {
        self.shared.expect_changeable(node)?;
        match self.find(node)? {
            Found::Nothing if !node.is_root() => {}
            _ => return Err(self.at(Error::already_exists("the node exists already"), node)),
        }
        let mut above = node.parent();
        while let Some(group) = above.filter(|group| !group.is_root()) {
            match self.find(&group)? {
                Found::Node(ObjectKind::Group) => break,
                Found::Nothing => above = group.parent(),
                _ => {
                    let message = format!("`{group}` is no group");
                    return Err(self.at(Error::invalid(message), node));
                }
            }
        }
        Ok(())
    }

    /// Refuses to move the group `from` to `to` where that lies in the group itself by other
    /// names: no path would lead to it any more.
    fn expect_no_circle(&self, from: &NodePath, to: &NodePath) -> Result<()> {
        let address = |node: &NodePath| -> Result<u64> {
            let location = Location::open(self.shared.file(), &c_path(node)?);
            let identity = location.and_then(|at| at.identity()).map_err(self.shared.corrupt(node));
            identity.map(|(_, address)| address)
        };
        let root = self.root()?;
        let link = |node: &NodePath| root.link(&c_path(node)?).map_err(self.shared.corrupt(node));
        let is_group = matches!(self.find(from)?, Found::Node(ObjectKind::Group));
        if !is_group || link(from)? != Some(LinkClass::Hard) {
            return Ok(());
        }
        let moved = address(from)?;
        // Where the path of the new name leads, and whether by links that may lead into the group.
        let (mut above, mut goes_by_links) = (Vec::new(), false);
        for group in std::iter::successors(to.parent(), NodePath::parent) {
            if !group.is_root() && matches!(self.find(&group)?, Found::Node(_)) {
                above.push(address(&group)?);
                goes_by_links |= link(&group)? != Some(LinkClass::Hard);
            }
        }
        let mut inside = HashSet::from([moved]);
        let mut ahead = if goes_by_links { vec![from.clone()] } else { Vec::new() };
        while let Some(group) = ahead.pop() {
            for child in self.children_here(&group)? {
                let is_group = child.kind == Some(NodeKind::Group) && child.link == Link::Hard;
                let Some(address) = child.identity.filter(|_| is_group) else { continue };
                if inside.insert(address) {
                    ahead.push(group.join(&child.name)?);
                }
            }
        }
        if above.iter().any(|group| inside.contains(group)) {
            let message = format!("a node cannot be moved into itself, which `{to}` leads to");
            return Err(self.at(Error::invalid(message), from));
        }
        Ok(())
    }

    /// The topmost node that creating `node` will make.
    fn first_new(&self, node: &NodePath) -> Result<NodePath> {
        let mut first = node.clone();
        while let Some(above) = first.parent().filter(|above| !above.is_root()) {
            if matches!(self.find(&above)?, Found::Node(_)) {
                break;
            }
            first = above;
        }
        Ok(first)
    }

    /// Runs `make`, which creates `node`; where it fails, what it left goes.
    fn creating<T>(&self, node: &NodePath, make: impl FnOnce() -> Result<T>) -> Result<T> {
        let _lock = ffi::lock();
        self.expect_free(node)?;
        self.shared.forget_names();
        let first = self.first_new(node)?;
        make().inspect_err(|_| {
            if let (Ok(root), Ok(path)) = (self.root(), c_path(&first)) {
                // The error at hand says more than one about what it left.
                let _ = root.unlink(&path);
            }
        })
    }

    /// The attributes that are shown in another way.
    fn implied(
        &self,
        location: &Location,
        kind: ObjectKind,
        node: &NodePath,
    ) -> ffi::Result<Vec<&'static CStr>> {
        if kind != ObjectKind::Dataset {
            return Ok(Vec::new());
        }
        scales::implied(location, node, (&*self.shared, &self.shared.limits))
    }

    fn child(
        &self,
        group: &Location,
        record: ffi::LinkRecord,
        kinds: &mut HashMap<u64, Option<NodeKind>>,
    ) -> ffi::Result<Child> {
        let kind_at = || group.kind_at(&record.name).ok().and_then(node_kind);
        let (kind, link) = match record.class {
            LinkClass::Hard => {
                let address = record.address.unwrap_or(0);
                let kind = *kinds.entry(address).or_insert_with(kind_at);
                (kind, Link::Hard)
            }
            LinkClass::Soft => (kind_at(), Link::Soft(group.soft_target(&record.name)?)),
            LinkClass::External => {
                let (file, target) = group.external_target(&record.name)?;
                (None, Link::External { file, target })
            }
            // Only the application that made it knows where it leads.
            LinkClass::User => (None, Link::Hard),
        };
        let name = record.name.to_string_lossy().into_owned();
        Ok(Child { name, kind, link, identity: record.address, created: record.created })
    }

    fn children_here(&self, group: &NodePath) -> Result<Vec<Child>> {
        if let Some(found) = self.shared.native.as_ref().and_then(|native| native.children(group)) {
            return Ok(found);
        }
        let _lock = ffi::lock();
        let (location, kind) = self.location(group)?;
        if kind != ObjectKind::Group {
            return Err(self.at(Error::invalid("the node is no group"), group));
        }
        let corrupt = self.shared.corrupt(group);
        let records = location.links(self.shared.limits.n_nodes).map_err(&corrupt)?;
        let mut kinds = HashMap::new();
        let children = records.into_iter().map(|record| self.child(&location, record, &mut kinds));
        let mut children = children.collect::<ffi::Result<Vec<_>>>().map_err(&corrupt)?;
        children.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(children)
    }

    fn open_array_here(&self, array: &NodePath) -> Result<Arc<dyn ChunkSource>> {
        if let Some(kept) = self.kept.get(array) {
            return Ok(kept);
        }
        if self.expect_there(array)? != ObjectKind::Dataset {
            return Err(self.at(Error::invalid("the node is no array"), array));
        }
        let opened: Arc<dyn ChunkSource> = match PlainArray::open(&self.shared, array) {
            Some(plain) => Arc::new(plain),
            None => {
                let _lock = ffi::lock();
                Arc::new(Hdf5Array::open(&self.shared, array)?)
            }
        };
        if opened.is_fixed() {
            self.kept.put(array, &opened);
        }
        Ok(opened)
    }

    fn attributes_here(&self, node: &NodePath) -> Result<Attributes> {
        let _lock = ffi::lock();
        let (location, kind) = self.location(node)?;
        let corrupt = self.shared.corrupt(node);
        let implied = self.implied(&location, kind, node).map_err(&corrupt)?;
        let context: (&dyn ffi::References, &Limits) = (&*self.shared, &self.shared.limits);
        attributes::read_all(&location, &implied, context).map_err(&corrupt)
    }

    fn attribute_here(&self, node: &NodePath, wanted: &str) -> Result<Option<AttributeValue>> {
        let wanted = name(wanted).map_err(|error| self.at(error, node))?;
        let found = match self.shared.native.as_ref().and_then(|it| it.attribute(node, &wanted)) {
            Some(found) => found,
            None => self.attribute_of_library(node, &wanted)?,
        };
        if scales::may_imply(&wanted, found.as_ref()) {
            let all = self.attributes_here(node)?;
            return Ok(all.get(&wanted.to_string_lossy()).cloned());
        }
        Ok(found)
    }

    fn attribute_of_library(
        &self,
        node: &NodePath,
        wanted: &CStr,
    ) -> Result<Option<AttributeValue>> {
        let _lock = ffi::lock();
        let location = match Location::open(self.shared.file(), &c_path(node)?) {
            Ok(location) => location,
            // Not there, a link, or damaged: say which.
            Err(_) => self.location(node)?.0,
        };
        let context: (&dyn ffi::References, &Limits) = (&*self.shared, &self.shared.limits);
        attributes::read_one(&location, wanted, context).map_err(self.shared.corrupt(node))
    }
}

fn node_kind(kind: ObjectKind) -> Option<NodeKind> {
    match kind {
        ObjectKind::Group => Some(NodeKind::Group),
        ObjectKind::Dataset => Some(NodeKind::Array),
        ObjectKind::Datatype => Some(NodeKind::NamedType),
        ObjectKind::Unknown => None,
    }
}

impl Container for Hdf5File {
    fn format(&self) -> Format {
        Format::Hdf5
    }

    fn mode(&self) -> Mode {
        self.shared.mode
    }

    fn location(&self) -> &str {
        &self.shared.location
    }

    fn kind(&self, node: &NodePath) -> Result<Option<NodeKind>> {
        match self.find(node)? {
            Found::Node(kind) => Ok(node_kind(kind)),
            Found::Dangling => match self.beyond(node)? {
                Some((file, node)) => file.kind(&node),
                None => Ok(None),
            },
            Found::Nothing => Ok(None),
        }
    }

    fn children(&self, group: &NodePath) -> Result<Vec<Child>> {
        self.or_beyond(group, self.children_here(group), |file, group| file.children(group))
    }

    fn child(&self, node: &NodePath) -> Result<Option<Child>> {
        self.child_here(node)
    }

    fn named_type(&self, node: &NodePath) -> Result<DType> {
        let here = self.named_type_here(node);
        self.or_beyond(node, here, |file, node| file.named_type(node))
    }

    fn create_group(&self, group: &NodePath) -> Result<()> {
        if self.create_young(group)? {
            return Ok(());
        }
        self.create_group_with(group, NameOrder::Forgotten)
    }

    fn create_array(&self, array: &NodePath, spec: &ArraySpec) -> Result<Arc<dyn ChunkSource>> {
        let created = self.creating(array, || array::create(&self.shared, array, spec))?;
        Ok(Arc::new(created))
    }

    fn create_whole(&self, array: &NodePath, whole: &WholeArray<'_>) -> Result<bool> {
        self.create_whole_here(array, whole)
    }

    fn open_node(&self, node: &NodePath) -> Result<Option<Opened>> {
        if let Some(kept) = self.kept.get(node) {
            return Ok(Some(Opened::Array(kept)));
        }
        Ok(match self.kind(node)? {
            None => None,
            Some(NodeKind::Group) => Some(Opened::Group),
            Some(NodeKind::Array) => Some(Opened::Array(self.open_array(node)?)),
            Some(_) => Some(Opened::Other),
        })
    }

    fn create_named_type(&self, node: &NodePath, dtype: &DType) -> Result<()> {
        self.creating(node, || self.create_named_type_here(node, dtype))
    }

    fn open_array(&self, array: &NodePath) -> Result<Arc<dyn ChunkSource>> {
        self.or_beyond(array, self.open_array_here(array), |file, array| file.open_array(array))
    }

    fn remove(&self, node: &NodePath) -> Result<()> {
        let _lock = ffi::lock();
        self.shared.expect_changeable(node)?;
        if node.is_root() {
            return Err(self.at(Error::invalid("the root cannot be removed"), node));
        }
        if matches!(self.find(node)?, Found::Nothing) {
            return Err(self.at(Error::not_found("no such node"), node));
        }
        self.shared.forget_names();
        self.root()?.unlink(&c_path(node)?).map_err(self.shared.io(node))
    }

    fn rename(&self, from: &NodePath, to: &NodePath) -> Result<()> {
        let _lock = ffi::lock();
        self.shared.expect_changeable(from)?;
        if matches!(self.find(from)?, Found::Nothing) {
            return Err(self.at(Error::not_found("no such node"), from));
        }
        if from.is_root() || to.starts_with(from) {
            let message = format!("a node cannot be moved into itself, to `{to}`");
            return Err(self.at(Error::invalid(message), from));
        }
        self.expect_no_circle(from, to)?;
        let (from_path, to_path) = (c_path(from)?, c_path(to)?);
        self.creating(to, || {
            self.shared.file().rename(&from_path, &to_path).map_err(self.shared.io(from))
        })
    }

    fn create_link(&self, at: &NodePath, link: &Link) -> Result<()> {
        let text = |text: &str| -> Result<CString> { name(text).map_err(|e| self.at(e, at)) };
        self.creating(at, || {
            let (root, path) = (self.root()?, c_path(at)?);
            let made = match link {
                Link::Soft(target) => root.link_soft(&path, &text(target)?),
                Link::External { file, target } => {
                    root.link_external(&path, &text(file)?, &text(target)?)
                }
                _ => return Err(self.at(Error::invalid("a hard link needs a node"), at)),
            };
            made.map_err(self.shared.io(at))
        })
    }

    fn create_hard_link(&self, at: &NodePath, node: &NodePath) -> Result<()> {
        let _lock = ffi::lock();
        self.expect_there(node)?;
        self.creating(at, || {
            let made = self.root()?.link_hard(&c_path(node)?, &c_path(at)?);
            made.map_err(self.shared.io(at))
        })
    }

    fn attributes(&self, node: &NodePath) -> Result<Attributes> {
        self.or_beyond(node, self.attributes_here(node), |file, node| file.attributes(node))
    }

    fn attribute(&self, node: &NodePath, wanted: &str) -> Result<Option<AttributeValue>> {
        let found = self.attribute_here(node, wanted);
        self.or_beyond(node, found, |file, node| file.attribute(node, wanted))
    }

    fn stored_attribute(&self, node: &NodePath, name: &str) -> Result<Option<AttributeValue>> {
        let here = self.stored_attribute_here(node, name);
        self.or_beyond(node, here, |file, node| file.stored_attribute(node, name))
    }

    fn attribute_names(&self, node: &NodePath) -> Result<Vec<String>> {
        self.or_beyond(node, self.attribute_names_here(node), |file, node| {
            file.attribute_names(node)
        })
    }

    fn edit_attributes(&self, node: &NodePath, edits: &AttributeEdits) -> Result<()> {
        let _lock = ffi::lock();
        self.shared.expect_changeable(node)?;
        if self.edit_young(node, edits)? {
            return Ok(());
        }
        let (location, kind) = self.location(node)?;
        let keep = self.implied(&location, kind, node).map_err(self.shared.corrupt(node))?;
        let references = Lenient::new(&self.shared);
        match attributes::edit(&location, edits, &keep, &references) {
            Ok(()) => {
                self.shared.forget_attributes(node, edits);
                if references.has_missed() {
                    self.shared.remember(Pending::attributes(node, edits));
                }
                Ok(())
            }
            Err(EditError::Failure(failure)) => {
                Err(self.shared.error(failure, ErrorKind::Io, node))
            }
            Err(EditError::Error(error)) => Err(self.at(error, node)),
        }
    }

    fn adapt_array(&self, spec: &ArraySpec) -> Result<Adapted<ArraySpec>> {
        array::adapt(spec)
    }

    fn adapt_attribute(
        &self,
        name: &str,
        value: &AttributeValue,
    ) -> Result<Adapted<AttributeValue>> {
        attributes::adapt(name, value)
    }

    fn commit(&self, durability: Durability) -> Result<()> {
        if self.shared.mode == Mode::Read || durability == Durability::None {
            return Ok(());
        }
        let root = NodePath::root();
        self.shared.resolve_pending(When::Now);
        self.shared.file().flush().map_err(self.shared.io(&root))?;
        if let Some(made) = self.shared.io.made() {
            made.expect_known()?;
        }
        self.shared.io.commit(durability).map_err(|error| self.at(error, &root))
    }

    fn discard(&self) -> Result<bool> {
        if self.shared.mode == Mode::Read {
            return Ok(false);
        }
        let _lock = ffi::lock();
        self.shared.forget_pending();
        if let Some(made) = self.shared.io.made() {
            made.discard();
        }
        let discarded = self.shared.io.discard();
        discarded.map_err(|error| self.at(error, &NodePath::root()))
    }

    fn start_swmr(&self) -> Result<()> {
        let _lock = ffi::lock();
        let root = NodePath::root();
        self.shared.expect_writable(&root)?;
        if self.shared.is_swmr() {
            return Ok(());
        }
        self.commit(Durability::Flush)?;
        if oldest_of(&self.shared.io)? != Oldest::V110 {
            let message = "the file is made for readers older than those that can follow a writer \
                           (superblock of a version below 3)";
            let error = Error::unsupported(message);
            return Err(self.at(error.with_hint("create it for readers of HDF5 1.10"), &root));
        }
        self.shared.file().start_swmr().map_err(self.shared.io(&root))?;
        self.shared.io.keep_order().map_err(|error| self.at(error, &root))
    }

    /// The library in the child writes when it ends, whatever is done about its ids: the driver
    /// writes nothing of it. The locks are left to the parent.
    #[cfg(unix)]
    fn after_fork(&self) {
        self.shared.io.after_fork();
    }
}
