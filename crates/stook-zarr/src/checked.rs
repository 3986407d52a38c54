//! Documents that callers give, parsed as a reader would parse them.

use serde_json::Value;
use stook_core::{Error, ErrorKind, Format, Limits, NodeKind, NodePath, Pipeline, Result};

use crate::json::{self, Object};
use crate::layout::{self, ArrayLayout};
use crate::node::{Node, ZARR_JSON, ZARRAY, ZGROUP};

/// A document that has been found in order.
pub(crate) struct Checked {
    pub(crate) node: Node,
    /// How an array is laid out; `None` for a group.
    pub(crate) layout: Option<ArrayLayout>,
    /// The attributes that version 2 keeps beside the document.
    pub(crate) attributes: Option<Object>,
}

impl Checked {
    /// Parses the document of a node that is to be at `path`, and sets its codecs up.
    /// `attributes` take the place of those in a document of version 3.
    ///
    /// # Errors
    /// `InvalidInput`, `Unsupported`, `LimitExceeded`.
    pub(crate) fn parse(
        path: &NodePath,
        document: &Object,
        attributes: Option<&Object>,
        limits: &Limits,
    ) -> Result<Self> {
        Self::read(path, document.clone(), attributes, limits).map_err(as_given)
    }

    fn read(
        path: &NodePath,
        mut doc: Object,
        attributes: Option<&Object>,
        limits: &Limits,
    ) -> Result<Self> {
        if doc.get("zarr_format").and_then(Value::as_u64) == Some(2) {
            let is_array = ["shape", "chunks", "dtype"].iter().any(|key| doc.contains_key(*key));
            let (key, kind) =
                if is_array { (ZARRAY, NodeKind::Array) } else { (ZGROUP, NodeKind::Group) };
            let node = Node::v2(key, kind, doc)?;
            let attributes = attributes.cloned();
            let layout = laid_out(path, &node, attributes.as_ref(), limits)?;
            return Ok(Self { node, layout, attributes });
        }
        if let Some(attributes) = attributes {
            doc.insert("attributes".to_owned(), Value::Object(attributes.clone()));
        }
        let node = Node::v3(ZARR_JSON, doc)?;
        check_objects(&node.doc)?;
        let layout = laid_out(path, &node, None, limits)?;
        Ok(Self { node, layout, attributes: None })
    }

    /// The attributes of the node, wherever its version keeps them.
    pub(crate) fn attributes(&self) -> Option<&Object> {
        match self.node.format {
            Format::ZarrV2 => self.attributes.as_ref(),
            _ => self.node.doc.get("attributes").and_then(Value::as_object),
        }
    }
}

fn laid_out(
    path: &NodePath,
    node: &Node,
    attributes: Option<&Object>,
    limits: &Limits,
) -> Result<Option<ArrayLayout>> {
    let layout = match (node.kind, node.format) {
        (NodeKind::Array, Format::ZarrV2) => {
            let none = Object::new();
            layout::parse_v2(path, &node.doc, attributes.unwrap_or(&none), limits)?
        }
        (NodeKind::Array, _) => layout::parse_v3(path, &node.doc, limits)?,
        (_, Format::ZarrV3) => return layout::check_members(&node.doc).map(|()| None),
        _ => return Ok(None),
    };
    Pipeline::new(&layout.spec)?;
    Ok(Some(layout))
}

/// # Errors
/// `Corrupt` where a member that holds others is no object.
fn check_objects(doc: &Object) -> Result<()> {
    for name in ["attributes", crate::consolidated::KEY] {
        match doc.get(name) {
            None | Some(Value::Null | Value::Object(_)) => {}
            Some(other) => {
                let found = json::kind(other);
                return Err(Error::corrupt(format!("`{name}`: expected an object, found {found}")));
            }
        }
    }
    Ok(())
}

/// A document that comes from a caller is no damage of the store.
fn as_given(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Corrupt => Error::invalid(error.message()),
        _ => error,
    }
}
