//! Tables of numbers as text, written and read in blocks by several threads.
//!
//! A line is some labels and then numbers, with a separator between each two:
//!
//! ```text
//! a0,b0,1.5,-2.0
//! a0,b1,,4.0
//! ```
//!
//! Floats have the shortest form that is read as the same number, as Python's `repr` has it. What is
//! no such table (quotes, cells that are no numbers, lines of other lengths) is not read here, and
//! left to those who know more forms.

mod parse;
mod write;

pub use parse::{Cells, Column, Table, parse};
pub use write::{Numbers, Rows, push_float, write};
