//! Looms that are made, grow, and are put in another order.

use std::path::{Path, PathBuf};

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use stook::{Array, AxisSelection, DType, NodePath, Result};
use stook_loom::matrix::Matrix;
use stook_loom::{AddLoom, Addition, AttributeMap, Axis, Combine, Fill, Loom, MatrixSource, Part};

use super::attribute;
use super::matrix::{Held, expect_finite};
use crate::enter::{enter, invalid, raise};

/// A matrix of nothing but zeros.
#[derive(Debug)]
pub(super) struct Zeros {
    dtype: DType,
    shape: [u64; 2],
}

impl Zeros {
    pub(super) fn new(dtype: DType, shape: [u64; 2]) -> Self {
        Self { dtype, shape }
    }
}

impl MatrixSource for Zeros {
    fn shape(&self) -> [u64; 2] {
        self.shape
    }

    fn dtype(&self) -> DType {
        self.dtype.clone()
    }

    fn store(&self, _: &Array, _: [u64; 2]) -> Result<()> {
        Ok(())
    }
}

/// Layers by their names, their memory kept alive.
struct Layers<'py>(Vec<(String, Held<'py>)>);

impl<'py> Layers<'py> {
    fn parse(layers: &Bound<'py, PyDict>) -> PyResult<Self> {
        let held = layers.iter().map(|(name, matrix)| {
            let matrix: Bound<'py, PyTuple> = matrix.cast_into()?;
            Ok((name.extract()?, Held::parse(&matrix)?))
        });
        held.collect::<PyResult<_>>().map(Self)
    }

    fn matrices(&self, py: Python<'py>) -> PyResult<Vec<(&str, Matrix<'_>)>> {
        let matrices = self.0.iter().map(|(name, held)| Ok((name.as_str(), held.matrix()?)));
        matrices.collect::<Result<_>>().map_err(|error| raise(py, &error))
    }
}

/// The attributes of rows, of columns and of the file.
type Attributes<'py> = (Bound<'py, PyDict>, Bound<'py, PyDict>, Bound<'py, PyDict>);

/// Makes a loom in the place of what is there; of no layers, one that is empty.
pub(super) fn create<'py>(
    py: Python<'py>,
    path: &Path,
    layers: &Bound<'py, PyDict>,
    attributes: &Attributes<'py>,
) -> PyResult<Loom> {
    let layers = Layers::parse(layers)?;
    let matrices = layers.matrices(py)?;
    let (rows, columns, file) = attributes;
    let [rows, columns, file] = [rows, columns, file].map(attribute::map_from_numpy);
    let (rows, columns, file) = (rows?, columns?, file?);
    enter(py, || {
        matrices.iter().try_for_each(|(_, matrix)| expect_finite(matrix))?;
        let mut builder = Loom::builder(path).replace().file_attributes(file);
        builder = builder.attributes(Axis::Rows, rows).attributes(Axis::Columns, columns);
        for (name, matrix) in &matrices {
            builder = builder.layer(name, matrix);
        }
        builder.create()
    })
}

/// Sets a layer; the main one of an empty loom makes its shape.
pub(super) fn set_layer(loom: &Loom, name: &str, source: &dyn MatrixSource) -> Result<()> {
    if name.is_empty() && loom.shape()? == [0, 0] {
        return loom.add(Axis::Columns, Addition::new().layer("", source)).map(drop);
    }
    loom.set_layer(name, source).map(drop)
}

/// What is added along an axis: layers, attributes of the axis and of the other one, and what
/// else is filled with.
pub(super) type Added<'py> =
    (Bound<'py, PyDict>, Bound<'py, PyDict>, Bound<'py, PyDict>, Bound<'py, PyAny>);

/// Adds rows or columns.
pub(super) fn add<'py>(
    py: Python<'py>,
    loom: &Loom,
    axis: Axis,
    (layers, attributes, others, fill): &Added<'py>,
) -> PyResult<()> {
    let layers = Layers::parse(layers)?;
    let matrices = layers.matrices(py)?;
    let attributes = attribute::map_from_numpy(attributes)?;
    let others: AttributeMap = attribute::map_from_numpy(others)?;
    let fill = fill_of(fill)?;
    enter(py, || {
        let mut addition = Addition::new().attributes(attributes).other_attributes(others);
        for (name, matrix) in &matrices {
            addition = addition.layer(name, matrix);
        }
        loom.add(axis, addition.fill(fill)).map(drop)
    })
}

