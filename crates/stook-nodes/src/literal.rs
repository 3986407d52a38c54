//! Python literals, parsed: what `repr` makes of plain values, times and numpy's numbers.
//!
//! The acquisition software stores `repr(value)` and evaluates it when it reads. Here it is a
//! small language of its own: literals, signs, and a fixed table of calls that are data
//! (`np.float64(...)`, `datetime.date(...)`), each made by code of ours. Any other name is an
//! error that says which; nothing is looked up and nothing runs.

mod calls;
mod text;

use stook_core::{Error, Result};

use crate::value::Value;

/// Values nest so deep at most.
const MAX_DEPTH: usize = 64;

/// The value that `source` spells.
///
/// # Errors
/// `Unsupported` naming what it would call or look up; `InvalidInput` for what is no literal;
/// `LimitExceeded` for integers over 128 bits and values nested over 64 deep.
pub fn parse(source: &str) -> Result<Value> {
    let mut parser = Parser { source, at: 0, depth: 0 };
    let value = parser.value()?;
    parser.spaces();
    if parser.at < source.len() {
        return Err(parser.expected("the end"));
    }
    Ok(value)
}

struct Parser<'s> {
    source: &'s str,
    at: usize,
    depth: usize,
}

impl<'s> Parser<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\n', '\t', '\r']).len();
    }

    /// Takes `token` if it comes next, behind spaces.
    fn take(&mut self, token: char) -> bool {
        self.spaces();
        let is_there = self.peek() == Some(token);
        if is_there {
            self.at += token.len_utf8();
        }
        is_there
    }

    fn expect(&mut self, token: char) -> Result<()> {
        if self.take(token) { Ok(()) } else { Err(self.expected(&format!("`{token}`"))) }
    }

    #[cold]
    fn expected(&self, what: &str) -> Error {
        let found: String = self.rest().chars().take(20).collect();
        let found = if found.is_empty() { "the end".to_owned() } else { format!("`{found}`") };
        Error::invalid(format!("literal: expected {what} at byte {}, found {found}", self.at))
    }

    fn value(&mut self) -> Result<Value> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::limit(format!("literal: values nested over {MAX_DEPTH} deep")));
        }
        self.spaces();
        let value = match self.peek() {
            Some('(') => self.parenthesis(),
            Some('[') => {
                self.at += 1;
                self.items(']').map(|(items, _)| Value::List(items))
            }
            Some('{') => self.braces(),
            Some('\'' | '"') => self.text().map(Value::Text),
            Some('b' | 'B') if self.is_quoted(1) => {
                self.at += 1;
                self.bytes().map(Value::Bytes)
            }
            Some('0'..='9' | '.' | '+' | '-') => self.number(),
            Some(c) if c.is_ascii_alphabetic() || c == '_' => self.name(),
            _ => Err(self.expected("a literal")),
        };
        self.depth -= 1;
        value
    }

    fn is_quoted(&self, skip: usize) -> bool {
        matches!(self.rest().as_bytes().get(skip), Some(b'\'' | b'"'))
    }

    /// The items up to `end`, and whether there was a comma.
    fn items(&mut self, end: char) -> Result<(Vec<Value>, bool)> {
        let (mut items, mut has_comma) = (Vec::new(), false);
        while !self.take(end) {
            items.push(self.value()?);
            if self.take(',') {
                has_comma = true;
            } else {
                self.expect(end)?;
                break;
            }
        }
        Ok((items, has_comma))
    }

    /// A tuple, a complex number, or a value in parentheses.
    fn parenthesis(&mut self) -> Result<Value> {
        self.at += 1;
        let (mut items, has_comma) = self.items(')')?;
        match items.pop() {
            Some(only) if items.is_empty() && !has_comma => Ok(only),
            Some(last) => {
                items.push(last);
                Ok(Value::Tuple(items))
            }
            None => Ok(Value::Tuple(items)),
        }
    }

    fn braces(&mut self) -> Result<Value> {
        self.at += 1;
        if self.take('}') {
            return Ok(Value::Dict(Vec::new()));
        }
        let first = self.value()?;
        if !self.take(':') {
            let mut items = vec![first];
            if self.take(',') {
                items.extend(self.items('}')?.0);
            } else {
                self.expect('}')?;
            }
            return Ok(Value::Set(items));
        }
        let mut pairs = vec![(first, self.value()?)];
        while self.take(',') {
            if self.take('}') {
                return Ok(Value::Dict(pairs));
            }
            let key = self.value()?;
            self.expect(':')?;
            pairs.push((key, self.value()?));
        }
        self.expect('}')?;
        Ok(Value::Dict(pairs))
    }

    /// A number with its sign, and with its imaginary part if it has one.
    fn number(&mut self) -> Result<Value> {
        let (real, is_imaginary) = self.signed()?;
        if is_imaginary {
            return Ok(Value::Complex(0.0, as_float(&real)));
        }
        let has_more = matches!(self.peek(), Some('+' | '-'));
        if !has_more {
            return Ok(real);
        }
        match self.signed()? {
            (imaginary, true) => Ok(Value::Complex(as_float(&real), as_float(&imaginary))),
            _ => Err(self.expected("an imaginary part")),
        }
    }

    /// A number with its sign, and whether a `j` follows.
    fn signed(&mut self) -> Result<(Value, bool)> {
        let mut is_negative = false;
        while let Some(sign @ ('+' | '-')) = self.peek() {
            is_negative ^= sign == '-';
            self.at += 1;
        }
        let value = match self.peek() {
            Some('0'..='9' | '.') => self.unsigned(is_negative)?,
            _ if self.rest().starts_with("inf") || self.rest().starts_with("nan") => {
                let is_inf = self.rest().starts_with("inf");
                self.at += 3;
                let number = if is_inf { f64::INFINITY } else { f64::NAN };
                Value::Float(if is_negative { -number } else { number })
            }
            _ => return Err(self.expected("a number")),
        };
        let is_imaginary = matches!(self.peek(), Some('j' | 'J'));
        self.at += usize::from(is_imaginary);
        Ok((value, is_imaginary))
    }

    fn unsigned(&mut self, is_negative: bool) -> Result<Value> {
        let bytes = self.rest().as_bytes();
        let is_part = |at: usize, byte: u8| match byte {
            b'0'..=b'9' | b'.' | b'e' | b'E' | b'_' => true,
            b'+' | b'-' => at > 0 && matches!(bytes.get(at - 1), Some(b'e' | b'E')),
            _ => false,
        };
        let len = bytes.iter().enumerate().take_while(|(at, byte)| is_part(*at, **byte)).count();
        let text = self.rest().get(..len).unwrap_or("");
        let text = text.replace('_', "");
        let is_int = text.bytes().all(|byte| byte.is_ascii_digit());
        let value = if is_int {
            let signed = if is_negative { format!("-{text}") } else { text.clone() };
            let parsed = signed.parse::<i128>();
            parsed
                .map(Value::Int)
                .map_err(|_| Error::limit(format!("literal: integer of {} digits", text.len())))?
        } else {
            let number: f64 = text.parse().map_err(|_| self.expected("a number"))?;
            Value::Float(if is_negative { -number } else { number })
        };
        self.at += len;
        Ok(value)
    }

    /// A name: a constant, or what is called.
    fn name(&mut self) -> Result<Value> {
        let rest = self.rest();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let len = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let name = rest.get(..len).unwrap_or("");
        self.at += len;
        let constant = match name {
            "None" => Some(Value::None),
            "True" | "np.True_" | "numpy.True_" => Some(Value::Bool(true)),
            "False" | "np.False_" | "numpy.False_" => Some(Value::Bool(false)),
            "inf" | "np.inf" | "numpy.inf" => Some(Value::Float(f64::INFINITY)),
            "nan" | "np.nan" | "numpy.nan" => Some(Value::Float(f64::NAN)),
            "datetime.timezone.utc" => Some(Value::TimeDelta(0)),
            _ => None,
        };
        let is_infinite =
            matches!(name, "inf" | "nan") && matches!(self.peek(), Some('j' | '+' | '-'));
        if is_infinite {
            self.at -= len;
            return self.number();
        }
        if let Some(constant) = constant {
            return Ok(constant);
        }
        if !self.take('(') {
            return Err(Error::unsupported(format!("literal: the name `{name}` is not looked up")));
        }
        if !calls::is_known(name) {
            return Err(Error::unsupported(format!("literal: `{name}` is not called")));
        }
        let arguments = self.arguments()?;
        calls::call(name, arguments)
    }

    fn arguments(&mut self) -> Result<calls::Arguments> {
        let mut arguments = calls::Arguments::default();
        while !self.take(')') {
            match self.keyword() {
                Some(keyword) => arguments.named.push((keyword.to_owned(), self.value()?)),
                None => arguments.placed.push(self.value()?),
            }
            if !self.take(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(arguments)
    }

    /// The keyword of an argument, with its `=`, if one comes next.
    fn keyword(&mut self) -> Option<&'s str> {
        self.spaces();
        let rest = self.rest();
        let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
        let keyword = rest.get(..len).filter(|name| !name.is_empty())?;
        rest.get(len..)?.starts_with('=').then(|| self.at += len + 1)?;
        Some(keyword)
    }
}

