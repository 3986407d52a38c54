//! Trees in every format: made, changed, read back.

use serde_json::{Map, json};
use stook::{
    AttributeValue, AxisSelection, CodecSpec, DType, ErrorKind, File, Format, Link, Node, NodePath,
    Selection, Values,
};

const TREES: [&str; 3] = ["t.zarr", "t.zarr.zip", "t.h5"];

#[test]
fn what_is_written_is_read_back_in_every_format() {
    for name in TREES {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        let file = File::create(&path).unwrap();
        let root = file.root_group().unwrap();
        let array =
            root.array("a/b/x").dtype(DType::Int32).shape([5, 7]).chunks([2, 3]).create().unwrap();
        let elements: Vec<i32> = (0..35).collect();
        array.write_elements(&Selection::All, &[5, 7], &elements).unwrap();
        array.set_attribute("units", Values::text("mV")).unwrap();
        root.set_attribute("n", AttributeValue::Json(json!(3))).unwrap();
        let texts = Values::from_strings(vec![3], &["", "é", "long text"]).unwrap();
        root.array("names")
            .dtype(DType::string())
            .shape([3])
            .create()
            .unwrap()
            .write(&Selection::All, &texts)
            .unwrap();
        file.commit().unwrap();
        drop((file, root, array));

        let file = File::open(&path).unwrap();
        let array = file.array("a/b/x").unwrap();
        assert_eq!(array.read_as::<i32>(&Selection::All).unwrap(), elements, "{name}");
        assert_eq!(
            array.read_as::<i32>(&Selection::parse("3, ::-3").unwrap()).unwrap(),
            [27, 24, 21]
        );
        let units =
            stook::json::of_attribute(array.attributes().unwrap().get("units").unwrap()).unwrap();
        assert_eq!(units, json!("mV"));
        let names = file.array("names").unwrap().read(&Selection::All).unwrap();
        assert_eq!(names.text_at(1).unwrap(), "é");
        let children: Vec<String> = file
            .root_group()
            .unwrap()
            .children()
            .unwrap()
            .into_iter()
            .map(|child| child.name)
            .collect();
        assert_eq!(children, ["a", "names"], "{name}");
        assert!(matches!(file.node("a/b").unwrap(), Node::Group(_)));
        let error = array.write_elements(&Selection::All, &[], &[0_i32]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReadOnly, "{name}: {error}");
    }
}

#[test]
fn nodes_are_moved_removed_resized_and_appended_to() {
    for name in TREES {
        let dir = tempfile::tempdir().unwrap();
        let file = File::create(dir.path().join(name)).unwrap();
        let root = file.root_group().unwrap();
        let array = root
            .array("grow")
            .dtype(DType::UInt8)
            .shape([0, 2])
            .max_shape([None, Some(2)])
            .chunks([4, 2])
            .create()
            .unwrap();
        let rows = |n: u64, value| {
            Values::new(DType::UInt8, vec![n, 2], vec![value; 2 * n as usize], vec![]).unwrap()
        };
        array.append(&rows(3, 1), 0).unwrap();
        array.append(&rows(3, 2), 0).unwrap();
        assert_eq!(
            array.read_as::<u8>(&Selection::parse(":, 0").unwrap()).unwrap(),
            [1, 1, 1, 2, 2, 2],
            "{name}"
        );
        array.resize(&[2, 2]).unwrap();
        array.resize(&[4, 2]).unwrap();
        assert_eq!(
            array.read_as::<u8>(&Selection::parse(":, 1").unwrap()).unwrap(),
            [1, 1, 0, 0],
            "{name}"
        );
        root.rename("grow", "deep/er/grown").unwrap();
        assert!(!root.contains("grow").unwrap());
        let moved = root.open_array("deep/er/grown").unwrap();
        assert_eq!(moved.shape(), [4, 2]);
        root.remove("deep").unwrap();
        assert!(root.children().unwrap().is_empty());
        assert_eq!(root.node("deep").unwrap_err().kind(), ErrorKind::NotFound);
    }
}

