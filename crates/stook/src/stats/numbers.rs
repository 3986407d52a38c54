//! What is known of many numbers: extremes, sum, spread, histogram.
//!
//! Numbers come in runs that fit the nearest cache. A run is passed over twice, once for its
//! sum and once for its spread about its mean, and runs are merged by the means (Chan, Golub and
//! LeVeque), so that no precision is lost to large means; sums of integers are exact.

use stook_core::element::{bf16, f16};

use super::histogram::Histogram;
use crate::leaves::{LongDouble, Number};

/// Numbers that are looked at together.
pub(super) const RUN: usize = 4096;
/// Sums that are added up side by side, so that a processor can do several at once.
const LANES: usize = 8;

/// A number as it was stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// An integer.
    Integer(i128),
    /// A floating-point number.
    Float(f64),
}

impl Scalar {
    /// The nearest `f64`.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        match self {
            Self::Integer(n) => n as f64,
            Self::Float(x) => x,
        }
    }

    fn less(self, other: Self) -> bool {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a < b,
            (a, b) => a.to_f64() < b.to_f64(),
        }
    }
}

/// A sum: of integers exact, of floats with what each addition lost kept aside (Neumaier).
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sum {
    Integers(i128),
    Floats { sum: f64, lost: f64 },
}

impl Sum {
    /// The sum and what was lost of it.
    fn floats(self) -> (f64, f64) {
        match self {
            Self::Integers(sum) => (sum as f64, 0.0),
            Self::Floats { sum, lost } => (sum, lost),
        }
    }
}

/// What is known of many numbers. NaN and infinities are counted, and take no part in the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    /// How many there are.
    pub n: u64,
    /// How many are no numbers.
    pub n_nan: u64,
    /// How many are infinite and positive.
    pub n_positive_infinite: u64,
    /// How many are infinite and negative.
    pub n_negative_infinite: u64,
    /// How many are not zero; NaN and infinities are not.
    pub n_nonzero: u64,
    /// The smallest.
    pub min: Option<Scalar>,
    /// The greatest.
    pub max: Option<Scalar>,
    /// How they are spread from the smallest to the greatest.
    pub histogram: Histogram,
    sum: Sum,
    /// The sum of the squared distances from the mean.
    spread: f64,
}

impl Numbers {
    pub(super) fn integers() -> Self {
        Self::empty(Sum::Integers(0))
    }

    pub(super) fn floats() -> Self {
        Self::empty(Sum::Floats { sum: 0.0, lost: 0.0 })
    }

    fn empty(sum: Sum) -> Self {
        Self {
            n: 0,
            n_nan: 0,
            n_positive_infinite: 0,
            n_negative_infinite: 0,
            n_nonzero: 0,
            min: None,
            max: None,
            histogram: Histogram::default(),
            sum,
            spread: 0.0,
        }
    }

    /// How many are finite.
    #[must_use]
    pub fn n_finite(&self) -> u64 {
        self.n - self.n_nan - self.n_positive_infinite - self.n_negative_infinite
    }

    /// The sum of the finite ones.
    #[must_use]
    pub fn sum(&self) -> Scalar {
        match self.sum {
            Sum::Integers(sum) => Scalar::Integer(sum),
            // What was lost of an infinite sum is no number.
            Sum::Floats { sum, lost } => {
                Scalar::Float(if lost.is_finite() { sum + lost } else { sum })
            }
        }
    }

