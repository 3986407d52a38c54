//! Protocol 0: pickles of lines of text, which PyTables keeps in attributes.
//!
//! They are read by the same machine as all others ([`super::Pickle::parse_with`]); here are the
//! opcodes that only they have, and a writer of the plain values that attributes hold.

use stook_core::{Error, Result};

use super::class::Object;
use super::node::{Node, NodeId, Pickle};
use super::opcode as op;
use super::read::{Machine, text};
use super::write::{date_bytes, date_time_bytes, time_bytes};

const INT: u8 = b'I';
const LONG: u8 = b'L';
const FLOAT: u8 = b'F';
const UNICODE: u8 = b'V';
const STRING: u8 = b'S';
const GET: u8 = b'g';
const PUT: u8 = b'p';

/// Objects nest so deep at most.
const MAX_DEPTH: usize = 50;

impl Machine<'_> {
    /// Opcodes whose argument is a line; false if `code` is none.
    pub(super) fn text_opcode(&mut self, code: u8) -> Result<bool> {
        if !matches!(code, INT | LONG | FLOAT | UNICODE | STRING | GET | PUT) {
            return Ok(false);
        }
        let line = &self.line()?;
        self.charge(line.len())?;
        let malformed = || Error::corrupt(format!("`{}`", line.escape_ascii()));
        let node = match code {
            UNICODE => Node::Text(unescape_unicode(line).ok_or_else(malformed)?),
            STRING => Node::ByteText(unquote(line).ok_or_else(malformed)?),
            _ => match (code, text(line.clone())?.as_str()) {
                (INT, "00") => Node::Bool(false),
                (INT, "01") => Node::Bool(true),
                (INT | LONG, digits) => {
                    let digits = digits.strip_suffix('L').unwrap_or(digits);
                    Node::Int(digits.parse().map_err(|_| malformed())?)
                }
                (FLOAT, digits) => Node::Float(digits.parse().map_err(|_| malformed())?),
                (GET, key) => {
                    self.fetch(key.parse().map_err(|_| malformed())?)?;
                    return Ok(true);
                }
                (_, key) => {
                    self.memoize(key.parse().map_err(|_| malformed())?)?;
                    return Ok(true);
                }
            },
        };
        self.push(node)?;
        Ok(true)
    }
}

/// Latin-1 with `\uXXXX` and `\UXXXXXXXX`.
fn unescape_unicode(line: &[u8]) -> Option<String> {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let [first, tail @ ..] = rest {
        let n_digits = match tail.first() {
            Some(b'u') if *first == b'\\' => 4,
            Some(b'U') if *first == b'\\' => 8,
            _ => {
                out.push(char::from(*first));
                rest = tail;
                continue;
            }
        };
        let digits = std::str::from_utf8(tail.get(1..=n_digits)?).ok()?;
        out.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
        rest = tail.get(n_digits + 1..)?;
    }
    Some(out)
}

/// The bytes of a literal in quotes.
fn unquote(line: &[u8]) -> Option<Vec<u8>> {
    let (quote, rest) = line.split_first().filter(|(quote, _)| matches!(quote, b'\'' | b'"'))?;
    let (last, mut rest) = rest.split_last()?;
    if last != quote {
        return None;
    }
    let mut out = Vec::with_capacity(rest.len());
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            out.push(*first);
            continue;
        }
        let (code, tail) = tail.split_first()?;
        rest = tail;
        out.push(match code {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'\\' | b'\'' | b'"' => *code,
            b'x' => {
                let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
                rest = tail.get(2..)?;
                u8::from_str_radix(digits, 16).ok()?
            }
            _ => return None,
        });
    }
    Some(out)
}

/// The pickle of plain values by protocol 0, which is text without a NUL.
///
/// # Errors
/// `Unsupported` for arrays, sets and others that attributes do not hold, `LimitExceeded` for
/// objects nested over 50 deep (or in a circle).
pub fn write_ascii(pickle: &Pickle) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    save(pickle, pickle.root(), &mut out, 0)?;
    out.push(op::STOP);
    Ok(out)
}

fn save(pickle: &Pickle, id: NodeId, out: &mut Vec<u8>, depth: usize) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(Error::limit(format!("pickle: objects nested over {MAX_DEPTH} deep")));
    }
    match pickle.node(id)? {
        Node::None => out.push(op::NONE),
        Node::Bool(value) => put(out, INT, if *value { "01" } else { "00" }),
        Node::Int(value) if i32::try_from(*value).is_ok() => put(out, INT, &value.to_string()),
        Node::Int(value) => put(out, LONG, &format!("{value}L")),
        Node::Float(value) => put(out, FLOAT, &format!("{value:?}")),
        Node::Text(text) => put_text(out, text.chars()),
        Node::Bytes(bytes) => put_bytes(out, bytes),
        Node::Date(day) => put_made(out, "date", &date_bytes(day)),
        Node::DateTime(time) => put_made(out, "datetime", &date_time_bytes(time)),
        Node::Time(micros) => put_made(out, "time", &time_bytes(*micros)),
        Node::Tuple(items) => {
            out.push(op::MARK);
            items.iter().try_for_each(|id| save(pickle, *id, out, depth + 1))?;
            out.push(op::TUPLE);
        }
        Node::List(items) => {
            out.push(op::MARK);
            items.iter().try_for_each(|id| save(pickle, *id, out, depth + 1))?;
            out.push(op::LIST);
        }
        Node::Dict(pairs) => save_dict(pickle, pairs, out, depth)?,
        Node::Object(object) => save_object(pickle, object, out, depth)?,
        other => {
            let found = other.type_name();
            return Err(Error::unsupported(format!("pickle: a {found} is not written as text")));
        }
    }
    Ok(())
}