fn as_float(value: &Value) -> f64 {
    match value {
        Value::Float(number) => *number,
        #[expect(clippy::cast_precision_loss, reason = "Python's complex rounds likewise")]
        Value::Int(number) => *number as f64,
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use stook_core::ErrorKind;

    use super::*;
    use crate::value::{Date, Time};

    fn parsed(source: &str) -> Value {
        parse(source).unwrap_or_else(|error| panic!("{source}: {error}"))
    }

    #[test]
    fn plain_values_are_read() {
        assert_eq!(parsed("None"), Value::None);
        assert_eq!(parsed("-12"), Value::Int(-12));
        assert_eq!(parsed("1e-05"), Value::Float(1e-5));
        assert_eq!(parsed("-inf"), Value::Float(f64::NEG_INFINITY));
        assert!(matches!(parsed("nan"), Value::Float(x) if x.is_nan()));
        assert_eq!(parsed("(1-2.5j)"), Value::Complex(1.0, -2.5));
        assert_eq!(parsed("2j"), Value::Complex(0.0, 2.0));
        assert_eq!(parsed("(1,)"), Value::Tuple(vec![Value::Int(1)]));
        assert_eq!(parsed("()"), Value::Tuple(Vec::new()));
        assert_eq!(parsed("[]"), Value::List(Vec::new()));
        assert_eq!(parsed("{}"), Value::Dict(Vec::new()));
        assert_eq!(parsed("{1, 2}"), Value::Set(vec![1_i64.into(), 2_i64.into()]));
        assert_eq!(parsed("{'a': [True]}"), {
            Value::Dict(vec![("a".into(), Value::List(vec![true.into()]))])
        });
    }

    #[test]
    fn text_has_pythons_escapes() {
        assert_eq!(parsed(r"'it\'s'"), "it's".into());
        assert_eq!(parsed(r#""a\n\x41\u00e9\U0001f600\\""#), "a\nAé😀\\".into());
        assert_eq!(parsed(r"b'\x00\xff\'a'"), Value::Bytes(vec![0, 255, b'\'', b'a']));
        assert_eq!(parsed("'\\101'"), "A".into());
        assert!(parse("'open").is_err());
        assert!(parse(r"'\ud800'").is_err());
        assert!(parse(r"b'\u00e9é'").is_err());
    }

    #[test]
    fn numpys_numbers_and_times_are_read() {
        let scalar = |name: &str, value| Value::Scalar(name.to_owned(), Box::new(value));
        assert_eq!(parsed("np.float64(1.5)"), scalar("float64", Value::Float(1.5)));
        assert_eq!(parsed("np.float32(nan)").type_name(), ("numpy", "float32"));
        assert_eq!(parsed("[np.int64(3)]"), Value::List(vec![scalar("int64", Value::Int(3))]));
        let date = Date { year: 2026, month: 1, day: 2 };
        assert_eq!(parsed("datetime.date(2026, 1, 2)"), Value::Date(date));
        let time = Time { hour: 3, minute: 4, ..Time::default() };
        assert_eq!(parsed("datetime.datetime(2026, 1, 2, 3, 4)"), Value::DateTime(date, time));
        let zoned = Time { zone: Some(3600), ..time };
        let source = "datetime.datetime(2026, 1, 2, 3, 4, \
                      tzinfo=datetime.timezone(datetime.timedelta(seconds=3600)))";
        assert_eq!(parsed(source), Value::DateTime(date, zoned));
        let utc = Time { zone: Some(0), is_second: true, ..time };
        let source = "datetime.time(3, 4, fold=1, tzinfo=datetime.timezone.utc)";
        assert_eq!(parsed(source), Value::Time(utc));
        let source = "datetime.timedelta(days=-1, seconds=5, microseconds=7)";
        assert_eq!(parsed(source), Value::TimeDelta(-86_395_000_000 + 7));
    }

    #[test]
    fn what_would_run_is_refused_by_name() {
        for (source, name) in [
            ("__import__('os').system('true')", "__import__"),
            ("os.system('true')", "os.system"),
            ("np.load('x')", "np.load"),
            ("[x for x in ()]", "x"),
            ("open", "open"),
            ("datetime.datetime.now()", "datetime.datetime.now"),
            ("np.float64(eval('1'))", "eval"),
        ] {
            let error = parse(source).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{source}: {error}");
            assert!(error.message().contains(&format!("`{name}`")), "{error}");
        }
        for source in ["1+1", "'a' 'b'", "1 if 1 else 2", "'a'.join(())", "[1][0]", "f'{1}'", ""] {
            assert!(parse(source).is_err(), "{source}");
        }
    }

    #[test]
    fn depth_and_size_are_bounded() {
        assert_eq!(parse(&"[".repeat(100_000)).unwrap_err().kind(), ErrorKind::LimitExceeded);
        assert_eq!(parse(&"9".repeat(60)).unwrap_err().kind(), ErrorKind::LimitExceeded);
        assert!(parse("datetime.date(2026, 13, 1)").is_err());
        assert!(parse("datetime.date(2026, 2, 30)").is_err());
    }
}
