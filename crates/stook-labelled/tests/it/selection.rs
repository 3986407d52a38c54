//! Selection and alignment, compared with a model that looks at every element.

use proptest::collection::vec;
use proptest::prelude::*;
use stook_labelled::{
    Array, AxesSelection, Axis, AxisCollection, AxisName, AxisRef, Bounds, Fault, Group, Key,
    Label, LabelKey, Labels, Lookup, Mask, PositionKey, Take,
};

fn axes(text: &str) -> AxisCollection {
    AxisCollection::parse(text).expect("axes")
}

/// The flat positions that a selection takes, in the order of its result.
fn flat(source: &AxisCollection, selection: &AxesSelection) -> Vec<usize> {
    let shape = source.shape();
    let points = selection.points();
    let n_points = selection.takes().iter().find_map(|take| match take {
        Take::Points(positions) => Some(positions.len()),
        _ => None,
    });
    // Each dimension of the result: the sources that go with it, and its length.
    let mut dimensions: Vec<(Vec<usize>, usize)> = Vec::new();
    for (at, take) in selection.takes().iter().enumerate() {
        if !matches!(take, Take::At(_) | Take::Points(_)) {
            dimensions.push((vec![at], take.len()));
        }
    }
    if let (Some(points), Some(n)) = (points, n_points) {
        let of_points = |(_, take): &(usize, &Take)| matches!(take, Take::Points(_));
        let sources = selection.takes().iter().enumerate().filter(of_points).map(|(at, _)| at);
        dimensions.insert(points.at, (sources.collect(), n));
    }
    let n: usize = dimensions.iter().map(|(_, len)| len).product();
    (0..n)
        .map(|i| {
            let mut rest = i;
            let mut index = vec![0; shape.len()];
            for (at, take) in selection.takes().iter().enumerate() {
                if let Take::At(position) = take {
                    index[at] = *position;
                }
            }
            for (sources, len) in dimensions.iter().rev() {
                for &source in sources {
                    index[source] = selection.takes()[source].iter().nth(rest % len).expect("one");
                }
                rest /= len;
            }
            index.iter().zip(&shape).fold(0, |flat, (at, len)| flat * len + at)
        })
        .collect()
}

fn taken(source: &str, keys: &[Key]) -> (String, Vec<usize>) {
    let source = axes(source);
    let selection = source.select(keys).expect("a selection");
    (selection.axes().info(), flat(&source, &selection))
}

fn refused(source: &str, keys: &[Key]) -> String {
    axes(source).select(keys).expect_err("no selection").message().to_owned()
}

const AB: &str = "a=a0..a3;b=b0..b2";

#[test]
fn an_array_is_made_of_axes_and_values() {
    let axes = axes("a=a0,a1;year=2000..2002");
    let data = stook_core::Values::zeroed(stook_core::DType::Int64, vec![2, 3]).expect("values");
    assert_eq!(Array::new(axes, data).expect("an array").shape(), [2, 3]);
}

#[test]
fn labels_match_whichever_axis_has_them() {
    assert_eq!(taken(AB, &["b1".into(), "a2".into()]), (String::new(), vec![7]));
    assert_eq!(taken(AB, &["a1".into()]), ("3\n b [3]: 'b0' 'b1' 'b2'".into(), vec![3, 4, 5]));
    let year = taken("a=a0,a1;y=2000..2003", &["a0".into(), "2001:2002".into()]);
    assert_eq!(year, ("2\n y [2]: 2001 2002".into(), vec![1, 2]));
    assert_eq!(taken(AB, &["a0:a3:2".into(), "b.i[-1]".into()]).1, [2, 8]);
    assert_eq!(taken(AB, &["a3,a0".into(), "b0".into()]).1, [9, 0]);
    assert_eq!(taken(AB, &[Key::All, "b0".into()]).1, [0, 3, 6, 9]);
    assert_eq!(taken(AB, &["a3:a1".into()]).1, [0_usize; 0]);
}

