//! Lanes: the elements along one axis, or several, for what needs all of them at once.

use stook_core::Result;

use super::memory::Strided;
use super::memory_mut::StridedMut;
use super::tiles::{Dim, TILE, Walk, coalesce};

/// How many lanes that lie across memory are gathered at a time: some lines of the cache each.
const N_ACROSS: usize = 16;

/// What comes of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Result1 {
    /// As many elements as it has; the output has the axes of the input.
    Lane,
    /// Some elements: the first `skip` axes of the output are theirs, the others those that are
    /// kept.
    Elements { skip: usize },
}

/// The axes of an array in two parts: those that are kept, and those of lanes.
pub(super) fn split_axes(rank: usize, axes: &[usize]) -> Result<(Vec<usize>, Vec<usize>)> {
    if let Some(axis) = axes.iter().find(|axis| **axis >= rank) {
        let message = format!("axis {axis} is out of bounds for an array of {rank} axes");
        return Err(stook_core::Error::invalid(message));
    }
    let (lane, kept): (Vec<_>, Vec<_>) = (0..rank).partition(|axis| axes.contains(axis));
    Ok((kept, lane))
}

/// The walk by tiles of whole lanes, which come last: a tile is so many lanes, each in one piece.
///
/// # Errors
/// `InvalidInput` where an axis does not exist, or the output has another shape.
pub(super) fn lanes<'a>(
    input: &Strided<'a>,
    axes: &[usize],
    result: Result1,
    out: &'a mut StridedMut<'_>,
) -> Result<Walk<'a, 1>> {
    let (kept, lane) = split_axes(input.shape().len(), axes)?;
    let expected: Vec<usize> = match result {
        Result1::Lane => input.shape().to_vec(),
        Result1::Elements { skip } => {
            let front = out.shape().iter().take(skip).copied();
            front.chain(kept.iter().map(|&axis| input.shape()[axis])).collect()
        }
    };
    out.check_shape(&expected)?;
    let dim = |axis: usize, out: isize, is_kept| Dim {
        len: input.shape()[axis],
        tile: 1,
        strides: [input.strides()[axis]],
        out,
        is_kept,
    };
    let is_lane = result == Result1::Lane;
    let skip = if let Result1::Elements { skip } = result { skip } else { 0 };
    let of_kept = |(at, &axis): (usize, &usize)| {
        dim(axis, out.strides()[if is_lane { axis } else { at + skip }], true)
    };
    let mut kept: Vec<Dim<1>> = kept.iter().enumerate().map(of_kept).collect();
    kept.sort_by_key(|dim| std::cmp::Reverse(dim.strides[0].unsigned_abs()));
    coalesce(&mut kept);
    let of_lane = |&axis: &usize| dim(axis, if is_lane { out.strides()[axis] } else { 0 }, is_lane);
    let mut lane: Vec<Dim<1>> = lane.iter().map(of_lane).collect();
    coalesce(&mut lane);
    let len: usize = lane.iter().map(|dim| dim.len).product();
    lane.iter_mut().for_each(|dim| dim.tile = dim.len.max(1));
    if let Some(last) = kept.last_mut() {
        let step = lane.last().map_or(0, |dim| dim.strides[0].unsigned_abs());
        let is_across = step > last.strides[0].unsigned_abs();
        let n = (TILE / len.max(1)).max(if is_across { N_ACROSS } else { 1 });
        last.tile = last.len.min(n).max(1);
    }
    kept.extend(lane);
    Ok(Walk::over(kept, [input.clone()], out))
}
