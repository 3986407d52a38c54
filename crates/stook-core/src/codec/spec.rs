//! Which codec, and how it is set up: the same for every format.

use std::sync::Arc;

use super::Codec;
use crate::dtype::DType;
use crate::values::Values;

/// A codec and its configuration.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CodecSpec {
    /// Stores the axes in another order: stored axis `i` is array axis `order[i]`.
    Transpose {
        /// A permutation of the axes.
        order: Vec<usize>,
    },
    /// Items to bytes, in the byte order given.
    ByteOrder(Endian),
    /// Variable-length text as count, then length and bytes of each (numcodecs `vlen-utf8`).
    VlenUtf8,
    /// Variable-length bytes likewise (numcodecs `vlen-bytes`).
    VlenBytes,
    /// RFC 1952.
    Gzip {
        /// 0 to 9.
        level: u32,
    },
    /// RFC 1950 (HDF5's deflate filter, numcodecs `zlib`).
    Zlib {
        /// 0 to 9.
        level: u32,
    },
    /// Zstandard frames.
    Zstd {
        /// -131072 to 22.
        level: i32,
        /// Whether frames carry a content checksum.
        checksum: bool,
    },
    /// Blosc 1 containers.
    Blosc(Blosc),
    /// An LZ4 block behind its decoded length as a little-endian `u32` (numcodecs `lz4`).
    Lz4 {
        /// 1 is the default; higher is faster and larger.
        acceleration: i32,
    },
    /// LZ4 blocks as the HDF5 filter 32004 frames them.
    Lz4Hdf5 {
        /// Bytes of a decoded block; 0 means the filter's default.
        block_len_bytes: u32,
    },
    /// LZF as h5py's filter 32000 stores it.
    Lzf,
    /// Byte `i` of all items, then byte `i + 1`.
    Shuffle {
        /// Bytes of an item.
        item_size: usize,
    },
    /// Bits of a chunk's items transposed block by block, then perhaps compressed (HDF5's
    /// filter 32008).
    Bitshuffle(Bitshuffle),
    /// bzip2 streams.
    Bzip2 {
        /// 1 to 9: blocks of so many 100 kB.
        level: u32,
    },
    /// xz, lzma or raw LZMA streams.
    Lzma(Lzma),
    /// Blosc 2 chunks or frames.
    Blosc2(Blosc2),
    /// CCSDS 121.0-B lossless data (HDF5's filter 4).
    Szip(Szip),
    /// Compressed numbers of pcodec.
    Pcodec(Pcodec),
    /// Compressed numbers of zfp, behind its own header (numcodecs `zfpy`).
    Zfp(Zfp),
    /// Compressed numbers of zfp as HDF5's filter 32013 stores them.
    ZfpHdf5 {
        /// The filter's values.
        values: Vec<u32>,
    },
    /// Only the bits of numbers that mean something (HDF5's filter 5).
    NBit {
        /// The filter's values.
        values: Vec<u32>,
    },
    /// Numbers less their minimum in as few bits as they need (HDF5's filter 6).
    ScaleOffsetHdf5 {
        /// The filter's values.
        values: Vec<u32>,
    },
    /// The first number, then differences (numcodecs `delta`).
    Delta {
        /// The numbers that go in.
        decoded: StoredNumber,
        /// The numbers that come out.
        encoded: StoredNumber,
    },
    /// `(x - offset) * scale`, rounded (numcodecs `fixedscaleoffset`). Whether a factor is
    /// written as an integer decides how integers are calculated, so it is kept as written.
    FixedScaleOffset {
        /// What is subtracted, as the file gives it.
        offset: serde_json::Number,
        /// What is multiplied by, likewise.
        scale: serde_json::Number,
        /// The numbers that go in.
        decoded: StoredNumber,
        /// The numbers that come out.
        encoded: StoredNumber,
    },
    /// Rounded to so many decimal digits (numcodecs `quantize`).
    Quantize {
        /// Digits behind the point that stay.
        digits: i32,
        /// The numbers that go in.
        decoded: StoredNumber,
        /// The numbers that come out.
        encoded: StoredNumber,
    },
    /// Floats whose mantissa keeps so many bits (numcodecs `bitround`).
    BitRound {
        /// Bits of the mantissa that stay.
        keep_bits: u32,
    },
    /// Numbers of few bits, without gaps (numcodecs `packbits`, Zarr's `packbits`).
    PackBits(PackBits),
    /// Other numbers of the same value, as numpy's `astype` makes them (numcodecs `astype`).
    AsType {
        /// The numbers that go in.
        decoded: StoredNumber,
        /// The numbers that come out.
        encoded: StoredNumber,
    },
    /// The place of a text in a list, counted from 1; 0 for any other text (numcodecs
    /// `categorize`).
    Categorize {
        /// The texts.
        labels: Vec<String>,
        /// The numbers that come out.
        encoded: StoredNumber,
    },
    /// `(x - offset) * scale` in the array's own type (Zarr's `scale_offset`).
    ScaleOffset {
        /// What is subtracted: a scalar of the type of the items; `None` for nothing.
        offset: Option<Values>,
        /// What is multiplied by, likewise.
        scale: Option<Values>,
    },
    /// Other numbers of the same value (Zarr's `cast_value`).
    CastValue(CastValue),
    /// Sequences of numbers as count, then length and bytes of each (numcodecs `vlen-array`).
    VlenArray {
        /// The type of a sequence's items.
        item: StoredNumber,
    },
    /// All items as one JSON document, their types and shape behind them (numcodecs `json2`).
    Json {
        /// The settings, as the file gives them.
        configuration: serde_json::Value,
    },
    /// All items as one MessagePack document, their types and shape behind them (numcodecs
    /// `msgpack2`).
    MessagePack {
        /// The settings, as the file gives them.
        configuration: serde_json::Value,
    },
    /// CRC-32C of the bytes, appended little-endian.
    Crc32c,
    /// A 32-bit checksum of the bytes, little-endian.
    Checksum {
        /// How it is calculated.
        algorithm: ChecksumAlgorithm,
        /// Where it lies.
        place: ChecksumPlace,
    },
    /// Jenkins' lookup3 of the bytes, appended little-endian (numcodecs `jenkins_lookup3`).
    Jenkins {
        /// The hash to begin with.
        initial: u32,
        /// What is hashed before the bytes.
        prefix: Option<Vec<u8>>,
    },
    /// HDF5's Fletcher-32 of the bytes, appended little-endian.
    Fletcher32,
    /// A codec that brings itself: a format's own, or one that a user registered.
    Custom(CustomCodec),
    /// A codec that is not known; using it is an error that names it.
    Unknown {
        /// Its id, name or filter number with name.
        name: String,
        /// Its configuration as the file gives it.
        configuration: serde_json::Value,
    },
}

