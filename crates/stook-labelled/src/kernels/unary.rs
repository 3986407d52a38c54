//! What is done with each element of one array.

use stook_core::element::f16;
use stook_core::{DType, Error, Result};

use super::arithmetic::{Bits, Number, Real};
use super::gather::FromAny;
use super::item::{Cast, Item, Truth, dispatch, dispatch_integer, dispatch_primitive};
use super::memory::Strided;
use super::memory_mut::StridedMut;
use super::promote::{Kind, kind};
use super::tiles::{Buffer, Walk};

/// What is done with an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of numpy's functions")]
#[non_exhaustive]
pub enum Unary {
    Negative,
    Absolute,
    Invert,
    IsNan,
    Sqrt,
    Exp,
    Log,
    Floor,
    Ceil,
    /// To the nearest whole number, halves to the even one.
    Rint,
    Sign,
}

impl Unary {
    fn refused(self, dtype: &DType) -> Error {
        Error::unsupported(format!("`{self:?}` of {dtype}").to_lowercase())
    }

    fn is_of_floats(self) -> bool {
        matches!(self, Self::Sqrt | Self::Exp | Self::Log | Self::Floor | Self::Ceil | Self::Rint)
    }
}

/// The type of results.
///
/// # Errors
/// `Unsupported` where the operation does not know the type.
pub fn unary_dtype(op: Unary, dtype: &DType) -> Result<DType> {
    let kind = kind(dtype);
    match (op, kind) {
        (Unary::IsNan, _) => Ok(DType::Bool),
        (Unary::Absolute, Some(Kind::Complex)) => {
            Ok(if *dtype == DType::Complex64 { DType::Float32 } else { DType::Float64 })
        }
        (Unary::Negative, Some(kind)) if kind != Kind::Bool => Ok(dtype.clone()),
        (Unary::Absolute, Some(_)) => Ok(dtype.clone()),
        (Unary::Sign, Some(kind)) if !matches!(kind, Kind::Bool | Kind::Complex) => {
            Ok(dtype.clone())
        }
        (Unary::Invert, Some(Kind::Bool | Kind::Signed | Kind::Unsigned)) => Ok(dtype.clone()),
        (_, Some(Kind::Float)) if op.is_of_floats() => Ok(dtype.clone()),
        (Unary::Floor | Unary::Ceil | Unary::Rint, Some(Kind::Signed | Kind::Unsigned)) => {
            Ok(dtype.clone())
        }
        (_, Some(Kind::Signed | Kind::Unsigned | Kind::Bool)) if op.is_of_floats() => {
            Ok(DType::Float64)
        }
        _ => Err(op.refused(dtype)),
    }
}

type Buffers<T, O> = (Buffer<T>, Buffer<O>);

fn map<T: FromAny, O: Item>(walk: &Walk<'_, 1>, f: impl Fn(T) -> O + Sync) -> Result<()> {
    walk.run::<Buffers<T, O>>(|tile, (from, to)| {
        let from = tile.input(0, from)?;
        tile.output(to, |to| {
            to.iter_mut().zip(from).for_each(|(place, &item)| *place = f(item));
            Ok(())
        })
    })
}

