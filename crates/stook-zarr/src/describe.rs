//! Documents of nodes that are not there yet, or are of other formats.

use serde_json::Value;
use stook_core::{
    ArraySpec, AttributeEdits, CodecSpec, Container, Error, Format, Limits, NodeKind, NodePath,
    Result,
};

use crate::checked::Checked;
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

/// Creates the nearest node that `container` has to the one that `document` describes: a
/// `zarr.json`, or a `.zarray` or `.zgroup` with the `attributes` that are kept beside it. The
/// groups above it that are missing are created. Its layout is what the format has nearest to it,
/// its axes may grow where the format lets any do so; its dtype, shape, fill value and attributes
/// are kept. With `overwrite` all that is at `path` and below goes.
///
/// # Errors
/// `InvalidInput` for a document that is malformed, `Unsupported` for what the format cannot hold,
/// `AlreadyExists` without `overwrite`, `ReadOnly`, `LimitExceeded`, `Io`. What the document asks
/// for is checked before anything is removed.
pub fn create_described(
    container: &dyn Container,
    path: &NodePath,
    document: (&Object, Option<&Object>),
    limits: &Limits,
    overwrite: bool,
) -> Result<()> {
    let create = || {
        let checked = Checked::parse(path, document.0, document.1, limits)?;
        let spec = checked.layout.as_ref().map(|layout| nearest(container, &layout.spec));
        let (spec, edits) = (spec.transpose()?, edits_of(container, &checked)?);
        match container.kind(path)? {
            Some(_) if !overwrite => {
                return Err(Error::already_exists("there is a node of this name"));
            }
            Some(_) if path.is_root() => empty_root(container, spec.is_some())?,
            Some(_) => container.remove(path)?,
            None => {}
        }
        match spec {
            Some(spec) => container.create_array(path, &spec).map(drop)?,
            None if container.kind(path)?.is_none() => container.create_group(path)?,
            None => {}
        }
        if edits.changes.is_empty() {
            return Ok(());
        }
        container.edit_attributes(path, &edits)
    };
    create().map_err(|error: Error| error.at_node(path).at_file(container.location()))
}

/// The nearest array to one of Zarr, whose axes may all grow.
fn nearest(container: &dyn Container, spec: &ArraySpec) -> Result<ArraySpec> {
    let mut spec = container.adapt_array(spec)?.value;
    let rank = spec.shape().len();
    if container.format() == Format::Hdf5 && !spec.contiguous && rank > 0 {
        spec.max_shape = Some(vec![None; rank]);
    }
    Ok(spec)
}

/// The attributes of a new node, without those that only say what its description says.
fn edits_of(container: &dyn Container, checked: &Checked) -> Result<AttributeEdits> {
    let names_axes =
        checked.layout.as_ref().is_some_and(|layout| layout.spec.dimension_names.is_some());
    let mut edits = AttributeEdits::new();
    for (name, value) in checked.attributes().into_iter().flatten() {
        if names_axes && checked.node.format == Format::ZarrV2 && name == layout::ARRAY_DIMENSIONS {
            continue;
        }
        let value = attribute::from_json(value.clone())?;
        edits = edits.set(name, container.adapt_attribute(name, &value)?.value);
    }
    Ok(edits)
}

/// Removes all that is in the root, which is always there in other formats, and always a group.
fn empty_root(container: &dyn Container, becomes_array: bool) -> Result<()> {
    let root = NodePath::root();
    if becomes_array || container.kind(&root)? != Some(NodeKind::Group) {
        let what = format!("the root of {} is a group", container.format());
        return Err(Error::unsupported(what).with_hint("give the array a name"));
    }
    for child in container.children(&root)? {
        container.remove(&root.join(&child.name)?)?;
    }
    container.edit_attributes(&root, &AttributeEdits::new().clear())
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
