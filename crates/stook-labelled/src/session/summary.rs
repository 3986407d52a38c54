//! A session in words.

use crate::group::{Bounds, GroupKey, LabelKey, PositionKey};
use crate::item::Item;
use crate::session::Session;
use crate::{Array, Axis, Group, Label};

/// How each kind of object is described. In all, `{key}` is the name it has in the session; arrays
/// have `{axes_names}`, `{shape}` and `{dtype}`, axes `{name}`, `{labels}` and `{length}`, groups
/// `{axis_name}` too, values `{value}`.
#[derive(Clone, Debug, Default)]
pub struct SummaryTemplate {
    /// Of arrays.
    pub array: Option<String>,
    /// Of axes.
    pub axis: Option<String>,
    /// Of groups.
    pub group: Option<String>,
    /// Of values.
    pub scalar: Option<String>,
}

const ARRAY: &str = "{key}: {axes_names} ({shape}) [{dtype}]";
const AXIS: &str = "{key}: {name} [{labels}] ({length})";
const GROUP: &str = "{key}: {axis_name}{labels} >> {name} ({length})";
const SCALAR: &str = "{key}: {value}";

impl Session {
    /// A line for each object, behind the metadata.
    #[must_use]
    pub fn summary(&self, template: &SummaryTemplate) -> String {
        let mut lines = Vec::new();
        if !self.metadata().is_empty() {
            lines.push("Metadata:".to_owned());
            lines.extend(self.metadata().iter().map(|(name, value)| format!("\t{name}: {value}")));
        }
        lines.extend(self.iter().map(|(name, item)| line(name, item, template)));
        lines.join("\n")
    }
}

fn line(name: &str, item: &Item, template: &SummaryTemplate) -> String {
    let chosen =
        |own: &Option<String>, usual: &str| own.clone().unwrap_or_else(|| usual.to_owned());
    match item {
        Item::Array(array, _) => {
            let (names, shape) = (axes_names(array), shape(array));
            let parts = [
                ("key", name.to_owned()),
                ("axes_names", names),
                ("shape", shape),
                ("dtype", dtype_name(array)),
            ];
            fill(chosen(&template.array, ARRAY), &parts)
        }
        Item::Axis(axis) => {
            let axis_name = axis.name().map_or_else(|| "None".to_owned(), ToString::to_string);
            let parts = [
                ("key", name.to_owned()),
                ("name", axis_name),
                ("labels", labels(axis)),
                ("length", axis.len().to_string()),
            ];
            fill(chosen(&template.axis, AXIS), &parts)
        }
        Item::Group(group) => {
            let axis_name = group.axis().map_or_else(|| "None".to_owned(), ToString::to_string);
            let group_name = group.name().map_or_else(|| "None".to_owned(), ToString::to_string);
            let length = group_len(group).map_or_else(|| "?".to_owned(), |len| len.to_string());
            let parts = [
                ("key", name.to_owned()),
                ("axis_name", axis_name),
                ("labels", key(group)),
                ("name", group_name),
                ("length", length),
            ];
            fill(chosen(&template.group, GROUP), &parts)
        }
        Item::Scalar(value) => {
            let parts = [("key", name.to_owned()), ("value", value.to_string())];
            fill(chosen(&template.scalar, SCALAR), &parts)
        }
        Item::Session(session) => {
            let parts = [("key", name.to_owned()), ("value", session.to_string())];
            fill(SCALAR.to_owned(), &parts)
        }
    }
}

fn fill(template: String, parts: &[(&str, String)]) -> String {
    parts.iter().fold(template, |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

pub(crate) fn axes_names(array: &Array) -> String {
    let name = |(at, axis): (usize, &Axis)| {
        let star = if axis.is_wildcard() { "*" } else { "" };
        axis.name().map_or_else(|| format!("{{{at}}}{star}"), |name| format!("{name}{star}"))
    };
    array.axes().iter().enumerate().map(name).collect::<Vec<_>>().join(", ")
}

pub(crate) fn shape(array: &Array) -> String {
    let lengths: Vec<String> = array.shape().iter().map(usize::to_string).collect();
    lengths.join(" x ")
}

/// The type of the elements, as numpy names it.
pub(crate) fn dtype_name(array: &Array) -> String {
    use stook_core::DType;
    match array.dtype() {
        DType::Unicode(n_chars) => format!("<U{n_chars}"),
        DType::FixedString(text) => format!("|S{}", text.len_bytes),
        DType::String(_) => "object".to_owned(),
        other => other.to_string(),
    }
}

/// The labels between brackets: the first and last ones of many.
fn labels(axis: &Axis) -> String {
    const SHOWN: usize = 6;
    let all = axis.labels();
    let quoted = |at: usize| all.get(at).as_ref().map(repr).unwrap_or_default();
    if all.len() <= SHOWN {
        return (0..all.len()).map(quoted).collect::<Vec<_>>().join(" ");
    }
    let ends = (0..SHOWN / 2).map(quoted).chain(["...".to_owned()]);
    ends.chain((all.len() - SHOWN / 2..all.len()).map(quoted)).collect::<Vec<_>>().join(" ")
}

pub(crate) fn repr(label: &Label) -> String {
    match label.as_str() {
        Some(text) if text.contains('\'') && !text.contains('"') => format!("\"{text}\""),
        Some(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        None => label.to_string(),
    }
}

fn key(group: &Group) -> String {
    let bounds = |start: Option<String>, stop: Option<String>, step: Option<i64>| {
        let step = step.map_or_else(|| "None".to_owned(), |step| step.to_string());
        let or_none = |bound: Option<String>| bound.unwrap_or_else(|| "None".to_owned());
        format!("slice({}, {}, {step})", or_none(start), or_none(stop))
    };
    match group.key() {
        GroupKey::Labels(LabelKey::Scalar(label)) => label.to_string(),
        GroupKey::Labels(LabelKey::Slice(Bounds { start, stop, step })) => {
            bounds(start.as_ref().map(repr), stop.as_ref().map(repr), *step)
        }
        GroupKey::Labels(LabelKey::List(labels)) => {
            let labels: Vec<String> = labels.iter().map(|label| repr(&label)).collect();
            format!("[{}]", labels.join(", "))
        }
        GroupKey::Positions(PositionKey::At(at)) => at.to_string(),
        GroupKey::Positions(PositionKey::Slice(Bounds { start, stop, step })) => {
            bounds(start.map(|at| at.to_string()), stop.map(|at| at.to_string()), *step)
        }
        GroupKey::Positions(PositionKey::List(list)) => {
            let list: Vec<String> = list.iter().map(i64::to_string).collect();
            format!("[{}]", list.join(", "))
        }
    }
}

fn group_len(group: &Group) -> Option<usize> {
    match group.key() {
        GroupKey::Labels(LabelKey::Scalar(_)) | GroupKey::Positions(PositionKey::At(_)) => Some(1),
        GroupKey::Labels(LabelKey::List(labels)) => Some(labels.len()),
        GroupKey::Positions(PositionKey::List(list)) => Some(list.len()),
        _ => crate::store::group_labels(group).map(|labels| labels.len()),
    }
}

/// A number of bytes in words.
#[must_use]
pub fn human_size(n_bytes: usize) -> String {
    const UNITS: [&str; 4] = ["Kb", "Mb", "Gb", "Tb"];
    if n_bytes < 1024 {
        return format!("{n_bytes} bytes");
    }
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let mut size = n_bytes as f64 / 1024.0;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.2} {}", UNITS[unit])
}
