//! Arithmetic, logic and comparisons of arrays, which broadcast by the names of their axes.

use std::borrow::Cow;
use std::ops;

use stook_core::{DType, Error, Result};

use crate::array::Array;
use crate::array::put::placed;
use crate::axes::AxisCollection;
use crate::kernels::{self, Binary, Unary};

/// What stands on the right of an operation: an array, or a number that takes the type of the other.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Operand<'a> {
    /// An array.
    Array(Cow<'a, Array>),
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Text.
    Text(&'a str),
}

macro_rules! operand_from {
    ($($rust:ty => |$value:ident| $operand:expr),* $(,)?) => {$(
        impl<'a> From<$rust> for Operand<'a> {
            fn from($value: $rust) -> Self {
                $operand
            }
        }
    )*};
}

operand_from! {
    &'a Array => |array| Self::Array(Cow::Borrowed(array)),
    Array => |array| Self::Array(Cow::Owned(array)),
    bool => |value| Self::Bool(value),
    i32 => |value| Self::Int(value.into()),
    i64 => |value| Self::Int(value),
    f32 => |value| Self::Float(value.into()),
    f64 => |value| Self::Float(value),
    &'a str => |text| Self::Text(text),
}

impl<'a> Operand<'a> {
    /// The array; a number as one of a type that goes with elements of `dtype`, as numpy 2 has it: a
    /// whole number takes the type of other numbers, a float that of other floats.
    pub(crate) fn resolved(self, dtype: &DType) -> Result<Cow<'a, Array>> {
        let none = || AxisCollection::from(Vec::new());
        let array = match self {
            Self::Array(array) => return Ok(array),
            Self::Bool(value) => Array::from_elements(none(), &[value])?,
            Self::Text(text) => Array::from_texts(none(), &[text])?,
            Self::Int(value) if kernels::can_cast(&DType::Int8, dtype) => {
                let wide = Array::from_elements(none(), &[value])?.cast(dtype)?;
                if !matches!(dtype, DType::Float16 | DType::Float32 | DType::Complex64)
                    && wide.cast(&DType::Int64)?.item::<i64>()? != value
                {
                    return Err(out_of_bounds(value, dtype));
                }
                wide
            }
            Self::Int(value) if kernels::can_cast(&DType::UInt8, dtype) => {
                let bits = u32::try_from(8 * dtype.item_size()).unwrap_or(64);
                if u64::try_from(value).is_ok_and(|value| bits == 64 || value < 1 << bits) {
                    Array::from_elements(none(), &[value])?.cast(dtype)?
                } else {
                    return Err(out_of_bounds(value, dtype));
                }
            }
            Self::Int(value) => Array::from_elements(none(), &[value])?,
            Self::Float(value) if kernels::can_cast(&DType::Float16, dtype) => {
                Array::from_elements(none(), &[value])?.cast(dtype)?
            }
            Self::Float(value) => Array::from_elements(none(), &[value])?,
        };
        Ok(Cow::Owned(array))
    }
}

fn out_of_bounds(value: i64, dtype: &DType) -> Error {
    Error::invalid(format!("{value} is out of bounds for {dtype}"))
}

