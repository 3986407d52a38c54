//! Arrays that h5py and PyTables wrote are read as they meant them.

use stook_core::container::Container;
use stook_core::{Array, CodecSpec, DType, ErrorKind, Selection, Values};
use stook_hdf5::Hdf5File;

use crate::support::{array, node, open, read};

fn floats() -> Vec<f32> {
    (0..35_u8).map(f32::from).collect()
}

#[track_caller]
fn expect_floats(file: &Hdf5File, path: &str) {
    let found = array(file, path).read_as::<f32>(&Selection::All);
    assert_eq!(found.unwrap_or_else(|error| panic!("{error}")), floats(), "{path}");
}

#[track_caller]
fn texts(values: &Values) -> Vec<String> {
    (0..values.len()).map(|at| values.text_at(at).unwrap()).collect()
}

#[test]
fn every_layout_is_read() {
    let file = open("layouts.h5");
    for path in ["contiguous", "big", "chunked", "unlimited", "compact", "virtual"] {
        expect_floats(&file, path);
    }
    assert!(array(&file, "contiguous").spec().contiguous);
    assert_eq!(array(&file, "unlimited").spec().max_shape, Some(vec![None, Some(5)]));
}

#[test]
fn what_was_never_written_reads_as_the_fill_value() {
    let file = open("layouts.h5");
    let sparse = array(&file, "sparse").read_as::<i32>(&Selection::All).unwrap();
    let ones = sparse.iter().filter(|&&value| value == 1).count();
    assert_eq!((ones, sparse.iter().filter(|&&value| value == 7).count()), (100, 9900));
    assert_eq!(array(&file, "sparse").source().n_stored().unwrap(), 1);
    let unwritten = array(&file, "unwritten").read_as::<f64>(&Selection::All).unwrap();
    assert_eq!(unwritten, [2.5; 4]);
}

#[test]
fn arrays_without_axes_or_elements_are_read() {
    let file = open("layouts.h5");
    assert_eq!(array(&file, "scalar").read_as::<f64>(&Selection::All).unwrap(), [1.5]);
    assert_eq!(read(&file, "empty").shape(), [0, 3]);
    let null = array(&file, "null");
    assert!(null.spec().is_null());
    assert_eq!(null.read(&Selection::All).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn every_chunk_index_and_superblock_is_read() {
    for name in ["superblock-v2.h5", "superblock-v3.h5"] {
        let file = open(name);
        for path in ["single", "fixed", "extensible", "tree"] {
            expect_floats(&file, path);
        }
        let ints = array(&file, "nbit").read_as::<i32>(&Selection::All).unwrap();
        assert_eq!(ints, (0..35).collect::<Vec<_>>());
    }
    let file = open("userblock.h5");
    expect_floats(&file, "contiguous");
    expect_floats(&file, "chunked");
    expect_floats(&open("paged.h5"), "chunked");
}

#[test]
fn every_filter_is_read() {
    let file = open("filters.h5");
    for path in ["gzip", "gzip-shuffle", "fletcher32", "all", "lzf", "scaleoffset", "skipped"] {
        expect_floats(&file, path);
    }
    let expected = [CodecSpec::Shuffle { item_size: 4 }, CodecSpec::Zlib { level: 4 }];
    assert_eq!(array(&file, "gzip-shuffle").spec().codecs, expected);
}

/// What every array of `plugins.h5` holds.
pub(crate) fn numbers() -> Vec<i32> {
    (0..480).map(|i| i * 7 % 1000).collect()
}

/// The elements as integers, whatever their type.
#[track_caller]
pub(crate) fn integers(array: &Array) -> stook_core::Result<Vec<i32>> {
    let all = &Selection::All;
    Ok(match array.dtype() {
        DType::Int16 => array.read_as::<i16>(all)?.into_iter().map(i32::from).collect(),
        DType::Int32 => array.read_as::<i32>(all)?,
        DType::Float32 => array.read_as::<f32>(all)?.into_iter().map(|x| x as i32).collect(),
        other => panic!("{other}"),
    })
}

#[test]
fn every_filter_of_hdf5plugin_is_read() {
    let file = open("plugins.h5");
    let mut failures = Vec::new();
    let mut n = 0;
    for filter in file.children(&node("/")).unwrap() {
        let group = node(&filter.name);
        for child in file.children(&group).unwrap() {
            let path = group.join(&child.name).unwrap();
            n += 1;
            match integers(&array(&file, path.as_str())) {
                Ok(found) if found == numbers() => {}
                Ok(_) => failures.push(format!("{path}: other values")),
                Err(error) => failures.push(error.to_string()),
            }
        }
    }
    assert!(failures.is_empty() && n > 70, "{n}: {failures:#?}");
}

#[test]
fn a_filter_that_is_not_known_fails_by_name_when_data_are_touched() {
    let unknown = array(&open("filters.h5"), "unknown");
    let error = unknown.read(&Selection::All).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("lzo (HDF5 filter 305)"), "{error}");
}

#[test]
fn numbers_of_both_byte_orders_are_read() {
    let file = open("dtypes.h5");
    for name in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"] {
        let little = read(&file, &format!("little/{name}"));
        assert_eq!(little.dtype(), &name.parse::<DType>().unwrap());
        assert_eq!(little, read(&file, &format!("big/{name}")), "{name}");
        assert_eq!(little, read(&file, &format!("chunked/{name}")), "{name}");
    }
    let ints = array(&file, "big/i4").read_as::<i32>(&Selection::All).unwrap();
    assert_eq!(ints, [0, 1, 2, 3, 4, 5]);
    assert_eq!(read(&file, "longdouble").dtype(), &DType::LongDouble);
}

