//! `stook cat`: the elements of an array. A program that reads them gets all, a block at a time;
//! a person at a terminal gets what fits.

mod cell;
mod layout;
mod list;
mod plan;
mod preview;
mod stream;
mod time;

use std::io::Write;

use stook::{Array, File, Group, Node, NodeKind, Selection};

use crate::cli::CatArgs;
use crate::error::{Failure, say};
use crate::find;
use crate::output::{Ink, Output};
use plan::Plan;

pub(crate) fn run(args: &CatArgs, out: &mut Output) -> Result<(), Failure> {
    let file = File::open(&args.file)?;
    let selection = Selection::parse(&args.selection)?;
    match find::node(&file, &args.node)? {
        Node::Array(array) => elements(&array, &selection, args.json, out),
        Node::Group(group) if selection == Selection::All => names(&group, args.json, out),
        Node::Group(group) => Err(stook::Error::invalid("expected an array, found a group")
            .at_node(group.path())
            .at_file(file.path())
            .with_hint("a selection is for arrays; leave it out to list the group"))?,
        other => {
            Err(stook::Error::unsupported("the node is of no known kind").at_node(other.path()))?
        }
    }
}

fn elements(
    array: &Array,
    selection: &Selection,
    as_json: bool,
    out: &mut Output,
) -> Result<(), Failure> {
    let spec = array.spec();
    if spec.is_null() {
        say("note: the array has no elements: its extent is null");
        return if as_json { Ok(out.line("null")?) } else { Ok(()) };
    }
    let located = |error: stook::Error| error.at_node(array.path()).at_file(array.file().path());
    let plan = Plan::new(selection, &spec).map_err(located)?;
    match out.terminal {
        _ if as_json => list::write(array, &plan, out),
        Some(size) => preview::write(array, &plan, size, out),
        None => stream::write(array, &plan, out),
    }
}

/// The names in a group, groups with a slash behind them.
fn names(group: &Group, as_json: bool, out: &mut Output) -> Result<(), Failure> {
    let children = group.children()?;
    if as_json {
        let names: Vec<String> = children.into_iter().map(|child| child.name).collect();
        return Ok(out.json(&names.into())?);
    }
    for child in children {
        if child.kind == Some(NodeKind::Group) {
            let name = out.paint.ink(Ink::Group, &child.name).into_owned();
            writeln!(out, "{name}/")?;
        } else {
            out.line(&child.name)?;
        }
    }
    Ok(())
}
