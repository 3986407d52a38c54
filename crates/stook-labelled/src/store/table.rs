//! Arrays as tables of text: a row for each combination of the labels of all axes but the last, a
//! column for each label of the last (wide), or a row an element (narrow).
//!
//! ```text
//! a,b\c,c0,c1        a,b,c,value
//! a0,b0,1.5,2.5      a0,b0,c0,1.5
//! a0,b1,,4.0         a0,b0,c1,2.5
//! ```
//!
//! Numbers have the shortest form that is read as the same number. A cell of an element that is NaN
//! is empty.

mod narrow;

use std::collections::HashMap;
use std::fmt::Write as _;

use stook_core::{DType, Error, Result, Values};

use crate::session::TableLayout;
use crate::session::equality::Numbers;
use crate::store::{python, sidecar};
use crate::{Array, Axis, AxisCollection, AxisName, Label, LabelRef, Labels};

/// What an anonymous axis, and the only row of an array of one axis, is called.
const NOTHING: &str = "";

/// What the text of a moment begins with where a cell said that it is one.
pub(crate) const MOMENT: char = '\u{1}';

/// A cell, as text and as what it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Empty,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

/// The header of an array as a wide table.
pub(crate) fn header(array: &Array) -> Vec<Cell> {
    let axes = array.axes().as_slice();
    let Some((last, rows)) = axes.split_last() else { return vec![Cell::Text("value".into())] };
    let name = |axis: &Axis| axis.name().map_or_else(String::new, ToString::to_string);
    let text = |text: String| if text.is_empty() { Cell::Empty } else { Cell::Text(text) };
    let mut cells: Vec<Cell> = rows.iter().map(|axis| text(name(axis))).collect();
    match cells.last_mut() {
        None => cells.push(text(name(last))),
        Some(_) if rows.iter().all(|axis| axis.name().is_none()) && last.name().is_none() => {}
        Some(cell) => {
            *cell = Cell::Text(format!(
                "{}\\{}",
                rows.last().map(name).unwrap_or_default(),
                name(last)
            ));
        }
    }
    cells.extend(last.labels().iter_refs().map(label_cell));
    cells
}

/// The labels of an axis as text.
pub(crate) fn label_texts(axis: &Axis) -> impl Iterator<Item = String> + '_ {
    axis.labels().iter_refs().map(|label| text_of(&label_cell(label)))
}

fn label_cell(label: LabelRef<'_>) -> Cell {
    match label {
        LabelRef::None => Cell::Empty,
        LabelRef::Bool(value) => Cell::Bool(value),
        LabelRef::Int(value) => Cell::Int(value),
        LabelRef::Float(value) => Cell::Float(value),
        other => Cell::Text(other.to_string()),
    }
}

/// The elements of an array as text, one by one.
pub(crate) struct Texts<'a> {
    values: &'a Values,
    numbers: Option<Numbers<'a>>,
}

impl<'a> Texts<'a> {
    pub(crate) fn new(values: &'a Values) -> Self {
        let is_float = matches!(values.dtype(), DType::Float64);
        let numbers = if is_float { Numbers::new(values) } else { None };
        Self { values, numbers }
    }

    /// Appends element `at`.
    pub(crate) fn push(&self, at: usize, out: &mut String) -> Result<()> {
        if let Some(numbers) = &self.numbers {
            push_float(out, numbers.get(at));
            return Ok(());
        }
        match self.cell(at)? {
            Cell::Empty => {}
            Cell::Bool(value) => out.push_str(if value { "True" } else { "False" }),
            Cell::Int(value) => {
                let _ = write!(out, "{value}");
            }
            Cell::Float(value) => push_float(out, value),
            Cell::Text(text) => out.push_str(&text),
        }
        Ok(())
    }

    /// Element `at` as what it is.
    pub(crate) fn cell(&self, at: usize) -> Result<Cell> {
        let values = self.values;
        if matches!(values.dtype(), DType::String(_) | DType::Unicode(_) | DType::FixedString(_)) {
            return Ok(Cell::Text(values.text_at(at)?));
        }
        let item = values.item(at).unwrap_or_default();
        match values.dtype() {
            DType::Complex64 | DType::Complex128 => return complex_cell(values.dtype(), item),
            // The shortest form of its own width.
            DType::Float32 => {
                let value = item.try_into().map_or(f32::NAN, f32::from_ne_bytes);
                if value.is_nan() {
                    return Ok(Cell::Empty);
                }
                let value = value.to_string().parse().unwrap_or(f64::NAN);
                return Ok(Cell::Float(value));
            }
            _ => {}
        }
        let one = Values::new(values.dtype().clone(), vec![1], item.to_vec(), Vec::new())?;
        let label = Labels::from_values(one)
            .map_err(|_| Error::unsupported(format!("elements of type {}", values.dtype())))?;
        Ok(match label.get_ref(0) {
            Some(LabelRef::Float(value)) if value.is_nan() => Cell::Empty,
            Some(LabelRef::UInt(value)) => Cell::Text(value.to_string()),
            Some(LabelRef::DateTime(i64::MIN, _) | LabelRef::TimeDelta(i64::MIN, _)) => Cell::Empty,
            Some(label) => label_cell(label),
            None => Cell::Empty,
        })
    }
}

