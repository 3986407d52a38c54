//! Codecs as a person writes them: `zstd:3`, `shuffle+gzip:6`, `blosc:lz4:5:shuffle`, JSON.

use std::str::FromStr;

use serde_json::{Map, Value};
use stook_core::codec::{
    Bitshuffle, BitshuffleCompressor, Blosc, Blosc2, BloscCompressor, BloscShuffle, CodecSpec,
    Endian, Lzma, Pcodec, Stage, StoredNumber, Szip, Zfp,
};
use stook_core::{DType, Error, Result};
use stook_zarr::numcodecs;

use crate::szip;

/// A chain of codecs that is still to be fitted to the items it is for.
#[derive(Clone, Debug, PartialEq)]
pub enum Chain {
    /// Those of the source.
    Keep,
    /// What the target's format takes by default.
    Auto,
    /// These, first applied first; none if empty.
    Of(Vec<ChainLink>),
}

/// A codec of a chain.
#[derive(Clone, Debug, PartialEq)]
pub enum ChainLink {
    /// By name, with arguments: `blosc:lz4:5:shuffle`.
    Named {
        /// The name.
        name: String,
        /// What follows it.
        arguments: Vec<String>,
    },
    /// As numcodecs or Zarr v3 configure it: `{"id": "zlib", "level": 5}`.
    Json(Value),
}

/// The names with the most arguments each takes, for errors.
const SPELLINGS: &str = "none, keep, auto, zstd:LEVEL, gzip:LEVEL, zlib:LEVEL, lz4, lzf, \
    blosc:COMPRESSOR:LEVEL:SHUFFLE, bz2:LEVEL, lzma:PRESET, pcodec:LEVEL, shuffle, \
    bitshuffle:lz4, delta, packbits, crc32c, fletcher32, szip:ec:PIXELS, \
    blosc2:COMPRESSOR:LEVEL:SHUFFLE, zfp:accuracy:ERROR, joined by +, or JSON";

impl FromStr for Chain {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        match text {
            "none" => return Ok(Self::Of(Vec::new())),
            "keep" => return Ok(Self::Keep),
            "auto" => return Ok(Self::Auto),
            _ => {}
        }
        if text.starts_with(['[', '{']) {
            let parsed: Value = serde_json::from_str(text)
                .map_err(|error| Error::invalid(format!("codecs as JSON: {error}")))?;
            let links = match parsed {
                Value::Array(links) => links,
                link => vec![link],
            };
            return Ok(Self::Of(links.into_iter().map(ChainLink::Json).collect()));
        }
        let links = text.split('+').map(|link| {
            let mut parts = link.split(':').map(|part| part.trim().to_owned());
            let name = parts.next().unwrap_or_default();
            let link = ChainLink::Named { name, arguments: parts.collect() };
            // A name that is not known is told now, not at the first array.
            link.codec(&Stage::new(DType::Float32, None)).map(|_| link)
        });
        links.collect::<Result<_>>().map(Self::Of)
    }
}

impl ChainLink {
    /// The codec for the items of `stage`; `None` where it has no meaning for them.
    pub(crate) fn codec(&self, stage: &Stage) -> Result<Option<CodecSpec>> {
        match self {
            Self::Named { name, arguments } => Arguments { name, arguments }.codec(stage),
            Self::Json(value) => numcodecs::parse(&with_id(value), stage).map(Some),
        }
    }
}

/// A codec in the spelling of numcodecs, an `id` beside settings, where it is in that of Zarr v3.
fn with_id(value: &Value) -> Value {
    let Some(name) = value.get("name").and_then(Value::as_str) else { return value.clone() };
    let mut object = Map::new();
    object.insert("id".to_owned(), name.trim_start_matches("numcodecs.").into());
    for (key, setting) in
        value.get("configuration").and_then(Value::as_object).into_iter().flatten()
    {
        let setting = match (key.as_str(), setting.as_str()) {
            ("shuffle", Some("noshuffle")) => 0.into(),
            ("shuffle", Some("shuffle")) => 1.into(),
            ("shuffle", Some("bitshuffle")) => 2.into(),
            _ => setting.clone(),
        };
        object.insert(key.clone(), setting);
    }
    object.remove("typesize");
    Value::Object(object)
}

