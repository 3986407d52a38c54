//! Arrays in long form: a row for each element, with a label for each axis.

use std::sync::Arc;

use stook_core::{Error, Result, Values};

use crate::array::Array;
use crate::array::put::{fill, missing};
use crate::axis::{Axis, AxisName};
use crate::kernels::{self, Along, Strided};
use crate::labels::Labels;

/// A row for each element.
#[derive(Clone, Debug)]
pub struct Long {
    /// What the columns of labels are called.
    pub names: Vec<Option<AxisName>>,
    /// The labels of each row, column by column.
    pub labels: Vec<Labels>,
    /// The element of each row, of one dimension.
    pub values: Arc<Values>,
}

impl Array {
    /// The elements in C order with their labels.
    ///
    /// ```
    /// use stook_labelled::{Array, ndtest};
    ///
    /// # fn main() -> stook_core::Result<()> {
    /// let array = ndtest([2, 2])?;
    /// let long = array.to_long()?;
    /// assert_eq!(long.labels[1].iter().map(|label| label.to_string()).collect::<Vec<_>>(), [
    ///     "b0", "b1", "b0", "b1"
    /// ]);
    /// assert!(Array::from_long(&long)?.equals(&array));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `LimitExceeded` if there is no memory.
    pub fn to_long(&self) -> Result<Long> {
        let n = self.size();
        let mut labels = Vec::with_capacity(self.ndim());
        let mut period = n;
        for axis in self.axes() {
            period = period.checked_div(axis.len()).unwrap_or(0);
            let position = |row: usize| row.checked_div(period).unwrap_or(0) % axis.len().max(1);
            labels.push(axis.labels().take(&(0..n).map(position).collect::<Vec<_>>())?);
        }
        let values = Values::clone(self.data()).reshaped(vec![n as u64])?;
        Ok(Long { names: self.axes().names(), labels, values: Arc::new(values) })
    }

    /// The array of rows, in any order: axes have their labels in the order in which they are met;
    /// what no row says is not a number. Of rows with the same labels the last one wins.
    ///
    /// # Errors
    /// `InvalidInput` if columns are not equally long, `LimitExceeded` if the axes have more elements
    /// than memory, `Unsupported` if nothing stands for missing elements of that type.
    pub fn from_long(rows: &Long) -> Result<Self> {
        Self::of_rows(rows, true)
    }

    /// The array of rows of which no two have the same labels.
    ///
    /// # Errors
    /// Those of [`Array::from_long`]; `Unsupported` if two rows have the same labels.
    #[cfg_attr(not(feature = "arrow"), allow(dead_code, reason = "of formats that are left out"))]
    pub(crate) fn from_long_once(rows: &Long) -> Result<Self> {
        Self::of_rows(rows, false)
    }

    fn of_rows(rows: &Long, last_wins: bool) -> Result<Self> {
        let n = rows.values.len();
        if rows.labels.len() != rows.names.len()
            || rows.labels.iter().any(|labels| labels.len() != n)
        {
            return Err(Error::invalid(format!("expected {n} labels in each column")));
        }
        let mut axes = Vec::with_capacity(rows.labels.len());
        let mut columns = Vec::with_capacity(rows.labels.len());
        for (labels, name) in rows.labels.iter().zip(&rows.names) {
            let unique = labels.union(&labels.slice(0, 1, 0)?);
            let lost = || Error::invalid("a label that is not equal to itself");
            let positions =
                labels.iter_refs().map(|label| unique.position_ref(label).ok_or_else(lost));
            columns.push(positions.collect::<Result<Vec<usize>>>()?);
            axes.push(Axis::new(unique, name.clone()));
        }
        let axes = crate::AxisCollection::from(axes);
        let n_elements = axes.n_elements();
        let overflow =
            || Error::limit(format!("axes of lengths {:?} overflow memory", axes.shape()));
        let n_elements = n_elements.ok_or_else(overflow)?;
        let source = Self::new(Axis::wildcard(n, None::<&str>).into(), Arc::clone(&rows.values))?;
        let mut is_there = Vec::new();
        is_there.try_reserve_exact(n_elements).map_err(|_| overflow())?;
        is_there.resize(n_elements, false);
        let shape = axes.shape();
        for row in 0..n {
            let at = columns.iter().zip(&shape).fold(0, |at, (column, len)| at * len + column[row]);
            let Some(place) = is_there.get_mut(at) else { continue };
            if *place && !last_wins {
                let label =
                    |(labels, _): (&Labels, _)| labels.get(row).map(|label| label.to_string());
                let labels: Vec<String> =
                    rows.labels.iter().zip(&columns).filter_map(label).collect();
                let message = format!("several rows have the labels {}", labels.join(", "));
                return Err(Error::unsupported(message));
            }
            *place = true;
        }
        let nothing = if is_there.contains(&false) { Some(missing(source.dtype())?) } else { None };
        let dtype = match &nothing {
            Some(nothing) => kernels::promote(source.dtype(), nothing.dtype())?,
            None => source.dtype().clone(),
        };
        let source = source.astype(&dtype)?;
        source.made(axes, dtype.clone(), |mut out| {
            if let Some(nothing) = &nothing {
                fill(&mut out, &nothing.astype(&dtype)?)?;
            }
            let points: Vec<Along<'_>> =
                columns.iter().map(|column| Along::Points(column)).collect();
            let values = Strided::of(source.data())?;
            if points.is_empty() {
                return if n == 0 {
                    Ok(())
                } else {
                    kernels::put(&mut out, &[], &values.at(0, n - 1)?)
                };
            }
            kernels::put(&mut out, &points, &values)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_in_any_order_make_an_array() {
        let rows = Long {
            names: vec![Some("a".into()), Some("b".into())],
            labels: vec![Labels::from_strings(["x", "y", "x"]), Labels::from_ints(&[2, 1, 1])],
            values: Arc::clone(crate::ndtest([3]).unwrap().data()),
        };
        let array = Array::from_long(&rows).unwrap();
        assert_eq!(array.axes().info(), "2 x 2\n a [2]: 'x' 'y'\n b [2]: 2 1");
        let elements = array.to_vec::<f64>().unwrap();
        assert!(elements[..2] == [0.0, 2.0] && elements[2].is_nan() && elements[3] == 1.0);
    }
}
