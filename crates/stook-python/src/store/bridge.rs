//! A byte store that is written in Python.
//!
//! The adapter is an object with synchronous methods, which any thread may call:
//! `get(key, start, end)`, `get_ranges(key, [(start, end)])`, `set(key, value)`,
//! `set_new(key, value)`, `delete(key)`, `delete_prefix(prefix)`, `list_dir(prefix)` (names;
//! those of further keys end in a slash), `list_prefix(prefix)`, `getsize(key)`,
//! `getsizes(keys)`. Handles to one store share its attribute `identity`. One whose attribute
//! `requests_in_flight` is a number is behind a network, and has `get_many(keys)`, too: values, or
//! the exception of those that could not be read.
//!
//! Invariants: the GIL is held for a call and no longer; a fork is welcome meanwhile, unless the
//! thread has a lock of the engine. What Python raises is the cause of an error that names store
//! and key. A value is taken as Python gives it: a part that is shorter than it has to be is an
//! error.

use pyo3::exceptions::{PyBaseException, PyNotImplementedError, PyPermissionError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use stook::store::{
    ByteRange, ByteStore, DeliverBytes, DeliverValues, Listing, check_key, check_prefix,
};
use stook::{Durability, Error, ErrorKind, Result, gate};

use crate::codecs::Bytes;

/// Up to so many bytes between two ranges are read and thrown away: cheaper than another call.
const GAP_LEN: u64 = 32 << 10;

/// Ranges are joined up to so many bytes.
const JOINED_LEN: u64 = 8 << 20;

/// The adapter is asked for so many values for each that may be under way, so that there are
/// always some under way.
const GROUPED: usize = 4;

/// Start and end as the adapter takes them.
type Part = (Option<i64>, Option<u64>);

/// Keys and values behind an adapter.
#[derive(Debug)]
pub(super) struct PythonStore {
    adapter: Py<PyAny>,
    location: String,
    identity: u64,
    read_only: bool,
    requests_in_flight: Option<usize>,
}

/// One call of the adapter for neighbouring ranges.
struct Run {
    part: Part,
    /// Position in `ranges`, offset in the part, and length.
    ranges: Vec<(usize, u64, u64)>,
    len: u64,
}

impl PythonStore {
    pub(super) fn new(
        adapter: &Bound<'_, PyAny>,
        location: String,
        read_only: bool,
    ) -> PyResult<Self> {
        let identity = match adapter.getattr_opt("identity")? {
            Some(identity) => identity.extract()?,
            None => adapter.as_ptr().addr() as u64,
        };
        let requests_in_flight = match adapter.getattr_opt("requests_in_flight")? {
            Some(n) => n.extract()?,
            None => None,
        };
        let adapter = adapter.clone().unbind();
        Ok(Self { adapter, location, identity, read_only, requests_in_flight })
    }

    /// Calls the adapter; `what` and `key` are for errors.
    fn call<T>(
        &self,
        what: &str,
        key: &str,
        work: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>,
    ) -> Result<T> {
        let called = gate::aside(|| {
            Python::attach(|py| {
                work(self.adapter.bind(py)).map_err(|error| {
                    let kind = kind_of(py, &error);
                    (kind, error)
                })
            })
        });
        called.map_err(|(kind, error)| self.failed(what, key, kind, error))
    }

    #[cold]
    fn failed(&self, what: &str, key: &str, kind: ErrorKind, cause: PyErr) -> Error {
        let message = format!("key `{key}`: cannot {what}");
        Error::new(kind, message).with_source(cause).at_file(&self.location)
    }

    /// A value as the adapter gives it, checked.
    fn value<'a>(&self, key: &str, value: &'a Bytes, limit: u64) -> Result<&'a [u8]> {
        let value = value.as_slice();
        if value.len() as u64 <= limit {
            return Ok(value);
        }
        let len = value.len();
        let what = format!("key `{key}`: value of {len} bytes exceeds the limit of {limit} bytes");
        Err(Error::limit(what).at_file(&self.location))
    }

    /// Values, or why they could not be read.
    fn get_some(&self, keys: &[String]) -> Result<Vec<Result<Option<Bytes>>>> {
        let [first, ..] = keys else { return Ok(Vec::new()) };
        let found = self.call("read", first, |adapter| {
            let py = adapter.py();
            let found = adapter.call_method1("get_many", (keys.to_vec(),))?;
            let one = |value: Bound<'_, PyAny>| {
                if value.is_instance_of::<PyBaseException>() {
                    let error = PyErr::from_value(value);
                    return Err((kind_of(py, &error), error));
                }
                bytes_of(&value).map_err(|error| (ErrorKind::Io, error))
            };
            found.try_iter()?.map(|value| Ok(one(value?))).collect::<PyResult<Vec<_>>>()
        })?;
        if found.len() != keys.len() {
            let what = format!("expected {} values, found {}", keys.len(), found.len());
            return Err(Error::corrupt(what).at_file(&self.location));
        }
        let named = found.into_iter().zip(keys).map(|(value, key)| {
            value.map_err(|(kind, error)| self.failed("read", key, kind, error))
        });
        Ok(named.collect())
    }

    fn check_writable(&self) -> Result<()> {
        if self.read_only {
            return Err(
                Error::read_only("the store was opened for reading only").at_file(&self.location)
            );
        }
        Ok(())
    }

    /// The parts of a value, or `None` if it is missing.
    fn parts(&self, key: &str, runs: &[Run]) -> Result<Option<Vec<Bytes>>> {
        let found = self.call("read", key, |adapter| {
            if let [run] = runs {
                let (start, end) = run.part;
                let value = adapter.call_method1("get", (key, start, end))?;
                return Ok(vec![bytes_of(&value)?]);
            }
            let parts: Vec<Part> = runs.iter().map(|run| run.part).collect();
            let values = adapter.call_method1("get_ranges", (key, parts))?;
            values.try_iter()?.map(|value| bytes_of(&value?)).collect()
        })?;
        if found.len() != runs.len() {
            let what = format!("key `{key}`: expected {} parts, found {}", runs.len(), found.len());
            return Err(Error::corrupt(what).at_file(&self.location));
        }
        if found.iter().all(Option::is_none) {
            return Ok(None);
        }
        let vanished = || {
            let what = format!("key `{key}`: the value vanished while parts of it were read");
            Error::new(ErrorKind::Io, what).at_file(&self.location)
        };
        found.into_iter().map(|part| part.ok_or_else(vanished)).collect::<Result<_>>().map(Some)
    }

    fn len_of(&self, key: &str) -> Result<Option<u64>> {
        self.call("ask for the length", key, |adapter| {
            adapter.call_method1("getsize", (key,))?.extract()
        })
    }
}

