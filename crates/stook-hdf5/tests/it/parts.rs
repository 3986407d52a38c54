//! Parts of chunks, which are read and written where they lie, and arrays that stay open.

use std::sync::Arc;

use stook_core::chunk::{ChunkPart, ChunkWrite};
use stook_core::container::{Container, Durability, OpenOptions};
use stook_core::store::ReadTo;
use stook_core::{ArraySpec, ChunkGrid, DType, Selection};
use stook_hdf5::Hdf5File;

use crate::support::{array, create, node, open_again, scratch};

fn part(from: usize) -> ChunkPart<'static> {
    ChunkPart { index: &[1, 0], from, len_chunk: 16, is_alone: true }
}

fn spec() -> ArraySpec {
    let mut spec = ArraySpec::new(DType::UInt8, vec![8, 4]);
    spec.grid = ChunkGrid::regular(vec![4, 4]).unwrap();
    spec.max_shape = Some(vec![None, Some(4)]);
    spec
}

#[test]
fn a_part_is_written_where_its_chunk_lies_until_that_may_be_elsewhere() {
    let (_dir, path, file) = scratch();
    let grown = create(&file, "/a", &spec());
    let source = grown.source();
    let row = |at: u64| {
        grown.read(&Selection::ranges(std::iter::once(at..at + 1))).unwrap().items().to_vec()
    };
    assert!(!source.write_part(part(0), &[1; 4]).unwrap(), "nothing is stored");
    let whole = ChunkWrite { index: &[1, 0], bytes: Some(&[7; 16]) };
    source.write_chunks(&[whole]).unwrap();
    assert!(source.write_part(part(4), &[9; 4]).unwrap());
    assert!(!source.write_part(part(14), &[9; 4]).unwrap(), "beyond the chunk");
    assert_eq!([row(0), row(4), row(5)], [vec![0; 4], vec![7; 4], vec![9; 4]]);
    file.commit(Durability::Flush).unwrap();
    assert!(source.write_part(part(8), &[3; 4]).unwrap());
    grown.resize(&[20, 4]).unwrap();
    assert!(source.write_part(part(12), &[4; 4]).unwrap(), "growing moves nothing");
    assert_eq!([row(5), row(6), row(7)], [vec![9; 4], vec![3; 4], vec![4; 4]]);
    file.commit(Durability::Flush).unwrap();
    grown.resize(&[4, 4]).unwrap();
    grown.resize(&[8, 4]).unwrap();
    assert!(!source.write_part(part(0), &[1; 4]).unwrap(), "the chunk has been given up");
    assert_eq!(row(5), [0; 4]);
    source.write_chunks(&[whole]).unwrap();
    assert!(source.write_part(part(0), &[5; 4]).unwrap());
    drop((grown, file));
    let file = open_again(&path);
    let found = array(&file, "/a").read(&Selection::All).unwrap();
    assert_eq!(found.items(), [vec![0; 16], vec![5; 4], vec![7; 12]].concat());
}

#[test]
fn rows_are_read_where_they_lie_of_arrays_that_stay_open() {
    let (_dir, path, file) = scratch();
    let written = create(&file, "/a", &spec());
    let bytes: Vec<u8> = (0..16).collect();
    let whole = ChunkWrite { index: &[1, 0], bytes: Some(&bytes) };
    written.source().write_chunks(&[whole]).unwrap();
    assert!(!written.source().is_fixed());
    drop((written, file));
    let file = Hdf5File::open(&path, &OpenOptions::read()).unwrap();
    let opened = array(&file, "/a");
    assert!(opened.source().is_fixed());
    assert!(Arc::ptr_eq(opened.source(), &file.open_array(&node("/a")).unwrap()));
    for at in 0..8 {
        let found = opened.read(&Selection::ranges([at..at + 1, 1..3])).unwrap();
        let first = if at < 4 { [0, 0] } else { [at as u8 * 4 - 15, at as u8 * 4 - 14] };
        assert_eq!(found.items(), first, "row {at}");
    }
    let mut out = [0; 5];
    assert_eq!(opened.source().read_part(part(6), &mut out).unwrap(), ReadTo::Done);
    assert_eq!(out, [6, 7, 8, 9, 10]);
    let missing = ChunkPart { index: &[0, 0], ..part(0) };
    assert_eq!(opened.source().read_part(missing, &mut out).unwrap(), ReadTo::Missing);
    // More than stay open.
    for _ in 0..20 {
        assert!(file.open_array(&node("/b")).is_err());
    }
}
