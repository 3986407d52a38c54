//! What csv and Excel cannot say, in a JSON file beside them: the order of objects; of arrays the
//! axes, the type and metadata; axes, groups and values as a whole; metadata with types.

use std::path::Path;

use serde_json::{Map, Value, json};
use stook_core::file::place::kind_of;
use stook_core::{Error, Limits, Result};

use super::kept;
use crate::group::Group;
use crate::item::Item;
use crate::metadata::Metadata;
use crate::scalar::{Date, Scalar, Time};
use crate::session::Session;
use crate::{Array, Axis, AxisCollection, AxisName, AxisRef, Label, Labels};

/// The version of the layout of the file.
const VERSION: u64 = 1;

/// What is kept beside the files of a session.
pub(crate) struct Sidecar {
    document: Value,
}

/// The bytes of a file of at most that many.
pub(super) fn bytes(path: &Path, most: u64) -> Result<Vec<u8>> {
    super::csv::read_all(path, most)
}

/// The sidecar at `path`, if there is one.
pub(crate) fn read(path: &Path, limits: &Limits) -> Result<Option<Sidecar>> {
    if kind_of(path)?.is_none() {
        return Ok(None);
    }
    let bytes = bytes(path, limits.metadata_len_bytes)?;
    Sidecar::parse(&bytes).map(Some).map_err(|error| error.at_file(path))
}

impl Sidecar {
    /// Whether an object that is no array is kept as a whole.
    pub(crate) fn holds(item: &Item) -> bool {
        match item {
            Item::Axis(_) | Item::Group(_) => true,
            Item::Scalar(scalar) => scalar_to_json(scalar).is_some(),
            Item::Array(..) | Item::Session(_) => false,
        }
    }

    /// What is to be kept of `items`.
    pub(crate) fn of(items: &[(&str, &Item)], metadata: &Metadata) -> Result<Self> {
        Self::made(items, metadata, &array_to_json)
    }

    /// What is to be kept of `items` that is in no file of its own: of arrays the place among them.
    #[cfg_attr(not(feature = "arrow"), allow(dead_code, reason = "of formats that are left out"))]
    pub(crate) fn of_small(items: &[(&str, &Item)], metadata: &Metadata) -> Result<Self> {
        Self::made(items, metadata, &|_, _| json!({ "array": true }))
    }

    fn made(
        items: &[(&str, &Item)],
        metadata: &Metadata,
        array: &dyn Fn(&Array, &Metadata) -> Value,
    ) -> Result<Self> {
        let mut objects = Vec::new();
        for (name, item) in items {
            let mut object = match item {
                Item::Array(own, metadata) => array(own, metadata),
                Item::Axis(axis) => json!({ "axis": axis_to_json(axis) }),
                Item::Group(group) => json!({ "group": group_to_json(group) }),
                Item::Scalar(scalar) => json!({ "value": scalar_to_json(scalar) }),
                Item::Session(_) => continue,
            };
            object["name"] = json!(name);
            objects.push(object);
        }
        let metadata = metadata_to_json(metadata);
        let document = json!({ "stook": VERSION, "metadata": metadata, "items": objects });
        Ok(Self { document })
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let bytes = serde_json::to_vec_pretty(&self.document);
        bytes.map_err(|error| Error::invalid("no JSON").with_source(error))
    }

    pub(crate) fn to_json(&self) -> Value {
        self.document.clone()
    }

    /// Notes which file it is beside, by its checksum.
    pub(crate) fn made_for(mut self, crc: u32) -> Self {
        self.document["crc32c"] = json!(crc);
        self
    }

    /// Whether it is beside the file of that checksum.
    pub(crate) fn is_of(&self, crc: u32) -> bool {
        self.document.get("crc32c").and_then(Value::as_u64) == Some(crc.into())
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let document: Value = serde_json::from_slice(bytes)
            .map_err(|error| Error::corrupt("no JSON").with_source(error))?;
        Self::from_json(document)
    }

    pub(crate) fn from_json(document: Value) -> Result<Self> {
        match document.get("stook").and_then(Value::as_u64) {
            Some(VERSION) => Ok(Self { document }),
            Some(other) => Err(Error::unsupported(format!("version {other} of what is kept"))),
            None => Err(Error::corrupt("expected what stook keeps of a session")),
        }
    }

