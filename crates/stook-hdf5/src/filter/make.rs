//! The core's codecs as HDF5's filters, with the parameters that depend on the chunk.

use stook_core::codec::{
    Bitshuffle, BitshuffleCompressor, Blosc, Blosc2, BloscShuffle, CodecSpec, Szip,
};
use stook_core::{DType, Error, Result};

use super::{
    BITSHUFFLE, BLOSC, BLOSC2, BZIP2, COMPRESSORS, DEFLATE, FLETCHER32, LZ4, LZF, NBIT,
    SCALE_OFFSET, SHUFFLE, SZIP, ZFP, ZSTD,
};
use crate::ffi::Filter;

/// What a chunk holds, as far as filters depend on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChunkOf<'a> {
    pub(crate) dtype: &'a DType,
    pub(crate) shape: &'a [u64],
    pub(crate) is_big: bool,
    pub(crate) len_bytes: u64,
}

impl ChunkOf<'_> {
    fn len_u32(&self) -> u32 {
        u32::try_from(self.len_bytes).unwrap_or(u32::MAX)
    }

    /// `item_size`, or that of the items where it is 0, as a parameter.
    fn item_size(&self, item_size: usize) -> Result<u32> {
        let size = if item_size == 0 { self.dtype.item_size() } else { item_size };
        u32::try_from(size).map_err(|_| Error::unsupported(format!("items of {size} bytes")))
    }
}

/// The filter that stores `codec`; `None` for steps that are properties of the datatype in HDF5.
pub(crate) fn filter_of(codec: &CodecSpec, chunk: &ChunkOf<'_>) -> Result<Option<Filter>> {
    let filter =
        |id, is_optional, values| Ok(Some(Filter { id, is_optional, values, name: String::new() }));
    match codec {
        CodecSpec::ByteOrder(_) | CodecSpec::VlenUtf8 | CodecSpec::VlenBytes => Ok(None),
        CodecSpec::Zlib { level } => filter(DEFLATE, true, vec![(*level).min(9)]),
        CodecSpec::Shuffle { item_size } => {
            filter(SHUFFLE, true, vec![chunk.item_size(*item_size)?])
        }
        CodecSpec::Fletcher32 => filter(FLETCHER32, false, vec![]),
        CodecSpec::Szip(config) => filter(SZIP, true, szip(config, chunk)?),
        // The library works the rest out from datatype and chunk.
        CodecSpec::NBit { .. } => filter(NBIT, true, vec![]),
        CodecSpec::ScaleOffsetHdf5 { values } => {
            let values = values.get(..2).ok_or_else(|| {
                let found = values.len();
                Error::invalid(format!("scaleoffset: expected two values or more, found {found}"))
            })?;
            filter(SCALE_OFFSET, true, values.to_vec())
        }
        CodecSpec::Bzip2 { level } => filter(BZIP2, true, vec![*level]),
        // The filter's revision, that of liblzf, and the length to decode to.
        CodecSpec::Lzf => filter(LZF, true, vec![4, 0x0105, chunk.len_u32()]),
        CodecSpec::Lz4Hdf5 { block_len_bytes } => filter(LZ4, true, vec![*block_len_bytes]),
        CodecSpec::Zstd { level, checksum: false } => {
            filter(ZSTD, true, vec![level.cast_unsigned()])
        }
        CodecSpec::Bitshuffle(config) => filter(BITSHUFFLE, true, bitshuffle(config, chunk)?),
        CodecSpec::ZfpHdf5 { values } => filter(ZFP, true, values.clone()),
        CodecSpec::Blosc(config) => filter(BLOSC, true, blosc(config, chunk)?),
        CodecSpec::Blosc2(config) => filter(BLOSC2, true, blosc2(config, chunk)?),
        CodecSpec::Unknown { name, .. } => {
            Err(Error::unsupported(format!("codec `{name}` is not supported")))
        }
        other => {
            Err(Error::unsupported(format!("HDF5 has no filter for codec `{}`", other.name())))
        }
    }
}

/// Bits of szip's option mask, as `szlib.h` and HDF5 have them.
const SZ_ALLOW_K13: u32 = 1;
const SZ_EC: u32 = 4;
const SZ_LSB: u32 = 8;
const SZ_MSB: u32 = 16;
const SZ_NN: u32 = 32;
const SZ_RAW: u32 = 128;
const SZ_MAX_PIXELS_PER_BLOCK: u32 = 32;
const SZ_MAX_BLOCKS_PER_SCANLINE: u64 = 128;
const SZ_MAX_PIXELS_PER_SCANLINE: u64 = 4096;

/// What HDF5's own szip filter sets from the datatype and the shape of a chunk.
fn szip(config: &Szip, chunk: &ChunkOf<'_>) -> Result<Vec<u32>> {
    let ppb = config.pixels_per_block;
    if ppb == 0 || !ppb.is_multiple_of(2) || ppb > SZ_MAX_PIXELS_PER_BLOCK {
        return Err(Error::invalid(format!(
            "szip: expected an even number of 2 to 32 pixels per block, found {ppb}"
        )));
    }
    let size = chunk.dtype.item_size();
    if !matches!(size, 1 | 2 | 4 | 8) || matches!(chunk.dtype, DType::Complex64) {
        return Err(Error::unsupported(format!("szip on items of type {}", chunk.dtype)));
    }
    let n: u64 = chunk.shape.iter().product();
    let block = u64::from(ppb);
    if n < block {
        return Err(Error::unsupported(format!(
            "szip: expected chunks of at least {ppb} items, the pixels of a block, found {n}"
        )));
    }
    let last = chunk.shape.last().copied().unwrap_or(1);
    let most = block * SZ_MAX_BLOCKS_PER_SCANLINE;
    let scanline = match last {
        last if last < block => most.min(n),
        last if last <= SZ_MAX_PIXELS_PER_SCANLINE => most.min(last),
        _ => most,
    };
    let choice = if config.options & SZ_NN != 0 { SZ_NN } else { SZ_EC };
    let order = if chunk.is_big && size > 1 { SZ_MSB } else { SZ_LSB };
    let bits = chunk.item_size(0)?.saturating_mul(8);
    let scanline = u32::try_from(scanline).unwrap_or(u32::MAX);
    Ok(vec![choice | order | SZ_RAW | SZ_ALLOW_K13, ppb, bits, scanline])
}

