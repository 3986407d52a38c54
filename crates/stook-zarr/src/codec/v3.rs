//! Version 3: `codecs`, a list of names with configurations, shards among them.

use serde_json::{Value, json};
use stook_core::codec::Endian;
use stook_core::{ChunkGrid, CodecSpec, DType, Error, Result};

use super::{parse_blosc_v3, parse_numcodecs, print_blosc_v3, print_numcodecs, unknown};
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
pub(crate) fn parse_sharding(value: &Value) -> Result<Option<Sharding<'_>>> {
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

fn parse_endian(named: &Named<'_>) -> Result<Endian> {
    match named.text("endian") {
        Some("little") => Ok(Endian::Little),
        Some("big") => Ok(Endian::Big),
        None if named.get("endian").is_none() => Ok(Endian::Little),
        _ => Err(named.malformed("endian", "`little` or `big`")),
    }
}

/// The codec that `value` describes, for items of `dtype` in chunks of `rank` axes; `None` where
/// it changes nothing.
///
/// # Errors
/// `Corrupt` where it is malformed.
pub(crate) fn parse(value: &Value, dtype: &DType, rank: usize) -> Result<Option<CodecSpec>> {
    let named = Named::parse("codecs", value)?;
    let codec = match named.name {
        "bytes" => {
            let endian = parse_endian(&named)?;
            return Ok(dtype.has_byte_order().then_some(CodecSpec::ByteOrder(endian)));
        }
        "transpose" => CodecSpec::Transpose { order: parse_order(&named, rank)? },
        "blosc" => CodecSpec::Blosc(parse_blosc_v3(&named, dtype.item_size())?),
        "gzip" | "zstd" | "crc32c" | "vlen-utf8" | "vlen-bytes" => {
            parse_numcodecs(&named, dtype.item_size())?.unwrap_or_else(|| unknown(&named))
        }
        name => {
            let short = name.strip_prefix("numcodecs.").map(|name| named.renamed(name));
            let codec = short.map(|named| parse_numcodecs(&named, dtype.item_size()));
            codec.transpose()?.flatten().unwrap_or_else(|| unknown(&named))
        }
    };
    Ok(Some(codec))
}

fn parse_order(named: &Named<'_>, rank: usize) -> Result<Vec<usize>> {
    let malformed = || named.malformed("order", &format!("a permutation of {rank} axes"));
    match named.text("order") {
        Some("C") => return Ok((0..rank).collect()),
        Some("F") => return Ok((0..rank).rev().collect()),
        _ => {}
    }
    let order: Vec<usize> = named
        .numbers("order")?
        .into_iter()
        .map(usize::try_from)
        .collect::<Result<_, _>>()
        .map_err(|_| malformed())?;
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted.into_iter().eq(0..rank) { Ok(order) } else { Err(malformed()) }
}

/// `codecs` in the spelling of version 3, with the step to bytes that it requires.
///
/// # Errors
/// `Unsupported` for what version 3 cannot say.
pub(crate) fn print(codecs: &[CodecSpec], dtype: &DType) -> Result<Vec<Value>> {
    let mut out = Vec::with_capacity(codecs.len() + 1);
    let is_array_step = |codec: &&CodecSpec| matches!(codec, CodecSpec::Transpose { .. });
    for codec in codecs.iter().filter(is_array_step) {
        if let CodecSpec::Transpose { order } = codec {
            out.push(json!({"name": "transpose", "configuration": {"order": order}}));
        }
    }
    if !dtype.has_heap() {
        let endian = codecs.iter().find_map(|codec| match codec {
            CodecSpec::ByteOrder(endian) => Some(*endian),
            _ => None,
        });
        out.push(print_bytes(dtype, endian.unwrap_or(Endian::Little)));
    }
    for codec in codecs.iter().filter(|codec| !is_array_step(codec)) {
        if !matches!(codec, CodecSpec::ByteOrder(_)) {
            out.push(print_codec(codec)?);
        }
    }
    Ok(out)
}

/// The codec `bytes`; structs get no byte order unless it is big, as zarr-python has it.
fn print_bytes(dtype: &DType, endian: Endian) -> Value {
    let is_struct = matches!(dtype, DType::Struct(_));
    match endian {
        _ if !dtype.has_byte_order() => json!({"name": "bytes"}),
        Endian::Little if is_struct => json!({"name": "bytes"}),
        Endian::Little => json!({"name": "bytes", "configuration": {"endian": "little"}}),
        Endian::Big => json!({"name": "bytes", "configuration": {"endian": "big"}}),
    }
}

fn print_codec(codec: &CodecSpec) -> Result<Value> {
    let unsupported = || Error::unsupported(format!("Zarr v3 has no codec `{}`", codec.name()));
    let (name, configuration) = match codec {
        CodecSpec::Crc32c => return Ok(json!({"name": "crc32c"})),
        CodecSpec::Zstd { level, checksum } => {
            ("zstd", json!({"level": level, "checksum": checksum}))
        }
        CodecSpec::Blosc(blosc) => ("blosc", print_blosc_v3(blosc)),
        other => print_numcodecs(other).ok_or_else(unsupported)?,
    };
    let is_own = matches!(name, "gzip" | "zstd" | "blosc" | "vlen-utf8" | "vlen-bytes");
    let name = if is_own { name.to_owned() } else { format!("numcodecs.{name}") };
    Ok(json!({"name": name, "configuration": configuration}))
}

/// The codec `sharding_indexed` around `codecs`.
///
/// # Errors
/// `Unsupported` unless both grids are regular.
pub(crate) fn print_shards(grid: &ChunkGrid, codecs: Vec<Value>) -> Result<Value> {
    let shape = grid.regular_shape();
    let shape = shape.ok_or_else(|| Error::unsupported("shards of a rectilinear grid"))?;
    let index_codecs =
        json!([{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]);
    let configuration = json!({"chunk_shape": shape, "codecs": codecs,
        "index_codecs": index_codecs, "index_location": "end"});
    Ok(json!({"name": "sharding_indexed", "configuration": configuration}))
}
