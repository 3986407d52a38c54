//! What commands that make a file out of another are asked for.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use stook::{Chain, Cut, DType, Error, Links, Pattern, Rounding, Rule, Selection};

use super::{FormatArg, Reach, size};

const CONVERT_EXAMPLES: &str = "\
Examples:
  stook convert cells.h5ad cells.zarr --verify
  stook convert cells.h5ad matrix.npy --node /X
  stook convert cells.h5ad old.zarr --format zarr2 --overwrite
  stook convert run.h5 run.zarr --chunks 1,512,512 --shards 16,512,512 --codec zstd:5
  stook convert run.h5 part.h5 --include '/scan/*' --exclude '*_raw' --select '/scan/*=0:100, ...'
  stook convert run.h5 small.zarr --dtype float32 --lossy=bitround:12 --codec blosc:zstd:5:bitshuffle
  stook convert big.h5 big.zarr --resume      again, should it be interrupted

The target is there whole or, after an error, not at all. Options that take NODES=VALUE are for the
arrays whose name or path matches (`*`, `?`, `**`); without NODES, for all that they fit. The last
one counts. docs/convert.md has all of it.";

#[derive(Debug, Args)]
#[command(after_help = CONVERT_EXAMPLES)]
pub(crate) struct ConvertArgs {
    /// The file or folder to read
    pub(crate) source: PathBuf,
    /// The file or folder to make; its ending says the format (.zarr .zarr.zip .h5 .npy .npz)
    pub(crate) target: PathBuf,
    /// The format of the target, whatever its name
    #[arg(long, short, value_name = "FORMAT")]
    pub(crate) format: Option<FormatArg>,
    /// Replace what is at the target
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Copy this node and what is below it only
    #[arg(long, short, default_value = "/", value_name = "NODE")]
    pub(crate) node: String,
    /// Take only nodes that match, with all below them
    #[arg(long, value_name = "NODES")]
    pub(crate) include: Vec<Pattern>,
    /// Leave out nodes that match, with all below them
    #[arg(long, value_name = "NODES")]
    pub(crate) exclude: Vec<Pattern>,
    /// Leave out nodes that the target cannot hold, instead of giving up
    #[arg(long)]
    pub(crate) leave_out: bool,
    /// What becomes of soft and external links
    #[arg(long, value_name = "WHAT", default_value = "keep")]
    pub(crate) links: LinksArg,
    #[command(flatten)]
    pub(crate) reach: Reach,
    /// Take only these elements: integers and slices, as in Python
    #[arg(long, value_name = "[NODES=]SELECTION", value_parser = selection, allow_hyphen_values = true)]
    pub(crate) select: Vec<Rule<Selection>>,
    #[command(flatten)]
    pub(crate) layout: LayoutArgs,
    #[command(flatten)]
    pub(crate) course: CourseArgs,
    /// Put the metadata of a Zarr hierarchy together at its root, too
    #[arg(long)]
    pub(crate) consolidate: bool,
    /// Read the target again and compare it with the source
    #[arg(long, conflicts_with_all = ["select", "dtype", "lossy"])]
    pub(crate) verify: bool,
}

const REPACK_EXAMPLES: &str = "\
Examples:
  stook repack run.h5                       without the room that removed nodes have left
  stook repack run.zarr --codec zstd:9
  stook repack run.h5 --chunks '/image=64,64' --codec shuffle+gzip:6

The file is written anew in its own format beside the old one, and takes its place when it is
whole. Nobody may change it meanwhile. Metadata of Zarr hierarchies is consolidated.";

#[derive(Debug, Args)]
#[command(after_help = REPACK_EXAMPLES)]
pub(crate) struct RepackArgs {
    /// The file or folder
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) layout: LayoutArgs,
    #[command(flatten)]
    pub(crate) course: CourseArgs,
}

