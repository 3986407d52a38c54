//! Labels of several axes joined to text: many where an array is filtered, and seldom looked at.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use crate::labels::{Labels, Repr};

/// One label of each column, joined.
#[derive(Clone)]
pub(super) struct Joined {
    columns: Vec<(Labels, Arc<[usize]>)>,
    sep: Arc<str>,
    made: OnceLock<Repr>,
}

impl Joined {
    /// Columns of as many positions each.
    pub(super) fn new(columns: Vec<(Labels, Arc<[usize]>)>, sep: &str) -> Self {
        Self { columns, sep: sep.into(), made: OnceLock::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.columns.first().map_or(0, |(_, positions)| positions.len())
    }

    /// The labels in memory.
    pub(super) fn made(&self) -> &Repr {
        self.made.get_or_init(|| {
            let text = |at: usize| {
                let mut text = String::new();
                for (i, (labels, positions)) in self.columns.iter().enumerate() {
                    text.push_str(if i == 0 { "" } else { &self.sep });
                    let position = positions.get(at).copied().unwrap_or(usize::MAX);
                    if let Some(label) = labels.get_ref(position) {
                        let _ = write!(text, "{label}");
                    }
                }
                text
            };
            let labels = Labels::from_strings((0..self.len()).map(text));
            labels.0.repr.clone()
        })
    }
}
