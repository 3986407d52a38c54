//! The forms of an attribute: as it is given, as it is in memory, as it is in a file.
//!
//! In memory text is UTF-8 of any length and everything else numbers, in any number of axes. In
//! files before version 3 text is ASCII in fields of fixed width, in which XML entities stand for
//! other characters.

use stook::dtype::Charset;
use stook::values::{HeapItem, push_heap_item, trim_nul};
use stook::{AttributeValue, DType, Error, Result, Values};

use crate::version::SpecVersion;

/// The value that a container gives for an attribute of a node, if there is one.
pub(crate) fn values_of(value: &AttributeValue) -> Option<Values> {
    match value {
        AttributeValue::Values(values) => Some(values.clone()),
        AttributeValue::Json(json) => of_json(json),
        AttributeValue::Null(_) => None,
    }
}

fn of_json(json: &serde_json::Value) -> Option<Values> {
    use serde_json::Value as Json;
    match json {
        Json::String(text) => Some(Values::text(text)),
        Json::Bool(value) => Some(number(u8::from(*value))),
        Json::Number(number_) => match (number_.as_i64(), number_.as_f64()) {
            (Some(int), _) => Some(number(int)),
            (None, Some(float)) => Some(number(float)),
            _ => None,
        },
        Json::Array(items) => of_list(items),
        _ => None,
    }
}

fn of_list(list: &[serde_json::Value]) -> Option<Values> {
    let shape = vec![list.len() as u64];
    if let Some(texts) = list.iter().map(|item| item.as_str()).collect::<Option<Vec<_>>>() {
        return Values::from_strings(shape, &texts).ok();
    }
    if let Some(ints) = list.iter().map(|item| item.as_i64()).collect::<Option<Vec<_>>>() {
        return numbers(shape, &ints).ok();
    }
    let floats = list.iter().map(|item| item.as_f64()).collect::<Option<Vec<_>>>()?;
    numbers(shape, &floats).ok()
}

/// One number.
pub(crate) fn number<T: stook::Element>(number: T) -> Values {
    numbers(Vec::new(), &[number]).expect("one number has the shape of a scalar")
}

/// Numbers of `shape`, in C order.
///
/// # Errors
/// `InvalidInput` where there are more or fewer than the shape says.
pub fn numbers<T: stook::Element>(shape: Vec<u64>, numbers: &[T]) -> Result<Values> {
    Values::new(T::DTYPE, shape, stook::element::as_bytes(numbers).to_vec(), Vec::new())
}

/// Whether a layer may have items of this type.
pub(crate) fn is_matrix_dtype(dtype: &DType) -> bool {
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
            | DType::Float16
            | DType::Float32
            | DType::Float64
    )
}

/// Whether items of this type are text.
pub(crate) fn is_text(dtype: &DType) -> bool {
    matches!(dtype, DType::String(_) | DType::FixedString(_) | DType::Unicode(_) | DType::Bytes)
}

/// The text of each item. Bytes that are no UTF-8 are taken for Latin-1, so that none is lost.
fn texts(values: &Values) -> Result<Vec<String>> {
    (0..values.len())
        .map(|at| {
            if matches!(values.dtype(), DType::Unicode(_)) {
                return values.text_at(at);
            }
            let bytes = match values.dtype() {
                DType::FixedString(_) => match values.text_at(at) {
                    Ok(text) => return Ok(text),
                    Err(_) => trim_nul(values.item(at).unwrap_or_default()),
                },
                _ => values.payload(at)?,
            };
            Ok(match std::str::from_utf8(bytes) {
                Ok(text) => text.to_owned(),
                Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
            })
        })
        .collect()
}

