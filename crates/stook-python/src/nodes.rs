//! The tree of an acquisition as the Python half sees it: nodes by their paths, and arrays that
//! grow, whose `append` is one call into a buffer.

mod growing;
mod value;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use stook::{NodePath, View};
use stook_nodes::{Class, Convention, Depth, Group, OpenMode, Options};

use crate::array::Array;
use crate::dtype::{from_numpy, from_python};
use crate::enter::{enter, invalid, raise};
use crate::memory::view;
use crate::tree::{Tree, closed, durability_of, format_of, readers_of};
use crate::{attributes, values};

pub(crate) use growing::{Ragged, Rows};

/// The file of a handle; gone once that is closed.
pub(super) type Slot = RwLock<Option<stook_nodes::Acquisition>>;

/// The title of a new file, attributes and the versions they say, and who shall be able to read it.
type Marks = (String, Vec<(String, String)>, Option<String>);

/// An open file of an acquisition.
#[pyclass(frozen, weakref, module = "stook._stook")]
pub(crate) struct Acquisition {
    slot: Arc<Slot>,
    #[pyo3(get)]
    tree: Py<Tree>,
    rows: Mutex<Vec<Weak<growing::RowsSlot>>>,
    #[pyo3(get)]
    path: PathBuf,
    #[pyo3(get)]
    convention: &'static str,
}

fn mode_of(py: Python<'_>, mode: &str) -> PyResult<OpenMode> {
    match mode {
        "r" => Ok(OpenMode::Read),
        "r+" => Ok(OpenMode::ReadWrite),
        "a" => Ok(OpenMode::Append),
        "x" | "w-" => Ok(OpenMode::Create),
        "w" => Ok(OpenMode::Replace),
        other => Err(invalid(py, format!("mode `{other}` is none of r, r+, a, x, w-, w"))),
    }
}

fn convention_of(py: Python<'_>, name: &str) -> PyResult<Convention> {
    match name {
        "tables" => Ok(Convention::Tables),
        "h5py" => Ok(Convention::H5py),
        other => Err(invalid(py, format!("convention `{other}` is none of tables, h5py"))),
    }
}

impl Acquisition {
    fn get(&self, py: Python<'_>) -> PyResult<stook_nodes::Acquisition> {
        let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
        slot.clone().ok_or_else(|| closed(py))
    }

    /// The file, to be changed.
    fn get_mut(&self, py: Python<'_>) -> PyResult<stook_nodes::Acquisition> {
        self.tree.get().file_mut(py)?;
        self.get(py)
    }

    fn at(&self, py: Python<'_>, node: &str) -> PyResult<NodePath> {
        NodePath::parse(node).map_err(|error| raise(py, &error.at_file(&self.path)))
    }

    fn group(&self, py: Python<'_>, parent: &str) -> PyResult<Group> {
        let acquisition = self.get_mut(py)?;
        enter(py, || acquisition.group(parent))
    }
}

