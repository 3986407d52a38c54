//! Codecs take no memory per call once their contexts and buffers are made.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use stook_core::Scratch;
use stook_core::codec::CodecSpec;

use crate::codecs::{all_specs, build};

thread_local! {
    static N_ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: every call is handed on to the system's allocator.
#[expect(unsafe_code, reason = "an allocator is unsafe to implement")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = N_ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`, and `at` is the system's.
        unsafe { System.dealloc(at, layout) }
    }
}

fn n_allocations(work: impl FnOnce()) -> u64 {
    let before = N_ALLOCATIONS.get();
    work();
    N_ALLOCATIONS.get() - before
}

#[test]
fn a_codec_in_use_allocates_nothing() {
    let raw: Vec<u8> = (0..100_000_u32).flat_map(|i| (i / 3).to_le_bytes()).collect();
    for spec in all_specs() {
        let (codec, mut scratch) = (build(&spec), Scratch::new());
        let (mut encoded, mut out) = (Vec::new(), vec![0; raw.len()]);
        let mut round_trip = || {
            encoded.clear();
            codec.encode_into(&raw, &mut encoded, &mut scratch).expect("it is encoded");
            codec.decode_into(&encoded, &mut out, &mut scratch).expect("it is decoded")
        };
        round_trip();
        let found = n_allocations(|| {
            round_trip();
        });
        assert_eq!(found, 0, "{spec:?}");
    }
}

#[test]
fn allocations_are_counted() {
    let spec = CodecSpec::Crc32c;
    assert!(n_allocations(|| drop(spec.clone().name().to_owned())) > 0);
}
