//! Writing objects as groups.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value, json};
use stook::pickle::{Node, Pickle};
use stook::{AttributeEdits, AttributeValue, CreateOptions, File, NodePath};
use stook_core::file::place::{draft_of, kind_of, publish, remove};
use stook_core::{DType, Durability, Error, ErrorKind, Format, Result, Values};

use super::attributes;
use super::data::Writer;
use crate::group::Group;
use crate::item::Item;
use crate::metadata::Metadata;
use crate::scalar::{Date, Scalar, Time};
use crate::session::{SaveOptions, SaveReport};
use crate::store::{group_labels, kept, python};
use crate::{Array, Axis, AxisName, AxisRef, Labels};

/// Saves objects to an HDF5 file: a new one in place of what is there, or into what is there.
pub(crate) fn save(
    items: &[(&str, &Item)],
    metadata: &Metadata,
    path: &Path,
    options: &SaveOptions,
) -> Result<SaveReport> {
    if !options.overwrite && kind_of(path)?.is_some() {
        let file = File::open_read_write(path)?;
        let report = Save::new(&file).all(items, None)?;
        file.commit_with(Durability::Flush)?;
        return Ok(report);
    }
    let path = &stook_core::file::resolve(path);
    let draft = draft_of(path);
    let written = new_file(items, metadata, &draft).and_then(|report| {
        publish(&draft, path, stook::InTheWay::Goes)?;
        Ok(report)
    });
    written.inspect_err(|_| drop(remove(&draft))).map_err(|error| error.rename_file(path))
}

fn new_file(items: &[(&str, &Item)], metadata: &Metadata, draft: &Path) -> Result<SaveReport> {
    let options = CreateOptions { format: Some(Format::Hdf5), ..CreateOptions::default() };
    let file = File::create_with(draft, &options)?;
    let report = Save::new(&file).all(items, Some(metadata))?;
    file.commit_with(Durability::Flush)?;
    Ok(report)
}

struct Save<'a> {
    file: &'a File,
    report: SaveReport,
    /// The axes of groups that are in the file, by their names there.
    axes: HashMap<String, Axis>,
}

impl<'a> Save<'a> {
    fn new(file: &'a File) -> Self {
        Self { file, report: SaveReport::default(), axes: HashMap::new() }
    }

