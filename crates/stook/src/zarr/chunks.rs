//! The shape of chunks and shards where it is not said: as zarr-python 3.1.6 guesses it.

use stook_core::{Error, Result};

/// How an array is cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Chunks {
    /// By a guess from shape and item size.
    #[default]
    Auto,
    /// One chunk for the whole array.
    Whole,
    /// Chunks of this length along every axis.
    Length(u64),
    /// Chunks of this shape; axes that are left out are whole.
    Shape(Vec<u64>),
}

impl From<u64> for Chunks {
    fn from(len: u64) -> Self {
        Self::Length(len)
    }
}

impl From<Vec<u64>> for Chunks {
    fn from(shape: Vec<u64>) -> Self {
        Self::Shape(shape)
    }
}

impl From<&[u64]> for Chunks {
    fn from(shape: &[u64]) -> Self {
        Self::Shape(shape.to_vec())
    }
}

impl<const N: usize> From<[u64; N]> for Chunks {
    fn from(shape: [u64; N]) -> Self {
        Self::Shape(shape.to_vec())
    }
}

/// How an array is cut into shards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Shards {
    #[default]
    None,
    Auto,
    Shape(Vec<u64>),
}

/// By how many bytes a chunk of an array of 1 MiB is aimed at.
const INCREMENT_LEN_BYTES: f64 = 262_144.0;
const MIN_LEN_BYTES: f64 = 131_072.0;
const MAX_LEN_BYTES: f64 = 67_108_864.0;
/// The largest guessed chunk of a shard.
const MAX_IN_SHARD_LEN_BYTES: f64 = 1_048_576.0;

/// The chunks that zarr-python 3.1.6 gives an array of `shape` with items of `item_len_bytes`:
/// axes are halved in turn until a chunk is near 256 KiB, more for larger arrays.
///
/// ```
/// assert_eq!(stook::zarr::guess_chunks(&[1000, 1000], 8), [250, 250]);
/// ```
#[must_use]
pub fn guess_chunks(shape: &[u64], item_len_bytes: u64) -> Vec<u64> {
    guess(shape, item_len_bytes, MAX_LEN_BYTES)
}

fn guess(shape: &[u64], item_len_bytes: u64, max: f64) -> Vec<u64> {
    if item_len_bytes == 0 {
        return shape.to_vec();
    }
    let item = item_len_bytes as f64;
    let mut chunks: Vec<f64> = shape.iter().map(|&len| (len as f64).max(1.0)).collect();
    let n = |chunks: &[f64]| chunks.iter().product::<f64>();
    let doublings = (n(&chunks) * item / (1024.0 * 1024.0)).log10();
    let target = (INCREMENT_LEN_BYTES * 2.0_f64.powf(doublings)).clamp(MIN_LEN_BYTES, max);
    let rank = chunks.len();
    for turn in 0.. {
        let len = n(&chunks) * item;
        let is_near = len < target || (len - target).abs() / target < 0.5;
        if (is_near && len < max) || n(&chunks) == 1.0 {
            break;
        }
        if let Some(axis) = chunks.get_mut(turn % rank.max(1)) {
            *axis = (*axis / 2.0).ceil();
        }
    }
    chunks.into_iter().map(|len| len as u64).collect()
}

/// The shapes of chunks and of shards, if any.
///
/// # Errors
/// `InvalidInput` for shapes that do not fit the array.
pub(super) fn partition(
    shape: &[u64],
    item_len_bytes: u64,
    chunks: &Chunks,
    shards: &Shards,
) -> Result<(Vec<u64>, Option<Vec<u64>>)> {
    let max = if *shards == Shards::None { MAX_LEN_BYTES } else { MAX_IN_SHARD_LEN_BYTES };
    let chunks = match chunks {
        Chunks::Auto => guess(shape, item_len_bytes, max),
        Chunks::Whole => shape.iter().map(|&len| len.max(1)).collect(),
        Chunks::Length(len) => vec![*len; shape.len()],
        Chunks::Shape(chunks) => {
            let rest = shape.get(chunks.len()..).ok_or_else(|| {
                let (rank, found) = (shape.len(), chunks.len());
                Error::invalid(format!("chunks: expected at most {rank} lengths, found {found}"))
            })?;
            let rest = rest.iter().map(|&len| len.max(1));
            chunks.iter().copied().chain(rest).collect()
        }
    };
    let shards = match shards {
        Shards::None => None,
        Shards::Auto => Some(auto_shards(shape, &chunks)),
        Shards::Shape(shards) if shards.len() == shape.len() => Some(shards.clone()),
        Shards::Shape(shards) => {
            let (rank, found) = (shape.len(), shards.len());
            return Err(Error::invalid(format!("shards: expected {rank} lengths, found {found}")));
        }
    };
    Ok((chunks, shards))
}

/// Two chunks along each axis that has more than eight.
fn auto_shards(shape: &[u64], chunks: &[u64]) -> Vec<u64> {
    let axes = shape.iter().zip(chunks);
    let is_long = |len: u64, chunk: u64| len.checked_div(chunk).is_some_and(|n| n > 8);
    axes.map(|(&len, &chunk)| if is_long(len, chunk) { chunk.saturating_mul(2) } else { chunk })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_and_shards_are_filled_up() {
        let parts = |chunks: Chunks, shards: Shards| partition(&[100, 0], 8, &chunks, &shards);
        assert_eq!(parts(Chunks::Whole, Shards::None).unwrap(), (vec![100, 1], None));
        assert_eq!(parts(7.into(), Shards::None).unwrap().0, [7, 7]);
        assert_eq!(parts([7].into(), Shards::None).unwrap().0, [7, 1]);
        let auto = parts([10, 10].into(), Shards::Auto).unwrap().1;
        assert_eq!(auto, Some(vec![20, 10]));
        assert!(parts([1, 2, 3].into(), Shards::None).is_err());
        assert!(parts(Chunks::Auto, Shards::Shape(vec![1])).is_err());
    }

    #[test]
    fn a_guess_ends() {
        assert_eq!(guess_chunks(&[], 8), [] as [u64; 0]);
        assert_eq!(guess_chunks(&[0, 5], 8), [1, 5]);
        assert_eq!(guess_chunks(&[3], 0), [3]);
        assert_eq!(guess_chunks(&[3], 1 << 40), [1]);
        assert_eq!(guess_chunks(&[u64::MAX; 3], u64::MAX).len(), 3);
    }
}
