//! Long runs of bytes: in memory, or in the file that a pickle is read from.

use std::sync::Arc;

use stook_core::file::FileIo;
use stook_core::{Result, SharedBytes};

/// Shorter payloads are read with the objects around them.
pub(super) const MIN_STORED_LEN_BYTES: u64 = 64 << 10;

/// Bytes in a file, which are read when they are asked for.
#[derive(Clone, Debug)]
pub struct Stored {
    pub(super) file: Arc<dyn FileIo>,
    pub(super) offset: u64,
    pub(super) len_bytes: usize,
}

impl Stored {
    /// How many they are.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.len_bytes
    }

    /// Reads them.
    ///
    /// # Errors
    /// `Corrupt` if the file became shorter, `LimitExceeded` without such memory, `Io`.
    pub fn read(&self) -> Result<Vec<u8>> {
        let mut bytes = stook_core::memory::zeroed(self.len_bytes)?;
        self.file.read_exact_at(self.offset, &mut bytes)?;
        Ok(bytes)
    }
}

/// The same place of the same file.
impl PartialEq for Stored {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.file, &other.file)
            && (self.offset, self.len_bytes) == (other.offset, other.len_bytes)
    }
}

/// The items of an array.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// In memory.
    Held(SharedBytes),
    /// In the file that the pickle is in.
    Stored(Stored),
}

impl Payload {
    /// How many bytes they are.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        match self {
            Self::Held(bytes) => bytes.len(),
            Self::Stored(stored) => stored.len_bytes,
        }
    }

    /// The bytes in memory: shared if they are lent, else copied or read.
    ///
    /// # Errors
    /// Those of [`Stored::read`].
    pub fn to_bytes(&self) -> Result<SharedBytes> {
        match self {
            Self::Held(bytes) => Ok(bytes.clone()),
            Self::Stored(stored) => stored.read().map(SharedBytes::from),
        }
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Held(bytes.into())
    }
}

impl From<SharedBytes> for Payload {
    fn from(bytes: SharedBytes) -> Self {
        Self::Held(bytes)
    }
}
