//! Broadcasting by name: which axes two arrays have together, and where each has them.

use stook_core::Result;

use crate::axes::AxisCollection;
use crate::axis::Axis;
use crate::plan::select::incompatible;

/// How the elements of two arrays go together.
#[derive(Clone, Debug)]
pub struct Alignment {
    axes: AxisCollection,
    left: Vec<Option<usize>>,
    right: Vec<Option<usize>>,
}

impl Alignment {
    /// The axes of the result: those of the left, then those that only the right has.
    #[must_use]
    pub fn axes(&self) -> &AxisCollection {
        &self.axes
    }

    /// For each axis of the result where the left has it; `None` where its elements are repeated,
    /// as they are along an axis of length 1 that a longer one fits.
    #[must_use]
    pub fn left(&self) -> &[Option<usize>] {
        &self.left
    }

    /// The same for the right.
    #[must_use]
    pub fn right(&self) -> &[Option<usize>] {
        &self.right
    }

    /// Whether both have the axes of the result, in its order.
    #[must_use]
    pub fn is_same(&self) -> bool {
        let in_order =
            |side: &[Option<usize>]| side.iter().enumerate().all(|(at, own)| *own == Some(at));
        in_order(&self.left) && in_order(&self.right)
    }
}

impl AxisCollection {
    /// How elements of arrays with these axes and with `other` go together: axes of one name, and
    /// axes without a name at one position, are the same and must fit.
    ///
    /// # Errors
    /// `InvalidInput` for axes that do not fit: labels are never aligned silently.
    pub fn aligned(&self, other: &Self) -> Result<Alignment> {
        if self.is_same(other) {
            let own: Vec<Option<usize>> = (0..self.len()).map(Some).collect();
            return Ok(Alignment { axes: self.clone(), left: own.clone(), right: own });
        }
        let mut axes: Vec<Axis> = self.iter().cloned().collect();
        let mut left: Vec<Option<usize>> = (0..axes.len()).map(Some).collect();
        let mut right: Vec<Option<usize>> = vec![None; axes.len()];
        for (at, axis) in other.iter().enumerate() {
            let Some(own) = self.counterpart(axis, at, &right) else {
                axes.push(axis.clone());
                left.push(None);
                right.push(Some(at));
                continue;
            };
            let mine = &self[own];
            if !mine.is_compatible(axis) {
                return Err(incompatible(mine, axis));
            }
            right[own] = Some(at);
            axes[own] = together(mine, axis);
            if axis.len() < axes[own].len() {
                right[own] = None;
            } else if mine.len() < axes[own].len() {
                left[own] = None;
            }
        }
        Ok(Alignment { axes: axes.into(), left, right })
    }

    /// The axis of these that `axis`, which is at `at` of another collection, is the same as; those in
    /// `used` have theirs.
    fn counterpart(&self, axis: &Axis, at: usize, used: &[Option<usize>]) -> Option<usize> {
        let is_free = |own: &usize| used.get(*own).is_none_or(Option::is_none);
        if let Some(name) = axis.name() {
            let named = self.iter().position(|own| own.name() == Some(name)).filter(is_free);
            // An axis without a name is the one at its position.
            let nameless = || self.get(at).filter(|own| own.name().is_none()).map(|_| at);
            return named.or_else(|| nameless().filter(is_free));
        }
        (at < self.len()).then_some(at).filter(is_free)
    }
}

/// What two axes that fit are together: with the labels and the name of the one that has some.
fn together(a: &Axis, b: &Axis) -> Axis {
    let is_other = (a.is_wildcard() && !b.is_wildcard())
        || (a.is_wildcard() == b.is_wildcard() && a.len() == 1 && b.len() > 1);
    let labels = if is_other { b.labels() } else { a.labels() };
    Axis::new(labels.clone(), a.name().or(b.name()).cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(text: &str) -> AxisCollection {
        AxisCollection::parse(text).expect("axes")
    }

    #[test]
    fn missing_axes_come_last() {
        let both = axes("a=a0,a1;b=b0,b1").aligned(&axes("c=c0,c1;a=a0,a1")).expect("they fit");
        assert_eq!(both.axes().to_string(), "{a, b, c}");
        assert_eq!(both.left(), [Some(0), Some(1), None]);
        assert_eq!(both.right(), [Some(1), None, Some(0)]);
        assert!(!both.is_same());
        assert!(axes("a=a0").aligned(&axes("a=a0")).expect("they fit").is_same());
    }

    #[test]
    fn different_labels_are_an_error() {
        let error = axes("a=a0,a1").aligned(&axes("a=a1,a0")).expect_err("they do not fit");
        assert_eq!(
            error.message(),
            "incompatible axes:\nAxis(['a1', 'a0'], 'a')\nvs\nAxis(['a0', 'a1'], 'a')"
        );
    }

    #[test]
    fn wildcards_take_the_labels_of_the_other() {
        let wild = |len| AxisCollection::from(Axis::wildcard(len, Some("a")));
        let both = wild(3).aligned(&axes("a=x,y,z")).expect("they fit");
        assert_eq!(both.axes(), &axes("a=x,y,z"));
        assert!(both.is_same());
        let one = wild(1).aligned(&axes("a=x,y,z")).expect("they fit");
        assert_eq!((one.left(), one.right()), (&[None][..], &[Some(0)][..]));
        assert!(wild(2).aligned(&axes("a=x,y,z")).is_err());
        assert!(axes("a=x").aligned(&axes("a=x,y,z")).is_err());
    }

    #[test]
    fn axes_without_a_name_are_known_by_their_position() {
        let both = axes("p,q;u,v,w").aligned(&axes("p,q")).expect("they fit");
        assert_eq!(both.right(), [Some(0), None]);
        assert!(axes("p,q;u,v,w").aligned(&axes("u,v,w")).is_err());
        assert!(axes("a=a0,a1").aligned(&axes("p,q")).is_err());
    }
}
