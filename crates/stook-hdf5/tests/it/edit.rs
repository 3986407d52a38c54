//! Files that others wrote, changed in place: h5py makes the same changes to a copy, and the two
//! must be equal to it in all they hold.

use serde_json::json;
use stook_core::container::{Container, Link};
use stook_core::{
    Array, ArraySpec, AttributeEdits, AttributeValue, ChunkGrid, CodecSpec, DType, NodeKind,
    NodePath, Selection, Values,
};
use stook_hdf5::Hdf5File;

use crate::python::{DESCRIBE, python};
use crate::support::{array, create, fixture, node, open_again, scratch};

/// `n` as one item of a plain number type; `None` for other types.
fn number(dtype: &DType, n: u8) -> Option<Vec<u8>> {
    Some(match dtype {
        DType::Int8 | DType::UInt8 => vec![n],
        DType::Int16 | DType::UInt16 => u16::from(n).to_ne_bytes().to_vec(),
        DType::Int32 | DType::UInt32 => u32::from(n).to_ne_bytes().to_vec(),
        DType::Int64 | DType::UInt64 => u64::from(n).to_ne_bytes().to_vec(),
        DType::Float32 => f32::from(n).to_ne_bytes().to_vec(),
        DType::Float64 => f64::from(n).to_ne_bytes().to_vec(),
        _ => return None,
    })
}

fn filled(dtype: &DType, shape: &[u64], n: u8) -> Values {
    let count = usize::try_from(shape.iter().product::<u64>()).unwrap();
    let items = number(dtype, n).unwrap().repeat(count);
    Values::new(dtype.clone(), shape.to_vec(), items, Vec::new()).unwrap()
}

/// Writes a part, grows along each axis that can, and shrinks the first.
fn edit_array(array: &Array) {
    let dtype = array.dtype();
    if number(&dtype, 0).is_none() || array.shape().contains(&0) || array.shape().is_empty() {
        return;
    }
    let part: Vec<u64> = array.shape().iter().map(|&len| len.min(3) - len.min(1)).collect();
    let ranges = array.shape().iter().map(|&len| len.min(1)..len.min(3)).collect::<Vec<_>>();
    if part.iter().all(|&len| len > 0) {
        array.write(&Selection::ranges(ranges), &filled(&dtype, &part, 5)).unwrap();
    }
    let max = array.spec().max_shape.clone().unwrap();
    for (axis, _) in max.iter().enumerate().filter(|(_, max)| max.is_none()) {
        let mut slab = array.shape();
        slab[axis] = 3;
        array.append(&filled(&dtype, &slab, 7), axis).unwrap();
    }
    if max[0].is_none() {
        let mut shape = array.shape();
        shape[0] -= 2;
        array.resize(&shape).unwrap();
        shape[0] += 1;
        array.resize(&shape).unwrap();
    }
}

fn every_array(file: &Hdf5File, group: &NodePath, visit: &mut dyn FnMut(&NodePath)) {
    for child in file.children(group).unwrap() {
        let path = group.join(&child.name).unwrap();
        match (child.kind, child.link) {
            (Some(NodeKind::Group), Link::Hard) => every_array(file, &path, visit),
            (Some(NodeKind::Array), Link::Hard) => visit(&path),
            _ => {}
        }
    }
}

/// What `EDIT` below does with h5py.
fn edit(file: &Hdf5File) {
    let mut seen = Vec::new();
    every_array(file, &node("/"), &mut |path| {
        let siblings = file.children(&path.parent().unwrap()).unwrap();
        let child = siblings.into_iter().find(|child| child.name == path.name());
        let identity = child.unwrap().identity;
        if !seen.contains(&identity) && path.as_str() != "/unknown" && path.as_str() != "/virtual" {
            seen.push(identity);
            edit_array(&array(file, path.as_str()));
        }
    });
    let root = node("/");
    let floats = Values::new(DType::Float64, vec![2], vec![0; 16], vec![]).unwrap();
    let edits = AttributeEdits::new()
        .set("text", json!("new text"))
        .set("int", floats)
        .set("new", AttributeValue::Null(DType::Float32))
        .remove("floats")
        .set("large", json!(1));
    file.edit_attributes(&root, &edits).unwrap();
    let mut spec = ArraySpec::new(DType::Float32, [4, 6]);
    spec.grid = ChunkGrid::regular([2, 4]).unwrap();
    spec.max_shape = Some(vec![None, Some(6)]);
    spec.codecs = vec![CodecSpec::Shuffle { item_size: 4 }, CodecSpec::Zlib { level: 4 }];
    let made = create(file, "new/deep/data", &spec);
    made.write(&Selection::All, &filled(&DType::Float32, &[4, 6], 9)).unwrap();
    file.edit_attributes(&node("new/deep/data"), &AttributeEdits::new().set("units", json!("m")))
        .unwrap();
    file.rename(&node("new/deep/data"), &node("new/moved")).unwrap();
    file.remove(&node("new/deep")).unwrap();
    let first = file.children(&root).unwrap().into_iter().next().unwrap().name;
    file.rename(&node(&first), &node("renamed")).unwrap();
    let next = file.children(&root).unwrap().into_iter().next().unwrap().name;
    if next != "new" && next != "renamed" {
        file.remove(&node(&next)).unwrap();
    }
}

