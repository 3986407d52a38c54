//! Sessions to and from files.

use std::path::Path;

use stook_core::file::place::{PlaceKind, kind_of};
use stook_core::{Error, Limits, Result};

use crate::session::{LoadReport, SaveReport, Session};
#[cfg(feature = "arrow")]
use crate::store::arrow::{self, TableFormat};
use crate::store::{csv, excel, pandas, pickle, zarr};

/// What a session is kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Engine {
    /// A folder with a csv file for each array, or one such file (`pandas_csv`).
    Csv,
    /// An Excel workbook with a sheet for each array (`pandas_excel`).
    Excel,
    /// HDF5 in pandas' fixed layout (`pandas_hdf`).
    Hdf,
    /// A pickle of larray's objects (`pickle`).
    Pickle,
    /// A Zarr v3 hierarchy.
    Zarr,
    /// A folder with a table of Arrow for each array, in long form, or one such file. By the feature
    /// `arrow`.
    Arrow,
    /// The same with tables of Parquet. By the feature `arrow`.
    Parquet,
}

impl Engine {
    /// By the name that larray has for it; `None` for one that it has not.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "pandas_csv" | "csv" => Self::Csv,
            "pandas_excel" | "xlwings_excel" | "excel" | "xlsx" => Self::Excel,
            "pandas_hdf" | "hdf" | "hdf5" | "h5" => Self::Hdf,
            "pickle" | "pkl" => Self::Pickle,
            "zarr" => Self::Zarr,
            "arrow" | "feather" | "ipc" => Self::Arrow,
            "parquet" => Self::Parquet,
            _ => return None,
        })
    }

    /// By the extension of a path: none, and `.csv`, are csv.
    ///
    /// # Errors
    /// `InvalidInput` for an extension that is not known.
    pub fn of_path(path: &Path) -> Result<Self> {
        let Some(extension) = path.extension() else { return Ok(Self::Csv) };
        let extension = extension.to_string_lossy().to_lowercase();
        Ok(match extension.as_str() {
            "csv" => Self::Csv,
            "h5" | "hdf" | "hdf5" => Self::Hdf,
            "xls" | "xlsx" => Self::Excel,
            "pkl" | "pickle" => Self::Pickle,
            "zarr" => Self::Zarr,
            "arrow" | "feather" | "ipc" => Self::Arrow,
            "parquet" => Self::Parquet,
            _ if kind_of(path)? == Some(PlaceKind::Folder) => Self::Csv,
            _ => {
                return Err(Error::invalid(format!("no format has the extension `{extension}`"))
                    .at_file(path)
                    .with_hint(
                        "known are csv, h5, hdf, xlsx, pkl, pickle, zarr, arrow and parquet",
                    ));
            }
        })
    }
}

/// How csv and Excel lay an array out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TableLayout {
    /// A row for each combination of the labels of all axes but the last, which has the columns.
    #[default]
    Wide,
    /// A row an element, with a column for each axis and one that is called `value`.
    Narrow,
}

/// How a session is loaded.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LoadOptions {
    /// The objects to load, where there are any of that name; all if it is `None`.
    pub names: Option<Vec<String>>,
    /// What it is kept in; by the extension if it is `None`.
    pub engine: Option<Engine>,
    /// How arrays in csv and Excel lie; a file does not tell.
    pub layout: TableLayout,
    /// What the file may ask for.
    pub limits: Limits,
}

/// How a session is saved.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SaveOptions {
    /// The objects to save; all if it is `None`.
    pub names: Option<Vec<String>>,
    /// What it is kept in; by the extension if it is `None`.
    pub engine: Option<Engine>,
    /// Whether the file is made anew, or objects are added to what it holds (HDF5 and pickle).
    pub overwrite: bool,
    /// Whether csv and Excel get a file beside them that keeps what they cannot say.
    pub sidecar: bool,
    /// How arrays are laid out in csv and Excel.
    pub layout: TableLayout,
}

impl SaveOptions {
    /// The same with a file beside csv and Excel that keeps what they cannot say, or without.
    #[must_use]
    pub fn with_sidecar(self, sidecar: bool) -> Self {
        Self { sidecar, ..self }
    }

    /// The same with arrays in csv and Excel laid out so.
    #[must_use]
    pub fn with_layout(self, layout: TableLayout) -> Self {
        Self { layout, ..self }
    }
}

