//! What a session or an array says about itself: names with values, in their order.

use std::fmt;

use crate::scalar::Scalar;

/// Names with values, in the order they were set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata(Vec<(String, Scalar)>);

impl Metadata {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Scalar> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Sets `name`, in its place if there is one, else at the end.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Scalar>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Removes `name` and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Scalar> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Scalar)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>, S: Into<Scalar>> FromIterator<(N, S)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (N, S)>>(pairs: I) -> Self {
        let mut metadata = Self::new();
        pairs.into_iter().for_each(|(name, value)| metadata.set(name, value));
        metadata
    }
}

/// A line for each: `title: …`.
impl fmt::Display for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { "\n" })?;
            write!(f, "{name}: {value}")?;
        }
        Ok(())
    }
}
