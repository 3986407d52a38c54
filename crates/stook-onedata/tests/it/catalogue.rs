use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use stook::sparse::{Compressed, Layout, Sparse};
use stook_core::{DType, ErrorKind, Values};
use stook_onedata::catalogue::{
    CATALOGUE_NAME, Condition, DatasetKind, Hashes, IndexOptions, IndexReport, Operator, Quality,
};
use stook_onedata::{Catalogue, LoadingRecipe, OneData, OneFile};

use crate::{floats, settle};

/// Saves an array in a session, as if long ago.
fn save(root: &Path, session: &str, name: &str, numbers: &[f32]) {
    let data = OneData::at(root.join(session)).unwrap();
    data.save(&name.parse().unwrap(), &floats(&[numbers.len() as u64], numbers)).unwrap();
    settle(&data.path().join(format!("{name}.npy")));
}

/// Three mice, of which the first has two sessions a day.
fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for session in
        ["ATL027/2024-02-09/701", "ATL027/2024-02-09/702", "ATL028/2024-03-01", "B/2023-12-31/001"]
    {
        save(dir.path(), session, "mpci.times", &[1.0, 2.0]);
    }
    dir
}

fn index(catalogue: &Catalogue) -> IndexReport {
    catalogue.index(&IndexOptions::default()).unwrap()
}

fn indexed(dir: &tempfile::TempDir) -> Catalogue {
    let catalogue = Catalogue::require(dir.path()).unwrap();
    index(&catalogue);
    catalogue
}

fn paths(catalogue: &Catalogue, conditions: &[&str]) -> Vec<String> {
    let conditions: Vec<_> =
        conditions.iter().map(|text| Condition::parse(text).unwrap()).collect();
    let found = catalogue.sessions(&conditions).unwrap();
    found.into_iter().map(|session| session.path).collect()
}

