//! The bytes of a journal: a header, then records, each found where the one before says.
//!
//! See `docs/formats/hdf5-journal.md`. Invariant: a record's header is written after all that
//! it leads to, so that a record whose header is valid was written by a writer that got to the
//! end of it; checksums tell what a power cut left.

use std::fmt;

use stook_core::file::{FileIo, Stamp};
use stook_core::{Error, Result};

/// Bytes of the header, and of a record's header.
pub(crate) const HEADER_LEN: u64 = 96;
/// Bytes of an extent in a record's table.
pub(crate) const EXTENT_LEN: u64 = 40;
/// No extent is longer, or goes over a multiple of this.
pub(crate) const PAGE_LEN: u64 = 4096;

const MAGIC: &[u8; 8] = b"\x8fSTKJNL\n";
const RECORD_MAGIC: &[u8; 8] = b"stookrec";
const VERSION: u32 = 1;

const FLAG_DURABLE: u32 = 1;
const FLAG_HAS_CHECKSUM: u32 = 4;

const KIND_COMMIT: u32 = 1;
const KIND_END: u32 = 2;

/// Which start of the operating system wrote the journal; zeros where that is not known.
pub(crate) type BootId = [u8; 16];

/// The first bytes of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Whether the file was on the medium as it was when the journal began.
    pub(crate) is_durable: bool,
    /// A random number that all records of this journal have.
    pub(crate) salt: u64,
    /// The number of the last commit before the journal began.
    pub(crate) sequence: u64,
    /// The file when the journal began.
    pub(crate) base: Stamp,
    pub(crate) boot: BootId,
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A commit.
    Commit,
    /// The writer has closed the file, which has this stamp.
    End(Stamp),
}

/// A record but for its extents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) kind: Kind,
    pub(crate) sequence: u64,
    /// Whether what came before was on the medium when the record was written.
    pub(crate) is_durable: bool,
    /// The length of the file before.
    pub(crate) old_len: u64,
    /// The length of the file as committed.
    pub(crate) new_len: u64,
    /// The checksum of the bytes between them, where there are few.
    pub(crate) checksum: Option<u32>,
    /// Where its extents are listed.
    pub(crate) table: u64,
    pub(crate) n_extents: u64,
    /// Where the next record begins.
    pub(crate) next: u64,
    pub(crate) table_checksum: u32,
}

/// Bytes of the file that a record changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) offset: u64,
    pub(crate) len: u64,
    /// Where in the journal the bytes after the commit are.
    pub(crate) redo: u64,
    /// Where in the journal the bytes before the commit are.
    pub(crate) undo: u64,
    pub(crate) redo_checksum: u32,
    pub(crate) undo_checksum: u32,
}

/// A writer of little-endian numbers.
struct Bytes(Vec<u8>);

impl Bytes {
    fn u32(&mut self, number: u32) -> &mut Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn u64(&mut self, number: u64) -> &mut Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    /// Fills up with zeros, and a checksum at the end.
    fn seal(&mut self) -> Vec<u8> {
        self.0.resize(HEADER_LEN as usize - 4, 0);
        let checksum = crc32c::crc32c(&self.0);
        self.u32(checksum);
        std::mem::take(&mut self.0)
    }
}

/// A reader of little-endian numbers; `None` past the end.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
}

/// `bytes` without the checksum at their end, if it is right.
fn sealed(bytes: &[u8]) -> Option<&[u8]> {
    let (body, checksum) = bytes.get(..HEADER_LEN as usize)?.split_last_chunk::<4>()?;
    (crc32c::crc32c(body) == u32::from_le_bytes(*checksum)).then_some(body)
}

