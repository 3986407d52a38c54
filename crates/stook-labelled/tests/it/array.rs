//! Arrays against a model that knows nothing but a list of cells, each with its labels.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use stook_labelled::kernels::Reduction;
use stook_labelled::plan::Over;
use stook_labelled::{
    AggregateOptions, Array, Axis, AxisCollection, AxisRef, Key, Labels, concat, ndtest,
};

/// Elements by their labels, in the order of the names of axes.
type Cells = BTreeMap<Vec<String>, f64>;

fn axis(name: char, len: usize) -> Axis {
    Axis::new(Labels::from_strings((0..len).map(|i| format!("{name}{i}"))), Some(name.to_string()))
}

/// An array over some of the axes `a` to `d`, in any order.
fn arrays() -> impl Strategy<Value = Array> {
    let names = Just(vec!['a', 'b', 'c', 'd']).prop_shuffle();
    (names, 1_usize..4, proptest::collection::vec(1_usize..5, 4)).prop_map(|(names, rank, lens)| {
        let axes: Vec<Axis> = names
            .iter()
            .take(rank)
            .map(|&name| axis(name, lens[name as usize - 'a' as usize]))
            .collect();
        let array = ndtest(AxisCollection::from(axes)).unwrap();
        // Neither sorted nor all different.
        array.remainder(7).unwrap().times(1.5).unwrap()
    })
}

fn cells(array: &Array) -> Cells {
    let order = order(array);
    let shape = array.shape();
    let label = |at: usize, position: usize| array.axes()[at].labels().get(position).unwrap();
    array
        .to_vec::<f64>()
        .unwrap()
        .into_iter()
        .enumerate()
        .map(|(flat, element)| {
            let mut rest = flat;
            let mut labels = vec![String::new(); shape.len()];
            for at in (0..shape.len()).rev() {
                labels[at] = label(at, rest % shape[at]).to_string();
                rest /= shape[at];
            }
            (order.iter().map(|&at| labels[at].clone()).collect(), element)
        })
        .collect()
}

/// The axes by name.
fn order(array: &Array) -> Vec<usize> {
    let names: Vec<String> = array.axes().iter().map(Axis::display_name).collect();
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|a, b| names[*a].cmp(&names[*b]));
    order
}

/// Labels of some axes of an array: those whose bits are set, and never none.
fn some_labels(array: &Array, bits: u32) -> Vec<(usize, Vec<String>)> {
    let mut bits = bits;
    let mut picked = Vec::new();
    for (at, axis) in array.axes().iter().enumerate() {
        let labels: Vec<String> = axis.labels().iter().map(|label| label.to_string()).collect();
        let mut some: Vec<String> = Vec::new();
        for label in labels {
            if bits & 1 == 1 {
                some.insert(0, label);
            }
            bits >>= 1;
        }
        if !some.is_empty() {
            picked.push((at, some));
        }
    }
    picked
}

fn keys(picked: &[(usize, Vec<String>)]) -> Vec<Key> {
    picked.iter().map(|(_, labels)| Key::List(Labels::from_strings(labels))).collect()
}

