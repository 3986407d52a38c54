//! Walking a tree.

use std::collections::HashMap;

use stook_core::{Child, NodeKind, NodePath, Result};

use crate::file::File;

/// A node that a walk comes to.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Where it is.
    pub path: NodePath,
    /// Its entry in its group; the node that the walk began at has one made up for it.
    pub child: Child,
    /// How far below the beginning it is.
    pub depth: usize,
    /// The path by which the walk came to the same node before (hard links); what is below it is
    /// not visited again.
    pub seen_at: Option<NodePath>,
    /// Whether it is the last in its group.
    pub is_last: bool,
}

/// Calls `visit` for the node at `start` and all below it, groups before what is in them, names
/// in order. Links are visited, not followed. Each group is visited once, so that hard links
/// cannot make the walk endless; `visit` says whether to go into a group.
///
/// # Errors
/// `NotFound`, `Corrupt`, `LimitExceeded`, `Io`, and what `visit` returns.
pub fn walk(
    file: &File,
    start: &NodePath,
    visit: &mut dyn FnMut(&Visit) -> Result<bool>,
) -> Result<()> {
    let kind = file.container().kind(start)?;
    let Some(kind) = kind else {
        let error = stook_core::Error::not_found("there is no such node");
        return Err(error.at_node(start).at_file(file.path()));
    };
    let child = Child {
        name: start.name().to_owned(),
        kind: Some(kind),
        link: stook_core::Link::Hard,
        identity: None,
        created: None,
    };
    let first = Visit { path: start.clone(), child, depth: 0, seen_at: None, is_last: true };
    let mut seen = HashMap::new();
    // A stack, not recursion: depth comes from the file.
    let mut ahead = vec![first];
    while let Some(next) = ahead.pop() {
        let goes_in = visit(&next)?;
        let is_group =
            next.child.kind == Some(NodeKind::Group) && next.child.link == stook_core::Link::Hard;
        if !goes_in || !is_group || next.seen_at.is_some() {
            continue;
        }
        let children = file.container().children(&next.path)?;
        let n = children.len();
        let from = ahead.len();
        for (i, child) in children.into_iter().enumerate() {
            // A name that is no path segment (an HDF5 link called `.`) cannot be reached.
            let Ok(path) = next.path.join(&child.name) else { continue };
            ahead.push(Visit {
                path,
                child,
                depth: next.depth + 1,
                seen_at: None,
                is_last: i + 1 == n,
            });
        }
        for visit in ahead.get_mut(from..).unwrap_or_default() {
            if let Some(identity) = visit.child.identity {
                match seen.get(&identity) {
                    Some(path) => visit.seen_at = Some(NodePath::clone(path)),
                    None => drop(seen.insert(identity, visit.path.clone())),
                }
            }
        }
        ahead.get_mut(from..).unwrap_or_default().reverse();
    }
    Ok(())
}
