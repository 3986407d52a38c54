//! Loom files as the Python half sees them: layers, attributes and graphs by their names.

mod attribute;
mod compute;
mod importing;
mod making;
mod matrix;
mod scan;

use std::path::PathBuf;
use std::sync::Arc;

use numpy::{PyArray1, PyReadonlyArray1, PyUntypedArray};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use stook::{Mode, Values};
use stook_loom::validate::Level;
use stook_loom::{Axis, Graph, Layer, LoomOptions, SidecarState, SpecVersion};

use crate::dtype::{from_python, to_numpy};
use crate::enter::{enter, raise};
use crate::fork::Origin;
use crate::memory::{allocate, view, view_mut};
use crate::selection;
use crate::tree::Tree;

use compute::Picks;
use matrix::Held;

pub(crate) use scan::LoomScan;

/// An open Loom file. It holds no handle to the file below: after a change that failed, that is
/// opened anew.
#[pyclass(frozen, weakref, module = "stook._stook")]
pub(crate) struct Loom {
    loom: Arc<stook_loom::Loom>,
    origin: Origin,
}

impl Loom {
    fn of(loom: stook_loom::Loom) -> Self {
        let loom = Arc::new(loom);
        Self { origin: Origin::of_loom(&loom), loom }
    }

    /// The file, to be changed.
    fn to_change(&self, py: Python<'_>) -> PyResult<&stook_loom::Loom> {
        self.origin.check(py)?;
        Ok(&self.loom)
    }

    fn layer(&self, py: Python<'_>, name: &str) -> PyResult<(Layer, stook::Array)> {
        enter(py, || {
            let layer = self.loom.layer(name)?;
            let array = layer.array()?;
            Ok((layer, array))
        })
    }
}

fn axis_of(py: Python<'_>, number: usize) -> PyResult<Axis> {
    Axis::from_number(number).map_err(|error| raise(py, &error))
}

#[pymethods]
impl Loom {
    #[getter]
    fn writable(&self) -> bool {
        self.loom.mode() == Mode::ReadWrite
    }

    #[getter]
    fn shape(&self, py: Python<'_>) -> PyResult<(u64, u64)> {
        let [rows, columns] = self.loom.shape().map_err(|error| raise(py, &error))?;
        Ok((rows, columns))
    }

