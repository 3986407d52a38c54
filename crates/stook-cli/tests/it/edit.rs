//! `stook attr`, `rm`, `mv` and `ln`.

use crate::Folder;

#[test]
fn attributes_are_shown_set_renamed_and_deleted() {
    let folder = Folder::with_small();
    let attr = |rest: &[&str]| folder.run(&[&["attr", "small.zarr", "run/image"], rest].concat());
    insta::assert_snapshot!(attr(&[]), @"
    unit  counts
    exit 0
    ");
    insta::assert_snapshot!(attr(&["unit"]), @"
    counts
    exit 0
    ");
    attr(&["offset", "[0, 1.5]"]).expect(0);
    attr(&["version", "1.10", "--text"]).expect(0);
    attr(&["gain", "-2"]).expect(0);
    insta::assert_snapshot!(attr(&["--json"]), @r#"
    {
      "unit": "counts",
      "offset": [
        0,
        1.5
      ],
      "version": "1.10",
      "gain": -2
    }
    exit 0
    "#);
    let edits = ["--rename", "unit", "units", "--delete", "gain", "--delete", "version", "--json"];
    insta::assert_snapshot!(attr(&edits), @r#"
    {
      "offset": [
        0,
        1.5
      ],
      "units": "counts"
    }
    exit 0
    "#);
}

#[test]
fn types_of_attributes_are_kept_where_the_format_has_types() {
    let folder = Folder::with_small();
    folder.run(&["convert", "small.zarr", "small.h5", "--quiet"]).expect(0);
    folder.run(&["attr", "small.h5", "/", "gain", "2", "--dtype", "float32"]).expect(0);
    let file = stook::File::open(folder.path("small.h5")).unwrap();
    let attributes = file.root().unwrap().attributes().unwrap();
    let Some(stook::AttributeValue::Values(gain)) = attributes.get("gain") else {
        panic!("values")
    };
    assert_eq!(*gain.dtype(), stook::DType::Float32);
    drop(file);
    let wrong = ["attr", "small.h5", "/", "gain", "much", "--dtype", "int8"];
    insta::assert_snapshot!(folder.fails(&wrong), @r#"
    error: `small.h5`: node `/`: expected a value of dtype int8, found "much"
    exit 1
    "#);
}

#[test]
fn attributes_that_are_not_there_are_named() {
    let folder = Folder::with_small();
    insta::assert_snapshot!(folder.fails(&["attr", "small.zarr", "run/image", "nit"]), @"
    error: `small.zarr`: node `/run/image`: there is no attribute `nit`
    hint: there is: unit
    exit 1
    ");
    insta::assert_snapshot!(folder.fails(&["attr", "small.zarr", "run", "-d", "nit"]), @"
    error: `small.zarr`: node `/run`: there is no attribute `nit`
    hint: the node has no attributes
    exit 1
    ");
    let taken = ["attr", "small.zarr", "/", "--rename", "title", "title"];
    insta::assert_snapshot!(folder.fails(&taken), @"
    error: `small.zarr`: node `/`: attribute `title` exists
    hint: delete it with `--delete`, too
    exit 1
    ");
}

#[test]
fn nodes_are_removed() {
    let folder = Folder::with_small();
    insta::assert_snapshot!(folder.fails(&["rm", "small.zarr", "run/cube", "run"]), @"
    error: `small.zarr`: node `/run`: expected an array or a link, found a group
    hint: remove it with all that is in it by `stook rm -r`
    exit 1
    ");
    insta::assert_snapshot!(folder.fails(&["rm", "small.zarr", "run/cube", "run/none"]), @"
    error: `small.zarr`: node `/run/none`: there is no such node
    hint: in `/run` there is: cube, image, names
    exit 1
    ");
    insta::assert_snapshot!(folder.fails(&["rm", "-r", "small.zarr", "/"]), @"
    error: `small.zarr`: node `/`: the root cannot be removed
    hint: remove the file itself
    exit 1
    ");
    insta::assert_snapshot!(folder.run(&["rm", "small.zarr", "run/cube", "none", "-f"]), @"exit 0");
    let run = folder.run(&["rm", "-r", "small.zarr", "run/image", "run", "answer", "--json"]);
    insta::assert_snapshot!(run, @r#"
    {
      "file": "small.zarr",
      "removed": [
        "/run",
        "/answer"
      ]
    }
    exit 0
    "#);
    insta::assert_snapshot!(folder.run(&["cat", "small.zarr", "/"]), @"exit 0");
}

#[test]
fn nodes_are_moved() {
    let folder = Folder::with_small();
    folder.run(&["mv", "small.zarr", "answer", "run"]).expect(0);
    folder.run(&["mv", "small.zarr", "run/image", "picture"]).expect(0);
    insta::assert_snapshot!(folder.run(&["tree", "small.zarr", "--depth", "2"]), @"
    small.zarr                      Zarr v3, 2.8 KiB
    ├── picture                     int32       4 × 6 (y, x)   zstd 0, chunks 2 × 3
    └── run/
        ├── answer                  uint8       scalar         zstd 0
        ├── cube                    float32     2 × 2 × 2      zstd 0
        └── names                   string      3              zstd 0

    2 groups, 4 arrays, 177 B
    exit 0
    ");
    insta::assert_snapshot!(folder.fails(&["mv", "small.zarr", "none", "some"]), @"
    error: `small.zarr`: node `/none`: there is no such node
    hint: in `/` there is: picture, run
    exit 1
    ");
    insta::assert_snapshot!(folder.fails(&["mv", "small.zarr", "picture", "run/cube"]), @"
    error: `small.zarr`: node `/run/cube`: there is an array of this name
    hint: remove it first, or choose another name
    exit 1
    ");
    insta::assert_snapshot!(folder.fails(&["mv", "small.zarr", "run", "run/cube/x"]), @"
    error: `small.zarr`: node `/run`: `/run` cannot be moved into itself, to `/run/cube/x`
    exit 1
    ");
}

#[test]
fn links_are_made_where_there_are_links() {
    let folder = Folder::with_small();
    folder.run(&["convert", "small.zarr", "small.h5", "--quiet"]).expect(0);
    folder.run(&["ln", "small.h5", "/run/image", "/latest"]).expect(0);
    folder.run(&["ln", "small.h5", "/x", "/other", "--in", "other.h5"]).expect(0);
    let run = folder.run(&["tree", "small.h5", "--depth", "1"]).expect(0);
    let tree = run.out.split_once('\n').unwrap().1;
    insta::assert_snapshot!(tree, @"
    ├── answer                      uint8       scalar
    ├── latest                      → /run/image
    ├── other                       → /x in other.h5
    └── run/

    2 groups, 1 array, 1 B
    ");
    insta::assert_snapshot!(folder.run(&["cat", "small.h5", "latest", "0, :2"]), @"
    -50
    -49
    exit 0
    ");
    insta::assert_snapshot!(folder.fails(&["ln", "small.zarr", "/run", "/again"]), @"
    error: `small.zarr`: node `/again`: Zarr v3 has no links
    hint: HDF5 files have links; see `stook convert`
    exit 1
    ");
    folder.run(&["rm", "small.h5", "latest"]).expect(0);
    folder.run(&["info", "small.h5", "run/image"]).expect(0);
}

#[test]
fn completions_are_scripts() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = folder.run(&["completions", shell]).expect(0);
        assert!(run.out.contains("convert") && run.err.is_empty(), "{run}");
    }
}
