//! Looms go to AnnData and back, and AnnData to looms and back, without loss.

use std::path::Path;

use stook::codec::CodecSpec;
use stook::{DType, File, Group, Selection, Values, compare};
use stook_loom::anndata::{AnnDataOptions, MatrixLayout, from_loom, to_loom};
use stook_loom::import::ImportOptions;
use stook_loom::matrix::Dense;
use stook_loom::{Axis, Graph, Loom, MatrixSource, numbers};

fn loom(path: &Path) -> Loom {
    let items: Vec<f32> = (0..15).map(|i| if i % 4 == 0 { i as f32 } else { 0.0 }).collect();
    let matrix = Dense::new([3, 5], items).unwrap();
    let counts = Dense::new([3, 5], (0..15_u16).collect::<Vec<_>>()).unwrap();
    let text = |texts: &[&str]| Values::from_strings(vec![texts.len() as u64], texts).unwrap();
    let weights = numbers(vec![3], &[1.5_f64, -0.0, 2.0]).unwrap();
    let twice = Graph::new(5, vec![4, 0, 4], vec![1, 2, 1], weights.clone()).unwrap();
    let sorted = Graph::new(3, vec![0, 0, 2], vec![1, 2, 0], weights).unwrap();
    Loom::builder(path)
        .layer("", &matrix)
        .layer("counts", &counts)
        .attribute(Axis::Rows, "Gene", text(&["Actb", "Été", ""]))
        .attribute(Axis::Rows, "Length", numbers(vec![3], &[1_i64, 2, 3]).unwrap())
        .attribute(Axis::Columns, "CellID", text(&["a", "b", "c", "d", "日本"]))
        .attribute(Axis::Columns, "Age", numbers(vec![5], &[1_u8, 2, 3, 4, 5]).unwrap())
        .attribute(Axis::Columns, "Name", text(&["x", "y", "", "x", "é"]))
        .attribute(Axis::Columns, "PCA", numbers(vec![5, 2], &[0.5_f32; 10]).unwrap())
        .graph(Axis::Columns, "knn", twice)
        .graph(Axis::Rows, "net", sorted)
        .file_attributes([("title".to_owned(), Values::text("a title"))].into_iter().collect())
        .create()
        .unwrap()
}

fn expect_same(one: &Loom, other: &Loom) {
    assert_eq!(one.layer_names().unwrap(), other.layer_names().unwrap());
    for name in one.layer_names().unwrap() {
        let [a, b] =
            [one, other].map(|loom| loom.layer(&name).unwrap().read(&Selection::All).unwrap());
        assert_eq!(a, b, "layer `{name}`");
    }
    for axis in Axis::BOTH {
        let [a, b] = [one, other].map(|loom| loom.attributes(axis).all().unwrap());
        assert_eq!(a, b, "{axis:?}");
        let [a, b] = [one, other].map(|loom| loom.graphs(axis).all().unwrap());
        assert_eq!(a, b, "{axis:?}");
    }
    let [a, b] = [one, other].map(|loom| loom.file_attributes().all().unwrap());
    assert_eq!(a, b);
}

#[test]
fn a_loom_comes_back_from_anndata_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let first = loom(&at("a.loom"));
    for (name, layout) in [
        ("a.h5ad", MatrixLayout::Sparse),
        ("b.h5ad", MatrixLayout::Dense),
        ("a.zarr", MatrixLayout::Sparse),
        ("b.zarr", MatrixLayout::Dense),
    ] {
        let options = AnnDataOptions { layout, ..AnnDataOptions::default() };
        let left_out = from_loom(&first, at(name), &options).unwrap();
        assert!(left_out.is_empty(), "{left_out:?}");
        let back = to_loom(at(name), at(&format!("{name}.loom")), &ImportOptions::default());
        let back = back.unwrap();
        expect_same(&first, &back);
        assert!(from_loom(&first, at(name), &options).is_err(), "it is there already");
    }
    let kept = Loom::open(at("a.h5ad.loom")).unwrap().file().unwrap();
    assert!(!kept.root_group().unwrap().contains("anndata").unwrap(), "nothing is kept in vain");
}

fn put(group: &Group, name: &str, values: &Values, encoding: &str) {
    let array = group.array(name).dtype(values.dtype().clone()).shape(values.shape());
    let array = array.create().unwrap();
    array.write(&Selection::All, values).unwrap();
    if !encoding.is_empty() {
        array.set_attribute("encoding-type", encoding).unwrap();
        array.set_attribute("encoding-version", "0.2.0").unwrap();
    }
}

fn dict(parent: &Group, name: &str, encoding: &str) -> Group {
    let group = parent.create_group(name).unwrap();
    group.set_attribute("encoding-type", encoding).unwrap();
    let version = if encoding == "dataframe" { "0.2.0" } else { "0.1.0" };
    group.set_attribute("encoding-version", version).unwrap();
    group
}

fn truths(bits: &[u8]) -> Values {
    Values::new(DType::Bool, vec![bits.len() as u64], bits.to_vec(), Vec::new()).unwrap()
}

