//! `stook check`.

use std::fs;
use std::process::Command;

use stook::{File, Link};

use crate::Folder;

#[test]
fn real_files_are_well() {
    let folder = Folder::new();
    folder.sample("pbmc68k_reduced.h5ad");
    folder.sample("anndata-0.7.8.zarr.zip");
    let files = ["pbmc68k_reduced.h5ad", "anndata-0.7.8.zarr.zip"];
    insta::assert_snapshot!(folder.run(&[&["check"], &files[..]].concat()), @"
    pbmc68k_reduced.h5ad: ok  12 groups, 32 arrays, 369 chunks, 6 attributes, 4.3 MiB
    anndata-0.7.8.zarr.zip: ok  31 groups, 83 arrays, 83 chunks, 75 attributes, 69.7 KiB
    exit 0
    ");
    insta::assert_snapshot!(folder.run(&[&["check", "--trusted", "-q"], &files[..]].concat()), @"exit 0");
}

#[test]
fn what_is_wrong_is_told_and_the_rest_checked() {
    let folder = Folder::with_small();
    let chunk = folder.path("small.zarr/run/image/c/1/0");
    let bytes = fs::read(&chunk).unwrap();
    fs::write(&chunk, &bytes[..bytes.len() / 2]).unwrap();
    fs::write(folder.path("small.zarr/run/image/c/0/1"), "").unwrap();
    fs::write(folder.path("small.zarr/answer/zarr.json"), "{").unwrap();
    let names = folder.path("small.zarr/run/cube/zarr.json");
    let text = fs::read_to_string(&names).unwrap();
    fs::write(&names, text.replace("\"zstd\"", "\"fancy\"")).unwrap();
    insta::assert_snapshot!(folder.run(&["check", "small.zarr"]), @"
    small.zarr: 4 errors  2 groups, 3 arrays, 6 chunks, 2 attributes, 96 B
      error    /answer            `answer/zarr.json` is not valid JSON: EOF while parsing an object at line 1 column 1
      error    /run/cube          codec `fancy` is not supported
      error    /run/image [0, 1]  codec `zstd`: expected the zstd magic [28, b5, 2f, fd], found [00, 00, 00, 00]
      error    /run/image [1, 0]  codec `zstd`: 16 bytes are no valid zstd frame: Src size is incorrect
    exit 1
    ");
    let here = folder.run(&["check", "small.zarr", "--trusted"]);
    assert_eq!(here.to_string(), folder.run(&["check", "small.zarr"]).to_string());
    let run = folder.run(&["check", "small.zarr", "--json"]).expect(1);
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    insta::assert_snapshot!(report["files"][0]["findings"][1], @r#"{"severity":"error","node":"/run/cube","chunk":null,"kind":"unsupported","message":"codec `fancy` is not supported"}"#);
}

#[test]
fn links_that_lead_nowhere_are_warnings() {
    let folder = Folder::new();
    let file = File::create(folder.path("links.h5")).unwrap();
    let root = file.root_group().unwrap();
    root.create_group("data").unwrap();
    for (name, link) in [
        ("alias", Link::Soft("/data".to_owned())),
        ("lost", Link::Soft("/nowhere".to_owned())),
        ("outside", Link::External { file: "b.h5".to_owned(), target: "/x".to_owned() }),
    ] {
        root.create_link(name, &link).unwrap();
    }
    file.commit().unwrap();
    drop((root, file));
    insta::assert_snapshot!(folder.run(&["check", "links.h5"]), @"
    links.h5: ok, 2 warnings  2 groups, 3 links
      warning  /lost     the link leads to `/nowhere`, where there is nothing
      warning  /outside  the link leads to `/x` in `b.h5`, which does not exist
    exit 0
    ");
}

#[test]
fn a_file_that_is_none_is_an_error_of_its_own() {
    let folder = Folder::with_small();
    fs::write(folder.path("image.h5"), b"\x89PNG\r\n\x1a\n and more").unwrap();
    insta::assert_snapshot!(folder.run(&["check", "image.h5", "nowhere.h5", "small.zarr"]), @r#"
    image.h5: 1 error
      error    /  the file is of no known format: it begins with `\x89PNG\r\n\x1a\n`
    nowhere.h5: 1 error
      error    /  no such file or folder
    small.zarr: ok  2 groups, 4 arrays, 7 chunks, 2 attributes, 177 B
    exit 1
    "#);
}

/// A pipe that nobody writes to: whoever opens it waits for ever.
#[cfg(unix)]
#[test]
fn a_reader_that_hangs_is_ended() {
    let folder = Folder::new();
    let status = Command::new("mkfifo").arg(folder.path("pipe.h5")).status().unwrap();
    assert!(status.success());
    insta::assert_snapshot!(folder.run(&["check", "pipe.h5", "--timeout", "1"]), @"
    pipe.h5: 1 error
      error    /  the reader was ended: it made no progress for 1 second
    exit 1
    ");
}

#[cfg(target_os = "linux")]
#[test]
fn what_needs_too_much_memory_is_told() {
    let folder = Folder::new();
    let file = File::create(folder.path("large.zarr")).unwrap();
    let root = file.root_group().unwrap();
    let shape = [200 << 20];
    let large = root.array("large").dtype(stook::DType::UInt8).shape(shape).chunks(shape);
    let large = large.create().unwrap();
    large.write_elements(&stook::Selection::parse("5").unwrap(), &[], &[1_u8]).unwrap();
    file.commit().unwrap();
    let limited = ["check", "large.zarr", "--limit-memory", "400M", "--memory", "50M"];
    insta::assert_snapshot!(folder.run(&limited), @"
    large.zarr: 1 error  1 group, 1 array, 1 chunk
      error    /large  decoded chunk of 209715200 bytes exceeds the limit of 104857600 bytes
    exit 1
    ");
}

/// A file of a few kilobytes may declare more than can ever be read.
#[test]
fn what_was_never_written_takes_no_time() {
    let folder = Folder::new();
    for name in ["vast.h5", "vast.zarr"] {
        let file = File::create(folder.path(name)).unwrap();
        let root = file.root_group().unwrap();
        for (name, chunk) in [("line", 1 << 20), ("small", 1 << 3)] {
            let array = root.array(name).dtype(stook::DType::Float64).shape([1 << 40]);
            array.chunks([chunk]).create().unwrap();
        }
        let few = root.array("few").dtype(stook::DType::UInt8).shape([1 << 30, 1 << 25]);
        let few = few.chunks([1 << 5, 1 << 5]).create().unwrap();
        for at in ["0, 0", "0, 33", "1000000000, 70"] {
            few.write_elements(&stook::Selection::parse(at).unwrap(), &[], &[1_u8]).unwrap();
        }
        file.commit().unwrap();
    }
    let begun = std::time::Instant::now();
    insta::assert_snapshot!(folder.run(&["check", "vast.h5", "vast.zarr", "--timeout", "20"]), @"
    vast.h5: ok  1 group, 3 arrays, 3 chunks, 3.0 KiB
    vast.zarr: ok  1 group, 3 arrays, 3 chunks, 3.0 KiB
    exit 0
    ");
    assert!(begun.elapsed().as_secs() < 15);
}
