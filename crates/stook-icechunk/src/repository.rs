//! A repository: its snapshots, and the branches and tags that name them.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::TryStreamExt as _;
use icechunk::format::SnapshotId;
use icechunk::format::format_constants::SpecVersionBin;
use icechunk::repository::{RepositoryError, VersionInfo};
use stook_core::{Error, Result};
use stook_remote::hidden::{finish, run};

use crate::diff::Diff;
use crate::session::Session;
use crate::{error, storage};

/// Which snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// The last one of a branch.
    Branch(String),
    /// The one that a tag names.
    Tag(String),
    /// The one of this identifier.
    Snapshot(String),
}

impl Version {
    /// The last snapshot of a branch.
    #[must_use]
    pub fn branch(name: impl Into<String>) -> Self {
        Self::Branch(name.into())
    }

    /// The snapshot that a tag names.
    #[must_use]
    pub fn tag(name: impl Into<String>) -> Self {
        Self::Tag(name.into())
    }

    /// The snapshot of an identifier, as [`Session::commit`] returns it.
    #[must_use]
    pub fn snapshot(id: impl Into<String>) -> Self {
        Self::Snapshot(id.into())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Branch(name) => write!(f, "branch `{name}`"),
            Self::Tag(name) => write!(f, "tag `{name}`"),
            Self::Snapshot(id) => write!(f, "snapshot `{id}`"),
        }
    }
}

/// A snapshot in the history of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its identifier.
    pub id: String,
    /// The one before; `None` of the first.
    pub parent: Option<String>,
    /// What was said about it.
    pub message: String,
    /// When it was made, by the clock of who made it.
    pub time: SystemTime,
}

/// A repository. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Repository {
    inner: Arc<icechunk::Repository>,
    location: Arc<str>,
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository").field("location", &self.location).finish_non_exhaustive()
    }
}

/// What is to become of a place.
#[derive(Clone, Copy)]
enum Begin {
    Create,
    Open,
    Require,
}

impl Repository {
    /// A new repository at `place`, with a first, empty snapshot and the branch `main`: a folder
    /// (its path or `file://` URL), `s3://bucket/prefix`, or `memory://`, which lasts as long as
    /// the repository. `options` are for S3, as docs/remote.md has them; `spec_version` says of
    /// which version of icechunk's format the repository is: `2`, if nothing is said, or `1`.
    ///
    /// # Errors
    /// `AlreadyExists` if there is something, `InvalidInput` for a place or option that is not
    /// known, `Io`.
    pub fn create<'a>(
        place: &str,
        options: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self> {
        Self::begin(place, options.into_iter().collect(), Begin::Create)
    }

    /// The repository at `place`.
    ///
    /// # Errors
    /// `NotFound` if there is none, `Corrupt`, and those of [`Repository::create`].
    pub fn open<'a>(
        place: &str,
        options: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self> {
        Self::begin(place, options.into_iter().collect(), Begin::Open)
    }

    /// The repository at `place`, or a new one.
    ///
    /// # Errors
    /// Those of [`Repository::open`] and [`Repository::create`].
    pub fn require<'a>(
        place: &str,
        options: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self> {
        Self::begin(place, options.into_iter().collect(), Begin::Require)
    }

    fn begin(place: &str, options: Vec<(&str, &str)>, begin: Begin) -> Result<Self> {
        let (ours, theirs): (Vec<_>, Vec<_>) =
            options.into_iter().partition(|(name, _)| *name == "spec_version");
        let spec_version = match ours.last().map(|(_, value)| *value) {
            None | Some("2") => SpecVersionBin::V2,
            Some("1") => SpecVersionBin::V1,
            Some(other) => {
                let what = format!("option `spec_version`: expected 1 or 2, found `{other}`");
                return Err(Error::invalid(what).at_file(place));
            }
        };
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let place = storage::open(place, theirs.into_iter().map(owned).collect())?;
        let (storage, location) = (place.storage, place.location.clone());
        let inner = finish(async move {
            use icechunk::Repository as Theirs;
            let made = match begin {
                Begin::Create => Theirs::create(storage).spec_version(spec_version).execute().await,
                Begin::Open => Theirs::open(storage).execute().await,
                Begin::Require => {
                    Theirs::open_or_create(storage).spec_version(spec_version).execute().await
                }
            };
            let what = match begin {
                Begin::Create => "create a repository",
                Begin::Open | Begin::Require => "open the repository",
            };
            made.map_err(|cause| error::of_repository(cause, what, &location))
        })?;
        Ok(Self { inner: Arc::new(inner), location: place.location.into() })
    }