/// An AnnData of three cells and two genes, with everything that a loom lacks.
fn anndata(path: &Path) {
    let file = File::create(path).unwrap();
    let root = file.root_group().unwrap();
    root.set_attribute("encoding-type", "anndata").unwrap();
    root.set_attribute("encoding-version", "0.1.0").unwrap();
    let text = |texts: &[&str]| Values::from_strings(vec![texts.len() as u64], texts).unwrap();
    let x = dict(&root, "X", "csr_matrix");
    x.set_attribute("shape", numbers(vec![2], &[3_i64, 2]).unwrap()).unwrap();
    put(&x, "data", &numbers(vec![3], &[1.5_f32, -0.0, 3.0]).unwrap(), "");
    put(&x, "indices", &numbers(vec![3], &[1_i64, 0, 1]).unwrap(), "");
    put(&x, "indptr", &numbers(vec![4], &[0_i64, 1, 1, 3]).unwrap(), "");
    let layers = dict(&root, "layers", "dict");
    put(&layers, "dense", &numbers(vec![3, 2], &[1_i32, 2, 3, 4, 5, 6]).unwrap(), "array");
    let odd = dict(&layers, "unsorted", "csc_matrix");
    odd.set_attribute("shape", numbers(vec![2], &[3_i64, 2]).unwrap()).unwrap();
    put(&odd, "data", &numbers(vec![3], &[0.0_f64, 2.0, 3.0]).unwrap(), "");
    put(&odd, "indices", &numbers(vec![3], &[2_i32, 0, 1]).unwrap(), "");
    put(&odd, "indptr", &numbers(vec![3], &[0_i32, 2, 3]).unwrap(), "");
    let obs = dict(&root, "obs", "dataframe");
    obs.set_attribute("_index", "barcode").unwrap();
    put(&obs, "barcode", &text(&["A", "B", "C"]), "string-array");
    let types = dict(&obs, "type", "categorical");
    types.set_attribute("ordered", true).unwrap();
    put(&types, "codes", &numbers(vec![3], &[1_i8, -1, 0]).unwrap(), "array");
    put(&types, "categories", &text(&["T", "β", "unused"]), "string-array");
    let n = dict(&obs, "n", "nullable-integer");
    put(&n, "values", &numbers(vec![3], &[7_i64, 1, 9]).unwrap(), "array");
    put(&n, "mask", &truths(&[0, 1, 0]), "array");
    put(&obs, "is_good", &truths(&[1, 0, 1]), "array");
    put(&obs, "score", &numbers(vec![3], &[0.5_f64, f64::NAN, 1.0]).unwrap(), "array");
    let order = ["type", "n", "is_good", "score"];
    obs.set_attribute("column-order", text(&order)).unwrap();
    let var = dict(&root, "var", "dataframe");
    var.set_attribute("_index", "_index").unwrap();
    put(&var, "_index", &text(&["g1", "g2"]), "string-array");
    var.set_attribute("column-order", text(&[])).unwrap();
    let obsm = dict(&root, "obsm", "dict");
    put(&obsm, "X_pca", &numbers(vec![3, 2], &[0.25_f64; 6]).unwrap(), "array");
    put(&obsm, "score", &numbers(vec![3, 1], &[1_i8; 3]).unwrap(), "array");
    dict(&root, "varm", "dict");
    let obsp = dict(&root, "obsp", "dict");
    let near = dict(&obsp, "near", "csr_matrix");
    near.set_attribute("shape", numbers(vec![2], &[3_i64, 3]).unwrap()).unwrap();
    put(&near, "data", &numbers(vec![2], &[0.5_f32, 0.75]).unwrap(), "");
    put(&near, "indices", &numbers(vec![2], &[1_i32, 0]).unwrap(), "");
    put(&near, "indptr", &numbers(vec![4], &[0_i32, 1, 2, 2]).unwrap(), "");
    dict(&root, "varp", "dict");
    let uns = dict(&root, "uns", "dict");
    dict(&uns, "log1p", "dict");
    put(&uns, "title", &Values::text("éa"), "string");
    put(&uns, "k", &numbers(vec![], &[15_i64]).unwrap(), "numeric-scalar");
    let raw = dict(&root, "raw", "raw");
    put(&raw, "X", &numbers(vec![3, 4], &[1_u8; 12]).unwrap(), "array");
    file.commit().unwrap();
}

