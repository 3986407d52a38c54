//! The same elements over other axes.

use regex::Regex;
use stook_core::{Error, Result, Values};

use crate::array::Array;
use crate::array::arithmetic::Operand;
use crate::array::get::Keys;
use crate::array::put::{fill, missing, placed};
use crate::axes::AxisCollection;
use crate::axis::{Axis, AxisName, AxisRef};
use crate::kernels::{self, Along};
use crate::labels::Labels;
use crate::plan::{Combine, CombinedLabels, Join, Placement, ReindexPlan, SplitPlan};

impl Array {
    /// With its axes in another order: those that are named first, then the others; backwards if none
    /// is named.
    ///
    /// # Errors
    /// Those of [`AxisCollection::transposed`].
    pub fn transposed<A: Into<AxisRef>>(&self, axes: impl IntoIterator<Item = A>) -> Result<Self> {
        let order: Vec<Option<AxisRef>> = axes.into_iter().map(|axis| Some(axis.into())).collect();
        self.placed(&self.axes().transposed(&order)?)
    }

    /// The elements where a plan places them.
    pub(crate) fn placed(&self, plan: &Placement) -> Result<Self> {
        if plan.is_same() && plan.source().len() == self.ndim() {
            return Self::new(plan.axes().clone(), self.data().clone());
        }
        let view = self.strided()?;
        self.made(plan.axes().clone(), self.dtype().clone(), |mut out| {
            kernels::cast(&placed(&view, plan.source(), out.shape())?, &mut out)
        })
    }

    /// The same elements over other axes of the same lengths.
    ///
    /// # Errors
    /// `InvalidInput` if the lengths differ.
    pub fn with_axes(&self, axes: AxisCollection) -> Result<Self> {
        Self::new(axes, self.data().clone())
    }

    /// With another name for an axis.
    ///
    /// # Errors
    /// `NotFound` if there is no such axis.
    pub fn rename(&self, axis: impl Into<AxisRef>, name: impl Into<AxisName>) -> Result<Self> {
        self.with_axes(self.axes().renamed(&[(axis.into(), Some(name.into()))])?)
    }

    /// With other labels on an axis.
    ///
    /// # Errors
    /// `NotFound` if there is no such axis, `InvalidInput` for another number of labels.
    pub fn set_labels(&self, axis: impl Into<AxisRef>, labels: Labels) -> Result<Self> {
        self.with_axes(self.axes().relabelled(&axis.into(), labels)?)
    }

    /// Repeated along the axes that it has not; those that are given come last, in that order.
    ///
    /// # Errors
    /// Those of [`AxisCollection::expanded`].
    pub fn expand(&self, axes: &AxisCollection) -> Result<Self> {
        self.placed(&self.axes().expanded(axes)?)
    }

    /// Without some labels.
    ///
    /// # Errors
    /// Those of [`AxisCollection::dropped`].
    pub fn drop(&self, keys: impl Keys) -> Result<Self> {
        self.selected(&self.axes().dropped(&keys.into_keys())?)
    }

    /// With an axis backwards.
    ///
    /// # Errors
    /// `NotFound` if there is no such axis.
    pub fn reverse(&self, axis: impl Into<AxisRef>) -> Result<Self> {
        self.selected(&self.axes().reversed(&[axis.into()])?)
    }

    /// Without the axes along which all elements are the same; what is no number is itself.
    ///
    /// ```
    /// use stook_labelled::{full, ndtest};
    ///
    /// # fn main() -> stook_core::Result<()> {
    /// let array = full("a=a0,a1;b=b0,b1", ndtest("b=b0,b1")?)?;
    /// assert_eq!(array.compact()?.axes().to_string(), "{b}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `LimitExceeded` if there is no memory.
    pub fn compact(&self) -> Result<Self> {
        let mut to = self.clone();
        for at in (0..self.ndim()).rev() {
            if self.axes()[at].is_empty() {
                continue;
            }
            let mut keys = vec![None; at];
            keys.push(Some(crate::PositionKey::At(0)));
            let first = to.at(&keys)?;
            let is_constant = {
                let (all, one) = (to.strided()?, first.strided()?);
                let mut with_axis = first.shape();
                with_axis.insert(at, 1);
                let one = one.with_ones(&with_axis)?;
                kernels::all_close(&all, &one, kernels::Tolerance::identical())
            };
            let is_constant = match is_constant {
                Ok(is_constant) => is_constant,
                // What has no distance is the same if its bytes are.
                Err(_) => to.all_same_along(at)?,
            };
            if is_constant {
                to = first;
            }
        }
        Ok(to)
    }

