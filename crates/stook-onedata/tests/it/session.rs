use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use stook_core::{ErrorKind, Values};
use stook_onedata::{
    Certainty, Data, LoadOptions, LoadingRecipe, OneFile, Recipes, Session, SessionData, SparseAs,
};

use crate::{floats, name, numbers, put, session, settle};

fn path_of(session: &Session, file: &str) -> std::path::PathBuf {
    session.one_data().path_of(&OneFile::parse(file).unwrap())
}

#[test]
fn a_session_has_name_values_and_files() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path());
    assert_eq!(session.session_name().joined("_"), "ATL027_2024-02-09_701");
    assert!(session.data_path().ends_with("ATL027/2024-02-09/701"));
    session.values().set("n", 3);
    assert_eq!(session.values().get("n").unwrap(), 3);
    assert_eq!(session.values().get("m").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(session.spks().unwrap_err().kind(), ErrorKind::NotFound);
    session.save("mpci.roiActivityDeconvolved", &floats(&[1], &[2.0])).unwrap();
    assert_eq!(numbers(&session.spks().unwrap()), [2.0]);
}

#[test]
fn what_the_cache_gives_is_what_is_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path());
    let load = || numbers(&session.load("x").unwrap());
    session.save("x", &floats(&[1], &[1.0])).unwrap();
    assert_eq!((load(), load()), (vec![1.0], vec![1.0]));
    session.save("x", &floats(&[1], &[2.0])).unwrap();
    assert_eq!(load(), [2.0]);
    // By another program, with all the same but the bytes.
    let path = path_of(&session, "x.npy");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() - 4;
    bytes[at..].copy_from_slice(&3_f32.to_ne_bytes());
    fs::write(&path, bytes).unwrap();
    assert_eq!(load(), [3.0]);
    session.save_recipe("x", &LoadingRecipe::new("nothing", "F")).unwrap();
    assert!(session.load("x").is_err());
    let removed = session.clear(None, Certainty::Certain).unwrap();
    assert_eq!(removed.len(), 1);
    assert_eq!(session.load("x").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn sparse_and_dense_are_cached_apart() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path());
    put(session.one_data(), "csc-scipy1.17.npz", "x.npz");
    settle(&path_of(&session, "x.npz"));
    for _ in 0..2 {
        let dense = session.load_with("x", LoadOptions::sparse(SparseAs::Dense)).unwrap();
        let sparse = session.load_with("x", LoadOptions::sparse(SparseAs::Sparse)).unwrap();
        assert!(matches!((&dense, &sparse), (Data::Values(_), Data::Sparse(_))));
        assert_eq!(numbers(&dense), numbers(&sparse));
    }
    assert_eq!(session.cache().keys().len(), 2);
    assert!(session.cache().len_bytes() >= 48);
    // The same memory, until it is loaded anew.
    let load = |options| match session.load_with("x", options).unwrap() {
        Data::Values(values) => values,
        other => panic!("{other:?}"),
    };
    let options = LoadOptions::sparse(SparseAs::Dense);
    assert!(Arc::ptr_eq(&load(options), &load(options)));
    assert!(!Arc::ptr_eq(&load(options), &load(options.anew())));
}

#[test]
fn recipes_ask_for_what_the_program_has() {
    let dir = tempfile::tempdir().unwrap();
    let n_loads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&n_loads);
    let recipes = Recipes::standard()
        .loader("constant", move |_, recipe| {
            counted.fetch_add(1, Ordering::Relaxed);
            let number = recipe.arguments.get("number").and_then(|n| n.as_f64()).unwrap_or(0.0);
            Ok(floats(&[1, 2], &[number as f32, 7.0]).into())
        })
        .transform("first", |data| {
            let values = data.values(&Default::default())?;
            let (dtype, _, items, heap) = (*values).clone().into_parts();
            Values::new(dtype, vec![1], items[..4].to_vec(), heap).map(Data::from)
        });
    let session = Session::with_recipes(dir.path(), name(), recipes).unwrap();
    let recipe = LoadingRecipe::new("constant", "").argument("number", 2.5);
    session.save_recipe("x", &recipe.clone().transform("transpose")).unwrap();
    session.save_recipe("y", &recipe.clone().transform("first")).unwrap();
    settle(&path_of(&session, "x.npy"));
    for _ in 0..3 {
        assert_eq!(session.load("x").unwrap().shape(), [2, 1]);
    }
    assert_eq!(n_loads.load(Ordering::Relaxed), 1);
    assert_eq!(numbers(&session.load("y").unwrap()), [2.5]);

    session.save_recipe("z", &recipe.transform("missing")).unwrap();
    let error = session.load("z").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let expected = "the transform `missing` is not known; known: first, idx_column1, transpose";
    assert_eq!(error.message(), expected);
    assert_eq!(n_loads.load(Ordering::Relaxed), 2, "nothing was loaded for it");

    let bare = Session::with_recipes(dir.path(), name(), Recipes::new()).unwrap();
    let error = bare.load("x").unwrap_err();
    assert_eq!(error.message(), "the loader `constant` is not known; none is");
}
