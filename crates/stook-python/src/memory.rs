//! Memory of numpy arrays, lent to the engine as it lies.

use std::ffi::c_int;

use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;
use stook::{View, ViewMut};

/// A function of the module `numpy`.
pub(crate) fn numpy<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || py.import("numpy").map(Bound::unbind))?;
    module.bind(py).getattr(name)
}

/// A new array, its elements zero or unset.
pub(crate) fn allocate<'py>(
    py: Python<'py>,
    shape: &[u64],
    dtype: &Bound<'py, PyAny>,
    zeroed: bool,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let shape = pyo3::types::PyTuple::new(py, shape)?;
    let array = numpy(py, if zeroed { "zeros" } else { "empty" })?.call1((shape, dtype))?;
    Ok(array.cast_into()?)
}

/// Where an array lies.
struct Place {
    data: *mut u8,
    shape: Vec<u64>,
    strides: Vec<isize>,
}

fn place(array: &Bound<'_, PyUntypedArray>) -> Place {
    let shape = array.shape().iter().map(|&len| len as u64).collect();
    // SAFETY: the pointer is that of a live array object.
    #[expect(unsafe_code, reason = "numpy has no safe way to the address of untyped memory")]
    let data = unsafe { (*array.as_array_ptr()).fields.data.cast() };
    Place { data, shape, strides: array.strides().to_vec() }
}

/// The items of `array`, to be read while the array is borrowed.
///
/// Another thread of Python that writes to the array meanwhile changes which bytes are read, as
/// it does with every function of numpy that releases the GIL; the memory itself stays, because
/// numpy does not move the memory of an array that somebody refers to.
pub(crate) fn view<'a>(array: &'a Bound<'_, PyUntypedArray>) -> stook::Result<View<'a>> {
    view_items(array, 0)
}

/// The same, of items that are arrays themselves: the last axes of `array`, which are in one
/// piece, are theirs. `n_item_axes` is at most the number of axes.
pub(crate) fn view_items<'a>(
    array: &'a Bound<'_, PyUntypedArray>,
    n_item_axes: usize,
) -> stook::Result<View<'a>> {
    let mut place = place(array);
    let n_axes = place.shape.len().saturating_sub(n_item_axes);
    place.shape.truncate(n_axes);
    place.strides.truncate(n_axes);
    // SAFETY: shape and strides are those of the array, whose memory lives as long as it does; an
    // item takes the bytes of the axes that were cut off.
    #[expect(unsafe_code, reason = "numpy lends memory as pointer, shape and strides")]
    unsafe {
        View::from_raw(place.data, &place.shape, &place.strides, &[])
    }
}

/// The items of a new `array` of `n_axes` axes: numpy counts those of items that are arrays as
/// axes of the array, whose last ones they are and in one piece.
pub(crate) fn view_items_mut<'a>(
    array: &'a Bound<'_, PyUntypedArray>,
    n_axes: usize,
) -> stook::Result<ViewMut<'a>> {
    let mut place = place(array);
    place.shape.truncate(n_axes);
    place.strides.truncate(n_axes);
    // SAFETY: the array is new, nobody else knows of it; an item takes the bytes of the axes that
    // were cut off.
    #[expect(unsafe_code, reason = "numpy lends memory as pointer, shape and strides")]
    unsafe {
        ViewMut::from_raw(place.data, &place.shape, &place.strides)
    }
}

/// The items of `array`, to be filled while the array is borrowed. The array is new, or
/// [`is_fillable`].
pub(crate) fn view_mut<'a>(array: &'a Bound<'_, PyUntypedArray>) -> stook::Result<ViewMut<'a>> {
    let place = place(array);
    // SAFETY: shape and strides are those of the array, which is writeable and has no two items
    // in one place; its memory lives as long as it does.
    #[expect(unsafe_code, reason = "numpy lends memory as pointer, shape and strides")]
    unsafe {
        ViewMut::from_raw(place.data, &place.shape, &place.strides)
    }
}

