//! Copies boxes of items between two strided layouts: the one inner loop of all reads and writes.
//!
//! A [`Nest`] is a loop an axis. Before it runs it is put into the best order for the
//! destination, and neighbouring loops that are one contiguous run become one, so that a copy
//! of whole rows is a few `memcpy`s whatever the rank.

use crate::selection::plan::{MAX_RANK, Parts, Run};

/// Which way a [`Nest`] copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the chunk to the caller's array.
    Read,
    /// From the caller's array to the chunk.
    Write,
}

#[derive(Clone, Copy, Debug)]
struct Loop<'p> {
    len: usize,
    /// Bytes from one iteration to the next.
    src: isize,
    dst: isize,
    /// Positions to multiply `src` and `dst` with, instead of counting.
    pairs: Option<&'p [(u64, u64)]>,
}

const NO_LOOP: Loop<'static> = Loop { len: 1, src: 0, dst: 0, pairs: None };

/// Nested loops over the items to copy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nest<'p> {
    loops: [Loop<'p>; MAX_RANK],
    n_loops: usize,
    src: isize,
    dst: isize,
    item: usize,
    /// Whether the first of a pair belongs to the destination.
    is_swapped: bool,
}

/// `count * stride`, where both describe memory that exists.
fn offset(count: u64, stride: isize) -> isize {
    (count as isize).wrapping_mul(stride)
}

impl<'p> Nest<'p> {
    /// The copy between one chunk (bytes between neighbours along each axis: `chunk`) and the
    /// caller's array (`array`, an entry each axis that is kept).
    pub(crate) fn new(
        parts: &Parts<'p>,
        chunk: &[isize],
        array: &[isize],
        item: usize,
        direction: Direction,
    ) -> Self {
        let is_swapped = direction == Direction::Write;
        let mut nest =
            Self { loops: [NO_LOOP; MAX_RANK], n_loops: 0, src: 0, dst: 0, item, is_swapped };
        let mut kept = array.iter();
        for ((part, plan), &chunk) in parts.iter().zip(chunk) {
            let array = if plan.kept { kept.next().copied().unwrap_or(0) } else { 0 };
            match part.run {
                Run::Slice { first, step, len, out } => {
                    nest.shift(offset(first, chunk), offset(out, array));
                    nest.push(len as usize, (step as isize).wrapping_mul(chunk), array, None);
                }
                Run::List { start, end } => match &plan.pairs[start..end] {
                    [(within, out)] => nest.shift(offset(*within, chunk), offset(*out, array)),
                    pairs => nest.push(pairs.len(), chunk, array, Some(pairs)),
                },
            }
        }
        nest.simplify();
        nest
    }

    fn shift(&mut self, chunk: isize, array: isize) {
        let (src, dst) = if self.is_swapped { (array, chunk) } else { (chunk, array) };
        self.src = self.src.wrapping_add(src);
        self.dst = self.dst.wrapping_add(dst);
    }

    fn push(&mut self, len: usize, chunk: isize, array: isize, pairs: Option<&'p [(u64, u64)]>) {
        if len == 1 && pairs.is_none() {
            return;
        }
        let (src, dst) = if self.is_swapped { (array, chunk) } else { (chunk, array) };
        self.loops[self.n_loops] = Loop { len, src, dst, pairs };
        self.n_loops += 1;
    }

    /// Orders the loops so that the destination is walked front to back, and joins those that
    /// are one run. The order of loops is free: each list is still walked in its own order, so
    /// that of repeated positions the last one wins.
    fn simplify(&mut self) {
        let loops = &mut self.loops[..self.n_loops];
        if !loops.is_sorted_by_key(|l| std::cmp::Reverse(l.dst.unsigned_abs())) {
            loops.sort_by_key(|l| std::cmp::Reverse(l.dst.unsigned_abs()));
        }
        let mut n = 0;
        for at in 0..self.n_loops {
            let inner = self.loops[at];
            if n > 0 && inner.pairs.is_none() {
                let outer = self.loops[n - 1];
                let len = inner.len as isize;
                let joins = outer.pairs.is_none()
                    && outer.src == inner.src.wrapping_mul(len)
                    && outer.dst == inner.dst.wrapping_mul(len);
                if joins {
                    self.loops[n - 1] = Loop { len: outer.len * inner.len, ..inner };
                    continue;
                }
            }
            self.loops[n] = inner;
            n += 1;
        }
        self.n_loops = n;
    }

    /// How many items are copied.
    pub(crate) fn n_items(&self) -> usize {
        self.loops[..self.n_loops].iter().map(|l| l.len).product()
    }

