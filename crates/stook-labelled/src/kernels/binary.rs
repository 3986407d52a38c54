//! Arithmetic, logic and comparisons of two arrays, element by element.

use stook_core::element::f16;
use stook_core::{DType, Error, Result};

use super::arithmetic::{Bits, Fraction, Number, Real};
use super::gather::FromAny;
use super::item::{Item, Truth, dispatch, dispatch_integer, dispatch_primitive};
use super::memory::Strided;
use super::memory_mut::StridedMut;
use super::promote::{Kind, kind, promote};
use super::tiles::{Buffer, Walk};
use super::wide::wide;

/// What is done with two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of numpy's functions")]
#[non_exhaustive]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
    Minimum,
    Maximum,
    And,
    Or,
    Xor,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Binary {
    /// Every operation with the name of numpy's function.
    pub const NAMES: [(Self, &'static str); 18] = [
        (Self::Add, "add"),
        (Self::Subtract, "subtract"),
        (Self::Multiply, "multiply"),
        (Self::Divide, "divide"),
        (Self::FloorDivide, "floor_divide"),
        (Self::Remainder, "remainder"),
        (Self::Power, "power"),
        (Self::Minimum, "minimum"),
        (Self::Maximum, "maximum"),
        (Self::And, "bitwise_and"),
        (Self::Or, "bitwise_or"),
        (Self::Xor, "bitwise_xor"),
        (Self::Equal, "equal"),
        (Self::NotEqual, "not_equal"),
        (Self::Less, "less"),
        (Self::LessEqual, "less_equal"),
        (Self::Greater, "greater"),
        (Self::GreaterEqual, "greater_equal"),
    ];

    /// The name of numpy's function.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(op, _)| *op == self).map_or("", |(_, name)| name)
    }

    /// The operation that numpy calls so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(op, _)| *op)
    }

    fn is_comparison(self) -> bool {
        use Binary::*;
        matches!(self, Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual)
    }

    fn refused(self, a: &DType, b: &DType) -> Error {
        Error::unsupported(format!("`{}` of {a} and {b}", self.name()))
    }
}

/// [`dispatch!`](super::item::dispatch) for numbers with an order.
macro_rules! dispatch_real {
    ($dtype:expr, $T:ident => $body:expr, else $other:expr) => {
        match $dtype {
            DType::Bool => {
                type $T = Truth;
                $body
            }
            DType::Float16 => {
                type $T = f16;
                $body
            }
            other => dispatch_primitive!(other, $T => $body, else $other),
        }
    };
}

/// The type that operands are cast to, and that of results.
fn types(op: Binary, a: &DType, b: &DType) -> Result<(DType, DType)> {
    let refused = || op.refused(a, b);
    let is_time = matches!(a, DType::DateTime(_) | DType::TimeDelta(_));
    if is_time && a == b && op.is_comparison() {
        return Ok((a.clone(), DType::Bool));
    }
    let (Some(kind_a), Some(kind_b)) = (kind(a), kind(b)) else { return Err(refused()) };
    let common = promote(a, b)?;
    let both = kind_a.max(kind_b);
    let as_integer = || if both == Kind::Bool { DType::Int8 } else { common.clone() };
    let result = match op {
        _ if op.is_comparison() => {
            let has_order = both != Kind::Complex;
            if !has_order && !matches!(op, Binary::Equal | Binary::NotEqual) {
                return Err(refused());
            }
            return Ok((common, DType::Bool));
        }
        Binary::Add | Binary::Multiply => common,
        Binary::Subtract if both == Kind::Bool => return Err(refused()),
        Binary::Subtract => common,
        Binary::Divide if both >= Kind::Float => common,
        Binary::Divide => DType::Float64,
        Binary::And | Binary::Or | Binary::Xor => match kind(&common) {
            Some(Kind::Float | Kind::Complex) | None => return Err(refused()),
            _ => common,
        },
        _ if both == Kind::Complex => return Err(refused()),
        Binary::FloorDivide | Binary::Remainder | Binary::Power => as_integer(),
        _ => common,
    };
    Ok((result.clone(), result))
}

