//! Picking elements by position, by points and by truth, and putting them there.
//!
//! Items are moved as bytes, whatever their type. What items of variable length point to stays
//! where it is.

use stook_core::{DType, Error, Result};

use super::gather::FromAny;
use super::memory::Strided;
use super::memory_mut::StridedMut;
use super::threads::{for_each_range, n_threads};
use super::tiles::{Buffer, Walk};

/// Which positions of an axis are picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along<'a> {
    /// One; the axis goes.
    At(usize),
    /// `len` of them, from `start`, `step` apart.
    Slice {
        /// The first one.
        start: usize,
        /// From one to the next.
        step: isize,
        /// How many.
        len: usize,
    },
    /// These.
    Positions(&'a [usize]),
    /// These, together with those of all other axes that have points, of which there are as many:
    /// they are one axis of the result, where the first of them is.
    Points(&'a [usize]),
}

impl Along<'_> {
    /// The whole of an axis.
    #[must_use]
    pub fn all(len: usize) -> Self {
        Self::Slice { start: 0, step: 1, len }
    }
}

/// The shape of what is picked from an array of `shape`.
///
/// # Errors
/// `InvalidInput` where there is not one entry an axis, or points are not equally many.
pub fn picked_shape(shape: &[usize], along: &[Along<'_>]) -> Result<Vec<usize>> {
    if shape.len() != along.len() {
        let (expected, found) = (shape.len(), along.len());
        return Err(Error::invalid(format!(
            "expected {expected} axes to pick from, found {found}"
        )));
    }
    let mut n_points = None;
    let mut picked = Vec::with_capacity(shape.len());
    for along in along {
        match along {
            Along::At(_) => {}
            Along::Slice { len, .. } => picked.push(*len),
            Along::Positions(positions) => picked.push(positions.len()),
            Along::Points(points) => match n_points {
                None => {
                    n_points = Some(points.len());
                    picked.push(points.len());
                }
                Some(n) if n == points.len() => {}
                Some(n) => {
                    let found = points.len();
                    return Err(Error::invalid(format!(
                        "expected {n} points an axis, found {found}"
                    )));
                }
            },
        }
    }
    Ok(picked)
}

/// One loop over what is picked.
#[derive(Clone, Debug)]
struct Loop {
    len: usize,
    /// Bytes from one item to the next in the array that is picked from.
    stride: isize,
    /// Where each item is, instead.
    table: Option<Vec<isize>>,
    /// Bytes from one item to the next in the other one.
    other: isize,
}

/// The loops over what is picked from memory at an address, which moves along with slices.
fn loops(
    view: &Strided<'_>,
    along: &[Along<'_>],
    others: &[isize],
) -> Result<(*const u8, Vec<Loop>)> {
    let mut sliced = view.clone();
    for (axis, along) in along.iter().enumerate() {
        match *along {
            Along::At(position) => sliced = sliced.sliced(axis, position, 1, 1)?,
            Along::Slice { start, step, len } => sliced = sliced.sliced(axis, start, step, len)?,
            Along::Positions(positions) | Along::Points(positions) => {
                let len = view.shape().get(axis).copied().unwrap_or(0);
                if let Some(position) = positions.iter().find(|position| **position >= len) {
                    return Err(Error::invalid(format!(
                        "position {position} is out of bounds for axis {axis} of length {len}"
                    )));
                }
            }
        }
    }
    let mut loops: Vec<Loop> = Vec::new();
    let mut points: Option<usize> = None;
    let mut others = others.iter().copied();
    for (axis, along) in along.iter().enumerate() {
        let (stride, len) = (sliced.strides()[axis], sliced.shape()[axis]);
        let table = |positions: &[usize]| {
            positions.iter().map(|&at| (at as isize).wrapping_mul(stride)).collect::<Vec<_>>()
        };
        match *along {
            Along::At(_) => {}
            Along::Slice { .. } => {
                let other = others.next().unwrap_or(0);
                loops.push(Loop { len, stride, table: None, other });
            }
            Along::Positions(positions) => {
                let other = others.next().unwrap_or(0);
                let (len, table) = (positions.len(), Some(table(positions)));
                loops.push(Loop { len, stride: 0, table, other });
            }
            Along::Points(positions) => match points.and_then(|at| loops.get_mut(at)) {
                Some(Loop { table: Some(offsets), .. }) => {
                    let by = table(positions);
                    offsets.iter_mut().zip(by).for_each(|(at, by)| *at = at.wrapping_add(by));
                }
                _ => {
                    points = Some(loops.len());
                    let other = others.next().unwrap_or(0);
                    let (len, table) = (positions.len(), Some(table(positions)));
                    loops.push(Loop { len, stride: 0, table, other });
                }
            },
        }
    }
    Ok((sliced.items, loops))
}

/// Puts neighbouring loops that are one run together.
fn joined(loops: Vec<Loop>) -> Vec<Loop> {
    let mut to: Vec<Loop> = Vec::with_capacity(loops.len());
    for inner in loops {
        if inner.len == 1 && inner.table.is_none() {
            continue;
        }
        let len = inner.len as isize;
        match to.last_mut() {
            Some(outer)
                if outer.table.is_none()
                    && inner.table.is_none()
                    && outer.stride == inner.stride.wrapping_mul(len)
                    && outer.other == inner.other.wrapping_mul(len) =>
            {
                *outer = Loop { len: outer.len * inner.len, ..inner };
            }
            _ => to.push(inner),
        }
    }
    to
}

/// A copy by loops, in one of two ways.
#[derive(Debug)]
struct Move {
    picked: *mut u8,
    other: *mut u8,
    loops: Vec<Loop>,
    item: usize,
    /// Whether items go to where they would be picked from.
    is_put: bool,
}

// SAFETY: its pointers are borrows of plain bytes; each part of the outermost loop is one thread's.
#[expect(unsafe_code, reason = "raw pointers that stand for borrows of bytes")]
unsafe impl Sync for Move {}

impl Move {
    fn run(mut self) -> Result<()> {
        let n_items: usize = self.loops.iter().map(|l| l.len).product();
        if n_items == 0 {
            return Ok(());
        }
        let len_bytes = n_items.saturating_mul(self.item).saturating_mul(2);
        // The loop that is cut; where positions are put to twice, the last one must win.
        let is_cut = |l: &Loop| l.len >= 2 * n_threads() && !(self.is_put && l.table.is_some());
        let at = self.loops.iter().position(is_cut);
        let Some(first) = at.map(|at| self.loops.remove(at)) else {
            // SAFETY: the loops lead to items of both arrays.
            #[expect(unsafe_code, reason = "strided memory is moved by pointer")]
            unsafe {
                self.walk(self.picked, self.other, &self.loops);
            }
            return Ok(());
        };
        for_each_range(first.len, len_bytes, &|range| {
            let step = |i: usize, stride: isize| (i as isize).wrapping_mul(stride);
            for i in range {
                let by = first.table.as_ref().map(|table| table.get(i).copied().unwrap_or(0));
                let by = by.unwrap_or_else(|| step(i, first.stride));
                let picked = self.picked.wrapping_offset(by);
                let other = self.other.wrapping_offset(step(i, first.other));
                // SAFETY: the loops lead to items of both arrays.
                #[expect(unsafe_code, reason = "strided memory is moved by pointer")]
                unsafe {
                    self.walk(picked, other, &self.loops);
                }
            }
            Ok(())
        })
    }

    /// # Safety
    /// The loops lead to items that can be read on one side and written on the other.
    #[expect(unsafe_code, reason = "strided memory is moved by pointer")]
    unsafe fn walk(&self, picked: *mut u8, other: *mut u8, loops: &[Loop]) {
        // SAFETY: the caller's promise, in every case.
        unsafe {
            match loops {
                [] => self.copy(picked, other, self.item),
                [l] if l.table.is_none() && l.is_run(self.item) => {
                    self.copy(picked, other, l.len * self.item);
                }
                [l] => match self.item {
                    1 => self.items::<u8>(picked, other, l),
                    2 => self.items::<u16>(picked, other, l),
                    4 => self.items::<u32>(picked, other, l),
                    8 => self.items::<u64>(picked, other, l),
                    16 => self.items::<u128>(picked, other, l),
                    _ => l.each(|by, to| {
                        self.copy(picked.offset(by), other.offset(to), self.item);
                    }),
                },
                [l, rest @ ..] => {
                    l.each(|by, to| self.walk(picked.offset(by), other.offset(to), rest));
                }
            }
        }
    }

    /// # Safety
    /// As that of [`Move::walk`], for items of the size of `T`.
    #[expect(unsafe_code, reason = "strided memory is moved by pointer")]
    unsafe fn items<T: Copy>(&self, picked: *mut u8, other: *mut u8, l: &Loop) {
        let move_one = |to: *mut u8, from: *mut u8| {
            // SAFETY: the caller's promise.
            unsafe { to.cast::<T>().write_unaligned(from.cast::<T>().read_unaligned()) }
        };
        if self.is_put {
            l.each(|by, to| move_one(picked.wrapping_offset(by), other.wrapping_offset(to)));
        } else {
            l.each(|by, to| move_one(other.wrapping_offset(to), picked.wrapping_offset(by)));
        }
    }

    /// # Safety
    /// So many bytes can be read on one side and written on the other.
    #[expect(unsafe_code, reason = "strided memory is moved by pointer")]
    unsafe fn copy(&self, picked: *mut u8, other: *mut u8, len: usize) {
        let (from, to) = if self.is_put { (other, picked) } else { (picked, other) };
        // SAFETY: the caller's promise; memory that is lent to be written is lent to nobody else.
        unsafe { std::ptr::copy_nonoverlapping(from, to, len) };
    }
}

impl Loop {
    fn is_run(&self, item: usize) -> bool {
        self.stride == item as isize && self.other == item as isize
    }

    /// Calls `f` with how far each item is from the first on both sides.
    #[inline]
    fn each(&self, mut f: impl FnMut(isize, isize)) {
        let mut to = 0_isize;
        if let Some(table) = &self.table {
            for &by in table {
                f(by, to);
                to = to.wrapping_add(self.other);
            }
            return;
        }
        let mut by = 0_isize;
        for _ in 0..self.len {
            f(by, to);
            by = by.wrapping_add(self.stride);
            to = to.wrapping_add(self.other);
        }
    }
}

/// Fills `out` with what is picked from `array`; axes of the result are in their order.
///
/// # Errors
/// `InvalidInput` where a position is out of bounds, or `out` has another shape or type.
pub fn take(array: &Strided<'_>, along: &[Along<'_>], out: &mut StridedMut<'_>) -> Result<()> {
    out.check_dtype(array.dtype())?;
    out.check_shape(&picked_shape(array.shape(), along)?)?;
    let (from, loops) = loops(array, along, out.strides())?;
    let item = array.dtype().item_size();
    let (picked, other) = (from.cast_mut(), out.items);
    Move { picked, other, loops: joined(loops), item, is_put: false }.run()
}

/// Writes `values`, which broadcast to the shape of what would be picked, to `out`. Where a position
/// is named twice, the last one wins.
///
/// # Errors
/// `InvalidInput` where a position is out of bounds, or `values` have another shape or type.
pub fn put(out: &mut StridedMut<'_>, along: &[Along<'_>], values: &Strided<'_>) -> Result<()> {
    out.check_dtype(values.dtype())?;
    let values = values.broadcast_to(&picked_shape(out.shape(), along)?)?;
    let item = values.dtype().item_size();
    let base = out.items;
    let view = out.as_view();
    let (to, loops) = loops(&view, along, values.strides())?;
    // The same address as one that may be written to.
    let picked = base.wrapping_add(to.addr().wrapping_sub(base.addr()));
    let other = values.items.cast_mut();
    Move { picked, other, loops: joined(loops), item, is_put: true }.run()
}

