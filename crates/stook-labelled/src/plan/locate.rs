//! Where labels are: on which axis, and at which positions of it.

use stook_core::{Error, Result};

use crate::axes::AxisCollection;
use crate::axis::{Axis, AxisName, AxisRef};
use crate::fault::Fault;
use crate::group::{Bounds, Group, GroupKey, LabelKey};
use crate::key::Key;
use crate::label::{Label, LabelRef};
use crate::labels::Labels;
use crate::plan::positions::{Take, sliced};

/// An axis, and what is taken along it.
pub(crate) type Located = (usize, Take);

impl AxisCollection {
    /// The axis that has `label`, and where: the hot path of indexing.
    ///
    /// # Errors
    /// `InvalidInput` if no axis has it, or several.
    pub fn locate_label(&self, label: LabelRef<'_>) -> Result<(usize, usize)> {
        let mut found = None;
        for (at, axis) in self.iter().enumerate() {
            let Some(position) = axis.labels().position_ref(label) else { continue };
            if found.is_some() {
                let has = |axis: &Axis| axis.labels().position_ref(label).is_some();
                return Err(self.ambiguous(&label.repr(), has));
            }
            found = Some((at, position));
        }
        found.ok_or_else(|| self.nowhere(&label.repr(), "label"))
    }

    /// The axis that `key` is about and what it takes of it. `shown` is the key as it was given.
    pub(crate) fn locate(&self, key: &Key, shown: &Key) -> Result<Located> {
        match key {
            Key::Label(label) => self.guess_one(label, &|| shown.repr()),
            Key::Text(text) if crate::syntax::is_label(text) => {
                self.locate_label(LabelRef::Str(text)).map(|(axis, at)| (axis, Take::At(at)))
            }
            Key::Text(text) => self.locate(&Key::parse(text)?, shown),
            Key::Slice(bounds) => self.guess_slice(bounds, &|| shown.repr()),
            Key::List(labels) => self.guess_list(labels, &|| shown.repr()),
            Key::Group(group) => self.locate_group(group),
            Key::Axis(axis) => self.locate_axis(axis),
            Key::All | Key::Mask(_) | Key::Lookup(_) => {
                Err(Error::unsupported(format!("{} is no key of one axis", key.repr())))
            }
        }
    }

    fn guess_one(&self, label: &Label, shown: &dyn Fn() -> String) -> Result<Located> {
        if matches!(label, Label::None) && !self.iter().any(|axis| axis.labels().contains(label)) {
            return Err(no_key());
        }
        let take = |axis: &Axis| axis.labels().position(label).map(Take::At);
        self.only(take, shown).unwrap_or_else(|| Err(self.nowhere(&shown(), "label")))
    }

    fn guess_slice(&self, bounds: &Bounds<Label>, shown: &dyn Fn() -> String) -> Result<Located> {
        let take = |axis: &Axis| slice_of(axis.labels(), bounds);
        self.only(take, shown).unwrap_or_else(|| Err(self.nowhere(&shown(), "label")))
    }

    fn guess_list(&self, labels: &Labels, shown: &dyn Fn() -> String) -> Result<Located> {
        let take = |axis: &Axis| list_of(axis.labels(), labels);
        self.only(take, shown).unwrap_or_else(|| Err(self.not_all(labels, &shown())))
    }

    /// The one axis on which `take` finds something; `None` if there is no such axis.
    fn only(
        &self,
        take: impl Fn(&Axis) -> Option<Take>,
        shown: &dyn Fn() -> String,
    ) -> Option<Result<Located>> {
        let mut found = None;
        for (at, axis) in self.iter().enumerate() {
            let Some(taken) = take(axis) else { continue };
            if found.is_some() {
                return Some(Err(self.ambiguous(&shown(), |axis| take(axis).is_some())));
            }
            found = Some((at, taken));
        }
        found.map(Ok)
    }

    fn locate_group(&self, group: &Group) -> Result<Located> {
        let axis = match group.axis() {
            Some(axis) => self.find(axis)?,
            None => None,
        };
        match (axis, group.key()) {
            (Some(at), key) => Ok((at, self.take_on(at, key, &|| group.to_string())?)),
            (None, GroupKey::Positions(_)) => {
                Err(Error::invalid("positional groups without axis are not supported"))
            }
            (None, GroupKey::Labels(key)) => {
                let shown = || group.to_string();
                match key {
                    LabelKey::Scalar(label) => self.guess_one(label, &shown),
                    LabelKey::Slice(bounds) => self.guess_slice(bounds, &shown),
                    LabelKey::List(labels) => self.guess_list(labels, &shown),
                }
            }
        }
    }

    /// What `key` takes of the axis at `at`.
    pub(crate) fn take_on(
        &self,
        at: usize,
        key: &GroupKey,
        shown: &dyn Fn() -> String,
    ) -> Result<Take> {
        let axis = &self[at];
        let taken = match key {
            GroupKey::Positions(key) => return Take::positions(key, at, axis.len()),
            GroupKey::Labels(LabelKey::Scalar(Label::None))
                if !axis.labels().contains(&Label::None) =>
            {
                return Err(no_key());
            }
            GroupKey::Labels(key) => axis.take(key),
        };
        taken.ok_or_else(|| axis.has_not(&shown()))
    }

