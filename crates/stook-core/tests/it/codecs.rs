//! Every codec in the shared suite, and on what other libraries encoded.

use std::sync::Arc;

use stook_core::codec::{
    Bitshuffle, BitshuffleCompressor, Blosc, Blosc2, BloscCompressor, BloscShuffle,
    ChecksumAlgorithm, ChecksumPlace, Codec, CodecSpec, HeapCodec, Lzma, Step, Szip,
};
use stook_core::values::Values;
use stook_core::{DType, ErrorKind, Limits, Scratch, codec};
use stook_testkit::codec::{codec_suite, heap_codec_suite, shared_scratch_suite};

pub(crate) fn build(spec: &CodecSpec) -> Arc<dyn Codec> {
    match codec::build(spec, &stage(DType::UInt32)).expect("the configuration is valid").0 {
        Step::Codec(codec) => codec,
        other => panic!("{spec:?} is no codec of bytes: {other:?}"),
    }
}

pub(crate) fn blosc(compressor: BloscCompressor, shuffle: BloscShuffle) -> CodecSpec {
    CodecSpec::Blosc(Blosc { compressor, level: 5, shuffle, item_size: 4, block_len_bytes: 0 })
}

fn blosc2(compressor: BloscCompressor, shuffle: BloscShuffle, values: &[u32]) -> CodecSpec {
    let values = values.to_vec();
    CodecSpec::Blosc2(Blosc2 { compressor, level: 1, shuffle, item_size: 4, values })
}

/// The compressors of Blosc 2.
fn blosc2_compressors() -> impl Iterator<Item = BloscCompressor> {
    BLOSC_COMPRESSORS.into_iter().filter(|&compressor| compressor != BloscCompressor::Snappy)
}

const BLOSC_COMPRESSORS: [BloscCompressor; 6] = [
    BloscCompressor::BloscLz,
    BloscCompressor::Lz4,
    BloscCompressor::Lz4Hc,
    BloscCompressor::Snappy,
    BloscCompressor::Zlib,
    BloscCompressor::Zstd,
];
const BLOSC_SHUFFLES: [BloscShuffle; 3] =
    [BloscShuffle::None, BloscShuffle::Byte, BloscShuffle::Bit];

fn bitshuffle(
    item_size: usize,
    block_len_items: usize,
    compressor: BitshuffleCompressor,
) -> CodecSpec {
    CodecSpec::Bitshuffle(Bitshuffle { item_size, block_len_items, compressor })
}

/// HDF5's option masks: little-endian, with and without differences.
const SZIP_NN: u32 = 128 | 32 | 8;
const SZIP_EC: u32 = 128 | 8 | 4;

fn szip(options: u32, block: u32, bits: u32, line: u32) -> CodecSpec {
    CodecSpec::Szip(Szip {
        options,
        pixels_per_block: block,
        bits_per_pixel: bits,
        pixels_per_scanline: line,
    })
}

fn lzma(format: u32, check: i32) -> CodecSpec {
    CodecSpec::Lzma(Lzma { format, check, preset: Some(1), filters: None })
}

fn lzma_filters(format: u32, filters: serde_json::Value) -> CodecSpec {
    CodecSpec::Lzma(Lzma { format, check: -1, preset: None, filters: Some(filters) })
}

fn lzma_raw(id: u64) -> CodecSpec {
    lzma_filters(3, serde_json::json!([{ "id": id, "preset": 0, "dict_size": 1 << 16 }]))
}

fn lzma_delta() -> CodecSpec {
    let end = serde_json::json!({ "id": 0x21, "preset": 2, "lc": 1, "lp": 2, "pb": 2, "mf": 4 });
    lzma_filters(3, serde_json::json!([{ "id": 3, "dist": 4 }, { "id": 4 }, end]))
}

/// numcodecs' checksums where it puts them, and where it can be told to.
const CHECKSUMS: [(&str, CodecSpec); 6] = {
    use ChecksumAlgorithm::{Adler32, Crc32, Crc32c};
    use ChecksumPlace::{End, Start};
    const fn spec(algorithm: ChecksumAlgorithm, place: ChecksumPlace) -> CodecSpec {
        CodecSpec::Checksum { algorithm, place }
    }
    [
        ("crc32", spec(Crc32, Start)),
        ("crc32_end", spec(Crc32, End)),
        ("adler32", spec(Adler32, Start)),
        ("adler32_end", spec(Adler32, End)),
        ("crc32c_start", spec(Crc32c, Start)),
        ("crc32c", spec(Crc32c, End)),
    ]
};

