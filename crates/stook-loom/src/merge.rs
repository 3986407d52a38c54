//! Looms joined along their columns.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

use stook::{AxisSelection, Error, InTheWay, Result, Values};
use stook_core::file::place::{draft_of, kind_of, publish, remove};

use crate::append::{self, Added, Addition, Fill};
use crate::attributes::{self, AttributeMap};
use crate::axis::Axis;
use crate::change::{Change, named};
use crate::create::LoomBuilder;
use crate::graph::{self, GraphMap};
use crate::items;
use crate::loom::{Loom, LoomOptions};
use crate::picked::{Picked, Picks};
use crate::source::MatrixSource;
use crate::state::{ATTRS, State};
use crate::version;

/// Attributes of the file that are about the file, and not about what is in it.
const ABOUT_FILE: [&str; 2] = [version::NAME, "CreationDate"];

/// How the columns of another loom are added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddLoom {
    /// The attribute of rows by which the rows of the other loom are put into the order of this
    /// one; without it they are taken as they come.
    pub key: Option<String>,
    /// What attributes get that only one of them has. With it, layers that the other does not have
    /// are zeros.
    pub fill: Fill,
    /// Whether attributes of the files that differ become attributes of columns.
    pub convert_attributes: bool,
    /// Whether graphs of columns that both have are joined.
    pub include_graphs: bool,
}

/// How looms are combined into one.
#[derive(Clone, Debug)]
pub struct Combine {
    /// How each but the first is added.
    pub add: AddLoom,
    /// Attributes of the new file, besides those of the first.
    pub file_attributes: AttributeMap,
    /// What becomes of something in the way of the new file.
    pub in_the_way: InTheWay,
    /// The budget and durability of the new loom.
    pub options: LoomOptions,
}

impl Default for Combine {
    fn default() -> Self {
        Self {
            add: AddLoom::default(),
            file_attributes: AttributeMap::new(),
            in_the_way: InTheWay::Stays,
            options: LoomOptions::read_write(),
        }
    }
}

impl Combine {
    /// The first of the looms, as the new one begins.
    fn prepare<'a>(&self, first: LoomBuilder<'a>) -> LoomBuilder<'a> {
        let first =
            first.file_attributes(self.file_attributes.clone()).options(self.options.clone());
        // What is in the way of a file goes later, behind a URL it goes now.
        if self.in_the_way == InTheWay::Goes { first.replace() } else { first }
    }
}

/// A loom to be combined, and which of its columns.
#[derive(Clone, Debug)]
pub struct Part {
    /// The loom.
    pub path: PathBuf,
    /// Its columns.
    pub columns: AxisSelection,
}

impl Loom {
    /// Adds the columns of `other`: their attributes, and the layers that this loom has. Layers
    /// that only the other has are left out.
    ///
    /// # Errors
    /// `InvalidInput` where rows do not match one to one, or what [`Loom::add`] gives;
    /// `NotFound` where one of them lacks the key. Nothing is changed then.
    pub fn add_loom(&self, other: &Self, how: &AddLoom) -> Result<Added> {
        let budget = self.options().budget_len_bytes;
        // Read first, so that a loom may be added to itself.
        let incoming = other.read(|other| Incoming::of(other, how))?;
        self.change(|change| incoming.add_to(change, how, budget))
    }
}

/// What another loom brings.
struct Incoming {
    path: PathBuf,
    shape: [u64; 2],
    layers: BTreeMap<String, stook::Array>,
    columns: AttributeMap,
    graphs: GraphMap,
    file_attributes: AttributeMap,
    key: Option<Values>,
    /// Which columns are taken.
    picks: Picks,
}

impl Incoming {
    fn of(other: &State, how: &AddLoom) -> Result<Self> {
        let layers = other.layer_names()?.into_iter();
        let layers = layers.map(|name| Ok((name.clone(), other.layer(&name)?)));
        let key = how.key.as_deref().map(|key| other.attribute(Axis::Rows, key)).transpose()?;
        let graphs =
            if how.include_graphs { graph::all(other, Axis::Columns)? } else { GraphMap::new() };
        Ok(Self {
            path: other.file.path().to_path_buf(),
            shape: other.shape,
            layers: layers.collect::<Result<_>>()?,
            columns: attributes::all(other, Axis::Columns)?,
            graphs,
            file_attributes: attributes::all_of_file(other)?,
            key,
            picks: Picks::All(other.shape[1]),
        })
    }

