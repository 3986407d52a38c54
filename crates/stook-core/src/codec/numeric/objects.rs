//! Items as one document, behind them their dtype and shape: what numcodecs' object codecs share.
//!
//! A document is a list of the items along the first axis, each a list along the next, to the items
//! themselves; then the dtype as numpy writes it, then the shape. Text of variable length and
//! numbers are items; any other object is refused by name.

use std::sync::Arc;

use super::number::{Kind, Number, Stored, cast, not_whole};
use crate::codec::{Codec, Endian, HeapCodec, Scratch, Stage, Step, spare, wrong_len};
use crate::dtype::{DType, HEAP_ITEM_LEN};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::values::HeapItem;

/// More axes than numpy has are refused.
const MAX_RANK: usize = 64;

/// What stands at the end of all lists.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Leaf<'d> {
    Text(std::borrow::Cow<'d, str>),
    Integer(i128),
    Float(f64),
    Truth(bool),
    /// Something else, by its name.
    Other(&'static str),
}

/// Writes documents of one notation.
pub(super) trait Writer {
    fn open(&mut self, n: usize);
    /// Before the element numbered `at` of a list.
    fn element(&mut self, at: usize);
    fn close(&mut self);
    /// # Errors
    /// What the notation has no form for.
    fn leaf(&mut self, leaf: &Leaf<'_>) -> Result<(), String>;
}

/// Reads documents of one notation; errors say what was expected and found.
pub(super) trait Reader<'d> {
    /// Begins a list of `n` elements.
    fn open(&mut self, n: usize) -> Result<(), String>;
    fn element(&mut self, at: usize) -> Result<(), String>;
    fn close(&mut self) -> Result<(), String>;
    fn leaf(&mut self) -> Result<Leaf<'d>, String>;
    /// The end of the document.
    fn finish(&mut self) -> Result<(), String>;
}

/// A notation.
pub(super) trait Notation: std::fmt::Debug + Send + Sync {
    fn name(&self) -> &'static str;
    /// Whether a single item without axes is a list of one.
    fn has_scalars(&self) -> bool;
    /// # Errors
    /// `Unsupported` for settings that are only read.
    fn writer<'o>(&'o self, out: &'o mut Vec<u8>) -> Result<Box<dyn Writer + 'o>>;
    fn reader<'d>(&'d self, document: &'d [u8]) -> Box<dyn Reader<'d> + 'd>;
}

/// Items of a chunk in a notation.
#[derive(Debug)]
struct Objects {
    notation: Box<dyn Notation>,
    shape: Vec<usize>,
    /// numpy's name of the type.
    dtype: String,
    /// `None` for text.
    numbers: Option<Stored>,
}

/// # Errors
/// `Unsupported` for items that are neither text nor numbers, and where chunks differ in shape.
pub(super) fn new(notation: Box<dyn Notation>, stage: &Stage) -> Result<Step> {
    let name = notation.name();
    let shape = stage.shape.as_ref().filter(|shape| shape.len() <= MAX_RANK);
    let shape =
        shape.ok_or_else(|| Error::unsupported(format!("{name}: chunks of no one shape")))?;
    if shape.is_empty() && !notation.has_scalars() {
        return Err(Error::unsupported(format!("{name}: an item without axes")));
    }
    let shape = shape.iter().map(|&len| usize::try_from(len).unwrap_or(usize::MAX)).collect();
    if let DType::String(_) = stage.dtype {
        let dtype = "|O".to_owned();
        return Ok(Step::Heap(Arc::new(Objects { notation, shape, dtype, numbers: None })));
    }
    let numbers = Stored::of(name, &stage.dtype, stage.endian)?;
    let dtype = numpy_name(numbers.kind, stage.endian);
    Ok(Step::Codec(Arc::new(Objects { notation, shape, dtype, numbers: Some(numbers) })))
}

fn numpy_name(kind: Kind, endian: Endian) -> String {
    let order = match (kind.size(), endian) {
        (1, _) => '|',
        (_, Endian::Little) => '<',
        (_, Endian::Big) => '>',
    };
    let class = match kind {
        Kind::Bool => 'b',
        Kind::I8 | Kind::I16 | Kind::I32 | Kind::I64 => 'i',
        Kind::U8 | Kind::U16 | Kind::U32 | Kind::U64 => 'u',
        Kind::F16 | Kind::F32 | Kind::F64 => 'f',
    };
    format!("{order}{class}{}", kind.size())
}

impl Objects {
    fn n_items(&self) -> usize {
        self.shape.iter().fold(1, |n: usize, &len| n.saturating_mul(len))
    }

    /// The lengths of the nested lists.
    fn axes(&self) -> &[usize] {
        if self.shape.is_empty() { &[1] } else { &self.shape }
    }

    fn put<'i>(
        &self,
        writer: &mut dyn Writer,
        leaves: &mut dyn Iterator<Item = Result<Leaf<'i>, String>>,
    ) -> Result<(), String> {
        let axes = self.axes();
        let (&first, rest) = axes.split_first().ok_or("no axis")?;
        writer.open(first + 2);
        for at in 0..first {
            writer.element(at);
            put_list(writer, rest, leaves)?;
        }
        writer.element(first);
        writer.leaf(&Leaf::Text(self.dtype.as_str().into()))?;
        writer.element(first + 1);
        writer.open(self.shape.len());
        for (at, &len) in self.shape.iter().enumerate() {
            writer.element(at);
            writer.leaf(&Leaf::Integer(len as i128))?;
        }
        writer.close();
        writer.close();
        Ok(())
    }

    fn take<'d>(
        &self,
        reader: &mut dyn Reader<'d>,
        each: &mut dyn FnMut(Leaf<'d>) -> Result<(), String>,
    ) -> Result<(), String> {
        let axes = self.axes();
        let (&first, rest) = axes.split_first().ok_or("no axis")?;
        reader.open(first.saturating_add(2))?;
        for at in 0..first {
            reader.element(at)?;
            take_list(reader, rest, each)?;
        }
        reader.element(first)?;
        expect(&Leaf::Text(self.dtype.as_str().into()), &reader.leaf()?)?;
        reader.element(first + 1)?;
        reader.open(self.shape.len())?;
        for (at, &len) in self.shape.iter().enumerate() {
            reader.element(at)?;
            expect(&Leaf::Integer(len as i128), &reader.leaf()?)?;
        }
        reader.close()?;
        reader.close()?;
        reader.finish()
    }

    fn corrupt(&self, what: &str) -> Error {
        Error::corrupt(format!("{}: {what}", self.notation.name()))
    }

    fn invalid(&self, what: &str) -> Error {
        Error::invalid(format!("{}: {what}", self.notation.name()))
    }
}

