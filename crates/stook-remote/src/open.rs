//! From a URL and options to a store.

use std::path::PathBuf;
use std::sync::{Arc, Once, OnceLock};

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    ClientConfigKey, ClientOptions, Error as Cause, ObjectStore, ObjectStoreScheme,
};
use stook_core::store::LocalStore;
use stook_core::{ByteStore, Error, Mode, Result};
use url::Url;

use crate::backend::Backend;
use crate::options::Options;
use crate::store::{RemoteStore, Service};
use crate::{clients, error};

/// The schemes of URLs that [`open`] knows.
const SCHEMES: [&str; 13] = [
    "s3", "s3a", "gs", "gcs", "az", "azure", "adl", "abfs", "abfss", "http", "https", "file",
    "memory",
];

/// Whether `text` is a URL for [`open`], and not a path.
#[must_use]
pub fn is_url(text: &str) -> bool {
    text.split_once("://")
        .is_some_and(|(scheme, _)| SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)))
}

/// The path that a `file://` URL means; `None` for other URLs.
///
/// # Errors
/// `InvalidInput` if it names another machine.
pub fn local_path(url: &str) -> Result<Option<PathBuf>> {
    let url = parse(url)?;
    if url.scheme() != "file" {
        return Ok(None);
    }
    let path = url.to_file_path().map_err(|()| {
        Error::invalid("expected `file:///` and an absolute path").at_file(url.as_str())
    })?;
    Ok(Some(path))
}

/// The store at `url`: `s3://bucket/path`, `gs://`, `az://`, `http(s)://`, `file:///path`, or
/// `memory://name`, which lasts as long as the process. `options` are those of the service, as
/// the `object_store` crate names them (`endpoint`, `allow_http`, `aws_region`, ...), and those
/// in docs/remote.md; what they do not say, the environment may (`AWS_REGION`, ...).
///
/// Nothing is asked of the service yet.
///
/// # Errors
/// `InvalidInput` for a URL or option that is not known or makes no sense; of `file:///` also
/// `NotFound` where it is to be read, `Io`.
pub fn open<'a>(
    url: &str,
    options: impl IntoIterator<Item = (&'a str, &'a str)>,
    read_only: bool,
) -> Result<Arc<dyn ByteStore>> {
    if let Some(path) = local_path(url)? {
        if let Some((name, _)) = options.into_iter().next() {
            return Err(Error::invalid(format!("option `{name}`: a folder has none")).at_file(url));
        }
        return Ok(Arc::new(folder(path, read_only)?));
    }
    let url = parse(url)?;
    let location = location(&url);
    let (scheme, root) = ObjectStoreScheme::parse(&url)
        .map_err(|cause| error::of(cause.into(), "tell the service", "", &location))?;
    let mut ours = Options::default();
    let mut given = Vec::new();
    for (name, value) in options {
        let name = name.to_ascii_lowercase();
        if !ours.set(&name, value).map_err(|error| error.at_file(&location))? {
            given.push((name, value.to_owned()));
        }
    }
    check_names(&scheme, &given).map_err(|error| error.at_file(&location))?;
    let mut theirs = of_environment(&scheme);
    theirs.append(&mut given);
    let endpoint = theirs.iter().rfind(|(name, _)| name.contains("endpoint"));
    let service = Service {
        endpoint: endpoint.map(|(_, value)| value.clone()),
        can_list: scheme != ObjectStoreScheme::Http,
        can_compare: scheme != ObjectStoreScheme::Http,
        location: location.clone(),
        root: root.clone(),
        read_only,
    };
    let maker = Maker { scheme, url, root, theirs, ours: ours.clone(), location };
    let backend = Backend::new(move || maker.make())?;
    Ok(Arc::new(RemoteStore::new(backend, service, ours)))
}

fn folder(path: PathBuf, read_only: bool) -> Result<LocalStore> {
    if read_only {
        return LocalStore::open(path, Mode::Read);
    }
    match LocalStore::open(&path, Mode::ReadWrite) {
        Err(error) if error.kind() == stook_core::ErrorKind::NotFound => LocalStore::create(path),
        other => other,
    }
}

