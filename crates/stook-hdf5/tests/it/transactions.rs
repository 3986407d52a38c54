//! Writers that are killed, files that two processes have open, disks that are full: what was
//! committed is there, whole.
//!
//! `STOOK_TORTURE=N` asks for N kills in the place of a few; `cargo xtask torture` does so.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use stook_core::codec::CodecSpec;
use stook_core::container::{Container, Durability, OpenOptions, WholeArray};
use stook_core::dtype::{Charset, FixedString, Padding};
use stook_core::{
    ArraySpec, AttributeEdits, AttributeValue, DType, ErrorKind, NodeKind, NodePath, Selection,
    Values,
};
use stook_hdf5::{CreateOptions, Existing, Hdf5File, Remedy, recover};

use crate::python::python;
use crate::support::{array, create, growing_spec, node, open_again, read, row_values, scratch};

/// Kills where nobody asks for more.
const N_KILLS: u64 = 8;

fn n_kills() -> u64 {
    std::env::var("STOOK_TORTURE").ok().and_then(|n| n.parse().ok()).unwrap_or(N_KILLS)
}

/// Splitmix64: the same run for the same seed.
fn random(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// An array that grows by rows: its name, and its spec.
fn growing() -> Vec<(&'static str, ArraySpec)> {
    let gzip = || vec![CodecSpec::Zlib { level: 4 }];
    vec![
        ("scalars", growing_spec(DType::Float64, &[], 64, Vec::new())),
        ("spectra", growing_spec(DType::Float64, &[100], 7, Vec::new())),
        ("zipped", growing_spec(DType::Float64, &[100], 7, gzip())),
        ("images", growing_spec(DType::UInt16, &[24, 32], 1, gzip())),
        (
            "text",
            growing_spec(DType::String(stook_core::dtype::Charset::Utf8), &[], 10, Vec::new()),
        ),
    ]
}

/// What the child does: appends rows, makes and removes nodes, until it is killed.
#[test]
#[ignore = "run by the tests below in a process of its own"]
fn write_until_killed() {
    let Some(path) = std::env::var_os("STOOK_WRITES") else { return };
    let seed: u64 = std::env::var("STOOK_SEED").unwrap().parse().unwrap();
    let durability = if seed % 5 == 4 { Durability::Fsync } else { Durability::Flush };
    let rows_a_commit = if seed.is_multiple_of(2) { 1 } else { 10 };
    let path = Path::new(&path);
    let file = match path.exists() {
        true => open_again(path),
        false => Hdf5File::create(path, &CreateOptions::default()).unwrap(),
    };
    let is_new = file.kind(&node("/scalars")).unwrap().is_none();
    let arrays: Vec<_> = growing()
        .iter()
        .map(|(name, spec)| match is_new {
            true => create(&file, &format!("/{name}"), spec),
            false => array(&file, &format!("/{name}")),
        })
        .collect();
    let first = arrays[0].shape()[0];
    for row in first..first + 100_000 {
        for array in &arrays {
            array.append(&row_values(&array.dtype(), &array.shape(), row), 0).unwrap();
        }
        if (row + 1) % rows_a_commit != 0 {
            continue;
        }
        change_nodes(&file, row, random(seed + row) % 10);
        let mut edits = AttributeEdits::default();
        let text = "x".repeat((random(row) % 300) as usize);
        edits.changes.push(("rows".to_owned(), Some(Values::text(&format!("{}", row + 1)).into())));
        edits.changes.push(("text".to_owned(), Some(Values::text(&text).into())));
        file.edit_attributes(&node("/"), &edits).unwrap();
        file.commit(durability).unwrap();
        println!("acknowledged {}", row + 1);
    }
}

/// Makes nodes, or takes some away: `choice` is one of ten things to do.
fn change_nodes(file: &Hdf5File, row: u64, choice: u64) {
    let is_there = |at: &str| file.kind(&node(at)).unwrap().is_some();
    match choice {
        0 => file.create_group(&node(&format!("/nodes/n{row}"))).unwrap(),
        1 => {
            let spec = ArraySpec::new(DType::Int32, vec![50]);
            let made = create(file, &format!("/kept/a{row}"), &spec);
            let items: Vec<u8> = (0..50_i32).flat_map(i32::to_ne_bytes).collect();
            let values = Values::new(DType::Int32, vec![50], items, Vec::new()).unwrap();
            made.write(&Selection::All, &values).unwrap();
        }
        2 if is_there("/nodes") => file.remove(&node("/nodes")).unwrap(),
        3 if is_there("/kept") => {
            file.rename(&node("/kept"), &node(&format!("/old{row}"))).unwrap();
        }
        // One, and more than fit in what is taken from the end of the file at once.
        4 => make_whole(file, "/kept", row, 1),
        5 => make_whole(file, "/nodes", row, 30),
        6 => make_whole(file, "/whole", row, 7),
        7 if is_there("/whole") => change_whole(file, row),
        _ => {}
    }
}

/// `n` small arrays with elements and attributes in one step each: `w{row}_{at}` of `at + 1`
/// numbers, all of them `row`.
fn make_whole(file: &Hdf5File, group: &str, row: u64, n: u64) {
    if file.kind(&node(group)).unwrap().is_none() {
        file.create_group(&node(group)).unwrap();
    }
    for at in 0..n {
        let items = (row as f64).to_ne_bytes().repeat(at as usize + 1);
        let attributes = AttributeEdits::new()
            .set("row", Values::zeroed(DType::Int64, vec![]).unwrap())
            .set("CLASS", fixed_text("CARRAY"))
            .set("note", fixed_text(&format!("made at {row}")));
        let whole = WholeArray {
            dtype: &DType::Float64,
            shape: &[at + 1],
            items: &items,
            attributes: &attributes,
        };
        assert!(file.create_whole(&node(&format!("{group}/w{row}_{at}")), &whole).unwrap());
    }
}

fn fixed_text(text: &str) -> AttributeValue {
    let (len_bytes, charset, padding) = (text.len(), Charset::Utf8, Padding::NullTerminated);
    let dtype = DType::FixedString(FixedString { len_bytes, charset, padding });
    Values::new(dtype, Vec::new(), text.as_bytes().to_vec(), Vec::new()).unwrap().into()
}

/// What was made in one step is changed like anything else: attributes, until the header has to
/// go elsewhere, and the name, until the node goes.
fn change_whole(file: &Hdf5File, row: u64) {
    for child in file.children(&node("/whole")).unwrap() {
        let at = node(&format!("/whole/{}", child.name));
        match random(row + child.name.len() as u64) % 4 {
            0 => file.remove(&at).unwrap(),
            1 => {
                let long = "y".repeat((random(row) % 2000) as usize);
                let edits = AttributeEdits::new().set("long", Values::text(&long));
                file.edit_attributes(&at, &edits).unwrap();
            }
            2 => file.rename(&at, &node(&format!("/moved{row}/{}", child.name))).unwrap(),
            _ => {}
        }
    }
}

fn start_writer(path: &Path, seed: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "transactions::write_until_killed", "--nocapture"])
        .env("STOOK_WRITES", path)
        .env("STOOK_SEED", seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The numbers that a writer says it has acknowledged.
fn acknowledged(child: &mut Child) -> impl Iterator<Item = u64> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines
        .map_while(Result::ok)
        .filter_map(|line| line.strip_prefix("acknowledged ").and_then(|n| n.parse().ok()))
}

