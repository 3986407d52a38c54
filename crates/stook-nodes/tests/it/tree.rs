//! Nodes and their attributes.

use stook::{DType, ErrorKind, Values};
use stook_nodes::{
    Acquisition, Class, Date, Depth, GroupType, Node, OpenMode, Options, Time, Value,
};

use super::{everywhere, reopened};

fn paths(run: &Acquisition, from: &str, depth: Depth) -> Vec<String> {
    let visits = run.walk(from, depth).unwrap();
    visits.into_iter().map(|visit| visit.path.to_string()).collect()
}

#[test]
fn a_tree_is_walked_to_the_depth_that_was_asked_for() {
    everywhere(|path, options| {
        let run = Acquisition::open_with(path, options).unwrap();
        let root = run.root().unwrap();
        let scan = root.add_group_of("scan", GroupType::Scan, "a scan").unwrap();
        let deep = scan.require_group("deep", "").unwrap();
        deep.create_earray("e", DType::Int16, &[], "").unwrap();
        root.create_carray("c", &Values::zeroed(DType::Int16, vec![2, 2]).unwrap(), "").unwrap();
        root.create_string_array("log", "").unwrap();
        run.close().unwrap();
        let run = reopened(path);
        let all = ["/", "/Scan", "/c", "/log", "/Scan/deep", "/Scan/deep/e"];
        assert_eq!(paths(&run, "/", Depth::All), all);
        assert_eq!(paths(&run, "/", Depth::Levels(0)), all[..1]);
        assert_eq!(paths(&run, "/", Depth::Levels(1)), all[..4]);
        assert_eq!(paths(&run, "/", Depth::Levels(2)), all[..5]);
        assert_eq!(paths(&run, "/Scan", Depth::Levels(1)), ["/Scan", "/Scan/deep"]);
        let classes: Vec<Class> =
            run.walk("/", Depth::Levels(1)).unwrap().iter().map(|visit| visit.class).collect();
        assert_eq!(classes, [Class::Group, Class::Group, Class::CArray, Class::StringArray]);
        assert!(matches!(run.node("/Scan/deep/e").unwrap(), Node::EArray(_)));
        let found = run.root().unwrap().group_by_title("a scan").unwrap();
        assert_eq!(found.unwrap().path().as_str(), "/Scan");
    });
}

#[test]
fn attributes_come_back_as_they_were() {
    everywhere(|path, options| {
        let run = Acquisition::open_with(path, options).unwrap();
        let group = run.root().unwrap().add_group("detector", "Detector", "").unwrap();
        let date = Date { year: 2026, month: 2, day: 28 };
        let values = [
            ("text", Value::Text("é'\n".to_owned())),
            ("empty", Value::Text(String::new())),
            ("number", Value::Int(5)),
            ("list", Value::List(vec![Value::Int(1), Value::None, Value::Float(2.5)])),
            ("when", Value::DateTime(date, Time { hour: 3, ..Time::default() })),
            ("long", Value::Text("x".repeat(70_000))),
        ];
        for (name, value) in &values {
            group.set_attribute(name, value).unwrap();
        }
        run.close().unwrap();
        let run = reopened(path);
        let group = run.group("/Detector").unwrap();
        for (name, value) in &values {
            assert_eq!(group.attribute(name).unwrap().as_ref(), Some(value));
        }
        assert_eq!(group.attribute("type").unwrap(), Some("detector".into()));
        assert_eq!(group.attribute("missing").unwrap(), None);
        assert_eq!(group.title().unwrap(), "");
        assert_eq!(run.root().unwrap().title().unwrap(), "a run");
        assert_eq!(run.convention(), options.convention.unwrap());
    });
}

#[test]
fn a_node_that_is_there_is_not_made_again() {
    everywhere(|path, options| {
        let run = Acquisition::open_with(path, options).unwrap();
        let root = run.root().unwrap();
        let array = root.create_earray("a", DType::Float64, &[], "").unwrap();
        array.append_elements(&[1.0]).unwrap();
        let error = root.create_earray("a", DType::Float64, &[], "").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(array.shape().unwrap(), [1]);
        assert!(root.create_vlarray("v", DType::string(), "").is_err());
        assert_eq!(root.children_names().unwrap(), ["a"]);
        assert_eq!(run.node("/b").unwrap_err().kind(), ErrorKind::NotFound);
        assert!(Acquisition::open_with(path, options).is_err());
        run.remove(array.path()).unwrap();
        assert_eq!(root.children_names().unwrap(), [""; 0]);
        run.close().unwrap();
    });
}

#[test]
fn a_file_is_saved_under_another_name_and_format() {
    everywhere(|path, options| {
        let run = Acquisition::open_with(path, options).unwrap();
        let array = run.root().unwrap().create_earray("a", DType::Float64, &[], "t").unwrap();
        array.append_elements(&[1.0, 2.0]).unwrap();
        let copy = path.with_extension(if run.format() == stook::Format::Hdf5 {
            "hdf5.h5"
        } else {
            "zarr.h5"
        });
        run.save_as(&copy).unwrap();
        assert!(run.save_as(&copy).is_err());
        let copied = Acquisition::open(&copy).unwrap();
        assert_eq!(copied.earray("/a").unwrap().shape().unwrap(), [2]);
        assert_eq!(copied.earray("/a").unwrap().title().unwrap(), "t");
        assert_eq!(array.shape().unwrap(), [2]);
    });
}

#[test]
fn modes_say_which_file_is_opened() {
    let places = super::Places::new();
    let path = places.path("no ending");
    let open = |mode| Acquisition::open_with(&path, &Options { mode, ..Options::default() });
    assert_eq!(open(OpenMode::ReadWrite).unwrap_err().kind(), ErrorKind::NotFound);
    open(OpenMode::Append).unwrap().root().unwrap().require_group("a", "").unwrap();
    assert_eq!(open(OpenMode::Append).unwrap().root().unwrap().children_names().unwrap(), ["a"]);
    let read = open(OpenMode::Read).unwrap();
    let error = read.root().unwrap().require_group("b", "").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    drop(read);
    assert!(open(OpenMode::Create).is_err());
    assert_eq!(open(OpenMode::Replace).unwrap().root().unwrap().children().unwrap().len(), 0);
}
