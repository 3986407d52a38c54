//! Arrays put together along an axis.

use stook_core::{Error, Result};

use crate::array::Array;
use crate::array::arithmetic::Operand;
use crate::array::put::placed;
use crate::axes::AxisCollection;
use crate::axis::{Axis, AxisRef};
use crate::kernels;
use crate::label::Label;
use crate::labels::Labels;
use crate::plan::ConcatPlan;

/// Arrays one after the other along an axis that the first of them has.
///
/// ```
/// use stook_labelled::{concat, ndtest};
///
/// # fn main() -> stook_core::Result<()> {
/// let all = concat(&[&ndtest("a=a0,a1")?, &ndtest("a=a2..a4")?], "a")?;
/// assert_eq!(all.to_vec::<i64>()?, [0, 1, 0, 1, 2]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Those of [`AxisCollection::concatenated`]; `Unsupported` if no type holds the elements of all.
pub fn concat(arrays: &[&Array], axis: impl Into<AxisRef>) -> Result<Array> {
    let parts: Vec<(&AxisCollection, Option<Labels>)> =
        arrays.iter().map(|array| (array.axes(), None)).collect();
    join(arrays, &AxisCollection::concatenated(&parts, &axis.into())?)
}

/// Arrays beside one another along a new axis, which comes last and has a label for each of them.
///
/// ```
/// use stook_labelled::{Axis, ndtest, stack};
///
/// # fn main() -> stook_core::Result<()> {
/// let (one, two) = (ndtest("a=a0,a1")?, ndtest("a=a0,a1")?.plus(5)?);
/// let both = stack(&[&one, &two], &Axis::parse("sex=M,F")?)?;
/// assert_eq!(both.to_string(), "a\\sex  M  F\n   a0  0  5\n   a1  1  6");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Those of [`AxisCollection::stacked`]; `Unsupported` if no type holds the elements of all.
pub fn stack(arrays: &[&Array], axis: &Axis) -> Result<Array> {
    let parts: Vec<&AxisCollection> = arrays.iter().map(|array| array.axes()).collect();
    join(arrays, &AxisCollection::stacked(&parts, axis)?)
}

fn join(arrays: &[&Array], plan: &ConcatPlan) -> Result<Array> {
    let [first, rest @ ..] = arrays else {
        return Err(Error::invalid("expected arrays to put together, found none"));
    };
    let mut dtype = first.dtype().clone();
    for array in rest {
        dtype = kernels::promote(&dtype, array.dtype())?;
    }
    if dtype.has_heap() {
        return join_texts(arrays, plan);
    }
    first.made(plan.axes().clone(), dtype, |mut out| {
        let mut start = 0;
        for (array, part) in arrays.iter().zip(plan.parts()) {
            let shape = part.axes().shape();
            let len = shape.get(plan.axis()).copied().unwrap_or(0);
            let mut to = out.reborrow().sliced(plan.axis(), start, 1, len)?;
            kernels::cast(&placed(&array.strided()?, part.source(), &shape)?, &mut to)?;
            start += len;
        }
        Ok(())
    })
}

/// Texts are put together by writing each part to empty ones.
fn join_texts(arrays: &[&Array], plan: &ConcatPlan) -> Result<Array> {
    let dtype = arrays.first().map_or(stook_core::DType::string(), |array| array.dtype().clone());
    let mut to = crate::zeros(plan.axes(), dtype)?;
    let mut start = 0;
    for (array, part) in arrays.iter().zip(plan.parts()) {
        let len = part.axes().shape().get(plan.axis()).copied().unwrap_or(0);
        let stop = start + len;
        let bound = |at: usize| i64::try_from(at).ok();
        let mut keys = vec![None; plan.axis()];
        keys.push(Some(crate::PositionKey::Slice(crate::Bounds {
            start: bound(start),
            stop: bound(stop),
            step: None,
        })));
        let part_array = array.placed(part)?;
        let target = to.axes().select_positions(&keys)?;
        let part_array = part_array.with_axes(target.axes().clone())?;
        to.set_selected(&target, &part_array)?;
        start = stop;
    }
    Ok(to)
}

