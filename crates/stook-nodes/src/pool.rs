//! Threads that compress and store chunks while the acquisition goes on, with a bounded queue.
//!
//! Threads begin with the first task, at most as many as are worth it, and end with the pool. A
//! thread is at work, in the sense of the engine's gate, only while it has a task. Who waits for
//! them does so aside, so that a fork is not kept waiting.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use stook::gate;
use stook_core::{Error, Result};

/// Bytes that may wait at once.
const QUEUE_LEN_BYTES: usize = 64 << 20;

/// How many threads the machine runs at once. To find that out takes files of the system: who follows a
/// writer opens its file again and again.
pub(crate) fn available() -> usize {
    static AVAILABLE: LazyLock<usize> =
        LazyLock::new(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    *AVAILABLE
}

/// Something to be done, and the bytes that it holds until then.
pub(crate) struct Task {
    pub(crate) len_bytes: usize,
    pub(crate) work: Box<dyn FnOnce() + Send>,
}

#[derive(Default)]
struct Queue {
    tasks: VecDeque<Task>,
    /// Bytes of tasks that wait or are under way.
    len_bytes: usize,
    n_idle: usize,
    is_closed: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// There is a task, or the end.
    filled: Condvar,
    /// A task is done.
    drained: Condvar,
}

/// A pool of threads.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    max_threads: usize,
    process: u32,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("max_threads", &self.max_threads).finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits on `condition`, aside.
pub(crate) fn wait<'m, T>(condition: &Condvar, guard: MutexGuard<'m, T>) -> MutexGuard<'m, T> {
    gate::aside(|| condition.wait(guard).unwrap_or_else(PoisonError::into_inner))
}

impl Pool {
    /// A pool of at most `max_threads`.
    pub(crate) fn new(max_threads: usize) -> Self {
        let (shared, threads) = (Arc::default(), Mutex::default());
        Self { shared, threads, max_threads: max_threads.max(1), process: std::process::id() }
    }

    /// Whether its threads are those of a parent process.
    pub(crate) fn is_copy(&self) -> bool {
        self.process != std::process::id()
    }

    /// Hands over a task; waits while too much waits already.
    ///
    /// # Errors
    /// `Io` if no thread can be started; `ReadOnly` in a copy of the process.
    pub(crate) fn submit(&self, task: Task) -> Result<()> {
        if self.is_copy() {
            return Err(Error::read_only("the file was opened before this process forked"));
        }
        let mut queue = self.shared.lock();
        while queue.len_bytes > 0 && queue.len_bytes + task.len_bytes > QUEUE_LEN_BYTES {
            queue = wait(&self.shared.drained, queue);
        }
        if queue.n_idle <= queue.tasks.len() {
            self.start_one()?;
        }
        queue.len_bytes += task.len_bytes;
        queue.tasks.push_back(task);
        drop(queue);
        self.shared.filled.notify_one();
        Ok(())
    }

    /// Starts another thread if there may be one.
    fn start_one(&self) -> Result<()> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        if threads.len() >= self.max_threads {
            return Ok(());
        }
        let shared = Arc::clone(&self.shared);
        let started = std::thread::Builder::new()
            .name("stook-append".to_owned())
            .spawn(move || serve(&shared));
        match started {
            Ok(thread) => threads.push(thread),
            Err(error) if threads.is_empty() => {
                return Err(Error::io("a thread cannot be started", error));
            }
            Err(_) => {}
        }
        Ok(())
    }
}

/// Does tasks until the end.
fn serve(shared: &Shared) {
    loop {
        let mut queue = shared.lock();
        let task = loop {
            match queue.tasks.pop_front() {
                Some(task) => break task,
                None if queue.is_closed => return,
                None => {
                    queue.n_idle += 1;
                    queue = shared.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
                    queue.n_idle -= 1;
                }
            }
        };
        drop(queue);
        let len_bytes = task.len_bytes;
        {
            let _working = gate::enter();
            (task.work)();
        }
        shared.lock().len_bytes -= len_bytes;
        shared.drained.notify_all();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if self.is_copy() {
            return;
        }
        self.shared.lock().is_closed = true;
        self.shared.filled.notify_all();
        let threads = self.threads.get_mut().unwrap_or_else(PoisonError::into_inner);
        let own = std::thread::current().id();
        for thread in threads.drain(..).filter(|thread| thread.thread().id() != own) {
            // A task reports its own failure; a panic in one has been printed.
            let _ = gate::aside(|| thread.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn every_task_is_done_before_the_pool_ends() {
        let done = Arc::new(AtomicUsize::new(0));
        let pool = Pool::new(3);
        for _ in 0..100 {
            let done = Arc::clone(&done);
            let work = Box::new(move || {
                done.fetch_add(1, Ordering::SeqCst);
            });
            pool.submit(Task { len_bytes: QUEUE_LEN_BYTES / 3, work }).unwrap();
        }
        drop(pool);
        assert_eq!(done.load(Ordering::SeqCst), 100);
    }
}