const EDIT: &str = r#"
import glob, shutil
import hdf5plugin

def edit_array(d):
    if d.dtype.kind not in "iuf" or d.dtype.itemsize > 8 or d.dtype.str[1:] == "f2":
        return
    if h5py.check_enum_dtype(d.dtype) or not d.shape or 0 in d.shape:
        return
    if d.id.get_type().get_class() == h5py.h5t.BITFIELD:
        return
    if all(n > 1 for n in d.shape):
        d[tuple(slice(1, 3) for _ in d.shape)] = 5
    for axis, most in enumerate(d.maxshape):
        if most is None:
            d.resize(d.shape[axis] + 3, axis=axis)
            d[(slice(None),) * axis + (slice(-3, None),)] = 7
    if d.maxshape[0] is None:
        d.resize(d.shape[0] - 2, axis=0)
        d.resize(d.shape[0] + 1, axis=0)

for original in glob.glob(path + "/*.h5"):
    edited, copy = original + ".edited", original + ".h5py"
    shutil.copy(original, copy)
    with h5py.File(copy, "r+") as f:
        arrays = []
        f.visititems(lambda name, d: arrays.append(d) if isinstance(d, h5py.Dataset) else None)
        for d in arrays:
            if d.name not in ("/unknown", "/virtual"):
                edit_array(d)
        f.attrs["text"] = "new text"
        f.attrs["int"] = np.zeros(2)
        f.attrs["new"] = h5py.Empty("f4")
        if "floats" in f.attrs:
            del f.attrs["floats"]
        f.attrs["large"] = 1
        d = f.create_dataset("new/deep/data", data=np.full((4, 6), 9, "f4"), chunks=(2, 4),
                             maxshape=(None, 6), shuffle=True, compression="gzip")
        d.attrs["units"] = "m"
        f.move("new/deep/data", "new/moved")
        del f["new/deep"]
        first = sorted(f)[0]
        f.move(first, "renamed")
        second = sorted(f)[0]
        if second not in ("new", "renamed"):
            del f[second]
    with h5py.File(copy) as a, h5py.File(edited) as b:
        a, b = describe(a), describe(b)
    assert a.keys() == b.keys(), (original, a.keys() ^ b.keys())
    for key in a:
        assert repr(a[key]) == repr(b[key]), (original, key, a[key], b[key])
"#;

/// A table with an index, and what else PyTables has.
const MAKE_TABLES: &str = r#"
import tables
rows = np.zeros(5000, [("k", "i4"), ("v", "f8"), ("n", [("x", "i2")])])
rows["k"] = np.arange(5000) % 5
with tables.open_file(path, "w") as f:
    t = f.create_table("/g", "t", rows, createparents=True)
    t.cols.k.create_csindex()
    t.cols.n.x.create_index()
    f.create_earray("/g", "e", obj=np.zeros((2, 3)), filters=tables.Filters(5, "blosc"))
    v = f.create_vlarray("/g", "v", tables.Int32Atom())
    v.append([1, 2])
"#;

const CHECK_TABLES: &str = r#"
import tables
with tables.open_file(path) as f:
    t = f.root.g.t
    assert t.nrows == 5001 == t.attrs.NROWS, (t.nrows, t.attrs.NROWS)
    assert t.cols.k.index.dirty and t.cols.n.x.index.dirty
    assert not t.will_query_use_indexing("k == 7")
    assert [r["v"] for r in t.where("k == 7")] == [1.5, 2.5]
    assert t.attrs.note == "seen" and t.attrs.TITLE == "A title" == t.title
    assert f.root.g.e.shape == (4, 3) and f.root.g.e[3, 2] == 8
    assert f.root.g.v[1].tolist() == [5, 6, 7]
    assert not [n for n in f.walk_nodes("/") if isinstance(n, tables.UnImplemented)]
with tables.open_file(path, "a") as f:
    t = f.root.g.t
    t.append([(7, 3.5, (1,))])
    t.reindex_dirty()
    assert [r["v"] for r in t.where("k == 7")] == [1.5, 2.5, 3.5]
    f.root.g.e.append(np.ones((1, 3)))
    f.root.g.v.append([1])
