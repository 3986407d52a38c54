//! Objects of a pickle as Python's, and Python's as those of a pickle. Nothing is called by a name
//! that a file gives.

use std::collections::HashMap;
use std::sync::Arc;

use numpy::{PyArray1, PyArrayDescr, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyComplex, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet,
    PySlice, PyString, PyTuple,
};
use stook::Error;
use stook::npy::ObjectArray;
use stook::pickle::{DateTime, Descr, Node, NodeId, Pickle, PickledArray};

use super::endian_of;
use crate::dtype::{from_numpy, to_numpy};
use crate::enter::{invalid, raise};
use crate::memory::numpy;
use crate::values;

/// Objects nest so deep at most.
const MAX_DEPTH: usize = 200;
const SECOND: u64 = 1_000_000;

/// A new array of the objects.
pub(super) fn to_python<'py>(
    py: Python<'py>,
    objects: &ObjectArray,
) -> PyResult<Bound<'py, PyAny>> {
    let mut reader = Reader { py, pickle: objects.pickle(), made: HashMap::new() };
    reader.objects(objects.shape(), objects.elements(), 0)
}

struct Reader<'a, 'py> {
    py: Python<'py>,
    pickle: &'a Pickle,
    /// What was made, so that an object that is there once is one.
    made: HashMap<NodeId, Bound<'py, PyAny>>,
}