/// Whose fault an exception is.
fn kind_of(py: Python<'_>, error: &PyErr) -> ErrorKind {
    if error.is_instance_of::<PyPermissionError>(py) {
        ErrorKind::ReadOnly
    } else if error.is_instance_of::<PyNotImplementedError>(py) {
        ErrorKind::Unsupported
    } else {
        ErrorKind::Io
    }
}

/// The bytes of a value; `None` stays.
fn bytes_of(value: &Bound<'_, PyAny>) -> PyResult<Option<Bytes>> {
    if value.is_none() { Ok(None) } else { Bytes::of(value).map(Some) }
}

/// What to ask the adapter for, neighbours together.
fn runs_of(ranges: &[ByteRange]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut placed = Vec::with_capacity(ranges.len());
    for (at, range) in ranges.iter().enumerate() {
        match *range {
            ByteRange::At { offset, len } => placed.push((offset, len, at)),
            ByteRange::Last(len) => {
                let start = i64::try_from(len).map_or(i64::MIN, |len| -len);
                runs.push(Run { part: (Some(start), None), ranges: vec![(at, 0, len)], len });
            }
        }
    }
    placed.sort_unstable();
    let mut open: Option<(u64, Run)> = None;
    for (offset, len, at) in placed {
        let end = offset.saturating_add(len);
        if let Some((start, run)) = &mut open {
            let joined = run.len.max(end - *start);
            let is_near = offset <= (*start + run.len).saturating_add(GAP_LEN);
            if joined == run.len || (is_near && joined <= JOINED_LEN) {
                run.len = joined;
                run.part.1 = Some(*start + joined);
                run.ranges.push((at, offset - *start, len));
                continue;
            }
        }
        runs.extend(open.take().map(|(_, run)| run));
        let start = i64::try_from(offset).unwrap_or(i64::MAX);
        let run = Run { part: (Some(start), Some(end)), ranges: vec![(at, 0, len)], len };
        open = Some((offset, run));
    }
    runs.extend(open.map(|(_, run)| run));
    runs
}

