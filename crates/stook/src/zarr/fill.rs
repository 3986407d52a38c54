//! Fill values: given as numbers, texts or values, and those that zarr-python gives a type.

use half::{bf16, f16};
use stook_core::values::push_heap_item;
use stook_core::{DType, Error, Result, Values};

/// What elements are that were never written.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum FillValue {
    /// The one that zarr-python gives the type: zero, false, nothing; of times not-a-time.
    #[default]
    Default,
    /// None at all in version 2 (`null`); in version 3 that of the type.
    Undefined,
    /// A whole number, for types of numbers, bools and text.
    Integer(i128),
    /// A number.
    Float(f64),
    /// A text.
    Text(String),
    /// One item of the array's type.
    Value(Values),
}

macro_rules! from_integer {
    ($($type:ty),*) => {$(
        impl From<$type> for FillValue {
            fn from(number: $type) -> Self {
                Self::Integer(number.into())
            }
        }
    )*};
}

from_integer!(i8, i16, i32, i64, u8, u16, u32, u64, bool);

impl From<f32> for FillValue {
    fn from(number: f32) -> Self {
        Self::Float(number.into())
    }
}

impl From<f64> for FillValue {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<&str> for FillValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Values> for FillValue {
    fn from(value: Values) -> Self {
        Self::Value(value)
    }
}

impl FillValue {
    /// This as an item of `dtype`; `None` where it is undefined.
    ///
    /// # Errors
    /// `InvalidInput` where it is no value of the type.
    pub(super) fn of_type(&self, dtype: &DType) -> Result<Option<Values>> {
        match self {
            Self::Undefined => Ok(None),
            Self::Default => default_of(dtype).map(Some),
            Self::Value(values) if values.dtype() == dtype && values.len() == 1 => {
                values.clone().reshaped(Vec::new()).map(Some)
            }
            Self::Value(values) => Err(Error::invalid(format!(
                "fill value: expected one {dtype}, found {} of shape {:?}",
                values.dtype(),
                values.shape()
            ))),
            Self::Integer(number) => match dtype {
                DType::String(_) | DType::FixedString(_) | DType::Unicode(_) | DType::Bytes => {
                    text(dtype, &number.to_string()).map(Some)
                }
                _ => integer(dtype, *number).map(Some),
            },
            Self::Float(number) => float(dtype, *number).map(Some),
            Self::Text(found) => text(dtype, found).map(Some),
        }
    }
}

/// The fill value that zarr-python gives a type.
#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
pub(super) fn default_of(dtype: &DType) -> Result<Values> {
    match dtype {
        DType::DateTime(_) | DType::TimeDelta(_) => item(dtype, i64::MIN.to_ne_bytes().to_vec()),
        _ => Values::zeroed(dtype.clone(), Vec::new()),
    }
}

fn item(dtype: &DType, bytes: Vec<u8>) -> Result<Values> {
    Values::new(dtype.clone(), Vec::new(), bytes, Vec::new())
}

fn mismatch(dtype: &DType, found: impl std::fmt::Display) -> Error {
    Error::invalid(format!("fill value: expected a value of type {dtype}, found {found}"))
}

#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn integer(dtype: &DType, number: i128) -> Result<Values> {
    macro_rules! bytes {
        ($type:ty) => {
            <$type>::try_from(number).map(|number| number.to_ne_bytes().to_vec())
        };
    }
    let bytes = match dtype {
        DType::Bool => return item(dtype, vec![u8::from(number != 0)]),
        DType::Int8 => bytes!(i8),
        DType::Int16 => bytes!(i16),
        DType::Int32 => bytes!(i32),
        DType::Int64 | DType::DateTime(_) | DType::TimeDelta(_) => bytes!(i64),
        DType::UInt8 => bytes!(u8),
        DType::UInt16 => bytes!(u16),
        DType::UInt32 => bytes!(u32),
        DType::UInt64 => bytes!(u64),
        _ => return float(dtype, number as f64),
    };
    item(dtype, bytes.map_err(|_| mismatch(dtype, number))?)
}

#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn float(dtype: &DType, number: f64) -> Result<Values> {
    let whole = number as i128;
    let bytes = match dtype {
        DType::Float16 => f16::from_f64(number).to_ne_bytes().to_vec(),
        DType::BFloat16 => bf16::from_f64(number).to_ne_bytes().to_vec(),
        DType::Float32 => (number as f32).to_ne_bytes().to_vec(),
        DType::Float64 => number.to_ne_bytes().to_vec(),
        DType::Complex64 => [(number as f32).to_ne_bytes(), [0; 4]].concat(),
        DType::Complex128 => [number.to_ne_bytes(), [0; 8]].concat(),
        // A float that is whole is no slip; any other would be cut.
        _ if is_whole_type(dtype) && whole as f64 == number => return integer(dtype, whole),
        _ => return Err(mismatch(dtype, number)),
    };
    item(dtype, bytes)
}

fn is_whole_type(dtype: &DType) -> bool {
    matches!(
        dtype,
        DType::Bool
            | DType::Int8
            | DType::Int16
            | DType::Int32
            | DType::Int64
            | DType::UInt8
            | DType::UInt16
            | DType::UInt32
            | DType::UInt64
    )
}

#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn text(dtype: &DType, found: &str) -> Result<Values> {
    let (mut items, mut heap) = (Vec::new(), Vec::new());
    match dtype {
        DType::String(_) | DType::Bytes => push_heap_item(&mut items, &mut heap, found.as_bytes()),
        DType::FixedString(_) => items.extend_from_slice(found.as_bytes()),
        DType::Unicode(_) => {
            items.extend(found.chars().flat_map(|char| u32::from(char).to_ne_bytes()));
        }
        _ => return Err(mismatch(dtype, format_args!("`{found}`"))),
    }
    if items.len() > dtype.item_size() {
        return Err(mismatch(dtype, format_args!("`{found}`")));
    }
    items.resize(dtype.item_size(), 0);
    Values::new(dtype.clone(), Vec::new(), items, heap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
    fn numbers_and_texts_become_items() {
        let of = |fill: FillValue, dtype: &str| {
            fill.of_type(&dtype.parse().unwrap()).map(|values| values.unwrap().items().to_vec())
        };
        assert_eq!(of(1.into(), "int16").unwrap(), 1_i16.to_ne_bytes());
        assert_eq!(of(2.0.into(), "uint8").unwrap(), [2]);
        assert_eq!(of(1.into(), "complex64").unwrap()[..4], 1.0_f32.to_ne_bytes());
        assert_eq!(of(1.into(), "S3").unwrap(), b"1\0\0");
        assert_eq!(of("ab".into(), "U2").unwrap()[..1], *b"a");
        assert_eq!(of(FillValue::Default, "M8[s]").unwrap(), i64::MIN.to_ne_bytes());
        assert_eq!(of(u64::MAX.into(), "uint64").unwrap(), [255; 8]);
        for (fill, dtype) in [
            (FillValue::from(300), "uint8"),
            (0.5.into(), "int32"),
            ("abcd".into(), "S3"),
            ("a".into(), "float64"),
            (f64::NAN.into(), "int8"),
        ] {
            assert!(of(fill, dtype).is_err(), "{dtype}");
        }
        assert_eq!(FillValue::Undefined.of_type(&DType::Int8).unwrap(), None);
    }
}