fn put_list<'i>(
    writer: &mut dyn Writer,
    axes: &[usize],
    leaves: &mut dyn Iterator<Item = Result<Leaf<'i>, String>>,
) -> Result<(), String> {
    let Some((&n, rest)) = axes.split_first() else {
        let leaf = leaves.next().ok_or("fewer items than the chunk has")??;
        return writer.leaf(&leaf);
    };
    writer.open(n);
    for at in 0..n {
        writer.element(at);
        put_list(writer, rest, leaves)?;
    }
    writer.close();
    Ok(())
}

fn take_list<'d>(
    reader: &mut dyn Reader<'d>,
    axes: &[usize],
    each: &mut dyn FnMut(Leaf<'d>) -> Result<(), String>,
) -> Result<(), String> {
    let Some((&n, rest)) = axes.split_first() else {
        return each(reader.leaf()?);
    };
    reader.open(n)?;
    for at in 0..n {
        reader.element(at)?;
        take_list(reader, rest, each)?;
    }
    reader.close()
}

fn expect(expected: &Leaf<'_>, found: &Leaf<'_>) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("expected {expected:?}, found {found:?}")) }
}

impl HeapCodec for Objects {
    fn name(&self) -> &'static str {
        self.notation.name()
    }

    fn encode_into(&self, items: &[u8], heap: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let (start, expected) = (out.len(), self.n_items());
        let n = items.len() / HEAP_ITEM_LEN;
        if n != expected {
            return Err(self.invalid(&format!("expected {expected} items, found {n}")));
        }
        let mut texts = items.chunks_exact(HEAP_ITEM_LEN).map(|item| {
            let payload = HeapItem::from_bytes(item).slice(heap, 1).map_err(|e| e.to_string())?;
            let text = str::from_utf8(payload).map_err(|_| "an item is not valid UTF-8")?;
            Ok(Leaf::Text(text.into()))
        });
        let done = self.put(&mut *self.notation.writer(out)?, &mut texts);
        done.map_err(|what| {
            out.truncate(start);
            self.invalid(&what)
        })
    }

    fn decode_into(
        &self,
        encoded: &[u8],
        items: &mut [u8],
        heap: &mut Vec<u8>,
        limits: &Limits,
    ) -> Result<()> {
        let (expected, found) = (self.n_items(), items.len() / HEAP_ITEM_LEN);
        if expected != found {
            return Err(self.corrupt(&format!("expected {expected} items, found {found}")));
        }
        // Text is never longer than what stands for it.
        let start = heap.len();
        limits.heap(start.saturating_add(encoded.len()) as u64)?;
        spare::reserve(heap, encoded.len())?;
        let mut places = items.chunks_exact_mut(HEAP_ITEM_LEN);
        let mut each = |leaf: Leaf<'_>| match (leaf, places.next()) {
            (Leaf::Text(text), Some(place)) => {
                let item = HeapItem { offset: heap.len() as u64, len: text.len() as u64 };
                place.copy_from_slice(&item.to_bytes());
                heap.extend_from_slice(text.as_bytes());
                Ok(())
            }
            (leaf, _) => Err(format!("expected text, found {leaf:?}")),
        };
        let done = self.take(&mut *self.notation.reader(encoded), &mut each);
        done.map_err(|what| {
            heap.truncate(start);
            self.corrupt(&what)
        })
    }
}

