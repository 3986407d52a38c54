//! What the reader reads: bytes in memory, or a file, of which it keeps a window.

use std::sync::Arc;

use stook_core::file::FileIo;
use stook_core::{Error, Result};

use super::payload::Stored;

/// How much of a file is read at a time.
const WINDOW_LEN_BYTES: usize = 64 << 10;

pub(super) enum Input<'a> {
    Memory {
        bytes: &'a [u8],
        at: usize,
    },
    File {
        file: Arc<dyn FileIo>,
        /// Bytes of the file, and the next one to be taken.
        len: u64,
        at: u64,
        /// Some of its bytes, and where the first of them is.
        window: Vec<u8>,
        start: u64,
    },
}

impl<'a> Input<'a> {
    pub(super) fn memory(bytes: &'a [u8]) -> Self {
        Self::Memory { bytes, at: 0 }
    }

    pub(super) fn file(file: &Arc<dyn FileIo>) -> Result<Self> {
        let (file, len) = (Arc::clone(file), file.len_bytes()?);
        Ok(Self::File { file, len, at: 0, window: Vec::new(), start: 0 })
    }

    /// Where the next byte is.
    pub(super) fn at(&self) -> u64 {
        match self {
            Self::Memory { at, .. } => *at as u64,
            Self::File { at, .. } => *at,
        }
    }

    /// How many bytes are left.
    pub(super) fn rest(&self) -> u64 {
        match self {
            Self::Memory { bytes, at } => (bytes.len() - at) as u64,
            Self::File { len, at, .. } => len.saturating_sub(*at),
        }
    }

    /// The next `len` bytes, without taking them.
    fn peek(&mut self, len: usize) -> Result<&[u8]> {
        let found = self.rest();
        let short = || Error::corrupt(format!("pickle: expected {len} more bytes, found {found}"));
        if len as u64 > found {
            return Err(short());
        }
        match self {
            Self::Memory { bytes, at } => bytes.get(*at..*at + len).ok_or_else(short),
            Self::File { file, len: total, at, window, start } => {
                let from = |window: &Vec<u8>, start: u64| {
                    let first = usize::try_from(at.checked_sub(start)?).ok()?;
                    let end = first.checked_add(len).filter(|&end| end <= window.len())?;
                    Some(first..end)
                };
                let range = match from(window, *start) {
                    Some(range) => range,
                    None => {
                        let most = usize::try_from(*total - *at).unwrap_or(usize::MAX);
                        window.resize(len.max(WINDOW_LEN_BYTES).min(most), 0);
                        *start = *at;
                        file.read_exact_at(*at, window)?;
                        0..len
                    }
                };
                window.get(range).ok_or_else(short)
            }
        }
    }

    /// The next byte, without taking it.
    pub(super) fn first(&mut self) -> Result<Option<u8>> {
        if self.rest() == 0 {
            return Ok(None);
        }
        Ok(self.peek(1)?.first().copied())
    }

    fn skip(&mut self, len: usize) {
        match self {
            Self::Memory { at, .. } => *at += len,
            Self::File { at, .. } => *at += len as u64,
        }
    }

    /// The next `len` bytes.
    pub(super) fn take(&mut self, len: usize) -> Result<Vec<u8>> {
        let bytes = self.peek(len)?.to_vec();
        self.skip(len);
        Ok(bytes)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.peek(N)?.first_chunk().copied().unwrap_or([0; N]);
        self.skip(N);
        Ok(bytes)
    }

    /// Where the next `len` bytes are, if they are in a file; they are passed over.
    pub(super) fn stored(&mut self, len: usize) -> Option<Stored> {
        let Self::File { file, at, .. } = self else { return None };
        let stored = Stored { file: Arc::clone(file), offset: *at, len_bytes: len };
        *at += len as u64;
        Some(stored)
    }

    /// The bytes up to the next line feed, which is passed over.
    pub(super) fn line(&mut self) -> Result<Vec<u8>> {
        let mut len = usize::try_from(self.rest()).unwrap_or(usize::MAX);
        if matches!(self, Self::File { .. }) {
            len = len.min(WINDOW_LEN_BYTES);
        }
        let end = self.peek(len)?.iter().position(|&byte| byte == b'\n');
        let line = self.take(end.ok_or_else(|| Error::corrupt("expected the end of a name"))?)?;
        self.skip(1);
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use stook_core::file::LocalFile;
    use stook_core::{DType, Limits};

    use super::super::{Descr, Form, Node, Payload, Pickle, PickledArray, write};
    use super::*;

    /// A list of an array and of texts, longer together than what is read at a time.
    fn pickle() -> Vec<u8> {
        let descr = Descr::Plain { dtype: DType::UInt8, endian: stook_core::codec::Endian::NATIVE };
        let items: Vec<u8> = (0..100_000_u32).map(|i| i.to_le_bytes()[0]).collect();
        let array = PickledArray::of_bytes(Arc::new(descr), vec![1000, 100], false, items).unwrap();
        let mut pickle = Pickle::new(Node::None);
        let mut all = vec![pickle.add(Node::Array(Arc::new(array))).unwrap()];
        for i in 0..9000 {
            all.push(pickle.add(Node::Text(format!("text {i}"))).unwrap());
        }
        let root = pickle.add(Node::List(all)).unwrap();
        write(&pickle.with_root(root), Form::Numpy2).unwrap()
    }

    fn of_file(bytes: &[u8]) -> Result<Pickle> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pkl");
        stook_core::file::write_atomic(&path, bytes, stook_core::Durability::Flush).unwrap();
        let file: Arc<dyn FileIo> = Arc::new(LocalFile::open(&path).unwrap());
        Pickle::parse_file(&file, &Limits::default(), &[])
    }

    #[test]
    fn a_file_gives_what_its_bytes_give() {
        let bytes = pickle();
        let held = Pickle::parse(&bytes, &Limits::default()).unwrap();
        let stored = of_file(&bytes).unwrap();
        assert_eq!(held.nodes.len(), stored.nodes.len());
        for (one, other) in held.nodes.iter().zip(&stored.nodes) {
            match (one, other) {
                (Node::Array(one), Node::Array(other)) => {
                    assert!(matches!(other.bytes, Payload::Stored(_)));
                    assert_eq!(one.to_values().unwrap(), other.to_values().unwrap());
                }
                (Node::Bytes(one), Node::StoredBytes(other)) => {
                    assert_eq!(*one, other.read().unwrap());
                }
                _ => assert_eq!(one, other),
            }
        }
    }

    #[test]
    fn a_file_that_is_cut_is_an_error() {
        let bytes = pickle();
        let places =
            (0..300).chain((300..bytes.len()).step_by(7919)).chain(bytes.len() - 40..bytes.len());
        for len in places {
            assert!(of_file(&bytes[..len]).is_err(), "{len} of {}", bytes.len());
        }
    }
}
