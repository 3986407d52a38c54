//! Rows and columns put into another order, kept and deleted, in place and into a new loom.

use std::path::Path;

use stook::{AxisSelection, Error, NodePath, Result};

use crate::attributes;
use crate::axis::Axis;
use crate::change::Change;
use crate::create::LoomBuilder;
use crate::graph;
use crate::items;
use crate::layer::positions;
use crate::layout;
use crate::loom::Loom;
use crate::picked::{Picked, Picks};
use crate::source::MatrixSource;
use crate::state::State;

/// Pictures of the matrix at several scales, which old versions had: they show another order.
const TILES: &str = "/tiles";

impl Loom {
    /// Puts rows or columns into another order: `order` has as many positions as the axis is long.
    ///
    /// # Errors
    /// `InvalidInput` for another length or a position out of bounds, `ReadOnly`, `Io`.
    pub fn permute(&self, axis: Axis, order: &[u64]) -> Result<()> {
        let budget = self.options().budget_len_bytes;
        self.change(|change| {
            expect_len(axis, axis.of(change.shape()), order.len())?;
            pick(change, along(axis, order), budget)
        })
    }

    /// Keeps the rows or columns that `kept` selects, in its order, and deletes all others.
    ///
    /// # Errors
    /// `InvalidInput` for a selection that does not fit, `ReadOnly`, `Io`.
    pub fn keep(&self, axis: Axis, kept: &AxisSelection) -> Result<()> {
        let budget = self.options().budget_len_bytes;
        self.change(|change| {
            let kept = positions(kept, axis.of(change.shape()))?;
            pick(change, along(axis, &kept), budget)
        })
    }

    /// Keeps the rows and the columns that are selected, in their order, and deletes all others: one
    /// change of both.
    ///
    /// # Errors
    /// As [`Loom::keep`].
    pub fn keep_both(&self, [rows, columns]: [&AxisSelection; 2]) -> Result<()> {
        let budget = self.options().budget_len_bytes;
        self.change(|change| {
            let [n_rows, n_columns] = change.shape();
            let (rows, columns) = (positions(rows, n_rows)?, positions(columns, n_columns)?);
            pick(change, [Some(&rows), Some(&columns)], budget)
        })
    }

    /// Deletes the rows or columns that `deleted` selects.
    ///
    /// # Errors
    /// As [`Loom::keep`].
    pub fn delete(&self, axis: Axis, deleted: &AxisSelection) -> Result<()> {
        let budget = self.options().budget_len_bytes;
        self.change(|change| {
            let len = axis.of(change.shape());
            let deleted = positions(deleted, len)?;
            let gone: std::collections::HashSet<u64> = deleted.into_iter().collect();
            let kept: Vec<u64> = (0..len).filter(|at| !gone.contains(at)).collect();
            pick(change, along(axis, &kept), budget)
        })
    }

