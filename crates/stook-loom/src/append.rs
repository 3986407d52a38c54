//! Rows and columns added to a loom.

use std::collections::BTreeMap;

use stook::{Array, Error, NodePath, Result, Values};

use crate::attribute_value::{is_text, normalized};
use crate::attributes::{self, AttributeMap};
use crate::axis::Axis;
use crate::change::{Change, attribute_path};
use crate::items;
use crate::layer;
use crate::layout;
use crate::loom::{Loom, check_layer};
use crate::picked::Picked;
use crate::source::MatrixSource;
use crate::state::State;

/// What attributes get whose values are not given.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Fill {
    /// Nothing: an attribute that only one side has goes.
    #[default]
    None,
    /// Zeros and empty text.
    Auto,
    /// These values, one for each attribute.
    Values(BTreeMap<String, Values>),
}

impl Fill {
    /// The fill value of an attribute, of which there are `like`.
    fn of(&self, name: &str, like: &Values) -> Result<Option<Values>> {
        match self {
            Self::None => Ok(None),
            Self::Auto if is_text(like.dtype()) => Ok(Some(Values::text(""))),
            Self::Auto => Values::zeroed(like.dtype().clone(), Vec::new()).map(Some),
            Self::Values(values) => match values.get(name) {
                Some(value) => normalized(value).map(Some),
                None => {
                    let message = format!("there is no fill value for the attribute `{name}`");
                    Err(Error::invalid(message))
                }
            },
        }
    }
}

/// Rows or columns to be added.
#[derive(Clone, Debug, Default)]
pub struct Addition<'a> {
    pub(crate) layers: Vec<(String, &'a dyn MatrixSource)>,
    pub(crate) attributes: AttributeMap,
    pub(crate) other_attributes: AttributeMap,
    pub(crate) fill: Fill,
}

impl<'a> Addition<'a> {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds to a layer; the main matrix has the empty name.
    #[must_use]
    pub fn layer(mut self, name: &str, source: &'a dyn MatrixSource) -> Self {
        self.layers.push((name.to_owned(), source));
        self
    }

    /// Adds values of an attribute of the axis that grows.
    #[must_use]
    pub fn attribute(mut self, name: &str, values: Values) -> Self {
        self.attributes.insert(name.to_owned(), values);
        self
    }

    /// Adds values of attributes of the axis that grows.
    #[must_use]
    pub fn attributes(mut self, attributes: AttributeMap) -> Self {
        self.attributes.extend(attributes);
        self
    }

    /// The attributes of the other axis, which only an empty loom needs: a loom that is not empty
    /// has them.
    #[must_use]
    pub fn other_attributes(mut self, attributes: AttributeMap) -> Self {
        self.other_attributes.extend(attributes);
        self
    }

    /// What attributes get whose values are not given. Layers that are not given are an error
    /// unless there is a fill; they get zeros then.
    #[must_use]
    pub fn fill(mut self, fill: Fill) -> Self {
        self.fill = fill;
        self
    }
}

/// What became of attributes that only one side had, and there was no fill value for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Attributes of the loom that are gone.
    pub removed: Vec<String>,
    /// Attributes of what was added that were left out.
    pub left_out: Vec<String>,
}

impl Loom {
    /// Adds rows or columns. Attributes are joined, and widened where their types differ; those
    /// that only one side has get fill values, or go.
    ///
    /// # Errors
    /// `InvalidInput` naming the layer or attribute that does not fit or has a value that the
    /// loom's has no room for, `ReadOnly`, `Corrupt`, `Io`. Nothing is changed then.
    pub fn add(&self, axis: Axis, addition: Addition<'_>) -> Result<Added> {
        let budget = self.options().budget_len_bytes;
        self.change(|change| add(change, axis, addition, budget))
    }
}

/// Adds rows or columns.
pub(crate) fn add(
    change: &mut Change<'_>,
    axis: Axis,
    addition: Addition<'_>,
    budget: usize,
) -> Result<Added> {
    let added = expect_fitting(change, axis, &addition)?;
    if !layer::exists(change, "")? {
        return begin(change, axis, addition, added);
    }
    let (joined, left) = join_attributes(change.state(), axis, &addition, added)?;
    for (name, values) in &joined {
        attributes::put(change, axis, name, values)?;
    }
    for name in &left.removed {
        let path = attribute_path(axis, name)?;
        change.remove(&path);
        change.touch(&path);
    }
    let shape = change.shape();
    let new_shape = axis.with(shape, axis.of(shape) + added);
    let at = axis.with([0, 0], axis.of(shape));
    for name in change.state().layer_names()? {
        let source = addition.layers.iter().find(|(given, _)| *given == name);
        let old = change.state().layer(&name)?;
        let array = grow(change, &old, new_shape, budget)?;
        if let Some((_, source)) = source {
            source.store(&array, at).map_err(|error| error.within(format!("layer `{name}`")))?;
        }
        change.touch(old.path());
    }
    change.set_shape(new_shape);
    Ok(left)
}

