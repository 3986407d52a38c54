//! A DEFLATE (RFC 1951) decoder for what shrank a lot: chunks of numbers that are mostly zero.
//!
//! Such a chunk is a few hundred matches of some tens of bytes, and its codes are short. So tables
//! are small and made from the symbols that occur alone, and a match is copied in blocks without
//! asking how far back or how long it is, which nothing could foretell: that is what a decoder
//! for any data spends half of its time with.
//!
//! It decodes what it is sure of, and leaves all else, damaged streams among it, to libdeflate:
//! stored blocks, codes of more bits than its tables have, codes that are not complete. The caller
//! compares checksums; so what is wrong here would be slow, and no wrong data.

use super::Progress;

/// Bits of the tables; streams with longer codes are left to others.
const LITERAL_BITS: usize = 10;
const DISTANCE_BITS: usize = 9;
const LENGTH_BITS: usize = 7;
const MAX_BITS: usize = 15;

const N_LITERALS: usize = 288;
const N_DISTANCES: usize = 32;
const N_LENGTHS: usize = 19;
const MAX_SYMBOLS: usize = N_LITERALS + N_DISTANCES;

/// Bytes that are copied at a time.
const BLOCK: usize = 64;
/// What each block is copied in: a match from nearer is widened first.
const PIECE: usize = 16;

/// An entry of a table: from the lowest bit, the bits of code and extra (8), those of the code (7),
/// [`STOP`], the byte, length or distance without its extra (15), [`LITERAL`].
type Entry = u32;

const LITERAL: Entry = 1 << 31;
/// Neither a literal nor a match: the end of the block, or nothing there is.
const STOP: Entry = 1 << 15;
const VALUE_SHIFT: u32 = 16;
const VALUE_MASK: u32 = 0x7fff;
/// The value of a symbol that must not occur.
const INVALID: Entry = STOP | 1 << VALUE_SHIFT;

const fn literal_entries() -> [Entry; N_LITERALS] {
    let mut entries = [INVALID; N_LITERALS];
    let mut at = 0;
    while at < 256 {
        entries[at] = LITERAL | (at as u32) << VALUE_SHIFT;
        at += 1;
    }
    entries[256] = STOP;
    let (mut symbol, mut first) = (257, 3);
    while symbol < 285 {
        let extra = if symbol < 265 { 0 } else { (symbol as u32 - 261) / 4 };
        entries[symbol] = first << VALUE_SHIFT | extra;
        first += 1 << extra;
        symbol += 1;
    }
    entries[285] = 258 << VALUE_SHIFT;
    entries
}

const fn distance_entries() -> [Entry; N_DISTANCES] {
    let mut entries = [INVALID; N_DISTANCES];
    let (mut symbol, mut first) = (0, 1);
    while symbol < 30 {
        let extra = if symbol < 4 { 0 } else { (symbol as u32 - 2) / 2 };
        entries[symbol] = first << VALUE_SHIFT | extra;
        first += 1 << extra;
        symbol += 1;
    }
    entries
}

const fn length_entries() -> [Entry; N_LENGTHS] {
    let mut entries = [0; N_LENGTHS];
    let mut at = 0;
    while at < N_LENGTHS {
        entries[at] = (at as u32) << VALUE_SHIFT;
        at += 1;
    }
    entries
}

static LITERALS: [Entry; N_LITERALS] = literal_entries();
static DISTANCES: [Entry; N_DISTANCES] = distance_entries();
static LENGTHS: [Entry; N_LENGTHS] = length_entries();

