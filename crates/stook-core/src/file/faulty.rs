//! A file in memory that fails when told to, and forgets like a disk when the power goes.
//!
//! Invariant: what was written before the last `sync` that succeeded survives a power cut; of
//! what came later any part may, in any order, cut at any sector. Files that lie beside one
//! another ([`FaultyFile::beside`]) have one power supply, one disk that may be full, and one
//! count of operations.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::FileIo;
use crate::error::{Error, Result};

/// What a disk writes as one.
const SECTOR_LEN: usize = 512;

/// What happens at the operation that was chosen to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails and does nothing; later ones succeed.
    Fail,
    /// A write fails after half of its bytes (a full disk); another operation does nothing.
    Short,
    /// The power goes: it fails, and so does everything after it.
    PowerCut,
}

/// A file in memory with faults.
#[derive(Debug)]
pub struct FaultyFile {
    path: PathBuf,
    disk: Arc<Mutex<Disk>>,
    /// Which of the disk's files it is.
    at: usize,
}

/// What files beside one another share.
#[derive(Debug, Default)]
struct Disk {
    files: Vec<Contents>,
    n_changes: u64,
    n_reads: u64,
    fault: Option<(u64, Fault)>,
    read_fault: Option<u64>,
    is_off: bool,
    /// The most bytes that all files may have together.
    capacity: Option<usize>,
}

#[derive(Debug)]
struct Contents {
    current: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

impl FaultyFile {
    /// A file that holds `bytes` on the medium.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        let disk = Disk { files: vec![Contents::new(bytes)], ..Disk::default() };
        Self { path: PathBuf::from("faulty"), disk: Arc::new(Mutex::new(disk)), at: 0 }
    }

    /// Another file on the disk of this one, which holds `bytes` on the medium.
    #[must_use]
    pub fn beside(&self, bytes: Vec<u8>) -> Self {
        let mut disk = self.lock();
        disk.files.push(Contents::new(bytes));
        let at = disk.files.len() - 1;
        let path = PathBuf::from(format!("faulty-{at}"));
        Self { path, disk: Arc::clone(&self.disk), at }
    }

    /// The same file, on whose disk operation `at` (0 for the first write, change of length or
    /// sync from the beginning) has `fault`.
    #[must_use]
    pub fn with_fault(self, at: u64, fault: Fault) -> Self {
        self.set_fault(at, fault);
        self
    }

    /// Plans `fault` for operation `at` of the disk, counted from the beginning.
    pub fn set_fault(&self, at: u64, fault: Fault) {
        self.lock().fault = Some((at, fault));
    }

    /// The same file, on whose disk read `at` (0 for the first) fails.
    #[must_use]
    pub fn with_read_fault(self, at: u64) -> Self {
        self.lock().read_fault = Some(at);
        self
    }

    /// Has the disk hold no more than `len_bytes`, or as much as is asked for.
    pub fn set_capacity(&self, len_bytes: Option<usize>) {
        self.lock().capacity = len_bytes;
    }

    /// How many writes, changes of length and syncs were asked for so far.
    #[must_use]
    pub fn n_changes(&self) -> u64 {
        self.lock().n_changes
    }

    /// The bytes as this process sees them.
    #[must_use]
    pub fn contents(&self) -> Vec<u8> {
        self.lock().files.get(self.at).map(|file| file.current.clone()).unwrap_or_default()
    }

    /// Bytes that may be found on the medium if the power goes now; each `seed` gives one of
    /// the possible outcomes, 0 the one in which nothing after the last sync survives.
    #[must_use]
    pub fn after_power_cut(&self, seed: u64) -> Vec<u8> {
        let disk = self.lock();
        let Some(file) = disk.files.get(self.at) else { return Vec::new() };
        let mut bytes = file.durable.clone();
        let mut random = Random(seed);
        for change in file.pending.iter().filter(|_| seed != 0) {
            match (change, random.next() % 3) {
                (_, 0) => {}
                (Change::Write(offset, data), 1) => {
                    // The sectors of a torn write go separately, aligned as the disk has them.
                    let head = SECTOR_LEN - offset % SECTOR_LEN;
                    let (first, rest) = data.split_at(head.min(data.len()));
                    let mut at = *offset;
                    for sector in std::iter::once(first).chain(rest.chunks(SECTOR_LEN)) {
                        if random.next().is_multiple_of(2) {
                            write(&mut bytes, at, sector);
                        }
                        at += sector.len();
                    }
                }
                (change, _) => change.apply(&mut bytes),
            }
        }
        bytes
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: Option<Change>) -> Result<()> {
        let mut disk = self.lock();
        let at = disk.n_changes;
        disk.n_changes += 1;
        let fault = disk.fault.filter(|(planned, _)| *planned == at).map(|(_, fault)| fault);
        disk.is_off |= fault == Some(Fault::PowerCut);
        let is_off = disk.is_off;
        let room = disk.room_for(self.at);
        let Some(file) = disk.files.get_mut(self.at) else { return Ok(()) };
        if fault.is_some() || is_off {
            if let Some(Change::Write(offset, mut bytes)) = change {
                match fault {
                    Some(Fault::Short) => bytes.truncate(bytes.len() / 2),
                    Some(Fault::PowerCut) => {}
                    _ => bytes.clear(),
                }
                if !bytes.is_empty() {
                    // A write under which the power goes may yet arrive, in part or whole.
                    file.pending.push(Change::Write(offset, bytes.clone()));
                    write(&mut file.current, offset, &bytes);
                }
            }
            return Err(self.injected(&format!("operation {at}")));
        }
        match change {
            Some(Change::Write(offset, mut bytes)) if offset + bytes.len() > room => {
                // As much as there is room for arrives, as on a disk that fills up.
                bytes.truncate(room.saturating_sub(offset));
                if !bytes.is_empty() {
                    write(&mut file.current, offset, &bytes);
                    file.pending.push(Change::Write(offset, bytes));
                }
                return Err(self.full());
            }
            Some(Change::SetLen(len)) if len > room && len > file.current.len() => {
                return Err(self.full());
            }
            Some(change) => {
                change.apply(&mut file.current);
                file.pending.push(change);
            }
            None => {
                file.durable.clone_from(&file.current);
                file.pending.clear();
            }
        }
        Ok(())
    }

