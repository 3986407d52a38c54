//! Sessions in files of which only what is asked for is read, and the cells of sheets.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use stook_labelled::session::{LazySession, Listed, SheetRef, sheet_rows};
use stook_labelled::{Axis, Session};

use super::session::{
    axis_to_python, engine_of, item_to_python, metadata_to_python, scalar_to_python,
};
use crate::enter::enter;

/// A session in a file: names first, what they are next, elements last.
#[pyclass(frozen, module = "stook._stook")]
pub(crate) struct LabelledFile {
    session: LazySession,
}

/// The kind of an object; of an array the axes and the type of the elements.
type Described<'py> = (String, Option<Bound<'py, PyList>>, Option<String>);

#[pymethods]
impl LabelledFile {
    #[staticmethod]
    #[pyo3(signature = (path, engine=None))]
    fn open(py: Python<'_>, path: PathBuf, engine: Option<&str>) -> PyResult<Self> {
        let engine = engine_of(engine)?;
        let session = enter(py, || Session::open_as(&path, engine))?;
        Ok(Self { session })
    }

    fn names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        enter(py, || self.session.names())
    }

    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let metadata = enter(py, || self.session.metadata())?;
        metadata_to_python(py, &metadata)
    }

    fn describe<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Described<'py>> {
        let listed = enter(py, || self.session.describe(name))?;
        let kind = listed.type_name().to_owned();
        let Listed::Array { axes, dtype } = listed else { return Ok((kind, None, None)) };
        let axes = axes.iter().map(|axis: &Axis| axis_to_python(py, axis));
        let axes = PyList::new(py, axes.collect::<PyResult<Vec<_>>>()?)?;
        Ok((kind, Some(axes), Some(dtype.to_string())))
    }

    fn get<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyTuple>> {
        let item = enter(py, || self.session.get(name))?;
        item_to_python(py, name, item)
    }

    fn rows<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        start: usize,
        stop: usize,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let item = enter(py, || self.session.rows(name, start, stop))?;
        item_to_python(py, name, item)
    }
}

/// The cells of a sheet, which is meant by its name or its number, row by row; empty ones are None.
#[pyfunction]
pub(crate) fn labelled_sheet<'py>(
    py: Python<'py>,
    path: PathBuf,
    sheet: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyList>> {
    let name: Option<String> = sheet.extract().ok();
    let index: usize = if name.is_some() { 0 } else { sheet.extract()? };
    let rows = enter(py, || {
        let sheet = name.as_deref().map_or(SheetRef::Index(index), SheetRef::Name);
        sheet_rows(&path, sheet, &stook::Limits::default())
    })?;
    let rows = rows.iter().map(|row| {
        let cells = row.iter().map(|cell| scalar_to_python(py, cell));
        PyList::new(py, cells.collect::<PyResult<Vec<_>>>()?)
    });
    PyList::new(py, rows.collect::<PyResult<Vec<_>>>()?)
}
