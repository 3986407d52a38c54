//! The stored form of an attribute: `{"module": ..., "type": ..., "data": repr(value)}` as text.

use serde_json::Value as Json;
use stook::pickle::{Node, NodeId, Pickle};
use stook::{AttributeValue, DType, Limits};
use stook_core::{Error, Result};

use crate::literal;
use crate::value::{Date, Time, Value};

/// Types whose `data` is read as a literal; of others the description is the value.
const DECODED: [&str; 11] = [
    "float", "int", "str", "datetime", "date", "time", "tuple", "list", "bool", "bytes", "float64",
];

/// Pickled objects nest so deep at most.
const MAX_DEPTH: usize = 64;

/// The text that stands for `value`.
#[must_use]
pub fn encode(value: &Value) -> String {
    let (module, name) = value.type_name();
    let mut data = String::new();
    repr(value, &mut data);
    describe(module, name, &data)
}

/// The text that stands for a value of type `name`, of which `data` is what Python's `repr` says.
#[must_use]
pub fn describe(module: &str, name: &str, data: &str) -> String {
    let mut text = String::with_capacity(data.len() + 48);
    text.push_str("{\"module\": ");
    json_text(module, &mut text);
    text.push_str(", \"type\": ");
    json_text(name, &mut text);
    text.push_str(", \"data\": ");
    json_text(data, &mut text);
    text.push('}');
    text
}

/// Text as JSON, in ASCII as Python's `json` writes it.
fn json_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

/// What Python's `repr` says of `value`.
fn repr(value: &Value, out: &mut String) {
    match value {
        Value::None | Value::Other(_) => out.push_str("None"),
        Value::Bool(value) => out.push_str(if *value { "True" } else { "False" }),
        Value::Int(number) => out.push_str(&number.to_string()),
        Value::Float(number) => out.push_str(&float(*number)),
        Value::Complex(real, imaginary) => {
            let sign = if imaginary.is_sign_negative() { "" } else { "+" };
            out.push_str(&format!("({}{sign}{}j)", float(*real), float(*imaginary)));
        }
        Value::Text(text) => quote(text, out),
        Value::Bytes(bytes) => {
            out.push_str("b'");
            for byte in bytes {
                match byte {
                    b'\'' | b'\\' => out.extend(['\\', char::from(*byte)]),
                    b' '..=b'~' => out.push(char::from(*byte)),
                    _ => out.push_str(&format!("\\x{byte:02x}")),
                }
            }
            out.push('\'');
        }
        Value::Tuple(items) => {
            list(items, ["(", ")"], out);
            if items.len() == 1 {
                out.insert(out.len() - 1, ',');
            }
        }
        Value::List(items) => list(items, ["[", "]"], out),
        Value::Set(items) if items.is_empty() => out.push_str("set()"),
        Value::Set(items) => list(items, ["{", "}"], out),
        Value::Dict(pairs) => {
            out.push('{');
            for (at, (key, value)) in pairs.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                repr(key, out);
                out.push_str(": ");
                repr(value, out);
            }
            out.push('}');
        }
        Value::Date(Date { year, month, day }) => {
            out.push_str(&format!("datetime.date({year}, {month}, {day})"));
        }
        Value::DateTime(Date { year, month, day }, time) => {
            out.push_str(&format!("datetime.datetime({year}, {month}, {day}, "));
            time_parts(time, out);
        }
        Value::Time(time) => {
            out.push_str("datetime.time(");
            time_parts(time, out);
        }
        Value::TimeDelta(span) => out.push_str(&format!("datetime.timedelta(microseconds={span})")),
        Value::Scalar(name, value) => {
            out.push_str(&format!("np.{name}("));
            repr(value, out);
            out.push(')');
        }
    }
}

fn time_parts(time: &Time, out: &mut String) {
    let Time { hour, minute, second, microsecond, zone, is_second } = time;
    out.push_str(&format!("{hour}, {minute}, {second}, {microsecond}"));
    if *is_second {
        out.push_str(", fold=1");
    }
    if let Some(zone) = zone {
        let zone = format!("datetime.timezone(datetime.timedelta(seconds={zone}))");
        out.push_str(&format!(", tzinfo={zone}"));
    }
    out.push(')');
}

