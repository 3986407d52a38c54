//! A byte store as the Python half sees it: keys and values, as bytes.
//!
//! Stores of the library run without Python; one that is written in Python is reached through
//! [`bridge`].

mod bridge;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use stook::store::{ByteRange, ByteStore, LocalStore, MemoryStore, ZipStore};
use stook::{Error, ErrorKind, Limits, Mode};

use self::bridge::PythonStore;
use crate::codecs::Bytes;
use crate::enter::enter;
use crate::fork::Origin;
use crate::tree::durability_of;

/// Keys and values.
#[pyclass(frozen, weakref, module = "stook._stook")]
pub(crate) struct Store {
    store: Arc<dyn ByteStore>,
    place: Place,
    origin: Origin,
}

/// What makes the same store in another process.
enum Place {
    Local(PathBuf),
    Memory,
    Zip(PathBuf),
    Python(Py<PyAny>),
    Url(String, BTreeMap<String, String>),
}

impl Store {
    fn new(store: Arc<dyn ByteStore>, place: Place) -> Self {
        // What was written to an archive lies in a temporary file until it is committed: one
        // process may do that.
        let is_safe = !matches!(place, Place::Zip(_)) || store.is_read_only();
        let origin = Origin::of_store(&store, is_safe);
        Self { store, place, origin }
    }

    /// The store for the library.
    pub(crate) fn store(&self) -> Arc<dyn ByteStore> {
        Arc::clone(&self.store)
    }

    /// In which process it was opened.
    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    /// Does something that changes the store.
    fn change<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&dyn ByteStore) -> stook::Result<T> + Send,
    ) -> PyResult<T> {
        self.origin.check(py)?;
        enter(py, || {
            if self.store.is_read_only() {
                let error = Error::read_only("the store was opened for reading only");
                return Err(error.at_file(self.store.location()));
            }
            work(&*self.store)
        })
    }
}

#[pymethods]
impl Store {
    /// A folder, which is made if it is missing and to be written.
    #[staticmethod]
    fn local(py: Python<'_>, path: PathBuf, read_only: bool) -> PyResult<Self> {
        let mode = if read_only { Mode::Read } else { Mode::ReadWrite };
        let store = enter(py, || match LocalStore::open(&path, mode) {
            Err(error) if error.kind() == ErrorKind::NotFound && !read_only => {
                match LocalStore::create(&path) {
                    // Another process was faster.
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                        LocalStore::open(&path, mode)
                    }
                    made => made,
                }
            }
            opened => opened,
        })?;
        let place = Place::Local(store.root().to_path_buf());
        Ok(Self::new(Arc::new(store), place))
    }

    /// An empty store in this process's memory.
    #[staticmethod]
    fn memory() -> Self {
        Self::new(Arc::new(MemoryStore::new()), Place::Memory)
    }

    /// An archive; what is changed reaches the file with `commit`.
    #[staticmethod]
    fn zip(py: Python<'_>, path: PathBuf, mode: &str) -> PyResult<Self> {
        let limits = Limits::default();
        let open = |mode| ZipStore::open(&path, mode, &limits);
        let store = enter(py, || match mode {
            "r" => open(Mode::Read),
            "r+" => open(Mode::ReadWrite),
            "x" => ZipStore::create(&path, &limits),
            "a" | "w" => match open(Mode::ReadWrite) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    ZipStore::create(&path, &limits)
                }
                Ok(store) if mode == "w" => store.erase_prefix("").map(|()| store),
                opened => opened,
            },
            other => {
                let error = Error::invalid(format!("mode `{other}` is not known"));
                Err(error.with_hint("one of r, r+, a, w, x"))
            }
        })?;
        let place = std::path::absolute(&path).unwrap_or(path);
        Ok(Self::new(Arc::new(store), Place::Zip(place)))
    }

    /// A store that is written in Python.
    #[staticmethod]
    fn python(adapter: Bound<'_, PyAny>, location: String, read_only: bool) -> PyResult<Self> {
        let store = PythonStore::new(&adapter, location, read_only)?;
        Ok(Self::new(Arc::new(store), Place::Python(adapter.unbind())))
    }

    /// An object store; `options` are those of the service.
    #[staticmethod]
    fn url(
        py: Python<'_>,
        url: String,
        options: BTreeMap<String, String>,
        read_only: bool,
    ) -> PyResult<Self> {
        let mode = if read_only { Mode::Read } else { Mode::ReadWrite };
        let pairs = || options.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let store = enter(py, || stook::open_store(&url, pairs(), mode))?;
        Ok(Self::new(store, Place::Url(url, options)))
    }

    #[getter]
    fn location(&self) -> &str {
        self.store.location()
    }

    #[getter]
    fn read_only(&self) -> bool {
        self.store.is_read_only()
    }

    /// A number that handles to one store share.
    #[getter]
    fn identity(&self) -> u64 {
        self.store.identity()
    }

    /// A value, or a part of it: from `start` to before `end`, or its last bytes if `start` is
    /// negative. What lies beyond its end is left out.
    #[pyo3(signature = (key, start=None, end=None))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        start: Option<i64>,
        end: Option<u64>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let found = enter(py, || part(&*self.store, key, start, end))?;
        Ok(found.map(|value| PyBytes::new(py, &value)))
    }

    fn set(&self, py: Python<'_>, key: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let value = Bytes::of(value)?;
        self.change(py, |store| store.set(key, value.as_slice()))
    }

    /// Sets a key that is missing; whether it was.
    fn set_new(&self, py: Python<'_>, key: &str, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        let value = Bytes::of(value)?;
        self.change(py, |store| store.set_new(key, value.as_slice()))
    }

    fn delete(&self, py: Python<'_>, key: &str) -> PyResult<()> {
        self.change(py, |store| store.erase(key))
    }

    fn delete_prefix(&self, py: Python<'_>, prefix: &str) -> PyResult<()> {
        self.change(py, |store| store.erase_prefix(prefix))
    }

    /// The names directly below a prefix; those of further keys end in a slash.
    fn list_dir(&self, py: Python<'_>, prefix: &str) -> PyResult<Vec<String>> {
        let found = enter(py, || self.store.list(prefix))?;
        let folders = found.prefixes.into_iter().map(|name| name + "/");
        Ok(found.keys.into_iter().chain(folders).collect())
    }

    /// All keys below a prefix.
    fn list_prefix(&self, py: Python<'_>, prefix: &str) -> PyResult<Vec<String>> {
        let mut keys = Vec::new();
        enter(py, || {
            self.store.walk_keys(prefix, &mut |key| {
                keys.push(key.to_owned());
                Ok(())
            })
        })?;
        Ok(keys)
    }

    /// The length of a value in bytes.
    fn getsize(&self, py: Python<'_>, key: &str) -> PyResult<Option<u64>> {
        enter(py, || self.store.len_bytes(key))
    }

    /// The length of all values below a prefix in bytes.
    fn getsize_prefix(&self, py: Python<'_>, prefix: &str) -> PyResult<u64> {
        let mut total = 0_u64;
        enter(py, || {
            self.store.walk(prefix, &mut |_, len| {
                total = total.saturating_add(len);
                Ok(())
            })
        })?;
        Ok(total)
    }

    /// Makes what was changed durable.
    fn commit(&self, py: Python<'_>, durability: &str) -> PyResult<()> {
        let durability = durability_of(py, durability)?;
        self.change(py, |store| store.sync(durability))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let (py, store) = (slf.py(), slf.get());
        let make = |name: &str| slf.get_type().getattr(name);
        let read_only = store.read_only();
        match &store.place {
            Place::Local(path) => (make("local")?, (path, read_only)).into_pyobject(py),
            Place::Zip(path) => {
                if !read_only && !store.origin.is_copy() {
                    store.commit(py, "flush")?;
                }
                let mode = if read_only { "r" } else { "r+" };
                (make("zip")?, (path, mode)).into_pyobject(py)
            }
            Place::Python(adapter) => {
                (make("python")?, (adapter, store.location(), read_only)).into_pyobject(py)
            }
            Place::Url(url, options) => {
                (make("url")?, (url, options.clone(), read_only)).into_pyobject(py)
            }
            Place::Memory => Err(PyTypeError::new_err("a store in memory cannot be pickled")),
        }
    }
}

