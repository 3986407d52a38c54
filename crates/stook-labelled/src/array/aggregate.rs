//! Aggregates over axes and groups, and what runs along an axis.

use stook_core::{DType, Error, Result, Values};

use crate::array::Array;
use crate::array::get::along;
use crate::axis::{Axis, AxisRef};
use crate::group::Group;
use crate::kernels::{
    self, Along, Extreme, Missing, Quantile, Reduction, Scan, Strided, StridedMut,
};
use crate::label::Label;
use crate::labels::Labels;
use crate::plan::{AggregatePlan, AggregateStep, Over, Take};

/// What is aggregated over: nothing for all axes, one thing, or several in a tuple or vector. Text is
/// the name of an axis, or keys as in [`crate::syntax`], several groups separated by `;`.
pub trait Overs {
    /// What it is in order.
    fn into_overs(self) -> Vec<Over>;
}

impl Overs for () {
    fn into_overs(self) -> Vec<Over> {
        Vec::new()
    }
}

impl From<&str> for Over {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<AxisRef> for Over {
    fn from(axis: AxisRef) -> Self {
        Self::Axis(axis)
    }
}

impl From<Axis> for Over {
    fn from(axis: Axis) -> Self {
        Self::Axis(axis.into())
    }
}

impl From<Group> for Over {
    fn from(group: Group) -> Self {
        Self::Group(group.into())
    }
}

impl From<Vec<Group>> for Over {
    fn from(groups: Vec<Group>) -> Self {
        Self::Groups(groups.into_iter().map(Into::into).collect())
    }
}

macro_rules! one_over {
    ($($rust:ty),*) => {$(
        impl Overs for $rust {
            fn into_overs(self) -> Vec<Over> {
                vec![self.into()]
            }
        }
    )*};
}

one_over!(&str, AxisRef, Axis, Group, Over, Vec<Group>);

macro_rules! several_overs {
    ($($name:ident),*) => {
        impl<$($name: Into<Over>),*> Overs for ($($name,)*) {
            #[expect(non_snake_case, reason = "each thing is called as its type is")]
            fn into_overs(self) -> Vec<Over> {
                let ($($name,)*) = self;
                vec![$($name.into()),*]
            }
        }
    };
}

several_overs!(A);
several_overs!(A, B);
several_overs!(A, B, C);
several_overs!(A, B, C, D);

impl Overs for Vec<Over> {
    fn into_overs(self) -> Vec<Over> {
        self
    }
}

impl<const N: usize> Overs for [&str; N] {
    fn into_overs(self) -> Vec<Over> {
        self.into_iter().map(Into::into).collect()
    }
}

/// How an aggregate is made.
#[derive(Clone, Debug, Default)]
pub struct AggregateOptions {
    /// What becomes of what is no number: it is left out unless this says otherwise.
    pub missing: Missing,
    /// The label of axes that are aggregated over: they stay, with length 1.
    pub keep_axes: Option<Label>,
}

/// What elements become.
#[derive(Clone, Copy)]
enum Kind {
    Reduction(Reduction),
    Quantile(f64, Quantile),
}

impl Kind {
    fn dtype(self, dtype: &DType) -> Result<DType> {
        match self {
            Self::Reduction(op) => kernels::reduction_dtype(op, dtype),
            Self::Quantile(_, method) => kernels::quantile_dtype(method, dtype),
        }
    }

