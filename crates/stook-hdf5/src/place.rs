//! Files as they lie in the file system: which are open in this process, who may open them, and
//! the journals beside them.
//!
//! Invariants: a file has one writer in this process, which all its handles share, because the
//! library shares it too; a writer has the exclusive lock of the journal and shares the lock of
//! the file, so that no other program that takes locks writes it; a file without a commit has an
//! exclusive lock itself.

mod home;
#[cfg(test)]
mod power_cuts;
#[cfg(test)]
mod trace;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use stook_core::container::Durability;
use stook_core::file::place::PlaceKind;
use stook_core::file::{FileId, FileIo, LocalFile, Mapping, Stamp, place, resolve};
use stook_core::{Error, ErrorKind, Result};

use self::home::{Beside, Folder, boot_id, is_journal};
use crate::container::Made;
use crate::signature::{Mark, mark_of};
use crate::transaction::recovery::{Contents, Look};
use crate::transaction::{Bounds, Bytes, Mark as JournalMark, Snapshot, TxFile, Version};

pub(crate) use home::journal_of;

/// An open file, below the library and beside it.
#[derive(Clone, Debug)]
pub(crate) enum Backing {
    /// This process writes it.
    Writer(Arc<Writer>),
    /// It is read at one commit.
    Reader(Arc<Reader>),
    /// It is read as it is, while who knows what writes it.
    Plain(Arc<LocalFile>),
}

/// A file that this process writes.
#[derive(Debug)]
pub(crate) struct Writer {
    tx: TxFile,
    file: Arc<LocalFile>,
    folder: Folder,
    id: FileId,
    /// What is made past the library.
    made: Made,
}

/// A file that is read at one commit.
#[derive(Debug)]
pub(crate) struct Reader {
    snapshot: Snapshot,
    file: Arc<LocalFile>,
    id: FileId,
}

/// What a file was found to be when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    Read,
    Write,
}

#[derive(Debug, Default)]
struct Open {
    writers: HashMap<FileId, Weak<Writer>>,
    readers: HashMap<FileId, Vec<Weak<Reader>>>,
    /// Where the commits were found that were read last.
    marks: HashMap<FileId, JournalMark>,
}

/// Files of which that is remembered.
const MAX_MARKS: usize = 64;

impl Open {
    fn remember(&mut self, id: FileId, mark: Option<JournalMark>) {
        if self.marks.len() >= MAX_MARKS {
            self.marks.clear();
        }
        match mark {
            Some(mark) => self.marks.insert(id, mark),
            None => self.marks.remove(&id),
        };
    }
}

static OPEN: Mutex<Option<Open>> = Mutex::new(None);

