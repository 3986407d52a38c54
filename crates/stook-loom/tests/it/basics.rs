//! Looms made, read, written and closed, on HDF5 and Zarr.

use stook::{Array, AxisSelection, DType, Error, ErrorKind, Result, Selection, Values};
use stook_loom::validate::{Level, validate};
use stook_loom::{Axis, Loom, MatrixSource, SpecVersion, numbers, timestamp};

use crate::support::{all, bytes, column, floats, list, matrix, scratch, small, texts};

#[test]
fn any_rows_and_columns_are_read_in_any_order() {
    for name in ["x.loom", "x.zarr", "x.zarr.zip"] {
        let folder = tempfile::tempdir().unwrap();
        let loom = small(&folder.path().join(name));
        let layer = loom.layer("").unwrap();
        let read = |axes: Vec<AxisSelection>| layer.read(&Selection::Axes(axes)).unwrap();
        let mask = AxisSelection::Mask(vec![true, false, true]);
        assert_eq!(floats(&read(vec![mask, list(&[3, 0, 3])])), [3., 0., 3., 203., 200., 203.]);
        assert_eq!(floats(&read(vec![AxisSelection::Index(-1), list(&[1])])), [201.]);
        let backwards = AxisSelection::Slice { start: None, stop: None, step: -2 };
        assert_eq!(floats(&read(vec![backwards, AxisSelection::Index(0)])), [200., 0.]);
        assert!(layer.read(&Selection::Axes(vec![list(&[3])])).is_err());
    }
}

#[test]
fn a_view_has_all_parts_and_is_viewed_again() {
    let (_folder, path) = scratch();
    let loom = small(&path);
    let view = loom.view(&list(&[2, 0]), &list(&[2, 1])).unwrap();
    assert_eq!(view.shape(), [2, 2]);
    assert_eq!(floats(view.layer("").unwrap()), [202., 201., 2., 1.]);
    assert_eq!(view.attributes(Axis::Rows)["Gene"], texts(&["βé", "Actb"]));
    let graph = &view.graphs(Axis::Columns)["KNN"];
    assert_eq!((graph.a(), graph.b()), (&[1, 1][..], &[0, 0][..]));
    let again = view.select(&AxisSelection::Index(0), &AxisSelection::Index(1)).unwrap();
    assert_eq!(floats(again.layer("").unwrap()), [201.]);
    assert_eq!(again.attributes(Axis::Columns)["CellID"], texts(&["b"]));
    let turned = view.permuted(Axis::Columns, &[1, 0]).unwrap();
    assert_eq!(turned.attributes(Axis::Columns)["CellID"], texts(&["b", "c"]));
    assert_eq!(turned.graphs(Axis::Columns)["KNN"].a(), [0, 0]);
    assert!(view.permuted(Axis::Rows, &[0]).is_err());
}

#[test]
fn what_is_written_is_there_and_stamped() {
    let (_folder, path) = scratch();
    let loom = small(&path);
    let before = timestamp();
    assert_eq!(loom.changes_since(&before).unwrap(), stook_loom::Changes::default());
    let at = Selection::Axes(vec![AxisSelection::Index(1), list(&[0, 2])]);
    loom.layer("spliced").unwrap().write(&at, &numbers(vec![2], &[70_i64, 71]).unwrap()).unwrap();
    loom.attributes(Axis::Rows)
        .set("Length", &numbers(vec![3], &[1.0, 2.0, 3.0]).unwrap())
        .unwrap();
    let changes = loom.changes_since(&before).unwrap();
    assert_eq!(changes.layers, ["spliced"]);
    assert_eq!(changes.row_attributes, ["Length"]);
    assert!(changes.column_attributes.is_empty() && changes.column_graphs.is_empty());
    assert!(loom.last_modified().unwrap() > before);
    assert!(loom.changes_since("yesterday").is_err());
    loom.close().unwrap();
    let loom = Loom::open(&path).unwrap();
    let row: Vec<u8> = [70_i16, 5, 71, 7].iter().flat_map(|x| x.to_ne_bytes()).collect();
    let read = loom.layer("spliced").unwrap().read(&Selection::parse("1").unwrap()).unwrap();
    assert_eq!(read.items(), row);
}

