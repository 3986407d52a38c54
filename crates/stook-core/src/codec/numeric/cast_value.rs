//! Zarr's `cast_value`: other numbers of the same value, rounded as asked and checked.
//!
//! A value in the map becomes what the map says. Any other is rounded, then must be within the
//! range of its new type, or is clamped or wrapped. Infinities and NaN stay where the type has
//! them, and are errors otherwise; what is clamped to a type with infinities becomes one.

#![expect(clippy::host_endian_bytes, reason = "what is stored is swapped as it is stored")]

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::number::{CastFn, Kind, cast, not_whole, swap_runs};
use super::small_float::{FloatFormat, Misfit, round_integer, round_to_bits};
use crate::codec::{
    CastValue, Codec, Endian, OutOfRange, Rounding, Scratch, Stage, spare, wrong_len,
};
use crate::dtype::{DType, Narrow};
use crate::error::{Error, Result};
use crate::values::Values;

const NAME: &str = "cast_value";
const BLOCK_ITEMS: usize = 1024;

/// A number of any type; every integer of 64 bits and every double is one.
#[derive(Clone, Copy, Debug)]
enum Wide {
    Integer(i128),
    Float(f64),
}

impl Wide {
    /// Whether they are the same number, or both none.
    fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
            _ => false,
        }
    }
}

/// A type of numbers.
#[derive(Clone, Copy, Debug)]
struct NumberType {
    size: usize,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Integer { low: i128, high: i128 },
    Float(FloatFormat),
}

impl NumberType {
    fn new(dtype: &DType) -> Result<Self> {
        let size = dtype.item_size();
        if let Some(format) = FloatFormat::of(dtype) {
            return Ok(Self { size, form: Form::Float(format) });
        }
        let (low, high) = match dtype {
            DType::Narrow(Narrow::Int2) => (-2, 1),
            DType::Narrow(Narrow::Int4) => (-8, 7),
            DType::Narrow(Narrow::UInt2) => (0, 3),
            DType::Narrow(Narrow::UInt4) => (0, 15),
            _ => Kind::of(dtype)
                .and_then(Kind::integer_range)
                .ok_or_else(|| Error::unsupported(format!("{NAME}: items of type {dtype}")))?,
        };
        Ok(Self { size, form: Form::Integer { low, high } })
    }

    /// The number whose bytes, in the machine's order, are `item`.
    fn load(self, item: &[u8]) -> Wide {
        let mut bytes = [0; 8];
        let place = if cfg!(target_endian = "big") { 8 - self.size } else { 0 };
        bytes[place..place + self.size].copy_from_slice(item);
        let bits = u64::from_ne_bytes(bytes);
        match self.form {
            Form::Float(format) => Wide::Float(format.value(bits)),
            Form::Integer { low: 0, .. } => Wide::Integer(bits.into()),
            Form::Integer { .. } => {
                let above = 64 - self.size as u32 * 8;
                Wide::Integer(((bits << above) as i64 >> above).into())
            }
        }
    }

    fn store(self, bits: u64, item: &mut [u8]) {
        let bytes = bits.to_ne_bytes();
        let place = if cfg!(target_endian = "big") { 8 - self.size } else { 0 };
        item.copy_from_slice(&bytes[place..place + self.size]);
    }
}

/// One way: from a type to another.
#[derive(Debug)]
struct Way {
    from: NumberType,
    to: NumberType,
    from_endian: Endian,
    to_endian: Endian,
    rounding: Rounding,
    out_of_range: Option<OutOfRange>,
    /// Values, and the bits of what they become.
    map: Vec<(Wide, Vec<u8>)>,
    /// The loops where no number has to be looked at by itself.
    fast: Option<Fast>,
}

#[derive(Clone, Copy, Debug)]
enum Fast {
    /// The new type holds every number of the old.
    Exact(CastFn),
    /// By way of doubles that are rounded to integers within a range.
    Integers { to_doubles: CastFn, from_doubles: CastFn, low: f64, high: f64 },
    /// Doubles to the nearest singles.
    Singles,
}

