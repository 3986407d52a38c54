//! An object store as a byte store.
//!
//! Invariants: a value is asked for without asking first whether it is there; a put is durable
//! when it returns; a length that a service names is checked before memory is asked for, and a
//! body that is not of that length is an error.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use stook_core::store::{
    ByteRange, ByteStore, DeliverBytes, DeliverValues, Edit, EditValue, Guard, Listing, RangesRead,
    check_key, keeps_changing, with_edit_buffers,
};
use stook_core::{Durability, Error, Result};

use crate::backend::Backend;
use crate::open::path_of;
use crate::options::{self, Options};
use crate::{error, list, ranges, read, runtime, write};

/// Which place of which service a store is.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    /// Where requests go, if that is not told by the URL alone.
    pub(crate) endpoint: Option<String>,
    /// Whether it tells the names of keys.
    pub(crate) can_list: bool,
    /// Whether it replaces a value only if that is the one expected.
    pub(crate) can_compare: bool,
    /// The URL, without secrets.
    pub(crate) location: String,
    /// What all keys begin with.
    pub(crate) root: Path,
    pub(crate) read_only: bool,
}

/// Keys and values of a service.
#[derive(Debug)]
pub(crate) struct RemoteStore {
    backend: Backend,
    shared: Arc<Shared>,
    identity: u64,
}

/// What tasks of a store have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) service: Service,
    pub(crate) options: Options,
}

/// A store as a task sees it.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub(crate) client: Arc<dyn ObjectStore>,
    pub(crate) shared: Arc<Shared>,
}

impl Remote {
    /// The error for what happened when `what` was done with `key`.
    pub(crate) fn failed(&self, cause: object_store::Error, what: &str, key: &str) -> Error {
        error::of(cause, what, key, &self.shared.service.location)
    }

    /// An error about `key` that names the store.
    pub(crate) fn located(&self, error: Error) -> Error {
        error.at_file(&self.shared.service.location)
    }

    pub(crate) fn options(&self) -> &Options {
        &self.shared.options
    }

    pub(crate) fn path(&self, key: &str) -> Result<Path> {
        path_of(&self.shared.service.root, key).map_err(|error| self.located(error))
    }

    /// The key of an object that was listed.
    pub(crate) fn key_of<'p>(&self, path: &'p Path) -> Option<&'p str> {
        let (path, root) = (path.as_ref(), self.shared.service.root.as_ref());
        match root {
            "" => Some(path),
            root => path.strip_prefix(root)?.strip_prefix('/'),
        }
    }

    /// Where `key` is missing: that, or an error where its bucket is.
    pub(crate) fn missing<T>(&self, cause: object_store::Error, nothing: T) -> Result<T> {
        match error::is_missing_bucket(&cause) {
            true => Err(self.failed(cause, "find its bucket", "")),
            false => Ok(nothing),
        }
    }
}

/// A number that changes with a value; `None` where the service gives no tag, and no time, or one
/// so young that the value may change again within it.
pub(crate) fn version_of(meta: &ObjectMeta) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    if meta.version.is_some() || meta.e_tag.is_some() {
        (&meta.version, &meta.e_tag).hash(&mut hasher);
        return Some(hasher.finish());
    }
    let changed = SystemTime::from(meta.last_modified);
    if changed == SystemTime::UNIX_EPOCH || changed + TIME_TICK > SystemTime::now() {
        return None;
    }
    (changed, meta.size).hash(&mut hasher);
    Some(hasher.finish())
}

/// Services tell times in whole seconds, by clocks of their own.
const TIME_TICK: Duration = Duration::from_secs(5);

impl RemoteStore {
    pub(crate) fn new(backend: Backend, service: Service, options: Options) -> Self {
        let mut hasher = DefaultHasher::new();
        (&service.location, &service.endpoint).hash(&mut hasher);
        let shared = Arc::new(Shared { service, options });
        Self { backend, shared, identity: hasher.finish() }
    }

    fn remote(&self) -> Result<Remote> {
        Ok(Remote { client: self.backend.client()?, shared: Arc::clone(&self.shared) })
    }

    /// The store, for changes.
    fn writable(&self) -> Result<Remote> {
        if self.shared.service.read_only {
            return Err(Error::read_only("opened for reading only").at_file(self.location()));
        }
        self.remote()
    }

    /// The store, for changes of `key`, and where that lies.
    fn writable_at(&self, key: &str) -> Result<(Remote, Path)> {
        let remote = self.writable()?;
        check_key(key).map_err(|error| remote.located(error))?;
        let path = remote.path(key)?;
        Ok((remote, path))
    }

    /// Reads the value of `key`, edits it, and replaces it if it is unchanged; false if it is not.
    fn try_update(
        &self,
        remote: &Remote,
        key: &str,
        (limit, n_tries): (u64, u32),
        edit: &mut EditValue<'_>,
    ) -> Result<bool> {
        let (store, name) = (remote.clone(), key.to_owned());
        let body = runtime::run(async move {
            if n_tries > 0 {
                tokio::time::sleep(options::conflict_pause(n_tries)).await;
            }
            read::whole(&store, &name, limit, None).await
        })?;
        let new = with_edit_buffers(|buffer, new| {
            let old = body.as_ref().map(|body| body.bytes(buffer));
            Ok(match edit(old, new)? {
                Edit::Keep => None,
                Edit::Set => Some(Some(bytes::Bytes::copy_from_slice(new))),
                Edit::Erase => Some(None),
            })
        })?;
        let meta = body.map(|body| body.meta);
        let (store, name) = (remote.clone(), key.to_owned());
        match new {
            None => Ok(true),
            Some(None) if meta.is_none() => Ok(true),
            Some(None) => self.erase(key).map(|()| true),
            Some(Some(new)) => {
                runtime::run(async move { write::replace(&store, &name, meta, new).await })
            }
        }
    }

