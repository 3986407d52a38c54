//! Plans: what a result has for axes and where its elements come from, made of labels alone.

mod align;
mod combine;
mod locate;
mod positions;
mod select;

pub use align::Alignment;
pub use positions::{Points, Take};
pub use select::AxesSelection;