    fn all(mut self, items: &[(&str, &Item)], metadata: Option<&Metadata>) -> Result<SaveReport> {
        if let Some(metadata) = metadata.filter(|metadata| !metadata.is_empty()) {
            let edits = AttributeEdits::new().set("metadata", pickled_metadata(metadata)?);
            self.file.container().edit_attributes(&NodePath::root(), &edits)?;
        }
        // Groups name their axes, which therefore come first.
        let (groups, others): (Vec<(&str, &Item)>, Vec<_>) =
            items.iter().partition(|(_, item)| matches!(item, Item::Group(_)));
        for (name, item) in others.into_iter().chain(groups) {
            match self.item(name, item) {
                Ok(()) => self.report.saved.push(name.to_owned()),
                Err(error) if is_about_the_item(&error) => {
                    if let Ok(path) = NodePath::root().join(name) {
                        let _ = self.file.container().remove(&path);
                    }
                    self.report.skip(name, error.message());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.report)
    }

    fn item(&mut self, name: &str, item: &Item) -> Result<()> {
        if name.contains('/') || name == "." || name.is_empty() {
            return Err(Error::unsupported("HDF5 has no such name"));
        }
        let path = NodePath::root().join(name)?;
        if self.file.container().kind(&path)?.is_some() {
            self.file.container().remove(&path)?;
        }
        match item {
            Item::Array(array, metadata) => self.array(&path, array, metadata),
            Item::Axis(axis) => self.axis(&path, axis),
            Item::Group(group) => self.group(&path, group),
            Item::Scalar(scalar) => self.scalar(&path, scalar),
            Item::Session(_) => Err(Error::unsupported("a session within a session")),
        }
    }

    fn writer(&self) -> Writer<'_> {
        Writer { file: self.file }
    }

    /// A group with what all of pandas' have.
    fn pandas_group(&self, path: &NodePath, kind: &str, own: AttributeEdits) -> Result<()> {
        self.file.container().create_group(path)?;
        let edits = own
            .set("CLASS", attributes::text("GROUP"))
            .set("VERSION", attributes::text("1.0"))
            .set("TITLE", attributes::text(""))
            .set("type", attributes::text(kind))
            .set("pandas_version", attributes::text("0.15.2"))
            .set("encoding", attributes::text("UTF-8"))
            .set("errors", attributes::text("strict"));
        self.file.container().edit_attributes(path, &edits)
    }

    fn array(&mut self, path: &NodePath, array: &Array, metadata: &Metadata) -> Result<()> {
        let axes = array.axes().as_slice();
        let mut note = Map::new();
        let notes = axes.iter().map(kept::axis_note).collect::<Result<Vec<_>>>()?;
        if notes.iter().any(Option::is_some) {
            note.insert("axes".to_owned(), json!(notes));
        }
        if !is_kept(array.dtype()) {
            note.insert("dtype".to_owned(), json!(kept::dtype_name(array.dtype())));
        }
        let is_repeated = |axis: &Axis| !axis.is_wildcard() && has_duplicates(axis.labels());
        let needs_shape = array.data().is_empty() || axes.is_empty();
        if needs_shape || axes.iter().rev().skip(1).any(is_repeated) {
            note.insert("shape".to_owned(), json!(array.shape()));
        }
        let mut edits = AttributeEdits::new()
            .set("pandas_type", attributes::text("frame"))
            .set("writer", attributes::text("LArray"))
            .set("ndim", attributes::number(2)?)
            .set("nblocks", attributes::number(1)?)
            .set("axis0_variety", attributes::text("regular"))
            .set("block0_items_variety", attributes::text("regular"));
        if !metadata.is_empty() {
            edits = edits.set("metadata", pickled_metadata(metadata)?);
        }
        let columns_of_none = Axis::new(Labels::from_strings([""]), None::<AxisName>);
        let (columns, rows) = match axes.split_last() {
            Some((columns, rows)) => (columns, rows),
            None => (&columns_of_none, &[][..]),
        };
        if rows.len() > 1 {
            let n_levels = i64::try_from(rows.len()).unwrap_or(i64::MAX);
            edits = edits
                .set("axis1_variety", attributes::text("multi"))
                .set("axis1_nlevels", attributes::number(n_levels)?);
        } else {
            edits = edits.set("axis1_variety", attributes::text("regular"));
        }
        if !note.is_empty() {
            edits = edits.set("stook", attributes::text(&Value::Object(note).to_string()));
        }
        self.pandas_group(path, "Array", edits)?;
        let writer = self.writer();
        let name = axis_name(columns)?;
        writer.index(&path.join("axis0")?, columns.labels(), name.clone())?;
        writer.index(&path.join("block0_items")?, columns.labels(), name)?;
        match rows {
            [] => {
                let none = attributes::pickled(attributes::PICKLED_NONE);
                writer.index(&path.join("axis1")?, columns_of_none.labels(), none)?;
            }
            [axis] => writer.index(&path.join("axis1")?, axis.labels(), axis_name(axis)?)?,
            _ => levels(&writer, path, rows)?,
        }
        let n_rows = rows.iter().map(|axis| axis.len() as u64).product();
        let shape = [n_rows, columns.len() as u64];
        writer.values(&path.join("block0_values")?, array.data(), &shape, AttributeEdits::new())
    }

    fn axis(&mut self, path: &NodePath, axis: &Axis) -> Result<()> {
        let edits = AttributeEdits::new();
        self.axis_with(path, axis, edits)?;
        self.axes.insert(path.name().to_owned(), axis.clone());
        Ok(())
    }

    fn axis_with(&self, path: &NodePath, axis: &Axis, edits: AttributeEdits) -> Result<()> {
        let mut edits = edits
            .set("pandas_type", attributes::text("series"))
            .set("name", axis_name(axis)?)
            .set("dtype_kind", attributes::text(kind_of_labels(axis.labels())))
            .set("wildcard", attributes::flag(axis.is_wildcard())?)
            .set("index_variety", attributes::text("regular"));
        if let Some(note) = kept::axis_note(axis)? {
            edits = edits.set("stook", attributes::text(&note.to_string()));
        }
        self.pandas_group(path, "Axis", edits)?;
        self.series(path, axis.labels())
    }

    /// The index 0, 1, … and the values of a series.
    fn series(&self, path: &NodePath, labels: &Labels) -> Result<()> {
        let (writer, len) = (self.writer(), labels.len() as u64);
        self.counting(path, labels.len())?;
        let values = path.join("values")?;
        let text = matches!(labels.dtype(), Some(DType::Unicode(_) | DType::String(_)));
        match labels.to_values()? {
            // Labels of text lie here as they do in an index.
            Some(texts) if text && len > 0 => writer.texts(&values, &texts),
            Some(items) => writer.values(&values, &items, &[len], AttributeEdits::new()),
            None => {
                let mut pickle = Pickle::new(Node::None);
                let root = python::add_labels(&mut pickle, labels)?;
                writer.pickle(&values, pickle.with_root(root), AttributeEdits::new())
            }
        }
    }

    fn counting(&self, path: &NodePath, len: usize) -> Result<()> {
        let index = Labels::wildcard(len).without_wildcard();
        let none = attributes::pickled(attributes::PICKLED_NONE);
        self.writer().index(&path.join("index")?, &index, none)
    }

    fn group(&mut self, path: &NodePath, group: &Group) -> Result<()> {
        let axis = self.axis_of(group)?;
        let labels = group_labels(&group.clone().with_axis(axis.clone()))
            .ok_or_else(|| Error::unsupported("its labels are not those of its axis"))?;
        let axis_key = self.place_of(&axis)?;
        let name = match group.name() {
            Some(label) => attributes::text(&label.to_string()),
            None => attributes::pickled(attributes::PICKLED_NONE),
        };
        let mut note = Map::new();
        note.insert("key".to_owned(), kept::key_to_json(group.key()));
        if let Some(name) = group.name().filter(|name| name.as_str().is_none()) {
            note.insert("name".to_owned(), kept::label_to_json(name));
        }
        if !matches!(group.axis(), Some(AxisRef::Axis(_))) {
            note.insert("axis".to_owned(), json!("name"));
        }
        let edits = AttributeEdits::new()
            .set("pandas_type", attributes::text("series"))
            .set("name", name)
            .set("axis_key", attributes::text(&format!("/{axis_key}")))
            .set("dtype_kind", attributes::text(kind_of_labels(&labels)))
            .set("index_variety", attributes::text("regular"))
            .set("stook", attributes::text(&Value::Object(note).to_string()));
        self.pandas_group(path, "Group", edits)?;
        self.series(path, &labels)
    }

    /// The axis that a group is of, or one of that name among those that are saved.
    fn axis_of(&self, group: &Group) -> Result<Axis> {
        match group.axis() {
            Some(AxisRef::Axis(axis)) => Ok(axis.clone()),
            Some(AxisRef::Name(name)) => {
                let is_it = |axis: &&Axis| axis.name().and_then(AxisName::as_str) == Some(&**name);
                let found = self.axes.values().find(is_it).cloned();
                found.ok_or_else(|| {
                    Error::unsupported(format!("its axis `{name}` is not in the session"))
                })
            }
            _ => Err(Error::unsupported("it has no axis, and these files hold groups of axes")),
        }
    }

    /// Where in the file `axis` is; it is written if it is not there.
    fn place_of(&mut self, axis: &Axis) -> Result<String> {
        if let Some((name, _)) = self.axes.iter().find(|(_, known)| known.equals(axis)) {
            return Ok(name.clone());
        }
        let name = axis.name().map_or_else(|| "axis".to_owned(), ToString::to_string);
        let name = name.replace('/', "_");
        let mut place = name.clone();
        let mut count = 0;
        loop {
            let path = NodePath::root().join(&place)?;
            if self.file.container().kind(&path)?.is_none() {
                self.axis_with(&path, axis, AttributeEdits::new())?;
                self.axes.insert(place.clone(), axis.clone());
                return Ok(place);
            }
            count += 1;
            place = format!("{name}_{count}");
        }
    }

    fn scalar(&mut self, path: &NodePath, scalar: &Scalar) -> Result<()> {
        let (kind, note) = scalar_kind(scalar)?;
        let mut edits = AttributeEdits::new()
            .set("pandas_type", attributes::text("series"))
            .set("name", attributes::pickled(attributes::PICKLED_NONE))
            .set("index_variety", attributes::text("regular"));
        if let Some(note) = note {
            let note = json!({ "dtype": note });
            edits = edits.set("stook", attributes::text(&note.to_string()));
        }
        self.pandas_group(path, kind, edits)?;
        self.counting(path, 1)?;
        let values = path.join("values")?;
        match scalar_values(scalar)? {
            Some(found) => self.writer().values(&values, &found, &[1], AttributeEdits::new()),
            None => {
                let mut pickle = Pickle::new(Node::None);
                let item = python::add_scalar(&mut pickle, scalar)?;
                let root = python::add_objects(&mut pickle, vec![item])?;
                self.writer().pickle(&values, pickle.with_root(root), AttributeEdits::new())
            }
        }
    }
}

/// Whether an error says that an item cannot be saved, and not that the file cannot be written.
fn is_about_the_item(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput)
}

