//! The records of an archive, as bytes: docs/formats/zip.md draws them.

use crate::error::{Error, Result};

pub(super) const LOCAL_SIGNATURE: u32 = 0x0403_4b50;
pub(super) const CENTRAL_SIGNATURE: u32 = 0x0201_4b50;
pub(super) const END_SIGNATURE: u32 = 0x0605_4b50;
pub(super) const END64_SIGNATURE: u32 = 0x0606_4b50;
pub(super) const LOCATOR64_SIGNATURE: u32 = 0x0706_4b50;

pub(super) const LOCAL_LEN: usize = 30;
pub(super) const CENTRAL_LEN: usize = 46;
pub(super) const END_LEN: usize = 22;
pub(super) const END64_LEN: usize = 56;
pub(super) const LOCATOR64_LEN: usize = 20;

/// General purpose bit 0: the data is encrypted.
pub(super) const FLAG_ENCRYPTED: u16 = 1;
/// General purpose bit 11: the name is UTF-8.
pub(super) const FLAG_UTF8: u16 = 1 << 11;

pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;
pub(super) const ZSTD: u16 = 93;

/// The extra field that holds what does not fit 32 bits.
const ZIP64_EXTRA: u16 = 1;
const VERSION: u16 = 20;
const VERSION_ZIP64: u16 = 45;
/// 1980-01-01, the first day of this format: archives depend on nothing but their contents.
const DOS_DATE: u16 = 0x21;
/// A regular file, `rw-r--r--`, in the upper half as Unix has it.
const ATTRIBUTES: u32 = 0o100_644 << 16;
/// A folder, `rwxr-xr-x`, and as DOS marks it.
const FOLDER_ATTRIBUTES: u32 = 0o040_755 << 16 | 0x10;
const MADE_BY_UNIX: u16 = 3 << 8;

/// Little-endian numbers from the front of a slice; `None` past its end.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }
}

/// What the central directory says of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Central {
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc32: u32,
    pub(super) compressed_len: u64,
    pub(super) len: u64,
    pub(super) offset: u64,
}

impl Central {
    /// The entry and its name's bytes at the front of `bytes`; `None` if they are cut short.
    pub(super) fn parse<'a>(bytes: &mut Reader<'a>) -> Result<Option<(Self, &'a [u8])>> {
        let mut head = match bytes.take(CENTRAL_LEN) {
            Some(head) => Reader(head),
            None => return Ok(None),
        };
        let fields = (|| {
            let signature = head.u32()?;
            head.take(4)?;
            let (flags, method) = (head.u16()?, head.u16()?);
            head.take(4)?;
            let (crc32, compressed_len, len) = (head.u32()?, head.u32()?, head.u32()?);
            let lengths = [head.u16()?, head.u16()?, head.u16()?].map(usize::from);
            let disk = head.u16()?;
            head.take(6)?;
            let offset = head.u32()?;
            let entry = Self {
                flags,
                method,
                crc32,
                compressed_len: compressed_len.into(),
                len: len.into(),
                offset: offset.into(),
            };
            Some((signature, entry, lengths, disk))
        })();
        let Some((signature, mut entry, [name_len, extra_len, comment_len], disk)) = fields else {
            return Ok(None);
        };
        if signature != CENTRAL_SIGNATURE {
            return Err(Error::corrupt(format!(
                "zip directory: expected the signature {CENTRAL_SIGNATURE:#x}, found {signature:#x}"
            )));
        }
        let Some(name) = bytes.take(name_len) else { return Ok(None) };
        let Some(extra) = bytes.take(extra_len) else { return Ok(None) };
        if bytes.take(comment_len).is_none() {
            return Ok(None);
        }
        entry.widen(extra);
        if disk != 0 && disk != u16::MAX {
            return Err(Error::unsupported("zip archive of several disks is not supported"));
        }
        Ok(Some((entry, name)))
    }

    /// Takes the numbers that do not fit 32 bits from the extra fields.
    fn widen(&mut self, extra: &[u8]) {
        let mut extra = Reader(extra);
        while let (Some(id), Some(len)) = (extra.u16(), extra.u16()) {
            let Some(field) = extra.take(len.into()) else { return };
            if id != ZIP64_EXTRA {
                continue;
            }
            let mut field = Reader(field);
            for number in [&mut self.len, &mut self.compressed_len, &mut self.offset] {
                if *number == u64::from(u32::MAX)
                    && let Some(wide) = field.u64()
                {
                    *number = wide;
                }
            }
        }
    }

    /// Appends the entry, called `name`, to the directory in `out`.
    pub(super) fn write(&self, name: &[u8], out: &mut Vec<u8>) {
        let mut extra = Vec::new();
        let wide = [self.len, self.compressed_len, self.offset];
        for number in wide.iter().filter(|&&number| number >= u32::MAX.into()) {
            extra.extend_from_slice(&number.to_le_bytes());
        }
        if !extra.is_empty() {
            let len = u16::try_from(extra.len()).unwrap_or(u16::MAX);
            let head = [ZIP64_EXTRA.to_le_bytes(), len.to_le_bytes()].concat();
            extra.splice(0..0, head);
        }
        let version = if extra.is_empty() { VERSION } else { VERSION_ZIP64 };
        out.extend_from_slice(&CENTRAL_SIGNATURE.to_le_bytes());
        out.extend_from_slice(&(MADE_BY_UNIX | version).to_le_bytes());
        self.write_common(version, out);
        for len in [name.len(), extra.len(), 0] {
            out.extend_from_slice(&u16::try_from(len).unwrap_or(u16::MAX).to_le_bytes());
        }
        out.extend_from_slice(&[0; 4]);
        let attributes = if name.ends_with(b"/") { FOLDER_ATTRIBUTES } else { ATTRIBUTES };
        out.extend_from_slice(&attributes.to_le_bytes());
        out.extend_from_slice(&narrow(self.offset).to_le_bytes());
        out.extend_from_slice(name);
        out.extend_from_slice(&extra);
    }

    /// Appends the local header of the entry, called `name`, to `out`.
    pub(super) fn write_local(&self, name: &[u8], out: &mut Vec<u8>) {
        let is_wide = self.len >= u32::MAX.into() || self.compressed_len >= u32::MAX.into();
        let mut header = self.clone();
        let mut extra = Vec::new();
        if is_wide {
            // Both numbers are here or none, other than in the directory.
            extra.extend_from_slice(&ZIP64_EXTRA.to_le_bytes());
            extra.extend_from_slice(&16_u16.to_le_bytes());
            extra.extend_from_slice(&self.len.to_le_bytes());
            extra.extend_from_slice(&self.compressed_len.to_le_bytes());
            (header.len, header.compressed_len) = (u64::MAX, u64::MAX);
        }
        out.extend_from_slice(&LOCAL_SIGNATURE.to_le_bytes());
        header.write_common(if is_wide { VERSION_ZIP64 } else { VERSION }, out);
        for len in [name.len(), extra.len()] {
            out.extend_from_slice(&u16::try_from(len).unwrap_or(u16::MAX).to_le_bytes());
        }
        out.extend_from_slice(name);
        out.extend_from_slice(&extra);
    }

    /// Version needed, flags, method, time, checksum and lengths.
    fn write_common(&self, version: u16, out: &mut Vec<u8>) {
        for half in [version, self.flags, self.method, 0, DOS_DATE] {
            out.extend_from_slice(&half.to_le_bytes());
        }
        for word in [self.crc32, narrow(self.compressed_len), narrow(self.len)] {
            out.extend_from_slice(&word.to_le_bytes());
        }
    }
}

