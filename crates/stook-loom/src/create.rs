//! The making of a new loom.

use std::path::{Path, PathBuf};

use stook::{
    CreateOptions, Error, File, Format, InTheWay, NodePath, Readers, Result, Storage, Values,
};
use stook_core::file::place::{draft_of, kind_of, publish, remove};

use crate::attribute_value::normalized;
use crate::attributes::{self, AttributeMap};
use crate::axis::Axis;
use crate::change::{Change, named};
use crate::graph::{self, Graph, GraphMap};
use crate::layout;
use crate::loom::{Loom, LoomOptions, check_layer, expect_shape};
use crate::source::MatrixSource;
use crate::stamp::timestamp;
use crate::state::{ATTRS, LAYERS, State};
use crate::version::{self, SpecVersion};

/// The attribute of the file that says when it was made.
const CREATION_DATE: &str = "CreationDate";

/// A new loom in the making; [`LoomBuilder::create`] makes it, whole or not at all.
#[derive(Debug)]
#[must_use = "nothing is made before `create`"]
pub struct LoomBuilder<'a> {
    path: PathBuf,
    layers: Vec<(String, &'a dyn MatrixSource)>,
    attributes: [AttributeMap; 2],
    graphs: [GraphMap; 2],
    file_attributes: AttributeMap,
    format: Option<Format>,
    in_the_way: InTheWay,
    options: LoomOptions,
}

impl Loom {
    /// Begins a new loom at `path`: HDF5, or Zarr where the name or URL asks for that.
    ///
    /// Without layers it is empty; columns may be added to it.
    pub fn builder<'a>(path: impl AsRef<Path>) -> LoomBuilder<'a> {
        LoomBuilder {
            path: path.as_ref().to_path_buf(),
            layers: Vec::new(),
            attributes: Default::default(),
            graphs: Default::default(),
            file_attributes: AttributeMap::new(),
            format: None,
            in_the_way: InTheWay::Stays,
            options: LoomOptions::read_write(),
        }
    }
}

impl<'a> LoomBuilder<'a> {
    /// Adds a layer; the main matrix has the empty name.
    pub fn layer(mut self, name: &str, source: &'a dyn MatrixSource) -> Self {
        self.layers.push((name.to_owned(), source));
        self
    }

    /// Adds an attribute of an axis.
    pub fn attribute(mut self, axis: Axis, name: &str, values: Values) -> Self {
        self.of_axis(axis).insert(name.to_owned(), values);
        self
    }

    /// Adds attributes of an axis.
    pub fn attributes(mut self, axis: Axis, attributes: AttributeMap) -> Self {
        self.of_axis(axis).extend(attributes);
        self
    }

    fn of_axis(&mut self, axis: Axis) -> &mut AttributeMap {
        let [rows, columns] = &mut self.attributes;
        match axis {
            Axis::Rows => rows,
            Axis::Columns => columns,
        }
    }

    /// Takes attributes of an axis away that were added.
    pub fn without_attributes(mut self, axis: Axis, names: &[String]) -> Self {
        self.of_axis(axis).retain(|name, _| !names.contains(name));
        self
    }

    /// Adds a graph of an axis.
    pub fn graph(mut self, axis: Axis, name: &str, graph: Graph) -> Self {
        let [rows, columns] = &mut self.graphs;
        let graphs = match axis {
            Axis::Rows => rows,
            Axis::Columns => columns,
        };
        graphs.insert(name.to_owned(), graph);
        self
    }

    /// Adds attributes of the file.
    pub fn file_attributes(mut self, attributes: AttributeMap) -> Self {
        self.file_attributes.extend(attributes);
        self
    }

    /// The format: HDF5 or Zarr v3.
    pub fn format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// What is in the way goes, once the new loom is whole.
    pub fn replace(mut self) -> Self {
        self.in_the_way = InTheWay::Goes;
        self
    }

    /// How the new loom is opened: its budget and durability.
    pub fn options(mut self, options: LoomOptions) -> Self {
        self.options = LoomOptions { mode: stook::Mode::ReadWrite, ..options };
        self
    }

