//! The planner: cuts a resolved selection into the parts that lie in each chunk.
//!
//! Along each axis the selection falls into [`AxisPart`]s, one a chunk that it touches; the
//! chunks touched by the whole are the product of the parts, and are numbered in C order, so
//! that nothing is stored for each of them. Points are sorted by chunk instead.

use std::ops::Range;

use super::{Resolved, ResolvedAxis};
use crate::error::{Error, Result};
use crate::grid::ChunkGrid;

/// The most axes that an array may have (HDF5's limit).
pub(crate) const MAX_RANK: usize = 32;

/// What a selection takes of one chunk along one axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AxisPart {
    /// The chunk along this axis.
    pub(crate) chunk: u64,
    /// The elements within the array of the chunk along this axis (less at the edge).
    pub(crate) chunk_valid: u64,
    /// Which of them.
    pub(crate) run: Run,
}

/// Positions in a chunk and in the result along one axis.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Run {
    /// `len` elements from `first` on, `step` apart, which go to `out` and following.
    Slice { first: u64, step: i64, len: u64, out: u64 },
    /// The pairs of [`AxisPlan::pairs`] from `start` to before `end`.
    List { start: usize, end: usize },
}

/// The parts along one axis.
#[derive(Clone, Debug)]
pub(crate) struct AxisPlan {
    pub(crate) parts: Vec<AxisPart>,
    /// Positions in the chunk and in the result, for lists.
    pub(crate) pairs: Vec<(u64, u64)>,
    /// Whether the axis appears in the result.
    pub(crate) kept: bool,
}

impl AxisPlan {
    fn new(axis: usize, selection: &ResolvedAxis, kept: bool, len: u64, grid: &ChunkGrid) -> Self {
        let mut plan = Self { parts: Vec::new(), pairs: Vec::new(), kept };
        match selection {
            ResolvedAxis::Slice { start, step, len: n } => {
                plan.cut_slice((axis, len, grid), *start, *step, *n);
            }
            ResolvedAxis::List(list) => plan.cut_list((axis, len, grid), list),
        }
        plan
    }

    fn push(&mut self, (axis, len, grid): (usize, u64, &ChunkGrid), chunk: u64, run: Run) {
        let (start, chunk_len) = grid.extent(axis, chunk);
        let chunk_valid = chunk_len.min(len.saturating_sub(start));
        self.parts.push(AxisPart { chunk, chunk_valid, run });
    }

    fn cut_slice(&mut self, at: (usize, u64, &ChunkGrid), start: u64, step: i64, n: u64) {
        let (axis, _, grid) = at;
        let stride = step.unsigned_abs();
        let (mut done, mut position) = (0, start);
        while done < n {
            let (chunk, first) = grid.locate(axis, position);
            let room = if step > 0 { grid.extent(axis, chunk).1 - 1 - first } else { first };
            let len = (room / stride + 1).min(n - done);
            self.push(at, chunk, Run::Slice { first, step, len, out: done });
            done += len;
            let moved = len.saturating_mul(stride);
            position = if step > 0 {
                position.saturating_add(moved)
            } else {
                position.saturating_sub(moved)
            };
        }
    }

    fn cut_list(&mut self, at: (usize, u64, &ChunkGrid), list: &[u64]) {
        let (axis, _, grid) = at;
        let mut order: Vec<(u64, u64, u64)> = Vec::with_capacity(list.len());
        order.extend(list.iter().enumerate().map(|(out, &position)| {
            let (chunk, within) = grid.locate(axis, position);
            (chunk, within, out as u64)
        }));
        // Stable by chunk, so that of repeated positions the last one written wins, as in numpy.
        if !order.is_sorted_by_key(|entry| entry.0) {
            order.sort_by_key(|entry| entry.0);
        }
        self.pairs.extend(order.iter().map(|&(_, within, out)| (within, out)));
        let mut start = 0;
        for run in order.chunk_by(|a, b| a.0 == b.0) {
            let end = start + run.len();
            self.push(at, run[0].0, Run::List { start, end });
            start = end;
        }
    }
}