    /// The objects in order, those of `loaded` with the axes and types that they had. An array
    /// whose file no longer fits stays as it was loaded.
    pub(crate) fn applied(&self, loaded: Session, names: Option<&[String]>) -> Result<Session> {
        let malformed = || Error::corrupt("what is kept of a session is malformed");
        let mut session = Session::new();
        let items = self.document.get("items").and_then(Value::as_array).ok_or_else(malformed)?;
        for object in items {
            let name = object.get("name").and_then(Value::as_str).ok_or_else(malformed)?;
            if names.is_some_and(|names| names.iter().all(|wanted| wanted != name)) {
                continue;
            }
            let item = match (object.get("axes"), loaded.get(name)) {
                (Some(_), Some(Item::Array(array, _))) => array_from_json(array, object)?,
                (Some(_), _) => continue,
                _ => small(object)?,
            };
            session.insert(name, item);
        }
        for (name, item) in loaded.iter() {
            if !session.contains(name) {
                session.insert(name, item.clone());
            }
        }
        let metadata = self.document.get("metadata").ok_or_else(malformed)?;
        Ok(session.with_metadata(metadata_from_json(metadata)?))
    }

    /// The axes and the type that are kept of the array called `name`.
    pub(crate) fn array(&self, name: &str) -> Option<(AxisCollection, stook_core::DType)> {
        let (_, object) = self.objects().into_iter().find(|(own, _)| *own == name)?;
        let dtype = object.get("dtype").and_then(Value::as_str)?;
        Some((axes_of(object).ok()?, kept::parse_dtype(dtype).ok()?))
    }

    /// What is kept of each object: its name and itself.
    pub(crate) fn objects(&self) -> Vec<(&str, &Value)> {
        let items = self.document.get("items").and_then(Value::as_array);
        let named = items.into_iter().flatten();
        named.filter_map(|object| Some((object.get("name")?.as_str()?, object))).collect()
    }

    pub(crate) fn metadata(&self) -> Result<Metadata> {
        self.document.get("metadata").map_or_else(|| Ok(Metadata::new()), metadata_from_json)
    }
}

/// An axis, a group or a value.
pub(crate) fn small(object: &Value) -> Result<Item> {
    if let Some(axis) = object.get("axis") {
        return axis_from_json(axis).map(Item::Axis);
    }
    if let Some(group) = object.get("group") {
        return group_from_json(group).map(Item::Group);
    }
    let value = object.get("value").ok_or_else(|| Error::corrupt("an object of no kind"))?;
    scalar_from_json(value).map(Item::Scalar)
}

fn array_to_json(array: &Array, metadata: &Metadata) -> Value {
    let axes: Vec<Value> = array.axes().iter().map(axis_to_json).collect();
    json!({
        "axes": axes,
        "dtype": kept::dtype_name(array.dtype()),
        "metadata": metadata_to_json(metadata),
    })
}

/// What is kept of an array in the file of its elements.
#[cfg(feature = "arrow")]
pub(crate) fn note_of(array: &Array, metadata: &Metadata) -> Value {
    let mut note = array_to_json(array, metadata);
    note["stook"] = json!(VERSION);
    note
}

/// What is kept in such a note.
///
/// # Errors
/// `Corrupt`, `Unsupported` for another version.
#[cfg(feature = "arrow")]
pub(crate) fn parse_note(text: &str) -> Result<Value> {
    Sidecar::parse(text.as_bytes()).map(|kept| kept.document)
}

/// The axes of an array.
pub(crate) fn axes_of(object: &Value) -> Result<AxisCollection> {
    let axes = object.get("axes").and_then(Value::as_array);
    let axes = axes.ok_or_else(|| Error::corrupt("an array without axes"))?;
    axes.iter().map(axis_from_json).collect()
}

/// What an array says about itself.
pub(crate) fn metadata_of(object: &Value) -> Result<Metadata> {
    object.get("metadata").map_or_else(|| Ok(Metadata::new()), metadata_from_json)
}

fn array_from_json(array: &Array, object: &Value) -> Result<Item> {
    let axes = axes_of(object)?;
    let metadata = metadata_of(object)?;
    let values = (**array.data()).clone();
    let name = object.get("dtype").and_then(Value::as_str).unwrap_or_default();
    let shape: Vec<u64> = axes.shape().iter().map(|&len| len as u64).collect();
    let n_elements = axes.n_elements();
    if n_elements != Some(values.len()) {
        return Ok(Item::Array(array.clone(), metadata));
    }
    let values = recast(values.reshaped(shape)?, &kept::parse_dtype(name)?)?;
    Ok(Item::Array(Array::new(axes, values)?, metadata))
}

