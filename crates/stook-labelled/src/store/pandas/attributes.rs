//! Attributes as PyTables has them: text of fixed length in UTF-8, and pickles of everything else.

use stook::pickle::{Node, Pickle, write_ascii};
use stook_core::dtype::{Charset, FixedString, Padding};
use stook_core::{AttributeValue, Attributes, DType, Error, Limits, Result, Values};

use crate::store::python::METADATA;

/// `None`, pickled.
pub(super) const PICKLED_NONE: &[u8] = b"N.";

/// `text` as an attribute.
pub(super) fn text(text: &str) -> AttributeValue {
    fixed(text.as_bytes(), Charset::Utf8)
}

/// Bytes of a pickle of protocol 0 as an attribute.
pub(super) fn pickled(bytes: &[u8]) -> AttributeValue {
    fixed(bytes, Charset::Ascii)
}

/// The pickle of a document, as an attribute.
pub(super) fn pickle(document: &Pickle) -> Result<AttributeValue> {
    write_ascii(document).map(|bytes| pickled(&bytes))
}

fn fixed(bytes: &[u8], charset: Charset) -> AttributeValue {
    let dtype = |len_bytes| {
        DType::FixedString(FixedString { len_bytes, charset, padding: Padding::NullTerminated })
    };
    if bytes.is_empty() {
        return AttributeValue::Null(dtype(1));
    }
    match Values::new(dtype(bytes.len()), Vec::new(), bytes.to_vec(), Vec::new()) {
        Ok(values) => AttributeValue::Values(values),
        Err(_) => AttributeValue::Null(dtype(1)),
    }
}

/// A number as an attribute.
pub(super) fn number(value: i64) -> Result<AttributeValue> {
    let items = stook_core::element::as_bytes(&[value]).to_vec();
    Values::new(DType::Int64, Vec::new(), items, Vec::new()).map(AttributeValue::Values)
}

/// A truth value as an attribute.
pub(super) fn flag(value: bool) -> Result<AttributeValue> {
    let dtype = DType::Bitfield(1);
    Values::new(dtype, Vec::new(), vec![u8::from(value)], Vec::new()).map(AttributeValue::Values)
}

/// The attributes of a node, by what they mean.
#[derive(Debug)]
pub(super) struct Marks(Attributes);

impl Marks {
    pub(super) fn new(attributes: Attributes) -> Self {
        Self(attributes)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    /// The bytes of a text or pickle.
    fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        match self.0.get(name)? {
            AttributeValue::Null(_) => Some(Vec::new()),
            AttributeValue::Json(value) => value.as_str().map(|text| text.as_bytes().to_vec()),
            AttributeValue::Values(values) if values.len() == 1 => match values.dtype() {
                DType::FixedString(_) => {
                    let bytes = values.item(0)?;
                    let len = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1);
                    bytes.get(..len).map(<[u8]>::to_vec)
                }
                DType::String(_) | DType::Bytes => values.payload(0).ok().map(<[u8]>::to_vec),
                _ => None,
            },
            AttributeValue::Values(_) => None,
        }
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        String::from_utf8(self.bytes(name)?).ok()
    }

    /// A whole number, or a truth value as one.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        let Some(AttributeValue::Values(values)) = self.0.get(name) else { return None };
        let item = values.item(0)?;
        match values.dtype() {
            DType::Bool | DType::Bitfield(1) | DType::UInt8 => Some(i64::from(*item.first()?)),
            DType::Int64 | DType::UInt64 => item.try_into().ok().map(i64::from_ne_bytes),
            DType::Int32 =>
            {
                #[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
                item.try_into().ok().map(|item| i64::from(i32::from_ne_bytes(item)))
            }
            _ => None,
        }
    }

    /// A pickle; `None` if there is none.
    ///
    /// # Errors
    /// Those of [`Pickle::parse_with`].
    pub(super) fn pickle(&self, name: &str, limits: &Limits) -> Result<Option<Pickle>> {
        let Some(bytes) = self.bytes(name) else { return Ok(None) };
        let read = Pickle::parse_with(&bytes, limits, &[METADATA]);
        read.map(Some).map_err(|error| error.within(format_args!("attribute `{name}`")))
    }

    /// The name of an axis or group: text, or a pickled `None` or number.
    ///
    /// # Errors
    /// `Unsupported` for a name of another kind.
    pub(super) fn name(&self, limits: &Limits) -> Result<Option<Name>> {
        let Some(bytes) = self.bytes("name") else { return Ok(None) };
        if bytes == PICKLED_NONE && !self.is_utf8("name") {
            return Ok(None);
        }
        if !self.is_utf8("name")
            && let Ok(pickle) = Pickle::parse_with(&bytes, limits, &[])
        {
            return match pickle.node(pickle.root())? {
                Node::None => Ok(None),
                Node::Int(value) => Ok(i64::try_from(*value).ok().map(Name::Number)),
                node => match node.as_text() {
                    Some(text) => Ok(Some(Name::Text(text.to_owned()))),
                    None => {
                        Err(Error::unsupported(format!("a name that is a {}", node.type_name())))
                    }
                },
            };
        }
        let text = String::from_utf8(bytes);
        text.map(|text| Some(Name::Text(text))).map_err(|_| Error::corrupt("a name is not UTF-8"))
    }

    /// Whether the attribute says that it is text and no pickle.
    fn is_utf8(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(AttributeValue::Values(values)) => match values.dtype() {
                DType::FixedString(text) => text.charset == Charset::Utf8,
                DType::String(charset) => *charset == Charset::Utf8,
                _ => false,
            },
            _ => true,
        }
    }
}

/// What an axis is called in a file.
#[derive(Clone, Debug)]
pub(super) enum Name {
    Text(String),
    Number(i64),
}
