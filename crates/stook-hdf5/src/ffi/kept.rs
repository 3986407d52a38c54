//! Types that the core has no word for, kept in the tag of opaque bytes.
//!
//! The tag is the class and what `H5Tencode` makes of the type, in hexadecimal digits, so that the
//! same type is made where such bytes are written. Only types of a fixed size without addresses
//! or references in them come back from a tag, whatever a file says.

use std::fmt::Write as _;
use std::ptr;

use hdf5_metno_sys::h5t::{H5Tdecode2, H5Tencode};

use super::{Class, Datatype, Id, Result, call};

/// The most bytes that the library takes for a tag, without the closing null.
const MAX_TAG_LEN: usize = 255;

impl Datatype {
    /// A tag from which [`Datatype::kept`] makes this type again; `class` alone if that would be
    /// too long.
    pub(crate) fn tag_of(&self, class: &str) -> String {
        self.encoded()
            .ok()
            .filter(|encoded| class.len() + 1 + 2 * encoded.len() <= MAX_TAG_LEN)
            .map_or_else(
                || class.to_owned(),
                |encoded| {
                    encoded.iter().fold(format!("{class} "), |mut tag, byte| {
                        // Writing to a string does not fail.
                        let _ = write!(tag, "{byte:02x}");
                        tag
                    })
                },
            )
    }

    /// The type as a message of an object header.
    pub(crate) fn message(&self) -> Result<Vec<u8>> {
        // The number of messages that are types, and a version of the encoding.
        const PREFIX: [u8; 2] = [3, 0];
        let encoded = self.encoded()?;
        match encoded.strip_prefix(&PREFIX) {
            Some(message) if !message.is_empty() => Ok(message.to_vec()),
            _ => Err(super::Failure::new("encode type", "the encoding is of no known version")),
        }
    }

    fn encoded(&self) -> Result<Vec<u8>> {
        let mut len = 0_usize;
        call!("encode type", H5Tencode(self.id().raw(), ptr::null_mut(), &raw mut len))?;
        let mut encoded = vec![0_u8; len.min(MAX_TAG_LEN)];
        let mut room = encoded.len();
        // The library writes nothing where there is too little room, and says what it needs.
        let to = encoded.as_mut_ptr().cast();
        call!("encode type", H5Tencode(self.id().raw(), to, &raw mut room))?;
        encoded.truncate(if room == len { len } else { MAX_TAG_LEN });
        Ok(encoded)
    }

    /// The type that a tag keeps, if it keeps one of `size` bytes.
    pub(crate) fn kept(tag: &str, size: usize) -> Option<Self> {
        let (class, digits) = tag.split_once(' ')?;
        if !class.starts_with("H5T_") || digits.len() % 2 != 0 || tag.len() > MAX_TAG_LEN {
            return None;
        }
        let encoded: Vec<u8> = digits
            .as_bytes()
            .chunks_exact(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect::<Option<_>>()?;
        let (from, len) = (encoded.as_ptr().cast(), encoded.len());
        let id = call!("decode type", H5Tdecode2(from, len)).ok()?;
        let datatype = Self::owned(Id::owned(id));
        let is_plain = matches!(
            datatype.class(),
            Class::Integer | Class::Float | Class::Time | Class::Bitfield | Class::Enum
        );
        (is_plain && datatype.size() == size).then_some(datatype)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::FloatLayout;

    #[test]
    fn a_type_comes_back_from_its_tag() {
        let float = Datatype::float(&FloatLayout::F64, true).unwrap();
        let tag = float.tag_of("H5T_FLOAT");
        assert!(tag.starts_with("H5T_FLOAT "), "{tag}");
        let kept = Datatype::kept(&tag, 8).unwrap();
        assert_eq!(kept.float_layout().unwrap(), FloatLayout::F64);
        assert!(Datatype::kept(&tag, 4).is_none());
    }

    #[test]
    fn what_keeps_no_plain_type_is_no_type() {
        for tag in ["", "a tag", "H5T_TIME", "H5T_TIME 0", "H5T_TIME zz", "H5T_TIME 0300"] {
            assert!(Datatype::kept(tag, 4).is_none(), "{tag}");
        }
        let text = Datatype::string(None, true, crate::ffi::StringPadding::NullTerminated).unwrap();
        let tag = text.tag_of("H5T_STRING");
        assert!(Datatype::kept(&tag, text.size()).is_none(), "{tag}");
    }
}
