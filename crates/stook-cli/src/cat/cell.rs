//! One item as text, as short as it can be.

use serde_json::Value;
use stook::{DType, Result};

use crate::describe::one_line;
use crate::time;

/// Whether items are aligned to the right.
pub(super) fn is_number(dtype: &DType) -> bool {
    let is_other = matches!(
        dtype,
        DType::FixedString(_)
            | DType::Unicode(_)
            | DType::String(_)
            | DType::Bytes
            | DType::Reference
            | DType::Opaque(_)
            | DType::Enum(_)
            | DType::DateTime(_)
            | DType::Struct(_)
            | DType::Array(_)
            | DType::Sequence(_)
    );
    !is_other
}

/// One item. Text that has its line for itself stands as it is; among others it is quoted where
/// its end could not be seen. Control characters are escapes, so that an item is on one line.
///
/// # Errors
/// `Corrupt` if the item contradicts its dtype.
pub(crate) fn text(dtype: &DType, item: &[u8], heap: &[u8], is_alone: bool) -> Result<String> {
    made(dtype, item, heap, &|text| shown(&text, is_alone))
}

/// One item, text as it is.
///
/// # Errors
/// `Corrupt` if the item contradicts its dtype.
pub(super) fn plain(dtype: &DType, item: &[u8], heap: &[u8]) -> Result<String> {
    made(dtype, item, heap, &|text| text)
}

fn made(
    dtype: &DType,
    item: &[u8],
    heap: &[u8],
    show: &dyn Fn(String) -> String,
) -> Result<String> {
    macro_rules! number {
        ($t:ty) => {
            item.try_into().map(<$t>::from_ne_bytes).unwrap_or_default()
        };
    }
    Ok(match dtype {
        DType::Float32 => format!("{:?}", number!(f32)),
        DType::Float64 => format!("{:?}", number!(f64)),
        DType::Int32 => number!(i32).to_string(),
        DType::Int64 => number!(i64).to_string(),
        DType::Complex64 | DType::Complex128 => {
            let part = if *dtype == DType::Complex64 { DType::Float32 } else { DType::Float64 };
            let (re, im) = item.split_at_checked(item.len() / 2).unwrap_or_default();
            let (re, im) = (text(&part, re, heap, true)?, text(&part, im, heap, true)?);
            let sign = if im.starts_with('-') { "" } else { "+" };
            format!("{re}{sign}{im}j")
        }
        DType::DateTime(unit) => time::date_time(number!(i64), *unit),
        DType::TimeDelta(unit) => time::span(number!(i64), *unit),
        _ => match stook::json::of_item(dtype, item, heap)? {
            Value::String(text) => show(text),
            other => other.to_string(),
        },
    })
}

fn shown(text: &str, is_alone: bool) -> String {
    let is_plain = !text.contains(char::is_control);
    let is_clear = !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == '"');
    if is_plain && (is_alone || is_clear) {
        return text.to_owned();
    }
    if !is_alone {
        return format!("{text:?}");
    }
    one_line(text)
}

#[cfg(test)]
#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
mod tests {
    use super::*;
    use stook::dtype::{EnumType, TimeBase, TimeUnit};

    fn one(dtype: DType, item: &[u8]) -> String {
        text(&dtype, item, &[], true).unwrap()
    }

    #[test]
    fn numbers_are_the_shortest_that_name_them() {
        assert_eq!(one(DType::Float32, &0.1_f32.to_ne_bytes()), "0.1");
        assert_eq!(one(DType::Float64, &1.0_f64.to_ne_bytes()), "1.0");
        assert_eq!(one(DType::Float64, &1e300_f64.to_ne_bytes()), "1e300");
        assert_eq!(one(DType::Float64, &f64::NAN.to_ne_bytes()), "NaN");
        assert_eq!(one(DType::Float64, &f64::NEG_INFINITY.to_ne_bytes()), "-inf");
        assert_eq!(one(DType::UInt64, &u64::MAX.to_ne_bytes()), "18446744073709551615");
        let complex: Vec<u8> = [1.5_f32, -2.0].into_iter().flat_map(f32::to_ne_bytes).collect();
        assert_eq!(one(DType::Complex64, &complex), "1.5-2.0j");
    }

    #[test]
    fn names_stand_for_the_values_of_an_enum() {
        let members = vec![("off".to_owned(), 0), ("on".to_owned(), 1)];
        let dtype = DType::Enum(EnumType { base: DType::UInt8, members }.into());
        assert_eq!([one(dtype.clone(), &[1]), one(dtype, &[7])], ["on", "7"]);
    }

    #[test]
    fn times_are_dates() {
        let dtype = DType::DateTime(TimeUnit { base: TimeBase::Day, count: 1 });
        assert_eq!(one(dtype, &20_000_i64.to_ne_bytes()), "2024-10-04");
    }

    #[test]
    fn text_among_others_is_quoted_where_its_end_could_not_be_seen() {
        let many = ["T-cell", "B cell", "", "a\"b", "a\nb"].map(|text| shown(text, false));
        assert_eq!(many, ["T-cell", "\"B cell\"", "\"\"", "\"a\\\"b\"", "\"a\\nb\""]);
        let alone = ["B cell", "", "a\tb"].map(|text| shown(text, true));
        assert_eq!(alone, ["B cell", "", "a\\tb"]);
    }
}