/// The order in which lengths of the code of lengths are stored.
const LENGTH_ORDER: [usize; N_LENGTHS] =
    [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The multiple of each short distance that is at least a block.
static FAR: [u8; BLOCK] = {
    let mut far = [0; BLOCK];
    let mut distance = 1;
    while distance < BLOCK {
        far[distance] = (distance * BLOCK.div_ceil(distance)) as u8;
        distance += 1;
    }
    far
};

/// What decoding takes, kept from chunk to chunk.
#[derive(Debug)]
pub(super) struct Decoder {
    literals: [Entry; 1 << LITERAL_BITS],
    distances: [Entry; 1 << DISTANCE_BITS],
    lengths: [Entry; 1 << LENGTH_BITS],
    /// The bits of the codes that the first two hold.
    bits: [u32; 2],
    /// Whether those are the codes of a fixed block.
    is_fixed: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            literals: [0; 1 << LITERAL_BITS],
            distances: [0; 1 << DISTANCE_BITS],
            lengths: [0; 1 << LENGTH_BITS],
            bits: [0; 2],
            is_fixed: false,
        }
    }
}

/// Whether a stream of so many bytes is one for this decoder.
pub(super) fn is_worth(encoded_len: usize, len: usize) -> bool {
    encoded_len.saturating_mul(8) <= len
}

impl Decoder {
    /// Decodes the stream at the front of `encoded`; `None` for one that is left to others. What
    /// lies in `out` behind that which was written may be anything.
    pub(super) fn decode(&mut self, encoded: &[u8], out: &mut [u8]) -> Option<Progress> {
        let mut bits = Bits::new(encoded);
        let mut written = 0;
        loop {
            bits.refill();
            let is_last = bits.take(1) == 1;
            match bits.take(2) {
                1 => self.set_fixed_codes()?,
                2 => self.read_codes(&mut bits)?,
                _ => return None,
            }
            written = self.block(&mut bits, out, written)?;
            if is_last {
                let read = encoded.len().checked_sub(bits.n_bytes_left()?)?;
                return Some(Progress { read, written });
            }
        }
    }

    fn set_fixed_codes(&mut self) -> Option<()> {
        if self.is_fixed {
            return Some(());
        }
        let mut codes = Codes::default();
        for symbol in 0..N_LITERALS {
            let len = [8, 9, 7, 8][[143, 255, 279].partition_point(|&last| last < symbol)];
            codes.push(symbol, len);
        }
        let mut distances = Codes::default();
        (0..N_DISTANCES).for_each(|symbol| distances.push(symbol, 5));
        self.set_codes(&codes, &distances)?;
        self.is_fixed = true;
        Some(())
    }

    fn set_codes(&mut self, literals: &Codes, distances: &Codes) -> Option<()> {
        self.is_fixed = false;
        self.bits = [
            literals.fill(&mut self.literals, &LITERALS)?,
            distances.fill(&mut self.distances, &DISTANCES)?,
        ];
        Some(())
    }

    /// Reads the codes at the front of a block (RFC 1951, section 3.2.7).
    #[inline(never)]
    fn read_codes(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        let n_literals = bits.take(5) as usize + 257;
        let n = n_literals + bits.take(5) as usize + 1;
        let n_lengths = bits.take(4) as usize + 4;
        let mut lens = [0_u8; N_LENGTHS];
        for (i, &symbol) in LENGTH_ORDER.iter().enumerate().take(n_lengths) {
            if i % 16 == 0 {
                bits.refill();
            }
            lens[symbol] = bits.take(3) as u8;
        }
        let mut lengths = Codes::default();
        lens.iter().enumerate().for_each(|(symbol, &len)| lengths.push(symbol, len));
        let mask = low_bits(lengths.fill(&mut self.lengths, &LENGTHS)?);

        let mut codes = [Codes::default(), Codes::default()];
        let mut push = |at: usize, len: u8| match at.checked_sub(n_literals) {
            None => codes[0].push(at, len),
            Some(at) => codes[1].push(at, len),
        };
        let (mut at, mut last) = (0, None);
        while at < n {
            bits.refill();
            let entry = self.lengths[(bits.held & mask) as usize & (self.lengths.len() - 1)];
            bits.skip(entry & 0xff);
            let (len, times) = match entry >> VALUE_SHIFT {
                len @ 0..16 => (len as u8, 1),
                16 => (last?, 3 + bits.take(2) as usize),
                17 => (0, 3 + bits.take(3) as usize),
                _ => (0, 11 + bits.take(7) as usize),
            };
            if times > n - at {
                return None;
            }
            if len > 0 {
                (at..at + times).for_each(|at| push(at, len));
            }
            at += times;
            last = Some(len);
        }
        let [literals, distances] = &codes;
        self.set_codes(literals, distances)
    }

