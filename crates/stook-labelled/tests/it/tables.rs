//! Sessions as folders of tables of Arrow and Parquet.
#![allow(clippy::disallowed_methods, reason = "files are broken and moved on purpose")]

use std::path::{Path, PathBuf};

use stook_labelled::session::{Engine, Listed, LoadOptions, LoadReport, SaveOptions};
use stook_labelled::{Array, Axis, AxisCollection, Item, Session, ndtest};

const NAMES: [&str; 2] = ["x.arrow", "x.parquet"];

fn load(path: &Path) -> (Session, LoadReport) {
    let mut session = Session::new();
    let report = session.load(path, &LoadOptions::default()).unwrap();
    (session, report)
}

fn small() -> Session {
    let axes = AxisCollection::parse("a=a0..a2;year=2020,2021").unwrap();
    let array = Array::from_elements(axes, &[0.5, 1.0, f64::NAN, 3.0, -4.0, f64::INFINITY]);
    let mut session = Session::new();
    session.insert("b", array.unwrap());
    session.insert("i", 5);
    session.insert("a", ndtest([3]).unwrap());
    session.insert("axis", Axis::parse("z=z0..z3").unwrap());
    session.metadata_mut().set("title", "größe");
    session
}

fn saved(folder: &tempfile::TempDir, name: &str) -> PathBuf {
    let path = folder.path().join(name);
    let report = small().save(&path, &SaveOptions::default()).unwrap();
    assert!(report.is_lossless(), "{report:?}");
    path
}

/// A table of one session under the name of another of the same engine.
fn table(path: &Path, name: &str) -> PathBuf {
    let extension = path.extension().unwrap().to_string_lossy();
    path.join(format!("{name}.{extension}"))
}

#[test]
fn order_metadata_and_what_is_no_array_come_back() {
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let (session, report) = load(&saved(&folder, name));
        assert_eq!(session.to_string(), "Session(b, i, a, axis)", "{name}");
        assert_eq!(report.not_loaded, [], "{name}");
        assert_eq!(session.metadata(), small().metadata());
        let array = session.get("b").unwrap().as_array().unwrap();
        assert_eq!(array.data(), small().get("b").unwrap().as_array().unwrap().data());
    }
}

#[test]
fn a_table_by_itself_is_an_array_and_keeps_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let path = saved(&folder, name);
        let alone = folder.path().join("b").with_extension(path.extension().unwrap());
        std::fs::copy(table(&path, "b"), &alone).unwrap();
        let (session, report) = load(&alone);
        assert_eq!((session.names(), report.not_loaded.len()), (vec!["b"], 0));
        let array = session.get("b").unwrap().as_array().unwrap();
        assert_eq!(array.axes().info(), "3 x 2\n a [3]: 'a0' 'a1' 'a2'\n year [2]: 2020 2021");
    }
}

#[test]
fn axes_types_and_some_rows_are_known_without_the_elements() {
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let path = saved(&folder, name);
        let lazy = Session::open(&path).unwrap();
        assert_eq!(lazy.names().unwrap(), ["b", "i", "a", "axis"]);
        let Listed::Array { axes, dtype } = lazy.describe("b").unwrap() else { panic!() };
        assert_eq!((axes.to_string(), dtype.to_string()), ("{a, year}".into(), "float64".into()));
        assert!(matches!(lazy.describe("i").unwrap(), Listed::Item(Item::Scalar(_))));
        let Item::Array(rows, _) = lazy.rows("b", 2, 3).unwrap() else { panic!() };
        assert_eq!(rows.as_slice::<f64>(), Some(&[-4.0, f64::INFINITY][..]));
        assert_eq!(rows.axes().info(), "1 x 2\n a [1]: 'a2'\n year [2]: 2020 2021");
        assert!(lazy.rows("b", 2, 4).is_err() && lazy.get("nowhere").is_err());
    }
}

#[test]
fn a_missing_table_is_told_and_others_are_loaded() {
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let path = saved(&folder, name);
        std::fs::remove_file(table(&path, "a")).unwrap();
        std::fs::rename(table(&path, "b"), table(&path, "c")).unwrap();
        let (session, report) = load(&path);
        assert_eq!(session.to_string(), "Session(i, axis, c)");
        let lost: Vec<_> = report.not_loaded.iter().map(|lost| lost.name.as_str()).collect();
        assert_eq!(lost, ["b", "a"]);
    }
}

#[test]
fn a_folder_with_other_files_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    for (name, engine) in NAMES.into_iter().zip([Engine::Arrow, Engine::Parquet]) {
        let path = saved(&folder, name);
        std::fs::write(path.join("thesis.txt"), "years of work").unwrap();
        let error = small().save(&path, &SaveOptions::default()).unwrap_err();
        assert!(error.message().contains("thesis.txt"), "{error}");
        let other = folder.path().join("other");
        std::fs::create_dir_all(other.join("within")).unwrap();
        let mut options = SaveOptions::default();
        options.engine = Some(engine);
        assert!(small().save(&other, &options).is_err());
        std::fs::remove_dir(other.join("within")).unwrap();
        small().save(&other, &options).unwrap();
        std::fs::remove_dir_all(&other).unwrap();
    }
}

#[test]
fn broken_tables_are_errors_or_data() {
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let path = table(&saved(&folder, name), "b");
        let whole = std::fs::read(&path).unwrap();
        let load = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            Session::from_file(&path).map(|session| session.len())
        };
        let step = (whole.len() / 300).max(1);
        for (round, at) in (0..whole.len()).step_by(step).enumerate() {
            assert!(load(&whole[..at]).is_err(), "{name} cut at {at}");
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (round % 8);
            let _ = load(&flipped);
        }
    }
}