#[test]
fn links_of_hdf5_are_listed_and_followed() {
    let dir = tempfile::tempdir().unwrap();
    let file = File::create(dir.path().join("l.h5")).unwrap();
    let root = file.root_group().unwrap();
    root.array("x").dtype(DType::Int8).shape([2]).create().unwrap();
    root.create_link("alias", &Link::Soft("/x".to_owned())).unwrap();
    root.create_link("gone", &Link::Soft("/nowhere".to_owned())).unwrap();
    let links: Vec<_> =
        root.children().unwrap().into_iter().map(|c| (c.name, c.link, c.kind.is_some())).collect();
    assert_eq!(
        links,
        [
            ("alias".to_owned(), Link::Soft("/x".to_owned()), true),
            ("gone".to_owned(), Link::Soft("/nowhere".to_owned()), false),
            ("x".to_owned(), Link::Hard, true),
        ]
    );
    assert_eq!(root.open_array("alias").unwrap().shape(), [2]);
    let zarr = File::create(dir.path().join("l.zarr")).unwrap();
    let link = Link::Soft("/x".to_owned());
    assert_eq!(
        zarr.root_group().unwrap().create_link("a", &link).unwrap_err().kind(),
        ErrorKind::Unsupported
    );
}

#[test]
fn shards_and_codecs_are_as_asked_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let zarr = File::create(dir.path().join("s.zarr")).unwrap().root_group().unwrap();
    let codecs = [CodecSpec::Shuffle { item_size: 4 }, CodecSpec::Gzip { level: 3 }];
    let array = zarr
        .array("x")
        .dtype(DType::Float32)
        .shape([8, 8])
        .chunks([2, 2])
        .shards([4, 8])
        .codecs(codecs);
    let array = array.create().unwrap();
    let elements: Vec<f32> = (0..64_u8).map(f32::from).collect();
    array.write_elements(&Selection::All, &[8, 8], &elements).unwrap();
    let list = Selection::Axes(vec![AxisSelection::List(vec![7, 0, 7]), AxisSelection::Index(1)]);
    assert_eq!(array.read_as::<f32>(&list).unwrap(), [57.0, 1.0, 57.0]);
    assert_eq!(array.source().n_stored().unwrap(), 2);

    let hdf5 = File::create(dir.path().join("s.h5")).unwrap().root_group().unwrap();
    let sharded = hdf5.array("x").shape([8, 8]).chunks([2, 2]).shards([4, 8]).create();
    assert_eq!(sharded.unwrap_err().kind(), ErrorKind::Unsupported);
    assert!(!hdf5.contains("x").unwrap());
}

#[test]
fn a_file_of_one_array_has_it_at_the_root() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.npy");
    let array = File::create(dir.path().join("x.zarr")).unwrap().root_group().unwrap().array("x");
    let array = array.dtype(DType::Int16).shape([2, 2]).create().unwrap();
    array.write_elements(&Selection::All, &[2, 2], &[1_i16, 2, 3, 4]).unwrap();
    array.file().commit().unwrap();
    let mut options =
        stook::ConvertOptions { node: NodePath::parse("x").unwrap(), ..Default::default() };
    stook::convert(dir.path().join("x.zarr"), &path, &mut options).unwrap();
    let file = File::open(&path).unwrap();
    assert_eq!(file.format(), Format::Npy);
    let Node::Array(array) = file.root().unwrap() else { panic!("an array") };
    assert_eq!(array.read_as::<i16>(&Selection::parse(":, 1").unwrap()).unwrap(), [2, 4]);
}

#[test]
fn a_new_file_may_be_one_array() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["x.npy", "x.zarr", "x.zarr.zip"] {
        let path = dir.path().join(name);
        let array =
            File::create_array(&path).unwrap().dtype(DType::Int16).shape([3]).create().unwrap();
        array.write_elements(&Selection::All, &[3], &[1_i16, 2, 3]).unwrap();
        array.file().commit().unwrap();
        drop(array);
        let array = File::open(&path).unwrap().array("/").unwrap();
        assert_eq!(
            array.read_as::<i16>(&Selection::parse("::-1").unwrap()).unwrap(),
            [3, 2, 1],
            "{name}"
        );
    }
    for name in ["y.npy", "y.zarr", "y.zarr.zip"] {
        let path = dir.path().join(name);
        // What is wrong with it is found out at the end.
        let builder = File::create_array(&path).unwrap().dtype(DType::Int16).shape([3]);
        builder.max_shape([Some(2)]).create().unwrap_err();
        assert!(!path.exists(), "{name}");
    }
    let error = File::create_array(dir.path().join("x.h5")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(!dir.path().join("x.h5").exists());
}