/// Values that were read from text in the type that they had.
pub(crate) fn recast(
    values: stook_core::Values,
    dtype: &stook_core::DType,
) -> Result<stook_core::Values> {
    use stook_core::{DType, Values};
    if values.dtype() == dtype {
        return Ok(values);
    }
    let is_number = |dtype: &DType| {
        crate::store::is_integer(dtype)
            || matches!(dtype, DType::Float16 | DType::Float32 | DType::Float64 | DType::Bool)
    };
    if is_number(values.dtype()) && is_number(dtype) {
        return cast_numbers(&values, dtype);
    }
    let texts: Vec<String> = (0..values.len())
        .map(|at| {
            let mut text = String::new();
            super::table::Texts::new(&values).push(at, &mut text).map(|()| text)
        })
        .collect::<Result<_>>()?;
    let shape = values.shape().to_vec();
    match dtype {
        DType::String(_) => Values::from_strings(shape, &texts),
        DType::Unicode(_) => kept::retype(Values::from_strings(shape, &texts)?, dtype),
        DType::DateTime(_) | DType::TimeDelta(_) | DType::FixedString(_) => {
            parsed(&texts, dtype, shape)
        }
        DType::UInt64 => {
            let numbers = texts.iter().map(|text| text.parse::<u64>().ok());
            let numbers = numbers.collect::<Option<Vec<_>>>();
            let numbers = numbers.ok_or_else(|| Error::corrupt("expected whole numbers"))?;
            let items = stook_core::element::as_bytes(&numbers).to_vec();
            Values::new(DType::UInt64, shape, items, Vec::new())
        }
        DType::Complex64 | DType::Complex128 => complex(&texts, dtype, shape),
        other => Err(Error::corrupt(format!("expected {other}, found {}", values.dtype()))),
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "the values were of the type before"
)]
fn cast_numbers(
    values: &stook_core::Values,
    dtype: &stook_core::DType,
) -> Result<stook_core::Values> {
    use stook_core::{DType, Values};
    let flat = values.clone().reshaped(vec![values.len() as u64])?;
    let labels = Labels::from_values(flat)?;
    macro_rules! cast {
        ($type:ty) => {{
            let number = |label: crate::LabelRef<'_>| match label {
                crate::LabelRef::Bool(value) => u8::from(value) as $type,
                crate::LabelRef::Int(value) => value as $type,
                crate::LabelRef::UInt(value) => value as $type,
                crate::LabelRef::Float(value) => value as $type,
                _ => 0 as $type,
            };
            let numbers: Vec<$type> = labels.iter_refs().map(number).collect();
            stook_core::element::as_bytes(&numbers).to_vec()
        }};
    }
    let items = match dtype {
        DType::Int8 => cast!(i8),
        DType::Int16 => cast!(i16),
        DType::Int32 => cast!(i32),
        DType::Int64 => cast!(i64),
        DType::UInt8 => cast!(u8),
        DType::UInt16 => cast!(u16),
        DType::UInt32 => cast!(u32),
        DType::UInt64 => cast!(u64),
        DType::Float32 => cast!(f32),
        DType::Float64 => cast!(f64),
        DType::Bool => labels
            .iter_refs()
            .map(|label| {
                u8::from(!matches!(label, crate::LabelRef::Int(0) | crate::LabelRef::Bool(false)))
            })
            .collect(),
        other => return Err(Error::unsupported(format!("numbers of type {other} in text"))),
    };
    Values::new(dtype.clone(), values.shape().to_vec(), items, Vec::new())
}

/// Points in time, spans and bytes of their text.
fn parsed(
    texts: &[String],
    dtype: &stook_core::DType,
    shape: Vec<u64>,
) -> Result<stook_core::Values> {
    use stook_core::{DType, Values};
    let malformed = |text: &String| Error::corrupt(format!("`{text}` is not of type {dtype}"));
    let mut items = Vec::new();
    for text in texts {
        match dtype {
            DType::DateTime(unit) => {
                let ticks = super::time::parse(text, *unit).ok_or_else(|| malformed(text))?;
                items.extend_from_slice(stook_core::element::as_bytes(&[ticks]));
            }
            DType::TimeDelta(unit) => {
                let digits = text.split(' ').next().unwrap_or_default();
                let ticks = if text.is_empty() {
                    i64::MIN
                } else {
                    let ticks: i64 = digits.parse().map_err(|_| malformed(text))?;
                    ticks / i64::from(unit.count.max(1))
                };
                items.extend_from_slice(stook_core::element::as_bytes(&[ticks]));
            }
            DType::FixedString(to) => {
                let end = items.len() + to.len_bytes;
                items.extend_from_slice(text.as_bytes());
                if items.len() > end {
                    return Err(malformed(text));
                }
                items.resize(end, 0);
            }
            _ => return Err(malformed(text)),
        }
    }
    Values::new(dtype.clone(), shape, items, Vec::new())
}

