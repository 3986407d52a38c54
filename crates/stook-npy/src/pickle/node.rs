//! The objects of a pickle.

use std::sync::Arc;

use stook_core::file::FileIo;
use stook_core::{Error, Limits, Result};

use super::array::{Descr, PickledArray};
use super::class::{Class, Object};
use super::global::Global;
use super::payload::Stored;
use super::read::Machine;

/// The place of an object in its [`Pickle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(super) u32);

/// A date with a time of day, without a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DateTime {
    /// 1 to 9999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// Microseconds since midnight.
    pub microsecond_of_day: u64,
}

/// An object.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Node {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer of up to 128 bits.
    Int(i128),
    /// A longer one: two's complement, little-endian.
    BigInt(Vec<u8>),
    /// A float.
    Float(f64),
    /// A complex number: real, imaginary.
    Complex(f64, f64),
    /// Text.
    Text(String),
    /// A `str` of Python 2: text or bytes, the pickle does not say which.
    ByteText(Vec<u8>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Bytes that stay in the file that the pickle is read from, because they are many
    /// ([`Pickle::parse_file`]).
    StoredBytes(Stored),
    /// A `bytearray`.
    ByteArray(Vec<u8>),
    /// A list.
    List(Vec<NodeId>),
    /// A tuple.
    Tuple(Vec<NodeId>),
    /// A dictionary, in its order.
    Dict(Vec<(NodeId, NodeId)>),
    /// A `collections.OrderedDict`.
    OrderedDict(Vec<(NodeId, NodeId)>),
    /// A set.
    Set(Vec<NodeId>),
    /// A frozen set.
    FrozenSet(Vec<NodeId>),
    /// A slice: start, stop, step.
    Slice([NodeId; 3]),
    /// A range: start, stop, step.
    Range([i128; 3]),
    /// A `datetime.datetime` without a zone.
    DateTime(DateTime),
    /// A `datetime.date`.
    Date(DateTime),
    /// A `datetime.time` without a zone, in microseconds since midnight.
    Time(u64),
    /// A `datetime.timedelta` in microseconds.
    TimeDelta(i128),
    /// A path of `pathlib`, as text.
    Path(String),
    /// A dtype of numpy.
    DType(Arc<Descr>),
    /// A scalar of numpy: an array without axes.
    Scalar(Arc<PickledArray>),
    /// An array of numpy.
    Array(Arc<PickledArray>),
    /// An object of a class that the reader was told of.
    Object(Box<Object>),
    /// Something that is called to make an object; data only as the first part of that call.
    #[doc(hidden)]
    Callable(Callable),
    /// An array that has no state yet.
    #[doc(hidden)]
    BareArray,
}

/// See [`Node::Callable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Callable(pub(super) Named);

/// What a pickle names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Global(Global),
    Class(Class),
}

impl Node {
    /// What it is, as Python names its type.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::BigInt(_) => "int",
            Self::Float(_) => "float",
            Self::Complex(..) => "complex",
            Self::Text(_) | Self::ByteText(_) => "str",
            Self::Bytes(_) | Self::StoredBytes(_) => "bytes",
            Self::ByteArray(_) => "bytearray",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Dict(_) => "dict",
            Self::OrderedDict(_) => "OrderedDict",
            Self::Set(_) => "set",
            Self::FrozenSet(_) => "frozenset",
            Self::Slice(_) => "slice",
            Self::Range(_) => "range",
            Self::DateTime(_) => "datetime",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::TimeDelta(_) => "timedelta",
            Self::Path(_) => "path",
            Self::DType(_) => "dtype",
            Self::Scalar(_) => "numpy scalar",
            Self::Array(_) | Self::BareArray => "ndarray",
            Self::Object(object) => object.class.name,
            Self::Callable(_) => "type",
        }
    }

    /// The text of a `str`, whichever Python wrote it.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Path(text) => Some(text),
            Self::ByteText(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// The bytes of a `bytes` or `bytearray`, or a `str` of Python 2.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) | Self::ByteArray(bytes) | Self::ByteText(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The integer, if it is one of up to 128 bits.
    #[must_use]
    pub fn as_int(&self) -> Option<i128> {
        match self {
            Self::Int(value) => Some(*value),
            Self::Bool(value) => Some(i128::from(*value)),
            _ => None,
        }
    }

    /// Bytes of what it holds beside other objects.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Text(text) | Self::Path(text) => text.len(),
            Self::BigInt(bytes)
            | Self::ByteText(bytes)
            | Self::Bytes(bytes)
            | Self::ByteArray(bytes) => bytes.len(),
            Self::Scalar(array) | Self::Array(array) => array.bytes.len_bytes(),
            _ => 0,
        }
    }
}

