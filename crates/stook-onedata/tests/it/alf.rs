use std::fs;

use parquet::file::reader::{FileReader, SerializedFileReader};
use stook_core::ErrorKind;
use stook_onedata::alf::{DatasetFilter, export_tables, list_datasets, load_object};
use stook_onedata::catalogue::{IndexOptions, Quality, QualityFilter};
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
        list_datasets(session.one_data(), &filter).unwrap()
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
fn datasets_have_a_quality_that_is_listed_and_exported() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path());
    for name in ["a.good", "b.poor", "c.spoilt", "d.unknown"] {
        session.save(name, &floats(&[1], &[1.0])).unwrap();
    }
    let catalogue = Catalogue::require(dir.path()).unwrap();
    catalogue.index(&IndexOptions::default()).unwrap();
    let path = "ATL027/2024-02-09/701";
    for (file, quality) in
        [("a.good", Quality::Pass), ("b.poor", Quality::Warning), ("c.spoilt", Quality::Critical)]
    {
        catalogue.set_quality(path, &format!("onedata/{file}.npy"), quality).unwrap();
    }
    // What people say of a session is another matter, and survives an index as does this.
    catalogue.set_field(path, "quality", &"FAIL".into()).unwrap();
    session.save("b.poor", &floats(&[2], &[1.0, 2.0])).unwrap();
    catalogue.index(&IndexOptions::default()).unwrap();
    let record = catalogue.session(path).unwrap();
    assert_eq!(record.quality(), Quality::Fail);
    let listed = |at_most, is_set| {
        let filter = QualityFilter { at_most, is_set };
        let found = catalogue.list_datasets(&record, &DatasetFilter::default(), filter).unwrap();
        found.iter().map(|path| path.trim_start_matches("onedata/")[..1].to_owned()).collect()
    };
    let (all, pass): (String, String) =
        (listed(Quality::Critical, false), listed(Quality::Pass, false));
    assert_eq!((all.as_str(), pass.as_str()), ("abcd", "ad"));
    let (judged, default): (String, String) =
        (listed(Quality::Warning, true), listed(Quality::Fail, false));
    assert_eq!((judged.as_str(), default.as_str()), ("ab", "abd"));
    let error = catalogue.set_quality(path, "onedata/none.npy", Quality::Pass).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    catalogue.set_quality(path, "onedata/a.good.npy", Quality::NotSet).unwrap();
    assert_eq!(catalogue.datasets(&record).unwrap()[0].quality, Quality::NotSet);

    let exported = export_tables(&catalogue, dir.path()).unwrap();
    let bytes = fs::read(&exported.datasets).unwrap();
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    let rows = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string());
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_key(|row| row[row.find("rel_path").unwrap()..].to_owned());
    let told = |row: &String| row[row.find("qc: ").unwrap()..].trim_end_matches('}').to_owned();
    assert_eq!(
        rows.iter().map(told).collect::<Vec<_>>(),
        [r#"qc: "NOT_SET""#, r#"qc: "WARNING""#, r#"qc: "CRITICAL""#, r#"qc: "NOT_SET""#]
    );
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