    /// Decodes a block to `out` from `at` on, and returns where it ends.
    #[inline(never)]
    fn block(&self, from: &mut Bits<'_>, out: &mut [u8], mut at: usize) -> Option<usize> {
        let [literal_mask, distance_mask] = self.bits.map(low_bits);
        // The compiler keeps these in registers.
        let mut bits = *from;
        let literal = |bits: &Bits<'_>| {
            self.literals[(bits.held & literal_mask) as usize & (self.literals.len() - 1)]
        };
        bits.refill();
        let mut entry = literal(&bits);
        loop {
            if entry & LITERAL != 0 {
                *out.get_mut(at)? = (entry >> VALUE_SHIFT) as u8;
                at += 1;
                bits.skip(entry & 0xff);
                bits.refill();
                entry = literal(&bits);
                continue;
            }
            if entry & STOP != 0 {
                bits.skip(entry & 0xff);
                *from = bits;
                return (entry >> VALUE_SHIFT == 0).then_some(at);
            }
            let len = bits.take_value(entry);
            let index = (bits.held & distance_mask) as usize & (self.distances.len() - 1);
            let distance = self.distances[index];
            if distance & STOP != 0 {
                return None;
            }
            let distance = bits.take_value(distance);
            bits.refill();
            // Looked up before the copy, so that it need not wait for that.
            entry = literal(&bits);
            copy(out, at, distance, len)?;
            at += len;
        }
    }
}

fn low_bits(n: u32) -> u64 {
    (1 << n) - 1
}

/// Copies `len` bytes from `distance` before `at`; `None` if there are not so many on either side.
#[inline(always)]
fn copy(out: &mut [u8], at: usize, distance: usize, len: usize) -> Option<()> {
    let room = out.len().checked_sub(at)?;
    if distance > at || len > room {
        return None;
    }
    if room - len < BLOCK {
        return copy_last(out, at, distance, len);
    }
    if distance < len && distance < BLOCK {
        copy_near(out, at, distance, len);
        return Some(());
    }
    // SAFETY: there are `distance` bytes before `at`, and a block behind the last byte.
    #[expect(unsafe_code, reason = "a check a block would take as long as the block")]
    unsafe {
        let to = out.as_mut_ptr().add(at);
        let from = to.sub(distance);
        let mut done = 0;
        loop {
            let block = from.add(done).cast::<[u8; BLOCK]>().read_unaligned();
            to.add(done).cast::<[u8; BLOCK]>().write_unaligned(block);
            done += BLOCK;
            if done >= len {
                return Some(());
            }
        }
    }
}

/// A match that ends within a block of the end of `out`.
#[inline(never)]
fn copy_last(out: &mut [u8], at: usize, distance: usize, len: usize) -> Option<()> {
    if distance >= len {
        out.copy_within(at - distance..at - distance + len, at);
        return Some(());
    }
    for at in at..at + len {
        *out.get_mut(at)? = *out.get(at - distance)?;
    }
    Some(())
}

