//! What a session or an array says about itself: names with values, in their order.

use std::fmt;
use std::ops::{Deref, DerefMut};

use stook_core::NamedValues;

use crate::scalar::Scalar;

/// Names with values, in the order they were set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata(NamedValues<Scalar>);

impl Metadata {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Deref for Metadata {
    type Target = NamedValues<Scalar>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Metadata {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

/// Of equal names, the last value is kept, in the place of the first.
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
