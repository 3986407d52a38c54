//! Selections: which elements of an array are read or written, as numpy and zarr spell it.
//!
//! A [`Selection`] is what a caller says; it is checked against a shape once, and what that yields
//! the planner cuts into chunks. Kinds: basic (integers, slices with any step
//! but zero, an ellipsis), orthogonal (also lists and masks an axis; an axis at a time),
//! coordinates (a point for each output element), a mask over the whole array, and blocks (of
//! the chunk grid).

pub(crate) mod plan;

use crate::error::{Error, Result};
use crate::grid::ChunkGrid;

/// What is selected along one axis.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AxisSelection {
    /// One element; the axis is dropped. Negative counts from the end.
    Index(i64),
    /// A Python slice; missing ends mean the whole axis in the direction of `step`.
    Slice {
        /// The first element, negative from the end, clipped.
        start: Option<i64>,
        /// Where to stop, exclusive, negative from the end, clipped.
        stop: Option<i64>,
        /// Not zero.
        step: i64,
    },
    /// Elements in any order, repeated or not; negative from the end.
    List(Vec<i64>),
    /// The elements that are true; as long as the axis.
    Mask(Vec<bool>),
    /// As many whole axes as are not spoken of; at most once.
    Ellipsis,
}

impl AxisSelection {
    /// The whole axis.
    pub const ALL: Self = Self::Slice { start: None, stop: None, step: 1 };

    /// The elements from `start` to before `stop`.
    #[must_use]
    pub fn range(start: u64, stop: u64) -> Self {
        let end = |at: u64| Some(i64::try_from(at).unwrap_or(i64::MAX));
        Self::Slice { start: end(start), stop: end(stop), step: 1 }
    }
}

/// Which elements of an array are read or written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Selection {
    /// Every element.
    #[default]
    All,
    /// An entry an axis, independent of one another (numpy's `ix_`, zarr's `oindex`, and with
    /// integers and slices alone, basic indexing). Axes not spoken of are taken whole.
    Axes(Vec<AxisSelection>),
    /// Points: one list of positions an axis, all of one length, negative from the end.
    Points {
        /// The positions along each axis.
        coordinates: Vec<Vec<i64>>,
        /// The shape of the result, with as many elements as there are points.
        shape: Vec<u64>,
    },
    /// The elements where a mask of the array's shape (C order) is true; the result has one axis.
    Mask(Vec<bool>),
    /// An entry an axis in units of chunks; integers keep their axis. No lists and masks.
    Blocks(Vec<AxisSelection>),
}

impl From<Vec<AxisSelection>> for Selection {
    fn from(axes: Vec<AxisSelection>) -> Self {
        Self::Axes(axes)
    }
}

/// A selection along one axis, checked against its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ResolvedAxis {
    /// `start`, `start + step`, …, `len` of them, all within the axis.
    Slice { start: u64, step: i64, len: u64 },
    /// Positions within the axis.
    List(Vec<u64>),
}

impl ResolvedAxis {
    fn whole(len: u64) -> Self {
        Self::Slice { start: 0, step: 1, len }
    }

    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Slice { len, .. } => *len,
            Self::List(list) => list.len() as u64,
        }
    }
}

/// A selection checked against a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// An entry an axis; `kept[axis]` says whether the axis appears in the result.
    Axes { axes: Vec<ResolvedAxis>, kept: Vec<bool> },
    /// A list of positions an axis.
    Points { coordinates: Vec<Vec<u64>>, shape: Vec<u64> },
}

impl Resolved {
    /// The shape of what is read or written.
    pub(crate) fn shape(&self) -> Vec<u64> {
        match self {
            Self::Axes { axes, kept } => {
                let kept = axes.iter().zip(kept).filter(|(_, kept)| **kept);
                kept.map(|(axis, _)| axis.len()).collect()
            }
            Self::Points { shape, .. } => shape.clone(),
        }
    }
}

impl Selection {
    /// The elements of a box: a range an axis.
    #[must_use]
    pub fn ranges(ranges: impl IntoIterator<Item = std::ops::Range<u64>>) -> Self {
        Self::Axes(ranges.into_iter().map(|r| AxisSelection::range(r.start, r.end)).collect())
    }

