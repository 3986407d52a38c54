//! Random sessions go through every format: what is said to be saved comes back as it was.

#![allow(clippy::disallowed_methods, reason = "folders are removed between tests")]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use stook_core::dtype::{TimeBase, TimeUnit};
use stook_core::element::as_bytes;
use stook_core::{DType, Values};
use stook_labelled::session::{LoadOptions, NotKept, SaveOptions};
use stook_labelled::{
    Array, Axis, AxisCollection, AxisName, AxisRef, Bounds, Date, Group, GroupKey, Item, Label,
    LabelKey, Labels, Metadata, PositionKey, Scalar, Session, Time,
};

use crate::support::{differences, formats};

/// Text as people have it, and some that formats take for something else.
fn text() -> impl Strategy<Value = String> {
    let odd = [
        "",
        " ",
        "nan",
        "1",
        "01",
        "True",
        "a,b",
        "\"q\"",
        "a\\b",
        "é",
        "日本",
        "2020-01-01",
        "x\ny",
    ];
    prop_oneof![
        3 => "[a-zé日][a-z0-9_]{0,6}",
        1 => prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
    ]
}

fn float() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => any::<f64>(),
        2 => (-9..9_i32).prop_map(f64::from),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 1e-310]),
    ]
}

fn unit() -> impl Strategy<Value = TimeUnit> {
    use TimeBase::{Day, Microsecond, Millisecond, Nanosecond, Second};
    let bases = [Day, Second, Millisecond, Microsecond, Nanosecond];
    prop::sample::select(bases.to_vec()).prop_map(|base| TimeUnit { base, count: 1 })
}

/// A day between 1900 and 2100, in ticks of a unit.
fn ticks(unit: TimeUnit, day: i64) -> i64 {
    let per_day = match unit.base {
        TimeBase::Day => 1,
        TimeBase::Second => 86_400,
        TimeBase::Millisecond => 86_400_000,
        TimeBase::Microsecond => 86_400_000_000,
        _ => 86_400_000_000_000,
    };
    day * per_day
}

fn label() -> impl Strategy<Value = Label> {
    prop_oneof![
        text().prop_map(Label::from),
        any::<i64>().prop_map(Label::Int),
        (-9..9_i32).prop_map(|n| Label::Float(f64::from(n) / 4.0)),
        any::<bool>().prop_map(Label::Bool),
    ]
}

/// Labels of every kind, `len` of them.
fn labels(len: usize) -> BoxedStrategy<Labels> {
    let different = |labels: Vec<Label>| {
        let mut seen: Vec<Label> = Vec::new();
        labels.iter().all(|label| {
            let is_new = !seen.contains(label);
            seen.push(label.clone());
            is_new
        })
    };
    let moments = (unit(), vec(-25_000..47_000_i64, len)).prop_map(|(unit, days)| {
        let moments = days.into_iter().enumerate();
        let moments = moments.map(|(at, day)| ticks(unit, day + 1000 * at as i64));
        Labels::from_labels(moments.map(|ticks| Label::DateTime(ticks, unit)).collect())
    });
    prop_oneof![
        3 => vec(text(), len).prop_map(Labels::from_strings),
        2 => vec(any::<i64>(), len).prop_map(|labels| Labels::from_ints(&labels)),
        1 => vec(-99..99_i8, len).prop_map(|labels| Labels::from_elements(&labels)),
        1 => vec(-99..99_i32, len).prop_map(|labels| {
            Labels::from_elements(&labels.into_iter().map(f64::from).collect::<Vec<_>>())
        }),
        1 => vec(any::<bool>(), len).prop_map(|labels| Labels::from_elements(&labels)),
        1 => moments,
        1 => Just(Labels::wildcard(len)),
        1 => (0..9_i64).prop_map(move |at| Labels::range(at, at + len as i64, 1).unwrap()),
        1 => vec(label(), len).prop_map(Labels::mixed),
    ]
    .prop_filter("labels of an axis are different", move |labels| {
        different(labels.iter().collect())
    })
    .boxed()
}

