//! Work on many pieces at once whose results are taken in the order of the pieces.
//!
//! Threads end with the call, as those of the engine do. No piece is begun that is more than a
//! few ahead of the one whose result is awaited, so that results never pile up.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use stook_core::Result;

/// Pieces that a thread may be ahead of the first one that is not taken.
const AHEAD: usize = 4;

struct State<I, T> {
    pieces: I,
    /// Pieces handed out, and results taken.
    n_begun: usize,
    n_taken: usize,
    done: BTreeMap<usize, Result<T>>,
    is_exhausted: bool,
    is_stopped: bool,
}

struct Shared<I, T> {
    state: Mutex<State<I, T>>,
    changed: Condvar,
}

impl<I, T> Shared<I, T> {
    fn lock(&self) -> MutexGuard<'_, State<I, T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, guard: MutexGuard<'g, State<I, T>>) -> MutexGuard<'g, State<I, T>> {
        self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        self.lock().is_stopped = true;
        self.changed.notify_all();
    }
}

/// Stops the others when a thread unwinds, so that none waits for what never comes.
struct StopOnPanic<'s, I, T>(&'s Shared<I, T>);

impl<I, T> Drop for StopOnPanic<'_, I, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

/// Calls `work` for every piece, on up to `threads` threads that each keep a state of their own,
/// and `take` for each result, in the order of the pieces, on the caller's thread.
///
/// # Errors
/// The first error, in the order of the pieces, of `work`, or one of `take`.
pub(crate) fn in_order<S, P, T>(
    pieces: impl Iterator<Item = P> + Send,
    threads: usize,
    start: &(dyn Fn() -> S + Sync),
    work: &(dyn Fn(&mut S, P) -> Result<T> + Sync),
    take: &mut dyn FnMut(T) -> Result<()>,
) -> Result<()>
where
    T: Send,
{
    let mut pieces = pieces;
    if threads <= 1 {
        let mut state = start();
        return pieces.try_for_each(|piece| take(work(&mut state, piece)?));
    }
    let state = State {
        pieces,
        n_begun: 0,
        n_taken: 0,
        done: BTreeMap::new(),
        is_exhausted: false,
        is_stopped: false,
    };
    let shared = Shared { state: Mutex::new(state), changed: Condvar::new() };
    std::thread::scope(|scope| {
        let run = || {
            let _guard = StopOnPanic(&shared);
            let mut state = start();
            while let Some((at, piece)) = next(&shared, threads) {
                let result = work(&mut state, piece);
                shared.lock().done.insert(at, result);
                shared.changed.notify_all();
            }
        };
        let mut n_threads = 0;
        for _ in 0..threads {
            let thread = std::thread::Builder::new().name("stook".to_owned());
            n_threads += usize::from(thread.spawn_scoped(scope, run).is_ok());
        }
        if n_threads == 0 {
            // The system grants no thread at all.
            let mut state = start();
            let left = || shared.lock().pieces.next();
            while let Some(piece) = left() {
                take(work(&mut state, piece)?)?;
            }
            return Ok(());
        }
        let taken = take_all(&shared, take);
        shared.stop();
        taken
    })
}

/// The next piece and its number, once it is not too far ahead.
fn next<I: Iterator, T>(shared: &Shared<I, T>, threads: usize) -> Option<(usize, I::Item)> {
    let mut state = shared.lock();
    loop {
        if state.is_stopped || state.is_exhausted {
            return None;
        }
        if state.n_begun < state.n_taken + threads * AHEAD {
            break;
        }
        state = shared.wait(state);
    }
    let Some(piece) = state.pieces.next() else {
        state.is_exhausted = true;
        shared.changed.notify_all();
        return None;
    };
    let at = state.n_begun;
    state.n_begun += 1;
    Some((at, piece))
}

fn take_all<I, T>(shared: &Shared<I, T>, take: &mut dyn FnMut(T) -> Result<()>) -> Result<()> {
    loop {
        let mut state = shared.lock();
        let result = loop {
            let at = state.n_taken;
            if let Some(result) = state.done.remove(&at) {
                state.n_taken += 1;
                break result;
            }
            if state.is_stopped || (state.is_exhausted && at == state.n_begun) {
                return Ok(());
            }
            state = shared.wait(state);
        };
        drop(state);
        shared.changed.notify_all();
        take(result?)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stook_core::Error;

    #[test]
    fn results_come_in_the_order_of_the_pieces() {
        for threads in [1, 2, 5] {
            let mut taken = Vec::new();
            in_order(
                0..500_u64,
                threads,
                &|| 0,
                &|n_done, piece| {
                    *n_done += 1;
                    if piece % 7 == 0 {
                        std::thread::yield_now();
                    }
                    Ok(piece * 2)
                },
                &mut |result| {
                    taken.push(result);
                    Ok(())
                },
            )
            .unwrap();
            assert!(taken.into_iter().eq((0..500).map(|piece| piece * 2)), "{threads}");
        }
    }

    #[test]
    fn the_first_error_in_order_ends_it() {
        for threads in [1, 3] {
            let mut n_taken = 0;
            let result = in_order(
                0..1000,
                threads,
                &|| (),
                &|(), piece| {
                    if piece >= 20 { Err(Error::corrupt(piece.to_string())) } else { Ok(()) }
                },
                &mut |()| {
                    n_taken += 1;
                    Ok(())
                },
            );
            assert_eq!((result.unwrap_err().message(), n_taken), ("20", 20));
            let refused = in_order(0..1000, threads, &|| (), &|(), _| Ok(()), &mut |()| {
                Err(Error::invalid("enough"))
            });
            assert_eq!(refused.unwrap_err().message(), "enough");
        }
    }
}