#[test]
fn a_label_of_two_axes_is_refused_with_both() {
    assert_eq!(
        refused("a=1..3;b=1..4", &[1.into()]),
        "1 is ambiguous, it is valid in the following axes:\n a [3]: 1 2 3\n b [4]: 1 2 3 4"
    );
    let on_a = Group::labels(LabelKey::Scalar(1.into()), Some("a".into()));
    assert_eq!(taken("a=1..3;b=1..4", &[on_a.into()]).1, [0, 1, 2, 3]);
    assert_eq!(taken("a=1..3;b=1..4", &[4.into()]).1, [3, 7, 11]);
}

#[test]
fn unknown_labels_are_refused_with_what_there_is() {
    let list = " a [4]: 'a0' 'a1' 'a2' 'a3'\n b [3]: 'b0' 'b1' 'b2'";
    let unknown = |key: &str| format!("{key} is not a valid label for any axis:\n{list}");
    assert_eq!(refused(AB, &["zz".into()]), unknown("'zz'"));
    assert_eq!(refused(AB, &[0.into()]), unknown("0"));
    assert_eq!(refused(AB, &["zz:a2".into()]), unknown("'zz:a2'"));
    assert_eq!(
        refused(AB, &["a0,b0".into()]),
        format!(
            "'a0,b0' is not a valid subset for any axis:\n{list}\nSome of those labels correspond \
             though:\n * axis 'a' contains 1 out of 2 labels (labels not found: 'b0')\n * axis 'b' \
             contains 1 out of 2 labels (labels not found: 'a0')"
        )
    );
    assert_eq!(
        refused(AB, &["a[zz]".into()]),
        "a['zz'] is not a valid label for the 'a' axis with labels: 'a0', 'a1', 'a2', 'a3'"
    );
    assert_eq!(
        refused(AB, &["a0".into(), "a1".into()]),
        "key has several values for axis: a\nkey: ('a0', 'a1')"
    );
}

#[test]
fn numbers_are_found_by_numbers_of_their_kind_only() {
    for key in [Label::Float(1.0), Label::Bool(true), Label::from("1")] {
        assert!(axes("y=1..3").select(&[key.into()]).is_err());
    }
}

#[test]
fn positions_are_checked_against_their_axis() {
    let error = axes(AB).select(&["a.i[9]".into()]).expect_err("out of bounds");
    assert_eq!(error.message(), "index 9 is out of bounds for axis 0 with size 4");
    assert_eq!(Fault::of(&error), Some(Fault::Position));
    let too_many = vec![Some(PositionKey::At(0)); 3];
    let error = axes(AB).select_positions(&too_many).expect_err("too many");
    assert_eq!(error.message(), "key is too long (3) for array with 2 dimensions");
    let group = Group::positions(PositionKey::At(0), None);
    assert_eq!(refused(AB, &[group.into()]), "positional groups without axis are not supported");
}

#[test]
fn points_go_together_and_masks_are_points() {
    let source = axes("a=a0,a1;b=b0,b1;c=c0,c1");
    let points = |keys: &[Key]| {
        let selection = source.select_points(keys).expect("points");
        (selection.axes().info(), flat(&source, &selection))
    };
    let (info, elements) = points(&["a0,a1".into(), "b0,b1".into()]);
    assert_eq!(info, "2 x 2\n a_b [2]: 'a0_b0' 'a1_b1'\n c [2]: 'c0' 'c1'");
    assert_eq!(elements, [0, 1, 6, 7]);
    let (info, elements) = points(&["b0,b1".into(), "c1,c0".into()]);
    assert_eq!(info, "2 x 2\n a [2]: 'a0' 'a1'\n b_c [2]: 'b0_c1' 'b1_c0'");
    assert_eq!(elements, [1, 2, 5, 6]);
    let error = source.select_points(&["a0,a1".into(), "b0,b1,b0".into()]).expect_err("lengths");
    assert_eq!(error.message(), "all combined keys should have the same length");

    let mask = Mask::new(axes("c=c0,c1;a=a0,a1"), vec![false, true, true, true]).expect("a mask");
    let selection = source.select(&[mask.into()]).expect("a selection");
    assert_eq!(
        selection.axes().info(),
        "3 x 2\n c_a [3]: 'c0_a1' 'c1_a0' 'c1_a1'\n b [2]: 'b0' 'b1'"
    );
    assert_eq!(flat(&source, &selection), [4, 6, 1, 3, 5, 7]);
    let of_one = Mask::new(axes("b=b0,b1"), vec![false, true]).expect("a mask");
    let selection = source.select(&[of_one.into(), "a0".into()]).expect("a selection");
    assert_eq!(selection.axes().info(), "1 x 2\n b [1]: 'b1'\n c [2]: 'c0' 'c1'");
}