impl LoadOptions {
    /// The same of csv and Excel in which arrays lie so.
    #[must_use]
    pub fn with_layout(self, layout: TableLayout) -> Self {
        Self { layout, ..self }
    }
}

/// Whether there is a file or folder at `path`.
///
/// # Errors
/// `Io`.
pub fn exists(path: impl AsRef<Path>) -> Result<bool> {
    kind_of(path.as_ref()).map(|found| found.is_some())
}

impl Default for SaveOptions {
    fn default() -> Self {
        Self {
            names: None,
            engine: None,
            overwrite: true,
            sidecar: false,
            layout: TableLayout::Wide,
        }
    }
}

#[cfg(not(feature = "arrow"))]
pub(super) fn left_out(path: &Path) -> Error {
    Error::unsupported("this build has no tables of Arrow and Parquet").at_file(path)
}

impl Session {
    /// Loads objects of a file into this session, over what is called the same, and its metadata in
    /// place of this session's.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` for an extension that is not known, `Corrupt`, `LimitExceeded`,
    /// `Unsupported`, `Io`. What is in the file and cannot be loaded is said by the report.
    pub fn load(&mut self, path: impl AsRef<Path>, options: &LoadOptions) -> Result<LoadReport> {
        let path = path.as_ref();
        let engine = options.engine.map_or_else(|| Engine::of_path(path), Ok)?;
        if kind_of(path)?.is_none() {
            return Err(Error::not_found("no such file or folder").at_file(path));
        }
        let names = options.names.as_deref();
        let (loaded, report) = match engine {
            Engine::Hdf => pandas::load(path, names, &options.limits),
            Engine::Pickle => pickle::load(path, names, &options.limits),
            Engine::Csv => csv::load(path, names, options.layout, &options.limits),
            Engine::Excel => excel::load(path, names, options.layout, &options.limits),
            Engine::Zarr => zarr::load(path, names, &options.limits),
            #[cfg(feature = "arrow")]
            Engine::Arrow => arrow::load(path, names, TableFormat::Arrow, &options.limits),
            #[cfg(feature = "arrow")]
            Engine::Parquet => arrow::load(path, names, TableFormat::Parquet, &options.limits),
            #[cfg(not(feature = "arrow"))]
            Engine::Arrow | Engine::Parquet => Err(left_out(path)),
        }?;
        self.update(&loaded);
        self.metadata = loaded.metadata;
        Ok(report)
    }

    /// The session in a file.
    ///
    /// # Errors
    /// Those of [`Session::load`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let mut session = Self::new();
        session.load(path, &LoadOptions::default())?;
        Ok(session)
    }

    /// Saves objects to a file: as a whole or not at all. What the format cannot hold is said by the
    /// report.
    ///
    /// # Errors
    /// `NotFound` for a name that the session has not or a folder that is missing, `InvalidInput` for
    /// an extension that is not known, `ReadOnly`, `Io`; the file is as it was then.
    pub fn save(&self, path: impl AsRef<Path>, options: &SaveOptions) -> Result<SaveReport> {
        let path = path.as_ref();
        let engine = options.engine.map_or_else(|| Engine::of_path(path), Ok)?;
        let items = match &options.names {
            None => self.iter().collect::<Vec<_>>(),
            Some(names) => {
                self.iter().filter(|(name, _)| names.iter().any(|wanted| wanted == name)).collect()
            }
        };
        match engine {
            Engine::Hdf => pandas::save(&items, self.metadata(), path, options),
            Engine::Pickle => pickle::save(&items, self.metadata(), path, options),
            Engine::Csv => csv::save(&items, self.metadata(), path, options),
            Engine::Excel => excel::save(&items, self.metadata(), path, options),
            Engine::Zarr => zarr::save(&items, self.metadata(), path, options),
            #[cfg(feature = "arrow")]
            Engine::Arrow => {
                arrow::save(&items, self.metadata(), path, TableFormat::Arrow, options)
            }
            #[cfg(feature = "arrow")]
            Engine::Parquet => {
                arrow::save(&items, self.metadata(), path, TableFormat::Parquet, options)
            }
            #[cfg(not(feature = "arrow"))]
            Engine::Arrow | Engine::Parquet => Err(left_out(path)),
        }
    }
}
