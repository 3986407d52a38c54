//! Quantiles along axes: by selection in a copy of each lane, not by sorting it.

use stook_core::element::f16;
use stook_core::{DType, Error, Result};

use super::arithmetic::Real;
use super::gather::FromAny;
use super::item::{Cast, Item, dispatch_integer};
use super::lanes::{Result1, lanes};
use super::memory::Strided;
use super::memory_mut::StridedMut;
use super::promote::{Kind, kind};
use super::reduce::Missing;
use super::tiles::Buffer;

/// How a quantile between two elements is found, by the names of numpy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of numpy's methods")]
#[non_exhaustive]
pub enum Quantile {
    InvertedCdf,
    AveragedInvertedCdf,
    ClosestObservation,
    InterpolatedInvertedCdf,
    Hazen,
    Weibull,
    #[default]
    Linear,
    MedianUnbiased,
    NormalUnbiased,
    Lower,
    Higher,
    Midpoint,
    Nearest,
    /// The mean of the elements on both sides, as `numpy.median` has it.
    Median,
}

impl Quantile {
    /// Every method with numpy's name.
    pub const NAMES: [(Self, &'static str); 13] = [
        (Self::InvertedCdf, "inverted_cdf"),
        (Self::AveragedInvertedCdf, "averaged_inverted_cdf"),
        (Self::ClosestObservation, "closest_observation"),
        (Self::InterpolatedInvertedCdf, "interpolated_inverted_cdf"),
        (Self::Hazen, "hazen"),
        (Self::Weibull, "weibull"),
        (Self::Linear, "linear"),
        (Self::MedianUnbiased, "median_unbiased"),
        (Self::NormalUnbiased, "normal_unbiased"),
        (Self::Lower, "lower"),
        (Self::Higher, "higher"),
        (Self::Midpoint, "midpoint"),
        (Self::Nearest, "nearest"),
    ];

    /// The method that numpy calls so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(method, _)| *method)
    }

    /// Whether results are elements of the array.
    fn is_of_elements(self) -> bool {
        use Quantile::*;
        matches!(self, InvertedCdf | ClosestObservation | Lower | Higher | Nearest)
    }

    /// Where quantile `q` of `n` sorted elements lies: behind which, and how far towards the next.
    fn place(self, n: usize, q: f64) -> (usize, f64) {
        let last = (n - 1) as f64;
        let n = n as f64;
        let between = |alpha: f64, beta: f64| n * q + (alpha + q * (1.0 - alpha - beta)) - 1.0;
        let discrete = |at: f64, stays: &dyn Fn(f64, f64) -> bool| {
            let floor = at.floor();
            if stays(at - floor, at) { floor } else { floor + 1.0 }
        };
        let at = match self {
            Self::InvertedCdf => discrete(n * q - 1.0, &|gamma, _| gamma == 0.0),
            Self::ClosestObservation => discrete(n * q - 1.5, &|gamma, at: f64| {
                gamma == 0.0 && at.floor().rem_euclid(2.0) == 1.0
            }),
            Self::AveragedInvertedCdf => {
                let at = n * q - 1.0;
                at.floor() + if at == at.floor() { 0.5 } else { 1.0 }
            }
            Self::InterpolatedInvertedCdf => between(0.0, 1.0),
            Self::Hazen => between(0.5, 0.5),
            Self::Weibull => between(0.0, 0.0),
            Self::MedianUnbiased => between(1.0 / 3.0, 1.0 / 3.0),
            Self::NormalUnbiased => between(3.0 / 8.0, 3.0 / 8.0),
            Self::Linear | Self::Median => last * q,
            Self::Lower => (last * q).floor(),
            Self::Higher => (last * q).ceil(),
            Self::Nearest => (last * q).round_ties_even(),
            Self::Midpoint => 0.5 * ((last * q).floor() + (last * q).ceil()),
        };
        let at = at.clamp(0.0, last);
        (at.floor() as usize, at - at.floor())
    }
}

