//! Objects of a session, worked on side by side.

use std::sync::{Mutex, PoisonError};

use stook_core::engine::for_each;
use stook_core::{Error, Result};

use crate::kernels::n_threads;

/// What `work` gives for each of `items`, in their order, on as many threads as a call may use.
pub(crate) fn map<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Vec<Result<R>> {
    let places: Vec<Mutex<Option<Result<R>>>> = items.iter().map(|_| Mutex::new(None)).collect();
    let stopped = for_each(items.len(), n_threads(), &|at| {
        if let (Some(item), Some(place)) = (items.get(at), places.get(at)) {
            let done = work(item);
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        }
        Ok(())
    });
    // What was not done was stopped, and so says the first of it.
    let mut why = stopped.err();
    let given_up = || Error::new(stook_core::ErrorKind::Io, "given up");
    let done = places.into_iter().map(|place| {
        let done = place.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.unwrap_or_else(|| Err(why.take().unwrap_or_else(given_up)))
    });
    done.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_items() {
        let items: Vec<u32> = (0..100).collect();
        let double = |item: &u32| if *item == 7 { Err(Error::corrupt("7")) } else { Ok(item * 2) };
        let found = map(&items, double);
        assert!(found[7].is_err());
        assert_eq!(found[99].as_ref().ok(), Some(&198));
        assert_eq!(found.iter().filter(|result| result.is_ok()).count(), 99);
    }
}
