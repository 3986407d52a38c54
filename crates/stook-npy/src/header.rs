//! The header of an npy file: docs/formats/npy.md.

use std::fmt::Write;

use stook_core::codec::{Endian, MemberOrder};
use stook_core::{ArraySpec, CodecSpec, DType, Error, Limits, Result};

use crate::descr::{Described, Order, describe, for_each_big, is_object, parse, parse_shape};
use crate::literal::Literal;

pub(crate) const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Magic, version, and the longest length of the header.
pub(crate) const PREFIX_LEN: usize = 12;
/// Data begins at a multiple of this.
const ALIGN: usize = 64;
/// The decimal digits of the longest length that numpy leaves room for.
const GROWTH_DIGITS: usize = 21;

/// What the header says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Header {
    descr: Literal,
    described: Described,
    /// Whether the first axis varies fastest.
    is_fortran: bool,
    pub(crate) shape: Vec<u64>,
}

impl Header {
    /// The header of an array that [`adapt`](crate::adapt) found to fit.
    pub(crate) fn from_spec(spec: &ArraySpec) -> Result<Self> {
        let mut endian = Endian::NATIVE;
        let mut is_transposed = false;
        for codec in &spec.codecs {
            match codec {
                CodecSpec::ByteOrder(order) => endian = *order,
                CodecSpec::Transpose { .. } => is_transposed = true,
                _ => {}
            }
        }
        let shape = spec.shape().to_vec();
        // An array that is contiguous in both orders is written in C order.
        let is_both = shape.iter().filter(|&&len| len != 1).count() < 2 || shape.contains(&0);
        let order = if spec.dtype.has_byte_order() { Order::All(endian) } else { Order::None };
        Ok(Self {
            descr: describe(&spec.dtype, endian)?,
            described: Described { dtype: spec.dtype.clone(), order },
            is_fortran: is_transposed && !is_both,
            shape,
        })
    }

    /// The header of an array of objects.
    pub(crate) fn of_objects(shape: Vec<u64>) -> Self {
        Self { descr: Literal::str("|O"), described: described_object(), is_fortran: false, shape }
    }

    /// Whether a pickle of objects follows, and no items.
    pub(crate) fn is_object(&self) -> bool {
        is_object(&self.descr)
    }

    /// Reads a header from a file of `file_len` bytes; returns it and where the data begins.
    pub(crate) fn read(
        file_len: u64,
        limits: &Limits,
        read: &mut dyn FnMut(u64, &mut [u8]) -> Result<()>,
    ) -> Result<(Self, u64)> {
        let mut prefix = [0; PREFIX_LEN];
        let len = PREFIX_LEN.min(usize::try_from(file_len).unwrap_or(PREFIX_LEN));
        read(0, prefix.get_mut(..len).unwrap_or_default())?;
        let [m @ .., major, minor, a, b, c, d] = prefix;
        if m != *MAGIC || len < PREFIX_LEN {
            return Err(Error::corrupt("expected an npy file, found something else"));
        }
        let (start, header_len) = match (major, minor) {
            (1, 0) => (10_u64, u64::from(u16::from_le_bytes([a, b]))),
            (2 | 3, 0) => (12, u64::from(u32::from_le_bytes([a, b, c, d]))),
            _ => {
                return Err(Error::unsupported(format!(
                    "npy version {major}.{minor} is not supported"
                )));
            }
        };
        if start + header_len > file_len {
            return Err(Error::corrupt(format!(
                "npy header: expected {header_len} bytes, found {}",
                file_len - start.min(file_len)
            )));
        }
        let mut bytes = vec![0; limits.metadata(header_len)?];
        read(start, &mut bytes)?;
        let text = if major == 3 {
            let not_text = |error| Error::corrupt("npy header is not UTF-8").with_source(error);
            String::from_utf8(bytes).map_err(not_text)?
        } else {
            bytes.iter().map(|&byte| char::from(byte)).collect()
        };
        Ok((Self::parse(&text)?, start + header_len))
    }