    /// The mean of the finite ones; `None` where there are none.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let n = self.n_finite();
        (n > 0).then(|| self.sum().to_f64() / n as f64)
    }

    /// The standard deviation of the finite ones, that of all and not an estimate from a sample
    /// (numpy's `std`); `None` where there are none.
    #[must_use]
    pub fn std(&self) -> Option<f64> {
        let n = self.n_finite();
        (n > 0).then(|| (self.spread / n as f64).sqrt())
    }

    /// Adds what is known of others.
    pub(super) fn merge(&mut self, other: &Self) {
        let (ours, theirs) = (self.n_finite() as f64, other.n_finite() as f64);
        if ours > 0.0 && theirs > 0.0 {
            let between = self.distance(other);
            self.spread += between * between * (ours * theirs / (ours + theirs));
        }
        self.spread += other.spread;
        self.n += other.n;
        self.n_nan += other.n_nan;
        self.n_positive_infinite += other.n_positive_infinite;
        self.n_negative_infinite += other.n_negative_infinite;
        self.n_nonzero += other.n_nonzero;
        let least = |a: Scalar, b: Scalar| if b.less(a) { b } else { a };
        let greatest = |a: Scalar, b: Scalar| if a.less(b) { b } else { a };
        self.min = either(self.min, other.min, least);
        self.max = either(self.max, other.max, greatest);
        self.sum = match (self.sum, other.sum) {
            (Sum::Integers(a), Sum::Integers(b)) => Sum::Integers(a.saturating_add(b)),
            (a, b) => {
                let (sum, lost) = compensated(a.floats(), b.floats());
                Sum::Floats { sum, lost }
            }
        };
        self.histogram.merge(&other.histogram);
    }

    /// From our mean to theirs.
    fn distance(&self, other: &Self) -> f64 {
        if let (Sum::Integers(a), Sum::Integers(b)) = (self.sum, other.sum) {
            // Means that lie close together far from zero: their difference is exact.
            let (ours, theirs) = (i128::from(self.n), i128::from(other.n));
            let exact = || {
                let difference = b.checked_mul(ours)?.checked_sub(a.checked_mul(theirs)?)?;
                Some(difference as f64 / (ours as f64 * theirs as f64))
            };
            if let Some(distance) = exact() {
                return distance;
            }
        }
        other.mean().unwrap_or(0.0) - self.mean().unwrap_or(0.0)
    }
}

fn either(
    a: Option<Scalar>,
    b: Option<Scalar>,
    of: fn(Scalar, Scalar) -> Scalar,
) -> Option<Scalar> {
    match (a, b) {
        (Some(a), Some(b)) => Some(of(a, b)),
        (a, b) => a.or(b),
    }
}

/// The sum of two sums with what was lost of each, and what this addition loses.
fn compensated((sum, lost): (f64, f64), (more, more_lost): (f64, f64)) -> (f64, f64) {
    let total = sum + more;
    let rounding =
        if sum.abs() >= more.abs() { (sum - total) + more } else { (more - total) + sum };
    (total, lost + more_lost + rounding)
}

/// A number that can be counted in.
pub(crate) trait Counted: Number {
    /// Nothing is known yet.
    fn nothing() -> Numbers;
    /// What is known of at most [`RUN`] numbers.
    fn run(run: &[Self]) -> Numbers;
}

macro_rules! integers {
    ($($t:ty),*) => {$(
        impl Counted for $t {
            fn nothing() -> Numbers {
                Numbers::integers()
            }

            fn run(run: &[Self]) -> Numbers {
                let mut numbers = Numbers::integers();
                let (Some(&min), Some(&max)) = (run.iter().min(), run.iter().max()) else {
                    return numbers;
                };
                numbers.n = run.len() as u64;
                numbers.n_nonzero = run.iter().map(|&x| u64::from(x != 0)).sum();
                // Distances from the smallest fit in 64 bits; halves of them can be added up.
                let distance = |x: $t| (x as i64 as u64).wrapping_sub(min as i64 as u64);
                let low: u64 = run.iter().map(|&x| distance(x) & u64::from(u32::MAX)).sum();
                let high: u64 = run.iter().map(|&x| distance(x) >> 32).sum();
                let distances = (u128::from(high) << 32) + u128::from(low);
                let (min_wide, n) = (min as i128, run.len() as i128);
                numbers.sum = Sum::Integers(min_wide * n + distances as i128);
                let mean = distances as f64 / run.len() as f64;
                numbers.spread = spread(run.iter().map(|&x| distance(x) as f64), mean);
                (numbers.min, numbers.max) =
                    (Some(Scalar::Integer(min_wide)), Some(Scalar::Integer(max as i128)));
                let histogram = &mut numbers.histogram;
                histogram.cover_integers(min_wide, max as i128);
                if min == max {
                    histogram.add_integer(min_wide, numbers.n);
                } else {
                    let offset = (min_wide - histogram.first_integer()) as u64;
                    histogram.add_distances(run.iter().map(|&x| distance(x) + offset));
                }
                numbers
            }
        }
    )*};
}
integers!(i8, i16, i32, i64, u8, u16, u32, u64);

