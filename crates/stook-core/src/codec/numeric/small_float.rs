//! Floats of any layout: their values, and rounding to them.

use crate::codec::Rounding;
use crate::dtype::{DType, Narrow};

/// What the highest bit patterns of a float mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Special {
    /// Infinities and NaN where all bits of the exponent are set.
    Ieee,
    /// Numbers only.
    Finite,
    /// Numbers, and NaN in place of the negative zero.
    NanForNegativeZero,
    /// Powers of two only, without sign and zero; NaN where all bits are set.
    Exponent,
}

/// How a float lies in its bits: sign, exponent, mantissa.
#[derive(Clone, Copy, Debug)]
pub(super) struct FloatFormat {
    n_mantissa_bits: i32,
    n_exponent_bits: i32,
    bias: i32,
    special: Special,
}

/// A value that a format has no place for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// Above the highest or below the lowest.
    OutOfRange,
    NaN,
}

impl FloatFormat {
    pub(super) fn of(dtype: &DType) -> Option<Self> {
        use Special::{Exponent, Finite, Ieee, NanForNegativeZero};
        let (n_exponent_bits, n_mantissa_bits, bias, special) = match dtype {
            DType::Float16 => (5, 10, 15, Ieee),
            DType::BFloat16 => (8, 7, 127, Ieee),
            DType::Float32 => (8, 23, 127, Ieee),
            DType::Float64 => (11, 52, 1023, Ieee),
            DType::Narrow(narrow) => match narrow {
                Narrow::Float8E3M4 => (3, 4, 3, Ieee),
                Narrow::Float8E4M3 => (4, 3, 7, Ieee),
                Narrow::Float8E5M2 => (5, 2, 15, Ieee),
                Narrow::Float8E4M3B11Fnuz => (4, 3, 11, NanForNegativeZero),
                Narrow::Float8E4M3Fnuz => (4, 3, 8, NanForNegativeZero),
                Narrow::Float8E5M2Fnuz => (5, 2, 16, NanForNegativeZero),
                Narrow::Float8E8M0Fnu => (8, 0, 127, Exponent),
                Narrow::Float6E2M3Fn => (2, 3, 1, Finite),
                Narrow::Float6E3M2Fn => (3, 2, 3, Finite),
                Narrow::Float4E2M1Fn => (2, 1, 1, Finite),
                _ => return None,
            },
            _ => return None,
        };
        Some(Self { n_mantissa_bits, n_exponent_bits, bias, special })
    }

    /// Bits of the mantissa, the one before the point counted.
    pub(super) fn precision(self) -> u32 {
        self.n_mantissa_bits.unsigned_abs() + 1
    }

    pub(super) fn has_infinity(self) -> bool {
        self.special == Special::Ieee
    }

    fn sign_bit(self) -> u64 {
        1 << (self.n_exponent_bits + self.n_mantissa_bits)
    }

    /// The bits of the highest number.
    fn highest(self) -> u64 {
        match self.special {
            Special::Ieee => (((1 << self.n_exponent_bits) - 1) << self.n_mantissa_bits) - 1,
            Special::Exponent => 0xFE,
            Special::Finite | Special::NanForNegativeZero => self.sign_bit() - 1,
        }
    }

    /// The highest number.
    pub(super) fn max(self) -> f64 {
        self.value(self.highest())
    }

    /// The number that the lowest bits of `bits` stand for.
    pub(super) fn value(self, bits: u64) -> f64 {
        if self.special == Special::Exponent {
            let exponent = (bits & 0xFF) as i32;
            return if exponent == 0xFF { f64::NAN } else { two_to(exponent - self.bias) };
        }
        let sign = if bits & self.sign_bit() == 0 { 1.0 } else { -1.0 };
        let magnitude = bits & (self.sign_bit() - 1);
        let mantissa = magnitude & ((1 << self.n_mantissa_bits) - 1);
        let exponent = (magnitude >> self.n_mantissa_bits) as i32;
        if self.special == Special::NanForNegativeZero && magnitude == 0 && sign < 0.0 {
            return f64::NAN;
        }
        if magnitude > self.highest() {
            return if mantissa == 0 { sign * f64::INFINITY } else { f64::NAN };
        }
        let (mantissa, exponent) = match exponent {
            0 => (mantissa, 1),
            _ => (mantissa | 1 << self.n_mantissa_bits, exponent),
        };
        // The smallest of 64 bits are reached in two steps.
        let (high, low) = (exponent - self.bias, -self.n_mantissa_bits);
        sign * (mantissa as f64 * two_to(low)) * two_to(high)
    }