/// The type of results.
///
/// # Errors
/// `Unsupported` where the operation does not know the types.
pub fn binary_dtype(op: Binary, a: &DType, b: &DType) -> Result<DType> {
    types(op, a, b).map(|(_, result)| result)
}

/// Fills `out` with what `op` makes of `a` and `b`, which broadcast to its shape.
///
/// # Errors
/// `Unsupported` where the operation does not know the types, `InvalidInput` where shapes or the
/// type of `out` do not fit, or an integer has a negative exponent.
pub fn binary(
    op: Binary,
    a: &Strided<'_>,
    b: &Strided<'_>,
    out: &mut StridedMut<'_>,
) -> Result<()> {
    let (operand, result) = types(op, a.dtype(), b.dtype())?;
    out.check_dtype(&result)?;
    let inputs = [a.broadcast_to(out.shape())?, b.broadcast_to(out.shape())?];
    if op.is_comparison() && operand == DType::Float64 {
        // No float holds them all.
        match (a.dtype(), b.dtype()) {
            (DType::Int64 | DType::Int32 | DType::Int16 | DType::Int8, DType::UInt64) => {
                return compare_signs(op, inputs, false, out);
            }
            (DType::UInt64, DType::Int64 | DType::Int32 | DType::Int16 | DType::Int8) => {
                let [a, b] = inputs;
                return compare_signs(op, [b, a], true, out);
            }
            _ => {}
        }
    }
    let is_time = matches!(operand, DType::DateTime(_) | DType::TimeDelta(_));
    let walk = Walk::elementwise(out, inputs)?;
    let refused = || op.refused(a.dtype(), b.dtype());
    match op {
        _ if is_time => compare::<i64>(&walk, |a, b| compare_times(op, a, b)),
        Binary::Equal => {
            dispatch!(&operand, T => compare::<T>(&walk, |a, b| a == b), else Err(refused()))
        }
        Binary::NotEqual => {
            dispatch!(&operand, T => compare::<T>(&walk, |a, b| a != b), else Err(refused()))
        }
        Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual => {
            dispatch_real!(&operand, T => order::<T>(op, &walk), else Err(refused()))
        }
        Binary::Add => {
            dispatch!(&operand, T => map::<T>(&walk, Number::add), else Err(refused()))
        }
        Binary::Subtract => {
            dispatch!(&operand, T => map::<T>(&walk, Number::subtract), else Err(refused()))
        }
        Binary::Multiply => {
            dispatch!(&operand, T => map::<T>(&walk, Number::multiply), else Err(refused()))
        }
        Binary::Divide => match operand {
            DType::Float16 => map::<f16>(&walk, Fraction::divide),
            DType::Float32 => map::<f32>(&walk, Fraction::divide),
            DType::Float64 => map::<f64>(&walk, Fraction::divide),
            DType::Complex64 => map::<[f32; 2]>(&walk, Fraction::divide),
            DType::Complex128 => map::<[f64; 2]>(&walk, Fraction::divide),
            _ => Err(refused()),
        },
        Binary::And | Binary::Or | Binary::Xor => match operand {
            DType::Bool => bits::<Truth>(op, &walk),
            _ => dispatch_integer!(&operand, T => bits::<T>(op, &walk), else Err(refused())),
        },
        _ => dispatch_real!(&operand, T => real::<T>(op, &walk), else Err(refused())),
    }
}

type Buffers<T, O> = (Buffer<T>, Buffer<T>, Buffer<O>);

/// Fills the output with what `f` makes of each pair.
fn zip<T: FromAny, O: Item>(walk: &Walk<'_, 2>, f: impl Fn(T, T) -> O + Sync + Copy) -> Result<()> {
    walk.run::<Buffers<T, O>>(|tile, (a, b, out)| {
        let (a, b) = (tile.input(0, a)?, tile.input(1, b)?);
        tile.output(out, |out| {
            wide(|| {
                for ((place, &a), &b) in out.iter_mut().zip(a).zip(b) {
                    *place = f(a, b);
                }
            });
            Ok(())
        })
    })
}

