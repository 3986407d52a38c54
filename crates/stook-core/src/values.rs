//! Items in memory: a shape, fixed-size items in C order, and a heap for what varies in length.

use crate::bytes::SharedBytes;
use crate::dtype::{DType, HEAP_ITEM_LEN};
use crate::error::{Error, Result};

/// Where an item of variable length lies in the heap of its [`Values`].
///
/// In memory: two native-endian `u64`, offset then length. The length counts bytes for strings,
/// bytes and references, and items for sequences, whose items lie contiguously at the offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapItem {
    /// First byte in the heap.
    pub offset: u64,
    /// Bytes, or items of a sequence.
    pub len: u64,
}

impl HeapItem {
    /// The item whose bytes these are; missing bytes read as an empty item.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let word = |at: usize| {
            let bytes = bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
            bytes.map_or(0, u64::from_ne_bytes)
        };
        Self { offset: word(0), len: word(8) }
    }

    /// The bytes of this item.
    #[must_use]
    #[expect(clippy::host_endian_bytes, reason = "heap items never leave memory")]
    pub fn to_bytes(self) -> [u8; HEAP_ITEM_LEN] {
        let mut bytes = [0; HEAP_ITEM_LEN];
        bytes[..8].copy_from_slice(&self.offset.to_ne_bytes());
        bytes[8..].copy_from_slice(&self.len.to_ne_bytes());
        bytes
    }

    /// The payload in `heap` of an item whose unit has `unit` bytes.
    ///
    /// # Errors
    /// `Corrupt` if the item points out of the heap.
    pub fn slice(self, heap: &[u8], unit: usize) -> Result<&[u8]> {
        let range = || {
            let start = usize::try_from(self.offset).ok()?;
            let len = usize::try_from(self.len).ok()?.checked_mul(unit)?;
            heap.get(start..start.checked_add(len)?)
        };
        if self.len == 0 {
            return Ok(&[]);
        }
        range().ok_or_else(|| {
            Error::corrupt(format!(
                "variable-length item at {} of length {} lies outside its heap of {} bytes",
                self.offset,
                self.len,
                heap.len()
            ))
        })
    }
}

/// Adds `delta` to the heap offset of every heap item in `items`, nested ones in `heap` included.
///
/// Used when heaps are concatenated: `heap` is the part that the items point into *after* the
/// shift, that is the whole new heap, and nested items are found through the shifted offsets.
///
/// # Errors
/// `Corrupt` if an item points out of the heap.
pub fn rebase(dtype: &DType, items: &mut [u8], heap: &mut [u8], delta: u64) -> Result<()> {
    if !dtype.has_heap() || delta == 0 {
        return Ok(());
    }
    let size = dtype.item_size().max(1);
    for item in items.chunks_exact_mut(size) {
        rebase_item(dtype, item, heap, delta)?;
    }
    Ok(())
}

fn rebase_item(dtype: &DType, item: &mut [u8], heap: &mut [u8], delta: u64) -> Result<()> {
    match dtype {
        DType::String(_) | DType::Bytes | DType::Reference | DType::Sequence(_) => {
            let mut at = HeapItem::from_bytes(item);
            at.offset =
                at.offset.checked_add(delta).ok_or_else(|| Error::corrupt("heap overflows"))?;
            item.copy_from_slice(&at.to_bytes());
            if let DType::Sequence(inner) = dtype
                && inner.has_heap()
            {
                let mut nested = at.slice(heap, inner.item_size())?.to_vec();
                rebase(inner, &mut nested, heap, delta)?;
                let start = usize::try_from(at.offset).unwrap_or(usize::MAX);
                if let Some(place) = heap.get_mut(start..start.saturating_add(nested.len())) {
                    place.copy_from_slice(&nested);
                }
            }
            Ok(())
        }
        DType::Struct(r#struct) => {
            for field in &r#struct.fields {
                let end = field.offset + field.dtype.item_size();
                if let Some(part) = item.get_mut(field.offset..end) {
                    rebase_item(&field.dtype, part, heap, delta)?;
                }
            }
            Ok(())
        }
        DType::Array(array) => rebase(&array.item, item, heap, delta),
        _ => Ok(()),
    }
}