/// How the chunks of a [`BoxPlan`] are grouped into units that are written as one (shards).
#[derive(Debug)]
struct Units {
    /// For each axis, the parts that lie in each unit along it.
    groups: Vec<Vec<Range<usize>>>,
    /// Where the chunks of each touched unit end, in the numbering of chunks.
    ends: Vec<usize>,
}

impl Units {
    fn new(axes: &[AxisPlan], grid: &ChunkGrid, shards: &ChunkGrid) -> Self {
        let groups: Vec<Vec<Range<usize>>> = axes
            .iter()
            .enumerate()
            .map(|(axis, plan)| {
                let unit = |part: &AxisPart| shards.locate(axis, grid.extent(axis, part.chunk).0).0;
                let mut start = 0;
                let runs = plan.parts.chunk_by(|a, b| unit(a) == unit(b));
                runs.map(|run| {
                    start += run.len();
                    start - run.len()..start
                })
                .collect()
            })
            .collect();
        let n_units = groups.iter().map(Vec::len).product();
        let mut units = Self { groups, ends: Vec::with_capacity(n_units) };
        let mut end = 0;
        for unit in 0..n_units {
            let mut n = 1;
            units.for_each_axis(unit, |_, group| n *= group.len());
            end += n;
            units.ends.push(end);
        }
        units
    }

    /// Calls `visit` with the parts of each axis that lie in `unit`, last axis first.
    fn for_each_axis(&self, unit: usize, mut visit: impl FnMut(usize, &Range<usize>)) {
        let mut rest = unit;
        for (axis, groups) in self.groups.iter().enumerate().rev() {
            visit(axis, &groups[rest % groups.len()]);
            rest /= groups.len();
        }
    }

    fn range(&self, unit: usize) -> Range<usize> {
        let start = if unit == 0 { 0 } else { self.ends[unit - 1] };
        start..self.ends[unit]
    }
}

/// A selection cut along a grid: the product of the parts of its axes.
///
/// The touched chunks are numbered in C order, those of one unit together where there are units.
#[derive(Debug)]
pub(crate) struct BoxPlan {
    pub(crate) axes: Vec<AxisPlan>,
    n_chunks: usize,
    units: Option<Units>,
}

impl BoxPlan {
    /// Calls `visit` with each axis and its part in touched chunk `i`, last axis first.
    fn for_each_axis<'p>(&'p self, i: usize, mut visit: impl FnMut(usize, &'p AxisPart)) {
        match &self.units {
            None => {
                let mut rest = i;
                for (axis, plan) in self.axes.iter().enumerate().rev() {
                    visit(axis, &plan.parts[rest % plan.parts.len()]);
                    rest /= plan.parts.len();
                }
            }
            Some(units) => {
                let unit = units.ends.partition_point(|&end| end <= i);
                let mut rest = i - units.range(unit).start;
                units.for_each_axis(unit, |axis, group| {
                    visit(axis, &self.axes[axis].parts[group.start + rest % group.len()]);
                    rest /= group.len();
                });
            }
        }
    }

    /// The parts of touched chunk `i`, one an axis.
    pub(crate) fn parts(&self, i: usize) -> Parts<'_> {
        let mut parts = Parts { at: [None; MAX_RANK], rank: self.axes.len() };
        self.for_each_axis(i, |axis, part| parts.at[axis] = Some((part, &self.axes[axis])));
        parts
    }

    fn indices(&self, from: usize, to: usize, flat: &mut Vec<u64>) {
        for i in from..to {
            let start = flat.len();
            flat.resize(start + self.axes.len(), 0);
            self.for_each_axis(i, |axis, part| flat[start + axis] = part.chunk);
        }
    }
}

/// The parts of one chunk, an entry an axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'p> {
    at: [Option<(&'p AxisPart, &'p AxisPlan)>; MAX_RANK],
    rank: usize,
}