fn complex_cell(dtype: &DType, item: &[u8]) -> Result<Cell> {
    let half = item.len() / 2;
    let part = if *dtype == DType::Complex64 { DType::Float32 } else { DType::Float64 };
    let number = |bytes: &[u8]| -> Result<f64> {
        let one = Values::new(part.clone(), vec![1], bytes.to_vec(), Vec::new())?;
        Ok(Numbers::new(&one).map_or(f64::NAN, |numbers| numbers.get(0)))
    };
    let (re, im) = (
        number(item.get(..half).unwrap_or_default())?,
        number(item.get(half..).unwrap_or_default())?,
    );
    Ok(Cell::Text(crate::Scalar::Complex(re, im).to_string()))
}

/// As Python's `repr`; nothing for NaN.
pub(crate) fn push_float(out: &mut String, value: f64) {
    if !value.is_nan() {
        let _ = write!(out, "{}", Label::Float(value));
    }
}

/// A cell as text.
pub(crate) fn text_of(cell: &Cell) -> String {
    let mut out = String::new();
    match cell {
        Cell::Empty => {}
        Cell::Bool(value) => out.push_str(if *value { "True" } else { "False" }),
        Cell::Int(value) => {
            let _ = write!(out, "{value}");
        }
        Cell::Float(value) if value.is_nan() => out.push_str("nan"),
        Cell::Float(value) => push_float(&mut out, *value),
        Cell::Text(text) => out.push_str(text),
    }
    out
}

/// The rows of an array as a table, of which the first is the header.
pub(crate) struct Grid<'a> {
    texts: Texts<'a>,
    header: Vec<Cell>,
    /// The labels of each axis that has a column.
    labels: Vec<Vec<Cell>>,
    /// Cells of labels of a row that has none.
    n_empty: usize,
    n_rows: usize,
    /// Elements of a row.
    n_columns: usize,
}

impl<'a> Grid<'a> {
    pub(crate) fn new(array: &'a Array, layout: TableLayout) -> Self {
        let axes = array.axes().as_slice();
        let n_elements = array.data().len();
        let (rows, n_columns) = match (layout, axes.split_last()) {
            (TableLayout::Wide, Some((last, rows))) => (rows, last.len()),
            _ => (axes, 1),
        };
        let header = match layout {
            TableLayout::Wide => header(array),
            TableLayout::Narrow => narrow::header(array),
        };
        let cells = |axis: &Axis| axis.labels().iter_refs().map(label_cell).collect();
        Self {
            texts: Texts::new(array.data()),
            header,
            labels: rows.iter().map(cells).collect(),
            n_empty: usize::from(rows.is_empty() && !axes.is_empty()),
            n_rows: if layout == TableLayout::Narrow {
                n_elements
            } else {
                rows.iter().map(Axis::len).product()
            },
            n_columns,
        }
    }

