//! Numbers to text.

use std::io::Write as _;

use stook_core::Result;

use crate::Label;
use crate::store::each_at_once;

/// The elements of a table in C order.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Numbers<'a> {
    /// Floats.
    Floats(&'a [f64]),
    /// Whole numbers.
    Ints(&'a [i64]),
    /// Truth values, `True` and `False`: bytes that are 0 or not.
    Bools(&'a [u8]),
}

impl Numbers<'_> {
    fn len(self) -> usize {
        match self {
            Self::Floats(values) => values.len(),
            Self::Ints(values) => values.len(),
            Self::Bools(values) => values.len(),
        }
    }
}

/// What is around the elements of a table.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// For each axis but the last the cells of its labels, as they are written. There is a row for each
    /// combination.
    pub labels: &'a [Vec<String>],
    /// How many elements a row has.
    pub n_columns: usize,
    /// What is between two cells.
    pub separator: char,
    /// What is written for NaN.
    pub missing: &'a str,
}

/// About so many elements are a block.
const BLOCK_LEN: usize = 16 << 10;

/// The rows of a table, without a heading, in pieces that come one after the other. Elements beyond
/// the last row are passed over, and rows end where there are no more elements.
///
/// # Errors
/// When the call is interrupted.
pub fn write(numbers: Numbers<'_>, rows: Rows<'_>) -> Result<Vec<Vec<u8>>> {
    let n_rows = rows.labels.iter().map(Vec::len).product::<usize>();
    let n_rows = n_rows.min(numbers.len().checked_div(rows.n_columns).unwrap_or(n_rows));
    let per_block = (BLOCK_LEN / rows.n_columns.max(1)).max(1);
    each_at_once(n_rows.div_ceil(per_block), &|at| {
        let first = at * per_block;
        Ok(rows.block(numbers, first..n_rows.min(first + per_block)))
    })
}

impl Rows<'_> {
    fn block(&self, numbers: Numbers<'_>, range: std::ops::Range<usize>) -> Vec<u8> {
        const USUAL_CELL_LEN: usize = 20;
        let mut out = Vec::with_capacity(range.len() * (self.n_columns + 2) * USUAL_CELL_LEN);
        let separator = self.separator.to_string();
        let separator = separator.as_bytes();
        let n_rows: usize = self.labels.iter().map(Vec::len).product();
        for row in range {
            let mut stride = n_rows;
            for labels in self.labels {
                stride = stride.checked_div(labels.len()).unwrap_or(0);
                let at = row.checked_div(stride).unwrap_or(0) % labels.len().max(1);
                out.extend_from_slice(labels.get(at).map_or(b"", |label| label.as_bytes()));
                out.extend_from_slice(separator);
            }
            let cells = row * self.n_columns..(row + 1) * self.n_columns;
            match numbers {
                Numbers::Floats(values) => {
                    self.cells(values.get(cells), separator, &mut out, |value, out| {
                        if value.is_nan() {
                            out.extend_from_slice(self.missing.as_bytes());
                        } else {
                            push_float(out, value);
                        }
                    });
                }
                Numbers::Ints(values) => {
                    self.cells(values.get(cells), separator, &mut out, |value, out| {
                        // Memory takes whatever is written.
                        let _ = write!(out, "{value}");
                    });
                }
                Numbers::Bools(values) => {
                    self.cells(values.get(cells), separator, &mut out, |value, out| {
                        out.extend_from_slice(if value == 0 { b"False" } else { b"True" });
                    });
                }
            }
        }
        out
    }

    fn cells<T: Copy>(
        &self,
        values: Option<&[T]>,
        separator: &[u8],
        out: &mut Vec<u8>,
        mut push: impl FnMut(T, &mut Vec<u8>),
    ) {
        let values = values.unwrap_or_default();
        for (at, &value) in values.iter().enumerate() {
            if at > 0 {
                out.extend_from_slice(separator);
            }
            push(value, out);
        }
        // The separator behind the last label is there already.
        if values.is_empty() && out.ends_with(separator) {
            out.truncate(out.len() - separator.len());
        }
        out.push(b'\n');
    }
}

/// Appends a float as Python's `repr` writes it.
pub fn push_float(out: &mut Vec<u8>, value: f64) {
    let size = value.abs();
    if (1e-4..1e16).contains(&size) {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        let _ = write!(out, "{}", Label::Float(value));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: f64) -> String {
        let mut out = Vec::new();
        push_float(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn floats_are_written_as_by_python() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-12.5, "-12.5"),
            (1e-4, "0.0001"),
            (1.5e-5, "1.5e-05"),
            (1e15, "1000000000000000.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (f64::INFINITY, "inf"),
            (5e-324, "5e-324"),
            (4_027_528_624_359.656_2, "4027528624359.6562"),
        ] {
            assert_eq!(text(value), expected);
        }
    }

    #[test]
    fn rows_have_the_labels_of_all_axes_but_the_last() {
        let labels = [vec!["a0".to_owned(), "a1".to_owned()], vec!["\"b,0\"".to_owned()]];
        let rows = Rows { labels: &labels, n_columns: 2, separator: ',', missing: "-" };
        let found = write(Numbers::Floats(&[1.0, f64::NAN, 0.5, 3.0]), rows).unwrap().concat();
        assert_eq!(String::from_utf8(found).unwrap(), "a0,\"b,0\",1.0,-\na1,\"b,0\",0.5,3.0\n");
        let found = write(Numbers::Ints(&[-1, 2, 3, 4]), rows).unwrap().concat();
        assert_eq!(String::from_utf8(found).unwrap(), "a0,\"b,0\",-1,2\na1,\"b,0\",3,4\n");
        let found = write(Numbers::Bools(&[0, 1, 1, 0]), rows).unwrap().concat();
        assert!(found.starts_with(b"a0,\"b,0\",False,True\n"));
    }

    proptest! {
        #[test]
        fn floats_have_the_shortest_form(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            prop_assert_eq!(text(value).len(), Label::Float(value).to_string().len());
            prop_assert_eq!(text(value).parse::<f64>().unwrap().to_bits(), bits);
        }

        #[test]
        fn usual_floats_have_the_shortest_form(value in -1e17..1e17_f64, way in -20..3_i32) {
            let value = value * 10_f64.powi(way);
            // Of two forms as near and as short, Python has the even one, and so has this.
            prop_assert_eq!(text(value).len(), Label::Float(value).to_string().len());
            prop_assert_eq!(text(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
    }
}