/// The files that are open, whatever process this is a fork of.
struct OpenFiles(MutexGuard<'static, Option<Open>>);

impl OpenFiles {
    fn lock() -> Self {
        Self(OPEN.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn get(&mut self) -> &mut Open {
        let open = self.0.get_or_insert_default();
        open.writers.retain(|_, writer| writer.strong_count() > 0);
        open.readers.retain(|_, readers| {
            readers.retain(|reader| reader.strong_count() > 0);
            !readers.is_empty()
        });
        open
    }

    fn writer(&mut self, id: FileId) -> Option<Arc<Writer>> {
        self.get().writers.get(&id)?.upgrade()
    }

    fn readers(&mut self, id: FileId) -> Vec<Arc<Reader>> {
        self.get().readers.get(&id).into_iter().flatten().filter_map(Weak::upgrade).collect()
    }
}

/// Opens the file at `path`; what is left of a writer that died is recovered by a writer.
///
/// # Errors
/// `NotFound`, `ReadOnly` without permission, `Locked` by another writer, `Corrupt` where what is
/// left of a writer does not fit the file, `Io`.
pub(crate) fn open(path: &Path, intent: Intent) -> Result<Backing> {
    let file = match intent {
        Intent::Read => LocalFile::open(path)?,
        Intent::Write => LocalFile::open_read_write(path)?,
    };
    let (id, file) = (file.identity()?, Arc::new(file));
    let mut open = OpenFiles::lock();
    if let Some(writer) = open.writer(id) {
        return Ok(Backing::Writer(writer));
    }
    if intent == Intent::Read {
        return open_reader(&mut open, file, id);
    }
    if let Some(reader) = open.readers(id).pop() {
        // The library refuses it.
        return Ok(Backing::Reader(reader));
    }
    let folder = Folder::of(&file, path);
    let journal = folder.lock_journal()?;
    let opened = lock_and_recover(&file, &folder, &journal).and_then(|()| {
        let home = Box::new(folder.clone());
        TxFile::open(io_of(&file), home, boot_id(), Bounds::default())
    });
    let tx = opened.inspect_err(|_| folder.let_go())?;
    let writer = Arc::new(Writer { tx, file, folder, id, made: Made::default() });
    open.get().writers.insert(id, Arc::downgrade(&writer));
    Ok(Backing::Writer(writer))
}

/// The file as its writer writes it.
#[cfg(not(test))]
fn io_of(file: &Arc<LocalFile>) -> Arc<dyn FileIo> {
    Arc::clone(file) as Arc<dyn FileIo>
}

/// The same, written down where a test wants that.
#[cfg(test)]
fn io_of(file: &Arc<LocalFile>) -> Arc<dyn FileIo> {
    trace::wrap(file, file.path(), trace::Of::File)
}

fn open_reader(open: &mut OpenFiles, file: Arc<LocalFile>, id: FileId) -> Result<Backing> {
    match file.lock_shared() {
        Err(error) if error.kind() == ErrorKind::Locked => return Ok(Backing::Plain(file)),
        locked => locked?,
    }
    let beside = Beside::of(&file);
    if mark_of(&*file)? == Mark::Swmr {
        return Ok(Backing::Plain(file));
    }
    let io = Arc::clone(&file) as Arc<dyn FileIo>;
    let mark = open.get().marks.get(&id).copied();
    let snapshot = Snapshot::open(io, Box::new(beside), (boot_id(), mark))?;
    open.get().remember(id, snapshot.mark());
    let mut readers = open.readers(id);
    readers.retain(|reader| reader.snapshot.version() == snapshot.version());
    if let Some(reader) = readers.pop() {
        return Ok(Backing::Reader(reader));
    }
    let reader = Arc::new(Reader { snapshot, file, id });
    open.get().readers.entry(id).or_default().push(Arc::downgrade(&reader));
    Ok(Backing::Reader(reader))
}

/// Takes the lock of a file whose journal is locked, and brings it to its last commit.
fn lock_and_recover(file: &LocalFile, folder: &Folder, journal: &LocalFile) -> Result<()> {
    file.lock_shared()?;
    let contents = Contents::read(file, journal, (boot_id(), Look::Whole))?;
    if let Some(contents) = contents {
        contents.recover(file, journal, boot_id())?;
    } else if journal.len_bytes()? > 0 {
        folder.expect_ours(journal)?;
        journal.set_len(0)?;
        journal.sync()?;
    }
    match mark_of(file)? {
        Mark::None => Ok(()),
        Mark::Written | Mark::Swmr => Err(marked(file.path())),
    }
}

/// The error of a file that says that somebody writes it.
pub(crate) fn marked(path: &Path) -> Error {
    let message = "the file is marked as already open for write";
    Error::corrupt(message).at_file(path).with_hint(
        "another program writes the file, or ended while it did: `stook recover` removes the mark",
    )
}

/// What becomes of a file that is in the way of a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InTheWay {
    Refused,
    Replaced,
}

/// Creates an empty file at `path`.
///
/// # Errors
/// `AlreadyExists`, `NotFound` if its folder is missing, `ReadOnly`, `Locked` where the one in the
/// way is open, `Corrupt` where its writer died and what is left of it cannot be recovered, `Io`.
pub(crate) fn create(path: &Path, in_the_way: InTheWay) -> Result<Backing> {
    let mut open = OpenFiles::lock();
    let file = match (in_the_way, place::kind_of(path)?) {
        (InTheWay::Replaced, Some(_)) => {
            let file = LocalFile::open_read_write(path)?;
            let id = file.identity()?;
            if open.writer(id).is_some() || !open.readers(id).is_empty() {
                let message = "the file is already open in this process";
                return Err(Error::new(ErrorKind::Locked, message).at_file(path));
            }
            file.lock_exclusive()?;
            if let Some(journal) = Beside::of_local(&file).open_journal()?
                && is_journal(&journal)?
            {
                expect_recovered(&file, &journal).inspect_err(|_| file.unlock())?;
            }
            file
        }
        _ => LocalFile::create_new(path)?,
    };
    file.lock_exclusive()?;
    if file.len_bytes()? > 0 {
        // Not otherwise: what closes a file that was emptied waits on some systems for the medium.
        file.set_len(0)?;
    }
    let (id, file) = (file.identity()?, Arc::new(file));
    let folder = Folder::of(&file, path);
    let io = io_of(&file);
    let tx = TxFile::create(io, Box::new(folder.clone()), boot_id(), Bounds::default());
    let writer = Arc::new(Writer { tx, file, folder, id, made: Made::default() });
    open.get().writers.insert(id, Arc::downgrade(&writer));
    Ok(Backing::Writer(writer))
}

/// Refuses to replace the file at `path` by another: where somebody writes it, and where its writer
/// died with commits that are not in it. A journal of which nothing is needed is removed, so that
/// it is not taken for that of the new file.
///
/// # Errors
/// `Locked`, `AlreadyExists` with a hint, `ReadOnly`, `Io`.
pub fn expect_replaceable(path: &Path) -> Result<()> {
    if place::kind_of(path)? != Some(PlaceKind::File) {
        return Ok(());
    }
    let Some(journal) = Beside::at(path).open_journal()? else { return Ok(()) };
    if !is_journal(&journal)? {
        return Ok(());
    }
    journal.lock_shared().map_err(|error| error.rename_file(path))?;
    expect_recovered(&LocalFile::open(path)?, &journal)
}

/// Refuses to empty a file whose writer died with commits that are not in it; removes a `journal`
/// of which nothing is needed.
fn expect_recovered(file: &LocalFile, journal: &LocalFile) -> Result<()> {
    if Contents::read(file, journal, (boot_id(), Look::Whole))?.is_some_and(|c| c.end.is_none()) {
        let message = "the program that wrote the file was interrupted, and it is not recovered";
        return Err(Error::new(ErrorKind::AlreadyExists, message).at_file(file.path()).with_hint(
            "`stook recover` recovers it; to replace it, remove it and its journal first",
        ));
    }
    place::remove(journal.path())
}

impl Backing {
    fn id(&self) -> Option<FileId> {
        match self {
            // The library must not take it for the same file opened anew.
            Self::Writer(writer) if writer.tx.is_discarded() => None,
            Self::Writer(writer) => Some(writer.id),
            Self::Reader(reader) => Some(reader.id),
            Self::Plain(file) => file.identity().ok(),
        }
    }

    /// Which file it is, and at which commit: what is the same is one file to the library.
    pub(crate) fn key(&self) -> (Option<FileId>, Option<Version>) {
        let version = match self {
            Self::Reader(reader) => Some(reader.snapshot.version()),
            Self::Writer(_) | Self::Plain(_) => None,
        };
        (self.id(), version)
    }

    /// What is made past the library, where this process writes the file.
    pub(crate) fn made(&self) -> Option<&Made> {
        match self {
            Self::Writer(writer) => Some(&writer.made),
            Self::Reader(_) | Self::Plain(_) => None,
        }
    }

    /// Whether what is on disk is another commit than this.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn is_outdated(&self) -> Result<bool> {
        match self {
            Self::Reader(reader) => reader.snapshot.is_outdated(),
            Self::Plain(_) => Ok(true),
            Self::Writer(_) => Ok(false),
        }
    }

    /// Makes all that was written one commit.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn commit(&self, durability: Durability) -> Result<()> {
        match self {
            Self::Writer(writer) => writer.tx.commit(durability),
            Self::Reader(_) | Self::Plain(_) => Ok(()),
        }
    }

    /// Gives up what was written since the last commit: whether there was a writer to do so.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn discard(&self) -> Result<bool> {
        let Self::Writer(writer) = self else { return Ok(false) };
        let discarded = writer.tx.discard();
        self.forget_writer(writer);
        discarded.map(|()| true)
    }

    /// Refuses a file whose changes were given up.
    ///
    /// # Errors
    /// `InvalidInput`.
    pub(crate) fn expect_kept(&self) -> Result<()> {
        match self {
            Self::Writer(writer) if writer.tx.is_discarded() => {
                Err(Error::invalid("the changes of this handle were given up: open the file anew"))
            }
            _ => Ok(()),
        }
    }

    fn forget_writer(&self, writer: &Arc<Writer>) {
        let mut open = OpenFiles::lock();
        if let Some(known) = open.get().writers.get(&writer.id)
            && std::ptr::eq(known.as_ptr(), Arc::as_ptr(writer))
        {
            open.get().writers.remove(&writer.id);
        }
    }

    /// The file's bytes in memory, where nobody writes it.
    pub(crate) fn map(&self) -> Option<Mapping> {
        match self {
            Self::Reader(reader) if reader.snapshot.is_plain() => reader.file.map().ok(),
            Self::Plain(file) => file.map().ok(),
            _ => None,
        }
    }

    /// From here on commits bring metadata to the file in the order in which it is written.
    ///
    /// # Errors
    /// `Io`, `ReadOnly`.
    pub(crate) fn keep_order(&self) -> Result<()> {
        match self {
            Self::Writer(writer) => writer.tx.keep_order(),
            Self::Reader(_) | Self::Plain(_) => Ok(()),
        }
    }

    /// Whether commits do so.
    pub(crate) fn keeps_order(&self) -> bool {
        match self {
            Self::Writer(writer) => writer.tx.keeps_order(),
            Self::Reader(_) | Self::Plain(_) => false,
        }
    }

    /// Writes what the library writes, which is not told of a full disk: the next commit is.
    ///
    /// # Errors
    /// `ReadOnly`, `Io`.
    pub(crate) fn write_waiting(&self, offset: u64, bytes: &[u8], what: Bytes) -> Result<()> {
        match self {
            Self::Writer(writer) => writer.tx.write_waiting(offset, bytes, what),
            other => other.write_at(offset, bytes),
        }
    }

    /// Refuses where much waits for room on a full disk.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn expect_room(&self) -> Result<()> {
        match self {
            Self::Writer(writer) => writer.tx.expect_room(),
            Self::Reader(_) | Self::Plain(_) => Ok(()),
        }
    }

    /// The last handle is closed: commits, cuts the file to `len`, and forgets it.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn close(&self, len: Option<u64>) -> Result<()> {
        let Self::Writer(writer) = self else { return Ok(()) };
        let closed = writer.tx.close(len);
        if writer.tx.is_own() {
            self.forget_writer(writer);
        }
        closed
    }

    /// In a child process: leaves file and locks to the parent.
    #[cfg(unix)]
    pub(crate) fn after_fork(&self) {
        let file = match self {
            Self::Writer(writer) => &writer.file,
            Self::Reader(reader) => &reader.file,
            Self::Plain(file) => file,
        };
        let again = file.reopen().or_else(|_| LocalFile::open("/dev/null"));
        if let Ok(again) = again {
            crate::ffi::replace_descriptor(&**file, &again);
        }
        if let Self::Writer(writer) = self
            && let Some(journal) = writer.folder.journal()
            && let Ok(again) = journal.reopen().or_else(|_| LocalFile::open("/dev/null"))
        {
            crate::ffi::replace_descriptor(&*journal, &again);
        }
    }
}

