//! Axes with other labels: unions, intersections, joins, and where the elements of the old ones go.

use std::str::FromStr;
use std::sync::Arc;

use stook_core::{Error, Result};

use crate::axes::AxisCollection;
use crate::axis::{Axis, AxisName, AxisRef};
use crate::label::LabelRef;
use crate::labels::Labels;

/// Which labels two axes have together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// Those of either.
    Outer,
    /// Those of both.
    Inner,
    /// Those of the first.
    Left,
    /// Those of the last.
    Right,
    /// The same, else it is an error.
    Exact,
}

impl FromStr for Join {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "outer" => Self::Outer,
            "inner" => Self::Inner,
            "left" => Self::Left,
            "right" => Self::Right,
            "exact" => Self::Exact,
            _ => {
                return Err(Error::invalid(
                    "join should be one of 'outer', 'inner', 'left', 'right' or 'exact'",
                ));
            }
        })
    }
}

impl Labels {
    /// These labels, then those of `other` that are not among them, each once.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let new: Vec<usize> = new_positions(other, |label| self.position_ref(label).is_some());
        let own = new_positions(self, |_| false);
        let own = if own.len() == self.len() { self.clone() } else { taken(self, &own) };
        if new.is_empty() { own } else { Self::concat(&[own, taken(other, &new)]) }
    }

    /// Those of these labels that `other` has as well, each once.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        taken(self, &new_positions(self, |label| other.position_ref(label).is_none()))
    }

    /// Those of these labels that `other` does not have, each once.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        taken(self, &new_positions(self, |label| other.position_ref(label).is_some()))
    }
}

/// The positions of labels that are there for the first time and are not left out.
fn new_positions(labels: &Labels, is_out: impl Fn(LabelRef<'_>) -> bool) -> Vec<usize> {
    let is_new = |(at, label): &(usize, LabelRef<'_>)| {
        !is_out(*label) && labels.position_ref(*label) == Some(*at)
    };
    labels.iter_refs().enumerate().filter(is_new).map(|(at, _)| at).collect()
}

fn taken(labels: &Labels, positions: &[usize]) -> Labels {
    labels.without_wildcard().take(positions).expect("positions of these labels")
}

impl Axis {
    /// This axis and others as one.
    ///
    /// # Errors
    /// `InvalidInput` if names differ, or the labels where they have to be the same.
    pub fn join(&self, others: &[&Self], how: Join) -> Result<Self> {
        let mut name = self.name();
        for other in others {
            match (name, other.name()) {
                (Some(name), Some(other)) if name != other => {
                    return Err(Error::invalid(format!(
                        "In align, all axes must be anonymous or have the same name: '{name}', '{other}'"
                    )));
                }
                (None, Some(other)) => name = Some(other),
                _ => {}
            }
        }
        let mut labels = self.labels().clone();
        for other in others {
            labels = match how {
                Join::Outer if labels == *other.labels() => labels,
                Join::Outer => labels.union(other.labels()),
                Join::Inner => labels.intersection(other.labels()),
                Join::Left => labels,
                Join::Right => other.labels().clone(),
                Join::Exact if labels == *other.labels() => labels,
                Join::Exact => {
                    return Err(Error::invalid(format!(
                        "align method with join='exact' expected {self} to be equal to {other}"
                    )));
                }
            };
        }
        Ok(Self::new(labels, name.cloned()))
    }
}

/// The axes of a result, and for each of them where its labels are in the source.
#[derive(Clone, Debug)]
pub struct ReindexPlan {
    axes: AxisCollection,
    positions: Vec<Option<Arc<[Option<usize>]>>>,
}

impl ReindexPlan {
    /// `positions` has a place for each of `axes`.
    pub(super) fn new(axes: AxisCollection, positions: Vec<Option<Arc<[Option<usize>]>>>) -> Self {
        Self { axes, positions }
    }

    /// The axes of the result.
    #[must_use]
    pub fn axes(&self) -> &AxisCollection {
        &self.axes
    }

    /// For each axis, where each label is in the source, `None` for one that it does not have; no
    /// list for an axis that stays as it is.
    #[must_use]
    pub fn positions(&self) -> &[Option<Arc<[Option<usize>]>>] {
        &self.positions
    }

    /// Whether some element of the result has no source.
    #[must_use]
    pub fn has_missing(&self) -> bool {
        self.positions.iter().flatten().any(|positions| positions.iter().any(Option::is_none))
    }

    /// Whether the result is the source.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.positions.iter().all(Option::is_none)
    }
}

impl AxisCollection {
    /// How to give each axis that is named the labels of the one beside it, under its own name.
    ///
    /// # Errors
    /// `NotFound` for an axis that is not among these.
    pub fn reindexed(&self, changes: &[(AxisRef, Axis)]) -> Result<ReindexPlan> {
        let mut axes: Vec<Axis> = self.iter().cloned().collect();
        let mut positions = vec![None; axes.len()];
        for (axis, new) in changes {
            let at = self.position_of(axis)?;
            let (own, new) = (self[at].labels(), new.labels());
            axes[at] = self[at].with_labels(new.clone());
            if own == new {
                continue;
            }
            let found: Vec<Option<usize>> =
                new.iter_refs().map(|label| own.position_ref(label)).collect();
            positions[at] = Some(found.into());
        }
        Ok(ReindexPlan { axes: axes.into(), positions })
    }

