//! Reductions along axes, as numpy's functions of the same names.

use std::marker::PhantomData;

use stook_core::element::f16;
use stook_core::{DType, Error, Result};

use super::fold::{Fold, fold_into};
use super::folds::{Extremum, Mean, Product, Sum, Truths, Variance};
use super::item::{Truth, dispatch_integer, dispatch_primitive};
use super::lanes::split_axes;
use super::memory::{Strided, filled};
use super::memory_mut::StridedMut;
use super::pick::{Along, picked_shape, take};
use super::promote::{Kind, kind};
use super::quantile::{Quantile, quantile, quantile_dtype};
use super::tiles::{Buffer, Walk};

/// What elements along axes are reduced to.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reduction {
    /// The sum; of integers in 64 bits.
    Sum,
    /// The product; of integers in 64 bits.
    Product,
    /// The mean; of integers as `Float64`.
    Mean,
    /// The smallest element.
    Min,
    /// The largest element.
    Max,
    /// The variance, with the number of elements lessened by `ddof`.
    Variance {
        /// Degrees of freedom that are taken away.
        ddof: f64,
    },
    /// The root of the variance.
    StandardDeviation {
        /// Degrees of freedom that are taken away.
        ddof: f64,
    },
    /// The middle one, or the mean of the two in the middle.
    Median,
    /// Whether all elements are other than zero.
    All,
    /// Whether any element is other than zero.
    Any,
}

impl Reduction {
    /// The reduction that numpy's function `name` is; `ddof` is for variances.
    #[must_use]
    pub fn from_name(name: &str, ddof: f64) -> Option<Self> {
        Some(match name {
            "sum" => Self::Sum,
            "prod" => Self::Product,
            "mean" => Self::Mean,
            "min" => Self::Min,
            "max" => Self::Max,
            "var" => Self::Variance { ddof },
            "std" => Self::StandardDeviation { ddof },
            "median" => Self::Median,
            "all" => Self::All,
            "any" => Self::Any,
            _ => return None,
        })
    }
}

/// What becomes of floats that are no numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missing {
    /// They are left out; of nothing else, the sum is zero and the mean is no number.
    #[default]
    Skip,
    /// What they are in is no number.
    Propagate,
}

fn refused(op: Reduction, dtype: &DType) -> Error {
    Error::unsupported(format!("`{op:?}` of {dtype}").to_lowercase())
}

/// The type of results.
///
/// # Errors
/// `Unsupported` where the reduction does not know the type.
pub fn reduction_dtype(op: Reduction, dtype: &DType) -> Result<DType> {
    let kind = kind(dtype).ok_or_else(|| refused(op, dtype))?;
    Ok(match (op, kind) {
        (Reduction::All | Reduction::Any, _) => DType::Bool,
        (Reduction::Min | Reduction::Max, Kind::Complex) => return Err(refused(op, dtype)),
        (Reduction::Min | Reduction::Max, _) => dtype.clone(),
        (Reduction::Sum | Reduction::Product, Kind::Bool | Kind::Signed) => DType::Int64,
        (Reduction::Sum | Reduction::Product, Kind::Unsigned) => DType::UInt64,
        (Reduction::Median, Kind::Complex) => return Err(refused(op, dtype)),
        (Reduction::Median, _) => return quantile_dtype(Quantile::Median, dtype),
        (Reduction::Variance { .. } | Reduction::StandardDeviation { .. }, Kind::Complex) => {
            return Err(refused(op, dtype));
        }
        (_, Kind::Float | Kind::Complex) => dtype.clone(),
        _ => DType::Float64,
    })
}

