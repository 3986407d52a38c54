//! Zarr's `scale_offset`: `(x - offset) * scale`, and `x / scale + offset`, in the type of the
//! items.
//!
//! Nothing wraps around: an integer that the type cannot hold is an error, and so is a quotient
//! that is none. Floats are as the processor calculates them, halves rounded at each step.

use std::sync::Arc;

use half::{bf16, f16};

use super::number::{Float, Number, not_whole, swap_runs};
use crate::codec::{Codec, Endian, Scratch, Stage, spare, wrong_len};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::values::Values;

const NAME: &str = "scale_offset";
const BLOCK_LEN: usize = 8 << 10;

/// Turns all numbers by an offset and a scale, given as their bytes; false if one of them has no
/// result.
type Run = fn(&[u8], &[u8], &[u8], &mut [u8]) -> bool;

#[derive(Debug)]
struct ScaleOffset {
    size: usize,
    endian: Endian,
    /// In the machine's order.
    offset: Vec<u8>,
    scale: Vec<u8>,
    encode: Run,
    decode: Run,
}

/// # Errors
/// `Unsupported` for what is no number, `InvalidInput` for scalars of another type or a scale of
/// zero.
pub(super) fn new(
    offset: Option<&Values>,
    scale: Option<&Values>,
    stage: &Stage,
) -> Result<Arc<dyn Codec>> {
    let dtype = &stage.dtype;
    let Loops { encode, decode, one, is_zero } =
        loops(dtype).ok_or_else(|| Error::unsupported(format!("{NAME}: items of type {dtype}")))?;
    let size = dtype.item_size();
    let offset = match offset {
        Some(offset) => scalar(offset, dtype)?,
        None => vec![0; size],
    };
    let scale = match scale {
        Some(scale) => scalar(scale, dtype)?,
        None => one,
    };
    if is_zero(&scale) {
        return Err(Error::invalid(format!("{NAME}: expected a scale other than 0")));
    }
    Ok(Arc::new(ScaleOffset { size, endian: stage.endian, offset, scale, encode, decode }))
}

fn scalar(value: &Values, dtype: &DType) -> Result<Vec<u8>> {
    match value.item(0) {
        Some(item) if value.dtype() == dtype => Ok(item.to_vec()),
        _ => Err(Error::invalid(format!(
            "{NAME}: expected a scalar of type {dtype}, found {} of type {}",
            value.len(),
            value.dtype()
        ))),
    }
}

/// What depends on the type of the items.
struct Loops {
    encode: Run,
    decode: Run,
    /// The bytes of 1.
    one: Vec<u8>,
    /// Whether these are the bytes of 0.
    is_zero: fn(&[u8]) -> bool,
}

impl Loops {
    fn new<T: Number>(encode: Run, decode: Run, one: T) -> Self {
        let is_zero = |bytes: &[u8]| first::<T>(bytes) == T::default();
        Self { encode, decode, one: one.store().as_ref().to_vec(), is_zero }
    }
}

fn loops(dtype: &DType) -> Option<Loops> {
    macro_rules! integers {
        ($rust:ty) => {
            Loops::new(encode_integers::<$rust>, decode_integers::<$rust>, 1 as $rust)
        };
    }
    macro_rules! floats {
        ($rust:ty, $one:expr) => {
            Loops::new::<$rust>(encode_floats::<$rust>, decode_floats::<$rust>, $one)
        };
    }
    Some(match dtype {
        DType::Int8 => integers!(i8),
        DType::Int16 => integers!(i16),
        DType::Int32 => integers!(i32),
        DType::Int64 => integers!(i64),
        DType::UInt8 => integers!(u8),
        DType::UInt16 => integers!(u16),
        DType::UInt32 => integers!(u32),
        DType::UInt64 => integers!(u64),
        DType::Float16 => floats!(f16, f16::ONE),
        DType::BFloat16 => floats!(bf16, bf16::ONE),
        DType::Float32 => floats!(f32, 1.0),
        DType::Float64 => floats!(f64, 1.0),
        _ => return None,
    })
}

