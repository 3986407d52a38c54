//! The driver by which the library reads and writes files: ours, so that a commit is whole.
//!
//! Invariants: no panic crosses into C; whatever fails pushes its reason on the library's error
//! stack; the driver has no `lock`, so that the library takes no locks (see `place`), and never
//! puts a mark into a file that says that it is being written.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_int, c_uint, c_ulong, c_void};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::OnceLock;

use hdf5_metno_sys::h5::herr_t;
use hdf5_metno_sys::h5e::{H5E_DEFAULT, H5E_ERR_CLS, H5E_READERROR, H5E_VFL, H5Epush2};
use hdf5_metno_sys::h5f::{H5F_ACC_RDWR, H5F_ACC_TRUNC};
use hdf5_metno_sys::h5i::hid_t;
use stook_core::file::FileIo;
use stook_core::{Error, ErrorKind, Result};

use super::structures::Seen;
use crate::place::{self, Backing, Intent};
use crate::signature;
use crate::transaction::Bytes;

/// What begins a line of the error stack that is an error of ours; its kind follows.
const PREFIX: &str = "stook:";

const CLASS_VERSION: c_uint = 1;
/// A number of a driver that is registered nowhere.
const VALUE: c_int = 505;
const MAX_ADDRESS: u64 = i64::MAX as u64;
/// `H5F_CLOSE_WEAK`.
const CLOSE_WEAK: c_int = 1;

/// `H5FD_MEM_DRAW`: elements, and global heaps; not metadata.
const ELEMENTS: c_int = 3;

const AGGREGATE_METADATA: c_ulong = 0x1;
const DATA_SIEVE: c_ulong = 0x8;
const AGGREGATE_SMALL_DATA: c_ulong = 0x10;
const SUPPORTS_SWMR: c_ulong = 0x1000;
const DEFAULT_COMPATIBLE: c_ulong = 0x8000;

/// `H5FD_t`, as H5FDdevelop.h of the bundled library has it.
#[repr(C)]
struct Base {
    driver_id: hid_t,
    class: *const Class,
    number: c_ulong,
    access_flags: c_uint,
    feature_flags: c_ulong,
    max_address: u64,
    base_address: u64,
    threshold: u64,
    alignment: u64,
    paged_aggregation: bool,
}

/// A file in the library's hands.
#[repr(C)]
struct Open {
    /// First, because it is all that the library knows of.
    base: Base,
    backing: ManuallyDrop<Backing>,
    seen: Seen,
    /// The end of what is allocated.
    allocated: u64,
    /// Whether the library works on it: it opens files to see whether it knows them, too.
    is_used: bool,
    /// The length that the file is to have when it is closed.
    closing_len: Option<u64>,
}

type Unused = Option<unsafe extern "C" fn()>;

/// `H5FD_class_t`, as H5FDdevelop.h of the bundled library has it.
#[repr(C)]
struct Class {
    version: c_uint,
    value: c_int,
    name: *const c_char,
    max_address: u64,
    close_degree: c_int,
    terminate: Unused,
    superblock: [Unused; 3],
    fapl_size: usize,
    fapl: [Unused; 3],
    dxpl_size: usize,
    dxpl: [Unused; 2],
    open: unsafe extern "C" fn(*const c_char, c_uint, hid_t, u64) -> *mut Open,
    close: unsafe extern "C" fn(*mut Open) -> herr_t,
    cmp: unsafe extern "C" fn(*const Open, *const Open) -> c_int,
    query: unsafe extern "C" fn(*const Open, *mut c_ulong) -> herr_t,
    get_type_map: Unused,
    alloc: Unused,
    free: Unused,
    get_eoa: unsafe extern "C" fn(*const Open, c_int) -> u64,
    set_eoa: unsafe extern "C" fn(*mut Open, c_int, u64) -> herr_t,
    get_eof: unsafe extern "C" fn(*const Open, c_int) -> u64,
    get_handle: unsafe extern "C" fn(*mut Open, hid_t, *mut *mut c_void) -> herr_t,
    read: unsafe extern "C" fn(*mut Open, c_int, hid_t, u64, usize, *mut c_void) -> herr_t,
    write: unsafe extern "C" fn(*mut Open, c_int, hid_t, u64, usize, *const c_void) -> herr_t,
    vectors: [Unused; 4],
    flush: Unused,
    truncate: unsafe extern "C" fn(*mut Open, hid_t, bool) -> herr_t,
    lock: Unused,
    unlock: Unused,
    delete: Unused,
    control: Unused,
    free_lists: [c_int; 7],
}

