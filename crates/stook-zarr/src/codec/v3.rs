//! Version 3: `codecs`, a list of names with configurations.

use serde_json::{Map, Value, json};
use stook_core::codec::{Endian, PackBits, Stage};
use stook_core::{CodecSpec, DType, Error, Result};

use super::{after, cast, first_stage, is_array_step, makes_bytes, packbits, reordered, unknown};
use crate::named::Named;
use crate::numcodecs::{self, blosc};

/// A list of codecs, followed from the items of an array to stored bytes.
#[derive(Debug)]
pub(crate) struct Chain {
    stage: Stage,
    rank: usize,
    codecs: Vec<CodecSpec>,
    has_bytes: bool,
    is_known: bool,
}

impl Chain {
    /// The chain of items of `dtype` in chunks of `shape` with `rank` axes.
    pub(crate) fn new(dtype: &DType, shape: Option<&[u64]>, rank: usize) -> Self {
        let (stage, codecs) = (first_stage(dtype, shape), Vec::new());
        Self { stage, rank, codecs, has_bytes: false, is_known: true }
    }

    /// What the next codec is given.
    pub(crate) fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Adds the codec that `value` describes.
    ///
    /// # Errors
    /// `Corrupt` where it is malformed, or cannot stand there.
    pub(crate) fn push(&mut self, value: &Value) -> Result<()> {
        let named = Named::parse("codecs", value)?;
        if matches!(named.name, "bytes" | "endian") {
            return self.push_bytes(&named);
        }
        let codec = match named.name {
            "transpose" => CodecSpec::Transpose { order: parse_order(&named, self.rank)? },
            _ => parse(&named, &self.stage)?,
        };
        self.add(codec)
    }

    fn push_bytes(&mut self, named: &Named<'_>) -> Result<()> {
        let endian = parse_endian(named)?;
        if self.stage.dtype.has_heap() {
            return Err(Error::corrupt(format!(
                "`codecs`: `bytes` does not hold items of type {}",
                self.stage.dtype
            )));
        }
        self.check_place("bytes", true)?;
        self.has_bytes = true;
        if self.stage.dtype.has_byte_order() {
            let codec = CodecSpec::ByteOrder(endian);
            self.stage = after(&codec, &self.stage);
            self.codecs.push(codec);
        }
        Ok(())
    }

    /// Adds a codec that is parsed already.
    ///
    /// # Errors
    /// `Corrupt` where it cannot stand there.
    pub(crate) fn add(&mut self, codec: CodecSpec) -> Result<()> {
        self.is_known &= !matches!(codec, CodecSpec::Unknown { .. });
        let takes_items = is_array_step(&codec) || makes_bytes(&codec);
        self.check_place(codec.name(), takes_items)?;
        self.has_bytes |= makes_bytes(&codec);
        self.stage = after(&codec, &self.stage);
        match (codec, self.codecs.last_mut()) {
            // Two transpositions are one.
            (CodecSpec::Transpose { order }, Some(CodecSpec::Transpose { order: first })) => {
                *first = order.iter().filter_map(|&axis| first.get(axis).copied()).collect();
            }
            (codec, _) => self.codecs.push(codec),
        }
        Ok(())
    }

    /// Adds whole shards, which are bytes.
    ///
    /// # Errors
    /// `Corrupt` where they cannot stand there.
    pub(crate) fn add_shards(&mut self, codec: CodecSpec) -> Result<()> {
        self.check_place("sharding_indexed", true)?;
        self.has_bytes = true;
        self.stage = after(&codec, &self.stage);
        self.codecs.push(codec);
        Ok(())
    }

    /// What takes items stands before the one codec that makes bytes of them, the rest behind.
    fn check_place(&self, name: &str, takes_items: bool) -> Result<()> {
        if !self.is_known || takes_items != self.has_bytes {
            return Ok(());
        }
        let place = if takes_items { "before" } else { "behind" };
        Err(Error::corrupt(format!(
            "`codecs`: expected `{name}` {place} the codec that makes bytes, such as `bytes`"
        )))
    }

    /// The codecs, first applied first.
    ///
    /// # Errors
    /// `Corrupt` where none of them makes bytes.
    pub(crate) fn finish(self) -> Result<Vec<CodecSpec>> {
        if !self.has_bytes && self.is_known {
            return Err(Error::corrupt("`codecs`: expected one that makes bytes, such as `bytes`"));
        }
        Ok(self.codecs)
    }
}

pub(super) fn parse_endian(named: &Named<'_>) -> Result<Endian> {
    match named.text("endian") {
        Some("little") => Ok(Endian::Little),
        Some("big") => Ok(Endian::Big),
        None if named.get("endian").is_none() => Ok(Endian::Little),
        _ => Err(named.malformed("endian", "`little` or `big`")),
    }
}

