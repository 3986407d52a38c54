//! What becomes of values on their way: the same in another wrapping, other numbers of the same
//! value, or rounded ones.
//!
//! Numbers go to another type only if each keeps its value, unless losses are allowed: then they
//! are rounded to the nearest (ties to even), and floats beyond the range become infinite. A
//! number that an integer type cannot hold at all is an error always.
#![expect(clippy::host_endian_bytes, reason = "items in memory are in the machine's order")]

use std::str::FromStr;

use half::{bf16, f16};
use stook_core::{DType, Error, Result, Values};

use crate::equivalence::Recast;

/// How floats are rounded, so that they take less room compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// To so many decimal digits behind the point, to the nearest binary fraction that keeps
    /// them (numcodecs' `quantize`).
    Digits(i32),
    /// To so many bits of the mantissa, ties to even (numcodecs' `bitround`).
    Bits(u32),
}

impl FromStr for Rounding {
    type Err = Error;

    /// `quantize:DIGITS` or `bitround:BITS`.
    fn from_str(text: &str) -> Result<Self> {
        let parsed = match text.trim().split_once(':') {
            Some(("quantize", digits)) => digits.parse().ok().map(Self::Digits),
            Some(("bitround", bits)) => bits.parse().ok().map(Self::Bits),
            _ => None,
        };
        parsed.ok_or_else(|| {
            Error::invalid(format!("expected quantize:DIGITS or bitround:BITS, found `{text}`"))
        })
    }
}

/// What becomes of each value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Change {
    /// Whether numbers may become others.
    pub(crate) is_lossy: bool,
    /// How floats are rounded.
    pub(crate) rounding: Option<Rounding>,
    /// The item that is not rounded: the fill value, which often stands for what is missing.
    pub(crate) spared: Option<Vec<u8>>,
}

/// A number, whatever its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Integer(i128),
    /// And whether it is exact.
    Float(f64, bool),
}

/// Whether `dtype` is of single numbers, which can be cast.
pub(crate) fn is_number(dtype: &DType) -> bool {
    is_integer(dtype) || is_float(dtype) || *dtype == DType::LongDouble
}

fn is_integer(dtype: &DType) -> bool {
    use DType::*;
    matches!(dtype, Bool | Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | UInt64)
}

fn is_float(dtype: &DType) -> bool {
    matches!(dtype, DType::Float16 | DType::BFloat16 | DType::Float32 | DType::Float64)
}

/// The parts of a complex number.
fn part(dtype: &DType) -> Option<DType> {
    match dtype {
        DType::Complex64 => Some(DType::Float32),
        DType::Complex128 => Some(DType::Float64),
        _ => None,
    }
}

/// The number type nearest to `dtype` that nearly every format has.
pub(crate) fn number_of(dtype: &DType) -> Option<DType> {
    match dtype {
        DType::LongDouble => Some(DType::Float64),
        DType::BFloat16 | DType::Float16 => Some(DType::Float32),
        _ => None,
    }
}

impl Change {
    /// Whether values stay as they are.
    pub(crate) fn is_none(&self) -> bool {
        self.rounding.is_none()
    }

    /// Whether values of `from` can become values of `to`.
    pub(crate) fn can(from: &DType, to: &DType) -> bool {
        Recast::new(from, to).is_some() || can_cast(from, to)
    }

    /// How often the items of a block are held at once.
    pub(crate) fn copies(&self, from: &DType, to: &DType) -> u64 {
        match Recast::new(from, to) {
            Some(recast) if recast.is_identity() => 1,
            _ => 2,
        }
    }

    /// `values` as items of `to`.
    ///
    /// # Errors
    /// `Unsupported` where types do not fit; `InvalidInput` naming a number that would change.
    pub(crate) fn apply(&self, values: Values, to: &DType) -> Result<Values> {
        let from = values.dtype().clone();
        let (_, shape, mut items, heap) = values.into_parts();
        if let Some(rounding) = self.rounding {
            round_all(&from, rounding, &mut items, self.spared.as_deref())?;
        }
        let items = match Recast::new(&from, to) {
            Some(recast) if recast.is_identity() => items,
            Some(recast) => recast.apply(&items),
            None if can_cast(&from, to) => self.cast(&from, to, &items)?,
            None => {
                return Err(Error::unsupported(format!("items of type {from} cannot become {to}")));
            }
        };
        Values::new(to.clone(), shape, items, heap)
    }

