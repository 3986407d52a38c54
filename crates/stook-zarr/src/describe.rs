//! Documents of nodes that are not there yet, or are of other formats.

use serde_json::Value;
use stook_core::{ArraySpec, CodecSpec, Container, Error, Format, NodeKind, NodePath, Result};

use crate::json::Object;
use crate::node::Node;
use crate::{adapt, attribute, codec, layout};

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

/// The document of a new array of `spec` in version `format`, in the words of zarr-python, and
/// the attributes that version 2 needs beside it.
///
/// # Errors
/// `InvalidInput` if `format` is not Zarr or the parts of `spec` do not fit each other,
/// `Unsupported` for what that version cannot say.
pub fn array_document(spec: &ArraySpec, format: Format) -> Result<(Object, Option<Object>)> {
    check_zarr(format)?;
    let printed = layout::print(spec, format)?;
    Ok((printed.array, printed.attributes))
}

/// The document of a new group of version `format`.
///
/// # Errors
/// `InvalidInput` if `format` is not Zarr.
pub fn group_document(format: Format) -> Result<Object> {
    check_zarr(format)?;
    Ok(Node::new_group(format).1)
}

/// A codec of arrays of `spec` as a document of version `format` has it.
///
/// # Errors
/// `InvalidInput` if `format` is not Zarr, `Unsupported` for what that version cannot say.
pub fn codec_document(codec: &CodecSpec, spec: &ArraySpec, format: Format) -> Result<Value> {
    check_zarr(format)?;
    codec::print_one(codec, &spec.dtype, format)
}

/// # Errors
/// `InvalidInput` unless `format` is Zarr.
pub(crate) fn check_zarr(format: Format) -> Result<()> {
    match format {
        Format::ZarrV2 | Format::ZarrV3 => Ok(()),
        other => Err(Error::invalid(format!("expected a version of Zarr, found {other}"))),
    }
}
