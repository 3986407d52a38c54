//! Borrowed items in memory with any strides: what arrays are read into and written from.

use std::marker::PhantomData;

use super::copy;
use super::transfer::Layout;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::selection::plan::MAX_RANK;
use crate::values::byte_len;

/// Strides of a C-order array.
pub(super) fn c_strides(shape: &[u64], item: usize) -> Vec<isize> {
    let mut strides = [0; MAX_RANK];
    copy::strides(shape, None, item, &mut strides);
    strides.iter().copied().take(shape.len()).collect()
}

/// Whether `strides` are those of a C-order array; axes of length 1 do not matter.
pub(super) fn is_contiguous(shape: &[u64], strides: &[isize], item: usize) -> bool {
    let expected = c_strides(shape, item);
    shape.contains(&0)
        || shape
            .iter()
            .zip(strides.iter().zip(&expected))
            .all(|(&len, (found, expected))| len == 1 || found == expected)
}

fn check_rank(shape: &[u64]) -> Result<()> {
    if shape.len() > MAX_RANK {
        return Err(Error::limit(format!(
            "expected at most {MAX_RANK} axes, found {}",
            shape.len()
        )));
    }
    Ok(())
}

fn check_item_size(expected: usize, found: Option<usize>) -> Result<()> {
    match found {
        Some(found) if found != expected => Err(Error::invalid(format!(
            "expected memory of items of {expected} bytes, found items of {found}"
        ))),
        _ => Ok(()),
    }
}

/// Items to be written, in any strided layout, with the heap that heap items point into.
#[derive(Clone, Debug)]
pub struct View<'a> {
    pub(super) items: *const u8,
    pub(super) shape: Vec<u64>,
    pub(super) strides: Vec<isize>,
    pub(super) heap: &'a [u8],
    /// Bytes of an item; `None` where the maker vouches for them.
    item_size: Option<usize>,
    lifetime: PhantomData<&'a [u8]>,
}

// SAFETY: a view is a shared borrow of plain bytes.
#[expect(unsafe_code, reason = "a raw pointer that stands for a shared borrow of bytes")]
unsafe impl Send for View<'_> {}
// SAFETY: a view is a shared borrow of plain bytes.
#[expect(unsafe_code, reason = "a raw pointer that stands for a shared borrow of bytes")]
unsafe impl Sync for View<'_> {}

impl<'a> View<'a> {
    /// C-order items of `item_size` bytes.
    ///
    /// # Errors
    /// `InvalidInput` if `items` does not have as many bytes as the shape needs.
    pub fn new(items: &'a [u8], shape: &[u64], item_size: usize, heap: &'a [u8]) -> Result<Self> {
        check_rank(shape)?;
        let expected = byte_len(shape, item_size)?;
        if items.len() != expected {
            return Err(Error::invalid(format!(
                "shape {shape:?}: expected {expected} bytes, found {}",
                items.len()
            )));
        }
        let strides = c_strides(shape, item_size);
        Ok(Self {
            items: items.as_ptr(),
            shape: shape.to_vec(),
            strides,
            heap,
            item_size: Some(item_size),
            lifetime: PhantomData,
        })
    }

    /// Items at `items`, `strides` bytes apart along each axis.
    ///
    /// # Safety
    /// Every item that shape and strides lead to is readable, and not written, for `'a`; it has
    /// the size of the items of every array that the view is written to.
    ///
    /// # Errors
    /// `InvalidInput` if shape and strides differ in length, `LimitExceeded` for too many axes.
    #[expect(unsafe_code, reason = "numpy lends memory as pointer, shape and strides")]
    pub unsafe fn from_raw(
        items: *const u8,
        shape: &[u64],
        strides: &[isize],
        heap: &'a [u8],
    ) -> Result<Self> {
        check_rank(shape)?;
        if shape.len() != strides.len() {
            return Err(Error::invalid(format!(
                "shape {shape:?} and strides {strides:?} differ in length"
            )));
        }
        let (shape, strides) = (shape.to_vec(), strides.to_vec());
        Ok(Self { items, shape, strides, heap, item_size: None, lifetime: PhantomData })
    }

    /// Checks that its items are those of an array whose items have `expected` bytes.
    ///
    /// # Errors
    /// `InvalidInput` if they are not.
    pub(crate) fn check_item_size(&self, expected: usize) -> Result<()> {
        check_item_size(expected, self.item_size)
    }

