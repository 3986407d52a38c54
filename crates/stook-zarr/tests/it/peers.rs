//! What is written here, others read: zarr-python, where `STOOK_TEST_PYTHON` names a Python that
//! has it. Every array that it wrote is written again here, and read by it again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use stook_core::dtype::EnumType;
use stook_core::store::LocalStore;
use stook_core::{
    Array, ArraySpec, Container, DType, Format, NodePath, OpenOptions, Selection, Values,
};
use stook_zarr::ZarrContainer;

use crate::fixtures;
use crate::store::{array, path, values};

/// Arrays that zarr-python itself cannot open again.
const NOT_THERE: [&str; 1] = ["v2/dtype/nested"];

fn python() -> Option<PathBuf> {
    std::env::var_os("STOOK_TEST_PYTHON").map(PathBuf::from)
}

fn write_expected(folder: &Path) {
    for (key, value) in values(&*crate::store::fixtures(), "expected") {
        if NOT_THERE.iter().any(|name| key.starts_with(&format!("expected/{name}."))) {
            continue;
        }
        let file = folder.join(key);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, value).unwrap();
    }
}

/// A type that Zarr has no name for, with its integers as expectation.
fn write_enum(target: &ZarrContainer, folder: &Path) {
    let members = vec![("dark".to_owned(), 0), ("light".to_owned(), 1)];
    let dtype = DType::Enum(Arc::new(EnumType { base: DType::Int16, members }));
    let items: Vec<u8> = [0_i16, 1, 1, 0].iter().flat_map(|item| item.to_ne_bytes()).collect();
    let values = Values::new(dtype.clone(), vec![4], items.clone(), Vec::new()).unwrap();
    let source = target.create_array(&path("enum"), &ArraySpec::new(dtype.clone(), vec![4]));
    let array = Array::new(source.unwrap(), target.location(), path("enum"));
    array.write(&Selection::All, &values).unwrap();
    assert_eq!(target.open_array(&path("enum")).unwrap().spec().dtype, dtype);
    std::fs::create_dir_all(folder.join("expected/v3")).unwrap();
    std::fs::write(folder.join("expected/v3/enum.bin"), items).unwrap();
}

#[test]
fn zarr_python_reads_what_is_written_here() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (version, format) in [("v2", Format::ZarrV2), ("v3", Format::ZarrV3)] {
        let store = Arc::new(LocalStore::create(folder.path().join(version)).unwrap());
        let target = ZarrContainer::create(store, format, &OpenOptions::read_write()).unwrap();
        fixtures::each(version, &mut |_, container, name| {
            if NOT_THERE.contains(&format!("{version}{name}").as_str()) {
                return;
            }
            let old = array(container, name).unwrap();
            let spec = target.adapt_array(&old.spec()).unwrap().value;
            let source = target.create_array(&path(name), &spec).unwrap();
            let values = old.read(&Selection::All).unwrap();
            Array::new(source, target.location(), path(name))
                .write(&Selection::All, &values)
                .unwrap();
        });
        if format == Format::ZarrV3 {
            write_enum(&target, folder.path());
        }
        target.consolidate(&NodePath::root()).unwrap_or_else(|error| panic!("{error}"));
    }
    write_expected(folder.path());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/compare.py");
    let output = Command::new(python).arg(script).arg(folder.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("compared"), "{text}");
}
