//! An open file as the Python half sees it: nodes by their paths.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use numpy::PyUntypedArray;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use serde_json::{Map, Value};
use stook::{
    AttributeEdits, Child, ConsolidatedMetadata, CreateOptions, Durability, EmptyChunks, Error,
    ErrorKind, Format, InTheWay, Link, Mode, NameOrder, Node, NodeKind, NodePath, OpenOptions,
    Outside, Readers,
};

use crate::array::{Array, Away, Slot};
use crate::dtype::{from_python, to_numpy};
use crate::enter::{enter, raise};
use crate::fork::{FileSlot, Origin};
use crate::store::Store;
use crate::{attributes, create};

/// An open file. Closing it takes the file from every handle that came from it.
#[pyclass(frozen, weakref, module = "stook._stook")]
pub(crate) struct Tree {
    file: Arc<FileSlot>,
    origin: Origin,
    arrays: Mutex<Vec<Weak<Slot>>>,
    #[pyo3(get)]
    path: PathBuf,
    /// The same for a process that works in another folder.
    place: PathBuf,
    #[pyo3(get)]
    format: String,
    #[pyo3(get)]
    writable: bool,
    how: How,
    /// The store that it lies in, if it was opened by that, and the format that was asked for.
    store: Option<(Py<Store>, Option<String>)>,
}

/// How a file that is there was opened.
#[derive(Clone, Default)]
struct How {
    memory_map: bool,
    outside: Option<PathBuf>,
}

/// The exception of a handle whose file is closed.
pub(crate) fn closed(py: Python<'_>) -> PyErr {
    raise(py, &Error::invalid("the file is closed"))
}

pub(crate) fn format_of(py: Python<'_>, name: &str) -> PyResult<Format> {
    match name {
        "zarr" | "zarr3" => Ok(Format::ZarrV3),
        "zarr2" => Ok(Format::ZarrV2),
        "hdf5" => Ok(Format::Hdf5),
        "npy" => Ok(Format::Npy),
        "npz" => Ok(Format::Npz),
        other => {
            let error = Error::invalid(format!("format `{other}` is not known"));
            Err(raise(py, &error.with_hint("one of zarr3, zarr2, hdf5, npy, npz")))
        }
    }
}

pub(crate) fn durability_of(py: Python<'_>, name: &str) -> PyResult<Durability> {
    match name {
        "none" => Ok(Durability::None),
        "flush" => Ok(Durability::Flush),
        "fsync" => Ok(Durability::Fsync),
        other => {
            let error = Error::invalid(format!("durability `{other}` is not known"));
            Err(raise(py, &error.with_hint("one of none, flush, fsync")))
        }
    }
}

/// Who shall be able to read a new HDF5 file.
pub(crate) fn readers_of(py: Python<'_>, name: Option<&str>) -> PyResult<Readers> {
    match name {
        None => Ok(Readers::default()),
        Some("oldest") => Ok(Readers::Oldest),
        Some("v18") => Ok(Readers::V18),
        Some("v110") => Ok(Readers::V110),
        Some(other) => {
            let error = Error::invalid(format!("readers `{other}` are not known"));
            Err(raise(py, &error.with_hint("one of oldest, v18, v110")))
        }
    }
}

/// Which other files a file may lead to: those below a folder, or `anywhere`.
pub(crate) fn outside_of(folder: Option<PathBuf>) -> Outside {
    match folder {
        None => Outside::Refused,
        Some(folder) if folder.as_os_str() == "anywhere" => Outside::Followed,
        Some(folder) => Outside::Below(folder),
    }
}

fn name_of(format: Format) -> &'static str {
    match format {
        Format::ZarrV2 => "zarr2",
        Format::ZarrV3 => "zarr3",
        Format::Hdf5 => "hdf5",
        Format::Npy => "npy",
        Format::Npz => "npz",
        _ => "other",
    }
}

fn kind_name(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Group => "group",
        NodeKind::Array => "array",
        _ => "other",
    }
}

impl Tree {
    fn new(file: stook::File, path: PathBuf, how: How) -> Self {
        let place = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
        let format = name_of(file.format()).to_owned();
        let writable = file.container().mode() == Mode::ReadWrite;
        let file = Arc::new(RwLock::new(Some(file)));
        let origin = Origin::new(&file);
        let arrays = Mutex::default();
        Self { file, origin, arrays, path, place, format, writable, how, store: None }
    }

