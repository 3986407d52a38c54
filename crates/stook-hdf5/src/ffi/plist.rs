//! Property lists: what a dataset's layout, filters and fill value are, and the settings with
//! which objects and links are created.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::OnceLock;

use hdf5_metno_sys::h5::herr_t;
use hdf5_metno_sys::h5d::{
    H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS, H5D_CHUNKED, H5D_COMPACT, H5D_CONTIGUOUS,
    H5D_FILL_TIME_NEVER, H5D_FILL_VALUE_UNDEFINED, H5D_FILL_VALUE_USER_DEFINED, H5D_VIRTUAL,
    H5D_fill_value_t,
};
use hdf5_metno_sys::h5i::hid_t;
use hdf5_metno_sys::h5p::{
    H5P_CLS_ATTRIBUTE_CREATE, H5P_CLS_DATASET_ACCESS, H5P_CLS_DATASET_CREATE, H5P_CLS_GROUP_CREATE,
    H5P_CLS_LINK_ACCESS, H5P_CLS_LINK_CREATE, H5P_CRT_ORDER_INDEXED, H5P_CRT_ORDER_TRACKED,
    H5Pcreate, H5Pfill_value_defined, H5Pget_chunk, H5Pget_chunk_opts, H5Pget_external_count,
    H5Pget_fill_time, H5Pget_fill_value, H5Pget_filter2, H5Pget_layout, H5Pget_nfilters,
    H5Pset_attr_creation_order, H5Pset_attr_phase_change, H5Pset_char_encoding, H5Pset_chunk,
    H5Pset_chunk_cache, H5Pset_create_intermediate_group, H5Pset_elink_cb, H5Pset_fill_value,
    H5Pset_filter, H5Pset_layout, H5Pset_link_creation_order, H5Pset_obj_track_times,
};
use hdf5_metno_sys::h5t::{H5T_CSET_ASCII, H5T_CSET_UTF8};
use hdf5_metno_sys::h5z::H5Z_FLAG_OPTIONAL;

use stook_core::Limits;

use super::space::MAX_RANK;
use super::values::{MemoryType, References};
use super::{Failure, Id, Result, call, lock};
use crate::container::NameOrder;

/// Whether an object remembers the order of its attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum AttributeOrder {
    /// Yes: object headers of version 2, which HDF5 1.8 and later read, and which alone hold
    /// attributes of more than 64 KiB.
    #[default]
    Tracked,
    /// No: object headers of version 1, as the oldest readers need them.
    Untracked,
}

/// Attributes that stay in the object header before they move to a heap of their own.
const MAX_COMPACT_ATTRIBUTES: u16 = 64;
/// Fewer than this come back from there.
const MIN_DENSE_ATTRIBUTES: u16 = 48;

/// How many attributes lie in a header at most, and in a heap at least.
pub(crate) const ATTRIBUTE_PHASES: (u16, u16) = (MAX_COMPACT_ATTRIBUTES, MIN_DENSE_ATTRIBUTES);

/// The library's chunk cache for a dataset whose elements it converts.
const CACHE_LEN_BYTES: usize = 16 << 20;

/// Applies `order` to the creation properties of a file, group or dataset.
pub(super) fn set_attribute_order(plist: &Id, order: AttributeOrder) -> Result<()> {
    if order == AttributeOrder::Tracked {
        let (id, (max, min)) = (plist.raw(), ATTRIBUTE_PHASES);
        call!("attribute order", H5Pset_attr_creation_order(id, H5P_CRT_ORDER_TRACKED))?;
        call!("attribute storage", H5Pset_attr_phase_change(id, max.into(), min.into()))?;
    }
    Ok(())
}

