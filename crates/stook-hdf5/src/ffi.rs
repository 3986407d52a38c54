//! The HDF5 library made safe: owned ids, checked calls, errors as text. The only unsafe code of
//! this crate lies below this module.
//!
//! Invariants:
//! - Every call into the library happens under [`lock`]. The lock is re-entrant, so a caller may
//!   hold it over several calls that belong together; it is never held around decoding.
//! - An [`Id`] owns one reference to a library object and gives it back when dropped.
//! - A buffer handed to the library is checked against what the library will read or write there.
//! - The library prints nothing: its error stack becomes a [`Failure`].

mod adopt;
mod attribute;
mod dataset;
mod datatype;
mod driver;
mod file;
mod filter;
mod kept;
mod link;
mod make;
mod object;
mod plist;
mod region;
mod sources;
mod space;
mod structures;
mod values;

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::fmt;
use std::sync::Once;

use hdf5_metno_sys::h5::{H5open, herr_t};
use hdf5_metno_sys::h5e::{
    H5E_DEFAULT, H5E_WALK_DOWNWARD, H5E_error2_t, H5Eclear2, H5Eset_auto2, H5Ewalk2,
};
use hdf5_metno_sys::h5i::{H5Idec_ref, H5Iinc_ref, hid_t};
use stook_core::ErrorKind;

pub(crate) use adopt::MayAdopt;
pub(crate) use attribute::Attribute;
pub(crate) use dataset::{ChunkRecord, Dataset};
pub(crate) use datatype::{Class, Datatype, FloatLayout, Order, StringPadding};
#[cfg(unix)]
pub(crate) use file::replace_descriptor;
pub(crate) use file::{Access, File, New, Oldest};
pub(crate) use link::{LinkClass, LinkRecord, n_unlinked};
pub(crate) use make::datatype_of;
pub(crate) use object::{Location, ObjectKind};
pub(crate) use plist::{
    ATTRIBUTE_PHASES, AttributeOrder, ChunkCache, DatasetCreation, FillStatus, Filter, Layout,
};
pub(crate) use sources::{ExternalPart, VirtualSource};
pub(crate) use space::{Extent, MAX_RANK, Space};
pub(crate) use values::{MemoryType, References, region_dtype};

static INIT: Once = Once::new();

/// Takes the process-wide lock of the library, which is not thread-safe by itself.
///
/// The lock is the one of `hdf5-metno-sys`, so that another user of it in the same process is
/// kept apart too.
pub(crate) fn lock() -> impl Sized {
    let guard = hdf5_metno_sys::LOCK.lock();
    INIT.call_once(|| {
        // SAFETY: the lock is held; both calls take no pointers but null, which is allowed.
        unsafe {
            H5open();
            H5Eset_auto2(H5E_DEFAULT, None, std::ptr::null_mut());
        }
        filter::register();
    });
    guard
}

/// What the library said when a call failed: the lines of its error stack, outermost first.
#[derive(Debug)]
pub(crate) struct Failure {
    what: &'static str,
    stack: Vec<String>,
    kind: Option<ErrorKind>,
}

/// A result of a library call.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure that did not come from the library's stack.
    pub(crate) fn new(what: &'static str, message: impl Into<String>) -> Self {
        Self { what, stack: vec![message.into()], kind: None }
    }

    /// The same failure, of a kind that is known.
    pub(crate) fn of(mut self, kind: ErrorKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// The kind, where it is known.
    pub(crate) fn kind(&self) -> Option<ErrorKind> {
        self.kind
    }

    /// Whether some line of the stack holds `text`.
    pub(crate) fn mentions(&self, text: &str) -> bool {
        self.stack.iter().any(|line| line.contains(text))
    }
}

impl fmt::Display for Failure {
    /// What was tried and the innermost reason.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.stack.first(), self.stack.last()) {
            (Some(first), Some(last)) if first != last => {
                write!(f, "{} failed: {first}: {last}", self.what)
            }
            (_, Some(last)) => write!(f, "{} failed: {last}", self.what),
            _ => write!(f, "{} failed", self.what),
        }
    }
}

impl std::error::Error for Failure {}

/// An error of the core (a limit, a heap item that points nowhere) on the way out of this module.
impl From<stook_core::Error> for Failure {
    fn from(error: stook_core::Error) -> Self {
        Self::new("values", error.message()).of(error.kind())
    }
}

