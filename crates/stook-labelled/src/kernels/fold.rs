//! Reductions of any number of axes to one element, in pieces that do not depend on threads.
//!
//! Elements are taken up in tiles, tiles are put together by sixteen, and what comes of those in
//! pairs, so that rounding errors of sums grow with the logarithm of their number.

use std::sync::{Mutex, PoisonError};

use stook_core::Result;

use super::gather::FromAny;
use super::item::Item;
use super::lanes::split_axes;
use super::memory::Strided;
use super::memory_mut::StridedMut;
use super::threads::{for_each_range, n_threads};
use super::tiles::{Buffer, Dim, TILE, Tile, Walk, coalesce};
use super::wide::wide;

/// How many results, of which each has an element in a row, are worked on at a time.
const ROW: usize = 8192;
/// How many tiles are put together one after the other.
const PER_RUN: usize = 16;
/// How many tiles one thread takes up before what comes of them is put together with others.
const PER_SEGMENT: usize = PER_RUN * 8;

/// What elements are folded to.
pub(super) trait Fold: Sync {
    type In: FromAny;
    type State: Clone + Send;
    type Out: Item;

    /// Whether [`Fold::row`] is as fast as memory.
    const HAS_ROWS: bool;

    fn start(&self) -> Self::State;
    /// Takes up many elements.
    fn lane(&self, state: &mut Self::State, items: &[Self::In]);
    /// Takes up one element for each state.
    fn row(&self, states: &mut [Self::State], items: &[Self::In]) {
        for (state, item) in states.iter_mut().zip(items) {
            self.lane(state, std::slice::from_ref(item));
        }
    }
    fn merge(&self, state: &mut Self::State, other: &Self::State);
    fn finish(&self, state: &Self::State) -> Self::Out;
}

/// Fills `out`, of the axes that are kept, with what `fold` makes of the elements along `axes`.
///
/// # Errors
/// `InvalidInput` where an axis does not exist or the output has another shape, and those of a
/// checkpoint.
pub(super) fn fold_into<F: Fold>(
    fold: &F,
    input: &Strided<'_>,
    axes: &[usize],
    out: &mut StridedMut<'_>,
) -> Result<()> {
    let (kept, lane) = split_axes(input.shape().len(), axes)?;
    out.check_shape(&kept.iter().map(|&axis| input.shape()[axis]).collect::<Vec<_>>())?;
    let by_stride = |dim: &Dim<1>| std::cmp::Reverse(dim.strides[0].unsigned_abs());
    let dim = |axis: usize, out: isize, is_kept| Dim {
        len: input.shape()[axis],
        tile: 1,
        strides: [input.strides()[axis]],
        out,
        is_kept,
    };
    let kept = kept.iter().enumerate().map(|(at, &axis)| dim(axis, out.strides()[at], true));
    let mut kept: Vec<Dim<1>> = kept.collect();
    let mut lane: Vec<Dim<1>> = lane.iter().map(|&axis| dim(axis, 0, false)).collect();
    for dims in [&mut kept, &mut lane] {
        dims.sort_by_key(by_stride);
        coalesce(dims);
    }
    let (dims, by_rows) = arrange(kept, lane, F::HAS_ROWS);
    let len_bytes = input.len_bytes();
    let walk = Walk::over(dims, [input.clone()], out);
    Folding { fold, walk, by_rows }.run(len_bytes)
}

/// The order of axes and the size of tiles; whether tiles are rows, each element of which belongs
/// to another result, or lanes.
fn arrange(mut kept: Vec<Dim<1>>, mut lane: Vec<Dim<1>>, has_rows: bool) -> (Vec<Dim<1>>, bool) {
    let step =
        |dims: &[Dim<1>]| dims.last().map_or(usize::MAX, |dim| dim.strides[0].unsigned_abs());
    let is_across = step(&kept) < step(&lane);
    let by_rows = has_rows && is_across && kept.last().is_some_and(|dim| dim.len >= 8);
    let mut room = TILE;
    if is_across && let Some(inner) = kept.last_mut() {
        inner.tile = inner.len.min(if by_rows { ROW } else { 16 }).max(1);
        room = (room / inner.tile).max(1);
    }
    for dim in lane.iter_mut().rev() {
        dim.tile = dim.len.min(room).max(1);
        room /= dim.tile;
        if dim.tile < dim.len {
            break;
        }
    }
    if by_rows {
        let inner = kept.pop();
        kept.extend(lane);
        kept.extend(inner);
        return (kept, true);
    }
    if !is_across && let Some(inner) = kept.last_mut() {
        inner.tile = inner.len.min(room).max(1);
    }
    kept.extend(lane);
    (kept, false)
}

struct Folding<'f, 'a, F: Fold> {
    fold: &'f F,
    walk: Walk<'a, 1>,
    by_rows: bool,
}

