//! `astype`: other numbers of the same value, cast as numpy does and not checked.

use std::sync::Arc;

use super::number::{CastFn, Kernel, NumberFilter, Stored, Work, cast};
use crate::codec::{Codec, StoredNumber};
use crate::error::Result;

const NAME: &str = "astype";

#[derive(Debug)]
struct AsType {
    encode: CastFn,
    decode: CastFn,
}

/// # Errors
/// `Unsupported` for what is no number.
pub(super) fn new(decoded: &StoredNumber, encoded: &StoredNumber) -> Result<Arc<dyn Codec>> {
    let (decoded, encoded) = (Stored::new(NAME, decoded)?, Stored::new(NAME, encoded)?);
    let kernel = AsType {
        encode: cast(decoded.kind, encoded.kind),
        decode: cast(encoded.kind, decoded.kind),
    };
    Ok(Arc::new(NumberFilter { name: NAME, decoded, encoded, kernel }))
}

impl Kernel for AsType {
    fn encode(&self, _: &mut Work, from: &[u8], to: &mut [u8]) {
        (self.encode)(from, to);
    }

    fn decode(&self, _: &mut Work, from: &[u8], to: &mut [u8]) {
        (self.decode)(from, to);
    }
}
