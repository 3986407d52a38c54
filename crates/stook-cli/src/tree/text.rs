//! The tree for people: a line a node, with guides.

use std::io;

use stook::{Child, File, Link, NodeKind, Visit};

use super::{Look, Printer};
use crate::cli::TreeArgs;
use crate::describe;
use crate::output::{Ink, Output, Paint, counted, cut, human_bytes, pad, width};

/// The columns of names with their guides, dtypes and shapes. Wider ones push the rest aside: to
/// align all, all would have to be known before the first line.
const NAME_WIDTH: usize = 32;
const DTYPE_WIDTH: usize = 10;
const SHAPE_WIDTH: usize = 13;
/// What is longer is cut.
const DTYPE_MOST: usize = 40;
const MEMBERS_MOST: usize = 40;
const ATTRIBUTE_MOST: usize = 100;

#[derive(Default)]
struct Counts {
    n_groups: u64,
    n_arrays: u64,
    len_bytes: u64,
}

pub(super) struct TextTree<'a> {
    paint: Paint,
    out: &'a mut Output,
    args: &'a TreeArgs,
    /// For each level down to the node before: whether that node's ancestor there is the last.
    lasts: Vec<bool>,
    counts: Counts,
}

impl Printer for TextTree<'_> {
    fn node(&mut self, file: &File, visit: &Visit, look: &Look) -> io::Result<()> {
        self.lasts.truncate(visit.depth.saturating_sub(1));
        let guide = self.guide(visit);
        if visit.depth > 0 {
            self.lasts.push(visit.is_last);
        }
        let (name, ink) = self.name(file, visit);
        let about = self.about(file, visit, look);
        let used = width(&guide) + width(&name);
        let gap =
            " ".repeat(if about.is_empty() { 0 } else { NAME_WIDTH.saturating_sub(used).max(2) });
        let (guide, name) = (
            self.paint.ink(Ink::Faint, &guide),
            ink.map_or(name.as_str().into(), |ink| self.paint.ink(ink, &name)),
        );
        self.out.line(&format!("{guide}{name}{gap}{about}"))?;
        if self.args.attrs
            && let Some(attributes) = &look.attributes
        {
            self.attributes(look, attributes)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let Counts { n_groups, n_arrays, len_bytes } = self.counts;
        if n_groups == 0 {
            // The only line says it all.
            return Ok(());
        }
        let (groups, arrays) = (counted(n_groups, "group"), counted(n_arrays, "array"));
        let sum = format!("{groups}, {arrays}, {}", human_bytes(len_bytes));
        self.out.line("")?;
        let sum = self.paint.ink(Ink::Faint, &sum).into_owned();
        self.out.line(&sum)
    }
}

impl<'a> TextTree<'a> {
    pub(super) fn new(args: &'a TreeArgs, out: &'a mut Output) -> Self {
        Self { paint: out.paint, out, args, lasts: Vec::new(), counts: Counts::default() }
    }

    fn stems(&self) -> String {
        self.lasts.iter().map(|&is_last| if is_last { "    " } else { "│   " }).collect()
    }

    fn guide(&self, visit: &Visit) -> String {
        if visit.depth == 0 {
            return String::new();
        }
        format!("{}{}", self.stems(), if visit.is_last { "└── " } else { "├── " })
    }

    fn name(&self, file: &File, visit: &Visit) -> (String, Option<Ink>) {
        let Child { name, kind, link, .. } = &visit.child;
        let is_group = *kind == Some(NodeKind::Group);
        if visit.depth == 0 {
            let of_file =
                file.path().file_name().unwrap_or(file.path().as_os_str()).to_string_lossy();
            let name =
                if visit.path.is_root() { of_file.into_owned() } else { visit.path.to_string() };
            return (name, Some(Ink::Name));
        }
        let name = describe::one_line(name);
        match link {
            Link::Hard if is_group => (format!("{name}/"), Some(Ink::Group)),
            Link::Hard => (name, None),
            _ => (name, Some(Ink::Link)),
        }
    }