fn axis(len: impl Strategy<Value = usize>, place: usize) -> impl Strategy<Value = Axis> {
    let name = prop_oneof![
        4 => Just(true),
        1 => Just(false),
    ];
    (len.prop_flat_map(labels), name, text()).prop_map(move |(labels, is_named, name)| {
        // A backslash is what tables have between the names of the last two axes.
        let name = format!("{}{place}", name.replace('\\', ""));
        Axis::new(labels, is_named.then(|| AxisName::from(name)))
    })
}

fn values(shape: Vec<u64>) -> BoxedStrategy<Values> {
    let n: u64 = shape.iter().product();
    let n = usize::try_from(n).unwrap();
    let of = move |dtype: DType, items: Vec<u8>| {
        Values::new(dtype, shape.clone(), items, Vec::new()).unwrap()
    };
    macro_rules! elements {
        ($strategy:expr, $dtype:expr) => {{
            let of = of.clone();
            vec($strategy, n).prop_map(move |elements| of($dtype, as_bytes(&elements).to_vec()))
        }};
    }
    let texts = of.clone();
    let moments = of.clone();
    prop_oneof![
        4 => elements!(float(), DType::Float64),
        2 => elements!(any::<i64>(), DType::Int64),
        1 => elements!(any::<i8>(), DType::Int8),
        1 => elements!(any::<u64>(), DType::UInt64),
        1 => elements!(any::<u16>(), DType::UInt16),
        1 => elements!(any::<f32>(), DType::Float32),
        1 => elements!(any::<bool>(), DType::Bool),
        1 => elements!(float(), DType::Float64),
        1 => vec(text(), n).prop_map(move |elements| {
            let shape = texts(DType::Int8, vec![0; n]).shape().to_vec();
            Values::from_strings(shape, &elements).unwrap()
        }),
        1 => (unit(), vec(prop::option::of(-25_000..47_000_i64), n)).prop_map(move |(unit, days)| {
            let ticks = days.into_iter().map(|day| day.map_or(i64::MIN, |day| ticks(unit, day)));
            moments(DType::DateTime(unit), as_bytes(&ticks.collect::<Vec<_>>()).to_vec())
        }),
    ]
    .boxed()
}

fn array() -> impl Strategy<Value = Item> {
    let axes = (0..=6_usize).prop_flat_map(|ndim| {
        let most: usize = if ndim > 3 { 2 } else { 3 };
        let len = move || prop_oneof![1 => Just(0_usize), 12 => 1..=most];
        (0..ndim).map(|place| axis(len(), place)).collect::<Vec<_>>()
    });
    let array = axes.prop_flat_map(|axes| {
        let axes = AxisCollection::from(axes);
        let shape = axes.shape().iter().map(|&len| len as u64).collect();
        (Just(axes), values(shape))
    });
    (array, metadata()).prop_map(|((axes, values), metadata)| {
        Item::Array(Array::new(axes, values).unwrap(), metadata)
    })
}

fn date() -> impl Strategy<Value = Date> {
    (-25_000..47_000_i64).prop_map(|days| Date::from_days(days).unwrap())
}

fn scalar() -> impl Strategy<Value = Scalar> {
    let time = || (0..86_400_000_000_u64).prop_map(Time);
    prop_oneof![
        any::<bool>().prop_map(Scalar::Bool),
        any::<i64>().prop_map(|value| Scalar::Int(value.into())),
        float().prop_map(Scalar::Float),
        text().prop_map(Scalar::from),
        vec(any::<u8>(), 0..9).prop_map(|bytes| Scalar::Bytes(bytes.into())),
        date().prop_map(Scalar::Date),
        time().prop_map(Scalar::Time),
        (date(), time()).prop_map(|(date, time)| Scalar::DateTime(date, time)),
        (float(), float()).prop_map(|(re, im)| Scalar::Complex(re, im)),
        any::<i32>().prop_map(|value| {
            let items = as_bytes(&[value]).to_vec();
            Scalar::Typed(Values::new(DType::Int32, vec![], items, vec![]).unwrap().into())
        }),
    ]
}

