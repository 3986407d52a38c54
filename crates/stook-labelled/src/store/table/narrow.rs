//! Narrow tables: a row an element, with a column for each axis and `value`.

use stook_core::{Error, Result};

use super::{Cell, Table, column_codes, elements, labels_of_texts, scattered};
use crate::{Array, Axis, AxisCollection, AxisName};

/// The header of an array.
pub(super) fn header(array: &Array) -> Vec<Cell> {
    let name = |axis: &Axis| axis.name().map_or(Cell::Empty, |name| Cell::Text(name.to_string()));
    let names = array.axes().iter().map(name);
    names.chain([Cell::Text("value".into())]).collect()
}

/// The array of rows in any order; the last column has the elements, whatever it is called. Where two
/// rows have the same labels, which of them is meant is not known.
pub(super) fn read(table: &dyn Table) -> Result<Array> {
    let n_labels = table.n_columns(0) - 1;
    let rows: Vec<usize> = (1..table.n_rows()).collect();
    let mut axes = Vec::with_capacity(n_labels);
    let mut places = vec![0_usize; rows.len()];
    for column in 0..n_labels {
        let (order, codes) = column_codes(table, &rows, column);
        for (place, code) in places.iter_mut().zip(codes) {
            *place = place.saturating_mul(order.len()).saturating_add(code);
        }
        let name = table.text(0, column);
        let name = (!name.is_empty()).then(|| AxisName::from(&*name));
        axes.push(Axis::new(labels_of_texts(order), name));
    }
    let mut sorted = places.clone();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        let mut lines = places.iter().enumerate().filter(|(_, place)| **place == twice[0]);
        let (first, second) = (lines.next(), lines.next());
        let line = |found: Option<(usize, _)>| found.map_or(0, |(at, _)| at + 2);
        let (first, second) = (line(first), line(second));
        return Err(Error::corrupt(format!("rows {first} and {second} have the same labels")));
    }
    let axes = AxisCollection::from(axes);
    let values = elements(table, &rows, n_labels, 1)?;
    scattered(axes, &values, &places, 1)
}
