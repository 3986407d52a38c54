//! Conversions there and back.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use stook::dtype::{Field, StructType};
use stook::{
    AttributeValue, ConvertOptions, DType, ErrorKind, File, Link, Progress, Selection, Values,
    compare, convert,
};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/pbmc68k_reduced.h5ad");

fn differences(a: &Path, b: &Path) -> Vec<String> {
    let (a, b) = (File::open(a).unwrap(), File::open(b).unwrap());
    let found = compare(&a.root().unwrap(), &b.root().unwrap(), 64 << 20, 100).unwrap();
    found
        .into_iter()
        .map(|difference| format!("{}: {}", difference.node, difference.what))
        .collect()
}

#[test]
fn a_real_file_goes_through_every_tree_format_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut source = Path::new(SAMPLE).to_path_buf();
    for name in ["1.zarr", "2.h5", "3.zarr.zip", "4.h5"] {
        let target = dir.path().join(name);
        let report = convert(&source, &target, &mut ConvertOptions::default()).unwrap();
        assert!(report.left_out.is_empty() && report.n_arrays > 5, "{name}: {report:?}");
        assert_eq!(differences(&source, &target), Vec::<String>::new(), "{name}");
        source = target;
    }
    assert_eq!(differences(Path::new(SAMPLE), &source), Vec::<String>::new());
}

fn small(path: &Path) -> File {
    let file = File::create(path).unwrap();
    let root = file.root_group().unwrap();
    let x = root.array("g/x").dtype(DType::UInt16).shape([40, 30]).chunks([8, 8]).create().unwrap();
    let elements: Vec<u16> = (0..1200).collect();
    x.write_elements(&Selection::All, &[40, 30], &elements).unwrap();
    x.set_attribute("scale", AttributeValue::Json(json!([1, 2.5]))).unwrap();
    let texts = Values::from_strings(vec![2], &["a", "b"]).unwrap();
    root.array("t")
        .dtype(DType::string())
        .shape([2])
        .create()
        .unwrap()
        .write(&Selection::All, &texts)
        .unwrap();
    file.commit().unwrap();
    file
}

#[test]
fn a_tight_budget_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.zarr");
    small(&path);
    let mut seen = Vec::new();
    let mut progress = |progress: &Progress| {
        seen.push(progress.done_len_bytes);
        Ok(())
    };
    let mut options = ConvertOptions {
        memory_len_bytes: 1000,
        progress: Some(&mut progress),
        ..ConvertOptions::default()
    };
    convert(&path, dir.path().join("b.h5"), &mut options).unwrap();
    assert!(seen.is_sorted() && seen.len() > 5);
    assert_eq!(differences(&path, &dir.path().join("b.h5")), Vec::<String>::new());
}

#[test]
fn a_conversion_that_ends_early_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.zarr");
    small(&path);
    for target in ["b.h5", "b.zarr", "b.zarr.zip"] {
        let mut progress = |progress: &Progress| match progress.done_len_bytes {
            0 => Ok(()),
            _ => Err(stook::Error::invalid("enough")),
        };
        let mut options = ConvertOptions {
            memory_len_bytes: 1000,
            progress: Some(&mut progress),
            ..ConvertOptions::default()
        };
        let error = convert(&path, dir.path().join(target), &mut options).unwrap_err();
        assert_eq!(error.message(), "enough");
        let left: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["a.zarr"]);
    }
}

#[test]
fn what_a_target_cannot_hold_is_refused_or_reported() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.h5");
    let root = small(&path).root_group().unwrap();
    root.create_link("alias", &Link::Soft("/g/x".to_owned())).unwrap();
    root.file().commit().unwrap();
    let target = dir.path().join("b.npy");
    let error = convert(&path, &target, &mut ConvertOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(!target.exists());
    let report = convert(&path, dir.path().join("b.zarr"), &mut ConvertOptions::default()).unwrap();
    let losses: Vec<_> =
        report.losses.iter().map(|l| (l.node.as_str(), l.loss.what.as_str())).collect();
    assert!(losses.contains(&("/alias", "link to /g/x")), "{losses:?}");
}

#[test]
fn the_same_format_is_copied_chunk_by_chunk() {
    let dir = tempfile::tempdir().unwrap();
    for (from, to) in [("a.zarr", "b.zarr"), ("a.h5", "b.h5")] {
        let (from, to) = (dir.path().join(from), dir.path().join(to));
        small(&from);
        let report = convert(&from, &to, &mut ConvertOptions::default()).unwrap();
        assert_eq!(
            (report.n_groups, report.n_arrays, report.losses.len()),
            (2, 2, 0),
            "{report:?}"
        );
        assert_eq!(differences(&from, &to), Vec::<String>::new());
    }
}

#[test]
fn differences_are_found_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a.zarr"), dir.path().join("b.h5"));
    small(&a);
    let file = small(&b);
    let x = file.array("g/x").unwrap();
    x.write_elements(&Selection::parse("3, 4").unwrap(), &[], &[7_u16]).unwrap();
    x.set_attribute("scale", AttributeValue::Json(json!([1, 2]))).unwrap();
    file.root_group().unwrap().remove("t").unwrap();
    file.commit().unwrap();
    drop((x, file));
    let mut found = differences(&a, &b);
    found.sort();
    assert_eq!(
        found,
        [
            "/g/x: 1 elements differ in the first block that does; first 94 here, 7 there",
            "/g/x: attribute `scale`: [1,2.5] here, [1,2] there",
            "/t: missing there",
        ]
    );
}