fn map<T: FromAny>(walk: &Walk<'_, 2>, f: impl Fn(T, T) -> T + Sync + Copy) -> Result<()> {
    zip(walk, f)
}

fn compare<T: FromAny>(walk: &Walk<'_, 2>, f: impl Fn(T, T) -> bool + Sync + Copy) -> Result<()> {
    zip(walk, |a, b| Truth::from(f(a, b)))
}

fn order<T: FromAny + Real>(op: Binary, walk: &Walk<'_, 2>) -> Result<()> {
    match op {
        Binary::Less => compare::<T>(walk, |a, b| a.less(b)),
        Binary::Greater => compare::<T>(walk, |a, b| b.less(a)),
        Binary::LessEqual => compare::<T>(walk, |a, b| a.less(b) | (a == b)),
        _ => compare::<T>(walk, |a, b| b.less(a) | (a == b)),
    }
}

fn bits<T: FromAny + Bits>(op: Binary, walk: &Walk<'_, 2>) -> Result<()> {
    match op {
        Binary::And => map::<T>(walk, Bits::and),
        Binary::Or => map::<T>(walk, Bits::or),
        _ => map::<T>(walk, Bits::xor),
    }
}

fn real<T: FromAny + Real>(op: Binary, walk: &Walk<'_, 2>) -> Result<()> {
    match op {
        Binary::Minimum => map::<T>(walk, Real::least),
        Binary::Maximum => map::<T>(walk, Real::greatest),
        Binary::FloorDivide => map::<T>(walk, Real::floor_divide),
        Binary::Remainder => map::<T>(walk, Real::remainder),
        _ => power::<T>(walk),
    }
}

fn power<T: FromAny + Real>(walk: &Walk<'_, 2>) -> Result<()> {
    let two = T::one().add(T::one());
    walk.run::<Buffers<T, T>>(|tile, (a, b, out)| {
        let (a, b) = (tile.input(0, a)?, tile.input(1, b)?);
        let is_square = b.iter().all(|&exponent| exponent == two);
        tile.output(out, |out| {
            for ((place, &a), &b) in out.iter_mut().zip(a).zip(b) {
                let power = if is_square { Some(a.multiply(a)) } else { a.power(b) };
                *place = power.ok_or_else(|| {
                    Error::invalid("integers to negative integer powers are not allowed")
                })?;
            }
            Ok(())
        })
    })
}

fn of_ordering(op: Binary, ordering: std::cmp::Ordering) -> bool {
    match op {
        Binary::Equal => ordering.is_eq(),
        Binary::NotEqual => ordering.is_ne(),
        Binary::Less => ordering.is_lt(),
        Binary::LessEqual => ordering.is_le(),
        Binary::Greater => ordering.is_gt(),
        _ => ordering.is_ge(),
    }
}

/// No order is that of a time that is none, which is equal to nothing.
fn compare_times(op: Binary, a: i64, b: i64) -> bool {
    if a == i64::MIN || b == i64::MIN {
        return op == Binary::NotEqual;
    }
    of_ordering(op, a.cmp(&b))
}

/// Compares integers with a sign to some without, exactly; `is_swapped` if those come first.
fn compare_signs(
    op: Binary,
    inputs: [Strided<'_>; 2],
    is_swapped: bool,
    out: &mut StridedMut<'_>,
) -> Result<()> {
    let walk = Walk::elementwise(out, inputs)?;
    type Work = (Buffer<i64>, Buffer<u64>, Buffer<Truth>);
    walk.run::<Work>(|tile, (a, b, out)| {
        let (a, b) = (tile.input(0, a)?, tile.input(1, b)?);
        tile.output(out, |out| {
            for ((place, &a), &b) in out.iter_mut().zip(a).zip(b) {
                let ordering = u64::try_from(a).map_or(std::cmp::Ordering::Less, |a| a.cmp(&b));
                let ordering = if is_swapped { ordering.reverse() } else { ordering };
                *place = Truth::from(of_ordering(op, ordering));
            }
            Ok(())
        })
    })
}
