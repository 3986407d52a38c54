//! The attributes of rows, of columns, and of the file.

use std::collections::BTreeMap;

use stook::{
    AttributeEdits, AttributeValue, DType, Error, NodeKind, NodePath, Result, Selection, Values,
};

use crate::attribute_value::{self, normalized, values_of};
use crate::axis::Axis;
use crate::change::{Change, attribute_path, named};
use crate::layout;
use crate::loom::Loom;
use crate::stamp;
use crate::state::{ATTRS, State};
use crate::version;

/// Attributes by their names, which are sorted. Text is of any length; the other types are
/// numbers.
pub type AttributeMap = BTreeMap<String, Values>;

/// The attributes of an axis, as in a table: each has a value, which may be an array itself, for
/// each row or column. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AxisAttributes {
    loom: Loom,
    axis: Axis,
}

impl AxisAttributes {
    pub(crate) fn new(loom: Loom, axis: Axis) -> Self {
        Self { loom, axis }
    }

    /// The axis.
    #[must_use]
    pub fn axis(&self) -> Axis {
        self.axis
    }

    /// The loom that they are of.
    #[must_use]
    pub fn loom(&self) -> &Loom {
        &self.loom
    }

    /// Their names, sorted.
    ///
    /// # Errors
    /// `InvalidInput` once the loom is closed, `Corrupt`, `Io`.
    pub fn names(&self) -> Result<Vec<String>> {
        self.loom.read(|state| state.attribute_names(self.axis))
    }

    /// Whether there is one called `name`.
    ///
    /// # Errors
    /// As [`AxisAttributes::names`].
    pub fn contains(&self, name: &str) -> Result<bool> {
        let Ok(path) = attribute_path(self.axis, name) else { return Ok(false) };
        self.loom.read(|state| Ok(state.file.container().kind(&path)? == Some(NodeKind::Array)))
    }

    /// The values of one: as many as the axis is long, along the first axis.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, `Io`.
    pub fn get(&self, name: &str) -> Result<Values> {
        self.loom.read(|state| state.attribute(self.axis, name))
    }

    /// The type and shape of one, without its values.
    ///
    /// # Errors
    /// As [`AxisAttributes::get`].
    pub fn kind(&self, name: &str) -> Result<(DType, Vec<u64>)> {
        let path = attribute_path(self.axis, name)?;
        self.loom.read(|state| {
            let array = state.array(&path, &missing(self.axis, name))?;
            let dtype = array.dtype();
            let dtype = if attribute_value::is_text(&dtype) { DType::string() } else { dtype };
            Ok((dtype, array.shape()))
        })
    }

    /// All of them.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    pub fn all(&self) -> Result<AttributeMap> {
        self.loom.read(|state| all(state, self.axis))
    }

    /// Sets one.
    ///
    /// # Errors
    /// `InvalidInput` for a length that is not the axis's, for text with NUL characters, and for
    /// types that no loom has; `ReadOnly`, `Io`.
    pub fn set(&self, name: &str, values: &Values) -> Result<()> {
        self.set_all([(name, values)])
    }

    /// Sets several, all or none.
    ///
    /// # Errors
    /// As [`AxisAttributes::set`].
    pub fn set_all<'a>(
        &self,
        attributes: impl IntoIterator<Item = (&'a str, &'a Values)>,
    ) -> Result<()> {
        self.loom.change(|change| {
            let len = self.axis.of(change.shape());
            let mut checked = Vec::new();
            for (name, values) in attributes {
                // In a loom without a matrix any length will do.
                let len = (change.shape() != [0, 0]).then_some(len);
                checked.push((name, check(self.axis, name, values, len)?));
            }
            checked.iter().try_for_each(|(name, values)| put(change, self.axis, name, values))
        })
    }

    /// Removes one.
    ///
    /// # Errors
    /// `NotFound`, `ReadOnly`, `Io`.
    pub fn remove(&self, name: &str) -> Result<()> {
        self.loom.change(|change| {
            let path = attribute_path(self.axis, name)?;
            change.state().array(&path, &missing(self.axis, name))?;
            change.remove(&path);
            change.touch(&path);
            Ok(())
        })
    }
}

fn missing(axis: Axis, name: &str) -> String {
    format!("there is no {} attribute `{name}`", axis.word())
}

/// All attributes of `axis`.
pub(crate) fn all(state: &State, axis: Axis) -> Result<AttributeMap> {
    let names = state.attribute_names(axis)?.into_iter();
    names.map(|name| Ok((name.clone(), state.attribute(axis, &name)?))).collect()
}

/// An attribute of `axis` as it is given, in its normal form; `len` is how long it must be.
///
/// # Errors
/// `InvalidInput` naming the attribute.
pub(crate) fn check(axis: Axis, name: &str, values: &Values, len: Option<u64>) -> Result<Values> {
    let word = axis.word();
    let within = |error: Error| error.within(format!("{word} attribute `{name}`"));
    attribute_path(axis, name).map_err(within)?;
    let values = normalized(values).map_err(within)?;
    // One row of a matrix is what numpy and R give for a column of it.
    let values = match (values.shape(), len) {
        (&[1, n], Some(len)) if n == len && len != 1 => values.reshaped(vec![n])?,
        _ => values,
    };
    match (values.shape().first(), len) {
        (Some(found), Some(len)) if *found != len => Err(within(Error::invalid(format!(
            "expected {len} values, one for each {word}, found {found}"
        )))),
        (None, _) => Err(within(Error::invalid(format!(
            "expected values for each {word}, found a single one"
        )))),
        _ => Ok(values),
    }
}

