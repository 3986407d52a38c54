//! What a format cannot say, as JSON: types, labels and keys by name.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use stook_core::dtype::{TimeBase, TimeUnit};
use stook_core::{DType, Error, Result, Values};

use crate::axis::{Axis, AxisName};
use crate::group::{Bounds, GroupKey, LabelKey, PositionKey};
use crate::label::Label;
use crate::labels::Labels;
use crate::store::time;

/// The type of elements or labels that a layout changes, by its name here; `None` for those that it
/// keeps.
pub(crate) fn dtype_name(dtype: &DType) -> String {
    match dtype {
        DType::DateTime(unit) => format!("M8[{}{}]", count(*unit), unit.base.name()),
        DType::TimeDelta(unit) => format!("m8[{}{}]", count(*unit), unit.base.name()),
        DType::Unicode(n_chars) => format!("U{n_chars}"),
        DType::FixedString(text) => format!("S{}", text.len_bytes),
        DType::String(_) => "text".to_owned(),
        other => other.to_string(),
    }
}

fn count(unit: TimeUnit) -> String {
    if unit.count == 1 { String::new() } else { unit.count.to_string() }
}

/// The type of that name.
pub(crate) fn parse_dtype(name: &str) -> Result<DType> {
    let unknown = || Error::corrupt(format!("`{}` is no type", name.escape_default()));
    let unit = |text: &str| {
        let text = text.strip_suffix(']')?;
        let n_digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, base) = text.split_at_checked(n_digits)?;
        let count = if digits.is_empty() { 1 } else { digits.parse().ok()? };
        Some(TimeUnit { base: TimeBase::from_name(base)?, count })
    };
    if let Some(rest) = name.strip_prefix("M8[") {
        return unit(rest).map(DType::DateTime).ok_or_else(unknown);
    }
    if let Some(rest) = name.strip_prefix("m8[") {
        return unit(rest).map(DType::TimeDelta).ok_or_else(unknown);
    }
    match name {
        "text" => Ok(DType::string()),
        _ => name.parse().map_err(|_| unknown()),
    }
}

/// A label, typed where JSON is not.
pub(crate) fn label_to_json(label: &Label) -> Value {
    let typed = |kind: &str, value: Value| json!({ kind: value });
    match label {
        Label::None => Value::Null,
        Label::Bool(value) => json!(value),
        Label::Int(value) => json!(value),
        Label::UInt(value) => json!(value),
        Label::Float(value) if value.is_finite() => typed("float", json!(value)),
        Label::Float(value) => typed("float", json!(label_text(*value))),
        Label::Str(text) => json!(&**text),
        Label::Bytes(bytes) => typed("bytes", json!(hex(bytes))),
        Label::Date(days) => typed("date", json!(days)),
        Label::DateTime(ticks, unit) => {
            json!({ "time": ticks, "type": dtype_name(&DType::DateTime(*unit)) })
        }
        Label::TimeDelta(ticks, unit) => {
            json!({ "time": ticks, "type": dtype_name(&DType::TimeDelta(*unit)) })
        }
    }
}

fn label_text(value: f64) -> &'static str {
    if value.is_nan() {
        "nan"
    } else if value > 0.0 {
        "inf"
    } else {
        "-inf"
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

pub(crate) fn label_from_json(value: &Value) -> Result<Label> {
    let unknown = || Error::corrupt(format!("{value} is no label"));
    Ok(match value {
        Value::Null => Label::None,
        Value::Bool(value) => Label::Bool(*value),
        Value::String(text) => Label::from(text.as_str()),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => Label::Int(value),
            (_, Some(value)) => Label::from(value),
            _ => return Err(unknown()),
        },
        Value::Object(parts) => typed_label(parts).ok_or_else(unknown)?,
        Value::Array(_) => return Err(unknown()),
    })
}

fn typed_label(parts: &Map<String, Value>) -> Option<Label> {
    if let Some(value) = parts.get("float") {
        return Some(Label::Float(match value.as_str() {
            Some(text) => text.parse().ok()?,
            None => value.as_f64()?,
        }));
    }
    if let Some(text) = parts.get("bytes").and_then(Value::as_str) {
        return Some(Label::from(unhex(text)?.as_slice()));
    }
    if let Some(days) = parts.get("date").and_then(Value::as_i64) {
        return Some(Label::Date(days));
    }
    let ticks = parts.get("time")?.as_i64()?;
    match parse_dtype(parts.get("type")?.as_str()?).ok()? {
        DType::DateTime(unit) => Some(Label::DateTime(ticks, unit)),
        DType::TimeDelta(unit) => Some(Label::TimeDelta(ticks, unit)),
        _ => None,
    }
}

