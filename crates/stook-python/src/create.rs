//! The making of arrays.

use numpy::{PyArrayDescr, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use stook::{ArrayBuilder, ArraySpec, DType, Span, Values, VirtualPart};

use crate::array::Array;
use crate::enter::{enter, invalid, raise};
use crate::memory::{numpy, view};
use crate::tree::Tree;
use crate::{attributes, codecs, dtype, values};

/// What is asked for, by name; `None` where nothing is said.
struct Asked<'a, 'py>(&'a Bound<'py, PyDict>);

impl<'py> Asked<'_, 'py> {
    fn get(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.0.get_item(name)?.filter(|value| !value.is_none()))
    }

    fn lengths(&self, name: &str) -> PyResult<Option<Vec<u64>>> {
        let Some(value) = self.get(name)? else { return Ok(None) };
        value.extract().map(Some).map_err(|_| {
            invalid(value.py(), format!("{name}: expected a tuple of lengths, found {value}"))
        })
    }
}

pub(crate) fn array<'py>(
    tree: &Tree,
    py: Python<'py>,
    node: &str,
    what: &Bound<'py, PyDict>,
) -> PyResult<Array> {
    let file = tree.file_mut(py)?;
    let asked = Asked(what);
    let Some(object) = asked.get("dtype")? else { return Err(invalid(py, "the dtype is missing")) };
    let dtype = dtype::from_python(&object)?;
    let fill_value = match asked.get("fill_value")? {
        Some(fill) => Some(fill_value(&fill, &dtype)?),
        None => None,
    };
    let chain = match asked.get("codecs")? {
        Some(chain) => Some(codecs::from_python(&chain, &dtype, file.format())?),
        None => None,
    };
    let mut attributes_to_set = Vec::new();
    if let Some(pairs) = asked.get("attributes")? {
        for pair in pairs.call_method0("items")?.try_iter()? {
            let (name, value): (String, Bound<'py, PyAny>) = pair?.extract()?;
            attributes_to_set.push((name, attributes::from_python(&value, file.format())?));
        }
    }
    let shape = asked.lengths("shape")?.unwrap_or_default();
    let (chunks, shards) = (asked.lengths("chunks")?, asked.lengths("shards")?);
    let max_shape: Option<Vec<Option<u64>>> =
        asked.get("max_shape")?.map(|value| value.extract()).transpose()?;
    let names: Option<Vec<String>> =
        asked.get("dimension_names")?.map(|value| value.extract()).transpose()?;
    let is_null = asked.get("is_null")?.is_some_and(|value| value.is_truthy().unwrap_or(false));
    let array = enter(py, || {
        let mut builder = file.root_group()?.array(node).dtype(dtype).shape(shape);
        if is_null {
            builder = builder.null();
        }
        builder = or(builder, chunks, ArrayBuilder::chunks);
        builder = or(builder, shards, ArrayBuilder::shards);
        builder = or(builder, chain, ArrayBuilder::codecs);
        builder = or(builder, max_shape, ArrayBuilder::max_shape);
        builder = or(builder, fill_value, ArrayBuilder::fill_value);
        builder = or(builder, names, ArrayBuilder::dimension_names);
        for (name, value) in attributes_to_set {
            builder = builder.attribute(&name, value);
        }
        builder.create()
    })?;
    Ok(tree.handle(array))
}

/// An array of a dtype and of `values`, in one step; `None` where that is not the way.
pub(crate) fn whole<'py>(
    tree: &Tree,
    node: &str,
    dtype: &Bound<'py, PyAny>,
    values: &Bound<'py, PyUntypedArray>,
) -> PyResult<Option<Array>> {
    let py = values.py();
    let file = tree.file_mut(py)?;
    let is_own = PyArrayDescr::new(py, dtype)?.is_equiv_to(&values.dtype());
    let dtype = dtype::from_python(dtype)?;
    if !is_own || dtype.has_heap() || matches!(dtype, DType::Array(_)) {
        return Ok(None);
    }
    let items = view(values).map_err(|error| raise(py, &error))?;
    let shape: Vec<u64> = values.shape().iter().map(|&len| len as u64).collect();
    let made = enter(py, || {
        file.root_group()?.array(node).dtype(dtype).shape(shape).create_whole(&items)
    })?;
    Ok(made.map(|array| tree.handle(array)))
}

/// Start, stride, count and block along an axis.
pub(crate) type SpanTuple = (u64, u64, Option<u64>, u64);
/// File, dataset, its shape and how far it may grow, which of its elements, and their place.
pub(crate) type PartTuple =
    (String, String, Vec<u64>, Vec<Option<u64>>, Vec<SpanTuple>, Vec<SpanTuple>);

fn span((start, stride, count, block): SpanTuple) -> Span {
    Span { start, stride, count, block }
}

fn part((file, dataset, shape, max_shape, from, to): PartTuple) -> VirtualPart {
    let spans = |spans: Vec<SpanTuple>| spans.into_iter().map(span).collect();
    VirtualPart { file, dataset, shape, max_shape, from: spans(from), to: spans(to) }
}

/// An array of the elements of others: `what` has a dtype, a shape, and perhaps `max_shape` and
/// `fill_value`.
pub(crate) fn virtual_array<'py>(
    tree: &Tree,
    py: Python<'py>,
    node: &str,
    (what, parts): (&Bound<'py, PyDict>, Vec<PartTuple>),
) -> PyResult<Array> {
    let file = tree.file_mut(py)?;
    let asked = Asked(what);
    let Some(object) = asked.get("dtype")? else { return Err(invalid(py, "the dtype is missing")) };
    let dtype = dtype::from_python(&object)?;
    let mut spec = ArraySpec::new(dtype.clone(), asked.lengths("shape")?.unwrap_or_default());
    spec.max_shape = asked.get("max_shape")?.map(|value| value.extract()).transpose()?;
    if let Some(fill) = asked.get("fill_value")? {
        spec.fill_value = Some(fill_value(&fill, &dtype)?);
    }
    let parts: Vec<VirtualPart> = parts.into_iter().map(part).collect();
    let array = enter(py, || file.create_virtual(node, &spec, &parts))?;
    Ok(tree.handle(array))
}

fn or<T>(
    builder: ArrayBuilder,
    value: Option<T>,
    set: fn(ArrayBuilder, T) -> ArrayBuilder,
) -> ArrayBuilder {
    match value {
        Some(value) => set(builder, value),
        None => builder,
    }
}

fn fill_value(fill: &Bound<'_, PyAny>, dtype: &stook::DType) -> PyResult<Values> {
    let py = fill.py();
    let array = numpy(py, "asarray")?
        .call1((fill, dtype::to_numpy(py, dtype)?))
        .map_err(|error| invalid(py, format!("fill value: {}", error.value(py))))?;
    let values = values::from_array(dtype, &array)?;
    if values.len() != 1 {
        return Err(invalid(
            py,
            format!("fill value: expected one {dtype}, found shape {:?}", values.shape()),
        ));
    }
    Ok(values)
}
