//! `stook tree`: the tree, a line a node, written while it is walked.

use std::io::{self, Write};

use serde_json::{Value, json};
use stook::{Child, File, Link, Node, NodeKind, NodePath, Result, Visit, walk};

use crate::cli::TreeArgs;
use crate::describe;
use crate::error::Failure;
use crate::output::{Ink, Output, Paint, counted, cut, human_bytes, pad, width};

/// The columns of names with their guides, dtypes and shapes. Wider ones push the rest aside: to
/// align all, all would have to be known before the first line.
const NAME_WIDTH: usize = 32;
const DTYPE_WIDTH: usize = 9;
const SHAPE_WIDTH: usize = 13;
/// What is longer is cut.
const DTYPE_MOST: usize = 40;
const ATTRIBUTE_MOST: usize = 100;

pub(crate) fn run(args: &TreeArgs, out: &mut Output) -> Result<(), Failure> {
    let file = File::open(&args.file)?;
    let start = NodePath::parse(&args.node)?;
    let mut printer: Box<dyn Printer> = if args.json {
        Box::new(JsonTree { out, open: Vec::new() })
    } else {
        Box::new(TextTree {
            paint: out.paint,
            out,
            args,
            lasts: Vec::new(),
            counts: Counts::default(),
        })
    };
    // What `walk` passes on are errors of the library; those of the output wait here.
    let mut unwritten: Option<io::Error> = None;
    let mut unwritable = |error| {
        unwritten.get_or_insert(error);
        stook::Error::invalid("the output is closed")
    };
    let mut n_failed = 0;
    let walked = walk(&file, &start, &mut |visit| {
        let look = Look::at(&file, visit);
        n_failed += u64::from(look.failure.is_some());
        printer.node(&file, visit, &look).map_err(&mut unwritable)?;
        Ok(args.depth.is_none_or(|depth| visit.depth < depth))
    });
    let finished = match walked {
        Ok(()) => printer.finish().map_err(Failure::Write),
        Err(error) => Err(Failure::Stook(error)),
    };
    drop(printer);
    match unwritten {
        Some(error) => Err(Failure::Write(error)),
        None => finished.and(if n_failed == 0 { Ok(()) } else { Err(Failure::Said) }),
    }
}

/// What there is to say about a node.
struct Look {
    array: Option<stook::Array>,
    attributes: Option<stook::Attributes>,
    failure: Option<stook::Error>,
}