#[test]
fn the_tree_is_told_and_told_again_when_it_changes() {
    let dir = tree();
    let root = dir.path();
    let catalogue = Catalogue::require(root).unwrap();
    assert_eq!(catalogue.sessions(&[]).unwrap(), []);
    let report = index(&catalogue);
    assert_eq!((report.n_sessions, report.n_datasets, report.n_read), (4, 4, 4));
    assert_eq!(index(&catalogue).n_read, 0, "nothing has changed");
    save(root, "B/2023-12-31/001", "mpci.times", &[3.0]);
    save(root, "C/2020-01-01", "a.b", &[]);
    fs::remove_dir_all(root.join("ATL028")).unwrap();
    let report = index(&catalogue);
    assert_eq!((report.n_sessions, report.n_read, report.n_gone), (4, 2, 1));
    let expected =
        ["ATL027/2024-02-09/701", "ATL027/2024-02-09/702", "B/2023-12-31/001", "C/2020-01-01"];
    assert_eq!(paths(&catalogue, &[]), expected);
    let session = catalogue.session("B/2023-12-31/001").unwrap();
    assert_eq!((session.name.mouse(), session.name.id()), ("B", Some("001")));
    let [data] = <[_; 1]>::try_from(catalogue.datasets(&session).unwrap()).unwrap();
    assert_eq!((data.name.as_str(), data.collection()), ("mpci.times", "onedata"));
    assert_eq!((data.dtype.as_deref(), data.shape.as_deref()), (Some("float32"), Some(&[1][..])));
    assert_eq!(session.len_bytes, data.len_bytes);
    catalogue.check().unwrap();
    // Somebody else sees the same.
    let again = Catalogue::open(root).unwrap();
    assert_eq!(again.sessions(&[]).unwrap(), catalogue.sessions(&[]).unwrap());
    assert_eq!(catalogue.session("none").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn every_kind_of_file_is_told_by_its_head() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("M/2024-01-02/3");
    let data = OneData::at(&path).unwrap();
    data.save_recipe(&"mpci.F".parse().unwrap(), &LoadingRecipe::new("S2P", "F")).unwrap();
    let entries = Values::new(DType::Float64, vec![1], vec![0; 8], vec![]).unwrap();
    let layout =
        Layout::Csc(Compressed { pointers: vec![0, 1, 1].into(), indices: vec![2].into() });
    let matrix = Sparse::new([3, 2], layout, entries).unwrap();
    data.save_sparse(&"mpci.sparse".parse().unwrap(), &matrix).unwrap();
    fs::copy(crate::fixture("csc-scipy1.11.npz"), data.path().join("mpci.deflated.npz")).unwrap();
    fs::copy(crate::fixture("stat-numpy1.npy"), data.path().join("mpci.stat.npy")).unwrap();
    fs::write(data.path().join("mpci.bad.npy"), b"\x93NUMPY").unwrap();
    fs::create_dir(path.join("alf")).unwrap();
    fs::write(path.join("alf/wheel.times.csv"), b"1").unwrap();
    fs::write(path.join("alf/notes.txt"), b"1").unwrap();
    let catalogue = indexed(&dir);
    let session = catalogue.session("M/2024-01-02/3").unwrap();
    let found = catalogue.datasets(&session).unwrap();
    let told: Vec<_> = found
        .iter()
        .map(|data| (data.path.as_str(), data.kind, data.dtype.as_deref(), data.shape.clone()))
        .collect();
    let expected = [
        ("alf/wheel.times.csv", DatasetKind::Other, None, None),
        ("onedata/mpci.F.npy", DatasetKind::Recipe, Some("object"), Some(vec![])),
        ("onedata/mpci.bad.npy", DatasetKind::Array, None, None),
        ("onedata/mpci.deflated.npz", DatasetKind::Sparse, Some("float32"), Some(vec![4, 3])),
        ("onedata/mpci.sparse.npz", DatasetKind::Sparse, Some("float64"), Some(vec![3, 2])),
        ("onedata/mpci.stat.npy", DatasetKind::Objects, Some("object"), found[5].shape.clone()),
    ];
    assert_eq!(told, expected);
    assert!(found[2].problem.is_some());
    assert_eq!(index(&catalogue).problems.len(), 1);
}

#[test]
fn conditions_choose_and_what_people_say_survives() {
    let dir = tree();
    let catalogue = indexed(&dir);
    let (first, second) = ("ATL027/2024-02-09/701", "ATL027/2024-02-09/702");
    assert!(catalogue.tag(first, "good").unwrap());
    assert!(!catalogue.tag(first, "good").unwrap());
    catalogue.tag("B/2023-12-31/001", "pilot").unwrap();
    for (path, name, value) in [
        (first, "depth", json!(250)),
        (second, "depth", json!(310.5)),
        (first, "imaging", json!(true)),
        (first, "note", json!("it's 100 % \"good\"; DROP TABLE session")),
        (second, "quality", json!("FAIL")),
    ] {
        catalogue.set_field(path, name, &value).unwrap();
    }
    // All of it is made anew from the tree, but for that.
    save(dir.path(), first, "mpci.more", &[]);
    index(&catalogue);
    let both = [first, second];
    for (conditions, expected) in [
        (&["mouse=ATL027"][..], &both[..]),
        (&["mouse=ATL027", "session_id=701"], &both[..1]),
        (&["date >= 2024-2-10"], &["ATL028/2024-03-01"]),
        (&["date < 2024-01-01"], &["B/2023-12-31/001"]),
        (&["session_id is null"], &["ATL028/2024-03-01"]),
        (&["tag=good"], &both[..1]),
        (&["tag is null", "mouse != ATL028"], &both[1..]),
        (&["depth > 250"], &both[1..]),
        (&["depth in 250, 251"], &both[..1]),
        (&["depth is not null"], &both),
        (&["depth is null", "mouse=ATL027"], &[]),
        (&["imaging=true"], &both[..1]),
        (&["note ~ DROP TABLE"], &both[..1]),
        (&["note like IT'S%"], &both[..1]),
        (&["quality=FAIL"], &both[1..]),
        (&["quality != PASS"], &both[1..]),
        (&["dataset=mpci.more"], &both[..1]),
        (&["dataset like mpci.%", "n_datasets >= 2"], &both[..1]),
        (&["mouse in ATL028,B", "tag ~ pil"], &["B/2023-12-31/001"]),
        (&["depth=\"250\""], &[]),
    ] {
        assert_eq!(paths(&catalogue, conditions), expected, "{conditions:?}");
    }
    let session = catalogue.session(first).unwrap();
    assert_eq!(
        (session.tags.as_slice(), session.quality()),
        (&["good".to_owned()][..], Quality::NotSet)
    );
    assert_eq!(session.fields["imaging"], Value::Bool(true));
    assert!(catalogue.untag(first, "good").unwrap());
    catalogue.set_field(first, "depth", &Value::Null).unwrap();
    assert_eq!(paths(&catalogue, &["depth > 0"]), both[1..]);
    for (name, value) in [
        ("mouse", json!("x")),
        ("a b", json!(1)),
        ("", json!(1)),
        ("quality", json!("fine")),
        ("x", json!([1])),
    ] {
        let error = catalogue.set_field(first, name, &value).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name}");
    }
    let typo = Condition::new("detph", Operator::Less, 1);
    let error = catalogue.sessions(&[typo]).unwrap_err();
    assert!(error.message().contains("depth, imaging, note"), "{error}");
}

