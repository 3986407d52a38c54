//! An array as a table in long form: a column for each axis, the elements last, a row an element.
//!
//! The note of a table says what its columns cannot: axes, the type of elements, metadata. It counts
//! where the columns are those that an array of these axes has, row for row; else the table is one of
//! somebody else's, whose labels are those that its rows have.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array as _, ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema, SchemaRef};
use stook_core::{DType, Error, Result, Values};

use super::decode::{Column, restored};
use super::encode::{LabelColumn, columns, ready, suffixes};
use super::{BATCH_LEN, File, TableFormat, of_arrow};
use crate::array::Long;
use crate::metadata::Metadata;
use crate::store::{kept, sidecar};
use crate::{Array, AxisCollection, AxisName};

/// What the note is called among the metadata of a schema.
const NOTE: &str = "stook";
/// What the column of elements is called.
const VALUE: &str = "value";
/// What pandas calls levels of an index that have no name.
const NAMELESS: &str = "__index_level_";

/// An array as a table.
pub(super) struct Table<'a> {
    values: Cow<'a, Values>,
    labels: Vec<LabelColumn>,
    pub(super) schema: SchemaRef,
}

impl<'a> Table<'a> {
    /// # Errors
    /// `Unsupported` for elements or labels that Arrow has no type for.
    pub(super) fn of(array: &'a Array, metadata: &Metadata, format: TableFormat) -> Result<Self> {
        let values = ready(array.data(), format)?;
        let labels = label_columns(array.axes(), format)?;
        let names = column_names(array);
        let mut fields = Vec::new();
        let empty = labels.iter().map(|column| column.rows(0, 0));
        let empty = empty.chain(columns(&values, 0, 0)?.into_iter().map(Ok));
        for (name, column) in names.into_iter().zip(empty) {
            let column = column?;
            let may_be_empty =
                column.data_type().is_temporal() || column.as_any_dictionary_opt().is_some();
            fields.push(Field::new(name, column.data_type().clone(), may_be_empty));
        }
        let note = sidecar::note_of(array, metadata).to_string();
        let schema = Schema::new(fields).with_metadata([(NOTE.to_owned(), note)]);
        Ok(Self { values, labels, schema: Arc::new(schema) })
    }

    /// The rows, a batch at a time.
    pub(super) fn batches(&self) -> impl Iterator<Item = Result<RecordBatch>> + '_ {
        let n = self.values.len();
        (0..n).step_by(BATCH_LEN).map(move |from| self.rows(from, BATCH_LEN.min(n - from)))
    }

    fn rows(&self, from: usize, n: usize) -> Result<RecordBatch> {
        let labels = self.labels.iter().map(|column| column.rows(from, n));
        let mut found = labels.collect::<Result<Vec<_>>>()?;
        found.extend(columns(&self.values, from, n)?);
        RecordBatch::try_new(Arc::clone(&self.schema), found).map_err(|error| of_arrow(&error))
    }
}

fn label_columns(axes: &AxisCollection, format: TableFormat) -> Result<Vec<LabelColumn>> {
    let mut period = axes.n_elements().unwrap_or(0);
    let column = |axis: &crate::Axis| {
        period = period.checked_div(axis.len()).unwrap_or(0);
        LabelColumn::new(axis, period, format)
    };
    axes.iter().map(column).collect()
}

/// What columns are called: axes by their names, or `axis0`, …, none twice.
fn column_names(array: &Array) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |name: String| {
        let mut name = name;
        while names.contains(&name) {
            name.push('_');
        }
        names.push(name);
    };
    let suffixes = suffixes(array.dtype());
    let mut value = VALUE.to_owned();
    while array.axes().iter().any(|axis| axis.name().is_some_and(|name| name.to_string() == value))
    {
        value.push('_');
    }
    for (at, axis) in array.axes().iter().enumerate() {
        add(axis.name().map_or_else(|| format!("axis{at}"), ToString::to_string));
    }
    suffixes.iter().for_each(|suffix| add(format!("{value}{suffix}")));
    names
}

/// What is known of a table without its rows.
pub(super) struct Note {
    pub(super) axes: AxisCollection,
    pub(super) dtype: DType,
    metadata: Metadata,
}

impl Note {
    /// The note of a file that may have been made of such an array.
    pub(super) fn of(file: &File) -> Option<Self> {
        let note = sidecar::parse_note(file.schema().metadata().get(NOTE)?).ok()?;
        let axes = sidecar::axes_of(&note).ok()?;
        let dtype = kept::parse_dtype(note.get("dtype")?.as_str()?).ok()?;
        let metadata = sidecar::metadata_of(&note).ok()?;
        let n_columns = axes.len() + suffixes(&dtype).len();
        let is_of = axes.n_elements().map(|n| n as u64) == Some(file.n_rows())
            && file.schema().fields().len() == n_columns;
        is_of.then_some(Self { axes, dtype, metadata })
    }
}

/// What a file holds.
pub(super) struct Read {
    pub(super) array: Array,
    pub(super) metadata: Metadata,
    /// What is in the file and not in the array.
    pub(super) lost: Vec<String>,
}

/// The array of a file.
///
/// # Errors
/// `Corrupt`, `Unsupported` for columns that are neither labels nor elements, `LimitExceeded`, `Io`.
pub(super) fn read(file: &File) -> Result<Read> {
    if let Some(note) = Note::of(file) {
        let n = note.axes.n_elements().unwrap_or(0);
        if let Some(values) = noted_values(file, &note, 0, n)? {
            let shape = note.axes.shape().iter().map(|&len| len as u64).collect();
            let array = Array::new(note.axes, values.reshaped(shape)?)?;
            return Ok(Read { array, metadata: note.metadata, lost: Vec::new() });
        }
    }
    let mut read = plain(file)?;
    if file.schema().metadata().contains_key(NOTE) {
        read.lost.push("what stook noted of the table is of other rows, and does not count".into());
    }
    Ok(read)
}