impl Look {
    /// Looks at a node itself, not at what links lead to. A node that cannot be read must not
    /// hide the others.
    fn at(file: &File, visit: &Visit) -> Self {
        let mut look = Self { array: None, attributes: None, failure: None };
        let is_known = matches!(visit.child.kind, Some(NodeKind::Group | NodeKind::Array));
        if !is_known || visit.child.link != Link::Hard || visit.seen_at.is_some() {
            return look;
        }
        let found = file.node(visit.path.as_str()).and_then(|node| {
            look.attributes = Some(node.attributes()?);
            if let Node::Array(array) = node {
                look.array = Some(array);
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

#[derive(Default)]
struct Counts {
    n_groups: u64,
    n_arrays: u64,
    len_bytes: u64,
}

struct TextTree<'a> {
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
            self.attributes(visit, attributes)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let Counts { n_groups, n_arrays, len_bytes } = self.counts;
        let sum = format!(
            "{}, {}, {}",
            counted(n_groups, "group"),
            counted(n_arrays, "array"),
            human_bytes(len_bytes)
        );
        self.out.line("")?;
        let sum = self.paint.ink(Ink::Faint, &sum).into_owned();
        self.out.line(&sum)
    }
}

impl TextTree<'_> {
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
        let name: String = name
            .chars()
            .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
            .collect();
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
            (Link::Soft(target), _) => Some(format!("→ {target}")),
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
        let storage = describe::storage_brief(spec);
        let shape = if storage.is_empty() { shape } else { pad(&shape, SHAPE_WIDTH) };
        let gap = if storage.is_empty() { "" } else { "  " };
        let (dtype, storage) =
            (self.paint.ink(Ink::DType, &dtype), self.paint.ink(Ink::Faint, &storage));
        format!("{dtype}  {shape}{gap}{storage}")
    }

    /// The attributes, a line each, with the guides of what is still to come below the node.
    fn attributes(&mut self, visit: &Visit, attributes: &stook::Attributes) -> io::Result<()> {
        let stems = self.stems();
        let inner = if visit.child.kind == Some(NodeKind::Group) { "│ " } else { "  " };
        let widest = attributes.iter().map(|(name, _)| width(name)).max().unwrap_or(0).min(24);
        for (name, value) in attributes.iter() {
            let value =
                describe::attribute_brief(value).unwrap_or_else(|error| format!("! {error}"));
            let line = format!("@{} = {}", pad(name, widest), cut(&value, ATTRIBUTE_MOST));
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

/// The tree as one JSON document, a line a node: a group has `children`.
struct JsonTree<'a> {
    out: &'a mut Output,
    /// For each level that is open: whether its node has children, and whether one is written.
    open: Vec<Level>,
}

struct Level {
    is_group: bool,
    has_child: bool,
}

impl JsonTree<'_> {
    /// Closes nodes until `depth` are open.
    fn close(&mut self, depth: usize) -> io::Result<()> {
        while self.open.len() > depth {
            let level = self.open.pop();
            self.out.write_all(if level.is_some_and(|level| level.is_group) {
                b"]}"
            } else {
                b"}"
            })?;
        }
        Ok(())
    }
}

impl Printer for JsonTree<'_> {
    fn node(&mut self, file: &File, visit: &Visit, look: &Look) -> io::Result<()> {
        self.close(visit.depth)?;
        if let Some(parent) = self.open.last_mut() {
            self.out.write_all(if parent.has_child { b",\n" } else { b"\n" })?;
            parent.has_child = true;
        }
        let fields = fields(file, visit, look).map_err(io::Error::other)?;
        let text = Value::Object(fields).to_string();
        self.out.write_all(text.strip_suffix('}').unwrap_or(&text).as_bytes())?;
        let is_group = visit.child.kind == Some(NodeKind::Group)
            && visit.child.link == Link::Hard
            && visit.seen_at.is_none();
        if is_group {
            self.out.write_all(b",\"children\":[")?;
        }
        self.open.push(Level { is_group, has_child: false });
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.close(0)?;
        self.out.line("")
    }
}

fn fields(file: &File, visit: &Visit, look: &Look) -> Result<serde_json::Map<String, Value>> {
    let mut fields = serde_json::Map::new();
    let mut put = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    put("path", visit.path.as_str().into());
    if visit.depth == 0 {
        put("format", file.format().to_string().into());
    }
    let kind = match visit.child.kind {
        Some(NodeKind::Group) => json!("group"),
        Some(NodeKind::Array) => json!("array"),
        Some(NodeKind::NamedType) => json!("named type"),
        _ => Value::Null,
    };
    put("kind", kind);
    match &visit.child.link {
        Link::Hard => {}
        Link::Soft(target) => put("link", json!({ "target": target })),
        Link::External { file, target } => put("link", json!({ "target": target, "file": file })),
        _ => put("link", json!({})),
    }
    if let Some(seen) = &visit.seen_at {
        put("same_as", seen.as_str().into());
    }
    if let Some(error) = &look.failure {
        put("error", json!({ "kind": error.kind().as_str(), "message": error.message() }));
    }
    if let Some(array) = &look.array {
        fields.extend(describe::spec_json(&array.spec())?);
    }
    if let Some(attributes) = &look.attributes {
        fields.insert("attributes".to_owned(), describe::attributes_json(attributes)?);
    }
    Ok(fields)
}
