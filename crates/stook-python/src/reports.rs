//! Statistics, comparisons and checks, as dicts that the Python half makes objects of.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Value, json};
use stook::check::{CheckOptions, check as check_file};
use stook::diff::{
    DiffOptions, DiffReport, LayoutPart, NodeDiff, Place, Side, What, diff as compare,
};
use stook::dtype::{TimeBase, TimeUnit};
use stook::stats::{FieldStats, Numbers, Scalar, Stats, Summary};
use stook::{ArraySpec, DType, Extent, NodePath};

use crate::attributes::json_to_python;
use crate::dtype::to_numpy;
use crate::enter::{enter, raise};
use crate::memory::numpy;
use crate::tree::Tree;

/// The statistics of each member of the items.
pub(crate) fn stats_to_python<'py>(py: Python<'py>, stats: &Stats) -> PyResult<Bound<'py, PyAny>> {
    let fields = stats.fields.iter().map(|field| field_to_python(py, field));
    let fields = fields.collect::<PyResult<Vec<_>>>()?;
    Ok((stats.n, fields).into_pyobject(py)?.into_any())
}

fn field_to_python<'py>(py: Python<'py>, field: &FieldStats) -> PyResult<Bound<'py, PyDict>> {
    let found = PyDict::new(py);
    found.set_item("name", &field.name)?;
    found.set_item("dtype", to_numpy(py, &field.dtype)?)?;
    match &field.summary {
        Summary::Numbers(numbers) => set_numbers(&found, "numbers", numbers)?,
        Summary::Magnitudes(numbers) => set_numbers(&found, "magnitudes", numbers)?,
        Summary::Bools { n, n_true } => {
            found.set_item("kind", "bools")?;
            found.set_item("n", n)?;
            found.set_item("n_nonzero", n_true)?;
        }
        Summary::Times { n, n_nat, range } => {
            found.set_item("kind", "times")?;
            found.set_item("n", n)?;
            found.set_item("n_nan", n_nat)?;
            if let Some((min, max)) = range {
                found.set_item("min", time(py, &field.dtype, *min)?)?;
                found.set_item("max", time(py, &field.dtype, *max)?)?;
            }
        }
        Summary::Texts(texts) => {
            found.set_item("kind", "texts")?;
            found.set_item("n", texts.n)?;
            found.set_item("n_empty", texts.n_empty)?;
            found.set_item("n_distinct", texts.n_distinct())?;
            found.set_item("lengths", texts.lengths)?;
        }
        Summary::Raw { n, n_nonzero } => {
            found.set_item("kind", "raw")?;
            found.set_item("n", n)?;
            found.set_item("n_nonzero", n_nonzero)?;
        }
        _ => found.set_item("kind", "other")?,
    }
    Ok(found)
}

fn set_numbers(found: &Bound<'_, PyDict>, kind: &str, numbers: &Numbers) -> PyResult<()> {
    let py = found.py();
    let scalar = |value: Scalar| match value {
        Scalar::Integer(value) => Ok::<_, PyErr>(value.into_pyobject(py)?.into_any()),
        Scalar::Float(value) => Ok(value.into_pyobject(py)?.into_any()),
    };
    found.set_item("kind", kind)?;
    found.set_item("n", numbers.n)?;
    found.set_item("n_nan", numbers.n_nan)?;
    found.set_item("n_positive_infinite", numbers.n_positive_infinite)?;
    found.set_item("n_negative_infinite", numbers.n_negative_infinite)?;
    found.set_item("n_nonzero", numbers.n_nonzero)?;
    found.set_item("min", numbers.min.map(scalar).transpose()?)?;
    found.set_item("max", numbers.max.map(scalar).transpose()?)?;
    found.set_item("sum", scalar(numbers.sum())?)?;
    found.set_item("mean", numbers.mean())?;
    found.set_item("std", numbers.std())
}

/// A count of a time's unit as a scalar of numpy.
fn time<'py>(py: Python<'py>, dtype: &DType, count: i64) -> PyResult<Bound<'py, PyAny>> {
    let (name, unit) = match dtype {
        DType::DateTime(unit) => ("datetime64", *unit),
        DType::TimeDelta(unit) => ("timedelta64", *unit),
        _ => ("timedelta64", TimeUnit { base: TimeBase::Generic, count: 1 }),
    };
    if unit.base == TimeBase::Generic {
        return numpy(py, name)?.call1((count,));
    }
    numpy(py, name)?.call1((count, unit.to_string()))
}

fn side(side: Side) -> &'static str {
    match side {
        Side::A => "a",
        Side::B => "b",
    }
}

fn place(place: &Place) -> Value {
    json!({"index": place.index, "member": place.member})
}

fn extent(extent: &Extent) -> Value {
    match extent {
        Extent::Shape(shape) => json!(shape),
        Extent::Null => Value::Null,
    }
}

/// The part of a description that a difference is about, as a text.
fn part_of(part: LayoutPart, spec: &ArraySpec) -> String {
    let of = |grid: Option<&stook::ChunkGrid>| {
        grid.map_or_else(
            || "none".to_owned(),
            |grid| match grid.regular_shape() {
                Some(shape) => format!("{shape:?}"),
                None => "rectilinear".to_owned(),
            },
        )
    };
    match part {
        LayoutPart::DType => spec.dtype.to_string(),
        LayoutPart::Chunks => of((!spec.contiguous).then_some(&spec.grid)),
        LayoutPart::Shards => of(spec.shards.as_ref()),
        LayoutPart::Codecs => {
            let names: Vec<_> = spec.codecs.iter().map(stook::CodecSpec::name).collect();
            names.join(" ")
        }
        LayoutPart::FillValue => format!("{:?}", spec.fill_value.as_ref().map(|fill| fill.items())),
        _ => format!("{:?}", spec.max_shape),
    }
}