#[derive(Debug)]
struct CastValueOf {
    encode: Way,
    decode: Way,
}

/// # Errors
/// `Unsupported` for what is no number, `InvalidInput` for scalars of other types and for wrapping
/// floats.
pub(super) fn new(config: &CastValue, stage: &Stage) -> Result<Arc<dyn Codec>> {
    let (array, target) = (NumberType::new(&stage.dtype)?, NumberType::new(&config.dtype)?);
    let is_wrap = config.out_of_range == Some(OutOfRange::Wrap);
    if is_wrap && matches!(target.form, Form::Float(_)) {
        let dtype = &config.dtype;
        return Err(Error::invalid(format!("{NAME}: {dtype} does not wrap around")));
    }
    // On the way back a float does not wrap either.
    let back = match array.form {
        Form::Float(_) if is_wrap => None,
        _ => config.out_of_range,
    };
    let dtypes = (&stage.dtype, &config.dtype);
    let way = |from, to, out_of_range, map: &_, (key, value)| -> Result<Way> {
        Ok(Way {
            from,
            to,
            from_endian: Endian::NATIVE,
            to_endian: Endian::NATIVE,
            rounding: config.rounding,
            out_of_range,
            map: scalar_map(map, from, key, value)?,
            fast: None,
        })
    };
    let mut encode = way(array, target, config.out_of_range, &config.encode, dtypes)?;
    let mut decode = way(target, array, back, &config.decode, (dtypes.1, dtypes.0))?;
    (encode.from_endian, decode.to_endian) = (stage.endian, stage.endian);
    encode.fast = encode.fast_loops(dtypes.0, dtypes.1);
    decode.fast = decode.fast_loops(dtypes.1, dtypes.0);
    Ok(Arc::new(CastValueOf { encode, decode }))
}

fn scalar_map(
    pairs: &[(Values, Values)],
    from: NumberType,
    key: &DType,
    value: &DType,
) -> Result<Vec<(Wide, Vec<u8>)>> {
    let scalar = |scalar: &Values, dtype: &DType| match scalar.item(0) {
        Some(item) if scalar.dtype() == dtype => Ok(item.to_vec()),
        _ => Err(Error::invalid(format!(
            "{NAME}: expected a scalar of type {dtype} in the map, found one of type {}",
            scalar.dtype()
        ))),
    };
    let pairs = pairs.iter().map(|(a, b)| Ok((from.load(&scalar(a, key)?), scalar(b, value)?)));
    pairs.collect()
}

impl Way {
    /// The loops for kinds of numbers that numpy has, where no map says otherwise.
    fn fast_loops(&self, from: &DType, to: &DType) -> Option<Fast> {
        let (from, to) = (Kind::of(from)?, Kind::of(to)?);
        if !self.map.is_empty() {
            return None;
        }
        let is_exact = match (self.from.form, self.to.form) {
            (Form::Integer { low, high }, Form::Integer { low: lowest, high: highest }) => {
                lowest <= low && high <= highest
            }
            (Form::Integer { low, high }, Form::Float(format)) => {
                low.abs().max(high) <= 1 << format.precision()
            }
            (Form::Float(_), Form::Float(_)) => from.size() <= to.size(),
            (Form::Float(_), Form::Integer { .. }) => false,
        };
        match self.to.form {
            _ if is_exact => Some(Fast::Exact(cast(from, to))),
            Form::Integer { low, high }
                if to.size() < 8 && (from.is_float() || from.size() < 8) =>
            {
                Some(Fast::Integers {
                    to_doubles: cast(from, Kind::F64),
                    from_doubles: cast(Kind::F64, to),
                    low: low as f64,
                    high: high as f64,
                })
            }
            Form::Float(_)
                if (from, to) == (Kind::F64, Kind::F32)
                    && self.rounding == Rounding::NearestEven =>
            {
                Some(Fast::Singles)
            }
            _ => None,
        }
    }

