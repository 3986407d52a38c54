//! One array of the layout: plain items, pickled objects, or the stand-in for no items at all.

use std::sync::Arc;

use stook::pickle::{Form, Node, Pickle, write};
use stook::{Array as Dataset, AttributeEdits, AttributeValue, File, NodePath, Selection};
use stook_core::container::WholeArray;
use stook_core::dtype::{FixedString, TimeBase, TimeUnit};
use stook_core::{DType, Error, HeapItem, Limits, Result, Values};

use super::attributes::{self, Marks};
use crate::labels::Labels;
use crate::store::{python, time};

/// Elements and how they lie.
pub(super) struct Data {
    pub(super) values: Values,
    /// Whether its axes are in the order of the block and not of the table.
    pub(super) is_transposed: bool,
}

/// What is in a dataset.
#[derive(Clone, Debug)]
pub(super) enum Found {
    Values(Values),
    /// Objects of several types, of one axis.
    Labels(Labels),
}

/// Reads the dataset `name` of `group`.
pub(super) fn read(group: &stook::Group, name: &str, limits: &Limits) -> Result<(Found, Marks)> {
    let dataset = group.open_array(name)?;
    let marks = Marks::new(dataset.attributes()?);
    let found =
        elements(&dataset, &marks, limits).map_err(|error| error.at_node(dataset.path()))?;
    Ok((found, marks))
}

/// Reads the dataset `name` of `group`, whose elements are of one type.
pub(super) fn read_values(group: &stook::Group, name: &str, limits: &Limits) -> Result<Data> {
    let (found, marks) = read(group, name, limits)?;
    let Found::Values(values) = found else {
        return Err(Error::unsupported("elements that are objects of several types"));
    };
    let is_transposed = marks.number("transposed").unwrap_or(1) == 0;
    Ok(Data { values, is_transposed })
}

fn elements(dataset: &Dataset, marks: &Marks, limits: &Limits) -> Result<Found> {
    if marks.has("shape") {
        return no_elements(dataset, marks, limits).map(Found::Values);
    }
    let n_bytes = dataset
        .shape()
        .iter()
        .try_fold(dataset.dtype().item_size() as u64, |n, &len| n.checked_mul(len));
    limits.heap(n_bytes.unwrap_or(u64::MAX))?;
    let values = dataset.read(&Selection::All)?;
    match values.dtype() {
        DType::Bytes => objects(&values, limits),
        _ => typed(values, marks).map(Found::Values),
    }
}

/// The shape that stands beside the one item of an empty array.
fn no_elements(dataset: &Dataset, marks: &Marks, limits: &Limits) -> Result<Values> {
    let malformed = || Error::corrupt("the shape of an empty array is malformed");
    let pickle = marks.pickle("shape", limits)?.ok_or_else(malformed)?;
    let Node::Tuple(lengths) = pickle.node(pickle.root())? else { return Err(malformed()) };
    let mut shape = Vec::with_capacity(lengths.len());
    for id in lengths {
        let len = pickle.node(*id)?.as_int().and_then(|len| u64::try_from(len).ok());
        shape.push(len.ok_or_else(malformed)?);
    }
    if !shape.contains(&0) {
        return Err(malformed());
    }
    let name = marks.text("value_type").unwrap_or_default();
    let dtype = match name.as_str() {
        "object" | "str" | "string" => DType::string(),
        name => match time_type(name) {
            Some(dtype) => dtype,
            None => name.parse().unwrap_or_else(|_| dataset.dtype()),
        },
    };
    Values::new(dtype, shape, Vec::new(), Vec::new())
}

/// `datetime64[ns]`, `timedelta64`, …
pub(super) fn time_type(name: &str) -> Option<DType> {
    let (kind, unit) = match name.split_once('[') {
        Some((kind, unit)) => (kind, TimeBase::from_name(unit.strip_suffix(']')?)?),
        None => (name, TimeBase::Nanosecond),
    };
    let unit = TimeUnit { base: unit, count: 1 };
    match kind {
        "datetime64" | "datetime" => Some(DType::DateTime(unit)),
        "timedelta64" | "timedelta" => Some(DType::TimeDelta(unit)),
        _ => None,
    }
}

