//! The writer: objects to the bytes that Python's own pickler makes of them.
//!
//! An object is written once and fetched from the memo after, where it is the same [`NodeId`]:
//! as `pickle` does by identity. Python keeps one object for each text and bytes of one
//! character, and so does this.

use std::collections::HashMap;

use stook_core::codec::Endian;
use stook_core::{DType, Error, Result};

use super::array::{Descr, PickledArray};
use super::class::Object;
use super::node::{DateTime, Node, NodeId, Pickle};
use super::opcode as op;
use super::payload::Payload;

/// Objects nest so deep at most.
const MAX_DEPTH: usize = 200;
/// Items of a list or dictionary that one opcode adds.
const BATCH: usize = 1000;
/// A frame ends at the first opcode behind so many bytes, and longer payloads have none.
const FRAME_LEN: usize = 64 << 10;
/// Shorter frames are not worth their header.
const MIN_FRAME_LEN: usize = 4;

/// Whose bytes are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Those of numpy 1: protocol 3, and names that every numpy knows.
    #[default]
    Numpy1,
    /// Those of numpy 2: protocol 4, and names that numpy 1.26 and later know.
    Numpy2,
}

/// The pickle of `pickle`, as bytes.
///
/// # Errors
/// `Unsupported` for dtypes that are not written, `LimitExceeded` for objects nested over 200
/// deep (or in a circle).
pub fn write(pickle: &Pickle, form: Form) -> Result<Vec<u8>> {
    let mut pieces = pieces(pickle, form)?;
    if let [Piece::Own(bytes)] = pieces.as_mut_slice() {
        return Ok(std::mem::take(bytes));
    }
    Ok(pieces.iter().map(Piece::bytes).collect::<Vec<_>>().concat())
}

/// A run of the bytes of a pickle.
#[derive(Debug)]
pub enum Piece<'a> {
    /// Opcodes and short payloads.
    Own(Vec<u8>),
    /// The items of an array, where they lie.
    Lent(&'a [u8]),
}

impl Piece<'_> {
    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Lent(bytes) => bytes,
        }
    }
}

/// The same in pieces, one after the other: the items of large arrays are not copied.
///
/// # Errors
/// Those of [`write()`].
pub fn pieces(pickle: &Pickle, form: Form) -> Result<Vec<Piece<'_>>> {
    let mut writer = Writer::new(pickle, form);
    writer.save(pickle.root, 0)?;
    Ok(writer.finish())
}

/// The opcode of so many bytes, and their number.
fn bytes_header(len: usize) -> Vec<u8> {
    match (u8::try_from(len), u32::try_from(len)) {
        (Ok(len), _) => vec![op::SHORT_BINBYTES, len],
        (_, Ok(len)) => [&[op::BINBYTES], len.to_le_bytes().as_slice()].concat(),
        _ => [&[op::BINBYTES8], (len as u64).to_le_bytes().as_slice()].concat(),
    }
}

/// What the memo knows an object by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Node(NodeId),
    Name(&'static str, &'static str),
    Module(&'static str),
    Char(char),
    Byte(u8),
    DType(String),
}

struct Writer<'a> {
    pickle: &'a Pickle,
    form: Form,
    /// What comes before `out`.
    pieces: Vec<Piece<'a>>,
    out: Vec<u8>,
    /// Where the header of the open frame is.
    frame: Option<usize>,
    memo: HashMap<Key, usize>,
    n_memo: usize,
}

impl<'a> Writer<'a> {
    fn new(pickle: &'a Pickle, form: Form) -> Self {
        let protocol = if form == Form::Numpy1 { 3 } else { 4 };
        let out = vec![op::PROTO, protocol];
        let pieces = Vec::new();
        Self { pickle, form, pieces, out, frame: None, memo: HashMap::new(), n_memo: 0 }
    }

