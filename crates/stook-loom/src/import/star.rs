//! Folders that STARsolo writes: `Solo.out`, with spliced, unspliced and ambiguous counts in
//! `Velocyto` and those of other features beside it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use stook::{Error, Limits, Result};

use super::text::{Lines, all_lines, column, is_there};
use super::{ImportOptions, texts};
use crate::matrix::{Compressed, Coo, Matrix};
use crate::{Axis, Loom, numbers};

/// Which cells a loom made of STARsolo's output has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CellFilter {
    /// Those that STARsolo kept.
    #[default]
    Star,
    /// All, of the raw matrices.
    None,
    /// Those of any layer.
    Combine,
    /// Those that STARsolo kept for a feature (`Gene`, `GeneFull`, …), which becomes a layer.
    Feature(String),
}

/// What is made of STARsolo's output.
#[derive(Clone, Debug, Default)]
pub struct Star {
    /// What comes before each barcode, and a colon.
    pub sample: String,
    /// Which cells.
    pub cells: CellFilter,
    /// The feature whose counts are the main matrix; where it is not said, the sum of spliced,
    /// unspliced and ambiguous ones.
    pub main: Option<String>,
    /// Features whose counts become layers.
    pub layers: Vec<String>,
}

/// Counts and the barcodes of their columns.
struct Counts {
    name: String,
    barcodes: Vec<String>,
    matrix: Coo<'static>,
}

/// Makes the loom `path` of STARsolo's output folder, or of the `Solo.out` in it.
///
/// # Errors
/// `NotFound`, `AlreadyExists`, `Corrupt` naming file and line, `LimitExceeded`, `Io`.
pub fn star(
    folder: impl AsRef<Path>,
    path: impl AsRef<Path>,
    star: &Star,
    options: &ImportOptions,
) -> Result<Loom> {
    let folder = folder.as_ref();
    let solo =
        if folder.join("Solo.out").is_dir() { folder.join("Solo.out") } else { folder.into() };
    let kind = if star.cells == CellFilter::None { "raw" } else { "filtered" };
    let limits = &options.limits;
    let velocyto = solo.join("Velocyto").join(kind);
    let features = all_lines(&velocyto.join("features.tsv"), limits)?;
    let mut layers = velocyto_layers(&velocyto, features.len(), limits)?;
    for name in wanted(star) {
        let folder = solo.join(&name).join(kind);
        if is_there(&folder.join("matrix.mtx")) {
            let barcodes = all_lines(&folder.join("barcodes.tsv"), limits)?;
            let matrix = super::Mtx::open(folder.join("matrix.mtx"), limits)?.read()?;
            let expected = [features.len(), barcodes.len()];
            if matrix.lens() != expected {
                let what = format!("expected shape {expected:?}, found {:?}", matrix.lens());
                return Err(Error::corrupt(what).at_file(folder.join("matrix.mtx")));
            }
            layers.push(Counts { name, barcodes: trimmed(barcodes), matrix });
        }
    }
    let cells = cells_of(star, &layers, &solo)?;
    make(path.as_ref(), star, options, (features, cells, layers))
}

/// The features that are wanted, each once.
fn wanted(star: &Star) -> Vec<String> {
    let mut wanted = star.layers.clone();
    if let CellFilter::Feature(name) = &star.cells {
        wanted.push(name.clone());
    }
    wanted.extend(star.main.clone());
    let mut seen = std::collections::HashSet::new();
    wanted.retain(|name| {
        !["spliced", "unspliced", "ambiguous"].contains(&name.as_str()) && seen.insert(name.clone())
    });
    wanted
}