    /// Makes a new loom of the rows and columns that are selected, in their order, with all
    /// layers, attributes and graphs. `prepare` gets the builder of the new loom before it is
    /// made: to say its format, whether it replaces another, and attributes of the file.
    ///
    /// # Errors
    /// `InvalidInput` for a selection that does not fit; those of [`LoomBuilder::create`].
    pub fn subset(
        &self,
        path: impl AsRef<Path>,
        [rows, columns]: [&AxisSelection; 2],
        prepare: impl FnOnce(LoomBuilder<'_>) -> LoomBuilder<'_>,
    ) -> Result<Self> {
        let budget = self.options().budget_len_bytes;
        // The loom is read block by block; it must not change meanwhile.
        self.read(|state| {
            let picks = [(rows, Axis::Rows), (columns, Axis::Columns)]
                .map(|(selection, axis)| picks_of(selection, state.len(axis)));
            let [rows, columns] = picks;
            let picks = [rows?, columns?];
            let mut sources = Vec::new();
            for name in state.layer_names()? {
                let source = Picked::new(state.layer(&name)?, picks.clone(), budget)?;
                sources.push((name, source));
            }
            let mut builder = Self::builder(path).options(self.options().clone());
            for (name, source) in &sources {
                builder = builder.layer(name, source);
            }
            builder = with_parts(builder, state, &picks)?;
            prepare(builder).create()
        })
    }
}

fn picks_of(selection: &AxisSelection, len: u64) -> Result<Picks> {
    if *selection == AxisSelection::ALL {
        return Ok(Picks::All(len));
    }
    positions(selection, len).map(Picks::List)
}

/// Everything but the layers.
fn with_parts<'a>(
    mut builder: LoomBuilder<'a>,
    state: &State,
    [rows, columns]: &[Picks; 2],
) -> Result<LoomBuilder<'a>> {
    for axis in Axis::BOTH {
        let picked = axis.of([rows, columns]).positions();
        for (name, values) in attributes::all(state, axis)? {
            let taken = items::take(&values, &picked)?;
            builder = builder.attribute(axis, &name, taken);
        }
        for (name, graph) in graph::all(state, axis)? {
            builder = builder.graph(axis, &name, graph.select(&picked)?);
        }
    }
    Ok(builder.file_attributes(attributes::all_of_file(state)?))
}

/// Refuses an order of another length than the axis.
///
/// # Errors
/// `InvalidInput`.
pub(crate) fn expect_len(axis: Axis, expected: u64, found: usize) -> Result<()> {
    if expected == found as u64 {
        return Ok(());
    }
    let word = axis.word();
    Err(Error::invalid(format!(
        "an order of {word}s: expected {expected} positions, found {found}"
    )))
}

/// What is picked along one axis.
fn along(axis: Axis, picked: &[u64]) -> [Option<&[u64]>; 2] {
    axis.with([None; 2], Some(picked))
}

/// Replaces everything along each axis with picks by what is there.
fn pick(change: &mut Change<'_>, picked: [Option<&[u64]>; 2], budget: usize) -> Result<()> {
    let shape = change.shape();
    let mut new_shape = shape;
    let picks = [Axis::Rows, Axis::Columns].map(|axis| match axis.of(picked) {
        Some(list) => Picks::List(list.to_vec()),
        None => Picks::All(axis.of(shape)),
    });
    for axis in Axis::BOTH {
        let (Some(list), len) = (axis.of(picked), axis.of(shape)) else { continue };
        if let Some(at) = list.iter().find(|&&at| at >= len) {
            let word = axis.word();
            return Err(Error::invalid(format!("{word} {at} is out of bounds for {len} {word}s")));
        }
        new_shape = axis.with(new_shape, list.len() as u64);
    }
    // What is small first: it may be found to be damaged before the layers are copied.
    for axis in Axis::BOTH {
        if let Some(list) = axis.of(picked) {
            pick_of_axis(change, axis, list)?;
        }
    }
    for name in change.state().layer_names()? {
        let old = change.state().layer(&name)?;
        let path = old.path().clone();
        let source = Picked::new(old, picks.clone(), budget)?;
        let place = change.place(&path)?;
        let array = layout::make_layer(change.file(), &place, source.dtype(), new_shape)?;
        source.store(&array, [0, 0])?;
        change.touch(&path);
    }
    let tiles = NodePath::parse(TILES)?;
    if change.file().container().kind(&tiles)?.is_some() {
        change.remove(&tiles);
    }
    change.set_shape(new_shape);
    Ok(())
}

/// Replaces the attributes and graphs of an axis by what is at `picked`.
fn pick_of_axis(change: &mut Change<'_>, axis: Axis, picked: &[u64]) -> Result<()> {
    for (name, values) in attributes::all(change.state(), axis)? {
        let taken = items::take(&values, picked)
            .map_err(|error| error.within(format!("{} attribute `{name}`", axis.word())))?;
        attributes::put(change, axis, &name, &taken)?;
    }
    for (name, graph) in graph::all(change.state(), axis)? {
        graph::put(change, axis, &name, &graph.select(picked)?)?;
    }
    Ok(())
}
