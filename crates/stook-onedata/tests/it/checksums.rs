use std::fs;
use std::path::Path;
use std::time::Duration;

use stook::sparse::{Compressed, Layout, Packing, Sparse};
use stook_core::{DType, ErrorKind, Values};
use stook_onedata::{CHECKSUMS_NAME, Data, FileState, OneData, OneFile, OneName};

use crate::{floats, numbers};

fn one(name: &str) -> OneName {
    name.parse().unwrap()
}

fn matrix(n: u64) -> Sparse {
    let indices: Vec<u64> = (0..3 * n).map(|i| i * 7 % 500).collect();
    let pointers = (0..=n).map(|i| 3 * i).collect();
    let items = (0..3 * n).flat_map(|i| (i as f32).to_ne_bytes()).collect();
    let data = Values::new(DType::Float32, vec![3 * n], items, vec![]).unwrap();
    Sparse::new([500, n], Layout::Csc(Compressed { pointers, indices: indices.into() }), data)
        .unwrap()
}

fn states(data: &OneData) -> Vec<(String, FileState)> {
    data.verify(&|_, _| ()).unwrap()
}

#[test]
fn a_folder_with_checksums_keeps_them_true() {
    let dir = tempfile::tempdir().unwrap();
    let data = OneData::at(dir.path()).unwrap();
    data.save(&one("a.b"), &floats(&[2], &[1.0, 2.0])).unwrap();
    assert_eq!(data.verify(&|_, _| ()).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(data.sum_up().unwrap(), 1);
    data.save(&one("a.b"), &floats(&[1], &[3.0])).unwrap();
    data.save_sparse(&one("a.c"), &matrix(4)).unwrap();
    data.save_objects(
        &one("a.d"),
        &stook_onedata::LoadingRecipe::new("x", "y").to_objects().unwrap(),
    )
    .unwrap();
    let right = |name: &str| (name.to_owned(), FileState::Right);
    assert_eq!(states(&data), [right("a.b.npy"), right("a.c.npz"), right("a.d.npy")]);
    data.remove(&OneFile::npy(one("a.d"))).unwrap();
    assert_eq!(states(&data).len(), 2);
    let lines = fs::read_to_string(data.path().join(CHECKSUMS_NAME)).unwrap();
    assert_eq!(lines.lines().count(), 2, "{lines}");
    // What others do is found.
    fs::write(data.path().join("a.b.npy"), b"x").unwrap();
    fs::remove_file(data.path().join("a.c.npz")).unwrap();
    fs::write(data.path().join("z.npy"), b"x").unwrap();
    let found: Vec<_> = states(&data).into_iter().map(|(_, state)| state).collect();
    assert_eq!(found, [FileState::Changed, FileState::Missing, FileState::Unlisted]);
    fs::write(data.path().join(CHECKSUMS_NAME), format!("{}  ../x\n", "0".repeat(64))).unwrap();
    assert_eq!(data.verify(&|_, _| ()).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_saver_that_was_killed_leaves_a_line_for_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let data = OneData::at(dir.path()).unwrap().with_checksums();
    data.save(&one("a.b"), &floats(&[1], &[1.0])).unwrap();
    let sums = data.path().join(CHECKSUMS_NAME);
    let old = fs::read_to_string(&sums).unwrap();
    let before = fs::read(data.path().join("a.b.npy")).unwrap();
    data.save(&one("a.b"), &floats(&[1], &[2.0])).unwrap();
    // As it is between the two changes of the checksums, with either file.
    let new = fs::read_to_string(&sums).unwrap();
    fs::write(&sums, format!("{old}{new}")).unwrap();
    assert_eq!(states(&data)[0].1, FileState::Right);
    fs::write(data.path().join("a.b.npy"), before).unwrap();
    assert_eq!(states(&data)[0].1, FileState::Right);
    data.save(&one("a.b"), &floats(&[1], &[2.0])).unwrap();
    assert_eq!(fs::read_to_string(&sums).unwrap(), new);
}

#[test]
fn savers_at_once_lose_no_line() {
    let dir = tempfile::tempdir().unwrap();
    let data = OneData::at(dir.path()).unwrap().with_checksums();
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let data = &data;
            scope.spawn(move || {
                for round in 0..5_u8 {
                    let values = floats(&[1], &[f32::from(thread * 10 + round)]);
                    data.save(&one(&format!("own.x{thread}")), &values).unwrap();
                    data.save(&one("shared.x"), &values).unwrap();
                }
            });
        }
    });
    let states = states(&data);
    assert_eq!(states.len(), 5);
    assert!(states.iter().all(|(_, state)| *state == FileState::Right), "{states:?}");
}

#[test]
fn what_killed_savers_left_is_swept() {
    let dir = tempfile::tempdir().unwrap();
    let data = OneData::at(dir.path()).unwrap();
    data.save(&one("a.b"), &floats(&[1], &[1.0])).unwrap();
    for name in [".stook-tmp-1-2-3", ".stook-tmp-1-2-4-a.npz", "notes"] {
        fs::write(data.path().join(name), b"").unwrap();
    }
    assert_eq!(data.sweep(Duration::from_secs(3600)).unwrap(), Vec::<String>::new());
    let gone = data.sweep(Duration::ZERO).unwrap();
    assert_eq!(gone, [".stook-tmp-1-2-3", ".stook-tmp-1-2-4-a.npz"]);
    let left = fs::read_dir(data.path()).unwrap().count();
    assert_eq!(left, 2);
}

#[test]
fn columns_are_loaded_without_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let matrix = matrix(1000);
    for packing in [Packing::Stored, Packing::Deflated] {
        let data = OneData::at(dir.path()).unwrap().packing(packing);
        data.save_sparse(&one("a.b"), &matrix).unwrap();
        let file = OneFile::npz(one("a.b"));
        let part = data.load_columns(&file, 10..14).unwrap();
        assert_eq!((part.shape(), part.data().len()), ([500, 4], 12));
        let all = matrix.to_dense_columns(&Default::default()).unwrap();
        let own = part.to_dense_columns(&Default::default()).unwrap();
        assert!(own.items() == &all.items()[10 * 2000..14 * 2000]);
        assert_eq!(data.load_columns(&file, 7..7).unwrap().shape(), [500, 0]);
        assert_eq!(
            data.load_columns(&file, 999..1001).unwrap_err().kind(),
            ErrorKind::InvalidInput
        );
        let whole = data.load(&file).unwrap();
        assert_eq!(numbers(&whole), numbers(&Data::Sparse(matrix.clone().into())));
    }
    let path: &Path = dir.path();
    let len = fs::metadata(path.join("onedata/a.b.npz")).unwrap().len();
    assert!(len < 3000 * 8, "{len} bytes are not deflated");
}