/// The order of the bytes in a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endian {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl Endian {
    /// The machine's own.
    pub const NATIVE: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };
}

/// A number as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoredNumber {
    /// Its type.
    pub dtype: DType,
    /// The order of its bytes.
    pub endian: Endian,
}

/// How a 32-bit checksum is calculated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ChecksumAlgorithm {
    Crc32,
    Adler32,
    Crc32c,
}

/// Where a checksum lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChecksumPlace {
    /// Before the bytes.
    Start,
    /// Behind them.
    End,
}

/// The configuration of HDF5's bitshuffle filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bitshuffle {
    /// Bytes of an item.
    pub item_size: usize,
    /// Items of a block, a multiple of eight; 0 lets the codec choose.
    pub block_len_items: usize,
    /// What follows the shuffle.
    pub compressor: BitshuffleCompressor,
}

/// What follows the shuffle of [`Bitshuffle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BitshuffleCompressor {
    /// Nothing.
    None,
    /// LZ4, block by block.
    Lz4,
    /// zstd, block by block.
    Zstd {
        /// 1 to 22.
        level: i32,
    },
}

/// The configuration of LZMA, as Python's `lzma` module has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Lzma {
    /// The container: 1 xz, 2 lzma, 3 none.
    pub format: u32,
    /// The check of an xz container: -1 its default, 0 none, 1 CRC-32, 4 CRC-64, 10 SHA-256.
    pub check: i32,
    /// 0 to 9, with bit 31 for the slower variant; `None` where `filters` are given.
    pub preset: Option<u32>,
    /// The chain of filters, each an object with `id` and its settings.
    pub filters: Option<serde_json::Value>,
}

/// The configuration of Blosc 2 as HDF5's filter 32026 has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Blosc2 {
    /// The compressor within.
    pub compressor: BloscCompressor,
    /// 0 to 9.
    pub level: u32,
    /// What precedes the compressor.
    pub shuffle: BloscShuffle,
    /// Bytes of an item.
    pub item_size: usize,
    /// The filter's values, as the file gives them; empty where there is none.
    pub values: Vec<u32>,
}