/// h5py reads all rows, of which there are at least as many as were acknowledged, and as many in
/// all arrays.
const JUDGE: &str = r#"
def judge(path, acknowledged):
    with h5py.File(path, "r") as f:
        n = len(f["scalars"])
        assert n >= acknowledged, (n, acknowledged)
        assert int(f.attrs["rows"]) == n, (f.attrs["rows"], n)
        rows = np.arange(n)
        assert (f["scalars"][:] == rows * 1000).all()
        for name in ["spectra", "zipped"]:
            assert f[name].shape == (n, 100), f[name].shape
            assert (f[name][:] == rows[:, None] * 1000 + np.arange(100)).all(), name
        image = np.arange(24 * 32).reshape(24, 32)
        assert (f["images"][:] == (rows[:, None, None] * 7 + image).astype("u2")).all()
        assert f["text"].asstr()[:].tolist() == [f"row {i}" for i in rows]
        def look(name, node):
            dict(node.attrs)
            if isinstance(node, h5py.Dataset):
                x = node[()]
                last = name.split("/")[-1]
                if last.startswith("a"):
                    assert (x == np.arange(50)).all(), name
                if last.startswith("w"):
                    row, at = map(int, last[1:].split("_"))
                    assert x.shape == (at + 1,) and (x == row).all(), (name, x)
                    assert node.attrs["note"] == f"made at {row}".encode(), name
        f.visititems(look)
