use std::fs;
use std::sync::Arc;

use stook_core::codec::Endian;
use stook_core::{
    Array, ArraySpec, Container, DType, Durability, ErrorKind, HeapItem, Limits, NodePath,
    OpenOptions, Selection, Values,
};
use stook_npy::pickle::{Descr, Form, Node, Pickle, PickledArray, write};
use stook_npy::{create_npy, create_npz, open_npy, open_npz};
use stook_testkit::corrupt::{bit_flips, truncations};

use crate::{fixture, fixtures_in, read};

fn load(name: &str) -> Vec<u8> {
    fs::read(fixture("pickle").join(name)).unwrap()
}

fn names(suffix: &str) -> Vec<String> {
    fixtures_in("pickle", suffix)
}

fn parse(bytes: &[u8]) -> stook_core::Result<Pickle> {
    Pickle::parse(bytes, &Limits::default())
}

fn json(bytes: &[u8]) -> serde_json::Value {
    let pickle = parse(bytes).unwrap();
    pickle.to_json(pickle.root()).unwrap()
}

/// The pickle behind the header of an npy file.
fn pickle_of(npy: &[u8]) -> &[u8] {
    let len = usize::from(u16::from_le_bytes([npy[8], npy[9]]));
    &npy[10 + len..]
}

#[test]
fn all_protocols_say_the_same() {
    for kind in ["recipe", "plain", "things", "arrays"] {
        let first = json(&load(&format!("{kind}-p5-numpy2.pkl")));
        let all = names(".pkl").into_iter().filter(|name| name.starts_with(kind));
        let all: Vec<_> = all.collect();
        assert_eq!(all.len(), 6, "{all:?}");
        for name in all {
            assert_eq!(json(&load(&name)), first, "{name}");
        }
    }
    let recipe = json(&load("recipe-p3-numpy1.pkl"));
    assert_eq!(recipe["loader_type"], "S2P");
    assert_eq!(recipe["kwargs"]["rate"], 30.0);
    assert_eq!(recipe["kwargs"]["keep"], serde_json::Value::Null);
    let things = json(&load("things-p4-numpy2.pkl"));
    assert_eq!(things["datetime"], "2024-02-29T12:34:56.789012");
    assert_eq!(things["timedelta"]["timedelta_us"], -86_394_999_997_i64);
    assert_eq!((&things["path"], &things["int16"]), (&"/a/b".into(), &(-3).into()));
    let arrays = json(&load("arrays-p2-numpy1.pkl"));
    assert_eq!(arrays[0], serde_json::json!([[0, 1, 2], [3, 4, 5]]));
    assert_eq!(arrays[1], serde_json::json!([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]));
}

#[test]
fn pickles_are_written_as_numpy_writes_them() {
    let (mut n1, mut n2) = (0, 0);
    for name in names(".npy") {
        let bytes = load(&name);
        let pickle = parse(pickle_of(&bytes)).unwrap();
        let form = if name.ends_with("numpy1.npy") { Form::Numpy1 } else { Form::Numpy2 };
        let written = write(&pickle, form).unwrap();
        assert!(written == pickle_of(&bytes), "{name}: the bytes differ");
        if form == Form::Numpy1 { n1 += 1 } else { n2 += 1 }
    }
    assert_eq!((n1, n2), (11, 11));
}

#[test]
fn what_is_written_is_read_again() {
    for name in names(".pkl") {
        let bytes = load(&name);
        let pickle = parse(&bytes).unwrap();
        for form in [Form::Numpy1, Form::Numpy2] {
            match write(&pickle, form) {
                Ok(written) => assert_eq!(json(&written), json(&bytes), "{name}"),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Unsupported, "{name}: {error}");
                    assert!(name.starts_with("arrays"), "{name}: {error}");
                }
            }
        }
    }
}

#[test]
fn a_text_of_python_2_is_shown_as_it_is_written_again() {
    for (text, shown) in [
        (b"a\xC3\xA9".as_slice(), serde_json::json!("a\u{e9}")),
        (b"\xFF\x80", serde_json::json!({"bytes": "ff80"})),
    ] {
        let mut bytes = vec![0x80, 2, b'U', u8::try_from(text.len()).unwrap()];
        bytes.extend_from_slice(text);
        bytes.push(b'.');
        assert_eq!(json(&bytes), shown);
        let written = write(&parse(&bytes).unwrap(), Form::Numpy2).unwrap();
        assert_eq!(json(&written), shown);
    }
}

