//! `stook diff`: in what two trees differ.

use std::path::Path;

use serde_json::{Value, json};
use stook::diff::{
    Cell, DiffOptions, DiffReport, ElementDiff, LayoutPart, NodeDiff, Place, Side, What, diff,
};
use stook::{ArraySpec, Extent, Node, NodePath, Progress};

use crate::cli::DiffArgs;
use crate::describe;
use crate::error::{Failure, say};
use crate::find;
use crate::output::{Ink, Output, Paint, counted, cut, human_count, table, width};
use crate::progress;

/// What is longer is cut.
const VALUE_MOST: usize = 60;

pub(crate) fn run(args: &DiffArgs, out: &mut Output) -> Result<(), Failure> {
    let report = compared(args)?;
    if args.json {
        out.json(&as_json(args, &report))?;
    } else if !args.quiet {
        write(&report, out)?;
        std::io::Write::flush(out)?;
        summary(&report);
    }
    match (report.has_errors(), report.is_equal()) {
        (true, _) => Err(Failure::Said),
        (_, true) => Ok(()),
        (_, false) => Err(Failure::Differs),
    }
}

fn compared(args: &DiffArgs) -> stook::Result<DiffReport> {
    let engine = args.means.engine();
    let open = |path: &Path, node| -> stook::Result<Node> {
        let file = args.reach.open(path)?.with_engine(engine.clone());
        find::node(&file, node)
    };
    let a = open(&args.a, &args.node)?;
    let b = open(&args.b, args.other_node.as_ref().unwrap_or(&args.node))?;
    let bar = progress::bar(args.json || args.quiet);
    let mut on_progress = |progress: &Progress| {
        bar.set_length(progress.total_len_bytes);
        bar.set_position(progress.done_len_bytes);
        bar.set_message(progress.node.to_string());
        Ok(())
    };
    let mut options = DiffOptions {
        relative_tolerance: args.rtol,
        absolute_tolerance: args.atol,
        nan_differs: args.nan_differs,
        ignore_dtypes: args.ignore_dtypes,
        ignore_attributes: args.ignore_attrs,
        layout: args.layout,
        most_cells: args.cells,
        memory_len_bytes: args.means.memory,
        progress: Some(&mut on_progress),
        ..DiffOptions::default()
    };
    let report = diff(&a, &b, &mut options);
    bar.finish_and_clear();
    let mut report = report?;
    // From the root of the first file, as the user names nodes.
    for found in &mut report.found {
        found.node = NodePath::parse(&format!("{}/{}", a.path(), found.node))?;
    }
    Ok(report)
}

fn summary(report: &DiffReport) {
    let paint = Paint::stderr();
    let n = report.found.len() as u64 + report.n_more;
    let of = format!(
        "{} and {} in both",
        counted(report.n_nodes, "node"),
        counted(report.n_elements, "element")
    );
    match (n, report.has_errors()) {
        (0, _) => say(&format!("{} {of}", paint.ink(Ink::Good, "equal:"))),
        (n, false) => say(&format!(
            "{} {}; {of}",
            paint.ink(Ink::Error, "different:"),
            counted(n, "difference")
        )),
        (n, true) => say(&format!(
            "{} not all could be read; {}; {of}",
            paint.ink(Ink::Error, "error:"),
            counted(n, "difference")
        )),
    }
}

/// The differences: a line with the node and each of them, indented lines for elements.
fn write(report: &DiffReport, out: &mut Output) -> Result<(), Failure> {
    let name_width = report.found.iter().map(|found| width(found.node.as_str())).max().unwrap_or(0);
    let name_width = name_width.min(40);
    let mut last: Option<&NodePath> = None;
    for NodeDiff { node, what } in &report.found {
        let name = if last == Some(node) { "" } else { node.as_str() };
        let padding = " ".repeat(name_width.saturating_sub(width(name)));
        let name = out.paint.ink(Ink::Name, name).into_owned();
        let text = in_words(what, &out.paint);
        out.line(&format!("{name}{padding}  {text}"))?;
        if let What::Elements(found) = what {
            for line in elements(found) {
                out.line(format!("{}    {line}", " ".repeat(name_width)).trim_end())?;
            }
        }
        last = Some(node);
    }
    if report.n_more > 0 {
        out.line(&format!("… and {}", counted(report.n_more, "more difference")))?;
    }
    Ok(())
}

