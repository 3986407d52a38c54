//! Sessions as Zarr v3 hierarchies: an array a node, and all else in the attribute
//! `stook_session` of the root, as [`super::sidecar`] has it.
//!
//! Any reader of Zarr finds the arrays with their dimension names. The hierarchy is written under
//! another name and renamed.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;
use stook::{CreateOptions, File, Group, OpenOptions, Selection};
use stook_core::file::place::{draft_of, publish, remove};
use stook_core::{
    AttributeEdits, AttributeValue, DType, Durability, Error, ErrorKind, Format, Limits, NodeKind,
    NodePath, Result, Values,
};

use super::pandas::first_labels;
use super::sidecar::{self, Sidecar};
use super::{kept, parallel};
use crate::item::Item;
use crate::metadata::Metadata;
use crate::session::first_rows;
use crate::session::{Listed, LoadReport, SaveOptions, SaveReport, Session};
use crate::{Array, Axis, AxisCollection, AxisName};

const SESSION: &str = "stook_session";

/// Loads the objects called `names`, or all, in the order in which they were saved.
pub(crate) fn load(
    path: &Path,
    names: Option<&[String]>,
    limits: &Limits,
) -> Result<(Session, LoadReport)> {
    let source = Hierarchy::open(path, limits)?;
    let mut session = Session::new().with_metadata(source.metadata.clone());
    let mut report = LoadReport::default();
    let is_wanted = |name: &str| names.is_none_or(|names| names.iter().any(|own| own == name));
    for (name, why) in source.others.iter().filter(|(name, _)| is_wanted(name)) {
        report.skip(name.as_str(), *why);
    }
    let wanted: Vec<&str> =
        source.items.iter().map(|(name, _)| name.as_str()).filter(|name| is_wanted(name)).collect();
    let items = parallel::map(&wanted, |name| source.item(name));
    for (name, item) in wanted.into_iter().zip(items) {
        match item {
            Ok(item) => {
                session.insert(name, item);
                report.loaded.push(name.to_owned());
            }
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                report.skip(name, error.message());
            }
            Err(error) => return Err(error.at_file(path)),
        }
    }
    Ok((session, report))
}

/// A session as a hierarchy: what is in it is known, and its elements are not yet read.
#[derive(Debug)]
pub(crate) struct Hierarchy {
    root: Group,
    metadata: Metadata,
    /// Names in order, with what is kept of each object; nothing is of arrays of others.
    items: Vec<(String, Option<Value>)>,
    places: HashMap<String, usize>,
    /// What is no object, and why.
    others: Vec<(String, &'static str)>,
}

impl Hierarchy {
    /// # Errors
    /// `NotFound`, `Corrupt`, `LimitExceeded`, `Unsupported`, `Io`.
    pub(crate) fn open(path: &Path, limits: &Limits) -> Result<Self> {
        let options = OpenOptions { limits: limits.clone(), ..OpenOptions::default() };
        let root = File::open_with(path, &options)?.root_group()?;
        let document = match root.attributes()?.get(SESSION) {
            Some(AttributeValue::Json(document)) => Some(document.clone()),
            _ => None,
        };
        let mut found = Self {
            root,
            metadata: Metadata::new(),
            items: Vec::new(),
            places: HashMap::new(),
            others: Vec::new(),
        };
        match document {
            Some(document) => found.list_session(document).map_err(|error| error.at_file(path))?,
            None => found.list_arrays()?,
        }
        Ok(found)
    }

    fn list_session(&mut self, document: Value) -> Result<()> {
        let kept = Sidecar::from_json(document)?;
        self.metadata = kept.metadata()?;
        for (name, object) in kept.objects() {
            self.push(name, Some(object.clone()));
        }
        Ok(())
    }

    /// The arrays of a hierarchy that is no session.
    fn list_arrays(&mut self) -> Result<()> {
        for child in self.root.children()? {
            match child.kind {
                Some(NodeKind::Array) => self.push(&child.name, None),
                Some(NodeKind::Group) => self.others.push((child.name, "a group")),
                _ => self.others.push((child.name, "no array")),
            }
        }
        Ok(())
    }

    fn push(&mut self, name: &str, kept: Option<Value>) {
        if !self.places.contains_key(name) {
            self.places.insert(name.to_owned(), self.items.len());
            self.items.push((name.to_owned(), kept));
        }
    }

    /// The names in order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.items.iter().map(|(name, _)| name.clone()).collect()
    }

    /// What the session says about itself.
    pub(crate) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// What the object called `name` is, without its elements.
    pub(crate) fn describe(&self, name: &str) -> Result<Listed> {
        match self.found(name)? {
            Found::Small(object) => small(name, object).map(Listed::Item),
            Found::Array(note) => {
                let (stored, axes) = self.stored(name, note)?;
                let dtype = note.map_or_else(|| Ok(stored.dtype()), noted_dtype)?;
                Ok(Listed::Array { axes, dtype })
            }
        }
    }

    /// The object called `name`.
    pub(crate) fn item(&self, name: &str) -> Result<Item> {
        match self.found(name)? {
            Found::Small(object) => small(name, object),
            Found::Array(note) => {
                let (stored, axes) = self.stored(name, note)?;
                array(axes, stored.read(&Selection::All)?, note)
            }
        }
    }

