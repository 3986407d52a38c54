//! Numbers of any number of bits one behind another, the highest bit first.

/// Appends bits to bytes.
pub(super) struct BitWriter<'o> {
    out: &'o mut Vec<u8>,
    held: u128,
    n_held: u32,
}

impl<'o> BitWriter<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, held: 0, n_held: 0 }
    }

    /// Appends the lowest `n_bits` of `value`, at most 64.
    #[inline]
    pub(super) fn put(&mut self, value: u64, n_bits: u32) {
        let value = value & low_bits(n_bits);
        self.held = self.held << n_bits | u128::from(value);
        self.n_held += n_bits;
        if self.n_held >= 64 {
            self.n_held -= 64;
            let word = (self.held >> self.n_held) as u64;
            self.out.extend_from_slice(&word.to_be_bytes());
        }
    }

    /// Writes what is held, and zeros to the end of its byte; a byte of zeros if nothing is held.
    pub(super) fn finish_with_part(self) {
        let n_bytes = self.n_held / 8 + 1;
        // 64 bits are written as soon as they are held, so at most 8 bytes are left.
        let bits = (self.held as u64 & low_bits(self.n_held)) << (n_bytes * 8 - self.n_held);
        self.out.extend_from_slice(&bits.to_be_bytes()[8 - n_bytes as usize..]);
    }
}

/// Reads bits from bytes.
#[derive(Clone, Copy)]
pub(super) struct BitReader<'e> {
    bytes: &'e [u8],
    /// Bits before the next.
    at: usize,
}

impl<'e> BitReader<'e> {
    pub(super) fn new(bytes: &'e [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next `n_bits`, at most 64; what is behind the end is zero.
    #[inline]
    pub(super) fn take(&mut self, n_bits: u32) -> u64 {
        let (start, skipped) = (self.at / 8, (self.at % 8) as u32);
        self.at += n_bits as usize;
        if n_bits == 0 {
            return 0;
        }
        let rest = self.bytes.get(start..).unwrap_or_default();
        let (word, next) = match rest.first_chunk::<9>() {
            Some([word @ .., next]) => (u64::from_be_bytes(*word), *next),
            None => {
                let mut padded = [0; 9];
                padded[..rest.len()].copy_from_slice(rest);
                let [word @ .., next] = padded;
                (u64::from_be_bytes(word), next)
            }
        };
        // The bits that a shifted word lacks are in the byte behind it.
        let word = word << skipped | u64::from(next) >> (8 - skipped);
        word >> (64 - n_bits)
    }
}

/// A number whose lowest `n_bits` are set.
pub(super) fn low_bits(n_bits: u32) -> u64 {
    1_u64.checked_shl(n_bits).unwrap_or(0).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_back_whatever_their_number() {
        let n_bits = |i: u32| i * 7 % 65;
        let value = |i: u32| u64::from(i).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut out = Vec::new();
        let mut writer = BitWriter::new(&mut out);
        (0..500).for_each(|i| writer.put(value(i), n_bits(i)));
        writer.finish_with_part();
        let total: usize = (0..500).map(|i| n_bits(i) as usize).sum();
        assert_eq!(out.len(), total / 8 + 1);
        let mut reader = BitReader::new(&out);
        for i in 0..500 {
            assert_eq!(reader.take(n_bits(i)), value(i) & low_bits(n_bits(i)), "{i}");
        }
        assert_eq!(reader.take(64), 0);
    }

    #[test]
    fn whole_bytes_end_with_one_of_zeros() {
        for n in [0, 1, 7, 8, 9, 16] {
            let mut out = Vec::new();
            let mut writer = BitWriter::new(&mut out);
            (0..n).for_each(|_| writer.put(0xFF, 8));
            writer.finish_with_part();
            assert_eq!(out, [vec![0xFF; n], vec![0]].concat());
        }
    }
}