    fn full(&self) -> Error {
        Error::io("cannot write", io::ErrorKind::StorageFull.into()).at_file(&self.path)
    }

    fn injected(&self, what: &str) -> Error {
        Error::io(format!("injected fault at {what}"), std::io::Error::other("injected"))
            .at_file(&self.path)
    }

    fn position(&self, offset: u64) -> Result<usize> {
        usize::try_from(offset)
            .map_err(|_| Error::limit("position overflows memory").at_file(&self.path))
    }
}

impl FileIo for FaultyFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize> {
        let mut disk = self.lock();
        let at = disk.n_reads;
        disk.n_reads += 1;
        if disk.is_off || disk.read_fault == Some(at) {
            return Err(self.injected(&format!("read {at}")));
        }
        let current = disk.files.get(self.at).map_or(&[][..], |file| &file.current);
        let found = current.get(self.position(offset)?..).unwrap_or(&[]);
        let len = found.len().min(out.len());
        if let (Some(out), Some(found)) = (out.get_mut(..len), found.get(..len)) {
            out.copy_from_slice(found);
        }
        Ok(len)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.change(Some(Change::Write(self.position(offset)?, bytes.to_vec())))
    }

    fn len_bytes(&self) -> Result<u64> {
        Ok(self.lock().files.get(self.at).map_or(0, |file| file.current.len() as u64))
    }

    fn set_len(&self, len_bytes: u64) -> Result<()> {
        self.change(Some(Change::SetLen(self.position(len_bytes)?)))
    }

    fn sync(&self) -> Result<()> {
        self.change(None)
    }
}

impl Disk {
    /// How long the file `at` may become.
    fn room_for(&self, at: usize) -> usize {
        let others = self.files.iter().enumerate().filter(|(other, _)| *other != at);
        let taken: usize = others.map(|(_, file)| file.current.len()).sum();
        self.capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(taken))
    }
}

impl Contents {
    fn new(bytes: Vec<u8>) -> Self {
        Self { durable: bytes.clone(), current: bytes, pending: Vec::new() }
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, data) => write(bytes, *offset, data),
            Self::SetLen(len) => bytes.resize(*len, 0),
        }
    }
}

fn write(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset.saturating_add(data.len());
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    if let Some(place) = bytes.get_mut(offset..end) {
        place.copy_from_slice(data);
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synced_bytes_survive_a_power_cut_and_later_ones_may() {
        let file = FaultyFile::new(b"old".to_vec());
        file.write_at(0, b"new").unwrap();
        file.sync().unwrap();
        file.write_at(0, &[b'x'; 2000]).unwrap();
        assert_eq!(file.after_power_cut(0), b"new");
        let outcomes: Vec<_> = (1..50).map(|seed| file.after_power_cut(seed)).collect();
        assert!(outcomes.iter().any(|bytes| bytes == b"new"));
        assert!(outcomes.iter().any(|bytes| *bytes == [b'x'; 2000]));
        let is_torn = |bytes: &&Vec<u8>| bytes.len() > 3 && **bytes != [b'x'; 2000];
        assert!(outcomes.iter().find(is_torn).is_some());
        assert_eq!(outcomes[3], file.after_power_cut(4));
    }

    #[test]
    fn faults_come_when_planned() {
        let file = FaultyFile::new(Vec::new()).with_fault(1, Fault::Short).with_read_fault(0);
        file.write_at(0, b"abcd").unwrap();
        assert!(file.write_at(4, b"efgh").is_err());
        assert_eq!(file.contents(), b"abcdef");
        let mut out = [0; 2];
        assert!(file.read_at(0, &mut out).is_err());
        assert_eq!(file.read_at(5, &mut out).unwrap(), 1);
        assert_eq!(file.n_changes(), 2);

        let file = FaultyFile::new(b"ab".to_vec());
        let other = file.beside(b"cd".to_vec());
        file.set_capacity(Some(6));
        other.write_at(2, b"e").unwrap();
        assert!(file.write_at(2, b"fgh").is_err() && file.set_len(5).is_err());
        assert_eq!((&*file.contents(), &*other.contents()), (&b"abf"[..], &b"cde"[..]));
        file.write_at(0, b"xyz").unwrap();

        let file = FaultyFile::new(b"a".to_vec()).with_fault(1, Fault::PowerCut);
        file.set_len(3).unwrap();
        assert!(file.sync().is_err() && file.sync().is_err() && file.read_at(0, &mut out).is_err());
        assert_eq!(file.after_power_cut(0), b"a");
    }
}
