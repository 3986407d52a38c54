//! The configuration objects of numcodecs: an `id` beside settings.
//!
//! Zarr version 2 stores them as `filters` and `compressor`; version 3 has the same settings
//! behind names that begin with `numcodecs.`. Settings that are missing get numcodecs' defaults,
//! and types that are missing that of the items a codec is given, as zarr-python has it.
//!
//! ```
//! # fn main() -> stook_core::Result<()> {
//! use serde_json::json;
//! use stook_core::{CodecSpec, DType, codec::Stage};
//! use stook_zarr::numcodecs;
//!
//! let items = Stage::new(DType::Int32, None);
//! let codec = numcodecs::parse(&json!({"id": "bz2", "level": 9}), &items)?;
//! assert_eq!(codec, CodecSpec::Bzip2 { level: 9 });
//! assert_eq!(numcodecs::print(&codec, &items)?, json!({"id": "bz2", "level": 9}));
//! # Ok(())
//! # }
//! ```

mod base64;
pub(crate) mod blosc;
mod number;
mod settings;

use serde_json::{Map, Value};
use stook_core::codec::{
    ChecksumAlgorithm, ChecksumPlace, Lzma, PackBits, Pcodec, Stage, StoredNumber, Zfp,
};
use stook_core::{CodecSpec, Error, ErrorKind, Result};

pub(crate) use self::settings::settings;
use crate::named::Named;

/// The settings of pcodec but for its level.
const PCODEC: [&str; 5] =
    ["mode_spec", "delta_spec", "paging_spec", "delta_encoding_order", "equal_pages_up_to"];

/// The codec that `configuration`, an object with `id`, sets up for the items of `stage`.
///
/// # Errors
/// `InvalidInput` where a setting is malformed, naming the key, what was expected and what was
/// found; `Unsupported` where the id is not known, as that of `pickle` on purpose is not.
pub fn parse(configuration: &Value, stage: &Stage) -> Result<CodecSpec> {
    let parsed = Named::parse_v2(configuration).and_then(|named| {
        let codec = parse_named(&named, stage)?;
        codec.ok_or_else(|| Error::unsupported(format!("codec `{}` is not known", named.name)))
    });
    parsed.map_err(|error| match error.kind() {
        ErrorKind::Corrupt => Error::new(ErrorKind::InvalidInput, error.message()),
        _ => error,
    })
}

/// The configuration of `codec`, which is given the items of `stage`, with all its settings, as
/// `get_config` of numcodecs gives it.
///
/// # Errors
/// `Unsupported` where numcodecs has no such codec.
pub fn print(codec: &CodecSpec, stage: &Stage) -> Result<Value> {
    let found = settings(codec, stage);
    let (id, settings) = found
        .ok_or_else(|| Error::unsupported(format!("numcodecs has no codec `{}`", codec.name())))?;
    Ok(with_id(id, settings))
}

/// An id and settings as one object.
pub(crate) fn with_id(id: &str, settings: Map<String, Value>) -> Value {
    let mut object = Map::with_capacity(settings.len() + 1);
    object.insert("id".to_owned(), Value::from(id));
    object.extend(settings);
    Value::Object(object)
}

/// The codec whose id is the name of `named`; `None` if numcodecs has none such.
///
/// # Errors
/// `Corrupt` where a setting is malformed.
pub(crate) fn parse_named(named: &Named<'_>, stage: &Stage) -> Result<Option<CodecSpec>> {
    let item_size = stage.dtype.item_size();
    Ok(Some(match named.name {
        "gzip" => CodecSpec::Gzip { level: named.integer("level", 1)? },
        "zlib" => CodecSpec::Zlib { level: named.integer("level", 1)? },
        "bz2" => CodecSpec::Bzip2 { level: named.integer("level", 1)? },
        "lzma" => CodecSpec::Lzma(parse_lzma(named)?),
        "zstd" => CodecSpec::Zstd {
            level: named.integer("level", 0)?,
            checksum: named.flag("checksum", false)?,
        },
        "lz4" => CodecSpec::Lz4 { acceleration: named.integer("acceleration", 1)? },
        "blosc" => CodecSpec::Blosc(blosc::parse_v2(named, item_size)?),
        "base64" => base64::spec(),
        "shuffle" => CodecSpec::Shuffle { item_size: named.integer("elementsize", 4)? },
        "pcodec" => CodecSpec::Pcodec(parse_pcodec(named)?),
        "zfpy" => CodecSpec::Zfp(parse_zfp(named)?),
        "vlen-utf8" => CodecSpec::VlenUtf8,
        "vlen-bytes" => CodecSpec::VlenBytes,
        "vlen-array" => CodecSpec::VlenArray { item: required_number(named, "dtype")? },
        "json2" => CodecSpec::Json { configuration: settings_of(named) },
        "msgpack2" => CodecSpec::MessagePack { configuration: settings_of(named) },
        _ => return filter_or_checksum(named, stage),
    }))
}

