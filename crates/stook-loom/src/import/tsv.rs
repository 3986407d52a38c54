//! Tables of text: a line a gene, its name first, and a head with the names of cells.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use stook::{Array, AxisSelection, DType, Error, Limits, Result, Selection, Values};

use super::text::{Lines, unquoted};
use super::{ImportOptions, texts};
use crate::attributes::AttributeMap;
use crate::matrix::{Dense, Matrix, Number, TileWriter, WriteOptions, with_number_type};
use crate::source::MatrixSource;
use crate::{Axis, Loom};

/// A table and what is known of it.
#[derive(Clone, Debug)]
pub struct Tsv {
    /// The table.
    pub path: PathBuf,
    /// What separates its fields (default a tab).
    pub delimiter: String,
    /// The type of the layer (default `float32`).
    pub dtype: DType,
    /// What comes before the name of each cell.
    pub prefix: String,
    /// A loom whose genes, and their order, the new one has; and its attribute that has the names
    /// in the table.
    pub like: Option<(PathBuf, String)>,
    /// A table of cells: a line a cell, in their order, its name first, below a head.
    pub cells: Option<(PathBuf, String)>,
    /// Whether lines of the table are cells.
    pub orientation: super::market::Orientation,
}

impl Tsv {
    /// The table at `path`: separated by tabs, or by commas where its name says so.
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref().to_path_buf();
        let name = path.to_string_lossy().to_lowercase();
        let is_csv = name.trim_end_matches(".gz").ends_with(".csv");
        let delimiter = if is_csv { "," } else { "\t" }.to_owned();
        Self {
            path,
            delimiter,
            dtype: DType::Float32,
            prefix: String::new(),
            like: None,
            cells: None,
            orientation: super::market::Orientation::Same,
        }
    }
}

/// The head of a table and the names of its lines.
#[derive(Debug)]
struct Table<'t> {
    tsv: &'t Tsv,
    limits: &'t Limits,
    heads: Vec<String>,
    names: Vec<String>,
    /// The row of the loom for each line; none where it has no such gene.
    rows: Vec<Option<u64>>,
    n_rows: u64,
}

/// Attributes that are taken over from a loom that the new one is like.
const TAKEN_OVER: [&str; 5] = ["Accession", "Gene", "Chromosome", "Start", "End"];

/// Makes the loom `path` of a table.
///
/// # Errors
/// `NotFound`, `AlreadyExists`, `Corrupt` naming file and line, `InvalidInput` for cells that are
/// not those of the table, `LimitExceeded`, `Io`.
pub fn tsv(path: impl AsRef<Path>, tsv: &Tsv, options: &ImportOptions) -> Result<Loom> {
    let mut table = Table::open(tsv, &options.limits)?;
    let mut of_lines = AttributeMap::new();
    match &tsv.like {
        Some((path, key)) => of_lines = table.arrange(path, key)?,
        None => {
            of_lines.insert("Gene".to_owned(), texts(&table.names)?);
        }
    }
    let is_transposed = tsv.orientation == super::market::Orientation::Transposed;
    let mut genes = of_lines;
    let names = if is_transposed { &table.names } else { &table.heads };
    let ids: Vec<String> = names.iter().map(|name| format!("{}{name}", tsv.prefix)).collect();
    if is_transposed {
        if tsv.like.is_some() {
            return Err(Error::unsupported("a table of cells like another loom"));
        }
        genes.insert("Gene".to_owned(), texts(&table.heads)?);
    }
    let mut cells = AttributeMap::new();
    if let Some((path, delimiter)) = &tsv.cells {
        cells = cell_table(path, delimiter, &ids, &options.limits)?;
    }
    cells.insert("CellID".to_owned(), texts(&ids)?);
    options
        .builder(path)
        .layer("", &table)
        .attributes(Axis::Rows, genes)
        .attributes(Axis::Columns, cells)
        .create()
}

impl<'t> Table<'t> {
    /// Reads the head, and the names of all lines.
    fn open(tsv: &'t Tsv, limits: &'t Limits) -> Result<Self> {
        let mut lines = Lines::open(&tsv.path, limits)?;
        let head = lines.next_text()?.ok_or_else(|| lines.wrong("expected a head"))?;
        let mut heads: Vec<String> =
            head.trim_end().split(&tsv.delimiter).map(|field| unquoted(field).to_owned()).collect();
        let mut names = Vec::new();
        let mut width = None;
        while let Some(line) = lines.next()? {
            let line = line.trim_ascii_end();
            if line.is_empty() {
                continue;
            }
            let Ok(line) = std::str::from_utf8(line) else {
                return Err(lines.wrong("expected text in UTF-8"));
            };
            if width.is_none() {
                width = Some(line.split(&tsv.delimiter).count());
            }
            let name = line.split(&tsv.delimiter).next().unwrap_or("");
            names.push(unquoted(name).to_owned());
        }
        // The head may have a field for the column of names, or begin with the first cell.
        if width == Some(heads.len()) {
            heads.remove(0);
        }
        let n_rows = names.len() as u64;
        let rows = (0..n_rows).map(Some).collect();
        Ok(Self { tsv, limits, heads, names, rows, n_rows })
    }

    /// Gives each line the row that its gene has in another loom; returns the genes of that.
    fn arrange(&mut self, path: &Path, key: &str) -> Result<AttributeMap> {
        let like = Loom::open(path)?;
        let attributes = like.attributes(Axis::Rows);
        let keys = attributes.get(key)?;
        let mut places = HashMap::new();
        for at in 0..keys.len() {
            places.insert(keys.text_at(at)?, at as u64);
        }
        self.rows = self.names.iter().map(|name| places.get(name).copied()).collect();
        self.n_rows = keys.len() as u64;
        let mut taken = AttributeMap::new();
        for name in TAKEN_OVER {
            if attributes.contains(name)? {
                taken.insert(name.to_owned(), attributes.get(name)?);
            }
        }
        Ok(taken)
    }

