//! Arrays as text: the last axis goes across, all others down.

use std::fmt;

use stook_core::values::HeapItem;
use stook_core::{DType, Values};

use crate::array::Array;
use crate::label::LabelRef;

/// How wide a table is at most.
const MAX_WIDTH: usize = 80;
/// How many rows are shown before those in the middle are left out, and how many then on each side.
const MAX_ROWS: usize = 200;
const EDGE_ROWS: usize = 5;

/// As a table of 80 columns and 200 rows at most, with what is in the middle left out.
impl fmt::Display for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ndim() == 0 {
            return f.write_str(&element(self.data(), 0));
        }
        if self.size() == 0 {
            return f.write_str("Array([])");
        }
        let rows = self.cells();
        let widths = widths(&rows);
        let shown = shown_columns(&widths, self.ndim().saturating_sub(1).max(1));
        for (at, row) in rows.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            for (i, column) in shown.iter().enumerate() {
                let separator = if i > 0 { "  " } else { "" };
                match column.and_then(|column| Some((row.get(column)?, widths.get(column)?))) {
                    Some((cell, width)) => write!(f, "{separator}{cell:>width$}")?,
                    None => write!(f, "{separator}...")?,
                }
            }
        }
        Ok(())
    }
}

fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let n = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    (0..n).map(width).collect()
}

/// The columns that fit, those of labels among them; `None` where others are left out.
fn shown_columns(widths: &[usize], n_labels: usize) -> Vec<Option<usize>> {
    let total: usize = widths.iter().map(|width| width + 2).sum::<usize>().saturating_sub(2);
    if total <= MAX_WIDTH {
        return (0..widths.len()).map(Some).collect();
    }
    let width = |at: usize| widths.get(at).copied().unwrap_or(0) + 2;
    let mut left = MAX_WIDTH.saturating_sub((0..n_labels).map(width).sum::<usize>() + 3);
    let (mut first, mut last) = (n_labels, widths.len());
    while first < last {
        let is_last = last - 1 > first && widths.len() - last <= first - n_labels;
        let next = if is_last { last - 1 } else { first };
        if width(next) > left {
            break;
        }
        left -= width(next);
        if is_last {
            last -= 1;
        } else {
            first += 1;
        }
    }
    let shown = (0..first).map(Some).chain([None]);
    shown.chain((last..widths.len()).map(Some)).collect()
}

impl Array {
    /// The cells of all rows that are shown, the one of names and labels first.
    fn cells(&self) -> Vec<Vec<String>> {
        let axes = self.axes();
        let Some((last, outer)) = axes.as_slice().split_last() else { return Vec::new() };
        let name = |at: usize| axes.display_name(at);
        let n_outer = outer.len();
        let mut header: Vec<String> = (0..n_outer.saturating_sub(1)).map(name).collect();
        header.push(match n_outer.checked_sub(1) {
            Some(before) => format!("{}\\{}", name(before), name(n_outer)),
            None => name(0),
        });
        header.extend(last.labels().iter_refs().map(|label| label.to_string()));
        let n_rows: usize = outer.iter().map(|axis| axis.len()).product();
        let mut rows = vec![header];
        for row in 0..n_rows {
            if n_rows > MAX_ROWS && row == EDGE_ROWS {
                rows.push(vec!["...".to_owned(); n_outer.max(1) + last.len()]);
            }
            if n_rows > MAX_ROWS && (EDGE_ROWS..n_rows - EDGE_ROWS).contains(&row) {
                continue;
            }
            let mut rest = row;
            let mut cells: Vec<String> = Vec::with_capacity(n_outer + last.len());
            for axis in outer.iter().rev() {
                let label = axis.labels().get_ref(rest % axis.len());
                cells.push(label.unwrap_or(LabelRef::None).to_string());
                rest /= axis.len();
            }
            cells.reverse();
            if outer.is_empty() {
                cells.push(String::new());
            }
            let elements = (0..last.len()).map(|at| element(self.data(), row * last.len() + at));
            cells.extend(elements);
            rows.push(cells);
        }
        rows
    }
}

