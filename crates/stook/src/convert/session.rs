//! The work on one target that survives the end of the process: draft, journal, resumption.
//!
//! Everything is done in a folder beside the target: a draft of it, and a journal. The journal
//! begins with what the conversion is of (the source as it was, the options, the memory that
//! blocks are cut for), and has a record for each block of an array that the draft holds, with a
//! hash of its stored chunks.
//!
//! What a later process takes over: of a Zarr folder, where each key is written whole, the draft
//! itself, if the machine has been up since; of an HDF5 file, which a crash may leave broken, the
//! chunks of a new draft are copied from the old one, each block only if it has the hash of the
//! journal. Archives and npy files begin anew.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stook_core::file::partial::{Partial, identity_of, remove_temporaries, sync_tree};
use stook_core::file::place::{kind_of, remove};
use stook_core::{Error, ErrorKind, NodePath, OpenOptions, Result};

use super::{ConvertOptions, Unfinished};
use crate::copy::{Ranges, Target, hash_of_block, salvage};
use crate::file::{File, Node};
use crate::format::Storage;

/// Blocks of smaller arrays are not worth a record.
pub(super) const WORTH_A_RECORD: u64 = 1 << 20;

/// The work on one target.
#[derive(Debug)]
pub(super) struct Session {
    partial: Partial,
    storage: Storage,
    /// The number of the draft; a new HDF5 draft gets the next.
    generation: u64,
    name: String,
    /// The hash of each block that is in a draft, by node and number.
    claims: HashMap<(String, u64), Vec<Claim>>,
    /// Older drafts that blocks may be taken from.
    old: Vec<(u64, File)>,
    memory_len_bytes: u64,
    identity: String,
    is_kept: bool,
    /// What a person should know of an earlier attempt.
    pub(super) notes: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
struct Claim {
    generation: u64,
    hash: u64,
}

/// What the journal begins with.
struct Header {
    source: String,
    identity: String,
    options: String,
    memory_len_bytes: u64,
    boot: Option<String>,
}

impl Header {
    fn new(source: &Path, storage: Storage, options: &ConvertOptions<'_>) -> Result<Self> {
        let absolute = std::path::absolute(source)
            .map_err(|error| Error::io("cannot look at the path", error).at_file(source))?;
        Ok(Self {
            source: absolute.to_string_lossy().into_owned(),
            identity: identity_of(source)?,
            options: options.fingerprint(storage),
            memory_len_bytes: options.memory_len_bytes,
            boot: boot_id(),
        })
    }

    fn to_json(&self) -> Value {
        json!({"begin": {
            "source": self.source, "identity": self.identity, "options": self.options,
            "memory": self.memory_len_bytes, "boot": self.boot,
        }})
    }

    fn parse(record: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(record).ok()?;
        let header = value.get("begin")?;
        let text = |name: &str| Some(header.get(name)?.as_str()?.to_owned());
        Some(Self {
            source: text("source")?,
            identity: text("identity")?,
            options: text("options")?,
            memory_len_bytes: header.get("memory")?.as_u64()?,
            boot: text("boot"),
        })
    }
}

/// A text that changes when the machine is started; `None` where the system has none.
fn boot_id() -> Option<String> {
    let file = stook_core::file::LocalFile::open("/proc/sys/kernel/random/boot_id").ok()?;
    let mut text = [0; 36];
    let n = stook_core::file::FileIo::read_at(&file, 0, &mut text).ok()?;
    String::from_utf8(text.get(..n)?.to_vec()).ok()
}

fn is_resumable(storage: Storage) -> bool {
    matches!(storage, Storage::ZarrFolder | Storage::Hdf5)
}

/// How many bytes of items the records of a journal speak of.
fn done_of(records: &[String]) -> u64 {
    let lengths = records.iter().filter_map(|record| {
        let value: Value = serde_json::from_str(record).ok()?;
        value.get("len")?.as_u64()
    });
    lengths.fold(0, u64::saturating_add)
}

impl Session {
    /// Begins the work on `target`, or goes on with what an earlier process left.
    ///
    /// # Errors
    /// `AlreadyExists` if there is unfinished work that stays, `InvalidInput` if it was another,
    /// `Locked` if another process is at it, `Io`.
    pub(super) fn begin(
        source: &Path,
        target: &Path,
        storage: Storage,
        options: &ConvertOptions<'_>,
    ) -> Result<Self> {
        let header = Header::new(source, storage, options)?;
        let mut notes = Vec::new();
        if let Some(partial) = Partial::find(target)? {
            let old = partial.records().first().and_then(|record| Header::parse(record));
            match old {
                Some(old) if is_resumable(storage) && options.unfinished != Unfinished::Goes => {
                    if options.unfinished == Unfinished::Stays {
                        return Err(is_there(&old, partial.records(), target));
                    }
                    check_same(&old, &header, target)?;
                    if let Some(session) =
                        Self::resume(partial, storage, &old, &header, (target, &mut notes))?
                    {
                        return Ok(session);
                    }
                }
                // There is nothing in it that could be of use.
                _ => {
                    if !is_resumable(storage) && old.is_some() {
                        notes.push(
                            "an archive cannot go on where it ended: it is made anew".to_owned(),
                        );
                    }
                    partial.discard()?;
                }
            }
        }
        let partial = Partial::begin(target)?;
        partial.record(&header.to_json().to_string())?;
        Ok(Self {
            partial,
            storage,
            generation: 0,
            name: name_of(target),
            claims: HashMap::new(),
            old: Vec::new(),
            memory_len_bytes: options.memory_len_bytes,
            identity: header.identity,
            is_kept: options.unfinished == Unfinished::Resumes,
            notes,
        })
    }

