//! What there is to know of elements, as JSON.

use serde_json::{Map, Number, Value, json};
use stook::DType;
use stook::stats::{FieldStats, Numbers, Scalar, Stats, Summary};

use super::{moment, scalar};

/// What there is to know of the array at `path`.
pub(in crate::info) fn to_json(path: &str, found: &Stats) -> Value {
    let mut document = Map::new();
    document.insert("path".to_owned(), path.into());
    document.extend(fields_json(found));
    Value::Object(document)
}

/// What there is to know, without the path.
pub(in crate::info) fn fields_json(found: &Stats) -> Map<String, Value> {
    let mut document = Map::new();
    let summary = |field: &FieldStats| {
        let mut fields = Map::new();
        fields.insert("dtype".to_owned(), field.dtype.to_string().into());
        fields.extend(summary_json(&field.dtype, &field.summary));
        fields
    };
    match &found.fields[..] {
        [field] if field.name.is_empty() => document.extend(summary(field)),
        fields => {
            document.insert("count".to_owned(), found.n.into());
            let members =
                fields.iter().map(|field| (field.name.clone(), Value::Object(summary(field))));
            document.insert("members".to_owned(), Value::Object(members.collect()));
        }
    }
    document
}

fn summary_json(dtype: &DType, summary: &Summary) -> Map<String, Value> {
    let value = match summary {
        Summary::Numbers(numbers) => numbers_json(dtype, numbers),
        Summary::Magnitudes(numbers) => {
            let mut value = numbers_json(dtype, numbers);
            value.as_object_mut().map(|fields| fields.insert("of".to_owned(), "magnitude".into()));
            value
        }
        Summary::Bools { n, n_true } => json!({ "count": n, "true": n_true, "false": n - n_true }),
        Summary::Times { n, n_nat, range } => json!({
            "count": n,
            "min": range.map(|(min, _)| moment(dtype, min)),
            "max": range.map(|(_, max)| moment(dtype, max)),
            "nat": n_nat,
        }),
        Summary::Texts(texts) => json!({
            "count": texts.n,
            "empty": texts.n_empty,
            "shortest": texts.lengths.map(|(shortest, _)| shortest),
            "longest": texts.lengths.map(|(_, longest)| longest),
            "distinct": texts.n_distinct(),
        }),
        Summary::Raw { n, n_nonzero } => json!({ "count": n, "nonzero": n_nonzero }),
        _ => Value::Null,
    };
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn numbers_json(dtype: &DType, numbers: &Numbers) -> Value {
    let extreme = |x: Option<Scalar>| x.map_or(Value::Null, |x| scalar_json(dtype, x));
    json!({
        "count": numbers.n,
        "min": extreme(numbers.min),
        "max": extreme(numbers.max),
        "mean": numbers.mean(),
        "std": numbers.std(),
        "sum": scalar_json(&DType::Float64, numbers.sum()),
        "nonzero": numbers.n_nonzero,
        "nan": numbers.n_nan,
        "inf": numbers.n_positive_infinite,
        "-inf": numbers.n_negative_infinite,
        "histogram": {
            "start": numbers.histogram.start(),
            "width": numbers.histogram.width(),
            "counts": numbers.histogram.counts(),
        },
    })
}

/// A number; an integer that is none of JSON's for most readers is a string of its digits.
fn scalar_json(dtype: &DType, x: Scalar) -> Value {
    match x {
        Scalar::Integer(n) => i64::try_from(n)
            .map(Value::from)
            .or_else(|_| u64::try_from(n).map(Value::from))
            .unwrap_or_else(|_| n.to_string().into()),
        Scalar::Float(_) => {
            let shortest = scalar(dtype, x).parse().ok().and_then(Number::from_f64);
            shortest.map_or(Value::Null, Value::Number)
        }
    }
}
