//! Trees behind URLs: Zarr in object stores, any format at `file://`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use stook_core::file::place::InTheWay;
use stook_core::store::ByteStore;
use stook_core::{Container, Error, ErrorKind, Format, Mode, OpenOptions, Result};
use stook_zarr::ZarrContainer;

use crate::file::{CreateOptions, File};
use crate::format;

/// Whether `text` is a URL (`s3://`, `gs://`, `az://`, `https://`, ...), and not a path.
#[must_use]
#[cfg(feature = "remote")]
pub fn is_url(text: &str) -> bool {
    stook_remote::is_url(text)
}

/// Whether `text` is a URL (`s3://`, `gs://`, `az://`, `https://`, ...), and not a path.
#[must_use]
#[cfg(not(feature = "remote"))]
pub fn is_url(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// The byte store at `url`, for [`File::from_store`]. `options` are those of the service, as the
/// `object_store` crate names them (`endpoint`, `allow_http`, `aws_region`, ...), and those in
/// docs/remote.md; what they do not say, the environment may (`AWS_REGION`, ...).
///
/// Nothing is asked of the service yet.
///
/// # Errors
/// `InvalidInput` for a URL or option that is not known or makes no sense; `Unsupported` where
/// the library was built without `remote`; of `file:///` also `NotFound`, `Io`.
#[cfg(feature = "remote")]
pub fn open_store<'a>(
    url: &str,
    options: impl IntoIterator<Item = (&'a str, &'a str)>,
    mode: Mode,
) -> Result<Arc<dyn ByteStore>> {
    stook_remote::open(url, options, mode == Mode::Read)
}

/// The byte store at `url`, which needs the feature `remote`.
///
/// # Errors
/// `Unsupported`, always: the library was built without `remote`.
#[cfg(not(feature = "remote"))]
pub fn open_store<'a>(
    url: &str,
    _: impl IntoIterator<Item = (&'a str, &'a str)>,
    _: Mode,
) -> Result<Arc<dyn ByteStore>> {
    Err(Error::unsupported("this build opens no URLs").at_file(url))
}

/// The path that a `file://` URL means.
fn local_path(url: &str) -> Result<Option<PathBuf>> {
    #[cfg(feature = "remote")]
    return stook_remote::local_path(url);
    #[cfg(not(feature = "remote"))]
    return open_store(url, [], Mode::Read).map(|_| None);
}

/// The URL that was given as a path.
pub(crate) fn url_of(path: &Path) -> Option<&str> {
    path.to_str().filter(|text| is_url(text))
}

/// Refuses a URL where a path is needed.
///
/// # Errors
/// `Unsupported` for a URL.
pub(crate) fn expect_path(path: &Path) -> Result<()> {
    match url_of(path) {
        None => Ok(()),
        Some(_) => {
            let error = Error::unsupported("this cannot be done behind a URL").at_file(path);
            Err(error.with_hint("give the path of a local file or folder"))
        }
    }
}

/// Opens the tree at `url`.
pub(crate) fn open(url: &str, options: &OpenOptions) -> Result<Arc<dyn Container>> {
    if let Some(path) = local_path(url)? {
        return format::open(&path, options);
    }
    let store = open_store(url, [], options.mode)?;
    Ok(Arc::new(ZarrContainer::open(store, options)?))
}

/// A new Zarr hierarchy at `url`, with an empty root group.
pub(crate) fn create(url: &str, options: &CreateOptions) -> Result<File> {
    if let Some(path) = local_path(url)? {
        return File::create_with(path, options);
    }
    let file = make(url, options)?;
    file.make_root_group()?;
    Ok(file)
}

/// A new Zarr hierarchy at `url`, without a root.
pub(crate) fn make(url: &str, options: &CreateOptions) -> Result<File> {
    let format = match options.format {
        None => Format::ZarrV3,
        Some(format @ (Format::ZarrV2 | Format::ZarrV3)) => format,
        Some(other) => {
            let what = format!("format {other} cannot be written behind a URL, Zarr can");
            return Err(Error::unsupported(what).at_file(url));
        }
    };
    let store = open_store(url, [], Mode::ReadWrite)?;
    if options.in_the_way == InTheWay::Goes && stook_zarr::is_zarr(&*store)? {
        store.erase_prefix("")?;
    }
    let opened = OpenOptions { limits: options.limits.clone(), ..OpenOptions::read_write() };
    let container = ZarrContainer::empty(store, format, &opened)?;
    Ok(File::from_container(Arc::new(container), url))
}

/// Opens the tree at `url` for reading and writing, or creates it.
pub(crate) fn require(url: &str) -> Result<File> {
    match File::open_read_write(url) {
        Err(error) if error.kind() == ErrorKind::NotFound => File::create(url),
        other => other,
    }
}