fn list(items: &[Value], [open, close]: [&str; 2], out: &mut String) {
    out.push_str(open);
    for (at, item) in items.iter().enumerate() {
        out.push_str(if at == 0 { "" } else { ", " });
        repr(item, out);
    }
    out.push_str(close);
}

fn float(number: f64) -> String {
    if number.is_nan() { "nan".to_owned() } else { format!("{number:?}") }
}

fn quote(text: &str, out: &mut String) {
    out.push('\'');
    for c in text.chars() {
        match c {
            '\'' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x1f' | '\x7f' => out.push_str(&format!("\\x{:02x}", c as u32)),
            _ => out.push(c),
        }
    }
    out.push('\'');
}

/// The text of a stored attribute, where it is text.
#[must_use]
pub fn text_of(value: &AttributeValue) -> Option<String> {
    match value {
        AttributeValue::Json(Json::String(text)) => Some(text.clone()),
        AttributeValue::Null(DType::FixedString(_) | DType::String(_)) => Some(String::new()),
        AttributeValue::Values(values)
            if values.len() == 1
                && values.shape().is_empty()
                && matches!(values.dtype(), DType::FixedString(_) | DType::String(_)) =>
        {
            values.text_at(0).ok()
        }
        _ => None,
    }
}

/// The value of the attribute `name` that is stored as `value`.
///
/// # Errors
/// `Unsupported` naming what the attribute would run if it were evaluated; `InvalidInput`,
/// `LimitExceeded` for what is no literal; what a pickle may give.
pub fn decode(name: &str, value: AttributeValue) -> Result<Value> {
    let within = |error: Error| error.within(format_args!("attribute `{name}`"));
    if let Some(bytes) = pickled(&value) {
        return of_pickle(bytes).map_err(within);
    }
    let Some(text) = text_of(&value) else { return Ok(Value::Other(value)) };
    let is_plain = matches!(name, "TITLE" | "CLASS");
    match serde_json::from_str::<Json>(&text) {
        Ok(Json::Object(members)) => {
            let part = |name: &str| members.get(name).and_then(Json::as_str);
            let (Some(kind), Some(data)) = (part("type"), part("data")) else {
                return Ok(if is_plain {
                    Value::Text(text)
                } else {
                    of_json(&Json::Object(members))
                });
            };
            if DECODED.contains(&kind) {
                return literal::parse(data).map_err(within);
            }
            Ok(of_json(&Json::Object(members)))
        }
        Ok(json) if !is_plain => Ok(of_json(&json)),
        _ => Ok(Value::Text(text)),
    }
}

/// The bytes of an attribute that is a pickle.
fn pickled(value: &AttributeValue) -> Option<&[u8]> {
    let AttributeValue::Values(values) = value else { return None };
    let is_bytes =
        matches!(values.dtype(), DType::FixedString(_) | DType::Opaque(_) | DType::Bytes);
    let bytes = values.payload(0).ok().or_else(|| values.item(0))?;
    (is_bytes && values.len() == 1 && bytes.starts_with(&[0x80])).then_some(bytes)
}

fn of_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::None,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::Int(number.into()),
            (_, Some(number)) => Value::Int(number.into()),
            _ => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(of_json).collect()),
        Json::Object(members) => {
            let pairs = members.iter().map(|(name, value)| (name.as_str().into(), of_json(value)));
            Value::Dict(pairs.collect())
        }
    }
}

/// What a pickle holds, read as data.
///
/// # Errors
/// `Unsupported` naming what it would call, `Corrupt` where it is no pickle, `LimitExceeded`.
pub fn of_pickle(bytes: &[u8]) -> Result<Value> {
    let pickle = Pickle::parse(bytes, &Limits::default())?;
    object(&pickle, pickle.root(), 0)
}

