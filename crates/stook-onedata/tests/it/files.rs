use std::fs;

use stook::npy::ObjectArray;
use stook::pickle::Form;
use stook_core::{Durability, ErrorKind, Limits};
use stook_onedata::{Data, FileKind, LoadingRecipe, OneData, OneFile, OneName};

use crate::{fixture, fixtures, floats, numbers, put};

fn data() -> (tempfile::TempDir, OneData) {
    let dir = tempfile::tempdir().unwrap();
    let data = OneData::at(dir.path()).unwrap();
    (dir, data)
}

fn one(name: &str) -> OneName {
    name.parse().unwrap()
}

#[test]
fn recipes_of_every_numpy_are_read_and_written_byte_for_byte() {
    let position = LoadingRecipe { source: None, ..LoadingRecipe::new("roiPosition", "") };
    let position = position.argument("mode", "median").argument("n", 3).argument("rate", 2.5);
    for (prefix, recipe) in [
        ("F-", LoadingRecipe::new("S2P", "F").transform("transpose")),
        ("redcell-", LoadingRecipe::new("S2P", "redcell").transform("idx_column1")),
        ("iscell-", LoadingRecipe::new("S2P", "iscell")),
        ("position-", position),
    ] {
        let names = fixtures(prefix);
        assert_eq!(names.len(), 2);
        for name in names {
            let objects = ObjectArray::open(fixture(&name), &Limits::default()).unwrap().unwrap();
            assert_eq!(LoadingRecipe::of_objects(&objects).unwrap().as_ref(), Some(&recipe));
            let form = if name.contains("numpy1") { Form::Numpy1 } else { Form::Numpy2 };
            let bytes = fs::read(fixture(&name)).unwrap();
            assert!(recipe.to_objects().unwrap().to_npy(form).unwrap() == bytes, "{name}");
            assert!(objects.to_npy(form).unwrap() == bytes, "{name}");
        }
        // What is saved is the form that numpy 1 and 2 read.
        let (_dir, data) = data();
        data.save_recipe(&one("a.b"), &recipe).unwrap();
        let saved = fs::read(data.path().join("a.b.npy")).unwrap();
        assert!(saved == fs::read(fixture(&format!("{prefix}numpy1.npy"))).unwrap());
        let json = data.save_recipe_json(&one("a.b"), &recipe).unwrap();
        let text = fs::read_to_string(json).unwrap();
        assert_eq!(LoadingRecipe::of_json(&text).unwrap(), recipe);
    }
}

#[test]
fn objects_that_are_no_recipes_are_data() {
    let (_dir, data) = data();
    for kind in ["dict", "stat", "ops", "ragged"] {
        for name in fixtures(&format!("{kind}-")) {
            put(&data, &name, "x.npy");
            let Data::Objects(objects) = data.load(&OneFile::npy(one("x"))).unwrap() else {
                panic!("{name}")
            };
            assert_eq!(LoadingRecipe::of_objects(&objects).unwrap(), None);
            let pickle = objects.pickle();
            let json = pickle.to_json(objects.elements()[0]).unwrap();
            match kind {
                "dict" => assert_eq!(json["b"][0], 1.5),
                "stat" => assert_eq!(json["lam"][1], 0.25),
                "ops" => assert_eq!(json["meanImg"][1][2], 1.0),
                _ => assert_eq!(objects.shape(), [3]),
            }
        }
    }
}

#[test]
fn sparse_matrices_of_scipy_are_read_and_come_back() {
    let expected = [0.0, 1.5, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, -3.0, 4.0, 0.0, 0.0];
    let (_dir, data) = data();
    for name in fixtures("csc") {
        put(&data, &name, "x.npz");
        let Data::Sparse(matrix) = data.load(&OneFile::npz(one("x"))).unwrap() else { panic!() };
        assert_eq!((matrix.shape(), matrix.format()), ([4, 3], "csc"));
        assert_eq!(numbers(&Data::Sparse(matrix.clone())), expected);
        let columns = matrix.to_dense_columns(&Limits::default()).unwrap();
        assert_eq!(columns.shape(), [3, 4]);
        data.save_sparse(&one("y"), &matrix).unwrap();
        let again = data.load(&OneFile::npz(one("y"))).unwrap();
        assert_eq!(numbers(&again), expected);
        // Saved over what is there, too.
        data.save_sparse(&one("y"), &matrix).unwrap();
    }
    assert_eq!(data.files().unwrap().len(), 2);
}

#[test]
fn arrays_are_read_in_parts_and_replaced_whole() {
    let (_dir, data) = data();
    let data = data.durability(Durability::Fsync);
    let many: Vec<f32> = (0..600_u16).map(f32::from).collect();
    data.save(&one("mpci.F"), &floats(&[20, 30], &many)).unwrap();
    let Data::Array(array) = data.load(&OneFile::npy(one("mpci.F"))).unwrap() else { panic!() };
    assert!(array.source().in_place().unwrap().mapped().is_some());
    data.save(&one("mpci.F"), &floats(&[2], &[1.0, 2.0])).unwrap();
    // Who had the old one has it still.
    let part = array.read_as::<f32>(&stook::Selection::parse("3, 10:12").unwrap()).unwrap();
    assert_eq!(part, [100.0, 101.0]);
    assert_eq!(numbers(&data.load(&OneFile::npy(one("mpci.F"))).unwrap()), [1.0, 2.0]);
    let names: Vec<_> = fs::read_dir(data.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn the_folder_is_found_under_either_name_and_made() {
    let (dir, data) = data();
    assert_eq!(data.files().unwrap(), []);
    assert!(data.path().ends_with("onedata"));
    let old = dir.path().join("oneData");
    fs::create_dir(&old).unwrap();
    let data = OneData::at(dir.path()).unwrap();
    assert_eq!(data.path(), old);
    data.save(&one("b"), &floats(&[1], &[1.0])).unwrap();
    for name in [".stook-tmp-1", "a..b.npy", "notes.txt", "c.NPY", ".hidden.npy"] {
        fs::write(old.join(name), b"").unwrap();
    }
    fs::create_dir(old.join("folder.npy")).unwrap();
    put(&data, "csc-scipy1.17.npz", "a.npz");
    let names: Vec<_> = data.files().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["b.npy", "a.npz"]);
    assert!(data.remove(&OneFile::npy(one("b"))).unwrap());
    assert!(!data.remove(&OneFile::npy(one("b"))).unwrap());
    assert!(!data.remove(&OneFile::npy(one("folder"))).unwrap());
    assert_eq!(OneFile::parse("a.b.npz").unwrap().kind, FileKind::Npz);
    assert!(OneFile::parse("a.b.npx").is_err());
}

#[test]
fn a_save_that_fails_leaves_what_was_there() {
    let (_dir, data) = data();
    data.save(&one("x"), &floats(&[1], &[1.0])).unwrap();
    let deep = (0..300).fold(serde_json::json!(0), |value, _| serde_json::json!([value]));
    let recipe = LoadingRecipe::new("S2P", "F").argument("deep", deep);
    let error = data.save_recipe(&one("x"), &recipe).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    let text = stook_core::Values::from_strings(vec![1], &["a"]).unwrap();
    assert_eq!(data.save(&one("x"), &text).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(numbers(&data.load(&OneFile::npy(one("x"))).unwrap()), [1.0]);
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1);
}
