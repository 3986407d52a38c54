//! A histogram whose range grows with what it is shown.
//!
//! Bins are a power of two wide and begin at multiples of their width, so two neighbours are one
//! bin of twice the width: to widen the range, counts are added up and nothing is guessed. The
//! width is the least for which the smallest and the greatest value have room, which makes the
//! result the same however the values were split among threads.

/// Bins there are at most.
const MOST_BINS: i128 = 256;

/// How often values fall into bins of equal width.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// The width of a bin is two to the power of this.
    exponent: i32,
    /// The number of the first bin; it begins at so many widths.
    first: i128,
    counts: Vec<u64>,
}

impl Histogram {
    /// Where the first bin begins.
    #[must_use]
    pub fn start(&self) -> f64 {
        self.first as f64 * self.width()
    }

    /// The width of a bin.
    #[must_use]
    pub fn width(&self) -> f64 {
        2_f64.powi(self.exponent)
    }

    /// How many values each bin holds; empty where there were none.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The counts in `n` columns of equal width, or in as many as there are bins if these are
    /// fewer: what a bin holds is shared among the columns that it lies in.
    #[must_use]
    pub fn columns(&self, n: usize) -> Vec<f64> {
        let n = n.min(self.counts.len());
        let mut columns = vec![0.0; n];
        let per_bin = n as f64 / self.counts.len() as f64;
        for (at, &count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let (from, to) = (at as f64 * per_bin, (at + 1) as f64 * per_bin);
            for (column, sum) in columns.iter_mut().enumerate().skip(from as usize) {
                let shared = to.min((column + 1) as f64) - from.max(column as f64);
                if shared <= 0.0 {
                    break;
                }
                *sum += count as f64 * shared / per_bin;
            }
        }
        columns
    }

    /// Makes room for integers from `min` to `max`.
    pub(super) fn cover_integers(&mut self, min: i128, max: i128) {
        let bin = |value: i128, exponent: i32| value >> exponent;
        let (min, max) = match self.bounds() {
            // Bins that are there stay where they are: their edges count, not their values.
            Some((low, high)) => (min.min(low << self.exponent), max.max(high << self.exponent)),
            None => (min, max),
        };
        let mut exponent = if self.counts.is_empty() { 0 } else { self.exponent };
        while bin(max, exponent) - bin(min, exponent) >= MOST_BINS {
            exponent += 1;
        }
        self.reach(exponent, bin(min, exponent), bin(max, exponent));
    }

    /// Makes room for finite numbers from `min` to `max`.
    pub(super) fn cover_floats(&mut self, min: f64, max: f64) {
        let bounds = self.bounds();
        let greatest = min.abs().max(max.abs());
        let mut exponent = if bounds.is_some() { self.exponent } else { i32::MIN };
        exponent = exponent.max(finest(greatest)).max(about(min, max));
        loop {
            let (mut low, mut high) = (bin_of(min, exponent), bin_of(max, exponent));
            if let Some((first, last)) = bounds {
                let shift = shift_of(exponent, self.exponent);
                (low, high) = (low.min(first >> shift), high.max(last >> shift));
            }
            if high - low < MOST_BINS {
                return self.reach(exponent, low, high);
            }
            exponent += 1;
        }
    }

    /// The numbers of the first and the last bin.
    fn bounds(&self) -> Option<(i128, i128)> {
        let last = self.counts.len().checked_sub(1)?;
        Some((self.first, self.first + last as i128))
    }

    /// Widens bins to `exponent` and the range to the bins from `low` to `high`.
    fn reach(&mut self, exponent: i32, low: i128, high: i128) {
        let (low, high) = match self.bounds() {
            None => {
                self.exponent = exponent;
                (low, high)
            }
            Some((first, last)) => {
                let shift = shift_of(exponent, self.exponent);
                (low.min(first >> shift), high.max(last >> shift))
            }
        };
        if self.exponent == exponent && self.bounds() == Some((low, high)) {
            return;
        }
        let shift = shift_of(exponent, self.exponent);
        let mut counts = vec![0; usize::try_from(high - low + 1).unwrap_or(1)];
        for (bin, count) in (self.first..).zip(&self.counts) {
            let at = usize::try_from((bin >> shift) - low).ok();
            if let Some(sum) = at.and_then(|at| counts.get_mut(at)) {
                *sum += count;
            }
        }
        *self = Self { exponent, first: low, counts };
    }

    /// Counts `n` times the integer `value`, for which there is room.
    pub(super) fn add_integer(&mut self, value: i128, n: u64) {
        let at = usize::try_from((value >> self.exponent) - self.first).ok();
        if let Some(count) = at.and_then(|at| self.counts.get_mut(at)) {
            *count += n;
        }
    }

    /// Counts integers given as their distance from the first edge, for which there is room.
    pub(super) fn add_distances(&mut self, distances: impl Iterator<Item = u64>) {
        for distance in distances {
            let at = usize::try_from(distance >> self.exponent.clamp(0, 63)).ok();
            if let Some(count) = at.and_then(|at| self.counts.get_mut(at)) {
                *count += 1;
            }
        }
    }

    /// The first edge as an integer.
    pub(super) fn first_integer(&self) -> i128 {
        self.first << self.exponent
    }

