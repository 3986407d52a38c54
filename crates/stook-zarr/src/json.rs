//! JSON as zarr-python reads and writes it: indented by two, ASCII only, and with the bare
//! tokens `NaN`, `Infinity` and `-Infinity`, which no JSON value can hold.
//!
//! Such a token becomes one of three marker strings, which begin with a NUL character, and is
//! written as the token again, so that a document survives a change to another part of it.

use serde_json::{Map, Value};
use stook_core::{Error, Result};

/// A JSON object with its keys in order.
pub(crate) type Object = Map<String, Value>;

const TOKENS: [(&str, &str); 3] =
    [("NaN", "\0NaN"), ("Infinity", "\0Infinity"), ("-Infinity", "\0-Infinity")];

/// The object that `text`, the value of `key`, holds.
///
/// # Errors
/// `Corrupt` if it is no JSON object.
pub(crate) fn parse_object(key: &str, text: &[u8]) -> Result<Object> {
    // Most documents have no bare tokens; looking for some takes as long as parsing.
    let parsed = serde_json::from_slice(text).or_else(|error| match quote_tokens(text) {
        Some(quoted) => serde_json::from_slice(&quoted),
        None => Err(error),
    });
    match parsed {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => {
            Err(Error::corrupt(format!("`{key}`: expected a JSON object, found {}", kind(&other))))
        }
        Err(error) => Err(Error::corrupt(format!("`{key}` is not valid JSON")).with_source(error)),
    }
}

/// `object` as zarr-python would print it.
pub(crate) fn print(object: &Object) -> Vec<u8> {
    let mut out = String::new();
    print_object(object, 0, &mut out);
    out.into_bytes()
}

/// What a JSON value is, for errors.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The JSON value of a float: a number, or the marker of its token.
pub(crate) fn from_f64(number: f64) -> Value {
    match serde_json::Number::from_f64(number) {
        Some(number) => Value::Number(number),
        None if number.is_nan() => Value::from(TOKENS[0].1),
        None if number > 0.0 => Value::from(TOKENS[1].1),
        None => Value::from(TOKENS[2].1),
    }
}

/// The float that a number or a marker stands for.
pub(crate) fn to_f64(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text.starts_with('\0') => {
            let at = TOKENS.iter().position(|(_, marker)| marker == text)?;
            [f64::NAN, f64::INFINITY, f64::NEG_INFINITY].get(at).copied()
        }
        _ => None,
    }
}

/// Whether a marker lies anywhere in `value`.
pub(crate) fn has_marker(value: &Value) -> bool {
    match value {
        Value::String(text) => text.starts_with('\0') && to_f64(value).is_some(),
        Value::Array(items) => items.iter().any(has_marker),
        Value::Object(object) => object.values().any(has_marker),
        _ => false,
    }
}

/// Turns markers into the plain strings `NaN`, `Infinity` and `-Infinity`.
pub(crate) fn unmark(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some((token, _)) = TOKENS.iter().find(|(_, marker)| marker == text) {
                *text = (*token).to_owned();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(unmark),
        Value::Object(object) => object.values_mut().for_each(unmark),
        _ => {}
    }
}

/// `text` with its bare tokens as marker strings, if it may have some.
fn quote_tokens(text: &[u8]) -> Option<Vec<u8>> {
    let is_suspect = text.windows(3).any(|window| window == b"NaN" || window == b"Inf");
    if !is_suspect {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() + 64);
    let (mut rest, mut in_string) = (text, false);
    while let Some((&byte, after)) = rest.split_first() {
        if in_string {
            out.push(byte);
            rest = after;
            match byte {
                b'"' => in_string = false,
                b'\\' => {
                    if let Some((&escaped, after)) = rest.split_first() {
                        out.push(escaped);
                        rest = after;
                    }
                }
                _ => {}
            }
        } else if let Some((token, _)) =
            TOKENS.iter().find(|(token, _)| rest.starts_with(token.as_bytes()))
        {
            out.extend_from_slice(b"\"\\u0000");
            out.extend_from_slice(token.as_bytes());
            out.push(b'"');
            rest = rest.get(token.len()..).unwrap_or(&[]);
        } else {
            in_string = byte == b'"';
            out.push(byte);
            rest = after;
        }
    }
    Some(out)
}

fn print_value(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::String(text) => match TOKENS.iter().find(|(_, marker)| marker == text) {
            Some((token, _)) => out.push_str(token),
            None => print_string(text, out),
        },
        Value::Array(items) if items.is_empty() => out.push_str("[]"),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                line(i, depth + 1, out);
                print_value(item, depth + 1, out);
            }
            end(depth, out);
            out.push(']');
        }
        Value::Object(object) => print_object(object, depth, out),
        other => out.push_str(&other.to_string()),
    }
}

fn print_object(object: &Object, depth: usize, out: &mut String) {
    if object.is_empty() {
        out.push_str("{}");
        return;
    }
    out.push('{');
    for (i, (name, value)) in object.iter().enumerate() {
        line(i, depth + 1, out);
        print_string(name, out);
        out.push_str(": ");
        print_value(value, depth + 1, out);
    }
    end(depth, out);
    out.push('}');
}

fn line(i: usize, depth: usize, out: &mut String) {
    if i > 0 {
        out.push(',');
    }
    end(depth, out);
}

fn end(depth: usize, out: &mut String) {
    out.push('\n');
    (0..depth).for_each(|_| out.push_str("  "));
}

fn print_string(text: &str, out: &mut String) {
    for c in Value::from(text).to_string().chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_python_prints() {
        let text = "{\n  \"\\u00e9\": NaN,\n  \"x\": [\n    1,\n    2.0,\n    -Infinity\n  ],\n  \
                    \"e\": {},\n  \"s\": \"Infinity \\\" NaN \\ud83d\\ude00\"\n}";
        let object = parse_object("k", text.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(print(&object)).unwrap(), text);
        assert!(to_f64(&object["é"]).unwrap().is_nan());
        assert!(has_marker(&object["x"]) && !has_marker(&object["s"]));
    }

    #[test]
    fn what_is_no_object_is_corrupt() {
        for text in ["", "[1]", "{", "nan", "{\"a\": nan}", "\u{feff}{}"] {
            assert!(parse_object("zarr.json", text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error() {
        let text = format!("{{\"a\": {}", "[".repeat(100_000));
        assert!(parse_object("zarr.json", text.as_bytes()).is_err());
    }
}
