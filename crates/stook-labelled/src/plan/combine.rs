//! Several axes as one: what points over them are called.

use std::sync::Arc;

use crate::axes::AxisCollection;
use crate::axis::{Axis, AxisName};
use crate::labels::Labels;

/// The axis of points that lie at positions of each of some of `axes`: names and labels joined by
/// `sep`. An axis without a name is called by its position, unless none has a name.
#[must_use]
pub(crate) fn combine(axes: &AxisCollection, columns: &[(usize, &[usize])], sep: &str) -> Axis {
    let name = combined_name(axes, columns.iter().map(|(at, _)| *at), sep);
    let columns =
        columns.iter().map(|(at, positions)| (axes[*at].labels().clone(), Arc::from(*positions)));
    Axis::new(Labels::joined(columns.collect(), sep), name)
}

/// What the axes at `positions` are called together.
pub(crate) fn combined_name(
    axes: &AxisCollection,
    positions: impl Iterator<Item = usize> + Clone,
    sep: &str,
) -> Option<AxisName> {
    let is_anonymous = positions.clone().all(|at| axes[at].name().is_none());
    let name = |at: usize| axes[at].name().map_or_else(|| at.to_string(), AxisName::to_string);
    let names: Vec<String> = positions.map(name).collect();
    (!is_anonymous).then(|| AxisName::from(names.join(sep)))
}
