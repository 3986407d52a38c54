//! The zarrs crate reads what we read: the same, wherever it reads at all.

use std::sync::Arc;

use stook_core::store::MemoryStore;
use stook_core::{Array, ArraySpec, Container, Format, NodePath, OpenOptions, Selection, Values};
use stook_zarr::ZarrContainer;
use zarrs::array::ArrayBytes;
use zarrs::storage::WritableStorageTraits;
use zarrs::storage::store::MemoryStore as TheirStore;

use crate::fixtures;
use crate::store::{array, path, values};

/// A copy of `store` for zarrs.
fn copy(store: &dyn stook_core::ByteStore) -> Arc<TheirStore> {
    let theirs = Arc::new(TheirStore::new());
    for (key, value) in values(store, "") {
        theirs.set(&key.as_str().try_into().unwrap(), value.into()).unwrap();
    }
    theirs
}

/// What zarrs makes of the array at `node`, in the form of our values; `None` where it cannot.
fn read(store: &Arc<TheirStore>, node: &str, spec: &ArraySpec) -> Option<Values> {
    let array = zarrs::array::Array::open(Arc::clone(store), node).ok()?;
    let bytes: ArrayBytes<'static> = array.retrieve_array_subset(&array.subset_all()).ok()?;
    let (dtype, shape) = (spec.dtype.clone(), spec.shape().to_vec());
    match bytes {
        ArrayBytes::Fixed(items) => Values::new(dtype, shape, items.to_vec(), Vec::new()).ok(),
        ArrayBytes::Variable(items) => {
            let (offsets, bytes) = (items.offsets(), items.bytes());
            let texts = offsets.windows(2).map(|pair| {
                String::from_utf8_lossy(bytes.get(pair[0]..pair[1]).unwrap_or_default())
                    .into_owned()
            });
            let texts: Vec<String> = texts.collect();
            let found = Values::from_strings(shape.clone(), &texts).ok()?;
            let (_, _, items, heap) = found.into_parts();
            Values::new(dtype, shape, items, heap).ok()
        }
        ArrayBytes::Optional(_) => None,
    }
}

/// Compares all arrays of `container`; the number that zarrs reads.
fn compare(container: &ZarrContainer, names: &[String]) -> usize {
    let (theirs, mut n_read, mut differ) = (copy(container.store()), 0, Vec::new());
    for node in names {
        let ours = array(container, node).unwrap();
        let Some(found) = read(&theirs, node, &ours.spec()) else { continue };
        let Ok(expected) = ours.read(&Selection::All) else {
            differ.push(format!("{node}: read by zarrs alone"));
            continue;
        };
        n_read += 1;
        if expected != found {
            differ.push(node.clone());
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    n_read
}

fn differential(version: &str, format: Format) -> (usize, usize) {
    let (mut names, mut read) = (Vec::new(), 0);
    let written = Arc::new(MemoryStore::new());
    let shared = Arc::<MemoryStore>::clone(&written);
    let target = ZarrContainer::create(shared, format, &OpenOptions::read_write()).unwrap();
    fixtures::each(version, &mut |_, container, name| {
        if names.is_empty() {
            fixtures::arrays(container, "", &mut names);
            read = compare(container, &names);
        }
        let old = array(container, name).unwrap();
        let Ok(values) = old.read(&Selection::All) else { return };
        let spec = target.adapt_array(&old.spec()).unwrap().value;
        let source = target.create_array(&path(name), &spec).unwrap();
        Array::new(source, "memory", NodePath::root()).write(&Selection::All, &values).unwrap();
    });
    (read, compare(&target, &names))
}

#[test]
fn zarrs_agrees_on_version_2() {
    let (theirs, ours) = differential("v2", Format::ZarrV2);
    assert!(theirs >= 67 && ours >= 67, "{theirs} of zarr-python's, {ours} of ours");
}

#[test]
fn zarrs_agrees_on_version_3() {
    let (theirs, ours) = differential("v3", Format::ZarrV3);
    assert!(theirs >= 74 && ours >= 78, "{theirs} of zarr-python's, {ours} of ours");
}