    fn finish(mut self) -> Vec<Piece<'a>> {
        self.put(&[op::STOP]);
        self.end_frame();
        self.pieces.push(Piece::Own(self.out));
        self.pieces
    }

    // Frames, of protocol 4.

    fn put(&mut self, bytes: &[u8]) {
        if self.form == Form::Numpy2 && self.frame.is_none() {
            self.frame = Some(self.out.len());
            self.out.push(op::FRAME);
            self.out.extend_from_slice(&[0; 8]);
        }
        self.out.extend_from_slice(bytes);
    }

    fn end_frame(&mut self) {
        let Some(start) = self.frame.take() else { return };
        let data = start + 9;
        let len = self.out.len() - data;
        if len < MIN_FRAME_LEN {
            self.out.drain(start..data);
        } else if let Some(place) = self.out.get_mut(start + 1..data) {
            place.copy_from_slice(&(len as u64).to_le_bytes());
        }
    }

    /// Puts a header and its payload, outside of a frame where that is long.
    fn put_payload(&mut self, header: &[u8], payload: &[u8]) {
        if self.form == Form::Numpy1 || payload.len() < FRAME_LEN {
            self.put(header);
            self.out.extend_from_slice(payload);
        } else {
            self.end_frame();
            self.out.extend_from_slice(header);
            self.out.extend_from_slice(payload);
        }
    }

    // The memo.

    fn memoize(&mut self, key: Option<Key>) {
        let at = self.n_memo;
        self.n_memo += 1;
        if let Some(key) = key {
            self.memo.insert(key, at);
        }
        match (self.form, u8::try_from(at)) {
            (Form::Numpy2, _) => self.put(&[op::MEMOIZE]),
            (Form::Numpy1, Ok(at)) => self.put(&[op::BINPUT, at]),
            (Form::Numpy1, Err(_)) => self.put_u32(op::LONG_BINPUT, at),
        }
    }

    /// Fetches an object that was written before.
    fn fetch(&mut self, key: &Key) -> bool {
        let Some(&at) = self.memo.get(key) else { return false };
        match u8::try_from(at) {
            Ok(at) => self.put(&[op::BINGET, at]),
            Err(_) => self.put_u32(op::LONG_BINGET, at),
        }
        true
    }

    fn put_u32(&mut self, code: u8, value: usize) {
        let value = u32::try_from(value).unwrap_or(u32::MAX);
        self.put(&[&[code], value.to_le_bytes().as_slice()].concat());
    }

    // Objects.

    fn save(&mut self, id: NodeId, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(Error::limit(format!("pickle: objects nested over {MAX_DEPTH} deep")));
        }
        // An opcode begins: the place where frames end.
        if self.frame.is_some_and(|start| self.out.len() - start - 9 >= FRAME_LEN) {
            self.end_frame();
        }
        if self.fetch(&Key::Node(id)) {
            return Ok(());
        }
        let pickle = self.pickle;
        let key = Key::Node(id);
        match pickle.node(id)? {
            Node::None => self.put(&[op::NONE]),
            Node::Bool(value) => self.put(&[if *value { op::NEWTRUE } else { op::NEWFALSE }]),
            Node::Int(value) => self.int(*value),
            Node::BigInt(bytes) => self.long(bytes),
            Node::Float(value) => self.float(*value),
            Node::Text(text) => self.text(text, Some(key)),
            Node::ByteText(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => self.text(text, Some(key)),
                Err(_) => self.bytes(bytes, Some(key)),
            },
            Node::Bytes(bytes) => self.bytes(bytes, Some(key)),
            Node::StoredBytes(stored) => self.bytes(&stored.read()?, Some(key)),
            Node::List(items) => self.list_of(items, Some(key), depth)?,
            Node::Tuple(items) => self.tuple(items, Some(key), depth)?,
            Node::Dict(pairs) => {
                self.put(&[op::EMPTY_DICT]);
                self.memoize(Some(key));
                self.items(pairs, depth)?;
            }
            Node::Array(array) => self.array(array, key, depth)?,
            Node::Scalar(array) => {
                self.scalar(array)?;
                self.memoize(Some(key));
            }
            other => self.made(other, key, depth)?,
        }
        Ok(())
    }

    /// Objects that a name makes of arguments.
    fn made(&mut self, node: &Node, key: Key, depth: usize) -> Result<()> {
        let name = match node {
            Node::Complex(..) => ("builtins", "complex"),
            Node::ByteArray(_) => ("builtins", "bytearray"),
            Node::Slice(_) => ("builtins", "slice"),
            Node::Range(_) => ("builtins", "range"),
            Node::Set(_) => ("builtins", "set"),
            Node::FrozenSet(_) => ("builtins", "frozenset"),
            Node::OrderedDict(_) => ("collections", "OrderedDict"),
            Node::DateTime(_) => ("datetime", "datetime"),
            Node::Date(_) => ("datetime", "date"),
            Node::TimeDelta(_) => ("datetime", "timedelta"),
            Node::Path(_) => ("pathlib", "PurePosixPath"),
            Node::Time(_) => ("datetime", "time"),
            Node::DType(descr) => return self.dtype(descr),
            Node::Object(object) => return self.object(object, key, depth),
            other => {
                let found = other.type_name();
                return Err(Error::unsupported(format!("pickle: a {found} is not written")));
            }
        };
        self.global(name.0, name.1);
        match node {
            Node::Complex(re, im) => {
                self.float(*re);
                self.float(*im);
                self.put(&[op::TUPLE2]);
            }
            Node::ByteArray(bytes) => {
                self.bytes(bytes, None);
                self.put(&[op::TUPLE1]);
            }
            Node::Slice(parts) => {
                parts.iter().try_for_each(|id| self.save(*id, depth + 1))?;
                self.put(&[op::TUPLE3]);
            }
            Node::Range(parts) => {
                parts.iter().for_each(|value| self.int(*value));
                self.put(&[op::TUPLE3]);
            }
            Node::Set(items) | Node::FrozenSet(items) => {
                self.list_of(items, None, depth)?;
                self.put(&[op::TUPLE1]);
            }
            Node::DateTime(time) => {
                self.bytes(&date_time_bytes(time), None);
                self.put(&[op::TUPLE1]);
            }
            Node::Date(day) => {
                self.bytes(&date_bytes(day), None);
                self.put(&[op::TUPLE1]);
            }
            Node::Time(micros) => {
                self.bytes(&time_bytes(*micros), None);
                self.put(&[op::TUPLE1]);
            }
            Node::TimeDelta(micros) => {
                const DAY: i128 = 86_400_000_000;
                let rest = micros.rem_euclid(DAY);
                self.int(micros.div_euclid(DAY));
                self.int(rest / 1_000_000);
                self.int(rest % 1_000_000);
                self.put(&[op::TUPLE3]);
            }
            Node::Path(path) => {
                self.text(path, None);
                self.put(&[op::TUPLE1]);
            }
            _ => self.put(&[op::EMPTY_TUPLE]),
        }
        if !matches!(node, Node::OrderedDict(_)) {
            self.memoize(None);
        }
        self.put(&[op::REDUCE]);
        self.memoize(Some(key));
        if let Node::OrderedDict(pairs) = node {
            self.items(pairs, depth)?;
        }
        Ok(())
    }

    /// An object of a class that the caller chose.
    fn object(&mut self, object: &Object, key: Key, depth: usize) -> Result<()> {
        self.global(object.class.module, object.class.name);
        self.tuple(&object.arguments, None, depth)?;
        self.put(&[op::NEWOBJ]);
        self.memoize(Some(key));
        if !object.items.is_empty() {
            self.items(&object.items, depth)?;
        }
        if let Some(state) = object.state {
            self.save(state, depth + 1)?;
            self.put(&[op::BUILD]);
        }
        Ok(())
    }

    fn items(&mut self, pairs: &[(NodeId, NodeId)], depth: usize) -> Result<()> {
        self.batches(pairs, op::SETITEM, op::SETITEMS, |writer, (name, value)| {
            writer.save(*name, depth + 1)?;
            writer.save(*value, depth + 1)
        })
    }

    fn list_of(&mut self, items: &[NodeId], key: Option<Key>, depth: usize) -> Result<()> {
        self.put(&[op::EMPTY_LIST]);
        self.memoize(key);
        self.batches(items, op::APPEND, op::APPENDS, |writer, id| writer.save(*id, depth + 1))
    }

    fn batches<T>(
        &mut self,
        items: &[T],
        one: u8,
        many: u8,
        mut save: impl FnMut(&mut Self, &T) -> Result<()>,
    ) -> Result<()> {
        if let [item] = items {
            save(self, item)?;
            self.put(&[one]);
            return Ok(());
        }
        for batch in items.chunks(BATCH) {
            self.put(&[op::MARK]);
            batch.iter().try_for_each(|item| save(self, item))?;
            self.put(&[many]);
        }
        Ok(())
    }

    fn tuple(&mut self, items: &[NodeId], key: Option<Key>, depth: usize) -> Result<()> {
        let close = match items.len() {
            0 => {
                self.put(&[op::EMPTY_TUPLE]);
                return Ok(());
            }
            1 => op::TUPLE1,
            2 => op::TUPLE2,
            3 => op::TUPLE3,
            _ => {
                self.put(&[op::MARK]);
                op::TUPLE
            }
        };
        items.iter().try_for_each(|id| self.save(*id, depth + 1))?;
        self.put(&[close]);
        self.memoize(key);
        Ok(())
    }

    fn int(&mut self, value: i128) {
        if let Ok(value) = u8::try_from(value) {
            self.put(&[op::BININT1, value]);
        } else if let Ok(value) = u16::try_from(value) {
            let [low, high] = value.to_le_bytes();
            self.put(&[op::BININT2, low, high]);
        } else if let Ok(value) = i32::try_from(value) {
            self.put(&[&[op::BININT], value.to_le_bytes().as_slice()].concat());
        } else {
            let bytes = value.to_le_bytes();
            let sign = if value < 0 { 0xff } else { 0 };
            let mut len = bytes.len();
            // The last byte that is kept shows the sign.
            while len > 1 && bytes[len - 1] == sign && (bytes[len - 2] ^ sign) & 0x80 == 0 {
                len -= 1;
            }
            self.long(&bytes[..len]);
        }
    }

    fn long(&mut self, bytes: &[u8]) {
        match u8::try_from(bytes.len()) {
            Ok(len) => self.put(&[&[op::LONG1, len], bytes].concat()),
            Err(_) => {
                self.put_u32(op::LONG4, bytes.len());
                self.put(bytes);
            }
        }
    }

    fn float(&mut self, value: f64) {
        self.put(&[&[op::BINFLOAT], value.to_be_bytes().as_slice()].concat());
    }

    fn text(&mut self, text: &str, key: Option<Key>) {
        let mut chars = text.chars();
        let key = match (chars.next(), chars.next()) {
            (Some(c), None) if u32::from(c) < 256 => Some(Key::Char(c)),
            _ => key,
        };
        if key.as_ref().is_some_and(|key| self.fetch(key)) {
            return;
        }
        let len = text.len();
        let header = match (self.form, u8::try_from(len), u32::try_from(len)) {
            (Form::Numpy2, Ok(len), _) => vec![op::SHORT_BINUNICODE, len],
            (_, _, Ok(len)) => [&[op::BINUNICODE], len.to_le_bytes().as_slice()].concat(),
            _ => [&[op::BINUNICODE8], (len as u64).to_le_bytes().as_slice()].concat(),
        };
        self.put_payload(&header, text.as_bytes());
        self.memoize(key);
    }

    fn bytes(&mut self, bytes: &[u8], key: Option<Key>) {
        let key = if let [byte] = bytes { Some(Key::Byte(*byte)) } else { key };
        if key.as_ref().is_some_and(|key| self.fetch(key)) {
            return;
        }
        self.put_payload(&bytes_header(bytes.len()), bytes);
        self.memoize(key);
    }

    /// The items of an array: where they lie, if they are many.
    fn items_of(&mut self, array: &'a PickledArray) -> Result<()> {
        match &array.bytes {
            Payload::Held(bytes) if self.form == Form::Numpy2 && bytes.len() >= FRAME_LEN => {
                self.end_frame();
                self.out.extend_from_slice(&bytes_header(bytes.len()));
                self.pieces.push(Piece::Own(std::mem::take(&mut self.out)));
                self.pieces.push(Piece::Lent(bytes));
                self.memoize(None);
            }
            other => self.bytes(&other.to_bytes()?, None),
        }
        Ok(())
    }

    fn global(&mut self, module: &'static str, name: &'static str) {
        let key = Key::Name(module, name);
        if self.fetch(&key) {
            return;
        }
        if self.form == Form::Numpy1 {
            // Names of protocol 3 are those of Python 3, as protocol 3 is.
            self.put(&[&[op::GLOBAL], module.as_bytes(), b"\n", name.as_bytes(), b"\n"].concat());
        } else {
            self.text(module, Some(Key::Module(module)));
            self.text(name, Some(Key::Module(name)));
            self.put(&[op::STACK_GLOBAL]);
        }
        self.memoize(Some(key));
    }

    // numpy's.

    fn multiarray(&mut self, name: &'static str) {
        let module = match self.form {
            Form::Numpy1 => "numpy.core.multiarray",
            Form::Numpy2 => "numpy._core.multiarray",
        };
        self.global(module, name);
    }

    fn array(&mut self, array: &'a PickledArray, key: Key, depth: usize) -> Result<()> {
        self.multiarray("_reconstruct");
        self.global("numpy", "ndarray");
        self.put(&[op::BININT1, 0, op::TUPLE1]);
        self.memoize(None);
        self.bytes(b"b", None);
        self.put(&[op::TUPLE3]);
        self.memoize(None);
        self.put(&[op::REDUCE]);
        self.memoize(Some(key));
        // The state: version, shape, dtype, order, items.
        self.put(&[op::MARK, op::BININT1, 1]);
        self.shape(&array.shape);
        self.dtype(&array.descr)?;
        self.put(&[if array.is_fortran { op::NEWTRUE } else { op::NEWFALSE }]);
        if array.is_object() {
            self.list_of(&array.objects, None, depth)?;
        } else {
            self.items_of(array)?;
        }
        self.put(&[op::TUPLE]);
        self.memoize(None);
        self.put(&[op::BUILD]);
        Ok(())
    }

    fn scalar(&mut self, array: &PickledArray) -> Result<()> {
        self.multiarray("scalar");
        self.dtype(&array.descr)?;
        self.bytes(&array.bytes.to_bytes()?, None);
        self.put(&[op::TUPLE2]);
        self.memoize(None);
        self.put(&[op::REDUCE]);
        Ok(())
    }

    fn shape(&mut self, shape: &[u64]) {
        match shape.len() {
            0 => return self.put(&[op::EMPTY_TUPLE]),
            1..=3 => {}
            _ => self.put(&[op::MARK]),
        }
        shape.iter().for_each(|&len| self.int(len.into()));
        self.put(&[match shape.len() {
            1 => op::TUPLE1,
            2 => op::TUPLE2,
            3 => op::TUPLE3,
            _ => op::TUPLE,
        }]);
        self.memoize(None);
    }

    /// A dtype: its name, and its state, as numpy gives them.
    fn dtype(&mut self, descr: &Descr) -> Result<()> {
        let state = DTypeState::of(descr)?;
        let key = Key::DType(format!("{}{}{:?}", state.order, state.name, state.unit));
        if self.fetch(&key) {
            return Ok(());
        }
        self.global("numpy", "dtype");
        self.text(&state.name, None);
        self.put(&[op::NEWFALSE, op::NEWTRUE, op::TUPLE3]);
        self.memoize(None);
        self.put(&[op::REDUCE]);
        self.memoize(Some(key));
        let version = if state.unit.is_some() { 4 } else { 3 };
        self.put(&[op::MARK, op::BININT1, version]);
        self.text(state.order, None);
        self.put(&[op::NONE, op::NONE, op::NONE]);
        self.int(state.size);
        self.int(state.align);
        self.int(state.flags);
        if let Some((unit, count)) = &state.unit {
            self.put(&[op::EMPTY_DICT]);
            self.memoize(None);
            self.put(&[op::MARK]);
            self.bytes(unit.as_bytes(), None);
            self.int((*count).into());
            self.put(&[op::BININT1, 1, op::BININT1, 1, op::TUPLE]);
            self.memoize(None);
            self.put(&[op::TUPLE2]);
            self.memoize(None);
        }
        self.put(&[op::TUPLE]);
        self.memoize(None);
        self.put(&[op::BUILD]);
        Ok(())
    }
}

