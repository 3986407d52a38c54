//! A small disk that fills up at every stage of an acquisition: an error, nothing lost of what was
//! acknowledged, and the file goes on once there is room.

use std::path::Path;
use std::process::Command;

use stook::{DType, Durability, ErrorKind, Result, Selection};
use stook_nodes::{Acquisition, Convention, OpenMode, Options, Value};

const ROW: usize = 700;
/// How much room there is at first, and how much more each time.
const ROOMS: (usize, usize) = (3_000, 11_000);
const N_ROOMS: usize = 20;

fn row(i: u64) -> Vec<f64> {
    (0..ROW as u64).map(|at| ((at * 37 + i * 1001) % 65521) as f64 / 7.0).collect()
}

/// A file that takes room, in a file system of 1 MiB.
fn fill(folder: &Path, left: usize) {
    let filler = folder.join("filler");
    std::fs::remove_file(&filler).ok();
    let mut bytes = vec![1_u8; 1 << 20];
    // What is there takes some of it: as much as there is room for is written.
    let _ = std::fs::write(&filler, &bytes);
    let len = std::fs::metadata(&filler).unwrap().len() as usize;
    bytes.truncate(len.saturating_sub(left));
    std::fs::write(&filler, &bytes).unwrap();
}

/// That the first rows are there, and no others where that `is_all`.
fn check(path: &Path, n_rows: u64, is_all: bool, what: &str) {
    let run = Acquisition::open(path).unwrap();
    let array = run.earray("/rows").unwrap();
    let found = array.shape().unwrap()[0];
    assert!(found >= n_rows && (found == n_rows || !is_all), "{what}: {found} of {n_rows} rows");
    let items: Vec<f64> = array.array().unwrap().read_as(&Selection::All).unwrap();
    for (i, found) in items.chunks(ROW).enumerate() {
        assert_eq!(found, row(i as u64), "{what}: row {i}");
    }
    let log = run.string_array("/log").unwrap().read().unwrap();
    for (i, line) in log.iter().enumerate() {
        assert_eq!(*line, format!("line {i}"), "{what}");
    }
}

/// Steps until one fails; gives its name.
fn write_until_full(path: &Path, options: &Options, room: usize, level: u8) -> &'static str {
    let folder = path.parent().unwrap();
    let run = Acquisition::open_with(path, options).unwrap();
    run.set_compression(level).unwrap();
    let root = run.root().unwrap();
    let rows = root.create_earray("rows", DType::Float64, &[ROW as u64], "").unwrap();
    let log = root.create_string_array("log", "").unwrap();
    run.flush(Durability::Flush).unwrap();
    fill(folder, room);
    let (mut n_rows, mut n_lines, mut n_acknowledged) = (0, 0, 0);
    let mut failed = None;
    for i in 0_u64.. {
        let mut step = |name, done: Result<()>| {
            if let Err(error) = &done {
                assert_eq!(error.kind(), ErrorKind::Io, "{name}: {error}");
                assert!(error.location().file.is_some(), "{name}: {error}");
                failed.get_or_insert(name);
            }
            done.is_ok()
        };
        n_rows += u64::from(step("append", rows.append_elements(&row(n_rows))));
        n_lines += u64::from(step("log", log.append(&format!("line {n_lines}"))));
        if i % 4 == 1 {
            step("create", root.create_group_with(&format!("g{i}"), "", &[]).map(drop));
        }
        let text = Value::Text("y".repeat((i % 9) as usize * 40));
        step("attribute", rows.set_attribute("state", &text));
        if i % 3 == 2 && step("flush", run.flush(Durability::Flush)) {
            n_acknowledged = n_rows;
        }
        if failed.is_some() {
            break;
        }
    }
    let what = format!("{} with {room} bytes, level {level}", path.display());
    check(path, n_acknowledged, false, &what);
    std::fs::remove_file(folder.join("filler")).unwrap();
    run.flush(Durability::Flush).unwrap();
    check(path, n_rows, true, &what);
    rows.append_elements(&row(n_rows)).unwrap();
    log.append(&format!("line {n_lines}")).unwrap();
    drop((rows, log, root));
    run.close().unwrap();
    check(path, n_rows + 1, true, &what);
    failed.unwrap()
}

/// What the child does, in whose namespace the folder is a small file system.
#[test]
#[ignore = "run by the test below where there is a small disk"]
fn fill_a_small_disk() {
    let Some(folder) = std::env::var_os("STOOK_SMALL_DISK") else { return };
    let mut stages = std::collections::BTreeMap::new();
    for (name, convention) in [
        ("tables.h5", Convention::Tables),
        ("h5py.h5", Convention::H5py),
        ("x.zarr", Convention::H5py),
    ] {
        for at in 0..N_ROOMS {
            let path = Path::new(&folder).join(name);
            let options = Options {
                mode: OpenMode::Create,
                convention: Some(convention),
                ..Options::default()
            };
            let (room, level) = (ROOMS.0 + at * ROOMS.1, if at % 2 == 0 { 0 } else { 4 });
            *stages.entry(write_until_full(&path, &options, room, level)).or_insert(0) += 1;
            match path.is_dir() {
                true => std::fs::remove_dir_all(&path).unwrap(),
                false => std::fs::remove_file(&path).unwrap(),
            }
        }
    }
    println!("{stages:?}");
    assert!(stages.contains_key("flush"), "{stages:?}");
}

#[test]
fn a_disk_that_fills_up_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // In a mount namespace of its own: the file system goes with the process.
    let mount = "mount -t tmpfs -o size=1m none \"$0\" && exec \"$@\"";
    let inside = |user: &[&str]| {
        let mut command = Command::new("unshare");
        command.arg("--mount").args(user).args(["sh", "-c", mount]).arg(folder.path());
        command
    };
    let ways: [&[&str]; 2] = [&[], &["--map-root-user", "--user"]];
    let is_possible =
        |user: &&&[&str]| inside(user).arg("true").output().is_ok_and(|done| done.status.success());
    let Some(user) = ways.iter().find(is_possible) else {
        println!("left out: no small file system can be mounted here");
        return;
    };
    let done = inside(user)
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "full_disk::fill_a_small_disk", "--nocapture"])
        .env("STOOK_SMALL_DISK", folder.path())
        .output()
        .unwrap();
    let said = [done.stdout, done.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(done.status.success(), "{}{}", said[0], said[1]);
    println!("{}", said[0]);
}
