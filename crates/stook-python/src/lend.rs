//! Memory that a file is mapped to, lent to Python as it lies.

use std::ffi::{c_int, c_void};
use std::sync::{Arc, Mutex, PoisonError};

use numpy::{PyArray1, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use stook::codec::Endian;
use stook::{ArraySpec, CodecSpec, SharedBytes, Values};
use stook_loom::fused::Buffers;
use stook_loom::matrix::Numbers;

use crate::dtype::{from_numpy, to_numpy};
use crate::enter::raise;
use crate::memory::{self, numpy};
use crate::{strings, values};

/// Fills `view` with bytes of `owner`, to be read only.
///
/// # Safety
/// `view` is Python's to fill, and `bytes` live as long as `owner` does.
#[expect(unsafe_code, reason = "the buffer protocol is one of pointers")]
unsafe fn fill(
    owner: &Bound<'_, PyAny>,
    bytes: &[u8],
    view: *mut ffi::Py_buffer,
    flags: c_int,
) -> PyResult<()> {
    let memory = (bytes.as_ptr().cast_mut(), bytes.len());
    // SAFETY: the caller's promise; nobody writes to what is to be read only.
    unsafe { fill_raw(owner, memory, true, (view, flags)) }
}

/// Fills a view, for `flags`, with the bytes of `owner` at a place, and how many they are.
///
/// # Safety
/// The view is Python's to fill; the bytes live as long as `owner` does, and where they are not to be
/// read only, nobody else has them.
#[expect(unsafe_code, reason = "the buffer protocol is one of pointers")]
unsafe fn fill_raw(
    owner: &Bound<'_, PyAny>,
    (at, len): (*mut u8, usize),
    is_read_only: bool,
    (view, flags): (*mut ffi::Py_buffer, c_int),
) -> PyResult<()> {
    let len = isize::try_from(len).map_err(|_| PyBufferError::new_err("the items are too many"))?;
    let (at, is_read_only) = (at.cast::<c_void>(), c_int::from(is_read_only));
    // SAFETY: the caller's promise; the view refers to the owner.
    let status =
        unsafe { ffi::PyBuffer_FillInfo(view, owner.as_ptr(), at, len, is_read_only, flags) };
    if status == 0 { Ok(()) } else { Err(PyErr::fetch(owner.py())) }
}

/// The bytes of an array's items in a mapped file, which live as long as this does.
#[pyclass(frozen, module = "stook._stook")]
pub(crate) struct Mapped {
    array: stook::Array,
}

#[pymethods]
impl Mapped {
    /// # Safety
    /// Python calls it with a `view` to fill.
    #[expect(unsafe_code, reason = "the buffer protocol is one of pointers")]
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let array = &slf.get().array;
        let bytes = array.source().in_place().and_then(|place| place.mapped());
        let bytes = bytes.ok_or_else(|| PyBufferError::new_err("the file is not mapped"))?;
        // SAFETY: the bytes are those of the object; the rest is the caller's promise.
        unsafe { fill(slf.as_any(), bytes, view, flags) }
    }
}

/// Values in memory of the library's own, which live as long as this does and never change.
#[pyclass(frozen, module = "stook._stook")]
struct Held {
    values: Arc<Values>,
}

#[pymethods]
impl Held {
    /// # Safety
    /// Python calls it with a `view` to fill.
    #[expect(unsafe_code, reason = "the buffer protocol is one of pointers")]
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let bytes = slf.get().values.items();
        // SAFETY: the bytes are those of the object; the rest is the caller's promise.
        unsafe { fill(slf.as_any(), bytes, view, flags) }
    }
}

/// Values as an array of numpy that cannot be written to: where they lie, if numpy has a dtype for
/// them as they are, else a copy.
pub(crate) fn held<'py>(py: Python<'py>, values: Arc<Values>) -> PyResult<Bound<'py, PyAny>> {
    let dtype = values.dtype().clone();
    if dtype.has_heap() || strings::has_padding(&dtype) || values.items().is_empty() {
        let array = values::to_array(py, &values)?;
        array.call_method1("setflags", (false,))?;
        return Ok(array);
    }
    let shape = PyTuple::new(py, values.shape())?;
    let memory = Bound::new(py, Held { values })?;
    numpy(py, "ndarray")?.call1((shape, to_numpy(py, &dtype)?, memory))
}

