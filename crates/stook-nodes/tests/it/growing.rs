//! Arrays that grow.

use stook::{DType, Durability, ErrorKind, Selection, Values};
use stook_nodes::{Acquisition, Value};

use super::{everywhere, reopened};

fn rows(run: &Acquisition, path: &str) -> Vec<f64> {
    run.earray(path).unwrap().array().unwrap().read_as(&Selection::All).unwrap()
}

#[test]
fn rows_are_there_before_and_after_a_flush_and_a_close() {
    everywhere(|path, options| {
        let run = Acquisition::open_with(path, options).unwrap();
        let root = run.root().unwrap();
        for (level, name) in [(0, "plain"), (4, "small")] {
            run.set_compression(level).unwrap();
            let array = root.create_earray(name, DType::Float64, &[3], "").unwrap();
            let mut expected: Vec<f64> = Vec::new();
            // Single rows over the end of chunks, then many at once, then single ones again.
            for i in 0..3000_i32 {
                let row = [f64::from(i), 1.0, -1.0];
                array.append_elements(&row).unwrap();
                expected.extend(row);
                if i % 1100 == 0 {
                    run.flush(Durability::Flush).unwrap();
                }
            }
            let many: Vec<f64> = (0..3 * 10_000).map(f64::from).collect();
            array.append_elements(&many).unwrap();
            expected.extend(many);
            array.append_elements(&[7.0, 8.0, 9.0]).unwrap();
            expected.extend([7.0, 8.0, 9.0]);
            let found = rows(&run, &format!("/{name}"));
            let differs = found.iter().zip(&expected).position(|(a, b)| a != b);
            assert_eq!((differs, found.len()), (None, expected.len()), "{}", path.display());
            let shape = array.attribute("shape").unwrap();
            let n = (expected.len() / 3) as u64;
            assert_eq!(shape, Some([n, 3].as_slice().into()));
            run.flush(Durability::Flush).unwrap();
            array.append_elements(&[0.5, 0.5, 0.5]).unwrap();
        }
        run.close().unwrap();
        let run = reopened(path);
        for name in ["plain", "small"] {
            let array = run.earray(&format!("/{name}")).unwrap();
            assert_eq!(array.shape().unwrap(), [13_002, 3]);
            array.append_elements(&[1.5, 2.5, 3.5]).unwrap();
            let all = rows(&run, &format!("/{name}"));
            assert_eq!(all[3 * 13_000..], [7.0, 8.0, 9.0, 0.5, 0.5, 0.5, 1.5, 2.5, 3.5]);
        }
    });
}

