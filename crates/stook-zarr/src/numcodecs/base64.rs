//! Base64 text of the bytes (numcodecs `base64`): RFC 4648 with padding, without line breaks.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use stook_core::codec::CustomCodec;
use stook_core::{Codec, CodecSpec, Error, Result, Scratch};

/// One for all: codecs that bring themselves are equal if they are the same.
static CODEC: LazyLock<Arc<dyn Codec>> = LazyLock::new(|| Arc::new(Base64));

#[derive(Debug)]
struct Base64;

/// The codec as a step of an array.
pub(super) fn spec() -> CodecSpec {
    CodecSpec::Custom(CustomCodec(Arc::clone(&CODEC)))
}

/// Whether `codec` is this one.
pub(super) fn is(codec: &CodecSpec) -> bool {
    *codec == spec()
}

impl Codec for Base64 {
    fn name(&self) -> &'static str {
        "base64"
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        raw_len.div_ceil(3).saturating_mul(4)
    }

    fn has_fixed_len(&self) -> bool {
        true
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _: &mut Scratch) -> Result<()> {
        let start = out.len();
        out.resize(start.saturating_add(self.encoded_bound(raw.len())), 0);
        let place = out.get_mut(start..).unwrap_or_default();
        let encoded = BASE64_STANDARD.encode_slice(raw, place);
        encoded.map(|_| ()).map_err(|error| Error::invalid("base64").with_source(error))
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let decoded = BASE64_STANDARD.decode(encoded);
        let decoded = decoded
            .map_err(|error| Error::corrupt("base64: not an encoding").with_source(error))?;
        let (found, expected) = (decoded.len(), out.len());
        let place = out.get_mut(..found).ok_or_else(|| {
            Error::corrupt(format!("base64: expected at most {expected} bytes, found {found}"))
        })?;
        place.copy_from_slice(&decoded);
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_text_and_back() {
        let (mut text, mut scratch) = (Vec::new(), Scratch::new());
        Base64.encode_into(b"\0\xff\x10a", &mut text, &mut scratch).unwrap();
        assert_eq!(text, b"AP8QYQ==");
        let mut back = [0; 4];
        assert_eq!(Base64.decode_into(&text, &mut back, &mut scratch).unwrap(), 4);
        assert_eq!(&back, b"\0\xff\x10a");
        assert!(Base64.decode_into(&text, &mut [0; 3], &mut scratch).is_err());
        assert!(Base64.decode_into(b"*", &mut back, &mut scratch).is_err());
        assert!(is(&spec()));
    }
}
