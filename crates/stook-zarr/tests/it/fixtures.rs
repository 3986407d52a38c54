//! What zarr-python 3.1.6 wrote is read bit for bit, and rewritten so that it reads the same.

use std::sync::Arc;

use stook_core::store::{ByteStore, MemoryStore};
use stook_core::{Array, ArraySpec, Container, Format, NodeKind, Selection, Values};
use stook_zarr::ZarrContainer;

use crate::store::{array, below, fixtures, open, path};

/// The arrays below `group`, by path.
pub(crate) fn arrays(container: &ZarrContainer, group: &str, found: &mut Vec<String>) {
    for child in container.children(&path(group)).unwrap() {
        let node = format!("{group}/{}", child.name);
        match child.kind {
            Some(NodeKind::Array) => found.push(node),
            _ => arrays(container, &node, found),
        }
    }
}

/// Checks `values` against what zarr-python read.
fn check(all: &MemoryStore, name: &str, values: &Values) {
    let mut expected = Vec::new();
    if all.get(&format!("expected/{name}.bin"), &mut expected, 1 << 30).unwrap() {
        assert!(values.items() == expected, "{name}: items differ");
        return;
    }
    assert!(all.get(&format!("expected/{name}.json"), &mut expected, 1 << 30).unwrap(), "{name}");
    let expected: Vec<String> = serde_json::from_slice(&expected).unwrap();
    let found: Vec<String> = (0..values.len()).map(|i| values.text_at(i).unwrap()).collect();
    assert_eq!(found, expected, "{name}");
}

pub(crate) fn each(version: &str, visit: &mut dyn FnMut(&MemoryStore, &ZarrContainer, &str)) {
    let all = fixtures();
    let container = open(&below(&all, version));
    let mut names = Vec::new();
    arrays(&container, "", &mut names);
    assert!(names.len() > 60, "{}", names.len());
    names.iter().for_each(|name| visit(&all, &container, name));
}

fn reads_all(version: &str) {
    let mut failed = Vec::new();
    each(version, &mut |all, container, name| {
        let result = array(container, name).unwrap().read(&Selection::All);
        match result {
            Ok(values) => check(all, &format!("{version}{name}"), &values),
            Err(error) => failed.push(format!("{error}")),
        }
    });
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn every_array_of_version_2_reads_bit_for_bit() {
    reads_all("v2");
}

#[test]
fn every_array_of_version_3_reads_bit_for_bit() {
    reads_all("v3");
}

/// Writes what was read through our own codecs, in place and into a new array of the same spec.
fn rewrites_all(version: &str, format: Format) {
    each(version, &mut |all, container, name| {
        let old = array(container, name).unwrap();
        let values = old.read(&Selection::All).unwrap();
        old.write(&Selection::All, &values).unwrap();
        let again = array(container, name).unwrap().read(&Selection::All).unwrap();
        assert_eq!(again, values, "{name}");
        check(all, &format!("{version}{name}"), &again);
        let spec = container.adapt_array(&old.spec()).unwrap();
        let copy = copy_of(&spec.value, format, &values);
        assert_eq!(copy, values, "{name}");
    });
}

fn copy_of(spec: &ArraySpec, format: Format, values: &Values) -> Values {
    let store = Arc::new(MemoryStore::new());
    let container =
        ZarrContainer::create(store, format, &stook_core::OpenOptions::read_write()).unwrap();
    let source = container.create_array(&path("/a/b"), spec).unwrap();
    assert_eq!(container.kind(&path("/a")).unwrap(), Some(NodeKind::Group));
    Array::new(source, "memory", path("/a/b")).write(&Selection::All, values).unwrap();
    let opened = array(&container, "/a/b").unwrap();
    assert_eq!(opened.dtype(), spec.dtype);
    assert_eq!(opened.spec().shards, spec.shards);
    opened.read(&Selection::All).unwrap()
}

#[test]
fn every_array_of_version_2_survives_being_rewritten() {
    rewrites_all("v2", Format::ZarrV2);
}

#[test]
fn every_array_of_version_3_survives_being_rewritten() {
    rewrites_all("v3", Format::ZarrV3);
}

/// Files of anndata, as its users have them (samples/README.md tells where they are from).
#[test]
fn real_files_read_and_have_children() {
    let samples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    for name in ["anndata-0.7.8.zarr.zip", "anndata-0.11.4.zarr.zip"] {
        let limits = stook_core::Limits::default();
        let file = samples.join(name);
        let store = stook_core::store::ZipStore::open(file, stook_core::Mode::Read, &limits);
        let options = stook_core::OpenOptions::read();
        let container = ZarrContainer::open(Arc::new(store.unwrap()), &options).unwrap();
        let mut names = Vec::new();
        arrays(&container, "", &mut names);
        assert!(names.len() >= 2, "{name}: {names:?}");
        for node in names {
            let values = array(&container, &node).unwrap().read(&Selection::All);
            values.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