/// An attribute as it is given, in the form that it has in memory: truth values are numbers, and
/// bytes are text.
///
/// # Errors
/// `InvalidInput` for text with NUL characters and for types that no loom has.
pub fn normalized(values: &Values) -> Result<Values> {
    let shape = values.shape().to_vec();
    match values.dtype() {
        DType::Bool => Values::new(DType::UInt8, shape, values.items().to_vec(), Vec::new()),
        dtype if is_matrix_dtype(dtype) => Ok(values.clone()),
        dtype if is_text(dtype) => {
            let texts = texts(values)?;
            if let Some(text) = texts.iter().find(|text| text.contains('\0')) {
                let text = text.escape_default();
                return Err(Error::invalid(format!("text with a NUL character: `{text}`")));
            }
            Values::from_strings(shape, &texts)
        }
        DType::Enum(r#enum) if is_truth(r#enum) => {
            crate::items::cast(&enum_numbers(values, r#enum)?, &DType::UInt8)
        }
        DType::Enum(r#enum) => {
            let numbers = crate::items::integers(&enum_numbers(values, r#enum)?)?;
            let name = |number: &i128| {
                let named = r#enum.members.iter().find(|(_, value)| value == number);
                named.map_or_else(|| number.to_string(), |(name, _)| name.clone())
            };
            Values::from_strings(shape, &numbers.iter().map(name).collect::<Vec<_>>())
        }
        other => {
            let message = format!("expected numbers, text or truth values, found {other}");
            let error = Error::invalid(message);
            Err(error.with_hint("`stook loom repair` makes attributes of its members"))
        }
    }
}

fn is_truth(r#enum: &stook::dtype::EnumType) -> bool {
    let is_one = |(name, value): &(String, i128)| {
        (name.eq_ignore_ascii_case("false") && *value == 0)
            || (name.eq_ignore_ascii_case("true") && *value == 1)
    };
    r#enum.members.iter().all(is_one)
}

fn enum_numbers(values: &Values, r#enum: &stook::dtype::EnumType) -> Result<Values> {
    Values::new(r#enum.base.clone(), values.shape().to_vec(), values.items().to_vec(), Vec::new())
}

/// An attribute as a file of `version` has it, in the form that it has in memory. What is neither
/// number nor text (a compound, say) stays as it is.
pub(crate) fn read(values: Values, version: SpecVersion) -> Result<Values> {
    if !is_text(values.dtype()) {
        return Ok(values);
    }
    if version.is_v3() && is_utf8(&values) {
        let (_, shape, items, heap) = values.into_parts();
        return Values::new(DType::string(), shape, items, heap);
    }
    let mut texts = texts(&values)?;
    if !version.is_v3() {
        texts.iter_mut().filter(|text| text.contains('&')).for_each(|text| *text = unescape(text));
    }
    Values::from_strings(values.shape().to_vec(), &texts)
}

/// Whether items are text of any length, all of it UTF-8.
fn is_utf8(values: &Values) -> bool {
    let is_text = |at| values.payload(at).is_ok_and(|text| std::str::from_utf8(text).is_ok());
    matches!(values.dtype(), DType::String(_))
        && if values.heap().is_ascii() {
            (0..values.len()).all(|at| values.payload(at).is_ok())
        } else {
            (0..values.len()).all(is_text)
        }
}

/// A normalised attribute in the form that a file of `version` has.
pub(crate) fn stored(values: &Values, version: SpecVersion) -> Result<Values> {
    if version.is_v3() || !is_text(values.dtype()) {
        return Ok(values.clone());
    }
    let texts = texts(values)?.iter().map(|text| escape(text)).collect::<Vec<_>>();
    let width = texts.iter().map(String::len).max().unwrap_or(0).max(1);
    let mut items = Vec::with_capacity(texts.len().saturating_mul(width));
    for text in &texts {
        items.extend_from_slice(text.as_bytes());
        items.resize(items.len() + width - text.len(), 0);
    }
    Values::new(DType::fixed_bytes(width), values.shape().to_vec(), items, Vec::new())
}

/// `text` in ASCII: XML entities stand for other characters, and for an ampersand that would be
/// taken for the beginning of one.
pub(crate) fn escape(text: &str) -> String {
    let is_ambiguous = unescape(text) != text;
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' if is_ambiguous => escaped.push_str("&amp;"),
            c if c.is_ascii() => escaped.push(c),
            c => escaped.push_str(&format!("&#{};", u32::from(c))),
        }
    }
    escaped
}

/// `text` with the characters that XML entities in it stand for; what is none stays.
pub(crate) fn unescape(text: &str) -> String {
    let mut unescaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, entity)) = rest.split_once('&') {
        unescaped.push_str(before);
        let found =
            entity.split_once(';').and_then(|(name, after)| Some((character(name)?, after)));
        match found {
            Some((c, after)) => {
                unescaped.push(c);
                rest = after;
            }
            None => {
                unescaped.push('&');
                rest = entity;
            }
        }
    }
    unescaped.push_str(rest);
    unescaped
}

fn character(name: &str) -> Option<char> {
    let number = match name.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        },
        None => {
            return match name {
                "amp" => Some('&'),
                "lt" => Some('<'),
                "gt" => Some('>'),
                "quot" => Some('"'),
                "apos" => Some('\''),
                _ => None,
            };
        }
    };
    char::from_u32(number).filter(|&c| c != '\0')
}

/// Text of any length with the heap of `values` cut to what its items use.
pub(crate) fn compacted(values: Values) -> Result<Values> {
    if !matches!(values.dtype(), DType::String(_) | DType::Bytes) {
        return Ok(values);
    }
    let (mut items, mut heap) = (Vec::with_capacity(values.items().len()), Vec::new());
    for item in values.items().chunks_exact(values.dtype().item_size()) {
        push_heap_item(&mut items, &mut heap, HeapItem::from_bytes(item).slice(values.heap(), 1)?);
    }
    let dtype = match values.dtype() {
        DType::String(_) => DType::String(Charset::Utf8),
        other => other.clone(),
    };
    Values::new(dtype, values.shape().to_vec(), items, heap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_survives_in_ascii() {
        for text in ["", "plain", "é😀", "a & b", "&amp;", "&#233;", "x&lt;&é", "&#0;", "&;"] {
            let escaped = escape(text);
            assert!(escaped.is_ascii());
            assert_eq!(unescape(&escaped), text, "{escaped}");
        }
        assert_eq!(unescape("&lt;b&gt; &#xe9;&#233; AT&T &nosuch;"), "<b> éé AT&T &nosuch;");
    }

    #[test]
    fn truth_values_are_numbers_and_bytes_are_text() {
        let truth = Values::new(DType::Bool, vec![2], vec![0, 1], Vec::new()).unwrap();
        assert_eq!(normalized(&truth).unwrap(), numbers(vec![2], &[0_u8, 1]).unwrap());
        let fixed = Values::new(DType::fixed_bytes(2), vec![2], b"abc\0".to_vec(), Vec::new());
        let text = Values::from_strings(vec![2], &["ab", "c"]).unwrap();
        assert_eq!(normalized(&fixed.unwrap()).unwrap(), text);
        let nul = Values::from_strings(vec![1], &["a\0b"]).unwrap();
        assert!(normalized(&nul).unwrap_err().message().contains("NUL"));
    }

    #[test]
    fn versions_before_3_have_fields_of_one_width() {
        let text = Values::from_strings(vec![2], &["é", "b"]).unwrap();
        let old = stored(&text, SpecVersion::NONE).unwrap();
        assert_eq!(*old.dtype(), DType::fixed_bytes(6));
        assert_eq!(read(old, SpecVersion::NONE).unwrap(), text);
        assert_eq!(stored(&text, SpecVersion::V3).unwrap(), text);
    }
}
