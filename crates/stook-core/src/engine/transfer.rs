//! The part of a selection that lies in one chunk, moved between the chunk and the caller's array.

use super::copy::{Direction, Nest};
use crate::selection::plan::Plan;

/// The caller's array: where its items lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout<'a> {
    pub(super) shape: &'a [u64],
    pub(super) strides: &'a [isize],
    pub(super) is_contiguous: bool,
    /// Bytes of an item.
    pub(super) item: usize,
}

impl Layout<'_> {
    /// Where item `linear` (in C order) lies, in bytes.
    pub(super) fn offset_of(&self, linear: u64) -> isize {
        if self.is_contiguous {
            return linear as isize * self.item as isize;
        }
        let mut rest = linear;
        let mut offset = 0;
        for (&len, &stride) in self.shape.iter().zip(self.strides).rev() {
            offset += (rest % len.max(1)) as isize * stride;
            rest /= len.max(1);
        }
        offset
    }
}

/// A chunk, or the box of one that bounds what is selected: where its items lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk<'a> {
    /// Bytes between neighbours along each axis.
    pub(super) strides: &'a [isize],
    /// Where the chunk's first item lies from the pointer, in bytes: not before it where the
    /// pointer is that of a box within the chunk.
    pub(super) shift: isize,
}

impl Chunk<'_> {
    /// Where the item at `within` the chunk lies from the pointer, in bytes.
    fn offset_of(&self, within: &[u64]) -> isize {
        let steps = within.iter().zip(self.strides);
        steps.map(|(&at, &stride)| at as isize * stride).sum::<isize>() + self.shift
    }
}

/// Copies what is selected of touched chunk `i` from the chunk at `from` to the array at `to`.
///
/// # Safety
/// `chunk` and `array` describe memory at `from`, readable, and at `to`, writable by this thread
/// alone, in which everything lies that `plan` takes of the chunk.
#[expect(unsafe_code, reason = "the caller's array is a pointer with strides")]
pub(super) unsafe fn read(
    plan: &Plan,
    i: usize,
    (from, chunk): (*const u8, Chunk<'_>),
    (to, array): (*mut u8, Layout<'_>),
) {
    match plan {
        Plan::Box(plan) => {
            let nest = Nest::new(
                &plan.parts(i),
                chunk.strides,
                array.strides,
                array.item,
                Direction::Read,
            );
            // SAFETY: the caller's promise.
            unsafe { nest.with_chunk_shifted(chunk.shift).run(from, to) };
        }
        Plan::Points(plan) => {
            for point in plan.points(i) {
                let (from_at, to_at) =
                    (chunk.offset_of(plan.within(point)), array.offset_of(plan.outs[point]));
                // SAFETY: the caller's promise, for one item.
                unsafe {
                    std::ptr::copy_nonoverlapping(
                        from.offset(from_at),
                        to.offset(to_at),
                        array.item,
                    )
                };
            }
        }
    }
}

/// Copies what is selected of touched chunk `i` from the array at `from` to the chunk at `to`.
///
/// # Safety
/// As for [`read`], the other way.
#[expect(unsafe_code, reason = "the caller's array is a pointer with strides")]
pub(super) unsafe fn write(
    plan: &Plan,
    i: usize,
    (to, chunk): (*mut u8, Chunk<'_>),
    (from, array): (*const u8, Layout<'_>),
) {
    match plan {
        Plan::Box(plan) => {
            let nest = Nest::new(
                &plan.parts(i),
                chunk.strides,
                array.strides,
                array.item,
                Direction::Write,
            );
            // SAFETY: the caller's promise.
            unsafe { nest.with_chunk_shifted(chunk.shift).run(from, to) };
        }
        Plan::Points(plan) => {
            for point in plan.points(i) {
                let (to_at, from_at) =
                    (chunk.offset_of(plan.within(point)), array.offset_of(plan.outs[point]));
                // SAFETY: the caller's promise, for one item.
                unsafe {
                    std::ptr::copy_nonoverlapping(
                        from.offset(from_at),
                        to.offset(to_at),
                        array.item,
                    )
                };
            }
        }
    }
}
