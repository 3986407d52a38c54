//! The text forms of labels, axes and keys. Text is parsed once and never evaluated.
//!
//! | text | is |
//! |---|---|
//! | `a=a0..a2` | the axis `a` of the labels a0, a1, a2 |
//! | `a0,a2` · `1..3,7` | labels |
//! | `a0..b1` | a0, a1, b0, b1: each run of digits and each letter counts for itself |
//! | `2000..2010 step 5` · `..3` | 2000, 2005, 2010 · 0, 1, 2, 3 |
//! | `01..10` | text, because of the zero |

mod key;
mod labels;

pub use key::{is_label, parse_key, parse_keys};
pub use labels::{parse_axis, parse_labels};
