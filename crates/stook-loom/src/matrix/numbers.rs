//! Numbers of any type that a layer may have, borrowed or owned.

use std::borrow::Cow;
use std::fmt::Debug;

use stook::element::f16;
use stook::{DType, Element, Error, Result, Values};

/// A number of any type, on its way to another type.
#[derive(Clone, Copy, Debug)]
pub enum Wide {
    /// A whole number.
    Int(i128),
    /// A floating-point number.
    Float(f64),
}

/// A Rust type that the numbers of a layer may have.
pub trait Number: Element + Variant + PartialOrd + Debug {
    /// The sum; of whole numbers modulo their size, as numpy adds them.
    #[must_use]
    fn plus(self, other: Self) -> Self;

    /// The nearest `f64`.
    fn to_f64(self) -> f64;

    /// The number itself.
    fn to_wide(self) -> Wide;

    /// The number of this type that `wide` is: for floating-point types the nearest. None where
    /// there is none: out of range, or between two whole numbers.
    fn from_wide(wide: Wide) -> Option<Self>;

    /// The number whose bytes, in the machine's order, these are.
    fn from_item(item: &[u8]) -> Self;

    /// Whether all its bits are zero: negative zeros are not.
    fn is_nothing(&self) -> bool {
        stook::element::as_bytes(std::slice::from_ref(self)).iter().all(|&byte| byte == 0)
    }

    /// Whether it is zero.
    fn is_zero(self) -> bool {
        self == Self::default()
    }
}

/// A type that [`Numbers`] may have.
pub trait Variant: Sized {
    /// The numbers, if they are of this type.
    fn of<'n>(numbers: &'n Numbers<'_>) -> Option<&'n [Self]>;

    /// Numbers of this type.
    fn into_numbers(numbers: Vec<Self>) -> Numbers<'static>;

    /// The numbers as they lie, if they are of this type.
    fn into_vec(numbers: Numbers<'static>) -> Option<Vec<Self>>;
}

macro_rules! whole {
    ($($rust:ty),*) => {$(
        impl Number for $rust {
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            fn to_f64(self) -> f64 {
                self as f64
            }

            fn to_wide(self) -> Wide {
                Wide::Int(self.into())
            }

            fn from_item(item: &[u8]) -> Self {
                item.try_into().map_or(Self::default(), Self::from_ne_bytes)
            }

            fn from_wide(wide: Wide) -> Option<Self> {
                match wide {
                    Wide::Int(int) => Self::try_from(int).ok(),
                    // Numbers of 2^100 and more are out of range of all types.
                    Wide::Float(float) if float.fract() == 0.0 && float.abs() < 1e30 => {
                        Self::try_from(float as i128).ok()
                    }
                    Wide::Float(_) => None,
                }
            }
        }
    )*};
}

whole!(i8, i16, i32, i64, u8, u16, u32, u64);

impl Number for f64 {
    fn plus(self, other: Self) -> Self {
        self + other
    }

    fn to_f64(self) -> f64 {
        self
    }

    fn to_wide(self) -> Wide {
        Wide::Float(self)
    }

    fn from_item(item: &[u8]) -> Self {
        item.try_into().map_or(Self::default(), Self::from_ne_bytes)
    }

    fn from_wide(wide: Wide) -> Option<Self> {
        Some(match wide {
            Wide::Int(int) => int as Self,
            Wide::Float(float) => float,
        })
    }
}

impl Number for f32 {
    fn plus(self, other: Self) -> Self {
        self + other
    }

    fn to_f64(self) -> f64 {
        self.into()
    }

    fn to_wide(self) -> Wide {
        Wide::Float(self.into())
    }

    fn from_item(item: &[u8]) -> Self {
        item.try_into().map_or(Self::default(), Self::from_ne_bytes)
    }

    fn from_wide(wide: Wide) -> Option<Self> {
        let float = f64::from_wide(wide)?;
        Some(float as Self).filter(|near| near.is_finite() || !float.is_finite())
    }
}

impl Number for f16 {
    fn plus(self, other: Self) -> Self {
        self + other
    }

