//! The tree: what nodes are, and in which order they are walked.

use std::collections::HashSet;

use stook::{Child, Link, NodeKind, NodePath};
use stook_core::{DType, Error, Extent, Result};

use crate::acquisition::Acquisition;
use crate::attribute::{decode, text_of};
use crate::convention::Class;

/// How far a walk goes down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// To every node.
    #[default]
    All,
    /// So many levels: 0 is the node itself.
    Levels(usize),
}

/// A node of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Where it is.
    pub path: NodePath,
    /// What it is.
    pub class: Class,
}

/// What the node at `path` is.
pub(crate) fn class(acquisition: &Acquisition, path: &NodePath) -> Result<Option<Class>> {
    match acquisition.file().container().kind(path)? {
        None => Ok(None),
        Some(NodeKind::Group) => Ok(Some(Class::Group)),
        Some(NodeKind::Array) => class_of_array(acquisition, path).map(Some),
        Some(_) => Err(Error::unsupported("the node is neither a group nor an array")
            .at_node(path)
            .at_file(acquisition.file().path())),
    }
}

fn class_of_array(acquisition: &Acquisition, path: &NodePath) -> Result<Class> {
    let container = acquisition.file().container();
    let stored = container.attribute(path, "CLASS")?;
    match stored.as_ref().and_then(text_of).as_deref() {
        Some("CARRAY") => Ok(Class::CArray),
        Some("EARRAY") => Ok(Class::EArray),
        Some("VLARRAY") => {
            let kind = container.attribute(path, "subdtype")?;
            // One that cannot be read says nothing.
            let kind = kind.and_then(|kind| decode("subdtype", kind).ok());
            let is_text = kind.as_ref().and_then(|kind| kind.as_text()) == Some("string");
            Ok(if is_text { Class::StringArray } else { Class::VLArray })
        }
        // Of another program, or from a write that was interrupted.
        _ => Ok(infer(acquisition.file().array(path.as_str())?.spec().as_ref())),
    }
}

fn infer(spec: &stook::ArraySpec) -> Class {
    let may_grow = spec.max_shape.as_ref().is_some_and(|max| max.first() == Some(&None));
    match (&spec.dtype, &spec.extent) {
        (DType::Sequence(_) | DType::Bytes, Extent::Shape(shape)) if shape.len() == 1 => {
            Class::VLArray
        }
        _ if may_grow && !spec.dtype.has_heap() => Class::EArray,
        _ => Class::CArray,
    }
}

/// What is in a group, but for what leads nowhere and what is no node.
fn nodes(acquisition: &Acquisition, group: &NodePath) -> Result<Vec<(Child, Class)>> {
    let mut found = Vec::new();
    for child in acquisition.file().container().children(group)? {
        let class = match child.kind {
            Some(NodeKind::Group) => Class::Group,
            Some(NodeKind::Array) => class_of_array(acquisition, &group.join(&child.name)?)?,
            _ => continue,
        };
        found.push((child, class));
    }
    Ok(found)
}

pub(crate) fn children(
    acquisition: &Acquisition,
    group: &NodePath,
) -> Result<Vec<(String, Class)>> {
    let nodes = nodes(acquisition, group)?;
    Ok(nodes.into_iter().map(|(child, class)| (child.name, class)).collect())
}

/// A group that is still to be looked into.
struct Ahead {
    path: NodePath,
    level: usize,
    /// Numbers of the groups above it, itself included, where names may lead to one node.
    above: Vec<u64>,
}

pub(crate) fn walk(acquisition: &Acquisition, from: &NodePath, depth: Depth) -> Result<Vec<Visit>> {
    let class = acquisition.expect_class(from)?;
    let mut visits = vec![Visit { path: from.clone(), class }];
    let is_beyond = |level: usize| matches!(depth, Depth::Levels(max) if level > max);
    let mut stack = Vec::new();
    if class == Class::Group {
        stack.push(Ahead { path: from.clone(), level: 1, above: Vec::new() });
    }
    let mut links = HashSet::new();
    while let Some(Ahead { path, level, above }) = stack.pop() {
        if is_beyond(level) {
            continue;
        }
        for (child, class) in nodes(acquisition, &path)? {
            let below = path.join(&child.name)?;
            if class == Class::Group {
                let mut above = above.clone();
                if let Some(identity) = child.identity {
                    if above.contains(&identity) {
                        let message =
                            "the group is within itself: its path leads round in a circle";
                        let file = acquisition.file().path();
                        return Err(Error::corrupt(message).at_node(&below).at_file(file));
                    }
                    above.push(identity);
                }
                // A link may lead up, and has no number: each is followed once.
                let is_new = child.link == Link::Hard || links.insert(below.clone());
                let is_near = child.link == Link::Hard || above.len() + level < MAX_LEVELS;
                if is_new && is_near {
                    stack.push(Ahead { path: below.clone(), level: level + 1, above });
                }
            }
            visits.push(Visit { path: below, class });
        }
        if visits.len() > MAX_VISITS {
            let message = format!("more than {MAX_VISITS} nodes");
            return Err(Error::limit(message).at_file(acquisition.file().path()));
        }
    }
    Ok(visits)
}

/// Levels down which soft links are followed.
const MAX_LEVELS: usize = 64;
/// Nodes that one walk finds at most.
const MAX_VISITS: usize = 10_000_000;