    pub(crate) fn file(&self, py: Python<'_>) -> PyResult<stook::File> {
        let file = self.file.read().unwrap_or_else(PoisonError::into_inner);
        file.clone().ok_or_else(|| closed(py))
    }

    /// The file, to be changed.
    pub(crate) fn file_mut(&self, py: Python<'_>) -> PyResult<stook::File> {
        let file = self.file(py)?;
        self.origin.check(py)?;
        Ok(file)
    }

    /// A handle to a file that is open.
    pub(crate) fn of_file(file: stook::File, path: PathBuf) -> Self {
        Self::new(file, path, How::default())
    }

    /// Whether this process has a copy of it that must change nothing.
    pub(crate) fn is_copy(&self) -> bool {
        self.origin.is_copy()
    }

    /// Refuses to change the file of another process.
    pub(crate) fn check(&self, py: Python<'_>) -> PyResult<()> {
        self.origin.check(py)
    }

    /// Whether it was opened for writing.
    pub(crate) fn is_writable(&self) -> bool {
        self.writable
    }

    pub(crate) fn handle(&self, array: stook::Array) -> Array {
        let dtype = array.dtype();
        let slot = Arc::new(RwLock::new(Ok(array)));
        let mut arrays = self.arrays.lock().unwrap_or_else(PoisonError::into_inner);
        if arrays.len() == arrays.capacity() {
            arrays.retain(|slot| slot.strong_count() > 0);
        }
        arrays.push(Arc::downgrade(&slot));
        Array::new(slot, dtype, self.origin)
    }

    /// The file as it is now, opened in the same way.
    fn opened_again(&self, py: Python<'_>) -> PyResult<stook::File> {
        if let Some((store, format)) = &self.store {
            return open_store(py, store, self.mode(), format.as_deref());
        }
        open_path(py, &self.place, self.mode(), &self.how)
    }

    fn mode(&self) -> Mode {
        if self.writable { Mode::ReadWrite } else { Mode::Read }
    }

    fn at(&self, py: Python<'_>, node: &str) -> PyResult<NodePath> {
        NodePath::parse(node).map_err(|error| raise(py, &error.at_file(&self.path)))
    }
}

fn open_path(py: Python<'_>, path: &Path, mode: Mode, how: &How) -> PyResult<stook::File> {
    let (memory_map, outside) = (how.memory_map, outside_of(how.outside.clone()));
    let options = OpenOptions { mode, memory_map, outside, ..OpenOptions::default() };
    enter(py, || stook::File::open_with(path, &options))
}

fn open_store(
    py: Python<'_>,
    store: &Py<Store>,
    mode: Mode,
    format: Option<&str>,
) -> PyResult<stook::File> {
    // The Zarr API says itself which node it takes from consolidated metadata.
    let consolidated = ConsolidatedMetadata::Ignored;
    let options = OpenOptions { mode, consolidated, ..OpenOptions::default() };
    let version = format.map(|name| format_of(py, name)).transpose()?;
    let bytes = store.get().store();
    enter(py, || stook::File::from_store(bytes, version, &options))
}

/// Gives a handle what is at its path in a file that was opened anew.
fn reopen(file: &stook::File, slot: &Slot) {
    let mut slot = slot.write().unwrap_or_else(PoisonError::into_inner);
    let Ok(array) = &*slot else { return };
    let (path, dtype) = (array.path().clone(), array.dtype());
    *slot = match file.array(path.as_str()) {
        Ok(array) if array.dtype() == dtype => Ok(array),
        Ok(array) => {
            let message = format!("the array is of {} now, and was of {dtype}", array.dtype());
            let error = Error::not_found(message).at_node(&path).at_file(file.path());
            Err(Away::Refreshed(error.with_hint("open it again")))
        }
        Err(error) => Err(Away::Refreshed(error)),
    };
}

fn names_of(keeps_order: bool) -> NameOrder {
    if keeps_order { NameOrder::Kept } else { NameOrder::Forgotten }
}