fn object(pickle: &Pickle, id: NodeId, depth: usize) -> Result<Value> {
    if depth > MAX_DEPTH {
        return Err(Error::limit(format!("pickle: objects nested over {MAX_DEPTH} deep")));
    }
    let all = |ids: &[NodeId]| -> Result<Vec<Value>> {
        ids.iter().map(|id| object(pickle, *id, depth + 1)).collect()
    };
    let time = |micros: u64| {
        let part = |unit: u64, n: u64| u8::try_from(micros / unit % n).unwrap_or(0);
        Time {
            hour: part(3_600_000_000, 24),
            minute: part(60_000_000, 60),
            second: part(1_000_000, 60),
            microsecond: u32::try_from(micros % 1_000_000).unwrap_or(0),
            ..Time::default()
        }
    };
    Ok(match pickle.node(id)? {
        Node::None => Value::None,
        Node::Bool(value) => Value::Bool(*value),
        Node::Int(number) => Value::Int(*number),
        Node::Float(number) => Value::Float(*number),
        Node::Complex(real, imaginary) => Value::Complex(*real, *imaginary),
        Node::Text(text) | Node::Path(text) => Value::Text(text.clone()),
        Node::ByteText(bytes) | Node::Bytes(bytes) | Node::ByteArray(bytes) => {
            Value::Bytes(bytes.clone())
        }
        Node::List(items) => Value::List(all(items)?),
        Node::Tuple(items) => Value::Tuple(all(items)?),
        Node::Set(items) | Node::FrozenSet(items) => Value::Set(all(items)?),
        Node::Dict(pairs) | Node::OrderedDict(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| {
                Ok((object(pickle, *key, depth + 1)?, object(pickle, *value, depth + 1)?))
            });
            Value::Dict(pairs.collect::<Result<_>>()?)
        }
        Node::Date(at) => Value::Date(Date { year: at.year, month: at.month, day: at.day }),
        Node::DateTime(at) => {
            let date = Date { year: at.year, month: at.month, day: at.day };
            Value::DateTime(date, time(at.microsecond_of_day))
        }
        Node::TimeDelta(span) => Value::TimeDelta(*span),
        Node::Scalar(array) | Node::Array(array) => {
            Value::Other(AttributeValue::Values(array.to_values()?))
        }
        other => {
            let name = other.type_name();
            return Err(Error::unsupported(format!("pickle: an object of type {name}")));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(value: &Value) -> Value {
        decode("x", AttributeValue::Json(encode(value).into())).unwrap()
    }

    #[test]
    fn values_come_back() {
        let date = Date { year: 2026, month: 1, day: 2 };
        let time = Time { hour: 23, microsecond: 5, zone: Some(-60), ..Time::default() };
        for value in [
            Value::Bool(true),
            Value::Int(-5),
            Value::Float(0.1),
            Value::Float(1e300),
            Value::Text("é'\"\\\n\u{7f}😀".to_owned()),
            Value::Bytes(vec![0, 255, b'\'']),
            Value::Tuple(vec![Value::Int(1)]),
            Value::List(vec![Value::None, Value::Scalar("int64".into(), Box::new(Value::Int(3)))]),
            Value::DateTime(date, time),
            Value::Date(date),
            Value::Time(time),
            Value::Scalar("float64".into(), Box::new(Value::Float(1.5))),
        ] {
            assert_eq!(back(&value), value);
        }
        assert!(matches!(back(&Value::Float(f64::NAN)), Value::Float(x) if x.is_nan()));
    }

    #[test]
    fn text_is_spelled_as_python_does() {
        let text = encode(&"5.3.0é".into());
        assert_eq!(text, r#"{"module": "builtins", "type": "str", "data": "'5.3.0\u00e9'"}"#);
    }

    #[test]
    fn other_texts_are_themselves() {
        let text = |name: &str, text: &str| decode(name, text.into()).unwrap();
        assert_eq!(text("x", "plain"), "plain".into());
        assert_eq!(text("x", "1.0"), Value::Float(1.0));
        assert_eq!(text("TITLE", "1.0"), "1.0".into());
        assert_eq!(text("x", r#"{"a": 1}"#), Value::Dict(vec![("a".into(), Value::Int(1))]));
        let unknown = r#"{"module": "m", "type": "Machine", "data": "os.system('x')"}"#;
        assert!(matches!(text("x", unknown), Value::Dict(members) if members.len() == 3));
    }

    #[test]
    fn an_attribute_that_would_run_something_is_refused_by_name() {
        let text = r#"{"module": "builtins", "type": "str", "data": "os.system('x')"}"#;
        let error = decode("title", text.into()).unwrap_err();
        assert!(error.message().contains("attribute `title`"), "{error}");
        assert!(error.message().contains("`os.system`"), "{error}");
    }
}
