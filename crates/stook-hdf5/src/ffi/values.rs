//! Items between the library's memory form and the core's.
//!
//! A type without parts on a heap has one form: its items go to and from the library as they
//! are. In a type with such parts the library has a `char *` (8 bytes) for text, an `hvl_t` (16)
//! for sequences and an address (8) for references, where the core has 16-byte heap items; both
//! forms are packed by the rules of [`raw_size`], and [`import`] and [`export`] go between them.
//!
//! Invariant: pointers are followed only in buffers that a successful library call filled with
//! the very type they are read as.

use std::ffi::{CStr, c_char, c_void};
use std::sync::Arc;

use hdf5_metno_sys::h5p::H5P_DEFAULT;
use hdf5_metno_sys::h5t::H5Treclaim;
use stook_core::dtype::{DType, HEAP_ITEM_LEN, StructType};
use stook_core::values::byte_len;
use stook_core::{ErrorKind, HeapItem, Limits};

use super::make::datatype_of;
use super::region::REGION_LEN;
use super::{Datatype, Failure, Result, Space, lock};

/// Turns stored object references into paths and back.
pub(crate) trait References {
    /// The path of the object at `address`; empty if it names none.
    fn path_of(&self, address: u64) -> Result<String>;
    /// The address of the object at `path`; 0 for the empty path.
    fn address_of(&self, path: &str) -> Result<u64>;
    /// The path of the dataset that a region reference names, and the region in words.
    fn region_of(&self, reference: &[u8; REGION_LEN]) -> Result<(String, String)>;
    /// The reference to a region of the dataset at `path`; null for the empty path.
    fn reference_of(&self, path: &str, region: &str) -> Result<[u8; REGION_LEN]>;
}

/// The type of a buffer handed to the library, and the core's type for the same items.
#[derive(Debug)]
pub(crate) struct MemoryType {
    dtype: DType,
    datatype: Datatype,
    /// Bytes of one item in the library's memory form.
    size: usize,
}

impl MemoryType {
    /// The memory form of `dtype`, in the machine's byte order.
    pub(crate) fn new(dtype: &DType) -> Result<Self> {
        let datatype = datatype_of(dtype, cfg!(target_endian = "big"))?;
        Self::checked(dtype.clone(), datatype, raw_size(dtype))
    }

    /// Items of `dtype` exactly as a file holds them: `datatype` is the file's.
    pub(crate) fn as_stored(dtype: &DType, datatype: Datatype) -> Result<Self> {
        if dtype.has_heap() {
            return Err(Failure::new("memory type", "heap items have no stored form"));
        }
        Self::checked(dtype.clone(), datatype, dtype.item_size())
    }

    fn checked(dtype: DType, datatype: Datatype, size: usize) -> Result<Self> {
        let found = datatype.size();
        if found != size || size == 0 {
            let message = format!("{dtype} takes {size} bytes, but the library's form {found}");
            return Err(Failure::new("memory type", message).of(ErrorKind::Unsupported));
        }
        Ok(Self { dtype, datatype, size })
    }

    pub(super) fn datatype(&self) -> &Datatype {
        &self.datatype
    }

    /// Refuses a buffer that does not hold `n` items of the core's.
    fn expect_items(&self, items: &[u8], n: u64) -> Result<()> {
        let (expected, found) = (byte_len(&[n], self.dtype.item_size())?, items.len());
        if found == expected {
            return Ok(());
        }
        let message = format!("expected {expected} bytes for {n} items, found {found}");
        Err(Failure::new("values", message))
    }

    /// Fills `items` and `heap` with `n` items that `read` puts where it is told.
    ///
    /// # Safety
    /// `read` hands its pointer to a library call that fills `n` items of this datatype there,
    /// and returns `Ok` only if the call succeeded.
    pub(super) unsafe fn read(
        &self,
        n: u64,
        out: (&mut [u8], &mut Vec<u8>),
        context: (&dyn References, &Limits),
        read: impl FnOnce(*mut c_void) -> Result<()>,
    ) -> Result<()> {
        let (items, heap) = out;
        self.expect_items(items, n)?;
        if items.is_empty() {
            return Ok(());
        }
        if !self.dtype.has_heap() {
            return read(items.as_mut_ptr().cast());
        }
        let mut raw = vec![0_u8; byte_len(&[n], self.size)?];
        // If this fails, the buffer may hold anything: it is not reclaimed then.
        read(raw.as_mut_ptr().cast())?;
        let raw = Filled { raw, memory: self, n };
        let size = self.dtype.item_size();
        for (raw, item) in raw.raw.chunks_exact(self.size).zip(items.chunks_exact_mut(size)) {
            // SAFETY: the library has filled the buffer with this datatype.
            unsafe { import(&self.dtype, raw, item, heap, context)? };
        }
        Ok(())
    }

