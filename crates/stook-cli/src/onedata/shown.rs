//! What was loaded, as a person sees its beginning and a program all of it.

use serde_json::{Value, json};
use stook::{Limits, Result, Values};
use stook_onedata::Data;

use crate::cat::cell;
use crate::output::table;

/// Lines and cells of a line that are shown.
const MAX_LINES: usize = 10;
const MAX_CELLS: usize = 8;
/// As many elements as a program is given; of more it is told the shape alone.
const MAX_JSON: u64 = 1 << 20;

/// Lines and JSON of what was loaded as `name`.
pub(super) fn tell(name: &str, data: &Data) -> Result<(Vec<String>, Value)> {
    let (kind, shape) = (data.kind(), data.shape());
    let mut json = json!({"name": name, "kind": kind, "shape": shape});
    let mut lines = vec![format!("{name}: {kind} {shape:?}")];
    match data {
        Data::Objects(objects) => {
            let shown = objects.elements().iter().map(|id| objects.pickle().to_json(*id));
            let shown = shown.collect::<Result<Vec<_>>>()?;
            let all = if shape.is_empty() { shown.first().cloned() } else { None };
            let all = all.unwrap_or_else(|| shown.into());
            lines.push(serde_json::to_string_pretty(&all).unwrap_or_default());
            put(&mut json, "value", all);
        }
        Data::List(parts) => {
            let mut all = Vec::new();
            for (at, part) in parts.iter().enumerate() {
                let (more, part) = tell(&format!("{name}[{at}]"), part)?;
                lines.extend(more);
                all.push(part);
            }
            put(&mut json, "value", all.into());
        }
        Data::Sparse(matrix) => {
            let (dtype, n) = (matrix.data().dtype().to_string(), matrix.data().len());
            lines.push(format!("{dtype}, {}, {n} entries", matrix.format()));
            put(&mut json, "dtype", dtype.into());
            put(&mut json, "n_entries", n.into());
        }
        other => {
            let values = other.values(&Limits::default())?;
            put(&mut json, "dtype", values.dtype().to_string().into());
            lines.push(values.dtype().to_string());
            lines.extend(beginning(&values)?);
            if shape.iter().product::<u64>() <= MAX_JSON {
                put(&mut json, "value", stook::json::of_values(&values)?);
            }
        }
    }
    Ok((lines, json))
}

fn put(json: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = json {
        members.insert(name.to_owned(), value);
    }
}

/// The first lines of an array; of one with more axes than two, those of its first matrix.
fn beginning(values: &Values) -> Result<Vec<String>> {
    let axis = |at: usize| {
        let len = values.shape().len().checked_sub(at).and_then(|at| values.shape().get(at));
        len.map_or(1, |&len| usize::try_from(len).unwrap_or(usize::MAX))
    };
    let (n_lines, n_cells) = (axis(2), axis(1));
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = Vec::new();
    for line in 0..n_lines.min(MAX_LINES) {
        let mut cells = Vec::new();
        for at in 0..n_cells.min(MAX_CELLS) {
            let item = values.item(line * n_cells + at).unwrap_or_default();
            cells.push(cell::text(values.dtype(), item, values.heap(), false)?);
        }
        if n_cells > MAX_CELLS {
            cells.push("…".to_owned());
        }
        rows.push(cells);
    }
    let mut lines = table(&rows);
    let n_shown = rows.len();
    if values.shape().iter().product::<u64>() > (n_shown * n_cells) as u64 {
        lines.push("…".to_owned());
    }
    Ok(lines)
}
