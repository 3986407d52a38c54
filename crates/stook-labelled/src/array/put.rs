//! Writing to arrays by label and by position.

use stook_core::{DType, Error, Result};

use crate::array::Array;
use crate::array::arithmetic::Operand;
use crate::array::get::{Keys, along, picked};
use crate::group::PositionKey;
use crate::kernels::{self, Strided, StridedMut};
use crate::plan::AxesSelection;

impl Array {
    /// Writes to the elements at labels, which are looked for as in [`Array::get`]: one value to all of
    /// them, or an array, whose axes fit those that are selected. Elements keep their type.
    ///
    /// ```
    /// use stook_labelled::ndtest;
    ///
    /// # fn main() -> stook_core::Result<()> {
    /// let mut array = ndtest([2, 3])?;
    /// array.set(("a0", "b1:b2"), 7)?;
    /// array.set("b0", &array.get("b2")?)?;
    /// assert_eq!(array.to_vec::<i64>()?, [7, 7, 7, 5, 4, 5]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`Array::get`]; `InvalidInput` if the axes of the value do not fit, `Unsupported` if
    /// its elements are of a greater kind than those of the array.
    pub fn set<'v>(&mut self, keys: impl Keys, value: impl Into<Operand<'v>>) -> Result<()> {
        let selection = self.axes().select(&keys.into_keys())?;
        self.set_selected(&selection, value)
    }

    /// Writes to the elements at points.
    ///
    /// # Errors
    /// Those of [`Array::points`] and [`Array::set`].
    pub fn set_points<'v>(&mut self, keys: impl Keys, value: impl Into<Operand<'v>>) -> Result<()> {
        let selection = self.axes().select_points(&keys.into_keys())?;
        self.set_selected(&selection, value)
    }

    /// Writes to the elements at positions, axis by axis; `None` is all of an axis.
    ///
    /// # Errors
    /// Those of [`Array::at`] and [`Array::set`].
    pub fn set_at<'v>(
        &mut self,
        keys: &[Option<PositionKey>],
        value: impl Into<Operand<'v>>,
    ) -> Result<()> {
        let selection = self.axes().select_positions(keys)?;
        self.set_selected(&selection, value)
    }

    /// Writes to what a plan, made for the axes of this array, selects.
    ///
    /// # Errors
    /// Those of [`Array::set`].
    pub fn set_selected<'v>(
        &mut self,
        selection: &AxesSelection,
        value: impl Into<Operand<'v>>,
    ) -> Result<()> {
        let value = value.into().resolved(self.dtype())?;
        if self.dtype().has_heap() {
            return self.set_heap(selection, &value);
        }
        let value = value.astype(self.dtype()).map_err(|error| error.within("assignment"))?;
        let alignment = selection.axes().aligned(value.axes())?;
        if alignment.axes().len() != selection.axes().len() {
            return Err(Error::invalid(format!(
                "array to assign has axes that the selection has not: {} and {}",
                value.axes(),
                selection.axes()
            )));
        }
        let (shape, order) = picked(selection);
        // The values as the selection has them: in its order, and with its axis of points.
        let spread =
            kernels::filled(value.dtype().clone(), &selection.axes().shape(), |mut out| {
                let placed = placed(&value.strided()?, alignment.right(), out.shape())?;
                kernels::cast(&placed, &mut out)
            })?;
        let spread = Strided::new(value.dtype().clone(), &shape, spread.items())?;
        let spread = spread.transposed(&order)?;
        self.edit(|out, _| kernels::put(out, &along(selection.takes()), &spread))
    }

    /// Text: the payloads of the new items come after those that are there.
    fn set_heap(&mut self, selection: &AxesSelection, value: &Self) -> Result<()> {
        if value.dtype() != self.dtype() {
            let (found, expected) = (value.dtype(), self.dtype());
            return Err(Error::unsupported(format!(
                "assignment of {found} to items of {expected}"
            )));
        }
        let alignment = selection.axes().aligned(value.axes())?;
        if alignment.axes().len() != selection.axes().len() {
            return Err(Error::invalid("array to assign has axes that the selection has not"));
        }
        let dtype = value.dtype().clone();
        let mut items = value.data().items().to_vec();
        let (shape, order) = picked(selection);
        self.edit(|out, heap| {
            let start = heap.len() as u64;
            heap.extend_from_slice(value.data().heap());
            stook_core::values::rebase(&dtype, &mut items, heap, start)?;
            let moved = Strided::new(dtype.clone(), &value.shape(), &items)?;
            let spread = kernels::filled(dtype.clone(), &selection.axes().shape(), |mut out| {
                kernels::cast(&placed(&moved, alignment.right(), out.shape())?, &mut out)
            })?;
            let spread = Strided::new(dtype.clone(), &shape, spread.items())?.transposed(&order)?;
            kernels::put(out, &along(selection.takes()), &spread)
        })
    }

    /// The same array with all elements `value`.
    ///
    /// # Errors
    /// Those of [`Array::set`].
    pub fn filled_with<'v>(&self, value: impl Into<Operand<'v>>) -> Result<Self> {
        let mut to = self.clone();
        let all: [crate::Key; 0] = [];
        to.set(all, value)?;
        Ok(to)
    }
}

/// Elements as a result has them: `source` says for each of its axes which one of theirs it is; along
/// others they are repeated.
pub(crate) fn placed<'a>(
    view: &Strided<'a>,
    source: &[Option<usize>],
    shape: &[usize],
) -> Result<Strided<'a>> {
    // Axes that are not named have length 1: they are repeated.
    let mut order: Vec<usize> = source.iter().flatten().copied().collect();
    let mut view = view.clone();
    for axis in (0..view.shape().len()).rev().filter(|axis| !source.contains(&Some(*axis))) {
        view = view.at(axis, 0)?;
        order.iter_mut().filter(|at| **at > axis).for_each(|at| *at -= 1);
    }
    let view = view.transposed(&order)?;
    let mut own = view.shape().iter();
    let with_ones: Vec<usize> = source
        .iter()
        .map(|axis| if axis.is_some() { own.next().copied().unwrap_or(1) } else { 1 })
        .collect();
    view.with_ones(&with_ones)?.broadcast_to(shape)
}

/// What is written where an array has nothing: no number, no time, or no text.
pub(crate) fn missing(dtype: &DType) -> Result<Array> {
    match dtype {
        DType::DateTime(_) | DType::TimeDelta(_) => {
            let items = stook_core::element::as_bytes(&[i64::MIN]).to_vec();
            let values = stook_core::Values::new(dtype.clone(), Vec::new(), items, Vec::new())?;
            Array::new(Vec::new().into(), values)
        }
        dtype if dtype.has_heap() || matches!(dtype, DType::Unicode(_) | DType::FixedString(_)) => {
            let values = stook_core::Values::zeroed(dtype.clone(), Vec::new())?;
            Array::new(Vec::new().into(), values)
        }
        _ => Array::from_elements(Vec::new().into(), &[f64::NAN]),
    }
}

/// Fills `out` with `value`, an array without axes of its type.
pub(crate) fn fill(out: &mut StridedMut<'_>, value: &Array) -> Result<()> {
    kernels::cast(&value.strided()?, out)
}