/// A match from less than a piece before it, with a block of room behind it.
#[inline(never)]
fn copy_near(out: &mut [u8], at: usize, distance: usize, len: usize) {
    if distance >= PIECE {
        // SAFETY: there are `distance` bytes before `at` and a block behind the last byte.
        #[expect(unsafe_code, reason = "within bounds that were checked once")]
        unsafe {
            copy_blocks(out, at, distance, len);
        }
        return;
    }
    if distance == 1 {
        let byte = out[at - 1];
        out[at..at + BLOCK].fill(byte);
        if len > BLOCK {
            out[at + BLOCK..at + len].fill(byte);
        }
        return;
    }
    for at in at..at + PIECE {
        out[at] = out[at - distance];
    }
    if len > PIECE {
        let distance = distance * PIECE.div_ceil(distance);
        // SAFETY: the distance reaches less than a piece beyond what it was, from a piece ahead;
        // the block behind the last byte is still there.
        #[expect(unsafe_code, reason = "within bounds that were checked once")]
        unsafe {
            copy_blocks(out, at + PIECE, distance, len - PIECE);
        }
    }
}

/// Copies at least `len` bytes, in whole blocks.
///
/// # Safety
/// `PIECE <= distance <= at`, and `at + len + BLOCK <= out.len()`.
#[inline(always)]
#[expect(unsafe_code, reason = "a bounds check a piece would take as long as the piece")]
unsafe fn copy_blocks(out: &mut [u8], at: usize, distance: usize, len: usize) {
    debug_assert!((PIECE..=at).contains(&distance) && at + len + BLOCK <= out.len());
    let out = out.as_mut_ptr();
    let block = |at: usize, distance: usize| {
        for piece in 0..BLOCK / PIECE {
            let at = at + piece * PIECE;
            // SAFETY: the caller's promise; a piece is read whole before it is written, and the
            // next may read what it wrote.
            unsafe {
                let bytes = out.add(at - distance).cast::<[u8; PIECE]>().read_unaligned();
                out.add(at).cast::<[u8; PIECE]>().write_unaligned(bytes);
            }
        }
    };
    block(at, distance);
    if len > BLOCK {
        // From farther back, where nothing is just being written. That is no more than a block
        // beyond the distance.
        let distance = if distance < BLOCK { usize::from(FAR[distance]) } else { distance };
        let mut done = BLOCK;
        while done < len {
            block(at + done, distance);
            done += BLOCK;
        }
    }
}

/// The symbols of a code, by rising symbol.
#[derive(Clone, Debug)]
struct Codes {
    symbols: [Coded; MAX_SYMBOLS],
    len: usize,
    /// How many symbols have codes of each length.
    n_of_len: [u16; MAX_BITS + 1],
}

/// A symbol and, in the lowest four bits, the length of its code.
type Coded = u16;

impl Default for Codes {
    fn default() -> Self {
        Self { symbols: [0; MAX_SYMBOLS], len: 0, n_of_len: [0; MAX_BITS + 1] }
    }
}

impl Codes {
    /// Adds a symbol whose code has `len` bits, at most 15, unless that is none.
    #[inline(always)]
    fn push(&mut self, symbol: usize, len: u8) {
        if let (Some(place), 1..) = (self.symbols.get_mut(self.len), len) {
            *place = (symbol as u16) << 4 | u16::from(len & 15);
            self.n_of_len[usize::from(len & 15)] += 1;
            self.len += 1;
        }
    }

