//! The labels of an axis: immutable, shared, and found by a hash index that is made when first
//! asked for.
//!
//! Numbers that follow one another take no memory and no index. Labels of one type lie as
//! [`Values`] of one dimension, in the dtype they were given in; others are [`Label`]s.

mod build;
mod index;
mod joined;
mod sort;
mod typed;

use std::fmt;
use std::sync::{Arc, OnceLock};

use stook_core::{DType, Error, Result, Values};

use crate::label::{Label, LabelRef};
use index::Index;
use joined::Joined;

/// The labels of an axis, in order; cheap to clone.
#[derive(Clone)]
pub struct Labels(Arc<Inner>);

struct Inner {
    repr: Repr,
    index: OnceLock<Index>,
}

/// How labels lie in memory.
#[derive(Clone)]
enum Repr {
    /// 0, 1, 2, … that stand for positions and match any labels.
    Wildcard(usize),
    /// `start + i * step`.
    Range(Range),
    /// One dimension, a dtype that [`Labels::from_values`] takes.
    Typed(Arc<Values>),
    /// numpy's `object`.
    Mixed(Arc<[Label]>),
    /// Text that is made when somebody looks at it.
    Joined(Box<Joined>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Range {
    start: i64,
    step: i64,
    len: usize,
}

/// What labels are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelKind {
    /// Truth values.
    Bool,
    /// Whole numbers.
    Int,
    /// Numbers.
    Float,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// Points in time.
    DateTime,
    /// Spans of time.
    TimeDelta,
    /// Anything, label by label.
    Mixed,
}

impl Labels {
    /// How they lie in memory; joined labels are made first.
    fn repr(&self) -> &Repr {
        if let Repr::Joined(joined) = &self.0.repr { joined.made() } else { &self.0.repr }
    }

    fn of(repr: Repr) -> Self {
        Self(Arc::new(Inner { repr, index: OnceLock::new() }))
    }