impl<'py> Reader<'_, 'py> {
    fn objects(
        &mut self,
        shape: &[u64],
        elements: &[NodeId],
        depth: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        let objects = self.all(elements, depth)?.into_iter().map(Bound::unbind).collect();
        PyArray1::<Py<PyAny>>::from_vec(py, objects)
            .call_method1("reshape", (PyTuple::new(py, shape)?,))
    }

    fn all(&mut self, ids: &[NodeId], depth: usize) -> PyResult<Vec<Bound<'py, PyAny>>> {
        ids.iter().map(|id| self.object(*id, depth + 1)).collect()
    }

    fn object(&mut self, id: NodeId, depth: usize) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        if let Some(made) = self.made.get(&id) {
            return Ok(made.clone());
        }
        if depth > MAX_DEPTH {
            let what = format!("pickle: objects nested over {MAX_DEPTH} deep");
            return Err(raise(py, &Error::limit(what)));
        }
        let pickle = self.pickle;
        let node = pickle.node(id).map_err(|error| raise(py, &error))?;
        // What may hold itself is known before its parts are made.
        let object = match node {
            Node::List(items) => {
                let list = PyList::empty(py);
                self.made.insert(id, list.clone().into_any());
                for item in items {
                    list.append(self.object(*item, depth + 1)?)?;
                }
                list.into_any()
            }
            Node::Dict(pairs) | Node::OrderedDict(pairs) => {
                let dict = if matches!(node, Node::Dict(_)) {
                    PyDict::new(py).into_any()
                } else {
                    py.import("collections")?.getattr("OrderedDict")?.call0()?
                };
                self.made.insert(id, dict.clone());
                for (key, value) in pairs {
                    dict.set_item(self.object(*key, depth + 1)?, self.object(*value, depth + 1)?)?;
                }
                dict
            }
            Node::Tuple(items) => PyTuple::new(py, self.all(items, depth)?)?.into_any(),
            Node::Set(items) => PySet::new(py, self.all(items, depth)?)?.into_any(),
            Node::FrozenSet(items) => PyFrozenSet::new(py, self.all(items, depth)?)?.into_any(),
            Node::Slice(parts) => {
                let parts = PyTuple::new(py, self.all(parts, depth)?)?;
                py.get_type::<PySlice>().call1(parts)?
            }
            Node::Array(array) if array.is_object() => {
                self.objects(&array.shape, &array.objects, depth)?
            }
            other => self.plain(other)?,
        };
        self.made.insert(id, object.clone());
        Ok(object)
    }

    /// What holds no other objects.
    fn plain(&self, node: &Node) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        let values = |array: &PickledArray| array.to_values().map_err(|error| raise(py, &error));
        Ok(match node {
            Node::None => py.None().into_bound(py),
            Node::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
            Node::Int(number) => number.into_pyobject(py)?.into_any(),
            Node::BigInt(bytes) => {
                let signed = PyDict::new(py);
                signed.set_item("signed", true)?;
                let from_bytes = py.get_type::<PyInt>().getattr("from_bytes")?;
                from_bytes.call((PyBytes::new(py, bytes), "little"), Some(&signed))?
            }
            Node::Float(number) => PyFloat::new(py, *number).into_any(),
            Node::Complex(real, imaginary) => {
                PyComplex::from_doubles(py, *real, *imaginary).into_any()
            }
            Node::Text(text) | Node::Path(text) => PyString::new(py, text).into_any(),
            Node::ByteText(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => PyString::new(py, text).into_any(),
                Err(_) => PyBytes::new(py, bytes).into_any(),
            },
            Node::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
            Node::ByteArray(bytes) => PyByteArray::new(py, bytes).into_any(),
            Node::Range([start, stop, step]) => {
                py.import("builtins")?.getattr("range")?.call1((start, stop, step))?
            }
            Node::Date(at) => {
                py.import("datetime")?.getattr("date")?.call1((at.year, at.month, at.day))?
            }
            Node::DateTime(at) => {
                let (seconds, micros) =
                    (at.microsecond_of_day / SECOND, at.microsecond_of_day % SECOND);
                let time = (seconds / 3600, seconds / 60 % 60, seconds % 60);
                let parts = (at.year, at.month, at.day, time.0, time.1, time.2, micros);
                py.import("datetime")?.getattr("datetime")?.call1(parts)?
            }
            Node::Time(micros) => {
                let (seconds, micros) = (micros / SECOND, micros % SECOND);
                let parts = (seconds / 3600, seconds / 60 % 60, seconds % 60, micros);
                py.import("datetime")?.getattr("time")?.call1(parts)?
            }
            Node::TimeDelta(micros) => {
                py.import("datetime")?.getattr("timedelta")?.call1((0, 0, *micros))?
            }
            Node::DType(descr) => match descr.dtype() {
                Ok(dtype) => to_numpy(py, &dtype)?,
                Err(_) => numpy(py, "dtype")?.call1(("O",))?,
            },
            Node::Scalar(array) => values::to_array_or_scalar(py, &values(array)?)?,
            Node::Array(array) => values::to_array(py, &values(array)?)?,
            other => {
                let found = other.type_name();
                return Err(raise(
                    py,
                    &Error::unsupported(format!("pickle: a {found} is no value")),
                ));
            }
        })
    }
}

/// The objects of an array of them, or one object as that of an array without axes.
pub(super) fn from_python(object: &Bound<'_, PyAny>) -> PyResult<ObjectArray> {
    let py = object.py();
    let mut writer =
        Writer { py, pickle: Pickle::new(Node::None), known: HashMap::new(), kept: Vec::new() };
    let (shape, elements) = match object.cast::<PyUntypedArray>() {
        Ok(array) if is_object(array)? => (shape_of(array), writer.elements(array, 0)?),
        _ => (Vec::new(), vec![writer.object(object, 0)?]),
    };
    ObjectArray::new(writer.pickle, shape, elements).map_err(|error| raise(py, &error))
}

fn is_object(array: &Bound<'_, PyUntypedArray>) -> PyResult<bool> {
    Ok(array.dtype().getattr("kind")?.extract::<char>()? == 'O')
}

fn shape_of(array: &Bound<'_, PyUntypedArray>) -> Vec<u64> {
    array.shape().iter().map(|&len| len as u64).collect()
}

struct Writer<'py> {
    py: Python<'py>,
    pickle: Pickle,
    /// Objects by where they lie, so that one that is met twice is written once.
    known: HashMap<usize, NodeId>,
    /// Keeps where they lie from being used for others.
    kept: Vec<Bound<'py, PyAny>>,
}

