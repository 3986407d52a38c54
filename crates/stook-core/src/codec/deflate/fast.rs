//! A DEFLATE (RFC 1951) encoder for speed: what levels 1 and 2 mean for chunks of numbers.
//!
//! Arrays of numbers are runs (mostly of zeros) between bytes that hardly repeat. Runs are found
//! first, eight bytes at a time, as matches at distance 1, whose code is short; other matches by
//! one probe of a hash table, which no position inside a match enters. Each block then gets the
//! Huffman codes of its own symbols, or is stored where that is shorter.
//!
//! Invariant: the table keeps what earlier calls put there; positions go on from call to call, so
//! that an old entry is farther than the window and never looked at.

use super::huffman::{Code, lengths_to_codes, limited_lengths};
use crate::codec::spare;
use crate::error::Result;

const WINDOW: usize = 32 << 10;
const MAX_MATCH: usize = 258;
const HASH_BITS: u32 = 14;
/// Matches up to this length are entered into the table at all their positions.
const INSERTED: usize = 16;
/// Longer input is encoded in parts without matches between them, so that positions fit.
const MAX_PART: usize = 1 << 30;
/// Longer runs are found in steps, so that a block has few more tokens than it should.
const MAX_RUN: usize = 1 << 20;
/// The first position: an empty entry of the table is farther than the window from it.
const FIRST: u32 = 2 * WINDOW as u32;
/// Tokens of a block: enough that its codes pay, few enough that they fit what they encode.
const MAX_TOKENS: usize = 16 << 10;
/// Bytes that are looked at together for whether they are noise.
const NOISE_LEN: usize = 16 << 10;
/// Noise repeats at most one byte of so many.
const MAX_REPEATED: usize = 100;
const N_LITERALS: usize = 286;
const N_DISTANCES: usize = 30;
const END_OF_BLOCK: usize = 256;
/// A token with this bit is a match: length less 3 in bits 16 to 23, distance less 1 below.
const MATCH: u32 = 1 << 31;

/// Symbol, extra bits and first length of the match of each length less 3.
static LENGTHS: [(u16, u8, u8); 256] = lengths();

const fn lengths() -> [(u16, u8, u8); 256] {
    let mut table = [(0, 0, 0); 256];
    let (mut symbol, mut first) = (257_u16, 0_usize);
    while symbol < 285 {
        let extra = if symbol < 265 { 0 } else { ((symbol - 261) / 4) as u8 };
        let mut i = 0;
        while i < 1 << extra && first + i < 256 {
            table[first + i] = (symbol, extra, first as u8);
            i += 1;
        }
        first += 1 << extra;
        symbol += 1;
    }
    table[255] = (285, 0, 255);
    table
}

/// Symbol and number of extra bits of a distance less 1.
#[inline]
fn distance_symbol(distance: u32) -> (usize, u32) {
    if distance < 4 {
        return (distance as usize, 0);
    }
    let high = distance.ilog2();
    (((high << 1) | (distance >> (high - 1)) & 1) as usize, high - 1)
}

/// What encoding takes, kept from chunk to chunk.
#[derive(Debug)]
pub(super) struct Encoder {
    /// Where each hash was last, counted from the first call.
    table: Vec<u32>,
    base: u32,
    tokens: Tokens,
}

/// The tokens of a block, and how often each symbol occurs.
#[derive(Debug)]
struct Tokens {
    list: Vec<u32>,
    literals: [u32; N_LITERALS],
    distances: [u32; N_DISTANCES],
}

impl Tokens {
    fn clear(&mut self) {
        self.list.clear();
        self.literals = [0; N_LITERALS];
        self.distances = [0; N_DISTANCES];
    }

    #[inline(always)]
    fn push_literal(&mut self, byte: u8) {
        self.list.push(byte.into());
        self.literals[usize::from(byte)] += 1;
    }

    #[inline(always)]
    fn push_match(&mut self, len: usize, distance: usize) {
        self.list.push(MATCH | ((len - 3) as u32) << 16 | (distance - 1) as u32);
        self.literals[usize::from(LENGTHS[len - 3].0)] += 1;
        self.distances[distance_symbol((distance - 1) as u32).0] += 1;
    }

