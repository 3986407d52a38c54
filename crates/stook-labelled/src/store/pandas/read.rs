//! Reading groups as objects.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use stook::pickle::{Node, Pickle};
use stook::{File, Group as Folder, NodePath, OpenOptions, Selection};
use stook_core::{DType, Error, Limits, Result, Values};

use super::attributes::{Marks, Name};
use super::data::{self, Found};
use super::table;
use crate::group::{Group, GroupKey, LabelKey};
use crate::item::Item;
use crate::metadata::Metadata;
use crate::scalar::{Date, Scalar, Time};
use crate::session::{Listed, LoadReport, Session};
use crate::store::{each_at_once, kept, python, time};
use crate::{Array, Axis, AxisCollection, AxisName, Label, Labels};

/// A file of objects, open.
#[derive(Debug)]
pub(crate) struct Pandas {
    file: File,
    limits: Limits,
}

/// Loads the objects called `names`, or all, sorted by name.
pub(crate) fn load(
    path: &Path,
    names: Option<&[String]>,
    limits: &Limits,
) -> Result<(Session, LoadReport)> {
    let source = Pandas::open(path, limits)?;
    let mut session = Session::new().with_metadata(source.metadata()?);
    let mut report = LoadReport::default();
    let wanted = match names {
        None => source.names()?,
        Some(names) => source.names_among(names)?,
    };
    let items = each_at_once(wanted.len(), &|at| {
        let Some(name) = wanted.get(at) else { return Ok(None) };
        match source.item(name) {
            Err(error) if error.kind() == stook_core::ErrorKind::Unsupported => {
                Ok(Some(Err(error)))
            }
            found => found.map(|item| Some(Ok(item))).map_err(|error| error.at_file(path)),
        }
    })?;
    for (name, item) in wanted.into_iter().zip(items) {
        match item {
            Some(Ok(item)) => {
                session.insert(name.as_str(), item);
                report.loaded.push(name);
            }
            Some(Err(error)) => report.skip(name, error.message()),
            None => {}
        }
    }
    Ok((session, report))
}

impl Pandas {
    pub(crate) fn open(path: &Path, limits: &Limits) -> Result<Self> {
        let options = OpenOptions { limits: limits.clone(), ..OpenOptions::default() };
        Ok(Self { file: File::open_with(path, &options)?, limits: limits.clone() })
    }

