//! URLs where paths may stand.

use stook::{CreateOptions, ErrorKind, File, Format, Mode, OpenOptions, Selection};

#[test]
fn a_tree_behind_a_url_is_created_opened_and_replaced() {
    let url = "memory://stook/tree.zarr";
    assert_eq!(File::open(url).unwrap_err().kind(), ErrorKind::NotFound);
    let file = File::require(url).unwrap();
    let array =
        file.root_group().unwrap().array("a/b").shape([4, 6]).dtype("int16".parse().unwrap());
    array
        .create()
        .unwrap()
        .write_elements(&Selection::parse("1:3, ::2").unwrap(), &[], &[7_i16])
        .unwrap();
    file.commit().unwrap();

    let file = File::open(url).unwrap();
    assert_eq!(file.format(), Format::ZarrV3);
    let row = file.array("a/b").unwrap().read_as::<i16>(&Selection::parse("1").unwrap()).unwrap();
    assert_eq!(row, [7, 0, 7, 0, 7, 0]);
    let error = file.array("a/none").unwrap_err();
    assert!(error.to_string().contains(url), "{error}");

    let options = CreateOptions { format: Some(Format::ZarrV2), ..CreateOptions::default() };
    assert_eq!(File::create_with(url, &options).unwrap_err().kind(), ErrorKind::AlreadyExists);
    let options = CreateOptions { in_the_way: stook::InTheWay::Goes, ..options };
    assert_eq!(File::create_with(url, &options).unwrap().format(), Format::ZarrV2);
    assert_eq!(File::open(url).unwrap().array("a/b").unwrap_err().kind(), ErrorKind::NotFound);
    let options = CreateOptions { format: Some(Format::Hdf5), ..CreateOptions::default() };
    let error = File::create_with("memory://stook/x.h5", &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn a_file_url_is_its_path() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["x.zarr", "x.h5"] {
        let path = folder.path().join(name);
        let url = format!("file://{}", path.display());
        File::create(&url).unwrap().commit().unwrap();
        assert!(path.exists(), "{name}");
        assert!(File::open(&url).unwrap().root_group().is_ok());
    }
}

#[test]
fn a_store_of_a_url_holds_a_tree_of_its_own() {
    let store = stook::open_store("memory://stook/store", [], Mode::ReadWrite).unwrap();
    let file = File::from_store(store, Some(Format::ZarrV3), &OpenOptions::read_write()).unwrap();
    drop(file);
    let error = stook::open_store("s3://a", [("no_such", "1")], Mode::Read).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn what_needs_a_path_refuses_a_url() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.h5");
    let mut options = stook::ConvertOptions::default();
    for (from, to) in [("s3://a/b.zarr", target.to_str().unwrap()), ("a.h5", "s3://a/b.zarr")] {
        let error = stook::convert(from, to, &mut options).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{from}");
    }
    assert!(!target.exists());
}
