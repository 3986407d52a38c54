//! Arrays of every kind, written and read again.

use std::sync::Arc;

use stook_core::codec::{CodecSpec, Endian};
use stook_core::container::{Container, Durability, OpenOptions};
use stook_core::dtype::StructType;
use stook_core::{ArraySpec, ChunkGrid, DType, ErrorKind, Selection, Values};
use stook_hdf5::{CreateOptions, Hdf5File, NameOrder, Readers};

use crate::support::{array, create, node, open, open_again, read, reopen, scratch};

fn chunked(dtype: DType) -> ArraySpec {
    let mut spec = ArraySpec::new(dtype, [7, 5]);
    spec.grid = ChunkGrid::regular([3, 2]).unwrap();
    spec
}

fn floats(n: u16) -> Vec<f32> {
    (0..n).map(f32::from).collect()
}

#[test]
fn codecs_and_byte_orders_are_written_as_asked() {
    let (_dir, _path, file) = scratch();
    let shuffle = CodecSpec::Shuffle { item_size: 4 };
    let zlib = CodecSpec::Zlib { level: 4 };
    let pipelines = [
        vec![],
        vec![zlib.clone()],
        vec![CodecSpec::ByteOrder(Endian::Big), shuffle.clone(), zlib.clone()],
        vec![shuffle, zlib, CodecSpec::Fletcher32],
        vec![CodecSpec::Zstd { level: 3, checksum: false }],
        vec![CodecSpec::Lzf],
    ];
    let mut arrays = Vec::new();
    for (i, codecs) in pipelines.iter().enumerate() {
        let mut spec = chunked(DType::Float32);
        spec.codecs.clone_from(codecs);
        let array = create(&file, &format!("a/{i}"), &spec);
        array.write_elements(&Selection::All, &[7, 5], &floats(35)).unwrap();
        arrays.push(array);
    }
    let file = reopen(file, arrays);
    for (i, codecs) in pipelines.iter().enumerate() {
        let array = array(&file, &format!("a/{i}"));
        assert_eq!(&array.spec().codecs, codecs);
        assert_eq!(array.read_as::<f32>(&Selection::All).unwrap(), floats(35), "{codecs:?}");
    }
}

#[test]
fn few_of_many_chunks_are_found_one_by_one() {
    // One axis without a bound has another index than two.
    for max in [[Some(400), Some(400)], [Some(400), None], [None, None]] {
        let (_dir, _path, file) = scratch();
        let mut spec = ArraySpec::new(DType::Int32, [400, 400]);
        spec.grid = ChunkGrid::regular([4, 5]).unwrap();
        spec.codecs = vec![CodecSpec::Zlib { level: 1 }];
        spec.max_shape = Some(max.to_vec());
        let made = create(&file, "a", &spec);
        let mut expected: Vec<i32> = (0..160_000).collect();
        // Chunks of the third row of them are not stored.
        expected[8 * 400..12 * 400].fill(0);
        for rows in [0..8, 12..400] {
            let part = &expected[rows.start * 400..rows.end * 400];
            let selection = Selection::parse(&format!("{}:{}", rows.start, rows.end)).unwrap();
            made.write_elements(&selection, &[rows.len() as u64, 400], part).unwrap();
        }
        let file = reopen(file, vec![made]);
        let array = array(&file, "a");
        let expect_rows = |rows: [usize; 4], expected: &[i32]| {
            for row in rows {
                let selection = Selection::parse(&format!("{row}")).unwrap();
                let found = array.read_as::<i32>(&selection).unwrap();
                assert_eq!(found, expected[row * 400..(row + 1) * 400], "row {row} of {max:?}");
            }
        };
        expect_rows([0, 9, 399, 9], &expected);
        array.write_elements(&Selection::parse("9, 12").unwrap(), &[], &[-1_i32]).unwrap();
        expected[9 * 400 + 12] = -1;
        expect_rows([9, 10, 8, 200], &expected);
        assert_eq!(array.read_as::<i32>(&Selection::All).unwrap(), expected);
    }
}

