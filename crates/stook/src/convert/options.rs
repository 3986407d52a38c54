//! How a conversion is done.

use std::str::FromStr;
use std::sync::Arc;

use stook_core::file::place::InTheWay;
use stook_core::{
    DType, Durability, Engine, Error, Format, Limits, NodePath, Outside, Result, Selection,
};
use stook_hdf5::Readers;

use super::{Chain, OnProgress, Pattern, Rule};
use crate::copy::Rounding;

/// The shape of chunks or shards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// As in the source.
    Keep,
    /// About 1 MiB, of whole rows as far as they are small enough; of shards, none.
    Auto,
    /// None: elements in one piece, or chunks without shards around them.
    None,
    /// A length an axis; `None` for the whole axis.
    Shape(Vec<Option<u64>>),
}

impl FromStr for Cut {
    type Err = Error;

    /// `keep`, `auto`, `none`, or a length an axis: `64,64`; `:` for a whole axis.
    fn from_str(text: &str) -> Result<Self> {
        match text.trim() {
            "keep" => return Ok(Self::Keep),
            "auto" => return Ok(Self::Auto),
            "none" => return Ok(Self::None),
            _ => {}
        }
        let axes = text.split([',', 'x']).map(|axis| match axis.trim() {
            ":" => Ok(None),
            number => number.parse().ok().filter(|&len: &u64| len > 0).map(Some).ok_or_else(|| {
                let message = format!(
                    "expected a length an axis such as `64,64`, or `auto`, `keep` or `none`, found `{text}`"
                );
                Error::invalid(message)
            }),
        });
        axes.collect::<Result<_>>().map(Self::Shape)
    }
}

/// What becomes of links that are not hard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Links {
    /// They stay links where the target has them, and are reported where it has none.
    #[default]
    Keep,
    /// What they lead to is copied in their place; external ones lead to files beside the source.
    Follow,
    /// They are left out.
    Skip,
}

/// What becomes of an earlier conversion to the same target that did not come to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unfinished {
    /// It stays, and is an error that says what can be done.
    #[default]
    Stays,
    /// It goes on where it ended; an error in this one leaves it there to go on again.
    Resumes,
    /// It is removed.
    Goes,
}

/// How a conversion is done.
///
/// Of several rules for one node the last counts. A rule for all nodes is for those that it makes
/// sense for: a shape for arrays of as many axes. A rule that is for no node is an error.
pub struct ConvertOptions<'a> {
    /// The node of the source that becomes the root of the target (default: the root).
    pub node: NodePath,
    /// The target's format; by its name where it is not said.
    pub format: Option<Format>,
    /// What happens to what is at the target. It goes only when the new file is whole.
    pub in_the_way: InTheWay,
    /// What happens to an earlier conversion to the same target that was not finished.
    pub unfinished: Unfinished,
    /// Whether nodes that the target cannot hold at all may be left out; if not, they are an
    /// error before the target is there.
    pub leave_out: bool,
    /// Nodes that are taken, with all below and the groups above them; all if empty.
    pub include: Vec<Pattern>,
    /// Nodes that are left out, with all below them.
    pub exclude: Vec<Pattern>,
    /// Which elements are taken: integers and slices.
    pub select: Vec<Rule<Selection>>,
    /// The shape of chunks.
    pub chunks: Vec<Rule<Cut>>,
    /// The shape of shards, in elements: whole multiples of the chunks (Zarr v3).
    pub shards: Vec<Rule<Cut>>,
    /// What encodes chunks.
    pub codecs: Vec<Rule<Chain>>,
    /// The dtype of numbers; each must keep its value unless `lossy` says otherwise.
    pub dtypes: Vec<Rule<DType>>,
    /// Whether numbers may be rounded to fit `dtypes`, a codec may lose some of them, and numbers
    /// of a type that the target lacks may become its nearest.
    pub lossy: bool,
    /// How floats are rounded to take less room.
    pub rounding: Vec<Rule<Rounding>>,
    /// What becomes of links.
    pub links: Links,
    /// Whether the metadata of a Zarr hierarchy is also put together at its root.
    pub consolidate: bool,
    /// Bytes that the conversion may hold, about (default 256 MiB). A resumed conversion goes on
    /// with what it began with.
    pub memory_len_bytes: u64,
    /// How safely the target is put away.
    pub durability: Durability,
    /// Who shall be able to read a target that is HDF5.
    pub readers: Readers,
    /// What the source may ask for.
    pub limits: Limits,
    /// Which other files the source may lead to.
    pub outside: Outside,
    /// What moves the data; one of its own where it is not said. Its threads are an upper bound:
    /// large chunks and little memory make fewer of them.
    pub engine: Option<Arc<Engine>>,
    /// Called now and then; an error that it returns ends the conversion.
    pub progress: Option<OnProgress<'a>>,
}

