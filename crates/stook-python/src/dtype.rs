//! Element types as numpy dtypes and back.
//!
//! What numpy has no dtype for is an `object` dtype or the nearest plain one, with h5py's
//! metadata, so that h5py and this package understand each other's: `vlen` (`str`, `bytes`, or
//! the dtype of a sequence), `enum` (names and values), `h5py_encoding` of fixed-width text.

use std::sync::Arc;

use numpy::{PyArrayDescr, PyArrayDescrMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple, PyType};
use stook::DType;
use stook::Error;
use stook::dtype::{
    ArrayType, Charset, EnumType, Field, FixedString, OpaqueType, Padding, StructType, TimeBase,
    TimeUnit,
};

use crate::enter::{invalid, raise};
use crate::memory::numpy;

/// The dtype of arrays that hold items of `dtype`.
pub(crate) fn to_numpy<'py>(py: Python<'py>, dtype: &DType) -> PyResult<Bound<'py, PyAny>> {
    let plain = |text: &str| numpy(py, "dtype")?.call1((text,));
    match dtype {
        DType::BFloat16 => of_ml_dtypes(py, "bfloat16"),
        DType::Narrow(narrow) => of_ml_dtypes(py, narrow.name()),
        DType::FixedString(string) => {
            let text = format!("S{}", string.len_bytes);
            match string.charset {
                Charset::Ascii => plain(&text),
                Charset::Utf8 => {
                    with_metadata(py, text, "h5py_encoding", PyString::new(py, "utf-8"))
                }
            }
        }
        DType::Opaque(opaque) => plain(&format!("V{}", opaque.size)),
        DType::Bitfield(size) => plain(&format!("u{size}")),
        DType::Enum(r#enum) => {
            let members = PyDict::new(py);
            for (name, value) in &r#enum.members {
                members.set_item(name, value)?;
            }
            with_metadata(py, to_numpy(py, &r#enum.base)?, "enum", members)
        }
        DType::Struct(r#struct) => struct_to_numpy(py, r#struct, dtype.has_heap()),
        DType::Array(array) => {
            let shape = PyTuple::new(py, &array.shape)?;
            numpy(py, "dtype")?.call1(((to_numpy(py, &array.item)?, shape),))
        }
        DType::String(charset) => {
            text_dtype(py, (*charset == Charset::Ascii).then_some(("h5py_encoding", "ascii")))
        }
        DType::Reference => text_dtype(py, Some(REFERENCE)),
        DType::Bytes => with_metadata(py, "O", "vlen", py.get_type::<PyBytes>()),
        DType::Sequence(item) => with_metadata(py, "O", "vlen", to_numpy(py, item)?),
        DType::DateTime(unit) => plain(&time_name("M8", *unit)),
        DType::TimeDelta(unit) => plain(&time_name("m8", *unit)),
        other => plain(&other.to_string()),
    }
}

/// What marks text that is the path of another node.
const REFERENCE: (&str, &str) = ("reference", "object");

fn text_dtype<'py>(py: Python<'py>, mark: Option<(&str, &str)>) -> PyResult<Bound<'py, PyAny>> {
    let metadata = PyDict::new(py);
    metadata.set_item("vlen", py.get_type::<PyString>())?;
    if let Some((key, value)) = mark {
        metadata.set_item(key, value)?;
    }
    with_all_metadata(py, "O", metadata)
}

fn time_name(kind: &str, unit: TimeUnit) -> String {
    if unit.base == TimeBase::Generic { kind.to_owned() } else { format!("{kind}[{unit}]") }
}

fn with_metadata<'py>(
    py: Python<'py>,
    plain: impl IntoPyObject<'py>,
    key: &str,
    value: impl IntoPyObject<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let metadata = PyDict::new(py);
    metadata.set_item(key, value)?;
    with_all_metadata(py, plain, metadata)
}

fn with_all_metadata<'py>(
    py: Python<'py>,
    plain: impl IntoPyObject<'py>,
    metadata: Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    let keywords = PyDict::new(py);
    keywords.set_item("metadata", metadata)?;
    numpy(py, "dtype")?.call((plain,), Some(&keywords))
}

fn of_ml_dtypes<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let found = py.import("ml_dtypes").and_then(|module| module.getattr(name));
    let Ok(found) = found else {
        let message =
            format!("numpy has no dtype {name}, and the package ml_dtypes is not installed");
        return Err(raise(py, &Error::unsupported(message).with_hint("pip install ml_dtypes")));
    };
    numpy(py, "dtype")?.call1((found,))
}