/// Whether the cell at `labels` is one of those that are picked.
fn is_picked(array: &Array, picked: &[(usize, Vec<String>)], labels: &[String]) -> bool {
    let order = order(array);
    picked.iter().all(|(at, some)| {
        let place = order.iter().position(|axis| axis == at).unwrap();
        some.contains(&labels[place])
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn labels_pick_their_elements(array in arrays(), bits: u32) {
        let picked = some_labels(&array, bits);
        let part = array.get(keys(&picked)).unwrap();
        let mut expected = cells(&array);
        expected.retain(|labels, _| is_picked(&array, &picked, labels));
        prop_assert_eq!(cells(&part), expected);
    }

    #[test]
    fn what_is_written_is_read(array in arrays(), bits: u32) {
        let picked = some_labels(&array, bits);
        let mut changed = array.clone();
        let new = array.get(keys(&picked)).unwrap().negative().unwrap();
        changed.set(keys(&picked), &new).unwrap();
        let mut expected = cells(&array);
        for (labels, element) in &mut expected {
            if is_picked(&array, &picked, labels) {
                *element = -*element;
            }
        }
        prop_assert_eq!(cells(&changed), expected);
        changed.set(keys(&picked), 2).unwrap();
        prop_assert!(changed.get(keys(&picked)).unwrap().to_vec::<f64>().unwrap().iter().all(|x| *x == 2.0));
    }

    #[test]
    fn elements_meet_those_with_their_labels(a in arrays(), b in arrays()) {
        let Ok(sum) = a.plus(&b) else {
            prop_assert!(a.axes().aligned(b.axes()).is_err());
            return Ok(());
        };
        let (of_a, of_b) = (cells(&a), cells(&b));
        let side = |array: &Array, of: &Cells, labels: &[String]| {
            let names: Vec<char> = order(array)
                .into_iter()
                .map(|at| array.axes()[at].display_name().chars().next().unwrap())
                .collect();
            let own: Vec<String> =
                labels.iter().filter(|label| names.contains(&label.chars().next().unwrap())).cloned().collect();
            of[&own]
        };
        let found = cells(&sum);
        for (labels, element) in &found {
            prop_assert_eq!(*element, side(&a, &of_a, labels) + side(&b, &of_b, labels));
        }
        prop_assert!(sum.minus(&b).unwrap().eq_within(&a, Default::default()).unwrap().all(()).unwrap().item::<bool>().unwrap());
    }

    #[test]
    fn aggregates_are_those_of_their_elements(array in arrays(), bits: u32) {
        let over: Vec<Over> = array.axes().iter().enumerate()
            .filter(|(at, _)| bits >> at & 1 == 1)
            .map(|(_, axis)| Over::Axis(axis.clone().into()))
            .collect();
        let is_kept: Vec<bool> =
            order(&array).iter().map(|at| !over.is_empty() && bits >> at & 1 == 0).collect();
        let mut groups: BTreeMap<Vec<String>, Vec<f64>> = BTreeMap::new();
        for (labels, element) in cells(&array) {
            let kept = labels.into_iter().zip(&is_kept).filter(|(_, kept)| **kept);
            groups.entry(kept.map(|(label, _)| label).collect()).or_default().push(element);
        }
        let options = AggregateOptions::default();
        type Of = fn(&[f64]) -> f64;
        let all: [(Reduction, Of); 4] = [
            (Reduction::Sum, |all| all.iter().sum()),
            (Reduction::Max, |all| all.iter().copied().fold(f64::MIN, f64::max)),
            (Reduction::Mean, |all| all.iter().sum::<f64>() / all.len() as f64),
            (Reduction::Median, |all| {
                let mut sorted = all.to_vec();
                sorted.sort_by(f64::total_cmp);
                (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0
            }),
        ];
        for (op, of) in all {
            let found = cells(&array.aggregate(op, over.clone(), &options).unwrap());
            prop_assert_eq!(found.len(), groups.len());
            for (labels, element) in found {
                prop_assert!((element - of(&groups[&labels])).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn no_element_is_lost_on_another_way(array in arrays(), bits: u32) {
        let expected = cells(&array);
        let backwards = array.transposed([""; 0]).unwrap();
        prop_assert_eq!(cells(&backwards), expected.clone());
        prop_assert!(array.equals(&backwards));
        prop_assert_eq!(cells(&Array::from_long(&array.to_long().unwrap()).unwrap()), expected.clone());
        let names: Vec<AxisRef> = array.axes().iter().map(|axis| axis.clone().into()).collect();
        if names.len() > 1 {
            let one = array.combine_axes(names, "_").unwrap();
            let back = one.split_axis(AxisRef::Index(0), "_").unwrap();
            prop_assert_eq!(cells(&back), expected.clone());
        }
        let first = array.axes()[0].clone();
        let (at, rest) = (1 + bits as usize % first.len(), first.len());
        let half = |from: usize, to: usize| {
            let labels = (from..to).map(|at| first.labels().get(at).unwrap()).collect();
            array.get(Key::List(Labels::from_labels(labels))).unwrap()
        };
        if at < rest {
            let both = concat(&[&half(0, at), &half(at, rest)], first.clone()).unwrap();
            prop_assert_eq!(cells(&both), expected.clone());
            let part = half(0, at).reindex(AxisRef::Index(0), &first, f64::INFINITY).unwrap();
            for (labels, element) in cells(&part) {
                prop_assert!(element == f64::INFINITY || element == expected[&labels]);
            }
        }
    }

    #[test]
    fn truths_pick_as_positions_do(array in arrays(), limit in 0_i64..9) {
        let large = array.greater(limit).unwrap();
        let picked = array.filter(&large).unwrap().to_vec::<f64>().unwrap();
        let expected: Vec<f64> =
            array.to_vec::<f64>().unwrap().into_iter().filter(|x| *x > limit as f64).collect();
        prop_assert_eq!(picked, expected);
        let zeroed = array.replaced_where(&large, 0).unwrap();
        prop_assert!(zeroed.max(()).unwrap().item::<f64>().unwrap() <= limit as f64);
    }
}