    /// Parses the text between the brackets of a Python index: `0, 2:5, ..., ::-1`.
    ///
    /// # Errors
    /// `InvalidInput` on anything but integers, slices and one ellipsis.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim().trim_start_matches('[').trim_end_matches(']').trim();
        if text.is_empty() {
            return Ok(Self::All);
        }
        text.split(',').map(|part| parse_axis(part.trim())).collect::<Result<_>>().map(Self::Axes)
    }

    /// The shape of the result on an array of `shape` and `grid`.
    ///
    /// # Errors
    /// `InvalidInput` where the selection does not fit the array, naming the axis.
    pub fn result_shape(&self, shape: &[u64], grid: &ChunkGrid) -> Result<Vec<u64>> {
        Ok(self.resolve(shape, grid)?.shape())
    }

    /// Checks the selection against `shape` (and `grid`, for blocks).
    pub(crate) fn resolve(&self, shape: &[u64], grid: &ChunkGrid) -> Result<Resolved> {
        match self {
            Self::All => {
                let axes = shape.iter().map(|&len| ResolvedAxis::whole(len)).collect();
                Ok(Resolved::Axes { axes, kept: vec![true; shape.len()] })
            }
            Self::Axes(axes) => {
                let full = expand_ellipsis(axes, shape.len())?;
                let kept =
                    full.iter().map(|axis| !matches!(axis, AxisSelection::Index(_))).collect();
                let resolved = full.iter().zip(shape).enumerate();
                let axes =
                    resolved.map(|(axis, (selection, &len))| resolve_axis(selection, len, axis));
                Ok(Resolved::Axes { axes: axes.collect::<Result<_>>()?, kept })
            }
            Self::Points { coordinates, shape: out } => resolve_points(coordinates, out, shape),
            Self::Mask(mask) => resolve_mask(mask, shape),
            Self::Blocks(blocks) => resolve_blocks(blocks, shape, grid),
        }
    }
}

fn parse_axis(part: &str) -> Result<AxisSelection> {
    let bad = || {
        Error::invalid(format!("selection `{part}` is no integer, slice or `...`"))
            .with_hint("write a selection as in Python, such as `0, 10:20, ::2, ...`")
    };
    let number = |text: &str| match text.trim() {
        "" => Ok(None),
        text => text.parse::<i64>().map(Some).map_err(|_| bad()),
    };
    if part == "..." {
        return Ok(AxisSelection::Ellipsis);
    }
    let mut ends = part.split(':');
    let (first, second, third) = (ends.next(), ends.next(), ends.next());
    match (first, second, third, ends.next()) {
        (Some(index), None, _, _) => number(index)?.map(AxisSelection::Index).ok_or_else(bad),
        (Some(start), Some(stop), step, None) => Ok(AxisSelection::Slice {
            start: number(start)?,
            stop: number(stop)?,
            step: step.map_or(Ok(None), number)?.unwrap_or(1),
        }),
        _ => Err(bad()),
    }
}

fn expand_ellipsis(axes: &[AxisSelection], rank: usize) -> Result<Vec<AxisSelection>> {
    let n_named = axes.iter().filter(|axis| **axis != AxisSelection::Ellipsis).count();
    if n_named > rank {
        return Err(Error::invalid(format!(
            "too many indices: the array has {rank} axes, the selection names {n_named}"
        )));
    }
    if axes.len() > n_named + 1 {
        return Err(Error::invalid("an index can only have a single ellipsis ('...')"));
    }
    let mut full = Vec::with_capacity(rank);
    let missing = rank - n_named;
    for axis in axes {
        match axis {
            AxisSelection::Ellipsis => full.extend((0..missing).map(|_| AxisSelection::ALL)),
            other => full.push(other.clone()),
        }
    }
    full.resize(rank, AxisSelection::ALL);
    Ok(full)
}

fn resolve_axis(selection: &AxisSelection, len: u64, axis: usize) -> Result<ResolvedAxis> {
    match selection {
        AxisSelection::Index(at) => {
            let start = position(*at, len, axis)?;
            Ok(ResolvedAxis::Slice { start, step: 1, len: 1 })
        }
        AxisSelection::Slice { start, stop, step } => {
            resolve_slice(*start, *stop, *step, len, axis)
        }
        AxisSelection::List(list) => {
            let list = list.iter().map(|&at| position(at, len, axis));
            Ok(ResolvedAxis::List(list.collect::<Result<_>>()?))
        }
        AxisSelection::Mask(mask) => {
            if mask.len() as u64 != len {
                return Err(Error::invalid(format!(
                    "axis {axis}: expected a mask of length {len}, found one of {}",
                    mask.len()
                )));
            }
            let picked = mask.iter().enumerate().filter(|(_, on)| **on);
            Ok(ResolvedAxis::List(picked.map(|(at, _)| at as u64).collect()))
        }
        AxisSelection::Ellipsis => Ok(ResolvedAxis::whole(len)),
    }
}

