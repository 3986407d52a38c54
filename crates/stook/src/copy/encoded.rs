//! Stored chunks, copied as they are: nothing is decoded.
//!
//! Chunks within shards are such chunks too, so that shards may be made, dropped or cut otherwise
//! on the way. A chunk that is damaged stays so, and is an error when it is read.

use std::sync::{Mutex, PoisonError};

use stook_core::engine::Pipeline;
use stook_core::{ArraySpec, ChunkList, ChunkWrite, CodecSpec, Result, Selection};

use super::blocks::{Blocks, Units, item_len, unit};
use super::{Ranges, Target, Watch, Window, len_of, stored};
use crate::array::Array;
use crate::equivalence::Recast;

/// A chunk of the source: where it is, and its stored bytes.
type Chunk = (usize, Vec<u8>);

/// Whether stored chunks of the one are stored chunks of the other.
pub(super) fn is_alike(from: &Array, to: &Target, source: &ArraySpec, target: &ArraySpec) -> bool {
    let has_chunks = |spec: &ArraySpec, is_values: bool| !spec.contiguous && !is_values;
    has_chunks(source, from.source().values().is_some())
        && has_chunks(target, to.source.values().is_some())
        && is_same_item(source, target)
        && source.grid == target.grid
        && source.codecs == target.codecs
        && stored::fills_agree(source, target, &super::Change::default()).is_ok_and(|agree| agree)
        // A codec that is not known here would be passed on unseen.
        && Pipeline::new(source).is_ok()
}

/// Whether the bytes of an item, and what codecs make of them, are the same on both sides.
fn is_same_item(source: &ArraySpec, target: &ArraySpec) -> bool {
    if source.dtype == target.dtype {
        return true;
    }
    let depends_on_type = |codec: &CodecSpec| !matches!(codec, CodecSpec::Transpose { .. });
    // Codecs that only see bytes would be safe as well; which those are is for them to say.
    !source.dtype.has_heap()
        && !source.codecs.iter().any(depends_on_type)
        && Recast::new(&source.dtype, &target.dtype).is_some_and(|recast| recast.is_identity())
}

/// Copies all chunks of `from` to `to`.
pub(super) fn copy(
    from: &Array,
    to: &Target,
    block_len_bytes: u64,
    watch: &mut dyn Watch,
) -> Result<()> {
    let (source, target) = (from.spec(), to.array.spec());
    let units: Vec<u64> = (0..target.shape().len()).map(|axis| unit(&source, axis)).collect();
    let mut blocks = Blocks::of_units(&units, item_len(&source), &target, block_len_bytes);
    let window = Window::all(source.shape());
    let mut number = 0;
    while let Some(block) = blocks.next_box() {
        let is_there = watch.has(number, &block)?;
        if !is_there && !stored::is_absent(from, &source, &window, &block)? {
            copy_block(from, to, &block)?;
        }
        watch.did(number, len_of(&block, &target), is_there)?;
        number += 1;
    }
    Ok(())
}

/// Copies the chunks of `block`: those of one write unit of the target in one go.
fn copy_block(from: &Array, to: &Target, block: &Ranges) -> Result<()> {
    let target = to.array.spec();
    if target.shards.is_none() {
        return super::record::for_each_batch(&target, block, &mut |list| batch(from, to, list));
    }
    for unit in Units::new(target.write_grid(), block) {
        let axes = unit.iter().zip(block).enumerate();
        let part: Vec<_> = axes
            .map(|(axis, (&at, range))| {
                let (start, len) = target.write_grid().extent(axis, at);
                start.max(range.start)..start.saturating_add(len).min(range.end)
            })
            .collect();
        let (mut flat, mut n) = (Vec::new(), 0);
        for index in Units::new(&target.grid, &part) {
            flat.extend_from_slice(&index);
            n += 1;
        }
        batch(from, to, ChunkList::new(block.len(), n, &flat))?;
    }
    Ok(())
}

fn batch(from: &Array, to: &Target, list: ChunkList<'_>) -> Result<()> {
    let (read, skipping) = read(from.source().as_ref(), list)?;
    let writes: Vec<_> = read
        .iter()
        .map(|(at, bytes)| ChunkWrite { index: list.get(*at), bytes: Some(bytes) })
        .collect();
    if !writes.is_empty() {
        to.source.write_chunks(&writes)?;
    }
    skipping.into_iter().try_for_each(|at| recode(from, to, list.get(at)))
}

/// The stored bytes of the chunks in `list`, and which of them skip codecs.
fn read(
    source: &dyn stook_core::ChunkSource,
    list: ChunkList<'_>,
) -> Result<(Vec<Chunk>, Vec<usize>)> {
    let read = Mutex::new((Vec::new(), Vec::new()));
    source.read_chunks(list, &|i, chunk| {
        let Some(chunk) = chunk else { return Ok(()) };
        let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
        match chunk.skipped {
            0 => read.0.push((i, chunk.bytes.to_vec())),
            _ => read.1.push(i),
        }
        Ok(())
    })?;
    let mut read = read.into_inner().unwrap_or_else(PoisonError::into_inner);
    read.0.sort_unstable_by_key(|(at, _)| *at);
    Ok(read)
}

/// Copies the chunk at `index` by its values: one that skips codecs is stored with all of them.
fn recode(from: &Array, to: &Target, index: &[u64]) -> Result<()> {
    let spec = from.spec();
    let axes = index.iter().zip(spec.shape()).enumerate();
    let block = Selection::ranges(axes.map(|(axis, (&at, &len))| {
        let (start, chunk_len) = spec.grid.extent(axis, at);
        start..start.saturating_add(chunk_len).min(len)
    }));
    to.array.write(&block, &from.read(&block)?)
}

/// Copies what `old`, an unfinished target, holds of `block` to `to`; nothing is checked here.
pub(crate) fn copy_stored(old: &Target, to: &Target, block: &Ranges) -> Result<()> {
    super::record::for_each_batch(&to.array.spec(), block, &mut |list| {
        let (read, _) = read(old.source.as_ref(), list)?;
        let writes: Vec<_> = read
            .iter()
            .map(|(at, bytes)| ChunkWrite { index: list.get(*at), bytes: Some(bytes) })
            .collect();
        if writes.is_empty() { Ok(()) } else { to.source.write_chunks(&writes) }
    })
}
