//! The folder of a file: the journal in it, and locks.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use stook_core::file::{FileIo, LocalFile, Stamp, place, sync_dir};
use stook_core::{Error, ErrorKind, Result};

use super::{real_path, stamp_of};
use crate::transaction::journal::{BootId, HEADER_LEN};
use crate::transaction::{Around, Home};

/// What the name of a journal ends in.
const SUFFIX: &str = "-journal";

/// The journal of the file at `path`: beside the file itself, where the path is a link.
pub(crate) fn journal_of(path: &Path) -> PathBuf {
    let real = stook_core::file::resolve(path);
    let mut name = real.file_name().unwrap_or_default().to_os_string();
    name.push(SUFFIX);
    real.with_file_name(name)
}

/// What names this start of the operating system; zeros where that is not known, as if it had
/// never been started anew.
pub(crate) fn boot_id() -> BootId {
    static ID: OnceLock<BootId> = OnceLock::new();
    *ID.get_or_init(|| {
        let mut text = [0; 36];
        let read = LocalFile::open("/proc/sys/kernel/random/boot_id")
            .and_then(|file| file.read_exact_at(0, &mut text));
        let mut id = BootId::default();
        if read.is_ok() {
            let digits: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'-').collect();
            for (to, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
                let pair = std::str::from_utf8(pair).unwrap_or_default();
                *to = u8::from_str_radix(pair, 16).unwrap_or(0);
            }
        }
        id
    })
}

/// Whether the file that has the name of a journal is one, or what is left of one that was begun.
pub(super) fn is_journal(found: &LocalFile) -> Result<bool> {
    let mut first = [0; 8];
    let n = found.read_at(0, &mut first)?;
    let is_ours = first.starts_with(b"\x8fSTKJNL\n") || first.iter().all(|byte| *byte == 0);
    Ok(n == 0 || is_ours || found.len_bytes()? < HEADER_LEN)
}

/// A writer's view of the folder.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    file: Arc<LocalFile>,
    target: PathBuf,
    path: PathBuf,
    journal: Arc<Mutex<Option<Arc<LocalFile>>>>,
}

impl Folder {
    /// The folder of `file`, which was opened by `path`.
    pub(super) fn of(file: &Arc<LocalFile>, path: &Path) -> Self {
        Self {
            file: Arc::clone(file),
            target: path.to_path_buf(),
            path: journal_of(path),
            journal: Arc::default(),
        }
    }

    /// The journal, where there is one.
    pub(super) fn journal(&self) -> Option<Arc<LocalFile>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The journal, which is created if there is none, locked against other writers.
    pub(super) fn lock_journal(&self) -> Result<Arc<LocalFile>> {
        if let Some(journal) = self.journal() {
            return Ok(journal);
        }
        loop {
            let journal = LocalFile::open_or_create(&self.path).map_err(|error| {
                let why = format!("no journal can be kept beside the file: {}", error.message());
                match error.kind() {
                    ErrorKind::Io => error,
                    kind => Error::new(kind, why).at_file(&self.target),
                }
            })?;
            journal.lock_exclusive().map_err(|error| error.rename_file(&self.target))?;
            // Another writer may have removed it before it was locked.
            if journal.is_current() {
                let journal = Arc::new(journal);
                let mut place = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
                *place = Some(Arc::clone(&journal));
                return Ok(journal);
            }
        }
    }

    /// Refuses a file that has the journal's name and is none: nothing of it may be lost.
    pub(super) fn expect_ours(&self, journal: &LocalFile) -> Result<()> {
        if is_journal(journal)? {
            return Ok(());
        }
        let message = "a file that is no journal has the name of this file's journal";
        let name = journal.path().display();
        Err(Error::already_exists(format!("{message}: `{name}`")).at_file(&self.target))
    }

    /// The journal as it is written.
    #[cfg(not(test))]
    fn io_of(&self, journal: Arc<LocalFile>) -> Arc<dyn FileIo> {
        journal
    }

    /// The same, written down where a test wants that.
    #[cfg(test)]
    fn io_of(&self, journal: Arc<LocalFile>) -> Arc<dyn FileIo> {
        super::trace::note(&self.target, super::trace::Event::JournalCreated);
        super::trace::wrap(&journal, &self.target, super::trace::Of::Journal)
    }

    /// Removes the journal and gives up its lock.
    pub(super) fn let_go(&self) {
        // What is left of it is empty, or recovered again.
        let is_ours = self.journal().is_none_or(|journal| {
            self.expect_ours(&journal).is_ok() && journal.len_bytes().is_ok_and(|len| len == 0)
        });
        if is_ours {
            drop(self.remove_journal());
        }
        *self.journal.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Home for Folder {
    fn create_journal(&self) -> Result<Arc<dyn FileIo>> {
        let journal = self.lock_journal()?;
        if journal.len_bytes()? > 0 {
            self.expect_ours(&journal)?;
            journal.set_len(0)?;
            journal.sync()?;
        }
        Ok(self.io_of(journal))
    }

    fn journal_is_ready(&self) -> Result<()> {
        self.file.lock_shared()
    }

    fn sync_names(&self) -> Result<()> {
        #[cfg(test)]
        super::trace::note(&self.target, super::trace::Event::NamesSynced);
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => sync_dir(folder),
            _ => sync_dir(Path::new(".")),
        }
    }

    fn stamp(&self) -> Result<Stamp> {
        stamp_of(&self.file)
    }

    fn remove_journal(&self) -> Result<()> {
        let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner).take();
        match journal {
            Some(_) => {
                #[cfg(test)]
                super::trace::note(&self.target, super::trace::Event::JournalRemoved);
                place::remove(&self.path)
            }
            None => Ok(()),
        }
    }
}

/// A reader's view of the folder.
#[derive(Debug)]
pub(super) struct Beside {
    file: Option<Arc<LocalFile>>,
    path: PathBuf,
}

impl Beside {
    pub(super) fn of(file: &Arc<LocalFile>) -> Self {
        Self { file: Some(Arc::clone(file)), path: journal_of(&real_path(file)) }
    }

    /// One for the journal alone of the file at `path`.
    pub(super) fn at(path: &Path) -> Self {
        Self { file: None, path: journal_of(path) }
    }

    /// One for the journal alone.
    pub(super) fn of_local(file: &LocalFile) -> Self {
        Self { file: None, path: journal_of(&real_path(file)) }
    }

    pub(super) fn open_journal(&self) -> Result<Option<LocalFile>> {
        match LocalFile::open(&self.path) {
            Ok(journal) => Ok(Some(journal)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Around for Beside {
    fn stamp(&self) -> Result<Stamp> {
        self.file.as_ref().map_or(Ok(Stamp::default()), |file| stamp_of(file))
    }

    fn journal(&self) -> Result<Option<Arc<dyn FileIo>>> {
        Ok(self.open_journal()?.map(|journal| Arc::new(journal) as Arc<dyn FileIo>))
    }

    fn is_written(&self) -> bool {
        let journal = self.open_journal().ok().flatten();
        journal.is_some_and(|journal| {
            journal.lock_shared().is_err_and(|error| error.kind() == ErrorKind::Locked)
        })
    }
}