#[test]
fn hashes_are_made_once_and_progress_is_told() {
    let dir = tree();
    let catalogue = Catalogue::require(dir.path()).unwrap();
    let n_told = AtomicU64::new(0);
    let progress = |_| {
        n_told.fetch_add(1, Ordering::Relaxed);
    };
    let options = IndexOptions { hashes: Hashes::Made, progress: Some(&progress) };
    catalogue.index(&options).unwrap();
    assert_eq!(n_told.into_inner(), 4);
    let hash = |path: &str| {
        let session = catalogue.session(path).unwrap();
        catalogue.datasets(&session).unwrap()[0].hash.clone()
    };
    let first = hash("B/2023-12-31/001").unwrap();
    assert_eq!(first.len(), 64);
    assert_eq!(hash("ATL028/2024-03-01"), Some(first.clone()));
    save(dir.path(), "B/2023-12-31/001", "mpci.times", &[9.0]);
    index(&catalogue);
    assert_eq!(hash("B/2023-12-31/001"), None, "it is no more what was summed up");
    assert_eq!(hash("ATL028/2024-03-01"), Some(first));
}

#[test]
fn sessions_in_one_file_are_found_and_known() {
    let dir = tempfile::tempdir().unwrap();
    let mouse = dir.path().join("M");
    let save = |file: &str| {
        let path = mouse.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let data = OneData::in_file(path).unwrap();
        data.save(&"a.b".parse().unwrap(), &floats(&[2], &[1.0, 2.0])).unwrap();
        data.save_recipe(&"c".parse().unwrap(), &LoadingRecipe::new("x", "y")).unwrap();
    };
    ["2024-02-09/701.h5", "2024-02-09/other.zarr", "2024-02-10.h5"]
        .iter()
        .for_each(|file| save(file));
    // A file of anything else, and one that is called as a session and is none.
    let movie = stook::File::create(mouse.join("2024-02-09/movie.h5")).unwrap();
    movie.root_group().unwrap().array("a").dtype(DType::UInt8).shape(vec![1]).create().unwrap();
    movie.commit().unwrap();
    drop(movie);
    fs::write(mouse.join("2024-02-09/702.h5"), b"nothing").unwrap();
    let catalogue = indexed(&dir);
    let report = index(&catalogue);
    assert_eq!((report.n_sessions, report.n_datasets), (4, 7));
    assert_eq!(report.problems[0].0, "M/2024-02-09/702.h5");
    let mut found = paths(&catalogue, &[]);
    found.sort();
    assert_eq!(
        found,
        [
            "M/2024-02-09/701.h5",
            "M/2024-02-09/702.h5",
            "M/2024-02-09/other.zarr",
            "M/2024-02-10.h5"
        ]
    );

    let session = catalogue.session("M/2024-02-09/701.h5").unwrap();
    assert_eq!(session.name.id(), Some("701"));
    let datasets = catalogue.datasets(&session).unwrap();
    let told: Vec<_> =
        datasets.iter().map(|data| (data.path.as_str(), data.kind.as_str())).collect();
    assert_eq!(told, [("a.b.npy", "array"), ("c.npy", "recipe")]);
    let data = catalogue.one_data(&session).unwrap();
    assert!(data.has(&OneFile::npy("a.b".parse().unwrap())).unwrap());
    // The folder of the session is not there, and leads to its file.
    let plain = OneData::at(mouse.join("2024-02-09/701")).unwrap();
    assert!(plain.is_in_file());
    assert_eq!(plain.path(), mouse.join("2024-02-09/701.h5"));
    save("2024-02-09/701.zarr");
    assert!(OneData::at(mouse.join("2024-02-09/701")).is_err(), "one session in two files");

    // What is unchanged is not read again; of folders of Zarr nothing tells that.
    for file in ["2024-02-09/701.h5", "2024-02-09/702.h5", "2024-02-10.h5"] {
        settle(&mouse.join(file));
    }
    index(&catalogue);
    let again = index(&catalogue);
    assert_eq!((again.n_sessions, again.n_read), (5, 2));
    fs::remove_file(mouse.join("2024-02-10.h5")).unwrap();
    assert_eq!(index(&catalogue).n_gone, 1);
}