fn trimmed(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// Spliced, unspliced and ambiguous counts: in a file each, or in one with three columns of them.
fn velocyto_layers(folder: &Path, n_genes: usize, limits: &Limits) -> Result<Vec<Counts>> {
    const NAMES: [&str; 3] = ["spliced", "unspliced", "ambiguous"];
    let barcodes = trimmed(all_lines(&folder.join("barcodes.tsv"), limits)?);
    let lens = [n_genes, barcodes.len()];
    let common = folder.join("matrix.mtx");
    let counts =
        |name: &str, matrix| Counts { name: name.to_owned(), barcodes: barcodes.clone(), matrix };
    if is_there(&common) {
        let matrices = three_columns(&common, lens, limits)?;
        return Ok(NAMES.iter().zip(matrices).map(|(name, matrix)| counts(name, matrix)).collect());
    }
    let read = |name: &&str| {
        let path = folder.join(format!("{name}.mtx"));
        let matrix = super::Mtx::open(&path, limits)?.read()?;
        if matrix.lens() != lens {
            let what = format!("expected shape {lens:?}, found {:?}", matrix.lens());
            return Err(Error::corrupt(what).at_file(&path));
        }
        Ok(counts(name, matrix))
    };
    NAMES.iter().map(read).collect()
}

/// A matrix each of the third, fourth and fifth column of a file.
fn three_columns(path: &Path, lens: [usize; 2], limits: &Limits) -> Result<[Coo<'static>; 3]> {
    let mut lines = Lines::open(path, limits)?;
    let mut n_heads = 0;
    let (mut rows, mut columns) = (Vec::<u64>::new(), Vec::<u64>::new());
    let mut counts: [Vec<i64>; 3] = Default::default();
    while let Some(line) = lines.next()? {
        if line.starts_with(b"%") || line.is_empty() {
            continue;
        }
        if n_heads == 0 {
            // The shape.
            n_heads = 1;
            continue;
        }
        let fields = std::str::from_utf8(line).unwrap_or("").split_ascii_whitespace();
        let fields: Vec<i64> = fields.map_while(|field| field.parse().ok()).collect();
        let &[row, column, spliced, unspliced, ambiguous] = fields.as_slice() else {
            return Err(lines.wrong("expected a row, a column and three counts"));
        };
        let place = |at: i64, len: usize| {
            u64::try_from(at).ok().and_then(|at| at.checked_sub(1)).filter(|&at| at < len as u64)
        };
        let (Some(row), Some(column)) = (place(row, lens[0]), place(column, lens[1])) else {
            return Err(lines.wrong(format!("element {row} {column} of a shape of {lens:?}")));
        };
        rows.push(row);
        columns.push(column);
        counts.iter_mut().zip([spliced, unspliced, ambiguous]).for_each(|(all, n)| all.push(n));
    }
    let [spliced, unspliced, ambiguous] = counts;
    let coo = |counts: Vec<i64>| Coo::new(lens, rows.clone(), columns.clone(), counts);
    Ok([coo(spliced)?, coo(unspliced)?, coo(ambiguous)?])
}

/// The barcodes of the new loom, in their order.
fn cells_of(star: &Star, layers: &[Counts], solo: &Path) -> Result<Vec<String>> {
    let of = |name: &str| layers.iter().find(|layer| layer.name == name);
    match &star.cells {
        CellFilter::Star | CellFilter::None => {
            Ok(of("spliced").map(|layer| layer.barcodes.clone()).unwrap_or_default())
        }
        CellFilter::Feature(name) => {
            of(name).map(|layer| layer.barcodes.clone()).ok_or_else(|| {
                Error::not_found(format!("no counts of `{name}`")).at_file(PathBuf::from(solo))
            })
        }
        CellFilter::Combine => {
            let mut all: Vec<String> =
                layers.iter().flat_map(|layer| layer.barcodes.iter().cloned()).collect();
            all.sort_unstable();
            all.dedup();
            Ok(all)
        }
    }
}

/// The columns of `counts` at the places of `cells`, and which of these it has.
fn arranged(counts: &Counts, cells: &[String]) -> Result<(Coo<'static>, Vec<i64>)> {
    let places: HashMap<&str, u64> =
        cells.iter().enumerate().map(|(at, cell)| (cell.as_str(), at as u64)).collect();
    let to: Vec<Option<u64>> =
        counts.barcodes.iter().map(|barcode| places.get(barcode.as_str()).copied()).collect();
    let mut has = vec![0; cells.len()];
    for at in to.iter().flatten() {
        if let Some(flag) = has.get_mut(*at as usize) {
            *flag = 1;
        }
    }
    Ok((counts.matrix.with_columns(&to, cells.len())?, has))
}

fn make(
    path: &Path,
    star: &Star,
    options: &ImportOptions,
    (features, cells, layers): (Vec<String>, Vec<String>, Vec<Counts>),
) -> Result<Loom> {
    let ids: Vec<String> = cells.iter().map(|cell| format!("{}:{cell}", star.sample)).collect();
    let mut builder = options
        .builder(path)
        .attribute(Axis::Rows, "Gene", texts(&column(&features, 1, "\t"))?)
        .attribute(Axis::Rows, "Accession", texts(&column(&features, 0, "\t"))?)
        .attribute(Axis::Columns, "CellID", texts(&ids)?);
    let mut matrices = Vec::new();
    for counts in &layers {
        let (matrix, has) = arranged(counts, &cells)?;
        let name = format!("Valid_{}", counts.name);
        builder = builder.attribute(Axis::Columns, &name, numbers(vec![has.len() as u64], &has)?);
        matrices.push((counts.name.clone(), matrix));
    }
    let main = match &star.main {
        Some(name) => {
            let at = matrices.iter().position(|(other, _)| other == name);
            let at = at.ok_or_else(|| Error::not_found(format!("no counts of `{name}`")))?;
            matrices.remove(at).1
        }
        None => {
            let parts = matrices
                .iter()
                .filter(|(name, _)| ["spliced", "unspliced", "ambiguous"].contains(&name.as_str()));
            Coo::joined(parts.map(|(_, matrix)| matrix.clone()).collect())?
        }
    };
    let totals = totals(&main.to_csr()?, cells.len())?;
    builder = builder.attribute(Axis::Columns, "BarcodeTotalUMIs", totals);
    let main = Matrix::from(main);
    let matrices: Vec<(String, Matrix<'_>)> =
        matrices.into_iter().map(|(name, matrix)| (name, Matrix::from(matrix))).collect();
    builder = builder.layer("", &main);
    for (name, matrix) in &matrices {
        builder = builder.layer(name, matrix);
    }
    builder.create()
}

/// The sum of each column.
fn totals(matrix: &Compressed<'_>, n_columns: usize) -> Result<stook::Values> {
    let mut totals = vec![0_i64; n_columns];
    let numbers_ = matrix.numbers().cast(&stook::DType::Int64)?;
    let counts = <i64 as crate::matrix::Variant>::of(&numbers_).unwrap_or_default();
    for (at, count) in counts.iter().enumerate() {
        if let Some(total) = totals.get_mut(matrix.indices().get(at)) {
            *total = total.wrapping_add(*count);
        }
    }
    numbers(vec![totals.len() as u64], &totals)
}
