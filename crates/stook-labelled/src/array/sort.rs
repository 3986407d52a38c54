//! Elements in the order of labels, or of themselves.

use stook_core::{DType, Error, Result};

use crate::array::Array;
use crate::array::get::Keys;
use crate::axes::Order;
use crate::axis::AxisRef;
use crate::group::PositionKey;
use crate::kernels;

impl Array {
    /// With the labels of some axes in order.
    ///
    /// # Errors
    /// `NotFound` if there is no such axis.
    pub fn sort_labels<A: Into<AxisRef>>(
        &self,
        axes: impl IntoIterator<Item = A>,
        order: Order,
    ) -> Result<Self> {
        let axes: Vec<AxisRef> = axes.into_iter().map(Into::into).collect();
        self.selected(&self.axes().sorted(&axes, order)?)
    }

    /// With the labels of one axis in the order of the elements at `keys`, which leave that axis.
    ///
    /// ```
    /// use stook_labelled::{Order, ndtest};
    ///
    /// # fn main() -> stook_core::Result<()> {
    /// let array = ndtest([2, 3])?.sort_by("a0", Order::Descending)?;
    /// assert_eq!(array.to_vec::<i64>()?, [2, 1, 0, 5, 4, 3]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`Array::get`]; `InvalidInput` if other than one axis is left, `Unsupported` for
    /// elements without order.
    pub fn sort_by(&self, keys: impl Keys, order: Order) -> Result<Self> {
        let key = self.get(keys)?;
        let [axis] = key.axes().as_slice() else {
            let found = key.axes();
            return Err(Error::invalid(format!(
                "expected a key that leaves one axis, found {found}"
            )));
        };
        let at = self.axes().position_of(&AxisRef::Axis(axis.clone()))?;
        let mut positions = key.positions_sorted(AxisRef::Index(0))?.to_vec::<i64>()?;
        if order == Order::Descending {
            positions.reverse();
        }
        let mut takes = vec![None; at];
        takes.push(Some(PositionKey::List(positions)));
        self.at(&takes)
    }

    /// The elements in order along an axis, whose labels go: they count positions then.
    ///
    /// # Errors
    /// `NotFound` if there is no such axis, `Unsupported` for elements without order.
    pub fn sort_values(&self, axis: impl Into<AxisRef>, order: Order) -> Result<Self> {
        let at = self.axes().position_of(&axis.into())?;
        let axes = self.axes().with_axis(at, self.axes()[at].ignore_labels())?;
        let view = self.strided()?;
        let sorted = self.made(axes.clone(), self.dtype().clone(), |mut out| {
            kernels::sort(&view, at, &mut out)
        })?;
        if order == Order::Ascending {
            return Ok(sorted);
        }
        let at = i64::try_from(at).unwrap_or(i64::MAX);
        sorted.reverse(AxisRef::Index(at))?.with_axes(axes)
    }

    /// The positions along an axis in the order of the elements; what is no number comes last.
    ///
    /// # Errors
    /// `NotFound` if there is no such axis, `Unsupported` for elements without order.
    pub fn positions_sorted(&self, axis: impl Into<AxisRef>) -> Result<Self> {
        let at = self.axes().position_of(&axis.into())?;
        let axes = self.axes().with_axis(at, self.axes()[at].ignore_labels())?;
        let view = self.strided()?;
        self.made(axes, DType::Int64, |mut out| kernels::argsort(&view, at, &mut out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axes::AxisCollection;

    #[test]
    fn elements_are_sorted() {
        let axes = AxisCollection::parse("a=a2,a0,a1").unwrap();
        let array = Array::from_elements(axes, &[1.5, f64::NAN, -1.0]).unwrap();
        let by_label = array.sort_labels(["a"], Order::Ascending).unwrap();
        assert_eq!(by_label.to_vec::<f64>().unwrap()[1..], [-1.0, 1.5]);
        let sorted = array.sort_values("a", Order::Ascending).unwrap().to_vec::<f64>().unwrap();
        assert!(sorted[..2] == [-1.0, 1.5] && sorted[2].is_nan());
        assert_eq!(array.positions_sorted("a").unwrap().to_vec::<i64>().unwrap(), [2, 0, 1]);
        let all: [crate::Key; 0] = [];
        let by_value = array.sort_by(all, Order::Ascending).unwrap();
        assert_eq!(by_value.axes()[0].to_string(), "Axis(['a1', 'a2', 'a0'], 'a')");
    }
}