/// Python's rules for slices: ends are clipped, never out of bounds.
fn resolve_slice(
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
    len: u64,
    axis: usize,
) -> Result<ResolvedAxis> {
    if step == 0 {
        return Err(Error::invalid(format!("axis {axis}: slice step cannot be zero")));
    }
    let len = i128::from(len);
    let (lowest, highest) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let clip = |end: i64| {
        let end = i128::from(end);
        (if end < 0 { end + len } else { end }).clamp(lowest, highest)
    };
    let (default_start, default_stop) =
        if step > 0 { (lowest, highest) } else { (highest, lowest) };
    let first = start.map_or(default_start, clip);
    let last = stop.map_or(default_stop, clip);
    let step_wide = i128::from(step);
    let n = if step > 0 {
        (last - first + step_wide - 1).div_euclid(step_wide)
    } else {
        (first - last - step_wide - 1).div_euclid(-step_wide)
    };
    let n = u64::try_from(n.max(0)).unwrap_or(0);
    let start = if n == 0 { 0 } else { u64::try_from(first).unwrap_or(0) };
    Ok(ResolvedAxis::Slice { start, step, len: n })
}

fn position(at: i64, len: u64, axis: usize) -> Result<u64> {
    let wide = i128::from(at);
    let from_start = if at < 0 { wide + i128::from(len) } else { wide };
    u64::try_from(from_start).ok().filter(|&at| at < len).ok_or_else(|| {
        Error::invalid(format!("axis {axis}: index {at} is out of bounds for length {len}"))
    })
}

fn resolve_points(coordinates: &[Vec<i64>], out: &[u64], shape: &[u64]) -> Result<Resolved> {
    if coordinates.len() != shape.len() {
        return Err(Error::invalid(format!(
            "expected coordinates for {} axes, found {}",
            shape.len(),
            coordinates.len()
        )));
    }
    let n = out.iter().try_fold(1_u64, |n, &len| n.checked_mul(len));
    // A scalar has no lists to be counted: what they are is the one point that it has.
    let mut lens = coordinates.iter().map(|list| list.len() as u64);
    let wrong = if shape.is_empty() {
        Some(1).filter(|_| n != Some(1))
    } else {
        lens.find(|&len| Some(len) != n)
    };
    if let Some(wrong) = wrong {
        return Err(Error::invalid(format!(
            "coordinates of shape {out:?} do not match a list of {wrong}"
        )));
    }
    let lists = coordinates.iter().zip(shape).enumerate().map(|(axis, (list, &len))| {
        list.iter().map(|&at| position(at, len, axis)).collect::<Result<Vec<_>>>()
    });
    Ok(Resolved::Points { coordinates: lists.collect::<Result<_>>()?, shape: out.to_vec() })
}

fn resolve_mask(mask: &[bool], shape: &[u64]) -> Result<Resolved> {
    let n = shape.iter().try_fold(1_u64, |n, &len| n.checked_mul(len));
    if Some(mask.len() as u64) != n {
        return Err(Error::invalid(format!(
            "expected a mask of shape {shape:?}, found {} elements",
            mask.len()
        )));
    }
    let mut coordinates = vec![Vec::new(); shape.len()];
    for (at, _) in mask.iter().enumerate().filter(|(_, on)| **on) {
        let mut rest = at as u64;
        for (list, &len) in coordinates.iter_mut().zip(shape).rev() {
            list.push(rest % len);
            rest /= len;
        }
    }
    let n_true = mask.iter().filter(|on| **on).count() as u64;
    Ok(Resolved::Points { coordinates, shape: vec![n_true] })
}