/// Members with Python objects do not lie at the offsets of the file.
fn struct_to_numpy<'py>(
    py: Python<'py>,
    r#struct: &StructType,
    has_heap: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let names: Vec<&str> = r#struct.fields.iter().map(|field| field.name.as_str()).collect();
    let formats = r#struct.fields.iter().map(|field| to_numpy(py, &field.dtype));
    let layout = PyDict::new(py);
    layout.set_item("names", names)?;
    layout.set_item("formats", formats.collect::<PyResult<Vec<_>>>()?)?;
    if !has_heap {
        let offsets: Vec<usize> = r#struct.fields.iter().map(|field| field.offset).collect();
        layout.set_item("offsets", offsets)?;
        layout.set_item("itemsize", r#struct.size)?;
    }
    numpy(py, "dtype")?.call1((layout,))
}

/// The type that anything `numpy.dtype` accepts stands for; `str` and `bytes` vary in length.
pub(crate) fn from_python(object: &Bound<'_, PyAny>) -> PyResult<DType> {
    let py = object.py();
    if let Ok(text) = object.cast::<PyString>()
        && let Ok(dtype) = text.to_cow()?.parse::<DType>()
    {
        return Ok(dtype);
    }
    let descr = PyArrayDescr::new(py, object).map_err(|error| {
        if error.is_instance_of::<PyTypeError>(py) {
            invalid(py, format!("dtype {object} is not known to numpy"))
        } else {
            error
        }
    })?;
    from_numpy(&descr)
}

/// The type of the items of arrays of a dtype; byte order is no part of it.
pub(crate) fn from_numpy(descr: &Bound<'_, PyArrayDescr>) -> PyResult<DType> {
    let py = descr.py();
    let size = descr.itemsize();
    if let Some(dtype) = plain_number(descr, size) {
        return Ok(dtype);
    }
    if descr.typeobj().getattr("__module__")?.extract::<String>()? == "ml_dtypes" {
        return of_name(descr);
    }
    let metadata = |key: &str| -> PyResult<Option<Bound<'_, PyAny>>> {
        let metadata = descr.getattr("metadata")?;
        if metadata.is_none() {
            Ok(None)
        } else {
            Ok(metadata.call_method1("get", (key,))?.none_to_option())
        }
    };
    match descr.kind() {
        b'b' => Ok(DType::Bool),
        b'i' | b'u' => match metadata("enum")? {
            Some(members) => of_enum(descr, &members),
            None => of_name(descr),
        },
        b'f' if descr.char() == b'g' => Ok(DType::LongDouble),
        b'f' | b'c' => of_name(descr),
        b'S' if size == 0 => Ok(DType::Bytes),
        b'S' => {
            let is_utf8 = is_entry(metadata("h5py_encoding")?, "utf-8");
            let charset = if is_utf8 { Charset::Utf8 } else { Charset::Ascii };
            let is_terminated = is_entry(metadata("padding")?, "null-terminated");
            let padding = if is_terminated { Padding::NullTerminated } else { Padding::Null };
            Ok(DType::FixedString(FixedString { len_bytes: size, charset, padding }))
        }
        b'U' if size == 0 => Ok(DType::string()),
        b'U' => Ok(DType::Unicode(size / 4)),
        b'T' => Ok(DType::string()),
        b'M' => time_unit(descr).map(DType::DateTime),
        b'm' => time_unit(descr).map(DType::TimeDelta),
        b'O' => match metadata("vlen")? {
            Some(_) if metadata(REFERENCE.0)?.is_some() => Ok(DType::Reference),
            Some(item) => match of_vlen(&item)? {
                DType::String(_) if is_entry(metadata("h5py_encoding")?, "ascii") => {
                    Ok(DType::String(Charset::Ascii))
                }
                dtype => Ok(dtype),
            },
            None => {
                let error = Error::invalid("dtype object does not say what its items are");
                Err(raise(py, &error.with_hint("use str, bytes, or stook.vlen_dtype(item)")))
            }
        },
        b'V' if descr.has_subarray() => {
            let item = from_numpy(&descr.base())?;
            let shape = descr.shape().into_iter().map(|len| len as u64).collect();
            Ok(DType::Array(Arc::new(ArrayType { item, shape })))
        }
        b'V' if descr.has_fields() => of_struct(descr),
        b'V' => Ok(DType::Opaque(Arc::new(OpaqueType { size, tag: String::new() }))),
        _ => Err(unsupported(descr)),
    }
}