fn parse(named: &Named<'_>, stage: &Stage) -> Result<CodecSpec> {
    Ok(match named.name {
        "blosc" => CodecSpec::Blosc(blosc::parse_v3(named, stage.dtype.item_size())?),
        "crc32c" => CodecSpec::Crc32c,
        "packbits" => CodecSpec::PackBits(packbits::parse(named)?),
        "scale_offset" => cast::parse_scale_offset(named, stage)?,
        "cast_value" => CodecSpec::CastValue(cast::parse_cast_value(named, stage)?),
        "numcodecs.shuffle" | "shuffle" if named.get("elementsize").is_none() => {
            CodecSpec::Shuffle { item_size: stage.dtype.item_size() }
        }
        name => {
            let codec = numcodecs::parse_named(&named.renamed(short(name)), stage)?;
            codec.unwrap_or_else(|| unknown(named))
        }
    })
}

/// The id that numcodecs has for the codec that version 3 calls `name`; the crate zarrs once
/// wrote addresses.
fn short(name: &str) -> &str {
    let address =
        name.strip_prefix("https://codec.zarrs.dev/").and_then(|rest| rest.split_once('/'));
    match (name.strip_prefix("numcodecs."), address) {
        (Some(name), _) => name,
        (None, Some((_, "jenkins_lookup3" | "vlen_array" | "vlen_bytes" | "vlen_utf8"))) => name,
        (None, Some((_, name))) => name,
        (None, None) => name,
    }
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
    let endian = codecs.iter().find_map(|codec| match codec {
        CodecSpec::ByteOrder(endian) => Some(*endian),
        _ => None,
    });
    let mut stage = first_stage(dtype, None);
    let is_order = |codec: &&CodecSpec| !matches!(codec, CodecSpec::ByteOrder(_));
    // numcodecs' filters take the bytes they are given for little-endian: in zarr-python nothing
    // but that can be read again.
    let has_types = codecs.iter().any(|codec| codec.is_filter() && !is_transpose(codec));
    let endian = endian.filter(|_| !has_types).unwrap_or(Endian::Little);
    let (mut codecs, mut has_bytes) = (codecs.iter().filter(is_order).peekable(), false);
    while let Some(codec) = codecs.next_if(|codec| is_array_step(codec)) {
        let codec = reordered(codec, Endian::NATIVE);
        out.push(print_codec(&codec, &stage)?);
        stage = after(&codec, &stage);
    }
    if let Some(codec) = codecs.next_if(|codec| makes_bytes(codec)) {
        out.push(print_codec(codec, &stage)?);
        stage = after(codec, &stage);
        has_bytes = true;
    }
    if !has_bytes {
        if stage.dtype.has_heap() {
            let message = format!("Zarr v3 has no codec for {} among these", stage.dtype);
            return Err(Error::unsupported(message));
        }
        out.push(print_bytes(&stage.dtype, endian));
    }
    for codec in codecs {
        if is_array_step(codec) || makes_bytes(codec) {
            return Err(Error::unsupported(format!(
                "Zarr v3 has no codec `{}` behind one that makes bytes",
                codec.name()
            )));
        }
        out.push(print_codec(codec, &stage)?);
        stage = after(codec, &stage);
    }
    Ok(out)
}

fn is_transpose(codec: &CodecSpec) -> bool {
    matches!(codec, CodecSpec::Transpose { .. })
}

/// The codec `bytes`; structs get no byte order unless it is big, as zarr-python has it.
pub(super) fn print_bytes(dtype: &DType, endian: Endian) -> Value {
    let is_struct = matches!(dtype, DType::Struct(_));
    match endian {
        _ if !dtype.has_byte_order() => json!({"name": "bytes"}),
        Endian::Little if is_struct => json!({"name": "bytes"}),
        Endian::Little => json!({"name": "bytes", "configuration": {"endian": "little"}}),
        Endian::Big => json!({"name": "bytes", "configuration": {"endian": "big"}}),
    }
}

