//! Where the records of attributes lie ([`crate::attribute::typed`]).
//!
//! In the extension of an array's document, in version 2 of a group's too. A group of version 3
//! has them as the text of an attribute, `_stook`: zarr-python 3.1 opens no group whose document
//! has a member that it does not know.

use serde_json::{Value, json};
use stook_core::{Format, NodeKind};

use crate::attribute::typed::{ATTRIBUTES, of_extension};
use crate::dtype::full;
use crate::json::Object;
use crate::node::Node;

/// The attribute of a group of version 3.
const ATTRIBUTE: &str = "_stook";

fn is_attribute(node: &Node) -> bool {
    node.format != Format::ZarrV2 && node.kind == NodeKind::Group
}

/// The records of `node` by the names of its attributes; what of `attributes` is none of those is
/// taken out.
pub(crate) fn take(node: &Node, attributes: &mut Object) -> Object {
    if !is_attribute(node) {
        return of_extension(full::of_document(&node.doc, node.format));
    }
    let text = attributes.get(ATTRIBUTE).and_then(Value::as_str);
    let extension = text.and_then(|text| serde_json::from_str::<Object>(text).ok());
    match extension {
        Some(extension) if extension.contains_key(ATTRIBUTES) => {
            attributes.shift_remove(ATTRIBUTE);
            of_extension(Some(&extension))
        }
        _ => Object::new(),
    }
}

/// Puts the records into `doc`, that of `node`, or into `attributes`; whether `doc` has changed.
pub(crate) fn put(node: &Node, records: Object, attributes: &mut Object, doc: &mut Object) -> bool {
    if is_attribute(node) {
        if !records.is_empty() {
            let text = json!({ATTRIBUTES: records}).to_string();
            attributes.insert(ATTRIBUTE.to_owned(), Value::from(text));
        }
        return false;
    }
    let member = full::member(node.format);
    let mut extension = full::of_document(doc, node.format).cloned().unwrap_or_default();
    if of_extension(Some(&extension)) == records {
        return false;
    }
    if records.is_empty() {
        extension.shift_remove(ATTRIBUTES);
    } else {
        extension.entry("must_understand").or_insert(Value::Bool(false));
        extension.insert(ATTRIBUTES.to_owned(), Value::Object(records));
    }
    if extension.keys().all(|key| key == "must_understand") {
        doc.shift_remove(member);
    } else {
        doc.insert(member.to_owned(), Value::Object(extension));
    }
    true
}