    fn run(
        self,
        view: &Strided<'_>,
        axes: &[usize],
        missing: Missing,
        out: StridedMut<'_>,
    ) -> Result<()> {
        match self {
            Self::Reduction(op) => {
                let mut out = out;
                kernels::reduce(op, view, axes, missing, &mut out)
            }
            Self::Quantile(q, method) => {
                let mut out = out.with_front_axis();
                kernels::quantile(view, &[q], axes, (method, missing), &mut out)
            }
        }
    }
}

impl Array {
    /// An aggregate over axes and groups, with options.
    ///
    /// ```
    /// use stook_labelled::kernels::{Missing, Reduction};
    /// use stook_labelled::{AggregateOptions, ndtest};
    ///
    /// # fn main() -> stook_core::Result<()> {
    /// let array = ndtest([2, 4])?;
    /// let options = AggregateOptions { keep_axes: Some("total".into()), ..Default::default() };
    /// let total = array.aggregate(Reduction::Sum, "b", &options)?;
    /// assert_eq!(total.axes().info(), "2 x 1\n a [2]: 'a0' 'a1'\n b [1]: 'total'");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`AxisCollection::aggregate`](crate::AxisCollection::aggregate), and `Unsupported` if
    /// the aggregate does not know the type of the elements.
    pub fn aggregate(
        &self,
        op: Reduction,
        over: impl Overs,
        options: &AggregateOptions,
    ) -> Result<Self> {
        let plan = self.axes().aggregate(&over.into_overs(), options.keep_axes.as_ref())?;
        self.aggregated(&plan, Kind::Reduction(op), options.missing)
    }

    /// An aggregate over all axes but those, or the axes of those groups, that are named.
    ///
    /// # Errors
    /// Those of [`Array::aggregate`].
    pub fn aggregate_by(
        &self,
        op: Reduction,
        by: impl Overs,
        options: &AggregateOptions,
    ) -> Result<Self> {
        let plan = self.axes().aggregate_by(&by.into_overs(), options.keep_axes.as_ref())?;
        self.aggregated(&plan, Kind::Reduction(op), options.missing)
    }

    /// The element below which `percent` of the elements are, between the two next to it.
    ///
    /// # Errors
    /// Those of [`Array::aggregate`], and `InvalidInput` for what is not between 0 and 100.
    pub fn percentile(&self, percent: f64, over: impl Overs) -> Result<Self> {
        let options = AggregateOptions::default();
        self.percentile_with(percent, over, Quantile::Linear, &options)
    }

    /// The same by a method, with options.
    ///
    /// # Errors
    /// Those of [`Array::percentile`].
    pub fn percentile_with(
        &self,
        percent: f64,
        over: impl Overs,
        method: Quantile,
        options: &AggregateOptions,
    ) -> Result<Self> {
        let plan = self.axes().aggregate(&over.into_overs(), options.keep_axes.as_ref())?;
        self.aggregated(&plan, Kind::Quantile(percent / 100.0, method), options.missing)
    }

    /// The same over all axes but those that are named.
    ///
    /// # Errors
    /// Those of [`Array::percentile`].
    pub fn percentile_by(&self, percent: f64, by: impl Overs) -> Result<Self> {
        let plan = self.axes().aggregate_by(&by.into_overs(), None)?;
        self.aggregated(&plan, Kind::Quantile(percent / 100.0, Quantile::Linear), Missing::Skip)
    }

    /// The elements along each axis step by step.
    fn aggregated(&self, plan: &AggregatePlan, kind: Kind, missing: Missing) -> Result<Self> {
        let mut data: Option<Values> = None;
        for step in plan.steps() {
            let before = data.as_ref().unwrap_or(self.data());
            data = Some(one_step(&Strided::of(before)?, step, kind, missing)?);
        }
        match data {
            Some(data) => Self::new(plan.axes().clone(), data),
            None => Ok(self.clone()),
        }
    }

    /// What runs along an axis.
    fn scanned(&self, op: Scan, axis: impl Into<AxisRef>) -> Result<Self> {
        let axis = self.axes().position_of(&axis.into())?;
        let dtype = kernels::scan_dtype(self.dtype())?;
        let view = self.strided()?;
        self.made(self.axes().clone(), dtype, |mut out| kernels::scan(op, &view, axis, &mut out))
    }