    /// Where it is.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// A session that reads `version` and changes nothing.
    ///
    /// # Errors
    /// `NotFound` if there is no such snapshot, branch or tag, `Io`.
    pub fn read(&self, version: &Version) -> Result<Session> {
        let (what, version) = (format!("read {version}"), info(version)?);
        let session = self.ask(what, move |repository| async move {
            repository.readonly_session(&version).await
        })?;
        Ok(Session::new(session, &self.location))
    }

    /// A session that begins with the last snapshot of `branch` and may commit a further one.
    ///
    /// # Errors
    /// `NotFound` if there is no such branch, `ReadOnly`, `Io`.
    pub fn write(&self, branch: &str) -> Result<Session> {
        let (what, branch) = (format!("write branch `{branch}`"), branch.to_owned());
        let session =
            self.ask(
                what,
                move |repository| async move { repository.writable_session(&branch).await },
            )?;
        Ok(Session::new(session, &self.location))
    }

    /// The names of all branches.
    ///
    /// # Errors
    /// `Io`.
    pub fn branches(&self) -> Result<BTreeSet<String>> {
        self.ask("list the branches", |repository| async move { repository.list_branches().await })
    }

    /// A new branch `name` whose last snapshot is `at`.
    ///
    /// # Errors
    /// `NotFound`, `Locked` if there is such a branch, `Io`.
    pub fn create_branch(&self, name: &str, at: &Version) -> Result<()> {
        let (what, name) = (format!("create branch `{name}`"), name.to_owned());
        let at = info(at)?;
        self.change(what, move |repository| async move {
            let at = repository.resolve_version(&at).await?;
            repository.create_branch(&name, &at).await
        })
    }

    /// Makes `to` the last snapshot of branch `name`; those behind it have no name any more, unless
    /// another branch or a tag leads to them.
    ///
    /// # Errors
    /// `NotFound`, `Locked` if somebody commits meanwhile, `Io`.
    pub fn reset_branch(&self, name: &str, to: &Version) -> Result<()> {
        let (what, name) = (format!("reset branch `{name}`"), name.to_owned());
        let to = info(to)?;
        self.change(what, move |repository| async move {
            let from = repository.lookup_branch(&name).await?;
            let to = repository.resolve_version(&to).await?;
            repository.reset_branch(&name, &to, Some(&from)).await
        })
    }

    /// Removes a branch; `main` stays.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` of `main`, `Io`.
    pub fn delete_branch(&self, name: &str) -> Result<()> {
        let (what, name) = (format!("delete branch `{name}`"), name.to_owned());
        self.change(what, move |repository| async move { repository.delete_branch(&name).await })
    }

    /// The names of all tags.
    ///
    /// # Errors
    /// `Io`.
    pub fn tags(&self) -> Result<BTreeSet<String>> {
        self.ask("list the tags", |repository| async move { repository.list_tags().await })
    }

    /// A new tag `name` of snapshot `at`, for ever: a name is given once, also after the tag was
    /// deleted.
    ///
    /// # Errors
    /// `NotFound` if there is no such version or the name was given before, `Io`.
    pub fn create_tag(&self, name: &str, at: &Version) -> Result<()> {
        let (what, name) = (format!("create tag `{name}`"), name.to_owned());
        let at = info(at)?;
        self.change(what, move |repository| async move {
            let at = repository.resolve_version(&at).await?;
            repository.create_tag(&name, &at).await
        })
    }

