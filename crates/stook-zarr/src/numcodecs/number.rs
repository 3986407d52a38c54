//! Types of stored numbers by numpy's names, byte order included.

use stook_core::DType;
use stook_core::codec::{Endian, StoredNumber};

use crate::dtype::v2;

/// The type that numpy calls `text`, such as `<f4`, `>i2` or `float32`.
pub(super) fn parse(text: &str) -> Option<StoredNumber> {
    let dtype: DType = text.parse().ok()?;
    let endian = match text.as_bytes().first() {
        _ if !dtype.has_byte_order() => Endian::Little,
        Some(b'>') => Endian::Big,
        Some(b'<') => Endian::Little,
        _ => Endian::NATIVE,
    };
    Some(StoredNumber { dtype, endian })
}

/// numpy's name of `number`.
pub(super) fn print(number: &StoredNumber) -> Option<String> {
    print_type(&number.dtype, number.endian)
}

/// numpy's name of `dtype` stored so.
pub(super) fn print_type(dtype: &DType, endian: Endian) -> Option<String> {
    match v2::print(dtype, endian) {
        Ok(value) => value.as_str().map(str::to_owned),
        Err(_) => matches!(dtype, DType::BFloat16 | DType::Narrow(_)).then(|| dtype.to_string()),
    }
}

/// numpy's `u1`.
pub(super) fn byte() -> StoredNumber {
    StoredNumber { dtype: DType::UInt8, endian: Endian::Little }
}
