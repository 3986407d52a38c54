//! Decoders of chunks. The first byte says which codec, the next two how much room there is.

use std::sync::OnceLock;

use serde_json::json;
use stook_core::codec::{self, Bitshuffle, BitshuffleCompressor, CodecSpec, Stage, Step, Szip};
use stook_core::{DType, Scratch};
use stook_zarr::numcodecs;

use crate::limits;

/// Items of a chunk, as its shape has them.
const N_ITEMS: usize = 4 * 8;

/// A codec and what it is given.
type Case = (CodecSpec, Stage);

/// Every codec there is, with the items that it works on.
fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(|| {
        let numcodecs = [
            json!({"id": "gzip"}), json!({"id": "zlib"}), json!({"id": "bz2"}),
            json!({"id": "zstd"}), json!({"id": "lz4"}),
            json!({"id": "lzma"}), json!({"id": "lzma", "format": 2}),
            json!({"id": "lzma", "format": 3, "filters": [{"id": 3, "dist": 4}, {"id": 33, "preset": 1}]}),
            json!({"id": "blosc", "cname": "blosclz", "shuffle": 1}),
            json!({"id": "blosc", "cname": "lz4", "shuffle": 2}),
            json!({"id": "blosc", "cname": "snappy", "shuffle": 1}),
            json!({"id": "blosc", "cname": "zlib", "shuffle": 0}),
            json!({"id": "blosc", "cname": "zstd", "shuffle": 2}),
            json!({"id": "shuffle", "elementsize": 4}), json!({"id": "delta"}),
            json!({"id": "delta", "astype": "<i2"}),
            json!({"id": "fixedscaleoffset", "scale": 10, "offset": 5, "astype": "u1"}),
            json!({"id": "quantize", "digits": 2}), json!({"id": "bitround", "keepbits": 3}),
            json!({"id": "packbits"}),
            json!({"id": "astype", "encode_dtype": "<f4", "decode_dtype": "<i8"}),
            json!({"id": "crc32"}), json!({"id": "adler32"}), json!({"id": "crc32c"}),
            json!({"id": "fletcher32"}), json!({"id": "jenkins_lookup3"}),
            json!({"id": "pcodec"}), json!({"id": "zfpy", "mode": 5}),
            json!({"id": "zfpy", "mode": 4, "tolerance": 0.1}), json!({"id": "base64"}),
        ];
        let dtypes = [DType::Float32, DType::Int32, DType::Float64, DType::Bool, DType::Int64];
        let mut cases: Vec<Case> = Vec::new();
        for settings in &numcodecs {
            for dtype in &dtypes {
                let stage = Stage::new(dtype.clone(), Some(vec![4, 8]));
                if let Ok(spec) = numcodecs::parse(settings, &stage)
                    && codec::build(&spec, &stage).is_ok()
                {
                    cases.push((spec, stage));
                }
            }
        }
        let hdf5 = [
            CodecSpec::Lzf,
            CodecSpec::Lz4Hdf5 { block_len_bytes: 64 },
            CodecSpec::Fletcher32,
            bitshuffle(BitshuffleCompressor::None),
            bitshuffle(BitshuffleCompressor::Lz4),
            bitshuffle(BitshuffleCompressor::Zstd { level: 3 }),
            szip(4, 8), szip(4 | 128, 16), szip(32, 32), szip(32 | 16, 64),
        ];
        let stage = Stage::new(DType::Int32, Some(vec![4, 8]));
        let hdf5 = hdf5.into_iter().filter(|spec| codec::build(spec, &stage).is_ok());
        cases.extend(hdf5.map(|spec| (spec, stage.clone())));
        cases
    })
}

fn bitshuffle(compressor: BitshuffleCompressor) -> CodecSpec {
    CodecSpec::Bitshuffle(Bitshuffle { item_size: 4, block_len_items: 0, compressor })
}

fn szip(options: u32, bits_per_pixel: u32) -> CodecSpec {
    let (pixels_per_block, pixels_per_scanline) = (8, 32);
    CodecSpec::Szip(Szip { options, pixels_per_block, bits_per_pixel, pixels_per_scanline })
}