/// Whether elements of that type come back as they are.
fn is_kept(dtype: &DType) -> bool {
    !matches!(
        dtype,
        DType::Unicode(_) | DType::FixedString(_) | DType::DateTime(_) | DType::TimeDelta(_)
    )
}

fn has_duplicates(labels: &Labels) -> bool {
    labels.iter_refs().enumerate().any(|(at, label)| labels.position_ref(label) != Some(at))
}

/// numpy's letter for the kind of labels.
fn kind_of_labels(labels: &Labels) -> &'static str {
    match labels.dtype() {
        None => "O",
        Some(DType::Bool) => "b",
        Some(DType::Unicode(_) | DType::String(_)) => "U",
        Some(DType::FixedString(_)) => "S",
        Some(DType::Float16 | DType::Float32 | DType::Float64) => "f",
        Some(DType::DateTime(_)) => "M",
        Some(DType::TimeDelta(_)) => "m",
        Some(DType::UInt8 | DType::UInt16 | DType::UInt32 | DType::UInt64) => "u",
        Some(_) => "i",
    }
}

fn axis_name(axis: &Axis) -> Result<AttributeValue> {
    Ok(match axis.name() {
        None => attributes::pickled(attributes::PICKLED_NONE),
        Some(AxisName::Text(name)) => attributes::text(name),
        Some(AxisName::Int(number)) => attributes::text(&number.to_string()),
    })
}

