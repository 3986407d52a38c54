//! Python's and larray's objects as a pickle has them, to and from those of this crate.

use std::sync::Arc;

use stook::pickle::{Class, DateTime, Descr, Node, NodeId, Object, Pickle, PickledArray};
use stook_core::codec::Endian;
use stook_core::dtype::{Charset, FixedString, Padding, TimeBase, TimeUnit};
use stook_core::{DType, Error, Result, SharedBytes, Values};

use crate::label::{Label, LabelRef};
use crate::labels::Labels;
use crate::metadata::Metadata;
use crate::scalar::{Date, Scalar, Time};

/// larray's metadata: a dictionary.
pub(crate) const METADATA: Class = Class { module: "larray.core.metadata", name: "Metadata" };

/// What an object of `node` is, for a message.
pub(crate) fn unexpected(expected: &str, node: &Node) -> Error {
    Error::unsupported(format!("expected {expected}, found a {}", node.type_name()))
}

fn date(at: &DateTime) -> Date {
    Date { year: at.year, month: at.month, day: at.day }
}

fn moment(date: Date, time: Time) -> DateTime {
    let Date { year, month, day } = date;
    DateTime { year, month, day, microsecond_of_day: time.0 }
}

/// The value at `id`.
pub(crate) fn scalar(pickle: &Pickle, id: NodeId) -> Result<Scalar> {
    let node = pickle.node(id)?;
    Ok(match node {
        Node::None => Scalar::None,
        Node::Bool(value) => Scalar::Bool(*value),
        Node::Int(value) => Scalar::Int(*value),
        Node::Float(value) => Scalar::Float(*value),
        Node::Complex(re, im) => Scalar::Complex(*re, *im),
        Node::Text(text) => Scalar::Text(text.as_str().into()),
        Node::ByteText(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Scalar::Text(text.into()),
            Err(_) => Scalar::Bytes(bytes.as_slice().into()),
        },
        Node::Bytes(bytes) => Scalar::Bytes(bytes.as_slice().into()),
        Node::StoredBytes(stored) => Scalar::Bytes(stored.read()?.into()),
        Node::Date(at) => Scalar::Date(date(at)),
        Node::Time(micros) => Scalar::Time(Time(*micros)),
        Node::DateTime(at) => Scalar::DateTime(date(at), Time(at.microsecond_of_day)),
        Node::TimeDelta(micros) => Scalar::TimeDelta(*micros),
        Node::Scalar(array) => Scalar::Typed(Arc::new(array.to_values()?)),
        other => return Err(unexpected("a value", other)),
    })
}

/// Adds a value.
pub(crate) fn add_scalar(pickle: &mut Pickle, scalar: &Scalar) -> Result<NodeId> {
    let node = match scalar {
        Scalar::None => Node::None,
        Scalar::Bool(value) => Node::Bool(*value),
        Scalar::Int(value) => Node::Int(*value),
        Scalar::Float(value) => Node::Float(*value),
        Scalar::Complex(re, im) => Node::Complex(*re, *im),
        Scalar::Text(text) => Node::Text((**text).to_owned()),
        Scalar::Bytes(bytes) => Node::Bytes(bytes.to_vec()),
        Scalar::Date(date) => Node::Date(moment(*date, Time(0))),
        Scalar::Time(time) => Node::Time(time.0),
        Scalar::DateTime(date, time) => Node::DateTime(moment(*date, *time)),
        Scalar::TimeDelta(micros) => Node::TimeDelta(*micros),
        Scalar::Typed(values) => Node::Scalar(Arc::new(pickled(values)?)),
    };
    pickle.add(node)
}

/// The label at `id`.
pub(crate) fn label(pickle: &Pickle, id: NodeId) -> Result<Label> {
    Ok(match scalar(pickle, id)? {
        Scalar::None => Label::None,
        Scalar::Bool(value) => Label::Bool(value),
        Scalar::Int(value) => match (i64::try_from(value), u64::try_from(value)) {
            (Ok(value), _) => Label::Int(value),
            (_, Ok(value)) => Label::from(value),
            _ => return Err(Error::unsupported(format!("the label {value} has over 64 bits"))),
        },
        Scalar::Float(value) => Label::Float(value),
        Scalar::Text(text) => Label::Str(text),
        Scalar::Bytes(bytes) => Label::Bytes(bytes),
        Scalar::Date(date) => Label::Date(date.to_days()),
        Scalar::DateTime(date, time) => {
            let micros = date.to_days() * 86_400_000_000 + i64::try_from(time.0).unwrap_or(0);
            Label::DateTime(micros, TimeUnit { base: TimeBase::Microsecond, count: 1 })
        }
        Scalar::TimeDelta(micros) => {
            let micros = i64::try_from(micros)
                .map_err(|_| Error::unsupported(format!("a span of {micros} µs as a label")))?;
            Label::TimeDelta(micros, TimeUnit { base: TimeBase::Microsecond, count: 1 })
        }
        Scalar::Typed(values) => {
            let flat = (*values).clone().reshaped(vec![1])?;
            Labels::from_values(flat)?.get(0).unwrap_or(Label::None)
        }
        other => return Err(Error::unsupported(format!("a {} as a label", other.type_name()))),
    })
}

