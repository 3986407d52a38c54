//! Matrix Market's files: `%%MatrixMarket matrix coordinate integer general`, then rows, columns
//! and elements as text.
//!
//! <https://math.nist.gov/MatrixMarket/formats.html>. Of complex matrices nothing is read.

use std::path::{Path, PathBuf};

use stook::{Array, DType, Error, Limits, Result};

use super::text::Lines;
use crate::Axis;
use crate::matrix::{Compressed, Coo, Dense, Matrix, Number, TileWriter, WriteOptions, Zeros};
use crate::source::MatrixSource;

/// Elements and columns of a block that goes to its tiles at once.
const BLOCK_N_ELEMENTS: usize = 1 << 20;
const BLOCK_N_LINES: usize = 1 << 9;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Integer,
    Real,
    /// Places without numbers: each is one.
    Pattern,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Symmetry {
    General,
    Symmetric,
    Skew,
}

/// A matrix in a file of Matrix Market's, compressed by gzip or not.
#[derive(Clone, Debug)]
pub struct Mtx {
    path: PathBuf,
    limits: Limits,
    is_dense: bool,
    field: Field,
    symmetry: Symmetry,
    /// As in the file.
    lens: [usize; 2],
    n_listed: u64,
    is_transposed: bool,
}

impl Mtx {
    /// Reads the head of the file at `path`.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt` if it is none, `Unsupported` for complex numbers, `Io`.
    pub fn open(path: impl AsRef<Path>, limits: &Limits) -> Result<Self> {
        let mut lines = Lines::open(path.as_ref(), limits)?;
        let mut mtx = Self {
            path: lines.path().to_path_buf(),
            limits: limits.clone(),
            is_dense: false,
            field: Field::Real,
            symmetry: Symmetry::General,
            lens: [0, 0],
            n_listed: 0,
            is_transposed: false,
        };
        mtx.head(&mut lines)?;
        Ok(mtx)
    }

    /// The same with rows for columns.
    #[must_use]
    pub fn transposed(mut self) -> Self {
        self.is_transposed = !self.is_transposed;
        self
    }

    fn head(&mut self, lines: &mut Lines) -> Result<()> {
        let banner = lines.next_text()?.unwrap_or_default().to_lowercase();
        let words: Vec<&str> = banner.split_ascii_whitespace().collect();
        let &["%%matrixmarket", "matrix", layout, field, symmetry] = words.as_slice() else {
            return Err(lines.wrong("expected `%%MatrixMarket matrix` and its kind"));
        };
        let unknown = |what: &str| {
            Error::unsupported(format!("a matrix of Matrix Market that is `{what}`"))
                .at_file(lines.path())
        };
        self.is_dense = match layout {
            "coordinate" => false,
            "array" => true,
            other => return Err(unknown(other)),
        };
        self.field = match field {
            "integer" | "unsigned-integer" => Field::Integer,
            "real" | "double" => Field::Real,
            "pattern" if !self.is_dense => Field::Pattern,
            other => return Err(unknown(other)),
        };
        self.symmetry = match symmetry {
            "general" => Symmetry::General,
            "symmetric" => Symmetry::Symmetric,
            "skew-symmetric" => Symmetry::Skew,
            other => return Err(unknown(other)),
        };
        if self.is_dense && self.symmetry != Symmetry::General {
            return Err(unknown("array symmetric"));
        }
        let sizes = loop {
            let Some(line) = lines.next()? else { return Err(lines.wrong("expected the shape")) };
            if !line.starts_with(b"%") && !line.trim_ascii().is_empty() {
                break numbers(line);
            }
        };
        let (lens, n) = match (sizes.as_deref(), self.is_dense) {
            (Some(&[rows, columns, n]), false) => ([rows, columns], n),
            (Some(&[rows, columns]), true) => ([rows, columns], rows.saturating_mul(columns)),
            _ => return Err(lines.wrong("expected the shape, and how many elements are listed")),
        };
        let lens = lens.map(usize::try_from);
        let [Ok(rows), Ok(columns)] = lens else { return Err(lines.wrong("the shape overflows")) };
        if self.symmetry != Symmetry::General && rows != columns {
            return Err(lines.wrong("expected a symmetric matrix to be square"));
        }
        (self.lens, self.n_listed) = ([rows, columns], n);
        Ok(())
    }

    /// The lines of the elements.
    fn body(&self) -> Result<Lines> {
        let mut lines = Lines::open(&self.path, &self.limits)?;
        self.clone().head(&mut lines)?;
        Ok(lines)
    }

