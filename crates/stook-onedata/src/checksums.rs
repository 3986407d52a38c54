//! Checksums of saved files, in a file that `sha256sum -c` reads.
//!
//! A folder that has a file `SHA256SUMS` keeps it true: a save puts the line of the new file beside that
//! of the old one, then the new file in place of the old one, and then takes the old line away. Whenever
//! the process ends, the file that is there has a line. Savers wait for one another by the lock of a
//! hidden file.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use stook_core::engine::gate;
use stook_core::file::place::kind_of;
use stook_core::file::{FileIo, LocalFile, write_atomic};
use stook_core::{Durability, Error, ErrorKind, Limits, Result};

/// The file of checksums in a folder.
pub const CHECKSUMS_NAME: &str = "SHA256SUMS";

const LOCK_NAME: &str = ".stook-sums.lock";
const PATIENCE: Duration = Duration::from_secs(60);
const PIECE_LEN: usize = 1 << 20;
const HEX_LEN: usize = 64;

/// What a check of a file against its line found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileState {
    /// Its bytes are those of the line.
    Right,
    /// They are others.
    Changed,
    /// It has a line, and is not there.
    Missing,
    /// It is there, and has no line.
    Unlisted,
}

impl FileState {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Unlisted => "unlisted",
        }
    }
}

/// The lines of a file of checksums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums(Vec<Line>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Sum {
        hash: String,
        file: String,
    },
    /// What is none is kept as it is.
    Other(String),
}

impl Sums {
    fn parse(text: &str) -> Self {
        Self(text.lines().map(Line::parse).collect())
    }

    /// Reads those of a folder; `None` where there are none.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(CHECKSUMS_NAME);
        if kind_of(&path)?.is_none() {
            return Ok(None);
        }
        let file = LocalFile::open(&path)?;
        let mut bytes = vec![0; Limits::default().metadata(file.len_bytes()?)?];
        file.read_exact_at(0, &mut bytes)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::corrupt("the checksums are no text").at_file(&path))?;
        Ok(Some(Self::parse(&text)))
    }

    fn write(&self, folder: &Path, durability: Durability) -> Result<()> {
        let mut text = String::new();
        for line in &self.0 {
            match line {
                // As `sha256sum --binary` writes it, but for its asterisk, which all read as none.
                Line::Sum { hash, file } => text.push_str(&format!("{hash}  {file}\n")),
                Line::Other(line) => text.push_str(&format!("{line}\n")),
            }
        }
        write_atomic(&folder.join(CHECKSUMS_NAME), text.as_bytes(), durability)
    }

    /// The hashes that a file may have: two, where a saver was killed.
    pub(crate) fn of(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(move |line| match line {
            Line::Sum { hash, file } if file == name => Some(hash.as_str()),
            _ => None,
        })
    }

    /// The files that have a line, each once, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let names = self.0.iter().filter_map(|line| match line {
            Line::Sum { file, .. } => Some(file.clone()),
            Line::Other(_) => None,
        });
        let mut names: Vec<_> = names.collect();
        names.sort();
        names.dedup();
        names
    }

    fn add(&mut self, name: &str, hash: &str) {
        if !self.of(name).any(|known| known == hash) {
            self.0.push(Line::Sum { hash: hash.to_owned(), file: name.to_owned() });
        }
    }

    fn keep_only(&mut self, name: &str, kept: Option<&str>) {
        self.0.retain(|line| match line {
            Line::Sum { hash, file } => file != name || Some(hash.as_str()) == kept,
            Line::Other(_) => true,
        });
        self.0.sort_by(|a, b| a.name().cmp(b.name()));
    }
}

impl Line {
    fn parse(line: &str) -> Self {
        let parsed = || {
            let (hash, rest) = line.split_at_checked(HEX_LEN)?;
            let file = rest.strip_prefix("  ").or_else(|| rest.strip_prefix(" *"))?;
            let is_hash = hash.bytes().all(|byte| byte.is_ascii_hexdigit());
            let (hash, file) = (hash.to_ascii_lowercase(), file.to_owned());
            (is_hash && !file.is_empty()).then_some(Self::Sum { hash, file })
        };
        parsed().unwrap_or_else(|| Self::Other(line.to_owned()))
    }