    fn for_each_line<T: Number>(
        &self,
        visit: &mut dyn FnMut(usize, &[T]) -> Result<()>,
    ) -> Result<()> {
        let mut lines = Lines::open(&self.tsv.path, self.limits)?;
        lines.next()?;
        let (mut at, mut row) = (0, Vec::new());
        while let Some(line) = lines.next()? {
            let line = line.trim_ascii_end();
            if line.is_empty() {
                continue;
            }
            let line = std::str::from_utf8(line).unwrap_or("");
            row.clear();
            for field in line.split(&self.tsv.delimiter).skip(1) {
                let field = unquoted(field.trim());
                let number = field.parse::<f64>().ok();
                let Some(number) = number.and_then(|n| T::from_wide(crate::matrix::Wide::Float(n)))
                else {
                    let what = format!("expected a number of type {}, found `{field}`", T::DTYPE);
                    return Err(lines.wrong(what));
                };
                row.push(number);
            }
            if row.len() != self.heads.len() {
                let (expected, found) = (self.heads.len(), row.len());
                return Err(lines.wrong(format!("expected {expected} numbers, found {found}")));
            }
            visit(at, &row)?;
            at += 1;
        }
        Ok(())
    }

    fn store_as<T: Number>(&self, target: &Array, at: [u64; 2]) -> Result<()> {
        let width = self.heads.len();
        let is_in_order = self.rows.iter().enumerate().all(|(at, row)| *row == Some(at as u64));
        if !is_in_order {
            return self.for_each_line::<T>(&mut |line, row| {
                let Some(Some(place)) = self.rows.get(line) else { return Ok(()) };
                let range = Selection::Axes(vec![
                    AxisSelection::range(at[0] + place, at[0] + place + 1),
                    AxisSelection::range(at[1], at[1] + width as u64),
                ]);
                target.write_elements(&range, &[1, width as u64], row)
            });
        }
        let axis = match self.tsv.orientation {
            super::market::Orientation::Same => Axis::Rows,
            super::market::Orientation::Transposed => Axis::Columns,
        };
        let mut writer = TileWriter::new(target, axis, at, width, WriteOptions::new());
        let mut block: Vec<T> = Vec::new();
        let mut push = |block: Vec<T>| {
            let n = block.len() / width.max(1);
            let block = T::into_numbers(block);
            let block = match axis {
                Axis::Rows => Dense::new([n, width], block),
                Axis::Columns => Dense::columns([width, n], block),
            };
            writer.push(&Matrix::from(block?))
        };
        self.for_each_line::<T>(&mut |_, row| {
            block.extend_from_slice(row);
            if block.len() >= 64 * width {
                push(std::mem::take(&mut block))?;
            }
            Ok(())
        })?;
        push(block)?;
        writer.finish().map(drop)
    }
}

impl MatrixSource for Table<'_> {
    fn shape(&self) -> [u64; 2] {
        let shape = [self.n_rows, self.heads.len() as u64];
        match self.tsv.orientation {
            super::market::Orientation::Same => shape,
            super::market::Orientation::Transposed => [shape[1], shape[0]],
        }
    }

    fn dtype(&self) -> DType {
        self.tsv.dtype.clone()
    }

    fn store(&self, target: &Array, at: [u64; 2]) -> Result<()> {
        with_number_type!(&self.tsv.dtype, T => self.store_as::<T>(target, at))
    }
}

/// Attributes of cells from a table of them.
fn cell_table(
    path: &Path,
    delimiter: &str,
    ids: &[String],
    limits: &Limits,
) -> Result<AttributeMap> {
    let mut lines = Lines::open(path, limits)?;
    let head = lines.next_text()?.unwrap_or_default();
    let names: Vec<String> =
        head.trim_end().split(delimiter).map(|name| unquoted(name).to_owned()).collect();
    let mut columns: Vec<Vec<String>> = vec![Vec::new(); names.len()];
    let mut n = 0;
    while let Some(line) = lines.next_text()? {
        let fields: Vec<&str> = line.trim_end().split(delimiter).map(unquoted).collect();
        let (found, expected) = (fields.first().copied().unwrap_or(""), ids.get(n));
        if expected.map(String::as_str) != Some(found) {
            let expected = expected.map_or("no more cells", String::as_str);
            return Err(lines.wrong(format!("expected cell `{expected}`, found `{found}`")));
        }
        // The head may have a field for the column of names, or begin with the first attribute.
        let first = usize::from(fields.len() != names.len());
        if fields.len() != names.len() + first {
            let (expected, found) = (names.len() + first, fields.len());
            return Err(lines.wrong(format!("expected {expected} fields, found {found}")));
        }
        for (column, field) in columns.iter_mut().zip(fields.iter().skip(first)) {
            column.push((*field).to_owned());
        }
        n += 1;
    }
    if n != ids.len() {
        let expected = ids.len();
        return Err(Error::corrupt(format!("expected {expected} cells, found {n}")).at_file(path));
    }
    let attributes = names.into_iter().zip(columns).filter(|(name, _)| !name.is_empty());
    attributes.map(|(name, texts)| Ok((name, strings(&texts)?))).collect()
}

fn strings(list: &[String]) -> Result<Values> {
    texts(list)
}
