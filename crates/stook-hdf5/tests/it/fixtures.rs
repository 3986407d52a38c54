//! Files that h5py and PyTables wrote are read as they meant them.

use std::path::{Path, PathBuf};

use stook_core::container::{Container, OpenOptions};
use stook_core::{Array, NodePath, Selection, Values};
use stook_hdf5::Hdf5File;

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

pub fn open(name: &str) -> Hdf5File {
    Hdf5File::open(fixture(name), &OpenOptions::read()).unwrap()
}

pub fn node(path: &str) -> NodePath {
    NodePath::parse(path).unwrap()
}

pub fn array(file: &Hdf5File, path: &str) -> Array {
    let source = file.open_array(&node(path)).unwrap_or_else(|error| panic!("{error}"));
    Array::new(source, file.path(), node(path))
}

pub fn read(file: &Hdf5File, path: &str) -> Values {
    array(file, path).read(&Selection::All).unwrap_or_else(|error| panic!("{error}"))
}

fn floats() -> Vec<f32> {
    (0..35_u8).map(f32::from).collect()
}

#[track_caller]
fn expect_floats(file: &Hdf5File, path: &str) {
    let found = array(file, path).read_as::<f32>(&Selection::All).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(found, floats(), "{path}");
}

#[test]
fn every_layout_is_read() {
    let file = open("layouts.h5");
    for path in ["contiguous", "big", "chunked", "unlimited", "compact", "virtual"] {
        expect_floats(&file, path);
    }
}
