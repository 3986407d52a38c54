//! Rust types that are items of arrays.

pub use half::{bf16, f16};

use crate::dtype::DType;
use crate::error::{Error, Result};

/// A Rust type with the layout of a fixed-size [`DType`].
///
/// # Safety
/// Every bit pattern that [`Element::validate`] accepts is a valid value, and the type has no
/// padding.
#[expect(unsafe_code, reason = "implementors promise a layout")]
pub unsafe trait Element: Copy + Default + Send + Sync + PartialEq + 'static {
    /// The dtype whose items these are.
    const DTYPE: DType;

    /// Whether all of `items` are valid values of the type.
    ///
    /// # Errors
    /// `Corrupt` where they are not (a bool that is neither 0 nor 1).
    fn validate(items: &[u8]) -> Result<()> {
        let _ = items;
        Ok(())
    }
}

macro_rules! element {
    ($($rust:ty => $dtype:ident),* $(,)?) => {$(
        // SAFETY: a primitive number: no padding, every bit pattern valid.
        #[expect(unsafe_code, reason = "a primitive number has the layout of its dtype")]
        unsafe impl Element for $rust {
            const DTYPE: DType = DType::$dtype;
        }
    )*};
}

element! {
    i8 => Int8, i16 => Int16, i32 => Int32, i64 => Int64,
    u8 => UInt8, u16 => UInt16, u32 => UInt32, u64 => UInt64,
    f16 => Float16, bf16 => BFloat16, f32 => Float32, f64 => Float64,
    [f32; 2] => Complex64, [f64; 2] => Complex128,
}

// SAFETY: one byte without padding; `validate` refuses all but 0 and 1.
#[expect(unsafe_code, reason = "a bool is one byte, and `validate` checks it")]
unsafe impl Element for bool {
    const DTYPE: DType = DType::Bool;

    fn validate(items: &[u8]) -> Result<()> {
        match items.iter().find(|&&byte| byte > 1) {
            Some(byte) => Err(Error::corrupt(format!("expected a bool of 0 or 1, found {byte}"))),
            None => Ok(()),
        }
    }
}

/// The bytes of elements.
#[must_use]
pub fn as_bytes<T: Element>(elements: &[T]) -> &[u8] {
    // SAFETY: `Element` promises that `T` has no padding, so every byte is initialised.
    #[expect(unsafe_code, reason = "viewing plain numbers as bytes")]
    unsafe {
        std::slice::from_raw_parts(elements.as_ptr().cast(), size_of_val(elements))
    }
}

/// The bytes of elements, to be written; whoever writes them calls [`Element::validate`].
#[must_use]
pub(crate) fn as_bytes_mut<T: Element>(elements: &mut [T]) -> &mut [u8] {
    let len = size_of_val(elements);
    // SAFETY: no padding; the caller validates what it wrote before `elements` is used as `T`.
    #[expect(unsafe_code, reason = "viewing plain numbers as bytes")]
    unsafe {
        std::slice::from_raw_parts_mut(elements.as_mut_ptr().cast(), len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_and_dtypes_agree_on_size() {
        assert_eq!(size_of::<[f64; 2]>(), <[f64; 2]>::DTYPE.item_size());
        assert_eq!(size_of::<bf16>(), bf16::DTYPE.item_size());
        assert_eq!(as_bytes(&[1_u16, 2]).len(), 4);
        assert!(bool::validate(&[0, 1]).is_ok() && bool::validate(&[2]).is_err());
    }
}