    /// Calls `visit` with the row, column and number of each element that is listed.
    fn for_each<T: Number>(
        &self,
        visit: &mut dyn FnMut(usize, usize, T) -> Result<()>,
    ) -> Result<()> {
        let mut lines = self.body()?;
        let mut n = 0;
        while let Some(line) = lines.next()? {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let Some((row, column, number)) = element::<T>(line, self.field) else {
                return Err(lines.wrong("expected a row, a column and a number"));
            };
            let [n_rows, n_columns] = self.lens;
            if row == 0 || row > n_rows || column == 0 || column > n_columns {
                let what =
                    format!("element {row} {column} of {n_rows} rows and {n_columns} columns");
                return Err(lines.wrong(what));
            }
            n += 1;
            if n > self.n_listed {
                break;
            }
            visit(row - 1, column - 1, number)?;
        }
        if n != self.n_listed {
            let expected = self.n_listed;
            let more = if n > expected { " and more" } else { "" };
            let n = n.min(expected);
            return Err(Error::corrupt(format!("expected {expected} elements, found {n}{more}"))
                .at_file(&self.path));
        }
        Ok(())
    }

    /// All elements in memory.
    ///
    /// # Errors
    /// `Corrupt` naming the line, `LimitExceeded`, `Io`.
    pub fn read(&self) -> Result<Coo<'static>> {
        match self.field {
            Field::Integer => self.read_as::<i64>(),
            Field::Real => self.read_as::<f64>(),
            Field::Pattern => self.read_as::<i8>(),
        }
    }

    fn read_as<T: Number + std::ops::Neg<Output = T>>(&self) -> Result<Coo<'static>> {
        let (mut rows, mut columns, mut numbers) = (Vec::new(), Vec::new(), Vec::<T>::new());
        let mut push = |row: usize, column: usize, number: T| {
            rows.push(row as u64);
            columns.push(column as u64);
            numbers.push(number);
        };
        if self.is_dense {
            let mut at = 0;
            let n_rows = self.lens[0].max(1);
            self.for_each_dense::<T>(&mut |number| {
                push(at % n_rows, at / n_rows, number);
                at += 1;
                Ok(())
            })?;
        } else {
            self.for_each::<T>(&mut |row, column, number| {
                push(row, column, number);
                match self.symmetry {
                    Symmetry::Symmetric if row != column => push(column, row, number),
                    Symmetry::Skew => push(column, row, -number),
                    _ => {}
                }
                Ok(())
            })?;
        }
        let numbers = T::into_numbers(numbers);
        let [n_rows, n_columns] = self.lens;
        if self.is_transposed {
            return Coo::new([n_columns, n_rows], columns, rows, numbers);
        }
        Coo::new([n_rows, n_columns], rows, columns, numbers)
    }

    fn for_each_dense<T: Number>(&self, visit: &mut dyn FnMut(T) -> Result<()>) -> Result<()> {
        let mut lines = self.body()?;
        let mut n = 0;
        while let Some(line) = lines.next()? {
            for word in line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
                let Some(number) = parse::<T>(word, self.field) else {
                    return Err(lines.wrong("expected a number"));
                };
                n += 1;
                if n <= self.n_listed {
                    visit(number)?;
                }
            }
        }
        if n != self.n_listed {
            let expected = self.n_listed;
            return Err(Error::corrupt(format!("expected {expected} elements, found {n}"))
                .at_file(&self.path));
        }
        Ok(())
    }

    /// Stores elements that come column by column; false where they do not.
    fn stream<T: Number>(&self, target: &Array, at: [u64; 2]) -> Result<bool> {
        let axis = if self.is_transposed { Axis::Rows } else { Axis::Columns };
        let [n_rows, n_columns] = self.lens;
        let options = WriteOptions::new().zeros(Zeros::Skipped);
        let mut writer = TileWriter::new(target, axis, at, n_rows, options);
        let mut block = Block::<T>::default();
        let mut is_sorted = true;
        let streamed = self.for_each::<T>(&mut |row, column, number| {
            if column + 1 < block.n_done + block.ends.len().max(1) {
                is_sorted = false;
                // Read on for nothing else would be in vain.
                return Err(Error::unsupported("elements out of order"));
            }
            while block.n_done + block.ends.len() <= column {
                if block.is_full() {
                    writer.push(&block.take(axis, n_rows)?)?;
                }
                block.ends.push(block.numbers.len() as u64);
            }
            block.rows.push(u32::try_from(row).map_err(|_| Error::limit("too many rows"))?);
            block.numbers.push(number);
            if let Some(end) = block.ends.last_mut() {
                *end += 1;
            }
            Ok(())
        });
        if !is_sorted {
            return Ok(false);
        }
        streamed?;
        while block.n_done + block.ends.len() < n_columns {
            if block.is_full() {
                writer.push(&block.take(axis, n_rows)?)?;
            }
            block.ends.push(block.numbers.len() as u64);
        }
        writer.push(&block.take(axis, n_rows)?)?;
        writer.finish()?;
        Ok(true)
    }

    fn stream_dense<T: Number>(&self, target: &Array, at: [u64; 2]) -> Result<()> {
        let axis = if self.is_transposed { Axis::Rows } else { Axis::Columns };
        let n_rows = self.lens[0];
        let options = WriteOptions::new().zeros(Zeros::Skipped);
        let mut writer = TileWriter::new(target, axis, at, n_rows, options);
        let most = (BLOCK_N_ELEMENTS / n_rows.max(1)).clamp(1, BLOCK_N_LINES);
        let mut column: Vec<T> = Vec::new();
        let mut push = |numbers: Vec<T>| {
            let n = numbers.len() / n_rows.max(1);
            let numbers = T::into_numbers(numbers);
            let block = match axis {
                Axis::Columns => Dense::columns([n_rows, n], numbers),
                Axis::Rows => Dense::new([n, n_rows], numbers),
            };
            writer.push(&Matrix::from(block?))
        };
        self.for_each_dense::<T>(&mut |number| {
            column.push(number);
            if column.len() == most * n_rows {
                push(std::mem::take(&mut column))?;
            }
            Ok(())
        })?;
        push(column)?;
        writer.finish().map(drop)
    }

    fn store_as<T: Number>(&self, target: &Array, at: [u64; 2]) -> Result<()> {
        if self.is_dense && self.n_listed > 0 {
            return self.stream_dense::<T>(target, at);
        }
        if self.symmetry == Symmetry::General && self.stream::<T>(target, at)? {
            return Ok(());
        }
        // What was stored already is among what is stored now.
        self.read()?.store(target, at)
    }
}