fn filter_or_checksum(named: &Named<'_>, stage: &Stage) -> Result<Option<CodecSpec>> {
    let decoded = || number_or(named, "dtype", stage);
    Ok(Some(match named.name {
        "delta" => {
            let decoded = decoded()?;
            CodecSpec::Delta { encoded: encoded(named, &decoded)?, decoded }
        }
        "fixedscaleoffset" => {
            let (decoded, offset) = (decoded()?, factor(named, "offset")?);
            let (scale, encoded) = (factor(named, "scale")?, encoded(named, &decoded)?);
            CodecSpec::FixedScaleOffset { offset, scale, decoded, encoded }
        }
        "quantize" => {
            let (decoded, digits) = (decoded()?, named.number("digits")?);
            let digits = digits.and_then(|digits| i32::try_from(digits).ok());
            let digits = digits.ok_or_else(|| named.malformed("digits", "a whole number"))?;
            CodecSpec::Quantize { digits, encoded: encoded(named, &decoded)?, decoded }
        }
        "astype" => CodecSpec::AsType {
            decoded: number_or(named, "decode_dtype", stage)?,
            encoded: required_number(named, "encode_dtype")?,
        },
        "bitround" => {
            let keep_bits = named.number("keepbits")?.and_then(|bits| u32::try_from(bits).ok());
            let expected = "a number of bits";
            let keep_bits = keep_bits.ok_or_else(|| named.malformed("keepbits", expected))?;
            CodecSpec::BitRound { keep_bits }
        }
        "packbits" => CodecSpec::PackBits(PackBits::default()),
        "categorize" => CodecSpec::Categorize {
            labels: parse_labels(named)?,
            encoded: number(named, "astype")?.unwrap_or_else(number::byte),
        },
        "crc32" => checksum(named, ChecksumAlgorithm::Crc32, ChecksumPlace::Start)?,
        "adler32" => checksum(named, ChecksumAlgorithm::Adler32, ChecksumPlace::Start)?,
        "crc32c" => checksum(named, ChecksumAlgorithm::Crc32c, ChecksumPlace::End)?,
        "fletcher32" => CodecSpec::Fletcher32,
        "jenkins_lookup3" => CodecSpec::Jenkins {
            initial: named.integer("initval", 0)?,
            prefix: parse_prefix(named)?,
        },
        _ => return Ok(None),
    }))
}

/// The settings as they are, without the id.
fn settings_of(named: &Named<'_>) -> Value {
    let mut settings = match named.configuration() {
        Value::Object(settings) => settings,
        _ => Map::new(),
    };
    settings.shift_remove("id");
    Value::Object(settings)
}

fn number(named: &Named<'_>, key: &str) -> Result<Option<StoredNumber>> {
    let Some(value) = named.get(key) else { return Ok(None) };
    let parsed = value.as_str().and_then(number::parse);
    parsed.map(Some).ok_or_else(|| named.malformed(key, "a dtype of numpy such as `<f4`"))
}

fn required_number(named: &Named<'_>, key: &str) -> Result<StoredNumber> {
    let expected = "a dtype of numpy such as `<f4`";
    number(named, key)?.ok_or_else(|| named.malformed(key, expected))
}

fn number_or(named: &Named<'_>, key: &str, stage: &Stage) -> Result<StoredNumber> {
    let of_items = || StoredNumber { dtype: stage.dtype.clone(), endian: stage.endian };
    Ok(number(named, key)?.unwrap_or_else(of_items))
}

/// `astype`, which is the decoded type where it is missing.
fn encoded(named: &Named<'_>, decoded: &StoredNumber) -> Result<StoredNumber> {
    Ok(number(named, "astype")?.unwrap_or_else(|| decoded.clone()))
}

fn factor(named: &Named<'_>, key: &str) -> Result<serde_json::Number> {
    let value = named.get(key).and_then(Value::as_number);
    value.cloned().ok_or_else(|| named.malformed(key, "a number"))
}