fn fill_of(fill: &Bound<'_, PyAny>) -> PyResult<Fill> {
    if fill.is_none() {
        return Ok(Fill::None);
    }
    if fill.is_instance_of::<PyString>() {
        return Ok(Fill::Auto);
    }
    attribute::map_from_numpy(fill.cast::<PyDict>()?).map(Fill::Values)
}

/// How another loom is added.
pub(super) fn add_loom_options(
    key: Option<String>,
    fill: &Bound<'_, PyAny>,
    convert_attributes: bool,
    include_graphs: bool,
) -> PyResult<AddLoom> {
    Ok(AddLoom { key, fill: fill_of(fill)?, convert_attributes, include_graphs })
}

/// How looms are combined.
pub(super) fn combine_options(
    key: Option<String>,
    file_attributes: &Bound<'_, PyDict>,
    convert_attributes: bool,
) -> PyResult<Combine> {
    let add = AddLoom { key, convert_attributes, ..AddLoom::default() };
    let file_attributes = attribute::map_from_numpy(file_attributes)?;
    Ok(Combine { add, file_attributes, in_the_way: stook::InTheWay::Goes, ..Combine::default() })
}

/// The looms whose columns are combined, and which columns.
pub(super) fn parts(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    selections: Vec<Option<PyReadonlyArray1<'_, i64>>>,
) -> PyResult<Vec<Part>> {
    if paths.len() != selections.len() {
        return Err(invalid(py, "expected a selection for each file"));
    }
    let part = |(path, selection): (PathBuf, Option<PyReadonlyArray1<'_, i64>>)| Part {
        path,
        columns: selection_of(selection),
    };
    Ok(paths.into_iter().zip(selections).map(part).collect())
}

/// Positions as a selection; all without them.
pub(super) fn selection_of(positions: Option<PyReadonlyArray1<'_, i64>>) -> AxisSelection {
    match positions {
        Some(positions) => AxisSelection::List(positions.as_array().to_vec()),
        None => AxisSelection::ALL,
    }
}

/// Positions, which are not negative.
pub(super) fn positions_of(
    py: Python<'_>,
    positions: &PyReadonlyArray1<'_, i64>,
) -> PyResult<Vec<u64>> {
    let position = |&at: &i64| u64::try_from(at).map_err(|_| invalid(py, "a position below 0"));
    positions.as_array().iter().map(position).collect()
}

/// The newest time of a kind of things (`layers`, `row_attrs`, ...), or of one of them, as it is
/// stored in its node.
pub(super) fn last_modified(loom: &Loom, kind: &str, name: Option<&str>) -> Result<Option<String>> {
    let container = loom.file()?;
    let container = container.container();
    let group = NodePath::root().join(kind)?;
    let stamp = |node: &NodePath| -> Result<Option<String>> {
        if container.kind(node)?.is_none() {
            return Ok(None);
        }
        let stored = container.attribute(node, "last_modified")?;
        Ok(stored.and_then(|stored| text_of(&stored)))
    };
    let matrix = NodePath::root().join("matrix")?;
    match name {
        Some("") => return stamp(&matrix),
        Some(name) => return stamp(&group.join(name)?),
        None => {}
    }
    let mut newest = stamp(&group)?;
    if kind == "layers" {
        newest = newest.max(stamp(&matrix)?);
    }
    for child in container.children(&group)? {
        newest = newest.max(stamp(&group.join(&child.name)?)?);
    }
    Ok(newest)
}

fn text_of(stored: &stook::AttributeValue) -> Option<String> {
    match stored {
        stook::AttributeValue::Values(values) => values.text_at(0).ok(),
        stook::AttributeValue::Json(json) => json.as_str().map(str::to_owned),
        stook::AttributeValue::Null(_) => None,
    }
}