/// Stores an attribute that was checked.
pub(crate) fn put(change: &mut Change<'_>, axis: Axis, name: &str, values: &Values) -> Result<()> {
    let path = attribute_path(axis, name)?;
    let stored = attribute_value::stored(values, change.state().version)?;
    let place = change.place(&path)?;
    layout::make_attribute(change.file(), &place, &stored)?;
    change.touch(&path);
    Ok(())
}

/// The attributes of the file. Cheap to clone.
#[derive(Clone, Debug)]
pub struct FileAttributes {
    loom: Loom,
}

impl FileAttributes {
    pub(crate) fn new(loom: Loom) -> Self {
        Self { loom }
    }

    /// Their names, sorted.
    ///
    /// # Errors
    /// `InvalidInput` once the loom is closed, `Corrupt`, `Io`.
    pub fn names(&self) -> Result<Vec<String>> {
        self.loom.read(file_attribute_names)
    }

    /// Whether there is one called `name`.
    ///
    /// # Errors
    /// As [`FileAttributes::names`].
    pub fn contains(&self, name: &str) -> Result<bool> {
        Ok(self.names()?.iter().any(|known| known == name))
    }

    /// The value of one: a scalar or an array, of text or numbers.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, `Io`.
    pub fn get(&self, name: &str) -> Result<Values> {
        self.loom.read(|state| file_attribute(state, name))
    }

    /// All of them.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    pub fn all(&self) -> Result<AttributeMap> {
        self.loom.read(all_of_file)
    }

    /// Sets one.
    ///
    /// # Errors
    /// `InvalidInput` for text with NUL characters and types that no loom has, `Unsupported` where
    /// it is too large for a file of a version before 3, `ReadOnly`, `Io`.
    pub fn set(&self, name: &str, values: &Values) -> Result<()> {
        let values = normalized(values).map_err(|error| within_file(name, error))?;
        self.loom.change(|change| put_in_file(change, name, &values))
    }

    /// Removes one.
    ///
    /// # Errors
    /// `NotFound`, `ReadOnly`, `Io`.
    pub fn remove(&self, name: &str) -> Result<()> {
        self.loom.change(|change| {
            if !file_attribute_names(change.state())?.iter().any(|known| known == name) {
                return Err(no_file_attribute(name));
            }
            if change.state().version.is_v3() {
                change.remove(&named(ATTRS, name)?);
            } else {
                let edits = AttributeEdits::new().remove(name);
                change.file().container().edit_attributes(&NodePath::root(), &edits)?;
            }
            change.touch(&NodePath::root());
            Ok(())
        })
    }
}

fn within_file(name: &str, error: Error) -> Error {
    error.within(format!("attribute `{name}` of the file"))
}

fn no_file_attribute(name: &str) -> Error {
    Error::not_found(format!("the file has no attribute `{name}`"))
}

fn file_attribute_names(state: &State) -> Result<Vec<String>> {
    if state.version.is_v3() {
        return state.names(ATTRS, NodeKind::Array);
    }
    let mut names = state.file.container().attribute_names(&NodePath::root())?;
    names.retain(|name| name != stamp::NAME);
    names.sort_unstable();
    Ok(names)
}

fn file_attribute(state: &State, name: &str) -> Result<Values> {
    if state.version.is_v3() {
        let path = named(ATTRS, name).map_err(|error| within_file(name, error))?;
        let array = state.array(&path, &format!("the file has no attribute `{name}`"))?;
        return state.read(&array);
    }
    let found = state.file.container().attribute(&NodePath::root(), name)?;
    let found = found.filter(|_| name != stamp::NAME).ok_or_else(|| no_file_attribute(name))?;
    let values = values_of(&found).ok_or_else(|| {
        within_file(name, Error::unsupported("its value is neither numbers nor text"))
    })?;
    attribute_value::read(values, state.version).map_err(|error| within_file(name, error))
}

/// All attributes of the file.
pub(crate) fn all_of_file(state: &State) -> Result<AttributeMap> {
    let names = file_attribute_names(state)?.into_iter();
    names.map(|name| Ok((name.clone(), file_attribute(state, &name)?))).collect()
}

/// Stores an attribute of the file in its normal form.
pub(crate) fn put_in_file(change: &mut Change<'_>, name: &str, values: &Values) -> Result<()> {
    let state = change.state();
    if name == version::NAME && values.text_at(0).ok() != Some(state.version.to_string()) {
        let message = "the version of a loom is not changed by its attribute";
        return Err(within_file(name, Error::invalid(message)));
    }
    if !state.version.is_v3() {
        let values = attribute_value::stored(values, state.version)?;
        let container = state.file.container();
        let adapted = container.adapt_attribute(name, &AttributeValue::Values(values))?.value;
        let edits = AttributeEdits::new().set(name, adapted);
        container.edit_attributes(&NodePath::root(), &edits)?;
        change.touch(&NodePath::root());
        return Ok(());
    }
    let path = named(ATTRS, name).map_err(|error| within_file(name, error))?;
    change.require_group(&NodePath::parse(ATTRS)?)?;
    let place = change.place(&path)?;
    layout::make_list(change.file(), &place, values)?;
    change.touch(&path);
    Ok(())
}

/// All elements of an array.
pub(crate) const WHOLE: Selection = Selection::All;
