//! `stook rm`, `mv` and `ln`: nodes removed, moved and linked in place.
//!
//! What can be foreseen is checked before anything is changed; all changes are committed at once.

use serde_json::json;
use stook::{Error, ErrorKind, File, Link, NodeKind, NodePath, Result};

use crate::cli::{LnArgs, MvArgs, RmArgs};
use crate::error::Failure;
use crate::find;
use crate::interrupt;
use crate::output::Output;

pub(crate) fn rm(args: &RmArgs, out: &mut Output) -> Result<(), Failure> {
    let file = File::open_read_write(&args.file)?;
    let nodes = args.nodes.iter().map(|node| NodePath::parse(node)).collect::<Result<Vec<_>>>()?;
    let mut doomed: Vec<NodePath> = Vec::new();
    for node in nodes {
        let Some((kind, link)) = entry(&file, &node)? else {
            if args.force {
                continue;
            }
            return Err(missing(&file, &node).into());
        };
        let refused = |message: &str| Error::invalid(message).at_node(&node).at_file(file.path());
        if node.is_root() {
            return Err(refused("the root cannot be removed")
                .with_hint("remove the file itself")
                .into());
        }
        if link == Link::Hard && kind == Some(NodeKind::Group) && !args.recursive {
            return Err(refused("expected an array or a link, found a group")
                .with_hint("remove it with all that is in it by `stook rm -r`")
                .into());
        }
        // What goes with a group above it, or is named twice, is gone by then.
        if !doomed.iter().any(|above| node.starts_with(above)) {
            doomed.retain(|below| !below.starts_with(&node));
            doomed.push(node);
        }
    }
    for node in &doomed {
        interrupt::check()?;
        file.container().remove(node).map_err(|error| located(error, &file, node))?;
    }
    file.commit()?;
    if args.json {
        let removed: Vec<&str> = doomed.iter().map(NodePath::as_str).collect();
        out.json(&json!({ "file": args.file.to_string_lossy(), "removed": removed }))?;
    }
    Ok(())
}

pub(crate) fn mv(args: &MvArgs, out: &mut Output) -> Result<(), Failure> {
    let file = File::open_read_write(&args.file)?;
    let from = NodePath::parse(&args.from)?;
    let mut to = NodePath::parse(&args.to)?;
    if entry(&file, &from)?.is_none() {
        return Err(missing(&file, &from).into());
    }
    if from.is_root() {
        let error = Error::invalid("the root cannot be moved").at_node(&from);
        return Err(error.at_file(file.path()).into());
    }
    // Like `mv`: a group that is there takes the node in.
    if from != to && matches!(file.container().kind(&to)?, Some(NodeKind::Group)) {
        to = to.join(from.name())?;
    }
    interrupt::check()?;
    file.container().rename(&from, &to).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            located(error, &file, &to).with_hint("remove it first, or choose another name")
        }
        _ => located(error, &file, &from),
    })?;
    file.commit()?;
    if args.json {
        out.json(&json!({
            "file": args.file.to_string_lossy(),
            "from": from.as_str(),
            "to": to.as_str(),
        }))?;
    }
    Ok(())
}

pub(crate) fn ln(args: &LnArgs, out: &mut Output) -> Result<(), Failure> {
    let file = File::open_read_write(&args.file)?;
    let at = NodePath::parse(&args.link)?;
    let link = match &args.in_file {
        Some(other) => Link::External { file: other.clone(), target: args.target.clone() },
        None => Link::Soft(args.target.clone()),
    };
    interrupt::check()?;
    file.container().create_link(&at, &link).map_err(|error| {
        let error = located(error, &file, &at);
        match error.kind() {
            ErrorKind::Unsupported => error.with_hint("HDF5 files have links; see `stook convert`"),
            ErrorKind::AlreadyExists => error.with_hint("remove it first, or choose another name"),
            _ => error,
        }
    })?;
    file.commit()?;
    if args.json {
        out.json(&json!({
            "file": args.file.to_string_lossy(),
            "link": at.as_str(),
            "target": args.target,
            "in": args.in_file,
        }))?;
    }
    Ok(())
}

/// What is at `node` itself, links not followed: its kind and how its name leads there.
fn entry(file: &File, node: &NodePath) -> Result<Option<(Option<NodeKind>, Link)>> {
    let Some(parent) = node.parent() else {
        return Ok(file.container().kind(node)?.map(|kind| (Some(kind), Link::Hard)));
    };
    if file.container().kind(&parent)? != Some(NodeKind::Group) {
        return Ok(None);
    }
    let children = file.container().children(&parent)?;
    let found = children.into_iter().find(|child| child.name == node.name());
    Ok(found.map(|child| (child.kind, child.link)))
}

fn missing(file: &File, node: &NodePath) -> Error {
    let error = Error::not_found("there is no such node").at_node(node).at_file(file.path());
    find::hinted(file, error)
}

fn located(error: Error, file: &File, node: &NodePath) -> Error {
    error.at_node(node).at_file(file.path())
}
