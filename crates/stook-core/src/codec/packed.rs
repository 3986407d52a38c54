//! Items with parts of variable length as bytes that hold all of each: Zarr's form of structs
//! with text in them and of sequences, and that of attributes that JSON has no type for.
//!
//! Little-endian, without padding: a number as its bytes, a struct member after member, an array
//! element after element; text, bytes and references as a `u32` length and the bytes; a sequence
//! as a `u32` count and its items. A chunk is framed as `vlen-bytes` is: a `u32` counts the
//! items; each is a `u32` length and its bytes. There, an item that is itself a sequence has no
//! count of its own, so that a sequence of numbers is just the numbers. Text in a chunk is UTF-8;
//! what [`pack`] makes holds any bytes of it.

use std::borrow::Cow;

use super::{Endian, HeapCodec, swap_parts, too_short};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::values::HeapItem;

const NAME: &str = "vlen-bytes";

/// The framing of `vlen-bytes` around packed items.
#[derive(Debug)]
pub(super) struct Packed(pub(super) DType);

/// Appends `items`, each of `dtype` with its payload in `heap`, in their packed form.
///
/// # Errors
/// `InvalidInput` where a part has 4 GiB or more, `Corrupt` where one points out of the heap.
pub fn pack(dtype: &DType, items: &[u8], heap: &[u8], out: &mut Vec<u8>) -> Result<()> {
    if is_plain(dtype) {
        let from = out.len();
        out.extend_from_slice(items);
        to_little(dtype, out.get_mut(from..).unwrap_or_default());
        return Ok(());
    }
    items.chunks_exact(dtype.item_size().max(1)).try_for_each(|item| match dtype {
        DType::Struct(r#struct) => r#struct.fields.iter().try_for_each(|field| {
            let end = field.offset.saturating_add(field.dtype.item_size());
            let part = item.get(field.offset..end).unwrap_or_default();
            pack(&field.dtype, part, heap, out)
        }),
        DType::Array(array) => pack(&array.item, item, heap, out),
        DType::Sequence(inner) => {
            let at = HeapItem::from_bytes(item);
            put_len(out, at.len)?;
            pack(inner, at.slice(heap, inner.item_size())?, heap, out)
        }
        _ => {
            let payload = HeapItem::from_bytes(item).slice(heap, 1)?;
            put_len(out, payload.len() as u64)?;
            out.extend_from_slice(payload);
            Ok(())
        }
    })
}

/// Takes as many items of `dtype` as fill `items` from the front of `packed`, appending their
/// payload to `heap`.
///
/// # Errors
/// `Corrupt` where there are fewer, `LimitExceeded` for more payload than allowed.
pub fn unpack(
    dtype: &DType,
    packed: &mut &[u8],
    items: &mut [u8],
    heap: &mut Vec<u8>,
    limits: &Limits,
) -> Result<()> {
    if is_plain(dtype) {
        items.copy_from_slice(take(packed, items.len())?);
        to_little(dtype, items);
        return Ok(());
    }
    items.chunks_exact_mut(dtype.item_size().max(1)).try_for_each(|item| match dtype {
        DType::Struct(r#struct) => r#struct.fields.iter().try_for_each(|field| {
            let end = field.offset.saturating_add(field.dtype.item_size());
            let part = item.get_mut(field.offset..end).unwrap_or_default();
            unpack(&field.dtype, packed, part, heap, limits)
        }),
        DType::Array(array) => unpack(&array.item, packed, item, heap, limits),
        DType::Sequence(inner) => {
            let count = take_len(packed)?;
            // Nothing is allocated for items that cannot be there.
            if count > packed.len() && inner.item_size() > 0 {
                return Err(too_short(NAME, count, packed.len()));
            }
            let len = (count as u64).saturating_mul(inner.item_size() as u64);
            limits.heap(len.saturating_add(heap.len() as u64))?;
            let mut nested = vec![0; limits.heap(len)?];
            unpack(inner, packed, &mut nested, heap, limits)?;
            point(item, heap, &nested, count as u64);
            Ok(())
        }
        _ => {
            let len = take_len(packed)?;
            let payload = take(packed, len)?;
            limits.heap((heap.len() as u64).saturating_add(payload.len() as u64))?;
            point(item, heap, payload, payload.len() as u64);
            Ok(())
        }
    })
}

