//! A data frame as an array: rows are the labels of all axes but the last, columns those of the last.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use stook::{Group as Folder, Selection};
use stook_core::{AxisSelection, DType, Error, Limits, Result, Values};

use super::attributes::{Marks, Name};
use super::data;
use super::read::to_labels;
use crate::store::{kept, python};
use crate::{Array, Axis, AxisCollection, AxisName, Label, Labels};

/// The axes of a frame, and how its rows lie.
pub(super) struct Frame {
    pub(super) axes: AxisCollection,
    n_rows: usize,
    columns: Labels,
    n_blocks: i64,
    /// Where each row goes if they are not all combinations of labels in order.
    places: Option<Vec<usize>>,
}

/// The labels of the index `name`, and what it is called.
pub(super) fn index(
    folder: &Folder,
    name: &str,
    limits: &Limits,
) -> Result<(Labels, Option<AxisName>)> {
    let (found, marks) = data::read(folder, name, limits)?;
    let labels = to_labels(found)?;
    let labels = match marks.text("kind").as_deref() {
        Some("date") => dates(&labels)?,
        _ => labels,
    };
    Ok((labels, marks.name(limits)?.map(Name::into_axis_name)))
}

/// Days counted from the year 1 as dates.
fn dates(labels: &Labels) -> Result<Labels> {
    const DAYS_TO_1970: i64 = 719_163;
    let date = |label: Label| {
        let days = label.as_int().and_then(|days| days.checked_sub(DAYS_TO_1970));
        days.map(Label::Date).ok_or_else(|| Error::corrupt(format!("`{label}` is no day")))
    };
    Ok(Labels::mixed(labels.iter().map(date).collect::<Result<_>>()?))
}

/// The axes of the frame in `folder`.
pub(super) fn axes(
    folder: &Folder,
    marks: &Marks,
    note: Option<&Value>,
    limits: &Limits,
) -> Result<Frame> {
    let number = |name: &str| {
        marks.number(name).ok_or_else(|| Error::corrupt(format!("expected the number `{name}`")))
    };
    if number("ndim")? != 2 {
        return Err(Error::unsupported("a frame with other than two axes"));
    }
    let n_blocks = number("nblocks")?;
    let (columns, columns_name) = index(folder, "axis0", limits)?;
    let last = Axis::new(columns.clone(), columns_name);
    let is_ours = marks.text("writer").as_deref() == Some("LArray");
    let shape = note.and_then(|note| shape_of(note.get("shape")?));
    let (mut axes, n_rows, places) = if marks.text("axis1_variety").as_deref() == Some("multi") {
        levels(folder, number("axis1_nlevels")?, shape.as_deref(), limits)?
    } else {
        let (rows, name) = index(folder, "axis1", limits)?;
        let is_one_axis = is_ours && name.is_none() && rows.len() == 1;
        let is_one_axis = is_one_axis && rows.get(0).as_ref().and_then(Label::as_str) == Some("");
        let n_rows = rows.len();
        let axes = if is_one_axis { Vec::new() } else { vec![Axis::new(rows, name)] };
        (axes, n_rows, None)
    };
    if shape.as_ref().is_none_or(|shape| !shape.is_empty()) {
        axes.push(last);
    }
    let notes = note.and_then(|note| note.get("axes")).and_then(Value::as_array);
    let noted = axes
        .into_iter()
        .enumerate()
        .map(|(at, axis)| kept::noted_axis(axis, notes.and_then(|notes| notes.get(at))));
    let axes: AxisCollection = noted.collect::<Result<Vec<_>>>()?.into();
    Ok(Frame { axes, n_rows, columns, n_blocks, places })
}

fn shape_of(value: &Value) -> Option<Vec<usize>> {
    let lengths = value.as_array()?.iter();
    lengths.map(|len| usize::try_from(len.as_u64()?).ok()).collect()
}

type Levels = (Vec<Axis>, usize, Option<Vec<usize>>);

