//! Samples to bits, with libaec's choices.

use super::{Layout, Lines, REST_OF_SEGMENT, SEGMENT_BLOCKS};
use crate::error::{Error, Result};

/// Appends the coded samples in `raw` to `out`.
///
/// # Errors
/// `InvalidInput` if a sample has more bits than it should.
pub(super) fn encode(
    layout: &Layout,
    raw: &[u8],
    out: &mut Vec<u8>,
    lines: &mut Lines,
) -> Result<()> {
    let mut coder = Coder { layout, bits: Bits { out, held: 0, n_held: 0 }, k: 0 };
    let Lines { samples, differences } = lines;
    for line in raw.chunks(layout.line_len * layout.sample_size) {
        read(layout, line, samples)?;
        let padding = match (layout.has_differences, samples.last()) {
            (true, Some(&last)) => last,
            _ => 0,
        };
        samples.resize(layout.padded_len(), padding);
        if layout.has_differences {
            take_differences(layout.max_sample(), samples, differences);
            coder.encode_line(samples.first().copied(), differences);
        } else {
            coder.encode_line(None, samples);
        }
    }
    coder.bits.finish();
    Ok(())
}

/// Reads the samples of a line; what is missing of the last one is zeros.
fn read(layout: &Layout, line: &[u8], samples: &mut Vec<u32>) -> Result<()> {
    samples.clear();
    match (layout.sample_size, layout.is_big_endian) {
        (1, _) => samples.extend(line.iter().map(|&byte| u32::from(byte))),
        (2, false) => read_as(line, samples, |bytes| u32::from(u16::from_le_bytes(bytes))),
        (2, true) => read_as(line, samples, |bytes| u32::from(u16::from_be_bytes(bytes))),
        (_, false) => read_as(line, samples, u32::from_le_bytes),
        (_, true) => read_as(line, samples, u32::from_be_bytes),
    }
    match samples.iter().find(|&&sample| sample > layout.max_sample()) {
        None => Ok(()),
        Some(sample) => Err(Error::invalid(format!(
            "szip: expected samples of {} bits, found {sample:#x}",
            layout.bits
        ))),
    }
}

fn read_as<const N: usize>(line: &[u8], samples: &mut Vec<u32>, sample: impl Fn([u8; N]) -> u32) {
    let (items, tail) = line.as_chunks::<N>();
    samples.extend(items.iter().map(|&bytes| sample(bytes)));
    if !tail.is_empty() {
        let mut last = [0; N];
        last.iter_mut().zip(tail).for_each(|(to, &byte)| *to = byte);
        samples.push(sample(last));
    }
}

/// The opposite of what the decoder undoes; the first difference is 0.
fn take_differences(max: u32, samples: &[u32], differences: &mut Vec<u32>) {
    differences.clear();
    differences.push(0);
    differences.extend(samples.windows(2).map(|pair| {
        let (before, sample) = (pair[0], pair[1]);
        if sample >= before {
            let up = sample - before;
            if up <= before { 2 * up } else { sample }
        } else {
            let down = before - sample;
            if down <= max - before { 2 * down - 1 } else { max - sample }
        }
    }));
}

/// What is chosen for a block.
enum Choice {
    Split(u32),
    Pairs,
    Uncoded,
}

struct Coder<'a> {
    layout: &'a Layout,
    bits: Bits<'a>,
    /// Lower bits that were left as they are in the last block that was split.
    k: u32,
}

