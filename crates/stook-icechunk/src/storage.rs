//! Where a repository lies: from a place and options to a storage of icechunk.

use std::path::Path;
use std::sync::Arc;

use icechunk::Storage;
use icechunk::config::{S3Credentials, S3Options, S3StaticCredentials};
use stook_core::{Error, Result};

use crate::error;

/// A storage, and how it is named in errors.
pub(crate) struct Place {
    pub(crate) storage: Arc<dyn Storage + Send + Sync>,
    pub(crate) location: String,
}

/// The storage at `place` (docs/remote.md has the options); a folder is made if it is missing.
///
/// # Errors
/// `InvalidInput` for a place or option that is not known, `Io`.
pub(crate) fn open(place: &str, options: Vec<(String, String)>) -> Result<Place> {
    stook_remote::hidden::use_ring();
    let location = place.to_owned();
    if let Some(rest) = place.strip_prefix("s3://").or_else(|| place.strip_prefix("s3a://")) {
        return s3(rest, options, &location);
    }
    if let Some((name, _)) = options.first() {
        let what = format!("option `{name}`: repositories have none at such a place");
        return Err(Error::invalid(what).at_file(place));
    }
    let folder = match stook_remote::is_url(place) {
        false => Some(Path::new(place).to_owned()),
        true if place.starts_with("memory://") => None,
        true => match stook_remote::local_path(place)? {
            Some(path) => Some(path),
            None => {
                let what = "repositories lie in folders, on S3 (`s3://`) or in memory";
                return Err(Error::unsupported(what).at_file(place));
            }
        },
    };
    let storage = stook_remote::hidden::run(async move {
        let storage = match folder {
            Some(folder) => icechunk::new_local_filesystem_storage(&folder).await,
            None => icechunk::new_in_memory_storage().await,
        };
        storage.map_err(|cause| error::of_storage(cause, &location))
    })?;
    Ok(Place { storage, location: place.to_owned() })
}

/// What S3 is told.
#[derive(Default)]
struct S3 {
    options: S3Options,
    key: Option<String>,
    secret: Option<String>,
    token: Option<String>,
}

impl S3 {
    /// Takes the option `name`, as the `object_store` crate names it; false if it is none.
    fn set(&mut self, name: &str, value: String) -> bool {
        let is_on = matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "on");
        match name.strip_prefix("aws_").unwrap_or(name) {
            "endpoint" | "endpoint_url" => {
                self.options.allow_http |= value.starts_with("http://");
                self.options.endpoint_url = Some(value);
                self.options.force_path_style = true;
            }
            "region" | "default_region" => self.options.region = Some(value),
            "allow_http" => self.options.allow_http = is_on,
            "skip_signature" => self.options.anonymous = is_on,
            "virtual_hosted_style_request" => self.options.force_path_style = !is_on,
            "request_payer" => self.options.requester_pays = is_on,
            "access_key_id" => self.key = Some(value),
            "secret_access_key" => self.secret = Some(value),
            "session_token" | "token" => self.token = Some(value),
            _ => return false,
        }
        true
    }

    fn credentials(&mut self) -> S3Credentials {
        match (self.key.take(), self.secret.take()) {
            (Some(access_key_id), Some(secret_access_key)) => {
                let session_token = self.token.take();
                S3Credentials::Static(S3StaticCredentials {
                    access_key_id,
                    secret_access_key,
                    session_token,
                    expires_after: None,
                })
            }
            _ if self.options.anonymous => S3Credentials::Anonymous,
            _ => S3Credentials::FromEnv,
        }
    }
}

/// The storage in the bucket and below the prefix that `rest` names.
fn s3(rest: &str, options: Vec<(String, String)>, location: &str) -> Result<Place> {
    let (bucket, prefix) = rest.trim_end_matches('/').split_once('/').unwrap_or((rest, ""));
    let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
    let mut s3 = S3::default();
    for name in ["AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ALLOW_HTTP"] {
        if let Ok(value) = std::env::var(name) {
            s3.set(&name.to_ascii_lowercase(), value);
        }
    }
    for (name, value) in options {
        if !s3.set(&name.to_ascii_lowercase(), value) {
            let what = format!("option `{name}` is not known for repositories on S3");
            let hint = "docs/remote.md names the options";
            return Err(Error::invalid(what).with_hint(hint).at_file(location));
        }
    }
    let (credentials, place) = (s3.credentials(), location.to_owned());
    let storage = stook_remote::hidden::run(async move {
        let prefix = (!prefix.is_empty()).then_some(prefix);
        let (none, options) = (Vec::new, s3.options);
        let made = icechunk::new_s3_object_store_storage(
            options,
            bucket,
            prefix,
            Some(credentials),
            none(),
            none(),
        );
        made.await.map_err(|cause| error::of_storage(cause, &place))
    })?;
    Ok(Place { storage, location: location.to_owned() })
}
