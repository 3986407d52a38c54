//! In what two trees differ: structure, types, attributes, elements; within tolerances if asked.
//!
//! Both trees are walked side by side first, which compares all but elements; then arrays are
//! read a box at a time, on several threads. What cannot be read is told and the rest compared
//! all the same. [`compare`](crate::compare()) is the strict and short form that a conversion is
//! verified with: bit for bit, until the first difference of each array.

mod elements;
mod kernel;
mod tree;

use std::sync::Arc;

use serde_json::Value;
use stook_core::{ArraySpec, DType, Error, Extent, NodePath, Result};

use crate::convert::{OnProgress, Progress};
use crate::file::Node;

/// How two trees are compared.
pub struct DiffOptions<'a> {
    /// Numbers are equal if they are no further apart than this times the one in `b`.
    pub relative_tolerance: f64,
    /// And this on top.
    pub absolute_tolerance: f64,
    /// Whether a NaN differs from another.
    pub nan_differs: bool,
    /// Whether dtypes may differ as long as values are equal.
    pub ignore_dtypes: bool,
    /// Whether attributes are passed over.
    pub ignore_attributes: bool,
    /// Whether chunks, codecs and fill values are compared, too.
    pub layout: bool,
    /// Differing elements of an array that are shown (default 5).
    pub most_cells: usize,
    /// Differences that are listed; others are counted (default 10,000).
    pub most: usize,
    /// Bytes that it may hold, about (default 256 MiB).
    pub memory_len_bytes: u64,
    /// Called now and then; an error that it returns ends the comparison.
    pub progress: Option<OnProgress<'a>>,
}

impl Default for DiffOptions<'_> {
    fn default() -> Self {
        Self {
            relative_tolerance: 0.0,
            absolute_tolerance: 0.0,
            nan_differs: false,
            ignore_dtypes: false,
            ignore_attributes: false,
            layout: false,
            most_cells: 5,
            most: 10_000,
            memory_len_bytes: 256 << 20,
            progress: None,
        }
    }
}

/// One of two trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

/// What a comparison found.
#[derive(Debug, Default)]
pub struct DiffReport {
    /// Nodes that are in both trees.
    pub n_nodes: u64,
    /// Elements that were compared.
    pub n_elements: u64,
    /// The differences, nodes in order.
    pub found: Vec<NodeDiff>,
    /// Differences beyond those that are listed.
    pub n_more: u64,
}

impl DiffReport {
    /// Whether there is no difference, and all could be read.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.found.is_empty()
    }

    /// Whether something could not be read.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|found| matches!(found.what, What::Unread { .. }))
    }
}

/// A difference.
#[derive(Debug)]
pub struct NodeDiff {
    /// The node, as seen from where the comparison began.
    pub node: NodePath,
    /// In what.
    pub what: What,
}

/// In what a node differs.
#[derive(Debug)]
#[non_exhaustive]
pub enum What {
    /// It is in one tree only.
    Only(Side),
    /// It is a group, an array, a link or something else.
    Kind {
        /// What it is in the first tree.
        a: String,
        /// What it is in the second.
        b: String,
    },
    /// Its elements are of another type.
    DType {
        /// In the first tree.
        a: DType,
        /// In the second.
        b: DType,
    },
    /// It has another shape.
    Shape {
        /// In the first tree.
        a: Extent,
        /// In the second.
        b: Extent,
    },
    /// Its axes have other names.
    DimensionNames {
        /// In the first tree.
        a: Option<Vec<Option<String>>>,
        /// In the second.
        b: Option<Vec<Option<String>>>,
    },
    /// An attribute differs.
    Attribute {
        /// Its name.
        name: String,
        /// In the first tree, as JSON; `None` where it has none.
        a: Option<Value>,
        /// In the second.
        b: Option<Value>,
    },
    /// It is stored in another way.
    Layout {
        /// In what.
        part: LayoutPart,
        /// The first array.
        a: Arc<ArraySpec>,
        /// The second.
        b: Arc<ArraySpec>,
    },
    /// Elements differ.
    Elements(ElementDiff),
    /// It cannot be read, and was not compared, or not to the end.
    Unread {
        /// In which tree; `None` where that is not known.
        side: Option<Side>,
        /// Why.
        error: Error,
    },
}

