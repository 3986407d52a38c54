//! Changes: of one value, whole or not at all; of many, one after the other.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    Error as Cause, ObjectMeta, ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions,
    PutPayload, UpdateVersion,
};
use stook_core::{Error, Result};

use crate::list;
use crate::store::Remote;

/// Parts of one value under way at once.
const PARTS_IN_FLIGHT: usize = 8;

/// S3 takes no more parts of one value.
const MAX_PARTS: usize = 10_000;

/// Replaces the value of `key`.
pub(crate) async fn set(remote: &Remote, key: &str, path: &Path, value: Bytes) -> Result<()> {
    let failed = |cause| remote.failed(cause, "store it", key);
    if value.len() > remote.options().part_len_bytes {
        match in_parts(remote, path, &value).await {
            // Then as a whole.
            Err(Cause::NotImplemented { .. } | Cause::NotSupported { .. }) => {}
            other => return other.map_err(failed),
        }
    }
    let put = remote.client.put(path, PutPayload::from_bytes(value)).await;
    put.map(drop).map_err(failed)
}

/// Stores `value` in parts, which become one value with the last request.
async fn in_parts(remote: &Remote, path: &Path, value: &Bytes) -> Result<(), Cause> {
    let mut upload = remote.client.put_multipart(path).await?;
    let part_len = remote.options().part_len_bytes.max(value.len().div_ceil(MAX_PARTS));
    let starts = (0..value.len()).step_by(part_len);
    // Each part gets its number when it is begun, so that they may end in any order.
    let parts: Vec<_> = starts
        .map(|start| {
            let part = value.slice(start..value.len().min(start.saturating_add(part_len)));
            upload.put_part(PutPayload::from_bytes(part))
        })
        .collect();
    let mut parts = futures_util::stream::iter(parts).buffer_unordered(PARTS_IN_FLIGHT);
    let mut stored = Ok(());
    while let Some(part) = parts.next().await {
        if part.is_err() {
            stored = part;
            break;
        }
    }
    drop(parts);
    let stored = match stored {
        Ok(()) => upload.complete().await.map(drop),
        failure => failure,
    };
    if stored.is_err() {
        // Parts that are left would be kept, unseen, and be paid for.
        let _ = upload.abort().await;
    }
    stored
}

/// Sets `key` if it is missing; false if it is there.
///
/// Where the service has no such request, it is looked up first: then one who sets the same key
/// in between is not noticed.
pub(crate) async fn set_new(remote: &Remote, key: &str, path: &Path, value: Bytes) -> Result<bool> {
    let payload = PutPayload::from_bytes(value.clone());
    let options = PutOptions::from(PutMode::Create);
    match remote.client.put_opts(path, payload, options).await {
        Ok(_) => Ok(true),
        Err(Cause::AlreadyExists { .. } | Cause::Precondition { .. }) => Ok(false),
        Err(Cause::NotImplemented { .. } | Cause::NotSupported { .. }) => {
            if crate::read::head(remote, key).await?.is_some() {
                return Ok(false);
            }
            set(remote, key, path, value).await.map(|()| true)
        }
        Err(cause) => Err(remote.failed(cause, "store it", key)),
    }
}

/// Replaces the value of `key` if it is still the one of `old`, or missing still where that is
/// `None`; false if it is not.
///
/// Where the service has no such request, or tells nothing by which one is known from another, it
/// is replaced whatever it is.
pub(crate) async fn replace(
    remote: &Remote,
    key: &str,
    old: Option<ObjectMeta>,
    value: Bytes,
) -> Result<bool> {
    let path = remote.path(key)?;
    let mode = match old {
        None => PutMode::Create,
        Some(old) if old.e_tag.is_none() && old.version.is_none() => PutMode::Overwrite,
        Some(old) => PutMode::Update(UpdateVersion { e_tag: old.e_tag, version: old.version }),
    };
    let payload = PutPayload::from_bytes(value.clone());
    match remote.client.put_opts(&path, payload, PutOptions::from(mode)).await {
        Ok(_) => Ok(true),
        // What is to be replaced was removed, or another is just being put.
        Err(Cause::AlreadyExists { .. } | Cause::Precondition { .. } | Cause::NotFound { .. }) => {
            Ok(false)
        }
        Err(Cause::NotImplemented { .. } | Cause::NotSupported { .. }) => {
            set(remote, key, &path, value).await.map(|()| true)
        }
        Err(cause) => Err(remote.failed(cause, "store it", key)),
    }
}

/// Removes `key`.
pub(crate) async fn erase(remote: &Remote, key: &str, path: Path) -> Result<()> {
    match remote.client.delete(&path).await {
        Ok(()) => Ok(()),
        Err(cause @ Cause::NotFound { .. }) => remote.missing(cause, ()),
        Err(cause) => Err(remote.failed(cause, "remove it", key)),
    }
}

/// Removes all keys below `prefix`, many a request.
pub(crate) async fn erase_prefix(remote: &Remote, prefix: &str) -> Result<()> {
    let folder = list::folder(remote, prefix)?;
    let paths = remote.client.list(folder.as_ref()).map_ok(|object| object.location).boxed();
    let mut erased = remote.client.delete_stream(paths);
    while let Some(path) = erased.next().await {
        match path {
            // Somebody else was faster.
            Ok(_) | Err(Cause::NotFound { .. }) => {}
            Err(cause) => return Err(remote.failed(cause, "remove the keys below", prefix)),
        }
    }
    Ok(())
}

/// Moves all keys below `from` to below `to`: all are copied before the first is removed, so
/// that a failure leaves the old ones whole.
pub(crate) async fn rename_prefix(remote: &Remote, from: &str, to: &str) -> Result<()> {
    let target = list::folder(remote, to)?;
    let taken = remote.client.list(target.as_ref()).try_next().await;
    if taken.map_err(|cause| remote.failed(cause, "list the keys below", to))?.is_some() {
        let what = format!("there are keys below `{to}`");
        return Err(remote.located(Error::already_exists(what)));
    }
    let objects = list::objects(remote, from).await?;
    let mut moves = Vec::with_capacity(objects.len());
    for object in objects {
        let key = remote.key_of(&object.location).and_then(|key| key.strip_prefix(from));
        if let Some(rest) = key {
            let new = remote.path(&format!("{to}{rest}"))?;
            moves.push((object.location, new));
        }
    }
    let copies = futures_util::stream::iter(moves.clone()).map(|(old, new)| {
        let client = remote.client.clone();
        async move { client.copy(&old, &new).await }
    });
    let copied = copies.buffer_unordered(remote.options().in_flight).try_collect::<()>().await;
    copied.map_err(|cause| remote.failed(cause, "copy the keys below", from))?;
    let old = futures_util::stream::iter(moves.into_iter().map(|(old, _)| Ok(old))).boxed();
    let erased = remote.client.delete_stream(old).try_for_each(|_| async { Ok(()) }).await;
    erased.map_err(|cause| remote.failed(cause, "remove the keys below", from))
}
