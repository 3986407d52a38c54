//! What is known of many texts: how long they are, and how many differ.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hasher};

use stook_core::values::{HeapItem, item_text};
use stook_core::{DType, Result};

use crate::leaves::{Kind, Leaf};

/// Distinct texts are counted up to so many.
const MOST_DISTINCT: usize = 1 << 16;

/// What is known of many texts, or of other values whose lengths differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Texts {
    /// How many there are.
    pub n: u64,
    /// How many are empty.
    pub n_empty: u64,
    /// The lengths of the shortest and the longest: characters of text, bytes, items of a
    /// sequence. `None` where there are none.
    pub lengths: Option<(u64, u64)>,
    /// The hashes of those that differ, up to a bound.
    distinct: HashSet<u64>,
}

impl Texts {
    /// How many of them differ; `None` where they are too many to be counted.
    #[must_use]
    pub fn n_distinct(&self) -> Option<u64> {
        (self.distinct.len() < MOST_DISTINCT).then_some(self.distinct.len() as u64)
    }

    pub(super) fn add(&mut self, leaf: &Leaf, item: &[u8], heap: &[u8]) -> Result<()> {
        let owned;
        let (bytes, len) = match (leaf.kind, &leaf.dtype) {
            (Kind::Sequence, DType::Sequence(inner)) => {
                let at = HeapItem::from_bytes(item);
                (at.slice(heap, inner.item_size())?, at.len)
            }
            (Kind::Bytes, _) => {
                let at = HeapItem::from_bytes(item);
                (at.slice(heap, 1)?, at.len)
            }
            (_, dtype) => match item_text(dtype, item, heap) {
                Ok(text) => {
                    owned = text;
                    (owned.as_bytes(), owned.chars().count() as u64)
                }
                // Text that is not valid is told by `check`; here its bytes count.
                Err(_) if !dtype.has_heap() => {
                    let bytes = stook_core::values::trim_nul(item);
                    (bytes, bytes.len() as u64)
                }
                Err(_) => {
                    let at = HeapItem::from_bytes(item);
                    (at.slice(heap, 1)?, at.len)
                }
            },
        };
        self.n += 1;
        self.n_empty += u64::from(len == 0);
        self.widen(len, len);
        if self.distinct.len() < MOST_DISTINCT {
            let mut hasher = DefaultHasher::new();
            hasher.write(bytes);
            self.distinct.insert(hasher.finish());
        }
        Ok(())
    }

    fn widen(&mut self, shortest: u64, longest: u64) {
        self.lengths = Some(match self.lengths {
            Some((a, b)) => (a.min(shortest), b.max(longest)),
            None => (shortest, longest),
        });
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.n_empty += other.n_empty;
        if let Some((shortest, longest)) = other.lengths {
            self.widen(shortest, longest);
        }
        for hash in &other.distinct {
            if self.distinct.len() >= MOST_DISTINCT {
                break;
            }
            self.distinct.insert(*hash);
        }
    }
}
