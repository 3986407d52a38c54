//! Arithmetic as numpy has it: integers wrap around, halves go by way of 32 bits and are rounded
//! at each step.

use half::{bf16, f16};

use super::Number;

/// A number that can be calculated with.
pub(in crate::codec::numeric) trait Arithmetic: Number {
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    /// The nearest integer, the even one of two.
    fn rounded(self) -> Self;
}

/// A float that can be calculated with.
pub(in crate::codec::numeric) trait Float: Arithmetic {
    fn over(self, other: Self) -> Self;
}

macro_rules! integer {
    ($($rust:ty),*) => {$(
        impl Arithmetic for $rust {
            #[inline]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline]
            fn minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
            #[inline]
            fn times(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }
            #[inline]
            fn rounded(self) -> Self {
                self
            }
        }
    )*};
}

integer!(i8, i16, i32, i64, u8, u16, u32, u64);

macro_rules! float {
    ($($rust:ty, $one_apart:literal);*) => {$(
        impl Arithmetic for $rust {
            #[inline]
            fn plus(self, other: Self) -> Self {
                self + other
            }
            #[inline]
            fn minus(self, other: Self) -> Self {
                self - other
            }
            #[inline]
            fn times(self, other: Self) -> Self {
                self * other
            }
            #[inline]
            fn rounded(self) -> Self {
                // From here on numbers are integers, and the sum is rounded to one.
                // `round_ties_even` calls a function on processors that may lack an instruction.
                const ONE_APART: $rust = $one_apart;
                let rounded = (self.abs() + ONE_APART) - ONE_APART;
                let rounded = if self.abs() < ONE_APART { rounded } else { self };
                rounded.copysign(self)
            }
        }
        impl Float for $rust {
            #[inline]
            fn over(self, other: Self) -> Self {
                self / other
            }
        }
    )*};
}

float! { f32, 8_388_608.0; f64, 4_503_599_627_370_496.0 }

macro_rules! half {
    ($($rust:ty),*) => {$(
        impl Arithmetic for $rust {
            #[inline]
            fn plus(self, other: Self) -> Self {
                Self::from_f32(self.to_f32() + other.to_f32())
            }
            #[inline]
            fn minus(self, other: Self) -> Self {
                Self::from_f32(self.to_f32() - other.to_f32())
            }
            #[inline]
            fn times(self, other: Self) -> Self {
                Self::from_f32(self.to_f32() * other.to_f32())
            }
            #[inline]
            fn rounded(self) -> Self {
                Self::from_f32(self.to_f32().rounded())
            }
        }
        impl Float for $rust {
            #[inline]
            fn over(self, other: Self) -> Self {
                Self::from_f32(self.to_f32() / other.to_f32())
            }
        }
    )*};
}

half!(f16, bf16);
