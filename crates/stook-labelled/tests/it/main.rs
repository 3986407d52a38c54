//! What the crate promises, tested from outside.

mod selection;
mod text;
