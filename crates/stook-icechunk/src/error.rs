//! What icechunk says, as errors of stook.

use icechunk::StorageError;
use icechunk::repository::{RepositoryError, RepositoryErrorKind};
use icechunk::session::{SessionError, SessionErrorKind};
use icechunk::store::{StoreError, StoreErrorKind};
use stook_core::{Error, ErrorKind};

fn error(
    kind: ErrorKind,
    what: &str,
    location: &str,
    cause: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    Error::new(kind, format!("cannot {what}")).with_source(cause).at_file(location)
}

/// The error for a storage that cannot be used.
pub(crate) fn of_storage(cause: StorageError, location: &str) -> Error {
    error(ErrorKind::Io, "use the storage", location, cause)
}

/// The error for `cause`, met when `what` was to be done with the repository at `location`.
pub(crate) fn of_repository(cause: RepositoryError, what: &str, location: &str) -> Error {
    error(kind_of_repository(&cause.kind), what, location, cause)
}

/// The same for a session.
pub(crate) fn of_session(cause: SessionError, what: &str, location: &str) -> Error {
    let kind = kind_of_session(&cause.kind);
    let hint = match kind {
        ErrorKind::Locked => "somebody else has committed: rebase, then commit again",
        _ => "",
    };
    let error = error(kind, what, location, cause);
    if hint.is_empty() { error } else { error.with_hint(hint) }
}

/// The same for `key` of a session's store.
pub(crate) fn of_store(cause: StoreError, what: &str, key: &str, location: &str) -> Error {
    let kind = match &cause.kind {
        StoreErrorKind::SessionError(kind) => kind_of_session(kind),
        StoreErrorKind::RepositoryError(kind) => kind_of_repository(kind),
        StoreErrorKind::NotFound(_) => ErrorKind::NotFound,
        StoreErrorKind::ReadOnly => ErrorKind::ReadOnly,
        StoreErrorKind::Unimplemented(_)
        | StoreErrorKind::NotAllowed(_)
        | StoreErrorKind::InvalidKey { .. } => ErrorKind::Unsupported,
        StoreErrorKind::InvalidIndex { .. }
        | StoreErrorKind::BadKeyPrefix { .. }
        | StoreErrorKind::PathError(_)
        | StoreErrorKind::BadMetadata(_)
        | StoreErrorKind::BadChunkGridMetadata(_) => ErrorKind::InvalidInput,
        _ => ErrorKind::Io,
    };
    let failed = error(kind, &format!("{what} key `{key}`"), location, cause);
    match kind {
        ErrorKind::Unsupported => failed.with_hint(
            "a repository holds Zarr of version 3, with chunk keys of the default encoding",
        ),
        _ => failed,
    }
}

fn kind_of_repository(kind: &RepositoryErrorKind) -> ErrorKind {
    match kind {
        RepositoryErrorKind::RepositoryDoesntExist
        | RepositoryErrorKind::SnapshotNotFound { .. }
        | RepositoryErrorKind::Ref(_) => ErrorKind::NotFound,
        RepositoryErrorKind::ParentDirectoryNotClean => ErrorKind::AlreadyExists,
        RepositoryErrorKind::InvalidSnapshotId(_)
        | RepositoryErrorKind::Tag(_)
        | RepositoryErrorKind::EmptyPrefixCreation
        | RepositoryErrorKind::CannotDeleteMain => ErrorKind::InvalidInput,
        RepositoryErrorKind::Conflict { .. }
        | RepositoryErrorKind::RepoInfoUpdated
        | RepositoryErrorKind::RepoUpdateAttemptsLimit(_) => ErrorKind::Locked,
        RepositoryErrorKind::ReadonlyStorage(_) | RepositoryErrorKind::ReadonlyRepository(_) => {
            ErrorKind::ReadOnly
        }
        RepositoryErrorKind::BadRepoVersion { .. } => ErrorKind::Unsupported,
        RepositoryErrorKind::FormatError(_)
        | RepositoryErrorKind::DeserializationError(_)
        | RepositoryErrorKind::ConfigDeserializationError(_) => ErrorKind::Corrupt,
        _ => ErrorKind::Io,
    }
}

fn kind_of_session(kind: &SessionErrorKind) -> ErrorKind {
    match kind {
        SessionErrorKind::RepositoryError(kind) => kind_of_repository(kind),
        SessionErrorKind::ReadOnlySession | SessionErrorKind::CommitNotAllowed => {
            ErrorKind::ReadOnly
        }
        SessionErrorKind::SnapshotNotFound { .. } | SessionErrorKind::NodeNotFound { .. } => {
            ErrorKind::NotFound
        }
        SessionErrorKind::Conflict { .. } | SessionErrorKind::RebaseFailed { .. } => {
            ErrorKind::Locked
        }
        SessionErrorKind::AlreadyExists { .. } => ErrorKind::AlreadyExists,
        SessionErrorKind::NoChangesToCommit
        | SessionErrorKind::InvalidIndex { .. }
        | SessionErrorKind::ZeroLengthChunk { .. }
        | SessionErrorKind::BadSnapshotChainForDiff => ErrorKind::InvalidInput,
        SessionErrorKind::FormatError(_) => ErrorKind::Corrupt,
        _ => ErrorKind::Io,
    }
}