fn pickled_metadata(metadata: &Metadata) -> Result<AttributeValue> {
    let mut pickle = Pickle::new(Node::None);
    let root = python::add_metadata(&mut pickle, metadata)?;
    attributes::pickle(&pickle.with_root(root))
}

/// The labels of all axes but the last, and for each row which of them it has.
fn levels(writer: &Writer<'_>, path: &NodePath, rows: &[Axis]) -> Result<()> {
    let n_rows: usize = rows.iter().map(Axis::len).product();
    let mut stride = n_rows;
    for (i, axis) in rows.iter().enumerate() {
        stride = stride.checked_div(axis.len()).unwrap_or(0);
        let labels = axis.labels();
        // Levels have no duplicates: the first of a label stands for all.
        let mut first = Vec::with_capacity(axis.len());
        let codes: Vec<usize> = if axis.is_wildcard() || !has_duplicates(labels) {
            first.extend(0..axis.len());
            (0..axis.len()).collect()
        } else {
            let mut known = HashMap::new();
            let code = |label: crate::Label| {
                let at = labels.position(&label).unwrap_or(0);
                *known.entry(at).or_insert_with(|| {
                    first.push(at);
                    first.len() - 1
                })
            };
            labels.iter().map(code).collect()
        };
        let level =
            if first.len() == labels.len() { labels.clone() } else { labels.take(&first)? };
        writer.index(&path.join(&format!("axis1_level{i}"))?, &level, axis_name(axis)?)?;
        let column = column_of_codes(&codes, n_rows, stride)?;
        let place = path.join(&format!("axis1_label{i}"))?;
        writer.values(&place, &column, &[n_rows as u64], AttributeEdits::new())?;
    }
    Ok(())
}

