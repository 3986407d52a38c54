//! LZF, as h5py's filter 32000 stores it: a bare LibLZF stream without a header.
//!
//! A control byte below 32 is followed by that many literal bytes and one more. Any other holds
//! the length in its upper three bits (7: a byte with the rest follows) and, with the byte
//! behind, the distance: `length + 2` bytes are copied from `distance + 1` back.

use super::{Codec, Scratch, spare};
use crate::error::{Error, Result};

const MAX_LITERALS: usize = 32;
const MAX_DISTANCE: usize = 1 << 13;
const MAX_MATCH: usize = 264;
const MIN_MATCH: usize = 3;
const TABLE_BITS: u32 = 14;

/// Compresses with LZF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lzf;

impl Codec for Lzf {
    fn name(&self) -> &'static str {
        "lzf"
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        super::generous_bound(raw_len)
    }

    /// Data that does not compress grows by a byte in 32; LibLZF would refuse it, but reads it.
    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, scratch: &mut Scratch) -> Result<()> {
        if u32::try_from(raw.len()).is_err() {
            return Err(Error::invalid(format!("lzf: {} bytes cannot be encoded", raw.len())));
        }
        spare::reserve(out, raw.len() + raw.len() / MAX_LITERALS + 1)?;
        compress(raw, out, scratch.context::<Table>());
        Ok(())
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        decompress(encoded, out)
    }
}

/// Where three bytes with a hash were last seen, plus one.
struct Table(Box<[u32; 1 << TABLE_BITS]>);

impl Default for Table {
    fn default() -> Self {
        Self(Box::new([0; 1 << TABLE_BITS]))
    }
}

impl Table {
    /// Where `key` was last seen before `at`, if anywhere.
    fn replace(&mut self, key: [u8; MIN_MATCH], at: usize) -> Option<usize> {
        let [a, b, c] = key;
        let hash = u32::from_le_bytes([a, b, c, 0]).wrapping_mul(0x9E37_79B1) >> (32 - TABLE_BITS);
        let slot = &mut self.0[hash as usize];
        let seen = std::mem::replace(slot, u32::try_from(at + 1).unwrap_or(0));
        seen.checked_sub(1).map(|seen| seen as usize)
    }
}

fn compress(raw: &[u8], out: &mut Vec<u8>, table: &mut Table) {
    table.0.fill(0);
    let (mut at, mut pending) = (0, 0);
    while let Some(&key) = raw.get(at..).and_then(|rest| rest.first_chunk::<MIN_MATCH>()) {
        match table.replace(key, at) {
            Some(seen) if at - seen <= MAX_DISTANCE && raw[seen..].starts_with(&key) => {
                put_literals(&raw[pending..at], out);
                let len = match_len(&raw[seen..], &raw[at..]);
                put_match(at - seen, len, out);
                at += len;
                pending = at;
                // Enough to find what repeats next.
                if let Some(&key) = raw.get(at - 2..).and_then(|rest| rest.first_chunk()) {
                    table.replace(key, at - 2);
                }
            }
            // The longer nothing repeats, the larger the steps.
            _ => at += 1 + ((at - pending) >> 6),
        }
    }
    put_literals(&raw[pending..], out);
}

fn match_len(seen: &[u8], here: &[u8]) -> usize {
    let max = here.len().min(MAX_MATCH);
    let (seen, here) = (&seen[..max], &here[..max]);
    let words = seen.as_chunks::<8>().0.iter().zip(here.as_chunks::<8>().0);
    let len = 8 * words.take_while(|(a, b)| a == b).count();
    let rest = seen[len..].iter().zip(&here[len..]);
    len + rest.take_while(|(a, b)| a == b).count()
}

fn put_literals(literals: &[u8], out: &mut Vec<u8>) {
    for run in literals.chunks(MAX_LITERALS) {
        out.push((run.len() - 1) as u8);
        out.extend_from_slice(run);
    }
}

