//! What the catalogue tells of a session and of a file.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::quality::Quality;
use crate::name::SessionName;
use crate::packed::Packed;

/// A session.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRecord {
    /// What tells it from others.
    pub name: SessionName,
    /// Its folder below the root, or the file that all of it lies in, with `/` between the parts.
    pub path: String,
    /// How many files it has that are named as datasets.
    pub n_datasets: u64,
    /// How many bytes these take.
    pub len_bytes: u64,
    /// What people call it.
    pub tags: Vec<String>,
    /// What people say of it: text, numbers, truth values.
    pub fields: BTreeMap<String, Value>,
}

impl SessionRecord {
    /// Its quality, as far as somebody said.
    #[must_use]
    pub fn quality(&self) -> Quality {
        let told = self.fields.get(super::QUALITY).and_then(Value::as_str);
        told.and_then(|told| told.parse().ok()).unwrap_or_default()
    }

    /// Whether all of it lies in one Zarr or HDF5 file, and not in a folder.
    #[must_use]
    pub fn is_in_file(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        Packed::stem(name).is_some()
    }

    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "mouse": self.name.mouse(),
            "date": self.name.date().to_string(),
            "session_id": self.name.id(),
            "path": self.path,
            "n_datasets": self.n_datasets,
            "len_bytes": self.len_bytes,
            "tags": self.tags,
            "fields": self.fields,
        })
    }
}

/// What kind of thing a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DatasetKind {
    /// An array.
    Array,
    /// A sparse matrix.
    Sparse,
    /// A loading recipe.
    Recipe,
    /// Other objects of Python.
    Objects,
    /// A file of another format, of which nothing more is known.
    Other,
}

impl DatasetKind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Array, Self::Sparse, Self::Recipe, Self::Objects, Self::Other];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Array => "array",
            Self::Sparse => "sparse",
            Self::Recipe => "recipe",
            Self::Objects => "objects",
            Self::Other => "other",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A file of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetRecord {
    /// Its path below the session's folder, with `/` between the parts.
    pub path: String,
    /// Its name, without folders and what it ends in.
    pub name: String,
    /// What it holds.
    pub kind: DatasetKind,
    /// The type of its elements, where it has one.
    pub dtype: Option<String>,
    /// The shape, where it has one.
    pub shape: Option<Vec<u64>>,
    /// Its length.
    pub len_bytes: u64,
    /// When it was last changed, in nanoseconds since 1970.
    pub modified: u64,
    /// The SHA-256 of its bytes, where it was asked for.
    pub hash: Option<String>,
    /// What is wrong with it.
    pub problem: Option<String>,
    /// How good it is, as far as somebody said.
    pub quality: Quality,
    /// Whether its time of change tells any later change: it was not changed just before it was
    /// looked at.
    pub(super) is_settled: bool,
}

impl DatasetRecord {
    /// The folder below the session's that it lies in; ALF calls that a collection.
    #[must_use]
    pub fn collection(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "path": self.path,
            "name": self.name,
            "kind": self.kind.as_str(),
            "dtype": self.dtype,
            "shape": self.shape,
            "len_bytes": self.len_bytes,
            "modified": self.modified,
            "sha256": self.hash,
            "problem": self.problem,
            "quality": self.quality.as_str(),
        })
    }

    /// Whether this is what is known of a file of that length, last changed then.
    pub(super) fn is_of(&self, len_bytes: u64, modified: u64) -> bool {
        self.is_settled && (self.len_bytes, self.modified) == (len_bytes, modified)
    }
}