    /// Hands `items`, with their payload in `heap`, to `write` in the library's form.
    pub(super) fn write(
        &self,
        n: u64,
        values: (&[u8], &[u8]),
        references: &dyn References,
        write: impl FnOnce(*const c_void) -> Result<()>,
    ) -> Result<()> {
        let (items, heap) = values;
        self.expect_items(items, n)?;
        if items.is_empty() {
            return Ok(());
        }
        if !self.dtype.has_heap() {
            return write(items.as_ptr().cast());
        }
        let mut raw = vec![0_u8; byte_len(&[n], self.size)?];
        let mut arena = Arena::default();
        let size = self.dtype.item_size();
        for (raw, item) in raw.chunks_exact_mut(self.size).zip(items.chunks_exact(size)) {
            export(&self.dtype, item, heap, raw, &mut arena, references)?;
        }
        write(raw.as_ptr().cast())
    }
}

/// A buffer that the library filled, whose payload it gets back.
struct Filled<'a> {
    raw: Vec<u8>,
    memory: &'a MemoryType,
    n: u64,
}

impl Drop for Filled<'_> {
    fn drop(&mut self) {
        let _lock = lock();
        if let Ok(space) = Space::fixed(&[self.n]) {
            // SAFETY: the buffer holds `n` items of this datatype, filled by the library; nobody
            // uses the payload after this.
            unsafe {
                let (kind, space) = (self.memory.datatype.id().raw(), space.id().raw());
                H5Treclaim(kind, space, H5P_DEFAULT, self.raw.as_mut_ptr().cast());
            }
        }
    }
}

/// A region reference as the core has it: the path of a dataset, and the region in words.
pub(crate) fn region_dtype() -> Result<DType> {
    let members = [("dataset", DType::Reference), ("region", DType::string())];
    let members = members.map(|(name, dtype)| (name.to_owned(), dtype));
    Ok(DType::Struct(Arc::new(StructType::packed(members)?)))
}