impl FileIo for Backing {
    fn path(&self) -> &Path {
        match self {
            Self::Writer(writer) => writer.file.path(),
            Self::Reader(reader) => reader.file.path(),
            Self::Plain(file) => file.path(),
        }
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize> {
        match self {
            Self::Writer(writer) => writer.tx.read_at(offset, out),
            Self::Reader(reader) => reader.snapshot.read_at(offset, out),
            Self::Plain(file) => file.read_at(offset, out),
        }
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Writer(writer) => writer.tx.write_at(offset, bytes),
            Self::Reader(reader) => reader.snapshot.write_at(offset, bytes),
            Self::Plain(file) => file.write_at(offset, bytes),
        }
    }

    fn len_bytes(&self) -> Result<u64> {
        match self {
            Self::Writer(writer) => writer.tx.len_bytes(),
            Self::Reader(reader) => reader.snapshot.len_bytes(),
            Self::Plain(file) => file.len_bytes(),
        }
    }

    fn set_len(&self, len_bytes: u64) -> Result<()> {
        match self {
            Self::Writer(writer) => writer.tx.set_len(len_bytes),
            Self::Reader(reader) => reader.snapshot.set_len(len_bytes),
            Self::Plain(file) => file.set_len(len_bytes),
        }
    }

    fn sync(&self) -> Result<()> {
        self.commit(Durability::Fsync)
    }
}

