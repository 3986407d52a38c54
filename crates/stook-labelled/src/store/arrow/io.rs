//! Local files as the libraries of tables read and write them.

use std::io::{BufReader, BufWriter, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use stook_core::file::{FileIo as _, LocalFile};
use stook_core::{Error, Result};

/// A file that is written from its beginning to its end.
pub(super) struct Sink<'a> {
    file: &'a LocalFile,
    at: u64,
    failure: &'a Mutex<Option<Error>>,
}

/// Lets `write` write to a file; what failed there is told in place of what `write` makes of it.
pub(super) fn written(
    file: &LocalFile,
    write: impl FnOnce(BufWriter<Sink<'_>>) -> Result<()>,
) -> Result<()> {
    let failure = Mutex::new(None);
    let done = write(BufWriter::with_capacity(1 << 20, Sink { file, at: 0, failure: &failure }));
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => done,
    }
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Err(error) = self.file.write_at(self.at, bytes) {
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert(error);
            return Err(std::io::ErrorKind::Other.into());
        }
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A file that is read at any place.
#[derive(Clone)]
pub(super) struct Source {
    file: Arc<LocalFile>,
    len: u64,
}

impl Source {
    pub(super) fn open(path: &std::path::Path) -> Result<Self> {
        let file = Arc::new(LocalFile::open(path)?);
        let len = file.len_bytes()?;
        Ok(Self { file, len })
    }

    /// The bytes `start..start + n`, which the file says it has.
    ///
    /// # Errors
    /// `Corrupt` if it has not, `Io`.
    pub(super) fn bytes(&self, start: u64, n: u64) -> Result<Vec<u8>> {
        let end = start.checked_add(n).filter(|&end| end <= self.len);
        let n = end.and_then(|_| usize::try_from(n).ok()).ok_or_else(|| {
            Error::corrupt(format!("expected {n} bytes at {start}, found a file of {}", self.len))
                .at_file(self.file.path())
        })?;
        let mut bytes = vec![0; n];
        self.file.read_exact_at(start, &mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn len_bytes(&self) -> u64 {
        self.len
    }
}

/// A place in a file, from which on it is read.
pub(super) struct Cursor {
    source: Source,
    at: u64,
}

impl Read for Cursor {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.source.file.read_at(self.at, out).map_err(std::io::Error::other)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Source {
    type T = BufReader<Cursor>;

    fn get_read(&self, start: u64) -> std::result::Result<Self::T, ParquetError> {
        Ok(BufReader::new(Cursor { source: self.clone(), at: start }))
    }

    fn get_bytes(&self, start: u64, n: usize) -> std::result::Result<bytes::Bytes, ParquetError> {
        let bytes = self.bytes(start, n as u64);
        bytes.map(Into::into).map_err(|error| ParquetError::External(Box::new(error)))
    }
}