#[test]
#[cfg(unix)]
fn links_out_of_the_tree_are_passed_over() {
    use std::os::unix::fs::symlink;
    let (dir, other) = (tree(), tree());
    let root = dir.path();
    symlink(other.path().join("ATL027"), root.join("Z")).unwrap();
    symlink(other.path().join("ATL027/2024-02-09"), root.join("B/2024-05-05")).unwrap();
    let file = "ATL027/2024-02-09/701/onedata/mpci.times.npy";
    symlink(other.path().join(file), root.join("B/2023-12-31/001/onedata/mpci.out.npy")).unwrap();
    symlink("mpci.times.npy", root.join("B/2023-12-31/001/onedata/mpci.in.npy")).unwrap();
    let catalogue = indexed(&dir);
    assert_eq!(paths(&catalogue, &[]).len(), 4);
    let session = catalogue.session("B/2023-12-31/001").unwrap();
    let names: Vec<_> =
        catalogue.datasets(&session).unwrap().into_iter().map(|data| data.name).collect();
    assert_eq!(names, ["mpci.in", "mpci.times"]);
    // Nor is the catalogue itself a link.
    let moved = other.path().join("x.sqlite");
    fs::rename(catalogue.path(), &moved).unwrap();
    symlink(&moved, catalogue.path()).unwrap();
    assert!(catalogue.sessions(&[]).is_err());
}

#[test]
fn what_is_no_catalogue_is_left_as_it_is() {
    let dir = tree();
    let path = dir.path().join(CATALOGUE_NAME);
    assert_eq!(Catalogue::open(dir.path()).unwrap_err().kind(), ErrorKind::NotFound);
    indexed(&dir);
    let good = fs::read(&path).unwrap();
    let mut foreign = good.clone();
    foreign[68] ^= 1;
    let mut newer = good.clone();
    newer[63] += 1;
    let mut others: Vec<(Vec<u8>, ErrorKind)> = vec![
        (b"notes of the day".to_vec(), ErrorKind::Unsupported),
        (vec![0; 200], ErrorKind::Unsupported),
        (foreign, ErrorKind::Unsupported),
        (newer, ErrorKind::Unsupported),
        (good[..150].to_vec(), ErrorKind::Corrupt),
    ];
    let mut zeroed = good.clone();
    zeroed[100..].fill(0);
    others.push((zeroed, ErrorKind::Corrupt));
    for (at, (bytes, expected)) in others.into_iter().enumerate() {
        fs::write(&path, &bytes).unwrap();
        for found in
            [Catalogue::open(dir.path()).map(drop), Catalogue::require(dir.path()).map(drop)]
        {
            assert_eq!(found.unwrap_err().kind(), expected, "{at}");
        }
        assert!(fs::read(&path).unwrap() == bytes, "{at}");
    }
    // Every page damaged in turn: an error that says so, or what was there.
    for page in 1..good.len() / 4096 {
        let mut bytes = good.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
        fs::write(&path, &bytes).unwrap();
        let found = Catalogue::open(dir.path()).and_then(|catalogue| {
            let sessions = catalogue.sessions(&[])?;
            sessions.iter().try_for_each(|session| catalogue.datasets(session).map(drop))?;
            catalogue.check()
        });
        assert_eq!(found.unwrap_err().kind(), ErrorKind::Corrupt, "page {page}");
    }
    fs::write(&path, b"").unwrap();
    assert_eq!(Catalogue::open(dir.path()).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(indexed(&dir).sessions(&[]).unwrap().len(), 4, "a file that was begun");
}
