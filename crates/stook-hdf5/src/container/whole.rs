//! Small arrays that are made with elements and attributes in one piece.
//!
//! What the library does for each attribute, and for each property of an array, is here done once
//! for all of them: header and elements are written to space at the end of the file, and the
//! library gives them a name ([`crate::native`], `ffi/adopt.rs`). What is not of the plain kind
//! is left to the ordinary way, which also finds the words for what is wrong.

use std::collections::HashSet;
use std::sync::PoisonError;

use stook_core::container::WholeArray;
use stook_core::dtype::{Charset, Padding};
use stook_core::{AttributeValue, DType, Error, NodePath, Result};

use super::Hdf5File;
use crate::ffi::{self, ATTRIBUTE_PHASES, AttributeOrder, Location};
use crate::native::{NewArray, NewAttribute, encode, text_type};
use crate::shared::{Shared, c_path, name};
use crate::transaction::Bytes;

/// Elements of more bytes go the ordinary way.
const MAX_ELEMENTS_LEN_BYTES: usize = 64 << 10;
/// Bytes that are taken from the end of the file for the first arrays, and for later ones.
const PIECE_LEN_BYTES: (u64, u64) = (4 << 10, 64 << 10);

/// What addresses are multiples of.
const ALIGNMENT: usize = 8;

/// Space at the end of the file that is to be used up.
#[derive(Debug, Default)]
struct Arena {
    next: u64,
    end: u64,
    /// The bytes that were taken last.
    taken: u64,
}

/// A group that is kept open because something was made in it, and how many names the process
/// had taken away before.
#[derive(Debug)]
pub(crate) struct KeptGroup {
    path: NodePath,
    location: Location,
    n_unlinked: u64,
}

/// What is kept from one array to the next.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    /// Whether the file is of the kind in which arrays are made so; found out once.
    is_plain: Option<bool>,
    arena: Arena,
    group: Option<KeptGroup>,
    /// Types that were met, and their messages.
    dtypes: Vec<(DType, Vec<u8>)>,
}

/// Types whose messages are remembered.
const MAX_DTYPES: usize = 8;

impl Whole {
    /// Forgets what is open, so that the file can be closed.
    pub(crate) fn close(&mut self) {
        self.group = None;
    }

    /// Whether `node` is the group that is kept open.
    fn is_group(&self, node: &NodePath) -> bool {
        self.group.as_ref().is_some_and(|group| group.is_current() && group.path == *node)
    }

    /// The group at `path`, which is kept open; `None` where it cannot be opened.
    fn group_at(&mut self, shared: &Shared, path: &NodePath) -> Option<&Location> {
        if !self.is_group(path) {
            let n_unlinked = ffi::n_unlinked();
            let location = Location::open(&shared.file, &c_path(path).ok()?).ok()?;
            let is_group = location.is_group();
            let kept = KeptGroup { path: path.clone(), location, n_unlinked };
            self.group = is_group.then_some(kept);
        }
        self.group.as_ref().map(|group| &group.location)
    }

    /// The message of a type of fixed size; `None` where that is not plain.
    fn message_of(&mut self, dtype: &DType) -> Option<Vec<u8>> {
        if let DType::FixedString(text) = dtype
            && text.padding == Padding::NullTerminated
            && text.len_bytes > 0
        {
            let len = u32::try_from(text.len_bytes).ok()?;
            return Some(text_type(len, text.charset == Charset::Utf8));
        }
        if let Some((_, message)) = self.dtypes.iter().find(|(known, _)| known == dtype) {
            return Some(message.clone());
        }
        let is_plain = matches!(
            dtype,
            DType::Bool
                | DType::Int8
                | DType::Int16
                | DType::Int32
                | DType::Int64
                | DType::UInt8
                | DType::UInt16
                | DType::UInt32
                | DType::UInt64
                | DType::Float32
                | DType::Float64
                | DType::Complex64
                | DType::Complex128
        );
        if !is_plain {
            return None;
        }
        let message =
            ffi::datatype_of(dtype, false).and_then(|datatype| datatype.message()).ok()?;
        if self.dtypes.len() >= MAX_DTYPES {
            self.dtypes.remove(0);
        }
        self.dtypes.push((dtype.clone(), message.clone()));
        Some(message)
    }

