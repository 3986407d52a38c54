//! Files that contradict themselves: an error that names the part, and never a panic.

use stook::{ErrorKind, File, Selection, Values};
use stook_loom::validate::{Level, validate};
use stook_loom::{Axis, Loom, numbers};

use crate::support::{bytes, matrix, scratch, small};

fn put(file: &File, path: &str, values: &Values) {
    let root = file.root_group().unwrap();
    let array = root.array(path).dtype(values.dtype().clone()).shape(values.shape());
    array.create().unwrap().write(&Selection::All, values).unwrap();
}

#[test]
fn parts_that_do_not_fit_are_named() {
    let (_folder, path) = scratch();
    let file = File::create(&path).unwrap();
    put(&file, "matrix", &matrix(2, 3));
    put(&file, "layers/short", &matrix(2, 2));
    put(&file, "row_attrs/Long", &numbers(vec![3], &[1, 2, 3]).unwrap());
    file.root_group().unwrap().create_group("col_attrs").unwrap();
    let lists = [("a", vec![0_i64, 9]), ("b", vec![1, 1]), ("w", vec![1])];
    for (list, values) in lists {
        let len = vec![values.len() as u64];
        put(&file, &format!("row_graphs/G/{list}"), &numbers(len, &values).unwrap());
    }
    file.commit().unwrap();
    drop(file);
    let report = validate(&path, Level::Conventions).unwrap();
    for what in ["/layers/short", "/row_attrs/Long", "9 is none of 2 nodes", "differ in length"] {
        assert!(report.errors.iter().any(|error| error.contains(what)), "{what}: {report:?}");
    }
    let loom = Loom::open_read_write(&path).unwrap();
    let error = loom.layer("short").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.message().contains("layer `short`: expected shape [2, 3], found [2, 2]"));
    let error = loom.graphs(Axis::Rows).get("G").unwrap_err();
    assert!(error.message().contains("row graph `G`"), "{error}");
    assert!(loom.permute(Axis::Columns, &[2, 1, 0]).is_err());
    assert_eq!(loom.shape().unwrap(), [2, 3]);
}

#[test]
fn a_file_that_is_cut_or_flipped_is_an_error_or_data() {
    let (folder, path) = scratch();
    small(&path).close().unwrap();
    let whole = bytes(&path);
    let damaged = folder.path().join("d.loom");
    let step = whole.len() / 150;
    for at in (0..whole.len()).step_by(step.max(1)) {
        for is_cut in [true, false] {
            let mut bytes = whole.clone();
            if is_cut {
                bytes.truncate(at);
            } else {
                bytes[at] ^= 0xff;
            }
            std::fs::write(&damaged, bytes).unwrap();
            let _ = validate(&damaged, Level::Conventions);
            let Ok(loom) = Loom::open(&damaged) else { continue };
            let all = stook::AxisSelection::ALL;
            let _ = loom.view(&all, &all);
        }
    }
}