fn checksum(
    named: &Named<'_>,
    algorithm: ChecksumAlgorithm,
    default: ChecksumPlace,
) -> Result<CodecSpec> {
    let place = match (named.get("location"), named.text("location")) {
        (None, _) => default,
        (_, Some("start")) => ChecksumPlace::Start,
        (_, Some("end")) => ChecksumPlace::End,
        _ => return Err(named.malformed("location", "`start` or `end`")),
    };
    Ok(match (algorithm, place) {
        (ChecksumAlgorithm::Crc32c, ChecksumPlace::End) => CodecSpec::Crc32c,
        _ => CodecSpec::Checksum { algorithm, place },
    })
}

fn parse_labels(named: &Named<'_>) -> Result<Vec<String>> {
    let labels = named.get("labels").and_then(Value::as_array);
    labels
        .and_then(|labels| labels.iter().map(|label| label.as_str().map(str::to_owned)).collect())
        .ok_or_else(|| named.malformed("labels", "a list of texts"))
}

fn parse_prefix(named: &Named<'_>) -> Result<Option<Vec<u8>>> {
    let byte = |value: &Value| value.as_u64().and_then(|byte| u8::try_from(byte).ok());
    match named.get("prefix") {
        None => Ok(None),
        Some(Value::Array(bytes)) => {
            let bytes: Option<Vec<u8>> = bytes.iter().map(byte).collect();
            bytes.map(Some).ok_or_else(|| named.malformed("prefix", "a list of bytes"))
        }
        Some(_) => Err(named.malformed("prefix", "a list of bytes")),
    }
}

fn parse_lzma(named: &Named<'_>) -> Result<Lzma> {
    let preset = named.number("preset")?.map(u32::try_from).transpose();
    let preset = preset.map_err(|_| named.malformed("preset", "0 to 9, or that and 2^31"))?;
    let filters = named.get("filters").cloned();
    if filters.as_ref().is_some_and(|filters| !filters.is_array()) {
        return Err(named.malformed("filters", "a list of filters"));
    }
    let (format, check) = (named.integer("format", 1)?, named.integer("check", -1)?);
    Ok(Lzma { format, check, preset, filters })
}

fn parse_pcodec(named: &Named<'_>) -> Result<Pcodec> {
    let present = PCODEC
        .iter()
        .filter_map(|key| named.get(key).map(|value| ((*key).to_owned(), value.clone())));
    Ok(Pcodec { level: named.integer("level", 8)?, settings: present.collect() })
}

