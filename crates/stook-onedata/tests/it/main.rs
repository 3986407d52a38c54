//! The integration tests of stook-onedata: sessions as vrAnalysis leaves them, and hostile ones.
#![allow(clippy::disallowed_methods, reason = "tests look at the files themselves")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::host_endian_bytes, reason = "items in memory are native-endian")]

mod alf;
mod catalogue;
mod checksums;
mod files;
mod hostile;
mod killed;
mod packed;
mod session;
mod suite2p;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use stook_core::{DType, Values};
use stook_onedata::{Data, OneData, Session, SessionName};

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Every fixture whose name begins so.
pub(crate) fn fixtures(prefix: &str) -> Vec<String> {
    let names = std::fs::read_dir(fixture("")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| name.starts_with(prefix));
    names.sort();
    assert!(!names.is_empty(), "{prefix}");
    names
}

pub(crate) fn floats(shape: &[u64], numbers: &[f32]) -> Values {
    let items = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
    Values::new(DType::Float32, shape.to_vec(), items, vec![]).unwrap()
}

pub(crate) fn numbers(data: &Data) -> Vec<f32> {
    let values = data.values(&Default::default()).unwrap();
    assert_eq!(values.dtype(), &DType::Float32);
    values.items().as_chunks().0.iter().map(|item| f32::from_ne_bytes(*item)).collect()
}

pub(crate) fn name() -> SessionName {
    SessionName::new("ATL027", "2024-2-9".parse().unwrap(), Some("701")).unwrap()
}

pub(crate) fn session(root: &Path) -> Session {
    Session::open(root, name()).unwrap()
}

/// Puts a fixture in the folder as what a session calls `name`.
pub(crate) fn put(data: &OneData, fixture_name: &str, file_name: &str) {
    std::fs::create_dir_all(data.path()).unwrap();
    std::fs::copy(fixture(fixture_name), data.path().join(file_name)).unwrap();
}

/// Makes a file look as if it had been changed long ago, as a cache wants it.
pub(crate) fn settle(path: &Path) {
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(10)).unwrap();
}
