//! `stook attr`: attributes shown, set, renamed and deleted.

mod value;

use serde_json::Value;
use stook::{AttributeEdits, AttributeValue, Attributes, Error, ErrorKind, File, Node, Result};

use crate::cli::AttrArgs;
use crate::describe;
use crate::error::Failure;
use crate::find;
use crate::interrupt;
use crate::output::Output;

/// Names beyond these are left out of a hint.
const MOST_NAMES: usize = 8;

pub(crate) fn run(args: &AttrArgs, out: &mut Output) -> Result<(), Failure> {
    let changes = args.value.is_some() || !args.delete.is_empty() || !args.rename.is_empty();
    if changes { edit(args, out) } else { show(args, out) }
}

fn show(args: &AttrArgs, out: &mut Output) -> Result<(), Failure> {
    let file = File::open(&args.file)?;
    let node = find::node(&file, &args.node)?;
    let attributes = node.attributes()?;
    if let Some(name) = &args.name {
        let Some(value) = attributes.get(name) else {
            return Err(missing(&file, &node, &attributes, name).into());
        };
        let value = stook::json::of_attribute(value)?;
        return match value {
            _ if args.json => Ok(out.json(&value)?),
            // As it is, for a program to take.
            Value::String(text) => Ok(out.line(&text)?),
            other => Ok(out.line(&other.to_string())?),
        };
    }
    if args.json {
        return Ok(out.json(&describe::attributes_json(&attributes)?)?);
    }
    let fields = attributes
        .iter()
        .map(|(name, value)| Ok((describe::one_line(name), describe::attribute_brief(value)?)));
    Ok(out.fields(&fields.collect::<Result<Vec<_>>>()?)?)
}

fn edit(args: &AttrArgs, out: &mut Output) -> Result<(), Failure> {
    let file = File::open_read_write(&args.file)?;
    let node = find::node(&file, &args.node)?;
    let located = |error: Error| error.at_node(node.path()).at_file(file.path());
    let attributes = node.attributes()?;
    let mut edits = AttributeEdits::new();
    if let (Some(name), Some(text)) = (&args.name, &args.value) {
        let value = new_value(args, text).map_err(located)?;
        let adapted = file.container().adapt_attribute(name, &value).map_err(located)?.value;
        edits = edits.set(name.clone(), adapted);
    }
    for pair in args.rename.chunks_exact(2) {
        let [old, new] = pair else { continue };
        let Some(value) = attributes.get(old) else {
            return Err(missing(&file, &node, &attributes, old).into());
        };
        if attributes.get(new).is_some() && !args.delete.contains(new) {
            let error = Error::already_exists(format!("attribute `{new}` exists"));
            return Err(located(error).with_hint("delete it with `--delete`, too").into());
        }
        edits = edits.remove(old.clone()).set(new.clone(), value.clone());
    }
    for name in &args.delete {
        if attributes.get(name).is_none() {
            return Err(missing(&file, &node, &attributes, name).into());
        }
        // One that a renaming has just put in its place stays.
        if !args.rename.chunks_exact(2).any(|pair| pair.get(1) == Some(name)) {
            edits = edits.remove(name.clone());
        }
    }
    interrupt::check()?;
    file.container().edit_attributes(node.path(), &edits).map_err(|error| {
        let is_unsupported = error.kind() == ErrorKind::Unsupported;
        let error = located(error);
        if is_unsupported { error.with_hint("npy and npz files have no attributes") } else { error }
    })?;
    file.commit()?;
    if args.json {
        let attributes = node.attributes()?;
        out.json(&describe::attributes_json(&attributes)?)?;
    }
    Ok(())
}

/// The value that the command line gives.
fn new_value(args: &AttrArgs, text: &str) -> Result<AttributeValue> {
    if args.text {
        return Ok(Value::String(text.to_owned()).into());
    }
    let json = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    match &args.dtype {
        Some(dtype) => Ok(value::typed(&dtype.parse()?, &json)?.into()),
        None => Ok(json.into()),
    }
}

fn missing(file: &File, node: &Node, attributes: &Attributes, name: &str) -> Error {
    let names: Vec<&str> = attributes.iter().map(|(name, _)| name).take(MOST_NAMES).collect();
    let more = if attributes.len() > MOST_NAMES { ", …" } else { "" };
    let hint = match names.is_empty() {
        true => "the node has no attributes".to_owned(),
        false => format!("there is: {}{more}", names.join(", ")),
    };
    let error = Error::not_found(format!("there is no attribute `{name}`"));
    error.at_node(node.path()).at_file(file.path()).with_hint(hint)
}
