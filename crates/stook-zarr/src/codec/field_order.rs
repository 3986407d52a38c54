//! The byte order of structs whose members differ in it, which only version 2 can express.

use std::sync::Arc;

use stook_core::codec::CustomCodec;
use stook_core::{Codec, CodecSpec, DType, Error, Result, Scratch};

use crate::dtype::swap;

/// Swaps some members of little-endian items.
#[derive(Debug)]
pub(crate) struct FieldOrder {
    item_size: usize,
    big: Vec<(usize, DType)>,
}

impl FieldOrder {
    /// Swaps the parts `big`, by their offset, of items of `item_size` bytes.
    pub(crate) fn new(item_size: usize, big: Vec<(usize, DType)>) -> Self {
        Self { item_size: item_size.max(1), big }
    }

    /// This codec as a step of an array.
    pub(crate) fn into_spec(self) -> CodecSpec {
        CodecSpec::Custom(CustomCodec(Arc::new(self)))
    }

    fn swap_all(&self, items: &mut [u8]) {
        items.chunks_exact_mut(self.item_size).for_each(|item| swap(&self.big, item));
    }
}

impl Codec for FieldOrder {
    fn name(&self) -> &'static str {
        "byte order of members"
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
        self.swap_all(out.get_mut(start..).unwrap_or_default());
        Ok(())
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let (found, expected) = (encoded.len(), out.len());
        let place = out.get_mut(..found).ok_or_else(|| {
            Error::corrupt(format!("expected at most {expected} bytes of items, found {found}"))
        })?;
        place.copy_from_slice(encoded);
        self.swap_all(place);
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_members_are_swapped() {
        let codec = FieldOrder::new(4, vec![(2, DType::Int16)]);
        let (mut out, mut scratch) = (vec![9], Scratch::new());
        codec.encode_into(&[1, 2, 3, 4, 5, 6, 7, 8], &mut out, &mut scratch).unwrap();
        assert_eq!(out, [9, 1, 2, 4, 3, 5, 6, 8, 7]);
        let mut back = [0; 8];
        assert_eq!(codec.decode_into(&out[1..], &mut back, &mut scratch).unwrap(), 8);
        assert_eq!(back, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert!(codec.decode_into(&out[1..], &mut [0; 7], &mut scratch).is_err());
    }
}