/// A part of how an array is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayoutPart {
    /// Types that hold the same values in another form: paddings, names of enum members.
    DType,
    /// The chunk grid, or that there is none.
    Chunks,
    /// The shards.
    Shards,
    /// The codecs.
    Codecs,
    /// The value of what was never written.
    FillValue,
    /// How far the array may grow.
    MaxShape,
}

/// In what the elements of two arrays differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ElementDiff {
    /// How many differ.
    pub n: u64,
    /// Of how many.
    pub n_elements: u64,
    /// The largest difference of two numbers, and where; `None` where no numbers differ.
    pub largest_absolute: Option<(f64, Place)>,
    /// The largest difference divided by the larger of both, and where.
    pub largest_relative: Option<(f64, Place)>,
    /// The first ones.
    pub first: Vec<Cell>,
}

/// Where a value is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The element.
    pub index: Vec<u64>,
    /// The member of it; empty where it is the element.
    pub member: String,
}

/// A value that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Where it is.
    pub at: Place,
    /// In the first tree, as JSON.
    pub a: Value,
    /// In the second.
    pub b: Value,
}

/// Compares the nodes `a` and `b` and all below them.
///
/// # Errors
/// What `progress` returns. What cannot be read is a [`What::Unread`] of the report.
pub fn diff(a: &Node, b: &Node, options: &mut DiffOptions<'_>) -> Result<DiffReport> {
    let mut comparison = Comparison { options, report: DiffReport::default() };
    let pairs = tree::pairs(&mut comparison, a, b)?;
    let mut progress = Progress::default();
    for pair in &pairs {
        progress.total_len_bytes = progress.total_len_bytes.saturating_add(pair.len_bytes);
    }
    for pair in pairs {
        progress.node = pair.node.clone();
        comparison.elements(&pair, &mut progress)?;
    }
    comparison.report.found.sort_by(|x, y| x.node.cmp(&y.node));
    Ok(comparison.report)
}

struct Comparison<'c, 'o> {
    options: &'c mut DiffOptions<'o>,
    report: DiffReport,
}

impl Comparison<'_, '_> {
    fn found(&mut self, node: &NodePath, what: What) {
        if self.report.found.len() < self.options.most {
            self.report.found.push(NodeDiff { node: node.clone(), what });
        } else {
            self.report.n_more += 1;
        }
    }

    /// The value; `None` where reading it failed, which is noted.
    fn read<T>(&mut self, node: &NodePath, side: Side, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.found(node, What::Unread { side: Some(side), error })).ok()
    }

    fn elements(&mut self, pair: &tree::Pair, progress: &mut Progress) -> Result<()> {
        let before = progress.done_len_bytes;
        self.tick(progress)?;
        let mut stopped = None;
        let mut on_bytes = |len: u64| {
            progress.done_len_bytes = progress.done_len_bytes.saturating_add(len);
            let told = match &mut self.options.progress {
                Some(call) => call(progress),
                None => Ok(()),
            };
            told.map_err(|error| {
                let ended = Error::new(error.kind(), error.message());
                stopped = Some(error);
                ended
            })
        };
        let settings = elements::Settings {
            relative: self.options.relative_tolerance,
            absolute: self.options.absolute_tolerance,
            nan_differs: self.options.nan_differs,
            most_cells: self.options.most_cells,
            memory_len_bytes: self.options.memory_len_bytes,
        };
        let result = elements::compare(&pair.a, &pair.b, &settings, &mut on_bytes);
        if let Some(error) = stopped {
            return Err(error);
        }
        progress.done_len_bytes = before.saturating_add(pair.len_bytes);
        match result {
            Ok(None) => {}
            Ok(Some(found)) => {
                self.report.n_elements = self.report.n_elements.saturating_add(found.n_elements);
                if found.n > 0 {
                    self.found(&pair.node, What::Elements(found));
                }
            }
            Err(error) => {
                let is_of =
                    |file: &crate::File| error.location().file.as_deref() == Some(file.path());
                let side = match (is_of(pair.a.file()), is_of(pair.b.file())) {
                    (true, false) => Some(Side::A),
                    (false, true) => Some(Side::B),
                    _ => None,
                };
                self.found(&pair.node, What::Unread { side, error });
            }
        }
        Ok(())
    }

    fn tick(&mut self, progress: &Progress) -> Result<()> {
        match &mut self.options.progress {
            Some(call) => call(progress),
            None => Ok(()),
        }
    }
}