/// How arrays shall lie in the new file.
#[derive(Debug, Args)]
#[command(next_help_heading = "Layout")]
pub(crate) struct LayoutArgs {
    /// Chunks: a length an axis (`64,64`; `:` for all of it), auto, keep, or none for one piece
    #[arg(long, value_name = "[NODES=]SHAPE", value_parser = rule::<Cut>)]
    pub(crate) chunks: Vec<Rule<Cut>>,
    /// Shards of Zarr v3: a length an axis, multiples of the chunks; keep, or none
    #[arg(long, value_name = "[NODES=]SHAPE", value_parser = rule::<Cut>)]
    pub(crate) shards: Vec<Rule<Cut>>,
    /// Codecs, such as zstd:3, shuffle+gzip:6, blosc:lz4:5:shuffle, none, auto, keep, or JSON
    #[arg(long, value_name = "[NODES=]CODECS", value_parser = rule::<Chain>)]
    pub(crate) codec: Vec<Rule<Chain>>,
    /// The type of numbers; each must keep its value, unless `--lossy` is given
    #[arg(long, value_name = "[NODES=]DTYPE", value_parser = rule::<DType>)]
    pub(crate) dtype: Vec<Rule<DType>>,
    /// Let numbers be rounded to fit; =quantize:DIGITS or =bitround:BITS round floats on purpose
    #[arg(
        long,
        value_name = "[NODES=]HOW",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        value_parser = lossy
    )]
    pub(crate) lossy: Vec<LossyArg>,
}

/// How the command goes about it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Course")]
pub(crate) struct CourseArgs {
    /// Go on with an unfinished conversion; keep what is done if this one is interrupted
    #[arg(long, conflicts_with = "restart")]
    pub(crate) resume: bool,
    /// Remove an unfinished conversion and begin anew
    #[arg(long)]
    pub(crate) restart: bool,
    /// How much memory to use, about
    #[arg(long, default_value = "256M", value_name = "SIZE", value_parser = size)]
    pub(crate) memory: u64,
    /// How many threads to use at most; 0 takes what the machine has
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) threads: usize,
    /// Wait until the new file is on the medium, safe from a power cut
    #[arg(long)]
    pub(crate) fsync: bool,
    /// Whether to show how far it is: `always` prints lines where no terminal reads them
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) progress: When,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Print nothing but errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// What `--lossy` allows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LossyArg {
    /// Numbers may be rounded to fit.
    Any,
    /// Floats are rounded.
    Round(Rule<Rounding>),
}

/// Whether progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On terminals
    Auto,
    /// Anywhere
    Always,
    /// Nowhere
    Never,
}

/// What becomes of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LinksArg {
    /// They stay links where the target has them, and are reported where it has none
    Keep,
    /// What they lead to is copied in their place
    Follow,
    /// They are left out
    Skip,
}

impl From<LinksArg> for Links {
    fn from(links: LinksArg) -> Self {
        match links {
            LinksArg::Keep => Self::Keep,
            LinksArg::Follow => Self::Follow,
            LinksArg::Skip => Self::Skip,
        }
    }
}

/// An error with its hint, for clap.
fn told(error: &Error) -> String {
    match error.hint() {
        Some(hint) => format!("{error} ({hint})"),
        None => error.to_string(),
    }
}

fn rule<T: FromStr<Err = Error>>(text: &str) -> Result<Rule<T>, String> {
    text.parse().map_err(|error| told(&error))
}

fn selection(text: &str) -> Result<Rule<Selection>, String> {
    let parsed = match text.split_once('=') {
        Some((nodes, selection)) => {
            Selection::parse(selection).and_then(|selection| Rule::of(nodes, selection))
        }
        None => Selection::parse(text).map(Rule::all),
    };
    parsed.map_err(|error| told(&error))
}

fn lossy(text: &str) -> Result<LossyArg, String> {
    if text.is_empty() {
        return Ok(LossyArg::Any);
    }
    rule(text).map(LossyArg::Round)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_parsed_with_and_without_nodes() {
        assert_eq!(lossy(""), Ok(LossyArg::Any));
        assert_eq!(lossy("quantize:3"), Ok(LossyArg::Round(Rule::all(Rounding::Digits(3)))));
        let rule = selection("/a/*=0:5, 1").unwrap();
        assert_eq!(rule.nodes.unwrap().to_string(), "/a/*");
        assert!(selection("/a=x").is_err());
        insta::assert_snapshot!(lossy("round").unwrap_err(), @"expected quantize:DIGITS or bitround:BITS, found `round`");
        insta::assert_snapshot!(super::rule::<Cut>("64,0").unwrap_err(), @"expected a length an axis such as `64,64`, or `auto`, `keep` or `none`, found `64,0`");
    }
}