/// The type of a dtype of numpy's own for numbers, without asking Python. Integers are told by their
/// metadata, where they have any.
fn plain_number(descr: &Bound<'_, PyArrayDescr>, size: usize) -> Option<DType> {
    // `NPY_LONGDOUBLE`, and beyond it its complex numbers and what packages register.
    const N_PLAIN: i32 = 13;
    const COMPLEX: [i32; 2] = [14, 15];
    let number = descr.num();
    if !(0..N_PLAIN).contains(&number) && !COMPLEX.contains(&number) {
        return None;
    }
    let has_metadata = || !descr.getattr("metadata").is_ok_and(|metadata| metadata.is_none());
    if matches!(descr.kind(), b'i' | b'u') && has_metadata() {
        return None;
    }
    number_of(descr.kind(), size)
}

/// The type of numbers of numpy's kind and size.
pub(crate) fn number_of(kind: u8, size: usize) -> Option<DType> {
    Some(match (kind, size) {
        (b'b', 1) => DType::Bool,
        (b'i', 1) => DType::Int8,
        (b'i', 2) => DType::Int16,
        (b'i', 4) => DType::Int32,
        (b'i', 8) => DType::Int64,
        (b'u', 1) => DType::UInt8,
        (b'u', 2) => DType::UInt16,
        (b'u', 4) => DType::UInt32,
        (b'u', 8) => DType::UInt64,
        (b'f', 2) => DType::Float16,
        (b'f', 4) => DType::Float32,
        (b'f', 8) => DType::Float64,
        (b'c', 8) => DType::Complex64,
        (b'c', 16) => DType::Complex128,
        _ => return None,
    })
}

/// Whether an entry of a dtype's metadata is there and has this value.
fn is_entry(entry: Option<Bound<'_, PyAny>>, value: &str) -> bool {
    entry.is_some_and(|entry| entry.eq(value).unwrap_or(false))
}

fn unsupported(descr: &Bound<'_, PyArrayDescr>) -> PyErr {
    raise(descr.py(), &Error::unsupported(format!("dtype {descr} is not supported")))
}

trait NoneToOption: Sized {
    fn none_to_option(self) -> Option<Self>;
}

impl NoneToOption for Bound<'_, PyAny> {
    fn none_to_option(self) -> Option<Self> {
        if self.is_none() { None } else { Some(self) }
    }
}

fn of_name(descr: &Bound<'_, PyArrayDescr>) -> PyResult<DType> {
    let name: String = descr.getattr("name")?.extract()?;
    name.parse().map_err(|_| unsupported(descr))
}

fn time_unit(descr: &Bound<'_, PyArrayDescr>) -> PyResult<TimeUnit> {
    let (base, count): (String, u32) =
        numpy(descr.py(), "datetime_data")?.call1((descr,))?.extract()?;
    let base = TimeBase::from_name(&base).ok_or_else(|| unsupported(descr))?;
    Ok(TimeUnit { base, count })
}

fn of_enum(descr: &Bound<'_, PyArrayDescr>, members: &Bound<'_, PyAny>) -> PyResult<DType> {
    let members = members.call_method0("items")?.try_iter()?.map(|pair| pair?.extract());
    let members: Vec<(String, i128)> = members.collect::<PyResult<_>>()?;
    Ok(DType::Enum(Arc::new(EnumType { base: of_name(descr)?, members })))
}

fn of_vlen(item: &Bound<'_, PyAny>) -> PyResult<DType> {
    let py = item.py();
    if let Ok(class) = item.cast::<PyType>() {
        if class.is(py.get_type::<PyString>()) {
            return Ok(DType::string());
        }
        if class.is(py.get_type::<PyBytes>()) {
            return Ok(DType::Bytes);
        }
    }
    Ok(DType::Sequence(Arc::new(from_python(item)?)))
}

fn of_struct(descr: &Bound<'_, PyArrayDescr>) -> PyResult<DType> {
    let mut fields = Vec::new();
    let mut has_heap = false;
    for name in descr.names().unwrap_or_default() {
        let (member, offset) = descr.get_field(&name)?;
        let dtype = from_numpy(&member)?;
        has_heap |= dtype.has_heap();
        fields.push(Field { name, dtype, offset });
    }
    let r#struct = if has_heap {
        // Python objects have another size than what is stored for them.
        let members = fields.into_iter().map(|field| (field.name, field.dtype));
        StructType::packed(members).map_err(|error| raise(descr.py(), &error))?
    } else {
        StructType { fields, size: descr.itemsize() }
    };
    Ok(DType::Struct(Arc::new(r#struct)))
}

/// The dtype that arrays of `dtype` have when they are read.
#[pyfunction]
pub(crate) fn normalize_dtype<'py>(dtype: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    to_numpy(dtype.py(), &from_python(dtype)?)
}
