//! [Icechunk](https://icechunk.io) repositories as byte stores: Zarr hierarchies with versions.
//!
//! A [`Repository`] holds snapshots of one hierarchy of Zarr version 3; branches and tags name some
//! of them. A [`Session`] sees one snapshot, and what it changes itself: nobody else does until it
//! [commits](Session::commit), all at once or not at all. Its [store](Session::store) is a
//! [`ByteStore`](stook_core::ByteStore) as any other.
//!
//! ```
//! use stook_icechunk::{Repository, Version};
//!
//! let repository = Repository::create("memory://", [])?;
//! let session = repository.write("main")?;
//! session.store().set("zarr.json", br#"{"zarr_format": 3, "node_type": "group"}"#)?;
//! let snapshot = session.commit("a group")?;
//! assert_eq!(repository.history(&Version::branch("main"))?[0].id, snapshot);
//! # Ok::<(), stook_core::Error>(())
//! ```
//!
//! Requests are made on the runtime of `stook-remote`. A child process that inherits a repository
//! opens its own: connections are the parent's.

mod diff;
mod error;
mod repository;
mod session;
mod storage;
mod store;

pub use diff::Diff;
pub use repository::{Commit, Repository, Version};
pub use session::{Conflict, OnConflict, Rebased, Session};