fn resolve_blocks(blocks: &[AxisSelection], shape: &[u64], grid: &ChunkGrid) -> Result<Resolved> {
    let full = expand_ellipsis(blocks, shape.len())?;
    let counts = grid.counts(shape);
    let axes = full.iter().enumerate().map(|(axis, selection)| {
        let n = counts.get(axis).copied().unwrap_or(0);
        let (first, last) = match resolve_axis(selection, n, axis)? {
            ResolvedAxis::Slice { step: 1, len: 0, .. } => (0, 0),
            ResolvedAxis::Slice { start, step: 1, len } => (start, start + len),
            _ => {
                return Err(Error::invalid(format!(
                    "axis {axis}: blocks are selected by integers and slices of step 1"
                )));
            }
        };
        if first == last {
            return Ok(ResolvedAxis::Slice { start: 0, step: 1, len: 0 });
        }
        let start = grid.extent(axis, first).0;
        let (end_start, end_len) = grid.extent(axis, last - 1);
        let end = end_start.saturating_add(end_len).min(shape.get(axis).copied().unwrap_or(0));
        Ok(ResolvedAxis::Slice { start, step: 1, len: end.saturating_sub(start) })
    });
    Ok(Resolved::Axes { axes: axes.collect::<Result<_>>()?, kept: vec![true; shape.len()] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str, shape: &[u64]) -> Result<Resolved> {
        Selection::parse(text)?.resolve(shape, &ChunkGrid::whole(shape))
    }

    fn positions(start: Option<i64>, stop: Option<i64>, step: i64, len: u64) -> Vec<i128> {
        match resolve_slice(start, stop, step, len, 0).unwrap() {
            ResolvedAxis::Slice { start, step, len } => {
                (0..len).map(|i| i128::from(start) + i128::from(i) * i128::from(step)).collect()
            }
            ResolvedAxis::List(_) => unreachable!("a slice resolves to a slice"),
        }
    }

    /// Python's `slice.indices`, written from its documentation.
    fn python(start: Option<i64>, stop: Option<i64>, step: i64, len: u64) -> Vec<i128> {
        let len = len as i64;
        let clip = |end: Option<i64>, default: i64| match end {
            None => default,
            Some(end) => {
                let end = if end < 0 { end + len } else { end };
                if step > 0 { end.clamp(0, len) } else { end.clamp(-1, len - 1) }
            }
        };
        let mut at = clip(start, if step > 0 { 0 } else { len - 1 });
        let stop = clip(stop, if step > 0 { len } else { -1 });
        let mut found = Vec::new();
        while (step > 0 && at < stop) || (step < 0 && at > stop) {
            found.push(i128::from(at));
            at += step;
        }
        found
    }

    #[test]
    fn slices_follow_python_for_every_small_case() {
        let ends = || std::iter::once(None).chain((-6..=6).map(Some));
        for len in 0..5 {
            for step in [-3, -2, -1, 1, 2, 3] {
                for start in ends() {
                    for stop in ends() {
                        let found = positions(start, stop, step, len);
                        assert_eq!(
                            found,
                            python(start, stop, step, len),
                            "{start:?}:{stop:?}:{step} of {len}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn extreme_slices_do_not_overflow() {
        assert!(positions(Some(i64::MIN), Some(i64::MAX), i64::MAX, 3) == [0]);
        assert!(positions(Some(i64::MAX), Some(i64::MIN), i64::MIN, 3) == [2]);
    }

    #[test]
    fn text_and_ellipsis_fill_the_axes() {
        let resolved = resolve("[1, ..., ::-1]", &[2, 3, 4]).unwrap();
        assert_eq!(resolved.shape(), [3, 4]);
        let Resolved::Axes { axes, .. } = resolved else { panic!("axes") };
        assert_eq!(axes[2], ResolvedAxis::Slice { start: 3, step: -1, len: 4 });
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let message = |text: &str| resolve(text, &[2, 3]).unwrap_err().to_string();
        insta::assert_snapshot!(message("2"), @"axis 0: index 2 is out of bounds for length 2");
        insta::assert_snapshot!(message("0, -4"), @"axis 1: index -4 is out of bounds for length 3");
        insta::assert_snapshot!(message("0,0,0"), @"too many indices: the array has 2 axes, the selection names 3");
        insta::assert_snapshot!(message("::0"), @"axis 0: slice step cannot be zero");
        insta::assert_snapshot!(message("a"), @"selection `a` is no integer, slice or `...`");
        insta::assert_snapshot!(message("..., ..."), @"an index can only have a single ellipsis ('...')");
    }

    #[test]
    fn masks_become_points_and_blocks_become_slices() {
        let mask = Selection::Mask(vec![true, false, false, false, true, true]);
        let grid = ChunkGrid::regular([2, 2]).unwrap();
        let Resolved::Points { coordinates, shape } = mask.resolve(&[2, 3], &grid).unwrap() else {
            panic!("points")
        };
        assert_eq!((coordinates, shape), (vec![vec![0, 1, 1], vec![0, 1, 2]], vec![3]));
        let blocks = Selection::Blocks(vec![AxisSelection::Index(-1), AxisSelection::Index(1)]);
        assert_eq!(blocks.resolve(&[3, 3], &grid).unwrap().shape(), [1, 1]);
    }
}
