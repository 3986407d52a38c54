//! Labelled arrays: axes with labels, groups of labels, arrays over them, and sessions of all of
//! these.
//!
//! Whatever has to do with labels is a plan that touches no element: parsing keys, finding
//! positions, broadcasting by axis name, which axes a result has. Arrays carry plans out.
//!
//! ```
//! use stook_labelled::{Axis, Label};
//!
//! # fn main() -> stook_core::Result<()> {
//! let axis = Axis::parse("a=a0..a2,b0")?;
//! assert_eq!(axis.len(), 4);
//! assert_eq!(axis.labels().position(&Label::from("b0")), Some(3));
//! # Ok(())
//! # }
//! ```
//!
//! Invariants:
//! - Labels are immutable and shared: axes, collections and groups are cheap to clone.
//! - Where a label occurs twice, the first wins.
//! - Text is parsed to keys and never evaluated.

mod array;
mod axes;
mod axis;
mod fault;
mod group;
mod item;
pub mod kernels;
mod key;
mod label;
mod labels;
mod metadata;
pub mod plan;
mod repr;
mod scalar;
pub mod session;
mod store;
pub mod syntax;
pub mod text;

pub use array::{
    AggregateOptions, Array, DifferenceLabel, IntoAxes, Keys, Long, Operand, Overs, TestAxes,
    concat, eye, full, ndtest, ones, sequence, stack, zeros,
};
pub use axes::{AxisCollection, Order};
pub use axis::{Axis, AxisName, AxisRef};
pub use fault::Fault;
pub use group::{Bounds, Group, GroupKey, LabelKey, PositionKey};
pub use item::{Item, ItemKind};
pub use key::{Key, Lookup, Mask};
pub use label::{Label, LabelRef};
pub use labels::{LabelKind, Labels};
pub use metadata::Metadata;
pub use plan::{Alignment, AxesSelection, MissingLabels, Points, Take};
pub use scalar::{Date, Scalar, Time};
pub use session::Session;
