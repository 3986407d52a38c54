//! Classes whose objects are data because the one who reads says so: an object is kept as what it
//! was made of, and nothing of its class is known or run.

use super::node::NodeId;

/// A class, by the names that a pickle has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Class {
    /// The module that Python imports it from.
    pub module: &'static str,
    /// Its name there.
    pub name: &'static str,
}

/// An object of a [`Class`].
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its class.
    pub class: Class,
    /// What it was made of (`cls.__new__(cls, *arguments)`).
    pub arguments: Vec<NodeId>,
    /// The state that it was given (`__setstate__`).
    pub state: Option<NodeId>,
    /// What it holds as a dictionary.
    pub items: Vec<(NodeId, NodeId)>,
}

impl Object {
    /// An object without arguments, state and items.
    #[must_use]
    pub fn new(class: Class) -> Self {
        Self { class, arguments: Vec::new(), state: None, items: Vec::new() }
    }
}
