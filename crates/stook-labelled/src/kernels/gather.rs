//! Copies between strided memory and buffers: the loops below all tiles.

use stook_core::DType;
use stook_core::element::f16;

use super::item::{Cast, Item, Truth};

/// One loop of a copy between strided memory and a buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    len: usize,
    /// Bytes in strided memory.
    bytes: isize,
    /// Items in the buffer.
    items: isize,
}

/// The loops of a copy, outermost first, the smallest steps in memory innermost.
pub(super) fn set_steps(
    steps: &mut Vec<Step>,
    axes: impl DoubleEndedIterator<Item = (usize, isize)>,
) {
    steps.clear();
    let mut items = 1;
    for (len, bytes) in axes.rev() {
        if len != 1 {
            steps.push(Step { len, bytes, items });
        }
        items *= len as isize;
    }
    steps.reverse();
    steps.sort_by_key(|step| std::cmp::Reverse(step.bytes.unsigned_abs()));
    let mut n: usize = 0;
    for at in 0..steps.len() {
        let inner = steps[at];
        let len = inner.len as isize;
        match n.checked_sub(1).map(|last| &mut steps[last]) {
            Some(outer) if outer.bytes == inner.bytes * len && outer.items == inner.items * len => {
                *outer = Step { len: outer.len * inner.len, ..inner };
            }
            _ => {
                steps[n] = inner;
                n += 1;
            }
        }
    }
    steps.truncate(n);
}

/// Copies elements from strided memory to a buffer, each cast.
///
/// # Safety
/// The steps lead to elements that can be read as `S`, and to places of the buffer.
#[expect(unsafe_code, reason = "strided memory is read by pointer")]
unsafe fn gather<S: Item + Cast<T>, T: Item>(from: *const u8, steps: &[Step], to: *mut T) {
    // SAFETY: the caller's promise, in every case.
    unsafe {
        match steps {
            [] => to.write(from.cast::<S>().read_unaligned().cast()),
            [step] if step.items == 1 && step.bytes == size_of::<S>() as isize => {
                let from = from.cast::<S>();
                for i in 0..step.len {
                    to.add(i).write(from.add(i).read_unaligned().cast());
                }
            }
            [step] => {
                for i in 0..step.len as isize {
                    let item = from.offset(i * step.bytes).cast::<S>().read_unaligned();
                    to.offset(i * step.items).write(item.cast());
                }
            }
            [step, rest @ ..] => {
                for i in 0..step.len as isize {
                    gather::<S, T>(from.offset(i * step.bytes), rest, to.offset(i * step.items));
                }
            }
        }
    }
}

/// Copies elements from a buffer to strided memory.
///
/// # Safety
/// The steps lead to places of the buffer, and to elements that can be written.
#[expect(unsafe_code, reason = "strided memory is written by pointer")]
pub(super) unsafe fn scatter<T: Item>(from: *const T, steps: &[Step], to: *mut u8) {
    // SAFETY: the caller's promise, in every case.
    unsafe {
        match steps {
            [] => to.cast::<T>().write_unaligned(from.read()),
            [step] => {
                for i in 0..step.len as isize {
                    let item = from.offset(i * step.items).read();
                    to.offset(i * step.bytes).cast::<T>().write_unaligned(item);
                }
            }
            [step, rest @ ..] => {
                for i in 0..step.len as isize {
                    scatter(from.offset(i * step.items), rest, to.offset(i * step.bytes));
                }
            }
        }
    }
}

/// A number that any number can be cast to, real ones from complex ones excepted.
pub(super) trait FromAny: Item {
    /// Gathers elements of type `dtype`; whether that can be.
    ///
    /// # Safety
    /// The steps lead to elements of `dtype` that can be read, and to places of the buffer.
    #[expect(unsafe_code, reason = "strided memory is read by pointer")]
    unsafe fn gather_any(dtype: &DType, from: *const u8, steps: &[Step], to: *mut Self) -> bool;
}

macro_rules! from_any {
    ($($rust:ty),*) => {$(
        impl FromAny for $rust {
            #[expect(unsafe_code, reason = "strided memory is read by pointer")]
            unsafe fn gather_any(
                dtype: &DType,
                from: *const u8,
                steps: &[Step],
                to: *mut Self,
            ) -> bool {
                super::item::dispatch!(dtype, S => {
                    // SAFETY: the caller's promise.
                    unsafe { gather::<S, Self>(from, steps, to) };
                    true
                }, else false)
            }
        }
    )*};
}

from_any!(Truth, i8, i16, i32, i64, u8, u16, u32, u64, f16, f32, f64, [f32; 2], [f64; 2]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_are_one_run_become_one() {
        let mut steps = Vec::new();
        set_steps(&mut steps, [(3, 32), (4, 8)].into_iter());
        assert_eq!((steps.len(), steps[0].len, steps[0].items), (1, 12, 1));
        set_steps(&mut steps, [(3, 8), (4, 24)].into_iter());
        assert_eq!(
            steps.iter().map(|step| (step.len, step.items)).collect::<Vec<_>>(),
            [(4, 1), (3, 4)]
        );
    }
}
