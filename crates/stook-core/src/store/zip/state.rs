//! The entries of an open archive and the file they lie in; what changes them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use flate2::Crc;

use super::deflated::Deflated;
use super::record::{
    Central, DEFLATED, End, FLAG_ENCRYPTED, FLAG_UTF8, LOCAL_LEN, LOCAL_SIGNATURE, Reader, STORED,
};
use crate::container::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::file::{FileIo, LocalFile, TempFile};
use crate::store::memory::below;

/// Data is copied and summed up in pieces of so many bytes.
const PIECE_LEN: usize = 1 << 20;

/// Longer data is given a place before it is written: the archive may be renamed over another.
const MIN_ALLOCATED_LEN: u64 = 1 << 20;

/// A value up to this length is written together with its header.
const JOINED_LEN: usize = 64 << 10;

/// General purpose bit 3: the lengths stand behind the data.
const FLAG_DESCRIPTOR: u16 = 1 << 3;

/// A name's data in an archive.
#[derive(Debug)]
pub(super) struct Entry {
    /// Different for every entry that this process ever saw: the version of the value.
    pub(super) id: u64,
    pub(super) central: Central,
    /// The name as it is stored, where that is not the key's UTF-8.
    raw_name: Option<Box<[u8]>>,
    /// Where the data begins; 0 until the local header was read.
    pub(super) data_offset: AtomicU64,
    /// Whether it was written in place, so that its checksum does not hold.
    pub(super) is_dirty: AtomicBool,
}

impl Entry {
    pub(super) fn new(central: Central, raw_name: Option<Box<[u8]>>) -> Self {
        static ID: AtomicU64 = AtomicU64::new(1);
        Self {
            id: ID.fetch_add(1, Ordering::Relaxed),
            central,
            raw_name,
            data_offset: AtomicU64::new(0),
            is_dirty: AtomicBool::new(false),
        }
    }

    /// The length of the decoded data.
    pub(super) fn len_bytes(&self) -> u64 {
        self.central.len
    }

    /// What the entry takes in the file, header included, as far as the directory knows.
    fn span(&self, name: &str) -> u64 {
        let name_len = self.raw_name.as_ref().map_or(name.len(), |name| name.len());
        self.central.compressed_len.saturating_add((LOCAL_LEN + name_len) as u64)
    }
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) file: Arc<LocalFile>,
    pub(super) temp: Option<TempFile>,
    /// The file that has the archive's name, with its lock; none until the first commit.
    pub(super) named: Option<Arc<LocalFile>>,
    pub(super) entries: BTreeMap<String, Arc<Entry>>,
    /// Folders that are there though nothing lies below them.
    pub(super) folders: BTreeSet<String>,
    /// Where the next entry goes.
    pub(super) end: u64,
    /// Whether the last commit is on the medium.
    pub(super) is_synced: bool,
}

impl State {
    /// Copies what there is to a temporary file, unless that was done.
    pub(super) fn make_temp(&mut self, path: &Path) -> Result<()> {
        if self.temp.is_some() {
            return Ok(());
        }
        self.rewrite(path)
    }

    /// Copies the live entries to a new temporary file, which takes the place of the file.
    fn rewrite(&mut self, path: &Path) -> Result<()> {
        let temp = TempFile::beside(path)?;
        temp.take_permissions(path);
        temp.file().lock_exclusive()?;
        let mut new = Self {
            file: Arc::clone(temp.file()),
            temp: None,
            entries: BTreeMap::new(),
            folders: self.folders.clone(),
            named: self.named.clone(),
            end: 0,
            is_synced: false,
        };
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_unstable_by_key(|(_, entry)| entry.central.offset);
        for (name, entry) in entries {
            let data = data_offset(&self.file, name, entry)?;
            let copy = new.copy(&self.file, data, name, entry)?;
            new.entries.insert(name.clone(), copy);
        }
        new.temp = Some(temp);
        *self = new;
        Ok(())
    }

    pub(super) fn append(&mut self, name: &str, value: &[u8]) -> Result<()> {
        let crc32 = crc32(value);
        let central = self.header(name, value.len() as u64, crc32)?;
        let mut head = Vec::with_capacity(LOCAL_LEN + name.len() + value.len().min(JOINED_LEN));
        central.write_local(name.as_bytes(), &mut head);
        let data = self.end + head.len() as u64;
        if value.len() <= JOINED_LEN {
            head.extend_from_slice(value);
            self.file.write_at(self.end, &head)?;
        } else {
            self.file.write_at(self.end, &head)?;
            self.file.write_at(data, value)?;
        }
        let entry = Entry::new(central, None);
        entry.data_offset.store(data, Ordering::Relaxed);
        self.finish(name, entry);
        Ok(())
    }

