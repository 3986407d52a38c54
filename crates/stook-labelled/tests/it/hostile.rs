//! Broken files are errors or data, and a save that fails leaves what was there.
#![allow(clippy::disallowed_methods, reason = "files are broken on purpose")]

use std::path::{Path, PathBuf};

use stook_labelled::session::{LoadOptions, SaveOptions};
use stook_labelled::{Array, AxisCollection, Item, Session};

use crate::support::{differences, load};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pandas2").join(name)
}

#[test]
fn broken_files_are_errors_or_data() {
    let folder = tempfile::tempdir().unwrap();
    for (name, n) in [("session.pkl", 400), ("session.xlsx", 60), ("session.h5", 40)] {
        let whole = std::fs::read(fixture(name)).unwrap();
        let path = folder.path().join(name);
        let load = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let mut session = Session::new();
            session.load(&path, &LoadOptions::default()).map(|_| session.len())
        };
        for i in 0..n {
            let at = i * whole.len() / n;
            assert!(load(&whole[..at]).is_err(), "{name} cut at {at}");
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (i % 8);
            let _ = load(&flipped);
        }
    }
}

#[test]
fn what_a_pickle_would_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pkl");
    for bytes in [
        &b"\x80\x04}(\x8c\x01x\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85Ru."[..],
        b"cos\nsystem\n(S'id'\ntR.",
        b"\x80\x04}\x8c\x01x\x8c\x10larray.core.axis\x8c\x08__init__\x93s.",
    ] {
        std::fs::write(&path, bytes).unwrap();
        let error = Session::from_file(&path).unwrap_err();
        assert!(error.message().contains("not plain data"), "{error}");
    }
}

#[test]
fn a_save_that_fails_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let session: Session = [("a", 1)].into_iter().collect();
    for name in ["x.h5", "x.pkl"] {
        let path = folder.path().join(name);
        session.save(&path, &SaveOptions::default()).unwrap();
        let before = std::fs::read(&path).unwrap();
        // A folder that is missing, and nothing beside the old file.
        let missing = folder.path().join("missing").join(name);
        assert!(session.save(&missing, &SaveOptions::default()).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn names_that_excel_does_not_take_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let array = Session::from_file(fixture("session.pkl")).unwrap().get("d1").unwrap().clone();
    let save = |names: &[&str]| {
        let session: Session = names.iter().map(|name| (*name, array.clone())).collect();
        session.save(folder.path().join("x.xlsx"), &SaveOptions::default())
    };
    assert!(save(&["a", "A"]).is_err());
    assert!(save(&["a name that is longer than a sheet's"]).is_err());
    assert!(!folder.path().join("x.xlsx").exists());
    save(&["a", "b"]).unwrap();
}

#[test]
fn arrays_whose_names_excel_refuses_come_back_by_what_is_kept_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.xlsx");
    let names = ["a[0]", "b:c", "d*", "e?", "f/g", "h\\i", "'j'", "plain"];
    let axes = AxisCollection::parse("x=x0,x1").unwrap();
    let array = |at: u16| Array::from_elements(axes.clone(), &[at, 7]).unwrap();
    let session: Session = names.into_iter().zip(0..).map(|(name, at)| (name, array(at))).collect();
    let report = session.save(&path, &SaveOptions::default().with_sidecar(true)).unwrap();
    assert!(report.is_lossless(), "{report:?}");
    let found = load(&path);
    assert_eq!(found.keys().collect::<Vec<_>>(), names);
    assert_eq!(differences(&session, &found), [""; 0]);

    // One of them by its name, or by that of its sheet.
    for name in ["f/g", "f_g"] {
        let mut one = Session::new();
        let mut options = LoadOptions::default();
        options.names = Some(vec![name.to_owned()]);
        one.load(&path, &options).unwrap();
        assert_eq!(one.names(), ["f/g"]);
        assert_eq!(differences(&one, &session), [""; 0]);
    }
    assert!(load(&path).contains("plain"));

    // Without what is kept arrays are called as their sheets are, and the report says so.
    let path = folder.path().join("alone.xlsx");
    let report = session.save(&path, &SaveOptions::default()).unwrap();
    let changed: Vec<_> = report.changed.iter().map(|note| note.why.as_str()).collect();
    assert_eq!((changed.len(), changed[0]), (7, "its sheet is called `a_0_`"));
    let sheets = ["a_0_", "b_c", "d_", "e_", "f_g", "h_i", "_j_", "plain"];
    assert_eq!(Session::from_file(&path).unwrap().keys().collect::<Vec<_>>(), sheets);

    let clash: Session = [("a[", array(1)), ("A_", array(2))].into_iter().collect();
    assert!(clash.save(&path, &SaveOptions::default()).is_err());
    let meta: Session = [("__metadata__", array(1))].into_iter().collect();
    let report = meta.save(&path, &SaveOptions::default()).unwrap();
    assert_eq!(report.not_saved.len(), 1);
}

#[test]
fn objects_are_added_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["x.h5", "x.pkl"] {
        let path = folder.path().join(name);
        let mut first: Session = [("a", 1), ("b", 2)].into_iter().collect();
        first.metadata_mut().set("title", "first");
        first.save(&path, &SaveOptions::default()).unwrap();
        let second: Session = [("b", 3), ("c", 4)].into_iter().collect();
        let mut options = SaveOptions::default();
        options.overwrite = false;
        second.save(&path, &options).unwrap();
        let read = Session::from_file(&path).unwrap();
        assert_eq!(read.names(), ["a", "b", "c"]);
        assert_eq!(read.get("b").and_then(Item::as_scalar), Some(&3.into()));
        assert_eq!(read.metadata(), first.metadata(), "{name}");
    }
}
