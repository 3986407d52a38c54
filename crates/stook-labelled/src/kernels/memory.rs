//! Memory that kernels read from: typed, of any shape, in any layout.

use std::marker::PhantomData;
use std::ops::Deref;

use stook_core::values::byte_len;
use stook_core::{DType, Error, Result, Values};

use super::layout::Layout;
use super::memory_mut::StridedMut;

/// The most axes that an array may have.
const MAX_RANK: usize = 64;

/// Items to be read, `strides` bytes apart along each axis.
#[derive(Clone, Debug)]
pub struct Strided<'a> {
    pub(super) items: *const u8,
    pub(super) layout: Layout,
    pub(super) lifetime: PhantomData<&'a [u8]>,
}

// SAFETY: a shared borrow of plain bytes.
#[expect(unsafe_code, reason = "a raw pointer that stands for a shared borrow of bytes")]
unsafe impl Send for Strided<'_> {}
// SAFETY: a shared borrow of plain bytes.
#[expect(unsafe_code, reason = "a raw pointer that stands for a shared borrow of bytes")]
unsafe impl Sync for Strided<'_> {}

/// The strides, in bytes, of a C-order array; of one without elements too.
pub(crate) fn c_strides(shape: &[usize], item_size: usize) -> Vec<isize> {
    let mut strides = vec![0; shape.len()];
    let mut step = item_size as isize;
    for (place, &len) in strides.iter_mut().zip(shape).rev() {
        *place = step;
        step = step.wrapping_mul(len as isize);
    }
    strides
}

/// A shape as lengths in memory.
///
/// # Errors
/// `LimitExceeded` for one that no machine has.
pub(crate) fn in_memory(shape: &[u64]) -> Result<Vec<usize>> {
    let len = |&len| usize::try_from(len).map_err(|_| Error::limit(format!("length {len}")));
    shape.iter().map(len).collect()
}

/// A shape as an array says it.
pub(crate) fn as_shape(shape: &[usize]) -> Vec<u64> {
    shape.iter().map(|&len| len as u64).collect()
}

pub(super) fn check_rank(shape: &[usize], strides: &[isize]) -> Result<()> {
    if shape.len() != strides.len() {
        return Err(Error::invalid(format!(
            "shape {shape:?} and strides {strides:?} differ in length"
        )));
    }
    if shape.len() > MAX_RANK {
        let found = shape.len();
        return Err(Error::limit(format!("expected at most {MAX_RANK} axes, found {found}")));
    }
    Ok(())
}

impl Deref for Strided<'_> {
    type Target = Layout;

    fn deref(&self) -> &Layout {
        &self.layout
    }
}

impl<'a> Strided<'a> {
    /// The items of values, in C order. Nothing is copied.
    ///
    /// # Errors
    /// `LimitExceeded` for too many axes.
    pub fn of(values: &'a Values) -> Result<Self> {
        Self::new(values.dtype().clone(), &in_memory(values.shape())?, values.items())
    }

    /// Items in C order. Nothing is copied.
    ///
    /// # Errors
    /// `InvalidInput` if there are not as many bytes as the shape needs, `LimitExceeded` for too
    /// many axes.
    pub fn new(dtype: DType, shape: &[usize], items: &'a [u8]) -> Result<Self> {
        let layout = Layout::c_order(dtype, shape)?;
        check_len(&layout.dtype, shape, items.len())?;
        Ok(Self { items: items.as_ptr(), layout, lifetime: PhantomData })
    }

    /// Items at `items`, `strides` bytes apart along each axis.
    ///
    /// # Safety
    /// Every item of `dtype` that shape and strides lead to is readable for `'a`.
    ///
    /// # Errors
    /// `InvalidInput` if shape and strides differ in length, `LimitExceeded` for too many axes.
    #[expect(unsafe_code, reason = "numpy lends memory as pointer, shape and strides")]
    pub unsafe fn from_raw(
        items: *const u8,
        dtype: DType,
        shape: &[usize],
        strides: &[isize],
    ) -> Result<Self> {
        Ok(Self { items, layout: Layout::new(dtype, shape, strides)?, lifetime: PhantomData })
    }

    /// The same memory, whose items lie otherwise.
    fn laid(&self, layout: Layout) -> Self {
        Self { layout, ..*self }
    }

    /// The same items as those of a type of the same size, such as times as integers.
    pub(super) fn reinterpreted(&self, dtype: DType) -> Self {
        self.laid(self.layout.clone().reinterpreted(dtype))
    }

    /// The same items with their axes in another order: axis `i` is axis `order[i]` of these.
    ///
    /// # Errors
    /// `InvalidInput` if `order` does not name every axis once.
    pub fn transposed(&self, order: &[usize]) -> Result<Self> {
        self.layout.transposed(order).map(|layout| self.laid(layout))
    }

