//! An array that grows, as far as it is watched.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stook::{Array, AxisSelection, NodePath, Result, Selection};

use crate::cat::cell;
use crate::numbers::{Spread, brief};
use crate::pickled;

/// How many values a sparkline has.
const N_VALUES: usize = 32;
/// Bytes of items that are read of an array at one look at most.
const LOOK_LEN_BYTES: u64 = 8 << 20;
/// The time that a rate is about.
const RATE_OVER: Duration = Duration::from_secs(5);

/// An array that is watched.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) path: NodePath,
    pub(super) n_rows: u64,
    /// The last row as text.
    pub(super) last: Option<String>,
    /// The values of the last rows: their means where they have several elements.
    pub(super) values: VecDeque<f64>,
    /// When there were how many rows.
    seen: VecDeque<(Instant, u64)>,
}

impl Channel {
    pub(super) fn new(path: NodePath) -> Self {
        let (values, seen) = (VecDeque::new(), VecDeque::new());
        Self { path, n_rows: 0, last: None, values, seen }
    }

    /// Looks at the rows that are new.
    pub(super) fn look(&mut self, array: &Array, now: Instant) -> Result<()> {
        let spec = array.spec();
        let n_rows = spec.shape().first().copied().unwrap_or(0);
        if n_rows < self.n_rows {
            // The array was cut, or is another one.
            self.values.clear();
            self.seen.clear();
            self.n_rows = 0;
        }
        let n_elements = spec.shape().iter().skip(1).product::<u64>();
        let row_len = n_elements.saturating_mul(spec.dtype.item_size() as u64).max(1);
        let most = (LOOK_LEN_BYTES / row_len).clamp(1, N_VALUES as u64);
        let start = self.n_rows.max(n_rows.saturating_sub(most));
        if start < n_rows {
            self.read(array, start, n_rows, usize::try_from(n_elements).unwrap_or(usize::MAX))?;
        }
        self.n_rows = n_rows;
        self.seen.push_back((now, n_rows));
        while self.seen.len() > 2
            && self.seen.get(1).is_some_and(|(when, _)| now.duration_since(*when) >= RATE_OVER)
        {
            self.seen.pop_front();
        }
        Ok(())
    }

    fn read(&mut self, array: &Array, start: u64, stop: u64, per_row: usize) -> Result<()> {
        let values = array.read(&Selection::Axes(vec![AxisSelection::range(start, stop)]))?;
        let values = pickled::as_texts(array, values)?;
        let dtype = values.dtype();
        let item = |at: usize| values.item(at).unwrap_or_default();
        let n = usize::try_from(stop - start).unwrap_or(0);
        for row in 0..n {
            let first = row.saturating_mul(per_row);
            let items = first..first.saturating_add(per_row);
            let spread = Spread::of(dtype, items.clone().map(item));
            if let Some(spread) = spread {
                if self.values.len() == N_VALUES {
                    self.values.pop_front();
                }
                self.values.push_back(spread.mean);
            }
            if row + 1 == n {
                self.last = match spread {
                    Some(spread) if per_row != 1 => Some(format!("mean {}", brief(spread.mean))),
                    _ if per_row == 1 => Some(cell::text(dtype, item(first), values.heap(), true)?),
                    _ => None,
                };
            }
        }
        Ok(())
    }

    /// Rows a second, over the last seconds.
    pub(super) fn rate(&self) -> Option<f64> {
        let ((from, before), (to, after)) = (self.seen.front()?, self.seen.back()?);
        let seconds = to.duration_since(*from).as_secs_f64();
        (seconds > 0.0).then(|| (after - before) as f64 / seconds)
    }

    /// The course of the last values.
    pub(super) fn sparkline(&self) -> String {
        const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let finite = || self.values.iter().copied().filter(|x| x.is_finite());
        let (least, greatest) =
            finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        let bar = |x: f64| {
            if !x.is_finite() {
                return ' ';
            }
            let height = if greatest > least { (x - least) / (greatest - least) } else { 0.0 };
            let at = (height * 7.0).round() as usize;
            BARS.get(at).copied().unwrap_or('█')
        };
        self.values.iter().map(|&x| bar(x)).collect()
    }

    /// All that is known, for a program.
    pub(super) fn json(&self) -> Value {
        json!({
            "path": self.path.to_string(),
            "rows": self.n_rows,
            "rate": self.rate(),
            "last": self.last,
            "value": self.values.back().filter(|x| x.is_finite()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_over_the_last_seconds() {
        let mut channel = Channel::new(NodePath::root());
        assert_eq!(channel.rate(), None);
        let begun = Instant::now();
        channel.seen.extend([(begun, 10), (begun + Duration::from_secs(2), 30)]);
        assert_eq!(channel.rate(), Some(10.0));
    }

    #[test]
    fn what_is_no_number_leaves_a_gap() {
        let mut channel = Channel::new(NodePath::root());
        channel.values.extend([1.0, f64::INFINITY, 2.0]);
        assert_eq!(channel.sparkline(), "▁ █");
        channel.values = [3.0, 3.0].into();
        assert_eq!(channel.sparkline(), "▁▁");
    }
}
