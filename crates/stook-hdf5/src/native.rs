//! Metadata read and made without the library, where they are of the plain forms that nearly all
//! nodes have: a hundredth of the library's work a node, and nothing kept in its cache.
//!
//! Invariants:
//! - Whatever is not understood, contradicts itself or lies outside the file is no error here but
//!   `None`: the library is asked, and says what is wrong.
//! - Files are read here only where nobody changes what is read: opened for reading, at one
//!   commit, by no program that writes without a journal.
//! - Sizes are checked before memory is asked for; what leads on does so a bounded number of times.
//!
//! The forms are those of the HDF5 File Format Specification 3.0, whose sections the parts name.

mod attribute;
mod bytes;
mod chunks;
mod dataset;
mod group;
mod header;
mod heap;
mod listing;
mod make;
mod names;
mod source;

pub(crate) use chunks::Span;
pub(crate) use dataset::{Dataset, Fill, Place, TEXT_LEN};
pub(crate) use listing::Reader;
pub use listing::walk_natively;
pub(crate) use make::{NewArray, NewAttribute, NewHeader, encode, encode_group, text_type};
pub(crate) use names::{NAMES_K, names, names_len};