/// The properties of the new link `path`: groups above are made. Names are UTF-8 where they are not
/// ASCII: a group of the old style, which holds ASCII alone, becomes one of the new style then.
pub(super) fn link_creation(path: &CStr) -> Result<hid_t> {
    static ASCII: OnceLock<Id> = OnceLock::new();
    static UTF8: OnceLock<Id> = OnceLock::new();
    let (list, charset) = match path.to_bytes().is_ascii() {
        true => (&ASCII, H5T_CSET_ASCII),
        false => (&UTF8, H5T_CSET_UTF8),
    };
    cached(list, || {
        let plist = Id::owned(call!("link properties", H5Pcreate(*H5P_CLS_LINK_CREATE))?);
        call!("link properties", H5Pset_create_intermediate_group(plist.raw(), 1))?;
        call!("link properties", H5Pset_char_encoding(plist.raw(), charset))?;
        Ok(plist)
    })
}

/// The properties of new attributes: names are UTF-8.
pub(super) fn attribute_creation() -> Result<hid_t> {
    static LIST: OnceLock<Id> = OnceLock::new();
    cached(&LIST, || {
        let plist = Id::owned(call!("attribute properties", H5Pcreate(*H5P_CLS_ATTRIBUTE_CREATE))?);
        call!("attribute properties", H5Pset_char_encoding(plist.raw(), H5T_CSET_UTF8))?;
        Ok(plist)
    })
}

/// Has the group, or the root of the file, of these creation properties keep the order of its names.
pub(super) fn set_name_order(plist: &Id, order: NameOrder) -> Result<()> {
    if order == NameOrder::Kept {
        let flags = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
        call!("order of names", H5Pset_link_creation_order(plist.raw(), flags))?;
    }
    Ok(())
}

/// The properties of new groups.
pub(super) fn group_creation(order: AttributeOrder, names: NameOrder) -> Result<hid_t> {
    static LISTS: [OnceLock<Id>; 4] = [const { OnceLock::new() }; 4];
    let [plain, ordered, old, old_ordered] = &LISTS;
    let list = match (order, names) {
        (AttributeOrder::Tracked, NameOrder::Forgotten) => plain,
        (AttributeOrder::Tracked, NameOrder::Kept) => ordered,
        (AttributeOrder::Untracked, NameOrder::Forgotten) => old,
        (AttributeOrder::Untracked, NameOrder::Kept) => old_ordered,
    };
    cached(list, || {
        let plist = Id::owned(call!("group properties", H5Pcreate(*H5P_CLS_GROUP_CREATE))?);
        set_attribute_order(&plist, order)?;
        set_name_order(&plist, names)?;
        Ok(plist)
    })
}

extern "C" fn refuse_external(
    _: *const c_char,
    _: *const c_char,
    _: *const c_char,
    _: *const c_char,
    _: *mut c_uint,
    _: hid_t,
    _: *mut c_void,
) -> herr_t {
    -1
}

/// Links into other files are not followed: a file does not get to open others.
fn stay_in_file(plist: &Id) -> Result<()> {
    let none = std::ptr::null_mut();
    call!("external links", H5Pset_elink_cb(plist.raw(), Some(refuse_external), none)).map(drop)
}

/// A property list that is made once and lives as long as the process.
fn cached(list: &'static OnceLock<Id>, make: impl FnOnce() -> Result<Id>) -> Result<hid_t> {
    let _lock = lock();
    if let Some(list) = list.get() {
        return Ok(list.raw());
    }
    let made = make()?;
    Ok(list.get_or_init(|| made).raw())
}

/// The properties with which links are followed.
pub(super) fn link_access() -> Result<hid_t> {
    static LIST: OnceLock<Id> = OnceLock::new();
    cached(&LIST, || {
        let plist = Id::owned(call!("link access", H5Pcreate(*H5P_CLS_LINK_ACCESS))?);
        stay_in_file(&plist)?;
        Ok(plist)
    })
}

/// Whether the library keeps decoded chunks of a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChunkCache {
    /// No: chunks are read and written past it.
    None,
    /// Some: it converts the elements, a part of a chunk at a time.
    Some,
}

