//! Object stores (S3, Google Cloud Storage, Azure, HTTP) as byte stores, by URL.
//!
//! [`open`] is all there is: what it returns is a [`ByteStore`](stook_core::ByteStore) as any
//! other. Requests are made on a runtime that belongs to this crate and that nobody sees: it
//! begins with the first request of a process, and a child process that inherited a store makes
//! one of its own, and new connections.
//!
//! ```
//! let store = stook_remote::open("memory://example", std::iter::empty(), false)?;
//! store.set("a/b", b"value")?;
//! let mut value = Vec::new();
//! assert!(store.get("a/b", &mut value, 1 << 20)?);
//! assert_eq!(value, b"value");
//! # Ok::<(), stook_core::Error>(())
//! ```

mod backend;
mod clients;
mod error;
mod list;
mod open;
mod options;
mod ranges;
mod read;
mod runtime;
mod store;
mod write;

pub use open::{is_url, local_path, open};

/// The runtime, for other stores of this workspace.
#[doc(hidden)]
pub mod hidden {
    pub use crate::open::use_ring;
    pub use crate::runtime::{finish, run};
}
