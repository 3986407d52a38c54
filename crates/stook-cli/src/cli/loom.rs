//! What `stook loom` is asked for.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  stook loom info cells.loom
  stook loom validate --conventions cells.loom
  stook loom subset cells.loom some.loom --columns 0:1000
  stook loom merge a.loom b.loom -o all.loom --key Accession
  stook loom aggregate cells.loom means.loom --by Clusters
  stook loom permute cells.loom columns --by Age
  stook loom import filtered_feature_bc_matrix.h5 cells.loom
  stook loom convert cells.loom cells.h5ad";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LoomArgs {
    #[command(subcommand)]
    pub(crate) action: LoomAction,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LoomAction {
    /// Show the shape, layers, attributes and graphs of a loom
    Info {
        /// The loom
        file: PathBuf,
    },
    /// Say in what a loom deviates from the specification of its version
    Validate {
        /// The loom
        file: PathBuf,
        /// Also ask for the names that attributes should have
        #[arg(long)]
        conventions: bool,
    },
    /// Put what other writers do in their own way as the specification has it
    Repair {
        /// The loom
        file: PathBuf,
    },
    /// Make a loom of some rows and columns of another
    Subset {
        /// The loom
        file: PathBuf,
        /// The new loom
        target: PathBuf,
        /// The rows: a slice as in Python, or positions separated by commas
        #[arg(long, value_name = "ROWS", allow_hyphen_values = true)]
        rows: Option<String>,
        /// The columns
        #[arg(long, value_name = "COLUMNS", allow_hyphen_values = true)]
        columns: Option<String>,
        /// Replace what is there
        #[arg(long, short)]
        force: bool,
    },
    /// Make a loom of the columns of several
    Merge {
        /// The looms
        #[arg(required = true, num_args = 1..)]
        files: Vec<PathBuf>,
        /// The new loom
        #[arg(long, short)]
        output: PathBuf,
        /// The attribute by which their rows are aligned; without it they lie in the same order
        #[arg(long)]
        key: Option<String>,
        /// Replace what is there
        #[arg(long, short)]
        force: bool,
    },
    /// Make a loom with a column for each group of columns
    Aggregate {
        /// The loom
        file: PathBuf,
        /// The new loom
        target: PathBuf,
        /// The attribute of columns whose values are the groups
        #[arg(long, value_name = "ATTRIBUTE")]
        by: String,
        /// What becomes of a group: mean, sum, median, std, max and others of numpy_groupies
        #[arg(long, default_value = "mean", value_name = "NAME")]
        with: String,
        /// The layer
        #[arg(long, default_value = "")]
        layer: String,
        /// Replace what is there
        #[arg(long, short)]
        force: bool,
    },
    /// Sort the rows or columns of a loom, in place
    Permute {
        /// The loom
        file: PathBuf,
        /// Which
        axis: AxisArg,
        /// The attribute to sort by
        #[arg(long, value_name = "ATTRIBUTE")]
        by: String,
        /// The greatest first
        #[arg(long)]
        descending: bool,
    },
    /// Write a loom anew without unused room
    Compact {
        /// The loom
        file: PathBuf,
    },
    /// Write layers as sparse matrices to a file beside the loom, which makes scans, sums and
    /// `aggregate` several times as fast; it is never used for a layer that has changed since
    Sidecar {
        /// The loom
        file: PathBuf,
        /// The layers; without them the main matrix
        #[arg(long = "layer", value_name = "NAME")]
        layers: Vec<String>,
        /// Delete the file
        #[arg(long, conflicts_with = "layers")]
        drop: bool,
    },
    /// Write a layer and its attributes as text with tabs
    Export {
        /// The loom
        file: PathBuf,
        /// The text
        target: PathBuf,
        /// The layer
        #[arg(long, default_value = "")]
        layer: String,
        /// Replace what is there
        #[arg(long, short)]
        force: bool,
    },
    /// Make a loom of what other programs write: 10x (`.h5` or folder), cellranger's folder,
    /// STARsolo's, a table (`.tsv`, `.csv`), AnnData (`.h5ad`, `.zarr`)
    Import {
        /// The file or folder
        source: PathBuf,
        /// The new loom
        target: PathBuf,
        /// The genome, where the source has several
        #[arg(long)]
        genome: Option<String>,
        /// What comes before the name of each cell
        #[arg(long, default_value = "")]
        sample: String,
        /// Lines of the table are cells
        #[arg(long)]
        transposed: bool,
        /// Replace what is there
        #[arg(long, short)]
        force: bool,
    },
    /// Copy a loom to AnnData (`.h5ad`, `.zarr`) or to another loom (`.loom`), or AnnData to a loom
    Convert {
        /// The loom, or the AnnData
        source: PathBuf,
        /// The new one
        target: PathBuf,
        /// How matrices are laid out in AnnData
        #[arg(long, default_value = "sparse")]
        layout: LayoutOfMatrix,
        /// Replace what is there
        #[arg(long, short)]
        force: bool,
    },
}

impl LoomAction {
    /// Whether a file is changed or made.
    pub(crate) fn writes(&self) -> bool {
        !matches!(self, Self::Info { .. } | Self::Validate { .. })
    }
}

/// An axis of a loom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AxisArg {
    /// Genes
    Rows,
    /// Cells
    Columns,
}

/// How a matrix is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LayoutOfMatrix {
    /// CSR
    Sparse,
    /// Every element
    Dense,
}
