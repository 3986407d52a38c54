//! Work that an end of the process does not undo: a folder beside the target that holds what is
//! done so far and a journal of it.
//!
//! The journal is a text file of one record a line, each behind its CRC-32C; a line that was torn
//! ends it. The folder's name is given by the target's alone, so that the next process finds it;
//! a lock on the journal says that one is at work.
#![allow(clippy::disallowed_methods, reason = "this is the seam to the operating system's files")]

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind as IoKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::place::remove;
use super::temp::{TEMP_PREFIX, dir_of};
use super::{FileIo, LocalFile, is_temp_name, sync_dir};
use crate::error::{Error, ErrorKind, Result};

/// The name of the journal in its folder.
const JOURNAL: &str = "journal";
/// A journal that is longer is not one of ours.
const MAX_JOURNAL_LEN_BYTES: u64 = 1 << 30;

/// A folder of unfinished work, locked by this process.
#[derive(Debug)]
pub struct Partial {
    folder: PathBuf,
    journal: LocalFile,
    end: Mutex<u64>,
    records: Vec<String>,
}

/// Where unfinished work on `target` lies.
#[must_use]
pub fn partial_of(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    dir_of(target).join(format!("{TEMP_PREFIX}part-{name}"))
}

impl Partial {
    /// The unfinished work on `target`, if there is any, with its records so far.
    ///
    /// # Errors
    /// `Locked` if another process is at it, `LimitExceeded`, `Io`.
    pub fn find(target: &Path) -> Result<Option<Self>> {
        let folder = partial_of(target);
        let journal = match LocalFile::open_read_write(folder.join(JOURNAL)) {
            Ok(journal) => journal,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        lock(&journal, target)?;
        let len = journal.len_bytes()?;
        if len > MAX_JOURNAL_LEN_BYTES {
            return Err(Error::limit(format!("a journal of {len} bytes")).at_file(journal.path()));
        }
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
        journal.read_exact_at(0, &mut bytes)?;
        let (records, end) = parse(&bytes);
        // What has no record is perhaps no journal, but what a link in its place leads to.
        if !records.is_empty() {
            journal.set_len(end)?;
        }
        Ok(Some(Self { folder, journal, end: Mutex::new(end), records }))
    }

    /// Begins work on `target` where there is none.
    ///
    /// # Errors
    /// `Locked` if another process does so at the same time, `NotFound` if the folder of the
    /// target is missing, `ReadOnly`, `Io`.
    pub fn begin(target: &Path) -> Result<Self> {
        let folder = partial_of(target);
        match create_private(&folder) {
            Ok(()) => {}
            // Without a journal it is what a process left that ended just here.
            Err(error) if error.kind() == IoKind::AlreadyExists => {}
            Err(error) => return Err(Error::io("cannot create the folder", error).at_file(target)),
        }
        let journal =
            LocalFile::create_new(folder.join(JOURNAL)).map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => locked(target),
                _ => error.rename_file(target),
            })?;
        lock(&journal, target)?;
        Ok(Self { folder, journal, end: Mutex::new(0), records: Vec::new() })
    }

    /// The records that were found.
    #[must_use]
    pub fn records(&self) -> &[String] {
        &self.records
    }

    /// The path of something called `name` in the folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Adds a record, which must hold no line break: it is with the operating system then.
    ///
    /// # Errors
    /// `Io`.
    pub fn record(&self, record: &str) -> Result<()> {
        let line = format!("{:08x} {record}\n", crc32c::crc32c(record.as_bytes()));
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        self.journal.write_at(*end, line.as_bytes())?;
        *end += line.len() as u64;
        Ok(())
    }

    /// Puts the records on the medium.
    ///
    /// # Errors
    /// `Io`.
    pub fn sync(&self) -> Result<()> {
        self.journal.sync()
    }

    /// Removes all of it.
    ///
    /// # Errors
    /// `Io`.
    pub fn discard(&self) -> Result<()> {
        // The journal goes last, so that what is left after a crash is known for what it is.
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name() != JOURNAL {
                remove(&entry.path())?;
            }
        }
        remove(&self.folder)
    }
}

/// Removes what values in the making an ended process left in the folder `root`.
///
/// # Errors
/// `Io`.
pub fn remove_temporaries(root: &Path) -> Result<()> {
    let failed = |error| Error::io("cannot tidy the folder", error).at_file(root);
    let mut ahead = vec![root.to_path_buf()];
    while let Some(folder) = ahead.pop() {
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if is_temp_name(&entry.file_name().to_string_lossy()) {
                remove(&entry.path())?;
            } else if entry.file_type().map_err(failed)?.is_dir() {
                ahead.push(entry.path());
            }
        }
    }
    Ok(())
}