    fn to_f64(self) -> f64 {
        self.into()
    }

    fn to_wide(self) -> Wide {
        Wide::Float(self.into())
    }

    fn from_item(item: &[u8]) -> Self {
        item.try_into().map_or(Self::default(), Self::from_ne_bytes)
    }

    fn from_wide(wide: Wide) -> Option<Self> {
        let float = f64::from_wide(wide)?;
        Some(Self::from_f64(float)).filter(|near| near.is_finite() || !float.is_finite())
    }
}

macro_rules! numbers {
    ($($name:ident($rust:ty)),* $(,)?) => {
        /// Numbers of one type, borrowed or owned.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Numbers<'a> {
            $(
                #[doc = concat!("Of `", stringify!($rust), "`.")]
                $name(Cow<'a, [$rust]>),
            )*
        }

        $(
            impl Variant for $rust {
                fn of<'n>(numbers: &'n Numbers<'_>) -> Option<&'n [Self]> {
                    match numbers {
                        Numbers::$name(numbers) => Some(numbers),
                        _ => None,
                    }
                }

                fn into_numbers(numbers: Vec<Self>) -> Numbers<'static> {
                    Numbers::$name(Cow::Owned(numbers))
                }

                fn into_vec(numbers: Numbers<'static>) -> Option<Vec<Self>> {
                    match numbers {
                        Numbers::$name(numbers) => Some(numbers.into_owned()),
                        _ => None,
                    }
                }
            }

            impl<'a> From<&'a [$rust]> for Numbers<'a> {
                fn from(numbers: &'a [$rust]) -> Self {
                    Self::$name(Cow::Borrowed(numbers))
                }
            }

            impl From<Vec<$rust>> for Numbers<'_> {
                fn from(numbers: Vec<$rust>) -> Self {
                    Self::$name(Cow::Owned(numbers))
                }
            }
        )*

        /// Does something with numbers as a slice of their own type.
        macro_rules! with_numbers {
            ($numbers:expr, $slice:ident => $body:expr) => {
                match $numbers {
                    $($crate::matrix::Numbers::$name($slice) => $body,)*
                }
            };
        }

        /// Does something with the Rust type of a dtype; an error where a layer cannot have it.
        macro_rules! with_number_type {
            ($dtype:expr, $number:ident => $body:expr) => {
                match $dtype {
                    $(stook::DType::$name => {
                        type $number = $rust;
                        $body
                    })*
                    other => Err($crate::matrix::no_numbers(other)),
                }
            };
        }
    };
}

numbers! {
    Int8(i8), Int16(i16), Int32(i32), Int64(i64),
    UInt8(u8), UInt16(u16), UInt32(u32), UInt64(u64),
    Float16(stook::element::f16), Float32(f32), Float64(f64),
}

pub(crate) use {with_number_type, with_numbers};

/// What is said of a type that is none of numbers.
#[cold]
pub(crate) fn no_numbers(dtype: &DType) -> Error {
    Error::unsupported(format!("a matrix of type {dtype}: expected integers or floating point"))
}

impl<'a> Numbers<'a> {
    /// The numbers of `values`, in C order.
    ///
    /// # Errors
    /// `Unsupported` where they are none.
    pub fn of_values(values: &Values) -> Result<Numbers<'static>> {
        numbers_of(values)
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        with_numbers!(self, numbers => numbers.len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their type.
    #[must_use]
    pub fn dtype(&self) -> DType {
        fn of<T: Element>(_: &[T]) -> DType {
            T::DTYPE
        }
        with_numbers!(self, numbers => of(numbers))
    }

    /// Their bytes, in the machine's order.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        with_numbers!(self, numbers => stook::element::as_bytes(numbers))
    }

