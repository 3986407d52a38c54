//! Ranges of one value read together where they are neighbours.

use std::cell::Cell;

use super::{ByteRange, DeliverBytes};
use crate::error::{Error, Result};

/// Up to so many bytes between two ranges are read and thrown away: cheaper than another call.
const GAP_LEN: u64 = 4 << 10;

/// Ranges are joined up to so many bytes, so that the buffer stays in the cache.
const JOINED_LEN: u64 = 1 << 20;

/// A larger buffer is given back after the call.
const KEPT_LEN: usize = 8 << 20;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Runs `work` with this thread's buffer; a call within `work` gets a fresh one.
fn with_buffer<T>(work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    let mut buffer = BUFFER.take();
    let result = work(&mut buffer);
    if buffer.capacity() <= KEPT_LEN {
        BUFFER.set(buffer);
    }
    result
}

/// Reads `ranges` of a value of `len_bytes` through `read`, in the order of their offsets,
/// neighbours together, and delivers each.
///
/// # Errors
/// `Corrupt` if a range lies outside the value, and what `read` and `deliver` return.
pub fn read_ranges(
    len_bytes: u64,
    ranges: &[ByteRange],
    read: &mut dyn FnMut(u64, &mut [u8]) -> Result<()>,
    deliver: &mut DeliverBytes<'_>,
) -> Result<()> {
    if let [range] = ranges {
        let (offset, len) = resolve(*range, len_bytes)?;
        return read_run(offset, offset + len, read, &mut |buffer| deliver(0, Some(buffer)));
    }
    let resolved = ranges.iter().enumerate();
    let resolved = resolved.map(|(i, range)| Ok((resolve(*range, len_bytes)?, i)));
    let mut resolved = resolved.collect::<Result<Vec<_>>>()?;
    resolved.sort_unstable();
    let mut rest = resolved.as_slice();
    while let Some(&((start, len), _)) = rest.first() {
        let mut end = start + len;
        let n = rest
            .iter()
            .take_while(|((offset, len), _)| {
                let joined = end.max(offset + len);
                let is_near = *offset <= end.saturating_add(GAP_LEN);
                let is_joined = joined == end || (is_near && joined - start <= JOINED_LEN);
                end = if is_joined { joined } else { end };
                is_joined
            })
            .count();
        let (run, after) = rest.split_at(n);
        read_run(start, end, read, &mut |buffer| {
            run.iter().try_for_each(|&((offset, len), i)| {
                let at = usize::try_from(offset - start).unwrap_or(usize::MAX);
                let len = usize::try_from(len).unwrap_or(usize::MAX);
                deliver(i, buffer.get(at..at.saturating_add(len)))
            })
        })?;
        rest = after;
    }
    Ok(())
}

fn read_run(
    start: u64,
    end: u64,
    read: &mut dyn FnMut(u64, &mut [u8]) -> Result<()>,
    work: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let len = usize::try_from(end - start)
        .map_err(|_| Error::limit(format!("range of {} bytes overflows memory", end - start)))?;
    with_buffer(|buffer| {
        if buffer.len() < len {
            buffer.resize(len, 0);
        }
        let part = buffer.get_mut(..len).unwrap_or_default();
        read(start, part)?;
        work(part)
    })
}

fn resolve(range: ByteRange, len_bytes: u64) -> Result<(u64, u64)> {
    range.resolve(len_bytes).ok_or_else(|| {
        Error::corrupt(format!("{range:?} lies outside a value of {len_bytes} bytes"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u64, len: u64) -> ByteRange {
        ByteRange::At { offset, len }
    }

    #[test]
    fn neighbours_are_read_together_and_delivered_by_position() {
        let value: Vec<u8> = (0..50_000_u32).map(|i| i as u8).collect();
        let ranges = [at(30_000, 4), at(8, 4), ByteRange::Last(2), at(0, 4), at(9, 1), at(5, 0)];
        let (mut reads, mut found) = (Vec::new(), vec![None; ranges.len()]);
        let mut read = |offset: u64, out: &mut [u8]| {
            reads.push((offset, out.len()));
            let start = usize::try_from(offset).unwrap();
            out.copy_from_slice(&value[start..start + out.len()]);
            Ok(())
        };
        let mut deliver = |i: usize, bytes: Option<&[u8]>| {
            found[i] = bytes.map(<[u8]>::to_vec);
            Ok(())
        };
        read_ranges(value.len() as u64, &ranges, &mut read, &mut deliver).unwrap();
        assert_eq!(reads, [(0, 12), (30_000, 4), (49_998, 2)]);
        for (range, found) in ranges.iter().zip(found) {
            let (offset, len) = range.resolve(50_000).unwrap();
            let start = usize::try_from(offset).unwrap();
            assert_eq!(found.unwrap(), &value[start..start + usize::try_from(len).unwrap()]);
        }
    }

    #[test]
    fn a_range_outside_is_corrupt_and_nothing_is_delivered() {
        let mut deliver = |_: usize, _: Option<&[u8]>| panic!("nothing is delivered");
        let mut read = |_: u64, _: &mut [u8]| panic!("nothing is read");
        let error = read_ranges(10, &[at(0, 4), at(8, 3)], &mut read, &mut deliver).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Corrupt);
    }
}