impl Header {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Bytes(MAGIC.to_vec());
        let durable = if self.is_durable { FLAG_DURABLE } else { 0 };
        bytes.u32(VERSION).u32(durable).u64(self.salt).u64(self.sequence);
        bytes.u64(self.base.len_bytes).u64(self.base.modified);
        bytes.0.extend(self.boot);
        bytes.seal()
    }

    /// `None` where `bytes` are no whole header.
    fn decode(bytes: &[u8]) -> Option<(u32, Self)> {
        let mut fields = Fields(sealed(bytes)?);
        if fields.take()? != *MAGIC {
            return None;
        }
        let (version, flags) = (fields.u32()?, fields.u32()?);
        let (salt, sequence) = (fields.u64()?, fields.u64()?);
        let base = Stamp { len_bytes: fields.u64()?, modified: fields.u64()? };
        let header = Self {
            is_durable: flags & FLAG_DURABLE != 0,
            salt,
            sequence,
            base,
            boot: fields.take()?,
        };
        Some((version, header))
    }

    /// The header of `journal`; `None` where its writer did not come to write one.
    ///
    /// # Errors
    /// `Unsupported` where a later version of this program wrote it, `Io`.
    pub(crate) fn read(journal: &dyn FileIo) -> Result<Option<Self>> {
        let mut bytes = [0; HEADER_LEN as usize];
        let found = journal.read_at(0, &mut bytes)?;
        match Self::decode(bytes.get(..found).unwrap_or(&[])) {
            Some((VERSION, header)) => Ok(Some(header)),
            Some((version, _)) => {
                let message = format!("a journal of version {version}, which is newer than this");
                Err(Error::unsupported(message).at_file(journal.path()))
            }
            None => Ok(None),
        }
    }
}

impl Record {
    pub(crate) fn encode(&self, salt: u64) -> Vec<u8> {
        let mut bytes = Bytes(RECORD_MAGIC.to_vec());
        let durable = if self.is_durable { FLAG_DURABLE } else { 0 };
        let checked = if self.checksum.is_some() { FLAG_HAS_CHECKSUM } else { 0 };
        let (kind, modified) = match self.kind {
            Kind::Commit => (KIND_COMMIT, 0),
            Kind::End(stamp) => (KIND_END, stamp.modified),
        };
        bytes.u64(salt).u64(self.sequence).u32(kind).u32(durable | checked);
        bytes.u64(self.old_len).u64(self.new_len).u64(self.table).u64(self.n_extents);
        bytes.u64(self.next).u64(modified);
        bytes.u32(self.table_checksum).u32(self.checksum.unwrap_or(0));
        bytes.seal()
    }

    /// The record in `bytes`, if it is a whole one of the journal with `salt`.
    fn decode(bytes: &[u8], salt: u64) -> Option<Self> {
        let mut fields = Fields(sealed(bytes)?);
        if fields.take()? != *RECORD_MAGIC || fields.u64()? != salt {
            return None;
        }
        let sequence = fields.u64()?;
        let (kind, flags) = (fields.u32()?, fields.u32()?);
        let (old_len, new_len) = (fields.u64()?, fields.u64()?);
        let (table, n_extents, next) = (fields.u64()?, fields.u64()?, fields.u64()?);
        let modified = fields.u64()?;
        let (table_checksum, checksum) = (fields.u32()?, fields.u32()?);
        let kind = match kind {
            KIND_COMMIT => Kind::Commit,
            KIND_END => Kind::End(Stamp { len_bytes: new_len, modified }),
            _ => return None,
        };
        Some(Self {
            kind,
            sequence,
            is_durable: flags & FLAG_DURABLE != 0,
            old_len,
            new_len,
            checksum: (flags & FLAG_HAS_CHECKSUM != 0).then_some(checksum),
            table,
            n_extents,
            next,
            table_checksum,
        })
    }

    /// The record at `at` that follows on `sequence`; `None` where there is none, or none that is
    /// whole yet.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn read(
        journal: &dyn FileIo,
        salt: u64,
        (at, sequence): (u64, u64),
    ) -> Result<Option<Self>> {
        let mut bytes = [0; HEADER_LEN as usize];
        let found = journal.read_at(at, &mut bytes)?;
        let record = Self::decode(bytes.get(..found).unwrap_or(&[]), salt);
        Ok(record.filter(|record| {
            let end = record.n_extents.checked_mul(EXTENT_LEN);
            let end = end.and_then(|len| record.table.checked_add(len));
            // Numbers that no writer of ours wrote, under a checksum that is right.
            record.sequence.checked_sub(1) == Some(sequence)
                && record.next >= at.saturating_add(HEADER_LEN)
                && end.is_some_and(|end| end <= record.next)
        }))
    }

    /// The extents; `None` where their table is not whole.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn extents(&self, journal: &dyn FileIo) -> Result<Option<Vec<Extent>>> {
        // The table is read only where the journal is as long as that.
        if self.n_extents > 0 && journal.len_bytes()? < self.next {
            return Ok(None);
        }
        let len = usize::try_from(self.n_extents.saturating_mul(EXTENT_LEN));
        let mut table = vec![0; len.map_err(|_| Error::limit("a record larger than memory"))?];
        if journal.read_at(self.table, &mut table)? < table.len()
            || crc32c::crc32c(&table) != self.table_checksum
        {
            return Ok(None);
        }
        let extents: Option<Vec<Extent>> =
            table.chunks_exact(EXTENT_LEN as usize).map(Extent::decode).collect();
        Ok(extents.filter(|extents| extents.iter().all(|extent| extent.is_within(self.next))))
    }
}

