//! What a session holds under a name.

use crate::array::Array;
use crate::axis::Axis;
use crate::group::Group;
use crate::metadata::Metadata;
use crate::scalar::Scalar;
use crate::session::Session;

/// A labelled object, or a value beside them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Item {
    /// An array, and what it says about itself.
    Array(Array, Metadata),
    /// An axis.
    Axis(Axis),
    /// A group.
    Group(Group),
    /// A value.
    Scalar(Scalar),
    /// Sessions within sessions, which no file holds.
    Session(Box<Session>),
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ItemKind {
    /// An array.
    Array,
    /// An axis.
    Axis,
    /// A group of labels or positions.
    Group,
    /// A value.
    Scalar,
    /// A session.
    Session,
}

impl Item {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> ItemKind {
        match self {
            Self::Array(..) => ItemKind::Array,
            Self::Axis(_) => ItemKind::Axis,
            Self::Group(_) => ItemKind::Group,
            Self::Scalar(_) => ItemKind::Scalar,
            Self::Session(_) => ItemKind::Session,
        }
    }

    /// What it is, as Python names its type.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Array(..) => "Array",
            Self::Axis(_) => "Axis",
            Self::Group(group) if group.is_positions() => "IGroup",
            Self::Group(_) => "LGroup",
            Self::Scalar(scalar) => scalar.type_name(),
            Self::Session(_) => "Session",
        }
    }

    /// The array, if it is one.
    #[must_use]
    pub fn as_array(&self) -> Option<&Array> {
        if let Self::Array(array, _) = self { Some(array) } else { None }
    }

    /// The axis, if it is one.
    #[must_use]
    pub fn as_axis(&self) -> Option<&Axis> {
        if let Self::Axis(axis) = self { Some(axis) } else { None }
    }

    /// The group, if it is one.
    #[must_use]
    pub fn as_group(&self) -> Option<&Group> {
        if let Self::Group(group) = self { Some(group) } else { None }
    }

    /// The value, if it is one.
    #[must_use]
    pub fn as_scalar(&self) -> Option<&Scalar> {
        if let Self::Scalar(scalar) = self { Some(scalar) } else { None }
    }

    /// Bytes of the elements of an array, or of all arrays of a session.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        match self {
            Self::Array(array, _) => array.data().items().len() + array.data().heap().len(),
            Self::Session(session) => session.n_bytes(),
            Self::Axis(_) | Self::Group(_) | Self::Scalar(_) => 0,
        }
    }
}

impl From<Array> for Item {
    fn from(array: Array) -> Self {
        Self::Array(array, Metadata::new())
    }
}

impl From<Axis> for Item {
    fn from(axis: Axis) -> Self {
        Self::Axis(axis)
    }
}

impl From<Group> for Item {
    fn from(group: Group) -> Self {
        Self::Group(group)
    }
}

impl From<Scalar> for Item {
    fn from(scalar: Scalar) -> Self {
        Self::Scalar(scalar)
    }
}

impl From<Session> for Item {
    fn from(session: Session) -> Self {
        Self::Session(Box::new(session))
    }
}

macro_rules! from_scalar {
    ($($type:ty),*) => {$(
        impl From<$type> for Item {
            fn from(value: $type) -> Self {
                Self::Scalar(value.into())
            }
        }
    )*};
}

from_scalar!(bool, i32, i64, f64, &str, String);