/// A value by which the library reports success or failure: negative is failure.
trait Status: Copy {
    fn is_failure(self) -> bool;
}

impl Status for c_int {
    fn is_failure(self) -> bool {
        self < 0
    }
}

impl Status for i64 {
    fn is_failure(self) -> bool {
        self < 0
    }
}

impl Status for isize {
    fn is_failure(self) -> bool {
        self < 0
    }
}

/// `value` unless it says failure; then the error stack, which is cleared. The lock must be held
/// since before the call that gave `value`.
fn check<T: Status>(value: T, what: &'static str) -> Result<T> {
    if value.is_failure() { Err(take_failure(what)) } else { Ok(value) }
}

#[cold]
fn take_failure(what: &'static str) -> Failure {
    extern "C" fn push(_: c_uint, error: *const H5E_error2_t, stack: *mut c_void) -> herr_t {
        // SAFETY: the library passes a valid record, and the pointer given to the walk below.
        let (error, stack) = unsafe { (&*error, &mut *stack.cast::<Vec<String>>()) };
        if !error.desc.is_null() {
            // SAFETY: a description is a NUL-terminated string that lives as long as the stack.
            stack.push(unsafe { CStr::from_ptr(error.desc) }.to_string_lossy().into_owned());
        }
        0
    }
    let mut stack: Vec<String> = Vec::new();
    // SAFETY: the callback gets the vector, which outlives the walk.
    unsafe {
        let data = (&raw mut stack).cast();
        H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, Some(push), data);
        H5Eclear2(H5E_DEFAULT);
    }
    // An error of the driver says all there is to say.
    let driver = stack.iter().find_map(|line| driver::error_in(line));
    match driver.map(|(kind, text)| (kind, text.to_owned())) {
        Some((kind, text)) => Failure { what, stack: vec![text], kind: Some(kind) },
        None => Failure { what, stack, kind: None },
    }
}

/// Calls a library function under the lock and checks its result.
///
/// The arguments are ids, numbers, and pointers to memory that outlives the call; where a pointer
/// is written through, the call site says why the memory is large enough.
macro_rules! call {
    ($what:literal, $function:ident($($argument:expr),* $(,)?)) => {{
        let _lock = $crate::ffi::lock();
        // SAFETY: the lock is held, and the arguments are as the macro's contract says.
        let value = unsafe { $function($($argument),*) };
        $crate::ffi::check(value, $what)
    }};
}
use call;

/// One reference to an object of the library: a file, group, dataset, datatype, dataspace,
/// attribute or property list.
#[derive(Debug)]
pub(crate) struct Id(hid_t);

impl Id {
    /// Takes over the reference that a successful call returned.
    fn owned(id: hid_t) -> Self {
        Self(id)
    }

    /// Another reference to the same object.
    fn another(&self) -> Result<Self> {
        call!("reference", H5Iinc_ref(self.0))?;
        Ok(Self(self.0))
    }

    fn raw(&self) -> hid_t {
        self.0
    }
}

impl Drop for Id {
    fn drop(&mut self) {
        let _lock = lock();
        // SAFETY: the id is valid: this struct owns a reference to it. A failure at this point
        // (a write error on close) has been reported by the flush that comes before it.
        unsafe {
            if H5Idec_ref(self.0) < 0 {
                H5Eclear2(H5E_DEFAULT);
            }
        }
    }
}

/// `text` as the library takes it.
pub(crate) fn c_string(text: impl Into<Vec<u8>>) -> Result<CString> {
    CString::new(text).map_err(|error| {
        Failure::new("name", format!("a name may not hold a NUL character: {error}"))
    })
}

/// The text that `fill(buffer, len)` writes, where a call without a buffer gives its length.
fn sized_text(what: &'static str, fill: impl Fn(*mut c_char, usize) -> isize) -> Result<Vec<u8>> {
    let _lock = lock();
    let len = usize::try_from(check(fill(std::ptr::null_mut(), 0), what)?).unwrap_or(0);
    let mut text = vec![0_u8; len + 1];
    check(fill(text.as_mut_ptr().cast(), text.len()), what)?;
    text.truncate(text.iter().position(|&byte| byte == 0).unwrap_or(len));
    Ok(text)
}