"#;

#[test]
fn tables_of_pytables_stay_whole() {
    if std::env::var_os("STOOK_TEST_PYTHON").is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.h5");
    python(MAKE_TABLES, &path);
    let file = open_again(&path);
    let table = array(&file, "g/t");
    let row = |value: f64| {
        let mut item = 7_i32.to_ne_bytes().to_vec();
        item.extend(value.to_ne_bytes());
        item.extend(0_i16.to_ne_bytes());
        item
    };
    let rows = |value| Values::new(table.dtype(), vec![1], row(value), Vec::new()).unwrap();
    table.write(&Selection::parse("3:4").unwrap(), &rows(1.5)).unwrap();
    table.append(&rows(2.5), 0).unwrap();
    let edits = AttributeEdits::new().set("note", json!("seen")).set("TITLE", json!("A title"));
    file.edit_attributes(&node("g/t"), &edits).unwrap();
    let growing = array(&file, "g/e");
    growing.append(&filled(&DType::Float64, &[2, 3], 8), 0).unwrap();
    let lists = array(&file, "g/v");
    let (mut items, mut heap) = (Vec::new(), Vec::new());
    let payload = [5_i32, 6, 7].map(i32::to_ne_bytes).concat();
    stook_core::values::push_heap_item(&mut items, &mut heap, &payload);
    let items = stook_core::HeapItem { offset: 0, len: 3 }.to_bytes().to_vec();
    lists.append(&Values::new(lists.dtype(), vec![1], items, heap).unwrap(), 0).unwrap();
    drop((file, table, growing, lists));
    python(CHECK_TABLES, &path);
}

#[test]
fn files_of_others_are_changed_as_h5py_changes_them() {
    let names = [
        "layouts.h5",
        "superblock-v2.h5",
        "superblock-v3.h5",
        "complex.h5",
        "userblock.h5",
        "paged.h5",
        "dense.h5",
        "attributes.h5",
        "dtypes.h5",
        "filters.h5",
        "links.h5",
        "strings.h5",
        "tables.h5",
    ];
    let dir = tempfile::tempdir().unwrap();
    for name in names {
        let path = dir.path().join(name);
        let edited = dir.path().join(format!("{name}.edited"));
        std::fs::copy(fixture(name), &path).unwrap();
        std::fs::copy(fixture(name), &edited).unwrap();
        let file = open_again(&edited);
        edit(&file);
        drop(file);
    }
    python(&format!("{DESCRIBE}\n{EDIT}"), dir.path());
}

#[test]
fn a_group_is_not_moved_into_itself_by_another_name() {
    let (_dir, _path, file) = scratch();
    let deep = node("/a/b/c");
    file.create_group(&deep).unwrap();
    for (at, target) in [("/soft", "/a"), ("/deep", "/a/b"), ("/loop", "/soft")] {
        file.create_link(&node(at), &Link::Soft(target.to_owned())).unwrap();
    }
    file.create_hard_link(&node("/d"), &node("/a/b")).unwrap();
    for to in ["/soft/x", "/deep/x", "/deep/c/x", "/loop/b/new/x"] {
        let error = file.rename(&node("/a"), &node(to)).unwrap_err();
        assert!(error.message().contains("into itself"), "{to}: {error}");
    }
    assert!(file.rename(&node("/d"), &node("/a/b/x")).is_err());
    // Links go anywhere, and groups by links to elsewhere.
    file.rename(&node("/deep"), &node("/soft/deep")).unwrap();
    file.create_group(&node("/e")).unwrap();
    file.rename(&node("/e"), &node("/loop/e")).unwrap();
    assert_eq!(file.kind(&node("/a/e")).unwrap(), Some(NodeKind::Group));
    assert_eq!(file.kind(&deep).unwrap(), Some(NodeKind::Group));
}

#[test]
fn a_chunk_that_was_changed_is_not_read_from_the_cache() {
    let (_folder, path, file) = scratch();
    let mut spec = ArraySpec::new(DType::UInt8, [4]);
    spec.grid = ChunkGrid::regular([4]).unwrap();
    spec.max_shape = Some(vec![None]);
    let node = NodePath::parse("/a").unwrap();
    file.create_array(&node, &spec).unwrap();
    // Each turn opens the array anew, reads a part of the chunk, and writes it as often as before.
    for n in 1..4_u8 {
        let array = Array::new(file.open_array(&node).unwrap(), &path, node.clone());
        let before: Vec<u8> = array.read_as(&Selection::parse("1:3").unwrap()).unwrap();
        assert_eq!(before, [n - 1; 2]);
        array.write(&Selection::All, &filled(&DType::UInt8, &[4], n)).unwrap();
    }
}