/// Values that larray takes as metadata.
fn metadata() -> impl Strategy<Value = Metadata> {
    let value = prop_oneof![
        text().prop_map(Scalar::from),
        any::<i32>().prop_map(Scalar::from),
        (-9..9_i32).prop_map(|n| Scalar::Float(f64::from(n) / 8.0)),
        date().prop_map(Scalar::Date),
    ];
    vec(("[a-z]{1,5}", value), 0..3).prop_map(|pairs| pairs.into_iter().collect())
}

fn group() -> impl Strategy<Value = Item> {
    let name = prop::option::of("[a-z]{1,4}");
    let key = prop_oneof![
        label().prop_map(|label| GroupKey::Labels(LabelKey::Scalar(label))),
        vec(text(), 1..4)
            .prop_map(|labels| GroupKey::Labels(LabelKey::List(Labels::from_strings(labels)))),
        (text(), text()).prop_map(|(start, stop)| {
            let bounds = Bounds { start: Some(start.into()), stop: Some(stop.into()), step: None };
            GroupKey::Labels(LabelKey::Slice(bounds))
        }),
        (0..3_i64).prop_map(|at| GroupKey::Positions(PositionKey::At(at))),
        vec(0..3_i64, 1..3).prop_map(|list| GroupKey::Positions(PositionKey::List(list))),
        (0..2_i64, 2..4_i64).prop_map(|(start, stop)| {
            let bounds = Bounds { start: Some(start), stop: Some(stop), step: None };
            GroupKey::Positions(PositionKey::Slice(bounds))
        }),
    ];
    (key, name, axis(3..4_usize, 0)).prop_map(|(key, name, axis)| {
        Item::Group(Group::new(key, name.map(Label::from), Some(AxisRef::from(axis))))
    })
}

fn session() -> impl Strategy<Value = Session> {
    let item = prop_oneof![
        5 => array(),
        1 => axis(0..5_usize, 0).prop_map(Item::Axis),
        1 => group(),
        2 => scalar().prop_map(Item::Scalar),
    ];
    (vec(item, 1..5), metadata()).prop_map(|(items, metadata)| {
        let named = items.into_iter().enumerate().map(|(at, item)| (format!("item{at}"), item));
        named.collect::<Session>().with_metadata(metadata)
    })
}

/// Random sessions of each format where nobody asks for more.
const N_CASES: u32 = 40;

/// Saves a session and loads it; what is not as it was.
fn lost(session: &Session, path: &std::path::Path) -> Vec<String> {
    let mut options = SaveOptions::default();
    options.sidecar = true;
    let report = session.save(path, &options).unwrap();
    let mut read = Session::new();
    let loaded = read.load(path, &LoadOptions::default()).unwrap();
    let is_kept = |item: &str| {
        let is_of = |lost: &NotKept| lost.name == item;
        !report.changed.iter().any(is_of) && !report.not_saved.iter().any(is_of)
    };
    let kept = session.filter_by(|item, _| is_kept(item));
    let kept = kept.with_metadata(session.metadata().clone());
    let told = loaded.not_loaded.iter().map(|lost| format!("not loaded: {lost}"));
    let told = told.chain(differences(&kept, &read)).collect();
    if path.extension().is_none() {
        // Else the next session would find the files of this one beside its own.
        std::fs::remove_dir_all(path).unwrap();
    }
    told
}

#[test]
fn random_sessions_come_back_from_every_format() {
    let mut failures = Vec::new();
    for name in formats() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
        if std::env::var_os("PROPTEST_CASES").is_none() {
            config.cases = N_CASES;
        }
        let tried = TestRunner::new(config).run(&session(), |session| {
            prop_assert_eq!(lost(&session, &path), Vec::<String>::new());
            Ok(())
        });
        failures.extend(tried.err().map(|error| format!("{name}: {error}")));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
