//! Layers in files of Matrix Market's with tables of rows and columns beside them.

use std::path::{Path, PathBuf};

use stook::{Array, DType, Error, Result};

use super::matrix_market::Mtx;
use super::text::{all_lines, column};
use super::{ImportOptions, texts};
use crate::matrix::Coo;
use crate::source::MatrixSource;
use crate::{Axis, Loom};

/// Files of which a loom is made.
#[derive(Clone, Debug, Default)]
pub struct MatrixMarket {
    /// Layers and their files. Without a main layer (of the empty name) that is the sum of all.
    pub layers: Vec<(String, PathBuf)>,
    /// A table of rows: accessions, and genes in its second column.
    pub rows: PathBuf,
    /// A list of columns.
    pub columns: PathBuf,
    /// What comes before each name of a column, and a colon.
    pub sample: String,
    /// What separates the fields of the tables; a tab where it is empty.
    pub delimiter: String,
    /// How many lines of the table of rows are its head.
    pub n_row_heads: usize,
    /// The same of the columns.
    pub n_column_heads: usize,
    /// Whether rows of the files are columns of the loom.
    pub orientation: Orientation,
}

/// How a matrix lies in its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Orientation {
    /// Rows are rows.
    #[default]
    Same,
    /// Rows are columns of the loom.
    Transposed,
}

/// Makes the loom `path` of files of Matrix Market's.
///
/// # Errors
/// `NotFound`, `AlreadyExists`, `InvalidInput` for files of different shapes, `Corrupt` naming
/// file and line, `LimitExceeded`, `Io`.
pub fn matrix_market(
    path: impl AsRef<Path>,
    files: &MatrixMarket,
    options: &ImportOptions,
) -> Result<Loom> {
    let open = |(name, path): &(String, PathBuf)| {
        let layer = Mtx::open(path, &options.limits)?;
        let is_transposed = files.orientation == Orientation::Transposed;
        Ok((name.clone(), if is_transposed { layer.transposed() } else { layer }))
    };
    let layers = files.layers.iter().map(open).collect::<Result<Vec<_>>>()?;
    let delimiter = if files.delimiter.is_empty() { "\t" } else { &files.delimiter };
    let rows = all_lines(&files.rows, &options.limits)?;
    let rows = rows.get(files.n_row_heads..).unwrap_or_default();
    let columns = all_lines(&files.columns, &options.limits)?;
    let columns = columns.get(files.n_column_heads..).unwrap_or_default();
    let id = |column: &String| format!("{}:{}", files.sample, column.trim());
    let ids: Vec<String> = columns.iter().map(id).collect();
    let sum = Sum { layers: layers.iter().map(|(_, layer)| layer.clone()).collect() };
    let mut builder = options.builder(path);
    if !layers.iter().any(|(name, _)| name.is_empty()) {
        sum.check()?;
        builder = builder.layer("", &sum);
    }
    for (name, layer) in &layers {
        builder = builder.layer(name, layer);
    }
    builder = builder
        .attribute(Axis::Rows, "Accession", texts(&column(rows, 0, delimiter))?)
        .attribute(Axis::Columns, "CellID", texts(&ids)?);
    if rows.first().is_some_and(|first| first.contains(delimiter)) {
        builder = builder.attribute(Axis::Rows, "Gene", texts(&column(rows, 1, delimiter))?);
    }
    builder.create()
}

/// The sum of matrices of one shape and type.
#[derive(Debug)]
struct Sum {
    layers: Vec<Mtx>,
}

impl Sum {
    fn check(&self) -> Result<()> {
        let Some(first) = self.layers.first() else {
            return Err(Error::invalid("a loom needs a layer"));
        };
        let is_alike =
            |layer: &&Mtx| layer.shape() == first.shape() && layer.dtype() == first.dtype();
        if self.layers.iter().all(|layer| is_alike(&layer)) {
            return Ok(());
        }
        Err(Error::invalid("layers of different shapes or types have no sum: name the main one ``"))
    }
}

impl MatrixSource for Sum {
    fn shape(&self) -> [u64; 2] {
        self.layers.first().map_or([0, 0], MatrixSource::shape)
    }

    fn dtype(&self) -> DType {
        self.layers.first().map_or(DType::Float64, MatrixSource::dtype)
    }

    fn store(&self, target: &Array, at: [u64; 2]) -> Result<()> {
        let parts = self.layers.iter().map(Mtx::read).collect::<Result<Vec<_>>>()?;
        // What is listed twice is added.
        Coo::joined(parts)?.store(target, at)
    }
}
