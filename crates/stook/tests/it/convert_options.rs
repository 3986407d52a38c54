//! What conversions are asked for: layouts, codecs, dtypes, selections, nodes, links.

use std::path::{Path, PathBuf};

use serde_json::json;
use stook::{
    ConvertOptions, DType, Error, ErrorKind, File, Link, Links, Report, Rule, Selection, Values,
    convert, repack,
};

struct Folder(tempfile::TempDir);

impl Folder {
    /// With `a.h5`: `/g/x` (u16 40×30), `/g/f` (f64 100), `/t` (text), soft, hard and external links.
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let file = File::create(folder.path("a.h5")).unwrap();
        let root = file.root_group().unwrap();
        let x = root.array("g/x").dtype(DType::UInt16).shape([40, 30]).chunks([8, 8]);
        let x = x.dimension_names(["y", "x"]).create().unwrap();
        let elements: Vec<u16> = (0..1200).collect();
        x.write_elements(&Selection::All, &[40, 30], &elements).unwrap();
        x.set_attribute("scale", json!([1, 2.5])).unwrap();
        let f = root.array("g/f").dtype(DType::Float64).shape([100]).create().unwrap();
        let floats: Vec<f64> = (0..100).map(|i| f64::from(i) / 3.0).collect();
        f.write_elements(&Selection::All, &[100], &floats).unwrap();
        let texts = Values::from_strings(vec![2], &["a", "b"]).unwrap();
        let t = root.array("t").dtype(DType::string()).shape([2]).create().unwrap();
        t.write(&Selection::All, &texts).unwrap();
        root.create_link("alias", &Link::Soft("/g/x".to_owned())).unwrap();
        file.container()
            .create_hard_link(&stook::NodePath::parse("/second").unwrap(), x.path())
            .unwrap();
        let external = Link::External { file: "b.h5".to_owned(), target: "/y".to_owned() };
        root.create_link("out", &external).unwrap();
        file.commit().unwrap();
        let other = File::create(folder.path("b.h5")).unwrap();
        let y = other.root_group().unwrap().array("y").dtype(DType::UInt8).shape([3]);
        y.create().unwrap().write_elements(&Selection::All, &[3], &[1_u8, 2, 3]).unwrap();
        other.commit().unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn convert(&self, to: &str, options: ConvertOptions<'_>) -> Result<Report, Error> {
        let mut options = options;
        convert(self.path("a.h5"), self.path(to), &mut options)
    }

    fn fails(&self, to: &str, options: ConvertOptions<'_>) -> String {
        let error = self.convert(to, options).unwrap_err();
        assert!(!self.path(to).exists());
        let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        let node =
            error.location().node.clone().map(|node| format!("{node}: ")).unwrap_or_default();
        format!("{node}{}{hint}", error.message())
    }