pub(super) fn print_codec(codec: &CodecSpec, stage: &Stage) -> Result<Value> {
    let unsupported = || Error::unsupported(format!("Zarr v3 has no codec `{}`", codec.name()));
    let (name, configuration) = match codec {
        CodecSpec::Transpose { order } => ("transpose", json!({"order": order})),
        CodecSpec::Crc32c => return Ok(json!({"name": "crc32c"})),
        CodecSpec::Blosc(blosc) => ("blosc", blosc::print_v3(blosc)),
        CodecSpec::PackBits(bits) if *bits != PackBits::default() => {
            ("packbits", packbits::print(bits))
        }
        CodecSpec::ScaleOffset { offset, scale } => {
            let settings = cast::print_scale_offset(offset.as_ref(), scale.as_ref(), stage)?;
            match settings.is_empty() {
                true => return Ok(json!({"name": "scale_offset"})),
                false => ("scale_offset", Value::Object(settings)),
            }
        }
        CodecSpec::CastValue(value) => ("cast_value", cast::print_cast_value(value)?),
        other => {
            let (id, settings) = numcodecs::settings(other, stage).ok_or_else(unsupported)?;
            return Ok(print_numcodecs(id, settings));
        }
    };
    Ok(json!({"name": name, "configuration": configuration}))
}

fn print_numcodecs(id: &str, settings: Map<String, Value>) -> Value {
    let is_own = matches!(id, "gzip" | "zstd" | "vlen-utf8" | "vlen-bytes");
    let name = if is_own { id.to_owned() } else { format!("numcodecs.{id}") };
    json!({"name": name, "configuration": settings})
}

#[cfg(test)]
mod tests {
    use stook_core::codec::{ChecksumAlgorithm, ChecksumPlace, StoredNumber};

    use super::*;

    fn chain(values: &Value, dtype: &DType) -> Result<Vec<CodecSpec>> {
        let mut chain = Chain::new(dtype, Some(&[4, 6]), 2);
        values.as_array().unwrap().iter().try_for_each(|value| chain.push(value))?;
        chain.finish()
    }

    fn printed(values: &Value, dtype: &DType) -> Value {
        Value::Array(print(&chain(values, dtype).unwrap(), dtype).unwrap())
    }

    fn number(dtype: DType) -> StoredNumber {
        StoredNumber { dtype, endian: Endian::Little }
    }

    #[test]
    fn filters_change_what_the_next_codecs_are_given() {
        let values = json!([
            {"name": "transpose", "configuration": {"order": [1, 0]}},
            {"name": "numcodecs.fixedscaleoffset", "configuration": {
                "scale": 10, "offset": 0, "dtype": "<f8", "astype": "<i2"}},
            {"name": "numcodecs.delta", "configuration": {"dtype": "<i2", "astype": "<i2"}},
            {"name": "bytes", "configuration": {"endian": "little"}},
            {"name": "numcodecs.shuffle", "configuration": {"elementsize": 2}},
            {"name": "numcodecs.crc32", "configuration": {}},
        ]);
        let codecs = chain(&values, &DType::Float64).unwrap();
        let int16 = number(DType::Int16);
        let delta = CodecSpec::Delta { decoded: int16.clone(), encoded: int16 };
        let crc = CodecSpec::Checksum {
            algorithm: ChecksumAlgorithm::Crc32,
            place: ChecksumPlace::Start,
        };
        assert_eq!(codecs[2..4], [delta, CodecSpec::ByteOrder(Endian::Little)]);
        assert_eq!(codecs[4..], [CodecSpec::Shuffle { item_size: 2 }, crc]);
        assert_eq!(printed(&values, &DType::Float64), values);
        // Settings that are missing are those of the items there.
        let values = json!([{"name": "numcodecs.astype", "configuration": {"encode_dtype": "|u1"}},
            "bytes", {"name": "blosc", "configuration": {"cname": "lz4"}}, "shuffle"]);
        let codecs = chain(&values, &DType::Int32).unwrap();
        assert_eq!(codecs.len(), 3, "bytes of one have no order");
        let CodecSpec::Blosc(blosc) = &codecs[1] else { panic!("{codecs:?}") };
        assert_eq!(blosc.item_size, 1);
    }

    #[test]
    fn codecs_that_make_bytes_need_no_byte_order() {
        let values = json!([{"name": "numcodecs.pcodec", "configuration": {"level": 8,
            "mode_spec": "auto", "delta_spec": "auto", "paging_spec": "equal_pages_up_to",
            "delta_encoding_order": null, "equal_pages_up_to": 262_144}}, {"name": "crc32c"}]);
        assert_eq!(printed(&values, &DType::Float32), values);
        let values = json!([{"name": "packbits", "configuration": {"first_bit": 0,
            "last_bit": 3}}, {"name": "zstd", "configuration": {"level": 1, "checksum": false}}]);
        assert_eq!(printed(&values, &DType::UInt8), values);
        let values =
            json!([{"name": "numcodecs.packbits", "configuration": {}}, {"name": "bytes"}]);
        assert_eq!(printed(&values, &DType::Bool), values);
    }

