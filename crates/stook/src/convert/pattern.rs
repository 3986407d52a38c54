//! Which nodes a rule is for: names and paths with wildcards.

use std::fmt;
use std::str::FromStr;

use stook_core::{Error, NodePath, Result};

/// Names of nodes, with wildcards.
///
/// Without a slash it is a name at any depth (`counts`, `layer_*`); with one, a path from where
/// the conversion begins (`/obs/*`, `raw/X`). `*` and `?` stand for characters of one name, `**`
/// for any number of names, and a backslash takes the meaning from what follows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    text: String,
    segments: Vec<String>,
    is_path: bool,
}

impl Pattern {
    /// Whether `node` is one of those it is for.
    #[must_use]
    pub fn matches(&self, node: &NodePath) -> bool {
        if !self.is_path {
            let segment = self.segments.first().map_or("", String::as_str);
            return !node.is_root() && matches_name(segment, node.name());
        }
        let names: Vec<&str> = node.segments().collect();
        matches_path(&self.segments, &names)
    }

    /// Whether `node` or a node above it is one of those it is for.
    #[must_use]
    pub fn matches_above(&self, node: &NodePath) -> bool {
        std::iter::successors(Some(node.clone()), NodePath::parent).any(|node| self.matches(&node))
    }
}

impl FromStr for Pattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Error::invalid("expected the name or path of nodes, found nothing"));
        }
        let segments = text.split('/').filter(|segment| !segment.is_empty());
        let segments = segments.map(str::to_owned).collect();
        Ok(Self { text: text.to_owned(), segments, is_path: text.contains('/') })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Matches segments against names. Both come from outside: no recursion, and at worst their
/// product in steps.
fn matches_path(segments: &[String], names: &[&str]) -> bool {
    let is_any = |segment: &String| segment == "**";
    matches(segments, names, &is_any, &|segment, name| matches_name(segment, name))
}

fn matches_name(segment: &str, name: &str) -> bool {
    let mut pieces = Vec::new();
    let mut chars = segment.chars();
    while let Some(char) = chars.next() {
        pieces.push(match char {
            '*' => Piece::Any,
            '?' => Piece::One,
            '\\' => Piece::Char(chars.next().unwrap_or('\\')),
            other => Piece::Char(other),
        });
    }
    let chars: Vec<char> = name.chars().collect();
    let is_any = |piece: &Piece| *piece == Piece::Any;
    matches(&pieces, &chars, &is_any, &|piece, char| match piece {
        Piece::Char(expected) => expected == char,
        _ => true,
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Any,
    One,
    Char(char),
}

/// Matches pieces, some of which stand for any number of items, against items: the last such
/// piece takes one item more whenever what follows it does not fit.
fn matches<P, T>(
    pieces: &[P],
    items: &[T],
    is_any: &dyn Fn(&P) -> bool,
    is_one: &dyn Fn(&P, &T) -> bool,
) -> bool {
    let (mut piece, mut item) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    loop {
        match (pieces.get(piece), items.get(item)) {
            (None, None) => return true,
            (Some(any), _) if is_any(any) => {
                back = Some((piece + 1, item));
                piece += 1;
                continue;
            }
            (Some(one), Some(next)) if is_one(one, next) => {
                (piece, item) = (piece + 1, item + 1);
                continue;
            }
            _ => {}
        }
        match back {
            Some((after, taken)) if taken < items.len() => {
                back = Some((after, taken + 1));
                (piece, item) = (after, taken + 1);
            }
            _ => return false,
        }
    }
}

/// A setting for some nodes, or for all.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule<T> {
    /// Which; `None` for all that it makes sense for.
    pub nodes: Option<Pattern>,
    /// What.
    pub value: T,
}

impl<T> Rule<T> {
    /// The same for all nodes that it makes sense for.
    pub fn all(value: T) -> Self {
        Self { nodes: None, value }
    }

    /// For the nodes that `pattern` is for.
    ///
    /// # Errors
    /// `InvalidInput` for an empty pattern.
    pub fn of(pattern: &str, value: T) -> Result<Self> {
        Ok(Self { nodes: Some(pattern.parse()?), value })
    }

    /// Whether it is for `node`.
    pub(crate) fn is_for(&self, node: &NodePath) -> bool {
        self.nodes.as_ref().is_none_or(|nodes| nodes.matches(node))
    }
}

impl<T: FromStr<Err = Error>> FromStr for Rule<T> {
    type Err = Error;

    /// `VALUE`, or `NODES=VALUE`.
    fn from_str(text: &str) -> Result<Self> {
        let is_json = text.trim_start().starts_with(['[', '{']);
        match text.split_once('=').filter(|_| !is_json) {
            Some((nodes, value)) => Self::of(nodes, value.parse()?),
            None => text.parse().map(Self::all),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, node: &str) -> bool {
        pattern.parse::<Pattern>().unwrap().matches(&NodePath::parse(node).unwrap())
    }

    #[test]
    fn patterns_match_names_or_paths() {
        assert!(matches("X", "/X") && matches("X", "/raw/X") && !matches("X", "/raw/XY"));
        assert!(matches("/X", "/X") && !matches("/X", "/raw/X"));
        assert!(matches("obs/*", "/obs/a") && !matches("obs/*", "/obs/a/b"));
        assert!(matches("obs/**", "/obs/a/b") && matches("**/b", "/obs/a/b"));
        assert!(matches("/**", "/") && matches("/", "/") && !matches("*", "/"));
        assert!(matches("l?yer_*", "/layer_12") && !matches("l?yer_*", "/lyer_1"));
        assert!(matches("a*b*c", "/aXbYbc") && !matches("a*b*c", "/aXbYb"));
        assert!(matches("/**/x/**/y", "/a/x/b/x/y") && !matches("/**/x/**/y", "/a/y"));
        assert!(matches(r"a\*", "/a*") && !matches(r"a\*", "/ab"));
        assert!("".parse::<Pattern>().is_err());
    }

    #[test]
    fn a_pattern_is_also_for_what_is_below() {
        let raw: Pattern = "raw".parse().unwrap();
        assert!(raw.matches_above(&NodePath::parse("/a/raw/b/c").unwrap()));
        assert!(!raw.matches_above(&NodePath::parse("/a/b").unwrap()));
    }
}