/// `(1.0+2.0j)`
fn complex(
    texts: &[String],
    dtype: &stook_core::DType,
    shape: Vec<u64>,
) -> Result<stook_core::Values> {
    use stook_core::{DType, Values};
    let mut parts = Vec::new();
    for text in texts {
        let malformed = || Error::corrupt(format!("`{text}` is no complex number"));
        let inner = text.trim_start_matches('(').trim_end_matches([')', 'j']);
        let sign = inner
            .char_indices()
            .skip(1)
            .filter(|(at, c)| "+-".contains(*c) && !inner[..*at].ends_with(['e', 'E']))
            .map(|(at, _)| at)
            .last()
            .ok_or_else(malformed)?;
        let (re, im) = inner.split_at(sign);
        parts.push(re.parse::<f64>().map_err(|_| malformed())?);
        parts.push(im.parse::<f64>().map_err(|_| malformed())?);
    }
    #[allow(clippy::cast_possible_truncation, reason = "the values were of the type before")]
    let items = if *dtype == DType::Complex64 {
        let parts: Vec<f32> = parts.iter().map(|&part| part as f32).collect();
        stook_core::element::as_bytes(&parts).to_vec()
    } else {
        stook_core::element::as_bytes(&parts).to_vec()
    };
    Values::new(dtype.clone(), shape, items, Vec::new())
}

fn name_to_json(name: Option<&AxisName>) -> Value {
    match name {
        None => Value::Null,
        Some(AxisName::Text(name)) => json!(&**name),
        Some(AxisName::Int(number)) => json!(number),
    }
}

fn axis_to_json(axis: &Axis) -> Value {
    let name = name_to_json(axis.name());
    if axis.is_wildcard() {
        return json!({ "name": name, "len": axis.len() });
    }
    let labels: Vec<Value> =
        axis.labels().iter().map(|label| kept::label_to_json(&label)).collect();
    let dtype = axis.labels().dtype().map(|dtype| kept::dtype_name(&dtype));
    json!({ "name": name, "labels": labels, "dtype": dtype })
}

fn axis_from_json(value: &Value) -> Result<Axis> {
    let malformed = || Error::corrupt("an axis is malformed");
    let name = match value.get("name") {
        Some(Value::String(name)) => Some(AxisName::from(name.as_str())),
        Some(Value::Number(number)) => Some(number.as_i64().ok_or_else(malformed)?.into()),
        _ => None,
    };
    if let Some(len) = value.get("len").and_then(Value::as_u64) {
        return Ok(Axis::wildcard(usize::try_from(len).map_err(|_| malformed())?, name));
    }
    let labels = value.get("labels").and_then(Value::as_array).ok_or_else(malformed)?;
    let labels = labels.iter().map(kept::label_from_json).collect::<Result<Vec<Label>>>()?;
    let labels = match value.get("dtype").and_then(Value::as_str) {
        None => Labels::mixed(labels),
        Some(dtype) => {
            let dtype = kept::parse_dtype(dtype)?;
            let usual = Labels::from_labels(labels);
            let typed = if usual.is_empty() { Labels::from_ints(&[]) } else { usual };
            match typed.to_values()? {
                Some(values) => Labels::from_values(recast((*values).clone(), &dtype)?)?,
                None => return Err(malformed()),
            }
        }
    };
    Ok(Axis::new(labels, name))
}

fn group_to_json(group: &Group) -> Value {
    let axis = match group.axis() {
        None => Value::Null,
        Some(AxisRef::Axis(axis)) => axis_to_json(axis),
        Some(AxisRef::Name(name)) => json!(&**name),
        Some(AxisRef::Index(index)) => json!(index),
    };
    let name = group.name().map(kept::label_to_json);
    json!({ "key": kept::key_to_json(group.key()), "name": name, "axis": axis })
}

fn group_from_json(value: &Value) -> Result<Group> {
    let malformed = || Error::corrupt("a group is malformed");
    let key = kept::key_from_json(value.get("key").ok_or_else(malformed)?)?;
    let name = match value.get("name") {
        None | Some(Value::Null) => None,
        Some(name) => Some(kept::label_from_json(name)?),
    };
    let axis = match value.get("axis") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(AxisRef::from(name.as_str())),
        Some(Value::Number(index)) => Some(index.as_i64().ok_or_else(malformed)?.into()),
        Some(axis) => Some(axis_from_json(axis)?.into()),
    };
    Ok(Group::new(key, name, axis))
}

