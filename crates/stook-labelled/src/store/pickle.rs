//! Sessions as pickles of larray's own objects, read and written as data.
//!
//! A pickle is a dictionary of names and objects, with `__metadata__` among them. Its objects are of
//! the few classes below; nothing of larray is run, and nothing else is accepted. Bytes:
//! docs/formats/labelled.md.

mod read;
mod write;

use std::path::Path;
use std::sync::Arc;

use stook::pickle::{Class, Form, Pickle, Piece};
use stook_core::file::{FileIo, LocalFile, write_atomic_pieces};
use stook_core::{Durability, Error, Limits, Result};

use crate::item::Item;
use crate::metadata::Metadata;
use crate::session::{LoadReport, SaveOptions, SaveReport, Session};
use crate::store::python::METADATA;

const ARRAY: Class = Class { module: "larray.core.array", name: "Array" };
const AXIS: Class = Class { module: "larray.core.axis", name: "Axis" };
const AXIS_REFERENCE: Class = Class { module: "larray.core.axis", name: "AxisReference" };
const AXIS_COLLECTION: Class = Class { module: "larray.core.axis", name: "AxisCollection" };
const LGROUP: Class = Class { module: "larray.core.group", name: "LGroup" };
const IGROUP: Class = Class { module: "larray.core.group", name: "IGroup" };
const IGROUP_MAKER: Class = Class { module: "larray.core.group", name: "IGroupMaker" };
const CLASSES: [Class; 8] =
    [METADATA, ARRAY, AXIS, AXIS_REFERENCE, AXIS_COLLECTION, LGROUP, IGROUP, IGROUP_MAKER];

/// The name under which metadata lies among the objects.
const METADATA_NAME: &str = "__metadata__";

/// Loads the objects called `names`, or all: values first, then axes, groups and arrays.
pub(crate) fn load(
    path: &Path,
    names: Option<&[String]>,
    limits: &Limits,
) -> Result<(Session, LoadReport)> {
    let pickle = parse(path, limits)?;
    read::session(&pickle, names).map_err(|error| error.at_file(path))
}

fn parse(path: &Path, limits: &Limits) -> Result<Pickle> {
    let file = LocalFile::open(path)?;
    let len = file.len_bytes()?;
    if len > limits.chunk_len_bytes {
        let most = limits.chunk_len_bytes;
        return Err(Error::limit(format!("a pickle of {len} bytes exceeds {most}")).at_file(path));
    }
    let file: Arc<dyn FileIo> = Arc::new(file);
    Pickle::parse_file(&file, limits, &CLASSES).map_err(|error| error.at_file(path))
}

/// Saves objects to a pickle: a new one, or with what the old one holds.
pub(crate) fn save(
    items: &[(&str, &Item)],
    metadata: &Metadata,
    path: &Path,
    options: &SaveOptions,
) -> Result<SaveReport> {
    let mut kept = Session::new();
    let is_there = stook_core::file::place::kind_of(path)?.is_some();
    let metadata = if !options.overwrite && is_there {
        let (old, report) = load(path, None, &Limits::default())?;
        if let Some(lost) = report.not_loaded.first() {
            return Err(Error::unsupported(format!("the file holds what cannot be kept: {lost}"))
                .at_file(path));
        }
        kept = old;
        kept.metadata().clone()
    } else {
        metadata.clone()
    };
    let mut all: Vec<(&str, &Item)> =
        kept.iter().filter(|(name, _)| items.iter().all(|(new, _)| new != name)).collect();
    all.extend_from_slice(items);
    let (pickle, report) = write::session(&all, &metadata)?;
    let pieces = stook::pickle::pieces(&pickle, Form::Numpy2)?;
    let pieces: Vec<&[u8]> = pieces.iter().map(Piece::bytes).collect();
    write_atomic_pieces(path, &pieces, Durability::Flush)?;
    Ok(report)
}
