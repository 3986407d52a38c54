//! What elements are relative to others along an axis.

use stook_core::{Error, Result};

use crate::array::Array;
use crate::array::aggregate::Overs;
use crate::axis::AxisRef;
use crate::group::{Bounds, PositionKey};

/// Which label a difference of two elements has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DifferenceLabel {
    /// That of the element that comes later.
    #[default]
    Upper,
    /// That of the element that comes before.
    Lower,
}

impl Array {
    /// The elements as parts of their sum over axes, or over all axes for `()`.
    ///
    /// # Errors
    /// Those of [`Array::sum`].
    pub fn ratio(&self, over: impl Overs) -> Result<Self> {
        self.divided_by(self.sum(over)?)?.transposed_like(self)
    }

    /// The same in hundredths.
    ///
    /// # Errors
    /// Those of [`Array::sum`].
    pub fn percent(&self, over: impl Overs) -> Result<Self> {
        self.ratio(over)?.times(100)
    }

    /// The elements as parts of their sum over axes; 0 where that is 0.
    ///
    /// # Errors
    /// Those of [`Array::sum`].
    pub fn ratio_not_by_zero(&self, over: impl Overs) -> Result<Self> {
        self.divided_not_by_zero(self.sum(over)?)
    }

    fn transposed_like(self, other: &Self) -> Result<Self> {
        let order = other.axes().iter().map(|axis| AxisRef::Axis(axis.clone()));
        if self.axes().names() == other.axes().names() { Ok(self) } else { self.transposed(order) }
    }

    /// The elements without the first (`distance` positive) and without the last ones along an axis.
    fn shifted_pair(&self, axis: usize, distance: usize) -> Result<(Self, Self)> {
        let distance = i64::try_from(distance).unwrap_or(i64::MAX);
        let part = |start, stop| {
            let mut keys = vec![None; axis];
            keys.push(Some(PositionKey::Slice(Bounds { start, stop, step: None })));
            self.at(&keys)
        };
        let len = i64::try_from(self.axes()[axis].len()).unwrap_or(i64::MAX);
        Ok((part(Some(distance), None)?, part(None, Some((len - distance).max(0)))?))
    }

    /// The differences of elements that are `distance` apart along an axis.
    ///
    /// ```
    /// use stook_labelled::{DifferenceLabel, sequence};
    ///
    /// # fn main() -> stook_core::Result<()> {
    /// let array = sequence("year=2015..2018", 5, 2)?;
    /// let difference = array.diff("year", 1, DifferenceLabel::Upper)?;
    /// assert_eq!(difference.to_string(), "year  2016  2017  2018\n         2     2     2");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound` if there is no such axis, `Unsupported` for what cannot be subtracted.
    pub fn diff(
        &self,
        axis: impl Into<AxisRef>,
        distance: usize,
        label: DifferenceLabel,
    ) -> Result<Self> {
        self.against_earlier(axis, (distance, label), |later, before| later.minus(before))
    }

    /// The differences as parts of the elements that come before.
    ///
    /// # Errors
    /// As of [`Array::diff`].
    pub fn growth_rate(
        &self,
        axis: impl Into<AxisRef>,
        distance: usize,
        label: DifferenceLabel,
    ) -> Result<Self> {
        let growth = |later: &Self, before: &Self| later.minus(before)?.divided_by(before);
        self.against_earlier(axis, (distance, label), growth)
    }

    /// What `f` makes of elements and those that come before them.
    fn against_earlier(
        &self,
        axis: impl Into<AxisRef>,
        (distance, label): (usize, DifferenceLabel),
        f: impl FnOnce(&Self, &Self) -> Result<Self>,
    ) -> Result<Self> {
        let axis = self.axes().position_of(&axis.into())?;
        let (later, before) = self.shifted_pair(axis, distance)?;
        let axes = if label == DifferenceLabel::Upper { later.axes() } else { before.axes() };
        f(&later, &before.with_axes(later.axes().clone())?)?.with_axes(axes.clone())
    }

    /// The elements with the labels that come `by` later along an axis; those that have none go.
    ///
    /// # Errors
    /// `NotFound` if there is no such axis.
    pub fn shift(&self, axis: impl Into<AxisRef>, by: i64) -> Result<Self> {
        let axis = self.axes().position_of(&axis.into())?;
        let distance = usize::try_from(by.unsigned_abs())
            .map_err(|_| Error::limit(format!("a shift by {by}")))?;
        let (later, before) = self.shifted_pair(axis, distance)?;
        if by >= 0 {
            before.with_axes(later.axes().clone())
        } else {
            later.with_axes(before.axes().clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::create::ndtest;

    #[test]
    fn elements_are_compared_with_others_along_an_axis() {
        let array = ndtest([2, 4]).unwrap();
        let ints = |array: Result<Array>| array.unwrap().to_vec::<i64>().unwrap();
        assert_eq!(ints(array.diff("b", 2, DifferenceLabel::Lower)), [2; 4]);
        assert_eq!(ints(array.shift("b", 1)), [0, 1, 2, 4, 5, 6]);
        assert_eq!(
            array.shift("b", 1).unwrap().axes()[1].to_string(),
            "Axis(['b1', 'b2', 'b3'], 'b')"
        );
        assert_eq!(ints(array.shift("b", -1)), [1, 2, 3, 5, 6, 7]);
        assert_eq!(ints(array.shift("b", 9)), [0_i64; 0]);
        let growth = array.growth_rate("b", 1, DifferenceLabel::Upper).unwrap();
        assert_eq!(growth.get("a1").unwrap().to_vec::<f64>().unwrap(), [0.25, 0.2, 1.0 / 6.0]);
        let ratio = array.ratio("b").unwrap().get("a0").unwrap();
        assert_eq!(ratio.to_vec::<f64>().unwrap(), [0.0, 1.0 / 6.0, 2.0 / 6.0, 0.5]);
        assert_eq!(array.ratio(()).unwrap().sum(()).unwrap().item::<f64>().unwrap(), 1.0);
    }
}