impl<'py> Writer<'py> {
    fn elements(
        &mut self,
        array: &Bound<'py, PyUntypedArray>,
        depth: usize,
    ) -> PyResult<Vec<NodeId>> {
        let flat = array.getattr("flat")?;
        flat.try_iter()?.map(|element| self.object(&element?, depth + 1)).collect()
    }

    fn all(&mut self, objects: &Bound<'py, PyAny>, depth: usize) -> PyResult<Vec<NodeId>> {
        objects.try_iter()?.map(|object| self.object(&object?, depth + 1)).collect()
    }

    fn pairs(&mut self, dict: &Bound<'py, PyAny>, depth: usize) -> PyResult<Vec<(NodeId, NodeId)>> {
        let items = dict.call_method0("items")?;
        let pairs = items.try_iter()?.map(|pair| {
            let (key, value): (Bound<'py, PyAny>, Bound<'py, PyAny>) = pair?.extract()?;
            Ok((self.object(&key, depth + 1)?, self.object(&value, depth + 1)?))
        });
        pairs.collect()
    }

    fn object(&mut self, object: &Bound<'py, PyAny>, depth: usize) -> PyResult<NodeId> {
        let place = object.as_ptr().addr();
        if let Some(id) = self.known.get(&place) {
            return Ok(*id);
        }
        if depth > MAX_DEPTH {
            let what = format!("objects nested over {MAX_DEPTH} deep, or in a circle");
            return Err(raise(self.py, &Error::limit(what)));
        }
        let node = self.node(object, depth)?;
        let id = self.pickle.add(node).map_err(|error| raise(self.py, &error))?;
        self.known.insert(place, id);
        self.kept.push(object.clone());
        Ok(id)
    }

    fn node(&mut self, object: &Bound<'py, PyAny>, depth: usize) -> PyResult<Node> {
        let py = self.py;
        Ok(if object.is_none() {
            Node::None
        } else if object.is_exact_instance_of::<PyBool>() {
            Node::Bool(object.extract()?)
        } else if object.is_exact_instance_of::<PyInt>() {
            integer(object)?
        } else if object.is_exact_instance_of::<PyFloat>() {
            Node::Float(object.extract()?)
        } else if let Ok(text) = object.cast_exact::<PyString>() {
            Node::Text(text.to_cow()?.into_owned())
        } else if let Ok(bytes) = object.cast_exact::<PyBytes>() {
            Node::Bytes(bytes.as_bytes().to_vec())
        } else if let Ok(bytes) = object.cast_exact::<PyByteArray>() {
            Node::ByteArray(bytes.to_vec())
        } else if object.is_exact_instance_of::<PyComplex>() {
            Node::Complex(object.getattr("real")?.extract()?, object.getattr("imag")?.extract()?)
        } else if object.is_exact_instance_of::<PyList>() {
            Node::List(self.all(object, depth)?)
        } else if object.is_exact_instance_of::<PyTuple>() {
            Node::Tuple(self.all(object, depth)?)
        } else if object.is_exact_instance_of::<PyDict>() {
            Node::Dict(self.pairs(object, depth)?)
        } else if object.is_exact_instance_of::<PySet>() {
            Node::Set(self.all(object, depth)?)
        } else if object.is_exact_instance_of::<PyFrozenSet>() {
            Node::FrozenSet(self.all(object, depth)?)
        } else if object.is_instance(&numpy(py, "generic")?)? {
            let array = numpy(py, "asarray")?.call1((object,))?.cast_into::<PyUntypedArray>()?;
            Node::Scalar(pickled(&array)?)
        } else if object.get_type().is(&numpy(py, "ndarray")?) {
            let array = object.cast::<PyUntypedArray>()?;
            if is_object(array)? {
                let elements = self.elements(array, depth)?;
                let array = PickledArray::of_objects(shape_of(array), false, elements);
                Node::Array(Arc::new(array.map_err(|error| raise(py, &error))?))
            } else {
                Node::Array(pickled(array)?)
            }
        } else {
            self.named(object, depth)?
        })
    }

