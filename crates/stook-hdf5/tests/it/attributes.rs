//! Attributes, read from other tools' files and written.

use serde_json::json;
use stook_core::container::Container;
use stook_core::{ArraySpec, AttributeEdits, AttributeValue, Attributes, DType, ErrorKind, Values};
use stook_hdf5::{CreateOptions, Hdf5File, Readers};

use crate::support::{array, node, open, open_again, scratch};

#[track_caller]
fn values<'a>(attributes: &'a Attributes, name: &str) -> &'a Values {
    match attributes.get(name) {
        Some(AttributeValue::Values(values)) => values,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn attributes_of_every_kind_are_read() {
    let attributes = open("attributes.h5").attributes(&node("/")).unwrap();
    let ne = |name| values(&attributes, name).items().to_vec();
    assert_eq!(ne("int"), 5_i32.to_ne_bytes());
    assert_eq!(values(&attributes, "floats").shape(), [2, 2]);
    assert_eq!(ne("big"), [1_i16, 2].map(i16::to_ne_bytes).concat());
    assert_eq!(values(&attributes, "text").text_at(0).unwrap(), "é");
    assert_eq!(values(&attributes, "texts").text_at(1).unwrap(), "bc");
    assert_eq!(values(&attributes, "bytes").text_at(0).unwrap(), "fixed");
    assert_eq!(values(&attributes, "bool").dtype(), &DType::Bool);
    assert_eq!(attributes.get("null"), Some(&AttributeValue::Null(DType::Float32)));
    assert_eq!(values(&attributes, "none").shape(), [0]);
    assert_eq!(values(&attributes, "struct").dtype().to_string(), "{a: int32, b: float64}");
    assert_eq!(values(&attributes, "complex").dtype(), &DType::Complex128);
    assert_eq!(values(&attributes, "reference").text_at(0).unwrap(), "/data");
    assert_eq!(values(&attributes, "references").text_at(1).unwrap(), "/");
}

#[test]
fn the_order_of_creation_is_kept_where_it_is_known() {
    let attributes = open("attributes.h5").attributes(&node("many")).unwrap();
    let names: Vec<_> = attributes.iter().map(|(name, _)| name).collect();
    assert_eq!((names[0], names[19]), ("z19", "z00"));
}

#[test]
fn large_attributes_are_read() {
    let attributes = open("dense.h5").attributes(&node("/")).unwrap();
    assert_eq!(attributes.len(), 31);
    assert_eq!(values(&attributes, "large").items().len(), 70_000);
}

#[test]
fn names_of_axes_are_a_part_of_the_array() {
    let file = open("attributes.h5");
    let spec = array(&file, "data").spec();
    assert_eq!(spec.dimension_names, Some(vec![Some("row".into()), None]));
    let attributes = file.attributes(&node("data")).unwrap();
    assert_eq!(attributes.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["units"]);
}

#[test]
fn what_is_written_is_read_again() {
    let (_dir, path, file) = scratch();
    let mut from = open("attributes.h5").attributes(&node("/")).unwrap();
    file.create_array(&node("data"), &ArraySpec::new(DType::Int8, [1])).unwrap();
    let large = Values::new(DType::UInt8, vec![100_000], vec![7; 100_000], vec![]).unwrap();
    from.set("large", large);
    let edits = from
        .iter()
        .fold(AttributeEdits::new(), |edits, (name, value)| edits.set(name, value.clone()));
    file.edit_attributes(&node("/"), &edits).unwrap();
    drop(file);
    let file = open_again(&path);
    assert_eq!(file.attributes(&node("/")).unwrap(), from);
    let edits = AttributeEdits::new().remove("large").set("text", json!("new")).set("n", json!(1));
    file.edit_attributes(&node("/"), &edits).unwrap();
    let attributes = file.attributes(&node("/")).unwrap();
    assert_eq!(values(&attributes, "text").text_at(0).unwrap(), "new");
    assert!(attributes.get("large").is_none());
    assert_eq!(values(&attributes, "n").dtype(), &DType::Int64);
    file.edit_attributes(&node("/"), &AttributeEdits::new().clear()).unwrap();
    assert!(file.attributes(&node("/")).unwrap().is_empty());
}

#[test]
fn edits_that_fail_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let options = CreateOptions { readers: Readers::Oldest, ..CreateOptions::default() };
    let file = Hdf5File::create(dir.path().join("x.h5"), &options).unwrap();
    let root = node("/");
    file.edit_attributes(&root, &AttributeEdits::new().set("a", json!(1))).unwrap();
    let before = file.attributes(&root).unwrap();
    let large = Values::new(DType::UInt8, vec![100_000], vec![7; 100_000], vec![]).unwrap();
    let edits = AttributeEdits::new().clear().set("a", json!(2)).set("b", json!(3)).set("l", large);
    let error = file.edit_attributes(&root, &edits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.message().contains("`l`") && error.message().contains("64 KiB"), "{error}");
    assert_eq!(file.attributes(&root).unwrap(), before);
    let edits = AttributeEdits::new().set("a", Values::text("a\0b"));
    assert_eq!(file.edit_attributes(&root, &edits).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(file.attributes(&root).unwrap(), before);
    let text = AttributeValue::Values(Values::text("a\0b"));
    assert_eq!(file.adapt_attribute("t", &text).unwrap_err().kind(), ErrorKind::Unsupported);
    let json = AttributeValue::Json(json!("a\0b"));
    assert_eq!(file.adapt_attribute("t", &json).unwrap().losses.len(), 1);
}

#[test]
fn references_may_be_written_before_what_they_name() {
    let (_dir, path, file) = scratch();
    let reference = |path: &str| {
        let (_, shape, items, heap) = Values::text(path).into_parts();
        Values::new(DType::Reference, shape, items, heap).unwrap()
    };
    let edits = AttributeEdits::new()
        .set("later", reference("/group/data"))
        .set("never", reference("/nothing"));
    file.edit_attributes(&node("/"), &edits).unwrap();
    let spec = ArraySpec::new(DType::Reference, Vec::new());
    let source = file.create_array(&node("references"), &spec).unwrap();
    let array = stook_core::Array::new(source, &path, node("references"));
    array.write(&stook_core::Selection::All, &reference("/group/data")).unwrap();
    let text = |file: &Hdf5File, name: &str| {
        let attributes = file.attributes(&node("/")).unwrap();
        values(&attributes, name).text_at(0).unwrap()
    };
    assert_eq!(text(&file, "later"), "");
    file.create_array(&node("group/data"), &ArraySpec::new(DType::Int8, [1])).unwrap();
    file.commit(stook_core::Durability::Flush).unwrap();
    assert_eq!((text(&file, "later"), text(&file, "never")), ("/group/data".into(), "".into()));
    let found = array.read(&stook_core::Selection::All).unwrap();
    assert_eq!(found.text_at(0).unwrap(), "/group/data");
}
