//! Blocks of elements: read, changed, written.

use stook_core::{ArraySpec, Result, Selection, Values, View};

use super::blocks::{Blocks, Units, item_len, unit};
use super::{Ranges, Target, Watch, Way, len_of, stored};
use crate::array::Array;

/// Copies the elements that `way` takes.
pub(super) fn copy(from: &Array, to: &Target, way: Way<'_>, watch: &mut dyn Watch) -> Result<()> {
    let (source, target) = (from.spec(), to.array.spec());
    let fills_agree = stored::fills_agree(&source, &target, way.change)?;
    let writer = Writer { fill: stored::plain_fill(&target), target: to, spec: &target };
    let one = |block: &Ranges| {
        let values = from.read(&way.window.selection(block))?;
        let changed = way.change.apply(values, &target.dtype);
        writer.write(block, &changed.map_err(|error| error.at_node(from.path()))?)
    };
    let units = way.window.kept().map(|(axis, _, step)| unit(&source, axis).div_ceil(step.max(1)));
    let units: Vec<u64> = units.collect();
    let item = item_len(&source).max(item_len(&target));
    let mut blocks = Blocks::of_units(&units, item, &target, way.block_len_bytes);
    let mut number = 0;
    while let Some(block) = blocks.next_box() {
        let is_there = watch.has(number, &block)?;
        if !is_there && !fills_agree {
            one(&block)?;
        } else if !is_there {
            // What was never written is not looked at; what is left is read at once if it is most.
            let (mut present, mut n_absent) = (Vec::new(), 0);
            let mut parts = blocks.parts(&block);
            while let Some(part) = parts.next_box() {
                match stored::is_absent(from, &source, way.window, &part)? {
                    true => n_absent += 1,
                    false => present.push(part),
                }
            }
            match n_absent < present.len() / 4 + usize::from(n_absent == 0) {
                true => one(&block)?,
                false => present.iter().try_for_each(|part| one(part))?,
            }
        }
        watch.did(number, len_of(&block, &target), is_there)?;
        number += 1;
    }
    Ok(())
}

struct Writer<'w> {
    /// The item of what is better not written; `None` where it cannot be told by its bytes.
    fill: Option<Vec<u8>>,
    target: &'w Target,
    spec: &'w ArraySpec,
}

impl Writer<'_> {
    /// Writes a block to a new array: chunks that hold nothing but the fill value are left out.
    fn write(&self, block: &Ranges, values: &Values) -> Result<()> {
        let array = &self.target.array;
        let whole = Selection::ranges(block.iter().cloned());
        let item = self.spec.dtype.item_size();
        let view = View::new(values.items(), &shape_of(block), item, values.heap())?;
        if let Some(recording) = &self.target.recording {
            recording.saw(values);
        }
        let (Some(fill), true) = (&self.fill, self.spec.fill_value.is_some()) else {
            return array.write_from(&whole, &view);
        };
        if stored::is_filled(values.items(), fill) {
            return Ok(());
        }
        // A source of chunks that leaves them out by itself needs no help; elements in one piece
        // have no chunks.
        if self.target.source.access().skips_empty || self.spec.contiguous {
            return array.write_from(&whole, &view);
        }
        let units: Vec<_> = Units::new(self.spec.write_grid(), block).collect();
        let parts: Vec<Vec<_>> = units.iter().map(|unit| self.part(unit, block)).collect();
        let is_empty = |part: &Vec<std::ops::Range<u64>>| self.is_empty(part, block, values, fill);
        let empty: Vec<bool> = parts.iter().map(is_empty).collect();
        if !empty.contains(&true) {
            return array.write_from(&whole, &view);
        }
        for (part, _) in parts.iter().zip(empty).filter(|(_, is_empty)| !is_empty) {
            let items = gather(part, block, values.items(), item);
            let view = View::new(&items, &shape_of(part), item, values.heap())?;
            array.write_from(&Selection::ranges(part.iter().cloned()), &view)?;
        }
        Ok(())
    }

    /// The part of `block` that is the write unit at `unit`.
    fn part(&self, unit: &[u64], block: &Ranges) -> Vec<std::ops::Range<u64>> {
        let grid = self.spec.write_grid();
        let axes = unit.iter().zip(block).enumerate();
        axes.map(|(axis, (&at, range))| {
            let (start, len) = grid.extent(axis, at);
            start.max(range.start)..start.saturating_add(len).min(range.end)
        })
        .collect()
    }

    fn is_empty(&self, part: &Ranges, block: &Ranges, values: &Values, fill: &[u8]) -> bool {
        let mut is_empty = true;
        for_each_row(part, block, fill.len(), &mut |at, len| {
            let row = values.items().get(at..at + len);
            is_empty = is_empty && row.is_some_and(|row| stored::is_filled(row, fill));
            is_empty
        });
        is_empty
    }
}

fn shape_of(block: &Ranges) -> Vec<u64> {
    block.iter().map(|range| range.end - range.start).collect()
}

/// The items of `part` out of those of `block`.
fn gather(part: &Ranges, block: &Ranges, items: &[u8], item: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for_each_row(part, block, item, &mut |at, len| {
        out.extend_from_slice(items.get(at..at + len).unwrap_or_default());
        true
    });
    out
}

/// Calls `visit` with offset and length, in bytes, of each row of `part` in the items of `block`,
/// until it returns false.
fn for_each_row(
    part: &Ranges,
    block: &Ranges,
    item: usize,
    visit: &mut dyn FnMut(usize, usize) -> bool,
) {
    let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let (lengths, mut strides) = (shape_of(part), vec![item; block.len()]);
    for axis in (1..block.len()).rev() {
        strides[axis - 1] = strides[axis] * size(block[axis].end - block[axis].start);
    }
    let offsets = part.iter().zip(block).zip(&strides);
    let first: usize =
        offsets.map(|((part, block), stride)| size(part.start - block.start) * stride).sum();
    let (outer, row) = match lengths.split_last() {
        Some((row, outer)) => (outer, size(*row) * item),
        None => (&[][..], item),
    };
    let mut at = vec![0_u64; outer.len()];
    loop {
        let offset: usize = at.iter().zip(&strides).map(|(&at, stride)| size(at) * stride).sum();
        if !visit(first + offset, row) {
            return;
        }
        let Some(axis) = (0..at.len()).rev().find(|&axis| at[axis] + 1 < outer[axis]) else {
            return;
        };
        at[axis] += 1;
        at[axis + 1..].fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_part_are_found_in_their_block() {
        let items: Vec<u8> = (0..24).collect();
        let block = [2..4, 10..13, 5..9];
        assert_eq!(gather(&[3..4, 11..13, 6..8], &block, &items, 1), [17, 18, 21, 22]);
        assert_eq!(gather(&block, &block, &items, 1), items);
        assert_eq!(gather(&[], &[], &[7, 8], 2), [7, 8]);
    }
}
