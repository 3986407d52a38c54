//! Which elements of a source are copied, and where they go: integers and slices an axis.

use std::ops::Range;

use stook_core::{AxisSelection, Error, Result, Selection};

/// One axis of the source as the target sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Axis {
    start: u64,
    step: i64,
    len: u64,
    /// Whether the target has the axis.
    is_kept: bool,
}

/// A selection of integers and slices, checked against the shape of its array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    axes: Vec<Axis>,
    is_all: bool,
}

impl Window {
    /// All of an array of `shape`.
    pub(crate) fn all(shape: &[u64]) -> Self {
        let axis = |&len: &u64| Axis { start: 0, step: 1, len, is_kept: true };
        Self { axes: shape.iter().map(axis).collect(), is_all: true }
    }

    /// What `selection` takes of an array of `shape`.
    ///
    /// # Errors
    /// `InvalidInput` where it does not fit, `Unsupported` for lists, masks and points.
    pub(crate) fn new(selection: &Selection, shape: &[u64]) -> Result<Self> {
        let entries = match selection {
            Selection::All => return Ok(Self::all(shape)),
            Selection::Axes(entries) => entries,
            _ => return Err(Error::unsupported("expected integers and slices")),
        };
        let is_ellipsis = |entry: &&AxisSelection| **entry == AxisSelection::Ellipsis;
        let n_named = entries.len() - entries.iter().filter(is_ellipsis).count();
        if n_named > shape.len() || entries.len() > n_named + 1 {
            let rank = shape.len();
            return Err(Error::invalid(format!(
                "expected a selection of at most {rank} axes, found {n_named}"
            )));
        }
        let mut full: Vec<&AxisSelection> = Vec::with_capacity(shape.len());
        for entry in entries {
            match entry {
                AxisSelection::Ellipsis => {
                    full.extend(std::iter::repeat_n(&AxisSelection::ALL, shape.len() - n_named));
                }
                other => full.push(other),
            }
        }
        full.resize(shape.len(), &AxisSelection::ALL);
        let axes = full.into_iter().zip(shape).enumerate();
        let axes = axes.map(|(axis, (entry, &len))| resolve(entry, len, axis));
        let axes = axes.collect::<Result<Vec<_>>>()?;
        let is_all = axes == Self::all(shape).axes;
        Ok(Self { axes, is_all })
    }

    /// Whether it takes every element where it lies.
    pub(crate) fn is_all(&self) -> bool {
        self.is_all
    }

    /// The axes that stay, as numbers of axes of the source with their lengths and steps.
    pub(crate) fn kept(&self) -> impl Iterator<Item = (usize, u64, u64)> {
        let kept = self.axes.iter().enumerate().filter(|(_, axis)| axis.is_kept);
        kept.map(|(at, axis)| (at, axis.len, axis.step.unsigned_abs()))
    }

    /// The elements of the source that go to `block` of the target.
    pub(crate) fn selection(&self, block: &[Range<u64>]) -> Selection {
        let mut ranges = block.iter();
        let axes = self.axes.iter().map(|axis| {
            if !axis.is_kept {
                return AxisSelection::Index(signed(axis.start));
            }
            let range = ranges.next().cloned().unwrap_or(0..axis.len);
            axis.slice(&range)
        });
        Selection::Axes(axes.collect())
    }

    /// The box of the source that bounds what goes to `block` of the target.
    pub(crate) fn bounds(&self, block: &[Range<u64>]) -> Vec<Range<u64>> {
        let mut ranges = block.iter();
        let bounds = self.axes.iter().map(|axis| {
            let range = match axis.is_kept {
                true => ranges.next().cloned().unwrap_or(0..axis.len),
                false => 0..1,
            };
            if range.is_empty() {
                return 0..0;
            }
            let (a, b) = (axis.at(range.start), axis.at(range.end - 1));
            a.min(b)..a.max(b) + 1
        });
        bounds.collect()
    }
}

impl Axis {
    fn at(&self, i: u64) -> u64 {
        let steps = self.step.unsigned_abs().saturating_mul(i);
        if self.step < 0 { self.start.saturating_sub(steps) } else { self.start + steps }
    }

