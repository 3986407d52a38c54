//! How much memory the copy of an array needs, and how a budget is shared out.

use stook_core::{ArraySpec, Error, Result};

use super::blocks::item_len;

/// Of a budget this much is left to the rest of the process.
const MOST_RESERVED: u64 = 64 << 20;

/// A budget, shared out for one array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// Threads that may work.
    pub(crate) threads: usize,
    /// Bytes of the items of a block; the threads do not change them.
    pub(crate) block_len_bytes: u64,
    /// Bytes beside them.
    pub(crate) scratch_len_bytes: u64,
}

/// The bytes of one of the boxes that `spec` is read in, or written in.
fn unit_len(spec: &ArraySpec, grid: &stook_core::ChunkGrid) -> u64 {
    if spec.contiguous || spec.is_null() {
        return 0;
    }
    let lengths = (0..spec.shape().len()).map(|axis| {
        // Lengths that are listed differ; the longest counts.
        let n = grid.regular_shape().map_or_else(|| grid.n_along(axis, spec.shape()[axis]), |_| 1);
        (0..n.max(1)).map(|at| grid.extent(axis, at).1).max().unwrap_or(1).max(1)
    });
    lengths.fold(item_len(spec), |n, len| n.saturating_mul(len))
}

impl Need {
    /// Shares `budget` out for the copy of `from` to `to`; `copies` is how often the items of a
    /// block are held at once.
    ///
    /// # Errors
    /// `LimitExceeded` if one thread and one chunk are too much, saying what would do.
    pub(crate) fn new(
        from: &ArraySpec,
        to: &ArraySpec,
        (budget, copies): (u64, u64),
        threads: usize,
    ) -> Result<Self> {
        if from.n_elements() == 0 || to.n_elements() == 0 {
            return Ok(Self { threads: 1, block_len_bytes: 1, scratch_len_bytes: 1 });
        }
        let usable = budget - (budget / 4).min(MOST_RESERVED);
        let (chunk, unit) = (unit_len(from, &from.grid), unit_len(to, to.write_grid()));
        let inner = unit_len(to, &to.grid);
        // A chunk is held encoded, decoded and in between; of a shard the encoded chunks and
        // their sum.
        let write = |threads: u64| match to.shards {
            None => unit.saturating_mul(3).saturating_mul(threads),
            Some(_) => unit
                .saturating_mul(2)
                .saturating_add(inner.saturating_mul(3))
                .saturating_mul(threads),
        };
        let scratch =
            |threads: u64| chunk.saturating_mul(3).saturating_mul(threads).max(write(threads));
        let least = unit.max(1).saturating_mul(copies);
        if let Some(room) = usable.checked_sub(scratch(1)).filter(|&room| room >= least) {
            // The same blocks however many threads there are, so that another process finds them.
            let block = least.max(usable / 2).min(room);
            let rest = usable - block;
            let threads = (1..=threads.max(1)).rev().find(|&n| scratch(n as u64) <= rest);
            return Ok(Self {
                threads: threads.unwrap_or(1),
                block_len_bytes: block / copies,
                scratch_len_bytes: rest,
            });
        }
        if from.dtype.has_heap() {
            // How long the items are is not known before they are read.
            let scratch_len_bytes = scratch(1);
            return Ok(Self { threads: 1, block_len_bytes: least, scratch_len_bytes });
        }
        let needed = scratch(1).saturating_add(least);
        let needed = needed.saturating_add((needed / 3).min(MOST_RESERVED));
        let what = match (unit >= chunk, to.shards.is_some()) {
            (true, true) => format!("shards of {unit} bytes in the target"),
            (true, false) => format!("chunks of {unit} bytes in the target"),
            (false, _) => format!("chunks of {chunk} bytes in the source"),
        };
        let megabytes = needed.div_ceil(1 << 20);
        let message =
            format!("{what} need about {needed} bytes of memory, of which {budget} may be used");
        Err(Error::limit(message).with_hint(format!(
            "allow more with `--memory {megabytes}M`, or choose smaller chunks"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stook_core::{ChunkGrid, DType};

    fn spec(chunk: u64) -> ArraySpec {
        let mut spec = ArraySpec::new(DType::UInt8, [1 << 30]);
        spec.grid = ChunkGrid::regular([chunk]).unwrap();
        spec
    }

    #[test]
    fn threads_give_way_to_large_chunks() {
        let need = Need::new(&spec(1 << 20), &spec(1 << 20), (256 << 20, 1), 8).unwrap();
        assert_eq!((need.threads, need.block_len_bytes), (8, 96 << 20));
        assert!(need.block_len_bytes + need.scratch_len_bytes <= 192 << 20);
        let need = Need::new(&spec(10 << 20), &spec(1 << 20), (256 << 20, 1), 8).unwrap();
        assert_eq!((need.threads, need.block_len_bytes), (3, 96 << 20));
        let need = Need::new(&spec(40 << 20), &spec(1 << 20), (256 << 20, 1), 8).unwrap();
        assert_eq!((need.threads, need.block_len_bytes), (1, 72 << 20));
    }

    #[test]
    fn what_is_too_large_is_named() {
        let error = Need::new(&spec(1 << 20), &spec(100 << 20), (256 << 20, 1), 8).unwrap_err();
        insta::assert_snapshot!(error, @"chunks of 104857600 bytes in the target need about 486539264 bytes of memory, of which 268435456 may be used");
        insta::assert_snapshot!(error.hint().unwrap(), @"allow more with `--memory 464M`, or choose smaller chunks");
        let needed = 486_539_264;
        assert!(Need::new(&spec(1 << 20), &spec(100 << 20), (needed, 1), 8).is_ok());
    }
}