    fn attribute<'a>(
        &mut self,
        attribute: &'a str,
        value: &'a AttributeValue,
    ) -> Option<NewAttribute<'a>> {
        name(attribute).ok().filter(|name| !name.is_empty())?;
        let (dtype, shape, items): (_, Option<&[u64]>, &[u8]) = match value {
            AttributeValue::Values(values) => {
                let is_plain = values.heap().is_empty() && values.shape().len() <= ffi::MAX_RANK;
                let values = Some(values).filter(|_| is_plain)?;
                (values.dtype(), Some(values.shape()), values.items())
            }
            AttributeValue::Null(dtype) => (dtype, None, &[]),
            AttributeValue::Json(_) => return None,
        };
        Some(NewAttribute { name: attribute, dtype: self.message_of(dtype)?, shape, items })
    }

    /// The attributes of `array`; `None` where one is not plain, or is there twice.
    fn attributes<'a>(&mut self, array: &WholeArray<'a>) -> Option<Vec<NewAttribute<'a>>> {
        let edits = array.attributes;
        let mut names = HashSet::with_capacity(edits.changes.len());
        let attributes = edits.changes.iter().map(|(name, value)| {
            let is_new = names.insert(name.as_str());
            self.attribute(name, value.as_ref().filter(|_| is_new)?)
        });
        attributes.collect()
    }
}

impl KeptGroup {
    /// Whether its path still leads to it, as far as that is known without a look.
    fn is_current(&self) -> bool {
        self.n_unlinked == ffi::n_unlinked()
    }
}

impl Arena {
    /// Takes `len` bytes.
    ///
    /// A new piece is filled with zeros: what is committed with a part of it unused would be a hole
    /// in the file there, and what is made in it later would have to find room on the medium when
    /// it is brought to the file, after its commit.
    fn take(&mut self, shared: &Shared, node: &NodePath, len: usize) -> Result<u64> {
        // Elements are read faster where they are aligned.
        let len = (len as u64).next_multiple_of(ALIGNMENT as u64);
        if self.end - self.next < len {
            let (first, most) = PIECE_LEN_BYTES;
            let piece = (2 * self.taken).clamp(first, most).max(len);
            let start = shared.file.reserve(piece).map_err(shared.io(node))?;
            let zeros = vec![0; usize::try_from(piece).expect("as long as what lies in memory")];
            let filled = shared.io.write_waiting(start, &zeros, Bytes::Elements);
            filled.map_err(|error| shared.at(error, node))?;
            (self.next, self.end, self.taken) = (start, start + piece, piece);
        }
        let address = self.next;
        self.next += len;
        Ok(address)
    }
}

impl Hdf5File {
    /// Whether `node` is a group that something was just made in.
    pub(super) fn is_kept_group(&self, node: &NodePath) -> bool {
        self.shared.whole.lock().unwrap_or_else(PoisonError::into_inner).is_group(node)
    }

    /// Makes an array in one piece; false where that is not the way to make it, or fails.
    pub(super) fn create_whole_here(
        &self,
        node: &NodePath,
        array: &WholeArray<'_>,
    ) -> Result<bool> {
        self.shared.expect_changeable(node)?;
        let (Some(parent), shared) = (node.parent(), &*self.shared) else { return Ok(false) };
        let at = |error: Error| shared.at(error, node);
        let is_small = array.items.len() <= MAX_ELEMENTS_LEN_BYTES
            && array.shape.len() <= ffi::MAX_RANK
            && shared.order == AttributeOrder::Tracked
            && !shared.is_swmr();
        if !is_small || cfg!(target_endian = "big") {
            return Ok(false);
        }
        let _lock = ffi::lock();
        let mut whole = shared.whole.lock().unwrap_or_else(PoisonError::into_inner);
        let is_plain = match whole.is_plain {
            Some(known) => known,
            None => *whole.is_plain.insert(shared.file.may_adopt().map_err(shared.io(node))?),
        };
        let types = whole.attributes(array).zip(whole.message_of(array.dtype));
        let Some((attributes, dtype)) = types.filter(|_| is_plain) else { return Ok(false) };
        if whole.group_at(shared, &parent).is_none() {
            return Ok(false);
        }
        let new = NewArray {
            dtype: &dtype,
            shape: array.shape,
            elements_len: array.items.len() as u64,
            phases: ATTRIBUTE_PHASES,
            attributes: &attributes,
        };
        let Some(header) = encode(&new) else { return Ok(false) };
        // Elements and header lie behind one another, and are written together.
        let len_items = array.items.len().next_multiple_of(ALIGNMENT);
        let start = whole.arena.take(shared, node, len_items + header.len())?;
        let mut bytes = Vec::with_capacity(len_items + header.len());
        bytes.extend_from_slice(array.items);
        bytes.resize(len_items, 0);
        bytes.extend(header.sealed((len_items > 0).then_some(start)));
        shared.io.write_waiting(start, &bytes, Bytes::Metadata).map_err(at)?;
        let address = start + len_items as u64;
        shared.forget_names();
        let name = name(node.name()).map_err(at)?;
        let Some(group) = whole.group_at(shared, &parent) else { return Ok(false) };
        Ok(shared.file.adopt(address, group, &name).is_ok())
    }
}
