//! Groups of an axis: labels that have something in common, and runs of labels.

use stook_core::{Error, Result};

use crate::axis::Axis;
use crate::group::{Bounds, Group, GroupKey, LabelKey, PositionKey};
use crate::labels::Labels;
use crate::plan::Take;

impl Axis {
    /// The group of the labels whose text `is_wanted`.
    #[must_use]
    pub fn choose(&self, is_wanted: impl Fn(&str) -> bool) -> Group {
        let labels = self.labels().iter_refs().enumerate();
        let chosen: Vec<usize> =
            labels.filter(|(_, label)| is_wanted(&label.to_string())).map(|(at, _)| at).collect();
        let labels = self.labels().take(&chosen).unwrap_or_else(|_| Labels::mixed(Vec::new()));
        Group::labels(LabelKey::List(labels), Some(self.clone().into()))
    }

    /// The group of the labels with `text` in them.
    #[must_use]
    pub fn containing(&self, text: &str) -> Group {
        self.choose(|label| label.contains(text))
    }

    /// The group of the labels that begin with `text`.
    #[must_use]
    pub fn starting_with(&self, text: &str) -> Group {
        self.choose(|label| label.starts_with(text))
    }

    /// The group of the labels that end with `text`.
    #[must_use]
    pub fn ending_with(&self, text: &str) -> Group {
        self.choose(|label| label.ends_with(text))
    }

    /// The group of the labels that `pattern` fits: `?` is any character, `*` any number of them, `[ab]`
    /// one of some and `[!ab]` another than these.
    #[must_use]
    pub fn matching(&self, pattern: &str) -> Group {
        let pattern: Vec<char> = pattern.chars().collect();
        self.choose(|label| fits(&pattern, &label.chars().collect::<Vec<char>>()))
    }

    /// Groups of `length` labels, each `step` after the one before, named by their ends; the last ones
    /// may be shorter.
    ///
    /// # Errors
    /// `InvalidInput` if `length` or `step` is 0.
    pub fn by(&self, length: usize, step: Option<usize>) -> Result<Vec<Group>> {
        let step = step.unwrap_or(length);
        if length == 0 || step == 0 {
            return Err(Error::invalid("length and step of groups: expected at least 1, found 0"));
        }
        let len = self.len();
        let group = |start: usize| {
            let stop = start.saturating_add(length).min(len);
            let label =
                |at: usize| self.labels().get_ref(at).map_or_else(String::new, |l| l.to_string());
            let name = match stop - start {
                1 => label(start),
                _ => format!("{}:{}", label(start), label(stop - 1)),
            };
            let bound = |at: usize| i64::try_from(at).ok();
            let bounds = Bounds { start: bound(start), stop: bound(stop), step: None };
            Group::positions(PositionKey::Slice(bounds), Some(self.clone().into())).named(name)
        };
        Ok((0..len).step_by(step).map(group).collect())
    }

    /// The labels that `group` means on this axis, whatever axis it is of.
    ///
    /// # Errors
    /// `InvalidInput` for a label that is not on this axis and for a position out of bounds.
    pub fn labels_of(&self, group: &Group) -> Result<Labels> {
        let take = match group.key() {
            GroupKey::Positions(key) => Take::positions(key, 0, self.len())?,
            GroupKey::Labels(LabelKey::List(labels)) => return Ok(labels.clone()),
            GroupKey::Labels(key) => {
                self.take(key).ok_or_else(|| self.has_not(&group.to_string()))?
            }
        };
        take.labels(self.labels())
    }

    /// The labels of either group, those of `a` first.
    ///
    /// # Errors
    /// Those of [`Axis::labels_of`].
    pub fn union_of(&self, a: &Group, b: &Group) -> Result<Group> {
        Ok(self.group_of(self.labels_of(a)?.union(&self.labels_of(b)?)))
    }

    /// The labels of both groups.
    ///
    /// # Errors
    /// Those of [`Axis::labels_of`].
    pub fn intersection_of(&self, a: &Group, b: &Group) -> Result<Group> {
        Ok(self.group_of(self.labels_of(a)?.intersection(&self.labels_of(b)?)))
    }

    /// The labels of `a` that are not of `b`.
    ///
    /// # Errors
    /// Those of [`Axis::labels_of`].
    pub fn difference_of(&self, a: &Group, b: &Group) -> Result<Group> {
        Ok(self.group_of(self.labels_of(a)?.difference(&self.labels_of(b)?)))
    }

