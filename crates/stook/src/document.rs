//! Metadata documents of Zarr: a tree's own, and those that describe nodes of other formats.

use std::any::Any;

use serde_json::{Map, Value};
use stook_core::{Error, NodePath, Result};
use stook_zarr::ZarrContainer;

use crate::file::File;

impl File {
    /// The Zarr hierarchy that the file is, if it is one.
    #[must_use]
    pub fn zarr(&self) -> Option<&ZarrContainer> {
        let container: &dyn Any = &**self.container();
        container.downcast_ref()
    }

    fn expect_zarr(&self) -> Result<&ZarrContainer> {
        self.zarr().ok_or_else(|| {
            let found = format!("expected a Zarr hierarchy, found {}", self.format());
            Error::unsupported(found).at_file(self.path())
        })
    }

    /// The metadata document of the node at `path` as it is stored: `zarr.json`, `.zarray` or
    /// `.zgroup`; `None` if there is no node. A node of another format is described by the
    /// `zarr.json` of the nearest that Zarr has.
    ///
    /// # Errors
    /// `InvalidInput` for a path that is none, `Unsupported`, `Corrupt`, `LimitExceeded`, `Io`.
    pub fn document(&self, path: &str) -> Result<Option<Map<String, Value>>> {
        let path = NodePath::parse(path)?;
        if let Some(zarr) = self.zarr() {
            return zarr.document(&path);
        }
        if self.container().kind(&path)?.is_none() {
            return Ok(None);
        }
        stook_zarr::describe(&**self.container(), &path).map(Some)
    }

    /// Creates the node at `path` that `document` describes: as it is given in a Zarr hierarchy (see
    /// [`ZarrContainer::create_document`]), the nearest to it in a file of another format (see
    /// [`stook_zarr::create_described`]).
    ///
    /// # Errors
    /// As there.
    pub fn create_document(
        &self,
        path: &str,
        document: &Map<String, Value>,
        attributes: Option<&Map<String, Value>>,
        overwrite: bool,
    ) -> Result<()> {
        let path = NodePath::parse(path)?;
        if let Some(zarr) = self.zarr() {
            return zarr.create_document(&path, document, attributes, overwrite);
        }
        let limits = &self.engine().config().limits;
        let document = (document, attributes);
        stook_zarr::create_described(&**self.container(), &path, document, limits, overwrite)
    }

    /// Writes the metadata of all nodes below the group at `path` into that of the group.
    ///
    /// # Errors
    /// As [`ZarrContainer::consolidate`]; `Unsupported` also where the file is not Zarr.
    pub fn consolidate(&self, path: &str) -> Result<()> {
        let path = NodePath::parse(path)?;
        self.expect_zarr()?.consolidate(&path)
    }

    /// The consolidated metadata that the group at `path` has of its own.
    ///
    /// # Errors
    /// As [`ZarrContainer::consolidated`]; `Unsupported` also where the file is not Zarr.
    pub fn consolidated(&self, path: &str) -> Result<Option<Map<String, Value>>> {
        let path = NodePath::parse(path)?;
        self.expect_zarr()?.consolidated(&path)
    }
}