/// The properties with which a dataset is opened.
pub(super) fn dataset_access(cache: ChunkCache) -> Result<hid_t> {
    static NONE: OnceLock<Id> = OnceLock::new();
    static SOME: OnceLock<Id> = OnceLock::new();
    let (list, len_bytes) = match cache {
        ChunkCache::None => (&NONE, 0),
        ChunkCache::Some => (&SOME, CACHE_LEN_BYTES),
    };
    cached(list, || {
        let plist = Id::owned(call!("dataset access", H5Pcreate(*H5P_CLS_DATASET_ACCESS))?);
        stay_in_file(&plist)?;
        call!("chunk cache", H5Pset_chunk_cache(plist.raw(), 521, len_bytes, 0.75))?;
        Ok(plist)
    })
}

/// How the elements of a dataset are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// In the object header.
    Compact,
    /// In one piece.
    Contiguous,
    /// In files of their own.
    External,
    /// In chunks of this shape.
    Chunked(Vec<u64>),
    /// As a view of other datasets.
    Virtual,
}

/// A filter of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Its registered number.
    pub(crate) id: i32,
    /// Whether a chunk that it cannot encode is stored without it.
    pub(crate) is_optional: bool,
    /// Its parameters.
    pub(crate) values: Vec<u32>,
    /// The name that the file gives it; may be empty.
    pub(crate) name: String,
}

/// What the file says about reading elements that were never written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FillStatus {
    /// No value is defined.
    Undefined,
    /// All bytes zero.
    Zero,
    /// A value of the file's own.
    Defined,
}

/// The properties with which a dataset was, or is to be, created.
#[derive(Debug)]
pub(crate) struct DatasetCreation {
    id: Id,
}

impl DatasetCreation {
    pub(super) fn owned(id: Id) -> Self {
        Self { id }
    }

    pub(super) fn id(&self) -> &Id {
        &self.id
    }

    /// Properties of a dataset to be created; it will not record the time.
    pub(crate) fn new(order: AttributeOrder) -> Result<Self> {
        let id = Id::owned(call!("dataset properties", H5Pcreate(*H5P_CLS_DATASET_CREATE))?);
        call!("times", H5Pset_obj_track_times(id.raw(), 0))?;
        set_attribute_order(&id, order)?;
        Ok(Self { id })
    }

    /// How the elements are stored.
    pub(crate) fn layout(&self) -> Result<Layout> {
        let _lock = lock();
        let id = self.id.raw();
        // SAFETY: the id is valid and the call takes nothing else.
        match unsafe { H5Pget_layout(id) } {
            H5D_COMPACT => Ok(Layout::Compact),
            H5D_CHUNKED => {
                let mut chunk = [0_u64; MAX_RANK + 1];
                // The buffer holds the most axes there can be, as the second argument says.
                let (max, to) = (MAX_RANK as i32 + 1, chunk.as_mut_ptr());
                let rank = call!("chunk shape", H5Pget_chunk(id, max, to))?;
                let rank = usize::try_from(rank).unwrap_or(0);
                let chunk = chunk.get(..rank).unwrap_or(&[]).to_vec();
                Ok(Layout::Chunked(chunk))
            }
            H5D_VIRTUAL => Ok(Layout::Virtual),
            H5D_CONTIGUOUS => {
                let n = call!("external files", H5Pget_external_count(id))?;
                Ok(if n > 0 { Layout::External } else { Layout::Contiguous })
            }
            _ => Err(Failure::new("layout", "the layout is of no known class")),
        }
    }

    /// Stores the elements in chunks of `shape`.
    pub(crate) fn set_chunked(&self, shape: &[u64]) -> Result<()> {
        let rank = i32::try_from(shape.len())
            .map_err(|_| Failure::new("chunk shape", "more than 32 axes"))?;
        // The library reads `rank` numbers.
        call!("chunk shape", H5Pset_chunk(self.id.raw(), rank, shape.as_ptr())).map(drop)
    }

    /// Stores the elements in one piece.
    pub(crate) fn set_contiguous(&self) -> Result<()> {
        call!("layout", H5Pset_layout(self.id.raw(), H5D_CONTIGUOUS)).map(drop)
    }

    /// The filters in the order in which they are applied on writing.
    pub(crate) fn filters(&self) -> Result<Vec<Filter>> {
        let _lock = lock();
        let n = call!("filters", H5Pget_nfilters(self.id.raw()))?;
        (0..c_uint::try_from(n).unwrap_or(0)).map(|at| self.filter(at)).collect()
    }

