//! Bytes in memory that are one's own, or that their owner lends for as long as somebody has them.

use std::ops::Deref;
use std::sync::Arc;

/// Whoever lends bytes: always the same ones, at the same place.
pub type Owner = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// Bytes that nobody changes. Those that are lent are cloned for nothing.
#[derive(Clone)]
pub struct SharedBytes(Inner);

#[derive(Clone)]
enum Inner {
    Own(Vec<u8>),
    Lent(Owner),
}

impl SharedBytes {
    /// The bytes that `owner` lends; they are not copied.
    #[must_use]
    pub fn lent(owner: Owner) -> Self {
        Self(Inner::Lent(owner))
    }

    /// The bytes as one's own: a copy of those that are lent.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        match self.0 {
            Inner::Own(bytes) => bytes,
            Inner::Lent(owner) => (*owner).as_ref().to_vec(),
        }
    }
}

impl From<Vec<u8>> for SharedBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Inner::Own(bytes))
    }
}

impl Deref for SharedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Inner::Own(bytes) => bytes,
            Inner::Lent(owner) => (**owner).as_ref(),
        }
    }
}

impl PartialEq for SharedBytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

/// How many there are, not each of them.
impl std::fmt::Debug for SharedBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lent_bytes_are_those_of_their_owner() {
        let owner: Owner = Arc::new(vec![1_u8, 2, 3]);
        let lent = SharedBytes::lent(Arc::clone(&owner));
        assert_eq!(lent.as_ptr(), (*owner).as_ref().as_ptr());
        assert_eq!(lent, SharedBytes::from(vec![1, 2, 3]));
        drop(owner);
        assert_eq!(lent.clone().into_vec(), [1, 2, 3]);
    }
}