    /// The number of labels.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0.repr {
            Repr::Joined(joined) => joined.len(),
            Repr::Wildcard(len) => *len,
            Repr::Range(range) => range.len,
            Repr::Typed(values) => values.len(),
            Repr::Mixed(labels) => labels.len(),
        }
    }

    /// Whether there is no label.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether they only count positions.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        matches!(&self.0.repr, Repr::Wildcard(_))
    }

    /// What they are.
    #[must_use]
    pub fn kind(&self) -> LabelKind {
        match self.repr() {
            Repr::Wildcard(_) | Repr::Range(_) => LabelKind::Int,
            Repr::Typed(values) => typed::kind(values.dtype()).unwrap_or(LabelKind::Mixed),
            Repr::Mixed(_) | Repr::Joined(_) => LabelKind::Mixed,
        }
    }

    /// The type of their items; `None` for mixed labels (numpy's `object`).
    #[must_use]
    pub fn dtype(&self) -> Option<DType> {
        match self.repr() {
            Repr::Wildcard(_) | Repr::Range(_) => Some(DType::Int64),
            Repr::Typed(values) => Some(values.dtype().clone()),
            Repr::Mixed(_) | Repr::Joined(_) => None,
        }
    }

    /// The label at `position`; `None` past the end.
    #[must_use]
    pub fn get(&self, position: usize) -> Option<Label> {
        self.get_ref(position).map(Label::from)
    }

    /// The label at `position`, where it lies; `None` past the end.
    #[must_use]
    pub fn get_ref(&self, position: usize) -> Option<LabelRef<'_>> {
        match self.repr() {
            Repr::Wildcard(len) => {
                let label = i64::try_from(position).ok()?;
                (position < *len).then_some(LabelRef::Int(label))
            }
            Repr::Range(range) => range.get(position).map(LabelRef::Int),
            Repr::Typed(values) => typed::get(values, position),
            Repr::Mixed(labels) => labels.get(position).map(Label::as_ref),
            Repr::Joined(_) => None,
        }
    }

    /// The labels in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Label> + '_ {
        (0..self.len()).map(|position| self.get(position).unwrap_or(Label::None))
    }

    /// The labels in order, where they lie.
    pub fn iter_refs(&self) -> impl ExactSizeIterator<Item = LabelRef<'_>> + '_ {
        (0..self.len()).map(|position| self.get_ref(position).unwrap_or(LabelRef::None))
    }

    /// Where `label` is first; `None` if it is no label of these. Labels of one type are found by
    /// labels of the same kind only: 1.0 is no label of whole numbers.
    #[must_use]
    pub fn position(&self, label: &Label) -> Option<usize> {
        self.position_ref(label.as_ref())
    }

    /// Where `label` is first, without a copy of it.
    #[must_use]
    pub fn position_ref(&self, label: LabelRef<'_>) -> Option<usize> {
        match self.repr() {
            Repr::Mixed(_) | Repr::Joined(_) => self.find(label),
            _ if self.kind() != label.kind() => None,
            Repr::Wildcard(len) => {
                usize::try_from(whole(label)?).ok().filter(|position| position < len)
            }
            Repr::Range(range) => range.position(whole(label)?),
            Repr::Typed(_) => self.find(label),
        }
    }

    fn find(&self, label: LabelRef<'_>) -> Option<usize> {
        /// Fewer labels are looked through sooner than hashed.
        const SHORT: usize = 8;
        if self.len() <= SHORT {
            return self.iter_refs().position(|own| own == label);
        }
        self.0.index.get_or_init(|| Index::new(self)).position(self, label)
    }

    /// Whether `label` is one of these.
    #[must_use]
    pub fn contains(&self, label: &Label) -> bool {
        self.position(label).is_some()
    }

    /// The values of labels that have one type; `None` for mixed labels.
    ///
    /// # Errors
    /// `LimitExceeded` if there are more labels than memory.
    pub fn to_values(&self) -> Result<Option<Arc<Values>>> {
        match self.repr() {
            Repr::Typed(values) => Ok(Some(Arc::clone(values))),
            Repr::Mixed(_) | Repr::Joined(_) => Ok(None),
            Repr::Wildcard(_) | Repr::Range(_) => {
                let mut items = Vec::new();
                items
                    .try_reserve_exact(self.len().saturating_mul(8))
                    .map_err(|_| Error::limit(format!("{} labels overflow memory", self.len())))?;
                for label in self.iter_refs() {
                    let LabelRef::Int(value) = label else { continue };
                    items.extend_from_slice(stook_core::element::as_bytes(&[value]));
                }
                let values = Values::new(DType::Int64, vec![self.len() as u64], items, vec![])?;
                Ok(Some(Arc::new(values)))
            }
        }
    }

    /// The labels of mixed ones, where they lie.
    #[must_use]
    pub fn as_mixed(&self) -> Option<&[Label]> {
        if let Repr::Mixed(labels) = self.repr() { Some(labels) } else { None }
    }

    /// Bytes of memory, without those of the index.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        match self.repr() {
            Repr::Wildcard(_) | Repr::Range(_) => 8 * self.len(),
            Repr::Typed(values) => values.items().len() + values.heap().len(),
            Repr::Mixed(labels) => size_of_val(&**labels),
            Repr::Joined(_) => 0,
        }
    }

    /// Whether both are one and the same in memory.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Range {
    fn get(self, position: usize) -> Option<i64> {
        if position >= self.len {
            return None;
        }
        self.start.checked_add(self.step.checked_mul(i64::try_from(position).ok()?)?)
    }

    fn position(self, value: i64) -> Option<usize> {
        let distance = value.checked_sub(self.start)?;
        if self.step == 0 || distance.checked_rem(self.step)? != 0 {
            return None;
        }
        usize::try_from(distance.checked_div(self.step)?).ok().filter(|&at| at < self.len)
    }
}

fn whole(label: LabelRef<'_>) -> Option<i64> {
    if let LabelRef::Int(value) = label { Some(value) } else { None }
}

