//! `stook diff`.

use stook::{File, Selection};

use crate::{Folder, make_small};

/// With `a.zarr` and `b.zarr`, which differ in a little of everything.
fn two() -> Folder {
    let folder = Folder::new();
    make_small(&folder.path("a.zarr"));
    make_small(&folder.path("b.zarr"));
    let file = File::open_read_write(folder.path("b.zarr")).unwrap();
    let root = file.root_group().unwrap();
    root.set_attribute("title", serde_json::json!("another tree")).unwrap();
    root.create_group("new").unwrap();
    let image = file.array("run/image").unwrap();
    image.write_elements(&Selection::parse("1:3, 4").unwrap(), &[2], &[51_i32, 205]).unwrap();
    let cube = file.array("run/cube").unwrap();
    cube.write_elements(&Selection::parse("0, 0, 0").unwrap(), &[], &[0.100001_f32]).unwrap();
    root.remove("answer").unwrap();
    file.commit().unwrap();
    folder
}

#[test]
fn equal_trees_print_nothing() {
    let folder = Folder::with_small();
    make_small(&folder.path("same.zarr"));
    let run = folder.run(&["diff", "small.zarr", "same.zarr"]);
    insta::assert_snapshot!(run, @"
    equal: 6 nodes and 36 elements in both
    exit 0
    ");
    insta::assert_snapshot!(folder.run(&["diff", "small.zarr", "same.zarr", "-q"]), @"exit 0");
}

#[test]
fn differences_are_told_node_by_node() {
    let folder = two();
    insta::assert_snapshot!(folder.run(&["diff", "a.zarr", "b.zarr"]), @r#"
    /           @title "a small tree" → "another tree"
    /answer     only in a
    /new        only in b
    /run/cube   1 of 8 elements differ
                  largest difference 9.984e-7 at [0, 0, 0]
                  largest relative 9.984e-6 at [0, 0, 0]
                  [0, 0, 0]  0.1  →  0.100001
    /run/image  2 of 24 elements differ
                  largest difference 1 at [1, 4]
                  largest relative 0.01961 at [1, 4]
                  [1, 4]  50   →  51
                  [2, 4]  206  →  205
    different: 5 differences; 5 nodes and 35 elements in both
    exit 1
    "#);
    let within = ["diff", "a.zarr", "b.zarr", "-n", "run", "--rtol", "1e-4", "--cells", "1"];
    insta::assert_snapshot!(folder.run(&within), @"
    /run/image  2 of 24 elements differ
                  largest difference 1 at [1, 4]
                  largest relative 0.01961 at [1, 4]
                  [1, 4]  50  →  51
                  …
    different: 1 difference; 4 nodes and 35 elements in both
    exit 1
    ");
}

#[test]
fn a_tolerance_covers_what_is_near() {
    let folder = two();
    let near = ["diff", "a.zarr", "b.zarr", "--node", "run/image", "--atol", "1"];
    assert!(folder.run(&near).expect(0).err.starts_with("equal:"));
    let far = ["diff", "a.zarr", "b.zarr", "--node", "run/image", "--atol", "0.5", "--quiet"];
    insta::assert_snapshot!(folder.run(&far), @"exit 1");
}

#[test]
fn formats_do_not_matter_but_layout_may() {
    let folder = Folder::new();
    folder.sample("pbmc68k_reduced.h5ad");
    folder.run(&["convert", "pbmc68k_reduced.h5ad", "cells.zarr", "--quiet"]).expect(0);
    insta::assert_snapshot!(folder.run(&["diff", "pbmc68k_reduced.h5ad", "cells.zarr"]), @"
    equal: 44 nodes and 923,035 elements in both
    exit 0
    ");
    let run = folder.run(&["diff", "pbmc68k_reduced.h5ad", "cells.zarr", "-n", "/X", "--layout"]);
    insta::assert_snapshot!(run, @"
    /X  codecs zlib 4 → gzip 4
        greatest shape [700, 765] → none
    different: 2 differences; 1 node and 535,500 elements in both
    exit 1
    ");
}

#[test]
fn two_nodes_of_one_file_may_be_compared() {
    let folder = two();
    let run =
        folder.run(&["diff", "a.zarr", "b.zarr", "-n", "run/names", "--other-node", "run/cube"]);
    insta::assert_snapshot!(run, @"
    /run/names  dtype string → float32
                shape [3] → [2, 2, 2]
    different: 2 differences; 1 node and 0 elements in both
    exit 1
    ");
}

#[test]
fn differences_are_json_on_request() {
    let folder = two();
    let run = folder.run(&["diff", "a.zarr", "b.zarr", "--json"]).expect(1);
    let found: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    insta::assert_snapshot!(found, @r#"{"a":"a.zarr","b":"b.zarr","equal":false,"n_nodes":5,"n_elements":35,"differences":[{"node":"/","what":"attribute","name":"title","a":"a small tree","b":"another tree"},{"node":"/answer","what":"only","in":"a"},{"node":"/new","what":"only","in":"b"},{"node":"/run/cube","what":"elements","n":1,"n_elements":8,"largest_absolute":{"value":9.98377799987793e-7,"index":[0,0,0],"member":""},"largest_relative":{"value":9.983678176282998e-6,"index":[0,0,0],"member":""},"first":[{"index":[0,0,0],"member":"","a":0.1,"b":0.100001}]},{"node":"/run/image","what":"elements","n":2,"n_elements":24,"largest_absolute":{"value":1.0,"index":[1,4],"member":""},"largest_relative":{"value":0.0196078431372549,"index":[1,4],"member":""},"first":[{"index":[1,4],"member":"","a":50,"b":51},{"index":[2,4],"member":"","a":206,"b":205}]}],"n_more":0}"#);
}

#[test]
fn trouble_is_status_2() {
    let folder = two();
    insta::assert_snapshot!(folder.fails(&["diff", "a.zarr", "nowhere.zarr"]), @"
    error: `nowhere.zarr`: no such file or folder
    exit 2
    ");
    insta::assert_snapshot!(folder.fails(&["diff", "a.zarr", "b.zarr", "-n", "/none"]), @"
    error: `a.zarr`: node `/none`: there is no such node
    hint: in `/` there is: answer, run
    exit 2
    ");
    std::fs::write(folder.path("b.zarr/run/image/c/0/0"), "damage").unwrap();
    insta::assert_snapshot!(folder.run(&["diff", "a.zarr", "b.zarr", "-n", "run"]), @"
    /run/cube   1 of 8 elements differ
                  largest difference 9.984e-7 at [0, 0, 0]
                  largest relative 9.984e-6 at [0, 0, 0]
                  [0, 0, 0]  0.1  →  0.100001
    /run/image  ! b chunk [0, 0]: codec `zstd`: expected the zstd magic [28, b5, 2f, fd], found [64, 61, 6d, 61]
    error: not all could be read; 2 differences; 4 nodes and 11 elements in both
    exit 2
    ");
}
