//! The one error type of the workspace: a kind, a message, and where it happened.
//!
//! `Display` prints the location and the message of this level only; the chain of sources is
//! joined at the edges (the command, the Python exceptions). Nobody matches on message text.

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::path::NodePath;

/// A result with stook's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whose fault an error is, which decides its exception in Python and its HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file, node, attribute or label does not exist.
    NotFound,
    /// What was to be created exists.
    AlreadyExists,
    /// An argument is wrong: a selection out of bounds, a dtype that does not match.
    InvalidInput,
    /// The target was opened for reading only.
    ReadOnly,
    /// Valid, but not something this build or format can do.
    Unsupported,
    /// A size found in a file or asked for exceeds [`Limits`](crate::Limits).
    LimitExceeded,
    /// The file's bytes contradict its format.
    Corrupt,
    /// Another process holds the file.
    Locked,
    /// The operating system or a remote service failed.
    Io,
}

impl ErrorKind {
    /// The kind in words, as the command prints it: `not found`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not found",
            Self::AlreadyExists => "already exists",
            Self::InvalidInput => "invalid input",
            Self::ReadOnly => "read-only",
            Self::Unsupported => "unsupported",
            Self::LimitExceeded => "limit exceeded",
            Self::Corrupt => "corrupt",
            Self::Locked => "locked",
            Self::Io => "i/o",
        }
    }

    /// The kind that [`ErrorKind::as_str`] has these words for.
    #[must_use]
    pub fn parse(words: &str) -> Option<Self> {
        const ALL: [ErrorKind; 9] = [
            ErrorKind::NotFound,
            ErrorKind::AlreadyExists,
            ErrorKind::InvalidInput,
            ErrorKind::ReadOnly,
            ErrorKind::Unsupported,
            ErrorKind::LimitExceeded,
            ErrorKind::Corrupt,
            ErrorKind::Locked,
            ErrorKind::Io,
        ];
        ALL.into_iter().find(|kind| kind.as_str() == words)
    }
}

/// Where an error happened, from the file down to the chunk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The file, folder or URL.
    pub file: Option<PathBuf>,
    /// The node in its tree.
    pub node: Option<NodePath>,
    /// The index of the chunk in the array's grid.
    pub chunk: Option<Vec<u64>>,
}

#[derive(Debug)]
struct Repr {
    kind: ErrorKind,
    message: String,
    at: Location,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What went wrong and where.
#[derive(Debug)]
pub struct Error(Box<Repr>);

impl Error {
    /// An error of `kind` that says `message` (lower case, no full stop, names in backticks).
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Repr { kind, message, at: Location::default(), hint: None, source: None }))
    }

    /// A missing file, node or name.
    #[cold]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// A target that exists already.
    #[cold]
    pub fn already_exists(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::AlreadyExists, message)
    }

    /// A wrong argument.
    #[cold]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// A change to something that is read-only.
    #[cold]
    pub fn read_only(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::ReadOnly, message)
    }

    /// Something valid that cannot be done here.
    #[cold]
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// A size over the limits.
    #[cold]
    pub fn limit(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::LimitExceeded, message)
    }

    /// Bytes that contradict their format.
    #[cold]
    pub fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, message)
    }

    /// A failure of the operating system; not-found, permission and lock errors keep their kind.
    #[cold]
    pub fn io(message: impl Into<String>, source: std::io::Error) -> Self {
        let kind = match source.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            std::io::ErrorKind::AlreadyExists => ErrorKind::AlreadyExists,
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                ErrorKind::ReadOnly
            }
            std::io::ErrorKind::WouldBlock => ErrorKind::Locked,
            std::io::ErrorKind::UnexpectedEof => ErrorKind::Corrupt,
            _ => ErrorKind::Io,
        };
        Self::new(kind, message).with_source(source)
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error with `context: ` before its message.
    #[must_use]
    pub fn within(mut self, context: impl std::fmt::Display) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    /// The same error with a remedy, shown by the command as a `hint:` line.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same error, naming the file unless one is named already.
    #[must_use]
    pub fn at_file(mut self, file: impl AsRef<Path>) -> Self {
        self.0.at.file.get_or_insert_with(|| file.as_ref().to_path_buf());
        self
    }

    /// The same error, naming `file` instead of the one it names: the file that the user knows
    /// where work was done on a draft of it.
    #[must_use]
    pub fn rename_file(mut self, file: impl AsRef<Path>) -> Self {
        self.0.at.file = Some(file.as_ref().to_path_buf());
        self
    }

    /// The same error, naming the node unless one is named already.
    #[must_use]
    pub fn at_node(mut self, node: &NodePath) -> Self {
        self.0.at.node.get_or_insert_with(|| node.clone());
        self
    }

    /// The same error, naming the chunk unless one is named already.
    #[must_use]
    pub fn at_chunk(mut self, chunk: &[u64]) -> Self {
        self.0.at.chunk.get_or_insert_with(|| chunk.to_vec());
        self
    }

    /// Whose fault it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message without its location.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it happened.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.0.at
    }

    /// The remedy, if one is known.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = &self.0.at;
        if let Some(file) = &at.file {
            write!(f, "`{}`: ", file.display())?;
        }
        if let Some(node) = &at.node {
            write!(f, "node `{node}`: ")?;
        }
        if let Some(chunk) = &at.chunk {
            write!(f, "chunk {chunk:?}: ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_their_words() {
        assert_eq!(ErrorKind::parse("not found"), Some(ErrorKind::NotFound));
        assert_eq!(ErrorKind::parse("i/o"), Some(ErrorKind::Io));
        assert_eq!(ErrorKind::parse("NotFound"), None);
    }

    #[test]
    fn display_names_file_node_and_chunk_but_not_the_source() {
        let error = Error::corrupt("expected 512 bytes, found 498")
            .with_source(std::io::Error::other("inner"))
            .at_chunk(&[0, 3])
            .at_node(&NodePath::parse("/a/b").unwrap())
            .at_file("x.h5")
            .at_file("outer.h5");
        insta::assert_snapshot!(error, @"`x.h5`: node `/a/b`: chunk [0, 3]: expected 512 bytes, found 498");
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.source().is_some());
    }

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }
}
