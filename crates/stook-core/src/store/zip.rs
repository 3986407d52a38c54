//! Zip archives: as a byte store, and as the file below npz.
//!
//! The records are those of docs/formats/zip.md. Reading needs nothing but the central directory
//! and a positional read an entry; stored entries are read in ranges, deflated and zstd entries
//! as wholes. Changes go to a temporary file beside the archive, which takes its place when they
//! are committed: readers, and a process that dies, never see half of them.

mod archive;
mod decode;
mod deflated;
mod directory;
mod record;
mod state;
mod store;

pub use archive::{Archive, EntryInfo};
pub use store::ZipStore;
