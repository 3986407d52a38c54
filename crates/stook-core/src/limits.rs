//! What an untrusted file may ask for before it is refused.

use crate::error::{Error, Result};

/// Upper bounds on sizes that come from files; each is checked before anything is allocated.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one decoded chunk (default 4 GiB).
    pub chunk_len_bytes: u64,
    /// Bytes of one metadata document or attribute (default 256 MiB).
    pub metadata_len_bytes: u64,
    /// Nodes listed in one group or hierarchy (default 10 million).
    pub n_nodes: u64,
    /// Bytes of variable-length payload decoded for one request (default 64 GiB).
    pub heap_len_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            chunk_len_bytes: 4 << 30,
            metadata_len_bytes: 256 << 20,
            n_nodes: 10_000_000,
            heap_len_bytes: 64 << 30,
        }
    }
}

impl Limits {
    /// `len_bytes` as a `usize` if one decoded chunk may be that large.
    ///
    /// # Errors
    /// `LimitExceeded` if it may not.
    pub fn chunk(&self, len_bytes: u64) -> Result<usize> {
        within("decoded chunk", len_bytes, self.chunk_len_bytes)
    }

    /// `len_bytes` as a `usize` if a metadata document or attribute may be that large.
    ///
    /// # Errors
    /// `LimitExceeded` if it may not.
    pub fn metadata(&self, len_bytes: u64) -> Result<usize> {
        within("metadata document", len_bytes, self.metadata_len_bytes)
    }

    /// `len_bytes` as a `usize` if variable-length payload may be that large.
    ///
    /// # Errors
    /// `LimitExceeded` if it may not.
    pub fn heap(&self, len_bytes: u64) -> Result<usize> {
        within("variable-length payload", len_bytes, self.heap_len_bytes)
    }
}

fn within(what: &str, found: u64, limit: u64) -> Result<usize> {
    match usize::try_from(found) {
        Ok(len) if found <= limit => Ok(len),
        _ => {
            Err(Error::limit(format!("{what} of {found} bytes exceeds the limit of {limit} bytes")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_size_at_the_limit_passes_and_one_over_does_not() {
        let limits = Limits { chunk_len_bytes: 10, ..Limits::default() };
        assert_eq!(limits.chunk(10).unwrap(), 10);
        assert_eq!(limits.chunk(11).unwrap_err().kind(), ErrorKind::LimitExceeded);
    }
}
