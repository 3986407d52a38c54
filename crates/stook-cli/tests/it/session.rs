//! `stook session`: each action on a small session.

use serde_json::{Value, json};
use stook_labelled::session::SaveOptions;
use stook_labelled::{Array, Axis, AxisCollection, Session, ndtest};

use crate::{Folder, Run};

/// Runs a command of words.
fn run(folder: &Folder, words: &str) -> Run {
    folder.run(&["session"].into_iter().chain(words.split(' ')).collect::<Vec<_>>())
}

fn json(folder: &Folder, words: &str) -> Value {
    serde_json::from_str(&run(folder, &format!("{words} --json")).out).unwrap()
}

fn session() -> Session {
    let axes = AxisCollection::parse("a=a0..a2;year=2020,2021").unwrap();
    let floats = Array::from_elements(axes, &[0.5, 1.0, f64::NAN, 3.0, -4.0, 1e300]).unwrap();
    let mut session = Session::new();
    session.insert("pop", floats);
    session.insert("n", 5);
    session.insert("z", Axis::parse("z=z0..z3").unwrap());
    session.insert("line", ndtest([3]).unwrap());
    session.metadata_mut().set("title", "größe");
    session
}

/// `x.h5`, and `y.h5`, in which some things are otherwise.
fn with_sessions() -> Folder {
    let folder = Folder::new();
    session().save(folder.path("x.h5"), &SaveOptions::default()).unwrap();
    let mut other = session();
    other.insert("n", 6);
    other.remove("z");
    let axes = AxisCollection::parse("a=a0..a2;year=2020,2022").unwrap();
    let floats = Array::from_elements(axes, &[0.5, 1.0, f64::NAN, 3.0, -5.0, 1e300]).unwrap();
    other.insert("pop", floats);
    other.save(folder.path("y.h5"), &SaveOptions::default()).unwrap();
    folder
}

