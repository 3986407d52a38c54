//! Arrays of the plain forms: numbers and text in chunks found by a B-tree of version 1, and text in
//! one piece (sections IV.A.2.b, f, i and l).

use stook_core::DType;
use stook_core::dtype::Charset;

use super::attribute::{Space, names_of, plain_type, space};
use super::bytes::{Bytes, UNDEFINED};
use super::header::{Header, kind};
use crate::ffi::Filter;

/// Filters that chunks may have here: deflate, shuffle, Fletcher's checksum.
const PLAIN_FILTERS: std::ops::RangeInclusive<u16> = 1..=3;
/// More filters are in no pipeline.
const MAX_FILTERS: u8 = 32;
/// Numbers of text lead to it: length, heap and place in that.
pub(crate) const TEXT_LEN: usize = 16;
/// Attributes of arrays with dimension scales, and of those.
const SCALES: [&[u8]; 3] = [b"DIMENSION_LIST", b"DIMENSION_LABELS", b"CLASS"];

/// Where the elements of an array lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In chunks of this shape, which the tree at this address lists, if there is one yet.
    Chunks { shape: Vec<u64>, tree: Option<u64> },
    /// In one piece, from this address on, if anything is stored.
    Whole { address: Option<u64> },
}

/// What elements are that were never written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    Undefined,
    Zero,
    Item(Vec<u8>),
}

/// What the header of an array says.
#[derive(Clone, Debug)]
pub(crate) struct Dataset {
    /// Numbers, or text of any length, whose items in the file have [`TEXT_LEN`] bytes.
    pub(crate) dtype: DType,
    pub(crate) shape: Vec<u64>,
    pub(crate) max_shape: Vec<Option<u64>>,
    pub(crate) place: Place,
    pub(crate) filters: Vec<Filter>,
    pub(crate) fill: Fill,
}

impl Dataset {
    /// What `header` says, where all of it is understood.
    pub(super) fn parse(header: &Header) -> Option<Self> {
        if cfg!(target_endian = "big") || header.find(kind::EXTERNAL_FILES).is_some() {
            return None;
        }
        // The names of axes are read from several attributes, and other nodes.
        if names_of(header)?.iter().any(|name| SCALES.contains(name)) {
            return None;
        }
        let dtype = plain_type(header.find(kind::DATATYPE)?.data()?)?;
        let Space { shape, max_shape } = space(header.find(kind::DATASPACE)?.data()?)??;
        let is_text = matches!(dtype, DType::String(Charset::Ascii | Charset::Utf8));
        let len_stored = if is_text { TEXT_LEN } else { dtype.item_size() };
        let place = place(header.find(kind::LAYOUT)?.data()?, shape.len(), len_stored)?;
        // Numbers in one piece are mapped, and read in parts: that is another way.
        if !is_text && matches!(place, Place::Whole { .. }) {
            return None;
        }
        let filters = match header.find(kind::FILTERS) {
            Some(message) => filters(message.data()?)?,
            None => Vec::new(),
        };
        let fill = fill(header.find(kind::FILL_VALUE)?.data()?)?;
        match &fill {
            Fill::Item(item) if is_text || item.len() != len_stored => return None,
            _ => {}
        }
        Some(Self { dtype, shape, max_shape, place, filters, fill })
    }

    /// Whether items are text of any length.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self.dtype, DType::String(_))
    }
}

/// A layout message, of version 3.
fn place(mut message: Bytes<'_>, rank: usize, len_stored: usize) -> Option<Place> {
    const CONTIGUOUS: u8 = 1;
    const CHUNKED: u8 = 2;
    let (version, class) = (message.u8()?, message.u8()?);
    let known = |address: u64| (address != UNDEFINED).then_some(address);
    match (version, class) {
        (3, CONTIGUOUS) => Some(Place::Whole { address: known(message.u64()?) }),
        (3, CHUNKED) => {
            if usize::from(message.u8()?) != rank.checked_add(1)? || rank == 0 {
                return None;
            }
            let tree = known(message.u64()?);
            let shape = (0..rank).map(|_| message.u32().filter(|&len| len > 0).map(u64::from));
            let shape = shape.collect::<Option<Vec<_>>>()?;
            let is_whole = usize::try_from(message.u32()?).ok()? == len_stored;
            is_whole.then_some(Place::Chunks { shape, tree })
        }
        _ => None,
    }
}

/// A filter pipeline message.
fn filters(mut message: Bytes<'_>) -> Option<Vec<Filter>> {
    const OPTIONAL: u16 = 1;
    let (version, n) = (message.u8()?, message.u8()?);
    if n > MAX_FILTERS || !(1..=2).contains(&version) {
        return None;
    }
    message.take(if version == 1 { 6 } else { 0 })?;
    let mut filters = Vec::new();
    for _ in 0..n {
        let id = message.u16()?;
        if !PLAIN_FILTERS.contains(&id) {
            return None;
        }
        // Version 2 has no names of the filters that everybody knows.
        let len_name = if version == 1 { message.u16()? } else { 0 };
        let (flags, n_values) = (message.u16()?, message.u16()?);
        message.take(usize::from(len_name).next_multiple_of(8))?;
        let values = (0..n_values).map(|_| message.u32()).collect::<Option<Vec<_>>>()?;
        message.take(if version == 1 && n_values % 2 == 1 { 4 } else { 0 })?;
        let is_optional = flags & OPTIONAL != 0;
        filters.push(Filter { id: i32::from(id), is_optional, values, name: String::new() });
    }
    Some(filters)
}

/// A fill value message.
fn fill(mut message: Bytes<'_>) -> Option<Fill> {
    const NEVER: u8 = 1;
    let version = message.u8()?;
    let (time, len) = match version {
        1 | 2 => {
            let (_allocated, time, is_defined) = (message.u8()?, message.u8()?, message.u8()?);
            let len = if version == 1 || is_defined != 0 { Some(message.u32()?) } else { None };
            (time, len.filter(|&len| len.cast_signed() >= 0))
        }
        3 => {
            let flags = message.u8()?;
            let len = match (flags & 0x10 != 0, flags & 0x20 != 0) {
                (true, _) => None,
                (false, true) => Some(message.u32()?),
                (false, false) => Some(0),
            };
            (flags >> 2 & 3, len)
        }
        _ => return None,
    };
    Some(match len {
        _ if time == NEVER => Fill::Undefined,
        None => Fill::Undefined,
        Some(0) => Fill::Zero,
        Some(len) => Fill::Item(message.take(usize::try_from(len).ok()?)?.to_vec()),
    })
}
