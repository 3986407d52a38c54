//! Matrices of every kind go to arrays of any chunks and come back as they were.

use proptest::prelude::*;
use stook::codec::CodecSpec;
use stook::{Array, DType, File, Selection};
use stook_loom::matrix::{
    Compressed, Coo, Dense, Matrix, Numbers, Picked, Stream, TileWriter, WriteOptions, copy_picked,
};
use stook_loom::{Axis, MatrixSource};

/// A new array in `file`, of tiles of this shape.
pub(crate) fn new_array(file: &File, shape: [u64; 2], tile: [u64; 2], dtype: DType) -> Array {
    let array = file.root_group().unwrap().array("matrix").shape(shape).dtype(dtype);
    array.chunks(tile).codecs([CodecSpec::Gzip { level: 2 }]).create().unwrap()
}

/// A matrix, mostly zero, and how it is cut.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) shape: [usize; 2],
    pub(crate) numbers: Vec<f32>,
    pub(crate) tile: [u64; 2],
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    (0..40_usize, 0..40_usize, 1..12_u64, 1..12_u64).prop_flat_map(|(n, m, p, q)| {
        let number = prop_oneof![3 => Just(0.0_f32), 1 => -4.0..100.0_f32, 1 => Just(7.0)];
        proptest::collection::vec(number, n * m).prop_map(move |numbers| Case {
            shape: [n, m],
            numbers,
            tile: [p, q],
        })
    })
}

impl Case {
    fn shape_u64(&self) -> [u64; 2] {
        self.shape.map(|len| len as u64)
    }

    /// What is listed of it: row, column and number, in C order.
    fn listed(&self) -> Vec<(usize, usize, f32)> {
        let width = self.shape[1];
        let numbers = self.numbers.iter().enumerate();
        numbers.filter(|(_, n)| **n != 0.0).map(|(at, &n)| (at / width, at % width, n)).collect()
    }

    fn dense(&self) -> Dense<'_> {
        Dense::new(self.shape, self.numbers.as_slice()).unwrap()
    }

    fn columns(&self) -> Dense<'static> {
        let [n, m] = self.shape;
        let at = |i: usize| self.numbers[(i % n) * m + i / n];
        Dense::columns(self.shape, (0..n * m).map(at).collect::<Vec<f32>>()).unwrap()
    }

    fn coo(&self, by: impl Fn(&(usize, usize, f32)) -> usize) -> Coo<'static> {
        let mut listed = self.listed();
        listed.sort_by_key(by);
        let rows: Vec<i32> = listed.iter().map(|l| l.0 as i32).collect();
        let columns: Vec<i64> = listed.iter().map(|l| l.1 as i64).collect();
        let numbers: Vec<f32> = listed.iter().map(|l| l.2).collect();
        Coo::new(self.shape, rows, columns, numbers).unwrap()
    }

    fn compressed(&self, major: Axis) -> Compressed<'static> {
        let along = |l: &(usize, usize, f32)| if major == Axis::Rows { l.0 } else { l.1 };
        let across = |l: &(usize, usize, f32)| if major == Axis::Rows { l.1 } else { l.0 };
        let mut listed = self.listed();
        listed.sort_by_key(along);
        let lines = 0..=self.shape[major.number()];
        let pointers: Vec<i64> =
            lines.map(|line| listed.iter().filter(|l| along(l) < line).count() as i64).collect();
        let indices: Vec<i32> = listed.iter().map(|l| across(l) as i32).collect();
        let numbers: Vec<f32> = listed.iter().map(|l| l.2).collect();
        match major {
            Axis::Rows => Compressed::csr(self.shape, pointers, indices, numbers).unwrap(),
            Axis::Columns => Compressed::csc(self.shape, pointers, indices, numbers).unwrap(),
        }
    }

    pub(crate) fn stored(&self) -> Array {
        let file = File::in_memory().unwrap();
        let array = new_array(&file, self.shape_u64(), self.tile, DType::Float32);
        self.dense().store(&array, [0, 0]).unwrap();
        array
    }
}

