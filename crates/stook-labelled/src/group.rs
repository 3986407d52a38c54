//! Groups: some labels, or positions, of an axis under a name.

use std::hash::{Hash, Hasher};

use crate::axis::AxisRef;
use crate::label::Label;
use crate::labels::Labels;

/// From where to where, both of them part of it where they are labels; `stop` is not where they
/// are positions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bounds<T> {
    /// From the first if there is none.
    pub start: Option<T>,
    /// To the last if there is none.
    pub stop: Option<T>,
    /// Every how many; 1 if there is none.
    pub step: Option<i64>,
}

impl<T> Bounds<T> {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self { start: None, stop: None, step: None }
    }

    /// Whether it is everything, in order.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.start.is_none() && self.stop.is_none() && matches!(self.step, None | Some(1))
    }
}

/// Which labels are meant.
#[derive(Clone, Debug)]
pub enum LabelKey {
    /// One.
    Scalar(Label),
    /// From one to another, both included.
    Slice(Bounds<Label>),
    /// Each of these.
    List(Labels),
}

/// Which positions are meant; negative ones count from the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PositionKey {
    /// One.
    At(i64),
    /// As a slice of Python.
    Slice(Bounds<i64>),
    /// Each of these.
    List(Vec<i64>),
}

/// What a group holds.
#[derive(Clone, Debug)]
pub enum GroupKey {
    /// Labels, sought on its axis or on whichever has them.
    Labels(LabelKey),
    /// Positions.
    Positions(PositionKey),
}

/// Some labels, or positions, of an axis.
#[derive(Clone, Debug)]
pub struct Group {
    key: GroupKey,
    name: Option<Label>,
    axis: Option<AxisRef>,
}

impl Group {
    /// A group of `key` on `axis`, or on whichever axis has its labels.
    #[must_use]
    pub fn new(key: GroupKey, name: Option<Label>, axis: Option<AxisRef>) -> Self {
        Self { key, name, axis }
    }

    /// A group of labels.
    #[must_use]
    pub fn labels(key: LabelKey, axis: Option<AxisRef>) -> Self {
        Self::new(GroupKey::Labels(key), None, axis)
    }

    /// A group of positions.
    #[must_use]
    pub fn positions(key: PositionKey, axis: Option<AxisRef>) -> Self {
        Self::new(GroupKey::Positions(key), None, axis)
    }

    /// What it holds.
    #[must_use]
    pub fn key(&self) -> &GroupKey {
        &self.key
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> Option<&Label> {
        self.name.as_ref()
    }

    /// The axis it is of, if it says so.
    #[must_use]
    pub fn axis(&self) -> Option<&AxisRef> {
        self.axis.as_ref()
    }

    /// The same labels under a name (`>>`).
    #[must_use]
    pub fn named(mut self, name: impl Into<Label>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The same labels of an axis.
    #[must_use]
    pub fn with_axis(mut self, axis: impl Into<AxisRef>) -> Self {
        self.axis = Some(axis.into());
        self
    }

    /// Whether it holds positions.
    #[must_use]
    pub fn is_positions(&self) -> bool {
        matches!(self.key, GroupKey::Positions(_))
    }

    /// The labels it means, if that can be said: those of a list; others need its axis.
    #[must_use]
    pub fn to_labels(&self) -> Option<Vec<Label>> {
        match &self.key {
            GroupKey::Labels(LabelKey::Scalar(label)) => Some(vec![label.clone()]),
            GroupKey::Labels(LabelKey::List(labels)) => Some(labels.iter().collect()),
            _ => None,
        }
    }
}

/// By what they hold, whatever they are called: a group of one label is that label.
impl PartialEq for Group {
    fn eq(&self, other: &Self) -> bool {
        match (&self.key, &other.key) {
            (GroupKey::Labels(a), GroupKey::Labels(b)) => match (a, b) {
                (LabelKey::Scalar(a), LabelKey::Scalar(b)) => a == b,
                (LabelKey::Slice(a), LabelKey::Slice(b)) => a == b,
                (LabelKey::List(a), LabelKey::List(b)) => a == b,
                _ => false,
            },
            (GroupKey::Positions(a), GroupKey::Positions(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Group {}

impl Hash for Group {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.key {
            GroupKey::Labels(LabelKey::Scalar(label)) => label.hash(state),
            GroupKey::Labels(LabelKey::Slice(bounds)) => bounds.hash(state),
            GroupKey::Labels(LabelKey::List(labels)) => {
                labels.iter_refs().for_each(|label| label.hash(state));
            }
            GroupKey::Positions(PositionKey::At(at)) => at.hash(state),
            GroupKey::Positions(PositionKey::Slice(bounds)) => bounds.hash(state),
            GroupKey::Positions(PositionKey::List(list)) => list.hash(state),
        }
    }
}
