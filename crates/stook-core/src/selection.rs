//! Selections.
/// A selection along an axis.
#[derive(Debug)]
pub struct AxisSelection;
/// A selection.
#[derive(Debug)]
pub struct Selection;