fn put_match(distance: usize, len: usize, out: &mut Vec<u8>) {
    let [high, low] = (distance as u16 - 1).to_be_bytes();
    match len - 2 {
        len @ 0..7 => out.push((len as u8) << 5 | high),
        len => out.extend_from_slice(&[7 << 5 | high, (len - 7) as u8]),
    }
    out.push(low);
}

fn decompress(encoded: &[u8], out: &mut [u8]) -> Result<usize> {
    let (mut rest, mut written) = (encoded, 0);
    let room = out.len();
    while let Some((&control, behind)) = rest.split_first() {
        if control < 32 {
            let len = usize::from(control) + 1;
            let (_, after) = behind.split_at_checked(len).ok_or_else(cut_short)?;
            super::copy_literals(behind, out, written, len)
                .ok_or_else(|| super::longer_than("lzf", room))?;
            written += len;
            rest = after;
            continue;
        }
        let (len, low, behind) = match (control >> 5, behind) {
            (7, [more, low, behind @ ..]) => (7 + usize::from(*more), *low, behind),
            (len @ 1..7, [low, behind @ ..]) => (usize::from(len), *low, behind),
            _ => return Err(cut_short()),
        };
        let distance = usize::from(u16::from_be_bytes([control & 31, low])) + 1;
        let len = len + 2;
        if written + len > room {
            return Err(super::longer_than("lzf", room));
        }
        super::copy_match(out, written, distance, len).ok_or_else(|| {
            Error::corrupt(format!("lzf: byte {written} is copied from {distance} before it"))
        })?;
        written += len;
        rest = behind;
    }
    Ok(written)
}

#[cold]
fn cut_short() -> Error {
    Error::corrupt("lzf: the stream is cut short")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(raw: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Lzf.encode_into(raw, &mut out, &mut Scratch::new()).unwrap();
        out
    }

    fn decode(encoded: &[u8], len: usize) -> Result<Vec<u8>> {
        let mut out = vec![0; len];
        let n = Lzf.decode_into(encoded, &mut out, &mut Scratch::new())?;
        out.truncate(n);
        Ok(out)
    }

    #[test]
    fn controls_are_read_as_documented() {
        assert_eq!(decode(&[1, b'a', b'b', 0x20, 1], 5).unwrap(), b"ababa");
        assert_eq!(decode(&[0, b'x', 0xE0, 1, 0], 11).unwrap(), b"xxxxxxxxxxx");
        for broken in [&[1, b'a'][..], &[0, b'x', 0x20], &[0, b'x', 0xE0, 1], &[0, b'x', 0x20, 1]] {
            assert!(decode(broken, 100).is_err(), "{broken:?}");
        }
        assert!(decode(&[0, b'x', 0xE0, 1, 0], 10).is_err());
    }

    #[test]
    fn lengths_around_each_bound_round_trip() {
        for len in (0..600).chain([8191, 8192, 8193, 70_000]) {
            let zeros = vec![0; len];
            assert_eq!(decode(&encode(&zeros), len).unwrap(), zeros);
            let mixed: Vec<u8> = (0..len).map(|i| ((i * i) >> 5) as u8 ^ (i % 7) as u8).collect();
            assert_eq!(decode(&encode(&mixed), len).unwrap(), mixed);
        }
        assert!(encode(&[0; 10_000]).len() < 200);
    }

    #[test]
    fn the_farthest_distance_reaches_the_first_byte() {
        let mut encoded = Vec::new();
        put_literals(&[b"abc".as_slice(), &[7; MAX_DISTANCE - 3]].concat(), &mut encoded);
        encoded.extend([0x3F, 0xFF]);
        assert!(decode(&encoded, MAX_DISTANCE + 3).unwrap().ends_with(b"abc"));
        assert!(decode(&encoded, MAX_DISTANCE + 2).is_err());
    }
}