/// Appends `payload` to `heap` and lets `item` point there.
fn point(item: &mut [u8], heap: &mut Vec<u8>, payload: &[u8], len: u64) {
    let at = HeapItem { offset: heap.len() as u64, len };
    heap.extend_from_slice(payload);
    item.copy_from_slice(&at.to_bytes());
}

/// Whether items are packed as they are in memory, but for byte order.
fn is_plain(dtype: &DType) -> bool {
    match dtype {
        DType::Struct(_) => false,
        DType::Array(array) => is_plain(&array.item),
        _ => !dtype.has_heap(),
    }
}

fn to_little(dtype: &DType, items: &mut [u8]) {
    if Endian::NATIVE == Endian::Big && dtype.has_byte_order() {
        let parts = [(0, dtype.clone())];
        items.chunks_exact_mut(dtype.item_size().max(1)).for_each(|item| swap_parts(&parts, item));
    }
}

/// Whether all text in `items`, each of `dtype`, is UTF-8.
///
/// # Errors
/// `Corrupt` where a part points out of the heap.
fn is_utf8(dtype: &DType, items: &[u8], heap: &[u8]) -> Result<bool> {
    if is_plain(dtype) {
        return Ok(true);
    }
    for item in items.chunks_exact(dtype.item_size().max(1)) {
        let is_utf8 = match dtype {
            DType::Struct(r#struct) => {
                let mut all = true;
                for field in &r#struct.fields {
                    let end = field.offset.saturating_add(field.dtype.item_size());
                    let part = item.get(field.offset..end).unwrap_or_default();
                    all &= is_utf8(&field.dtype, part, heap)?;
                }
                all
            }
            DType::Array(array) => is_utf8(&array.item, item, heap)?,
            DType::Sequence(inner) => {
                let items = HeapItem::from_bytes(item).slice(heap, inner.item_size())?;
                is_utf8(inner, items, heap)?
            }
            DType::String(_) | DType::Reference => {
                str::from_utf8(HeapItem::from_bytes(item).slice(heap, 1)?).is_ok()
            }
            _ => true,
        };
        if !is_utf8 {
            return Ok(false);
        }
    }
    Ok(true)
}

fn put_len(out: &mut Vec<u8>, len: u64) -> Result<()> {
    let len = u32::try_from(len)
        .map_err(|_| Error::invalid(format!("{NAME}: an item of {len} is too long")))?;
    out.extend_from_slice(&len.to_le_bytes());
    Ok(())
}

fn take<'a>(from: &mut &'a [u8], len: usize) -> Result<&'a [u8]> {
    let (taken, rest) =
        from.split_at_checked(len).ok_or_else(|| too_short(NAME, len, from.len()))?;
    *from = rest;
    Ok(taken)
}

fn take_len(from: &mut &[u8]) -> Result<usize> {
    let bytes = take(from, 4)?.first_chunk().copied().unwrap_or_default();
    usize::try_from(u32::from_le_bytes(bytes)).map_err(|_| Error::limit("an item is too long"))
}

impl Packed {
    /// Whether items of `dtype` have such a form, and not one of their own.
    pub(super) fn is_for(dtype: &DType) -> bool {
        let is_text = matches!(dtype, DType::String(_) | DType::Bytes | DType::Reference);
        dtype.has_heap() && !is_text
    }

    /// The sequence that an item of a chunk is, if it is one.
    fn sequence(&self) -> Option<&DType> {
        match &self.0 {
            DType::Sequence(inner) => Some(inner),
            _ => None,
        }
    }

    fn encode(&self, items: &[u8], heap: &[u8], out: &mut Vec<u8>) -> Result<()> {
        if !is_utf8(&self.0, items, heap)? {
            return Err(Error::unsupported(format!("{NAME}: text in an item is not valid UTF-8")));
        }
        let size = self.0.item_size().max(1);
        put_len(out, (items.len() / size) as u64)?;
        for item in items.chunks_exact(size) {
            let at = out.len();
            out.extend_from_slice(&[0; 4]);
            match self.sequence() {
                Some(inner) => {
                    let payload = HeapItem::from_bytes(item).slice(heap, inner.item_size())?;
                    pack(inner, payload, heap, out)?;
                }
                None => pack(&self.0, item, heap, out)?,
            }
            let mut len = Vec::with_capacity(4);
            put_len(&mut len, (out.len() - at - 4) as u64)?;
            out.get_mut(at..at + 4).unwrap_or_default().copy_from_slice(&len);
        }
        Ok(())
    }

