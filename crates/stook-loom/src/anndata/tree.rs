//! Nodes of AnnData's trees: their encodings, and copies of them.

use stook::codec::CodecSpec;
use stook::{
    Array, AttributeValue, Attributes, AxisSelection, DType, Error, Format, Group, Node, Result,
    Selection, Values,
};

/// Bytes that are copied at once.
const BLOCK_LEN_BYTES: u64 = 16 << 20;
/// Larger arrays are cut to chunks and compressed.
const WORTH_CODING_LEN_BYTES: u64 = 64 << 10;

/// The text of an attribute.
pub(super) fn text(attributes: &Attributes, name: &str) -> Option<String> {
    match attributes.get(name)? {
        AttributeValue::Json(json) => json.as_str().map(str::to_owned),
        AttributeValue::Values(values) => values.text_at(0).ok(),
        AttributeValue::Null(_) => None,
    }
}

/// The texts of an attribute.
pub(super) fn texts(attributes: &Attributes, name: &str) -> Option<Vec<String>> {
    match attributes.get(name)? {
        AttributeValue::Json(json) => {
            json.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
        }
        AttributeValue::Values(values) => {
            (0..values.len()).map(|at| values.text_at(at).ok()).collect()
        }
        // An empty list of numbers is what some writers make of an empty list.
        AttributeValue::Null(_) => Some(Vec::new()),
    }
}

/// The whole numbers of an attribute.
pub(super) fn numbers(attributes: &Attributes, name: &str) -> Option<Vec<u64>> {
    match attributes.get(name)? {
        AttributeValue::Json(json) => {
            json.as_array()?.iter().map(serde_json::Value::as_u64).collect()
        }
        AttributeValue::Values(values) => crate::matrix::whole_numbers(values).ok(),
        AttributeValue::Null(_) => None,
    }
}

/// How a node is encoded, by AnnData's name; empty where it does not say.
pub(super) fn encoding(attributes: &Attributes) -> String {
    text(attributes, "encoding-type")
        .or_else(|| text(attributes, "h5sparse_format").map(|format| format!("{format}_matrix")))
        .unwrap_or_default()
}

/// Says how a group is encoded.
pub(super) fn mark(group: &Group, encoding: &str, version: &str) -> Result<()> {
    group.set_attribute("encoding-type", encoding)?;
    group.set_attribute("encoding-version", version)
}

/// A new group of nodes by their names.
pub(super) fn dict(parent: &Group, name: &str) -> Result<Group> {
    if parent.contains(name)? {
        return parent.group(name);
    }
    let group = parent.create_group(name)?;
    mark(&group, "dict", "0.1.0")?;
    Ok(group)
}

/// A new array with these elements, encoded as AnnData does.
pub(super) fn put(group: &Group, name: &str, values: &Values) -> Result<Array> {
    let is_text = matches!(values.dtype(), DType::String(_));
    let (encoding, version) = match (is_text, values.shape().is_empty()) {
        (true, true) => ("string", "0.2.0"),
        (true, false) => ("string-array", "0.2.0"),
        (false, true) => ("numeric-scalar", "0.2.0"),
        (false, false) => ("array", "0.2.0"),
    };
    let array = like(group, name, values.dtype(), values.shape())?;
    array.write(&Selection::All, values)?;
    array.set_attribute("encoding-type", encoding)?;
    array.set_attribute("encoding-version", version)?;
    Ok(array)
}

/// What compresses arrays in the tree of `group`: what every reader of its format has.
pub(super) fn coding(group: &Group) -> CodecSpec {
    match group.file().format() {
        Format::Hdf5 => CodecSpec::Zlib { level: 2 },
        _ => CodecSpec::Zstd { level: 0, checksum: false },
    }
}