/// The rows `start..stop` of the first axis, where they can be read alone.
pub(super) fn read_rows(
    file: &File,
    start: usize,
    stop: usize,
) -> Result<Option<(Array, Metadata)>> {
    let Some(note) = Note::of(file) else { return Ok(None) };
    let Some((first, rest)) = note.axes.as_slice().split_first() else { return Ok(None) };
    if start > stop || stop > first.len() {
        return Err(Error::invalid(format!("rows {start}..{stop} of {}", first.len())));
    }
    let each: usize = rest.iter().map(crate::Axis::len).product();
    let Some(values) = noted_values(file, &note, start * each, (stop - start) * each)? else {
        return Ok(None);
    };
    let mut axes = vec![first.with_labels(first.labels().slice(start, 1, stop - start)?)];
    axes.extend(rest.iter().cloned());
    let axes = AxisCollection::from(axes);
    let shape = axes.shape().iter().map(|&len| len as u64).collect();
    Ok(Some((Array::new(axes, values.reshaped(shape)?)?, note.metadata)))
}

/// The elements of rows `from..from + n`; `None` if the rows are not those of the note.
fn noted_values(file: &File, note: &Note, from: usize, n: usize) -> Result<Option<Values>> {
    let labels = label_columns(&note.axes, file.format())?;
    let fields = file.schema().fields().iter().skip(labels.len());
    let parts = fields.map(|field| Column::new(field.data_type())).collect::<Result<Vec<_>>>();
    let Ok(mut parts) = parts else { return Ok(None) };
    let (mut at, mut fits) = (from, true);
    file.read(from, n, &mut |batch| {
        for (column, found) in labels.iter().zip(batch.columns()) {
            fits = fits && is_same(&column.rows(at, batch.num_rows())?, found);
        }
        at += batch.num_rows();
        if fits {
            for (part, found) in parts.iter_mut().zip(batch.columns().iter().skip(labels.len())) {
                part.push(found)?;
            }
        }
        Ok(())
    })?;
    // Times are the only elements that may be nothing.
    let may_be_empty = matches!(note.dtype, DType::DateTime(_) | DType::TimeDelta(_));
    let n_empty: usize = parts.iter().map(Column::n_empty).sum();
    if !fits || at != from + n || (n_empty > 0 && !may_be_empty) {
        return Ok(None);
    }
    let parts = parts.into_iter().map(Column::into_values).collect::<Result<Vec<_>>>()?;
    Ok(restored(parts, &note.dtype).ok())
}

/// Whether a column that was read is the one that was written.
fn is_same(expected: &ArrayRef, found: &ArrayRef) -> bool {
    let (Some(a), Some(b)) =
        (expected.as_dictionary_opt::<Int32Type>(), found.as_dictionary_opt::<Int32Type>())
    else {
        return expected == found;
    };
    let (Some(texts), Some(own)) =
        (a.values().as_string_opt::<i32>(), b.values().as_string_opt::<i32>())
    else {
        return false;
    };
    let known: HashMap<&str, i32> =
        (0_i32..).zip(texts.iter()).filter_map(|(at, text)| Some((text?, at))).collect();
    let codes: Vec<Option<i32>> = own.iter().map(|text| known.get(text?).copied()).collect();
    let code = |key: Option<i32>| {
        key.map(|key| usize::try_from(key).ok().and_then(|at| codes.get(at).copied().flatten()))
    };
    a.len() == b.len() && a.keys().iter().zip(b.keys().iter()).all(|(a, b)| a.map(Some) == code(b))
}

/// The array of a table that has no note: the elements are in the column `value`, or in the last one.
fn plain(file: &File) -> Result<Read> {
    let fields = file.schema().fields();
    let value = fields.iter().position(|field| field.name() == VALUE);
    let value = value.or_else(|| fields.len().checked_sub(1));
    let value = value.ok_or_else(|| Error::unsupported("a table without columns"))?;
    let named = |field: &Arc<Field>| {
        Column::new(field.data_type())
            .map_err(|error| error.within(format!("column `{}`", field.name())))
    };
    let mut found = fields.iter().map(named).collect::<Result<Vec<_>>>()?;
    let n = usize::try_from(file.n_rows()).map_err(|_| Error::limit("more rows than memory"))?;
    file.read(0, n, &mut |batch| {
        found.iter_mut().zip(batch.columns()).try_for_each(|(column, piece)| column.push(piece))
    })?;
    let mut lost = Vec::new();
    let elements = found.remove(value);
    let n_empty = elements.n_empty();
    let elements = elements.into_values()?;
    if n_empty > 0 && elements.dtype().has_heap() {
        lost.push(format!("{n_empty} missing texts are empty ones"));
    }
    let names = fields.iter().enumerate().filter(|(at, _)| *at != value).map(|(_, field)| {
        let name = field.name();
        let is_named = !name.is_empty() && !name.starts_with(NAMELESS);
        is_named.then(|| AxisName::from(name.as_str()))
    });
    let labels = found.into_iter().map(Column::into_labels).collect::<Result<Vec<_>>>()?;
    let long = Long { names: names.collect(), labels, values: Arc::new(elements) };
    let array = Array::from_long_once(&long)?;
    Ok(Read { array, metadata: Metadata::new(), lost })
}