fn side(side: Side) -> &'static str {
    match side {
        Side::A => "a",
        Side::B => "b",
    }
}

fn in_words(what: &What, paint: &Paint) -> String {
    let pair = |a: &str, b: &str| {
        format!("{} {} {}", cut(a, VALUE_MOST), paint.ink(Ink::Faint, "→"), cut(b, VALUE_MOST))
    };
    match what {
        What::Only(only) => format!("only in {}", side(*only)),
        What::Kind { a, b } => pair(a, b),
        What::DType { a, b } => format!("dtype {}", pair(&a.to_string(), &b.to_string())),
        What::Shape { a, b } => format!("shape {}", pair(&extent(a), &extent(b))),
        What::DimensionNames { a, b } => format!("dimensions {}", pair(&names(a), &names(b))),
        What::Attribute { name, a, b } => {
            let name = describe::one_line(name);
            match (a, b) {
                (Some(a), Some(b)) => format!("@{name} {}", pair(&value(a), &value(b))),
                (Some(a), None) => format!("@{name} only in a: {}", cut(&value(a), VALUE_MOST)),
                (_, b) => {
                    let b = b.as_ref().map(value).unwrap_or_default();
                    format!("@{name} only in b: {}", cut(&b, VALUE_MOST))
                }
            }
        }
        What::Layout { part, a, b } => {
            format!("{} {}", part_name(*part), pair(&layout(*part, a), &layout(*part, b)))
        }
        What::Elements(found) => {
            format!("{} of {} elements differ", human_count(found.n), human_count(found.n_elements))
        }
        What::Unread { side: None, error } => {
            paint.ink(Ink::Error, &format!("! {error}")).into_owned()
        }
        What::Unread { side: Some(of), error } => {
            let chunk = error.location().chunk.as_ref();
            let chunk = chunk.map_or(String::new(), |chunk| format!(" chunk {chunk:?}"));
            let text = format!("! {}{chunk}: {}", side(*of), error.message());
            paint.ink(Ink::Error, &text).into_owned()
        }
        _ => "differs".to_owned(),
    }
}

/// The largest differences and the first elements.
fn elements(found: &ElementDiff) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some((largest, at)) = &found.largest_absolute {
        lines.push(format!("largest difference {} at {}", number(*largest), place(at)));
    }
    if let Some((largest, at)) = &found.largest_relative {
        lines.push(format!("largest relative {} at {}", number(*largest), place(at)));
    }
    let row = |cell: &Cell| {
        let (a, b) = (value(&cell.a), value(&cell.b));
        vec![
            place(&cell.at),
            cut(&a, VALUE_MOST).into_owned(),
            "→".to_owned(),
            cut(&b, VALUE_MOST).into_owned(),
        ]
    };
    lines.extend(table(&found.first.iter().map(row).collect::<Vec<_>>()));
    if (found.first.len() as u64) < found.n && !found.first.is_empty() {
        lines.push("…".to_owned());
    }
    lines
}

fn number(x: f64) -> String {
    let digits = format!("{x:.3e}");
    match digits.split_once('e') {
        Some((mantissa, exponent)) => {
            let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
            match exponent.parse::<i32>() {
                Ok(-4..=6) => format!("{}", digits.parse::<f64>().unwrap_or(x)),
                _ => format!("{mantissa}e{exponent}"),
            }
        }
        None => digits,
    }
}

fn place(at: &Place) -> String {
    let dot = if at.member.is_empty() || at.member.starts_with('[') { "" } else { "." };
    format!("{:?}{dot}{}", at.index, at.member)
}

/// Texts without quotes where they can be told from what else is on the line.
fn value(value: &Value) -> String {
    match value {
        Value::String(text)
            if matches!(text.as_str(), "NaN" | "Infinity" | "-Infinity" | "NaT") =>
        {
            text.clone()
        }
        other => other.to_string(),
    }
}

fn extent(extent: &Extent) -> String {
    match extent {
        Extent::Null => "null".to_owned(),
        Extent::Shape(shape) => format!("{shape:?}"),
    }
}

fn names(names: &Option<Vec<Option<String>>>) -> String {
    let Some(names) = names else { return "none".to_owned() };
    let names: Vec<&str> = names.iter().map(|name| name.as_deref().unwrap_or("·")).collect();
    format!("({})", names.join(", "))
}

