//! Elements that only their library can read: blocks of values instead of chunks.
//!
//! The selection is cut along the grid (contiguous data along slabs); of each chunk the box that
//! bounds what is selected is read as a whole, and for a write that does not fill it, changed
//! and written back.

use std::sync::PoisonError;

use super::copy::{self, Direction};
use super::gate;
use super::locks;
use super::read::{Io, Target};
use super::transfer::{Chunk, Transfer};
use super::view::View;
use super::work;
use super::write::{adopt, mark};
use crate::chunk::{Block, ValueSource};
use crate::error::Result;
use crate::grid::ChunkGrid;
use crate::selection::plan::{MAX_RANK, Plan, Run};
use crate::selection::{Resolved, ResolvedAxis};
use crate::values::byte_len;

/// Blocks of contiguous data have about this many bytes.
const SLAB_LEN_BYTES: u64 = 4 << 20;
/// More bytes than this are not read or written in one call, so that it can be interrupted.
const CALL_LEN_BYTES: usize = 256 << 20;

/// The box that bounds what is selected of one chunk, in elements of the array.
struct Bounds {
    start: Vec<u64>,
    shape: Vec<u64>,
    /// Where the box begins within its chunk.
    within: Vec<u64>,
    /// Whether every element of the box is selected.
    is_full: bool,
    /// Bytes between neighbours along each axis of the box, in C order.
    strides: [isize; MAX_RANK],
    len_bytes: usize,
}

impl Bounds {
    fn block(&self) -> Block<'_> {
        Block { start: &self.start, shape: &self.shape }
    }

    /// The chunk as seen from the memory of the box alone.
    fn chunk(&self) -> Chunk<'_> {
        let steps = self.within.iter().zip(&self.strides);
        let shift = -steps.map(|(&at, &stride)| at as isize * stride).sum::<isize>();
        Chunk { strides: &self.strides[..self.within.len()], shift }
    }
}

/// The grid along which `io` is cut.
fn grid(io: &Io<'_>) -> ChunkGrid {
    let shape = io.spec.shape();
    let chunk_len = |grid: &ChunkGrid| {
        let lens = grid.regular_shape().unwrap_or(&[]).iter();
        lens.fold(io.item_size() as u64, |n, &len| n.saturating_mul(len))
    };
    if !io.spec.contiguous && chunk_len(&io.spec.grid) <= 16 * SLAB_LEN_BYTES {
        return io.spec.grid.clone();
    }
    let mut room = (SLAB_LEN_BYTES / io.item_size().max(1) as u64).max(1);
    let mut slab = vec![1; shape.len()];
    for (place, &len) in slab.iter_mut().zip(shape).rev() {
        *place = len.clamp(1, room);
        room = (room / *place).max(1);
    }
    ChunkGrid::Regular(slab)
}

/// A selection that is one box, if it is.
fn as_box(selection: &Resolved) -> Option<(Vec<u64>, Vec<u64>)> {
    let Resolved::Axes { axes, .. } = selection else { return None };
    let ends = axes.iter().map(|axis| match axis {
        ResolvedAxis::Slice { start, step, len } if *step == 1 || *len == 1 => Some((*start, *len)),
        _ => None,
    });
    ends.collect::<Option<Vec<_>>>().map(|ends| ends.into_iter().unzip())
}

fn bounds(
    io: &Io<'_>,
    plan: &Plan,
    i: usize,
    (index, grid): (&[u64], &ChunkGrid),
) -> Result<Bounds> {
    let mut lows = Vec::new();
    let mut highs = Vec::new();
    let mut is_full = true;
    match plan {
        Plan::Box(plan) => {
            for (part, axis) in plan.parts(i).iter() {
                let (low, high) = match part.run {
                    Run::Slice { first, step, len, .. } => {
                        let reach = (len - 1) * step.unsigned_abs();
                        is_full &= len == 1 || step.unsigned_abs() == 1;
                        if step > 0 { (first, first + reach) } else { (first - reach, first) }
                    }
                    Run::List { start, end } => {
                        let positions = axis.pairs[start..end].iter().map(|pair| pair.0);
                        is_full &= positions.clone().is_sorted_by(|a, b| a + 1 == *b);
                        positions.fold((u64::MAX, 0), |(a, b), at| (a.min(at), b.max(at)))
                    }
                };
                lows.push(low);
                highs.push(high);
            }
        }
        Plan::Points(plan) => {
            lows = vec![u64::MAX; index.len()];
            highs = vec![0; index.len()];
            for point in plan.points(i) {
                for (axis, &at) in plan.within(point).iter().enumerate() {
                    lows[axis] = lows[axis].min(at);
                    highs[axis] = highs[axis].max(at);
                }
            }
            is_full = plan.points(i).len() == 1;
        }
    }
    let start =
        index.iter().enumerate().map(|(axis, &at)| grid.extent(axis, at).0 + lows[axis]).collect();
    let shape: Vec<u64> = lows.iter().zip(&highs).map(|(low, high)| high - low + 1).collect();
    let len_bytes = io.engine.config.limits.chunk(byte_len(&shape, io.item_size())? as u64)?;
    let mut strides = [0; MAX_RANK];
    copy::strides(&shape, None, io.item_size(), &mut strides);
    Ok(Bounds { start, shape, within: lows, is_full, strides, len_bytes })
}

