//! The suite of byte stores.

use std::sync::atomic::{AtomicU32, Ordering};

use stook_core::ErrorKind;
use stook_testkit::store_suite;

#[test]
fn memory_of_the_process_is_a_byte_store() {
    let n = AtomicU32::new(0);
    store_suite(&|| {
        let n = n.fetch_add(1, Ordering::Relaxed);
        stook_remote::open(&format!("memory://suite-{n}/below"), [], false).unwrap()
    });
}

#[test]
fn a_folder_by_url_is_a_byte_store() {
    let dir = tempfile::tempdir().unwrap();
    let n = AtomicU32::new(0);
    store_suite(&|| {
        let n = n.fetch_add(1, Ordering::Relaxed);
        let url = format!("file://{}/suite {n}", dir.path().display());
        stook_remote::open(&url.replace(' ', "%20"), [], false).unwrap()
    });
    assert!(dir.path().join("suite 0").is_dir());
}

#[test]
fn stores_opened_for_reading_refuse_changes() {
    let store = stook_remote::open("memory://read-only", [], false).unwrap();
    store.set("a/b", b"1").unwrap();
    let store = stook_remote::open("memory://read-only", [], true).unwrap();
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
