//! The suite that every codec runs: round trips, and hostile input.
//!
//! What is checked of encoded bytes that were tampered with: decoding gives an error or data, of
//! at most the length asked for; it never panics.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use stook_core::codec::{Codec, HeapCodec};
use stook_core::values::{HeapItem, push_heap_item};
use stook_core::{ErrorKind, Limits, Scratch};

use crate::random::Random;

/// What encodings are appended to.
const PREFIX: &[u8] = b"kept";
/// Cases of each property, few enough that a suite takes a second.
const N_CASES: u32 = 48;

/// Checks a codec on items of `item_size` bytes.
///
/// # Panics
/// If the codec breaks its contract.
pub fn codec_suite(codec: &dyn Codec, item_size: usize) {
    let mut scratch = Scratch::new();
    for raw in samples(item_size) {
        check_round_trip(codec, &raw, &mut scratch);
    }
    for raw in samples(item_size).into_iter().filter(|raw| raw.len() <= 2048) {
        check_tampered(codec, &raw, &mut scratch);
    }
    check_properties(codec, item_size);
}

/// Checks that codecs can share one scratch, in any order and after errors.
///
/// # Panics
/// If one of them breaks its contract.
pub fn shared_scratch_suite(codecs: &[&dyn Codec]) {
    let mut scratch = Scratch::new();
    let samples = samples(4);
    for (i, raw) in samples.iter().enumerate() {
        for step in 0..codecs.len() {
            let codec = codecs[(i + step * 3) % codecs.len()];
            check_round_trip(codec, raw, &mut scratch);
            let mut out = vec![0; raw.len()];
            let _ = codec.decode_into(&[0xA5; 100], &mut out, &mut scratch);
        }
    }
}

/// Checks a codec of heap items whose payload is text.
///
/// # Panics
/// If the codec breaks its contract.
pub fn heap_codec_suite(codec: &dyn HeapCodec) {
    let texts = prop::collection::vec(".{0,12}", 0..40);
    run(&texts, |texts| {
        let (mut items, mut heap) = (Vec::new(), b"unrelated".to_vec());
        texts.iter().for_each(|text| push_heap_item(&mut items, &mut heap, text.as_bytes()));
        let mut encoded = PREFIX.to_vec();
        codec.encode_into(&items, &heap, &mut encoded).expect("text is encoded");
        let encoded = encoded.strip_prefix(PREFIX).expect("the encoding is appended");
        for len in 0..=encoded.len() {
            let decoded = decode_texts(codec, &encoded[..len], texts.len());
            prop_assert_eq!(decoded.is_some(), len == encoded.len());
        }
        prop_assert_eq!(decode_texts(codec, encoded, texts.len()), Some(texts));
        Ok(())
    });
    let garbage = (prop::collection::vec(any::<u8>(), 0..200), 0..20_usize);
    run(&garbage, |(garbage, n)| {
        decode_texts(codec, &garbage, n);
        Ok(())
    });
}

/// The decoded texts; `None` for an error, after which the heap must be what it was.
fn decode_texts(codec: &dyn HeapCodec, encoded: &[u8], n: usize) -> Option<Vec<String>> {
    let (mut items, mut heap) = (vec![0; n * 16], PREFIX.to_vec());
    if codec.decode_into(encoded, &mut items, &mut heap, &Limits::default()).is_err() {
        assert_eq!(heap, PREFIX, "an error leaves the heap");
        return None;
    }
    assert!(heap.starts_with(PREFIX), "payload is appended");
    let payload = |item: &[u8]| {
        let payload = HeapItem::from_bytes(item).slice(&heap, 1).expect("it lies in the heap");
        String::from_utf8_lossy(payload).into_owned()
    };
    Some(items.chunks_exact(16).map(payload).collect())
}

/// Encodes behind a prefix, decodes, and compares; returns the encoding.
fn check_round_trip(codec: &dyn Codec, raw: &[u8], scratch: &mut Scratch) -> Vec<u8> {
    let case = format!("{} of {} bytes", codec.name(), raw.len());
    let mut encoded = PREFIX.to_vec();
    codec.encode_into(raw, &mut encoded, scratch).unwrap_or_else(|e| panic!("{case}: {e}"));
    let encoded = encoded.strip_prefix(PREFIX).expect("the encoding is appended").to_vec();
    let bound = codec.encoded_bound(raw.len());
    assert!(encoded.len() <= bound, "{case}: {} bytes over the bound {bound}", encoded.len());
    if codec.has_fixed_len() {
        assert_eq!(encoded.len(), bound, "{case}: the length is fixed");
    }
    for room in [raw.len(), raw.len() + 1, raw.len() + 1000] {
        let mut out = vec![0xEE; room];
        let n = codec.decode_into(&encoded, &mut out, scratch);
        assert_eq!(n.unwrap_or_else(|e| panic!("{case}: {e}")), raw.len(), "{case} in {room}");
        assert!(out[..raw.len()] == *raw, "{case}: the data differs");
    }
    if let Some(room) = raw.len().checked_sub(1) {
        let mut out = vec![0; room];
        let error = codec.decode_into(&encoded, &mut out, scratch).expect_err("it is too long");
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{case}: {error}");
    }
    encoded
}