fn part_name(part: LayoutPart) -> &'static str {
    match part {
        LayoutPart::DType => "stored dtype",
        LayoutPart::Chunks => "chunks",
        LayoutPart::Shards => "shards",
        LayoutPart::Codecs => "codecs",
        LayoutPart::FillValue => "fill value",
        LayoutPart::MaxShape => "greatest shape",
        _ => "layout",
    }
}

fn layout(part: LayoutPart, spec: &ArraySpec) -> String {
    let none = || "none".to_owned();
    match part {
        LayoutPart::DType => spec.dtype.to_string(),
        LayoutPart::Chunks if spec.contiguous => none(),
        LayoutPart::Chunks => describe::grid(&spec.grid),
        LayoutPart::Shards => spec.shards.as_ref().map_or_else(none, describe::grid),
        LayoutPart::Codecs => {
            let codecs = describe::codecs(spec);
            if codecs.is_empty() { none() } else { codecs.join(" + ") }
        }
        LayoutPart::FillValue => {
            let fill = spec.fill_value.as_ref().and_then(|fill| stook::json::of_values(fill).ok());
            fill.map_or_else(none, |fill| fill.to_string())
        }
        _ => spec.max_shape.as_ref().map_or_else(none, |max| {
            let lengths = max.iter().map(|len| len.map_or("any".to_owned(), |len| len.to_string()));
            format!("[{}]", lengths.collect::<Vec<_>>().join(", "))
        }),
    }
}

fn as_json(args: &DiffArgs, report: &DiffReport) -> Value {
    json!({
        "a": args.a.to_string_lossy(),
        "b": args.b.to_string_lossy(),
        "equal": report.is_equal(),
        "n_nodes": report.n_nodes,
        "n_elements": report.n_elements,
        "differences": report.found.iter().map(found_json).collect::<Vec<_>>(),
        "n_more": report.n_more,
    })
}

fn found_json(found: &NodeDiff) -> Value {
    let node = found.node.as_str();
    match &found.what {
        What::Only(only) => json!({ "node": node, "what": "only", "in": side(*only) }),
        What::Kind { a, b } => json!({ "node": node, "what": "kind", "a": a, "b": b }),
        What::DType { a, b } => {
            json!({ "node": node, "what": "dtype", "a": a.to_string(), "b": b.to_string() })
        }
        What::Shape { a, b } => {
            let shape = |extent: &Extent| match extent {
                Extent::Null => Value::Null,
                Extent::Shape(shape) => json!(shape),
            };
            json!({ "node": node, "what": "shape", "a": shape(a), "b": shape(b) })
        }
        What::DimensionNames { a, b } => {
            json!({ "node": node, "what": "dimension names", "a": a, "b": b })
        }
        What::Attribute { name, a, b } => {
            let mut fields = json!({ "node": node, "what": "attribute", "name": name });
            for (key, value) in [("a", a), ("b", b)] {
                if let (Some(value), Some(fields)) = (value, fields.as_object_mut()) {
                    fields.insert(key.to_owned(), value.clone());
                }
            }
            fields
        }
        What::Layout { part, a, b } => json!({
            "node": node,
            "what": part_name(*part),
            "a": layout(*part, a),
            "b": layout(*part, b),
        }),
        What::Elements(found) => {
            let largest = |largest: &Option<(f64, Place)>| {
                largest.as_ref().map(|(largest, at)| json!({ "value": largest, "index": at.index, "member": at.member }))
            };
            let cell = |cell: &Cell| json!({ "index": cell.at.index, "member": cell.at.member, "a": cell.a, "b": cell.b });
            json!({
                "node": node,
                "what": "elements",
                "n": found.n,
                "n_elements": found.n_elements,
                "largest_absolute": largest(&found.largest_absolute),
                "largest_relative": largest(&found.largest_relative),
                "first": found.first.iter().map(cell).collect::<Vec<_>>(),
            })
        }
        What::Unread { side: of, error } => json!({
            "node": node,
            "what": "unread",
            "in": of.map(side),
            "kind": error.kind().as_str(),
            "chunk": error.location().chunk,
            "message": error.message(),
        }),
        _ => json!({ "node": node, "what": "other" }),
    }
}