/// A value, typed where JSON is not; `None` for one that is not kept.
fn scalar_to_json(scalar: &Scalar) -> Option<Value> {
    Some(match scalar {
        Scalar::None => Value::Null,
        Scalar::Bool(value) => json!(value),
        Scalar::Int(value) => match i64::try_from(*value) {
            Ok(value) => json!(value),
            Err(_) => json!({ "int": value.to_string() }),
        },
        Scalar::Float(value) => kept::label_to_json(&Label::Float(*value)),
        Scalar::Complex(re, im) => {
            let part = |value: f64| kept::label_to_json(&Label::Float(value));
            json!({ "complex": [part(*re), part(*im)] })
        }
        Scalar::Text(text) => json!(&**text),
        Scalar::Bytes(bytes) => json!({ "bytes": kept::hex(bytes) }),
        Scalar::Date(date) => json!({ "date": date.to_days() }),
        Scalar::Time(time) => json!({ "clock": time.0 }),
        Scalar::DateTime(date, time) => json!({ "moment": [date.to_days(), time.0] }),
        Scalar::TimeDelta(micros) => json!({ "span": micros.to_string() }),
        Scalar::Typed(values) if !values.dtype().has_heap() => {
            let dtype = kept::dtype_name(values.dtype());
            json!({ "items": kept::hex(&little(values)), "dtype": dtype })
        }
        Scalar::Typed(_) => return None,
    })
}

/// The item in little-endian order.
fn little(values: &stook_core::Values) -> Vec<u8> {
    let mut items = values.items().to_vec();
    if cfg!(target_endian = "big") {
        stook_core::codec::swap_items(values.dtype(), &mut items);
    }
    items
}

fn scalar_from_json(value: &Value) -> Result<Scalar> {
    let malformed = || Error::corrupt(format!("{value} is no value"));
    let Value::Object(parts) = value else {
        return Ok(match kept::label_from_json(value)? {
            Label::Bool(value) => Scalar::Bool(value),
            Label::Int(value) => Scalar::Int(value.into()),
            Label::UInt(value) => Scalar::Int(value.into()),
            Label::Str(text) => Scalar::Text(text),
            _ => Scalar::None,
        });
    };
    typed_scalar(parts).ok_or_else(malformed)
}

fn typed_scalar(parts: &Map<String, Value>) -> Option<Scalar> {
    let text = |name: &str| parts.get(name).and_then(Value::as_str);
    let float = |value: &Value| match kept::label_from_json(value) {
        Ok(Label::Float(value)) => Some(value),
        _ => None,
    };
    if parts.contains_key("float") {
        return float(&Value::Object(parts.clone())).map(Scalar::Float);
    }
    if let Some(digits) = text("int") {
        return digits.parse().ok().map(Scalar::Int);
    }
    if let Some(pair) = parts.get("complex") {
        return Some(Scalar::Complex(float(pair.get(0)?)?, float(pair.get(1)?)?));
    }
    if let Some(bytes) = text("bytes") {
        return Some(Scalar::Bytes(kept::unhex(bytes)?.into()));
    }
    if let Some(days) = parts.get("date") {
        return Date::from_days(days.as_i64()?).map(Scalar::Date);
    }
    if let Some(micros) = parts.get("clock") {
        return Some(Scalar::Time(Time(micros.as_u64()?)));
    }
    if let Some(moment) = parts.get("moment") {
        let date = Date::from_days(moment.get(0)?.as_i64()?)?;
        return Some(Scalar::DateTime(date, Time(moment.get(1)?.as_u64()?)));
    }
    if let Some(micros) = text("span") {
        return micros.parse().ok().map(Scalar::TimeDelta);
    }
    let dtype = kept::parse_dtype(text("dtype")?).ok()?;
    let mut items = kept::unhex(text("items")?)?;
    if cfg!(target_endian = "big") {
        stook_core::codec::swap_items(&dtype, &mut items);
    }
    let values = stook_core::Values::new(dtype, Vec::new(), items, Vec::new()).ok()?;
    Some(Scalar::Typed(std::sync::Arc::new(values)))
}

fn metadata_to_json(metadata: &Metadata) -> Value {
    let pairs = metadata.iter().map(|(name, value)| {
        json!([name, scalar_to_json(value).unwrap_or_else(|| json!(value.to_string()))])
    });
    Value::Array(pairs.collect())
}

fn metadata_from_json(value: &Value) -> Result<Metadata> {
    let malformed = || Error::corrupt("metadata is malformed");
    let mut metadata = Metadata::new();
    for pair in value.as_array().ok_or_else(malformed)? {
        let name = pair.get(0).and_then(Value::as_str).ok_or_else(malformed)?;
        metadata.set(name, scalar_from_json(pair.get(1).ok_or_else(malformed)?)?);
    }
    Ok(metadata)
}
