//! `msgpack2`: items as MessagePack, each number in the fewest bytes.

use serde_json::Value;

use super::objects::{Leaf, Notation, Reader, Writer};
use crate::error::Result;

const NAME: &str = "msgpack2";

#[derive(Debug)]
pub(super) struct MessagePack {
    has_single_floats: bool,
    /// Whether text of up to 255 bytes has a form of its own, as in the second version.
    has_short_text: bool,
}

impl MessagePack {
    /// The notation that numcodecs' `configuration` asks for.
    pub(super) fn new(configuration: &Value) -> Self {
        let flag = |name: &str| configuration.get(name).and_then(Value::as_bool);
        Self {
            has_single_floats: flag("use_single_float").unwrap_or(false),
            has_short_text: flag("use_bin_type").unwrap_or(true),
        }
    }
}

impl Notation for MessagePack {
    fn name(&self) -> &'static str {
        NAME
    }

    fn has_scalars(&self) -> bool {
        false
    }

    fn writer<'o>(&'o self, out: &'o mut Vec<u8>) -> Result<Box<dyn Writer + 'o>> {
        Ok(Box::new(PackWriter { pack: self, out }))
    }

    fn reader<'d>(&'d self, document: &'d [u8]) -> Box<dyn Reader<'d> + 'd> {
        Box::new(PackReader { rest: document })
    }
}

struct PackWriter<'o> {
    pack: &'o MessagePack,
    out: &'o mut Vec<u8>,
}

impl PackWriter<'_> {
    fn put(&mut self, mark: u8, bytes: &[u8]) {
        self.out.push(mark);
        self.out.extend_from_slice(bytes);
    }
}

impl Writer for PackWriter<'_> {
    fn open(&mut self, n: usize) {
        match n {
            0..16 => self.out.push(0x90 | n as u8),
            16..0x1_0000 => self.put(0xDC, &(n as u16).to_be_bytes()),
            _ => self.put(0xDD, &(n as u32).to_be_bytes()),
        }
    }

    fn element(&mut self, _: usize) {}

    fn close(&mut self) {}

    fn leaf(&mut self, leaf: &Leaf<'_>) -> Result<(), String> {
        match leaf {
            Leaf::Text(text) => {
                let n = u32::try_from(text.len()).map_err(|_| "text of more than 4 GiB")?;
                match n {
                    0..32 => self.out.push(0xA0 | n as u8),
                    32..0x100 if self.pack.has_short_text => self.put(0xD9, &[n as u8]),
                    32..0x1_0000 => self.put(0xDA, &(n as u16).to_be_bytes()),
                    _ => self.put(0xDB, &n.to_be_bytes()),
                }
                self.out.extend_from_slice(text.as_bytes());
            }
            Leaf::Integer(integer) => match *integer {
                0..0x80 => self.out.push(*integer as u8),
                -32..0 => self.out.push(*integer as i8 as u8),
                0x80..0x100 => self.put(0xCC, &[*integer as u8]),
                0x100..0x1_0000 => self.put(0xCD, &(*integer as u16).to_be_bytes()),
                0x1_0000..0x1_0000_0000 => self.put(0xCE, &(*integer as u32).to_be_bytes()),
                -0x80..-32 => self.put(0xD0, &[*integer as i8 as u8]),
                -0x8000..-0x80 => self.put(0xD1, &(*integer as i16).to_be_bytes()),
                -0x8000_0000..-0x8000 => self.put(0xD2, &(*integer as i32).to_be_bytes()),
                0x1_0000_0000.. => self.put(0xCF, &(*integer as u64).to_be_bytes()),
                _ => self.put(0xD3, &(*integer as i64).to_be_bytes()),
            },
            Leaf::Float(float) if self.pack.has_single_floats => {
                let single = *float as f32;
                if single.is_infinite() && float.is_finite() {
                    return Err(format!("expected a float of 32 bits, found {float}"));
                }
                self.put(0xCA, &single.to_be_bytes());
            }
            Leaf::Float(float) => self.put(0xCB, &float.to_be_bytes()),
            Leaf::Truth(truth) => self.out.push(0xC2 | u8::from(*truth)),
            Leaf::Other(name) => return Err(format!("expected text or a number, found {name}")),
        }
        Ok(())
    }
}

