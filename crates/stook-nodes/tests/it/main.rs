//! Trees of acquisitions on every container, written, closed, and read again.

#![allow(clippy::disallowed_methods, reason = "tests make and break files")]
#![allow(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
#![allow(clippy::unwrap_used, reason = "a test fails where it is")]

#[cfg(target_os = "linux")]
mod full_disk;
mod growing;
mod hostile;
mod tree;

use std::path::{Path, PathBuf};

use stook_nodes::{Acquisition, Convention, OpenMode, Options};

/// A folder, and each kind of file that a tree may be in.
struct Places {
    folder: tempfile::TempDir,
}

impl Places {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Runs `body` with a path and the options of a new file, for each kind of file.
fn everywhere(body: impl Fn(&Path, &Options)) {
    let places = Places::new();
    for (name, convention) in [
        ("tables.h5", Convention::Tables),
        ("h5py.h5", Convention::H5py),
        ("tables.zarr", Convention::Tables),
        ("h5py.zarr", Convention::H5py),
    ] {
        let options = Options {
            mode: OpenMode::Create,
            convention: Some(convention),
            title: "a run".to_owned(),
            ..Options::default()
        };
        body(&places.path(name), &options);
    }
}

fn reopened(path: &Path) -> Acquisition {
    let options = Options { mode: OpenMode::ReadWrite, ..Options::default() };
    Acquisition::open_with(path, &options).unwrap()
}