    /// Appends a stored entry of `parts`, one behind the other.
    pub(super) fn append_parts(&mut self, name: &str, parts: &[&[u8]]) -> Result<()> {
        let mut crc = Crc::new();
        parts.iter().for_each(|part| crc.update(part));
        let len = parts.iter().map(|part| part.len() as u64).sum();
        let central = self.header(name, len, crc.sum())?;
        self.append_data(name, central, parts)
    }

    /// Appends a deflated entry; a stored one of `raw` if that is not longer.
    pub(super) fn append_deflated(
        &mut self,
        name: &str,
        raw: &[&[u8]],
        deflated: &Deflated,
    ) -> Result<()> {
        let stored = self.header(name, deflated.raw_len, deflated.crc32)?;
        if deflated.len >= deflated.raw_len {
            return self.append_data(name, stored, raw);
        }
        let central = Central { method: DEFLATED, compressed_len: deflated.len, ..stored };
        let pieces: Vec<&[u8]> = deflated.pieces.iter().map(Vec::as_slice).collect();
        self.append_data(name, central, &pieces)
    }

    fn append_data(&mut self, name: &str, central: Central, parts: &[&[u8]]) -> Result<()> {
        let entry = self.write_header(name, central)?;
        let mut at = entry.data_offset.load(Ordering::Relaxed);
        let len: u64 = parts.iter().map(|part| part.len() as u64).sum();
        if len >= MIN_ALLOCATED_LEN {
            self.file.allocate(at, len);
        }
        for part in parts {
            self.file.write_at(at, part)?;
            at += part.len() as u64;
        }
        self.finish(name, entry);
        Ok(())
    }

    /// What describes a stored entry at the end.
    fn header(&self, name: &str, len: u64, crc32: u32) -> Result<Central> {
        if u16::try_from(name.len()).is_err() {
            let what = format!("a zip entry's name has at most 65535 bytes, not {}", name.len());
            return Err(Error::invalid(what));
        }
        let flags = if name.is_ascii() { 0 } else { FLAG_UTF8 };
        Ok(Central { flags, method: STORED, crc32, compressed_len: len, len, offset: self.end })
    }

    /// Makes a stored entry at the end of `len` bytes, `head` and zeros; nothing refers to it yet.
    pub(super) fn reserve(&self, name: &str, head: &[u8], len: u64) -> Result<Entry> {
        let entry = self.write_header(name, self.header(name, len, 0)?)?;
        let data = entry.data_offset.load(Ordering::Relaxed);
        self.file.write_at(data, head)?;
        // What a failure left behind the end must not show through.
        self.file.set_len(data + head.len() as u64)?;
        self.file.set_len(data.saturating_add(len))?;
        entry.is_dirty.store(true, Ordering::Release);
        Ok(entry)
    }

    /// Copies bytes within the file.
    pub(super) fn copy_data(&self, from: u64, to: u64, len: u64) -> Result<()> {
        for_pieces(&self.file, from, len, |at, piece| self.file.write_at(to + at, piece))
    }

    fn write_header(&self, name: &str, central: Central) -> Result<Entry> {
        let mut head = Vec::new();
        central.write_local(name.as_bytes(), &mut head);
        self.file.write_at(central.offset, &head)?;
        let data = central.offset + head.len() as u64;
        let entry = Entry::new(central, None);
        entry.data_offset.store(data, Ordering::Relaxed);
        Ok(entry)
    }

    /// Makes an entry whose data is written known under its name.
    pub(super) fn finish(&mut self, name: &str, entry: Entry) {
        let data = entry.data_offset.load(Ordering::Relaxed);
        self.end = data.saturating_add(entry.central.compressed_len);
        self.entries.insert(name.to_owned(), Arc::new(entry));
    }

    /// Copies an entry, whose data begins at `data` of `file`, to the end under the name `name`.
    pub(super) fn copy(
        &mut self,
        file: &LocalFile,
        data: u64,
        name: &str,
        entry: &Entry,
    ) -> Result<Arc<Entry>> {
        // The new header holds the lengths, and the name in UTF-8.
        let flags = entry.central.flags & !(FLAG_DESCRIPTOR | FLAG_UTF8);
        let flags = if name.is_ascii() { flags } else { flags | FLAG_UTF8 };
        let central = Central { flags, offset: self.end, ..entry.central.clone() };
        let len = central.compressed_len;
        let mut copy = self.write_header(name, central)?;
        let target = copy.data_offset.load(Ordering::Relaxed);
        for_pieces(file, data, len, |at, piece| self.file.write_at(target + at, piece))?;
        // The same data: what is cached of it stays valid.
        copy.id = entry.id;
        *copy.is_dirty.get_mut() = entry.is_dirty.load(Ordering::Acquire);
        self.end = target.saturating_add(len);
        Ok(Arc::new(copy))
    }