fn unknown(name: &str) -> Error {
    Error::invalid(format!("codec `{name}` is not known")).with_hint(format!("known: {SPELLINGS}"))
}

/// A name and what follows it.
struct Arguments<'a> {
    name: &'a str,
    arguments: &'a [String],
}

impl Arguments<'_> {
    fn expect_at_most(&self, n: usize) -> Result<()> {
        if self.arguments.len() <= n {
            return Ok(());
        }
        let (name, found) = (self.name, self.arguments.len());
        Err(Error::invalid(format!("codec `{name}`: expected at most {n} settings, found {found}")))
    }

    fn number<T>(&self, at: usize, default: T, (least, most): (T, T)) -> Result<T>
    where
        T: FromStr + PartialOrd + Copy + std::fmt::Display,
    {
        let Some(text) = self.arguments.get(at) else { return Ok(default) };
        let parsed = text.parse().ok().filter(|value| (least..=most).contains(value));
        parsed.ok_or_else(|| {
            let name = self.name;
            Error::invalid(format!("codec `{name}`: expected {least} to {most}, found `{text}`"))
        })
    }

    fn level(&self, default: u32, range: (u32, u32)) -> Result<u32> {
        self.expect_at_most(1)?;
        self.number(0, default, range)
    }

    fn plain(&self, codec: CodecSpec) -> Result<Option<CodecSpec>> {
        self.expect_at_most(0)?;
        Ok(Some(codec))
    }

    fn codec(&self, stage: &Stage) -> Result<Option<CodecSpec>> {
        let dtype = &stage.dtype;
        let item_size = dtype.item_size();
        let has_heap = dtype.has_heap();
        Ok(Some(match self.name {
            "zstd" => {
                self.expect_at_most(1)?;
                CodecSpec::Zstd { level: self.number(0, 3, (-131_072, 22))?, checksum: false }
            }
            "gzip" => CodecSpec::Gzip { level: self.level(5, (0, 9))? },
            "zlib" | "deflate" => CodecSpec::Zlib { level: self.level(5, (0, 9))? },
            "lz4" => {
                self.expect_at_most(1)?;
                CodecSpec::Lz4 { acceleration: self.number(0, 1, (1, 65_537))? }
            }
            "bz2" => CodecSpec::Bzip2 { level: self.level(9, (1, 9))? },
            "lzma" | "xz" => {
                let preset = Some(self.level(6, (0, 9))?);
                CodecSpec::Lzma(Lzma { format: 1, check: -1, preset, filters: None })
            }
            "pcodec" => {
                let level = self.level(8, (0, 12))?;
                CodecSpec::Pcodec(Pcodec { level, settings: serde_json::Map::new() })
            }
            "blosc" => CodecSpec::Blosc(self.blosc(item_size)?),
            "blosc2" => {
                let Blosc { compressor, level, shuffle, item_size, .. } = self.blosc(item_size)?;
                let values = Vec::new();
                CodecSpec::Blosc2(Blosc2 { compressor, level, shuffle, item_size, values })
            }
            "szip" => CodecSpec::Szip(self.szip(stage)?),
            "zfp" => CodecSpec::Zfp(self.zfp()?),
            "lzf" => return self.plain(CodecSpec::Lzf),
            "crc32c" => return self.plain(CodecSpec::Crc32c),
            "fletcher32" => return self.plain(CodecSpec::Fletcher32),
            "packbits" if *dtype == DType::Bool => {
                return self.plain(CodecSpec::PackBits(Default::default()));
            }
            // Neither means anything to single bytes and to what lies in a heap.
            "shuffle" | "bitshuffle" if has_heap || item_size == 0 => return Ok(None),
            "shuffle" if item_size == 1 => return Ok(None),
            "shuffle" => return self.plain(CodecSpec::Shuffle { item_size }),
            "bitshuffle" => CodecSpec::Bitshuffle(self.bitshuffle(item_size)?),
            "delta" | "packbits" => {
                self.expect_at_most(0)?;
                let number = StoredNumber { dtype: dtype.clone(), endian: Endian::NATIVE };
                let is_whole = self.name == "delta" && is_whole_number(dtype);
                let delta = CodecSpec::Delta { decoded: number.clone(), encoded: number };
                return Ok(is_whole.then_some(delta));
            }
            other => return Err(unknown(other)),
        }))
    }

    fn blosc(&self, item_size: usize) -> Result<Blosc> {
        self.expect_at_most(3)?;
        let name = self.arguments.first().map_or("lz4", String::as_str);
        let compressor = match name {
            "blosclz" => BloscCompressor::BloscLz,
            "lz4" => BloscCompressor::Lz4,
            "lz4hc" => BloscCompressor::Lz4Hc,
            "snappy" => BloscCompressor::Snappy,
            "zlib" => BloscCompressor::Zlib,
            "zstd" => BloscCompressor::Zstd,
            other => {
                return Err(Error::invalid(format!(
                    "codec `blosc`: expected blosclz, lz4, lz4hc, zlib or zstd, found `{other}`"
                )));
            }
        };
        let shuffle = match self.arguments.get(2).map_or("shuffle", String::as_str) {
            "noshuffle" | "none" => BloscShuffle::None,
            "shuffle" => BloscShuffle::Byte,
            "bitshuffle" => BloscShuffle::Bit,
            other => {
                return Err(Error::invalid(format!(
                    "codec `blosc`: expected noshuffle, shuffle or bitshuffle, found `{other}`"
                )));
            }
        };
        // Blosc's header has one byte for it; larger items count as bytes.
        let item_size = if (1..=255).contains(&item_size) { item_size } else { 1 };
        let level = self.number(1, 5, (0, 9))?;
        Ok(Blosc { compressor, level, shuffle, item_size, block_len_bytes: 0 })
    }

    fn szip(&self, stage: &Stage) -> Result<Szip> {
        self.expect_at_most(2)?;
        let options = match self.arguments.first().map_or("ec", String::as_str) {
            "ec" => 4,
            "nn" => 32,
            other => {
                let message = format!("codec `szip`: expected ec or nn, found `{other}`");
                return Err(Error::invalid(message));
            }
        };
        let pixels_per_block = self.number(1, 8, (2, 32))?;
        let szip = Szip { options, pixels_per_block, bits_per_pixel: 0, pixels_per_scanline: 0 };
        let chunk = stage.shape.as_deref().unwrap_or_default();
        Ok(szip::fitted(szip, stage.dtype.item_size(), chunk))
    }

    fn zfp(&self) -> Result<Zfp> {
        self.expect_at_most(2)?;
        let zfp = Zfp { mode: 5, tolerance: -1.0, rate: -1.0, precision: -1 };
        Ok(match self.arguments.first().map_or("reversible", String::as_str) {
            "reversible" => zfp,
            "accuracy" => {
                Zfp { mode: 4, tolerance: self.number(1, 0.001, (0.0, f64::MAX))?, ..zfp }
            }
            "precision" => Zfp { mode: 3, precision: self.number(1, 16, (1, 64))?, ..zfp },
            "rate" => Zfp { mode: 2, rate: self.number(1, 8.0, (0.0, 64.0))?, ..zfp },
            other => {
                return Err(Error::invalid(format!(
                    "codec `zfp`: expected reversible, accuracy, precision or rate, found `{other}`"
                )));
            }
        })
    }

    fn bitshuffle(&self, item_size: usize) -> Result<Bitshuffle> {
        self.expect_at_most(2)?;
        let compressor = match self.arguments.first().map_or("none", String::as_str) {
            "none" => BitshuffleCompressor::None,
            "lz4" => BitshuffleCompressor::Lz4,
            "zstd" => BitshuffleCompressor::Zstd { level: self.number(1, 3, (1, 22))? },
            other => {
                return Err(Error::invalid(format!(
                    "codec `bitshuffle`: expected none, lz4 or zstd, found `{other}`"
                )));
            }
        };
        Ok(Bitshuffle { item_size, block_len_items: 0, compressor })
    }
}

