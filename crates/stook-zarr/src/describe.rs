//! Nodes of any format as the `zarr.json` that describes them.

use serde_json::Value;
use stook_core::{Container, Error, Format, NodeKind, NodePath, Result};

use crate::json::Object;
use crate::node::Node;
use crate::{adapt, attribute, layout};

/// The `zarr.json` of the nearest node that Zarr has to the one at `path` of `container`, with
/// its attributes.
///
/// # Errors
/// `NotFound`, `Unsupported` for what Zarr has nothing near to, `Corrupt`, `LimitExceeded`, `Io`.
pub fn describe(container: &dyn Container, path: &NodePath) -> Result<Object> {
    let located = |error: Error| error.at_node(path).at_file(container.location());
    let mut doc = match container.kind(path)? {
        Some(NodeKind::Array) => {
            let spec = container.open_array(path)?.spec();
            let adapted = adapt::array(&spec, Format::ZarrV3).map_err(located)?;
            layout::print(&adapted.value, Format::ZarrV3).map_err(located)?.array
        }
        Some(NodeKind::Group) => Node::new_group(Format::ZarrV3).1,
        Some(_) => {
            return Err(located(Error::unsupported("the node is neither a group nor an array")));
        }
        None => return Err(located(Error::not_found("there is no such node"))),
    };
    let mut attributes = Object::new();
    for (name, value) in container.attributes(path)? {
        attributes.insert(name.clone(), attribute::to_json(&name, &value).map_err(located)?);
    }
    doc.insert("attributes".to_owned(), Value::Object(attributes));
    Ok(doc)
}
