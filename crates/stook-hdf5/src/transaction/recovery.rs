//! What a journal says about a file whose writer did not close it, and bringing the file there.
//!
//! Invariant: nothing is written before every byte that the journal knows was found to be one of
//! those that it knows: who changed the file otherwise keeps what was changed.

use std::collections::BTreeMap;

use stook_core::file::FileIo;
use stook_core::{Error, Result};

use super::journal::{BootId, Extent, HEADER_LEN, Header, Kind, PAGE_LEN, Record};
use super::patches::Patches;

/// What is read at once.
const BLOCK_LEN_BYTES: u64 = 1 << 20;

/// What a journal holds.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) header: Header,
    /// The commits that are whole, in order.
    pub(crate) commits: Vec<(Record, Vec<Extent>)>,
    /// Where the next record would be.
    pub(crate) tail: u64,
    /// Whether the writer closed the file.
    pub(crate) end: Option<Record>,
    /// Whether there is more, which is not whole.
    pub(crate) is_torn: bool,
    /// How many of the commits count: those that were on the medium when the power went.
    pub(crate) target: usize,
}

/// How closely a journal is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// The writer may be at work: what it published is whole.
    Live,
    /// The writer is gone: a power cut may have left anything.
    Whole,
}

impl Contents {
    /// What `journal`, beside `file`, holds; `None` where nothing is to be recovered from it.
    ///
    /// # Errors
    /// `Unsupported` where a later version wrote it, `Io`.
    pub(crate) fn read(
        file: &dyn FileIo,
        journal: &dyn FileIo,
        (boot, look): (BootId, Look),
    ) -> Result<Option<Self>> {
        let Some(header) = Header::read(journal)? else { return Ok(None) };
        let (commits, tail, end) = scan(journal, &header, look)?;
        let is_torn = end.is_none() && journal.len_bytes()? > tail;
        let target = commits.len();
        let mut contents = Self { header, commits, tail, end, is_torn, target };
        if look == Look::Whole && header.boot != boot {
            contents.target = contents.after_power_cut(file, journal)?;
        }
        Ok(Some(contents))
    }

    /// The number of the last commit that counts.
    pub(crate) fn sequence(&self) -> u64 {
        self.header.sequence + self.target as u64
    }

    /// The length of the file at the commit that counts.
    pub(crate) fn len(&self) -> u64 {
        self.len_at(self.target)
    }

    fn len_at(&self, target: usize) -> u64 {
        let last = target.checked_sub(1).and_then(|at| self.commits.get(at));
        last.map_or(self.header.base.len_bytes, |(record, _)| record.new_len)
    }

    /// The last commit up to which everything was put on the medium; `None` if nothing was.
    fn last_durable(&self) -> Option<usize> {
        let last = self.commits.iter().rposition(|(record, _)| record.is_durable);
        last.map(|at| at + 1).or(self.header.is_durable.then_some(0))
    }

    /// How many commits count after a power cut: all, where all is there, else those up to the
    /// last that was put on the medium.
    fn after_power_cut(&self, file: &dyn FileIo, journal: &dyn FileIo) -> Result<usize> {
        let all = self.commits.len();
        let Some(durable) = self.last_durable().filter(|durable| *durable < all) else {
            return Ok(all);
        };
        let is_whole = file.len_bytes()? >= self.len_at(all)
            && self.is_applied(file, journal)?
            && self.has_new_bytes(file, journal, durable)?;
        Ok(if is_whole { all } else { durable })
    }

