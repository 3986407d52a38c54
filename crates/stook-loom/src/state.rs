//! An open loom: its file, and what is known of it without a look.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use stook::{Array, Error, File, Format, NodeKind, NodePath, Result, Selection, Values};

use crate::attribute_value::{self, is_matrix_dtype};
use crate::axis::Axis;
use crate::change::{attribute_path, named};
use crate::sidecar;
use crate::source::matrix_shape;
use crate::version::SpecVersion;

/// The main matrix.
pub(crate) const MATRIX: &str = "/matrix";
/// The group of the layers.
pub(crate) const LAYERS: &str = "/layers";
/// The group of the attributes of the file, from version 3 on.
pub(crate) const ATTRS: &str = "/attrs";

/// An open loom.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) file: File,
    pub(crate) shape: [u64; 2],
    pub(crate) version: SpecVersion,
    /// Layers that were read: where their tiles lie is found out once. A change forgets them.
    layers: Mutex<HashMap<String, Array>>,
    /// What was read of the sidecar. A change forgets it.
    pub(crate) sidecar: Mutex<sidecar::Known>,
}

impl State {
    /// The loom in `file`.
    ///
    /// # Errors
    /// `InvalidInput` if it is none, `Corrupt`, `Io`.
    pub(crate) fn of(file: File) -> Result<Self> {
        let at = |error: Error| error.at_file(file.path());
        let version = SpecVersion::of(&file).map_err(at)?;
        let shape = shape_of(&file).map_err(at)?;
        let (layers, sidecar) = (Mutex::default(), Mutex::default());
        Ok(Self { file, shape, version, layers, sidecar })
    }

    pub(crate) fn is_hdf5(&self) -> bool {
        self.file.format() == Format::Hdf5
    }

    /// How long `axis` is.
    pub(crate) fn len(&self, axis: Axis) -> u64 {
        axis.of(self.shape)
    }

    /// The names of the nodes of `kind` in `group`, sorted; none where there is no such group.
    pub(crate) fn names(&self, group: &str, kind: NodeKind) -> Result<Vec<String>> {
        let group = NodePath::parse(group)?;
        if self.file.container().kind(&group)? != Some(NodeKind::Group) {
            return Ok(Vec::new());
        }
        let children = self.file.container().children(&group)?.into_iter();
        Ok(children.filter(|child| child.kind == Some(kind)).map(|child| child.name).collect())
    }

    /// The path of a layer; the main matrix is the one without a name.
    pub(crate) fn layer_path(name: &str) -> Result<NodePath> {
        if name.is_empty() {
            return NodePath::parse(MATRIX);
        }
        named(LAYERS, name).map_err(|error| error.within("a layer"))
    }

    /// The names of all layers: first the main matrix, if there is one.
    pub(crate) fn layer_names(&self) -> Result<Vec<String>> {
        let mut names = self.names(LAYERS, NodeKind::Array)?;
        if self.file.container().kind(&NodePath::parse(MATRIX)?)? == Some(NodeKind::Array) {
            names.insert(0, String::new());
        }
        Ok(names)
    }

    /// The array of a layer.
    ///
    /// # Errors
    /// `NotFound` naming the layer, `Corrupt` where it is no matrix of the loom's shape.
    pub(crate) fn layer(&self, name: &str) -> Result<Array> {
        let path = Self::layer_path(name)?;
        let array = self.array(&path, &format!("there is no layer `{name}`"))?;
        let shape = array.shape();
        if shape != self.shape {
            let expected = self.shape;
            let message = format!("layer `{name}`: expected shape {expected:?}, found {shape:?}");
            return Err(Error::corrupt(message).at_node(&path).at_file(self.file.path()));
        }
        Ok(array)
    }

    /// The array of a layer that is read, perhaps again and again.
    ///
    /// # Errors
    /// As [`State::layer`].
    pub(crate) fn known_layer(&self, name: &str) -> Result<Array> {
        let mut layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(array) = layers.get(name) {
            return Ok(array.clone());
        }
        let array = self.layer(name)?;
        layers.insert(name.to_owned(), array.clone());
        Ok(array)
    }

    /// Forgets what was read of the sidecar.
    pub(crate) fn forget_sidecar(&self) {
        self.sidecar.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Closes the layers that were read.
    pub(crate) fn forget_layers(&mut self) {
        self.forget_sidecar();
        self.layers.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The array at `path`.
    ///
    /// # Errors
    /// `NotFound` with the message `missing`.
    pub(crate) fn array(&self, path: &NodePath, missing: &str) -> Result<Array> {
        match self.file.container().kind(path)? {
            None => Err(Error::not_found(missing).at_node(path).at_file(self.file.path())),
            Some(_) => self.file.array(path.as_str()),
        }
    }

    /// The names of the attributes of `axis`.
    pub(crate) fn attribute_names(&self, axis: Axis) -> Result<Vec<String>> {
        self.names(axis.attributes(), NodeKind::Array)
    }

    /// An attribute of `axis`.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, `Io`.
    pub(crate) fn attribute(&self, axis: Axis, name: &str) -> Result<Values> {
        let path = attribute_path(axis, name)?;
        let word = axis.word();
        let array = self.array(&path, &format!("there is no {word} attribute `{name}`"))?;
        self.read(&array)
    }

    /// All of `array`, which is an attribute.
    pub(crate) fn read(&self, array: &Array) -> Result<Values> {
        let values = array.read(&Selection::All)?;
        attribute_value::read(values, self.version)
            .map_err(|error| error.at_node(array.path()).at_file(self.file.path()))
    }
}

/// The shape of the main matrix. A file without one is a loom if it has groups for attributes:
/// it is empty, and columns may be added to it.
fn shape_of(file: &File) -> Result<[u64; 2]> {
    let path = NodePath::parse(MATRIX)?;
    let not_loom = |what: String| {
        let error = Error::invalid(format!("this is no loom: {what}"));
        Err(error.with_hint("`stook info` tells what it is"))
    };
    match file.container().kind(&path)? {
        Some(NodeKind::Array) => {}
        None => {
            let groups = Axis::BOTH.map(|axis| NodePath::parse(axis.attributes()));
            for group in groups {
                if file.container().kind(&group?)? != Some(NodeKind::Group) {
                    return not_loom(
                        "it has neither `/matrix` nor groups of attributes".to_owned(),
                    );
                }
            }
            return Ok([0, 0]);
        }
        Some(_) => return not_loom("`/matrix` is no array".to_owned()),
    }
    let matrix = file.array(MATRIX)?;
    if !is_matrix_dtype(&matrix.dtype()) {
        return not_loom(format!("`/matrix` holds items of type {}", matrix.dtype()));
    }
    matrix_shape(&matrix.shape())
        .or_else(|error| not_loom(format!("`/matrix`: {}", error.message())))
}
