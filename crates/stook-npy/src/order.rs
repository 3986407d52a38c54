//! Structs whose members differ in byte order, which numpy allows and no other format has.

use std::sync::Arc;

use stook_core::codec::CustomCodec;
use stook_core::{Codec, CodecSpec, DType, Error, Result, Scratch};

use crate::descr::for_each_big;
use crate::literal::Literal;

/// A codec that stores the members that `descr` says so big-endian and the others little-endian.
pub(crate) fn codec(dtype: &DType, descr: &Literal) -> CodecSpec {
    let mut parts = Vec::new();
    for_each_big(descr, 0, &mut |offset, dtype| parts.push((offset, dtype)));
    CodecSpec::Custom(CustomCodec(Arc::new(MemberOrder { item_size: dtype.item_size(), parts })))
}

#[derive(Debug)]
struct MemberOrder {
    item_size: usize,
    /// Offset and type of what is big-endian.
    parts: Vec<(usize, DType)>,
}

impl MemberOrder {
    fn swap(&self, items: &mut [u8]) {
        for item in items.chunks_exact_mut(self.item_size.max(1)) {
            for (base, dtype) in &self.parts {
                dtype.for_each_swap(*base, &mut |offset, size| {
                    if let Some(number) = item.get_mut(offset..offset.saturating_add(size)) {
                        number.reverse();
                    }
                });
            }
        }
    }
}

impl Codec for MemberOrder {
    fn name(&self) -> &'static str {
        "numpy-member-order"
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        raw_len
    }

    fn has_fixed_len(&self) -> bool {
        true
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _scratch: &mut Scratch) -> Result<()> {
        let start = out.len();
        out.extend_from_slice(raw);
        self.swap(out.get_mut(start..).unwrap_or_default());
        Ok(())
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _scratch: &mut Scratch) -> Result<usize> {
        let found = encoded.len();
        let expected = out.len();
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
    use crate::descr::parse;

    #[test]
    fn only_big_endian_members_are_reversed() {
        let text =
            "[('a', '<i2'), ('b', [('c', '>i2'), ('d', '<i2')]), ('e', '>i2', (2,)), ('s', '|S2')]";
        let descr = Literal::parse(text).unwrap();
        let dtype = parse(&descr).unwrap().dtype;
        let CodecSpec::Custom(codec) = codec(&dtype, &descr) else { panic!("a custom codec") };
        let raw: Vec<u8> = (0..24).collect();
        let mut encoded = Vec::new();
        codec.0.encode_into(&raw, &mut encoded, &mut Scratch::default()).unwrap();
        assert_eq!(encoded[..12], [0, 1, 3, 2, 4, 5, 7, 6, 9, 8, 10, 11]);
        let mut out = vec![0; 24];
        codec.0.decode_into(&encoded, &mut out, &mut Scratch::default()).unwrap();
        assert_eq!(out, raw);
    }
}
