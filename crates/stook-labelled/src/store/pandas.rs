//! Sessions in HDF5, in the layout that pandas calls *fixed* and larray fills: a group an object.
//!
//! What larray and pandas 2 and 3 wrote is read, and they read what is written here. What that
//! layout cannot say (positions of a group, units of dates, wildcards, …) is kept beside it in the
//! attribute `stook` of the group, which they pass over. Bytes: docs/formats/labelled.md.
//!
//! A file is written under another name and renamed; one that is added to is changed by one
//! transaction.

mod attributes;
mod data;
mod read;
mod table;
mod write;

pub(crate) use read::{Pandas, load};
pub(crate) use table::{first_labels, first_rows};
pub(crate) use write::save;
