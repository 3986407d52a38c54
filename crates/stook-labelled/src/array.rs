//! Arrays whose elements are found by labels.
//!
//! An array is axes and elements: plans ([`crate::plan`]) say which axes a result has and where its
//! elements come from, kernels ([`crate::kernels`]) move and compute. Elements are shared, and copied
//! when an array that shares them is written to.

mod aggregate;
mod arithmetic;
mod compare;
mod create;
mod data;
mod derive;
mod get;
mod join;
mod long;
mod missing;
mod put;
mod shape;
mod sort;
mod table;

use std::sync::Arc;

use stook_core::{DType, Error, Result, Values};

use crate::axes::AxisCollection;

pub use aggregate::{AggregateOptions, Overs};
pub use arithmetic::Operand;
pub use create::{IntoAxes, TestAxes, eye, full, ndtest, ones, sequence, zeros};
pub use derive::DifferenceLabel;
pub use get::Keys;
pub use join::{concat, stack};
pub use long::Long;

/// Elements over axes; cheap to clone.
///
/// ```
/// use stook_labelled::{Array, Axis, ndtest};
///
/// # fn main() -> stook_core::Result<()> {
/// let array = ndtest([2, 3])?;
/// assert_eq!(array.get("a1")?.as_slice::<i64>(), Some(&[3, 4, 5][..]));
/// assert_eq!(array.sum("b")?.to_vec::<i64>()?, [3, 12]);
///
/// let scaled = (&array * &array.get("b1")?)?;
/// assert_eq!(scaled.element::<i64>(("a1", "b2"))?, 20);
/// assert_eq!(array.to_string(), "a\\b  b0  b1  b2\n a0   0   1   2\n a1   3   4   5");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Array {
    axes: AxisCollection,
    data: Arc<Values>,
}

impl Array {
    /// An array of `data`, in C order, one dimension for each axis.
    ///
    /// # Errors
    /// `InvalidInput` if the shapes differ.
    pub fn new(axes: AxisCollection, data: impl Into<Arc<Values>>) -> Result<Self> {
        let data = data.into();
        let fits = axes.len() == data.shape().len()
            && axes.iter().zip(data.shape()).all(|(axis, &len)| axis.len() as u64 == len);
        if !fits {
            return Err(Error::invalid(format!(
                "length of axes {:?} does not match data shape {:?}",
                axes.shape(),
                data.shape()
            )));
        }
        Ok(Self { axes, data })
    }

    /// The axes.
    #[must_use]
    pub fn axes(&self) -> &AxisCollection {
        &self.axes
    }

    /// The elements in C order.
    #[must_use]
    pub fn data(&self) -> &Arc<Values> {
        &self.data
    }

    /// The axes and the elements.
    #[must_use]
    pub fn into_parts(self) -> (AxisCollection, Arc<Values>) {
        (self.axes, self.data)
    }

    /// The type of the elements.
    #[must_use]
    pub fn dtype(&self) -> &DType {
        self.data.dtype()
    }

    /// How many labels each axis has.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        self.axes.shape()
    }

    /// The number of axes.
    #[must_use]
    pub fn ndim(&self) -> usize {
        self.axes.len()
    }

    /// The number of elements.
    #[must_use]
    pub fn size(&self) -> usize {
        self.data.len()
    }

    /// Bytes of the elements in memory.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        self.data.items().len() + self.data.heap().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_and_elements_have_one_shape() {
        let axes = AxisCollection::parse("a=a0,a1;b=b0..b2").unwrap();
        let data = Values::zeroed(DType::Float64, vec![2, 3]).unwrap();
        assert!(Array::new(axes.clone(), data).is_ok());
        let data = Values::zeroed(DType::Float64, vec![3, 2]).unwrap();
        assert!(Array::new(axes, data).is_err());
    }
}