    /// Objects of the classes of other modules that are data.
    fn named(&mut self, object: &Bound<'py, PyAny>, depth: usize) -> PyResult<Node> {
        let py = self.py;
        let part = |name: &str| object.getattr(name)?.extract::<u64>();
        let class = object.get_type();
        let (module, name) = (class.getattr("__module__")?, class.getattr("__name__")?);
        let (module, name): (String, String) = (module.extract()?, name.extract()?);
        let date = || -> PyResult<DateTime> {
            let small = |name: &str| object.getattr(name)?.extract::<u8>();
            let year = object.getattr("year")?.extract()?;
            Ok(DateTime { year, month: small("month")?, day: small("day")?, microsecond_of_day: 0 })
        };
        Ok(match (module.as_str(), name.as_str()) {
            ("collections", "OrderedDict") => Node::OrderedDict(self.pairs(object, depth)?),
            ("datetime", "date") => Node::Date(date()?),
            ("datetime", "datetime") if object.getattr("tzinfo")?.is_none() => {
                let of_day = (part("hour")? * 60 + part("minute")?) * 60 + part("second")?;
                let microsecond_of_day = of_day * SECOND + part("microsecond")?;
                Node::DateTime(DateTime { microsecond_of_day, ..date()? })
            }
            ("datetime", "timedelta") => {
                let days: i128 = object.getattr("days")?.extract()?;
                let seconds = days * 86_400 + i128::from(part("seconds")?);
                Node::TimeDelta(seconds * i128::from(SECOND) + i128::from(part("microseconds")?))
            }
            ("pathlib" | "pathlib._local", _) => Node::Path(object.str()?.to_cow()?.into_owned()),
            ("builtins", "range") => {
                let part = |name: &str| object.getattr(name)?.extract::<i128>();
                Node::Range([part("start")?, part("stop")?, part("step")?])
            }
            ("builtins", "slice") => {
                let mut part = |name: &str| self.object(&object.getattr(name)?, depth + 1);
                Node::Slice([part("start")?, part("stop")?, part("step")?])
            }
            _ => {
                let what =
                    format!("an object of {module}.{name} is no plain data, and is not saved");
                return Err(raise(py, &Error::unsupported(what)));
            }
        })
    }
}

fn integer(object: &Bound<'_, PyAny>) -> PyResult<Node> {
    if let Ok(number) = object.extract::<i128>() {
        return Ok(Node::Int(number));
    }
    let len = object.call_method0("bit_length")?.extract::<usize>()? / 8 + 1;
    let signed = PyDict::new(object.py());
    signed.set_item("signed", true)?;
    let bytes = object.call_method("to_bytes", (len, "little"), Some(&signed))?;
    Ok(Node::BigInt(bytes.extract()?))
}

/// An array of numbers or text as it lies.
fn pickled(array: &Bound<'_, PyUntypedArray>) -> PyResult<Arc<PickledArray>> {
    let py = array.py();
    let descr: Bound<'_, PyArrayDescr> = array.dtype();
    if !descr.getattr("names")?.is_none() || !descr.getattr("subdtype")?.is_none() {
        return Err(invalid(py, format!("an array of dtype {descr} within objects is not saved")));
    }
    let descr = Descr::Plain { dtype: from_numpy(&descr)?, endian: endian_of(array)? };
    let is_fortran = !array.is_c_contiguous() && array.is_fortran_contiguous();
    let order = if is_fortran { "F" } else { "C" };
    let bytes: Vec<u8> = array.call_method1("tobytes", (order,))?.extract()?;
    let array = PickledArray::of_bytes(Arc::new(descr), shape_of(array), is_fortran, bytes);
    array.map(Arc::new).map_err(|error| raise(py, &error))
}