/// The key of a group.
pub(crate) fn key_to_json(key: &GroupKey) -> Value {
    match key {
        GroupKey::Labels(LabelKey::Scalar(label)) => json!({ "label": label_to_json(label) }),
        GroupKey::Labels(LabelKey::Slice(bounds)) => {
            let bound = |label: &Option<Label>| {
                label.as_ref().map_or_else(|| json!([]), |label| json!([label_to_json(label)]))
            };
            json!({ "from": bound(&bounds.start), "to": bound(&bounds.stop), "step": bounds.step })
        }
        GroupKey::Labels(LabelKey::List(labels)) => {
            let list: Vec<Value> = labels.iter().map(|label| label_to_json(&label)).collect();
            let dtype = labels.dtype().map(|dtype| dtype_name(&dtype));
            json!({ "labels": list, "type": dtype })
        }
        GroupKey::Positions(PositionKey::At(at)) => json!({ "position": at }),
        GroupKey::Positions(PositionKey::Slice(bounds)) => {
            json!({ "start": bounds.start, "stop": bounds.stop, "step": bounds.step })
        }
        GroupKey::Positions(PositionKey::List(list)) => json!({ "positions": list }),
    }
}

/// # Errors
/// `Corrupt` if `value` is no key.
pub(crate) fn key_from_json(value: &Value) -> Result<GroupKey> {
    let unknown = || Error::corrupt(format!("{value} is no key of a group"));
    let step = value.get("step").and_then(Value::as_i64);
    if let Some(label) = value.get("label") {
        return Ok(GroupKey::Labels(LabelKey::Scalar(label_from_json(label)?)));
    }
    if let Some(list) = value.get("labels").and_then(Value::as_array) {
        let labels = list.iter().map(label_from_json).collect::<Result<Vec<_>>>()?;
        let is_mixed = value.get("type").is_none_or(Value::is_null);
        let labels = if is_mixed { Labels::mixed(labels) } else { Labels::from_labels(labels) };
        return Ok(GroupKey::Labels(LabelKey::List(labels)));
    }
    if let (Some(from), Some(to)) = (value.get("from"), value.get("to")) {
        let bound = |value: &Value| value.get(0).map(label_from_json).transpose();
        let bounds = Bounds { start: bound(from)?, stop: bound(to)?, step };
        return Ok(GroupKey::Labels(LabelKey::Slice(bounds)));
    }
    if let Some(at) = value.get("position").and_then(Value::as_i64) {
        return Ok(GroupKey::Positions(PositionKey::At(at)));
    }
    if let Some(list) = value.get("positions").and_then(Value::as_array) {
        let list: Option<Vec<i64>> = list.iter().map(Value::as_i64).collect();
        return Ok(GroupKey::Positions(PositionKey::List(list.ok_or_else(unknown)?)));
    }
    if value.get("start").is_some() && value.get("stop").is_some() {
        let bound = |name: &str| value.get(name).and_then(Value::as_i64);
        let bounds = Bounds { start: bound("start"), stop: bound("stop"), step };
        return Ok(GroupKey::Positions(PositionKey::Slice(bounds)));
    }
    Err(unknown())
}

