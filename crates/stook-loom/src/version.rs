//! The version of the specification that a file follows.

use std::fmt;
use std::str::FromStr;

use stook::{Error, File, NodeKind, NodePath, Result};

use crate::attribute_value::values_of;

/// The name of the attribute that holds it.
pub(crate) const NAME: &str = "LOOM_SPEC_VERSION";

/// A version of the Loom specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpecVersion {
    /// The first number.
    pub major: u32,
    /// The second.
    pub minor: u32,
    /// The third.
    pub patch: u32,
}

impl SpecVersion {
    /// That of a file that says none.
    pub const NONE: Self = Self { major: 0, minor: 0, patch: 0 };
    /// The newest, which new files follow.
    pub const V3: Self = Self { major: 3, minor: 0, patch: 0 };

    /// Whether attributes of the file are data sets in `/attrs`, and text is UTF-8.
    #[must_use]
    pub fn is_v3(self) -> bool {
        self >= Self::V3
    }

    /// The version that `file` says it has: `/attrs` is asked first, and an attribute of the root
    /// overrides it. One that is no version is none.
    pub(crate) fn of(file: &File) -> Result<Self> {
        let mut found = Self::NONE;
        let path = NodePath::parse("/attrs")?.join(NAME)?;
        if file.container().kind(&path)? == Some(NodeKind::Array) {
            let values = file.array(path.as_str())?.read(&stook::Selection::All)?;
            found = values.text_at(0).ok().and_then(|text| text.parse().ok()).unwrap_or(found);
        }
        let stored = file.container().attribute(&NodePath::root(), NAME)?;
        if let Some(values) = stored.as_ref().and_then(values_of) {
            found = values.text_at(0).ok().and_then(|text| text.parse().ok()).unwrap_or(found);
        }
        Ok(found)
    }
}

impl fmt::Display for SpecVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for SpecVersion {
    type Err = Error;

    /// Up to three numbers with dots between them; those that are missing are 0.
    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let mut parts = text.trim().split('.').map(|part| part.parse::<u32>().ok());
            let mut next = || parts.next().unwrap_or(Some(0));
            let version = Self { major: next()?, minor: next()?, patch: next()? };
            parts.next().is_none().then_some(version)
        };
        parse().ok_or_else(|| {
            Error::invalid(format!("expected a version such as `3.0.0`, found `{text}`"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        let version = |text: &str| text.parse::<SpecVersion>().unwrap();
        assert!(version("0.1") < version("2.0.1") && version("2.0.1") < SpecVersion::V3);
        assert!(version("10.0.0").is_v3() && !version("2.9").is_v3());
        assert_eq!(version("3").to_string(), "3.0.0");
        for text in ["", "x", "3.0.0.0", "3.-1"] {
            assert!(text.parse::<SpecVersion>().is_err(), "{text}");
        }
    }
}
