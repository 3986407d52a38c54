//! The sparse matrices beside a loom: used while they are those of the layer, and never else.

use stook::{AxisSelection, ErrorKind, Selection};
use stook_loom::fused::{Scan, ScanOptions, Statistic, csr, sparse, statistics};
use stook_loom::matrix::Picked;
use stook_loom::{Axis, Loom, LoomOptions, SidecarState, numbers, sidecar_of};

use crate::support::{all, floats, list, scratch, small};

/// A loom of 300 rows and 200 columns, a tenth of which is not zero, some of it odd.
fn sparse_loom(path: &std::path::Path) -> Loom {
    let item = |at: usize| match at % 37 {
        0 => (at % 11) as f32,
        5 => -0.0,
        9 if at.is_multiple_of(5) => f32::NAN,
        11 => -1.5,
        _ => 0.0,
    };
    let main: Vec<f32> = (0..300 * 200).map(item).collect();
    let counts: Vec<u16> = (0..300 * 200).map(|at| (at % 23 / 22) as u16 * 7).collect();
    let main = numbers(vec![300, 200], &main).unwrap();
    let counts = numbers(vec![300, 200], &counts).unwrap();
    Loom::builder(path).layer("", &main).layer("counts", &counts).create().unwrap()
}

/// What passes over a layer give, as text: NaN is not equal to itself.
fn told(loom: &Loom, layer: &str) -> String {
    let (array, options) = (loom.layer_array(layer).unwrap(), loom.fused_options(layer).unwrap());
    let wanted = [Statistic::Sum, Statistic::Std, Statistic::Max, Statistic::CountNonzero];
    let mut told = String::new();
    let picks: [Option<Vec<u64>>; 2] = [None, Some(vec![150, 3, 3, 190, 64])];
    for picks in &picks {
        for axis in Axis::BOTH {
            let picked = Picked { rows: None, columns: picks.as_deref() };
            let found = statistics(&array, axis, picked, &wanted, &options).unwrap();
            told += &format!("{found:?}\n");
        }
        let picked = Picked { rows: picks.as_deref(), columns: None };
        told += &format!("{:?}\n", sparse(&array, picked, &array.dtype(), &options).unwrap());
        told += &format!("{:?}\n", csr(&array, picked, &array.dtype(), &options).unwrap());
        for axis in Axis::BOTH {
            let mut scan = ScanOptions::new(axis).batch_len(70);
            scan = scan.sparse(vec![loom.sparse_elements(layer).unwrap()]);
            if let Some(picks) = picks {
                scan = scan.items(picks.clone()).across(picks.clone());
            }
            for batch in Scan::new(vec![array.clone()], scan).unwrap() {
                let batch = batch.unwrap();
                told += &format!("{:?} {:?}\n", batch.indices, batch.layers);
            }
        }
    }
    told
}

#[test]
fn passes_over_a_sidecar_give_what_passes_over_tiles_give() {
    for name in ["x.loom", "x.zarr"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let loom = sparse_loom(&path);
        let expected = ["", "counts"].map(|layer| told(&loom, layer));
        assert_eq!(loom.sidecar_state("").unwrap(), SidecarState::Missing);
        let made = loom.make_sidecar(&["", "counts"]).unwrap();
        assert_eq!(Some(made), sidecar_of(&path));
        for layer in ["", "counts"] {
            assert!(matches!(loom.sidecar_state(layer).unwrap(), SidecarState::Valid { .. }));
            assert!(loom.sparse_elements(layer).unwrap().is_some(), "{name} {layer}");
        }
        assert_eq!(["", "counts"].map(|layer| told(&loom, layer)), expected, "{name}");
        loom.close().unwrap();
        let loom = Loom::open(&path).unwrap();
        assert_eq!(["", "counts"].map(|layer| told(&loom, layer)), expected, "{name}");
        assert!(loom.drop_sidecar().unwrap() && !loom.drop_sidecar().unwrap());
        assert!(loom.sparse_elements("").unwrap().is_none());
    }
}

#[test]
fn a_layer_that_changed_is_not_read_from_the_sidecar() {
    for name in ["x.loom", "x.zarr"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let loom = sparse_loom(&path);
        loom.make_sidecar(&["", "counts"]).unwrap();
        let one = Selection::Axes(vec![AxisSelection::Index(4), AxisSelection::Index(5)]);
        let seven = numbers(vec![], &[7.25_f32]).unwrap();
        // Another handle changes it, in another moment.
        if name == "x.zarr" {
            let other = Loom::open_read_write(&path).unwrap();
            other.layer("").unwrap().write(&one, &seven).unwrap();
        } else {
            loom.layer("").unwrap().write(&one, &seven).unwrap();
        }
        assert_eq!(loom.sidecar_state("").unwrap(), SidecarState::Stale);
        assert!(matches!(loom.sidecar_state("counts").unwrap(), SidecarState::Valid { .. }));
        assert!(loom.sparse_elements("").unwrap().is_none());
        let options = loom.fused_options("").unwrap();
        let array = loom.layer_array("").unwrap();
        let row = Picked { rows: Some(&[4]), columns: Some(&[5]) };
        let sum = statistics(&array, Axis::Rows, row, &[Statistic::Sum], &options).unwrap();
        assert_eq!(sum, [[7.25]]);
        // It is made anew in the place of the old one.
        loom.make_sidecar(&[""]).unwrap();
        assert!(matches!(loom.sidecar_state("").unwrap(), SidecarState::Valid { .. }));
        assert_eq!(loom.sidecar_state("counts").unwrap(), SidecarState::Missing);
        let order: Vec<u64> = (0..300).rev().collect();
        loom.permute(Axis::Rows, &order).unwrap();
        assert_eq!(loom.sidecar_state("").unwrap(), SidecarState::Stale);
    }
}