    /// The bits of `value`, which has been rounded to the format.
    pub(super) fn bits(self, value: f64) -> Result<u64, Misfit> {
        if value.is_nan() {
            return match self.special {
                Special::Ieee => {
                    Ok(self.highest() + 1 + (1 << self.n_mantissa_bits.saturating_sub(1)))
                }
                Special::NanForNegativeZero => Ok(self.sign_bit()),
                Special::Exponent => Ok(0xFF),
                Special::Finite => Err(Misfit::NaN),
            };
        }
        let sign = if value.is_sign_negative() { self.sign_bit() } else { 0 };
        let magnitude = value.abs();
        if magnitude.is_infinite() && self.has_infinity() {
            return Ok(sign | (self.highest() + 1));
        }
        if self.special == Special::Exponent {
            let is_held = value > 0.0 && magnitude >= two_to(-self.bias) && value <= self.max();
            let exponent = (magnitude.to_bits() >> 52) as i32 - 1023 + self.bias;
            return if is_held {
                Ok(exponent.unsigned_abs().into())
            } else {
                Err(Misfit::OutOfRange)
            };
        }
        if magnitude > self.max() {
            return Err(Misfit::OutOfRange);
        }
        if magnitude == 0.0 {
            return Ok(if self.special == Special::NanForNegativeZero { 0 } else { sign });
        }
        let exponent = exponent_of(magnitude).max(1 - self.bias);
        let mantissa = scaled(magnitude, self.n_mantissa_bits - exponent) as u64;
        let biased = (exponent + self.bias - 1) as u64;
        // The bit before the point counts the exponent up, but of the smallest.
        Ok(sign | ((biased << self.n_mantissa_bits) + mantissa))
    }

    /// `value` rounded as if exponents had no end above; not a number and infinities as they are.
    pub(super) fn round(self, value: f64, rounding: Rounding) -> f64 {
        if value == 0.0 || !value.is_finite() {
            return value;
        }
        let lowest = if self.special == Special::Exponent { -self.bias } else { 1 - self.bias };
        let shift = self.n_mantissa_bits - exponent_of(value).max(lowest);
        let rounded = round_integer(scaled(value, shift), rounding);
        scaled(rounded, -shift).copysign(value)
    }
}

/// The integer that `value` is rounded to.
pub(super) fn round_integer(value: f64, rounding: Rounding) -> f64 {
    match rounding {
        Rounding::NearestEven => value.round_ties_even(),
        Rounding::TowardsZero => value.trunc(),
        Rounding::TowardsPositive => value.ceil(),
        Rounding::TowardsNegative => value.floor(),
        Rounding::NearestAway => value.round(),
    }
}

/// `integer` rounded to so many bits.
pub(super) fn round_to_bits(integer: i128, n_bits: u32, rounding: Rounding) -> i128 {
    let magnitude = integer.unsigned_abs();
    let dropped = (128 - magnitude.leading_zeros()).saturating_sub(n_bits);
    if dropped == 0 {
        return integer;
    }
    let (kept, rest) = (magnitude >> dropped, magnitude & ((1 << dropped) - 1));
    let half = 1 << (dropped - 1);
    let is_up = match rounding {
        Rounding::NearestEven => rest > half || (rest == half && kept & 1 == 1),
        Rounding::NearestAway => rest >= half,
        Rounding::TowardsZero => false,
        Rounding::TowardsPositive => rest > 0 && integer > 0,
        Rounding::TowardsNegative => rest > 0 && integer < 0,
    };
    // An integer of 64 bits at most: what is rounded up has room.
    let rounded = ((kept + u128::from(is_up)) << dropped) as i128;
    if integer < 0 { -rounded } else { rounded }
}

