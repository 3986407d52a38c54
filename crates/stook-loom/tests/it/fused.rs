//! What is folded over tiles is what a naive model makes of the whole matrix.

use std::sync::Arc;

use proptest::prelude::*;
use stook::element::as_bytes;
use stook::{Array, DType, File};
use stook_loom::fused::{
    Aggregate, FusedOptions, Groups, Scan, ScanOptions, Statistic, aggregate, csr, sparse,
    statistics,
};
use stook_loom::matrix::{Compressed, Dense, Matrix, Number, Picked, Variant};
use stook_loom::{Axis, MatrixSource};

use crate::matrix::{Case, case, new_array};

const NAMES: [&str; 32] = [
    "sum",
    "prod",
    "mean",
    "var",
    "std",
    "min",
    "max",
    "median",
    "first",
    "last",
    "argmin",
    "argmax",
    "len",
    "all",
    "any",
    "allnan",
    "anynan",
    "sumofsquares",
    "nansum",
    "nanprod",
    "nanmean",
    "nanvar",
    "nanstd",
    "nanmin",
    "nanmax",
    "nanmedian",
    "nanfirst",
    "nanlast",
    "nanargmin",
    "nanargmax",
    "nanlen",
    "nansumofsquares",
];

/// The elements of an array that are not zero.
fn listed(array: &Array) -> Arc<Compressed<'static>> {
    let options = FusedOptions::default();
    Arc::new(csr(array, Picked::default(), &array.dtype(), &options).unwrap())
}

fn is_near(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-12 * a.abs().max(b.abs()).max(1e-3)
}

/// Lines along `axis` of what is picked.
fn lines(case: &Case, axis: Axis, rows: &[u64], columns: &[u64]) -> Vec<Vec<f64>> {
    let width = case.shape[1];
    let at =
        |row: u64, column: u64| f64::from(case.numbers[row as usize * width + column as usize]);
    match axis {
        Axis::Rows => rows
            .iter()
            .map(|&row| columns.iter().map(|&column| at(row, column)).collect())
            .collect(),
        Axis::Columns => columns
            .iter()
            .map(|&column| rows.iter().map(|&row| at(row, column)).collect())
            .collect(),
    }
}

fn naive(statistic: Statistic, line: &[f64]) -> f64 {
    let n = line.len() as f64;
    let mean = line.iter().sum::<f64>() / n;
    let var = line.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    match statistic {
        Statistic::Sum => line.iter().sum(),
        Statistic::Mean => mean,
        Statistic::Var => var,
        Statistic::Std => var.sqrt(),
        Statistic::Min => line.iter().copied().fold(f64::INFINITY, f64::min),
        Statistic::Max => line.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Statistic::CountNonzero => line.iter().filter(|x| **x != 0.0).count() as f64,
    }
}

/// What numpy_groupies makes of one group, from its description.
fn naive_group(name: &str, members: &[(usize, f64)]) -> f64 {
    let (bare, skips) = match name.strip_prefix("nan") {
        Some(bare) => (bare, true),
        None => (name, false),
    };
    let n_all = members.len();
    let members: Vec<(usize, f64)> =
        members.iter().copied().filter(|(_, x)| !(skips && x.is_nan())).collect();
    let values: Vec<f64> = members.iter().map(|(_, x)| *x).collect();
    let truth = |is: bool| f64::from(u8::from(is));
    if values.is_empty() && bare != "len" {
        return truth(n_all > 0 && bare == "all");
    }
    let has_nan = values.iter().any(|x| x.is_nan());
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let var = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    let extreme = |pick: fn(f64, f64) -> f64, start: f64| {
        if has_nan { f64::NAN } else { values.iter().copied().fold(start, pick) }
    };
    let place_of = |x: f64| {
        let is_it = |y: f64| y == x || (x.is_nan() && y.is_nan());
        members.iter().find(|(_, y)| is_it(*y)).map_or(0.0, |(at, _)| *at as f64)
    };
    match bare {
        "sum" => values.iter().sum(),
        "prod" => values.iter().product(),
        "mean" => mean,
        "var" => var,
        "std" => var.sqrt(),
        "min" => extreme(f64::min, f64::INFINITY),
        "max" => extreme(f64::max, f64::NEG_INFINITY),
        "argmin" => place_of(extreme(f64::min, f64::INFINITY)),
        "argmax" => place_of(extreme(f64::max, f64::NEG_INFINITY)),
        "median" if has_nan => f64::NAN,
        "median" => {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let middle = sorted.len() / 2;
            if sorted.len() % 2 == 1 {
                sorted[middle]
            } else {
                (sorted[middle - 1] + sorted[middle]) / 2.0
            }
        }
        "first" => values[0],
        "last" => values[values.len() - 1],
        "len" => n,
        "all" => truth(values.iter().all(|x| *x != 0.0)),
        "any" => truth(values.iter().any(|x| *x != 0.0)),
        "allnan" => truth(values.iter().all(|x| x.is_nan())),
        "anynan" => truth(has_nan),
        "sumofsquares" => values.iter().map(|x| x * x).sum(),
        other => panic!("{other}"),
    }
}

