//! A layer and its attributes as text with tabs: for spreadsheets.
//!
//! First a line for each attribute of columns, behind as many tabs as rows have attributes; then a
//! line with the names of those, and a line for each row.

use std::path::Path;

use stook::{Error, InTheWay, Result};
use stook_core::file::place::{draft_of, kind_of, publish, remove};
use stook_core::file::{FileIo, LocalFile};

use crate::attributes::{self, AttributeMap};
use crate::axis::Axis;
use crate::loom::Loom;
use crate::state::State;
use crate::text::{rows_as_text, spelled};

/// Numbers that are in memory at once.
const N_NUMBERS: u64 = 1 << 22;

impl Loom {
    /// Writes a layer as text with tabs to the file at `path`, as loompy does: numbers as Python
    /// spells them. The file is there whole or not at all.
    ///
    /// # Errors
    /// `NotFound` for a layer that is not there, `AlreadyExists`, `ReadOnly`, `Corrupt`, `Io`.
    pub fn export(&self, path: impl AsRef<Path>, layer: &str, in_the_way: InTheWay) -> Result<()> {
        let path = path.as_ref();
        if in_the_way == InTheWay::Stays && kind_of(path)?.is_some() {
            return Err(Error::already_exists("the target exists already").at_file(path));
        }
        let draft = draft_of(path);
        let written = self.read(|state| {
            let mut text = TextFile { file: LocalFile::create_new(&draft)?, len: 0 };
            write(state, layer, &mut text)?;
            text.file.sync()
        });
        if let Err(error) = written.and_then(|()| publish(&draft, path, in_the_way)) {
            // The first error is the one to tell.
            let _ = remove(&draft);
            return Err(error);
        }
        Ok(())
    }
}

/// A file that text is appended to.
struct TextFile {
    file: LocalFile,
    len: u64,
}

impl TextFile {
    fn push(&mut self, text: &str) -> Result<()> {
        self.file.write_at(self.len, text.as_bytes())?;
        self.len += text.len() as u64;
        Ok(())
    }
}

fn write(state: &State, layer: &str, file: &mut TextFile) -> Result<()> {
    let array = state.known_layer(layer)?;
    let [n_rows, n_columns] = state.shape;
    let rows = attributes::all(state, Axis::Rows)?;
    let mut head = String::new();
    for (name, values) in attributes::all(state, Axis::Columns)? {
        head.extend(std::iter::repeat_n('\t', rows.len()));
        head.push_str(&name);
        head.push('\t');
        for at in 0..n_columns {
            head.push_str(&spelled(&values, at)?);
            head.push('\t');
        }
        head.push('\n');
    }
    for name in rows.keys() {
        head.push_str(name);
        head.push('\t');
    }
    let n_tabs = usize::try_from(n_columns).map_err(|_| Error::limit("too many columns"))?;
    head.extend(std::iter::repeat_n('\t', n_tabs.saturating_add(1)));
    head.push('\n');
    file.push(&head)?;
    let step = (N_NUMBERS / n_columns.max(1)).max(1);
    let mut start = 0;
    while start < n_rows {
        let end = start.saturating_add(step).min(n_rows);
        let before = (start..end).map(|row| before(&rows, row)).collect::<Result<Vec<_>>>()?;
        file.push(&rows_as_text(&array, start..end, &before)?)?;
        start = end;
    }
    Ok(())
}

/// What stands before the numbers of a row.
fn before(attributes: &AttributeMap, row: u64) -> Result<String> {
    let mut text = String::new();
    for values in attributes.values() {
        text.push_str(&spelled(values, row)?);
        text.push('\t');
    }
    text.push('\t');
    Ok(text)
}
