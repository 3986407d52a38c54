//! Attributes: named values on a node, as a format's own kind of data.

use crate::dtype::DType;
use crate::values::Values;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeValue {
    /// A JSON value, as Zarr has it.
    Json(serde_json::Value),
    /// A typed scalar or array, as HDF5 has it.
    Values(Values),
    /// A type without a value (HDF5's null dataspace).
    Null(DType),
}

impl From<serde_json::Value> for AttributeValue {
    fn from(value: serde_json::Value) -> Self {
        Self::Json(value)
    }
}

macro_rules! from_json {
    ($($type:ty),*) => {$(
        impl From<$type> for AttributeValue {
            fn from(value: $type) -> Self {
                Self::Json(value.into())
            }
        }
    )*};
}

from_json!(bool, i8, i16, i32, i64, u8, u16, u32, u64, &str, String);

impl From<f64> for AttributeValue {
    /// A number that JSON lacks becomes an array's item.
    #[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
    fn from(number: f64) -> Self {
        let value = serde_json::Number::from_f64(number).map(|number| Self::Json(number.into()));
        let item = || number.to_ne_bytes().to_vec();
        value.unwrap_or_else(|| match Values::new(DType::Float64, Vec::new(), item(), Vec::new()) {
            Ok(values) => Self::Values(values),
            Err(_) => Self::Null(DType::Float64),
        })
    }
}

impl From<Values> for AttributeValue {
    fn from(values: Values) -> Self {
        Self::Values(values)
    }
}

/// A node's attributes in the order of the file.
pub type Attributes = NamedValues<AttributeValue>;

/// Values by name, in the order in which they were set.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedValues<V>(Vec<(String, V)>);

impl<V> Default for NamedValues<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> NamedValues<V> {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&V> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Sets `name`, in place if it exists, else at the end.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<V>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Removes `name` and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<V> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// Names and values in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &V)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Attributes {
    /// Applies edits in their order; names that a removal does not find are passed over.
    pub fn apply(&mut self, edits: &AttributeEdits) {
        if edits.clear {
            self.0.clear();
        }
        for (name, value) in &edits.changes {
            match value {
                Some(value) => self.set(name.clone(), value.clone()),
                None => {
                    self.remove(name);
                }
            }
        }
    }
}

impl<V> FromIterator<(String, V)> for NamedValues<V> {
    /// Collects without looking for duplicates: names are unique in a file.
    fn from_iter<I: IntoIterator<Item = (String, V)>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

impl<V> IntoIterator for NamedValues<V> {
    type Item = (String, V);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Changes to a node's attributes, carried out together.
#[derive(Clone, Debug, Default)]
pub struct AttributeEdits {
    /// Whether all attributes go first.
    pub clear: bool,
    /// Values to set, and names to remove (`None`), in order.
    pub changes: Vec<(String, Option<AttributeValue>)>,
}

impl AttributeEdits {
    /// No change.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Also removes all attributes there are, first.
    #[must_use]
    pub fn clear(mut self) -> Self {
        self.clear = true;
        self
    }

    /// Also sets `name`.
    #[must_use]
    pub fn set(mut self, name: impl Into<String>, value: impl Into<AttributeValue>) -> Self {
        self.changes.push((name.into(), Some(value.into())));
        self
    }

    /// Also removes `name`.
    #[must_use]
    pub fn remove(mut self, name: impl Into<String>) -> Self {
        self.changes.push((name.into(), None));
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn edits_keep_the_order_of_the_file() {
        let mut attributes = Attributes::new();
        attributes.set("a", json!(1));
        attributes.set("b", json!(2));
        attributes.apply(&AttributeEdits::new().set("a", json!(3)).remove("x").set("c", json!(4)));
        let names: Vec<_> = attributes.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(attributes.get("a"), Some(&AttributeValue::Json(json!(3))));
        attributes.apply(&AttributeEdits::new().set("z", json!(0)).clear());
        assert_eq!(attributes.len(), 1);
    }
}
