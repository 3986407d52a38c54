//! Statistics, against a naive model.

use std::sync::Arc;

use proptest::prelude::*;
use stook::dtype::{StructType, TimeBase, TimeUnit};
use stook::stats::{Numbers, Scalar, StatsOptions, Summary, stats};
use stook::{Array, ChunkGrid, DType, Element, Engine, EngineConfig, File, Selection, Values};

/// An array in memory, cut into chunks, read by two threads.
fn array<T: Element>(shape: &[u64], chunks: &[u64], items: &[T]) -> Array {
    let engine = Engine::new(EngineConfig::default().threads(2));
    let file = File::in_memory().unwrap().with_engine(engine);
    let builder = file.root_group().unwrap().array("a").dtype(T::DTYPE).shape(shape);
    let array = builder.chunks(chunks).create().unwrap();
    array.write_elements(&Selection::All, shape, items).unwrap();
    array
}

fn numbers(array: &Array, selection: &str) -> Numbers {
    let selection = Selection::parse(selection).unwrap();
    // Little memory: many boxes.
    let mut options = StatsOptions { selection, memory_len_bytes: 2000, ..Default::default() };
    let found = stats(array, &mut options).unwrap();
    match &found.fields[..] {
        [field] => match &field.summary {
            Summary::Numbers(numbers) | Summary::Magnitudes(numbers) => numbers.clone(),
            other => panic!("numbers, not {other:?}"),
        },
        other => panic!("one field, not {other:?}"),
    }
}