/// Shorter arrays are copied: that takes less than to hand their memory over.
const MIN_GIVEN_LEN_BYTES: usize = 64 << 10;

/// Values as an array of numpy that may be written to. Memory of many numbers is handed over, not
/// copied.
pub(crate) fn given(py: Python<'_>, values: Values) -> PyResult<Bound<'_, PyAny>> {
    // numpy's items are aligned to 16 bytes at most.
    const ALIGNMENT: usize = 16;
    let dtype = values.dtype();
    let is_plain = !dtype.has_heap() && !strings::has_padding(dtype);
    let items = values.items();
    if !is_plain
        || items.len() < MIN_GIVEN_LEN_BYTES
        || !items.as_ptr().addr().is_multiple_of(ALIGNMENT)
    {
        return values::to_array(py, &values);
    }
    let (dtype, shape, items, _) = values.into_parts();
    if !items.as_ptr().addr().is_multiple_of(ALIGNMENT) {
        let values = Values::new(dtype, shape, items, Vec::new());
        return values::to_array(py, &values.map_err(|error| raise(py, &error))?);
    }
    let bytes = PyArray1::from_vec(py, items);
    let array = bytes.call_method1("view", (to_numpy(py, &dtype)?,))?;
    array.call_method1("reshape", (PyTuple::new(py, shape)?,))
}

/// The memory of an array of numpy, which stays as long as this does.
struct OfArray {
    _array: Py<PyAny>,
    at: *const u8,
    len_bytes: usize,
}

// SAFETY: the memory is only read, and stays where it is while the array is referred to. A thread
// of Python that writes to it meanwhile changes which numbers are read, as with numpy's own functions.
#[expect(unsafe_code, reason = "memory of numpy crosses to threads that save it")]
unsafe impl Send for OfArray {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "memory of numpy crosses to threads that save it")]
unsafe impl Sync for OfArray {}

impl AsRef<[u8]> for OfArray {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the array is contiguous and has so many bytes, which live as long as it does.
        #[expect(unsafe_code, reason = "numpy lends memory as pointer and length")]
        unsafe {
            std::slice::from_raw_parts(self.at, self.len_bytes)
        }
    }
}

/// The items of an array of numbers where they lie, which are not to be kept longer than the call;
/// `None` for one that is not in C order, or whose items are no plain numbers of the machine.
pub(crate) fn lent(array: &Bound<'_, PyAny>) -> PyResult<Option<Values>> {
    let untyped = array.cast::<PyUntypedArray>()?;
    let descr = untyped.dtype();
    let is_number = matches!(descr.kind(), b'b' | b'i' | b'u' | b'f' | b'c' | b'm' | b'M');
    if !is_number || descr.is_native_byteorder() == Some(false) || untyped.is_empty() {
        return Ok(None);
    }
    let bytes = memory::bytes(untyped);
    let dtype = from_numpy(&descr)?;
    if bytes.is_empty() || !bytes.as_ptr().addr().is_multiple_of(descr.alignment().max(1)) {
        return Ok(None);
    }
    let owner =
        OfArray { _array: array.clone().unbind(), at: bytes.as_ptr(), len_bytes: bytes.len() };
    let shape = untyped.shape().iter().map(|&len| len as u64).collect();
    let values = Values::lent(dtype, shape, SharedBytes::lent(Arc::new(owner)));
    values.map(Some).map_err(|error| raise(array.py(), &error))
}

/// Numbers of a batch, which are given back when nobody looks at them any more.
#[pyclass(frozen, module = "stook._stook")]
struct Batched {
    numbers: Mutex<Option<Numbers<'static>>>,
    buffers: Buffers,
}

impl Drop for Batched {
    fn drop(&mut self) {
        if let Some(numbers) = self.numbers.get_mut().ok().and_then(Option::take) {
            self.buffers.give(numbers);
        }
    }
}

