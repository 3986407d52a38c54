//! A part of a loom in memory.

use std::path::{Path, PathBuf};

use stook::{AxisSelection, Error, Result, Selection, Values};

use crate::attributes::{self, AttributeMap};
use crate::axis::Axis;
use crate::graph::{self, GraphMap};
use crate::items;
use crate::layer::positions;
use crate::loom::Loom;
use crate::state::State;

/// What of a loom a view has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewParts {
    /// These layers; all of them where it does not say.
    pub layers: Option<Vec<String>>,
    /// Attributes of these axes.
    pub attributes: Vec<Axis>,
    /// Graphs of these axes.
    pub graphs: Vec<Axis>,
}

impl Default for ViewParts {
    /// Everything.
    fn default() -> Self {
        let both = Axis::BOTH.to_vec();
        Self { layers: None, attributes: both.clone(), graphs: both }
    }
}

/// A part of a loom in memory: rows and columns that were picked, in their order, with layers,
/// attributes and graphs.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    path: PathBuf,
    shape: [u64; 2],
    layers: AttributeMap,
    attributes: [AttributeMap; 2],
    graphs: [GraphMap; 2],
    file_attributes: AttributeMap,
}

impl Loom {
    /// The part of the loom that `rows` and `columns` select, with all there is. An integer
    /// selects one, and keeps the axis.
    ///
    /// # Errors
    /// `InvalidInput` for a selection that does not fit, `Corrupt`, `Io`.
    pub fn view(&self, rows: &AxisSelection, columns: &AxisSelection) -> Result<View> {
        self.view_of(rows, columns, &ViewParts::default())
    }

    /// As [`Loom::view`], with some of what there is.
    ///
    /// # Errors
    /// As [`Loom::view`]; `NotFound` for a layer that is not there.
    pub fn view_of(
        &self,
        rows: &AxisSelection,
        columns: &AxisSelection,
        parts: &ViewParts,
    ) -> Result<View> {
        self.read(|state| of_state(state, [rows, columns], parts))
    }
}

fn of_state(state: &State, selections: [&AxisSelection; 2], parts: &ViewParts) -> Result<View> {
    let mut picked = [Vec::new(), Vec::new()];
    for (axis, picked) in Axis::BOTH.into_iter().zip(&mut picked) {
        *picked = positions(axis.of(selections), state.len(axis))
            .map_err(|error| error.within(format!("{}s", axis.word())))?;
    }
    let [rows, columns] = &picked;
    let mut view = View {
        path: state.file.path().to_path_buf(),
        shape: [rows.len() as u64, columns.len() as u64],
        layers: AttributeMap::new(),
        attributes: Default::default(),
        graphs: Default::default(),
        file_attributes: attributes::all_of_file(state)?,
    };
    let kept = |selection: &AxisSelection| match selection {
        AxisSelection::Index(at) => AxisSelection::List(vec![*at]),
        other => other.clone(),
    };
    let selection = Selection::Axes(selections.map(kept).to_vec());
    let names = match &parts.layers {
        Some(names) => names.clone(),
        None => state.layer_names()?,
    };
    for name in names {
        let values = state.known_layer(&name)?.read(&selection)?;
        view.layers.insert(name, values);
    }
    for (axis, picked) in Axis::BOTH.into_iter().zip(&picked) {
        if parts.attributes.contains(&axis) {
            for (name, values) in attributes::all(state, axis)? {
                let taken = items::take(&values, picked)
                    .map_err(|error| error.within(format!("{} attribute `{name}`", axis.word())))?;
                view.of_axis(axis).insert(name, taken);
            }
        }
        if parts.graphs.contains(&axis) {
            for (name, graph) in graph::all(state, axis)? {
                let graph = graph.select(picked)?;
                view.graphs[axis.number()].insert(name, graph);
            }
        }
    }
    Ok(view)
}

impl View {
    /// The loom that it is of.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its number of rows and of columns.
    #[must_use]
    pub fn shape(&self) -> [u64; 2] {
        self.shape
    }

    /// Its layers by their names; the main matrix has the empty one.
    #[must_use]
    pub fn layers(&self) -> &AttributeMap {
        &self.layers
    }

