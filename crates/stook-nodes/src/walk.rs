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

/// A group whose children have been visited, and whose groups are still to be looked into.
struct Ahead {
    groups: Vec<Below>,
    level: usize,
}

/// A group in a group.
struct Below {
    path: NodePath,
    /// Numbers of the groups above it, itself included, where names may lead to one node.
    above: Vec<u64>,
}

struct Walk<'a> {
    acquisition: &'a Acquisition,
    visits: Vec<Visit>,
    depth: Depth,
    links: HashSet<NodePath>,
}

pub(crate) fn walk(acquisition: &Acquisition, from: &NodePath, depth: Depth) -> Result<Vec<Visit>> {
    let class = acquisition.expect_class(from)?;
    let visits = vec![Visit { path: from.clone(), class }];
    let mut walk = Walk { acquisition, visits, depth, links: HashSet::new() };
    if class != Class::Group {
        return Ok(walk.visits);
    }
    let mut stack = vec![walk.look_into(&Below { path: from.clone(), above: Vec::new() }, 1)?];
    // The groups of one group are looked into one after another, then those of the last of them.
    while let Some(Ahead { groups, level }) = stack.pop() {
        for group in groups {
            stack.push(walk.look_into(&group, level + 1)?);
        }
    }
    Ok(walk.visits)
}

impl Walk<'_> {
    /// Visits what is in `group`, whose children lie `level` levels down.
    fn look_into(&mut self, group: &Below, level: usize) -> Result<Ahead> {
        let mut ahead = Ahead { groups: Vec::new(), level };
        if matches!(self.depth, Depth::Levels(max) if level > max) {
            return Ok(ahead);
        }
        for (child, class) in nodes(self.acquisition, &group.path)? {
            let path = group.path.join(&child.name)?;
            if class == Class::Group
                && let Some(above) = self.above(group, &child, &path, level)?
            {
                ahead.groups.push(Below { path: path.clone(), above });
            }
            self.visits.push(Visit { path, class });
        }
        if self.visits.len() > MAX_VISITS {
            let message = format!("more than {MAX_VISITS} nodes");
            return Err(Error::limit(message).at_file(self.acquisition.file().path()));
        }
        Ok(ahead)
    }

    /// The groups above a group, itself included; `None` where it is not looked into.
    fn above(
        &mut self,
        group: &Below,
        child: &Child,
        path: &NodePath,
        level: usize,
    ) -> Result<Option<Vec<u64>>> {
        let mut above = group.above.clone();
        if let Some(identity) = child.identity {
            if above.contains(&identity) {
                let message = "the group is within itself: its path leads round in a circle";
                let file = self.acquisition.file().path();
                return Err(Error::corrupt(message).at_node(path).at_file(file));
            }
            above.push(identity);
        }
        // A link that is not hard may lead up, and has no number: each is followed once.
        let is_hard = child.link == Link::Hard;
        let is_followed = is_hard || (level < MAX_LEVELS && self.links.insert(path.clone()));
        Ok(is_followed.then_some(above))
    }
}

/// Levels down which soft links are followed.
const MAX_LEVELS: usize = 64;
/// Nodes that one walk finds at most.
const MAX_VISITS: usize = 10_000_000;