    fn decode(
        &self,
        mut encoded: &[u8],
        items: &mut [u8],
        heap: &mut Vec<u8>,
        limits: &Limits,
    ) -> Result<()> {
        let size = self.0.item_size().max(1);
        let (expected, found) = (items.len() / size, take_len(&mut encoded)?);
        if found != expected {
            return Err(Error::corrupt(format!(
                "{NAME}: expected {expected} items, found {found}"
            )));
        }
        for item in items.chunks_exact_mut(size) {
            let len = take_len(&mut encoded)?;
            let mut packed = take(&mut encoded, len)?;
            match self.sequence() {
                Some(inner) => take_sequence(inner, &mut packed, item, heap, limits)?,
                None => unpack(&self.0, &mut packed, item, heap, limits)?,
            }
            if !packed.is_empty() {
                let more = packed.len();
                return Err(Error::corrupt(format!("{NAME}: an item has {more} bytes too many")));
            }
        }
        if !is_utf8(&self.0, items, heap)? {
            return Err(Error::corrupt(format!("{NAME}: text in an item is not valid UTF-8")));
        }
        Ok(())
    }
}

/// Takes items until there are no more bytes.
fn take_sequence(
    inner: &DType,
    packed: &mut &[u8],
    item: &mut [u8],
    heap: &mut Vec<u8>,
    limits: &Limits,
) -> Result<()> {
    let size = inner.item_size();
    limits.heap((heap.len() as u64).saturating_add(packed.len() as u64))?;
    let nested: Cow<'_, [u8]> = if is_plain(inner) {
        let mut numbers = take(packed, packed.len())?.to_vec();
        to_little(inner, &mut numbers);
        numbers.into()
    } else {
        let (mut nested, mut one) = (Vec::new(), vec![0; limits.heap(size as u64)?]);
        while !packed.is_empty() {
            let before = packed.len();
            unpack(inner, packed, &mut one, heap, limits)?;
            if packed.len() == before {
                return Err(Error::corrupt(format!("{NAME}: {before} bytes are no items")));
            }
            nested.extend_from_slice(&one);
            limits.heap((heap.len() as u64).saturating_add(nested.len() as u64))?;
        }
        nested.into()
    };
    if !nested.len().is_multiple_of(size.max(1)) {
        let found = nested.len();
        return Err(Error::corrupt(format!(
            "{NAME}: expected items of {size} bytes, found {found} bytes"
        )));
    }
    point(item, heap, &nested, (nested.len() / size.max(1)) as u64);
    Ok(())
}

impl HeapCodec for Packed {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encode_into(&self, items: &[u8], heap: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        self.encode(items, heap, out).inspect_err(|_| out.truncate(start))
    }