    /// Goes on with what `partial` holds; `None` if nothing of it can be trusted, and it is gone.
    fn resume(
        partial: Partial,
        storage: Storage,
        old: &Header,
        header: &Header,
        (target, notes): (&Path, &mut Vec<String>),
    ) -> Result<Option<Self>> {
        let is_same_boot = old.boot.is_some() && old.boot == header.boot;
        if storage == Storage::ZarrFolder && !is_same_boot {
            let why =
                "the machine was restarted since: what was written may not have reached the medium";
            notes.push(format!("{why}; the conversion begins anew"));
            partial.discard()?;
            return Ok(None);
        }
        let name = name_of(target);
        let mut session = Self {
            storage,
            generation: 0,
            name,
            claims: HashMap::new(),
            old: Vec::new(),
            memory_len_bytes: old.memory_len_bytes,
            identity: header.identity.clone(),
            is_kept: true,
            notes: std::mem::take(notes),
            partial,
        };
        session.read_claims();
        match storage {
            Storage::ZarrFolder if kind_of(&session.draft())?.is_some() => {
                remove_temporaries(&session.draft())?;
            }
            Storage::ZarrFolder => session.claims.clear(),
            _ => session.open_old()?,
        }
        Ok(Some(session))
    }

    fn read_claims(&mut self) {
        for record in self.partial.records() {
            let Ok(value) = serde_json::from_str::<Value>(record) else { continue };
            let claim = || {
                let node = value.get("node")?.as_str()?.to_owned();
                let number = value.get("block")?.as_u64()?;
                let hash = u64::from_str_radix(value.get("hash")?.as_str()?, 16).ok()?;
                let generation = value.get("draft")?.as_u64()?;
                Some(((node, number), Claim { generation, hash }))
            };
            if let Some((key, claim)) = claim() {
                self.claims.entry(key).or_default().push(claim);
            }
        }
    }

    /// Opens the drafts that blocks may be taken from, and removes those that no block is only in.
    fn open_old(&mut self) -> Result<()> {
        let newest = self.claims.values().flatten().map(|claim| claim.generation).max();
        // One that nothing was recorded of lies in the way of a new one.
        let Some(newest) = newest else { return remove(&self.draft()) };
        self.generation = newest + 1;
        for generation in (0..=newest).rev() {
            let path = self.path_of(generation);
            if kind_of(&path)?.is_none() {
                continue;
            }
            let is_newer = |claim: &Claim| claim.generation > generation;
            let is_wanted = self.claims.values().any(|claims| {
                claims.iter().any(|claim| claim.generation == generation)
                    && !claims.iter().any(is_newer)
            });
            let opened = is_wanted.then(|| File::open_with(&path, &OpenOptions::read()));
            match opened {
                Some(Ok(file)) => self.old.push((generation, file)),
                Some(Err(_)) => {
                    self.notes.push(
                        "what an earlier attempt wrote cannot be read, and is made anew".to_owned(),
                    );
                    remove(&path)?;
                }
                None => remove(&path)?,
            }
        }
        remove(&self.draft())
    }

    fn path_of(&self, generation: u64) -> PathBuf {
        self.partial.path(&format!("{generation}-{}", self.name))
    }

