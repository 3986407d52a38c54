//! Codecs as dicts: a name and its settings.

mod buffer;

pub(crate) use buffer::{Bytes, Codec, codec_ids};

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use serde_json::{Value, json};
use stook::codec::{
    Bitshuffle, BitshuffleCompressor, Blosc, Blosc2, BloscCompressor, BloscShuffle, Endian, Stage,
    Szip,
};
use stook::{CodecSpec, DType, Error, Format, Result, numcodecs};

use crate::attributes::{json_of, json_to_python};
use crate::enter::raise;

const COMPRESSORS: [(BloscCompressor, &str); 6] = [
    (BloscCompressor::BloscLz, "blosclz"),
    (BloscCompressor::Lz4, "lz4"),
    (BloscCompressor::Lz4Hc, "lz4hc"),
    (BloscCompressor::Snappy, "snappy"),
    (BloscCompressor::Zlib, "zlib"),
    (BloscCompressor::Zstd, "zstd"),
];

const SHUFFLES: [(BloscShuffle, &str); 3] = [
    (BloscShuffle::None, "noshuffle"),
    (BloscShuffle::Byte, "shuffle"),
    (BloscShuffle::Bit, "bitshuffle"),
];

/// A list of dicts such as `{"name": "zstd", "level": 3}`, first applied first. Each is what
/// [`from_python`] makes the same codec of.
pub(crate) fn to_python<'py>(
    py: Python<'py>,
    codecs: &[CodecSpec],
    dtype: &DType,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    let stage = Stage::new(dtype.clone(), None);
    for codec in codecs {
        let dict = PyDict::new(py);
        let (name, settings) = settings(codec, &stage);
        dict.set_item("name", name)?;
        for (name, value) in settings {
            dict.set_item(name, json_to_python(py, &value)?)?;
        }
        list.append(dict)?;
    }
    Ok(list)
}

/// The name and settings of a codec: in Zarr's words where [`Settings`] knows it, else in those
/// of numcodecs.
fn settings(codec: &CodecSpec, stage: &Stage) -> (String, Vec<(String, Value)>) {
    let values = match codec {
        CodecSpec::Transpose { order } => vec![("order", order.clone().into())],
        CodecSpec::ByteOrder(Endian::Little) => vec![("endian", "little".into())],
        CodecSpec::ByteOrder(Endian::Big) => vec![("endian", "big".into())],
        CodecSpec::Gzip { level } | CodecSpec::Zlib { level } => vec![("level", (*level).into())],
        CodecSpec::Zstd { level, checksum } => {
            vec![("level", (*level).into()), ("checksum", (*checksum).into())]
        }
        CodecSpec::Blosc(blosc) => vec![
            ("cname", name_of(&COMPRESSORS, blosc.compressor).into()),
            ("clevel", blosc.level.into()),
            ("shuffle", name_of(&SHUFFLES, blosc.shuffle).into()),
            ("typesize", blosc.item_size.into()),
            ("blocksize", blosc.block_len_bytes.into()),
        ],
        CodecSpec::Blosc2(blosc) => vec![
            ("cname", name_of(&COMPRESSORS, blosc.compressor).into()),
            ("clevel", blosc.level.into()),
            ("shuffle", name_of(&SHUFFLES, blosc.shuffle).into()),
            ("typesize", blosc.item_size.into()),
        ],
        CodecSpec::Lz4 { acceleration } => vec![("acceleration", (*acceleration).into())],
        CodecSpec::Lz4Hdf5 { block_len_bytes } => vec![("blocksize", (*block_len_bytes).into())],
        CodecSpec::Shuffle { item_size } => vec![("elementsize", (*item_size).into())],
        CodecSpec::Bitshuffle(bits) => {
            let mut values = vec![
                ("elementsize", bits.item_size.into()),
                ("blocksize", bits.block_len_items.into()),
            ];
            match bits.compressor {
                BitshuffleCompressor::None => {}
                BitshuffleCompressor::Lz4 => values.push(("cname", "lz4".into())),
                BitshuffleCompressor::Zstd { level } => {
                    values.extend([("cname", "zstd".into()), ("clevel", level.into())]);
                }
            }
            values
        }
        CodecSpec::Szip(szip) => vec![
            ("options", szip.options.into()),
            ("pixels_per_block", szip.pixels_per_block.into()),
            ("bits_per_pixel", szip.bits_per_pixel.into()),
            ("pixels_per_scanline", szip.pixels_per_scanline.into()),
        ],
        CodecSpec::NBit { values }
        | CodecSpec::ScaleOffsetHdf5 { values }
        | CodecSpec::ZfpHdf5 { values } => vec![("values", values.clone().into())],
        CodecSpec::Unknown { configuration, .. } => vec![("configuration", configuration.clone())],
        other => {
            if let Ok(Value::Object(mut config)) = numcodecs::print(other, stage)
                && let Some(Value::String(id)) = config.shift_remove("id")
            {
                return (id, config.into_iter().collect());
            }
            Vec::new()
        }
    };
    let values = values.into_iter().map(|(name, value)| (name.to_owned(), value));
    (codec.name().to_owned(), values.collect())
}