/// A new array without attributes.
fn like(group: &Group, name: &str, dtype: &DType, shape: &[u64]) -> Result<Array> {
    let n_bytes = shape.iter().fold(dtype.item_size() as u64, |n, &len| n.saturating_mul(len));
    let mut builder = group.array(name).dtype(dtype.clone()).shape(shape);
    if n_bytes > WORTH_CODING_LEN_BYTES && !dtype.has_heap() && !shape.contains(&0) {
        let row = (n_bytes / shape.first().copied().unwrap_or(1).max(1)).max(1);
        let mut chunk = shape.to_vec();
        if let Some(len) = chunk.first_mut() {
            *len = (WORTH_CODING_LEN_BYTES * 4 / row).clamp(1, *len);
        }
        builder = builder.chunks(chunk).codecs([coding(group)]);
    }
    builder.create()
}

/// An array of one axis that elements are added to.
pub(super) fn growing(group: &Group, name: &str, dtype: DType) -> Result<Array> {
    let builder = group.array(name).dtype(dtype).shape([0]).max_shape([None]);
    builder.chunks([1 << 16]).codecs([coding(group)]).create()
}

/// Copies a node, with all below it, to `name` in `to`.
pub(super) fn copy(from: &Node, to: &Group, name: &str) -> Result<()> {
    match from {
        Node::Group(group) => {
            let copied = to.create_group(name)?;
            copy_attributes(&group.attributes()?, &mut |name, value| {
                copied.set_attribute(name, value)
            })?;
            for (name, node) in group.nodes()? {
                copy(&node, &copied, &name)?;
            }
            Ok(())
        }
        Node::Array(array) => copy_array(array, to, name),
        _ => Err(Error::unsupported(format!("a node `{name}` that is neither group nor array"))),
    }
}

fn copy_attributes(
    attributes: &Attributes,
    set: &mut dyn FnMut(&str, AttributeValue) -> Result<()>,
) -> Result<()> {
    for (name, value) in attributes.iter() {
        // A reference to a place in a file has no meaning in another.
        let is_reference = matches!(
            value, AttributeValue::Values(values) if *values.dtype() == DType::Reference
        );
        if !is_reference {
            set(name, value.clone())?;
        }
    }
    Ok(())
}

fn copy_array(array: &Array, to: &Group, name: &str) -> Result<()> {
    let spec = array.spec();
    let copied = if spec.is_null() {
        to.array(name).dtype(spec.dtype.clone()).null().create()?
    } else {
        let copied = like(to, name, &spec.dtype, spec.shape())?;
        let shape = spec.shape();
        let n = shape.first().copied().unwrap_or(1);
        let row = shape.iter().skip(1).fold(spec.dtype.item_size() as u64, |n, l| n * l).max(1);
        let step = (BLOCK_LEN_BYTES / row).max(1);
        if shape.is_empty() {
            copied.write(&Selection::All, &array.read(&Selection::All)?)?;
        }
        let mut start = 0;
        while !shape.is_empty() && start < n {
            let end = (start + step).min(n);
            let rows = Selection::Axes(vec![AxisSelection::range(start, end)]);
            copied.write(&rows, &array.read(&rows)?)?;
            start = end;
        }
        copied
    };
    copy_attributes(&array.attributes()?, &mut |name, value| copied.set_attribute(name, value))
}

/// The node at `path` below `group`, if there is one.
pub(super) fn find(group: &Group, path: &str) -> Result<Option<Node>> {
    if group.contains(path)? { group.node(path).map(Some) } else { Ok(None) }
}

/// The nodes in the group at `path`, by name; none where there is no such group.
pub(super) fn nodes(group: &Group, path: &str) -> Result<Vec<(String, Node)>> {
    match find(group, path)? {
        Some(Node::Group(group)) => group.nodes(),
        _ => Ok(Vec::new()),
    }
}

/// The whole number that an attribute is.
pub(super) fn number(attributes: &Attributes, name: &str) -> Option<u64> {
    match attributes.get(name)? {
        AttributeValue::Json(json) => json.as_u64(),
        AttributeValue::Values(values) => {
            crate::matrix::whole_numbers(values).ok()?.first().copied()
        }
        AttributeValue::Null(_) => None,
    }
}
