//! Rows of a layer as lines of text, as numpy and loompy spell numbers.

use std::fmt::Write as _;
use std::ops::Range;

use stook::element::f16;
use stook::{Array, AxisSelection, Result, Selection, Values};

use crate::attribute_value::is_text;
use crate::matrix::{Dense, Numbers, with_numbers};

/// Lines of text, each ended: what is in `before` for the row, then its numbers, a tab after each.
///
/// # Errors
/// `InvalidInput` for rows out of bounds, `Unsupported` for a type that is none of numbers, what
/// reading may give.
pub fn rows_as_text(array: &Array, rows: Range<u64>, before: &[String]) -> Result<String> {
    let selection =
        Selection::Axes(vec![AxisSelection::range(rows.start, rows.end), AxisSelection::ALL]);
    let dense = Dense::read(array, &selection)?;
    let [_, n_columns] = dense.lens();
    Ok(match dense.into_numbers() {
        Numbers::Float16(numbers) => lines(&numbers, n_columns, before, half),
        Numbers::Float32(numbers) => lines(&numbers, n_columns, before, |text, number| {
            if !push_whole(text, number.into()) {
                float(text, format_args!("{number:?}"));
            }
        }),
        Numbers::Float64(numbers) => lines(&numbers, n_columns, before, |text, number| {
            if !push_whole(text, number) {
                float(text, format_args!("{number:?}"));
            }
        }),
        Numbers::Int8(numbers) => lines(&numbers, n_columns, before, integer),
        Numbers::Int16(numbers) => lines(&numbers, n_columns, before, integer),
        Numbers::Int32(numbers) => lines(&numbers, n_columns, before, integer),
        Numbers::Int64(numbers) => lines(&numbers, n_columns, before, integer),
        Numbers::UInt8(numbers) => lines(&numbers, n_columns, before, integer),
        Numbers::UInt16(numbers) => lines(&numbers, n_columns, before, integer),
        Numbers::UInt32(numbers) => lines(&numbers, n_columns, before, integer),
        Numbers::UInt64(numbers) => lines(&numbers, n_columns, before, integer),
    })
}

fn lines<T: Copy>(
    numbers: &[T],
    n_columns: usize,
    before: &[String],
    spell: impl Fn(&mut String, T),
) -> String {
    let mut text = String::with_capacity(numbers.len().saturating_mul(4));
    for (row, numbers) in numbers.chunks(n_columns.max(1)).enumerate() {
        text.push_str(before.get(row).map_or("", String::as_str));
        for &number in numbers {
            spell(&mut text, number);
            text.push('\t');
        }
        text.push('\n');
    }
    text
}

fn integer<T: std::fmt::Display>(text: &mut String, number: T) {
    // A string takes whatever is written to it.
    let _ = write!(text, "{number}");
}

/// Spells a float that is a small whole number, as most counts are: false where it is not.
fn push_whole(text: &mut String, number: f64) -> bool {
    const MOST: f64 = 100_000.0;
    if number.to_bits() == 0 {
        text.push_str("0.0");
        return true;
    }
    // A negative zero has a sign, too.
    let is_small = number > 0.0 && number < MOST && number.trunc() == number;
    if is_small {
        // What is small and whole is the same as an integer.
        let _ = write!(text, "{}.0", number as u32);
    }
    is_small
}

/// A value of an attribute, as it stands in a line of text.
pub(crate) fn spelled(values: &Values, at: u64) -> Result<String> {
    let shape = values.shape();
    let width = shape.iter().skip(1).product::<u64>();
    if shape.len() < 2 {
        return one(values, at);
    }
    let all = (at * width..(at + 1) * width).map(|at| one(values, at));
    Ok(format!("[{}]", all.collect::<Result<Vec<_>>>()?.join(" ")))
}

fn one(values: &Values, at: u64) -> Result<String> {
    if is_text(values.dtype()) {
        return values.text_at(usize::try_from(at).unwrap_or(usize::MAX));
    }
    let item = values.item(usize::try_from(at).unwrap_or(usize::MAX)).unwrap_or_default();
    let item = Values::new(values.dtype().clone(), vec![1], item.to_vec(), Vec::new())?;
    let mut text = String::new();
    match Numbers::of_values(&item)? {
        Numbers::Float16(numbers) => numbers.iter().for_each(|&number| half(&mut text, number)),
        Numbers::Float32(numbers) => {
            numbers.iter().for_each(|number| float(&mut text, format_args!("{number:?}")));
        }
        Numbers::Float64(numbers) => {
            numbers.iter().for_each(|number| float(&mut text, format_args!("{number:?}")));
        }
        whole => with_numbers!(&whole, numbers => {
            numbers.iter().for_each(|number| {
                // A string takes whatever is written to it.
                let _ = write!(text, "{number}");
            });
        }),
    }
    Ok(text)
}

/// A float in the fewest digits that tell it from others: Rust's spelling but for the exponent,
/// which has a sign and two digits.
fn float(text: &mut String, spelled: std::fmt::Arguments<'_>) {
    let start = text.len();
    let _ = text.write_fmt(spelled);
    let spelled = text.get(start..).unwrap_or_default();
    let Some(at) = spelled.find('e') else {
        if spelled == "NaN" {
            text.truncate(start);
            text.push_str("nan");
        }
        return;
    };
    let exponent: i32 = spelled.get(at + 1..).and_then(|e| e.parse().ok()).unwrap_or(0);
    text.truncate(start + at);
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(text, "e{sign}{:02}", exponent.unsigned_abs());
}

/// A half in the fewest digits that no other half has.
fn half(text: &mut String, number: f16) {
    let wide = number.to_f32();
    let shortest = (0..5)
        .map(|n_digits| format!("{wide:.n_digits$e}"))
        .find(|spelled| spelled.parse().is_ok_and(|near: f32| f16::from_f32(near) == number));
    let near: f32 = shortest.and_then(|spelled| spelled.parse().ok()).unwrap_or(wide);
    float(text, format_args!("{near:?}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spelled_as_numpy_does() {
        let spell = |number: f64| {
            let mut text = String::new();
            float(&mut text, format_args!("{number:?}"));
            text
        };
        for (number, expected) in [
            (0.0, "0.0"),
            (-1.5, "-1.5"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (1e16, "1e+16"),
            (123_456.75, "123456.75"),
            (1.5e300, "1.5e+300"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(spell(number), expected);
        }
        for number in [0.0, 1.0, 7.0, 99_999.0, 100_000.0, -0.0, -3.0, 0.5, 2.5, f64::NAN] {
            let mut text = String::new();
            if !push_whole(&mut text, number) {
                float(&mut text, format_args!("{number:?}"));
            }
            assert_eq!(text, spell(number), "{number}");
        }
        let mut text = String::new();
        half(&mut text, f16::from_f32(0.1));
        assert_eq!(text, "0.1");
    }
}
