//! An array of a tree.

use std::ops::Deref;
use std::sync::Arc;

use stook_core::{
    AttributeEdits, AttributeValue, Attributes, ChunkSource, EmptyChunks, NodePath, Result,
};

use crate::file::File;
use crate::group::set_attribute;

/// An array in its file. Cheap to clone. Reading, writing, `resize` and `append` are those of
/// [`stook_core::Array`], which it stands for.
#[derive(Clone, Debug)]
pub struct Array {
    file: File,
    inner: stook_core::Array,
}

impl Array {
    pub(crate) fn new(file: File, path: NodePath, source: Arc<dyn ChunkSource>) -> Self {
        let engine = Arc::clone(file.engine());
        let inner = stook_core::Array::new(source, file.path(), path).with_engine(engine);
        Self { file, inner }
    }

    /// The file it is in.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The same array, whose chunks of nothing but the fill value are stored or not
    /// ([`stook_core::Array::with_empty_chunks`]).
    #[must_use]
    pub fn with_empty_chunks(self, empty_chunks: EmptyChunks) -> Self {
        Self { inner: self.inner.with_empty_chunks(empty_chunks), file: self.file }
    }

    /// Its attributes.
    ///
    /// # Errors
    /// `Corrupt`, `Unsupported`, `LimitExceeded`, `Io`.
    pub fn attributes(&self) -> Result<Attributes> {
        self.file.container().attributes(self.inner.path())
    }

    /// Changes attributes, all or none.
    ///
    /// # Errors
    /// `ReadOnly`, `Unsupported`, `Io`.
    pub fn edit_attributes(&self, edits: &AttributeEdits) -> Result<()> {
        self.file.container().edit_attributes(self.inner.path(), edits)
    }

    /// Sets one attribute, in the nearest form that the format can hold.
    ///
    /// # Errors
    /// `ReadOnly`, `Unsupported`, `Io`.
    pub fn set_attribute(&self, name: &str, value: impl Into<AttributeValue>) -> Result<()> {
        set_attribute(&self.file, self.inner.path(), name, &value.into())
    }
}

impl Deref for Array {
    type Target = stook_core::Array;

    fn deref(&self) -> &stook_core::Array {
        &self.inner
    }
}