/// The same bytes at other places, a file of another loom, and files that are damaged.
#[test]
fn what_is_no_sidecar_of_the_loom_is_not_used() {
    let (folder, path) = scratch();
    let loom = sparse_loom(&path);
    let sidecar = loom.make_sidecar(&[""]).unwrap();
    let expected = told(&loom, "");
    let other = folder.path().join("other.loom");
    let small = small(&other);
    std::fs::copy(&sidecar, sidecar_of(&other).unwrap()).unwrap();
    assert_eq!(small.sidecar_state("").unwrap(), SidecarState::Stale);
    assert!(small.sparse_elements("").unwrap().is_none());
    let whole = std::fs::read(&sidecar).unwrap();
    loom.close().unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 150) {
        for damaged in [whole.get(..at).unwrap().to_vec(), {
            let mut flipped = whole.clone();
            *flipped.get_mut(at).unwrap() ^= 0x10;
            flipped
        }] {
            std::fs::write(&sidecar, damaged).unwrap();
            let loom = Loom::open(&path).unwrap();
            let array = loom.layer_array("").unwrap();
            if let Ok(options) = loom.fused_options("") {
                let wanted = [Statistic::Sum];
                let all = Picked::default();
                let found = statistics(&array, Axis::Rows, all, &wanted, &options).unwrap();
                let plain = statistics(&array, Axis::Rows, all, &wanted, &Default::default());
                assert_eq!(format!("{found:?}"), format!("{:?}", plain.unwrap()), "byte {at}");
            }
        }
    }
    std::fs::write(&sidecar, "notes").unwrap();
    let loom = Loom::open(&path).unwrap();
    assert_eq!(told(&loom, ""), expected);
    assert_eq!(loom.drop_sidecar().unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(std::fs::read(&sidecar).unwrap(), b"notes");
}

#[test]
fn a_sidecar_is_made_and_used_within_the_budget() {
    let (_folder, path) = scratch();
    sparse_loom(&path).close().unwrap();
    let options = LoomOptions { budget_len_bytes: 20_000, ..LoomOptions::read() };
    let loom = Loom::open_with(&path, &options).unwrap();
    let expected = told(&loom, "");
    loom.make_sidecar(&[""]).unwrap();
    assert!(matches!(loom.sidecar_state("").unwrap(), SidecarState::Valid { .. }));
    assert!(loom.sparse_elements("").unwrap().is_none(), "more than half of the budget");
    assert_eq!(told(&loom, ""), expected);
    assert_eq!(loom.make_sidecar(&["no such"]).unwrap_err().kind(), ErrorKind::NotFound);
    assert!(matches!(loom.sidecar_state("").unwrap(), SidecarState::Valid { .. }));
}

#[test]
fn rows_and_columns_are_kept_in_one_change() {
    let (_folder, path) = scratch();
    let loom = small(&path);
    loom.keep_both([&list(&[2, 0]), &AxisSelection::range(1, 3)]).unwrap();
    assert_eq!(loom.shape().unwrap(), [2, 2]);
    assert_eq!(floats(&all(&loom, "")), [201., 202., 1., 2.]);
    assert_eq!(loom.attributes(Axis::Rows).get("Gene").unwrap().text_at(0).unwrap(), "βé");
    let before = loom.last_modified().unwrap();
    assert!(loom.keep_both([&list(&[0]), &list(&[2])]).is_err());
    assert_eq!((loom.shape().unwrap(), loom.last_modified().unwrap()), ([2, 2], before));
}

#[test]
fn text_is_written_as_loompy_writes_it() {
    let (folder, path) = scratch();
    let loom = small(&path);
    loom.attributes(Axis::Rows)
        .set("P", &numbers(vec![3, 2], &[0.5, 1e-7, 2., 3., 4., 5.]).unwrap())
        .unwrap();
    let target = folder.path().join("x.tab");
    loom.export(&target, "spliced", stook::InTheWay::Stays).unwrap();
    let expected = "\t\tAge\t1\t2\t3\t4\t\n\t\tCellID\ta\tb\tc\td\t\nGene\tP\t\t\t\t\t\t\n\
                    Actb\t[0.5 1e-07]\t\t0\t1\t2\t3\t\nGapdh\t[2.0 3.0]\t\t4\t5\t6\t7\t\n\
                    βé\t[4.0 5.0]\t\t8\t9\t10\t11\t\n";
    assert_eq!(std::fs::read_to_string(&target).unwrap(), expected);
    let again = loom.export(&target, "", stook::InTheWay::Stays);
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists);
    loom.export(&target, "", stook::InTheWay::Goes).unwrap();
    assert!(
        std::fs::read_to_string(&target).unwrap().contains("\t\t200.0\t201.0\t202.0\t203.0\t\n")
    );
    assert_eq!(
        loom.export(&target, "x", stook::InTheWay::Goes).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    let names = std::fs::read_dir(folder.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.contains("x.tab")).count(), 1);
}
