//! Differences, against a naive model.

use std::sync::Arc;

use proptest::prelude::*;
use stook::diff::{DiffOptions, DiffReport, ElementDiff, Side, What, diff};
use stook::dtype::StructType;
use stook::{DType, Element, Engine, EngineConfig, File, Link, Selection, Values};

/// A tree in memory with one array, cut into chunks.
fn tree<T: Element>(chunks: &[u64], shape: &[u64], items: &[T]) -> File {
    let file = File::in_memory().unwrap();
    let file = file.with_engine(Engine::new(EngineConfig::default().threads(2)));
    let builder = file.root_group().unwrap().array("a").dtype(T::DTYPE).shape(shape);
    let array = builder.chunks(chunks).create().unwrap();
    array.write_elements(&Selection::All, shape, items).unwrap();
    file
}

fn differ(a: &File, b: &File, mut options: DiffOptions<'_>) -> DiffReport {
    options.memory_len_bytes = 500;
    diff(&a.root().unwrap(), &b.root().unwrap(), &mut options).unwrap()
}

/// The differences, a line each.
fn shown(report: &DiffReport) -> Vec<String> {
    report.found.iter().map(|found| format!("{} {:?}", found.node, found.what)).collect()
}

fn elements(report: &DiffReport) -> ElementDiff {
    match &report.found[..] {
        [] => ElementDiff::default(),
        [one] => match &one.what {
            What::Elements(found) => found.clone(),
            other => panic!("elements, not {other:?}"),
        },
        _ => panic!("one difference, not {:?}", shown(report)),
    }
}

proptest! {
    #[test]
    fn elements_differ_as_a_loop_would_have_them(
        pairs in prop::collection::vec(
            (-100.0..100.0_f64, prop_oneof![3 => Just(0.0), 1 => -1.0..1.0_f64, 1 => Just(f64::NAN)]),
            1..200,
        ),
        chunks in (1..30_u64, 1..30_u64),
        absolute in prop_oneof![Just(0.0), 0.0..1.0_f64],
        relative in prop_oneof![Just(0.0), 0.0..0.1_f64],
    ) {
        let x: Vec<f64> = pairs.iter().map(|(x, _)| *x).collect();
        let y: Vec<f64> = pairs.iter().map(|(x, d)| x + d).collect();
        let shape = [x.len() as u64];
        let (a, b) = (tree(&[chunks.0], &shape, &x), tree(&[chunks.1], &shape, &y));
        let options = DiffOptions {
            absolute_tolerance: absolute, relative_tolerance: relative, ..Default::default()
        };
        let report = differ(&a, &b, options);
        let found = elements(&report);
        let differing: Vec<usize> = (0..x.len())
            .filter(|&i| x[i] != y[i])
            .filter(|&i| (x[i] - y[i]).abs().partial_cmp(&(absolute + relative * y[i].abs()))
                != Some(std::cmp::Ordering::Less)
                && (x[i] - y[i]).abs() != absolute + relative * y[i].abs())
            .collect();
        prop_assert_eq!(found.n, differing.len() as u64);
        prop_assert_eq!(report.is_equal(), differing.is_empty());
        let first: Vec<u64> = found.first.iter().map(|cell| cell.at.index[0]).collect();
        let expected: Vec<u64> = differing.iter().take(5).map(|&i| i as u64).collect();
        prop_assert_eq!(first, expected);
        let largest = differing.iter().map(|&i| (x[i] - y[i]).abs()).filter(|d| !d.is_nan());
        let largest = largest.fold(None, |most: Option<f64>, d| Some(most.map_or(d, |m| m.max(d))));
        prop_assert_eq!(found.largest_absolute.map(|(largest, _)| largest), largest);
    }
}

