//! Elements at labels that an axis may not have.

use stook_core::Result;

use crate::array::Array;
use crate::array::arithmetic::Operand;
use crate::array::put::missing;
use crate::axis::AxisRef;
use crate::kernels;
use crate::labels::Labels;
use crate::plan::MissingLabels;

impl Array {
    /// The elements at `labels` of one axis, in that order; `policy` says what becomes of those that
    /// it does not have. Where some are filled in, whole numbers and truth values become floats.
    ///
    /// ```
    /// use stook_labelled::{Labels, MissingLabels, ndtest};
    ///
    /// # fn main() -> stook_core::Result<()> {
    /// let array = ndtest([3])?;
    /// let labels = Labels::from_strings(["a2", "a9", "a0"]);
    /// assert!(array.at_labels("a", &labels, MissingLabels::Refuse).is_err());
    /// let found = array.at_labels("a", &labels, MissingLabels::Skip)?;
    /// assert_eq!(found.to_vec::<i64>()?, [2, 0]);
    /// let filled = array.at_labels("a", &labels, MissingLabels::Fill)?;
    /// assert_eq!(filled.to_string(), "a   a2   a9   a0\n   2.0  nan  0.0");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`Array::reindex`] fills in another value.
    ///
    /// # Errors
    /// `NotFound` if there is no such axis, and for labels that it does not have if they are refused;
    /// `Unsupported` if they are to be filled in and nothing stands for a missing element of the type.
    pub fn at_labels(
        &self,
        axis: impl Into<AxisRef>,
        labels: &Labels,
        policy: MissingLabels,
    ) -> Result<Self> {
        let plan = self.axes().at_labels(&axis.into(), labels, policy)?;
        // A number goes with the type of others: a float stays as wide as it is.
        let nothing = if kernels::is_number(self.dtype()) {
            Operand::Float(f64::NAN)
        } else {
            Operand::from(missing(self.dtype())?)
        };
        self.reindexed(&plan, nothing)
    }
}

#[cfg(test)]
mod tests {
    use stook_core::DType;
    use stook_core::dtype::{TimeBase, TimeUnit};

    use super::*;
    use crate::array::create::ndtest;
    use crate::axes::AxisCollection;

    fn asked() -> Labels {
        Labels::from_strings(["a1", "z", "a0"])
    }

    fn filled(array: &Array) -> Array {
        array.at_labels("a", &asked(), MissingLabels::Fill).unwrap()
    }

    #[test]
    fn elements_go_with_their_labels_on_any_axis() {
        let array = ndtest([2, 2]).unwrap();
        let found = array.at_labels("a", &asked(), MissingLabels::Skip).unwrap();
        assert_eq!(found.to_vec::<i64>().unwrap(), [2, 3, 0, 1]);
        let labels = Labels::from_strings(["b1", "b9"]);
        let found = array.at_labels("b", &labels, MissingLabels::Fill).unwrap();
        assert_eq!(found.axes().info(), "2 x 2\n a [2]: 'a0' 'a1'\n b [2]: 'b1' 'b9'");
        let elements = found.to_vec::<f64>().unwrap();
        assert_eq!((elements[0], elements[2]), (1.0, 3.0));
        assert!(elements[1].is_nan() && elements[3].is_nan());
    }

    #[test]
    fn nothing_is_filled_in_where_every_label_is_there() {
        let array = ndtest([2]).unwrap();
        let labels = Labels::from_strings(["a1", "a0"]);
        for policy in [MissingLabels::Refuse, MissingLabels::Skip, MissingLabels::Fill] {
            let found = array.at_labels("a", &labels, policy).unwrap();
            assert_eq!(found.to_vec::<i64>().unwrap(), [1, 0]);
            assert_eq!(found.dtype(), &DType::Int64);
        }
        let none = Labels::from_strings(["x", "y"]);
        let found = array.at_labels("a", &none, MissingLabels::Skip).unwrap();
        assert_eq!((found.shape(), found.dtype()), (vec![0], &DType::Int64));
    }

    #[test]
    fn what_is_filled_in_fits_the_type() {
        let axes = || AxisCollection::parse("a=a0,a1").unwrap();
        let narrow = Array::from_elements(axes(), &[1.0_f32, 2.0]).unwrap();
        assert_eq!(filled(&narrow).dtype(), &DType::Float32);
        let truths = Array::from_elements(axes(), &[true, false]).unwrap();
        assert_eq!(filled(&truths).dtype(), &DType::Float64);
        let texts = filled(&Array::from_texts(axes(), &["x", "y"]).unwrap());
        assert_eq!(texts.texts().unwrap(), ["y", "", "x"]);
        let fixed = Array::from_texts(axes(), &["x", "y"]).unwrap().data().clone();
        let fixed = crate::store::kept::retype((*fixed).clone(), &DType::Unicode(3)).unwrap();
        let fixed = filled(&Array::new(axes(), fixed).unwrap());
        assert_eq!(fixed.data().text_at(0).unwrap(), "y");
        assert_eq!(fixed.data().text_at(1).unwrap(), "");
        let days = DType::DateTime(TimeUnit { base: TimeBase::Day, count: 1 });
        let items = stook_core::element::as_bytes(&[5_i64, 6]).to_vec();
        let days = stook_core::Values::new(days, vec![2], items, Vec::new()).unwrap();
        let days = filled(&Array::new(axes(), days).unwrap());
        assert_eq!(days.data().items(), stook_core::element::as_bytes(&[6, i64::MIN, 5]));
    }
}
