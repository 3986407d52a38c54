//! `categorize`: the place of a text in a list of labels, counted from 1; 0 for any other text.

use std::collections::HashMap;
use std::sync::Arc;

use super::number::{CastFn, Kind, Number, Stored, cast, not_whole};
use crate::codec::{Codec, HeapCodec, Scratch, Stage, Step, StoredNumber, spare, wrong_len};
use crate::codec::{Endian, swap_items};
use crate::dtype::{DType, HEAP_ITEM_LEN};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::values::HeapItem;

const NAME: &str = "categorize";

/// Texts of variable length, or, with labels in that form, items of fixed length.
#[derive(Debug)]
struct Categorize {
    labels: Vec<Vec<u8>>,
    places: HashMap<Vec<u8>, u64>,
    encoded: Stored,
    to_encoded: CastFn,
    to_place: CastFn,
}

/// # Errors
/// `Unsupported` for items that are no text, `InvalidInput` for more labels than numbers.
pub(super) fn new(labels: &[String], encoded: &StoredNumber, stage: &Stage) -> Result<Step> {
    match &stage.dtype {
        DType::String(_) => {
            let labels = labels.iter().map(|label| label.as_bytes().to_vec()).collect();
            Ok(Step::Heap(Arc::new(Categorize::new(labels, encoded)?)))
        }
        DType::Unicode(n_chars) => {
            let labels = labels.iter().map(|label| padded(label, *n_chars, stage)).collect();
            let item_size = stage.dtype.item_size().max(1);
            let places = Categorize::new(labels, encoded)?;
            Ok(Step::Codec(Arc::new(FixedCategorize { item_size, places })))
        }
        other => Err(Error::unsupported(format!("{NAME}: items of type {other}"))),
    }
}

/// `label` as an item of `n_chars` characters, cut off where it is longer, as numpy does.
fn padded(label: &str, n_chars: usize, stage: &Stage) -> Vec<u8> {
    let chars = label.chars().chain(std::iter::repeat('\0')).take(n_chars);
    let mut item: Vec<u8> = chars.flat_map(|c| u32::from(c).to_le_bytes()).collect();
    if stage.endian == Endian::Big {
        swap_items(&stage.dtype, &mut item);
    }
    item
}

impl Categorize {
    fn new(labels: Vec<Vec<u8>>, encoded: &StoredNumber) -> Result<Self> {
        let stored = Stored::new(NAME, encoded)?;
        let highest = stored.kind.integer_range().map_or(i128::MAX, |(_, highest)| highest);
        if labels.len() as i128 > highest {
            let n = labels.len();
            return Err(Error::invalid(format!(
                "{NAME}: expected at most {highest} labels in {}, found {n}",
                encoded.dtype
            )));
        }
        // A label that is there twice is the later one.
        let places = labels.iter().cloned().zip(1..).collect();
        let (to_encoded, to_place) = (cast(Kind::U64, stored.kind), cast(stored.kind, Kind::I64));
        Ok(Self { labels, places, encoded: stored, to_encoded, to_place })
    }

    fn put(&self, text: &[u8], out: &mut Vec<u8>) {
        let place = self.places.get(text).copied().unwrap_or(0);
        let mut number = [0; 8];
        let number = &mut number[..self.encoded.kind.size()];
        (self.to_encoded)(&place.store(), number);
        self.encoded.swap(number);
        out.extend_from_slice(number);
    }

    /// The index of the label that each number stands for.
    fn indices<'e>(&'e self, encoded: &'e [u8]) -> impl Iterator<Item = Option<usize>> + 'e {
        encoded.chunks_exact(self.encoded.kind.size()).map(|number| {
            let (mut buffer, mut place) = ([0; 8], [0; 8]);
            (self.to_place)(self.encoded.native(number, &mut buffer), &mut place);
            let place = usize::try_from(i64::load(place)).ok()?;
            place.checked_sub(1).filter(|&at| at < self.labels.len())
        })
    }

    fn check_len(&self, encoded: &[u8]) -> Result<usize> {
        let size = self.encoded.kind.size();
        if !encoded.len().is_multiple_of(size) {
            return Err(Error::corrupt(not_whole(NAME, size, encoded.len())));
        }
        Ok(encoded.len() / size)
    }
}

impl HeapCodec for Categorize {
    fn name(&self) -> &'static str {
        NAME
    }

    fn n_items(&self, encoded: &[u8]) -> Option<usize> {
        self.check_len(encoded).ok()
    }

    fn encode_into(&self, items: &[u8], heap: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        spare::reserve(out, items.len() / HEAP_ITEM_LEN * self.encoded.kind.size())?;
        for item in items.chunks_exact(HEAP_ITEM_LEN) {
            match HeapItem::from_bytes(item).slice(heap, 1) {
                Ok(text) => self.put(text, out),
                Err(error) => {
                    out.truncate(start);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Each label is in the heap once, however many items point to it.
    fn decode_into(
        &self,
        encoded: &[u8],
        items: &mut [u8],
        heap: &mut Vec<u8>,
        limits: &Limits,
    ) -> Result<()> {
        let (n, expected) = (self.check_len(encoded)?, items.len() / HEAP_ITEM_LEN);
        if n != expected {
            return Err(Error::corrupt(format!("{NAME}: expected {expected} items, found {n}")));
        }
        let len: usize = self.labels.iter().map(Vec::len).sum();
        limits.heap(heap.len().saturating_add(len) as u64)?;
        spare::reserve(heap, len)?;
        let places = self.labels.iter().map(|label| {
            let offset = heap.len() as u64;
            heap.extend_from_slice(label);
            HeapItem { offset, len: label.len() as u64 }.to_bytes()
        });
        let places: Vec<_> = places.collect();
        let empty = HeapItem::default().to_bytes();
        for (item, at) in items.chunks_exact_mut(HEAP_ITEM_LEN).zip(self.indices(encoded)) {
            item.copy_from_slice(at.and_then(|at| places.get(at)).unwrap_or(&empty));
        }
        Ok(())
    }
}

/// Items of fixed length, which are equal to a label byte by byte.
#[derive(Debug)]
struct FixedCategorize {
    item_size: usize,
    places: Categorize,
}

impl Codec for FixedCategorize {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        (raw_len / self.item_size).saturating_mul(self.places.encoded.kind.size())
    }

    fn has_fixed_len(&self) -> bool {
        true
    }

    fn decoded_len(&self, encoded: &[u8]) -> Option<u64> {
        let n = encoded.len() / self.places.encoded.kind.size();
        (n as u64).checked_mul(self.item_size as u64)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _: &mut Scratch) -> Result<()> {
        if !raw.len().is_multiple_of(self.item_size) {
            return Err(Error::invalid(not_whole(NAME, self.item_size, raw.len())));
        }
        spare::reserve(out, self.encoded_bound(raw.len()))?;
        raw.chunks_exact(self.item_size).for_each(|item| self.places.put(item, out));
        Ok(())
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let len = self.places.check_len(encoded)?.saturating_mul(self.item_size);
        let room = out.len();
        let out = out.get_mut(..len).ok_or_else(|| wrong_len(NAME, room, len))?;
        let items = out.chunks_exact_mut(self.item_size);
        for (item, at) in items.zip(self.places.indices(encoded)) {
            match at.and_then(|at| self.places.labels.get(at)) {
                Some(label) => item.copy_from_slice(label),
                None => item.fill(0),
            }
        }
        Ok(len)
    }
}
