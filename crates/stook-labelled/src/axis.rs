//! An axis: labels and the name they go by.

mod change;
mod choose;

use std::fmt;
use std::sync::Arc;

use stook_core::{Error, Result};

use crate::label::Label;
use crate::labels::Labels;
use crate::syntax;

/// What an axis is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AxisName {
    /// A name.
    Text(Arc<str>),
    /// A number, which is also the axis at that position.
    Int(i64),
}

impl AxisName {
    /// The name, if it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

impl From<&str> for AxisName {
    fn from(name: &str) -> Self {
        Self::Text(name.into())
    }
}

impl From<String> for AxisName {
    fn from(name: String) -> Self {
        Self::Text(name.into())
    }
}

impl From<i64> for AxisName {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl fmt::Display for AxisName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Int(number) => number.fmt(f),
        }
    }
}

/// Labels with a name, or without; cheap to clone.
#[derive(Clone, Debug)]
pub struct Axis {
    name: Option<AxisName>,
    labels: Labels,
}

/// Which axis is meant.
#[derive(Clone, Debug)]
pub enum AxisRef {
    /// That one, or one that has its name and fits it.
    Axis(Axis),
    /// The one of that name.
    Name(Arc<str>),
    /// The one at that position; negative from the end.
    Index(i64),
}

impl Axis {
    /// An axis of `labels`.
    #[must_use]
    pub fn new(labels: Labels, name: Option<impl Into<AxisName>>) -> Self {
        Self { name: name.map(Into::into), labels }
    }

    /// An axis whose labels are positions, and fit any labels.
    #[must_use]
    pub fn wildcard(len: usize, name: Option<impl Into<AxisName>>) -> Self {
        Self::new(Labels::wildcard(len), name)
    }

    /// The axis that `text` describes: `a=a0..a2`, `1..3,7`, … ([`syntax`]).
    ///
    /// # Errors
    /// Those of [`syntax::parse_axis`].
    pub fn parse(text: &str) -> Result<Self> {
        syntax::parse_axis(text)
    }

    /// What it is called; `None` if it is anonymous.
    #[must_use]
    pub fn name(&self) -> Option<&AxisName> {
        self.name.as_ref()
    }

    /// The labels in order.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The number of labels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no label.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Whether its labels are positions only.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.labels.is_wildcard()
    }

    /// Where `label` is first.
    ///
    /// # Errors
    /// `NotFound` if it is no label of this axis.
    pub fn position(&self, label: &Label) -> Result<usize> {
        self.labels.position(label).ok_or_else(|| {
            Error::not_found(format!("`{label}` is no label of axis {}", self.display_name()))
        })
    }

    /// The same labels under another name.
    #[must_use]
    pub fn renamed(&self, name: Option<impl Into<AxisName>>) -> Self {
        Self::new(self.labels.clone(), name)
    }

    /// The same name for other labels.
    #[must_use]
    pub fn with_labels(&self, labels: Labels) -> Self {
        Self { name: self.name.clone(), labels }
    }

    /// The axis whose labels are positions, as long as this one.
    #[must_use]
    pub fn ignore_labels(&self) -> Self {
        self.with_labels(Labels::wildcard(self.len()))
    }

    /// Whether names and labels are equal, and both count positions or none does.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        self.name == other.name
            && self.is_wildcard() == other.is_wildcard()
            && self.labels == other.labels
    }

    /// Whether elements along both belong together: the same name, or none on one side, and the same
    /// labels; or one of them counts positions and both are as long, or that one has length 1.
    #[must_use]
    pub fn is_compatible(&self, other: &Self) -> bool {
        if self.labels.is_same(&other.labels) && self.name == other.name {
            return true;
        }
        if let (Some(a), Some(b)) = (&self.name, &other.name)
            && a != b
        {
            return false;
        }
        if self.is_wildcard() || other.is_wildcard() {
            return self.len() == other.len()
                || (self.is_wildcard() && self.len() == 1)
                || (other.is_wildcard() && other.len() == 1);
        }
        self.labels == other.labels
    }

    /// The name as messages have it: `{?}` if there is none, with `*` if labels are positions.
    #[must_use]
    pub fn display_name(&self) -> String {
        let star = if self.is_wildcard() { "*" } else { "" };
        match &self.name {
            Some(name) => format!("{name}{star}"),
            None => format!("{{?}}{star}"),
        }
    }
}

impl PartialEq for Axis {
    fn eq(&self, other: &Self) -> bool {
        self.equals(other)
    }
}

impl From<Axis> for AxisRef {
    fn from(axis: Axis) -> Self {
        Self::Axis(axis)
    }
}

impl From<&str> for AxisRef {
    fn from(name: &str) -> Self {
        Self::Name(name.into())
    }
}

impl From<i64> for AxisRef {
    fn from(index: i64) -> Self {
        Self::Index(index)
    }
}

impl From<AxisName> for AxisRef {
    fn from(name: AxisName) -> Self {
        match name {
            AxisName::Text(name) => Self::Name(name),
            AxisName::Int(index) => Self::Index(index),
        }
    }
}

impl fmt::Display for AxisRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Axis(axis) => f.write_str(&axis.display_name()),
            Self::Name(name) => f.write_str(name),
            Self::Index(index) => index.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_fit_what_is_as_long() {
        let a = Axis::parse("a=a0..a2").unwrap();
        assert!(a.is_compatible(&a.ignore_labels()));
        assert!(a.is_compatible(&Axis::wildcard(3, None::<AxisName>)));
        assert!(a.is_compatible(&Axis::wildcard(1, Some("a"))));
        assert!(!a.is_compatible(&Axis::wildcard(2, Some("a"))));
        assert!(!a.is_compatible(&a.renamed(Some("b"))));
        assert!(!a.is_compatible(&Axis::parse("a=a0,a1").unwrap()));
        assert!(!a.equals(&a.ignore_labels()));
        assert!(a.equals(&Axis::parse("a=a0,a1,a2").unwrap()));
    }
}