    /// Whether the file has all bytes as after the last commit.
    fn is_applied(&self, file: &dyn FileIo, journal: &dyn FileIo) -> Result<bool> {
        for (offset, len, position) in self.patches(self.commits.len()).iter() {
            if bytes_at(file, offset, len)? != bytes_at(journal, position, len)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the file has what the commits after `durable` wrote past its end.
    fn has_new_bytes(
        &self,
        file: &dyn FileIo,
        journal: &dyn FileIo,
        durable: usize,
    ) -> Result<bool> {
        // What later commits changed is taken back, from the last to the first.
        let mut undo = Patches::default();
        for (record, extents) in self.commits.iter().skip(durable).rev() {
            let mut checksum = 0;
            let mut at = record.old_len;
            while at < record.new_len {
                let len = (record.new_len - at).min(BLOCK_LEN_BYTES);
                let mut bytes = bytes_at(file, at, len)?;
                undo.apply(journal, at, &mut bytes)?;
                checksum = crc32c::crc32c_append(checksum, &bytes);
                at += len;
            }
            if record.checksum != Some(checksum) {
                return Ok(false);
            }
            for extent in extents {
                undo.put(extent.offset, extent.len, extent.undo);
            }
        }
        Ok(true)
    }

    /// What makes of the file, as far as the journal knows it, that after the first `target`
    /// commits.
    pub(crate) fn patches(&self, target: usize) -> Patches {
        let mut patches = Patches::default();
        let (before, after) = self.commits.split_at(target.min(self.commits.len()));
        for (_, extents) in before.iter().rev() {
            for extent in extents {
                patches.add(extent.offset, extent.len, extent.redo);
            }
        }
        for (_, extents) in after {
            for extent in extents {
                patches.add(extent.offset, extent.len, extent.undo);
            }
        }
        patches
    }

    /// What makes of a file that has all commits but the last, or a part of it, that after it.
    pub(crate) fn last_patches(&self) -> Patches {
        let mut patches = Patches::default();
        for extent in self.commits.last().iter().flat_map(|(_, extents)| extents) {
            patches.add(extent.offset, extent.len, extent.redo);
        }
        patches
    }

    /// Refuses where a byte of the file is none of those that the journal knows.
    fn expect_known(&self, file: &dyn FileIo, journal: &dyn FileIo, boot: BootId) -> Result<()> {
        let is_certain = self.header.boot == boot;
        // After a power cut anything may be where nothing had been put on the medium, and on
        // pages of later commits what commits of which no record is left made of them.
        let durable = self.last_durable();
        let certain = match durable {
            _ if is_certain => u64::MAX,
            durable => durable.map_or(0, |durable| self.len_at(durable)),
        };
        let mut pages: BTreeMap<u64, Vec<&Extent>> = BTreeMap::new();
        for (at, (_, extents)) in self.commits.iter().enumerate() {
            for extent in extents {
                pages.entry(extent.page()).or_default().push(extent);
            }
            if !is_certain && durable.is_some_and(|durable| at >= durable) {
                for extent in extents {
                    pages.insert(extent.page(), Vec::new());
                }
            }
        }
        for (number, extents) in pages.into_iter().filter(|(_, extents)| !extents.is_empty()) {
            let start = number * PAGE_LEN;
            let mut found = [0; PAGE_LEN as usize];
            let n = file.read_at(start, &mut found)?;
            // 0 for bytes that the journal says nothing of, 1 for those it knows others for.
            let mut marks = [0_u8; PAGE_LEN as usize];
            for extent in extents {
                for position in [extent.undo, extent.redo] {
                    let known = bytes_at(journal, position, extent.len)?;
                    let from = usize::try_from(extent.offset - start).unwrap_or(0);
                    let bytes = found.iter().zip(&mut marks).skip(from).zip(&known);
                    for ((found, mark), known) in bytes {
                        *mark = if found == known || *mark == 2 { 2 } else { 1 };
                    }
                }
            }
            let within = usize::try_from(certain.saturating_sub(start)).unwrap_or(usize::MAX);
            let strange = marks.iter().take(within).position(|mark| *mark == 1);
            let missing = marks.iter().take(within).skip(n).any(|mark| *mark != 0);
            if strange.is_some() || missing {
                let at = start + strange.unwrap_or(n) as u64;
                return Err(changed(file, at));
            }
        }
        Ok(())
    }

    /// Brings the file to the commit that counts, on the medium, and empties the journal.
    ///
    /// # Errors
    /// `Corrupt` where somebody else changed the file since: nothing is written then. `Io`.
    pub(crate) fn recover(
        &self,
        file: &dyn FileIo,
        journal: &dyn FileIo,
        boot: BootId,
    ) -> Result<()> {
        if self.end.is_none() {
            self.expect_known(file, journal, boot)?;
            for (offset, len, position) in self.patches(self.target).iter() {
                let bytes = bytes_at(journal, position, len)?;
                if bytes_at(file, offset, len)? != bytes {
                    file.write_at(offset, &bytes)?;
                }
            }
            // Where it is as long, room that was kept for more is given back.
            file.set_len(file.len_bytes()?.max(self.len()))?;
            file.sync()?;
        }
        journal.set_len(0)?;
        journal.sync()
    }
}

/// The error of a file that was changed by somebody who did not know of the journal.
fn changed(file: &dyn FileIo, at: u64) -> Error {
    let message = format!(
        "the file was changed by another program, at byte {at}, after its writer was interrupted: \
         what its journal holds does not fit"
    );
    Error::corrupt(message).at_file(file.path()).with_hint(
        "to keep the file as it is, and give up what the journal holds: `stook recover --discard`",
    )
}

type Scanned = (Vec<(Record, Vec<Extent>)>, u64, Option<Record>);

/// The records of `journal`, up to the first that is not whole.
fn scan(journal: &dyn FileIo, header: &Header, look: Look) -> Result<Scanned> {
    let (mut tail, mut sequence) = (HEADER_LEN, header.sequence);
    let mut commits = Vec::new();
    while let Some(record) = Record::read(journal, header.salt, (tail, sequence))? {
        if let Kind::End(_) = record.kind {
            return Ok((commits, record.next, Some(record)));
        }
        let Some(extents) = record.extents(journal)? else { break };
        if look == Look::Whole {
            let mut is_whole = true;
            for extent in &extents {
                is_whole &= extent.redo(journal)?.is_some() && extent.undo(journal)?.is_some();
            }
            if !is_whole {
                break;
            }
        }
        (tail, sequence) = (record.next, record.sequence);
        commits.push((record, extents));
    }
    Ok((commits, tail, None))
}

/// `len` bytes from `offset` on; fewer where the file ends.
fn bytes_at(file: &dyn FileIo, offset: u64, len: u64) -> Result<Vec<u8>> {
    // Nothing is longer than what a checksum or a page covers, and than the file.
    let len = len.min(file.len_bytes()?.saturating_sub(offset));
    let len = usize::try_from(len).map_err(|_| Error::limit("more bytes than memory"))?;
    let mut bytes = vec![0; len];
    let found = file.read_at(offset, &mut bytes)?;
    bytes.truncate(found);
    Ok(bytes)
}
