//! Running sums and products along an axis.

use stook_core::element::f16;
use stook_core::{DType, Error, Result};

use super::arithmetic::Number;
use super::gather::FromAny;
use super::item::{Cast, Item};
use super::lanes::{Result1, lanes};
use super::memory::Strided;
use super::memory_mut::StridedMut;
use super::promote::{Kind, kind};
use super::tiles::{Buffer, Walk};

/// What runs along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// The sum of all elements so far.
    Sum,
    /// Their product.
    Product,
}

/// The type of results: integers in 64 bits, others as they are.
///
/// # Errors
/// `Unsupported` for what is no number.
pub fn scan_dtype(dtype: &DType) -> Result<DType> {
    match kind(dtype) {
        Some(Kind::Bool | Kind::Signed) => Ok(DType::Int64),
        Some(Kind::Unsigned) => Ok(DType::UInt64),
        Some(Kind::Float | Kind::Complex) => Ok(dtype.clone()),
        None => Err(Error::unsupported(format!("running sums of {dtype}"))),
    }
}

/// Fills `out`, which has the shape of `array`, with the sum or product of the elements along `axis`
/// up to each of them. After what is no number nothing is.
///
/// # Errors
/// `Unsupported` for what is no number; `InvalidInput` where the axis does not exist or `out` does
/// not fit.
pub fn scan(op: Scan, array: &Strided<'_>, axis: usize, out: &mut StridedMut<'_>) -> Result<()> {
    let dtype = scan_dtype(array.dtype())?;
    out.check_dtype(&dtype)?;
    let len = array.shape().get(axis).copied().unwrap_or(0).max(1);
    let walk = lanes(array, &[axis], Result1::Lane, out)?;
    match dtype {
        DType::Int64 => run::<i64, i64>(op, &walk, len),
        DType::UInt64 => run::<u64, u64>(op, &walk, len),
        DType::Float16 => run::<f16, f16>(op, &walk, len),
        DType::Float32 => run::<f32, f32>(op, &walk, len),
        DType::Float64 => run::<f64, f64>(op, &walk, len),
        DType::Complex64 => run::<[f32; 2], [f32; 2]>(op, &walk, len),
        _ => run::<[f64; 2], [f64; 2]>(op, &walk, len),
    }
}

fn run<A, O>(op: Scan, walk: &Walk<'_, 1>, len: usize) -> Result<()>
where
    A: FromAny + Number + Cast<O>,
    O: Item,
{
    walk.run::<(Buffer<A>, Buffer<O>)>(|tile, (buffer, results)| {
        let items = tile.input(0, buffer)?;
        tile.output(results, |out| {
            for (out, lane) in out.chunks_exact_mut(len).zip(items.chunks_exact(len)) {
                let mut so_far = if op == Scan::Sum { A::default() } else { A::one() };
                for (place, &item) in out.iter_mut().zip(lane) {
                    so_far = match op {
                        Scan::Sum => so_far.add(item),
                        Scan::Product => so_far.multiply(item),
                    };
                    *place = so_far.cast();
                }
            }
            Ok(())
        })
    })
}
