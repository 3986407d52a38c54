//! Writers that are killed while they change a loom: it is as before the change, or as after it.
//!
//! `STOOK_TORTURE=N` asks for N kills in the place of a few.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use stook::{AxisSelection, Selection};
use stook_loom::validate::{Level, validate};
use stook_loom::{AddLoom, Addition, Axis, Loom, numbers};

use crate::support::{floats, texts};

/// Kills where nobody asks for more.
const N_KILLS: u64 = 10;
const N_ROWS: u64 = 150;

fn n_kills() -> u64 {
    std::env::var("STOOK_TORTURE").ok().and_then(|n| n.parse().ok()).unwrap_or(N_KILLS)
}

/// Cells whose elements are their number, plus the row's divided by 1000.
fn cells(from: u64, n: u64) -> (stook::Values, stook::Values) {
    let row = |row: u64| (from..from + n).map(move |cell| (cell * 1000 + row) as f32);
    let elements: Vec<f32> = (0..N_ROWS).flat_map(row).collect();
    let names: Vec<String> = (from..from + n).map(|cell| format!("cell {cell}")).collect();
    (numbers(vec![N_ROWS, n], &elements).unwrap(), texts(&names))
}

fn create(path: &Path) -> Loom {
    let (matrix, names) = cells(0, 100);
    let builder = Loom::builder(path).layer("", &matrix).layer("twice", &matrix);
    builder.attribute(Axis::Columns, "CellID", names).create().unwrap()
}

/// What the child does: adds columns and looms, and permutes, until it is killed.
#[test]
#[ignore = "run by the test below in a process of its own"]
fn change_until_killed() {
    let Some(path) = std::env::var_os("STOOK_WRITES") else { return };
    let path = Path::new(&path);
    let loom = Loom::open_read_write(path).unwrap();
    let other = create(&path.with_file_name("other.loom"));
    println!("began");
    for round in 0..100_000_u64 {
        let [_, n] = loom.shape().unwrap();
        match round % 4 {
            0 => {
                let (matrix, names) = cells(n, 30);
                let addition = Addition::new().layer("", &matrix).layer("twice", &matrix);
                loom.add(Axis::Columns, addition.attribute("CellID", names)).unwrap();
            }
            1 => {
                let order: Vec<u64> = (0..n).rev().collect();
                loom.permute(Axis::Columns, &order).unwrap();
            }
            2 => drop(loom.add_loom(&other, &AddLoom::default()).unwrap()),
            _ => loom.keep(Axis::Columns, &AxisSelection::range(0, 150.min(n))).unwrap(),
        }
        println!("changed");
    }
}

fn start(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "killed::change_until_killed", "--nocapture"])
        .env("STOOK_WRITES", path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The loom is valid, and each column's name is that of its elements in all layers.
fn judge(path: &Path) {
    let report = validate(path, Level::Specification).unwrap();
    assert!(report.is_valid(), "{:?}", report.errors);
    let loom = Loom::open_read_write(path).unwrap();
    let [_, n] = loom.shape().unwrap();
    let names = loom.attributes(Axis::Columns).get("CellID").unwrap();
    for layer in ["", "twice"] {
        let values = floats(&loom.layer(layer).unwrap().read(&Selection::All).unwrap());
        for (at, value) in values.iter().enumerate() {
            let (row, column) = (at as u64 / n, at % n as usize);
            let name = names.text_at(column).unwrap();
            let cell: u64 = name.strip_prefix("cell ").unwrap().parse().unwrap();
            assert_eq!(*value, (cell * 1000 + row) as f32, "layer `{layer}`, {row}, {column}");
        }
    }
}

#[test]
fn a_killed_writer_leaves_the_old_or_the_new_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.loom");
    create(&path).close().unwrap();
    for kill in 0..n_kills() {
        let _ = std::fs::remove_file(folder.path().join("other.loom"));
        let _ = std::fs::remove_file(folder.path().join("other.loom-journal"));
        let mut child = start(&path);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Not before the first change, whatever the machine is busy with.
        assert!(lines.any(|line| line.unwrap().ends_with("began")));
        std::thread::sleep(Duration::from_millis(kill * 37 % 400));
        child.kill().unwrap();
        child.wait().unwrap();
        judge(&path);
    }
}

/// A new loom is there whole or not at all.
#[test]
#[ignore = "run by the test below in a process of its own"]
fn create_until_killed() {
    let Some(path) = std::env::var_os("STOOK_WRITES") else { return };
    println!("began");
    for round in 0..100_000 {
        create(&Path::new(&path).with_extension(format!("{round}.loom"))).close().unwrap();
    }
}

#[test]
fn a_killed_creator_leaves_a_whole_loom_or_none() {
    let folder = tempfile::tempdir().unwrap();
    for kill in 0..n_kills().div_ceil(3) {
        let path = folder.path().join(format!("{kill}"));
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "killed::create_until_killed", "--nocapture"])
            .env("STOOK_WRITES", &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().ends_with("began")));
        std::thread::sleep(Duration::from_millis(100 + kill * 53 % 200));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    for found in std::fs::read_dir(folder.path()).unwrap() {
        let path = found.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with(|c: char| c.is_ascii_digit()) && name.ends_with(".loom") {
            judge(&path);
        }
    }
}

/// Adds columns until there is no room, and goes on with the loom as it was.
#[test]
#[ignore = "run by the test below in a process of its own"]
fn change_until_full() {
    let Some(path) = std::env::var_os("STOOK_WRITES") else { return };
    let path = Path::new(&path);
    let loom = Loom::open_read_write(path).unwrap();
    let mut n = loom.shape().unwrap()[1];
    let error = loop {
        let (matrix, names) = cells(n, 500);
        let addition = Addition::new().layer("", &matrix).layer("twice", &matrix);
        match loom.add(Axis::Columns, addition.attribute("CellID", names)) {
            Ok(_) => n += 500,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), stook::ErrorKind::Io, "{error}");
    assert_eq!(loom.shape().unwrap()[1], n);
    assert_eq!(loom.attributes(Axis::Columns).get("CellID").unwrap().len() as u64, n);
    // A change that needs little room is made.
    loom.file_attributes().set("Note", &stook::Values::text("full")).unwrap();
    loom.close().unwrap();
    judge(path);
    println!("judged");
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_loom_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.loom");
    create(&path).close().unwrap();
    let exe = std::env::current_exe().unwrap();
    let test = "--ignored --exact killed::change_until_full --nocapture";
    // Files of at most 1 MB, without the signal that would end the process.
    let script = format!("trap '' XFSZ; ulimit -f 2000; exec '{}' {test}", exe.display());
    let output = Command::new("sh").arg("-c").arg(script).env("STOOK_WRITES", &path).output();
    let said = String::from_utf8_lossy(&output.unwrap().stdout).into_owned();
    assert!(said.contains("judged"), "{said}");
    judge(&path);
}
