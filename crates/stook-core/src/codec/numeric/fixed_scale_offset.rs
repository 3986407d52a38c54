//! `fixedscaleoffset`: `(x - offset) * scale`, rounded to the nearest integer, and back.
//!
//! Calculated in the types that numpy takes for a number beside a factor: a float stays of its
//! size; an integer stays one beside an integer and wraps around, and becomes a double beside a
//! float. Quotients of integers are doubles.

use std::sync::Arc;

use serde_json::Number as Factor;

use super::number::{
    Arithmetic, BLOCK_LEN, CastFn, Float, Kernel, Kind, Number, NumberFilter, Stored, Work, cast,
    vectorized, with_arithmetic, with_float,
};
use crate::codec::{Codec, StoredNumber};
use crate::error::{Error, Result};

const NAME: &str = "fixedscaleoffset";

/// Calculates numbers from others of their kind and two operands, given as their bytes.
type Change = fn(&[u8], &mut [u8], [[u8; 8]; 2]);

/// A cast to the kind of a calculation, where that is another, and the calculation.
#[derive(Debug)]
struct Step {
    from: Kind,
    kind: Kind,
    cast: Option<CastFn>,
    change: Change,
    operands: [[u8; 8]; 2],
}

#[derive(Debug)]
struct FixedScaleOffset {
    /// The first step where the two are calculated in different kinds.
    subtract: Option<Step>,
    /// By itself, or behind the subtraction of the second operand.
    multiply: Step,
    to_encoded: CastFn,
    divide_and_add: Step,
    to_decoded: CastFn,
}

/// # Errors
/// `Unsupported` for what is no number, `InvalidInput` for a factor that the numbers cannot hold.
pub(super) fn new(
    offset: &Factor,
    scale: &Factor,
    decoded: &StoredNumber,
    encoded: &StoredNumber,
) -> Result<Arc<dyn Codec>> {
    let (decoded, encoded) = (Stored::new(NAME, decoded)?, Stored::new(NAME, encoded)?);
    let difference = kind_beside(decoded.kind, offset)?;
    let product = kind_beside(difference, scale)?;
    let quotient = if encoded.kind.is_float() { encoded.kind } else { Kind::F64 };
    let difference_by = operand(difference, offset)?;
    let product_by = operand(product, scale)?;
    let (subtract, multiply) = if difference == product {
        let change = with_arithmetic!(product, T => both::<T>, return Err(of_bool()));
        (None, Step::new(decoded.kind, product, change, [product_by, difference_by]))
    } else {
        let first = with_arithmetic!(difference, T => subtract::<T>, return Err(of_bool()));
        let second = with_arithmetic!(product, T => multiply::<T>, return Err(of_bool()));
        let first = Step::new(decoded.kind, difference, first, [difference_by, [0; 8]]);
        (Some(first), Step::new(difference, product, second, [product_by, [0; 8]]))
    };
    let last = with_float!(quotient, T => divide_and_add::<T>, return Err(of_bool()));
    let last_by = [operand(quotient, scale)?, operand(quotient, offset)?];
    let kernel = FixedScaleOffset {
        subtract,
        multiply,
        to_encoded: cast(product, encoded.kind),
        divide_and_add: Step::new(encoded.kind, quotient, last, last_by),
        to_decoded: cast(quotient, decoded.kind),
    };
    Ok(Arc::new(NumberFilter { name: NAME, decoded, encoded, kernel }))
}

/// The kind in which numpy calculates numbers of `kind` with `factor`.
fn kind_beside(kind: Kind, factor: &Factor) -> Result<Kind> {
    match kind {
        Kind::Bool => Err(of_bool()),
        _ if kind.is_float() || !factor.is_f64() => Ok(kind),
        _ => Ok(Kind::F64),
    }
}

#[cold]
fn of_bool() -> Error {
    Error::unsupported(format!("{NAME}: items of type bool"))
}