    /// The shape.
    #[must_use]
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// Its items where they lie behind one another in C order, as those of an array of `dtype` that
    /// the view may be written to; `None` where they lie otherwise, or are of another size.
    #[must_use]
    #[expect(unsafe_code, reason = "a raw pointer that stands for a shared borrow of bytes")]
    pub fn in_one_piece(&self, dtype: &DType) -> Option<&'a [u8]> {
        let item_size = dtype.item_size();
        self.check_item_size(item_size).ok()?;
        let len = byte_len(&self.shape, item_size).ok()?;
        if len == 0 {
            return Some(&[]);
        }
        // SAFETY: whoever made the view vouches for items of the size of those of the arrays that
        // it is written to, at the places that shape and strides lead to: behind one another.
        let items = || unsafe { std::slice::from_raw_parts(self.items, len) };
        is_contiguous(&self.shape, &self.strides, item_size).then(items)
    }

    /// Where its items lie.
    pub(super) fn layout(&self, item: usize) -> Layout<'_> {
        let is_contiguous = is_contiguous(&self.shape, &self.strides, item);
        Layout { shape: &self.shape, strides: &self.strides, is_contiguous, item }
    }

    /// The same items repeated along axes that are missing or of length 1, as numpy broadcasts.
    ///
    /// # Errors
    /// `InvalidInput` if the shapes do not match, `LimitExceeded` for too many axes.
    pub fn broadcast_to(&self, shape: &[u64]) -> Result<Self> {
        let mismatch = || {
            Error::invalid(format!(
                "values of shape {:?} do not fit a selection of shape {shape:?}",
                self.shape
            ))
        };
        check_rank(shape)?;
        // Leading axes of length 1 may be dropped.
        let n_extra = self.shape.len().saturating_sub(shape.len());
        if self.shape[..n_extra].iter().any(|&len| len != 1) {
            return Err(mismatch());
        }
        let mut strides = vec![0; shape.len()];
        let own = self.shape.iter().zip(&self.strides).skip(n_extra).rev();
        for ((place, &wanted), (&len, &stride)) in strides.iter_mut().zip(shape).rev().zip(own) {
            match len {
                _ if len == wanted => *place = stride,
                1 => *place = 0,
                _ => return Err(mismatch()),
            }
        }
        Ok(Self { shape: shape.to_vec(), strides, ..self.clone() })
    }
}

/// Items to be filled, in any strided layout.
#[derive(Debug)]
pub struct ViewMut<'a> {
    pub(super) items: *mut u8,
    pub(super) shape: Vec<u64>,
    pub(super) strides: Vec<isize>,
    /// Bytes of an item; `None` where the maker vouches for them.
    item_size: Option<usize>,
    lifetime: PhantomData<&'a mut [u8]>,
}

// SAFETY: a mutable view is an exclusive borrow of plain bytes.
#[expect(unsafe_code, reason = "a raw pointer that stands for an exclusive borrow of bytes")]
unsafe impl Send for ViewMut<'_> {}

impl<'a> ViewMut<'a> {
    /// C-order items of `item_size` bytes.
    ///
    /// # Errors
    /// `InvalidInput` if `items` does not have as many bytes as the shape needs.
    pub fn new(items: &'a mut [u8], shape: &[u64], item_size: usize) -> Result<Self> {
        let view = View::new(items, shape, item_size, &[])?;
        let (shape, strides, item_size) = (view.shape, view.strides, view.item_size);
        Ok(Self { items: items.as_mut_ptr(), shape, strides, item_size, lifetime: PhantomData })
    }

    /// Items at `items`, `strides` bytes apart along each axis.
    ///
    /// # Safety
    /// Every item that shape and strides lead to is writable, and touched by nobody else, for
    /// `'a`; no two of them overlap; each has the size of the items of every array that is read
    /// into the view.
    ///
    /// # Errors
    /// `InvalidInput` if shape and strides differ in length, `LimitExceeded` for too many axes.
    #[expect(unsafe_code, reason = "numpy lends memory as pointer, shape and strides")]
    pub unsafe fn from_raw(items: *mut u8, shape: &[u64], strides: &[isize]) -> Result<Self> {
        check_rank(shape)?;
        if shape.len() != strides.len() {
            return Err(Error::invalid(format!(
                "shape {shape:?} and strides {strides:?} differ in length"
            )));
        }
        let (shape, strides) = (shape.to_vec(), strides.to_vec());
        Ok(Self { items, shape, strides, item_size: None, lifetime: PhantomData })
    }

    /// Checks that its items are those of an array whose items have `expected` bytes.
    ///
    /// # Errors
    /// `InvalidInput` if they are not.
    pub(crate) fn check_item_size(&self, expected: usize) -> Result<()> {
        check_item_size(expected, self.item_size)
    }

    /// The shape.
    #[must_use]
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasting_follows_numpy() {
        let items = [0_u8; 6];
        let view = View::new(&items, &[3, 1], 2, &[]).unwrap();
        assert_eq!(view.broadcast_to(&[2, 3, 4]).unwrap().strides, [0, 2, 0]);
        assert_eq!(
            View::new(&items, &[1, 1, 3], 2, &[]).unwrap().broadcast_to(&[3]).unwrap().strides,
            [2]
        );
        assert!(view.broadcast_to(&[4, 4]).is_err());
        assert!(View::new(&items, &[3], 2, &[]).unwrap().broadcast_to(&[]).is_err());
    }
}
