//! Whether the elements of two arrays are equal, or near each other, in one pass.

use std::sync::atomic::{AtomicBool, Ordering};

use stook_core::element::f16;
use stook_core::{DType, Error, Result};

use super::arithmetic::{Number, Real};
use super::gather::FromAny;
use super::item::{Truth, dispatch};
use super::memory::{Strided, broadcast_shape};
use super::memory_mut::StridedMut;
use super::promote::promote;
use super::tiles::{Buffer, Walk};
use super::wide::wide;

/// How far elements may be from each other: `|a - b| <= absolute + relative * |b|`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tolerance {
    /// As a part of the second element.
    pub relative: f64,
    /// Whatever the elements are.
    pub absolute: f64,
    /// Whether what is no number (NaN, NaT) is equal to itself.
    pub nans_equal: bool,
}

impl Tolerance {
    /// Elements must be equal; what is no number equals itself.
    #[must_use]
    pub fn identical() -> Self {
        Self { nans_equal: true, ..Self::default() }
    }

    fn is_exact(self) -> bool {
        self.relative == 0.0 && self.absolute == 0.0
    }
}

/// Numbers with a distance.
trait Near: Number {
    fn is_near(self, other: Self, tolerance: Tolerance) -> bool;

    /// Whether it is what times are that are none.
    fn is_no_time(self) -> bool {
        false
    }
}

macro_rules! near {
    ($($rust:ty),*; $a:ident, $b:ident => $distance:expr, $size:expr) => {$(
        impl Near for $rust {
            #[inline]
            fn is_near(self, other: Self, tolerance: Tolerance) -> bool {
                let ($a, $b) = (self, other);
                let (distance, room): (f64, f64) =
                    ($distance, tolerance.absolute + tolerance.relative * $size);
                $a == $b || distance <= room && distance < f64::INFINITY
            }
        }
    )*};
}

near!(i8, i16, i32, u8, u16, u32, f64; a, b => (Real::to_f64(a) - Real::to_f64(b)).abs(), Real::to_f64(b).abs());
near!(u64; a, b => a.abs_diff(b) as f64, Real::to_f64(b).abs());
near!(f16; a, b => (a.to_f64() - b.to_f64()).abs(), b.to_f64().abs());
near!(Truth; a, b => (a.to_f64() - b.to_f64()).abs(), b.to_f64());
near!([f32; 2]; a, b => f64::from((a[0] - b[0]).hypot(a[1] - b[1])), f64::from(b[0].hypot(b[1])));
near!([f64; 2]; a, b => (a[0] - b[0]).hypot(a[1] - b[1]), b[0].hypot(b[1]));

impl Near for i64 {
    #[inline]
    fn is_near(self, other: Self, tolerance: Tolerance) -> bool {
        let room = tolerance.absolute + tolerance.relative * (other as f64).abs();
        self == other || self.abs_diff(other) as f64 <= room
    }

    fn is_no_time(self) -> bool {
        self == Self::MIN
    }
}

impl Near for f32 {
    /// In single precision, as numpy has it.
    #[inline]
    fn is_near(self, other: Self, tolerance: Tolerance) -> bool {
        let room = tolerance.absolute as Self + tolerance.relative as Self * other.abs();
        let distance = (self - other).abs();
        self == other || distance <= room && distance < Self::INFINITY
    }
}

fn operand(a: &DType, b: &DType) -> Result<DType> {
    let common = promote(a, b)?;
    match super::promote::kind(&common) {
        Some(_) => Ok(common),
        None if matches!(common, DType::DateTime(_) | DType::TimeDelta(_)) => Ok(common),
        None => Err(Error::unsupported(format!("closeness of {a} and {b}"))),
    }
}

type Buffers<T> = (Buffer<T>, Buffer<T>, Buffer<Truth>);

/// Fills `out`, of truth values, with whether each two elements of `a` and `b` are equal within a
/// tolerance. `a` and `b` broadcast to its shape. Infinities are near themselves alone.
///
/// # Errors
/// `Unsupported` for what is no number and no time, `InvalidInput` where shapes do not fit.
pub fn element_equals(
    a: &Strided<'_>,
    b: &Strided<'_>,
    tolerance: Tolerance,
    out: &mut StridedMut<'_>,
) -> Result<()> {
    let common = operand(a.dtype(), b.dtype())?;
    out.check_dtype(&DType::Bool)?;
    let inputs = [a.broadcast_to(out.shape())?, b.broadcast_to(out.shape())?];
    let walk = Walk::elementwise(out, inputs)?;
    let is_time = matches!(common, DType::DateTime(_) | DType::TimeDelta(_));
    dispatch!(&common, T => fill::<T>(&walk, tolerance, is_time), else Ok(()))
}

/// Whether all elements of `a` and `b`, which broadcast to one shape, are equal within a tolerance.
/// It ends at the first that are not.
///
/// # Errors
/// `Unsupported` for what is no number and no time, `InvalidInput` where shapes do not match.
pub fn all_close(a: &Strided<'_>, b: &Strided<'_>, tolerance: Tolerance) -> Result<bool> {
    let common = operand(a.dtype(), b.dtype())?;
    let shape = broadcast_shape(a.shape(), b.shape())?;
    let inputs = [a.broadcast_to(&shape)?, b.broadcast_to(&shape)?];
    let walk = Walk::reading(inputs)?;
    let is_time = matches!(common, DType::DateTime(_) | DType::TimeDelta(_));
    let differs = AtomicBool::new(false);
    dispatch!(&common, T => look::<T>(&walk, tolerance, is_time, &differs), else Ok(()))?;
    Ok(!differs.into_inner())
}

