//! Folders that cellranger writes, versions 2 and 3.

use std::path::{Path, PathBuf};

use stook::{Error, Result, Values};

use super::matrix_market::Mtx;
use super::text::{all_lines, column, is_there, whole};
use super::{ImportOptions, texts};
use crate::attributes::AttributeMap;
use crate::{Axis, Loom, numbers};

/// Makes `<sample>.loom` in `out_folder` (else in `folder`) of the folder that cellranger wrote
/// for a sample, the one with `outs`: the filtered matrix as `int64`, `CellID` as
/// `<sample>:<barcode>`, the t-SNE as `X` and `Y`, clusters as `ClusterID` from 0.
///
/// # Errors
/// `NotFound` where there is no matrix, `AlreadyExists`, `Corrupt` naming file and line,
/// `LimitExceeded`, `Io`.
pub fn cellranger(
    folder: impl AsRef<Path>,
    out_folder: Option<&Path>,
    options: &ImportOptions,
) -> Result<Loom> {
    let folder = folder.as_ref();
    let sample = sample_of(folder)?;
    let outs = folder.join("outs");
    let (matrix, genome) = matrix_folder(&outs, options)?;
    let mut attributes = AttributeMap::new();
    let analysis = outs.join("analysis");
    let tsne = analysis.join("tsne");
    let tsne = [tsne.join("projection.csv"), tsne.join("2_components/projection.csv")];
    if let Some(path) = tsne.into_iter().find(|path| is_there(path)) {
        for (name, at) in [("X", 1), ("Y", 2)] {
            let values: Vec<f32> = table_column(&path, at, options)?;
            attributes.insert(name.to_owned(), numbers(vec![values.len() as u64], &values)?);
        }
    }
    let clusters = analysis.join("clustering/graphclust/clusters.csv");
    if is_there(&clusters) {
        let ids: Vec<f64> = table_column(&clusters, 1, options)?;
        let ids: Vec<i64> = ids.iter().map(|id| *id as i64 - 1).collect();
        attributes.insert("ClusterID".to_owned(), numbers(vec![ids.len() as u64], &ids)?);
    }
    let mut options = options.clone();
    let told = [("_cmdline", "Cmdline", "\n"), ("_versions", "Versions", " ")];
    for (file, name, line_end) in told {
        let path = folder.join(file);
        if is_there(&path) && !options.file_attributes.contains_key(name) {
            let text = whole(&path, &options.limits)?.trim().replace('\n', line_end);
            options.file_attributes.insert(name.to_owned(), Values::text(&text));
        }
    }
    if let Some(genome) = genome {
        options.file_attributes.entry("Genome".into()).or_insert_with(|| Values::text(&genome));
    }
    let path = out_folder.unwrap_or(folder).join(format!("{sample}.loom"));
    from_folder(&matrix, &path, &format!("{sample}:"), &options, &attributes)
}

/// Makes the loom `path` of a folder with `matrix.mtx`, `barcodes.tsv` and `genes.tsv` or
/// `features.tsv`, compressed or not. `prefix` comes before each barcode.
///
/// # Errors
/// As [`cellranger`].
pub fn ten_x_folder(
    folder: impl AsRef<Path>,
    path: impl AsRef<Path>,
    prefix: &str,
    options: &ImportOptions,
) -> Result<Loom> {
    from_folder(folder.as_ref(), path.as_ref(), prefix, options, &AttributeMap::new())
}

/// The last name of a folder, in full.
fn sample_of(folder: &Path) -> Result<String> {
    let full = stook_core::file::place::canonical(folder)?;
    let name = full.as_deref().unwrap_or(folder).file_name().and_then(|name| name.to_str());
    name.map(str::to_owned)
        .ok_or_else(|| Error::not_found("no folder that a sample has its name of").at_file(folder))
}

/// The folder of the filtered matrix, and its genome where that tells.
fn matrix_folder(outs: &Path, options: &ImportOptions) -> Result<(PathBuf, Option<String>)> {
    let old = outs.join("filtered_gene_bc_matrices");
    if old.is_dir() {
        let genome = match &options.genome {
            Some(genome) => genome.clone(),
            None => only_folder(&old)?,
        };
        return Ok((old.join(&genome), Some(genome)));
    }
    Ok((outs.join("filtered_feature_bc_matrix"), options.genome.clone()))
}

/// The name of the one folder in another.
fn only_folder(folder: &Path) -> Result<String> {
    let failed = |error| Error::io("cannot list", error).at_file(folder);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    match names.as_slice() {
        [name] => Ok(name.clone()),
        [] => Err(Error::not_found("no genome").at_file(folder)),
        several => {
            let names = several.join(", ");
            let what = format!("expected one genome, found {names}: say which");
            Err(Error::invalid(what).at_file(folder))
        }
    }
}

/// A column of numbers of a table with a head.
fn table_column<T: std::str::FromStr>(
    path: &Path,
    at: usize,
    options: &ImportOptions,
) -> Result<Vec<T>> {
    let lines = all_lines(path, &options.limits)?;
    let lines = lines.get(1..).unwrap_or_default();
    let rows = column(lines, at, ",").into_iter().enumerate();
    rows.map(|(i, field)| {
        field.parse().map_err(|_| {
            let what = format!("line {}: expected a number, found `{field}`", i + 2);
            Error::corrupt(what).at_file(path)
        })
    })
    .collect()
}

fn from_folder(
    folder: &Path,
    path: &Path,
    prefix: &str,
    options: &ImportOptions,
    of_columns: &AttributeMap,
) -> Result<Loom> {
    let matrix = Mtx::open(folder.join("matrix.mtx"), &options.limits)?;
    let features = ["features.tsv", "genes.tsv"].map(|name| folder.join(name));
    let [new, old] = &features;
    let features = all_lines(if is_there(new) { new } else { old }, &options.limits)?;
    let barcodes = all_lines(&folder.join("barcodes.tsv"), &options.limits)?;
    let ids: Vec<String> =
        barcodes.iter().map(|barcode| format!("{prefix}{}", barcode.trim())).collect();
    options
        .builder(path)
        .layer("", &matrix)
        .attribute(Axis::Rows, "Accession", texts(&column(&features, 0, "\t"))?)
        .attribute(Axis::Rows, "Gene", texts(&column(&features, 1, "\t"))?)
        .attribute(Axis::Columns, "CellID", texts(&ids)?)
        .attributes(Axis::Columns, of_columns.clone())
        .create()
}
