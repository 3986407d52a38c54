//! The same elements over other axes: transposed, expanded, several axes as one.

use std::sync::Arc;

use stook_core::{Error, Result};

use crate::axes::AxisCollection;
use crate::axis::{Axis, AxisName, AxisRef};
use crate::labels::Labels;
use crate::plan::combine::combined_name;
use crate::plan::select::incompatible;

/// Where each axis of a result comes from.
#[derive(Clone, Debug)]
pub struct Placement {
    axes: AxisCollection,
    source: Vec<Option<usize>>,
}

impl Placement {
    pub(crate) fn new(axes: AxisCollection, source: Vec<Option<usize>>) -> Self {
        Self { axes, source }
    }

    /// The axes of the result.
    #[must_use]
    pub fn axes(&self) -> &AxisCollection {
        &self.axes
    }

    /// For each axis of the result where the source has it; `None` where elements are repeated.
    #[must_use]
    pub fn source(&self) -> &[Option<usize>] {
        &self.source
    }

    /// Whether the source has these axes, in this order.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.source.iter().enumerate().all(|(at, source)| *source == Some(at))
    }
}

/// How several axes become one: by a permutation, and then by another shape of the same elements.
#[derive(Clone, Debug)]
pub struct CombinePlan {
    permutation: Vec<usize>,
    axes: AxisCollection,
}

impl CombinePlan {
    /// The order of the axes of the source in which those that become one follow one another.
    #[must_use]
    pub fn permutation(&self) -> &[usize] {
        &self.permutation
    }

    /// The axes of the result: the permuted elements have its shape.
    #[must_use]
    pub fn axes(&self) -> &AxisCollection {
        &self.axes
    }
}

/// Axes that become one.
#[derive(Clone, Debug)]
pub struct Combine {
    /// Which axes, from the slowest to the fastest.
    pub axes: Vec<AxisRef>,
    /// What they are called together; their names joined if it says nothing.
    pub name: Option<AxisName>,
}

/// How labels of axes that become one are made.
#[derive(Clone, Copy, Debug)]
pub enum CombinedLabels<'a> {
    /// Their labels with this text between them.
    Joined(&'a str),
    /// Positions only; the text is for the name.
    Wildcard(&'a str),
}

impl CombinedLabels<'_> {
    fn sep(&self) -> &str {
        match self {
            Self::Joined(sep) | Self::Wildcard(sep) => sep,
        }
    }
}

impl AxisCollection {
    /// These axes in another order: those of `order`, with all others where `None` stands or last;
    /// backwards if `order` is empty.
    ///
    /// # Errors
    /// `NotFound` for an axis that is not among these, `InvalidInput` for one that is named twice.
    pub fn transposed(&self, order: &[Option<AxisRef>]) -> Result<Placement> {
        if order.is_empty() {
            return self.placed((0..self.len()).rev().collect());
        }
        let named: Vec<Option<usize>> = order
            .iter()
            .map(|axis| axis.as_ref().map(|axis| self.position_of(axis)).transpose())
            .collect::<Result<_>>()?;
        let others = (0..self.len()).filter(|at| !named.contains(&Some(*at)));
        let rest: Vec<usize> = others.collect();
        let gap = named.iter().position(Option::is_none).unwrap_or(named.len());
        let (before, after) = named.split_at(gap);
        let permutation = before.iter().flatten().chain(&rest).chain(after.iter().flatten());
        self.placed(permutation.copied().collect())
    }

    fn placed(&self, permutation: Vec<usize>) -> Result<Placement> {
        for (i, at) in permutation.iter().enumerate() {
            if permutation.iter().take(i).any(|other| other == at) {
                return Err(Error::invalid(format!(
                    "axis '{}' is named twice",
                    self.display_name(*at)
                )));
            }
        }
        let axes = permutation.iter().map(|&at| self[at].clone()).collect();
        Ok(Placement { axes, source: permutation.into_iter().map(Some).collect() })
    }

    /// These axes and those of `target`, which come last and in its order.
    ///
    /// # Errors
    /// `InvalidInput` for axes of one name that do not fit.
    pub fn expanded(&self, target: &Self) -> Result<Placement> {
        let found: Vec<Option<usize>> = target
            .iter()
            .map(|axis| self.find(&AxisRef::Axis(axis.clone())))
            .collect::<Result<_>>()?;
        let mut axes = Vec::new();
        let mut source = Vec::new();
        for (at, axis) in self.iter().enumerate() {
            if !found.contains(&Some(at)) {
                axes.push(axis.clone());
                source.push(Some(at));
            }
        }
        for (axis, own) in target.iter().zip(found) {
            if let Some(own) = own.map(|at| &self[at])
                && !own.is_compatible(axis)
            {
                return Err(incompatible(own, axis));
            }
            let is_repeated = own.is_some_and(|at| self[at].len() != axis.len());
            axes.push(axis.clone());
            source.push(own.filter(|_| !is_repeated));
        }
        Ok(Placement { axes: axes.into(), source })
    }

