//! `json2`: items as JSON, as Python's `json` writes it.

use serde_json::Value;

use super::objects::{Leaf, Notation, Reader, Writer};
use crate::error::{Error, Result};

const NAME: &str = "json2";

#[derive(Debug)]
pub(super) struct Json {
    is_ascii: bool,
    allows_nan: bool,
    is_indented: bool,
    between_items: String,
}

impl Json {
    /// The notation that numcodecs' `configuration` asks for.
    ///
    /// # Errors
    /// `Unsupported` for text in another encoding than UTF-8.
    pub(super) fn new(configuration: &Value) -> Result<Self> {
        let flag = |name: &str| configuration.get(name).and_then(Value::as_bool).unwrap_or(true);
        match configuration.get("encoding").and_then(Value::as_str).unwrap_or("utf-8") {
            "utf-8" | "utf8" | "UTF-8" | "ascii" => {}
            other => return Err(Error::unsupported(format!("{NAME}: encoding {other:?}"))),
        }
        let separator = configuration.get("separators").and_then(|pair| pair.get(0));
        Ok(Self {
            is_ascii: flag("ensure_ascii"),
            allows_nan: flag("allow_nan"),
            is_indented: configuration.get("indent").is_some_and(|indent| !indent.is_null()),
            between_items: separator.and_then(Value::as_str).unwrap_or(",").to_owned(),
        })
    }
}

impl Notation for Json {
    fn name(&self) -> &'static str {
        NAME
    }

    fn has_scalars(&self) -> bool {
        true
    }

    fn writer<'o>(&'o self, out: &'o mut Vec<u8>) -> Result<Box<dyn Writer + 'o>> {
        if self.is_indented {
            return Err(Error::unsupported(format!("{NAME}: writing with an indent")));
        }
        Ok(Box::new(JsonWriter { json: self, out }))
    }

    fn reader<'d>(&'d self, document: &'d [u8]) -> Box<dyn Reader<'d> + 'd> {
        Box::new(JsonReader { rest: document })
    }
}

struct JsonWriter<'o> {
    json: &'o Json,
    out: &'o mut Vec<u8>,
}

impl Writer for JsonWriter<'_> {
    fn open(&mut self, _: usize) {
        self.out.push(b'[');
    }

    fn element(&mut self, at: usize) {
        if at > 0 {
            self.out.extend_from_slice(self.json.between_items.as_bytes());
        }
    }

    fn close(&mut self) {
        self.out.push(b']');
    }

    fn leaf(&mut self, leaf: &Leaf<'_>) -> Result<(), String> {
        match leaf {
            Leaf::Text(text) => self.text(text),
            Leaf::Integer(integer) => self.out.extend_from_slice(integer.to_string().as_bytes()),
            Leaf::Truth(truth) => self.out.extend_from_slice(truth.to_string().as_bytes()),
            Leaf::Float(float) if !float.is_finite() && !self.json.allows_nan => {
                return Err(format!("expected a number, found {float}"));
            }
            Leaf::Float(float) => self.out.extend_from_slice(python_float(*float).as_bytes()),
            Leaf::Other(name) => return Err(format!("expected text or a number, found {name}")),
        }
        Ok(())
    }
}

impl JsonWriter<'_> {
    fn text(&mut self, text: &str) {
        self.out.push(b'"');
        for c in text.chars() {
            let escape = match c {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\u{8}' => "\\b",
                '\u{c}' => "\\f",
                ' '..='~' => {
                    self.out.push(c as u8);
                    continue;
                }
                // Python leaves the delete character as it is where others than ASCII may stand.
                c if !self.json.is_ascii && c >= ' ' => {
                    self.out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    continue;
                }
                c => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        self.out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                    }
                    continue;
                }
            };
            self.out.extend_from_slice(escape.as_bytes());
        }
        self.out.push(b'"');
    }
}