    fn head(&self, key: &str) -> Result<Option<ObjectMeta>> {
        let remote = self.remote()?;
        let key = key.to_owned();
        runtime::run(async move { read::head(&remote, &key).await })
    }
}

impl ByteStore for RemoteStore {
    fn location(&self) -> &str {
        &self.shared.service.location
    }

    fn identity(&self) -> u64 {
        self.identity
    }

    fn is_read_only(&self) -> bool {
        self.shared.service.read_only
    }

    fn requests_in_flight(&self) -> Option<usize> {
        Some(self.shared.options.in_flight)
    }

    fn get(&self, key: &str, out: &mut Vec<u8>, limit: u64) -> Result<bool> {
        let remote = self.remote()?;
        let key = key.to_owned();
        let body = runtime::run(async move { read::whole(&remote, &key, limit, None).await })?;
        let Some(body) = body else { return Ok(false) };
        body.append_to(out);
        Ok(true)
    }

    fn get_many(&self, keys: &[String], limit: u64, deliver: &DeliverValues<'_>) -> Result<()> {
        read::many(&self.remote()?, keys, limit, deliver)
    }

    fn get_ranges(
        &self,
        key: &str,
        ranges: &[ByteRange],
        deliver: &mut DeliverBytes<'_>,
    ) -> Result<bool> {
        let remote = self.remote()?;
        match ranges::read(&remote, key, ranges, None, deliver)? {
            RangesRead::Missing => Ok(false),
            RangesRead::Read(_) => Ok(true),
            RangesRead::Changed => {
                let what = format!("key `{key}`: the value changed while it was read");
                Err(remote.located(Error::new(stook_core::ErrorKind::Locked, what)))
            }
        }
    }

    fn get_ranges_of(
        &self,
        key: &str,
        ranges: &[ByteRange],
        version: Option<u64>,
        deliver: &mut DeliverBytes<'_>,
    ) -> Result<RangesRead> {
        ranges::read(&self.remote()?, key, ranges, version, deliver)
    }

    fn len_bytes(&self, key: &str) -> Result<Option<u64>> {
        Ok(self.head(key)?.map(|meta| meta.size))
    }

    fn version(&self, key: &str) -> Result<Option<u64>> {
        Ok(self.head(key)?.as_ref().and_then(version_of))
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        let (remote, path) = self.writable_at(key)?;
        let (key, value) = (key.to_owned(), bytes::Bytes::copy_from_slice(value));
        runtime::run(async move { write::set(&remote, &key, &path, value).await })
    }

    fn set_new(&self, key: &str, value: &[u8]) -> Result<bool> {
        let (remote, path) = self.writable_at(key)?;
        let (key, value) = (key.to_owned(), bytes::Bytes::copy_from_slice(value));
        runtime::run(async move { write::set_new(&remote, &key, &path, value).await })
    }

    fn update(&self, key: &str, limit: u64, edit: &mut EditValue<'_>) -> Result<()> {
        let (remote, _) = self.writable_at(key)?;
        let begun = Instant::now();
        for n_tries in 0.. {
            if self.try_update(&remote, key, (limit, n_tries), edit)? {
                return Ok(());
            }
            if begun.elapsed() > remote.options().retry_timeout {
                break;
            }
        }
        Err(remote.located(keeps_changing(key)))
    }

    fn guard(&self) -> Guard {
        if self.shared.service.can_compare { Guard::Everyone } else { Guard::Caller }
    }

    /// The services' clients know no conditional removal.
    fn can_erase_guarded(&self) -> bool {
        false
    }

    fn erase(&self, key: &str) -> Result<()> {
        let (remote, path) = self.writable_at(key)?;
        let key = key.to_owned();
        runtime::run(async move { write::erase(&remote, &key, path).await })
    }

    fn erase_prefix(&self, prefix: &str) -> Result<()> {
        let remote = self.writable()?;
        list::check(&remote, prefix)?;
        let prefix = prefix.to_owned();
        runtime::finish(async move { write::erase_prefix(&remote, &prefix).await })
    }

    fn rename_prefix(&self, from: &str, to: &str) -> Result<()> {
        let remote = self.writable()?;
        list::check_rename(&remote, from, to)?;
        let (from, to) = (from.to_owned(), to.to_owned());
        runtime::finish(async move { write::rename_prefix(&remote, &from, &to).await })
    }

    fn list(&self, prefix: &str) -> Result<Listing> {
        let remote = self.remote()?;
        list::check(&remote, prefix)?;
        let prefix = prefix.to_owned();
        runtime::run(async move { list::list(&remote, &prefix).await })
    }

    fn walk(&self, prefix: &str, visit: &mut dyn FnMut(&str, u64) -> Result<()>) -> Result<()> {
        let remote = self.remote()?;
        list::check(&remote, prefix)?;
        list::walk(&remote, prefix, visit)
    }

    /// What was put is durable already.
    fn sync(&self, _: Durability) -> Result<()> {
        Ok(())
    }
}