#[test]
fn numbers_of_two_types_are_compared_by_value() {
    let a = tree(&[2], &[4], &[1_u8, 2, 3, 4]);
    let b = tree(&[3], &[4], &[1.0_f32, 2.0, 3.5, 4.0]);
    let report = differ(&a, &b, DiffOptions::default());
    insta::assert_debug_snapshot!(shown(&report), @r#"
    [
        "/a DType { a: UInt8, b: Float32 }",
        "/a Elements(ElementDiff { n: 1, n_elements: 4, largest_absolute: Some((0.5, Place { index: [2], member: \"\" })), largest_relative: Some((0.14285714285714285, Place { index: [2], member: \"\" })), first: [Cell { at: Place { index: [2], member: \"\" }, a: Number(3), b: Number(3.5) }] })",
    ]
    "#);
    let options = || DiffOptions { ignore_dtypes: true, ..Default::default() };
    assert_eq!(elements(&differ(&a, &b, options())).n, 1);
    let wide = DiffOptions { absolute_tolerance: 0.5, ..options() };
    assert!(differ(&a, &b, wide).is_equal());
}

#[test]
fn nan_is_nan_unless_asked_otherwise() {
    let items = [f32::NAN, 1.0];
    let (a, b) = (tree(&[2], &[2], &items), tree(&[1], &[2], &items));
    assert!(differ(&a, &b, DiffOptions::default()).is_equal());
    let strict = DiffOptions { nan_differs: true, ..Default::default() };
    assert_eq!(elements(&differ(&a, &b, strict)).n, 1);
}

#[test]
fn structure_and_attributes_are_told_apart() {
    let (a, b) = (tree(&[2], &[2], &[1_u8, 2]), tree(&[1, 2], &[1, 2], &[1_u8, 2]));
    for (file, name) in [(&a, "left"), (&b, "right")] {
        let group = file.root_group().unwrap().create_group(name).unwrap();
        group.file().root_group().unwrap().set_attribute(name, serde_json::json!(1)).unwrap();
        file.root_group().unwrap().set_attribute("x", serde_json::json!([name, 1.0])).unwrap();
        file.root_group().unwrap().set_attribute("same", serde_json::json!(1)).unwrap();
    }
    let report = differ(&a, &b, DiffOptions::default());
    insta::assert_debug_snapshot!(shown(&report), @r#"
    [
        "/ Attribute { name: \"left\", a: Some(Number(1)), b: None }",
        "/ Attribute { name: \"x\", a: Some(Array [String(\"left\"), Number(1.0)]), b: Some(Array [String(\"right\"), Number(1.0)]) }",
        "/ Attribute { name: \"right\", a: None, b: Some(Number(1)) }",
        "/a Shape { a: Shape([2]), b: Shape([1, 2]) }",
        "/left Only(A)",
        "/right Only(B)",
    ]
    "#);
    let without = DiffOptions { ignore_attributes: true, ..Default::default() };
    assert_eq!(differ(&a, &b, without).found.len(), 3);
    let few = differ(&a, &b, DiffOptions { most: 2, ..Default::default() });
    assert_eq!((few.found.len(), few.n_more), (2, 4));
    assert_eq!(Side::A, Side::A);
}

#[test]
fn layout_counts_on_request() {
    let (a, b) = (tree(&[2], &[4], &[0_u8; 4]), tree(&[3], &[4], &[0_u8; 4]));
    assert!(differ(&a, &b, DiffOptions::default()).is_equal());
    let report = differ(&a, &b, DiffOptions { layout: true, ..Default::default() });
    assert!(matches!(report.found[..], [ref one] if matches!(one.what, What::Layout { .. })));
}

#[test]
fn texts_and_members_differ_by_value() {
    let folder = tempfile::tempdir().unwrap();
    let members = [("id", DType::fixed_bytes(3)), ("n", DType::Int8)];
    let members = members.map(|(name, dtype)| (name.to_owned(), dtype));
    let dtype = DType::Struct(Arc::new(StructType::packed(members).unwrap()));
    let file = |name: &str, items: &[u8], texts: [&str; 2]| {
        let file = File::create(folder.path().join(name)).unwrap();
        let root = file.root_group().unwrap();
        let table = root.array("t").dtype(dtype.clone()).shape([2]).create().unwrap();
        let values = Values::new(dtype.clone(), vec![2], items.to_vec(), Vec::new()).unwrap();
        table.write(&Selection::All, &values).unwrap();
        let names = root.array("s").dtype(DType::string()).shape([2]).create().unwrap();
        names.write(&Selection::All, &Values::from_strings(vec![2], &texts).unwrap()).unwrap();
        file.commit().unwrap();
        file
    };
    let a = file("a.h5", b"ab\0\x01abc\x02", ["x", "y"]);
    let b = file("b.h5", b"ab\0\x03abd\x02", ["x", "z"]);
    b.root_group().unwrap().create_link("l", &Link::Soft("/t".to_owned())).unwrap();
    let report = differ(&a, &b, DiffOptions::default());
    insta::assert_debug_snapshot!(shown(&report), @r#"
    [
        "/l Only(B)",
        "/s Elements(ElementDiff { n: 1, n_elements: 2, largest_absolute: None, largest_relative: None, first: [Cell { at: Place { index: [1], member: \"\" }, a: String(\"y\"), b: String(\"z\") }] })",
        "/t Elements(ElementDiff { n: 2, n_elements: 2, largest_absolute: Some((2.0, Place { index: [0], member: \"n\" })), largest_relative: Some((0.6666666666666666, Place { index: [0], member: \"n\" })), first: [Cell { at: Place { index: [0], member: \"n\" }, a: Number(1), b: Number(3) }, Cell { at: Place { index: [1], member: \"id\" }, a: String(\"abc\"), b: String(\"abd\") }] })",
    ]
    "#);
}