/// One spec of every codec of bytes, as cheap as it comes.
pub(crate) fn all_specs() -> Vec<CodecSpec> {
    let mut specs = vec![
        CodecSpec::Gzip { level: 1 },
        CodecSpec::Zlib { level: 6 },
        CodecSpec::Zstd { level: 3, checksum: false },
        CodecSpec::Zstd { level: -5, checksum: true },
        CodecSpec::Lz4 { acceleration: 1 },
        CodecSpec::Lz4Hdf5 { block_len_bytes: 100 },
        CodecSpec::Lzf,
        CodecSpec::Bzip2 { level: 1 },
        lzma(1, -1),
        bitshuffle(4, 0, BitshuffleCompressor::None),
        bitshuffle(4, 64, BitshuffleCompressor::Lz4),
        bitshuffle(2, 0, BitshuffleCompressor::Zstd { level: 1 }),
        szip(SZIP_NN, 8, 32, 64),
        CodecSpec::Shuffle { item_size: 4 },
        CodecSpec::Crc32c,
        CodecSpec::Fletcher32,
        CodecSpec::Jenkins { initial: 7, prefix: Some(b"stook".to_vec()) },
    ];
    specs.extend(CHECKSUMS.map(|(_, spec)| spec));
    specs.extend(BLOSC_COMPRESSORS.map(|compressor| blosc(compressor, BloscShuffle::Byte)));
    specs.push(blosc(BloscCompressor::Lz4, BloscShuffle::Bit));
    specs.extend(blosc2_compressors().map(|c| blosc2(c, BloscShuffle::Byte, &[])));
    specs.push(blosc2(BloscCompressor::Lz4, BloscShuffle::Bit, &[]));
    specs
}

#[test]
fn gzip_and_zlib_keep_the_contract() {
    for level in [0, 1, 5, 9] {
        codec_suite(&*build(&CodecSpec::Gzip { level }), 4);
        codec_suite(&*build(&CodecSpec::Zlib { level }), 2);
    }
}

#[test]
fn zstd_keeps_the_contract() {
    for (level, checksum) in [(-131_072, false), (0, true), (3, false), (12, true)] {
        codec_suite(&*build(&CodecSpec::Zstd { level, checksum }), 8);
    }
}

#[test]
fn lz4_and_lzf_keep_the_contract() {
    codec_suite(&*build(&CodecSpec::Lz4 { acceleration: 1 }), 4);
    codec_suite(&*build(&CodecSpec::Lz4Hdf5 { block_len_bytes: 0 }), 4);
    codec_suite(&*build(&CodecSpec::Lz4Hdf5 { block_len_bytes: 64 }), 2);
    codec_suite(&*build(&CodecSpec::Lzf), 2);
}

#[test]
fn bzip2_keeps_the_contract() {
    codec_suite(&*build(&CodecSpec::Bzip2 { level: 1 }), 4);
    codec_suite(&*build(&CodecSpec::Bzip2 { level: 9 }), 2);
}

#[test]
fn lzma_keeps_the_contract() {
    for spec in [lzma(1, -1), lzma(1, 0), lzma(2, -1), lzma_delta(), lzma_raw(0x21)] {
        codec_suite(&*build(&spec), 4);
    }
    codec_suite(&*build(&lzma_raw(0x4000_0000_0000_0001)), 4);
}

#[test]
fn szip_keeps_the_contract() {
    for (options, bits, line) in [
        (SZIP_NN, 8, 256),
        (SZIP_EC, 8, 100),
        (SZIP_NN, 16, 1024),
        (SZIP_NN | 16, 16, 50),
        (SZIP_EC, 16, 64),
        (SZIP_NN, 32, 1024),
        (SZIP_EC, 32, 33),
        (SZIP_NN, 64, 128),
    ] {
        codec_suite(&*build(&szip(options, 16, bits, line)), (bits as usize).div_ceil(8));
    }
    codec_suite(&*build(&szip(SZIP_NN, 2, 8, 3)), 1);
    codec_suite(&*build(&szip(SZIP_EC, 32, 8, 4096)), 1);
}

#[test]
fn szip_encodes_as_libaec_does() {
    for (name, bits, line) in SZIP_FIXTURES {
        for (kind, options) in [("nn", SZIP_NN), ("ec", SZIP_EC)] {
            let mut raw = fixture_data();
            let options = if name == "be" {
                raw.as_chunks_mut::<2>().0.iter_mut().for_each(|pair| pair.reverse());
                options ^ (16 | 8)
            } else {
                options
            };
            let (name, spec) = (format!("h5_szip_{kind}_{name}"), szip(options, 16, bits, line));
            check_decoded(&name, &spec, &raw);
            let mut out = Vec::new();
            build(&spec).encode_into(&raw, &mut out, &mut Scratch::new()).expect(&name);
            assert!(out == fixture(&name), "{name}: the bytes differ");
        }
    }
}

