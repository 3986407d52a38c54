//! Matrices of numpy and scipy, lent to the library as they lie.

use std::thread;

use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use stook::element::Element;
use stook::{DType, Error};
use stook_loom::matrix::{Compressed, Coo, Dense, Indices, Matrix, Numbers};

use crate::dtype::from_numpy;
use crate::enter::invalid;
use crate::memory::bytes;

/// How a matrix lies in its arrays.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// One array, row after row.
    Rows,
    /// One array, column after column.
    Columns,
    /// Numbers, indices, pointers.
    Csr,
    Csc,
    /// Numbers, rows, columns.
    Coo,
}

/// The arrays of a matrix, kept alive while the library reads them.
pub(super) struct Held<'py> {
    layout: Layout,
    arrays: Vec<Bound<'py, PyUntypedArray>>,
    shape: [usize; 2],
}

impl<'py> Held<'py> {
    /// A matrix as the Python half spells it: a layout, arrays, and of sparse ones the shape.
    pub(super) fn parse(matrix: &Bound<'py, PyTuple>) -> PyResult<Self> {
        let py = matrix.py();
        let name: String = matrix.get_item(0)?.extract()?;
        let (layout, n_arrays) = match name.as_str() {
            "dense" => (Layout::Rows, 1),
            "columns" => (Layout::Columns, 1),
            "csr" => (Layout::Csr, 3),
            "csc" => (Layout::Csc, 3),
            "coo" => (Layout::Coo, 3),
            other => return Err(invalid(py, format!("a matrix of layout `{other}`"))),
        };
        let mut arrays = Vec::with_capacity(n_arrays);
        for at in 1..=n_arrays {
            let array: Bound<'py, PyUntypedArray> = matrix.get_item(at)?.cast_into()?;
            if !array.is_c_contiguous() {
                return Err(invalid(py, "an array of a matrix does not lie in one piece"));
            }
            arrays.push(array);
        }
        let shape = match (layout, arrays.first().map(|array| array.shape())) {
            (Layout::Rows, Some(&[rows, columns])) => [rows, columns],
            (Layout::Columns, Some(&[columns, rows])) => [rows, columns],
            (Layout::Rows | Layout::Columns, _) => {
                return Err(invalid(py, "a matrix has two axes"));
            }
            _ => matrix.get_item(n_arrays + 1)?.extract()?,
        };
        Ok(Self { layout, arrays, shape })
    }

    /// The matrix, whose memory is that of the arrays.
    pub(super) fn matrix(&self) -> stook::Result<Matrix<'_>> {
        let array = |at: usize| {
            self.arrays.get(at).ok_or_else(|| Error::invalid("an array of a matrix is missing"))
        };
        let numbers = numbers(array(0)?)?;
        Ok(match self.layout {
            Layout::Rows => Dense::new(self.shape, numbers)?.into(),
            Layout::Columns => Dense::columns(self.shape, numbers)?.into(),
            Layout::Csr => {
                let (indices, pointers) = (indices(array(1)?)?, indices(array(2)?)?);
                Compressed::csr(self.shape, pointers, indices, numbers)?.into()
            }
            Layout::Csc => {
                let (indices, pointers) = (indices(array(1)?)?, indices(array(2)?)?);
                Compressed::csc(self.shape, pointers, indices, numbers)?.into()
            }
            Layout::Coo => {
                let (rows, columns) = (indices(array(1)?)?, indices(array(2)?)?);
                Coo::new(self.shape, rows, columns, numbers)?.into()
            }
        })
    }
}

/// Refuses infinity and what is not a number in a dense matrix, as loompy does.
pub(super) fn expect_finite(matrix: &Matrix<'_>) -> stook::Result<()> {
    let Matrix::Dense(dense) = matrix else { return Ok(()) };
    let is_finite = match dense.numbers() {
        Numbers::Float32(numbers) => all(numbers, |number| number.is_finite()),
        Numbers::Float64(numbers) => all(numbers, |number| number.is_finite()),
        Numbers::Float16(numbers) => all(numbers, |number| number.is_finite()),
        _ => true,
    };
    if is_finite { Ok(()) } else { Err(Error::invalid("INF and NaN not allowed in loom matrix")) }
}

/// Whether `test` holds for all items, asked on all processors.
fn all<T: Sync>(items: &[T], test: impl Fn(&T) -> bool + Sync) -> bool {
    // Whole runs without a branch are what the compiler makes vectors of.
    let run =
        |items: &[T]| items.chunks(4096).all(|run| run.iter().fold(true, |so, x| so & test(x)));
    let n_threads = thread::available_parallelism().map_or(1, usize::from);
    let part = items.len().div_ceil(n_threads).max(1 << 16);
    if items.len() <= part {
        return run(items);
    }
    thread::scope(|scope| {
        let parts: Vec<_> = items.chunks(part).map(|items| scope.spawn(|| run(items))).collect();
        parts.into_iter().all(|part| part.join().unwrap_or(false))
    })
}

/// The items of an array in one piece, if they are of this type.
fn items<'a, T: Element>(array: &'a Bound<'_, PyUntypedArray>) -> stook::Result<&'a [T]> {
    let bytes = bytes(array);
    if bytes.is_empty() {
        return Ok(&[]);
    }
    if !bytes.as_ptr().cast::<T>().is_aligned() {
        return Err(Error::invalid("an array of a matrix is not aligned"));
    }
    let len = bytes.len() / size_of::<T>();
    // SAFETY: the bytes are aligned, as many, and any bytes make items of such a type; they are
    // borrowed from the array, which nothing but Python's own threads changes.
    #[expect(unsafe_code, reason = "numpy lends memory as bytes")]
    Ok(unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), len) })
}

fn numbers<'a>(array: &'a Bound<'_, PyUntypedArray>) -> stook::Result<Numbers<'a>> {
    Ok(match dtype_of(array)? {
        DType::Int8 => items::<i8>(array)?.into(),
        DType::Int16 => items::<i16>(array)?.into(),
        DType::Int32 => items::<i32>(array)?.into(),
        DType::Int64 => items::<i64>(array)?.into(),
        DType::UInt8 => items::<u8>(array)?.into(),
        DType::UInt16 => items::<u16>(array)?.into(),
        DType::UInt32 => items::<u32>(array)?.into(),
        DType::UInt64 => items::<u64>(array)?.into(),
        DType::Float16 => items::<stook::element::f16>(array)?.into(),
        DType::Float32 => items::<f32>(array)?.into(),
        DType::Float64 => items::<f64>(array)?.into(),
        other => return Err(Error::invalid(format!("a matrix of {other}: expected numbers"))),
    })
}

fn indices<'a>(array: &'a Bound<'_, PyUntypedArray>) -> stook::Result<Indices<'a>> {
    Ok(match dtype_of(array)? {
        DType::Int32 => items::<i32>(array)?.into(),
        DType::Int64 => items::<i64>(array)?.into(),
        DType::UInt32 => items::<u32>(array)?.into(),
        DType::UInt64 => items::<u64>(array)?.into(),
        other => return Err(Error::invalid(format!("indices of {other}: expected integers"))),
    })
}

fn dtype_of(array: &Bound<'_, PyUntypedArray>) -> stook::Result<DType> {
    let dtype = array.dtype();
    from_numpy(&dtype).map_err(|_| {
        Error::invalid(format!("an array of kind `{}`: expected numbers", char::from(dtype.kind())))
    })
}
