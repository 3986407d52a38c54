//! The elements of an array as Rust has them.

use std::sync::Arc;

use stook_core::element::as_bytes;
use stook_core::{DType, Element, Error, Result, Values};

use crate::array::Array;
use crate::axes::AxisCollection;
use crate::kernels::{self, Strided, StridedMut, Unary};

impl Array {
    /// An array of `elements`, which are copied, in C order.
    ///
    /// # Errors
    /// `InvalidInput` if there is not one for each place.
    pub fn from_elements<T: Element>(axes: AxisCollection, elements: &[T]) -> Result<Self> {
        let shape = kernels::as_shape(&axes.shape());
        let data = Values::new(T::DTYPE, shape, as_bytes(elements).to_vec(), Vec::new())?;
        Self::new(axes, data)
    }

    /// An array of texts, in C order.
    ///
    /// # Errors
    /// `InvalidInput` if there is not one for each place.
    pub fn from_texts<S: AsRef<str>>(axes: AxisCollection, texts: &[S]) -> Result<Self> {
        let shape = kernels::as_shape(&axes.shape());
        Self::new(axes, Values::from_strings(shape, texts)?)
    }

    /// The elements in C order, where they lie; `None` if they are no `T`.
    #[must_use]
    pub fn as_slice<T: Element>(&self) -> Option<&[T]> {
        let items = self.data.items();
        if *self.dtype() != T::DTYPE || T::validate(items).is_err() {
            return None;
        }
        // SAFETY: `Element` promises that all bytes that pass `validate` are a value.
        #[expect(unsafe_code, reason = "items are lent where they lie")]
        let (before, elements, after) = unsafe { items.align_to::<T>() };
        (before.is_empty() && after.is_empty()).then_some(elements)
    }

    /// A copy of the elements in C order, cast to `T` if they are of a lesser kind.
    ///
    /// # Errors
    /// `Unsupported` if they are no numbers that can be a `T`.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        let cast = self.astype(&T::DTYPE)?;
        let items = cast.data.items();
        T::validate(items)?;
        let n = items.len() / size_of::<T>().max(1);
        let mut elements = vec![T::default(); n];
        // SAFETY: there are as many bytes, each of them initialised and valid for `T`.
        #[expect(unsafe_code, reason = "items may lie where no `T` can")]
        unsafe {
            std::ptr::copy_nonoverlapping(
                items.as_ptr(),
                elements.as_mut_ptr().cast(),
                items.len(),
            );
        }
        Ok(elements)
    }

    /// The element of an array without axes, or with one element, cast to `T` if it is of a lesser
    /// kind.
    ///
    /// # Errors
    /// `InvalidInput` if there are other than one, `Unsupported` if it is no number that can be a `T`.
    pub fn item<T: Element>(&self) -> Result<T> {
        match self.to_vec::<T>()?.as_slice() {
            [element] => Ok(*element),
            elements => {
                Err(Error::invalid(format!("expected one element, found {}", elements.len())))
            }
        }
    }

    /// The elements as kernels take them. Nothing is copied.
    ///
    /// # Errors
    /// `LimitExceeded` for too many axes.
    pub fn strided(&self) -> Result<Strided<'_>> {
        Strided::of(&self.data)
    }

    /// The same with elements of another type; nothing is copied if they have it.
    ///
    /// # Errors
    /// `Unsupported` if one of the types is no number, or elements would be of a lesser kind: a float
    /// does not become an integer this way.
    pub fn astype(&self, dtype: &DType) -> Result<Self> {
        if self.dtype() == dtype {
            return Ok(self.clone());
        }
        if !kernels::can_cast(self.dtype(), dtype) {
            return Err(Error::unsupported(format!("elements of {} as {dtype}", self.dtype())));
        }
        self.cast(dtype)
    }

    /// The same with elements of another type, whatever is lost: floats are cut, and those that do not
    /// fit become the nearest integer.
    ///
    /// # Errors
    /// `Unsupported` if one of the types is no number.
    pub fn cast(&self, dtype: &DType) -> Result<Self> {
        let view = self.strided()?;
        self.made(self.axes.clone(), dtype.clone(), |mut out| kernels::cast(&view, &mut out))
    }

    /// What `op` makes of each element.
    ///
    /// # Errors
    /// `Unsupported` if it does not know their type.
    pub fn map(&self, op: Unary) -> Result<Self> {
        let view = self.strided()?;
        let dtype = kernels::unary_dtype(op, self.dtype())?;
        self.made(self.axes.clone(), dtype, |mut out| kernels::unary(op, &view, &mut out))
    }

    /// A new array of the elements that `fill` fills in; of types with a heap, with that of this one.
    pub(crate) fn made(
        &self,
        axes: AxisCollection,
        dtype: DType,
        fill: impl FnOnce(StridedMut<'_>) -> Result<()>,
    ) -> Result<Self> {
        let has_heap = dtype.has_heap();
        let mut data = kernels::filled(dtype, &axes.shape(), fill)?;
        if has_heap {
            let (dtype, shape, items, _) = data.into_parts();
            data = Values::new(dtype, shape, items, self.data.heap().to_vec())?;
        }
        Self::new(axes, data)
    }

    /// Lets `edit` change the elements in place; those that another array shares are copied before.
    pub(crate) fn edit(
        &mut self,
        edit: impl FnOnce(&mut StridedMut<'_>, &mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let shape = self.axes.shape();
        let empty = Arc::new(Values::zeroed(DType::UInt8, vec![0])?);
        let data = Arc::unwrap_or_clone(std::mem::replace(&mut self.data, empty));
        let (dtype, dims, mut items, mut heap) = data.into_parts();
        let edited = StridedMut::new(dtype.clone(), &shape, &mut items)
            .and_then(|mut out| edit(&mut out, &mut heap));
        self.data = Arc::new(Values::new(dtype, dims, items, heap)?);
        edited
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_lent_cast_and_copied() {
        let axes = AxisCollection::parse("a=a0..a2").unwrap();
        let array = Array::from_elements(axes.clone(), &[1_i32, 2, 3]).unwrap();
        assert_eq!(array.as_slice::<i32>(), Some(&[1, 2, 3][..]));
        assert_eq!(array.as_slice::<u32>(), None);
        assert_eq!(array.to_vec::<f64>().unwrap(), [1.0, 2.0, 3.0]);
        let floats = Array::from_elements(axes, &[1.5, -2.5, 0.0]).unwrap();
        assert!(floats.to_vec::<i64>().is_err() && floats.item::<f64>().is_err());
        assert_eq!(floats.cast(&DType::Int8).unwrap().to_vec::<i8>().unwrap(), [1, -2, 0]);
    }
}