    /// Removes a tag.
    ///
    /// # Errors
    /// `NotFound`, `Io`.
    pub fn delete_tag(&self, name: &str) -> Result<()> {
        let (what, name) = (format!("delete tag `{name}`"), name.to_owned());
        self.change(what, move |repository| async move { repository.delete_tag(&name).await })
    }

    /// The identifier of the snapshot that `version` is now.
    ///
    /// # Errors
    /// `NotFound`, `Io`.
    pub fn resolve(&self, version: &Version) -> Result<String> {
        let (what, version) = (format!("find {version}"), info(version)?);
        let id =
            self.ask(
                what,
                move |repository| async move { repository.resolve_version(&version).await },
            )?;
        Ok(id.to_string())
    }

    /// `version` and all snapshots before it, the last one first.
    ///
    /// # Errors
    /// `NotFound`, `Io`.
    pub fn history(&self, version: &Version) -> Result<Vec<Commit>> {
        let (what, version) = (format!("read the history of {version}"), info(version)?);
        let found = self.ask(what, move |repository| async move {
            repository.ancestry(&version).await?.try_collect::<Vec<_>>().await
        })?;
        let commit = |info: icechunk::format::snapshot::SnapshotInfo| Commit {
            id: info.id.to_string(),
            parent: info.parent_id.map(|id| id.to_string()),
            message: info.message,
            time: info.flushed_at.into(),
        };
        Ok(found.into_iter().map(commit).collect())
    }

    /// What the snapshots behind `from` up to `to` have changed.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` if `from` is not in the history of `to`, `Io`.
    pub fn diff(&self, from: &Version, to: &Version) -> Result<Diff> {
        let what = format!("compare {from} with {to}");
        let (from, to) = (info(from)?, info(to)?);
        let (repository, location) = (Arc::clone(&self.inner), Arc::clone(&self.location));
        let diff = run(async move {
            let diff = repository.diff(&from, &to).await;
            diff.map_err(|cause| error::of_session(cause, &what, &location))
        })?;
        Ok(diff.into())
    }

    /// Asks the repository something.
    fn ask<T, F>(
        &self,
        what: impl Into<String>,
        work: impl FnOnce(Arc<icechunk::Repository>) -> F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = std::result::Result<T, RepositoryError>> + Send + 'static,
    {
        run(self.task(what, work))
    }

    /// The same for a change, which is waited for to its end.
    fn change<T, F>(
        &self,
        what: impl Into<String>,
        work: impl FnOnce(Arc<icechunk::Repository>) -> F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = std::result::Result<T, RepositoryError>> + Send + 'static,
    {
        finish(self.task(what, work))
    }

    fn task<T, F>(
        &self,
        what: impl Into<String>,
        work: impl FnOnce(Arc<icechunk::Repository>) -> F,
    ) -> impl Future<Output = Result<T>> + Send + 'static
    where
        T: Send + 'static,
        F: Future<Output = std::result::Result<T, RepositoryError>> + Send + 'static,
    {
        let (what, location) = (what.into(), Arc::clone(&self.location));
        let task = work(Arc::clone(&self.inner));
        async move { task.await.map_err(|cause| error::of_repository(cause, &what, &location)) }
    }
}

/// `version`, as icechunk names it.
fn info(version: &Version) -> Result<VersionInfo> {
    Ok(match version {
        Version::Branch(name) => VersionInfo::BranchTipRef(name.clone()),
        Version::Tag(name) => VersionInfo::TagRef(name.clone()),
        Version::Snapshot(id) => {
            let parsed = SnapshotId::try_from(id.as_str());
            let parsed = parsed
                .map_err(|_| Error::invalid(format!("`{id}` is no identifier of a snapshot")))?;
            VersionInfo::SnapshotId(parsed)
        }
    })
}