#[pymethods]
impl Batched {
    /// # Safety
    /// Python calls it with a `view` to fill.
    #[expect(unsafe_code, reason = "the buffer protocol is one of pointers")]
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let mut numbers = slf.get().numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let numbers = numbers.as_mut().ok_or_else(|| PyBufferError::new_err("nothing is held"))?;
        let len = numbers.as_bytes().len();
        let memory = (numbers.as_mut_ptr().cast::<u8>(), len);
        // SAFETY: the bytes lie on the heap and stay as long as the object, which the view refers to;
        // nobody else has them before it goes.
        unsafe { fill_raw(slf.as_any(), memory, false, (view, flags)) }
    }
}

/// The numbers of a batch as an array of numpy, which gives them back to `buffers` in the end.
pub(crate) fn batched<'py>(
    py: Python<'py>,
    (shape, numbers): ([usize; 2], Numbers<'static>),
    buffers: Buffers,
) -> PyResult<Bound<'py, PyAny>> {
    let dtype = to_numpy(py, &numbers.dtype())?;
    let memory = Bound::new(py, Batched { numbers: Mutex::new(Some(numbers)), buffers })?;
    numpy(py, "ndarray")?.call1((PyTuple::new(py, shape)?, dtype, memory))
}

/// The base of classes that lend the memory of the array that `__buffer_array__` returns.
#[pyclass(frozen, subclass, module = "stook._stook")]
pub(crate) struct Lender;

#[pymethods]
impl Lender {
    #[new]
    #[pyo3(signature = (*_arguments))]
    fn new(_arguments: &Bound<'_, PyTuple>) -> Self {
        Self
    }

    /// # Safety
    /// Python calls it with a `view` to fill.
    #[expect(unsafe_code, reason = "the buffer protocol is one of pointers")]
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let array = slf.call_method0("__buffer_array__")?;
        // SAFETY: `view` is Python's to fill. It will refer to the array, which gives it back.
        let status = unsafe { ffi::PyObject_GetBuffer(array.as_ptr(), view, flags) };
        if status == 0 { Ok(()) } else { Err(PyErr::fetch(slf.py())) }
    }
}

/// The items of a mapped array where they lie, as an array of numpy; `None` where they are not
/// mapped, or numpy has no dtype for them as they lie.
pub(crate) fn mapped<'py>(
    py: Python<'py>,
    array: stook::Array,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let spec = array.spec();
    let is_mapped = array.source().in_place().is_some_and(|place| place.mapped().is_some());
    if !spec.contiguous || !is_mapped || spec.dtype.has_heap() || strings::has_padding(&spec.dtype)
    {
        return Ok(None);
    }
    let Some((endian, order)) = layout(&spec) else { return Ok(None) };
    let mut dtype = to_numpy(py, &spec.dtype)?;
    if endian != Endian::NATIVE && spec.dtype.has_byte_order() {
        dtype = dtype.call_method1("newbyteorder", ("S",))?;
    }
    let mut strides = vec![0_usize; spec.shape().len()];
    let mut step = spec.dtype.item_size();
    for &axis in order.iter().rev() {
        if let (Some(stride), Some(&len)) = (strides.get_mut(axis), spec.shape().get(axis)) {
            *stride = step;
            step = step.saturating_mul(usize::try_from(len).unwrap_or(usize::MAX));
        }
    }
    if step == 0 {
        return Ok(None);
    }
    let shape = PyTuple::new(py, spec.shape())?;
    let strides = PyTuple::new(py, strides)?;
    let memory = Bound::new(py, Mapped { array })?;
    numpy(py, "ndarray")?.call1((shape, dtype, memory, 0, strides)).map(Some)
}

/// The byte order of the items and the order of the axes, where that is all there is to them.
fn layout(spec: &ArraySpec) -> Option<(Endian, Vec<usize>)> {
    let mut order: Vec<usize> = (0..spec.shape().len()).collect();
    let mut endian = Endian::NATIVE;
    for (at, codec) in spec.codecs.iter().enumerate() {
        match codec {
            CodecSpec::Transpose { order: other } if at == 0 => order.clone_from(other),
            CodecSpec::ByteOrder(other) => endian = *other,
            _ => return None,
        }
    }
    Some((endian, order))
}
