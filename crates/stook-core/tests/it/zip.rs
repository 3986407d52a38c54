//! Archives that others wrote, damaged ones, and what a commit leaves.
#![allow(clippy::disallowed_methods, reason = "tests look at the files below the store")]

use std::fs;
use std::path::{Path, PathBuf};

use stook_core::store::zip::Archive;
use stook_core::store::{ByteRange, ByteStore, ZipStore};
use stook_core::{Durability, ErrorKind, Limits, Mode, Result};
use stook_testkit::corrupt::{bit_flips, truncations};
use stook_testkit::store::{get, walk};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/zip").join(name)
}

fn text() -> Vec<u8> {
    (0..200).map(|i| format!("line {i}\n")).collect::<String>().into_bytes()
}

fn open(path: &Path, mode: Mode) -> Result<ZipStore> {
    ZipStore::open(path, mode, &Limits::default())
}

fn n_files(dir: &Path) -> usize {
    fs::read_dir(dir).map_or(0, Iterator::count)
}

#[test]
fn archives_of_python_are_read() {
    for name in ["mixed.zip", "prefixed.zip"] {
        let store = open(&fixture(name), Mode::Read).unwrap();
        assert_eq!(get(&store, "folder/stored").unwrap(), text());
        assert_eq!(get(&store, "folder/deflated").unwrap(), text());
        assert_eq!(get(&store, "twice").unwrap(), b"second");
        assert_eq!(get(&store, "é").unwrap(), b"named in UTF-8");
        assert_eq!(get(&store, "empty").unwrap(), b"");
        assert_eq!(walk(&store, "").len(), 5);
        for key in ["folder/stored", "folder/deflated"] {
            let mut found = Vec::new();
            let mut deliver = |_: usize, bytes: Option<&[u8]>| {
                found.extend_from_slice(bytes.unwrap());
                Ok(())
            };
            let ranges = [ByteRange::At { offset: 5, len: 4 }, ByteRange::Last(4)];
            assert!(store.get_ranges(key, &ranges, &mut deliver).unwrap());
            assert_eq!(found, b"0\nli199\n");
        }
    }
    for name in ["streamed.zip", "wide.zip"] {
        let store = open(&fixture(name), Mode::Read).unwrap();
        assert_eq!(get(&store, "stored").unwrap(), text(), "{name}");
        assert_eq!(get(&store, "deflated").unwrap(), text(), "{name}");
    }
}

#[test]
fn hostile_archives_are_refused() {
    for (name, message) in [("overlap.zip", "overlaps"), ("traversal.zip", "unsafe name")] {
        let error = open(&fixture(name), Mode::Read).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{name}");
        assert!(error.message().contains(message), "{error}");
    }
    let mut limits = Limits::default();
    limits.n_nodes = 3;
    let error = ZipStore::open(fixture("mixed.zip"), Mode::Read, &limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
}

#[test]
fn damaged_archives_are_errors_or_data() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["mixed.zip", "streamed.zip", "wide.zip", "prefixed.zip"] {
        let bytes = fs::read(fixture(name)).unwrap();
        let (mut n_data, mut n_checks) = (0, 0);
        let mut check = |bytes: &[u8]| {
            // A new file each: some file systems wait for the disk where one is overwritten.
            n_checks += 1;
            let path = dir.path().join(format!("{n_checks}-{name}"));
            fs::write(&path, bytes).unwrap();
            let Ok(store) = open(&path, Mode::Read) else { return };
            for key in walk(&store, "").into_keys() {
                let mut out = Vec::new();
                n_data += usize::from(store.get(&key, &mut out, 1 << 20).is_ok());
                let mut deliver = |_: usize, _: Option<&[u8]>| Ok(());
                let _ = store.get_ranges(&key, &[ByteRange::Last(1)], &mut deliver);
            }
            if n_checks % 16 != 0 {
                return;
            }
            // What cannot be copied faithfully is not taken over either.
            let store = open(&path, Mode::ReadWrite).unwrap();
            if store.set("new", b"1").is_ok() {
                store.sync(Durability::Flush).unwrap();
                assert_eq!(get(&open(&path, Mode::Read).unwrap(), "new").unwrap(), b"1");
            }
        };
        truncations(&bytes, 300, &mut check);
        bit_flips(&bytes, 300, &mut check);
        assert!(n_data > 0);
    }
}