    #[getter]
    fn version(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.loom.version().map_err(|error| raise(py, &error))?.to_string())
    }

    /// The file by its nodes, for who goes past the loom.
    fn tree(&self, py: Python<'_>) -> PyResult<Tree> {
        let file = enter(py, || self.loom.file())?;
        Ok(Tree::of_file(file, self.loom.path().to_path_buf()))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.origin.is_copy() {
            return Ok(());
        }
        enter(py, || self.loom.close().map(drop))
    }

    fn layer_names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        enter(py, || self.loom.layer_names())
    }

    fn layer_dtype<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        to_numpy(py, &self.layer(py, name)?.1.dtype())
    }

    /// The shape of what a selection selects.
    fn result_shape<'py>(
        &self,
        py: Python<'py>,
        kind: &str,
        parts: &Bound<'py, PyTuple>,
    ) -> PyResult<Vec<u64>> {
        let selection = selection::parse(kind, parts)?;
        let (_, array) = self.layer(py, "")?;
        selection::result_shape(py, &selection, &array.spec())
    }

    fn read_layer<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        kind: &str,
        parts: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyUntypedArray>> {
        let selection = selection::parse(kind, parts)?;
        let (layer, array) = self.layer(py, name)?;
        let shape = selection::result_shape(py, &selection, &array.spec())?;
        let out = allocate(py, &shape, &to_numpy(py, &array.dtype())?, false)?;
        let mut target = view_mut(&out).map_err(|error| raise(py, &error))?;
        enter(py, || layer.read_into(&selection, &mut target))?;
        Ok(out)
    }

    /// Writes an array of the layer's dtype.
    fn write_layer<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        kind: &str,
        parts: &Bound<'py, PyTuple>,
        data: &Bound<'py, PyUntypedArray>,
    ) -> PyResult<()> {
        self.to_change(py)?;
        let selection = selection::parse(kind, parts)?;
        let (layer, array) = self.layer(py, name)?;
        selection::result_shape(py, &selection, &array.spec())?;
        let source = view(data).map_err(|error| raise(py, &error))?;
        enter(py, || layer.write_from(&selection, &source))
    }

    fn set_layer(&self, py: Python<'_>, name: &str, matrix: &Bound<'_, PyTuple>) -> PyResult<()> {
        let loom = self.to_change(py)?;
        let held = Held::parse(matrix)?;
        let matrix = held.matrix().map_err(|error| raise(py, &error))?;
        enter(py, || {
            matrix::expect_finite(&matrix)?;
            making::set_layer(loom, name, &matrix)
        })
    }

    fn set_empty_layer(
        &self,
        py: Python<'_>,
        name: &str,
        dtype: &Bound<'_, PyAny>,
        shape: [u64; 2],
    ) -> PyResult<()> {
        let loom = self.to_change(py)?;
        let dtype = from_python(dtype)?;
        enter(py, || {
            if loom.shape()? == [0, 0] {
                return making::set_layer(loom, name, &making::Zeros::new(dtype, shape));
            }
            loom.create_layer(name, dtype).map(drop)
        })
    }

    fn remove_layer(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        let loom = self.to_change(py)?;
        enter(py, || loom.remove_layer(name))
    }

    fn attribute_names(&self, py: Python<'_>, axis: usize) -> PyResult<Vec<String>> {
        let axis = axis_of(py, axis)?;
        enter(py, || self.loom.attributes(axis).names())
    }

    fn attribute<'py>(
        &self,
        py: Python<'py>,
        axis: usize,
        name: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let axis = axis_of(py, axis)?;
        let values = enter(py, || self.loom.attributes(axis).get(name))?;
        attribute::to_numpy(py, &values)
    }

    fn set_attribute(
        &self,
        py: Python<'_>,
        axis: usize,
        name: &str,
        values: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (loom, axis) = (self.to_change(py)?, axis_of(py, axis)?);
        let values = attribute::from_numpy(values)?;
        enter(py, || loom.attributes(axis).set(name, &values))
    }

    fn remove_attribute(&self, py: Python<'_>, axis: usize, name: &str) -> PyResult<()> {
        let (loom, axis) = (self.to_change(py)?, axis_of(py, axis)?);
        enter(py, || loom.attributes(axis).remove(name))
    }

    fn file_attribute_names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        enter(py, || self.loom.file_attributes().names())
    }

    fn file_attribute<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let values = enter(py, || self.loom.file_attributes().get(name))?;
        attribute::to_numpy(py, &values)
    }

    fn set_file_attribute(
        &self,
        py: Python<'_>,
        name: &str,
        values: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let loom = self.to_change(py)?;
        let values = attribute::from_numpy(values)?;
        enter(py, || loom.file_attributes().set(name, &values))
    }

    fn remove_file_attribute(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        let loom = self.to_change(py)?;
        enter(py, || loom.file_attributes().remove(name))
    }

    fn graph_names(&self, py: Python<'_>, axis: usize) -> PyResult<Vec<String>> {
        let axis = axis_of(py, axis)?;
        enter(py, || self.loom.graphs(axis).names())
    }

    /// Where edges begin, where they end, and their weights.
    fn graph<'py>(
        &self,
        py: Python<'py>,
        axis: usize,
        name: &str,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let axis = axis_of(py, axis)?;
        let graph = enter(py, || self.loom.graphs(axis).get(name))?;
        let nodes = |list: &[u64]| numpy::PyArray1::from_slice(py, list).into_any();
        let weights = attribute::to_numpy(py, graph.w())?;
        Ok((nodes(graph.a()), nodes(graph.b()), weights))
    }

    /// Sets a graph of as many nodes as the axis is long; nodes are of the dtype `uint64`.
    fn set_graph(
        &self,
        py: Python<'_>,
        axis: usize,
        name: &str,
        edges: (Bound<'_, PyAny>, Bound<'_, PyAny>),
        weights: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (loom, axis) = (self.to_change(py)?, axis_of(py, axis)?);
        let nodes = |list: &Bound<'_, PyAny>| -> PyResult<Vec<u64>> {
            let list: numpy::PyReadonlyArray1<'_, u64> = list.extract()?;
            Ok(list.as_array().to_vec())
        };
        let (a, b) = (nodes(&edges.0)?, nodes(&edges.1)?);
        let weights: Values = attribute::from_numpy(weights)?;
        enter(py, || {
            let [n_rows, n_columns] = loom.shape()?;
            let n = if axis == Axis::Rows { n_rows } else { n_columns };
            loom.graphs(axis).set(name, &Graph::new(n, a, b, weights)?)
        })
    }

    fn remove_graph(&self, py: Python<'_>, axis: usize, name: &str) -> PyResult<()> {
        let (loom, axis) = (self.to_change(py)?, axis_of(py, axis)?);
        enter(py, || loom.graphs(axis).remove(name))
    }

    /// When the file was changed last; with a kind (`layers`, `row_attrs`, ...) what is of that,
    /// and with a name one of them.
    fn last_modified(
        &self,
        py: Python<'_>,
        kind: Option<&str>,
        name: Option<&str>,
    ) -> PyResult<String> {
        enter(py, || match kind {
            None => self.loom.last_modified(),
            Some(kind) => {
                let found = making::last_modified(&self.loom, kind, name)?;
                found.map_or_else(|| self.loom.last_modified(), Ok)
            }
        })
    }

    fn changes_since<'py>(&self, py: Python<'py>, time: &str) -> PyResult<Bound<'py, PyDict>> {
        let changes = enter(py, || self.loom.changes_since(time))?;
        let found = PyDict::new(py);
        found.set_item("row_graphs", changes.row_graphs)?;
        found.set_item("col_graphs", changes.column_graphs)?;
        found.set_item("row_attrs", changes.row_attributes)?;
        found.set_item("col_attrs", changes.column_attributes)?;
        found.set_item("layers", changes.layers)?;
        Ok(found)
    }

    // Making, growing, mending.

    /// Opens a file.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf, writable: bool) -> PyResult<Self> {
        let options = if writable { LoomOptions::read_write() } else { LoomOptions::read() };
        enter(py, || stook_loom::Loom::open_with(&path, &options)).map(Self::of)
    }

    /// Makes a file in the place of what is there; without layers, an empty one.
    #[staticmethod]
    fn create<'py>(
        py: Python<'py>,
        path: PathBuf,
        layers: &Bound<'py, PyDict>,
        row_attrs: Bound<'py, PyDict>,
        col_attrs: Bound<'py, PyDict>,
        file_attrs: Bound<'py, PyDict>,
    ) -> PyResult<Self> {
        making::create(py, &path, layers, &(row_attrs, col_attrs, file_attrs)).map(Self::of)
    }

    /// Adds rows (axis 0) or columns: layers, attributes, those of the other axis, fill values.
    fn add<'py>(&self, py: Python<'py>, axis: usize, added: making::Added<'py>) -> PyResult<()> {
        let (loom, axis) = (self.to_change(py)?, axis_of(py, axis)?);
        making::add(py, loom, axis, &added)
    }

    #[expect(clippy::too_many_arguments, reason = "a function of Python")]
    fn add_loom(
        &self,
        py: Python<'_>,
        other: PathBuf,
        key: Option<String>,
        fill: &Bound<'_, PyAny>,
        convert_attrs: bool,
        include_graphs: bool,
    ) -> PyResult<()> {
        let loom = self.to_change(py)?;
        let how = making::add_loom_options(key, fill, convert_attrs, include_graphs)?;
        enter(py, || loom.add_loom(&stook_loom::Loom::open(&other)?, &how).map(drop))
    }

    /// Makes a file of the columns of several.
    #[staticmethod]
    fn combine(
        py: Python<'_>,
        paths: Vec<PathBuf>,
        to: PathBuf,
        key: Option<String>,
        file_attrs: &Bound<'_, PyDict>,
        convert_attrs: bool,
    ) -> PyResult<()> {
        let how = making::combine_options(key, file_attrs, convert_attrs)?;
        enter(py, || stook_loom::combine(&paths, &to, &how)?.close().map(drop))
    }

    /// Makes a file of columns of several whose rows are in the same order.
    #[staticmethod]
    #[expect(clippy::too_many_arguments, reason = "a function of Python")]
    fn combine_faster(
        py: Python<'_>,
        paths: Vec<PathBuf>,
        selections: Vec<Option<PyReadonlyArray1<'_, i64>>>,
        to: PathBuf,
        key: Option<String>,
        file_attrs: &Bound<'_, PyDict>,
        skip_attrs: Vec<String>,
    ) -> PyResult<()> {
        let parts = making::parts(py, paths, selections)?;
        let how = making::combine_options(key, file_attrs, false)?;
        enter(py, || stook_loom::combine_faster(&parts, &to, &skip_attrs, &how)?.close().map(drop))
    }

    fn permute(
        &self,
        py: Python<'_>,
        order: PyReadonlyArray1<'_, i64>,
        axis: usize,
    ) -> PyResult<()> {
        let (loom, axis) = (self.to_change(py)?, axis_of(py, axis)?);
        let order = making::positions_of(py, &order)?;
        enter(py, || loom.permute(axis, &order))
    }

    /// Keeps positions along one axis or both, in their order.
    fn keep(
        &self,
        py: Python<'_>,
        rows: Option<PyReadonlyArray1<'_, i64>>,
        columns: Option<PyReadonlyArray1<'_, i64>>,
    ) -> PyResult<()> {
        let loom = self.to_change(py)?;
        let (has_rows, has_columns) = (rows.is_some(), columns.is_some());
        let (rows, columns) = (making::selection_of(rows), making::selection_of(columns));
        enter(py, || match (has_rows, has_columns) {
            (true, true) => loom.keep_both([&rows, &columns]),
            (true, false) => loom.keep(Axis::Rows, &rows),
            (false, true) => loom.keep(Axis::Columns, &columns),
            (false, false) => Ok(()),
        })
    }

    /// Writes layers to the sidecar.
    fn make_sidecar(&self, py: Python<'_>, layers: Vec<String>) -> PyResult<PathBuf> {
        let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
        enter(py, || self.loom.make_sidecar(&layers))
    }

    /// Deletes the sidecar.
    fn drop_sidecar(&self, py: Python<'_>) -> PyResult<bool> {
        enter(py, || self.loom.drop_sidecar())
    }

    /// What the sidecar has of a layer: `missing`, `stale`, or `valid` and how many elements.
    fn sidecar_state(&self, py: Python<'_>, layer: &str) -> PyResult<(&'static str, u64)> {
        Ok(match enter(py, || self.loom.sidecar_state(layer))? {
            SidecarState::Missing => ("missing", 0),
            SidecarState::Stale => ("stale", 0),
            SidecarState::Valid { n_elements } => ("valid", n_elements),
        })
    }

    /// Makes a file of rows and columns of this one.
    fn subset(
        &self,
        py: Python<'_>,
        path: PathBuf,
        rows: Option<PyReadonlyArray1<'_, i64>>,
        columns: Option<PyReadonlyArray1<'_, i64>>,
    ) -> PyResult<()> {
        let (rows, columns) = (making::selection_of(rows), making::selection_of(columns));
        enter(py, || {
            let made = self.loom.subset(&path, [&rows, &columns], |builder| builder.replace())?;
            made.close().map(drop)
        })
    }

    /// Mends what departs from the specification; what was done.
    fn repair(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let loom = self.to_change(py)?;
        Ok(enter(py, || loom.repair())?.changes)
    }

    /// Writes the file anew, without the room of what was removed.
    fn compact(&self, py: Python<'_>) -> PyResult<()> {
        let loom = self.to_change(py)?;
        enter(py, || loom.compact().map(drop))
    }

    /// The version that a file follows, errors, warnings, and what is in it.
    #[staticmethod]
    #[expect(clippy::type_complexity, reason = "a tuple of Python")]
    fn validate(
        py: Python<'_>,
        path: PathBuf,
        version: Option<&str>,
    ) -> PyResult<(String, Vec<String>, Vec<String>, Vec<String>)> {
        let found = enter(py, || match version {
            None => stook_loom::validate::validate(&path, Level::Specification),
            Some(version) => {
                let version = version.parse::<SpecVersion>()?;
                stook_loom::validate::validate_as(&path, Level::Specification, version)
            }
        })?;
        Ok((found.version, found.errors, found.warnings, found.summary))
    }

    /// Makes a file of what a program of the kind `of` has written; its path.
    #[staticmethod]
    fn import_from<'py>(
        py: Python<'py>,
        of: &str,
        to: Option<PathBuf>,
        what: &Bound<'py, PyDict>,
        file_attrs: &Bound<'py, PyDict>,
    ) -> PyResult<PathBuf> {
        importing::import(py, of, to, what, file_attrs)
    }

    /// Writes a file as AnnData; the names of what could not be brought back.
    #[staticmethod]
    fn to_anndata(py: Python<'_>, from: PathBuf, to: PathBuf) -> PyResult<Vec<String>> {
        importing::to_anndata(py, &from, &to)
    }

    /// Makes a file of AnnData.
    #[staticmethod]
    fn from_anndata(py: Python<'_>, from: PathBuf, to: PathBuf) -> PyResult<()> {
        importing::from_anndata(py, &from, &to)
    }

    // What is computed from layers.

    /// Rows from one on as lines of text, after what is given for each.
    fn rows_as_text(
        &self,
        py: Python<'_>,
        layer: &str,
        start: u64,
        before: Vec<String>,
    ) -> PyResult<String> {
        let rows = start..start.saturating_add(before.len() as u64);
        enter(py, || stook_loom::rows_as_text(&self.loom.layer_array(layer)?, rows, &before))
    }

    /// Batches of layers along an axis, each read while the one before is looked at.
    fn scan(
        &self,
        py: Python<'_>,
        layers: Vec<String>,
        axis: usize,
        scanned: scan::Scanned<'_>,
    ) -> PyResult<LoomScan> {
        let axis = axis_of(py, axis)?;
        LoomScan::new(py, &self.loom, &layers, axis, &scanned)
    }

    /// Numbers, rows and columns of what is not zero, row by row.
    fn sparse<'py>(
        &self,
        py: Python<'py>,
        layer: &str,
        rows: Option<PyReadonlyArray1<'_, i64>>,
        columns: Option<PyReadonlyArray1<'_, i64>>,
        dtype: &Bound<'_, PyAny>,
    ) -> PyResult<compute::Elements<'py>> {
        let (picks, dtype) = (Picks::new(py, rows, columns)?, from_python(dtype)?);
        compute::sparse(py, &self.loom, layer, &picks, &dtype)
    }

    /// Statistics of each row (axis 0) or column, of positions of the other axis.
    fn map<'py>(
        &self,
        py: Python<'py>,
        layer: &str,
        axis: usize,
        names: Vec<String>,
        selection: Option<PyReadonlyArray1<'_, i64>>,
    ) -> PyResult<Vec<Bound<'py, PyArray1<f64>>>> {
        let axis = axis_of(py, axis)?;
        let picks = Picks::along(py, axis.other(), selection)?;
        compute::map(py, &self.loom, layer, axis, (&names, &picks))
    }

    /// Rows by groups of columns: what the aggregate of a name makes of each group.
    fn aggregate<'py>(
        &self,
        py: Python<'py>,
        layer: &str,
        groups: PyReadonlyArray1<'_, i64>,
        n_groups: u32,
        name: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        compute::aggregate(py, &self.loom, layer, (&groups, n_groups), name)
    }
}
