//! Python literals as data: what `ast.literal_eval` reads of a header, and `repr` writes.

use std::fmt;

use stook_core::{Error, Result};

/// Values may be nested so deep; real headers need four levels a struct.
const MAX_DEPTH: usize = 64;

/// A literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Literal {
    Bool(bool),
    Int(u64),
    Str(String),
    Tuple(Vec<Literal>),
    List(Vec<Literal>),
    Dict(Vec<(Literal, Literal)>),
}

impl Literal {
    /// Parses one literal that fills `text`.
    ///
    /// # Errors
    /// `Corrupt` with the position, where `text` is anything else.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut parser = Parser { text, at: 0 };
        let value = parser.value(0)?;
        match parser.peek() {
            None => Ok(value),
            Some(found) => Err(parser.unexpected("the end", Some(found))),
        }
    }

    pub(crate) fn str(text: impl Into<String>) -> Self {
        Self::Str(text.into())
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// The next character that is no white space, which stays.
    fn peek(&mut self) -> Option<char> {
        let rest = self.rest();
        let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']);
        let next = trimmed.chars().next();
        self.at += rest.len() - trimmed.len();
        next
    }

    fn next_char(&mut self) -> Option<char> {
        let next = self.rest().chars().next()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn eat(&mut self, token: &str) -> bool {
        let is_there = self.rest().starts_with(token);
        self.at += if is_there { token.len() } else { 0 };
        is_there
    }

    fn unexpected(&self, expected: &str, found: Option<char>) -> Error {
        let found = found.map_or("the end".to_owned(), |c| format!("`{}`", c.escape_default()));
        Error::corrupt(format!("header: expected {expected} at {}, found {found}", self.at))
    }

    fn value(&mut self, depth: usize) -> Result<Literal> {
        if depth > MAX_DEPTH {
            return Err(Error::limit(format!("header nests values over {MAX_DEPTH} deep")));
        }
        let next = self.peek();
        match next {
            Some('{') => self.dict(depth),
            Some('[') => Ok(Literal::List(self.items('[', ']', depth)?.0)),
            Some('(') => {
                let (mut items, has_comma) = self.items('(', ')', depth)?;
                match items.pop() {
                    // Parentheses around one value mean nothing; a comma makes the tuple.
                    Some(only) if items.is_empty() && !has_comma => Ok(only),
                    last => {
                        items.extend(last);
                        Ok(Literal::Tuple(items))
                    }
                }
            }
            Some('\'' | '"') => self.string(),
            Some('u') => {
                self.at += 1;
                match self.rest().chars().next() {
                    Some('\'' | '"') => self.string(),
                    found => Err(self.unexpected("a string", found)),
                }
            }
            Some('0'..='9') => self.int(),
            Some('T') if self.eat("True") => Ok(Literal::Bool(true)),
            Some('F') if self.eat("False") => Ok(Literal::Bool(false)),
            found => Err(self.unexpected("a literal", found)),
        }
    }

    /// The items between brackets, and whether there is a comma among them.
    fn items(&mut self, open: char, close: char, depth: usize) -> Result<(Vec<Literal>, bool)> {
        self.at += open.len_utf8();
        let (mut items, mut has_comma) = (Vec::new(), false);
        loop {
            if self.peek() == Some(close) {
                self.at += close.len_utf8();
                return Ok((items, has_comma));
            }
            items.push(self.value(depth + 1)?);
            self.separator(close, &mut has_comma)?;
        }
    }

    /// A comma, or nothing before the closing bracket.
    fn separator(&mut self, close: char, has_comma: &mut bool) -> Result<()> {
        match self.peek() {
            Some(',') => {
                self.at += 1;
                *has_comma = true;
                Ok(())
            }
            Some(found) if found == close => Ok(()),
            found => Err(self.unexpected(&format!("`,` or `{close}`"), found)),
        }
    }

    fn dict(&mut self, depth: usize) -> Result<Literal> {
        self.at += 1;
        let mut pairs = Vec::new();
        loop {
            if self.peek() == Some('}') {
                self.at += 1;
                return Ok(Literal::Dict(pairs));
            }
            let key = self.value(depth + 1)?;
            match self.peek() {
                Some(':') => self.at += 1,
                found => return Err(self.unexpected("`:`", found)),
            }
            pairs.push((key, self.value(depth + 1)?));
            self.separator('}', &mut false)?;
        }
    }

    fn int(&mut self) -> Result<Literal> {
        let rest = self.rest();
        let len = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let digits = rest.get(..len).unwrap_or("");
        let value = digits.parse().map_err(|_| {
            Error::corrupt(format!("header: {digits} at {} is too large a number", self.at))
        })?;
        self.at += len;
        // Python 2 marked its long integers.
        self.eat("L");
        Ok(Literal::Int(value))
    }

    fn string(&mut self) -> Result<Literal> {
        let quote = self.next_char();
        let mut text = String::new();
        loop {
            match self.next_char() {
                found if found == quote && found.is_some() => return Ok(Literal::Str(text)),
                Some('\\') => text.push(self.escape()?),
                found @ (None | Some('\n')) => {
                    return Err(self.unexpected("the end of a string", found));
                }
                Some(c) => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let n_digits = match self.next_char() {
            Some('n') => return Ok('\n'),
            Some('r') => return Ok('\r'),
            Some('t') => return Ok('\t'),
            Some(c @ ('\\' | '\'' | '"')) => return Ok(c),
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            found => return Err(self.unexpected("an escape", found)),
        };
        let digits = self.rest().get(..n_digits).unwrap_or("");
        let code = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
        match code {
            Some(c) if digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
                self.at += n_digits;
                Ok(c)
            }
            _ => Err(self.unexpected(&format!("{n_digits} digits of a character"), None)),
        }
    }
}

/// Python's `repr`.
impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, items: &[Self]| {
            items.iter().enumerate().try_for_each(|(i, item)| {
                f.write_str(if i == 0 { "" } else { ", " })?;
                item.fmt(f)
            })
        };
        match self {
            Self::Bool(value) => f.write_str(if *value { "True" } else { "False" }),
            Self::Int(value) => write!(f, "{value}"),
            Self::Str(text) => fmt_str(f, text),
            Self::Tuple(items) => {
                f.write_str("(")?;
                joined(f, items)?;
                f.write_str(if items.len() == 1 { ",)" } else { ")" })
            }
            Self::List(items) => {
                f.write_str("[")?;
                joined(f, items)?;
                f.write_str("]")
            }
            Self::Dict(pairs) => {
                f.write_str("{")?;
                for (i, (key, value)) in pairs.iter().enumerate() {
                    write!(f, "{}{key}: {value}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
        }
    }
}

fn fmt_str(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    write!(f, "{quote}")?;
    for c in text.chars() {
        match c {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\\' => f.write_str("\\\\")?,
            _ if c == quote => write!(f, "\\{c}")?,
            // Python escapes what does not print: controls, and spaces but the one.
            _ if c.is_control() || (c.is_whitespace() && c != ' ') || c == '\u{ad}' => {
                let code = u32::from(c);
                match code {
                    0..=0xff => write!(f, "\\x{code:02x}")?,
                    0x100..=0xffff => write!(f, "\\u{code:04x}")?,
                    _ => write!(f, "\\U{code:08x}")?,
                }
            }
            _ => write!(f, "{c}")?,
        }
    }
    write!(f, "{quote}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_round_trip_through_repr() {
        for text in [
            "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4)}",
            "[('a', '<i4', (2,)), (('title', 'b'), '|S3')]",
            "()",
            "(5,)",
            r#"["it's", 'a"b\'', '\n\\\x01é', '\u2028']"#,
            "{}",
            "[True, False, 18446744073709551615]",
        ] {
            assert_eq!(Literal::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn spellings_of_other_writers_are_read() {
        let parse = |text| Literal::parse(text).unwrap().to_string();
        assert_eq!(parse("{\"shape\" :(3L,4L,) ,u'x':[1,],}  \n"), "{'shape': (3, 4), 'x': [1]}");
        assert_eq!(parse("((3))"), "3");
        assert_eq!(parse(r"'\x41\u00e9\U0001F600'"), "'Aé😀'");
    }

    #[test]
    fn what_is_no_literal_is_refused() {
        for text in [
            "",
            "{",
            "(1",
            "[1 2]",
            "{'a'}",
            "{'a': }",
            "'a",
            "'a\n'",
            "'\\q'",
            "'\\x4'",
            "-1",
            "1.5",
            "None",
            "f()",
            "__import__('os')",
            "1 2",
            "b'x'",
            "99999999999999999999",
            "u1",
            "'\\ud800'",
            "{**a}",
            "Truex",
            "[,]",
        ] {
            assert!(Literal::parse(text).is_err(), "{text:?}");
        }
        let deep = "[".repeat(100_000);
        assert!(Literal::parse(&deep).is_err());
    }
}
