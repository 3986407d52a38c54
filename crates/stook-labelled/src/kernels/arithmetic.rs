//! What can be done with two numbers of one type, with numpy's results.

use stook_core::element::f16;

use super::item::{Item, Truth};

/// Numbers that can be added and multiplied; integers wrap around, truths are joined.
pub(super) trait Number: Item {
    fn add(self, other: Self) -> Self;
    fn subtract(self, other: Self) -> Self;
    fn multiply(self, other: Self) -> Self;
    fn is_nan(self) -> bool;
    fn one() -> Self;
}

/// Numbers with an order.
pub(super) trait Real: Number {
    fn less(self, other: Self) -> bool;
    /// Python's division to the next whole number below; of integers by zero, zero.
    fn floor_divide(self, other: Self) -> Self;
    /// What is left of it, with the sign of the divisor.
    fn remainder(self, other: Self) -> Self;
    /// `None` for integers with a negative exponent.
    fn power(self, other: Self) -> Option<Self>;
    fn to_f64(self) -> f64;
    /// What is no number; the largest one of a type that has none.
    fn nan() -> Self;
    /// The largest there is, or the smallest.
    fn end(is_largest: bool) -> Self;

    /// The smaller one; what is no number wins.
    #[inline]
    fn least(self, other: Self) -> Self {
        if self.is_nan() || self.less(other) { self } else { other }
    }

    /// The larger one; what is no number wins.
    #[inline]
    fn greatest(self, other: Self) -> Self {
        if self.is_nan() || other.less(self) { self } else { other }
    }
}

/// Numbers whose quotients are numbers of their type.
pub(super) trait Fraction: Number {
    fn divide(self, other: Self) -> Self;
}

/// Numbers made of bits.
pub(super) trait Bits: Item {
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    fn not(self) -> Self;
}

macro_rules! integer {
    ($($rust:ty),*) => {$(
        impl Number for $rust {
            #[inline]
            fn add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline]
            fn subtract(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
            #[inline]
            fn multiply(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }
            #[inline]
            fn is_nan(self) -> bool {
                false
            }
            fn one() -> Self {
                1
            }
        }

        #[allow(unused_comparisons, clippy::allow_attributes, reason = "one body for integers with a sign and without")]
        impl Real for $rust {
            #[inline]
            fn less(self, other: Self) -> bool {
                self < other
            }
            #[inline]
            fn floor_divide(self, other: Self) -> Self {
                if other == 0 {
                    return 0;
                }
                let quotient = self.wrapping_div(other);
                let rest = self.wrapping_rem(other);
                if rest != 0 && (rest < 0) != (other < 0) { quotient.wrapping_sub(1) } else { quotient }
            }
            #[inline]
            fn remainder(self, other: Self) -> Self {
                if other == 0 {
                    return 0;
                }
                let rest = self.wrapping_rem(other);
                if rest != 0 && (rest < 0) != (other < 0) { rest.wrapping_add(other) } else { rest }
            }
            fn power(self, other: Self) -> Option<Self> {
                if other < 0 {
                    return None;
                }
                let (mut base, mut exponent, mut result) = (self, other, 1 as $rust);
                while exponent > 0 {
                    if exponent & 1 == 1 {
                        result = result.wrapping_mul(base);
                    }
                    base = base.wrapping_mul(base);
                    exponent >>= 1;
                }
                Some(result)
            }
            #[inline]
            fn to_f64(self) -> f64 {
                self as f64
            }
            fn nan() -> Self {
                Self::MAX
            }
            fn end(is_largest: bool) -> Self {
                if is_largest { Self::MAX } else { Self::MIN }
            }
        }

        impl Bits for $rust {
            #[inline]
            fn and(self, other: Self) -> Self {
                self & other
            }
            #[inline]
            fn or(self, other: Self) -> Self {
                self | other
            }
            #[inline]
            fn xor(self, other: Self) -> Self {
                self ^ other
            }
            #[inline]
            fn not(self) -> Self {
                !self
            }
        }
    )*};
}