#[test]
fn a_value_without_room_changes_nothing() {
    let (_folder, path) = scratch();
    let loom = small(&path);
    loom.close().unwrap();
    let before = bytes(&path);
    let loom = Loom::open_read_write(&path).unwrap();
    let error = loom.layer("spliced").unwrap();
    let error = error.write(&Selection::All, &numbers(vec![], &[1e6]).unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(
        error.to_string().contains("spliced") && error.to_string().contains("int16"),
        "{error}"
    );
    let wrong = loom.attributes(Axis::Columns).set("Age", &numbers(vec![3], &[1, 2, 3]).unwrap());
    assert!(wrong.unwrap_err().message().contains("`Age`: expected 4 values"));
    loom.close().unwrap();
    assert_eq!(bytes(&path), before);
}

#[test]
fn layers_are_made_replaced_and_removed() {
    let (_folder, path) = scratch();
    let loom = small(&path);
    assert_eq!(loom.layer_names().unwrap(), ["", "spliced"]);
    loom.create_layer("empty", DType::Int32).unwrap();
    assert_eq!(all(&loom, "empty"), numbers(vec![3, 4], &[0_i32; 12]).unwrap());
    loom.set_layer("empty", &matrix(3, 4)).unwrap();
    assert_eq!(all(&loom, "empty"), matrix(3, 4));
    let error = loom.set_layer("empty", &matrix(4, 3)).unwrap_err();
    assert!(error.message().contains("layer `empty`: expected shape [3, 4]"), "{error}");
    loom.remove_layer("empty").unwrap();
    assert_eq!(loom.layer("empty").unwrap_err().kind(), ErrorKind::NotFound);
    assert!(loom.remove_layer("").is_err());
    assert!(loom.create_layer("text", DType::string()).is_err());
    assert!(loom.create_layer("a/b", DType::Int8).is_err());
}

#[test]
fn attributes_are_normalised_and_text_is_unicode() {
    let (_folder, path) = scratch();
    let loom = small(&path);
    let columns = loom.attributes(Axis::Columns);
    let truth = Values::new(DType::Bool, vec![4], vec![1, 0, 0, 1], Vec::new()).unwrap();
    columns.set("Valid", &truth).unwrap();
    columns.set("Note", &texts(&["😀", "", "a&amp;b", "naïve"])).unwrap();
    columns.set("Row", &numbers(vec![1, 4], &[1_u8, 2, 3, 4]).unwrap()).unwrap();
    columns.set("XY", &numbers(vec![4, 2], &[0.5_f32; 8]).unwrap()).unwrap();
    assert_eq!(columns.names().unwrap(), ["Age", "CellID", "Note", "Row", "Valid", "XY"]);
    assert!(columns.set("Nul", &texts(&["a\0b", "", "", ""])).is_err());
    loom.close().unwrap();
    let loom = Loom::open(&path).unwrap();
    assert_eq!(column(&loom, "Valid"), numbers(vec![4], &[1_u8, 0, 0, 1]).unwrap());
    assert_eq!(column(&loom, "Note"), texts(&["😀", "", "a&amp;b", "naïve"]));
    assert_eq!(column(&loom, "Row").shape(), [4]);
    assert_eq!(column(&loom, "XY").shape(), [4, 2]);
    let error = loom.attributes(Axis::Columns).get("None").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("column attribute `None`"));
}

#[test]
fn a_new_loom_says_when_it_was_made_and_follows_version_3() {
    let (_folder, path) = scratch();
    let loom = small(&path);
    assert_eq!(loom.version().unwrap(), SpecVersion::V3);
    let attributes = loom.file_attributes();
    assert_eq!(attributes.names().unwrap(), ["CreationDate", "LOOM_SPEC_VERSION"]);
    attributes.set("Title", &Values::text("größe")).unwrap();
    attributes.set("Sizes", &numbers(vec![2], &[1_i64, 2]).unwrap()).unwrap();
    assert_eq!(attributes.get("Title").unwrap(), Values::text("größe"));
    attributes.remove("Title").unwrap();
    assert!(!attributes.contains("Title").unwrap());
    assert!(attributes.set("LOOM_SPEC_VERSION", &Values::text("2.0.1")).is_err());
    let report = validate(&path, Level::Conventions).unwrap();
    assert!(report.is_valid(), "{:?}", report.errors);
    assert_eq!(report.version, "3.0.0");
}