/// The configuration of szip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Szip {
    /// HDF5's option mask.
    pub options: u32,
    /// Pixels of a block: even, at most 32.
    pub pixels_per_block: u32,
    /// Bits of a pixel.
    pub bits_per_pixel: u32,
    /// Pixels of a scan line.
    pub pixels_per_scanline: u32,
}

/// The configuration of pcodec, as numcodecs has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Pcodec {
    /// 0 to 12.
    pub level: u32,
    /// The other settings, by numcodecs' names (`mode_spec`, `delta_spec`, …), as the file gives
    /// them.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

/// The configuration of zfp, as numcodecs has it: one of the four counts, by mode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zfp {
    /// zfp's number of the mode: 1 expert, 2 fixed rate, 3 fixed precision, 4 fixed accuracy,
    /// 5 reversible.
    pub mode: u32,
    /// Absolute error of mode 4; -1 where it is not given.
    pub tolerance: f64,
    /// Bits a value of mode 2; -1 where it is not given.
    pub rate: f64,
    /// Bit planes of mode 3; -1 where it is not given.
    pub precision: i32,
}

/// How `packbits` lays out bits, and which of them it keeps; by default as numcodecs does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PackBits {
    /// Which bit of a byte is the first: numcodecs' `packbits` begins with the highest, Zarr's own
    /// with the lowest.
    pub order: BitOrder,
    /// Where the number of padding bits lies; numcodecs has it first.
    pub padding: PaddingByte,
    /// The lowest bit of an item that is kept; `None` for the lowest there is.
    pub first_bit: Option<u32>,
    /// The highest bit of an item that is kept; `None` for the highest there is.
    pub last_bit: Option<u32>,
}

/// Which bit of a byte is the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BitOrder {
    /// The most significant one (numpy's `packbits`, numcodecs).
    #[default]
    HighestFirst,
    /// The least significant one (Zarr's `packbits`).
    LowestFirst,
}

/// Where the number of padding bits lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PaddingByte {
    /// In the first byte.
    #[default]
    First,
    /// In the last byte.
    Last,
    /// Nowhere.
    None,
}

/// The configuration of Zarr's `cast_value`.
#[derive(Clone, Debug, PartialEq)]
pub struct CastValue {
    /// The type of the numbers that come out.
    pub dtype: DType,
    /// How a value between two numbers is rounded.
    pub rounding: Rounding,
    /// What becomes of a value out of range; `None` for an error.
    pub out_of_range: Option<OutOfRange>,
    /// Values that have another on the way in: pairs of scalars of the array's type and of
    /// `dtype`.
    pub encode: Vec<(Values, Values)>,
    /// Values that have another on the way out: pairs of scalars of `dtype` and of the array's
    /// type.
    pub decode: Vec<(Values, Values)>,
}

/// How a value between two numbers is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of the specification")]
pub enum Rounding {
    #[default]
    NearestEven,
    TowardsZero,
    TowardsPositive,
    TowardsNegative,
    NearestAway,
}

/// What becomes of a value out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutOfRange {
    /// The nearest that there is.
    Clamp,
    /// Its lowest bits.
    Wrap,
}

/// The configuration of Blosc 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Blosc {
    /// The compressor within.
    pub compressor: BloscCompressor,
    /// 0 to 9.
    pub level: u32,
    /// What precedes the compressor.
    pub shuffle: BloscShuffle,
    /// Bytes of an item, for the shuffle.
    pub item_size: usize,
    /// Bytes of a block; 0 lets Blosc choose.
    pub block_len_bytes: usize,
}

/// The compressors within Blosc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum BloscCompressor {
    BloscLz,
    Lz4,
    Lz4Hc,
    Snappy,
    Zlib,
    Zstd,
}

/// What precedes the compressor in Blosc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum BloscShuffle {
    None,
    Byte,
    Bit,
}

/// A codec that brings itself; equal to its own clones only.
#[derive(Clone, Debug)]
pub struct CustomCodec(pub Arc<dyn Codec>);