/// The number whose bytes are the first of `bytes`.
fn first<T: Number>(bytes: &[u8]) -> T {
    T::items(bytes).first().map_or_else(T::default, |bytes| T::load(*bytes))
}

/// An integer and one that holds all products of two of them.
trait Integer: Number {
    type Wide: Copy
        + Default
        + PartialEq
        + std::ops::Sub<Output = Self::Wide>
        + std::ops::Mul<Output = Self::Wide>
        + std::ops::Add<Output = Self::Wide>
        + std::ops::Div<Output = Self::Wide>
        + std::ops::Rem<Output = Self::Wide>;
    fn widened(self) -> Self::Wide;
    /// The low bits, and whether they are all.
    fn narrowed(wide: Self::Wide) -> (Self, bool);
}

macro_rules! integer {
    ($($rust:ty, $wide:ty);*) => {$(
        impl Integer for $rust {
            type Wide = $wide;

            #[inline]
            fn widened(self) -> $wide {
                self.into()
            }
            #[inline]
            fn narrowed(wide: $wide) -> (Self, bool) {
                let low = wide as $rust;
                (low, <$wide>::from(low) == wide)
            }
        }
    )*};
}

integer! { i8, i64; i16, i64; u8, i64; u16, i64; i32, i128; u32, i128; i64, i128; u64, i128 }

fn encode_integers<T: Integer>(offset: &[u8], scale: &[u8], from: &[u8], to: &mut [u8]) -> bool {
    let (offset, scale) = (first::<T>(offset).widened(), first::<T>(scale).widened());
    let mut is_held = true;
    for (to, from) in T::items_mut(to).iter_mut().zip(T::items(from)) {
        let (number, fits) = T::narrowed((T::load(*from).widened() - offset) * scale);
        is_held &= fits;
        *to = number.store();
    }
    is_held
}

fn decode_integers<T: Integer>(offset: &[u8], scale: &[u8], from: &[u8], to: &mut [u8]) -> bool {
    let (offset, scale) = (first::<T>(offset).widened(), first::<T>(scale).widened());
    let mut is_held = true;
    for (to, from) in T::items_mut(to).iter_mut().zip(T::items(from)) {
        let number = T::load(*from).widened();
        let (sum, fits) = T::narrowed(number / scale + offset);
        is_held &= fits & (number % scale == T::Wide::default());
        *to = sum.store();
    }
    is_held
}

fn encode_floats<T: Float>(offset: &[u8], scale: &[u8], from: &[u8], to: &mut [u8]) -> bool {
    let (offset, scale) = (first::<T>(offset), first::<T>(scale));
    for (to, from) in T::items_mut(to).iter_mut().zip(T::items(from)) {
        *to = T::load(*from).minus(offset).times(scale).store();
    }
    true
}

fn decode_floats<T: Float>(offset: &[u8], scale: &[u8], from: &[u8], to: &mut [u8]) -> bool {
    let (offset, scale) = (first::<T>(offset), first::<T>(scale));
    for (to, from) in T::items_mut(to).iter_mut().zip(T::items(from)) {
        *to = T::load(*from).over(scale).plus(offset).store();
    }
    true
}

impl ScaleOffset {
    fn is_swapped(&self) -> bool {
        self.endian != Endian::NATIVE
    }

    /// Runs on one block.
    fn run(&self, run: Run, from: &[u8], to: &mut [u8]) -> bool {
        let mut native = [0; BLOCK_LEN];
        let from = if self.is_swapped() {
            let native = &mut native[..from.len()];
            native.copy_from_slice(from);
            swap_runs(self.size, native);
            native
        } else {
            from
        };
        let is_held = run(&self.offset, &self.scale, from, to);
        if self.is_swapped() {
            swap_runs(self.size, to);
        }
        is_held
    }
}

