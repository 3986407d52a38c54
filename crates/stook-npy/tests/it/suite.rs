use std::sync::atomic::{AtomicU32, Ordering};

use stook_core::OpenOptions;
use stook_npy::{create_npz, open_npz};
use stook_testkit::{Capabilities, Subject, container_suite};

#[test]
fn an_npz_archive_is_a_container() {
    let dir = tempfile::tempdir().unwrap();
    let n = AtomicU32::new(0);
    let capabilities =
        Capabilities { has_attributes: false, has_strings: false, ..Capabilities::default() };
    let create = || {
        let path = dir.path().join(format!("{}.npz", n.fetch_add(1, Ordering::Relaxed)));
        let container = create_npz(&path, &OpenOptions::default()).unwrap();
        Subject::new(container, move |mode| {
            open_npz(&path, &OpenOptions { mode, ..OpenOptions::default() }).unwrap()
        })
    };
    container_suite(&create, capabilities);
}
