//! Savers and an index that are killed: each file is the old or the new one, whole, and has a line in
//! the checksums; the catalogue tells what it told before, or what it was to tell.
//!
//! `STOOK_TORTURE=N` asks for N kills in the place of some.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use stook::sparse::{Compressed, Layout, Packing, Sparse};
use stook_core::{DType, Values};
use stook_onedata::catalogue::IndexOptions;
use stook_onedata::{Catalogue, FileKind, FileState, LoadingRecipe, OneData, OneFile};

use crate::{floats, numbers};

/// Kills where nobody asks for more.
const N_KILLS: u64 = 100;
const LEN: u64 = 50_000;

fn n_kills() -> u64 {
    std::env::var("STOOK_TORTURE").ok().and_then(|n| n.parse().ok()).unwrap_or(N_KILLS)
}

fn matrix(number: f32) -> Sparse {
    let items = (0..LEN).flat_map(|_| number.to_ne_bytes()).collect();
    let data = Values::new(DType::Float32, vec![LEN], items, vec![]).unwrap();
    let part = Compressed { pointers: (0..=LEN).collect(), indices: vec![0; LEN as usize].into() };
    Sparse::new([1, LEN], Layout::Csc(part), data).unwrap()
}

fn session(root: &Path) -> OneData {
    OneData::at(root.join("M/2024-01-02/001")).unwrap().with_checksums()
}

/// What the child does until it is killed: everything saved in a round is its number.
#[test]
#[ignore = "run by the test below in a process of its own"]
fn save_until_killed() {
    let Some(root) = std::env::var_os("STOOK_WRITES") else { return };
    let root = Path::new(&root);
    let data = session(root).packing(Packing::Deflated);
    let catalogue = Catalogue::require(root).unwrap();
    let first: u16 = std::env::var("STOOK_ROUND").unwrap().parse().unwrap();
    println!("began");
    for round in (first..).map(f32::from) {
        data.save(&"a.array".parse().unwrap(), &floats(&[LEN], &[round; LEN as usize])).unwrap();
        data.save_sparse(&"a.matrix".parse().unwrap(), &matrix(round)).unwrap();
        let recipe = LoadingRecipe::new("x", "y").argument("n", round);
        data.save_recipe(&"a.recipe".parse().unwrap(), &recipe).unwrap();
        catalogue.index(&IndexOptions::default()).unwrap();
        println!("saved");
    }
}

fn start(root: &Path, round: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "killed::save_until_killed", "--nocapture"])
        .env("STOOK_WRITES", root)
        .env("STOOK_ROUND", round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn judge(root: &Path) {
    let data = session(root);
    for (name, kind) in [("a.array", FileKind::Npy), ("a.matrix", FileKind::Npz)] {
        let file = OneFile { kind, name: name.parse().unwrap() };
        if data.has(&file).unwrap() {
            let found = numbers(&data.load(&file).unwrap());
            assert_eq!(found.len() as u64, LEN);
            assert!(found.iter().all(|number| *number == found[0]), "{name}");
        }
    }
    let recipe = OneFile::npy("a.recipe".parse().unwrap());
    if data.has(&recipe).unwrap() {
        let stook_onedata::Data::Objects(objects) = data.load(&recipe).unwrap() else { panic!() };
        assert!(LoadingRecipe::of_objects(&objects).unwrap().is_some());
    }
    // A line may be there for a file that was to come, and no file without a line.
    if data.has(&OneFile::npy("a.array".parse().unwrap())).unwrap() {
        for (name, state) in data.verify(&|_, _| ()).unwrap() {
            assert!(matches!(state, FileState::Right | FileState::Missing), "{name}: {state:?}");
        }
    }
    let catalogue = Catalogue::require(root).unwrap();
    catalogue.check().unwrap();
    for session in catalogue.sessions(&[]).unwrap() {
        let n = catalogue.datasets(&session).unwrap().len() as u64;
        assert_eq!(n, session.n_datasets, "a session without its datasets");
    }
}

#[test]
fn killed_savers_leave_the_old_or_the_new() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("M")).unwrap();
    for kill in 0..n_kills() {
        let mut child = start(folder.path(), kill);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Not before the first save, whatever the machine is busy with.
        assert!(lines.any(|line| line.unwrap().ends_with("began")));
        std::thread::sleep(Duration::from_micros(kill * 7919 % 60_000));
        child.kill().unwrap();
        child.wait().unwrap();
        judge(folder.path());
    }
    let data = session(folder.path());
    data.sweep(Duration::ZERO).unwrap();
    let names = std::fs::read_dir(data.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left = names.filter(|name| name.to_string_lossy().starts_with(".stook-tmp-")).count();
    assert_eq!(left, 0, "temporary files are left");
}
