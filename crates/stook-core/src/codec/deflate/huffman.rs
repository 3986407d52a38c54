//! Canonical Huffman codes of limited length.

/// A code as it is written: its bits in the order of the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) bits: u16,
    pub(super) len: u8,
}

/// The lengths of the codes of symbols that occur so often, at most `MAX` bits each.
///
/// Two symbols get codes even where fewer occur: a code of one bit alone is not complete, which
/// some decoders refuse.
pub(super) fn limited_lengths<const N: usize, const MAX: usize>(counts: &[u32; N]) -> [u8; N] {
    let mut lengths = [0; N];
    let mut used = [(0_u32, 0_u16); N];
    let mut n = 0;
    for (symbol, &count) in counts.iter().enumerate() {
        if count > 0 {
            used[n] = (count, symbol as u16);
            n += 1;
        }
    }
    let used = &mut used[..n];
    if n < 2 {
        let first = used.first().map_or(0, |&(_, symbol)| usize::from(symbol));
        lengths[first] = 1;
        lengths[if first == 0 { 1 } else { 0 }] = 1;
        return lengths;
    }
    used.sort_unstable();
    // How many codes there are of each length, by Moffat and Katajainen's method: in place, the
    // counts become the parents of nodes, then their depths.
    let mut nodes = [0_u32; N];
    used.iter().zip(&mut nodes).for_each(|(&(count, _), node)| *node = count);
    let depths = &mut nodes[..n];
    minimum_redundancy(depths);
    let mut n_of_len = [0_u32; 32];
    depths.iter().for_each(|&depth| n_of_len[(depth as usize).min(31)] += 1);
    limit::<MAX>(&mut n_of_len);
    // The rarest symbols get the longest codes.
    let mut symbols = used.iter();
    for len in (1..=MAX).rev() {
        for &(_, symbol) in symbols.by_ref().take(n_of_len[len] as usize) {
            lengths[usize::from(symbol)] = len as u8;
        }
    }
    lengths
}

/// Replaces weights, rising, by the depths of their leaves.
fn minimum_redundancy(a: &mut [u32]) {
    let n = a.len();
    // Weights become parents.
    a[0] += a[1];
    let (mut root, mut leaf) = (0, 2);
    for next in 1..n - 1 {
        if leaf >= n || a[root] < a[leaf] {
            a[next] = a[root];
            a[root] = next as u32;
            root += 1;
        } else {
            a[next] = a[leaf];
            leaf += 1;
        }
        if leaf >= n || root < next && a[root] < a[leaf] {
            a[next] += a[root];
            a[root] = next as u32;
            root += 1;
        } else {
            a[next] += a[leaf];
            leaf += 1;
        }
    }
    // Parents become depths of inner nodes.
    a[n - 2] = 0;
    for next in (0..n - 2).rev() {
        a[next] = a[a[next] as usize] + 1;
    }
    // Depths of inner nodes become depths of leaves.
    let (mut available, mut used, mut depth) = (1_usize, 0_usize, 0_u32);
    let (mut root, mut next) = (n as isize - 2, n as isize - 1);
    while available > 0 {
        while root >= 0 && a[root as usize] == depth {
            used += 1;
            root -= 1;
        }
        while available > used {
            a[next as usize] = depth;
            next -= 1;
            available -= 1;
        }
        available = 2 * used;
        depth += 1;
        used = 0;
    }
}

/// Shortens codes over `MAX` bits, and lengthens others for that as little as can be.
fn limit<const MAX: usize>(n_of_len: &mut [u32; 32]) {
    let too_long: u32 = n_of_len[MAX + 1..].iter().sum();
    if too_long == 0 {
        return;
    }
    n_of_len[MAX + 1..].fill(0);
    n_of_len[MAX] += too_long;
    // The sum of 2^-len over all codes, in units of 2^-MAX, must come down to 2^MAX of them.
    let mut sum: u64 = (1..=MAX).map(|len| u64::from(n_of_len[len]) << (MAX - len)).sum();
    while sum > 1 << MAX {
        // A code of the longest length moves below a shorter one, which becomes one longer.
        n_of_len[MAX] -= 1;
        let shorter = (1..MAX).rev().find(|&len| n_of_len[len] > 0).unwrap_or(1);
        n_of_len[shorter] -= 1;
        n_of_len[shorter + 1] += 2;
        sum -= 1;
    }
}

/// The canonical codes of these lengths.
pub(super) fn lengths_to_codes<const N: usize>(lengths: &[u8; N]) -> [Code; N] {
    let mut next = [0_u16; 17];
    for &len in lengths {
        next[usize::from(len) + 1] += u16::from(len > 0);
    }
    let mut code = 0_u16;
    for slot in &mut next[1..] {
        // `slot` counts the codes one shorter.
        code = (code + *slot) << 1;
        *slot = code;
    }
    let mut codes = [Code::default(); N];
    for (code, &len) in codes.iter_mut().zip(lengths) {
        if len > 0 {
            let value = next[usize::from(len)];
            next[usize::from(len)] += 1;
            *code = Code { bits: value.reverse_bits() >> (16 - len), len };
        }
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sum of 2^-len over all codes: 1 where they are complete.
    fn kraft(lengths: &[u8]) -> f64 {
        lengths.iter().filter(|&&len| len > 0).map(|&len| 0.5_f64.powi(len.into())).sum()
    }

    #[test]
    fn codes_are_complete_and_short_enough() {
        let even = [3_u32; 19];
        let mut fibonacci = [1_u32; 40];
        (2..40).for_each(|i| fibonacci[i] = fibonacci[i - 1].saturating_add(fibonacci[i - 2]));
        let mut sparse = [0_u32; 40];
        (sparse[3], sparse[9], sparse[39]) = (1000, 1, 1);
        assert!(kraft(&limited_lengths::<19, 7>(&even)) == 1.0);
        for counts in [fibonacci, sparse, [0; 40], std::array::from_fn(|i| u32::from(i == 7))] {
            let lengths = limited_lengths::<40, 15>(&counts);
            assert!(kraft(&lengths) == 1.0, "{lengths:?}");
            assert!(lengths.iter().all(|&len| len <= 15));
            let has_codes = counts.iter().zip(&lengths).all(|(&n, &len)| n == 0 || len > 0);
            assert!(has_codes, "{counts:?}: {lengths:?}");
        }
    }

    #[test]
    fn codes_are_those_of_the_specification() {
        // RFC 1951, section 3.2.2: lengths (3, 3, 3, 3, 3, 2, 4, 4).
        let codes = lengths_to_codes(&[3, 3, 3, 3, 3, 2, 4, 4]);
        let forward = codes.map(|code| code.bits.reverse_bits() >> (16 - code.len));
        assert_eq!(forward, [0b010, 0b011, 0b100, 0b101, 0b110, 0b00, 0b1110, 0b1111]);
    }
}