    pub(crate) fn header(&self) -> &[Cell] {
        &self.header
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// The labels of a row.
    pub(crate) fn labels(&self, row: usize) -> impl Iterator<Item = &Cell> {
        let mut stride = self.n_rows;
        let labels = self.labels.iter().filter_map(move |cells| {
            stride = stride.checked_div(cells.len()).unwrap_or(0);
            cells.get(row.checked_div(stride)? % cells.len())
        });
        labels.chain(std::iter::repeat_n(&Cell::Empty, self.n_empty))
    }

    /// An element as what it is.
    pub(crate) fn cell(&self, row: usize, column: usize) -> Result<Cell> {
        self.texts.cell(row * self.n_columns + column)
    }

    /// Appends an element as text.
    pub(crate) fn push(&self, row: usize, column: usize, out: &mut String) -> Result<()> {
        self.texts.push(row * self.n_columns + column, out)
    }
}

/// A table that was read: rows of cells, the first of which is the header.
pub(crate) trait Table {
    fn n_rows(&self) -> usize;
    /// The text of a cell; nothing past the end of a row.
    fn text(&self, row: usize, column: usize) -> std::borrow::Cow<'_, str>;
    /// The cells of a row.
    fn n_columns(&self, row: usize) -> usize;
    /// The cells of all rows but the first, from column `first` on, if they are known to be numbers.
    fn numbers(&self, first: usize) -> Option<Values> {
        let _ = first;
        None
    }
}

/// The array that a table is of.
pub(crate) fn read(table: &dyn Table, layout: TableLayout) -> Result<Array> {
    if table.n_rows() == 0 || table.n_columns(0) == 0 {
        return Err(Error::corrupt("expected a header, found nothing"));
    }
    let n_columns = table.n_columns(0);
    for row in 1..table.n_rows() {
        let found = table.n_columns(row);
        if found != n_columns {
            let line = row + 1;
            return Err(Error::corrupt(format!(
                "row {line}: expected {n_columns} cells, found {found}"
            )));
        }
    }
    match layout {
        TableLayout::Wide => wide(table),
        TableLayout::Narrow => narrow::read(table),
    }
}

/// The array of a table that is known to be the one that was made of an array of these axes, by its
/// place: its labels may look the same as text. `None` if it cannot be.
pub(crate) fn read_noted(
    table: &dyn Table,
    layout: TableLayout,
    axes: &AxisCollection,
    dtype: &DType,
) -> Result<Option<Array>> {
    let Some(n_elements) = axes.n_elements() else { return Ok(None) };
    let (n_labels, n_cells) = match (layout, axes.as_slice().split_last()) {
        (TableLayout::Narrow, _) => (axes.len(), 1),
        (TableLayout::Wide, None) => (0, 1),
        (TableLayout::Wide, Some((last, rows))) => (rows.len().max(1), last.len()),
    };
    let n_rows = match (layout, axes.as_slice().split_last()) {
        (TableLayout::Narrow, _) => n_elements,
        (TableLayout::Wide, None | Some((_, []))) => 1,
        (TableLayout::Wide, Some((_, rows))) => rows.iter().map(Axis::len).product(),
    };
    // What is empty at the end need not be there.
    if table.n_rows() > n_rows + 1 || table.n_columns(0) > n_labels + n_cells {
        return Ok(None);
    }
    let rows: Vec<usize> = (1..=n_rows).collect();
    let is_text = matches!(dtype, DType::String(_) | DType::Unicode(_) | DType::FixedString(_));
    let values = if is_text {
        let texts = parsed(table, &rows, (n_labels, n_cells), |text| Some(text.to_owned()));
        Values::from_strings(vec![n_elements as u64], &texts.unwrap_or_default())?
    } else {
        elements(table, &rows, n_labels, n_cells)?
    };
    let shape = axes.shape().iter().map(|&len| len as u64).collect();
    let values = sidecar::recast(values.reshaped(shape)?, dtype)?;
    Array::new(axes.clone(), values).map(Some)
}

fn wide(table: &dyn Table) -> Result<Array> {
    let n_columns = table.n_columns(0);
    let names: Vec<String> = (0..n_columns).map(|at| table.text(0, at).into_owned()).collect();
    let (split, n_labels) = label_columns(&names);
    let name = |text: &str| (!text.is_empty()).then(|| AxisName::from(text));
    if split.is_none() && n_columns == 1 && names[0] == "value" && table.n_rows() == 2 {
        let values = elements(table, &[1], 0, 1)?.reshaped(Vec::new())?;
        return Array::new(AxisCollection::from(Vec::new()), values);
    }
    let is_one_axis = split.is_none() && table.n_rows() == 2 && table.text(1, 0).is_empty();
    let mut axis_names: Vec<Option<AxisName>> =
        names.iter().take(n_labels).map(|text| name(text)).collect();
    let last_name = match split {
        Some(at) => {
            let (before, after) = names[at].split_once('\\').unwrap_or((&names[at], NOTHING));
            axis_names[at] = name(before);
            name(after)
        }
        None if is_one_axis => axis_names.first().cloned().flatten(),
        None => None,
    };
    let columns = labels_of_texts(names.iter().skip(n_labels).cloned().collect());
    let last = Axis::new(columns, last_name);
    let rows: Vec<usize> = (1..table.n_rows()).collect();
    let n_cells = n_columns - n_labels;
    if is_one_axis {
        let values = elements(table, &rows, n_labels, n_cells)?;
        return Array::new(AxisCollection::from(last), values.reshaped(vec![n_cells as u64])?);
    }
    let mut axes = Vec::new();
    let mut places = vec![0_usize; rows.len()];
    for (column, name) in axis_names.into_iter().enumerate() {
        let (mut order, mut codes) = column_codes(table, &rows, column);
        // Labels that are there twice in the rows of one axis are labels of their own.
        if n_labels == 1 && order.len() < rows.len() {
            order = rows.iter().map(|&row| table.text(row, column).into_owned()).collect();
            codes = (0..rows.len()).collect();
        }
        for (place, code) in places.iter_mut().zip(codes) {
            *place = place.saturating_mul(order.len()).saturating_add(code);
        }
        axes.push(Axis::new(labels_of_texts(order), name));
    }
    axes.push(last);
    let axes = AxisCollection::from(axes);
    let values = elements(table, &rows, n_labels, n_cells)?;
    let shape: Vec<u64> = axes.shape().iter().map(|&len| len as u64).collect();
    if places.iter().enumerate().all(|(at, &place)| at == place)
        && shape.iter().try_fold(1_u64, |n, &len| n.checked_mul(len)) == Some(values.len() as u64)
    {
        return Array::new(axes, values.reshaped(shape)?);
    }
    scattered(axes, &values, &places, n_cells)
}

/// The column whose name has that of the last axis behind it, and how many columns are labels.
pub(crate) fn label_columns(names: &[String]) -> (Option<usize>, usize) {
    let split = names.iter().position(|name| name.contains('\\'));
    let n_labels = match split {
        Some(at) => at + 1,
        None => names.iter().take_while(|name| name.is_empty()).count().max(1),
    };
    (split, n_labels)
}

/// The different texts of a column in the order in which they are met, and which of them each of
/// `rows` has.
fn column_codes(table: &dyn Table, rows: &[usize], column: usize) -> (Vec<String>, Vec<usize>) {
    let mut order: Vec<String> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut codes = Vec::with_capacity(rows.len());
    for &row in rows {
        let text = table.text(row, column);
        let code = known.get(&*text).copied().unwrap_or_else(|| {
            known.insert(text.to_string(), order.len());
            order.push(text.into_owned());
            order.len() - 1
        });
        codes.push(code);
    }
    (order, codes)
}

/// Rows where their labels say; what there is no row for is missing.
fn scattered(
    axes: AxisCollection,
    values: &Values,
    places: &[usize],
    n_cells: usize,
) -> Result<Array> {
    /// A table may name this many times the cells that it has.
    const SPARSEST: usize = 1000;
    let n_elements = axes.n_elements().unwrap_or(usize::MAX);
    let most = values.len().saturating_mul(SPARSEST).max(1 << 20);
    if n_elements > most {
        return Err(Error::limit(format!(
            "{} cells of {n_elements}: more than {SPARSEST} times as many would be missing",
            values.len()
        )));
    }
    let shape: Vec<u64> = axes.shape().iter().map(|&len| len as u64).collect();
    if values.dtype().has_heap() {
        let mut texts = vec![String::new(); n_elements];
        for (row, place) in places.iter().enumerate() {
            for column in 0..n_cells {
                texts[place * n_cells + column] = values.text_at(row * n_cells + column)?;
            }
        }
        return Array::new(axes, Values::from_strings(shape, &texts)?);
    }
    let is_whole = n_elements == values.len();
    let values = if is_whole { values.clone() } else { python::to_floats(values)? };
    let size = values.dtype().item_size();
    let mut items = match values.dtype() {
        DType::Float64 => stook_core::element::as_bytes(&vec![f64::NAN; n_elements]).to_vec(),
        _ => vec![0; n_elements * size],
    };
    for (row, place) in values.items().chunks_exact((n_cells * size).max(1)).zip(places) {
        let start = place * n_cells * size;
        items[start..start + row.len()].copy_from_slice(row);
    }
    Array::new(axes, Values::new(values.dtype().clone(), shape, items, Vec::new())?)
}

/// Labels of the narrowest type that all texts have: whole numbers, numbers, truth values, text.
pub(crate) fn labels_of_texts(texts: Vec<String>) -> Labels {
    if texts.is_empty() {
        return Labels::from_strings(texts);
    }
    let is_plain =
        |text: &String| !(text.len() > 1 && text.starts_with('0') && !text.contains('.'));
    let all = |parse: &dyn Fn(&String) -> Option<Label>| -> Option<Vec<Label>> {
        texts.iter().map(parse).collect()
    };
    let found = all(&|text| text.parse::<i64>().ok().filter(|_| is_plain(text)).map(Label::Int))
        .or_else(|| all(&|text| float(text).filter(|_| is_plain(text)).map(Label::Float)))
        .or_else(|| all(&|text| truth(text).map(Label::Bool)))
        .or_else(|| all(&|text| moment(text)));
    found.map_or_else(|| Labels::from_strings(&texts), Labels::from_labels)
}

fn moment(text: &str) -> Option<Label> {
    let unit = super::time::NANOSECOND;
    super::time::parse(text.strip_prefix(MOMENT)?, unit).map(|ticks| Label::DateTime(ticks, unit))
}

fn float(text: &str) -> Option<f64> {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.ni".contains(c));
    if is_number { text.parse().ok() } else { None }
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "True" | "TRUE" | "true" => Some(true),
        "False" | "FALSE" | "false" => Some(false),
        _ => None,
    }
}