    fn left(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn rules<T: std::str::FromStr<Err = Error>>(texts: &[&str]) -> Vec<Rule<T>> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn x_of(path: &Path) -> Vec<u16> {
    File::open(path).unwrap().array("g/x").unwrap().read_as(&Selection::All).unwrap()
}

fn names(report: &Report) -> Vec<String> {
    report
        .losses
        .iter()
        .map(|lost| format!("{} {} -> {}", lost.node, lost.loss.what, lost.loss.becomes))
        .collect()
}

#[test]
fn chunks_shards_and_codecs_are_as_asked_for() {
    let folder = Folder::new();
    let options = ConvertOptions {
        chunks: rules(&["4,:", "/g/f=25"]),
        shards: rules(&["x=16,30"]),
        codecs: rules(&["shuffle+gzip:6", "/g/f=none"]),
        ..ConvertOptions::default()
    };
    folder.convert("b.zarr", options).unwrap();
    let file = File::open(folder.path("b.zarr")).unwrap();
    let spec = file.array("g/x").unwrap().spec();
    assert_eq!(spec.grid.regular_shape(), Some(&[4, 30][..]));
    assert_eq!(spec.shards.as_ref().unwrap().regular_shape(), Some(&[16, 30][..]));
    let codecs = |path: &str| -> Vec<String> {
        let spec = file.array(path).unwrap().spec();
        spec.codecs.iter().map(|codec| codec.name().to_owned()).collect()
    };
    assert_eq!(codecs("g/x"), ["bytes", "shuffle", "gzip"]);
    assert_eq!(codecs("g/f"), ["bytes"]);
    assert_eq!(codecs("t"), ["vlen-utf8", "gzip"]);
    assert_eq!(file.array("g/f").unwrap().spec().grid.regular_shape(), Some(&[25][..]));
    assert_eq!(x_of(&folder.path("b.zarr")), (0..1200).collect::<Vec<_>>());
    drop(file);
    // And to HDF5, where gzip is called zlib.
    let options = ConvertOptions {
        chunks: rules(&["/g/x=none"]),
        codecs: rules(&["/g/f=shuffle+gzip:9"]),
        ..ConvertOptions::default()
    };
    folder.convert("c.h5", options).unwrap();
    let file = File::open(folder.path("c.h5")).unwrap();
    assert!(file.array("g/x").unwrap().spec().contiguous);
    let f = file.array("g/f").unwrap().spec();
    let f: Vec<_> = f.codecs.iter().map(stook::CodecSpec::name).collect();
    assert_eq!(f, ["shuffle", "zlib"]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let folder = Folder::new();
    let chunks = |texts: &[&str]| ConvertOptions { chunks: rules(texts), ..Default::default() };
    insta::assert_snapshot!(folder.fails("b.zarr", chunks(&["/g/x=8"])), @"
    /g/x: chunks: expected a length for each of 2 axes, found 1
    ");
    insta::assert_snapshot!(folder.fails("b.zarr", chunks(&["8,8,8"])), @"chunks: no array that it fits");
    insta::assert_snapshot!(folder.fails("b.zarr", chunks(&["nope=8"])), @"chunks: no array matches `nope`");
    let shards = |texts: &[&str]| ConvertOptions { shards: rules(texts), ..Default::default() };
    insta::assert_snapshot!(folder.fails("b.h5x.h5", shards(&["16,16"])), @"
    /g/x: HDF5 has no shards
    hint: choose another format, or leave such nodes out (`--leave-out`, `leave_out=True`)
    ");
    insta::assert_snapshot!(folder.fails("b.zarr", shards(&["12,16"])), @"/g/x: shards [12, 16] are no multiples of chunks [8, 8]");
    let codecs = |texts: &[&str]| ConvertOptions { codecs: rules(texts), ..Default::default() };
    insta::assert_snapshot!(folder.fails("b.npz", codecs(&["g/x=zstd"])), @"
    /g/x: npz has no codecs: `zstd`
    hint: choose another format, or leave such nodes out (`--leave-out`, `leave_out=True`)
    ");
    let json = r#"/g/f=[{"id": "quantize", "digits": 2, "dtype": "<f8"}]"#;
    insta::assert_snapshot!(folder.fails("b.zarr", codecs(&[json])), @"
    /g/f: codec `quantize` may change values
    hint: allow it with `--lossy` (`lossy=True`)
    ");
    let none = ConvertOptions { include: vec!["nope".parse().unwrap()], ..Default::default() };
    insta::assert_snapshot!(folder.fails("b.zarr", none), @"no node matches `nope`");
    let small = ConvertOptions { memory_len_bytes: 400, ..Default::default() };
    insta::assert_snapshot!(folder.fails("b.zarr", small), @"
    /g/f: chunks of 800 bytes in the target need about 4266 bytes of memory, of which 400 may be used
    hint: allow more with `--memory 1M`, or choose smaller chunks
    ");
    assert_eq!(folder.left(), ["a.h5", "b.h5"]);
}

#[test]
fn numbers_keep_their_value_or_are_rounded_on_purpose() {
    let folder = Folder::new();
    let dtype = |text: &str, lossy| ConvertOptions {
        dtypes: rules(&[text]),
        lossy,
        ..ConvertOptions::default()
    };
    insta::assert_snapshot!(folder.fails("b.zarr", dtype("float32", false)), @"
    /g/f: value 0.3333333333333333 does not fit float32 unchanged
    hint: allow it to be rounded (`--lossy`, `lossy=True`)
    ");
    insta::assert_snapshot!(folder.fails("b.zarr", dtype("g/x=uint8", true)), @"/g/x: value 256 does not fit uint8 unchanged");
    insta::assert_snapshot!(folder.fails("b.zarr", dtype("t=float32", false)), @"
    /t: items of type string cannot become float32
    hint: choose another format, or leave such nodes out (`--leave-out`, `leave_out=True`)
    ");
    let report = folder.convert("b.zarr", dtype("g/*=float32", true)).unwrap();
    assert!(names(&report).contains(&"/g/f dtype float64 -> float32".to_owned()));
    let file = File::open(folder.path("b.zarr")).unwrap();
    let f: Vec<f32> = file.array("g/f").unwrap().read_as(&Selection::All).unwrap();
    assert_eq!(f[1], 1.0 / 3.0);
    let x: Vec<f32> = file.array("g/x").unwrap().read_as(&Selection::All).unwrap();
    assert_eq!(x[1199], 1199.0);
    let options = ConvertOptions { rounding: rules(&["bitround:3"]), ..Default::default() };
    let report = folder.convert("c.h5", options).unwrap();
    assert!(names(&report).iter().any(|lost| lost.starts_with("/g/f values -> rounded to 3 bits")));
    let f: Vec<f64> = File::open(folder.path("c.h5"))
        .unwrap()
        .array("g/f")
        .unwrap()
        .read_as(&Selection::All)
        .unwrap();
    assert!(f.iter().all(|value| value.to_bits() << 15 == 0), "{f:?}");
    assert!((f[50] - 50.0 / 3.0).abs() < 1.1);
}

#[test]
fn a_selection_is_what_reading_it_gives() {
    let folder = Folder::new();
    let source = File::open(folder.path("a.h5")).unwrap().array("g/x").unwrap();
    for (i, text) in
        ["5:17, ::3", "-1", "..., ::-2", "30:3:-4, 2:3", "7:7", "3, 4"].iter().enumerate()
    {
        let selection = Selection::parse(text).unwrap();
        for name in [format!("{i}.zarr"), format!("{i}.h5")] {
            let options = ConvertOptions {
                select: vec![Rule::of("/g/x", selection.clone()).unwrap()],
                chunks: rules(&["g/f=7"]),
                memory_len_bytes: 20_000,
                ..ConvertOptions::default()
            };
            folder.convert(&name, options).unwrap();
            let made = File::open(folder.path(&name)).unwrap().array("g/x").unwrap();
            assert_eq!(
                made.read(&Selection::All).unwrap(),
                source.read(&selection).unwrap(),
                "{name} {text}"
            );
        }
    }
    let all = ConvertOptions {
        select: vec![Rule::all(Selection::parse("0:5").unwrap())],
        ..ConvertOptions::default()
    };
    insta::assert_snapshot!(folder.fails("b.zarr", all), @"
    the selection is of one array, and there are 3
    hint: name it: `NODE=SELECTION`, or convert it alone with `--node`
    ");
    let one = ConvertOptions {
        node: stook::NodePath::parse("/g/f").unwrap(),
        select: vec![Rule::all(Selection::parse("10:12").unwrap())],
        ..ConvertOptions::default()
    };
    folder.convert("f.npy", one).unwrap();
    let f = File::open(folder.path("f.npy")).unwrap().array("/").unwrap();
    assert_eq!(f.read_as::<f64>(&Selection::All).unwrap(), [10.0 / 3.0, 11.0 / 3.0]);
    let names = File::open(folder.path("0.zarr")).unwrap().array("g/x").unwrap();
    assert_eq!(names.spec().dimension_names.as_ref().unwrap()[1].as_deref(), Some("x"));
}

#[test]
fn only_nodes_that_are_wanted_go() {
    let folder = Folder::new();
    let options = ConvertOptions {
        include: vec!["g".parse().unwrap()],
        exclude: vec!["/g/f".parse().unwrap()],
        ..ConvertOptions::default()
    };
    let report = folder.convert("b.zarr", options).unwrap();
    assert_eq!((report.n_groups, report.n_arrays), (2, 1));
    let file = File::open(folder.path("b.zarr")).unwrap();
    let names: Vec<_> =
        file.root_group().unwrap().children().unwrap().into_iter().map(|c| c.name).collect();
    assert_eq!(names, ["g"]);
    assert_eq!(file.group("g").unwrap().children().unwrap().len(), 1);
}

#[test]
fn links_are_kept_followed_or_left_out() {
    let folder = Folder::new();
    let links = |links| ConvertOptions { links, ..ConvertOptions::default() };
    let report = folder.convert("keep.h5", links(Links::Keep)).unwrap();
    assert_eq!((report.n_links, report.n_arrays, names(&report)), (3, 3, vec![]));
    let kept = File::open(folder.path("keep.h5")).unwrap();
    let children = kept.root_group().unwrap().children().unwrap();
    let identity = |name: &str| children.iter().find(|child| child.name == name).unwrap().clone();
    assert_eq!(identity("alias").link, Link::Soft("/g/x".to_owned()));
    let x = kept.group("g").unwrap().children().unwrap();
    let x = x.iter().find(|child| child.name == "x").unwrap();
    assert_eq!(identity("second").identity, x.identity);
    let report = folder.convert("keep.zarr", links(Links::Keep)).unwrap();
    let lost = names(&report);
    for name in [
        "/alias link to /g/x -> nothing",
        "/out link to /y in b.h5 -> nothing",
        "/second link to /g/x -> nothing",
    ] {
        assert!(lost.contains(&name.to_owned()), "{lost:?}");
    }
    let report = folder.convert("follow.zarr", links(Links::Follow)).unwrap();
    assert_eq!(report.n_arrays, 6);
    let followed = File::open(folder.path("follow.zarr")).unwrap();
    for name in ["alias", "second"] {
        assert_eq!(followed.array(name).unwrap().shape(), [40, 30]);
    }
    assert_eq!(followed.array("out").unwrap().read_as::<u8>(&Selection::All).unwrap(), [1, 2, 3]);
    let report = folder.convert("skip.h5", links(Links::Skip)).unwrap();
    assert_eq!((report.n_links, report.n_arrays), (1, 3));
}

#[test]
fn links_in_a_circle_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.h5");
    let file = File::create(&path).unwrap();
    let root = file.root_group().unwrap();
    root.create_group("a/b").unwrap();
    for (name, target) in
        [("a/up", "/a"), ("a/b/top", "/"), ("a/b/self", "self"), ("a/b/c", "/a/b")]
    {
        root.create_link(name, &Link::Soft(target.to_owned())).unwrap();
    }
    let parse = |path: &str| stook::NodePath::parse(path).unwrap();
    file.container().create_hard_link(&parse("/a/b/hard"), &parse("/a")).unwrap();
    file.commit().unwrap();
    drop((file, root));
    let mut options = ConvertOptions { links: Links::Follow, ..ConvertOptions::default() };
    let report = convert(&path, dir.path().join("b.zarr"), &mut options).unwrap();
    assert!(names(&report).iter().any(|lost| lost.contains("circle")), "{report:?}");
}

#[test]
fn names_that_zarr_needs_itself_are_changed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.h5");
    let file = File::create(&path).unwrap();
    let root = file.root_group().unwrap();
    for name in ["zarr.json", "zarr.json_"] {
        root.array(name).dtype(DType::UInt8).shape([1]).create().unwrap();
    }
    file.commit().unwrap();
    drop((file, root));
    let report = convert(&path, dir.path().join("b.zarr"), &mut ConvertOptions::default()).unwrap();
    assert!(names(&report).contains(&"/zarr.json name -> zarr.json__".to_owned()), "{report:?}");
}

#[test]
fn a_file_is_repacked_in_its_place() {
    let folder = Folder::new();
    let file = File::open_read_write(folder.path("a.h5")).unwrap();
    let root = file.root_group().unwrap();
    let big = root.array("big").dtype(DType::UInt8).shape([1 << 20]).create().unwrap();
    big.write_elements(&Selection::All, &[], &[7_u8]).unwrap();
    let tail = root.array("g/tail").dtype(DType::UInt8).shape([100]).create().unwrap();
    tail.write_elements(&Selection::All, &[], &[1_u8]).unwrap();
    file.commit().unwrap();
    root.remove("big").unwrap();
    file.commit().unwrap();
    drop((file, root, big, tail));
    let before = x_of(&folder.path("a.h5"));
    let mut options =
        ConvertOptions { codecs: rules(&["g/x=shuffle+gzip:6"]), ..Default::default() };
    let repacked = repack(folder.path("a.h5"), &mut options).unwrap();
    assert!(repacked.before_len_bytes > 1 << 20, "{repacked:?}");
    assert!(repacked.after_len_bytes < 100_000, "{repacked:?}");
    assert_eq!(x_of(&folder.path("a.h5")), before);
    folder.convert("a.zarr", ConvertOptions::default()).unwrap();
    repack(folder.path("a.zarr"), &mut ConvertOptions::default()).unwrap();
    let document = std::fs::read_to_string(folder.path("a.zarr/zarr.json")).unwrap();
    assert!(document.contains("consolidated_metadata"));
    assert_eq!(x_of(&folder.path("a.zarr")), before);
    assert_eq!(folder.left(), ["a.h5", "a.zarr", "b.h5"]);
}

#[test]
fn what_was_never_written_stays_unwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let file = File::create(path("a.h5")).unwrap();
    let root = file.root_group().unwrap();
    let fill = Values::new(DType::Int32, vec![], 7_i32.to_le_bytes().to_vec(), vec![]).unwrap();
    let array = root.array("x").dtype(DType::Int32).shape([100, 100]).chunks([10, 10]);
    let array = array.fill_value(fill).create().unwrap();
    array.write_elements(&Selection::parse("20:30, 30:40").unwrap(), &[], &[1_i32]).unwrap();
    file.commit().unwrap();
    drop((file, root, array));
    let n = |name: &str| {
        let array = File::open(path(name)).unwrap().array("x").unwrap();
        array.source().n_stored().unwrap()
    };
    for (from, to, chunks, expected) in [
        ("a.h5", "b.zarr", "keep", 1),
        ("b.zarr", "c.h5", "keep", 1),
        ("c.h5", "d.h5", "7,7", 6),
        ("d.h5", "e.zarr", "50,50", 1),
        ("e.zarr", "f.h5", "10,10", 1),
    ] {
        let mut options = ConvertOptions { chunks: rules(&[chunks]), ..Default::default() };
        convert(path(from), path(to), &mut options).unwrap();
        assert_eq!(n(to), expected, "{to}");
        let array = File::open(path(to)).unwrap().array("x").unwrap();
        let sum: i32 = array.read_as::<i32>(&Selection::All).unwrap().iter().sum();
        assert_eq!(sum, 9900 * 7 + 100);
    }
}

#[test]
fn the_target_must_not_lie_in_the_source() {
    let folder = Folder::new();
    folder.convert("a.zarr", ConvertOptions::default()).unwrap();
    let target = folder.path("a.zarr/b.h5");
    let error = convert(folder.path("a.zarr"), target, &mut ConvertOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_folder_that_is_no_hierarchy_or_holds_the_source_stays() {
    let folder = Folder::new();
    let overwrite = || ConvertOptions {
        in_the_way: stook::InTheWay::Goes,
        format: Some(stook::Format::ZarrV3),
        ..ConvertOptions::default()
    };
    let inner = folder.path("data.zarr");
    std::fs::create_dir(&inner).unwrap();
    std::fs::write(inner.join("notes.txt"), "mine").unwrap();
    let error = folder.convert("data.zarr", overwrite()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    std::fs::copy(folder.path("a.h5"), inner.join("a.h5")).unwrap();
    for is_zarr in [false, true] {
        if is_zarr {
            std::fs::write(inner.join("zarr.json"), r#"{"zarr_format":3,"node_type":"group"}"#)
                .unwrap();
        }
        let error = convert(inner.join("a.h5"), &inner, &mut overwrite()).unwrap_err();
        assert_eq!(error.message(), "the source lies within the target");
    }
    assert!(inner.join("a.h5").exists() && inner.join("notes.txt").exists());
    std::fs::remove_file(inner.join("a.h5")).unwrap();
    folder.convert("data.zarr", overwrite()).unwrap();
    assert!(x_of(&inner).len() == 1200 && !inner.join("notes.txt").exists());
}

#[test]
fn a_node_whose_first_name_is_not_taken_goes_under_another() {
    let folder = Folder::new();
    let include = |patterns: &[&str]| ConvertOptions {
        include: patterns.iter().map(|pattern| pattern.parse().unwrap()).collect(),
        ..ConvertOptions::default()
    };
    for to in ["b.h5.h5", "b.zarr", "b.npz"] {
        let report = folder.convert(to, include(&["second"])).unwrap();
        let is_lost = names(&report).iter().any(|lost| lost.contains("link to"));
        assert_eq!((report.n_arrays, is_lost), (1, false), "{to}");
        let file = File::open(folder.path(to)).unwrap();
        let second: Vec<u16> = file.array("second").unwrap().read_as(&Selection::All).unwrap();
        assert_eq!(second.len(), 1200);
    }
    // A group, with another name of itself in it.
    let file = File::create(folder.path("g.h5")).unwrap();
    let path = |text: &str| stook::NodePath::parse(text).unwrap();
    let x = file.root_group().unwrap().array("a/x").dtype(DType::UInt8).shape([2]);
    x.create().unwrap();
    file.container().create_hard_link(&path("/b"), &path("/a")).unwrap();
    file.container().create_hard_link(&path("/a/again"), &path("/a")).unwrap();
    file.commit().unwrap();
    drop(file);
    let (from, to) = (folder.path("g.h5"), folder.path("g2.h5"));
    let report = convert(&from, &to, &mut include(&["b"])).unwrap();
    assert_eq!((report.n_arrays, report.n_groups, report.n_links), (1, 2, 1));
    let file = File::open(&to).unwrap();
    assert!(file.array("b/again/x").is_ok() && file.node("a").is_err());
    // What is lost of what is taken is told.
    let options = ConvertOptions { links: Links::Skip, ..include(&["**"]) };
    let report = folder.convert("c.h5", options).unwrap();
    assert_eq!(names(&report).len(), 2, "{:?}", names(&report));
}

#[test]
fn links_that_are_followed_may_not_lead_out_nor_multiply_without_end() {
    let folder = Folder::new();
    let outside = tempfile::tempdir().unwrap();
    std::fs::rename(folder.path("b.h5"), outside.path().join("b.h5")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(outside.path().join("b.h5"), folder.path("b.h5")).unwrap();
    let follow = || ConvertOptions { links: Links::Follow, ..ConvertOptions::default() };
    let report = folder.convert("b.zarr", follow()).unwrap();
    let lost = names(&report);
    assert!(lost.iter().any(|lost| lost.starts_with("/out link to /y in b.h5 -> nothing")));
    // Two groups that lead to one another by many links.
    let file = File::create(folder.path("m.h5")).unwrap();
    let root = file.root_group().unwrap();
    for (group, other) in [("p", "/q"), ("q", "/p")] {
        for n in 0..8 {
            let at = format!("{group}/{n}");
            root.create_link(&at, &Link::Soft(other.to_owned())).unwrap();
        }
    }
    file.commit().unwrap();
    drop((file, root));
    let mut limits = stook::Limits::default();
    limits.n_nodes = 5000;
    let mut options = ConvertOptions { limits, ..follow() };
    let error = convert(folder.path("m.h5"), folder.path("m.zarr"), &mut options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
}

#[test]
fn a_user_block_is_not_lost_unsaid() {
    let folder = Folder::new();
    let fixture = "../stook-hdf5/tests/fixtures/matrix/matlab-7.3.mat";
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(fixture);
    let copy = folder.path("a.mat");
    std::fs::copy(&source, &copy).unwrap();
    let error = repack(&copy, &mut ConvertOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(std::fs::read(&copy).unwrap(), std::fs::read(&source).unwrap());
    let mut options = ConvertOptions { leave_out: true, ..ConvertOptions::default() };
    let report = convert(&copy, folder.path("b.h5.h5"), &mut options).unwrap();
    assert!(names(&report).contains(&"/ user block of 512 bytes -> nothing".to_owned()));
}

#[test]
fn fill_values_are_not_rounded() {
    let folder = Folder::new();
    let file = File::create(folder.path("f.h5")).unwrap();
    let root = file.root_group().unwrap();
    let fill = stook::element::as_bytes(&[1e20_f32]).to_vec();
    let fill = Values::new(DType::Float32, vec![], fill, vec![]).unwrap();
    let x = root.array("x").dtype(DType::Float32).shape([64]).chunks([16]).fill_value(fill);
    let selection = Selection::parse("2:8").unwrap();
    let elements = [1e20_f32, 1.234_567_9, 1e20, 1e20, 7.654_321, 1e20];
    x.create().unwrap().write_elements(&selection, &[6], &elements).unwrap();
    file.commit().unwrap();
    drop((file, root));
    for rounding in ["bitround:5", "quantize:1"] {
        let to = folder.path(&format!("{}.zarr", &rounding[..5]));
        let rounding = rules(&[rounding]);
        let mut options = ConvertOptions { rounding, ..ConvertOptions::default() };
        convert(folder.path("f.h5"), &to, &mut options).unwrap();
        let x = File::open(&to).unwrap().array("x").unwrap();
        let found: Vec<f32> = x.read_as(&Selection::All).unwrap();
        let filled: Vec<usize> = (0..64).filter(|&i| found[i] == 1e20).collect();
        assert_eq!(filled.len(), 62, "{found:?}");
        assert!(found[3] == 1.25 && (found[6] - 7.65).abs() < 0.16, "{found:?}");
    }
}