fn is_whole_number(dtype: &DType) -> bool {
    use DType::*;
    matches!(
        dtype,
        Int8 | Int16
            | Int32
            | Int64
            | UInt8
            | UInt16
            | UInt32
            | UInt64
            | DateTime(_)
            | TimeDelta(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codecs(text: &str, dtype: &DType) -> Result<Vec<CodecSpec>> {
        let Chain::Of(links) = text.parse()? else { panic!("a chain") };
        let codecs: Result<Vec<_>> =
            links.iter().map(|link| link.codec(&Stage::new(dtype.clone(), None))).collect();
        Ok(codecs?.into_iter().flatten().collect())
    }

    #[test]
    fn chains_are_fitted_to_their_items() {
        let both = |dtype| codecs("shuffle+gzip:6", dtype).unwrap();
        assert_eq!(
            both(&DType::Int32),
            [CodecSpec::Shuffle { item_size: 4 }, CodecSpec::Gzip { level: 6 }]
        );
        assert_eq!(both(&DType::UInt8), [CodecSpec::Gzip { level: 6 }]);
        assert_eq!(both(&DType::string()), [CodecSpec::Gzip { level: 6 }]);
        assert_eq!(codecs("delta+zstd", &DType::Int16).unwrap().len(), 2);
        assert_eq!(codecs("delta+zstd", &DType::Float64).unwrap().len(), 1);
        assert!(codecs("none", &DType::Bool).unwrap().is_empty());
        let blosc = codecs("blosc:zstd:7:bitshuffle", &DType::Float64).unwrap();
        assert!(matches!(&blosc[..], [CodecSpec::Blosc(blosc)] if blosc.item_size == 8));
        assert_eq!("keep".parse::<Chain>().unwrap(), Chain::Keep);
        let json = r#"[{"id": "shuffle", "elementsize": 2}, {"id": "zlib", "level": 3}]"#;
        assert_eq!(
            codecs(json, &DType::Int16).unwrap(),
            [CodecSpec::Shuffle { item_size: 2 }, CodecSpec::Zlib { level: 3 }]
        );
    }

    #[test]
    fn codecs_are_fitted_to_chunks() {
        let of = |text: &str| {
            let Chain::Of(links) = text.parse()? else { panic!("no chain") };
            links[0].codec(&Stage::new(DType::Int16, Some(vec![10, 100])))
        };
        let szip = |options, pixels_per_block| {
            let (bits_per_pixel, pixels_per_scanline) = (16, 100);
            Szip { options, pixels_per_block, bits_per_pixel, pixels_per_scanline }
        };
        assert_eq!(of("szip").unwrap(), Some(CodecSpec::Szip(szip(4, 8))));
        assert_eq!(of("szip:nn:16").unwrap(), Some(CodecSpec::Szip(szip(32, 16))));
        assert!(of("szip:fast").is_err());
        let Some(CodecSpec::Blosc2(blosc)) = of("blosc2:zstd:3").unwrap() else { panic!() };
        assert_eq!((blosc.compressor, blosc.level), (BloscCompressor::Zstd, 3));
        let zfp = Zfp { mode: 4, tolerance: 0.5, rate: -1.0, precision: -1 };
        assert_eq!(of("zfp:accuracy:0.5").unwrap(), Some(CodecSpec::Zfp(zfp)));
        assert!(of("zfp:rate:none").is_err());
    }

    #[test]
    fn what_is_no_codec_is_told() {
        let message = |text: &str| codecs(text, &DType::Int16).unwrap_err().to_string();
        insta::assert_snapshot!(message("zstdd:3"), @"codec `zstdd` is not known");
        insta::assert_snapshot!(message("gzip:11"), @"codec `gzip`: expected 0 to 9, found `11`");
        insta::assert_snapshot!(message("gzip:1:2"), @"codec `gzip`: expected at most 1 settings, found 2");
        insta::assert_snapshot!(message("blosc:zzz"), @"codec `blosc`: expected blosclz, lz4, lz4hc, zlib or zstd, found `zzz`");
        insta::assert_snapshot!(message("[{]"), @"codecs as JSON: key must be a string at line 1 column 3");
        insta::assert_snapshot!(message(r#"[{"id": "magic"}]"#), @"codec `magic` is not known");
    }
}