    /// The labels `start..stop`, by their positions, of the first axis of the array called `name`.
    pub(crate) fn rows(&self, name: &str, start: usize, stop: usize) -> Result<Item> {
        let note = match self.found(name)? {
            Found::Array(note) => note,
            Found::Small(object) => return first_rows(&small(name, object)?, start, stop),
        };
        let (stored, axes) = self.stored(name, note)?;
        let axes = first_labels(&axes, start, stop)?;
        let others = stored.shape().into_iter().skip(1).map(|len| 0..len);
        let rows = std::iter::once(start as u64..stop as u64).chain(others);
        array(axes, stored.read(&Selection::ranges(rows))?, note)
    }

    fn found(&self, name: &str) -> Result<Found<'_>> {
        let found = self.places.get(name).and_then(|&at| self.items.get(at));
        match found {
            None => Err(Error::not_found(format!("the session has no `{name}`"))),
            Some((_, Some(object))) if object.get("axes").is_none() => Ok(Found::Small(object)),
            Some((_, note)) => Ok(Found::Array(note.as_ref())),
        }
    }

    /// The array called `name` where it lies, and its axes; those of arrays of others count
    /// positions.
    fn stored(&self, name: &str, note: Option<&Value>) -> Result<(stook::Array, AxisCollection)> {
        let stored = self.root.open_array(name)?;
        let shape = stored.shape();
        let Some(note) = note else {
            let names = stored.spec().dimension_names.clone();
            let axes = shape.iter().enumerate().map(|(at, &len)| {
                let name = names.as_ref().and_then(|names| names.get(at)?.clone());
                let len = usize::try_from(len).map_err(|_| Error::limit("an axis is too long"))?;
                Ok(Axis::wildcard(len, name.map(AxisName::from)))
            });
            let axes = axes.collect::<Result<Vec<_>>>()?;
            return Ok((stored, axes.into()));
        };
        let axes = sidecar::axes_of(note)?;
        let lens: Vec<u64> = axes.shape().iter().map(|&len| len as u64).collect();
        if lens != shape {
            let message = format!("expected an array of shape {lens:?}, found {shape:?}");
            return Err(Error::corrupt(message));
        }
        Ok((stored, axes))
    }
}

/// What a name stands for.
enum Found<'a> {
    /// An axis, a group or a value, as it is kept.
    Small(&'a Value),
    /// An array, with what is kept of it.
    Array(Option<&'a Value>),
}

fn small(name: &str, object: &Value) -> Result<Item> {
    sidecar::small(object).map_err(|error| error.within(format_args!("`{name}`")))
}

fn noted_dtype(note: &Value) -> Result<DType> {
    kept::parse_dtype(note.get("dtype").and_then(Value::as_str).unwrap_or_default())
}

fn array(axes: AxisCollection, values: Values, note: Option<&Value>) -> Result<Item> {
    let Some(note) = note else {
        return Ok(Item::Array(Array::new(axes, values)?, Metadata::new()));
    };
    let values = kept::retype(values, &noted_dtype(note)?)?;
    Ok(Item::Array(Array::new(axes, values)?, sidecar::metadata_of(note)?))
}

/// Saves objects as a new hierarchy in place of what is there.
pub(crate) fn save(
    items: &[(&str, &Item)],
    metadata: &Metadata,
    path: &Path,
    options: &SaveOptions,
) -> Result<SaveReport> {
    if !options.overwrite && stook_core::file::place::kind_of(path)?.is_some() {
        let message = "a Zarr hierarchy is replaced as a whole; it cannot be added to";
        return Err(Error::unsupported(message).at_file(path));
    }
    let draft = draft_of(path);
    let written = write(items, metadata, &draft).and_then(|report| {
        publish(&draft, path, stook::InTheWay::Goes)?;
        Ok(report)
    });
    written.inspect_err(|_| drop(remove(&draft))).map_err(|error| error.rename_file(path))
}

fn write(items: &[(&str, &Item)], metadata: &Metadata, draft: &Path) -> Result<SaveReport> {
    let options = CreateOptions { format: Some(Format::ZarrV3), ..CreateOptions::default() };
    let file = File::create_with(draft, &options)?;
    let root = file.root_group()?;
    let mut report = SaveReport::default();
    let mut kept: Vec<(&str, &Item)> = Vec::new();
    for (name, item) in items {
        let written = match item {
            Item::Array(array, _) => write_array(&root, name, array),
            item if Sidecar::holds(item) => Ok(()),
            item => Err(Error::unsupported(format!("a {}", item.type_name()))),
        };
        match written {
            Ok(()) => {
                kept.push((name, item));
                report.saved.push((*name).to_owned());
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput) =>
            {
                report.skip(*name, error.message());
            }
            Err(error) => return Err(error),
        }
    }
    let document = Sidecar::of(&kept, metadata)?.to_json();
    let edits = AttributeEdits::new().set(SESSION, document);
    file.container().edit_attributes(&NodePath::root(), &edits)?;
    file.commit_with(Durability::Flush)?;
    Ok(report)
}

fn write_array(root: &Group, name: &str, array: &Array) -> Result<()> {
    if name.contains('/') || name.starts_with("__") || name == "zarr.json" {
        return Err(Error::unsupported("Zarr has no such name"));
    }
    let values = array.data();
    let stored: Values = match values.dtype() {
        DType::FixedString(_) => return Err(Error::unsupported("bytes of fixed length in Zarr")),
        _ => (**values).clone(),
    };
    let shape: Vec<u64> = stored.shape().to_vec();
    let mut builder = root.array(name).dtype(stored.dtype().clone()).shape(shape);
    if array.axes().iter().all(|axis| axis.name().is_some()) {
        let names = array.axes().iter().filter_map(|axis| axis.name().map(ToString::to_string));
        builder = builder.dimension_names(names);
    }
    builder.create()?.write(&Selection::All, &stored)
}