impl Codec for ScaleOffset {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        raw_len
    }

    fn has_fixed_len(&self) -> bool {
        true
    }

    fn decoded_len(&self, encoded: &[u8]) -> Option<u64> {
        Some(encoded.len() as u64)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _: &mut Scratch) -> Result<()> {
        if !raw.len().is_multiple_of(self.size) {
            return Err(Error::invalid(not_whole(NAME, self.size, raw.len())));
        }
        let start = out.len();
        spare::reserve(out, raw.len())?;
        let mut block = [0; BLOCK_LEN];
        for from in raw.chunks(BLOCK_LEN) {
            let block = &mut block[..from.len()];
            if !self.run(self.encode, from, block) {
                out.truncate(start);
                return Err(Error::invalid(format!("{NAME}: a result that its type cannot hold")));
            }
            out.extend_from_slice(block);
        }
        Ok(())
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let (room, len) = (out.len(), encoded.len());
        if !len.is_multiple_of(self.size) {
            return Err(Error::corrupt(not_whole(NAME, self.size, len)));
        }
        let out = out.get_mut(..len).ok_or_else(|| wrong_len(NAME, room, len))?;
        for (from, to) in encoded.chunks(BLOCK_LEN).zip(out.chunks_mut(BLOCK_LEN)) {
            if !self.run(self.decode, from, to) {
                return Err(Error::corrupt(format!(
                    "{NAME}: expected whole quotients that the type holds, found another"
                )));
            }
        }
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::element::{Element, as_bytes};

    fn codec<T: Element>(offset: T, scale: T) -> Result<Arc<dyn Codec>> {
        let scalar =
            |value: T| Values::new(T::DTYPE, Vec::new(), as_bytes(&[value]).to_vec(), Vec::new());
        new(Some(&scalar(offset)?), Some(&scalar(scale)?), &Stage::new(T::DTYPE, None))
    }

    fn check<T: Element>(codec: &dyn Codec, raw: &[T], expected: &[T]) {
        let (mut out, mut scratch) = (Vec::new(), Scratch::new());
        codec.encode_into(as_bytes(raw), &mut out, &mut scratch).unwrap();
        assert_eq!(out, as_bytes(expected));
        let mut back = vec![0; out.len()];
        codec.decode_into(&out, &mut back, &mut scratch).unwrap();
        assert_eq!(back, as_bytes(raw));
    }

    #[test]
    fn numbers_are_scaled_in_their_own_type() {
        check(&*codec(5_i32, 3).unwrap(), &[5, 6, -7], &[0, 3, -36]);
        check(&*codec(u64::MAX - 9, 2).unwrap(), &[u64::MAX], &[18]);
        check(
            &*codec(10.0_f32, 0.5).unwrap(),
            &[11.0, 7.0, f32::INFINITY],
            &[0.5, -1.5, f32::INFINITY],
        );
        check(
            &*codec(bf16::ONE, bf16::from_f32(4.0)).unwrap(),
            &[bf16::from_f32(3.0)],
            &[bf16::from_f32(8.0)],
        );
    }

    #[test]
    fn what_a_type_cannot_hold_is_an_error_either_way() {
        let narrow = codec(0_u8, 2).unwrap();
        let mut scratch = Scratch::new();
        let error = narrow.encode_into(&[128], &mut Vec::new(), &mut scratch).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let error = narrow.decode_into(&[3], &mut [0], &mut scratch).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        let shifted = codec(200_u8, 1).unwrap();
        assert!(shifted.encode_into(&[199], &mut Vec::new(), &mut scratch).is_err());
        assert!(shifted.decode_into(&[56], &mut [0], &mut scratch).is_err());
        assert!(
            codec(i64::MIN, -1)
                .unwrap()
                .decode_into(&i64::MIN.store(), &mut [0; 8], &mut scratch)
                .is_ok()
        );
    }

    #[test]
    fn a_scale_of_zero_and_scalars_of_another_type_are_refused() {
        assert!(codec(1_i16, 0).is_err() && codec(0.0_f64, -0.0).is_err());
        let scalar = Values::zeroed(DType::Int8, Vec::new()).unwrap();
        assert!(new(Some(&scalar), None, &Stage::new(DType::Int16, None)).is_err());
        assert!(new(None, None, &Stage::new(DType::Bool, None)).is_err());
    }
}
