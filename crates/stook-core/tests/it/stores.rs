//! The suite of byte stores, on each of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use stook_core::store::{ByteStore, LocalStore, MemoryStore, ZipStore};
use stook_core::{ErrorKind, Limits, Mode};
use stook_testkit::store_suite;

#[test]
fn a_folder_is_a_byte_store() {
    let dir = tempfile::tempdir().unwrap();
    let n = AtomicU32::new(0);
    store_suite(&|| {
        let name = n.fetch_add(1, Ordering::Relaxed).to_string();
        Arc::new(LocalStore::create(dir.path().join(name)).unwrap())
    });
}

#[test]
fn memory_is_a_byte_store() {
    store_suite(&|| Arc::new(MemoryStore::new()));
}

#[test]
fn a_zip_archive_is_a_byte_store() {
    let dir = tempfile::tempdir().unwrap();
    let n = AtomicU32::new(0);
    store_suite(&|| {
        let name = format!("{}.zip", n.fetch_add(1, Ordering::Relaxed));
        Arc::new(ZipStore::create(dir.path().join(name), &Limits::default()).unwrap())
    });
}

#[test]
fn stores_opened_for_reading_refuse_changes() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, archive) = (dir.path().join("folder"), dir.path().join("x.zip"));
    LocalStore::create(&folder).unwrap().set("a/b", b"1").unwrap();
    let zip = ZipStore::create(&archive, &Limits::default()).unwrap();
    zip.set("a/b", b"1").unwrap();
    zip.sync(Default::default()).unwrap();
    let stores: [Box<dyn ByteStore>; 2] = [
        Box::new(LocalStore::open(&folder, Mode::Read).unwrap()),
        Box::new(ZipStore::open(&archive, Mode::Read, &Limits::default()).unwrap()),
    ];
    for store in stores {
        assert!(store.is_read_only());
        let failures = [
            store.set("a/b", b"2"),
            store.set_new("c", b"2").map(|_| ()),
            store.erase("a/b"),
            store.erase_prefix("a"),
            store.rename_prefix("a", "b"),
        ];
        for failure in failures {
            assert_eq!(failure.unwrap_err().kind(), ErrorKind::ReadOnly);
        }
        assert_eq!(stook_testkit::store::get(store.as_ref(), "a/b").unwrap(), b"1");
    }
}
