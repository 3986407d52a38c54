//! The file as a reader sees it: at one commit, while a writer goes on.
//!
//! A writer publishes what it is going to change, and what was there before, in its journal
//! before it changes a byte. So a reader reads, then looks for records that were published
//! meanwhile, and takes the bytes from before them out of the journal. Readers write nothing and
//! lock nobody out; without a journal a look at the file's time of change is all it costs.

use std::fmt::Debug;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use stook_core::file::{FileIo, Stamp};
use stook_core::{Error, ErrorKind, Result};

use super::journal::{BootId, HEADER_LEN, Header, Kind, Record};
use super::patches::Patches;
use super::recovery::{Contents, Look};

/// What a [`Snapshot`] asks of the folder that its file lies in.
pub(crate) trait Around: Debug + Send + Sync {
    /// Length and time of the last change of the file.
    fn stamp(&self) -> Result<Stamp>;

    /// The journal beside the file, if there is one.
    fn journal(&self) -> Result<Option<Arc<dyn FileIo>>>;

    /// Whether the writer of the journal is at work.
    fn is_written(&self) -> bool;
}

/// A file at one commit.
#[derive(Debug)]
pub(crate) struct Snapshot {
    file: Arc<dyn FileIo>,
    around: Box<dyn Around>,
    len: u64,
    version: Version,
    mark: Option<Mark>,
    view: RwLock<View>,
}

/// Which commit of a file a snapshot shows: two of one file that are equal show the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// The file as it was with this stamp.
    Plain(Stamp),
    /// A commit, by the journal's salt and its number.
    Commit(u64, u64),
}

/// Where in a journal a commit was found: who looks for later ones begins there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    salt: u64,
    /// The position of its record, and the number of the commit before.
    at: (u64, u64),
}

#[derive(Debug)]
enum View {
    /// There was no journal, and the file has not changed since.
    Plain(Stamp),
    /// There is a journal.
    Followed(Followed),
}

#[derive(Debug)]
struct Followed {
    journal: Arc<dyn FileIo>,
    salt: u64,
    /// Where the next record will be, and the number of the last.
    tail: u64,
    sequence: u64,
    patches: Patches,
    /// The file as its writer left it.
    end: Option<Stamp>,
    /// Whether the writer is gone, and what comes after the last record is no record.
    is_left: bool,
}

impl Snapshot {
    /// The file at its last commit.
    ///
    /// # Errors
    /// `Unsupported` where a later version wrote the journal, `Io`.
    pub(crate) fn open(
        file: Arc<dyn FileIo>,
        around: Box<dyn Around>,
        (boot, mark): (BootId, Option<Mark>),
    ) -> Result<Self> {
        // Again where a writer came or went meanwhile.
        for _ in 0..16 {
            let stamp = around.stamp()?;
            let found = match around.journal()? {
                None => None,
                Some(journal) => {
                    let of_other_boot = |header: Header| header.boot != boot;
                    let is_gone =
                        Header::read(&*journal)?.is_some_and(of_other_boot) && !around.is_written();
                    let found = if is_gone {
                        Contents::read(&*file, &*journal, (boot, Look::Whole))?.map(Found::whole)
                    } else {
                        Found::live(&*file, &*journal, (boot, mark))?
                    };
                    found.map(|found| (journal, found))
                }
            };
            let Some((journal, found)) = found else {
                if around.stamp()? != stamp {
                    continue;
                }
                return Ok(Self::plain(file, around, stamp));
            };
            if found.is_ended {
                // It is about to be removed.
                std::thread::yield_now();
                if around.journal()?.is_some() {
                    return Ok(Self::plain(file, around, stamp));
                }
                continue;
            }
            let (len, mark) = (file.len_bytes()?.max(found.len), found.mark);
            let version = Version::Commit(found.salt, found.sequence);
            let followed = Followed::new(journal, found);
            if !followed.is_current()? {
                continue;
            }
            let view = RwLock::new(View::Followed(followed));
            return Ok(Self { file, around, len, version, mark, view });
        }
        let message = "the file is opened and closed by a writer all the time";
        Err(Error::new(ErrorKind::Locked, message).at_file(file.path()))
    }

    /// The file as it is, which nobody writes.
    fn plain(file: Arc<dyn FileIo>, around: Box<dyn Around>, stamp: Stamp) -> Self {
        let (len, version) = (stamp.len_bytes, Version::Plain(stamp));
        Self { file, around, len, version, mark: None, view: RwLock::new(View::Plain(stamp)) }
    }

