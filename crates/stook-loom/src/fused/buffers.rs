//! Memory of batches that nobody looks at any more, for those to come: the system clears each page
//! that it gives, which takes as long as half of the decoding.

use std::sync::{Arc, Mutex, PoisonError};

use crate::matrix::{Number, Numbers};

/// Buffers that are kept: those of a batch that was looked at, and of one before it.
const MOST: usize = 2;

/// Buffers of one scan. Cheap to clone; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Buffers(Arc<Mutex<Vec<Numbers<'static>>>>);

impl Buffers {
    /// Gives the numbers of a batch back.
    pub fn give(&self, numbers: Numbers<'static>) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= MOST {
            // The oldest may be too short for what is read by now.
            held.remove(0);
        }
        held.push(numbers);
    }

    /// `n` numbers, whatever they are, if there is a buffer with so much room.
    pub(super) fn take<T: Number>(&self, n: usize) -> Option<Vec<T>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room =
            |numbers: &Numbers<'static>| T::of(numbers).is_some_and(|all| all.len() >= n);
        let at = held.iter().position(has_room)?;
        let mut numbers = T::into_vec(held.remove(at))?;
        numbers.truncate(n);
        Some(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_taken_again() {
        let buffers = Buffers::default();
        assert_eq!(buffers.take::<i32>(1), None);
        buffers.give(Numbers::from(vec![1, 2, 3_i32]));
        assert_eq!((buffers.take::<i32>(4), buffers.take::<f32>(2)), (None, None));
        let taken = buffers.take::<i32>(2).unwrap();
        let at = taken.as_ptr();
        assert_eq!((taken.as_slice(), taken.capacity()), (&[1, 2][..], 3));
        buffers.give(Numbers::from(taken));
        let again = buffers.take::<i32>(2).unwrap();
        assert_eq!(again.as_ptr(), at);
        (0..5).for_each(|n| buffers.give(Numbers::from(vec![n])));
        assert_eq!((buffers.take(1), buffers.take(1)), (Some(vec![3]), Some(vec![4])));
        assert_eq!(buffers.take::<i32>(1), None);
    }
}
