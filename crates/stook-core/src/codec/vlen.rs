//! Variable-length text, bytes and sequences of numbers as numcodecs' `vlen-utf8`, `vlen-bytes`
//! and `vlen-array` store them.
//!
//! A little-endian `u32` counts the items; each is a little-endian `u32` length and its bytes.

use super::{Endian, HeapCodec, StoredNumber, swap_items};
use crate::dtype::{DType, HEAP_ITEM_LEN};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::values::HeapItem;

const LENGTH_LEN: usize = 4;

/// What the items are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Vlen {
    /// UTF-8, which is checked both ways.
    Utf8,
    /// Any bytes.
    Bytes,
    /// Numbers, whose bytes are counted.
    Array(StoredNumber),
}

impl Vlen {
    /// # Errors
    /// `InvalidInput` if `dtype` is not what `self` holds.
    pub(super) fn check(&self, dtype: &DType) -> Result<()> {
        match (self, dtype) {
            (Self::Utf8, DType::String(_) | DType::Reference)
            | (Self::Bytes, DType::Bytes | DType::String(_)) => Ok(()),
            (Self::Array(item), DType::Sequence(inner))
                if item.dtype == **inner && !inner.has_heap() && inner.item_size() > 0 =>
            {
                Ok(())
            }
            _ => Err(Error::invalid(format!("{}: dtype {dtype} is not encoded so", self.name()))),
        }
    }

    /// Bytes of what the length of an item in memory counts.
    fn unit(&self) -> usize {
        match self {
            Self::Utf8 | Self::Bytes => 1,
            Self::Array(item) => item.dtype.item_size().max(1),
        }
    }

    /// Turns the byte order of memory into that of the file, or back.
    fn swap(&self, payload: &mut [u8]) {
        if let Self::Array(item) = self
            && item.endian != Endian::NATIVE
        {
            swap_items(&item.dtype, payload);
        }
    }

    fn check_payload(&self, at: usize, payload: &[u8]) -> Result<(), String> {
        match self {
            Self::Array(_) if !payload.len().is_multiple_of(self.unit()) => Err(format!(
                "{}: item {at}: expected numbers of {} bytes, found {} bytes",
                self.name(),
                self.unit(),
                payload.len()
            )),
            Self::Utf8 if std::str::from_utf8(payload).is_err() => {
                Err(format!("{}: item {at} is not valid UTF-8", self.name()))
            }
            _ => Ok(()),
        }
    }

    /// The error for an item that is not to be encoded: text may come from a file whose format
    /// has any bytes for it, so that is no fault of the caller.
    fn cannot_hold(&self, what: String) -> Error {
        match self {
            Self::Utf8 => Error::unsupported(what),
            Self::Bytes | Self::Array(_) => Error::invalid(what),
        }
    }
}

impl HeapCodec for Vlen {
    fn name(&self) -> &'static str {
        match self {
            Self::Utf8 => "vlen-utf8",
            Self::Bytes => "vlen-bytes",
            Self::Array(_) => "vlen-array",
        }
    }

    fn n_items(&self, encoded: &[u8]) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(*encoded.first_chunk()?)).ok()
    }

    fn encode_into(&self, items: &[u8], heap: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        let put_all = |out: &mut Vec<u8>| {
            put_length(out, items.len() / HEAP_ITEM_LEN, "items")?;
            for (at, item) in items.chunks_exact(HEAP_ITEM_LEN).enumerate() {
                let payload = HeapItem::from_bytes(item).slice(heap, self.unit())?;
                self.check_payload(at, payload).map_err(|what| self.cannot_hold(what))?;
                put_length(out, payload.len(), "bytes")?;
                let from = out.len();
                out.extend_from_slice(payload);
                self.swap(out.get_mut(from..).unwrap_or_default());
            }
            Ok(())
        };
        put_all(out).inspect_err(|_| out.truncate(start))
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

impl Vlen {
    fn decode(
        &self,
        encoded: &[u8],
        items: &mut [u8],
        heap: &mut Vec<u8>,
        limits: &Limits,
    ) -> Result<()> {
        let n_items = items.len() / HEAP_ITEM_LEN;
        let (count, mut rest) = self.take_length(encoded)?;
        let lengths_len = n_items.saturating_mul(LENGTH_LEN);
        if count != n_items || rest.len() < lengths_len {
            return Err(Error::corrupt(format!(
                "{}: expected {n_items} items, found {count} in {} bytes",
                self.name(),
                encoded.len()
            )));
        }
        let payload_len = rest.len() - lengths_len;
        let heap_len = limits.heap(heap.len().saturating_add(payload_len) as u64)?;
        heap.try_reserve(payload_len).map_err(|_| {
            Error::limit(format!("variable-length payload of {heap_len} bytes exceeds the memory"))
        })?;
        for (at, item) in items.chunks_exact_mut(HEAP_ITEM_LEN).enumerate() {
            let (len, behind) = self.take_length(rest)?;
            let (payload, behind) = behind
                .split_at_checked(len)
                .ok_or_else(|| super::too_short(self.name(), len, behind.len()))?;
            self.check_payload(at, payload).map_err(Error::corrupt)?;
            let from = heap.len();
            let place = HeapItem { offset: from as u64, len: (len / self.unit()) as u64 };
            item.copy_from_slice(&place.to_bytes());
            heap.extend_from_slice(payload);
            self.swap(heap.get_mut(from..).unwrap_or_default());
            rest = behind;
        }
        if !rest.is_empty() {
            return Err(Error::corrupt(format!(
                "{}: expected the end behind {n_items} items, found {} more bytes",
                self.name(),
                rest.len()
            )));
        }
        Ok(())
    }

    fn take_length<'b>(&self, bytes: &'b [u8]) -> Result<(usize, &'b [u8])> {
        let (len, rest) = bytes
            .split_first_chunk::<LENGTH_LEN>()
            .ok_or_else(|| super::too_short(self.name(), LENGTH_LEN, bytes.len()))?;
        Ok((usize::try_from(u32::from_le_bytes(*len)).unwrap_or(usize::MAX), rest))
    }
}