/// The objects of one pickle.
#[derive(Clone, Debug, PartialEq)]
pub struct Pickle {
    pub(super) nodes: Vec<Node>,
    pub(super) root: NodeId,
}

impl Pickle {
    /// Reads the pickle that `bytes` begin with.
    ///
    /// # Errors
    /// `Corrupt` where they are no pickle, `Unsupported` naming what they would run or what is
    /// no plain data, `LimitExceeded` where the objects would take more memory than
    /// [`Limits::chunk_len_bytes`].
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self> {
        Machine::new(bytes, limits, &[]).run()
    }

    /// Like [`Pickle::parse`], where objects of `classes` are data, too ([`Node::Object`]), and
    /// protocols 0 and 1 are read as well.
    ///
    /// # Errors
    /// As those of [`Pickle::parse`].
    pub fn parse_with(bytes: &[u8], limits: &Limits, classes: &[Class]) -> Result<Self> {
        Machine::new(bytes, limits, classes).reading_text().run()
    }

    /// The same of a file, all of which is the pickle. Long runs of bytes are not read, but where they
    /// are is kept ([`Node::StoredBytes`], [`Payload::Stored`](super::Payload::Stored)).
    ///
    /// # Errors
    /// As those of [`Pickle::parse`], `Io`.
    pub fn parse_file(file: &Arc<dyn FileIo>, limits: &Limits, classes: &[Class]) -> Result<Self> {
        Machine::of_file(file, limits, classes)?.reading_text().run()
    }

    /// A pickle of one object; more are added with [`Pickle::add`].
    #[must_use]
    pub fn new(root: Node) -> Self {
        Self { nodes: vec![root], root: NodeId(0) }
    }

    /// Adds an object and returns its place.
    ///
    /// # Errors
    /// `LimitExceeded` for more than `u32::MAX` objects.
    pub fn add(&mut self, node: Node) -> Result<NodeId> {
        let id = u32::try_from(self.nodes.len());
        let id = id.map_err(|_| Error::limit("pickle: more than 4294967295 objects"))?;
        self.nodes.push(node);
        Ok(NodeId(id))
    }

    /// The object that the pickle is of.
    #[must_use]
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// Makes the object at `root` the one that the pickle is of.
    #[must_use]
    pub fn with_root(self, root: NodeId) -> Self {
        Self { root, ..self }
    }

    /// The object at `id`; `None` if that is the place in another pickle.
    #[must_use]
    pub fn get(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(usize::try_from(id.0).ok()?)
    }

    /// The object at `id`.
    ///
    /// # Errors
    /// `InvalidInput` if `id` is no place in this pickle.
    pub fn node(&self, id: NodeId) -> Result<&Node> {
        let missing = || Error::invalid(format!("pickle: there is no object {}", id.0));
        self.get(id).ok_or_else(missing)
    }

    /// The value of `key` in the dictionary at `dict`.
    #[must_use]
    pub fn item(&self, dict: NodeId, key: &str) -> Option<NodeId> {
        let (Node::Dict(pairs) | Node::OrderedDict(pairs)) = self.get(dict)? else { return None };
        let is_key = |id: NodeId| self.get(id).and_then(Node::as_text) == Some(key);
        pairs.iter().rev().find(|(id, _)| is_key(*id)).map(|(_, value)| *value)
    }
}
