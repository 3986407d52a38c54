//! Codecs by the names and ids of Zarr: version 3's `codecs`, version 2's `filters` and
//! `compressor`.
//!
//! A codec that is not known becomes [`CodecSpec::Unknown`], so that its array can be opened and
//! shown; reading its data is an error that names it.

mod v2;
mod v3;

pub(crate) use v2::{object_codec, parse as parse_v2, print as print_v2};
pub(crate) use v3::{Sharding, parse as parse_v3, parse_sharding, print as print_v3, print_shards};

use serde_json::{Value, json};
use stook_core::codec::{Blosc, BloscCompressor, BloscShuffle};
use stook_core::{CodecSpec, Result};

use crate::named::Named;

const COMPRESSORS: [(BloscCompressor, &str); 6] = [
    (BloscCompressor::BloscLz, "blosclz"),
    (BloscCompressor::Lz4, "lz4"),
    (BloscCompressor::Lz4Hc, "lz4hc"),
    (BloscCompressor::Snappy, "snappy"),
    (BloscCompressor::Zlib, "zlib"),
    (BloscCompressor::Zstd, "zstd"),
];

/// The name of a codec of version 3; empty where it has none.
pub(crate) fn name_of(codec: &Value) -> &str {
    codec.as_str().or_else(|| codec.get("name")?.as_str()).unwrap_or_default()
}

/// A codec of numcodecs: version 2's by id, version 3's behind the prefix `numcodecs.`;
/// `item_size` is that of the items it is given.
///
/// # Errors
/// `Corrupt` where a setting is malformed.
fn parse_numcodecs(named: &Named<'_>, item_size: usize) -> Result<Option<CodecSpec>> {
    Ok(Some(match named.name {
        "gzip" => CodecSpec::Gzip { level: named.integer("level", 1)? },
        "zlib" => CodecSpec::Zlib { level: named.integer("level", 1)? },
        "zstd" => CodecSpec::Zstd {
            level: named.integer("level", 0)?,
            checksum: named.get("checksum").and_then(Value::as_bool).unwrap_or(false),
        },
        "lz4" => CodecSpec::Lz4 { acceleration: named.integer("acceleration", 1)? },
        "blosc" => CodecSpec::Blosc(parse_blosc_v2(named, item_size)?),
        "shuffle" => CodecSpec::Shuffle { item_size: named.integer("elementsize", 4)? },
        "fletcher32" => CodecSpec::Fletcher32,
        "crc32c" if named.text("location").is_none_or(|place| place == "end") => CodecSpec::Crc32c,
        "vlen-utf8" => CodecSpec::VlenUtf8,
        "vlen-bytes" => CodecSpec::VlenBytes,
        _ => return Ok(None),
    }))
}

/// The settings of a codec of numcodecs; `None` if it has none such.
fn print_numcodecs(codec: &CodecSpec) -> Option<(&'static str, Value)> {
    Some(match codec {
        CodecSpec::Gzip { level } => ("gzip", json!({"level": level})),
        CodecSpec::Zlib { level } => ("zlib", json!({"level": level})),
        CodecSpec::Zstd { level, checksum: false } => ("zstd", json!({"level": level})),
        CodecSpec::Zstd { level, checksum } => {
            ("zstd", json!({"level": level, "checksum": checksum}))
        }
        CodecSpec::Lz4 { acceleration } => ("lz4", json!({"acceleration": acceleration})),
        CodecSpec::Blosc(blosc) => {
            let shuffle = match blosc.shuffle {
                BloscShuffle::None => 0,
                BloscShuffle::Byte => 1,
                BloscShuffle::Bit => 2,
            };
            let cname = compressor_name(blosc.compressor);
            let settings = json!({"cname": cname, "clevel": blosc.level, "shuffle": shuffle,
                "blocksize": blosc.block_len_bytes});
            ("blosc", settings)
        }
        CodecSpec::Shuffle { item_size } => ("shuffle", json!({"elementsize": item_size})),
        CodecSpec::Fletcher32 => ("fletcher32", json!({})),
        CodecSpec::Crc32c => ("crc32c", json!({})),
        CodecSpec::VlenUtf8 => ("vlen-utf8", json!({})),
        CodecSpec::VlenBytes => ("vlen-bytes", json!({})),
        _ => return None,
    })
}

/// Blosc as numcodecs sets it up, whose shuffle -1 depends on the size of an item.
fn parse_blosc_v2(named: &Named<'_>, item_size: usize) -> Result<Blosc> {
    let shuffle = match named.number("shuffle")?.unwrap_or(1) {
        0 => BloscShuffle::None,
        1 => BloscShuffle::Byte,
        2 => BloscShuffle::Bit,
        -1 if item_size == 1 => BloscShuffle::Bit,
        -1 => BloscShuffle::Byte,
        _ => return Err(named.malformed("shuffle", "-1, 0, 1 or 2")),
    };
    parse_blosc(named, shuffle, item_size, "lz4")
}

/// Blosc as version 3 sets it up.
fn parse_blosc_v3(named: &Named<'_>, item_size: usize) -> Result<Blosc> {
    let shuffle = match named.text("shuffle").unwrap_or("noshuffle") {
        "noshuffle" => BloscShuffle::None,
        "shuffle" => BloscShuffle::Byte,
        "bitshuffle" => BloscShuffle::Bit,
        _ => return Err(named.malformed("shuffle", "`noshuffle`, `shuffle` or `bitshuffle`")),
    };
    parse_blosc(named, shuffle, named.integer("typesize", item_size)?, "zstd")
}

fn parse_blosc(
    named: &Named<'_>,
    shuffle: BloscShuffle,
    item_size: usize,
    default: &str,
) -> Result<Blosc> {
    let name = named.text("cname").unwrap_or(default);
    let compressor = COMPRESSORS.iter().find(|(_, known)| *known == name);
    let compressor = compressor.ok_or_else(|| named.malformed("cname", "a compressor of Blosc"))?;
    Ok(Blosc {
        compressor: compressor.0,
        level: named.integer("clevel", 5)?,
        shuffle,
        // Blosc's header has one byte for it; larger items count as bytes.
        item_size: if (1..=255).contains(&item_size) { item_size } else { 1 },
        block_len_bytes: named.integer("blocksize", 0)?,
    })
}

fn print_blosc_v3(blosc: &Blosc) -> Value {
    let shuffle = match blosc.shuffle {
        BloscShuffle::None => "noshuffle",
        BloscShuffle::Byte => "shuffle",
        BloscShuffle::Bit => "bitshuffle",
    };
    json!({"typesize": blosc.item_size, "cname": compressor_name(blosc.compressor),
        "clevel": blosc.level, "shuffle": shuffle, "blocksize": blosc.block_len_bytes})
}

fn compressor_name(compressor: BloscCompressor) -> &'static str {
    COMPRESSORS.iter().find(|(known, _)| *known == compressor).map_or("lz4", |(_, name)| name)
}

/// Whether `codec` is of those that version 2 names as the compressor.
fn is_compressor(codec: &CodecSpec) -> bool {
    matches!(
        codec,
        CodecSpec::Gzip { .. }
            | CodecSpec::Zlib { .. }
            | CodecSpec::Zstd { .. }
            | CodecSpec::Blosc(_)
            | CodecSpec::Lz4 { .. }
    )
}

fn unknown(named: &Named<'_>) -> CodecSpec {
    CodecSpec::Unknown { name: named.name.to_owned(), configuration: named.configuration() }
}
