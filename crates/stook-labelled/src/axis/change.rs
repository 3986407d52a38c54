//! Axes made from others: labels replaced, added, put in order.

use stook_core::{Error, Result};

use crate::axis::Axis;
use crate::label::Label;
use crate::labels::Labels;

impl Axis {
    /// With `labels` after its own.
    #[must_use]
    pub fn extended(&self, labels: &Labels) -> Self {
        self.with_labels(Labels::concat(&[self.labels().clone(), labels.clone()]))
    }

    /// With `labels` before the one at `position`, or last if that is the length.
    ///
    /// # Errors
    /// `InvalidInput` if `position` is past the end.
    pub fn inserted(&self, position: usize, labels: &Labels) -> Result<Self> {
        let own = self.labels();
        let rest = own.len().checked_sub(position).ok_or_else(|| {
            Error::invalid(format!("position {position} is out of bounds for {} labels", own.len()))
        })?;
        let parts = [own.slice(0, 1, position)?, labels.clone(), own.slice(position, 1, rest)?];
        Ok(self.with_labels(Labels::concat(&parts)))
    }

    /// With other labels in the place of some of its own.
    ///
    /// # Errors
    /// `NotFound` for a label that is not on this axis.
    pub fn replaced(&self, changes: &[(Label, Label)]) -> Result<Self> {
        let mut labels: Vec<Label> = self.labels().iter().collect();
        for (old, new) in changes {
            let at = self.position(old)?;
            if let Some(place) = labels.get_mut(at) {
                *place = new.clone();
            }
        }
        let is_mixed = self.labels().dtype().is_none();
        let labels = if is_mixed { Labels::mixed(labels) } else { Labels::from_labels(labels) };
        let is_of_a_kind = labels.dtype().is_some() || is_mixed;
        Ok(self.with_labels(if is_of_a_kind { labels } else { labels.to_text() }))
    }

    /// With the labels that `change` makes of its own.
    #[must_use]
    pub fn mapped(&self, change: impl FnMut(Label) -> Label) -> Self {
        self.with_labels(self.labels().iter().map(change).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_put_where_they_are_wanted() {
        let axis = Axis::parse("a=a0,a1").expect("an axis");
        let show = |axis: Result<Axis>| axis.expect("an axis").to_string();
        let new = Labels::from_strings(["new"]);
        assert_eq!(show(Ok(axis.extended(&new))), "Axis(['a0', 'a1', 'new'], 'a')");
        assert_eq!(show(axis.inserted(1, &new)), "Axis(['a0', 'new', 'a1'], 'a')");
        assert_eq!(show(axis.inserted(0, &new)), "Axis(['new', 'a0', 'a1'], 'a')");
        assert!(axis.inserted(3, &new).is_err());
        assert_eq!(show(axis.replaced(&[("a0".into(), "z".into())])), "Axis(['z', 'a1'], 'a')");
        assert!(axis.replaced(&[("zz".into(), "z".into())]).is_err());
        let years = Axis::parse("y=1..2").expect("an axis");
        assert_eq!(show(years.replaced(&[(1.into(), "z".into())])), "Axis(['z', '2'], 'y')");
        let upper = axis.mapped(|label| label.to_string().to_uppercase().into());
        assert_eq!(upper.to_string(), "Axis(['A0', 'A1'], 'a')");
    }
}