/// What kind of comparison a tolerance asks for, so that loops are free of choices.
fn predicate<T: Near>(tolerance: Tolerance, is_time: bool) -> impl Fn(&[T], &[T], &mut [Truth]) {
    move |a: &[T], b: &[T], out: &mut [Truth]| {
        let all = out.iter_mut().zip(a.iter().zip(b));
        let nans_equal = tolerance.nans_equal;
        match (is_time, tolerance.is_exact()) {
            (false, true) if nans_equal => all.for_each(|(place, (&a, &b))| {
                *place = Truth::from((a == b) | (a.is_nan() & b.is_nan()));
            }),
            (false, true) => all.for_each(|(place, (&a, &b))| *place = Truth::from(a == b)),
            (false, false) if nans_equal => all.for_each(|(place, (&a, &b))| {
                let is_nan = a.is_nan() & b.is_nan();
                *place = Truth::from(a.is_near(b, tolerance) | is_nan);
            }),
            (false, false) => all.for_each(|(place, (&a, &b))| {
                *place = Truth::from(a.is_near(b, tolerance));
            }),
            (true, _) => all.for_each(|(place, (&a, &b))| {
                let equal = if a.is_no_time() | b.is_no_time() {
                    nans_equal && a.is_no_time() && b.is_no_time()
                } else {
                    a.is_near(b, tolerance)
                };
                *place = Truth::from(equal);
            }),
        }
    }
}

fn fill<T: FromAny + Near>(walk: &Walk<'_, 2>, tolerance: Tolerance, is_time: bool) -> Result<()> {
    let predicate = predicate::<T>(tolerance, is_time);
    walk.run::<Buffers<T>>(|tile, (a, b, out)| {
        let (a, b) = (tile.input(0, a)?, tile.input(1, b)?);
        tile.output(out, |out| {
            wide(|| predicate(a, b, out));
            Ok(())
        })
    })
}

fn look<T: FromAny + Near>(
    walk: &Walk<'_, 2>,
    tolerance: Tolerance,
    is_time: bool,
    differs: &AtomicBool,
) -> Result<()> {
    let predicate = predicate::<T>(tolerance, is_time);
    walk.run::<(Buffer<T>, Buffer<T>, Vec<Truth>)>(|tile, (a, b, equal)| {
        if differs.load(Ordering::Relaxed) {
            return Ok(());
        }
        let (a, b) = (tile.input(0, a)?, tile.input(1, b)?);
        equal.resize(a.len(), Truth::default());
        wide(|| predicate(a, b, equal));
        if !equal.iter().fold(true, |all, equal| all & equal.get()) {
            differs.store(true, Ordering::Relaxed);
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use stook_core::Values;
    use stook_core::element::as_bytes;

    use super::*;
    use crate::kernels::memory::filled;

    fn floats(items: &[f64]) -> Values {
        let shape = vec![items.len() as u64];
        Values::new(DType::Float64, shape, as_bytes(items).to_vec(), vec![]).unwrap()
    }

    fn equal(a: &[f64], b: &[f64], tolerance: Tolerance) -> Vec<u8> {
        let (a, b) = (floats(a), floats(b));
        let (a, b) = (Strided::of(&a).unwrap(), Strided::of(&b).unwrap());
        let out =
            filled(DType::Bool, a.shape(), |mut out| element_equals(&a, &b, tolerance, &mut out));
        let out = out.unwrap().items().to_vec();
        assert_eq!(all_close(&a, &b, tolerance).unwrap(), !out.contains(&0));
        out
    }

    #[test]
    fn near_is_relative_to_the_second_and_infinities_are_near_themselves() {
        let (a, b) = (
            [1.0, f64::INFINITY, -f64::INFINITY, f64::NAN, 2.0],
            [1.0, f64::INFINITY, f64::INFINITY, f64::NAN, 2.1],
        );
        let tolerance = Tolerance { relative: 0.1, ..Tolerance::default() };
        assert_eq!(equal(&a, &b, Tolerance::default()), [1, 1, 0, 0, 0]);
        assert_eq!(equal(&a, &b, tolerance), [1, 1, 0, 0, 1]);
        assert_eq!(equal(&a, &b, Tolerance::identical()), [1, 1, 0, 1, 0]);
        assert_eq!(equal(&[1.0], &[0.0], tolerance), [0]);
    }

    #[test]
    fn integers_beyond_those_of_floats_are_told_apart() {
        let (a, b) = ([i64::MAX], [i64::MAX - 1]);
        let values = |items: &[i64]| {
            Values::new(DType::Int64, vec![1], as_bytes(items).to_vec(), vec![]).unwrap()
        };
        let (a, b) = (values(&a), values(&b));
        let (a, b) = (Strided::of(&a).unwrap(), Strided::of(&b).unwrap());
        assert!(!all_close(&a, &b, Tolerance::default()).unwrap());
        let near = Tolerance { absolute: 1.0, ..Tolerance::default() };
        assert!(all_close(&a, &b, near).unwrap());
    }
}
