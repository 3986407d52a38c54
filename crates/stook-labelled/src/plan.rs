//! Plans: what a result has for axes and where its elements come from, made of labels alone.

mod aggregate;
mod align;
mod combine;
mod concat;
mod join;
mod locate;
mod missing;
mod positions;
mod select;
mod shape;
mod split;

pub use aggregate::{AggregatePlan, AggregateStep, Over};
pub use align::Alignment;
pub use concat::ConcatPlan;
pub use join::{Join, ReindexPlan};
pub use missing::MissingLabels;
pub use positions::{Points, Take};
pub use select::AxesSelection;
pub use shape::{Combine, CombinePlan, CombinedLabels, Placement};
pub use split::SplitPlan;