/// Label by label; a range is equal to the same numbers in memory.
impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        if self.is_same(other) {
            return true;
        }
        if self.len() != other.len() {
            return false;
        }
        match (self.repr(), other.repr()) {
            (Repr::Wildcard(_), Repr::Wildcard(_)) => true,
            (Repr::Range(a), Repr::Range(b)) => {
                a == b || self.is_empty() || (a.len == 1 && a.start == b.start)
            }
            (Repr::Typed(a), Repr::Typed(b))
                if a.dtype() == b.dtype() && !a.dtype().has_heap() && a.items() == b.items() =>
            {
                true
            }
            _ => self.iter_refs().eq(other.iter_refs()),
        }
    }
}

impl Eq for Labels {}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Repr::Wildcard(len) = self.repr() {
            return write!(f, "Wildcard({len})");
        }
        f.debug_list().entries(self.iter_refs().map(|label| label.to_string())).finish()
    }
}

#[cfg(test)]
mod tests {
    use stook_core::dtype::{TimeBase, TimeUnit};

    use super::*;

    #[test]
    fn the_first_of_duplicates_wins() {
        for n in [2, 50] {
            let labels = Labels::from_strings((0..n).chain(0..n).map(|i| format!("l{i}")));
            assert_eq!(labels.position(&"l1".into()), Some(1));
            assert_eq!(labels.position(&Label::from(format!("l{n}"))), None);
        }
    }

    #[test]
    fn ranges_and_wildcards_need_no_index() {
        let range = Labels::range(10, 1, -2).unwrap();
        assert_eq!(range.iter().collect::<Vec<_>>(), [10, 8, 6, 4, 2].map(Label::from));
        assert_eq!(range.position(&4.into()), Some(3));
        assert_eq!(range.position(&3.into()), None);
        assert_eq!(range.position(&0.into()), None);
        assert_eq!(range.position(&4.0.into()), None);
        let wildcard = Labels::wildcard(3);
        assert_eq!(wildcard.position(&2.into()), Some(2));
        assert_eq!(wildcard.position(&3.into()), None);
        assert_eq!(wildcard, Labels::range(0, 3, 1).unwrap());
        assert!(range.0.index.get().is_none() && wildcard.0.index.get().is_none());
    }

    #[test]
    fn labels_of_each_type_are_found() {
        let seconds = TimeUnit { base: TimeBase::Second, count: 1 };
        let all: Vec<Vec<Label>> = vec![
            (0..40).map(|i| Label::from(i * i)).collect(),
            (0..40).map(|i| Label::from(f64::from(i) / 3.0)).collect(),
            (0..40).map(|i| Label::from(format!("é{i}"))).collect(),
            (0..40).map(|i| Label::DateTime(i * 60, seconds)).collect(),
            (0..40).map(|i| Label::TimeDelta(i * 60, seconds)).collect(),
            (0_u8..40).map(|i| Label::from(&[i + 1, 9][..])).collect(),
            (0..40)
                .map(|i| if i % 2 == 0 { Label::from(i) } else { i.to_string().into() })
                .collect(),
        ];
        for expected in all {
            let labels = Labels::from_labels(expected.clone());
            assert_eq!(labels.iter().collect::<Vec<_>>(), expected);
            for (at, label) in expected.iter().enumerate() {
                assert_eq!(labels.position(label), Some(at), "{label:?} in {labels:?}");
            }
            assert_eq!(labels.position(&"nowhere".into()), None);
            assert_eq!(labels.take(&[39, 0]).unwrap().get(0).as_ref(), expected.last());
            assert_eq!(
                labels.slice(1, 2, 3).unwrap().iter().collect::<Vec<_>>(),
                [expected[1].clone(), expected[3].clone(), expected[5].clone()]
            );
        }
    }

    #[test]
    fn text_and_numbers_together_stay_what_they_are() {
        let labels = Labels::from_labels(vec![1.into(), "1".into()]);
        assert_eq!(labels.kind(), LabelKind::Mixed);
        assert_eq!(labels.position(&"1".into()), Some(1));
    }
}
