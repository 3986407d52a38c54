//! `stook convert` and `stook repack` with layouts, selections and losses.

use crate::Folder;

#[test]
fn layouts_are_given_for_some_or_all_arrays() {
    let folder = Folder::with_small();
    let arguments = [
        "convert",
        "small.zarr",
        "b.zarr",
        "--chunks",
        "image=4,:",
        "--shards",
        "image=8,6",
        "--codec",
        "gzip:6",
        "--codec",
        "cube=none",
        "--verify",
    ];
    insta::assert_snapshot!(folder.run(&arguments), @"
    converted 2 groups, 4 arrays, 2 attributes: 177 B in …
    verified: equal
    exit 0
    ");
    let info = folder.run(&["info", "b.zarr", "/run/image"]).expect(0);
    insta::assert_snapshot!(info, @"
    node           /run/image
    kind           array
    dtype          int32
    shape          4 × 6
    dimensions     (y, x)
    chunks         4 × 6
    shards         8 × 6
    codecs         gzip 6
    fill value     0
    in memory      96 B
    stored         122 B, ratio 0.8
    shards stored  1 of 1
    attributes
      unit         counts
    exit 0
    ");
}

#[test]
fn what_makes_no_sense_is_told() {
    let folder = Folder::with_small();
    let fails = |options: &[&str]| {
        folder.fails(&[&["convert", "small.zarr", "b.h5"][..], options].concat()).err
    };
    insta::assert_snapshot!(fails(&["--chunks", "0,4"]), @"
    error: invalid value '0,4' for '--chunks <[NODES=]SHAPE>': expected a length an axis such as `64,64`, or `auto`, `keep` or `none`, found `0,4`

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(fails(&["--codec", "zstdd"]), @"
    error: invalid value 'zstdd' for '--codec <[NODES=]CODECS>': codec `zstdd` is not known (known: none, keep, auto, zstd:LEVEL, gzip:LEVEL, zlib:LEVEL, lz4, lzf, blosc:COMPRESSOR:LEVEL:SHUFFLE, bz2:LEVEL, lzma:PRESET, pcodec:LEVEL, shuffle, bitshuffle:lz4, delta, packbits, crc32c, fletcher32, szip:ec:PIXELS, blosc2:COMPRESSOR:LEVEL:SHUFFLE, zfp:accuracy:ERROR, joined by +, or JSON)

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(fails(&["--chunks", "nope=4"]), @"error: chunks: no array matches `nope`");
    insta::assert_snapshot!(fails(&["--dtype", "image=uint8"]), @"error: `small.zarr`: node `/run/image`: value -50 does not fit uint8 unchanged");
    insta::assert_snapshot!(fails(&["--select", "0:1"]), @"
    error: the selection is of one array, and there are 4
    hint: name it: `NODE=SELECTION`, or convert it alone with `--node`
    ");
    insta::assert_snapshot!(fails(&["--resume", "--restart"]), @"
    error: the argument '--resume' cannot be used with '--restart'

    Usage: stook convert --resume <SOURCE> <TARGET>

    For more information, try '--help'.
    ");
}

#[test]
fn a_part_is_selected_and_rounded() {
    let folder = Folder::with_small();
    let arguments = [
        "convert",
        "small.zarr",
        "b.h5",
        "--include",
        "run",
        "--exclude",
        "names",
        "--select",
        "image=1:3, ::2",
        "--dtype",
        "cube=float16",
        "--lossy",
    ];
    insta::assert_snapshot!(folder.run(&arguments), @"
    converted 2 groups, 2 arrays, 2 attributes: 40 B in …
    not kept as it was:
      /run/cube             dtype float32  → float16
      /run/cube and 1 more  codec zstd     → stored as zlib level 4, which every HDF5 reader knows
    exit 0
    ");
    insta::assert_snapshot!(folder.run(&["cat", "b.h5", "/run/image"]), @"
    -14   14   50
     94  146  206
    exit 0
    ");
    insta::assert_snapshot!(folder.run(&["tree", "b.h5"]), @"
    b.h5                            HDF5, 17.9 KiB
    └── run/
        ├── cube                    float16     2 × 2 × 2      shuffle + zlib 4
        └── image                   int32       2 × 3 (y, x)   shuffle + zlib 4

    2 groups, 2 arrays, 40 B
    exit 0
    ");
}

#[test]
fn a_file_is_repacked() {
    let folder = Folder::with_small();
    let run = folder.run(&["repack", "small.zarr", "--codec", "zstd:9"]);
    insta::assert_snapshot!(run, @"
    repacked 2 groups, 4 arrays, 2 attributes: 177 B in …
    exit 0
    ");
    assert_eq!(folder.content().len(), Folder::with_small().content().len());
    let run = folder.run(&["cat", "small.zarr", "/run/image", "0, 0"]);
    insta::assert_snapshot!(run, @"
    -50
    exit 0
    ");
}

#[test]
fn progress_is_printed_on_request() {
    let folder = Folder::with_small();
    let run =
        folder.run(&["convert", "small.zarr", "b.h5", "--progress", "always", "--json"]).expect(0);
    assert_eq!(run.err, "");
    let run = folder.run(&["convert", "small.zarr", "c.h5", "--progress", "never", "-q"]).expect(0);
    assert_eq!(run.err, "");
}