/// What a journal that was found beside a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The journal.
    pub journal: PathBuf,
    /// Commits that it holds and that count.
    pub n_commits: u64,
    /// Commits that it holds and that do not, because a power cut came before all of them was
    /// on the medium.
    pub n_dropped: u64,
    /// Bytes of the journal.
    pub len_bytes: u64,
    /// Whether its end is a commit that was never finished.
    pub is_torn: bool,
    /// Whether the file is marked as being written.
    pub is_marked: bool,
    /// Whether its writer is still at work, so that nothing is to be recovered.
    pub is_written: bool,
}

/// What becomes of a journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Remedy {
    /// Its commits are brought to the file.
    #[default]
    Apply,
    /// It is given up, and the file stays as it is.
    Discard,
    /// Nothing: it is only looked at.
    Look,
}

/// Looks at what a writer that died left of the file at `path`, and carries out `remedy`; `None`
/// where nothing was left.
///
/// # Errors
/// `NotFound`, `ReadOnly`, `Locked` where the file is being written, `Corrupt` where the file was
/// changed since, `Io`.
pub fn recover(path: impl AsRef<Path>, remedy: Remedy) -> Result<Option<Recovery>> {
    let path = path.as_ref();
    let file = match remedy {
        Remedy::Look => LocalFile::open(path)?,
        Remedy::Apply | Remedy::Discard => LocalFile::open_read_write(path)?,
    };
    let file = Arc::new(file);
    file.lock_shared()?;
    let is_marked = mark_of(&*file)? != Mark::None;
    let beside = Beside::of_local(&file);
    let Some(found) = beside.open_journal()? else {
        if is_marked && remedy != Remedy::Look {
            file.lock_exclusive()?;
            crate::signature::clear_mark(&*file)?;
            file.sync()?;
        }
        let journal = journal_of(path);
        return Ok(is_marked.then_some(Recovery {
            journal,
            n_commits: 0,
            n_dropped: 0,
            len_bytes: 0,
            is_torn: false,
            is_marked,
            is_written: false,
        }));
    };
    let journal = found.path().to_path_buf();
    let look = |contents: Option<&Contents>| {
        Ok(Recovery {
            journal: journal.clone(),
            n_commits: contents.map_or(0, |contents| contents.target as u64),
            n_dropped: contents.map_or(0, |c| (c.commits.len() - c.target) as u64),
            len_bytes: found.len_bytes()?,
            is_torn: contents.is_some_and(|contents| contents.is_torn),
            is_marked,
            is_written: remedy == Remedy::Look && is_held(&found)?,
        })
    };
    if remedy == Remedy::Look {
        let contents = Contents::read(&*file, &found, (boot_id(), Look::Whole))?;
        return look(contents.as_ref()).map(Some);
    }
    let folder = Folder::of(&file, path);
    let locked = folder.lock_journal()?;
    let contents = Contents::read(&*file, &*locked, (boot_id(), Look::Whole))?;
    let recovery = look(contents.as_ref())?;
    match (&contents, remedy) {
        (Some(contents), Remedy::Apply) => contents.recover(&*file, &*locked, boot_id())?,
        _ => {
            folder.expect_ours(&locked)?;
            locked.set_len(0)?;
        }
    }
    if is_marked {
        crate::signature::clear_mark(&*file)?;
        file.sync()?;
    }
    folder.let_go();
    Ok(Some(recovery))
}

/// Whether another process holds the lock of a journal, as its writer does.
fn is_held(journal: &LocalFile) -> Result<bool> {
    match journal.lock_shared() {
        Ok(()) => {
            journal.unlock();
            Ok(false)
        }
        Err(error) if error.kind() == ErrorKind::Locked => Ok(true),
        Err(error) => Err(error),
    }
}

/// Length and time of the last change of `file`.
fn stamp_of(file: &LocalFile) -> Result<Stamp> {
    file.stamp()
}

/// The path that `file` really has.
fn real_path(file: &LocalFile) -> PathBuf {
    resolve(file.path())
}