/// A value or a part of it; `None` where the key is missing.
fn part(
    store: &dyn ByteStore,
    key: &str,
    start: Option<i64>,
    end: Option<u64>,
) -> stook::Result<Option<Vec<u8>>> {
    let limit = Limits::default().chunk_len_bytes;
    let start = start.unwrap_or(0);
    if start == 0 && end.is_none() {
        let mut value = Vec::new();
        return Ok(store.get(key, &mut value, limit)?.then_some(value));
    }
    let offset = start.unsigned_abs();
    let range = match end {
        _ if start < 0 => Some(ByteRange::Last(offset)),
        Some(end) => Some(ByteRange::At { offset, len: end.saturating_sub(offset) }),
        None => None,
    };
    let outside = match range.map(|range| read_range(store, key, range, limit)) {
        // Whether it ends earlier is asked only then.
        Some(Err(error)) if error.kind() == ErrorKind::Corrupt => Some(error),
        Some(found) => return found,
        None => None,
    };
    let Some(len_bytes) = store.len_bytes(key)? else { return Ok(None) };
    let (from, to) = match start {
        ..0 => (len_bytes.saturating_sub(offset), len_bytes),
        _ => (offset.min(len_bytes), end.map_or(len_bytes, |end| end.min(len_bytes))),
    };
    let clipped = ByteRange::At { offset: from, len: to.saturating_sub(from) };
    match outside {
        Some(error) if range == Some(clipped) => Err(error),
        _ => read_range(store, key, clipped, limit),
    }
}

fn read_range(
    store: &dyn ByteStore,
    key: &str,
    range: ByteRange,
    limit: u64,
) -> stook::Result<Option<Vec<u8>>> {
    if let ByteRange::At { len, .. } | ByteRange::Last(len) = range
        && len > limit
    {
        // It may be clipped to less.
        return Err(Error::corrupt(format!("key `{key}`: a range of {len} bytes is too long")));
    }
    let mut value = Vec::new();
    let is_there = store.get_ranges(key, &[range], &mut |_, bytes| {
        value.extend_from_slice(bytes.unwrap_or_default());
        Ok(())
    })?;
    Ok(is_there.then_some(value))
}