fn put_length(out: &mut Vec<u8>, len: usize, what: &str) -> Result<()> {
    let len = u32::try_from(len).map_err(|_| {
        Error::invalid(format!("{len} {what} are more than a 32-bit length can say"))
    })?;
    out.extend_from_slice(&len.to_le_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::values::Values;

    fn encode(codec: &Vlen, texts: &[&str]) -> Vec<u8> {
        let values = Values::from_strings(vec![texts.len() as u64], texts).unwrap();
        let mut out = Vec::new();
        codec.encode_into(values.items(), values.heap(), &mut out).unwrap();
        out
    }

    fn decode(codec: &Vlen, encoded: &[u8], n: u64) -> Result<Values> {
        let (mut items, mut heap) = (vec![0; n as usize * HEAP_ITEM_LEN], b"before".to_vec());
        codec.decode_into(encoded, &mut items, &mut heap, &Limits::default())?;
        Values::new(DType::string(), vec![n], items, heap)
    }

    /// `numcodecs.VLenUTF8().encode(np.array(["a", "bab", "", "é"], object))`, numcodecs 0.16.
    const FOUR: &[u8] = b"\x04\0\0\0\x01\0\0\0a\x03\0\0\0bab\0\0\0\0\x02\0\0\0\xc3\xa9";

    #[test]
    fn the_bytes_are_those_of_numcodecs() {
        let texts = ["a", "bab", "", "é"];
        for codec in [Vlen::Utf8, Vlen::Bytes] {
            assert_eq!(encode(&codec, &texts), FOUR);
            let expected = Values::from_strings(vec![4], &texts).unwrap();
            assert_eq!(decode(&codec, FOUR, 4).unwrap(), expected);
        }
    }

    #[test]
    fn every_truncation_and_every_other_count_is_corrupt() {
        for len in 0..FOUR.len() {
            assert!(decode(&Vlen::Utf8, &FOUR[..len], 4).is_err(), "{len}");
        }
        for n in [0, 3, 5] {
            let error = decode(&Vlen::Utf8, FOUR, n).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
        }
        assert!(decode(&Vlen::Utf8, &[FOUR, b"x"].concat(), 4).is_err());
    }

    #[test]
    fn text_that_is_not_utf8_is_refused_and_bytes_are_not() {
        let encoded = b"\x01\0\0\0\x01\0\0\0\xFF";
        assert!(decode(&Vlen::Utf8, encoded, 1).is_err());
        assert_eq!(decode(&Vlen::Bytes, encoded, 1).unwrap().payload(0).unwrap(), [0xFF]);
        let item = HeapItem { offset: 0, len: 1 }.to_bytes();
        let error = Vlen::Utf8.encode_into(&item, &[0xFF], &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        Vlen::Bytes.encode_into(&item, &[0xFF], &mut Vec::new()).unwrap();
    }

    #[test]
    fn payload_over_the_limit_is_refused_before_it_is_copied() {
        let limits = Limits { heap_len_bytes: 8, ..Limits::default() };
        let (mut items, mut heap) = (vec![0; 64], vec![0; 4]);
        let error = Vlen::Utf8.decode_into(FOUR, &mut items, &mut heap, &limits).unwrap_err();
        assert_eq!((error.kind(), heap.len()), (ErrorKind::LimitExceeded, 4));
    }

    #[test]
    fn sequences_of_numbers_keep_their_byte_order() {
        let item = StoredNumber { dtype: DType::Int16, endian: Endian::Big };
        let codec = Vlen::Array(item);
        codec.check(&DType::Sequence(DType::Int16.into())).unwrap();
        assert!(codec.check(&DType::Sequence(DType::Int32.into())).is_err());
        let encoded = b"\x02\0\0\0\x04\0\0\0\x01\x02\0\x07\0\0\0\0";
        let (mut items, mut heap) = (vec![0; 32], Vec::new());
        codec.decode_into(encoded, &mut items, &mut heap, &Limits::default()).unwrap();
        assert_eq!(HeapItem::from_bytes(&items), HeapItem { offset: 0, len: 2 });
        let numbers: Vec<u8> = [0x102_i16, 7].iter().flat_map(|x| x.to_ne_bytes()).collect();
        assert_eq!(heap, numbers);
        let mut again = Vec::new();
        codec.encode_into(&items, &heap, &mut again).unwrap();
        assert_eq!(again, encoded);
        let odd = b"\x01\0\0\0\x03\0\0\0\x01\x02\0";
        assert!(codec.decode_into(odd, &mut items[..16], &mut heap, &Limits::default()).is_err());
    }

    #[test]
    fn an_item_outside_its_heap_is_not_encoded() {
        let item = HeapItem { offset: 1, len: 2 }.to_bytes();
        let mut out = vec![9];
        assert!(Vlen::Bytes.encode_into(&item, b"ab", &mut out).is_err());
        assert_eq!(out, [9]);
    }
}