/// Name, bits of a pixel and pixels of a line: the data as other types and in other shapes.
const SZIP_FIXTURES: [(&str, u32, u32); 6] = [
    ("8", 8, 2048),
    ("16", 16, 2048),
    ("be", 16, 2048),
    ("32", 32, 1504),
    ("64", 64, 752),
    ("lines", 16, 94),
];

#[test]
fn shuffle_keeps_the_contract() {
    for item_size in [1, 2, 3, 4, 8, 12, 16] {
        codec_suite(&*build(&CodecSpec::Shuffle { item_size }), item_size);
    }
}

#[test]
fn bitshuffle_keeps_the_contract() {
    use BitshuffleCompressor::{Lz4, None, Zstd};
    for compressor in [None, Lz4, Zstd { level: 3 }] {
        for (item_size, block_len_items) in [(1, 0), (2, 8), (4, 0), (4, 256), (8, 0), (12, 128)] {
            codec_suite(&*build(&bitshuffle(item_size, block_len_items, compressor)), item_size);
        }
    }
}

#[test]
fn checksums_keep_the_contract() {
    codec_suite(&*build(&CodecSpec::Crc32c), 4);
    codec_suite(&*build(&CodecSpec::Fletcher32), 4);
    codec_suite(&*build(&CodecSpec::Jenkins { initial: 0, prefix: None }), 4);
    CHECKSUMS.iter().for_each(|(_, spec)| codec_suite(&*build(spec), 2));
}

#[test]
fn blosc_keeps_the_contract() {
    for compressor in BLOSC_COMPRESSORS {
        for shuffle in BLOSC_SHUFFLES {
            codec_suite(&*build(&blosc(compressor, shuffle)), 4);
        }
    }
}

#[test]
fn blosc2_keeps_the_contract() {
    for compressor in blosc2_compressors() {
        for shuffle in BLOSC_SHUFFLES {
            codec_suite(&*build(&blosc2(compressor, shuffle, &[])), 4);
        }
    }
    // The shapes of some samples: one block, one block, and two of which the second is padded.
    for shape in [&[2, 10, 10][..], &[3, 5, 4, 5], &[2, 5, 8000]] {
        let values = [&[1, 0, 4, 0, 5, 1, 5], shape].concat();
        codec_suite(&*build(&blosc2(BloscCompressor::Zstd, BloscShuffle::Byte, &values)), 4);
    }
}

#[test]
fn blosc2_of_wide_items_comes_back() {
    // Constant where the first of many streams would lie.
    let raw: Vec<u8> =
        (0..300_000_u32).map(|i| if i < 75_000 { 0 } else { (i / 7) as u8 }).collect();
    for compressor in blosc2_compressors() {
        for shuffle in BLOSC_SHUFFLES {
            let values = Vec::new();
            let config = Blosc2 { compressor, level: 1, shuffle, item_size: 300, values };
            let codec = build(&CodecSpec::Blosc2(config));
            let (mut encoded, mut back) = (Vec::new(), vec![1; raw.len()]);
            codec.encode_into(&raw, &mut encoded, &mut Scratch::new()).unwrap();
            let n = codec.decode_into(&encoded, &mut back, &mut Scratch::new()).unwrap();
            assert!(n == raw.len() && back == raw, "{compressor:?} {shuffle:?}");
        }
    }
}

#[test]
fn variable_length_codecs_keep_the_contract() {
    for (spec, dtype) in
        [(CodecSpec::VlenUtf8, DType::string()), (CodecSpec::VlenBytes, DType::Bytes)]
    {
        heap_codec_suite(&*heap_codec(&spec, &dtype));
    }
}

#[test]
fn codecs_share_a_scratch() {
    let codecs: Vec<_> = all_specs().iter().map(build).collect();
    shared_scratch_suite(&codecs.iter().map(|codec| &**codec).collect::<Vec<_>>());
}

fn stage(dtype: DType) -> codec::Stage {
    codec::Stage::new(dtype, None)
}

fn heap_codec(spec: &CodecSpec, dtype: &DType) -> Arc<dyn HeapCodec> {
    match codec::build(spec, &stage(dtype.clone())).expect("the dtype fits").0 {
        Step::Heap(codec) => codec,
        other => panic!("{spec:?} is no codec of heap items: {other:?}"),
    }
}

