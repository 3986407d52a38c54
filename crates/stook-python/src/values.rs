//! Values of every type as numpy arrays and back. Items of variable length are Python objects.

use numpy::{PyArray1, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyList, PyString, PyTuple};
use stook::dtype::{HEAP_ITEM_LEN, StructType};
use stook::values::HeapItem;
use stook::{DType, Values};

use crate::dtype::{from_numpy, to_numpy};
use crate::enter::{invalid, raise};
use crate::memory::{allocate, bytes_mut, numpy};
use crate::strings;

/// An array of values.
pub(crate) fn to_array<'py>(py: Python<'py>, values: &Values) -> PyResult<Bound<'py, PyAny>> {
    build(py, values.dtype(), values.shape(), (values.items(), values.heap()))
}

/// An array of values; of a scalar, the scalar.
pub(crate) fn to_array_or_scalar<'py>(
    py: Python<'py>,
    values: &Values,
) -> PyResult<Bound<'py, PyAny>> {
    let array = to_array(py, values)?;
    if values.shape().is_empty() { array.get_item(PyTuple::empty(py)) } else { Ok(array) }
}

fn build<'py>(
    py: Python<'py>,
    dtype: &DType,
    shape: &[u64],
    (items, heap): (&[u8], &[u8]),
) -> PyResult<Bound<'py, PyAny>> {
    let to = to_numpy(py, dtype)?;
    if !dtype.has_heap() {
        let mut array = allocate(py, shape, &to, true)?;
        let bytes = bytes_mut(&mut array)?;
        if bytes.len() == items.len() {
            bytes.copy_from_slice(items);
            strings::from_file(dtype, bytes);
        }
        return Ok(array.into_any());
    }
    match dtype {
        DType::Struct(r#struct) => {
            let array = allocate(py, shape, &to, false)?;
            for field in &r#struct.fields {
                let part = gather(items, r#struct.size, field.offset, field.dtype.item_size());
                array.set_item(&field.name, build(py, &field.dtype, shape, (&part, heap))?)?;
            }
            Ok(array.into_any())
        }
        DType::Array(inner) => {
            build(py, &inner.item, &[shape, &inner.shape].concat(), (items, heap))
        }
        _ => {
            let objects =
                items.chunks_exact(HEAP_ITEM_LEN).map(|item| object(py, dtype, item, heap));
            let objects = PyArray1::from_vec(py, objects.collect::<PyResult<Vec<_>>>()?);
            let objects = match shape {
                [_] => objects.into_any(),
                _ => objects.call_method1("reshape", (PyTuple::new(py, shape)?,))?,
            };
            if let DType::String(_) | DType::Bytes = dtype {
                // The same objects; the dtype says more of them.
                return objects.call_method1("view", (to,));
            }
            let array = allocate(py, shape, &to, false)?;
            numpy(py, "copyto")?.call1((&array, objects))?;
            Ok(array.into_any())
        }
    }
}

fn object(py: Python<'_>, dtype: &DType, item: &[u8], heap: &[u8]) -> PyResult<Py<PyAny>> {
    let unit = if let DType::Sequence(inner) = dtype { inner.item_size() } else { 1 };
    let at = HeapItem::from_bytes(item);
    let payload = at.slice(heap, unit).map_err(|error| raise(py, &error))?;
    Ok(match dtype {
        DType::Bytes => PyBytes::new(py, payload).into_any().unbind(),
        DType::Sequence(inner) => build(py, inner, &[at.len], (payload, heap))?.unbind(),
        _ => text(py, payload)?.into_any().unbind(),
    })
}

/// Bytes that are no UTF-8 come through as Python's `surrogateescape` has them.
fn text<'py>(py: Python<'py>, payload: &[u8]) -> PyResult<Bound<'py, PyString>> {
    match std::str::from_utf8(payload) {
        Ok(text) => Ok(PyString::new(py, text)),
        Err(_) => {
            let bytes = PyBytes::new(py, payload);
            Ok(bytes.call_method1("decode", ("utf-8", "surrogateescape"))?.cast_into()?)
        }
    }
}

fn gather(items: &[u8], size: usize, offset: usize, len: usize) -> Vec<u8> {
    let parts = items.chunks_exact(size.max(1));
    parts
        .flat_map(|item| item.get(offset..offset.saturating_add(len)).unwrap_or_default())
        .copied()
        .collect()
}

/// The values of an array whose dtype is the one that [`to_numpy`] gives `dtype`.
pub(crate) fn from_array(dtype: &DType, array: &Bound<'_, PyAny>) -> PyResult<Values> {
    let shape = array.getattr("shape")?.extract()?;
    let mut heap = Vec::new();
    let items = collect(dtype, array, &mut heap)?;
    Values::new(dtype.clone(), shape, items, heap).map_err(|error| raise(array.py(), &error))
}