    fn all_same_along(&self, axis: usize) -> Result<bool> {
        let at = |position: i64| {
            let mut keys = vec![None; axis];
            keys.push(Some(crate::PositionKey::At(position)));
            self.at(&keys)
        };
        let first = at(0)?;
        let n = i64::try_from(self.axes()[axis].len()).unwrap_or(i64::MAX);
        for position in 1..n {
            if at(position)?.data() != first.data() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// With several axes as one, where the first of them is, its labels theirs with `sep` between them.
    ///
    /// ```
    /// use stook_labelled::ndtest;
    ///
    /// # fn main() -> stook_core::Result<()> {
    /// let array = ndtest([2, 2])?;
    /// let combined = array.combine_axes(["a", "b"], "_")?;
    /// assert_eq!(combined.axes().info(), "4\n a_b [4]: 'a0_b0' 'a0_b1' 'a1_b0' 'a1_b1'");
    /// assert!(combined.split_axis("a_b", "_")?.equals(&array));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`AxisCollection::combined`].
    pub fn combine_axes<A: Into<AxisRef>>(
        &self,
        axes: impl IntoIterator<Item = A>,
        sep: &str,
    ) -> Result<Self> {
        let axes = axes.into_iter().map(Into::into).collect();
        let part = Combine { axes, name: None };
        let plan = self.axes().combined(&[part], CombinedLabels::Joined(sep))?;
        let view = self.strided()?.transposed(plan.permutation())?;
        let lens = view.shape().to_vec();
        self.made(plan.axes().clone(), self.dtype().clone(), |out| {
            kernels::cast(&view, &mut out.reshaped(&lens)?)
        })
    }

    /// With an axis taken apart where its name and its labels have `sep`. What has no element is not a
    /// number.
    ///
    /// # Errors
    /// Those of [`AxisCollection::split_at`].
    pub fn split_axis(&self, axis: impl Into<AxisRef>, sep: &str) -> Result<Self> {
        let at = self.axes().position_of(&axis.into())?;
        self.split_by(&self.axes().split_at(at, sep, None)?)
    }

    /// With an axis taken apart into axes of these names: the parts of a label are what the groups of
    /// a regular expression match at its beginning. What has no element is not a number.
    ///
    /// ```
    /// use stook_labelled::ndtest;
    ///
    /// # fn main() -> stook_core::Result<()> {
    /// let array = ndtest("sex_age=M20,M30,F20,F30")?;
    /// let split = array.split_axis_by_regex("sex_age", r"(\w)(\d+)", &["sex", "age"])?;
    /// assert_eq!(split.axes().info(), "2 x 2\n sex [2]: 'M' 'F'\n age [2]: '20' '30'");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`AxisCollection::split`]; `InvalidInput` for what is no regular expression, or does not
    /// match a label.
    pub fn split_axis_by_regex(
        &self,
        axis: impl Into<AxisRef>,
        regex: &str,
        names: &[&str],
    ) -> Result<Self> {
        let at = self.axes().position_of(&axis.into())?;
        let rule = Regex::new(&format!("^(?:{regex})"))
            .map_err(|error| Error::invalid(format!("`{regex}`: {error}")))?;
        let names: Vec<AxisName> = names.iter().copied().map(AxisName::from).collect();
        let labels = self.axes().get(at).map(Axis::labels);
        let mut labels = labels.into_iter().flat_map(Labels::iter_refs);
        if let Some(label) = labels.find(|label| !rule.is_match(&label.to_string())) {
            return Err(Error::invalid(format!("`{label}` is not of the form `{regex}`")));
        }
        let plan = self.axes().split(at, &names, |label| {
            let found = rule.captures(label)?;
            let parts = found.iter().skip(1);
            Some(parts.map(|part| part.map_or("", |part| part.as_str()).to_owned()).collect())
        })?;
        self.split_by(&plan)
    }

    /// With an axis taken apart as a plan says.
    pub(crate) fn split_by(&self, plan: &SplitPlan) -> Result<Self> {
        let Some(positions) = plan.positions() else {
            let shape = kernels::as_shape(&plan.axes().shape());
            return Self::new(plan.axes().clone(), Values::clone(self.data()).reshaped(shape)?);
        };
        let positions: Vec<Option<usize>> = positions.to_vec();
        let mut shape = self.shape();
        if let Some(len) = shape.get_mut(plan.axis()) {
            *len = positions.len();
        }
        let mut along = vec![None; shape.len()];
        if let Some(place) = along.get_mut(plan.axis()) {
            *place = Some(positions.as_slice());
        }
        let nothing = missing(self.dtype())?;
        self.picked_or(plan.axes().clone(), &shape, &along, &nothing)
    }

    /// With other labels on an axis; elements go with theirs, and those of labels that it has not are
    /// `fill_value`.
    ///
    /// ```
    /// use stook_labelled::{Axis, ndtest};
    ///
    /// # fn main() -> stook_core::Result<()> {
    /// let array = ndtest([3])?.reindex("a", &Axis::parse("a=a2,a9,a0")?, -1)?;
    /// assert_eq!(array.to_vec::<i64>()?, [2, -1, 0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound` if there is no such axis, `Unsupported` if no type holds both the elements and the
    /// value.
    pub fn reindex<'v>(
        &self,
        axis: impl Into<AxisRef>,
        labels: &Axis,
        fill_value: impl Into<Operand<'v>>,
    ) -> Result<Self> {
        let plan = self.axes().reindexed(&[(axis.into(), labels.clone())])?;
        self.reindexed(&plan, fill_value)
    }

    /// The elements where a plan, made for the axes of this array, has their labels.
    ///
    /// # Errors
    /// As of [`Array::reindex`].
    pub fn reindexed<'v>(
        &self,
        plan: &ReindexPlan,
        fill_value: impl Into<Operand<'v>>,
    ) -> Result<Self> {
        let along: Vec<Option<&[Option<usize>]>> =
            plan.positions().iter().map(Option::as_deref).collect();
        let value = fill_value.into().resolved(self.dtype())?;
        self.picked_or(plan.axes().clone(), &plan.axes().shape(), &along, &value)
    }

