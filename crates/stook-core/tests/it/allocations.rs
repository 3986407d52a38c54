//! Codecs take no memory per call, and the engine none per chunk, once their contexts and buffers
//! are made.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use std::sync::Arc;

use stook_core::chunk::Deliver;
use stook_core::codec::{CodecSpec, Endian};
use stook_core::{
    Array, ArraySpec, ChunkGrid, ChunkList, ChunkSource, ChunkWrite, DType, EncodedChunk, Engine,
    EngineConfig, NodePath, Result, Scratch, Selection,
};

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
    // The libraries of these two cannot begin anew with the context that they have.
    let keeps_context =
        |spec: &CodecSpec| !matches!(spec, CodecSpec::Bzip2 { .. } | CodecSpec::Lzma(_));
    for spec in all_specs().into_iter().filter(keeps_context) {
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

/// A source whose chunks are all the same, and which forgets what is written.
#[derive(Debug)]
struct Same {
    spec: Arc<ArraySpec>,
    encoded: Vec<u8>,
}

impl ChunkSource for Same {
    fn spec(&self) -> Arc<ArraySpec> {
        Arc::clone(&self.spec)
    }

    fn identity(&self) -> u64 {
        1
    }

    fn read_chunks(&self, at: ChunkList<'_>, deliver: &Deliver<'_>) -> Result<()> {
        let chunk = EncodedChunk { bytes: &self.encoded, skipped: 0 };
        (0..at.len()).try_for_each(|i| deliver(i, Some(chunk)))
    }

    fn write_chunks(&self, _: &[ChunkWrite<'_>]) -> Result<()> {
        Ok(())
    }

    fn erase_chunks(&self, _: ChunkList<'_>) -> Result<()> {
        Ok(())
    }

    fn resize(&self, _: &[u64]) -> Result<()> {
        Ok(())
    }
}

/// An array of `n_chunks` compressed chunks.
fn same(n_chunks: u64) -> Array {
    let codecs = vec![
        CodecSpec::Transpose { order: vec![1, 0] },
        CodecSpec::ByteOrder(Endian::Big),
        CodecSpec::Shuffle { item_size: 2 },
        CodecSpec::Zlib { level: 1 },
    ];
    let mut spec = ArraySpec { codecs, ..ArraySpec::new(DType::UInt16, [n_chunks * 8, 8]) };
    spec.grid = ChunkGrid::regular([8, 8]).expect("a chunk shape");
    let raw = [7; 128];
    let mut encoded = Vec::new();
    let zlib = build(&CodecSpec::Zlib { level: 1 });
    zlib.encode_into(&raw, &mut encoded, &mut Scratch::new()).expect("it is encoded");
    let engine = Engine::new(EngineConfig::default().threads(1).cache_len_bytes(0));
    Array::new(Arc::new(Same { spec: Arc::new(spec), encoded }), "same", NodePath::root())
        .with_engine(engine)
}

#[test]
fn the_engine_allocates_nothing_per_chunk() {
    let (few, many) = (same(64), same(4096));
    let (whole, part) = (Selection::All, Selection::parse(":, 1:7").expect("a selection"));
    for selection in [&whole, &part] {
        let read = |array: &Array| {
            let found =
                n_allocations(|| drop(array.read_as::<u16>(selection).expect("it is read")));
            i64::try_from(found).expect("a small count")
        };
        read(&many);
        // The lists of the plan grow by doubling: that is all that may grow.
        let growth = read(&many) - read(&few);
        assert!(growth < 20, "reading {selection:?}: {growth}");
    }
    let write = |array: &Array| {
        let shape = array.shape();
        let elements = vec![3_u16; usize::try_from(shape[0] * shape[1]).expect("a small array")];
        let found = n_allocations(|| {
            array.write_elements(&whole, &shape, &elements).expect("it is written")
        });
        i64::try_from(found).expect("a small count")
    };
    write(&many);
    let growth = write(&many) - write(&few);
    assert!(growth < 20, "writing: {growth}");
}
