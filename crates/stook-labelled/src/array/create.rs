//! New arrays.

use stook_core::{DType, Error, Result, Values};

use crate::array::Array;
use crate::array::arithmetic::Operand;
use crate::axes::AxisCollection;
use crate::axis::{Axis, AxisRef};
use crate::kernels;
use crate::labels::Labels;

/// What new arrays have for axes: a collection, text as in [`crate::syntax`], or a shape, whose axes
/// count positions.
pub trait IntoAxes {
    /// The axes.
    ///
    /// # Errors
    /// Those of [`AxisCollection::parse`].
    fn into_axes(self) -> Result<AxisCollection>;
}

impl IntoAxes for AxisCollection {
    fn into_axes(self) -> Result<AxisCollection> {
        Ok(self)
    }
}

impl IntoAxes for &AxisCollection {
    fn into_axes(self) -> Result<AxisCollection> {
        Ok(self.clone())
    }
}

impl IntoAxes for Axis {
    fn into_axes(self) -> Result<AxisCollection> {
        Ok(self.into())
    }
}

impl IntoAxes for &str {
    fn into_axes(self) -> Result<AxisCollection> {
        AxisCollection::parse(self)
    }
}

impl<const N: usize> IntoAxes for [usize; N] {
    fn into_axes(self) -> Result<AxisCollection> {
        Ok(self.into_iter().map(|len| Axis::wildcard(len, None::<&str>)).collect())
    }
}

/// What test arrays have for axes: a shape, whose axes are `a`, `b`, … with labels `a0`, `a1`, …, or
/// axes.
pub trait TestAxes {
    /// The axes.
    ///
    /// # Errors
    /// Those of [`AxisCollection::parse`], and `InvalidInput` for more axes than letters.
    fn test_axes(self) -> Result<AxisCollection>;
}

impl<const N: usize> TestAxes for [usize; N] {
    fn test_axes(self) -> Result<AxisCollection> {
        let axis = |(at, len): (usize, usize)| {
            let letter = u8::try_from(at).ok().and_then(|at| b'a'.checked_add(at));
            let letter = letter.filter(u8::is_ascii_lowercase).map(char::from);
            let name = letter.ok_or_else(|| Error::invalid("more axes than letters"))?.to_string();
            let labels = Labels::from_strings((0..len).map(|i| format!("{name}{i}")));
            Ok(Axis::new(labels, Some(name)))
        };
        self.into_iter().enumerate().map(axis).collect()
    }
}

impl TestAxes for &str {
    fn test_axes(self) -> Result<AxisCollection> {
        AxisCollection::parse(self)
    }
}

impl TestAxes for AxisCollection {
    fn test_axes(self) -> Result<AxisCollection> {
        Ok(self)
    }
}

/// An array to try things with: 0, 1, 2, … in C order.
///
/// ```
/// use stook_labelled::ndtest;
///
/// # fn main() -> stook_core::Result<()> {
/// assert_eq!(ndtest([2, 2])?.to_string(), "a\\b  b0  b1\n a0   0   1\n a1   2   3");
/// assert_eq!(ndtest("sex=M,F")?.axes().info(), "2\n sex [2]: 'M' 'F'");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Those of [`AxisCollection::parse`], `LimitExceeded` for more elements than memory.
pub fn ndtest(axes: impl TestAxes) -> Result<Array> {
    let axes = axes.test_axes()?;
    let n = axes.n_elements().and_then(|n| i64::try_from(n).ok());
    let n = n.ok_or_else(|| Error::limit("elements overflow memory"))?;
    let mut data = Vec::new();
    let n_bytes = usize::try_from(n).unwrap_or(usize::MAX);
    data.try_reserve_exact(n_bytes)
        .map_err(|_| Error::limit(format!("{n} elements overflow memory")))?;
    data.extend(0..n);
    Array::from_elements(axes, &data)
}

/// An array of zeros of a type: of texts, empty ones.
///
/// # Errors
/// Those of [`AxisCollection::parse`], `LimitExceeded` for more elements than memory.
pub fn zeros(axes: impl IntoAxes, dtype: DType) -> Result<Array> {
    let axes = axes.into_axes()?;
    let shape = kernels::as_shape(&axes.shape());
    Array::new(axes, Values::zeroed(dtype, shape)?)
}

