//! What `stook onedata` is asked for.

use std::path::PathBuf;

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  stook onedata ls ATL027/2024-02-09/701
  stook onedata load ATL027/2024-02-09/701 mpci.roiActivityF --output F.npy
  stook onedata recipe ATL027/2024-02-09/701 mpci.roiActivityF --loader S2P --source F
  stook onedata verify ATL027/2024-02-09/701
  stook onedata convert ATL027/2024-02-09/701 701.h5
  stook onedata index .
  stook onedata query . mouse=ATL027 'date>=2024-02-01' tag=good
  stook onedata tag . ATL027/2024-02-09/701 good --set depth=250
  stook onedata tag . ATL027/2024-02-09/701 --qc onedata/mpci.times.npy=PASS
  stook onedata export .

A session is given by its folder; a tree of sessions, by its root.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct OneDataArgs {
    #[command(subcommand)]
    pub(crate) action: OneDataAction,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OneDataAction {
    /// List what is saved in a session
    Ls {
        /// The folder of the session
        session: PathBuf,
        /// Only names like this: `*` stands for any text
        pattern: Option<String>,
    },
    /// Load what is saved, or what a recipe leads to: show its beginning, or write it to a file
    Load {
        /// The folder of the session
        session: PathBuf,
        /// The name
        name: String,
        /// The sparse matrix of that name
        #[arg(long)]
        sparse: bool,
        /// Only these columns of a sparse matrix, such as 0:100
        #[arg(long, value_name = "START:STOP", requires = "sparse")]
        columns: Option<String>,
        /// Write an npy file, or an npz archive of a sparse matrix
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Show a recipe, or save one
    Recipe {
        /// The folder of the session
        session: PathBuf,
        /// The name
        name: String,
        /// Save a recipe with this loader
        #[arg(long)]
        loader: Option<String>,
        /// What it is to load
        #[arg(long, requires = "loader")]
        source: Option<String>,
        /// A transform to apply; may be given several times
        #[arg(long, requires = "loader", value_name = "NAME")]
        transform: Vec<String>,
        /// A keyword argument for the loader, its value JSON or text
        #[arg(long, requires = "loader", value_name = "NAME=VALUE")]
        argument: Vec<String>,
        /// Write the JSON form beside it, too
        #[arg(long, requires = "loader")]
        beside: bool,
    },
    /// Compare files to their checksums; without, say of each file whether it can be read
    Verify {
        /// The folders of sessions, or roots of trees
        #[arg(required = true)]
        folders: Vec<PathBuf>,
        /// Make checksums of what is there first
        #[arg(long)]
        make: bool,
        /// Remove temporary files of killed savers that are older than an hour
        #[arg(long)]
        sweep: bool,
    },
    /// Copy all that is saved in a session: to one Zarr or HDF5 file, or from it to a folder
    Convert {
        /// The folder of the session, or the file
        source: PathBuf,
        /// The new file (`.zarr`, `.h5`), or the folder of another session
        target: PathBuf,
        /// Replace what is saved there under the same names
        #[arg(long, short)]
        force: bool,
    },
    /// Find the sessions of a tree and what is saved in each
    Index {
        /// The root of the tree, which holds a folder a mouse
        root: PathBuf,
        /// Sum up the bytes of each file
        #[arg(long)]
        hash: bool,
    },
    /// Find sessions that meet conditions
    Query {
        /// The root of the tree
        root: PathBuf,
        /// Such as mouse=ATL027, 'date>=2024-02-01', 'note ~ text', 'tag is null', 'mouse in A,B'
        conditions: Vec<String>,
        /// List what is saved in each
        #[arg(long)]
        datasets: bool,
        /// Of these, only datasets of this quality or a better one: PASS, WARNING, FAIL, CRITICAL
        #[arg(long, value_name = "QUALITY", requires = "datasets")]
        qc: Option<String>,
        /// Of these, only datasets that somebody judged
        #[arg(long, requires = "datasets")]
        judged: bool,
    },
    /// Give a session tags and fields, or take them away
    Tag {
        /// The root of the tree
        root: PathBuf,
        /// The session's folder below it
        session: String,
        /// Tags to give
        tags: Vec<String>,
        /// Tags to take away
        #[arg(long, value_name = "TAG")]
        remove: Vec<String>,
        /// Fields to set, their values JSON or text; null takes one away
        #[arg(long, value_name = "FIELD=VALUE")]
        set: Vec<String>,
        /// Say how good a dataset is, which is given by its path below the session's folder: NOT_SET,
        /// PASS, WARNING, FAIL, CRITICAL
        #[arg(long, value_name = "DATASET=QUALITY")]
        qc: Vec<String>,
    },
    /// Write the tables that ONE-api reads: sessions.pqt and datasets.pqt
    Export {
        /// The root of the tree
        root: PathBuf,
        /// Where to, if not there
        #[arg(long, value_name = "FOLDER")]
        to: Option<PathBuf>,
    },
}

impl OneDataAction {
    /// Whether a file is changed or made.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Self::Ls { .. } | Self::Query { .. } => false,
            Self::Load { output, .. } => output.is_some(),
            Self::Recipe { loader, .. } => loader.is_some(),
            Self::Verify { make, sweep, .. } => *make || *sweep,
            Self::Convert { .. } | Self::Index { .. } | Self::Tag { .. } | Self::Export { .. } => {
                true
            }
        }
    }
}
