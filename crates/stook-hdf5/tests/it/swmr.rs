//! Readers of the HDF5 library that follow a writer of ours (`swmr=True` in h5py), and writers
//! that are killed meanwhile.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use stook_core::codec::CodecSpec;
use stook_core::container::{Container, Durability, OpenOptions};
use stook_core::{ArraySpec, AttributeEdits, DType, ErrorKind, Values};
use stook_hdf5::{CreateOptions, Existing, Hdf5File, Readers, Remedy, recover};

use crate::python::python;
use crate::support::{array, create, growing_spec, node, open_again, read, row_values, scratch};

const N_ROWS: u64 = 600;
const N_KILLS: u64 = 6;

/// h5py opens the file once and follows it; every row that it sees is whole.
const FOLLOW: &str = r#"
f = h5py.File(path, "r", swmr=True)
def row(name, i):
    if name == "scalars":
        return i * 1000.0
    if name == "images":
        return (i * 7 + np.arange(24 * 32).reshape(24, 32)).astype("u2")
    return i * 1000.0 + np.arange(100)
def look(d, name, first):
    d.refresh()
    n = d.shape[0]
    found = d[first:n]
    for i in range(first, n):
        assert (found[i - first] == row(name, i)).all(), (name, i, n)
    return n
seen = dict.fromkeys(["scalars", "spectra", "zipped", "images"], 0)
print("ready", flush=True)
n_looks = 0
while min(seen.values()) < TARGET:
    n_looks += 1
    for name in seen:
        # From some rows back on: what was there must be there still.
        n = look(f[name], name, max(seen[name] - 10, 0))
        assert n >= seen[name], (name, n, seen[name])
        seen[name] = n
for name in seen:
    look(f[name], name, 0)
print("looks", n_looks, flush=True)
"#;

fn growing() -> Vec<(&'static str, ArraySpec)> {
    let zip = || vec![CodecSpec::Zlib { level: 1 }];
    vec![
        ("scalars", growing_spec(DType::Float64, &[], 16, Vec::new())),
        ("spectra", growing_spec(DType::Float64, &[100], 7, Vec::new())),
        ("zipped", growing_spec(DType::Float64, &[100], 7, zip())),
        ("images", growing_spec(DType::UInt16, &[24, 32], 1, zip())),
    ]
}

fn options() -> CreateOptions {
    CreateOptions { readers: Readers::V110, ..CreateOptions::default() }
}

/// Appends rows `from..to` to all arrays, and commits each; tells what it has acknowledged.
fn append(file: &Hdf5File, from: u64, to: u64, mut acknowledged: impl FnMut(u64)) {
    let arrays: Vec<_> =
        growing().iter().map(|(name, _)| array(file, &format!("/{name}"))).collect();
    for row in from..to {
        for array in &arrays {
            array.append(&row_values(&array.dtype(), &array.shape(), row), 0).unwrap();
        }
        file.commit(Durability::Flush).unwrap();
        acknowledged(row + 1);
    }
}

fn make(path: &Path) -> Hdf5File {
    let file = Hdf5File::create(path, &options()).unwrap();
    for (name, spec) in growing() {
        create(&file, &format!("/{name}"), &spec);
    }
    file
}

/// An h5py that follows the file at `path` until it has seen `target` rows.
fn follow(path: &Path, target: u64) -> Option<Child> {
    let python = std::env::var_os("STOOK_TEST_PYTHON")?;
    let prelude = "import sys\nimport h5py\nimport numpy as np\npath = sys.argv[1]\n";
    let script = format!("{prelude}TARGET = {target}\n{FOLLOW}");
    let mut child = Command::new(python)
        .arg("-c")
        .arg(script)
        .arg(path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 6];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
    assert_eq!(&first, b"ready\n");
    Some(child)
}

#[track_caller]
fn expect_well(child: Child) {
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}

#[test]
fn readers_in_h5py_follow_whole_rows() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.h5");
    let file = make(&path);
    append(&file, 0, 3, |_| ());
    file.start_swmr().unwrap();
    file.start_swmr().unwrap();
    let followers: Vec<Child> = (0..2).filter_map(|_| follow(&path, N_ROWS)).collect();
    append(&file, 3, N_ROWS, |_| ());
    // Who reads the file in another way sees a commit, too.
    python("f = h5py.File(path)\nassert len(f['scalars']) == 600 == len(f['zipped'])", &path);
    followers.into_iter().for_each(expect_well);
    drop(file);
    assert_eq!(read(&open_again(&path), "/scalars").shape(), [N_ROWS]);
}

