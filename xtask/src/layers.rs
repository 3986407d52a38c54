//! The layers of the workspace and the rule that dependencies point down only.
//!
//! docs/architecture.md draws them: core ← formats ← stook ← other doors ← faces. This module
//! reads the manifests through `cargo metadata` and names each edge that the drawing forbids.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::process::{Failure, Result};

/// Crates that start a runtime or speak to Python: for the faces alone.
const FACE_ONLY: [&str; 8] =
    ["tokio", "async-std", "smol", "axum", "hyper", "pyo3", "pyo3-ffi", "numpy"];

/// Byte stores that own a runtime and hide it: (crate of the workspace, runtime).
const RUNTIME_OWNERS: [(&str, &str); 2] = [("stook-remote", "tokio"), ("stook-icechunk", "tokio")];

/// A level of the drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    Core,
    Format,
    /// Byte stores that are no part of the core.
    Store,
    /// `stook` itself, the door that knows every format.
    Stook,
    Door,
    Face,
    Testkit,
    /// What untrusted bytes are given to: knows all formats and doors, and nobody knows it.
    Fuzz,
    Xtask,
}

/// The layer of each crate; a crate that is not named here has no place yet and is refused.
fn layer(name: &str) -> Option<Layer> {
    Some(match name {
        "stook-core" => Layer::Core,
        "stook-zarr" | "stook-hdf5" | "stook-npy" => Layer::Format,
        "stook-remote" | "stook-icechunk" => Layer::Store,
        "stook" => Layer::Stook,
        "stook-loom" | "stook-labelled" | "stook-onedata" | "stook-nodes" => Layer::Door,
        "stook-serve" | "stook-cli" | "stook-python" => Layer::Face,
        "stook-testkit" => Layer::Testkit,
        "stook-fuzz" => Layer::Fuzz,
        "xtask" => Layer::Xtask,
        _ => return None,
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Part of what is built: normal and build dependencies.
    Built,
    /// Used by tests, examples and benchmarks.
    Dev,
}

/// One dependency of a crate of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edge {
    from: String,
    to: String,
    kind: Kind,
}

/// Checks every manifest; returns the number of dependencies that were looked at.
pub(crate) fn check(metadata: &Value) -> Result<usize> {
    let (crates, edges) = edges(metadata)?;
    let faults = faults(&crates, &edges);
    if faults.is_empty() {
        return Ok(edges.len());
    }
    Err(Failure::new(format!(
        "dependencies that the layers forbid:\n    {}",
        faults.join("\n    ")
    ))
    .with_hint("docs/architecture.md says which crate may know which"))
}

/// The crates of the workspace and all their dependencies.
fn edges(metadata: &Value) -> Result<(BTreeSet<String>, Vec<Edge>)> {
    let text = |value: &Value, key: &str| -> Result<String> {
        let text = value.get(key).and_then(Value::as_str);
        text.map(str::to_owned)
            .ok_or_else(|| Failure::new(format!("cargo metadata: expected a string at `{key}`")))
    };
    let list = |value: &Value, key: &str| -> Result<Vec<Value>> {
        let list = value.get(key).and_then(Value::as_array);
        list.cloned()
            .ok_or_else(|| Failure::new(format!("cargo metadata: expected a list at `{key}`")))
    };
    let mut crates = BTreeSet::new();
    let mut edges = Vec::new();
    for package in list(metadata, "packages")? {
        let from = text(&package, "name")?;
        for dependency in list(&package, "dependencies")? {
            let is_dev = dependency.get("kind").and_then(Value::as_str) == Some("dev");
            let kind = if is_dev { Kind::Dev } else { Kind::Built };
            edges.push(Edge { from: from.clone(), to: text(&dependency, "name")?, kind });
        }
        crates.insert(from);
    }
    Ok((crates, edges))
}

fn faults(crates: &BTreeSet<String>, edges: &[Edge]) -> Vec<String> {
    let homeless = crates
        .iter()
        .filter(|name| layer(name).is_none())
        .map(|name| format!("`{name}` has no layer: give it one in xtask/src/layers.rs"));
    homeless.chain(edges.iter().filter_map(|edge| fault(crates, edge))).collect()
}

fn fault(crates: &BTreeSet<String>, edge: &Edge) -> Option<String> {
    let from = layer(&edge.from)?;
    if !crates.contains(&edge.to) {
        let is_owner = RUNTIME_OWNERS.contains(&(edge.from.as_str(), edge.to.as_str()));
        let is_bad = from != Layer::Face
            && edge.kind == Kind::Built
            && FACE_ONLY.contains(&edge.to.as_str())
            && !is_owner;
        return is_bad.then(|| {
            format!("`{}` ({from:?}) → `{}`: only a face may use it", edge.from, edge.to)
        });
    }
    let to = layer(&edge.to)?;
    (!may_use(from, to, edge)).then(|| {
        format!("`{}` ({from:?}) → `{}` ({to:?}): arrows point down only", edge.from, edge.to)
    })
}

/// Whether a crate of one layer may depend on a crate of another.
fn may_use(from: Layer, to: Layer, edge: &Edge) -> bool {
    match (from, to) {
        (Layer::Xtask, _) | (_, Layer::Xtask) => false,
        (_, Layer::Fuzz) => false,
        (Layer::Testkit, to) => to == Layer::Core,
        (_, Layer::Testkit) => edge.kind == Kind::Dev,
        (Layer::Fuzz, to) => matches!(to, Layer::Core | Layer::Format | Layer::Door),
        (Layer::Core, _) => false,
        // Its tests read arrays.
        (Layer::Store, Layer::Format) => edge.kind == Kind::Dev,
        // One runtime makes the requests of both.
        (Layer::Store, Layer::Store) => edge.to == "stook-remote",
        (Layer::Format | Layer::Store, to) => to == Layer::Core,
        (Layer::Stook, to) => matches!(to, Layer::Core | Layer::Format | Layer::Store),
        (Layer::Door, to) => matches!(to, Layer::Core | Layer::Stook),
        // The command and the Python package start the server.
        (Layer::Face, Layer::Face) => edge.to == "stook-serve",
        // A face reaches a format through `stook`, which has the only format table.
        (Layer::Face, to) => matches!(to, Layer::Core | Layer::Stook | Layer::Door),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::Workspace;

    fn found(from: &str, to: &str, kind: Kind) -> Option<String> {
        let crates = ["stook-core", "stook-zarr", "stook-hdf5", "stook", "stook-loom"]
            .into_iter()
            .chain(["stook-nodes", "stook-cli", "stook-python", "stook-serve", "stook-testkit"])
            .chain(["stook-remote", "stook-icechunk", "xtask"])
            .map(str::to_owned)
            .collect();
        let edge = Edge { from: from.to_owned(), to: to.to_owned(), kind };
        faults(&crates, &[edge]).into_iter().next()
    }

    #[test]
    fn the_manifests_of_this_workspace_keep_the_layers() {
        let workspace = Workspace::load().unwrap();
        if let Err(failure) = check(workspace.metadata()) {
            panic!("{}", failure.message);
        }
    }

    #[test]
    fn forbidden_edges_are_found() {
        for (from, to) in [
            ("stook-zarr", "stook-hdf5"),
            ("stook-core", "stook-zarr"),
            ("stook-hdf5", "stook"),
            ("stook-loom", "stook-nodes"),
            ("stook-loom", "stook-zarr"),
            ("stook", "stook-loom"),
            ("stook-cli", "stook-zarr"),
            ("stook-cli", "stook-python"),
            ("stook-serve", "stook-cli"),
            ("stook-testkit", "stook-zarr"),
            ("xtask", "stook"),
            ("stook", "xtask"),
            ("stook-core", "tokio"),
            ("stook", "pyo3"),
            ("stook", "tokio"),
            ("stook-loom", "axum"),
            ("stook-core", "stook-remote"),
            ("stook-zarr", "stook-remote"),
            ("stook-loom", "stook-remote"),
            ("stook-cli", "stook-remote"),
            ("stook-remote", "stook-zarr"),
            ("stook-remote", "axum"),
            ("stook-remote", "stook-icechunk"),
            ("stook-zarr", "stook-icechunk"),
        ] {
            let fault = found(from, to, Kind::Built);
            let text = fault.unwrap_or_else(|| panic!("{from} → {to} was not found"));
            assert!(text.contains(from) && text.contains(to), "{text}");
        }
    }

    #[test]
    fn allowed_edges_are_not() {
        for (from, to, kind) in [
            ("stook-zarr", "stook-core", Kind::Built),
            ("stook", "stook-zarr", Kind::Built),
            ("stook-loom", "stook", Kind::Built),
            ("stook-cli", "stook", Kind::Built),
            ("stook-cli", "stook-serve", Kind::Built),
            ("stook-serve", "tokio", Kind::Built),
            ("stook", "stook-remote", Kind::Built),
            ("stook-remote", "stook-core", Kind::Built),
            ("stook-remote", "tokio", Kind::Built),
            ("stook-icechunk", "stook-remote", Kind::Built),
            ("stook-remote", "stook-zarr", Kind::Dev),
            ("stook-python", "pyo3", Kind::Built),
            ("stook-zarr", "stook-testkit", Kind::Dev),
            ("stook-core", "stook-testkit", Kind::Dev),
            ("stook-core", "serde_json", Kind::Built),
            ("stook-zarr", "tokio", Kind::Dev),
        ] {
            assert_eq!(found(from, to, kind), None, "{from} → {to}");
        }
    }

    #[test]
    fn the_testkit_is_for_tests_only() {
        assert!(found("stook-zarr", "stook-testkit", Kind::Built).is_some());
    }

    #[test]
    fn a_crate_without_a_layer_is_refused() {
        let crates = BTreeSet::from(["stook-new".to_owned()]);
        assert_eq!(
            faults(&crates, &[]),
            ["`stook-new` has no layer: give it one in xtask/src/layers.rs"]
        );
    }

    #[test]
    fn metadata_is_read_with_its_kinds() {
        let metadata = serde_json::json!({ "packages": [{
            "name": "stook-zarr",
            "dependencies": [
                { "name": "stook-core", "kind": null },
                { "name": "stook-testkit", "kind": "dev" },
                { "name": "cc", "kind": "build" },
            ],
        }]});
        let (crates, edges) = edges(&metadata).unwrap();
        assert_eq!(crates.into_iter().collect::<Vec<_>>(), ["stook-zarr"]);
        let kinds: Vec<Kind> = edges.iter().map(|edge| edge.kind).collect();
        assert_eq!(kinds, [Kind::Built, Kind::Dev, Kind::Built]);
    }
}
