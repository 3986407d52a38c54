//! Names with a configuration: how version 3 spells codecs, data types, grids and encodings,
//! and how version 2 spells codecs (an object with an `id` beside its settings).

use serde_json::Value;
use stook_core::{Error, Result};

use crate::json::{self, Object};

/// A name and its configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    pub(crate) name: &'a str,
    configuration: Option<&'a Object>,
}

impl<'a> Named<'a> {
    /// The name and configuration that `value`, found as `what`, holds.
    ///
    /// # Errors
    /// `Corrupt` where it holds none.
    pub(crate) fn parse(what: &str, value: &'a Value) -> Result<Self> {
        if let Value::String(name) = value {
            return Ok(Self { name, configuration: None });
        }
        let name = value.get("name").and_then(Value::as_str);
        let name = name.ok_or_else(|| {
            let found = json::kind(value);
            Error::corrupt(format!(
                "`{what}`: expected a name or an object with one, found {found}"
            ))
        })?;
        match value.get("configuration") {
            None | Some(Value::Null) => Ok(Self { name, configuration: None }),
            Some(Value::Object(object)) => Ok(Self { name, configuration: Some(object) }),
            Some(other) => Err(Error::corrupt(format!(
                "`{what}`: expected an object as configuration of `{name}`, found {}",
                json::kind(other)
            ))),
        }
    }

    /// The id and settings of a codec of version 2.
    ///
    /// # Errors
    /// `Corrupt` where there is no id.
    pub(crate) fn parse_v2(value: &'a Value) -> Result<Self> {
        let object = value.as_object();
        let name = object.and_then(|object| object.get("id")).and_then(Value::as_str);
        match name {
            Some(name) => Ok(Self { name, configuration: object }),
            None => Err(Error::corrupt(format!(
                "expected a codec as an object with `id`, found {}",
                json::kind(value)
            ))),
        }
    }

    /// The same configuration under another name.
    pub(crate) fn renamed(self, name: &'a str) -> Self {
        Self { name, ..self }
    }

    /// The configuration as a value of its own.
    pub(crate) fn configuration(&self) -> Value {
        self.configuration.map_or(Value::Null, |object| Value::Object(object.clone()))
    }

    /// The setting called `key`; JSON's null is no setting.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Value> {
        self.configuration?.get(key).filter(|value| !value.is_null())
    }

    /// The setting called `key` if it is text.
    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key).and_then(Value::as_str)
    }

    /// The setting called `key`, true or false.
    ///
    /// # Errors
    /// `Corrupt` where it is something else.
    pub(crate) fn flag(&self, key: &str, default: bool) -> Result<bool> {
        match self.get(key) {
            None => Ok(default),
            Some(value) => value.as_bool().ok_or_else(|| self.malformed(key, "true or false")),
        }
    }

    /// The setting called `key`, a whole number.
    ///
    /// # Errors
    /// `Corrupt` where it is something else.
    pub(crate) fn number(&self, key: &str) -> Result<Option<i64>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => match value.as_i64() {
                Some(number) => Ok(Some(number)),
                None => Err(self.malformed(key, "a whole number")),
            },
        }
    }

    /// The setting called `key` as another integer type.
    ///
    /// # Errors
    /// `Corrupt` where it is out of its range.
    pub(crate) fn integer<T: TryFrom<i64>>(&self, key: &str, default: T) -> Result<T> {
        match self.number(key)? {
            None => Ok(default),
            Some(number) => {
                T::try_from(number).map_err(|_| self.malformed(key, "a number in its range"))
            }
        }
    }

    /// The setting `length_bytes`.
    ///
    /// # Errors
    /// `Corrupt` where there is none or it is no length.
    pub(crate) fn len_bytes(&self) -> Result<usize> {
        let len = self.number("length_bytes")?.and_then(|len| usize::try_from(len).ok());
        len.filter(|&len| isize::try_from(len).is_ok())
            .ok_or_else(|| self.malformed("length_bytes", "a number of bytes"))
    }

    /// The setting called `key` as a list of lengths or indices.
    ///
    /// # Errors
    /// `Corrupt` where it is something else.
    pub(crate) fn numbers(&self, key: &str) -> Result<Vec<u64>> {
        let items = self.get(key).and_then(Value::as_array);
        items
            .and_then(|items| items.iter().map(Value::as_u64).collect())
            .ok_or_else(|| self.malformed(key, "a list of whole numbers"))
    }

    /// An error that says what `key` should have been.
    pub(crate) fn malformed(&self, key: &str, expected: &str) -> Error {
        let found = self.get(key).map_or_else(|| "nothing".to_owned(), Value::to_string);
        Error::corrupt(format!("`{}`: expected `{key}` to be {expected}, found {found}", self.name))
    }
}