impl Array {
    /// What `op` makes of each two elements that have the same labels. Axes that one side has not are
    /// those of the other; the labels of axes that both have must be the same, in the same order.
    ///
    /// # Errors
    /// `InvalidInput` if axes do not fit, `Unsupported` if the operation does not know the types.
    pub fn binary<'o>(&self, op: Binary, other: impl Into<Operand<'o>>) -> Result<Self> {
        let other = other.into().resolved(self.dtype())?;
        if is_text(self.dtype()) && is_text(other.dtype()) {
            return self.compared_texts(op, &other);
        }
        let dtype = kernels::binary_dtype(op, self.dtype(), other.dtype())?;
        let alignment = self.axes().aligned(other.axes())?;
        let axes = alignment.axes().clone();
        self.made(axes, dtype, |mut out| {
            let left = placed(&self.strided()?, alignment.left(), out.shape())?;
            let right = placed(&other.strided()?, alignment.right(), out.shape())?;
            kernels::binary(op, &left, &right, &mut out)
        })
    }

    /// Texts can be compared, and nothing else.
    fn compared_texts(&self, op: Binary, other: &Self) -> Result<Self> {
        let alignment = self.axes().aligned(other.axes())?;
        let (left, right) = (self.texts()?, other.texts()?);
        let shape = alignment.axes().shape();
        let positions = |of: &Self, source: &[Option<usize>]| -> Result<Vec<i64>> {
            let n = i64::try_from(of.size()).unwrap_or(i64::MAX);
            let all = Self::from_elements(of.axes().clone(), &(0..n).collect::<Vec<_>>())?;
            let spread = kernels::filled(DType::Int64, &shape, |mut out| {
                kernels::cast(&placed(&all.strided()?, source, &shape)?, &mut out)
            })?;
            Self::new(alignment.axes().clone(), spread)?.to_vec()
        };
        let text = |texts: &[String], at: i64| {
            usize::try_from(at).ok().and_then(|at| texts.get(at)).cloned().unwrap_or_default()
        };
        let pairs = positions(self, alignment.left())?
            .into_iter()
            .zip(positions(other, alignment.right())?)
            .map(|(a, b)| text(&left, a).cmp(&text(&right, b)));
        let test: fn(std::cmp::Ordering) -> bool = match op {
            Binary::Equal => std::cmp::Ordering::is_eq,
            Binary::NotEqual => std::cmp::Ordering::is_ne,
            Binary::Less => std::cmp::Ordering::is_lt,
            Binary::LessEqual => std::cmp::Ordering::is_le,
            Binary::Greater => std::cmp::Ordering::is_gt,
            Binary::GreaterEqual => std::cmp::Ordering::is_ge,
            _ => return Err(Error::unsupported(format!("`{}` of text", op.name()))),
        };
        Self::from_elements(alignment.axes().clone(), &pairs.map(test).collect::<Vec<bool>>())
    }

    /// The elements as text, one by one.
    pub(crate) fn texts(&self) -> Result<Vec<String>> {
        (0..self.size()).map(|at| self.data().text_at(at)).collect()
    }
}

pub(crate) fn is_text(dtype: &DType) -> bool {
    matches!(dtype, DType::String(_) | DType::FixedString(_) | DType::Unicode(_))
}

macro_rules! methods {
    ($($name:ident, $op:ident, $doc:literal;)*) => {
        impl Array {$(
            #[doc = $doc]
            ///
            /// # Errors
            /// Those of [`Array::binary`].
            pub fn $name<'o>(&self, other: impl Into<Operand<'o>>) -> Result<Self> {
                self.binary(Binary::$op, other)
            }
        )*}
    };
}

methods! {
    plus, Add, "The sums of elements (`+`).";
    minus, Subtract, "The differences of elements (`-`).";
    times, Multiply, "The products of elements (`*`).";
    divided_by, Divide, "The quotients of elements (`/`), which are floats.";
    floor_divided_by, FloorDivide, "The quotients of elements, rounded down; of integers by zero, zero.";
    remainder, Remainder, "What is left by [`Array::floor_divided_by`], with the sign of the divisor (`%`).";
    power, Power, "Elements to the power of others.";
    minimum, Minimum, "The smaller of each two elements; what is no number wins.";
    maximum, Maximum, "The larger of each two elements; what is no number wins.";
    and, And, "Both of each two truths, or bit by bit (`&`).";
    or, Or, "Either of each two truths, or bit by bit (`|`).";
    xor, Xor, "One of each two truths, or bit by bit (`^`).";
    equal, Equal, "Where elements are equal.";
    not_equal, NotEqual, "Where elements are not equal.";
    less, Less, "Where elements are less.";
    less_equal, LessEqual, "Where elements are less or equal.";
    greater, Greater, "Where elements are greater.";
    greater_equal, GreaterEqual, "Where elements are greater or equal.";
}

impl Array {
    /// The elements with the other sign.
    ///
    /// # Errors
    /// `Unsupported` for elements without one.
    pub fn negative(&self) -> Result<Self> {
        self.map(Unary::Negative)
    }

    /// How far the elements are from zero.
    ///
    /// # Errors
    /// `Unsupported` for elements that are no numbers.
    pub fn absolute(&self) -> Result<Self> {
        self.map(Unary::Absolute)
    }

    /// The opposite of each truth, or of each bit.
    ///
    /// # Errors
    /// `Unsupported` for elements that are neither truths nor integers.
    pub fn inverted(&self) -> Result<Self> {
        self.map(Unary::Invert)
    }

