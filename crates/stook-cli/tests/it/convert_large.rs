//! Conversions that are large, or that end early: memory, and what a kill leaves.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use stook::{CodecSpec, DType, File, Selection, Values};

use crate::Folder;

/// 20 GB of which little was ever written: 20,000 × 262,144 `f32`, a few boxes of numbers.
fn make_sparse(path: &Path, codec: CodecSpec) {
    let file = File::create(path).unwrap();
    let root = file.root_group().unwrap();
    let fill = (-1_f32).to_le_bytes().to_vec();
    let fill = Values::new(DType::Float32, vec![], fill, vec![]).unwrap();
    let x = root.array("g/x").dtype(DType::Float32).shape([20_000, 262_144]).chunks([64, 4096]);
    let x = x.fill_value(fill).codecs([codec]).create().unwrap();
    for i in 0..20_u64 {
        let (row, column) = (i * 7919 % 19_000, i * 104_729 % 250_000);
        let block: Vec<f32> = (0..100_000_u32).map(|n| (n % 1000) as f32).collect();
        let at = Selection::ranges([row..row + 100, column..column + 1000]);
        x.write_elements(&at, &[100, 1000], &block).unwrap();
    }
    file.commit().unwrap();
}

/// Waits for `command`, and gives the most memory that it has had, in bytes.
#[cfg(target_os = "linux")]
fn most_memory(mut command: Command) -> u64 {
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
        most = most.max(kilobytes.unwrap_or(0_u64) * 1024);
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            return most;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn twenty_gigabytes_go_through_300_megabytes() {
    let folder = Folder::new();
    make_sparse(&folder.path("a.h5"), CodecSpec::Zlib { level: 1 });
    for (from, to) in [("a.h5", "b.zarr"), ("b.zarr", "c.h5")] {
        let arguments = ["convert", from, to, "--memory", "300M", "--chunks", "g/x=100,3000"];
        let most = most_memory(folder.command(&arguments));
        assert!(most > 10 << 20 && most < 300 << 20, "{from} {to}: {} MiB", most >> 20);
    }
    // What is there is where it was, and what is not was never written.
    let arrays = ["a.h5", "b.zarr", "c.h5"].map(|name| {
        let file = File::open(folder.path(name)).unwrap();
        file.array("g/x").unwrap()
    });
    for i in 0..20_u64 {
        let (row, column) = (i * 7919 % 19_000, i * 104_729 % 250_000);
        let at = Selection::ranges([row.saturating_sub(5)..row + 105, column..column + 1100]);
        let read = arrays.each_ref().map(|array| array.read_as::<f32>(&at).unwrap());
        assert!(read[0] == read[1] && read[1] == read[2], "{i}");
    }
    assert!(arrays[2].source().n_stored().unwrap() < 200);
    let on_disk = stook::len_bytes(folder.path("c.h5").as_path()).unwrap();
    assert!(on_disk < 50 << 20, "{on_disk}");
}

/// Random numbers that compress a little, so that a conversion takes a while.
fn make_dense(path: &Path) {
    let file = File::create(path).unwrap();
    let root = file.root_group().unwrap();
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 54) as i32
    };
    for name in ["a", "g/b"] {
        let x = root.array(name).dtype(DType::Int32).shape([2000, 2000]).chunks([100, 250]);
        let x = x.codecs([CodecSpec::Zlib { level: 1 }]).create().unwrap();
        let elements: Vec<i32> = (0..4_000_000).map(|_| next()).collect();
        x.write_elements(&Selection::All, &[2000, 2000], &elements).unwrap();
    }
    root.set_attribute("title", serde_json::json!("dense")).unwrap();
    file.commit().unwrap();
}

#[test]
fn a_killed_conversion_goes_on() {
    let folder = Folder::new();
    make_dense(&folder.path("a.h5"));
    let options = ["--memory", "12M", "--chunks", "64,500", "--codec", "shuffle+gzip:4"];
    for to in ["b.zarr", "b.h5"] {
        let arguments = [&["convert", "a.h5", to, "--resume", "--json"][..], &options].concat();
        let journal = folder.path(&format!(".stook-tmp-part-{to}/journal"));
        let len = || std::fs::metadata(&journal).map_or(0, |metadata| metadata.len());
        for i in 0..4_u64 {
            let mut child = folder.command(&arguments);
            let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            // At least a block further than the last time, and then at any moment.
            let before = len();
            while len() < before + 100 && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(u64::from(std::process::id()) * (i + 3) % 23));
            child.kill().unwrap();
            child.wait().unwrap();
            if folder.path(to).exists() {
                break;
            }
        }
        if !folder.path(to).exists() {
            let run = folder.run(&arguments).expect(0);
            let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
            // What an HDF5 file had not been flushed of is made again.
            let is_resumed = report["resumed_size"].as_u64().unwrap() > 0;
            assert!(is_resumed || to == "b.h5", "{run}");
        }
        let verdict = folder.run(&["diff", "a.h5", to]);
        assert_eq!(verdict.status, Some(0), "{to}: {verdict}");
        let left = std::fs::read_dir(folder.path("")).unwrap();
        let left = left
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'));
        assert_eq!(left.count(), 0);
    }
}

#[test]
fn what_a_kill_leaves_is_told() {
    let folder = Folder::new();
    make_dense(&folder.path("a.h5"));
    let options = ["--memory", "12M", "--chunks", "64,500", "--codec", "shuffle+gzip:9"];
    let arguments = [&["convert", "a.h5", "b.zarr"][..], &options].concat();
    let mut child = folder.command(&arguments).stderr(Stdio::null()).spawn().unwrap();
    let part = folder.path(".stook-tmp-part-b.zarr/0-b.zarr/a/c");
    while !part.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let run = folder.run(&arguments).expect(1);
    assert!(run.err.contains("an unfinished conversion of `"), "{run}");
    assert!(
        run.err.contains("hint: go on with it (`--resume`), or begin anew (`--restart`)"),
        "{run}"
    );
    let arguments = ["convert", "a.h5", "b.zarr", "--restart", "--quiet"];
    insta::assert_snapshot!(folder.run(&arguments), @"exit 0");
}