    /// Converts `from` to `to`, both whole items in the machine's order, at most a block.
    fn convert(&self, from: &[u8], to: &mut [u8]) -> Result<(), String> {
        if let Some(fast) = self.fast
            && self.convert_fast(fast, from, to)
        {
            return Ok(());
        }
        let items = from.chunks_exact(self.from.size);
        for (from, to) in items.zip(to.chunks_exact_mut(self.to.size)) {
            let value = self.from.load(from);
            match self.map.iter().find(|(key, _)| key.is(value)) {
                Some((_, mapped)) => to.copy_from_slice(mapped),
                None => self.to.store(self.bits(value)?, to),
            }
        }
        Ok(())
    }

    /// False if a number is out of range: then each has to be looked at.
    fn convert_fast(&self, fast: Fast, from: &[u8], to: &mut [u8]) -> bool {
        match fast {
            Fast::Exact(cast) => {
                cast(from, to);
                true
            }
            Fast::Singles => to_singles(from, to),
            Fast::Integers { to_doubles, from_doubles, low, high } => {
                let mut doubles = [0; BLOCK_ITEMS * 8];
                let doubles = &mut doubles[..from.len() / self.from.size * 8];
                to_doubles(from, doubles);
                let is_inside = match self.rounding {
                    Rounding::NearestEven => round_all(doubles, low..=high, near),
                    rounding => round_all(doubles, low..=high, |x| round_integer(x, rounding)),
                };
                if is_inside {
                    from_doubles(doubles, to);
                }
                is_inside
            }
        }
    }

    fn bits(&self, value: Wide) -> Result<u64, String> {
        match self.to.form {
            Form::Integer { low, high } => self.integer_bits(value, low, high),
            Form::Float(format) => self.float_bits(value, format),
        }
    }

    fn integer_bits(&self, value: Wide, low: i128, high: i128) -> Result<u64, String> {
        let integer = match value {
            Wide::Integer(integer) => integer,
            Wide::Float(float) if !float.is_finite() => {
                return Err(format!("expected a number, found {float}"));
            }
            Wide::Float(float) => {
                const LIMIT: f64 = 1.0e38;
                let rounded = round_integer(float, self.rounding);
                // Beyond that its low 64 bits are zeros, and clamping needs only to be outside.
                match self.out_of_range {
                    Some(OutOfRange::Wrap) if rounded.abs() > LIMIT => 0,
                    _ => rounded as i128,
                }
            }
        };
        let integer = match self.out_of_range {
            _ if (low..=high).contains(&integer) => integer,
            Some(OutOfRange::Clamp) => integer.clamp(low, high),
            Some(OutOfRange::Wrap) => low + (integer - low).rem_euclid(high - low + 1),
            None => return Err(format!("expected a number from {low} to {high}, found {value}")),
        };
        Ok(integer as u64)
    }

    fn float_bits(&self, value: Wide, format: FloatFormat) -> Result<u64, String> {
        let rounded = match value {
            // Exact: so many bits are in a double.
            Wide::Integer(integer) => {
                round_to_bits(integer, format.precision(), self.rounding) as f64
            }
            Wide::Float(float) => format.round(float, self.rounding),
        };
        // Integers of few bits may still be too small or too large for the exponent.
        let bits = match value {
            Wide::Integer(_) => format.bits(format.round(rounded, self.rounding)),
            Wide::Float(_) => format.bits(rounded),
        };
        match (bits, self.out_of_range) {
            (Ok(bits), _) => Ok(bits),
            (Err(Misfit::OutOfRange), Some(OutOfRange::Clamp)) => {
                let limit = if format.has_infinity() { f64::INFINITY } else { format.max() };
                let nearest = format.bits(limit.copysign(rounded));
                // Without a sign the lowest is the smallest there is.
                Ok(nearest.unwrap_or(0))
            }
            (Err(Misfit::OutOfRange), _) => {
                let max = format.max();
                Err(format!("expected a number of at most {max}, found {value}"))
            }
            (Err(Misfit::NaN), _) => Err(format!("expected a number, found {value}")),
        }
    }