    fn cast(&self, from: &DType, to: &DType, items: &[u8]) -> Result<Vec<u8>> {
        let (from, to) = match (part(from), part(to)) {
            (Some(from), Some(to)) => (from, to),
            _ => (from.clone(), to.clone()),
        };
        let size = from.item_size().max(1);
        let mut out = Vec::with_capacity(items.len() / size * to.item_size());
        for item in items.chunks_exact(size) {
            let number = read(&from, item);
            if !write(&to, number, self.is_lossy, &mut out) {
                let shown = match number {
                    Number::Integer(value) => value.to_string(),
                    Number::Float(value, _) => value.to_string(),
                };
                let error = Error::invalid(format!("value {shown} does not fit {to} unchanged"));
                return Err(match is_float(&to) || !is_integer(&from) {
                    true if !self.is_lossy => {
                        error.with_hint("allow it to be rounded (`--lossy`, `lossy=True`)")
                    }
                    _ => error,
                });
            }
        }
        Ok(out)
    }
}

fn can_cast(from: &DType, to: &DType) -> bool {
    (is_number(from) && (is_integer(to) || is_float(to)))
        || (part(from).is_some() && part(to).is_some())
}

fn bytes<const N: usize>(item: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    if let Some(item) = item.get(..N) {
        out.copy_from_slice(item);
    }
    out
}

fn read(dtype: &DType, item: &[u8]) -> Number {
    let integer = |value: i128| Number::Integer(value);
    match dtype {
        DType::Bool | DType::UInt8 => integer(item.first().copied().unwrap_or(0).into()),
        DType::Int8 => integer(i8::from_ne_bytes(bytes(item)).into()),
        DType::Int16 => integer(i16::from_ne_bytes(bytes(item)).into()),
        DType::Int32 => integer(i32::from_ne_bytes(bytes(item)).into()),
        DType::Int64 => integer(i64::from_ne_bytes(bytes(item)).into()),
        DType::UInt16 => integer(u16::from_ne_bytes(bytes(item)).into()),
        DType::UInt32 => integer(u32::from_ne_bytes(bytes(item)).into()),
        DType::UInt64 => integer(u64::from_ne_bytes(bytes(item)).into()),
        DType::Float16 => Number::Float(f16::from_ne_bytes(bytes(item)).to_f64(), true),
        DType::BFloat16 => Number::Float(bf16::from_ne_bytes(bytes(item)).to_f64(), true),
        DType::Float32 => Number::Float(f32::from_ne_bytes(bytes(item)).into(), true),
        DType::LongDouble => long_double(item),
        _ => Number::Float(f64::from_ne_bytes(bytes(item)), true),
    }
}

/// An x87 80-bit number as the nearest `f64`.
fn long_double(item: &[u8]) -> Number {
    let mantissa = u64::from_le_bytes(bytes(item));
    let top = u16::from_le_bytes(bytes(item.get(8..).unwrap_or_default()));
    let (is_negative, exponent) = (top >> 15 == 1, i32::from(top & 0x7fff));
    let sign = if is_negative { -1.0 } else { 1.0 };
    if exponent == 0x7fff {
        let is_infinite = mantissa << 1 == 0;
        return Number::Float(if is_infinite { sign * f64::INFINITY } else { f64::NAN }, true);
    }
    if mantissa == 0 {
        return Number::Float(sign * 0.0, true);
    }
    // The value is `mantissa * 2^(exponent - 16383 - 63)`.
    let power = exponent.max(1) - 16383 - 63;
    let rounded = mantissa as f64;
    // In two steps, so that neither power leaves the range of its own.
    let value = rounded * 2_f64.powi(power / 2) * 2_f64.powi(power - power / 2);
    let top_bit = 63 - i32::try_from(mantissa.leading_zeros()).unwrap_or(0);
    let is_normal = power + top_bit > -1022 && value.is_finite();
    Number::Float(sign * value, is_normal && rounded as u128 == u128::from(mantissa))
}

