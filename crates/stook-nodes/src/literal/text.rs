//! Text and bytes of a literal, with their escapes.

use stook_core::Result;

use super::Parser;

/// What a backslash stands for.
enum Escape {
    /// A code point, or a byte.
    Number(u32),
    /// A line that goes on.
    Nothing,
    /// The backslash itself, where no escape begins with what follows.
    Itself,
}

impl Parser<'_> {
    pub(super) fn text(&mut self) -> Result<String> {
        let quote = self.peek().unwrap_or('\'');
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek() {
                Some(c) if c == quote => {
                    self.at += 1;
                    return Ok(text);
                }
                Some('\\') => match self.escape(true)? {
                    Escape::Number(number) => {
                        let c = char::from_u32(number);
                        text.push(c.ok_or_else(|| self.expected("a character"))?);
                    }
                    Escape::Itself => text.push('\\'),
                    Escape::Nothing => {}
                },
                Some('\n') | None => return Err(self.expected("the closing quote")),
                Some(c) => {
                    text.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>> {
        let quote = self.peek().unwrap_or('\'');
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            match self.peek() {
                Some(c) if c == quote => {
                    self.at += 1;
                    return Ok(bytes);
                }
                Some('\\') => match self.escape(false)? {
                    Escape::Number(number) => {
                        let byte = u8::try_from(number);
                        bytes.push(byte.map_err(|_| self.expected("a byte"))?);
                    }
                    Escape::Itself => bytes.push(b'\\'),
                    Escape::Nothing => {}
                },
                Some(c) if c.is_ascii() && c != '\n' => {
                    bytes.push(c as u8);
                    self.at += 1;
                }
                _ => return Err(self.expected("the closing quote")),
            }
        }
    }

    fn escape(&mut self, is_text: bool) -> Result<Escape> {
        self.at += 1;
        let Some(c) = self.peek() else { return Err(self.expected("the closing quote")) };
        let simple = match c {
            '\\' | '\'' | '"' => Some(c as u32),
            'n' => Some(10),
            'r' => Some(13),
            't' => Some(9),
            'a' => Some(7),
            'b' => Some(8),
            'f' => Some(12),
            'v' => Some(11),
            _ => None,
        };
        if let Some(number) = simple {
            self.at += 1;
            return Ok(Escape::Number(number));
        }
        match c {
            '\n' => {
                self.at += 1;
                Ok(Escape::Nothing)
            }
            'x' => self.digits(1, 2, 16),
            'u' if is_text => self.digits(1, 4, 16),
            'U' if is_text => self.digits(1, 8, 16),
            '0'..='7' => {
                let n = self.rest().bytes().take(3).take_while(|b| matches!(b, b'0'..=b'7'));
                let n = n.count();
                self.digits(0, n, 8)
            }
            _ => Ok(Escape::Itself),
        }
    }

    /// A number of `n` digits behind `skip` bytes.
    fn digits(&mut self, skip: usize, n: usize, radix: u32) -> Result<Escape> {
        let digits = self.rest().get(skip..skip + n);
        let number = digits.filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        let number = number.and_then(|text| u32::from_str_radix(text, radix).ok());
        let number = number.ok_or_else(|| self.expected("an escape"))?;
        self.at += skip + n;
        Ok(Escape::Number(number))
    }
}
