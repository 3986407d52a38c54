//! Memory that kernels write to: typed, of any shape, in any layout.

use std::marker::PhantomData;
use std::ops::Deref;

use stook_core::{DType, Error, Result};

use super::layout::Layout;
use super::memory::{Strided, c_strides, check_len};

/// Items to be written, `strides` bytes apart along each axis.
#[derive(Debug)]
pub struct StridedMut<'a> {
    pub(super) items: *mut u8,
    layout: Layout,
    lifetime: PhantomData<&'a mut [u8]>,
}

// SAFETY: an exclusive borrow of plain bytes.
#[expect(unsafe_code, reason = "a raw pointer that stands for an exclusive borrow of bytes")]
unsafe impl Send for StridedMut<'_> {}
// SAFETY: nothing can be written through a shared reference to it but by `tiles`, whose walks
// give each place to one thread.
#[expect(unsafe_code, reason = "a raw pointer that stands for an exclusive borrow of bytes")]
unsafe impl Sync for StridedMut<'_> {}

impl Deref for StridedMut<'_> {
    type Target = Layout;

    fn deref(&self) -> &Layout {
        &self.layout
    }
}

impl<'a> StridedMut<'a> {
    /// Items in C order.
    ///
    /// # Errors
    /// `InvalidInput` if there are not as many bytes as the shape needs, `LimitExceeded` for too
    /// many axes.
    pub fn new(dtype: DType, shape: &[usize], items: &'a mut [u8]) -> Result<Self> {
        let layout = Layout::c_order(dtype, shape)?;
        check_len(&layout.dtype, shape, items.len())?;
        Ok(Self { items: items.as_mut_ptr(), layout, lifetime: PhantomData })
    }

    /// Items at `items`, `strides` bytes apart along each axis.
    ///
    /// # Safety
    /// Every item of `dtype` that shape and strides lead to is writable, and touched by nobody
    /// else, for `'a`; no two of them overlap.
    ///
    /// # Errors
    /// `InvalidInput` if shape and strides differ in length, `LimitExceeded` for too many axes.
    #[expect(unsafe_code, reason = "numpy lends memory as pointer, shape and strides")]
    pub unsafe fn from_raw(
        items: *mut u8,
        dtype: DType,
        shape: &[usize],
        strides: &[isize],
    ) -> Result<Self> {
        Ok(Self { items, layout: Layout::new(dtype, shape, strides)?, lifetime: PhantomData })
    }

    /// The items at `start`, `start + step`, … along an axis, `len` of them, and nothing else.
    ///
    /// # Errors
    /// `InvalidInput` if they lie outside of the axis, or `step` is 0.
    pub fn sliced(self, axis: usize, start: usize, step: isize, len: usize) -> Result<Self> {
        if step == 0 && len > 1 {
            return Err(Error::invalid("items to be written lie in one place"));
        }
        let (offset, layout) = self.layout.sliced(axis, start, step, len)?;
        let items = self.items.wrapping_offset(offset);
        Ok(Self { items, layout, lifetime: PhantomData })
    }

    /// The items at one position of an axis, without that axis, and nothing else.
    ///
    /// # Errors
    /// `InvalidInput` if it lies outside of the axis.
    pub fn at(self, axis: usize, position: usize) -> Result<Self> {
        let found = self.sliced(axis, position, 1, 1)?;
        Ok(Self { layout: found.layout.without(axis), ..found })
    }

    /// The same items with their axes in another order: axis `i` is axis `order[i]` of these.
    ///
    /// # Errors
    /// `InvalidInput` if `order` does not name every axis once.
    pub fn transposed(self, order: &[usize]) -> Result<Self> {
        Ok(Self { layout: self.layout.transposed(order)?, ..self })
    }

    /// The same items, which are in C order, under another shape with as many.
    ///
    /// # Errors
    /// `InvalidInput` if they are not in C order, or not as many.
    pub fn reshaped(mut self, shape: &[usize]) -> Result<Self> {
        if self.shape == shape {
            return Ok(self);
        }
        let n: usize = shape.iter().product();
        if n != self.len() || self.bytes_mut().is_none() {
            let found = &self.shape;
            return Err(Error::invalid(format!("items of shape {found:?} under shape {shape:?}")));
        }
        Ok(Self { layout: Layout::c_order(self.layout.dtype, shape)?, ..self })
    }

    /// The bytes of the items, where they lie behind one another in C order.
    pub(super) fn bytes_mut(&mut self) -> Option<&mut [u8]> {
        let len = self.len() * self.dtype.item_size();
        if len == 0 {
            return Some(&mut []);
        }
        let expected = c_strides(&self.shape, self.dtype.item_size());
        let axes = self.shape.iter().zip(self.strides.iter().zip(&expected));
        if axes.clone().any(|(len, (stride, expected))| *len != 1 && stride != expected) {
            return None;
        }
        // SAFETY: the items can be written, and lie behind one another.
        #[expect(unsafe_code, reason = "items are filled where they lie")]
        Some(unsafe { std::slice::from_raw_parts_mut(self.items, len) })
    }

    /// The items as a slice, if they are of type `T` and lie behind one another in C order. They have
    /// to be values of it: of numbers, any bytes are.
    pub fn as_mut_slice<T: stook_core::Element>(&mut self) -> Option<&mut [T]> {
        if self.dtype != T::DTYPE {
            return None;
        }
        let bytes = self.bytes_mut()?;
        T::validate(bytes).ok()?;
        // SAFETY: `Element` promises that all bytes that pass `validate` are a value.
        #[expect(unsafe_code, reason = "items are lent where they lie")]
        let (before, items, after) = unsafe { bytes.align_to_mut::<T>() };
        (before.is_empty() && after.is_empty()).then_some(items)
    }

    /// The same items, lent.
    pub(crate) fn reborrow(&mut self) -> StridedMut<'_> {
        StridedMut { items: self.items, layout: self.layout.clone(), lifetime: PhantomData }
    }

    /// The same items with an axis of length 1 in front.
    pub(crate) fn with_front_axis(mut self) -> Self {
        self.layout.shape.insert(0, 1);
        self.layout.strides.insert(0, 0);
        self
    }

    /// The same items, to be looked at.
    #[must_use]
    pub fn as_view(&self) -> Strided<'_> {
        Strided { items: self.items, layout: self.layout.clone(), lifetime: PhantomData }
    }

    /// The same items as those of a type of the same size.
    pub(super) fn reinterpreted(self, dtype: DType) -> Self {
        Self { layout: self.layout.reinterpreted(dtype), ..self }
    }

    /// Checks that it has a shape.
    pub(super) fn check_shape(&self, expected: &[usize]) -> Result<()> {
        if self.shape != expected {
            return Err(Error::invalid(format!(
                "expected room for shape {expected:?}, found {:?}",
                self.shape
            )));
        }
        Ok(())
    }

    /// Checks that it has a type.
    pub(super) fn check_dtype(&self, expected: &DType) -> Result<()> {
        if self.dtype != *expected {
            return Err(Error::invalid(format!(
                "expected room for {expected}, found {}",
                self.dtype
            )));
        }
        Ok(())
    }
}