fn parse(text: &str) -> Result<Url> {
    // Others know Google's stores by this name.
    let google = text.strip_prefix("gcs://").map(|rest| format!("gs://{rest}"));
    let url = Url::parse(google.as_deref().unwrap_or(text))
        .map_err(|cause| Error::invalid("this is no URL").with_source(cause).at_file(text))?;
    if !SCHEMES.contains(&url.scheme()) {
        let known = SCHEMES.map(|scheme| format!("{scheme}://")).join(", ");
        let what = format!("scheme `{}`: expected one of {known}", url.scheme());
        return Err(Error::invalid(what).at_file(text));
    }
    if url.query().is_some() || url.fragment().is_some() {
        let what = "a query or fragment has no meaning for a store";
        let hint = "give tokens as options, and percent-encode `?` and `#` in names";
        return Err(Error::invalid(what).with_hint(hint).at_file(location(&url)));
    }
    if url.scheme() == "memory" {
        // The first name is no host, but part of the path.
        let path = format!("memory:/{}{}", url.host_str().unwrap_or_default(), url.path());
        return Url::parse(&path)
            .map_err(|cause| Error::invalid("this is no URL").with_source(cause).at_file(text));
    }
    Ok(url)
}

/// The URL as it may be shown: without secrets, without a slash at its end.
fn location(url: &Url) -> String {
    let mut url = url.clone();
    // Neither can be set where there is no host.
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    let text = url.as_str().trim_end_matches('/');
    match text.strip_prefix("memory:/") {
        Some(name) => format!("memory://{name}"),
        None => text.to_owned(),
    }
}

/// Refuses options that the service does not know.
fn check_names(scheme: &ObjectStoreScheme, options: &[(String, String)]) -> Result<()> {
    options.iter().try_for_each(|(name, _)| {
        if is_known(scheme, name) {
            return Ok(());
        }
        let what = format!("option `{name}` is not known for this kind of store");
        Err(Error::invalid(what).with_hint("docs/remote.md names the options"))
    })
}

fn is_known(scheme: &ObjectStoreScheme, name: &str) -> bool {
    match scheme {
        ObjectStoreScheme::AmazonS3 => name.parse::<AmazonS3ConfigKey>().is_ok(),
        ObjectStoreScheme::GoogleCloudStorage => name.parse::<GoogleConfigKey>().is_ok(),
        ObjectStoreScheme::MicrosoftAzure => name.parse::<AzureConfigKey>().is_ok(),
        ObjectStoreScheme::Http => name.parse::<ClientConfigKey>().is_ok(),
        _ => false,
    }
}

/// What the environment says about a service, as options; what it says about other programs of
/// the service's maker is passed over.
fn of_environment(scheme: &ObjectStoreScheme) -> Vec<(String, String)> {
    let (start, other) = match scheme {
        ObjectStoreScheme::AmazonS3 => ("AWS_", None),
        ObjectStoreScheme::GoogleCloudStorage => {
            ("GOOGLE_", Some(("SERVICE_ACCOUNT", "google_service_account")))
        }
        ObjectStoreScheme::MicrosoftAzure => {
            ("AZURE_", Some(("IDENTITY_ENDPOINT", "azure_msi_endpoint")))
        }
        _ => return Vec::new(),
    };
    let other = other.and_then(|(from, to)| Some((to.to_owned(), std::env::var(from).ok()?)));
    let named = std::env::vars_os().filter_map(|(name, value)| {
        let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
        let name = name.starts_with(start).then(|| name.to_ascii_lowercase())?;
        is_known(scheme, &name).then_some((name, value))
    });
    other.into_iter().chain(named).collect()
}

/// All that a client is made of.
#[derive(Debug)]
struct Maker {
    scheme: ObjectStoreScheme,
    url: Url,
    root: Path,
    theirs: Vec<(String, String)>,
    ours: Options,
    location: String,
}

/// A builder with the options of one service.
macro_rules! configured {
    ($self:ident, $builder:expr, $key:ty) => {{
        let builder = $builder.with_client_options($self.client()).with_retry($self.ours.retry());
        $self.theirs.iter().try_fold(builder, |builder, (name, value)| {
            Ok::<_, Cause>(builder.with_config(name.parse::<$key>()?, value))
        })
    }};
}

impl Maker {
    fn make(&self) -> Result<Arc<dyn ObjectStore>> {
        use_ring();
        clients::get(&self.made_of(), || {
            self.build().map_err(|cause| error::of(cause, "use the store", "", &self.location))
        })
    }

    /// All that the client depends on; where in the bucket the store lies does not matter to it.
    fn made_of(&self) -> String {
        let url = self.url.as_str().trim_end_matches('/');
        let place = url.strip_suffix(self.root.as_ref()).unwrap_or(url);
        let (retry, timeout) = (self.ours.retry(), self.ours.read_timeout);
        format!("{:?} {place} {:?} {retry:?} {timeout:?}", self.scheme, self.theirs)
    }