/// The axes of an index of several levels, the number of rows, and where each row goes.
fn levels(
    folder: &Folder,
    n_levels: i64,
    shape: Option<&[usize]>,
    limits: &Limits,
) -> Result<Levels> {
    /// More levels than this have no frame.
    const MOST: i64 = 64;
    if !(1..=MOST).contains(&n_levels) {
        return Err(Error::corrupt(format!("expected 1 to {MOST} levels, found {n_levels}")));
    }
    let mut parts = Vec::new();
    for level in 0..n_levels {
        let (labels, name) = index(folder, &format!("axis1_level{level}"), limits)?;
        let codes = data::read_values(folder, &format!("axis1_label{level}"), limits)?.values;
        parts.push((labels, name, whole_numbers(&codes)?));
    }
    let n_rows = parts.first().map_or(0, |(.., codes)| codes.len());
    if parts.iter().any(|(.., codes)| codes.len() != n_rows) {
        return Err(Error::corrupt("levels of different lengths"));
    }
    let lengths = shape.map(|shape| shape.split_last().map_or(&[][..], |(_, rows)| rows));
    let known = match lengths {
        Some(lengths) => {
            let product = lengths.iter().try_fold(1_usize, |n, &len| n.checked_mul(len));
            if lengths.len() != parts.len() || product != Some(n_rows) {
                return Err(Error::corrupt(format!("{n_rows} rows do not fill {lengths:?}")));
            }
            known_orders(&parts, lengths)
        }
        None => None,
    };
    let orders = match known {
        Some(orders) => orders,
        None => {
            let order = |(labels, _, codes): &Part| first_appearances(codes, labels.len());
            parts.iter().map(order).collect()
        }
    };
    let mut axes = Vec::new();
    for ((labels, name, _), order) in parts.iter().zip(&orders) {
        let positions = order.iter().map(|&code| {
            usize::try_from(code).map_err(|_| Error::unsupported("rows without a label"))
        });
        let positions = positions.collect::<Result<Vec<_>>>()?;
        let is_all =
            positions.len() == labels.len() && positions.iter().enumerate().all(|(i, &p)| i == p);
        let labels = if is_all {
            labels.clone()
        } else {
            labels
                .take(&positions)
                .map_err(|_| Error::corrupt("a row has a label that there is not"))?
        };
        axes.push(Axis::new(labels, name.clone()));
    }
    let codes: Vec<&[i64]> = parts.iter().map(|(.., codes)| codes.as_slice()).collect();
    let places = places(&codes, &orders)?;
    Ok((axes, n_rows, places))
}

type Part = (Labels, Option<AxisName>, Vec<i64>);

/// The codes along each axis, of rows that are all combinations of as many labels as `lengths` say.
fn known_orders(parts: &[Part], lengths: &[usize]) -> Option<Vec<Vec<i64>>> {
    let mut stride: usize = lengths.iter().product();
    let mut orders = Vec::new();
    for ((labels, _, codes), &len) in parts.iter().zip(lengths) {
        stride = stride.checked_div(len).unwrap_or(0);
        if codes.is_empty() {
            orders.push((0..i64::try_from(labels.len().min(len)).ok()?).collect());
            continue;
        }
        orders.push((0..len).map(|i| codes.get(i * stride).copied()).collect::<Option<_>>()?);
    }
    Some(orders)
}

/// Each code once, in the order in which they come; most are below `n_labels`.
fn first_appearances(codes: &[i64], n_labels: usize) -> Vec<i64> {
    let mut seen = vec![false; n_labels];
    let mut others = HashSet::new();
    let mut order = Vec::new();
    for &code in codes {
        let place = usize::try_from(code).ok().and_then(|code| seen.get_mut(code));
        let is_new = match place {
            Some(place) => !std::mem::replace(place, true),
            None => others.insert(code),
        };
        if is_new {
            order.push(code);
        }
    }
    order
}

/// Where each row goes; `None` if they are all combinations in order.
fn places(codes: &[&[i64]], orders: &[Vec<i64>]) -> Result<Option<Vec<usize>>> {
    let n_rows = codes.first().map_or(0, |codes| codes.len());
    let n_places = orders.iter().try_fold(1_usize, |n, order| n.checked_mul(order.len()));
    let n_places = n_places.ok_or_else(|| Error::limit("too many combinations of labels"))?;
    if n_places == n_rows {
        let mut stride = n_places;
        let is_regular = codes.iter().zip(orders).all(|(codes, order)| {
            stride = stride.checked_div(order.len()).unwrap_or(0);
            codes
                .chunks(stride.max(1))
                .zip(order.iter().cycle())
                .all(|(run, expected)| run.iter().all(|code| code == expected))
        });
        if is_regular {
            return Ok(None);
        }
    }
    let mut places = vec![0; n_rows];
    for (codes, order) in codes.iter().zip(orders) {
        let positions: HashMap<i64, usize> =
            order.iter().enumerate().rev().map(|(at, &code)| (code, at)).collect();
        for (place, code) in places.iter_mut().zip(*codes) {
            *place = *place * order.len() + positions.get(code).copied().unwrap_or(0);
        }
    }
    Ok(Some(places))
}

#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn whole_numbers(values: &Values) -> Result<Vec<i64>> {
    let items = values.items();
    Ok(match values.dtype() {
        DType::Int8 => items.iter().map(|&byte| i64::from(byte.cast_signed())).collect(),
        DType::Int16 => {
            items.as_chunks().0.iter().map(|item| i16::from_ne_bytes(*item).into()).collect()
        }
        DType::Int32 => {
            items.as_chunks().0.iter().map(|item| i32::from_ne_bytes(*item).into()).collect()
        }
        DType::Int64 => items.as_chunks().0.iter().map(|item| i64::from_ne_bytes(*item)).collect(),
        other => return Err(Error::corrupt(format!("expected codes of rows, found {other}"))),
    })
}

