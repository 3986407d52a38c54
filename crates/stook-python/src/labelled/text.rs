//! Tables of numbers as text.

use numpy::{PyArray1, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};
use stook_labelled::text::{Cells, Numbers, Rows, parse, write};

use crate::enter::{enter, invalid};
use crate::memory;

/// The rows of a table, in pieces: for each combination of labels, which are cells as they are written,
/// those labels and the elements of the last axis. `array` is one of `float64`, `int64` or `bool` in C order.
#[pyfunction]
pub(crate) fn labelled_csv_rows<'py>(
    array: &Bound<'py, PyUntypedArray>,
    labels: Vec<Vec<String>>,
    separator: char,
    missing: &str,
) -> PyResult<Bound<'py, PyList>> {
    let py = array.py();
    let bytes = memory::bytes(array);
    let descr = array.dtype().str()?.to_string();
    let numbers = match descr.as_str() {
        "float64" => aligned(bytes).map(Numbers::Floats),
        "int64" => aligned(bytes).map(Numbers::Ints),
        "bool" => Some(Numbers::Bools(bytes)),
        _ => None,
    };
    let is_whole = bytes.len() == array.len().saturating_mul(array.dtype().itemsize());
    let numbers = numbers.filter(|_| is_whole).ok_or_else(|| {
        invalid(py, format!("expected numbers of 64 bits in C order, found items of {descr}"))
    })?;
    let n_columns = array.shape().last().copied().unwrap_or(0);
    let rows = Rows { labels: &labels, n_columns, separator, missing };
    let pieces = enter(py, || write(numbers, rows))?;
    PyList::new(py, pieces.iter().map(|piece| PyBytes::new(py, piece)))
}

/// Bytes as items of a type that any bytes are a value of.
fn aligned<T: stook::Element>(bytes: &[u8]) -> Option<&[T]> {
    // SAFETY: `Element` promises that all bytes that pass `validate` are a value.
    #[expect(unsafe_code, reason = "items are lent where they lie")]
    let (before, items, after) = unsafe { bytes.align_to::<T>() };
    (T::validate(bytes).is_ok() && before.is_empty() && after.is_empty()).then_some(items)
}

/// The texts of a column of labels, each once, and which of them each row has.
type Column<'py> = (Vec<String>, Bound<'py, PyArray1<i64>>);

/// The columns of labels and the elements of the table that `text` is from `start` on; `None` where it is
/// more than labels and numbers.
#[pyfunction]
pub(crate) fn labelled_csv_table<'py>(
    text: &Bound<'py, PyBytes>,
    start: usize,
    separator: u8,
    n_labels: usize,
    n_cells: usize,
) -> PyResult<Option<(Vec<Column<'py>>, Bound<'py, PyAny>)>> {
    let py = text.py();
    let body = text.as_bytes().get(start..).unwrap_or_default();
    let table = enter(py, || parse(body, separator, (n_labels, n_cells)))?;
    let Some(table) = table else { return Ok(None) };
    let cells = match table.cells {
        Cells::Ints(values) => PyArray1::from_vec(py, values).into_any(),
        Cells::Floats(values) => PyArray1::from_vec(py, values).into_any(),
        _ => return Ok(None),
    };
    let shape = PyTuple::new(py, [table.n_rows, n_cells])?;
    let columns = table.labels.into_iter();
    let columns = columns.map(|column| (column.texts, PyArray1::from_vec(py, column.codes)));
    Ok(Some((columns.collect(), cells.call_method1("reshape", (shape,))?)))
}