fn name_of<T: PartialEq>(names: &[(T, &'static str)], value: T) -> &'static str {
    names.iter().find(|(known, _)| *known == value).map_or("unknown", |(_, name)| name)
}

/// A chain of names (`"gzip"`) or dicts, in the form above or in Zarr's or numcodecs' own.
pub(crate) fn from_python(
    chain: &Bound<'_, PyAny>,
    dtype: &DType,
    format: Format,
) -> PyResult<Vec<CodecSpec>> {
    let py = chain.py();
    let links = chain
        .try_iter()?
        .map(|link| link_of(&json_of(&link?)?, dtype, format).map_err(|error| raise(py, &error)));
    links.collect()
}

fn link_of(codec: &Value, dtype: &DType, format: Format) -> Result<CodecSpec> {
    let stage = Stage::new(dtype.clone(), None);
    let settings = Settings::of(codec)?;
    // What numcodecs calls by these ids has its own defaults; the rest it does not have.
    if codec.get("id").is_some()
        && !["lzf", "blosc2", "bitshuffle", "szip", "nbit"].contains(&settings.name.as_str())
    {
        return numcodecs::parse(codec, &stage);
    }
    if settings.is_known() {
        return settings.codec(dtype.item_size(), format);
    }
    numcodecs::parse(&settings.into_numcodecs(), &stage)
}

/// The codec that a configuration means by itself, for items of `dtype`.
fn one(config: &Value, dtype: &DType) -> Result<CodecSpec> {
    if let Value::String(id) = config {
        let config = json!({ "id": id });
        return numcodecs::parse(&config, &Stage::new(dtype.clone(), None)).or_else(|error| {
            let settings = Settings::of(&config)?;
            let is_known = settings.is_known();
            if is_known { settings.codec(dtype.item_size(), Format::Hdf5) } else { Err(error) }
        });
    }
    link_of(config, dtype, Format::ZarrV3)
}

/// What was said of a codec; each setting is taken out, and what is left is not known.
struct Settings {
    name: String,
    values: BTreeMap<String, Value>,
}

impl Settings {
    /// What these settings set up; other codecs are those of numcodecs.
    const KNOWN: [&str; 25] = [
        "transpose",
        "bytes",
        "vlen-utf8",
        "vlen-bytes",
        "gzip",
        "zlib",
        "deflate",
        "numcodecs.zlib",
        "zstd",
        "numcodecs.zstd",
        "blosc",
        "numcodecs.blosc",
        "blosc2",
        "lz4",
        "numcodecs.lz4",
        "lzf",
        "shuffle",
        "numcodecs.shuffle",
        "bitshuffle",
        "szip",
        "scaleoffset",
        "nbit",
        "crc32c",
        "fletcher32",
        "numcodecs.fletcher32",
    ];

    fn is_known(&self) -> bool {
        Self::KNOWN.contains(&self.name.as_str())
    }

    /// The same in the form of numcodecs.
    fn into_numcodecs(self) -> Value {
        let id = self.name.strip_prefix("numcodecs.").unwrap_or(&self.name).to_owned();
        let mut config: serde_json::Map<String, Value> = self.values.into_iter().collect();
        config.insert("id".to_owned(), id.into());
        Value::Object(config)
    }

    fn of(codec: &Value) -> Result<Self> {
        let wrong = || Error::invalid("a codec is a name, or a dict with a `name`");
        if let Value::String(name) = codec {
            return Ok(Self { name: name.clone(), values: BTreeMap::new() });
        }
        let Value::Object(mut members) = codec.clone() else { return Err(wrong()) };
        let name = members.remove("name").or_else(|| members.remove("id"));
        let Some(Value::String(name)) = name else { return Err(wrong()) };
        if let Some(configuration) = members.remove("configuration") {
            let Value::Object(inner) = configuration else { return Err(wrong()) };
            members.extend(inner);
        }
        Ok(Self { name, values: members.into_iter().collect() })
    }

    fn integer<T: TryFrom<i64>>(&mut self, key: &str, default: i64) -> Result<T> {
        let value = match self.values.remove(key) {
            None => Some(default),
            Some(value) => value.as_i64(),
        };
        let name = &self.name;
        value.and_then(|value| T::try_from(value).ok()).ok_or_else(|| {
            Error::invalid(format!("codec `{name}`: `{key}` is no integer in its range"))
        })
    }

    fn name_in<T: Copy>(&mut self, key: &str, names: &[(T, &str)], default: T) -> Result<T> {
        let Some(value) = self.values.remove(key) else { return Ok(default) };
        let by_number = value.as_u64().and_then(|n| names.get(usize::try_from(n).ok()?));
        let by_name = names.iter().find(|(_, name)| value.as_str() == Some(name));
        let found = by_name.or(by_number.filter(|_| key == "shuffle"));
        found.map(|(found, _)| *found).ok_or_else(|| {
            let known: Vec<&str> = names.iter().map(|(_, name)| *name).collect();
            Error::invalid(format!(
                "codec `{}`: expected `{key}` to be one of {known:?}, found {value}",
                self.name
            ))
        })
    }

    fn numbers(&mut self, key: &str) -> Result<Vec<u32>> {
        let Some(values) = self.values.remove(key) else { return Ok(Vec::new()) };
        serde_json::from_value(values).map_err(|_| {
            let name = &self.name;
            Error::invalid(format!("codec `{name}`: expected `{key}` to be a list of numbers"))
        })
    }

    fn bitshuffle(&mut self, item_size: i64) -> Result<Bitshuffle> {
        let names = [
            (BitshuffleCompressor::None, "none"),
            (BitshuffleCompressor::Lz4, "lz4"),
            (BitshuffleCompressor::Zstd { level: 3 }, "zstd"),
        ];
        let mut compressor = self.name_in("cname", &names, BitshuffleCompressor::None)?;
        if let BitshuffleCompressor::Zstd { level } = &mut compressor {
            *level = self.integer("clevel", 3)?;
        }
        Ok(Bitshuffle {
            item_size: self.integer("elementsize", item_size)?,
            block_len_items: self.integer("blocksize", 0)?,
            compressor,
        })
    }

    fn order(&mut self) -> Result<Vec<usize>> {
        let order = self.values.remove("order");
        let axes = order.as_ref().and_then(Value::as_array).map(|axes| {
            axes.iter().map(|axis| usize::try_from(axis.as_u64()?).ok()).collect::<Option<Vec<_>>>()
        });
        axes.flatten()
            .ok_or_else(|| Error::invalid("codec `transpose`: expected `order`, a list of axes"))
    }

    fn codec(mut self, item_size: usize, format: Format) -> Result<CodecSpec> {
        let size = i64::try_from(item_size).unwrap_or(i64::MAX);
        let is_hdf5 = format == Format::Hdf5;
        let codec = match self.name.as_str() {
            "transpose" => CodecSpec::Transpose { order: self.order()? },
            "bytes" => {
                let orders = [(Endian::Little, "little"), (Endian::Big, "big")];
                CodecSpec::ByteOrder(self.name_in("endian", &orders, Endian::Little)?)
            }
            "vlen-utf8" => CodecSpec::VlenUtf8,
            "vlen-bytes" => CodecSpec::VlenBytes,
            // What everybody calls gzip in HDF5 is its deflate filter, which writes zlib.
            "gzip" if !is_hdf5 => CodecSpec::Gzip { level: self.integer("level", 5)? },
            "gzip" | "zlib" | "deflate" | "numcodecs.zlib" => {
                CodecSpec::Zlib { level: self.integer("level", 4)? }
            }
            "zstd" | "numcodecs.zstd" => {
                let checksum = self
                    .values
                    .remove("checksum")
                    .and_then(|value| value.as_bool())
                    .unwrap_or(false);
                CodecSpec::Zstd { level: self.integer("level", 0)?, checksum }
            }
            "blosc" | "numcodecs.blosc" => CodecSpec::Blosc(Blosc {
                compressor: self.name_in("cname", &COMPRESSORS, BloscCompressor::Zstd)?,
                level: self.integer("clevel", 5)?,
                shuffle: self.name_in("shuffle", &SHUFFLES, BloscShuffle::Byte)?,
                item_size: self.integer("typesize", size)?,
                block_len_bytes: self.integer("blocksize", 0)?,
            }),
            "lz4" | "numcodecs.lz4" if !is_hdf5 => {
                CodecSpec::Lz4 { acceleration: self.integer("acceleration", 1)? }
            }
            "lz4" => CodecSpec::Lz4Hdf5 { block_len_bytes: self.integer("blocksize", 0)? },
            "lzf" => CodecSpec::Lzf,
            "blosc2" => CodecSpec::Blosc2(Blosc2 {
                compressor: self.name_in("cname", &COMPRESSORS, BloscCompressor::Zstd)?,
                level: self.integer("clevel", 5)?,
                shuffle: self.name_in("shuffle", &SHUFFLES, BloscShuffle::Byte)?,
                item_size: self.integer("typesize", size)?,
                values: Vec::new(),
            }),
            "bitshuffle" => CodecSpec::Bitshuffle(self.bitshuffle(size)?),
            "szip" => CodecSpec::Szip(Szip {
                options: self.integer("options", 4)?,
                pixels_per_block: self.integer("pixels_per_block", 8)?,
                bits_per_pixel: self.integer("bits_per_pixel", 0)?,
                pixels_per_scanline: self.integer("pixels_per_scanline", 0)?,
            }),
            "scaleoffset" => CodecSpec::ScaleOffsetHdf5 { values: self.numbers("values")? },
            "nbit" => CodecSpec::NBit { values: self.numbers("values")? },
            "shuffle" | "numcodecs.shuffle" => {
                CodecSpec::Shuffle { item_size: self.integer("elementsize", size)? }
            }
            "crc32c" => CodecSpec::Crc32c,
            "fletcher32" | "numcodecs.fletcher32" => CodecSpec::Fletcher32,
            other => {
                return Err(Error::unsupported(format!("codec `{other}` is not known")));
            }
        };
        match self.values.keys().next() {
            None => Ok(codec),
            Some(key) => {
                Err(Error::invalid(format!("codec `{}` has no setting `{key}`", self.name)))
            }
        }
    }
}
