//! An array whose elements are found by labels.

use std::sync::Arc;

use stook_core::{DType, Error, Result, Values};

use crate::axes::AxisCollection;

/// Elements over axes; cheap to clone.
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