impl ByteStore for PythonStore {
    fn location(&self) -> &str {
        &self.location
    }

    fn identity(&self) -> u64 {
        self.identity
    }

    fn is_read_only(&self) -> bool {
        self.read_only
    }

    fn get(&self, key: &str, out: &mut Vec<u8>, limit: u64) -> Result<bool> {
        let found = self.call("read", key, |adapter| {
            bytes_of(&adapter.call_method1("get", (key, None::<i64>, None::<u64>))?)
        })?;
        let Some(value) = found else { return Ok(false) };
        out.extend_from_slice(self.value(key, &value, limit)?);
        Ok(true)
    }

    fn requests_in_flight(&self) -> Option<usize> {
        self.requests_in_flight
    }

    fn get_many(&self, keys: &[String], limit: u64, deliver: &DeliverValues<'_>) -> Result<()> {
        let mut at = 0;
        let at_once = self.requests_in_flight.unwrap_or(1).saturating_mul(GROUPED).max(1);
        for keys in keys.chunks(at_once) {
            gate::checkpoint()?;
            for (key, found) in keys.iter().zip(self.get_some(keys)?) {
                let value = found.and_then(|found| match &found {
                    Some(value) => {
                        self.value(key, value, limit).map(|value| deliver(at, Ok(Some(value))))
                    }
                    None => Ok(deliver(at, Ok(None))),
                });
                value.unwrap_or_else(|error| deliver(at, Err(error)))?;
                at += 1;
            }
        }
        Ok(())
    }

    fn get_ranges(
        &self,
        key: &str,
        ranges: &[ByteRange],
        deliver: &mut DeliverBytes<'_>,
    ) -> Result<bool> {
        if ranges.is_empty() {
            return Ok(self.len_of(key)?.is_some());
        }
        let runs = runs_of(ranges);
        let Some(parts) = self.parts(key, &runs)? else { return Ok(false) };
        for (run, part) in runs.iter().zip(&parts) {
            let (expected, found) = (run.len, part.as_slice().len());
            if found as u64 != expected {
                let what = format!("key `{key}`: expected {expected} bytes, found {found}");
                return Err(Error::corrupt(what).at_file(&self.location));
            }
        }
        for (run, part) in runs.iter().zip(&parts) {
            for &(at, offset, len) in &run.ranges {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let end = start.saturating_add(usize::try_from(len).unwrap_or(usize::MAX));
                deliver(at, part.as_slice().get(start..end))?;
            }
        }
        Ok(true)
    }

    fn len_bytes(&self, key: &str) -> Result<Option<u64>> {
        self.len_of(key)
    }

    fn version(&self, _key: &str) -> Result<Option<u64>> {
        Ok(None)
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        self.check_writable()?;
        check_key(key)?;
        self.call("write", key, |adapter| {
            adapter.call_method1("set", (key, PyBytes::new(adapter.py(), value))).map(|_| ())
        })
    }

