//! Sums, means, extremes and the like of groups of columns (or rows), as numpy_groupies has them.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use stook::{Array, Error, Result};

use super::FusedOptions;
use super::bands::{Bands, Cut, Fold, Tile, for_each_nonzero};
use crate::Axis;
use crate::matrix::{Dense, Number, Picked, with_number_type};

/// What becomes of the elements of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Aggregate {
    kind: Kind,
    skips_nan: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Sum,
    Prod,
    Mean,
    Var,
    Std,
    Min,
    Max,
    Median,
    First,
    Last,
    ArgMin,
    ArgMax,
    Len,
    All,
    Any,
    AllNan,
    AnyNan,
    SumOfSquares,
}

impl Aggregate {
    /// The mean.
    pub const MEAN: Self = Self { kind: Kind::Mean, skips_nan: false };
    /// The sum.
    pub const SUM: Self = Self { kind: Kind::Sum, skips_nan: false };

    /// The aggregate that numpy_groupies has by this name, its aliases and those that pass over
    /// NaN (`nansum`) included.
    ///
    /// # Errors
    /// `InvalidInput` for a name that is none.
    pub fn parse(name: &str) -> Result<Self> {
        let unknown = || {
            Error::invalid(format!(
                "aggregate `{name}`: expected sum, prod, mean, var, std, min, max, median, first, \
                 last, argmin, argmax, len, all, any, allnan, anynan or sumofsquares"
            ))
        };
        let (bare, skips_nan) = match name.strip_prefix("nan") {
            Some(bare) => (bare, true),
            None => (name, false),
        };
        let kind = match bare {
            "sum" | "add" | "plus" => Kind::Sum,
            "prod" | "product" | "multiply" | "times" => Kind::Prod,
            "mean" => Kind::Mean,
            "var" => Kind::Var,
            "std" => Kind::Std,
            "min" | "amin" | "minimum" => Kind::Min,
            "max" | "amax" | "maximum" => Kind::Max,
            "median" => Kind::Median,
            "first" => Kind::First,
            "last" => Kind::Last,
            "argmin" => Kind::ArgMin,
            "argmax" => Kind::ArgMax,
            "len" | "count" | "size" | "length" => Kind::Len,
            "all" | "and" => Kind::All,
            "any" | "or" => Kind::Any,
            "allnan" if !skips_nan => Kind::AllNan,
            "anynan" if !skips_nan => Kind::AnyNan,
            "sumofsquares" => Kind::SumOfSquares,
            _ => return Err(unknown()),
        };
        Ok(Self { kind, skips_nan })
    }

    /// Whether zeros need not be looked at: how many there are tells enough.
    fn passes_over_zeros(self) -> bool {
        !matches!(self.kind, Kind::First | Kind::Last | Kind::ArgMin | Kind::ArgMax | Kind::Median)
    }
}

/// The group of each of the elements along an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    labels: Vec<u32>,
    /// How many elements each group has.
    lens: Vec<u64>,
}

/// The label of elements that are in no group.
const NO_GROUP: u32 = u32::MAX;

impl Groups {
    /// Element `i` is in group `labels[i]`, below `n_groups`, or in none.
    ///
    /// # Errors
    /// `InvalidInput` for a label out of range.
    pub fn new(labels: &[Option<u32>], n_groups: u32) -> Result<Self> {
        let mut lens = vec![0; n_groups as usize];
        for label in labels.iter().flatten() {
            let len = lens.get_mut(*label as usize).ok_or_else(|| {
                Error::invalid(format!("group {label}: expected one below {n_groups}"))
            })?;
            *len += 1;
        }
        Ok(Self { labels: labels.iter().map(|label| label.unwrap_or(NO_GROUP)).collect(), lens })
    }

    /// Groups of equal values, and the values, sorted: group `i` is that of value `i`.
    #[must_use]
    pub fn of<T: Ord + Clone>(values: &[T]) -> (Self, Vec<T>) {
        let mut distinct = values.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        let label = |value: &T| distinct.binary_search(value).map_or(NO_GROUP, |at| at as u32);
        let labels: Vec<u32> = values.iter().map(label).collect();
        let mut lens = vec![0; distinct.len()];
        for &label in &labels {
            if let Some(len) = lens.get_mut(label as usize) {
                *len += 1;
            }
        }
        (Self { labels, lens }, distinct)
    }