impl Default for ConvertOptions<'_> {
    fn default() -> Self {
        Self {
            node: NodePath::root(),
            format: None,
            in_the_way: InTheWay::Stays,
            unfinished: Unfinished::Stays,
            leave_out: false,
            include: Vec::new(),
            exclude: Vec::new(),
            select: Vec::new(),
            chunks: Vec::new(),
            shards: Vec::new(),
            codecs: Vec::new(),
            dtypes: Vec::new(),
            lossy: false,
            rounding: Vec::new(),
            links: Links::Keep,
            consolidate: false,
            memory_len_bytes: 256 << 20,
            durability: Durability::Flush,
            readers: Readers::default(),
            limits: Limits::default(),
            outside: Outside::Refused,
            engine: None,
            progress: None,
        }
    }
}

impl ConvertOptions<'_> {
    /// All that decides what the target holds, as a text: an unfinished conversion goes on only
    /// under the same.
    pub(super) fn fingerprint(&self, format: impl std::fmt::Debug) -> String {
        let what = (&self.node, format, self.leave_out, &self.include, &self.exclude);
        let how = (&self.select, &self.chunks, &self.shards, &self.codecs, &self.dtypes);
        let rest = (self.lossy, &self.rounding, self.links, self.consolidate, &self.outside);
        let rest = (rest, self.readers);
        let text = format!("{} {what:?} {how:?} {rest:?}", env!("CARGO_PKG_VERSION"));
        let (low, high) =
            (crc32c::crc32c(text.as_bytes()), crc32c::crc32c(&[text.as_bytes(), b"."].concat()));
        format!("{high:08x}{low:08x}")
    }
}

/// The last rule that is for something, and that it was used.
pub(super) struct Rules<'r, T> {
    rules: &'r [Rule<T>],
    is_used: Vec<bool>,
    what: &'static str,
}

impl<'r, T> Rules<'r, T> {
    pub(super) fn new(rules: &'r [Rule<T>], what: &'static str) -> Self {
        Self { rules, is_used: vec![false; rules.len()], what }
    }

    /// The rule for `node`, among those for all nodes only such as `makes_sense`; and whether it
    /// names nodes.
    pub(super) fn find(
        &mut self,
        node: &NodePath,
        makes_sense: &dyn Fn(&T) -> bool,
    ) -> Option<(&'r T, bool)> {
        let mut found = None;
        for (rule, is_used) in self.rules.iter().zip(&mut self.is_used) {
            let is_named = rule.nodes.is_some();
            if rule.is_for(node) && (is_named || makes_sense(&rule.value)) {
                *is_used = true;
                found = Some((&rule.value, is_named));
            }
        }
        found
    }

    /// # Errors
    /// `InvalidInput` if a rule was for no array.
    pub(super) fn expect_used(&self) -> Result<()> {
        let unused = self.rules.iter().zip(&self.is_used).find(|(_, is_used)| !**is_used);
        match unused {
            None => Ok(()),
            Some((Rule { nodes: Some(nodes), .. }, _)) => {
                Err(Error::invalid(format!("{}: no array matches `{nodes}`", self.what)))
            }
            Some(_) => Err(Error::invalid(format!("{}: no array that it fits", self.what))),
        }
    }
}
