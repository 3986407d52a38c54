//! Rows and columns permuted, kept and deleted.

use stook::{AxisSelection, Selection};
use stook_loom::validate::{Level, validate};
use stook_loom::{Axis, Loom, LoomOptions, numbers};

use crate::support::{all, column, floats, list, matrix, scratch, small, texts};

#[test]
fn a_permutation_moves_layers_attributes_and_graphs() {
    for name in ["x.loom", "x.zarr"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let loom = small(&path);
        loom.permute(Axis::Columns, &[2, 0, 3, 1]).unwrap();
        assert_eq!(column(&loom, "CellID"), texts(&["c", "a", "d", "b"]));
        let row = loom.layer("").unwrap().read(&Selection::parse("2").unwrap()).unwrap();
        assert_eq!(floats(&row), [202., 200., 203., 201.]);
        let graph = loom.graphs(Axis::Columns).get("KNN").unwrap();
        assert_eq!((graph.a(), graph.b()), (&[1, 3, 3][..], &[2, 0, 0][..]));
        loom.permute(Axis::Rows, &[2, 1, 0]).unwrap();
        assert_eq!(
            loom.attributes(Axis::Rows).get("Gene").unwrap(),
            texts(&["βé", "Gapdh", "Actb"])
        );
        assert!(loom.permute(Axis::Rows, &[0, 1]).is_err());
        assert!(loom.permute(Axis::Rows, &[0, 1, 3]).is_err());
        loom.close().unwrap();
        assert!(validate(&path, Level::Specification).unwrap().is_valid());
    }
}

#[test]
fn a_small_budget_gives_the_same() {
    let (_folder, path) = scratch();
    let main = matrix(300, 200);
    let loom = Loom::builder(&path).layer("", &main).create().unwrap();
    loom.close().unwrap();
    let options = LoomOptions { budget_len_bytes: 1000, ..LoomOptions::read_write() };
    let loom = Loom::open_with(&path, &options).unwrap();
    let order: Vec<u64> = (0..300).rev().collect();
    loom.permute(Axis::Rows, &order).unwrap();
    let order: Vec<u64> = (0..200).map(|at| at * 7 % 200).collect();
    loom.permute(Axis::Columns, &order).unwrap();
    let found = floats(&all(&loom, ""));
    for (at, value) in found.iter().enumerate() {
        let (row, column) = (at / 200, at % 200);
        assert_eq!(*value, ((299 - row) * 100 + column * 7 % 200) as f32);
    }
}

#[test]
fn rows_and_columns_are_kept_and_deleted() {
    let (_folder, path) = scratch();
    let loom = small(&path);
    loom.delete(Axis::Columns, &AxisSelection::Index(1)).unwrap();
    assert_eq!(column(&loom, "CellID"), texts(&["a", "c", "d"]));
    assert_eq!(loom.graphs(Axis::Columns).get("KNN").unwrap().n_edges(), 1);
    loom.keep(Axis::Rows, &AxisSelection::Mask(vec![true, false, true])).unwrap();
    assert_eq!(loom.shape().unwrap(), [2, 3]);
    assert_eq!(floats(&all(&loom, "")), [0., 2., 3., 200., 202., 203.]);
    assert!(loom.keep(Axis::Rows, &list(&[5])).is_err());
    loom.close().unwrap();
    assert!(validate(&path, Level::Specification).unwrap().is_valid());
}

#[test]
fn a_subset_is_a_loom_of_its_own_and_small() {
    let (folder, path) = scratch();
    let loom = small(&path);
    let target = folder.path().join("y.zarr");
    let made = loom.subset(&target, [&list(&[2, 0]), &AxisSelection::ALL], |builder| builder);
    let made = made.unwrap();
    assert_eq!(made.shape().unwrap(), [2, 4]);
    assert_eq!(made.attributes(Axis::Rows).get("Gene").unwrap(), texts(&["βé", "Actb"]));
    assert_eq!(all(&made, "spliced").dtype().to_string(), "int16");
    assert_eq!(made.graphs(Axis::Columns).names().unwrap(), ["KNN"]);
}

#[test]
fn compacting_gives_room_back_and_keeps_all() {
    let (_folder, path) = scratch();
    let noise: Vec<u32> = (0..400_u32 * 300).map(|x| x.wrapping_mul(2_654_435_761)).collect();
    let main = numbers(vec![400, 300], &noise).unwrap();
    let loom = Loom::builder(&path).layer("", &main).create().unwrap();
    for _ in 0..3 {
        let order: Vec<u64> = (0..400).rev().collect();
        loom.permute(Axis::Rows, &order).unwrap();
    }
    let before = loom.layer("").unwrap().read(&Selection::All).unwrap();
    let repacked = loom.compact().unwrap();
    assert!(repacked.after_len_bytes < repacked.before_len_bytes, "{repacked:?}");
    assert_eq!(all(&loom, ""), before);
    loom.permute(Axis::Columns, &(0..300).rev().collect::<Vec<u64>>()).unwrap();
    loom.close().unwrap();
    assert!(validate(&path, Level::Specification).unwrap().is_valid());
}