    /// Both arrays with the labels that the axes of both have together.
    ///
    /// # Errors
    /// Those of [`AxisCollection::joined`] and of [`Array::reindex`].
    pub fn align<'v>(
        &self,
        other: &Self,
        how: Join,
        fill_value: impl Into<Operand<'v>>,
    ) -> Result<(Self, Self)> {
        let (own, theirs) = self.axes().joined(other.axes(), how, None)?;
        let value = fill_value.into();
        Ok((self.reindexed(&own, value.clone())?, other.reindexed(&theirs, value)?))
    }

    /// The elements at positions of each axis, and `value` where there is no position. `shape` is the
    /// number of positions, with as many elements as `axes`.
    fn picked_or(
        &self,
        axes: AxisCollection,
        shape: &[usize],
        along: &[Option<&[Option<usize>]>],
        value: &Self,
    ) -> Result<Self> {
        let lens = self.shape();
        let sides: Vec<Option<(Vec<usize>, Vec<usize>)>> =
            along.iter().map(|positions| positions.map(sides)).collect();
        let has_missing = along.iter().flatten().any(|positions| positions.contains(&None));
        let dtype = if has_missing {
            kernels::promote(self.dtype(), value.dtype())?
        } else {
            self.dtype().clone()
        };
        let (from, to): (Vec<Along<'_>>, Vec<Along<'_>>) = sides
            .iter()
            .zip(&lens)
            .map(|(sides, &len)| match sides {
                Some((from, to)) => (Along::Positions(from), Along::Positions(to)),
                None => (Along::all(len), Along::all(len)),
            })
            .unzip();
        let source = if dtype == *self.dtype() { self.clone() } else { self.astype(&dtype)? };
        if dtype.has_heap() && has_missing && !value.data().heap().is_empty() {
            return Err(Error::unsupported("text in the place of missing text"));
        }
        let value = if has_missing { Some(value.astype(&dtype)?) } else { None };
        let view = source.strided()?;
        source.made(axes, dtype.clone(), |out| {
            let mut out = out.reshaped(shape)?;
            if let Some(value) = &value {
                fill(&mut out, value)?;
            }
            let picked = kernels::picked_shape(view.shape(), &from)?;
            let part = kernels::filled(dtype.clone(), &picked, |mut part| {
                kernels::take(&view, &from, &mut part)
            })?;
            kernels::put(&mut out, &to, &kernels::Strided::of(&part)?)
        })
    }
}

