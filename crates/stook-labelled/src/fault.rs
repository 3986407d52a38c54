//! What kind of mistake an error is about, where its [`ErrorKind`](stook_core::ErrorKind) says only
//! that an argument is wrong: Python has exceptions of their own for these.

use std::fmt;

use stook_core::Error;

/// The kind of a wrong argument: the source of an error that says `InvalidInput`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A position is out of bounds.
    Position,
    /// A value is of a type that has no place there.
    Type,
}

impl Fault {
    /// An error of this kind that says `message`.
    #[cold]
    pub fn error(self, message: impl Into<String>) -> Error {
        Error::invalid(message).with_source(self)
    }

    /// The kind of `error`, if it is one of these.
    #[must_use]
    pub fn of(error: &Error) -> Option<Self> {
        std::error::Error::source(error)?.downcast_ref().copied()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Position => "a position out of bounds",
            Self::Type => "a value of a wrong type",
        })
    }
}

impl std::error::Error for Fault {}