    /// Fills a table with the entries of the symbols, each at all indices that end in its code.
    /// Returns the bits of the longest; `None` for codes that are too long or not complete.
    fn fill(&self, table: &mut [Entry], entries: &[Entry]) -> Option<u32> {
        let longest = self.n_of_len.iter().rposition(|&n| n > 0).filter(|&len| len > 0)?;
        if 1 << longest > table.len() {
            return None;
        }
        // What is left of all codes of a length.
        let mut rest = 1_u32;
        for &n in self.n_of_len.get(1..=longest)? {
            rest = (rest << 1).checked_sub(n.into())?;
        }
        if rest != 0 {
            return None;
        }
        // By length, then by symbol: the order of the codes.
        let mut starts = [0_u16; MAX_BITS + 2];
        for (len, &n) in self.n_of_len.iter().enumerate() {
            starts[len + 1] = starts[len] + n;
        }
        let mut sorted = [0; MAX_SYMBOLS];
        for &coded in self.symbols.get(..self.len)? {
            let start = &mut starts[usize::from(coded & 15)];
            *sorted.get_mut(usize::from(*start))? = coded;
            *start += 1;
        }
        // Codes are counted up from their first bit, which is the lowest of the index. The table
        // has so many bits as the code has at which it is; it is doubled for longer ones.
        let sorted = sorted.get(..self.len)?;
        let (mut code, mut bits) = (0_usize, usize::from(sorted.first()? & 15));
        for &coded in sorted {
            let (symbol, len) = (coded >> 4, coded & 15);
            while bits < usize::from(len) {
                let (filled, rest) = table.split_at_mut(1 << bits);
                rest.iter_mut().zip(filled).for_each(|(to, from)| *to = *from);
                bits += 1;
            }
            let entry = entries.get(usize::from(symbol))?;
            *table.get_mut(code)? = entry + (u32::from(len) << 8 | u32::from(len));
            let ones = (!code & ((1 << bits) - 1)).checked_ilog2();
            // The last code is all ones.
            let Some(zero) = ones else { break };
            code = code & ((1 << zero) - 1) | 1 << zero;
        }
        Some(longest as u32)
    }
}

/// The bits of a stream, from the lowest of each byte on. Behind its end are zeros.
#[derive(Clone, Copy, Debug)]
struct Bits<'b> {
    rest: &'b [u8],
    held: u64,
    n_held: u32,
    /// Bytes behind the end that were held.
    n_beyond: usize,
}