#[pymethods]
impl Acquisition {
    /// Opens a file.
    #[staticmethod]
    #[pyo3(signature = (path, mode, convention=None, format=None, marks=None))]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        mode: &str,
        convention: Option<&str>,
        format: Option<&str>,
        marks: Option<Marks>,
    ) -> PyResult<Self> {
        let (title, versions, readers) = marks.unwrap_or_default();
        let options = Options {
            mode: mode_of(py, mode)?,
            convention: convention.map(|name| convention_of(py, name)).transpose()?,
            title,
            format: format.map(|name| format_of(py, name)).transpose()?,
            versions,
            readers: readers_of(py, readers.as_deref())?,
        };
        let opened = enter(py, || stook_nodes::Acquisition::open_with(&path, &options))?;
        let tree = Py::new(py, Tree::of_file(opened.file().clone(), path.clone()))?;
        let convention = opened.convention().name();
        let (slot, rows) = (Arc::new(RwLock::new(Some(opened))), Mutex::default());
        Ok(Self { slot, tree, rows, path, convention })
    }

    #[getter]
    fn is_open(&self) -> bool {
        self.slot.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    #[getter]
    fn writable(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.get(py)?.is_writable())
    }

    /// Flushes and takes the file from every handle, also where flushing fails: then only after
    /// it has failed for a second time.
    fn close(&self, py: Python<'_>, durability: &str) -> PyResult<()> {
        if !self.is_open() {
            return Ok(());
        }
        let is_copy = self.tree.get().is_copy();
        if !is_copy {
            let durability = durability_of(py, durability)?;
            let acquisition = self.get(py)?;
            enter(py, || acquisition.flush(durability))?;
        }
        self.drop_handles(py)
    }

    /// Takes the file from every handle without a flush.
    fn drop_handles(&self, py: Python<'_>) -> PyResult<()> {
        let acquisition = self.slot.write().unwrap_or_else(PoisonError::into_inner).take();
        let rows = std::mem::take(&mut *self.rows.lock().unwrap_or_else(PoisonError::into_inner));
        py.detach(|| {
            for slot in rows.iter().filter_map(Weak::upgrade) {
                slot.write().unwrap_or_else(PoisonError::into_inner).take();
            }
            drop(acquisition);
        });
        self.tree.get().close(py)
    }

    /// Stores what was appended, tells attributes, and commits.
    fn flush(&self, py: Python<'_>, durability: &str) -> PyResult<()> {
        let acquisition = self.get_mut(py)?;
        let durability = durability_of(py, durability)?;
        enter(py, || acquisition.flush(durability))
    }

    /// From here on only rows are appended, and h5py's `swmr=True` follows.
    fn start_swmr(&self, py: Python<'_>) -> PyResult<()> {
        let acquisition = self.get_mut(py)?;
        enter(py, || acquisition.start_swmr())
    }

    /// Whether another process may have changed the file since.
    fn is_outdated(&self, py: Python<'_>) -> PyResult<bool> {
        let acquisition = self.get(py)?;
        enter(py, || acquisition.file().is_outdated())
    }

    /// Stores what was appended, so that it is found through `tree`.
    fn settle(&self, py: Python<'_>) -> PyResult<()> {
        let acquisition = self.get(py)?;
        enter(py, || acquisition.settle())
    }

    fn set_compression(&self, py: Python<'_>, level: u8) -> PyResult<()> {
        let acquisition = self.get(py)?;
        acquisition.set_compression(level).map_err(|error| raise(py, &error))
    }

    /// The class of a node, or `None` where there is nothing.
    fn node_class(&self, py: Python<'_>, node: &str) -> PyResult<Option<&'static str>> {
        let (acquisition, node) = (self.get(py)?, self.at(py, node)?);
        Ok(enter(py, || acquisition.class(&node))?.map(Class::name))
    }

    /// Names and classes of the nodes in a group.
    fn children(&self, py: Python<'_>, node: &str) -> PyResult<Vec<(String, &'static str)>> {
        let (acquisition, node) = (self.get(py)?, self.at(py, node)?);
        let children = enter(py, || acquisition.children(&node))?;
        Ok(children.into_iter().map(|(name, class)| (name, class.name())).collect())
    }

    /// Names of whatever is in a group.
    fn child_names(&self, py: Python<'_>, node: &str) -> PyResult<Vec<String>> {
        let (acquisition, node) = (self.get(py)?, self.at(py, node)?);
        let children = enter(py, || acquisition.file().container().children(&node))?;
        Ok(children.into_iter().map(|child| child.name).collect())
    }

    /// Paths and classes of a node and those below it.
    #[pyo3(signature = (node, depth=None))]
    fn walk(
        &self,
        py: Python<'_>,
        node: &str,
        depth: Option<usize>,
    ) -> PyResult<Vec<(String, &'static str)>> {
        let acquisition = self.get(py)?;
        let visits = enter(py, || acquisition.walk(node, depth.map_or(Depth::All, Depth::Levels)))?;
        Ok(visits.into_iter().map(|visit| (visit.path.to_string(), visit.class.name())).collect())
    }

    /// An attribute, decoded, and whether there is one.
    fn attribute<'py>(
        &self,
        py: Python<'py>,
        node: &str,
        name: &str,
    ) -> PyResult<Option<(Bound<'py, PyAny>,)>> {
        let (acquisition, node) = (self.get(py)?, self.at(py, node)?);
        let value = enter(py, || acquisition.attribute(&node, name))?;
        value.map(|value| Ok((value::to_python(py, &value)?,))).transpose()
    }

    /// An attribute as it is stored, text as `str`, and whether there is one.
    fn stored_attribute<'py>(
        &self,
        py: Python<'py>,
        node: &str,
        name: &str,
    ) -> PyResult<Option<(Bound<'py, PyAny>,)>> {
        let (acquisition, node) = (self.get(py)?, self.at(py, node)?);
        let stored = enter(py, || acquisition.stored_attribute(&node, name))?;
        stored
            .map(|stored| match stook_nodes::attribute::text_of(&stored) {
                Some(text) => Ok((text.into_pyobject(py)?.into_any(),)),
                None => Ok((attributes::to_python(py, &stored)?,)),
            })
            .transpose()
    }

    fn attribute_names(&self, py: Python<'_>, node: &str) -> PyResult<Vec<String>> {
        let (acquisition, node) = (self.get(py)?, self.at(py, node)?);
        enter(py, || acquisition.attribute_names(&node))
    }

    fn set_text(&self, py: Python<'_>, node: &str, name: &str, text: &str) -> PyResult<()> {
        let (acquisition, node) = (self.get_mut(py)?, self.at(py, node)?);
        enter(py, || acquisition.set_text(&node, name, text))
    }

    /// Makes a group with attributes that are stored as they are given.
    fn create_group(
        &self,
        py: Python<'_>,
        parent: &str,
        name: &str,
        title: &str,
        attributes: Vec<(String, String)>,
    ) -> PyResult<String> {
        let group = self.group(py, parent)?;
        let made = enter(py, || group.create_group_with(name, title, &attributes))?;
        Ok(made.path().to_string())
    }

    fn create_carray(
        &self,
        parent: &str,
        name: &str,
        array: &Bound<'_, PyUntypedArray>,
        title: &str,
    ) -> PyResult<String> {
        let py = array.py();
        let group = self.group(py, parent)?;
        let dtype = from_numpy(&array.dtype())?;
        let path = if dtype.has_heap() {
            let values = values::from_array(&dtype, array.as_any())?;
            enter(py, || group.create_carray(name, &values, title))?.path().to_string()
        } else {
            let items: View<'_> = view(array).map_err(|error| raise(py, &error))?;
            let shape: Vec<u64> = array.shape().iter().map(|&len| len as u64).collect();
            let made =
                enter(py, || group.create_carray_from(name, (&dtype, &shape, &items), title));
            made?.path().to_string()
        };
        Ok(path)
    }

    fn create_earray(
        &self,
        py: Python<'_>,
        parent: &str,
        name: &str,
        rows: (Bound<'_, PyAny>, Vec<u64>),
        title: &str,
    ) -> PyResult<String> {
        let (dtype, row_shape) = rows;
        let group = self.group(py, parent)?;
        let dtype = from_python(&dtype)?;
        let made = enter(py, || group.create_earray(name, dtype, &row_shape, title))?;
        Ok(made.path().to_string())
    }

    fn create_vlarray(
        &self,
        py: Python<'_>,
        parent: &str,
        name: &str,
        dtype: &Bound<'_, PyAny>,
        title: &str,
    ) -> PyResult<String> {
        let group = self.group(py, parent)?;
        let dtype = from_python(dtype)?;
        let made = enter(py, || group.create_vlarray(name, dtype, title))?;
        Ok(made.path().to_string())
    }

    fn create_string_array(
        &self,
        py: Python<'_>,
        parent: &str,
        name: &str,
        title: &str,
    ) -> PyResult<String> {
        let group = self.group(py, parent)?;
        let made = enter(py, || group.create_string_array(name, title))?;
        Ok(made.path().to_string())
    }

    fn remove(&self, py: Python<'_>, node: &str) -> PyResult<()> {
        let (acquisition, node) = (self.get_mut(py)?, self.at(py, node)?);
        enter(py, || acquisition.remove(&node))
    }

    fn rename(&self, py: Python<'_>, from: &str, to: &str) -> PyResult<()> {
        let acquisition = self.get_mut(py)?;
        let (from, to) = (self.at(py, from)?, self.at(py, to)?);
        enter(py, || acquisition.rename(&from, &to))
    }

    fn save_as(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let acquisition = self.get(py)?;
        enter(py, || acquisition.save_as(&path))
    }

    /// The way of rows into an array.
    fn rows(&self, py: Python<'_>, node: &str) -> PyResult<Rows> {
        let acquisition = self.get(py)?;
        let appender = enter(py, || acquisition.appender(node))?;
        let (rows, slot) = Rows::new(py, appender, self.tree.clone_ref(py))?;
        let mut all = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == all.capacity() {
            all.retain(|slot| slot.strong_count() > 0);
        }
        all.push(Arc::downgrade(&slot));
        Ok(rows)
    }

    /// The way of rows of different lengths into an array.
    fn ragged(&self, py: Python<'_>, node: &str) -> PyResult<Ragged> {
        let acquisition = self.get(py)?;
        let array = enter(py, || acquisition.ragged(node))?;
        let dtype = enter(py, || array.item_dtype())?;
        Ok(Ragged::new(Arc::clone(&self.slot), self.at(py, node)?, dtype, self.tree.clone_ref(py)))
    }

    /// The shape of an array, with what is not stored yet.
    fn shape(&self, py: Python<'_>, node: &str) -> PyResult<Vec<u64>> {
        let (acquisition, node) = (self.get(py)?, self.at(py, node)?);
        enter(py, || acquisition.shape(&node))
    }

    /// An array with all that was appended, to be read and written.
    fn array(&self, py: Python<'_>, node: &str) -> PyResult<Array> {
        let (acquisition, node) = (self.get(py)?, self.at(py, node)?);
        let array = enter(py, || acquisition.stored_array(&node))?;
        Ok(self.tree.get().handle(array))
    }

    /// Somebody is about to change the elements of an array past what was appended.
    fn forget_rows(&self, py: Python<'_>, node: &str) -> PyResult<()> {
        let (acquisition, node) = (self.get_mut(py)?, self.at(py, node)?);
        enter(py, || acquisition.forget_rows(&node))
    }
}

/// What the text of an attribute stands for.
///
/// # Errors
/// As an attribute is read.
#[pyfunction]
pub(crate) fn decode_attribute<'py>(
    py: Python<'py>,
    name: &str,
    text: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let value = stook_nodes::attribute::decode(name, text.into());
    value::to_python(py, &value.map_err(|error| raise(py, &error))?)
}

/// What a pickle holds, as data.
#[pyfunction]
pub(crate) fn decode_pickle<'py>(py: Python<'py>, pickle: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let value = stook_nodes::attribute::of_pickle(pickle);
    value::to_python(py, &value.map_err(|error| raise(py, &error))?)
}