    /// Where in the journal the commit was found, for who opens a later one.
    pub(crate) fn mark(&self) -> Option<Mark> {
        self.mark
    }

    /// Which commit it shows.
    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// Whether no writer has been at the file, so that its bytes may be mapped.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(*self.view(), View::Plain(_))
    }

    fn view(&self) -> RwLockReadGuard<'_, View> {
        self.view.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether what is there now is another commit than this.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn is_outdated(&self) -> Result<bool> {
        if let View::Followed(followed) = &*self.view()
            && followed.end.is_none()
            && followed.next()?.is_some()
        {
            return Ok(true);
        }
        match self.follow() {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Locked => return Ok(true),
            Err(error) => return Err(error),
        }
        let view = self.view();
        Ok(match (&*view, self.version) {
            (View::Plain(stamp), _) => self.around.stamp()? != *stamp,
            (View::Followed(followed), Version::Commit(_, sequence)) => {
                followed.sequence != sequence || followed.end.is_some()
            }
            // It has followed from before the first record on.
            (View::Followed(followed), Version::Plain(_)) => {
                followed.tail != HEADER_LEN || followed.end.is_some()
            }
        })
    }

    /// Takes note of what was published since the last time.
    fn follow(&self) -> Result<()> {
        match &*self.view() {
            View::Plain(stamp) if self.around.stamp()? == *stamp => return Ok(()),
            View::Plain(_) => {}
            View::Followed(followed) => {
                if followed.has_no_news(&*self.around)? {
                    return Ok(());
                }
            }
        }
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        if let View::Plain(stamp) = *view {
            if self.around.stamp()? == stamp {
                return Ok(());
            }
            *view = View::Followed(self.attach(stamp)?);
        }
        match &mut *view {
            View::Followed(followed) => followed.catch_up(&*self.around, &*self.file),
            View::Plain(_) => Ok(()),
        }
    }

    /// The journal that began with the file as this shows it.
    fn attach(&self, stamp: Stamp) -> Result<Followed> {
        let journal = self.around.journal()?;
        let journal = journal.ok_or_else(|| too_old(&*self.file))?;
        let header = Header::read(&*journal)?.filter(|header| header.base == stamp);
        let header = header.ok_or_else(|| too_old(&*self.file))?;
        Ok(Followed {
            journal,
            salt: header.salt,
            tail: HEADER_LEN,
            sequence: header.sequence,
            patches: Patches::default(),
            end: None,
            is_left: false,
        })
    }
}

/// What a journal says of the last commit.
struct Found {
    salt: u64,
    /// The number of the commit.
    sequence: u64,
    /// The length of the file.
    len: u64,
    /// What makes of the file as it may be that at the commit.
    patches: Patches,
    /// Where the next record will be, and the number of the last.
    tail: (u64, u64),
    mark: Option<Mark>,
    is_ended: bool,
    /// Whether the writer is gone.
    is_left: bool,
}

impl Found {
    /// What is left of a writer that is gone.
    fn whole(contents: Contents) -> Self {
        Self {
            salt: contents.header.salt,
            sequence: contents.sequence(),
            len: contents.len(),
            patches: contents.patches(contents.target),
            tail: (contents.tail, contents.header.sequence + contents.commits.len() as u64),
            mark: None,
            is_ended: contents.end.is_some(),
            is_left: true,
        }
    }

    /// What a writer at work has published last, from `mark` on if that is of this journal; `None`
    /// where the journal has no header.
    fn live(
        file: &dyn FileIo,
        journal: &dyn FileIo,
        (boot, mark): (BootId, Option<Mark>),
    ) -> Result<Option<Self>> {
        let Some(header) = Header::read(journal)? else { return Ok(None) };
        let mark = mark.filter(|mark| mark.salt == header.salt);
        let begins = mark.map_or((HEADER_LEN, header.sequence), |mark| mark.at);
        let (mut tail, mut last, mut is_ended) = (begins, None, false);
        while let Some(record) = Record::read(journal, header.salt, tail)? {
            let at = std::mem::replace(&mut tail, (record.next, record.sequence));
            match record.kind {
                Kind::Commit => last = Some((at, record)),
                Kind::End(_) => {
                    is_ended = true;
                    break;
                }
            }
        }
        let extents = match &last {
            Some((_, record)) => record.extents(journal)?,
            None => mark.is_none().then(Vec::new),
        };
        let Some(extents) = extents else {
            // Begun anew meanwhile, or damaged: look at each record.
            let contents = Contents::read(file, journal, (boot, Look::Live))?;
            return Ok(contents.map(|contents| {
                let patches = contents.last_patches();
                Self { patches, is_left: false, ..Self::whole(contents) }
            }));
        };
        let mut patches = Patches::default();
        // A writer brings each commit to the file before it publishes the next.
        for extent in &extents {
            patches.add(extent.offset, extent.len, extent.redo);
        }
        let sequence = last.as_ref().map_or(header.sequence, |(_, record)| record.sequence);
        Ok(Some(Self {
            salt: header.salt,
            sequence,
            len: last.as_ref().map_or(header.base.len_bytes, |(_, record)| record.new_len),
            patches,
            tail,
            mark: last.map(|(at, _)| Mark { salt: header.salt, at }),
            is_ended,
            is_left: false,
        }))
    }
}