fn difference(found: &NodeDiff) -> Value {
    let (kind, a, b) = match &found.what {
        What::Only(only) => ("only", json!(side(*only)), Value::Null),
        What::Kind { a, b } => ("kind", json!(a), json!(b)),
        What::DType { a, b } => ("dtype", json!(a.to_string()), json!(b.to_string())),
        What::Shape { a, b } => ("shape", extent(a), extent(b)),
        What::DimensionNames { a, b } => ("dimension_names", json!(a), json!(b)),
        What::Attribute { name, a, b } => {
            return json!({"node": found.node.as_str(), "kind": "attribute", "name": name,
                "a": a, "b": b});
        }
        What::Layout { part, a, b } => {
            ("layout", json!(part_of(*part, a)), json!(part_of(*part, b)))
        }
        What::Elements(elements) => {
            let largest = |found: &Option<(f64, Place)>| {
                found.as_ref().map(|(value, at)| json!({"value": value, "at": place(at)}))
            };
            let first = elements.first.iter();
            let first: Vec<_> = first
                .map(|cell| json!({"at": place(&cell.at), "a": cell.a, "b": cell.b}))
                .collect();
            return json!({"node": found.node.as_str(), "kind": "elements", "n": elements.n,
                "n_elements": elements.n_elements, "first": first,
                "largest_absolute": largest(&elements.largest_absolute),
                "largest_relative": largest(&elements.largest_relative)});
        }
        What::Unread { side: at, error } => {
            ("unread", json!(at.map(side)), json!(error.to_string()))
        }
        _ => ("other", Value::Null, Value::Null),
    };
    json!({"node": found.node.as_str(), "kind": kind, "a": a, "b": b})
}

/// Compares two nodes as the dict `options` says.
#[pyfunction]
pub(crate) fn diff<'py>(
    py: Python<'py>,
    a: (Py<Tree>, String),
    b: (Py<Tree>, String),
    options: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    let (file_a, file_b) = (a.0.get().file(py)?, b.0.get().file(py)?);
    let flag = |name: &str| -> PyResult<bool> {
        options.get_item(name)?.map_or(Ok(false), |value| value.is_truthy())
    };
    let number = |name: &str| -> PyResult<f64> {
        options.get_item(name)?.map_or(Ok(0.0), |value| value.extract())
    };
    let count = |name: &str| -> PyResult<Option<u64>> {
        options.get_item(name)?.map_or(Ok(None), |value| value.extract())
    };
    let memory = count("memory")?;
    let cells = count("cells")?.map(|cells| usize::try_from(cells).unwrap_or(usize::MAX));
    let (rtol, atol) = (number("rtol")?, number("atol")?);
    let (nan_differs, layout) = (flag("nan_differs")?, flag("layout")?);
    let ignored = (flag("ignore_dtypes")?, flag("ignore_attributes")?);
    let report: DiffReport = enter(py, || {
        let mut settings = DiffOptions {
            relative_tolerance: rtol,
            absolute_tolerance: atol,
            nan_differs,
            ignore_dtypes: ignored.0,
            ignore_attributes: ignored.1,
            layout,
            ..DiffOptions::default()
        };
        settings.memory_len_bytes = memory.unwrap_or(settings.memory_len_bytes);
        settings.most_cells = cells.unwrap_or(settings.most_cells);
        let (a, b) = (file_a.node(&a.1)?, file_b.node(&b.1)?);
        compare(&a, &b, &mut settings)
    })?;
    let found: Vec<Value> = report.found.iter().map(difference).collect();
    let answer = json!({"n_nodes": report.n_nodes, "n_elements": report.n_elements,
        "n_more": report.n_more, "is_equal": report.is_equal(), "found": found});
    json_to_python(py, &answer)
}

/// Reads all that a file holds and tells what is wrong.
#[pyfunction]
pub(crate) fn check<'py>(
    py: Python<'py>,
    tree: &Bound<'py, Tree>,
    memory: Option<u64>,
    leave_out: Vec<String>,
) -> PyResult<Bound<'py, PyAny>> {
    let file = tree.get().file(py)?;
    let leave_out = leave_out.iter().map(|node| NodePath::parse(node));
    let leave_out = leave_out.collect::<Result<_, _>>().map_err(|error| raise(py, &error))?;
    let report = enter(py, || {
        let mut options = CheckOptions { leave_out, ..CheckOptions::default() };
        options.memory_len_bytes = memory.unwrap_or(options.memory_len_bytes);
        check_file(&file, &mut options)
    })?;
    let findings = report.findings.iter().map(|found| {
        json!({"severity": found.severity.as_str(), "node": found.node.as_str(),
            "chunk": found.chunk, "kind": found.kind.as_str(), "message": found.message})
    });
    let answer = json!({"n_groups": report.n_groups, "n_arrays": report.n_arrays,
        "n_links": report.n_links, "n_attributes": report.n_attributes,
        "n_chunks": report.n_chunks, "len_bytes": report.len_bytes,
        "findings": findings.collect::<Vec<_>>()});
    json_to_python(py, &answer)
}