    /// Counts finite numbers, for which there is room; others are passed over.
    pub(super) fn add_floats(&mut self, values: impl Iterator<Item = f64>) {
        let per_width = 2_f64.powi(-self.exponent);
        let first = self.first as f64;
        for value in values {
            // A number that is not finite is in no bin: as an integer it is out of range or 0,
            // and the comparison sorts it out.
            let at = (value * per_width).floor() - first;
            if at >= 0.0
                && at < self.counts.len() as f64
                && let Some(count) = self.counts.get_mut(at as usize)
            {
                *count += 1;
            }
        }
    }

    /// Counts what has been counted `n` times as often.
    pub(super) fn repeat(&mut self, n: u64) {
        self.counts.iter_mut().for_each(|count| *count *= n);
    }

    /// Adds what another histogram has counted.
    pub(super) fn merge(&mut self, other: &Self) {
        let Some((low, high)) = other.bounds() else { return };
        let Some((first, last)) = self.bounds() else {
            *self = other.clone();
            return;
        };
        let mut exponent = self.exponent.max(other.exponent);
        loop {
            let ours = shift_of(exponent, self.exponent);
            let theirs = shift_of(exponent, other.exponent);
            let low = (low >> theirs).min(first >> ours);
            let high = (high >> theirs).max(last >> ours);
            if high - low < MOST_BINS {
                self.reach(exponent, low, high);
                break;
            }
            exponent += 1;
        }
        let shift = shift_of(exponent, other.exponent);
        for (bin, count) in (other.first..).zip(&other.counts) {
            let at = usize::try_from((bin >> shift) - self.first).ok();
            if let Some(sum) = at.and_then(|at| self.counts.get_mut(at)) {
                *sum += count;
            }
        }
    }
}

/// By how much bin numbers are shifted when bins become wider.
fn shift_of(to: i32, from: i32) -> u32 {
    u32::try_from(to.saturating_sub(from)).unwrap_or(0).min(127)
}

/// The narrowest bins for numbers as great as this: bin numbers must be exact as `f64`.
fn finest(greatest: f64) -> i32 {
    const EXACT_BITS: i32 = 52;
    let exponent = if greatest > 0.0 { greatest.log2().floor() as i32 } else { -1022 };
    (exponent - EXACT_BITS).max(-1000)
}

/// A width that is surely not too great for the numbers from `min` to `max`.
fn about(min: f64, max: f64) -> i32 {
    // A quarter, because the whole may overflow.
    let quarter = max * 0.25 - min * 0.25;
    if quarter > 0.0 { quarter.log2().floor() as i32 + 2 - 8 - 1 } else { i32::MIN }
}

fn bin_of(value: f64, exponent: i32) -> i128 {
    (value * 2_f64.powi(-exponent)).floor() as i128
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(runs: &[&[f64]]) -> Histogram {
        let mut whole = Histogram::default();
        for run in runs {
            let mut part = Histogram::default();
            for &value in *run {
                part.cover_floats(value, value);
                part.add_floats(std::iter::once(value));
            }
            whole.merge(&part);
        }
        whole
    }

    #[test]
    fn nothing_is_lost_while_the_range_grows() {
        let values = [0.0, 1e-3, -5.0, 1e6, 1e300, -1e300, 1e-300, 3.5];
        let histogram = of(&[&values]);
        assert_eq!(histogram.counts().iter().sum::<u64>(), 8);
        assert!(histogram.counts().len() <= 256);
    }

    #[test]
    fn the_order_of_values_does_not_matter() {
        let values: Vec<f64> = (0..300).map(|i| f64::from(i * i) * 0.1 - 50.0).collect();
        let reversed: Vec<f64> = values.iter().rev().copied().collect();
        let whole = of(&[&values]);
        assert_eq!(whole, of(&[&reversed]));
        assert_eq!(whole, of(&[&values[200..], &values[..7], &values[7..200]]));
    }

    #[test]
    fn integers_have_a_bin_each_where_there_is_room() {
        let mut histogram = Histogram::default();
        histogram.cover_integers(-3, 5);
        histogram.add_integer(-3, 2);
        histogram.add_integer(5, 1);
        assert_eq!((histogram.start(), histogram.width()), (-3.0, 1.0));
        assert_eq!(histogram.counts(), [2, 0, 0, 0, 0, 0, 0, 0, 1]);
        histogram.cover_integers(-3, 1000);
        assert_eq!(histogram.width(), 4.0);
        assert_eq!(histogram.counts().iter().sum::<u64>(), 3);
    }

    #[test]
    fn columns_share_what_bins_hold() {
        let mut histogram = Histogram::default();
        histogram.cover_integers(0, 3);
        histogram.add_integer(1, 4);
        assert_eq!(histogram.columns(8), [0.0, 4.0, 0.0, 0.0]);
        assert_eq!(histogram.columns(2), [4.0, 0.0]);
        let shared: Vec<f64> = histogram.columns(3).iter().map(|sum| sum.round()).collect();
        assert_eq!(shared, [1.0, 3.0, 0.0]);
        assert!(Histogram::default().columns(4).is_empty());
    }
}
