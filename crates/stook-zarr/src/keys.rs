//! The keys of chunks: `c/0/1`, `0.1` and their like, below the node's own.

use serde_json::{Value, json};
use stook_core::{Error, NodePath, Result};

use crate::named::Named;

/// How an array's chunk indices become keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChunkKeys {
    /// The node's key, and a slash unless it is the root's.
    prefix: String,
    /// Whether a `c` comes first (version 3's own encoding).
    has_mark: bool,
    separator: char,
}

impl ChunkKeys {
    /// The encoding of version 2.
    ///
    /// # Errors
    /// `Corrupt` if the separator is neither `.` nor `/`.
    pub(crate) fn parse_v2(path: &NodePath, separator: Option<&Value>) -> Result<Self> {
        let separator = separator.filter(|value| !value.is_null());
        let separator = parse_separator("dimension_separator", separator, '.')?;
        Ok(Self { prefix: prefix(path), has_mark: false, separator })
    }

    /// The encoding that `chunk_key_encoding` of a `zarr.json` describes.
    ///
    /// # Errors
    /// `Corrupt` where it is malformed, `Unsupported` where it is not known.
    pub(crate) fn parse_v3(path: &NodePath, encoding: &Value) -> Result<Self> {
        let named = Named::parse("chunk_key_encoding", encoding)?;
        let separator = named.get("separator").or_else(|| encoding.get("separator"));
        let (has_mark, default) = match named.name {
            "default" => (true, '/'),
            "v2" => (false, '.'),
            other => {
                return Err(Error::unsupported(format!(
                    "chunk key encoding `{other}` is not supported"
                )));
            }
        };
        let separator = parse_separator("chunk_key_encoding", separator, default)?;
        Ok(Self { prefix: prefix(path), has_mark, separator })
    }

    /// Keys of nothing, for shards that lie within another codec.
    pub(crate) fn none() -> Self {
        Self { prefix: String::new(), has_mark: true, separator: '/' }
    }

    /// The `chunk_key_encoding` of new arrays.
    pub(crate) fn print_v3() -> Value {
        json!({"name": "default", "configuration": {"separator": "/"}})
    }

    /// The key of the chunk at `index`.
    pub(crate) fn key(&self, index: &[u64]) -> String {
        let mut key = String::new();
        self.write(index, &mut key);
        key
    }

    /// Replaces `key` by that of the chunk at `index`.
    pub(crate) fn write(&self, index: &[u64], key: &mut String) {
        key.clear();
        key.push_str(&self.prefix);
        if self.has_mark {
            key.push('c');
        } else if index.is_empty() {
            key.push('0');
        }
        for (i, &at) in index.iter().enumerate() {
            if i > 0 || self.has_mark {
                key.push(self.separator);
            }
            push_decimal(at, key);
        }
    }

    /// The index of the chunk stored at `key`; `None` for keys of anything else.
    pub(crate) fn read(&self, key: &str, rank: usize) -> Option<Vec<u64>> {
        let rest = key.strip_prefix(&self.prefix)?;
        let rest = if self.has_mark {
            let rest = rest.strip_prefix('c')?;
            if rank == 0 { rest } else { rest.strip_prefix(self.separator)? }
        } else if rank == 0 {
            rest.strip_prefix('0')?
        } else {
            rest
        };
        if rank == 0 {
            return rest.is_empty().then(Vec::new);
        }
        let index: Option<Vec<u64>> = rest.split(self.separator).map(parse_decimal).collect();
        index.filter(|index| index.len() == rank)
    }

    /// What all chunk keys begin with, as far as that is a prefix of whole segments, without a
    /// slash at its end.
    pub(crate) fn walk_prefix(&self) -> String {
        if self.has_mark && self.separator == '/' {
            format!("{}c", self.prefix)
        } else {
            self.prefix.trim_end_matches('/').to_owned()
        }
    }
}

fn prefix(path: &NodePath) -> String {
    if path.is_root() { String::new() } else { format!("{}/", path.key()) }
}

fn parse_separator(what: &str, value: Option<&Value>, default: char) -> Result<char> {
    match value {
        None => Ok(default),
        Some(Value::String(text)) if text == "." => Ok('.'),
        Some(Value::String(text)) if text == "/" => Ok('/'),
        Some(other) => Err(Error::corrupt(format!(
            "`{what}`: expected `.` or `/` as separator, found {other}"
        ))),
    }
}

fn push_decimal(mut number: u64, out: &mut String) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    digits[at..].iter().for_each(|&digit| out.push(digit.into()));
}

/// A decimal number without sign or leading zeros.
fn parse_decimal(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let has_zeros = text.len() > 1 && text.starts_with('0');
    if is_plain && !has_zeros { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(keys: &ChunkKeys, index: &[u64], expected: &str) {
        let mut key = String::from("old");
        keys.write(index, &mut key);
        assert_eq!(key, expected);
        assert_eq!(keys.read(&key, index.len()).as_deref(), Some(index));
        assert_eq!(keys.read(&format!("{key}x"), index.len()), None);
    }

    #[test]
    fn keys_are_written_and_read() {
        let path = NodePath::parse("/a/b").unwrap();
        let v3 = |value| ChunkKeys::parse_v3(&path, &value).unwrap();
        check(&v3(json!("default")), &[0, 120], "a/b/c/0/120");
        check(&v3(json!("default")), &[], "a/b/c");
        let dotted = json!({"name": "default", "configuration": {"separator": "."}});
        check(&v3(dotted), &[1, 2], "a/b/c.1.2");
        check(&v3(json!({"name": "v2"})), &[1, 2], "a/b/1.2");
        check(
            &v3(json!({"name": "v2", "separator": "/"})),
            &[u64::MAX],
            &format!("a/b/{}", u64::MAX),
        );
        let root = ChunkKeys::parse_v2(&NodePath::root(), None).unwrap();
        check(&root, &[], "0");
        check(&root, &[7], "7");
        assert_eq!(root.read("07", 1), None);
        assert_eq!(root.read("7.1", 1), None);
        assert_eq!(root.read(".zarray", 1), None);
        assert!(ChunkKeys::parse_v2(&path, Some(&json!("-"))).is_err());
        assert!(ChunkKeys::parse_v3(&path, &json!("fanout")).is_err());
    }
}
