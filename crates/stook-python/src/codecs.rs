//! Codecs as dicts: a name and its settings.

mod buffer;

pub(crate) use buffer::{Codec, codec_ids};

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use serde_json::Value;
use stook::codec::{Blosc, BloscCompressor, BloscShuffle, Endian};
use stook::{CodecSpec, DType, Error, Format, Result};

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

/// A list of dicts such as `{"name": "zstd", "level": 3}`, first applied first.
pub(crate) fn to_python<'py>(
    py: Python<'py>,
    codecs: &[CodecSpec],
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for codec in codecs {
        let dict = PyDict::new(py);
        dict.set_item("name", codec.name())?;
        for (name, value) in settings(codec) {
            dict.set_item(name, json_to_python(py, &value)?)?;
        }
        list.append(dict)?;
    }
    Ok(list)
}

fn settings(codec: &CodecSpec) -> Vec<(&'static str, Value)> {
    match codec {
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
        CodecSpec::Lz4 { acceleration } => vec![("acceleration", (*acceleration).into())],
        CodecSpec::Lz4Hdf5 { block_len_bytes } => vec![("blocksize", (*block_len_bytes).into())],
        CodecSpec::Shuffle { item_size } => vec![("elementsize", (*item_size).into())],
        CodecSpec::Unknown { configuration, .. } => vec![("configuration", configuration.clone())],
        _ => Vec::new(),
    }
}

fn name_of<T: PartialEq>(names: &[(T, &'static str)], value: T) -> &'static str {
    names.iter().find(|(known, _)| *known == value).map_or("unknown", |(_, name)| name)
}

/// A chain of names (`"gzip"`) or dicts, in the form above or in Zarr's or numcodecs' own.
pub(crate) fn from_python(
    chain: &Bound<'_, PyAny>,
    item_size: usize,
    format: Format,
) -> PyResult<Vec<CodecSpec>> {
    chain.try_iter()?.map(|codec| link(&codec?, item_size, format)).collect()
}

/// The codec that a configuration means by itself, for items of `dtype`.
fn one(config: &Value, dtype: &DType) -> Result<CodecSpec> {
    let settings = match config {
        Value::String(name) => Settings { name: name.clone(), values: BTreeMap::new() },
        other => Settings::of(other.clone())?,
    };
    settings.codec(dtype.item_size(), Format::ZarrV2)
}

fn link(codec: &Bound<'_, PyAny>, item_size: usize, format: Format) -> PyResult<CodecSpec> {
    let settings = if codec.is_instance_of::<PyString>() {
        Settings { name: codec.extract()?, values: BTreeMap::new() }
    } else {
        Settings::of(json_of(codec)?).map_err(|error| raise(codec.py(), &error))?
    };
    settings.codec(item_size, format).map_err(|error| raise(codec.py(), &error))
}

/// What was said of a codec; each setting is taken out, and what is left is not known.
struct Settings {
    name: String,
    values: BTreeMap<String, Value>,
}

impl Settings {
    fn of(codec: Value) -> Result<Self> {
        let wrong = || Error::invalid("a codec is a name, or a dict with a `name`");
        let Value::Object(mut members) = codec else { return Err(wrong()) };
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
            "shuffle" | "numcodecs.shuffle" => {
                CodecSpec::Shuffle { item_size: self.integer("elementsize", size)? }
            }
            "crc32c" => CodecSpec::Crc32c,
            "fletcher32" | "numcodecs.fletcher32" => CodecSpec::Fletcher32,
            other => {
                let error = Error::unsupported(format!("codec `{other}` is not supported"));
                return Err(error.with_hint("known: gzip, zlib, zstd, blosc, lz4, lzf, shuffle, crc32c, fletcher32, transpose, bytes"));
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
