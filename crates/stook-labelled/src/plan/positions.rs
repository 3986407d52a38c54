//! What is taken along one axis.

use std::sync::Arc;

use stook_core::Result;

use crate::fault::Fault;
use crate::group::{Bounds, PositionKey};
use crate::labels::Labels;

/// What is taken along an axis of the source. All positions are within its bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Take {
    /// One position: the axis goes.
    At(usize),
    /// `len` positions from `start` on, each `step` after the one before.
    Slice {
        /// The first position.
        start: usize,
        /// The distance; may be negative.
        step: isize,
        /// How many.
        len: usize,
    },
    /// These positions.
    Positions(Arc<[usize]>),
    /// One position for each point: all axes taken so go together, the same index in each.
    Points(Arc<[usize]>),
}

/// Where in a result the axes of points are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Points {
    /// The position of the first of them among the axes of the result.
    pub at: usize,
    /// How many axes they have; the points lie in C order over them.
    pub n_axes: usize,
}

impl Take {
    /// All of an axis.
    #[must_use]
    pub fn all(len: usize) -> Self {
        Self::Slice { start: 0, step: 1, len }
    }

    /// Whether it is all of an axis of `len`, in order.
    #[must_use]
    pub fn is_all(&self, len: usize) -> bool {
        *self == Self::all(len)
    }

    /// How many elements are taken along the axis.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::At(_) => 1,
            Self::Slice { len, .. } => *len,
            Self::Positions(positions) | Self::Points(positions) => positions.len(),
        }
    }

    /// Whether nothing is taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The positions in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let at = |i: usize| match self {
            Self::At(at) => Some(*at),
            Self::Slice { start, step, .. } => {
                start.checked_add_signed(step.checked_mul(isize::try_from(i).ok()?)?)
            }
            Self::Positions(positions) | Self::Points(positions) => positions.get(i).copied(),
        };
        (0..self.len()).filter_map(at)
    }

    /// The labels at these positions.
    pub(crate) fn labels(&self, labels: &Labels) -> Result<Labels> {
        match self {
            Self::At(at) => labels.take(&[*at]),
            Self::Slice { start, step, len } => labels.slice(*start, *step, *len),
            Self::Positions(positions) | Self::Points(positions) => labels.take(positions),
        }
    }

    /// The positions that `key` means on the axis at `axis`, of `len`.
    pub(crate) fn positions(key: &PositionKey, axis: usize, len: usize) -> Result<Self> {
        match key {
            PositionKey::At(index) => Ok(Self::At(within(*index, axis, len)?)),
            PositionKey::Slice(bounds) => sliced(bounds, len),
            PositionKey::List(list) => {
                let positions = list.iter().map(|&index| within(index, axis, len));
                Ok(Self::Positions(positions.collect::<Result<_>>()?))
            }
        }
    }
}

/// The position that `index` is on the axis at `axis`; negative from the end.
fn within(index: i64, axis: usize, len: usize) -> Result<usize> {
    let from_start = if index < 0 { index.checked_add_unsigned(len as u64) } else { Some(index) };
    let position = from_start.and_then(|index| usize::try_from(index).ok());
    position.filter(|&position| position < len).ok_or_else(|| {
        let message = format!("index {index} is out of bounds for axis {axis} with size {len}");
        Fault::Position.error(message)
    })
}

/// A slice as Python has it: bounds beyond the ends are the ends.
pub(crate) fn sliced(bounds: &Bounds<i64>, len: usize) -> Result<Take> {
    let step = bounds.step.unwrap_or(1);
    if step == 0 {
        return Err(stook_core::Error::invalid("slice step cannot be zero"));
    }
    let n = i64::try_from(len).unwrap_or(i64::MAX);
    // Where a slice that goes up may begin and end, and one that goes down.
    let (lowest, highest) = if step > 0 { (0, n) } else { (-1, n - 1) };
    let clamp = |index: i64| {
        let from_start = if index < 0 { index.saturating_add(n) } else { index };
        from_start.clamp(lowest, highest)
    };
    let (first, last) = if step > 0 { (lowest, highest) } else { (highest, lowest) };
    let start = bounds.start.map_or(first, clamp);
    let stop = bounds.stop.map_or(last, clamp);
    let distance = if step > 0 { stop.saturating_sub(start) } else { start.saturating_sub(stop) };
    let size = i64::try_from(step.unsigned_abs()).unwrap_or(i64::MAX);
    let len = if distance <= 0 { 0 } else { (distance - 1) / size + 1 };
    Ok(Take::Slice {
        start: usize::try_from(start).unwrap_or(0),
        step: isize::try_from(step).unwrap_or(if step > 0 { isize::MAX } else { isize::MIN }),
        len: usize::try_from(len).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(start: Option<i64>, stop: Option<i64>, step: Option<i64>) -> Vec<usize> {
        sliced(&Bounds { start, stop, step }, 5).expect("a slice").iter().collect()
    }

    #[test]
    fn slices_are_those_of_python() {
        assert_eq!(positions(None, None, None), [0, 1, 2, 3, 4]);
        assert_eq!(positions(Some(1), Some(99), Some(2)), [1, 3]);
        assert_eq!(positions(Some(-2), None, None), [3, 4]);
        assert_eq!(positions(None, None, Some(-2)), [4, 2, 0]);
        assert_eq!(positions(Some(3), Some(1), Some(-1)), [3, 2]);
        assert_eq!(positions(Some(3), Some(1), None), [0_usize; 0]);
        assert_eq!(positions(Some(9), Some(-9), Some(-9)), [4]);
        assert!(sliced(&Bounds { start: None, stop: None, step: Some(0) }, 5).is_err());
        assert_eq!(positions(Some(i64::MIN), Some(i64::MAX), Some(i64::MIN)), [0_usize; 0]);
    }
}
