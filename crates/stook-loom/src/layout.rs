//! How the arrays of a loom are laid out when they are made (docs/formats/loom.md).

use stook::{Array, CodecSpec, DType, File, Format, NodePath, Result, Selection, Values};

use crate::progress;

/// The side of a tile of a layer.
pub(crate) const TILE: u64 = 64;
/// Tiles of a side of a shard, in Zarr.
const SHARD_TILES: u64 = 16;
/// The level of deflate, in HDF5.
const LEVEL: u8 = 2;
/// Bytes of a chunk of an attribute, about.
const CHUNK_LEN_BYTES: u64 = 256 << 10;

/// The tile of a layer of `shape`.
pub(crate) fn tile(shape: [u64; 2]) -> [u64; 2] {
    // An axis that is empty now will grow.
    shape.map(|len| if len == 0 { TILE } else { len.min(TILE) })
}

/// Makes an empty layer.
pub(crate) fn make_layer(
    file: &File,
    path: &NodePath,
    dtype: DType,
    shape: [u64; 2],
) -> Result<Array> {
    progress::expect(shape[0].saturating_mul(shape[1]));
    let tile = tile(shape);
    let builder = file.root_group()?.array(path.as_str()).dtype(dtype).shape(shape).chunks(tile);
    if file.format() == Format::Hdf5 {
        let builder = builder.codecs([CodecSpec::Zlib { level: LEVEL.into() }]);
        return builder.max_shape([Some(shape[0]), None]).create();
    }
    let [rows, columns] = shape;
    let side = |len: u64, tile: u64| tile * len.div_ceil(tile).clamp(1, SHARD_TILES);
    builder.shards([side(rows, tile[0]), side(columns, tile[1])]).create()
}

/// Makes an attribute of an axis or, from version 3 on, of the file, with its values as they are
/// stored.
pub(crate) fn make_attribute(file: &File, path: &NodePath, values: &Values) -> Result<Array> {
    let (dtype, shape) = (values.dtype().clone(), values.shape());
    let mut builder = file.root_group()?.array(path.as_str()).dtype(dtype).shape(shape);
    if let Some((&len, row)) = shape.split_first() {
        let row_len = row.iter().product::<u64>().max(1) * values.dtype().item_size().max(1) as u64;
        let n_rows = (CHUNK_LEN_BYTES / row_len).clamp(1, len.max(1));
        let mut chunks = vec![n_rows];
        chunks.extend(row.iter().map(|&len| len.max(1)));
        builder = builder.chunks(chunks);
        if file.format() == Format::Hdf5 {
            let mut max = vec![Some(len)];
            max.extend(row.iter().map(|_| None));
            builder = builder.codecs([CodecSpec::Zlib { level: LEVEL.into() }]).max_shape(max);
        }
    }
    let array = builder.create()?;
    array.write(&Selection::All, values)?;
    Ok(array)
}

/// Makes a list of a graph, in one piece where the format has that.
pub(crate) fn make_list(file: &File, path: &NodePath, values: &Values) -> Result<Array> {
    let root = file.root_group()?;
    let builder = root.array(path.as_str()).dtype(values.dtype().clone()).shape(values.shape());
    let array = builder.create()?;
    if !values.is_empty() {
        array.write(&Selection::All, values)?;
    }
    Ok(array)
}
