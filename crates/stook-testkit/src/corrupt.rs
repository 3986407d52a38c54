//! Damage for files that are not trusted: every reader gives an error or data, never a panic.

/// Calls `check` with `bytes` cut at every length: all of them for short files, about
/// `max_cuts` for long ones.
pub fn truncations(bytes: &[u8], max_cuts: usize, check: &mut dyn FnMut(&[u8])) {
    let step = bytes.len().div_ceil(max_cuts.max(1)).max(1);
    (0..bytes.len()).step_by(step).for_each(|len| check(&bytes[..len]));
}

/// Calls `check` with `bytes` changed at one position: one bit flipped, or all of them.
pub fn bit_flips(bytes: &[u8], max_flips: usize, check: &mut dyn FnMut(&[u8])) {
    let step = bytes.len().div_ceil(max_flips.max(1)).max(1);
    let mut damaged = bytes.to_vec();
    for (n, at) in (0..bytes.len()).step_by(step).enumerate() {
        for mask in [1 << (n % 8), 0xff] {
            damaged[at] ^= mask;
            check(&damaged);
            damaged[at] ^= mask;
        }
    }
}
