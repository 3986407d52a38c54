//! BloscLZ, the compressor of Blosc's own: its version 1 streams.
//!
//! A control byte below 32 is followed by that many literal bytes and one more. Any other copies
//! `length + 3` bytes from `distance + 1` back: the upper three bits less one are the length (at
//! 6, bytes are added up to one that is not 255), the lower five and the next byte the distance.
//! The largest such distance is followed by two bytes, big-endian, of what is beyond it.

use crate::codec::{Scratch, copy_literals, copy_match, longer_than, spare};
use crate::error::{Error, Result};

const FAR: usize = 8191;
/// The longest distance but one that can be written.
const MAX_DISTANCE: usize = FAR + 65_535;
/// Literals of a control byte.
const MAX_LITERALS: usize = 32;
/// Set in the first byte of a stream, whose lower bits count literals.
const FIRST: u8 = 0x20;
/// Bytes at the end that are literals: the C library's decoder reads no match there.
const LAST_LITERALS: usize = 12;
/// Matches that are farther cost two more bytes.
const MIN_FAR_MATCH: usize = 7;
/// Entries of the table of places, as a power of two.
const MAX_TABLE_BITS: u32 = 14;

/// Decodes `encoded` to the front of `out` and returns how many bytes that were.
pub(super) fn decompress(encoded: &[u8], out: &mut [u8]) -> Result<usize> {
    let mut input = Input(encoded);
    let mut written = 0;
    // The upper bits of the first byte are the version.
    let mut control = input.byte()? & 31;
    loop {
        if control < 32 {
            let (from, len) = (input.0, usize::from(control) + 1);
            input.take(len)?;
            copy_literals(from, out, written, len)
                .ok_or_else(|| longer_than("blosclz", out.len()))?;
            written += len;
        } else {
            let (distance, len) = input.copy(control)?;
            if len > out.len() - written {
                return Err(longer_than("blosclz", out.len()));
            }
            copy_match(out, written, distance, len).ok_or_else(|| {
                let message = format!("byte {written} is copied from {distance} before it");
                Error::corrupt(format!("blosclz: {message}"))
            })?;
            written += len;
        }
        match input.0.split_first() {
            None => return Ok(written),
            Some((&next, rest)) => (control, input.0) = (next, rest),
        }
    }
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let cut_short = || Error::corrupt("blosclz: the stream is cut short");
        let (taken, rest) = self.0.split_at_checked(len).ok_or_else(cut_short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    /// The distance and length of the copy that `control` begins.
    fn copy(&mut self, control: u8) -> Result<(usize, usize)> {
        let mut len = usize::from(control >> 5) - 1;
        if len == 6 {
            loop {
                let more = self.byte()?;
                len += usize::from(more);
                if more != 255 {
                    break;
                }
            }
        }
        let mut distance = usize::from(u16::from_be_bytes([control & 31, self.byte()?]));
        if distance == FAR {
            distance += usize::from(u16::from_be_bytes([self.byte()?, self.byte()?]));
        }
        Ok((distance + 1, len + 3))
    }
}

/// Appends the stream of `raw` to `out` if it takes at most `room` bytes.
///
/// # Errors
/// `LimitExceeded` if there is no memory.
pub(super) fn compress_within(
    level: u32,
    raw: &[u8],
    room: usize,
    out: &mut Vec<u8>,
    scratch: &mut Scratch,
) -> Result<bool> {
    let Some(end) = raw.len().checked_sub(LAST_LITERALS).filter(|&end| end > 0) else {
        return Ok(false);
    };
    // Room for what the last step writes too much.
    spare::reserve(out, room.saturating_add(2 * MAX_LITERALS + raw.len() / 128))?;
    let start = out.len();
    let table = scratch.context::<Places>().cleared(level, raw.len());
    let shift = u32::BITS - table.len().ilog2();
    let (mut at, mut n_encoded) = (1, 0);
    // The more bytes in a row are like none before, the fewer are looked at.
    let mut n_misses = 1_usize << 5;
    while at < end {
        let word = word_at(raw, at);
        let place = &mut table[(word.wrapping_mul(0x9E37_79B1) >> shift) as usize];
        let candidate = *place as usize;
        *place = at as u32;
        let distance = at - candidate;
        if distance > MAX_DISTANCE || word_at(raw, candidate) != word {
            at += n_misses >> 5;
            n_misses += 1;
            continue;
        }
        let len = 4 + common_len(&raw[candidate + 4..], &raw[at + 4..end.max(at + 4)]);
        if distance > FAR && len < MIN_FAR_MATCH {
            at += 1;
            continue;
        }
        push_literals(&raw[n_encoded..at], out);
        push_match(distance, len, out);
        if out.len() - start > room {
            out.truncate(start);
            return Ok(false);
        }
        at += len;
        n_encoded = at;
        n_misses = 1 << 5;
    }
    push_literals(&raw[n_encoded..], out);
    if out.len() - start > room {
        out.truncate(start);
        return Ok(false);
    }
    out[start] |= FIRST;
    Ok(true)
}

fn push_literals(literals: &[u8], out: &mut Vec<u8>) {
    for literals in literals.chunks(MAX_LITERALS) {
        out.push(literals.len() as u8 - 1);
        out.extend_from_slice(literals);
    }
}

fn push_match(distance: usize, len: usize, out: &mut Vec<u8>) {
    let (distance, len) = (distance - 1, len - 2);
    let [high, low] = (distance.min(FAR) as u16).to_be_bytes();
    out.push((len.min(7) as u8) << 5 | high);
    if let Some(mut more) = len.checked_sub(7) {
        while more >= 255 {
            out.push(255);
            more -= 255;
        }
        out.push(more as u8);
    }
    out.push(low);
    if let Some(beyond) = distance.checked_sub(FAR) {
        out.extend_from_slice(&(beyond as u16).to_be_bytes());
    }
}

fn word_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |word| u32::from_le_bytes(*word))
}

