//! Several objects with names, in order: `Session`.
//!
//! Iterating gives the items as they were added; [`Session::names`] are sorted. What is derived of a
//! session (a selection, a copy, the result of a calculation) has no metadata, as in larray.

mod algebra;
mod arrays;
mod checked;
mod diff;
pub(crate) mod equality;
mod lazy;
mod pattern;
mod report;
pub(crate) mod summary;
mod transfer;

use std::collections::HashMap;
use std::sync::Arc;

use stook_core::{Error, Result};

pub use crate::store::excel::{SheetRef, sheet_rows};
pub use algebra::{Operand, Operation};
pub use checked::{CheckedParameters, CheckedSession, Declared, Notice, ScalarKind, SessionForm};
pub use diff::{ArrayDiff, CellDiff, DiffOptions, DiffReport, ItemDiff};
pub use equality::Tolerance;
pub(crate) use lazy::first_rows;
pub use lazy::{LazySession, Listed};
pub use pattern::matches_pattern;
pub use report::{LoadReport, NotKept, SaveReport};
pub use summary::{SummaryTemplate, human_size};
pub use transfer::{Engine, LoadOptions, SaveOptions, TableLayout, exists};

use crate::item::{Item, ItemKind};
use crate::metadata::Metadata;

/// Objects with names.
#[derive(Clone, Debug, Default)]
pub struct Session {
    items: Vec<(Arc<str>, Item)>,
    places: HashMap<Arc<str>, usize>,
    metadata: Metadata,
}

impl Session {
    /// An empty session.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same objects with that metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// What it says about itself.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// What it says about itself, to be changed.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// The number of objects.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is no object.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Sets `name`: in its place if there is one, else at the end. Returns what was there.
    pub fn insert(&mut self, name: impl Into<Arc<str>>, item: impl Into<Item>) -> Option<Item> {
        let (name, item) = (name.into(), item.into());
        match self.places.get(&name).and_then(|&at| self.items.get_mut(at)) {
            Some((_, place)) => Some(std::mem::replace(place, item)),
            None => {
                self.places.insert(Arc::clone(&name), self.items.len());
                self.items.push((name, item));
                None
            }
        }
    }

    /// Adds axes and groups under their own names.
    ///
    /// # Errors
    /// `InvalidInput` for an object that has no name.
    pub fn add(&mut self, item: impl Into<Item>) -> Result<()> {
        let item = item.into();
        let name = match &item {
            Item::Axis(axis) => axis.name().map(ToString::to_string),
            Item::Group(group) => group.name().map(ToString::to_string),
            _ => None,
        };
        let kind = item.type_name();
        let name = name.ok_or_else(|| {
            Error::invalid(format!("expected an axis or a group with a name, found a {kind}"))
        })?;
        self.insert(name, item);
        Ok(())
    }

