//! Whether two trees hold the same: nodes, attributes, elements.
//!
//! Values count, not their wrapping: chunks, codecs, the order of names, padding between the
//! members of structs and the names of enum members may differ. Elements are compared bit for
//! bit. Attributes are compared as JSON, because that is all that some formats keep of them.

use std::collections::BTreeMap;

use serde_json::Value;
use stook_core::values::items_equal;
use stook_core::{Attributes, Child, Link, NodeKind, NodePath, Result};

use crate::array::Array;
use crate::copy::Blocks;
use crate::equivalence::Recast;
use crate::file::Node;
use crate::group::Group;
use crate::json;

/// Something in which two trees differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The node, as seen from where the comparison began.
    pub node: NodePath,
    /// In what, with both sides.
    pub what: String,
}

/// Compares the nodes `a` and `b` and all below them, within about `memory_len_bytes`; returns
/// at most `most` differences. Links are compared as links where both sides have them, and are
/// passed over where one side has none.
///
/// # Errors
/// What reading either side may give.
pub fn compare(a: &Node, b: &Node, memory_len_bytes: u64, most: usize) -> Result<Vec<Difference>> {
    let mut comparison = Comparison { memory_len_bytes, most, found: Vec::new() };
    comparison.nodes(&NodePath::root(), a, b)?;
    Ok(comparison.found)
}

struct Comparison {
    memory_len_bytes: u64,
    most: usize,
    found: Vec<Difference>,
}

impl Comparison {
    fn differ(&mut self, node: &NodePath, what: String) {
        if self.found.len() < self.most {
            self.found.push(Difference { node: node.clone(), what });
        }
    }

    fn nodes(&mut self, at: &NodePath, a: &Node, b: &Node) -> Result<()> {
        match (a, b) {
            (Node::Group(a), Node::Group(b)) => self.groups(at, a, b),
            (Node::Array(a), Node::Array(b)) => self.arrays(at, a, b),
            (Node::Group(_), Node::Array(_)) => {
                self.differ(at, "a group here, an array there".to_owned());
                Ok(())
            }
            (Node::Array(_), Node::Group(_)) => {
                self.differ(at, "an array here, a group there".to_owned());
                Ok(())
            }
        }
    }

    /// Walks both trees side by side, without recursion: depth comes from the files.
    fn groups(&mut self, at: &NodePath, a: &Group, b: &Group) -> Result<()> {
        let mut ahead = vec![(at.clone(), a.clone(), b.clone())];
        let mut seen = std::collections::HashSet::new();
        while let Some((at, a, b)) = ahead.pop() {
            self.attributes(&at, &a.attributes()?, &b.attributes()?)?;
            let (left, right) = (hard(&a)?, hard(&b)?);
            for (name, _) in right.iter().filter(|(name, _)| !left.contains_key(*name)) {
                self.differ(&at.join(name)?, "missing here".to_owned());
            }
            for (name, child) in &left {
                let path = at.join(name)?;
                let Some(other) = right.get(name) else {
                    self.differ(&path, "missing there".to_owned());
                    continue;
                };
                // Two nodes under other names again are the same two; where a side has one name
                // for each node, that side ends.
                if let (Some(x), Some(y)) = (child.identity, other.identity)
                    && !seen.insert((x, y))
                {
                    continue;
                }
                match (a.node(name)?, b.node(name)?) {
                    (Node::Group(a), Node::Group(b)) => ahead.push((path, a, b)),
                    (a, b) => self.nodes(&path, &a, &b)?,
                }
            }
            if self.found.len() >= self.most {
                break;
            }
        }
        Ok(())
    }

    fn attributes(&mut self, at: &NodePath, a: &Attributes, b: &Attributes) -> Result<()> {
        for (name, left) in a.iter() {
            match b.get(name) {
                None => self.differ(at, format!("attribute `{name}` is missing there")),
                Some(right) => {
                    let (left, right) = (json::of_attribute(left)?, json::of_attribute(right)?);
                    if !same_json(&left, &right) {
                        self.differ(at, format!("attribute `{name}`: {left} here, {right} there"));
                    }
                }
            }
        }
        for (name, _) in b.iter().filter(|(name, _)| a.get(name).is_none()) {
            self.differ(at, format!("attribute `{name}` is missing here"));
        }
        Ok(())
    }