/// Appends `number` as an item of `to`; false if it would change and may not, or cannot be held.
fn write(to: &DType, number: Number, is_lossy: bool, out: &mut Vec<u8>) -> bool {
    if is_integer(to) {
        let value = match number {
            Number::Integer(value) => value,
            Number::Float(value, is_exact) => {
                let rounded = value.round_ties_even();
                let fits = rounded.is_finite() && rounded.abs() < 1e30;
                if !fits || !(is_lossy || (is_exact && rounded == value)) {
                    return false;
                }
                rounded as i128
            }
        };
        return write_integer(to, value, out);
    }
    let (value, mut is_exact) = match number {
        Number::Float(value, is_exact) => (value, is_exact),
        Number::Integer(value) => {
            let float = value as f64;
            (float, float as i128 == value)
        }
    };
    let is_same = |back: f64| back == value || (back.is_nan() && value.is_nan());
    match to {
        DType::Float16 => {
            let item = f16::from_f64(value);
            is_exact &= is_same(item.to_f64());
            out.extend_from_slice(&item.to_ne_bytes());
        }
        DType::BFloat16 => {
            let item = bf16::from_f64(value);
            is_exact &= is_same(item.to_f64());
            out.extend_from_slice(&item.to_ne_bytes());
        }
        DType::Float32 => {
            let item = value as f32;
            is_exact &= is_same(item.into());
            out.extend_from_slice(&item.to_ne_bytes());
        }
        _ => out.extend_from_slice(&value.to_ne_bytes()),
    }
    is_exact || is_lossy
}

fn write_integer(to: &DType, value: i128, out: &mut Vec<u8>) -> bool {
    macro_rules! put {
        ($type:ty) => {
            match <$type>::try_from(value) {
                Ok(item) => out.extend_from_slice(&item.to_ne_bytes()),
                Err(_) => return false,
            }
        };
    }
    match to {
        DType::Bool if !(0..=1).contains(&value) => return false,
        DType::Bool | DType::UInt8 => put!(u8),
        DType::Int8 => put!(i8),
        DType::Int16 => put!(i16),
        DType::Int32 => put!(i32),
        DType::Int64 => put!(i64),
        DType::UInt16 => put!(u16),
        DType::UInt32 => put!(u32),
        _ => put!(u64),
    }
    true
}

/// Whether values of `dtype` can be rounded.
pub(crate) fn is_rounded(dtype: &DType) -> bool {
    is_float(dtype) || part(dtype).is_some()
}

/// Rounds all `items` but those that are `spared`.
fn round_all(
    dtype: &DType,
    rounding: Rounding,
    items: &mut [u8],
    spared: Option<&[u8]>,
) -> Result<()> {
    let size = dtype.item_size().max(1);
    let Some(spared) = spared.filter(|spared| spared.len() == size) else {
        return round(dtype, rounding, items);
    };
    let mut rest = items;
    while rest.len() >= size {
        let n = rest.chunks_exact(size).take_while(|item| *item != spared).count();
        let (run, behind) = rest.split_at_mut(n * size);
        round(dtype, rounding, run)?;
        let n = behind.chunks_exact(size).take_while(|item| *item == spared).count();
        rest = behind.split_at_mut(n * size).1;
    }
    Ok(())
}

/// Rounds the floats among `items`; other items stay.
fn round(dtype: &DType, rounding: Rounding, items: &mut [u8]) -> Result<()> {
    let dtype = part(dtype).unwrap_or_else(|| dtype.clone());
    if !is_float(&dtype) {
        return Ok(());
    }
    match rounding {
        Rounding::Bits(keep) => round_bits(&dtype, keep, items),
        Rounding::Digits(digits) => round_digits(&dtype, digits, items),
    }
}

fn round_bits(dtype: &DType, keep: u32, items: &mut [u8]) -> Result<()> {
    let (size, mantissa, exponent) = match dtype {
        DType::Float16 => (2, 10, 0x7c00_u64),
        DType::BFloat16 => (2, 7, 0x7f80),
        DType::Float32 => (4, 23, 0x7f80_0000),
        _ => (8, 52, 0x7ff0_0000_0000_0000),
    };
    if keep > mantissa {
        return Err(Error::invalid(format!(
            "expected at most the {mantissa} bits that {dtype} has, found {keep}"
        )));
    }
    let drop = mantissa - keep;
    if drop == 0 {
        return Ok(());
    }
    let half = (1_u64 << (drop - 1)) - 1;
    let round = |bits: u64| match bits & exponent == exponent {
        // What is no number stays as it is.
        true => bits,
        false => ((bits + half + ((bits >> drop) & 1)) >> drop) << drop,
    };
    macro_rules! each {
        ($type:ty) => {
            for item in items.chunks_exact_mut(size) {
                let bits = <$type>::from_ne_bytes(bytes(item));
                item.copy_from_slice(&(round(bits.into()) as $type).to_ne_bytes());
            }
        };
    }
    match size {
        2 => each!(u16),
        4 => each!(u32),
        _ => each!(u64),
    }
    Ok(())
}