    fn filter(&self, at: c_uint) -> Result<Filter> {
        let (mut flags, mut config): (c_uint, c_uint) = (0, 0);
        let mut values: Vec<c_uint> = vec![0; 32];
        let mut name = [0_u8; 256];
        let mut n_values = values.len();
        loop {
            let capacity = values.len();
            n_values = n_values.max(capacity);
            // The library writes at most `n_values` numbers, `name.len()` bytes of name, and sets
            // `n_values` to the number there are.
            let (to, name_to) = (values.as_mut_ptr(), name.as_mut_ptr().cast::<c_char>());
            let mut n = capacity;
            let id = call!(
                "filter",
                H5Pget_filter2(
                    self.id.raw(),
                    at,
                    &raw mut flags,
                    &raw mut n,
                    to,
                    name.len(),
                    name_to,
                    &raw mut config
                )
            )?;
            if n > capacity {
                if n > 1 << 16 {
                    return Err(Failure::new("filter", format!("{n} parameters are implausible")));
                }
                values.resize(n, 0);
                continue;
            }
            values.truncate(n);
            let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
            let name = String::from_utf8_lossy(name.get(..end).unwrap_or(&[])).into_owned();
            return Ok(Filter { id, is_optional: flags & H5Z_FLAG_OPTIONAL != 0, values, name });
        }
    }

    /// Appends a filter.
    pub(crate) fn push_filter(&self, filter: &Filter) -> Result<()> {
        let flags = if filter.is_optional { H5Z_FLAG_OPTIONAL } else { 0 };
        let (n, values) = (filter.values.len(), filter.values.as_ptr());
        // The library reads `n` numbers.
        call!("filter", H5Pset_filter(self.id.raw(), filter.id, flags, n, values)).map(drop)
    }

    /// What is read where nothing was written.
    pub(crate) fn fill_status(&self) -> Result<FillStatus> {
        let _lock = lock();
        let mut status = H5D_fill_value_t::default();
        call!("fill value", H5Pfill_value_defined(self.id.raw(), &raw mut status))?;
        // A plain number: a file may set it to what the enum of the bindings does not list.
        let mut time: c_int = 0;
        call!("fill time", H5Pget_fill_time(self.id.raw(), (&raw mut time).cast()))?;
        Ok(match status {
            _ if time == H5D_FILL_TIME_NEVER as c_int => FillStatus::Undefined,
            H5D_FILL_VALUE_UNDEFINED => FillStatus::Undefined,
            H5D_FILL_VALUE_USER_DEFINED => FillStatus::Defined,
            _ => FillStatus::Zero,
        })
    }

    /// Whether chunks at the upper edge are stored without filters.
    pub(crate) fn has_plain_edges(&self) -> Result<bool> {
        let mut options = 0;
        call!("chunk options", H5Pget_chunk_opts(self.id.raw(), &raw mut options))?;
        Ok(options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS != 0)
    }

    /// Reads the fill value to `item` and `heap`.
    pub(crate) fn fill_value(
        &self,
        memory: &MemoryType,
        out: (&mut [u8], &mut Vec<u8>),
        context: (&dyn References, &Limits),
    ) -> Result<()> {
        let kind = memory.datatype().id().raw();
        let read =
            |buffer| call!("fill value", H5Pget_fill_value(self.id.raw(), kind, buffer)).map(drop);
        // SAFETY: the call fills one item of the memory type.
        unsafe { memory.read(1, out, context, read) }
    }

    /// Sets the fill value to the one item in `values`.
    pub(crate) fn set_fill_value(
        &self,
        memory: &MemoryType,
        values: (&[u8], &[u8]),
        references: &dyn References,
    ) -> Result<()> {
        let kind = memory.datatype().id().raw();
        memory.write(1, values, references, |buffer| {
            // `buffer` holds one item of the memory type.
            call!("fill value", H5Pset_fill_value(self.id.raw(), kind, buffer)).map(drop)
        })
    }
}
