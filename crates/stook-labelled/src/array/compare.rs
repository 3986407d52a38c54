//! Whether arrays are equal.

use stook_core::{DType, Result};

use crate::array::Array;
use crate::array::arithmetic::{Operand, is_text};
use crate::array::put::placed;
use crate::kernels::{self, Tolerance};

impl Array {
    /// Where elements are equal within a tolerance; axes go together as in [`Array::binary`].
    ///
    /// # Errors
    /// `InvalidInput` if axes do not fit, `Unsupported` for what has no distance.
    pub fn eq_within<'o>(
        &self,
        other: impl Into<Operand<'o>>,
        tolerance: Tolerance,
    ) -> Result<Self> {
        let other = other.into().resolved(self.dtype())?;
        if is_text(self.dtype()) && is_text(other.dtype()) {
            return self.equal(&*other);
        }
        let alignment = self.axes().aligned(other.axes())?;
        self.made(alignment.axes().clone(), DType::Bool, |mut out| {
            let left = placed(&self.strided()?, alignment.left(), out.shape())?;
            let right = placed(&other.strided()?, alignment.right(), out.shape())?;
            kernels::element_equals(&left, &right, tolerance, &mut out)
        })
    }

    /// Whether all elements are equal; axes may be in another order. Arrays whose axes do not fit, and
    /// those whose elements cannot be compared, are not equal.
    ///
    /// ```
    /// use stook_labelled::ndtest;
    ///
    /// # fn main() -> stook_core::Result<()> {
    /// let array = ndtest([2, 3])?;
    /// assert!(array.equals(&array.transposed(["b", "a"])?));
    /// assert!(!array.equals(&array.get("a0")?));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        self.equals_within(other, Tolerance::default())
    }

    /// The same within a tolerance.
    #[must_use]
    pub fn equals_within(&self, other: &Self, tolerance: Tolerance) -> bool {
        if self.ndim() != other.ndim() {
            return false;
        }
        let close = || -> Result<bool> {
            let alignment = self.axes().aligned(other.axes())?;
            if alignment.axes().len() != self.ndim() {
                return Ok(false);
            }
            if is_text(self.dtype()) && is_text(other.dtype()) {
                return Ok(self
                    .equal(other)?
                    .as_slice::<bool>()
                    .is_some_and(|all| !all.contains(&false)));
            }
            let shape = alignment.axes().shape();
            let left = placed(&self.strided()?, alignment.left(), &shape)?;
            let right = placed(&other.strided()?, alignment.right(), &shape)?;
            kernels::all_close(&left, &right, tolerance)
        };
        close().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::create::ndtest;

    #[test]
    fn elements_are_compared_within_a_tolerance() {
        let array = ndtest([2, 2]).unwrap();
        let near = array.plus(0.05).unwrap();
        let tolerance = Tolerance { absolute: 0.1, ..Tolerance::default() };
        assert!(array.equals_within(&near, tolerance) && !array.equals(&near));
        let part = array.eq_within(&near, Tolerance { relative: 0.03, ..Tolerance::default() });
        assert_eq!(part.unwrap().to_vec::<bool>().unwrap(), [false, false, true, true]);
        let nan = array.times(f64::NAN).unwrap();
        assert!(!nan.equals(&nan) && nan.equals_within(&nan, Tolerance::identical()));
    }
}