#[test]
fn arrays_of_labels_bring_their_axes() {
    let lookup = |axes: &str, labels: &[&str]| {
        let axes = AxisCollection::parse(axes).expect("axes");
        Key::from(Lookup::new(axes, Labels::from_strings(labels)).expect("a lookup"))
    };
    let (info, elements) = taken(AB, &[lookup("x=x0,x1", &["a1", "a0"])]);
    assert_eq!(info, "2 x 3\n x [2]: 'x0' 'x1'\n b [3]: 'b0' 'b1' 'b2'");
    assert_eq!(elements, [3, 4, 5, 0, 1, 2]);
    let both = [lookup("x=x0,x1", &["a1", "a0"]), lookup("y=y0,y1", &["b0", "b2"])];
    let (info, elements) = taken(AB, &both);
    assert_eq!(info, "2 x 2\n x [2]: 'x0' 'x1'\n y [2]: 'y0' 'y1'");
    assert_eq!(elements, [3, 5, 0, 2]);
    let (info, elements) = taken(AB, &[lookup("b=b0..b2", &["a0", "a1", "a2"])]);
    assert_eq!(info, "3\n b [3]: 'b0' 'b1' 'b2'");
    assert_eq!(elements, [0, 4, 8]);
    assert_eq!(
        refused(AB, &[lookup("b=b0,b1", &["a0", "a1"])]),
        "incompatible axes:\nAxis(['b0', 'b1', 'b2'], 'b')\nvs\nAxis(['b0', 'b1'], 'b')"
    );
}

/// A collection of axes with one to five labels each, `a0`, `a1`, … in some order, maybe twice.
fn collections() -> impl Strategy<Value = AxisCollection> {
    let axis = vec(0..5_usize, 1..5);
    vec(axis, 1..4).prop_map(|all| {
        let axis = |(at, labels): (usize, Vec<usize>)| {
            let name = ["a", "b", "c"][at];
            let labels = labels.into_iter().map(|label| format!("{name}{label}"));
            Axis::new(Labels::from_strings(labels), Some(name))
        };
        all.into_iter().enumerate().map(axis).collect()
    })
}

/// What to take of an axis, by numbers that are brought within bounds.
#[derive(Clone, Debug)]
enum Asked {
    Nothing,
    One(usize),
    Between(usize, usize, i64),
    List(Vec<usize>),
}

fn asked() -> impl Strategy<Value = Asked> {
    prop_oneof![
        Just(Asked::Nothing),
        (0..5_usize).prop_map(Asked::One),
        (0..5_usize, 0..5_usize, 1..3_i64).prop_map(|(a, b, step)| Asked::Between(a, b, step)),
        vec(0..5_usize, 1..4).prop_map(Asked::List),
    ]
}