struct PackReader<'d> {
    rest: &'d [u8],
}

impl<'d> PackReader<'d> {
    fn bytes(&mut self, n: usize) -> Result<&'d [u8], String> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(n)
            .ok_or_else(|| format!("expected {n} more bytes, found {}", self.rest.len()))?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        Ok(self.bytes(N)?.first_chunk().copied().unwrap_or([0; N]))
    }

    fn mark(&mut self) -> Result<u8, String> {
        let [mark] = self.array()?;
        Ok(mark)
    }

    fn text(&mut self, n: usize) -> Result<Leaf<'d>, String> {
        let text = str::from_utf8(self.bytes(n)?).map_err(|_| "text is not valid UTF-8")?;
        Ok(Leaf::Text(text.into()))
    }
}

impl<'d> Reader<'d> for PackReader<'d> {
    fn open(&mut self, n: usize) -> Result<(), String> {
        let found = match self.mark()? {
            mark @ 0x90..=0x9F => usize::from(mark & 0xF),
            0xDC => u16::from_be_bytes(self.array()?).into(),
            0xDD => u32::from_be_bytes(self.array()?) as usize,
            mark => return Err(format!("expected a list, found {mark:#x}")),
        };
        if found == n { Ok(()) } else { Err(format!("expected a list of {n}, found {found}")) }
    }

    fn element(&mut self, _: usize) -> Result<(), String> {
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn leaf(&mut self) -> Result<Leaf<'d>, String> {
        Ok(match self.mark()? {
            mark @ 0..=0x7F => Leaf::Integer(mark.into()),
            mark @ 0xE0..=0xFF => Leaf::Integer(i128::from(mark) - 256),
            mark @ 0xA0..=0xBF => self.text(usize::from(mark & 0x1F))?,
            0xD9 => {
                let n = self.mark()?;
                self.text(n.into())?
            }
            0xDA => {
                let n = u16::from_be_bytes(self.array()?);
                self.text(n.into())?
            }
            0xDB => {
                let n = u32::from_be_bytes(self.array()?);
                self.text(n as usize)?
            }
            0xCC => Leaf::Integer(self.mark()?.into()),
            0xCD => Leaf::Integer(u16::from_be_bytes(self.array()?).into()),
            0xCE => Leaf::Integer(u32::from_be_bytes(self.array()?).into()),
            0xCF => Leaf::Integer(u64::from_be_bytes(self.array()?).into()),
            0xD0 => Leaf::Integer(i8::from_be_bytes(self.array()?).into()),
            0xD1 => Leaf::Integer(i16::from_be_bytes(self.array()?).into()),
            0xD2 => Leaf::Integer(i32::from_be_bytes(self.array()?).into()),
            0xD3 => Leaf::Integer(i64::from_be_bytes(self.array()?).into()),
            0xCA => Leaf::Float(f32::from_be_bytes(self.array()?).into()),
            0xCB => Leaf::Float(f64::from_be_bytes(self.array()?)),
            mark @ 0xC2..=0xC3 => Leaf::Truth(mark == 0xC3),
            0xC0 => Leaf::Other("nil"),
            0xC4..=0xC6 => Leaf::Other("bytes"),
            0x90..=0x9F | 0xDC | 0xDD => Leaf::Other("a list"),
            0x80..=0x8F | 0xDE | 0xDF => Leaf::Other("a map"),
            _ => Leaf::Other("an extension"),
        })
    }

    fn finish(&mut self) -> Result<(), String> {
        match self.rest.len() {
            0 => Ok(()),
            n => Err(format!("expected the end, found {n} more bytes")),
        }
    }
}
