//! What the crate promises, tested from outside.

mod array;
mod selection;
mod text;
