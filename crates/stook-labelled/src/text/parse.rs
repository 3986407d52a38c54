//! Text to numbers.

use std::collections::HashMap;

use stook_core::Result;

use crate::store::each_at_once;

/// A table that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The columns of labels.
    pub labels: Vec<Column>,
    /// The elements, row by row.
    pub cells: Cells,
    /// How many rows there are.
    pub n_rows: usize,
}

/// A column of labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// Each label once, in the order in which they come.
    pub texts: Vec<String>,
    /// Which of them each row has.
    pub codes: Vec<i64>,
}

/// Elements of the narrowest type that all have.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Cells {
    /// Whole numbers of 64 bits.
    Ints(Vec<i64>),
    /// Numbers; an empty cell is NaN.
    Floats(Vec<f64>),
}

/// Text is read in blocks of about so many bytes.
const BLOCK_LEN_BYTES: usize = 128 << 10;

/// Reads lines of `n_labels` labels and `n_cells` numbers. Empty lines are passed over; lines end
/// with or without a carriage return. `None` if that is not all that there is.
///
/// # Errors
/// When the call is interrupted.
pub fn parse(
    text: &[u8],
    separator: u8,
    (n_labels, n_cells): (usize, usize),
) -> Result<Option<Table>> {
    if n_cells == 0 || separator.is_ascii_alphanumeric() || b"+-.\"\r\n".contains(&separator) {
        return Ok(None);
    }
    let blocks = blocks(text);
    let parts = each_at_once(blocks.len(), &|at| {
        let block = blocks.get(at).copied().unwrap_or_default();
        Ok(Block::of(block, separator, (n_labels, n_cells)))
    })?;
    let Some(parts) = parts.into_iter().collect::<Option<Vec<Block<'_>>>>() else {
        return Ok(None);
    };
    let n_rows = parts.iter().map(|part| part.n_rows).sum();
    let mut labels = Vec::with_capacity(n_labels);
    for column in 0..n_labels {
        let Some(found) = distinct(&parts, (column, n_labels), n_rows) else { return Ok(None) };
        labels.push(found);
    }
    let cells = if n_rows > 0 && parts.iter().all(|part| part.is_whole) {
        let whole = parts.iter().flat_map(|part| &part.cells);
        Cells::Ints(if parts.iter().all(|part| part.is_short) {
            #[expect(clippy::cast_possible_truncation, reason = "whole numbers below 2 ** 53")]
            whole.map(|&value| value as i64).collect()
        } else {
            let Some(found) = long_ints(text, separator, n_labels) else { return Ok(None) };
            found
        })
    } else {
        Cells::Floats(parts.iter().map(|part| part.cells.as_slice()).collect::<Vec<_>>().concat())
    };
    Ok(Some(Table { labels, cells, n_rows }))
}

/// Parts of a text that end at the ends of lines.
fn blocks(text: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut rest = text;
    while rest.len() > BLOCK_LEN_BYTES {
        let behind = rest.get(BLOCK_LEN_BYTES..).unwrap_or_default();
        let Some(end) = behind.iter().position(|&byte| byte == b'\n') else { break };
        let (block, other) = rest.split_at(BLOCK_LEN_BYTES + end + 1);
        found.push(block);
        rest = other;
    }
    found.push(rest);
    found
}

/// The labels of a column, each once.
fn distinct(
    parts: &[Block<'_>],
    (column, n_labels): (usize, usize),
    n_rows: usize,
) -> Option<Column> {
    let mut known: HashMap<&[u8], i64> = HashMap::new();
    let mut found = Column { texts: Vec::new(), codes: Vec::with_capacity(n_rows) };
    let mut last: Option<(&[u8], i64)> = None;
    for row in parts.iter().flat_map(|part| part.labels.chunks_exact(n_labels)) {
        let label = *row.get(column)?;
        let code = match last {
            Some((same, code)) if same == label => code,
            _ => match known.get(label) {
                Some(&code) => code,
                None => {
                    let code = i64::try_from(found.texts.len()).ok()?;
                    found.texts.push(std::str::from_utf8(label).ok()?.to_owned());
                    known.insert(label, code);
                    code
                }
            },
        };
        last = Some((label, code));
        found.codes.push(code);
    }
    Some(found)
}

/// The lines of a part of the text.
struct Block<'a> {
    n_rows: usize,
    labels: Vec<&'a [u8]>,
    cells: Vec<f64>,
    /// Whether all cells are whole numbers.
    is_whole: bool,
    /// Whether floats hold them.
    is_short: bool,
}

