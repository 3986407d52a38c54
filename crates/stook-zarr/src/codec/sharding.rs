//! The codec `sharding_indexed`.

use serde_json::{Value, json};
use stook_core::codec::Endian;
use stook_core::{ChunkGrid, Error, Result};

use super::v3::parse_endian;
use crate::named::Named;

/// The settings of the codec `sharding_indexed`.
#[derive(Clone, Debug)]
pub(crate) struct Sharding<'a> {
    /// The shape of what lies in a shard.
    pub(crate) chunk_shape: Vec<u64>,
    /// How that is encoded.
    pub(crate) codecs: &'a [Value],
    /// The byte order of the index.
    pub(crate) index_endian: Endian,
    /// Whether a CRC-32C follows the index.
    pub(crate) has_checksum: bool,
    /// Whether the index lies at the start of the shard.
    pub(crate) is_index_first: bool,
}

/// The settings of `value` if it is the codec `sharding_indexed`.
///
/// # Errors
/// `Corrupt` where they are malformed, `Unsupported` where the index is encoded in a way that
/// leaves its length open.
pub(crate) fn parse(value: &Value) -> Result<Option<Sharding<'_>>> {
    let named = Named::parse("codecs", value)?;
    if named.name != "sharding_indexed" {
        return Ok(None);
    }
    let list = |key: &str| match named.get(key) {
        Some(Value::Array(codecs)) => Ok(Some(codecs.as_slice())),
        None => Ok(None),
        Some(_) => Err(named.malformed(key, "a list of codecs")),
    };
    let is_index_first = match named.text("index_location") {
        Some("start") => true,
        Some("end") => false,
        None if named.get("index_location").is_none() => false,
        _ => return Err(named.malformed("index_location", "`start` or `end`")),
    };
    let mut sharding = Sharding {
        chunk_shape: named.numbers("chunk_shape")?,
        codecs: list("codecs")?.ok_or_else(|| named.malformed("codecs", "a list of codecs"))?,
        index_endian: Endian::Little,
        has_checksum: false,
        is_index_first,
    };
    let index_codecs = list("index_codecs")?;
    let index_codecs = index_codecs.ok_or_else(|| named.malformed("index_codecs", "a list"))?;
    for codec in index_codecs {
        match Named::parse("index_codecs", codec)? {
            codec if codec.name == "bytes" => sharding.index_endian = parse_endian(&codec)?,
            codec if codec.name == "crc32c" && !sharding.has_checksum => {
                sharding.has_checksum = true;
            }
            codec => {
                return Err(Error::unsupported(format!(
                    "codec `{}` on a shard index is not supported",
                    codec.name
                )));
            }
        }
    }
    Ok(Some(sharding))
}

/// The codec `sharding_indexed` around `codecs`.
///
/// # Errors
/// `Unsupported` unless both grids are regular.
pub(crate) fn print(grid: &ChunkGrid, codecs: Vec<Value>) -> Result<Value> {
    let shape = grid.regular_shape();
    let shape = shape.ok_or_else(|| Error::unsupported("shards of a rectilinear grid"))?;
    let index_codecs =
        json!([{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]);
    let configuration = json!({"chunk_shape": shape, "codecs": codecs,
        "index_codecs": index_codecs, "index_location": "end"});
    Ok(json!({"name": "sharding_indexed", "configuration": configuration}))
}
