//! Arrays of Python objects (`|O`), whose elements are one pickle behind the header.
//!
//! Objects of one kind have a dtype of ours: text, bytes, arrays of numbers along one axis,
//! booleans, integers, floats, numpy's scalars of one type. They are read and written. Where kinds
//! differ, each object is its JSON text, for reading only: written back it would be another
//! object.

use std::sync::Arc;

use stook_core::codec::Endian;
use stook_core::dtype::{Charset, DType};
use stook_core::values::{HeapItem, byte_len, push_heap_item};
use stook_core::{Error, Limits, Result, Values};

use crate::pickle::{Descr, Form, Node, NodeId, Pickle, PickledArray, write};

/// The elements of an array of objects.
#[derive(Clone, Debug)]
pub(crate) struct Objects {
    pub(crate) values: Values,
    /// Whether the elements are the text of objects that differ in kind.
    pub(crate) is_mixed: bool,
}

impl Objects {
    /// Elements that nothing was written to.
    ///
    /// # Errors
    /// `LimitExceeded`.
    pub(crate) fn empty(dtype: DType, shape: Vec<u64>) -> Result<Self> {
        Ok(Self { values: Values::zeroed(dtype, shape)?, is_mixed: false })
    }

    /// Reads the pickle behind a header that says `shape`.
    ///
    /// # Errors
    /// `Corrupt`, `LimitExceeded`, `Unsupported` naming what is no plain data.
    pub(crate) fn read(bytes: &[u8], shape: &[u64], limits: &Limits) -> Result<Self> {
        let pickle = Pickle::parse(bytes, limits)?;
        let array = match pickle.node(pickle.root())? {
            Node::Array(array) if array.is_object() => Arc::clone(array),
            other => {
                let found = other.type_name();
                return Err(Error::corrupt(format!("expected an array of objects, found {found}")));
            }
        };
        if array.shape != shape {
            let found = &array.shape;
            return Err(Error::corrupt(format!(
                "expected objects of shape {shape:?}, found {found:?}"
            )));
        }
        match uniform(&pickle, &array.objects)? {
            Some(dtype) => {
                let values = gather(&pickle, &array, dtype, limits)?;
                Ok(Self { values, is_mixed: false })
            }
            None => {
                let texts = pickle.to_texts(&array.objects)?;
                let values = Values::from_strings(array.shape.clone(), &texts)?;
                Ok(Self { values, is_mixed: true })
            }
        }
    }

    /// The pickle of the elements, as numpy 1 writes it, which every numpy reads.
    ///
    /// # Errors
    /// `Unsupported` for types that are no objects, `Corrupt` for text that is not UTF-8.
    pub(crate) fn to_pickle(&self) -> Result<Vec<u8>> {
        let mut pickle = Pickle::new(Node::None);
        let n = self.values.len();
        let mut objects = Vec::with_capacity(n);
        for at in 0..n {
            objects.push(pickle.add(object(&self.values, at)?)?);
        }
        let array = PickledArray::of_objects(self.values.shape().to_vec(), false, objects)?;
        let root = pickle.add(Node::Array(Arc::new(array)))?;
        write(&pickle.with_root(root), Form::Numpy1)
    }
}

/// Whether items of `dtype` can be stored as objects and be read as the same.
pub(crate) fn is_object(dtype: &DType) -> bool {
    match dtype {
        DType::String(Charset::Utf8) | DType::Bytes => true,
        DType::Sequence(item) => is_number(item),
        _ => false,
    }
}

fn is_number(dtype: &DType) -> bool {
    use DType::{
        Bool, Complex64, Complex128, DateTime, Float16, Float32, Float64, Int8, Int16, Int32,
        Int64, LongDouble, TimeDelta, UInt8, UInt16, UInt32, UInt64,
    };
    matches!(
        dtype,
        Bool | Int8
            | Int16
            | Int32
            | Int64
            | UInt8
            | UInt16
            | UInt32
            | UInt64
            | Float16
            | Float32
            | Float64
            | LongDouble
            | Complex64
            | Complex128
            | DateTime(_)
            | TimeDelta(_)
    )
}

