//! Arrays one after the other along an axis, or beside one another along a new one.

use stook_core::{Error, Result};

use crate::axes::AxisCollection;
use crate::axis::{Axis, AxisName, AxisRef};
use crate::labels::Labels;
use crate::plan::shape::Placement;

/// How arrays lie along one axis of the result.
#[derive(Clone, Debug)]
pub struct ConcatPlan {
    axes: AxisCollection,
    axis: usize,
    parts: Vec<Placement>,
}

impl ConcatPlan {
    /// The axes of the result.
    #[must_use]
    pub fn axes(&self) -> &AxisCollection {
        &self.axes
    }

    /// The axis along which the parts lie.
    #[must_use]
    pub fn axis(&self) -> usize {
        self.axis
    }

    /// Each part over the axes of the result; they follow one another along the axis.
    #[must_use]
    pub fn parts(&self) -> &[Placement] {
        &self.parts
    }
}

impl AxisCollection {
    /// How to put arrays with the axes of `parts` one after the other along `axis`, which is one of the
    /// first part's. A part that has not that axis brings the labels beside it, and is repeated for
    /// each of them; the first has it.
    ///
    /// # Errors
    /// `NotFound` if the first part has no such axis, `InvalidInput` for other axes that do not fit.
    pub fn concatenated(parts: &[(&Self, Option<Labels>)], axis: &AxisRef) -> Result<ConcatPlan> {
        let Some((first, _)) = parts.first() else {
            return Err(Error::invalid("nothing to concatenate"));
        };
        let at = first.position_of(axis)?;
        let name = first[at].name().cloned();
        // Along the axis, parts are as long as they like: its place is kept by one that fits all.
        let place = Axis::wildcard(1, name.clone());
        let mut union: Option<Self> = None;
        let mut labels = Vec::with_capacity(parts.len());
        for (axes, new) in parts {
            let own = along(axes, at, name.as_ref())?;
            labels.push(match (own, new) {
                (Some(own), None) => axes[own].labels().clone(),
                (Some(own), Some(new)) if new.len() == axes[own].len() => new.clone(),
                (None, Some(new)) => new.clone(),
                (None, None) => Labels::mixed(vec![crate::label::Label::None]),
                (Some(own), Some(new)) => {
                    let (expected, found) = (axes[own].len(), new.len());
                    return Err(Error::invalid(format!(
                        "expected {expected} labels, found {found}"
                    )));
                }
            });
            let others = axes.replaced(own, &place);
            union = Some(match union {
                None => others,
                Some(union) => union.aligned(&others)?.axes().clone(),
            });
        }
        let union = union.unwrap_or_else(|| Self::new(Vec::new()));
        let axis = Axis::new(Labels::concat(&labels), name.clone());
        let axes = union.replaced(Some(at), &axis);
        let placed = parts.iter().zip(labels).map(|((part, _), labels)| {
            let target = union.replaced(Some(at), &Axis::new(labels, name.clone()));
            let own = along(part, at, name.as_ref())?;
            let source = target
                .iter()
                .enumerate()
                .map(|(i, axis)| if i == at { Ok(own) } else { placed(part, axis, i) });
            Ok(Placement::new(target.clone(), source.collect::<Result<_>>()?))
        });
        Ok(ConcatPlan { axis: at, parts: placed.collect::<Result<_>>()?, axes })
    }

    /// How to put arrays with the axes of `parts` beside one another: `axis`, a label for each, comes
    /// last.
    ///
    /// # Errors
    /// `InvalidInput` for axes that do not fit, and for another number of labels than of parts.
    pub fn stacked(parts: &[&Self], axis: &Axis) -> Result<ConcatPlan> {
        if axis.len() != parts.len() {
            return Err(Error::invalid(format!(
                "cannot stack {} arrays along an axis of length {}",
                parts.len(),
                axis.len()
            )));
        }
        let mut union = Self::new(Vec::new());
        for part in parts {
            union = union.aligned(part)?.axes().clone();
        }
        let one = Axis::wildcard(1, axis.name().cloned());
        let target: Self = union.iter().cloned().chain([one]).collect();
        let placement = |part: &&Self| {
            let source = union.iter().enumerate().map(|(i, axis)| placed(part, axis, i));
            let source = source.chain([Ok(None)]).collect::<Result<_>>()?;
            Ok(Placement::new(target.clone(), source))
        };
        let parts = parts.iter().map(placement).collect::<Result<_>>()?;
        let at = union.len();
        let axes = union.iter().cloned().chain([axis.clone()]).collect();
        Ok(ConcatPlan { axes, axis: at, parts })
    }

    /// These axes with another one at `at`.
    fn replaced(&self, at: Option<usize>, new: &Axis) -> Self {
        let axis = |(i, axis): (usize, &Axis)| {
            if Some(i) == at { new.clone() } else { axis.clone() }
        };
        self.iter().enumerate().map(axis).collect()
    }
}

/// Where the axis of the concatenation is in `axes`: by name, or by position if it has none.
fn along(axes: &AxisCollection, at: usize, name: Option<&AxisName>) -> Result<Option<usize>> {
    match name {
        Some(name) => axes.find(&AxisRef::from(name.clone())),
        None => Ok(axes.get(at).filter(|axis| axis.name().is_none()).map(|_| at)),
    }
}

/// Where `axis`, the one at `at` of the result, is in `part`; `None` where elements are repeated.
fn placed(part: &AxisCollection, axis: &Axis, at: usize) -> Result<Option<usize>> {
    let own = match part.find(&AxisRef::Axis(axis.clone())) {
        Ok(Some(own)) => Some(own),
        _ => part.get(at).filter(|own| own.name().is_none()).map(|_| at),
    };
    Ok(own.filter(|&own| part[own].len() == axis.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(text: &str) -> AxisCollection {
        AxisCollection::parse(text).expect("axes")
    }

    #[test]
    fn parts_follow_one_another() {
        let (ab, more) = (axes("a=a0,a1;b=b0"), axes("c=c0,c1;b=b8,b9"));
        let scalar = AxisCollection::new(Vec::new());
        let parts = [(&ab, None), (&more, None), (&scalar, Some(Labels::from_strings(["z"])))];
        let plan = AxisCollection::concatenated(&parts, &"b".into()).expect("a plan");
        assert_eq!(
            plan.axes().info(),
            "2 x 4 x 2\n a [2]: 'a0' 'a1'\n b [4]: 'b0' 'b8' 'b9' 'z'\n c [2]: 'c0' 'c1'"
        );
        assert_eq!(plan.axis(), 1);
        assert_eq!(plan.parts()[0].source(), [Some(0), Some(1), None]);
        assert_eq!(plan.parts()[1].source(), [None, Some(1), Some(0)]);
        assert_eq!(plan.parts()[2].source(), [None, None, None]);
        assert_eq!(plan.parts()[2].axes().shape(), [2, 1, 2]);
    }

    #[test]
    fn a_new_axis_comes_last() {
        let (ab, b) = (axes("a=a0,a1;b=b0"), axes("b=b0"));
        let axis = Axis::parse("x=x0,x1").expect("an axis");
        let plan = AxisCollection::stacked(&[&b, &ab], &axis).expect("a plan");
        assert_eq!(plan.axes().to_string(), "{b, a, x}");
        assert_eq!(plan.parts()[0].source(), [Some(0), None, None]);
        assert_eq!(plan.parts()[1].source(), [Some(1), Some(0), None]);
        assert!(AxisCollection::stacked(&[&ab], &axis).is_err());
        assert!(AxisCollection::stacked(&[&ab, &axes("b=b1")], &axis).is_err());
    }
}