/// Whether `dtype` is that of region references.
pub(super) fn is_region(dtype: &DType) -> bool {
    let DType::Struct(r#struct) = dtype else { return false };
    matches!(&r#struct.fields[..], [dataset, region]
        if dataset.name == "dataset" && dataset.dtype == DType::Reference && dataset.offset == 0
            && region.name == "region" && region.dtype == DType::string()
            && region.offset == HEAP_ITEM_LEN && r#struct.size == 2 * HEAP_ITEM_LEN)
}

/// Bytes of one item of `dtype` in the library's memory form.
pub(super) fn raw_size(dtype: &DType) -> usize {
    match dtype {
        DType::Struct(_) if is_region(dtype) => REGION_LEN,
        DType::String(_) | DType::Reference => 8,
        DType::Bytes | DType::Sequence(_) => 16,
        DType::Struct(r#struct) if dtype.has_heap() => r#struct
            .fields
            .iter()
            .fold(0, |size: usize, field| size.saturating_add(raw_size(&field.dtype))),
        DType::Array(array) if dtype.has_heap() => {
            let n = byte_len(&array.shape, 1).unwrap_or(usize::MAX);
            raw_size(&array.item).saturating_mul(n)
        }
        _ => dtype.item_size(),
    }
}

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the library's memory forms are written down for 64-bit machines only");

/// The machine word at byte `at` of `raw`.
fn word(raw: &[u8], at: usize) -> usize {
    let bytes = raw.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, usize::from_ne_bytes)
}

#[expect(clippy::host_endian_bytes, reason = "pointers and lengths in the library's own memory")]
fn set_word(raw: &mut [u8], at: usize, value: usize) {
    if let Some(place) = raw.get_mut(at..at + 8) {
        place.copy_from_slice(&value.to_ne_bytes());
    }
}

/// Fills `item` (the core's form) from `raw` (the library's), appending payload to `heap`.
///
/// # Safety
/// `raw` is one item of the library's memory form of `dtype`, filled by the library, and its
/// payload has not been reclaimed.
unsafe fn import(
    dtype: &DType,
    raw: &[u8],
    item: &mut [u8],
    heap: &mut Vec<u8>,
    context: (&dyn References, &Limits),
) -> Result<()> {
    match dtype {
        DType::String(_) => {
            let text = word(raw, 0) as *const c_char;
            let text = if text.is_null() {
                &[]
            } else {
                // SAFETY: what is not null is a NUL-terminated text.
                unsafe { CStr::from_ptr(text) }.to_bytes()
            };
            put(item, heap, text, context.1)
        }
        DType::Reference => {
            let path = context.0.path_of(word(raw, 0) as u64)?;
            put(item, heap, path.as_bytes(), context.1)
        }
        // SAFETY: as the caller promises.
        DType::Bytes => unsafe { import_sequence(&DType::UInt8, raw, item, heap, context) },
        // SAFETY: as the caller promises.
        DType::Sequence(inner) => unsafe { import_sequence(inner, raw, item, heap, context) },
        DType::Struct(_) if is_region(dtype) => {
            let reference = raw.first_chunk().ok_or_else(|| too_short("read"))?;
            let (path, region) = context.0.region_of(reference)?;
            let (path_at, region_at) =
                item.split_at_mut_checked(HEAP_ITEM_LEN).ok_or_else(|| too_short("read"))?;
            put(path_at, heap, path.as_bytes(), context.1)?;
            put(region_at, heap, region.as_bytes(), context.1)
        }
        DType::Struct(r#struct) if dtype.has_heap() => {
            let mut at = 0;
            for field in &r#struct.fields {
                let len = raw_size(&field.dtype);
                let end = field.offset.saturating_add(field.dtype.item_size());
                let (raw, item) = (raw.get(at..at + len), item.get_mut(field.offset..end));
                let (Some(raw), Some(item)) = (raw, item) else {
                    return Err(Failure::new("read", "a struct member lies outside its item"));
                };
                // SAFETY: a member of the compound that the library filled.
                unsafe { import(&field.dtype, raw, item, heap, context)? };
                at += len;
            }
            Ok(())
        }
        DType::Array(array) if dtype.has_heap() => {
            let (from, to) = (raw_size(&array.item).max(1), array.item.item_size().max(1));
            for (raw, item) in raw.chunks_exact(from).zip(item.chunks_exact_mut(to)) {
                // SAFETY: an element of the array that the library filled.
                unsafe { import(&array.item, raw, item, heap, context)? };
            }
            Ok(())
        }
        _ if raw.len() == item.len() => {
            item.copy_from_slice(raw);
            Ok(())
        }
        _ => Err(Failure::new("read", "an item of another size than its type")),
    }
}

#[cold]
fn too_short(what: &'static str) -> Failure {
    Failure::new(what, "an item of another size than its type")
}

/// # Safety
/// As for [`import`], with `raw` an `hvl_t` whose items are of `inner`.
unsafe fn import_sequence(
    inner: &DType,
    raw: &[u8],
    item: &mut [u8],
    heap: &mut Vec<u8>,
    context: (&dyn References, &Limits),
) -> Result<()> {
    let (len, payload) = (word(raw, 0), word(raw, 8) as *const u8);
    if len == 0 || payload.is_null() {
        return put(item, heap, &[], context.1);
    }
    let raw_len = byte_len(&[len as u64], raw_size(inner))?;
    // SAFETY: the library gives `len` items of the inner type's memory form at the pointer.
    let payload = unsafe { std::slice::from_raw_parts(payload, raw_len) };
    if !inner.has_heap() {
        put(item, heap, payload, context.1)?;
    } else {
        let size = inner.item_size();
        let mut items = vec![0_u8; byte_len(&[len as u64], size)?];
        put(item, heap, &items, context.1)?;
        let start = heap.len() - items.len();
        for (raw, item) in payload.chunks_exact(raw_size(inner)).zip(items.chunks_exact_mut(size)) {
            // SAFETY: an item of the sequence that the library filled.
            unsafe { import(inner, raw, item, heap, context)? };
        }
        if let Some(place) = heap.get_mut(start..start + items.len()) {
            place.copy_from_slice(&items);
        }
    }
    let at = HeapItem { len: len as u64, ..HeapItem::from_bytes(item) };
    item.copy_from_slice(&at.to_bytes());
    Ok(())
}

/// Appends `payload` to `heap` and points `item` at it.
fn put(item: &mut [u8], heap: &mut Vec<u8>, payload: &[u8], limits: &Limits) -> Result<()> {
    limits.heap((heap.len() as u64).saturating_add(payload.len() as u64))?;
    let at = HeapItem { offset: heap.len() as u64, len: payload.len() as u64 };
    if item.len() != at.to_bytes().len() {
        return Err(Failure::new("read", "a heap item of another size than 16 bytes"));
    }
    item.copy_from_slice(&at.to_bytes());
    heap.extend_from_slice(payload);
    Ok(())
}

/// Payload that the library is pointed to while it writes: blocks that never move.
#[derive(Default)]
struct Arena {
    blocks: Vec<Vec<u8>>,
}

impl Arena {
    const BLOCK_LEN_BYTES: usize = 1 << 16;

    /// Copies `parts`, one behind the other, to where they stay until the arena goes.
    fn push(&mut self, parts: &[&[u8]]) -> &mut [u8] {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let fits = self.blocks.last().is_some_and(|b| b.capacity() - b.len() >= len);
        if !fits {
            self.blocks.push(Vec::with_capacity(len.max(Self::BLOCK_LEN_BYTES)));
        }
        let Some(block) = self.blocks.last_mut() else { return &mut [] };
        let start = block.len();
        // Within its capacity the block does not move.
        parts.iter().for_each(|part| block.extend_from_slice(part));
        block.get_mut(start..).unwrap_or(&mut [])
    }
}

/// Fills `raw` (the library's form) from `item` and `heap` (the core's).
fn export(
    dtype: &DType,
    item: &[u8],
    heap: &[u8],
    raw: &mut [u8],
    arena: &mut Arena,
    references: &dyn References,
) -> Result<()> {
    match dtype {
        DType::String(_) => {
            let text = HeapItem::from_bytes(item).slice(heap, 1)?;
            if text.contains(&0) {
                let message = "text with a NUL character, which ends a variable-length string of \
                               HDF5, cannot be stored";
                return Err(Failure::new("write", message).of(ErrorKind::Unsupported));
            }
            set_word(raw, 0, arena.push(&[text, &[0]]).as_ptr() as usize);
            Ok(())
        }
        DType::Reference => {
            let path = HeapItem::from_bytes(item).slice(heap, 1)?;
            let address = references.address_of(&String::from_utf8_lossy(path))?;
            set_word(raw, 0, usize::try_from(address).unwrap_or(0));
            Ok(())
        }
        DType::Bytes => export_sequence(&DType::UInt8, item, heap, raw, arena, references),
        DType::Sequence(inner) => export_sequence(inner, item, heap, raw, arena, references),
        DType::Struct(_) if is_region(dtype) => {
            let place = raw.first_chunk_mut().ok_or_else(|| too_short("write"))?;
            let (path, region) =
                item.split_at_checked(HEAP_ITEM_LEN).ok_or_else(|| too_short("write"))?;
            let path = String::from_utf8_lossy(HeapItem::from_bytes(path).slice(heap, 1)?);
            let region = String::from_utf8_lossy(HeapItem::from_bytes(region).slice(heap, 1)?);
            *place = references.reference_of(&path, &region)?;
            Ok(())
        }
        DType::Struct(r#struct) if dtype.has_heap() => {
            let mut at = 0;
            for field in &r#struct.fields {
                let len = raw_size(&field.dtype);
                let end = field.offset.saturating_add(field.dtype.item_size());
                let (raw, item) = (raw.get_mut(at..at + len), item.get(field.offset..end));
                let (Some(raw), Some(item)) = (raw, item) else {
                    return Err(Failure::new("write", "a struct member lies outside its item"));
                };
                export(&field.dtype, item, heap, raw, arena, references)?;
                at += len;
            }
            Ok(())
        }
        DType::Array(array) if dtype.has_heap() => {
            let (to, from) = (raw_size(&array.item).max(1), array.item.item_size().max(1));
            let pairs = raw.chunks_exact_mut(to).zip(item.chunks_exact(from));
            pairs
                .into_iter()
                .try_for_each(|(raw, item)| export(&array.item, item, heap, raw, arena, references))
        }
        _ if raw.len() == item.len() => {
            raw.copy_from_slice(item);
            Ok(())
        }
        _ => Err(Failure::new("write", "an item of another size than its type")),
    }
}

fn export_sequence(
    inner: &DType,
    item: &[u8],
    heap: &[u8],
    raw: &mut [u8],
    arena: &mut Arena,
    references: &dyn References,
) -> Result<()> {
    let at = HeapItem::from_bytes(item);
    let payload = at.slice(heap, inner.item_size())?;
    let len = usize::try_from(at.len).unwrap_or(0);
    let place = if inner.has_heap() {
        let size = inner.item_size();
        let mut items = vec![0_u8; byte_len(&[at.len], raw_size(inner))?];
        for (raw, item) in items.chunks_exact_mut(raw_size(inner)).zip(payload.chunks_exact(size)) {
            export(inner, item, heap, raw, arena, references)?;
        }
        arena.push(&[&items]).as_ptr()
    } else {
        payload.as_ptr()
    };
    set_word(raw, 0, len);
    set_word(raw, 8, if len == 0 { 0 } else { place as usize });
    Ok(())
}