/// Calls `visit` with the type and the 16 bytes of every heap item in `items`; items that lie in
/// the payload of a sequence are not visited.
pub fn for_each_heap_item(
    dtype: &DType,
    items: &mut [u8],
    visit: &mut dyn FnMut(&DType, &mut [u8]),
) {
    match dtype {
        DType::String(_) | DType::Bytes | DType::Reference | DType::Sequence(_) => {
            items.chunks_exact_mut(HEAP_ITEM_LEN).for_each(|item| visit(dtype, item));
        }
        DType::Struct(r#struct) => {
            for item in items.chunks_exact_mut(r#struct.size.max(1)) {
                for field in r#struct.fields.iter().filter(|field| field.dtype.has_heap()) {
                    let end = field.offset.saturating_add(field.dtype.item_size());
                    if let Some(part) = item.get_mut(field.offset..end) {
                        for_each_heap_item(&field.dtype, part, visit);
                    }
                }
            }
        }
        DType::Array(array) => for_each_heap_item(&array.item, items, visit),
        _ => {}
    }
}

/// Copies the payload of one heap item of `dtype` from `from` to the end of `to`, nested items
/// included, and lets the item point there.
///
/// # Errors
/// `Corrupt` if an item points out of `from`.
pub fn relocate(dtype: &DType, item: &mut [u8], from: &[u8], to: &mut Vec<u8>) -> Result<()> {
    let mut at = HeapItem::from_bytes(item);
    let inner = if let DType::Sequence(inner) = dtype { Some(&**inner) } else { None };
    let payload = at.slice(from, inner.map_or(1, DType::item_size))?;
    let mut failure = None;
    match inner.filter(|inner| inner.has_heap()) {
        None => {
            at.offset = to.len() as u64;
            to.extend_from_slice(payload);
        }
        Some(inner) => {
            let mut payload = payload.to_vec();
            for_each_heap_item(inner, &mut payload, &mut |dtype, item| {
                if let Err(error) = relocate(dtype, item, from, to) {
                    failure.get_or_insert(error);
                }
            });
            at.offset = to.len() as u64;
            to.extend_from_slice(&payload);
        }
    }
    item.copy_from_slice(&at.to_bytes());
    failure.map_or(Ok(()), Err)
}

/// Items of one type in an n-dimensional C-order array, owned or lent by whoever owns them.
#[derive(Clone)]
pub struct Values {
    dtype: DType,
    shape: Vec<u64>,
    items: SharedBytes,
    heap: Vec<u8>,
}

/// What they are and how many, not each of them.
impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: usize = 32;
        let shown = self.items.get(..SHOWN.min(self.items.len())).unwrap_or_default();
        let more = if shown.len() < self.items.len() { " …" } else { "" };
        write!(f, "Values({} {:?}: {shown:?}{more})", self.dtype, self.shape)
    }
}

impl Values {
    /// Values from their parts; `items` has `shape.product() * dtype.item_size()` bytes in the
    /// machine's byte order.
    ///
    /// # Errors
    /// `InvalidInput` if the lengths do not match.
    pub fn new(dtype: DType, shape: Vec<u64>, items: Vec<u8>, heap: Vec<u8>) -> Result<Self> {
        Self::with(dtype, shape, items.into(), heap)
    }

    /// Values without a heap whose items somebody lends: they are not copied.
    ///
    /// # Errors
    /// `InvalidInput` if the lengths do not match.
    pub fn lent(dtype: DType, shape: Vec<u64>, items: SharedBytes) -> Result<Self> {
        Self::with(dtype, shape, items, Vec::new())
    }