/// The version of the filter that others write, then the settings.
fn bitshuffle(config: &Bitshuffle, chunk: &ChunkOf<'_>) -> Result<Vec<u32>> {
    let block = u32::try_from(config.block_len_items)
        .map_err(|_| Error::unsupported("bitshuffle: blocks of more than 4 Gi items"))?;
    let mut values = vec![0, 4, chunk.item_size(config.item_size)?, block];
    match config.compressor {
        BitshuffleCompressor::None => values.push(0),
        BitshuffleCompressor::Lz4 => values.push(2),
        BitshuffleCompressor::Zstd { level } => values.extend([3, level.cast_unsigned()]),
    }
    Ok(values)
}

fn shuffle_code(shuffle: BloscShuffle) -> u32 {
    match shuffle {
        BloscShuffle::None => 0,
        BloscShuffle::Byte => 1,
        BloscShuffle::Bit => 2,
    }
}

fn compressor_code(compressor: stook_core::codec::BloscCompressor) -> u32 {
    let code = COMPRESSORS.iter().position(|known| *known == compressor);
    code.and_then(|code| u32::try_from(code).ok()).unwrap_or(0)
}

/// Revisions of the filter and of the format, then the settings.
fn blosc(config: &Blosc, chunk: &ChunkOf<'_>) -> Result<Vec<u32>> {
    let (size, code) = (chunk.item_size(config.item_size)?, compressor_code(config.compressor));
    Ok(vec![2, 2, size, chunk.len_u32(), config.level, shuffle_code(config.shuffle), code])
}

/// As for Blosc 1; the shape of a chunk, which may follow, is for frames of many axes.
fn blosc2(config: &Blosc2, chunk: &ChunkOf<'_>) -> Result<Vec<u32>> {
    let (size, code) = (chunk.item_size(config.item_size)?, compressor_code(config.compressor));
    Ok(vec![1, 5, size, chunk.len_u32(), config.level, shuffle_code(config.shuffle), code])
}

#[cfg(test)]
mod tests {
    use stook_core::codec::BloscCompressor;

    use super::super::codec_of;
    use super::*;

    fn chunk(dtype: &DType) -> ChunkOf<'_> {
        ChunkOf { dtype, shape: &[128, 100], is_big: false, len_bytes: 128 * 100 * 8 }
    }

    #[test]
    fn codecs_survive_the_way_to_filters_and_back() {
        let blosc = Blosc {
            compressor: BloscCompressor::Zstd,
            level: 7,
            shuffle: BloscShuffle::Bit,
            item_size: 8,
            block_len_bytes: 0,
        };
        let bitshuffle = |compressor| {
            CodecSpec::Bitshuffle(Bitshuffle { item_size: 8, block_len_items: 512, compressor })
        };
        let szip = Szip {
            options: 141,
            pixels_per_block: 16,
            bits_per_pixel: 64,
            pixels_per_scanline: 100,
        };
        for codec in [
            CodecSpec::Zlib { level: 4 },
            CodecSpec::Shuffle { item_size: 8 },
            CodecSpec::Fletcher32,
            CodecSpec::Lzf,
            CodecSpec::Lz4Hdf5 { block_len_bytes: 4096 },
            CodecSpec::Zstd { level: -5, checksum: false },
            CodecSpec::Blosc(blosc),
            CodecSpec::Bzip2 { level: 9 },
            CodecSpec::Szip(szip),
            bitshuffle(BitshuffleCompressor::None),
            bitshuffle(BitshuffleCompressor::Lz4),
            bitshuffle(BitshuffleCompressor::Zstd { level: 5 }),
        ] {
            let filter = filter_of(&codec, &chunk(&DType::Float64)).unwrap().unwrap();
            assert_eq!(codec_of(&filter, 8), codec);
        }
    }

    #[test]
    fn a_codec_that_hdf5_has_not_is_named() {
        let error = filter_of(&CodecSpec::Crc32c, &chunk(&DType::Float64)).unwrap_err();
        assert!(error.message().contains("crc32c"), "{error}");
        let filter = Filter { id: 32017, is_optional: false, values: vec![], name: String::new() };
        assert_eq!(codec_of(&filter, 8).name(), "sz (HDF5 filter 32017)");
    }

    #[test]
    fn szip_takes_its_scan_lines_from_the_chunk() {
        let config =
            Szip { options: SZ_NN, pixels_per_block: 8, bits_per_pixel: 0, pixels_per_scanline: 0 };
        let values = |shape: &[u64], is_big| {
            let chunk = ChunkOf { dtype: &DType::Int16, shape, is_big, len_bytes: 0 };
            szip(&config, &chunk)
        };
        assert_eq!(values(&[10, 100], false).unwrap(), [169, 8, 16, 100]);
        assert_eq!(values(&[1000, 3], true).unwrap(), [177, 8, 16, 1024]);
        assert_eq!(values(&[5000], false).unwrap(), [169, 8, 16, 1024]);
        assert!(values(&[2, 3], false).unwrap_err().message().contains("8 items"));
    }
}
