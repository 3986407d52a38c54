use std::fs;

use stook::sparse::{Compressed, Layout, Sparse};
use stook_core::{ArraySpec, DType, ErrorKind, Values};
use stook_onedata::{Data, LoadingRecipe, OneData, OneFile, OneName};

use crate::{fixture, floats, numbers};

fn one(name: &str) -> OneName {
    name.parse().unwrap()
}

fn matrix() -> Sparse {
    let data = Values::new(DType::Float64, vec![2], vec![7; 16], vec![]).unwrap();
    let part = Compressed { pointers: vec![0, 1, 1, 2].into(), indices: vec![2, 0].into() };
    Sparse::new([3, 3], Layout::Csc(part), data).unwrap().as_array()
}

/// A folder with something of everything.
fn filled(folder: &std::path::Path) -> OneData {
    let data = OneData::at(folder).unwrap();
    data.save(&one("mpci.times"), &floats(&[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])).unwrap();
    data.save(&one("scalar"), &floats(&[], &[4.5])).unwrap();
    data.save(&one("empty.x"), &floats(&[0, 4], &[])).unwrap();
    data.save_recipe(&one("mpci.F"), &LoadingRecipe::new("S2P", "F").transform("transpose"))
        .unwrap();
    data.save_sparse(&one("mpci.times"), &matrix()).unwrap();
    fs::copy(fixture("stat-numpy1.npy"), data.path().join("mpci.stat.npy")).unwrap();
    let npy = concat!(env!("CARGO_MANIFEST_DIR"), "/../stook-npy/tests/fixtures");
    for name in ["fortran", "fortran_be", "num_be_i2", "datetime", "unicode_le", "bool"] {
        fs::copy(format!("{npy}/{name}.npy"), data.path().join(format!("fixture.{name}.npy")))
            .unwrap();
    }
    data
}

#[test]
fn a_folder_goes_into_one_file_and_back_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let folder = filled(&dir.path().join("a"));
    for name in ["x.zarr", "x.h5"] {
        let packed = OneData::in_file(dir.path().join(name)).unwrap();
        assert_eq!(packed.files().unwrap(), []);
        let copied = packed.copy_from(&folder).unwrap();
        assert_eq!(copied.len(), 12);
        assert_eq!(packed.files().unwrap(), folder.files().unwrap());
        let back = OneData::at(dir.path().join(format!("back of {name}"))).unwrap();
        back.copy_from(&packed).unwrap();
        for file in &copied {
            let (old, new) = (folder.path_of(file), back.path_of(file));
            assert!(fs::read(old).unwrap() == fs::read(new).unwrap(), "{name}: {file}");
        }
    }
}

#[test]
fn a_file_is_saved_to_and_loaded_from_as_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["x.zarr", "x.h5"] {
        let data = OneData::in_file(dir.path().join(name)).unwrap();
        let file = OneFile::npy(one("a.b"));
        assert_eq!(data.load(&file).unwrap_err().kind(), ErrorKind::NotFound);
        for number in [1.0, 2.0] {
            data.save(&one("a.b"), &floats(&[2], &[number, 3.0])).unwrap();
            assert_eq!(numbers(&data.load(&file).unwrap()), [number, 3.0]);
        }
        data.save_sparse(&one("a.b"), &matrix()).unwrap();
        let part = data.load_columns(&OneFile::npz(one("a.b")), 1..3).unwrap();
        assert_eq!((part.shape(), part.data().len()), ([3, 2], 1));
        let recipe = LoadingRecipe::new("S2P", "F");
        data.save_recipe(&one("a.r"), &recipe).unwrap();
        let Data::Objects(objects) = data.load(&OneFile::npy(one("a.r"))).unwrap() else {
            panic!()
        };
        assert_eq!(LoadingRecipe::of_objects(&objects).unwrap(), Some(recipe));
        assert!(data.remove(&file).unwrap() && !data.remove(&file).unwrap());
        let names: Vec<_> = data.files().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["a.r.npy", "a.b.npz"]);
        let spec = ArraySpec::new(DType::Float32, vec![1]);
        let error = data.save_items(&one("a.npz"), &spec, &[0; 4]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(data.sum_up().unwrap_err().kind(), ErrorKind::Unsupported);
        let beside = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(beside.into_iter().all(|entry| entry.to_string_lossy().starts_with("x.")));
    }
    assert!(OneData::in_file("x.npy").is_err());
}

#[test]
fn a_draft_of_a_killed_saver_is_mended() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.zarr");
    let data = OneData::in_file(&path).unwrap();
    data.save(&one("a.b"), &floats(&[1], &[1.0])).unwrap();
    data.save(&one("a.c"), &floats(&[1], &[2.0])).unwrap();
    // One was in the making, the other whole.
    let file = stook::File::open_read_write(&path).unwrap();
    let root = file.root_group().unwrap();
    root.rename("a.c", "stook-draft.a.b").unwrap();
    root.rename("a.b", "stook-whole.a.d").unwrap();
    file.commit().unwrap();
    assert_eq!(data.files().unwrap(), []);
    data.save(&one("a.x"), &floats(&[1], &[3.0])).unwrap();
    let found: Vec<_> = data.files().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(found, ["a.d.npy", "a.x.npy"]);
}
