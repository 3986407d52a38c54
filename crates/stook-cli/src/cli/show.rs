//! What commands that show a file are asked for.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Means, Reach};

const TREE_EXAMPLES: &str = "\
Examples:
  stook tree cells.h5ad --depth 1
  stook tree cells.h5ad /obs --attrs
  stook tree cells.zarr --json | jq -r '.. | .path? // empty'";

#[derive(Debug, Args)]
#[command(after_help = TREE_EXAMPLES)]
pub(crate) struct TreeArgs {
    /// The file or folder
    pub(crate) file: PathBuf,
    /// The node to begin at, such as /obs
    #[arg(default_value = "/")]
    pub(crate) node: String,
    /// Go no deeper than this many levels
    #[arg(long, short, value_name = "N")]
    pub(crate) depth: Option<usize>,
    /// Also show the attributes
    #[arg(long, short)]
    pub(crate) attrs: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

const INFO_EXAMPLES: &str = "\
Examples:
  stook info cells.h5ad
  stook info cells.h5ad /X
  stook info cells.h5ad /X --json | jq .chunks
  stook info cells.h5ad --stats           a line for each array
  stook info cells.h5ad /X --stats        extremes, mean, spread, histogram
  stook info cells.h5ad /X ':100' --stats   of the first hundred rows";

#[derive(Debug, Args)]
#[command(after_help = INFO_EXAMPLES)]
pub(crate) struct InfoArgs {
    /// The file or folder
    pub(crate) file: PathBuf,
    /// The node; the file as a whole where it is not given
    pub(crate) node: Option<String>,
    /// Which elements `--stats` is about, as for `cat`
    #[arg(default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    #[arg(requires = "stats")]
    pub(crate) selection: String,
    /// Also read the elements and tell smallest, greatest, mean, standard deviation, how many are
    /// zero, NaN, infinite, and how they are spread
    #[arg(long, short)]
    pub(crate) stats: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) reach: Reach,
    #[command(flatten)]
    pub(crate) means: Means,
}

const CAT_EXAMPLES: &str = "\
Examples:
  stook cat cells.h5ad /X 0               the first row
  stook cat cells.h5ad /X '-10:, ::2'     the last ten rows, every other column
  stook cat cells.h5ad /X '..., 3'        the fourth column
  stook cat cells.h5ad /X '[7,1,7], :3'   rows by a list
  stook cat cells.h5ad /X '@/keep, :'     rows where the array /keep is true
  stook cat cells.h5ad /obs '.n_genes'    a member of structs
  stook cat cells.h5ad /var/index | head
  stook cat cells.h5ad /X --json | jq '.[0]'
  stook cat cells.h5ad /obs --format csv > obs.csv
  stook cat cells.h5ad /X ':100' --format npy > head.npy

csv has a line for each row: its elements, or the members of a struct below a line of their names.
Of more than two axes, a line begins with the positions along all but the last (`--index` asks for
positions always). Texts are quoted as RFC 4180 has it.";

#[derive(Debug, Args)]
#[command(after_help = CAT_EXAMPLES)]
pub(crate) struct CatArgs {
    /// The file or folder
    pub(crate) file: PathBuf,
    /// The array, such as /X; of a group, the names in it are printed
    pub(crate) node: String,
    /// Which elements, as in Python: integers, slices, an ellipsis, [lists], @NODE for positions
    /// or a mask in another array; `.NAME` at the end takes a member of structs
    #[arg(default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    pub(crate) selection: String,
    /// How they are printed
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: CatFormat,
    /// Print JSON: nested lists; the same as `--format json`
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
    /// In csv, begin each line with the positions of its elements
    #[arg(long)]
    pub(crate) index: bool,
    #[command(flatten)]
    pub(crate) reach: Reach,
    #[command(flatten)]
    pub(crate) means: Means,
}

impl CatArgs {
    /// How elements are printed.
    pub(crate) fn format(&self) -> CatFormat {
        if self.json { CatFormat::Json } else { self.format }
    }
}

/// How elements are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CatFormat {
    /// Aligned columns; a terminal gets what fits
    Table,
    /// Comma-separated values
    Csv,
    /// Nested lists
    Json,
    /// A NumPy array file
    Npy,
}
