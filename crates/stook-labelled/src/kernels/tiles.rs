//! Walks over strided memory in tiles: boxes of about a thousand elements, each lent as a slice.
//!
//! Where the elements of a tile lie behind one another in memory and have the type that is asked
//! for, the slice is that memory; else they are gathered, and cast, into a buffer. So kernels are
//! loops over slices, whatever layout and type the arrays have.

use stook_core::{DType, Error, Result};

use super::gather::{FromAny, Step, scatter, set_steps};
use super::item::Item;
use super::memory::Strided;
use super::memory_mut::StridedMut;
use super::threads::for_each_range;

/// How many elements a tile has at most, where nothing else asks for more.
pub(super) const TILE: usize = 1024;
/// The edge of a tile where one operand lies across another.
const EDGE: usize = 32;

/// One axis of a walk over `N` inputs and an output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dim<const N: usize> {
    pub(super) len: usize,
    /// How much of it a tile covers.
    pub(super) tile: usize,
    /// Bytes from one element to the next of each input.
    pub(super) strides: [isize; N],
    /// Bytes from one element to the next of the output; of no meaning where there is none.
    pub(super) out: isize,
    /// Whether the output has this axis.
    pub(super) is_kept: bool,
}

/// The way through `N` inputs, and an output of the same shape but for axes that go.
#[derive(Debug)]
pub(super) struct Walk<'a, const N: usize> {
    dims: Vec<Dim<N>>,
    inputs: [Strided<'a>; N],
    out: *mut u8,
    out_dtype: DType,
    n_tiles: usize,
}

// SAFETY: its pointers are borrows of plain bytes, the output's an exclusive one, of which each
// tile writes the part that is its own.
#[expect(unsafe_code, reason = "raw pointers that stand for borrows of bytes")]
unsafe impl<const N: usize> Sync for Walk<'_, N> {}

/// Puts axes together that are one run in all operands, outermost first.
pub(super) fn coalesce<const N: usize>(dims: &mut Vec<Dim<N>>) {
    dims.retain(|dim| dim.len != 1);
    let mut n: usize = 0;
    for at in 0..dims.len() {
        let inner = dims[at];
        if let Some(outer) = n.checked_sub(1).and_then(|last| dims.get_mut(last)) {
            let len = inner.len as isize;
            let joins = outer.is_kept == inner.is_kept
                && (!inner.is_kept || outer.out == inner.out.wrapping_mul(len))
                && outer.strides.iter().zip(&inner.strides).all(|(o, i)| *o == i.wrapping_mul(len));
            if joins {
                *outer = Dim { len: outer.len * inner.len, ..inner };
                continue;
            }
        }
        dims[n] = inner;
        n += 1;
    }
    dims.truncate(n);
}