#[test]
fn a_wrong_append_changes_nothing() {
    everywhere(|path, options| {
        let run = Acquisition::open_with(path, options).unwrap();
        let array = run.root().unwrap().create_earray("a", DType::Float64, &[3], "").unwrap();
        array.append_elements(&[1.0, 2.0, 3.0]).unwrap();
        let wrong = Values::zeroed(DType::Float64, vec![2, 4]).unwrap();
        assert_eq!(array.append(&wrong).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert!(array.append(&Values::zeroed(DType::Int32, vec![3]).unwrap()).is_err());
        assert!(array.append_elements(&[1.0, 2.0]).is_err());
        assert_eq!(array.shape().unwrap(), [1, 3]);
        let right = Values::zeroed(DType::Float64, vec![2, 3]).unwrap();
        array.append(&right).unwrap();
        assert_eq!(rows(&run, "/a"), [1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    });
}

#[test]
fn rows_of_different_lengths_and_texts_are_read_back() {
    everywhere(|path, options| {
        let run = Acquisition::open_with(path, options).unwrap();
        run.set_compression(5).unwrap();
        let root = run.root().unwrap();
        let log = root.create_string_array("log", "a log").unwrap();
        let bytes = root.create_vlarray("bytes", DType::UInt8, "").unwrap();
        for i in 0..5000_usize {
            log.append(&format!("line {i} é")).unwrap();
            bytes.append(&vec![1; i % 7]).unwrap();
        }
        assert_eq!(log.len().unwrap(), 5000);
        run.close().unwrap();
        let run = reopened(path);
        let log = run.string_array("/log").unwrap();
        log.append("the last").unwrap();
        let texts = log.read().unwrap();
        assert_eq!((texts.len(), texts[4999].as_str()), (5001, "line 4999 é"));
        assert_eq!(texts[5000], "the last");
        let rows = run.vlarray("/bytes").unwrap().read().unwrap();
        assert!((0..5000).all(|at| rows.payload(at).unwrap().len() == at % 7));
        let shape = run.string_array("/log").unwrap().attribute("shape").unwrap();
        assert_eq!(shape, Some(Value::Tuple(vec![Value::Int(5001)])));
    });
}

#[test]
fn sequences_of_numbers_are_kept() {
    everywhere(|path, options| {
        let run = Acquisition::open_with(path, options).unwrap();
        sequences_of_numbers(&run);
        run.close().unwrap();
        let run = reopened(path);
        let ragged = run.vlarray("/r").unwrap();
        ragged.append_elements(&[5.0, 6.0]).unwrap();
        run.flush(Durability::Flush).unwrap();
        let rows = ragged.read().unwrap();
        let row = |at: usize| -> Vec<f64> {
            let item = rows.items().chunks_exact(16).nth(at).unwrap();
            let item = stook::values::HeapItem::from_bytes(item);
            item.slice(rows.heap(), 8)
                .unwrap()
                .chunks_exact(8)
                .map(|item| f64::from_ne_bytes(item.try_into().unwrap()))
                .collect()
        };
        let found = [row(0), row(1), row(2), row(3)];
        assert_eq!(found, [vec![1.0, 2.0, 3.0], vec![], vec![4.0], vec![5.0, 6.0]]);
    });
}

fn sequences_of_numbers(run: &Acquisition) {
    let ragged = run.root().unwrap().create_vlarray("r", DType::Float64, "").unwrap();
    ragged.append_elements(&[1.0, 2.0, 3.0]).unwrap();
    ragged.append_elements::<f64>(&[]).unwrap();
    ragged.append_elements(&[4.0]).unwrap();
    assert!(ragged.append_elements(&[1_i32]).is_err());
    assert!(ragged.append(&[0; 9]).is_err());
    let rows = ragged.read().unwrap();
    let lengths =
        rows.items().chunks_exact(16).map(|item| stook::values::HeapItem::from_bytes(item).len);
    assert_eq!(lengths.collect::<Vec<_>>(), [3, 0, 1]);
}

#[test]
fn an_array_cut_in_another_way_grows_too() {
    let places = super::Places::new();
    let path = places.path("run.h5");
    let file = stook::File::create(&path).unwrap();
    let root = file.root_group().unwrap();
    // As h5py cuts images: a chunk has a part of several rows.
    let builder = root.array("image").dtype(DType::UInt16).shape([0, 8, 6]);
    builder.max_shape([None, Some(8), Some(6)]).chunks([4, 3, 4]).create().unwrap();
    file.commit().unwrap();
    drop((root, file));
    let run = reopened(&path);
    let image = run.earray("/image").unwrap();
    for i in 0..11_u16 {
        image.append_elements(&[i; 48]).unwrap();
        run.flush(Durability::Flush).unwrap();
    }
    let all: Vec<u16> = image.array().unwrap().read_as(&Selection::All).unwrap();
    assert!(all.chunks(48).zip(0..).all(|(row, i)| row.iter().all(|&item| item == i)));
    assert_eq!(all.len(), 11 * 48);
}

#[test]
fn a_reader_of_zarr_sees_the_last_flush() {
    let places = super::Places::new();
    let path = places.path("run.zarr");
    let run = Acquisition::create(&path).unwrap();
    let array = run.root().unwrap().create_earray("a", DType::Float64, &[], "").unwrap();
    array.append_elements(&vec![1.0; 10_000]).unwrap();
    let seen = || Acquisition::open(&path).unwrap().earray("/a").unwrap().shape().unwrap();
    assert_eq!(seen(), [0]);
    run.flush(Durability::Flush).unwrap();
    assert_eq!(seen(), [10_000]);
}