/// The bytes of `factor` as a number of `kind`.
fn operand(kind: Kind, factor: &Factor) -> Result<[u8; 8]> {
    let mut bytes = [0; 8];
    let place = &mut bytes[..kind.size()];
    let integer = factor.as_i64().map(i128::from).or(factor.as_u64().map(i128::from));
    match (kind.integer_range(), integer, factor.as_f64()) {
        (Some((low, high)), Some(integer), _) if (low..=high).contains(&integer) => {
            let bits = u64::try_from(integer.rem_euclid(1 << 64)).unwrap_or(0);
            cast(Kind::U64, kind)(&bits.store(), place);
        }
        (None, _, Some(value)) => cast(Kind::F64, kind)(&value.store(), place),
        _ => {
            let message = format!("{NAME}: expected an integer factor that fits, found {factor}");
            return Err(Error::invalid(message));
        }
    }
    Ok(bytes)
}

impl Step {
    fn new(from: Kind, kind: Kind, change: Change, operands: [[u8; 8]; 2]) -> Self {
        let cast = (from != kind).then(|| cast(from, kind));
        Self { from, kind, cast, change, operands }
    }

    /// The changed numbers, in `to`.
    fn run<'b>(
        &self,
        from: &[u8],
        casted: &mut [u8; BLOCK_LEN],
        to: &'b mut [u8; BLOCK_LEN],
    ) -> &'b [u8] {
        let len = from.len() / self.from.size() * self.kind.size();
        let to = &mut to[..len];
        match self.cast {
            None => (self.change)(from, to, self.operands),
            Some(cast) => {
                cast(from, &mut casted[..len]);
                (self.change)(&casted[..len], to, self.operands);
            }
        }
        to
    }
}

impl Kernel for FixedScaleOffset {
    fn encode(&self, work: &mut Work, from: &[u8], to: &mut [u8]) {
        let [casted, products] = &mut work.rooms;
        let mut differences;
        let from = match &self.subtract {
            None => from,
            Some(subtract) => {
                differences = [0; BLOCK_LEN];
                subtract.run(from, casted, &mut differences)
            }
        };
        (self.to_encoded)(self.multiply.run(from, casted, products), to);
    }

    fn decode(&self, work: &mut Work, from: &[u8], to: &mut [u8]) {
        let [casted, sums] = &mut work.rooms;
        (self.to_decoded)(self.divide_and_add.run(from, casted, sums), to);
    }
}

/// Calls `change` on each number, with the two operands.
#[inline(always)]
fn each<T: Number>(
    from: &[u8],
    to: &mut [u8],
    operands: [[u8; 8]; 2],
    change: impl Fn(T, T, T) -> T,
) {
    let [a, b] = operands.map(|operand| match T::items(&operand) {
        [first, ..] => T::load(*first),
        [] => T::default(),
    });
    for (to, from) in T::items_mut(to).iter_mut().zip(T::items(from)) {
        *to = change(T::load(*from), a, b).store();
    }
}

macro_rules! change {
    ($name:ident, $items:ident, $bound:ident, $change:expr) => {
        vectorized! {
            fn $name<T>[T: $bound](from: &[u8], to: &mut [u8], operands: [[u8; 8]; 2]) = $items
        }

        #[inline(always)]
        fn $items<T: $bound>(from: &[u8], to: &mut [u8], operands: [[u8; 8]; 2]) {
            each(from, to, operands, $change);
        }
    };
}

change!(subtract, subtract_items, Arithmetic, |x: T, offset, _| x.minus(offset));
change!(multiply, multiply_items, Arithmetic, |x: T, scale, _| x.times(scale).rounded());
change!(both, both_items, Arithmetic, |x: T, scale, offset| {
    x.minus(offset).times(scale).rounded()
});
change!(divide_and_add, divide_and_add_items, Float, |x: T, scale, offset| {
    x.over(scale).plus(offset)
});