#[test]
fn anndata_comes_back_from_a_loom_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    anndata(&at("a.h5ad"));
    let loom = to_loom(at("a.h5ad"), at("a.loom"), &ImportOptions::default()).unwrap();
    let of = |name: &str| loom.attributes(Axis::Columns).get(name).unwrap();
    assert_eq!(of("type"), Values::from_strings(vec![3], &["β", "", "T"]).unwrap());
    assert_eq!(of("is_good"), numbers(vec![3], &[1_u8, 0, 1]).unwrap());
    assert_eq!(of("CellID").text_at(2).unwrap(), "C");
    assert_eq!(loom.shape().unwrap(), [2, 3]);
    for name in ["b.h5ad", "b.zarr"] {
        let left_out = from_loom(&loom, at(name), &AnnDataOptions::default()).unwrap();
        assert!(left_out.is_empty(), "{left_out:?}");
        // By way of Zarr once more to HDF5: attributes of HDF5 have types that JSON lacks.
        let back = to_loom(at(name), at(&format!("{name}.loom")), &ImportOptions::default());
        from_loom(&back.unwrap(), at(&format!("{name}.h5ad")), &AnnDataOptions::default()).unwrap();
        let target = if name == "b.h5ad" { at(name) } else { at("b.zarr.h5ad") };
        let [a, b] = [at("a.h5ad"), target].map(|path| File::open(path).unwrap().root().unwrap());
        let found = compare(&a, &b, 1 << 20, 100).unwrap();
        assert!(found.is_empty(), "{name}: {found:#?}");
    }
}

#[test]
fn a_change_on_the_other_side_counts() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    anndata(&at("a.h5ad"));
    let loom = to_loom(at("a.h5ad"), at("a.loom"), &ImportOptions::default()).unwrap();
    let types = Values::from_strings(vec![3], &["T", "T", "B"]).unwrap();
    loom.attributes(Axis::Columns).set("type", &types).unwrap();
    let ones = Dense::new([2, 3], vec![1.0_f64; 6]).unwrap();
    loom.set_layer("unsorted", &ones as &dyn MatrixSource).unwrap();
    let left_out = from_loom(&loom, at("b.h5ad"), &AnnDataOptions::default()).unwrap();
    assert_eq!(left_out, ["layers/unsorted"]);
    let file = File::open(at("b.h5ad")).unwrap();
    let found = file.array("obs/type").unwrap().read(&Selection::All).unwrap();
    assert_eq!(found, types);
    let data = file.array("layers/unsorted/data").unwrap().read_as::<f64>(&Selection::All);
    assert_eq!(data.unwrap(), [1.0; 6]);
}

#[test]
fn tables_of_old_versions_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.h5ad");
    let file = File::create(&path).unwrap();
    let root = file.root_group().unwrap();
    let x = root.array("X").dtype(DType::Float32).shape([2, 1]).chunks([2, 1]);
    let x = x.codecs([CodecSpec::Zlib { level: 4 }]).create().unwrap();
    x.write_elements(&Selection::All, &[2, 1], &[1.0_f32, 2.0]).unwrap();
    let table = |names: &[&str]| {
        let fields =
            [("index".to_owned(), DType::fixed_bytes(2)), ("kind".to_owned(), DType::Int8)];
        let dtype = stook::dtype::StructType::packed(fields).unwrap();
        let mut items = Vec::new();
        for (at, name) in names.iter().enumerate() {
            items.extend_from_slice(name.as_bytes());
            items.push(at as u8);
        }
        let dtype = DType::Struct(std::sync::Arc::new(dtype));
        Values::new(dtype, vec![names.len() as u64], items, Vec::new()).unwrap()
    };
    put(&root, "obs", &table(&["c1", "c2"]), "");
    put(&root, "var", &table(&["g1"]), "");
    put(&root, "raw.X", &numbers(vec![2, 3], &[1_u8; 6]).unwrap(), "");
    let inner = stook::dtype::ArrayType { item: DType::Float32, shape: vec![2] };
    let fields = [("X_pca".to_owned(), DType::Array(std::sync::Arc::new(inner)))];
    let dtype = DType::Struct(stook::dtype::StructType::packed(fields).unwrap().into());
    let pca = numbers(vec![2, 2], &[1.0_f32, 2.0, 3.0, 4.0]).unwrap();
    let structs = Values::new(dtype, vec![2], pca.items().to_vec(), Vec::new()).unwrap();
    put(&root, "obsm", &structs, "");
    let uns = root.create_group("uns").unwrap();
    put(&uns, "kind_categories", &Values::from_strings(vec![2], &["p", "q"]).unwrap(), "");
    file.commit().unwrap();
    drop(file);
    let loom = to_loom(&path, folder.path().join("x.loom"), &ImportOptions::default()).unwrap();
    let kinds = loom.attributes(Axis::Columns).get("kind").unwrap();
    assert_eq!(kinds, Values::from_strings(vec![2], &["p", "q"]).unwrap());
    assert_eq!(loom.layer_array("").unwrap().read_as::<f32>(&Selection::All).unwrap(), [1.0, 2.0]);
    assert_eq!(loom.attributes(Axis::Columns).get("X_pca").unwrap(), pca);
    let new = folder.path().join("new.h5ad");
    from_loom(&loom, &new, &AnnDataOptions::default()).unwrap();
    let raw = File::open(&new).unwrap().array("raw.X").unwrap().read_as::<u8>(&Selection::All);
    assert_eq!(raw.unwrap(), [1; 6]);
}