/// One element as Python's `str` has it.
fn element(values: &Values, at: usize) -> String {
    let item = values.item(at).unwrap_or_default();
    let float = |value: f64| LabelRef::Float(value).to_string();
    let part = |range: std::ops::Range<usize>| item.get(range).unwrap_or_default();
    match values.dtype() {
        DType::Bool => if item == [0] { "False" } else { "True" }.to_owned(),
        DType::Float16 => float(half_of(item)),
        DType::Float32 => shortest(single(item)),
        DType::Float64 => float(double(item)),
        DType::Complex128 => complex(double(part(0..8)), double(part(8..16))),
        DType::Complex64 => complex(single(part(0..4)).into(), single(part(4..8)).into()),
        DType::DateTime(unit) => LabelRef::DateTime(ticks(item), *unit).to_string(),
        DType::TimeDelta(unit) => LabelRef::TimeDelta(ticks(item), *unit).to_string(),
        DType::Bytes => {
            let bytes = HeapItem::from_bytes(item).slice(values.heap(), 1).unwrap_or_default();
            LabelRef::Bytes(bytes).to_string()
        }
        dtype => match whole(dtype, item) {
            Some(whole) => whole.to_string(),
            None => values.text_at(at).unwrap_or_else(|_| "?".to_owned()),
        },
    }
}

/// The number that an item of an integer type is.
#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn whole(dtype: &DType, item: &[u8]) -> Option<i128> {
    Some(match dtype {
        DType::Int8 => i8::from_ne_bytes(item.try_into().ok()?).into(),
        DType::Int16 => i16::from_ne_bytes(item.try_into().ok()?).into(),
        DType::Int32 => i32::from_ne_bytes(item.try_into().ok()?).into(),
        DType::Int64 => i64::from_ne_bytes(item.try_into().ok()?).into(),
        DType::UInt8 => u8::from_ne_bytes(item.try_into().ok()?).into(),
        DType::UInt16 => u16::from_ne_bytes(item.try_into().ok()?).into(),
        DType::UInt32 => u32::from_ne_bytes(item.try_into().ok()?).into(),
        DType::UInt64 => u64::from_ne_bytes(item.try_into().ok()?).into(),
        _ => return None,
    })
}

fn double(item: &[u8]) -> f64 {
    item.try_into().map_or(f64::NAN, f64::from_ne_bytes)
}

fn single(item: &[u8]) -> f32 {
    item.try_into().map_or(f32::NAN, f32::from_ne_bytes)
}

fn half_of(item: &[u8]) -> f64 {
    item.try_into()
        .map_or(f64::NAN, |bytes| stook_core::element::f16::from_ne_bytes(bytes).to_f64())
}

fn ticks(item: &[u8]) -> i64 {
    item.try_into().map_or(i64::MIN, i64::from_ne_bytes)
}

/// A float of single precision in the digits that tell it from others.
fn shortest(value: f32) -> String {
    // Its shortest digits, read as a double, are those of the double.
    let double: f64 = value.to_string().parse().unwrap_or_else(|_| value.into());
    LabelRef::Float(double).to_string()
}

fn complex(real: f64, imaginary: f64) -> String {
    let float = |value: f64| {
        let text = LabelRef::Float(value).to_string();
        text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
    };
    let sign = if imaginary.is_sign_negative() && !imaginary.is_nan() { "" } else { "+" };
    format!("({}{sign}{}j)", float(real), float(imaginary))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::create::{full, ndtest, zeros};

    #[test]
    fn the_last_axis_goes_across() {
        insta::assert_snapshot!(ndtest([2, 2, 2]).unwrap(), @r"
         a  b\c  c0  c1
        a0   b0   0   1
        a0   b1   2   3
        a1   b0   4   5
        a1   b1   6   7
        ");
        assert_eq!(ndtest([3]).unwrap().to_string(), "a  a0  a1  a2\n    0   1   2");
        assert_eq!(ndtest("x=x0;yyy=y0,y1").unwrap().to_string(), "x\\yyy  y0  y1\n   x0   0   1");
        assert_eq!(full("a=a0", f64::NAN).unwrap().to_string(), "a   a0\n   nan");
        assert_eq!(full([1, 1], 1.5).unwrap().to_string(), "{0}*\\{1}*    0\n        0  1.5");
        assert_eq!(zeros([0, 2], DType::Int8).unwrap().to_string(), "Array([])");
        assert_eq!(full(crate::AxisCollection::from(vec![]), true).unwrap().to_string(), "True");
    }

    #[test]
    fn what_is_too_much_is_left_out() {
        let wide = zeros("a=a0..a99", DType::Float64).unwrap().to_string();
        assert!(wide.lines().all(|line| line.len() <= 80 && line.contains("  ...  ")), "{wide}");
        let tall = ndtest([300, 2]).unwrap().to_string();
        assert_eq!(tall.lines().count(), 12);
    }

    #[test]
    fn elements_are_written_as_in_python() {
        let axes = || crate::AxisCollection::from(vec![]);
        let single = Array::from_elements(axes(), &[0.1_f32]).unwrap();
        assert_eq!(single.to_string(), "0.1");
        let complex = Array::from_elements(axes(), &[[1.5, -2.0_f64]]).unwrap();
        assert_eq!(complex.to_string(), "(1.5-2j)");
    }
}