#[test]
fn only_elements_change_while_others_follow() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.h5");
    let file = make(&path);
    file.start_swmr().unwrap();
    let edits = AttributeEdits::new().set("a", Values::text("text"));
    let refused = [
        file.create_group(&node("/g")),
        file.remove(&node("/scalars")),
        file.rename(&node("/scalars"), &node("/s")),
        file.edit_attributes(&node("/"), &edits),
    ];
    for error in refused.map(Result::unwrap_err) {
        assert_eq!(error.kind(), ErrorKind::ReadOnly);
        assert!(error.message().contains("SWMR"), "{error}");
    }
    append(&file, 0, 2, |_| ());
    drop(file);
    // It ends with the file being closed.
    open_again(&path).edit_attributes(&node("/"), &edits).unwrap();
    python("assert h5py.File(path).attrs['a'] == 'text'", &path);
}

#[test]
fn a_file_for_older_readers_is_not_followed() {
    let (_dir, _path, file) = scratch();
    let error = file.start_swmr().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.hint().is_some(), "{error}");
    file.create_group(&node("/g")).unwrap();
}

/// What the child does, until it is killed.
#[test]
#[ignore = "run by the test below in a process of its own"]
fn write_until_killed() {
    let Some(path) = std::env::var_os("STOOK_WRITES") else { return };
    let file = open_again(Path::new(&path));
    let first = array(&file, "/scalars").shape()[0];
    file.start_swmr().unwrap();
    append(&file, first, first + 100_000, |n| println!("acknowledged {n}"));
}

#[test]
fn a_writer_that_is_killed_leaves_a_file_that_opens_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let n_kills: u64 =
        std::env::var("STOOK_TORTURE").ok().and_then(|n| n.parse().ok()).unwrap_or(N_KILLS);
    let path = dir.path().join("x.h5");
    drop(make(&path));
    let mut last = 0;
    for kill in 0..n_kills {
        if kill % 40 == 39 {
            let replace = CreateOptions { existing: Existing::Replace, ..options() };
            drop(Hdf5File::create(&path, &replace).unwrap());
            last = 0;
            for (name, spec) in growing() {
                create(&open_again(&path), &format!("/{name}"), &spec);
            }
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "swmr::write_until_killed", "--nocapture"])
            .env("STOOK_WRITES", &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let wanted = last + 1 + (kill * 37) % 60;
        let mut said = |until: u64| {
            let numbers = lines.by_ref().map_while(Result::ok).filter_map(|line| {
                line.rsplit_once("acknowledged ").and_then(|(_, n)| n.parse::<u64>().ok())
            });
            numbers.inspect(|n| last = *n).find(|n| *n >= until)
        };
        said(wanted);
        child.kill().unwrap();
        child.wait().unwrap();
        while said(u64::MAX).is_some() {}
        let judge = format!(
            "for swmr in [False, True]:\n    \
             f = h5py.File(path, swmr=swmr)\n    \
             n = [len(f[k]) for k in ('scalars', 'spectra', 'zipped', 'images')]\n    \
             assert min(n) >= {last}, (n, {last})\n    \
             i = np.arange(n[2])\n    \
             assert (f['zipped'][:] == i[:, None] * 1000.0 + np.arange(100)).all()\n    \
             assert (f['scalars'][:] == np.arange(n[0]) * 1000.0).all()\n    \
             f.close()\n"
        );
        // The HDF5 library opens it before anything has been recovered, and after.
        python(&judge, &path);
        let file = Hdf5File::open(&path, &OpenOptions::read()).unwrap();
        let n = read(&file, "/zipped").shape()[0];
        assert!(n >= last && array(&file, "/images").shape()[0] == n);
        drop(file);
        drop(open_again(&path));
        assert_eq!(recover(&path, Remedy::Look).unwrap(), None);
        python(&judge, &path);
        last = n;
    }
}