    /// What zarr-python 3.4.2 writes, which leaves out what changes nothing.
    #[test]
    fn values_are_scaled_and_cast() {
        let values = json!([
            {"name": "scale_offset", "configuration": {"offset": 5.5, "scale": "0x3e800000"}},
            {"name": "cast_value", "configuration": {"data_type": "int16",
                "rounding": "towards-zero", "out_of_range": "clamp",
                "scalar_map": {"encode": [["NaN", -1]], "decode": [[-1, "NaN"]]}}},
            {"name": "scale_offset"},
            {"name": "bytes", "configuration": {"endian": "little"}},
        ]);
        let mut expected = values.clone();
        expected[0]["configuration"]["scale"] = json!(0.25);
        assert_eq!(printed(&values, &DType::Float32), expected);
        let least = json!([{"name": "cast_value", "configuration": {"data_type": "bfloat16"}},
            {"name": "bytes", "configuration": {"endian": "little"}}]);
        assert_eq!(printed(&least, &DType::Float64), least);
        let cast = |configuration: Value, dtype: &DType| {
            let codec = json!({"name": "cast_value", "configuration": configuration});
            chain(&json!([codec, "bytes"]), dtype).map(|_| ()).map_err(|e| e.message().to_owned())
        };
        let wrong = [
            json!({}),
            json!({"data_type": "string"}),
            json!({"data_type": "int8", "rounding": "up"}),
            json!({"data_type": "float32", "out_of_range": "wrap"}),
            json!({"data_type": "int8", "scalar_map": {"encode": [[0, 300]]}}),
            json!({"data_type": "int8", "scalar_map": {"decode": [[0]]}}),
            json!({"data_type": "int8", "scalar_map": []}),
        ];
        for configuration in wrong {
            assert!(cast(configuration.clone(), &DType::Float64).is_err(), "{configuration}");
        }
        assert!(cast(json!({"data_type": "int8"}), &DType::Complex64).is_err());
        let zero = json!([{"name": "scale_offset", "configuration": {"scale": "0x00000000"}}]);
        assert!(chain(&zero, &DType::Float32).is_err());
    }

    #[test]
    fn chains_in_a_wrong_order_are_refused() {
        let wrong = [
            json!([]),
            json!(["bytes", "bytes"]),
            json!(["numcodecs.zlib", "bytes"]),
            json!(["bytes", {"name": "numcodecs.delta"}]),
            json!(["bytes", "numcodecs.pcodec"]),
            json!(["bytes", {"name": "transpose", "configuration": {"order": [1, 0]}}]),
            json!([{"name": "transpose", "configuration": {"order": [1, 1]}}, "bytes"]),
        ];
        for values in wrong {
            assert!(chain(&values, &DType::Int32).is_err(), "{values}");
        }
        assert!(chain(&json!(["bytes"]), &DType::string()).is_err());
        let unknown = chain(&json!(["new", "bytes", "zarrs.gdeflate"]), &DType::Int32).unwrap();
        assert_eq!((unknown.len(), unknown[1].name()), (2, "zarrs.gdeflate"));
    }

    #[test]
    fn other_spellings_are_known() {
        let address = "https://codec.zarrs.dev/bytes_to_bytes/bz2";
        for name in ["bz2", "numcodecs.bz2", address] {
            let codecs = chain(
                &json!([{"name": "endian"}, {"name": name, "configuration":
                {"level": 3}}]),
                &DType::UInt8,
            );
            assert_eq!(codecs.unwrap(), [CodecSpec::Bzip2 { level: 3 }]);
        }
    }

    #[test]
    fn a_chain_of_version_2_is_put_in_order() {
        let big = StoredNumber { dtype: DType::Int32, endian: Endian::Big };
        let delta = CodecSpec::Delta { decoded: big.clone(), encoded: big };
        let codecs = [CodecSpec::ByteOrder(Endian::Big), delta, CodecSpec::Bzip2 { level: 1 }];
        let mut expected = json!([
            {"name": "numcodecs.delta", "configuration": {"dtype": "<i4", "astype": "<i4"}},
            {"name": "bytes", "configuration": {"endian": "little"}},
            {"name": "numcodecs.bz2", "configuration": {"level": 1}},
        ]);
        assert_eq!(Value::Array(print(&codecs, &DType::Int32).unwrap()), expected);
        expected[1]["configuration"]["endian"] = json!("big");
        let v2 =
            super::super::print_v2(&chain(&expected, &DType::Int32).unwrap(), &DType::Int32, 2);
        let v2 = v2.unwrap();
        assert_eq!(v2.filters, json!([{"id": "delta", "dtype": ">i4", "astype": ">i4"}]));
        assert_eq!((v2.endian, v2.compressor), (Endian::Big, json!({"id": "bz2", "level": 1})));
    }
}