/// The number whose bytes in the machine's order are `item`.
fn load(kind: Kind, item: &[u8]) -> Leaf<'static> {
    let as_kind = |to: Kind| {
        let mut bytes = [0; 8];
        cast(kind, to)(item, &mut bytes);
        bytes
    };
    match kind {
        Kind::Bool => Leaf::Truth(item != [0]),
        Kind::U64 => Leaf::Integer(u64::load(as_kind(Kind::U64)).into()),
        _ if kind.is_float() => Leaf::Float(f64::load(as_kind(Kind::F64))),
        _ => Leaf::Integer(i64::load(as_kind(Kind::I64)).into()),
    }
}

/// The bytes of the number in the machine's order.
fn store(kind: Kind, leaf: &Leaf<'_>, item: &mut [u8]) -> Result<(), String> {
    match (leaf, kind.integer_range()) {
        (Leaf::Truth(truth), None) if kind == Kind::Bool => item.fill(u8::from(*truth)),
        (Leaf::Integer(integer), Some((low, high))) if (low..=high).contains(integer) => {
            cast(Kind::U64, kind)(&(*integer as u64).store(), item);
        }
        (Leaf::Float(float), None) if kind.is_float() => {
            cast(Kind::F64, kind)(&float.store(), item)
        }
        (Leaf::Integer(integer), None) if kind.is_float() => {
            cast(Kind::F64, kind)(&(*integer as f64).store(), item);
        }
        _ => return Err(format!("expected a number of its type, found {leaf:?}")),
    }
    Ok(())
}

impl Codec for Objects {
    fn name(&self) -> &'static str {
        self.notation.name()
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        // No number, with what stands around it, is longer.
        raw_len.saturating_mul(64).saturating_add(64 << 10)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _: &mut Scratch) -> Result<()> {
        let Some(numbers) = self.numbers else { return Err(self.invalid("expected numbers")) };
        let (size, expected) = (numbers.kind.size(), self.n_items());
        if raw.len() != expected.saturating_mul(size) {
            let what = not_whole(self.notation.name(), size, raw.len());
            return Err(Error::invalid(format!("{what} for {expected}")));
        }
        let start = out.len();
        let mut leaves = raw.chunks_exact(size).map(|item| {
            let mut buffer = [0; 8];
            Ok(load(numbers.kind, numbers.native(item, &mut buffer)))
        });
        let done = self.put(&mut *self.notation.writer(out)?, &mut leaves);
        done.map_err(|what| {
            out.truncate(start);
            self.invalid(&what)
        })
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let Some(numbers) = self.numbers else { return Err(self.corrupt("expected numbers")) };
        let (room, len) = (out.len(), self.n_items().saturating_mul(numbers.kind.size()));
        let out = out.get_mut(..len).ok_or_else(|| wrong_len(self.notation.name(), room, len))?;
        let mut places = out.chunks_exact_mut(numbers.kind.size());
        let mut each = |leaf: Leaf<'_>| {
            let place = places.next().ok_or("more items than the chunk has")?;
            store(numbers.kind, &leaf, place)?;
            numbers.swap(place);
            Ok(())
        };
        let done = self.take(&mut *self.notation.reader(encoded), &mut each);
        done.map_err(|what| self.corrupt(&what))?;
        Ok(len)
    }
}
