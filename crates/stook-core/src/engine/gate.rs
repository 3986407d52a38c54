//! Where threads at work can be stopped, or held for a while: between chunks.
//!
//! *Stopped*, when somebody pressed Ctrl-C: a face installs a hook that is asked at every
//! checkpoint, and whose error ends the call.
//!
//! *Held*, while the process forks: the child has a copy of the memory and one thread only; what
//! another thread had locked stays locked there for ever, and what it had half done stays half
//! done. A face that lets its process fork calls [`enter`] around all that it does here,
//! [`hold`] before a fork and [`release`] after it. Threads that work for a call are counted
//! like those that made it.
//!
//! Invariants: a thread is held at a checkpoint only, and with no lock of the engine; waiting
//! uses no lock, because the one that forks copies this module's state too.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::error::Result;

/// What a face does at checkpoints: an error ends the call.
pub type Hook = fn() -> Result<()>;

static HOOK: OnceLock<Hook> = OnceLock::new();
/// Threads at work.
static WORKING: AtomicUsize = AtomicUsize::new(0);
/// Calls of [`hold`] that were not released.
static HOLDS: AtomicUsize = AtomicUsize::new(0);

const PAUSE: Duration = Duration::from_micros(200);

thread_local! {
    /// How many [`Working`] this thread has.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// How many locks of the engine this thread has.
    static LOCKS: Cell<usize> = const { Cell::new(0) };
    /// Whether this thread holds the others.
    static IS_HOLDER: Cell<bool> = const { Cell::new(false) };
}

/// Installs the hook of this process; a second one is not.
pub fn install_hook(hook: Hook) {
    let _ = HOOK.set(hook);
}

/// Says that this thread is at work, until it is dropped. Waits while threads are held.
#[must_use]
pub fn enter() -> Working {
    if DEPTH.get() == 0 {
        begin();
    }
    DEPTH.set(DEPTH.get() + 1);
    Working(std::marker::PhantomData)
}

/// A thread at work.
#[derive(Debug)]
pub struct Working(std::marker::PhantomData<*const ()>);

impl Drop for Working {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get().saturating_sub(1));
        if DEPTH.get() == 0 {
            end();
        }
    }
}

fn begin() {
    loop {
        WORKING.fetch_add(1, Ordering::SeqCst);
        if HOLDS.load(Ordering::SeqCst) == 0 || IS_HOLDER.get() {
            return;
        }
        end();
        while HOLDS.load(Ordering::SeqCst) > 0 {
            std::thread::sleep(PAUSE);
        }
    }
}

fn end() {
    WORKING.fetch_sub(1, Ordering::SeqCst);
}

/// Whether this thread may be held: it is at work, and holds no lock of the engine.
pub(crate) fn may_be_held() -> bool {
    DEPTH.get() > 0 && !has_lock()
}

/// Whether this thread holds a lock of the engine.
pub(super) fn has_lock() -> bool {
    LOCKS.get() > 0
}

/// Does something that is no work here (waiting for other threads, calling back into a face),
/// during which a fork is welcome.
pub fn aside<T>(work: impl FnOnce() -> T) -> T {
    struct Back(usize);
    impl Drop for Back {
        fn drop(&mut self) {
            begin();
            DEPTH.set(self.0);
        }
    }
    let _back = may_be_held().then(|| {
        let back = Back(DEPTH.replace(0));
        end();
        back
    });
    work()
}

/// A place between chunks: waits while threads are held, and asks the hook.
///
/// # Errors
/// That of the hook: the call is to end.
pub fn checkpoint() -> Result<()> {
    if HOLDS.load(Ordering::Relaxed) > 0 && may_be_held() {
        end();
        begin();
    }
    HOOK.get().map_or(Ok(()), |hook| hook())
}

/// Holds all threads at work but this one: returns once each is at a checkpoint or done. The
/// thread that holds them may go on to work.
pub fn hold() {
    HOLDS.fetch_add(1, Ordering::SeqCst);
    IS_HOLDER.set(true);
    let own = usize::from(DEPTH.get() > 0);
    while WORKING.load(Ordering::SeqCst) > own {
        std::thread::sleep(PAUSE);
    }
}

/// Lets threads go on that [`hold`] held.
pub fn release() {
    IS_HOLDER.set(false);
    // A release too many must not hold everybody for ever.
    let _ = HOLDS.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |holds| holds.checked_sub(1));
}

/// Begins anew in a child process, which has this thread only.
pub fn release_in_child() {
    IS_HOLDER.set(false);
    WORKING.store(usize::from(DEPTH.get() > 0), Ordering::SeqCst);
    HOLDS.store(0, Ordering::SeqCst);
}

/// A lock of the engine that a thread has: it is not held meanwhile.
#[derive(Debug)]
pub(crate) struct Locked(std::marker::PhantomData<*const ()>);

impl Locked {
    pub(crate) fn new() -> Self {
        LOCKS.set(LOCKS.get() + 1);
        Self(std::marker::PhantomData)
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        LOCKS.set(LOCKS.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::time::Instant;

    use super::*;

    /// One test, because what it holds is the whole process.
    #[test]
    fn threads_at_work_are_held_between_pieces() {
        let (steps, stops) = (AtomicUsize::new(0), AtomicBool::new(false));
        let is_locked = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let run = || {
                let _working = enter();
                while !stops.load(Ordering::SeqCst) {
                    checkpoint().unwrap();
                    is_locked.store(true, Ordering::SeqCst);
                    {
                        let _lock = Locked::new();
                        checkpoint().unwrap();
                        steps.fetch_add(1, Ordering::SeqCst);
                    }
                    is_locked.store(false, Ordering::SeqCst);
                    aside(|| std::thread::sleep(PAUSE));
                }
            };
            scope.spawn(run);
            while steps.load(Ordering::SeqCst) < 10 {
                std::thread::yield_now();
            }
            for _ in 0..50 {
                hold();
                assert!(!is_locked.load(Ordering::SeqCst), "held while it had a lock");
                let before = steps.load(Ordering::SeqCst);
                std::thread::sleep(PAUSE * 3);
                assert_eq!(steps.load(Ordering::SeqCst), before);
                release();
                let since = Instant::now();
                while steps.load(Ordering::SeqCst) == before {
                    assert!(since.elapsed() < Duration::from_secs(60), "never let go");
                    std::thread::yield_now();
                }
            }
            // The one that holds may be at work itself, and nothing waits for nobody.
            let working = enter();
            hold();
            checkpoint().unwrap();
            aside(|| ());
            drop(working);
            drop(enter());
            release();
            release();
            stops.store(true, Ordering::SeqCst);
        });
    }
}