impl<'p> Parts<'p> {
    pub(crate) fn iter(
        &self,
    ) -> impl DoubleEndedIterator<Item = (&'p AxisPart, &'p AxisPlan)> + '_ {
        self.at[..self.rank].iter().flatten().copied()
    }

    /// Whether every element of the chunk that lies in the array is taken.
    pub(crate) fn is_whole(&self) -> bool {
        self.iter().all(|(part, plan)| match part.run {
            Run::Slice { step, len, .. } => step.unsigned_abs() == 1 && len == part.chunk_valid,
            Run::List { start, end } => {
                let pairs = &plan.pairs[start..end];
                let valid = part.chunk_valid;
                pairs.len() as u64 == valid
                    && pairs.iter().zip(0..valid).all(|(&(within, _), at)| within == at)
            }
        })
    }
}

/// Points sorted by unit and chunk.
#[derive(Debug)]
pub(crate) struct PointPlan {
    /// For each touched chunk: its index in C order of the grid, and where its points end in
    /// `outs`.
    chunks: Vec<(u64, usize)>,
    /// Where the chunks of each touched unit end.
    unit_ends: Vec<usize>,
    /// For each point in the order of chunks: the position in the result.
    pub(crate) outs: Vec<u64>,
    /// The positions within the chunk, `rank` numbers a point.
    within: Vec<u64>,
    counts: Vec<u64>,
    rank: usize,
}

impl PointPlan {
    fn new(
        coordinates: &[Vec<u64>],
        shape: &[u64],
        grid: &ChunkGrid,
        units: &ChunkGrid,
    ) -> Result<Self> {
        let counts = grid.counts(shape);
        if counts.iter().try_fold(1_u64, |n, &count| n.checked_mul(count)).is_none() {
            return Err(Error::limit(format!("a grid of {counts:?} chunks overflows")));
        }
        let unit_counts = units.counts(shape);
        let n = coordinates.first().map_or(1, Vec::len);
        let (rank, mut order) = (shape.len(), Vec::with_capacity(n));
        for out in 0..n {
            let (mut unit, mut chunk) = (0, 0);
            for (axis, list) in coordinates.iter().enumerate() {
                chunk = chunk * counts[axis] + grid.locate(axis, list[out]).0;
                unit = unit * unit_counts[axis] + units.locate(axis, list[out]).0;
            }
            order.push((unit, chunk, out));
        }
        order.sort_unstable();
        let mut plan = Self {
            chunks: Vec::new(),
            unit_ends: Vec::new(),
            outs: Vec::with_capacity(n),
            within: Vec::with_capacity(n * rank),
            counts,
            rank,
        };
        let mut last_unit = None;
        for &(unit, chunk, out) in &order {
            plan.outs.push(out as u64);
            plan.within.extend(
                coordinates.iter().enumerate().map(|(axis, list)| grid.locate(axis, list[out]).1),
            );
            match plan.chunks.last_mut() {
                Some((last, end)) if *last == chunk => *end += 1,
                _ => plan.chunks.push((chunk, plan.outs.len())),
            }
            if last_unit.replace(unit) != Some(unit) {
                plan.unit_ends.push(0);
            }
            if let Some(end) = plan.unit_ends.last_mut() {
                *end = plan.chunks.len();
            }
        }
        Ok(plan)
    }

    /// The points of touched chunk `i`.
    pub(crate) fn points(&self, i: usize) -> Range<usize> {
        let start = if i == 0 { 0 } else { self.chunks[i - 1].1 };
        start..self.chunks[i].1
    }

    /// The position of `point` within its chunk.
    pub(crate) fn within(&self, point: usize) -> &[u64] {
        &self.within[point * self.rank..(point + 1) * self.rank]
    }

    fn indices(&self, from: usize, to: usize, flat: &mut Vec<u64>) {
        for &(chunk, _) in &self.chunks[from..to] {
            let (start, mut rest) = (flat.len(), chunk);
            flat.resize(start + self.rank, 0);
            for (place, &count) in flat[start..].iter_mut().zip(&self.counts).rev() {
                *place = rest % count;
                rest /= count;
            }
        }
    }
}

