//! Runs independent pieces of work on a few threads that end with the call.
//!
//! Threads are made per call and joined before it returns: a forked child never waits for
//! threads that it does not have, nothing runs when nothing is asked for, and work done while a
//! lock is held can never be made to wait for that lock by stealing other work. Making a thread
//! costs some 20 µs, which is why small work runs on the caller's thread.
//!
//! Before each piece of work lies a checkpoint of the [`gate`], where a call is ended, or its
//! threads are held.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::gate;
use crate::error::{Error, Result};

/// Calls `work` for every number below `n`, on up to `threads` threads, the caller's among them.
///
/// # Errors
/// The first error of `work`; pieces that had not begun by then are left undone.
pub fn for_each(
    n: usize,
    threads: usize,
    work: &(dyn Fn(usize) -> Result<()> + Sync),
) -> Result<()> {
    let threads = threads.min(n);
    if threads <= 1 {
        return (0..n).try_for_each(|i| {
            gate::checkpoint()?;
            work(i)
        });
    }
    let next = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    let failure: Mutex<Option<Error>> = Mutex::new(None);
    let run = || {
        while !stopped.load(Ordering::Relaxed) {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= n {
                return;
            }
            if let Err(error) = gate::checkpoint().and_then(|()| work(i)) {
                stopped.store(true, Ordering::Relaxed);
                failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        }
    };
    // Of a caller that cannot be held, neither can be those that work for it: it would wait for
    // them, and whoever forks for it.
    let may_be_held = gate::may_be_held();
    let run_at_work = || {
        let _working = may_be_held.then(gate::enter);
        run();
    };
    std::thread::scope(|scope| {
        let spawn = |_| {
            let thread = std::thread::Builder::new().name("stook".to_owned());
            // Where the system grants no further thread, the others do its share.
            thread.spawn_scoped(scope, run_at_work).ok()
        };
        let others: Vec<_> = (1..threads).filter_map(spawn).collect();
        run();
        let panicked =
            gate::aside(|| others.into_iter().filter_map(|other| other.join().err()).last());
        if let Some(panic) = panicked {
            std::panic::resume_unwind(panic);
        }
    });
    failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_visited_once() {
        let seen: Vec<AtomicUsize> = (0..1000).map(|_| AtomicUsize::new(0)).collect();
        for_each(seen.len(), 4, &|i| {
            seen[i].fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
        .unwrap();
        assert!(seen.iter().all(|count| count.load(Ordering::Relaxed) == 1));
    }

    #[test]
    fn the_first_error_stops_the_rest() {
        let visited = AtomicUsize::new(0);
        let error = for_each(100_000, 2, &|i| {
            visited.fetch_add(1, Ordering::Relaxed);
            if i == 10 { Err(Error::corrupt("ten")) } else { Ok(()) }
        });
        assert_eq!(error.unwrap_err().message(), "ten");
        assert!(visited.load(Ordering::Relaxed) < 100_000);
    }
}
