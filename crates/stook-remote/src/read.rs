//! Values as wholes: one, or many at once.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use object_store::{
    Error as Cause, GetOptions, GetRange, GetResult, ObjectMeta, ObjectStoreExt as _,
};
use stook_core::store::DeliverValues;
use stook_core::{Error, ErrorKind, Result, engine};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::runtime;
use crate::store::Remote;

/// So many values are worth a further thread that takes them.
const VALUES_A_THREAD: usize = 32;

/// So many values at most are handed to one thread at once.
const TAKEN_TOGETHER: usize = 16;

/// Bytes that arrived.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) meta: ObjectMeta,
    /// As they came, to be joined by who needs them in one piece.
    pieces: Vec<Bytes>,
    /// Memory that they were granted.
    _grant: Option<OwnedSemaphorePermit>,
}

impl Body {
    /// Appends the bytes to `out`.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        out.reserve(self.pieces.iter().map(Bytes::len).sum());
        self.pieces.iter().for_each(|piece| out.extend_from_slice(piece));
    }

    /// The bytes in one piece, joined in `buffer` where they came in several.
    pub(crate) fn bytes<'b>(&'b self, buffer: &'b mut Vec<u8>) -> &'b [u8] {
        match self.pieces.as_slice() {
            [] => &[],
            [piece] => piece,
            _ => {
                buffer.clear();
                self.append_to(buffer);
                buffer
            }
        }
    }
}

/// Memory for values that arrived and were not yet taken, in units of 1 KiB.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    units: Arc<Semaphore>,
    total: u32,
}

const UNIT_LEN: u64 = 1 << 10;

impl Memory {
    pub(crate) fn new(len_bytes: usize) -> Self {
        let total = (len_bytes as u64 / UNIT_LEN).clamp(1, 1 << 28);
        let total = u32::try_from(total).unwrap_or(1 << 28);
        Self { units: Arc::new(Semaphore::new(total as usize)), total }
    }

    /// Waits until there is memory for `len_bytes`; a value larger than all of it gets all.
    async fn grant(&self, len_bytes: u64) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(len_bytes.div_ceil(UNIT_LEN)).unwrap_or(u32::MAX);
        Arc::clone(&self.units).acquire_many_owned(units.min(self.total)).await.ok()
    }
}

/// Length and version of the value of `key`.
pub(crate) async fn head(remote: &Remote, key: &str) -> Result<Option<ObjectMeta>> {
    match remote.client.head(&remote.path(key)?).await {
        Ok(meta) => Ok(Some(meta)),
        Err(cause @ Cause::NotFound { .. }) => remote.missing(cause, None),
        Err(cause) => Err(remote.failed(cause, "ask for its length", key)),
    }
}

/// The value of `key`.
pub(crate) async fn whole(
    remote: &Remote,
    key: &str,
    limit: u64,
    memory: Option<&Memory>,
) -> Result<Option<Body>> {
    let check = |meta: &ObjectMeta| check_limit(key, meta.size, limit);
    match fetch(remote, key, None, memory, &check).await {
        Ok(body) => Ok(Some(body)),
        Err(Failure::Service(cause @ Cause::NotFound { .. })) => remote.missing(cause, None),
        Err(failure) => Err(failure.into_error(remote, key)),
    }
}

/// Why bytes did not arrive.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The service or the way to it.
    Service(Cause),
    /// We.
    Ours(Error),
}

impl Failure {
    pub(crate) fn into_error(self, remote: &Remote, key: &str) -> Error {
        match self {
            Self::Service(cause) => remote.failed(cause, "read it", key),
            Self::Ours(error) => remote.located(error),
        }
    }
}

fn check_limit(key: &str, len_bytes: u64, limit: u64) -> Result<()> {
    if len_bytes <= limit && usize::try_from(len_bytes).is_ok() {
        return Ok(());
    }
    Err(Error::limit(format!(
        "key `{key}`: value of {len_bytes} bytes exceeds the limit of {limit} bytes"
    )))
}

