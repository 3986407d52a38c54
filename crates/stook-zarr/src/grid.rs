//! Chunk grids in JSON: `regular`, and the extension `rectilinear`.

use serde_json::{Value, json};
use stook_core::grid::AxisEdges;
use stook_core::{ChunkGrid, Error, Limits, Result};

use crate::named::Named;

/// The grid that `chunk_grid` of a `zarr.json` describes for an array of `shape`.
///
/// # Errors
/// `Corrupt` where it is malformed or does not fit the shape, `Unsupported` where it is not
/// known, `LimitExceeded` where it has too many chunks to list.
pub(crate) fn parse(value: &Value, shape: &[u64], limits: &Limits) -> Result<ChunkGrid> {
    let named = Named::parse("chunk_grid", value)?;
    match named.name {
        "regular" => regular(&named.numbers("chunk_shape")?, shape),
        "rectilinear" => rectilinear(&named, shape, limits),
        other => Err(Error::unsupported(format!("chunk grid `{other}` is not supported"))),
    }
}

/// A regular grid; chunks of length zero are tolerated along empty axes.
///
/// # Errors
/// `Corrupt` where the chunk shape does not fit the shape.
pub(crate) fn regular(chunks: &[u64], shape: &[u64]) -> Result<ChunkGrid> {
    if chunks.len() != shape.len() {
        return Err(Error::corrupt(format!(
            "chunk shape {chunks:?}: expected {} axes, found {}",
            shape.len(),
            chunks.len()
        )));
    }
    let chunks: Vec<u64> = chunks
        .iter()
        .zip(shape)
        .map(|(&chunk, &len)| if len == 0 { chunk.max(1) } else { chunk })
        .collect();
    ChunkGrid::regular(chunks.clone())
        .map_err(|_| Error::corrupt(format!("chunk shape {chunks:?} is zero or overflows")))
}

fn rectilinear(named: &Named<'_>, shape: &[u64], limits: &Limits) -> Result<ChunkGrid> {
    if named.text("kind").is_some_and(|kind| kind != "inline") {
        return Err(named.malformed("kind", "`inline`"));
    }
    let malformed =
        || named.malformed("chunk_shapes", &format!("the chunks of {} axes", shape.len()));
    let axes = named.get("chunk_shapes").and_then(Value::as_array).ok_or_else(malformed)?;
    if axes.len() != shape.len() {
        return Err(malformed());
    }
    let max = limits.metadata_len_bytes / 8;
    let edges = axes.iter().zip(shape).map(|(axis, &len)| {
        let lengths = lengths(axis, len, max)?.ok_or_else(malformed)?;
        let total = lengths.iter().try_fold(0_u64, |sum, &len| sum.checked_add(len));
        if total.is_none_or(|total| total < len) {
            return Err(Error::corrupt(format!(
                "chunk lengths: expected a sum of at least {len}, found {total:?}"
            )));
        }
        AxisEdges::from_lengths(&lengths).map_err(|_| malformed())
    });
    edges.collect::<Result<_>>().map(ChunkGrid::Rectilinear)
}

/// The chunk lengths along one axis: one for all, or a list of lengths and `[length, count]`;
/// `None` where they are malformed.
fn lengths(axis: &Value, len: u64, max: u64) -> Result<Option<Vec<u64>>> {
    let mut out = Vec::new();
    let mut push = |chunk: u64, count: u64| {
        if count > max.saturating_sub(out.len() as u64) {
            return Err(Error::limit(format!("a chunk grid of more than {max} chunks an axis")));
        }
        out.extend((0..count).map(|_| chunk));
        Ok(())
    };
    match axis {
        Value::Number(chunk) => match chunk.as_u64().filter(|&chunk| chunk > 0) {
            Some(chunk) => push(chunk, len.div_ceil(chunk))?,
            None => return Ok(None),
        },
        Value::Array(runs) => {
            for run in runs {
                let pair = run.as_array().map(Vec::as_slice);
                let (chunk, count) = match pair {
                    None => (run.as_u64(), Some(1)),
                    Some([chunk, count]) => (chunk.as_u64(), count.as_u64()),
                    Some(_) => return Ok(None),
                };
                match (chunk, count) {
                    (Some(chunk), Some(count)) => push(chunk, count)?,
                    _ => return Ok(None),
                }
            }
        }
        _ => return Ok(None),
    }
    Ok(Some(out))
}

/// Extends the lengths that `value`, a `chunk_grid`, lists, by one for what `shape` has beyond
/// them; one length for all chunks of an axis stays.
///
/// # Errors
/// `Corrupt`, `LimitExceeded`.
pub(crate) fn grow(value: &mut Value, shape: &[u64], limits: &Limits) -> Result<()> {
    let axes = value.pointer_mut("/configuration/chunk_shapes").and_then(Value::as_array_mut);
    for (axis, &len) in axes.into_iter().flatten().zip(shape) {
        let listed = lengths(axis, len, limits.metadata_len_bytes / 8)?;
        let total = listed.iter().flatten().fold(0_u64, |sum, &len| sum.saturating_add(len));
        if let (Some(list), true) = (axis.as_array_mut(), len > total) {
            list.push(json!(len - total));
        }
    }
    Ok(())
}

/// `grid` in the spelling of version 3.
pub(crate) fn print(grid: &ChunkGrid) -> Result<Value> {
    match grid {
        ChunkGrid::Regular(shape) => {
            Ok(json!({"name": "regular", "configuration": {"chunk_shape": shape}}))
        }
        ChunkGrid::Rectilinear(axes) => {
            let shapes: Vec<Value> = axes.iter().map(runs).collect();
            let configuration = json!({"kind": "inline", "chunk_shapes": shapes});
            Ok(json!({"name": "rectilinear", "configuration": configuration}))
        }
        _ => Err(Error::unsupported("Zarr has no such chunk grid")),
    }
}

fn runs(edges: &AxisEdges) -> Value {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for len in edges.lengths() {
        match runs.last_mut() {
            Some((last, count)) if *last == len => *count += 1,
            _ => runs.push((len, 1)),
        }
    }
    let run = |(len, count)| if count == 1 { json!(len) } else { json!([len, count]) };
    runs.into_iter().map(run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectilinear_grids_round_trip() {
        let value = json!({"name": "rectilinear", "configuration": {"kind": "inline",
            "chunk_shapes": [[[5, 3], 2], 4]}});
        let grid = parse(&value, &[17, 8], &Limits::default()).unwrap();
        assert_eq!(grid.counts(&[17, 8]), [4, 2]);
        assert_eq!(grid.extent(0, 3), (15, 2));
        let printed = json!({"name": "rectilinear", "configuration": {"kind": "inline",
            "chunk_shapes": [[[5, 3], 2], [[4, 2]]]}});
        assert_eq!(print(&grid).unwrap(), printed);
    }

    #[test]
    fn grids_that_do_not_fit_are_refused() {
        let rectilinear = |shapes: Value| json!({"name": "rectilinear", "configuration": {"kind": "inline", "chunk_shapes": shapes}});
        let values = [
            json!("regular"),
            json!({"name": "regular", "configuration": {"chunk_shape": [0]}}),
            json!({"name": "regular", "configuration": {"chunk_shape": [1, 2]}}),
            json!({"name": "hilbert"}),
            rectilinear(json!([[5]])),
            rectilinear(json!([[10, 0]])),
            rectilinear(json!([[[1, u64::MAX]]])),
            rectilinear(json!([0])),
            rectilinear(json!([1.5])),
        ];
        for value in values {
            assert!(parse(&value, &[10], &Limits::default()).is_err(), "{value}");
        }
    }
}
