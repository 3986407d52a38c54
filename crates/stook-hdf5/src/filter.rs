//! HDF5's filters as the core's codecs; [`make`] goes the other way.

mod make;

use serde_json::json;
use stook_core::codec::{
    Bitshuffle, BitshuffleCompressor, Blosc, Blosc2, BloscCompressor, BloscShuffle, CodecSpec, Szip,
};

pub(crate) use self::make::{ChunkOf, filter_of};
use crate::ffi::Filter;

const DEFLATE: i32 = 1;
const SHUFFLE: i32 = 2;
const FLETCHER32: i32 = 3;
pub(crate) const SZIP: i32 = 4;
const NBIT: i32 = 5;
const SCALE_OFFSET: i32 = 6;
pub(crate) const BZIP2: i32 = 307;
pub(crate) const LZF: i32 = 32000;
pub(crate) const BLOSC: i32 = 32001;
pub(crate) const LZ4: i32 = 32004;
pub(crate) const BITSHUFFLE: i32 = 32008;
pub(crate) const ZFP: i32 = 32013;
pub(crate) const ZSTD: i32 = 32015;
pub(crate) const BLOSC2: i32 = 32026;

/// Names of registered filters that are met but not known to the core.
const NAMES: [(i32, &str); 12] = [
    (305, "lzo"),
    (32002, "mafisc"),
    (32003, "snappy"),
    (32009, "spdp"),
    (32010, "lpc-rice"),
    (32012, "jpeg-xr"),
    (32016, "fpzip"),
    (32017, "sz"),
    (32018, "zstandard with shuffle"),
    (32019, "jpeg"),
    (32024, "sz3"),
    (32028, "sperr"),
];

/// Blosc's compressors by the number that its filters give them.
const COMPRESSORS: [BloscCompressor; 6] = [
    BloscCompressor::BloscLz,
    BloscCompressor::Lz4,
    BloscCompressor::Lz4Hc,
    BloscCompressor::Snappy,
    BloscCompressor::Zlib,
    BloscCompressor::Zstd,
];

/// The parameters of a filter, by position.
struct Parameters<'a> {
    values: &'a [u32],
    /// Bytes of an item, where the filter does not say.
    item_size: usize,
}

impl Parameters<'_> {
    fn get(&self, at: usize) -> Option<u32> {
        self.values.get(at).copied()
    }

    fn or(&self, at: usize, default: u32) -> u32 {
        self.get(at).unwrap_or(default)
    }

    fn signed(&self, at: usize, default: i32) -> i32 {
        self.get(at).map_or(default, u32::cast_signed)
    }

    fn item_size(&self, at: usize) -> usize {
        self.get(at).filter(|&size| size > 0).map_or(self.item_size, |size| size as usize)
    }

    fn compressor(&self, at: usize) -> BloscCompressor {
        let code = self.get(at).and_then(|code| COMPRESSORS.get(code as usize).copied());
        code.unwrap_or(BloscCompressor::BloscLz)
    }

    fn shuffle(&self, at: usize) -> BloscShuffle {
        match self.get(at) {
            Some(0) => BloscShuffle::None,
            Some(2) => BloscShuffle::Bit,
            _ => BloscShuffle::Byte,
        }
    }
}

/// The codec that `filter` is, on items of `item_size` bytes.
pub(crate) fn codec_of(filter: &Filter, item_size: usize) -> CodecSpec {
    let p = Parameters { values: &filter.values, item_size };
    match filter.id {
        DEFLATE => CodecSpec::Zlib { level: p.or(0, 6) },
        SHUFFLE => CodecSpec::Shuffle { item_size: p.item_size(0) },
        FLETCHER32 => CodecSpec::Fletcher32,
        SZIP => CodecSpec::Szip(Szip {
            options: p.or(0, 0),
            pixels_per_block: p.or(1, 0),
            bits_per_pixel: p.or(2, 0),
            pixels_per_scanline: p.or(3, 0),
        }),
        NBIT => CodecSpec::NBit { values: filter.values.clone() },
        SCALE_OFFSET => CodecSpec::ScaleOffsetHdf5 { values: filter.values.clone() },
        BZIP2 => CodecSpec::Bzip2 { level: p.or(0, 9) },
        LZF => CodecSpec::Lzf,
        LZ4 => CodecSpec::Lz4Hdf5 { block_len_bytes: p.or(0, 0) },
        ZSTD => CodecSpec::Zstd { level: p.signed(0, 3), checksum: false },
        ZFP => CodecSpec::ZfpHdf5 { values: filter.values.clone() },
        BLOSC => CodecSpec::Blosc(Blosc {
            compressor: p.compressor(6),
            level: p.or(4, 5),
            shuffle: p.shuffle(5),
            item_size: p.item_size(2),
            block_len_bytes: 0,
        }),
        BLOSC2 => CodecSpec::Blosc2(Blosc2 {
            compressor: p.compressor(6),
            level: p.or(4, 5),
            shuffle: p.shuffle(5),
            item_size: p.item_size(2),
            values: filter.values.clone(),
        }),
        BITSHUFFLE => match bitshuffle(&p) {
            Some(config) => CodecSpec::Bitshuffle(config),
            None => unknown(filter),
        },
        _ => unknown(filter),
    }
}

/// The settings of bitshuffle: two numbers of its version, then item size, block, compressor and
/// level.
fn bitshuffle(p: &Parameters<'_>) -> Option<Bitshuffle> {
    let compressor = match p.or(4, 0) {
        0 => BitshuffleCompressor::None,
        2 => BitshuffleCompressor::Lz4,
        3 => BitshuffleCompressor::Zstd { level: p.signed(5, 3) },
        _ => return None,
    };
    let block_len_items = p.or(3, 0) as usize;
    Some(Bitshuffle { item_size: p.item_size(2), block_len_items, compressor })
}

fn unknown(filter: &Filter) -> CodecSpec {
    let known = NAMES.iter().find(|(id, _)| *id == filter.id).map(|(_, name)| *name);
    let name = match (known, filter.name.as_str()) {
        (Some(name), _) => format!("{name} (HDF5 filter {})", filter.id),
        (None, "") => format!("HDF5 filter {}", filter.id),
        (None, name) => format!("{name} (HDF5 filter {})", filter.id),
    };
    let configuration = json!({ "id": filter.id, "values": filter.values });
    CodecSpec::Unknown { name, configuration }
}