/// Fills `out`, which has the axes of `array` but those that are reduced, in their order.
///
/// ```
/// use stook_core::element::as_bytes;
/// use stook_core::{DType, Values};
/// use stook_labelled::kernels::{Missing, Reduction, Strided, filled, reduce};
///
/// let items = [1.0_f64, f64::NAN, 3.0, 4.0];
/// let values = Values::new(DType::Float64, vec![2, 2], as_bytes(&items).to_vec(), vec![])?;
/// let sums = filled(DType::Float64, &[2], |mut out| {
///     reduce(Reduction::Sum, &Strided::of(&values)?, &[1], Missing::Skip, &mut out)
/// })?;
/// assert_eq!(sums.items(), as_bytes(&[1.0_f64, 7.0]));
/// # Ok::<(), stook_core::Error>(())
/// ```
///
/// # Errors
/// `Unsupported` where the reduction does not know the type; `InvalidInput` where an axis does not
/// exist, `out` has another shape or type, or the smallest of no element is asked for.
pub fn reduce(
    op: Reduction,
    array: &Strided<'_>,
    axes: &[usize],
    missing: Missing,
    out: &mut StridedMut<'_>,
) -> Result<()> {
    let dtype = reduction_dtype(op, array.dtype())?;
    out.check_dtype(&dtype)?;
    let (_, lane) = split_axes(array.shape().len(), axes)?;
    let is_empty = lane.iter().any(|&axis| array.shape()[axis] == 0) && !out.is_empty();
    if is_empty && matches!(op, Reduction::Min | Reduction::Max) {
        return Err(Error::invalid("the smallest or largest of no elements is asked for"));
    }
    if op == Reduction::Median && is_empty {
        return fill_nan(out);
    }
    if op == Reduction::Median {
        let mut out = out.reborrow().with_front_axis();
        return quantile(array, &[0.5], axes, (Quantile::Median, missing), &mut out);
    }
    folded::<false>(op, array, axes, out)?;
    let can_miss = matches!(kind(array.dtype()), Some(Kind::Float | Kind::Complex));
    if missing == Missing::Skip && can_miss && dtype != DType::Bool && has_nan(&out.as_view())? {
        // Rarely anything is missing, and looking for it takes longer than doing it again.
        folded::<true>(op, array, axes, out)?;
    }
    Ok(())
}

/// Fills with what is no number.
fn fill_nan(out: &mut StridedMut<'_>) -> Result<()> {
    let nan = filled(DType::Float64, &[], |mut out| {
        let zero = filled(DType::Float64, &[], |_| Ok(()))?;
        let zero = Strided::of(&zero)?;
        super::binary(super::Binary::Divide, &zero, &zero, &mut out)
    })?;
    super::cast(&Strided::of(&nan)?, out)
}

