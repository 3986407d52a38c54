//! What is computed from a layer, in one pass over its tiles.

use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;
use stook::{DType, Error};
use stook_loom::fused::{self, Aggregate, Groups, Statistic};
use stook_loom::matrix::{Indices, Numbers, Picked};
use stook_loom::{Axis, Loom};

use super::making::positions_of;
use crate::enter::{enter, invalid};

/// Positions along each axis; all without them.
pub(super) struct Picks {
    rows: Option<Vec<u64>>,
    columns: Option<Vec<u64>>,
}

impl Picks {
    pub(super) fn new(
        py: Python<'_>,
        rows: Option<PyReadonlyArray1<'_, i64>>,
        columns: Option<PyReadonlyArray1<'_, i64>>,
    ) -> PyResult<Self> {
        let list = |list: Option<PyReadonlyArray1<'_, i64>>| {
            list.map(|list| positions_of(py, &list)).transpose()
        };
        Ok(Self { rows: list(rows)?, columns: list(columns)? })
    }

    /// Positions along one axis only.
    pub(super) fn along(
        py: Python<'_>,
        axis: Axis,
        list: Option<PyReadonlyArray1<'_, i64>>,
    ) -> PyResult<Self> {
        match axis {
            Axis::Rows => Self::new(py, list, None),
            Axis::Columns => Self::new(py, None, list),
        }
    }

    fn picked(&self) -> Picked<'_> {
        Picked { rows: self.rows.as_deref(), columns: self.columns.as_deref() }
    }
}

/// Numbers, rows and columns of what is not zero.
pub(super) type Elements<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>);

pub(super) fn sparse<'py>(
    py: Python<'py>,
    loom: &Loom,
    layer: &str,
    picks: &Picks,
    dtype: &DType,
) -> PyResult<Elements<'py>> {
    let found = enter(py, || {
        let array = loom.layer_array(layer)?;
        fused::sparse(&array, picks.picked(), dtype, &loom.fused_options(layer)?)
    })?;
    let (rows, columns, numbers) = found.into_parts();
    Ok((numbers_to_numpy(py, numbers), indices_to_numpy(py, rows), indices_to_numpy(py, columns)))
}

/// An array for each of the names of statistics.
pub(super) fn map<'py>(
    py: Python<'py>,
    loom: &Loom,
    layer: &str,
    axis: Axis,
    (names, picks): (&[String], &Picks),
) -> PyResult<Vec<Bound<'py, PyArray1<f64>>>> {
    let wanted = names.iter().map(|name| {
        Statistic::parse(name).ok_or_else(|| invalid(py, format!("no statistic `{name}`")))
    });
    let wanted = wanted.collect::<PyResult<Vec<_>>>()?;
    let found = enter(py, || {
        let array = loom.layer_array(layer)?;
        fused::statistics(&array, axis, picks.picked(), &wanted, &loom.fused_options(layer)?)
    })?;
    Ok(found.into_iter().map(|numbers| PyArray1::from_vec(py, numbers)).collect())
}

/// Rows by groups of columns.
pub(super) fn aggregate<'py>(
    py: Python<'py>,
    loom: &Loom,
    layer: &str,
    (groups, n_groups): (&PyReadonlyArray1<'_, i64>, u32),
    name: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let labels: Vec<Option<u32>> =
        groups.as_array().iter().map(|&group| u32::try_from(group).ok()).collect();
    let found = enter(py, || {
        let (by, groups) = (Aggregate::parse(name)?, Groups::new(&labels, n_groups)?);
        let array = loom.layer_array(layer)?;
        let all = Picked::default();
        fused::aggregate(&array, Axis::Columns, all, &groups, by, &loom.fused_options(layer)?)
    })?;
    let shape = found.lens();
    let Numbers::Float64(numbers) = found.into_numbers() else {
        let error = Error::unsupported("an aggregate that is no float64");
        return Err(crate::enter::raise(py, &error));
    };
    Ok(PyArray1::from_vec(py, numbers.into_owned()).reshape(shape)?.into_any())
}

pub(super) fn numbers_to_numpy<'py>(py: Python<'py>, numbers: Numbers<'_>) -> Bound<'py, PyAny> {
    match numbers {
        Numbers::Int8(numbers) => PyArray1::from_vec(py, numbers.into_owned()).into_any(),
        Numbers::Int16(numbers) => PyArray1::from_vec(py, numbers.into_owned()).into_any(),
        Numbers::Int32(numbers) => PyArray1::from_vec(py, numbers.into_owned()).into_any(),
        Numbers::Int64(numbers) => PyArray1::from_vec(py, numbers.into_owned()).into_any(),
        Numbers::UInt8(numbers) => PyArray1::from_vec(py, numbers.into_owned()).into_any(),
        Numbers::UInt16(numbers) => PyArray1::from_vec(py, numbers.into_owned()).into_any(),
        Numbers::UInt32(numbers) => PyArray1::from_vec(py, numbers.into_owned()).into_any(),
        Numbers::UInt64(numbers) => PyArray1::from_vec(py, numbers.into_owned()).into_any(),
        Numbers::Float32(numbers) => PyArray1::from_vec(py, numbers.into_owned()).into_any(),
        Numbers::Float64(numbers) => PyArray1::from_vec(py, numbers.into_owned()).into_any(),
        // Who asks for it converts it.
        Numbers::Float16(numbers) => {
            PyArray1::from_vec(py, numbers.iter().map(|number| number.to_f32()).collect())
                .into_any()
        }
    }
}

fn indices_to_numpy<'py>(py: Python<'py>, indices: Indices<'_>) -> Bound<'py, PyAny> {
    match indices {
        Indices::Int32(indices) => PyArray1::from_vec(py, indices.into_owned()).into_any(),
        Indices::Int64(indices) => PyArray1::from_vec(py, indices.into_owned()).into_any(),
        Indices::UInt32(indices) => PyArray1::from_vec(py, indices.into_owned()).into_any(),
        Indices::UInt64(indices) => PyArray1::from_vec(py, indices.into_owned()).into_any(),
    }
}