    /// Where the target is made.
    pub(super) fn draft(&self) -> PathBuf {
        self.path_of(self.generation)
    }

    /// Whether the draft is there in part already.
    pub(super) fn is_begun(&self) -> Result<bool> {
        let is_there = self.storage == Storage::ZarrFolder && self.is_kept;
        Ok(is_there && kind_of(&self.draft())?.is_some())
    }

    /// The memory that blocks are cut for.
    pub(super) fn memory_len_bytes(&self) -> u64 {
        self.memory_len_bytes
    }

    /// Whether blocks are recorded.
    pub(super) fn records(&self) -> bool {
        is_resumable(self.storage)
    }

    /// Whether `target`, the array at `node`, has the block, or gets it from an older draft.
    pub(super) fn has(
        &self,
        node: &NodePath,
        number: u64,
        block: &Ranges,
        target: &Target,
    ) -> Result<bool> {
        let Some(claims) = self.claims.get(&(node.to_string(), number)) else { return Ok(false) };
        if self.storage == Storage::ZarrFolder {
            return Ok(true);
        }
        for claim in claims.iter().rev() {
            let found = self.old.iter().find(|(generation, _)| *generation == claim.generation);
            // A draft that a crash broke may fail in any way; what it has not is made anew.
            if let Some((_, file)) = found
                && let Ok(Node::Array(array)) = file.node_at(node.clone())
                && array.spec().extent == target.array.spec().extent
                && array.spec().grid == target.array.spec().grid
                && array.spec().codecs == target.array.spec().codecs
            {
                let old = Target::new(&array, false);
                if hash_of_block(&old, block).is_ok_and(|hash| hash == Some(claim.hash)) {
                    salvage(&old, target, block)?;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Notes that the draft has the block.
    ///
    /// # Errors
    /// `Io`.
    pub(super) fn did(
        &self,
        node: &NodePath,
        number: u64,
        len_bytes: u64,
        hash: u64,
    ) -> Result<()> {
        let record = json!({
            "node": node.as_str(), "block": number, "len": len_bytes,
            "hash": format!("{hash:x}"), "draft": self.generation,
        });
        self.partial.record(&record.to_string())
    }

    /// Refuses to replace the source by a copy of what it was before.
    ///
    /// # Errors
    /// `InvalidInput` if it has been changed, `Io`.
    pub(super) fn check_source(&self, source: &Path, target: &Path) -> Result<()> {
        if source == target && identity_of(source)? != self.identity {
            return Err(
                Error::invalid("the file has been changed while it was copied").at_file(target)
            );
        }
        Ok(())
    }

    /// Puts the journal on the medium, and what an earlier process has written.
    ///
    /// # Errors
    /// `Io`.
    pub(super) fn sync(&self) -> Result<()> {
        if self.is_begun()? {
            sync_tree(&self.draft())?;
        }
        self.partial.sync()
    }

    /// Ends it after an error: what is done is kept if the conversion is to be resumed.
    pub(super) fn fail(&self, error: Error) -> Error {
        if self.is_kept && self.records() {
            return match error.hint() {
                None => error.with_hint("what was done so far is kept: go on with `--resume`"),
                Some(_) => error,
            };
        }
        // The first error is the one to tell.
        let _ = self.partial.discard();
        error
    }

    /// Removes all but the target, which has been taken from here.
    ///
    /// # Errors
    /// `Io`.
    pub(super) fn end(self) -> Result<()> {
        drop(self.old);
        self.partial.discard()
    }
}

fn name_of(target: &Path) -> String {
    target.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn is_there(old: &Header, records: &[String], target: &Path) -> Error {
    let done = done_of(records) >> 20;
    let message = format!(
        "an unfinished conversion of `{}` to this file is there, with {done} MiB done",
        old.source
    );
    Error::new(ErrorKind::AlreadyExists, message)
        .with_hint("go on with it (`--resume`), or begin anew (`--restart`)")
        .at_file(target)
}

fn check_same(old: &Header, new: &Header, target: &Path) -> Result<()> {
    let what = if old.source != new.source {
        format!("the unfinished conversion is of another source, `{}`", old.source)
    } else if old.identity != new.identity {
        let (before, now) = (&old.identity, &new.identity);
        format!("the source has changed since the conversion began: it was {before}, it is {now}")
    } else if old.options != new.options {
        "the unfinished conversion was begun with other options, or by another version".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::invalid(what).with_hint("begin anew (`--restart`)").at_file(target))
}
