//! Axes, keys and aggregates, as larray answers them (`python/fixtures/label_cases.py`).

use serde_json::{Value, json};
use stook_core::{Error, Result};
use stook_labelled::kernels::Reduction;
use stook_labelled::{
    AggregateOptions, Array, Axis, AxisCollection, AxisName, Bounds, Fault, Key, Label, Labels,
    ndtest,
};

const CASES: &str = include_str!("../data/cases.json");

/// What has another answer here on purpose: the part, and what was asked.
const DIFFERENT: [(&str, &str); 8] = [
    // A range whose step leads away from its end: larray passes over the sign.
    ("axes", "a=10..0 step -5"),
    // Nothing is a label called nothing; one number is the label that it is.
    ("axes", "a="),
    ("axes", "3"),
    // An axis without a name goes with one that has the same labels.
    ("add", "a=a0..a2 + a0..a2"),
    // larray tells these by what Python runs into.
    ("select", "a=a0..a3;b=b0..b2;c=2000..2003 \"\""),
    ("select", "a=a0..a3;b=b0..b2;c=2000..2003 \"a.i[x]\""),
    // Names of axes are text of any kind, not of ASCII alone.
    ("select", "é=é0,é1;b=b 0,b 1 \"é[é1]\""),
    ("select", "é=é0,é1;b=b 0,b 1 \"é.i[0]\""),
];

fn cases(part: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(CASES).expect("JSON");
    all[part].as_array().expect("cases").clone()
}

/// Compares all answers of a part before it fails.
fn check(part: &str, asked: impl Fn(&Value) -> String, answer: impl Fn(&Value) -> Result<Value>) {
    let mut wrong = Vec::new();
    for case in cases(part) {
        let asked = asked(&case);
        let found = match answer(&case) {
            Ok(found) => found,
            Err(error) => told(&error),
        };
        let expected = &case["found"];
        let is_known = DIFFERENT.contains(&(part, &*asked));
        if (found == *expected) == is_known {
            wrong.push(format!("{asked}\n  larray {expected}\n  found  {found}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {part}:\n{}", wrong.len(), wrong.join("\n"));
}

fn told(error: &Error) -> Value {
    let kind = match Fault::of(error) {
        Some(Fault::Position) => "IndexError",
        Some(Fault::Type) => "TypeError",
        _ => "ValueError",
    };
    json!({ "error": kind, "text": error.to_string() })
}

fn of_label(label: &Label) -> Value {
    match label {
        Label::None => Value::Null,
        Label::Bool(truth) => json!(truth),
        Label::Int(number) => json!(number),
        Label::Float(number) => json!(number),
        Label::Str(text) => json!(&**text),
        other => json!(other.to_string()),
    }
}

fn of_axis(axis: &Axis) -> Value {
    let name = match axis.name() {
        Some(AxisName::Text(text)) => json!(&**text),
        Some(other) => json!(other.to_string()),
        None => Value::Null,
    };
    let labels: Vec<Value> = axis.labels().iter().map(|label| of_label(&label)).collect();
    json!({ "name": name, "wildcard": axis.is_wildcard(), "labels": labels })
}

fn of_array(array: &Array) -> Result<Value> {
    let axes: Vec<Value> = array.axes().iter().map(of_axis).collect();
    Ok(json!({ "elements": array.to_vec::<i64>()?, "axes": axes }))
}

fn label(value: &Value) -> Label {
    match value {
        Value::Null => Label::None,
        Value::Bool(truth) => Label::Bool(*truth),
        Value::String(text) => Label::from(&**text),
        number if number.is_i64() => Label::Int(number.as_i64().expect("an integer")),
        number => Label::Float(number.as_f64().expect("a number")),
    }
}

fn key(value: &Value) -> Vec<Key> {
    if let Some(keys) = value.get("keys") {
        return keys.as_array().expect("keys").iter().flat_map(key).collect();
    }
    if let Some(list) = value.get("list") {
        let labels = list.as_array().expect("labels").iter().map(label).collect();
        return vec![Key::List(Labels::from_labels(labels))];
    }
    if let Some(slice) = value.get("slice") {
        let end = |at: usize| (!slice[at].is_null()).then(|| label(&slice[at]));
        let (start, stop, step) = (end(0), end(1), slice[2].as_i64());
        return vec![Key::Slice(Bounds { start, stop, step })];
    }
    vec![match value.as_str() {
        Some(":") => Key::All,
        Some(text) => Key::Text(text.into()),
        None => Key::Label(label(value)),
    }]
}

fn text(case: &Value, part: &str) -> String {
    case[part].as_str().expect("text").to_owned()
}

fn axes(case: &Value) -> AxisCollection {
    AxisCollection::parse(&text(case, "axes")).expect("axes")
}

#[test]
fn axes_are_read_as_larray_reads_them() {
    check(
        "axes",
        |case| text(case, "axis"),
        |case| Axis::parse(&text(case, "axis")).map(|axis| of_axis(&axis)),
    );
}

#[test]
fn keys_select_what_larray_selects() {
    check(
        "select",
        |case| format!("{} {}", text(case, "axes"), case["key"]),
        |case| of_array(&ndtest(axes(case))?.get(key(&case["key"]))?),
    );
}

#[test]
fn aggregates_have_the_elements_and_labels_of_larray() {
    check(
        "aggregate",
        |case| format!("{} {} {}", text(case, "what"), text(case, "over"), case["keepaxes"]),
        |case| {
            let op = if case["what"] == "sum" { Reduction::Sum } else { Reduction::Max };
            let keep_axes = (case["keepaxes"] == true).then(|| Label::from(&*text(case, "what")));
            let options = AggregateOptions { keep_axes, ..Default::default() };
            of_array(&ndtest(axes(case))?.aggregate(op, &*text(case, "over"), &options)?)
        },
    );
}

#[test]
fn arithmetic_has_the_axes_of_larray() {
    check(
        "add",
        |case| format!("{} + {}", text(case, "first"), text(case, "second")),
        |case| {
            let other = ndtest(&*text(case, "second"))?.times(10)?;
            of_array(&ndtest(&*text(case, "first"))?.plus(&other)?)
        },
    );
}