/// Where elements come from, and where they go.
fn sides(positions: &[Option<usize>]) -> (Vec<usize>, Vec<usize>) {
    positions.iter().enumerate().filter_map(|(to, from)| from.map(|from| (from, to))).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::create::ndtest;

    fn ints(array: Result<Array>) -> Vec<i64> {
        array.unwrap().to_vec().unwrap()
    }

    #[test]
    fn axes_change_their_order_names_and_labels() {
        let array = ndtest([2, 3]).unwrap();
        assert_eq!(ints(array.transposed(["b"])), [0, 3, 1, 4, 2, 5]);
        assert_eq!(ints(array.transposed([""; 0])), [0, 3, 1, 4, 2, 5]);
        assert_eq!(array.rename("a", "z").unwrap().axes().to_string(), "{z, b}");
        let labels = Labels::from_strings(["x", "y"]);
        assert_eq!(ints(array.set_labels("a", labels).unwrap().get("y")), [3, 4, 5]);
        assert_eq!(ints(array.drop("b1")), [0, 2, 3, 5]);
        assert_eq!(ints(array.reverse("a")), [3, 4, 5, 0, 1, 2]);
        let wide = ndtest([2]).unwrap().expand(&AxisCollection::parse("c=c0,c1").unwrap());
        assert_eq!(ints(wide), [0, 0, 1, 1]);
    }

    #[test]
    fn arrays_are_aligned_by_their_labels() {
        let array = ndtest("a=a0..a2").unwrap();
        let other = ndtest("a=a1..a3").unwrap();
        let (a, b) = array.align(&other, Join::Outer, 0).unwrap();
        assert_eq!((ints(Ok(a)), ints(Ok(b))), (vec![0, 1, 2, 0], vec![0, 0, 1, 2]));
        let (a, b) = array.align(&other, Join::Inner, f64::NAN).unwrap();
        assert_eq!((ints(Ok(a)), ints(Ok(b))), (vec![1, 2], vec![0, 1]));
        let (a, _) = array.align(&other, Join::Outer, f64::NAN).unwrap();
        assert!(a.element::<f64>("a3").unwrap().is_nan());
    }

    #[test]
    fn constant_axes_go() {
        let array = crate::full("a=a0,a1;b=b0,b1", f64::NAN).unwrap();
        assert_eq!(array.compact().unwrap().ndim(), 0);
        let texts = crate::full("a=a0,a1", "x").unwrap();
        assert_eq!(texts.compact().unwrap().ndim(), 0);
        assert_eq!(ndtest([2, 2]).unwrap().compact().unwrap().ndim(), 2);
    }
}
