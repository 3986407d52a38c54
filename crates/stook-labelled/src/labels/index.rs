//! A hash index over labels that stores nothing but positions.

use std::hash::{BuildHasher, RandomState};

use crate::label::LabelRef;
use crate::labels::Labels;

/// Positions by the hash of their label, in open addressing; the first of duplicates only.
pub(super) struct Index {
    /// A power of two of slots, at most half of them used.
    slots: Box<[usize]>,
    hasher: RandomState,
}

const EMPTY: usize = usize::MAX;

impl Index {
    pub(super) fn new(labels: &Labels) -> Self {
        let n_slots = labels.len().saturating_mul(2).next_power_of_two().max(2);
        let mut index =
            Self { slots: vec![EMPTY; n_slots].into_boxed_slice(), hasher: RandomState::new() };
        for (position, label) in labels.iter_refs().enumerate() {
            let slot = index.slot(labels, label);
            if let Some(place) = index.slots.get_mut(slot)
                && *place == EMPTY
            {
                *place = position;
            }
        }
        index
    }

    /// The slot that has `label`, or the empty one where it would be.
    fn slot(&self, labels: &Labels, label: LabelRef<'_>) -> usize {
        let mask = self.slots.len() - 1;
        #[expect(clippy::cast_possible_truncation, reason = "the low bits are as good as any")]
        let mut slot = self.hasher.hash_one(label) as usize & mask;
        loop {
            match self.slots.get(slot) {
                Some(&position) if position != EMPTY => {
                    if labels.get_ref(position).is_some_and(|own| own == label) {
                        return slot;
                    }
                }
                _ => return slot,
            }
            slot = (slot + 1) & mask;
        }
    }

    pub(super) fn position(&self, labels: &Labels, label: LabelRef<'_>) -> Option<usize> {
        let position = *self.slots.get(self.slot(labels, label))?;
        (position != EMPTY).then_some(position)
    }
}
