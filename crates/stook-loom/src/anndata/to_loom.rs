//! From AnnData to a loom.

use std::path::Path;

use stook::{DType, Error, File, Group, Node, OpenOptions, Result, Selection, Values};

use super::frame::{Column, Frame, attribute_of, categories_of, fields_of};
use super::matrix::{Nothing, Storage, located, source_of};
use super::{KEPT, KEPT_LOOM, RAW, graphs, tree};
use crate::attributes::AttributeMap;
use crate::graph::GraphMap;
use crate::import::ImportOptions;
use crate::source::MatrixSource;
use crate::{Axis, Loom, normalized};

/// The table, mappings and index of an axis.
pub(super) struct Side {
    pub(super) axis: Axis,
    pub(super) table: &'static str,
    pub(super) arrays: &'static str,
    pub(super) graphs: &'static str,
    /// The attribute that is the index.
    pub(super) index: &'static str,
    /// Its name where an attribute of the former is something else.
    pub(super) other_index: &'static str,
    /// Where `uns/loom` keeps attributes and graphs.
    pub(super) kept: [&'static str; 2],
}

pub(super) const SIDES: [Side; 2] = [
    Side {
        axis: Axis::Rows,
        table: "var",
        arrays: "varm",
        graphs: "varp",
        index: "Gene",
        other_index: "var_names",
        kept: ["row_attrs", "row_graphs"],
    },
    Side {
        axis: Axis::Columns,
        table: "obs",
        arrays: "obsm",
        graphs: "obsp",
        index: "CellID",
        other_index: "obs_names",
        kept: ["col_attrs", "col_graphs"],
    },
];

/// What one axis of a loom gets, and what is kept beside.
#[derive(Default)]
struct Given {
    attributes: AttributeMap,
    graphs: GraphMap,
    /// Paths of nodes that the loom does not tell all of.
    kept: Vec<String>,
    /// Columns of versions before 0.7, with their codes and categories.
    categoricals: Vec<(String, [Values; 2])>,
    /// The name of the index, and the order of columns, where a loom does not tell them.
    order: Option<Vec<String>>,
    index: Option<String>,
    index_attribute: String,
}

/// Makes the loom `path` of the AnnData tree `source`, in HDF5 or Zarr.
///
/// # Errors
/// `NotFound`, `Corrupt` if it is no AnnData, `AlreadyExists`, `LimitExceeded`, `Io`.
pub fn to_loom(
    source: impl AsRef<Path>,
    path: impl AsRef<Path>,
    options: &ImportOptions,
) -> Result<Loom> {
    let open = OpenOptions { limits: options.limits.clone(), ..OpenOptions::read() };
    let file = File::open_with(source, &open)?;
    let root = file.root_group()?;
    let made = (|| {
        let frames = [Frame::read(&root, "var")?, Frame::read(&root, "obs")?];
        let len = |frame: &Frame| frame.index.values.as_ref().map_or(0, |v| v.len() as u64);
        let shape = [len(&frames[0]), len(&frames[1])];
        let came = tree::find(&root, &format!("uns/{KEPT_LOOM}"))?;
        let came = match came {
            Some(Node::Group(group)) => Some(group),
            _ => None,
        };
        let mut given = Vec::new();
        for (side, frame) in SIDES.iter().zip(&frames) {
            given.push(side.read(&root, frame, side.axis.of(shape), came.as_ref())?);
        }
        make(&root, path.as_ref(), options, (shape, given, came))
    })();
    made.map_err(
        |error: Error| if error.location().file.is_some() { error } else { located(&file)(error) },
    )
}

impl Side {
    fn read(&self, root: &Group, frame: &Frame, n: u64, came: Option<&Group>) -> Result<Given> {
        let mut given = Given::default();
        let taken: Vec<&str> = frame.columns.iter().map(|column| column.name.as_str()).collect();
        let is_free = !taken.contains(&self.index);
        let index = if is_free { self.index } else { self.other_index };
        given.index_attribute = index.to_owned();
        let came_with_index =
            came.is_none_or(|came| !came.contains(&format!("no_{}", self.index)).unwrap_or(false));
        if let Some(values) = &frame.index.values
            && came_with_index
        {
            given.attributes.insert(index.to_owned(), values.clone());
        }
        if !frame.index.is_plain {
            given.kept.push(format!("{}/{}", self.table, frame.index_name));
        }
        for column in &frame.columns {
            given.take(self.table, column);
        }
        let mut sorted: Vec<&str> = taken.clone();
        sorted.sort_unstable();
        if sorted != taken {
            given.order = Some(taken.iter().map(|name| (*name).to_owned()).collect());
        }
        given.index = (frame.index_name != index).then(|| frame.index_name.clone());
        for (name, node) in tree::nodes(root, self.arrays)? {
            let (values, is_plain) = attribute_of(&node, root)?;
            let values = values.filter(|v| v.shape().len() > 1 && v.shape().first() == Some(&n));
            given.take(self.arrays, &Column { name, values, is_plain, categorical: None });
        }
        // Of versions before 0.7.
        if let Some(Node::Array(array)) = tree::find(root, self.arrays)? {
            for (name, values) in fields_of(&array)? {
                let is_plain = normalized(&values).ok().as_ref() == Some(&values);
                let fits = is_plain && values.shape().len() > 1 && !name.contains('/');
                if !fits || given.attributes.contains_key(&name) {
                    let what = format!("member `{name}` of type {}", values.dtype());
                    return Err(Error::unsupported(what).at_node(array.path()));
                }
                given.attributes.insert(name, values);
            }
        }
        for (name, node) in tree::nodes(root, self.graphs)? {
            let path = format!("{}/{name}", self.kept[1]);
            let kept = match came {
                Some(came) if came.contains(&path)? => Some(came.group(&path)?),
                _ => None,
            };
            let matrix = graphs::graph_of(&node, n)?;
            let kept = kept.map(|group| graphs::kept(&group, n)).transpose()?;
            let is_current = match (&kept, &matrix) {
                (Some(kept), Some(matrix)) => graphs::is_same_matrix(kept, matrix)?,
                _ => false,
            };
            let is_plain = is_current || graphs::is_plain(&node)?;
            let graph = if is_current { kept } else { matrix };
            match graph {
                Some(graph) => {
                    given.graphs.insert(name.clone(), graph);
                    if !is_plain {
                        given.kept.push(format!("{}/{name}", self.graphs));
                    }
                }
                None => given.kept.push(format!("{}/{name}", self.graphs)),
            }
        }
        if let Some(came) = came {
            for (name, node) in tree::nodes(came, self.kept[0])? {
                if let Node::Array(array) = node {
                    given.attributes.insert(name, array.read(&Selection::All)?);
                }
            }
        }
        Ok(given)
    }
}

impl Given {
    /// Takes a column or array as an attribute, and remembers what that does not tell.
    fn take(&mut self, folder: &str, column: &Column) {
        let is_free = !self.attributes.contains_key(&column.name) && !column.name.contains('/');
        let is_taken = match &column.values {
            Some(values) if is_free => {
                self.attributes.insert(column.name.clone(), values.clone());
                true
            }
            _ => false,
        };
        if let Some(categorical) = &column.categorical {
            self.categoricals.push((column.name.clone(), categorical.clone()));
        }
        if !is_taken || !column.is_plain {
            self.kept.push(format!("{folder}/{}", column.name));
        }
    }
}

/// A layer that is filled, and how it was stored.
struct Layer {
    name: String,
    source: Box<dyn MatrixSource + Send>,
}

fn make(
    root: &Group,
    path: &Path,
    options: &ImportOptions,
    (shape, given, came): ([u64; 2], Vec<Given>, Option<Group>),
) -> Result<Loom> {
    let (mut layers, mut kept, mut storages) = (Vec::new(), Vec::new(), Vec::new());
    let mut matrices: Vec<(String, String, Node)> = Vec::new();
    if let Some(node) = tree::find(root, "X")? {
        matrices.push((String::new(), "X".to_owned(), node));
    }
    for (name, node) in tree::nodes(root, "layers")? {
        matrices.push((name.clone(), format!("layers/{name}"), node));
    }
    for (name, path, node) in matrices {
        let Some(source) = source_of(&node, shape)? else {
            kept.push(path);
            continue;
        };
        match Storage::of(&node)? {
            Some((storage, true)) => {
                if storage != from_loom_default() {
                    storages.push((path, storage));
                }
            }
            _ => kept.push(path),
        }
        layers.push(Layer { name, source });
    }
    let is_main = layers.iter().any(|layer| layer.name.is_empty());
    let nothing = Nothing(shape);
    let mut builder = options.builder(path);
    if !is_main {
        builder = builder.layer("", &nothing);
    }
    for layer in &layers {
        builder = builder.layer(&layer.name, layer.source.as_ref());
    }
    for (side, given) in SIDES.iter().zip(&given) {
        builder = builder.attributes(side.axis, given.attributes.clone());
        for (name, graph) in &given.graphs {
            builder = builder.graph(side.axis, name, graph.clone());
        }
    }
    if let Some(came) = &came {
        let mut attributes = AttributeMap::new();
        for (name, node) in tree::nodes(came, "attrs")? {
            if let Node::Array(array) = node {
                attributes.insert(name, array.read(&Selection::All)?);
            }
        }
        builder = builder.file_attributes(attributes);
    }
    let loom = builder.create()?;
    given.iter().for_each(|given| kept.extend(given.kept.iter().cloned()));
    let keeping = keep(root, &loom, (&kept, &storages, &given, came.is_some(), is_main));
    if let Err(error) = keeping {
        // Half a loom is none.
        let _ = loom.close();
        let _ = stook_core::file::place::remove(path);
        return Err(error);
    }
    Ok(loom)
}

/// How a layer is stored that became a matrix of AnnData's by itself.
fn from_loom_default() -> Storage {
    use stook::DType::Int32;
    Storage { major: Some(Axis::Rows), indices: Int32, pointers: Int32 }
}

type Kept<'k> = (&'k [String], &'k [(String, Storage)], &'k [Given], bool, bool);

