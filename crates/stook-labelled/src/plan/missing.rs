//! Labels that are asked for and that an axis may not have.

use stook_core::{Error, Result};

use crate::axes::AxisCollection;
use crate::axis::{Axis, AxisRef};
use crate::labels::Labels;
use crate::plan::ReindexPlan;

/// What becomes of labels that are asked for and that an axis does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MissingLabels {
    /// They are an error that names them.
    #[default]
    Refuse,
    /// They are passed over: the result has the others.
    Skip,
    /// The result has them, with nothing there: NaN, NaT, empty text.
    Fill,
}

impl AxisCollection {
    /// How to take `labels`, in their order, of one axis. A label that is asked for twice is there
    /// twice; of one that the axis has twice it is the first.
    ///
    /// # Errors
    /// `NotFound` if there is no such axis, and for labels that it does not have if they are refused.
    pub fn at_labels(
        &self,
        axis: &AxisRef,
        labels: &Labels,
        missing: MissingLabels,
    ) -> Result<ReindexPlan> {
        let at = self.position_of(axis)?;
        let own = self[at].labels();
        let mut found: Vec<Option<usize>> =
            labels.iter_refs().map(|label| own.position_ref(label)).collect();
        let labels = match missing {
            MissingLabels::Refuse if found.contains(&None) => {
                return Err(refused(&self[at], labels, &found));
            }
            MissingLabels::Skip if found.contains(&None) => {
                let there = (0..).zip(&found).filter(|(_, position)| position.is_some());
                let there: Vec<usize> = there.map(|(number, _)| number).collect();
                found.retain(Option::is_some);
                labels.take(&there)?
            }
            _ => labels.clone(),
        };
        let mut axes = self.as_slice().to_vec();
        let mut positions = vec![None; axes.len()];
        axes[at] = self[at].with_labels(labels);
        positions[at] = Some(found.into());
        Ok(ReindexPlan::new(axes.into(), positions))
    }
}

/// Names the labels that were not found, or the first of many.
fn refused(axis: &Axis, labels: &Labels, found: &[Option<usize>]) -> Error {
    const MOST: usize = 10;
    let mut missing = labels.iter_refs().zip(found).filter(|(_, position)| position.is_none());
    let named: Vec<String> =
        missing.by_ref().take(MOST).map(|(label, _)| format!("`{label}`")).collect();
    let rest = missing.count();
    let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    Error::not_found(format!(
        "axis {} does not have {}{rest}",
        axis.display_name(),
        named.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> (AxisCollection, Labels) {
        let axes = AxisCollection::parse("a=a0..a2;b=b0,b1").unwrap();
        (axes, Labels::from_strings(["a2", "a9", "a0", "a2", "b0"]))
    }

    #[test]
    fn missing_labels_are_named() {
        let (axes, labels) = asked();
        let error = axes.at_labels(&"a".into(), &labels, MissingLabels::Refuse).unwrap_err();
        assert_eq!(error.kind(), stook_core::ErrorKind::NotFound);
        assert_eq!(error.message(), "axis a does not have `a9`, `b0`");
        let many = Labels::range(0, 1_000, 1).unwrap();
        let error = axes.at_labels(&0.into(), &many, MissingLabels::default()).unwrap_err();
        assert!(error.message().ends_with("`9` and 990 more"), "{error}");
        assert!(axes.at_labels(&"c".into(), &labels, MissingLabels::Skip).is_err());
    }

    #[test]
    fn labels_that_are_there_keep_the_order_in_which_they_are_asked_for() {
        let (axes, labels) = asked();
        let plan = axes.at_labels(&"a".into(), &labels, MissingLabels::Skip).unwrap();
        assert_eq!(plan.axes()[0].to_string(), "Axis(['a2', 'a0', 'a2'], 'a')");
        assert_eq!(plan.positions()[0].as_deref(), Some(&[Some(2), Some(0), Some(2)][..]));
        assert!(plan.positions()[1].is_none() && !plan.has_missing());
        let plan = axes.at_labels(&"a".into(), &labels, MissingLabels::Fill).unwrap();
        assert_eq!(plan.axes().shape(), [5, 2]);
        assert!(plan.has_missing());
    }

    #[test]
    fn of_labels_that_are_there_twice_the_first_counts() {
        let axes = AxisCollection::parse("a=a0,a0").unwrap();
        let labels = axes[0].labels().clone();
        let plan = axes.at_labels(&"a".into(), &labels, MissingLabels::Refuse).unwrap();
        assert_eq!(plan.positions()[0].as_deref(), Some(&[Some(0), Some(0)][..]));
    }
}