    /// The object called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Item> {
        self.places.get(name).and_then(|&at| self.items.get(at)).map(|(_, item)| item)
    }

    /// The object called `name`.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn item(&self, name: &str) -> Result<&Item> {
        self.get(name).ok_or_else(|| Error::not_found(format!("the session has no `{name}`")))
    }

    /// The object at `position`, counted from the end if it is negative.
    #[must_use]
    pub fn at(&self, position: i64) -> Option<&Item> {
        let len = i64::try_from(self.len()).ok()?;
        let at = if position < 0 { position.checked_add(len)? } else { position };
        self.items.get(usize::try_from(at).ok()?).map(|(_, item)| item)
    }

    /// Removes the object called `name` and returns it.
    pub fn remove(&mut self, name: &str) -> Option<Item> {
        let at = self.places.remove(name)?;
        let (_, item) = self.items.remove(at);
        self.places.values_mut().filter(|place| **place > at).for_each(|place| *place -= 1);
        Some(item)
    }

    /// Whether there is an object called `name`.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// Names and objects in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Item)> {
        self.items.iter().map(|(name, item)| (&**name, item))
    }

    /// The names and objects, in order, without the metadata.
    #[must_use]
    pub fn into_items(self) -> Vec<(Arc<str>, Item)> {
        self.items
    }

    /// The names in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.items.iter().map(|(name, _)| &**name)
    }

    /// The objects in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Item> {
        self.items.iter().map(|(_, item)| item)
    }

    /// The names, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.keys().collect();
        names.sort_unstable();
        names
    }

    /// The objects called so, in that order.
    ///
    /// # Errors
    /// `NotFound` for a name that there is not.
    pub fn select<S: AsRef<str>>(&self, names: &[S]) -> Result<Self> {
        let names = names.iter().map(AsRef::as_ref);
        names.map(|name| Ok((name, self.item(name)?.clone()))).collect()
    }

    /// The objects whose name matches `pattern`, as the shell's patterns do (`*`, `?`, `[abc]`), and
    /// that are of `kind`.
    #[must_use]
    pub fn filter(&self, pattern: Option<&str>, kind: Option<ItemKind>) -> Self {
        self.filter_by(|name, item| {
            pattern.is_none_or(|pattern| matches_pattern(pattern, name))
                && kind.is_none_or(|kind| item.kind() == kind)
        })
    }

    /// The objects that `wanted` says yes to.
    #[must_use]
    pub fn filter_by(&self, mut wanted: impl FnMut(&str, &Item) -> bool) -> Self {
        let kept = self.iter().filter(|(name, item)| wanted(name, item));
        kept.map(|(name, item)| (name, item.clone())).collect()
    }

    /// The same objects in a session of their own; elements are shared.
    #[must_use]
    pub fn copy(&self) -> Self {
        self.filter_by(|_, _| true)
    }

    /// A session of what `change` makes of each object of `kind`; others stay as they are.
    ///
    /// # Errors
    /// What `change` gives, with the name of the object.
    pub fn apply(
        &self,
        kind: Option<ItemKind>,
        mut change: impl FnMut(&Item) -> Result<Item>,
    ) -> Result<Self> {
        let changed = self.iter().map(|(name, item)| {
            let item = if kind.is_none_or(|kind| item.kind() == kind) {
                change(item).map_err(|error| error.within(format_args!("`{name}`")))?
            } else {
                item.clone()
            };
            Ok((name, item))
        });
        changed.collect()
    }

    /// Sets what `other` has.
    pub fn update(&mut self, other: &Self) {
        for (name, item) in other.iter() {
            self.insert(name, item.clone());
        }
    }

    /// Bytes of memory of all objects together.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        self.values().map(Item::n_bytes).sum()
    }

    /// The same in words: `88 bytes`, `1.50 Mb`.
    #[must_use]
    pub fn memory_used(&self) -> String {
        human_size(self.n_bytes())
    }
}

impl<N: Into<Arc<str>>, I: Into<Item>> FromIterator<(N, I)> for Session {
    fn from_iter<T: IntoIterator<Item = (N, I)>>(items: T) -> Self {
        let mut session = Self::new();
        session.extend(items);
        session
    }
}

impl<N: Into<Arc<str>>, I: Into<Item>> Extend<(N, I)> for Session {
    fn extend<T: IntoIterator<Item = (N, I)>>(&mut self, items: T) {
        for (name, item) in items {
            self.insert(name, item);
        }
    }
}

/// `Session(a, b)`.
impl std::fmt::Display for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.keys().collect();
        write!(f, "Session({})", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        [("b", 1), ("a", 2), ("ab", 3)].into_iter().collect()
    }

    #[test]
    fn the_order_is_that_of_insertion_and_names_are_sorted() {
        let mut session = session();
        session.insert("b", 5);
        assert_eq!(session.to_string(), "Session(b, a, ab)");
        assert_eq!(session.names(), ["a", "ab", "b"]);
        assert_eq!(session.at(-1).and_then(Item::as_scalar), Some(&3.into()));
        assert!(session.remove("b").is_some() && session.remove("b").is_none());
        assert_eq!(session.get("ab").and_then(Item::as_scalar), Some(&3.into()));
        assert_eq!(session.to_string(), "Session(a, ab)");
    }

    #[test]
    fn what_is_derived_has_no_metadata() {
        let meta: Metadata = [("title", "t")].into_iter().collect();
        let session = session().with_metadata(meta);
        assert_eq!(session.filter(Some("a*"), None).to_string(), "Session(a, ab)");
        assert!(session.copy().metadata().is_empty());
        assert!(session.select(&["ab", "b"]).unwrap().metadata().is_empty());
        assert!(session.select(&["z"]).is_err());
    }
}