    fn parse(text: &str) -> Result<Self> {
        let Literal::Dict(pairs) = Literal::parse(text)? else {
            return Err(Error::corrupt("npy header: expected a dictionary"));
        };
        let [mut descr, mut fortran, mut shape] = [None, None, None];
        for (key, value) in pairs {
            let Literal::Str(name) = &key else {
                return Err(Error::corrupt(format!("npy header: unexpected key {key}")));
            };
            match name.as_str() {
                "descr" => descr = Some(value),
                "fortran_order" => fortran = Some(value),
                "shape" => shape = Some(value),
                _ => return Err(Error::corrupt(format!("npy header: unexpected key {key}"))),
            }
        }
        let missing = |name: &str| Error::corrupt(format!("npy header: `{name}` is missing"));
        let descr = descr.ok_or_else(|| missing("descr"))?;
        let is_fortran = match fortran.ok_or_else(|| missing("fortran_order"))? {
            Literal::Bool(value) => value,
            found => {
                return Err(Error::corrupt(format!(
                    "npy header: `fortran_order`: expected True or False, found {found}"
                )));
            }
        };
        let shape = parse_shape(&shape.ok_or_else(|| missing("shape"))?)?;
        let described = if is_object(&descr) { described_object() } else { parse(&descr)? };
        Ok(Self { described, descr, is_fortran, shape })
    }

    /// The bytes of a new file up to its data, as `numpy.save` writes them.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut text = self.text();
        if let Some(len) = self.growth_axis().and_then(|axis| self.shape.get(axis)) {
            let n_digits = len.checked_ilog10().map_or(1, |digits| digits as usize + 1);
            text.push_str(&" ".repeat(GROWTH_DIGITS - n_digits));
        }
        let latin1 = encode_latin1(&text);
        let is_latin1 = latin1.is_some();
        let bytes = latin1.unwrap_or_else(|| text.into_bytes());
        let len = |prefix: usize| {
            let used = prefix + bytes.len() + 1;
            used + ALIGN - used % ALIGN
        };
        let mut out = MAGIC.to_vec();
        let short = u16::try_from(len(10) - 10);
        let total = match (short, is_latin1) {
            (Ok(header_len), true) => {
                out.extend_from_slice(&[1, 0]);
                out.extend_from_slice(&header_len.to_le_bytes());
                len(10)
            }
            _ => {
                let header_len = u32::try_from(len(12) - 12)
                    .map_err(|_| Error::limit("npy header over 4 GiB"))?;
                out.extend_from_slice(&[if is_latin1 { 2 } else { 3 }, 0]);
                out.extend_from_slice(&header_len.to_le_bytes());
                len(12)
            }
        };
        out.extend_from_slice(&bytes);
        out.resize(total - 1, b' ');
        out.push(b'\n');
        Ok(out)
    }

    /// The header for the bytes between the prefix of `old` and its data, if it fits there.
    pub(crate) fn to_fit(&self, old: &[u8]) -> Option<Vec<u8>> {
        let text = self.text();
        let start = if old.get(6) == Some(&1) { 10 } else { 12 };
        let is_utf8 = old.get(6) == Some(&3);
        let bytes = if is_utf8 { Some(text.into_bytes()) } else { encode_latin1(&text) }?;
        let mut out = old.to_vec();
        let room = out.get_mut(start..)?;
        let (text_room, rest) = room.split_at_mut_checked(bytes.len())?;
        let (last, padding) = rest.split_last_mut()?;
        text_room.copy_from_slice(&bytes);
        padding.fill(b' ');
        *last = b'\n';
        Some(out)
    }

    fn text(&self) -> String {
        let shape = Literal::Tuple(self.shape.iter().map(|&len| Literal::Int(len)).collect());
        let is_fortran = Literal::Bool(self.is_fortran);
        let mut text = String::new();
        // The spelling is numpy's own, the comma and space at the end included.
        let _ = write!(
            text,
            "{{'descr': {}, 'fortran_order': {is_fortran}, 'shape': {shape}, }}",
            self.descr
        );
        text
    }

    /// The axis along which the array can grow at the end of its file.
    pub(crate) fn growth_axis(&self) -> Option<usize> {
        let last = self.shape.len().checked_sub(1)?;
        Some(if self.is_fortran { last } else { 0 })
    }

    /// The bytes of all items.
    pub(crate) fn data_len(&self) -> Result<u64> {
        data_len(&self.described.dtype, &self.shape)
    }

    /// The array; its elements lie in one piece.
    pub(crate) fn to_spec(&self) -> ArraySpec {
        let dtype = self.described.dtype.clone();
        let mut codecs = Vec::new();
        if self.is_fortran && self.shape.len() > 1 {
            codecs.push(CodecSpec::Transpose { order: (0..self.shape.len()).rev().collect() });
        }
        let mut is_contiguous = true;
        match self.described.order {
            Order::None => {}
            Order::All(endian) => codecs.push(CodecSpec::ByteOrder(endian)),
            Order::Mixed => {
                // Decoded as one chunk: the order of each member is a codec of its own.
                is_contiguous = false;
                codecs.push(CodecSpec::ByteOrder(Endian::Little));
                let mut big = Vec::new();
                for_each_big(&self.descr, 0, &mut |offset, dtype| big.push((offset, dtype)));
                codecs.push(MemberOrder::new(dtype.item_size(), big).into_spec());
            }
        }
        let mut spec = ArraySpec::new(dtype, self.shape.clone());
        spec.codecs = codecs;
        spec.contiguous = is_contiguous;
        spec.max_shape = Some(self.max_shape());
        spec
    }

    fn max_shape(&self) -> Vec<Option<u64>> {
        let growth = self.growth_axis();
        let lengths = self.shape.iter().enumerate();
        lengths.map(|(axis, &len)| (Some(axis) != growth).then_some(len)).collect()
    }
}