#[test]
fn what_cannot_be_built_is_refused_by_name() {
    let unknown =
        CodecSpec::Unknown { name: "wavpack".to_owned(), configuration: serde_json::Value::Null };
    let error = codec::build(&unknown, &stage(DType::Int8)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.message(), "codec `wavpack` is not supported");
    for spec in [
        CodecSpec::Gzip { level: 10 },
        CodecSpec::Zstd { level: 23, checksum: false },
        CodecSpec::Shuffle { item_size: 0 },
        CodecSpec::Transpose { order: vec![0, 0] },
        CodecSpec::VlenUtf8,
    ] {
        let error = codec::build(&spec, &stage(DType::Int8)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{spec:?}");
    }
}

/// The data of the fixtures; see `tests/fixtures/codecs/generate.py`.
fn fixture_data() -> Vec<u8> {
    let item = |i: u64| if i < 1200 { i / 5 * 37 % 500 } else { i * 2_654_435_761 % (1 << 32) };
    (0..1504).flat_map(|i| u32::try_from(item(i)).expect("reduced").to_le_bytes()).collect()
}

#[expect(clippy::disallowed_methods, reason = "a test reads its fixture")]
fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/codecs");
    std::fs::read(format!("{folder}/{name}.bin")).expect("the fixture is there")
}

/// Decodes the fixture, and damaged forms of it.
fn check_fixture(name: &str, spec: &CodecSpec) {
    check_decoded(name, spec, &fixture_data());
}

fn check_decoded(name: &str, spec: &CodecSpec, raw: &[u8]) {
    let (encoded, codec) = (fixture(name), build(spec));
    let (mut out, mut scratch) = (vec![0; raw.len()], Scratch::new());
    let n = codec.decode_into(&encoded, &mut out, &mut scratch).expect(name);
    assert!((n, out.as_slice()) == (raw.len(), raw), "{name}: the data differs");
    assert!(encoded.len() <= codec.encoded_bound(raw.len()), "{name}");
    for len in 0..encoded.len() {
        let _ = codec.decode_into(&encoded[..len], &mut out, &mut scratch);
    }
    for bit in (0..encoded.len() * 8).step_by(17) {
        let mut flipped = encoded.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let _ = codec.decode_into(&flipped, &mut out, &mut scratch);
    }
}

#[test]
fn what_numcodecs_encoded_is_decoded() {
    for (name, spec) in [
        ("gzip", CodecSpec::Gzip { level: 6 }),
        ("gzip_members", CodecSpec::Gzip { level: 6 }),
        ("zlib", CodecSpec::Zlib { level: 9 }),
        ("zlib_stored", CodecSpec::Zlib { level: 0 }),
        ("zstd", CodecSpec::Zstd { level: 7, checksum: false }),
        ("zstd_checksum", CodecSpec::Zstd { level: -3, checksum: true }),
        ("lz4", CodecSpec::Lz4 { acceleration: 3 }),
        ("fletcher32", CodecSpec::Fletcher32),
        ("bz2", CodecSpec::Bzip2 { level: 9 }),
        ("bz2_streams", CodecSpec::Bzip2 { level: 1 }),
        ("lzma_xz", lzma(1, -1)),
        ("lzma_xz_sha256", lzma(1, 10)),
        ("lzma_xz_delta", lzma(1, 1)),
        ("lzma_alone", lzma(2, -1)),
        ("lzma_raw", lzma_delta()),
        ("lzma_raw_1", lzma_raw(0x4000_0000_0000_0001)),
        ("blosc_stored", blosc(BloscCompressor::Lz4, BloscShuffle::None)),
    ] {
        check_fixture(name, &spec);
    }
    // numcodecs has no snappy; HDF5's filter has.
    let prefixes = ["blosc_blosclz", "blosc_lz4", "blosc_lz4hc", "h5_blosc_snappy", "blosc_zlib"];
    let prefixes = prefixes.into_iter().chain(["blosc_zstd"]);
    for (prefix, compressor) in prefixes.zip(BLOSC_COMPRESSORS) {
        for (shuffle_name, shuffle) in ["none", "byte", "bit"].iter().zip(BLOSC_SHUFFLES) {
            let name = format!("{prefix}_{shuffle_name}");
            check_fixture(&name, &blosc(compressor, shuffle));
        }
    }
}

