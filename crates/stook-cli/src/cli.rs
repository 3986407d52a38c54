//! What the command is asked for.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use stook::Format;

const LONG_ABOUT: &str = "\
Shows, reads and converts arrays in Zarr (v2, v3, folder or zip), HDF5, npy and npz files.

The format of a file is told from its content; that of a new file from its name.";

const EXAMPLES: &str = "\
Examples:
  stook tree cells.h5ad                   what is in the file
  stook info cells.h5ad /X                all about one array
  stook cat cells.h5ad /X '0:5, ::100'    elements, selected as in Python
  stook convert cells.h5ad cells.zarr     the same tree in another format

Exit status: 0 if all went well, 1 if not (or if --verify found a difference), 2 if the command
line makes no sense. Colours are left out where NO_COLOR is set or no terminal reads them.";

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "stook",
    version,
    about = "One tree of groups, arrays and attributes over Zarr, HDF5 and NumPy files"
)]
#[command(long_about = LONG_ABOUT, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the tree of a file: groups, arrays, links
    Tree(TreeArgs),
    /// Show all about a file or one of its nodes
    Info(InfoArgs),
    /// Print the elements of an array, or the names in a group
    Cat(CatArgs),
    /// Copy a file, or part of it, into another format
    Convert(ConvertArgs),
}

impl Command {
    /// Whether a file is changed or made: such a command ends in order when it is interrupted.
    pub(crate) fn writes(&self) -> bool {
        matches!(self, Self::Convert(_))
    }

    /// Whether errors, too, are JSON.
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Tree(args) => args.json,
            Self::Info(args) => args.json,
            Self::Cat(args) => args.json,
            Self::Convert(args) => args.json,
        }
    }
}

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
}

const INFO_EXAMPLES: &str = "\
Examples:
  stook info cells.h5ad
  stook info cells.h5ad /X
  stook info cells.h5ad /X --json | jq .chunks";

#[derive(Debug, Args)]
#[command(after_help = INFO_EXAMPLES)]
pub(crate) struct InfoArgs {
    /// The file or folder
    pub(crate) file: PathBuf,
    /// The node; the file as a whole where it is not given
    pub(crate) node: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

const CAT_EXAMPLES: &str = "\
Examples:
  stook cat cells.h5ad /X 0               the first row
  stook cat cells.h5ad /X '-10:, ::2'     the last ten rows, every other column
  stook cat cells.h5ad /X '..., 3'        the fourth column
  stook cat cells.h5ad /var/index | head
  stook cat cells.h5ad /X --json | jq '.[0]'";

#[derive(Debug, Args)]
#[command(after_help = CAT_EXAMPLES)]
pub(crate) struct CatArgs {
    /// The file or folder
    pub(crate) file: PathBuf,
    /// The array, such as /X; of a group, the names in it are printed
    pub(crate) node: String,
    /// Which elements, as in Python: integers, slices, an ellipsis
    #[arg(default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    pub(crate) selection: String,
    /// Print JSON: nested lists
    #[arg(long)]
    pub(crate) json: bool,
}

const CONVERT_EXAMPLES: &str = "\
Examples:
  stook convert cells.h5ad cells.zarr --verify
  stook convert cells.h5ad matrix.npy --node /X
  stook convert cells.zarr cells.zarr.zip
  stook convert cells.h5ad old.zarr --format zarr2 --overwrite

The target is there whole or, after an error, not at all.";

#[derive(Debug, Args)]
#[command(after_help = CONVERT_EXAMPLES)]
pub(crate) struct ConvertArgs {
    /// The file or folder to read
    pub(crate) source: PathBuf,
    /// The file or folder to make; its ending says the format (.zarr .zarr.zip .h5 .npy .npz)
    pub(crate) target: PathBuf,
    /// Copy this node and what is below it only
    #[arg(long, short, default_value = "/", value_name = "NODE")]
    pub(crate) node: String,
    /// The format of the target, whatever its name
    #[arg(long, short, value_name = "FORMAT")]
    pub(crate) format: Option<FormatArg>,
    /// Replace what is at the target
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Leave out nodes that the target cannot hold, instead of giving up
    #[arg(long)]
    pub(crate) leave_out: bool,
    /// How much memory to use, about
    #[arg(long, default_value = "256M", value_name = "SIZE", value_parser = size)]
    pub(crate) memory: u64,
    /// How many threads to use; 0 takes what the machine has
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) threads: usize,
    /// Wait until the target is on the medium, safe from a power cut
    #[arg(long)]
    pub(crate) fsync: bool,
    /// Read the target again and compare it with the source
    #[arg(long)]
    pub(crate) verify: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Print nothing but errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// A format by the name it has on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    /// Zarr v3
    #[value(alias = "zarr3")]
    Zarr,
    /// Zarr v2
    Zarr2,
    /// HDF5
    #[value(alias = "h5")]
    Hdf5,
    /// A NumPy array
    Npy,
    /// An archive of NumPy arrays
    Npz,
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Zarr => Self::ZarrV3,
            FormatArg::Zarr2 => Self::ZarrV2,
            FormatArg::Hdf5 => Self::Hdf5,
            FormatArg::Npy => Self::Npy,
            FormatArg::Npz => Self::Npz,
        }
    }
}

/// A size in bytes: digits, and K, M, G or T for powers of 1024.
fn size(text: &str) -> Result<u64, String> {
    let upper = text.trim().to_ascii_uppercase();
    let number = upper.trim_end_matches('B').trim_end_matches('I');
    let (digits, shift) = match number.strip_suffix(['K', 'M', 'G', 'T']) {
        Some(digits) if number.ends_with('K') => (digits, 10),
        Some(digits) if number.ends_with('M') => (digits, 20),
        Some(digits) if number.ends_with('G') => (digits, 30),
        Some(digits) => (digits, 40),
        None => (number, 0),
    };
    let parsed = digits.trim().parse::<u64>().ok().and_then(|n| n.checked_mul(1 << shift));
    parsed
        .filter(|&n| n > 0)
        .ok_or_else(|| "expected a number of bytes such as 256M or 2G".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        assert_eq!(size("12"), Ok(12));
        assert_eq!(size("2k"), Ok(2048));
        assert_eq!(size("256M"), Ok(256 << 20));
        assert_eq!(size("1GiB"), Ok(1 << 30));
        for text in ["", "M", "0", "-1", "1.5G", "99999999999T"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
