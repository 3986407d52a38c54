//! `stook tree` and `stook info`.

use std::path::Path;

use crate::Folder;

#[test]
fn a_tree_has_a_line_a_node() {
    let folder = Folder::with_small();
    insta::assert_snapshot!(folder.run(&["tree", "small.zarr"]), @"
    small.zarr                      Zarr v3, 2.8 KiB
    ├── answer                      uint8       scalar         zstd 0
    └── run/
        ├── cube                    float32     2 × 2 × 2      zstd 0
        ├── image                   int32       4 × 6 (y, x)   zstd 0, chunks 2 × 3
        └── names                   string      3              zstd 0

    2 groups, 4 arrays, 177 B
    exit 0
    ");
}

#[test]
fn a_tree_begins_at_a_node_and_ends_at_a_depth() {
    let folder = Folder::with_small();
    insta::assert_snapshot!(folder.run(&["tree", "small.zarr", "run/image", "--attrs"]), @"
    /run/image                      int32       4 × 6 (y, x)   zstd 0, chunks 2 × 3
      @unit = counts
    exit 0
    ");
    insta::assert_snapshot!(folder.run(&["tree", "small.zarr", "--depth", "1", "--attrs"]), @"
    small.zarr                      Zarr v3, 2.8 KiB
    │ @title = a small tree
    ├── answer                      uint8       scalar         zstd 0
    └── run/

    2 groups, 1 array, 1 B
    exit 0
    ");
}

#[test]
fn a_tree_in_json_is_one_document() {
    let folder = Folder::with_small();
    let run = folder.run(&["tree", "small.zarr", "--json"]).expect(0);
    let tree: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(tree["children"][1]["children"][1]["shape"], serde_json::json!([4, 6]));
    insta::assert_snapshot!(run, @r#"
    {"path":"/","format":"Zarr v3","kind":"group","attributes":{"title":"a small tree"},"children":[
    {"path":"/answer","kind":"array","dtype":"uint8","shape":[],"chunks":[],"codecs":["zstd 0"],"fill_value":0,"size":1,"attributes":{}},
    {"path":"/run","kind":"group","attributes":{},"children":[
    {"path":"/run/cube","kind":"array","dtype":"float32","shape":[2,2,2],"chunks":[2,2,2],"codecs":["zstd 0"],"fill_value":0.0,"size":32,"attributes":{}},
    {"path":"/run/image","kind":"array","dtype":"int32","shape":[4,6],"dimension_names":["y","x"],"chunks":[2,3],"codecs":["zstd 0"],"fill_value":0,"size":96,"attributes":{"unit":"counts"}},
    {"path":"/run/names","kind":"array","dtype":"string","shape":[3],"chunks":[3],"codecs":["zstd 0"],"fill_value":"","size":48,"attributes":{}}]}]}
    exit 0
    "#);
}

#[test]
fn a_real_file_is_shown() {
    let folder = Folder::new();
    folder.sample("pbmc68k_reduced.h5ad");
    insta::assert_snapshot!(folder.run(&["tree", "pbmc68k_reduced.h5ad", "--depth", "1"]), @"
    pbmc68k_reduced.h5ad            HDF5, 1.7 MiB
    ├── X                           float32     700 × 765      zlib 4, chunks 44 × 96
    ├── obs                         struct      700            zlib 4, chunks 175  {index, bulk_labels, n_genes, percent_m…
    ├── obsm                        struct      700            zlib 4, chunks 44  {X_pca, X_umap}
    ├── raw.X/
    ├── raw.var                     struct      765            zlib 4  {index}
    ├── uns/
    ├── var                         struct      765            zlib 4, chunks 383  {index, n_counts, means, dispersions, d…
    └── varm                        struct      765            zlib 4, chunks 24  {PCs}

    3 groups, 6 arrays, 2.5 MiB
    exit 0
    ");
    insta::assert_snapshot!(folder.run(&["info", "pbmc68k_reduced.h5ad"]), @"
    file       pbmc68k_reduced.h5ad
    format     HDF5
    on disk    1.7 MiB (1,772,368 bytes)
    in memory  4.3 MiB (4,466,219 bytes)
    holds      12 groups, 32 arrays
    exit 0
    ");
    insta::assert_snapshot!(folder.run(&["info", "pbmc68k_reduced.h5ad", "/X"]), @"
    node           /X
    kind           array
    dtype          float32
    shape          700 × 765
    chunks         44 × 96
    codecs         zlib 4
    fill value     0.0
    in memory      2.0 MiB (2,142,000 bytes)
    stored         873.9 KiB (894,899 bytes), ratio 2.4
    chunks stored  128 of 128
    exit 0
    ");
    insta::assert_snapshot!(folder.run(&["info", "pbmc68k_reduced.h5ad", "/obs"]), @r#"
    node           /obs
    kind           array
    dtype          struct of 43 bytes
                     index         S16
                     bulk_labels   int8
                     n_genes       int64
                     percent_mito  float32
                     n_counts      float32
                     S_score       float32
                     G2M_score     float32
                     phase         int8
                     louvain       int8
    shape          700
    chunks         175
    codecs         zlib 4
    fill value     {"index":"","bulk_labels":0,"n_genes":0,"percent_mito":0.0,"n_counts":0.0,"S_score":0.0,"G2M_score":0.0,"phase":0,"louvain":0}
    in memory      29.4 KiB (30,100 bytes)
    stored         18.2 KiB (18,670 bytes), ratio 1.6
    chunks stored  4 of 4
    exit 0
    "#);
}

#[test]
fn links_say_where_they_lead() {
    let folder = Folder::new();
    let file = stook::File::create(folder.path("links.h5")).unwrap();
    let root = file.root_group().unwrap();
    root.create_group("data").unwrap();
    root.create_link("alias", &stook::Link::Soft("/data".to_owned())).unwrap();
    root.create_link("lost", &stook::Link::Soft("/nowhere".to_owned())).unwrap();
    let elsewhere = stook::Link::External { file: "b.h5".to_owned(), target: "/x".to_owned() };
    root.create_link("outside", &elsewhere).unwrap();
    file.commit().unwrap();
    drop((root, file));
    insta::assert_snapshot!(folder.run(&["tree", "links.h5"]), @"
    links.h5                        HDF5, 6.0 KiB
    ├── alias                       → /data
    ├── data/
    ├── lost                        → /nowhere  leads nowhere
    └── outside                     → /x in b.h5

    2 groups, 0 arrays, 0 B
    exit 0
    ");
}

#[test]
fn info_tells_all_about_a_node() {
    let folder = Folder::with_small();
    insta::assert_snapshot!(folder.run(&["info", "small.zarr", "run"]), @"
    node   /run
    kind   group
    holds  0 groups, 3 arrays
    exit 0
    ");
    insta::assert_snapshot!(folder.run(&["info", "small.zarr", "run/image"]), @"
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
    exit 0
    ");
    insta::assert_snapshot!(folder.run(&["info", "small.zarr", "run/image", "--json"]), @r#"
    {
      "path": "/run/image",
      "kind": "array",
      "dtype": "int32",
      "shape": [
        4,
        6
      ],
      "dimension_names": [
        "y",
        "x"
      ],
      "chunks": [
        2,
        3
      ],
      "codecs": [
        "zstd 0"
      ],
      "fill_value": 0,
      "size": 96,
      "size_stored": 132,
      "n_stored": 4,
      "n_chunks": 4,
      "attributes": {
        "unit": "counts"
      }
    }
    exit 0
    "#);
}

#[test]
fn help_and_version_go_to_the_standard_output() {
    let folder = Folder::new();
    let run = folder.run(&["--version"]).expect(0);
    assert_eq!(run.out, format!("stook {}\n", env!("CARGO_PKG_VERSION")));
    for arguments in [&["--help"][..], &["help"], &["help", "cat"], &["convert", "--help"]] {
        let run = folder.run(arguments).expect(0);
        assert!(run.out.contains("Examples:") && run.err.is_empty(), "{run}");
    }
}

#[test]
fn files_elsewhere_are_read_where_that_is_allowed() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let fixtures = crates.join("stook-hdf5/tests/fixtures/outside");
    let file = fixtures.join("inner/links.h5").to_str().unwrap().to_owned();
    let above = fixtures.to_str().unwrap().to_owned();
    let folder = Folder::new();
    let refused = folder.run(&["cat", &file, "/up", "0"]);
    assert_eq!(refused.status, Some(1));
    assert!(refused.err.contains("../outer.h5"), "{}", refused.err);
    assert!(refused.err.contains("--outside"), "{}", refused.err);
    for outside in ["anywhere", &above] {
        let read = folder.run(&["cat", &file, "/up", "0", "--outside", outside]);
        assert_eq!((read.status, read.out.is_empty()), (Some(0), false), "{}", read.err);
        let arguments = ["info", &file, "/up", "--outside", outside];
        assert_eq!(folder.run(&arguments).status, Some(0));
    }
    // What is allowed is allowed to the process that checks the file as well.
    let stored = fixtures.join("inner/external.h5").to_str().unwrap().to_owned();
    let findings =
        |arguments: &[&str]| folder.run(&[&["check", &stored][..], arguments].concat()).out;
    assert!(findings(&[]).contains("../outer.h5"));
    assert!(!findings(&["--outside", "anywhere"]).contains("../outer.h5"));
}

#[test]
fn a_url_may_stand_where_a_path_does() {
    let folder = Folder::with_small();
    let url = format!("file://{}", folder.path("small.zarr").display());
    let about = folder.run(&["info", &url]).to_string();
    assert!(about.contains(&url) && !about.contains("on disk"), "{about}");
    let tree = folder.run(&["tree", &url]).to_string();
    assert!(tree.contains("4 arrays") && tree.ends_with("exit 0"), "{tree}");
}
