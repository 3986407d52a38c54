//! Two trees side by side: everything but elements.

use std::collections::{BTreeMap, HashSet};

use stook_core::{Attributes, Child, Link, NodeKind, NodePath, Result};

use super::{Comparison, LayoutPart, Side, What};
use crate::array::Array;
use crate::compare::{plain_attributes, same_json};
use crate::equivalence::Recast;
use crate::file::Node;
use crate::group::Group;
use crate::json;

/// Two arrays whose elements are to be compared.
pub(super) struct Pair {
    pub(super) node: NodePath,
    pub(super) a: Array,
    pub(super) b: Array,
    /// Bytes of items of the first.
    pub(super) len_bytes: u64,
}

/// Compares all but elements; returns the arrays whose elements can be compared.
pub(super) fn pairs(to: &mut Comparison<'_, '_>, a: &Node, b: &Node) -> Result<Vec<Pair>> {
    let mut walk = Walk { to, ahead: Vec::new(), pairs: Vec::new(), seen: HashSet::new() };
    walk.nodes(&NodePath::root(), a, b);
    while let Some((at, a, b)) = walk.ahead.pop() {
        if let Some(progress) = &mut walk.to.options.progress {
            progress(&crate::Progress { node: at.clone(), ..Default::default() })?;
        }
        walk.groups(&at, &a, &b);
    }
    Ok(walk.pairs)
}

struct Walk<'w, 'c, 'o> {
    to: &'w mut Comparison<'c, 'o>,
    /// Groups that are still to be gone into: a list, because depth comes from the files.
    ahead: Vec<(NodePath, Group, Group)>,
    pairs: Vec<Pair>,
    /// Pairs of nodes that were met under other names.
    seen: HashSet<(u64, u64)>,
}

