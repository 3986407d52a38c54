//! Filters, written here and read by others.

use stook_core::codec::{
    Bitshuffle, BitshuffleCompressor, Blosc, Blosc2, BloscCompressor, BloscShuffle, Szip,
};
use stook_core::{ArraySpec, ChunkGrid, CodecSpec, DType, Selection};

use crate::fixtures::{integers, numbers};
use crate::python::python;
use crate::support::{array, create, open, reopen, scratch};

/// Every filter that can be written, with a name.
fn codecs(item_size: usize) -> Vec<(String, CodecSpec)> {
    let bitshuffle = |compressor| {
        CodecSpec::Bitshuffle(Bitshuffle { item_size, block_len_items: 0, compressor })
    };
    let szip = |options, pixels_per_block| {
        CodecSpec::Szip(Szip {
            options,
            pixels_per_block,
            bits_per_pixel: 0,
            pixels_per_scanline: 0,
        })
    };
    let mut codecs = vec![
        ("zlib".to_owned(), CodecSpec::Zlib { level: 4 }),
        ("shuffle".to_owned(), CodecSpec::Shuffle { item_size }),
        ("fletcher32".to_owned(), CodecSpec::Fletcher32),
        ("lzf".to_owned(), CodecSpec::Lzf),
        ("lz4".to_owned(), CodecSpec::Lz4Hdf5 { block_len_bytes: 0 }),
        ("zstd".to_owned(), CodecSpec::Zstd { level: 5, checksum: false }),
        ("bzip2".to_owned(), CodecSpec::Bzip2 { level: 9 }),
        ("bitshuffle".to_owned(), bitshuffle(BitshuffleCompressor::None)),
        ("bitshuffle-lz4".to_owned(), bitshuffle(BitshuffleCompressor::Lz4)),
        ("bitshuffle-zstd".to_owned(), bitshuffle(BitshuffleCompressor::Zstd { level: 3 })),
        ("szip-ec".to_owned(), szip(4, 16)),
        ("szip-nn".to_owned(), szip(32, 8)),
        ("nbit".to_owned(), CodecSpec::NBit { values: vec![] }),
    ];
    let compressors = [
        ("blosclz", BloscCompressor::BloscLz),
        ("lz4", BloscCompressor::Lz4),
        ("lz4hc", BloscCompressor::Lz4Hc),
        ("snappy", BloscCompressor::Snappy),
        ("zlib", BloscCompressor::Zlib),
        ("zstd", BloscCompressor::Zstd),
    ];
    for (name, compressor) in compressors {
        for (kind, shuffle) in [("", BloscShuffle::Byte), ("-bits", BloscShuffle::Bit)] {
            let (level, block_len_bytes) = (5, 0);
            let blosc = Blosc { compressor, level, shuffle, item_size, block_len_bytes };
            codecs.push((format!("blosc-{name}{kind}"), CodecSpec::Blosc(blosc)));
            let blosc2 = Blosc2 { compressor, level, shuffle, item_size, values: vec![] };
            if compressor != BloscCompressor::Snappy {
                codecs.push((format!("blosc2-{name}{kind}"), CodecSpec::Blosc2(blosc2)));
            }
        }
    }
    codecs
}

fn spec(dtype: DType, codec: CodecSpec) -> ArraySpec {
    let mut spec = ArraySpec::new(dtype, [24, 20]);
    spec.grid = ChunkGrid::regular([16, 16]).unwrap();
    spec.max_shape = Some(vec![None, None]);
    spec.codecs = vec![codec];
    spec
}

#[test]
fn every_filter_is_written_and_read_by_h5py() {
    let (_dir, path, file) = scratch();
    let mut arrays = Vec::new();
    let mut names = Vec::new();
    for dtype in [DType::Int16, DType::Int32, DType::Float32] {
        for (name, codec) in codecs(dtype.item_size()) {
            let spec = spec(dtype.clone(), codec);
            let path = format!("{name}/{dtype}");
            let made = create(&file, &path, &spec);
            match dtype {
                DType::Int16 => {
                    let items: Vec<i16> =
                        numbers().into_iter().map(|n| i16::try_from(n).unwrap()).collect();
                    made.write_elements(&Selection::All, &[24, 20], &items).unwrap();
                }
                DType::Int32 => {
                    made.write_elements(&Selection::All, &[24, 20], &numbers()).unwrap();
                }
                _ => {
                    let items: Vec<f32> = numbers().into_iter().map(|n| n as f32).collect();
                    made.write_elements(&Selection::All, &[24, 20], &items).unwrap();
                }
            }
            arrays.push(made);
            names.push(path);
        }
    }
    let file = reopen(file, arrays);
    for name in &names {
        assert_eq!(integers(&array(&file, name)).unwrap(), numbers(), "{name}");
    }
    drop(file);
    python(
        r#"
import hdf5plugin
numbers = (np.arange(480) * 7 % 1000).reshape(24, 20)
n = 0
def check(name, node):
    global n
    if isinstance(node, h5py.Dataset):
        n += 1
        assert (node[...] == numbers).all(), name
        assert node.id.get_create_plist().get_nfilters() == 1, name
with h5py.File(path) as f:
    f.visititems(check)
assert n > 100, n
# The filters' own words are enough to write with them too.
with h5py.File(path, "r+") as f:
    def write(name, node):
        if isinstance(node, h5py.Dataset):
            node[...] = numbers + 1
            assert (node[...] == numbers + 1).all(), name
    f.visititems(write)
"#,
        &path,
    );
    if std::env::var_os("STOOK_TEST_PYTHON").is_none() {
        return;
    }
    let file = crate::support::open_again(&path);
    let more: Vec<i32> = numbers().into_iter().map(|n| n + 1).collect();
    for name in &names {
        assert_eq!(integers(&array(&file, name)).unwrap(), more, "{name}");
    }
}

#[test]
fn the_library_cuts_chunks_of_every_filter() {
    let (_dir, path, file) = scratch();
    for (name, codec) in codecs(4) {
        let made = create(&file, &name, &spec(DType::Int32, codec));
        made.write_elements(&Selection::All, &[24, 20], &numbers()).unwrap();
        // Smaller and larger again: what was cut reads as the fill value.
        made.resize(&[18, 17]).unwrap();
        made.resize(&[24, 20]).unwrap();
        let expected: Vec<i32> = numbers()
            .into_iter()
            .enumerate()
            .map(|(i, n)| if i / 20 < 18 && i % 20 < 17 { n } else { 0 })
            .collect();
        assert_eq!(made.read_as::<i32>(&Selection::All).unwrap(), expected, "{name}");
    }
    drop(file);
    python(
        r#"
import hdf5plugin
numbers = (np.arange(480) * 7 % 1000).reshape(24, 20)
numbers[18:] = 0
numbers[:, 17:] = 0
with h5py.File(path) as f:
    for name in f:
        assert (f[name][...] == numbers).all(), name
"#,
        &path,
    );
}

#[test]
fn numbers_of_few_bits_are_written_by_the_filters_of_the_library() {
    let file = open("plugins.h5");
    for name in ["scaleoffset/i2", "scaleoffset/i4", "scaleoffset/f4"] {
        let source = array(&file, name);
        let (_dir, _path, target) = scratch();
        let copy = create(&target, "copy", &source.spec());
        copy.write(&Selection::All, &source.read(&Selection::All).unwrap()).unwrap();
        assert_eq!(copy.spec().codecs, source.spec().codecs, "{name}");
        assert_eq!(integers(&copy).unwrap(), numbers(), "{name}");
    }
}
