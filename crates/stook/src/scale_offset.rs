//! What HDF5's scale-offset filter is to know of the items of an array, where nobody has said it.

use stook_core::codec::Endian;
use stook_core::{ArraySpec, CodecSpec, DType};

/// The values of the filter in all.
const N_VALUES: usize = 20;
/// How many of them are for the user to say: the kind of scaling, and its factor.
const N_SAID: usize = 2;

/// Gives the scale-offset filter in `spec` what it lacks.
pub(crate) fn fit(spec: &mut ArraySpec) {
    let chunk = spec.grid.regular_shape().unwrap_or_else(|| spec.shape());
    let n_items = chunk.iter().fold(1_u64, |n, &len| n.saturating_mul(len));
    let n_items = u32::try_from(n_items).unwrap_or(u32::MAX);
    let is_big = spec.codecs.contains(&CodecSpec::ByteOrder(Endian::Big));
    let dtype = &spec.dtype;
    let is_float = matches!(dtype, DType::Float32 | DType::Float64);
    let is_signed = matches!(dtype, DType::Int8 | DType::Int16 | DType::Int32 | DType::Int64);
    let size = u32::try_from(dtype.item_size()).unwrap_or(u32::MAX);
    for codec in &mut spec.codecs {
        if let CodecSpec::ScaleOffsetHdf5 { values } = codec
            && values.len() == N_SAID
        {
            values.extend([n_items, u32::from(is_float), size, u32::from(is_signed)]);
            values.push(u32::from(is_big));
            values.resize(N_VALUES, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stook_core::ChunkGrid;

    #[test]
    fn items_are_described_where_nobody_did() {
        let mut spec = ArraySpec::new(DType::Int16, [100]);
        spec.grid = ChunkGrid::regular([10]).unwrap();
        spec.codecs = vec![CodecSpec::ScaleOffsetHdf5 { values: vec![2, 0] }];
        fit(&mut spec);
        let [CodecSpec::ScaleOffsetHdf5 { values }] = &spec.codecs[..] else { panic!() };
        assert_eq!(values[..8], [2, 0, 10, 0, 2, 1, 0, 0]);
        assert_eq!(values.len(), N_VALUES);
    }
}