/// The type of the elements of the dataset `name`, as it will be read.
pub(super) fn dtype(group: &stook::Group, name: &str) -> Result<DType> {
    let dataset = group.open_array(name)?;
    let marks = Marks::new(dataset.attributes()?);
    if marks.has("shape") {
        let dtype = no_elements(&dataset, &marks, &Limits::default())?.dtype().clone();
        return Ok(dtype);
    }
    match dataset.dtype() {
        DType::Bytes => Ok(DType::string()),
        dtype => typed(Values::new(dtype, vec![0], Vec::new(), Vec::new())?, &marks)
            .map(|values| values.dtype().clone()),
    }
}

/// Items in the type that the attributes say, or that their storage stands for.
pub(super) fn typed(values: Values, marks: &Marks) -> Result<Values> {
    let said = marks.text("value_type").as_deref().and_then(time_type);
    let kind = marks.text("kind").as_deref().and_then(time_type);
    let dtype = match (values.dtype(), said.or(kind)) {
        (DType::Int64, Some(dtype)) => dtype,
        (DType::Bitfield(1), _) => DType::Bool,
        (DType::FixedString(_), _) => return unicode(&values),
        _ => return Ok(values),
    };
    values.retyped(dtype)
}

/// Text of fixed length in bytes as text of fixed length in characters.
fn unicode(values: &Values) -> Result<Values> {
    let texts: Vec<String> =
        (0..values.len()).map(|at| values.text_at(at)).collect::<Result<_>>()?;
    let labels = Labels::from_strings(&texts);
    let shape = values.shape().to_vec();
    match labels.to_values()? {
        Some(values) => Arc::unwrap_or_clone(values).reshaped(shape),
        None => Values::from_strings(shape, &texts),
    }
}

/// What the pickle in the only item of a variable-length array holds.
fn objects(values: &Values, limits: &Limits) -> Result<Found> {
    let pickle = Pickle::parse_with(values.payload(0)?, limits, &[])?;
    let root = pickle.root();
    match python::values(&pickle, root) {
        Ok(values) => Ok(Found::Values(values)),
        Err(error) => match (pickle.node(root)?, python::labels(&pickle, root)) {
            (Node::Array(array), Ok(labels)) if array.shape.len() == 1 => Ok(Found::Labels(labels)),
            _ => Err(error),
        },
    }
}

/// Writes arrays of the layout into one file.
pub(super) struct Writer<'a> {
    pub(super) file: &'a File,
}

