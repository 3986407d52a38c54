//! What was kept of a session that was saved or loaded, and what was not, and why.

use std::fmt;

/// Something that a file does not hold, or that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotKept {
    /// The name of the object; empty for the session itself.
    pub name: String,
    /// Why.
    pub why: String,
}

impl fmt::Display for NotKept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            f.write_str(&self.why)
        } else {
            write!(f, "`{}`: {}", self.name, self.why)
        }
    }
}

/// What a save did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaveReport {
    /// The names of the objects that were saved, in the order of the file.
    pub saved: Vec<String>,
    /// What was not saved at all.
    pub not_saved: Vec<NotKept>,
    /// What was saved, but will be loaded as something else.
    pub changed: Vec<NotKept>,
}

/// What a load did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// The names of the objects that were loaded, in their order.
    pub loaded: Vec<String>,
    /// What is in the file and was not loaded.
    pub not_loaded: Vec<NotKept>,
}

impl SaveReport {
    /// Notes that `name` was not saved.
    pub(crate) fn skip(&mut self, name: impl Into<String>, why: impl Into<String>) {
        self.not_saved.push(NotKept { name: name.into(), why: why.into() });
    }

    /// Whether everything will come back as it was.
    #[must_use]
    pub fn is_lossless(&self) -> bool {
        self.not_saved.is_empty() && self.changed.is_empty()
    }
}

impl LoadReport {
    /// Notes that `name` was not loaded.
    pub(crate) fn skip(&mut self, name: impl Into<String>, why: impl Into<String>) {
        self.not_loaded.push(NotKept { name: name.into(), why: why.into() });
    }
}