#[test]
fn what_blosc2_encoded_is_decoded() {
    let spec = blosc2(BloscCompressor::Zstd, BloscShuffle::None, &[]);
    for compressor in ["blosclz", "lz4", "lz4hc", "zlib", "zstd"] {
        for shuffle in ["none", "byte", "bit"] {
            check_fixture(&format!("h5_blosc2_{compressor}_{shuffle}"), &spec);
        }
    }
    for name in ["h5_blosc2_2d", "h5_blosc2_3d", "blosc2_chunks", "blosc2_delta", "blosc2_nd"] {
        check_fixture(name, &spec);
    }
    check_fixture("blosc2_two_filters", &spec);
    check_fixture("blosc2_bare", &spec);
    let mut one = vec![0; 6400];
    one[(3 * 40 + 5) * 4..][..4].copy_from_slice(&1.5_f32.to_le_bytes());
    check_decoded("blosc2_zeros", &spec, &one);
    check_decoded("blosc2_nan", &spec, &f64::NAN.to_le_bytes().repeat(1000));
    check_decoded("blosc2_value", &spec, &7_i16.to_le_bytes().repeat(1000));
}

#[test]
fn what_hdf5_filters_encoded_is_decoded() {
    for (name, spec) in [
        ("h5_deflate", CodecSpec::Zlib { level: 4 }),
        ("h5_shuffle", CodecSpec::Shuffle { item_size: 4 }),
        ("h5_lzf", CodecSpec::Lzf),
        ("h5_bitshuffle_lz4", bitshuffle(4, 0, BitshuffleCompressor::Lz4)),
        ("h5_bitshuffle_lz4_64", bitshuffle(4, 64, BitshuffleCompressor::Lz4)),
        ("h5_bitshuffle_zstd", bitshuffle(4, 0, BitshuffleCompressor::Zstd { level: 7 })),
        ("h5_bitshuffle_odd", bitshuffle(32, 0, BitshuffleCompressor::Lz4)),
        ("h5_bzip2", CodecSpec::Bzip2 { level: 9 }),
        ("h5_lz4", CodecSpec::Lz4Hdf5 { block_len_bytes: 1024 }),
        ("h5_lz4_default", CodecSpec::Lz4Hdf5 { block_len_bytes: 0 }),
        ("h5_zstd", CodecSpec::Zstd { level: 5, checksum: false }),
        ("h5_blosc_zstd", blosc(BloscCompressor::Zstd, BloscShuffle::Byte)),
        ("h5_blosc_lz4_bit", blosc(BloscCompressor::Lz4, BloscShuffle::Bit)),
    ] {
        check_fixture(name, &spec);
    }
}

#[test]
fn codecs_without_choice_encode_as_others_do() {
    for (name, spec) in CHECKSUMS.into_iter().chain([
        ("jenkins", CodecSpec::Jenkins { initial: 0, prefix: None }),
        ("jenkins_prefix", CodecSpec::Jenkins { initial: 7, prefix: Some(b"stook".to_vec()) }),
        ("shuffle", CodecSpec::Shuffle { item_size: 4 }),
        ("shuffle_16", CodecSpec::Shuffle { item_size: 16 }),
        ("crc32c", CodecSpec::Crc32c),
        ("h5_fletcher32", CodecSpec::Fletcher32),
        ("h5_bitshuffle", bitshuffle(4, 0, BitshuffleCompressor::None)),
        ("h5_bitshuffle_128", bitshuffle(4, 128, BitshuffleCompressor::None)),
    ]) {
        check_fixture(name, &spec);
        let mut out = Vec::new();
        let encoded = build(&spec).encode_into(&fixture_data(), &mut out, &mut Scratch::new());
        encoded.expect(name);
        assert!(out == fixture(name), "{name}: the bytes differ");
    }
}

#[test]
fn variable_length_fixtures_are_read_and_written() {
    let texts = ["a", "bab", "", "grün 束"].map(str::as_bytes);
    check_heap_fixture("vlen_utf8", &CodecSpec::VlenUtf8, &DType::string(), &texts);
    let bytes: [&[u8]; 3] = [b"a", b"\xff\0", b""];
    check_heap_fixture("vlen_bytes", &CodecSpec::VlenBytes, &DType::Bytes, &bytes);
}

fn check_heap_fixture(name: &str, spec: &CodecSpec, dtype: &DType, payloads: &[&[u8]]) {
    let (encoded, codec) = (fixture(name), heap_codec(spec, dtype));
    let (mut items, mut heap) = (vec![0; payloads.len() * 16], Vec::new());
    codec.decode_into(&encoded, &mut items, &mut heap, &Limits::default()).expect(name);
    let mut again = Vec::new();
    codec.encode_into(&items, &heap, &mut again).expect(name);
    assert_eq!(again, encoded, "{name}");
    let values = Values::new(dtype.clone(), vec![payloads.len() as u64], items, heap).expect(name);
    for (at, payload) in payloads.iter().enumerate() {
        assert_eq!(values.payload(at).expect(name), *payload, "{name}");
    }
}
