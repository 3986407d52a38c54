//! The tree for programs: one JSON document, a line a node.

use std::io::{self, Write};

use serde_json::{Value, json};
use stook::{File, Link, NodeKind, Result, Visit};

use super::{Look, Printer};
use crate::describe;
use crate::output::Output;

/// The tree as one JSON document, a line a node: a group has `children`.
pub(super) struct JsonTree<'a> {
    out: &'a mut Output,
    /// For each level that is open: whether its node has children, and whether one is written.
    open: Vec<Level>,
}

struct Level {
    is_group: bool,
    has_child: bool,
}

impl<'a> JsonTree<'a> {
    pub(super) fn new(out: &'a mut Output) -> Self {
        Self { out, open: Vec::new() }
    }

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
