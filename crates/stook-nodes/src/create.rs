//! Making nodes: with all their marks, or not at all.

use stook::{Array, AttributeEdits, AttributeValue, DType, NodePath, Selection, View};
use stook_core::Result;
use stook_core::container::WholeArray;

use crate::acquisition::Acquisition;
use crate::attribute;
use crate::convention::{Class, Convention};
use crate::layout;

/// A new array.
pub(crate) struct NewArray<'a> {
    pub(crate) path: NodePath,
    pub(crate) class: Class,
    pub(crate) dtype: DType,
    pub(crate) shape: &'a [u64],
    pub(crate) title: &'a str,
    /// The name of the dtype as its attribute tells it.
    pub(crate) dtype_name: String,
}

impl Acquisition {
    /// Sets attributes of a node that was just made; where that fails it goes again.
    fn mark(&self, path: &NodePath, edits: &AttributeEdits) -> Result<()> {
        let container = self.file().container();
        container.edit_attributes(path, edits).inspect_err(|_| {
            // The first error is the one to tell.
            let _ = container.remove(path);
        })
    }

    pub(crate) fn make_group(
        &self,
        path: &NodePath,
        title: &str,
        attributes: &[(String, String)],
    ) -> Result<()> {
        let (convention, format) = (self.convention(), self.format());
        let mut edits = AttributeEdits::new();
        for (name, value) in convention.marks(format, Class::Group, title)? {
            edits = edits.set(name, value);
        }
        for (name, text) in attributes {
            edits = edits.set(name, convention.text(format, text, Default::default()));
        }
        self.file().container().create_group(path)?;
        self.mark(path, &edits)
    }

    /// Makes an array with its items and marks in one step, where the container has a way; false
    /// where [`Acquisition::make_array`] has to.
    pub(crate) fn make_whole(&self, new: &NewArray<'_>, items: &View<'_>) -> Result<bool> {
        let is_plain = self.is_uncompressed(new.shape) && self.is_hdf5();
        if !is_plain || new.dtype.has_heap() || items.shape() != new.shape {
            return Ok(false);
        }
        let Some(items) = items.in_one_piece(&new.dtype) else { return Ok(false) };
        let attributes = &self.marks_of(new)?;
        let whole = WholeArray { dtype: &new.dtype, shape: new.shape, items, attributes };
        Ok(whole.is_small() && self.file().container().create_whole(&new.path, &whole)?)
    }

    /// Whether an array of this shape, which stays, is stored as it is.
    fn is_uncompressed(&self, shape: &[u64]) -> bool {
        self.compression() == 0 || shape.is_empty() || shape.contains(&0)
    }

    pub(crate) fn make_array(&self, new: &NewArray<'_>, items: Option<&View<'_>>) -> Result<Array> {
        let parent = new.path.parent().unwrap_or_else(NodePath::root);
        let group = self.file().group(parent.as_str())?;
        let level = self.compression();
        let mut builder = group.array(new.path.name()).dtype(new.dtype.clone()).shape(new.shape);
        let codecs = self.convention().codecs(self.format(), &new.dtype, level);
        match new.class {
            Class::CArray => {
                let is_plain = self.is_uncompressed(new.shape);
                if !is_plain {
                    builder =
                        builder.chunks(layout::chunk_of_array(new.shape, new.dtype.item_size()));
                    builder = builder.codecs(codecs);
                } else if self.is_hdf5() {
                    builder = builder.codecs([]);
                }
                let max: Vec<Option<u64>> = new.shape.iter().map(|&len| Some(len)).collect();
                if !is_plain && self.is_hdf5() {
                    builder = builder.max_shape(max);
                }
            }
            Class::EArray => {
                let row = new.shape.get(1..).unwrap_or_default();
                let mut max = vec![None];
                max.extend(row.iter().map(|&len| Some(len)));
                builder = builder
                    .max_shape(max)
                    .chunks(layout::chunk_of_rows(row, new.dtype.item_size()))
                    .codecs(codecs);
            }
            _ => {
                builder = builder.max_shape([None]).chunks([layout::RAGGED_ROWS]).codecs(codecs);
            }
        }
        let array = builder.create()?;
        let filled = match items {
            Some(items) if !new.shape.contains(&0) => array.write_from(&Selection::All, items),
            _ => Ok(()),
        };
        filled.inspect_err(|_| {
            let _ = self.file().container().remove(&new.path);
        })?;
        self.mark(&new.path, &self.marks_of(new)?)?;
        Ok(array)
    }

    pub(crate) fn is_hdf5(&self) -> bool {
        self.format() == stook::Format::Hdf5
    }

    fn marks_of(&self, new: &NewArray<'_>) -> Result<AttributeEdits> {
        let (convention, format) = (self.convention(), self.format());
        let mut edits = AttributeEdits::new();
        for (name, value) in convention.marks(format, new.class, new.title)? {
            edits = edits.set(name, value);
        }
        let text = |text: &str| -> AttributeValue {
            let described = attribute::describe("builtins", "str", &format!("'{text}'"));
            convention.text(format, &described, Default::default())
        };
        let subdtype = if new.class == Class::StringArray { "string" } else { "" };
        let shape = attribute::encode(&new.shape.into());
        Ok(edits
            .set("shape", convention.text(format, &shape, Default::default()))
            .set("dtype", text(&new.dtype_name))
            .set("subdtype", text(subdtype))
            .set("backend", text(convention.name())))
    }
}

/// The name that numpy has for a dtype.
pub(crate) fn numpy_name(dtype: &DType) -> String {
    match dtype {
        DType::Unicode(n) => format!("str{}", n * 32),
        DType::FixedString(text) => format!("bytes{}", text.len_bytes * 8),
        other => other.to_string(),
    }
}

impl Convention {
    /// The text with which a node names its backend.
    pub(crate) fn backend_text(self) -> String {
        attribute::describe("builtins", "str", &format!("'{}'", self.name()))
    }
}
