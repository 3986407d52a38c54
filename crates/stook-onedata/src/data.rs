//! What a load gives: elements where they lie in their file, or in memory.

use std::sync::Arc;

use stook::npy::ObjectArray;
use stook::sparse::Sparse;
use stook::{Array, Selection};
use stook_core::{Error, Limits, Result, Values};

/// Something loaded. Cheap to clone, and never changed: what is shared stays as it is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Data {
    /// An array in its file, of which parts can be read without the rest.
    Array(Array),
    /// An array in memory, in C order.
    Values(Arc<Values>),
    /// A sparse matrix.
    Sparse(Arc<Sparse>),
    /// Python objects, as data.
    Objects(Arc<ObjectArray>),
    /// Several, such as one a plane.
    List(Vec<Self>),
}

impl Data {
    /// What it is, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Array(_) | Self::Values(_) => "array",
            Self::Sparse(_) => "sparse matrix",
            Self::Objects(_) => "array of objects",
            Self::List(_) => "list",
        }
    }

    /// The shape; of a list, how many there are.
    #[must_use]
    pub fn shape(&self) -> Vec<u64> {
        match self {
            Self::Array(array) => array.shape(),
            Self::Values(values) => values.shape().to_vec(),
            Self::Sparse(matrix) => matrix.shape().to_vec(),
            Self::Objects(objects) => objects.shape().to_vec(),
            Self::List(items) => vec![items.len() as u64],
        }
    }

    /// The bytes of memory that it holds, besides what is in its file.
    #[must_use]
    pub fn len_bytes(&self) -> u64 {
        match self {
            Self::Array(_) => 0,
            Self::Values(values) => (values.items().len() + values.heap().len()) as u64,
            Self::Sparse(matrix) => {
                // Of 64 bits each at most.
                let n_entries = matrix.data().shape().first().copied().unwrap_or(0);
                let n_pointers = matrix.shape().into_iter().max().unwrap_or(0);
                let items = matrix.data().items().len() as u64;
                items.saturating_add(n_entries.saturating_add(n_pointers).saturating_mul(8))
            }
            // Objects take several times what their pickle does; the number of elements is known.
            Self::Objects(objects) => (objects.elements().len() as u64).saturating_mul(1024),
            Self::List(items) => items.iter().map(Self::len_bytes).fold(0, u64::saturating_add),
        }
    }

    /// All elements as an array in memory; a sparse matrix with its zeros.
    ///
    /// # Errors
    /// `Unsupported` for objects and lists, `LimitExceeded`, and those of reading.
    pub fn values(&self, limits: &Limits) -> Result<Arc<Values>> {
        match self {
            Self::Array(array) => array.read(&Selection::All).map(Arc::new),
            Self::Values(values) => Ok(Arc::clone(values)),
            Self::Sparse(matrix) => matrix.to_dense(limits).map(Arc::new),
            Self::Objects(_) | Self::List(_) => Err(self.unfit("values")),
        }
    }

    /// The error of data of this kind where another is needed.
    pub(crate) fn unfit(&self, expected: &str) -> Error {
        Error::unsupported(format!(
            "expected {expected}, found {} {}",
            article(self.kind()),
            self.kind()
        ))
    }
}

fn article(word: &str) -> &'static str {
    if word.starts_with('a') { "an" } else { "a" }
}

impl From<Values> for Data {
    fn from(values: Values) -> Self {
        Self::Values(Arc::new(values))
    }
}