    fn with(dtype: DType, shape: Vec<u64>, items: SharedBytes, heap: Vec<u8>) -> Result<Self> {
        let expected = byte_len(&shape, dtype.item_size())?;
        if items.len() != expected {
            return Err(Error::invalid(format!(
                "shape {shape:?} of {dtype}: expected {expected} bytes, found {}",
                items.len()
            )));
        }
        Ok(Self { dtype, shape, items, heap })
    }

    /// Zeroed values (empty strings, NaT excepted: all bytes are zero).
    ///
    /// # Errors
    /// `LimitExceeded` if the size overflows memory.
    pub fn zeroed(dtype: DType, shape: Vec<u64>) -> Result<Self> {
        let items: Vec<u8> = crate::memory::zeroed(byte_len(&shape, dtype.item_size())?)?;
        Ok(Self { dtype, shape, items: items.into(), heap: Vec::new() })
    }

    /// Variable-length UTF-8 text.
    ///
    /// # Errors
    /// `InvalidInput` if `texts` does not fill `shape`.
    pub fn from_strings<S: AsRef<str>>(shape: Vec<u64>, texts: &[S]) -> Result<Self> {
        let mut items = Vec::with_capacity(texts.len() * HEAP_ITEM_LEN);
        let mut heap = Vec::new();
        for text in texts {
            push_heap_item(&mut items, &mut heap, text.as_ref().as_bytes());
        }
        Self::new(DType::string(), shape, items, heap)
    }

    /// One variable-length UTF-8 text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        let mut items = Vec::with_capacity(HEAP_ITEM_LEN);
        let mut heap = Vec::new();
        push_heap_item(&mut items, &mut heap, text.as_bytes());
        Self { dtype: DType::string(), shape: Vec::new(), items: items.into(), heap }
    }

    /// The type of the items.
    #[must_use]
    pub fn dtype(&self) -> &DType {
        &self.dtype
    }

    /// The shape; empty for a scalar.
    #[must_use]
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// The items in C order.
    #[must_use]
    pub fn items(&self) -> &[u8] {
        &self.items
    }

    /// The payload of heap items; empty for fixed-size types.
    #[must_use]
    pub fn heap(&self) -> &[u8] {
        &self.heap
    }

    /// The number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len().checked_div(self.dtype.item_size()).unwrap_or_else(|| {
            self.shape.iter().map(|&len| usize::try_from(len).unwrap_or(usize::MAX)).product()
        })
    }

    /// Whether there is no item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The parts: dtype, shape, items (a copy of those that are lent), heap.
    #[must_use]
    pub fn into_parts(self) -> (DType, Vec<u64>, Vec<u8>, Vec<u8>) {
        (self.dtype, self.shape, self.items.into_vec(), self.heap)
    }

    /// The same items as those of another type, as long, without a heap; nothing is copied.
    ///
    /// # Errors
    /// `InvalidInput` if the lengths do not match.
    pub fn retyped(self, dtype: DType) -> Result<Self> {
        Self::with(dtype, self.shape, self.items, Vec::new())
    }

    /// The same items under another shape with as many elements.
    ///
    /// # Errors
    /// `InvalidInput` if the numbers of elements differ.
    pub fn reshaped(self, shape: Vec<u64>) -> Result<Self> {
        Self::with(self.dtype, shape, self.items, self.heap)
    }

    /// The bytes of item `at` in C order; `None` past the end.
    #[must_use]
    pub fn item(&self, at: usize) -> Option<&[u8]> {
        let size = self.dtype.item_size();
        let start = at.checked_mul(size)?;
        if at >= self.len() {
            return None;
        }
        self.items.get(start..start.checked_add(size)?)
    }

    /// The payload of item `at` of a string, bytes or reference type.
    ///
    /// # Errors
    /// `InvalidInput` past the end or on another type, `Corrupt` if it points out of the heap.
    pub fn payload(&self, at: usize) -> Result<&[u8]> {
        let item = self.item(at);
        let is_flat = matches!(self.dtype, DType::String(_) | DType::Bytes | DType::Reference);
        match item {
            Some(item) if is_flat => HeapItem::from_bytes(item).slice(&self.heap, 1),
            _ => Err(Error::invalid(format!(
                "item {at} of {} values of type {} has no payload",
                self.len(),
                self.dtype
            ))),
        }
    }

    /// Item `at` as text, for string types of every kind; padding is removed.
    ///
    /// # Errors
    /// `InvalidInput` on another type, `Corrupt` if it is not valid text.
    pub fn text_at(&self, at: usize) -> Result<String> {
        let item = self.item(at).ok_or_else(|| {
            Error::invalid(format!("item {at} is out of bounds for {} items", self.len()))
        })?;
        item_text(&self.dtype, item, &self.heap)
    }
}