    /// Where they lie, to be written to; those that are borrowed are copied first.
    #[must_use]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        with_numbers!(self, numbers => numbers.to_mut().as_mut_ptr().cast())
    }

    /// The same as numbers of `dtype`.
    ///
    /// # Errors
    /// `InvalidInput` naming a number for which that has no room, `Unsupported` for a type that
    /// is none of numbers.
    pub fn cast(&self, dtype: &DType) -> Result<Numbers<'static>> {
        with_number_type!(dtype, T => Ok(T::into_numbers(self.to::<T>(0..self.len())?.into_owned())))
    }

    /// Those of `range` as numbers of `T`; nothing is copied where they are.
    pub(crate) fn to<T: Number>(&self, range: std::ops::Range<usize>) -> Result<Cow<'_, [T]>> {
        if let Some(same) = T::of(self) {
            return Ok(Cow::Borrowed(same.get(range).unwrap_or_default()));
        }
        let converted: Vec<T> =
            with_numbers!(self, numbers => convert(numbers.get(range).unwrap_or_default()))?;
        Ok(Cow::Owned(converted))
    }

    /// The same, that nobody else need keep.
    #[must_use]
    pub fn into_owned(self) -> Numbers<'static> {
        with_numbers!(self, numbers => Variant::into_numbers(numbers.into_owned()))
    }
}

/// The numbers of `values`, whatever their shape.
///
/// # Errors
/// `Unsupported` where they are none.
pub(crate) fn numbers_of(values: &Values) -> Result<Numbers<'static>> {
    with_number_type!(values.dtype(), T => {
        let size = size_of::<T>();
        let items = values.items().chunks_exact(size);
        Ok(T::into_numbers(items.map(T::from_item).collect()))
    })
}

/// Whole numbers of any type, none below zero.
pub(crate) fn whole_numbers(values: &Values) -> Result<Vec<u64>> {
    let numbers = numbers_of(values)?.cast(&DType::UInt64);
    let numbers = numbers.map_err(|error| Error::corrupt(error.message().to_owned()))?;
    match numbers {
        Numbers::UInt64(numbers) => Ok(numbers.into_owned()),
        other => Err(Error::invalid(format!("numbers of type {}", other.dtype()))),
    }
}

/// `numbers` as those of another type.
fn convert<S: Number, T: Number>(numbers: &[S]) -> Result<Vec<T>> {
    let cast = |&number: &S| {
        T::from_wide(number.to_wide())
            .ok_or_else(|| Error::invalid(format!("{number:?} is no number of type {}", T::DTYPE)))
    };
    numbers.iter().map(cast).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_named() {
        let numbers = Numbers::from(vec![1.0, 300.0]);
        assert_eq!(numbers.cast(&DType::UInt16).unwrap(), Numbers::from(vec![1_u16, 300]));
        let message = |numbers: Numbers<'_>, dtype| numbers.cast(&dtype).unwrap_err().to_string();
        assert_eq!(message(numbers, DType::UInt8), "300.0 is no number of type uint8");
        assert_eq!(message(vec![1.5].into(), DType::Int64), "1.5 is no number of type int64");
        assert_eq!(message(vec![f64::NAN].into(), DType::Int8), "NaN is no number of type int8");
        assert_eq!(
            message(vec![1e300].into(), DType::Float32),
            "1e300 is no number of type float32"
        );
        assert_eq!(message(vec![-1_i8].into(), DType::UInt64), "-1 is no number of type uint64");
        assert!(message(vec![1_u8].into(), DType::Bool).contains("bool"));
    }

    #[test]
    fn floating_point_takes_the_nearest() {
        let numbers = Numbers::from(vec![0.1, f64::INFINITY, -0.0]);
        let near = numbers.cast(&DType::Float32).unwrap();
        assert_eq!(near, Numbers::from(vec![0.1_f32, f32::INFINITY, -0.0]));
        let large = Numbers::from(vec![u64::MAX]);
        assert_eq!(large.cast(&DType::Float64).unwrap(), Numbers::from(vec![u64::MAX as f64]));
    }
}