/// Adds a label.
pub(crate) fn add_label(pickle: &mut Pickle, label: &Label) -> Result<NodeId> {
    let node = match label {
        Label::None => Node::None,
        Label::Bool(value) => Node::Bool(*value),
        Label::Int(value) => Node::Int((*value).into()),
        Label::UInt(value) => Node::Int((*value).into()),
        Label::Float(value) => Node::Float(*value),
        Label::Str(text) => Node::Text((**text).to_owned()),
        Label::Bytes(bytes) => Node::Bytes(bytes.to_vec()),
        Label::Date(days) => match Date::from_days(*days) {
            Some(date) => Node::Date(moment(date, Time(0))),
            None => time_scalar(*days, day_unit(), true)?,
        },
        Label::DateTime(ticks, unit) => time_scalar(*ticks, *unit, true)?,
        Label::TimeDelta(ticks, unit) => time_scalar(*ticks, *unit, false)?,
    };
    pickle.add(node)
}

fn day_unit() -> TimeUnit {
    TimeUnit { base: TimeBase::Day, count: 1 }
}

fn time_scalar(ticks: i64, unit: TimeUnit, is_moment: bool) -> Result<Node> {
    let dtype = if is_moment { DType::DateTime(unit) } else { DType::TimeDelta(unit) };
    let items = stook_core::element::as_bytes(&[ticks]).to_vec();
    let values = Values::new(dtype, Vec::new(), items, Vec::new())?;
    Ok(Node::Scalar(Arc::new(pickled(&values)?)))
}

/// The labels in the array or list at `id`.
pub(crate) fn labels(pickle: &Pickle, id: NodeId) -> Result<Labels> {
    match pickle.node(id)? {
        Node::Array(array) if array.is_object() => {
            labels_of(pickle, &array.objects, array.shape.len())
        }
        Node::Array(array) => Labels::from_values(array.to_values()?),
        Node::List(items) | Node::Tuple(items) => {
            let labels = items.iter().map(|id| label(pickle, *id)).collect::<Result<_>>()?;
            Ok(Labels::from_labels(labels))
        }
        other => Err(unexpected("an array of labels", other)),
    }
}

fn labels_of(pickle: &Pickle, objects: &[NodeId], n_axes: usize) -> Result<Labels> {
    if n_axes != 1 {
        return Err(Error::corrupt(format!("expected labels of one axis, found {n_axes} axes")));
    }
    let labels = objects.iter().map(|id| label(pickle, *id)).collect::<Result<_>>()?;
    Ok(Labels::mixed(labels))
}

/// Adds labels as an array: of their type, or of objects.
pub(crate) fn add_labels(pickle: &mut Pickle, labels: &Labels) -> Result<NodeId> {
    if let Some(values) = labels.to_values()? {
        return add_values(pickle, &values);
    }
    let objects = labels.iter().map(|label| add_label(pickle, &label)).collect::<Result<_>>()?;
    let array = PickledArray::of_objects(vec![labels.len() as u64], false, objects)?;
    pickle.add(Node::Array(Arc::new(array)))
}

/// The elements of the array at `id`. An array of objects has to be of texts alone.
pub(crate) fn values(pickle: &Pickle, id: NodeId) -> Result<Values> {
    let array = match pickle.node(id)? {
        Node::Array(array) | Node::Scalar(array) => array,
        other => return Err(unexpected("an array", other)),
    };
    if !array.is_object() {
        return array.to_values();
    }
    let mut texts = Vec::with_capacity(array.objects.len());
    for id in &array.objects {
        let node = pickle.node(*id)?;
        let text = node.as_text().ok_or_else(|| {
            let found = node.type_name();
            Error::unsupported(format!("elements that are objects: expected text, found a {found}"))
        })?;
        texts.push(text);
    }
    if array.is_fortran && array.shape.len() > 1 {
        let order = fortran_order(&array.shape);
        texts = order.iter().filter_map(|&at| texts.get(at).copied()).collect();
    }
    Values::from_strings(array.shape.clone(), &texts)
}

/// Where each element in C order lies in Fortran order.
fn fortran_order(shape: &[u64]) -> Vec<usize> {
    let lengths: Vec<usize> =
        shape.iter().map(|&len| usize::try_from(len).unwrap_or(usize::MAX)).collect();
    let mut order = vec![0];
    let mut stride = 1;
    for &len in &lengths {
        order = order.iter().flat_map(|&at| (0..len).map(move |i| at + i * stride)).collect();
        stride *= len;
    }
    order
}

