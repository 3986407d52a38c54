//! Bits to samples.

use super::{Layout, Lines, NAME, REST_OF_SEGMENT, SEGMENT_BLOCKS};
use crate::error::{Error, Result};

/// Pairs that the second extension numbers: those with a sum of up to 12.
const N_PAIRS: u32 = 91;
/// The first number of the pairs with each sum, and of those with 13.
const FIRST_PAIRS: [u32; 14] = {
    let mut first = [0; 14];
    let mut sum = 1;
    while sum < first.len() {
        first[sum] = first[sum - 1] + sum as u32;
        sum += 1;
    }
    first
};

/// Decodes samples at the front of `encoded` until `out` is full.
///
/// # Errors
/// `Corrupt` if there are fewer, or what is there makes no sense.
pub(super) fn decode(
    layout: &Layout,
    encoded: &[u8],
    out: &mut [u8],
    lines: &mut Lines,
) -> Result<()> {
    let mut bits = Bits { bytes: encoded, at: 0 };
    let line = &mut lines.samples;
    line.resize(layout.padded_len(), 0);
    let mut rest = out;
    while !rest.is_empty() {
        let (to, behind) = rest.split_at_mut(rest.len().min(layout.line_len * layout.sample_size));
        // What pads the last line need not be there.
        let n_blocks = match behind.is_empty() {
            true => to.len().div_ceil(layout.sample_size).div_ceil(layout.block_len),
            false => layout.n_blocks,
        };
        decode_line(layout, &mut bits, n_blocks, line)?;
        if layout.has_differences {
            undo_differences(layout.max_sample(), line);
        }
        write(layout, line, to);
        rest = behind;
    }
    Ok(())
}

/// Decodes blocks to `line` until there are at least `n_blocks`.
fn decode_line(
    layout: &Layout,
    bits: &mut Bits<'_>,
    n_blocks: usize,
    line: &mut [u32],
) -> Result<()> {
    let mut at = 0;
    while at < n_blocks {
        let start = at * layout.block_len;
        let n_references = usize::from(at == 0 && layout.has_differences);
        let id = bits.take(layout.id_bits());
        let n_read = match id {
            0 if bits.take(1) == 0 => {
                if n_references > 0 {
                    line[0] = bits.take(layout.bits);
                }
                let n = n_zero_blocks(layout, at, bits.unary()?)?;
                line[start + n_references..start + n * layout.block_len].fill(0);
                n
            }
            _ => {
                let block = &mut line[start..start + layout.block_len];
                if n_references > 0 && id != layout.uncoded_id() {
                    block[0] = bits.take(layout.bits);
                }
                match id {
                    0 => decode_pairs(bits, n_references, block)?,
                    id if id == layout.uncoded_id() => {
                        block.iter_mut().for_each(|sample| *sample = bits.take(layout.bits));
                    }
                    id => decode_split(bits, id - 1, &mut block[n_references..])?,
                }
                1
            }
        };
        bits.check()?;
        at += n_read;
    }
    Ok(())
}

/// How many blocks of zeros begin at block `at`, where `found` is what is coded of that.
fn n_zero_blocks(layout: &Layout, at: usize, found: u32) -> Result<usize> {
    let found = found as usize + 1;
    let n_left = layout.n_blocks - at;
    let n = match found {
        REST_OF_SEGMENT => n_left.min(SEGMENT_BLOCKS - at % SEGMENT_BLOCKS),
        _ if found > REST_OF_SEGMENT => found - 1,
        _ => found,
    };
    if n > n_left {
        return Err(Error::corrupt(format!(
            "szip: expected at most {n_left} blocks of zeros, found {n}"
        )));
    }
    Ok(n)
}

/// The second extension: two samples a number.
fn decode_pairs(bits: &mut Bits<'_>, n_references: usize, block: &mut [u32]) -> Result<()> {
    for (at, pair) in block.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        let number = bits.unary()?;
        if number >= N_PAIRS {
            return Err(Error::corrupt(format!(
                "szip: expected a pair below {N_PAIRS}, found {number}"
            )));
        }
        let sum = FIRST_PAIRS.partition_point(|&first| first <= number) - 1;
        let second = number - FIRST_PAIRS[sum];
        // The first sample may be the reference, which stays.
        if at > 0 || n_references == 0 {
            pair[0] = sum as u32 - second;
        }
        pair[1] = second;
    }
    Ok(())
}