#[test]
fn every_hdf5_fixture_survives_a_round_trip() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../stook-hdf5/tests/fixtures");
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(fixtures).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "h5") {
            continue;
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let copy = dir.path().join(format!("{name}.h5"));
        convert(&path, &copy, &mut ConvertOptions { leave_out: true, ..ConvertOptions::default() })
            .unwrap();
        let zarr = dir.path().join(format!("{name}.zarr"));
        let back = dir.path().join(format!("{name}-back.h5"));
        let report = convert(
            &copy,
            &zarr,
            &mut ConvertOptions { leave_out: true, ..ConvertOptions::default() },
        );
        let report = report.unwrap();
        let names = report.losses.into_iter().filter(|lost| lost.loss.what.starts_with("link"));
        let left_out: Vec<_> =
            report.left_out.into_iter().chain(names).map(|left| left.node.to_string()).collect();
        convert(&zarr, &back, &mut ConvertOptions::default()).unwrap();
        let found = differences(&zarr, &back);
        assert_eq!(found, Vec::<String>::new(), "{name}");
        let lost: Vec<_> = differences(&copy, &back)
            .into_iter()
            .filter(|difference| {
                !left_out.iter().any(|node| difference.starts_with(&format!("{node}:")))
            })
            .collect();
        assert_eq!(lost, Vec::<String>::new(), "{name}, left out {left_out:?}");
    }
}

#[test]
fn a_chunk_that_skips_a_filter_is_copied_by_its_values() {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/../stook-hdf5/tests/fixtures/filters.h5");
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy.h5");
    let mut options = ConvertOptions { leave_out: true, ..ConvertOptions::default() };
    let report = convert(fixture, &copy, &mut options).unwrap();
    let left_out: Vec<_> = report.left_out.iter().map(|left| left.node.as_str()).collect();
    assert!(!left_out.contains(&"/skipped"), "{left_out:?}");
    let read = |path: &Path| {
        File::open(path).unwrap().array("skipped").unwrap().read(&Selection::All).unwrap()
    };
    assert_eq!(read(&copy), read(Path::new(fixture)));
}

#[test]
fn a_second_name_of_a_node_is_compared_with_what_it_faces() {
    let dir = tempfile::tempdir().unwrap();
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/../stook-hdf5/tests/fixtures/links.h5");
    let copy = dir.path().join("copy.h5");
    convert(fixture, &copy, &mut ConvertOptions::default()).unwrap();
    // `/hard` and `/group/data` are one node in the fixture, and two here.
    let root = File::open_read_write(&copy).unwrap().root_group().unwrap();
    root.remove("group/data").unwrap();
    root.array("group/data").dtype(DType::Float32).shape([7, 5]).create().unwrap();
    root.file().commit().unwrap();
    drop(root);
    let found = differences(Path::new(fixture), &copy);
    assert!(found.len() == 1 && found[0].starts_with("/group/data: "), "{found:?}");
}

#[test]
fn links_of_a_part_lead_to_where_it_lies_now() {
    let dir = tempfile::tempdir().unwrap();
    let (path, part) = (dir.path().join("a.h5"), dir.path().join("part.h5"));
    let root = small(&path).root_group().unwrap();
    for (name, target) in [("g/alias", "/g/x"), ("g/near", "x"), ("g/out", "/t")] {
        root.create_link(name, &Link::Soft(target.to_owned())).unwrap();
    }
    root.file().commit().unwrap();
    drop(root);
    let node = stook::NodePath::parse("/g").unwrap();
    let mut options = ConvertOptions { node, ..ConvertOptions::default() };
    let report = convert(&path, &part, &mut options).unwrap();
    let root = File::open(&part).unwrap().root_group().unwrap();
    for name in ["alias", "near"] {
        assert_eq!(root.open_array(name).unwrap().shape(), [40, 30], "{name}");
    }
    assert!(root.children().unwrap().iter().all(|child| child.name != "out"));
    let losses: Vec<_> =
        report.losses.iter().map(|l| (l.node.as_str(), l.loss.what.as_str())).collect();
    assert_eq!(losses, [("/g/out", "link to /t")]);
}

#[test]
fn padding_is_not_compared() {
    let dir = tempfile::tempdir().unwrap();
    let field = |name: &str, offset| Field { name: name.to_owned(), dtype: DType::UInt8, offset };
    let fields = vec![field("a", 0), field("b", 2)];
    let dtype = DType::Struct(Arc::new(StructType { fields, size: 4 }));
    let make = |name: &str, items: [u8; 4]| {
        let path = dir.path().join(name);
        let root = File::create(&path).unwrap().root_group().unwrap();
        let array = root.array("x").dtype(dtype.clone()).shape([1]).chunks([1]).create().unwrap();
        let values = Values::new(dtype.clone(), vec![1], items.to_vec(), vec![]).unwrap();
        array.write(&Selection::All, &values).unwrap();
        root.file().commit().unwrap();
        path
    };
    let (a, b) = (make("a.h5", [1, 0, 2, 0]), make("b.h5", [1, 9, 2, 9]));
    assert_eq!(differences(&a, &b), Vec::<String>::new());
    assert_eq!(differences(&a, &make("c.h5", [1, 0, 3, 0])).len(), 1);
}
