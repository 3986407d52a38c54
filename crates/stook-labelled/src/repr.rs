//! How labels, keys and axes are written in messages: as in Python.

use std::fmt::{self, Write as _};

use crate::axes::AxisCollection;
use crate::axis::{Axis, AxisName, AxisRef};
use crate::group::{Bounds, Group, GroupKey, LabelKey, PositionKey};
use crate::label::{Label, LabelRef};
use crate::labels::Labels;

impl LabelRef<'_> {
    /// As Python's `repr`: text in quotes.
    #[must_use]
    pub fn repr(self) -> String {
        match self {
            Self::Str(text) => quoted(text),
            Self::Ucs4(_) => quoted(&self.to_string()),
            Self::DateTime(_, unit) => format!("np.datetime64('{self}','{unit}')"),
            Self::TimeDelta(ticks, unit) => format!("np.timedelta64({ticks},'{unit}')"),
            other => other.to_string(),
        }
    }

    /// As the labels of an axis are listed: text in quotes, times bare.
    #[must_use]
    pub fn listed(self) -> String {
        match self {
            Self::DateTime(..) | Self::TimeDelta(..) => self.to_string(),
            other => other.repr(),
        }
    }
}

impl Label {
    /// As Python's `repr`: text in quotes.
    #[must_use]
    pub fn repr(&self) -> String {
        self.as_ref().repr()
    }
}

/// Text as a literal of Python.
fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push(quote);
    for c in text.chars() {
        match c {
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            c if c == quote => literal.extend(['\\', c]),
            c if c.is_ascii_control() => {
                let _ = write!(literal, "\\x{:02x}", u32::from(c));
            }
            c => literal.push(c),
        }
    }
    literal.push(quote);
    literal
}

/// `'a0', 'a1'`.
pub(crate) fn joined(labels: &Labels) -> String {
    labels.iter_refs().map(LabelRef::listed).collect::<Vec<_>>().join(", ")
}

impl<T> Bounds<T> {
    /// `start:stop:step` with what there is of them.
    fn short(&self, show: impl Fn(&T) -> String) -> String {
        let show = |bound: &Option<T>| bound.as_ref().map_or_else(String::new, &show);
        let step = self.step.map_or_else(String::new, |step| format!(":{step}"));
        format!("{}:{}{step}", show(&self.start), show(&self.stop))
    }

    /// `slice(start, stop, step)`.
    pub(crate) fn repr(&self, show: impl Fn(&T) -> String) -> String {
        let show = |bound: &Option<T>| bound.as_ref().map_or_else(|| "None".to_owned(), &show);
        let step = self.step.map_or_else(|| "None".to_owned(), |step| step.to_string());
        format!("slice({}, {}, {step})", show(&self.start), show(&self.stop))
    }
}

impl GroupKey {
    /// What stands between the brackets of a group of an axis.
    fn short(&self) -> String {
        match self {
            Self::Labels(LabelKey::Scalar(label)) => label.repr(),
            Self::Labels(LabelKey::Slice(bounds)) => bounds.short(Label::repr),
            Self::Labels(LabelKey::List(labels)) => joined(labels),
            Self::Positions(PositionKey::At(at)) => at.to_string(),
            Self::Positions(PositionKey::Slice(bounds)) => bounds.short(i64::to_string),
            Self::Positions(PositionKey::List(list)) => {
                list.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// The key alone, as Python has it.
    fn long(&self) -> String {
        match self {
            Self::Labels(LabelKey::Slice(bounds)) => bounds.repr(Label::repr),
            Self::Positions(PositionKey::Slice(bounds)) => bounds.repr(i64::to_string),
            Self::Labels(LabelKey::List(_)) | Self::Positions(PositionKey::List(_)) => {
                format!("[{}]", self.short())
            }
            _ => self.short(),
        }
    }
}

/// `a['a0', 'a1'] >> 'name'`, `a.i[0]`, or `LGroup('a0')` where the axis is not known.
impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let positional = if self.is_positions() { ".i" } else { "" };
        let class = if self.is_positions() { "IGroup" } else { "LGroup" };
        let key = self.key();
        match self.axis() {
            None => write!(f, "{class}({})", key.long())?,
            Some(AxisRef::Axis(axis)) => match axis.name() {
                Some(name) => write!(f, "{name}{positional}[{}]", key.short())?,
                None => write!(f, "{class}({}, axis={axis})", key.long())?,
            },
            Some(AxisRef::Name(name)) => write!(f, "{name}{positional}[{}]", key.short())?,
            Some(AxisRef::Index(index)) => write!(f, "{index}{positional}[{}]", key.short())?,
        }
        match self.name() {
            Some(name) => write!(f, " >> {}", name.repr()),
            None => Ok(()),
        }
    }
}

/// `Axis(['a0', 'a1'], 'a')`, `Axis(3, None)`.
impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name_repr();
        if self.is_wildcard() {
            return write!(f, "Axis({}, {name})", self.len());
        }
        write!(f, "Axis([{}], {name})", joined(self.labels()))
    }
}