/// The axes and elements of the frame in `folder`.
pub(super) fn read(
    folder: &Folder,
    marks: &Marks,
    note: Option<&Value>,
    limits: &Limits,
) -> Result<(AxisCollection, Values)> {
    let frame = axes(folder, marks, note, limits)?;
    let table = [frame.n_rows as u64, frame.columns.len() as u64];
    let values = match frame.n_blocks {
        0 => Values::new(DType::Float64, table.to_vec(), Vec::new(), Vec::new())?,
        1 => block(folder, 0, table, limits)?,
        n_blocks => blocks(folder, n_blocks, &frame, limits)?,
    };
    if values.shape() != table {
        let found = values.shape();
        return Err(Error::corrupt(format!(
            "expected elements of shape {table:?}, found {found:?}"
        )));
    }
    match &frame.places {
        None => {
            let shape = frame.axes.shape().iter().map(|&len| len as u64).collect();
            Ok((frame.axes, values.reshaped(shape)?))
        }
        Some(places) => {
            let values = scattered(&values, places, &frame.axes, limits)?;
            Ok((frame.axes, values))
        }
    }
}

/// The elements of a block as rows of columns.
fn block(folder: &Folder, at: i64, table: [u64; 2], limits: &Limits) -> Result<Values> {
    let block = data::read_values(folder, &format!("block{at}_values"), limits)?;
    if !block.is_transposed {
        return Ok(block.values);
    }
    let (dtype, shape, items, heap) = block.values.into_parts();
    let [n_columns, n_rows] = shape.as_slice() else {
        return Err(Error::corrupt(format!(
            "expected a block of shape {table:?}, found {shape:?}"
        )));
    };
    let (n_rows, n_columns) = (usize::try_from(*n_rows), usize::try_from(*n_columns));
    let (Ok(n_rows), Ok(n_columns)) = (n_rows, n_columns) else {
        return Err(Error::limit(format!("a block of shape {shape:?}")));
    };
    let size = dtype.item_size();
    let mut turned = Vec::with_capacity(items.len());
    for row in 0..n_rows {
        for column in 0..n_columns {
            let start = (column * n_rows + row) * size;
            turned.extend_from_slice(items.get(start..start + size).unwrap_or_default());
        }
    }
    Values::new(dtype, vec![n_rows as u64, n_columns as u64], turned, heap)
}

/// Columns that lie in several blocks, all of one type.
fn blocks(folder: &Folder, n_blocks: i64, frame: &Frame, limits: &Limits) -> Result<Values> {
    let n_columns = frame.columns.len();
    if usize::try_from(n_blocks).is_ok_and(|n| n > n_columns) {
        return Err(Error::corrupt(format!("{n_blocks} blocks of {n_columns} columns")));
    }
    let mut parts: Vec<(Values, Vec<usize>)> = Vec::new();
    for at in 0..n_blocks {
        let (labels, _) = index(folder, &format!("block{at}_items"), limits)?;
        let columns = labels.iter().map(|label| frame.columns.position(&label));
        let columns = columns.collect::<Option<Vec<_>>>();
        let columns = columns.ok_or_else(|| Error::corrupt("a block of no column"))?;
        let table = [frame.n_rows as u64, columns.len() as u64];
        let values = block(folder, at, table, limits)?;
        if values.shape() != table {
            return Err(Error::corrupt(format!("block {at}: expected shape {table:?}")));
        }
        parts.push((values, columns));
    }
    let table = vec![frame.n_rows as u64, n_columns as u64];
    let dtypes: Vec<&DType> = parts.iter().map(|(values, _)| values.dtype()).collect();
    let is_text = |dtype: &&DType| matches!(dtype, DType::String(_) | DType::Unicode(_));
    if dtypes.iter().all(is_text) {
        let mut texts = vec![String::new(); frame.n_rows * n_columns];
        for (values, columns) in &parts {
            for at in 0..values.len() {
                let column = columns[at % columns.len()];
                texts[at / columns.len() * n_columns + column] = values.text_at(at)?;
            }
        }
        return Values::from_strings(table, &texts);
    }
    let dtype = (*dtypes.first().ok_or_else(|| Error::corrupt("no block"))?).clone();
    if dtypes.iter().any(|other| **other != dtype) || dtype.has_heap() {
        return Err(Error::unsupported("columns of several types"));
    }
    let size = dtype.item_size();
    let mut items = vec![0; frame.n_rows * n_columns * size];
    for (values, columns) in &parts {
        for (at, item) in values.items().chunks_exact(size).enumerate() {
            let place = (at / columns.len() * n_columns + columns[at % columns.len()]) * size;
            items[place..place + size].copy_from_slice(item);
        }
    }
    Values::new(dtype, table, items, Vec::new())
}

