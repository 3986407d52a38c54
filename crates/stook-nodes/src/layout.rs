//! How an array that grows is cut: whole rows, as many as make a chunk that is cheap to write.

/// Chunks of small rows.
const SMALL_LEN_BYTES: u64 = 32 << 10;
/// Chunks hold more than one row up to this size.
const LARGE_LEN_BYTES: u64 = 256 << 10;
/// Rows that are worth a larger chunk together.
const WORTH_ROWS: u64 = 16;
/// Rows are cut where one alone would make a chunk larger than this.
const MAX_LEN_BYTES: u64 = 64 << 20;
/// Rows of different lengths that lie in one chunk: their 16 bytes each are what is stored there.
pub(crate) const RAGGED_ROWS: u64 = 256;

/// The shape of the chunks of an array whose rows have this shape.
pub(crate) fn chunk_of_rows(row_shape: &[u64], item_size: usize) -> Vec<u64> {
    let item_size = item_size.max(1) as u64;
    let len = row_shape.iter().fold(item_size, |len, &n| len.saturating_mul(n)).max(1);
    let target = WORTH_ROWS.saturating_mul(len).clamp(SMALL_LEN_BYTES, LARGE_LEN_BYTES);
    let mut chunk = vec![(target / len).max(1)];
    chunk.extend(row_shape.iter().map(|&n| n.max(1)));
    let mut len = len;
    for axis in chunk.iter_mut().skip(1) {
        while len > MAX_LEN_BYTES && *axis > 1 {
            *axis = axis.div_ceil(2);
            len = len.div_ceil(2);
        }
    }
    chunk
}

/// The shape of the chunks of an array of a fixed shape that is compressed.
pub(crate) fn chunk_of_array(shape: &[u64], item_size: usize) -> Vec<u64> {
    let mut room = ((1 << 20) / item_size.max(1) as u64).max(1);
    let mut chunk = vec![1; shape.len()];
    for (chunk, &len) in chunk.iter_mut().zip(shape).rev() {
        *chunk = len.clamp(1, room);
        room = (room / *chunk).max(1);
    }
    chunk
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_whole_rows() {
        assert_eq!(chunk_of_rows(&[], 8), [4096]);
        assert_eq!(chunk_of_rows(&[2048], 8), [16, 2048]);
        assert_eq!(chunk_of_rows(&[512, 512], 2), [1, 512, 512]);
        assert_eq!(chunk_of_rows(&[8192, 8192], 8), [1, 1024, 8192]);
        assert_eq!(chunk_of_rows(&[0], 8), [32768, 1]);
    }

    #[test]
    fn fixed_arrays_are_cut_at_a_mebibyte() {
        assert_eq!(chunk_of_array(&[3, 4], 2), [3, 4]);
        assert_eq!(chunk_of_array(&[1000, 1024, 1024], 1), [1, 1024, 1024]);
    }
}