fn picks(len: usize, seed: u64) -> Option<Vec<u64>> {
    let len = len as u64;
    let some = || (0..len).map(move |i| (i * 7 + seed) % len.max(1));
    match seed % 4 {
        0 => None,
        1 => Some(some().collect()),
        2 => Some((0..len).filter(|i| (i ^ seed).is_multiple_of(3)).collect()),
        _ => Some(some().chain(some()).collect()),
    }
}

fn all(list: &Option<Vec<u64>>, len: usize) -> Vec<u64> {
    list.clone().unwrap_or((0..len as u64).collect())
}

fn numbers(dense: &Dense<'_>) -> Vec<f64> {
    f64::of(dense.numbers()).unwrap().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn statistics_are_those_of_each_line(case in case(), seeds in any::<[u64; 2]>(), memory in 1..9_u64) {
        let [n, m] = case.shape;
        prop_assume!(n > 0 && m > 0);
        let (rows, columns) = (picks(n, seeds[0] % 97), picks(m, seeds[1] % 89));
        let (some_rows, some_columns) = (all(&rows, n), all(&columns, m));
        prop_assume!(!some_rows.is_empty() && !some_columns.is_empty());
        let picked = Picked { rows: rows.as_deref(), columns: columns.as_deref() };
        let wanted = [
            Statistic::Sum, Statistic::Mean, Statistic::Var, Statistic::Std, Statistic::Min,
            Statistic::Max, Statistic::CountNonzero,
        ];
        let array = case.stored();
        // The elements may be at hand, and are the same.
        let sparse = (memory % 2 == 0).then(|| listed(&array));
        let options = FusedOptions { memory_len_bytes: 1 << (memory * 3), threads: 3, sparse };
        for axis in Axis::BOTH {
            let found = statistics(&array, axis, picked, &wanted, &options).unwrap();
            let lines = lines(&case, axis, &some_rows, &some_columns);
            for (statistic, found) in wanted.iter().zip(found) {
                prop_assert_eq!(found.len(), lines.len());
                for (found, line) in found.iter().zip(&lines) {
                    let expected = naive(*statistic, line);
                    prop_assert!(is_near(*found, expected), "{statistic:?} {found} {expected}");
                }
            }
        }
    }

    #[test]
    fn groups_are_those_of_numpy_groupies(mut case in case(), seeds in any::<[u64; 3]>()) {
        // Some are no numbers.
        let n_nan = case.numbers.len() / 20;
        case.numbers.iter_mut().skip(3).step_by(17).take(n_nan).for_each(|x| *x = f32::NAN);
        let [n, m] = case.shape;
        let (rows, columns) = (picks(n, seeds[0] % 97), picks(m, seeds[1] % 89));
        let (some_rows, some_columns) = (all(&rows, n), all(&columns, m));
        let picked = Picked { rows: rows.as_deref(), columns: columns.as_deref() };
        let array = case.stored();
        let sparse = (seeds[0] % 2 == 0).then(|| listed(&array));
        let options = FusedOptions { threads: 2, sparse, ..FusedOptions::default() };
        for axis in Axis::BOTH {
            let len = if axis == Axis::Rows { some_rows.len() } else { some_columns.len() };
            let labels: Vec<Option<u32>> =
                (0..len as u64).map(|i| Some(((i * 5 + seeds[2] % 11) % 7) as u32)).collect();
            let labels: Vec<Option<u32>> =
                labels.into_iter().map(|label| label.filter(|&label| label < 4)).collect();
            let groups = Groups::new(&labels, 4).unwrap();
            let lines = lines(&case, axis.other(), &some_rows, &some_columns);
            for name in NAMES {
                let by = Aggregate::parse(name).unwrap();
                let found = aggregate(&array, axis, picked, &groups, by, &options).unwrap();
                let found = numbers(&found);
                for (i, line) in lines.iter().enumerate() {
                    for group in 0..4_usize {
                        let members: Vec<(usize, f64)> = (0..len)
                            .filter(|&j| labels[j] == Some(group as u32))
                            .map(|j| (j, line[j]))
                            .collect();
                        let expected = naive_group(name, &members);
                        let at = match axis {
                            Axis::Columns => i * 4 + group,
                            Axis::Rows => group * lines.len() + i,
                        };
                        prop_assert!(
                            is_near(found[at], expected),
                            "{name} {axis:?} {} {expected} {members:?}", found[at]
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn nonzero_elements_are_found_in_the_order_of_the_picks(case in case(), seeds in any::<[u64; 2]>()) {
        let [n, m] = case.shape;
        let (rows, columns) = (picks(n, seeds[0] % 97), picks(m, seeds[1] % 89));
        let (some_rows, some_columns) = (all(&rows, n), all(&columns, m));
        let picked = Picked { rows: rows.as_deref(), columns: columns.as_deref() };
        let options = FusedOptions { threads: 2, ..FusedOptions::default() };
        let found = sparse(&case.stored(), picked, &DType::Float64, &options).unwrap();
        let mut expected = (Vec::new(), Vec::new(), Vec::new());
        for (i, line) in lines(&case, Axis::Rows, &some_rows, &some_columns).iter().enumerate() {
            for (j, &x) in line.iter().enumerate().filter(|(_, x)| **x != 0.0) {
                expected.0.push(i as i32);
                expected.1.push(j as i32);
                expected.2.push(x);
            }
        }
        prop_assert_eq!(found.lens(), [some_rows.len(), some_columns.len()]);
        prop_assert_eq!(found.rows(), &expected.0.into());
        prop_assert_eq!(found.columns(), &expected.1.into());
        prop_assert_eq!(found.numbers(), &expected.2.into());
    }

    #[test]
    fn a_scan_gives_every_item_once_in_order(
        case in case(),
        seeds in any::<[u64; 2]>(),
        batch in 1..17_usize,
        memory in prop_oneof![Just(1_u64), Just(3000), Just(1 << 20)],
    ) {
        let array = case.stored();
        for axis in Axis::BOTH {
            let lens = [case.shape[axis.number()], case.shape[axis.other().number()]];
            let (items, across) = (picks(lens[0], seeds[0] % 97), picks(lens[1], seeds[1] % 89));
            let options = ScanOptions { items: items.clone(), across: across.clone(), ..ScanOptions::new(axis) };
            let options = options.batch_len(batch).memory_len_bytes(memory);
            let (items, across) = (all(&items, lens[0]), all(&across, lens[1]));
            let mut seen = 0;
            for found in Scan::new(vec![array.clone(), array.clone()], options).unwrap() {
                let found = found.unwrap();
                prop_assert_eq!(found.start, seen);
                let expected = &items[seen..(seen + batch).min(items.len())];
                prop_assert_eq!(&found.indices, expected);
                let (rows, columns) = match axis {
                    Axis::Rows => (expected, across.as_slice()),
                    Axis::Columns => (across.as_slice(), expected),
                };
                let lines = lines(&case, Axis::Rows, rows, columns).concat();
                for layer in &found.layers {
                    prop_assert_eq!(layer.lens(), [rows.len(), columns.len()]);
                    let found: Vec<f64> =
                        f32::of(layer.numbers()).unwrap().iter().map(|&x| x.into()).collect();
                    prop_assert_eq!(&found, &lines);
                }
                seen += expected.len();
            }
            prop_assert_eq!(seen, items.len());
        }
    }
}

fn stored<T: Number>(shape: [usize; 2], numbers: Vec<T>) -> Array {
    let file = File::in_memory().unwrap();
    let array = new_array(&file, shape.map(|len| len as u64), [64, 64], T::DTYPE);
    Dense::new(shape, T::into_numbers(numbers)).unwrap().store(&array, [0, 0]).unwrap();
    array
}

#[test]
fn a_small_spread_about_a_large_mean_is_told() {
    let n = 10_000;
    let numbers: Vec<f64> = (0..n).map(|i| 1e9 + (i % 7) as f64).collect();
    for (shape, axis) in [([1, n], Axis::Rows), ([n, 1], Axis::Columns)] {
        let array = stored(shape, numbers.clone());
        let options = FusedOptions::default();
        let all = Picked::default();
        let found = statistics(&array, axis, all, &[Statistic::Var], &options).unwrap();
        let expected = naive(Statistic::Var, &numbers.iter().map(|x| x - 1e9).collect::<Vec<_>>());
        assert!(is_near(found[0][0], expected), "{} {expected}", found[0][0]);
    }
}

#[test]
fn every_type_of_numbers_is_folded() {
    fn check<T: Number>(numbers: Vec<T>) {
        let array = stored([2, 3], numbers);
        let (options, all) = (FusedOptions::default(), Picked::default());
        let sums = statistics(&array, Axis::Rows, all, &[Statistic::Sum], &options).unwrap();
        assert_eq!(sums[0], [3.0, 7.0], "{}", T::DTYPE);
        let csr = csr(&array, all, &T::DTYPE, &options).unwrap();
        let dense = Matrix::from(csr).to_dense(&T::DTYPE).unwrap();
        let expected = array.read_as::<T>(&stook::Selection::All).unwrap();
        assert_eq!(dense.numbers().as_bytes(), as_bytes(&expected));
    }
    check(vec![1_i8, 2, 0, 3, 4, 0]);
    check(vec![1_i16, 2, 0, 3, 4, 0]);
    check(vec![1_i32, 2, 0, 3, 4, 0]);
    check(vec![1_i64, 2, 0, 3, 4, 0]);
    check(vec![1_u8, 2, 0, 3, 4, 0]);
    check(vec![1_u16, 2, 0, 3, 4, 0]);
    check(vec![1_u32, 2, 0, 3, 4, 0]);
    check(vec![1_u64, 2, 0, 3, 4, 0]);
    check(vec![1_f32, 2., 0., 3., 4., 0.]);
    check(vec![1_f64, 2., 0., 3., 4., 0.]);
    let half = |x: f32| stook::element::f16::from_f32(x);
    check([1., 2., 0., 3., 4., 0.].map(half).to_vec());
}

#[test]
fn what_does_not_fit_is_an_error() {
    let array = stored([2, 3], vec![1_i32; 6]);
    let (options, all) = (FusedOptions::default(), Picked::default());
    let far = Picked { rows: Some(&[2]), columns: None };
    let error = statistics(&array, Axis::Rows, far, &[Statistic::Sum], &options).unwrap_err();
    assert!(error.message().contains("row 2 is out of bounds for 2 rows"), "{error}");
    let none = Picked { rows: Some(&[]), columns: None };
    assert!(statistics(&array, Axis::Columns, none, &[Statistic::Min], &options).is_err());
    let sum = statistics(&array, Axis::Columns, none, &[Statistic::Sum], &options).unwrap();
    assert_eq!(sum[0], [0.0; 3]);
    let error = Aggregate::parse("mode").unwrap_err();
    assert!(error.message().contains("`mode`: expected sum"), "{error}");
    let groups = Groups::new(&[Some(0), Some(1)], 2).unwrap();
    assert!(aggregate(&array, Axis::Columns, all, &groups, Aggregate::MEAN, &options).is_err());
    assert!(Groups::new(&[Some(2)], 2).is_err());
    let (groups, values) = Groups::of(&["b", "a", "b"]);
    assert_eq!((values, groups.lens()), (vec!["a", "b"], &[1, 2][..]));
    let file = File::in_memory().unwrap();
    let text = new_array(&file, [2, 2], [2, 2], DType::Bool);
    assert!(sparse(&text, all, &DType::Float64, &options).is_err());
    assert!(Scan::new(vec![array.clone()], ScanOptions::new(Axis::Rows).batch_len(0)).is_err());
    for ends in [vec![], vec![0, 2], vec![1], vec![2, 1, 2], vec![1, 3]] {
        assert!(Scan::new(vec![array.clone()], ScanOptions::new(Axis::Rows).ends(ends)).is_err());
    }
}

#[test]
fn batches_of_a_scan_end_where_it_is_said() {
    let array = stored([9, 3], (0..27).collect());
    for (ends, memory) in [(vec![1, 2, 7, 9], 1), (vec![4, 5, 9], 1 << 20), (vec![9], 1 << 20)] {
        let options = ScanOptions::new(Axis::Rows).items([8, 7, 6, 5, 4, 3, 2, 1, 0]);
        let options = options.ends(ends.clone()).memory_len_bytes(memory);
        let mut found = Vec::new();
        for batch in Scan::new(vec![array.clone()], options).unwrap() {
            let batch = batch.unwrap();
            let rows: Vec<u64> =
                (batch.start..batch.start + batch.indices.len()).map(|at| 8 - at as u64).collect();
            assert_eq!(batch.indices, rows);
            let lines = rows.iter().flat_map(|&row| [0, 1, 2].map(|j| row as i32 * 3 + j));
            assert_eq!(i32::of(batch.layers[0].numbers()).unwrap(), lines.collect::<Vec<_>>());
            found.push(batch.start + rows.len());
        }
        assert_eq!(found, ends);
    }
}
