//! Names of keys.

use futures_util::{StreamExt, TryStreamExt};
use object_store::ObjectMeta;
use object_store::path::Path;
use stook_core::store::{Listing, check_key, check_prefix};
use stook_core::{Error, Result};

use crate::runtime;
use crate::store::Remote;

/// Names that are handed on together.
const BATCH: usize = 1000;

/// Whether the names below `prefix` can be told.
///
/// # Errors
/// `InvalidInput` for a bad prefix, `Unsupported` where the service lists nothing.
pub(crate) fn check(remote: &Remote, prefix: &str) -> Result<()> {
    check_prefix(prefix).map_err(|error| remote.located(error))?;
    if remote.shared.service.can_list {
        return Ok(());
    }
    let what = "keys cannot be listed over HTTP";
    let hint = "open nodes by name, or have the hierarchy's metadata consolidated by its owner";
    Err(remote.located(Error::unsupported(what).with_hint(hint)))
}

/// Whether keys below `from` may be moved to below `to`.
///
/// # Errors
/// `InvalidInput` if not, and those of [`check`].
pub(crate) fn check_rename(remote: &Remote, from: &str, to: &str) -> Result<()> {
    check(remote, from)?;
    let is_below = |a: &str, b: &str| {
        a.strip_prefix(b).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let checked = check_key(from).and_then(|()| check_key(to)).and_then(|()| {
        if is_below(to, from) || is_below(from, to) {
            let what = format!("`{from}` cannot be moved to `{to}`: one holds the other");
            return Err(Error::invalid(what));
        }
        Ok(())
    });
    checked.map_err(|error| remote.located(error))
}

/// Where the keys below `prefix` lie; `None` for all of the service.
pub(crate) fn folder(remote: &Remote, prefix: &str) -> Result<Option<Path>> {
    let path = remote.path(prefix)?;
    Ok((!path.as_ref().is_empty()).then_some(path))
}

/// The names directly below `prefix`.
pub(crate) async fn list(remote: &Remote, prefix: &str) -> Result<Listing> {
    let folder = folder(remote, prefix)?;
    let listed = remote.client.list_with_delimiter(folder.as_ref()).await;
    let listed = listed.map_err(|cause| remote.failed(cause, "list the names below", prefix))?;
    let names = |paths: &mut dyn Iterator<Item = &Path>| {
        let mut names: Vec<String> =
            paths.filter_map(|path| path.filename().map(str::to_owned)).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    Ok(Listing {
        keys: names(&mut listed.objects.iter().map(|object| &object.location)),
        prefixes: names(&mut listed.common_prefixes.iter()),
    })
}

/// Calls `visit` for every key below `prefix` while their names arrive.
pub(crate) fn walk(
    remote: &Remote,
    prefix: &str,
    visit: &mut dyn FnMut(&str, u64) -> Result<()>,
) -> Result<()> {
    let folder = folder(remote, prefix)?;
    let names = remote.client.list(folder.as_ref()).ready_chunks(BATCH);
    runtime::with_queue(names, 2, |queue| {
        while let Some(slot) = queue.next()? {
            for object in slot.item {
                let object =
                    object.map_err(|cause| remote.failed(cause, "list the keys below", prefix))?;
                if let Some(key) = remote.key_of(&object.location) {
                    visit(key, object.size)?;
                }
            }
        }
        Ok(())
    })
}

/// The objects below `prefix`.
pub(crate) async fn objects(remote: &Remote, prefix: &str) -> Result<Vec<ObjectMeta>> {
    let folder = folder(remote, prefix)?;
    let objects = remote.client.list(folder.as_ref()).try_collect().await;
    objects.map_err(|cause| remote.failed(cause, "list the keys below", prefix))
}
