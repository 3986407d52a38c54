use std::fs;
use std::path::Path;

use stook_core::{ErrorKind, Limits};
use stook_onedata::{Data, LoadingRecipe, OneData, Planes, Session, SessionData, Suite2p};

use crate::{fixture, floats, numbers, session, settle};

/// Saves an array as a variable of a plane.
fn put(session: &Session, plane: u32, variable: &str, shape: &[u64], all: &[f32]) {
    let folder = session.data_path().join(format!("suite2p/plane{plane}"));
    let data = OneData::at(&folder).unwrap();
    data.save(&variable.parse().unwrap(), &floats(shape, all)).unwrap();
    let path = folder.join(format!("{variable}.npy"));
    fs::rename(data.path().join(format!("{variable}.npy")), &path).unwrap();
    fs::remove_dir(data.path()).unwrap();
    settle(&path);
}

fn put_fixture(session: &Session, plane: u32, name: &str, variable: &str) {
    let folder = session.data_path().join(format!("suite2p/plane{plane}"));
    fs::create_dir_all(&folder).unwrap();
    fs::copy(fixture(name), folder.join(format!("{variable}.npy"))).unwrap();
}

fn recipe(session: &Session, name: &str, recipe: &LoadingRecipe) {
    session.save_recipe(name, recipe).unwrap();
    settle(&session.one_data().path().join(format!("{name}.npy")));
}

#[test]
fn planes_are_joined_and_trimmed() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path());
    put(&session, 0, "F", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    put(&session, 10, "F", &[1, 2], &[7.0, 8.0]);
    put(&session, 2, "F", &[1, 3], &[9.0, 10.0, 11.0]);
    fs::create_dir(session.data_path().join("suite2p/combined")).unwrap();
    let suite2p = Suite2p::of(session.one_data());
    assert_eq!(suite2p.plane_ids().unwrap(), [0, 2, 10]);
    let joined = suite2p.load("F", Planes::Joined).unwrap();
    assert_eq!(joined.shape(), [4, 2]);
    assert_eq!(numbers(&joined), [1.0, 2.0, 4.0, 5.0, 9.0, 10.0, 7.0, 8.0]);
    let one = Suite2p::of(session.one_data()).planes([0]);
    assert!(matches!(one.load("F", Planes::Joined).unwrap(), Data::Array(_)));
    assert_eq!(numbers(&one.n_frames(1).load("F", Planes::Joined).unwrap()), [1.0, 4.0]);
    let Data::List(apart) = suite2p.load("F", Planes::Apart).unwrap() else { panic!() };
    assert_eq!(apart.len(), 3);

    recipe(&session, "mpci.F", &LoadingRecipe::new("S2P", "F").transform("transpose"));
    let turned = session.load("mpci.F").unwrap();
    assert_eq!(turned.shape(), [2, 4]);
    assert_eq!(numbers(&turned), [1.0, 4.0, 9.0, 7.0, 2.0, 5.0, 10.0, 8.0]);
    // The recipe is as it was; what it leads to is not.
    put(&session, 10, "F", &[1, 2], &[70.0, 80.0]);
    assert_eq!(numbers(&session.load("mpci.F").unwrap())[3], 70.0);
    put(&session, 11, "F", &[1, 2], &[1.0, 1.0]);
    assert_eq!(session.load("mpci.F").unwrap().shape(), [2, 5]);
}

#[test]
fn planes_that_do_not_fit_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path());
    let error = Suite2p::of(session.one_data()).load("F", Planes::Joined).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    put(&session, 0, "redcell", &[2, 2], &[0.0, 1.0, 0.0, 2.0]);
    recipe(&session, "red", &LoadingRecipe::new("S2P", "redcell").transform("idx_column1"));
    assert_eq!(numbers(&session.load("red").unwrap()), [1.0, 2.0]);
    put(&session, 1, "redcell", &[1, 2], &[0.0, 3.0]);
    let joined = Suite2p::of(session.one_data()).load("redcell", Planes::Joined).unwrap();
    assert_eq!(joined.shape(), [3, 2]);
    put(&session, 1, "redcell", &[1, 3], &[0.0; 3]);
    let error = Suite2p::of(session.one_data()).load("redcell", Planes::Joined).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("planes differ"), "{error}");
    let error = Suite2p::of(session.one_data()).load("../redcell", Planes::Joined).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let error = Suite2p::of(session.one_data()).load("Fneu", Planes::Joined).unwrap_err();
    assert!(
        error.location().file.as_ref().is_some_and(|at| at.ends_with(Path::new("plane0/Fneu.npy")))
    );
}

#[test]
fn cells_have_places() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path());
    put_fixture(&session, 1, "stat-numpy1.npy", "stat");
    put_fixture(&session, 4, "stat-numpy2.npy", "stat");
    put_fixture(&session, 1, "ops-numpy1.npy", "ops");
    put_fixture(&session, 4, "ops-numpy2.npy", "ops");
    let places = |recipe: &LoadingRecipe| -> Vec<f64> {
        session.save_recipe("places", recipe).unwrap();
        let values = session.load("places").unwrap().values(&Limits::default()).unwrap();
        assert_eq!(values.shape(), [4, 3]);
        values.items().as_chunks().0.iter().map(|item| f64::from_ne_bytes(*item)).collect()
    };
    let bare = LoadingRecipe { source: None, ..LoadingRecipe::new("roiPosition", "") };
    let of_plane = |plane: f64| [5.5, 1.75, plane, 5.5, 2.0, plane];
    assert_eq!(places(&bare), [of_plane(1.0), of_plane(4.0)].concat());
    let of_plane = |plane: f64| [5.0, 2.0, plane, 5.0, 2.0, plane];
    let median = bare.clone().argument("mode", "median");
    assert_eq!(places(&median), [of_plane(1.0), of_plane(4.0)].concat());

    session.save_recipe("wrong", &bare.argument("mode", "mode")).unwrap();
    let error = session.load("wrong").unwrap_err();
    assert!(error.message().contains("the argument `mode` cannot be \"mode\""), "{error}");
    let suite2p = Suite2p::of(session.one_data());
    let Data::List(options) = suite2p.load("ops", Planes::Joined).unwrap() else { panic!() };
    assert_eq!(options.len(), 2);
}