    /// How many groups there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lens.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lens.is_empty()
    }

    /// How many elements are in each group.
    #[must_use]
    pub fn lens(&self) -> &[u64] {
        &self.lens
    }

    /// The group of each element.
    pub fn labels(&self) -> impl Iterator<Item = Option<u32>> {
        self.labels.iter().map(|&label| Some(label).filter(|&label| label != NO_GROUP))
    }
}

/// What the elements of one group of one line tell so far.
#[derive(Clone, Copy, Debug)]
struct Kept {
    /// The sum, product, extreme, mean.
    value: f64,
    /// The sum of squared distances from the mean, or where an extreme is.
    more: f64,
    /// Elements that were looked at and taken.
    n: u64,
    n_nan: u64,
}

impl Aggregate {
    fn nothing(self) -> Kept {
        let value = match self.kind {
            Kind::Prod => 1.0,
            Kind::Min | Kind::ArgMin => f64::INFINITY,
            Kind::Max | Kind::ArgMax => f64::NEG_INFINITY,
            _ => 0.0,
        };
        Kept { value, more: 0.0, n: 0, n_nan: 0 }
    }

    /// Takes the element at position `at` along the grouped axis.
    #[inline(always)]
    fn add(self, kept: &mut Kept, item: f64, at: usize) {
        if item.is_nan() {
            kept.n_nan += 1;
            if self.skips_nan {
                return;
            }
        }
        kept.n += 1;
        match self.kind {
            Kind::Sum => kept.value += item,
            Kind::Prod => kept.value *= item,
            Kind::SumOfSquares => kept.value += item * item,
            Kind::Mean => kept.value += item,
            Kind::Var | Kind::Std => {
                let distance = item - kept.value;
                kept.value += distance / kept.n as f64;
                kept.more += distance * (item - kept.value);
            }
            // Once NaN, always NaN.
            Kind::Min if item < kept.value || item.is_nan() => kept.value = item,
            Kind::Max if item > kept.value || item.is_nan() => kept.value = item,
            // Elements come in the order of the array, which need not be that of the picks.
            Kind::ArgMin | Kind::ArgMax => {
                let is_further = match self.kind {
                    Kind::ArgMin => item < kept.value,
                    _ => item > kept.value,
                };
                let is_as_far = item == kept.value || item.is_nan() && kept.value.is_nan();
                let is_first_nan = item.is_nan() && !kept.value.is_nan();
                let is_before = (at as f64) < kept.more;
                if kept.n == 1 || is_further || is_first_nan || (is_as_far && is_before) {
                    (kept.value, kept.more) = (item, at as f64);
                }
            }
            Kind::First if kept.n == 1 || (at as f64) < kept.more => {
                (kept.value, kept.more) = (item, at as f64);
            }
            Kind::Last if at as f64 >= kept.more => (kept.value, kept.more) = (item, at as f64),
            _ => {}
        }
    }

    /// The result for a group of `len` elements, of which those that were not looked at are zero.
    fn finish(self, kept: &Kept, len: u64) -> f64 {
        let n_skipped = if self.skips_nan { kept.n_nan } else { 0 };
        let n = len.saturating_sub(n_skipped);
        // A group without elements is zero, as loompy fills it.
        if n == 0 && self.kind != Kind::Len {
            let is_vacuous = matches!(self.kind, Kind::AllNan | Kind::All) && len > 0;
            return f64::from(u8::from(is_vacuous));
        }
        let n_zeros = n.saturating_sub(kept.n);
        let truth = |is: bool| f64::from(u8::from(is));
        match self.kind {
            Kind::Sum | Kind::SumOfSquares | Kind::First | Kind::Last => kept.value,
            Kind::Prod if n_zeros > 0 => kept.value * 0.0,
            Kind::Prod => kept.value,
            Kind::Mean => kept.value / n as f64,
            Kind::Var | Kind::Std => {
                let zeros = kept.value * kept.value * kept.n as f64 * (n_zeros as f64 / n as f64);
                let squares = kept.more + if n_zeros > 0 { zeros } else { 0.0 };
                let var = squares / n as f64;
                if self.kind == Kind::Std { var.sqrt() } else { var }
            }
            Kind::Min if n_zeros > 0 && kept.value > 0.0 => 0.0,
            Kind::Max if n_zeros > 0 && kept.value < 0.0 => 0.0,
            Kind::Min | Kind::Max => kept.value,
            Kind::ArgMin | Kind::ArgMax => kept.more,
            Kind::Len => n as f64,
            Kind::All => truth(n_zeros == 0),
            Kind::Any => truth(kept.n > 0),
            Kind::AllNan => truth(kept.n_nan == len),
            Kind::AnyNan => truth(kept.n_nan > 0),
            // Medians have a way of their own.
            Kind::Median => f64::NAN,
        }
    }
}

