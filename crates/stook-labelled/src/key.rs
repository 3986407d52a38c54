//! Keys: what an array is asked for, dimension by dimension or for whichever has it.

use std::sync::Arc;

use stook_core::{Error, Result};

use crate::axes::AxisCollection;
use crate::axis::Axis;
use crate::group::{Bounds, Group};
use crate::label::Label;
use crate::labels::Labels;
use crate::syntax;

/// One part of what is asked for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Key {
    /// Everything (`:`, `...`).
    All,
    /// One label.
    Label(Label),
    /// Text that is parsed when it is looked for ([`syntax::parse_key`]).
    Text(Arc<str>),
    /// From one label to another, both included.
    Slice(Bounds<Label>),
    /// Several labels.
    List(Labels),
    /// A group.
    Group(Group),
    /// The labels of an axis, on the axis of that name.
    Axis(Axis),
    /// Where it is true.
    Mask(Mask),
    /// A label for each of its own elements: its axes take the place of the one it has labels of.
    Lookup(Lookup),
}

/// Truth values over axes.
#[derive(Clone, Debug)]
pub struct Mask {
    axes: AxisCollection,
    values: Arc<[bool]>,
}

/// Labels over axes.
#[derive(Clone, Debug)]
pub struct Lookup {
    axes: AxisCollection,
    labels: Labels,
}

impl Key {
    /// The key that text is.
    ///
    /// # Errors
    /// Those of [`syntax::parse_key`].
    pub fn parse(text: &str) -> Result<Self> {
        syntax::parse_key(text)
    }

    /// As messages have it: what Python would show of it.
    #[must_use]
    pub fn repr(&self) -> String {
        match self {
            Self::All => "slice(None, None, None)".to_owned(),
            Self::Label(label) => label.repr(),
            Self::Text(text) => crate::label::LabelRef::Str(text).repr(),
            Self::Slice(bounds) => bounds.repr(Label::repr),
            Self::List(labels) => format!("[{}]", crate::repr::joined(labels)),
            Self::Group(group) => group.to_string(),
            Self::Axis(axis) => axis.to_string(),
            Self::Mask(mask) => format!("mask over {}", mask.axes),
            Self::Lookup(lookup) => format!("labels over {}", lookup.axes),
        }
    }
}

macro_rules! key_from {
    ($($rust:ty => |$value:ident| $key:expr),* $(,)?) => {$(
        impl From<$rust> for Key {
            fn from($value: $rust) -> Self {
                $key
            }
        }
    )*};
}

key_from! {
    &str => |text| Self::Text(text.into()),
    i64 => |label| Self::Label(label.into()),
    Label => |label| Self::Label(label),
    Labels => |labels| Self::List(labels),
    Group => |group| Self::Group(group),
    Axis => |axis| Self::Axis(axis),
    Mask => |mask| Self::Mask(mask),
    Lookup => |lookup| Self::Lookup(lookup),
}

impl Mask {
    /// `values` in C order over `axes`.
    ///
    /// # Errors
    /// `InvalidInput` if there is not one value for each element.
    pub fn new(axes: AxisCollection, values: impl Into<Arc<[bool]>>) -> Result<Self> {
        let values = values.into();
        check_len(&axes, values.len())?;
        Ok(Self { axes, values })
    }

    /// Its axes.
    #[must_use]
    pub fn axes(&self) -> &AxisCollection {
        &self.axes
    }

    /// Its values in C order.
    #[must_use]
    pub fn values(&self) -> &[bool] {
        &self.values
    }
}

impl Lookup {
    /// `labels` in C order over `axes`.
    ///
    /// # Errors
    /// `InvalidInput` if there is not one label for each element.
    pub fn new(axes: AxisCollection, labels: Labels) -> Result<Self> {
        check_len(&axes, labels.len())?;
        Ok(Self { axes, labels })
    }

    /// Its axes.
    #[must_use]
    pub fn axes(&self) -> &AxisCollection {
        &self.axes
    }

    /// Its labels in C order.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        &self.labels
    }
}

fn check_len(axes: &AxisCollection, len: usize) -> Result<()> {
    if axes.n_elements() == Some(len) {
        return Ok(());
    }
    Err(Error::invalid(format!("axes of shape {:?}: found {len} elements", axes.shape())))
}