    /// Makes the loom, open for reading and writing.
    ///
    /// # Errors
    /// `AlreadyExists`, `InvalidInput` naming the layer, attribute or graph that does not fit,
    /// `ReadOnly`, `Io`. Nothing is left behind, but for parts behind a URL.
    pub fn create(mut self) -> Result<Loom> {
        let path = self.path.clone();
        let checked = self.check().map_err(|error| error.at_file(&path))?;
        if path.to_str().is_some_and(stook::is_url) {
            let file = self.make_file(&path, self.in_the_way)?;
            return self.fill(file, checked);
        }
        if self.in_the_way == InTheWay::Stays && kind_of(&path)?.is_some() {
            return Err(Error::already_exists("the target exists already").at_file(&path));
        }
        let draft = draft_of(&path);
        let made = self.make_file(&draft, InTheWay::Stays).and_then(|file| {
            self.fill(file, checked)?.close()?;
            publish(&draft, &path, self.in_the_way)
        });
        if let Err(error) = made {
            // The first error is the one to tell.
            let _ = remove(&draft);
            return Err(error.rename_file(&path));
        }
        Loom::open_with(&path, &self.options)
    }

    fn make_file(&self, path: &Path, in_the_way: InTheWay) -> Result<File> {
        let is_named = Storage::from_name(path).is_some();
        let is_url = path.to_str().is_some_and(stook::is_url);
        let format = self.format.or((!is_named && !is_url).then_some(Format::Hdf5));
        let readers = Readers::Oldest;
        let create = CreateOptions { format, in_the_way, readers, ..CreateOptions::default() };
        let file = File::create_with(path, &create)?;
        match file.format() {
            Format::Hdf5 | Format::ZarrV3 => Ok(file),
            other => {
                let message = format!("a loom is HDF5 or Zarr v3, not {other}");
                Err(Error::unsupported(message).at_file(path))
            }
        }
    }

    /// The shape of the new loom; its attributes are brought to their normal form.
    fn check(&mut self) -> Result<[u64; 2]> {
        let shape = self.layers.first().map(|(_, source)| source.shape());
        if !self.layers.is_empty() && !self.layers.iter().any(|(name, _)| name.is_empty()) {
            return Err(Error::invalid("a loom needs a main matrix: the layer without a name"));
        }
        for (name, source) in &self.layers {
            check_layer(name, &source.dtype())?;
            expect_shape(name, shape.unwrap_or_default(), source.shape())?;
        }
        for axis in Axis::BOTH {
            let len = shape.map(|shape| axis.of(shape));
            for (name, values) in self.of_axis(axis) {
                *values = attributes::check(axis, name, values, len)?;
            }
            let [rows, columns] = &self.graphs;
            for (name, graph) in axis.of([rows, columns]) {
                graph::check(axis, name, graph, len)?;
            }
        }
        for (name, values) in &mut self.file_attributes {
            *values = normalized(values)
                .map_err(|error| error.within(format!("attribute `{name}` of the file")))?;
            named(ATTRS, name)?;
        }
        Ok(shape.unwrap_or_default())
    }

    fn fill(&self, file: File, shape: [u64; 2]) -> Result<Loom> {
        let root = file.root_group()?;
        for axis in Axis::BOTH {
            root.create_group(axis.attributes())?;
            root.create_group(axis.graphs())?;
        }
        root.create_group(LAYERS)?;
        root.create_group(ATTRS)?;
        let version = Values::text(&SpecVersion::V3.to_string());
        layout::make_attribute(&file, &named(ATTRS, version::NAME)?, &version)?;
        let loom = Loom::of_file(file, &self.options)?;
        loom.change(|change| self.fill_in(change, shape))?;
        Ok(loom)
    }

    fn fill_in(&self, change: &mut Change<'_>, shape: [u64; 2]) -> Result<()> {
        for (name, values) in &self.file_attributes {
            if name != version::NAME {
                attributes::put_in_file(change, name, values)?;
            }
        }
        if !self.file_attributes.contains_key(CREATION_DATE) {
            attributes::put_in_file(change, CREATION_DATE, &Values::text(&timestamp()))?;
        }
        for axis in Axis::BOTH {
            let [rows, columns] = &self.attributes;
            for (name, values) in axis.of([rows, columns]) {
                attributes::put(change, axis, name, values)?;
            }
            let [rows, columns] = &self.graphs;
            for (name, graph) in axis.of([rows, columns]) {
                graph::put(change, axis, name, graph)?;
            }
        }
        for (name, source) in &self.layers {
            let path = State::layer_path(name)?;
            let array = layout::make_layer(change.file(), &path, source.dtype(), shape)?;
            source.store(&array, [0, 0])?;
            change.touch(&path);
        }
        change.set_shape(shape);
        change.touch(&NodePath::root());
        Ok(())
    }
}