impl<F: Fold> Folding<'_, '_, F> {
    fn run(&self, len_bytes: usize) -> Result<()> {
        let (n_kept, n_lane) = (self.walk.n_tiles_where(true), self.walk.n_tiles_where(false));
        let n_segments = n_lane.div_ceil(PER_SEGMENT).max(1);
        if n_kept >= 2 * n_threads() || n_segments == 1 {
            return for_each_range(n_kept, len_bytes, &|range| {
                let mut work = Work::new(self);
                range.into_iter().try_for_each(|kept| {
                    let mut whole = Pairs::default();
                    for segment in 0..n_segments {
                        let states = work.segment(self, kept, segment, n_lane)?;
                        whole.push(self.fold, states, &mut work.spare);
                    }
                    work.finish(self, kept, whole);
                    Ok(())
                })
            });
        }
        let segments: Vec<Mutex<Option<Vec<F::State>>>> =
            (0..n_kept * n_segments).map(|_| Mutex::new(None)).collect();
        for_each_range(segments.len(), len_bytes, &|range| {
            let mut work = Work::new(self);
            range.into_iter().try_for_each(|at| {
                let states = work.segment(self, at / n_segments, at % n_segments, n_lane)?;
                if let Some(place) = segments.get(at) {
                    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(states);
                }
                Ok(())
            })
        })?;
        let mut work = Work::new(self);
        let mut segments = segments
            .into_iter()
            .filter_map(|state| state.into_inner().unwrap_or_else(PoisonError::into_inner));
        for kept in 0..n_kept {
            let mut whole = Pairs::default();
            let states = segments.by_ref().take(n_segments);
            states.for_each(|states| whole.push(self.fold, states, &mut work.spare));
            work.finish(self, kept, whole);
        }
        Ok(())
    }
}

/// States that are put together in pairs of equal size, in order.
struct Pairs<S>(Vec<(u32, Vec<S>)>);

impl<S> Default for Pairs<S> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<S> Pairs<S> {
    fn push<F: Fold<State = S>>(&mut self, fold: &F, mut states: Vec<S>, spare: &mut Vec<Vec<S>>) {
        let mut level = 0;
        while self.0.last().is_some_and(|(last, _)| *last == level) {
            states = self.join_last(fold, states, spare);
            level += 1;
        }
        self.0.push((level, states));
    }

    fn join_last<F: Fold<State = S>>(
        &mut self,
        fold: &F,
        states: Vec<S>,
        spare: &mut Vec<Vec<S>>,
    ) -> Vec<S> {
        let Some((_, mut before)) = self.0.pop() else { return states };
        before.iter_mut().zip(&states).for_each(|(state, other)| fold.merge(state, other));
        spare.push(states);
        before
    }

    fn join<F: Fold<State = S>>(mut self, fold: &F, spare: &mut Vec<Vec<S>>) -> Option<Vec<S>> {
        let mut states = self.0.pop()?.1;
        while !self.0.is_empty() {
            states = self.join_last(fold, states, spare);
        }
        Some(states)
    }
}

/// What a thread needs.
struct Work<'w, F: Fold> {
    tile: Tile<'w, 1>,
    buffer: Buffer<F::In>,
    out: Vec<F::Out>,
    /// States that were put together with others: their memory is used again.
    spare: Vec<Vec<F::State>>,
}

impl<'w, F: Fold> Work<'w, F> {
    fn new(folding: &'w Folding<'_, '_, F>) -> Self {
        let tile = Tile::of(&folding.walk);
        Self { tile, buffer: Buffer::default(), out: Vec::new(), spare: Vec::new() }
    }

    fn n_kept(&self, folding: &Folding<'_, '_, F>) -> usize {
        let lens = folding.walk.dims().iter().zip(self.tile.lens());
        lens.filter(|(dim, _)| dim.is_kept).map(|(_, len)| len).product()
    }

    /// What comes of the tiles of one segment.
    fn segment(
        &mut self,
        folding: &Folding<'_, '_, F>,
        kept: usize,
        segment: usize,
        n_lane: usize,
    ) -> Result<Vec<F::State>> {
        let fold = folding.fold;
        let tiles = segment * PER_SEGMENT..n_lane.min((segment + 1) * PER_SEGMENT);
        let mut whole = Pairs::default();
        let mut states = self.spare.pop().unwrap_or_default();
        states.clear();
        for (i, lane) in tiles.enumerate() {
            self.tile.set_split(kept, lane);
            let n_kept = self.n_kept(folding);
            if i % PER_RUN == 0 {
                if i > 0 {
                    let next = self.spare.pop().unwrap_or_default();
                    whole.push(fold, std::mem::replace(&mut states, next), &mut self.spare);
                    states.clear();
                }
                states.resize(n_kept, fold.start());
            }
            let items = self.tile.input(0, &mut self.buffer)?;
            wide(|| {
                if folding.by_rows {
                    let rows = items.chunks_exact(n_kept.max(1));
                    rows.for_each(|row| fold.row(&mut states, row));
                } else {
                    let lanes = items.chunks_exact((items.len() / n_kept.max(1)).max(1));
                    states.iter_mut().zip(lanes).for_each(|(state, lane)| fold.lane(state, lane));
                }
            });
        }
        whole.push(fold, states, &mut self.spare);
        Ok(whole.join(fold, &mut self.spare).unwrap_or_default())
    }

    fn finish(&mut self, folding: &Folding<'_, '_, F>, kept: usize, whole: Pairs<F::State>) {
        // Along axes of length zero there is no tile.
        let has_lane = folding.walk.dims().iter().all(|dim| dim.is_kept || dim.len > 0);
        let mut states = whole.join(folding.fold, &mut self.spare).unwrap_or_default();
        if has_lane {
            self.tile.set_split(kept, 0);
        } else {
            self.tile.set_kept(kept);
            let n_kept = self.n_kept(folding);
            states.resize(n_kept, folding.fold.start());
        }
        self.out.clear();
        self.out.extend(states.iter().map(|state| folding.fold.finish(state)));
        self.tile.write_kept(&self.out, 0, &mut self.buffer.steps);
        self.spare.push(states);
    }
}
