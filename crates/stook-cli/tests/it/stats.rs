//! `stook info --stats`.

use crate::Folder;

#[test]
fn an_array_has_extremes_and_a_spread() {
    let folder = Folder::with_small();
    insta::assert_snapshot!(folder.run(&["info", "small.zarr", "run/image", "--stats"]), @"
    node           /run/image
    kind           array
    dtype          int32
    shape          4 × 6
    dimensions     (y, x)
    chunks         2 × 3
    codecs         zstd 0
    fill value     0
    in memory      96 B
    stored         132 B, ratio 0.7
    chunks stored  4 of 4
    attributes
      unit         counts
    24 elements
      min      -50
      max      479
      mean     130.167
      std      164.849
      sum      3124
      nonzero  24 (all)
      spread   ▕█▄▃▃▂▂▂▂▂▁▂▂▁▂▂ ▂ ▂▂▁▂▁▂▏
    exit 0
    ");
    insta::assert_snapshot!(folder.run(&["info", "small.zarr", "run/cube", "--stats"]), @"
    node           /run/cube
    kind           array
    dtype          float32
    shape          2 × 2 × 2
    chunks         2 × 2 × 2
    codecs         zstd 0
    fill value     0.0
    in memory      32 B
    stored         41 B, ratio 0.8
    chunks stored  1 of 1
    8 elements
      min       -2.5
      max       3e20
      mean      5e19
      std       1.11803e20
      sum       3.000000060122632e20
      nonzero   7 (87.5 %)
      NaN       1 (12.5 %)
      infinite  1 (12.5 %) (inf 1, -inf 0)
      spread    ▕█                      ▂▏
    exit 0
    ");
    insta::assert_snapshot!(folder.run(&["info", "small.zarr", "run/names", "--stats"]), @r#"
    node           /run/names
    kind           array
    dtype          string
    shape          3
    chunks         3
    codecs         zstd 0
    fill value     ""
    in memory      48 B, without the payload of its items
    stored         37 B
    chunks stored  1 of 1
    3 elements
      shortest  0 characters
      longest   6 characters
      empty     1 (33.3 %)
      distinct  3
    exit 0
    "#);
}

#[test]
fn a_file_has_a_line_an_array() {
    let folder = Folder::with_small();
    insta::assert_snapshot!(folder.run(&["info", "small.zarr", "--stats"]), @"
                dtype    elements   min   max     mean         std  nonzero  NaN  spread
    /answer     uint8           1    42    42       42           0        1
    /run/cube   float32         8  -2.5  3e20     5e19  1.11803e20        7    1  ▕█                      ▂▏  1 infinite
    /run/image  int32          24   -50   479  130.167     164.849       24       ▕█▄▃▃▂▂▂▂▂▁▂▂▁▂▂ ▂ ▂▂▁▂▁▂▏
    /run/names  string          3                                                 3 distinct, 0 to 6 characters
    exit 0
    ");
}

#[test]
fn members_of_a_real_table_have_a_line_each() {
    let folder = Folder::new();
    folder.sample("pbmc68k_reduced.h5ad");
    let run = folder.run(&["info", "pbmc68k_reduced.h5ad", "/obs", ":100", "--stats"]).expect(0);
    let table = run.out.split_once("100 elements\n").unwrap().1;
    insta::assert_snapshot!(table, @"
                  dtype    elements         min        max         mean         std  nonzero  spread
    index         S16           100                                                           100 distinct, 16 to 16 characters
    bulk_labels   int8          100           0          9         5.99     2.88962       91  ▕▂▁▁▂▂▄▄ ▁█▏
    n_genes       int64         100        1001       2605      1189.96     232.105      100  ▕█▅▆▂▂▂▁▁▁          ▁   ▁▏
    percent_mito  float32       100  0.00558486  0.0285488    0.0171446  0.00501637      100  ▕▁  ▃▂▄▅█▁█▇▅▇▂▃▃▆▃▃▃▄▁▁▂▏
    n_counts      float32       100      2204.0     9497.0      3576.96     995.664      100  ▕▁▄▇█▆▅▃▂▂▁▁ ▁     ▁    ▁▏
    S_score       float32       100   -0.277817  1.6207247  -0.00772196    0.297024      100  ▕▄▇█▄▄▃▁▁▁           ▁  ▁▏
    G2M_score     float32       100  -1.3423394  2.4171429    -0.847726    0.471213      100  ▕▁▆█▄▂▁  ▁ ▁      ▁▁    ▁▏
    phase         int8          100           0          2         0.63    0.912743       33  ▕█▁▄▏
    louvain       int8          100           0          9         2.87     2.58323       79  ▕██▅▄▄▄▄▂▂▁▏
    ");
}

#[test]
fn statistics_are_json_on_request() {
    let folder = Folder::with_small();
    let run = folder.run(&["info", "small.zarr", "run/image", "1", "--stats", "--json"]).expect(0);
    let found: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    insta::assert_snapshot!(found["stats"], @r#"{"dtype":"int32","count":6,"min":-14,"max":71,"mean":25.166666666666668,"std":29.13998779836548,"sum":151,"nonzero":6,"nan":0,"inf":0,"-inf":0,"histogram":{"start":-14.0,"width":1.0,"counts":[1,0,0,0,0,0,0,0,0,0,0,0,0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1]}}"#);
    let run = folder.run(&["info", "small.zarr", "--stats", "--json"]).expect(0);
    let found: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(found["arrays"][0]["path"], "/answer");
    assert_eq!(found["arrays"][1]["nan"], 1);
}

#[test]
fn statistics_of_a_group_are_refused() {
    let folder = Folder::with_small();
    insta::assert_snapshot!(folder.fails(&["info", "small.zarr", "run", "--stats"]), @"
    error: `small.zarr`: node `/run`: expected an array, found a group
    hint: leave out the node to see all arrays of the file
    exit 1
    ");
    let run = folder.fails(&["info", "small.zarr", "run/image", "9", "--stats"]);
    insta::assert_snapshot!(run, @"
    error: `small.zarr`: node `/run/image`: axis 0: index 9 is out of bounds for length 4
    exit 1
    ");
    // What cannot be read is told, and the rest shown.
    let path = folder.path("small.zarr/run/image/c/1/0");
    std::fs::write(path, "damage").unwrap();
    insta::assert_snapshot!(folder.run(&["info", "small.zarr", "--stats"]), @"
                dtype    elements   min   max  mean         std  nonzero  NaN  spread
    /answer     uint8           1    42    42    42           0        1
    /run/cube   float32         8  -2.5  3e20  5e19  1.11803e20        7    1  ▕█                      ▂▏  1 infinite
    /run/image                                                                 ! corrupt: codec `zstd`: expected the zstd magic [28, b5, 2f, fd], found [64, 61, 6d, 61]
    /run/names  string          3                                              3 distinct, 0 to 6 characters
    exit 1
    ");
}