/// Copies items of one type, which broadcast to the shape of `out`.
pub(super) fn copy(array: &Strided<'_>, out: &mut StridedMut<'_>) -> Result<()> {
    let array = array.broadcast_to(out.shape())?;
    let plain = match array.dtype().item_size() {
        1 => DType::UInt8,
        2 => DType::UInt16,
        4 => DType::UInt32,
        8 => DType::UInt64,
        _ => {
            let all: Vec<Along<'_>> = out.shape().iter().map(|&len| Along::all(len)).collect();
            return put(out, &all, &array);
        }
    };
    let mut out = out.reborrow().reinterpreted(plain.clone());
    let walk = Walk::elementwise(&mut out, [array.reinterpreted(plain.clone())])?;
    match plain {
        DType::UInt8 => copy_items::<u8>(&walk),
        DType::UInt16 => copy_items::<u16>(&walk),
        DType::UInt32 => copy_items::<u32>(&walk),
        _ => copy_items::<u64>(&walk),
    }
}

fn copy_items<T: FromAny>(walk: &Walk<'_, 1>) -> Result<()> {
    walk.run::<(Buffer<T>, Buffer<T>)>(|tile, (buffer, to)| {
        let items = tile.input(0, buffer)?;
        tile.output(to, |to| {
            to.copy_from_slice(items);
            Ok(())
        })
    })
}