    /// How to make one axis of several, where the first of them is.
    ///
    /// # Errors
    /// `NotFound` for an axis that is not among these, `InvalidInput` for one that is named twice,
    /// `LimitExceeded` for more labels than memory.
    pub fn combined(&self, parts: &[Combine], labels: CombinedLabels<'_>) -> Result<CombinePlan> {
        let parts: Vec<(Vec<usize>, &Combine)> = parts
            .iter()
            .map(|part| {
                let at = part.axes.iter().map(|axis| self.position_of(axis));
                Ok((at.collect::<Result<Vec<usize>>>()?, part))
            })
            .collect::<Result<_>>()?;
        let mut permutation = Vec::new();
        let mut axes = Vec::new();
        for (at, axis) in self.iter().enumerate() {
            let Some((positions, part)) = parts.iter().find(|(part, _)| part.contains(&at)) else {
                permutation.push(at);
                axes.push(axis.clone());
                continue;
            };
            if positions.iter().min() == Some(&at) {
                permutation.extend(positions);
                axes.push(self.one_of(positions, part.name.clone(), labels)?);
            }
        }
        self.placed(permutation.clone())?;
        Ok(CombinePlan { permutation, axes: axes.into() })
    }

    fn one_of(
        &self,
        positions: &[usize],
        name: Option<AxisName>,
        labels: CombinedLabels<'_>,
    ) -> Result<Axis> {
        let lens: Vec<usize> = positions.iter().map(|&at| self[at].len()).collect();
        let n = lens.iter().try_fold(1_usize, |n, &len| n.checked_mul(len));
        let n = n.filter(|n| n.checked_mul(8 * positions.len().max(1)).is_some());
        let n =
            n.ok_or_else(|| Error::limit(format!("axes of lengths {lens:?} overflow memory")))?;
        let name = name.or_else(|| combined_name(self, positions.iter().copied(), labels.sep()));
        let CombinedLabels::Joined(sep) = labels else { return Ok(Axis::wildcard(n, name)) };
        let mut columns = Vec::with_capacity(positions.len());
        let mut stride = n;
        for (&at, &len) in positions.iter().zip(&lens) {
            stride = stride.checked_div(len).unwrap_or(0);
            let column: Arc<[usize]> =
                (0..n).map(|i| i.checked_div(stride).unwrap_or(0) % len).collect();
            columns.push((self[at].labels().clone(), column));
        }
        Ok(Axis::new(Labels::joined(columns, sep), name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(text: &str) -> AxisCollection {
        AxisCollection::parse(text).expect("axes")
    }

    fn transposed(order: &[Option<&str>]) -> String {
        let order: Vec<Option<AxisRef>> =
            order.iter().map(|name| name.map(AxisRef::from)).collect();
        let plan = axes("a=a0,a1;b=b0;c=c0").transposed(&order);
        plan.map_or_else(|error| error.to_string(), |plan| plan.axes().to_string())
    }

    #[test]
    fn axes_that_are_not_named_keep_their_order() {
        assert_eq!(transposed(&[]), "{c, b, a}");
        assert_eq!(transposed(&[Some("b")]), "{b, a, c}");
        assert_eq!(transposed(&[None, Some("a")]), "{b, c, a}");
        assert_eq!(transposed(&[Some("c"), None, Some("a")]), "{c, b, a}");
        assert_eq!(transposed(&[Some("a"), Some("a")]), "axis 'a' is named twice");
        assert_eq!(transposed(&[Some("zz")]), "axis 'zz' not found in {a, b, c}");
    }

    #[test]
    fn new_axes_come_last() {
        let plan = axes("a=a0,a1;b=b0").expanded(&axes("c=c0;a=a0,a1")).expect("a plan");
        assert_eq!(plan.axes().to_string(), "{b, c, a}");
        assert_eq!(plan.source(), [Some(1), None, Some(0)]);
        assert!(axes("a=a0").expanded(&axes("a=a1")).is_err());
    }

    #[test]
    fn several_axes_become_one() {
        let axes = axes("a=a0,a1;b=b0,b1;c=c0");
        let part = |axes: &[&str], name: Option<&str>| Combine {
            axes: axes.iter().map(|name| AxisRef::from(*name)).collect(),
            name: name.map(AxisName::from),
        };
        let plan = axes.combined(&[part(&["c", "a"], None)], CombinedLabels::Joined("_"));
        let plan = plan.expect("a plan");
        assert_eq!(plan.permutation(), [2, 0, 1]);
        assert_eq!(plan.axes().info(), "2 x 2\n c_a [2]: 'c0_a0' 'c0_a1'\n b [2]: 'b0' 'b1'");
        let plan = axes.combined(&[part(&["a", "b"], Some("z"))], CombinedLabels::Wildcard("_"));
        assert_eq!(plan.expect("a plan").axes().info(), "4 x 1\n z* [4]: 0 1 2 3\n c [1]: 'c0'");
        let twice = [part(&["a", "a"], None)];
        assert!(axes.combined(&twice, CombinedLabels::Joined("_")).is_err());
    }
}
