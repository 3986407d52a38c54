//! Positions and pointers of sparse matrices, of the types that scipy has for them.

use std::borrow::Cow;

use stook::{Error, Result};

/// Indices, borrowed or owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Indices<'a> {
    /// Of `i32`.
    Int32(Cow<'a, [i32]>),
    /// Of `i64`.
    Int64(Cow<'a, [i64]>),
    /// Of `u32`.
    UInt32(Cow<'a, [u32]>),
    /// Of `u64`.
    UInt64(Cow<'a, [u64]>),
}

macro_rules! indices {
    ($($name:ident($rust:ty)),*) => {
        $(
            impl<'a> From<&'a [$rust]> for Indices<'a> {
                fn from(indices: &'a [$rust]) -> Self {
                    Self::$name(Cow::Borrowed(indices))
                }
            }

            impl From<Vec<$rust>> for Indices<'_> {
                fn from(indices: Vec<$rust>) -> Self {
                    Self::$name(Cow::Owned(indices))
                }
            }
        )*

        /// Does something with indices as a slice of their own type.
        macro_rules! with_indices {
            ($indices:expr, $slice:ident => $body:expr) => {
                match $indices {
                    $($crate::matrix::Indices::$name($slice) => $body,)*
                }
            };
        }
    };
}

indices! { Int32(i32), Int64(i64), UInt32(u32), UInt64(u64) }

pub(crate) use with_indices;

/// A type that indices may have.
pub(crate) trait Index: Copy + Send + Sync {
    /// The position; a negative one is beyond everything.
    fn position(self) -> usize;
}

macro_rules! index {
    ($($rust:ty),*) => {$(
        impl Index for $rust {
            #[inline(always)]
            fn position(self) -> usize {
                usize::try_from(self).unwrap_or(usize::MAX)
            }
        }
    )*};
}

index!(i32, i64, u32, u64);

impl Indices<'_> {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        with_indices!(self, indices => indices.len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Index `at`; beyond everything past the end.
    #[must_use]
    pub fn get(&self, at: usize) -> usize {
        with_indices!(self, indices => indices.get(at).map_or(usize::MAX, |&index| index.position()))
    }

    /// Refuses an index that is not below `len`.
    pub(crate) fn check(&self, what: &str, len: usize) -> Result<()> {
        let wrong = with_indices!(self, indices => {
            indices.iter().position(|&index| index.position() >= len)
        });
        match wrong {
            None => Ok(()),
            Some(at) => {
                let found =
                    with_indices!(self, indices => indices.get(at).map(ToString::to_string));
                let found = found.unwrap_or_default();
                Err(Error::invalid(format!("{what} {at}: expected one below {len}, found {found}")))
            }
        }
    }

    /// The same, that nobody else need keep.
    #[must_use]
    pub fn into_owned(self) -> Indices<'static> {
        with_indices!(self, indices => indices.into_owned().into())
    }
}