    pub(super) fn commit(&mut self, path: &Path, durability: Durability) -> Result<()> {
        self.sum_up()?;
        let live: u64 = self.entries.iter().map(|(name, entry)| entry.span(name)).sum();
        if live < self.end / 2 {
            self.rewrite(path)?;
        }
        let mut tail = Vec::new();
        let mut directory = Vec::new();
        for (name, entry) in &self.entries {
            entry.central.write(name.as_bytes(), &mut directory);
        }
        let mut n_entries = self.entries.len() as u64;
        for folder in &self.folders {
            if below(&self.entries, folder).next().is_none() {
                let name = format!("{folder}/");
                let mut central = self.header(&name, 0, 0)?;
                central.offset = self.end + tail.len() as u64;
                central.write_local(name.as_bytes(), &mut tail);
                central.write(name.as_bytes(), &mut directory);
                n_entries += 1;
            }
        }
        let offset = self.end + tail.len() as u64;
        let end = End { n_entries, len_bytes: directory.len() as u64, offset };
        tail.append(&mut directory);
        end.write(&mut tail);
        self.file.write_at(self.end, &tail)?;
        self.file.set_len(self.end + tail.len() as u64)?;
        self.publish(path, durability)
    }

    fn publish(&mut self, path: &Path, durability: Durability) -> Result<()> {
        let Some(temp) = &mut self.temp else { return Ok(()) };
        match &self.named {
            None if !temp.publish_new(path, durability)? => return Err(exists(path)),
            None => {}
            Some(named) if !named.is_current() => {
                let what = "the file was replaced by another program since it was opened";
                return Err(Error::new(ErrorKind::Locked, what).at_file(path));
            }
            Some(_) => temp.replace(path, durability)?,
        }
        self.named = Some(Arc::clone(&self.file));
        self.temp = None;
        Ok(())
    }

    /// Gives entries that were written in place the checksum of their data.
    fn sum_up(&mut self) -> Result<()> {
        for (name, entry) in &mut self.entries {
            if !entry.is_dirty.load(Ordering::Acquire) {
                continue;
            }
            let data = data_offset(&self.file, name, entry)?;
            let mut crc = Crc::new();
            for_pieces(&self.file, data, entry.central.len, |_, piece| {
                crc.update(piece);
                Ok(())
            })?;
            let central = Central { crc32: crc.sum(), ..entry.central.clone() };
            let mut head = Vec::new();
            central.write_local(name.as_bytes(), &mut head);
            self.file.write_at(central.offset, &head)?;
            let mut summed = Entry::new(central, None);
            summed.id = entry.id;
            summed.data_offset = AtomicU64::new(data);
            *entry = Arc::new(summed);
        }
        Ok(())
    }
}

/// The checksum of a value.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Reads `len` bytes at `offset` of `file` piece by piece.
fn for_pieces(
    file: &LocalFile,
    offset: u64,
    len: u64,
    mut work: impl FnMut(u64, &[u8]) -> Result<()>,
) -> Result<()> {
    let mut buffer = vec![0; PIECE_LEN.min(usize::try_from(len).unwrap_or(PIECE_LEN))];
    let mut at = 0;
    while at < len {
        let n = buffer.len().min(usize::try_from(len - at).unwrap_or(usize::MAX));
        let piece = buffer.get_mut(..n).unwrap_or_default();
        file.read_exact_at(offset + at, piece)?;
        work(at, piece)?;
        at += n as u64;
    }
    Ok(())
}

/// Where the data of an entry begins, behind its local header, which must name it.
pub(super) fn data_offset(file: &LocalFile, name: &str, entry: &Entry) -> Result<u64> {
    let known = entry.data_offset.load(Ordering::Relaxed);
    if known != 0 {
        return Ok(known);
    }
    if entry.central.flags & FLAG_ENCRYPTED != 0 {
        return Err(Error::unsupported("encrypted zip entries are not supported"));
    }
    let name = entry.raw_name.as_deref().unwrap_or(name.as_bytes());
    let mut head = vec![0; LOCAL_LEN + name.len()];
    file.read_exact_at(entry.central.offset, &mut head)?;
    let mut record = Reader(&head);
    let parsed = (|| {
        let signature = record.u32()?;
        record.take(22)?;
        let (name_len, extra_len) = (record.u16()?, record.u16()?);
        let is_right =
            signature == LOCAL_SIGNATURE && usize::from(name_len) == name.len() && record.0 == name;
        is_right.then_some(extra_len)
    })();
    let extra_len = parsed.ok_or_else(|| {
        let offset = entry.central.offset;
        Error::corrupt(format!("the local header at {offset} is not that of this entry"))
    })?;
    let data = entry.central.offset + head.len() as u64 + u64::from(extra_len);
    entry.data_offset.store(data, Ordering::Relaxed);
    Ok(data)
}

#[cold]
pub(super) fn exists(path: &Path) -> Error {
    Error::already_exists("there is a file of this name").at_file(path)
}
