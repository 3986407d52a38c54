//! Pipes.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use stook::{DType, File, Selection};

use crate::Folder;

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = Folder::new();
    let file = File::create(folder.path("a.zarr")).unwrap();
    let array = file.root_group().unwrap().array("a").dtype(DType::UInt32).shape([500_000]);
    let items: Vec<u32> = (0..500_000).collect();
    array.create().unwrap().write_elements(&Selection::All, &[500_000], &items).unwrap();
    file.commit().unwrap();
    for options in [&[][..], &["--json"]] {
        let mut command = folder.command(&[&["cat", "a.zarr", "a"][..], options].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = vec![0; 16];
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        reader.read_exact(&mut first).unwrap();
        assert!(reader.fill_buf().is_ok());
        drop(reader);
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert!(output.status.success());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let folder = Folder::with_small();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = folder.command(&["tree", "small.zarr"]);
    let output = command.stdout(full).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.starts_with("error: cannot write to the standard output: "), "{message}");
    assert_eq!(output.status.code(), Some(1));
}

/// Ctrl-C while a conversion runs: its draft goes, and the status is a shell's for it.
#[cfg(unix)]
#[test]
fn what_is_interrupted_leaves_nothing_behind() {
    let folder = Folder::new();
    let file = File::create(folder.path("a.zarr")).unwrap();
    let array = file.root_group().unwrap().array("a").dtype(DType::UInt32).shape([40_000_000]);
    array.chunks([1000]).create().unwrap();
    file.commit().unwrap();
    let before = folder.content();
    let mut command = folder.command(&["convert", "a.zarr", "b.zarr", "--memory", "1M"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let is_begun = || {
        let mut entries = std::fs::read_dir(folder.path("")).unwrap();
        entries.any(|entry| entry.unwrap().file_name().to_string_lossy().contains("tmp"))
    };
    while !is_begun() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be interrupted");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "interrupted\n");
    assert!(folder.content() == before, "{:?}", folder.content().keys());
}
