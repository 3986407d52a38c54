//! `stook cat`: the elements of an array. A program that reads them gets all, a block at a time;
//! a person at a terminal gets what fits.

pub(crate) mod cell;
mod csv;
mod layout;
mod list;
mod npy;
mod preview;
mod source;
mod stream;

use std::io::Write;

use stook::{Array, Group, Node, NodeKind};

use crate::cli::{CatArgs, CatFormat};
use crate::error::{Failure, say};
use crate::find;
use crate::output::{Ink, Output};
use crate::selection::{self, Picked};
use source::Source;

pub(crate) fn run(args: &CatArgs, out: &mut Output) -> Result<(), Failure> {
    let file = args.reach.open(&args.file)?.with_engine(args.means.engine());
    let picked = selection::parse(&file, &args.selection)?;
    match find::node(&file, &args.node)? {
        Node::Array(array) => elements(&array, &picked, args, out),
        Node::Group(group) if picked == Picked::default() => {
            names(&group, args.format() == CatFormat::Json, out)
        }
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
    picked: &Picked,
    args: &CatArgs,
    out: &mut Output,
) -> Result<(), Failure> {
    let located = |error: stook::Error| error.at_node(array.path()).at_file(array.file().path());
    if array.spec().is_null() {
        say("note: the array has no elements: its extent is null");
        let is_json = args.format() == CatFormat::Json;
        return if is_json { Ok(out.line("null")?) } else { Ok(()) };
    }
    let source = Source::new(array, picked, args.means.memory).map_err(located)?;
    let written = match (args.format(), out.terminal) {
        (CatFormat::Json, _) => list::write(&source, out),
        (CatFormat::Csv, _) => csv::write(&source, args.index, out),
        (CatFormat::Npy, _) => npy::write(&source, out),
        (CatFormat::Table, Some(size)) => preview::write(&source, size, out),
        (CatFormat::Table, None) => stream::write(&source, out),
    };
    written.map_err(|failure| match failure {
        Failure::Stook(error) => Failure::Stook(located(error)),
        other => other,
    })
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
