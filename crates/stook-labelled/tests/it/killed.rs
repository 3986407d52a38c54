//! Savers that are killed, and disks that fill up: what was there stays, whole.
//!
//! `STOOK_TORTURE=N` asks for N kills of each format in the place of a few.
#![allow(clippy::disallowed_methods, reason = "the tests look what lies in folders")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use stook_core::ErrorKind;
use stook_labelled::session::SaveOptions;
use stook_labelled::{Array, Axis, AxisCollection, Item, Session};

use crate::support::{formats, load};

/// Kills of each format where nobody asks for more.
const N_KILLS: u64 = 6;
/// Elements of an array.
const LEN: usize = 6000;

fn n_kills() -> u64 {
    std::env::var("STOOK_TORTURE").ok().and_then(|n| n.parse().ok()).unwrap_or(N_KILLS)
}

/// Arrays whose elements all are the number of the round.
fn session(round: i64, n_arrays: usize) -> Session {
    let axes = AxisCollection::parse("a=a0..a9").unwrap();
    let axes: AxisCollection =
        axes.iter().cloned().chain([Axis::wildcard(LEN / 10, Some("b"))]).collect();
    let array = Array::from_elements(axes, &[round; LEN]).unwrap();
    (0..n_arrays).map(|at| (format!("array{at}"), array.clone())).collect()
}

/// Formats, and a csv file by itself, with how many arrays each gets.
fn targets() -> Vec<(&'static str, usize)> {
    formats().into_iter().map(|name| (name, 3)).chain([("array0.csv", 1)]).collect()
}

/// What the child does until it is killed.
#[test]
#[ignore = "run by the test below in a process of its own"]
fn save_until_killed() {
    let Some(path) = std::env::var_os("STOOK_WRITES") else { return };
    let n_arrays = std::env::var("STOOK_ARRAYS").unwrap().parse().unwrap();
    println!("began");
    for round in 1.. {
        session(round, n_arrays).save(Path::new(&path), &SaveOptions::default()).unwrap();
    }
}

fn judge(path: &Path, n_arrays: usize, is_one_file: bool) {
    let found = load(path);
    assert_eq!(found.len(), n_arrays, "{path:?}");
    let mut rounds: Vec<i64> = Vec::new();
    for (name, item) in found.iter() {
        let elements = item.as_array().unwrap().to_vec::<i64>().unwrap();
        assert_eq!(elements.len(), LEN, "{path:?} {name}");
        assert!(elements.iter().all(|element| *element == elements[0]), "{path:?} {name}");
        rounds.push(elements[0]);
    }
    // A folder of csv files is replaced file by file; all else as a whole.
    assert!(!is_one_file || rounds.iter().all(|round| *round == rounds[0]), "{rounds:?}");
}

#[test]
fn a_killed_saver_leaves_the_old_or_the_new_session() {
    for (name, n_arrays) in targets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        session(0, n_arrays).save(&path, &SaveOptions::default()).unwrap();
        for kill in 0..n_kills() {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--ignored", "--exact", "killed::save_until_killed", "--nocapture"])
                .env("STOOK_WRITES", &path)
                .env("STOOK_ARRAYS", n_arrays.to_string())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            // Not before the first save, whatever the machine is busy with.
            assert!(lines.any(|line| line.unwrap().ends_with("began")));
            std::thread::sleep(Duration::from_micros(kill * 17_977 % 90_000));
            child.kill().unwrap();
            child.wait().unwrap();
            judge(&path, n_arrays, name != "x");
        }
    }
}

/// Elements that no compressor makes small.
fn large() -> Session {
    let mut state = 1_u64;
    let numbers = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    });
    let numbers: Vec<f64> = numbers.take(40_000).collect();
    let axis = Axis::parse("a=a0..a39999").unwrap();
    let rows = AxisCollection::from(vec![axis, Axis::parse("b=b0").unwrap()]);
    [("array0", Array::from_elements(rows, &numbers).unwrap())].into_iter().collect()
}

/// What the child does, whose files may have 64 KiB at most.
#[test]
#[ignore = "run by the test below in a process of its own"]
fn save_where_there_is_no_room() {
    let Some(folder) = std::env::var_os("STOOK_WRITES") else { return };
    let large = large();
    for (name, _) in targets() {
        let path = Path::new(&folder).join(name);
        let error = large.save(&path, &SaveOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{name}: {error}");
        assert!(error.location().file.is_some(), "{name}: {error}");
    }
    println!("judged");
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_old_session() {
    let folder = tempfile::tempdir().unwrap();
    let old: Session =
        [("array0", Item::from(stook_labelled::ndtest([2, 2]).unwrap()))].into_iter().collect();
    for (name, _) in targets() {
        old.save(folder.path().join(name), &SaveOptions::default()).unwrap();
    }
    let exe = std::env::current_exe().unwrap();
    let test = "--ignored --exact killed::save_where_there_is_no_room --nocapture";
    // Without the signal that would end the process.
    let script = format!("trap '' XFSZ; ulimit -f 128; exec '{}' {test}", exe.display());
    let done = Command::new("sh")
        .arg("-c")
        .arg(script)
        .env("STOOK_WRITES", folder.path())
        .output()
        .unwrap();
    let said = [done.stdout, done.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(said[0].contains("judged"), "{}{}", said[0], said[1]);
    let mut names = Vec::new();
    for (name, _) in targets() {
        let found = load(&folder.path().join(name));
        let elements = found.get("array0").unwrap().as_array().unwrap().to_vec::<i64>().unwrap();
        assert_eq!((found.len(), elements), (1, vec![0, 1, 2, 3]), "{name}");
        names.push(name.to_owned());
    }
    let left = std::fs::read_dir(folder.path()).unwrap();
    let mut left: Vec<_> =
        left.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    left.sort();
    names.sort();
    assert_eq!(left, names, "files are left");
}