#[test]
fn elements_in_one_piece_are_written_in_place() {
    let (_dir, _path, file) = scratch();
    let array = create(&file, "a", &ArraySpec::new(DType::Float32, [7, 5]));
    assert!(array.spec().contiguous);
    assert_eq!(array.read_as::<f32>(&Selection::All).unwrap(), vec![0.0; 35]);
    array.write_elements(&Selection::parse("1:3, ::2").unwrap(), &[2, 3], &floats(6)).unwrap();
    let found = array.read_as::<f32>(&Selection::parse("0:3").unwrap()).unwrap();
    assert_eq!(found[..5], [0.0; 5]);
    assert_eq!(found[5..], [0.0, 0.0, 1.0, 0.0, 2.0, 3.0, 0.0, 4.0, 0.0, 5.0]);
    let mut spec = ArraySpec::new(DType::Int16, [100]);
    spec.fill_value = Some(Values::new(DType::Int16, vec![], vec![3, 0], vec![]).unwrap());
    let filled = create(&file, "filled", &spec);
    filled.write_elements(&Selection::parse("5").unwrap(), &[], &[9_i16]).unwrap();
    let found = filled.read_as::<i16>(&Selection::parse("4:7").unwrap()).unwrap();
    assert_eq!(found, [3, 9, 3]);
    let error = array.resize(&[8, 5]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
}

#[test]
fn room_that_something_else_left_is_cleared() {
    let (_dir, _path, file) = scratch();
    let old = create(&file, "old", &ArraySpec::new(DType::UInt8, [10_000]));
    old.write_elements(&Selection::All, &[10_000], &[255_u8; 10_000]).unwrap();
    drop(old);
    file.remove(&node("old")).unwrap();
    let new = create(&file, "new", &ArraySpec::new(DType::UInt8, [9_000]));
    new.write_elements(&Selection::parse("8999").unwrap(), &[], &[1_u8]).unwrap();
    let found = new.read_as::<u8>(&Selection::All).unwrap();
    assert_eq!(found.iter().map(|&byte| usize::from(byte)).sum::<usize>(), 1);
}

#[test]
fn every_dtype_of_the_fixtures_is_written_again() {
    for name in ["dtypes.h5", "strings.h5", "tables.h5"] {
        let from = open(name);
        let (_dir, _path, file) = scratch();
        let mut nodes = vec![node("/")];
        let mut paths = Vec::new();
        while let Some(group) = nodes.pop() {
            for child in from.children(&group).unwrap() {
                let path = group.join(&child.name).unwrap();
                match child.kind {
                    Some(stook_core::NodeKind::Group) => nodes.push(path),
                    Some(stook_core::NodeKind::Array) => paths.push(path),
                    _ => {}
                }
            }
        }
        assert!(paths.len() > 4);
        let mut arrays = Vec::new();
        for path in &paths {
            let source = array(&from, path.as_str());
            let spec = from.adapt_array(&source.spec()).unwrap().value;
            let copy = create(&file, path.as_str(), &spec);
            let values = source.read(&Selection::All).unwrap();
            copy.write(&Selection::All, &values).unwrap_or_else(|error| panic!("{error}"));
            arrays.push(copy);
        }
        let file = reopen(file, arrays);
        for path in &paths {
            assert_eq!(read(&file, path.as_str()), read(&from, path.as_str()), "{path}");
        }
    }
}

#[test]
fn arrays_grow_and_shrink() {
    let (_dir, _path, file) = scratch();
    let mut spec = chunked(DType::Float32);
    spec.max_shape = Some(vec![None, Some(5)]);
    spec.codecs = vec![CodecSpec::Zlib { level: 1 }];
    spec.fill_value =
        Some(Values::new(DType::Float32, vec![], 9_f32.to_ne_bytes().to_vec(), vec![]).unwrap());
    let a = create(&file, "a", &spec);
    a.write_elements(&Selection::All, &[7, 5], &floats(35)).unwrap();
    a.resize(&[4, 5]).unwrap();
    a.resize(&[9, 5]).unwrap();
    let found = a.read_as::<f32>(&Selection::All).unwrap();
    assert_eq!((&found[..20], &found[20..]), (&floats(20)[..], &[9.0; 25][..]));
    let other = array(&file, "a");
    assert_eq!(other.shape(), [9, 5]);
    assert_eq!(a.resize(&[9, 6]).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(a.resize(&[9]).unwrap_err().kind(), ErrorKind::InvalidInput);
    let more = Values::new(DType::Float32, vec![1, 5], vec![0; 20], vec![]).unwrap();
    a.append(&more, 0).unwrap();
    assert_eq!(other.shape(), [10, 5]);
    assert_eq!(other.read_as::<f32>(&Selection::parse("8:10, 0").unwrap()).unwrap(), [9.0, 0.0]);
}

#[test]
fn two_handles_see_what_either_writes() {
    let (_dir, _path, file) = scratch();
    let a = create(&file, "a", &chunked(DType::Float32));
    let b = array(&file, "a");
    assert_eq!(b.read_as::<f32>(&Selection::All).unwrap(), vec![0.0; 35]);
    a.write_elements(&Selection::All, &[7, 5], &floats(35)).unwrap();
    assert_eq!(b.read_as::<f32>(&Selection::All).unwrap(), floats(35));
    b.write_elements(&Selection::parse("3:4").unwrap(), &[1, 5], &[1.0_f32; 5]).unwrap();
    assert_eq!(a.read_as::<f32>(&Selection::parse("3").unwrap()).unwrap(), [1.0; 5]);
}

#[test]
fn erased_chunks_read_as_the_fill_value() {
    let (_dir, _path, file) = scratch();
    let mut spec = chunked(DType::Float32);
    spec.codecs = vec![CodecSpec::Zlib { level: 1 }];
    let a = create(&file, "a", &spec);
    a.write_elements(&Selection::All, &[7, 5], &floats(35)).unwrap();
    a.source().erase_chunks(stook_core::ChunkList::one(&[2, 2])).unwrap();
    let found = a.read_as::<f32>(&Selection::All).unwrap();
    assert_eq!((found[33], found[34]), (33.0, 0.0));
}

#[test]
fn text_grows_and_nests() {
    let (_dir, _path, file) = scratch();
    let mut spec = ArraySpec::new(DType::string(), [2]);
    spec.grid = ChunkGrid::regular([2]).unwrap();
    spec.max_shape = Some(vec![None]);
    let text = create(&file, "text", &spec);
    text.write(&Selection::All, &Values::from_strings(vec![2], &["a", "é"]).unwrap()).unwrap();
    text.append(&Values::from_strings(vec![1], &["third"]).unwrap(), 0).unwrap();
    assert_eq!(text.read(&Selection::All).unwrap().text_at(2).unwrap(), "third");
    let members = [("s", DType::Sequence(Arc::new(DType::string()))), ("n", DType::Int16)];
    let members = members.map(|(name, dtype)| (name.to_owned(), dtype));
    let dtype = DType::Struct(Arc::new(StructType::packed(members).unwrap()));
    let nested = create(&file, "nested", &ArraySpec::new(dtype.clone(), [1]));
    let mut heap = b"abc".to_vec();
    heap.extend(stook_core::HeapItem { offset: 0, len: 1 }.to_bytes());
    heap.extend(stook_core::HeapItem { offset: 1, len: 2 }.to_bytes());
    let mut items = stook_core::HeapItem { offset: 3, len: 2 }.to_bytes().to_vec();
    items.extend(7_i16.to_ne_bytes());
    let values = Values::new(dtype, vec![1], items, heap).unwrap();
    nested.write(&Selection::All, &values).unwrap();
    let file = reopen(file, vec![text, nested]);
    assert_eq!(read(&file, "nested"), values);
}

#[test]
fn names_of_axes_and_large_fill_values_are_kept() {
    let (_dir, _path, file) = scratch();
    let mut spec = chunked(DType::Float32);
    spec.dimension_names = Some(vec![Some("y".into()), None]);
    let a = create(&file, "a", &spec);
    file.commit(Durability::Flush).unwrap();
    let file = reopen(file, vec![a]);
    assert_eq!(array(&file, "a").spec().dimension_names, spec.dimension_names);
    assert!(file.attributes(&node("a")).unwrap().is_empty());
}

#[test]
fn types_that_no_fixture_has_are_written_and_read() {
    let (_dir, _path, file) = scratch();
    let texts = ["bfloat16", "float16", "float8_e4m3", "float8_e5m2", "U3", "M8[10ms]", "V5", "S3"];
    let mut arrays = Vec::new();
    for (i, text) in texts.iter().enumerate() {
        for endian in [Endian::Little, Endian::Big] {
            let dtype: DType = text.parse().unwrap();
            let mut spec = ArraySpec::new(dtype.clone(), [4]);
            spec.codecs = vec![CodecSpec::ByteOrder(endian)];
            let path = format!("{i}/{endian:?}");
            let array = create(&file, &path, &spec);
            assert_eq!(array.dtype(), dtype);
            let items = (0..4 * dtype.item_size()).map(|n| u8::try_from(n % 50).unwrap());
            let values = Values::new(dtype, vec![4], items.collect(), vec![]).unwrap();
            array.write(&Selection::All, &values).unwrap();
            assert_eq!(read(&file, &path), values, "{text}");
            arrays.push(array);
        }
    }
    let file = reopen(file, arrays);
    for (i, text) in texts.iter().enumerate() {
        assert_eq!(array(&file, &format!("{i}/Big")).dtype(), text.parse().unwrap());
    }
}

#[test]
fn bytes_of_variable_length_hold_anything() {
    let (_dir, _path, file) = scratch();
    let bytes = create(&file, "bytes", &ArraySpec::new(DType::Bytes, [2]));
    assert_eq!(bytes.dtype(), DType::Bytes);
    let (mut items, mut heap) = (Vec::new(), Vec::new());
    stook_core::values::push_heap_item(&mut items, &mut heap, b"a\0b");
    stook_core::values::push_heap_item(&mut items, &mut heap, b"");
    let values = Values::new(DType::Bytes, vec![2], items, heap).unwrap();
    bytes.write(&Selection::All, &values).unwrap();
    let file = reopen(file, vec![bytes]);
    assert_eq!(read(&file, "bytes"), values);
}

#[test]
fn a_failure_to_write_names_node_and_reason() {
    let (_dir, _path, file) = scratch();
    let text = create(&file, "text", &ArraySpec::new(DType::string(), [1]));
    let values = Values::from_strings(vec![1], &["a\0b"]).unwrap();
    let error = text.write(&Selection::All, &values).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("node `/text`: ") && error.message().contains("NUL"));
}

#[test]
fn chunks_written_after_reading_are_found() {
    let (_dir, _path, file) = scratch();
    let mut spec = ArraySpec::new(DType::Int32, [100, 100]);
    spec.grid = ChunkGrid::regular([5, 5]).unwrap();
    spec.codecs = vec![CodecSpec::Zlib { level: 1 }];
    let array = create(&file, "a", &spec);
    let read = |text: &str| array.read_as::<i32>(&Selection::parse(text).unwrap()).unwrap();
    assert_eq!(read("3, 4"), [0]);
    for (i, at) in (0..100_i32).map(|i| (i, (i * 37) % 100)) {
        let at = Selection::parse(&format!("{at}, {i}")).unwrap();
        array.write_elements(&at, &[], &[i + 1]).unwrap();
        assert_eq!(array.read_as::<i32>(&at).unwrap(), [i + 1]);
    }
    let all = read("...");
    assert_eq!(all.iter().sum::<i32>(), 5050);
    assert_eq!(all.iter().filter(|&&value| value != 0).count(), 100);
    assert_eq!(array.source().n_stored().unwrap(), 100);
}

#[test]
fn elements_lie_behind_a_user_block() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.h5");
    let options = CreateOptions { user_block: 1024, ..CreateOptions::default() };
    let file = Hdf5File::create(&path, &options).unwrap();
    let mut spec = ArraySpec::new(DType::Int32, [4]);
    spec.contiguous = true;
    let items: Vec<u8> = (1..5_i32).flat_map(i32::to_ne_bytes).collect();
    let values = Values::new(DType::Int32, vec![4], items, Vec::new()).unwrap();
    create(&file, "/never", &spec);
    // Nobody has written, and nothing is where the library says that it lies.
    assert_eq!(read(&file, "/never").items(), [0; 16]);
    create(&file, "/x", &spec).write(&Selection::All, &values).unwrap();
    create(&file, "/chunked", &chunked(DType::Float32));
    assert_eq!(read(&file, "/x"), values);
    drop(file);
    let bytes = stook_core::file::LocalFile::open(&path).unwrap();
    assert_eq!(stook_hdf5::user_block_len(&bytes).unwrap(), Some(1024));
    drop(bytes);
    let file = open_again(&path);
    assert_eq!((read(&file, "/x"), read(&file, "/never").items()), (values, &[0; 16][..]));
    for user_block in [1, 256, 1000] {
        let options = CreateOptions { user_block, ..CreateOptions::default() };
        let error = Hdf5File::create(dir.path().join("y.h5"), &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn groups_keep_the_order_of_their_names_where_they_are_told() {
    for readers in [Readers::V18, Readers::V110, Readers::Oldest] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.h5");
        let options = CreateOptions { readers, names: NameOrder::Kept, ..CreateOptions::default() };
        let file = Hdf5File::create(&path, &options).unwrap();
        file.create_group_with(&node("/z"), NameOrder::Kept).unwrap();
        file.create_group(&node("/b")).unwrap();
        for name in ["y", "x", "n", "a"] {
            file.create_group(&node(&format!("/z/{name}"))).unwrap();
            file.create_group(&node(&format!("/b/{name}"))).unwrap();
        }
        drop(file);
        for mode in [OpenOptions::read(), OpenOptions::read_write()] {
            let file = Hdf5File::open(&path, &mode).unwrap();
            let of = |group: &str| -> Vec<_> {
                let children = file.children(&node(group)).unwrap();
                children.into_iter().map(|child| (child.name, child.created)).collect()
            };
            let with = |names: [(&str, Option<u64>); 4]| names.map(|(n, at)| (n.to_owned(), at));
            assert_eq!(of("/"), [("b".to_owned(), Some(1)), ("z".to_owned(), Some(0))]);
            let kept = [("a", Some(3)), ("n", Some(2)), ("x", Some(1)), ("y", Some(0))];
            assert_eq!(of("/z"), with(kept), "{readers:?}");
            assert_eq!(of("/b"), with(kept.map(|(name, _)| (name, None))), "{readers:?}");
        }
    }
}
