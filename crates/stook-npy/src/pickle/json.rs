//! Objects as JSON, for people and for formats that have no objects.

use serde_json::{Map, Number, Value, json};
use stook_core::dtype::{DType, Padding};
use stook_core::{Error, Result, Values};

use super::node::{DateTime, Node, NodeId, Pickle};

/// Objects nest so deep at most.
const MAX_DEPTH: usize = 64;
/// Objects that a document may hold, those that occur more than once counted each time.
const MAX_NODES: usize = 10_000_000;

impl Pickle {
    /// The object at `id` as JSON: what JSON has no word for becomes an object of one member,
    /// whose name says what it is (`{"complex": [1.0, 2.0]}`); tuples and sets become lists.
    ///
    /// # Errors
    /// `LimitExceeded` for objects nested over 64 deep (or in a circle), or more than 10 million.
    pub fn to_json(&self, id: NodeId) -> Result<Value> {
        Printer { pickle: self, n_left: MAX_NODES }.value(id, 0)
    }

    /// The JSON text of each of the objects at `ids`.
    ///
    /// # Errors
    /// As [`Pickle::to_json`]; of all together, not many times more than the pickle holds.
    pub(crate) fn to_texts(&self, ids: &[NodeId]) -> Result<Vec<String>> {
        let weight = |node: &Node| node.weight().saturating_add(1);
        let held = self.nodes.iter().map(weight).fold(0_usize, usize::saturating_add);
        let n_left = held.saturating_mul(4).saturating_add(MAX_NODES);
        let mut printer = Printer { pickle: self, n_left };
        ids.iter().map(|id| Ok(printer.value(*id, 0)?.to_string())).collect()
    }
}

struct Printer<'a> {
    pickle: &'a Pickle,
    n_left: usize,
}

impl Printer<'_> {
    fn value(&mut self, id: NodeId, depth: usize) -> Result<Value> {
        if depth > MAX_DEPTH {
            return Err(Error::limit(format!("pickle: objects nested over {MAX_DEPTH} deep")));
        }
        let pickle = self.pickle;
        let node = pickle.node(id)?;
        self.count(1 + node.weight() / 16)?;
        Ok(match node {
            Node::None => Value::Null,
            Node::Bool(value) => json!(value),
            Node::Int(value) => int(*value),
            Node::BigInt(bytes) => json!({ "int": hex(bytes.iter().rev()) }),
            Node::Float(value) => float(*value),
            Node::Complex(re, im) => json!({ "complex": [float(*re), float(*im)] }),
            Node::Text(text) => json!(text),
            Node::ByteText(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => json!(text),
                Err(_) => json!({ "bytes": hex(bytes.iter()) }),
            },
            Node::Bytes(bytes) | Node::ByteArray(bytes) => json!({ "bytes": hex(bytes.iter()) }),
            Node::List(items) | Node::Tuple(items) | Node::Set(items) | Node::FrozenSet(items) => {
                self.list(items, depth)?
            }
            Node::Dict(pairs) | Node::OrderedDict(pairs) => self.dict(pairs, depth)?,
            Node::Slice(parts) => json!({ "slice": self.list(parts, depth)? }),
            Node::Range(parts) => json!({ "range": parts.map(int) }),
            Node::DateTime(time) => json!(date_time(time)),
            Node::Date(day) => json!(date(day)),
            Node::Time(micros) => json!(time(*micros)),
            Node::TimeDelta(micros) => json!({ "timedelta_us": int(*micros) }),
            Node::Path(path) => json!(path),
            Node::DType(descr) => match descr.dtype() {
                Ok(dtype) => json!({ "dtype": dtype.to_string() }),
                Err(_) => json!({ "dtype": "object" }),
            },
            Node::Scalar(array) | Node::Array(array) if !array.is_object() => {
                let values = array.to_values()?;
                self.count(values.len())?;
                nested(values.shape(), &mut (0..values.len()).map(|i| item(&values, i)))
            }
            Node::Scalar(array) | Node::Array(array) => {
                let items: Result<Vec<_>> =
                    array.objects.iter().map(|id| self.value(*id, depth + 1)).collect();
                nested(&array.shape, &mut items?.into_iter())
            }
            other => {
                let found = other.type_name();
                return Err(Error::unsupported(format!("pickle: a {found} is no value")));
            }
        })
    }

    fn count(&mut self, n: usize) -> Result<()> {
        let left = self.n_left.checked_sub(n);
        self.n_left = left.ok_or_else(|| {
            Error::limit("pickle: its objects, each as often as it occurs, are too many for JSON")
        })?;
        Ok(())
    }

    fn list(&mut self, items: &[NodeId], depth: usize) -> Result<Value> {
        let items = items.iter().map(|id| self.value(*id, depth + 1));
        items.collect::<Result<Vec<_>>>().map(Value::Array)
    }

    fn dict(&mut self, pairs: &[(NodeId, NodeId)], depth: usize) -> Result<Value> {
        let mut object = Map::new();
        for (key, value) in pairs {
            let key = match self.pickle.node(*key)? {
                key if key.as_text().is_some() => {
                    self.count(key.weight() / 16)?;
                    key.as_text().unwrap_or_default().to_owned()
                }
                _ => self.value(*key, depth + 1)?.to_string(),
            };
            object.insert(key, self.value(*value, depth + 1)?);
        }
        Ok(Value::Object(object))
    }
}

