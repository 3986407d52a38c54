//! Files of old versions and of other writers: they open, and are mended.

use std::path::Path;
use std::sync::Arc;

use stook::dtype::{EnumType, StructType};
use stook::{DType, File, Selection, Values};
use stook_loom::validate::{Level, validate};
use stook_loom::{Addition, Axis, Loom, SpecVersion, numbers};

use crate::support::{all, bytes, column, matrix, scratch, texts};

fn fixed(width: usize, words: &[&str]) -> Values {
    let mut items = Vec::new();
    for word in words {
        items.extend_from_slice(word.as_bytes());
        items.resize(items.len() + width - word.len(), 0);
    }
    Values::new(DType::fixed_bytes(width), vec![words.len() as u64], items, Vec::new()).unwrap()
}

fn put(file: &File, path: &str, values: &Values) {
    let root = file.root_group().unwrap();
    let array = root.array(path).dtype(values.dtype().clone()).shape(values.shape());
    array.create().unwrap().write(&Selection::All, values).unwrap();
}

/// A file as version 2 has it, contiguous and without layers; `version` is its attribute.
fn old(path: &Path, version: Option<Values>) {
    let file = File::create_with(
        path,
        &stook::CreateOptions { readers: stook::Readers::Oldest, ..Default::default() },
    )
    .unwrap();
    put(&file, "matrix", &matrix(2, 3));
    put(&file, "row_attrs/Gene", &fixed(12, &["Actb", "&#233;&amp;"]));
    put(&file, "col_attrs/CellID", &fixed(1, &["a", "b", "c"]));
    put(&file, "col_edges/KNN/a", &numbers(vec![2], &[0.0_f64, 2.0]).unwrap());
    put(&file, "col_edges/KNN/b", &numbers(vec![2], &[1.0_f64, 1.0]).unwrap());
    put(&file, "col_edges/KNN/w", &numbers(vec![2], &[1.0_f64, 2.0]).unwrap());
    put(&file, "tiles/00z_0001", &matrix(2, 2));
    if let Some(version) = version {
        file.root_group().unwrap().set_attribute("LOOM_SPEC_VERSION", version).unwrap();
    }
    file.root_group().unwrap().set_attribute("title", fixed(10, &["caf&#233;"])).unwrap();
    file.commit().unwrap();
}

#[test]
fn an_old_file_reads_as_it_is_and_is_upgraded_when_written() {
    for version in [None, Some(Values::text("2.0.1")), Some(texts(&["2.0.1"]))] {
        let (_folder, path) = scratch();
        old(&path, version.clone());
        let before = bytes(&path);
        let loom = Loom::open(&path).unwrap();
        let expected = if version.is_some() { "2.0.1" } else { "0.0.0" };
        assert_eq!(loom.version().unwrap(), expected.parse::<SpecVersion>().unwrap());
        assert_eq!(loom.attributes(Axis::Rows).get("Gene").unwrap(), texts(&["Actb", "é&"]));
        assert_eq!(loom.graphs(Axis::Columns).names().unwrap(), ["KNN"]);
        assert_eq!(loom.graphs(Axis::Columns).get("KNN").unwrap().a(), [0, 2]);
        assert_eq!(loom.file_attributes().get("title").unwrap().text_at(0).unwrap(), "café");
        drop(loom);
        assert_eq!(bytes(&path), before);

        let loom = Loom::open_read_write(&path).unwrap();
        assert!(loom.file().unwrap().group("/col_graphs/KNN").is_ok());
        assert!(loom.file().unwrap().node("/col_edges").is_err());
        // What is written follows the version of the file.
        loom.attributes(Axis::Columns).set("Name", &texts(&["é", "&amp;", "x"])).unwrap();
        assert_eq!(column(&loom, "Name"), texts(&["é", "&amp;", "x"]));
        let stored = loom.file().unwrap().array("/col_attrs/Name").unwrap();
        assert!(matches!(stored.dtype(), DType::FixedString(_)));
        loom.file_attributes().set("Lab", &Values::text("Zürich")).unwrap();
        assert_eq!(loom.file_attributes().get("Lab").unwrap().text_at(0).unwrap(), "Zürich");
        loom.permute(Axis::Columns, &[2, 1, 0]).unwrap();
        assert!(loom.file().unwrap().node("/tiles").is_err());
        assert_eq!(column(&loom, "CellID"), texts(&["c", "b", "a"]));
        loom.repair().unwrap();
        loom.close().unwrap();
        let report = validate(&path, Level::Specification).unwrap();
        assert!(report.is_valid(), "{:?}", report.errors);
    }
}

#[test]
fn columns_are_added_to_a_matrix_that_cannot_grow() {
    let (_folder, path) = scratch();
    old(&path, None);
    let loom = Loom::open_read_write(&path).unwrap();
    let more = numbers(vec![2, 1], &[7.0_f32, 8.0]).unwrap();
    let addition = Addition::new().layer("", &more).attribute("CellID", texts(&["dé"]));
    loom.add(Axis::Columns, addition).unwrap();
    assert_eq!(column(&loom, "CellID"), texts(&["a", "b", "c", "dé"]));
    assert_eq!(all(&loom, "").shape(), [2, 4]);
    let max = loom.layer("").unwrap().array().unwrap().spec().max_shape.clone();
    assert_eq!(max.unwrap()[1], None);
}

