//! Sessions of which it is said what they hold: names, kinds, axes, types.
//!
//! A [`SessionForm`] says it, [`CheckedSession`] holds it: whatever is set or loaded is made to be as
//! declared, or is refused. What works but may not have been meant is told as a [`Notice`].

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use stook_core::{DType, Error, Result};

use crate::array::full;
use crate::item::{Item, ItemKind};
use crate::metadata::Metadata;
use crate::scalar::Scalar;
use crate::session::{LoadOptions, LoadReport, Session};
use crate::{Array, Axis, AxisCollection, kernels};

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScalarKind {
    /// A truth value.
    Bool,
    /// A whole number; whole floats become one.
    Int,
    /// A number; whole numbers become one.
    Float,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// A day.
    Date,
    /// A time of day.
    Time,
    /// A point in time.
    DateTime,
}

/// What an object has to be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Declared {
    /// Anything.
    Any,
    /// An object of that kind.
    Kind(ItemKind),
    /// A value.
    Value(ScalarKind),
    /// That axis.
    Axis(Axis),
    /// An array of these axes, some of which a value may lack, and of elements of that type. Values
    /// without axes are taken for all elements.
    Array(AxisCollection, DType),
}

/// What is told of what was set, though it was not refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// Nothing is declared of that name.
    Undeclared(String),
    /// Something is declared, and there is none.
    Missing(String),
    /// Elements may have lost something when they became those of the declared type.
    Cast {
        /// The name of the array.
        name: String,
        /// The type that the elements had.
        from: DType,
        /// The type that is declared.
        to: DType,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undeclared(name) => write!(f, "`{name}` is not declared"),
            Self::Missing(name) => write!(f, "`{name}` is declared, and there is none"),
            Self::Cast { name, from, to } => {
                write!(f, "`{name}`: elements of {from} became {to}, which may lose something")
            }
        }
    }
}

/// What a session holds: names in order, what each is, and what it is if nobody says.
#[derive(Clone, Debug, Default)]
pub struct SessionForm {
    declared: Vec<(Arc<str>, Declared)>,
    places: HashMap<Arc<str>, usize>,
    defaults: Session,
}

impl SessionForm {
    /// Nothing is declared.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares `name`.
    #[must_use]
    pub fn with(mut self, name: impl Into<Arc<str>>, declared: Declared) -> Self {
        let name = name.into();
        match self.places.get(&name).and_then(|&at| self.declared.get_mut(at)) {
            Some((_, old)) => *old = declared,
            None => {
                self.places.insert(Arc::clone(&name), self.declared.len());
                self.declared.push((name, declared));
            }
        }
        self
    }

    /// Declares `name`, and what it is where nothing else is given.
    ///
    /// # Errors
    /// `InvalidInput` if that is not as declared.
    pub fn with_default(
        self,
        name: impl Into<Arc<str>>,
        declared: Declared,
        item: impl Into<Item>,
    ) -> Result<Self> {
        let name = name.into();
        let item = conform(&name, item.into(), &declared, &mut Vec::new())?;
        let mut form = self.with(Arc::clone(&name), declared);
        form.defaults.insert(name, item);
        Ok(form)
    }

    /// What is declared of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Declared> {
        self.places.get(name).and_then(|&at| self.declared.get(at)).map(|(_, declared)| declared)
    }

    /// Names and what is declared of them, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Declared)> {
        self.declared.iter().map(|(name, declared)| (&**name, declared))
    }

    /// `item` as it is declared, and what is to be told.
    fn checked(&self, name: &str, item: Item, told: &mut Vec<Notice>) -> Result<Item> {
        match self.get(name) {
            Some(declared) => conform(name, item, declared, told),
            None => {
                told.push(Notice::Undeclared(name.to_owned()));
                Ok(item)
            }
        }
    }

    /// The items of `given` as they are declared, in the order of the declarations, then others.
    fn all_checked(&self, given: &Session, told: &mut Vec<Notice>) -> Result<Session> {
        let mut session = Session::new().with_metadata(given.metadata().clone());
        for (name, _) in self.iter() {
            match given.get(name).or_else(|| self.defaults.get(name)) {
                Some(item) => drop(session.insert(name, self.checked(name, item.clone(), told)?)),
                None => told.push(Notice::Missing(name.to_owned())),
            }
        }
        for (name, item) in given.iter().filter(|(name, _)| self.get(name).is_none()) {
            session.insert(name, self.checked(name, item.clone(), told)?);
        }
        Ok(session)
    }
}

