//! Aggregation: which axes go, which become one label a group, and in which order.

use stook_core::{Error, Result};

use crate::axes::AxisCollection;
use crate::axis::{Axis, AxisRef};
use crate::group::{Bounds, Group, GroupKey, LabelKey, PositionKey};
use crate::key::Key;
use crate::label::Label;
use crate::labels::Labels;
use crate::plan::positions::Take;
use crate::syntax;

/// What is aggregated over.
#[derive(Clone, Debug)]
pub enum Over {
    /// An axis, which goes.
    Axis(AxisRef),
    /// The elements of one key; its axis goes.
    Group(Key),
    /// Each of these keys, which are about one axis: it has a label for each of them then.
    Groups(Vec<Key>),
    /// An axis of that name, or keys as text, several of them separated by `;`.
    Text(String),
}

/// One step of an aggregation, on the axes that the steps before it left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AggregateStep {
    /// All elements along these axes.
    Axes {
        /// Where the axes are, in ascending order.
        axes: Vec<usize>,
        /// Whether each stays, with length 1.
        is_kept: bool,
    },
    /// The elements of each group along one axis.
    Groups {
        /// Where the axis is.
        axis: usize,
        /// What each group takes.
        groups: Vec<Take>,
        /// Whether the axis stays, with one label a group; else there is one group.
        is_kept: bool,
    },
}

/// How an aggregation is carried out, and the axes of its result.
#[derive(Clone, Debug)]
pub struct AggregatePlan {
    steps: Vec<AggregateStep>,
    axes: AxisCollection,
}

impl AggregatePlan {
    /// What is done, one after the other.
    #[must_use]
    pub fn steps(&self) -> &[AggregateStep] {
        &self.steps
    }

    /// The axes of the result.
    #[must_use]
    pub fn axes(&self) -> &AxisCollection {
        &self.axes
    }
}

/// What is aggregated over, with its axis found.
enum Found {
    Axis(usize),
    One(usize, Take),
    Several(usize, Vec<(Take, GroupLabel)>),
}

/// What the result calls a group.
struct GroupLabel {
    label: Label,
    /// Whether it is a label of the axis as it is.
    is_own: bool,
}

impl AxisCollection {
    /// How to aggregate `over` these: over all axes if there is nothing in it. Axes that go stay with
    /// the label `kept`, where there is one.
    ///
    /// # Errors
    /// Those of [`AxisCollection::select`]; `InvalidInput` for groups of different axes, and for an
    /// axis that has gone already.
    pub fn aggregate(&self, over: &[Over], kept: Option<&Label>) -> Result<AggregatePlan> {
        let found: Vec<Found> = if over.is_empty() {
            (0..self.len()).map(Found::Axis).collect()
        } else {
            over.iter().map(|over| self.find_over(over)).collect::<Result<_>>()?
        };
        self.aggregate_found(found, kept)
    }

    /// How to aggregate over all axes but those of `by`; groups among these are kept as such.
    ///
    /// # Errors
    /// Those of [`AxisCollection::aggregate`].
    pub fn aggregate_by(&self, by: &[Over], kept: Option<&Label>) -> Result<AggregatePlan> {
        let mut found = Vec::new();
        let mut named = vec![false; self.len()];
        for over in by {
            let over = self.find_over(over)?;
            let (Found::Axis(at) | Found::One(at, _) | Found::Several(at, _)) = &over;
            if let Some(named) = named.get_mut(*at) {
                *named = true;
            }
            if !matches!(over, Found::Axis(_)) {
                found.push(over);
            }
        }
        let others = (0..self.len()).filter(|&at| named.get(at) == Some(&false));
        let others: Vec<Found> = others.map(Found::Axis).collect();
        self.aggregate_found(others.into_iter().chain(found).collect(), kept)
    }