    fn add_to(mut self, change: &mut Change<'_>, how: &AddLoom, budget: usize) -> Result<Added> {
        let [n_rows, n_before] = change.shape();
        let (other_rows, n_added) = (self.shape[0], self.picks.len());
        let from = self.path.display().to_string();
        if n_rows != other_rows {
            return Err(Error::invalid(format!(
                "expected {n_rows} rows as in this loom, found {other_rows} in `{from}`"
            )));
        }
        let rows = match (&how.key, &self.key) {
            (Some(key), Some(theirs)) => {
                let ours = change.state().attribute(Axis::Rows, key)?;
                let order = aligned(&ours, theirs)
                    .map_err(|error| error.within(format!("key `{key}` of `{from}`")))?;
                Picks::List(order)
            }
            _ => Picks::All(n_rows),
        };
        if how.convert_attributes {
            self.convert_attributes(change, n_before)?;
        }
        let names = change.state().layer_names()?;
        let mut sources = Vec::new();
        for (name, array) in std::mem::take(&mut self.layers) {
            if names.contains(&name) {
                let picks = [rows.clone(), self.picks.clone()];
                sources.push((name, Picked::new(array, picks, budget)?));
            }
        }
        let mut addition =
            Addition::new().attributes(std::mem::take(&mut self.columns)).fill(how.fill.clone());
        for (name, source) in &sources {
            addition = addition.layer(name, source as &dyn MatrixSource);
        }
        let old_graphs = graph::all(change.state(), Axis::Columns)?;
        let added = append::add(change, Axis::Columns, addition, budget)?;
        for (name, graph) in &self.graphs {
            let Some(old) = old_graphs.get(name) else { continue };
            let joined = old.joined(&graph.shifted(n_before, n_before + n_added)?)?;
            graph::put(change, Axis::Columns, name, &joined)?;
        }
        Ok(added)
    }

    /// Makes attributes of the files that differ attributes of columns, on both sides.
    fn convert_attributes(&mut self, change: &mut Change<'_>, n_before: u64) -> Result<()> {
        let ours = attributes::all_of_file(change.state())?;
        let names: std::collections::BTreeSet<&String> =
            ours.keys().chain(self.file_attributes.keys()).collect();
        for name in names {
            let (old, new) = (ours.get(name), self.file_attributes.get(name));
            if ABOUT_FILE.contains(&name.as_str()) || old == new {
                continue;
            }
            let n_added = self.picks.len();
            if let Some(new) = new {
                self.columns.insert(name.clone(), for_each(new, n_added)?);
            }
            if let Some(old) = old {
                let values = for_each(old, n_before)?;
                let values = attributes::check(Axis::Columns, name, &values, Some(n_before))?;
                attributes::put(change, Axis::Columns, name, &values)?;
                remove_from_file(change, name)?;
            }
        }
        Ok(())
    }
}

fn remove_from_file(change: &mut Change<'_>, name: &str) -> Result<()> {
    if change.state().version.is_v3() {
        change.remove(&named(ATTRS, name)?);
        return Ok(());
    }
    let edits = stook::AttributeEdits::new().remove(name);
    change.file().container().edit_attributes(&stook::NodePath::root(), &edits)
}

/// `value` once for each of `len` columns.
fn for_each(value: &Values, len: u64) -> Result<Values> {
    let mut shape = vec![1];
    shape.extend_from_slice(value.shape());
    let one = value.clone().reshaped(shape)?;
    let n = usize::try_from(len).map_err(|_| Error::limit("too many columns"))?;
    items::take(&one, &vec![0; n])
}

/// What a row is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Number(i128),
    Text(String),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

fn keys(values: &Values) -> Result<Vec<Key>> {
    if values.shape().len() != 1 {
        let shape = values.shape();
        return Err(Error::invalid(format!("expected one value for each row, found {shape:?}")));
    }
    if crate::attribute_value::is_text(values.dtype()) {
        return (0..values.len()).map(|at| values.text_at(at).map(Key::Text)).collect();
    }
    Ok(items::integers(values)?.into_iter().map(Key::Number).collect())
}

/// Where in `theirs` each key of `ours` is.
fn aligned(ours: &Values, theirs: &Values) -> Result<Vec<u64>> {
    let mut places = HashMap::new();
    for (at, key) in keys(theirs)?.into_iter().enumerate() {
        if let Some(first) = places.insert(key, at as u64) {
            return Err(Error::invalid(format!(
                "the keys do not match one to one: that of row {first} is that of row {at}, too"
            )));
        }
    }
    let mut is_taken = vec![false; places.len()];
    let ours = keys(ours)?.into_iter().enumerate();
    ours.map(|(row, key)| {
        let found = places
            .get(&key)
            .copied()
            .ok_or_else(|| Error::invalid(format!("no row has the key `{key}` of row {row}")))?;
        let taken = usize::try_from(found).ok().and_then(|at| is_taken.get_mut(at));
        if taken.is_some_and(|taken| std::mem::replace(taken, true)) {
            return Err(Error::invalid(format!(
                "the keys do not match one to one: row {row} has the key of a row before it"
            )));
        }
        Ok(found)
    })
    .collect()
}

