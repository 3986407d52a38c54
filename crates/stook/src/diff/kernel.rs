//! When two values differ, and by how much.

use stook_core::element::{bf16, f16};

use crate::leaves::{LongDouble, Number};

/// What numbers may be apart and still be equal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tolerance {
    pub(super) relative: f64,
    pub(super) absolute: f64,
    pub(super) nan_differs: bool,
}

/// How far apart two numbers are that differ: absolutely, and in parts of the larger one. NaN
/// where one of them is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Distance {
    pub(super) absolute: f64,
    pub(super) relative: f64,
}

/// A number that is compared with one of its kind.
pub(super) trait Compared: Number {
    /// `None` where they are equal within `tolerance`.
    fn distance(self, other: Self, tolerance: &Tolerance) -> Option<Distance>;
}

macro_rules! integers {
    ($($t:ty),*) => {$(
        impl Compared for $t {
            #[inline]
            fn distance(self, other: Self, tolerance: &Tolerance) -> Option<Distance> {
                if self == other {
                    return None;
                }
                let absolute = i128::from(self).abs_diff(i128::from(other)) as f64;
                of(absolute, self as f64, other as f64, tolerance)
            }
        }
    )*};
}
integers!(i8, i16, i32, i64, u8, u16, u32, u64);

macro_rules! floats {
    ($($t:ty: $to_f64:expr),*) => {$(
        impl Compared for $t {
            #[inline]
            fn distance(self, other: Self, tolerance: &Tolerance) -> Option<Distance> {
                let to_f64: fn($t) -> f64 = $to_f64;
                floats(to_f64(self), to_f64(other), tolerance)
            }
        }
    )*};
}
floats!(
    f16: |x| x.to_f64(),
    bf16: |x| x.to_f64(),
    f32: f64::from,
    f64: |x| x,
    LongDouble: |x| x.0
);

/// As [`Compared::distance`].
#[inline]
fn floats(a: f64, b: f64, tolerance: &Tolerance) -> Option<Distance> {
    if a == b || (a.is_nan() && b.is_nan() && !tolerance.nan_differs) {
        return None;
    }
    of((a - b).abs(), a, b, tolerance)
}

#[inline]
fn of(absolute: f64, a: f64, b: f64, tolerance: &Tolerance) -> Option<Distance> {
    // An infinite number is near none, however wide a tolerance that grows with it.
    let is_near =
        absolute.is_finite() && absolute <= tolerance.absolute + tolerance.relative * b.abs();
    let larger = a.abs().max(b.abs());
    let relative = if absolute.is_infinite() { 1.0 } else { absolute / larger };
    (!is_near).then_some(Distance { absolute, relative })
}

/// A number of one of several kinds, compared as exactly as both allow.
#[derive(Clone, Copy)]
pub(super) enum Wide {
    Integer(i128),
    Float(f64),
}

impl Wide {
    /// As [`Compared::distance`].
    pub(super) fn distance(self, other: Self, tolerance: &Tolerance) -> Option<Distance> {
        let to_f64 = |wide: Self| match wide {
            Self::Integer(n) => n as f64,
            Self::Float(x) => x,
        };
        if let (Self::Integer(a), Self::Integer(b)) = (self, other) {
            let absolute = a.abs_diff(b) as f64;
            if a == b {
                return None;
            }
            let near = absolute <= tolerance.absolute + tolerance.relative * (b as f64).abs();
            let larger = (a as f64).abs().max((b as f64).abs());
            return (!near).then_some(Distance { absolute, relative: absolute / larger });
        }
        floats(to_f64(self), to_f64(other), tolerance)
    }
}

/// A number that becomes one of several kinds.
pub(super) trait ToWide {
    fn to_wide(self) -> Wide;
}

macro_rules! to_wide {
    ($($t:ty: $x:ident => $wide:expr),* $(,)?) => {$(
        impl ToWide for $t {
            fn to_wide(self) -> Wide {
                let $x = self;
                $wide
            }
        }
    )*};
}
to_wide! {
    i8: x => Wide::Integer(x.into()), i16: x => Wide::Integer(x.into()),
    i32: x => Wide::Integer(x.into()), i64: x => Wide::Integer(x.into()),
    u8: x => Wide::Integer(x.into()), u16: x => Wide::Integer(x.into()),
    u32: x => Wide::Integer(x.into()), u64: x => Wide::Integer(x.into()),
    f16: x => Wide::Float(x.to_f64()),
    bf16: x => Wide::Float(x.to_f64()),
    f32: x => Wide::Float(x.into()), f64: x => Wide::Float(x),
    LongDouble: x => Wide::Float(x.0),
}

/// How far apart two complex numbers are in the plane.
pub(super) fn complex<T: Number + ToWide>(
    a: &[u8],
    b: &[u8],
    tolerance: &Tolerance,
) -> Option<Distance> {
    let part = |bytes: &[u8]| match T::from_item(bytes).to_wide() {
        Wide::Float(x) => x,
        Wide::Integer(n) => n as f64,
    };
    let parts = |item: &[u8]| {
        let (re, im) = item.split_at(item.len() / 2);
        (part(re), part(im))
    };
    let ((a_re, a_im), (b_re, b_im)) = (parts(a), parts(b));
    let exact = Tolerance { relative: 0.0, absolute: 0.0, ..*tolerance };
    if floats(a_re, b_re, &exact).is_none() && floats(a_im, b_im, &exact).is_none() {
        return None;
    }
    let absolute = (a_re - b_re).hypot(a_im - b_im);
    let (a, b) = (a_re.hypot(a_im), b_re.hypot(b_im));
    let is_near = absolute.is_finite() && absolute <= tolerance.absolute + tolerance.relative * b;
    (!is_near).then_some(Distance { absolute, relative: absolute / a.max(b) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXACT: Tolerance = Tolerance { relative: 0.0, absolute: 0.0, nan_differs: false };

    #[test]
    fn equal_numbers_have_no_distance() {
        assert_eq!(0.0_f64.distance(-0.0, &EXACT), None);
        assert_eq!(f32::NAN.distance(f32::NAN, &EXACT), None);
        assert_eq!(f64::INFINITY.distance(f64::INFINITY, &EXACT), None);
        let strict = Tolerance { nan_differs: true, ..EXACT };
        assert!(f32::NAN.distance(f32::NAN, &strict).is_some());
    }

    #[test]
    fn distances_are_exact_where_differences_overflow() {
        let far = i64::MIN.distance(i64::MAX, &EXACT).unwrap();
        assert_eq!(far.absolute, 2_f64.powi(64));
        let one = u64::MAX.distance(u64::MAX - 1, &EXACT).unwrap();
        assert_eq!(one.absolute, 1.0);
    }

    #[test]
    fn tolerances_are_those_of_numpy() {
        let wide = Tolerance { relative: 0.1, absolute: 1.0, nan_differs: false };
        assert_eq!(111.0_f64.distance(100.0, &wide), None);
        assert!(111.5_f64.distance(100.0, &wide).is_some());
        assert!(1.0_f64.distance(f64::INFINITY, &wide).is_some());
        assert!(f64::NAN.distance(1.0, &wide).unwrap().absolute.is_nan());
    }
}