fn save_dict(
    pickle: &Pickle,
    pairs: &[(NodeId, NodeId)],
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<()> {
    out.extend_from_slice(&[op::MARK, op::DICT]);
    for (key, value) in pairs {
        save(pickle, *key, out, depth + 1)?;
        save(pickle, *value, out, depth + 1)?;
        out.push(op::SETITEM);
    }
    Ok(())
}

/// An object that is a dictionary.
fn save_object(pickle: &Pickle, object: &Object, out: &mut Vec<u8>, depth: usize) -> Result<()> {
    if object.state.is_some() || !object.arguments.is_empty() {
        let name = object.class.name;
        return Err(Error::unsupported(format!("pickle: a {name} is not written as text")));
    }
    put(out, op::GLOBAL, "copy_reg\n_reconstructor");
    out.push(op::MARK);
    put(out, op::GLOBAL, &format!("{}\n{}", object.class.module, object.class.name));
    put(out, op::GLOBAL, "__builtin__\ndict");
    save_dict(pickle, &object.items, out, depth)?;
    out.extend_from_slice(&[op::TUPLE, op::REDUCE]);
    Ok(())
}

fn put(out: &mut Vec<u8>, code: u8, line: &str) {
    out.push(code);
    out.extend_from_slice(line.as_bytes());
    out.push(b'\n');
}

fn put_text(out: &mut Vec<u8>, chars: impl Iterator<Item = char>) {
    out.push(UNICODE);
    for c in chars {
        let code = u32::from(c);
        match u8::try_from(code) {
            Ok(byte) if !matches!(byte, b'\\' | 0 | b'\n' | b'\r' | 0x1a) => out.push(byte),
            _ if code > 0xffff => out.extend_from_slice(format!("\\U{code:08x}").as_bytes()),
            _ => out.extend_from_slice(format!("\\u{code:04x}").as_bytes()),
        }
    }
    out.push(b'\n');
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, op::GLOBAL, "_codecs\nencode");
    out.push(op::MARK);
    put_text(out, bytes.iter().map(|&byte| char::from(byte)));
    put(out, UNICODE, "latin1");
    out.extend_from_slice(&[op::TUPLE, op::REDUCE]);
}

/// What `datetime.<name>` makes of its bytes.
fn put_made(out: &mut Vec<u8>, name: &str, state: &[u8]) {
    put(out, op::GLOBAL, &format!("datetime\n{name}"));
    out.push(op::MARK);
    put_bytes(out, state);
    out.extend_from_slice(&[op::TUPLE, op::REDUCE]);
}

#[cfg(test)]
mod tests {
    use stook_core::Limits;

    use super::super::class::Class;
    use super::super::node::DateTime;
    use super::*;

    const METADATA: Class = Class { module: "larray.core.metadata", name: "Metadata" };

    #[test]
    fn what_is_written_is_read_again() {
        let at = DateTime { year: 2020, month: 1, day: 2, microsecond_of_day: 3_000_007 };
        let values = [
            Node::None,
            Node::Bool(true),
            Node::Int(-3),
            Node::Int(1 << 40),
            Node::Float(0.1),
            Node::Float(f64::INFINITY),
            Node::Text("a\\b\0\n é 日 😀".to_owned()),
            Node::Bytes(vec![0, 10, 92, 255]),
            Node::DateTime(at),
            Node::Date(DateTime { microsecond_of_day: 0, ..at }),
            Node::Time(86_399_999_999),
        ];
        let mut pickle = Pickle::new(Node::None);
        let mut items = Vec::new();
        for (i, value) in values.iter().enumerate() {
            let key = pickle.add(Node::Text(i.to_string())).unwrap();
            items.push((key, pickle.add(value.clone()).unwrap()));
        }
        let root = Node::Object(Box::new(Object { items, ..Object::new(METADATA) }));
        let root = pickle.add(root).unwrap();
        let bytes = write_ascii(&pickle.with_root(root)).unwrap();
        assert!(!bytes.contains(&0));
        assert!(Pickle::parse(&bytes, &Limits::default()).is_err());
        let read = Pickle::parse_with(&bytes, &Limits::default(), &[METADATA]).unwrap();
        let Node::Object(object) = read.node(read.root()).unwrap() else { panic!("no object") };
        let read: Vec<_> =
            object.items.iter().map(|(_, id)| read.node(*id).unwrap().clone()).collect();
        assert_eq!(read, values);
    }

    #[test]
    fn a_string_of_python_2_is_read() {
        let read = Pickle::parse_with(b"S'a\\n\\x01'\np0\n.", &Limits::default(), &[]).unwrap();
        assert_eq!(read.node(read.root()).unwrap(), &Node::ByteText(b"a\n\x01".to_vec()));
        let shape = Pickle::parse_with(b"(I2\nI0\ntp0\n.", &Limits::default(), &[]).unwrap();
        assert!(matches!(shape.node(shape.root()), Ok(Node::Tuple(items)) if items.len() == 2));
    }
}