fn read(array: &Array) -> Vec<f32> {
    array.read_as::<f32>(&Selection::All).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_kind_of_matrix_is_stored_as_it_is(case in case(), at in [0..9_u64, 0..9_u64]) {
        let matrices: [Matrix<'_>; 6] = [
            case.dense().into(),
            case.columns().into(),
            case.compressed(Axis::Rows).into(),
            case.compressed(Axis::Columns).into(),
            case.coo(|l| l.1).into(),
            case.coo(|l| l.0 * 7919 % 31 + l.1).into(),
        ];
        let [n, m] = case.shape_u64();
        for matrix in matrices {
            let file = File::in_memory().unwrap();
            let shape = [n + at[0] + 3, m + at[1] + 2];
            let array = new_array(&file, shape, case.tile, DType::Float32);
            matrix.store(&array, at).unwrap();
            let part = Selection::ranges([at[0]..at[0] + n, at[1]..at[1] + m]);
            prop_assert_eq!(&array.read_as::<f32>(&part).unwrap(), &case.numbers);
            let sum: f64 = read(&array).iter().map(|&n| f64::from(n)).sum();
            let expected: f64 = case.numbers.iter().map(|&n| f64::from(n)).sum();
            prop_assert!((sum - expected).abs() < 1e-6, "something lies beside it");
        }
    }

    #[test]
    fn blocks_of_any_length_join(
        case in case(),
        cuts in proptest::collection::vec(0..15_usize, 12),
        is_rows in any::<bool>(),
    ) {
        let axis = if is_rows { Axis::Rows } else { Axis::Columns };
        let len = case.shape[axis.number()];
        let file = File::in_memory().unwrap();
        let array = new_array(&file, case.shape_u64(), case.tile, DType::Float32);
        let mut blocks = Vec::new();
        let mut start = 0;
        for cut in cuts.into_iter().chain([len]) {
            let end = (start + cut).min(len);
            let [n, m] = case.shape;
            let (shape, first) = match axis {
                Axis::Rows => ([end - start, m], start * m),
                Axis::Columns => ([n, end - start], start),
            };
            let strides = [m as isize, 1];
            let block = Dense::strided(shape, first, strides, case.numbers.clone()).unwrap();
            blocks.push(Matrix::from(block));
            start = end;
        }
        let mut blocks = blocks.into_iter();
        let stream =
            Stream::new(case.shape_u64(), DType::Float32, axis, move || Ok(blocks.next()));
        stream.store(&array, [0, 0]).unwrap();
        prop_assert_eq!(&read(&array), &case.numbers);
        prop_assert!(stream.store(&array, [0, 0]).is_err());
    }

    #[test]
    fn picks_are_copied_in_their_order(
        case in case(),
        tile in [1..9_u64, 1..9_u64],
        memory in prop_oneof![Just(1_u64), Just(2000), Just(1 << 20)],
        seed in any::<[u64; 4]>(),
    ) {
        let [n, m] = case.shape_u64();
        let pick = |len: u64, seed: u64, how: u64| -> Option<Vec<u64>> {
            let some = || (0..len).map(|i| (i * 7 + seed) % len.max(1));
            match how % 4 {
                0 => None,
                1 => Some(some().collect()),
                2 => Some((0..len).filter(|i| (i ^ seed).is_multiple_of(3)).collect()),
                _ => Some(some().chain(some()).collect()),
            }
        };
        let (rows, columns) = (pick(n, seed[0] % 97, seed[1]), pick(m, seed[2] % 89, seed[3]));
        let all = |list: &Option<Vec<u64>>, len: u64| list.clone().unwrap_or((0..len).collect());
        let (some_rows, some_columns) = (all(&rows, n), all(&columns, m));
        let file = File::in_memory().unwrap();
        let shape = [some_rows.len() as u64 + 1, some_columns.len() as u64 + 2];
        let target = new_array(&file, shape, tile, DType::Float64);
        let picked = Picked { rows: rows.as_deref(), columns: columns.as_deref() };
        let options = WriteOptions::new().memory_len_bytes(memory);
        copy_picked(&case.stored(), picked, &target, [1, 2], &options).unwrap();
        let found = target.read_as::<f64>(&Selection::ranges([1..shape[0], 2..shape[1]])).unwrap();
        let element = |row: u64, column: u64| f64::from(case.numbers[(row * m + column) as usize]);
        let expected: Vec<f64> = some_rows
            .iter()
            .flat_map(|&row| some_columns.iter().map(move |&column| element(row, column)))
            .collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn numbers_are_converted_and_what_has_no_room_is_an_error() {
    let file = File::in_memory().unwrap();
    let array = new_array(&file, [2, 2], [64, 64], DType::UInt8);
    let store = |numbers: Vec<f64>| Dense::new([2, 2], numbers).unwrap().store(&array, [0, 0]);
    store(vec![1.0, 2.0, 0.0, 255.0]).unwrap();
    assert_eq!(array.read_as::<u8>(&Selection::All).unwrap(), [1, 2, 0, 255]);
    let error = store(vec![1.0, 2.0, 0.0, 256.0]).unwrap_err();
    assert!(error.message().contains("256.0 is no number of type uint8"), "{error}");
    let csr = Compressed::csr([2, 2], vec![0_i32, 1, 1], vec![0_i32], vec![0.5]).unwrap();
    assert!(csr.store(&array, [0, 0]).is_err());
    let beyond = Dense::new([2, 2], vec![0_u8; 4]).unwrap().store(&array, [1, 0]);
    assert!(beyond.unwrap_err().message().contains("beyond"));
}

/// In strips of many tiles, cut at the array's and taken a few rows at a time.
#[test]
fn long_columns_are_turned_to_tiles() {
    let (n, m) = (211, 83);
    let at = |row: usize, column: usize| (row * 1000 + column) as f32;
    let by_column = |times: usize| {
        let place = move |i: usize| at(i / times % n, i / times / n);
        (0..n * m * times).map(place).collect::<Vec<f32>>()
    };
    let every_third = Dense::strided([n, m], 1, [3, 3 * n as isize], by_column(3)).unwrap();
    for matrix in [Dense::columns([n, m], by_column(1)).unwrap(), every_third] {
        let file = File::in_memory().unwrap();
        let array = new_array(&file, [300, 150], [64, 64], DType::Float32);
        matrix.store(&array, [50, 60]).unwrap();
        let found = array.read_as::<f32>(&Selection::ranges([50..261, 60..143])).unwrap();
        let expected = (0..n).flat_map(|row| (0..m).map(move |column| at(row, column)));
        assert!(found.into_iter().eq(expected));
    }
}

#[test]
fn signs_of_zeros_and_payloads_of_nan_are_kept() {
    let odd = f64::from_bits(0x7ff8_0000_dead_beef);
    let numbers = vec![-0.0, odd, f64::INFINITY, 0.0];
    let dense = Matrix::from(Dense::new([2, 2], numbers.clone()).unwrap());
    let rows = vec![0_u64, 0, 1, 1];
    let coo = Matrix::from(Coo::new([2, 2], rows, vec![0_u32, 1, 0, 1], numbers.clone()).unwrap());
    for matrix in [dense, coo] {
        let file = File::in_memory().unwrap();
        let array = new_array(&file, [2, 2], [64, 64], DType::Float64);
        matrix.store(&array, [0, 0]).unwrap();
        let found = array.read_as::<f64>(&Selection::All).unwrap();
        assert!(found.iter().map(|n| n.to_bits()).eq(numbers.iter().map(|n| n.to_bits())));
    }
}

#[test]
fn a_stream_of_another_length_is_refused() {
    for n in [1, 3] {
        let file = File::in_memory().unwrap();
        let array = new_array(&file, [2, 2], [64, 64], DType::UInt8);
        let mut left = n;
        let stream = Stream::new([2, 2], DType::UInt8, Axis::Columns, || {
            left -= 1;
            Ok((left >= 0).then(|| Dense::new([2, 1], vec![1_u8, 2]).unwrap().into()))
        });
        let error = stream.store(&array, [0, 0]).unwrap_err();
        assert!(error.message().starts_with("a stream of 2 columns: found"), "{error}");
    }
    let file = File::in_memory().unwrap();
    let array = new_array(&file, [2, 2], [64, 64], DType::UInt8);
    let mut writer = TileWriter::new(&array, Axis::Columns, [0, 0], 2, WriteOptions::new());
    let block = Matrix::from(Dense::new([3, 1], vec![1_u8; 3]).unwrap());
    assert!(writer.push(&block).unwrap_err().message().contains("3 rows, expected 2"));
}

#[test]
fn a_matrix_of_many_tiles_takes_little_memory_and_zeros_no_room() {
    let file = File::in_memory().unwrap();
    // 800 MB if it were dense.
    let array = new_array(&file, [20_000, 10_000], [64, 64], DType::Float32);
    let rows: Vec<i32> = (0..1000).map(|i| i * 19).collect();
    let columns: Vec<i32> = (0..1000).map(|i| i * 9 % 10_000).collect();
    let numbers: Numbers<'_> = vec![1.0_f32; 1000].into();
    let coo = Coo::new([20_000, 10_000], rows, columns, numbers).unwrap();
    coo.store(&array, [0, 0]).unwrap();
    assert!(array.source().n_stored().unwrap_or(1000) <= 1000);
}
