//! The reductions that are folds: sums, products, extremes, moments, truths.

use std::marker::PhantomData;

use super::arithmetic::{Number, Real};
use super::fold::Fold;
use super::gather::FromAny;
use super::item::{Cast, Item, Truth};

/// Numbers that sums are made of, and how they are added up: eight at a time, in pairs of runs.
fn add_up<T: Number>(items: &[T]) -> T {
    const RUN: usize = 128;
    if items.len() > RUN {
        let half = (items.len() / 2).next_multiple_of(8).min(items.len());
        let (a, b) = items.split_at(half);
        return add_up(a).add(add_up(b));
    }
    let (blocks, rest) = items.as_chunks::<8>();
    let mut sums = [T::default(); 8];
    for block in blocks {
        for (sum, item) in sums.iter_mut().zip(block) {
            *sum = sum.add(*item);
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    let sum = (a.add(b)).add(c.add(d)).add((e.add(f)).add(g.add(h)));
    rest.iter().fold(sum, |sum, item| sum.add(*item))
}

/// The sum, counted in `A`, given as `O`; with `SKIP`, of what is a number.
#[derive(Debug)]
pub(super) struct Sum<A, O, const SKIP: bool>(PhantomData<(A, O)>);

impl<A, O, const SKIP: bool> Default for Sum<A, O, SKIP> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

fn or_zero<T: Number, const SKIP: bool>(item: T) -> T {
    if SKIP && item.is_nan() { T::default() } else { item }
}

impl<A: FromAny + Number + Cast<O>, O: Item, const SKIP: bool> Fold for Sum<A, O, SKIP> {
    type In = A;
    type State = A;
    type Out = O;
    const HAS_ROWS: bool = true;

    fn start(&self) -> A {
        A::default()
    }
    fn lane(&self, state: &mut A, items: &[A]) {
        if SKIP {
            *state = items.iter().fold(*state, |sum, &item| sum.add(or_zero::<A, SKIP>(item)));
        } else {
            *state = state.add(add_up(items));
        }
    }
    fn row(&self, states: &mut [A], items: &[A]) {
        for (state, &item) in states.iter_mut().zip(items) {
            *state = state.add(or_zero::<A, SKIP>(item));
        }
    }
    fn merge(&self, state: &mut A, other: &A) {
        *state = state.add(*other);
    }
    fn finish(&self, state: &A) -> O {
        state.cast()
    }
}

/// The product.
#[derive(Debug)]
pub(super) struct Product<A, O, const SKIP: bool>(PhantomData<(A, O)>);

impl<A, O, const SKIP: bool> Default for Product<A, O, SKIP> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<A: FromAny + Number + Cast<O>, O: Item, const SKIP: bool> Fold for Product<A, O, SKIP> {
    type In = A;
    type State = A;
    type Out = O;
    const HAS_ROWS: bool = true;

    fn start(&self) -> A {
        A::one()
    }
    fn lane(&self, state: &mut A, items: &[A]) {
        for &item in items {
            if !(SKIP && item.is_nan()) {
                *state = state.multiply(item);
            }
        }
    }
    fn row(&self, states: &mut [A], items: &[A]) {
        for (state, &item) in states.iter_mut().zip(items) {
            *state = if SKIP && item.is_nan() { *state } else { state.multiply(item) };
        }
    }
    fn merge(&self, state: &mut A, other: &A) {
        *state = state.multiply(*other);
    }
    fn finish(&self, state: &A) -> O {
        state.cast()
    }
}

/// The mean of `A`, which are floats or complex numbers.
#[derive(Debug)]
pub(super) struct Mean<A, O, const SKIP: bool> {
    /// How many elements each result is of.
    pub(super) n: usize,
    pub(super) of: PhantomData<(A, O)>,
}

/// A number as a part of a whole.
pub(super) trait Scaled {
    fn divided_by(self, n: f64) -> Self;
}

impl Scaled for f64 {
    fn divided_by(self, n: f64) -> Self {
        self / n
    }
}

impl Scaled for [f64; 2] {
    fn divided_by(self, n: f64) -> Self {
        [self[0] / n, self[1] / n]
    }
}

impl<A: FromAny + Number + Scaled + Cast<O>, O: Item, const SKIP: bool> Fold for Mean<A, O, SKIP> {
    type In = A;
    /// The sum, and how many are no numbers.
    type State = (A, usize);
    type Out = O;
    const HAS_ROWS: bool = true;

    fn start(&self) -> (A, usize) {
        (A::default(), 0)
    }
    fn lane(&self, (sum, n_nan): &mut (A, usize), items: &[A]) {
        if SKIP {
            *n_nan += items.iter().filter(|item| item.is_nan()).count();
            *sum = items.iter().fold(*sum, |sum, &item| sum.add(or_zero::<A, SKIP>(item)));
        } else {
            *sum = sum.add(add_up(items));
        }
    }
    fn row(&self, states: &mut [(A, usize)], items: &[A]) {
        for ((sum, n_nan), &item) in states.iter_mut().zip(items) {
            *sum = sum.add(or_zero::<A, SKIP>(item));
            if SKIP {
                *n_nan += usize::from(item.is_nan());
            }
        }
    }
    fn merge(&self, state: &mut (A, usize), other: &(A, usize)) {
        *state = (state.0.add(other.0), state.1 + other.1);
    }
    fn finish(&self, (sum, n_nan): &(A, usize)) -> O {
        sum.divided_by((self.n - n_nan) as f64).cast()
    }
}

/// The variance, or its root, of real numbers.
#[derive(Debug)]
pub(super) struct Variance<O, const SKIP: bool> {
    /// What the number of elements is lessened by.
    pub(super) ddof: f64,
    pub(super) is_root: bool,
    pub(super) of: PhantomData<O>,
}

/// How many numbers there are, their mean, and the sum of the squares of their distances to it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn join(&mut self, other: &Self) {
        if other.n == 0.0 {
            return;
        }
        if self.n == 0.0 {
            *self = *other;
            return;
        }
        let n = self.n + other.n;
        let delta = other.mean - self.mean;
        self.mean += delta * (other.n / n);
        self.squares += other.squares + delta * delta * (self.n * other.n / n);
        self.n = n;
    }

    fn of(items: &[f64], scratch: &mut [f64]) -> Self {
        let n = items.len() as f64;
        let mean = add_up(items) / n;
        for (place, item) in scratch.iter_mut().zip(items) {
            *place = (item - mean) * (item - mean);
        }
        Self { n, mean, squares: add_up(scratch.get(..items.len()).unwrap_or_default()) }
    }
}