/// The cells of `rows` from `first` on, in the narrowest type that all have: whole numbers, numbers
/// (an empty cell is NaN), truth values, text.
fn elements(table: &dyn Table, rows: &[usize], first: usize, n_cells: usize) -> Result<Values> {
    let shape = vec![rows.len() as u64, n_cells as u64];
    let n = rows.len().saturating_mul(n_cells);
    if let Some(values) = table.numbers(first).filter(|values| values.len() == n) {
        return values.reshaped(shape);
    }
    if n == 0 {
        return Values::new(DType::Float64, shape, Vec::new(), Vec::new());
    }
    if let Some(ints) = parsed(table, rows, (first, n_cells), |text| text.parse::<i64>().ok()) {
        let items = stook_core::element::as_bytes(&ints).to_vec();
        return Values::new(DType::Int64, shape, items, Vec::new());
    }
    if let Some(large) = parsed(table, rows, (first, n_cells), |text| text.parse::<u64>().ok()) {
        let items = stook_core::element::as_bytes(&large).to_vec();
        return Values::new(DType::UInt64, shape, items, Vec::new());
    }
    let number = |text: &str| if text.is_empty() { Some(f64::NAN) } else { float(text) };
    if let Some(floats) = parsed(table, rows, (first, n_cells), number) {
        let items = stook_core::element::as_bytes(&floats).to_vec();
        return Values::new(DType::Float64, shape, items, Vec::new());
    }
    if let Some(truths) = parsed(table, rows, (first, n_cells), truth) {
        let items = stook_core::element::as_bytes(&truths).to_vec();
        return Values::new(DType::Bool, shape, items, Vec::new());
    }
    let moment = |text: &str| match text.strip_prefix(MOMENT) {
        Some(text) => super::time::parse(text, super::time::NANOSECOND),
        None => text.is_empty().then_some(i64::MIN),
    };
    if let Some(ticks) = parsed(table, rows, (first, n_cells), moment) {
        let items = stook_core::element::as_bytes(&ticks).to_vec();
        return Values::new(DType::DateTime(super::time::NANOSECOND), shape, items, Vec::new());
    }
    let text = |text: &str| Some(text.trim_start_matches(MOMENT).to_owned());
    let texts = parsed(table, rows, (first, n_cells), text);
    Values::from_strings(shape, &texts.unwrap_or_default())
}

fn parsed<T>(
    table: &dyn Table,
    rows: &[usize],
    (first, n_cells): (usize, usize),
    parse: impl Fn(&str) -> Option<T>,
) -> Option<Vec<T>> {
    let mut found = Vec::with_capacity(rows.len() * n_cells);
    for &row in rows {
        for column in first..first + n_cells {
            found.push(parse(&table.text(row, column))?);
        }
    }
    Some(found)
}

impl Array {
    /// The array as a table of text: its header and at most `n_rows` rows.
    ///
    /// # Errors
    /// `Unsupported` for elements that have no text, `Corrupt` for text that is none.
    pub fn to_rows(&self, n_rows: usize) -> Result<Vec<Vec<String>>> {
        let grid = Grid::new(self, TableLayout::Wide);
        let mut rows = vec![grid.header().iter().map(text_of).collect::<Vec<_>>()];
        for row in 0..grid.n_rows().min(n_rows) {
            let mut cells: Vec<String> = grid.labels(row).map(text_of).collect();
            for column in 0..grid.n_columns() {
                let mut text = String::new();
                grid.push(row, column, &mut text)?;
                cells.push(text);
            }
            rows.push(cells);
        }
        Ok(rows)
    }
}
