//! New nodes from metadata documents that are written as they are given.
//!
//! Invariant: a document is parsed as a reader would parse it, and its codecs are set up, before
//! anything is written or removed.

use serde_json::Value;
use stook_core::{Error, Format, NodePath, Result};

use super::{ZarrContainer, check_names};
use crate::checked::Checked;
use crate::json::{self, Object};
use crate::node::{ZATTRS, ZMETADATA, key_of};

impl ZarrContainer {
    /// Creates the node at `path` that `document` describes: a `zarr.json`, a `.zarray` or a
    /// `.zgroup`, told apart by what is in it. It is written as it is given, its keys in their
    /// order; the groups above it that are missing are created in its version.
    ///
    /// `attributes` become the `.zattrs` of a node of version 2, which has none without them, and
    /// take the place of those in a `zarr.json`. With `overwrite` all that is at `path` and below
    /// goes, once the document has been found in order.
    ///
    /// # Errors
    /// `InvalidInput` for a document that is malformed, `Unsupported` naming what is not known
    /// (a codec, a type, an extension), `AlreadyExists` without `overwrite`, `ReadOnly`,
    /// `LimitExceeded`, `Io`. Nothing has changed then, unless the store failed.
    pub fn create_document(
        &self,
        path: &NodePath,
        document: &Object,
        attributes: Option<&Object>,
        overwrite: bool,
    ) -> Result<()> {
        let create = || {
            self.nodes.check_writable()?;
            check_names(path)?;
            let checked = Checked::parse(path, document, attributes, self.nodes.limits())?;
            self.put(path, &checked, overwrite)
        };
        self.nodes.located(path, create())
    }

    /// Checks that [`ZarrContainer::create_document`] would take `document` at `path`, whatever
    /// there is now.
    ///
    /// # Errors
    /// `InvalidInput`, `Unsupported` and `LimitExceeded` as there.
    pub fn check_document(&self, path: &NodePath, document: &Object) -> Result<()> {
        let check = || {
            check_names(path)?;
            Checked::parse(path, document, None, self.nodes.limits()).map(drop)
        };
        self.nodes.located(path, check())
    }

    /// The metadata document of the node at `path` as it is stored: `zarr.json`, `.zarray` or
    /// `.zgroup`; `None` if there is no node.
    ///
    /// # Errors
    /// `Corrupt`, `LimitExceeded`, `Io`.
    pub fn document(&self, path: &NodePath) -> Result<Option<Object>> {
        let node = self.nodes.located(path, self.nodes.load(path))?;
        Ok(node.map(|node| node.doc.clone()))
    }

    /// The consolidated metadata that `group` has of its own: the member
    /// `consolidated_metadata` of its `zarr.json`, or its `.zmetadata`.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, `LimitExceeded`, `Io`.
    pub fn consolidated(&self, group: &NodePath) -> Result<Option<Object>> {
        let read = || {
            let node = self.nodes.load_own(group)?;
            let node = node.ok_or_else(|| Error::not_found("there is no such group or array"))?;
            if node.format == Format::ZarrV2 {
                return self.nodes.read(&key_of(group, ZMETADATA));
            }
            match node.doc.get(crate::consolidated::KEY) {
                None | Some(Value::Null) => Ok(None),
                Some(Value::Object(inline)) => Ok(Some(inline.clone())),
                Some(other) => Err(Error::corrupt(format!(
                    "`consolidated_metadata`: expected an object, found {}",
                    json::kind(other)
                ))),
            }
        };
        self.nodes.located(group, read())
    }

    /// Whether `group` has consolidated metadata of its own.
    ///
    /// # Errors
    /// As [`ZarrContainer::consolidated`].
    pub fn is_consolidated(&self, group: &NodePath) -> Result<bool> {
        // That of the root is at hand for readers.
        if group.is_root() && self.nodes.located(group, self.nodes.consolidated())?.is_some() {
            return Ok(true);
        }
        Ok(self.consolidated(group)?.is_some())
    }

    /// Writes a document that is in order.
    fn put(&self, path: &NodePath, checked: &Checked, overwrite: bool) -> Result<()> {
        let (store, node) = (self.nodes.store(), &checked.node);
        let _guard = self.nodes.lock();
        if !overwrite {
            self.check_free(path)?;
        }
        self.create_parents(path, node.format)?;
        self.nodes.drop_consolidated(path)?;
        if overwrite {
            store.erase_prefix(path.key())?;
        }
        // The node is there with its document, and whole then.
        if let Some(attributes) = &checked.attributes {
            self.nodes.write(&key_of(path, ZATTRS), attributes)?;
        }
        let (key, text) = (key_of(path, node.document()), json::print(&node.doc));
        if overwrite {
            return store.set(&key, &text);
        }
        match store.set_new(&key, &text)? {
            true => Ok(()),
            false => Err(Error::already_exists("there is a node of this name")),
        }
    }
}
