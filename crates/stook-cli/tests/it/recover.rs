//! `stook recover`.

use std::process::Stdio;

use stook::{DType, File, Selection};

use crate::Folder;

/// Set for the process that is killed: the file that it writes.
const WRITES: &str = "STOOK_CLI_TEST_WRITES";

#[test]
#[ignore = "run by the test below in a process of its own"]
fn commit_and_wait_to_be_killed() {
    let Some(path) = std::env::var_os(WRITES) else { return };
    let file = File::create(path).unwrap();
    let array = file.root_group().unwrap().array("x").dtype(DType::Int32).shape([4]);
    let array = array.create().unwrap();
    for n in 1..=3_i32 {
        array.write_elements(&Selection::All, &[4], &[n; 4]).unwrap();
        file.commit().unwrap();
    }
    array.write_elements(&Selection::All, &[4], &[9; 4]).unwrap();
    println!("committed");
    loop {
        std::thread::park();
    }
}

/// Leaves a file whose writer was killed.
fn interrupted(folder: &Folder) {
    use std::io::{BufRead, BufReader};
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "recover::commit_and_wait_to_be_killed", "--nocapture"])
        .env(WRITES, folder.path("x.h5"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("committed")));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_a_killed_writer_left_is_shown_and_applied() {
    let folder = Folder::new();
    interrupted(&folder);
    let before = folder.content();
    let look = folder.run(&["recover", "x.h5", "--look"]).expect(0);
    assert!(look.out.contains("x.h5-journal: "), "{look}");
    assert!(folder.content() == before, "a look changes nothing");
    // The last commit is there before anything is recovered, and after.
    let cat = || folder.run(&["cat", "x.h5", "/x"]).expect(0).out;
    assert_eq!(cat().trim(), "3\n3\n3\n3");
    let run = folder.run(&["recover", "x.h5", "--json"]).expect(0);
    let said: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(said["action"], "applied");
    assert!(said["found"]["commits"].as_u64() > Some(0), "{said}");
    assert!(!folder.path("x.h5-journal").exists());
    assert_eq!(cat().trim(), "3\n3\n3\n3");
    insta::assert_snapshot!(folder.run(&["recover", "x.h5"]), @"
    nothing to recover: no writer was interrupted
    exit 0
    ");
}

#[test]
fn a_file_in_the_way_is_kept_until_it_is_recovered() {
    let folder = Folder::with_small();
    interrupted(&folder);
    let convert = ["convert", "small.zarr", "x.h5", "--overwrite", "--quiet"];
    insta::assert_snapshot!(folder.fails(&convert), @"
    error: `x.h5`: the program that wrote the file was interrupted, and it is not recovered
    hint: `stook recover` recovers it; to replace it, remove it and its journal first
    exit 1
    ");
    insta::assert_snapshot!(folder.fails(&["repack", "x.h5"]), @"
    error: `x.h5`: the program that wrote the file was interrupted, and it is not recovered
    hint: `stook recover` recovers it; to replace it, remove it and its journal first
    exit 1
    ");
    assert!(File::create_with(folder.path("x.h5"), &replacing()).is_err());
    folder.run(&["recover", "x.h5"]).expect(0);
    folder.run(&convert).expect(0);
    folder.run(&["diff", "small.zarr", "x.h5"]).expect(0);
}

#[test]
fn a_journal_given_up_leaves_the_file_as_it_is() {
    let folder = Folder::new();
    interrupted(&folder);
    folder.run(&["recover", "x.h5", "--discard"]).expect(0);
    assert!(!folder.path("x.h5-journal").exists());
    folder.run(&["check", "x.h5"]).expect(0);
}

fn replacing() -> stook::CreateOptions {
    stook::CreateOptions { in_the_way: stook::InTheWay::Goes, ..stook::CreateOptions::default() }
}

#[test]
fn what_cannot_be_recovered_is_told() {
    let folder = Folder::with_small();
    insta::assert_snapshot!(folder.fails(&["recover", "nothing.h5"]), @"
    error: `nothing.h5`: no such file or folder
    exit 1
    ");
    insta::assert_snapshot!(folder.fails(&["recover", "small.zarr"]), @"
    error: `small.zarr`: a folder is no HDF5 file
    hint: nothing is to be recovered in Zarr: each key is replaced as a whole
    exit 1
    ");
    // A writer that is at work.
    let file = File::create(folder.path("x.h5")).unwrap();
    file.root_group().unwrap().create_group("g").unwrap();
    file.commit().unwrap();
    file.root_group().unwrap().create_group("h").unwrap();
    file.commit().unwrap();
    insta::assert_snapshot!(folder.fails(&["recover", "x.h5"]), @"
    error: `x.h5`: the file is open for writing elsewhere
    hint: its writer is at work: nothing is to be recovered until it has ended
    exit 1
    ");
    let look = folder.run(&["recover", "x.h5", "--look"]).expect(0);
    assert!(look.out.ends_with("its writer is at work: nothing is to be recovered\n"), "{look}");
    drop(file);
    let look = folder.run(&["recover", "x.h5", "--look", "--json"]).expect(0);
    let said: serde_json::Value = serde_json::from_str(&look.out).unwrap();
    assert!(said["found"].is_null() && said["action"] == "none", "{said}");
}
