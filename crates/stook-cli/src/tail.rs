//! `stook tail`: the last rows of an array, and those that are added.

use std::io::Write;
use std::ops::Range;

use serde_json::{Value, json};
use stook::{Array, AxisSelection, DType, Error, File, Node, NodePath, Result, Selection, Values};

use crate::cat::cell;
use crate::cli::TailArgs;
use crate::error::{Failure, say};
use crate::live::{Live, growing, grows};
use crate::numbers::{self, Spread};
use crate::output::{Output, cut};
use crate::pickled;

/// Bytes of items that are read at once at most.
const BLOCK_LEN_BYTES: u64 = 8 << 20;

pub(crate) fn run(args: &TailArgs, out: &mut Output) -> Result<(), Failure> {
    let mut live = Live::new(&args.file, &args.reach, &args.watch, &args.means);
    let file = live.open()?;
    let array = array_of(&file, args)?;
    let node = array.path().clone();
    let follows = !args.no_follow && grows(&array);
    let mut n_rows = rows_of(&array)?;
    print(&array, n_rows.saturating_sub(args.rows)..n_rows, args, out)?;
    if !follows && !args.no_follow {
        say(&format!("note: `{node}` has a fixed shape, and does not grow"));
    }
    drop((array, file));
    out.flush()?;
    while follows && live.wait(n_rows) {
        let found = live.look(|file| {
            let array = file.array(node.as_str())?;
            Ok((rows_of(&array)?, array))
        })?;
        let Some((found, array)) = found else { continue };
        if found < n_rows {
            say(&format!("note: `{node}` was cut from {n_rows} to {found} rows"));
        } else if found > n_rows {
            print(&array, n_rows..found, args, out)?;
            out.flush()?;
        }
        n_rows = found;
    }
    Ok(())
}

/// The array that is asked for, or the only one that grows.
fn array_of(file: &File, args: &TailArgs) -> Result<Array> {
    let Some(path) = &args.node else {
        let mut found = growing(file, &NodePath::root())?;
        if let (Some(only), true) = (found.pop(), found.is_empty()) {
            return file.array(only.as_str());
        }
        let error = Error::invalid("an array is to be named, unless there is one that grows");
        let all = growing(file, &NodePath::root())?;
        return Err(hinted(error, &all).at_file(file.path()));
    };
    match crate::find::node(file, path)? {
        Node::Array(array) => Ok(array),
        other => {
            let error = Error::invalid("expected an array, found a group");
            let all = growing(file, other.path())?;
            Err(hinted(error, &all).at_node(other.path()).at_file(file.path()))
        }
    }
}

/// Arrays that a hint names at most.
const MOST_NAMES: usize = 8;

/// `error` with the arrays that grow.
fn hinted(error: Error, growing: &[NodePath]) -> Error {
    let names: Vec<&str> = growing.iter().take(MOST_NAMES).map(NodePath::as_str).collect();
    match names.as_slice() {
        [] => error.with_hint("no array there grows"),
        names => {
            let more = if growing.len() > MOST_NAMES { ", …" } else { "" };
            error.with_hint(format!("these grow: {}{more}", names.join(", ")))
        }
    }
}

fn rows_of(array: &Array) -> Result<u64> {
    let spec = array.spec();
    spec.shape().first().copied().ok_or_else(|| {
        let error = Error::invalid("a scalar has no rows");
        error.at_node(array.path()).at_file(array.file().path())
    })
}

fn print(
    array: &Array,
    rows: Range<u64>,
    args: &TailArgs,
    out: &mut Output,
) -> Result<(), Failure> {
    let spec = array.spec();
    let n_elements = spec.shape().iter().skip(1).product::<u64>();
    let row_len = n_elements.saturating_mul(spec.dtype.item_size() as u64).max(1);
    let step = (BLOCK_LEN_BYTES / row_len).max(1);
    let mut start = rows.start;
    while start < rows.end {
        let stop = rows.end.min(start.saturating_add(step));
        let block = array.read(&Selection::Axes(vec![AxisSelection::range(start, stop)]))?;
        let block = pickled::as_texts(array, block)?;
        let per_row = usize::try_from(n_elements).unwrap_or(usize::MAX);
        for at in 0..usize::try_from(stop - start).unwrap_or(0) {
            let first = at.saturating_mul(per_row);
            let row = Row { values: &block, items: first..first.saturating_add(per_row) };
            line(&row, start + at as u64, args, out)?;
        }
        start = stop;
    }
    Ok(())
}

