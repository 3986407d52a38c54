//! Narrow tables: a row an element.
#![allow(clippy::disallowed_methods, reason = "the tests write and read text")]

use stook_labelled::session::{LoadOptions, SaveOptions, TableLayout};
use stook_labelled::{Array, Axis, AxisCollection, Session, ndtest};

fn options() -> (SaveOptions, LoadOptions) {
    let (mut save, mut load) = (SaveOptions::default(), LoadOptions::default());
    save.layout = TableLayout::Narrow;
    load.layout = TableLayout::Narrow;
    (save, load)
}

/// The text that an array is saved as.
fn text(array: &Array) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    let session: Session = [("x", array.clone())].into_iter().collect();
    session.save(&path, &options().0).unwrap();
    std::fs::read_to_string(&path).unwrap()
}

fn read(text: &str) -> stook_core::Result<Array> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    std::fs::write(&path, text).unwrap();
    let mut session = Session::new();
    session.load(&path, &options().1)?;
    Ok(session.get("x").unwrap().as_array().unwrap().clone())
}

/// The texts are those that larray 0.35.2 writes.
#[test]
fn arrays_are_written_as_larray_writes_them() {
    let array = |text: &str, elements: &[f64]| {
        Array::from_elements(AxisCollection::parse(text).unwrap(), elements).unwrap()
    };
    assert_eq!(text(&ndtest([3]).unwrap()), "a,value\na0,0\na1,1\na2,2\n");
    assert_eq!(
        text(&array("a=a0,a1;b=b0,b1", &[f64::NAN, 1.0, 2.0, 0.1])),
        "a,b,value\na0,b0,\na0,b1,1.0\na1,b0,2.0\na1,b1,0.1\n"
    );
    let anonymous = Axis::wildcard(2, None::<&str>);
    let nameless = AxisCollection::from(vec![anonymous.clone(), anonymous]);
    let nameless = Array::from_elements(nameless, &[1.0, 2.0, 3.0, 4.5]).unwrap();
    assert_eq!(text(&nameless), ",,value\n0,0,1.0\n0,1,2.0\n1,0,3.0\n1,1,4.5\n");
    assert_eq!(text(&array("value=x,y", &[1.0, 2.0])), "value,value\nx,1.0\ny,2.0\n");
    let empty = vec![Axis::wildcard(0, Some("e")), Axis::parse("b=b0,b1").unwrap()];
    let empty = Array::from_elements::<f64>(empty.into(), &[]).unwrap();
    assert_eq!(text(&empty), "e,b,value\n");
}

#[test]
fn what_was_written_is_read() {
    let axes = AxisCollection::parse("a=a0..a2;year=2020,2021;é=x y,\"ß,日").unwrap();
    let elements: Vec<f64> = (0..18).map(|at| f64::from(at) / 7.0).collect();
    for array in [ndtest([3]).unwrap(), Array::from_elements(axes, &elements).unwrap()] {
        let found = read(&text(&array)).unwrap();
        assert!(found.equals(&array) && found.axes() == array.axes(), "{found}");
    }
    let scalar = Array::from_elements(AxisCollection::from(Vec::new()), &[5_i64]).unwrap();
    assert_eq!(read(&text(&scalar)).unwrap().item::<i64>().unwrap(), 5);
}

#[test]
fn rows_in_any_order_and_missing_ones_make_an_array() {
    let found = read("a,b,x\na1,b1,1\na0,b0,2\n").unwrap();
    assert_eq!(found.axes().info(), "2 x 2\n a [2]: 'a1' 'a0'\n b [2]: 'b1' 'b0'");
    let elements = found.to_vec::<f64>().unwrap();
    assert!(elements[0] == 1.0 && elements[1].is_nan() && elements[2].is_nan());
    assert_eq!(elements[3], 2.0);
    let twice = read("a,b,value\na0,b0,1\na1,b0,3\na0,b0,2\n").unwrap_err();
    assert_eq!(twice.message(), "rows 2 and 4 have the same labels");
    assert!(read("").is_err() && read("a,value\na0\n").is_err());
}

#[test]
fn workbooks_are_narrow_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.xlsx");
    let session: Session = [("x", ndtest([2, 3, 2]).unwrap())].into_iter().collect();
    let (save, load) = options();
    session.save(&path, &save).unwrap();
    let mut found = Session::new();
    found.load(&path, &load).unwrap();
    assert!(found.get("x").unwrap().as_array().unwrap().equals(&ndtest([2, 3, 2]).unwrap()));
}
