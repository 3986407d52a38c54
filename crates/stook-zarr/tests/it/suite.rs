//! The suite of all containers, on every kind of store.

use std::sync::Arc;

use stook_core::store::{ByteStore, LocalStore, MemoryStore, ZipStore};
use stook_core::{Container, Format, Limits, Mode, OpenOptions};
use stook_testkit::container::{Capabilities, Subject, container_suite};
use stook_zarr::ZarrContainer;

fn open(store: Arc<dyn ByteStore>, mode: Mode) -> Arc<dyn Container> {
    let options = OpenOptions { mode, ..OpenOptions::default() };
    Arc::new(ZarrContainer::open(store, &options).unwrap())
}

fn create(store: Arc<dyn ByteStore>, format: Format) -> Arc<dyn Container> {
    Arc::new(ZarrContainer::create(store, format, &OpenOptions::read_write()).unwrap())
}

fn in_memory(format: Format) {
    let subject = || {
        let store = Arc::new(MemoryStore::new());
        let container = create(Arc::<MemoryStore>::clone(&store), format);
        Subject::new(container, move |mode| open(Arc::<MemoryStore>::clone(&store), mode))
    };
    container_suite(&subject, Capabilities::default());
}

fn in_a_folder(format: Format) {
    let subject = || {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("x.zarr");
        let container = create(Arc::new(LocalStore::create(&root).unwrap()), format);
        Subject::new(container, move |mode| {
            let _ = &folder;
            open(Arc::new(LocalStore::open(&root, mode).unwrap()), mode)
        })
    };
    container_suite(&subject, Capabilities::default());
}

fn in_an_archive(format: Format) {
    let subject = || {
        let folder = tempfile::tempdir().unwrap();
        let (file, limits) = (folder.path().join("x.zarr.zip"), Limits::default());
        let container = create(Arc::new(ZipStore::create(&file, &limits).unwrap()), format);
        Subject::new(container, move |mode| {
            let _ = &folder;
            open(Arc::new(ZipStore::open(&file, mode, &limits).unwrap()), mode)
        })
    };
    container_suite(&subject, Capabilities::default());
}

#[test]
fn version_2_in_memory() {
    in_memory(Format::ZarrV2);
}

#[test]
fn version_3_in_memory() {
    in_memory(Format::ZarrV3);
}

#[test]
fn version_2_in_a_folder() {
    in_a_folder(Format::ZarrV2);
}

#[test]
fn version_3_in_a_folder() {
    in_a_folder(Format::ZarrV3);
}

#[test]
fn version_2_in_an_archive() {
    in_an_archive(Format::ZarrV2);
}

#[test]
fn version_3_in_an_archive() {
    in_an_archive(Format::ZarrV3);
}
