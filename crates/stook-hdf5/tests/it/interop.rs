//! Trees of others, copied node for node, are the same to h5py.

use stook_core::container::{Container, Link};
use stook_core::{AttributeEdits, AttributeValue, NodeKind, NodePath, Selection};
use stook_hdf5::Hdf5File;

use crate::python::{DESCRIBE, python};
use crate::support::{array, create, fixture, node, open, open_again, read, scratch};

/// Copies everything below `group`.
fn copy(from: &Hdf5File, to: &Hdf5File, group: &NodePath) {
    for child in from.children(group).unwrap() {
        let path = group.join(&child.name).unwrap();
        match (&child.link, child.kind) {
            (Link::Hard, Some(NodeKind::Group)) => {
                to.create_group(&path).unwrap();
                copy(from, to, &path);
            }
            (Link::Hard, Some(NodeKind::Array)) => {
                let source = array(from, path.as_str());
                let made = create(to, path.as_str(), &source.spec());
                if !source.spec().is_null() {
                    made.write(&Selection::All, &source.read(&Selection::All).unwrap()).unwrap();
                }
            }
            (Link::Hard, _) => continue,
            (link, _) => {
                to.create_link(&path, link).unwrap();
                continue;
            }
        }
        copy_attributes(from, to, &path);
    }
}

fn copy_attributes(from: &Hdf5File, to: &Hdf5File, path: &NodePath) {
    let attributes = from.attributes(path).unwrap();
    let edits = attributes.iter().fold(AttributeEdits::new(), |e, (k, v)| e.set(k, v.clone()));
    to.edit_attributes(path, &edits).unwrap();
}

const COMPARE: &str = r#"
# Attributes, and structs whose members differ in it, are written in one byte order.
NATIVE = True
with h5py.File(path + ".original") as a, h5py.File(path) as b:
    a, b = describe(a), describe(b)
def plain(x):
    # Layout and filters may differ, and links to one node become nodes.
    return [x[0], x[1], x[5]] if isinstance(x, tuple) and len(x) == 6 else x
assert a.keys() == b.keys(), a.keys() ^ b.keys()
for key in a:
    assert repr(plain(a[key])) == repr(plain(b[key])), (key, a[key], b[key])
"#;

#[test]
fn copies_are_the_same_to_h5py() {
    for name in ["dtypes.h5", "strings.h5", "attributes.h5", "tables.h5", "plugins.h5"] {
        let (_dir, path, file) = scratch();
        let from = open(name);
        copy(&from, &file, &node("/"));
        copy_attributes(&from, &file, &node("/"));
        drop(file);
        let original = path.with_file_name("x.h5.original");
        std::fs::copy(fixture(name), original).unwrap();
        python(&format!("import hdf5plugin\n{DESCRIBE}\n{COMPARE}"), &path);
    }
}

const REGIONS: &str = r#"
with h5py.File(path, "w") as f:
    d = f.create_dataset("d", data=np.arange(35).reshape(7, 5))
    e = f.create_dataset("later/e", data=np.arange(35).reshape(7, 5))
    regions = [d.regionref[1:3, 2:4], e.regionref[:, ::2], d.regionref[...], None]
    r = f.create_dataset("before", (5,), h5py.regionref_dtype)
    for i, region in enumerate(regions):
        if region is not None:
            r[i] = region
    mask = np.zeros((7, 5), bool)
    mask[0, 1] = mask[3, 4] = mask[4, 4] = True
    r[4] = d.regionref[mask]
    f.attrs["region"] = d.regionref[5, 1:4]
    pair = np.dtype([("n", "i4"), ("r", h5py.regionref_dtype), ("o", h5py.ref_dtype)])
    f.create_dataset("pair", (1,), pair)
"#;

#[test]
fn references_to_regions_are_read_and_written() {
    if std::env::var_os("STOOK_TEST_PYTHON").is_none() {
        return;
    }
    let (_dir, path, file) = scratch();
    drop(file);
    let original = path.with_file_name("x.h5.original");
    python(REGIONS, &original);
    let from = open_again(&original);
    let values = read(&from, "before");
    assert_eq!(values.dtype().to_string(), "{dataset: reference, region: string}");
    let heap = String::from_utf8(values.heap().to_vec()).unwrap();
    assert_eq!(heap, "/d1:3, 2:4/later/e0:7, 0:5:2/d.../d0, 1; 3, 4; 4, 4");
    let attributes = from.attributes(&node("/")).unwrap();
    let Some(AttributeValue::Values(region)) = attributes.get("region") else { panic!() };
    assert_eq!(region.heap(), b"/d5:6, 1:4");
    std::fs::remove_file(&path).unwrap();
    let file = Hdf5File::create(&path, &stook_hdf5::CreateOptions::default()).unwrap();
    copy(&from, &file, &node("/"));
    copy_attributes(&from, &file, &node("/"));
    drop((from, file));
    python(&format!("{DESCRIBE}\n{COMPARE}"), &path);
}