    /// How to give arrays with these axes and with `other` the same labels, on the axes that both have
    /// and that are among `only`, if that says something.
    ///
    /// # Errors
    /// `InvalidInput` for axes without a name, and for different labels where they have to be the same;
    /// `NotFound` for an axis that neither has.
    pub fn joined(
        &self,
        other: &Self,
        how: Join,
        only: Option<&[AxisRef]>,
    ) -> Result<(ReindexPlan, ReindexPlan)> {
        if self.iter().chain(other).any(|axis| axis.name().is_none()) {
            return Err(Error::invalid(
                "arrays with anonymous axes are currently not supported by Array.align",
            ));
        }
        let asked = match only {
            Some(only) => Some(self.named_in_either(other, only)?),
            None => None,
        };
        let mut changes = Vec::new();
        for axis in self {
            let Some(name) = axis.name() else { continue };
            if asked.as_ref().is_some_and(|asked| !asked.contains(name)) {
                continue;
            }
            let Some(theirs) = other.iter().find(|other| other.name() == Some(name)) else {
                continue;
            };
            let joined = axis.join(&[theirs], how).map_err(|error| match how {
                Join::Exact => {
                    Error::invalid(format!("Arrays are not aligned because {}", error.message()))
                }
                _ => error,
            })?;
            changes.push((AxisRef::from(name.clone()), joined));
        }
        Ok((self.reindexed(&changes)?, other.reindexed(&changes)?))
    }

    fn named_in_either(&self, other: &Self, axes: &[AxisRef]) -> Result<Vec<AxisName>> {
        let name = |axis: &AxisRef| {
            let own = self.find(axis).ok().flatten().and_then(|at| self[at].name());
            let theirs = || other.find(axis).ok().flatten().and_then(|at| other[at].name());
            let missing = || Error::not_found(format!("axis '{axis}' not found in {self}"));
            own.or_else(theirs).cloned().ok_or_else(missing)
        };
        axes.iter().map(name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(text: &str) -> Axis {
        Axis::parse(text).expect("an axis")
    }

    #[test]
    fn labels_are_joined_in_order() {
        let (a, b) = (axis("a=a0..a2,a0"), axis("a=a5,a1"));
        let join = |how| a.join(&[&b], how).map(|axis| axis.to_string());
        assert_eq!(join(Join::Outer).expect("outer"), "Axis(['a0', 'a1', 'a2', 'a5'], 'a')");
        assert_eq!(join(Join::Inner).expect("inner"), "Axis(['a1'], 'a')");
        assert_eq!(join(Join::Left).expect("left"), "Axis(['a0', 'a1', 'a2', 'a0'], 'a')");
        assert_eq!(join(Join::Right).expect("right"), "Axis(['a5', 'a1'], 'a')");
        assert_eq!(
            join(Join::Exact).expect_err("not the same").message(),
            "align method with join='exact' expected Axis(['a0', 'a1', 'a2', 'a0'], 'a') to be \
             equal to Axis(['a5', 'a1'], 'a')"
        );
        assert!(a.join(&[&axis("z=a0")], Join::Outer).is_err());
        assert_eq!("inner".parse::<Join>().expect("a join"), Join::Inner);
        assert!("zz".parse::<Join>().is_err());
        assert_eq!(a.labels().difference(b.labels()), Labels::from_strings(["a0", "a2"]));
    }

    #[test]
    fn elements_are_found_by_label() {
        let axes = AxisCollection::parse("a=a0,a1;b=b0,b1").expect("axes");
        let plan = axes.reindexed(&[("a".into(), axis("z=a1,a5"))]).expect("a plan");
        assert_eq!(plan.axes().to_string(), "{a, b}");
        assert_eq!(plan.positions()[0].as_deref(), Some(&[Some(1), None][..]));
        assert!(plan.positions()[1].is_none() && plan.has_missing() && !plan.is_same());
        assert!(axes.reindexed(&[("c".into(), axis("c=c0"))]).is_err());
    }

    #[test]
    fn arrays_are_joined_on_the_axes_that_both_have() {
        let left = AxisCollection::parse("a=a0,a1;b=b0..b2").expect("axes");
        let right = AxisCollection::parse("c=c0;a=a1,a2").expect("axes");
        let (l, r) = left.joined(&right, Join::Outer, None).expect("plans");
        assert_eq!(l.axes()[0], axis("a=a0..a2"));
        assert_eq!(r.axes()[1], axis("a=a0..a2"));
        assert_eq!(r.positions()[1].as_deref(), Some(&[None, Some(0), Some(1)][..]));
        assert_eq!(l.axes()[1], axis("b=b0..b2"));
        let (l, _) = left.joined(&right, Join::Outer, Some(&["b".into()])).expect("plans");
        assert!(l.is_same());
        assert!(left.joined(&right, Join::Exact, None).is_err());
        assert!(left.joined(&right, Join::Outer, Some(&["zz".into()])).is_err());
        let anonymous = AxisCollection::parse("x,y").expect("axes");
        assert!(left.joined(&anonymous, Join::Outer, None).is_err());
    }
}
