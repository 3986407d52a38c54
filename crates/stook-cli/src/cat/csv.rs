//! Elements as comma-separated values (RFC 4180, lines ended as Unix does).
//!
//! A line is what lies along the last axis; of structs it is one element, below a line of names.
//! Of more than two axes, and where it is asked for, a line begins with positions.

use std::io::{self, Write};

use stook::DType;

use super::cell;
use super::layout::unravel;
use super::source::Source;
use crate::error::Failure;
use crate::output::Output;

pub(super) fn write(
    source: &Source<'_>,
    wants_index: bool,
    out: &mut Output,
) -> Result<(), Failure> {
    let shape = source.shape();
    let is_struct = matches!(source.dtype, DType::Struct(_));
    // How many axes a line is one element of, and how many elements it has.
    let n_above = if is_struct || shape.len() < 2 { shape.len() } else { shape.len() - 1 };
    let above = shape.get(..n_above).unwrap_or_default();
    let per_line = shape.get(n_above).copied().unwrap_or(1);
    let has_index = wants_index || shape.len() > 2 - usize::from(is_struct);
    let kept: Vec<usize> = kept(source);
    if is_struct || has_index {
        header(source, &kept, n_above, has_index, out)?;
    }
    let mut n_written = 0_u64;
    source.for_each_block::<Failure>(&mut |values| {
        for at in 0..values.len() {
            let column = n_written % per_line.max(1);
            if column > 0 {
                out.write_all(b",")?;
            } else if has_index {
                let index = unravel(n_written / per_line.max(1), above);
                for (axis, i) in kept.iter().zip(index) {
                    let position = source.parts.axes().get(*axis).map_or(i, |axis| axis.at(i));
                    write!(out, "{position},")?;
                }
            }
            item(source, values.item(at).unwrap_or_default(), values.heap(), out)?;
            if column + 1 == per_line {
                out.write_all(b"\n")?;
            }
            n_written += 1;
        }
        Ok(())
    })
}

/// The axes of the array that are in the result.
fn kept(source: &Source<'_>) -> Vec<usize> {
    let axes = source.parts.axes().iter().enumerate();
    axes.filter(|(_, axis)| axis.is_kept()).map(|(at, _)| at).collect()
}

fn header(
    source: &Source<'_>,
    kept: &[usize],
    n_above: usize,
    has_index: bool,
    out: &mut Output,
) -> io::Result<()> {
    let spec = source.array().spec();
    let axis_name = |axis: usize| {
        let names = spec.dimension_names.as_deref().unwrap_or_default();
        names.get(axis).cloned().flatten().unwrap_or_else(|| format!("axis{axis}"))
    };
    let mut names = Vec::new();
    if has_index {
        names.extend(kept.iter().take(n_above).map(|&axis| axis_name(axis)));
    }
    match &source.dtype {
        DType::Struct(r#struct) => {
            names.extend(r#struct.fields.iter().map(|field| field.name.clone()));
        }
        _ => match kept.get(n_above) {
            Some(&last) => {
                let axis = source.parts.axes().get(last);
                let len = axis.map_or(0, |axis| axis.len());
                names.extend((0..len).filter_map(|i| axis.map(|axis| axis.at(i).to_string())));
            }
            None => names.push("value".to_owned()),
        },
    }
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        quoted(name, out)?;
    }
    out.write_all(b"\n")
}

/// One element: a value, or those of its members.
fn item(source: &Source<'_>, item: &[u8], heap: &[u8], out: &mut Output) -> Result<(), Failure> {
    let DType::Struct(r#struct) = &source.dtype else {
        return Ok(quoted(&cell::plain(&source.dtype, item, heap)?, out)?);
    };
    for (at, field) in r#struct.fields.iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        let end = field.offset.saturating_add(field.dtype.item_size());
        let part = item.get(field.offset..end).unwrap_or_default();
        quoted(&cell::plain(&field.dtype, part, heap)?, out)?;
    }
    Ok(())
}

fn quoted(text: &str, out: &mut Output) -> io::Result<()> {
    if !text.contains([',', '"', '\n', '\r']) && text.trim() == text && !text.is_empty() {
        return out.write_all(text.as_bytes());
    }
    write!(out, "\"{}\"", text.replace('"', "\"\""))
}