    fn arrays(&mut self, at: &NodePath, a: &Array, b: &Array) -> Result<()> {
        self.attributes(at, &plain_attributes(a)?, &plain_attributes(b)?)?;
        let (left, right) = (a.spec(), b.spec());
        if left.extent != right.extent {
            self.differ(at, format!("shape {:?} here, {:?} there", left.extent, right.extent));
            return Ok(());
        }
        let Some(recast) = Recast::new(&left.dtype, &right.dtype) else {
            self.differ(at, format!("dtype {} here, {} there", left.dtype, right.dtype));
            return Ok(());
        };
        if left.is_null() {
            return Ok(());
        }
        let has_other_bytes = !recast.is_identity() || !recast.is_dense();
        let other = Recast::new(&right.dtype, &right.dtype).filter(|_| has_other_bytes);
        for block in Blocks::new(&left, &right, self.memory_len_bytes / 4) {
            let (x, y) = (a.read(&block)?, b.read(&block)?);
            // Padding is whatever a file holds; recast, it is zero on both sides.
            let recast_items = has_other_bytes.then(|| recast.apply(x.items()));
            let other_items = other.as_ref().map(|other| other.apply(y.items()));
            let x_items = recast_items.as_deref().unwrap_or(x.items());
            let y_items = other_items.as_deref().unwrap_or(y.items());
            if !items_equal(&right.dtype, (x_items, x.heap()), (y_items, y.heap())) {
                self.differ(
                    at,
                    first_difference(&right.dtype, (x_items, x.heap()), (y_items, y.heap())),
                );
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The attributes without the one in which Zarr v2 keeps the names of the axes: other formats
/// have another place for them.
pub(crate) fn plain_attributes(array: &Array) -> Result<Attributes> {
    const ARRAY_DIMENSIONS: &str = "_ARRAY_DIMENSIONS";
    let mut attributes = array.attributes()?;
    let names = array.spec().dimension_names.as_ref().map(|names| serde_json::json!(names));
    if let (Some(names), Some(value)) = (names, attributes.get(ARRAY_DIMENSIONS))
        && json::of_attribute(value)? == names
    {
        attributes.remove(ARRAY_DIMENSIONS);
    }
    Ok(attributes)
}

/// The children that are nodes of the group itself.
fn hard(group: &Group) -> Result<BTreeMap<String, Child>> {
    let children = group.children()?.into_iter();
    let nodes = children.filter(|child| {
        child.link == Link::Hard && matches!(child.kind, Some(NodeKind::Group | NodeKind::Array))
    });
    Ok(nodes.map(|child| (child.name.clone(), child)).collect())
}

fn first_difference(dtype: &stook_core::DType, a: (&[u8], &[u8]), b: (&[u8], &[u8])) -> String {
    let size = dtype.item_size().max(1);
    let pairs = a.0.chunks_exact(size).zip(b.0.chunks_exact(size));
    let differing: Vec<_> =
        pairs.filter(|(x, y)| !items_equal(dtype, (x, a.1), (y, b.1))).collect();
    let shown = differing.first().map(|(x, y)| {
        let text = |item, heap| json::of_item(dtype, item, heap).unwrap_or(Value::Null).to_string();
        format!("; first {} here, {} there", text(x, a.1), text(y, b.1))
    });
    format!(
        "{} elements differ in the first block that does{}",
        differing.len(),
        shown.unwrap_or_default()
    )
}

/// Equal as values: `1` is `1.0`, and an array of one element is not its element.
pub(crate) fn same_json(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_json(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same_json(a, b)))
        }
        // HDF5 has no type for objects and mixed lists; it holds their text.
        (Value::String(text), value @ (Value::Array(_) | Value::Object(_)))
        | (value @ (Value::Array(_) | Value::Object(_)), Value::String(text)) => {
            serde_json::from_str(text).is_ok_and(|parsed: Value| same_json(&parsed, value))
        }
        _ => a == b,
    }
}
