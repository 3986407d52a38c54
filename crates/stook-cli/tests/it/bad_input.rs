//! Bad input: a clear error each, and nothing changed.

use std::fs;
use std::path::Path;

use crate::Folder;

#[test]
fn a_path_that_is_not_there() {
    let folder = Folder::with_small();
    insta::assert_snapshot!(folder.fails(&["tree", "nowhere.zarr"]), @"
    error: `nowhere.zarr`: no such file or folder
    exit 1
    ");
    insta::assert_snapshot!(folder.fails(&["convert", "s3://bucket/a.zarr", "a.h5"]), @"
    error: `s3://bucket/a.zarr`: this cannot be done behind a URL
    hint: give the path of a local file or folder
    exit 1
    ");
    insta::assert_snapshot!(folder.fails(&["info", "small.zarr", "/run/imag"]), @"
    error: `small.zarr`: node `/run/imag`: there is no such node
    hint: in `/run` there is: cube, image, names
    exit 1
    ");
    insta::assert_snapshot!(folder.fails(&["cat", "small.zarr", "/run/../x"]), @"
    error: node name `..` is reserved or holds a NUL character
    exit 1
    ");
}

#[test]
fn an_unknown_format() {
    let folder = Folder::with_small();
    let run = folder.fails(&["convert", "small.zarr", "b.h5", "--format", "tiff"]).expect(2);
    insta::assert_snapshot!(run, @"
    error: invalid value 'tiff' for '--format <FORMAT>'
      [possible values: zarr, zarr2, hdf5, npy, npz]

    For more information, try '--help'.
    exit 2
    ");
    insta::assert_snapshot!(folder.fails(&["convert", "small.zarr", "b.tiff"]), @"
    error: `b.tiff`: the name does not say which format the new file shall have
    hint: end it in .zarr, .zarr.zip, .h5, .npy or .npz, or name the format
    exit 1
    ");
}

#[test]
fn an_unknown_dtype() {
    let folder = Folder::with_small();
    let path = folder.path("small.zarr/run/image/zarr.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"int32\"", "\"int33\"")).unwrap();
    insta::assert_snapshot!(folder.fails(&["cat", "small.zarr", "run/image"]), @"
    error: `small.zarr`: node `/run/image`: data type `int33` is not supported in Zarr v3
    exit 1
    ");
    insta::assert_snapshot!(folder.run(&["tree", "small.zarr", "run"]), @"
    /run
    ├── cube                        float32     2 × 2 × 2      zstd 0
    ├── image                       ! unsupported: data type `int33` is not supported in Zarr v3
    └── names                       string      3              zstd 0

    1 group, 2 arrays, 80 B
    exit 1
    ");
    insta::assert_snapshot!(folder.fails(&["convert", "small.zarr", "b.h5"]), @"
    error: `small.zarr`: node `/run/image`: data type `int33` is not supported in Zarr v3
    hint: choose another format, or leave such nodes out (`--leave-out`, `leave_out=True`)
    exit 1
    ");
    let run = folder.run(&["convert", "small.zarr", "b.h5", "--leave-out"]);
    insta::assert_snapshot!(run, @"
    converted 2 groups, 3 arrays, 1 attribute: 81 B in …
    not kept as it was:
      /answer               codec zstd  → not applied to a scalar
      /run/cube and 1 more  codec zstd  → stored as zlib level 4, which every HDF5 reader knows
    left out:
      /run/image  data type `int33` is not supported in Zarr v3
    exit 0
    ");
}

#[test]
fn a_selection_that_does_not_fit() {
    let folder = Folder::with_small();
    let cat = |selection| folder.fails(&["cat", "small.zarr", "run/image", selection]);
    insta::assert_snapshot!(cat("4"), @"
    error: `small.zarr`: node `/run/image`: axis 0: index 4 is out of bounds for length 4
    exit 1
    ");
    insta::assert_snapshot!(cat("0, -7"), @"
    error: `small.zarr`: node `/run/image`: axis 1: index -7 is out of bounds for length 6
    exit 1
    ");
    insta::assert_snapshot!(cat("0, 0, 0"), @"
    error: `small.zarr`: node `/run/image`: too many indices: the array has 2 axes, the selection names 3
    exit 1
    ");
    insta::assert_snapshot!(cat("::0"), @"
    error: `small.zarr`: node `/run/image`: axis 0: slice step cannot be zero
    exit 1
    ");
    insta::assert_snapshot!(cat("first"), @"
    error: selection `first` is no integer, slice or `...`
    hint: write a selection as in Python, such as `0, 10:20, ::2, ...`
    exit 1
    ");
    insta::assert_snapshot!(folder.fails(&["cat", "small.zarr", "run", "0"]), @"
    error: `small.zarr`: node `/run`: expected an array, found a group
    hint: a selection is for arrays; leave it out to list the group
    exit 1
    ");
}

#[test]
fn an_unknown_codec() {
    let folder = Folder::with_small();
    let path = folder.path("small.zarr/run/image/zarr.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"zstd\""), "{text}");
    fs::write(&path, text.replace("\"zstd\"", "\"fancy\"")).unwrap();
    insta::assert_snapshot!(folder.fails(&["cat", "small.zarr", "run/image"]), @"
    error: `small.zarr`: node `/run/image`: codec `fancy` is not supported
    exit 1
    ");
    insta::assert_snapshot!(folder.fails(&["convert", "small.zarr", "b.h5"]), @"
    error: `small.zarr`: node `/run/image`: codec `fancy` is not supported
    hint: choose another format, or leave such nodes out (`--leave-out`, `leave_out=True`)
    exit 1
    ");
    let run = folder.run(&["tree", "small.zarr", "run/image"]).expect(0);
    insta::assert_snapshot!(run, @"
    /run/image                      int32       4 × 6 (y, x)   fancy, chunks 2 × 3
    exit 0
    ");
}

#[test]
fn an_unknown_filter() {
    let folder = Folder::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stook-hdf5/tests/fixtures");
    fs::copy(fixtures.join("filters.h5"), folder.path("filters.h5")).unwrap();
    insta::assert_snapshot!(folder.fails(&["cat", "filters.h5", "unknown"]), @"
    error: `filters.h5`: node `/unknown`: codec `lzo (HDF5 filter 305)` is not supported
    exit 1
    ");
    insta::assert_snapshot!(folder.fails(&["convert", "filters.h5", "b.zarr"]), @"
    error: `filters.h5`: node `/unknown`: codec `lzo (HDF5 filter 305)` is not supported
    hint: choose another format, or leave such nodes out (`--leave-out`, `leave_out=True`)
    exit 1
    ");
    insta::assert_snapshot!(folder.run(&["convert", "filters.h5", "b.zarr", "--leave-out"]), @"
    converted 1 group, 7 arrays: 980 B in …
    not kept as it was:
      /all and 3 more  codec zlib         → gzip
      /lzf             codec lzf          → zstd
      /scaleoffset     codec scaleoffset  → zstd
    left out:
      /unknown  codec `lzo (HDF5 filter 305)` is not supported
    exit 0
    ");
}

#[test]
fn a_corrupt_chunk() {
    let folder = Folder::with_small();
    let path = folder.path("small.zarr/run/image/c/1/0");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    insta::assert_snapshot!(folder.fails(&["cat", "small.zarr", "run/image"]), @"
    error: `small.zarr`: node `/run/image`: chunk [1, 0]: codec `zstd`: 16 bytes are no valid zstd frame: Src size is incorrect
    exit 1
    ");
    insta::assert_snapshot!(folder.fails(&["cat", "small.zarr", "run/image", "--json"]), @r#"
    {"error":{"kind":"corrupt","message":"codec `zstd`: 16 bytes are no valid zstd frame: Src size is incorrect","file":"small.zarr","node":"/run/image","chunk":[1,0]}}
    exit 1
    "#);
    insta::assert_snapshot!(folder.fails(&["convert", "small.zarr", "b.h5"]), @"
    error: `small.zarr`: node `/run/image`: chunk [1, 0]: codec `zstd`: 16 bytes are no valid zstd frame: Src size is incorrect
    exit 1
    ");
    let run = folder.run(&["cat", "small.zarr", "run/image", "0"]).expect(0);
    insta::assert_snapshot!(run, @"
    -50
    -49
    -46
    -41
    -34
    -25
    exit 0
    ");
}

#[test]
fn metadata_that_is_no_json() {
    let folder = Folder::with_small();
    fs::write(folder.path("small.zarr/run/image/zarr.json"), "{\"zarr_format\": 3,").unwrap();
    insta::assert_snapshot!(folder.fails(&["cat", "small.zarr", "run/image"]), @"
    error: `small.zarr`: node `/run/image`: `run/image/zarr.json` is not valid JSON
      caused by: EOF while parsing a value at line 1 column 18
    exit 1
    ");
}

#[test]
fn a_file_of_another_format() {
    let folder = Folder::new();
    fs::write(folder.path("image.h5"), b"\x89PNG\r\n\x1a\n and more").unwrap();
    fs::write(folder.path("notes.zarr"), "remember the milk").unwrap();
    fs::write(folder.path("empty.npy"), "").unwrap();
    fs::create_dir(folder.path("folder.zarr")).unwrap();
    fs::write(folder.path("half.npy"), b"\x93NUMPY\x01\x00\x76\x00{'descr'").unwrap();
    fs::write(folder.path("half.h5"), b"\x89HDF\r\n\x1a\n\x00\x00\x00\x00").unwrap();
    fs::write(folder.path("half.npz"), b"PK\x03\x04 and no more").unwrap();
    for (name, expected) in [
        ("image.h5", "the file is of no known format: it begins with `\\x89PNG\\r\\n\\x1a\\n`"),
        ("notes.zarr", "the file is of no known format: it begins with `remember`"),
        ("empty.npy", "the file is empty"),
        ("folder.zarr", "the folder holds no Zarr hierarchy"),
        ("half.npy", ""),
        ("half.h5", ""),
        ("half.npz", ""),
    ] {
        let run = folder.fails(&["tree", name]).expect(1);
        assert!(run.err.starts_with(&format!("error: `{name}`: {expected}")), "{run}");
    }
    insta::assert_snapshot!(folder.fails(&["tree", "image.h5"]), @r#"
    error: `image.h5`: the file is of no known format: it begins with `\x89PNG\r\n\x1a\n`
    hint: stook reads Zarr (folder or zip), HDF5, npy and npz
    exit 1
    "#);
}

#[test]
fn a_target_that_cannot_be_written() {
    let folder = Folder::with_small();
    for target in ["no/such/folder/b.h5", "no/such/folder/b.zarr", "no/such/b.npy"] {
        let run = folder.fails(&["convert", "small.zarr", target]).expect(1);
        assert!(run.err.contains(target), "{run}");
    }
    insta::assert_snapshot!(folder.fails(&["convert", "small.zarr", "no/such/b.h5"]), @"
    error: `no/such/b.h5`: the folder that it shall be in does not exist
    exit 1
    ");
    insta::assert_snapshot!(folder.fails(&["convert", "small.zarr", "no/such/b.zarr"]), @"
    error: `no/such/b.zarr`: the folder that it shall be in does not exist
    exit 1
    ");
    #[cfg(target_os = "linux")]
    for target in ["/proc/b.h5", "/proc/b.zarr", "/proc/b.npz"] {
        let run = folder.fails(&["convert", "small.zarr", target]).expect(1);
        assert!(run.err.contains(target), "{run}");
    }
}

#[test]
fn a_target_that_exists() {
    let folder = Folder::with_small();
    fs::write(folder.path("b.h5"), "precious").unwrap();
    fs::create_dir(folder.path("b.zarr")).unwrap();
    insta::assert_snapshot!(folder.fails(&["convert", "small.zarr", "b.h5"]), @"
    error: `b.h5`: the target exists already
    hint: choose another name, or replace it with `--overwrite`
    exit 1
    ");
    insta::assert_snapshot!(folder.fails(&["convert", "small.zarr", "b.zarr"]), @"
    error: `b.zarr`: the target exists already
    hint: choose another name, or replace it with `--overwrite`
    exit 1
    ");
    insta::assert_snapshot!(folder.fails(&["convert", "small.zarr", "small.zarr"]), @"
    error: `small.zarr`: the target exists already
    hint: choose another name, or replace it with `--overwrite`
    exit 1
    ");
    // What fails half-way leaves the old, too.
    fs::write(folder.path("small.zarr/run/image/c/1/0"), "damage").unwrap();
    let run = folder.fails(&["convert", "small.zarr", "b.h5", "--overwrite"]).expect(1);
    assert!(run.err.contains("chunk"), "{run}");
}

#[test]
fn errors_are_json_on_request() {
    let folder = Folder::with_small();
    let run = folder.fails(&["cat", "small.zarr", "run/image", "9", "--json"]).expect(1);
    insta::assert_snapshot!(run, @r#"
    {"error":{"kind":"invalid input","message":"axis 0: index 9 is out of bounds for length 4","file":"small.zarr","node":"/run/image"}}
    exit 1
    "#);
}

#[test]
fn a_command_line_that_makes_no_sense() {
    let folder = Folder::with_small();
    for arguments in [&[][..], &["shave"], &["tree"], &["tree", "small.zarr", "--dept", "1"]] {
        let run = folder.fails(arguments).expect(2);
        assert!(run.err.contains("Usage: stook"), "{run}");
    }
    let arguments = ["convert", "small.zarr", "b.h5", "--memory", "lots"];
    insta::assert_snapshot!(folder.fails(&arguments).expect(2), @"
    error: invalid value 'lots' for '--memory <SIZE>': expected a number of bytes such as 256M or 2G

    For more information, try '--help'.
    exit 2
    ");
}
