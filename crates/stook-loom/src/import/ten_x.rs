//! 10x Genomics' HDF5 files: of version 2 (a group a genome) and 3 (`matrix`).
//!
//! The matrix is compressed column by column: `data`, `indices` (rows), `indptr`, `shape`.

use std::path::Path;

use stook::{Array, Error, File, Group, Result, Selection, Values};

use super::ImportOptions;
use crate::attribute_value::normalized;
use crate::matrix::{StoredSparse, whole_numbers};
use crate::source::MatrixSource;
use crate::{Axis, Loom};

/// Makes the loom `path` of the file `source`: `Accession` and `Gene` of its genes, and what else
/// it has of them by its own names, `CellID` of its barcodes, `Genome` of the file.
///
/// # Errors
/// `NotFound` where there is no matrix, or not of the genome that was asked for; `InvalidInput`
/// where there are several and none was; `AlreadyExists`, `Corrupt`, `LimitExceeded`, `Io`.
pub fn ten_x_h5(
    source: impl AsRef<Path>,
    path: impl AsRef<Path>,
    options: &ImportOptions,
) -> Result<Loom> {
    let open = stook::OpenOptions { limits: options.limits.clone(), ..stook::OpenOptions::read() };
    let file = File::open_with(source, &open)?;
    let root = file.root_group()?;
    let (name, is_new) = match root.contains("matrix/features")? {
        true => ("matrix".to_owned(), true),
        false => (genome_of(&root, options)?, false),
    };
    let group = root.group(&name)?;
    let shape = whole_numbers(&group.open_array("shape")?.read(&Selection::All)?)?;
    let matrix = StoredSparse::open(&group, Axis::Columns, &shape)?;
    let mut options = options.clone();
    let mut builder_attributes = Vec::new();
    if is_new {
        let features = group.group("features")?;
        for child in features.children()?.iter().filter(|child| !child.name.starts_with('_')) {
            let to = match child.name.as_str() {
                "id" => "Accession",
                "name" => "Gene",
                other => other,
            };
            let values = read_text(&features.open_array(&child.name)?)?;
            if values.shape() == [matrix.shape()[0]] {
                builder_attributes.push((to.to_owned(), values));
            }
        }
        let of_file = single_genome(&builder_attributes);
        if let Some(genome) = options.genome.clone().or(of_file) {
            options.file_attributes.entry("Genome".into()).or_insert(Values::text(&genome));
        }
    } else {
        for (from, to) in [("genes", "Accession"), ("gene_names", "Gene")] {
            builder_attributes.push((to.to_owned(), read_text(&group.open_array(from)?)?));
        }
        options.file_attributes.entry("Genome".into()).or_insert(Values::text(&name));
    }
    let barcodes = read_text(&group.open_array("barcodes")?)?;
    let mut builder =
        options.builder(path).layer("", &matrix).attribute(Axis::Columns, "CellID", barcodes);
    for (name, values) in builder_attributes {
        builder = builder.attribute(Axis::Rows, &name, values);
    }
    builder.create()
}

/// The group of the genome that is asked for, or of the only one.
fn genome_of(root: &Group, options: &ImportOptions) -> Result<String> {
    let mut genomes = Vec::new();
    for child in root.children()? {
        if root.contains(&format!("{}/indptr", child.name))? {
            genomes.push(child.name);
        }
    }
    let located = |error: Error| error.at_file(root.file().path());
    let names = || genomes.join(", ");
    match (&options.genome, genomes.as_slice()) {
        (Some(wanted), _) if genomes.contains(wanted) => Ok(wanted.clone()),
        (Some(wanted), _) => {
            Err(located(Error::not_found(format!("genome `{wanted}`: found {}", names()))))
        }
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err(located(Error::not_found("no matrix of 10x Genomics"))),
        (None, _) => Err(located(Error::invalid(format!(
            "expected one genome, found {}: say which",
            names()
        )))),
    }
}

/// The genome of all features, if it is one.
fn single_genome(attributes: &[(String, Values)]) -> Option<String> {
    let (_, genomes) = attributes.iter().find(|(name, _)| name == "genome")?;
    let first = genomes.text_at(0).ok()?;
    (1..genomes.len())
        .all(|at| genomes.text_at(at).is_ok_and(|text| text == first))
        .then_some(first)
}

/// An array of text or numbers in the form of an attribute.
fn read_text(array: &Array) -> Result<Values> {
    let values = array.read(&Selection::All)?;
    normalized(&values).map_err(|error| error.at_node(array.path()).at_file(array.file().path()))
}
