//! One axis as several: its labels taken apart.

use std::collections::HashMap;
use std::sync::Arc;

use stook_core::{Error, Result};

use crate::axes::AxisCollection;
use crate::axis::{Axis, AxisName};
use crate::labels::Labels;

/// How the elements along one axis lie over several.
#[derive(Clone, Debug)]
pub struct SplitPlan {
    axes: AxisCollection,
    axis: usize,
    n_axes: usize,
    positions: Option<Arc<[Option<usize>]>>,
}

impl SplitPlan {
    /// The axes of the result.
    #[must_use]
    pub fn axes(&self) -> &AxisCollection {
        &self.axes
    }

    /// Where the axis is that is taken apart.
    #[must_use]
    pub fn axis(&self) -> usize {
        self.axis
    }

    /// How many axes it becomes.
    #[must_use]
    pub fn n_axes(&self) -> usize {
        self.n_axes
    }

    /// For each element along the new axes, in C order, where it is along the old one; `None` for one
    /// that there is not. Nothing at all if they are the same, one after the other.
    #[must_use]
    pub fn positions(&self) -> Option<&[Option<usize>]> {
        self.positions.as_deref()
    }
}

impl AxisCollection {
    /// How to make several axes of the one at `axis`: `take_apart` gives the parts of a label, `names`
    /// those of its axes. New axes have their labels in the order in which they are met.
    ///
    /// # Errors
    /// `InvalidInput` if labels have not as many parts as there are names, `LimitExceeded` if the new
    /// axes have more elements than memory.
    pub fn split(
        &self,
        axis: usize,
        names: &[AxisName],
        take_apart: impl Fn(&str) -> Option<Vec<String>>,
    ) -> Result<SplitPlan> {
        let old =
            self.get(axis).ok_or_else(|| Error::invalid(format!("there is no axis {axis}")))?;
        let mut columns: Vec<Column> = names.iter().map(|_| Column::default()).collect();
        let mut cells = Vec::with_capacity(old.len());
        for label in old.labels().iter_refs() {
            let parts = take_apart(&label.to_string()).unwrap_or_default();
            if parts.len() != names.len() {
                return Err(Error::invalid("not all labels have the same number of separators"));
            }
            let at = columns.iter_mut().zip(parts).map(|(column, part)| column.add(part));
            cells.push(at.collect::<Vec<usize>>());
        }
        let lens: Vec<usize> = columns.iter().map(|column| column.labels.len()).collect();
        let n = lens.iter().try_fold(1_usize, |n, &len| n.checked_mul(len));
        let n = n.filter(|n| n.checked_mul(size_of::<Option<usize>>()).is_some());
        let n =
            n.ok_or_else(|| Error::limit(format!("axes of lengths {lens:?} overflow memory")))?;
        let mut positions = Vec::new();
        positions
            .try_reserve_exact(n)
            .map_err(|_| Error::limit(format!("axes of lengths {lens:?} overflow memory")))?;
        positions.resize(n, None);
        for (source, cell) in cells.iter().enumerate() {
            let flat = cell.iter().zip(&lens).fold(0, |flat, (at, len)| flat * len + at);
            if let Some(place @ None) = positions.get_mut(flat) {
                *place = Some(source);
            }
        }
        let new = columns.into_iter().zip(names).map(|(column, name)| {
            Axis::new(Labels::from_strings(&column.labels), Some(name.clone()))
        });
        let mut axes: Vec<Axis> = self.iter().cloned().collect();
        axes.splice(axis..=axis, new);
        let is_same = n == old.len() && positions.iter().enumerate().all(|(i, at)| *at == Some(i));
        Ok(SplitPlan {
            axes: axes.into(),
            axis,
            n_axes: names.len(),
            positions: (!is_same).then(|| positions.into()),
        })
    }

    /// How to make several axes of the one at `axis`, whose labels and name have `sep` between their
    /// parts; `names` is for an axis whose name has not.
    ///
    /// # Errors
    /// Those of [`AxisCollection::split`], and `InvalidInput` for a name without `sep`.
    pub fn split_at(
        &self,
        axis: usize,
        sep: &str,
        names: Option<&[AxisName]>,
    ) -> Result<SplitPlan> {
        let take_apart = |label: &str| Some(label.split(sep).map(str::to_owned).collect());
        if let Some(names) = names {
            return self.split(axis, names, take_apart);
        }
        let name = self.get(axis).and_then(Axis::name).and_then(AxisName::as_str);
        let Some(name) = name.filter(|name| !sep.is_empty() && name.contains(sep)) else {
            let name = self.display_name(axis);
            return Err(Error::invalid(format!("{sep} not found in axis name ({name})")));
        };
        let names: Vec<AxisName> = name.split(sep).map(AxisName::from).collect();
        self.split(axis, &names, take_apart)
    }
}

/// The labels of one new axis, in the order in which they were met.
#[derive(Default)]
struct Column {
    labels: Vec<String>,
    positions: HashMap<String, usize>,
}

impl Column {
    fn add(&mut self, label: String) -> usize {
        if let Some(&at) = self.positions.get(&label) {
            return at;
        }
        let at = self.labels.len();
        self.positions.insert(label.clone(), at);
        self.labels.push(label);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, axis: usize) -> Result<SplitPlan> {
        AxisCollection::parse(text).expect("axes").split_at(axis, "_", None)
    }

    #[test]
    fn what_is_in_order_needs_no_positions() {
        let plan = split("k=k0;a_b=a0_b0,a0_b1,a1_b0,a1_b1", 1).expect("a plan");
        assert_eq!(
            plan.axes().info(),
            "1 x 2 x 2\n k [1]: 'k0'\n a [2]: 'a0' 'a1'\n b [2]: 'b0' 'b1'"
        );
        assert_eq!(plan.positions(), None);
    }

    #[test]
    fn what_is_missing_has_no_position() {
        let plan = split("a_b=a1_b0,a0_b1,a1_b1", 0).expect("a plan");
        assert_eq!(plan.axes().info(), "2 x 2\n a [2]: 'a1' 'a0'\n b [2]: 'b0' 'b1'");
        assert_eq!(plan.positions(), Some(&[Some(0), Some(2), None, Some(1)][..]));
    }

    #[test]
    fn labels_without_the_separator_are_refused() {
        let error = split("a_b=a0_b0,a0", 0).expect_err("one part");
        assert_eq!(error.message(), "not all labels have the same number of separators");
        let error = split("a=a0_b0", 0).expect_err("one name");
        assert_eq!(error.message(), "_ not found in axis name (a)");
    }
}