/// The code of each row, in the smallest type that holds them, as pandas has it.
fn column_of_codes(codes: &[usize], n_rows: usize, stride: usize) -> Result<Values> {
    fn column<T: stook_core::Element>(codes: &[T], n_rows: usize, stride: usize) -> Result<Values> {
        let mut column = Vec::with_capacity(n_rows);
        while column.len() < n_rows {
            codes.iter().for_each(|&code| column.extend(std::iter::repeat_n(code, stride)));
        }
        let items = stook_core::element::as_bytes(&column).to_vec();
        Values::new(T::DTYPE, vec![n_rows as u64], items, Vec::new())
    }
    let most = codes.iter().max().copied().unwrap_or(0);
    // Each fits, as the largest does.
    if most < 128 {
        let codes: Vec<i8> = codes.iter().map(|&code| i8::try_from(code).unwrap_or(0)).collect();
        column(&codes, n_rows, stride)
    } else if most < 32_768 {
        let codes: Vec<i16> = codes.iter().map(|&code| i16::try_from(code).unwrap_or(0)).collect();
        column(&codes, n_rows, stride)
    } else {
        let codes: Vec<i32> = codes.iter().map(|&code| i32::try_from(code).unwrap_or(0)).collect();
        column(&codes, n_rows, stride)
    }
}

/// What larray calls the type of a value, and its own type if that is one of numpy's.
fn scalar_kind(scalar: &Scalar) -> Result<(&'static str, Option<String>)> {
    Ok(match scalar {
        Scalar::Bool(_)
        | Scalar::Int(_)
        | Scalar::Float(_)
        | Scalar::Text(_)
        | Scalar::Bytes(_)
        | Scalar::Date(_)
        | Scalar::Time(_)
        | Scalar::DateTime(..) => (scalar.type_name(), None),
        Scalar::Typed(values) => {
            let kind = match values.dtype() {
                DType::Bool => "bool",
                DType::Float16 | DType::Float32 | DType::Float64 => "float",
                DType::Unicode(_) | DType::String(_) => "str",
                DType::FixedString(_) => "bytes",
                DType::DateTime(_) => "datetime",
                dtype if crate::store::is_integer(dtype) => "int",
                other => {
                    return Err(Error::unsupported(format!("these files hold no scalar {other}")));
                }
            };
            (kind, Some(kept::dtype_name(values.dtype())))
        }
        other => {
            let found = other.type_name();
            return Err(Error::unsupported(format!("larray's HDF5 files hold no {found}")));
        }
    })
}

/// The value as an item, if it is a number or a point in time.
fn scalar_values(scalar: &Scalar) -> Result<Option<Values>> {
    let item =
        |dtype, bytes: &[u8]| Values::new(dtype, vec![1], bytes.to_vec(), Vec::new()).map(Some);
    match scalar {
        Scalar::Bool(value) => item(DType::Bool, &[u8::from(*value)]),
        Scalar::Float(value) => item(DType::Float64, stook_core::element::as_bytes(&[*value])),
        Scalar::Int(value) => match i64::try_from(*value) {
            Ok(value) => item(DType::Int64, stook_core::element::as_bytes(&[value])),
            Err(_) => Ok(None),
        },
        Scalar::DateTime(date, time) => {
            let dtype = DType::DateTime(crate::store::time::MICROSECOND);
            let micros = micros_of(*date, *time);
            let values = item(dtype, stook_core::element::as_bytes(&[micros]))?;
            // pandas 2 knows nanoseconds best, where they reach.
            let nanos = values
                .as_ref()
                .map(|values| crate::store::time::in_unit(values, crate::store::time::NANOSECOND));
            Ok(nanos.and_then(Result::ok).or(values))
        }
        Scalar::Typed(values) => Ok(Some((**values).clone().reshaped(vec![1])?)),
        _ => Ok(None),
    }
}

fn micros_of(date: Date, time: Time) -> i64 {
    date.to_days() * 86_400_000_000 + i64::try_from(time.0).unwrap_or(0)
}