/// The values of an array, with the type that its dtype stands for.
pub(crate) fn from_any_array(array: &Bound<'_, PyAny>) -> PyResult<Values> {
    let dtype = from_numpy(&array.cast::<PyUntypedArray>()?.dtype())?;
    from_array(&dtype, array)
}

fn collect(dtype: &DType, array: &Bound<'_, PyAny>, heap: &mut Vec<u8>) -> PyResult<Vec<u8>> {
    let py = array.py();
    if !dtype.has_heap() {
        let array = numpy(py, "asarray")?.call1((array, to_numpy(py, dtype)?))?;
        let mut items: Vec<u8> =
            array.call_method0("tobytes")?.cast::<PyBytes>()?.as_bytes().to_vec();
        if dtype.item_size() == 0 {
            items.clear();
        }
        strings::to_file(dtype, &mut items).map_err(|error| raise(py, &error))?;
        return Ok(items);
    }
    match dtype {
        DType::Struct(r#struct) => collect_struct(r#struct, array, heap),
        DType::Array(inner) => collect(&inner.item, array, heap),
        _ => {
            let objects = array.call_method0("ravel")?.call_method0("tolist")?;
            let objects = objects.cast::<PyList>()?;
            let mut items = Vec::with_capacity(objects.len().saturating_mul(HEAP_ITEM_LEN));
            for object in objects {
                items.extend(push(dtype, &object, heap)?.to_bytes());
            }
            Ok(items)
        }
    }
}

fn collect_struct(
    r#struct: &StructType,
    array: &Bound<'_, PyAny>,
    heap: &mut Vec<u8>,
) -> PyResult<Vec<u8>> {
    let n: usize = array.getattr("size")?.extract()?;
    let mut items = vec![0; n.saturating_mul(r#struct.size)];
    for field in &r#struct.fields {
        let part = collect(&field.dtype, &array.get_item(&field.name)?, heap)?;
        let len = field.dtype.item_size();
        let places = items.chunks_exact_mut(r#struct.size.max(1));
        for (place, part) in places.zip(part.chunks_exact(len.max(1))) {
            if let Some(place) = place.get_mut(field.offset..field.offset.saturating_add(len)) {
                place.copy_from_slice(part);
            }
        }
    }
    Ok(items)
}

/// Puts the payload of an object at the end of `heap`.
fn push(dtype: &DType, object: &Bound<'_, PyAny>, heap: &mut Vec<u8>) -> PyResult<HeapItem> {
    let py = object.py();
    let mut append = |payload: &[u8]| {
        let at = HeapItem { offset: heap.len() as u64, len: payload.len() as u64 };
        heap.extend_from_slice(payload);
        at
    };
    match dtype {
        DType::Sequence(inner) => {
            let array = numpy(py, "asarray")?.call1((object, to_numpy(py, inner)?))?;
            let shape: Vec<u64> = array.getattr("shape")?.extract()?;
            let &[len] = shape.as_slice() else {
                return Err(invalid(
                    py,
                    format!("expected a sequence of one axis, found shape {shape:?}"),
                ));
            };
            let items = collect(inner, &array, heap)?;
            let at = HeapItem { offset: heap.len() as u64, len };
            heap.extend_from_slice(&items);
            Ok(at)
        }
        DType::Bytes => {
            if let Ok(bytes) = object.cast::<PyBytes>() {
                return Ok(append(bytes.as_bytes()));
            }
            match object.cast::<PyByteArray>() {
                Ok(bytes) => Ok(append(&bytes.to_vec())),
                Err(_) => Err(wrong_object(object, "bytes")),
            }
        }
        _ => {
            if let Ok(bytes) = object.cast::<PyBytes>() {
                return Ok(append(bytes.as_bytes()));
            }
            let text = object.cast::<PyString>().map_err(|_| wrong_object(object, "str"))?;
            match text.to_cow() {
                Ok(text) => Ok(append(text.as_bytes())),
                Err(_) => {
                    let bytes = text.call_method1("encode", ("utf-8", "surrogateescape"))?;
                    Ok(append(bytes.cast::<PyBytes>()?.as_bytes()))
                }
            }
        }
    }
}

fn wrong_object(object: &Bound<'_, PyAny>, expected: &str) -> PyErr {
    let found = object.get_type();
    let found = found.name().map_or_else(|_| "another type".to_owned(), |name| name.to_string());
    invalid(object.py(), format!("expected items of type {expected}, found {found}"))
}