/// What `by` makes of each group of columns (`Axis::Columns`: a matrix of rows and groups) or of
/// rows (a matrix of groups and columns) of what is `picked` of `array`.
///
/// Positions (argmin, argmax) are those within the picks. A group without elements, or where NaN
/// is passed over without others, is 0.
///
/// # Errors
/// `InvalidInput` where there are more or fewer labels than elements, or picks out of bounds;
/// `Unsupported` for a type that is none of numbers; what reading may give.
pub fn aggregate(
    array: &Array,
    axis: Axis,
    picked: Picked<'_>,
    groups: &Groups,
    by: Aggregate,
    options: &FusedOptions,
) -> Result<Dense<'static>> {
    let cut = if by.kind == Kind::Median { Cut::Whole } else { Cut::Small };
    let bands = || {
        let bands = Bands::new(array, picked, axis.other(), cut, options)?;
        let expected = bands.picks[axis.number()].len;
        if groups.labels.len() != expected {
            let (found, word) = (groups.labels.len(), axis.word());
            return Err(Error::invalid(format!("labels of {expected} {word}s: found {found}")));
        }
        bands.announce();
        let run = Run { bands, axis, groups, by };
        with_number_type!(&array.dtype(), T => run.all::<T>())
    };
    bands().map_err(|error| error.at_node(array.path()).at_file(array.file().path()))
}

/// What is found for each line of a band and each group goes to its place.
type Put<'p> = dyn Fn(Range<usize>, &mut dyn FnMut(usize, usize) -> f64) + Sync + 'p;

struct Run<'r> {
    bands: Bands,
    /// The axis that is grouped.
    axis: Axis,
    groups: &'r Groups,
    by: Aggregate,
}