// SAFETY: the class is never changed, and its pointers lead to constants.
unsafe impl Sync for Class {}

static CLASS: Class = Class {
    version: CLASS_VERSION,
    value: VALUE,
    name: c"stook".as_ptr(),
    max_address: MAX_ADDRESS,
    close_degree: CLOSE_WEAK,
    terminate: None,
    superblock: [None; 3],
    fapl_size: 0,
    fapl: [None; 3],
    dxpl_size: 0,
    dxpl: [None; 2],
    open,
    close,
    cmp,
    query,
    get_type_map: None,
    alloc: None,
    free: None,
    get_eoa,
    set_eoa,
    get_eof,
    get_handle,
    read,
    write,
    vectors: [None; 4],
    flush: None,
    truncate,
    lock: None,
    unlock: None,
    delete: None,
    control: None,
    // `H5FD_FLMAP_DICHOTOMY`.
    free_lists: [1, 1, 1, 3, 3, 1, 1],
};

unsafe extern "C" {
    /// Declared here because the bindings' class has another layout than the bundled library's.
    unsafe fn H5FDregister(class: *const Class) -> hid_t;
}

/// The driver's id, registered at the first call. The library's lock must be held.
pub(super) fn id() -> super::Result<hid_t> {
    static ID: OnceLock<hid_t> = OnceLock::new();
    if let Some(id) = ID.get() {
        return Ok(*id);
    }
    // The class lives as long as the process.
    let id = super::call!("file driver", H5FDregister(&raw const CLASS))?;
    Ok(*ID.get_or_init(|| id))
}

thread_local! {
    /// What the next file to be opened is: who opens it knows at which commit.
    static NEXT: RefCell<Option<Backing>> = const { RefCell::new(None) };
    /// The elements that the library wrote last: the address in the file, and which bytes.
    static WRITTEN: Cell<Option<(u64, *const u8, usize)>> = const { Cell::new(None) };
}

/// Runs `write`, which has the library write `bytes` as they are, and gives where they went, if it
/// did so in one piece.
pub(super) fn placing<T>(bytes: &[u8], write: impl FnOnce() -> T) -> (T, Option<u64>) {
    WRITTEN.set(None);
    let result = write();
    let is_these = |&(_, from, len): &(u64, *const u8, usize)| {
        std::ptr::eq(from, bytes.as_ptr()) && len == bytes.len()
    };
    (result, WRITTEN.take().filter(is_these).map(|(address, ..)| address))
}

/// Runs `open`, which has the library open the file that `backing` is.
pub(super) fn opening<T>(backing: Option<&Backing>, open: impl FnOnce() -> T) -> T {
    NEXT.set(backing.cloned());
    let opened = open();
    NEXT.set(None);
    opened
}

/// The kind and text of an error of this driver, where `line` of the error stack is one.
pub(super) fn error_in(line: &str) -> Option<(ErrorKind, &str)> {
    let (kind, text) = line.strip_prefix(PREFIX)?.split_once(": ")?;
    Some((ErrorKind::parse(kind).unwrap_or(ErrorKind::Io), text))
}

/// Puts an error on the library's stack.
fn push(error: &Error) {
    let mut text = format!("{PREFIX}{}: {}", error.kind().as_str(), error.message());
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text.retain(|c| c != '\0');
    let Ok(text) = std::ffi::CString::new(text) else { return };
    let (name, format) = (c"stook".as_ptr(), c"%s".as_ptr());
    // SAFETY: all strings end in NUL and outlive the call, which copies them.
    unsafe {
        H5Epush2(
            H5E_DEFAULT,
            name,
            name,
            0,
            *H5E_ERR_CLS,
            *H5E_VFL,
            *H5E_READERROR,
            format,
            text.as_ptr(),
        );
    }
}