/// A session whose objects are as a form declares them.
///
/// ```
/// use stook_core::DType;
/// use stook_labelled::session::{CheckedSession, Declared, Notice, ScalarKind, SessionForm};
/// use stook_labelled::{AxisCollection, Session, ndtest};
///
/// # fn main() -> stook_core::Result<()> {
/// let axes = AxisCollection::parse("a=a0,a1;b=b0..b2")?;
/// let form = SessionForm::new()
///     .with("births", Declared::Array(axes, DType::Float64))
///     .with_default("n_years", Declared::Value(ScalarKind::Int), 10)?;
/// let (mut session, told) = CheckedSession::new(form, &Session::new())?;
/// assert_eq!(told, [Notice::Missing("births".into())]);
/// session.insert("births", ndtest("b=b0..b2")?)?;
/// assert_eq!(session.get("births").unwrap().as_array().unwrap().shape(), [2, 3]);
/// assert!(session.insert("births", ndtest("z=z0,z1")?).is_err());
/// assert!(session.insert("n_years", "many").is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CheckedSession {
    form: SessionForm,
    session: Session,
}

impl CheckedSession {
    /// What is given, and the defaults of what is not.
    ///
    /// # Errors
    /// `InvalidInput` naming what is not as declared.
    pub fn new(form: SessionForm, given: &Session) -> Result<(Self, Vec<Notice>)> {
        let mut told = Vec::new();
        let session = form.all_checked(given, &mut told)?;
        Ok((Self { form, session }, told))
    }

    /// What a file holds, and the defaults of what it does not.
    ///
    /// # Errors
    /// Those of [`Session::load`]; `InvalidInput` naming what is not as declared.
    pub fn from_file(
        form: SessionForm,
        path: impl AsRef<Path>,
        options: &LoadOptions,
    ) -> Result<(Self, LoadReport, Vec<Notice>)> {
        let path = path.as_ref();
        let mut loaded = Session::new();
        let report = loaded.load(path, options)?;
        let (session, told) = Self::new(form, &loaded).map_err(|error| error.at_file(path))?;
        Ok((session, report, told))
    }

    /// What is declared.
    #[must_use]
    pub fn form(&self) -> &SessionForm {
        &self.form
    }

    /// The session: whatever only reads is asked of it.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The session, which from then on holds anything.
    #[must_use]
    pub fn into_session(self) -> Session {
        self.session
    }

    /// The object called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Item> {
        self.session.get(name)
    }

    /// What it says about itself, to be changed.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        self.session.metadata_mut()
    }

    /// Sets `name`, as it is declared.
    ///
    /// # Errors
    /// `InvalidInput` if it is not as declared, and cannot be made so; what was there stays.
    pub fn insert(
        &mut self,
        name: impl Into<Arc<str>>,
        item: impl Into<Item>,
    ) -> Result<Vec<Notice>> {
        let (name, mut told) = (name.into(), Vec::new());
        let item = self.form.checked(&name, item.into(), &mut told)?;
        self.session.insert(name, item);
        Ok(told)
    }

    /// Removes the object called `name` and returns it.
    pub fn remove(&mut self, name: &str) -> Option<Item> {
        self.session.remove(name)
    }

    /// Loads objects of a file over those that are there, each as it is declared: all or none.
    ///
    /// # Errors
    /// Those of [`CheckedSession::from_file`].
    pub fn load(
        &mut self,
        path: impl AsRef<Path>,
        options: &LoadOptions,
    ) -> Result<(LoadReport, Vec<Notice>)> {
        let path = path.as_ref();
        let (mut loaded, mut told) = (Session::new(), Vec::new());
        let report = loaded.load(path, options)?;
        let mut checked = Session::new();
        for (name, item) in loaded.iter() {
            let item = self.form.checked(name, item.clone(), &mut told);
            checked.insert(name, item.map_err(|error| error.at_file(path))?);
        }
        self.session.update(&checked);
        *self.session.metadata_mut() = loaded.metadata().clone();
        Ok((report, told))
    }
}

/// A checked session that does not change any more.
#[derive(Clone, Debug)]
pub struct CheckedParameters(CheckedSession);

impl CheckedParameters {
    /// What is given, and the defaults of what is not.
    ///
    /// # Errors
    /// Those of [`CheckedSession::new`].
    pub fn new(form: SessionForm, given: &Session) -> Result<(Self, Vec<Notice>)> {
        CheckedSession::new(form, given).map(|(session, told)| (Self(session), told))
    }

