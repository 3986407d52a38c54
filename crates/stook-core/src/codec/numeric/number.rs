//! Numbers as filters see them: a kind each, loaded from and stored to bytes, cast as numpy does.
//!
//! A filter is a [`Kernel`] that turns a block of numbers in the machine's byte order into another;
//! [`NumberFilter`] makes a codec of it: it walks the blocks, which stay in the first-level cache,
//! and swaps bytes where the file has another order. A kernel picks its loops, one for each pair of
//! kinds, when it is made: nothing is decided for each number.

mod arithmetic;
mod cast;
mod vectorized;

use std::fmt::Debug;

use half::{bf16, f16};

pub(super) use self::arithmetic::{Arithmetic, Float};
pub(super) use self::cast::{Cast, CastFn, cast};
pub(super) use self::vectorized::vectorized;
use crate::codec::{Codec, Endian, Scratch, StoredNumber, spare, wrong_len, wrong_room};
use crate::dtype::DType;
use crate::error::{Error, Result};

/// Numbers of a block.
pub(super) const BLOCK_ITEMS: usize = 1024;
/// Bytes of a block of the largest numbers.
pub(super) const BLOCK_LEN: usize = BLOCK_ITEMS * 8;

/// numpy's bool: a byte that is 0 or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Truth(pub(super) u8);

/// A number that is loaded from bytes in the machine's order, and stored to such.
pub(super) trait Number: Copy + Debug + Default + PartialEq + 'static {
    /// The bytes of one.
    type Bytes: Copy + AsRef<[u8]>;

    /// The numbers in `bytes`, as their bytes; what is behind the last is left out.
    fn items(bytes: &[u8]) -> &[Self::Bytes];
    /// The same, to be changed.
    fn items_mut(bytes: &mut [u8]) -> &mut [Self::Bytes];
    /// The number that has `bytes`.
    fn load(bytes: Self::Bytes) -> Self;
    /// The bytes of the number.
    fn store(self) -> Self::Bytes;
}

macro_rules! number {
    ($($rust:ty, $len:literal);*) => {$(
        impl Number for $rust {
            type Bytes = [u8; $len];

            fn items(bytes: &[u8]) -> &[Self::Bytes] {
                bytes.as_chunks().0
            }
            fn items_mut(bytes: &mut [u8]) -> &mut [Self::Bytes] {
                bytes.as_chunks_mut().0
            }
            #[inline]
            #[allow(clippy::host_endian_bytes, reason = "what is stored is swapped elsewhere")]
            fn load(bytes: Self::Bytes) -> Self {
                Self::from_ne_bytes(bytes)
            }
            #[inline]
            #[allow(clippy::host_endian_bytes, reason = "what is stored is swapped elsewhere")]
            fn store(self) -> Self::Bytes {
                self.to_ne_bytes()
            }
        }
    )*};
}

number! {
    i8, 1; i16, 2; i32, 4; i64, 8; u8, 1; u16, 2; u32, 4; u64, 8;
    f16, 2; bf16, 2; f32, 4; f64, 8
}

impl Number for Truth {
    type Bytes = [u8; 1];

    fn items(bytes: &[u8]) -> &[Self::Bytes] {
        bytes.as_chunks().0
    }
    fn items_mut(bytes: &mut [u8]) -> &mut [Self::Bytes] {
        bytes.as_chunks_mut().0
    }
    #[inline]
    fn load(bytes: Self::Bytes) -> Self {
        Self(bytes[0])
    }
    #[inline]
    fn store(self) -> Self::Bytes {
        [self.0]
    }
}

/// The kinds of numbers that filters calculate with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    F32,
    F64,
}

/// `$body` where `$T` is the Rust type beside the pattern of `$kind`; other arms follow as they are.
macro_rules! match_kind {
    ($kind:expr, $T:ident => $body:expr, { $($of:pat => $rust:ty),* $(,)? } $($others:tt)*) => {
        match $kind {
            $($of => {
                type $T = $rust;
                $body
            })*
            $($others)*
        }
    };
}

/// `$body` with the Rust type `$T` of a [`Kind`].
macro_rules! with_number {
    ($kind:expr, $T:ident => $body:expr) => {
        $crate::codec::numeric::number::with_arithmetic!($kind, $T => $body, {
            type $T = Truth;
            $body
        })
    };
}

/// `$body` with the Rust type `$T` of a [`Kind`] that can be calculated with, `$else` for bool.
macro_rules! with_arithmetic {
    ($kind:expr, $T:ident => $body:expr, $else:expr) => {
        $crate::codec::numeric::number::match_kind!($kind, $T => $body, {
            Kind::I8 => i8, Kind::I16 => i16, Kind::I32 => i32, Kind::I64 => i64,
            Kind::U8 => u8, Kind::U16 => u16, Kind::U32 => u32, Kind::U64 => u64,
            Kind::F16 => half::f16, Kind::F32 => f32, Kind::F64 => f64,
        } Kind::Bool => $else)
    };
}

