//! Looms made of what other programs write, and conversions.

use std::path::{Path, PathBuf};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use stook_loom::anndata::{self, AnnDataOptions};
use stook_loom::import::{
    self, CellFilter, ImportOptions, MatrixMarket, Orientation, Replaces, Star, Tsv,
};

use super::attribute;
use crate::dtype::from_python;
use crate::enter::{enter, invalid};

/// What is asked for, by name; `None` where nothing is said.
struct Asked<'a, 'py>(&'a Bound<'py, PyDict>);

impl<'py> Asked<'_, 'py> {
    fn get<T>(&self, name: &str) -> PyResult<Option<T>>
    where
        T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
    {
        let found = self.0.get_item(name)?.filter(|value| !value.is_none());
        found.map(|value| value.extract::<T>()).transpose()
    }

    fn need<T>(&self, name: &str) -> PyResult<T>
    where
        T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
    {
        self.get(name)?.ok_or_else(|| invalid(self.0.py(), format!("`{name}` is missing")))
    }

    fn flag(&self, name: &str) -> PyResult<bool> {
        Ok(self.get(name)?.unwrap_or(false))
    }

    fn orientation(&self) -> PyResult<Orientation> {
        let is_transposed = self.flag("transposed")?;
        Ok(if is_transposed { Orientation::Transposed } else { Orientation::Same })
    }
}

/// Makes the file `to` of what a program of the kind `of` has written; the path of the file.
pub(super) fn import<'py>(
    py: Python<'py>,
    of: &str,
    to: Option<PathBuf>,
    what: &Bound<'py, PyDict>,
    file_attrs: &Bound<'py, PyDict>,
) -> PyResult<PathBuf> {
    let asked = Asked(what);
    let options = ImportOptions {
        file_attributes: attribute::map_from_numpy(file_attrs)?,
        genome: asked.get("genome")?,
        replaces: Replaces::WhatIsThere,
        ..ImportOptions::default()
    };
    if of == "cellranger" {
        let folder: PathBuf = asked.need("folder")?;
        return enter(py, || finished(import::cellranger(folder, to.as_deref(), &options)?));
    }
    let to = to.ok_or_else(|| invalid(py, "the path of the new file is missing"))?;
    match of {
        "10x folder" => {
            let (folder, prefix): (PathBuf, String) = (asked.need("path")?, asked.need("prefix")?);
            enter(py, || finished(import::ten_x_folder(folder, &to, &prefix, &options)?))
        }
        "10x file" => {
            let file: PathBuf = asked.need("path")?;
            enter(py, || finished(import::ten_x_h5(file, &to, &options)?))
        }
        "matrix market" => {
            let files = market(&asked)?;
            enter(py, || finished(import::matrix_market(&to, &files, &options)?))
        }
        "tsv" => {
            let table = table(&asked)?;
            enter(py, || finished(import::tsv(&to, &table, &options)?))
        }
        "star" => {
            let (folder, star): (PathBuf, Star) = (asked.need("folder")?, star(&asked)?);
            enter(py, || finished(import::star(folder, &to, &star, &options)?))
        }
        other => Err(invalid(py, format!("nothing is imported from `{other}`"))),
    }
}

/// Writes a loom as AnnData.
pub(super) fn to_anndata(py: Python<'_>, from: &Path, to: &Path) -> PyResult<Vec<String>> {
    let options = AnnDataOptions { replaces: Replaces::WhatIsThere, ..AnnDataOptions::default() };
    enter(py, || anndata::from_loom(&stook_loom::Loom::open(from)?, to, &options))
}

/// Makes a loom of AnnData.
pub(super) fn from_anndata(py: Python<'_>, from: &Path, to: &Path) -> PyResult<()> {
    let options = ImportOptions { replaces: Replaces::WhatIsThere, ..ImportOptions::default() };
    enter(py, || finished(anndata::to_loom(from, to, &options)?).map(drop))
}

fn finished(loom: stook_loom::Loom) -> stook::Result<PathBuf> {
    let path = loom.path().to_path_buf();
    loom.close()?;
    Ok(path)
}

fn market(asked: &Asked<'_, '_>) -> PyResult<MatrixMarket> {
    Ok(MatrixMarket {
        layers: asked.need("layers")?,
        rows: asked.need("rows")?,
        columns: asked.need("columns")?,
        sample: asked.need("sample")?,
        delimiter: asked.need("delimiter")?,
        n_row_heads: usize::from(asked.flag("row_head")?),
        n_column_heads: usize::from(asked.flag("column_head")?),
        orientation: asked.orientation()?,
    })
}

fn table(asked: &Asked<'_, '_>) -> PyResult<Tsv> {
    let path: PathBuf = asked.need("path")?;
    let dtype: String = asked.need("dtype")?;
    Ok(Tsv {
        delimiter: asked.need("delimiter")?,
        dtype: from_python(PyString::new(asked.0.py(), &dtype).as_any())?,
        prefix: asked.need("prefix")?,
        like: asked.get("like")?,
        cells: asked.get("cells")?,
        orientation: asked.orientation()?,
        ..Tsv::new(path)
    })
}

fn star(asked: &Asked<'_, '_>) -> PyResult<Star> {
    let cells: String = asked.need("cells")?;
    Ok(Star {
        sample: asked.need("sample")?,
        cells: match cells.as_str() {
            "star" => CellFilter::Star,
            "none" => CellFilter::None,
            "combine" => CellFilter::Combine,
            _ => CellFilter::Feature(cells),
        },
        main: asked.get("main")?,
        layers: asked.need("layers")?,
    })
}
