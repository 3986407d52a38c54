//! The order of labels.

use std::cmp::Ordering;

use crate::label::LabelRef;
use crate::labels::Labels;

impl Labels {
    /// The positions of the labels in ascending order; equal ones stay in the order they are in. Numbers
    /// go before text, NaN and what has no order after all others.
    #[must_use]
    pub fn sorted_positions(&self) -> Vec<usize> {
        let mut positions: Vec<usize> = (0..self.len()).collect();
        let label = |at: &usize| self.get_ref(*at).unwrap_or(LabelRef::None);
        positions.sort_by(|a, b| order(label(a), label(b)));
        positions
    }
}

/// Kinds that are compared with one another, in the order in which they come.
fn rank(label: LabelRef<'_>) -> u8 {
    match label {
        LabelRef::Float(value) if value.is_nan() => 6,
        LabelRef::Bool(_) | LabelRef::Int(_) | LabelRef::UInt(_) | LabelRef::Float(_) => 0,
        LabelRef::Str(_) | LabelRef::Ucs4(_) => 1,
        LabelRef::Bytes(_) => 2,
        LabelRef::DateTime(i64::MIN, _) | LabelRef::TimeDelta(i64::MIN, _) => 6,
        LabelRef::Date(_) | LabelRef::DateTime(..) => 3,
        LabelRef::TimeDelta(..) => 4,
        LabelRef::None => 5,
    }
}

fn order(a: LabelRef<'_>, b: LabelRef<'_>) -> Ordering {
    rank(a).cmp(&rank(b)).then_with(|| a.compare(b))
}

#[cfg(test)]
mod tests {
    use stook_core::dtype::{TimeBase, TimeUnit};

    use super::*;
    use crate::label::Label;

    #[test]
    fn labels_are_sorted_by_value() {
        let sorted = |labels: Vec<Label>| Labels::from_labels(labels).sorted_positions();
        assert_eq!(
            sorted(vec!["b".into(), "a".into(), "é".into(), "Z".into(), "a".into()]),
            [3, 1, 4, 0, 2]
        );
        assert_eq!(sorted(vec![10.into(), (-2).into(), 3.into()]), [1, 2, 0]);
        assert_eq!(sorted(vec![f64::NAN.into(), 0.5.into(), (-0.5).into()]), [2, 1, 0]);
        let days = TimeUnit { base: TimeBase::Day, count: 1 };
        assert_eq!(sorted(vec![Label::DateTime(i64::MIN, days), Label::DateTime(3, days)]), [1, 0]);
        assert_eq!(sorted(vec!["1".into(), 2.into(), Label::None, 1.5.into()]), [3, 1, 0, 2]);
    }
}