    /// What stands behind the name.
    fn about(&mut self, file: &File, visit: &Visit, look: &Look) -> String {
        if let Some(error) = &look.failure {
            return self
                .paint
                .ink(Ink::Error, &format!("! {}: {}", error.kind().as_str(), error.message()))
                .into_owned();
        }
        let link = match (&visit.child.link, &visit.seen_at) {
            (Link::Soft(target), _) => Some(format!("→ {}", describe::one_line(target))),
            (Link::External { file, target }, _) => Some(format!("→ {target} in {file}")),
            (_, Some(seen)) => Some(format!("= {seen}")),
            _ => None,
        };
        if let Some(link) = link {
            let lost = if visit.child.kind.is_none() && matches!(visit.child.link, Link::Soft(_)) {
                self.paint.ink(Ink::Error, "  leads nowhere")
            } else {
                "".into()
            };
            return format!("{}{lost}", self.paint.ink(Ink::Link, &link));
        }
        if let Some(array) = &look.array {
            self.counts.n_arrays += 1;
            let spec = array.spec();
            self.counts.len_bytes = self.counts.len_bytes.saturating_add(spec.n_bytes());
            return self.array(&spec);
        }
        match visit.child.kind {
            Some(NodeKind::Group) => {
                self.counts.n_groups += 1;
                if visit.depth > 0 || !visit.path.is_root() {
                    return String::new();
                }
                let size = stook::len_bytes(file.path()).map(human_bytes).unwrap_or_default();
                self.paint.ink(Ink::Faint, &format!("{}, {size}", file.format())).into_owned()
            }
            Some(NodeKind::NamedType) => self.paint.ink(Ink::Faint, "a named type").into_owned(),
            _ => self.paint.ink(Ink::Faint, "neither a group nor an array").into_owned(),
        }
    }

    fn array(&self, spec: &stook::ArraySpec) -> String {
        let dtype = describe::dtype_brief(&spec.dtype);
        let dtype = pad(&cut(&dtype, DTYPE_MOST), DTYPE_WIDTH);
        let mut shape = describe::shape(spec);
        if let Some(dimensions) = describe::dimensions(spec) {
            shape = format!("{shape} {dimensions}");
        }
        let mut tail = describe::storage_brief(spec);
        if let Some(members) = describe::members_brief(&spec.dtype) {
            let gap = if tail.is_empty() { "" } else { "  " };
            tail = format!("{tail}{gap}{}", cut(&members, MEMBERS_MOST));
        }
        let shape = if tail.is_empty() { shape } else { pad(&shape, SHAPE_WIDTH) };
        let gap = if tail.is_empty() { "" } else { "  " };
        let (dtype, tail) = (self.paint.ink(Ink::DType, &dtype), self.paint.ink(Ink::Faint, &tail));
        format!("{dtype}  {shape}{gap}{tail}")
    }

    /// The attributes, a line each, with the guides of what is still to come below the node.
    fn attributes(&mut self, look: &Look, attributes: &stook::Attributes) -> io::Result<()> {
        let stems = self.stems();
        let inner = if look.has_children { "│ " } else { "  " };
        let widest = attributes.iter().map(|(name, _)| width(name)).max().unwrap_or(0).min(24);
        for (name, value) in attributes.iter() {
            let name = describe::one_line(name);
            let value =
                describe::attribute_brief(value).unwrap_or_else(|error| format!("! {error}"));
            let line = format!("@{} = {}", pad(&name, widest), cut(&value, ATTRIBUTE_MOST));
            let line = format!(
                "{}{}",
                self.paint.ink(Ink::Faint, &format!("{stems}{inner}")),
                self.paint.ink(Ink::Faint, &line)
            );
            self.out.line(&line)?;
        }
        Ok(())
    }
}
