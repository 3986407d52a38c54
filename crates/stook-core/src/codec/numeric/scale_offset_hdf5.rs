//! HDF5's scale-offset filter (6): numbers less their minimum in as few bits as they need.
//!
//! The filter's 20 values are the kind of scaling, the factor, the items of a chunk, class, size,
//! sign and byte order of an item, whether there is a fill value, and that value. A chunk:
//! ```text
//! bits of a number:4 LE · 8 · minimum:8 LE · zeros:8 · numbers, the highest bit first · part of a byte
//! ```
//! A number of all ones stands for the fill value. Numbers that need all their bits are kept as
//! they are, in the machine's order. Floats are multiplied by a power of ten and rounded: that loses.

use std::sync::Arc;

use super::bits::{BitReader, BitWriter, low_bits};
use super::number::{Arithmetic, Float, Kind, Number, match_kind, swap_runs};
use crate::codec::{Codec, Endian, Scratch, spare, too_short, wrong_len};
use crate::error::{Error, Result};

const NAME: &str = "scaleoffset";
/// Bytes before the numbers.
const HEADER_LEN: usize = 21;
/// Where the minimum lies, and its bytes.
const MINIMUM: std::ops::Range<usize> = 5..13;

#[derive(Debug)]
struct ScaleOffsetHdf5 {
    kind: Kind,
    endian: Endian,
    n_items: usize,
    /// Bits of an integer; 0 for as many as each chunk needs.
    n_bits: u32,
    /// Decimal digits of a float.
    digits: i32,
    /// The bits of the fill value.
    fill: Option<u64>,
}

/// # Errors
/// `InvalidInput` for values that describe no numbers, `Unsupported` for the scaling by powers of
/// two that HDF5 has a name for but never had.
pub(super) fn new(values: &[u32]) -> Result<Arc<dyn Codec>> {
    const N_VALUES: usize = 20;
    let &[scaling, factor, n_items, class, size, sign, order, has_fill, low, high, ..] = values
    else {
        return Err(wrong("number of values", values.len()));
    };
    if values.len() != N_VALUES {
        return Err(wrong("number of values", values.len()));
    }
    let kind = match (class, size, sign) {
        (0, 1, 0) => Kind::U8,
        (0, 2, 0) => Kind::U16,
        (0, 4, 0) => Kind::U32,
        (0, 8, 0) => Kind::U64,
        (0, 1, 1) => Kind::I8,
        (0, 2, 1) => Kind::I16,
        (0, 4, 1) => Kind::I32,
        (0, 8, 1) => Kind::I64,
        (1, 4, _) => Kind::F32,
        (1, 8, _) => Kind::F64,
        _ => {
            let what = format!("{NAME}: class {class} of {size} bytes");
            return Err(Error::unsupported(what));
        }
    };
    // The factor is stored as the bits of a signed number.
    let factor = factor.cast_signed();
    match (kind.is_float(), scaling) {
        (true, 0) | (false, 2) => {}
        (true, 1) => return Err(Error::unsupported(format!("{NAME}: scaling by powers of two"))),
        _ => return Err(wrong("kind of scaling", scaling as usize)),
    }
    let n_bits = if kind.is_float() { 0 } else { factor.max(0).unsigned_abs() };
    if n_bits > size * 8 {
        return Err(wrong("number of bits", n_bits as usize));
    }
    Ok(Arc::new(ScaleOffsetHdf5 {
        kind,
        endian: if order == 0 { Endian::Little } else { Endian::Big },
        n_items: usize::try_from(n_items).unwrap_or(usize::MAX),
        n_bits,
        digits: factor,
        fill: (has_fill != 0).then_some(u64::from(low) | u64::from(high) << 32),
    }))
}

#[cold]
fn wrong(what: &str, found: usize) -> Error {
    Error::invalid(format!("{NAME}: expected another {what} in the filter's values, found {found}"))
}

/// A number as the bits that are packed.
trait Packed: Arithmetic + PartialOrd {
    /// Of as many bits as the type has.
    fn from_bits(bits: u64) -> Self;
    fn bits(self) -> u64;
}