/// Gets `range` of the value of `key`, or all of it; `check` sees length and version before the
/// bytes are taken. Begins again where they break off.
pub(crate) async fn fetch(
    remote: &Remote,
    key: &str,
    range: Option<GetRange>,
    memory: Option<&Memory>,
    check: &(dyn Fn(&ObjectMeta) -> Result<()> + Sync),
) -> Result<Body, Failure> {
    let path = remote.path(key).map_err(Failure::Ours)?;
    let begun = tokio::time::Instant::now();
    let mut n_tries = 0;
    loop {
        let options = GetOptions { range: range.clone(), ..GetOptions::default() };
        let result = remote.client.get_opts(&path, options).await.map_err(Failure::Service)?;
        check(&result.meta).map_err(Failure::Ours)?;
        let len = result.range.end.saturating_sub(result.range.start);
        let grant = match memory {
            Some(memory) => memory.grant(len).await,
            None => None,
        };
        let meta = result.meta.clone();
        match collect(result, len, key).await {
            Ok(pieces) => return Ok(Body { meta, pieces, _grant: grant }),
            Err(failure) => {
                n_tries += 1;
                let options = remote.options();
                // By its tag, the client has gone on with the same value, as often as it may;
                // only a value that was replaced meanwhile is to begin anew.
                let max_tries = if meta.e_tag.is_some() { 1 } else { options.max_retries };
                if n_tries > max_tries || begun.elapsed() > options.retry_timeout {
                    return Err(failure);
                }
                drop(grant);
                tokio::time::sleep(options.pause(n_tries)).await;
            }
        }
    }
}

/// The `len` bytes of `result`.
async fn collect(result: GetResult, len: u64, key: &str) -> Result<Vec<Bytes>, Failure> {
    let (mut pieces, mut found) = (Vec::new(), 0_u64);
    let mut stream = result.into_stream();
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(Failure::Service)?;
        found += piece.len() as u64;
        if found > len {
            break;
        }
        pieces.push(piece);
    }
    if found == len {
        return Ok(pieces);
    }
    let found = if found > len { format!("more than {len}") } else { found.to_string() };
    Err(Failure::Ours(Error::new(
        ErrorKind::Io,
        format!("key `{key}`: expected {len} bytes, as the service announced, found {found}"),
    )))
}

/// Gets the values of `keys`, many at once, and delivers them on as many threads as it takes.
pub(crate) fn many(
    remote: &Remote,
    keys: &[String],
    limit: u64,
    deliver: &DeliverValues<'_>,
) -> Result<()> {
    let in_flight = remote.options().in_flight.min(keys.len());
    let memory = Memory::new(remote.options().held_len_bytes);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = threads.min(keys.len().div_ceil(VALUES_A_THREAD));
    // Tasks own what they use.
    let (owned, keys) = (remote.clone(), keys.to_vec());
    let gets = futures_util::stream::iter(keys.into_iter().enumerate());
    let gets = gets.map(move |(i, key)| {
        let (remote, memory) = (owned.clone(), memory.clone());
        async move { (i, whole(&remote, &key, limit, Some(&memory)).await) }
    });
    // What arrived together is taken together: a thread that is woken for each costs more than
    // small values do.
    let gets = gets.buffer_unordered(in_flight.max(1)).ready_chunks(TAKEN_TOGETHER);
    runtime::with_queue(gets, threads + 1, |queue| {
        engine::for_each(threads, threads, &|_| {
            let mut buffer = Vec::new();
            let mut take = || -> Result<()> {
                while let Some(slot) = queue.next()? {
                    for (i, body) in slot.item {
                        match body {
                            Ok(None) => deliver(i, Ok(None))?,
                            Ok(Some(body)) => deliver(i, Ok(Some(body.bytes(&mut buffer))))?,
                            Err(error) => deliver(i, Err(error))?,
                        }
                    }
                }
                Ok(())
            };
            let taken = take();
            if taken.is_err() {
                queue.close();
            }
            taken
        })
    })
}