    /// What a file holds, and the defaults of what it does not.
    ///
    /// # Errors
    /// Those of [`CheckedSession::from_file`].
    pub fn from_file(
        form: SessionForm,
        path: impl AsRef<Path>,
        options: &LoadOptions,
    ) -> Result<(Self, LoadReport, Vec<Notice>)> {
        let (session, report, told) = CheckedSession::from_file(form, path, options)?;
        Ok((Self(session), report, told))
    }

    /// What is declared.
    #[must_use]
    pub fn form(&self) -> &SessionForm {
        self.0.form()
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> &Session {
        self.0.session()
    }

    /// The object called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Item> {
        self.0.get(name)
    }
}

/// An object as it is declared.
fn conform(name: &str, item: Item, declared: &Declared, told: &mut Vec<Notice>) -> Result<Item> {
    let unexpected = |expected: &str, item: &Item| {
        Error::invalid(format!("`{name}`: expected {expected}, found a {}", item.type_name()))
    };
    match declared {
        Declared::Any => Ok(item),
        Declared::Kind(kind) if item.kind() == *kind => Ok(item),
        Declared::Kind(kind) => Err(unexpected(&format!("an object of kind {kind:?}"), &item)),
        Declared::Axis(axis) => match &item {
            Item::Axis(found) if found.equals(axis) => Ok(item),
            Item::Axis(found) => {
                let message = format!("`{name}`: expected the axis {axis}, found {found}");
                Err(Error::invalid(message))
            }
            other => Err(unexpected("an axis", other)),
        },
        Declared::Value(kind) => match &item {
            Item::Scalar(scalar) => value_of(scalar, *kind).map(Item::Scalar).ok_or_else(|| {
                let found = format!("{scalar}, a {}", scalar.type_name());
                Error::invalid(format!(
                    "`{name}`: expected a value of kind {kind:?}, found {found}"
                ))
            }),
            other => Err(unexpected("a value", other)),
        },
        Declared::Array(axes, dtype) => match item {
            Item::Array(array, metadata) => {
                let array = array_of(name, &array, axes)?;
                Ok(Item::Array(cast(name, array, dtype, told)?, metadata))
            }
            Item::Scalar(scalar) => {
                let array = filled(axes, &scalar).ok_or_else(|| {
                    unexpected("an array or a number", &Item::Scalar(scalar.clone()))
                })??;
                let array = array.cast(dtype).map_err(|error| error.within(format!("`{name}`")))?;
                Ok(array.into())
            }
            other => Err(unexpected("an array or a number", &other)),
        },
    }
}

/// A value of that kind; `None` if it is none, and none can be made of it without loss.
fn value_of(scalar: &Scalar, kind: ScalarKind) -> Option<Scalar> {
    Some(match (kind, scalar) {
        #[expect(clippy::cast_precision_loss, reason = "as Python does")]
        (ScalarKind::Float, Scalar::Int(value)) => Scalar::Float(*value as f64),
        #[expect(clippy::cast_possible_truncation, reason = "whole, and checked to be small")]
        (ScalarKind::Int, Scalar::Float(value)) if value.fract() == 0.0 && value.abs() < 9e15 => {
            Scalar::Int(*value as i128)
        }
        (ScalarKind::Bool, Scalar::Int(value @ (0 | 1))) => Scalar::Bool(*value == 1),
        (ScalarKind::Bool, Scalar::Bool(_))
        | (ScalarKind::Int, Scalar::Int(_))
        | (ScalarKind::Float, Scalar::Float(_))
        | (ScalarKind::Text, Scalar::Text(_))
        | (ScalarKind::Bytes, Scalar::Bytes(_))
        | (ScalarKind::Date, Scalar::Date(_))
        | (ScalarKind::Time, Scalar::Time(_))
        | (ScalarKind::DateTime, Scalar::DateTime(..)) => scalar.clone(),
        _ => return None,
    })
}

/// An array over the declared axes.
fn array_of(name: &str, array: &Array, axes: &AxisCollection) -> Result<Array> {
    if array.axes() == axes {
        return Ok(array.clone());
    }
    let is_declared =
        |axis: &&Axis| axes.iter().any(|own| own.name() == axis.name() && own.is_compatible(axis));
    if let Some(axis) = array.axes().iter().find(|axis| !is_declared(axis)) {
        let named = axes.iter().find(|own| own.name() == axis.name() && own.name().is_some());
        let expected = named.map_or_else(|| axes.to_string(), ToString::to_string);
        return Err(Error::invalid(format!(
            "`{name}`: expected the axes {expected}, found {axis}"
        )));
    }
    array.expand(axes).map_err(|error| error.within(format!("`{name}`")))
}

