//! Calculations with whole sessions, name by name.
//!
//! The result has all names, those of the left side first. Where a name is on one side only, or the
//! calculation fails, there is the scalar NaN; what is no array stays as it is on the left side.

use stook_core::Result;

use crate::item::{Item, ItemKind};
use crate::scalar::Scalar;
use crate::session::Session;

/// The other side of a calculation.
#[derive(Clone, Copy, Debug)]
pub enum Operand<'a> {
    /// A session: name by name.
    Session(&'a Session),
    /// One object for all.
    Item(&'a Item),
}

/// Which objects a calculation changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Arithmetic: arrays; others stay as they are on the left side.
    Arithmetic,
    /// `==` and `!=`: all kinds.
    Comparison,
}

impl Session {
    /// What `compute` makes of each object and the one of the same name in `other`.
    pub fn binary(
        &self,
        other: Operand<'_>,
        operation: Operation,
        mut compute: impl FnMut(&Item, &Item) -> Result<Item>,
    ) -> Self {
        let mut names: Vec<&str> = self.keys().collect();
        if let Operand::Session(other) = other {
            names.extend(other.keys().filter(|name| !self.contains(name)));
        }
        let result = names.into_iter().map(|name| {
            let right = match other {
                Operand::Session(other) => other.get(name),
                Operand::Item(item) => Some(item),
            };
            let left = self.get(name);
            let item = match (left, right) {
                (Some(left), _) if operation == Operation::Arithmetic && !is_array(left) => {
                    left.clone()
                }
                (Some(left), Some(right)) => compute(left, right).unwrap_or_else(|_| nan()),
                _ => nan(),
            };
            (name, item)
        });
        result.collect()
    }

    /// What `compute` makes of each array; others stay as they are.
    pub fn unary(&self, mut compute: impl FnMut(&Item) -> Result<Item>) -> Self {
        let result = self.iter().map(|(name, item)| {
            let item = match item.kind() {
                ItemKind::Array => compute(item).unwrap_or_else(|_| nan()),
                _ => item.clone(),
            };
            (name, item)
        });
        result.collect()
    }
}

fn is_array(item: &Item) -> bool {
    item.kind() == ItemKind::Array
}

fn nan() -> Item {
    Item::Scalar(Scalar::Float(f64::NAN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_on_one_side_gives_nan() {
        let left: Session = [("a", 1), ("b", 2)].into_iter().collect();
        let right: Session = [("c", 1), ("b", 2)].into_iter().collect();
        let equal = |a: &Item, b: &Item| Ok((a.as_scalar() == b.as_scalar()).into());
        let result = left.binary(Operand::Session(&right), Operation::Comparison, equal);
        assert_eq!(result.to_string(), "Session(a, b, c)");
        let values: Vec<_> = result.values().filter_map(Item::as_scalar).collect();
        let nan = Scalar::Float(f64::NAN);
        assert_eq!(values, [&nan, &true.into(), &nan]);
        let sum = left.binary(Operand::Session(&right), Operation::Arithmetic, equal);
        assert_eq!(sum.get("b").and_then(Item::as_scalar), Some(&2.into()));
    }
}
