//! HDF5's Fletcher-32: the sums of big-endian 16-bit words modulo 65,535, appended little-endian.
//!
//! HDF5 Format Specification 3.0, section IV.A.2.l, and the library's reading of it: a last odd
//! byte is the high byte of a word, and a sum that is a multiple of 65,535 is stored as 65,535
//! unless all words are zero.

use super::checksum::Sum;

/// HDF5's Fletcher-32.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fletcher32;

impl Sum for Fletcher32 {
    const NAME: &'static str = "fletcher32";

    fn of(&self, data: &[u8]) -> u32 {
        checksum(data)
    }

    /// HDF5 before 1.6.3 stored each half with its bytes swapped.
    fn other_form(&self, sum: u32) -> u32 {
        sum.swap_bytes().rotate_left(16)
    }
}

/// Words that are summed side by side.
const LANES: usize = 16;
/// Rows of lanes after which a `u32` could overflow: 65,535 * 256 * 255 / 2 still fits.
const MAX_ROWS: usize = 256;
const ROW_LEN: usize = 2 * LANES;

/// `sum1` is the sum of the words, `sum2` that of `sum1` after each word.
fn checksum(data: &[u8]) -> u32 {
    let (mut sum1, mut sum2) = (0_u64, 0_u64);
    for block in data.chunks(MAX_ROWS * ROW_LEN) {
        let (rows, tail) = block.as_chunks::<ROW_LEN>();
        (sum1, sum2) = add_rows(sum1, sum2, rows);
        let (words, odd) = tail.as_chunks::<2>();
        let odd = odd.first().map(|&byte| u16::from(byte) << 8);
        for word in words.iter().map(|&word| u16::from_be_bytes(word)).chain(odd) {
            sum1 += u64::from(word);
            sum2 += sum1;
        }
        (sum1, sum2) = (u64::from(reduce(sum1)), u64::from(reduce(sum2)));
    }
    (reduce(sum2) << 16) | reduce(sum1)
}

/// Adds at most `MAX_ROWS` rows, in a form that compiles to vector instructions: word `l` of row
/// `k` of `n` counts `LANES * (n - k) - l` times in `sum2`.
fn add_rows(sum1: u64, sum2: u64, rows: &[[u8; ROW_LEN]]) -> (u64, u64) {
    let (mut once, mut by_row) = ([0_u32; LANES], [0_u32; LANES]);
    for row in rows {
        for (lane, word) in row.as_chunks::<2>().0.iter().enumerate() {
            by_row[lane] += once[lane];
            once[lane] += u32::from(u16::from_be_bytes(*word));
        }
    }
    let n_words = (rows.len() * LANES) as u64;
    let mut sums = (sum1, sum2 + n_words * sum1);
    for (lane, (&once, &by_row)) in once.iter().zip(&by_row).enumerate() {
        let (once, by_row) = (u64::from(once), u64::from(by_row));
        sums.0 += once;
        sums.1 += LANES as u64 * (by_row + once) - lane as u64 * once;
    }
    sums
}

/// Folds the carries in: 1 to 65,535, and 0 for 0.
fn reduce(sum: u64) -> u32 {
    let rest = u32::try_from(sum % 0xFFFF).expect("less than 65,535");
    if rest == 0 && sum > 0 { 0xFFFF } else { rest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::checksum::Checksum;
    use crate::codec::{Codec, Scratch};

    const FLETCHER32: Checksum<Fletcher32> = Checksum::appended(Fletcher32);

    /// The definition, word by word.
    fn naive(data: &[u8]) -> u32 {
        let (mut sum1, mut sum2) = (0_u32, 0_u32);
        for pair in data.chunks(2) {
            let low = pair.get(1).copied().unwrap_or(0);
            let fold = |sum: u32| (sum & 0xFFFF) + (sum >> 16);
            sum1 = fold(sum1 + u32::from(u16::from_be_bytes([pair[0], low])));
            sum2 = fold(sum2 + sum1);
        }
        (sum2 << 16) | sum1
    }

    #[test]
    fn sums_agree_with_the_definition() {
        let data: Vec<u8> = (0..40_001_u32).map(|i| ((i * i) >> 3) as u8).collect();
        for len in (0..100).chain([8191, 8192, 8193, 8224, 16_384, 40_000, 40_001]) {
            assert_eq!(checksum(&data[..len]), naive(&data[..len]), "{len}");
        }
        let ones = [0xFF; 20_000];
        assert_eq!(checksum(&ones), naive(&ones));
        assert_eq!(checksum(&[0; 999]), 0);
    }

    #[test]
    fn the_checksum_of_old_libraries_is_read() {
        let mut encoded = Vec::new();
        FLETCHER32.encode_into(b"stook", &mut encoded, &mut Scratch::new()).unwrap();
        encoded[5..].swap(0, 1);
        encoded[5..].swap(2, 3);
        let mut out = [0; 5];
        assert_eq!(FLETCHER32.decode_into(&encoded, &mut out, &mut Scratch::new()).unwrap(), 5);
        encoded[5..].swap(0, 1);
        assert!(FLETCHER32.decode_into(&encoded, &mut out, &mut Scratch::new()).is_err());
    }
}