#[test]
fn a_struct_keeps_the_order_of_its_members() {
    let pickle = parse(&load("arrays-p4-numpy2.pkl")).unwrap();
    let Node::List(items) = pickle.node(pickle.root()).unwrap() else { panic!("no list") };
    let Node::Array(array) = pickle.node(items[7]).unwrap() else { panic!("no array") };
    let Descr::Struct { fields, size: 15 } = &*array.descr else { panic!("{array:?}") };
    assert!(matches!(&fields[1].1, Descr::Array { item, .. }
        if matches!(**item, Descr::Plain { dtype: DType::Int16, endian: Endian::Big })));
    let values = array.to_values().unwrap();
    assert_eq!(values.items()[8..12], [1_i16, 2].map(i16::to_ne_bytes).concat());
}

#[test]
fn what_would_run_is_refused_by_name() {
    let global = |module: &str, name: &str| format!("c{module}\n{name}\n").into_bytes();
    let call = |module: &str, name: &str| {
        [b"\x80\x02".as_slice(), &global(module, name), b"U\x02id\x85R."].concat()
    };
    for (module, name) in [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("subprocess", "Popen"),
        ("numpy.testing._private.utils", "runstring"),
        ("numpy", "fromfile"),
        ("numpy.core.multiarray", "frombuffer"),
        ("functools", "partial"),
        ("importlib", "import_module"),
        ("numpy", "dtype.__init__"),
    ] {
        let error = parse(&call(module, name)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{module}.{name}");
        assert!(error.message().contains(&format!("`{module}.{name}`")), "{error}");
    }
    for (bytes, opcode) in [
        (b"\x80\x02(U\x01xios\nsystem\n.".as_slice(), "INST"),
        (b"\x80\x02(cnumpy\nndarray\no.", "OBJ"),
        (b"\x80\x02cnumpy\nndarray\n)\x81.", "NEWOBJ"),
        (b"\x80\x04cnumpy\nndarray\n)}\x92.", "NEWOBJ_EX"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"\x80\x02U\x01xQ.", "BINPERSID"),
        (b"\x80\x02Pabc\n.", "PERSID"),
        (b"\x80\x05\x97.", "NEXT_BUFFER"),
        (b"\x80\x02I1\n.", "INT"),
    ] {
        let error = parse(bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{opcode}: {error}");
        assert!(error.message().contains(opcode), "{error}");
    }
    for bytes in [b"(lp0\n.".as_slice(), b"\x80\x01N.", b"\x80\x06N."] {
        assert!(parse(bytes).is_err());
    }
    // A list may be given no state, and only names are called.
    for bytes in [b"\x80\x02]}b.".as_slice(), b"\x80\x02]N\x85b.", b"\x80\x02U\x01x)R."] {
        assert_eq!(parse(bytes).unwrap_err().kind(), ErrorKind::Unsupported);
    }
}

#[test]
fn objects_that_hold_themselves_end() {
    let pickle = parse(b"\x80\x02]q\x00h\x00a.").unwrap();
    assert_eq!(pickle.to_json(pickle.root()).unwrap_err().kind(), ErrorKind::LimitExceeded);
    assert!(write(&pickle, Form::Numpy1).is_ok(), "what was written is fetched");
    // A billion laughs: lists of lists, each ten times.
    let mut bytes = b"\x80\x02]q\x00".to_vec();
    for level in 0..40_u8 {
        bytes.extend_from_slice(b"](");
        for _ in 0..10 {
            bytes.extend_from_slice(&[b'h', level]);
        }
        bytes.extend_from_slice(&[b'e', b'q', level + 1]);
    }
    bytes.push(b'.');
    let pickle = parse(&bytes).unwrap();
    assert_eq!(pickle.to_json(pickle.root()).unwrap_err().kind(), ErrorKind::LimitExceeded);
}

#[test]
fn objects_are_counted_against_the_limit() {
    let mut limits = Limits::default();
    limits.chunk_len_bytes = 1 << 20;
    let mut bytes = b"\x80\x02(".to_vec();
    bytes.resize(100_000, b']');
    bytes.extend_from_slice(b"t.");
    let error = Pickle::parse(&bytes, &limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    let huge = b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7f.";
    assert_eq!(parse(huge).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn damaged_pickles_are_errors_or_data() {
    let mut limits = Limits::default();
    limits.chunk_len_bytes = 8 << 20;
    let mut n = 0;
    let mut check = |bytes: &[u8]| {
        n += 1;
        if let Ok(pickle) = Pickle::parse(bytes, &limits) {
            let _ = pickle.to_json(pickle.root());
            let _ = write(&pickle, Form::Numpy1);
        }
    };
    for name in names(".pkl") {
        let bytes = load(&name);
        truncations(&bytes, 200, &mut check);
        bit_flips(&bytes, 400, &mut check);
    }
    for name in ["ragged-numpy1.npy", "stat-numpy2.npy"] {
        bit_flips(pickle_of(&load(name)), 1000, &mut check);
    }
    assert!(n > 5_000, "{n}");
}

fn texts(values: &Values) -> Vec<String> {
    (0..values.len()).map(|at| values.text_at(at).unwrap()).collect()
}

fn open(name: &str) -> Arc<dyn Container> {
    open_npy(fixture("pickle").join(name), &OpenOptions::read()).unwrap()
}

#[test]
fn arrays_of_one_kind_of_object_have_its_dtype() {
    for numpy in ["numpy1", "numpy2"] {
        let values = |name: &str| read(open(&format!("{name}-{numpy}.npy")).as_ref(), "/").unwrap();
        let text = values("text");
        assert_eq!((text.dtype(), text.shape()), (&DType::string(), &[2, 2][..]));
        assert_eq!(texts(&text), ["a", &"é".repeat(200), "", "longer text"]);
        let bytes = values("bytes");
        assert_eq!((bytes.dtype(), bytes.payload(1).unwrap()), (&DType::Bytes, &[0, 255][..]));
        let ragged = values("ragged");
        assert_eq!(ragged.dtype(), &DType::Sequence(Arc::new(DType::Float32)));
        let expected: Vec<u8> = (0..4_u8).flat_map(|n| f32::from(n).to_ne_bytes()).collect();
        let item = HeapItem::from_bytes(ragged.item(2).unwrap());
        assert_eq!(item.slice(ragged.heap(), 4).unwrap(), expected);
        assert_eq!(values("ints").items(), [1_i64, -2, 3].map(i64::to_ne_bytes).concat());
        assert_eq!(values("floats").items()[..8], 0.5_f64.to_ne_bytes());
        assert_eq!(values("bools").items(), [1, 0]);
        assert_eq!(texts(&values("many"))[4999], "4999");
        let mixed = [r#"null"#, r#""a""#, r#"{"k":[1,2.5]}"#, "[0,1,2]"];
        assert_eq!(texts(&values("mixed")), mixed);
        let recipe = texts(&values("recipe"));
        assert!(recipe[0].starts_with(r#"{"_is_loading_recipe":true,"loader_type":"S2P""#));
        let stat = texts(&values("stat"));
        assert_eq!(stat[0], r#"{"ypix":[0,1,2],"med":[1,2],"npix":3,"lam":[1.0,1.0,1.0]}"#);
    }
}

#[test]
fn objects_are_written_as_numpy_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["text", "bytes", "ragged", "ints", "floats", "bools", "many"] {
        let values = read(open(&format!("{name}-numpy1.npy")).as_ref(), "/").unwrap();
        let path = dir.path().join(format!("{name}.npy"));
        // Integers and the like are objects only where they were before.
        if !matches!(values.dtype(), DType::String(_) | DType::Bytes | DType::Sequence(_)) {
            continue;
        }
        let container = create_npy(&path, &OpenOptions::default()).unwrap();
        let spec = ArraySpec::new(values.dtype().clone(), values.shape());
        let source = container.create_array(&NodePath::root(), &spec).unwrap();
        Array::new(source, "x", NodePath::root()).write(&Selection::All, &values).unwrap();
        container.commit(Durability::Flush).unwrap();
        assert!(fs::read(&path).unwrap() == load(&format!("{name}-numpy1.npy")), "{name}");
    }
}

#[test]
fn objects_change_with_the_commit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.npy");
    fs::copy(fixture("pickle/text-numpy2.npy"), &path).unwrap();
    let before = fs::read(&path).unwrap();
    let container = open_npy(&path, &OpenOptions::read_write()).unwrap();
    let array = crate::array(container.as_ref(), "/").unwrap();
    let new = Values::from_strings(vec![2], &["new", "ß"]).unwrap();
    array.write(&Selection::parse(":, 1").unwrap(), &new).unwrap();
    array.resize(&[3, 2]).unwrap();
    assert!(fs::read(&path).unwrap() == before);
    container.commit(Durability::Flush).unwrap();
    let reader = open_npy(&path, &OpenOptions::read()).unwrap();
    let values = read(reader.as_ref(), "/").unwrap();
    assert_eq!(texts(&values), ["a", "new", "", "ß", "", ""]);

    let path = dir.path().join("mixed.npy");
    fs::copy(fixture("pickle/mixed-numpy2.npy"), &path).unwrap();
    let container = open_npy(&path, &OpenOptions::read_write()).unwrap();
    let array = crate::array(container.as_ref(), "/").unwrap();
    let error = array.write(&Selection::parse(":2").unwrap(), &new).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn archives_hold_objects() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.npz");
    let node = |text: &str| NodePath::parse(text).unwrap();
    let container = create_npz(&path, &OpenOptions::default()).unwrap();
    let spec = ArraySpec::new(DType::string(), [2]);
    let source = container.create_array(&node("/g/text"), &spec).unwrap();
    let values = Values::from_strings(vec![2], &["x", "y"]).unwrap();
    Array::new(source, "x", node("/g/text")).write(&Selection::All, &values).unwrap();
    assert_eq!(read(container.as_ref(), "/g/text").unwrap(), values, "handles see each other");
    container.rename(&node("/g"), &node("/h")).unwrap();
    container.commit(Durability::Flush).unwrap();
    let reader = open_npz(&path, &OpenOptions::read()).unwrap();
    assert_eq!(read(reader.as_ref(), "/h/text").unwrap(), values);
    drop((container, reader));

    let container = open_npz(&path, &OpenOptions::read_write()).unwrap();
    let array = crate::array(container.as_ref(), "/h/text").unwrap();
    let first = Values::from_strings(vec![1], &["changed"]).unwrap();
    array.write(&Selection::parse(":1").unwrap(), &first).unwrap();
    container.commit(Durability::Flush).unwrap();
    let reader = open_npz(&path, &OpenOptions::read()).unwrap();
    assert_eq!(texts(&read(reader.as_ref(), "/h/text").unwrap()), ["changed", "y"]);
}

/// An npy file of `n` objects that are all the one that `node` adds.
fn one_for_all(n: u64, nodes: Vec<Node>) -> Vec<u8> {
    let mut pickle = Pickle::new(Node::None);
    let mut objects = Vec::new();
    for node in nodes {
        let id = pickle.add(node).unwrap();
        objects.extend((0..n).map(|_| id));
    }
    let shape = vec![objects.len() as u64];
    let array = PickledArray::of_objects(shape.clone(), false, objects).unwrap();
    let root = pickle.add(Node::Array(Arc::new(array))).unwrap();
    let text = format!("{{'descr': '|O', 'fortran_order': False, 'shape': ({},), }}\n", shape[0]);
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend(u16::try_from(text.len()).unwrap().to_le_bytes());
    file.extend(text.as_bytes());
    file.extend(write(&pickle.with_root(root), Form::Numpy1).unwrap());
    file
}

#[test]
fn an_object_that_is_every_element_is_limited() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = OpenOptions::read();
    options.limits.chunk_len_bytes = 16 << 20;
    let text = || Node::Text("x".repeat(1 << 20));
    for (name, nodes) in [("text", vec![text()]), ("mixed", vec![text(), Node::None])] {
        let path = dir.path().join(format!("{name}.npy"));
        let file = one_for_all(1000, nodes);
        assert!(file.len() < 2 << 20, "{}", file.len());
        fs::write(&path, file).unwrap();
        let error = open_npy(&path, &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{name}");
    }
}

#[test]
fn what_is_written_to_objects_that_moved_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let node = |text: &str| NodePath::parse(text).unwrap();
    let container = create_npz(dir.path().join("x.npz"), &OpenOptions::default()).unwrap();
    let spec = ArraySpec::new(DType::string(), [1]);
    container.create_array(&node("/a"), &spec).unwrap();
    let array = crate::array(container.as_ref(), "/a").unwrap();
    let values = Values::from_strings(vec![1], &["x"]).unwrap();
    array.write(&Selection::All, &values).unwrap();
    container.rename(&node("/a"), &node("/b")).unwrap();
    let error = array.write(&Selection::All, &values).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(read(container.as_ref(), "/b").unwrap(), values);
}