fn round_digits(dtype: &DType, digits: i32, items: &mut [u8]) -> Result<()> {
    if !(-300..=300).contains(&digits) {
        return Err(Error::invalid(format!("expected -300 to 300 digits, found {digits}")));
    }
    let bits = (f64::from(digits) * 10_f64.log2()).ceil() as i32;
    let scale = 2_f64.powi(bits);
    let rounded = |value: f64| match (value * scale).round_ties_even() / scale {
        rounded if rounded.is_finite() => rounded,
        _ => value,
    };
    let size = dtype.item_size().max(1);
    let mut out = Vec::with_capacity(size);
    for item in items.chunks_exact_mut(size) {
        if let Number::Float(value, _) = read(dtype, item) {
            out.clear();
            write(dtype, Number::Float(rounded(value), true), true, &mut out);
            item.copy_from_slice(&out);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use stook_core::element::as_bytes;

    fn values<T: stook_core::Element>(elements: &[T]) -> Values {
        let shape = vec![elements.len() as u64];
        Values::new(T::DTYPE, shape, as_bytes(elements).to_vec(), vec![]).unwrap()
    }

    fn cast(from: Values, to: DType, is_lossy: bool) -> Result<Vec<u8>> {
        let change = Change { is_lossy, ..Change::default() };
        change.apply(from, &to).map(|values| values.items().to_vec())
    }

    #[test]
    fn numbers_keep_their_value_or_are_refused() {
        let exact = cast(values(&[1.5_f64, f64::NAN, -0.0]), DType::Float32, false).unwrap();
        assert_eq!(exact[..4], 1.5_f32.to_ne_bytes());
        let error = cast(values(&[0.1_f64]), DType::Float32, false).unwrap_err();
        insta::assert_snapshot!(error, @"value 0.1 does not fit float32 unchanged");
        assert!(error.hint().unwrap().contains("--lossy"));
        assert_eq!(cast(values(&[0.1_f64]), DType::Float32, true).unwrap(), 0.1_f32.to_ne_bytes());
        assert_eq!(cast(values(&[2.0_f32, -3.0]), DType::Int8, false).unwrap(), [2, 253]);
        assert_eq!(cast(values(&[2.5_f32]), DType::Int8, true).unwrap(), [2]);
        for (from, to) in [(values(&[300_i64]), DType::UInt8), (values(&[-1_i8]), DType::UInt64)] {
            assert!(cast(from, to, true).is_err());
        }
        assert!(cast(values(&[f64::NAN]), DType::Int64, true).is_err());
        assert!(cast(values(&[(1_i64 << 53) + 1]), DType::Float64, false).is_err());
        assert!(cast(values(&[1_i64 << 60]), DType::Float64, false).is_ok());
    }

    #[test]
    fn long_doubles_become_the_nearest_double() {
        let item = |mantissa: u64, top: u16| {
            let mut item = [0_u8; 16];
            item[..8].copy_from_slice(&mantissa.to_le_bytes());
            item[8..10].copy_from_slice(&top.to_le_bytes());
            item
        };
        assert_eq!(long_double(&item(1 << 63, 16383)), Number::Float(1.0, true));
        assert_eq!(long_double(&item(3 << 62, 16383 + 1 + 0x8000)), Number::Float(-3.0, true));
        assert_eq!(long_double(&item((1 << 63) + 1, 16383)), Number::Float(1.0, false));
        assert_eq!(long_double(&item(0, 0x8000)), Number::Float(0.0, true));
        assert_eq!(long_double(&item(1 << 63, 0x7fff)), Number::Float(f64::INFINITY, true));
        let Number::Float(tiny, is_exact) = long_double(&item(1 << 63, 1)) else { panic!() };
        assert!(tiny == 0.0 && !is_exact);
    }

    #[test]
    fn rounding_is_that_of_numcodecs() {
        // numcodecs 0.16: Quantize(3, '<f8'), BitRound(4) on float32.
        let rounded = |values: Values, rounding| {
            let dtype = values.dtype().clone();
            let change = Change { is_lossy: true, rounding: Some(rounding), spared: None };
            change.apply(values, &dtype).unwrap().items().to_vec()
        };
        let pi = rounded(values(&[std::f64::consts::PI]), Rounding::Digits(3));
        assert_eq!(f64::from_ne_bytes(bytes(&pi)), 3.1416015625);
        let pi = rounded(values(&[std::f32::consts::PI, f32::NAN]), Rounding::Bits(4));
        assert_eq!(f32::from_ne_bytes(bytes(&pi)), 3.125);
        assert!(f32::from_ne_bytes(bytes(&pi[4..])).is_nan());
    }
}
