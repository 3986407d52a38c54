//! Damaged files give an error or data, never a panic.
//!
//! The library itself may hang or crash on a rare mutant, so the mutants are read in a child
//! process (this binary, running the ignored test below) that is ended when it takes too long.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use stook_core::container::{Container, NodeKind, OpenOptions};
use stook_core::{Array, NodePath, Selection};
use stook_hdf5::Hdf5File;

use crate::support::fixture;

/// Reads all there is in a file, and does not care what comes of it.
fn read_everything(path: &Path) {
    let Ok(file) = Hdf5File::open(path, &OpenOptions::read()) else { return };
    let mut groups = vec![NodePath::root()];
    let mut n_nodes = 0;
    while let Some(group) = groups.pop() {
        let _ = file.attributes(&group);
        for child in file.children(&group).unwrap_or_default() {
            n_nodes += 1;
            let Ok(node) = group.join(&child.name) else { continue };
            if n_nodes > 500 {
                return;
            }
            match child.kind {
                Some(NodeKind::Group) if node.segments().count() < 5 => groups.push(node),
                Some(NodeKind::Array) => {
                    let _ = file.attributes(&node);
                    let Ok(source) = file.open_array(&node) else { continue };
                    let spec = source.spec();
                    if spec.n_bytes() < 1 << 24 {
                        let _ = Array::new(source, path, node).read(&Selection::All);
                    }
                }
                _ => {}
            }
        }
    }
}

/// What the child does: mutants `from..to` of the fixture that the environment names.
#[test]
#[ignore = "run by the test below in a process of its own"]
fn read_mutants() {
    let Ok(name) = std::env::var("STOOK_MUTANTS_OF") else { return };
    let from: usize = std::env::var("STOOK_MUTANTS_FROM").unwrap().parse().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(fixture(&name)).unwrap();
    let path = dir.path().join("mutant.h5");
    for n in from..n_mutants() {
        println!("mutant {n}");
        std::fs::write(&path, mutant(&bytes, n)).unwrap();
        read_everything(&path);
    }
    println!("done");
}

fn n_mutants() -> usize {
    std::env::var("STOOK_MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(60)
}

/// Every third mutant is cut, the others have a byte changed; positions are spread evenly.
fn mutant(bytes: &[u8], n: usize) -> Vec<u8> {
    let at = (n * 7919) * bytes.len() / (n_mutants() * 7) % bytes.len();
    let mut mutant = bytes.to_vec();
    match n % 3 {
        0 => mutant.truncate(at),
        1 => mutant[at] ^= 1 << (n % 8),
        _ => mutant[at] = 0xff,
    }
    mutant
}

/// Runs the child; the mutants at which the library hung or crashed.
fn casualties(name: &str) -> Vec<usize> {
    let mut casualties = Vec::new();
    let mut from = 0;
    while from < n_mutants() {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "corrupt::read_mutants", "--nocapture"])
            .env("STOOK_MUTANTS_OF", name)
            .env("STOOK_MUTANTS_FROM", from.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while child.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!errors.contains("panicked"), "{name}: {text}\n{errors}");
        if text.contains("done") {
            break;
        }
        let last = text.lines().rev().find_map(|line| line.split("mutant ").nth(1)?.parse().ok());
        let last: usize = last.unwrap_or_else(|| panic!("{name}: {text}\n{errors}"));
        casualties.push(last);
        from = last + 1;
    }
    casualties
}

#[test]
fn damaged_files_give_errors_or_data() {
    let names = [
        "layouts.h5",
        "filters.h5",
        "dtypes.h5",
        "strings.h5",
        "attributes.h5",
        "dense.h5",
        "links.h5",
        "tables.h5",
        "superblock-v2.h5",
        "superblock-v3.h5",
        "userblock.h5",
        "paged.h5",
        "complex.h5",
        "plugins.h5",
        "outside/inner/virtual.h5",
        "outside/inner/external.h5",
        "outside/inner/links.h5",
    ];
    for name in names {
        let casualties = casualties(name);
        if !casualties.is_empty() {
            println!("{name}: the library hung or crashed at mutants {casualties:?}");
        }
        // The library's own faults; ours would have panicked above.
        assert!(casualties.len() <= n_mutants() / 20, "{name}: {casualties:?}");
    }
}
