//! Files of text, line by line, compressed by gzip or not.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;
use stook::{Error, Limits, Result, gate};
use stook_core::file::{FileIo, LocalFile};

/// Bytes that are read at once.
const BUFFER_LEN_BYTES: usize = 256 << 10;
/// Lines between two checkpoints.
const CHECKED: u64 = 1 << 16;

/// The bytes of a file from its start on.
struct Cursor {
    file: Arc<LocalFile>,
    at: u64,
}

impl Read for Cursor {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(self.at, out).map_err(io::Error::other)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// The lines of a file.
pub(super) struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead + Send>,
    line: Vec<u8>,
    /// The number of the line at hand, from 1.
    n: u64,
    most: u64,
}

impl Lines {
    /// Opens the file at `path`, or the same compressed: `path.gz`.
    ///
    /// # Errors
    /// `NotFound`, `Io`.
    pub(super) fn open(path: &Path, limits: &Limits) -> Result<Self> {
        let mut path = path.to_path_buf();
        if !path.exists() {
            let compressed = with_gz(&path);
            if compressed.exists() {
                path = compressed;
            }
        }
        let file = Arc::new(LocalFile::open(&path)?);
        let mut magic = [0; 2];
        let is_gzip = file.read_at(0, &mut magic)? == 2 && magic == [0x1f, 0x8b];
        let cursor = BufReader::with_capacity(BUFFER_LEN_BYTES, Cursor { file, at: 0 });
        let reader: Box<dyn BufRead + Send> = if is_gzip {
            Box::new(BufReader::with_capacity(BUFFER_LEN_BYTES, MultiGzDecoder::new(cursor)))
        } else {
            Box::new(cursor)
        };
        let most = limits.metadata_len_bytes;
        Ok(Self { path, reader, line: Vec::new(), n: 0, most })
    }

    /// The file that errors name.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The next line, without its end; `None` behind the last.
    ///
    /// # Errors
    /// `LimitExceeded` for a line that is too long, `Corrupt` where it cannot be decompressed.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>> {
        self.n += 1;
        if self.n.is_multiple_of(CHECKED) {
            gate::checkpoint()?;
        }
        self.line.clear();
        let mut limited = Read::take(&mut *self.reader, self.most.saturating_add(1));
        let n = limited.read_until(b'\n', &mut self.line).map_err(|error| {
            Error::corrupt("the text cannot be read").with_source(error).at_file(&self.path)
        })?;
        if n == 0 {
            return Ok(None);
        }
        if n as u64 > self.most {
            let most = self.most;
            return Err(self.wrong_with(Error::limit(format!("a line of more than {most} bytes"))));
        }
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
    }

    /// The next line as text.
    ///
    /// # Errors
    /// As [`Lines::next`]; `Corrupt` if it is no UTF-8.
    pub(super) fn next_text(&mut self) -> Result<Option<String>> {
        let Some(line) = self.next()? else { return Ok(None) };
        match std::str::from_utf8(line) {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(_) => Err(self.wrong("expected text in UTF-8")),
        }
    }

    /// An error that names the file and the line at hand.
    #[cold]
    pub(super) fn wrong(&self, what: impl AsRef<str>) -> Error {
        self.wrong_with(Error::corrupt(what.as_ref()))
    }

    #[cold]
    fn wrong_with(&self, error: Error) -> Error {
        error.within(format!("line {}", self.n)).at_file(&self.path)
    }
}

/// `path` with `.gz` behind it.
pub(super) fn with_gz(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".gz");
    name.into()
}

/// Whether there is a file at `path`, compressed or not.
pub(super) fn is_there(path: &Path) -> bool {
    path.is_file() || with_gz(path).is_file()
}

/// All lines of a file as text.
///
/// # Errors
/// As [`Lines::next_text`]; `LimitExceeded` where they are more than a metadata document may be.
pub(super) fn all_lines(path: &Path, limits: &Limits) -> Result<Vec<String>> {
    let mut lines = Lines::open(path, limits)?;
    let (mut all, mut len) = (Vec::new(), 0_u64);
    while let Some(line) = lines.next_text()? {
        len = len.saturating_add(line.len() as u64 + size_of::<String>() as u64);
        // Names of a million cells take some 50 bytes each.
        if len > limits.metadata_len_bytes.saturating_mul(16) {
            let path = lines.path().to_path_buf();
            return Err(Error::limit(format!("more than {len} bytes of names")).at_file(path));
        }
        all.push(line);
    }
    Ok(all)
}

/// The whole of a short file.
///
/// # Errors
/// `NotFound`, `LimitExceeded`, `Corrupt` if it is no UTF-8, `Io`.
pub(super) fn whole(path: &Path, limits: &Limits) -> Result<String> {
    Ok(all_lines(path, limits)?.join("\n"))
}

/// Column `at` of each line of a table of text; empty where a line has fewer.
pub(super) fn column<'l>(lines: &'l [String], at: usize, delimiter: &str) -> Vec<&'l str> {
    lines.iter().map(|line| line.split(delimiter).nth(at).unwrap_or("").trim()).collect()
}

/// `field` without the quotes around it.
pub(super) fn unquoted(field: &str) -> &str {
    let inner = field.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.filter(|inner| !inner.is_empty()).unwrap_or(field)
}