impl Axis {
    /// The name as Python writes it.
    pub(crate) fn name_repr(&self) -> String {
        match self.name() {
            None => "None".to_owned(),
            Some(AxisName::Int(number)) => number.to_string(),
            Some(AxisName::Text(text)) => quoted(text),
        }
    }

    /// The labels in short: the first and last three of many.
    #[must_use]
    pub fn labels_summary(&self) -> String {
        const SHOWN: usize = 3;
        const ALL: usize = 7;
        let labels = self.labels();
        let show = |from: usize, to: usize| {
            let shown = (from..to).filter_map(|at| labels.get_ref(at)).map(LabelRef::listed);
            shown.collect::<Vec<_>>().join(" ")
        };
        let len = labels.len();
        if len > ALL {
            format!("{} ... {}", show(0, SHOWN), show(len - SHOWN, len))
        } else {
            show(0, len)
        }
    }
}

impl AxisCollection {
    /// What the axis at `position` is called in lists: `{0}` if it has no name, `*` after it if its
    /// labels are positions.
    #[must_use]
    pub fn display_name(&self, position: usize) -> String {
        let axis = self.get(position);
        let star = if axis.is_some_and(Axis::is_wildcard) { "*" } else { "" };
        match axis.and_then(Axis::name) {
            Some(name) => format!("{name}{star}"),
            None => format!("{{{position}}}{star}"),
        }
    }

    /// A line for each axis of `positions`: its name, length and labels.
    #[must_use]
    pub fn lines(&self, positions: impl IntoIterator<Item = usize>) -> String {
        let line = |at: usize| {
            let axis = self.get(at)?;
            let name = self.display_name(at);
            Some(format!(" {name} [{}]: {}", axis.len(), axis.labels_summary()))
        };
        positions.into_iter().filter_map(line).collect::<Vec<_>>().join("\n")
    }

    /// The shape and a line for each axis.
    #[must_use]
    pub fn info(&self) -> String {
        let shape = self.iter().map(|axis| axis.len().to_string()).collect::<Vec<_>>().join(" x ");
        let lines = self.lines(0..self.len());
        if lines.is_empty() { shape } else { format!("{shape}\n{lines}") }
    }
}

/// `{a, b, {2}*}`.
impl fmt::Display for AxisCollection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = (0..self.len()).map(|at| self.display_name(at)).collect();
        write!(f, "{{{}}}", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_axes_are_written_as_in_python() {
        let a = Axis::parse("a=a0..a2").expect("an axis");
        let list = LabelKey::List(Labels::from_strings(["a0", "a1"]));
        let group = Group::labels(list, Some(a.clone().into()));
        assert_eq!(group.to_string(), "a['a0', 'a1']");
        assert_eq!(group.clone().named("n").to_string(), "a['a0', 'a1'] >> 'n'");
        let bounds = Bounds { start: Some(0), stop: Some(2), step: None };
        let slice = Group::positions(PositionKey::Slice(bounds), None);
        assert_eq!(slice.to_string(), "IGroup(slice(0, 2, None))");
        assert_eq!(slice.with_axis("a").to_string(), "a.i[0:2]");
        assert_eq!(a.to_string(), "Axis(['a0', 'a1', 'a2'], 'a')");
        assert_eq!(Axis::wildcard(3, None::<AxisName>).to_string(), "Axis(3, None)");
        assert_eq!(Label::from("it's").repr(), "\"it's\"");
    }

    #[test]
    fn long_axes_are_shown_by_their_ends() {
        let axes = AxisCollection::parse("y=2000..2050;b0,b1").expect("axes");
        assert_eq!(
            axes.info(),
            "51 x 2\n y [51]: 2000 2001 2002 ... 2048 2049 2050\n {1} [2]: 'b0' 'b1'"
        );
    }
}