/// Rows where they belong; combinations that there are not are NaN.
fn scattered(
    values: &Values,
    places: &[usize],
    axes: &AxisCollection,
    limits: &Limits,
) -> Result<Values> {
    let shape: Vec<u64> = axes.shape().iter().map(|&len| len as u64).collect();
    let n_columns = values.len().checked_div(places.len()).unwrap_or(0);
    let n_elements = axes.n_elements().ok_or_else(|| Error::limit("too many elements"))?;
    limits.heap((n_elements as u64).saturating_mul(values.dtype().item_size() as u64))?;
    if values.dtype().has_heap() {
        let mut texts = vec![String::new(); n_elements];
        for (row, place) in places.iter().enumerate() {
            for column in 0..n_columns {
                texts[place * n_columns + column] = values.text_at(row * n_columns + column)?;
            }
        }
        return Values::from_strings(shape, &texts);
    }
    let is_whole = n_elements == values.len();
    let values = if is_whole { values.clone() } else { python::to_floats(values)? };
    let size = values.dtype().item_size();
    let mut items = match values.dtype() {
        DType::Float64 => stook_core::element::as_bytes(&vec![f64::NAN; n_elements]).to_vec(),
        _ => vec![0; n_elements * size],
    };
    for (row, place) in values.items().chunks_exact((n_columns * size).max(1)).zip(places) {
        let start = place * n_columns * size;
        items[start..start + row.len()].copy_from_slice(row);
    }
    Values::new(values.dtype().clone(), shape, items, Vec::new())
}

/// Rows `start..stop` of the first axis, where they lie in one piece of one block.
pub(super) fn read_rows(
    folder: &Folder,
    frame: &Frame,
    (start, stop): (usize, usize),
    limits: &Limits,
) -> Result<Option<(AxisCollection, Values)>> {
    let axes = frame.axes.as_slice();
    let is_plain = frame.n_blocks == 1 && frame.places.is_none() && axes.len() > 1;
    let Some((first, rest)) = axes.split_first().filter(|_| is_plain) else { return Ok(None) };
    if start > stop || stop > first.len() {
        return Err(Error::invalid(format!("rows {start}..{stop} of {}", first.len())));
    }
    let dataset = folder.open_array("block0_values")?;
    let marks = Marks::new(dataset.attributes()?);
    let is_plain = !dataset.dtype().has_heap() && !marks.has("shape");
    if !is_plain || marks.number("transposed") == Some(0) || dataset.shape().len() != 2 {
        return Ok(None);
    }
    let each: u64 = rest.iter().rev().skip(1).map(|axis| axis.len() as u64).product();
    let rows = AxisSelection::range(start as u64 * each, stop as u64 * each);
    let part = dataset.read(&Selection::Axes(vec![rows]))?;
    let part = data::typed(part, &marks)?;
    let mut axes = vec![first.with_labels(first.labels().slice(start, 1, stop - start)?)];
    axes.extend(rest.iter().cloned());
    let axes = AxisCollection::from(axes);
    let shape: Vec<u64> = axes.shape().iter().map(|&len| len as u64).collect();
    limits.heap(part.items().len() as u64)?;
    Ok(Some((axes, part.reshaped(shape)?)))
}

/// The same of an array that is in memory.
pub(crate) fn first_rows(array: &Array, start: usize, stop: usize) -> Result<Array> {
    let axes = first_labels(array.axes(), start, stop)?;
    let values = array.data();
    let n_rows = array.axes().iter().next().map_or(0, Axis::len);
    let row = values.items().len().checked_div(n_rows).unwrap_or(0);
    let items = values.items().get(start * row..stop * row).unwrap_or_default().to_vec();
    let shape = axes.shape().iter().map(|&len| len as u64).collect();
    Array::new(axes, Values::new(values.dtype().clone(), shape, items, values.heap().to_vec())?)
}

/// The axes of the rows `start..stop`.
///
/// # Errors
/// `InvalidInput` if there is no axis, or the first has no such positions.
pub(crate) fn first_labels(
    axes: &AxisCollection,
    start: usize,
    stop: usize,
) -> Result<AxisCollection> {
    let axes = axes.as_slice();
    let (first, rest) = axes.split_first().ok_or_else(|| Error::invalid("it has no axis"))?;
    if start > stop || stop > first.len() {
        return Err(Error::invalid(format!("rows {start}..{stop} of {}", first.len())));
    }
    let mut axes = vec![first.with_labels(first.labels().slice(start, 1, stop - start)?)];
    axes.extend(rest.iter().cloned());
    Ok(axes.into())
}