/// Reads what `selection` takes to `target`.
pub(super) fn read(
    io: &Io<'_>,
    values: &dyn ValueSource,
    selection: &Resolved,
    target: &Target<'_>,
) -> Result<()> {
    let item = io.item_size();
    let mut heap = target.heap.lock().unwrap_or_else(PoisonError::into_inner);
    if let (Some((start, shape)), true) = (as_box(selection), target.is_contiguous) {
        let len = byte_len(&shape, item)?;
        if len <= CALL_LEN_BYTES {
            // SAFETY: the selection fills the target, which has as many items.
            #[expect(unsafe_code, reason = "reading straight into the destination")]
            let out = unsafe { target.run(0, len) };
            return values.read_block(Block { start: &start, shape: &shape }, out, &mut heap);
        }
    }
    let grid = grid(io);
    let plan = Plan::new(selection, io.spec.shape(), &grid, None)?;
    let (mut flat, mut loan) = (Vec::new(), work::lend());
    for i in 0..plan.n_chunks() {
        gate::checkpoint()?;
        plan.indices(i, i + 1, &mut flat);
        let bounds = bounds(io, &plan, i, (&flat, &grid))?;
        let bytes = loan.chunk.get(bounds.len_bytes);
        values.read_block(bounds.block(), bytes, &mut heap)?;
        let chunk = bounds.chunk();
        let transfer = Transfer { direction: Direction::Read, chunk, array: target.layout(item) };
        // SAFETY: shifted to the bounds, what is selected lies within the block that was read.
        #[expect(unsafe_code, reason = "picking from the block into the target")]
        unsafe {
            transfer.run(&plan, i, bytes.as_ptr(), target.items);
        }
    }
    Ok(())
}

/// Writes `view` to what `selection` takes.
pub(super) fn write(
    io: &Io<'_>,
    values: &dyn ValueSource,
    selection: &Resolved,
    view: &View<'_>,
) -> Result<()> {
    let item = io.item_size();
    // One lock for the whole array: a block that is read, changed and written back would undo
    // what another thread writes in between, and blocks need not keep to any grid.
    let _guard = locks::unit(io.engine, io.source.identity(), &[]);
    if let (Some((start, shape)), true) = (as_box(selection), view.layout(item).is_contiguous) {
        let len = byte_len(&shape, item)?;
        if len <= CALL_LEN_BYTES {
            // SAFETY: a contiguous view has as many items as the selection.
            #[expect(unsafe_code, reason = "writing straight from the caller's memory")]
            let items = unsafe { std::slice::from_raw_parts(view.items, len) };
            return values.write_block(Block { start: &start, shape: &shape }, items, view.heap);
        }
    }
    let grid = grid(io);
    let plan = Plan::new(selection, io.spec.shape(), &grid, None)?;
    let (mut flat, mut loan) = (Vec::new(), work::lend());
    for i in 0..plan.n_chunks() {
        gate::checkpoint()?;
        plan.indices(i, i + 1, &mut flat);
        let bounds = bounds(io, &plan, i, (&flat, &grid))?;
        let bytes = loan.chunk.get(bounds.len_bytes);
        let mut heap = Vec::new();
        if !bounds.is_full {
            values.read_block(bounds.block(), bytes, &mut heap)?;
            mark(&io.spec.dtype, bytes);
        }
        let chunk = bounds.chunk();
        let transfer = Transfer { direction: Direction::Write, chunk, array: view.layout(item) };
        // SAFETY: shifted to the bounds, what is selected lies within the block.
        #[expect(unsafe_code, reason = "copying from the view into the block")]
        unsafe {
            transfer.run(&plan, i, view.items, bytes.as_mut_ptr());
        }
        adopt(&io.spec.dtype, bytes, view.heap, &mut heap)?;
        values.write_block(bounds.block(), bytes, &heap)?;
    }
    Ok(())
}