macro_rules! packed {
    ($($rust:ty, $unsigned:ty);*) => {$(
        impl Packed for $rust {
            #[inline]
            fn from_bits(bits: u64) -> Self {
                bits as $rust
            }
            #[inline]
            fn bits(self) -> u64 {
                u64::from(self as $unsigned)
            }
        }
    )*};
}

packed! { i8, u8; i16, u16; i32, u32; i64, u64; u8, u8; u16, u16; u32, u32; u64, u64 }

/// A float that is scaled to an integer of its size.
trait Scaled: Float + PartialOrd + Into<f64> {
    fn from_low_bits(bits: u64) -> Self;
    fn low_bits(self) -> u64;
    /// A power of ten.
    fn ten_to(digits: i32) -> Self;
    fn from_integer(integer: u64) -> Self;
    /// The nearest integer, away from zero between two.
    fn rounded_away(self) -> Self;
    /// The same as an integer; the lowest there is where it has none.
    fn to_integer(self) -> i64;
}

macro_rules! scaled {
    ($($rust:ty);*) => {$(
        impl Scaled for $rust {
            #[inline]
            fn from_low_bits(bits: u64) -> Self {
                <$rust>::from_bits(bits as _)
            }
            #[inline]
            fn low_bits(self) -> u64 {
                u64::from(self.to_bits())
            }
            fn ten_to(digits: i32) -> Self {
                (10.0 as $rust).powf(digits as $rust)
            }
            #[inline]
            fn from_integer(integer: u64) -> Self {
                integer as $rust
            }
            #[inline]
            fn rounded_away(self) -> Self {
                self.round()
            }
            #[inline]
            fn to_integer(self) -> i64 {
                const LIMIT: $rust = 9_223_372_036_854_775_808.0;
                let rounded = self.round();
                if (-LIMIT..LIMIT).contains(&rounded) { rounded as i64 } else { i64::MIN }
            }
        }
    )*};
}

scaled! { f32; f64 }

/// `$body` with the Rust type `$T` of an integer, `$float` with that of a float.
macro_rules! with_packed {
    ($kind:expr, $T:ident => $body:expr, $float:expr) => {
        match_kind!($kind, $T => $body, {
            Kind::I8 => i8, Kind::I16 => i16, Kind::I32 => i32, Kind::I64 => i64,
            Kind::U8 | Kind::Bool => u8, Kind::U16 | Kind::F16 => u16, Kind::U32 => u32, Kind::U64 => u64,
        }
            Kind::F32 => {
                type $T = f32;
                $float
            }
            Kind::F64 => {
                type $T = f64;
                $float
            }
        )
    };
}

/// The lowest and the highest of numbers; zero where there is none.
fn range<T: Number + PartialOrd>(mut numbers: impl Iterator<Item = T>) -> (T, T) {
    let Some(first) = numbers.next() else { return (T::default(), T::default()) };
    numbers.fold((first, first), |(low, high), number| {
        (if number < low { number } else { low }, if number > high { number } else { high })
    })
}

/// The bits that tell `n` things apart.
fn bits_of(n: u64) -> u32 {
    64 - n.saturating_sub(1).leading_zeros()
}

fn numbers<T: Number>(raw: &[u8]) -> impl Iterator<Item = T> {
    T::items(raw).iter().map(|bytes| T::load(*bytes))
}

impl ScaleOffsetHdf5 {
    fn width(&self) -> u32 {
        self.kind.size() as u32 * 8
    }

    /// Whether chunks are kept as they are, without a header.
    fn is_plain(&self) -> bool {
        self.n_bits == self.width()
    }

    fn raw_len(&self) -> usize {
        self.n_items.saturating_mul(self.kind.size())
    }