impl Followed {
    fn new(journal: Arc<dyn FileIo>, found: Found) -> Self {
        let (tail, sequence) = found.tail;
        let (salt, patches, is_left) = (found.salt, found.patches, found.is_left);
        Self { journal, salt, tail, sequence, patches, end: None, is_left }
    }

    /// Whether the journal is the one that it was.
    fn is_current(&self) -> Result<bool> {
        Ok(Header::read(&*self.journal)?.is_some_and(|header| header.salt == self.salt))
    }

    fn next(&self) -> Result<Option<Record>> {
        if self.is_left {
            return Ok(None);
        }
        Record::read(&*self.journal, self.salt, (self.tail, self.sequence))
    }

    /// Whether nothing was published, and the file is still written by way of this journal.
    fn has_no_news(&self, around: &dyn Around) -> Result<bool> {
        match self.end {
            Some(stamp) => Ok(around.stamp()? == stamp),
            None => Ok(self.next()?.is_none() && self.is_current()?),
        }
    }

    fn catch_up(&mut self, around: &dyn Around, file: &dyn FileIo) -> Result<()> {
        while self.end.is_none()
            && let Some(record) = self.next()?
        {
            match record.kind {
                Kind::End(stamp) => self.end = Some(stamp),
                Kind::Commit => {
                    // Not whole where the journal has been begun anew.
                    let extents = record.extents(&*self.journal)?;
                    for extent in extents.ok_or_else(|| too_old(file))? {
                        self.patches.add(extent.offset, extent.len, extent.undo);
                    }
                }
            }
            (self.tail, self.sequence) = (record.next, record.sequence);
        }
        let is_known = match self.end {
            Some(stamp) => around.stamp()? == stamp,
            None => self.is_current()?,
        };
        if is_known { Ok(()) } else { Err(too_old(file)) }
    }
}

/// The error of a reader whose commit is no more.
fn too_old(file: &dyn FileIo) -> Error {
    let message = "the file has been changed since it was opened, and what it was is no more";
    let error = Error::new(ErrorKind::Locked, message).at_file(file.path());
    error.with_hint("`refresh` the file, or open it again")
}

impl FileIo for Snapshot {
    fn path(&self) -> &Path {
        self.file.path()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize> {
        let left = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let n = left.min(out.len());
        let Some(out) = out.get_mut(..n).filter(|out| !out.is_empty()) else { return Ok(0) };
        let found = self.file.read_at(offset, out)?;
        // After the bytes are here: what is not published by now had not been changed.
        self.follow()?;
        if found < n && self.file.len_bytes()? < self.len {
            let is_cut = !matches!(*self.view(), View::Plain(_));
            return if is_cut { Err(too_old(&*self.file)) } else { Ok(found) };
        }
        match &*self.view() {
            View::Followed(followed)
                if followed.patches.touch(offset, offset.saturating_add(n as u64)) =>
            {
                let applied = followed.patches.apply(&*followed.journal, offset, out);
                if !followed.is_current()? {
                    return Err(too_old(&*self.file));
                }
                applied?;
            }
            _ => {}
        }
        Ok(n)
    }

    fn write_at(&self, _: u64, _: &[u8]) -> Result<()> {
        Err(read_only(self.path()))
    }

    fn len_bytes(&self) -> Result<u64> {
        Ok(self.len)
    }

    fn set_len(&self, _: u64) -> Result<()> {
        Err(read_only(self.path()))
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }
}

fn read_only(path: &Path) -> Error {
    Error::read_only("the file was opened for reading only").at_file(path)
}