"#;

#[test]
fn a_killed_writer_loses_no_row_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let (mut n_whole_without_recovery, mut n_rows) = (0, 0);
    for kill in 0..n_kills() {
        let path = dir.path().join(format!("{kill}.h5"));
        let mut last = 0;
        // Twice, so that a file is written on that was recovered.
        for round in 0..2 {
            let seed = random(kill * 2 + round);
            let mut child = start_writer(&path, seed);
            let mut numbers = acknowledged(&mut child);
            // Some die while the file is made, most thereafter.
            let first = if seed % 8 == 7 { None } else { numbers.next() };
            std::thread::sleep(Duration::from_millis(seed % 250));
            child.kill().unwrap();
            child.wait().unwrap();
            last = numbers.chain(first).max().unwrap_or(0).max(last);
            if last == 0 {
                // It was killed before it committed anything.
                std::fs::remove_file(&path).ok();
                continue;
            }
            // A reader of ours sees the last commit before anything is recovered.
            let file = Hdf5File::open(&path, &OpenOptions::read()).unwrap();
            let n = array(&file, "/scalars").shape()[0];
            assert!(n >= last, "kill {kill}: {n} rows, {last} were acknowledged");
            for (name, _) in growing() {
                let found = array(&file, &format!("/{name}"));
                assert_eq!(found.shape()[0], n, "{name}");
                assert_eq!(read(&file, &format!("/{name}")).shape()[0], n);
            }
            look_at_all(&file, &NodePath::root());
            drop(file);
            n_whole_without_recovery += u64::from(is_whole_to_h5py(&path, last));
        }
        n_rows += last;
        if last > 0 {
            recover(&path, Remedy::Apply).unwrap();
            assert_eq!(recover(&path, Remedy::Look).unwrap(), None);
            python(&format!("{JUDGE}\njudge(path, {last})"), &path);
            assert!(open_again(&path).attributes(&node("/")).is_ok());
        }
    }
    let n = 2 * n_kills();
    println!("{n} kills, {n_rows} rows; h5py without recovery: {n_whole_without_recovery} of {n}");
}

/// Reads all of a tree as a reader does that does not wait for a recovery, past the library where
/// it can.
fn look_at_all(file: &Hdf5File, group: &NodePath) {
    file.attributes(group).unwrap();
    for child in file.children(group).unwrap() {
        let at = group.join(&child.name).unwrap();
        if file.kind(&at).unwrap() == Some(NodeKind::Group) {
            look_at_all(file, &at);
            continue;
        }
        let attributes = file.attributes(&at).unwrap();
        let values = array(file, &at.to_string()).read(&Selection::All).unwrap();
        if let Some((row, _)) = child.name.strip_prefix('w').and_then(|name| name.split_once('_')) {
            let row: f64 = row.parse().unwrap();
            assert_eq!(values.items(), row.to_ne_bytes().repeat(values.len()), "{at}");
            assert!(attributes.iter().count() >= 3, "{at}");
        }
    }
}

/// Whether h5py finds all rows in a file as its writer left it.
fn is_whole_to_h5py(path: &Path, acknowledged: u64) -> bool {
    std::env::var_os("STOOK_TEST_PYTHON").is_some()
        && std::env::var_os("STOOK_TORTURE").is_some()
        && std::panic::catch_unwind(|| {
            python(&format!("{JUDGE}\njudge(path, {acknowledged})"), path);
        })
        .is_ok()
}