    /// The items at `start`, `start + step`, … along an axis, `len` of them.
    ///
    /// # Errors
    /// `InvalidInput` if they lie outside of the axis.
    pub fn sliced(&self, axis: usize, start: usize, step: isize, len: usize) -> Result<Self> {
        let (offset, layout) = self.layout.clone().sliced(axis, start, step, len)?;
        let items = self.items.wrapping_offset(offset);
        Ok(Self { items, layout, lifetime: PhantomData })
    }

    /// The items at one position of an axis, without that axis.
    ///
    /// # Errors
    /// `InvalidInput` if it lies outside of the axis.
    pub fn at(&self, axis: usize, position: usize) -> Result<Self> {
        let found = self.sliced(axis, position, 1, 1)?;
        Ok(Self { layout: found.layout.without(axis), ..found })
    }

    /// The same items repeated along axes that are missing in front, or of length 1, as numpy
    /// broadcasts.
    ///
    /// # Errors
    /// `InvalidInput` if the shapes do not match.
    pub fn broadcast_to(&self, shape: &[usize]) -> Result<Self> {
        let n_new = shape.len().checked_sub(self.shape.len()).ok_or_else(|| self.unlike(shape))?;
        let mut strides = vec![0; shape.len()];
        let axes = self.shape.iter().zip(&self.strides);
        for ((place, &wanted), (&len, &stride)) in
            strides.iter_mut().zip(shape).skip(n_new).zip(axes)
        {
            match len {
                _ if len == wanted => *place = stride,
                1 => {}
                _ => return Err(self.unlike(shape)),
            }
        }
        Layout::new(self.dtype.clone(), shape, &strides).map(|layout| self.laid(layout))
    }

    /// The same items with more axes of length 1: `shape` is theirs but for some ones.
    ///
    /// # Errors
    /// `InvalidInput` if it is not.
    pub fn with_ones(&self, shape: &[usize]) -> Result<Self> {
        let mut axes = self.shape.iter().zip(&self.strides).peekable();
        let mut strides = Vec::with_capacity(shape.len());
        for &len in shape {
            match axes.peek() {
                Some((own, stride)) if **own == len => {
                    strides.push(**stride);
                    axes.next();
                }
                _ if len == 1 => strides.push(0),
                _ => return Err(self.unlike(shape)),
            }
        }
        if axes.any(|(len, _)| *len != 1) {
            return Err(self.unlike(shape));
        }
        Layout::new(self.dtype.clone(), shape, &strides).map(|layout| self.laid(layout))
    }

    fn unlike(&self, shape: &[usize]) -> Error {
        Error::invalid(format!("items of shape {:?} do not broadcast to {shape:?}", self.shape))
    }
}

pub(super) fn check_len(dtype: &DType, shape: &[usize], found: usize) -> Result<()> {
    let expected = byte_len(&as_shape(shape), dtype.item_size())?;
    if found != expected {
        return Err(Error::invalid(format!(
            "shape {shape:?} of {dtype}: expected {expected} bytes, found {found}"
        )));
    }
    Ok(())
}

/// The shape that numpy broadcasts two shapes to.
///
/// # Errors
/// `InvalidInput` if they do not match.
pub fn broadcast_shape(a: &[usize], b: &[usize]) -> Result<Vec<usize>> {
    let rank = a.len().max(b.len());
    let len = |shape: &[usize], axis: usize| {
        (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis])
    };
    let axis = |axis| match (len(a, axis), len(b, axis)) {
        (1, n) | (n, 1) => Ok(n),
        (n, m) if n == m => Ok(n),
        _ => Err(Error::invalid(format!("shapes {a:?} and {b:?} do not match"))),
    };
    (0..rank).map(axis).collect()
}

/// New values of a type and shape, as `fill` fills them.
///
/// # Errors
/// Those of `fill`, and `LimitExceeded` where there is no such memory.
pub fn filled(
    dtype: DType,
    shape: &[usize],
    fill: impl FnOnce(StridedMut<'_>) -> Result<()>,
) -> Result<Values> {
    let (dtype, dims, mut items, heap) = Values::zeroed(dtype, as_shape(shape))?.into_parts();
    fill(StridedMut::new(dtype.clone(), shape, &mut items)?)?;
    Values::new(dtype, dims, items, heap)
}

/// The bytes of items.
pub(super) fn bytes_of<T: super::item::Item>(items: &[T]) -> &[u8] {
    // SAFETY: `Item` promises that `T` has no padding, so every byte is initialised.
    #[expect(unsafe_code, reason = "viewing plain numbers as bytes")]
    unsafe {
        std::slice::from_raw_parts(items.as_ptr().cast(), size_of_val(items))
    }
}