impl Writer<'_> {
    /// Writes `values` as the dataset at `path`, in `shape`, with `marks` and how they lie.
    pub(super) fn values(
        &self,
        path: &NodePath,
        values: &Values,
        shape: &[u64],
        marks: AttributeEdits,
    ) -> Result<()> {
        if shape.contains(&0) {
            return self.nothing(path, values.dtype(), shape, marks);
        }
        let transposed = attributes::flag(true)?;
        let dtype = match values.dtype() {
            DType::Bool => DType::Bitfield(1),
            DType::DateTime(_) | DType::TimeDelta(_) => {
                let (values, name) = pandas_time(values)?;
                let marks = marks.set("value_type", attributes::text(&name));
                let marks = marks.set("transposed", transposed);
                return self.items(path, (&DType::Int64, values.items()), shape, marks);
            }
            DType::Unicode(_) | DType::String(_) => {
                let mut pickle = Pickle::new(Node::None);
                let root = python::add_texts(&mut pickle, values, shape.to_vec())?;
                return self.pickle(path, pickle.with_root(root), marks);
            }
            DType::FixedString(_) => {
                let mut pickle = Pickle::new(Node::None);
                let root = python::add_bytes(&mut pickle, values, shape.to_vec())?;
                return self.pickle(path, pickle.with_root(root), marks);
            }
            DType::Float16 | DType::Complex64 | DType::Complex128 => values.dtype().clone(),
            dtype if is_plain_number(dtype) => dtype.clone(),
            other => return Err(Error::unsupported(format!("elements of type {other}"))),
        };
        self.items(path, (&dtype, values.items()), shape, marks.set("transposed", transposed))
    }

    /// Writes labels as an index: its items, its kind and its name.
    pub(super) fn index(
        &self,
        path: &NodePath,
        labels: &Labels,
        name: AttributeValue,
    ) -> Result<()> {
        let marks = AttributeEdits::new();
        let shape = [labels.len() as u64];
        let transposed = attributes::flag(true)?;
        let Some(values) = labels.to_values()? else {
            let mut pickle = Pickle::new(Node::None);
            let root = python::add_labels(&mut pickle, labels)?;
            let marks = marks.set("kind", attributes::text("object")).set("name", name);
            return self.pickle(path, pickle.with_root(root), marks);
        };
        let marks = |kind: &str| marks.set("kind", attributes::text(kind)).set("name", name);
        if shape == [0] {
            let kind = if values.dtype() == &DType::Float64 { "float" } else { "integer" };
            return self.nothing(path, values.dtype(), &shape, marks(kind));
        }
        match values.dtype() {
            DType::Unicode(_) | DType::String(_) => {
                let (dtype, items) = utf8_items(&values)?;
                let marks = marks("string").set("transposed", transposed);
                self.items(path, (&dtype, &items), &shape, marks)
            }
            DType::DateTime(_) | DType::TimeDelta(_) => {
                let (values, kind) = pandas_time(&values)?;
                let class = if kind.starts_with('d') { "datetime" } else { "timedelta" };
                let marks = marks(&kind)
                    .set("freq", attributes::pickled(attributes::PICKLED_NONE))
                    .set("index_class", attributes::text(class))
                    .set("transposed", transposed);
                self.items(path, (&DType::Int64, values.items()), &shape, marks)
            }
            DType::Bool => {
                let marks = marks("bool").set("transposed", transposed);
                self.items(path, (&DType::Bitfield(1), values.items()), &shape, marks)
            }
            DType::FixedString(_) => {
                let mut pickle = Pickle::new(Node::None);
                let root = python::add_bytes(&mut pickle, &values, shape.to_vec())?;
                self.pickle(path, pickle.with_root(root), marks("object"))
            }
            dtype => {
                let is_float = matches!(dtype, DType::Float16 | DType::Float32 | DType::Float64);
                let marks = marks(if is_float { "float" } else { "integer" });
                self.items(
                    path,
                    (dtype, values.items()),
                    &shape,
                    marks.set("transposed", transposed),
                )
            }
        }
    }

    /// Writes labels of text as the values of a series: UTF-8 in fields of one length.
    pub(super) fn texts(&self, path: &NodePath, texts: &Values) -> Result<()> {
        let (dtype, items) = utf8_items(texts)?;
        let marks = AttributeEdits::new().set("transposed", attributes::flag(true)?);
        self.items(path, (&dtype, &items), &[texts.len() as u64], marks)
    }

    /// Writes items as they are.
    pub(super) fn items(
        &self,
        path: &NodePath,
        (dtype, items): (&DType, &[u8]),
        shape: &[u64],
        marks: AttributeEdits,
    ) -> Result<()> {
        let container = self.file.container();
        let whole = WholeArray { dtype, shape, items, attributes: &marks };
        if container.create_whole(path, &whole)? {
            return Ok(());
        }
        let parent = path.parent().unwrap_or_else(NodePath::root);
        let group = self.file.group(parent.as_str())?;
        let array =
            group.array(path.name()).dtype(dtype.clone()).shape(shape).codecs([]).create()?;
        let view = stook::View::new(items, shape, dtype.item_size(), &[])?;
        array.write_from(&Selection::All, &view)?;
        container.edit_attributes(path, &marks)
    }

    /// Writes what stands for an array without elements.
    fn nothing(
        &self,
        path: &NodePath,
        dtype: &DType,
        shape: &[u64],
        marks: AttributeEdits,
    ) -> Result<()> {
        let mut pickle = Pickle::new(Node::None);
        // The shape is that of the block, whose axes are those of the table turned around.
        let lengths = shape.iter().rev().map(|&len| pickle.add(Node::Int(len.into())));
        let lengths = lengths.collect::<Result<Vec<_>>>()?;
        let root = pickle.add(Node::Tuple(lengths))?;
        let (item, name) = match dtype {
            DType::Unicode(_) | DType::String(_) | DType::FixedString(_) => {
                (DType::Float64, "object".to_owned())
            }
            DType::DateTime(_) | DType::TimeDelta(_) => {
                let empty = Values::new(dtype.clone(), vec![0], Vec::new(), Vec::new())?;
                (DType::Int64, pandas_time(&empty)?.1)
            }
            DType::Bool => (DType::Int64, "bool".to_owned()),
            other => (other.clone(), other.to_string()),
        };
        let marks = marks
            .set("transposed", attributes::flag(false)?)
            .set("value_type", attributes::text(&name))
            .set("shape", attributes::pickle(&pickle.with_root(root))?);
        let items = vec![0; item.item_size()];
        let ones = vec![1; shape.len()];
        self.items(path, (&item, &items), &ones, marks)
    }

    /// Writes a pickle as PyTables keeps an object.
    pub(super) fn pickle(
        &self,
        path: &NodePath,
        pickle: Pickle,
        marks: AttributeEdits,
    ) -> Result<()> {
        let bytes = write(&pickle, Form::Numpy2)?;
        let item = HeapItem { offset: 0, len: bytes.len() as u64 }.to_bytes().to_vec();
        let values = Values::new(DType::Bytes, vec![1], item, bytes)?;
        let parent = path.parent().unwrap_or_else(NodePath::root);
        let group = self.file.group(parent.as_str())?;
        let builder = group.array(path.name()).dtype(values.dtype().clone()).shape([1]);
        let array = builder.max_shape([None]).chunks([1]).codecs([]).create()?;
        array.write(&Selection::All, &values)?;
        let marks = marks
            .set("CLASS", attributes::text("VLARRAY"))
            .set("VERSION", attributes::text("1.4"))
            .set("TITLE", attributes::text(""))
            .set("PSEUDOATOM", attributes::text("object"))
            .set("transposed", attributes::flag(true)?);
        self.file.container().edit_attributes(path, &marks)
    }
}

