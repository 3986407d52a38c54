//! Absolute, normalised paths of nodes in a tree.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};

/// The path of a node: `/` for the root, else `/a/b` without empty, `.` or `..` segments.
///
/// Cheap to clone. Relative spellings (`a/b`, `a//b/`) are accepted and normalised.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodePath(Arc<str>);

impl NodePath {
    /// The root of a tree.
    #[must_use]
    pub fn root() -> Self {
        Self(Arc::from("/"))
    }

    /// A path from text; leading, trailing and doubled slashes do not matter.
    ///
    /// # Errors
    /// `InvalidInput` on a `.` or `..` segment or a NUL character.
    pub fn parse(text: &str) -> Result<Self> {
        let mut path = String::with_capacity(text.len() + 1);
        for segment in text.split('/').filter(|segment| !segment.is_empty()) {
            check_name(segment)?;
            path.push('/');
            path.push_str(segment);
        }
        if path.is_empty() {
            return Ok(Self::root());
        }
        Ok(Self(Arc::from(path)))
    }

    /// The path of the child called `name`.
    ///
    /// # Errors
    /// `InvalidInput` if `name` is empty, `.`, `..`, or holds a slash or a NUL character.
    pub fn join(&self, name: &str) -> Result<Self> {
        if name.is_empty() || name.contains('/') {
            return Err(Error::invalid(format!("node name `{name}` is empty or holds a slash")));
        }
        check_name(name)?;
        let parent = if self.is_root() { "" } else { &self.0 };
        Ok(Self(Arc::from(format!("{parent}/{name}"))))
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.len() == 1
    }

    /// The path with its leading slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path without its leading slash, as Zarr stores key it: empty for the root.
    #[must_use]
    pub fn key(&self) -> &str {
        self.0.strip_prefix('/').unwrap_or(&self.0)
    }

    /// The last segment; empty for the root.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or("")
    }

    /// The group that holds this node; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        match self.0.rfind('/') {
            None | Some(0) => Some(Self::root()),
            Some(at) => Some(Self(Arc::from(self.0.get(..at).unwrap_or("/")))),
        }
    }

    /// The segments from the root down.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }

    /// Whether this node is `ancestor` or lies below it.
    #[must_use]
    pub fn starts_with(&self, ancestor: &Self) -> bool {
        ancestor.is_root()
            || self
                .0
                .strip_prefix(ancestor.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

fn check_name(name: &str) -> Result<()> {
    if name == "." || name == ".." || name.contains('\0') {
        return Err(Error::invalid(format!(
            "node name `{}` is reserved or holds a NUL character",
            name.escape_default()
        )));
    }
    Ok(())
}

impl Default for NodePath {
    fn default() -> Self {
        Self::root()
    }
}

impl fmt::Display for NodePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NodePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl std::str::FromStr for NodePath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_path_are_normalised() {
        for text in ["a/b", "/a/b", "//a///b/", "/a/b/"] {
            assert_eq!(NodePath::parse(text).unwrap().as_str(), "/a/b");
        }
        assert!(NodePath::parse("").unwrap().is_root());
    }

    #[test]
    fn a_path_cannot_leave_its_tree() {
        for text in ["../x", "/a/../b", "a/.", "a\0b"] {
            assert!(NodePath::parse(text).is_err(), "{text:?}");
        }
        assert!(NodePath::root().join("a/b").is_err());
    }

    #[test]
    fn parents_names_and_prefixes() {
        let path = NodePath::parse("/a/bc").unwrap();
        assert_eq!((path.name(), path.key()), ("bc", "a/bc"));
        assert_eq!(path.parent().unwrap().as_str(), "/a");
        assert_eq!(path.parent().unwrap().parent().unwrap(), NodePath::root());
        assert!(path.starts_with(&NodePath::parse("a").unwrap()));
        assert!(!path.starts_with(&NodePath::parse("a/b").unwrap()));
        assert_eq!(NodePath::root().join("x").unwrap().as_str(), "/x");
    }
}
