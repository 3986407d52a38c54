//! Blosc's settings, as numcodecs and as version 3 spell them.

use serde_json::{Value, json};
use stook_core::Result;
use stook_core::codec::{Blosc, BloscCompressor, BloscShuffle};

use crate::named::Named;

const COMPRESSORS: [(BloscCompressor, &str); 6] = [
    (BloscCompressor::BloscLz, "blosclz"),
    (BloscCompressor::Lz4, "lz4"),
    (BloscCompressor::Lz4Hc, "lz4hc"),
    (BloscCompressor::Snappy, "snappy"),
    (BloscCompressor::Zlib, "zlib"),
    (BloscCompressor::Zstd, "zstd"),
];

/// Blosc as numcodecs sets it up, whose shuffle -1 depends on the size of an item.
///
/// # Errors
/// `Corrupt` where a setting is malformed.
pub(crate) fn parse_v2(named: &Named<'_>, item_size: usize) -> Result<Blosc> {
    let shuffle = match named.number("shuffle")?.unwrap_or(1) {
        0 => BloscShuffle::None,
        1 => BloscShuffle::Byte,
        2 => BloscShuffle::Bit,
        -1 if item_size == 1 => BloscShuffle::Bit,
        -1 => BloscShuffle::Byte,
        _ => return Err(named.malformed("shuffle", "-1, 0, 1 or 2")),
    };
    parse(named, shuffle, item_size, "lz4")
}

/// Blosc as version 3 sets it up.
///
/// # Errors
/// `Corrupt` where a setting is malformed.
pub(crate) fn parse_v3(named: &Named<'_>, item_size: usize) -> Result<Blosc> {
    let shuffle = match (named.get("shuffle"), named.text("shuffle")) {
        (None, _) | (_, Some("noshuffle")) => BloscShuffle::None,
        (_, Some("shuffle")) => BloscShuffle::Byte,
        (_, Some("bitshuffle")) => BloscShuffle::Bit,
        _ => return Err(named.malformed("shuffle", "`noshuffle`, `shuffle` or `bitshuffle`")),
    };
    parse(named, shuffle, named.integer("typesize", item_size)?, "zstd")
}

fn parse(
    named: &Named<'_>,
    shuffle: BloscShuffle,
    item_size: usize,
    default: &str,
) -> Result<Blosc> {
    let name = match (named.get("cname"), named.text("cname")) {
        (None, _) => default,
        (_, name) => name.unwrap_or_default(),
    };
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

/// The settings of numcodecs.
pub(crate) fn print_v2(blosc: &Blosc) -> Value {
    let shuffle = match blosc.shuffle {
        BloscShuffle::None => 0,
        BloscShuffle::Byte => 1,
        BloscShuffle::Bit => 2,
    };
    json!({"cname": compressor_name(blosc.compressor), "clevel": blosc.level, "shuffle": shuffle,
        "blocksize": blosc.block_len_bytes})
}

/// The settings of version 3.
pub(crate) fn print_v3(blosc: &Blosc) -> Value {
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
