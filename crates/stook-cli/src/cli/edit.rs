//! What commands that change a file in place are asked for.

use std::path::PathBuf;

use clap::Args;

const RM_EXAMPLES: &str = "\
Examples:
  stook rm run.h5 /run/image
  stook rm -r run.zarr /run /old

Either all nodes are removed or, after an error that can be foreseen, none. HDF5 files keep the
space for what is written later; `stook repack` gives it back.";

#[derive(Debug, Args)]
#[command(after_help = RM_EXAMPLES)]
pub(crate) struct RmArgs {
    /// The file or folder
    pub(crate) file: PathBuf,
    /// The nodes; of a link, the link is removed
    #[arg(required = true, value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// Remove groups with all that is in them
    #[arg(long, short)]
    pub(crate) recursive: bool,
    /// Pass over nodes that do not exist
    #[arg(long, short)]
    pub(crate) force: bool,
    /// Print JSON: what was removed
    #[arg(long)]
    pub(crate) json: bool,
}

const RECOVER_EXAMPLES: &str = "\
Examples:
  stook recover --look run.h5       what the journal of an interrupted writer holds
  stook recover run.h5              bring its commits to the file

A file that is opened for writing is recovered by itself; readers of stook see its last commit
before. This is for programs that know of no journal.";

#[derive(Debug, Args)]
#[command(after_help = RECOVER_EXAMPLES)]
pub(crate) struct RecoverArgs {
    /// The HDF5 file
    pub(crate) file: PathBuf,
    /// Change nothing: say what is there
    #[arg(long, conflicts_with = "discard")]
    pub(crate) look: bool,
    /// Keep the file as it is, and give up what the journal holds
    #[arg(long)]
    pub(crate) discard: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

const MV_EXAMPLES: &str = "\
Examples:
  stook mv run.h5 /image /raw           a new name
  stook mv run.h5 /image /run           into the group /run, if there is one
  stook mv run.zarr /a/b/c /c";

#[derive(Debug, Args)]
#[command(after_help = MV_EXAMPLES)]
pub(crate) struct MvArgs {
    /// The file or folder
    pub(crate) file: PathBuf,
    /// The node
    pub(crate) from: String,
    /// Its new path, or a group that it goes into
    pub(crate) to: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

const LN_EXAMPLES: &str = "\
Examples:
  stook ln run.h5 /run/image /latest              a soft link at /latest
  stook ln index.h5 /image /runs/7 --in run7.h5   to a node of another file

Links are for HDF5 files; other formats have none.";

#[derive(Debug, Args)]
#[command(after_help = LN_EXAMPLES)]
pub(crate) struct LnArgs {
    /// The file
    pub(crate) file: PathBuf,
    /// Where the link leads: an absolute path, or one relative to its group
    pub(crate) target: String,
    /// Where the link is
    pub(crate) link: String,
    /// The file that the target is in; a relative path is seen from the folder of FILE
    #[arg(long = "in", value_name = "FILE")]
    pub(crate) in_file: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

const ATTR_EXAMPLES: &str = "\
Examples:
  stook attr run.h5 /                                  all attributes of the root
  stook attr run.h5 /image unit                        one
  stook attr run.h5 /image unit counts                 set to a text
  stook attr run.h5 /image offset '[0, 1.5]'           set to what is valid JSON
  stook attr run.h5 /image gain 2 --dtype float32      of a certain type, where the format has types
  stook attr run.h5 /image version 1.10 --text         a text though it looks like a number
  stook attr run.h5 /image --rename unit units --delete gain";

#[derive(Debug, Args)]
#[command(after_help = ATTR_EXAMPLES)]
pub(crate) struct AttrArgs {
    /// The file or folder
    pub(crate) file: PathBuf,
    /// The node
    pub(crate) node: String,
    /// The attribute; all where it is not given
    pub(crate) name: Option<String>,
    /// Its new value: JSON, or else a text
    #[arg(allow_hyphen_values = true)]
    pub(crate) value: Option<String>,
    /// Delete an attribute; may be given several times
    #[arg(long, short, value_name = "NAME", conflicts_with = "name")]
    pub(crate) delete: Vec<String>,
    /// Give an attribute another name; may be given several times
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with = "name")]
    pub(crate) rename: Vec<String>,
    /// The type of the new value: a numpy name such as float32, int16, bool, S8, string
    #[arg(long, requires = "value", value_name = "DTYPE")]
    pub(crate) dtype: Option<String>,
    /// Take the new value as a text, even if it is valid JSON
    #[arg(long, requires = "value", conflicts_with = "dtype")]
    pub(crate) text: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
