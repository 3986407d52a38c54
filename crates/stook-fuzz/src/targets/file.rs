//! Files: the bytes of a whole file, on a file system in memory where there is one.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stook_core::file::{LocalFile, write_atomic};
use stook_core::store::zip::Archive;
use stook_core::{Durability, Mode, OpenOptions};
use stook_npy::pickle::{Form, Pickle, write};
use stook_npy::sparse::Sparse;

use super::read_tree;
use crate::limits;

fn options() -> OpenOptions {
    OpenOptions { limits: limits(), ..OpenOptions::read() }
}

/// Calls `run` with a file that holds `data`.
pub(super) fn with_file(suffix: &str, data: &[u8], run: impl FnOnce(&Path)) {
    thread_local! {
        static DIR: RefCell<Option<(tempfile::TempDir, u64)>> = const { RefCell::new(None) };
    }
    let path: Option<PathBuf> = DIR.with_borrow_mut(|dir| {
        if dir.is_none() {
            let memory = Path::new("/dev/shm");
            let made = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir());
            *dir = made.ok().map(|made| (made, 0));
        }
        let (dir, n) = dir.as_mut()?;
        // A new name each: what is known of a file by its name must not outlive it.
        *n += 1;
        Some(dir.path().join(format!("{n}.{suffix}")))
    });
    let Some(path) = path else { return };
    if write_atomic(&path, data, Durability::None).is_ok() {
        run(&path);
    }
    let _ = stook_core::file::place::remove(&path);
}

/// A zip archive: its directory, and every entry.
pub(crate) fn zip(data: &[u8]) {
    with_file("zip", data, |path| {
        let Ok(archive) = Archive::open(path, Mode::Read, &limits()) else { return };
        let mut out = Vec::new();
        for name in archive.names().iter().take(64) {
            let _ = archive.info(name);
            out.clear();
            let _ = archive.read_whole(name, &mut out, 1 << 20);
            let mut part = [0; 16];
            let _ = archive.read_at(name, 3, &mut part);
        }
    });
}

/// An npy file.
pub(crate) fn npy(data: &[u8]) {
    with_file("npy", data, |path| {
        if let Ok(container) = stook_npy::open_npy(path, &options()) {
            read_tree(container.as_ref());
        }
    });
}

/// An npz archive, and the sparse matrix that it may be.
pub(crate) fn npz(data: &[u8]) {
    with_file("npz", data, |path| {
        if let Ok(container) = stook_npy::open_npz(path, &options()) {
            read_tree(container.as_ref());
            if let Ok(matrix) = Sparse::read(container.as_ref(), &stook_core::NodePath::root()) {
                let _ = matrix.to_dense(&limits());
            }
        }
    });
}

/// A pickle: read, shown, written, and read again.
pub(crate) fn pickle(data: &[u8]) {
    let Ok(pickle) = Pickle::parse(data, &limits()) else { return };
    let shown = pickle.to_json(pickle.root());
    let Ok(written) = write(&pickle, Form::Numpy1) else { return };
    // What is written again may be longer than what was read: names and dtypes are spelt out.
    if let (Ok(again), Ok(shown)) = (Pickle::parse(&written, &limits()), shown) {
        assert_eq!(again.to_json(again.root()).ok(), Some(shown), "it reads as what was written");
    }
}

/// An HDF5 file.
pub(crate) fn hdf5(data: &[u8]) {
    with_file("h5", data, |path| {
        if let Ok(container) = stook_hdf5::Hdf5File::open(path, &options()) {
            read_tree(&container);
        }
    });
}

/// The metadata of an HDF5 file, past the library.
pub(crate) fn hdf5_metadata(data: &[u8]) {
    with_file("h5", data, |path| {
        if let Ok(file) = LocalFile::open(path) {
            let _ = stook_hdf5::walk_natively(Arc::new(file), &limits());
        }
    });
}