/// How many rows or columns are added; what is given fits the loom, and each other.
fn expect_fitting(change: &Change<'_>, axis: Axis, addition: &Addition<'_>) -> Result<u64> {
    let mut added = None;
    let is_empty = !layer::exists(change, "")?;
    let other = axis.other();
    let mut across = (!is_empty).then_some(other.of(change.shape()));
    for (name, source) in &addition.layers {
        check_layer(name, &source.dtype())?;
        if !is_empty && !layer::exists(change, name)? {
            return Err(Error::not_found(format!("there is no layer `{name}`")));
        }
        let found = source.shape();
        let expected = axis.with([other.of(found); 2], *added.get_or_insert(axis.of(found)));
        let expected = other.with(expected, *across.get_or_insert(other.of(found)));
        crate::loom::expect_shape(name, expected, found)?;
    }
    let Some(added) = added.filter(|_| addition.layers.iter().any(|(name, _)| name.is_empty()))
    else {
        let word = axis.word();
        return Err(Error::invalid(format!(
            "{word}s are added to the main matrix, which is not given: the layer without a name"
        )));
    };
    if is_empty {
        return Ok(added);
    }
    for name in change.state().layer_names()? {
        let is_given = addition.layers.iter().any(|(given, _)| *given == name);
        if !is_given && addition.fill == Fill::None {
            return Err(Error::invalid(format!("layer `{name}` is not given")));
        }
    }
    Ok(added)
}

/// The attributes of `axis` as they will be, and those that go.
fn join_attributes(
    state: &State,
    axis: Axis,
    addition: &Addition<'_>,
    added: u64,
) -> Result<(AttributeMap, Added)> {
    let (mut joined, mut left) = (AttributeMap::new(), Added::default());
    let word = axis.word();
    let filled = |name: &str, like: &Values, len: u64| -> Result<Option<Values>> {
        let fill = addition.fill.of(name, like)?;
        fill.map(|fill| repeat_like(&fill, like, len)).transpose()
    };
    let mut existing = attributes::all(state, axis)?;
    for old in existing.values_mut() {
        // What other writers have in their own way becomes what this one writes.
        if let Ok(normal) = normalized(old) {
            *old = normal;
        }
    }
    for (name, old) in &existing {
        let within = |error: Error| error.within(format!("{word} attribute `{name}`"));
        let new = match addition.attributes.get(name) {
            Some(new) => Some(attributes::check(axis, name, new, Some(added))?),
            None => filled(name, old, added).map_err(within)?,
        };
        match new {
            Some(new) => {
                joined.insert(name.clone(), items::join(old, &new).map_err(within)?);
            }
            None => left.removed.push(name.clone()),
        }
    }
    for (name, new) in &addition.attributes {
        if existing.contains_key(name) {
            continue;
        }
        let within = |error: Error| error.within(format!("{word} attribute `{name}`"));
        let new = attributes::check(axis, name, new, Some(added))?;
        match filled(name, &new, state.len(axis)).map_err(within)? {
            Some(old) => {
                joined.insert(name.clone(), items::join(&old, &new).map_err(within)?);
            }
            None => left.left_out.push(name.clone()),
        }
    }
    Ok((joined, left))
}

/// `fill` as often as an attribute has items that is `like` this one and `len` long.
fn repeat_like(fill: &Values, like: &Values, len: u64) -> Result<Values> {
    let mut shape = like.shape().to_vec();
    if let Some(first) = shape.first_mut() {
        *first = len;
    }
    let n = shape.iter().try_fold(1_u64, |n, &len| n.checked_mul(len));
    let n = n.ok_or_else(|| Error::limit("the shape overflows"))?;
    items::repeated(fill, n)?.reshaped(shape)
}

/// A layer in its new shape: where it is, or copied to where it will be.
fn grow(change: &mut Change<'_>, old: &Array, shape: [u64; 2], budget: usize) -> Result<Array> {
    let spec = old.spec();
    let is_within = |max: &[Option<u64>]| {
        max.iter().zip(shape).all(|(max, len)| max.is_none_or(|max| len <= max))
    };
    if !spec.contiguous && spec.max_shape.as_deref().is_none_or(is_within) {
        change.resize(old, &shape)?;
        return Ok(old.clone());
    }
    copied(change, old, shape, budget)
}

/// A copy of a layer in its new shape, which takes its place.
pub(crate) fn copied(
    change: &mut Change<'_>,
    old: &Array,
    shape: [u64; 2],
    budget: usize,
) -> Result<Array> {
    let place = change.place(old.path())?;
    let array = layout::make_layer(change.file(), &place, old.dtype(), shape)?;
    Picked::all(old.clone(), budget)?.store(&array, [0, 0])?;
    Ok(array)
}

/// The first rows or columns of an empty loom.
fn begin(change: &mut Change<'_>, axis: Axis, addition: Addition<'_>, added: u64) -> Result<Added> {
    let shape = addition.layers.first().map_or([0, 0], |(_, source)| source.shape());
    let other = axis.other();
    let mut checked = Vec::new();
    for (name, values) in &addition.attributes {
        checked.push((axis, name, attributes::check(axis, name, values, Some(added))?));
    }
    for (name, values) in &addition.other_attributes {
        let len = Some(other.of(shape));
        checked.push((other, name, attributes::check(other, name, values, len)?));
    }
    for axis in Axis::BOTH {
        for (name, values) in attributes::all(change.state(), axis)? {
            let is_replaced = checked.iter().any(|(a, given, _)| *a == axis && **given == name);
            if !is_replaced {
                attributes::check(axis, &name, &values, Some(axis.of(shape)))?;
            }
        }
        change.require_group(&NodePath::parse(axis.attributes())?)?;
    }
    for (axis, name, values) in &checked {
        attributes::put(change, *axis, name, values)?;
    }
    for (name, source) in &addition.layers {
        let path = State::layer_path(name)?;
        let place = change.place(&path)?;
        let array = layout::make_layer(change.file(), &place, source.dtype(), shape)?;
        source.store(&array, [0, 0])?;
        change.touch(&path);
    }
    change.set_shape(shape);
    Ok(Added::default())
}