    fn aggregate_found(&self, found: Vec<Found>, kept: Option<&Label>) -> Result<AggregatePlan> {
        // The axes that there are still, by where they are in the source.
        let mut left: Vec<(usize, Axis)> = self.iter().cloned().enumerate().collect();
        let mut steps = Vec::new();
        let mut found = found.into_iter().peekable();
        while let Some(next) = found.next() {
            let (Found::Axis(at) | Found::One(at, _) | Found::Several(at, _)) = next;
            let now = self.place(&left, at)?;
            match next {
                Found::Axis(_) => {
                    let mut axes = vec![now];
                    while let Some(Found::Axis(at)) = found.peek() {
                        axes.push(self.place(&left, *at)?);
                        found.next();
                    }
                    axes.sort_unstable();
                    if axes.windows(2).any(|pair| pair.first() == pair.last()) {
                        return Err(self.gone(at));
                    }
                    for &at in axes.iter().rev() {
                        drop_axis(&mut left, at, kept);
                    }
                    steps.push(AggregateStep::Axes { axes, is_kept: kept.is_some() });
                }
                Found::One(_, take) => {
                    left.remove(now);
                    let groups = vec![take];
                    steps.push(AggregateStep::Groups { axis: now, groups, is_kept: false });
                }
                Found::Several(_, groups) => {
                    let (groups, labels): (Vec<Take>, Vec<GroupLabel>) = groups.into_iter().unzip();
                    if let Some((_, axis)) = left.get_mut(now) {
                        *axis = axis.with_labels(group_labels(labels));
                    }
                    steps.push(AggregateStep::Groups { axis: now, groups, is_kept: true });
                }
            }
        }
        Ok(AggregatePlan { steps, axes: left.into_iter().map(|(_, axis)| axis).collect() })
    }

    /// Where the axis at `at` of these is among those that are left.
    fn place(&self, left: &[(usize, Axis)], at: usize) -> Result<usize> {
        left.iter().position(|(source, _)| *source == at).ok_or_else(|| self.gone(at))
    }

    #[cold]
    fn gone(&self, at: usize) -> Error {
        Error::invalid(format!("axis '{}' is aggregated twice", self.display_name(at)))
    }

    fn find_over(&self, over: &Over) -> Result<Found> {
        match over {
            Over::Axis(axis) => self.position_of(axis).map(Found::Axis),
            Over::Group(key) => {
                let (at, take) = self.locate(key, key)?;
                Ok(Found::One(at, take))
            }
            Over::Groups(keys) => self.find_groups(keys),
            Over::Text(text) => match self.by_name(text.trim()) {
                Some(at) => Ok(Found::Axis(at)),
                None if text.contains(';') => self.find_groups(&syntax::parse_keys(text)?),
                None => self.find_over(&Over::Group(Key::Text(text.as_str().into()))),
            },
        }
    }

    fn find_groups(&self, keys: &[Key]) -> Result<Found> {
        let mut axis = None;
        let mut groups = Vec::with_capacity(keys.len());
        for key in keys {
            let parsed = if let Key::Text(text) = key { Key::parse(text)? } else { key.clone() };
            let (at, take) = self.locate(&parsed, key)?;
            if *axis.get_or_insert(at) != at {
                let shown: Vec<String> = keys.iter().map(Key::repr).collect();
                return Err(Error::invalid(format!(
                    "group with different axes: ({})",
                    shown.join(", ")
                )));
            }
            let label = called(&parsed, self[at].labels(), &take);
            groups.push((take, label));
        }
        let axis = axis.ok_or_else(|| Error::invalid("no group to aggregate over"))?;
        Ok(Found::Several(axis, groups))
    }
}

fn drop_axis(left: &mut Vec<(usize, Axis)>, at: usize, kept: Option<&Label>) {
    match (kept, left.get_mut(at)) {
        (Some(label), Some((_, axis))) => {
            *axis = axis.with_labels(Labels::from_labels(vec![label.clone()]));
        }
        _ => {
            left.remove(at);
        }
    }
}

/// What the result calls the group of `key`, which takes `take` of an axis with `labels`.
fn called(key: &Key, labels: &Labels, take: &Take) -> GroupLabel {
    if let Key::Group(group) = key
        && let Some(name) = group.name()
    {
        return GroupLabel { label: name.clone(), is_own: false };
    }
    if let Take::At(at) = take {
        return GroupLabel { label: labels.get(*at).unwrap_or(Label::None), is_own: true };
    }
    let text = match key {
        Key::Slice(bounds) => bounds_text(bounds),
        Key::Group(group) => group_text(group, labels, take),
        _ => listed(labels, take),
    };
    GroupLabel { label: Label::from(text), is_own: false }
}

fn group_text(group: &Group, labels: &Labels, take: &Take) -> String {
    match (group.key(), take) {
        (GroupKey::Labels(LabelKey::Slice(bounds)), _) => bounds_text(bounds),
        (GroupKey::Positions(PositionKey::Slice(_)), Take::Slice { start, step, len }) => {
            let label = |at: Option<usize>| at.and_then(|at| labels.get(at));
            let last = take.iter().last().filter(|_| *len > 0);
            let step = i64::try_from(*step).ok().filter(|&step| step != 1);
            bounds_text(&Bounds { start: label(Some(*start)), stop: label(last), step })
        }
        _ => listed(labels, take),
    }
}

