//! Arrays that are made with elements and attributes in one piece.
//!
//! What the library does for each attribute, and for each property of an array, is here done once
//! for all of them: header and elements are written to space at the end of the file, and the
//! library gives them a name ([`crate::native`], `ffi/adopt.rs`). What is not of the plain kind
//! is left to the ordinary way, which also finds the words for what is wrong.

mod arena;
mod young;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use stook_core::container::WholeArray;
use stook_core::dtype::{Charset, Padding};
use stook_core::file::FileIo as _;
use stook_core::{AttributeValue, DType, Error, NodePath, Result};

use super::Hdf5File;
use crate::ffi::{self, ATTRIBUTE_PHASES, AttributeOrder, File, Location, MayAdopt};
use crate::native::{NewArray, NewAttribute, NewHeader, encode, text_type};
use crate::place::Backing;
use crate::shared::{Shared, c_path, name};

use self::arena::{ALIGNMENT, Arena, io_error};
use self::young::Young;

/// Elements of more bytes lie in a place of their own.
const MAX_ELEMENTS_LEN_BYTES: usize = 64 << 10;
/// Elements of more bytes go the ordinary way: the library is not held up for as long.
const MAX_APART_LEN_BYTES: usize = 16 << 20;
/// A group that is kept open because something was made in it, and how many names the process
/// had taken away before.
#[derive(Debug)]
struct KeptGroup {
    path: NodePath,
    location: Location,
    n_unlinked: u64,
}

/// What is made past the library in a file that this process writes, by all its handles.
///
/// Who has its lock waits for the library's only if it had that before: what is open is closed under
/// both.
#[derive(Debug, Default)]
pub(crate) struct Made {
    whole: Mutex<Whole>,
    /// Whether there is a group that the library does not know yet.
    is_waiting: AtomicBool,
}

impl Made {
    fn lock(&self) -> MutexGuard<'_, Whole> {
        self.whole.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the library know of all that was made. What fails is told by [`Made::expect_known`].
    pub(crate) fn settle(&self, io: &Backing) {
        if !self.is_waiting.load(Ordering::Acquire) {
            return;
        }
        let _lock = ffi::lock();
        let mut whole = self.lock();
        self.is_waiting.store(false, Ordering::Release);
        if let Err(error) = whole.settle(io) {
            whole.lost.get_or_insert(error);
        }
    }

    /// Refuses, once, where something that was made could not be given its name.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn expect_known(&self) -> Result<()> {
        self.lock().lost.take().map_or(Ok(()), Err)
    }

    /// Forgets what is open, so that the file can be closed.
    pub(crate) fn close(&self) {
        let _lock = ffi::lock();
        self.lock().group = None;
    }

    /// Forgets what the library does not know, and what is open.
    pub(crate) fn discard(&self) {
        let _lock = ffi::lock();
        let mut whole = self.lock();
        self.is_waiting.store(false, Ordering::Release);
        whole.forget();
    }
}

/// What is kept from one array to the next.
#[derive(Debug, Default)]
struct Whole {
    /// What is made so in the file; found out once.
    may_adopt: Option<MayAdopt>,
    arena: Arena,
    group: Option<KeptGroup>,
    young: Option<Young>,
    /// Why something that was made has no name.
    lost: Option<Error>,
    /// Types that were met, and their messages.
    dtypes: Vec<(DType, Vec<u8>)>,
}

/// Types whose messages are remembered.
const MAX_DTYPES: usize = 8;

impl Whole {
    /// Forgets what the library does not know, and what is open.
    fn forget(&mut self) {
        (self.group, self.young) = (None, None);
        self.arena = Arena::default();
    }

    /// What may be made in the file.
    fn may_adopt(&mut self, file: &File) -> ffi::Result<MayAdopt> {
        match self.may_adopt {
            Some(known) => Ok(known),
            None => Ok(*self.may_adopt.insert(file.may_adopt()?)),
        }
    }

    /// Whether `node` is the group that is kept open.
    fn is_group(&self, node: &NodePath) -> bool {
        self.group.as_ref().is_some_and(|group| group.is_current() && group.path == *node)
    }

    /// The group at `path`, which is kept open; `None` where it cannot be opened.
    fn group_at(&mut self, shared: &Shared, path: &NodePath) -> Option<&Location> {
        if !self.is_group(path) {
            let n_unlinked = ffi::n_unlinked();
            let location = Location::open(shared.file_alone(), &c_path(path).ok()?).ok()?;
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

    /// Attributes that are set; `None` where one is not plain, or is there twice.
    fn attributes<'a>(
        &mut self,
        changes: impl ExactSizeIterator<Item = &'a (String, Option<AttributeValue>)>,
    ) -> Option<Vec<NewAttribute<'a>>> {
        let mut names = HashSet::with_capacity(changes.len());
        let attributes = changes.map(|(name, value)| {
            let is_new = names.insert(name.as_str());
            self.attribute(name, value.as_ref().filter(|_| is_new)?)
        });
        attributes.collect()
    }