/// Fills `out` with what `op` makes of `array`, which broadcasts to its shape.
///
/// # Errors
/// `Unsupported` where the operation does not know the type, `InvalidInput` where shapes or the
/// type of `out` do not fit.
pub fn unary(op: Unary, array: &Strided<'_>, out: &mut StridedMut<'_>) -> Result<()> {
    let dtype = array.dtype();
    let result = unary_dtype(op, dtype)?;
    out.check_dtype(&result)?;
    let walk = Walk::elementwise(out, [array.broadcast_to(out.shape())?])?;
    let refused = || op.refused(dtype);
    match op {
        Unary::IsNan => match dtype {
            DType::DateTime(_) | DType::TimeDelta(_) => {
                map(&walk, |item: i64| Truth::from(item == i64::MIN))
            }
            _ => dispatch!(dtype, T => {
                map(&walk, |item: T| Truth::from(Number::is_nan(item)))
            }, else map_to(&walk, Truth::from(false))),
        },
        Unary::Negative => match dtype {
            DType::Float32 => map(&walk, |item: f32| -item),
            DType::Float64 => map(&walk, |item: f64| -item),
            DType::Float16 => map(&walk, |item: f16| -item),
            _ => dispatch!(dtype, T => {
                map(&walk, |item: T| T::default().subtract(item))
            }, else Err(refused())),
        },
        Unary::Absolute => match dtype {
            DType::Bool => map(&walk, |item: Truth| item),
            DType::Float16 => map(&walk, |item: f16| f16::from_bits(item.to_bits() & 0x7fff)),
            DType::Float32 => map(&walk, f32::abs),
            DType::Float64 => map(&walk, f64::abs),
            DType::Complex64 => map(&walk, |item: [f32; 2]| item[0].hypot(item[1])),
            DType::Complex128 => map(&walk, |item: [f64; 2]| item[0].hypot(item[1])),
            _ => dispatch_integer!(dtype, T => map(&walk, |item: T| {
                let zero = T::default();
                if item.less(zero) { zero.subtract(item) } else { item }
            }), else Err(refused())),
        },
        Unary::Invert => match dtype {
            DType::Bool => map(&walk, |item: Truth| item.not()),
            _ => {
                dispatch_integer!(dtype, T => map(&walk, |item: T| item.not()), else Err(refused()))
            }
        },
        Unary::Sign => match dtype {
            DType::Float16 => map(&walk, |item: f16| sign(item)),
            _ => {
                dispatch_primitive!(dtype, T => map(&walk, |item: T| sign(item)), else Err(refused()))
            }
        },
        _ => of_floats(op, &walk, &result).unwrap_or_else(|| {
            // Integers are whole already.
            dispatch_integer!(dtype, T => map(&walk, |item: T| item), else Err(refused()))
        }),
    }
}

fn map_to<O: Item>(walk: &Walk<'_, 1>, value: O) -> Result<()> {
    walk.run::<Buffer<O>>(|tile, to| {
        tile.output(to, |to| {
            to.fill(value);
            Ok(())
        })
    })
}

fn sign<T: Real>(item: T) -> T {
    let zero = T::default();
    if item.is_nan() {
        item
    } else if zero.less(item) {
        T::one()
    } else if item.less(zero) {
        zero.subtract(T::one())
    } else {
        zero
    }
}

/// Functions of floats; `None` for results of other types.
fn of_floats(op: Unary, walk: &Walk<'_, 1>, result: &DType) -> Option<Result<()>> {
    let f: fn(f64) -> f64 = match op {
        Unary::Sqrt => f64::sqrt,
        Unary::Exp => f64::exp,
        Unary::Log => f64::ln,
        Unary::Floor => f64::floor,
        Unary::Ceil => f64::ceil,
        _ => f64::round_ties_even,
    };
    Some(match result {
        DType::Float64 => map(walk, f),
        DType::Float32 => map(walk, |item: f32| Cast::<f32>::cast(f(item.into()))),
        DType::Float16 => map(walk, |item: f16| f16::from_f64(f(item.to_f64()))),
        _ => return None,
    })
}

/// Fills `out` with the elements of `array`, which broadcasts to its shape, cast to its type.
/// Elements of types that are no numbers are copied as they are, between arrays of one type.
///
/// # Errors
/// `Unsupported` where there is no such cast, `InvalidInput` where shapes do not fit.
pub fn cast(array: &Strided<'_>, out: &mut StridedMut<'_>) -> Result<()> {
    let (from, to) = (array.dtype(), out.dtype().clone());
    if *from == to {
        return super::pick::copy(array, out);
    }
    let is_known = |dtype: &DType| kind(dtype).is_some();
    if !is_known(from) || !is_known(&to) {
        return Err(Error::unsupported(format!("items of {from} as {to}")));
    }
    let walk = Walk::elementwise(out, [array.broadcast_to(out.shape())?])?;
    dispatch!(&to, T => map(&walk, |item: T| item), else Ok(()))
}