    fn build(&self) -> Result<Arc<dyn ObjectStore>, Cause> {
        let url = self.url.as_str();
        Ok(match self.scheme {
            ObjectStoreScheme::AmazonS3 => {
                let builder = AmazonS3Builder::new().with_url(url);
                Arc::new(configured!(self, builder, AmazonS3ConfigKey)?.build()?)
            }
            ObjectStoreScheme::GoogleCloudStorage => {
                let builder = GoogleCloudStorageBuilder::new().with_url(url);
                Arc::new(configured!(self, builder, GoogleConfigKey)?.build()?)
            }
            ObjectStoreScheme::MicrosoftAzure => {
                let builder = MicrosoftAzureBuilder::new().with_url(url);
                Arc::new(configured!(self, builder, AzureConfigKey)?.build()?)
            }
            ObjectStoreScheme::Http => {
                let origin = &self.url[..url::Position::BeforePath];
                let builder = HttpBuilder::new().with_url(origin);
                Arc::new(configured!(self, builder, ClientConfigKey)?.build()?)
            }
            ObjectStoreScheme::Memory => memory(),
            _ => {
                let operation = "this scheme".to_owned();
                let implementer = "stook".to_owned();
                return Err(Cause::NotImplemented { operation, implementer });
            }
        })
    }

    /// Limits of time: there is none on a whole request, because a large value takes long, but
    /// on waiting for its next bytes.
    fn client(&self) -> ClientOptions {
        ClientOptions::new()
            // A bare `http://` was written by who wants it.
            .with_allow_http(self.url.scheme() == "http")
            .with_timeout_disabled()
            .with_read_timeout(self.ours.read_timeout)
    }
}

/// Chooses who encrypts, unless the program has chosen.
pub fn use_ring() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// The memory of this process that `memory://` URLs share.
fn memory() -> Arc<dyn ObjectStore> {
    static MEMORY: OnceLock<Arc<InMemory>> = OnceLock::new();
    Arc::clone(MEMORY.get_or_init(Arc::default)) as Arc<dyn ObjectStore>
}

/// The path of `key` below `root`.
///
/// # Errors
/// `InvalidInput` for a key that the services have no name for.
pub(crate) fn path_of(root: &Path, key: &str) -> Result<Path> {
    let path = match (root.as_ref(), key) {
        (root, "") => Path::parse(root),
        ("", key) => Path::parse(key),
        (root, key) => Path::parse(format!("{root}/{key}")),
    };
    path.map_err(|cause| {
        let key = key.escape_default();
        Error::invalid(format!("key `{key}`: no name for an object")).with_source(cause)
    })
}

#[cfg(test)]
mod tests {
    use stook_core::ErrorKind;

    use super::*;

    #[test]
    fn urls_are_told_from_paths() {
        for url in ["s3://a/b", "S3://a", "https://a/b.zarr", "file:///a", "memory://x", "gcs://a"]
        {
            assert!(is_url(url), "{url}");
        }
        for path in ["a/b.zarr", "C:\\a", "s3:/a", "ftp://a", "://", "a://b", "/s3://"] {
            assert!(!is_url(path), "{path}");
        }
        assert_eq!(local_path("file:///a/b%20c").unwrap(), Some(PathBuf::from("/a/b c")));
        assert_eq!(local_path("s3://a/b").unwrap(), None);
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        let cases = [
            ("ftp://host/a", "", "ftp"),
            ("no url", "", "URL"),
            ("https://host/a?token=secret", "", "query"),
            ("s3://bucket/a", "no_such_option", "no_such_option"),
            ("memory://a", "aws_region", "aws_region"),
            ("file:///nowhere", "aws_region", "aws_region"),
            ("s3://bucket/a", "in_flight", "in_flight"),
        ];
        for (url, option, named) in cases {
            let options = (!option.is_empty()).then_some((option, "x"));
            let error = open(url, options, true).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{url}");
            assert!(error.to_string().contains(named), "{url}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn stores_of_one_place_are_one() {
        let identity = |url: &str| open(url, [], true).unwrap().identity();
        assert_eq!(identity("memory://a/b"), identity("memory://a/b/"));
        assert_ne!(identity("memory://a/b"), identity("memory://a/c"));
        let at = |endpoint| {
            let options = [("endpoint", endpoint), ("allow_http", "true"), ("region", "x")];
            open("s3://a/b", options, true).unwrap().identity()
        };
        assert_eq!(at("http://localhost:1"), at("http://localhost:1"));
        assert_ne!(at("http://localhost:1"), at("http://localhost:2"));
    }

    #[test]
    fn places_are_shown_without_secrets() {
        let store = open("https://user:secret@host/a/", [], true).unwrap();
        assert_eq!(store.location(), "https://user@host/a");
        assert_eq!(open("memory://a/b", [], true).unwrap().location(), "memory://a/b");
    }
}
