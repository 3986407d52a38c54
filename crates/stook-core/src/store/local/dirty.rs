//! What was changed since the last sync, within bounds.
#![allow(clippy::disallowed_methods, reason = "this is the seam to the operating system's files")]

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::failed;
use crate::error::Result;
use crate::file::sync_dir;

/// More changed paths are not remembered one by one; the next sync goes through the folder.
const MAX_PATHS: usize = 1 << 16;

#[derive(Debug, Default)]
pub(super) struct Dirty(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    paths: HashSet<PathBuf>,
    is_everything: bool,
}

impl Dirty {
    /// Remembers that what `path` names was written, removed or moved.
    pub(super) fn add(&self, path: PathBuf) {
        self.lock().add(path);
    }

    /// Remembers that all below `from` lies below `to` now.
    pub(super) fn moved(&self, from: &Path, to: &Path) {
        let mut state = self.lock();
        let moved: Vec<_> = state
            .paths
            .iter()
            .filter_map(|path| Some(to.join(path.strip_prefix(from).ok()?)))
            .collect();
        moved.into_iter().for_each(|path| state.add(path));
        state.add(from.to_path_buf());
        state.add(to.to_path_buf());
    }

    /// Puts what was changed on the medium: files first, then the folders that name them.
    pub(super) fn sync(&self, root: &Path) -> Result<()> {
        let state = std::mem::take(&mut *self.lock());
        let result = sync_state(&state, root);
        if result.is_err() {
            let mut now = self.lock();
            now.is_everything |= state.is_everything;
            state.paths.into_iter().for_each(|path| now.add(path));
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, path: PathBuf) {
        if self.is_everything {
            return;
        }
        self.paths.insert(path);
        if self.paths.len() > MAX_PATHS {
            self.paths = HashSet::new();
            self.is_everything = true;
        }
    }
}

fn sync_state(state: &State, root: &Path) -> Result<()> {
    let mut dirs = HashSet::from([root.to_path_buf()]);
    if state.is_everything {
        sync_tree(root, &mut dirs)?;
    }
    for path in &state.paths {
        sync_file(path)?;
        let above = path.ancestors().skip(1).take_while(|dir| dir.starts_with(root));
        // A folder that is known already has its own above it known as well.
        for dir in above {
            if !dirs.insert(dir.to_path_buf()) {
                break;
            }
        }
    }
    for dir in &dirs {
        match sync_dir(dir) {
            // Removed since: the folder above it says so.
            Err(error) if error.kind() == crate::ErrorKind::NotFound => {}
            result => result?,
        }
    }
    Ok(())
}

fn sync_tree(dir: &Path, dirs: &mut HashSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(|error| failed("list", dir, error))? {
        let entry = entry.map_err(|error| failed("list", dir, error))?;
        let kind = entry.file_type().map_err(|error| failed("look up", dir, error))?;
        if kind.is_dir() {
            sync_tree(&entry.path(), dirs)?;
        } else {
            sync_file(&entry.path())?;
        }
    }
    dirs.insert(dir.to_path_buf());
    Ok(())
}

fn sync_file(path: &Path) -> Result<()> {
    // Windows wants the right to write for this; elsewhere the right to read will do.
    let opened = fs::OpenOptions::new().read(true).write(cfg!(windows)).open(path);
    match opened.and_then(|file| file.sync_all()) {
        Ok(()) => Ok(()),
        // Removed or moved since, or a folder: the folder above it is synced.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound
                    | io::ErrorKind::NotADirectory
                    | io::ErrorKind::IsADirectory
            ) =>
        {
            Ok(())
        }
        Err(error) => Err(failed("sync", path, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_paths_become_everything() {
        let dirty = Dirty::default();
        for i in 0..=MAX_PATHS {
            dirty.add(PathBuf::from(i.to_string()));
        }
        assert!(dirty.lock().is_everything && dirty.lock().paths.is_empty());
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        fs::write(dir.path().join("a/b"), b"x").unwrap();
        dirty.sync(dir.path()).unwrap();
        assert!(!dirty.lock().is_everything);
    }

    #[test]
    fn moved_paths_are_known_by_their_new_name() {
        let dirty = Dirty::default();
        dirty.add(PathBuf::from("/r/a/x"));
        dirty.moved(Path::new("/r/a"), Path::new("/r/b/c"));
        assert!(dirty.lock().paths.contains(Path::new("/r/b/c/x")));
    }

    #[test]
    fn a_sync_of_removed_paths_succeeds_and_clears() {
        let dir = tempfile::tempdir().unwrap();
        let dirty = Dirty::default();
        dirty.add(dir.path().join("gone/x"));
        dirty.sync(dir.path()).unwrap();
        assert!(dirty.lock().paths.is_empty());
    }
}
