//! `stook cat`.

use std::sync::Arc;

use stook::dtype::StructType;
use stook::{DType, File, Selection, Values};

use crate::Folder;

#[test]
fn a_table_is_aligned() {
    let folder = Folder::with_small();
    insta::assert_snapshot!(folder.run(&["cat", "small.zarr", "run/image"]), @"
    -50  -49  -46  -41  -34  -25
    -14   -1   14   31   50   71
     94  119  146  175  206  239
    274  311  350  391  434  479
    exit 0
    ");
    insta::assert_snapshot!(folder.run(&["cat", "small.zarr", "run/image", "-2:, ::-2"]), @"
    239  175  119
    479  391  311
    exit 0
    ");
    insta::assert_snapshot!(folder.run(&["cat", "small.zarr", "run/image", "-1"]), @"
    274
    311
    350
    391
    434
    479
    exit 0
    ");
}

#[test]
fn more_axes_are_a_table_a_slice() {
    let folder = Folder::with_small();
    insta::assert_snapshot!(folder.run(&["cat", "small.zarr", "run/cube"]), @"
    [0, :, :]
     0.1   1.0
    -2.5   NaN

    [1, :, :]
    1e-9  3e20
     inf   0.0
    exit 0
    ");
    insta::assert_snapshot!(folder.run(&["cat", "small.zarr", "run/cube", "::-1, 1"]), @"
     inf   0.0
    -2.5   NaN
    exit 0
    ");
}

#[test]
fn text_has_a_line_an_item() {
    let folder = Folder::with_small();
    insta::assert_snapshot!(folder.run(&["cat", "small.zarr", "run/names"]), @r#"
    B cell
    T\tcell

    exit 0
    "#);
}

#[test]
fn a_scalar_is_a_line() {
    let folder = Folder::with_small();
    insta::assert_snapshot!(folder.run(&["cat", "small.zarr", "answer"]), @"
    42
    exit 0
    ");
    insta::assert_snapshot!(folder.run(&["cat", "small.zarr", "answer", "--json"]), @"
    42
    exit 0
    ");
}

#[test]
fn a_group_lists_its_names() {
    let folder = Folder::with_small();
    insta::assert_snapshot!(folder.run(&["cat", "small.zarr", "/"]), @"
    answer
    run/
    exit 0
    ");
    insta::assert_snapshot!(folder.run(&["cat", "small.zarr", "/", "--json"]), @r#"
    [
      "answer",
      "run"
    ]
    exit 0
    "#);
}

#[test]
fn json_is_nested_lists() {
    let folder = Folder::with_small();
    insta::assert_snapshot!(folder.run(&["cat", "small.zarr", "run/image", "--json"]), @"
    [[-50,-49,-46,-41,-34,-25],
    [-14,-1,14,31,50,71],
    [94,119,146,175,206,239],
    [274,311,350,391,434,479]]
    exit 0
    ");
    insta::assert_snapshot!(folder.run(&["cat", "small.zarr", "run/cube", "--json"]), @r#"
    [[[0.1,1.0],
    [-2.5,"NaN"]],
    [[1e-9,3e+20],
    ["Infinity",0.0]]]
    exit 0
    "#);
    insta::assert_snapshot!(folder.run(&["cat", "small.zarr", "run/names", "--json", "1:"]), @r#"
    ["T\tcell",""]
    exit 0
    "#);
    insta::assert_snapshot!(folder.run(&["cat", "small.zarr", "run/image", "2:2", "--json"]), @"
    []
    exit 0
    ");
}

#[test]
#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn members_of_structs_are_columns() {
    let folder = Folder::new();
    let file = File::create(folder.path("table.h5")).unwrap();
    let members = [("id", DType::fixed_bytes(4)), ("n", DType::Int16), ("mean", DType::Float64)];
    let members = members.map(|(name, dtype)| (name.to_owned(), dtype));
    let dtype = DType::Struct(Arc::new(StructType::packed(members).unwrap()));
    let mut items = Vec::new();
    for (id, n, mean) in [(b"ab\0\0", 7_i16, 0.5_f64), (b"a b\0", -300, 1e9)] {
        items.extend_from_slice(id);
        items.extend_from_slice(&n.to_ne_bytes());
        items.extend_from_slice(&mean.to_ne_bytes());
    }
    let values = Values::new(dtype.clone(), vec![2], items, Vec::new()).unwrap();
    let table = file.root_group().unwrap().array("t").dtype(dtype).shape([2]).create().unwrap();
    table.write(&Selection::All, &values).unwrap();
    file.commit().unwrap();
    drop((table, file));
    insta::assert_snapshot!(folder.run(&["cat", "table.h5", "t"]), @r#"
    id        n          mean
    ab        7           0.5
    "a b"  -300  1000000000.0
    exit 0
    "#);
    insta::assert_snapshot!(folder.run(&["cat", "table.h5", "t", "1", "--json"]), @r#"
    {"id":"a b","n":-300,"mean":1000000000.0}
    exit 0
    "#);
    insta::assert_snapshot!(folder.run(&["info", "table.h5", "t"]), @r#"
    node        /t
    kind        array
    dtype       struct of 14 bytes
                  id    S4
                  n     int16
                  mean  float64
    shape       2
    layout      contiguous
    codecs      none
    fill value  {"id":"","n":0,"mean":0.0}
    in memory   28 B
    stored      28 B, ratio 1.0
    exit 0
    "#);
}

#[test]
fn a_large_array_comes_whole_and_in_order() {
    let folder = Folder::new();
    let file = File::create(folder.path("large.zarr")).unwrap();
    let shape = [300, 5000];
    let large = file.root_group().unwrap().array("a").dtype(DType::Int64).shape(shape);
    let large = large.chunks([70, 900]).create().unwrap();
    let items: Vec<i64> = (0..1_500_000).collect();
    large.write_elements(&Selection::All, &shape, &items).unwrap();
    file.commit().unwrap();
    let run = folder.run(&["cat", "large.zarr", "a", "::-1"]).expect(0);
    let printed: Vec<i64> = run.out.split_whitespace().map(|item| item.parse().unwrap()).collect();
    let expected = (0..300).rev().flat_map(|row| row * 5000..(row + 1) * 5000);
    assert!(printed.into_iter().eq(expected));
    let run = folder.run(&["cat", "large.zarr", "a", "--json"]).expect(0);
    let lists: Vec<Vec<i64>> = serde_json::from_str(&run.out).unwrap();
    assert!(lists.into_iter().flatten().eq(items));
}

#[test]
fn lists_and_arrays_of_the_file_select() {
    let folder = Folder::with_small();
    let cat = |selection| folder.run(&["cat", "small.zarr", "run/image", selection]);
    insta::assert_snapshot!(cat("[2,0,2], ::5"), @"
     94  239
    -50  -25
     94  239
    exit 0
    ");
    insta::assert_snapshot!(cat("[[3], [-1, 0]]"), @"
    479  274
    exit 0
    ");
    let file = File::open_read_write(folder.path("small.zarr")).unwrap();
    let root = file.root_group().unwrap();
    let keep = root.array("keep").dtype(DType::Bool).shape([4]).create().unwrap();
    keep.write_elements(&Selection::All, &[4], &[true, false, false, true]).unwrap();
    let order = root.array("order").dtype(DType::Int64).shape([2]).create().unwrap();
    order.write_elements(&Selection::All, &[2], &[5_i64, 1]).unwrap();
    file.commit().unwrap();
    insta::assert_snapshot!(cat("@keep, @/order"), @"
    -25  -49
    479  311
    exit 0
    ");
    insta::assert_snapshot!(folder.fails(&["cat", "small.zarr", "run/image", "@run, :"]), @"
    error: `small.zarr`: node `/run`: expected an array of positions or a mask, found a group
    exit 1
    ");
    insta::assert_snapshot!(folder.fails(&["cat", "small.zarr", "run/image", ":, @keep"]), @"
    error: `small.zarr`: node `/run/image`: axis 1: expected a mask of length 6, found one of 4
    exit 1
    ");
}

#[test]
fn csv_is_what_spreadsheets_read() {
    let folder = Folder::with_small();
    let csv = |arguments: &[&str]| {
        folder.run(&[&["cat", "small.zarr", "--format", "csv"], arguments].concat())
    };
    insta::assert_snapshot!(csv(&["run/image", "1:3, ::2"]), @"
    -14,14,50
    94,146,206
    exit 0
    ");
    insta::assert_snapshot!(csv(&["run/image", "1:3, ::2", "--index"]), @"
    y,0,2,4
    1,-14,14,50
    2,94,146,206
    exit 0
    ");
    insta::assert_snapshot!(csv(&["run/cube"]), @"
    axis0,axis1,0,1
    0,0,0.1,1.0
    0,1,-2.5,NaN
    1,0,1e-9,3e20
    1,1,inf,0.0
    exit 0
    ");
    insta::assert_snapshot!(csv(&["run/names"]), @r#"
    B cell
    T	cell
    ""
    exit 0
    "#);
    insta::assert_snapshot!(csv(&["run/names", "--index"]), @r#"
    axis0,value
    0,B cell
    1,T	cell
    2,""
    exit 0
    "#);
    insta::assert_snapshot!(csv(&["answer"]), @"
    42
    exit 0
    ");
    folder.sample("pbmc68k_reduced.h5ad");
    let run = folder.run(&["cat", "pbmc68k_reduced.h5ad", "obs", ":3", "-f", "csv"]);
    insta::assert_snapshot!(run, @"
    index,bulk_labels,n_genes,percent_mito,n_counts,S_score,G2M_score,phase,louvain
    AAAGCCTGGCTAAC-1,5,1003,0.023856081,2557.0,-0.1191598,-0.816889,0,1
    AAATTCGATGCACA-1,9,1080,0.027458256,2695.0,0.06702638,-0.88949776,2,1
    AACACGTGGTCTTT-1,8,1228,0.016819121,3389.0,-0.14797688,-0.94174945,0,3
    exit 0
    ");
    let run = folder.run(&["cat", "pbmc68k_reduced.h5ad", "obs", ":3 .n_genes", "--json"]);
    insta::assert_snapshot!(run, @"
    [1003,1080,1228]
    exit 0
    ");
    let run = folder.fails(&["cat", "pbmc68k_reduced.h5ad", "obs", ".genes"]);
    insta::assert_snapshot!(run, @"
    error: `pbmc68k_reduced.h5ad`: node `/obs`: there is no member `genes`
    hint: the members are: index, bulk_labels, n_genes, percent_mito, n_counts, S_score, G2M_score, phase, louvain
    exit 1
    ");
}

#[test]
fn npy_goes_through_a_pipe() {
    let folder = Folder::with_small();
    let arguments = ["cat", "small.zarr", "run/image", "::-1, 1:3", "--format", "npy"];
    let output = folder.command(&arguments).output().unwrap();
    assert!(output.status.success());
    std::fs::write(folder.path("part.npy"), &output.stdout).unwrap();
    insta::assert_snapshot!(folder.run(&["cat", "part.npy", "/"]), @"
    311  350
    119  146
     -1   14
    -49  -46
    exit 0
    ");
    let run = folder.fails(&["cat", "small.zarr", "run/names", "-f", "npy"]);
    insta::assert_snapshot!(run, @"
    error: `small.zarr`: node `/run/names`: npy has no items of type string
    hint: choose `--format csv` or `--format json` for this dtype
    exit 1
    ");
}