/// A codec, how much room there is, and the bytes behind those.
fn split(data: &[u8]) -> Option<(&'static Case, usize, &[u8])> {
    let (&[which, low, high], rest) = data.split_first_chunk::<3>()?;
    let cases = cases();
    let case = cases.get(usize::from(which) % cases.len().max(1))?;
    Some((case, usize::from(u16::from_le_bytes([low, high])), rest))
}

/// Decodes what may be no encoding at all.
pub(crate) fn decode(data: &[u8]) {
    let Some(((spec, stage), room, encoded)) = split(data) else { return };
    let Ok((Step::Codec(codec), _)) = codec::build(spec, stage) else { return };
    let mut out = vec![0xEE; room];
    let _ = codec.decoded_len(encoded);
    if let Ok(len) = codec.decode_into(encoded, &mut out, &mut Scratch::new()) {
        assert!(len <= room, "{}: {len} bytes into {room}", codec.name());
    }
}

/// Encodes any items, decodes that, and finds the items where nothing may be lost.
pub(crate) fn round_trip(data: &[u8]) {
    let Some(((spec, stage), _, raw)) = split(data) else { return };
    let Ok((Step::Codec(codec), _)) = codec::build(spec, stage) else { return };
    // A chunk is always given whole.
    let mut raw = raw.to_vec();
    raw.resize(N_ITEMS * stage.dtype.item_size(), 0);
    if stage.dtype == DType::Bool {
        raw.iter_mut().for_each(|byte| *byte &= 1);
    }
    let (mut scratch, mut encoded) = (Scratch::new(), Vec::new());
    if codec.encode_into(&raw, &mut encoded, &mut scratch).is_err() {
        return;
    }
    let bound = codec.encoded_bound(raw.len());
    assert!(encoded.len() <= bound, "{}: {} bytes over {bound}", codec.name(), encoded.len());
    let mut out = vec![0; raw.len()];
    let len = codec.decode_into(&encoded, &mut out, &mut scratch);
    if spec.is_lossy() {
        return;
    }
    match len {
        Ok(len) => assert!(out.get(..len) == Some(&raw), "{}: other items", codec.name()),
        Err(error) => panic!("{}: its own encoding: {error}", codec.name()),
    }
}

/// Decodes items of variable length.
pub(crate) fn decode_heap(data: &[u8]) {
    let Some((&[which, n], encoded)) = data.split_first_chunk::<2>() else { return };
    let (settings, dtype) = match which % 5 {
        0 => (json!({"id": "vlen-utf8"}), DType::string()),
        1 => (json!({"id": "vlen-bytes"}), DType::Bytes),
        2 => (json!({"id": "vlen-array", "dtype": "<i4"}), DType::Sequence(DType::Int32.into())),
        3 => (json!({"id": "json2"}), DType::string()),
        _ => (json!({"id": "msgpack2"}), DType::string()),
    };
    let stage = Stage::new(dtype, Some(vec![n.into()]));
    let Ok(spec) = numcodecs::parse(&settings, &stage) else { return };
    let Ok((Step::Heap(codec), _)) = codec::build(&spec, &stage) else { return };
    let (mut items, mut heap) = (vec![0; usize::from(n) * 16], b"kept".to_vec());
    let _ = codec.decode_into(encoded, &mut items, &mut heap, &limits());
    assert!(heap.starts_with(b"kept"), "{}: payload is appended", codec.name());
}

/// A seed of each codec: an encoding of plain numbers.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let raw: Vec<u8> = (0..32_u32).flat_map(|n| (n / 3).to_le_bytes()).collect();
    let seed = |(which, (spec, stage)): (usize, &Case)| {
        let Ok((Step::Codec(codec), _)) = codec::build(spec, stage) else { return None };
        let mut seed = vec![u8::try_from(which).ok()?, 0, 1];
        codec.encode_into(&raw, &mut seed, &mut Scratch::new()).ok()?;
        Some(seed)
    };
    cases().iter().enumerate().filter_map(seed).collect()
}