/// Whether any element is no number.
fn has_nan(array: &Strided<'_>) -> Result<bool> {
    let found = std::sync::atomic::AtomicBool::new(false);
    Walk::reading([array.clone()])?.run::<Buffer<[f64; 2]>>(|tile, buffer| {
        if tile.input(0, buffer)?.iter().any(|item| item[0].is_nan() || item[1].is_nan()) {
            found.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(())
    })?;
    Ok(found.into_inner())
}

fn folded<const SKIP: bool>(
    op: Reduction,
    array: &Strided<'_>,
    axes: &[usize],
    out: &mut StridedMut<'_>,
) -> Result<()> {
    let dtype = array.dtype().clone();
    let n = axes.iter().map(|&axis| array.shape().get(axis).copied().unwrap_or(1)).product();
    let out_dtype = out.dtype().clone();
    let (ddof, is_root) = match op {
        Reduction::Variance { ddof } => (ddof, false),
        Reduction::StandardDeviation { ddof } => (ddof, true),
        _ => (0.0, false),
    };
    let mut run = Run { array, axes, out };
    match (op, out_dtype) {
        (Reduction::All, _) => run.fold(&Truths { is_all: true }),
        (Reduction::Any, _) => run.fold(&Truths { is_all: false }),
        (Reduction::Sum, DType::Int64) => run.fold(&Sum::<i64, i64, false>::default()),
        (Reduction::Sum, DType::UInt64) => run.fold(&Sum::<u64, u64, false>::default()),
        (Reduction::Sum, DType::Float16) => run.fold(&Sum::<f32, f16, SKIP>::default()),
        (Reduction::Sum, DType::Float32) => run.fold(&Sum::<f64, f32, SKIP>::default()),
        (Reduction::Sum, DType::Float64) => run.fold(&Sum::<f64, f64, SKIP>::default()),
        (Reduction::Sum, DType::Complex64) => run.fold(&Sum::<[f64; 2], [f32; 2], SKIP>::default()),
        (Reduction::Sum, _) => run.fold(&Sum::<[f64; 2], [f64; 2], SKIP>::default()),
        (Reduction::Product, DType::Int64) => run.fold(&Product::<i64, i64, false>::default()),
        (Reduction::Product, DType::UInt64) => run.fold(&Product::<u64, u64, false>::default()),
        (Reduction::Product, DType::Float16) => run.fold(&Product::<f32, f16, SKIP>::default()),
        (Reduction::Product, DType::Float32) => run.fold(&Product::<f32, f32, SKIP>::default()),
        (Reduction::Product, DType::Float64) => run.fold(&Product::<f64, f64, SKIP>::default()),
        (Reduction::Product, DType::Complex64) => {
            run.fold(&Product::<[f32; 2], [f32; 2], SKIP>::default())
        }
        (Reduction::Product, _) => run.fold(&Product::<[f64; 2], [f64; 2], SKIP>::default()),
        (Reduction::Mean, DType::Float16) => {
            run.fold(&Mean::<f64, f16, SKIP> { n, of: PhantomData })
        }
        (Reduction::Mean, DType::Float32) => {
            run.fold(&Mean::<f64, f32, SKIP> { n, of: PhantomData })
        }
        (Reduction::Mean, DType::Float64) => {
            run.fold(&Mean::<f64, f64, SKIP> { n, of: PhantomData })
        }
        (Reduction::Mean, DType::Complex64) => {
            run.fold(&Mean::<[f64; 2], [f32; 2], SKIP> { n, of: PhantomData })
        }
        (Reduction::Mean, _) => run.fold(&Mean::<[f64; 2], [f64; 2], SKIP> { n, of: PhantomData }),
        (Reduction::Variance { .. } | Reduction::StandardDeviation { .. }, DType::Float16) => {
            run.fold(&Variance::<f16, SKIP> { ddof, is_root, of: PhantomData })
        }
        (Reduction::Variance { .. } | Reduction::StandardDeviation { .. }, DType::Float32) => {
            run.fold(&Variance::<f32, SKIP> { ddof, is_root, of: PhantomData })
        }
        (Reduction::Variance { .. } | Reduction::StandardDeviation { .. }, _) => {
            run.fold(&Variance::<f64, SKIP> { ddof, is_root, of: PhantomData })
        }
        (Reduction::Max, _) => run.extremum::<true, SKIP>(&dtype),
        _ => run.extremum::<false, SKIP>(&dtype),
    }
}

struct Run<'r, 'a, 'o> {
    array: &'r Strided<'a>,
    axes: &'r [usize],
    out: &'r mut StridedMut<'o>,
}

impl Run<'_, '_, '_> {
    fn fold<F: Fold>(&mut self, fold: &F) -> Result<()> {
        fold_into(fold, self.array, self.axes, self.out)
    }

    fn extremum<const IS_MAX: bool, const SKIP: bool>(&mut self, dtype: &DType) -> Result<()> {
        match dtype {
            DType::Bool => self.fold(&Extremum::<Truth, IS_MAX, false> { of: PhantomData }),
            DType::Float16 => self.fold(&Extremum::<f16, IS_MAX, SKIP> { of: PhantomData }),
            DType::Float32 | DType::Float64 => dispatch_primitive!(dtype, T => {
                self.fold(&Extremum::<T, IS_MAX, SKIP> { of: PhantomData })
            }, else Ok(())),
            _ => dispatch_integer!(dtype, T => {
                self.fold(&Extremum::<T, IS_MAX, false> { of: PhantomData })
            }, else Err(refused(Reduction::Min, dtype))),
        }
    }
}