/// Checks that every element of an array of `shape` lies in a chunk of `grid`: what is cut along
/// it is copied without a further look.
fn check_covers(grid: &ChunkGrid, shape: &[u64]) -> Result<()> {
    if grid.rank() == shape.len() && shape.iter().enumerate().all(|(i, &len)| grid.covers(i, len)) {
        return Ok(());
    }
    Err(Error::invalid(format!("the chunk grid does not cover an array of shape {shape:?}")))
}

/// A selection cut along a grid.
#[derive(Debug)]
pub(crate) enum Plan {
    Box(BoxPlan),
    Points(PointPlan),
}

impl Plan {
    /// Cuts `selection` on an array of `shape` along `grid`, whose chunks are written in units
    /// of `shards` where there are any.
    ///
    /// # Errors
    /// `LimitExceeded` where there are too many axes or chunks to count, `InvalidInput` where the
    /// grid does not cover the array.
    pub(crate) fn new(
        selection: &Resolved,
        shape: &[u64],
        grid: &ChunkGrid,
        shards: Option<&ChunkGrid>,
    ) -> Result<Self> {
        if shape.len() > MAX_RANK {
            return Err(Error::limit(format!(
                "expected at most {MAX_RANK} axes, found {}",
                shape.len()
            )));
        }
        check_covers(grid, shape)?;
        let (axes, kept) = match selection {
            Resolved::Points { coordinates, .. } => {
                let units = shards.unwrap_or(grid);
                return PointPlan::new(coordinates, shape, grid, units).map(Self::Points);
            }
            Resolved::Axes { axes, kept } => (axes, kept),
        };
        let selections = axes.iter().zip(kept).enumerate();
        let axes: Vec<_> = selections
            .map(|(axis, (part, &kept))| AxisPlan::new(axis, part, kept, shape[axis], grid))
            .collect();
        let n = axes.iter().try_fold(1_usize, |n, axis| n.checked_mul(axis.parts.len()));
        let n_chunks = n.ok_or_else(|| Error::limit("a selection of too many chunks"))?;
        let units = shards.filter(|_| n_chunks > 0).map(|shards| Units::new(&axes, grid, shards));
        Ok(Self::Box(BoxPlan { axes, n_chunks, units }))
    }

    /// How many chunks are touched.
    pub(crate) fn n_chunks(&self) -> usize {
        match self {
            Self::Box(plan) => plan.n_chunks,
            Self::Points(plan) => plan.chunks.len(),
        }
    }

    /// How many units (shards, or chunks where there are none) are touched.
    pub(crate) fn n_units(&self) -> usize {
        match self {
            Self::Box(plan) => plan.units.as_ref().map_or(plan.n_chunks, |units| units.ends.len()),
            Self::Points(plan) => plan.unit_ends.len(),
        }
    }

    /// The numbers of the touched chunks in touched unit `unit`.
    pub(crate) fn unit(&self, unit: usize) -> Range<usize> {
        match self {
            Self::Box(plan) => match &plan.units {
                None => unit..unit + 1,
                Some(units) => units.range(unit),
            },
            Self::Points(plan) => {
                let start = if unit == 0 { 0 } else { plan.unit_ends[unit - 1] };
                start..plan.unit_ends[unit]
            }
        }
    }

