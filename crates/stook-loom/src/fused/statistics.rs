//! Sums, means, variances and the like of each row or column.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use stook::{Array, Error, Result};

use super::FusedOptions;
use super::bands::{Bands, Cut, Fold, Tile, for_each_nonzero};
use crate::Axis;
use crate::matrix::{Number, Picked, with_number_type};

/// What is told of each row or column, as `f64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Statistic {
    /// The sum.
    Sum,
    /// The mean.
    Mean,
    /// The variance, divided by how many elements there are (numpy's `ddof=0`).
    Var,
    /// The square root of the variance.
    Std,
    /// The least; NaN if there is one.
    Min,
    /// The greatest; NaN if there is one.
    Max,
    /// How many are not zero; NaN is not.
    CountNonzero,
}

impl Statistic {
    /// The statistic that numpy has by this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "sum" => Self::Sum,
            "mean" => Self::Mean,
            "var" => Self::Var,
            "std" => Self::Std,
            "min" | "amin" => Self::Min,
            "max" | "amax" => Self::Max,
            "count_nonzero" => Self::CountNonzero,
            _ => return None,
        })
    }
}

/// What is needed for some statistics.
#[derive(Clone, Copy, Debug)]
struct Needs {
    squares: bool,
    range: bool,
    nonzero: bool,
}

/// What the elements of a row or column tell so far.
#[derive(Clone, Copy, Debug)]
struct Moments {
    n: u64,
    sum: f64,
    mean: f64,
    /// The sum of squared distances from the mean.
    squares: f64,
    min: f64,
    max: f64,
    has_nan: bool,
    n_nonzero: u64,
}

impl Moments {
    const NOTHING: Self = Self {
        n: 0,
        sum: 0.0,
        mean: 0.0,
        squares: 0.0,
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
        has_nan: false,
        n_nonzero: 0,
    };

    /// Chan's way of putting two parts together.
    fn merge(&mut self, other: &Self) {
        let n = self.n + other.n;
        if n == 0 {
            return;
        }
        let distance = other.mean - self.mean;
        let share = other.n as f64 / n as f64;
        self.squares += other.squares + distance * distance * self.n as f64 * share;
        self.mean += distance * share;
        self.sum += other.sum;
        self.n = n;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.has_nan |= other.has_nan;
        self.n_nonzero += other.n_nonzero;
    }

    fn get(&self, statistic: Statistic) -> f64 {
        let of_range = |value: f64| if self.has_nan { f64::NAN } else { value };
        let n = self.n as f64;
        match statistic {
            Statistic::Sum => self.sum,
            Statistic::Mean => self.sum / n,
            Statistic::Var => self.squares / n,
            Statistic::Std => (self.squares / n).sqrt(),
            Statistic::Min => of_range(self.min),
            Statistic::Max => of_range(self.max),
            Statistic::CountNonzero => self.n_nonzero as f64,
        }
    }
}

/// Additions that are under way at once.
const LANES: usize = 8;

/// The sum of what `value` makes of each element, in lanes.
#[inline(always)]
fn lane_sum<T: Number>(line: &[T], value: impl Fn(T) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let (whole, rest) = line.as_chunks::<LANES>();
    for chunk in whole {
        for (lane, &item) in lanes.iter_mut().zip(chunk) {
            *lane += value(item);
        }
    }
    let rest: f64 = rest.iter().map(|&item| value(item)).sum();
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + b) + (c + d)) + ((e + f) + (g + h)) + rest
}

/// What one line of elements tells.
fn of_line<T: Number>(line: &[T], needs: Needs) -> Moments {
    let n = line.len() as u64;
    let sum = lane_sum(line, T::to_f64);
    let mut moments = Moments { n, sum, mean: sum / n.max(1) as f64, ..Moments::NOTHING };
    if needs.squares {
        let mean = moments.mean;
        moments.squares = lane_sum(line, |item| {
            let distance = item.to_f64() - mean;
            distance * distance
        });
    }
    if needs.range {
        let (mut least, mut greatest) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
        let mut is_nan = [false; LANES];
        let mut take = |chunk: &[T]| {
            for (i, item) in chunk.iter().enumerate().take(LANES) {
                let item = item.to_f64();
                least[i] = if item < least[i] { item } else { least[i] };
                greatest[i] = if item > greatest[i] { item } else { greatest[i] };
                is_nan[i] |= item.is_nan();
            }
        };
        let (whole, rest) = line.as_chunks::<LANES>();
        whole.iter().for_each(|chunk| take(chunk));
        take(rest);
        moments.min = least.into_iter().fold(f64::INFINITY, f64::min);
        moments.max = greatest.into_iter().fold(f64::NEG_INFINITY, f64::max);
        moments.has_nan = is_nan.contains(&true);
    }
    if needs.nonzero {
        moments.n_nonzero = line.iter().map(|item| u64::from(!item.is_zero())).sum();
    }
    moments
}