impl Extent {
    pub(crate) fn encode(&self, to: &mut Vec<u8>) {
        let mut bytes = Bytes(std::mem::take(to));
        bytes.u64(self.offset).u64(self.len).u64(self.redo).u64(self.undo);
        bytes.u32(self.redo_checksum).u32(self.undo_checksum);
        *to = bytes.0;
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let (offset, len) = (fields.u64()?, fields.u64()?);
        let (redo, undo) = (fields.u64()?, fields.u64()?);
        let (redo_checksum, undo_checksum) = (fields.u32()?, fields.u32()?);
        Some(Self { offset, len, redo, undo, redo_checksum, undo_checksum })
    }

    /// Whether its bytes lie in one page and before `end` in the journal.
    fn is_within(&self, end: u64) -> bool {
        let is_before = |at: u64| at.checked_add(self.len).is_some_and(|stop| stop <= end);
        let in_page = self.offset % PAGE_LEN + self.len <= PAGE_LEN;
        self.len > 0
            && self.len <= PAGE_LEN
            && in_page
            && self.offset.checked_add(self.len).is_some()
            && is_before(self.redo)
            && is_before(self.undo)
    }

    /// The page that it lies in.
    pub(crate) fn page(&self) -> u64 {
        self.offset / PAGE_LEN
    }

    /// The bytes after the commit; `None` where they are not whole.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn redo(&self, journal: &dyn FileIo) -> Result<Option<Vec<u8>>> {
        self.payload(journal, self.redo, self.redo_checksum)
    }

    /// The bytes before the commit; `None` where they are not whole.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn undo(&self, journal: &dyn FileIo) -> Result<Option<Vec<u8>>> {
        self.payload(journal, self.undo, self.undo_checksum)
    }

    fn payload(&self, journal: &dyn FileIo, at: u64, checksum: u32) -> Result<Option<Vec<u8>>> {
        let len = usize::try_from(self.len.min(PAGE_LEN)).unwrap_or(0);
        let mut bytes = vec![0; len];
        let found = journal.read_at(at, &mut bytes)?;
        Ok((found == len && crc32c::crc32c(&bytes) == checksum).then_some(bytes))
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "commit {} of {} extents", self.sequence, self.n_extents)
    }
}

#[cfg(test)]
mod unit {
    use stook_core::file::FaultyFile;

    use super::*;

    #[test]
    fn headers_are_read_as_written_and_any_flipped_bit_is_seen() {
        let base = Stamp { len_bytes: 5, modified: 6 };
        let header = Header { is_durable: true, salt: 3, sequence: 4, base, boot: [7; 16] };
        let record = Record {
            kind: Kind::End(Stamp { len_bytes: 11, modified: 8 }),
            sequence: 5,
            is_durable: false,
            old_len: 9,
            new_len: 11,
            checksum: Some(12),
            table: 300,
            n_extents: 2,
            next: 400,
            table_checksum: 13,
        };
        let bytes = [header.encode(), record.encode(3)].concat();
        for bit in 0..=bytes.len() * 8 {
            let mut flipped = bytes.clone();
            if let Some(byte) = flipped.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
            let file = FaultyFile::new(flipped);
            let in_header = bit < HEADER_LEN as usize * 8;
            let in_record = !in_header && bit < bytes.len() * 8;
            assert_eq!(Header::read(&file).unwrap(), (!in_header).then_some(header));
            let found = Record::read(&file, 3, (HEADER_LEN, 4)).unwrap();
            assert_eq!(found, (!in_record).then_some(record), "bit {bit}");
        }
        let file = FaultyFile::new(bytes);
        assert_eq!(Record::read(&file, 4, (HEADER_LEN, 4)).unwrap(), None);
        assert_eq!(Record::read(&file, 3, (HEADER_LEN, 5)).unwrap(), None);
        assert_eq!(record.extents(&file).unwrap(), None);
    }
}
