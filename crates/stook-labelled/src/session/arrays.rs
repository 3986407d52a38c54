//! What is done to every array of a session: arithmetic, comparison, orders of axes, alignment.

use stook_core::{Error, Result};

use crate::item::Item;
use crate::kernels::Binary;
use crate::plan::Join;
use crate::scalar::Scalar;
use crate::session::equality::Tolerance;
use crate::session::{Operand, Operation, Session};
use crate::{Array, AxisRef};

impl Session {
    /// What `op` makes of each array and what is called the same in `other`, or the one object that
    /// `other` is. `==` and `!=` compare objects of all kinds.
    #[must_use]
    pub fn compute(&self, op: Binary, other: Operand<'_>) -> Self {
        let operation = match op {
            Binary::Equal | Binary::NotEqual => Operation::Comparison,
            _ => Operation::Arithmetic,
        };
        self.binary(other, operation, |left, right| computed(op, left, right))
    }

    /// Each array with the opposite elements (unary `-`).
    #[must_use]
    pub fn negative(&self) -> Self {
        self.unary(|item| match item {
            Item::Array(array, _) => array.negative().map(Item::from),
            other => Ok(other.clone()),
        })
    }

    /// Each array with how far its elements are from zero (`abs`).
    #[must_use]
    pub fn absolute(&self) -> Self {
        self.unary(|item| match item {
            Item::Array(array, _) => array.absolute().map(Item::from),
            other => Ok(other.clone()),
        })
    }

    /// Each array with its axes in that order, those of them that it has; others come after them.
    ///
    /// # Errors
    /// `InvalidInput` for an axis that is named twice.
    pub fn transposed(&self, axes: &[AxisRef]) -> Result<Self> {
        self.of_arrays(|array| {
            let own = |axis: &&AxisRef| array.axes().position_of(axis).is_ok();
            let own: Vec<AxisRef> = axes.iter().filter(own).cloned().collect();
            // None named would turn them around.
            if own.is_empty() && !axes.is_empty() {
                Ok(array.clone())
            } else {
                array.transposed(own)
            }
        })
    }

    /// Each array without the axes along which its elements do not change.
    ///
    /// # Errors
    /// `Unsupported` for elements that cannot be compared.
    pub fn compact(&self) -> Result<Self> {
        self.of_arrays(Array::compact)
    }

    /// Both sessions with arrays that have the same labels, for the names that both have; what is
    /// missing is `fill_value`.
    ///
    /// # Errors
    /// `InvalidInput` if axes do not fit.
    pub fn align(&self, other: &Self, how: Join, fill_value: f64) -> Result<(Self, Self)> {
        let (mut left, mut right) = (self.copy(), other.copy());
        for (name, item) in self.iter() {
            let (Some(a), Some(b)) = (item.as_array(), other.get(name).and_then(Item::as_array))
            else {
                continue;
            };
            let aligned = a.align(b, how, fill_value);
            let (a, b) = aligned.map_err(|error| error.within(format_args!("`{name}`")))?;
            left.insert(name, a);
            right.insert(name, b);
        }
        Ok((left, right))
    }

    fn of_arrays(&self, change: impl Fn(&Array) -> Result<Array>) -> Result<Self> {
        self.apply(None, |item| match item {
            Item::Array(array, _) => change(array).map(Item::from),
            other => Ok(other.clone()),
        })
    }
}

fn computed(op: Binary, left: &Item, right: &Item) -> Result<Item> {
    if let (Item::Array(a, _), Item::Array(b, _)) = (left, right) {
        return a.binary(op, b).map(Item::from);
    }
    if let (Item::Array(a, _), Item::Scalar(scalar)) = (left, right) {
        let result = match scalar {
            Scalar::Bool(value) => a.binary(op, *value),
            Scalar::Int(value) => match i64::try_from(*value) {
                Ok(value) => a.binary(op, value),
                Err(_) => Err(Error::unsupported(format!("{value} has over 64 bits"))),
            },
            Scalar::Float(value) => a.binary(op, *value),
            Scalar::Text(text) => a.binary(op, &**text),
            other => Err(Error::unsupported(format!("an array and a {}", other.type_name()))),
        };
        return result.map(Item::from);
    }
    let equal = left.equals(right, Tolerance::default());
    match op {
        Binary::Equal => Ok(equal.into()),
        Binary::NotEqual => Ok((!equal).into()),
        _ => Err(Error::unsupported(format!("a {} and a {}", left.type_name(), right.type_name()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        let mut session = Session::new();
        session.insert("x", crate::ndtest("a=a0,a1;b=b0..b2").unwrap());
        session.insert("y", crate::ndtest("b=b0..b2").unwrap());
        session.insert("n", 3);
        session
    }

    #[test]
    fn arrays_are_computed_with_and_others_stay() {
        let session = session();
        let difference = session.compute(Binary::Subtract, Operand::Session(&session));
        let zeros = difference.get("x").and_then(Item::as_array).unwrap();
        assert!(zeros.data().items().iter().all(|&byte| byte == 0));
        assert_eq!(difference.get("n").and_then(Item::as_scalar), Some(&3.into()));
        let two = Item::from(2);
        let double = session.compute(Binary::Multiply, Operand::Item(&two));
        let half = double.compute(Binary::Divide, Operand::Item(&two));
        let equal = half.element_equals(&session, Tolerance::default());
        assert!(equal.iter().all(|(_, equal)| *equal), "{equal:?}");
        let compared = session.compute(Binary::Equal, Operand::Session(&session));
        assert_eq!(compared.get("n").and_then(Item::as_scalar), Some(&true.into()));
    }

    #[test]
    fn axes_that_an_array_has_not_are_passed_over() {
        let turned = session().transposed(&["b".into(), "a".into()]).unwrap();
        let names =
            |name: &str| turned.get(name).and_then(Item::as_array).unwrap().axes().to_string();
        assert_eq!((names("x").as_str(), names("y").as_str()), ("{b, a}", "{b}"));
        assert!(turned.equals(&session(), Tolerance::default()));
    }
}