/// The type of results.
///
/// # Errors
/// `Unsupported` where the type has no order, or is one of truth values.
pub fn quantile_dtype(method: Quantile, dtype: &DType) -> Result<DType> {
    match kind(dtype) {
        Some(Kind::Float) => Ok(dtype.clone()),
        Some(Kind::Signed | Kind::Unsigned) if method.is_of_elements() => Ok(dtype.clone()),
        Some(Kind::Signed | Kind::Unsigned) => Ok(DType::Float64),
        Some(Kind::Bool) if method == Quantile::Median => Ok(DType::Float64),
        _ => Err(Error::unsupported(format!("quantiles of {dtype}"))),
    }
}

/// Numbers as integers in the same order; what is no number comes last.
pub(super) trait Keyed: Real {
    type Key: Copy + Ord + Default + Send;
    fn key(self) -> Self::Key;
    fn of_key(key: Self::Key) -> Self;
    fn nan_key() -> Option<Self::Key>;
}

macro_rules! keyed_integer {
    ($($rust:ty),*) => {$(
        impl Keyed for $rust {
            type Key = $rust;
            #[inline]
            fn key(self) -> $rust {
                self
            }
            #[inline]
            fn of_key(key: $rust) -> Self {
                key
            }
            fn nan_key() -> Option<$rust> {
                None
            }
        }
    )*};
}

keyed_integer!(i8, i16, i32, i64, u8, u16, u32, u64);

macro_rules! keyed_float {
    ($($rust:ty => $key:ty, $bits:ty),*) => {$(
        impl Keyed for $rust {
            type Key = $key;
            #[inline]
            fn key(self) -> $key {
                if self.is_nan() {
                    return <$key>::MAX;
                }
                let bits = self.to_bits() as $key;
                // The bits of negative numbers are in the reverse order.
                bits ^ (((bits >> (<$key>::BITS - 1)) as $bits >> 1) as $key)
            }
            #[inline]
            fn of_key(key: $key) -> Self {
                let bits = key ^ (((key >> (<$key>::BITS - 1)) as $bits >> 1) as $key);
                Self::from_bits(bits as $bits)
            }
            fn nan_key() -> Option<$key> {
                Some(<$key>::MAX)
            }
        }
    )*};
}

keyed_float!(f16 => i16, u16, f32 => i32, u32, f64 => i64, u64);

/// Fills `out` with quantiles along `axes`: its first axis has one position for each of `q`, between
/// 0 and 1, and the others are the axes that are kept.
///
/// # Errors
/// `Unsupported` where the type has no order; `InvalidInput` where an axis does not exist, a
/// quantile is not between 0 and 1, or `out` has another shape or type.
pub fn quantile(
    array: &Strided<'_>,
    q: &[f64],
    axes: &[usize],
    (method, missing): (Quantile, Missing),
    out: &mut StridedMut<'_>,
) -> Result<()> {
    let dtype = quantile_dtype(method, array.dtype())?;
    out.check_dtype(&dtype)?;
    if let Some(q) = q.iter().find(|q| !(0.0..=1.0).contains(*q)) {
        return Err(Error::invalid(format!("expected quantiles between 0 and 1, found {q}")));
    }
    if out.shape().first() != Some(&q.len()) {
        let (expected, found) = (q.len(), out.shape());
        return Err(Error::invalid(format!(
            "expected room for {expected} quantiles, found {found:?}"
        )));
    }
    let asked = Asked { q, axes, method, skips: missing == Missing::Skip };
    let found = array.dtype();
    match found {
        DType::Float16 => asked.fill::<f16, f16>(array, out),
        DType::Float32 => asked.fill::<f32, f32>(array, out),
        DType::Float64 => asked.fill::<f64, f64>(array, out),
        DType::Bool => asked.fill::<u8, f64>(array, out),
        _ if method.is_of_elements() => {
            dispatch_integer!(found, T => asked.fill::<T, T>(array, out), else Ok(()))
        }
        _ => dispatch_integer!(found, T => asked.fill::<T, f64>(array, out), else Ok(())),
    }
}

struct Asked<'q> {
    q: &'q [f64],
    axes: &'q [usize],
    method: Quantile,
    skips: bool,
}

struct Work<T: Keyed, O> {
    buffer: Buffer<T>,
    keys: Vec<T::Key>,
    results: Vec<Vec<O>>,
    places: Vec<(usize, f64)>,
    /// Of how many elements the places are.
    n: usize,
}

impl<T: Keyed, O> Default for Work<T, O> {
    fn default() -> Self {
        let (buffer, keys) = (Buffer::default(), Vec::new());
        Self { buffer, keys, results: Vec::new(), places: Vec::new(), n: 0 }
    }
}

