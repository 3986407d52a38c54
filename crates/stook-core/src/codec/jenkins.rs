//! Bob Jenkins' lookup3 hash, as HDF5 uses it for its metadata (numcodecs `jenkins_lookup3`).

use super::checksum::Sum;

/// Bytes that are mixed at a time.
const BLOCK_LEN: usize = 12;

/// The hash of `prefix` and the bytes, begun with `initial`.
#[derive(Clone, Debug)]
pub(super) struct Jenkins {
    pub(super) initial: u32,
    pub(super) prefix: Vec<u8>,
}

impl Sum for Jenkins {
    const NAME: &'static str = "jenkins_lookup3";

    fn of(&self, data: &[u8]) -> u32 {
        hash(self.initial, &self.prefix, data)
    }
}

/// The hash of `bytes`, begun with 0: the checksum of HDF5's metadata.
#[must_use]
pub fn lookup3(bytes: &[u8]) -> u32 {
    hash(0, &[], bytes)
}

/// The hash of `prefix` and `data`, one behind the other.
fn hash(initial: u32, prefix: &[u8], data: &[u8]) -> u32 {
    let len = prefix.len() + data.len();
    // The hash counts the length modulo 2^32.
    let mut state = [0xDEAD_BEEF_u32.wrapping_add(len as u32).wrapping_add(initial); 3];
    let Some(n_mixed) = len.checked_sub(1).map(|last| last / BLOCK_LEN) else {
        return state[2];
    };
    let (whole, rest) = prefix.as_chunks::<BLOCK_LEN>();
    whole.iter().take(n_mixed).for_each(|block| mix(&mut state, block));
    let mut n_left = n_mixed.saturating_sub(whole.len());
    let mut data_start = 0;
    if n_left > 0 && !rest.is_empty() {
        data_start = BLOCK_LEN - rest.len();
        mix(&mut state, &joined(rest, data));
        n_left -= 1;
    }
    let (blocks, _) = data.get(data_start..).unwrap_or_default().as_chunks::<BLOCK_LEN>();
    blocks.iter().take(n_left).for_each(|block| mix(&mut state, block));

    let end = n_mixed * BLOCK_LEN;
    let last_of_prefix = prefix.get(end..).unwrap_or_default();
    let last_of_data = data.get(end.saturating_sub(prefix.len())..).unwrap_or_default();
    finish(&mut state, &joined(last_of_prefix, last_of_data));
    state[2]
}

/// The first bytes of `front` and `behind`, zeros behind them.
fn joined(front: &[u8], behind: &[u8]) -> [u8; BLOCK_LEN] {
    let mut block = [0; BLOCK_LEN];
    block.iter_mut().zip(front.iter().chain(behind)).for_each(|(to, &from)| *to = from);
    block
}

#[inline]
fn add(state: &mut [u32; 3], block: &[u8; BLOCK_LEN]) {
    for (sum, word) in state.iter_mut().zip(block.as_chunks::<4>().0) {
        *sum = sum.wrapping_add(u32::from_le_bytes(*word));
    }
}

/// lookup3's `mix`.
#[inline]
fn mix(state: &mut [u32; 3], block: &[u8; BLOCK_LEN]) {
    add(state, block);
    let [mut a, mut b, mut c] = *state;
    a = a.wrapping_sub(c) ^ c.rotate_left(4);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(6);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(8);
    b = b.wrapping_add(a);
    a = a.wrapping_sub(c) ^ c.rotate_left(16);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(19);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(4);
    b = b.wrapping_add(a);
    *state = [a, b, c];
}

/// lookup3's `final`.
fn finish(state: &mut [u32; 3], block: &[u8; BLOCK_LEN]) {
    add(state, block);
    let [mut a, mut b, mut c] = *state;
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    c = (c ^ b).wrapping_sub(b.rotate_left(24));
    *state = [a, b, c];
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that the hash's author gives.
    #[test]
    fn published_values_are_found() {
        let text = b"Four score and seven years ago";
        assert_eq!(hash(0, b"", text), 0x1777_0551);
        assert_eq!(hash(1, b"", text), 0xCD62_8161);
        assert_eq!(hash(0, b"", b""), 0xDEAD_BEEF);
    }

    #[test]
    fn a_prefix_is_hashed_as_if_it_stood_before_the_data() {
        let all: Vec<u8> = (0..90_u8).map(|i| i.wrapping_mul(7)).collect();
        for len in 0..all.len() {
            let expected = hash(5, b"", &all[..len]);
            for cut in 0..=len {
                assert_eq!(hash(5, &all[..cut], &all[cut..len]), expected, "{cut} of {len}");
            }
        }
    }
}
