//! What `get_config` of numcodecs gives for a codec, key for key.

use serde_json::{Map, Value, json};
use stook_core::CodecSpec;
use stook_core::codec::{
    ChecksumAlgorithm, ChecksumPlace, PackBits, Pcodec, Stage, StoredNumber, Zfp,
};

use super::{base64, blosc, number};

/// The id and the settings of `codec`, which is given the items of `stage`; `None` if numcodecs
/// has none such.
pub(crate) fn settings(
    codec: &CodecSpec,
    stage: &Stage,
) -> Option<(&'static str, Map<String, Value>)> {
    let (id, settings) = match codec {
        CodecSpec::Gzip { level } => ("gzip", json!({"level": level})),
        CodecSpec::Zlib { level } => ("zlib", json!({"level": level})),
        CodecSpec::Bzip2 { level } => ("bz2", json!({"level": level})),
        CodecSpec::Lzma(lzma) => {
            let settings = json!({"format": lzma.format, "check": lzma.check,
                "preset": lzma.preset, "filters": lzma.filters});
            ("lzma", settings)
        }
        CodecSpec::Zstd { level, checksum } => {
            ("zstd", json!({"level": level, "checksum": checksum}))
        }
        CodecSpec::Lz4 { acceleration } => ("lz4", json!({"acceleration": acceleration})),
        CodecSpec::Blosc(blosc) => ("blosc", blosc::print_v2(blosc)),
        CodecSpec::Shuffle { item_size } => ("shuffle", json!({"elementsize": item_size})),
        CodecSpec::Pcodec(pcodec) => ("pcodec", print_pcodec(pcodec)),
        CodecSpec::Zfp(zfp) => ("zfpy", print_zfp(zfp)),
        CodecSpec::VlenUtf8 => ("vlen-utf8", json!({})),
        CodecSpec::VlenBytes => ("vlen-bytes", json!({})),
        CodecSpec::VlenArray { item } => ("vlen-array", json!({"dtype": number::print(item)?})),
        CodecSpec::Json { configuration } => ("json2", configuration.clone()),
        CodecSpec::MessagePack { configuration } => ("msgpack2", configuration.clone()),
        CodecSpec::Custom(_) if base64::is(codec) => ("base64", json!({})),
        _ => filter(codec, stage).or_else(|| checksum(codec))?,
    };
    match settings {
        Value::Object(settings) => Some((id, settings)),
        _ => Some((id, Map::new())),
    }
}

fn filter(codec: &CodecSpec, stage: &Stage) -> Option<(&'static str, Value)> {
    let types = |decoded: &StoredNumber, encoded: &StoredNumber| {
        Some((number::print(decoded)?, number::print(encoded)?))
    };
    Some(match codec {
        CodecSpec::Delta { decoded, encoded } => {
            let (dtype, astype) = types(decoded, encoded)?;
            ("delta", json!({"dtype": dtype, "astype": astype}))
        }
        CodecSpec::FixedScaleOffset { offset, scale, decoded, encoded } => {
            let (dtype, astype) = types(decoded, encoded)?;
            let settings =
                json!({"scale": scale, "offset": offset, "dtype": dtype, "astype": astype});
            ("fixedscaleoffset", settings)
        }
        CodecSpec::Quantize { digits, decoded, encoded } => {
            let (dtype, astype) = types(decoded, encoded)?;
            ("quantize", json!({"digits": digits, "dtype": dtype, "astype": astype}))
        }
        CodecSpec::AsType { decoded, encoded } => {
            let (decoded, encoded) = types(decoded, encoded)?;
            ("astype", json!({"encode_dtype": encoded, "decode_dtype": decoded}))
        }
        CodecSpec::BitRound { keep_bits } => ("bitround", json!({"keepbits": keep_bits})),
        CodecSpec::PackBits(bits) if *bits == PackBits::default() => ("packbits", json!({})),
        CodecSpec::Categorize { labels, encoded } => {
            let dtype = match stage.dtype.has_heap() {
                true => "|O".to_owned(),
                false => number::print_type(&stage.dtype, stage.endian)?,
            };
            let settings =
                json!({"labels": labels, "dtype": dtype, "astype": number::print(encoded)?});
            ("categorize", settings)
        }
        _ => return None,
    })
}

fn checksum(codec: &CodecSpec) -> Option<(&'static str, Value)> {
    use ChecksumAlgorithm::{Adler32, Crc32, Crc32c};
    Some(match codec {
        CodecSpec::Crc32c => ("crc32c", json!({})),
        CodecSpec::Fletcher32 => ("fletcher32", json!({})),
        CodecSpec::Checksum { algorithm, place } => {
            let id = match algorithm {
                Crc32 => "crc32",
                Adler32 => "adler32",
                Crc32c => "crc32c",
            };
            let settings = match (place, *algorithm == Crc32c) {
                (ChecksumPlace::Start, true) => json!({"location": "start"}),
                (ChecksumPlace::End, false) => json!({"location": "end"}),
                _ => json!({}),
            };
            (id, settings)
        }
        CodecSpec::Jenkins { initial, prefix } => {
            ("jenkins_lookup3", json!({"initval": initial, "prefix": prefix}))
        }
        _ => return None,
    })
}

fn print_pcodec(pcodec: &Pcodec) -> Value {
    let get = |key: &str, default: Value| pcodec.settings.get(key).cloned().unwrap_or(default);
    json!({
        "level": pcodec.level,
        "mode_spec": get("mode_spec", json!("auto")),
        "delta_spec": get("delta_spec", json!("auto")),
        "paging_spec": get("paging_spec", json!("equal_pages_up_to")),
        "delta_encoding_order": get("delta_encoding_order", Value::Null),
        "equal_pages_up_to": get("equal_pages_up_to", json!(262_144)),
    })
}

fn print_zfp(zfp: &Zfp) -> Value {
    // -1 means that it is not given, and is an integer in Python.
    let number = |value: f64| if value == -1.0 { json!(-1) } else { json!(value) };
    let (tolerance, rate) = (number(zfp.tolerance), number(zfp.rate));
    let mut settings = Map::new();
    settings.insert("mode".to_owned(), json!(zfp.mode));
    let of_mode = match zfp.mode {
        2 => Some(json!({"rate": rate})),
        3 => Some(json!({"precision": zfp.precision})),
        4 => Some(json!({"tolerance": tolerance})),
        _ => None,
    };
    settings.extend(of_mode.map(|of_mode| ("compression_kwargs".to_owned(), of_mode)));
    settings.insert("tolerance".to_owned(), tolerance);
    settings.insert("rate".to_owned(), rate);
    settings.insert("precision".to_owned(), json!(zfp.precision));
    Value::Object(settings)
}
