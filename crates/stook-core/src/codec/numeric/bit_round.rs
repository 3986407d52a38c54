//! `bitround`: floats whose mantissa is rounded to so many bits, the rest zero.
//!
//! Decoding changes nothing.

use std::sync::Arc;

use super::number::{Kernel, Kind, Number, NumberFilter, Stored, Work, vectorized};
use crate::codec::{Codec, Stage};
use crate::error::{Error, Result};

const NAME: &str = "bitround";

/// Rounds numbers by so many bits.
type Run = fn(u32, &[u8], &mut [u8]);

#[derive(Debug)]
struct BitRound {
    /// Bits of the mantissa that go.
    dropped: u32,
    round: Run,
}

/// # Errors
/// `Unsupported` for what is no float, `InvalidInput` for more bits than it has.
pub(super) fn new(keep_bits: u32, stage: &Stage) -> Result<Arc<dyn Codec>> {
    let stored = Stored::of(NAME, &stage.dtype, stage.endian)?;
    let (bits, round): (u32, Run) = match stored.kind {
        Kind::F16 => (10, round_16),
        Kind::F32 => (23, round_32),
        Kind::F64 => (52, round_64),
        _ => {
            let found = &stage.dtype;
            return Err(Error::unsupported(format!("{NAME}: expected floats, found {found}")));
        }
    };
    let dropped = bits.checked_sub(keep_bits).ok_or_else(|| {
        let dtype = &stage.dtype;
        Error::invalid(format!(
            "{NAME}: expected at most {bits} bits of {dtype}, found {keep_bits}"
        ))
    })?;
    let kernel = BitRound { dropped, round };
    Ok(Arc::new(NumberFilter { name: NAME, decoded: stored, encoded: stored, kernel }))
}

macro_rules! round {
    ($name:ident, $items:ident, $bits:ty) => {
        vectorized! {
            fn $name<>[](dropped: u32, from: &[u8], to: &mut [u8]) = $items
        }

        /// Rounds to the nearest number, the even one of two, without its lowest `dropped` bits.
        #[inline(always)]
        fn $items(dropped: u32, from: &[u8], to: &mut [u8]) {
            let half = (1 << (dropped - 1)) - 1;
            for (to, from) in <$bits>::items_mut(to).iter_mut().zip(<$bits>::items(from)) {
                let bits = <$bits>::load(*from);
                let rounded = bits.wrapping_add(((bits >> dropped) & 1) + half);
                *to = ((rounded >> dropped) << dropped).store();
            }
        }
    };
}

round!(round_16, round_items_16, u16);
round!(round_32, round_items_32, u32);
round!(round_64, round_items_64, u64);

impl Kernel for BitRound {
    fn encode(&self, _: &mut Work, from: &[u8], to: &mut [u8]) {
        match self.dropped {
            0 => to.copy_from_slice(from),
            dropped => (self.round)(dropped, from, to),
        }
    }

    fn decode(&self, _: &mut Work, from: &[u8], to: &mut [u8]) {
        to.copy_from_slice(from);
    }
}