impl<'a, const N: usize> Walk<'a, N> {
    /// The walk that fills every element of `out` from those of the inputs, which have its shape.
    ///
    /// # Errors
    /// `InvalidInput` if an input has another shape.
    pub(super) fn elementwise(
        out: &'a mut StridedMut<'_>,
        inputs: [Strided<'a>; N],
    ) -> Result<Self> {
        for input in &inputs {
            out.check_shape(input.shape())?;
        }
        let mut dims: Vec<Dim<N>> = (0..out.shape().len())
            .map(|axis| Dim {
                len: out.shape()[axis],
                tile: 1,
                strides: std::array::from_fn(|i| inputs[i].strides()[axis]),
                out: out.strides()[axis],
                is_kept: true,
            })
            .collect();
        dims.sort_by_key(|dim| std::cmp::Reverse(dim.out.unsigned_abs()));
        coalesce(&mut dims);
        choose_tiles(&mut dims);
        Ok(Self::over(dims, inputs, out))
    }

    /// The walk through inputs of one shape that fills nothing, in the order that suits the first.
    ///
    /// # Errors
    /// `InvalidInput` if their shapes differ.
    pub(super) fn reading(inputs: [Strided<'a>; N]) -> Result<Self> {
        let mut dims = Self::read_dims(&inputs)?;
        dims.sort_by_key(|dim| std::cmp::Reverse(dim.strides.first().map(|by| by.unsigned_abs())));
        Ok(Self::without_output(dims, inputs))
    }

    /// The same in C order: each tile begins where the one before it ends.
    ///
    /// # Errors
    /// `InvalidInput` if their shapes differ.
    pub(super) fn in_order(inputs: [Strided<'a>; N]) -> Result<Self> {
        let mut dims = Self::read_dims(&inputs)?;
        coalesce(&mut dims);
        let mut room = TILE;
        for dim in dims.iter_mut().rev() {
            dim.tile = dim.len.min(room).max(1);
            room = if dim.tile < dim.len { 1 } else { room / dim.tile };
        }
        Ok(Self::of_tiles(dims, inputs, std::ptr::null_mut(), DType::Bool))
    }

    fn without_output(mut dims: Vec<Dim<N>>, inputs: [Strided<'a>; N]) -> Self {
        coalesce(&mut dims);
        choose_tiles(&mut dims);
        Self::of_tiles(dims, inputs, std::ptr::null_mut(), DType::Bool)
    }

    fn read_dims(inputs: &[Strided<'a>; N]) -> Result<Vec<Dim<N>>> {
        let shape = inputs.first().map_or(&[][..], |input| input.shape());
        if let Some(other) = inputs.iter().find(|input| input.shape() != shape) {
            let other = other.shape();
            return Err(Error::invalid(format!("shapes {shape:?} and {other:?} differ")));
        }
        let dim = |(axis, &len): (usize, &usize)| Dim {
            len,
            tile: 1,
            strides: std::array::from_fn(|i| inputs[i].strides()[axis]),
            out: 0,
            is_kept: false,
        };
        Ok(shape.iter().enumerate().map(dim).collect())
    }

    /// The walk along `dims`, which describe the inputs and the output.
    pub(super) fn over(
        dims: Vec<Dim<N>>,
        inputs: [Strided<'a>; N],
        out: &'a mut StridedMut<'_>,
    ) -> Self {
        Self::of_tiles(dims, inputs, out.items, out.dtype().clone())
    }

    fn of_tiles(
        dims: Vec<Dim<N>>,
        inputs: [Strided<'a>; N],
        out: *mut u8,
        out_dtype: DType,
    ) -> Self {
        let n_tiles = dims.iter().map(|dim| dim.len.div_ceil(dim.tile.max(1))).product();
        Self { dims, inputs, out, out_dtype, n_tiles }
    }

    /// How many tiles there are along the axes that are kept, or those that are not.
    pub(super) fn n_tiles_where(&self, is_kept: bool) -> usize {
        let dims = self.dims.iter().filter(|dim| dim.is_kept == is_kept);
        dims.map(|dim| dim.len.div_ceil(dim.tile.max(1))).product()
    }

    /// How many tiles there are.
    pub(super) fn n_tiles(&self) -> usize {
        self.n_tiles
    }

    /// Its axes.
    pub(super) fn dims(&self) -> &[Dim<N>] {
        &self.dims
    }

    /// Calls `work` for every tile, in parallel where that is worth it; a `W` goes with each range
    /// of tiles, for buffers. Every axis is kept, so that no two tiles write to one place.
    ///
    /// # Errors
    /// The first of `work`, and those of a checkpoint.
    pub(super) fn run<W: Default>(
        &self,
        work: impl Fn(&Tile<'_, N>, &mut W) -> Result<()> + Sync,
    ) -> Result<()> {
        let is_whole = |dim: &Dim<N>| dim.is_kept || dim.tile >= dim.len;
        debug_assert!(self.out.is_null() || self.dims.iter().all(is_whole));
        let n: usize = self.dims.iter().map(|dim| dim.len).product();
        let size = self.inputs.iter().map(|input| input.dtype().item_size()).sum::<usize>();
        let len_bytes = n.saturating_mul(size + self.out_dtype.item_size());
        for_each_range(self.n_tiles, len_bytes, &|range| {
            let mut state = W::default();
            let mut tile = Tile::of(self);
            range.into_iter().try_for_each(|at| {
                tile.set(at);
                work(&tile, &mut state)
            })
        })
    }
}

/// How much of each axis a tile covers: whole inner axes while they fit; a square where an input
/// is contiguous along another axis than the output.
fn choose_tiles<const N: usize>(dims: &mut [Dim<N>]) {
    let mut room = TILE;
    if let Some(last) = dims.len().checked_sub(1) {
        let inner = dims[last];
        // The axis along which an input lies closest, if that is not the innermost one.
        let step = |dim: &Dim<N>| {
            dim.strides.iter().map(|by| by.unsigned_abs()).filter(|by| *by != 0).min()
        };
        let is_across = |at: &usize| {
            let dim = &dims[*at];
            let mut strides = dim.strides.iter().zip(&inner.strides);
            dim.len >= 8
                && inner.len >= 8
                && strides.any(|(d, i)| *d != 0 && d.unsigned_abs() < i.unsigned_abs())
        };
        let across = (0..last).filter(is_across).min_by_key(|&at| step(&dims[at]));
        if let Some(at) = across {
            dims[at].tile = dims[at].len.min(EDGE);
            room /= dims[at].tile;
            dims[last].tile = inner.len.min(EDGE);
            room /= dims[last].tile;
        }
    }
    for dim in dims.iter_mut().rev() {
        if dim.tile > 1 {
            if dim.tile < dim.len {
                break;
            }
            continue;
        }
        dim.tile = dim.len.min(room).max(1);
        room /= dim.tile;
        if dim.tile < dim.len {
            break;
        }
    }
}

/// One tile of a walk.
#[derive(Debug)]
pub(super) struct Tile<'w, const N: usize> {
    walk: &'w Walk<'w, N>,
    starts: Vec<usize>,
    lens: Vec<usize>,
    inputs: [isize; N],
    out: isize,
}

impl<'w, const N: usize> Tile<'w, N> {
    /// A tile of the walk; which one, [`Tile::set`] says.
    pub(super) fn of(walk: &'w Walk<'_, N>) -> Self {
        let n = walk.dims.len();
        Self { walk, starts: vec![0; n], lens: vec![0; n], inputs: [0; N], out: 0 }
    }

    /// Moves to the tile of a number; `at` is below [`Walk::n_tiles`].
    pub(super) fn set(&mut self, mut at: usize) {
        assert!(at < self.walk.n_tiles, "there is such a tile");
        self.move_to(|_, n| {
            let tile = at % n;
            at /= n;
            tile
        });
    }

    /// The same by two numbers, of the tiles along the axes that are kept, and of the others.
    pub(super) fn set_split(&mut self, mut kept: usize, mut other: usize) {
        self.move_to(|is_kept, n| {
            let at = if is_kept { &mut kept } else { &mut other };
            let tile = *at % n;
            *at /= n;
            tile
        });
        assert!(kept == 0 && other == 0, "there is such a tile");
    }

    /// The same by the number of the tile along the axes that are kept, where others have no
    /// element.
    pub(super) fn set_kept(&mut self, mut kept: usize) {
        self.move_to(|is_kept, n| {
            if !is_kept {
                return 0;
            }
            let tile = kept % n;
            kept /= n;
            tile
        });
        assert!(kept == 0, "there is such a tile");
    }

    fn move_to(&mut self, mut tile: impl FnMut(bool, usize) -> usize) {
        (self.inputs, self.out) = ([0; N], 0);
        for (axis, dim) in self.walk.dims.iter().enumerate().rev() {
            let start = tile(dim.is_kept, dim.len.div_ceil(dim.tile)) * dim.tile;
            self.starts[axis] = start;
            self.lens[axis] = dim.tile.min(dim.len - start);
            let by = |stride: isize| (start as isize).wrapping_mul(stride);
            for (place, stride) in self.inputs.iter_mut().zip(&dim.strides) {
                *place = place.wrapping_add(by(*stride));
            }
            if dim.is_kept {
                self.out = self.out.wrapping_add(by(dim.out));
            }
        }
    }

    /// The number of elements.
    pub(super) fn len(&self) -> usize {
        self.lens.iter().product()
    }

    /// Where it begins along each axis of the walk.
    pub(super) fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// How much it covers of each axis of the walk.
    pub(super) fn lens(&self) -> &[usize] {
        &self.lens
    }

    /// The elements of an input as numbers of type `T`, in C order of the walk's axes.
    ///
    /// # Errors
    /// `Unsupported` where its type cannot be cast to `T`.
    pub(super) fn input<'b, T: FromAny>(
        &'b self,
        which: usize,
        buffer: &'b mut Buffer<T>,
    ) -> Result<&'b [T]> {
        let input = &self.walk.inputs[which];
        let from = input.items.wrapping_offset(self.inputs[which]);
        let is_same = is_stored_as::<T>(input.dtype());
        let n = self.len();
        if n == 0 {
            return Ok(&[]);
        }
        let axes = self.walk.dims.iter().zip(&self.lens);
        let axes = axes.map(|(dim, &len)| (len, dim.strides[which]));
        if is_same && is_run(axes.clone(), size_of::<T>()) && from.cast::<T>().is_aligned() {
            // SAFETY: the tile lies within the input, its elements behind one another; any bytes
            // are a `T`.
            #[expect(unsafe_code, reason = "elements are lent where they lie")]
            return Ok(unsafe { std::slice::from_raw_parts(from.cast(), n) });
        }
        if buffer.from == from && buffer.lens == self.lens && buffer.items.len() == n {
            return Ok(&buffer.items);
        }
        buffer.items.clear();
        buffer.items.resize(n, T::default());
        set_steps(&mut buffer.steps, axes);
        // SAFETY: the steps lead to the elements of the tile, and to `n` places of the buffer.
        #[expect(unsafe_code, reason = "strided memory is read by pointer")]
        let is_known =
            unsafe { T::gather_any(input.dtype(), from, &buffer.steps, buffer.items.as_mut_ptr()) };
        if !is_known {
            let (from, to) = (input.dtype(), T::DTYPE);
            return Err(Error::unsupported(format!("numbers of type {from} as {to}")));
        }
        buffer.from = from;
        buffer.lens.clone_from(&self.lens);
        Ok(&buffer.items)
    }

    /// Fills the output of this tile, in C order of the walk's axes. It may hold anything before.
    #[inline]
    pub(super) fn output<T: Item>(
        &self,
        buffer: &mut Buffer<T>,
        fill: impl FnOnce(&mut [T]) -> Result<()>,
    ) -> Result<()> {
        assert!(is_stored_as::<T>(&self.walk.out_dtype), "the output is of that type");
        assert!(!self.walk.out.is_null(), "the walk has an output");
        let to = self.walk.out.wrapping_offset(self.out);
        let axes = self.walk.dims.iter().zip(&self.lens);
        let axes = axes.map(|(dim, &len)| (len, dim.out));
        let n = self.len();
        let all_kept = self.walk.dims.iter().all(|dim| dim.is_kept);
        if n > 0 && all_kept && is_run(axes, size_of::<T>()) && to.cast::<T>().is_aligned() {
            // SAFETY: the tile lies within the output, its elements behind one another; it alone
            // writes there, because tiles do not overlap.
            #[expect(unsafe_code, reason = "elements are filled where they lie")]
            return fill(unsafe { std::slice::from_raw_parts_mut(to.cast(), n) });
        }
        buffer.items.resize(n, T::default());
        fill(&mut buffer.items)?;
        self.write_kept(&buffer.items, 0, &mut buffer.steps);
        Ok(())
    }

    /// Writes `values`, in C order of the kept axes of this tile, to the output, `shift` bytes
    /// beyond where it begins. Whoever made the walk sees to it that one tile alone writes to a
    /// place.
    pub(super) fn write_kept<T: Item>(&self, values: &[T], shift: isize, steps: &mut Vec<Step>) {
        assert!(is_stored_as::<T>(&self.walk.out_dtype), "the output is of that type");
        let axes = self.walk.dims.iter().zip(&self.lens).filter(|(dim, _)| dim.is_kept);
        let axes = axes.map(|(dim, &len)| (len, dim.out));
        let n: usize = axes.clone().map(|(len, _)| len).product();
        assert_eq!(n, values.len(), "a value a kept element");
        if n == 0 {
            return;
        }
        assert!(!self.walk.out.is_null(), "the walk has an output");
        set_steps(steps, axes);
        let to = self.walk.out.wrapping_offset(self.out.wrapping_add(shift));
        // SAFETY: the steps lead to the kept elements of the tile in the output.
        #[expect(unsafe_code, reason = "strided memory is written by pointer")]
        unsafe {
            scatter(values.as_ptr(), steps, to);
        }
    }
}

/// Whether items of `dtype` have the bytes of a `T`.
fn is_stored_as<T: Item>(dtype: &DType) -> bool {
    match dtype {
        DType::DateTime(_) | DType::TimeDelta(_) => T::DTYPE == DType::Int64,
        other => *other == T::DTYPE,
    }
}

/// Whether axes, outermost first, are one run of items.
fn is_run(axes: impl DoubleEndedIterator<Item = (usize, isize)>, item_size: usize) -> bool {
    let mut expected = item_size as isize;
    axes.rev().filter(|(len, _)| *len != 1).all(|(len, stride)| {
        let is_next = stride == expected;
        expected = expected.wrapping_mul(len as isize);
        is_next
    })
}

/// Elements of tiles that had to be gathered.
#[derive(Debug)]
pub(super) struct Buffer<T> {
    items: Vec<T>,
    /// Where they are from, so that those of an operand that is repeated are gathered once.
    from: *const u8,
    lens: Vec<usize>,
    pub(super) steps: Vec<Step>,
}

impl<T> Default for Buffer<T> {
    fn default() -> Self {
        Self { items: Vec::new(), from: std::ptr::null(), lens: Vec::new(), steps: Vec::new() }
    }
}