/// The exponent of a number other than 0.
fn exponent_of(value: f64) -> i32 {
    match (value.to_bits() >> 52 & 0x7FF) as i32 {
        0 => exponent_of(value * two_to(64)) - 64,
        biased => biased - 1023,
    }
}

/// A power of two that doubles have.
fn two_to(exponent: i32) -> f64 {
    match exponent {
        -1022..=1023 => f64::from_bits(((exponent + 1023) as u64) << 52),
        ..-1022 => two_to(-1022) * two_to((exponent + 1022).max(-1000)),
        _ => f64::INFINITY,
    }
}

/// `value` times a power of two, exactly where the result has room for it.
fn scaled(value: f64, exponent: i32) -> f64 {
    let half = exponent / 2;
    value * two_to(half) * two_to(exponent - half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_pattern_has_a_value_and_every_value_its_bits() {
        for (narrow, name) in Narrow::NAMES {
            let Some(format) = FloatFormat::of(&DType::Narrow(narrow)) else { continue };
            let n_bits = format.n_exponent_bits
                + format.n_mantissa_bits
                + i32::from(format.special != Special::Exponent);
            for bits in 0..1_u64 << n_bits {
                let value = format.value(bits);
                let again = format.bits(value).map(|bits| format.value(bits));
                assert!(again.is_ok_and(|x| x == value || x.is_nan()), "{name} {bits:#x} {value}");
                if !value.is_nan() {
                    assert_eq!(format.bits(value), Ok(bits), "{name} {value}");
                    assert_eq!(format.round(value, Rounding::TowardsZero), value, "{name}");
                }
            }
        }
    }

    #[test]
    fn the_values_are_those_of_ml_dtypes() {
        let max = |narrow| FloatFormat::of(&DType::Narrow(narrow)).map(FloatFormat::max);
        // `ml_dtypes.finfo(t).max`, ml_dtypes 0.5.
        for (narrow, expected) in [
            (Narrow::Float8E3M4, 15.5),
            (Narrow::Float8E4M3, 240.0),
            (Narrow::Float8E4M3B11Fnuz, 30.0),
            (Narrow::Float8E4M3Fnuz, 240.0),
            (Narrow::Float8E5M2, 57344.0),
            (Narrow::Float8E5M2Fnuz, 57344.0),
            (Narrow::Float6E2M3Fn, 7.5),
            (Narrow::Float6E3M2Fn, 28.0),
            (Narrow::Float4E2M1Fn, 6.0),
        ] {
            assert_eq!(max(narrow), Some(expected), "{narrow:?}");
        }
    }

    #[test]
    fn doubles_round_as_the_processor_rounds_them() {
        let single = FloatFormat::of(&DType::Float32).unwrap();
        for i in 0..20_000_u64 {
            let value = f64::from_bits(
                i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 1 & !(0x600 << 52) | 0x380 << 52,
            );
            let rounded = single.round(value, Rounding::NearestEven);
            assert_eq!(rounded, f64::from(value as f32), "{value:e}");
            assert_eq!(single.bits(rounded), Ok(u64::from((value as f32).to_bits())));
        }
        for value in [1e-45, 1e-40, -2.9e-39, 1.4e-45 / 2.1] {
            let rounded = single.round(value, Rounding::NearestEven);
            assert_eq!(rounded, f64::from(value as f32), "{value:e}");
            assert_eq!(single.value(single.bits(rounded).unwrap()), rounded);
        }
        let double = FloatFormat::of(&DType::Float64).unwrap();
        for value in [5e-324, 1e-310, 0.1, -1.7e308, f64::INFINITY] {
            assert_eq!(double.bits(value), Ok(value.to_bits()));
            assert_eq!(double.value(value.to_bits()), value);
            assert_eq!(double.round(value, Rounding::NearestAway), value);
        }
    }
}
