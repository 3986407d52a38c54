//! `scale_offset` and `cast_value`, which zarr-python 3.4 has: other numbers, by values that are
//! spelled as fill values are.

use serde_json::{Map, Value, json};
use stook_core::codec::{CastValue, Endian, OutOfRange, Rounding, Stage};
use stook_core::{CodecSpec, DType, Error, Format, Result, Values};

use crate::dtype::{StoredType, v3};
use crate::fill;
use crate::json as text;
use crate::named::Named;

const ROUNDINGS: [(Rounding, &str); 5] = [
    (Rounding::NearestEven, "nearest-even"),
    (Rounding::TowardsZero, "towards-zero"),
    (Rounding::TowardsPositive, "towards-positive"),
    (Rounding::TowardsNegative, "towards-negative"),
    (Rounding::NearestAway, "nearest-away"),
];

fn stored(dtype: &DType) -> StoredType {
    StoredType::simple(dtype.clone(), Endian::Little)
}

/// Whether values of the type are integers or real numbers.
fn is_real(dtype: &DType) -> bool {
    is_integer(dtype)
        || matches!(
            dtype,
            DType::Float16 | DType::BFloat16 | DType::Float32 | DType::Float64 | DType::Narrow(_)
        )
}

fn is_integer(dtype: &DType) -> bool {
    use stook_core::dtype::Narrow::{Int2, Int4, UInt2, UInt4};
    matches!(
        dtype,
        DType::Int8
            | DType::Int16
            | DType::Int32
            | DType::Int64
            | DType::UInt8
            | DType::UInt16
            | DType::UInt32
            | DType::UInt64
            | DType::Narrow(Int2 | Int4 | UInt2 | UInt4)
    )
}

fn check_real(named: &Named<'_>, dtype: &DType) -> Result<()> {
    match is_real(dtype) {
        true => Ok(()),
        false => Err(Error::corrupt(format!(
            "`{}`: expected integers or real numbers, found {dtype}",
            named.name
        ))),
    }
}

fn scalar(named: &Named<'_>, key: &str, value: &Value, dtype: &DType) -> Result<Values> {
    let parsed = fill::parse(&stored(dtype), value).ok().flatten();
    parsed.ok_or_else(|| named.malformed(key, &format!("values of type {dtype}")))
}

/// `scale_offset` for the items of `stage`.
///
/// # Errors
/// `Corrupt` where a setting is malformed.
pub(super) fn parse_scale_offset(named: &Named<'_>, stage: &Stage) -> Result<CodecSpec> {
    check_real(named, &stage.dtype)?;
    let parse = |key: &str, neutral: f64| match named.get(key) {
        None => Ok(None),
        Some(value) if text::to_f64(value) == Some(neutral) => Ok(None),
        Some(value) => scalar(named, key, value, &stage.dtype).map(Some),
    };
    let (offset, scale) = (parse("offset", 0.0)?, parse("scale", 1.0)?);
    if scale.as_ref().is_some_and(|scale| scale.items().iter().all(|&byte| byte == 0)) {
        return Err(named.malformed("scale", "other than zero"));
    }
    Ok(CodecSpec::ScaleOffset { offset, scale })
}

/// The settings of `scale_offset`; those that change nothing are left out, as zarr-python has it.
///
/// # Errors
/// `Unsupported` where a value has no spelling.
pub(super) fn print_scale_offset(
    offset: Option<&Values>,
    scale: Option<&Values>,
    stage: &Stage,
) -> Result<Map<String, Value>> {
    let mut settings = Map::new();
    for (key, value) in [("offset", offset), ("scale", scale)] {
        if let Some(value) = value {
            let value = fill::print(value, &stored(&stage.dtype), Format::ZarrV3)?;
            settings.insert(key.to_owned(), value);
        }
    }
    Ok(settings)
}

/// `cast_value` for the items of `stage`.
///
/// # Errors
/// `Corrupt` where a setting is malformed, `Unsupported` where the type is not known.
pub(super) fn parse_cast_value(named: &Named<'_>, stage: &Stage) -> Result<CastValue> {
    check_real(named, &stage.dtype)?;
    let dtype = named.get("data_type").ok_or_else(|| named.malformed("data_type", "a type"))?;
    let dtype = v3::parse(dtype)?;
    check_real(named, &dtype)?;
    let rounding = match named.get("rounding") {
        None => Rounding::default(),
        Some(value) => {
            let found = ROUNDINGS.iter().find(|(_, name)| value.as_str() == Some(name));
            found.ok_or_else(|| named.malformed("rounding", "a way to round"))?.0
        }
    };
    let out_of_range = match (named.get("out_of_range"), named.text("out_of_range")) {
        (None, _) => None,
        (_, Some("clamp")) => Some(OutOfRange::Clamp),
        (_, Some("wrap")) if is_integer(&dtype) => Some(OutOfRange::Wrap),
        _ => return Err(named.malformed("out_of_range", "`clamp`, or `wrap` for integers")),
    };
    let encode = parse_pairs(named, "encode", (&stage.dtype, &dtype))?;
    let decode = parse_pairs(named, "decode", (&dtype, &stage.dtype))?;
    Ok(CastValue { dtype, rounding, out_of_range, encode, decode })
}

fn parse_pairs(
    named: &Named<'_>,
    direction: &str,
    (from, to): (&DType, &DType),
) -> Result<Vec<(Values, Values)>> {
    const KEY: &str = "scalar_map";
    let malformed = || named.malformed(KEY, "an object of lists of pairs of values");
    let map = match named.get(KEY) {
        None => return Ok(Vec::new()),
        Some(map) => map.as_object().ok_or_else(malformed)?,
    };
    let pairs = match map.get(direction) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(pairs) => pairs.as_array().ok_or_else(malformed)?,
    };
    let pair = |pair: &Value| match pair.as_array().map(Vec::as_slice) {
        Some([before, after]) => {
            Ok((scalar(named, KEY, before, from)?, scalar(named, KEY, after, to)?))
        }
        _ => Err(malformed()),
    };
    pairs.iter().map(pair).collect()
}

/// The settings of `cast_value`.
///
/// # Errors
/// `Unsupported` where a type or a value has no spelling.
pub(super) fn print_cast_value(cast: &CastValue) -> Result<Value> {
    let mut settings = Map::new();
    settings.insert("data_type".to_owned(), v3::print(&cast.dtype)?);
    if cast.rounding != Rounding::default() {
        let rounding = ROUNDINGS.iter().find(|(rounding, _)| *rounding == cast.rounding);
        settings.insert("rounding".to_owned(), json!(rounding.map(|(_, name)| name)));
    }
    let out_of_range = cast.out_of_range.map(|mode| match mode {
        OutOfRange::Clamp => "clamp",
        OutOfRange::Wrap => "wrap",
    });
    settings.extend(out_of_range.map(|mode| ("out_of_range".to_owned(), json!(mode))));
    let mut map = Map::new();
    for (direction, pairs) in [("encode", &cast.encode), ("decode", &cast.decode)] {
        if !pairs.is_empty() {
            let print = |value: &Values| fill::print(value, &stored(value.dtype()), Format::ZarrV3);
            let pairs = pairs.iter().map(|(from, to)| Ok(json!([print(from)?, print(to)?])));
            map.insert(direction.to_owned(), Value::Array(pairs.collect::<Result<_>>()?));
        }
    }
    if !map.is_empty() {
        settings.insert("scalar_map".to_owned(), Value::Object(map));
    }
    Ok(Value::Object(settings))
}