    fn name(&self) -> &str {
        match self {
            Self::Sum { file, .. } => file,
            Self::Other(_) => "",
        }
    }
}

/// A folder whose checksums nobody else changes meanwhile.
#[derive(Debug)]
pub(crate) struct Keeper {
    folder: PathBuf,
    sums: Sums,
    durability: Durability,
    _lock: LocalFile,
}

impl Keeper {
    /// Takes the lock of a folder that has checksums, or is to have them; `None` for another.
    pub(crate) fn of(
        folder: &Path,
        are_made: bool,
        durability: Durability,
    ) -> Result<Option<Self>> {
        if !are_made && kind_of(&folder.join(CHECKSUMS_NAME))?.is_none() {
            return Ok(None);
        }
        let lock = LocalFile::open_or_create(folder.join(LOCK_NAME))?;
        let end = Instant::now() + PATIENCE;
        while let Err(error) = lock.lock_exclusive() {
            if error.kind() != ErrorKind::Locked || Instant::now() > end {
                return Err(error);
            }
            gate::checkpoint()?;
            std::thread::sleep(Duration::from_millis(5));
        }
        let sums = Sums::read(folder)?.unwrap_or_default();
        Ok(Some(Self { folder: folder.to_path_buf(), sums, durability, _lock: lock }))
    }

    /// Runs `replace`, which puts a file of these names whose bytes have that hash in place.
    pub(crate) fn replacing(
        &mut self,
        names: &[String],
        hash: &str,
        replace: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        names.iter().for_each(|name| self.sums.add(name, hash));
        self.sums.write(&self.folder, self.durability)?;
        replace()?;
        names.iter().for_each(|name| self.sums.keep_only(name, Some(hash)));
        self.sums.write(&self.folder, self.durability)
    }

    /// Takes away the lines of a file that is gone.
    pub(crate) fn removed(&mut self, name: &str) -> Result<()> {
        self.sums.keep_only(name, None);
        self.sums.write(&self.folder, self.durability)
    }

    /// Makes a line for each of `files` that has none, or of all.
    pub(crate) fn add_missing(&mut self, files: &[(String, String)]) -> Result<()> {
        for (name, hash) in files {
            self.sums.add(name, hash);
            self.sums.keep_only(name, Some(hash));
        }
        self.sums.write(&self.folder, self.durability)
    }
}

/// The SHA-256 of bytes, in hexadecimal digits.
pub(crate) fn hash_of(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hex(&hasher.finalize())
}

/// The SHA-256 of a file's bytes.
pub(crate) fn hash_of_file(path: &Path) -> Result<String> {
    let file = LocalFile::open(path)?;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; PIECE_LEN];
    let mut at = 0;
    loop {
        gate::checkpoint()?;
        let n = file.read_at(at, &mut piece)?;
        if n == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(piece.get(..n).unwrap_or_default());
        at += n as u64;
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_sha256sum() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hash_of(&[]), empty);
        assert_eq!(hash_of(&[b"a", b"bc"]), hash_of(&[b"abc"]));
        let text = format!("{empty}  a b.npy\n# a note\n{empty} *c.npy\n{empty}\n");
        let mut sums = Sums::parse(&text);
        assert_eq!(sums.files(), ["a b.npy", "c.npy"]);
        sums.add("a b.npy", "x");
        assert_eq!(sums.of("a b.npy").collect::<Vec<_>>(), [empty, "x"]);
        sums.keep_only("a b.npy", Some("x"));
        assert_eq!(sums.of("a b.npy").collect::<Vec<_>>(), ["x"]);
        let dir = tempfile::tempdir().unwrap();
        sums.write(dir.path(), Durability::Flush).unwrap();
        let again = Sums::read(dir.path()).unwrap().unwrap();
        assert_eq!(again.files(), ["c.npy"], "`x` is no hash");
        assert_eq!(again.0.len(), 4);
    }
}
