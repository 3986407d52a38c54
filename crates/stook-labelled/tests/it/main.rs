//! What the crate promises, tested from outside.

mod array;
mod cases;
mod selection;
mod text;