    /// Converts all of `from`, handing each block of results to `put`.
    fn run(&self, from: &[u8], mut put: impl FnMut(&[u8])) -> Result<(), String> {
        let (mut before, mut after) = ([0; BLOCK_ITEMS * 8], [0; BLOCK_ITEMS * 8]);
        for block in from.chunks(BLOCK_ITEMS * self.from.size) {
            let native = if self.from_endian == Endian::NATIVE {
                block
            } else {
                let before = &mut before[..block.len()];
                before.copy_from_slice(block);
                swap_runs(self.from.size, before);
                before
            };
            let after = &mut after[..block.len() / self.from.size * self.to.size];
            self.convert(native, after)?;
            if self.to_endian != Endian::NATIVE {
                swap_runs(self.to.size, after);
            }
            put(after);
        }
        Ok(())
    }
}

/// Rounds doubles in their place; false if one is outside, or none.
#[inline]
fn round_all(doubles: &mut [u8], range: RangeInclusive<f64>, round: impl Fn(f64) -> f64) -> bool {
    let mut is_inside = true;
    for place in doubles.as_chunks_mut::<8>().0 {
        let value = round(f64::from_ne_bytes(*place));
        is_inside &= (value >= *range.start()) & (value <= *range.end());
        *place = value.to_ne_bytes();
    }
    is_inside
}

/// The nearest singles; false if one of them is none though the double is a number.
fn to_singles(doubles: &[u8], to: &mut [u8]) -> bool {
    let mut is_inside = true;
    for (to, double) in to.as_chunks_mut::<4>().0.iter_mut().zip(doubles.as_chunks::<8>().0) {
        let double = f64::from_ne_bytes(*double);
        let single = double as f32;
        is_inside &= !single.is_infinite() | double.is_infinite();
        *to = single.to_ne_bytes();
    }
    is_inside
}

/// The nearest integer, the even one of two.
#[inline]
fn near(value: f64) -> f64 {
    super::number::Arithmetic::rounded(value)
}

impl std::fmt::Display for Wide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::Float(float) => write!(f, "{float}"),
        }
    }
}

impl Codec for CastValueOf {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        (raw_len / self.encode.from.size).saturating_mul(self.encode.to.size)
    }

    fn has_fixed_len(&self) -> bool {
        true
    }

    fn decoded_len(&self, encoded: &[u8]) -> Option<u64> {
        let n = encoded.len() / self.decode.from.size;
        (n as u64).checked_mul(self.decode.to.size as u64)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _: &mut Scratch) -> Result<()> {
        let size = self.encode.from.size;
        if !raw.len().is_multiple_of(size) {
            return Err(Error::invalid(not_whole(NAME, size, raw.len())));
        }
        let start = out.len();
        spare::reserve(out, self.encoded_bound(raw.len()))?;
        self.encode.run(raw, |block| out.extend_from_slice(block)).map_err(|what| {
            out.truncate(start);
            Error::invalid(format!("{NAME}: {what}"))
        })
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let size = self.decode.from.size;
        if !encoded.len().is_multiple_of(size) {
            return Err(Error::corrupt(not_whole(NAME, size, encoded.len())));
        }
        let (room, len) = (out.len(), (encoded.len() / size).saturating_mul(self.decode.to.size));
        let out = out.get_mut(..len).ok_or_else(|| wrong_len(NAME, room, len))?;
        let mut at = 0;
        let put = |block: &[u8]| {
            out[at..at + block.len()].copy_from_slice(block);
            at += block.len();
        };
        let done = self.decode.run(encoded, put);
        done.map_err(|what| Error::corrupt(format!("{NAME}: {what}")))?;
        Ok(len)
    }
}
