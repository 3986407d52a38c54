//! `stook tree`: the tree, a line a node, written while it is walked.

mod json;
mod text;

use std::io;

use stook::{File, Link, Node, NodeKind, NodePath, Visit, walk};

use crate::cli::TreeArgs;
use crate::error::Failure;
use crate::find;
use crate::output::Output;
use json::JsonTree;
use text::TextTree;

pub(crate) fn run(args: &TreeArgs, out: &mut Output) -> Result<(), Failure> {
    let file = args.reach.open(&args.file)?;
    let start = NodePath::parse(&args.node)?;
    let mut printer: Box<dyn Printer> =
        if args.json { Box::new(JsonTree::new(out)) } else { Box::new(TextTree::new(args, out)) };
    // What `walk` passes on are errors of the library; those of the output wait here.
    let mut unwritten: Option<io::Error> = None;
    let mut unwritable = |error| {
        unwritten.get_or_insert(error);
        stook::Error::invalid("the output is closed")
    };
    let mut n_failed = 0;
    let walked = walk(&file, &start, &mut |visit| {
        let look = Look::at(&file, visit, args);
        n_failed += u64::from(look.failure.is_some());
        printer.node(&file, visit, &look).map_err(&mut unwritable)?;
        Ok(goes_in(visit, args))
    });
    let finished = match walked {
        Ok(()) => printer.finish().map_err(Failure::Write),
        Err(error) => Err(Failure::Stook(find::hinted(&file, error))),
    };
    drop(printer);
    match unwritten {
        Some(error) => Err(Failure::Write(error)),
        None => finished.and(if n_failed == 0 { Ok(()) } else { Err(Failure::Said) }),
    }
}

/// Whether what is below a node is shown.
fn goes_in(visit: &Visit, args: &TreeArgs) -> bool {
    args.depth.is_none_or(|depth| visit.depth < depth)
}

/// What there is to say about a node.
struct Look {
    array: Option<stook::Array>,
    attributes: Option<stook::Attributes>,
    /// Whether lines follow that are below it.
    has_children: bool,
    failure: Option<stook::Error>,
}

impl Look {
    /// Looks at a node itself, not at what links lead to. A node that cannot be read must not
    /// hide the others.
    fn at(file: &File, visit: &Visit, args: &TreeArgs) -> Self {
        let goes_in = goes_in(visit, args);
        let mut look = Self { array: None, attributes: None, has_children: false, failure: None };
        let is_known = matches!(visit.child.kind, Some(NodeKind::Group | NodeKind::Array));
        if !is_known || visit.child.link != Link::Hard || visit.seen_at.is_some() {
            return look;
        }
        let found = file.node(visit.path.as_str()).and_then(|node| {
            look.attributes = Some(node.attributes()?);
            match node {
                Node::Array(array) => look.array = Some(array),
                Node::Group(group) if goes_in && args.attrs && !args.json => {
                    look.has_children = !group.children()?.is_empty();
                }
                _ => {}
            }
            Ok(())
        });
        look.failure = found.err();
        look
    }
}

trait Printer {
    fn node(&mut self, file: &File, visit: &Visit, look: &Look) -> io::Result<()>;
    fn finish(&mut self) -> io::Result<()>;
}