impl Array {
    /// With `value`, a number or an array that may have the axis, after the last label of an axis.
    ///
    /// # Errors
    /// Those of [`concat()`].
    pub fn append<'v>(
        &self,
        axis: impl Into<AxisRef>,
        value: impl Into<Operand<'v>>,
        label: impl Into<Label>,
    ) -> Result<Self> {
        let axis = axis.into();
        let len = self.axes()[self.axes().position_of(&axis)?].len();
        self.insert(axis, len, value, label)
    }

    /// With `value`, a number or an array without the axis, before the label at a position of an axis.
    ///
    /// # Errors
    /// Those of [`concat()`], and `InvalidInput` for a position past the end.
    pub fn insert<'v>(
        &self,
        axis: impl Into<AxisRef>,
        position: usize,
        value: impl Into<Operand<'v>>,
        label: impl Into<Label>,
    ) -> Result<Self> {
        let axis = axis.into();
        let at = self.axes().position_of(&axis)?;
        let value = value.into().resolved(self.dtype())?.into_owned();
        let len = self.axes()[at].len();
        let rest = len.checked_sub(position).ok_or_else(|| {
            Error::invalid(format!("position {position} is out of bounds for {len} labels"))
        })?;
        let part = |start: usize, len: usize| {
            let mut takes: Vec<Option<crate::PositionKey>> = vec![None; at];
            let bound = |at: usize| i64::try_from(at).ok();
            takes.push(Some(crate::PositionKey::Slice(crate::Bounds {
                start: bound(start),
                stop: bound(start + len),
                step: None,
            })));
            self.at(&takes)
        };
        let (before, after) = (part(0, position)?, part(position, rest)?);
        let new = Labels::from_labels(vec![label.into()]);
        let parts = [(before.axes(), None), (value.axes(), Some(new)), (after.axes(), None)];
        let plan = AxisCollection::concatenated(&parts, &axis)?;
        join(&[&before, &value, &after], &plan)
    }

    /// With another array, which has the axis, after it.
    ///
    /// # Errors
    /// Those of [`concat()`].
    pub fn extend(&self, axis: impl Into<AxisRef>, other: &Self) -> Result<Self> {
        concat(&[self, other], axis)
    }

    /// With the sum over an axis after its last label.
    ///
    /// # Errors
    /// Those of [`Array::sum`] and [`concat()`].
    pub fn with_total(&self, axis: &str, label: impl Into<Label>) -> Result<Self> {
        self.append(axis, self.sum(axis)?, label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::create::ndtest;

    #[test]
    fn arrays_are_put_together() {
        let array = ndtest([2, 2]).unwrap();
        let ints = |array: Result<Array>| array.unwrap().to_vec::<i64>().unwrap();
        assert_eq!(ints(array.append("b", 9, "b2")), [0, 1, 9, 2, 3, 9]);
        assert_eq!(ints(array.insert("a", 1, array.get("a0").unwrap(), "x")), [0, 1, 0, 1, 2, 3]);
        assert_eq!(ints(array.with_total("a", "total")), [0, 1, 2, 3, 2, 4]);
        assert_eq!(ints(array.extend("b", &array)), [0, 1, 0, 1, 2, 3, 2, 3]);
        assert!(array.insert("a", 3, 1, "x").is_err());
        let mixed = array.append("a", 0.5, "half").unwrap();
        assert_eq!(mixed.to_vec::<f64>().unwrap(), [0.0, 1.0, 2.0, 3.0, 0.5, 0.5]);
    }

    #[test]
    fn texts_are_put_together() {
        let one = crate::full("a=a0,a1", "x").unwrap();
        let two = crate::full("a=a2", "yy").unwrap();
        let all = concat(&[&one, &two], "a").unwrap();
        assert_eq!(all.texts().unwrap(), ["x", "x", "yy"]);
        let both = stack(&[&one, &one], &Axis::parse("c=c0,c1").unwrap()).unwrap();
        assert_eq!(both.texts().unwrap(), ["x"; 4]);
    }
}
