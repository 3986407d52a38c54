//! The part of a selection that lies in one chunk, moved between the chunk and the caller's array.

use super::copy::{Direction, Nest};
use crate::selection::plan::{BoxPlan, Plan};

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

/// A copy between a chunk and the caller's array.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer<'a> {
    pub(super) direction: Direction,
    pub(super) chunk: Chunk<'a>,
    pub(super) array: Layout<'a>,
}

impl Transfer<'_> {
    /// The loops over what is selected of touched chunk `i`.
    pub(super) fn nest<'p>(&self, plan: &'p BoxPlan, i: usize) -> Nest<'p> {
        let Self { direction, chunk, array } = *self;
        let parts = plan.parts(i);
        let nest = Nest::new(&parts, chunk.strides, array.strides, array.item, direction);
        nest.with_chunk_shifted(chunk.shift)
    }

    /// Copies what is selected of touched chunk `i` from the one at `from` to the other at `to`.
    ///
    /// # Safety
    /// Chunk and array are laid out as said: the source is readable, the destination writable by
    /// this thread alone, and in them lies everything that `plan` takes of the chunk.
    #[expect(unsafe_code, reason = "the caller's array is a pointer with strides")]
    pub(super) unsafe fn run(&self, plan: &Plan, i: usize, from: *const u8, to: *mut u8) {
        let Self { direction, chunk, array } = *self;
        match plan {
            // SAFETY: the caller's promise.
            Plan::Box(plan) => unsafe { self.nest(plan, i).run(from, to) },
            Plan::Points(plan) => {
                for point in plan.points(i) {
                    let chunk_at = chunk.offset_of(plan.within(point));
                    let array_at = array.offset_of(plan.outs[point]);
                    let (from_at, to_at) = match direction {
                        Direction::Read => (chunk_at, array_at),
                        Direction::Write => (array_at, chunk_at),
                    };
                    // SAFETY: the caller's promise, for one item.
                    unsafe {
                        std::ptr::copy_nonoverlapping(
                            from.offset(from_at),
                            to.offset(to_at),
                            array.item,
                        );
                    }
                }
            }
        }
    }
}