/// Makes a loom at `path` of the columns of all of `looms`, in their order. Rows are those of the
/// first.
///
/// # Errors
/// `InvalidInput` where there is none, and those of [`Loom::add_loom`] and
/// [`LoomBuilder::create`]. Nothing is left behind, but for parts behind a URL.
pub fn combine(looms: &[PathBuf], path: impl AsRef<Path>, how: &Combine) -> Result<Loom> {
    let parts = looms.iter().map(|path| Part { path: path.clone(), columns: AxisSelection::ALL });
    let parts: Vec<Part> = parts.collect();
    make(path.as_ref(), how, |draft| {
        let (first, rest) = split(&parts)?;
        let all = AxisSelection::ALL;
        let made =
            Loom::open(&first.path)?.subset(draft, [&all, &all], |first| how.prepare(first))?;
        for part in rest {
            made.add_loom(&Loom::open(&part.path)?, &how.add)?;
        }
        Ok(made)
    })
}

/// Makes a loom at `path` of the picked columns of `parts`, with the rows of each sorted by the
/// key, which must be the same in all; attributes of columns called one of `skipped` are left out.
///
/// # Errors
/// As [`combine`].
pub fn combine_faster(
    parts: &[Part],
    path: impl AsRef<Path>,
    skipped: &[String],
    how: &Combine,
) -> Result<Loom> {
    make(path.as_ref(), how, |draft| {
        let (first, rest) = split(parts)?;
        let source = Loom::open(&first.path)?;
        let rows = match &how.add.key {
            Some(key) => {
                let keys = keys(&source.attributes(Axis::Rows).get(key)?)?;
                let mut order: Vec<u64> = (0..keys.len() as u64).collect();
                order.sort_by_key(|&at| keys.get(usize::try_from(at).unwrap_or(usize::MAX)));
                crate::picked::list(&order)
            }
            None => AxisSelection::ALL,
        };
        let made = source.subset(draft, [&rows, &first.columns], |builder| {
            let builder = builder.without_attributes(Axis::Columns, skipped);
            how.prepare(builder)
        })?;
        for part in rest {
            let other = Loom::open(&part.path)?;
            let budget = how.options.budget_len_bytes;
            let incoming = other.read(|state| {
                let mut incoming = Incoming::of(state, &how.add)?;
                incoming.columns.retain(|name, _| !skipped.contains(name));
                incoming.picked(&part.columns)
            })?;
            made.change(|change| incoming.add_to(change, &how.add, budget))?;
        }
        Ok(made)
    })
}

impl Incoming {
    /// The same with some of its columns.
    fn picked(mut self, columns: &AxisSelection) -> Result<Self> {
        if *columns == AxisSelection::ALL {
            return Ok(self);
        }
        let picked = crate::layer::positions(columns, self.shape[1])?;
        for values in self.columns.values_mut() {
            *values = items::take(values, &picked)?;
        }
        for graph in self.graphs.values_mut() {
            *graph = graph.select(&picked)?;
        }
        self.picks = Picks::List(picked);
        Ok(self)
    }
}

fn split(parts: &[Part]) -> Result<(&Part, &[Part])> {
    parts.split_first().ok_or_else(|| Error::invalid("there are no looms to combine"))
}

/// Makes a loom beside `path`, and puts it there once it is whole.
fn make(path: &Path, how: &Combine, make: impl FnOnce(&Path) -> Result<Loom>) -> Result<Loom> {
    if path.to_str().is_some_and(stook::is_url) {
        return make(path);
    }
    if how.in_the_way == InTheWay::Stays && kind_of(path)?.is_some() {
        return Err(Error::already_exists("the target exists already").at_file(path));
    }
    let draft = draft_of(path);
    let made = make(&draft).and_then(|loom| {
        loom.close()?;
        publish(&draft, path, how.in_the_way)
    });
    if let Err(error) = made {
        // The first error is the one to tell.
        let _ = remove(&draft);
        let is_draft = error.location().file.as_deref() == Some(&*draft);
        return Err(if is_draft { error.rename_file(path) } else { error });
    }
    Loom::open_with(path, &LoomOptions { mode: stook::Mode::ReadWrite, ..how.options.clone() })
}