    /// Appends a header and what `put` writes of the numbers.
    fn put_chunk(
        out: &mut Vec<u8>,
        n_bits: u32,
        minimum: u64,
        put: impl FnOnce(&mut BitWriter<'_>),
    ) {
        put_header(out, n_bits, minimum);
        let mut bits = BitWriter::new(out);
        if n_bits > 0 {
            put(&mut bits);
        }
        bits.finish_with_part();
    }

    fn put_integers<T: Packed>(&self, raw: &[u8], out: &mut Vec<u8>) {
        let fill = self.fill.map(T::from_bits);
        let (low, high) = range(numbers::<T>(raw).filter(|&number| Some(number) != fill));
        let span = high.minus(low).bits();
        let n_bits = match self.n_bits {
            0 if span > low_bits(self.width()) - 2 => {
                // The library says the minimum of these alone.
                let is_said = self.kind == Kind::I8 && fill.is_none();
                put_header(out, self.width(), if is_said { self.widened(low.bits()) } else { 0 });
                return out.extend_from_slice(raw);
            }
            0 => bits_of(span + 1 + u64::from(fill.is_some())),
            n_bits => n_bits,
        };
        let ones = low_bits(n_bits);
        Self::put_chunk(out, n_bits, self.widened(low.bits()), |bits| match fill {
            Some(fill) => numbers::<T>(raw).for_each(|number| {
                let value = if number == fill { ones } else { number.minus(low).bits() };
                bits.put(value, n_bits);
            }),
            None => numbers::<T>(raw).for_each(|number| bits.put(number.minus(low).bits(), n_bits)),
        });
    }

    /// The bits of an integer as those of one of 64 bits.
    fn widened(&self, bits: u64) -> u64 {
        let above = 64 - self.width();
        match self.kind {
            Kind::I8 | Kind::I16 | Kind::I32 => ((bits << above) as i64 >> above) as u64,
            _ => bits,
        }
    }

    fn put_floats<T: Scaled>(&self, raw: &[u8], out: &mut Vec<u8>) {
        let fill = self.fill.map(T::from_low_bits);
        let tolerance = f64::ten_to(-self.digits);
        let is_fill = |number: T| {
            fill.is_some_and(|fill| Into::<f64>::into(number.minus(fill)).abs() < tolerance)
        };
        let (low, high) = range(numbers::<T>(raw).filter(|&number| !is_fill(number)));
        let factor = T::ten_to(self.digits);
        let span = high.times(factor).minus(low.times(factor));
        let limit = f64::from(self.width() - 1).exp2();
        let is_wide = Into::<f64>::into(span.rounded_away()) > limit;
        let n_bits = match span.to_integer() {
            _ if is_wide => self.width(),
            span => bits_of((span as u64).wrapping_add(1 + u64::from(fill.is_some()))),
        };
        if n_bits >= self.width() {
            put_header(out, self.width(), if is_wide { 0 } else { low.low_bits() });
            return out.extend_from_slice(raw);
        }
        let (ones, base) = (low_bits(n_bits), low.times(factor));
        // Rounded to the type's own precision, other than where the range is taken.
        let tolerance = T::ten_to(-self.digits);
        let is_fill = |number: T| {
            let difference = |fill: T| number.minus(fill);
            fill.is_some_and(|fill| {
                let difference = difference(fill);
                difference < tolerance && T::default().minus(difference) < tolerance
            })
        };
        Self::put_chunk(out, n_bits, low.low_bits(), |bits| {
            for number in numbers::<T>(raw) {
                let value = if is_fill(number) {
                    ones
                } else {
                    number.times(factor).minus(base).to_integer() as u64
                };
                bits.put(value, n_bits);
            }
        });
    }

    fn take_integers<T: Packed>(&self, n_bits: u32, minimum: u64, packed: &[u8], out: &mut [u8]) {
        let (mut bits, ones) = (BitReader::new(packed), low_bits(n_bits));
        let (low, fill) = (T::from_bits(minimum), self.fill.map(T::from_bits));
        for place in T::items_mut(out) {
            let value = bits.take(n_bits);
            let number = match fill {
                Some(fill) if value == ones => fill,
                _ => T::from_bits(value).plus(low),
            };
            *place = number.store();
        }
    }

    fn take_floats<T: Scaled>(&self, n_bits: u32, minimum: u64, packed: &[u8], out: &mut [u8]) {
        let (mut bits, ones) = (BitReader::new(packed), low_bits(n_bits));
        let (low, fill) = (T::from_low_bits(minimum), self.fill.map(T::from_low_bits));
        let factor = T::ten_to(self.digits);
        for place in T::items_mut(out) {
            let value = bits.take(n_bits);
            let number = match fill {
                Some(fill) if value == ones => fill,
                _ => T::from_integer(value).over(factor).plus(low),
            };
            *place = number.store();
        }
    }

    fn put(&self, raw: &[u8], out: &mut Vec<u8>) {
        with_packed!(
            self.kind,
            T => self.put_integers::<T>(raw, out),
            self.put_floats::<T>(raw, out)
        );
    }
}

fn put_header(out: &mut Vec<u8>, n_bits: u32, minimum: u64) {
    out.extend_from_slice(&n_bits.to_le_bytes());
    out.push(8);
    out.extend_from_slice(&minimum.to_le_bytes());
    out.extend_from_slice(&[0; HEADER_LEN - MINIMUM.end]);
}

impl Codec for ScaleOffsetHdf5 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        raw_len.saturating_add(if self.is_plain() { 0 } else { HEADER_LEN + 1 })
    }

    fn decoded_len(&self, encoded: &[u8]) -> Option<u64> {
        Some(if self.is_plain() { encoded.len() } else { self.raw_len() } as u64)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, scratch: &mut Scratch) -> Result<()> {
        spare::reserve(out, self.encoded_bound(raw.len()))?;
        if self.is_plain() {
            out.extend_from_slice(raw);
            return Ok(());
        }
        let (expected, found) = (self.raw_len(), raw.len());
        if found != expected || found == 0 {
            return Err(Error::invalid(format!(
                "{NAME}: expected {expected} bytes, found {found}"
            )));
        }
        if self.endian == Endian::NATIVE {
            self.put(raw, out);
            return Ok(());
        }
        let mut native = scratch.take_buffer();
        native.extend_from_slice(raw);
        swap_runs(self.kind.size(), &mut native);
        self.put(&native, out);
        scratch.give_buffer(native);
        Ok(())
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let room = out.len();
        let len = if self.is_plain() { encoded.len() } else { self.raw_len() };
        let out = out.get_mut(..len).ok_or_else(|| wrong_len(NAME, room, len))?;
        if self.is_plain() {
            out.copy_from_slice(encoded);
            return Ok(len);
        }
        let (header, packed) = encoded
            .split_first_chunk::<HEADER_LEN>()
            .ok_or_else(|| too_short(NAME, HEADER_LEN, encoded.len()))?;
        let [a, b, c, d, minimum_len, ..] = *header;
        let n_bits = u32::from_le_bytes([a, b, c, d]);
        let mut minimum = [0; 8];
        minimum.copy_from_slice(&header[MINIMUM]);
        minimum.iter_mut().skip(minimum_len.into()).for_each(|byte| *byte = 0);
        let minimum = u64::from_le_bytes(minimum);
        if n_bits > self.width() {
            let most = self.width();
            return Err(Error::corrupt(format!(
                "{NAME}: expected at most {most} bits, found {n_bits}"
            )));
        }
        let n_packed_bits = self.n_items as u128 * u128::from(n_bits);
        let packed_len = usize::try_from(n_packed_bits.div_ceil(8)).unwrap_or(usize::MAX);
        let packed = packed
            .get(..packed_len)
            .ok_or_else(|| too_short(NAME, packed_len.saturating_add(HEADER_LEN), encoded.len()))?;
        if n_bits == self.width() {
            out.copy_from_slice(packed);
        } else {
            with_packed!(
                self.kind,
                T => self.take_integers::<T>(n_bits, minimum, packed, out),
                self.take_floats::<T>(n_bits, minimum, packed, out)
            );
        }
        if self.endian != Endian::NATIVE {
            swap_runs(self.kind.size(), out);
        }
        Ok(len)
    }
}
