//! `delta`: the first number, then the difference of each from the one before.
//!
//! Integers wrap around. Floats lose what their subtraction loses, as in numcodecs.

use std::sync::Arc;

use super::number::{
    Arithmetic, Carry, CastFn, Kernel, Kind, Number, NumberFilter, Stored, Work, cast, vectorized,
    with_arithmetic,
};
use crate::codec::{Codec, StoredNumber};
use crate::error::{Error, Result};

const NAME: &str = "delta";

type Run = fn(&mut Carry, &[u8], &mut [u8]);

/// Differences in the decoded kind, then a cast; sums in the kind that holds both, then a cast.
#[derive(Debug)]
struct Delta {
    difference: Run,
    /// From the decoded to the encoded kind, where that is another.
    to_encoded: Option<CastFn>,
    encoded: Kind,
    summed: Kind,
    sum: Run,
    to_summed: CastFn,
    /// From the kind of the sums to the decoded, where one is another.
    to_decoded: Option<CastFn>,
}

/// # Errors
/// `Unsupported` for numbers that cannot be subtracted and added again.
pub(super) fn new(decoded: &StoredNumber, encoded: &StoredNumber) -> Result<Arc<dyn Codec>> {
    let (from, to) = (Stored::new(NAME, decoded)?, Stored::new(NAME, encoded)?);
    let (decoded, encoded) = (from.kind, to.kind);
    let summed = decoded.common(encoded);
    let is_bool = || Error::unsupported(format!("{NAME} of bool loses what it is given"));
    let kernel = Delta {
        difference: with_arithmetic!(decoded, T => difference::<T>, return Err(is_bool())),
        to_encoded: (decoded != encoded).then(|| cast(decoded, encoded)),
        encoded,
        summed,
        sum: with_arithmetic!(summed, T => sum::<T>, return Err(is_bool())),
        to_summed: cast(encoded, summed),
        to_decoded: (decoded != encoded).then(|| cast(summed, decoded)),
    };
    Ok(Arc::new(NumberFilter { name: NAME, decoded: from, encoded: to, kernel }))
}

impl Kernel for Delta {
    fn encode(&self, work: &mut Work, from: &[u8], to: &mut [u8]) {
        let Work { carry, rooms: [differences, _] } = work;
        let Some(to_encoded) = self.to_encoded else { return (self.difference)(carry, from, to) };
        let differences = &mut differences[..from.len()];
        (self.difference)(carry, from, differences);
        to_encoded(differences, to);
    }

    fn decode(&self, work: &mut Work, from: &[u8], to: &mut [u8]) {
        let Work { carry, rooms: [differences, sums] } = work;
        let Some(to_decoded) = self.to_decoded else { return (self.sum)(carry, from, to) };
        let len = from.len() / self.encoded.size() * self.summed.size();
        let (differences, sums) = (&mut differences[..len], &mut sums[..len]);
        (self.to_summed)(from, differences);
        (self.sum)(carry, differences, sums);
        to_decoded(sums, to);
    }
}

vectorized! {
    fn difference<T>[T: Arithmetic](carry: &mut Carry, from: &[u8], to: &mut [u8])
        = difference_items
}

#[inline(always)]
fn difference_items<T: Arithmetic>(carry: &mut Carry, from: &[u8], to: &mut [u8]) {
    let (from, to) = (T::items(from), T::items_mut(to));
    if let (Some(first), Some(place)) = (from.first(), to.first_mut()) {
        *place = match take::<T>(carry) {
            Some(last) => T::load(*first).minus(last).store(),
            None => *first,
        };
    }
    // Slices rather than iterators that skip, so that the loop is one of vectors.
    let (next, places) = (from.get(1..).unwrap_or_default(), to.get_mut(1..).unwrap_or_default());
    for ((to, last), this) in places.iter_mut().zip(from).zip(next) {
        *to = T::load(*this).minus(T::load(*last)).store();
    }
    if let Some(last) = from.last() {
        keep::<T>(carry, *last);
    }
}

fn sum<T: Arithmetic>(carry: &mut Carry, from: &[u8], to: &mut [u8]) {
    let (mut from, mut to) = (T::items(from).iter(), T::items_mut(to).iter_mut());
    let mut sum = match take::<T>(carry) {
        Some(sum) => sum,
        None => {
            let (Some(first), Some(place)) = (from.next(), to.next()) else { return };
            *place = *first;
            T::load(*first)
        }
    };
    for (to, from) in to.zip(from) {
        sum = sum.plus(T::load(*from));
        *to = sum.store();
    }
    keep::<T>(carry, sum.store());
}

fn take<T: Number>(carry: &Carry) -> Option<T> {
    carry.as_ref().and_then(|bytes| T::items(bytes).first()).map(|bytes| T::load(*bytes))
}

fn keep<T: Number>(carry: &mut Carry, number: T::Bytes) {
    if let Some(place) = T::items_mut(carry.insert([0; 8])).first_mut() {
        *place = number;
    }
}
