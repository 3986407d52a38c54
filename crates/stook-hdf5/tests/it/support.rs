//! Short ways to open and read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use stook_core::codec::CodecSpec;
use stook_core::container::{Container, OpenOptions};
use stook_core::{Array, ArraySpec, ChunkGrid, DType, NodePath, Selection, Values};
use stook_hdf5::{CreateOptions, Hdf5File};

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

pub(crate) fn open(name: &str) -> Hdf5File {
    Hdf5File::open(fixture(name), &OpenOptions::read()).unwrap()
}

pub(crate) fn node(path: &str) -> NodePath {
    NodePath::parse(path).unwrap()
}

#[track_caller]
pub(crate) fn array(file: &Hdf5File, path: &str) -> Array {
    let source = file.open_array(&node(path)).unwrap_or_else(|error| panic!("{error}"));
    Array::new(source, file.path(), node(path))
}

#[track_caller]
pub(crate) fn read(file: &Hdf5File, path: &str) -> Values {
    array(file, path).read(&Selection::All).unwrap_or_else(|error| panic!("{error}"))
}

/// A new file in a folder that goes with the guard.
pub(crate) fn scratch() -> (tempfile::TempDir, PathBuf, Hdf5File) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.h5");
    let file = Hdf5File::create(&path, &CreateOptions::default()).unwrap();
    (dir, path, file)
}

#[track_caller]
pub(crate) fn create(file: &Hdf5File, path: &str, spec: &ArraySpec) -> Array {
    let source = file.create_array(&node(path), spec).unwrap_or_else(|error| panic!("{error}"));
    Array::new(source, file.path(), node(path))
}

/// Arrays hold their sources; a file can be opened again once all are gone.
pub(crate) fn reopen(file: Hdf5File, arrays: Vec<Array>) -> Hdf5File {
    let path = file.path().to_path_buf();
    for array in arrays {
        assert!(Arc::strong_count(array.source()) >= 1);
    }
    drop(file);
    open_again(&path)
}

/// Opens a file for writing. A child process that another test started just while this file was
/// opened may hold its lock for a moment.
pub(crate) fn open_again(path: &Path) -> Hdf5File {
    for _ in 0..200 {
        match Hdf5File::open(path, &OpenOptions::read_write()) {
            Err(error) if error.kind() == stook_core::ErrorKind::Locked => {
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            result => return result.unwrap(),
        }
    }
    panic!("`{}` stays locked", path.display());
}

/// An array that grows by rows of the shape `row`, with so many `rows` in a chunk.
pub(crate) fn growing_spec(
    dtype: DType,
    row: &[u64],
    rows: u64,
    codecs: Vec<CodecSpec>,
) -> ArraySpec {
    let shape: Vec<u64> = std::iter::once(0).chain(row.iter().copied()).collect();
    let chunk: Vec<u64> = std::iter::once(rows).chain(row.iter().copied()).collect();
    let mut spec = ArraySpec::new(dtype, shape);
    spec.grid = ChunkGrid::regular(chunk).unwrap();
    spec.max_shape = Some(std::iter::once(None).chain(row.iter().copied().map(Some)).collect());
    spec.codecs = codecs;
    spec
}

/// The row `row` of an array, as judges in Python expect it.
pub(crate) fn row_values(dtype: &DType, shape: &[u64], row: u64) -> Values {
    let shape: Vec<u64> = std::iter::once(1).chain(shape.iter().skip(1).copied()).collect();
    let n: u64 = shape.iter().product();
    let items: Vec<u8> = match dtype {
        DType::Float64 => (0..n).flat_map(|i| ((row * 1000 + i) as f64).to_ne_bytes()).collect(),
        DType::UInt16 => (0..n).flat_map(|i| ((row * 7 + i) as u16).to_ne_bytes()).collect(),
        _ => return Values::from_strings(shape, &[format!("row {row}")]).unwrap(),
    };
    Values::new(dtype.clone(), shape, items, Vec::new()).unwrap()
}
