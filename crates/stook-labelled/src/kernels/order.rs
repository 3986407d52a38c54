//! Sorting, and finding the smallest and the largest, along axes.

use stook_core::element::f16;
use stook_core::{DType, Error, Result};

use super::gather::FromAny;
use super::item::{Truth, dispatch_primitive};
use super::lanes::{Result1, lanes};
use super::memory::Strided;
use super::memory_mut::StridedMut;
use super::quantile::Keyed;
use super::reduce::Missing;
use super::tiles::Buffer;

/// Which end of an order is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Extreme {
    Min,
    Max,
}

/// Evaluates `$body` with `$T` as the type of items, truths as small numbers.
macro_rules! dispatch_keyed {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            DType::Bool => {
                type $T = u8;
                $body
            }
            DType::Float16 => {
                type $T = f16;
                $body
            }
            other => dispatch_primitive!(other, $T => $body, else {
                Err(Error::unsupported(format!("the order of {other}")))
            }),
        }
    };
}

/// Fills `out`, of `Int64`, which has the axes that are kept, with the position of the first of
/// the smallest or largest elements along `axes`, counted in C order. What is no number is the
/// smallest and the largest, as numpy has it, or left out.
///
/// # Errors
/// `Unsupported` where the type has no order; `InvalidInput` where an axis does not exist, `out`
/// does not fit, or there is no element to be found.
pub fn arg_extreme(
    which: Extreme,
    array: &Strided<'_>,
    axes: &[usize],
    missing: Missing,
    out: &mut StridedMut<'_>,
) -> Result<()> {
    out.check_dtype(&DType::Int64)?;
    let len = axes.iter().filter_map(|&axis| array.shape().get(axis)).product::<usize>();
    dispatch_keyed!(array.dtype(), T => {
        let walk = lanes(array, axes, Result1::Elements { skip: 0 }, out)?;
        let nothing = || Error::invalid("the position of the smallest or largest of no elements");
        if len == 0 {
            return if walk.n_tiles_where(true) == 0 { Ok(()) } else { Err(nothing()) };
        }
        walk.run::<(Buffer<T>, Vec<i64>)>(|tile, (buffer, found)| {
            found.clear();
            for lane in tile.input(0, buffer)?.chunks_exact(len) {
                found.push(position(which, lane, missing).ok_or_else(nothing)?);
            }
            tile.write_kept(found, 0, &mut Vec::new());
            Ok(())
        })
    })
}

fn position<T: Keyed>(which: Extreme, lane: &[T], missing: Missing) -> Option<i64> {
    let mut best: Option<(usize, T)> = None;
    for (at, &item) in lane.iter().enumerate() {
        if item.is_nan() {
            if missing == Missing::Skip {
                continue;
            }
            return i64::try_from(at).ok();
        }
        let wins = best.is_none_or(|(_, best)| match which {
            Extreme::Min => item.less(best),
            Extreme::Max => best.less(item),
        });
        if wins {
            best = Some((at, item));
        }
    }
    best.and_then(|(at, _)| i64::try_from(at).ok())
}

/// Fills `out`, of `Int64` and the shape of `array`, with the positions along `axis` in the order
/// of the elements there; equal ones keep their order, what is no number comes last.
///
/// # Errors
/// `Unsupported` where the type has no order; `InvalidInput` where the axis does not exist or `out`
/// does not fit.
pub fn argsort(array: &Strided<'_>, axis: usize, out: &mut StridedMut<'_>) -> Result<()> {
    out.check_dtype(&DType::Int64)?;
    let len = array.shape().get(axis).copied().unwrap_or(0).max(1);
    dispatch_keyed!(array.dtype(), T => {
        let walk = lanes(array, &[axis], Result1::Lane, out)?;
        type Pairs<T> = Vec<(<T as Keyed>::Key, i64)>;
        walk.run::<(Buffer<T>, Pairs<T>, Buffer<i64>)>(|tile, (buffer, pairs, positions)| {
            let items = tile.input(0, buffer)?;
            tile.output(positions, |out| {
                for (out, lane) in out.chunks_exact_mut(len).zip(items.chunks_exact(len)) {
                    pairs.clear();
                    pairs.extend(lane.iter().map(|item| normal_key(*item)).zip(0..));
                    pairs.sort_unstable();
                    out.iter_mut().zip(&*pairs).for_each(|(place, (_, at))| *place = *at);
                }
                Ok(())
            })
        })
    })
}

/// The key of a number, zeros of both signs alike.
fn normal_key<T: Keyed>(item: T) -> T::Key {
    if item == T::default() { T::default().key() } else { item.key() }
}

/// Fills `out`, which has the type and the shape of `array`, with its elements sorted along `axis`;
/// what is no number comes last.
///
/// # Errors
/// `Unsupported` where the type has no order; `InvalidInput` where the axis does not exist or `out`
/// does not fit.
pub fn sort(array: &Strided<'_>, axis: usize, out: &mut StridedMut<'_>) -> Result<()> {
    out.check_dtype(array.dtype())?;
    let len = array.shape().get(axis).copied().unwrap_or(0).max(1);
    if *array.dtype() == DType::Bool {
        let walk = lanes(array, &[axis], Result1::Lane, out)?;
        return walk.run::<(Buffer<Truth>, Buffer<Truth>)>(|tile, (buffer, sorted)| {
            let items = tile.input(0, buffer)?;
            tile.output(sorted, |out| {
                for (out, lane) in out.chunks_exact_mut(len).zip(items.chunks_exact(len)) {
                    let n_false = lane.iter().filter(|item| !item.get()).count();
                    let sorted = (0..lane.len()).map(|at| Truth::from(at >= n_false));
                    out.iter_mut().zip(sorted).for_each(|(place, truth)| *place = truth);
                }
                Ok(())
            })
        });
    }
    dispatch_keyed!(array.dtype(), T => {
        let walk = lanes(array, &[axis], Result1::Lane, out)?;
        sort_lanes::<T>(&walk, len)
    })
}

fn sort_lanes<T: FromAny + Keyed>(walk: &super::tiles::Walk<'_, 1>, len: usize) -> Result<()> {
    walk.run::<(Buffer<T>, Vec<u8>, Buffer<T>)>(|tile, (buffer, _, sorted)| {
        let items = tile.input(0, buffer)?;
        tile.output(sorted, |out| {
            out.copy_from_slice(items);
            out.chunks_exact_mut(len).for_each(|lane| lane.sort_unstable_by_key(|item| item.key()));
            Ok(())
        })
    })
}
