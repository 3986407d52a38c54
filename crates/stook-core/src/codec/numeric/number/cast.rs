//! Casts between numbers, as numpy's `astype` makes them on x86-64.
//!
//! Integers keep their low bits. A float becomes an integer towards zero; one that the integer
//! cannot hold becomes what the processor makes of it in C: the lowest number of 32 or 64 bits, of
//! which a narrower type keeps the low bits. numpy may give another number there on another
//! processor; ours is the same on all.

use half::f16;

use super::{Kind, Number, Truth, vectorized, with_number};

/// Turns numbers into others, as many.
pub(in crate::codec::numeric) type CastFn = fn(&[u8], &mut [u8]);

/// Another number of the same value, or near it.
pub(in crate::codec::numeric) trait Cast<U> {
    fn cast(self) -> U;
}

/// The loop that casts numbers of `from` to `to`.
pub(in crate::codec::numeric) fn cast(from: Kind, to: Kind) -> CastFn {
    with_number!(from, T => with_number!(to, U => cast_block::<T, U> as CastFn))
}

vectorized! {
    fn cast_block<T, U>[T: Number + Cast<U>, U: Number](from: &[u8], to: &mut [u8]) = cast_items
}

#[inline(always)]
fn cast_items<T: Number + Cast<U>, U: Number>(from: &[u8], to: &mut [u8]) {
    for (to, from) in U::items_mut(to).iter_mut().zip(T::items(from)) {
        *to = T::load(*from).cast().store();
    }
}

/// Integers to anything.
macro_rules! from_integer {
    ($($from:ty),*) => {$(
        from_integer!(@to $from => i8, i16, i32, i64, u8, u16, u32, u64, f32, f64);

        impl Cast<f16> for $from {
            #[inline]
            fn cast(self) -> f16 {
                f16::from_f32(self as f32)
            }
        }
        impl Cast<Truth> for $from {
            #[inline]
            fn cast(self) -> Truth {
                Truth(u8::from(self != 0))
            }
        }
        impl Cast<$from> for Truth {
            #[inline]
            fn cast(self) -> $from {
                <$from>::from(self.0 != 0)
            }
        }
    )*};
    (@to $from:ty => $($to:ty),*) => {$(
        impl Cast<$to> for $from {
            #[inline]
            fn cast(self) -> $to {
                self as $to
            }
        }
    )*};
}

from_integer!(i8, i16, i32, i64, u8, u16, u32, u64);

/// Floats to anything.
macro_rules! from_float {
    ($($from:ty),*) => {$(
        // What the 32- and the 64-bit instruction give, then the low bits.
        from_float!(@to $from, 2_147_483_648.0, i32 => i8, i16, i32, u8, u16);
        from_float!(@to $from, 9_223_372_036_854_775_808.0, i64 => i64, u32);

        impl Cast<u64> for $from {
            #[inline]
            fn cast(self) -> u64 {
                const LIMIT: $from = 9_223_372_036_854_775_808.0;
                if self < LIMIT {
                    Cast::<i64>::cast(self) as u64
                } else {
                    (Cast::<i64>::cast(self - LIMIT) as u64) ^ (1 << 63)
                }
            }
        }
        impl Cast<Truth> for $from {
            #[inline]
            fn cast(self) -> Truth {
                Truth(u8::from(self != 0.0))
            }
        }
        impl Cast<$from> for Truth {
            #[inline]
            fn cast(self) -> $from {
                f32::from(u8::from(self.0 != 0)).into()
            }
        }
        impl Cast<f32> for $from {
            #[inline]
            fn cast(self) -> f32 {
                self as f32
            }
        }
        impl Cast<f64> for $from {
            #[inline]
            fn cast(self) -> f64 {
                self.into()
            }
        }
    )*};
    (@to $from:ty, $limit:literal, $wide:ty => $($to:ty),*) => {$(
        impl Cast<$to> for $from {
            #[inline]
            #[expect(unsafe_code, reason = "a checked conversion costs more than the rest")]
            fn cast(self) -> $to {
                // A narrow float cannot tell the lowest number from the one before.
                let is_inside = (self >= -$limit || self > -$limit - 1.0) && self < $limit;
                let inside = if is_inside { self } else { 0.0 };
                // Checked as a whole and not by `as`, so that the loop is one of vectors.
                // SAFETY: it is a number, and the integer of its whole part exists.
                let wide: $wide = unsafe { inside.to_int_unchecked() };
                let wide = if is_inside { wide } else { <$wide>::MIN };
                wide as $to
            }
        }
    )*};
}

from_float!(f32, f64);

impl Cast<f16> for f32 {
    #[inline]
    fn cast(self) -> f16 {
        f16::from_f32(self)
    }
}

impl Cast<f16> for f64 {
    /// Rounds once: to odd on the way to 32 bits, so that no tie is made there.
    #[inline]
    fn cast(self) -> f16 {
        let near = self as f32;
        let back = f64::from(near);
        if back == self || near.is_nan() || near.is_infinite() || near.to_bits() & 1 == 1 {
            return f16::from_f32(near);
        }
        // An even neighbour is replaced by the odd one on the other side of the value.
        let is_farther = self.abs() > back.abs();
        let odd = if is_farther { near.to_bits() + 1 } else { near.to_bits().wrapping_sub(1) };
        f16::from_f32(f32::from_bits(odd))
    }
}

impl Cast<f16> for f16 {
    #[inline]
    fn cast(self) -> f16 {
        self
    }
}

impl Cast<Truth> for Truth {
    #[inline]
    fn cast(self) -> Truth {
        Truth(u8::from(self.0 != 0))
    }
}

impl Cast<f16> for Truth {
    #[inline]
    fn cast(self) -> f16 {
        if self.0 == 0 { f16::ZERO } else { f16::ONE }
    }
}

macro_rules! from_half {
    ($($to:ty),*) => {$(
        impl Cast<$to> for f16 {
            #[inline]
            fn cast(self) -> $to {
                self.to_f32().cast()
            }
        }
    )*};
}

from_half!(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, Truth);