    fn decode_into(
        &self,
        encoded: &[u8],
        items: &mut [u8],
        heap: &mut Vec<u8>,
        limits: &Limits,
    ) -> Result<()> {
        let start = heap.len();
        self.decode(encoded, items, heap, limits).inspect_err(|_| heap.truncate(start))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ErrorKind;
    use crate::dtype::{ArrayType, Field, StructType};

    /// A count, then padding, then text, then two sequences of bytes.
    fn dtype() -> DType {
        let pair = ArrayType { item: DType::Sequence(Arc::new(DType::Bytes)), shape: vec![2] };
        let field = |name: &str, dtype, offset| Field { name: name.to_owned(), dtype, offset };
        let fields = vec![
            field("n", DType::Int16, 0),
            field("s", DType::string(), 8),
            field("p", DType::Array(Arc::new(pair)), 24),
        ];
        DType::Struct(Arc::new(StructType { fields, size: 60 }))
    }

    /// Two items in their packed form, which is where they come from here too.
    fn packed() -> Vec<u8> {
        let mut bytes = Vec::new();
        for (n, text) in [(1_u16, "é"), (0xfffe, "")] {
            bytes.extend_from_slice(&n.to_le_bytes());
            put_len(&mut bytes, text.len() as u64).unwrap();
            bytes.extend_from_slice(text.as_bytes());
            bytes.extend_from_slice(&[2, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0]);
        }
        bytes
    }

    #[test]
    fn structs_with_text_and_sequences_round_trip() {
        let (dtype, bytes, limits) = (dtype(), packed(), Limits::default());
        let (mut items, mut heap, mut rest) = (vec![0; 120], Vec::new(), bytes.as_slice());
        unpack(&dtype, &mut rest, &mut items, &mut heap, &limits).unwrap();
        assert!(rest.is_empty());
        let mut again = Vec::new();
        pack(&dtype, &items, &heap, &mut again).unwrap();
        assert_eq!(again, bytes);
        let (codec, mut encoded) = (Packed(dtype.clone()), vec![7]);
        codec.encode_into(&items, &heap, &mut encoded).unwrap();
        let (mut back, mut heap) = (vec![0; 120], vec![1, 2, 3]);
        codec.decode_into(&encoded[1..], &mut back, &mut heap, &limits).unwrap();
        again.clear();
        pack(&dtype, &back, &heap, &mut again).unwrap();
        assert_eq!(again, bytes);
    }

    #[test]
    fn text_of_a_chunk_is_utf8_and_any_bytes_are_packed() {
        let field = [("s".to_owned(), DType::string())];
        let dtype = DType::Struct(Arc::new(StructType::packed(field).unwrap()));
        let (limits, codec) = (Limits::default(), Packed(dtype.clone()));
        let item = HeapItem { offset: 0, len: 1 }.to_bytes();
        let error = codec.encode_into(&item, &[0xFF], &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let encoded = b"\x01\0\0\0\x05\0\0\0\x01\0\0\0\xFF";
        let (mut back, mut heap) = (vec![0; item.len()], Vec::new());
        let error = codec.decode_into(encoded, &mut back, &mut heap, &limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        let mut bytes = Vec::new();
        pack(&dtype, &item, &[0xFF], &mut bytes).unwrap();
        unpack(&dtype, &mut bytes.as_slice(), &mut back, &mut heap, &limits).unwrap();
        assert_eq!((back.as_slice(), heap.as_slice()), (item.as_slice(), [0xFF].as_slice()));
    }

    #[test]
    fn a_sequence_of_numbers_is_just_the_numbers() {
        let codec = Packed(DType::Sequence(Arc::new(DType::Int16)));
        let encoded = [2, 0, 0, 0, 4, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0];
        let (mut items, mut heap) = (vec![0; 32], Vec::new());
        codec.decode_into(&encoded, &mut items, &mut heap, &Limits::default()).unwrap();
        assert_eq!(HeapItem::from_bytes(&items), HeapItem { offset: 0, len: 2 });
        let mut again = Vec::new();
        codec.encode_into(&items, &heap, &mut again).unwrap();
        assert_eq!(again, encoded);
    }

    #[test]
    fn damaged_bytes_are_errors_or_data() {
        let (dtype, limits) = (dtype(), Limits::default());
        let mut encoded = vec![2, 0, 0, 0];
        for item in packed().chunks(packed().len() / 2 + 1) {
            put_len(&mut encoded, item.len() as u64).unwrap();
            encoded.extend_from_slice(item);
        }
        let (mut items, mut heap) = (vec![0; 120], Vec::new());
        let sequence = Packed(DType::Sequence(Arc::new(dtype.clone())));
        let codec = Packed(dtype);
        codec.decode_into(&encoded, &mut items, &mut heap, &limits).unwrap();
        for at in 0..encoded.len() {
            let cut = codec.decode_into(&encoded[..at], &mut items, &mut heap, &limits);
            assert!(cut.is_err(), "{at}");
            for bit in 0..8 {
                let mut damaged = encoded.clone();
                damaged[at] ^= 1 << bit;
                let _ = codec.decode_into(&damaged, &mut items, &mut heap, &limits);
                let _ = sequence.decode_into(&damaged, &mut items[..32], &mut heap, &limits);
            }
        }
    }
}