/// A number in 32 bits, or the mark that it is in the extra field.
fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Where the central directory lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) n_entries: u64,
    pub(super) len_bytes: u64,
    pub(super) offset: u64,
}

impl End {
    /// Appends the records behind the directory to `out`.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let is_wide = self.n_entries >= u16::MAX.into()
            || self.len_bytes >= u32::MAX.into()
            || self.offset >= u32::MAX.into();
        if is_wide {
            out.extend_from_slice(&END64_SIGNATURE.to_le_bytes());
            out.extend_from_slice(&(END64_LEN as u64 - 12).to_le_bytes());
            out.extend_from_slice(&(MADE_BY_UNIX | VERSION_ZIP64).to_le_bytes());
            out.extend_from_slice(&VERSION_ZIP64.to_le_bytes());
            out.extend_from_slice(&[0; 8]);
            for number in [self.n_entries, self.n_entries, self.len_bytes, self.offset] {
                out.extend_from_slice(&number.to_le_bytes());
            }
            out.extend_from_slice(&LOCATOR64_SIGNATURE.to_le_bytes());
            out.extend_from_slice(&[0; 4]);
            out.extend_from_slice(&self.offset.saturating_add(self.len_bytes).to_le_bytes());
            out.extend_from_slice(&1_u32.to_le_bytes());
        }
        let n_entries = u16::try_from(self.n_entries).unwrap_or(u16::MAX);
        out.extend_from_slice(&END_SIGNATURE.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&n_entries.to_le_bytes());
        out.extend_from_slice(&n_entries.to_le_bytes());
        out.extend_from_slice(&narrow(self.len_bytes).to_le_bytes());
        out.extend_from_slice(&narrow(self.offset).to_le_bytes());
        out.extend_from_slice(&[0; 2]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_over_32_bits_survive_the_extra_field() {
        for (len, compressed_len, offset) in
            [(1, 2, 3), (1 << 33, 2, 3), (1, 2, 1 << 40), (1 << 33, 1 << 34, 1 << 35)]
        {
            let entry = Central { flags: 0, method: STORED, crc32: 7, compressed_len, len, offset };
            let mut out = Vec::new();
            entry.write(b"name", &mut out);
            let mut reader = Reader(&out);
            let (found, name) = Central::parse(&mut reader).unwrap().unwrap();
            assert_eq!((found, name, reader.0.len()), (entry, b"name".as_slice(), 0));
            assert_eq!(Central::parse(&mut Reader(&out[..out.len() - 1])).unwrap(), None);
        }
    }
}