    /// Where elements are no numbers, or no times.
    ///
    /// # Errors
    /// `LimitExceeded` for too many axes.
    pub fn is_nan(&self) -> Result<Self> {
        self.map(Unary::IsNan)
    }

    /// The quotients, and 0 where the divisor is.
    ///
    /// # Errors
    /// Those of [`Array::binary`].
    pub fn divided_not_by_zero<'o>(&self, other: impl Into<Operand<'o>>) -> Result<Self> {
        let other = other.into().resolved(self.dtype())?.into_owned();
        let is_zero = other.equal(0)?;
        let quotient = self.divided_by(&other)?;
        quotient.replaced_where(&is_zero, 0)
    }

    /// The elements, and `value` where `condition` is true.
    ///
    /// # Errors
    /// Those of [`Array::binary`] and [`Array::set`].
    pub fn replaced_where<'o>(
        &self,
        condition: &Self,
        value: impl Into<Operand<'o>>,
    ) -> Result<Self> {
        let mut to = self.clone();
        to.set(condition.as_mask()?, value)?;
        Ok(to)
    }
}

macro_rules! operators {
    ($($trait:ident, $method:ident, $op:ident;)*) => {$(
        /// As the named method; axes that do not fit are an error.
        impl<'o, T: Into<Operand<'o>>> ops::$trait<T> for &Array {
            type Output = Result<Array>;

            fn $method(self, other: T) -> Result<Array> {
                self.binary(Binary::$op, other)
            }
        }
    )*};
}

operators! {
    Add, add, Add;
    Sub, sub, Subtract;
    Mul, mul, Multiply;
    Div, div, Divide;
    Rem, rem, Remainder;
    BitAnd, bitand, And;
    BitOr, bitor, Or;
    BitXor, bitxor, Xor;
}

impl ops::Neg for &Array {
    type Output = Result<Array>;

    fn neg(self) -> Result<Array> {
        self.negative()
    }
}

impl ops::Not for &Array {
    type Output = Result<Array>;

    fn not(self) -> Result<Array> {
        self.inverted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::create::ndtest;

    #[test]
    fn axes_go_together_by_name() {
        let array = ndtest([2, 3]).unwrap();
        let b = array.get("a1").unwrap();
        let sum = (&b + &array).unwrap();
        assert_eq!(sum.axes().to_string(), "{b, a}");
        assert_eq!(sum.to_vec::<i64>().unwrap(), [3, 6, 5, 8, 7, 10]);
        assert!((&array + &array.get("b0,b1").unwrap()).is_err());
    }

    #[test]
    fn numbers_take_the_type_of_the_array() {
        let axes = AxisCollection::parse("a=a0,a1").unwrap();
        let small = Array::from_elements(axes.clone(), &[1_u8, 2]).unwrap();
        assert_eq!((&small + 1).unwrap().dtype(), &DType::UInt8);
        assert_eq!((&small * 1.5).unwrap().dtype(), &DType::Float64);
        assert!((&small + 256).is_err() && (&small - -1).is_err());
        let single = Array::from_elements(axes, &[1_f32, 2.0]).unwrap();
        assert_eq!((&single * 0.1).unwrap().dtype(), &DType::Float32);
        assert_eq!((&single / 3).unwrap().dtype(), &DType::Float32);
        let truths = single.greater(1).unwrap();
        assert_eq!((!&truths).unwrap().to_vec::<bool>().unwrap(), [true, false]);
        assert_eq!((&truths + 1).unwrap().dtype(), &DType::Int64);
    }

    #[test]
    fn texts_are_compared() {
        let axes = AxisCollection::parse("a=a0,a1").unwrap();
        let array = Array::from_texts(axes, &["x", "y"]).unwrap();
        assert_eq!(array.equal("x").unwrap().to_vec::<bool>().unwrap(), [true, false]);
        assert!(array.plus("x").is_err());
    }

    #[test]
    fn division_by_zero_is_zero_where_that_is_asked_for() {
        let array = ndtest([3]).unwrap();
        let quotient = array.get("a2").unwrap().divided_not_by_zero(&array).unwrap();
        assert_eq!(quotient.to_vec::<f64>().unwrap(), [0.0, 2.0, 1.0]);
    }
}