impl Asked<'_> {
    fn fill<T, O>(&self, array: &Strided<'_>, out: &mut StridedMut<'_>) -> Result<()>
    where
        T: FromAny + Keyed + Cast<O>,
        O: Item,
        f64: Cast<O>,
    {
        let shift = out.strides().first().copied().unwrap_or(0);
        let len = self.axes.iter().filter_map(|&axis| array.shape().get(axis)).product::<usize>();
        let walk = lanes(array, self.axes, Result1::Elements { skip: 1 }, out)?;
        if len == 0 {
            let message = "quantiles of no elements";
            return if walk.n_tiles_where(true) == 0 {
                Ok(())
            } else {
                Err(Error::invalid(message))
            };
        }
        walk.run::<Work<T, O>>(|tile, work| {
            work.results.resize_with(self.q.len(), Vec::new);
            work.results.iter_mut().for_each(Vec::clear);
            let items = tile.input(0, &mut work.buffer)?;
            for lane in items.chunks_exact(len) {
                self.lane::<T, O>(
                    lane,
                    &mut work.keys,
                    (&mut work.places, &mut work.n),
                    &mut work.results,
                );
            }
            let mut at = 0_isize;
            for results in &work.results {
                tile.write_kept(results, at, &mut work.buffer.steps);
                at = at.wrapping_add(shift);
            }
            Ok(())
        })
    }

    fn lane<T, O>(
        &self,
        lane: &[T],
        keys: &mut Vec<T::Key>,
        (places, n_known): (&mut Vec<(usize, f64)>, &mut usize),
        results: &mut [Vec<O>],
    ) where
        T: Keyed + Cast<O>,
        O: Item,
        f64: Cast<O>,
    {
        keys.clear();
        keys.extend(lane.iter().map(|item| item.key()));
        if let Some(nan) = T::nan_key() {
            let has_nan = keys.contains(&nan);
            if has_nan && self.skips {
                keys.retain(|key| *key != nan);
            }
            if keys.is_empty() || (has_nan && !self.skips) {
                results.iter_mut().for_each(|results| results.push(f64::NAN.cast()));
                return;
            }
        }
        let n = keys.len();
        if *n_known != n {
            places.clear();
            places.extend(self.q.iter().map(|&q| self.method.place(n, q)));
            *n_known = n;
        }
        // A few selections take less than sorting.
        let is_sorted = n <= 32 || self.q.len() > 4;
        if is_sorted {
            keys.sort_unstable();
        }
        for (results, &(low, way)) in results.iter_mut().zip(&*places) {
            let (a, b) = if is_sorted {
                (keys.get(low), keys.get(low + 1))
            } else {
                let (_, a, after) = keys.select_nth_unstable(low);
                (Some(&*a), if way > 0.0 || !self.skips { after.iter().min() } else { None })
            };
            let a = a.copied().unwrap_or_default();
            let b = b.copied().unwrap_or(a);
            results.push(self.between(T::of_key(a), T::of_key(b), way));
        }
    }

    fn between<T, O>(&self, a: T, b: T, way: f64) -> O
    where
        T: Keyed + Cast<O>,
        f64: Cast<O>,
    {
        let next = b.to_f64();
        // numpy looks at the next number, too: with an infinite one there is no number between.
        if way == 0.0 && (self.skips || self.method == Quantile::Median || next.is_finite()) {
            return a.cast();
        }
        let (a, b) = (a.to_f64(), next);
        let step = b - a;
        let between = match self.method {
            Quantile::Median => (a + b) / 2.0,
            _ if way >= 0.5 => b - step * (1.0 - way),
            _ => a + step * way,
        };
        between.cast()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_order_of_their_numbers() {
        let numbers = [f64::NEG_INFINITY, -1.5, -0.0, 0.0, 1e-300, 2.0, f64::INFINITY, f64::NAN];
        assert!(numbers.windows(2).all(|pair| pair[0].key() < pair[1].key()));
        assert!(numbers[..7].iter().all(|x| f64::of_key(x.key()).to_bits() == x.to_bits()));
        assert!(f32::of_key((-2.5_f32).key()) == -2.5 && (-f64::NAN).key() == i64::MAX);
    }
}
