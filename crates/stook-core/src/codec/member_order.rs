//! The byte order of structs whose members differ in it, as numpy's and Zarr version 2's may.
//!
//! A step on the bytes of little-endian items; formats that know such structs put it behind
//! [`CodecSpec::ByteOrder`]. It keeps the length.

use std::sync::Arc;

use super::{Codec, CodecSpec, CustomCodec, Scratch};
use crate::dtype::DType;
use crate::error::{Error, Result};

/// Swaps some parts of little-endian items.
#[derive(Debug)]
pub struct MemberOrder {
    item_size: usize,
    big: Vec<(usize, DType)>,
}

impl MemberOrder {
    /// The name that errors show, and by which formats know the codec.
    pub const NAME: &str = "byte order of members";

    /// Stores the parts `big`, offset and type, of items of `item_size` bytes big-endian.
    #[must_use]
    pub fn new(item_size: usize, big: Vec<(usize, DType)>) -> Self {
        Self { item_size: item_size.max(1), big }
    }

    /// This codec as a step of an array.
    #[must_use]
    pub fn into_spec(self) -> CodecSpec {
        CodecSpec::Custom(CustomCodec(Arc::new(self)))
    }

    fn swap(&self, items: &mut [u8]) {
        items.chunks_exact_mut(self.item_size).for_each(|item| swap_parts(&self.big, item));
    }
}

/// Reverses the bytes of every number in `parts`, offset and type, of `item`.
pub fn swap_parts(parts: &[(usize, DType)], item: &mut [u8]) {
    for (base, dtype) in parts {
        dtype.for_each_swap(*base, &mut |offset, len| {
            if let Some(number) = item.get_mut(offset..offset.saturating_add(len)) {
                number.reverse();
            }
        });
    }
}

impl Codec for MemberOrder {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        raw_len
    }

    fn has_fixed_len(&self) -> bool {
        true
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _: &mut Scratch) -> Result<()> {
        let start = out.len();
        out.extend_from_slice(raw);
        self.swap(out.get_mut(start..).unwrap_or_default());
        Ok(())
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let (found, expected) = (encoded.len(), out.len());
        let place = out.get_mut(..found).ok_or_else(|| {
            Error::corrupt(format!("expected at most {expected} bytes of items, found {found}"))
        })?;
        place.copy_from_slice(encoded);
        self.swap(place);
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_members_are_swapped() {
        let codec = MemberOrder::new(4, vec![(2, DType::Int16)]);
        let (mut out, mut scratch) = (vec![9], Scratch::new());
        codec.encode_into(&[1, 2, 3, 4, 5, 6, 7, 8], &mut out, &mut scratch).unwrap();
        assert_eq!(out, [9, 1, 2, 4, 3, 5, 6, 8, 7]);
        let mut back = [0; 8];
        assert_eq!(codec.decode_into(&out[1..], &mut back, &mut scratch).unwrap(), 8);
        assert_eq!(back, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert!(codec.decode_into(&out[1..], &mut [0; 7], &mut scratch).is_err());
    }
}
