//! The suite of all containers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use stook_core::OpenOptions;
use stook_hdf5::{CreateOptions, Existing, Hdf5File, Readers};
use stook_testkit::{Capabilities, Subject, container_suite};

fn suite(readers: Readers) {
    let dir = tempfile::tempdir().unwrap();
    let n = AtomicU32::new(0);
    let create = || {
        let path = dir.path().join(format!("{}.h5", n.fetch_add(1, Ordering::Relaxed)));
        let options =
            CreateOptions { existing: Existing::Refuse, readers, ..CreateOptions::default() };
        let file = Hdf5File::create(&path, &options).unwrap();
        Subject::new(Arc::new(file), move |mode| {
            let options = OpenOptions { mode, ..OpenOptions::default() };
            Arc::new(Hdf5File::open(&path, &options).unwrap())
        })
    };
    container_suite(&create, Capabilities::default());
}

#[test]
fn a_file_is_a_container() {
    suite(Readers::V18);
}

#[test]
fn a_file_of_the_oldest_version_is_a_container() {
    suite(Readers::Oldest);
}

#[test]
fn a_file_that_may_be_followed_is_a_container() {
    suite(Readers::V110);
}
