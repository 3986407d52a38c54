//! Elements in one piece as the one chunk of their array.

use stook_core::chunk::{ChunkWrite, Deliver};
use stook_core::{ChunkList, EncodedChunk, Error, InPlace, Limits, Result};

use crate::header::Header;

/// Delivers all `len` bytes of `elements` for each chunk of `at`.
pub(crate) fn read_chunks(
    elements: &dyn InPlace,
    len: u64,
    limits: &Limits,
    at: ChunkList<'_>,
    deliver: &Deliver<'_>,
) -> Result<()> {
    for (i, index) in at.iter().enumerate() {
        if len == 0 {
            deliver(i, None)?;
            continue;
        }
        if let Some(bytes) = elements.mapped() {
            deliver(i, Some(EncodedChunk { bytes, skipped: 0 }))?;
            continue;
        }
        let mut bytes = vec![0; limits.chunk(len).map_err(|error| error.at_chunk(index))?];
        elements.read_at(0, &mut bytes).map_err(|error| error.at_chunk(index))?;
        deliver(i, Some(EncodedChunk { bytes: &bytes, skipped: 0 }))?;
    }
    Ok(())
}

/// Writes chunks that are all `len` bytes of `elements`.
pub(crate) fn write_chunks(
    elements: &dyn InPlace,
    len: u64,
    chunks: &[ChunkWrite<'_>],
) -> Result<()> {
    for chunk in chunks {
        let written = match chunk.bytes {
            Some(bytes) if bytes.len() as u64 == len => elements.write_at(0, bytes),
            Some(bytes) => {
                let found = bytes.len();
                Err(Error::invalid(format!("expected {len} bytes of elements, found {found}")))
            }
            None => Err(no_erasing()),
        };
        written.map_err(|error| error.at_chunk(chunk.index))?;
    }
    Ok(())
}

/// Why nothing can be erased.
pub(crate) fn no_erasing() -> Error {
    Error::unsupported("numpy files have no fill value to erase with")
}

/// Whether a file of which `found` bytes follow the header holds the elements.
pub(crate) fn check_len(expected: u64, found: u64) -> Result<()> {
    if expected <= found {
        return Ok(());
    }
    Err(Error::corrupt(format!("expected {expected} bytes of elements, found {found}")))
}

/// Whether `len` bytes at `offset` lie within `data_len` bytes of elements.
pub(crate) fn check_place(offset: u64, len: usize, data_len: u64) -> Result<()> {
    match offset.checked_add(len as u64) {
        Some(end) if end <= data_len => Ok(()),
        _ => Err(Error::invalid(format!("{len} bytes at {offset} lie outside the elements"))),
    }
}

/// The change of a shape that only its slowest axis may take part in.
pub(crate) fn check_resize(header: &Header, shape: &[u64]) -> Result<()> {
    let growth = header.growth_axis();
    if shape.len() != header.shape.len() {
        return Err(Error::invalid(format!(
            "expected a shape of {} axes, found {shape:?}",
            header.shape.len()
        )));
    }
    let mut pairs = shape.iter().zip(&header.shape).enumerate();
    match pairs.find(|(axis, (new, old))| new != old && Some(*axis) != growth) {
        None => Ok(()),
        Some((axis, _)) => Err(Error::invalid(format!(
            "axis {axis} cannot be resized: only axis {} of this array can",
            growth.unwrap_or(0)
        ))),
    }
}