/// The same values as items of `dtype`, which a format had to change.
///
/// # Errors
/// `Corrupt` if they cannot have been of that type, `Unsupported` if that loses something.
pub(crate) fn retype(values: Values, dtype: &DType) -> Result<Values> {
    if values.dtype() == dtype {
        return Ok(values);
    }
    match dtype {
        DType::DateTime(unit) | DType::TimeDelta(unit)
            if time::unit_of(values.dtype()).is_some() =>
        {
            time::in_unit(&values, *unit)
        }
        DType::Unicode(n_chars) => {
            let mut items = Vec::with_capacity(values.len().saturating_mul(n_chars * 4));
            for at in 0..values.len() {
                let text = values.text_at(at)?;
                let end = items.len() + n_chars * 4;
                text.chars().for_each(|c| items.extend_from_slice(code(c).as_slice()));
                if items.len() > end {
                    return Err(Error::corrupt(format!("`{text}` has over {n_chars} characters")));
                }
                items.resize(end, 0);
            }
            Values::new(dtype.clone(), values.shape().to_vec(), items, Vec::new())
        }
        DType::String(_) => {
            let texts =
                (0..values.len()).map(|at| values.text_at(at)).collect::<Result<Vec<_>>>()?;
            Values::from_strings(values.shape().to_vec(), &texts)
        }
        _ if values.is_empty() => {
            Values::new(dtype.clone(), values.shape().to_vec(), Vec::new(), Vec::new())
        }
        DType::FixedString(to) if matches!(values.dtype(), DType::FixedString(_)) => {
            let size = values.dtype().item_size();
            let mut items = Vec::with_capacity(values.len().saturating_mul(to.len_bytes));
            for item in values.items().chunks_exact(size.max(1)) {
                let end = items.len() + to.len_bytes;
                items.extend_from_slice(item.get(..to.len_bytes).unwrap_or(item));
                items.resize(end, 0);
            }
            Values::new(dtype.clone(), values.shape().to_vec(), items, Vec::new())
        }
        _ => {
            let found = values.dtype();
            Err(Error::corrupt(format!("expected values that were {dtype}, found {found}")))
        }
    }
}

#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn code(c: char) -> [u8; 4] {
    u32::from(c).to_ne_bytes()
}

/// The same labels in `dtype`.
///
/// # Errors
/// Those of [`retype`].
pub(crate) fn retype_labels(labels: &Labels, dtype: &DType) -> Result<Labels> {
    match labels.to_values()? {
        Some(values) => Labels::from_values(retype(Arc::unwrap_or_clone(values), dtype)?),
        None => {
            let typed = Labels::from_labels(labels.iter().collect());
            match typed.to_values()? {
                Some(values) => Labels::from_values(retype(Arc::unwrap_or_clone(values), dtype)?),
                None => Err(Error::corrupt(format!("expected labels that were {dtype}"))),
            }
        }
    }
}

/// What is noted of an axis whose labels come back as `usual`, if anything has to be.
pub(crate) fn axis_note(axis: &Axis) -> Result<Option<Value>> {
    let mut note = Map::new();
    if axis.is_wildcard() {
        note.insert("wildcard".to_owned(), json!(true));
    } else if let Some(dtype) = axis.labels().dtype() {
        let is_kept = match &dtype {
            DType::Unicode(_) | DType::String(_) | DType::FixedString(_) => {
                Labels::from_labels(axis.labels().iter().collect()).dtype().as_ref() == Some(&dtype)
                    && matches!(dtype, DType::Unicode(_))
            }
            DType::DateTime(_) | DType::TimeDelta(_) => false,
            _ => true,
        };
        if !is_kept || axis.is_empty() {
            note.insert("dtype".to_owned(), json!(dtype_name(&dtype)));
        }
    } else if axis.is_empty()
        || Labels::from_labels(axis.labels().iter().collect()).dtype().is_some()
    {
        // Labels of any type that happen to be of one.
        note.insert("mixed".to_owned(), json!(true));
    }
    if let Some(AxisName::Int(number)) = axis.name() {
        note.insert("name".to_owned(), json!(number));
    }
    Ok((!note.is_empty()).then_some(Value::Object(note)))
}

/// The axis that `note` was made of, of what came back of it.
///
/// # Errors
/// Those of [`retype`].
pub(crate) fn noted_axis(axis: Axis, note: Option<&Value>) -> Result<Axis> {
    let Some(note) = note.filter(|note| !note.is_null()) else { return Ok(axis) };
    let mut axis = axis;
    if let Some(number) = note.get("name").and_then(Value::as_i64) {
        axis = axis.renamed(Some(number));
    }
    if note.get("wildcard") == Some(&Value::Bool(true)) {
        return Ok(axis.ignore_labels());
    }
    if note.get("mixed") == Some(&Value::Bool(true)) {
        return Ok(axis.with_labels(Labels::mixed(axis.labels().iter().collect())));
    }
    match note.get("dtype").and_then(Value::as_str) {
        Some(name) => Ok(axis.with_labels(retype_labels(axis.labels(), &parse_dtype(name)?)?)),
        None => Ok(axis),
    }
}