fn bounds_text(bounds: &Bounds<Label>) -> String {
    let text = |label: &Option<Label>| label.as_ref().map_or_else(String::new, Label::to_string);
    let step = bounds.step.map_or_else(String::new, |step| format!(":{step}"));
    format!("{}:{}{step}", text(&bounds.start), text(&bounds.stop))
}

fn listed(labels: &Labels, take: &Take) -> String {
    let texts = take.iter().filter_map(|at| labels.get_ref(at)).map(|label| label.to_string());
    texts.collect::<Vec<_>>().join(",")
}

/// Labels as they are if each is one of the axis, else text.
fn group_labels(groups: Vec<GroupLabel>) -> Labels {
    let are_own = groups.iter().all(|group| group.is_own);
    let labels: Vec<Label> = groups.into_iter().map(|group| group.label).collect();
    if are_own || labels.is_empty() {
        return Labels::from_labels(labels);
    }
    Labels::from_strings(labels.iter().map(Label::to_string))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes() -> AxisCollection {
        AxisCollection::parse("a=a0..a3;b=b0..b2").expect("axes")
    }

    fn over(texts: &[&str]) -> Vec<Over> {
        texts.iter().map(|text| Over::Text((*text).to_owned())).collect()
    }

    fn result(texts: &[&str]) -> String {
        axes().aggregate(&over(texts), None).expect("a plan").axes().info()
    }

    #[test]
    fn axes_go_and_groups_stay() {
        assert_eq!(result(&[]), "");
        assert_eq!(result(&["a"]), "3\n b [3]: 'b0' 'b1' 'b2'");
        assert_eq!(result(&["a0,a1"]), "3\n b [3]: 'b0' 'b1' 'b2'");
        assert_eq!(result(&["a0,a1;a2", "b"]), "2\n a [2]: 'a0,a1' 'a2'");
        assert_eq!(result(&["a0:a1>>x;a2:", "b"]), "2\n a [2]: 'x' 'a2:'");
        assert_eq!(result(&["a.i[0,1];a.i[2:4]", "b"]), "2\n a [2]: 'a0,a1' 'a2:a3'");
        assert_eq!(result(&["a[a0,a1]", "b0;b1"]), "2\n b [2]: 'b0' 'b1'");
    }

    #[test]
    fn axes_that_follow_one_another_go_in_one_step() {
        let plan = axes().aggregate(&over(&["b", "a"]), None).expect("a plan");
        assert_eq!(plan.steps(), [AggregateStep::Axes { axes: vec![0, 1], is_kept: false }]);
        let plan = axes().aggregate(&over(&["a"]), Some(&"sum".into())).expect("a plan");
        assert_eq!(plan.axes().info(), "1 x 3\n a [1]: 'sum'\n b [3]: 'b0' 'b1' 'b2'");
    }

    #[test]
    fn by_keeps_what_is_named() {
        let by =
            |texts: &[&str]| axes().aggregate_by(&over(texts), None).expect("a plan").axes().info();
        assert_eq!(by(&["a"]), "4\n a [4]: 'a0' 'a1' 'a2' 'a3'");
        assert_eq!(by(&["a0,a1;a2"]), "2\n a [2]: 'a0,a1' 'a2'");
        assert_eq!(by(&["a0,a1"]), "");
        assert_eq!(by(&[]), "");
    }

    #[test]
    fn groups_of_numbers_have_numbers_for_labels() {
        let axes = AxisCollection::parse("y=2000..2003").expect("axes");
        let keys = vec![Key::from(2000), Key::from(2001)];
        let plan = axes.aggregate(&[Over::Groups(keys)], None).expect("a plan");
        assert_eq!(plan.axes()[0].labels(), &Labels::from_ints(&[2000, 2001]));
    }

    #[test]
    fn what_cannot_be_aggregated_is_an_error() {
        for texts in [&["a", "a"][..], &["a0", "a1"], &["b0;a1"], &["zz"], &["a0,zz"], &[";"]] {
            assert!(axes().aggregate(&over(texts), None).is_err(), "{texts:?}");
        }
        let error = axes().aggregate(&over(&["b0;a1"]), None).expect_err("two axes");
        assert_eq!(error.message(), "group with different axes: ('b0', 'a1')");
    }
}
