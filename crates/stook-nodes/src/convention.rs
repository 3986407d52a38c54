//! How nodes are marked in a file: as PyTables does it, or as h5py does.

use stook::dtype::{Charset, FixedString, Padding};
use stook::{AttributeValue, CodecSpec, DType, Format, Values};
use stook_core::Result;

/// Whose forms of attributes and arrays a file has. Both are ordinary HDF5, and either library
/// reads the files of the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Convention {
    /// PyTables: fixed-length text, `VERSION` on each node, zlib behind a shuffle.
    #[default]
    Tables,
    /// h5py: variable-length text, gzip without a shuffle.
    H5py,
}

/// What a node is, by its attribute `CLASS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A group.
    Group,
    /// An array of a fixed shape.
    CArray,
    /// An array that grows along its first axis.
    EArray,
    /// Rows of different lengths.
    VLArray,
    /// Texts: rows of bytes that are each the pickle of a text.
    StringArray,
}

impl Class {
    /// What the attribute says; texts are rows of different lengths there.
    #[must_use]
    pub fn stored_name(self) -> &'static str {
        match self {
            Self::Group => "GROUP",
            Self::CArray => "CARRAY",
            Self::EArray => "EARRAY",
            Self::VLArray | Self::StringArray => "VLARRAY",
        }
    }

    /// The name of the class in the Python module.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::StringArray => "StringARRAY",
            other => other.stored_name(),
        }
    }

    /// Whether it grows.
    #[must_use]
    pub fn is_growing(self) -> bool {
        matches!(self, Self::EArray | Self::VLArray | Self::StringArray)
    }

    fn version(self) -> &'static str {
        match self {
            Self::Group => "1.0",
            Self::CArray | Self::EArray => "1.1",
            Self::VLArray | Self::StringArray => "1.4",
        }
    }
}

impl Convention {
    /// The name of the backend.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tables => "tables",
            Self::H5py => "h5py",
        }
    }

    /// `text` as an attribute of a file of `format`.
    pub(crate) fn text(self, format: Format, text: &str, charset: Charset) -> AttributeValue {
        let fixed = |len_bytes| {
            DType::FixedString(FixedString { len_bytes, charset, padding: Padding::NullTerminated })
        };
        match self {
            _ if format != Format::Hdf5 => AttributeValue::Json(text.into()),
            // HDF5 has no text with NUL in it that others read to its end.
            Self::Tables if text.is_empty() => AttributeValue::Null(fixed(1)),
            Self::Tables if !text.contains('\0') => {
                let items = text.as_bytes().to_vec();
                match Values::new(fixed(text.len()), Vec::new(), items, Vec::new()) {
                    Ok(values) => AttributeValue::Values(values),
                    Err(_) => AttributeValue::Json(text.into()),
                }
            }
            _ => AttributeValue::Values(Values::text(text)),
        }
    }

    /// The attributes that mark a node, but for its own.
    pub(crate) fn marks(
        self,
        format: Format,
        class: Class,
        title: &str,
    ) -> Result<Vec<(&'static str, AttributeValue)>> {
        // PyTables writes those of leaves in ASCII, but for what varies in length.
        let is_ascii = matches!(class, Class::CArray | Class::EArray) && title.is_ascii();
        let charset = if is_ascii { Charset::Ascii } else { Charset::Utf8 };
        let text = |text: &str| self.text(format, text, charset);
        let mut marks = vec![("CLASS", text(class.stored_name()))];
        if class.is_growing() && !(self == Self::Tables && class != Class::EArray) {
            let zero = match self {
                _ if format != Format::Hdf5 => AttributeValue::Json(0.into()),
                Self::Tables => Values::zeroed(DType::Int32, Vec::new())?.into(),
                Self::H5py => Values::zeroed(DType::Int64, Vec::new())?.into(),
            };
            marks.push(("EXTDIM", zero));
        }
        marks.push(("TITLE", self.text(format, title, charset)));
        if self == Self::Tables {
            marks.push(("VERSION", text(class.version())));
        }
        Ok(marks)
    }

    /// The codecs of arrays of `dtype` that are compressed at `level`.
    pub(crate) fn codecs(self, format: Format, dtype: &DType, level: u8) -> Vec<CodecSpec> {
        let item_size = dtype.item_size();
        let mut codecs = Vec::new();
        if level == 0 {
            return codecs;
        }
        if self == Self::Tables && item_size > 1 && !dtype.has_heap() {
            codecs.push(CodecSpec::Shuffle { item_size });
        }
        let level = level.into();
        codecs.push(match format {
            Format::Hdf5 => CodecSpec::Zlib { level },
            _ => CodecSpec::Gzip { level },
        });
        codecs
    }
}