/// What the columns of a box tell, gathered row by row.
#[derive(Debug, Default)]
struct Columns {
    sums: Vec<f64>,
    means: Vec<f64>,
    squares: Vec<f64>,
    ranges: [Vec<f64>; 2],
    has_nan: Vec<bool>,
    n_nonzero: Vec<u32>,
    tallies: Vec<Tally>,
}

/// What the elements of a column tell that are not zero.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    n: u64,
    sum: f64,
    mean: f64,
    squares: f64,
}

/// Whether less than an eighth of a box is not zero, as far as some of its rows tell.
fn is_mostly_zero<T: Number>(tile: &Tile<'_, T>) -> bool {
    const SAMPLES: usize = 16;
    let step = (tile.rows.len() / SAMPLES).max(1);
    let (mut n, mut n_nonzero) = (0, 0);
    for line in tile.lines().step_by(step) {
        n += line.len();
        n_nonzero += line.iter().map(|item| usize::from(!item.is_zero())).sum::<usize>();
    }
    n_nonzero * 8 < n
}

impl Columns {
    fn add<T: Number>(&mut self, tile: &Tile<'_, T>, needs: Needs, moments: &mut [Moments]) {
        if !needs.range && is_mostly_zero(tile) {
            return self.add_nonzero(tile, needs, moments);
        }
        let n_rows = tile.rows.len() as u64;
        for part in [&mut self.sums, &mut self.means, &mut self.squares] {
            part.clear();
            part.resize(moments.len(), 0.0);
        }
        for line in tile.lines() {
            self.sums.iter_mut().zip(line).for_each(|(sum, item)| *sum += item.to_f64());
        }
        let means = self.means.iter_mut().zip(&self.sums);
        means.for_each(|(mean, sum)| *mean = sum / n_rows.max(1) as f64);
        if needs.squares {
            for line in tile.lines() {
                let lanes = self.squares.iter_mut().zip(&self.means).zip(line);
                for ((squares, mean), item) in lanes {
                    let distance = item.to_f64() - mean;
                    *squares += distance * distance;
                }
            }
        }
        self.add_ranges(tile, needs, moments.len());
        for (at, all) in moments.iter_mut().enumerate() {
            let of = |part: &[f64], nothing: f64| part.get(at).copied().unwrap_or(nothing);
            all.merge(&Moments {
                n: n_rows,
                sum: of(&self.sums, 0.0),
                mean: of(&self.means, 0.0),
                squares: of(&self.squares, 0.0),
                min: of(&self.ranges[0], f64::INFINITY),
                max: of(&self.ranges[1], f64::NEG_INFINITY),
                has_nan: self.has_nan.get(at).copied().unwrap_or(false),
                n_nonzero: self.n_nonzero.get(at).map_or(0, |&n| n.into()),
            });
        }
    }

    /// Looks at what is not zero; how many zeros there are tells enough of them.
    fn add_nonzero<T: Number>(
        &mut self,
        tile: &Tile<'_, T>,
        needs: Needs,
        moments: &mut [Moments],
    ) {
        let n_rows = tile.rows.len() as u64;
        self.tallies.clear();
        self.tallies.resize(moments.len(), Tally::default());
        for line in tile.lines() {
            for_each_nonzero(line, |column, item: T| {
                let Some(tally) = self.tallies.get_mut(column) else { return };
                let item = item.to_f64();
                tally.n += 1;
                tally.sum += item;
                if needs.squares {
                    let distance = item - tally.mean;
                    tally.mean += distance / tally.n as f64;
                    tally.squares += distance * (item - tally.mean);
                }
            });
        }
        for (all, tally) in moments.iter_mut().zip(&self.tallies) {
            let n_nonzero = if needs.nonzero { tally.n } else { 0 };
            let &Tally { n, sum, mean, squares } = tally;
            let mut column = Moments { n, sum, mean, squares, n_nonzero, ..Moments::NOTHING };
            column.merge(&Moments { n: n_rows.saturating_sub(n), ..Moments::NOTHING });
            all.merge(&column);
        }
    }

