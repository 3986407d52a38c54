//! An open array.
/// An open array.
#[derive(Debug)]
pub struct Array;
