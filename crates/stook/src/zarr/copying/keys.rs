//! Copies of stores, key by key.

use std::fmt;

use stook_core::store::ByteStore;
use stook_core::{Error, Limits, Result};

use super::{Copied, IfExists};

/// A choice of keys.
type KeyFilter<'a> = Box<dyn Fn(&str) -> bool + 'a>;

/// A copy of keys that is about to be made; [`CopyStore::run`] makes it.
#[must_use = "nothing is copied before `run`"]
pub struct CopyStore<'a> {
    source: &'a dyn ByteStore,
    target: &'a dyn ByteStore,
    source_path: String,
    target_path: String,
    excludes: Vec<KeyFilter<'a>>,
    includes: Vec<KeyFilter<'a>>,
    if_exists: IfExists,
    is_dry_run: bool,
}

impl fmt::Debug for CopyStore<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyStore")
            .field("source", &self.source)
            .field("target", &self.target)
            .field("if_exists", &self.if_exists)
            .finish_non_exhaustive()
    }
}

/// Begins a copy of all keys of `source` to `target`, their values as they are.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// use std::sync::Arc;
///
/// use stook::store::MemoryStore;
/// use stook::zarr;
///
/// let (old, new) = (Arc::new(MemoryStore::new()), MemoryStore::new());
/// zarr::ones([10]).store(old.clone()).path("a").create()?;
/// let copied = zarr::copy_store(&*old, &new).exclude(|key| key.starts_with("b/")).run()?;
/// assert_eq!(copied.n_copied, 2);
/// # Ok(())
/// # }
/// ```
pub fn copy_store<'a>(source: &'a dyn ByteStore, target: &'a dyn ByteStore) -> CopyStore<'a> {
    CopyStore {
        source,
        target,
        source_path: String::new(),
        target_path: String::new(),
        excludes: Vec::new(),
        includes: Vec::new(),
        if_exists: IfExists::default(),
        is_dry_run: false,
    }
}

impl<'a> CopyStore<'a> {
    /// Only keys below `path`.
    pub fn source_path(mut self, path: &str) -> Self {
        path.trim_matches('/').clone_into(&mut self.source_path);
        self
    }

    /// To below `path`.
    pub fn target_path(mut self, path: &str) -> Self {
        path.trim_matches('/').clone_into(&mut self.target_path);
        self
    }

    /// Leaves out keys, below the path of the source, that `is_excluded`.
    pub fn exclude(mut self, is_excluded: impl Fn(&str) -> bool + 'a) -> Self {
        self.excludes.push(Box::new(is_excluded));
        self
    }

    /// Copies keys that `is_included` though they are excluded.
    pub fn include(mut self, is_included: impl Fn(&str) -> bool + 'a) -> Self {
        self.includes.push(Box::new(is_included));
        self
    }

    /// What becomes of keys that are there already.
    pub fn if_exists(mut self, if_exists: IfExists) -> Self {
        self.if_exists = if_exists;
        self
    }

    /// Counts what would be copied, and copies nothing.
    pub fn dry_run(mut self) -> Self {
        self.is_dry_run = true;
        self
    }

    /// Makes the copy.
    ///
    /// # Errors
    /// `AlreadyExists` for a key that is there, `InvalidInput` for `IfExists::SkipInitialized`,
    /// which keys have no meaning for; `ReadOnly`, `LimitExceeded`, `Io`. What was copied before
    /// stays.
    pub fn run(self) -> Result<Copied> {
        if self.if_exists == IfExists::SkipInitialized {
            return Err(Error::invalid("keys are replaced, skipped, or an error"));
        }
        let mut keys = Vec::new();
        self.source.walk(&self.source_path, &mut |key, _| {
            keys.push(key.to_owned());
            Ok(())
        })?;
        keys.sort_unstable();
        let (mut done, mut value) = (Copied::default(), Vec::new());
        for key in keys {
            let below = key.strip_prefix(&self.source_path).unwrap_or(&key).trim_start_matches('/');
            let is_in = |filters: &[KeyFilter<'_>]| filters.iter().any(|filter| filter(below));
            if is_in(&self.excludes) && !is_in(&self.includes) {
                continue;
            }
            let to = match self.target_path.as_str() {
                "" => below.to_owned(),
                path => format!("{path}/{below}"),
            };
            done += self.key(&key, &to, &mut value)?;
        }
        Ok(done)
    }

    fn key(&self, from: &str, to: &str, value: &mut Vec<u8>) -> Result<Copied> {
        let is_there = self.if_exists != IfExists::Replace && self.target.len_bytes(to)?.is_some();
        if is_there {
            return match self.if_exists {
                IfExists::Skip => Ok(Copied { n_skipped: 1, ..Copied::default() }),
                _ => Err(Error::already_exists(format!("key `{to}` is there already"))
                    .at_file(self.target.location())),
            };
        }
        let mut done = Copied { n_copied: 1, ..Copied::default() };
        if self.is_dry_run {
            return Ok(done);
        }
        value.clear();
        if !self.source.get(from, value, Limits::default().chunk_len_bytes)? {
            return Ok(Copied::default()); // gone meanwhile
        }
        self.target.set(to, value)?;
        done.n_bytes_copied = value.len() as u64;
        Ok(done)
    }
}
