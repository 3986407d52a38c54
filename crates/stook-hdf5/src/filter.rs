//! HDF5's filters as the core's codecs, and back.

use serde_json::json;
use stook_core::codec::{Blosc, BloscCompressor, BloscShuffle, CodecSpec};
use stook_core::{Error, Result};

use crate::ffi::Filter;

const DEFLATE: i32 = 1;
const SHUFFLE: i32 = 2;
const FLETCHER32: i32 = 3;
const SZIP: i32 = 4;
const NBIT: i32 = 5;
const SCALE_OFFSET: i32 = 6;
pub(crate) const LZF: i32 = 32000;
pub(crate) const BLOSC: i32 = 32001;
pub(crate) const LZ4: i32 = 32004;
pub(crate) const ZSTD: i32 = 32015;

/// Names of registered filters that are met but not known to the core.
const NAMES: [(i32, &str); 9] = [
    (SZIP, "szip"),
    (NBIT, "nbit"),
    (SCALE_OFFSET, "scaleoffset"),
    (305, "lzo"),
    (307, "bzip2"),
    (32008, "bitshuffle"),
    (32013, "zfp"),
    (32017, "sz"),
    (32026, "blosc2"),
];

const COMPRESSORS: [BloscCompressor; 6] = [
    BloscCompressor::BloscLz,
    BloscCompressor::Lz4,
    BloscCompressor::Lz4Hc,
    BloscCompressor::Snappy,
    BloscCompressor::Zlib,
    BloscCompressor::Zstd,
];

/// The codec that `filter` is, on items of `item_size` bytes.
pub(crate) fn codec_of(filter: &Filter, item_size: usize) -> CodecSpec {
    let value = |at: usize| filter.values.get(at).copied();
    let size = |at: usize| value(at).map_or(item_size, |value| value as usize);
    match filter.id {
        DEFLATE => CodecSpec::Zlib { level: value(0).unwrap_or(6) },
        SHUFFLE => CodecSpec::Shuffle { item_size: size(0) },
        FLETCHER32 => CodecSpec::Fletcher32,
        LZF => CodecSpec::Lzf,
        LZ4 => CodecSpec::Lz4Hdf5 { block_len_bytes: value(0).unwrap_or(0) },
        ZSTD => {
            let level = value(0).map_or(3, |level| level.cast_signed());
            CodecSpec::Zstd { level, checksum: false }
        }
        BLOSC => CodecSpec::Blosc(Blosc {
            compressor: value(6)
                .and_then(|code| COMPRESSORS.get(code as usize).copied())
                .unwrap_or(BloscCompressor::BloscLz),
            level: value(4).unwrap_or(5),
            shuffle: match value(5) {
                Some(0) => BloscShuffle::None,
                Some(2) => BloscShuffle::Bit,
                _ => BloscShuffle::Byte,
            },
            item_size: size(2),
            block_len_bytes: 0,
        }),
        _ => unknown(filter),
    }
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

/// Whether only the library can run `codec`.
pub(crate) fn is_library_only(filter: &Filter) -> bool {
    matches!(filter.id, SZIP | NBIT | SCALE_OFFSET)
}

/// The filter that stores `codec`, for chunks of `chunk_len_bytes`; `None` for steps that are
/// properties of the datatype in HDF5.
pub(crate) fn filter_of(
    codec: &CodecSpec,
    item_size: usize,
    chunk_len_bytes: u64,
) -> Result<Option<Filter>> {
    let chunk_len = u32::try_from(chunk_len_bytes).unwrap_or(u32::MAX);
    let size = |size: usize| {
        u32::try_from(size).map_err(|_| Error::unsupported(format!("items of {size} bytes")))
    };
    let filter =
        |id, is_optional, values| Ok(Some(Filter { id, is_optional, values, name: String::new() }));
    match codec {
        CodecSpec::ByteOrder(_) | CodecSpec::VlenUtf8 | CodecSpec::VlenBytes => Ok(None),
        CodecSpec::Zlib { level } => filter(DEFLATE, true, vec![(*level).min(9)]),
        CodecSpec::Shuffle { item_size } => filter(SHUFFLE, true, vec![size(*item_size)?]),
        CodecSpec::Fletcher32 => filter(FLETCHER32, false, vec![]),
        // The filter's revision, that of liblzf, and the length to decode to.
        CodecSpec::Lzf => filter(LZF, true, vec![4, 0x0105, chunk_len]),
        CodecSpec::Lz4Hdf5 { block_len_bytes } => filter(LZ4, true, vec![*block_len_bytes]),
        CodecSpec::Zstd { level, checksum: false } => {
            filter(ZSTD, true, vec![level.cast_unsigned()])
        }
        CodecSpec::Blosc(blosc) => {
            let code = COMPRESSORS.iter().position(|known| *known == blosc.compressor);
            let shuffle = match blosc.shuffle {
                BloscShuffle::None => 0,
                BloscShuffle::Byte => 1,
                BloscShuffle::Bit => 2,
            };
            let item_size = size(if blosc.item_size == 0 { item_size } else { blosc.item_size })?;
            let code = code.and_then(|code| u32::try_from(code).ok()).unwrap_or(0);
            // Revisions of the filter and of the format, then the settings.
            filter(BLOSC, true, vec![2, 2, item_size, chunk_len, blosc.level, shuffle, code])
        }
        CodecSpec::Unknown { name, .. } => {
            Err(Error::unsupported(format!("codec `{name}` is not supported")))
        }
        other => {
            Err(Error::unsupported(format!("HDF5 has no filter for codec `{}`", other.name())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_survive_the_way_to_filters_and_back() {
        let blosc = Blosc {
            compressor: BloscCompressor::Zstd,
            level: 7,
            shuffle: BloscShuffle::Bit,
            item_size: 8,
            block_len_bytes: 0,
        };
        for codec in [
            CodecSpec::Zlib { level: 4 },
            CodecSpec::Shuffle { item_size: 8 },
            CodecSpec::Fletcher32,
            CodecSpec::Lzf,
            CodecSpec::Lz4Hdf5 { block_len_bytes: 4096 },
            CodecSpec::Zstd { level: -5, checksum: false },
            CodecSpec::Blosc(blosc),
        ] {
            let filter = filter_of(&codec, 8, 1 << 20).unwrap().unwrap();
            assert_eq!(codec_of(&filter, 8), codec);
        }
    }

    #[test]
    fn a_codec_that_hdf5_has_not_is_named() {
        let error = filter_of(&CodecSpec::Crc32c, 8, 8).unwrap_err();
        assert!(error.message().contains("crc32c"), "{error}");
        let filter = Filter { id: 32008, is_optional: false, values: vec![], name: String::new() };
        assert_eq!(codec_of(&filter, 8).name(), "bitshuffle (HDF5 filter 32008)");
    }
}
