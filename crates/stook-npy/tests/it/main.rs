//! The integration tests of stook-npy: files that numpy wrote, files like them, and damage.
#![allow(clippy::disallowed_methods, reason = "tests look at the files themselves")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::host_endian_bytes, reason = "items in memory are native-endian")]

mod damage;
mod npy;
mod npz;
mod pickle;
mod sparse;
mod suite;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use stook_core::{Array, Container, NodePath, OpenOptions, Result, Selection, Values};
use stook_npy::{open_npy, open_npz};

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Every fixture whose name ends so.
pub(crate) fn fixtures(suffix: &str) -> Vec<String> {
    fixtures_in("", suffix)
}

/// Every fixture in the folder `dir` whose name ends so.
pub(crate) fn fixtures_in(dir: &str, suffix: &str) -> Vec<String> {
    let entries = std::fs::read_dir(fixture(dir)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(suffix)).collect();
    names.sort();
    assert!(!names.is_empty());
    names
}

pub(crate) fn open(path: &Path, options: &OpenOptions) -> Result<Arc<dyn Container>> {
    if path.extension().is_some_and(|extension| extension == "npy") {
        open_npy(path, options)
    } else {
        open_npz(path, options)
    }
}

/// The array called `node` of `container`.
pub(crate) fn array(container: &dyn Container, node: &str) -> Result<Array> {
    let node = NodePath::parse(node)?;
    Ok(Array::new(container.open_array(&node)?, container.location(), node))
}

/// All values of the array called `node`.
pub(crate) fn read(container: &dyn Container, node: &str) -> Result<Values> {
    array(container, node)?.read(&Selection::All)
}