    /// Header and elements of `array`, where they will lie, and what the header's address is there.
    fn encode(&mut self, array: &WholeArray<'_>) -> Option<NewBytes> {
        let attributes = self.attributes(array.attributes.changes.iter())?;
        let new = NewArray {
            dtype: &self.message_of(array.dtype)?,
            shape: array.shape,
            elements_len: array.items.len() as u64,
            phases: ATTRIBUTE_PHASES,
            attributes: &attributes,
        };
        let header = encode(&new)?;
        let header_at = array.items.len().next_multiple_of(ALIGNMENT);
        Some(NewBytes { header, header_at })
    }
}

impl KeptGroup {
    /// Whether its path still leads to it, as far as that is known without a look.
    fn is_current(&self) -> bool {
        self.n_unlinked == ffi::n_unlinked()
    }
}

/// An array on its way into the file: its elements, and behind them its header.
struct NewBytes {
    header: NewHeader,
    header_at: usize,
}

impl NewBytes {
    /// Puts it into the file; the address of the header.
    fn put(self, arena: &mut Arena, (file, io): (&File, &Backing), items: &[u8]) -> Result<u64> {
        if items.len() > MAX_ELEMENTS_LEN_BYTES {
            return self.put_apart(arena, (file, io), items);
        }
        // Both are written together.
        let len = self.header_at + self.header.len();
        let start = arena.take((file, io), len)?;
        let elements = (self.header_at > 0).then_some(start);
        arena.put(start, items);
        let address = start + self.header_at as u64;
        arena.put(address, &self.header.sealed(elements));
        Ok(address)
    }

    /// The same of many elements, which are written at once to room of their own.
    fn put_apart(
        self,
        arena: &mut Arena,
        (file, io): (&File, &Backing),
        items: &[u8],
    ) -> Result<u64> {
        let len = items.len().next_multiple_of(ALIGNMENT) as u64;
        let elements = file.reserve(len).map_err(|failure| io_error(&failure, io))?;
        io.write_at(elements, items)?;
        let address = arena.take((file, io), self.header.len())?;
        arena.put(address, &self.header.sealed(Some(elements)));
        Ok(address)
    }
}

impl Hdf5File {
    /// Whether `node` is a group that something was just made in.
    pub(super) fn is_kept_group(&self, node: &NodePath) -> bool {
        self.shared.io.made().is_some_and(|made| made.lock().is_group(node))
    }

    /// Makes an array in one piece; false where that is not the way to make it, or fails.
    pub(super) fn create_whole_here(
        &self,
        node: &NodePath,
        array: &WholeArray<'_>,
    ) -> Result<bool> {
        self.shared.expect_changeable(node)?;
        let (Some(parent), shared) = (node.parent(), &*self.shared) else { return Ok(false) };
        let is_able = array.items.len() <= MAX_APART_LEN_BYTES
            && array.shape.len() <= ffi::MAX_RANK
            && shared.order == AttributeOrder::Tracked
            && !shared.is_swmr();
        let Some(made) = shared.io.made().filter(|_| is_able && cfg!(target_endian = "little"))
        else {
            return Ok(false);
        };
        let _lock = ffi::lock();
        let name = name(node.name()).map_err(|error| shared.at(error, node))?;
        if made.lock().young_for(&parent).is_none_or(|young| !young.takes(&name)) {
            made.settle(&shared.io);
        }
        let mut whole = made.lock();
        let file = shared.file_alone();
        if !whole.may_adopt(file).map_err(shared.io(node))?.arrays {
            return Ok(false);
        }
        let Some(new) = whole.encode(array) else { return Ok(false) };
        let is_young = whole.young_for(&parent).is_some();
        if !is_young && whole.group_at(shared, &parent).is_none() {
            return Ok(false);
        }
        let put = new.put(&mut whole.arena, (file, &shared.io), array.items);
        let address = put.map_err(|error| shared.at(error, node))?;
        shared.forget_names();
        if let Some(young) = whole.young_for(&parent) {
            young.push(name, address);
            return Ok(true);
        }
        whole.arena.flush(&shared.io).map_err(|error| shared.at(error, node))?;
        let Some(group) = whole.group_at(shared, &parent) else { return Ok(false) };
        Ok(file.adopt(address, group, &name).is_ok())
    }
}