impl PartialEq for CustomCodec {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl CodecSpec {
    /// The name that errors and `stook info` show.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Transpose { .. } => "transpose",
            Self::ByteOrder(_) => "bytes",
            Self::VlenUtf8 => "vlen-utf8",
            Self::VlenBytes => "vlen-bytes",
            Self::Gzip { .. } => "gzip",
            Self::Zlib { .. } => "zlib",
            Self::Zstd { .. } => "zstd",
            Self::Blosc(_) => "blosc",
            Self::Lz4 { .. } | Self::Lz4Hdf5 { .. } => "lz4",
            Self::Lzf => "lzf",
            Self::Shuffle { .. } => "shuffle",
            Self::Crc32c => "crc32c",
            Self::Checksum { algorithm: ChecksumAlgorithm::Crc32, .. } => "crc32",
            Self::Checksum { algorithm: ChecksumAlgorithm::Adler32, .. } => "adler32",
            Self::Checksum { algorithm: ChecksumAlgorithm::Crc32c, .. } => "crc32c",
            Self::Jenkins { .. } => "jenkins_lookup3",
            Self::Bitshuffle(_) => "bitshuffle",
            Self::Bzip2 { .. } => "bz2",
            Self::Lzma(_) => "lzma",
            Self::Blosc2(_) => "blosc2",
            Self::Szip(_) => "szip",
            Self::Pcodec(_) => "pcodec",
            Self::Zfp(_) | Self::ZfpHdf5 { .. } => "zfp",
            Self::NBit { .. } => "nbit",
            Self::ScaleOffsetHdf5 { .. } => "scaleoffset",
            Self::Delta { .. } => "delta",
            Self::FixedScaleOffset { .. } => "fixedscaleoffset",
            Self::Quantize { .. } => "quantize",
            Self::BitRound { .. } => "bitround",
            Self::PackBits(_) => "packbits",
            Self::AsType { .. } => "astype",
            Self::Categorize { .. } => "categorize",
            Self::ScaleOffset { .. } => "scale_offset",
            Self::CastValue(_) => "cast_value",
            Self::VlenArray { .. } => "vlen-array",
            Self::Json { .. } => "json2",
            Self::MessagePack { .. } => "msgpack2",
            Self::Fletcher32 => "fletcher32",
            Self::Custom(codec) => codec.0.name(),
            Self::Unknown { name, .. } => name,
        }
    }

    /// Whether it turns items into other items, so that it stands before the step to bytes.
    #[must_use]
    pub fn is_filter(&self) -> bool {
        matches!(
            self,
            Self::Transpose { .. }
                | Self::Delta { .. }
                | Self::FixedScaleOffset { .. }
                | Self::Quantize { .. }
                | Self::BitRound { .. }
                | Self::PackBits(_)
                | Self::AsType { .. }
                | Self::Categorize { .. }
                | Self::ScaleOffset { .. }
                | Self::CastValue(_)
        )
    }

    /// Whether what is read back may differ from what was written.
    #[must_use]
    pub fn is_lossy(&self) -> bool {
        match self {
            Self::FixedScaleOffset { .. }
            | Self::Quantize { .. }
            | Self::BitRound { .. }
            | Self::AsType { .. }
            | Self::Categorize { .. }
            | Self::ScaleOffset { .. }
            | Self::CastValue(_)
            | Self::ScaleOffsetHdf5 { .. }
            | Self::ZfpHdf5 { .. }
            | Self::NBit { .. } => true,
            // Sums of differences of floats are rounded.
            Self::Delta { decoded, encoded } => {
                let is_wrapping = matches!(
                    decoded.dtype,
                    DType::Int8
                        | DType::Int16
                        | DType::Int32
                        | DType::Int64
                        | DType::UInt8
                        | DType::UInt16
                        | DType::UInt32
                        | DType::UInt64
                );
                decoded.dtype != encoded.dtype || !is_wrapping
            }
            Self::Zfp(zfp) => zfp.mode != 5,
            // The bits that are not kept are zero when read.
            Self::PackBits(bits) => bits.first_bit.is_some() || bits.last_bit.is_some(),
            Self::MessagePack { configuration } => {
                configuration.get("use_single_float").is_some_and(|it| *it != false)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_that_are_left_out_are_lost() {
        let bits = PackBits { order: BitOrder::LowestFirst, ..PackBits::default() };
        assert!(!CodecSpec::PackBits(bits).is_lossy());
        let low = PackBits { last_bit: Some(3), ..bits };
        assert!(CodecSpec::PackBits(low).is_lossy());
        let high = PackBits { first_bit: Some(1), ..bits };
        assert!(CodecSpec::PackBits(high).is_lossy());
    }

    #[test]
    fn doubles_as_singles_are_lost() {
        for is_single in [false, true] {
            let configuration = serde_json::json!({"use_single_float": is_single});
            assert_eq!(CodecSpec::MessagePack { configuration }.is_lossy(), is_single);
        }
    }
}