    /// The sums of all elements so far along an axis.
    ///
    /// # Errors
    /// `NotFound` if there is no such axis, `Unsupported` for what is no number.
    pub fn cumsum(&self, axis: impl Into<AxisRef>) -> Result<Self> {
        self.scanned(Scan::Sum, axis)
    }

    /// The products of all elements so far along an axis.
    ///
    /// # Errors
    /// `NotFound` if there is no such axis, `Unsupported` for what is no number.
    pub fn cumprod(&self, axis: impl Into<AxisRef>) -> Result<Self> {
        self.scanned(Scan::Product, axis)
    }

    /// The position along an axis of the smallest or the largest element, the first of them.
    ///
    /// # Errors
    /// `NotFound` if there is no such axis, `Unsupported` for elements without order, `InvalidInput`
    /// where there is no element that is a number.
    pub fn positions_of(&self, which: Extreme, axis: impl Into<AxisRef>) -> Result<Self> {
        let axis = self.axes().position_of(&axis.into())?;
        let view = self.strided()?;
        let rest = self.axes().iter().enumerate().filter(|(at, _)| *at != axis);
        let rest = rest.map(|(_, axis)| axis.clone()).collect();
        self.made(rest, DType::Int64, |mut out| {
            kernels::arg_extreme(which, &view, &[axis], Missing::Skip, &mut out)
        })
    }