/// Whether the engine may write straight to `array`: it is writeable, and no two of its items
/// overlap.
pub(crate) fn is_fillable(array: &Bound<'_, PyUntypedArray>, item_size: usize) -> PyResult<bool> {
    if !array.getattr("flags")?.getattr("writeable")?.extract::<bool>()? {
        return Ok(false);
    }
    let mut axes: Vec<(usize, usize)> = array
        .shape()
        .iter()
        .zip(array.strides())
        .filter(|(len, _)| **len > 1)
        .map(|(&len, &stride)| (stride.unsigned_abs(), len))
        .collect();
    if array.is_empty() {
        return Ok(true);
    }
    // From the smallest stride up, each step must clear all that lies below it.
    axes.sort_unstable();
    let mut reach = item_size;
    for (stride, len) in axes {
        if stride < reach {
            return Ok(false);
        }
        reach = reach.saturating_add(stride.saturating_mul(len - 1));
    }
    Ok(true)
}

/// The bytes of a new C-order array that nobody else refers to yet.
pub(crate) fn bytes_mut<'a>(array: &'a mut Bound<'_, PyUntypedArray>) -> PyResult<&'a mut [u8]> {
    let len = array.getattr("nbytes")?.extract::<usize>()?;
    if len == 0 || !array.is_c_contiguous() {
        return Ok(&mut []);
    }
    // SAFETY: the array is contiguous, has `len` bytes, and is the caller's alone; zeroed or
    // filled memory, because numpy's allocator is opaque to the compiler.
    #[expect(unsafe_code, reason = "numpy lends memory as pointer and length")]
    Ok(unsafe { std::slice::from_raw_parts_mut(place(array).data, len) })
}

/// The bytes of an array that is contiguous in C order, to be read while it is borrowed; of
/// another, none. What [`view`] says of other threads holds here, too.
pub(crate) fn bytes<'a>(array: &'a Bound<'_, PyUntypedArray>) -> &'a [u8] {
    let n_bytes = array.len().saturating_mul(array.dtype().itemsize());
    if n_bytes == 0 || !array.is_c_contiguous() {
        return &[];
    }
    // SAFETY: the array is contiguous and has so many bytes, which live as long as it does; items
    // are plain bytes to their reader.
    #[expect(unsafe_code, reason = "numpy lends memory as pointer and length")]
    unsafe {
        let data: *const u8 = (*array.as_array_ptr()).fields.data.cast();
        std::slice::from_raw_parts(data, n_bytes)
    }
}

/// New bytes of a length, and the memory to fill before anybody else sees them.
pub(crate) fn uninitialized_bytes<'py>(
    py: Python<'py>,
    len: usize,
) -> PyResult<(Bound<'py, PyBytes>, &'py mut [u8])> {
    let len_python = isize::try_from(len).map_err(|_| PyMemoryError::new_err(()))?;
    // SAFETY: a null pointer asks for memory that the caller fills; the object is new, so that
    // nobody else refers to its memory. It is filled memory to the compiler, because Python's
    // allocator is opaque.
    #[expect(unsafe_code, reason = "bytes that are filled in place exist in Python's C API only")]
    unsafe {
        let object = pyo3::ffi::PyBytes_FromStringAndSize(std::ptr::null(), len_python);
        let bytes: Bound<'py, PyBytes> =
            Bound::from_owned_ptr_or_err(py, object)?.cast_into_unchecked();
        let at = pyo3::ffi::PyBytes_AsString(bytes.as_ptr()).cast::<u8>();
        Ok((bytes, std::slice::from_raw_parts_mut(at, len)))
    }
}

/// The first `len` of `bytes`, which nobody else has seen yet, where they lie if that can be.
pub(crate) fn shortened(bytes: Bound<'_, PyBytes>, len: usize) -> PyResult<Bound<'_, PyBytes>> {
    #[expect(unsafe_code, reason = "a function of Python's stable C API that pyo3 leaves out")]
    unsafe extern "C" {
        fn _PyBytes_Resize(object: *mut *mut pyo3::ffi::PyObject, len: isize) -> c_int;
    }
    let py = bytes.py();
    let len = isize::try_from(len).map_err(|_| PyMemoryError::new_err(()))?;
    let mut object = bytes.into_ptr();
    // SAFETY: the object is new and ours alone, and the length is not above its own; the function
    // gives it back, or takes it and leaves a null pointer and an exception.
    #[expect(unsafe_code, reason = "bytes are shortened in place in Python's C API only")]
    unsafe {
        _PyBytes_Resize(&raw mut object, len);
        Ok(Bound::from_owned_ptr_or_err(py, object)?.cast_into_unchecked())
    }
}
