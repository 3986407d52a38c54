//! The standard output: buffered, coloured where a person looks, plain where a program reads.

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal, Write};

use serde_json::Value;

/// What a piece of text is, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// The name of a group.
    Group,
    /// A label, a name that is looked for.
    Name,
    /// A dtype.
    DType,
    /// A link.
    Link,
    /// What may be overlooked: guides, units, storage.
    Faint,
    /// Something that went well.
    Good,
    /// Something that went wrong.
    Error,
}

/// Puts colours on text, or does not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    is_on: bool,
}

impl Paint {
    /// For the standard output.
    pub(crate) fn stdout() -> Self {
        Self { is_on: io::stdout().is_terminal() && wants_colour() }
    }

    /// For the standard error.
    pub(crate) fn stderr() -> Self {
        Self { is_on: io::stderr().is_terminal() && wants_colour() }
    }

    /// Without colours.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self { is_on: false }
    }

    /// `text` in the colour of `ink`.
    pub(crate) fn ink<'t>(&self, ink: Ink, text: &'t str) -> Cow<'t, str> {
        if !self.is_on || text.is_empty() {
            return Cow::Borrowed(text);
        }
        let code = match ink {
            Ink::Group => "1;34",
            Ink::Name => "1",
            Ink::DType => "33",
            Ink::Link => "36",
            Ink::Faint => "2",
            Ink::Good => "32",
            Ink::Error => "1;31",
        };
        Cow::Owned(format!("\x1b[{code}m{text}\x1b[0m"))
    }
}

/// Colours are left out where the user says so (<https://no-color.org>) or the terminal cannot.
fn wants_colour() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The standard output.
pub(crate) struct Output {
    writer: BufWriter<Box<dyn Write>>,
    /// The colours it takes.
    pub(crate) paint: Paint,
    /// Its width and height where it is a terminal.
    pub(crate) terminal: Option<(usize, usize)>,
}

impl Output {
    pub(crate) fn stdout() -> Self {
        let stdout = io::stdout();
        let size = || {
            let (width, height) = terminal_size::terminal_size()
                .unwrap_or((terminal_size::Width(80), terminal_size::Height(24)));
            (usize::from(width.0).max(20), usize::from(height.0).max(10))
        };
        let terminal = stdout.is_terminal().then(size);
        Self::new(Box::new(stdout.lock()), Paint::stdout(), terminal)
    }

    fn new(writer: Box<dyn Write>, paint: Paint, terminal: Option<(usize, usize)>) -> Self {
        Self { paint, terminal, writer: BufWriter::with_capacity(64 << 10, writer) }
    }

    /// What `write` writes to a terminal of so many columns and lines, without colours.
    #[cfg(test)]
    pub(crate) fn capture(terminal: (usize, usize), write: impl FnOnce(&mut Self)) -> String {
        #[derive(Clone, Default)]
        struct Sink(std::rc::Rc<std::cell::RefCell<Vec<u8>>>);
        impl Write for Sink {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.borrow_mut().write(bytes)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let sink = Sink::default();
        let mut out = Self::new(Box::new(sink.clone()), Paint::plain(), Some(terminal));
        write(&mut out);
        out.finish().unwrap();
        let bytes = sink.0.take();
        String::from_utf8(bytes).unwrap()
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, line: &str) -> io::Result<()> {
        self.writer.write_all(line.as_bytes())?;
        self.writer.write_all(b"\n")
    }

    /// Writes a JSON document, indented.
    pub(crate) fn json(&mut self, value: &Value) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.writer, value)?;
        self.writer.write_all(b"\n")
    }

    /// Writes labels and values below one another, the values aligned.
    pub(crate) fn fields(&mut self, fields: &[(String, String)]) -> io::Result<()> {
        let widest = fields.iter().map(|(label, _)| width(label)).max().unwrap_or(0);
        for (label, value) in fields {
            let mut lines = value.lines();
            let padding = " ".repeat(widest - width(label));
            let label = self.paint.ink(Ink::Name, label).into_owned();
            self.line(format!("{label}{padding}  {}", lines.next().unwrap_or("")).trim_end())?;
            for more in lines {
                self.line(&format!("{}  {more}", " ".repeat(widest)))?;
            }
        }
        Ok(())
    }

    /// Hands all over to the operating system.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The columns that `text` takes, a character each.
pub(crate) fn width(text: &str) -> usize {
    text.chars().count()
}

/// `text` filled up with spaces to `to` columns.
pub(crate) fn pad(text: &str, to: usize) -> String {
    format!("{text:<to$}")
}

/// `text` cut to `to` columns, an ellipsis standing for what is missing.
pub(crate) fn cut(text: &str, to: usize) -> Cow<'_, str> {
    if width(text) <= to {
        return Cow::Borrowed(text);
    }
    let mut short: String = text.chars().take(to.saturating_sub(1)).collect();
    short.push('…');
    Cow::Owned(short)
}

/// A table of texts, its columns aligned to the left.
pub(crate) fn table(rows: &[Vec<String>]) -> Vec<String> {
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..n_columns)
        .map(|at| {
            rows.iter().filter_map(|row| row.get(at)).map(|cell| width(cell)).max().unwrap_or(0)
        })
        .collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, &width)| pad(cell, width)).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// A number of bytes for people: `1.7 MiB`.
pub(crate) fn human_bytes(len: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if len < 1024 {
        return format!("{len} B");
    }
    let mut value = len as f64 / 1024.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS.get(unit).unwrap_or(&""))
}

/// A count with its thousands set apart: `1,772,368`.
pub(crate) fn human_count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 array`, `2 arrays`.
pub(crate) fn counted(n: u64, what: &str) -> String {
    format!("{} {what}{}", human_count(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_four_figures_at_most() {
        let shown = [0, 1023, 1024, 1536, 1_022_976, 1_772_368, u64::MAX].map(human_bytes);
        assert_eq!(
            shown,
            ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "999.0 KiB", "1.7 MiB", "16.0 EiB"]
        );
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([1, 999, 1000, 1_772_368].map(human_count), ["1", "999", "1,000", "1,772,368"]);
        assert_eq!(
            (counted(1, "array"), counted(2, "array")),
            ("1 array".into(), "2 arrays".into())
        );
    }

    #[test]
    fn tables_align_and_texts_are_cut() {
        let rows = [["a", "bb", "c"], ["ccc", "d", ""]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), ["a    bb  c", "ccc  d"]);
        assert_eq!(cut("naïve", 5), "naïve");
        assert_eq!(cut("naïvety", 5), "naïv…");
    }
}
