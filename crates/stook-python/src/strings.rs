//! Fixed-width text between the padding of a file and that of numpy, which knows NUL only.

use stook::dtype::{FixedString, Padding};
use stook::{DType, Error, Result};

/// Whether an item holds text that is padded otherwise than numpy does.
pub(crate) fn has_padding(dtype: &DType) -> bool {
    match dtype {
        DType::FixedString(string) => string.padding != Padding::Null,
        DType::Struct(r#struct) => r#struct.fields.iter().any(|field| has_padding(&field.dtype)),
        DType::Array(array) => has_padding(&array.item),
        _ => false,
    }
}

/// Turns the padding of a file into NULs.
pub(crate) fn from_file(dtype: &DType, items: &mut [u8]) {
    let strip = |string: FixedString, item: &mut [u8]| {
        let end = match string.padding {
            Padding::Space => {
                item.iter().rposition(|byte| !matches!(byte, b' ' | 0)).map_or(0, |at| at + 1)
            }
            Padding::NullTerminated => {
                item.iter().position(|&byte| byte == 0).unwrap_or(item.len())
            }
            Padding::Null => item.len(),
        };
        if let Some(rest) = item.get_mut(end..) {
            rest.fill(0);
        }
        Ok(())
    };
    // It never fails.
    let _ = for_each(dtype, items, &strip);
}

/// Turns NULs into the padding of a file.
///
/// # Errors
/// `InvalidInput` where text leaves no room for the NUL that must end it.
pub(crate) fn to_file(dtype: &DType, items: &mut [u8]) -> Result<()> {
    for_each(dtype, items, &|string, item| {
        let end = item.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1);
        match string.padding {
            Padding::Space => item.get_mut(end..).unwrap_or_default().fill(b' '),
            Padding::NullTerminated if end == item.len() && end > 0 => {
                return Err(Error::invalid(format!(
                    "text of {end} bytes does not fit {} with the NUL that ends it",
                    DType::FixedString(string)
                )));
            }
            _ => {}
        }
        Ok(())
    })
}

fn for_each(
    dtype: &DType,
    items: &mut [u8],
    edit: &dyn Fn(FixedString, &mut [u8]) -> Result<()>,
) -> Result<()> {
    let size = dtype.item_size().max(1);
    match dtype {
        DType::FixedString(string) => {
            items.chunks_exact_mut(size).try_for_each(|item| edit(*string, item))
        }
        DType::Struct(r#struct) => items.chunks_exact_mut(size).try_for_each(|item| {
            r#struct.fields.iter().try_for_each(|field| {
                let end = field.offset.saturating_add(field.dtype.item_size());
                for_each(&field.dtype, item.get_mut(field.offset..end).unwrap_or_default(), edit)
            })
        }),
        DType::Array(array) => for_each(&array.item, items, edit),
        _ => Ok(()),
    }
}