macro_rules! floats {
    ($($t:ty: $to_f64:expr),*) => {$(
        impl Counted for $t {
            fn nothing() -> Numbers {
                Numbers::floats()
            }

            fn run(run: &[Self]) -> Numbers {
                let to_f64: fn($t) -> f64 = $to_f64;
                let mut numbers = Numbers::floats();
                numbers.n = run.len() as u64;
                let first = First::of(run.iter().map(|&x| to_f64(x)), run.len());
                numbers.n_nonzero = numbers.n - first.n_zero;
                if first.n_finite < numbers.n {
                    let count = |is: fn(f64) -> bool| {
                        run.iter().map(|&x| u64::from(is(to_f64(x)))).sum::<u64>()
                    };
                    numbers.n_nan = count(f64::is_nan);
                    numbers.n_positive_infinite = count(|x| x == f64::INFINITY);
                    numbers.n_negative_infinite = count(|x| x == f64::NEG_INFINITY);
                }
                if first.n_finite == 0 {
                    return numbers;
                }
                numbers.sum = Sum::Floats { sum: first.sum, lost: first.lost };
                (numbers.min, numbers.max) =
                    (Some(Scalar::Float(first.min)), Some(Scalar::Float(first.max)));
                let histogram = &mut numbers.histogram;
                histogram.cover_floats(first.min, first.max);
                if first.min == first.max && first.n_finite == numbers.n {
                    histogram.add_floats(std::iter::once(first.min));
                    histogram.repeat(numbers.n);
                    return numbers;
                }
                let mean = first.sum / first.n_finite as f64;
                let finite = run.iter().map(|&x| to_f64(x));
                // What is not finite is at the mean, and so adds nothing.
                let finite = finite.map(|x| if x.is_finite() { x } else { mean });
                numbers.spread = spread(finite, mean);
                histogram.add_floats(run.iter().map(|&x| to_f64(x)));
                numbers
            }
        }
    )*};
}
floats!(
    f16: |x| x.to_f64(),
    bf16: |x| x.to_f64(),
    f32: f64::from,
    f64: |x| x,
    LongDouble: |x| x.0
);

/// What a first pass over a run of floats tells.
struct First {
    sum: f64,
    lost: f64,
    min: f64,
    max: f64,
    n_finite: u64,
    n_zero: u64,
}

impl First {
    #[inline]
    fn of(mut run: impl Iterator<Item = f64>, len: usize) -> Self {
        let (mut sums, mut mins, mut maxs) =
            ([0.0; LANES], [f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
        let (mut finite, mut zero) = ([0_u64; LANES], [0_u64; LANES]);
        for _ in 0..len.div_ceil(LANES) {
            // A last part that is too short is filled with NaN, which counts as nothing.
            let lanes: [f64; LANES] = std::array::from_fn(|_| run.next().unwrap_or(f64::NAN));
            for (lane, &x) in lanes.iter().enumerate() {
                let is_finite = x.is_finite();
                sums[lane] += if is_finite { x } else { 0.0 };
                let (low, high) =
                    if is_finite { (x, x) } else { (f64::INFINITY, f64::NEG_INFINITY) };
                mins[lane] = if low < mins[lane] { low } else { mins[lane] };
                maxs[lane] = if high > maxs[lane] { high } else { maxs[lane] };
                finite[lane] += u64::from(is_finite);
                zero[lane] += u64::from(x == 0.0);
            }
        }
        let (sum, lost) =
            sums.into_iter().fold((0.0, 0.0), |sum, lane| compensated(sum, (lane, 0.0)));
        Self {
            sum,
            lost,
            min: mins.iter().copied().fold(f64::INFINITY, f64::min),
            max: maxs.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            n_finite: finite.iter().sum(),
            n_zero: zero.iter().sum(),
        }
    }
}

/// The sum of the squared distances from `mean`, corrected for the rounding of the mean.
#[inline]
fn spread(mut values: impl ExactSizeIterator<Item = f64>, mean: f64) -> f64 {
    let n = values.len();
    let (mut squares, mut distances) = ([0.0; LANES], [0.0; LANES]);
    for _ in 0..n.div_ceil(LANES) {
        let lanes: [f64; LANES] = std::array::from_fn(|_| values.next().unwrap_or(mean));
        for (lane, x) in lanes.into_iter().enumerate() {
            let distance = x - mean;
            squares[lane] += distance * distance;
            distances[lane] += distance;
        }
    }
    let rest: f64 = distances.iter().sum();
    (squares.iter().sum::<f64>() - rest * rest / n.max(1) as f64).max(0.0)
}