    fn slice(&self, range: &Range<u64>) -> AxisSelection {
        if range.is_empty() {
            return AxisSelection::range(0, 0);
        }
        let (first, last) = (self.at(range.start), self.at(range.end - 1));
        let stop = match self.step < 0 {
            true => last.checked_sub(1).map(signed),
            false => Some(signed(last + 1)),
        };
        AxisSelection::Slice { start: Some(signed(first)), stop, step: self.step }
    }
}

fn signed(at: u64) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

/// One entry against the length of its axis, as Python has it.
fn resolve(entry: &AxisSelection, len: u64, axis: usize) -> Result<Axis> {
    let n = signed(len);
    match *entry {
        AxisSelection::Index(at) => {
            let found = if at < 0 { at.saturating_add(n) } else { at };
            let start = u64::try_from(found).ok().filter(|&start| start < len);
            let start = start.ok_or_else(|| {
                Error::invalid(format!("index {at} is out of axis {axis} of length {len}"))
            })?;
            Ok(Axis { start, step: 1, len: 1, is_kept: false })
        }
        AxisSelection::Slice { start, stop, step } => {
            if step == 0 {
                return Err(Error::invalid(format!("axis {axis}: a slice cannot step by zero")));
            }
            let (low, high) = if step > 0 { (0, n) } else { (-1, n - 1) };
            let clip = |at: i64| if at < 0 { at.saturating_add(n) } else { at }.clamp(low, high);
            let first = start.map_or(if step > 0 { low } else { high }, clip);
            let stop = stop.map_or(if step > 0 { high } else { low }, clip);
            let span = if step > 0 { stop - first } else { first - stop };
            let len = u64::try_from(span).map_or(0, |span| span.div_ceil(step.unsigned_abs()));
            let start = u64::try_from(first).unwrap_or(0);
            Ok(Axis { start, step: if len > 1 { step } else { 1 }, len, is_kept: true })
        }
        _ => Err(Error::unsupported("expected integers and slices")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(text: &str, shape: &[u64]) -> Window {
        Window::new(&Selection::parse(text).unwrap(), shape).unwrap()
    }

    #[test]
    fn a_window_is_what_python_would_take() {
        let items: Vec<u64> = (0..10).collect();
        for (text, expected) in [
            ("2:5", vec![2, 3, 4]),
            ("::3", vec![0, 3, 6, 9]),
            ("-3:", vec![7, 8, 9]),
            ("::-4", vec![9, 5, 1]),
            ("8:1:-3", vec![8, 5, 2]),
            ("20:", vec![]),
            ("3:-20:-1", vec![3, 2, 1, 0]),
        ] {
            let window = window(text, &[10]);
            let len = window.axes[0].len;
            let found: Vec<u64> = (0..len).map(|i| items[window.axes[0].at(i) as usize]).collect();
            assert_eq!(found, expected, "{text}");
            // Cut in two, the parts are the whole.
            let grid = stook_core::ChunkGrid::whole(&[10]);
            for cut in 0..=len {
                let n: u64 = [0..cut, cut..len]
                    .iter()
                    .map(|part| {
                        window.selection(std::slice::from_ref(part)).result_shape(&[10], &grid)
                    })
                    .map(|shape| shape.unwrap()[0])
                    .sum();
                assert_eq!(n, len, "{text} at {cut}");
            }
        }
    }

    #[test]
    fn integers_drop_axes_and_bounds_hold_what_is_taken() {
        let window = window("1, ..., ::-2", &[3, 4, 5]);
        assert_eq!(window.kept().collect::<Vec<_>>(), [(1, 4, 1), (2, 3, 2)]);
        assert_eq!(window.bounds(&[1..3, 0..2]), [1..2, 1..3, 2..5]);
        assert!(Window::new(&Selection::parse("5").unwrap(), &[5]).is_err());
        assert!(Window::new(&Selection::parse("0, 0").unwrap(), &[5]).is_err());
        assert!(window_all("...", &[5]).is_all() && window_all(":, 0:5", &[2, 5]).is_all());
    }

    fn window_all(text: &str, shape: &[u64]) -> Window {
        window(text, shape)
    }
}