fn int(value: i128) -> Value {
    match (i64::try_from(value), u64::try_from(value)) {
        (Ok(value), _) => json!(value),
        (_, Ok(value)) => json!(value),
        _ => json!({ "int": value.to_string() }),
    }
}

fn float(value: f64) -> Value {
    Number::from_f64(value).map_or_else(|| json!({ "float": value.to_string() }), Value::Number)
}

fn hex<'a>(bytes: impl Iterator<Item = &'a u8>) -> String {
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

fn date(day: &DateTime) -> String {
    format!("{:04}-{:02}-{:02}", day.year, day.month, day.day)
}

fn date_time(at: &DateTime) -> String {
    format!("{}T{}", date(at), time(at.microsecond_of_day))
}

fn time(microsecond_of_day: u64) -> String {
    let seconds = microsecond_of_day / 1_000_000;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let text = format!("{hour:02}:{minute:02}:{second:02}");
    match microsecond_of_day % 1_000_000 {
        0 => text,
        micros => format!("{text}.{micros:06}"),
    }
}

/// Values in lists within lists.
fn nested(shape: &[u64], items: &mut dyn Iterator<Item = Value>) -> Value {
    match shape {
        [] => items.next().unwrap_or(Value::Null),
        [len, rest @ ..] => {
            // A shape with a zero in it has no items, however long its other axes are.
            if rest.contains(&0) {
                return Value::Array(Vec::new());
            }
            (0..*len).map(|_| nested(rest, items)).collect()
        }
    }
}

#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn item(values: &Values, at: usize) -> Value {
    let Some(bytes) = values.item(at) else { return Value::Null };
    macro_rules! number {
        ($type:ty) => {
            bytes.first_chunk().map(|bytes| <$type>::from_ne_bytes(*bytes)).unwrap_or_default()
        };
    }
    match values.dtype() {
        DType::Bool => json!(bytes.first().is_some_and(|&byte| byte != 0)),
        DType::Int8 => json!(number!(i8)),
        DType::Int16 => json!(number!(i16)),
        DType::Int32 => json!(number!(i32)),
        DType::Int64 | DType::DateTime(_) | DType::TimeDelta(_) => json!(number!(i64)),
        DType::UInt8 => json!(number!(u8)),
        DType::UInt16 => json!(number!(u16)),
        DType::UInt32 => json!(number!(u32)),
        DType::UInt64 => json!(number!(u64)),
        DType::Float32 => float(number!(f32).into()),
        DType::Float64 => float(number!(f64)),
        DType::FixedString(string) => {
            let trimmed = bytes.len() - bytes.iter().rev().take_while(|&&byte| byte == 0).count();
            let bytes = if string.padding == Padding::Space { bytes } else { &bytes[..trimmed] };
            json!(String::from_utf8_lossy(bytes))
        }
        DType::Unicode(_) => {
            let chars = bytes.as_chunks::<4>().0.iter().map(|c| u32::from_ne_bytes(*c));
            let text: String = chars.map(|c| char::from_u32(c).unwrap_or('\u{fffd}')).collect();
            json!(text.trim_end_matches('\0'))
        }
        _ => json!({ "bytes": hex(bytes.iter()) }),
    }
}