/// `$body` with the Rust type `$T` of a [`Kind`] of float, `$else` for any other.
macro_rules! with_float {
    ($kind:expr, $T:ident => $body:expr, $else:expr) => {
        $crate::codec::numeric::number::match_kind!($kind, $T => $body, {
            Kind::F16 => half::f16, Kind::F32 => f32, Kind::F64 => f64,
        } _ => $else)
    };
}

pub(super) use {match_kind, with_arithmetic, with_float, with_number};

/// Whether items of `dtype` are times, whose bytes numcodecs takes for counts in the machine's
/// own order whatever theirs is.
pub(super) fn is_time(dtype: &DType) -> bool {
    matches!(dtype, DType::DateTime(_) | DType::TimeDelta(_))
}

impl Kind {
    /// The kind of the items of `dtype`, where they are such numbers.
    pub(super) fn of(dtype: &DType) -> Option<Self> {
        Some(match dtype {
            DType::Bool => Self::Bool,
            DType::Int8 => Self::I8,
            DType::Int16 => Self::I16,
            DType::Int32 => Self::I32,
            // Times are counts.
            DType::Int64 | DType::DateTime(_) | DType::TimeDelta(_) => Self::I64,
            DType::UInt8 => Self::U8,
            DType::UInt16 => Self::U16,
            DType::UInt32 => Self::U32,
            DType::UInt64 => Self::U64,
            DType::Float16 => Self::F16,
            DType::Float32 => Self::F32,
            DType::Float64 => Self::F64,
            _ => return None,
        })
    }

    /// Bytes of a number.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 | Self::F16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    pub(super) fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::F32 | Self::F64)
    }

    /// The kind that numpy calculates in where it is given this one and another.
    pub(super) fn common(self, other: Self) -> Self {
        let (float, integer) = match (self.is_float(), other.is_float()) {
            (true, true) => return if self.size() >= other.size() { self } else { other },
            (true, false) => (self, other),
            (false, true) => (other, self),
            (false, false) => return self.common_integer(other),
        };
        // A float holds every integer of half its size.
        match if integer == Self::Bool { 1 } else { integer.size() * 2 } {
            size if size <= float.size() => float,
            0..=2 => Self::F16,
            4 => Self::F32,
            _ => Self::F64,
        }
    }

    fn common_integer(self, other: Self) -> Self {
        let range = |kind: Self| kind.integer_range().unwrap_or((0, 1));
        let ((low, high), (other_low, other_high)) = (range(self), range(other));
        let holds = |kind: &Self| {
            kind.integer_range().is_some_and(|(lowest, highest)| {
                lowest <= low.min(other_low) && highest >= high.max(other_high)
            })
        };
        let kinds = [self, other, Self::I16, Self::I32, Self::I64];
        kinds.into_iter().find(holds).unwrap_or(Self::F64)
    }

    /// The lowest and the highest integer of an integer kind.
    pub(super) fn integer_range(self) -> Option<(i128, i128)> {
        Some(match self {
            Self::I8 => (i8::MIN.into(), i8::MAX.into()),
            Self::I16 => (i16::MIN.into(), i16::MAX.into()),
            Self::I32 => (i32::MIN.into(), i32::MAX.into()),
            Self::I64 => (i64::MIN.into(), i64::MAX.into()),
            Self::U8 => (0, u8::MAX.into()),
            Self::U16 => (0, u16::MAX.into()),
            Self::U32 => (0, u32::MAX.into()),
            Self::U64 => (0, u64::MAX.into()),
            Self::Bool | Self::F16 | Self::F32 | Self::F64 => return None,
        })
    }
}

/// Numbers as they are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) kind: Kind,
    endian: Endian,
}

impl Stored {
    /// # Errors
    /// `Unsupported` for what filters do not calculate with.
    pub(super) fn new(codec: &str, number: &StoredNumber) -> Result<Self> {
        Self::of(codec, &number.dtype, number.endian)
    }

    /// # Errors
    /// `Unsupported` for what filters do not calculate with.
    pub(super) fn of(codec: &str, dtype: &DType, endian: Endian) -> Result<Self> {
        let kind = Kind::of(dtype)
            .ok_or_else(|| Error::unsupported(format!("{codec}: items of type {dtype}")))?;
        Ok(Self { kind, endian })
    }

    /// The numbers of `block` in the machine's order, in `buffer` where they lie in another.
    pub(super) fn native<'b>(self, block: &'b [u8], buffer: &'b mut [u8]) -> &'b [u8] {
        if self.endian == Endian::NATIVE || self.kind.size() == 1 {
            return block;
        }
        let buffer = buffer.get_mut(..block.len()).unwrap_or_default();
        buffer.copy_from_slice(block);
        self.swap(buffer);
        buffer
    }

    /// From the machine's order to the one stored.
    pub(super) fn swap(self, items: &mut [u8]) {
        if self.endian != Endian::NATIVE {
            swap_runs(self.kind.size(), items);
        }
    }
}

/// Reverses the bytes of numbers of `size` bytes.
pub(super) fn swap_runs(size: usize, items: &mut [u8]) {
    match size {
        2 => items.as_chunks_mut::<2>().0.iter_mut().for_each(|number| number.reverse()),
        4 => items.as_chunks_mut::<4>().0.iter_mut().for_each(|number| number.reverse()),
        8 => items.as_chunks_mut::<8>().0.iter_mut().for_each(|number| number.reverse()),
        _ => {}
    }
}

