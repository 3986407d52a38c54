//! Mutants of every target's seeds, a bounded number, with an allocator that counts.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod memory;

use stook_fuzz::{TARGETS, Target, seeds};
use stook_testkit::random::Random;

use crate::memory::peak_of;

/// Mutants of each target; `STOOK_FUZZ_MUTANTS` asks for another number.
const N_MUTANTS: usize = 3000;
/// What a target may hold beside its input: what the limits of a run allow several times over
/// (a chunk, its encoding, its heap, the buffers between them), and what compressors take at
/// most whatever they are given: pcodec looks back by 2^24 numbers of eight bytes.
const MAX_LEN_BYTES: usize = 160 << 20;

fn n_mutants() -> usize {
    let asked = std::env::var("STOOK_FUZZ_MUTANTS").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(N_MUTANTS)
}

/// Changes `input` in some places, as a damaged disk or an ill-willed person would.
fn mutate(input: &mut Vec<u8>, others: &[Vec<u8>], random: &mut Random) {
    /// Numbers that lengths and counts are known to stumble over.
    const EDGES: [u64; 8] = [0, 1, 0x7f, 0xff, 0x7fff_ffff, 0xffff_ffff, u64::MAX >> 1, u64::MAX];
    for _ in 0..=random.below(4) {
        let len = input.len();
        let at = random.below(len + 1);
        match random.below(8) {
            0 => input.truncate(at),
            1 => input.extend(random.bytes(64)),
            2 if at < len => input[at] ^= 1 << random.below(8),
            3 if at < len => input[at] = random.bytes(9).first().copied().unwrap_or(0xff),
            4 => {
                let size = [1, 2, 4, 8][random.below(4)];
                let edge = EDGES[random.below(EDGES.len())].to_le_bytes();
                let end = (at + size).min(len);
                input[at.min(end)..end].copy_from_slice(&edge[..end - at.min(end)]);
            }
            5 => {
                let end = (at + random.below(32)).min(len);
                drop(input.drain(at.min(end)..end));
            }
            6 => {
                let end = (at + random.below(32)).min(len);
                let part = input[at.min(end)..end].to_vec();
                input.splice(at..at, part);
            }
            _ => {
                let other = &others[random.below(others.len())];
                let from = random.below(other.len() + 1);
                let end = (from + random.below(64)).min(other.len());
                input.splice(at..at, other[from.min(end)..end].iter().copied());
            }
        }
    }
}

fn run(target: &Target) {
    let seeds = seeds(target.name);
    assert!(!seeds.is_empty(), "{}: there are no seeds", target.name);
    let mut random = Random::new(u64::from(target.name.len() as u32) << 32 | 1);
    let check = |input: &[u8]| {
        let peak = peak_of(|| (target.run)(input));
        assert!(
            peak <= MAX_LEN_BYTES + 64 * input.len(),
            "{}: {peak} bytes for an input of {}: {:02x?}",
            target.name,
            input.len(),
            &input[..input.len().min(400)]
        );
    };
    seeds.iter().for_each(|seed| check(seed));
    for n in 0..n_mutants() {
        let mut input = seeds[n % seeds.len()].clone();
        mutate(&mut input, &seeds, &mut random);
        check(&input);
    }
}

#[test]
fn mutants_are_errors_or_data() {
    for target in TARGETS.iter().filter(|target| target.in_process) {
        println!("{}", target.name);
        run(target);
    }
}

#[test]
fn every_target_has_a_binary() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/Cargo.toml");
    #[expect(clippy::disallowed_methods, reason = "the manifest lies in this repository")]
    let manifest = std::fs::read_to_string(manifest).unwrap();
    for target in TARGETS {
        assert!(manifest.contains(&format!("name = \"{}\"", target.name)), "{}", target.name);
    }
}