impl<'a> Block<'a> {
    fn of(text: &'a [u8], separator: u8, (n_labels, n_cells): (usize, usize)) -> Option<Self> {
        const USUAL_CELL_LEN: usize = 12;
        let mut block = Self {
            n_rows: 0,
            labels: Vec::new(),
            cells: Vec::with_capacity(text.len() / USUAL_CELL_LEN),
            is_whole: true,
            is_short: true,
        };
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(behind) = end_of_line(rest) {
                rest = behind;
                continue;
            }
            for _ in 0..n_labels {
                let end = rest
                    .iter()
                    .position(|&byte| byte == separator || byte < b' ' || byte == b'"')?;
                if rest.get(end) != Some(&separator) {
                    return None;
                }
                block.labels.push(rest.get(..end)?);
                rest = rest.get(end + 1..)?;
            }
            for at in 1..=n_cells {
                let behind = block.cell(rest, separator)?;
                rest = match behind.split_first() {
                    Some((&byte, behind)) if byte == separator && at < n_cells => behind,
                    None if at == n_cells => behind,
                    _ if at == n_cells => end_of_line(behind)?,
                    _ => return None,
                };
            }
            block.n_rows += 1;
        }
        Some(block)
    }

    /// Reads the cell that `text` begins with; what is left is given back.
    fn cell(&mut self, text: &'a [u8], separator: u8) -> Option<&'a [u8]> {
        if let Some(number) = Number::of(text) {
            let (_, rest) = text.split_at_checked(number.len)?;
            if rest.first().is_none_or(|&byte| byte == separator || byte < b' ') {
                self.is_whole &= number.is_whole;
                self.is_short &= number.is_exact;
                self.cells.push(match number.value() {
                    Some(value) => value,
                    None => float(text.get(..number.len)?)?,
                });
                return Some(rest);
            }
        }
        let end = text.iter().position(|&byte| byte == separator || byte < b' ');
        let (cell, rest) = text.split_at_checked(end.unwrap_or(text.len()))?;
        self.is_whole = false;
        self.cells.push(if cell.is_empty() { f64::NAN } else { float(cell)? });
        Some(rest)
    }
}