#[test]
fn readers_see_whole_commits_while_a_writer_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.h5");
    let mut child = start_writer(&path, 0);
    // Until there is a first commit.
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while !lines.next().unwrap().unwrap().contains("acknowledged") {}
    std::thread::spawn(move || lines.for_each(drop));
    let mut counts = Vec::new();
    // A machine that is busy may let the writer wait for long.
    while counts.len() < 15 || counts.first() == counts.last() {
        assert!(counts.len() < 10_000, "the writer stands still at {:?}", counts.first());
        let file = Hdf5File::open(&path, &OpenOptions::read()).unwrap();
        let n = array(&file, "/scalars").shape()[0];
        for _ in 0..2 {
            for (name, _) in growing() {
                let values = read(&file, &format!("/{name}"));
                assert_eq!(values.shape()[0], n, "{name}");
                if let DType::Float64 = values.dtype() {
                    let per_row = values.len() as u64 / n;
                    let items: Vec<f64> = values
                        .items()
                        .chunks_exact(8)
                        .map(|item| f64::from_ne_bytes(item.try_into().unwrap()))
                        .collect();
                    let is_wrong = |(at, value): (usize, &f64)| {
                        let at = at as u64;
                        *value != (at / per_row * 1000 + at % per_row) as f64
                    };
                    let wrong = items.iter().enumerate().position(is_wrong);
                    let found = wrong.map(|at| (at, items[at], items.len()));
                    assert_eq!(found, None, "{name} of {n} rows");
                }
            }
        }
        counts.push(n);
        if let Some(now) = file.refreshed().unwrap() {
            assert!(array(&now, "/scalars").shape()[0] >= n);
        }
    }
    // Other writers are kept out, readers in h5py are not.
    let error = Hdf5File::open(&path, &OpenOptions::read_write()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
    let replacing = CreateOptions { existing: Existing::Replace, ..CreateOptions::default() };
    assert_eq!(Hdf5File::create(&path, &replacing).unwrap_err().kind(), ErrorKind::Locked);
    python(
        "try:\n    h5py.File(path, 'r+')\n    raise SystemExit('h5py writes a file that is written')\n\
         except OSError:\n    pass\n",
        &path,
    );
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(counts.windows(2).all(|pair| pair[0] <= pair[1]), "{counts:?}");
}

#[test]
fn a_file_that_was_closed_has_no_journal() {
    let (_dir, path, file) = scratch();
    let mut spec = ArraySpec::new(DType::UInt8, vec![1000]);
    spec.contiguous = true;
    let values =
        |byte: u8| Values::new(DType::UInt8, vec![1000], vec![byte; 1000], vec![]).unwrap();
    let written = create(&file, "/x", &spec);
    written.write(&Selection::All, &values(1)).unwrap();
    drop((written, file));
    let reader = Hdf5File::open(&path, &OpenOptions::read()).unwrap();
    assert_eq!(read(&reader, "/x").items(), values(1).items());
    assert!(reader.refreshed().unwrap().is_none());
    let journal = std::path::PathBuf::from(format!("{}-journal", path.display()));
    assert!(!journal.exists());
}

#[test]
fn a_file_in_the_way_whose_writer_died_is_not_emptied() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.h5");
    let mut child = start_writer(&path, 0);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while !lines.next().unwrap().unwrap().contains("acknowledged") {}
    child.kill().unwrap();
    child.wait().unwrap();
    let left = recover(&path, Remedy::Look).unwrap().unwrap();
    assert!(left.len_bytes > 0);
    let replacing = CreateOptions { existing: Existing::Replace, ..CreateOptions::default() };
    let error = Hdf5File::create(&path, &replacing).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("stook recover")));
    recover(&path, Remedy::Apply).unwrap();
    Hdf5File::create(&path, &replacing).unwrap();
}

#[test]
fn changes_that_are_given_up_leave_the_file_as_it_was() {
    let (_dir, path, file) = scratch();
    let spec = growing().swap_remove(2).1;
    let kept = create(&file, "/kept", &spec);
    for row in 0..20 {
        kept.append(&row_values(&kept.dtype(), &kept.shape(), row), 0).unwrap();
    }
    file.commit(Durability::Flush).unwrap();
    let expected = kept.read(&Selection::All).unwrap();
    drop((kept, file));
    let before = std::fs::read(&path).unwrap();

    let file = open_again(&path);
    let kept = array(&file, "/kept");
    for row in 20..200 {
        kept.append(&row_values(&kept.dtype(), &kept.shape(), row), 0).unwrap();
    }
    create(&file, "/new", &spec);
    file.create_group(&node("/group")).unwrap();
    assert!(file.discard().unwrap());
    assert_eq!(kept.read(&Selection::All).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(kept.resize(&[1, 100]).is_err());
    assert!(file.commit(Durability::Flush).is_err());
    assert!(file.create_group(&node("/late")).is_err());

    // Opened anew while old handles are still there, it is another file to the library.
    let again = open_again(&path);
    assert_eq!(read(&again, "/kept"), expected);
    assert!(again.kind(&node("/new")).unwrap().is_none());
    drop((kept, file));
    again.create_group(&node("/group")).unwrap();
    again.remove(&node("/group")).unwrap();
    assert!(again.discard().unwrap());
    drop(again);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}