fn close(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// Mean and standard deviation in two passes.
fn naive(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    (mean, (squares / n).sqrt())
}

proptest! {
    #[test]
    fn integers_are_as_a_loop_would_have_them(
        items in prop::collection::vec(any::<i64>(), 1..400),
        small in any::<bool>(),
        chunk in 1..50_u64,
    ) {
        let items: Vec<i64> =
            if small { items.iter().map(|x| 1_700_000_000_000_000_000 + x % 9).collect() } else { items };
        let found = numbers(&array(&[items.len() as u64], &[chunk], &items), "");
        prop_assert_eq!(found.n, items.len() as u64);
        prop_assert_eq!(found.n_nonzero, items.iter().filter(|&&x| x != 0).count() as u64);
        prop_assert_eq!(found.min, items.iter().min().map(|&x| Scalar::Integer(x.into())));
        prop_assert_eq!(found.max, items.iter().max().map(|&x| Scalar::Integer(x.into())));
        let sum: i128 = items.iter().map(|&x| i128::from(x)).sum();
        prop_assert_eq!(found.sum(), Scalar::Integer(sum));
        // Of what is left of the first, so that the model loses nothing.
        let rest: Vec<f64> = items.iter().map(|&x| (i128::from(x) - i128::from(items[0])) as f64).collect();
        let (_, std) = naive(&rest);
        prop_assert!(close(found.std().unwrap(), std), "{:?} {}", found.std(), std);
        prop_assert_eq!(found.histogram.counts().iter().sum::<u64>(), found.n);
    }

    #[test]
    fn floats_are_as_a_loop_would_have_them(
        items in prop::collection::vec(prop_oneof![
            8 => -1e9..1e9_f64,
            1 => Just(0.0),
            1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(-0.0)],
        ], 1..400),
        chunk in 1..50_u64,
    ) {
        let found = numbers(&array(&[items.len() as u64], &[chunk], &items), "");
        let finite: Vec<f64> = items.iter().copied().filter(|x| x.is_finite()).collect();
        prop_assert_eq!(found.n_finite(), finite.len() as u64);
        prop_assert_eq!(found.n_nan, items.iter().filter(|x| x.is_nan()).count() as u64);
        prop_assert_eq!(found.n_nonzero, items.iter().filter(|&&x| x != 0.0).count() as u64);
        prop_assert_eq!(found.histogram.counts().iter().sum::<u64>(), found.n_finite());
        if finite.is_empty() {
            prop_assert_eq!((found.min, found.mean(), found.std()), (None, None, None));
        } else {
            let (mean, std) = naive(&finite);
            prop_assert!(close(found.mean().unwrap(), mean) || mean.abs() < 1e-3, "{:?} {}", found.mean(), mean);
            prop_assert!(close(found.std().unwrap(), std), "{:?} {}", found.std(), std);
            let least = finite.iter().copied().fold(f64::INFINITY, f64::min);
            let greatest = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            prop_assert_eq!(found.min, Some(Scalar::Float(least)));
            prop_assert_eq!(found.max, Some(Scalar::Float(greatest)));
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let items: Vec<f32> =
        (0..60_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32).collect();
    let of = |threads| {
        let engine = Engine::new(EngineConfig::default().threads(threads));
        let file = File::in_memory().unwrap().with_engine(engine);
        let builder = file.root_group().unwrap().array("a").dtype(DType::Float32).shape([300, 200]);
        let array = builder.chunks([7, 30]).create().unwrap();
        array.write_elements(&Selection::All, &[300, 200], &items).unwrap();
        let mut options = StatsOptions { memory_len_bytes: 1, ..Default::default() };
        stats(&array, &mut options).unwrap()
    };
    assert_eq!(of(1), of(5));
}

#[test]
fn a_selection_is_looked_at_alone() {
    let items: Vec<u8> = (0..100).collect();
    let array = array(&[10, 10], &[3, 4], &items);
    let found = numbers(&array, "2:8:3, ::-2");
    assert_eq!(
        (found.n, found.min, found.max),
        (10, Some(Scalar::Integer(21)), Some(Scalar::Integer(59)))
    );
    assert_eq!(found.sum(), Scalar::Integer(400));
}

#[test]
fn large_sums_are_exact() {
    let found = numbers(&array(&[3], &[2], &[u64::MAX; 3]), "");
    assert_eq!(found.sum(), Scalar::Integer(i128::from(u64::MAX) * 3));
    assert_eq!(found.std(), Some(0.0));
    let found = numbers(&array(&[2], &[1], &[i64::MIN, i64::MAX]), "");
    assert_eq!((found.sum(), found.mean()), (Scalar::Integer(-1), Some(-0.5)));
    // The one would be lost in a plain sum.
    let found = numbers(&array(&[3], &[1], &[1e100, 1.0, -1e100]), "");
    assert_eq!(found.sum(), Scalar::Float(1.0));
}

#[test]
fn complex_numbers_count_by_their_magnitude() {
    let found = numbers(&array(&[2], &[2], &[[3.0_f32, 4.0], [0.0, 0.0]]), "");
    assert_eq!((found.min, found.max), (Some(Scalar::Float(0.0)), Some(Scalar::Float(5.0))));
    assert_eq!(found.n_nonzero, 1);
}

#[test]
#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn members_of_structs_are_told_apart() {
    let unit = TimeUnit { base: TimeBase::Day, count: 1 };
    let members = [
        ("name", DType::Unicode(2)),
        ("on", DType::Bool),
        ("day", DType::DateTime(unit)),
        ("n", DType::Int16),
    ];
    let members = members.map(|(name, dtype)| (name.to_owned(), dtype));
    let dtype = DType::Struct(Arc::new(StructType::packed(members).unwrap()));
    let mut items = Vec::new();
    for (name, on, day, n) in
        [(['a', 'b'], 1, i64::MIN, 7_i16), (['é', '\0'], 0, -3, 0), (['a', 'b'], 1, 9, -7)]
    {
        items.extend(name.into_iter().flat_map(|c| u32::from(c).to_ne_bytes()));
        items.push(on);
        items.extend(day.to_ne_bytes());
        items.extend(n.to_ne_bytes());
    }
    let file = File::in_memory().unwrap();
    let table = file.root_group().unwrap().array("t").dtype(dtype.clone()).shape([3]);
    let table = table.create().unwrap();
    table.write(&Selection::All, &Values::new(dtype, vec![3], items, Vec::new()).unwrap()).unwrap();
    let found = stats(&table, &mut StatsOptions::default()).unwrap();
    let names: Vec<_> = found.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!((found.n, names), (3, vec!["name", "on", "day", "n"]));
    let Summary::Texts(texts) = &found.fields[0].summary else { panic!("texts") };
    assert_eq!((texts.lengths, texts.n_distinct()), (Some((1, 2)), Some(2)));
    assert_eq!(found.fields[1].summary, Summary::Bools { n: 3, n_true: 2 });
    assert_eq!(found.fields[2].summary, Summary::Times { n: 3, n_nat: 1, range: Some((-3, 9)) });
    let Summary::Numbers(n) = &found.fields[3].summary else { panic!("numbers") };
    assert_eq!((n.min, n.n_nonzero), (Some(Scalar::Integer(-7)), 2));
}

#[test]
fn what_has_no_elements_has_no_extremes() {
    let found = numbers(&array::<f64>(&[0, 3], &[1, 1], &[]), "");
    assert_eq!((found.n, found.min, found.mean()), (0, None, None));
    assert_eq!(ChunkGrid::whole(&[0]).counts(&[0]), [0]);
}

#[test]
fn an_error_names_the_node_and_progress_may_stop_it() {
    let array = array(&[100], &[10], &[1_u8; 100]);
    let mut options =
        StatsOptions { selection: Selection::parse("0, 0").unwrap(), ..Default::default() };
    let error = stats(&array, &mut options).unwrap_err();
    assert_eq!(error.location().node.as_ref().map(ToString::to_string).as_deref(), Some("/a"));
    let mut seen = 0;
    let mut stop = |len| {
        seen += len;
        Err(stook::Error::invalid("enough"))
    };
    let mut options =
        StatsOptions { progress: Some(&mut stop), memory_len_bytes: 1, ..Default::default() };
    assert_eq!(stats(&array, &mut options).unwrap_err().message(), "enough");
    assert_eq!(seen, 10);
}