fn is_plain_number(dtype: &DType) -> bool {
    use DType::{Float32, Float64, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64};
    matches!(
        dtype,
        Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | UInt64 | Float32 | Float64
    )
}

/// Time values in a unit that pandas knows, and what it calls their type.
fn pandas_time(values: &Values) -> Result<(Values, String)> {
    let Some(unit) = time::unit_of(values.dtype()) else {
        return Err(Error::invalid("expected a type of time"));
    };
    if matches!(values.dtype(), DType::TimeDelta(_)) {
        return Ok((time::in_unit(values, time::NANOSECOND)?, "timedelta64".to_owned()));
    }
    let is_known = unit.count == 1
        && matches!(
            unit.base,
            TimeBase::Second | TimeBase::Millisecond | TimeBase::Microsecond | TimeBase::Nanosecond
        );
    let unit = if is_known { unit } else { time::SECOND };
    let values = time::in_unit(values, unit)?;
    Ok((values, format!("datetime64[{}]", unit.base.name())))
}

/// Text as UTF-8 in fields of one length.
fn utf8_items(values: &Values) -> Result<(DType, Vec<u8>)> {
    let texts: Vec<String> =
        (0..values.len()).map(|at| values.text_at(at)).collect::<Result<_>>()?;
    let len_bytes = texts.iter().map(String::len).max().unwrap_or(0).max(1);
    let mut items = vec![0; len_bytes * texts.len()];
    for (text, place) in texts.iter().zip(items.chunks_exact_mut(len_bytes)) {
        place[..text.len()].copy_from_slice(text.as_bytes());
    }
    let dtype = DType::FixedString(FixedString {
        len_bytes,
        charset: stook_core::dtype::Charset::Ascii,
        padding: stook_core::dtype::Padding::Null,
    });
    Ok((dtype, items))
}