fn parse_zfp(named: &Named<'_>) -> Result<Zfp> {
    let number = |key: &str| match named.get(key) {
        None => Ok(-1.0),
        Some(value) => value.as_f64().ok_or_else(|| named.malformed(key, "a number")),
    };
    Ok(Zfp {
        mode: named.integer("mode", 4)?,
        tolerance: number("tolerance")?,
        rate: number("rate")?,
        precision: named.integer("precision", -1)?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stook_core::DType;
    use stook_core::codec::Endian;

    use super::*;

    fn floats() -> Stage {
        Stage::new(DType::Float32, None)
    }

    /// What `get_config` of numcodecs 0.16.6 gives, key for key.
    #[test]
    fn configurations_round_trip() {
        let configurations = [
            r#"{"id":"blosc","cname":"lz4","clevel":5,"shuffle":1,"blocksize":0}"#,
            r#"{"id":"lz4","acceleration":1}"#,
            r#"{"id":"zstd","level":3,"checksum":true}"#,
            r#"{"id":"shuffle","elementsize":4}"#,
            r#"{"id":"vlen-utf8"}"#,
            r#"{"id":"vlen-array","dtype":"<i4"}"#,
            r#"{"id":"jenkins_lookup3","initval":0,"prefix":null}"#,
            r#"{"id":"jenkins_lookup3","initval":7,"prefix":[1,255]}"#,
            r#"{"id":"fletcher32"}"#,
            r#"{"id":"zlib","level":1}"#,
            r#"{"id":"gzip","level":9}"#,
            r#"{"id":"bz2","level":1}"#,
            r#"{"id":"lzma","format":1,"check":-1,"preset":null,"filters":null}"#,
            r#"{"id":"lzma","format":3,"check":0,"preset":null,"filters":[{"id":33,"preset":1}]}"#,
            r#"{"id":"crc32"}"#,
            r#"{"id":"crc32","location":"end"}"#,
            r#"{"id":"crc32c"}"#,
            r#"{"id":"crc32c","location":"start"}"#,
            r#"{"id":"adler32"}"#,
            r#"{"id":"json2","encoding":"utf-8","skipkeys":false,"separators":[",",":"]}"#,
            r#"{"id":"msgpack2","raw":false,"use_single_float":false,"use_bin_type":true}"#,
            r#"{"id":"categorize","labels":["a","b"],"dtype":"<f4","astype":"|u1"}"#,
            r#"{"id":"packbits"}"#,
            r#"{"id":"bitround","keepbits":3}"#,
            r#"{"id":"base64"}"#,
            r#"{"id":"astype","encode_dtype":"<i2","decode_dtype":"<f4"}"#,
            r#"{"id":"quantize","digits":2,"dtype":"<f4","astype":"<f2"}"#,
            r#"{"id":"fixedscaleoffset","scale":2,"offset":1.5,"dtype":">f4","astype":"|u1"}"#,
            r#"{"id":"delta","dtype":"<i4","astype":">i2"}"#,
            r#"{"id":"pcodec","level":8,"mode_spec":"auto","delta_spec":"auto","paging_spec":"equal_pages_up_to","delta_encoding_order":null,"equal_pages_up_to":262144}"#,
            r#"{"id":"zfpy","mode":4,"compression_kwargs":{"tolerance":0.01},"tolerance":0.01,"rate":-1,"precision":-1}"#,
            r#"{"id":"zfpy","mode":3,"compression_kwargs":{"precision":16},"tolerance":-1,"rate":-1,"precision":16}"#,
        ];
        for text in configurations {
            let configuration: Value = serde_json::from_str(text).unwrap();
            let codec = parse(&configuration, &floats()).unwrap();
            assert_eq!(print(&codec, &floats()).unwrap().to_string(), text);
        }
    }

    #[test]
    fn missing_settings_get_the_defaults_of_numcodecs() {
        let printed = |value: Value| {
            let codec = parse(&value, &floats()).unwrap();
            print(&codec, &floats()).unwrap()
        };
        assert_eq!(
            printed(json!({"id": "delta"})),
            json!({"id": "delta", "dtype": "<f4", "astype": "<f4"})
        );
        assert_eq!(printed(json!({"id": "zlib"})), json!({"id": "zlib", "level": 1}));
        assert_eq!(printed(json!({"id": "zfpy"}))["mode"], json!(4));
        assert_eq!(printed(json!({"id": "pcodec"}))["equal_pages_up_to"], json!(262_144));
        assert_eq!(printed(json!({"id": "crc32c", "location": "end"})), json!({"id": "crc32c"}));
        let big = Stage { endian: Endian::Big, ..floats() };
        let codec = parse(&json!({"id": "quantize", "digits": 1}), &big).unwrap();
        assert_eq!(print(&codec, &big).unwrap()["astype"], json!(">f4"));
    }

    #[test]
    fn malformed_settings_name_key_expected_and_found() {
        let error = |value: Value| parse(&value, &floats()).unwrap_err();
        let level = error(json!({"id": "zlib", "level": "high"}));
        assert_eq!(level.kind(), ErrorKind::InvalidInput);
        let expected = "`zlib`: expected `level` to be a whole number, found \"high\"";
        assert_eq!(level.message(), expected);
        let wrong = [
            json!({"id": "bz2", "level": -1}),
            json!({"id": "zstd", "checksum": 1}),
            json!({"id": "blosc", "shuffle": 3}),
            json!({"id": "blosc", "cname": 5}),
            json!({"id": "crc32", "location": "middle"}),
            json!({"id": "delta", "dtype": 4}),
            json!({"id": "delta", "dtype": "<x4"}),
            json!({"id": "astype"}),
            json!({"id": "quantize"}),
            json!({"id": "fixedscaleoffset", "offset": 0}),
            json!({"id": "categorize", "labels": "ab"}),
            json!({"id": "jenkins_lookup3", "prefix": [300]}),
            json!({"id": "lzma", "preset": -1}),
            json!({"id": "lzma", "filters": {}}),
            json!({"id": "zfpy", "rate": "8"}),
            json!({"id": "bitround"}),
            json!({"level": 1}),
            json!("zlib"),
        ];
        for value in wrong {
            assert_eq!(error(value.clone()).kind(), ErrorKind::InvalidInput, "{value}");
        }
        for id in ["pickle", "new"] {
            let unknown = error(json!({"id": id}));
            assert_eq!(unknown.kind(), ErrorKind::Unsupported);
            assert!(unknown.message().contains(id));
        }
    }
}
