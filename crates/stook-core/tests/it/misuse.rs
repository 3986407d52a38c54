//! Memory, selections and descriptions that do not fit one another are errors, not accesses
//! beyond what is there.

use stook_core::engine::{View, ViewMut};
use stook_core::grid::AxisEdges;
use stook_core::{
    Array, ArraySpec, AxisSelection, ChunkGrid, DType, ErrorKind, NodePath, Selection, Values,
};

use crate::engine::Chunks;

fn open(spec: ArraySpec) -> Array {
    Array::new(Chunks::new(spec, false), "file", NodePath::root())
}

#[test]
fn memory_of_another_item_size_is_refused() {
    let array = open(ArraySpec::new(DType::Float64, [4]));
    let mut bytes = [0; 4];
    let view = View::new(&bytes, &[4], 1, &[]).unwrap();
    let error = array.write_from(&Selection::All, &view).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    let error = array.append_from(&view, 0).unwrap_err();
    assert_eq!((error.kind(), array.shape()), (ErrorKind::InvalidInput, vec![4]), "{error}");
    let mut view = ViewMut::new(&mut bytes, &[4], 1).unwrap();
    let error = array.read_into(&Selection::All, &mut view).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
}

#[test]
fn points_in_more_axes_than_there_may_be_are_refused() {
    let array = open(ArraySpec::new(DType::UInt8, [4]));
    let mut shape = vec![1; 39];
    shape.push(2);
    let points = Selection::Points { coordinates: vec![vec![0, 1]], shape };
    let one = Values::new(DType::UInt8, vec![], vec![7], Vec::new()).unwrap();
    assert_eq!(array.write(&points, &one).unwrap_err().kind(), ErrorKind::LimitExceeded);
    assert_eq!(array.read(&points).unwrap_err().kind(), ErrorKind::LimitExceeded);
}

#[test]
fn points_of_a_scalar_are_as_many_as_their_shape_says() {
    let array = open(ArraySpec::new(DType::UInt8, []));
    let points = |shape| Selection::Points { coordinates: Vec::new(), shape };
    assert_eq!(array.read(&points(vec![1, 1])).unwrap().shape(), [1, 1]);
    assert_eq!(array.read(&points(vec![5])).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_grid_that_does_not_cover_the_array_is_refused() {
    let mut spec = ArraySpec::new(DType::UInt8, [10]);
    let rank_two = ChunkGrid::regular([2, 2]).unwrap();
    let short = ChunkGrid::Rectilinear(vec![AxisEdges::from_lengths(&[2, 3]).unwrap()]);
    for grid in [short, rank_two, ChunkGrid::Regular(vec![0])] {
        spec.grid = grid.clone();
        let array = open(spec.clone());
        let points = Selection::Points { coordinates: vec![vec![9]], shape: vec![1] };
        let tail = Selection::Axes(vec![AxisSelection::range(7, 10)]);
        let one = Values::new(DType::UInt8, vec![], vec![7], Vec::new()).unwrap();
        for selection in [Selection::All, points, tail] {
            assert!(array.write(&selection, &one).is_err(), "{grid:?} {selection:?}");
            assert!(array.read(&selection).is_err(), "{grid:?} {selection:?}");
        }
    }
}

#[test]
fn a_fill_value_of_another_type_is_refused() {
    let mut spec = ArraySpec::new(DType::Float64, [4]);
    spec.fill_value = Some(Values::new(DType::UInt8, vec![], vec![7], Vec::new()).unwrap());
    let error = open(spec).read(&Selection::All).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
}

#[test]
fn a_shape_that_is_refused_clears_nothing() {
    let rectilinear = |lengths: &[&[u64]]| {
        let edges = lengths.iter().map(|lengths| AxisEdges::from_lengths(lengths).unwrap());
        ChunkGrid::Rectilinear(edges.collect())
    };
    let mut bounded = ArraySpec::new(DType::UInt8, [4, 4]);
    bounded.max_shape = Some(vec![None, Some(4)]);
    let mut listed = ArraySpec::new(DType::UInt8, [4, 4]);
    listed.grid = rectilinear(&[&[3, 1], &[2, 2]]);
    // A grid of listed lengths grows; only another rank is refused.
    for (spec, refused) in [(bounded, &[1, 5][..]), (listed, &[1])] {
        let array = open(spec);
        array.write_elements(&Selection::All, &[], &[7_u8]).unwrap();
        assert!(array.resize(refused).is_err());
        assert_eq!(array.read_as::<u8>(&Selection::All).unwrap(), [7; 16]);
        array.resize(&[1, 3]).unwrap();
        array.resize(&[2, 4]).unwrap();
        let found = array.read_as::<u8>(&Selection::All).unwrap();
        assert_eq!(found, [7, 7, 7, 0, 0, 0, 0, 0]);
    }
}