    /// Whether a loop walks a list of positions.
    pub(crate) fn has_lists(&self) -> bool {
        self.loops[..self.n_loops].iter().any(|l| l.pairs.is_some())
    }

    /// Where the copy begins in source and destination, and its bytes, if it is one run.
    pub(crate) fn as_run(&self) -> Option<(isize, isize, usize)> {
        let item = self.item as isize;
        match &self.loops[..self.n_loops] {
            [] => Some((self.src, self.dst, self.item)),
            [l] if l.pairs.is_none() && l.src == item && l.dst == item => {
                Some((self.src, self.dst, l.len * self.item))
            }
            _ => None,
        }
    }

    /// The two halves of the copy, cut across the loop that spans most of the chunk's side;
    /// `None` for a single item.
    pub(crate) fn halves(&self) -> Option<(Self, Self)> {
        let spans = self.loops[..self.n_loops].iter().enumerate().filter(|(_, l)| l.len > 1);
        let (at, _) = spans.max_by_key(|(_, l)| {
            let (first, last) = self.loop_span(l);
            last - first
        })?;
        let mid = self.loops[at].len / 2;
        Some((self.part(at, 0, mid), self.part(at, mid, self.loops[at].len)))
    }

    /// Iterations `from` to before `to` of loop `at`.
    fn part(&self, at: usize, from: usize, to: usize) -> Self {
        let mut nest = *self;
        let whole = self.loops[at];
        let (src, dst) = self.step(&whole, from);
        match whole.pairs {
            Some(pairs) if to - from > 1 => {
                nest.loops[at] = Loop { len: to - from, pairs: Some(&pairs[from..to]), ..whole };
                return nest;
            }
            _ => nest.loops[at] = Loop { len: to - from, pairs: None, ..whole },
        }
        nest.src += src;
        nest.dst += dst;
        if to - from == 1 {
            nest.loops.copy_within(at + 1..self.n_loops, at);
            nest.n_loops -= 1;
        }
        nest
    }

    /// The least and greatest offset of a loop's iterations on the chunk's side.
    fn loop_span(&self, l: &Loop<'_>) -> (isize, isize) {
        let stride = if self.is_swapped { l.dst } else { l.src };
        match l.pairs {
            None => {
                let last = l.len.saturating_sub(1) as isize * stride;
                (last.min(0), last.max(0))
            }
            Some(pairs) => {
                let positions = pairs.iter().map(|pair| offset(pair.0, stride));
                positions.fold((isize::MAX, isize::MIN), |(a, b), at| (a.min(at), b.max(at)))
            }
        }
    }

    /// The first byte and the one behind the last that is touched in the source (or, with
    /// `Direction::Write`, in the destination): the span of the chunk's side.
    pub(crate) fn chunk_span(&self) -> (isize, isize) {
        let (mut low, mut high) =
            if self.is_swapped { (self.dst, self.dst) } else { (self.src, self.src) };
        for l in &self.loops[..self.n_loops] {
            let (first, last) = self.loop_span(l);
            low += first;
            high += last;
        }
        (low, high + self.item as isize)
    }

    /// The same copy with the chunk's side moved by `by` bytes.
    pub(crate) fn with_chunk_shifted(mut self, by: isize) -> Self {
        self.shift(by, 0);
        self
    }

    fn step(&self, l: &Loop<'_>, at: usize) -> (isize, isize) {
        match l.pairs {
            None => (l.src * at as isize, l.dst * at as isize),
            Some(pairs) => {
                let (chunk, array) = pairs[at];
                let (src, dst) = if self.is_swapped { (array, chunk) } else { (chunk, array) };
                (offset(src, l.src), offset(dst, l.dst))
            }
        }
    }

    /// Copies.
    ///
    /// # Safety
    /// Every item that the loops reach from `src` is readable and every one from `dst` writable
    /// by this thread alone, and the two do not overlap.
    #[expect(unsafe_code, reason = "the inner loop writes through raw pointers, in parallel")]
    pub(crate) unsafe fn run(&self, src: *const u8, dst: *mut u8) {
        if self.item == 0 || self.n_items() == 0 {
            return;
        }
        let mut nest = *self;
        nest.prefer_tiles();
        // SAFETY: the offsets lead to the first items, which the caller vouches for.
        unsafe {
            nest.walk(&nest.loops[..nest.n_loops], src.offset(self.src), dst.offset(self.dst))
        };
    }

