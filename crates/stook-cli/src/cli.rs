//! What the command is asked for.

mod edit;
mod judge;
mod live;
mod loom;
mod make;
mod onedata;
mod session;
mod show;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Parser, Subcommand, ValueEnum};
use stook::{Engine, EngineConfig, File, Format, OpenOptions, Outside};

pub(crate) use edit::{AttrArgs, LnArgs, MvArgs, RecoverArgs, RmArgs};
pub(crate) use judge::{CheckArgs, DiffArgs, WorkerArgs};
pub(crate) use live::{MonitorArgs, TailArgs, Until, Watch};
pub(crate) use loom::{AxisArg, LayoutOfMatrix, LoomAction, LoomArgs};
pub(crate) use make::{ConvertArgs, CourseArgs, LayoutArgs, LossyArg, RepackArgs, When};
pub(crate) use onedata::{OneDataAction, OneDataArgs};
pub(crate) use session::{SessionAction, SessionArgs};
pub(crate) use show::{CatArgs, CatFormat, InfoArgs, TreeArgs};

const LONG_ABOUT: &str = "\
Shows, reads, converts, compares, checks and edits arrays in Zarr (v2, v3, folder or zip), HDF5,
npy and npz files.

The format of a file is told from its content; that of a new file from its name.";

const EXAMPLES: &str = "\
Examples:
  stook tree cells.h5ad                   what is in the file
  stook info cells.h5ad /X                all about one array
  stook cat cells.h5ad /X '0:5, ::100'    elements, selected as in Python
  stook info cells.h5ad /X --stats        its extremes, mean and spread
  stook tail run.h5 /scan/values          rows as they are written
  stook convert cells.h5ad cells.zarr     the same tree in another format
  stook repack cells.h5ad                 the same file without unused room
  stook diff cells.h5ad cells.zarr        in what two trees differ
  stook check cells.h5ad                  whether all of a file can be read

Exit status: 0 if all went well, 1 if not (or if `--verify`, `diff` or `check` found something),
2 if the command line makes no sense (and after any error of `diff`), 130 if interrupted. Colours
are left out where NO_COLOR is set or no terminal reads them.";

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
    /// Print the last rows of an array, and those that are added
    Tail(TailArgs),
    /// Show how fast arrays grow, and what comes
    Monitor(MonitorArgs),
    /// Copy a file, or part of it, into another format
    Convert(ConvertArgs),
    /// Write a file anew in its own format: smaller, or laid out otherwise
    Repack(RepackArgs),
    /// Tell in what two files, or nodes of them, differ
    Diff(DiffArgs),
    /// Read all of a file and say what is wrong with it
    Check(CheckArgs),
    /// Show, set, rename or delete attributes
    Attr(AttrArgs),
    /// Remove nodes
    Rm(RmArgs),
    /// Move or rename a node
    Mv(MvArgs),
    /// Make a link to a node
    Ln(LnArgs),
    /// Bring an HDF5 file to the last commit of a writer that was interrupted
    Recover(RecoverArgs),
    /// Look at, mend, cut, join, sort, import and convert Loom files
    Loom(LoomArgs),
    /// List, show, compare and convert sessions of labelled arrays
    Session(SessionArgs),
    /// List, load, check, index and find the sessions of an experiment
    Onedata(OneDataArgs),
    /// Print a script that completes commands and options in a shell
    Completions(CompletionsArgs),
    /// The process in which `check` reads a file that is not trusted
    #[command(hide = true)]
    CheckWorker(WorkerArgs),
}

impl Command {
    /// Whether a file is changed or made: such a command ends in order when it is interrupted.
    pub(crate) fn writes(&self) -> bool {
        matches!(
            self,
            Self::Convert(_)
                | Self::Repack(_)
                | Self::Attr(_)
                | Self::Rm(_)
                | Self::Mv(_)
                | Self::Ln(_)
        ) || matches!(self, Self::Loom(args) if args.action.writes())
            || matches!(self, Self::Session(args) if args.action.writes())
            || matches!(self, Self::Onedata(args) if args.action.writes())
    }

    /// Whether errors, too, are JSON.
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Tree(args) => args.json,
            Self::Info(args) => args.json,
            Self::Cat(args) => args.json,
            Self::Tail(args) => args.json,
            Self::Monitor(args) => args.json,
            Self::Convert(args) => args.course.json,
            Self::Repack(args) => args.course.json,
            Self::Diff(args) => args.json,
            Self::Check(args) => args.json,
            Self::Attr(args) => args.json,
            Self::Rm(args) => args.json,
            Self::Mv(args) => args.json,
            Self::Ln(args) => args.json,
            Self::Recover(args) => args.json,
            Self::Loom(args) => args.json,
            Self::Session(args) => args.json,
            Self::Onedata(args) => args.json,
            Self::Completions(_) | Self::CheckWorker(_) => false,
        }
    }
}

/// What a command that moves data may use.
#[derive(Clone, Debug, Args)]
pub(crate) struct Means {
    /// How much memory to use, about
    #[arg(long, default_value = "256M", value_name = "SIZE", value_parser = size)]
    pub(crate) memory: u64,
    /// How many threads to use; 0 takes what the machine has
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) threads: usize,
}

impl Means {
    /// An engine that keeps to them.
    pub(crate) fn engine(&self) -> Arc<Engine> {
        let share = |of| usize::try_from(self.memory / of).unwrap_or(usize::MAX);
        let config = EngineConfig::default().threads(self.threads);
        let cache = share(8).min(config.cache_len_bytes);
        Engine::new(config.memory_len_bytes(share(2)).cache_len_bytes(cache))
    }
}

/// Which other files the files that are read may lead to.
#[derive(Clone, Debug, Args)]
pub(crate) struct Reach {
    /// Also read other files below this folder, or `anywhere`, where external links, external
    /// storage and virtual arrays lead to them; those beside the file and below are always read
    #[arg(long, value_name = "FOLDER", value_parser = clap::value_parser!(PathBuf))]
    pub(crate) outside: Option<PathBuf>,
}

impl Reach {
    const ANYWHERE: &str = "anywhere";

    pub(crate) fn outside(&self) -> Outside {
        match &self.outside {
            None => Outside::Refused,
            Some(folder) if folder.as_os_str() == Self::ANYWHERE => Outside::Followed,
            Some(folder) => Outside::Below(folder.clone()),
        }
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// As [`File::open`].
    pub(crate) fn open(&self, path: &Path) -> stook::Result<File> {
        File::open_with(path, &OpenOptions { outside: self.outside(), ..OpenOptions::read() })
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stook completions bash > ~/.local/share/bash-completion/completions/stook
  stook completions zsh > \"${fpath[1]}/_stook\"
  stook completions fish > ~/.config/fish/completions/stook.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
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