/// The items, so that shared values lend them ([`SharedBytes::lent`]).
impl AsRef<[u8]> for Values {
    fn as_ref(&self) -> &[u8] {
        &self.items
    }
}

/// Bit for bit: dtypes, shapes, items, and the payloads that heap items point to.
impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        self.dtype == other.dtype
            && self.shape == other.shape
            && items_equal(&self.dtype, (&self.items, &self.heap), (&other.items, &other.heap))
    }
}

/// Whether two runs of items of one type are equal bit for bit, following heap items.
#[must_use]
pub fn items_equal(dtype: &DType, a: (&[u8], &[u8]), b: (&[u8], &[u8])) -> bool {
    if !dtype.has_heap() {
        return a.0 == b.0;
    }
    let size = dtype.item_size().max(1);
    a.0.len() == b.0.len()
        && a.0
            .chunks_exact(size)
            .zip(b.0.chunks_exact(size))
            .all(|(x, y)| item_equal(dtype, (x, a.1), (y, b.1)))
}

fn item_equal(dtype: &DType, a: (&[u8], &[u8]), b: (&[u8], &[u8])) -> bool {
    match dtype {
        DType::String(_) | DType::Bytes | DType::Reference | DType::Sequence(_) => {
            let unit = if let DType::Sequence(inner) = dtype { inner.item_size() } else { 1 };
            let x = HeapItem::from_bytes(a.0).slice(a.1, unit);
            let y = HeapItem::from_bytes(b.0).slice(b.1, unit);
            match (x, y, dtype) {
                (Ok(x), Ok(y), DType::Sequence(inner)) => items_equal(inner, (x, a.1), (y, b.1)),
                (Ok(x), Ok(y), _) => x == y,
                _ => false,
            }
        }
        DType::Struct(r#struct) => r#struct.fields.iter().all(|field| {
            let range = field.offset..field.offset + field.dtype.item_size();
            match (a.0.get(range.clone()), b.0.get(range)) {
                (Some(x), Some(y)) => item_equal(&field.dtype, (x, a.1), (y, b.1)),
                _ => false,
            }
        }),
        DType::Array(array) => items_equal(&array.item, a, b),
        _ => a.0 == b.0,
    }
}

/// Appends `payload` to `heap` and the item that points to it to `items`.
pub fn push_heap_item(items: &mut Vec<u8>, heap: &mut Vec<u8>, payload: &[u8]) {
    let at = HeapItem { offset: heap.len() as u64, len: payload.len() as u64 };
    items.extend_from_slice(&at.to_bytes());
    heap.extend_from_slice(payload);
}