/// One row of a block.
struct Row<'a> {
    values: &'a Values,
    /// Its items among those of the block.
    items: Range<usize>,
}

impl Row<'_> {
    fn shape(&self) -> &[u64] {
        self.values.shape().get(1..).unwrap_or_default()
    }

    fn item(&self, at: usize) -> &[u8] {
        self.values.item(at).unwrap_or_default()
    }

    fn json(&self) -> Result<Value> {
        let (dtype, heap) = (self.values.dtype(), self.values.heap());
        let items = self.items.clone().map(|at| stook::json::of_item(dtype, self.item(at), heap));
        Ok(nested(items.collect::<Result<Vec<_>>>()?, self.shape()))
    }

    fn text(&self) -> Result<String> {
        if self.shape().len() > 1 {
            return self.summary();
        }
        let (dtype, heap) = (self.values.dtype(), self.values.heap());
        let is_alone = self.shape().is_empty();
        let mut cells = Vec::new();
        for at in self.items.clone() {
            match dtype {
                DType::Struct(r#struct) => {
                    for field in &r#struct.fields {
                        let end = field.offset.saturating_add(field.dtype.item_size());
                        let part = self.item(at).get(field.offset..end).unwrap_or_default();
                        cells.push(cell::text(&field.dtype, part, heap, false)?);
                    }
                }
                _ => cells.push(cell::text(dtype, self.item(at), heap, is_alone)?),
            }
        }
        Ok(cells.join("  "))
    }

    /// What there is to say of an image on one line.
    fn summary(&self) -> Result<String> {
        let shape: Vec<String> = self.shape().iter().map(ToString::to_string).collect();
        let shape = shape.join(" × ");
        let items = self.items.clone().map(|at| self.item(at));
        Ok(match Spread::of(self.values.dtype(), items) {
            Some(Spread { least, greatest, mean }) => {
                let [least, greatest, mean] = [least, greatest, mean].map(numbers::brief);
                format!("{shape}  {least} … {greatest}, mean {mean}")
            }
            None => format!("{shape} of {}", self.values.dtype()),
        })
    }
}

fn line(row: &Row<'_>, at: u64, args: &TailArgs, out: &mut Output) -> Result<(), Failure> {
    if args.json {
        writeln!(out, "{}", json!({ "row": at, "value": row.json()? }))?;
        return Ok(());
    }
    let mut text = row.text()?;
    if args.index {
        text = format!("{at}  {text}");
    }
    match out.terminal {
        Some((columns, _)) => out.line(&cut(&text, columns))?,
        None => out.line(&text)?,
    }
    Ok(())
}

/// Items as lists in lists of this shape.
fn nested(items: Vec<Value>, shape: &[u64]) -> Value {
    let mut level = items;
    for &len in shape.iter().rev() {
        let len = usize::try_from(len).unwrap_or(0).max(1);
        let mut lists = Vec::with_capacity(level.len() / len);
        let mut ahead = level.into_iter().peekable();
        while ahead.peek().is_some() {
            lists.push(Value::Array(ahead.by_ref().take(len).collect()));
        }
        level = lists;
    }
    level.into_iter().next().unwrap_or(Value::Array(Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_nest_as_their_shape_says() {
        let items = |n: u64| (0..n).map(Value::from).collect::<Vec<_>>();
        assert_eq!(nested(items(1), &[]), json!(0));
        assert_eq!(nested(items(3), &[3]), json!([0, 1, 2]));
        assert_eq!(nested(items(4), &[2, 2]), json!([[0, 1], [2, 3]]));
        assert_eq!(nested(items(0), &[0]), json!([]));
    }
}