/// The same along one axis for each of some groups of positions there; `out` has as many along it
/// as there are groups, and the other axes of `array`.
///
/// # Errors
/// Those of [`reduce`], and `InvalidInput` where a group is no slice and no list of positions, or
/// leads beyond the axis.
pub fn reduce_groups(
    op: Reduction,
    array: &Strided<'_>,
    (axis, groups): (usize, &[Along<'_>]),
    missing: Missing,
    out: &mut StridedMut<'_>,
) -> Result<()> {
    let mut expected = array.shape().to_vec();
    match expected.get_mut(axis) {
        Some(len) => *len = groups.len(),
        None => return Err(Error::invalid(format!("axis {axis} is out of bounds"))),
    }
    out.check_shape(&expected)?;
    let mut along: Vec<Along<'_>> = array.shape().iter().map(|&len| Along::all(len)).collect();
    for (at, group) in groups.iter().enumerate() {
        let mut out = out.reborrow().at(axis, at)?;
        match *group {
            Along::Slice { start, step, len } => {
                reduce(op, &array.sliced(axis, start, step, len)?, &[axis], missing, &mut out)?;
            }
            Along::Positions(_) => {
                along[axis] = *group;
                let picked = filled(
                    array.dtype().clone(),
                    &picked_shape(array.shape(), &along)?,
                    |mut to| take(array, &along, &mut to),
                )?;
                reduce(op, &Strided::of(&picked)?, &[axis], missing, &mut out)?;
            }
            _ => return Err(Error::invalid("a group is a slice or a list of positions")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::host_endian_bytes, reason = "items are native-endian")]

    use stook_core::Values;
    use stook_core::element::as_bytes;

    use super::*;

    fn of(
        op: Reduction,
        items: &[f64],
        shape: [usize; 2],
        axis: usize,
        missing: Missing,
    ) -> Vec<f64> {
        let dims = shape.map(|len| len as u64).to_vec();
        let values = Values::new(DType::Float64, dims, as_bytes(items).to_vec(), vec![]).unwrap();
        let view = Strided::of(&values).unwrap();
        let out = filled(DType::Float64, &[shape[1 - axis]], |mut out| {
            reduce(op, &view, &[axis], missing, &mut out)
        });
        let items = out.unwrap().items().to_vec();
        items.chunks_exact(8).map(|item| f64::from_ne_bytes(item.try_into().unwrap())).collect()
    }

    #[test]
    fn what_is_no_number_is_skipped_or_wins_along_rows_and_lanes() {
        let nan = f64::NAN;
        // Twenty columns, so that they are taken up by rows.
        let mut items = vec![5.0; 60];
        items[..20].fill(nan);
        (items[20], items[21], items[40], items[41]) = (-7.0, nan, 9.0, nan);
        let transposed: Vec<f64> = (0..60).map(|at| items[(at % 3) * 20 + at / 3]).collect();
        for (items, shape, axis) in [(&items, [3, 20], 0), (&transposed, [20, 3], 1)] {
            let found = |op, missing| of(op, items, shape, axis, missing);
            let (min, max) =
                (found(Reduction::Min, Missing::Skip), found(Reduction::Max, Missing::Skip));
            assert_eq!((min[0], max[0], min[2], max[19]), (-7.0, 9.0, 5.0, 5.0));
            assert!(min[1].is_nan() && max[1].is_nan());
            let (sum, mean) =
                (found(Reduction::Sum, Missing::Skip), found(Reduction::Mean, Missing::Skip));
            assert_eq!((sum[0], sum[1], sum[2], mean[0]), (2.0, 0.0, 10.0, 1.0));
            assert!(mean[1].is_nan());
            for op in [Reduction::Min, Reduction::Max, Reduction::Sum, Reduction::Median] {
                assert!(found(op, Missing::Propagate).iter().all(|item| item.is_nan()), "{op:?}");
            }
        }
    }

    #[test]
    fn infinities_are_the_ends_of_all_numbers() {
        let ends = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
        for missing in [Missing::Skip, Missing::Propagate] {
            let found = |op| of(op, &ends, [2, 2], 1, missing);
            assert_eq!(found(Reduction::Min), [f64::INFINITY, f64::NEG_INFINITY]);
            assert_eq!(found(Reduction::Max), [f64::INFINITY, f64::NEG_INFINITY]);
        }
    }
}