fn foreign(path: &Path) {
    let file = File::create(path).unwrap();
    put(&file, "matrix", &matrix(2, 3));
    put(&file, "attrs/LOOM_SPEC_VERSION", &texts(&["3.0.0"]));
    put(&file, "row_attrs/Gene", &fixed(2, &["a", "bc"]));
    // h5py's truth values are enumerations of bytes, R's of 32-bit integers.
    let truth = Values::new(DType::Bool, vec![3], vec![1, 0, 1], Vec::new()).unwrap();
    let members = vec![("FALSE".into(), 0), ("TRUE".into(), 1)];
    let logical = DType::Enum(Arc::new(EnumType { base: DType::Int32, members }));
    let items = [0_i32, 1, 1].iter().flat_map(|x| x.to_ne_bytes()).collect();
    put(&file, "col_attrs/Kept", &Values::new(logical, vec![3], items, Vec::new()).unwrap());
    let members = vec![("B cell".into(), 0), ("T cell".into(), 1)];
    let kind = DType::Enum(Arc::new(EnumType { base: DType::UInt8, members }));
    put(&file, "col_attrs/Kind", &Values::new(kind, vec![3], vec![1, 0, 1], Vec::new()).unwrap());
    put(&file, "col_attrs/Valid", &truth);
    let members = [("x".to_owned(), DType::Int16), ("s".to_owned(), DType::fixed_bytes(2))];
    let dtype = DType::Struct(Arc::new(StructType::packed(members).unwrap()));
    let items = [1_i16, 2, 3].iter().zip(["p", "qr", "s"]).flat_map(|(x, s)| {
        let mut item = x.to_ne_bytes().to_vec();
        item.extend_from_slice(s.as_bytes());
        item.resize(4, 0);
        item
    });
    let compound = Values::new(dtype, vec![3], items.collect(), Vec::new()).unwrap();
    put(&file, "col_attrs/Pos", &compound);
    put(&file, "col_graphs/G/a", &numbers(vec![1], &[0.0_f64]).unwrap());
    put(&file, "col_graphs/G/b", &numbers(vec![1], &[2.0_f64]).unwrap());
    put(&file, "col_graphs/G/w", &numbers(vec![1], &[3_i32]).unwrap());
    file.commit().unwrap();
}

#[test]
fn what_other_writers_do_is_named_and_mended() {
    let (_folder, path) = scratch();
    foreign(&path);
    let report = validate(&path, Level::Specification).unwrap();
    assert!(!report.is_valid());
    for what in ["/col_attrs/Valid", "/col_attrs/Pos", "/row_attrs/Gene", "/col_graphs/G/a", "G/w"]
    {
        assert!(report.errors.iter().any(|error| error.contains(what)), "{what}: {report:?}");
    }
    let loom = Loom::open_read_write(&path).unwrap();
    assert_eq!(loom.attributes(Axis::Rows).get("Gene").unwrap(), texts(&["a", "bc"]));
    loom.permute(Axis::Columns, &[0, 2, 1]).unwrap();
    let repaired = loom.repair().unwrap();
    assert!(repaired.changes.len() >= 6, "{repaired:?}");
    assert_eq!(column(&loom, "Valid"), numbers(vec![3], &[1_u8, 1, 0]).unwrap());
    assert_eq!(column(&loom, "Kept"), numbers(vec![3], &[0_u8, 1, 1]).unwrap());
    assert_eq!(column(&loom, "Kind"), texts(&["T cell", "T cell", "B cell"]));
    assert_eq!(column(&loom, "Pos.x"), numbers(vec![3], &[1_i16, 3, 2]).unwrap());
    assert_eq!(column(&loom, "Pos.s"), texts(&["p", "s", "qr"]));
    assert_eq!(loom.graphs(Axis::Columns).get("G").unwrap().b(), [1]);
    assert_eq!(loom.repair().unwrap().changes, Vec::<String>::new());
    loom.close().unwrap();
    let report = validate(&path, Level::Specification).unwrap();
    assert!(report.is_valid(), "{:?}", report.errors);
}

#[test]
fn attributes_of_other_writers_are_joined_to_plain_ones() {
    let (_folder, path) = scratch();
    foreign(&path);
    let loom = Loom::open_read_write(&path).unwrap();
    let more = numbers(vec![2, 1], &[7.0_f32, 8.0]).unwrap();
    let truth = Values::new(DType::Bool, vec![1], vec![1], Vec::new()).unwrap();
    loom.add(Axis::Columns, Addition::new().layer("", &more).attribute("Valid", truth)).unwrap();
    assert_eq!(column(&loom, "Valid"), numbers(vec![4], &[1_u8, 0, 1, 1]).unwrap());
}