/// Truncates at every offset, flips every bit of small encodings and some of larger ones, and
/// appends.
fn check_tampered(codec: &dyn Codec, raw: &[u8], scratch: &mut Scratch) {
    let encoded = check_round_trip(codec, raw, scratch);
    for len in 0..encoded.len() {
        decode_anything(codec, &encoded[..len], raw.len(), scratch);
    }
    let n_bits = encoded.len() * 8;
    for bit in (0..n_bits).step_by(n_bits / 4096 + 1) {
        let mut flipped = encoded.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        decode_anything(codec, &flipped, raw.len(), scratch);
    }
    for tail in [&[0; 1][..], &[0xFF; 40], &encoded] {
        decode_anything(codec, &[&encoded, tail].concat(), raw.len(), scratch);
    }
    check_round_trip(codec, raw, scratch);
}

fn decode_anything(codec: &dyn Codec, encoded: &[u8], room: usize, scratch: &mut Scratch) {
    let mut out = vec![0; room];
    match codec.decode_into(encoded, &mut out, scratch) {
        Ok(n) => assert!(n <= room, "{}: {n} bytes in room for {room}", codec.name()),
        Err(error) => assert!(
            matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported),
            "{}: {error}",
            codec.name()
        ),
    }
}

fn check_properties(codec: &dyn Codec, item_size: usize) {
    let runs = prop::collection::vec((any::<u8>(), 1..40_usize), 0..60);
    let data = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..600),
        runs.prop_map(|runs| {
            runs.into_iter().flat_map(|(byte, n)| std::iter::repeat_n(byte, n)).collect()
        })
    ];
    run(&data, |mut raw: Vec<u8>| {
        let mut scratch = Scratch::new();
        check_round_trip(codec, &raw, &mut scratch);
        raw.truncate(raw.len() / item_size * item_size);
        check_round_trip(codec, &raw, &mut scratch);
        Ok(())
    });
    let garbage = (prop::collection::vec(any::<u8>(), 0..300), 0..2000_usize);
    run(&garbage, |(garbage, room)| {
        decode_anything(codec, &garbage, room, &mut Scratch::new());
        Ok(())
    });
    // A valid encoding with some bytes changed gets further than garbage does.
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6);
    run(&(data, changes), |(raw, changes)| {
        let (mut encoded, mut scratch) = (Vec::new(), Scratch::new());
        codec.encode_into(&raw, &mut encoded, &mut scratch).expect("it is encoded");
        for (at, byte) in changes.iter().filter(|_| !encoded.is_empty()).collect::<Vec<_>>() {
            let at = at.index(encoded.len());
            encoded[at] = *byte;
        }
        decode_anything(codec, &encoded, raw.len(), &mut scratch);
        Ok(())
    });
}

fn run<S: Strategy>(strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases: N_CASES, failure_persistence: None, ..Config::default() };
    if let Err(failure) = TestRunner::new(config).run(strategy, test) {
        panic!("{failure}");
    }
}

/// Empty, tiny, odd, constant, rising and random data of several sizes.
fn samples(item_size: usize) -> Vec<Vec<u8>> {
    let mut samples: Vec<Vec<u8>> = (0..20).map(|len| (0..len).collect()).collect();
    for n_items in [1, 7, 8, 9, 100, 511, 40_000] {
        let len = n_items * item_size;
        samples.push(vec![0; len]);
        samples.push(vec![0xAB; len]);
        samples.push((0..len).map(|i| (i / item_size) as u8).collect());
        samples.push(random_bytes(len));
        samples.push((0..len + 1).map(|i| (i * i / 97) as u8).collect());
        let random = random_bytes(len);
        let sparse = random.chunks(item_size).flat_map(|item| match item.first() {
            Some(0..25) => item.to_vec(),
            _ => vec![0; item.len()],
        });
        samples.push(sparse.collect());
    }
    samples
}

/// The same bytes at every call.
fn random_bytes(len: usize) -> Vec<u8> {
    let mut random = Random::new(1);
    (0..len).map(|_| random.next_u64() as u8).collect()
}
