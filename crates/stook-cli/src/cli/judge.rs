//! What commands that judge files are asked for.

use std::path::PathBuf;

use clap::Args;

use super::{Means, Reach, size};

const DIFF_EXAMPLES: &str = "\
Examples:
  stook diff cells.h5ad cells.zarr            all that differs, whatever the formats
  stook diff a.zarr b.zarr --rtol 1e-6        numbers may be off by a millionth
  stook diff a.h5 b.h5 --node /X --layout     one array, its chunks and codecs too
  stook diff run.h5 image.npy -n /image --other-node /
  stook diff a.h5 b.h5 --quiet && echo same

Numbers are equal where |a - b| <= atol + rtol * |b|, as in numpy.allclose; without tolerances only
where they are the same (0.0 is -0.0, and NaN is NaN unless `--nan-differs`). A relative difference
is |a - b| in parts of the larger one.

Exit status: 0 if there is no difference, 1 if there is one, 2 after an error.";

#[derive(Debug, Args)]
#[command(after_help = DIFF_EXAMPLES)]
pub(crate) struct DiffArgs {
    /// One file or folder
    pub(crate) a: PathBuf,
    /// The other
    pub(crate) b: PathBuf,
    /// Compare this node and what is below it only
    #[arg(long, short, default_value = "/", value_name = "NODE")]
    pub(crate) node: String,
    /// The node of the other file; the same where it is not given
    #[arg(long, value_name = "NODE")]
    pub(crate) other_node: Option<String>,
    /// How far numbers may be apart, in parts of the other one
    #[arg(long, default_value_t = 0.0, value_name = "NUMBER", value_parser = tolerance)]
    pub(crate) rtol: f64,
    /// How far numbers may be apart, on top
    #[arg(long, default_value_t = 0.0, value_name = "NUMBER", value_parser = tolerance)]
    pub(crate) atol: f64,
    /// NaN differs from NaN
    #[arg(long)]
    pub(crate) nan_differs: bool,
    /// Pass over attributes
    #[arg(long)]
    pub(crate) ignore_attrs: bool,
    /// Pass over dtypes where values can be compared
    #[arg(long)]
    pub(crate) ignore_dtypes: bool,
    /// Also compare chunks, shards, codecs and fill values
    #[arg(long)]
    pub(crate) layout: bool,
    /// How many differing elements of each array are shown
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub(crate) cells: usize,
    /// Print nothing but errors; the exit status tells
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) reach: Reach,
    #[command(flatten)]
    pub(crate) means: Means,
}

const CHECK_EXAMPLES: &str = "\
Examples:
  stook check cells.h5ad
  stook check runs/*.h5 --json | jq '.files[] | select(.ok | not) | .file'
  stook check download.h5 --timeout 10 --limit-memory 1G

Errors are what cannot be read: the node, and the chunk if it is one. Warnings are links and
references that lead nowhere and values that are not what their type says.

A file that is made to crash or to hang its reader cannot do so here: a process of its own reads
it, within limits. What ends it is reported with its node, and the rest is checked. Limits of
memory hold on Linux.

Exit status: 0 if no error was found (warnings are none), 1 if one was.";

#[derive(Debug, Args)]
#[command(after_help = CHECK_EXAMPLES)]
pub(crate) struct CheckArgs {
    /// The files or folders
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Read in this process and without limits: for files of your own
    #[arg(long, conflicts_with_all = ["timeout", "limit_memory"])]
    pub(crate) trusted: bool,
    /// End a reader that has made no progress for so long
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) timeout: u64,
    /// End a reader that asks for more memory than this
    #[arg(long, default_value = "4G", value_name = "SIZE", value_parser = size)]
    pub(crate) limit_memory: u64,
    /// Print nothing about files in which nothing is wrong
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) reach: Reach,
    #[command(flatten)]
    pub(crate) means: Means,
}

/// What `check` asks of the process that reads a file.
#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    pub(crate) file: PathBuf,
    #[arg(long)]
    pub(crate) cpu: u64,
    #[arg(long)]
    pub(crate) limit_memory: u64,
    #[arg(long)]
    pub(crate) leave_out: Vec<String>,
    #[command(flatten)]
    pub(crate) reach: Reach,
    #[command(flatten)]
    pub(crate) means: Means,
}

fn tolerance(text: &str) -> Result<f64, String> {
    let parsed = text.parse::<f64>().ok().filter(|x| *x >= 0.0 && x.is_finite());
    parsed.ok_or_else(|| "expected a number such as 0.001 or 1e-6".to_owned())
}
