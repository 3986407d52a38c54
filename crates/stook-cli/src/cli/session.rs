//! What `stook session` is asked for.

use std::path::PathBuf;

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  stook session ls model.h5
  stook session show model.h5 population
  stook session diff before.h5 after.h5 --rtol 1e-9
  stook session convert model.h5 model.xlsx --sidecar
  stook session convert model.h5 model.parquet
  stook session summary model.pkl

Formats, by extension: h5, hdf (HDF5 as pandas has it), pkl, pickle, xlsx, csv or a folder, zarr,
arrow and parquet (a folder with a table for each array).";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SessionArgs {
    #[command(subcommand)]
    pub(crate) action: SessionAction,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SessionAction {
    /// List the objects of a session: names, kinds, axes and types
    Ls {
        /// The session
        file: PathBuf,
    },
    /// Print objects of a session
    Show {
        /// The session
        file: PathBuf,
        /// The names of the objects; all if there is none
        names: Vec<String>,
        /// Print this many rows of an array at most
        #[arg(long, default_value_t = 20)]
        rows: usize,
    },
    /// Say how two sessions differ; the exit status is 1 if they do
    Diff {
        /// The one session
        left: PathBuf,
        /// The other
        right: PathBuf,
        /// Numbers may be apart by this much of the right one
        #[arg(long, default_value_t = 0.0)]
        rtol: f64,
        /// Numbers may be apart by this much
        #[arg(long, default_value_t = 0.0)]
        atol: f64,
        /// Show this many cells of each array
        #[arg(long, default_value_t = 5)]
        cells: usize,
    },
    /// Save a session in another format
    Convert {
        /// The session
        source: PathBuf,
        /// The file or folder to make
        target: PathBuf,
        /// Keep beside csv and Excel what they cannot say
        #[arg(long)]
        sidecar: bool,
        /// Write csv and Excel with a row for each element
        #[arg(long)]
        narrow: bool,
        /// Read csv and Excel that have a row for each element
        #[arg(long)]
        from_narrow: bool,
        /// Replace what is there
        #[arg(long, short)]
        force: bool,
    },
    /// Describe a session, a line an object
    Summary {
        /// The session
        file: PathBuf,
    },
}

impl SessionAction {
    /// Whether a file is made.
    pub(crate) fn writes(&self) -> bool {
        matches!(self, Self::Convert { .. })
    }
}