    /// Counts the bytes of `raw`, all of which are literals; they need no list.
    fn set_literals(&mut self, raw: &[u8]) {
        self.clear();
        // Equal bytes behind one another do not wait for one another.
        let mut counts = [[0_u32; 256]; 4];
        let (fours, rest) = raw.as_chunks::<4>();
        for four in fours {
            for (counts, &byte) in counts.iter_mut().zip(four) {
                counts[usize::from(byte)] += 1;
            }
        }
        rest.iter().for_each(|&byte| counts[0][usize::from(byte)] += 1);
        for (at, n) in self.literals[..END_OF_BLOCK].iter_mut().enumerate() {
            *n = counts.iter().map(|counts| counts[at]).sum();
        }
        self.literals[END_OF_BLOCK] += 1;
    }

    /// `n` times `byte`, at least five, which may be what came last before them.
    fn push_run(&mut self, byte: u8, mut n: usize, is_continued: bool) {
        if !is_continued {
            self.push_literal(byte);
            n -= 1;
        }
        while n >= 3 {
            // What is left must not be too short for a match.
            let is_rest_short = n > MAX_MATCH && n < MAX_MATCH + 3;
            let len = if is_rest_short { MAX_MATCH - 3 } else { n.min(MAX_MATCH) };
            self.push_match(len, 1);
            n -= len;
        }
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Self {
            table: vec![0; 1 << HASH_BITS],
            base: FIRST,
            tokens: Tokens {
                list: Vec::with_capacity(MAX_TOKENS + MAX_RUN / MAX_MATCH + 8),
                literals: [0; N_LITERALS],
                distances: [0; N_DISTANCES],
            },
        }
    }
}

#[inline(always)]
fn load(raw: &[u8], at: usize) -> u64 {
    match raw.get(at..).and_then(|rest| rest.first_chunk()) {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => 0,
    }
}

#[inline(always)]
fn hash(word: u32) -> usize {
    (word.wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)) as usize
}

/// How many bytes from `at` on are `byte`, at most `most`.
#[inline(always)]
fn run_len(raw: &[u8], at: usize, byte: u8, most: usize) -> usize {
    let part = &raw[at..at + most.min(raw.len() - at)];
    let splat = u64::from(byte) * 0x0101_0101_0101_0101;
    let (words, rest) = part.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let differs = u64::from_le_bytes(*word) ^ splat;
        if differs != 0 {
            return i * 8 + (differs.trailing_zeros() / 8) as usize;
        }
    }
    words.len() * 8 + rest.iter().take_while(|&&b| b == byte).count()
}