#[test]
fn a_session_is_listed() {
    let folder = with_sessions();
    insta::assert_snapshot!(run(&folder, "ls x.h5").expect(0).out, @r#"
    line  Array  a[3]                         int64
    n     int    5
    pop   Array  a[3] year[2]                 float64
    z     Axis   z ['z0' 'z1' 'z2' 'z3'] (4)
    "#);
    let listed = json(&folder, "ls x.h5");
    assert_eq!(listed["metadata"], json!([["title", "größe"]]));
    let pop = listed["items"].as_array().unwrap().iter().find(|item| item["name"] == "pop");
    let expected =
        json!({ "name": "pop", "kind": "Array", "axes": ["a[3]", "year[2]"], "dtype": "float64" });
    assert_eq!(pop, Some(&expected));
}

#[test]
fn objects_are_shown() {
    let folder = with_sessions();
    insta::assert_snapshot!(run(&folder, "show x.h5 pop z n").expect(0).out, @r#"
    pop: a, year (3 x 2) [float64]
    a\year  2020  2021
    a0      0.5   1.0
    a1            3.0
    a2      -4.0  1e+300
    z: z ['z0' 'z1' 'z2' 'z3'] (4)
    n: 5
    "#);
    insta::assert_snapshot!(run(&folder, "show x.h5 pop --rows 1").expect(0).out, @r#"
    pop: a, year (3 x 2) [float64]
    a\year  2020  2021
    a0      0.5   1.0
    "#);
    let shown = json(&folder, "show x.h5 line");
    assert_eq!(shown, json!({ "line": [["a", "a0", "a1", "a2"], ["", "0", "1", "2"]] }));
    let missing = run(&folder, "show x.h5 nothing").expect(1);
    assert!(missing.err.contains("nothing"), "{missing}");
}

#[test]
fn a_session_is_described() {
    let folder = with_sessions();
    insta::assert_snapshot!(run(&folder, "summary x.h5").expect(0).out, @r#"
    Metadata:
    	title: größe
    line: a (3) [int64]
    n: 5
    pop: a, year (3 x 2) [float64]
    z: z ['z0' 'z1' 'z2' 'z3'] (4)
    "#);
    let lines = json(&folder, "summary x.h5");
    assert!(lines["summary"].as_array().unwrap().len() > 3, "{lines}");
}

#[test]
fn differences_are_told_and_are_a_status() {
    let folder = with_sessions();
    let same = run(&folder, "diff x.h5 x.h5").expect(0);
    assert!(same.out.is_empty(), "{same}");
    assert_eq!(json(&folder, "diff x.h5 x.h5"), json!({ "differs": false, "items": [] }));
    insta::assert_snapshot!(run(&folder, "diff x.h5 y.h5").expect(1).out, @r#"
    n: 5 | 6
    pop: year: labels only on the left: 2021
    pop: year: labels only on the right: 2022
    pop: 1 of 3 cells differ, by 1e0 at most, relatively 2e-1
      [a2, 2020]  -4.0  -5.0
    z: only on the left
    "#);
    let told = json(&folder, "diff x.h5 y.h5");
    assert_eq!(told["differs"], true);
    let pop = told["items"].as_array().unwrap().iter().find(|item| item["name"] == "pop").unwrap();
    assert_eq!(pop["labels_only"], json!([[["year", ["2021"]]], [["year", ["2022"]]]]));
    assert_eq!((&pop["compared"], &pop["different"]), (&json!(3), &json!(1)));
    assert_eq!(pop["cells"][0]["labels"], json!(["a2", "2020"]));
}

#[test]
fn numbers_may_be_apart() {
    let folder = Folder::new();
    for (name, number) in [("x.pkl", 1.0), ("y.pkl", 1.000_001)] {
        let axes = AxisCollection::parse("a=a0").unwrap();
        let array = Array::from_elements(axes, &[number]).unwrap();
        let session: Session = [("x", array)].into_iter().collect();
        session.save(folder.path(name), &SaveOptions::default()).unwrap();
    }
    run(&folder, "diff x.pkl y.pkl").expect(1);
    run(&folder, "diff x.pkl y.pkl --rtol 1e-5").expect(0);
    run(&folder, "diff x.pkl y.pkl --atol 1e-5").expect(0);
    run(&folder, "diff x.pkl y.pkl --atol 1e-7").expect(1);
}

#[test]
fn a_session_goes_through_every_format() {
    let folder = with_sessions();
    let mut last = "x.h5".to_owned();
    for next in ["a.pkl", "b.zarr", "c.arrow", "d.parquet", "e.xlsx", "f", "g.h5"] {
        let done = run(&folder, &format!("convert {last} {next} --sidecar")).expect(0);
        assert_eq!(done.out, "4 objects saved\n", "{next}");
        last = next.to_owned();
    }
    run(&folder, "diff x.h5 g.h5").expect(0);
    let lost = run(&folder, "convert x.h5 plain").expect(0);
    insta::assert_snapshot!(lost.out, @r#"
    2 objects saved
    not kept: `n`: csv files hold arrays, and this is a int
    not kept: `z`: csv files hold arrays, and this is a Axis
    "#);
    let told = json(&folder, "convert x.h5 other.xlsx");
    assert_eq!(told["not_kept"].as_array().unwrap().len(), 2, "{told}");
}

#[test]
fn narrow_tables_are_written_and_read() {
    let folder = with_sessions();
    run(&folder, "convert x.h5 narrow --narrow").expect(0);
    let text = std::fs::read_to_string(folder.path("narrow/line.csv")).unwrap();
    assert_eq!(text, "a,value\na0,0\na1,1\na2,2\n");
    run(&folder, "convert narrow wide.h5 --from-narrow").expect(0);
    assert_eq!(json(&folder, "show wide.h5 line"), json(&folder, "show x.h5 line"));
}

#[test]
fn what_is_there_stays_unless_it_is_to_go() {
    let folder = with_sessions();
    let before = std::fs::read(folder.path("y.h5")).unwrap();
    let refused = run(&folder, "convert x.h5 y.h5").expect(1);
    assert!(refused.err.contains("--force"), "{refused}");
    assert_eq!(std::fs::read(folder.path("y.h5")).unwrap(), before);
    run(&folder, "convert x.h5 y.h5 --force").expect(0);
    run(&folder, "diff x.h5 y.h5").expect(0);
}

#[test]
fn what_is_no_session_is_an_error() {
    let folder = with_sessions();
    std::fs::write(folder.path("broken.h5"), "no HDF5").unwrap();
    std::fs::write(folder.path("broken.parquet"), "no table").unwrap();
    for words in [
        "ls nowhere.h5",
        "ls x.txt",
        "ls broken.h5",
        "show broken.parquet",
        "diff x.h5 nowhere.pkl",
        "convert nowhere.h5 y.pkl",
        "convert x.h5 missing/y.pkl",
        "summary broken.h5",
    ] {
        let failed = run(&folder, words).expect(1);
        assert!(failed.err.starts_with("error: ") && failed.out.is_empty(), "{words}: {failed}");
        assert!(!folder.path("y.pkl").exists(), "{words}");
    }
    run(&folder, "nothing x.h5").expect(2);
}
