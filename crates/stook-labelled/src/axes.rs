//! The axes of an array, in order.

mod change;

use std::ops::Index;
use std::sync::Arc;

use stook_core::{Error, Result};

use crate::axis::{Axis, AxisName, AxisRef};

pub use change::Order;

/// Axes in order; cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct AxisCollection(Arc<[Axis]>);

impl AxisCollection {
    /// These axes, in this order.
    #[must_use]
    pub fn new(axes: impl Into<Arc<[Axis]>>) -> Self {
        Self(axes.into())
    }

    /// The axes that `text` describes, separated by `;`.
    ///
    /// # Errors
    /// Those of [`Axis::parse`].
    pub fn parse(text: &str) -> Result<Self> {
        text.split(';').map(|axis| Axis::parse(axis.trim())).collect()
    }

    /// The number of axes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none, as for a scalar.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both are one and the same in memory.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The axes.
    pub fn iter(&self) -> std::slice::Iter<'_, Axis> {
        self.0.iter()
    }

    /// The axes.
    #[must_use]
    pub fn as_slice(&self) -> &[Axis] {
        &self.0
    }

    /// The axis at `position`.
    #[must_use]
    pub fn get(&self, position: usize) -> Option<&Axis> {
        self.0.get(position)
    }

    /// How many labels each axis has.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        self.iter().map(Axis::len).collect()
    }

    /// The number of elements of an array with these axes; `None` if that overflows.
    #[must_use]
    pub fn n_elements(&self) -> Option<usize> {
        self.iter().try_fold(1_usize, |n, axis| n.checked_mul(axis.len()))
    }

    /// The names in order.
    #[must_use]
    pub fn names(&self) -> Vec<Option<AxisName>> {
        self.iter().map(|axis| axis.name().cloned()).collect()
    }

    /// Where the axis called `name` is.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<usize> {
        self.iter().position(|axis| axis.name().and_then(AxisName::as_str) == Some(name))
    }

    /// Where the axis that is meant is.
    ///
    /// # Errors
    /// `NotFound` for a name that no axis has, `InvalidInput` for a position out of bounds.
    pub fn position_of(&self, axis: &AxisRef) -> Result<usize> {
        self.find(axis)?
            .ok_or_else(|| Error::not_found(format!("axis '{axis}' not found in {self}")))
    }
}

impl Index<usize> for AxisCollection {
    type Output = Axis;

    /// # Panics
    /// If there is no axis at `position`.
    fn index(&self, position: usize) -> &Axis {
        &self.0[position]
    }
}

impl FromIterator<Axis> for AxisCollection {
    fn from_iter<I: IntoIterator<Item = Axis>>(axes: I) -> Self {
        Self(axes.into_iter().collect())
    }
}

impl From<Vec<Axis>> for AxisCollection {
    fn from(axes: Vec<Axis>) -> Self {
        Self(axes.into())
    }
}

impl From<Axis> for AxisCollection {
    fn from(axis: Axis) -> Self {
        Self(Arc::new([axis]))
    }
}

impl<'a> IntoIterator for &'a AxisCollection {
    type Item = &'a Axis;
    type IntoIter = std::slice::Iter<'a, Axis>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_found_by_name_position_and_themselves() {
        let axes = AxisCollection::parse("a=a0,a1;b=b0..b2;c0,c1").unwrap();
        assert_eq!(axes.shape(), [2, 3, 2]);
        assert_eq!(axes.to_string(), "{a, b, {2}}");
        assert_eq!(axes.position_of(&"b".into()).unwrap(), 1);
        assert_eq!(axes.position_of(&(-1).into()).unwrap(), 2);
        assert_eq!(axes.position_of(&axes[2].clone().into()).unwrap(), 2);
        assert!(axes.position_of(&"z".into()).is_err());
        assert!(axes.position_of(&3.into()).is_err());
        assert_eq!(axes.n_elements(), Some(12));
    }
}