/// Adds elements as an array; texts of varying length are objects.
pub(crate) fn add_values(pickle: &mut Pickle, values: &Arc<Values>) -> Result<NodeId> {
    if !values.dtype().has_heap() {
        let lent = SharedBytes::lent(Arc::<Values>::clone(values));
        let array = pickled_of(values, lent)?;
        return pickle.add(Node::Array(Arc::new(array)));
    }
    let objects = (0..values.len())
        .map(|at| pickle.add(Node::Text(values.text_at(at)?)))
        .collect::<Result<_>>()?;
    let array = PickledArray::of_objects(values.shape().to_vec(), false, objects)?;
    pickle.add(Node::Array(Arc::new(array)))
}

/// Adds texts as an array of objects.
pub(crate) fn add_texts(pickle: &mut Pickle, values: &Values, shape: Vec<u64>) -> Result<NodeId> {
    let objects = (0..values.len())
        .map(|at| pickle.add(Node::Text(values.text_at(at)?)))
        .collect::<Result<_>>()?;
    pickle.add(Node::Array(Arc::new(PickledArray::of_objects(shape, false, objects)?)))
}

/// Items as numpy has them.
fn pickled(values: &Values) -> Result<PickledArray> {
    pickled_of(values, values.items().to_vec().into())
}

/// The same of values with these items.
fn pickled_of(values: &Values, items: SharedBytes) -> Result<PickledArray> {
    let dtype = match values.dtype() {
        // numpy knows neither character set nor padding.
        DType::FixedString(text) => DType::FixedString(FixedString {
            len_bytes: text.len_bytes,
            charset: Charset::Ascii,
            padding: Padding::Null,
        }),
        DType::Bitfield(1) => DType::Bool,
        other => other.clone(),
    };
    let descr = Arc::new(Descr::Plain { dtype, endian: Endian::NATIVE });
    PickledArray::of_bytes(descr, values.shape().to_vec(), false, items)
}

/// What the dictionary, or object of larray's class, at `id` says.
pub(crate) fn metadata(pickle: &Pickle, id: NodeId) -> Result<Metadata> {
    let pairs = match pickle.node(id)? {
        Node::None => return Ok(Metadata::new()),
        Node::Dict(pairs) | Node::OrderedDict(pairs) => pairs,
        Node::Object(object) if object.class == METADATA => &object.items,
        other => return Err(unexpected("metadata", other)),
    };
    let mut metadata = Metadata::new();
    for (key, value) in pairs {
        let key = pickle.node(*key)?;
        let name = key.as_text().ok_or_else(|| unexpected("a name", key))?;
        metadata.set(name, scalar(pickle, *value)?);
    }
    Ok(metadata)
}

/// Adds metadata as an object of larray's class.
pub(crate) fn add_metadata(pickle: &mut Pickle, metadata: &Metadata) -> Result<NodeId> {
    let mut object = Object::new(METADATA);
    for (name, value) in metadata.iter() {
        let key = pickle.add(Node::Text(name.to_owned()))?;
        object.items.push((key, add_scalar(pickle, value)?));
    }
    pickle.add(Node::Object(Box::new(object)))
}

/// Adds objects as an array of one axis.
pub(crate) fn add_objects(pickle: &mut Pickle, objects: Vec<NodeId>) -> Result<NodeId> {
    let shape = vec![objects.len() as u64];
    pickle.add(Node::Array(Arc::new(PickledArray::of_objects(shape, false, objects)?)))
}

/// Adds bytes of fixed length as an array of objects.
pub(crate) fn add_bytes(pickle: &mut Pickle, values: &Values, shape: Vec<u64>) -> Result<NodeId> {
    let trimmed = |at: usize| {
        let item = values.item(at).unwrap_or_default();
        let len = item.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1);
        item.get(..len).unwrap_or_default().to_vec()
    };
    let objects =
        (0..values.len()).map(|at| pickle.add(Node::Bytes(trimmed(at)))).collect::<Result<_>>()?;
    pickle.add(Node::Array(Arc::new(PickledArray::of_objects(shape, false, objects)?)))
}

/// Numbers as floats of 64 bits.
pub(crate) fn to_floats(values: &Values) -> Result<Values> {
    let flat = values.clone().reshaped(vec![values.len() as u64])?;
    let labels = Labels::from_values(flat)?;
    let floats = labels.iter_refs().map(|label| match label {
        #[expect(clippy::cast_precision_loss, reason = "as numpy does")]
        LabelRef::Int(value) => Ok(value as f64),
        #[expect(clippy::cast_precision_loss, reason = "as numpy does")]
        LabelRef::UInt(value) => Ok(value as f64),
        LabelRef::Bool(value) => Ok(f64::from(u8::from(value))),
        LabelRef::Float(value) => Ok(value),
        _ => Err(Error::unsupported(format!("{} with missing elements", values.dtype()))),
    });
    let floats = floats.collect::<Result<Vec<f64>>>()?;
    let items = stook_core::element::as_bytes(&floats).to_vec();
    Values::new(DType::Float64, values.shape().to_vec(), items, Vec::new())
}