    /// The label along an axis of the smallest or the largest element, the first of them, in C order
    /// of the other axes.
    ///
    /// # Errors
    /// Those of [`Array::positions_of`].
    pub fn labels_of(&self, which: Extreme, axis: impl Into<AxisRef>) -> Result<Labels> {
        let axis = axis.into();
        let at = self.axes().position_of(&axis)?;
        let positions = self.positions_of(which, axis)?.to_vec::<i64>()?;
        let positions: Vec<usize> =
            positions.into_iter().filter_map(|at| usize::try_from(at).ok()).collect();
        self.axes()[at].labels().take(&positions)
    }
}

fn one_step(
    view: &Strided<'_>,
    step: &AggregateStep,
    kind: Kind,
    missing: Missing,
) -> Result<Values> {
    let dtype = kind.dtype(view.dtype())?;
    match step {
        AggregateStep::Axes { axes, is_kept } => {
            let lens = view.shape().iter().enumerate().filter(|(at, _)| !axes.contains(at));
            let shape: Vec<usize> = lens.map(|(_, &len)| len).collect();
            let data = kernels::filled(dtype, &shape, |out| kind.run(view, axes, missing, out))?;
            if !is_kept {
                return Ok(data);
            }
            let lens = view.shape().iter().enumerate();
            let kept = lens.map(|(at, &len)| if axes.contains(&at) { 1 } else { len as u64 });
            data.reshaped(kept.collect())
        }
        AggregateStep::Groups { axis, groups, is_kept } => {
            let mut shape = view.shape().to_vec();
            match shape.get_mut(*axis) {
                Some(len) => *len = groups.len(),
                None => return Err(Error::invalid(format!("there is no axis {axis}"))),
            }
            let data = kernels::filled(dtype, &shape, |mut out| {
                by_groups(view, (*axis, groups), kind, missing, &mut out)
            })?;
            if *is_kept {
                return Ok(data);
            }
            shape.remove(*axis);
            data.reshaped(kernels::as_shape(&shape))
        }
    }
}

fn by_groups(
    view: &Strided<'_>,
    (axis, groups): (usize, &[Take]),
    kind: Kind,
    missing: Missing,
    out: &mut StridedMut<'_>,
) -> Result<()> {
    let groups: Vec<Along<'_>> = along(groups)
        .into_iter()
        .map(|group| match group {
            Along::At(start) => Along::Slice { start, step: 1, len: 1 },
            Along::Points(positions) => Along::Positions(positions),
            group => group,
        })
        .collect();
    if let Kind::Reduction(op) = kind {
        return kernels::reduce_groups(op, view, (axis, &groups), missing, out);
    }
    let mut whole: Vec<Along<'_>> = view.shape().iter().map(|&len| Along::all(len)).collect();
    for (at, group) in groups.into_iter().enumerate() {
        whole[axis] = group;
        let shape = kernels::picked_shape(view.shape(), &whole)?;
        let part = kernels::filled(view.dtype().clone(), &shape, |mut to| {
            kernels::take(view, &whole, &mut to)
        })?;
        kind.run(&Strided::of(&part)?, &[axis], missing, out.reborrow().at(axis, at)?)?;
    }
    Ok(())
}

macro_rules! aggregates {
    ($($name:ident, $by:ident, $op:expr, $doc:literal;)*) => {
        impl Array {$(
            #[doc = $doc]
            #[doc = " over axes and groups; over all axes for `()`."]
            ///
            /// # Errors
            /// Those of [`Array::aggregate`].
            pub fn $name(&self, over: impl Overs) -> Result<Self> {
                self.aggregate($op, over, &AggregateOptions::default())
            }

            #[doc = $doc]
            #[doc = " over all axes but those that are named."]
            ///
            /// # Errors
            /// Those of [`Array::aggregate`].
            pub fn $by(&self, by: impl Overs) -> Result<Self> {
                self.aggregate_by($op, by, &AggregateOptions::default())
            }
        )*}
    };
}

aggregates! {
    sum, sum_by, Reduction::Sum, "The sum";
    prod, prod_by, Reduction::Product, "The product";
    mean, mean_by, Reduction::Mean, "The mean";
    min, min_by, Reduction::Min, "The smallest element";
    max, max_by, Reduction::Max, "The largest element";
    var, var_by, Reduction::Variance { ddof: 1.0 }, "The variance of a sample";
    std, std_by, Reduction::StandardDeviation { ddof: 1.0 }, "The standard deviation of a sample";
    median, median_by, Reduction::Median, "The median";
    all, all_by, Reduction::All, "Whether all elements are true";
    any, any_by, Reduction::Any, "Whether any element is true";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::create::ndtest;

    fn ints(array: Result<Array>) -> Vec<i64> {
        array.unwrap().to_vec().unwrap()
    }

    #[test]
    fn axes_and_groups_are_aggregated() {
        let array = ndtest([2, 3]).unwrap();
        assert_eq!(ints(array.sum(())), [15]);
        assert_eq!(ints(array.sum("a")), [3, 5, 7]);
        assert_eq!(ints(array.sum(("a", "b"))), [15]);
        assert_eq!(ints(array.sum_by("a")), [3, 12]);
        assert_eq!(ints(array.max("b0,b2;b1")), [2, 1, 5, 4]);
        let groups = array.sum("b0:b1;b2").unwrap();
        assert_eq!(groups.axes().info(), "2 x 2\n a [2]: 'a0' 'a1'\n b [2]: 'b0:b1' 'b2'");
        assert_eq!(ints(Ok(groups)), [1, 2, 7, 5]);
        assert_eq!(array.percentile(50.0, "a").unwrap().to_vec::<f64>().unwrap(), [1.5, 2.5, 3.5]);
        let by_group = array.percentile(50.0, "b0,b2;b1").unwrap();
        assert_eq!(by_group.to_vec::<f64>().unwrap(), [1.0, 1.0, 4.0, 4.0]);
        assert!(array.sum("zz").is_err());
    }

    #[test]
    fn what_runs_along_an_axis() {
        let array = ndtest([2, 3]).unwrap();
        assert_eq!(ints(array.cumsum("b")), [0, 1, 3, 3, 7, 12]);
        assert_eq!(ints(array.cumprod("a")), [0, 1, 2, 0, 4, 10]);
        assert_eq!(ints(array.positions_of(Extreme::Max, "a")), [1, 1, 1]);
        let labels = array.labels_of(Extreme::Max, "b").unwrap();
        assert_eq!(labels, Labels::from_strings(["b2", "b2"]));
    }
}
