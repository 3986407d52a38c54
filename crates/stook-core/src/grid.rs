//! How an array is cut into chunks.

use crate::error::{Error, Result};

/// The grid of an array's chunks, one entry an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChunkGrid {
    /// Chunks of one shape. A chunk at the upper edge is stored at its full shape; what lies
    /// beyond the array is fill.
    Regular(Vec<u64>),
    /// Chunks whose lengths along each axis are listed (Zarr's rectilinear grid).
    Rectilinear(Vec<AxisEdges>),
}

/// The chunk lengths along one axis of a rectilinear grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxisEdges {
    /// Where each chunk begins, and behind the last one where it ends.
    starts: Vec<u64>,
}

impl AxisEdges {
    /// Edges from the chunk lengths.
    ///
    /// # Errors
    /// `InvalidInput` if a length is zero or the sum overflows.
    pub fn from_lengths(lengths: &[u64]) -> Result<Self> {
        let mut starts = Vec::with_capacity(lengths.len() + 1);
        let mut at = 0_u64;
        starts.push(at);
        for &len in lengths {
            at = at
                .checked_add(len)
                .filter(|_| len > 0)
                .ok_or_else(|| Error::invalid("chunk lengths are zero or overflow"))?;
            starts.push(at);
        }
        Ok(Self { starts })
    }

    /// The chunk lengths.
    pub fn lengths(&self) -> impl Iterator<Item = u64> {
        self.starts.windows(2).map(|pair| pair[1] - pair[0])
    }
}

impl ChunkGrid {
    /// A regular grid.
    ///
    /// # Errors
    /// `InvalidInput` if a chunk length is zero or a chunk's number of elements overflows.
    pub fn regular(chunk_shape: impl Into<Vec<u64>>) -> Result<Self> {
        let shape = chunk_shape.into();
        let n = shape.iter().try_fold(1_u64, |n, &len| n.checked_mul(len));
        if shape.contains(&0) || n.is_none() {
            return Err(Error::invalid(format!("chunk shape {shape:?} is zero or overflows")));
        }
        Ok(Self::Regular(shape))
    }

    /// One chunk that covers an array of `shape`; empty axes get length 1.
    #[must_use]
    pub fn whole(shape: &[u64]) -> Self {
        Self::Regular(shape.iter().map(|&len| len.max(1)).collect())
    }

    /// The number of axes.
    #[must_use]
    pub fn rank(&self) -> usize {
        match self {
            Self::Regular(shape) => shape.len(),
            Self::Rectilinear(axes) => axes.len(),
        }
    }

    /// The chunk shape, if all chunks have one.
    #[must_use]
    pub fn regular_shape(&self) -> Option<&[u64]> {
        match self {
            Self::Regular(shape) => Some(shape),
            Self::Rectilinear(_) => None,
        }
    }

    /// How many chunks cover `len` elements along `axis`.
    #[must_use]
    pub fn n_along(&self, axis: usize, len: u64) -> u64 {
        match self {
            Self::Regular(shape) => shape.get(axis).map_or(0, |&chunk| len.div_ceil(chunk.max(1))),
            Self::Rectilinear(_) if len == 0 => 0,
            Self::Rectilinear(_) => self.locate(axis, len - 1).0 + 1,
        }
    }

    /// Whether chunks hold all of `len` elements along `axis`.
    pub(crate) fn covers(&self, axis: usize, len: u64) -> bool {
        match self {
            Self::Regular(shape) => shape.get(axis).is_some_and(|&chunk| chunk > 0),
            Self::Rectilinear(axes) => {
                axes.get(axis).and_then(|edges| edges.starts.last()).is_some_and(|&end| end >= len)
            }
        }
    }

    /// How many chunks cover an array of `shape`, an axis each.
    #[must_use]
    pub fn counts(&self, shape: &[u64]) -> Vec<u64> {
        shape.iter().enumerate().map(|(axis, &len)| self.n_along(axis, len)).collect()
    }

    /// The chunk along `axis` that holds element `at`, and where in it.
    #[must_use]
    pub fn locate(&self, axis: usize, at: u64) -> (u64, u64) {
        match self {
            Self::Regular(shape) => {
                let len = shape.get(axis).map_or(1, |&len| len.max(1));
                (at / len, at % len)
            }
            Self::Rectilinear(axes) => {
                let Some(edges) = axes.get(axis) else { return (0, at) };
                let chunk = edges.starts.partition_point(|&start| start <= at).saturating_sub(1);
                (chunk as u64, at - edges.starts.get(chunk).copied().unwrap_or(0))
            }
        }
    }

    /// Where chunk `idx` begins along `axis`, and its length.
    #[must_use]
    pub fn extent(&self, axis: usize, idx: u64) -> (u64, u64) {
        match self {
            Self::Regular(shape) => {
                let len = shape.get(axis).copied().unwrap_or(1);
                (idx.saturating_mul(len), len)
            }
            Self::Rectilinear(axes) => {
                let starts = axes.get(axis).map(|edges| edges.starts.as_slice()).unwrap_or(&[]);
                let idx = usize::try_from(idx).unwrap_or(usize::MAX);
                match (starts.get(idx), starts.get(idx.saturating_add(1))) {
                    (Some(&start), Some(&end)) => (start, end - start),
                    _ => (starts.last().copied().unwrap_or(0), 0),
                }
            }
        }
    }

    /// Writes the shape of the chunk at `idx` to `shape`.
    pub fn chunk_shape(&self, idx: &[u64], shape: &mut Vec<u64>) {
        shape.clear();
        match self {
            Self::Regular(chunk) => shape.extend_from_slice(chunk),
            Self::Rectilinear(_) => {
                shape.extend(idx.iter().enumerate().map(|(axis, &idx)| self.extent(axis, idx).1));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_chunks_cover_the_edge() {
        let grid = ChunkGrid::regular([4, 3]).unwrap();
        assert_eq!(grid.counts(&[9, 3]), [3, 1]);
        assert_eq!(grid.counts(&[0, 1]), [0, 1]);
        assert_eq!(grid.locate(0, 8), (2, 0));
        assert_eq!(grid.extent(0, 2), (8, 4));
        assert!(ChunkGrid::regular([4, 0]).is_err());
    }

    #[test]
    fn rectilinear_chunks_have_their_own_lengths() {
        let axes = vec![AxisEdges::from_lengths(&[2, 5, 1]).unwrap()];
        let grid = ChunkGrid::Rectilinear(axes);
        assert_eq!(grid.counts(&[8]), [3]);
        assert_eq!(grid.counts(&[2]), [1]);
        assert_eq!(grid.locate(0, 6), (1, 4));
        assert_eq!(grid.locate(0, 7), (2, 0));
        assert_eq!(grid.extent(0, 1), (2, 5));
        let mut shape = Vec::new();
        grid.chunk_shape(&[2], &mut shape);
        assert_eq!(shape, [1]);
    }
}
