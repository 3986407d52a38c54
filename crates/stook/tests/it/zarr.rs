//! The functions of zarr-python: the documents that it writes, its modes, copies and defaults.

mod documents;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use stook::codec::Endian;
use stook::store::{ByteStore, MemoryStore};
use stook::zarr::{
    self, AccessMode, Chunks, IfExists, IndexLocation, KeyEncoding, NewArray, Order, Place,
    Separator, UseConsolidated,
};
use stook::{Array, CodecSpec, EmptyChunks, ErrorKind, File, Format, Node, Selection, Values};

fn store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new())
}

fn keys(store: &MemoryStore) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    store
        .walk("", &mut |key, _| {
            let mut value = Vec::new();
            assert!(store.get(key, &mut value, 1 << 30)?);
            all.insert(key.to_owned(), String::from_utf8_lossy(&value).into_owned());
            Ok(())
        })
        .unwrap();
    all
}

#[test]
fn modes_are_those_of_zarr_python() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zarr");
    let open = |mode: &str| zarr::open_group(&path).mode(mode.parse().unwrap()).open();
    for mode in ["r", "r+"] {
        assert_eq!(open(mode).unwrap_err().kind(), ErrorKind::NotFound);
        assert!(!path.exists());
    }
    open("a").unwrap().create_group("b").unwrap();
    assert!(open("a").unwrap().contains("b").unwrap());
    let reader = open("r").unwrap();
    assert_eq!(reader.create_group("c").unwrap_err().kind(), ErrorKind::ReadOnly);
    open("r+").unwrap().create_group("c").unwrap();
    assert_eq!(open("w-").unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert!(open("w").unwrap().children().unwrap().is_empty());
    assert!("rw".parse::<AccessMode>().is_err());
    // What is not in order makes no folder, and costs none that is there.
    let other = folder.path().join("other.zarr");
    let bad = |new: NewArray| new.shape([3]).compressors([json!({"name": "acme"})]);
    assert!(bad(zarr::create([3])).store(&other).create().is_err());
    assert!(!other.exists());
    std::fs::create_dir(&other).unwrap();
    assert!(bad(zarr::create([3])).store(&other).create().is_err());
    assert!(zarr::create_group(&other).path("zarr.json").create().is_err());
    assert!(other.exists(), "a folder that was there stays");
    std::fs::remove_dir(&other).unwrap();
    assert!(zarr::create_group(&other).path("zarr.json").create().is_err());
    assert!(!other.exists());
    open("a").unwrap().create_group("kept").unwrap();
    let open_array = |mode| zarr::open_array(&path).mode(mode).creating(bad).open();
    assert_eq!(open_array(AccessMode::Overwrite).unwrap_err().kind(), ErrorKind::Unsupported);
    assert!(open("r").unwrap().contains("kept").unwrap());
    let array = zarr::open_array(&path).path("x").mode(AccessMode::Create);
    let array = array.creating(|new| new.shape([3])).open().unwrap();
    assert_eq!(array.shape(), [3]);
    let node = zarr::open(&path).path("x").mode(AccessMode::Read).open().unwrap();
    assert!(matches!(node, Node::Array(_)));
    let wrong = zarr::open(&path).path("x").format(Format::ZarrV2).open();
    assert_eq!(wrong.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(open_array(AccessMode::Read).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    let v2 = || zarr::zeros([4]).format(Format::ZarrV2);
    let none: [CodecSpec; 0] = [];
    for (what, new) in [
        ("shards", v2().shards([4])),
        ("serializer", v2().serializer(json!("bytes"))),
        ("codecs", v2().codecs(none.clone())),
        ("dimension names", v2().dimension_names(["x"])),
        ("compressors", v2().compressors([json!({"id": "zlib"}), json!({"id": "zlib"})])),
        ("chunk key", v2().chunk_key_encoding(KeyEncoding::Default(Separator::Dot))),
        ("codecs", zarr::zeros([4]).codecs(none.clone()).compressors(none)),
        ("shape", zarr::create_array(Place::memory()).dtype("i4".parse().unwrap())),
        ("dtype", zarr::create_array(Place::memory()).shape([1])),
        ("chunks", zarr::zeros([4]).chunks([1, 2])),
        ("fill value", zarr::full([4], "text")),
        ("shard", zarr::zeros([4]).chunks([3]).shards([4])),
        ("npy", zarr::zeros([4]).format(Format::Npy)),
        ("dimension_names", zarr::zeros([4]).dimension_names(["x", "y"])),
    ] {
        let error = new.create().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{what}: {error}");
        assert!(error.to_string().contains(what), "{what}: {error}");
    }
    let remote = zarr::open_group("gopher://bucket/a.zarr").open().unwrap_err();
    assert!(remote.to_string().contains("gopher://bucket"), "{remote}");
}

#[cfg(feature = "remote")]
#[test]
fn a_url_is_a_place() {
    let url = "memory://a-url-is-a-place/x.zarr";
    zarr::ones([3]).store(url).path("a").create().unwrap();
    let place = Place::url(url, []);
    let group = zarr::open_group(&place).mode(AccessMode::Read).open().unwrap();
    let array = group.open_array("a").unwrap();
    assert_eq!(array.read_as::<f64>(&Selection::All).unwrap(), [1.0; 3]);
    // One document for all nodes is read there as well, if it is asked for.
    zarr::consolidate_metadata(url, "").unwrap();
    let store = stook::open_store(url, [], stook::Mode::ReadWrite).unwrap();
    store.erase_prefix("a").unwrap();
    assert!(zarr::open_consolidated(url).open().unwrap().contains("a").unwrap());
    let missing = zarr::open_group("memory://a-url-is-no-place").mode(AccessMode::Read).open();
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
}

fn detailed(place: &Place, format: Format) -> Array {
    let new =
        zarr::create([40, 6]).store(place).path("d/a").format(format).dtype("i2".parse().unwrap());
    let new = new.chunks([10, 3]).fill_value(7).attribute("unit", "m");
    let new = match format {
        Format::ZarrV2 => new
            .endian(Endian::Big)
            .order(Order::F)
            .filters([CodecSpec::Shuffle { item_size: 2 }])
            .compressors([CodecSpec::Zlib { level: 2 }])
            .chunk_key_encoding(KeyEncoding::V2(Separator::Slash)),
        _ => new
            .shards([20, 6])
            .index_location(IndexLocation::Start)
            .filters([CodecSpec::Transpose { order: vec![1, 0] }])
            .compressors([CodecSpec::Gzip { level: 2 }])
            .dimension_names(["y", "x"])
            .chunk_key_encoding(KeyEncoding::Default(Separator::Dot)),
    };
    let array = new.create().unwrap();
    let values: Vec<i16> = (0..120).collect();
    array.write_elements(&Selection::parse("5:25").unwrap(), &[20, 6], &values).unwrap();
    array
}

fn document(array: &Array) -> String {
    let mut doc = array.file().document(array.path().as_str()).unwrap().unwrap();
    doc.shift_remove("attributes");
    serde_json::to_string(&doc).unwrap()
}

#[test]
fn arrays_like_others_keep_what_is_not_said() {
    for format in [Format::ZarrV2, Format::ZarrV3] {
        let old = detailed(&Place::memory(), format);
        let like = zarr::empty_like(&old).create().unwrap();
        assert_eq!(document(&like), document(&old));
        assert_eq!(like.read_as::<i16>(&Selection::All).unwrap(), [7; 240]);
        let copy = zarr::from_array(Place::memory(), &old).create().unwrap();
        assert_eq!(document(&copy), document(&old));
        let all = |array: &Array| array.read_as::<i16>(&Selection::All).unwrap();
        assert_eq!(all(&copy), all(&old));
        let other = if format == Format::ZarrV2 { Format::ZarrV3 } else { Format::ZarrV2 };
        let converted = zarr::from_array(Place::memory(), &old).format(other).create().unwrap();
        assert_eq!(all(&converted), all(&old));
        assert_eq!(converted.spec().grid, old.spec().grid);
        let none: [CodecSpec; 0] = [];
        let plain = zarr::from_array(Place::memory(), &old).compressors(none).create().unwrap();
        assert_eq!(all(&plain), all(&old));
        assert_eq!(plain.spec().codecs.len(), old.spec().codecs.len() - 1);
        assert_eq!(all(&zarr::ones_like(&old).create().unwrap()), [1; 240]);
        assert_eq!(all(&zarr::zeros_like(&old).create().unwrap()), [0; 240]);
        assert_eq!(
            all(&zarr::from_array(Place::memory(), &old).without_data().create().unwrap()),
            [7; 240]
        );
        let place = Place::memory();
        let opened = zarr::open_like(&old, "x").store(&place).open().unwrap();
        assert_eq!(document(&opened), document(&old));
    }
}

#[test]
fn arrays_of_other_formats_are_templates_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = File::create(folder.path().join("a.h5")).unwrap();
    let new = file.root_group().unwrap().array("x").shape([10, 4]).dtype("f4".parse().unwrap());
    let old = new.chunks([5, 2]).create().unwrap();
    old.write_elements(&Selection::All, &[], &[1.5_f32]).unwrap();
    let copy = zarr::from_array(Place::memory(), &old).create().unwrap();
    assert_eq!(copy.read_as::<f32>(&Selection::All).unwrap(), [1.5; 40]);
    assert_eq!(copy.spec().grid, old.spec().grid);
    let group = zarr::group(Place::memory()).open().unwrap();
    zarr::ones([3]).store(&group).path("z").create().unwrap();
    let root = file.root_group().unwrap();
    assert_eq!(zarr::copy_all(&group, &root).run().unwrap().n_copied, 1);
    assert_eq!(root.open_array("z").unwrap().read_as::<f64>(&Selection::All).unwrap(), [1.0; 3]);
    assert_eq!(
        zarr::copy(&root.open_array("x").unwrap(), &group).run().unwrap().n_bytes_copied,
        160
    );
    let doc = file.document("x").unwrap().unwrap();
    assert_eq!((&doc["data_type"], &doc["node_type"]), (&json!("float32"), &json!("array")));
    assert_eq!(file.document("/").unwrap().unwrap()["node_type"], "group");
    assert_eq!(file.document("none").unwrap(), None);
    assert_eq!(file.consolidated("/").unwrap_err().kind(), ErrorKind::Unsupported);
    let made = zarr::zeros([3]).store(&file).path("n").create().unwrap();
    assert_eq!(made.file().format(), Format::Hdf5);
    assert_eq!(made.read_as::<f64>(&Selection::All).unwrap(), [0.0; 3]);
}

#[test]
fn empty_chunks_are_stored_if_asked_for() {
    for shards in [None, Some([4_u64])] {
        let store = store();
        let new = zarr::zeros([4]).store(Arc::clone(&store)).chunks(2).path("a");
        let new = if let Some(shards) = shards { new.shards(shards) } else { new };
        let array = new.create().unwrap();
        array.write_elements(&Selection::All, &[], &[0.0]).unwrap();
        assert_eq!(array.source().n_stored().unwrap(), 0);
        let array = array.with_empty_chunks(EmptyChunks::Written);
        assert_eq!(array.empty_chunks(), EmptyChunks::Written);
        array.write_elements(&Selection::All, &[], &[0.0]).unwrap();
        let n = if shards.is_some() { 1 } else { 2 };
        assert_eq!(array.source().n_stored().unwrap(), n);
        array
            .with_empty_chunks(EmptyChunks::Skipped)
            .write_elements(&Selection::All, &[], &[0.0])
            .unwrap();
        assert_eq!(keys(&store).keys().filter(|key| key.contains("/c/")).count(), 0);
    }
}

#[test]
fn a_hierarchy_is_made_whole_or_not_at_all() {
    let store = store();
    let place = Place::from(Arc::clone(&store));
    let array = || zarr::zeros([3]).attribute("x", 1).documents().unwrap();
    let group =
        || (json!({"zarr_format": 3, "node_type": "group"}).as_object().unwrap().clone(), None);
    let make = |nodes, if_exists| zarr::create_hierarchy(&place, nodes, if_exists);
    let raise = IfExists::Raise;
    let bad = make(vec![("a/b", array()), ("a/b/c", group())], raise).unwrap_err();
    assert_eq!(bad.kind(), ErrorKind::InvalidInput);
    let v2 = zarr::zeros([3]).format(Format::ZarrV2).documents().unwrap();
    let mixed = make(vec![("a", array()), ("b", v2)], raise).unwrap_err();
    assert!(mixed.to_string().contains("version"), "{mixed}");
    let mut broken = array();
    broken.0.insert("codecs".to_owned(), json!([{"name": "acme"}]));
    assert_eq!(
        make(vec![("a", array()), ("b", broken)], raise).unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    assert!(keys(&store).is_empty());
    let nodes = make(vec![("/a/b", array()), ("c", group())], raise).unwrap();
    let names: Vec<_> = nodes.keys().map(|path| path.as_str().to_owned()).collect();
    assert_eq!(names, ["/", "/a", "/a/b", "/c"]);
    let before = keys(&store);
    assert_eq!(
        make(vec![("d", group()), ("c", group())], raise).unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );
    assert_eq!(keys(&store), before);
    assert_eq!(make(vec![("a/b", group())], IfExists::Skip).unwrap().len(), 3);
    assert_eq!(keys(&store), before);
    let nodes = make(vec![("a", group()), ("a/x", array())], IfExists::Replace).unwrap();
    assert_eq!(nodes.len(), 3);
    assert!(!keys(&store).contains_key("a/b/zarr.json"));
    assert!(make(vec![("a", group())], IfExists::SkipInitialized).is_err());
}

#[test]
fn copies_are_those_of_version_2() {
    let old = zarr::group(Place::memory()).open().unwrap();
    old.set_attribute("root", 1).unwrap();
    let array = detailed(&Place::from(&old), Format::ZarrV3);
    old.create_group("d/e").unwrap().set_attribute("e", 2).unwrap();
    let new = zarr::group(Place::memory()).open().unwrap();
    let dry = zarr::copy(&old.group("d").unwrap(), &new).dry_run().run().unwrap();
    assert_eq!((dry.n_copied, dry.n_skipped, dry.n_bytes_copied), (3, 0, 0));
    assert!(new.children().unwrap().is_empty());
    let done = zarr::copy(&old.group("d").unwrap(), &new).name("x/y").run().unwrap();
    assert_eq!((done.n_copied, done.n_skipped, done.n_bytes_copied), (3, 0, 480));
    let copied = new.open_array("x/y/a").unwrap();
    assert_eq!(document(&copied), document(&array));
    assert_eq!(copied.attributes().unwrap().len(), 1);
    assert_eq!(copied.read(&Selection::All).unwrap(), array.read(&Selection::All).unwrap());
    let again = |if_exists| zarr::copy(&array, &new).name("x/y/a").if_exists(if_exists).run();
    assert_eq!(again(IfExists::Raise).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(again(IfExists::Skip).unwrap().n_skipped, 1);
    assert_eq!(again(IfExists::Replace).unwrap().n_copied, 1);
    assert_eq!(again(IfExists::SkipInitialized).unwrap().n_skipped, 1);
    copied.resize(&[60, 6]).unwrap();
    assert_eq!(again(IfExists::SkipInitialized).unwrap().n_copied, 1);
    let shallow =
        zarr::copy(&old.group("d").unwrap(), &new).name("s").shallow().without_attributes();
    assert_eq!(shallow.run().unwrap().n_copied, 2);
    assert!(new.open_array("s/a").unwrap().attributes().unwrap().is_empty());
    assert!(zarr::copy(&old, &new).run().is_err());
    assert!(zarr::copy(&old.group("d").unwrap(), &old.group("d/e").unwrap()).run().is_err());
    let all = zarr::group(Place::memory()).open().unwrap();
    assert_eq!(zarr::copy_all(&old, &all).run().unwrap().n_copied, 3);
    assert_eq!(all.attributes().unwrap().len(), 1);
    // Version 3 to version 2.
    let v2 = zarr::group(Place::memory()).format(Format::ZarrV2).open().unwrap();
    zarr::copy(&array, &v2).run().unwrap();
    let converted = v2.open_array("a").unwrap();
    assert_eq!(converted.read(&Selection::All).unwrap(), array.read(&Selection::All).unwrap());
    assert!(document(&converted).contains("\"zarr_format\":2"));
}

#[test]
fn stores_are_copied_key_by_key() {
    let (old, new) = (store(), store());
    detailed(&Place::from(Arc::clone(&old)), Format::ZarrV3);
    let copy = || zarr::copy_store(&*old, &*new).source_path("d").target_path("x/y");
    let n = keys(&old).keys().filter(|key| key.starts_with("d/")).count() as u64;
    assert_eq!(copy().dry_run().run().unwrap().n_copied, n);
    let done = copy().run().unwrap();
    assert_eq!((done.n_copied, done.n_skipped), (n, 0));
    assert_eq!(done.n_bytes_copied, keys_len(&new));
    assert!(new.len_bytes("x/y/a/zarr.json").unwrap().is_some());
    assert_eq!(copy().run().unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(copy().if_exists(IfExists::Skip).run().unwrap().n_skipped, n);
    assert_eq!(copy().if_exists(IfExists::Replace).run().unwrap().n_copied, n);
    assert!(copy().if_exists(IfExists::SkipInitialized).run().is_err());
    let only = copy().exclude(|key| key.starts_with("a/")).include(|key| key == "a/zarr.json");
    assert_eq!(only.if_exists(IfExists::Replace).run().unwrap().n_copied, 2);
}

fn keys_len(store: &MemoryStore) -> u64 {
    let mut total = 0;
    store
        .walk("", &mut |_, len| {
            total += len;
            Ok(())
        })
        .unwrap();
    total
}

#[test]
fn what_is_saved_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let text = Values::from_strings(vec![2], &["a", "bab"]).unwrap();
    for name in ["a.zarr", "a.zarr.zip"] {
        let path = folder.path().join(name);
        zarr::save(&path, "one", std::slice::from_ref(&text)).unwrap();
        zarr::save(&path, "two", &[text.clone(), text.clone()]).unwrap();
        assert!(zarr::save(&path, "one", std::slice::from_ref(&text)).is_err());
        assert!(zarr::save(&path, "none", &[]).is_err());
        let zarr::Loaded::Array(one) = zarr::load(&path, "one").unwrap() else { panic!() };
        assert_eq!(one, text);
        let zarr::Loaded::Group(two) = zarr::load(&path, "two").unwrap() else { panic!() };
        assert_eq!(two.names().unwrap(), ["arr_0", "arr_1"]);
        assert_eq!(two.get("arr_1").unwrap(), text);
    }
}

#[test]
fn trees_are_drawn_as_deep_as_asked_for() {
    let root = zarr::group(Place::memory()).open().unwrap();
    zarr::zeros([3]).store(&root).path("x").dtype("i4".parse().unwrap()).create().unwrap();
    zarr::zeros([3, 4]).store(&root).path("y/zz").dtype("f4".parse().unwrap()).create().unwrap();
    insta::assert_snapshot!(zarr::tree(&root, None).unwrap(), @r"
    /
    ├── x (3,) int32
    └── y
        └── zz (3, 4) float32
    ");
    insta::assert_snapshot!(zarr::tree(&root, Some(1)).unwrap(), @r"
    /
    ├── x (3,) int32
    └── y
    ");
}

#[test]
fn consolidated_metadata_is_used_required_or_ignored() {
    for format in [Format::ZarrV2, Format::ZarrV3] {
        let store = store();
        let place = Place::from(Arc::clone(&store));
        zarr::group(&place).format(format).open().unwrap();
        zarr::zeros([3]).store(&place).path("a/b").format(format).create().unwrap();
        let required = || zarr::open_consolidated(&place).open();
        assert_eq!(required().unwrap_err().kind(), ErrorKind::NotFound);
        zarr::consolidate_metadata(&place, "").unwrap();
        // Gone behind the back of the consolidated metadata.
        store.erase_prefix("a/b").unwrap();
        assert!(required().unwrap().contains("a/b").unwrap());
        let open = |use_consolidated| {
            let group = zarr::open_group(&place).mode(AccessMode::Read);
            group.consolidated(use_consolidated).open().unwrap().contains("a/b").unwrap()
        };
        assert!(open(UseConsolidated::IfPresent));
        assert!(!open(UseConsolidated::Ignored));
    }
}

#[test]
fn a_group_is_a_place() {
    let root = zarr::group(Place::memory()).open().unwrap();
    let group = root.create_group("a/b").unwrap();
    let array = zarr::zeros([3]).store(&group).path("c").chunks(Chunks::Whole).create().unwrap();
    assert_eq!(array.path().as_str(), "/a/b/c");
    group.rename("c", "d").unwrap();
    assert!(root.contains("a/b/d").unwrap());
}
