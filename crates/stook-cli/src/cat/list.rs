//! Elements as JSON: nested lists, a line each innermost one.

use std::io::Write;

use stook::Values;

use super::source::Source;
use crate::error::Failure;
use crate::output::Output;

pub(super) fn write(source: &Source<'_>, out: &mut Output) -> Result<(), Failure> {
    if source.shape().contains(&0) {
        return Ok(out.line("[]")?);
    }
    // The elements of a list at each level.
    let mut lens = source.shape().to_vec();
    for at in (1..lens.len()).rev() {
        let len = lens.get(at).copied().unwrap_or(1);
        if let Some(above) = lens.get_mut(at - 1) {
            *above = above.saturating_mul(len);
        }
    }
    let mut n_written = 0_u64;
    source.for_each_block::<Failure>(&mut |values| {
        for at in 0..values.len() {
            let n_opened = lens.iter().filter(|&&len| n_written.is_multiple_of(len)).count();
            if n_written > 0 {
                out.write_all(if n_opened > 0 { b",\n" } else { b"," })?;
            }
            (0..n_opened).try_for_each(|_| out.write_all(b"["))?;
            item(values, at, out)?;
            n_written += 1;
            let n_closed = lens.iter().filter(|&&len| n_written.is_multiple_of(len)).count();
            (0..n_closed).try_for_each(|_| out.write_all(b"]"))?;
        }
        Ok(())
    })?;
    Ok(out.line("")?)
}

fn item(values: &Values, at: usize, out: &mut Output) -> Result<(), Failure> {
    let item = values.item(at).unwrap_or_default();
    let value = stook::json::of_item(values.dtype(), item, values.heap())?;
    serde_json::to_writer(out, &value).map_err(|error| Failure::Write(error.into()))
}
