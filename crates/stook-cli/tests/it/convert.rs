//! `stook convert`.

use crate::Folder;

#[test]
fn a_real_file_goes_to_zarr_and_back_unchanged() {
    let folder = Folder::new();
    folder.sample("pbmc68k_reduced.h5ad");
    let there = folder.run(&["convert", "pbmc68k_reduced.h5ad", "cells.zarr", "--verify"]);
    insta::assert_snapshot!(there, @"
    converted 12 groups, 32 arrays, 6 attributes: 4.3 MiB in …
    not kept as it was:
      /X and 31 more  codec zlib  → gzip
    verified: equal
    exit 0
    ");
    let back = folder.run(&["convert", "cells.zarr", "cells.h5", "--verify"]);
    insta::assert_snapshot!(back, @"
    converted 12 groups, 32 arrays, 6 attributes: 4.3 MiB in …
    not kept as it was:
      /X and 31 more  codec gzip  → stored as zlib of the same level
    verified: equal
    exit 0
    ");
    let again = ["convert", "cells.h5", "cells.zarr", "--verify", "--overwrite", "--quiet"];
    insta::assert_snapshot!(folder.run(&again), @"exit 0");
}

#[test]
fn every_format_becomes_every_other() {
    let names = ["a.zarr", "a.zarr.zip", "a.h5", "a.npz", "a.zarr"];
    let folder = Folder::new();
    folder.sample("anndata-0.7.8.h5ad");
    let first = ["convert", "anndata-0.7.8.h5ad", "a.zarr", "--verify", "--leave-out"];
    let run = folder.run(&first).expect(0);
    assert!(run.err.contains("verified: equal"), "{run}");
    for pair in names.windows(2) {
        let options = ["--verify", "--overwrite", "--leave-out"];
        let arguments = [&["convert", pair[0], pair[1]][..], &options].concat();
        let run = folder.run(&arguments).expect(0);
        assert!(run.err.contains("verified: equal"), "{pair:?}: {run}");
    }
}

#[test]
fn one_array_becomes_a_file() {
    let folder = Folder::with_small();
    let npy = folder.run(&["convert", "small.zarr", "image.npy", "-n", "run/image", "--verify"]);
    insta::assert_snapshot!(npy, @"
    converted 1 array: 96 B in …
    not kept as it was:
      /run/image  codec zstd              → stored as it is
      /run/image  chunks of shape [2, 3]  → stored in one piece
      /run/image  dimension names         → not stored
      /run/image  attribute unit          → nothing: npy has no attributes: `unit`
    verified: equal but for what is listed above
    exit 0
    ");
    let run = folder.run(&["cat", "image.npy", "/", "0"]).expect(0);
    insta::assert_snapshot!(run, @"
    -50
    -49
    -46
    -41
    -34
    -25
    exit 0
    ");
    let run = folder.run(&["convert", "image.npy", "image.h5", "--verify"]).expect(0);
    insta::assert_snapshot!(run, @"
    converted 1 array: 96 B in …
    not kept as it was:
      /  an array as the root  → `/data`
    verified: equal
    exit 0
    ");
}

#[test]
fn the_format_may_be_named() {
    let folder = Folder::with_small();
    let arguments = ["convert", "small.zarr", "old", "--format", "zarr2", "--verify"];
    insta::assert_snapshot!(folder.run(&arguments), @"
    converted 2 groups, 4 arrays, 2 attributes: 177 B in …
    verified: equal
    exit 0
    ");
    assert!(folder.run(&["info", "old"]).expect(0).out.contains("Zarr v2"));
}

#[test]
fn what_the_target_cannot_hold_may_be_left_out() {
    let folder = Folder::with_small();
    insta::assert_snapshot!(folder.fails(&["convert", "small.zarr", "small.npy"]), @"
    error: `small.npy`: node `/`: an npy file holds one array, as its root
    hint: an npy file holds one array: choose it with `--node`, or make an .npz
    exit 1
    ");
    let nothing = folder.fails(&["convert", "small.zarr", "small.npy", "--leave-out"]);
    insta::assert_snapshot!(nothing, @"
    error: `small.npy`: the target can hold no node of the source
    hint: an npy file holds one array: choose it with `--node`, or make an .npz
    exit 1
    ");
    let arguments = ["convert", "small.zarr", "small.npz", "--leave-out", "--verify"];
    insta::assert_snapshot!(folder.run(&arguments), @"
    converted 2 groups, 4 arrays: 177 B in …
    not kept as it was:
      /                   attribute title         → nothing: npz has no attributes: `title`
      /answer and 3 more  codec zstd              → stored as it is
      /run/image          chunks of shape [2, 3]  → stored in one piece
      /run/image          dimension names         → not stored
      /run/image          attribute unit          → nothing: npz has no attributes: `unit`
    verified: equal but for what is listed above
    exit 0
    ");
}

#[test]
fn the_report_is_json_on_request() {
    let folder = Folder::with_small();
    let arguments = ["convert", "small.zarr", "x.npy", "-n", "run/image", "--verify", "--json"];
    let run = folder.run(&arguments).expect(0);
    let mut report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert!(report["seconds"].take().is_number());
    assert!(report["size_on_disk"].take()["target"].is_number());
    insta::assert_snapshot!(report, @r#"{"source":"small.zarr","target":"x.npy","n_groups":0,"n_arrays":1,"n_attributes":0,"n_links":0,"size":96,"resumed_size":0,"size_on_disk":null,"seconds":null,"losses":[{"node":"/run/image","what":"codec zstd","becomes":"stored as it is"},{"node":"/run/image","what":"chunks of shape [2, 3]","becomes":"stored in one piece"},{"node":"/run/image","what":"dimension names","becomes":"not stored"},{"node":"/run/image","what":"attribute unit","becomes":"nothing: npy has no attributes: `unit`"}],"left_out":[],"notes":[],"differences":[]}"#);
    assert_eq!(run.err, "");
}