    fn group_of(&self, labels: Labels) -> Group {
        Group::labels(LabelKey::List(labels), Some(self.clone().into()))
    }
}

/// Whether all of `text` is as `pattern` says. Only the last `*` is ever tried again, so that the time
/// is at most the product of both lengths.
fn fits(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        let step = match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
                continue;
            }
            Some('[') => one_of(&pattern[p..], text[t]),
            Some('?') => Some(1),
            Some(&c) => (c == text[t]).then_some(1),
            None => None,
        };
        match (step, star) {
            (Some(n), _) => {
                p += n;
                t += 1;
            }
            (None, Some((at, taken))) => {
                star = Some((at, taken + 1));
                (p, t) = (at + 1, taken + 1);
            }
            (None, None) => return false,
        }
    }
    pattern.get(p..).is_none_or(|rest| rest.iter().all(|&c| c == '*'))
}

/// How much of a pattern that begins with `[` fits `c`; nothing if it does not. A bracket that is not
/// closed stands for itself.
fn one_of(pattern: &[char], c: char) -> Option<usize> {
    let is_negated = pattern.get(1) == Some(&'!');
    let first = if is_negated { 2 } else { 1 };
    // A closing bracket that comes first is one of the characters.
    let close = pattern.iter().skip(first + 1).position(|&c| c == ']').map(|at| at + first + 1);
    let Some(close) = close else { return (c == '[').then_some(1) };
    let mut set = pattern.get(first..close).unwrap_or_default();
    let mut is_in = false;
    while let Some(&low) = set.first() {
        if let (Some('-'), Some(&high)) = (set.get(1), set.get(2)) {
            is_in |= (low..=high).contains(&c);
            set = set.get(3..).unwrap_or_default();
        } else {
            is_in |= low == c;
            set = set.get(1..).unwrap_or_default();
        }
    }
    (is_in != is_negated).then_some(close + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis() -> Axis {
        Axis::parse("a=a0..a3").expect("an axis")
    }

    #[test]
    fn labels_are_chosen_by_their_text() {
        assert_eq!(axis().containing("1").to_string(), "a['a1']");
        assert_eq!(axis().starting_with("b").to_string(), "a[]");
        assert_eq!(axis().ending_with("2").to_string(), "a['a2']");
        assert_eq!(axis().matching("a[13]").to_string(), "a['a1', 'a3']");
    }

    #[test]
    fn patterns_are_those_of_a_shell() {
        let fits = |pattern: &str, text: &str| {
            fits(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>())
        };
        for (pattern, text) in [
            ("*", ""),
            ("a*b*c", "aXbYbZc"),
            ("?0", "a0"),
            ("[!b]0", "a0"),
            ("[a-c]0", "b0"),
            ("[]]", "]"),
            ("[", "["),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("a", ""), ("a?", "a"), ("[!a]0", "a0"), ("a*b", "aXc")]
        {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn runs_are_named_by_their_ends() {
        let shown = |groups: Vec<Group>| groups.iter().map(Group::to_string).collect::<Vec<_>>();
        let groups = shown(axis().by(3, None).expect("groups"));
        assert_eq!(groups, ["a.i[0:3] >> 'a0:a2'", "a.i[3:4] >> 'a3'"]);
        assert_eq!(shown(axis().by(2, Some(1)).expect("groups")).len(), 4);
        assert!(axis().by(0, None).is_err());
    }

    #[test]
    fn groups_are_sets_of_labels() {
        let list =
            |labels: &[&str]| Group::labels(LabelKey::List(Labels::from_strings(labels)), None);
        let bounds = Bounds { start: Some(1), stop: None, step: None };
        let tail = Group::positions(PositionKey::Slice(bounds), None);
        let (a, axis) = (list(&["a0", "a1"]), axis());
        let show = |group: Result<Group>| group.expect("a group").to_string();
        assert_eq!(show(axis.union_of(&a, &tail)), "a['a0', 'a1', 'a2', 'a3']");
        assert_eq!(show(axis.intersection_of(&a, &tail)), "a['a1']");
        assert_eq!(show(axis.difference_of(&tail, &a)), "a['a2', 'a3']");
        let unknown = Group::labels(LabelKey::Scalar("zz".into()), None);
        assert!(axis.union_of(&a, &unknown).is_err());
    }
}