/// What stands for the dtype of objects, which only their pickle tells.
fn described_object() -> Described {
    Described { dtype: DType::opaque(size_of::<u64>()), order: Order::None }
}

/// The bytes of `shape` items, as a file has them.
pub(crate) fn data_len(dtype: &DType, shape: &[u64]) -> Result<u64> {
    let n = shape.iter().try_fold(dtype.item_size() as u64, |n, &len| n.checked_mul(len));
    n.ok_or_else(|| Error::limit(format!("shape {shape:?} of {dtype} overflows")))
}

fn encode_latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use stook_core::ErrorKind;

    fn read(bytes: &[u8]) -> Result<(Header, u64)> {
        let mut read = |at: u64, out: &mut [u8]| {
            let at = usize::try_from(at).unwrap();
            out.copy_from_slice(&bytes[at..at + out.len()]);
            Ok(())
        };
        Header::read(bytes.len() as u64, &Limits::default(), &mut read)
    }

    #[test]
    fn headers_are_those_of_numpy() {
        let spec = ArraySpec::new(DType::Float64, [3, 4]);
        let bytes = Header::from_spec(&spec).unwrap().to_bytes().unwrap();
        assert_eq!(bytes.len(), 128);
        let text = "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }";
        assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00v\x00");
        assert_eq!(&bytes[10..10 + text.len()], text.as_bytes());
        assert!(bytes[10 + text.len()..127].iter().all(|&byte| byte == b' '));
        assert_eq!(bytes[127], b'\n');
        let (header, start) = read(&bytes).unwrap();
        assert_eq!((header.shape.as_slice(), start), ([3, 4].as_slice(), 128));
    }

    #[test]
    fn long_and_unicode_headers_have_later_versions() {
        let members = |name: &str, n: usize| {
            let members = (0..n).map(|i| (format!("{name}{i}"), DType::Int32));
            let r#struct = stook_core::dtype::StructType::packed(members).unwrap();
            ArraySpec::new(DType::Struct(std::sync::Arc::new(r#struct)), [2])
        };
        for (spec, version) in [(members("é", 1), 1), (members("f", 6000), 2), (members("λ", 1), 3)]
        {
            let header = Header::from_spec(&spec).unwrap();
            let bytes = header.to_bytes().unwrap();
            assert_eq!((bytes[6], bytes.len() % 64), (version, 0));
            assert_eq!(read(&bytes).unwrap(), (header, bytes.len() as u64));
        }
    }

    #[test]
    fn a_header_grows_into_its_padding() {
        let mut header = Header::from_spec(&ArraySpec::new(DType::Int8, [9])).unwrap();
        let old = header.to_bytes().unwrap();
        header.shape = vec![u64::MAX];
        let new = header.to_fit(&old).unwrap();
        assert_eq!(new.len(), old.len());
        assert_eq!(read(&new).unwrap().0, header);
        let tight =
            b"\x93NUMPY\x01\x00\x38\x00{'descr': '|i1', 'fortran_order': False, 'shape': (9,)}";
        assert_eq!(header.to_fit(tight), None);
    }

    #[test]
    fn broken_headers_are_corrupt() {
        let wrap = |text: &str| {
            let len = u16::try_from(text.len()).unwrap().to_le_bytes();
            [MAGIC.as_slice(), &[1, 0], &len, text.as_bytes(), b"    "].concat()
        };
        for text in [
            "[]",
            "{'descr': '<f8', 'fortran_order': False}",
            "{'descr': '<f8', 'fortran_order': 0, 'shape': ()}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': 3}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': ('a',)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (), 'x': 1}",
            "{1: '<f8', 'fortran_order': False, 'shape': ()}",
        ] {
            assert_eq!(read(&wrap(text)).unwrap_err().kind(), ErrorKind::Corrupt, "{text}");
        }
        let version = b"\x93NUMPY\x04\x00\x00\x00\x00\x00";
        assert_eq!(read(version).unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(read(b"\x93NUMPY\x01\x00\x00").unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