/// An array of ones of a type.
///
/// # Errors
/// Those of [`zeros`], `Unsupported` for a type that is not one of numbers.
pub fn ones(axes: impl IntoAxes, dtype: DType) -> Result<Array> {
    let one = Array::from_elements(Vec::new().into(), &[true])?.astype(&dtype)?;
    full(axes, one)
}

/// An array of one value, or of an array repeated along the axes that it has not.
///
/// ```
/// use stook_labelled::{full, ndtest};
///
/// # fn main() -> stook_core::Result<()> {
/// assert_eq!(full("a=a0,a1", 1.5)?.to_vec::<f64>()?, [1.5, 1.5]);
/// assert_eq!(full("b=b0,b1;a=a0,a1", ndtest([2])?)?.to_vec::<i64>()?, [0, 1, 0, 1]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Those of [`zeros`], and `InvalidInput` if the axes of the value do not fit.
pub fn full<'v>(axes: impl IntoAxes, value: impl Into<Operand<'v>>) -> Result<Array> {
    let value = value.into().resolved(&DType::Bool)?.into_owned();
    let mut to = zeros(axes, value.dtype().clone())?;
    let all: [crate::Key; 0] = [];
    to.set(all, &value)?;
    Ok(to)
}

/// An array that begins with `initial` along an axis and goes on by steps of `step`.
///
/// ```
/// use stook_labelled::sequence;
///
/// # fn main() -> stook_core::Result<()> {
/// assert_eq!(sequence("year=2015..2018", 5, 2)?.to_vec::<i64>()?, [5, 7, 9, 11]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Those of [`zeros`], `Unsupported` for what can neither be added nor multiplied.
pub fn sequence<'v>(
    axis: impl IntoAxes,
    initial: impl Into<Operand<'v>>,
    step: impl Into<Operand<'v>>,
) -> Result<Array> {
    let axes = axis.into_axes()?;
    let [axis] = axes.as_slice() else {
        return Err(Error::invalid(format!("expected one axis, found {axes}")));
    };
    let counted = ndtest(AxisCollection::from(axis.clone()))?;
    (&counted * step)?.plus(initial)
}

/// A matrix that is one where its axes have the same position, or `shift` more on the second.
///
/// # Errors
/// Those of [`zeros`].
pub fn eye(rows: Axis, columns: Axis, shift: i64) -> Result<Array> {
    let (n_rows, n_columns) = (rows.len(), columns.len());
    let mut data = vec![0.0; n_rows.saturating_mul(n_columns)];
    for row in 0..n_rows {
        let column = i64::try_from(row).ok().and_then(|row| row.checked_add(shift));
        let column = column.and_then(|column| usize::try_from(column).ok());
        if let Some(column) = column.filter(|column| *column < n_columns)
            && let Some(place) = data.get_mut(row * n_columns + column)
        {
            *place = 1.0;
        }
    }
    Array::from_elements(vec![rows, columns].into(), &data)
}

impl Array {
    /// The labels of an axis as an array over it: text, numbers or times.
    ///
    /// # Errors
    /// `NotFound` if there is no such axis, `Unsupported` for labels of several types.
    pub fn labels_array(&self, axis: impl Into<AxisRef>) -> Result<Self> {
        let axis = &self.axes()[self.axes().position_of(&axis.into())?];
        let mixed = || Error::unsupported("labels of several types as elements");
        let values = axis.labels().to_values()?.ok_or_else(mixed)?;
        Self::new(axis.clone().into(), values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_made_of_axes_and_values() {
        assert_eq!(zeros([2, 2], DType::Float32).unwrap().to_vec::<f32>().unwrap(), [0.0; 4]);
        assert_eq!(ones("a=a0,a1", DType::Int8).unwrap().to_vec::<i8>().unwrap(), [1, 1]);
        let axis = Axis::parse("a=a0..a2").unwrap();
        let eye = eye(axis.clone(), axis.renamed(Some("b")), 1).unwrap();
        assert_eq!(eye.to_vec::<f64>().unwrap(), [0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        assert!(sequence("a=a0,a1;b=b0,b1", 0, 1).is_err());
        assert!(zeros([usize::MAX, 2], DType::Int8).is_err());
    }
}