impl Walk<'_, '_, '_> {
    fn nodes(&mut self, at: &NodePath, a: &Node, b: &Node) {
        self.to.report.n_nodes += 1;
        match (a, b) {
            (Node::Group(a), Node::Group(b)) => self.ahead.push((at.clone(), a.clone(), b.clone())),
            (Node::Array(a), Node::Array(b)) => self.arrays(at, a, b),
            (a, b) => {
                let kind = |node: &Node| match node {
                    Node::Group(_) => "group".to_owned(),
                    Node::Array(_) => "array".to_owned(),
                };
                self.to.found(at, What::Kind { a: kind(a), b: kind(b) });
            }
        }
    }

    fn groups(&mut self, at: &NodePath, a: &Group, b: &Group) {
        self.attributes(at, a.attributes(), b.attributes());
        let left = self.to.read(at, Side::A, children(a));
        let right = self.to.read(at, Side::B, children(b));
        let (Some(left), Some(right)) = (left, right) else { return };
        for name in right.keys().filter(|name| !left.contains_key(*name)) {
            if let Ok(path) = at.join(name) {
                self.to.found(&path, What::Only(Side::B));
            }
        }
        for (name, child) in &left {
            let Ok(path) = at.join(name) else { continue };
            match right.get(name) {
                Some(other) => self.children(&path, (a, child), (b, other)),
                None => self.to.found(&path, What::Only(Side::A)),
            }
        }
    }

    /// Two entries of one name.
    fn children(&mut self, path: &NodePath, a: (&Group, &Child), b: (&Group, &Child)) {
        let (x, y) = (kind(a.1), kind(b.1));
        if x != y {
            self.to.found(path, What::Kind { a: x, b: y });
            return;
        }
        let is_node = |child: &Child| {
            child.link == Link::Hard
                && matches!(child.kind, Some(NodeKind::Group | NodeKind::Array))
        };
        if !is_node(a.1) || !is_node(b.1) {
            self.to.report.n_nodes += 1;
            return;
        }
        if let (Some(x), Some(y)) = (a.1.identity, b.1.identity)
            && !self.seen.insert((x, y))
        {
            return;
        }
        let left = self.to.read(path, Side::A, a.0.node(&a.1.name));
        let right = self.to.read(path, Side::B, b.0.node(&b.1.name));
        if let (Some(left), Some(right)) = (left, right) {
            self.nodes(path, &left, &right);
        }
    }

    fn attributes(&mut self, at: &NodePath, a: Result<Attributes>, b: Result<Attributes>) {
        if self.to.options.ignore_attributes {
            return;
        }
        let (a, b) = (self.to.read(at, Side::A, a), self.to.read(at, Side::B, b));
        let (Some(a), Some(b)) = (a, b) else { return };
        for (name, left) in a.iter() {
            let left = self.to.read(at, Side::A, json::of_attribute(left));
            let right = b.get(name).map(json::of_attribute).transpose();
            let right = self.to.read(at, Side::B, right);
            let (Some(left), Some(right)) = (left, right) else { continue };
            if !right.as_ref().is_some_and(|right| same_json(&left, right)) {
                let name = name.to_owned();
                self.to.found(at, What::Attribute { name, a: Some(left), b: right });
            }
        }
        for (name, right) in b.iter().filter(|(name, _)| a.get(name).is_none()) {
            if let Some(right) = self.to.read(at, Side::B, json::of_attribute(right)) {
                let name = name.to_owned();
                self.to.found(at, What::Attribute { name, a: None, b: Some(right) });
            }
        }
    }

    fn arrays(&mut self, at: &NodePath, a: &Array, b: &Array) {
        self.attributes(at, plain_attributes(a), plain_attributes(b));
        let (x, y) = (a.spec(), b.spec());
        let has_names =
            |names: &Option<Vec<Option<String>>>| names.iter().flatten().any(Option::is_some);
        if x.dimension_names != y.dimension_names
            && (has_names(&x.dimension_names) || has_names(&y.dimension_names))
        {
            let (a, b) = (x.dimension_names.clone(), y.dimension_names.clone());
            self.to.found(at, What::DimensionNames { a, b });
        }
        if Recast::new(&x.dtype, &y.dtype).is_none() && !self.to.options.ignore_dtypes {
            self.to.found(at, What::DType { a: x.dtype.clone(), b: y.dtype.clone() });
        }
        if self.to.options.layout {
            let same = [
                (
                    LayoutPart::DType,
                    x.dtype == y.dtype || Recast::new(&x.dtype, &y.dtype).is_none(),
                ),
                (LayoutPart::Chunks, x.grid == y.grid && x.contiguous == y.contiguous),
                (LayoutPart::Shards, x.shards == y.shards),
                (LayoutPart::Codecs, x.codecs == y.codecs),
                (LayoutPart::FillValue, x.fill_value == y.fill_value),
                (LayoutPart::MaxShape, x.max_shape == y.max_shape),
            ];
            for (part, _) in same.into_iter().filter(|(_, is_same)| !is_same) {
                self.to.found(at, What::Layout { part, a: x.clone(), b: y.clone() });
            }
        }
        if x.extent != y.extent {
            self.to.found(at, What::Shape { a: x.extent.clone(), b: y.extent.clone() });
        } else if !x.is_null() {
            let len_bytes = x.n_bytes();
            self.pairs.push(Pair { node: at.clone(), a: a.clone(), b: b.clone(), len_bytes });
        }
    }
}

fn children(group: &Group) -> Result<BTreeMap<String, Child>> {
    let children = group.children()?.into_iter();
    Ok(children.map(|child| (child.name.clone(), child)).collect())
}

/// What an entry of a group is, in words.
fn kind(child: &Child) -> String {
    match (&child.link, child.kind) {
        (Link::Soft(target), _) => format!("link to {target}"),
        (Link::External { file, target }, _) => format!("link to {target} in {file}"),
        (Link::Hard, Some(NodeKind::Group)) => "group".to_owned(),
        (Link::Hard, Some(NodeKind::Array)) => "array".to_owned(),
        (Link::Hard, Some(NodeKind::NamedType)) => "named type".to_owned(),
        _ => "something else".to_owned(),
    }
}