#[test]
fn a_tree_in_memory_needs_no_path() {
    let root = File::in_memory().unwrap().root_group().unwrap();
    let array = root.array("a/x").dtype(DType::UInt8).shape([2, 2]).create().unwrap();
    array.write_elements(&Selection::All, &[2, 2], &[1_u8, 2, 3, 4]).unwrap();
    assert_eq!(
        root.open_array("a/x").unwrap().read_as::<u8>(&Selection::parse("1").unwrap()).unwrap(),
        [3, 4]
    );
    assert!(File::in_memory().unwrap().root_group().unwrap().children().unwrap().is_empty());
}

#[test]
fn require_opens_or_creates() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("r.h5");
    drop(File::require(&path).unwrap().root_group().unwrap().require_group("a").unwrap());
    let root = File::require(&path).unwrap().root_group().unwrap();
    assert!(root.contains("a").unwrap());
    assert_eq!(root.require_group("a").unwrap().path().as_str(), "/a");
}

#[test]
fn a_smaller_sharded_array_forgets_what_it_cut() {
    let dir = tempfile::tempdir().unwrap();
    let root = File::create(dir.path().join("s.zarr")).unwrap().root_group().unwrap();
    let array = root.array("x").dtype(DType::UInt8).shape([16]).chunks([2]).shards([8]);
    let array = array.create().unwrap();
    for len in [3, 4, 11] {
        array.resize(&[16]).unwrap();
        array.write_elements(&Selection::All, &[], &[7_u8]).unwrap();
        array.resize(&[len]).unwrap();
        array.resize(&[16]).unwrap();
        let mut expected = vec![7; len as usize];
        expected.resize(16, 0);
        assert_eq!(array.read_as::<u8>(&Selection::All).unwrap(), expected, "{len}");
    }
}

#[test]
fn a_document_makes_the_nearest_node_of_another_format() {
    let dir = tempfile::tempdir().unwrap();
    let zarr = File::in_memory().unwrap().root_group().unwrap();
    let array = zarr.array("x").dtype(DType::Int16).shape([5, 4]).chunks([2, 2]);
    array.codecs([CodecSpec::Zstd { level: 3, checksum: false }]).create().unwrap();
    let document = zarr.file().document("x").unwrap().unwrap();
    let attributes = Map::from_iter([("unit".to_owned(), json!("mm"))]);

    let file = File::create(dir.path().join("x.h5")).unwrap();
    file.create_document("a/x", &document, Some(&attributes), false).unwrap();
    let made = file.array("a/x").unwrap();
    let spec = made.spec();
    assert_eq!((spec.shape(), &spec.dtype), (&[5, 4][..], &DType::Int16));
    assert_eq!(spec.grid.regular_shape(), Some(&[2, 2][..]));
    assert_eq!(spec.max_shape, Some(vec![None, None]));
    let zlib = CodecSpec::Zlib { level: 4 };
    assert_eq!(spec.codecs, [CodecSpec::Shuffle { item_size: 2 }, zlib]);
    assert_eq!(made.attributes().unwrap().get("unit"), Some(&Values::text("mm").into()));

    let error = file.create_document("a/x", &document, None, false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    let mut wrong = document.clone();
    wrong.insert("data_type".to_owned(), json!("int17"));
    let error = file.create_document("a/x", &wrong, None, true).unwrap_err();
    assert!(error.to_string().contains("int17"), "{error}");
    assert_eq!(file.array("a/x").unwrap().spec().shape(), [5, 4]);

    let error = file.create_document("/", &document, None, true).unwrap_err();
    assert_eq!(error.message(), "the root of HDF5 is a group");
    let group = json!({"zarr_format": 2});
    file.create_document("/", group.as_object().unwrap(), Some(&attributes), true).unwrap();
    let root = file.root_group().unwrap();
    assert_eq!(root.children().unwrap(), []);
    assert_eq!(root.attributes().unwrap().len(), 1);
}
