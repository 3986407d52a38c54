//! Which boxes of an array a check reads: those of which something is stored.
//!
//! A file of two kilobytes may declare an array of petabytes that was never written. The grid of
//! such an array is not walked: what is stored is asked of the source, and read run by run.

use std::ops::Range;

use stook_core::{ArraySpec, ChunkGrid, Error, Result, Selection};

use crate::array::Array;
use crate::parts::{Parts, Ranges, boxes_within};

/// What is read of an array.
pub(super) struct Plan {
    pub(super) boxes: Box<dyn Iterator<Item = Ranges> + Send>,
    /// Chunks (or shards) that are stored; all of them where that cannot be told.
    pub(super) n_chunks: u64,
    /// Bytes of items in the boxes.
    pub(super) len_bytes: u64,
    /// Whether something is known to be stored of each box.
    pub(super) is_known: bool,
}

/// Plans boxes of about `budget_len_bytes`.
pub(super) fn plan(array: &Array, spec: &ArraySpec, budget_len_bytes: u64) -> Result<Plan> {
    let grid = spec.write_grid();
    let counts = grid.counts(spec.shape());
    let n_all = counts.iter().fold(1, |n: u64, &count| n.saturating_mul(count));
    let whole = || -> Result<Plan> {
        let boxes = Parts::new(&Selection::All, spec)?.boxes(spec, budget_len_bytes);
        let (boxes, len_bytes) = (Box::new(boxes), spec.n_bytes());
        Ok(Plan { boxes, n_chunks: n_all, len_bytes, is_known: true })
    };
    let Some(stored) = stored(array, &counts)? else {
        let is_absent =
            n_all == 1 && array.source().is_stored(&vec![0; counts.len()])? == Some(false);
        if is_absent {
            let boxes = Box::new(std::iter::empty());
            return Ok(Plan { boxes, n_chunks: 0, len_bytes: 0, is_known: true });
        }
        return Ok(Plan { is_known: array.source().in_place().is_some(), ..whole()? });
    };
    let n_chunks = stored.len() as u64;
    if n_chunks == n_all {
        return whole();
    }
    let most = budget_len_bytes / (spec.dtype.item_size() as u64).max(1);
    let runs = Runs { stored, counts, grid: grid.clone(), shape: spec.shape().to_vec(), most };
    let n_elements = (0..runs.stored.len()).map(|at| n_in(&runs.unit(at)));
    let n_elements = n_elements.fold(0, u64::saturating_add);
    let spec = spec.clone();
    let len_bytes = n_elements.saturating_mul(spec.dtype.item_size() as u64);
    let boxes = runs.ranges().flat_map(move |run| boxes_within(&run, &spec, budget_len_bytes));
    Ok(Plan { boxes: Box::new(boxes), n_chunks, len_bytes, is_known: true })
}

/// The positions in C order of all that is stored, sorted; `None` where that cannot be told.
fn stored(array: &Array, counts: &[u64]) -> Result<Option<Vec<u128>>> {
    let mut stored = Vec::new();
    let is_told = array.source().visit_stored(&mut |index| {
        // What lies outside belongs to no element.
        if index.len() != counts.len() || index.iter().zip(counts).any(|(at, count)| at >= count) {
            return Ok(());
        }
        let axes = index.iter().zip(counts);
        let position = axes.into_iter().try_fold(0_u128, |sum, (&at, &count)| {
            sum.checked_mul(u128::from(count))?.checked_add(u128::from(at))
        });
        let too_large = || Error::limit(format!("a grid of {counts:?} chunks is too large"));
        stored.push(position.ok_or_else(too_large)?);
        Ok(())
    })?;
    stored.sort_unstable();
    stored.dedup();
    Ok(is_told.then_some(stored))
}

fn n_in(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().fold(1, |n, range| n.saturating_mul(range.end.saturating_sub(range.start)))
}

/// What is stored, neighbours along the last axis together.
struct Runs {
    stored: Vec<u128>,
    counts: Vec<u64>,
    grid: ChunkGrid,
    shape: Vec<u64>,
    /// Elements of a run of more than one chunk.
    most: u64,
}

impl Runs {
    /// The elements of what is stored as number `at`.
    fn unit(&self, at: usize) -> Ranges {
        let mut position = self.stored.get(at).copied().unwrap_or(0);
        let mut ranges = vec![0..0; self.counts.len()];
        for (axis, range) in ranges.iter_mut().enumerate().rev() {
            let count = u128::from(self.counts.get(axis).copied().unwrap_or(1).max(1));
            let idx = u64::try_from(position % count).unwrap_or(u64::MAX);
            position /= count;
            let (start, len) = self.grid.extent(axis, idx);
            let end = self.shape.get(axis).copied().unwrap_or(0);
            *range = start..start.saturating_add(len).min(end);
        }
        ranges
    }

    fn ranges(self) -> impl Iterator<Item = Ranges> + Send {
        let mut at = 0;
        std::iter::from_fn(move || {
            if at >= self.stored.len() {
                return None;
            }
            let mut run = self.unit(at);
            at += 1;
            while at < self.stored.len() {
                let Some(longer) =
                    joined(&run, &self.unit(at)).filter(|run| n_in(run) <= self.most)
                else {
                    break;
                };
                run = longer;
                at += 1;
            }
            Some(run)
        })
    }
}

/// Both in one, where the second goes on along the last axis where the first ends.
fn joined(first: &Ranges, second: &Ranges) -> Option<Ranges> {
    let ((a, above), (b, above_too)) = (first.split_last()?, second.split_last()?);
    let is_next = above == above_too && a.end == b.start;
    is_next.then(|| above.iter().cloned().chain(std::iter::once(a.start..b.end)).collect())
}