    fn locate_axis(&self, axis: &Axis) -> Result<Located> {
        let missing = || {
            let name = axis.display_name();
            Error::not_found(format!("axis '{name}' not found in {self}"))
        };
        let at = self.find(&AxisRef::Axis(axis.clone()))?.ok_or_else(missing)?;
        if axis.is_wildcard() || axis.labels() == self[at].labels() {
            return Ok((at, Take::all(self[at].len().min(axis.len()))));
        }
        match list_of(self[at].labels(), axis.labels()) {
            Some(taken) => Ok((at, taken)),
            None => self.guess_list(axis.labels(), &|| axis.to_string()),
        }
    }

    /// Where the axis that is meant is; `None` if none has its name.
    ///
    /// # Errors
    /// `InvalidInput` for a position out of bounds.
    pub fn find(&self, axis: &AxisRef) -> Result<Option<usize>> {
        match axis {
            AxisRef::Name(name) => Ok(self.by_name(name)),
            AxisRef::Index(index) => self.find_index(*index).map(Some),
            AxisRef::Axis(axis) => match axis.name() {
                Some(AxisName::Text(name)) => Ok(self.by_name(name)),
                Some(AxisName::Int(index)) => self.find_index(*index).map(Some),
                None => {
                    Ok(self.iter().position(|own| own.name().is_none() && own.is_compatible(axis)))
                }
            },
        }
    }

    fn find_index(&self, index: i64) -> Result<usize> {
        let named = |axis: &Axis| axis.name() == Some(&AxisName::Int(index));
        if let Some(at) = self.iter().position(named) {
            return Ok(at);
        }
        let len = self.len() as u64;
        let from_start = if index < 0 { index.checked_add_unsigned(len) } else { Some(index) };
        let at = from_start.and_then(|index| usize::try_from(index).ok());
        at.filter(|&at| at < self.len())
            .ok_or_else(|| Fault::Position.error("list index out of range"))
    }

    #[cold]
    fn ambiguous(&self, shown: &str, has: impl Fn(&Axis) -> bool) -> Error {
        let having = (0..self.len()).filter(|&at| has(&self[at]));
        Error::invalid(format!(
            "{shown} is ambiguous, it is valid in the following axes:\n{}",
            self.lines(having)
        ))
    }

    #[cold]
    fn nowhere(&self, shown: &str, what: &str) -> Error {
        Error::invalid(format!(
            "{shown} is not a valid {what} for any axis:\n{}",
            self.lines(0..self.len())
        ))
    }

    /// Some of `labels` are on an axis, but not all.
    #[cold]
    fn not_all(&self, labels: &Labels, shown: &str) -> Error {
        let mut lines = Vec::new();
        for (at, axis) in self.iter().enumerate() {
            let missing: Vec<String> = labels
                .iter_refs()
                .filter(|label| axis.labels().position_ref(*label).is_none())
                .map(LabelRef::repr)
                .collect();
            let n_found = labels.len() - missing.len();
            if n_found > 0 {
                lines.push(format!(
                    " * axis '{}' contains {n_found} out of {} labels (labels not found: {})",
                    axis.name().map_or_else(|| at.to_string(), AxisName::to_string),
                    labels.len(),
                    missing.join(", ")
                ));
            }
        }
        let message = self.nowhere(shown, "subset");
        if lines.is_empty() {
            return message;
        }
        Error::invalid(format!(
            "{}\nSome of those labels correspond though:\n{}",
            message.message(),
            lines.join("\n")
        ))
    }
}

#[cold]
fn no_key() -> Error {
    Fault::Type.error("None has an invalid type (NoneType) for a key")
}

impl Axis {
    /// That it has not the labels that are `shown`.
    #[cold]
    pub(crate) fn has_not(&self, shown: &str) -> Error {
        let name = self.name_repr();
        let labels = crate::repr::joined(self.labels());
        Error::invalid(format!(
            "{shown} is not a valid label for the {name} axis with labels: {labels}"
        ))
    }

    /// What `key` takes of this axis; `None` if some label is not on it.
    #[must_use]
    pub fn take(&self, key: &LabelKey) -> Option<Take> {
        match key {
            LabelKey::Scalar(label) => self.labels().position(label).map(Take::At),
            LabelKey::Slice(bounds) => slice_of(self.labels(), bounds),
            LabelKey::List(labels) => list_of(self.labels(), labels),
        }
    }
}

/// From one label to another, both included, as a slice of positions.
fn slice_of(own: &Labels, bounds: &Bounds<Label>) -> Option<Take> {
    let position = |label: &Label| own.position(label).and_then(|at| i64::try_from(at).ok());
    let start = match &bounds.start {
        Some(label) => Some(position(label)?),
        None => None,
    };
    let stop = match &bounds.stop {
        Some(label) => Some(position(label)? + 1),
        None => None,
    };
    sliced(&Bounds { start, stop, step: bounds.step }, own.len()).ok()
}

fn list_of(own: &Labels, labels: &Labels) -> Option<Take> {
    let positions = labels.iter_refs().map(|label| own.position_ref(label));
    positions.collect::<Option<_>>().map(Take::Positions)
}
