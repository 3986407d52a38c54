//! `fixedscaleoffset`: `(x - offset) * scale`, rounded to the nearest integer, and back.
//!
//! Calculated in the types that numpy takes for a number beside a factor: a float stays of its
//! size; an integer stays one beside an integer and wraps around, and becomes a double beside a
//! float. Quotients of integers are doubles.

use std::sync::Arc;

use half::f16;
use serde_json::Number as Factor;

use super::number::{
    Arithmetic, BLOCK_LEN, Carry, CastFn, Float, Kernel, Kind, Number, NumberFilter, Stored, cast,
    with_arithmetic, with_float,
};
use crate::codec::{Codec, StoredNumber};
use crate::error::{Error, Result};

const NAME: &str = "fixedscaleoffset";

/// Changes numbers in their place by two operands, given as their bytes.
type Change = fn(&mut [u8], [[u8; 8]; 2]);

/// A cast to the kind of a calculation, and the calculation.
#[derive(Debug)]
struct Step {
    from: Kind,
    kind: Kind,
    cast: CastFn,
    change: Change,
    operands: [[u8; 8]; 2],
}

#[derive(Debug)]
struct FixedScaleOffset {
    subtract: Step,
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
    let subtract = with_arithmetic!(difference, T => subtract::<T>, return Err(of_bool()));
    let multiply = with_arithmetic!(product, T => multiply::<T>, return Err(of_bool()));
    let divide_and_add = with_float!(quotient, T => divide_and_add::<T>, return Err(of_bool()));
    let none = [0; 8];
    let kernel = FixedScaleOffset {
        subtract: Step {
            operands: [operand(difference, offset)?, none],
            ..Step::new(decoded.kind, difference, subtract)
        },
        multiply: Step {
            operands: [operand(product, scale)?, none],
            ..Step::new(difference, product, multiply)
        },
        to_encoded: cast(product, encoded.kind),
        divide_and_add: Step {
            operands: [operand(quotient, scale)?, operand(quotient, offset)?],
            ..Step::new(encoded.kind, quotient, divide_and_add)
        },
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
    fn new(from: Kind, kind: Kind, change: Change) -> Self {
        Self { from, kind, cast: cast(from, kind), change, operands: [[0; 8]; 2] }
    }

    /// The changed numbers, in `buffer`.
    fn run<'b>(&self, from: &[u8], buffer: &'b mut [u8; BLOCK_LEN]) -> &'b [u8] {
        let numbers = &mut buffer[..from.len() / self.from.size() * self.kind.size()];
        (self.cast)(from, numbers);
        (self.change)(numbers, self.operands);
        numbers
    }
}

impl Kernel for FixedScaleOffset {
    fn encode(&self, _: &mut Carry, from: &[u8], to: &mut [u8]) {
        let (mut differences, mut products) = ([0; BLOCK_LEN], [0; BLOCK_LEN]);
        let differences = self.subtract.run(from, &mut differences);
        (self.to_encoded)(self.multiply.run(differences, &mut products), to);
    }

    fn decode(&self, _: &mut Carry, from: &[u8], to: &mut [u8]) {
        (self.to_decoded)(self.divide_and_add.run(from, &mut [0; BLOCK_LEN]), to);
    }
}

/// Calls `change` on each number, with the two operands.
#[inline]
fn each<T: Number>(numbers: &mut [u8], operands: [[u8; 8]; 2], change: impl Fn(T, T, T) -> T) {
    let [a, b] = operands.map(|operand| match T::items(&operand) {
        [first, ..] => T::load(*first),
        [] => T::default(),
    });
    for number in T::items_mut(numbers) {
        *number = change(T::load(*number), a, b).store();
    }
}

fn subtract<T: Arithmetic>(numbers: &mut [u8], operands: [[u8; 8]; 2]) {
    each(numbers, operands, |x: T, offset, _| x.minus(offset));
}

fn multiply<T: Arithmetic>(numbers: &mut [u8], operands: [[u8; 8]; 2]) {
    each(numbers, operands, |x: T, scale, _| x.times(scale).rounded());
}

fn divide_and_add<T: Float>(numbers: &mut [u8], operands: [[u8; 8]; 2]) {
    each(numbers, operands, |x: T, scale, offset| x.over(scale).plus(offset));
}
