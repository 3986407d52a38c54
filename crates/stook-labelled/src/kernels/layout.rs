//! How items lie in memory: their type, shape and strides.

use stook_core::{DType, Error, Result};

use super::memory::{c_strides, check_rank};

/// Type, shape and strides of items in memory.
#[derive(Clone, Debug)]
pub struct Layout {
    pub(super) dtype: DType,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<isize>,
}

impl Layout {
    /// `strides` are in bytes.
    ///
    /// # Errors
    /// `InvalidInput` if shape and strides differ in length, `LimitExceeded` for too many axes.
    pub(super) fn new(dtype: DType, shape: &[usize], strides: &[isize]) -> Result<Self> {
        check_rank(shape, strides)?;
        Ok(Self { dtype, shape: shape.to_vec(), strides: strides.to_vec() })
    }

    /// Items one behind the other in C order.
    ///
    /// # Errors
    /// `LimitExceeded` for too many axes.
    pub(super) fn c_order(dtype: DType, shape: &[usize]) -> Result<Self> {
        let strides = c_strides(shape, dtype.item_size());
        Self::new(dtype, shape, &strides)
    }

    /// The type of the items.
    #[must_use]
    pub fn dtype(&self) -> &DType {
        &self.dtype
    }

    /// The shape.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Bytes from one item to the next along each axis.
    #[must_use]
    pub fn strides(&self) -> &[isize] {
        &self.strides
    }

    /// The number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there is no item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shape.contains(&0)
    }

    /// How many bytes the items take where they are not repeated.
    pub(super) fn len_bytes(&self) -> usize {
        self.len().saturating_mul(self.dtype.item_size())
    }

    /// The same items as those of a type of the same size, such as times as integers.
    pub(super) fn reinterpreted(self, dtype: DType) -> Self {
        debug_assert_eq!(dtype.item_size(), self.dtype.item_size());
        Self { dtype, ..self }
    }

    /// The axes in another order: axis `i` is axis `order[i]` of these.
    ///
    /// # Errors
    /// `InvalidInput` if `order` does not name every axis once.
    pub(super) fn transposed(&self, order: &[usize]) -> Result<Self> {
        let mut seen = vec![false; self.shape.len()];
        for &axis in order {
            match seen.get_mut(axis) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(Error::invalid(format!("{order:?} is no order of axes"))),
            }
        }
        if order.len() != seen.len() {
            return Err(Error::invalid(format!("{order:?} is no order of {} axes", seen.len())));
        }
        let shape = order.iter().map(|&axis| self.shape[axis]).collect();
        let strides = order.iter().map(|&axis| self.strides[axis]).collect();
        Ok(Self { dtype: self.dtype.clone(), shape, strides })
    }

    /// The items at `start`, `start + step`, … along an axis, `len` of them: how many bytes behind the
    /// first item theirs lies, and how they lie.
    ///
    /// # Errors
    /// `InvalidInput` if they lie outside of the axis.
    pub(super) fn sliced(
        mut self,
        axis: usize,
        start: usize,
        step: isize,
        len: usize,
    ) -> Result<(isize, Self)> {
        let last = (len.saturating_sub(1) as isize)
            .checked_mul(step)
            .and_then(|by| start.checked_add_signed(by));
        let found = self.shape.get(axis).copied();
        let fits = |n: usize| len == 0 || (start < n && last.is_some_and(|last| last < n));
        if !found.is_some_and(fits) {
            return Err(Error::invalid(format!(
                "{len} items from {start} by {step} do not fit axis {axis} of shape {:?}",
                self.shape
            )));
        }
        let stride = self.strides[axis];
        let offset = if len > 0 { (start as isize).wrapping_mul(stride) } else { 0 };
        self.shape[axis] = len;
        self.strides[axis] = stride.wrapping_mul(step);
        Ok((offset, self))
    }

    /// Without an axis, which it has.
    pub(super) fn without(mut self, axis: usize) -> Self {
        self.shape.remove(axis);
        self.strides.remove(axis);
        self
    }
}