/// The upper bits of all samples, one by one, then the lower `k` of all.
fn decode_split(bits: &mut Bits<'_>, k: u32, block: &mut [u32]) -> Result<()> {
    for sample in block.iter_mut() {
        *sample = bits.unary()?.unbounded_shl(k);
    }
    if k > 0 {
        block.iter_mut().for_each(|sample| *sample = sample.wrapping_add(bits.take(k)));
    }
    Ok(())
}

/// Adds up the differences of unsigned samples up to `max`, the first one being a sample.
///
/// Small numbers are differences by turns up and down; those that would reach beyond the nearer
/// end of the range are the distance from that end.
fn undo_differences(max: u32, line: &mut [u32]) {
    let Some((&mut first, differences)) = line.split_first_mut() else { return };
    let (mut sample, upper_half) = (first, max / 2 + 1);
    for difference in differences {
        let mask = if sample & upper_half != 0 { max } else { 0 };
        let half = (*difference >> 1) + (*difference & 1);
        sample = if half <= mask ^ sample {
            // -1, -2 … for odd numbers.
            sample.wrapping_add((*difference >> 1) ^ (*difference & 1).wrapping_neg())
        } else {
            mask ^ *difference
        };
        *difference = sample;
    }
}

/// Writes samples until `to` is full.
fn write(layout: &Layout, line: &[u32], to: &mut [u8]) {
    match (layout.sample_size, layout.is_big_endian) {
        (1, _) => to.iter_mut().zip(line).for_each(|(to, &sample)| *to = sample as u8),
        (2, false) => write_as(to, line, |sample| (sample as u16).to_le_bytes()),
        (2, true) => write_as(to, line, |sample| (sample as u16).to_be_bytes()),
        (_, false) => write_as(to, line, u32::to_le_bytes),
        (_, true) => write_as(to, line, u32::to_be_bytes),
    }
}

fn write_as<const N: usize>(to: &mut [u8], line: &[u32], bytes: impl Fn(u32) -> [u8; N]) {
    let (items, tail) = to.as_chunks_mut::<N>();
    let n_items = items.len();
    items.iter_mut().zip(line).for_each(|(to, &sample)| *to = bytes(sample));
    let last = bytes(line.get(n_items).copied().unwrap_or_default());
    tail.iter_mut().zip(last).for_each(|(to, byte)| *to = byte);
}

/// Reads bits, the most significant one first. Behind the end there are zeros, until
/// [`Self::check`] finds out.
struct Bits<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl Bits<'_> {
    /// At least 57 bits, the next one on top.
    #[inline]
    fn next(&self) -> u64 {
        let rest = self.bytes.get(self.at / 8..).unwrap_or_default();
        let word = match rest.first_chunk() {
            Some(word) => u64::from_be_bytes(*word),
            None => {
                let mut word = [0; 8];
                word.iter_mut().zip(rest).for_each(|(to, &byte)| *to = byte);
                u64::from_be_bytes(word)
            }
        };
        word << (self.at % 8)
    }

    /// The next `n` bits, 1 to 32.
    #[inline]
    fn take(&mut self, n: u32) -> u32 {
        let bits = self.next() >> (64 - n);
        self.at += n as usize;
        bits as u32
    }

    /// How many zeros there are before a one, which is read as well.
    #[inline]
    fn unary(&mut self) -> Result<u32> {
        let next = self.next();
        if next >> 8 != 0 {
            let n = next.leading_zeros();
            self.at += n as usize + 1;
            return Ok(n);
        }
        self.long_unary()
    }

    #[cold]
    fn long_unary(&mut self) -> Result<u32> {
        let start = self.at;
        // Of the bits that are there for certain.
        while self.next() >> 8 == 0 {
            self.at += 56;
            self.check()?;
        }
        self.at += self.next().leading_zeros() as usize + 1;
        u32::try_from(self.at - start - 1)
            .map_err(|_| Error::corrupt("szip: a number of more than 32 bits"))
    }

    /// Whether all bits that were read were there.
    ///
    /// # Errors
    /// `Corrupt` if not.
    fn check(&self) -> Result<()> {
        if self.at.div_ceil(8) > self.bytes.len() {
            return Err(super::super::too_short(NAME, self.at.div_ceil(8), self.bytes.len()));
        }
        Ok(())
    }
}