integer!(i8, i16, i32, i64, u8, u16, u32, u64);

macro_rules! float {
    ($($rust:ty),*) => {$(
        impl Number for $rust {
            #[inline]
            fn add(self, other: Self) -> Self {
                self + other
            }
            #[inline]
            fn subtract(self, other: Self) -> Self {
                self - other
            }
            #[inline]
            fn multiply(self, other: Self) -> Self {
                self * other
            }
            #[inline]
            fn is_nan(self) -> bool {
                self != self
            }
            fn one() -> Self {
                1.0
            }
        }

        impl Real for $rust {
            #[inline]
            fn less(self, other: Self) -> bool {
                self < other
            }
            fn floor_divide(self, other: Self) -> Self {
                if other == 0.0 {
                    return self / other;
                }
                let rest = self % other;
                let mut quotient = (self - rest) / other;
                if rest != 0.0 && (other < 0.0) != (rest < 0.0) {
                    quotient -= 1.0;
                }
                if quotient == 0.0 {
                    return (0.0 as $rust).copysign(self / other);
                }
                let floor = quotient.floor();
                if quotient - floor > 0.5 { floor + 1.0 } else { floor }
            }
            fn remainder(self, other: Self) -> Self {
                let rest = self % other;
                if rest == 0.0 {
                    return rest.copysign(other);
                }
                if (other < 0.0) != (rest < 0.0) && !rest.is_nan() { rest + other } else { rest }
            }
            #[inline]
            fn power(self, other: Self) -> Option<Self> {
                Some(self.powf(other))
            }
            #[inline]
            fn to_f64(self) -> f64 {
                self.into()
            }
            fn nan() -> Self {
                Self::NAN
            }
            fn end(is_largest: bool) -> Self {
                if is_largest { Self::INFINITY } else { Self::NEG_INFINITY }
            }
        }

        impl Fraction for $rust {
            #[inline]
            fn divide(self, other: Self) -> Self {
                self / other
            }
        }
    )*};
}

float!(f32, f64);

impl Number for f16 {
    fn add(self, other: Self) -> Self {
        Self::from_f32(self.to_f32() + other.to_f32())
    }
    fn subtract(self, other: Self) -> Self {
        Self::from_f32(self.to_f32() - other.to_f32())
    }
    fn multiply(self, other: Self) -> Self {
        Self::from_f32(self.to_f32() * other.to_f32())
    }
    fn is_nan(self) -> bool {
        Self::is_nan(self)
    }
    fn one() -> Self {
        Self::ONE
    }
}

impl Real for f16 {
    fn less(self, other: Self) -> bool {
        self < other
    }
    fn floor_divide(self, other: Self) -> Self {
        Self::from_f32(Real::floor_divide(self.to_f32(), other.to_f32()))
    }
    fn remainder(self, other: Self) -> Self {
        Self::from_f32(Real::remainder(self.to_f32(), other.to_f32()))
    }
    fn power(self, other: Self) -> Option<Self> {
        Some(Self::from_f32(self.to_f32().powf(other.to_f32())))
    }
    fn to_f64(self) -> f64 {
        Self::to_f64(self)
    }
    fn nan() -> Self {
        Self::NAN
    }
    fn end(is_largest: bool) -> Self {
        if is_largest { Self::INFINITY } else { Self::NEG_INFINITY }
    }
}

impl Fraction for f16 {
    fn divide(self, other: Self) -> Self {
        Self::from_f32(self.to_f32() / other.to_f32())
    }
}

