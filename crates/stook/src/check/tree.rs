//! The structure of a file: groups, links, attributes.

use std::collections::HashSet;
use std::path::Path;

use stook_core::file::place::kind_of;
use stook_core::{AttributeValue, Child, DType, Error, Link, NodeKind, NodePath, Result};

use super::{CheckEvent, Checker, Finding};
use crate::array::Array;
use crate::file::Node;
use crate::json;

/// Looks at all nodes; returns the arrays whose elements are still to be read.
pub(super) fn look(checker: &mut Checker<'_, '_>) -> Result<Vec<Array>> {
    let mut arrays = Vec::new();
    let mut seen = HashSet::new();
    let root = NodePath::root();
    let kind = checker.file.container().kind(&root);
    let Some(kind) = checker.read(&root, kind)? else { return Ok(arrays) };
    if kind.is_none() {
        let error = Error::corrupt("the file has no root");
        checker.found(Finding::of_error(&root, &error))?;
    }
    let mut ahead: Vec<(NodePath, Option<NodeKind>)> =
        kind.map(|kind| (root, Some(kind))).into_iter().collect();
    // A stack, not recursion: depth comes from the file.
    while let Some((path, kind)) = ahead.pop() {
        if checker.options.leave_out.contains(&path) {
            continue;
        }
        checker.tell(&CheckEvent::Node(&path))?;
        match kind {
            Some(NodeKind::Group) => {
                let from = ahead.len();
                group(checker, &path, &mut seen, &mut ahead)?;
                ahead.get_mut(from..).unwrap_or_default().reverse();
            }
            Some(NodeKind::Array) => arrays.extend(array(checker, &path)?),
            Some(NodeKind::NamedType) => {}
            _ => {
                let error = Error::unsupported("the node is neither a group nor an array");
                checker.found(Finding::of_error(&path, &error))?;
            }
        }
    }
    Ok(arrays)
}

fn group(
    checker: &mut Checker<'_, '_>,
    path: &NodePath,
    seen: &mut HashSet<u64>,
    ahead: &mut Vec<(NodePath, Option<NodeKind>)>,
) -> Result<()> {
    checker.report.n_groups += 1;
    attributes(checker, path)?;
    let children = match checker.file.container().children(path) {
        Ok(children) => children,
        Err(error) => return one_by_one(checker, path, &error, ahead),
    };
    for child in children {
        let Ok(at) = path.join(&child.name) else {
            let message = format!("the name `{}` is no name of a node", child.name.escape_debug());
            checker.found(Finding::warning(path, message))?;
            continue;
        };
        if child.link != Link::Hard {
            link(checker, &at, &child)?;
        } else if child.identity.is_none_or(|identity| seen.insert(identity)) {
            ahead.push((at, child.kind));
        }
    }
    Ok(())
}

/// Looks at the nodes of a group one by one, where they cannot be listed because of one of them.
fn one_by_one(
    checker: &mut Checker<'_, '_>,
    path: &NodePath,
    error: &Error,
    ahead: &mut Vec<(NodePath, Option<NodeKind>)>,
) -> Result<()> {
    let n_before = checker.report.findings.len();
    for name in checker.file.container().names(path).unwrap_or_default() {
        let Ok(at) = path.join(&name) else { continue };
        let kind = checker.file.container().kind(&at);
        if let Some(Some(kind)) = checker.read(&at, kind)? {
            ahead.push((at, Some(kind)));
        }
    }
    // The fault is told once: where it was found again, or else here.
    if checker.report.findings.len() == n_before {
        checker.found(Finding::of_error(path, error))?;
    }
    Ok(())
}

fn link(checker: &mut Checker<'_, '_>, at: &NodePath, child: &Child) -> Result<()> {
    checker.report.n_links += 1;
    match &child.link {
        Link::Soft(target) if child.kind.is_none() => {
            let message = format!("the link leads to `{target}`, where there is nothing");
            checker.found(Finding::warning(at, message))
        }
        Link::External { file, target } => {
            // Only what lies beside the file is looked for: it must not say where else we look.
            let is_beside = Path::new(file).components().all(|part| {
                matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir)
            });
            let folder = checker.file.path().parent().unwrap_or(Path::new(""));
            if is_beside && matches!(kind_of(&folder.join(file)), Ok(None)) {
                let message =
                    format!("the link leads to `{target}` in `{file}`, which does not exist");
                checker.found(Finding::warning(at, message))?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn array(checker: &mut Checker<'_, '_>, path: &NodePath) -> Result<Option<Array>> {
    checker.report.n_arrays += 1;
    attributes(checker, path)?;
    let node = checker.file.node_at(path.clone());
    match checker.read(path, node)? {
        Some(Node::Array(array)) => Ok(Some(array)),
        Some(Node::Group(_)) => {
            let error = Error::corrupt("expected an array, found a group");
            checker.found(Finding::of_error(path, &error)).map(|()| None)
        }
        None => Ok(None),
    }
}

fn attributes(checker: &mut Checker<'_, '_>, path: &NodePath) -> Result<()> {
    let attributes = checker.file.container().attributes(path);
    let Some(attributes) = checker.read(path, attributes)? else { return Ok(()) };
    for (name, value) in attributes.iter() {
        checker.report.n_attributes += 1;
        let within = |error: Error| error.within(format!("attribute `{name}`"));
        let Some(shown) = checker.read(path, json::of_attribute(value).map_err(within))? else {
            continue;
        };
        if let AttributeValue::Values(values) = value
            && *values.dtype() == DType::Reference
        {
            let targets = shown.as_array().cloned().unwrap_or_else(|| vec![shown]);
            for target in targets.iter().filter_map(|target| target.as_str()) {
                if is_dangling(checker.file, target) {
                    let message =
                        format!("attribute `{name}` refers to `{target}`, where there is nothing");
                    checker.found(Finding::warning(path, message))?;
                }
            }
        }
    }
    Ok(())
}

/// Whether a reference names a node that is not there; an empty one refers to nothing.
pub(super) fn is_dangling(file: &crate::File, target: &str) -> bool {
    if target.is_empty() {
        return false;
    }
    let found = NodePath::parse(target).and_then(|path| file.container().kind(&path));
    !matches!(found, Ok(Some(_)))
}