/// A float in any form that Rust and Python know, such as `inf` and `nan`.
fn float(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// What lies behind the end of a line, if `text` begins with one.
fn end_of_line(text: &[u8]) -> Option<&[u8]> {
    match text {
        [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => Some(rest),
        _ => None,
    }
}

/// A number in decimal digits, as it begins a text.
struct Number {
    len: usize,
    digits: u64,
    /// What the digits are to be divided by: this power of ten.
    n_decimals: usize,
    is_negative: bool,
    /// Whether it has neither point nor exponent.
    is_whole: bool,
    /// Whether the digits are a whole number that floats hold, and no exponent follows.
    is_exact: bool,
}

/// The powers of ten that floats hold.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

impl Number {
    /// `None` if there is no digit first.
    fn of(text: &[u8]) -> Option<Self> {
        let is_negative = text.first() == Some(&b'-');
        let start = usize::from(is_negative || text.first() == Some(&b'+'));
        let (mut at, mut digits) = (start, 0_u64);
        let digit = |at: usize| match text.get(at) {
            Some(byte @ b'0'..=b'9') => Some(u64::from(byte - b'0')),
            _ => None,
        };
        while let Some(next) = digit(at) {
            digits = digits.wrapping_mul(10).wrapping_add(next);
            at += 1;
        }
        let mut n_digits = at - start;
        if n_digits == 0 {
            return None;
        }
        let (mut is_whole, mut n_decimals) = (true, 0);
        if text.get(at) == Some(&b'.') {
            is_whole = false;
            at += 1;
            let point = at;
            while let Some(next) = digit(at) {
                digits = digits.wrapping_mul(10).wrapping_add(next);
                at += 1;
            }
            n_decimals = at - point;
            n_digits += n_decimals;
        }
        let has_exponent = matches!(text.get(at), Some(b'e' | b'E'));
        if has_exponent {
            at += 1;
            at += usize::from(matches!(text.get(at), Some(b'+' | b'-')));
            while digit(at).is_some() {
                at += 1;
            }
        }
        // Nineteen digits do not overflow.
        let is_exact =
            n_digits <= 19 && digits <= 1 << 53 && !has_exponent && n_decimals < POWERS.len();
        let is_whole = is_whole && !has_exponent;
        Some(Self { len: at, digits, n_decimals, is_negative, is_whole, is_exact })
    }

    /// The float nearest to it, where one division gives that: of two numbers that floats hold.
    fn value(&self) -> Option<f64> {
        if !self.is_exact {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 2 ** 53")]
        let value = self.digits as f64 / POWERS.get(self.n_decimals)?;
        Some(if self.is_negative { -value } else { value })
    }
}

/// The cells as whole numbers, of a text that has no others.
fn long_ints(text: &[u8], separator: u8, n_labels: usize) -> Option<Vec<i64>> {
    let mut found = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        for cell in line.split(|&byte| byte == separator).skip(n_labels) {
            found.push(std::str::from_utf8(cell).ok()?.parse().ok()?);
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::push_float;

    fn floats(text: &str, n_cells: usize) -> Option<Vec<f64>> {
        match parse(text.as_bytes(), b',', (0, n_cells)).unwrap()?.cells {
            Cells::Floats(values) => Some(values),
            Cells::Ints(_) => None,
        }
    }

    #[test]
    fn labels_are_there_once_and_rows_refer_to_them() {
        let table = parse(b"a0,b0,1,2\r\na0,b1,3,4\na1,b0,5,6\n\n", b',', (2, 2)).unwrap().unwrap();
        assert_eq!(table.labels[0].texts, ["a0", "a1"]);
        assert_eq!(table.labels[0].codes, [0, 0, 1]);
        assert_eq!(table.labels[1].codes, [0, 1, 0]);
        assert_eq!(table.cells, Cells::Ints(vec![1, 2, 3, 4, 5, 6]));
    }

    #[test]
    fn cells_are_floats_if_one_is() {
        let found = floats("1,2.5\n,-inf\n+3,1e300\n", 2).unwrap();
        assert!(found[2].is_nan());
        assert_eq!(found[3], f64::NEG_INFINITY);
        assert_eq!((found[0], found[1], found[4], found[5]), (1.0, 2.5, 3.0, 1e300));
        assert_eq!(floats("-0.0", 1).unwrap()[0].to_bits(), (-0.0_f64).to_bits());
    }

    #[test]
    fn what_is_no_table_of_numbers_is_left_alone() {
        for text in
            ["1,x", "1", "1,2,3", "1,2\n3", "1;2", "1,\"2\"", "1,1_0", "1,2\r3", "1,-", "1,2e"]
        {
            assert_eq!(parse(text.as_bytes(), b',', (0, 2)).unwrap(), None, "{text}");
        }
        assert_eq!(parse(b"a\"b,1", b',', (1, 1)).unwrap(), None);
    }

    #[test]
    fn long_whole_numbers_keep_their_digits() {
        let table = parse(b"r,123456789012345678,-1\n", b',', (1, 2)).unwrap().unwrap();
        assert_eq!(table.cells, Cells::Ints(vec![123_456_789_012_345_678, -1]));
        let table = parse(b"-9223372036854775808\n", b',', (0, 1)).unwrap().unwrap();
        assert_eq!(table.cells, Cells::Ints(vec![i64::MIN]));
        assert_eq!(parse(b"9223372036854775808\n", b',', (0, 1)).unwrap(), None);
        assert_eq!(floats("1234567890123456789,1.5", 2).unwrap()[0], 1_234_567_890_123_456_789.0);
    }

    #[test]
    fn blocks_end_with_lines() {
        let text = "0.25,-3.125\n".repeat(40_000);
        let found = floats(&text, 2).unwrap();
        assert_eq!(found.len(), 80_000);
        assert!(found.as_chunks::<2>().0.iter().all(|pair| *pair == [0.25, -3.125]));
    }

    proptest! {
        #[test]
        fn floats_are_read_as_they_were(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(!value.is_nan());
            let mut text = Vec::new();
            push_float(&mut text, value);
            let text = String::from_utf8(text).unwrap();
            prop_assert_eq!(floats(&format!("{text},0.5"), 2).unwrap()[0].to_bits(), bits);
        }

        #[test]
        fn decimals_are_read_as_by_the_standard_library(text in "[-+]?[0-9]{1,20}\\.[0-9]{0,20}") {
            let found = floats(&format!("{text},0.5"), 2).unwrap()[0];
            prop_assert_eq!(found.to_bits(), text.parse::<f64>().unwrap().to_bits());
        }

        #[test]
        fn any_bytes_are_a_table_or_none(text in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert!(parse(&text, b',', (1, 2)).is_ok());
        }
    }
}