/// What a kernel hands from block to block: the bytes of a number, `None` before the first.
pub(super) type Carry = Option<[u8; 8]>;

/// What a kernel works with: made once a chunk, so that no block has to clear its rooms.
pub(super) struct Work {
    pub(super) carry: Carry,
    /// Room for the numbers of a block between two of its loops.
    pub(super) rooms: [[u8; BLOCK_LEN]; 2],
}

impl Work {
    fn new() -> Self {
        Self { carry: None, rooms: [[0; BLOCK_LEN]; 2] }
    }
}

/// What a filter does with a block of numbers in the machine's byte order.
pub(super) trait Kernel: Debug + Send + Sync {
    /// Fills `to` with the encoded forms of the numbers in `from`, as many.
    fn encode(&self, work: &mut Work, from: &[u8], to: &mut [u8]);

    /// Fills `to` with the decoded forms of the numbers in `from`, as many.
    fn decode(&self, work: &mut Work, from: &[u8], to: &mut [u8]);
}

/// A kernel as a codec.
#[derive(Debug)]
pub(super) struct NumberFilter<K> {
    pub(super) name: &'static str,
    pub(super) decoded: Stored,
    pub(super) encoded: Stored,
    pub(super) kernel: K,
}

impl<K: Kernel> Codec for NumberFilter<K> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        (raw_len / self.decoded.kind.size()).saturating_mul(self.encoded.kind.size())
    }

    fn has_fixed_len(&self) -> bool {
        true
    }

    fn decoded_len(&self, encoded: &[u8]) -> Option<u64> {
        let n = encoded.len() / self.encoded.kind.size();
        (n as u64).checked_mul(self.decoded.kind.size() as u64)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _: &mut Scratch) -> Result<()> {
        let (size, encoded_size) = (self.decoded.kind.size(), self.encoded.kind.size());
        if !raw.len().is_multiple_of(size) {
            return Err(Error::invalid(not_whole(self.name, size, raw.len())));
        }
        spare::reserve(out, self.encoded_bound(raw.len()))?;
        let (mut before, mut after) = ([0; BLOCK_LEN], [0; BLOCK_LEN]);
        let mut work = Work::new();
        for block in raw.chunks(size * BLOCK_ITEMS) {
            let after = &mut after[..block.len() / size * encoded_size];
            self.kernel.encode(&mut work, self.decoded.native(block, &mut before), after);
            self.encoded.swap(after);
            out.extend_from_slice(after);
        }
        Ok(())
    }

    fn encode_to(&self, raw: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<()> {
        let (size, encoded_size) = (self.decoded.kind.size(), self.encoded.kind.size());
        if !raw.len().is_multiple_of(size) {
            return Err(Error::invalid(not_whole(self.name, size, raw.len())));
        }
        let len = self.encoded_bound(raw.len());
        if out.len() != len {
            return Err(wrong_room(self.name, len, out.len()));
        }
        let mut before = [0; BLOCK_LEN];
        let mut work = Work::new();
        let blocks = out.chunks_mut(encoded_size * BLOCK_ITEMS);
        for (block, after) in raw.chunks(size * BLOCK_ITEMS).zip(blocks) {
            self.kernel.encode(&mut work, self.decoded.native(block, &mut before), after);
            self.encoded.swap(after);
        }
        Ok(())
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let (size, decoded_size) = (self.encoded.kind.size(), self.decoded.kind.size());
        if !encoded.len().is_multiple_of(size) {
            return Err(Error::corrupt(not_whole(self.name, size, encoded.len())));
        }
        let len = (encoded.len() / size).saturating_mul(decoded_size);
        let room = out.len();
        let out = out.get_mut(..len).ok_or_else(|| wrong_len(self.name, room, len))?;
        let mut before = [0; BLOCK_LEN];
        let mut work = Work::new();
        let blocks = out.chunks_mut(decoded_size * BLOCK_ITEMS);
        for (block, after) in encoded.chunks(size * BLOCK_ITEMS).zip(blocks) {
            self.kernel.decode(&mut work, self.encoded.native(block, &mut before), after);
            self.decoded.swap(after);
        }
        Ok(len)
    }
}

#[cold]
pub(super) fn not_whole(codec: &str, size: usize, found: usize) -> String {
    format!("{codec}: expected whole items of {size} bytes, found {found} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_kind_is_that_of_numpy() {
        for (a, b, common) in [
            (Kind::I8, Kind::U8, Kind::I16),
            (Kind::U64, Kind::I8, Kind::F64),
            (Kind::Bool, Kind::U16, Kind::U16),
            (Kind::F16, Kind::I8, Kind::F16),
            (Kind::F16, Kind::U16, Kind::F32),
            (Kind::F32, Kind::I32, Kind::F64),
            (Kind::F32, Kind::F64, Kind::F64),
            (Kind::Bool, Kind::F16, Kind::F16),
        ] {
            assert_eq!((a.common(b), b.common(a)), (common, common), "{a:?} {b:?}");
        }
    }
}
