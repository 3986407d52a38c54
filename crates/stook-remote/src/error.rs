//! What object stores say, as errors of stook.

use object_store::Error as Cause;
use stook_core::{Error, ErrorKind};

/// The error for `cause`, met when `what` was done with `key` of the store at `location`.
pub(crate) fn of(cause: Cause, what: &str, key: &str, location: &str) -> Error {
    let kind = match &cause {
        Cause::NotFound { .. } => ErrorKind::NotFound,
        Cause::AlreadyExists { .. } | Cause::Precondition { .. } => ErrorKind::AlreadyExists,
        Cause::PermissionDenied { .. } | Cause::Unauthenticated { .. } => ErrorKind::ReadOnly,
        Cause::NotSupported { .. } | Cause::NotImplemented { .. } => ErrorKind::Unsupported,
        Cause::InvalidPath { .. } | Cause::UnknownConfigurationKey { .. } => {
            ErrorKind::InvalidInput
        }
        _ => ErrorKind::Io,
    };
    let message = match key {
        "" => format!("cannot {what}"),
        key => format!("key `{key}`: cannot {what}"),
    };
    let message = match &cause {
        Cause::PermissionDenied { .. } => format!("{message}: permission denied"),
        Cause::Unauthenticated { .. } => format!("{message}: the service knows no such user"),
        _ => message,
    };
    // Where nobody names credentials, the machine is asked, which answers in data centres only.
    let asks_machine = kind == ErrorKind::Io && cause.to_string().contains(METADATA_SERVICE);
    let hint = match kind {
        ErrorKind::ReadOnly => {
            "credentials come from options or the environment, see docs/remote.md"
        }
        _ if asks_machine => "no credentials were given; public buckets want `skip_signature=true`",
        _ => "",
    };
    let error = Error::new(kind, message).with_source(cause).at_file(location);
    if hint.is_empty() { error } else { error.with_hint(hint) }
}

/// Where machines of Amazon, Google and Microsoft learn who they are.
const METADATA_SERVICE: &str = "169.254.169.254";

/// Whether it is the bucket or container that is missing, and not a key in it: then everything
/// would seem to be empty.
pub(crate) fn is_missing_bucket(cause: &Cause) -> bool {
    let Cause::NotFound { source, .. } = cause else { return false };
    let text = source.to_string();
    ["NoSuchBucket", "ContainerNotFound", "bucket does not exist"]
        .iter()
        .any(|code| text.contains(code))
}