/// How many bytes from `at` on are those from `from` on, at most `MAX_MATCH`.
#[inline(always)]
fn match_len(raw: &[u8], from: usize, at: usize) -> usize {
    let most = MAX_MATCH.min(raw.len() - at);
    let (a, b) = (&raw[from..from + most], &raw[at..at + most]);
    let ((a8, a1), (b8, b1)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (i, (a, b)) in a8.iter().zip(b8).enumerate() {
        let differs = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differs != 0 {
            return i * 8 + (differs.trailing_zeros() / 8) as usize;
        }
    }
    a8.len() * 8 + a1.iter().zip(b1).take_while(|(a, b)| a == b).count()
}

/// The most bytes that `len` bytes are encoded to: stored blocks are the longest that there are,
/// and bits are written by the word.
fn room_for(len: usize) -> usize {
    len + len / 1000 + 5 * (len / 65535 + 2) + 1024
}

impl Encoder {
    /// Appends the encoding of `raw` to `out`.
    ///
    /// # Errors
    /// `LimitExceeded` if there is no memory.
    pub(super) fn encode(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let room = room_for(raw.len());
        spare::reserve(out, room)?;
        let start = out.len();
        out.resize(start + room, 0);
        let mut bits = Bits { out: &mut out[start..], at: 0, held: 0, n: 0 };
        let mut parts = raw.chunks(MAX_PART).peekable();
        loop {
            let part = parts.next().unwrap_or_default();
            self.encode_part(part, parts.peek().is_none(), &mut bits);
            if parts.peek().is_none() {
                break;
            }
        }
        bits.align();
        let len = bits.at;
        out.truncate(start + len);
        Ok(())
    }

    /// Appends the encoding of `raw` to `out`, to which other blocks may follow at the next byte.
    ///
    /// # Errors
    /// `LimitExceeded` if there is no memory.
    pub(super) fn encode_open(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<()> {
        for part in raw.chunks(MAX_PART) {
            let room = room_for(part.len());
            spare::reserve(out, room)?;
            let start = out.len();
            out.resize(start + room, 0);
            let mut bits = Bits { out: &mut out[start..], at: 0, held: 0, n: 0 };
            self.encode_part(part, false, &mut bits);
            // An empty block, after which bytes begin anew.
            store(&[], false, &mut bits);
            bits.align();
            let len = bits.at;
            out.truncate(start + len);
        }
        Ok(())
    }

    /// Appends the encoding of the front of `raw`, as far as nothing repeats there, to `out`;
    /// returns how many bytes that is. Unless it is all, other blocks may follow at the next byte.
    ///
    /// # Errors
    /// `LimitExceeded` if there is no memory.
    pub(super) fn encode_noise(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<usize> {
        let raw = raw.get(..MAX_PART).unwrap_or(raw);
        let room = room_for(raw.len());
        spare::reserve(out, room)?;
        let start = out.len();
        out.resize(start + room, 0);
        let mut bits = Bits { out: &mut out[start..], at: 0, held: 0, n: 0 };
        self.begin(raw.len());
        let mut at = 0;
        while at < raw.len() {
            let end = raw.len().min(at + NOISE_LEN);
            if !self.is_noise_in(&raw[..end], at) {
                break;
            }
            self.tokens.set_literals(&raw[at..end]);
            self.write_block(&raw[at..end], end == raw.len(), &mut bits);
            at = end;
        }
        if at < raw.len() {
            // An empty block, after which bytes begin anew.
            store(&[], false, &mut bits);
        }
        self.base += (raw.len() + WINDOW) as u32;
        bits.align();
        let len = bits.at;
        out.truncate(start + len);
        Ok(at)
    }

    /// Whether nothing repeats in `sample`.
    pub(super) fn is_noise(&mut self, sample: &[u8]) -> bool {
        self.begin(sample.len());
        let is_noise = self.is_noise_in(sample, 0);
        self.base += (sample.len() + WINDOW) as u32;
        is_noise
    }

    /// Whether hardly anything from `start` on is what was before within the window, or runs.
    fn is_noise_in(&mut self, raw: &[u8], start: usize) -> bool {
        let base = self.base;
        let table: &mut [u32; 1 << HASH_BITS] =
            self.table.as_mut_slice().try_into().expect("the table has this size");
        let most = (raw.len() - start) / MAX_REPEATED;
        let (mut at, mut repeated) = (start, 0);
        while at + 8 <= raw.len() && repeated <= most {
            let word = load(raw, at);
            let low = word as u32;
            let slot = &mut table[hash(low)];
            let position = base.wrapping_add(at as u32);
            let distance = position.wrapping_sub(std::mem::replace(slot, position)) as usize;
            let is_known = distance.wrapping_sub(1) < WINDOW
                && distance <= at
                && load(raw, at - distance) as u32 == low;
            let len = match low == (word >> 8) as u32 {
                true => 5,
                false if is_known => match_len(raw, at - distance, at),
                false => 0,
            };
            repeated += len;
            // Steps depend on the bytes, so that what comes again is met at the same places.
            at += if len > 0 { len } else { 3 + (low & 3) as usize };
        }
        repeated <= most
    }

    /// Makes room for `len` positions from the next on.
    fn begin(&mut self, len: usize) {
        if self.base as usize + len + WINDOW > u32::MAX as usize {
            self.table.fill(0);
            self.base = FIRST;
        }
    }

    fn encode_part(&mut self, raw: &[u8], is_last_part: bool, bits: &mut Bits<'_>) {
        self.begin(raw.len());
        let mut at = 0;
        loop {
            let block_start = at;
            at = self.find(raw, at);
            let is_end = at == raw.len();
            self.write_block(&raw[block_start..at], is_end && is_last_part, bits);
            if is_end {
                break;
            }
        }
        self.base += (raw.len() + WINDOW) as u32;
    }

    /// Gathers the tokens of a block that begins at `start`; returns where it ends.
    fn find(&mut self, raw: &[u8], start: usize) -> usize {
        self.tokens.clear();
        let base = self.base;
        let table: &mut [u32; 1 << HASH_BITS] =
            self.table.as_mut_slice().try_into().expect("the table has this size");
        let tokens = &mut self.tokens;
        let mut at = start;
        let mut misses = 0_usize;
        // Words of eight bytes are loaded up to here.
        let end = raw.len().saturating_sub(8);
        while at < end && tokens.list.len() < MAX_TOKENS {
            let word = load(raw, at);
            let low = word as u32;
            // Five equal bytes: a literal, and a run from it.
            if low == (word >> 8) as u32 {
                let n = 5 + run_len(raw, at + 5, low as u8, MAX_RUN);
                tokens.push_run(low as u8, n, at > 0 && raw[at - 1] == low as u8);
                at += n;
                misses = 0;
                continue;
            }
            let slot = &mut table[hash(low)];
            let position = base.wrapping_add(at as u32);
            let distance = position.wrapping_sub(std::mem::replace(slot, position)) as usize;
            if distance.wrapping_sub(1) < WINDOW
                && distance <= at
                && load(raw, at - distance) as u32 == low
            {
                let len = match_len(raw, at - distance, at);
                tokens.push_match(len, distance);
                // Short matches are where others begin; long ones are few.
                if len <= INSERTED {
                    for inside in at + 1..(at + len).min(end) {
                        table[hash(load(raw, inside) as u32)] = base.wrapping_add(inside as u32);
                    }
                }
                at += len;
                misses = 0;
                continue;
            }
            // Where nothing matches for long, fewer places are looked at.
            let stop = (at + 1 + (misses >> 6)).min(end);
            raw[at..stop].iter().for_each(|&byte| tokens.push_literal(byte));
            at = stop;
            misses += 1;
        }
        if at >= end && tokens.list.len() < MAX_TOKENS {
            raw[at..].iter().for_each(|&byte| tokens.push_literal(byte));
            at = raw.len();
        }
        tokens.literals[END_OF_BLOCK] += 1;
        at
    }

    fn write_block(&mut self, raw: &[u8], is_last: bool, bits: &mut Bits<'_>) {
        let literal_lengths = limited_lengths::<N_LITERALS, 15>(&self.tokens.literals);
        let distance_lengths = limited_lengths::<N_DISTANCES, 15>(&self.tokens.distances);
        let header = Header::new(&literal_lengths, &distance_lengths);
        let mut cost = header.n_bits() + 3;
        cost += cost_of(&self.tokens.literals, &literal_lengths)
            + cost_of(&self.tokens.distances, &distance_lengths);
        for (symbol, &n) in self.tokens.literals.iter().enumerate().skip(265).take(20) {
            cost += u64::from(n) * ((symbol as u64 - 261) / 4);
        }
        for (symbol, &n) in self.tokens.distances.iter().enumerate().skip(4) {
            cost += u64::from(n) * (symbol as u64 / 2 - 1);
        }
        if cost >= 8 * (raw.len() as u64 + 5 * (raw.len() as u64).div_ceil(65535).max(1)) {
            return store(raw, is_last, bits);
        }
        bits.put(u64::from(is_last) | 2 << 1, 3);
        header.write(bits);
        let literals = lengths_to_codes(&literal_lengths);
        let distances = lengths_to_codes(&distance_lengths);
        if self.tokens.list.is_empty() {
            return write_literals(raw, &literals, bits);
        }
        self.write_tokens(&literals, &distances, bits);
    }

    fn write_tokens(
        &self,
        literals: &[Code; N_LITERALS],
        distances: &[Code; N_DISTANCES],
        bits: &mut Bits<'_>,
    ) {
        for &token in &self.tokens.list {
            if token & MATCH == 0 {
                let code = literals[(token & 0xff) as usize];
                bits.put(code.bits.into(), code.len.into());
                continue;
            }
            let len = (token >> 16 & 0xff) as u8;
            let distance = token & 0x7fff;
            let (symbol, extra, first) = LENGTHS[usize::from(len)];
            let code = literals[usize::from(symbol)];
            let mut value = u64::from(code.bits) | u64::from(len - first) << code.len;
            let mut n = u32::from(code.len) + u32::from(extra);
            let (symbol, extra) = distance_symbol(distance);
            let code = distances[symbol.min(N_DISTANCES - 1)];
            value |= u64::from(code.bits) << n;
            n += u32::from(code.len);
            value |= u64::from(distance & ((1 << extra) - 1)) << n;
            bits.put(value, n + extra);
        }
        let code = literals[END_OF_BLOCK];
        bits.put(code.bits.into(), code.len.into());
    }
}

/// Writes a block's bytes, none of which is part of a match.
fn write_literals(raw: &[u8], literals: &[Code; N_LITERALS], bits: &mut Bits<'_>) {
    let (threes, rest) = raw.as_chunks::<3>();
    for three in threes {
        let [a, b, c] = three.map(|byte| literals[usize::from(byte)]);
        let (ab, abc) = (u32::from(a.len + b.len), u32::from(a.len + b.len + c.len));
        let value = u64::from(a.bits) | u64::from(b.bits) << a.len | u64::from(c.bits) << ab;
        bits.put(value, abc);
    }
    for &byte in rest {
        let code = literals[usize::from(byte)];
        bits.put(code.bits.into(), code.len.into());
    }
    let code = literals[END_OF_BLOCK];
    bits.put(code.bits.into(), code.len.into());
}

fn cost_of(counts: &[u32], lengths: &[u8]) -> u64 {
    counts.iter().zip(lengths).map(|(&n, &len)| u64::from(n) * u64::from(len)).sum()
}

fn store(raw: &[u8], is_last: bool, bits: &mut Bits<'_>) {
    let mut rest = raw;
    loop {
        let (part, behind) = rest.split_at(rest.len().min(65535));
        rest = behind;
        bits.put(u64::from(is_last && rest.is_empty()), 3);
        bits.align();
        let len = part.len() as u16;
        bits.bytes(&len.to_le_bytes());
        bits.bytes(&(!len).to_le_bytes());
        bits.bytes(part);
        if rest.is_empty() {
            return;
        }
    }
}

/// The lengths of a block's codes, as its header has them.
struct Header {
    /// Symbols of the code of lengths, with what their extra bits say.
    symbols: [(u8, u8); N_LITERALS + N_DISTANCES],
    n_symbols: usize,
    lengths: [u8; 19],
    n_literals: usize,
    n_distances: usize,
    n_lengths: usize,
}

/// The order in which a header has the lengths of its own code.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

impl Header {
    fn new(literals: &[u8; N_LITERALS], distances: &[u8; N_DISTANCES]) -> Self {
        let used =
            |lengths: &[u8]| lengths.iter().rposition(|&len| len != 0).map_or(0, |at| at + 1);
        let n_literals = used(literals).max(257);
        let n_distances = used(distances).max(1);
        let mut all = [0; N_LITERALS + N_DISTANCES];
        all[..n_literals].copy_from_slice(&literals[..n_literals]);
        all[n_literals..n_literals + n_distances].copy_from_slice(&distances[..n_distances]);
        let mut symbols = [(0, 0); N_LITERALS + N_DISTANCES];
        let mut n_symbols = 0;
        let mut push = |symbol: u8, extra: usize| {
            symbols[n_symbols] = (symbol, extra as u8);
            n_symbols += 1;
        };
        let mut rest = &all[..n_literals + n_distances];
        while let Some(&len) = rest.first() {
            let n = rest.iter().take_while(|&&other| other == len).count();
            let taken = match (len, n) {
                (0, 11..) => {
                    let n = n.min(138);
                    push(18, n - 11);
                    n
                }
                (0, 3..) => {
                    push(17, n - 3);
                    n
                }
                (_, 4..) => {
                    let n = n.min(7);
                    push(len, 0);
                    push(16, n - 4);
                    n
                }
                _ => {
                    push(len, 0);
                    1
                }
            };
            rest = &rest[taken..];
        }
        let mut counts = [0; 19];
        symbols[..n_symbols].iter().for_each(|&(symbol, _)| counts[usize::from(symbol)] += 1);
        let lengths = limited_lengths::<19, 7>(&counts);
        let n_lengths =
            ORDER.iter().rposition(|&at| lengths[at] != 0).map_or(4, |at| (at + 1).max(4));
        Self { symbols, n_symbols, lengths, n_literals, n_distances, n_lengths }
    }

    fn extra(symbol: u8) -> u32 {
        match symbol {
            16 => 2,
            17 => 3,
            18 => 7,
            _ => 0,
        }
    }

    fn n_bits(&self) -> u64 {
        let bits = |&(symbol, _): &(u8, u8)| {
            u64::from(self.lengths[usize::from(symbol)]) + u64::from(Self::extra(symbol))
        };
        14 + 3 * self.n_lengths as u64
            + self.symbols[..self.n_symbols].iter().map(bits).sum::<u64>()
    }

    fn write(&self, bits: &mut Bits<'_>) {
        bits.put((self.n_literals - 257) as u64, 5);
        bits.put((self.n_distances - 1) as u64, 5);
        bits.put((self.n_lengths - 4) as u64, 4);
        ORDER[..self.n_lengths].iter().for_each(|&at| bits.put(self.lengths[at].into(), 3));
        let codes = lengths_to_codes(&self.lengths);
        for &(symbol, extra) in &self.symbols[..self.n_symbols] {
            let code = codes[usize::from(symbol)];
            bits.put(code.bits.into(), code.len.into());
            bits.put(extra.into(), Self::extra(symbol));
        }
    }
}

/// Bits, the lowest first.
struct Bits<'a> {
    out: &'a mut [u8],
    at: usize,
    held: u64,
    n: u32,
}

impl Bits<'_> {
    /// Appends the `n` lowest bits of `value`, at most 56; the others are 0.
    #[inline(always)]
    fn put(&mut self, value: u64, n: u32) {
        self.held |= value << self.n;
        self.n += n;
        if let Some(place) = self.out.get_mut(self.at..).and_then(|out| out.first_chunk_mut()) {
            *place = self.held.to_le_bytes();
        }
        let whole = self.n / 8;
        self.at += whole as usize;
        self.held = self.held.checked_shr(whole * 8).unwrap_or(0);
        self.n %= 8;
    }

    fn align(&mut self) {
        if self.n > 0 {
            self.put(0, 8 - self.n);
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.out[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::deflate::{Wrapper, deflate, inflate};
    use crate::codec::scratch::Scratch;

    fn noise(len: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    fn check(raw: &[u8], scratch: &mut Scratch) -> usize {
        let mut encoded = Vec::new();
        deflate(Wrapper::Gzip, 1, raw, &mut encoded, scratch).unwrap();
        let mut out = vec![0xEE; raw.len()];
        let progress = inflate(Wrapper::Gzip, &encoded, &mut out, scratch).unwrap();
        assert_eq!((progress.read, progress.written), (encoded.len(), raw.len()));
        assert!(out == raw, "{} bytes differ", raw.len());
        encoded.len()
    }

    #[test]
    fn all_short_inputs_come_back() {
        let mut scratch = Scratch::new();
        let mut state = 1_u32;
        for len in 0..700 {
            for kind in 0..4 {
                let byte = |i: usize| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    match kind {
                        0 => 0,
                        1 => (i % 7) as u8,
                        2 => (state >> 24) as u8,
                        _ if state >> 24 < 20 => (state >> 16) as u8,
                        _ => 0,
                    }
                };
                check(&(0..len).map(byte).collect::<Vec<_>>(), &mut scratch);
            }
        }
    }

    #[test]
    fn runs_become_short_and_noise_hardly_longer() {
        let mut scratch = Scratch::new();
        assert!(check(&[0; 1 << 20], &mut scratch) < 1200);
        let mut random = noise(300_000);
        assert!(check(&random, &mut scratch) < random.len() + 200);
        // Blocks of all kinds behind one another, and one in the middle of a run.
        random.extend([7; 100_000]);
        random.extend((0..200_000_u32).flat_map(|i| (i / 5).to_le_bytes()));
        check(&random, &mut scratch);
    }

    #[test]
    fn noise_before_what_repeats_comes_back_at_every_level() {
        let mut scratch = Scratch::new();
        let mut raw = noise(100_000);
        raw.extend((0..90_000_u32).map(|i| (i / 1000) as u8));
        let all_noise = noise(70_001);
        for level in 2..=9 {
            for (raw, most) in [(&raw, 102_000), (&all_noise, 70_400)] {
                for wrapper in [Wrapper::Gzip, Wrapper::Zlib] {
                    let (mut encoded, mut out) = (Vec::new(), vec![0xEE; raw.len()]);
                    deflate(wrapper, level, raw, &mut encoded, &mut scratch).unwrap();
                    let progress = inflate(wrapper, &encoded, &mut out, &mut scratch).unwrap();
                    assert_eq!(progress.read, encoded.len());
                    assert!(out == *raw && encoded.len() < most, "{level}: {}", encoded.len());
                }
            }
        }
    }

    #[test]
    fn what_repeats_within_the_window_is_no_noise() {
        let mut encoder = Encoder::default();
        let random = noise(40_000);
        assert!(encoder.is_noise(&random));
        let twice = [&random[..20_000], &random[..20_000]].concat();
        let mut out = Vec::new();
        assert!(encoder.encode_noise(&twice, &mut out).unwrap() <= 32 << 10);
    }

    #[test]
    fn a_worn_out_table_is_cleared() {
        let mut encoder = Encoder { base: u32::MAX - 5000, ..Encoder::default() };
        let raw: Vec<u8> = (0..40_000_u32).flat_map(|i| (i % 50).to_le_bytes()).collect();
        let (mut first, mut second) = (Vec::new(), Vec::new());
        encoder.encode(&raw, &mut first).unwrap();
        Encoder::default().encode(&raw, &mut second).unwrap();
        assert!(first == second);
    }
}
