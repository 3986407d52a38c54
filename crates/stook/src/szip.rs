//! What szip is to know of the items of an array, where nobody has said it.

use stook_core::codec::Szip;
use stook_core::{ArraySpec, CodecSpec};

/// Pixels of the longest line, in blocks.
const MOST_BLOCKS: u64 = 128;
/// A longer axis is no line.
const MOST_PIXELS: u64 = 4096;

/// Gives szip in `spec` what it lacks.
pub(crate) fn fit(spec: &mut ArraySpec) {
    let shape = match spec.grid.regular_shape() {
        Some(shape) => shape.to_vec(),
        None => spec.shape().to_vec(),
    };
    for codec in &mut spec.codecs {
        if let CodecSpec::Szip(szip) = codec {
            *szip = fitted(*szip, spec.dtype.item_size(), &shape);
        }
    }
}

/// `szip` with the size of a pixel and the length of a line by the size of an item and the shape
/// of a chunk, as HDF5 does, where they are zero.
pub(crate) fn fitted(mut szip: Szip, item_size: usize, chunk: &[u64]) -> Szip {
    if szip.bits_per_pixel == 0 {
        szip.bits_per_pixel = u32::try_from(item_size.saturating_mul(8)).unwrap_or(0);
    }
    if szip.pixels_per_scanline == 0 {
        let n = chunk.iter().fold(1_u64, |n, &len| n.saturating_mul(len));
        let block = u64::from(szip.pixels_per_block);
        let most = block.saturating_mul(MOST_BLOCKS);
        let line = match chunk.last().copied().unwrap_or(1) {
            last if last < block => most.min(n),
            last if last <= MOST_PIXELS => most.min(last),
            _ => most,
        };
        szip.pixels_per_scanline = u32::try_from(line).unwrap_or(0);
    }
    szip
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_and_lines_are_those_of_the_chunk() {
        let szip =
            Szip { options: 4, pixels_per_block: 8, bits_per_pixel: 0, pixels_per_scanline: 0 };
        let of = |chunk: &[u64]| {
            let szip = fitted(szip, 4, chunk);
            (szip.bits_per_pixel, szip.pixels_per_scanline)
        };
        assert_eq!(of(&[10, 100]), (32, 100));
        assert_eq!(of(&[10, 2000]), (32, 1024));
        assert_eq!(of(&[100, 3]), (32, 300));
        assert_eq!(of(&[5000]), (32, 1024));
        let said = Szip { bits_per_pixel: 16, pixels_per_scanline: 8, ..szip };
        assert_eq!(fitted(said, 4, &[10, 100]), said);
    }
}