macro_rules! complex {
    ($($rust:ty),*) => {$(
        impl Number for [$rust; 2] {
            #[inline]
            fn add(self, other: Self) -> Self {
                [self[0] + other[0], self[1] + other[1]]
            }
            #[inline]
            fn subtract(self, other: Self) -> Self {
                [self[0] - other[0], self[1] - other[1]]
            }
            #[inline]
            fn multiply(self, other: Self) -> Self {
                [
                    self[0] * other[0] - self[1] * other[1],
                    self[0] * other[1] + self[1] * other[0],
                ]
            }
            #[inline]
            fn is_nan(self) -> bool {
                self[0].is_nan() || self[1].is_nan()
            }
            fn one() -> Self {
                [1.0, 0.0]
            }
        }

        impl Fraction for [$rust; 2] {
            /// Smith's way, which does not overflow where the quotient does not.
            fn divide(self, other: Self) -> Self {
                let ([a, b], [c, d]) = (self, other);
                if c.abs() >= d.abs() {
                    if c == 0.0 && d == 0.0 {
                        return [a / c.abs(), b / c.abs()];
                    }
                    let ratio = d / c;
                    let scale = 1.0 / (c + d * ratio);
                    [(a + b * ratio) * scale, (b - a * ratio) * scale]
                } else {
                    let ratio = c / d;
                    let scale = 1.0 / (d + c * ratio);
                    [(a * ratio + b) * scale, (b * ratio - a) * scale]
                }
            }
        }
    )*};
}

complex!(f32, f64);

impl Number for Truth {
    fn add(self, other: Self) -> Self {
        Self::from(self.get() | other.get())
    }
    fn subtract(self, other: Self) -> Self {
        Self::from(self.get() ^ other.get())
    }
    fn multiply(self, other: Self) -> Self {
        Self::from(self.get() & other.get())
    }
    fn is_nan(self) -> bool {
        false
    }
    fn one() -> Self {
        Self::from(true)
    }
}

impl Real for Truth {
    fn less(self, other: Self) -> bool {
        !self.get() & other.get()
    }
    fn floor_divide(self, other: Self) -> Self {
        Self::from(self.get() & other.get())
    }
    fn remainder(self, _: Self) -> Self {
        Self::from(false)
    }
    fn power(self, other: Self) -> Option<Self> {
        Some(Self::from(self.get() | !other.get()))
    }
    fn to_f64(self) -> f64 {
        self.get().into()
    }
    fn nan() -> Self {
        Self::from(true)
    }
    fn end(is_largest: bool) -> Self {
        Self::from(is_largest)
    }
}

impl Bits for Truth {
    fn and(self, other: Self) -> Self {
        Self::from(self.get() & other.get())
    }
    fn or(self, other: Self) -> Self {
        Self::from(self.get() | other.get())
    }
    fn xor(self, other: Self) -> Self {
        Self::from(self.get() ^ other.get())
    }
    fn not(self) -> Self {
        Self::from(!self.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_is_that_of_python() {
        assert_eq!(((-7_i32).floor_divide(2), Real::remainder(-7_i32, 2)), (-4, 1));
        assert_eq!((7_i32.floor_divide(-2), Real::remainder(7_i32, -2)), (-4, -1));
        assert_eq!((7_u8.floor_divide(0), Real::remainder(7_u8, 0)), (0, 0));
        assert_eq!(i64::MIN.floor_divide(-1), i64::MIN);
        assert_eq!(((-7.0_f64).floor_divide(2.0), Real::remainder(-7.0_f64, 2.0)), (-4.0, 1.0));
        assert_eq!(Real::remainder(-1.0_f64, f64::INFINITY), f64::INFINITY);
        assert!(
            Real::remainder(1.0_f64, 0.0).is_nan()
                && Real::floor_divide(1.0_f32, 0.0).is_infinite()
        );
    }

    #[test]
    fn what_is_no_number_is_the_smallest_and_the_largest() {
        assert!(f64::NAN.least(1.0).is_nan() && Real::least(1.0, f64::NAN).is_nan());
        assert!(Real::greatest(1.0, f64::NAN).is_nan());
        assert_eq!(Real::greatest(2_u8, 3), 3);
    }
}