/// The type of one object; `None` if it has none of ours.
fn type_of(node: &Node) -> Option<DType> {
    Some(match node {
        Node::Text(_) => DType::string(),
        Node::ByteText(bytes) if std::str::from_utf8(bytes).is_ok() => DType::string(),
        Node::Bytes(_) => DType::Bytes,
        Node::Bool(_) => DType::Bool,
        Node::Int(value) if i64::try_from(*value).is_ok() => DType::Int64,
        Node::Float(_) => DType::Float64,
        Node::Scalar(array) => array.descr.dtype().ok().filter(is_number)?,
        Node::Array(array) if array.shape.len() == 1 => {
            DType::Sequence(Arc::new(array.descr.dtype().ok().filter(is_number)?))
        }
        _ => return None,
    })
}

/// The type that all objects have; `None` where they have none in common.
fn uniform(pickle: &Pickle, objects: &[NodeId]) -> Result<Option<DType>> {
    let Some(first) = objects.first() else { return Ok(Some(DType::string())) };
    let dtype = type_of(pickle.node(*first)?);
    let is_array = matches!(pickle.node(*first)?, Node::Scalar(_));
    for id in objects {
        let node = pickle.node(*id)?;
        if type_of(node) != dtype || matches!(node, Node::Scalar(_)) != is_array {
            return Ok(None);
        }
    }
    Ok(dtype)
}

#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn gather(pickle: &Pickle, array: &PickledArray, dtype: DType, limits: &Limits) -> Result<Values> {
    let mut items = Vec::with_capacity(byte_len(&array.shape, dtype.item_size())?);
    let mut heap = Vec::new();
    for id in &array.objects {
        let node = pickle.node(*id)?;
        // An object that is there once in the file may be every element.
        limits.chunk((heap.len() as u64).saturating_add(node.weight() as u64))?;
        match node {
            Node::Text(text) => push_heap_item(&mut items, &mut heap, text.as_bytes()),
            Node::ByteText(bytes) | Node::Bytes(bytes) => {
                push_heap_item(&mut items, &mut heap, bytes);
            }
            Node::Bool(value) => items.push(u8::from(*value)),
            Node::Int(value) => items.extend(i64::try_from(*value).unwrap_or(0).to_ne_bytes()),
            Node::Float(value) => items.extend(value.to_ne_bytes()),
            Node::Scalar(array) => items.extend_from_slice(array.to_values()?.items()),
            Node::Array(array) => {
                let values = array.to_values()?;
                let at = HeapItem { offset: heap.len() as u64, len: values.len() as u64 };
                items.extend_from_slice(&at.to_bytes());
                heap.extend_from_slice(values.items());
            }
            other => {
                let found = other.type_name();
                return Err(Error::corrupt(format!("expected objects of one type, found {found}")));
            }
        }
    }
    Values::new(dtype, array.shape.clone(), items, heap)
}

/// The object that the element numbered `at` is.
#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn object(values: &Values, at: usize) -> Result<Node> {
    let item = values.item(at).unwrap_or_default();
    Ok(match values.dtype() {
        DType::String(_) => Node::Text(values.text_at(at)?),
        DType::Bytes => Node::Bytes(values.payload(at)?.to_vec()),
        DType::Bool => Node::Bool(item.first().is_some_and(|&byte| byte != 0)),
        DType::Int64 => {
            Node::Int(item.first_chunk().map_or(0, |bytes| i64::from_ne_bytes(*bytes)).into())
        }
        DType::Float64 => {
            Node::Float(item.first_chunk().map_or(0.0, |bytes| f64::from_ne_bytes(*bytes)))
        }
        DType::Sequence(inner) => {
            let bytes = HeapItem::from_bytes(item).slice(values.heap(), inner.item_size())?;
            let len = (bytes.len() / inner.item_size().max(1)) as u64;
            array(inner, vec![len], bytes).map(Node::Array)?
        }
        dtype if is_number(dtype) => array(dtype, Vec::new(), item).map(Node::Scalar)?,
        dtype => return Err(Error::unsupported(format!("{dtype} as objects"))),
    })
}

fn array(dtype: &DType, shape: Vec<u64>, items: &[u8]) -> Result<Arc<PickledArray>> {
    let descr = Descr::Plain { dtype: dtype.clone(), endian: Endian::NATIVE };
    Ok(Arc::new(PickledArray::of_bytes(Arc::new(descr), shape, false, items.to_vec())?))
}