#[test]
fn types_that_h5py_spells_its_own_way_are_known() {
    let file = open("dtypes.h5");
    assert_eq!(array(&file, "bool").read_as::<bool>(&Selection::All).unwrap(), [true, false, true]);
    assert_eq!(read(&file, "enum").dtype().to_string(), "enum[int16: A=0, B=1, C=2]");
    let big = read(&file, "enum-big");
    assert_eq!(big.dtype().to_string(), "enum[int16: N=-5, P=300]");
    assert_eq!(big.items(), [-5_i16, 300].map(i16::to_ne_bytes).concat());
    assert_eq!(read(&file, "datetime").dtype().to_string(), "datetime64[ms]");
    assert_eq!(read(&file, "timedelta").items(), [1_i64, -2].map(i64::to_ne_bytes).concat());
    assert_eq!(read(&file, "opaque").items(), b"abcd");
    assert_eq!(read(&file, "bitfield").items(), [1_u16, 2, 515].map(u16::to_ne_bytes).concat());
}

#[test]
fn complex_numbers_of_hdf5_2_are_read() {
    let file = open("complex.h5");
    let expected = [[0.0, 0.0], [1.0, 2.0], [3.0, -4.0]];
    assert_eq!(array(&file, "little").read_as::<[f64; 2]>(&Selection::All).unwrap(), expected);
    let expected = expected.map(|pair| pair.map(|part| part as f32));
    assert_eq!(array(&file, "big").read_as::<[f32; 2]>(&Selection::All).unwrap(), expected);
    expect_floats(&file, "chunked");
}

#[test]
fn structs_keep_their_members() {
    let file = open("dtypes.h5");
    let (packed, padded) = (read(&file, "struct"), read(&file, "struct-padded"));
    let expected = "{x: int32, y: float64, name: S3, grid: int16[2, 2]}";
    assert_eq!((packed.dtype().to_string(), packed.dtype().item_size()), (expected.into(), 23));
    assert_eq!((padded.dtype().to_string(), padded.dtype().item_size()), (expected.into(), 32));
    assert_eq!(packed.item(1).unwrap()[..4], 2_i32.to_ne_bytes());
    assert_eq!(padded.item(1).unwrap()[8..16], 1.5_f64.to_ne_bytes());
    let mixed = read(&file, "struct-mixed");
    assert_eq!(mixed.items(), [1_i32, 3, 2, 4].map(i32::to_ne_bytes).concat());
    let nested = read(&file, "struct-nested");
    assert_eq!(nested.dtype().to_string(), format!("{{in: {expected}, z: complex64}}"));
}

#[test]
fn strings_of_every_kind_are_read() {
    let file = open("strings.h5");
    assert_eq!(texts(&read(&file, "utf8")), ["", "abc", "é☃"]);
    assert_eq!(texts(&read(&file, "chunked")), ["", "abc", "é☃"]);
    assert_eq!(texts(&read(&file, "ascii")), ["", "abc", "x"]);
    assert_eq!(texts(&read(&file, "fixed")), ["", "abc", "xyz!"]);
    assert_eq!(texts(&read(&file, "fixed-utf8")), ["", "abc", "é"]);
    assert_eq!(texts(&read(&file, "terminated")), ["ab", "c"]);
    assert_eq!(texts(&read(&file, "spaces")), ["ab", "c"]);
    assert_eq!(texts(&read(&file, "scalar")), ["text"]);
    assert_eq!(texts(&read(&file, "unwritten")), ["", ""]);
    assert_eq!(texts(&read(&file, "fill")), ["none", "none"]);
}

#[test]
fn sequences_and_structs_with_text_are_read() {
    let file = open("strings.h5");
    let sequences = read(&file, "sequences");
    assert_eq!(sequences.dtype().to_string(), "sequence[int32]");
    assert_eq!(sequences.heap(), [0_i32, 0, 1].map(i32::to_ne_bytes).concat());
    let rows = read(&file, "rows");
    assert_eq!(rows.dtype().to_string(), "{id: int32, name: string, tail: float64}");
    assert_eq!((rows.dtype().item_size(), rows.heap()), (28, b"onetwo".as_slice()));
    assert_eq!(rows.item(1).unwrap()[20..], 1.5_f64.to_ne_bytes());
}

#[test]
fn an_array_of_a_named_type_is_read() {
    let found = array(&open("links.h5"), "typed").read_as::<f64>(&Selection::All).unwrap();
    assert_eq!(found, [0.0, 1.0, 2.0]);
}

#[test]
fn a_part_of_values_is_read() {
    let file = open("strings.h5");
    let part = array(&file, "utf8").read(&Selection::parse("2:0:-1").unwrap()).unwrap();
    assert_eq!(texts(&part), ["é☃", "abc"]);
}

#[test]
fn files_of_pytables_are_read() {
    let file = open("tables.h5");
    let table = read(&file, "group/table");
    assert_eq!(
        table.dtype().to_string(),
        "{id: int32, name: S4, nul-terminated, value: float64, flag: bitfield8}"
    );
    expect_floats(&file, "group/array");
    expect_floats(&file, "group/carray");
    assert_eq!(read(&file, "group/earray").shape(), [3, 2]);
    assert_eq!(read(&file, "group/vlarray").dtype().to_string(), "sequence[int32]");
    assert!(file.attributes(&node("group")).unwrap().get("TITLE").is_some());
}
