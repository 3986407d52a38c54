//! `pcodec`: numbers compressed by pco, in the standalone form that numcodecs writes.

use std::sync::Arc;

use pco::standalone::{simple_compress, simple_decompress_into};
use pco::{ChunkConfig, DeltaSpec, ModeSpec, PagingSpec};
use serde_json::{Map, Value};

use super::elements;
use super::number::{Kind, is_time, not_whole, with_arithmetic};
use crate::codec::{
    Codec, Endian, Pcodec, Scratch, Stage, check_level, generous_bound, longer_than,
};
use crate::element::Element;
use crate::error::{Error, Result};

const NAME: &str = "pcodec";
const MAX_LEVEL: u32 = 12;
/// numcodecs' numbers of a page.
const PAGE_ITEMS: u64 = 1 << 18;
/// More bytes than a page needs before its numbers.
const PAGE_HEADER_LEN: usize = 64;

#[derive(Debug)]
struct PcodecOf {
    config: ChunkConfig,
    page_items: usize,
    kind: Kind,
}

/// # Errors
/// `Unsupported` for what pco does not compress, `InvalidInput` for settings out of range.
pub(super) fn new(config: &Pcodec, stage: &Stage) -> Result<Arc<dyn Codec>> {
    let kind = Kind::of(&stage.dtype)
        .filter(|kind| *kind != Kind::Bool)
        .ok_or_else(|| Error::unsupported(format!("{NAME}: items of type {}", stage.dtype)))?;
    if stage.endian != Endian::NATIVE && kind.size() > 1 && !is_time(&stage.dtype) {
        let dtype = &stage.dtype;
        return Err(Error::unsupported(format!("{NAME}: {dtype} in another byte order")));
    }
    check_level(NAME, config.level, MAX_LEVEL)?;
    let page_items = page_items(&config.settings)?;
    let config = ChunkConfig::default()
        .with_compression_level(usize::try_from(config.level).unwrap_or(0))
        .with_mode_spec(mode(&config.settings)?)
        .with_delta_spec(delta(&config.settings)?)
        .with_paging_spec(PagingSpec::EqualPagesUpTo(page_items))
        .with_enable_8_bit(true);
    Ok(Arc::new(PcodecOf { config, page_items, kind }))
}

fn text<'s>(settings: &'s Map<String, Value>, name: &str, default: &'s str) -> Result<&'s str> {
    match settings.get(name) {
        None | Some(Value::Null) => Ok(default),
        Some(Value::String(text)) => Ok(text),
        Some(other) => {
            Err(Error::invalid(format!("{NAME}: expected text in `{name}`, found {other}")))
        }
    }
}

fn integer(settings: &Map<String, Value>, name: &str) -> Result<Option<u64>> {
    match settings.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| {
            Error::invalid(format!("{NAME}: expected a number in `{name}`, found {value}"))
        }),
    }
}

fn mode(settings: &Map<String, Value>) -> Result<ModeSpec> {
    match text(settings, "mode_spec", "auto")? {
        "auto" => Ok(ModeSpec::Auto),
        "classic" => Ok(ModeSpec::Classic),
        other => Err(Error::unsupported(format!("{NAME}: `mode_spec` {other:?}"))),
    }
}

/// An order of differences beside `auto` is how older versions asked for them.
fn delta(settings: &Map<String, Value>) -> Result<DeltaSpec> {
    const MAX_ORDER: u64 = 7;
    let order = integer(settings, "delta_encoding_order")?;
    let consecutive = |order: u64| match usize::try_from(order) {
        Ok(n) if order <= MAX_ORDER => Ok(DeltaSpec::TryConsecutive(n)),
        _ => Err(Error::invalid(format!(
            "{NAME}: expected a `delta_encoding_order` of 0 to {MAX_ORDER}, found {order}"
        ))),
    };
    match (text(settings, "delta_spec", "auto")?, order) {
        ("auto" | "try_consecutive", Some(order)) => consecutive(order),
        ("auto", None) => Ok(DeltaSpec::Auto),
        ("none", None) => Ok(DeltaSpec::NoOp),
        ("try_lookback", None) => Ok(DeltaSpec::TryLookback),
        ("try_consecutive", None) => {
            Err(Error::invalid(format!("{NAME}: expected a `delta_encoding_order`, found none")))
        }
        ("none" | "try_lookback", Some(_)) => Err(Error::invalid(format!(
            "{NAME}: a `delta_encoding_order` needs a `delta_spec` of \"try_consecutive\""
        ))),
        (other, _) => Err(Error::unsupported(format!("{NAME}: `delta_spec` {other:?}"))),
    }
}

fn page_items(settings: &Map<String, Value>) -> Result<usize> {
    let paging = text(settings, "paging_spec", "equal_pages_up_to")?;
    if paging != "equal_pages_up_to" {
        return Err(Error::unsupported(format!("{NAME}: `paging_spec` {paging:?}")));
    }
    let n = integer(settings, "equal_pages_up_to")?.unwrap_or(PAGE_ITEMS);
    usize::try_from(n).ok().filter(|&n| n > 0).ok_or_else(|| {
        Error::invalid(format!("{NAME}: expected at least 1 in `equal_pages_up_to`, found {n}"))
    })
}

/// `$body` with the Rust type `$T` of a [`Kind`] that pco knows.
macro_rules! with_compressed {
    ($kind:expr, $T:ident => $body:expr) => {
        with_arithmetic!($kind, $T => $body, {
            type $T = u8;
            $body
        })
    };
}

impl PcodecOf {
    fn compress<T: Element + pco::data_types::Number>(
        &self,
        raw: &[u8],
        scratch: &mut Scratch,
    ) -> Result<Vec<u8>> {
        elements::read(raw, scratch, |numbers: &[T]| {
            simple_compress(numbers, &self.config)
                .map_err(|error| Error::invalid(format!("{NAME}: numbers")).with_source(error))
        })
    }

    fn decompress<T: Element + pco::data_types::Number>(
        encoded: &[u8],
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<usize> {
        let room = out.len();
        elements::write(out, scratch, |numbers: &mut [T]| {
            let progress = simple_decompress_into(encoded, numbers)
                .map_err(|error| Error::corrupt(format!("{NAME}: {error}")))?;
            if !progress.finished {
                return Err(longer_than(NAME, room));
            }
            Ok(progress.n_processed)
        })
    }
}

impl Codec for PcodecOf {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        let n_pages = (raw_len / self.kind.size()).div_ceil(self.page_items);
        generous_bound(raw_len).saturating_add(n_pages.saturating_mul(PAGE_HEADER_LEN))
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, scratch: &mut Scratch) -> Result<()> {
        let size = self.kind.size();
        if !raw.len().is_multiple_of(size) {
            return Err(Error::invalid(not_whole(NAME, size, raw.len())));
        }
        out.extend(with_compressed!(self.kind, T => self.compress::<T>(raw, scratch))?);
        Ok(())
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], scratch: &mut Scratch) -> Result<usize> {
        with_compressed!(self.kind, T => Self::decompress::<T>(encoded, out, scratch))
    }
}