/// How many bytes at the front are the same.
fn common_len(a: &[u8], b: &[u8]) -> usize {
    let (a_words, b_words) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
    for (i, (a, b)) in a_words.iter().zip(b_words).enumerate() {
        let differing = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differing != 0 {
            return 8 * i + differing.trailing_zeros() as usize / 8;
        }
    }
    let start = 8 * a_words.len().min(b_words.len());
    start + a[start..].iter().zip(&b[start..]).take_while(|(a, b)| a == b).count()
}

/// Where four bytes with a hash were seen last.
#[derive(Default)]
struct Places(Vec<u32>);

impl Places {
    /// As many as `len` bytes are worth, all of them 0.
    fn cleared(&mut self, level: u32, len: usize) -> &mut [u32] {
        let bits = match level {
            0..=1 => MAX_TABLE_BITS - 2,
            2 => MAX_TABLE_BITS - 1,
            _ => MAX_TABLE_BITS,
        };
        let n = 1 << len.ilog2().clamp(6, bits);
        self.0.resize(1 << MAX_TABLE_BITS, 0);
        let places = &mut self.0[..n];
        places.fill(0);
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(encoded: &[u8], len: usize) -> Result<Vec<u8>> {
        let mut out = vec![0; len];
        let n = decompress(encoded, &mut out)?;
        out.truncate(n);
        Ok(out)
    }

    fn noise(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i.wrapping_mul(i).wrapping_mul(2_654_435_761) >> 13) as u8).collect()
    }

    #[test]
    fn what_is_compressed_is_decompressed() {
        let mut scratch = Scratch::new();
        for period in [1, 2, 9, 30, 31, 500] {
            for len in [200, 2000, 99_999] {
                let raw: Vec<u8> =
                    noise(period).into_iter().cycle().take(len.max(3 * period)).collect();
                let (mut encoded, room) = (vec![1, 2], raw.len() - 1);
                assert!(compress_within(9, &raw, room, &mut encoded, &mut scratch).unwrap());
                assert!(encoded.len() < raw.len() / 2, "{} of {}", encoded.len(), raw.len());
                assert!(decode(&encoded[2..], raw.len()).unwrap() == raw, "{period} {len}");
            }
        }
        let mut out = vec![5];
        assert!(!compress_within(5, &noise(5000), 4999, &mut out, &mut scratch).unwrap());
        assert_eq!(out, [5]);
    }

    #[test]
    fn every_distance_and_length_can_be_written() {
        let raw = noise(80_000);
        for distance in [1, 2, 8191, 8192, 8193, MAX_DISTANCE, MAX_DISTANCE + 1] {
            for len in [3, 8, 9, 263, 264, 265, 5000] {
                let mut encoded = Vec::new();
                push_literals(&raw, &mut encoded);
                push_match(distance, len, &mut encoded);
                let decoded = decode(&encoded, raw.len() + len).unwrap();
                let expected = raw[raw.len() - distance..].iter().cycle().take(len);
                assert!(decoded[raw.len()..].iter().eq(expected), "{distance} {len}");
            }
        }
    }

    #[test]
    fn controls_are_read_as_documented() {
        assert_eq!(decode(&[0x21, b'a', b'b', 0x40, 1], 6).unwrap(), b"ababab");
        assert_eq!(decode(&[0x20, b'x', 0xE0, 2, 0], 12).unwrap(), b"xxxxxxxxxxxx");
        for broken in
            [&[][..], &[1, b'a'], &[0, b'x', 0x20], &[0, b'x', 0xE0, 255], &[0, 1, 63, 255, 0]]
        {
            assert!(decode(broken, 1000).is_err(), "{broken:?}");
        }
        assert!(decode(&[0x20, b'x', 0xE0, 2, 0], 11).is_err());
    }
}
