//! Sessions as Zarr v3 hierarchies: an array a node, and all else in the attribute
//! `stook_session` of the root, as [`super::sidecar`] has it.
//!
//! Any reader of Zarr finds the arrays with their dimension names. The hierarchy is written under
//! another name and renamed.

use std::path::Path;

use stook::{CreateOptions, File, OpenOptions, Selection};
use stook_core::file::place::{draft_of, publish, remove};
use stook_core::{
    AttributeEdits, AttributeValue, DType, Durability, Error, ErrorKind, Format, Limits, NodePath,
    Result, Values,
};

use super::kept;
use super::sidecar::{self, Sidecar};
use crate::item::Item;
use crate::metadata::Metadata;
use crate::session::{LoadReport, SaveOptions, SaveReport, Session};
use crate::{Array, Axis, AxisCollection, AxisName};

const SESSION: &str = "stook_session";

/// Loads the objects called `names`, or all, in the order in which they were saved.
pub(crate) fn load(
    path: &Path,
    names: Option<&[String]>,
    limits: &Limits,
) -> Result<(Session, LoadReport)> {
    let options = OpenOptions { limits: limits.clone(), ..OpenOptions::default() };
    let file = File::open_with(path, &options)?;
    let root = file.root_group()?;
    let (mut session, mut report) = (Session::new(), LoadReport::default());
    let wanted = |name: &str| names.is_none_or(|names| names.iter().any(|wanted| wanted == name));
    let Some(AttributeValue::Json(document)) = root.attributes()?.get(SESSION).cloned() else {
        return plain(&root, &wanted);
    };
    let kept = Sidecar::from_json(document).map_err(|error| error.at_file(path))?;
    for (name, object) in kept.objects() {
        if !wanted(name) {
            continue;
        }
        let item = if object.get("axes").is_some() {
            array(&root, name, object)
        } else {
            sidecar::small(object)
        };
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
    *session.metadata_mut() = kept.metadata()?;
    Ok((session, report))
}

fn array(root: &stook::Group, name: &str, object: &serde_json::Value) -> Result<Item> {
    let values = root.open_array(name)?.read(&Selection::All)?;
    let axes = sidecar::axes_of(object)?;
    let dtype = object.get("dtype").and_then(serde_json::Value::as_str).unwrap_or_default();
    let values = kept::retype(values, &kept::parse_dtype(dtype)?)?;
    let array = Array::new(axes, values).map_err(|error| Error::corrupt(error.message()))?;
    Ok(Item::Array(array, sidecar::metadata_of(object)?))
}

/// The arrays of a hierarchy that is no session: their axes count positions.
fn plain(root: &stook::Group, wanted: &dyn Fn(&str) -> bool) -> Result<(Session, LoadReport)> {
    let (mut session, mut report) = (Session::new(), LoadReport::default());
    for child in root.children()? {
        let Ok(dataset) = root.open_array(&child.name) else {
            report.skip(child.name, "a group");
            continue;
        };
        if !wanted(&child.name) {
            continue;
        }
        let values = dataset.read(&Selection::All)?;
        let names = dataset.spec().dimension_names.clone();
        let axes = values.shape().iter().enumerate().map(|(at, &len)| {
            let name = names.as_ref().and_then(|names| names.get(at)?.clone());
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            Axis::wildcard(len, name.map(AxisName::from))
        });
        let axes: AxisCollection = axes.collect();
        session.insert(child.name.as_str(), Array::new(axes, values)?);
        report.loaded.push(child.name);
    }
    Ok((session, report))
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

fn write_array(root: &stook::Group, name: &str, array: &Array) -> Result<()> {
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