    fn set_new(&self, key: &str, value: &[u8]) -> Result<bool> {
        self.check_writable()?;
        check_key(key)?;
        self.call("create", key, |adapter| {
            let value = PyBytes::new(adapter.py(), value);
            adapter.call_method1("set_new", (key, value))?.extract()
        })
    }

    fn erase(&self, key: &str) -> Result<()> {
        self.check_writable()?;
        check_key(key)?;
        self.call("delete", key, |adapter| adapter.call_method1("delete", (key,)).map(|_| ()))
    }

    fn erase_prefix(&self, prefix: &str) -> Result<()> {
        self.check_writable()?;
        check_prefix(prefix)?;
        self.call("delete what is below", prefix, |adapter| {
            adapter.call_method1("delete_prefix", (prefix,)).map(|_| ())
        })
    }

    /// Copies all keys, then deletes the old ones: what fails in between loses nothing.
    fn rename_prefix(&self, from: &str, to: &str) -> Result<()> {
        self.check_writable()?;
        check_key(from)?;
        check_key(to)?;
        let (below, above) = (format!("{from}/"), format!("{to}/"));
        if below.starts_with(&above) || above.starts_with(&below) {
            let what = format!("`{from}` cannot be moved to `{to}`: one holds the other");
            return Err(Error::invalid(what));
        }
        let mut taken = false;
        self.walk_keys(to, &mut |_| {
            taken = true;
            Ok(())
        })?;
        if taken {
            let error = Error::already_exists(format!("there are keys below `{to}`"));
            return Err(error.at_file(&self.location));
        }
        let mut keys = Vec::new();
        self.walk_keys(from, &mut |key| {
            keys.push(key.to_owned());
            Ok(())
        })?;
        let mut value = Vec::new();
        for key in &keys {
            value.clear();
            let rest = key.strip_prefix(from).unwrap_or_default();
            if self.get(key, &mut value, u64::MAX)? {
                self.set(&format!("{to}{rest}"), &value)?;
            }
        }
        self.erase_prefix(from)
    }

    fn list(&self, prefix: &str) -> Result<Listing> {
        check_prefix(prefix)?;
        let names: Vec<String> = self.call("list what is below", prefix, |adapter| {
            let names = adapter.call_method1("list_dir", (prefix,))?;
            names.try_iter()?.map(|name| name?.extract()).collect()
        })?;
        let mut listing = Listing::default();
        for name in names {
            match name.strip_suffix('/') {
                Some(folder) => listing.prefixes.push(folder.to_owned()),
                None => listing.keys.push(name),
            }
        }
        for names in [&mut listing.keys, &mut listing.prefixes] {
            names.sort_unstable();
            names.dedup();
        }
        Ok(listing)
    }

    fn walk(&self, prefix: &str, visit: &mut dyn FnMut(&str, u64) -> Result<()>) -> Result<()> {
        let mut keys = Vec::new();
        self.walk_keys(prefix, &mut |key| {
            keys.push(key.to_owned());
            Ok(())
        })?;
        let lengths: Vec<Option<u64>> =
            self.call("ask for the lengths below", prefix, |adapter| {
                adapter.call_method1("getsizes", (keys.clone(),))?.extract()
            })?;
        for (key, len) in keys.iter().zip(lengths) {
            if let Some(len) = len {
                visit(key, len)?;
            }
        }
        Ok(())
    }

    fn walk_keys(&self, prefix: &str, visit: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        check_prefix(prefix)?;
        let keys: Vec<String> = self.call("list what is below", prefix, |adapter| {
            let keys = adapter.call_method1("list_prefix", (prefix,))?;
            keys.try_iter()?.map(|key| key?.extract()).collect()
        })?;
        let start = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        keys.iter().filter(|key| key.starts_with(&start)).try_for_each(|key| visit(key))
    }

    fn sync(&self, _durability: Durability) -> Result<()> {
        Ok(())
    }
}