impl<'b> Bits<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes, held: 0, n_held: 0, n_beyond: 0 }
    }

    /// Holds at least 56 bits.
    #[inline(always)]
    fn refill(&mut self) {
        if let Some(word) = self.rest.first_chunk() {
            self.held |= u64::from_le_bytes(*word) << self.n_held;
            self.rest = &self.rest[((63 - self.n_held) >> 3) as usize..];
            self.n_held |= 56;
        } else {
            self.refill_by_bytes();
        }
    }

    #[cold]
    fn refill_by_bytes(&mut self) {
        while self.n_held < 56 {
            let byte = match self.rest.split_off_first() {
                Some(&byte) => byte,
                None => {
                    self.n_beyond += 1;
                    0
                }
            };
            self.held |= u64::from(byte) << self.n_held;
            self.n_held += 8;
        }
    }

    #[inline(always)]
    fn skip(&mut self, n: u32) {
        self.held >>= n;
        self.n_held -= n;
    }

    #[inline(always)]
    fn take(&mut self, n: u32) -> u32 {
        let taken = self.held & low_bits(n);
        self.skip(n);
        taken as u32
    }

    /// The value of an entry, with the extra bits behind its code.
    #[inline(always)]
    fn take_value(&mut self, entry: Entry) -> usize {
        let extra = (self.held & low_bits(entry & 0xff)) >> (entry >> 8 & 0x7f);
        self.skip(entry & 0xff);
        (entry >> VALUE_SHIFT & VALUE_MASK) as usize + extra as usize
    }

    /// The bytes that were not begun; `None` if more were than there are.
    fn n_bytes_left(&self) -> Option<usize> {
        (self.rest.len() + (self.n_held / 8) as usize).checked_sub(self.n_beyond)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::Scratch;
    use crate::codec::deflate::{Stream, Wrapper, deflate_with, fast, inflate};

    /// The stream that an encoder of a kind makes.
    fn encode(raw: &[u8], kind: u32) -> Vec<u8> {
        let (mut out, mut scratch) = (Vec::new(), Scratch::new());
        match kind {
            0 => scratch.context::<fast::Encoder>().encode(raw, &mut out).unwrap(),
            1..10 => {
                let level = flate2::Compression::new(kind);
                let mut encoder = flate2::write::DeflateEncoder::new(out, level);
                std::io::Write::write_all(&mut encoder, raw).unwrap();
                out = encoder.finish().unwrap();
            }
            _ => deflate_with(Stream::RAW, kind - 10, raw, &mut out, &mut scratch).unwrap(),
        }
        out
    }

    const N_KINDS: u32 = 20;

    /// What libdeflate makes of a stream without a checksum: it reports one that is wrong only
    /// after all was decoded, so each is tried with that of what we found.
    fn is_right(encoded: &[u8], found: &[u8], read: usize) -> bool {
        let sum = crate::codec::deflate::adler32(found);
        let zlib = [&[0x78, 0x9c], &encoded[..read], &sum.to_be_bytes()].concat();
        // More bytes than it may have been shrunk from, so that this decoder is not asked.
        let padded = [zlib.as_slice(), &vec![0; found.len() / 8 + 1]].concat();
        let mut out = vec![0; found.len()];
        match inflate(Wrapper::Zlib, &padded, &mut out, &mut Scratch::new()) {
            Ok(progress) => {
                (progress.read, progress.written) == (zlib.len(), found.len()) && out == found
            }
            Err(_) => false,
        }
    }

    /// Decodes what need not be a stream; whatever comes of it is what libdeflate says.
    fn check(decoder: &mut Decoder, encoded: &[u8], len: usize) -> Option<Vec<u8>> {
        let mut out = vec![0xEE; len];
        let progress = decoder.decode(encoded, &mut out)?;
        out.truncate(progress.written);
        assert!(is_right(encoded, &out, progress.read), "{progress:?} of {encoded:02x?}");
        Some(out)
    }

    /// Numbers of which one in `every` is not zero.
    fn sparse(len: usize, every: u32, item: usize) -> Vec<u8> {
        let mut state = every;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 12
        };
        let mut raw = vec![0; len];
        for place in raw.chunks_exact_mut(item) {
            if next() % every == 0 {
                let number = next().trailing_zeros() as f32;
                let bytes = [number.to_le_bytes(), number.to_be_bytes()].concat();
                place.iter_mut().zip(bytes).for_each(|(to, byte)| *to = byte);
            }
        }
        raw
    }

    #[test]
    fn numbers_that_are_mostly_zero_come_back() {
        let mut decoder = Decoder::default();
        for (len, every, item) in [(16 << 10, 20, 4), (16 << 10, 100, 8), (5000, 30, 1), (64, 9, 4)]
        {
            let raw = sparse(len, every, item);
            for kind in 0..N_KINDS {
                let encoded = encode(&raw, kind);
                let found = check(&mut decoder, &encoded, raw.len());
                // Without compression there is nothing for this decoder.
                assert!(found.as_ref().is_none_or(|found| *found == raw), "{len} {kind}");
                let is_for_it = kind != 10 && is_worth(encoded.len(), raw.len());
                assert!(!is_for_it || found.is_some(), "{len} {kind}");
                assert_eq!(check(&mut decoder, &encoded, raw.len() - 1), None);
            }
        }
        let zeros = encode(&vec![0; 100_000], 6);
        assert_eq!(check(&mut decoder, &zeros, 100_000), Some(vec![0; 100_000]));
        let fixed = encode(b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 6);
        assert_eq!(check(&mut decoder, &fixed, 36), Some(vec![b'a'; 36]));
    }

    #[test]
    fn matches_of_every_distance_and_length_come_back() {
        let mut decoder = Decoder::default();
        let mut n_found = 0;
        for distance in 1..300_usize {
            let mut raw: Vec<u8> = (0..distance).map(|i| (i % 5 * 50) as u8).collect();
            raw[distance / 2] = 0xFF;
            for len in (3..400).step_by(1 + distance % 7) {
                raw.truncate(distance);
                (0..len).for_each(|i| raw.push(raw[i]));
                raw.push(0xEE);
                // Far from the end, and close to it.
                let far = [raw.as_slice(), &[1; 200]].concat();
                let raw = if len % 2 == 0 { &raw } else { &far };
                let found = check(&mut decoder, &encode(raw, 9), raw.len());
                assert!(found.as_ref().is_none_or(|found| found == raw), "{distance} {len}");
                n_found += usize::from(found.is_some());
            }
        }
        assert!(n_found > 20_000, "{n_found}");
    }

    #[test]
    fn what_is_damaged_is_left_to_others_or_means_the_same() {
        let raw = sparse(3000, 25, 4);
        let mut decoder = Decoder::default();
        for kind in [0, 2, 6, 11, 19] {
            let encoded = encode(&raw, kind);
            for len in 0..encoded.len() {
                assert_eq!(check(&mut decoder, &encoded[..len], raw.len()), None, "{kind} {len}");
            }
            for bit in 0..encoded.len() * 8 {
                let mut encoded = encoded.clone();
                encoded[bit / 8] ^= 1 << (bit % 8);
                check(&mut decoder, &encoded, raw.len());
            }
        }
    }

    #[test]
    fn a_damaged_stream_is_corrupt_and_a_whole_one_ends_where_it_should() {
        let raw = sparse(16 << 10, 25, 4);
        for wrapper in [Wrapper::Zlib, Wrapper::Gzip] {
            let (mut encoded, mut out) = (Vec::new(), vec![0xEE; raw.len()]);
            let mut scratch = Scratch::new();
            crate::codec::deflate::deflate(wrapper, 6, &raw, &mut encoded, &mut scratch).unwrap();
            let len = encoded.len();
            encoded.extend([7; 3]);
            assert!(is_worth(encoded.len(), out.len()));
            let quick = super::super::Inflater::default().quick(wrapper, &encoded, &mut out);
            assert_eq!(quick, Some(Progress { read: len, written: raw.len() }));
            assert_eq!(inflate(wrapper, &encoded, &mut out, &mut scratch).unwrap().read, len);
            assert!(out == raw);
            for at in [3, len / 2, len - 1] {
                let mut damaged = encoded.clone();
                damaged[at] ^= 4;
                let found = inflate(wrapper, &damaged, &mut out, &mut scratch);
                // The header of gzip has bytes that say nothing of the data.
                assert!(found.is_err() || wrapper == Wrapper::Gzip && at == 3, "{wrapper:?} {at}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_left_to_others_or_mean_the_same(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            kind in 0_u32..8,
            len in 0_usize..3000,
        ) {
            // Of eight, three bits name the kind of the first block, and most are of codes.
            let mut bytes = bytes;
            if let (Some(first), 1..) = (bytes.first_mut(), kind) {
                *first = *first & !7 | if kind == 1 { 3 } else { 5 };
            }
            check(&mut Decoder::default(), &bytes, len);
        }

        #[test]
        fn what_any_encoder_makes_comes_back(
            runs in proptest::collection::vec((any::<u8>(), 1_usize..90), 0..200),
            kind in 0..N_KINDS,
            flip in any::<Option<u16>>(),
        ) {
            let run = |(byte, len): &(u8, usize)| vec![byte & 0x83; *len % 70 + len / 80 * 500];
            let raw = runs.iter().flat_map(run).collect::<Vec<u8>>();
            let mut encoded = encode(&raw, kind);
            let found = check(&mut Decoder::default(), &encoded, raw.len());
            prop_assert!(found.is_none_or(|found| found == raw));
            if let (Some(flip), false) = (flip, encoded.is_empty()) {
                let at = usize::from(flip) % (encoded.len() * 8);
                encoded[at / 8] ^= 1 << (at % 8);
                check(&mut Decoder::default(), &encoded, raw.len());
            }
        }
    }
}
