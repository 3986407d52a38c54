//! `quantize`: floats rounded to a power of two that keeps so many decimal digits.
//!
//! Decoding only casts: what rounding took is gone.

use std::sync::Arc;

use super::number::{
    Cast, CastFn, Float, Kernel, Kind, NumberFilter, Stored, Work, cast, vectorized, with_float,
};
use crate::codec::{Codec, StoredNumber};
use crate::error::{Error, Result};

const NAME: &str = "quantize";

/// Digits beyond these have no power of ten.
const MAX_DIGITS: i32 = 300;

#[derive(Debug)]
struct Quantize {
    scale: f64,
    round: fn(f64, &[u8], &mut [u8]),
    /// To the encoded kind, where that is another.
    to_encoded: Option<CastFn>,
    to_decoded: CastFn,
}

/// # Errors
/// `Unsupported` for what is no float, `InvalidInput` for digits without a power of ten.
pub(super) fn new(
    digits: i32,
    decoded: &StoredNumber,
    encoded: &StoredNumber,
) -> Result<Arc<dyn Codec>> {
    let (stored, encoded) = (Stored::new(NAME, decoded)?, Stored::new(NAME, encoded)?);
    if !(-MAX_DIGITS..=MAX_DIGITS).contains(&digits) {
        return Err(Error::invalid(format!(
            "{NAME}: expected {} to {MAX_DIGITS} digits, found {digits}",
            -MAX_DIGITS
        )));
    }
    let no_float =
        || Error::unsupported(format!("{NAME}: expected floats, found {}", decoded.dtype));
    if !encoded.kind.is_float() {
        return Err(no_float());
    }
    // As many bits behind the point as tell the digits apart.
    let bits = match digits {
        0 => 0,
        _ => (f64::from(digits) * std::f64::consts::LOG2_10).floor() as i32 + 1,
    };
    let kernel = Quantize {
        scale: f64::from(bits).exp2(),
        round: with_float!(stored.kind, T => round::<T>, return Err(no_float())),
        to_encoded: (stored.kind != encoded.kind).then(|| cast(stored.kind, encoded.kind)),
        to_decoded: cast(encoded.kind, stored.kind),
    };
    Ok(Arc::new(NumberFilter { name: NAME, decoded: stored, encoded, kernel }))
}

vectorized! {
    fn round<T>[T: Float](scale: f64, from: &[u8], to: &mut [u8]) = round_items
    where [f64: Cast<T>]
}

#[inline(always)]
fn round_items<T: Float>(scale: f64, from: &[u8], to: &mut [u8])
where
    f64: Cast<T>,
{
    let scale: T = scale.cast();
    for (to, from) in T::items_mut(to).iter_mut().zip(T::items(from)) {
        *to = T::load(*from).times(scale).rounded().over(scale).store();
    }
}

impl Kernel for Quantize {
    fn encode(&self, work: &mut Work, from: &[u8], to: &mut [u8]) {
        let Some(to_encoded) = self.to_encoded else { return (self.round)(self.scale, from, to) };
        let [rounded, _] = &mut work.rooms;
        let rounded = &mut rounded[..from.len()];
        (self.round)(self.scale, from, rounded);
        to_encoded(rounded, to);
    }

    fn decode(&self, _: &mut Work, from: &[u8], to: &mut [u8]) {
        (self.to_decoded)(from, to);
    }
}
