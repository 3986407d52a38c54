//! Collections made from others: axes renamed, relabelled, left out; labels dropped and put in order.

use stook_core::{Error, Result};

use crate::axes::AxisCollection;
use crate::axis::{Axis, AxisName, AxisRef};
use crate::key::Key;
use crate::label::Label;
use crate::labels::Labels;
use crate::plan::{AxesSelection, Take};

impl AxisCollection {
    /// With another axis at `position`.
    ///
    /// # Errors
    /// `InvalidInput` if there is no axis, or one of another length.
    pub fn with_axis(&self, position: usize, axis: Axis) -> Result<Self> {
        let mut axes = self.as_slice().to_vec();
        match axes.get_mut(position) {
            Some(place) if place.len() == axis.len() => *place = axis,
            Some(_) => {
                let mut shape = self.shape();
                if let Some(len) = shape.get_mut(position) {
                    *len = axis.len();
                }
                return Err(Error::invalid(format!(
                    "length of axes {} does not match data shape {}",
                    tuple(&shape),
                    tuple(&self.shape())
                )));
            }
            None => return Err(Error::invalid(format!("there is no axis {position}"))),
        }
        Ok(axes.into())
    }

    /// With other names.
    ///
    /// # Errors
    /// `NotFound` for an axis that is not among these.
    pub fn renamed(&self, changes: &[(AxisRef, Option<AxisName>)]) -> Result<Self> {
        let mut axes = self.as_slice().to_vec();
        for (axis, name) in changes {
            let at = self.position_of(axis)?;
            axes[at] = self[at].renamed(name.clone());
        }
        Ok(axes.into())
    }

    /// With other labels on one axis.
    ///
    /// # Errors
    /// `NotFound` for an axis that is not among these, `InvalidInput` for another number of labels.
    pub fn relabelled(&self, axis: &AxisRef, labels: Labels) -> Result<Self> {
        let at = self.position_of(axis)?;
        self.with_axis(at, self[at].with_labels(labels))
    }

    /// With other labels in the place of some, each on the axis that has it.
    ///
    /// # Errors
    /// `InvalidInput` for a label that no axis has, or several.
    pub fn with_labels_replaced(&self, changes: &[(Label, Label)]) -> Result<Self> {
        let mut per_axis: Vec<Vec<(Label, Label)>> = vec![Vec::new(); self.len()];
        for (old, new) in changes {
            let (at, _) = self.locate_label(old.as_ref())?;
            per_axis[at].push((old.clone(), new.clone()));
        }
        let change = |(axis, changes): (&Axis, Vec<(Label, Label)>)| {
            if changes.is_empty() { Ok(axis.clone()) } else { axis.replaced(&changes) }
        };
        self.iter().zip(per_axis).map(change).collect()
    }

    /// Without some of these axes; those that are not among these are passed over.
    #[must_use]
    pub fn without(&self, axes: &[AxisRef]) -> Self {
        let out: Vec<usize> =
            axes.iter().filter_map(|axis| self.find(axis).ok().flatten()).collect();
        let kept = self.iter().enumerate().filter(|(at, _)| !out.contains(at));
        kept.map(|(_, axis)| axis.clone()).collect()
    }

    /// What is left without the labels of `keys`.
    ///
    /// # Errors
    /// Those of [`AxisCollection::select`].
    pub fn dropped(&self, keys: &[Key]) -> Result<AxesSelection> {
        let mut is_out: Vec<Option<Vec<bool>>> = vec![None; self.len()];
        for key in keys {
            let (at, take) = self.locate(key, key)?;
            let is_out = is_out[at].get_or_insert_with(|| vec![false; self[at].len()]);
            for position in take.iter() {
                if let Some(place) = is_out.get_mut(position) {
                    *place = true;
                }
            }
        }
        let left = is_out.into_iter().map(|is_out| {
            let is_out = is_out?;
            let left = is_out.iter().enumerate().filter(|(_, is_out)| !**is_out);
            Some(Take::Positions(left.map(|(at, _)| at).collect()))
        });
        self.take_each(left.collect())
    }

    /// What some axes have in ascending order of their labels, or in descending order.
    ///
    /// # Errors
    /// `NotFound` for an axis that is not among these.
    pub fn sorted(&self, axes: &[AxisRef], order: Order) -> Result<AxesSelection> {
        let mut takes = vec![None; self.len()];
        for axis in axes {
            let at = self.position_of(axis)?;
            let mut positions = self[at].labels().sorted_positions();
            if order == Order::Descending {
                positions.reverse();
            }
            takes[at] = Some(Take::Positions(positions.into()));
        }
        self.take_each(takes)
    }

    /// What some axes have backwards.
    ///
    /// # Errors
    /// `NotFound` for an axis that is not among these.
    pub fn reversed(&self, axes: &[AxisRef]) -> Result<AxesSelection> {
        let mut takes = vec![None; self.len()];
        for axis in axes {
            let at = self.position_of(axis)?;
            let len = self[at].len();
            let last = len.saturating_sub(1);
            takes[at] = Some(Take::Slice { start: last, step: -1, len });
        }
        self.take_each(takes)
    }
}

/// Which labels come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The smallest.
    Ascending,
    /// The largest.
    Descending,
}

/// As Python writes it.
fn tuple(shape: &[usize]) -> String {
    let lens: Vec<String> = shape.iter().map(usize::to_string).collect();
    if let [only] = &*lens { format!("({only},)") } else { format!("({})", lens.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes() -> AxisCollection {
        AxisCollection::parse("a=a2,a0,a1;b=b0..b2").expect("axes")
    }

    #[test]
    fn names_and_labels_change() {
        let renamed = axes().renamed(&[("a".into(), Some("z".into()))]).expect("axes");
        assert_eq!(renamed.to_string(), "{z, b}");
        assert!(axes().renamed(&[("zz".into(), None)]).is_err());
        let labels = Labels::from_strings(["x"]);
        let error = axes().relabelled(&"a".into(), labels).expect_err("one label");
        assert_eq!(error.message(), "length of axes (1, 3) does not match data shape (3, 3)");
        let changes = [("a0".into(), "x".into()), ("b2".into(), "y".into())];
        let changed = axes().with_labels_replaced(&changes).expect("axes");
        assert_eq!(changed.info(), "3 x 3\n a [3]: 'a2' 'x' 'a1'\n b [3]: 'b0' 'b1' 'y'");
        assert_eq!(axes().without(&["a".into(), "zz".into()]).to_string(), "{b}");
    }

    #[test]
    fn labels_are_dropped_and_put_in_order() {
        let info = |selection: Result<AxesSelection>| selection.expect("one").axes().info();
        assert_eq!(
            info(axes().dropped(&["a0".into(), "b0:b1".into()])),
            "2 x 1\n a [2]: 'a2' 'a1'\n b [1]: 'b2'"
        );
        assert_eq!(
            info(axes().sorted(&["a".into()], Order::Ascending)),
            "3 x 3\n a [3]: 'a0' 'a1' 'a2'\n b [3]: 'b0' 'b1' 'b2'"
        );
        assert_eq!(
            info(axes().reversed(&["b".into()])),
            "3 x 3\n a [3]: 'a2' 'a0' 'a1'\n b [3]: 'b2' 'b1' 'b0'"
        );
        assert!(axes().dropped(&["zz".into()]).is_err());
    }
}