#[test]
fn an_empty_loom_takes_its_first_columns() {
    let (_folder, path) = scratch();
    let loom = Loom::builder(&path).create().unwrap();
    assert_eq!(loom.shape().unwrap(), [0, 0]);
    let rows = [("Gene".to_owned(), texts(&["a", "b"]))].into();
    let first = matrix(2, 3);
    let addition = stook_loom::Addition::new().layer("", &first).other_attributes(rows);
    loom.add(Axis::Columns, addition.attribute("CellID", texts(&["x", "y", "z"]))).unwrap();
    assert_eq!(loom.shape().unwrap(), [2, 3]);
    assert_eq!(all(&loom, ""), matrix(2, 3));
    loom.close().unwrap();
    assert!(validate(&path, Level::Specification).unwrap().is_valid());
}

#[test]
fn a_closed_loom_says_so() {
    let (_folder, path) = scratch();
    let loom = small(&path);
    let layer = loom.layer("").unwrap();
    assert!(loom.close().unwrap());
    assert!(!loom.close().unwrap() && loom.is_closed());
    for error in [
        loom.shape().unwrap_err(),
        layer.read(&Selection::All).unwrap_err(),
        loom.attributes(Axis::Rows).names().unwrap_err(),
        loom.permute(Axis::Rows, &[0, 1, 2]).unwrap_err(),
    ] {
        assert!(error.message().contains("closed"), "{error}");
    }
}

#[test]
fn a_loom_for_reading_is_not_changed() {
    let (_folder, path) = scratch();
    small(&path).close().unwrap();
    let before = bytes(&path);
    let loom = Loom::open(&path).unwrap();
    let error = loom.attributes(Axis::Rows).remove("Gene").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    assert!(loom.last_modified().is_ok());
    drop(loom);
    assert_eq!(bytes(&path), before);
}

#[test]
fn a_file_that_is_no_loom_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.h5");
    stook::File::create(&path).unwrap().commit().unwrap();
    let error = Loom::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().contains("no loom"), "{error}");
}

/// A matrix that fails when it is stored.
#[derive(Debug)]
struct Failing;

impl MatrixSource for Failing {
    fn shape(&self) -> [u64; 2] {
        [3, 4]
    }

    fn dtype(&self) -> DType {
        DType::Float32
    }

    fn store(&self, target: &Array, _: [u64; 2]) -> Result<()> {
        target.write(&Selection::All, &matrix(3, 4))?;
        Err(Error::invalid("the source ran dry"))
    }
}

#[test]
fn a_change_that_fails_half_way_leaves_nothing() {
    for name in ["x.loom", "x.zarr"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let loom = small(&path);
        let error = loom.set_layer("spliced", &Failing).unwrap_err();
        assert!(error.message().contains("ran dry"));
        assert!(loom.set_layer("new", &Failing).is_err());
        // The loom goes on, as it was.
        assert_eq!(loom.layer_names().unwrap(), ["", "spliced"]);
        assert_eq!(all(&loom, "spliced").dtype(), &DType::Int16);
        loom.attributes(Axis::Rows).set("More", &texts(&["1", "2", "3"])).unwrap();
        loom.close().unwrap();
        assert!(validate(&path, Level::Specification).unwrap().is_valid());
        let made = Loom::builder(folder.path().join("y.loom")).layer("", &Failing).create();
        assert!(made.is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn readers_see_the_last_commit_while_a_writer_works() {
    let (_folder, path) = scratch();
    small(&path).close().unwrap();
    let writer = Loom::open_read_write(&path).unwrap();
    writer.attributes(Axis::Rows).set("A", &texts(&["1", "2", "3"])).unwrap();
    // A second writer is refused in another process only; a reader never is.
    let reader = Loom::open(&path).unwrap();
    assert!(reader.attributes(Axis::Rows).contains("A").unwrap());
    assert_eq!(all(&reader, ""), matrix(3, 4));
}
