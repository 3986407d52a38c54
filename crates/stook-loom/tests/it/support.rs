//! Looms for tests.

use std::path::{Path, PathBuf};

use stook::{AxisSelection, Selection, Values};
use stook_loom::{Axis, Loom, numbers};
use tempfile::TempDir;

/// A folder, and the path of a loom in it.
pub(crate) fn scratch() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.loom");
    (folder, path)
}

pub(crate) fn texts<S: AsRef<str>>(texts: &[S]) -> Values {
    Values::from_strings(vec![texts.len() as u64], texts).unwrap()
}

/// A matrix whose element at row and column is `100 * row + column`.
pub(crate) fn matrix(rows: u64, columns: u64) -> Values {
    let all = (0..rows).flat_map(|row| (0..columns).map(move |column| 100 * row + column));
    numbers(vec![rows, columns], &all.map(|x| x as f32).collect::<Vec<_>>()).unwrap()
}

/// A loom of three genes and four cells, with a layer, attributes and a graph.
pub(crate) fn small(path: &Path) -> Loom {
    let layer = numbers(vec![3, 4], &(0..12).collect::<Vec<i16>>()).unwrap();
    let w = numbers(vec![3], &[0.5_f32, 1.0, 2.0]).unwrap();
    let graph = stook_loom::Graph::new(4, vec![0, 1, 1], vec![3, 2, 2], w).unwrap();
    Loom::builder(path)
        .layer("", &matrix(3, 4))
        .layer("spliced", &layer)
        .attribute(Axis::Rows, "Gene", texts(&["Actb", "Gapdh", "βé"]))
        .attribute(Axis::Columns, "CellID", texts(&["a", "b", "c", "d"]))
        .attribute(Axis::Columns, "Age", numbers(vec![4], &[1_i64, 2, 3, 4]).unwrap())
        .graph(Axis::Columns, "KNN", graph)
        .create()
        .unwrap()
}

pub(crate) fn all(loom: &Loom, layer: &str) -> Values {
    loom.layer(layer).unwrap().read(&Selection::All).unwrap()
}

pub(crate) fn floats(values: &Values) -> Vec<f32> {
    let items = values.items().chunks_exact(4);
    items.map(|item| f32::from_ne_bytes(item.try_into().unwrap())).collect()
}

pub(crate) fn list(positions: &[i64]) -> AxisSelection {
    AxisSelection::List(positions.to_vec())
}

pub(crate) fn column(loom: &Loom, name: &str) -> Values {
    loom.attributes(Axis::Columns).get(name).unwrap()
}

/// The bytes of the file, which no writer has open.
pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}