#[test]
fn a_flipped_bit_in_a_value_is_corrupt() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.zip");
    let store = ZipStore::create(&path, &Limits::default()).unwrap();
    store.set("k", b"payload").unwrap();
    store.sync(Durability::Flush).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(7).position(|window| window == b"payload").unwrap();
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = open(&path, Mode::Read).unwrap().get("k", &mut Vec::new(), 100).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.message().starts_with("zip entry `k`: checksum mismatch"), "{error}");
}

#[test]
fn nothing_is_seen_before_the_commit_and_all_of_it_after() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.zip");
    let store = ZipStore::create(&path, &Limits::default()).unwrap();
    store.set("a", b"1").unwrap();
    assert!(!path.exists());
    drop(store);
    assert_eq!(n_files(dir.path()), 0, "what was not committed leaves nothing");

    let store = ZipStore::create(&path, &Limits::default()).unwrap();
    store.set("a", b"1").unwrap();
    store.sync(Durability::Fsync).unwrap();
    assert_eq!(
        ZipStore::create(&path, &Limits::default()).unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );
    let reader = open(&path, Mode::Read).unwrap();
    store.set("a", b"2").unwrap();
    store.set("é", &[7; 100_000]).unwrap();
    assert_eq!(get(&reader, "a").unwrap(), b"1");
    store.sync(Durability::Flush).unwrap();
    assert_eq!(get(&reader, "a").unwrap(), b"1", "an open reader keeps what it opened");
    let reader = open(&path, Mode::Read).unwrap();
    assert_eq!(get(&reader, "a").unwrap(), b"2");
    assert_eq!(get(&reader, "é").unwrap(), [7; 100_000]);
    store.erase("é").unwrap();
    store.sync(Durability::Flush).unwrap();
    assert!(fs::metadata(&path).unwrap().len() < 1000, "removed data does not stay");
    assert_eq!(n_files(dir.path()), 1);
}

#[test]
fn a_second_writer_is_kept_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.zip");
    let first = ZipStore::create(&path, &Limits::default()).unwrap();
    let other = ZipStore::create(&path, &Limits::default()).unwrap();
    first.set("a", b"1").unwrap();
    first.sync(Durability::Flush).unwrap();
    assert_eq!(other.sync(Durability::Flush).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(open(&path, Mode::ReadWrite).unwrap_err().kind(), ErrorKind::Locked);
    first.set("b", b"1").unwrap();
    assert_eq!(open(&path, Mode::ReadWrite).unwrap_err().kind(), ErrorKind::Locked);
    first.sync(Durability::Flush).unwrap();
    assert_eq!(open(&path, Mode::ReadWrite).unwrap_err().kind(), ErrorKind::Locked);
    open(&path, Mode::Read).unwrap();
    drop(first);
    let second = open(&path, Mode::ReadWrite).unwrap();
    second.set("c", b"1").unwrap();
    // Programs that know no locks replace the file nevertheless; theirs is not overwritten.
    let theirs = dir.path().join("theirs.zip");
    fs::copy(&path, &theirs).unwrap();
    fs::rename(&theirs, &path).unwrap();
    assert_eq!(second.sync(Durability::Flush).unwrap_err().kind(), ErrorKind::Locked);
}

#[test]
fn entries_are_written_in_place_and_summed_up() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.zip");
    let limits = Limits::default();
    let archive = Archive::create(&path, &limits).unwrap();
    archive.reserve("a", b"head", 10).unwrap();
    archive.put("b", b"next").unwrap();
    archive.write_at("a", 6, b"xyz").unwrap();
    assert_eq!(archive.write_at("a", 12, b"xyz").unwrap_err().kind(), ErrorKind::Corrupt);
    archive.commit(Durability::Flush).unwrap();
    let mut out = Vec::new();
    let reader = Archive::open(&path, Mode::Read, &limits).unwrap();
    assert!(reader.read_whole("a", &mut out, 100).unwrap());
    assert_eq!(out, b"head\0\0xyz\0\0\0\0\0");

    // After the commit a new copy is written, not the file that readers have open.
    archive.write_at("a", 0, b"HEAD").unwrap();
    archive.rename("b", "c").unwrap();
    out.clear();
    assert!(reader.read_whole("a", &mut out, 100).unwrap() && out.starts_with(b"head"));
    archive.commit(Durability::Flush).unwrap();
    let reader = Archive::open(&path, Mode::Read, &limits).unwrap();
    out.clear();
    assert!(reader.read_whole("a", &mut out, 100).unwrap() && out.starts_with(b"HEAD"));
    assert_eq!(reader.names(), ["a", "c"]);
    let mut part = [0; 3];
    reader.read_at("a", 6, &mut part).unwrap();
    assert_eq!(&part, b"xyz");
}