/// What tells a file or folder from a changed one: lengths and times of change of all files in
/// it, as a text.
///
/// # Errors
/// `NotFound`, `Io`.
pub fn identity_of(path: &Path) -> Result<String> {
    let failed = |error| Error::io("cannot look at the path", error).at_file(path);
    let whole = fs::canonicalize(path).map_err(failed)?;
    let (mut sum, mut n, mut len) = (0_u64, 0_u64, 0_u64);
    let (mut ahead, mut seen) = (vec![whole.clone()], HashSet::new());
    while let Some(next) = ahead.pop() {
        let found = fs::metadata(&next).map_err(failed)?;
        if found.is_dir() {
            // Links may lead in circles.
            if !seen.insert(fs::canonicalize(&next).map_err(failed)?) {
                continue;
            }
            for entry in fs::read_dir(&next).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                if !is_temp_name(&entry.file_name().to_string_lossy()) {
                    ahead.push(entry.path());
                }
            }
            continue;
        }
        let nanos = found.modified().ok();
        let nanos = nanos.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let nanos = nanos.map_or(0, |time| time.as_nanos());
        let name = next.strip_prefix(&whole).unwrap_or(&next).as_os_str().as_encoded_bytes();
        let mut text = [name, &found.len().to_le_bytes(), &nanos.to_le_bytes()].concat();
        let low = crc32c::crc32c(&text);
        text.push(1);
        let high = crc32c::crc32c(&text);
        sum = sum.wrapping_add(u64::from(high) << 32 | u64::from(low));
        (n, len) = (n + 1, len.saturating_add(found.len()));
    }
    Ok(format!("{n} files, {len} bytes, {sum:016x}"))
}

/// Puts all files below `root`, and the folders that name them, on the medium.
///
/// # Errors
/// `Io`.
pub fn sync_tree(root: &Path) -> Result<()> {
    let failed = |error| Error::io("cannot go through the folder", error).at_file(root);
    let mut ahead = vec![root.to_path_buf()];
    while let Some(folder) = ahead.pop() {
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            match entry.file_type().map_err(failed)?.is_dir() {
                true => ahead.push(entry.path()),
                false => LocalFile::open_read_write(entry.path())?.sync()?,
            }
        }
        sync_dir(&folder)?;
    }
    Ok(())
}

/// Makes a folder that only its owner may look into: what is in it gets the permissions of what
/// it replaces at the end only.
fn create_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn lock(journal: &LocalFile, target: &Path) -> Result<()> {
    journal.lock_exclusive().map_err(|error| match error.kind() {
        ErrorKind::Locked => locked(target),
        _ => error,
    })
}

fn locked(target: &Path) -> Error {
    Error::new(ErrorKind::Locked, "another process is making this file").at_file(target)
}

/// The whole records at the beginning of a journal, and where they end.
fn parse(bytes: &[u8]) -> (Vec<String>, u64) {
    let (mut records, mut end) = (Vec::new(), 0);
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let text = std::str::from_utf8(line).ok().and_then(|text| text.strip_suffix('\n'));
        let record = text.and_then(|text| text.split_once(' '));
        let Some((crc, record)) = record else { break };
        if u32::from_str_radix(crc, 16) != Ok(crc32c::crc32c(record.as_bytes())) {
            break;
        }
        records.push(record.to_owned());
        end += line.len() as u64;
    }
    (records, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_survive_and_a_torn_one_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("x.zarr");
        assert!(Partial::find(&target).unwrap().is_none());
        let partial = Partial::begin(&target).unwrap();
        partial.record("one").unwrap();
        partial.record("two").unwrap();
        assert_eq!(Partial::find(&target).unwrap_err().kind(), ErrorKind::Locked);
        assert_eq!(Partial::begin(&target).unwrap_err().kind(), ErrorKind::Locked);
        let journal = partial.path(JOURNAL);
        drop(partial);
        let bytes = fs::read(&journal).unwrap();
        fs::write(&journal, &bytes[..bytes.len() - 2]).unwrap();
        let partial = Partial::find(&target).unwrap().unwrap();
        assert_eq!(partial.records(), ["one"]);
        partial.record("three").unwrap();
        drop(partial);
        let partial = Partial::find(&target).unwrap().unwrap();
        assert_eq!(partial.records(), ["one", "three"]);
        fs::write(partial.path("draft"), b"data").unwrap();
        partial.discard().unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_looks_in_and_no_link_is_followed_to_harm() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("x.zarr");
        let partial = Partial::begin(&target).unwrap();
        let mode = fs::metadata(partial_of(&target)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        fs::create_dir(partial.path("draft")).unwrap();
        fs::write(partial.path("draft/a"), b"1").unwrap();
        sync_tree(&partial.path("draft")).unwrap();
        partial.discard().unwrap();
        let other = dir.path().join("other");
        fs::write(&other, b"of somebody").unwrap();
        fs::create_dir(partial_of(&target)).unwrap();
        symlink(&other, partial_of(&target).join(JOURNAL)).unwrap();
        Partial::find(&target).unwrap().unwrap().discard().unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"of somebody");
        assert!(Partial::find(&target).unwrap().is_none());
    }

    #[test]
    fn a_changed_file_is_told() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        fs::write(dir.path().join("a/x"), b"1").unwrap();
        let before = identity_of(dir.path()).unwrap();
        assert_eq!(before, identity_of(dir.path()).unwrap());
        fs::write(dir.path().join("a/.stook-tmp-1"), b"1").unwrap();
        assert_eq!(before, identity_of(dir.path()).unwrap());
        remove_temporaries(dir.path()).unwrap();
        assert_eq!(fs::read_dir(dir.path().join("a")).unwrap().count(), 1);
        fs::write(dir.path().join("a/x"), b"12").unwrap();
        assert_ne!(before, identity_of(dir.path()).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_circle_come_to_an_end() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("x"), b"1").unwrap();
        for name in ["a", "b", "c"] {
            std::os::unix::fs::symlink(dir.path(), dir.path().join(name)).unwrap();
        }
        assert!(identity_of(dir.path()).unwrap().starts_with("1 files, 1 bytes"));
    }
}
