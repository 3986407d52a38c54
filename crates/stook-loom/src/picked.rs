//! A layer with rows and columns picked and put into another order: what new layers are copied
//! from, a block at a time.

use stook::{Array, AxisSelection, DType, Result, Selection};

use crate::axis::Axis;
use crate::items;
use crate::layout::TILE;
use crate::source::{MatrixSource, block, matrix_shape};

/// Which elements of an axis are picked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Picks {
    /// All, in their order; how many there are.
    All(u64),
    /// Those at these positions.
    List(Vec<u64>),
}

impl Picks {
    /// How many are picked.
    #[must_use]
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::All(len) => *len,
            Self::List(list) => list.len() as u64,
        }
    }

    /// The positions.
    #[must_use]
    pub(crate) fn positions(&self) -> Vec<u64> {
        match self {
            Self::All(len) => (0..*len).collect(),
            Self::List(list) => list.clone(),
        }
    }

    /// Whether who reads the picks in their order goes forth only.
    fn is_ascending(&self) -> bool {
        match self {
            Self::All(_) => true,
            Self::List(list) => list.is_sorted(),
        }
    }

    /// The picks from `start` to before `stop`.
    fn part(&self, start: u64, stop: u64) -> AxisSelection {
        match self {
            Self::All(_) => AxisSelection::range(start, stop),
            Self::List(picks) => {
                let at = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
                list(picks.get(at(start)..at(stop)).unwrap_or_default())
            }
        }
    }
}

/// Positions as a selection.
pub(crate) fn list(positions: &[u64]) -> AxisSelection {
    let index = |&at: &u64| i64::try_from(at).unwrap_or(i64::MAX);
    AxisSelection::List(positions.iter().map(index).collect())
}

/// An array with rows and columns picked, as the source of a layer. At most `budget_len_bytes` of
/// it are in memory at once, but a row of tiles of 64 by 64 in any case.
#[derive(Clone, Debug)]
pub(crate) struct Picked {
    array: Array,
    picks: [Picks; 2],
    budget_len_bytes: usize,
}

impl Picked {
    /// The elements of `array`, which has two axes, in the rows and columns of `picks`.
    ///
    /// # Errors
    /// `InvalidInput` where there are not two axes, or a position is out of bounds.
    pub(crate) fn new(array: Array, picks: [Picks; 2], budget_len_bytes: usize) -> Result<Self> {
        let shape = matrix_shape(&array.shape())?;
        for axis in Axis::BOTH {
            let [rows, columns] = &picks;
            let (picks, len) = (axis.of([rows, columns]), axis.of(shape));
            let word = axis.word();
            let is_out = match picks {
                Picks::All(n) => *n != len,
                Picks::List(list) => list.iter().any(|&at| at >= len),
            };
            if is_out {
                let message = format!("a {word} is picked that is none of {len}");
                return Err(stook::Error::invalid(message).at_node(array.path()));
            }
        }
        Ok(Self { array, picks, budget_len_bytes })
    }

    /// All of `array`.
    ///
    /// # Errors
    /// As [`Picked::new`].
    pub(crate) fn all(array: Array, budget_len_bytes: usize) -> Result<Self> {
        let [rows, columns] = matrix_shape(&array.shape())?;
        Self::new(array, [Picks::All(rows), Picks::All(columns)], budget_len_bytes)
    }

    /// The shape of the blocks that are copied, where each element takes `item_size` bytes.
    ///
    /// Blocks go along the axis whose picks ascend, so that each tile is decoded once.
    fn block_shape(&self, item_size: usize) -> [u64; 2] {
        let [rows, columns] = MatrixSource::shape(self);
        // What is read, what it is converted to, and what is on its way.
        let budget = (self.budget_len_bytes / 3 / item_size.max(1)) as u64;
        let lines = |across: u64, along: u64| {
            let tiles = (budget / across.max(1) / TILE).max(1);
            (tiles.saturating_mul(TILE)).min(along.max(1))
        };
        let across = |lines: u64, len: u64| {
            let tiles = (budget / lines.max(1) / TILE).max(1);
            (tiles.saturating_mul(TILE)).min(len.max(1))
        };
        let [row_picks, _] = &self.picks;
        if row_picks.is_ascending() {
            let lines = lines(columns, rows);
            [lines, across(lines, columns)]
        } else {
            let lines = lines(rows, columns);
            [across(lines, rows), lines]
        }
    }
}

impl MatrixSource for Picked {
    fn shape(&self) -> [u64; 2] {
        let [rows, columns] = &self.picks;
        [rows.len(), columns.len()]
    }

    fn dtype(&self) -> DType {
        self.array.dtype()
    }

    fn store(&self, target: &Array, at: [u64; 2]) -> Result<()> {
        let ([rows, columns], to) = (MatrixSource::shape(self), target.dtype());
        let item_size = to.item_size().max(self.array.dtype().item_size());
        let [height, width] = self.block_shape(item_size);
        let [row_picks, column_picks] = &self.picks;
        for (top, bottom) in steps(rows, height, at[0]) {
            for (left, right) in steps(columns, width, at[1]) {
                let picked = vec![row_picks.part(top, bottom), column_picks.part(left, right)];
                let mut values = self.array.read(&Selection::Axes(picked))?;
                if *values.dtype() != to {
                    values =
                        items::cast(&values, &to).map_err(|error| error.at_node(target.path()))?;
                }
                let place = block([at[0] + top, at[1] + left], [bottom - top, right - left])?;
                target.write(&place, &values)?;
            }
        }
        Ok(())
    }
}

/// Steps of `step` through `len`, the first shorter where that brings all that follow to the
/// beginning of a tile of the target, which begins at `at`.
fn steps(len: u64, step: u64, at: u64) -> impl Iterator<Item = (u64, u64)> {
    let first = if step < TILE { step } else { step - at % TILE }.min(len);
    let rest = (0..).map_while(move |k: u64| {
        let start = first.checked_add(k.checked_mul(step.max(1))?)?;
        (start < len).then(|| (start, start.saturating_add(step.max(1)).min(len)))
    });
    (first > 0).then_some((0, first)).into_iter().chain(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_come_to_tiles() {
        let all = |len, step, at| steps(len, step, at).collect::<Vec<_>>();
        assert_eq!(all(200, 128, 0), [(0, 128), (128, 200)]);
        assert_eq!(all(200, 64, 10), [(0, 54), (54, 118), (118, 182), (182, 200)]);
        assert_eq!(all(3, 2, 5), [(0, 2), (2, 3)]);
        assert_eq!(all(0, 64, 5), []);
    }
}
