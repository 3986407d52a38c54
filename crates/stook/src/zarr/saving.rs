//! Values saved and loaded without more ado.

use stook_core::{Error, Format, NodeKind, Result, Selection, Values};

use super::hierarchy::create_group;
use super::new_array::NewArray;
use super::place::{AccessMode, Place};
use crate::array::Array;
use crate::file::Node;
use crate::group::Group;

/// What [`load`] finds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Loaded {
    /// The elements of an array.
    Array(Values),
    /// A group, whose arrays are read when they are asked for.
    Group(LoadedGroup),
}

/// A group whose arrays are read when they are asked for.
#[derive(Clone, Debug)]
pub struct LoadedGroup(Group);

impl LoadedGroup {
    /// The names of the arrays in it, sorted.
    ///
    /// # Errors
    /// `Corrupt`, `LimitExceeded`, `Io`.
    pub fn names(&self) -> Result<Vec<String>> {
        let children = self.0.children()?.into_iter();
        Ok(children.filter(|c| c.kind == Some(NodeKind::Array)).map(|c| c.name).collect())
    }

    /// The elements of the array `name`.
    ///
    /// # Errors
    /// `NotFound`, and what reading gives.
    pub fn get(&self, name: &str) -> Result<Values> {
        self.0.open_array(name)?.read(&Selection::All)
    }
}

/// Reads the array at `path`; of a group, what is in it when it is asked for.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// use stook::{Values, zarr};
///
/// let place = zarr::Place::memory();
/// let texts = Values::from_strings(vec![2], &["a", "b"])?;
/// zarr::save_group(&place, "run", [("names", &texts)])?;
/// let zarr::Loaded::Group(run) = zarr::load(&place, "run")? else { panic!("expected a group") };
/// assert_eq!((run.names()?, run.get("names")?), (vec!["names".to_owned()], texts));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `NotFound`, and what opening and reading give.
pub fn load(place: impl Into<Place>, path: &str) -> Result<Loaded> {
    let place = place.into();
    let node = place.node(path)?;
    match place.open(AccessMode::Read)?.node(node.as_str())? {
        Node::Array(array) => array.read(&Selection::All).map(Loaded::Array),
        Node::Group(group) => Ok(Loaded::Group(LoadedGroup(group))),
    }
}

/// Saves `values` as an array at `path`, or several as `arr_0` and so on in a group there.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// use stook::{Values, zarr};
///
/// let place = zarr::Place::memory();
/// let values = Values::from_strings(vec![1], &["a"])?;
/// zarr::save(&place, "one", &[values.clone()])?;
/// zarr::save(&place, "two", &[values.clone(), values.clone()])?;
/// let zarr::Loaded::Array(one) = zarr::load(&place, "one")? else { panic!("expected an array") };
/// assert_eq!(one, values);
/// assert!(zarr::open_array(&place).path("two/arr_1").open().is_ok());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `InvalidInput` without values; as [`save_array`] and [`save_group`].
pub fn save(place: impl Into<Place>, path: &str, values: &[Values]) -> Result<()> {
    match values {
        [] => Err(Error::invalid("expected at least one array")),
        [only] => save_array(place, path, only).map(drop),
        several => {
            let names = (0..several.len()).map(|i| format!("arr_{i}")).collect::<Vec<_>>();
            save_group(place, path, names.iter().map(String::as_str).zip(several)).map(drop)
        }
    }
}

/// Saves `values` as the array at `path`, where there is none yet.
///
/// # Errors
/// `AlreadyExists`, and those of [`NewArray::create`].
pub fn save_array(place: impl Into<Place>, path: &str, values: &Values) -> Result<Array> {
    let array = NewArray::new(place.into()).path(path).data(values.clone()).create()?;
    array.file().commit()?;
    Ok(array)
}

/// Saves values by name as the arrays of a group at `path`, in the place of what is there.
///
/// # Errors
/// `InvalidInput` without values, and those of [`NewArray::create`].
pub fn save_group<'v>(
    place: impl Into<Place>,
    path: &str,
    values: impl IntoIterator<Item = (&'v str, &'v Values)>,
) -> Result<Group> {
    let place = place.into();
    let new = |(name, values): (&str, &Values)| {
        let new = NewArray::new(Place::memory()).data(values.clone());
        (name.to_owned(), new.format(Format::ZarrV3))
    };
    let arrays: Vec<(String, NewArray)> = values.into_iter().map(new).collect();
    if arrays.is_empty() {
        return Err(Error::invalid("expected at least one array"));
    }
    // What is there goes only for arrays that are in order.
    for (_, array) in &arrays {
        array.documents()?;
    }
    let group = create_group(place).path(path).overwrite().create()?;
    for (name, array) in arrays {
        array.store(&group).path(name).create()?;
    }
    group.file().commit()?;
    Ok(group)
}