fn cast(name: &str, array: Array, dtype: &DType, told: &mut Vec<Notice>) -> Result<Array> {
    if array.dtype() == dtype {
        return Ok(array);
    }
    let found = array.cast(dtype).map_err(|error| error.within(format!("`{name}`")))?;
    if !kernels::can_cast(array.dtype(), dtype) {
        let (from, to) = (array.dtype().clone(), dtype.clone());
        told.push(Notice::Cast { name: name.to_owned(), from, to });
    }
    Ok(found)
}

/// An array of one number; `None` if the value is none.
fn filled(axes: &AxisCollection, scalar: &Scalar) -> Option<Result<Array>> {
    let axes = axes.clone();
    Some(match scalar {
        Scalar::Bool(value) => full(axes, *value),
        Scalar::Int(value) => full(axes, i64::try_from(*value).ok()?),
        Scalar::Float(value) => full(axes, *value),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ndtest;

    fn form() -> SessionForm {
        let axes = AxisCollection::parse("a=a0,a1;b=b0..b2").unwrap();
        SessionForm::new()
            .with("array", Declared::Array(axes, DType::Int64))
            .with("axis", Declared::Axis(Axis::parse("a=a0,a1").unwrap()))
            .with("n", Declared::Value(ScalarKind::Int))
            .with("group", Declared::Kind(ItemKind::Group))
    }

    #[test]
    fn what_is_not_as_declared_is_refused_and_what_was_there_stays() {
        let (mut session, told) = CheckedSession::new(form(), &Session::new()).unwrap();
        assert_eq!(told.len(), 4);
        session.insert("array", ndtest("b=b0..b2;a=a0,a1").unwrap()).unwrap();
        let array = session.get("array").unwrap().as_array().unwrap().to_vec::<i64>().unwrap();
        assert_eq!(array, [0, 2, 4, 1, 3, 5]);
        for wrong in ["a=a0,a2", "c=c0", "b=b0..b3"] {
            assert!(session.insert("array", ndtest(wrong).unwrap()).is_err(), "{wrong}");
        }
        assert!(session.insert("array", "text").is_err());
        assert!(session.insert("axis", Axis::parse("a=a1,a0").unwrap()).is_err());
        assert!(session.insert("n", 1.5).is_err() && session.insert("group", 1).is_err());
        assert_eq!(session.insert("n", 2.0).unwrap(), []);
        assert_eq!(session.get("n").and_then(Item::as_scalar), Some(&Scalar::Int(2)));
        let kept = session.get("array").unwrap().as_array().unwrap().to_vec::<i64>().unwrap();
        assert_eq!(kept, array);
    }

    #[test]
    fn what_works_but_may_not_be_meant_is_told() {
        let (mut session, _) = CheckedSession::new(form(), &Session::new()).unwrap();
        assert_eq!(session.insert("other", 1).unwrap(), [Notice::Undeclared("other".into())]);
        let floats = full(AxisCollection::parse("a=a0,a1").unwrap(), 1.5).unwrap();
        let told = session.insert("array", floats).unwrap();
        let cast = Notice::Cast { name: "array".into(), from: DType::Float64, to: DType::Int64 };
        assert_eq!(told, [cast]);
        assert_eq!(session.insert("array", 7).unwrap(), []);
        let array = session.get("array").unwrap().as_array().unwrap();
        assert_eq!(array.to_vec::<i64>().unwrap(), [7; 6]);
    }

    #[test]
    fn files_are_checked_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.pkl");
        let mut wrong = Session::new();
        wrong.insert("n", 5);
        wrong.insert("array", ndtest("z=z0").unwrap());
        wrong.save(&path, &Default::default()).unwrap();
        let options = LoadOptions::default();
        let (mut session, _) = CheckedSession::new(form(), &Session::new()).unwrap();
        let error = session.load(&path, &options).unwrap_err();
        assert!(error.to_string().contains("x.pkl"), "{error}");
        assert!(session.get("n").is_none());
        wrong.remove("array");
        wrong.save(&path, &Default::default()).unwrap();
        let (report, told) = session.load(&path, &options).unwrap();
        assert_eq!((report.loaded, told), (vec!["n".to_owned()], Vec::new()));
        let (frozen, _, told) = CheckedParameters::from_file(form(), &path, &options).unwrap();
        assert_eq!(frozen.get("n").and_then(Item::as_scalar), Some(&Scalar::Int(5)));
        assert_eq!(told.len(), 3);
    }
}