    /// The names of the objects, sorted.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        let children = self.file.root_group()?.children()?;
        Ok(children.into_iter().map(|child| child.name).collect())
    }

    /// Those of `names` that objects have, sorted; the others are not looked at.
    fn names_among(&self, names: &[String]) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for name in names {
            let path = NodePath::root().join(name);
            let Some(path) = path.ok().filter(|path| path.name() == name) else { continue };
            if self.file.container().kind(&path)?.is_some() {
                found.push(name.clone());
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// What the file says about itself.
    pub(crate) fn metadata(&self) -> Result<Metadata> {
        let marks = Marks::new(self.file.root_group()?.attributes()?);
        metadata(&marks, &self.limits)
    }

    /// The object called `name`.
    pub(crate) fn item(&self, name: &str) -> Result<Item> {
        let (folder, marks) = self.folder(name)?;
        let item = match marks.text("type").as_deref() {
            Some("Array") => self.array(&folder, &marks)?,
            Some("Axis") => Item::Axis(self.axis(&folder, &marks)?),
            Some("Group" | "LGroup" | "IGroup") => Item::Group(self.group(&folder, &marks)?),
            Some(kind) => Item::Scalar(self.scalar(&folder, &marks, kind)?),
            None => self.array(&folder, &marks)?,
        };
        Ok(item)
    }

    /// What the object called `name` is, without its elements.
    pub(crate) fn describe(&self, name: &str) -> Result<Listed> {
        let (folder, marks) = self.folder(name)?;
        let is_array = matches!(marks.text("type").as_deref(), Some("Array") | None);
        if !is_array || marks.text("pandas_type").as_deref() == Some("series") {
            return Ok(Listed::of_item(&self.item(name)?));
        }
        let note = note(&marks)?;
        let frame = table::axes(&folder, &marks, note.as_ref(), &self.limits)?;
        let dtype = match note.as_ref().and_then(|note| note.get("dtype")).and_then(Value::as_str) {
            Some(name) => kept::parse_dtype(name)?,
            None => data::dtype(&folder, "block0_values")?,
        };
        Ok(Listed::Array { axes: frame.axes, dtype })
    }

    /// A part of the elements of the array called `name`: of rows `start..stop` of its first axis.
    pub(crate) fn rows(&self, name: &str, start: usize, stop: usize) -> Result<Item> {
        let (folder, marks) = self.folder(name)?;
        let note = note(&marks)?;
        let frame = table::axes(&folder, &marks, note.as_ref(), &self.limits)?;
        let whole = || -> Result<Item> {
            let Item::Array(array, metadata) = self.item(name)? else {
                return Err(Error::invalid(format!("`{name}` is no array")));
            };
            Ok(Item::Array(table::first_rows(&array, start, stop)?, metadata))
        };
        let Some(part) = table::read_rows(&folder, &frame, (start, stop), &self.limits)? else {
            return whole();
        };
        let (axes, values) = part;
        let values = retyped(values, note.as_ref())?;
        Ok(Item::Array(Array::new(axes, values)?, metadata(&marks, &self.limits)?))
    }

    fn folder(&self, name: &str) -> Result<(Folder, Marks)> {
        let folder = self.file.group(&format!("/{name}"))?;
        let marks = Marks::new(folder.attributes()?);
        if !marks.has("pandas_type") {
            return Err(Error::unsupported("it is none of pandas' objects"));
        }
        Ok((folder, marks))
    }

    fn array(&self, folder: &Folder, marks: &Marks) -> Result<Item> {
        let note = note(marks)?;
        let (axes, values) = match marks.text("pandas_type").as_deref() {
            Some("frame") => table::read(folder, marks, note.as_ref(), &self.limits)?,
            Some("series") => {
                let (labels, name) = self.index(folder, "index")?;
                let values = data::read_values(folder, "values", &self.limits)?.values;
                (AxisCollection::from(Axis::new(labels, name)), values)
            }
            other => {
                let other = other.unwrap_or("nothing");
                return Err(Error::unsupported(format!("pandas' layout `{other}` is not fixed")));
            }
        };
        let values = retyped(values, note.as_ref())?;
        Ok(Item::Array(Array::new(axes, values)?, metadata(marks, &self.limits)?))
    }

    fn index(&self, folder: &Folder, name: &str) -> Result<(Labels, Option<AxisName>)> {
        table::index(folder, name, &self.limits)
    }

    fn axis(&self, folder: &Folder, marks: &Marks) -> Result<Axis> {
        let name = marks.name(&self.limits)?.map(Name::into_axis_name);
        let (labels, _) = self.index(folder, "values")?;
        let axis = Axis::new(labels, name);
        let axis = if marks.number("wildcard") == Some(1) { axis.ignore_labels() } else { axis };
        kept::noted_axis(axis, note(marks)?.as_ref())
    }

    fn group(&self, folder: &Folder, marks: &Marks) -> Result<Group> {
        let note = note(marks)?;
        let key = marks.text("axis_key");
        let key = key.ok_or_else(|| Error::corrupt("a group without an axis"))?;
        let (axis, axis_marks) = self.folder(key.trim_start_matches('/'))?;
        let axis = self.axis(&axis, &axis_marks)?;
        let name = match note.as_ref().and_then(|note| note.get("name")) {
            Some(name) => Some(kept::label_from_json(name)?),
            None => marks.name(&self.limits)?.map(Name::into_label),
        };
        let key = match note.as_ref().and_then(|note| note.get("key")) {
            Some(key) => kept::key_from_json(key)?,
            None => GroupKey::Labels(LabelKey::List(self.index(folder, "values")?.0)),
        };
        let is_named = note.as_ref().and_then(|note| note.get("axis")).is_some();
        let axis = match axis.name() {
            Some(name) if is_named => name.clone().into(),
            _ => axis.into(),
        };
        Ok(Group::new(key, name, Some(axis)))
    }

    fn scalar(&self, folder: &Folder, marks: &Marks, kind: &str) -> Result<Scalar> {
        const KNOWN: [&str; 8] =
            ["int", "float", "bool", "bytes", "str", "date", "time", "datetime"];
        let is_known =
            KNOWN.contains(&kind) || kind.ends_with('_') || kind.parse::<DType>().is_ok();
        if !is_known {
            return Err(Error::unsupported(format!("objects of type `{kind}`")));
        }
        let dataset = folder.open_array("values")?;
        let at_node = |error: Error| error.at_node(dataset.path());
        if dataset.dtype() == DType::Bytes {
            let values = dataset.read(&Selection::All)?;
            return first_object(&values, marks, &self.limits).map_err(at_node);
        }
        let values = data::read_values(folder, "values", &self.limits)?.values;
        let values = retyped(values, note(marks)?.as_ref())?;
        if note(marks)?.is_some() {
            return Ok(Scalar::Typed(Arc::new(first(values)?)));
        }
        number(&values).map_err(at_node)
    }
}

/// The only item, without an axis.
fn first(values: Values) -> Result<Values> {
    values.reshaped(Vec::new()).map_err(|_| Error::corrupt("expected one value"))
}

/// The object in the pickle that `values` hold.
fn first_object(values: &Values, marks: &Marks, limits: &Limits) -> Result<Scalar> {
    let pickle = Pickle::parse_with(values.payload(0)?, limits, &[])?;
    let object = match pickle.node(pickle.root())? {
        Node::Array(array) if array.objects.len() == 1 => array.objects.first().copied(),
        _ => None,
    };
    let object = object.ok_or_else(|| Error::corrupt("expected one object"))?;
    let scalar = python::scalar(&pickle, object)?;
    let Some(name) = note(marks)?.and_then(|note| Some(note.get("dtype")?.as_str()?.to_owned()))
    else {
        return Ok(scalar);
    };
    let label = python::label(&pickle, object)?;
    let values = match Labels::from_labels(vec![label]).to_values()? {
        Some(values) => Arc::unwrap_or_clone(values),
        None => return Err(Error::corrupt("expected a scalar of numpy")),
    };
    Ok(Scalar::Typed(Arc::new(first(kept::retype(values, &kept::parse_dtype(&name)?)?)?)))
}

fn number(values: &Values) -> Result<Scalar> {
    if values.len() != 1 {
        return Err(Error::corrupt(format!("expected one value, found {}", values.len())));
    }
    let shape = vec![1];
    let label = Labels::from_values(values.clone().reshaped(shape)?)?.get(0);
    Ok(match label.unwrap_or(Label::None) {
        Label::Bool(value) => Scalar::Bool(value),
        Label::Int(value) => Scalar::Int(value.into()),
        Label::UInt(value) => Scalar::Int(value.into()),
        Label::Float(value) => Scalar::Float(value),
        Label::Str(text) => Scalar::Text(text),
        Label::Bytes(bytes) => Scalar::Bytes(bytes),
        Label::DateTime(..) => {
            let moments = time::in_unit(values, time::MICROSECOND);
            let micros = moments.ok().and_then(|values| time::ticks(&values).next());
            let date = micros.and_then(|micros| Date::from_days(micros.div_euclid(DAY)));
            match (date, micros) {
                (Some(date), Some(micros)) => {
                    let time = u64::try_from(micros.rem_euclid(DAY)).unwrap_or(0);
                    Scalar::DateTime(date, Time(time))
                }
                _ => Scalar::Typed(Arc::new(first(values.clone())?)),
            }
        }
        _ => Scalar::Typed(Arc::new(first(values.clone())?)),
    })
}

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

fn retyped(values: Values, note: Option<&Value>) -> Result<Values> {
    match note.and_then(|note| note.get("dtype")).and_then(Value::as_str) {
        Some(name) => kept::retype(values, &kept::parse_dtype(name)?),
        None => Ok(values),
    }
}

/// What is kept beside the layout.
pub(super) fn note(marks: &Marks) -> Result<Option<Value>> {
    let Some(text) = marks.text("stook") else { return Ok(None) };
    let note = serde_json::from_str(&text);
    note.map(Some)
        .map_err(|error| Error::corrupt("attribute `stook` is not JSON").with_source(error))
}

fn metadata(marks: &Marks, limits: &Limits) -> Result<Metadata> {
    match marks.pickle("metadata", limits)? {
        Some(pickle) => python::metadata(&pickle, pickle.root()),
        None => Ok(Metadata::new()),
    }
}

impl Name {
    pub(super) fn into_axis_name(self) -> AxisName {
        match self {
            Self::Text(text) => text.into(),
            Self::Number(number) => number.into(),
        }
    }

    fn into_label(self) -> Label {
        match self {
            Self::Text(text) => text.into(),
            Self::Number(number) => number.into(),
        }
    }
}

/// Labels of whatever was found.
pub(super) fn to_labels(found: Found) -> Result<Labels> {
    match found {
        Found::Values(values) => Labels::from_values(values),
        Found::Labels(labels) => Ok(labels),
    }
}