/// One item of a string type of any kind as text, without its padding.
///
/// # Errors
/// `InvalidInput` if the type is no string type, `Corrupt` if the bytes are not valid text.
pub fn item_text(dtype: &DType, item: &[u8], heap: &[u8]) -> Result<String> {
    let not_text = |_| Error::corrupt(format!("item of type {dtype} is not valid UTF-8"));
    match dtype {
        DType::String(_) | DType::Bytes | DType::Reference => {
            let payload = HeapItem::from_bytes(item).slice(heap, 1)?;
            String::from_utf8(payload.to_vec()).map_err(not_text)
        }
        DType::FixedString(string) => {
            let text = match string.padding {
                crate::dtype::Padding::Space => item.trim_ascii_end(),
                crate::dtype::Padding::NullTerminated => {
                    item.split(|&byte| byte == 0).next().unwrap_or(item)
                }
                crate::dtype::Padding::Null => trim_nul(item),
            };
            String::from_utf8(text.to_vec()).map_err(not_text)
        }
        DType::Unicode(_) => {
            let chars = item.chunks_exact(4).map(|c| {
                #[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
                let code = u32::from_ne_bytes([c[0], c[1], c[2], c[3]]);
                char::from_u32(code)
                    .ok_or_else(|| Error::corrupt(format!("{code:#x} is no Unicode character")))
            });
            let text = chars.collect::<Result<String>>()?;
            Ok(text.trim_end_matches('\0').to_owned())
        }
        _ => Err(Error::invalid(format!("type {dtype} is no string type"))),
    }
}

/// `item` without the NUL bytes at its end.
#[must_use]
pub fn trim_nul(item: &[u8]) -> &[u8] {
    let end = item.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    item.get(..end).unwrap_or(item)
}

/// The bytes of `shape` items of `item_size` bytes.
///
/// # Errors
/// `LimitExceeded` if they overflow memory.
pub fn byte_len(shape: &[u64], item_size: usize) -> Result<usize> {
    let n = shape.iter().try_fold(1_u64, |n, &len| n.checked_mul(len));
    n.and_then(|n| n.checked_mul(item_size as u64))
        .and_then(|n| usize::try_from(n).ok())
        .filter(|&n| isize::try_from(n).is_ok())
        .ok_or_else(|| {
            Error::limit(format!("shape {shape:?} of {item_size}-byte items overflows memory"))
        })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dtype::StructType;

    #[test]
    fn strings_are_found_through_the_heap() {
        let values = Values::from_strings(vec![2], &["ab", "é"]).unwrap();
        assert_eq!(values.text_at(0).unwrap(), "ab");
        assert_eq!(values.text_at(1).unwrap(), "é");
        assert!(values.text_at(2).is_err());
    }

    #[test]
    fn a_heap_item_outside_its_heap_is_corrupt() {
        let item = HeapItem { offset: 3, len: 2 };
        assert!(item.slice(b"abcd", 1).is_err());
        assert!(HeapItem { offset: u64::MAX, len: u64::MAX }.slice(b"abcd", 8).is_err());
    }

    #[test]
    fn rebase_follows_nested_sequences_in_structs() {
        let dtype = DType::Struct(Arc::new(
            StructType::packed([("s".to_owned(), DType::Sequence(Arc::new(DType::string())))])
                .unwrap(),
        ));
        let mut heap = b"abc".to_vec();
        let inner = [HeapItem { offset: 0, len: 1 }, HeapItem { offset: 1, len: 2 }];
        inner.iter().for_each(|item| heap.extend(item.to_bytes()));
        let items = HeapItem { offset: 3, len: 2 }.to_bytes().to_vec();
        let before = Values::new(dtype.clone(), vec![1], items.clone(), heap.clone()).unwrap();
        let mut shifted = [b"12345".as_slice(), &heap].concat();
        let mut moved = items;
        rebase(&dtype, &mut moved, &mut shifted, 5).unwrap();
        assert_eq!(before, Values::new(dtype, vec![1], moved, shifted).unwrap());
    }

    #[test]
    fn lengths_are_checked() {
        assert!(Values::new(DType::Int16, vec![2], vec![0; 3], Vec::new()).is_err());
        assert!(byte_len(&[u64::MAX, 2], 8).is_err());
    }
}
