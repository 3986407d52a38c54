//! JSON as zarr-python reads and writes it: indented by two, ASCII only, with the bare tokens `NaN`,
//! `Infinity` and `-Infinity`, and with integers of any length; a JSON value here holds neither
//! the tokens nor an integer of more than 64 bits.
//!
//! Each of them becomes a marker string, a NUL character and its text, and is written as that text
//! again, so that a document survives a change to another part of it.

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
    // Most documents have neither bare tokens nor long integers; looking for some takes as long
    // as parsing.
    let parsed = match serde_json::from_slice(text) {
        Ok(value) if !may_be_cut(&value) => Ok(value),
        Ok(_) => serde_json::from_slice(&marked(text)),
        Err(_) if has_tokens(text) => serde_json::from_slice(&marked(text)),
        Err(error) => Err(error),
    };
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
        Value::String(text) => {
            if let Some(digits) = long_integer(text) {
                return digits.parse().ok();
            }
            let at = TOKENS.iter().position(|(_, marker)| marker == text)?;
            [f64::NAN, f64::INFINITY, f64::NEG_INFINITY].get(at).copied()
        }
        _ => None,
    }
}

/// The integer of more than 64 bits that a marker stands for.
fn long_integer(text: &str) -> Option<&str> {
    text.strip_prefix('\0').filter(|number| is_long_integer(number))
}

fn is_long_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    // A zero in front is an error that is left to the parser.
    digits.len() > 18
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse::<u64>().is_err()
        && text.parse::<i64>().is_err()
}

/// Whether a number of `value` may be an integer of more than 64 bits, of which a float is left.
fn may_be_cut(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            number.is_f64() && number.as_f64().is_some_and(|number| number.abs() >= 9.2e18)
        }
        Value::Array(items) => items.iter().any(may_be_cut),
        Value::Object(object) => object.values().any(may_be_cut),
        _ => false,
    }
}

/// Turns markers of integers into the nearest floats, which is what a value can hold of them.
pub(crate) fn cut_integers(value: &mut Value) {
    match value {
        Value::String(text) if long_integer(text).is_some() => {
            if let Some(number) = to_f64(value).and_then(serde_json::Number::from_f64) {
                *value = Value::Number(number);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(cut_integers),
        Value::Object(object) => object.values_mut().for_each(cut_integers),
        _ => {}
    }
}

/// Whether a token lies anywhere in `value`.
pub(crate) fn has_marker(value: &Value) -> bool {
    match value {
        Value::String(text) => TOKENS.iter().any(|(_, marker)| marker == text),
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

fn has_tokens(text: &[u8]) -> bool {
    text.windows(3).any(|window| window == b"NaN" || window == b"Inf")
}

/// `text` with its bare tokens and long integers as marker strings.
fn marked(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(&byte) = rest.first() {
        let (len, is_marked) = match byte {
            b'"' => (string_len(rest), false),
            b'-' | b'0'..=b'9' | b'N' | b'I' => match token_len(rest) {
                Some(len) => (len, true),
                None => number(rest),
            },
            _ => (1, false),
        };
        let (taken, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
        if is_marked {
            out.extend_from_slice(b"\"\\u0000");
            out.extend_from_slice(taken);
            out.push(b'"');
        } else {
            out.extend_from_slice(taken);
        }
        rest = after;
    }
    out
}

/// The length of the string that `text` begins with, with its quotes.
fn string_len(text: &[u8]) -> usize {
    let mut is_escaped = false;
    let end = text.iter().skip(1).position(|&byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(text.len(), |end| end + 2)
}

fn token_len(text: &[u8]) -> Option<usize> {
    let is_next = |(token, _): &&(&str, &str)| text.starts_with(token.as_bytes());
    TOKENS.iter().find(is_next).map(|(token, _)| token.len())
}

/// The length of the number that `text` begins with, and whether it is an integer that takes more
/// than 64 bits.
fn number(text: &[u8]) -> (usize, bool) {
    let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let len = text.iter().position(|byte| !is_part(byte)).unwrap_or(text.len()).max(1);
    let number = text.get(..len).and_then(|number| std::str::from_utf8(number).ok());
    (len, number.is_some_and(is_long_integer))
}

fn print_value(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::String(text) => match TOKENS.iter().find(|(_, marker)| marker == text) {
            Some((token, _)) => out.push_str(token),
            None => match long_integer(text) {
                Some(number) => out.push_str(number),
                None => print_string(text, out),
            },
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
    fn integers_of_any_length_are_kept() {
        let text = "{\n  \"a\": [\n    36893488147419103232,\n    -9223372036854775809,\n    \
                    18446744073709551615,\n    -9223372036854775808,\n    1e+300,\n    NaN\n  ],\n  \
                    \"s\": \"\\\" 36893488147419103232\"\n}";
        let mut object = parse_object("k", text.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(print(&object)).unwrap(), text);
        assert_eq!(object["a"][0], "\u{0}36893488147419103232");
        assert_eq!(to_f64(&object["a"][1]), Some(-9_223_372_036_854_775_808.0));
        assert_eq!(object["a"][2], u64::MAX);
        cut_integers(&mut object["a"]);
        assert_eq!(object["a"][0], 36_893_488_147_419_103_232.0);
        for bad in
            ["-", "--99999999999999999999", "0099999999999999999999", "99999999999999999999-"]
        {
            let text = format!("{{\"big\": 99999999999999999999, \"a\": {bad}}}");
            assert!(parse_object("k", text.as_bytes()).is_err(), "{bad}");
        }
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