/// Name, kind, the target of a link (path and file) that is not hard, identity.
type ChildTuple = (String, Option<&'static str>, Option<(String, Option<String>)>, Option<u64>);

fn child_tuple(child: Child) -> ChildTuple {
    let link = match child.link {
        Link::Soft(target) => Some((target, None)),
        Link::External { file, target } => Some((target, Some(file))),
        _ => None,
    };
    (child.name, child.kind.map(kind_name), link, child.identity)
}

/// The members of a JSON object.
fn members_of(py: Python<'_>, text: &str) -> PyResult<Map<String, Value>> {
    serde_json::from_str(text).map_err(|error| {
        let message = "the metadata document is no JSON object";
        raise(py, &Error::invalid(message).with_source(error))
    })
}

fn text_of(members: &Map<String, Value>) -> String {
    serde_json::to_string(members).expect("a JSON value has a text")
}

#[pymethods]
impl Tree {
    #[staticmethod]
    #[pyo3(signature = (path, writable, memory_map, outside=None))]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        writable: bool,
        memory_map: bool,
        outside: Option<PathBuf>,
    ) -> PyResult<Self> {
        let mode = if writable { Mode::ReadWrite } else { Mode::Read };
        let how = How { memory_map, outside };
        Ok(Self::new(open_path(py, &path, mode, &how)?, path, how))
    }

    #[staticmethod]
    #[pyo3(signature = (path, overwrite, format, hdf5=(None, false, 0)))]
    fn create(
        py: Python<'_>,
        path: PathBuf,
        overwrite: bool,
        format: Option<&str>,
        hdf5: (Option<String>, bool, u64),
    ) -> PyResult<Self> {
        // Who shall read the file, whether its root keeps the order of names, what is before it.
        let (readers, keeps_order, user_block) = hdf5;
        let options = CreateOptions {
            format: format.map(|name| format_of(py, name)).transpose()?,
            in_the_way: if overwrite { InTheWay::Goes } else { InTheWay::Stays },
            readers: readers_of(py, readers.as_deref())?,
            names: names_of(keeps_order),
            user_block,
            ..CreateOptions::default()
        };
        let file = enter(py, || stook::File::create_with(&path, &options))?;
        Ok(Self::new(file, path, How::default()))
    }

    /// The Zarr hierarchy in a store, whatever there is in it.
    #[staticmethod]
    fn of_store(
        py: Python<'_>,
        store: Py<Store>,
        writable: bool,
        format: Option<String>,
    ) -> PyResult<Self> {
        let mode = if writable { Mode::ReadWrite } else { Mode::Read };
        let file = open_store(py, &store, mode, format.as_deref())?;
        let path = file.path().to_path_buf();
        let mut tree = Self::new(file, path, How::default());
        tree.origin = store.get().origin();
        tree.store = Some((store, format));
        Ok(tree)
    }

    /// The metadata document of a node as JSON; `None` where there is nothing.
    fn document(&self, py: Python<'_>, node: &str) -> PyResult<Option<String>> {
        let file = self.file(py)?;
        Ok(enter(py, || file.document(node))?.as_ref().map(text_of))
    }

    /// Makes the group or array that a metadata document, as JSON, describes.
    #[pyo3(signature = (node, document, attributes, overwrite))]
    fn create_document(
        &self,
        py: Python<'_>,
        node: &str,
        document: &str,
        attributes: Option<&str>,
        overwrite: bool,
    ) -> PyResult<()> {
        let file = self.file_mut(py)?;
        let document = members_of(py, document)?;
        let attributes = attributes.map(|text| members_of(py, text)).transpose()?;
        enter(py, || file.create_document(node, &document, attributes.as_ref(), overwrite))
    }

    /// Writes the metadata of all nodes below a group into that of the group.
    fn consolidate(&self, py: Python<'_>, node: &str) -> PyResult<()> {
        let file = self.file_mut(py)?;
        enter(py, || file.consolidate(node))
    }

    /// The consolidated metadata of a group as JSON, if it has any.
    fn consolidated(&self, py: Python<'_>, node: &str) -> PyResult<Option<String>> {
        let file = self.file(py)?;
        Ok(enter(py, || file.consolidated(node))?.as_ref().map(text_of))
    }

    /// What makes the same handle in another process: changes are committed first.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let (py, tree) = (slf.py(), slf.get());
        let file = tree.file(py)?;
        if tree.writable && !tree.origin.is_copy() {
            enter(py, || file.commit())?;
        }
        if let Some((store, format)) = &tree.store {
            let open = slf.get_type().getattr("of_store")?;
            return (open, (store, tree.writable, format)).into_pyobject(py);
        }
        let open = slf.get_type().getattr("open")?;
        let how = tree.how.clone();
        (open, (tree.place.clone(), tree.writable, how.memory_map, how.outside)).into_pyobject(py)
    }

    #[getter]
    fn is_open(&self) -> bool {
        self.file.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Commits what was changed and takes the file from every handle; where committing fails, the
    /// file stays open, so that it can be closed again.
    pub(crate) fn close(&self, py: Python<'_>) -> PyResult<()> {
        let commits = self.writable && !self.origin.is_copy();
        let open = self.file.read().unwrap_or_else(PoisonError::into_inner).clone();
        enter(py, || open.filter(|_| commits).map_or(Ok(()), |file| file.commit()))?;
        let file = self.file.write().unwrap_or_else(PoisonError::into_inner).take();
        let arrays =
            std::mem::take(&mut *self.arrays.lock().unwrap_or_else(PoisonError::into_inner));
        let arrays: Vec<_> = arrays.iter().filter_map(Weak::upgrade).collect();
        py.detach(|| {
            for slot in arrays {
                *slot.write().unwrap_or_else(PoisonError::into_inner) = Err(Away::Closed);
            }
            drop(file);
        });
        Ok(())
    }

    fn commit(&self, py: Python<'_>, durability: &str) -> PyResult<()> {
        let file = self.file_mut(py)?;
        let durability = durability_of(py, durability)?;
        enter(py, || file.commit_with(durability))
    }

    /// From here on only elements are written, and h5py's `swmr=True` follows.
    fn start_swmr(&self, py: Python<'_>) -> PyResult<()> {
        let file = self.file_mut(py)?;
        enter(py, || file.start_swmr())
    }

    /// Whether another process may have changed the file since.
    fn is_outdated(&self, py: Python<'_>) -> PyResult<bool> {
        let file = self.file(py)?;
        enter(py, || file.is_outdated())
    }

    /// Opens a file that is read anew where another process may have changed it since; gives
    /// whether it did. Handles of arrays go on with what is at their paths now.
    fn refresh(&self, py: Python<'_>) -> PyResult<bool> {
        let file = self.file(py)?;
        if !enter(py, || file.is_outdated())? {
            return Ok(false);
        }
        let fresh = self.opened_again(py)?;
        let arrays = self.arrays.lock().unwrap_or_else(PoisonError::into_inner);
        let arrays: Vec<_> = arrays.iter().filter_map(Weak::upgrade).collect();
        let mut held = self.file.write().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have closed it meanwhile.
        held.as_ref().ok_or_else(|| closed(py))?;
        let before = held.replace(fresh.clone());
        drop(held);
        py.detach(|| {
            arrays.iter().for_each(|slot| reopen(&fresh, slot));
            drop(before);
        });
        Ok(true)
    }

    /// `group`, `array`, `other`, or `None` where there is nothing.
    fn kind(&self, py: Python<'_>, node: &str) -> PyResult<Option<&'static str>> {
        let (file, node) = (self.file(py)?, self.at(py, node)?);
        Ok(enter(py, || file.container().kind(&node))?.map(kind_name))
    }

    /// Name, kind, the target of a link (`None` for a hard one, else path and file), and the
    /// identity of each node in a group.
    fn children(&self, py: Python<'_>, node: &str) -> PyResult<Vec<ChildTuple>> {
        let (file, node) = (self.file(py)?, self.at(py, node)?);
        let children = enter(py, || file.container().children(&node))?;
        Ok(children.into_iter().map(child_tuple).collect())
    }

    /// The names in a group: in the order in which they were made where the group keeps that, else
    /// by name.
    fn names(&self, py: Python<'_>, node: &str) -> PyResult<Vec<String>> {
        let (file, node) = (self.file(py)?, self.at(py, node)?);
        let mut children = enter(py, || file.container().children(&node))?;
        if children.iter().all(|child| child.created.is_some()) {
            children.sort_by_key(|child| child.created);
        }
        Ok(children.into_iter().map(|child| child.name).collect())
    }

    /// The same with the arrays that were opened to tell what they are; `None` for other nodes,
    /// and where opening the array alone tells why it cannot be opened.
    #[pyo3(signature = (node, empty_chunks=false))]
    #[expect(clippy::type_complexity, reason = "a tuple of Python")]
    fn nodes(
        &self,
        py: Python<'_>,
        node: &str,
        empty_chunks: bool,
    ) -> PyResult<Vec<(String, Option<&'static str>, Option<u64>, Option<Array>)>> {
        let (file, group) = (self.file(py)?, self.at(py, node)?);
        let children = enter(py, || file.nodes_in(&group))?;
        let empty = if empty_chunks { EmptyChunks::Written } else { EmptyChunks::Skipped };
        let found = children.into_iter().map(|(child, node)| {
            let array = match node {
                Some(Node::Array(array)) => Some(self.handle(array.with_empty_chunks(empty))),
                _ => None,
            };
            (child.name, child.kind.map(kind_name), child.identity, array)
        });
        Ok(found.collect())
    }

    /// An array; with `empty_chunks`, chunks of nothing but the fill value are stored, too.
    #[pyo3(signature = (node, empty_chunks=false))]
    fn array(&self, py: Python<'_>, node: &str, empty_chunks: bool) -> PyResult<Array> {
        let file = self.file(py)?;
        let empty = if empty_chunks { EmptyChunks::Written } else { EmptyChunks::Skipped };
        let array = enter(py, || match file.node(node)? {
            Node::Array(array) => Ok(array.with_empty_chunks(empty)),
            other => Err(Error::invalid("expected an array, found a group")
                .at_node(other.path())
                .at_file(file.path())),
        })?;
        Ok(self.handle(array))
    }

    /// An array; `group`, `other`, or `None` where there is nothing.
    fn node<'py>(&self, py: Python<'py>, node: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let file = self.file(py)?;
        let found = enter(py, || match file.node(node) {
            Ok(node) => Ok(Some(node)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            // A named type is a node, too.
            Err(error) => match file.container().kind(&NodePath::parse(node)?) {
                Ok(Some(NodeKind::NamedType)) => Ok(None),
                _ => Err(error),
            },
        })?;
        Ok(match found {
            Some(Node::Array(array)) => Some(Bound::new(py, self.handle(array))?.into_any()),
            Some(_) => Some(PyString::new(py, "group").into_any()),
            None => self.kind(py, node)?.map(|kind| PyString::new(py, kind).into_any()),
        })
    }

    /// What a name is in its group, as in `children`; `None` where there is none.
    fn child(&self, py: Python<'_>, node: &str) -> PyResult<Option<ChildTuple>> {
        let (file, node) = (self.file(py)?, self.at(py, node)?);
        Ok(enter(py, || file.container().child(&node))?.map(child_tuple))
    }

    /// The dtype that a named type is.
    fn named_type<'py>(&self, py: Python<'py>, node: &str) -> PyResult<Bound<'py, PyAny>> {
        let (file, node) = (self.file(py)?, self.at(py, node)?);
        to_numpy(py, &enter(py, || file.container().named_type(&node))?)
    }

    /// Gives a dtype a name.
    fn create_named_type<'py>(
        &self,
        py: Python<'py>,
        node: &str,
        dtype: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let (file, node) = (self.file_mut(py)?, self.at(py, node)?);
        let dtype = from_python(dtype)?;
        enter(py, || file.container().create_named_type(&node, &dtype))
    }

    /// Gives the node at `target` a further name.
    fn create_hard_link(&self, py: Python<'_>, node: &str, target: &str) -> PyResult<()> {
        let (file, node, target) = (self.file_mut(py)?, self.at(py, node)?, self.at(py, target)?);
        enter(py, || file.container().create_hard_link(&node, &target))
    }

    #[pyo3(signature = (node, keeps_order=false))]
    fn create_group(&self, py: Python<'_>, node: &str, keeps_order: bool) -> PyResult<()> {
        let file = self.file_mut(py)?;
        enter(py, || file.create_group_with(node, names_of(keeps_order)))?;
        Ok(())
    }

    /// Makes an array as the dict `what` says.
    fn create_array<'py>(
        &self,
        py: Python<'py>,
        node: &str,
        what: &Bound<'py, PyDict>,
    ) -> PyResult<Array> {
        create::array(self, py, node, what)
    }

    /// Makes an array of values in one step, where there is a way.
    fn create_whole<'py>(
        &self,
        node: &str,
        dtype: &Bound<'py, PyAny>,
        values: &Bound<'py, PyUntypedArray>,
    ) -> PyResult<Option<Array>> {
        create::whole(self, node, dtype, values)
    }

    fn create_virtual<'py>(
        &self,
        py: Python<'py>,
        node: &str,
        what: &Bound<'py, PyDict>,
        parts: Vec<create::PartTuple>,
    ) -> PyResult<Array> {
        create::virtual_array(self, py, node, (what, parts))
    }

    fn remove(&self, py: Python<'_>, node: &str) -> PyResult<()> {
        let (file, node) = (self.file_mut(py)?, self.at(py, node)?);
        enter(py, || file.container().remove(&node))
    }

    fn rename(&self, py: Python<'_>, from: &str, to: &str) -> PyResult<()> {
        let (file, from, to) = (self.file_mut(py)?, self.at(py, from)?, self.at(py, to)?);
        enter(py, || file.container().rename(&from, &to))
    }

    fn create_link(
        &self,
        py: Python<'_>,
        node: &str,
        target: String,
        file: Option<String>,
    ) -> PyResult<()> {
        let (own, node) = (self.file_mut(py)?, self.at(py, node)?);
        let link = match file {
            Some(file) => Link::External { file, target },
            None => Link::Soft(target),
        };
        enter(py, || own.container().create_link(&node, &link))
    }

    /// Names and values in the order of the file.
    fn attributes<'py>(
        &self,
        py: Python<'py>,
        node: &str,
    ) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
        let (file, node) = (self.file(py)?, self.at(py, node)?);
        let attributes = enter(py, || file.container().attributes(&node))?;
        attributes
            .iter()
            .map(|(name, value)| Ok((name.to_owned(), attributes::to_python(py, value)?)))
            .collect()
    }

    /// The names of all attributes that are stored, in the order of the file.
    fn attribute_names(&self, py: Python<'_>, node: &str) -> PyResult<Vec<String>> {
        let (file, node) = (self.file(py)?, self.at(py, node)?);
        enter(py, || file.container().attribute_names(&node))
    }

    /// A tuple of the value of one attribute, of HDF5 an array even where it is a scalar; `None`
    /// if there is none.
    fn attribute<'py>(
        &self,
        py: Python<'py>,
        node: &str,
        name: &str,
    ) -> PyResult<Option<(Bound<'py, PyAny>,)>> {
        let (file, node) = (self.file(py)?, self.at(py, node)?);
        let found = enter(py, || file.container().stored_attribute(&node, name))?;
        found.map(|value| Ok((attributes::to_array(py, &value)?,))).transpose()
    }

    /// Removes all attributes if `clear`, then sets pairs of name and value, and removes names.
    fn edit_attributes<'py>(
        &self,
        py: Python<'py>,
        node: &str,
        clear: bool,
        set: Vec<Bound<'py, PyTuple>>,
        remove: Vec<String>,
    ) -> PyResult<()> {
        let (file, node) = (self.file_mut(py)?, self.at(py, node)?);
        let mut changes = Vec::with_capacity(set.len());
        for pair in set {
            let (name, value): (String, Bound<'py, PyAny>) = pair.extract()?;
            changes.push((name, attributes::from_python(&value, file.format())?));
        }
        enter(py, || {
            let container = file.container();
            let mut edits = AttributeEdits { clear, ..AttributeEdits::new() };
            for (name, value) in changes {
                let adapted = container
                    .adapt_attribute(&name, &value)
                    .map_err(|error| error.at_node(&node))?;
                edits = edits.set(name, adapted.value);
            }
            for name in remove {
                edits = edits.remove(name);
            }
            container.edit_attributes(&node, &edits)
        })
    }
}
