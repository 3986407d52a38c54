//! Finding a node, and what to say where it is not.

use std::path::Path;

use stook::{Error, ErrorKind, File, Node, NodePath, Result};

/// Names beyond these are left out of a hint.
const MOST_NAMES: usize = 8;

/// The node at `path`.
///
/// # Errors
/// As [`File::node`]; of a missing node, the hint says what there is.
pub(crate) fn node(file: &File, path: &str) -> Result<Node> {
    file.node(path).map_err(|error| hinted(file, error))
}

/// `error` with the names that there are, if it is about a node of the file at `path` that is
/// not there.
pub(crate) fn with_names(path: &Path, error: Error) -> Error {
    if error.location().node.is_none() {
        return error;
    }
    match File::open(path) {
        Ok(file) => hinted(&file, error),
        Err(_) => error,
    }
}

pub(crate) fn hinted(file: &File, error: Error) -> Error {
    let node = error.location().node.clone();
    match node.and_then(|node| names(file, &node)) {
        Some(hint) if error.kind() == ErrorKind::NotFound => error.with_hint(hint),
        _ => error,
    }
}

/// What there is in the nearest group above `node`.
fn names(file: &File, node: &NodePath) -> Option<String> {
    let mut above = node.parent()?;
    let group = loop {
        match file.node(above.as_str()) {
            Ok(Node::Group(group)) => break group,
            Ok(_) => return Some(format!("`{above}` is an array, with nothing below it")),
            Err(_) => above = above.parent()?,
        }
    };
    let children = group.children().ok()?;
    if children.is_empty() {
        return Some(format!("`{above}` is empty"));
    }
    let names: Vec<&str> =
        children.iter().take(MOST_NAMES).map(|child| child.name.as_str()).collect();
    let more = if children.len() > MOST_NAMES { ", …" } else { "" };
    Some(format!("in `{above}` there is: {}{more}", names.join(", ")))
}
