//! Sessions that larray wrote (tests/fixtures/generate.py) are read, and what is written here is
//! read again.
#![allow(clippy::disallowed_methods, reason = "fixtures are read as files")]

use std::path::{Path, PathBuf};

use serde_json::Value;
use stook_labelled::kernels::Tolerance;
use stook_labelled::session::{Listed, LoadOptions, SaveOptions};
use stook_labelled::{Array, Axis, GroupKey, Item, Labels, PositionKey, Session};

use crate::support::{differences, formats, load};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// What larray put into a file, as its generator says.
fn expected(path: &Path) -> Value {
    let name = format!("{}.json", path.file_name().unwrap().to_string_lossy());
    serde_json::from_str(&std::fs::read_to_string(path.with_file_name(name)).unwrap()).unwrap()
}

fn texts(labels: &Labels) -> Vec<String> {
    labels.iter().map(|label| label.to_string()).collect()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn check_axis(axis: &Axis, expected: &Value, at: &str) {
    assert_eq!(axis.name().map(ToString::to_string).as_deref(), expected["name"].as_str(), "{at}");
    let mut wanted = strings(&expected["labels"]);
    if texts(axis.labels()).iter().any(|label| label.contains("T00:00")) {
        wanted =
            vec!["2020-01-01T00:00:00.000000000".into(), "2020-02-03T00:00:00.000000000".into()];
    }
    let found = texts(axis.labels());
    assert_eq!(found, wanted, "{at}");
}

fn check_array(array: &Array, expected: &Value, at: &str) {
    let axes = expected["axes"].as_array().unwrap();
    assert_eq!(array.axes().len(), axes.len(), "{at}");
    for (axis, expected) in array.axes().iter().zip(axes) {
        check_axis(axis, expected, at);
    }
    let n = array.data().len() as u64;
    let flat = array.data().as_ref().clone().reshaped(vec![n]).unwrap();
    let found = texts(&Labels::from_values(flat).unwrap());
    assert_eq!(found, strings(&expected["data"]), "{at}");
}

fn check(session: &Session, expected: &Value, at: &str) {
    for (name, value) in expected["meta"].as_object().unwrap() {
        let found = session.metadata().get(name).map(ToString::to_string);
        assert_eq!(found.as_deref(), value.as_str(), "{at}: metadata {name}");
    }
    for (name, value) in expected["items"].as_object().unwrap() {
        let at = format!("{at}: {name}");
        let item = session.get(name).unwrap_or_else(|| panic!("{at} is missing"));
        match item {
            Item::Array(array, meta) => {
                check_array(array, value, &at);
                for (name, value) in value["meta"].as_object().unwrap() {
                    assert_eq!(meta.get(name).unwrap().to_string(), value.as_str().unwrap());
                }
            }
            Item::Axis(axis) => {
                check_axis(axis, value, &at);
                assert_eq!(axis.is_wildcard(), value["wildcard"].as_bool().unwrap(), "{at}");
            }
            Item::Scalar(scalar) => {
                assert_eq!(item.type_name(), value["type"].as_str().unwrap(), "{at}");
                if item.type_name() == "bytes" {
                    assert_eq!(scalar.to_string(), "b'ab\\x00c'");
                } else {
                    assert_eq!(scalar.to_string(), value["value"].as_str().unwrap(), "{at}");
                }
            }
            Item::Group(group) => {
                assert_eq!(item.type_name(), value["type"].as_str().unwrap(), "{at}");
                let name = group.name().map(ToString::to_string);
                assert_eq!(name.as_deref(), value["name"].as_str(), "{at}");
            }
            other => panic!("{at}: {other:?}"),
        }
    }
}

#[test]
fn what_larray_wrote_is_read() {
    for version in ["pandas2", "pandas3"] {
        for name in ["session.h5", "session.pkl", "objects.h5"] {
            let path = fixtures().join(version).join(name);
            if path.exists() {
                check(&load(&path), &expected(&path), &format!("{version}/{name}"));
            }
        }
    }
}

#[test]
fn what_is_saved_is_loaded_again() {
    let session = load(&fixtures().join("pandas2/session.pkl"));
    let folder = tempfile::tempdir().unwrap();
    for name in formats() {
        let path = folder.path().join(name);
        let mut options = SaveOptions::default();
        options.sidecar = true;
        let report = session.save(&path, &options).unwrap();
        assert_eq!(report.not_saved, [], "{name}");
        let read = load(&path);
        assert_eq!(differences(&session, &read), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn one_array_or_some_of_its_rows_are_read_alone() {
    let path = fixtures().join("pandas2/session.h5");
    let whole = load(&path);
    let lazy = Session::open(&path).unwrap();
    assert_eq!(lazy.names().unwrap(), whole.names());
    for name in ["d2", "d3", "d6", "of_dates3"] {
        let Item::Array(array, _) = whole.get(name).unwrap() else { panic!("{name}") };
        let stook_labelled::session::Listed::Array { axes, dtype } = lazy.describe(name).unwrap()
        else {
            panic!("{name}")
        };
        assert_eq!((&axes, &dtype), (array.axes(), array.dtype()));
        let Item::Array(rows, _) = lazy.rows(name, 1, 2).unwrap() else { panic!("{name}") };
        assert_eq!(rows.shape()[0], 1);
        let each = array.data().items().len() / array.shape()[0];
        assert_eq!(rows.data().items(), &array.data().items()[each..2 * each], "{name}");
    }
    assert!(lazy.rows("d2", 2, 9).is_err());
}

#[test]
fn zarr_gives_axes_types_and_rows_without_the_elements() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    let mut session = load(&fixtures().join("pandas2/session.pkl"));
    session.metadata_mut().set("title", "größe");
    session.save(&path, &SaveOptions::default()).unwrap();
    let whole = load(&path);
    assert_eq!(whole.metadata(), session.metadata());

    let exact = Tolerance { nans_equal: true, ..Tolerance::default() };
    let lazy = Session::open(&path).unwrap();
    assert_eq!(lazy.names().unwrap(), whole.keys().collect::<Vec<_>>());
    assert_eq!(&lazy.metadata().unwrap(), session.metadata());
    for (name, item) in whole.iter() {
        let one: Session = [(name, lazy.get(name).unwrap())].into_iter().collect();
        assert_eq!(differences(&one.copy(), &whole.copy()), [""; 0]);
        let Item::Array(array, _) = item else {
            assert!(matches!(lazy.describe(name).unwrap(), Listed::Item(_)), "{name}");
            assert!(lazy.rows(name, 0, 1).is_err());
            continue;
        };
        let Listed::Array { axes, dtype } = lazy.describe(name).unwrap() else { panic!("{name}") };
        assert_eq!((&axes, &dtype), (array.axes(), array.dtype()));
        let Some(&len) = array.shape().first() else { continue };
        for (start, stop) in [(0, len), (len / 2, len), (0, 0)] {
            let mut keys = vec![None; array.ndim()];
            keys[0] = Some(PositionKey::List((start as i64..stop as i64).collect()));
            let Item::Array(rows, _) = lazy.rows(name, start, stop).unwrap() else { panic!() };
            assert_eq!(rows.shape()[0], stop - start);
            let wanted = array.at(&keys).unwrap();
            assert!(rows.equals_within(&wanted, exact), "{name} {start}..{stop}");
            assert_eq!(rows.dtype(), wanted.dtype());
        }
        assert!(lazy.rows(name, 0, len + 1).is_err() && lazy.rows(name, 1, 0).is_err());
    }
    assert!(lazy.get("nowhere").is_err());

    // The chunks of one array are not looked at until it is asked for.
    std::fs::remove_dir_all(path.join("d3")).unwrap();
    let lazy = Session::open(&path).unwrap();
    assert!(lazy.get("d2").is_ok() && lazy.get("d3").is_err() && lazy.describe("d3").is_err());
}

#[test]
fn a_hierarchy_that_is_no_session_gives_its_arrays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zarr");
    let file = stook::File::create(&path).unwrap();
    let root = file.root_group().unwrap();
    let values = stook_core::Values::zeroed(stook_core::DType::Int16, vec![3, 2]).unwrap();
    let array = root.array("a").dtype(stook_core::DType::Int16).shape([3, 2]);
    let array = array.dimension_names(["x", "y"]).create().unwrap();
    array.write(&stook::Selection::All, &values).unwrap();
    root.create_group("g").unwrap();
    file.commit().unwrap();

    let mut session = Session::new();
    let report = session.load(&path, &LoadOptions::default()).unwrap();
    assert_eq!((report.loaded, report.not_loaded.len()), (vec!["a".to_owned()], 1));
    let lazy = Session::open(&path).unwrap();
    assert_eq!(lazy.names().unwrap(), ["a"]);
    let Listed::Array { axes, .. } = lazy.describe("a").unwrap() else { panic!() };
    assert_eq!((axes.to_string(), axes.shape()), ("{x*, y*}".to_owned(), vec![3, 2]));
    let Item::Array(rows, _) = lazy.rows("a", 1, 3).unwrap() else { panic!() };
    assert_eq!(rows.shape(), [2, 2]);
}

/// What csv and Excel say of an array: names, labels as text, and numbers.
fn said(session: &Session) -> Vec<(String, Vec<String>, Vec<f64>)> {
    let numbers = |array: &Array| -> Vec<f64> {
        let n = array.data().len() as u64;
        let flat = array.data().as_ref().clone().reshaped(vec![n]).unwrap();
        let texts = texts(&Labels::from_values(flat).unwrap());
        let number = |text: &String| match text.as_str() {
            "True" => 1.0,
            "False" => 0.0,
            text => text.parse().unwrap_or(-1.0),
        };
        texts.iter().map(number).map(|n: f64| if n.is_nan() { -2.0 } else { n }).collect()
    };
    let mut found = Vec::new();
    for (name, item) in session.iter() {
        let Item::Array(array, _) = item else { continue };
        let labels = array.axes().iter().map(|axis| {
            let labels = texts(axis.labels()).join(" ").replace("T00:00:00.000000000", "");
            format!("{}={labels}", axis.name().map(ToString::to_string).unwrap_or_default())
        });
        found.push((name.to_owned(), labels.collect(), numbers(array)));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[test]
fn tables_of_larray_say_the_same() {
    for version in ["pandas2", "pandas3"] {
        let whole = load(&fixtures().join(version).join("session.pkl"));
        let without = |names: &[&str]| {
            whole.filter_by(|name, item| item.as_array().is_some() && !names.contains(&name))
        };
        let book = load(&fixtures().join(version).join("session.xlsx"));
        assert_eq!(said(&book), said(&without(&["empty", "texts"])), "{version}");
        assert_eq!(book.metadata().len(), 4);
        let folder = load(&fixtures().join(version).join("session"));
        assert_eq!(said(&folder), said(&without(&[])), "{version}");
        assert_eq!(folder.metadata(), whole.metadata());
    }
}

#[test]
fn a_group_keeps_what_it_means() {
    let session = load(&fixtures().join("pandas3/session.pkl"));
    let Some(Item::Group(group)) = session.get("positions") else { panic!("no group") };
    assert!(matches!(group.key(), GroupKey::Positions(_)));
}
