//! Items as plain numbers, for those who look at how values go rather than at what they are.

use stook::DType;

/// An item as a number; `None` of what is none.
#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
pub(crate) fn number(dtype: &DType, item: &[u8]) -> Option<f64> {
    macro_rules! number {
        ($t:ty) => {
            Some(<$t>::from_ne_bytes(item.try_into().ok()?) as f64)
        };
    }
    match dtype {
        DType::Float64 => number!(f64),
        DType::Float32 => number!(f32),
        DType::Int8 => number!(i8),
        DType::Int16 => number!(i16),
        DType::Int32 => number!(i32),
        DType::Int64 => number!(i64),
        DType::UInt8 | DType::Bool => number!(u8),
        DType::UInt16 => number!(u16),
        DType::UInt32 => number!(u32),
        DType::UInt64 => number!(u64),
        DType::Float16 | DType::BFloat16 | DType::LongDouble | DType::Narrow(_) => {
            stook::json::of_item(dtype, item, &[]).ok()?.as_f64()
        }
        _ => None,
    }
}

/// The extremes and the mean of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) greatest: f64,
    pub(crate) mean: f64,
}

impl Spread {
    /// Of items; `None` where there are none, or they are no numbers. NaN takes no part.
    pub(crate) fn of<'i>(dtype: &DType, items: impl Iterator<Item = &'i [u8]>) -> Option<Self> {
        let (mut n, mut sum) = (0_u64, 0.0);
        let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
        for item in items {
            let x = number(dtype, item)?;
            if x.is_nan() {
                continue;
            }
            n += 1;
            sum += x;
            least = least.min(x);
            greatest = greatest.max(x);
        }
        (n > 0).then(|| Self { least, greatest, mean: sum / n as f64 })
    }
}

/// Six significant digits.
pub(crate) fn brief(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    let exponent = x.abs().log10().floor() as i32;
    let text = match exponent {
        -4..=8 => {
            let decimals = usize::try_from(5 - exponent).unwrap_or(0);
            format!("{x:.decimals$}")
        }
        _ => format!("{x:.5e}"),
    };
    match text.split_once('e') {
        Some((digits, exponent)) => format!("{}e{exponent}", trimmed(digits)),
        None => trimmed(&text).to_owned(),
    }
}

/// Without zeros that say nothing.
fn trimmed(digits: &str) -> &str {
    match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits_are_significant() {
        let shown =
            [0.0, 1.0, -2.5, 0.123456789, 1234567.89, 1e-9, 6.02214076e23, 0.00012].map(brief);
        assert_eq!(
            shown,
            ["0", "1", "-2.5", "0.123457", "1234568", "1e-9", "6.02214e23", "0.00012"]
        );
    }

    #[test]
    fn spreads_leave_nan_out() {
        let items = [1.0, f64::NAN, 4.0].map(f64::to_ne_bytes);
        let spread = Spread::of(&DType::Float64, items.iter().map(|item| &item[..]));
        assert_eq!(spread, Some(Spread { least: 1.0, greatest: 4.0, mean: 2.5 }));
        assert_eq!(Spread::of(&DType::string(), [&[0_u8; 16][..]].into_iter()), None);
        assert_eq!(Spread::of(&DType::Float64, std::iter::empty()), None);
    }
}