/// What `dtype.__reduce__` gives.
struct DTypeState {
    name: String,
    order: &'static str,
    size: i128,
    align: i128,
    flags: i128,
    unit: Option<(&'static str, u32)>,
}

impl DTypeState {
    fn of(descr: &Descr) -> Result<Self> {
        let unsupported = |what: &dyn std::fmt::Display| {
            Err(Error::unsupported(format!("pickle: arrays of {what} are not written")))
        };
        let (dtype, endian) = match descr {
            Descr::Object => {
                return Ok(Self {
                    name: "O8".to_owned(),
                    order: "|",
                    size: -1,
                    align: -1,
                    flags: 63,
                    unit: None,
                });
            }
            Descr::Plain { dtype, endian } => (dtype, *endian),
            Descr::Struct { .. } | Descr::Array { .. } => return unsupported(&"structs"),
        };
        let size = dtype.item_size();
        let (letter, is_sized, align) = match dtype {
            DType::Bool => ("b", false, -1),
            DType::Int8 | DType::Int16 | DType::Int32 | DType::Int64 => ("i", false, -1),
            DType::UInt8 | DType::UInt16 | DType::UInt32 | DType::UInt64 => ("u", false, -1),
            DType::Float16 | DType::Float32 | DType::Float64 | DType::LongDouble => {
                ("f", false, -1)
            }
            DType::Complex64 | DType::Complex128 => ("c", false, -1),
            DType::FixedString(_) => ("S", true, 1),
            DType::Unicode(_) => ("U", true, 4),
            DType::Opaque(_) => ("V", true, 1),
            DType::DateTime(_) => ("M", false, -1),
            DType::TimeDelta(_) => ("m", false, -1),
            other => return unsupported(other),
        };
        let unit = match dtype {
            DType::DateTime(unit) | DType::TimeDelta(unit) => Some((unit.base.name(), unit.count)),
            _ => None,
        };
        let count = if let DType::Unicode(n_chars) = dtype { *n_chars } else { size };
        let order = match endian {
            _ if !dtype.has_byte_order() => "|",
            Endian::Little => "<",
            Endian::Big => ">",
        };
        let size = if is_sized { i128::try_from(size).unwrap_or(-1) } else { -1 };
        Ok(Self { name: format!("{letter}{count}"), order, size, align, flags: 0, unit })
    }
}

/// What `date.__reduce__` gives.
pub(super) fn date_bytes(day: &DateTime) -> [u8; 4] {
    let [high, low] = day.year.to_be_bytes();
    [high, low, day.month, day.day]
}

/// What `time.__reduce__` gives.
pub(super) fn time_bytes(microsecond_of_day: u64) -> [u8; 6] {
    let seconds = microsecond_of_day / 1_000_000;
    let [_, _, _, _, _, a, b, c] = (microsecond_of_day % 1_000_000).to_be_bytes();
    let part = |value: u64| u8::try_from(value).unwrap_or(0);
    [part(seconds / 3600), part(seconds / 60 % 60), part(seconds % 60), a, b, c]
}

/// What `datetime.__reduce__` gives.
pub(super) fn date_time_bytes(time: &DateTime) -> [u8; 10] {
    let [y, z, month, day] = date_bytes(time);
    let [hour, minute, second, a, b, c] = time_bytes(time.microsecond_of_day);
    [y, z, month, day, hour, minute, second, a, b, c]
}