/// The shortest digits that give the number again, as Python writes them.
fn python_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    // Of two shortest forms as near this takes the even one, as Python does; `Display` does not.
    let text = serde_json::Number::from_f64(value).map(|number| number.to_string());
    let text = text.unwrap_or_default();
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (whole, part) = mantissa.trim_start_matches('-').split_once('.').unwrap_or((mantissa, ""));
    let whole = whole.trim_start_matches('-');
    let all = format!("{whole}{part}");
    let n_zeros = all.len() - all.trim_start_matches('0').len();
    let digits = all.trim_matches('0');
    if digits.is_empty() {
        return format!("{sign}0.0");
    }
    let written: i32 = exponent.parse().unwrap_or(0);
    let place = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    let exponent = written.saturating_add(place(whole.len()) - place(n_zeros) - 1);
    let (first, rest) = digits.split_at(1);
    match usize::try_from(exponent) {
        Ok(n) if exponent < 16 => match digits.split_at_checked(n + 1) {
            Some((whole, part)) if !part.is_empty() => format!("{sign}{whole}.{part}"),
            _ => format!("{sign}{digits:0<width$}.0", width = n + 1),
        },
        Err(_) if exponent >= -4 => {
            let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
            format!("{sign}0.{zeros}{digits}")
        }
        _ => {
            let point = if rest.is_empty() { "" } else { "." };
            let power = if exponent < 0 { '-' } else { '+' };
            format!("{sign}{first}{point}{rest}e{power}{:02}", exponent.abs())
        }
    }
}

struct JsonReader<'d> {
    rest: &'d [u8],
}

impl<'d> JsonReader<'d> {
    fn skip_blanks(&mut self) {
        let n = self.rest.iter().take_while(|byte| b" \t\r\n".contains(byte)).count();
        self.rest = &self.rest[n..];
    }

    fn mark(&mut self, mark: u8) -> Result<(), String> {
        self.skip_blanks();
        match self.rest.split_first() {
            Some((found, rest)) if *found == mark => {
                self.rest = rest;
                Ok(())
            }
            found => {
                let found =
                    found.map_or("the end".to_owned(), |(c, _)| format!("`{}`", *c as char));
                Err(format!("expected `{}`, found {found}", mark as char))
            }
        }
    }

    fn text(&mut self) -> Result<Leaf<'d>, String> {
        let mut at = 1;
        loop {
            match self.rest.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at += 2,
                Some(_) => at += 1,
                None => return Err("expected the end of a text, found that of the document".into()),
            }
        }
        let (token, rest) = self.rest.split_at(at + 1);
        self.rest = rest;
        let inner = &token[1..at];
        if !inner.contains(&b'\\')
            && !inner.iter().any(|byte| *byte < b' ')
            && let Ok(text) = str::from_utf8(inner)
        {
            return Ok(Leaf::Text(text.into()));
        }
        let text: String = serde_json::from_slice(token).map_err(|error| error.to_string())?;
        Ok(Leaf::Text(text.into()))
    }

    fn word(&mut self) -> Result<Leaf<'d>, String> {
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let n = self.rest.iter().take_while(is_part).count();
        let (word, rest) = self.rest.split_at(n);
        self.rest = rest;
        let word = str::from_utf8(word).unwrap_or_default();
        let wrong = || format!("expected an item, found {word:?}");
        Ok(match word {
            "true" => Leaf::Truth(true),
            "false" => Leaf::Truth(false),
            "null" => Leaf::Other("null"),
            "NaN" => Leaf::Float(f64::NAN),
            "Infinity" => Leaf::Float(f64::INFINITY),
            "-Infinity" => Leaf::Float(f64::NEG_INFINITY),
            _ if !word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => return Err(wrong()),
            _ if word.contains(['.', 'e', 'E']) => Leaf::Float(word.parse().map_err(|_| wrong())?),
            _ => Leaf::Integer(word.parse().map_err(|_| wrong())?),
        })
    }
}

impl<'d> Reader<'d> for JsonReader<'d> {
    fn open(&mut self, _: usize) -> Result<(), String> {
        self.mark(b'[')
    }

    fn element(&mut self, at: usize) -> Result<(), String> {
        if at > 0 { self.mark(b',') } else { Ok(()) }
    }

    fn close(&mut self) -> Result<(), String> {
        self.mark(b']')
    }

    fn leaf(&mut self) -> Result<Leaf<'d>, String> {
        self.skip_blanks();
        match self.rest.first() {
            Some(b'"') => self.text(),
            Some(b'[') => Ok(Leaf::Other("a list")),
            Some(b'{') => Ok(Leaf::Other("an object with members")),
            _ => self.word(),
        }
    }

    fn finish(&mut self) -> Result<(), String> {
        self.skip_blanks();
        match self.rest.len() {
            0 => Ok(()),
            n => Err(format!("expected the end, found {n} more bytes")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        // `repr(x)`, Python 3.11.
        for (value, expected) in [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (1.25e-7, "1.25e-07"),
            (123456.789, "123456.789"),
            (f64::from_bits(0x3F50_6400_0000_0000), "0.0010004043579101562"),
            (5e-324, "5e-324"),
            (100.0, "100.0"),
            (-20.5, "-20.5"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(python_float(value), expected);
        }
    }
}