/// What `run` gives, or `failed`, with the reason on the library's stack.
fn guard<T>(failed: T, run: impl FnOnce() -> Result<T>) -> T {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(value)) => value,
        Ok(Err(error)) => {
            push(&error);
            failed
        }
        Err(_) => {
            push(&Error::new(ErrorKind::Io, "the file driver failed"));
            failed
        }
    }
}

unsafe extern "C" fn open(name: *const c_char, flags: c_uint, _: hid_t, _: u64) -> *mut Open {
    guard(std::ptr::null_mut(), || {
        // SAFETY: the library passes a string that ends in NUL.
        let name = unsafe { CStr::from_ptr(name) };
        let path = path_of(name)?;
        let intent = if flags & H5F_ACC_RDWR == 0 { Intent::Read } else { Intent::Write };
        let next = NEXT.with_borrow(Clone::clone);
        let backing = next.map_or_else(|| place::open(&path, intent), Ok)?;
        if flags & H5F_ACC_TRUNC != 0 && backing.len_bytes()? > 0 {
            // Files are created by `place::create`, empty.
            let message = "the file is not empty";
            return Err(Error::already_exists(message).at_file(path));
        }
        // SAFETY: all zeros are a value of each field of `Base`, which the library fills.
        let base = unsafe { std::mem::zeroed() };
        let open = Open {
            base,
            backing: ManuallyDrop::new(backing),
            seen: Seen::default(),
            allocated: 0,
            is_used: false,
            closing_len: None,
        };
        Ok(Box::into_raw(Box::new(open)))
    })
}

#[cfg(unix)]
fn path_of(name: &CStr) -> Result<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    Ok(PathBuf::from(std::ffi::OsStr::from_bytes(name.to_bytes())))
}

#[cfg(not(unix))]
fn path_of(name: &CStr) -> Result<PathBuf> {
    let name = name.to_str().map_err(|_| Error::invalid("a file name that is no UTF-8"))?;
    Ok(PathBuf::from(name))
}

unsafe extern "C" fn close(file: *mut Open) -> herr_t {
    // SAFETY: the library gives back what `open` gave it, once.
    let mut file = unsafe { Box::from_raw(file) };
    // What fails here was not acknowledged; the next writer finds the last commit.
    guard(0, || {
        // SAFETY: the backing is taken once, because the file is closed once.
        let backing = unsafe { ManuallyDrop::take(&mut file.backing) };
        if file.is_used {
            backing.close(file.closing_len)?;
        }
        Ok(0)
    })
}

unsafe extern "C" fn cmp(a: *const Open, b: *const Open) -> c_int {
    // SAFETY: both are files that `open` gave, and open.
    let (a, b) = unsafe { (&*a, &*b) };
    if a.backing.key() == b.backing.key() {
        return 0;
    }
    // The library asks for an order, and uses whether they are the same.
    if std::ptr::from_ref(a) < std::ptr::from_ref(b) { -1 } else { 1 }
}

unsafe extern "C" fn query(_: *const Open, flags: *mut c_ulong) -> herr_t {
    // SAFETY: null, or a place for one number.
    if let Some(flags) = unsafe { flags.as_mut() } {
        // No accumulator of metadata (0x2, 0x4): it keeps what lies behind an object whose length
        // the library did not know, and writes that back with it. Elements and objects that are
        // written past the library may lie there.
        *flags = AGGREGATE_METADATA
            | DATA_SIEVE
            | AGGREGATE_SMALL_DATA
            | SUPPORTS_SWMR
            | DEFAULT_COMPATIBLE;
    }
    0
}

unsafe extern "C" fn get_eoa(file: *const Open, _: c_int) -> u64 {
    // SAFETY: a file that `open` gave, and open.
    unsafe { (*file).allocated }
}

unsafe extern "C" fn set_eoa(file: *mut Open, _: c_int, address: u64) -> herr_t {
    // SAFETY: a file that `open` gave, and open; the library's lock keeps others out.
    let file = unsafe { &mut *file };
    file.allocated = address;
    file.is_used = true;
    0
}

