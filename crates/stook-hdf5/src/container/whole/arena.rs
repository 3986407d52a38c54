//! Space at the end of the file that new objects are put into, one behind the other.

use stook_core::Result;
use stook_core::file::FileIo as _;

use crate::ffi::File;
use crate::place::Backing;
use crate::transaction::Bytes;

/// Bytes that are taken from the end of the file at first, and later.
const PIECE_LEN_BYTES: (u64, u64) = (4 << 10, 64 << 10);

/// What addresses are multiples of.
pub(super) const ALIGNMENT: usize = 8;

/// Space that is to be used up, and what is in it and not written yet.
#[derive(Debug, Default)]
pub(super) struct Arena {
    next: u64,
    end: u64,
    /// The bytes that were taken last.
    taken: u64,
    /// Where `waiting` goes, which ends at `next` or before.
    at: u64,
    waiting: Vec<u8>,
    /// Whether nothing was ever written to the end of the piece.
    is_blank: bool,
}

impl Arena {
    /// Takes `len` bytes.
    ///
    /// # Errors
    /// `LimitExceeded`, and those of [`Arena::flush`].
    pub(super) fn take(&mut self, (file, io): (&File, &Backing), len: usize) -> Result<u64> {
        // Elements are read faster where they are aligned.
        let len = (len as u64).next_multiple_of(ALIGNMENT as u64);
        if self.end - self.next < len {
            self.flush(io)?;
            let (first, most) = PIECE_LEN_BYTES;
            let piece = (2 * self.taken).clamp(first, most).max(len);
            let start = file.reserve(piece).map_err(|failure| io_error(&failure, io))?;
            (self.next, self.end, self.taken) = (start, start + piece, piece);
            (self.at, self.is_blank) = (start, true);
        }
        let address = self.next;
        self.next += len;
        Ok(address)
    }

    /// Puts bytes where they were taken for: behind those that were put last.
    pub(super) fn put(&mut self, address: u64, bytes: &[u8]) {
        if self.waiting.is_empty() {
            self.at = address;
        }
        let from = usize::try_from(address - self.at).expect("a place within one piece");
        self.waiting.resize(from, 0);
        self.waiting.extend_from_slice(bytes);
    }

    /// Writes what was put.
    ///
    /// The rest of a new piece is filled with zeros: what is committed with a part of it unused would
    /// be a hole in the file there, and what is made in it later would have to find room on the
    /// medium when it is brought to the file, after its commit.
    ///
    /// # Errors
    /// `ReadOnly`; `Io` where the file cannot be read. It may be tried again.
    pub(super) fn flush(&mut self, io: &Backing) -> Result<()> {
        if self.waiting.is_empty() && !self.is_blank {
            return Ok(());
        }
        let len = self.waiting.len();
        if self.is_blank {
            let piece = usize::try_from(self.end - self.at).expect("as long as a piece");
            self.waiting.resize(piece, 0);
        }
        let written = io.write_waiting(self.at, &self.waiting, Bytes::Metadata);
        if let Err(error) = written {
            self.waiting.truncate(len);
            return Err(error);
        }
        self.waiting.clear();
        (self.at, self.is_blank) = (self.next, false);
        Ok(())
    }
}

/// A failure of the library as an error of the file.
pub(super) fn io_error(failure: &crate::ffi::Failure, io: &Backing) -> stook_core::Error {
    let kind = failure.kind().unwrap_or(stook_core::ErrorKind::Io);
    stook_core::Error::new(kind, failure.to_string()).at_file(io.path())
}
