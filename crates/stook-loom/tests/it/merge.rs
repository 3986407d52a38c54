//! Looms joined.

use stook::{AxisSelection, ErrorKind, Values};
use stook_loom::{AddLoom, Axis, Combine, Fill, Loom, Part, combine, combine_faster, numbers};

use crate::support::{all, bytes, column, floats, list, scratch, small, texts};

/// Like the small loom, with the rows in another order and other cells.
fn other(path: &std::path::Path) -> Loom {
    let loom = small(path);
    loom.permute(Axis::Rows, &[1, 2, 0]).unwrap();
    loom.attributes(Axis::Columns).set("CellID", &texts(&["e", "f", "g", "h"])).unwrap();
    loom
}

#[test]
fn rows_are_put_in_order_by_a_key_and_graphs_are_joined() {
    let (folder, path) = scratch();
    let loom = small(&path);
    let other = other(&folder.path().join("y.loom"));
    let how = AddLoom { key: Some("Gene".into()), include_graphs: true, ..AddLoom::default() };
    loom.add_loom(&other, &how).unwrap();
    assert_eq!(loom.shape().unwrap(), [3, 8]);
    let found = floats(&all(&loom, ""));
    assert_eq!(found[8..16], [100., 101., 102., 103., 100., 101., 102., 103.]);
    assert_eq!(column(&loom, "CellID"), texts(&["a", "b", "c", "d", "e", "f", "g", "h"]));
    let graph = loom.graphs(Axis::Columns).get("KNN").unwrap();
    assert_eq!(graph.a(), [0, 1, 1, 4, 5, 5]);
    assert_eq!(graph.b(), [3, 2, 2, 7, 6, 6]);
}

#[test]
fn keys_that_do_not_match_change_nothing() {
    let (folder, path) = scratch();
    small(&path).close().unwrap();
    let before = bytes(&path);
    let loom = Loom::open_read_write(&path).unwrap();
    let other = other(&folder.path().join("y.loom"));
    let how = AddLoom { key: Some("Gene".into()), ..AddLoom::default() };
    for genes in [["Actb", "Actb", "βé"], ["Actb", "Gapdh", "Xist"]] {
        other.attributes(Axis::Rows).set("Gene", &texts(&genes)).unwrap();
        let error = loom.add_loom(&other, &how).unwrap_err();
        assert!(error.message().contains("key `Gene`"), "{error}");
    }
    let how = AddLoom { key: Some("None".into()), ..AddLoom::default() };
    assert_eq!(loom.add_loom(&other, &how).unwrap_err().kind(), ErrorKind::NotFound);
    other.keep(Axis::Rows, &list(&[0])).unwrap();
    assert!(loom.add_loom(&other, &AddLoom::default()).is_err());
    loom.close().unwrap();
    assert_eq!(bytes(&path), before);
}

#[test]
fn attributes_of_files_that_differ_become_those_of_columns() {
    let (folder, path) = scratch();
    let (loom, other) = (small(&path), other(&folder.path().join("y.loom")));
    loom.file_attributes().set("Lab", &Values::text("A")).unwrap();
    other.file_attributes().set("Lab", &Values::text("B")).unwrap();
    for loom in [&loom, &other] {
        loom.file_attributes().set("Same", &numbers(vec![], &[1_i64]).unwrap()).unwrap();
    }
    let how = AddLoom { convert_attributes: true, ..AddLoom::default() };
    loom.add_loom(&other, &how).unwrap();
    assert_eq!(column(&loom, "Lab"), texts(&["A", "A", "A", "A", "B", "B", "B", "B"]));
    assert!(!loom.file_attributes().contains("Lab").unwrap());
    assert!(loom.file_attributes().contains("Same").unwrap());
}

#[test]
fn layers_and_attributes_of_one_loom_are_filled() {
    let (folder, path) = scratch();
    let (loom, other) = (small(&path), other(&folder.path().join("y.loom")));
    other.remove_layer("spliced").unwrap();
    other.attributes(Axis::Columns).remove("Age").unwrap();
    assert!(loom.add_loom(&other, &AddLoom::default()).is_err());
    let how = AddLoom { fill: Fill::Auto, ..AddLoom::default() };
    loom.add_loom(&other, &how).unwrap();
    assert_eq!(column(&loom, "Age"), numbers(vec![8], &[1_i64, 2, 3, 4, 0, 0, 0, 0]).unwrap());
}

#[test]
fn a_loom_is_added_to_itself() {
    let (_folder, path) = scratch();
    let loom = small(&path);
    loom.add_loom(&loom, &AddLoom::default()).unwrap();
    assert_eq!(column(&loom, "CellID"), texts(&["a", "b", "c", "d", "a", "b", "c", "d"]));
}

#[test]
fn looms_are_combined_whole_or_not_at_all() {
    let (folder, path) = scratch();
    let second = folder.path().join("y.loom");
    small(&path).close().unwrap();
    other(&second).close().unwrap();
    let target = folder.path().join("z.loom");
    let add = AddLoom { key: Some("Gene".into()), ..AddLoom::default() };
    let title = [("Title".to_owned(), Values::text("both"))];
    let how = Combine { add, file_attributes: title.into(), ..Combine::default() };
    let made = combine(&[path.clone(), second.clone()], &target, &how).unwrap();
    assert_eq!(made.shape().unwrap(), [3, 8]);
    assert_eq!(made.file_attributes().get("Title").unwrap(), Values::text("both"));
    made.close().unwrap();
    let taken = combine(std::slice::from_ref(&path), &target, &how).unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
    let faster = folder.path().join("f.loom");
    let parts = [
        Part { path: path.clone(), columns: list(&[3, 0]) },
        Part { path: second, columns: AxisSelection::Mask(vec![true, false, false, false]) },
    ];
    let made = combine_faster(&parts, &faster, &["Age".to_owned()], &how).unwrap();
    assert_eq!(made.attributes(Axis::Columns).names().unwrap(), ["CellID"]);
    assert_eq!(column(&made, "CellID"), texts(&["d", "a", "e"]));
    let missing = [path, folder.path().join("none.loom")];
    let count = || std::fs::read_dir(folder.path()).unwrap().count();
    let before = count();
    assert!(combine(&missing, folder.path().join("n.loom"), &how).is_err());
    assert_eq!(count(), before);
}

#[test]
fn rows_are_sorted_by_keys_that_are_numbers() {
    let (folder, path) = scratch();
    let loom = small(&path);
    loom.attributes(Axis::Rows).set("Id", &numbers(vec![3], &[300_i64, -1, 20]).unwrap()).unwrap();
    loom.close().unwrap();
    let add = AddLoom { key: Some("Id".into()), ..AddLoom::default() };
    let parts = [Part { path: path.clone(), columns: AxisSelection::ALL }];
    let how = Combine { add, ..Combine::default() };
    let made = combine_faster(&parts, folder.path().join("y.loom"), &[], &how).unwrap();
    let ids = made.attributes(Axis::Rows).get("Id").unwrap();
    assert_eq!(ids, numbers(vec![3], &[-1_i64, 20, 300]).unwrap());
    let other = small(&folder.path().join("z.loom"));
    other.attributes(Axis::Rows).set("Id", &numbers(vec![3], &[300_i64, 1, 20]).unwrap()).unwrap();
    let error = made.add_loom(&other, &how.add).unwrap_err();
    assert!(error.message().contains("no row has the key `-1` of row 0"), "{error}");
}
