//! The runtime of this process: where requests are made, whoever waits for them.
//!
//! Callers never enter it: they wait for a message from it. So they may be threads of another
//! runtime, they are stopped by Ctrl-C and held for a fork as other threads at work are (see
//! [`gate`]), and nothing of theirs is borrowed by a task.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use stook_core::engine::gate;
use stook_core::{Error, ErrorKind, Result};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

/// Threads that make requests: they wait, copy and decrypt.
const MAX_THREADS: usize = 4;

/// How often one who waits looks whether it is to end.
const PERIOD: Duration = Duration::from_millis(50);

/// The runtime, and the process that made it.
static RUNTIME: Mutex<Option<(u32, Runtime)>> = Mutex::new(None);

/// The runtime of this process.
fn handle() -> Result<Handle> {
    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if let Some((owner, runtime)) = &*runtime
        && *owner == process
    {
        return Ok(runtime.handle().clone());
    }
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let new = Builder::new_multi_thread()
        .worker_threads(threads.clamp(1, MAX_THREADS))
        .thread_name("stook-remote")
        .enable_all()
        .build()
        .map_err(|error| Error::io("cannot start the threads that make requests", error))?;
    let handle = new.handle().clone();
    // The threads of one that was inherited are not there to be ended.
    std::mem::forget(runtime.replace((process, new)));
    Ok(handle)
}

/// A task that ends with its owner.
#[derive(Debug)]
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits for `future`, which is given up where this thread is to end.
///
/// # Errors
/// Those of `future`, and that of a checkpoint.
pub fn run<T: Send + 'static>(
    future: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    wait(future, true)
}

/// Waits for `future` to its end: for changes of many keys.
///
/// # Errors
/// Those of `future`.
pub fn finish<T: Send + 'static>(
    future: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    wait(future, false)
}

fn wait<T: Send + 'static>(
    future: impl Future<Output = Result<T>> + Send + 'static,
    may_end: bool,
) -> Result<T> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let _task = Task(handle()?.spawn(async move {
        // Who waited may be gone.
        let _ = sender.send(future.await);
    }));
    loop {
        match gate::aside(|| receiver.recv_timeout(PERIOD)) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Timeout) if may_end => gate::checkpoint()?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(broken()),
        }
    }
}

fn broken() -> Error {
    Error::new(ErrorKind::Io, "a request ended without an answer")
}

/// Runs `stream` and gives `work` a queue of what it yields, up to `capacity` items ahead. What
/// is left of it ends with `work`.
///
/// # Errors
/// Those of `work`.
pub(crate) fn with_queue<T: Send + 'static, R>(
    stream: impl Stream<Item = T> + Send + 'static,
    capacity: usize,
    work: impl FnOnce(&Queue<T>) -> Result<R>,
) -> Result<R> {
    let queue = Queue(Arc::new(Shared::default()));
    let sender = Sender(Arc::clone(&queue.0));
    let slots = Arc::new(Semaphore::new(capacity.max(1)));
    let _task = Task(handle()?.spawn(async move {
        let mut stream = std::pin::pin!(stream);
        while let Some(item) = stream.next().await {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            sender.0.push(Slot { item, _slot: slot });
        }
        sender.0.end(End::Complete);
    }));
    work(&queue)
}

/// Items that arrive, for any number of threads.
#[derive(Debug)]
pub(crate) struct Queue<T>(Arc<Shared<T>>);

/// Ends the queue, also where its task is given up.
struct Sender<T>(Arc<Shared<T>>);

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.end(End::Broken);
    }
}

/// An item, which leaves its place in the queue free when it is dropped.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    pub(crate) item: T,
    _slot: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    has_news: Condvar,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<Slot<T>>,
    end: Option<End>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// All items came.
    Complete,
    /// The task did not get to its end.
    Broken,
    /// Nobody wants more.
    Closed,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        let state = State { items: VecDeque::new(), end: None };
        Self { state: Mutex::new(state), has_news: Condvar::new() }
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, item: Slot<T>) {
        self.lock().items.push_back(item);
        self.has_news.notify_one();
    }

    fn end(&self, end: End) {
        self.lock().end.get_or_insert(end);
        self.has_news.notify_all();
    }
}

impl<T> Queue<T> {
    /// The next item; `None` after the last.
    ///
    /// # Errors
    /// That of a checkpoint; `Io` if the stream broke.
    pub(crate) fn next(&self) -> Result<Option<Slot<T>>> {
        loop {
            gate::checkpoint()?;
            let mut state = self.0.lock();
            if state.end == Some(End::Closed) {
                return Ok(None);
            }
            if let Some(item) = state.items.pop_front() {
                return Ok(Some(item));
            }
            match state.end {
                Some(End::Complete | End::Closed) => return Ok(None),
                Some(End::Broken) => return Err(broken()),
                None => drop(state),
            }
            gate::aside(|| {
                let state = self.0.lock();
                if state.items.is_empty() && state.end.is_none() {
                    drop(self.0.has_news.wait_timeout(state, PERIOD));
                }
            });
        }
    }

    /// Ends all who wait: one of them failed.
    pub(crate) fn close(&self) {
        self.0.lock().end = Some(End::Closed);
        self.0.has_news.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_in_order_and_end() {
        let stream = futures_util::stream::iter(0..100);
        let found = with_queue(stream, 3, |queue| {
            let mut found = Vec::new();
            while let Some(slot) = queue.next()? {
                found.push(slot.item);
            }
            Ok(found)
        });
        assert_eq!(found.unwrap(), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_panic_in_a_task_is_an_error_and_the_next_request_works() {
        let error = run::<()>(async { panic!("in a task") }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        let stream = futures_util::stream::once(async { panic!("in a stream") });
        let error = with_queue(stream, 1, |queue: &Queue<()>| queue.next().map(|_| ()));
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(run(async { Ok(7) }).unwrap(), 7);
    }

    #[test]
    fn it_may_be_used_within_another_runtime() {
        let runtime = Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(async { run(async { Ok(1) }) }).unwrap(), 1);
    }
}
