use std::fs;

use stook_core::{Limits, NodePath, OpenOptions};
use stook_testkit::corrupt::{bit_flips, truncations};

use crate::{fixture, fixtures, open, read};

/// Reads all there is; an error is fine, a panic or an allocation over the limits is not.
fn read_all(path: &std::path::Path) -> usize {
    let mut limits = Limits::default();
    (limits.chunk_len_bytes, limits.metadata_len_bytes) = (1 << 20, 1 << 20);
    let mut n_read = 0;
    for memory_map in [false, true] {
        let options = OpenOptions { limits: limits.clone(), memory_map, ..OpenOptions::read() };
        let Ok(container) = open(path, &options) else { continue };
        let mut nodes = vec![NodePath::root()];
        while let Some(node) = nodes.pop() {
            match container.children(&node) {
                Ok(children) => {
                    nodes.extend(children.iter().map(|child| node.join(&child.name).unwrap()));
                }
                Err(_) => {
                    let source = container.open_array(&node);
                    let is_small = source.is_ok_and(|source| source.spec().n_bytes() < 1 << 20);
                    let is_read = is_small && read(container.as_ref(), node.as_str()).is_ok();
                    n_read += usize::from(is_read);
                }
            }
        }
    }
    n_read
}

fn check(name: &str, max_changes: usize) {
    let dir = tempfile::tempdir().unwrap();
    let bytes = fs::read(fixture(name)).unwrap();
    let (mut n_read, mut n) = (0, 0);
    let mut check = |bytes: &[u8]| {
        // A new file each: some file systems wait for the disk where one is overwritten.
        n += 1;
        let path = dir.path().join(format!("{n}-{name}"));
        fs::write(&path, bytes).unwrap();
        n_read += read_all(&path);
        fs::remove_file(&path).unwrap();
    };
    truncations(&bytes, max_changes, &mut check);
    bit_flips(&bytes, max_changes, &mut check);
    assert!(n_read > 0, "{name}");
}

#[test]
fn damaged_npy_files_are_errors_or_data() {
    for name in fixtures(".npy") {
        check(&name, 200);
    }
}

#[test]
fn damaged_npz_archives_are_errors_or_data() {
    for name in fixtures(".npz") {
        check(&name, 400);
    }
}

#[test]
fn cut_elements_are_corrupt() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.npy");
    let bytes = fs::read(fixture("num_le_f8.npy")).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let error = open(&path, &OpenOptions::read()).unwrap_err();
    assert_eq!(error.kind(), stook_core::ErrorKind::Corrupt);
    assert_eq!(error.message(), "expected 48 bytes of elements, found 47");
}
