//! Rows and columns added.

use stook::{DType, ErrorKind, Selection, Values};
use stook_loom::{Addition, Axis, Fill, Loom, numbers};

use crate::support::{all, bytes, column, matrix, scratch, small, texts};

fn two() -> (Values, Values) {
    let layer = numbers(vec![3, 2], &[100_i64, 101, 102, 103, 104, 105]).unwrap();
    (numbers(vec![3, 2], &[1.5_f64; 6]).unwrap(), layer)
}

#[test]
fn columns_are_added_to_all_layers_and_attributes_are_widened() {
    for name in ["x.loom", "x.zarr"] {
        let folder = tempfile::tempdir().unwrap();
        let loom = small(&folder.path().join(name));
        let (main, layer) = two();
        let addition = Addition::new().layer("", &main).layer("spliced", &layer);
        let addition = addition.attribute("CellID", texts(&["é", "f"]));
        let age = numbers(vec![2], &[0.5_f64, 1.5]).unwrap();
        let added = loom.add(Axis::Columns, addition.attribute("Age", age)).unwrap();
        assert_eq!(added, stook_loom::Added::default());
        assert_eq!(loom.shape().unwrap(), [3, 6]);
        let ages = numbers(vec![6], &[1.0, 2.0, 3.0, 4.0, 0.5, 1.5]).unwrap();
        assert_eq!(column(&loom, "Age"), ages);
        assert_eq!(column(&loom, "CellID"), texts(&["a", "b", "c", "d", "é", "f"]));
        let row = loom.layer("spliced").unwrap().read(&Selection::parse("1").unwrap()).unwrap();
        assert_eq!(row, numbers(vec![6], &[4_i16, 5, 6, 7, 102, 103]).unwrap());
        assert_eq!(loom.graphs(Axis::Columns).get("KNN").unwrap().n_nodes(), 6);
    }
}

#[test]
fn rows_are_added_beyond_what_the_file_has_room_for() {
    let (_folder, path) = scratch();
    let loom = small(&path);
    let main = matrix(1, 4);
    let addition = Addition::new().layer("", &main).fill(Fill::Auto);
    loom.add(Axis::Rows, addition).unwrap();
    assert_eq!(loom.shape().unwrap(), [4, 4]);
    let genes = texts(&["Actb", "Gapdh", "βé", ""]);
    assert_eq!(loom.attributes(Axis::Rows).get("Gene").unwrap(), genes);
    assert_eq!(*all(&loom, "spliced").dtype(), DType::Int16);
}

#[test]
fn attributes_of_one_side_go_or_are_filled() {
    let (_folder, path) = scratch();
    let loom = small(&path);
    let (main, layer) = two();
    let addition = || Addition::new().layer("", &main).layer("spliced", &layer);
    let given = || addition().attribute("CellID", texts(&["e", "f"]));
    let extra = numbers(vec![2], &[7_u8, 8]).unwrap();
    let added = loom.add(Axis::Columns, given().attribute("New", extra.clone())).unwrap();
    assert_eq!((added.removed, added.left_out), (vec!["Age".to_owned()], vec!["New".to_owned()]));
    assert_eq!(loom.attributes(Axis::Columns).names().unwrap(), ["CellID"]);
    let fill = Fill::Values([("New".to_owned(), numbers(vec![], &[9_u8]).unwrap())].into());
    loom.add(Axis::Columns, given().attribute("New", extra).fill(fill)).unwrap();
    assert_eq!(column(&loom, "New"), numbers(vec![8], &[9_u8, 9, 9, 9, 9, 9, 7, 8]).unwrap());
    let error = loom.add(Axis::Columns, given().fill(Fill::Values([].into()))).unwrap_err();
    assert!(error.message().contains("no fill value for the attribute `New`"), "{error}");
}

#[test]
fn nothing_is_changed_by_what_does_not_fit() {
    let (_folder, path) = scratch();
    small(&path).close().unwrap();
    let before = bytes(&path);
    let loom = Loom::open_read_write(&path).unwrap();
    let (main, layer) = two();
    let large = numbers(vec![3, 2], &[40_000_i64; 6]).unwrap();
    let narrow = numbers(vec![2, 2], &[1.0_f32; 4]).unwrap();
    let ids = || texts(&["e", "f"]);
    for (addition, said) in [
        (Addition::new().layer("", &main), "layer `spliced` is not given"),
        (Addition::new().layer("spliced", &layer), "main matrix"),
        (Addition::new().layer("", &narrow), "layer ``: expected shape [3, 2]"),
        (Addition::new().layer("", &main).layer("none", &main), "no layer `none`"),
        (
            Addition::new().layer("", &main).layer("spliced", &large),
            "40000 is no number of type int16",
        ),
        (
            Addition::new()
                .layer("", &main)
                .layer("spliced", &layer)
                .attribute("CellID", matrix(2, 1)),
            "`CellID`",
        ),
        (
            Addition::new().layer("", &main).layer("spliced", &layer).attribute("Age", ids()),
            "`Age`",
        ),
        (
            Addition::new()
                .layer("", &main)
                .layer("spliced", &layer)
                .attribute("Age", texts(&["e"])),
            "`Age`: expected 2 values",
        ),
    ] {
        let error = loom.add(Axis::Columns, addition).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::NotFound), "{error}");
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(loom.shape().unwrap(), [3, 4]);
    }
    loom.close().unwrap();
    assert_eq!(bytes(&path), before);
}