    fn add_ranges<T: Number>(&mut self, tile: &Tile<'_, T>, needs: Needs, n: usize) {
        if needs.range {
            for (part, nothing) in self.ranges.iter_mut().zip([f64::INFINITY, f64::NEG_INFINITY]) {
                part.clear();
                part.resize(n, nothing);
            }
            self.has_nan.clear();
            self.has_nan.resize(n, false);
            let [least, greatest] = &mut self.ranges;
            for line in tile.lines() {
                let lanes = least.iter_mut().zip(greatest.iter_mut()).zip(line);
                for ((least, greatest), item) in lanes {
                    let item = item.to_f64();
                    *least = if item < *least { item } else { *least };
                    *greatest = if item > *greatest { item } else { *greatest };
                }
                let flags = self.has_nan.iter_mut().zip(line);
                flags.for_each(|(has_nan, item)| *has_nan |= item.to_f64().is_nan());
            }
        }
        if needs.nonzero {
            self.n_nonzero.clear();
            self.n_nonzero.resize(n, 0);
            for line in tile.lines() {
                let counts = self.n_nonzero.iter_mut().zip(line);
                counts.for_each(|(count, item)| *count += u32::from(!item.is_zero()));
            }
        }
    }
}

/// What `wanted` tells of each row (`Axis::Rows`) or column of what is `picked` of `array`: for
/// each statistic as many numbers as there are, in the order of the picks.
///
/// # Errors
/// `InvalidInput` for picks out of bounds, and for the least or greatest of nothing;
/// `Unsupported` for a type that is none of numbers; what reading may give.
pub fn statistics(
    array: &Array,
    axis: Axis,
    picked: Picked<'_>,
    wanted: &[Statistic],
    options: &FusedOptions,
) -> Result<Vec<Vec<f64>>> {
    with_number_type!(&array.dtype(), T => run::<T>(array, axis, picked, wanted, options))
        .map_err(|error| error.at_node(array.path()).at_file(array.file().path()))
}

fn run<T: Number>(
    array: &Array,
    axis: Axis,
    picked: Picked<'_>,
    wanted: &[Statistic],
    options: &FusedOptions,
) -> Result<Vec<Vec<f64>>> {
    let has = |some: &[Statistic]| wanted.iter().any(|statistic| some.contains(statistic));
    let needs = Needs {
        squares: has(&[Statistic::Var, Statistic::Std]),
        range: has(&[Statistic::Min, Statistic::Max]),
        nonzero: has(&[Statistic::CountNonzero]),
    };
    let bands = Bands::new(array, picked, axis, Cut::Small, options)?;
    let [along, across] = [axis, axis.other()].map(|axis| &bands.picks[axis.number()]);
    if needs.range && across.len == 0 && along.len > 0 {
        let word = axis.word();
        return Err(Error::invalid(format!("the range of a {word} without elements")));
    }
    bands.announce();
    let all = Mutex::new(vec![Moments::NOTHING; along.len]);
    bands.fold::<T, (Vec<Moments>, Columns)>(&Fold {
        start: &|band: Range<usize>| (vec![Moments::NOTHING; band.len()], Columns::default()),
        add: &|(moments, columns), tile| {
            match axis {
                Axis::Rows => {
                    for (moments, line) in moments.iter_mut().zip(tile.lines()) {
                        moments.merge(&of_line(line, needs));
                    }
                }
                Axis::Columns => columns.add(tile, needs, moments),
            }
            Ok(())
        },
        end: &|band, (moments, _)| {
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            for (at, moments) in band.zip(moments) {
                if let Some(place) = all.get_mut(along.place(at)) {
                    *place = moments;
                }
            }
            Ok(())
        },
    })?;
    let all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    let tell = |&statistic: &Statistic| all.iter().map(|moments| moments.get(statistic)).collect();
    Ok(wanted.iter().map(tell).collect())
}