    /// A layer.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn layer(&self, name: &str) -> Result<&Values> {
        self.layers.get(name).ok_or_else(|| {
            Error::not_found(format!("the view has no layer `{name}`")).at_file(&self.path)
        })
    }

    /// The attributes of an axis.
    #[must_use]
    pub fn attributes(&self, axis: Axis) -> &AttributeMap {
        let [rows, columns] = &self.attributes;
        axis.of([rows, columns])
    }

    fn of_axis(&mut self, axis: Axis) -> &mut AttributeMap {
        let [rows, columns] = &mut self.attributes;
        match axis {
            Axis::Rows => rows,
            Axis::Columns => columns,
        }
    }

    /// The graphs of an axis.
    #[must_use]
    pub fn graphs(&self, axis: Axis) -> &GraphMap {
        let [rows, columns] = &self.graphs;
        axis.of([rows, columns])
    }

    /// The attributes of the file.
    #[must_use]
    pub fn file_attributes(&self) -> &AttributeMap {
        &self.file_attributes
    }

    /// The part of it that `rows` and `columns` select.
    ///
    /// # Errors
    /// `InvalidInput` for a selection that does not fit.
    pub fn select(&self, rows: &AxisSelection, columns: &AxisSelection) -> Result<Self> {
        let [n_rows, n_columns] = self.shape;
        let picked = [positions(rows, n_rows)?, positions(columns, n_columns)?];
        let [rows, columns] = &picked;
        let mut view = Self {
            shape: [rows.len() as u64, columns.len() as u64],
            path: self.path.clone(),
            file_attributes: self.file_attributes.clone(),
            layers: AttributeMap::new(),
            attributes: Default::default(),
            graphs: Default::default(),
        };
        for (name, values) in &self.layers {
            view.layers.insert(name.clone(), take_block(values, rows, columns)?);
        }
        for (axis, picked) in Axis::BOTH.into_iter().zip(&picked) {
            for (name, values) in self.attributes(axis) {
                let taken = items::take(values, picked)?;
                view.of_axis(axis).insert(name.clone(), taken);
            }
            for (name, graph) in self.graphs(axis) {
                let graph = graph.select(picked)?;
                view.graphs[axis.number()].insert(name.clone(), graph);
            }
        }
        Ok(view)
    }

    /// The same with the rows or columns in another order.
    ///
    /// # Errors
    /// `InvalidInput` where `order` has another length than the axis, or a position is out of
    /// bounds.
    pub fn permuted(&self, axis: Axis, order: &[u64]) -> Result<Self> {
        crate::reorder::expect_len(axis, axis.of(self.shape), order.len())?;
        let order = crate::picked::list(order);
        match axis {
            Axis::Rows => self.select(&order, &AxisSelection::ALL),
            Axis::Columns => self.select(&AxisSelection::ALL, &order),
        }
    }
}

/// The elements of a matrix in `rows` and `columns`.
fn take_block(values: &Values, rows: &[u64], columns: &[u64]) -> Result<Values> {
    let picked = items::take(values, rows)?;
    let &[_, n_columns] = picked.shape() else {
        return Err(Error::invalid("a layer has two axes"));
    };
    let is_whole = columns.len() as u64 == n_columns && columns.iter().copied().eq(0..n_columns);
    if is_whole {
        return Ok(picked);
    }
    let item = picked.dtype().item_size();
    let row_len = usize::try_from(n_columns).unwrap_or(0) * item;
    let mut taken = Vec::with_capacity(rows.len() * columns.len() * item);
    for row in picked.items().chunks_exact(row_len.max(1)) {
        for &column in columns {
            let start = usize::try_from(column).unwrap_or(usize::MAX).saturating_mul(item);
            let element = row.get(start..start.saturating_add(item));
            taken.extend_from_slice(element.ok_or_else(|| {
                Error::invalid(format!("column {column} is out of bounds for {n_columns}"))
            })?);
        }
    }
    let shape = vec![rows.len() as u64, columns.len() as u64];
    Values::new(picked.dtype().clone(), shape, taken, Vec::new())
}