/// Columns that wait to be stored.
#[derive(Default)]
struct Block<T> {
    n_done: usize,
    ends: Vec<u64>,
    rows: Vec<u32>,
    numbers: Vec<T>,
}

impl<T: Number> Block<T> {
    fn is_full(&self) -> bool {
        self.ends.len() >= BLOCK_N_LINES && self.ends.len().is_multiple_of(64)
            || self.numbers.len() >= BLOCK_N_ELEMENTS
    }

    fn take(&mut self, axis: Axis, n_rows: usize) -> Result<Matrix<'static>> {
        let ends = std::mem::take(&mut self.ends);
        let n = ends.len();
        self.n_done += n;
        let pointers: Vec<u64> = std::iter::once(0).chain(ends).collect();
        let numbers = T::into_numbers(std::mem::take(&mut self.numbers));
        let rows = std::mem::take(&mut self.rows);
        let block = match axis {
            Axis::Columns => Compressed::csc([n_rows, n], pointers, rows, numbers),
            Axis::Rows => Compressed::csr([n, n_rows], pointers, rows, numbers),
        };
        block.map(Matrix::from)
    }
}

/// The numbers of a line without signs.
fn numbers(line: &[u8]) -> Option<Vec<u64>> {
    let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.map(whole).collect()
}

fn whole(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    word.iter().try_fold(0_u64, |number, byte| {
        let digit = u64::from(byte.wrapping_sub(b'0'));
        if digit > 9 {
            return None;
        }
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// Row, column and number of a line.
fn element<T: Number>(line: &[u8], field: Field) -> Option<(usize, usize, T)> {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let row = usize::try_from(whole(words.next()?)?).ok()?;
    let column = usize::try_from(whole(words.next()?)?).ok()?;
    let number = match field {
        Field::Pattern => T::from_wide(crate::matrix::Wide::Int(1))?,
        _ => parse(words.next()?, field)?,
    };
    words.next().is_none().then_some((row, column, number))
}

fn parse<T: Number>(word: &[u8], field: Field) -> Option<T> {
    use crate::matrix::Wide;
    if let Some(number) = whole(word) {
        return T::from_wide(Wide::Int(number.into()));
    }
    let text = std::str::from_utf8(word).ok()?;
    match field {
        Field::Integer => T::from_wide(Wide::Int(text.parse().ok()?)),
        _ => T::from_wide(Wide::Float(text.parse().ok()?)),
    }
}

impl MatrixSource for Mtx {
    fn shape(&self) -> [u64; 2] {
        let [rows, columns] = self.lens.map(|len| len as u64);
        if self.is_transposed { [columns, rows] } else { [rows, columns] }
    }

    fn dtype(&self) -> DType {
        match self.field {
            Field::Integer => DType::Int64,
            Field::Real => DType::Float64,
            Field::Pattern => DType::Int8,
        }
    }

    fn store(&self, target: &Array, at: [u64; 2]) -> Result<()> {
        match self.field {
            Field::Integer => self.store_as::<i64>(target, at),
            Field::Real => self.store_as::<f64>(target, at),
            Field::Pattern => self.store_as::<i8>(target, at),
        }
    }
}