impl Coder<'_> {
    /// Codes the blocks of a line, whose reference sample is `reference`.
    fn encode_line(&mut self, reference: Option<u32>, line: &[u32]) {
        let mut n_zeros = 0;
        let mut zero_reference = None;
        let n_blocks = self.layout.n_blocks;
        for (at, block) in line.chunks_exact(self.layout.block_len).enumerate() {
            let reference = reference.filter(|_| at == 0);
            if block.iter().all(|&sample| sample == 0) {
                if n_zeros == 0 {
                    zero_reference = reference;
                }
                n_zeros += 1;
                if at + 1 == n_blocks || (at + 1) % SEGMENT_BLOCKS == 0 {
                    let coded = if n_zeros < REST_OF_SEGMENT { n_zeros - 1 } else { 4 };
                    self.encode_zeros(zero_reference, coded);
                    n_zeros = 0;
                }
                continue;
            }
            if n_zeros > 0 {
                let coded = if n_zeros < REST_OF_SEGMENT { n_zeros - 1 } else { n_zeros };
                self.encode_zeros(zero_reference, coded);
                n_zeros = 0;
            }
            self.encode_block(reference, block);
        }
    }

    fn encode_zeros(&mut self, reference: Option<u32>, coded: usize) {
        self.bits.push(0, self.layout.id_bits() + 1);
        if let Some(reference) = reference {
            self.bits.push(reference, self.layout.bits);
        }
        self.bits.push_unary(coded as u64);
    }

    fn encode_block(&mut self, reference: Option<u32>, block: &[u32]) {
        let (id_bits, bits) = (self.layout.id_bits(), self.layout.bits);
        let skipped = usize::from(reference.is_some());
        match self.choose(skipped, block) {
            Choice::Split(k) => {
                self.bits.push(k + 1, id_bits);
                reference.iter().for_each(|&reference| self.bits.push(reference, bits));
                let coded = &block[skipped..];
                coded.iter().for_each(|&sample| self.bits.push_unary(u64::from(sample >> k)));
                if k > 0 {
                    let mask = (1 << k) - 1;
                    coded.iter().for_each(|&sample| self.bits.push(sample & mask, k));
                }
            }
            Choice::Pairs => {
                self.bits.push(1, id_bits + 1);
                reference.iter().for_each(|&reference| self.bits.push(reference, bits));
                for &[first, second] in block.as_chunks::<2>().0 {
                    self.bits.push_unary(pair_number(first, second));
                }
            }
            Choice::Uncoded => {
                self.bits.push(self.layout.uncoded_id(), id_bits);
                let samples = reference.iter().chain(&block[skipped..]);
                samples.for_each(|&sample| self.bits.push(sample, bits));
            }
        }
    }

    /// The shortest way, in the order in which libaec prefers them.
    fn choose(&mut self, skipped: usize, block: &[u32]) -> Choice {
        let n_coded = (block.len() - skipped) as u64;
        let uncoded_len = n_coded * u64::from(self.layout.bits);
        let (k, split_len) = self.best_split(n_coded, block);
        let pairs_len = pairs_len(block, uncoded_len).unwrap_or(u64::MAX);
        if split_len < uncoded_len {
            if split_len < pairs_len { Choice::Split(k) } else { Choice::Pairs }
        } else if uncoded_len <= pairs_len {
            Choice::Uncoded
        } else {
            Choice::Pairs
        }
    }

    /// How many lower bits are best left as they are, and the length of a block then.
    ///
    /// The length has one minimum, so it is searched from the last block's on, upwards and else
    /// downwards: upwards it can only fall while the upper parts take a bit and more a sample.
    fn best_split(&mut self, n_coded: u64, block: &[u32]) -> (u32, u64) {
        let max = (1 << self.layout.id_bits()) - 3;
        let upper_len = |k: u32| block.iter().map(|&sample| u64::from(sample >> k)).sum::<u64>();
        let start = self.k;
        let (mut best, mut best_upper) = (start, upper_len(start));
        let mut best_len = best_upper + n_coded * u64::from(start + 1);
        while best_upper >= n_coded && best < max {
            let upper = upper_len(best + 1);
            let len = upper + n_coded * u64::from(best + 2);
            if len >= best_len {
                break;
            }
            (best, best_upper, best_len) = (best + 1, upper, len);
        }
        if best == start {
            while best > 0 {
                let upper = upper_len(best - 1);
                let len = upper + n_coded * u64::from(best);
                if len >= best_len {
                    break;
                }
                (best, best_len) = (best - 1, len);
                if upper >= n_coded {
                    break;
                }
            }
        }
        self.k = best;
        (best, best_len)
    }
}

/// The length of a block as pairs; `None` if that is more than `limit`.
fn pairs_len(block: &[u32], limit: u64) -> Option<u64> {
    let mut len = 1;
    for &[first, second] in block.as_chunks::<2>().0 {
        len += pair_number(first, second) + 1;
        if len > limit {
            return None;
        }
    }
    Some(len)
}

/// Pairs are numbered by their sum, then by the second.
fn pair_number(first: u32, second: u32) -> u64 {
    let sum = u64::from(first) + u64::from(second);
    sum * (sum + 1) / 2 + u64::from(second)
}

/// Appends bits, the most significant one first.
struct Bits<'a> {
    out: &'a mut Vec<u8>,
    /// The lowest `n_held` bits are not yet written.
    held: u64,
    /// Less than 32.
    n_held: u32,
}

impl Bits<'_> {
    /// The lowest `n` bits of `bits`, which has no others; `n` is at most 32.
    #[inline]
    fn push(&mut self, bits: u32, n: u32) {
        self.held = (self.held << n) | u64::from(bits);
        self.n_held += n;
        if self.n_held >= 32 {
            self.n_held -= 32;
            self.out.extend_from_slice(&((self.held >> self.n_held) as u32).to_be_bytes());
        }
    }

    /// So many zeros, and a one.
    #[inline]
    fn push_unary(&mut self, mut n_zeros: u64) {
        while n_zeros >= 31 {
            self.push(0, 31);
            n_zeros -= 31;
        }
        self.push(1, n_zeros as u32 + 1);
    }

    /// Pads with zeros to whole bytes.
    fn finish(&mut self) {
        let n_bytes = self.n_held.div_ceil(8);
        let padded = (self.held << (8 * n_bytes - self.n_held)).to_be_bytes();
        let start = padded.len() - n_bytes as usize;
        self.out.extend_from_slice(&padded[start..]);
        (self.held, self.n_held) = (0, 0);
    }
}
