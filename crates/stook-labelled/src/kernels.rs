//! Work on the elements of arrays, without axes or labels: what plans are carried out with.
//!
//! A kernel takes [`Strided`] memory, in any layout, of any numeric type, and fills [`StridedMut`]
//! memory that its caller made, so that it serves arrays of this crate and those of numpy alike.
//! Types and values that come out are those of numpy: sums of integers widen, means are floats,
//! division of integers is Python's, types are promoted as numpy 2 promotes them.
//!
//! Invariants: all `unsafe` is in `memory`, `memory_mut`, `tiles`, `gather`, `pick` and `wide`;
//! kernels walk tiles of about a thousand elements, which stay in the processor's first cache; large
//! arrays are worked on by several threads, and what comes out does not depend on their number.

mod arithmetic;
mod binary;
mod closeness;
mod filter;
mod fold;
mod folds;
mod gather;
mod item;
mod lanes;
mod layout;
mod memory;
mod memory_mut;
mod order;
mod pick;
mod plain;
mod promote;
mod quantile;
mod reduce;
mod scan;
mod threads;
mod tiles;
mod unary;
mod wide;

pub use binary::{Binary, binary, binary_dtype};
pub use closeness::{Tolerance, all_close, element_equals};
pub use filter::{Filter, count_true, true_positions, unravel};
pub use layout::Layout;
pub(crate) use memory::as_shape;
pub use memory::{Strided, broadcast_shape, filled};
pub use memory_mut::StridedMut;
pub use order::{Extreme, arg_extreme, argsort, sort};
pub use pick::{Along, picked_shape, put, take};
pub use plain::{Plain, Side, plain};
pub(crate) use promote::is_number;
pub use promote::{can_cast, promote};
pub use quantile::{Quantile, quantile, quantile_dtype};
pub use reduce::{Missing, Reduction, reduce, reduce_groups, reduction_dtype};
pub use scan::{Scan, scan, scan_dtype};
pub(crate) use threads::n_threads;
pub use unary::{Unary, cast, unary, unary_dtype};
