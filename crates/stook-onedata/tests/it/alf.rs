use std::fs;

use stook_core::ErrorKind;
use stook_onedata::alf::{DatasetFilter, export_tables, list_datasets, load_object};
use stook_onedata::catalogue::IndexOptions;
use stook_onedata::{Catalogue, LoadingRecipe, SessionData};

use crate::{floats, numbers, session};

#[test]
fn datasets_are_listed_and_objects_loaded_with_their_recipes() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path());
    let folder = session.data_path().to_path_buf();
    session.save("mpci.times", &floats(&[2], &[1.0, 2.0])).unwrap();
    session.save("other.times", &floats(&[1], &[1.0])).unwrap();
    fs::create_dir_all(folder.join("suite2p/plane0")).unwrap();
    fs::create_dir_all(folder.join("alf/probe00")).unwrap();
    let times = session.one_data().path().join("mpci.times.npy");
    fs::copy(&times, folder.join("suite2p/plane0/F.npy")).unwrap();
    fs::copy(&times, folder.join("alf/probe00/spikes.times_clock.npy")).unwrap();
    fs::write(folder.join("alf/probe00/spikes.notes.csv"), b"").unwrap();
    session.save_recipe("mpci.F", &LoadingRecipe::new("S2P", "F")).unwrap();

    let listed = |collection: Option<&str>, name: Option<&str>| {
        let filter = DatasetFilter {
            collection: collection.map(str::to_owned),
            file_name: name.map(str::to_owned),
        };
        list_datasets(&folder, &filter).unwrap()
    };
    assert_eq!(listed(None, None).len(), 5);
    assert_eq!(
        listed(Some("onedata"), Some("mpci.*")),
        ["onedata/mpci.F.npy", "onedata/mpci.times.npy"]
    );
    assert_eq!(listed(Some("alf*"), Some("*.npy")), ["alf/probe00/spikes.times_clock.npy"]);

    let mpci = load_object(&session, "mpci", None).unwrap();
    assert_eq!(mpci.keys().collect::<Vec<_>>(), ["F", "times"]);
    assert_eq!(numbers(&mpci["F"]), [1.0, 2.0]);
    let error = load_object(&session, "spikes", Some("alf/probe00")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    fs::remove_file(folder.join("alf/probe00/spikes.notes.csv")).unwrap();
    let spikes = load_object(&session, "spikes", Some("alf/probe00")).unwrap();
    assert_eq!(spikes.keys().collect::<Vec<_>>(), ["times_clock"]);
    let error = load_object(&session, "nothing", None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    fs::copy(&times, session.one_data().path().join("mpci.times.x.npy")).unwrap();
    assert_eq!(load_object(&session, "mpci", None).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn tables_leave_out_what_they_have_no_place_for_and_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let first = session(dir.path());
    first.save("mpci.times", &floats(&[1], &[1.0])).unwrap();
    first.save("alone", &floats(&[1], &[1.0])).unwrap();
    let day = dir.path().join("B/2024-01-01");
    stook_onedata::OneData::at(&day)
        .unwrap()
        .save(&"a.b".parse().unwrap(), &floats(&[0], &[]))
        .unwrap();
    let catalogue = Catalogue::require(dir.path()).unwrap();
    catalogue.index(&IndexOptions::default()).unwrap();
    let exported = export_tables(&catalogue, dir.path()).unwrap();
    assert_eq!((exported.n_sessions, exported.n_datasets), (1, 1));
    let left_out = ["ATL027/2024-02-09/701/onedata/alone.npy", "B/2024-01-01"];
    assert_eq!(exported.left_out, left_out);
    for path in [&exported.sessions, &exported.datasets] {
        let bytes = fs::read(path).unwrap();
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    }
    let before = fs::read(&exported.datasets).unwrap().len();
    export_tables(&catalogue, dir.path()).unwrap();
    assert_eq!(fs::read(&exported.datasets).unwrap().len(), before);
}