    /// Replaces `flat` by the indices of touched chunks `from` to before `to`.
    pub(crate) fn indices(&self, from: usize, to: usize, flat: &mut Vec<u64>) {
        flat.clear();
        match self {
            Self::Box(plan) => plan.indices(from, to, flat),
            Self::Points(plan) => plan.indices(from, to, flat),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selection::{AxisSelection, Selection};

    fn plan(axes: Vec<AxisSelection>, shape: &[u64], chunk: &[u64]) -> Plan {
        let grid = ChunkGrid::regular(chunk).unwrap();
        let resolved = Selection::Axes(axes).resolve(shape, &grid).unwrap();
        Plan::new(&resolved, shape, &grid, None).unwrap()
    }

    #[test]
    fn a_stride_longer_than_a_chunk_touches_only_some() {
        let step = AxisSelection::Slice { start: Some(1), stop: None, step: 7 };
        let mut flat = Vec::new();
        let plan = plan(vec![step], &[30], &[3]);
        plan.indices(0, plan.n_chunks(), &mut flat);
        assert_eq!(flat, [0, 2, 5, 7, 9]);
    }

    #[test]
    fn a_negative_stride_visits_chunks_backwards() {
        let step = AxisSelection::Slice { start: None, stop: None, step: -2 };
        let Plan::Box(plan) = plan(vec![step], &[7], &[3]) else { panic!("box") };
        let runs: Vec<_> = plan.axes[0]
            .parts
            .iter()
            .map(|part| match part.run {
                Run::Slice { first, len, out, .. } => (part.chunk, first, len, out),
                Run::List { .. } => panic!("slice"),
            })
            .collect();
        assert_eq!(runs, [(2, 0, 1, 0), (1, 1, 1, 1), (0, 2, 2, 2)]);
    }

    #[test]
    fn lists_are_grouped_by_chunk_in_their_order() {
        let list = AxisSelection::List(vec![5, 0, 4, 5]);
        let Plan::Box(plan) = plan(vec![list], &[6], &[3]) else { panic!("box") };
        assert_eq!(plan.n_chunks, 2);
        assert_eq!(plan.axes[0].pairs, [(0, 1), (2, 0), (1, 2), (2, 3)]);
    }

    #[test]
    fn whole_chunks_are_known_at_the_edge_too() {
        let Plan::Box(plan) = plan(vec![], &[5, 4], &[3, 4]) else { panic!("box") };
        assert_eq!(plan.n_chunks, 2);
        assert!((0..2).all(|i| plan.parts(i).is_whole()));
    }

    #[test]
    fn points_are_sorted_by_chunk() {
        let coordinates = vec![vec![5, 0, 4], vec![0, 1, 1]];
        let selection = Selection::Points { coordinates, shape: vec![3] };
        let grid = ChunkGrid::regular([3, 1]).unwrap();
        let resolved = selection.resolve(&[6, 2], &grid).unwrap();
        let Plan::Points(plan) = Plan::new(&resolved, &[6, 2], &grid, None).unwrap() else {
            panic!("points")
        };
        let mut flat = Vec::new();
        plan.indices(0, plan.chunks.len(), &mut flat);
        assert_eq!(flat, [0, 1, 1, 0, 1, 1]);
        assert_eq!(
            (plan.outs.as_slice(), plan.within(2)),
            ([1, 0, 2].as_slice(), [1, 0].as_slice())
        );
    }

    #[test]
    fn chunks_of_a_shard_are_numbered_together() {
        let (grid, shards) =
            (ChunkGrid::regular([1, 1]).unwrap(), ChunkGrid::regular([2, 2]).unwrap());
        let resolved = Selection::All.resolve(&[3, 4], &grid).unwrap();
        let plan = Plan::new(&resolved, &[3, 4], &grid, Some(&shards)).unwrap();
        assert_eq!((plan.n_units(), plan.n_chunks(), plan.unit(3)), (4, 12, 10..12));
        let mut flat = Vec::new();
        plan.indices(4, 8, &mut flat);
        assert_eq!(flat, [0, 2, 0, 3, 1, 2, 1, 3]);
        let coordinates = vec![vec![0, 2, 1], vec![3, 0, 1]];
        let points = Selection::Points { coordinates, shape: vec![3] };
        let resolved = points.resolve(&[3, 4], &grid).unwrap();
        let plan = Plan::new(&resolved, &[3, 4], &grid, Some(&shards)).unwrap();
        plan.indices(0, plan.n_chunks(), &mut flat);
        assert_eq!((plan.n_units(), flat.as_slice()), (3, [1, 1, 0, 3, 2, 0].as_slice()));
    }
}
