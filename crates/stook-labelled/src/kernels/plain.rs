//! Arithmetic of many floats that lie in one piece, on several threads.
//!
//! The results are those of one instruction for each element, so that threads change no bit of them.

use std::sync::atomic::{AtomicBool, Ordering};

use stook_core::Result;

use super::threads::for_each_range;

/// What is done with two floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Plain {
    Add,
    Subtract,
    Multiply,
}

/// The other side of [`plain`].
#[derive(Clone, Copy, Debug)]
pub enum Side<'a> {
    /// As many elements.
    Each(&'a [f64]),
    /// One for all.
    All(f64),
}

/// Fills `out` with `a op b`. Returns whether all of it is finite: else somebody may want to be warned.
///
/// Elements beyond the shortest of the three are left as they are.
///
/// # Errors
/// When the call is interrupted.
pub fn plain(op: Plain, a: &[f64], b: Side<'_>, out: &mut [f64]) -> Result<bool> {
    match op {
        Plain::Add => each(a, b, out, |x, y| x + y),
        Plain::Subtract => each(a, b, out, |x, y| x - y),
        Plain::Multiply => each(a, b, out, |x, y| x * y),
    }
}

fn each(
    a: &[f64],
    b: Side<'_>,
    out: &mut [f64],
    op: impl Fn(f64, f64) -> f64 + Sync,
) -> Result<bool> {
    let is_finite = AtomicBool::new(true);
    let n = out.len().min(a.len());
    let out = Places(out.as_mut_ptr());
    let len_bytes = n * 3 * size_of::<f64>();
    for_each_range(n, len_bytes, &|range| {
        // SAFETY: the ranges of different calls do not overlap, and lie within `out`.
        #[expect(unsafe_code, reason = "threads fill parts of one slice")]
        let part = unsafe {
            let Places(first) = &out;
            std::slice::from_raw_parts_mut(first.add(range.start), range.len())
        };
        let a = a.get(range.clone()).unwrap_or_default();
        let b = match b {
            Side::Each(b) => Side::Each(b.get(range).unwrap_or_default()),
            all @ Side::All(_) => all,
        };
        if !part_of(a, b, part, &op) {
            is_finite.store(false, Ordering::Relaxed);
        }
        Ok(())
    })?;
    Ok(is_finite.into_inner())
}

/// The same on one thread.
fn part_of(a: &[f64], b: Side<'_>, out: &mut [f64], op: &impl Fn(f64, f64) -> f64) -> bool {
    // So many elements stay near the processor while they are looked at again.
    const BLOCK: usize = 1024;
    const LANES: usize = 8;
    // A number times 0 is 0 or, if it is not finite, NaN, which stays one in a sum.
    let mut sums = [0.0; LANES];
    for (at, out) in out.chunks_mut(BLOCK).enumerate() {
        let range = at * BLOCK..at * BLOCK + out.len();
        let a = a.get(range.clone()).unwrap_or_default();
        match b {
            Side::Each(b) => {
                let b = b.get(range).unwrap_or_default();
                for ((out, &x), &y) in out.iter_mut().zip(a).zip(b) {
                    *out = op(x, y);
                }
            }
            Side::All(y) => out.iter_mut().zip(a).for_each(|(out, &x)| *out = op(x, y)),
        }
        let (chunks, rest) = out.as_chunks::<LANES>();
        for values in chunks {
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value * 0.0);
        }
        sums.iter_mut().zip(rest).for_each(|(sum, value)| *sum += value * 0.0);
    }
    sums.iter().all(|&sum| sum == 0.0)
}

/// Where the elements go that several threads make.
struct Places(*mut f64);

// SAFETY: each thread writes to places of its own.
#[expect(unsafe_code, reason = "threads fill parts of one slice")]
unsafe impl Sync for Places {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_those_of_one_thread() {
        let a: Vec<f64> = (0..300_001).map(|i| f64::from(i) * 0.1).collect();
        let b: Vec<f64> = a.iter().map(|x| 3.0 - x).collect();
        let mut out = vec![0.0; a.len()];
        assert!(plain(Plain::Multiply, &a, Side::Each(&b), &mut out).unwrap());
        assert!(out.iter().zip(a.iter().zip(&b)).all(|(out, (x, y))| *out == x * y));
        assert!(plain(Plain::Subtract, &a, Side::All(0.25), &mut out).unwrap());
        assert!(out.iter().zip(&a).all(|(out, x)| *out == x - 0.25));
    }

    #[test]
    fn one_number_that_is_not_finite_is_told() {
        for at in [0, 1023, 1024, 200_000, 299_999] {
            let mut a = vec![1.0; 300_000];
            let mut out = vec![0.0; a.len()];
            a[at] = f64::MAX;
            assert!(plain(Plain::Add, &a, Side::All(1.0), &mut out).unwrap());
            assert!(!plain(Plain::Multiply, &a, Side::All(2.0), &mut out).unwrap());
            a[at] = f64::NAN;
            assert!(!plain(Plain::Add, &a, Side::All(1.0), &mut out).unwrap());
        }
    }
}