impl Run<'_> {
    fn all<T: Number>(&self) -> Result<Dense<'static>> {
        let (grouped, n_groups) = (&self.bands.picks[self.axis.number()], self.groups.len());
        // Labels in the order in which elements are read, and where these are in the picks.
        let places: Vec<usize> = (0..grouped.len).map(|at| grouped.place(at)).collect();
        let label = |&at: &usize| self.groups.labels.get(at).copied().unwrap_or(NO_GROUP);
        let labels: Vec<u32> = places.iter().map(label).collect();
        let lines = &self.bands.picks[self.axis.other().number()];
        let n = lines.len.checked_mul(n_groups);
        let n = n.ok_or_else(|| Error::limit("the groups exceed the memory there is"))?;
        let result = Mutex::new(vec![0.0; n]);
        let place = |line: usize, group: usize| match self.axis {
            Axis::Columns => lines.place(line) * n_groups + group,
            Axis::Rows => group * lines.len + lines.place(line),
        };
        let put = |band: Range<usize>, values: &mut dyn FnMut(usize, usize) -> f64| {
            let mut result = result.lock().unwrap_or_else(PoisonError::into_inner);
            for (i, line) in band.enumerate() {
                for group in 0..n_groups {
                    if let Some(place) = result.get_mut(place(line, group)) {
                        *place = values(i, group);
                    }
                }
            }
        };
        if self.by.kind == Kind::Median {
            self.medians::<T>(&labels, &put)?;
        } else {
            self.folded::<T>((&labels, &places), &put)?;
        }
        let numbers = result.into_inner().unwrap_or_else(PoisonError::into_inner);
        Dense::new(self.axis.with([lines.len; 2], n_groups), numbers)
    }

    fn folded<T: Number>(&self, (labels, places): (&[u32], &[usize]), put: &Put<'_>) -> Result<()> {
        let (by, n_groups) = (self.by, self.groups.len());
        self.bands.fold::<T, Vec<Kept>>(&Fold {
            start: &|band: Range<usize>| vec![by.nothing(); band.len() * n_groups],
            add: &|kept, tile| {
                self.add(kept, tile, (labels, places));
                Ok(())
            },
            end: &|band, kept| {
                put(band, &mut |i, group| {
                    let kept = kept.get(i * n_groups + group).copied();
                    let len = self.groups.lens.get(group).copied().unwrap_or(0);
                    by.finish(&kept.unwrap_or_else(|| by.nothing()), len)
                });
                Ok(())
            },
        })
    }

    fn add<T: Number>(
        &self,
        kept: &mut [Kept],
        tile: &Tile<'_, T>,
        (labels, places): (&[u32], &[usize]),
    ) {
        let (by, n_groups) = (self.by, self.groups.len());
        for (i, line) in tile.lines().enumerate() {
            let mut take = |j: usize, item: f64| {
                let (line, at) = match self.axis {
                    Axis::Columns => (i, tile.columns.start + j),
                    Axis::Rows => (j, tile.rows.start + i),
                };
                let label = labels.get(at).copied().unwrap_or(NO_GROUP) as usize;
                if label < n_groups
                    && let Some(kept) = kept.get_mut(line * n_groups + label)
                {
                    by.add(kept, item, places.get(at).copied().unwrap_or(at));
                }
            };
            if by.passes_over_zeros() {
                for_each_nonzero(line, |j, item: T| take(j, item.to_f64()));
            } else {
                line.iter().enumerate().for_each(|(j, item)| take(j, item.to_f64()));
            }
        }
    }

    fn medians<T: Number>(&self, labels: &[u32], put: &Put<'_>) -> Result<()> {
        let n_groups = self.groups.len();
        self.bands.fold::<T, Vec<f64>>(&Fold {
            start: &|band: Range<usize>| vec![0.0; band.len() * n_groups],
            add: &|medians, tile| {
                let n_lines = medians.len() / n_groups.max(1);
                let mut members: Vec<Vec<f64>> = vec![Vec::new(); n_groups];
                for line in 0..n_lines {
                    members.iter_mut().for_each(Vec::clear);
                    let items: &mut dyn Iterator<Item = &T> = match self.axis {
                        Axis::Columns => {
                            let width = tile.columns.len();
                            let range = line * width..(line + 1) * width;
                            &mut tile.items.get(range).unwrap_or_default().iter()
                        }
                        Axis::Rows => &mut tile.items.iter().skip(line).step_by(n_lines.max(1)),
                    };
                    for (item, &label) in items.zip(labels) {
                        let item = item.to_f64();
                        if let Some(members) = members.get_mut(label as usize)
                            && !(self.by.skips_nan && item.is_nan())
                        {
                            members.push(item);
                        }
                    }
                    let places = medians.iter_mut().skip(line * n_groups);
                    places.zip(&mut members).for_each(|(place, members)| *place = median(members));
                }
                Ok(())
            },
            end: &|band, medians| {
                put(band, &mut |i, group| {
                    medians.get(i * n_groups + group).copied().unwrap_or(0.0)
                });
                Ok(())
            },
        })
    }
}

/// The median, NaN if there is one; 0 of nothing.
fn median(members: &mut [f64]) -> f64 {
    if members.is_empty() {
        return 0.0;
    }
    if members.iter().any(|member| member.is_nan()) {
        return f64::NAN;
    }
    let middle = members.len() / 2;
    let is_even = members.len().is_multiple_of(2);
    let (below, &mut upper, _) = members.select_nth_unstable_by(middle, f64::total_cmp);
    if !is_even {
        return upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (lower + upper) / 2.0
}