    /// Where the destination runs along one axis and the source along another, brings these two
    /// innermost, to be copied in tiles.
    fn prefer_tiles(&mut self) {
        let item = self.item as isize;
        let n = self.n_loops;
        if n < 2 || self.loops[n - 1].src == item || self.loops[n - 1].pairs.is_some() {
            return;
        }
        let along = self.loops[..n - 1].iter().position(|l| l.src == item && l.pairs.is_none());
        if let Some(at) = along {
            self.loops[at..n - 1].rotate_left(1);
        }
    }

    #[expect(unsafe_code, reason = "see `run`")]
    unsafe fn walk(&self, loops: &[Loop<'_>], src: *const u8, dst: *mut u8) {
        match loops {
            // SAFETY: one item at each, which the caller of `run` vouches for.
            [] => unsafe { std::ptr::copy_nonoverlapping(src, dst, self.item) },
            // SAFETY: passed on.
            [inner] => unsafe { self.walk_inner(inner, src, dst) },
            // SAFETY: passed on.
            [a, b] if is_tile(a, b, self.item) => unsafe { tiles(a, b, self.item, src, dst) },
            [outer, rest @ ..] => {
                for at in 0..outer.len {
                    let (s, d) = self.step(outer, at);
                    // SAFETY: within the loops that the caller vouches for.
                    unsafe { self.walk(rest, src.offset(s), dst.offset(d)) };
                }
            }
        }
    }

    #[expect(unsafe_code, reason = "see `run`")]
    unsafe fn walk_inner(&self, l: &Loop<'_>, src: *const u8, dst: *mut u8) {
        let item = self.item as isize;
        if l.pairs.is_none() && l.src == item && l.dst == item {
            // SAFETY: a run of `len` items on both sides.
            unsafe { std::ptr::copy_nonoverlapping(src, dst, l.len * self.item) };
            return;
        }
        // SAFETY: each arm copies `len` items of the size it names, at the loop's offsets.
        unsafe {
            match self.item {
                1 => self.items::<u8>(l, src, dst),
                2 => self.items::<u16>(l, src, dst),
                4 => self.items::<u32>(l, src, dst),
                8 => self.items::<u64>(l, src, dst),
                16 => self.items::<u128>(l, src, dst),
                _ => {
                    for at in 0..l.len {
                        let (s, d) = self.step(l, at);
                        std::ptr::copy_nonoverlapping(src.offset(s), dst.offset(d), self.item);
                    }
                }
            }
        }
    }

    #[expect(unsafe_code, reason = "see `run`")]
    unsafe fn items<T: Copy>(&self, l: &Loop<'_>, src: *const u8, dst: *mut u8) {
        for at in 0..l.len {
            let (s, d) = self.step(l, at);
            // SAFETY: an item of `size_of::<T>()` bytes at each place; alignment is not assumed.
            unsafe {
                dst.offset(d)
                    .cast::<T>()
                    .write_unaligned(src.offset(s).cast::<T>().read_unaligned())
            };
        }
    }
}

fn is_tile(a: &Loop<'_>, b: &Loop<'_>, item: usize) -> bool {
    a.pairs.is_none()
        && b.pairs.is_none()
        && a.src == item as isize
        && b.src != item as isize
        && matches!(item, 1 | 2 | 4 | 8)
}

/// Copies a transposed plane tile by tile, so that both sides stay within the cache.
#[expect(unsafe_code, reason = "see `Nest::run`")]
unsafe fn tiles(a: &Loop<'_>, b: &Loop<'_>, item: usize, src: *const u8, dst: *mut u8) {
    // SAFETY: each arm names the item's size; the loops are those of the caller.
    unsafe {
        match item {
            1 => tiles_of::<u8>(a, b, src, dst),
            2 => tiles_of::<u16>(a, b, src, dst),
            4 => tiles_of::<u32>(a, b, src, dst),
            _ => tiles_of::<u64>(a, b, src, dst),
        }
    }
}

#[expect(unsafe_code, reason = "see `Nest::run`")]
unsafe fn tiles_of<T: Copy>(a: &Loop<'_>, b: &Loop<'_>, src: *const u8, dst: *mut u8) {
    const TILE: usize = 32;
    for a0 in (0..a.len).step_by(TILE) {
        for b0 in (0..b.len).step_by(TILE) {
            for i in a0..a.len.min(a0 + TILE) {
                for j in b0..b.len.min(b0 + TILE) {
                    let (i, j) = (i as isize, j as isize);
                    // SAFETY: `i` and `j` are iterations of the two loops.
                    unsafe {
                        let from = src.offset(i * a.src + j * b.src).cast::<T>();
                        let to = dst.offset(i * a.dst + j * b.dst).cast::<T>();
                        to.write_unaligned(from.read_unaligned());
                    }
                }
            }
        }
    }
}

/// Bytes between neighbours along each axis of a box stored in C order of `order` (stored axis
/// `i` is array axis `order[i]`).
pub(crate) fn strides(
    shape: &[u64],
    order: Option<&[usize]>,
    item: usize,
    out: &mut [isize; MAX_RANK],
) {
    let mut stride = item as isize;
    for i in (0..shape.len()).rev() {
        let axis = order.and_then(|order| order.get(i).copied()).unwrap_or(i);
        if let (Some(place), Some(&len)) = (out.get_mut(axis), shape.get(axis)) {
            *place = stride;
            stride = stride.wrapping_mul(len as isize);
        }
    }
}

/// Fills `out` with repetitions of `item`.
pub(crate) fn fill(out: &mut [u8], item: &[u8]) {
    match item {
        [] => {}
        [first, rest @ ..] if rest.iter().all(|byte| byte == first) => out.fill(*first),
        _ => {
            let first = item.len().min(out.len());
            out[..first].copy_from_slice(&item[..first]);
            let mut done = first;
            while done < out.len() {
                let (from, to) = out.split_at_mut(done);
                let n = from.len().min(to.len());
                to[..n].copy_from_slice(&from[..n]);
                done += n;
            }
        }
    }
}

/// Whether `bytes` is nothing but repetitions of `item`.
pub(crate) fn is_filled(bytes: &[u8], item: &[u8]) -> bool {
    // Equal to itself shifted by one item, and beginning with it.
    bytes.len() >= item.len()
        && bytes.starts_with(item)
        && bytes[item.len()..] == bytes[..bytes.len() - item.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::ChunkGrid;
    use crate::selection::Selection;
    use crate::selection::plan::Plan;

    /// Copies `text` of a C-order or reordered chunk that is the whole array.
    fn gather(shape: &[u64], order: Option<&[usize]>, text: &str, src: &[u16]) -> Vec<u16> {
        let grid = ChunkGrid::whole(shape);
        let resolved = Selection::parse(text).unwrap().resolve(shape, &grid).unwrap();
        let out_shape = resolved.shape();
        let Plan::Box(plan) = Plan::new(&resolved, shape, &grid, None).unwrap() else {
            panic!("box")
        };
        let mut out = vec![0_u16; out_shape.iter().product::<u64>() as usize];
        let (mut chunk, mut array) = ([0; MAX_RANK], [0; MAX_RANK]);
        strides(shape, order, 2, &mut chunk);
        strides(&out_shape, None, 2, &mut array);
        if plan.axes.iter().all(|axis| !axis.parts.is_empty()) {
            let nest = Nest::new(
                &plan.parts(0),
                &chunk[..shape.len()],
                &array[..out_shape.len()],
                2,
                Direction::Read,
            );
            // SAFETY: strides and shapes are those of the two buffers.
            #[expect(unsafe_code, reason = "the test is the caller of the kernel")]
            unsafe {
                nest.run(src.as_ptr().cast(), out.as_mut_ptr().cast());
            }
        }
        out
    }

    #[test]
    fn strided_reversed_and_dropped_axes() {
        let src: Vec<u16> = (0..24).collect();
        assert_eq!(gather(&[2, 3, 4], None, "...", &src), src);
        assert_eq!(gather(&[2, 3, 4], None, "1, ::-1, 1::2", &src), [21, 23, 17, 19, 13, 15]);
        assert_eq!(gather(&[2, 3, 4], None, ":, 0, ::-3", &src), [3, 0, 15, 12]);
    }

    #[test]
    fn a_transposed_chunk_is_read_in_tiles() {
        let (rows, columns) = (70_u64, 45_u64);
        let src: Vec<u16> = (0..rows * columns).map(|i| i as u16).collect();
        let found = gather(&[rows, columns], Some(&[1, 0]), "...", &src);
        for r in 0..rows {
            for c in 0..columns {
                assert_eq!(found[(r * columns + c) as usize], (c * rows + r) as u16);
            }
        }
    }

    #[test]
    fn fills_are_made_and_recognised() {
        for (item, len) in [(vec![1_u8, 2, 3], 30), (vec![0, 0], 8), (vec![7], 5)] {
            let mut out = vec![9; len];
            fill(&mut out, &item);
            assert!(out.chunks(item.len()).all(|part| part == item));
            assert!(is_filled(&out, &item));
            out[len - 1] ^= 1;
            assert!(!is_filled(&out, &item));
        }
    }
}
