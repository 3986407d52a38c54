//! What tests of files have in common.

use std::path::Path;

use stook_labelled::session::{LoadOptions, Tolerance};
use stook_labelled::{Array, Axis, Item, Session};

/// Every format by the name of a file in it that keeps everything, if it is given a sidecar.
pub(crate) fn formats() -> Vec<&'static str> {
    let tables: &[&str] = if cfg!(feature = "arrow") { &["x.arrow", "x.parquet"] } else { &[] };
    ["x.h5", "x.pkl", "x.zarr", "x", "x.xlsx"].iter().chain(tables).copied().collect()
}

/// A session, all of whose file is loaded.
pub(crate) fn load(path: &Path) -> Session {
    let mut session = Session::new();
    let report = session.load(path, &LoadOptions::default()).unwrap();
    assert_eq!(report.not_loaded, [], "{path:?}");
    session
}

/// What differs in all that a session of ours keeps: elements, labels, their types, keys, values.
pub(crate) fn differences(left: &Session, right: &Session) -> Vec<String> {
    let mut found = Vec::new();
    if left.metadata() != right.metadata() {
        found.push(format!("metadata: {:?} and {:?}", left.metadata(), right.metadata()));
    }
    for (name, item) in left.iter() {
        if !right.get(name).is_some_and(|other| is_same(item, other)) {
            found.push(format!("{name}: {item:?} and {:?}", right.get(name)));
        }
    }
    found
}

fn is_same_axis(a: &Axis, b: &Axis) -> bool {
    a.equals(b) && a.labels().dtype() == b.labels().dtype()
}

fn is_same(a: &Item, b: &Item) -> bool {
    let exact = Tolerance { nans_equal: true, ..Tolerance::default() };
    match (a, b) {
        (Item::Array(a, x), Item::Array(b, y)) => {
            let types = |array: &Array| {
                let axis = |axis: &Axis| (axis.labels().dtype(), axis.is_wildcard());
                (array.dtype().clone(), array.axes().iter().map(axis).collect::<Vec<_>>())
            };
            let axes = a.axes().iter().zip(b.axes()).all(|(a, b)| is_same_axis(a, b));
            axes && types(a) == types(b) && a.data() == b.data() && x == y
        }
        (Item::Axis(a), Item::Axis(b)) => is_same_axis(a, b),
        (a, b) => a.equals(b, exact),
    }
}
