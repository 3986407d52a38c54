use std::fs;
use std::path::Path;

use stook_core::{Durability, ErrorKind, Limits, NodePath, OpenOptions, Values};
use stook_npy::sparse::{Compressed, Layout, Sparse};
use stook_npy::{create_npz, open_npz};

use crate::{fixture, fixtures_in};

fn load(path: &Path) -> stook_core::Result<Sparse> {
    let container = open_npz(path, &OpenOptions::read())?;
    Sparse::read(container.as_ref(), &NodePath::root())
}

/// The entries of a dense matrix that are not zero, as text.
fn dense(matrix: &Sparse) -> Vec<(u64, String)> {
    let values = matrix.to_dense(&Limits::default()).unwrap();
    let number = |bytes: &[u8]| match values.dtype().to_string().as_str() {
        "bool" => (bytes[0] != 0).to_string(),
        "float32" => f32::from_ne_bytes(bytes.try_into().unwrap()).to_string(),
        "float64" => f64::from_ne_bytes(bytes.try_into().unwrap()).to_string(),
        "int64" => i64::from_ne_bytes(bytes.try_into().unwrap()).to_string(),
        "complex128" => f64::from_ne_bytes(bytes[..8].try_into().unwrap()).to_string(),
        other => panic!("{other}"),
    };
    let items = (0..values.len()).map(|at| values.item(at).unwrap());
    let places = (0..).zip(items).filter(|(_, item)| item.iter().any(|&byte| byte != 0));
    places.map(|(at, item)| (at, number(item))).collect()
}

#[test]
fn every_layout_of_scipy_is_read() {
    let names = fixtures_in("sparse", ".npz");
    assert_eq!(names.len(), 45);
    for name in names {
        let matrix = load(&fixture("sparse").join(&name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        let expected: &[(u64, &str)] = match name.split('-').next().unwrap() {
            "duplicates" => &[(0, "4"), (5, "3")],
            "blocks" => {
                assert_eq!(matrix.shape(), [4, 6]);
                let ones = [0, 1, 2, 6, 7, 8, 15, 16, 17, 21, 22, 23].map(|at| (at, "1".into()));
                assert_eq!(dense(&matrix), ones, "{name}");
                continue;
            }
            "array" => {
                assert!(matrix.is_array());
                &[(0, "1"), (4, "1"), (8, "1")]
            }
            layout => {
                assert_eq!((matrix.format(), matrix.is_array()), (layout, false), "{name}");
                match name.split('-').nth(1).unwrap() {
                    "bool" => &[(1, "true"), (5, "true"), (12, "true"), (21, "true")],
                    "int64" => &[(1, "1"), (5, "-2"), (12, "3"), (21, "4")],
                    _ => &[(1, "1.5"), (5, "-2"), (12, "3"), (21, "4")],
                }
            }
        };
        let expected: Vec<_> = expected.iter().map(|(at, text)| (*at, (*text).into())).collect();
        assert_eq!(dense(&matrix), expected, "{name}");
    }
}

#[test]
fn matrices_are_written_as_scipy_has_them() {
    let dir = tempfile::tempdir().unwrap();
    for name in fixtures_in("sparse", ".npz").iter().filter(|name| name.contains("scipy1.17")) {
        let from = fixture("sparse").join(name);
        let matrix = load(&from).unwrap();
        let path = dir.path().join(name);
        let container = create_npz(&path, &OpenOptions::default()).unwrap();
        matrix.write(container.as_ref(), &NodePath::root()).unwrap();
        container.commit(Durability::Flush).unwrap();
        let (ours, theirs) = (members(&path), members(&from));
        for (name, values) in &ours {
            let found = theirs.iter().find(|(theirs, _)| theirs == name);
            assert_eq!(found.map(|(_, values)| values), Some(values), "{name}");
        }
        // scipy also says of a matrix that it is no array.
        assert!(theirs.len() - ours.len() <= usize::from(!matrix.is_array()), "{name}");
    }
}

fn members(path: &Path) -> Vec<(String, Values)> {
    let container = open_npz(path, &OpenOptions::read()).unwrap();
    let children = container.children(&NodePath::root()).unwrap();
    let values = |name: &str| crate::read(container.as_ref(), &format!("/{name}")).unwrap();
    children.into_iter().map(|child| (child.name.clone(), values(&child.name))).collect()
}

#[test]
fn indices_out_of_range_are_refused() {
    let data = || Values::new(stook_core::DType::UInt8, vec![2], vec![1, 2], vec![]).unwrap();
    let part = |pointers: &[u64], indices: &[u64]| {
        Layout::Csr(Compressed {
            pointers: pointers.to_vec().into(),
            indices: indices.to_vec().into(),
        })
    };
    assert!(Sparse::new([2, 3], part(&[0, 1, 2], &[2, 0]), data()).is_ok());
    for (layout, what) in [
        (part(&[0, 1, 2], &[3, 0]), "index number 0: expected less than 3, found 3"),
        (part(&[0, 2], &[0, 1]), "expected one pointer (rows and one) each, 3, found 2"),
        (
            part(&[0, 2, 1], &[0, 1]),
            "pointers must rise from 0 to at most 2, the number of entries",
        ),
        (part(&[0, 1, 2], &[0]), "expected one index each, 2, found 1"),
        (
            Layout::Coo { rows: vec![0, 2], columns: vec![0, 0] },
            "row number 1: expected less than 2, found 2",
        ),
        (Layout::Dia { offsets: vec![0, 1] }, "dia: expected data along 2 axes, found shape [2]"),
    ] {
        let error = Sparse::new([2, 3], layout, data()).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::InvalidInput, what));
    }
    let huge = Sparse::new(
        [0, 1 << 40],
        part(&[0], &[]),
        Values::new(stook_core::DType::UInt8, vec![0], vec![], vec![]).unwrap(),
    )
    .unwrap();
    assert!(huge.to_dense(&Limits::default()).unwrap().is_empty());
}

#[test]
fn a_matrix_without_a_member_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.npz");
    fs::copy(fixture("sparse/csr-float32-scipy1.17.npz"), &path).unwrap();
    let container = open_npz(&path, &OpenOptions::read_write()).unwrap();
    container.remove(&NodePath::parse("/indptr").unwrap()).unwrap();
    container.commit(Durability::Flush).unwrap();
    let error = load(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.message(), "a sparse matrix has an array `indptr`");
}