unsafe extern "C" fn get_eof(file: *const Open, _: c_int) -> u64 {
    // SAFETY: a file that `open` gave, and open.
    let file = unsafe { &*file };
    guard(u64::MAX, || file.backing.len_bytes())
}

/// The handle of a file is what the driver has of it, for [`reserve`].
unsafe extern "C" fn get_handle(file: *mut Open, _: hid_t, handle: *mut *mut c_void) -> herr_t {
    // SAFETY: null, or a place for one pointer.
    match unsafe { handle.as_mut() } {
        Some(handle) => {
            *handle = file.cast();
            0
        }
        None => -1,
    }
}

/// Makes the file whose handle this is longer by `len` bytes, and gives the address of the first;
/// `None` where no file is so long. The library's lock must be held since the handle was asked
/// for.
pub(super) fn reserve(handle: *mut c_void, len: u64) -> Option<u64> {
    // SAFETY: handles are of files that `open` gave; the lock keeps others out, and the file open.
    let file = unsafe { handle.cast::<Open>().as_mut() }?;
    let address = file.allocated;
    let end = address.checked_add(len).filter(|&end| end < MAX_ADDRESS)?;
    file.allocated = end;
    file.is_used = true;
    Some(address)
}

unsafe extern "C" fn read(
    file: *mut Open,
    kind: c_int,
    _: hid_t,
    address: u64,
    len: usize,
    buffer: *mut c_void,
) -> herr_t {
    guard(-1, || {
        // SAFETY: a file that `open` gave, and open; the library's lock keeps others out.
        let file = unsafe { &mut *file };
        // SAFETY: the library passes a buffer of `len` bytes, which it may not have written to:
        // bytes have no invalid values, and all are written below.
        let out = unsafe {
            std::ptr::write_bytes(buffer.cast::<u8>(), 0, len);
            std::slice::from_raw_parts_mut(buffer.cast::<u8>(), len)
        };
        file.is_used = true;
        // What is allocated and was never written reads as zeros.
        file.backing.read_at(address, out)?;
        let checked = match kind {
            ELEMENTS => file.seen.check_elements(out, address),
            _ => file.seen.check(out, address),
        };
        checked.map_err(|error| error.at_file(file.backing.path()))?;
        Ok(0)
    })
}

unsafe extern "C" fn write(
    file: *mut Open,
    kind: c_int,
    _: hid_t,
    address: u64,
    len: usize,
    buffer: *const c_void,
) -> herr_t {
    guard(-1, || {
        // SAFETY: a file that `open` gave, and open; the library's lock keeps others out.
        let file = unsafe { &mut *file };
        // SAFETY: the library passes a buffer of `len` bytes.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), len) };
        file.is_used = true;
        // No write fails for want of room: the library, which allocates first, would go on with
        // chunks that it takes for stored, and with room that it has given up.
        if kind == ELEMENTS {
            WRITTEN.set(Some((address, bytes.as_ptr(), bytes.len())));
            file.backing.write_waiting(address, bytes, Bytes::Elements)?;
        } else if address == file.base.base_address && signature::is_marked(bytes) {
            // What is in the file is whole without a mark, and stays so whoever ends the writer.
            let mut unmarked = bytes.to_vec();
            signature::unmark(&mut unmarked);
            file.backing.write_waiting(address, &unmarked, Bytes::Metadata)?;
        } else {
            file.backing.write_waiting(address, bytes, Bytes::Metadata)?;
        }
        Ok(0)
    })
}

unsafe extern "C" fn truncate(file: *mut Open, _: hid_t, is_closing: bool) -> herr_t {
    guard(-1, || {
        // SAFETY: a file that `open` gave, and open; the library's lock keeps others out.
        let file = unsafe { &mut *file };
        if let Backing::Writer(_) = &*file.backing {
            if is_closing {
                file.closing_len = Some(file.allocated);
            }
            file.backing.set_len(file.allocated)?;
        }
        Ok(0)
    })
}