/// A column with categories, as versions from 0.7 on have it.
fn put_categorical(table: &Group, name: &str, [codes, categories]: &[Values; 2]) -> Result<()> {
    let group = table.create_group(name)?;
    tree::mark(&group, "categorical", "0.2.0")?;
    group.set_attribute("ordered", Values::zeroed(DType::Bool, Vec::new())?)?;
    tree::put(&group, "codes", codes)?;
    tree::put(&group, "categories", categories).map(drop)
}

/// Keeps what the loom does not tell.
fn keep(root: &Group, loom: &Loom, kept: Kept<'_>) -> Result<()> {
    let (paths, storages, given, came_from_loom, has_main) = kept;
    let mut rest: Vec<(String, Node)> = Vec::new();
    for name in RAW.iter().chain(&["uns"]).copied() {
        if let Some(node) = tree::find(root, name)? {
            rest.push((name.to_owned(), node));
        }
    }
    let is_order = given.iter().any(|given| given.order.is_some() || given.index.is_some());
    let only_loom = tree::nodes(root, "uns")?.iter().all(|(name, _)| name == KEPT_LOOM);
    let is_needed = !paths.is_empty()
        || !storages.is_empty()
        || is_order
        || !has_main
        || !came_from_loom
        || !only_loom
        || rest.iter().any(|(name, _)| name != "uns");
    if !is_needed {
        return Ok(());
    }
    let file = loom.file()?;
    let group = file.root_group()?.create_group(KEPT)?;
    group.set_attribute("has_X", i64::from(has_main))?;
    for (side, given) in SIDES.iter().zip(given) {
        let table = group.create_group(side.table)?;
        table.set_attribute("index", given.index_attribute.as_str())?;
        if let Some(index) = &given.index {
            table.set_attribute("_index", index.as_str())?;
        }
        if let Some(order) = &given.order {
            table.set_attribute(
                "column-order",
                Values::from_strings(vec![order.len() as u64], order)?,
            )?;
        }
        for (name, parts) in &given.categoricals {
            put_categorical(&table, name, parts)?;
        }
    }
    for path in paths {
        if let Some(node) = tree::find(root, path)? {
            put(&group, path, &node)?;
        }
    }
    for (path, storage) in storages {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = if folder.is_empty() { group.clone() } else { group.require_group(folder)? };
        storage.keep(&parent.create_group(name)?)?;
    }
    for (name, node) in rest {
        match (name.as_str(), node) {
            ("uns", Node::Group(uns)) => {
                let target = group.create_group("uns")?;
                let columns = given.iter().flat_map(|given| &given.categoricals);
                let taken: Vec<String> = columns.map(|(name, _)| categories_of(name)).collect();
                for (name, node) in uns.nodes()? {
                    // Categories lie with their columns by now.
                    if name != KEPT_LOOM && !taken.contains(&name) {
                        tree::copy(&node, &target, &name)?;
                    }
                }
            }
            (name, node) => tree::copy(&node, &group, name)?,
        }
    }
    file.commit()
}

fn put(group: &Group, path: &str, node: &Node) -> Result<()> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let parent = if folder.is_empty() { group.clone() } else { group.require_group(folder)? };
    tree::copy(node, &parent, name)
}