/// The key, and the positions that a naive search finds for it.
fn key_and_positions(axis: &Axis, asked: &Asked) -> (Key, Option<Vec<usize>>) {
    let labels: Vec<Label> = axis.labels().iter().collect();
    let label = |at: &usize| labels[at % labels.len()].clone();
    let first = |label: &Label| labels.iter().position(|own| own == label).expect("a label");
    match asked {
        Asked::Nothing => (Key::All, None),
        Asked::One(at) => (Key::Label(label(at)), Some(vec![first(&label(at))])),
        Asked::Between(a, b, step) => {
            let (start, stop) = (label(a), label(b));
            let to = first(&stop) + 1;
            let positions = (first(&start)..to).step_by(usize::try_from(*step).expect("a step"));
            let bounds = Bounds { start: Some(start), stop: Some(stop), step: Some(*step) };
            (Key::Slice(bounds), Some(positions.collect()))
        }
        Asked::List(list) => {
            let wanted: Vec<Label> = list.iter().map(label).collect();
            let positions = wanted.iter().map(first).collect();
            (Key::List(Labels::from_labels(wanted)), Some(positions))
        }
    }
}

proptest! {
    #[test]
    fn selection_is_that_of_a_naive_search(
        source in collections(),
        wanted in vec(asked(), 3),
        is_reversed in any::<bool>(),
    ) {
        let shape = source.shape();
        let mut keys = Vec::new();
        let mut expected: Vec<Vec<usize>> = vec![vec![]];
        let mut kept = Vec::new();
        for (axis, asked) in source.iter().zip(&wanted) {
            let (key, positions) = key_and_positions(axis, asked);
            let positions = positions.unwrap_or_else(|| (0..axis.len()).collect());
            keys.push(key);
            expected = expected
                .iter()
                .flat_map(|head| positions.iter().map(|at| [&head[..], &[*at]].concat()))
                .collect();
            if !matches!(asked, Asked::One(_)) {
                let labels: Vec<Label> =
                    positions.iter().filter_map(|at| axis.labels().get(*at)).collect();
                kept.push((axis.name().cloned(), labels));
            }
        }
        if is_reversed {
            keys.reverse();
        }
        let selection = source.select(&keys).expect("labels of these axes");
        let to_flat = |index: &Vec<usize>| index.iter().zip(&shape).fold(0, |flat, (at, len)| flat * len + at);
        prop_assert_eq!(flat(&source, &selection), expected.iter().map(to_flat).collect::<Vec<_>>());
        let found: Vec<(Option<AxisName>, Vec<Label>)> = selection
            .axes()
            .iter()
            .map(|axis| (axis.name().cloned(), axis.labels().iter().collect()))
            .collect();
        prop_assert_eq!(found, kept);
    }

    #[test]
    fn masks_take_what_is_true(source in collections(), bits in vec(any::<bool>(), 64)) {
        let n = source.n_elements().expect("few");
        let values: Vec<bool> = bits.iter().copied().cycle().take(n).collect();
        let expected: Vec<usize> = (0..n).filter(|at| values[*at]).collect();
        let mask = Mask::new(source.clone(), values).expect("a mask");
        let selection = source.select(&[mask.into()]).expect("a selection");
        prop_assert_eq!(selection.axes().len(), 1);
        prop_assert_eq!(selection.axes()[0].len(), expected.len());
        prop_assert_eq!(flat(&source, &selection), expected);
    }

    #[test]
    fn alignment_pairs_axes_of_one_name(source in collections(), order in Just([2_usize, 0, 1]).prop_shuffle(), n in 0..4_usize) {
        let other: AxisCollection = order
            .iter()
            .filter_map(|&at| source.get(at).cloned())
            .take(n)
            .chain([Axis::wildcard(2, Some("new"))])
            .collect();
        let both = source.aligned(&other).expect("the same labels");
        for (at, axis) in both.axes().iter().enumerate() {
            let name = AxisRef::from(axis.name().expect("a name").clone());
            prop_assert_eq!(both.left()[at], source.find(&name).expect("a name"));
            prop_assert_eq!(both.right()[at], other.find(&name).expect("a name"));
        }
        prop_assert_eq!(both.axes().len(), source.len() + 1);
    }
}