impl<O: Item, const SKIP: bool> Fold for Variance<O, SKIP>
where
    f64: Cast<O>,
{
    type In = f64;
    type State = Moments;
    type Out = O;
    const HAS_ROWS: bool = false;

    fn start(&self) -> Moments {
        Moments::default()
    }
    fn lane(&self, state: &mut Moments, items: &[f64]) {
        const PART: usize = 256;
        let mut scratch = [0.0; PART];
        for part in items.chunks(PART) {
            if SKIP {
                let mut numbers = [0.0; PART];
                let mut n = 0;
                for item in part.iter().filter(|item| !item.is_nan()) {
                    numbers[n] = *item;
                    n += 1;
                }
                if n > 0 {
                    state.join(&Moments::of(&numbers[..n], &mut scratch));
                }
            } else {
                state.join(&Moments::of(part, &mut scratch));
            }
        }
    }
    fn merge(&self, state: &mut Moments, other: &Moments) {
        state.join(other);
    }
    fn finish(&self, state: &Moments) -> O {
        let n = state.n - self.ddof;
        let variance = if n > 0.0 { state.squares / n } else { f64::NAN };
        // numpy divides by zero where nothing is left, but for what has no elements at all.
        let variance = if n <= 0.0 && state.squares > 0.0 { f64::INFINITY } else { variance };
        if self.is_root { variance.sqrt() } else { variance }.cast()
    }
}

/// The smallest or largest one.
#[derive(Debug)]
pub(super) struct Extremum<T, const IS_MAX: bool, const SKIP: bool> {
    pub(super) of: PhantomData<T>,
}

impl<T: Real, const IS_MAX: bool, const SKIP: bool> Extremum<T, IS_MAX, SKIP> {
    #[inline]
    fn better(state: T, item: T) -> T {
        let wins = if IS_MAX { state.less(item) } else { item.less(state) };
        // What is no number wins, or, if it is skipped, loses.
        if SKIP {
            if wins | state.is_nan() { item } else { state }
        } else if wins | item.is_nan() {
            item
        } else {
            state
        }
    }
}

impl<T: FromAny + Real, const IS_MAX: bool, const SKIP: bool> Fold for Extremum<T, IS_MAX, SKIP> {
    type In = T;
    type State = T;
    type Out = T;
    const HAS_ROWS: bool = true;

    fn start(&self) -> T {
        if SKIP { T::nan() } else { T::end(!IS_MAX) }
    }
    fn lane(&self, state: &mut T, items: &[T]) {
        let (blocks, rest) = items.as_chunks::<8>();
        let mut best = [*state; 8];
        for block in blocks {
            for (best, &item) in best.iter_mut().zip(block) {
                *best = Self::better(*best, item);
            }
        }
        *state = best.iter().chain(rest).fold(*state, |state, item| Self::better(state, *item));
    }
    fn row(&self, states: &mut [T], items: &[T]) {
        for (state, &item) in states.iter_mut().zip(items) {
            *state = Self::better(*state, item);
        }
    }
    fn merge(&self, state: &mut T, other: &T) {
        *state = Self::better(*state, *other);
    }
    fn finish(&self, state: &T) -> T {
        *state
    }
}

/// Whether all are true, or any.
#[derive(Debug)]
pub(super) struct Truths {
    pub(super) is_all: bool,
}

impl Fold for Truths {
    type In = Truth;
    type State = bool;
    type Out = Truth;
    const HAS_ROWS: bool = true;

    fn start(&self) -> bool {
        self.is_all
    }
    fn lane(&self, state: &mut bool, items: &[Truth]) {
        if *state == self.is_all {
            // What decides it.
            let n = items.iter().fold(0_usize, |n, item| n + usize::from(item.get()));
            *state = if self.is_all { n == items.len() } else { n > 0 };
        }
    }
    fn row(&self, states: &mut [bool], items: &[Truth]) {
        for (state, item) in states.iter_mut().zip(items) {
            *state = if self.is_all { *state & item.get() } else { *state | item.get() };
        }
    }
    fn merge(&self, state: &mut bool, other: &bool) {
        *state = if self.is_all { *state & other } else { *state | other };
    }
    fn finish(&self, state: &bool) -> Truth {
        Truth::from(*state)
    }
}
