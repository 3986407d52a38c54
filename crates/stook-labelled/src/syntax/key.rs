//! Keys in text: what stands between the brackets of an array.

use stook_core::{Error, Result};

use crate::axis::AxisRef;
use crate::group::{Bounds, Group, GroupKey, LabelKey, PositionKey};
use crate::key::Key;
use crate::label::Label;
use crate::syntax::labels::{parse_int, parse_label, parse_labels};

/// Whether `text` is one label and nothing else, so that it need not be parsed.
#[must_use]
pub fn is_label(text: &str) -> bool {
    let is_plain =
        |byte: u8| !matches!(byte, b',' | b':' | b'[' | b'>' | b'.' | b' ' | b'\t' | b'\n');
    !text.is_empty() && text.bytes().all(is_plain)
}

/// The key that `text` is: a label, `a0,a1`, `a0:a2`, `a0..a2`, `a[a0,a1]`, `a.i[0,2]`, any of them
/// with ` >> name`.
///
/// # Errors
/// `InvalidInput` for a bracket that is not closed and a range that has no end.
pub fn parse_key(text: &str) -> Result<Key> {
    if is_label(text) {
        return Ok(Key::Label(Label::from(text)));
    }
    let (key, name) = match text.split_once(">>") {
        Some((key, name)) => (key.trim(), Some(name.trim())),
        None => (text.trim(), None),
    };
    let key = match (bracketed(key)?, name) {
        (Some(group), _) => Key::Group(group),
        (None, None) => return Ok(bare(label_key(key)?)),
        (None, Some(_)) => Key::Group(Group::labels(label_key(key)?, None)),
    };
    Ok(match (key, name) {
        (Key::Group(group), Some(name)) => Key::Group(group.named(name)),
        (key, _) => key,
    })
}

/// The keys that `text` lists, separated by `;`.
///
/// # Errors
/// Those of [`parse_key`].
pub fn parse_keys(text: &str) -> Result<Vec<Key>> {
    text.split(';').map(str::trim).filter(|key| !key.is_empty()).map(parse_key).collect()
}

/// A key of labels as a key of its own.
fn bare(key: LabelKey) -> Key {
    match key {
        LabelKey::Scalar(label) => Key::Label(label),
        LabelKey::Slice(bounds) => Key::Slice(bounds),
        LabelKey::List(labels) => Key::List(labels),
    }
}

/// `axis[key]` or `axis.i[key]`; `None` if the text is neither.
fn bracketed(text: &str) -> Result<Option<Group>> {
    let Some((axis, rest)) = text.split_once('[') else { return Ok(None) };
    let (axis, is_positional) = match axis.trim().strip_suffix(".i") {
        Some(axis) => (axis.trim(), true),
        None => (axis.trim(), false),
    };
    let is_name = axis.chars().all(|c| c.is_alphanumeric() || c == '_');
    if axis.is_empty() || !is_name {
        return Ok(None);
    }
    let Some(key) = rest.strip_suffix(']') else {
        return Err(Error::invalid(if rest.contains(']') {
            format!("key '{text}': expected nothing after ']'")
        } else {
            "malformed expression: reached end of string without finding the expected ']'"
                .to_owned()
        }));
    };
    let axis = match parse_int(axis) {
        Some(index) => AxisRef::Index(index),
        None => AxisRef::Name(axis.into()),
    };
    let key = if is_positional {
        GroupKey::Positions(position_key(key)?)
    } else {
        GroupKey::Labels(label_key(key)?)
    };
    Ok(Some(Group::new(key, None, Some(axis))))
}

/// Labels: one, from one to another, or several. A number is one among several only: alone it is text.
pub(crate) fn label_key(text: &str) -> Result<LabelKey> {
    let text = text.trim();
    if text.contains(',') || text.contains("..") {
        return Ok(LabelKey::List(parse_labels(text)?));
    }
    if text.contains(':') {
        return Ok(LabelKey::Slice(bounds(text, |bound| Ok(parse_label(bound)))?));
    }
    if text.is_empty() {
        return Ok(LabelKey::Scalar(Label::None));
    }
    Ok(LabelKey::Scalar(Label::from(text)))
}

/// `start:stop:step`, each of them optional.
fn bounds<T>(text: &str, parse: impl Fn(&str) -> Result<T>) -> Result<Bounds<T>> {
    let mut parts = text.splitn(3, ':').map(str::trim);
    let mut bound = || {
        let part = parts.next().unwrap_or("");
        if part.is_empty() { Ok(None) } else { parse(part).map(Some) }
    };
    let (start, stop) = (bound()?, bound()?);
    let step = match parts.next().unwrap_or("") {
        "" => None,
        step => Some(integer(step)?),
    };
    Ok(Bounds { start, stop, step })
}

fn integer(text: &str) -> Result<i64> {
    let text = text.trim();
    text.parse().map_err(|_| Error::invalid(format!("expected a position, found '{text}'")))
}

fn position_key(text: &str) -> Result<PositionKey> {
    if text.contains(':') && !text.contains(',') {
        return Ok(PositionKey::Slice(bounds(text, integer)?));
    }
    if !text.contains(',') {
        return Ok(PositionKey::At(integer(text)?));
    }
    let listed = text.split(',').filter(|part| !part.trim().is_empty());
    Ok(PositionKey::List(listed.map(integer).collect::<Result<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        parse_key(text).expect(text).repr()
    }

    #[test]
    fn text_is_a_key() {
        for (text, key) in [
            ("a0", "'a0'"),
            (" a0 ", "'a0'"),
            ("a0,a1", "['a0', 'a1']"),
            ("a0:a2", "slice('a0', 'a2', None)"),
            ("a0:a2:2", "slice('a0', 'a2', 2)"),
            (":", "slice(None, None, None)"),
            ("a[a0,a1]", "a['a0', 'a1']"),
            ("a[a0]", "a['a0']"),
            ("a[1]", "a['1']"),
            ("a[1,2]", "a[1, 2]"),
            ("a.i[0,2]", "a.i[0, 2]"),
            ("a.i[:-1]", "a.i[:-1]"),
            ("2001:2003", "slice(2001, 2003, None)"),
            ("2001..2003", "[2001, 2002, 2003]"),
            ("a0,a1>>n", "LGroup(['a0', 'a1']) >> 'n'"),
            ("a[a0] >> n", "a['a0'] >> 'n'"),
            ("1", "'1'"),
            ("a0;a1", "'a0;a1'"),
        ] {
            assert_eq!(shown(text), key, "{text}");
        }
        assert_eq!(parse_keys("a0,a1;a2 >> z;").expect("keys").len(), 2);
    }

    #[test]
    fn what_is_malformed_is_an_error() {
        for text in ["a[a0", "a.i[x]", "a0..", "a[a0] , b0", "a.i[0:x]"] {
            assert!(parse_key(text).is_err(), "{text}");
        }
    }
}
