//! From a loom to AnnData.

use std::path::Path;

use stook::{CreateOptions, DType, File, Format, Group, InTheWay, Node, Result, Selection, Values};
use stook_core::file::place::{draft_of, exists, kind_of, publish, remove};

use super::frame::attribute_of;
use super::matrix::{Storage, source_of, write_dense, write_sparse};
use super::to_loom::{SIDES, Side};
use super::{KEPT, KEPT_LOOM, RAW, graphs, tree};
use crate::attributes::AttributeMap;
use crate::import::Replaces;
use crate::{Axis, Loom};

/// How matrices are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatrixLayout {
    /// Sparse, cell by cell (CSR); as they were where the loom comes from AnnData.
    #[default]
    Sparse,
    /// Dense.
    Dense,
}

/// How AnnData is made of a loom.
#[derive(Clone, Debug, Default)]
pub struct AnnDataOptions {
    /// How matrices are laid out.
    pub layout: MatrixLayout,
    /// Whether what is in the way goes.
    pub replaces: Replaces,
    /// The format; by the name where it is not said (`.h5ad` is HDF5).
    pub format: Option<Format>,
}

/// Makes the AnnData tree `path` of a loom. Returns the names of what was kept beside the loom and
/// does not fit it any more, because rows or columns were taken away or added since: it is left
/// out.
///
/// # Errors
/// `AlreadyExists`, `Unsupported` for what the format cannot hold, `Corrupt`, `Io`. Nothing is
/// left behind.
pub fn from_loom(
    loom: &Loom,
    path: impl AsRef<Path>,
    options: &AnnDataOptions,
) -> Result<Vec<String>> {
    let path = path.as_ref();
    let in_the_way = match options.replaces {
        Replaces::Nothing => InTheWay::Stays,
        Replaces::WhatIsThere => InTheWay::Goes,
    };
    if in_the_way == InTheWay::Stays && kind_of(path)?.is_some() {
        return Err(exists(path));
    }
    let is_zarr = path.extension().is_some_and(|extension| extension == "zarr");
    let format = options.format.unwrap_or(if is_zarr { Format::ZarrV3 } else { Format::Hdf5 });
    let draft = draft_of(path);
    let made = (|| {
        let create = CreateOptions { format: Some(format), ..CreateOptions::default() };
        let file = File::create_with(&draft, &create)?;
        let left_out = Making::new(loom, &file, options)?.make()?;
        file.commit()?;
        Ok(left_out)
    })();
    match made {
        Ok(left_out) => {
            publish(&draft, path, in_the_way)?;
            Ok(left_out)
        }
        Err(error) => {
            // The first error is the one to tell.
            let _ = remove(&draft);
            Err(error)
        }
    }
}

struct Making<'m> {
    loom: &'m Loom,
    root: Group,
    /// What the loom keeps of the AnnData that it was.
    kept: Option<Group>,
    options: &'m AnnDataOptions,
    shape: [u64; 2],
    left_out: Vec<String>,
}

impl<'m> Making<'m> {
    fn new(loom: &'m Loom, file: &File, options: &'m AnnDataOptions) -> Result<Self> {
        let kept = match tree::find(&loom.file()?.root_group()?, KEPT)? {
            Some(Node::Group(group)) => Some(group),
            _ => None,
        };
        let root = file.root_group()?;
        Ok(Self { loom, root, kept, options, shape: loom.shape()?, left_out: Vec::new() })
    }

    /// What was kept at `path`.
    fn kept_at(&self, path: &str) -> Result<Option<Node>> {
        self.kept.as_ref().map_or(Ok(None), |kept| tree::find(kept, path))
    }

    fn make(mut self) -> Result<Vec<String>> {
        tree::mark(&self.root, "anndata", "0.1.0")?;
        for name in ["layers", "obsm", "obsp", "uns", "varm", "varp"] {
            tree::dict(&self.root, name)?;
        }
        let has_main = self.kept.as_ref().is_none_or(|kept| {
            kept.attributes().ok().and_then(|a| tree::number(&a, "has_X")) != Some(0)
        });
        for name in self.loom.layer_names()? {
            match name.is_empty() {
                true if has_main => self.matrix("", "X")?,
                true => {}
                false => self.matrix(&name, &format!("layers/{name}"))?,
            }
        }
        // Matrices that no layer can be.
        for (name, node) in
            self.kept.as_ref().map_or(Ok(Vec::new()), |k| tree::nodes(k, "layers"))?
        {
            if !self.root.contains(&format!("layers/{name}"))? {
                self.copy(&node, "layers", &name)?;
            }
        }
        for side in &SIDES {
            self.side(side)?;
        }
        if let Some(Node::Group(uns)) = self.kept_at("uns")? {
            let target = self.root.group("uns")?;
            for (name, node) in uns.nodes()? {
                tree::copy(&node, &target, &name)?;
            }
        }
        for name in RAW {
            if let Some(raw) = self.kept_at(name)? {
                self.copy(&raw, "", name)?;
            }
        }
        self.attributes_of_file()?;
        Ok(self.left_out)
    }

    fn copy(&mut self, node: &Node, folder: &str, name: &str) -> Result<()> {
        let parent = if folder.is_empty() { self.root.clone() } else { self.root.group(folder)? };
        tree::copy(node, &parent, name)
    }

    /// A layer as `X` or one of `layers`.
    fn matrix(&mut self, layer: &str, path: &str) -> Result<()> {
        let array = self.loom.layer_array(layer)?;
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = if folder.is_empty() { self.root.clone() } else { self.root.group(folder)? };
        let mut storage = None;
        if let Some(node) = self.kept_at(path)? {
            if let Node::Group(group) = &node {
                storage = Storage::of_kept(group)?;
            }
            if storage.is_none() {
                if self.is_same_matrix(&node, layer)? {
                    return tree::copy(&node, &parent, name);
                }
                self.left_out.push(path.to_owned());
            }
        }
        let dtypes = [DType::Int32, DType::Int32];
        match storage {
            Some(Storage { major: Some(major), indices, pointers }) => {
                write_sparse(&array, &parent, name, (major, [indices, pointers]))
            }
            Some(Storage { major: None, .. }) => write_dense(&array, &parent, name),
            None if self.options.layout == MatrixLayout::Dense => {
                write_dense(&array, &parent, name)
            }
            None => write_sparse(&array, &parent, name, (Axis::Rows, dtypes)),
        }
    }

    /// Whether a matrix that was kept has the elements of a layer.
    fn is_same_matrix(&self, node: &Node, layer: &str) -> Result<bool> {
        let Some(source) = source_of(node, self.shape)? else { return Ok(false) };
        let array = self.loom.layer_array(layer)?;
        if source.dtype() != array.dtype() {
            return Ok(false);
        }
        let scratch = File::in_memory()?;
        let builder = scratch.root_group()?.array("matrix").shape(self.shape).dtype(source.dtype());
        let [n, m] = self.shape.map(|len| len.clamp(1, 64));
        let gzip = stook::codec::CodecSpec::Gzip { level: 1 };
        let copy = builder.chunks([n, m]).codecs([gzip]).create()?;
        source.store(&copy, [0, 0])?;
        for start in (0..self.shape[0]).step_by(64) {
            let rows =
                Selection::ranges([start..(start + 64).min(self.shape[0]), 0..self.shape[1]]);
            if copy.read(&rows)? != array.read(&rows)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The table, arrays and graphs of an axis.
    fn side(&mut self, side: &Side) -> Result<()> {
        let n = side.axis.of(self.shape);
        let mut attributes = self.loom.attributes(side.axis).all()?;
        let table = self.root.create_group(side.table)?;
        tree::mark(&table, "dataframe", "0.2.0")?;
        let told = match self.kept_at(side.table)? {
            Some(Node::Group(group)) => Some(group.attributes()?),
            _ => None,
        };
        let told_text = |name: &str| told.as_ref().and_then(|told| tree::text(told, name));
        let index = told_text("index").unwrap_or_else(|| side.index.to_owned());
        let index_name = told_text("_index").unwrap_or_else(|| index.clone());
        let is_index =
            |values: &Values| matches!(values.dtype(), DType::String(_)) && values.shape() == [n];
        let found = attributes.get(&index).filter(|values| is_index(values)).cloned();
        if found.is_some() {
            attributes.remove(&index);
        } else {
            let uns = tree::dict(&self.root.group("uns")?, KEPT_LOOM)?;
            tree::put(&uns, &format!("no_{}", side.index), &crate::numbers(Vec::new(), &[1_i64])?)?;
        }
        let numbered = || (0..n).map(|at| at.to_string()).collect::<Vec<_>>();
        let values = match found {
            Some(values) => values,
            None => Values::from_strings(vec![n], &numbered())?,
        };
        let index_name =
            if attributes.contains_key(&index_name) { "_index".into() } else { index_name };
        self.column(&table, (side.table, &index_name), &values)?;
        table.set_attribute("_index", index_name.as_str())?;
        let mut columns = Vec::new();
        for (name, values) in &attributes {
            self.attribute(side, &table, (name, values), &mut columns)?;
        }
        self.columns_that_were_kept(side, &table, (&attributes, &index_name), &mut columns)?;
        let order = told.as_ref().and_then(|told| tree::texts(told, "column-order"));
        let order = order.unwrap_or_default();
        let place = |name: &String| order.iter().position(|other| other == name);
        columns.sort_by_key(|name| (place(name).unwrap_or(usize::MAX), name.clone()));
        let order = Values::from_strings(vec![columns.len() as u64], &columns)?;
        table.set_attribute("column-order", order)?;
        self.graphs(side, n)
    }

    /// An attribute as a column, as an array of more axes, or under `uns`.
    fn attribute(
        &mut self,
        side: &Side,
        table: &Group,
        (name, values): (&String, &Values),
        columns: &mut Vec<String>,
    ) -> Result<()> {
        let is_known = crate::attribute_value::normalized(values).is_ok();
        let is_reserved = name == "_index" || name == "__categories";
        match values.shape().len() {
            1 if is_known && !is_reserved && !table.contains(name)? => {
                self.column(table, (side.table, name), values)?;
                columns.push(name.clone());
                Ok(())
            }
            2.. if is_known => {
                let arrays = self.root.group(side.arrays)?;
                self.column(&arrays, (side.arrays, name), values)
            }
            _ => {
                let uns = tree::dict(&self.root.group("uns")?, KEPT_LOOM)?;
                tree::put(&tree::dict(&uns, side.kept[0])?, name, values).map(drop)
            }
        }
    }

    /// Values as a node, or what was kept of it where that says the same.
    fn column(&self, group: &Group, (folder, name): (&str, &str), values: &Values) -> Result<()> {
        if let (Some(node), Some(kept)) = (self.kept_at(&format!("{folder}/{name}"))?, &self.kept) {
            let parent = match tree::find(kept, folder)? {
                Some(Node::Group(parent)) => parent,
                _ => kept.clone(),
            };
            if attribute_of(&node, &parent)?.0.as_ref() == Some(values) {
                return tree::copy(&node, group, name);
            }
        }
        tree::put(group, name, values).map(drop)
    }

    /// Columns and arrays that no attribute stands for.
    fn columns_that_were_kept(
        &mut self,
        side: &Side,
        table: &Group,
        (attributes, index_name): (&AttributeMap, &str),
        columns: &mut Vec<String>,
    ) -> Result<()> {
        let Some(kept) = self.kept.clone() else { return Ok(()) };
        let n = side.axis.of(self.shape);
        for (name, node) in tree::nodes(&kept, side.table)? {
            let values = attribute_of(&node, &kept)?.0;
            let is_there = attributes.contains_key(&name) || name == index_name;
            if is_there || table.contains(&name)? {
                continue;
            }
            if values.is_none() {
                tree::copy(&node, table, &name)?;
                columns.push(name);
            } else {
                self.left_out.push(format!("{}/{name}", side.table));
            }
        }
        let arrays = self.root.group(side.arrays)?;
        for (name, node) in tree::nodes(&kept, side.arrays)? {
            if arrays.contains(&name)? {
                continue;
            }
            let fits = match &node {
                Node::Array(array) => array.shape().first() == Some(&n),
                // A table or a sparse matrix.
                _ => true,
            };
            if fits {
                tree::copy(&node, &arrays, &name)?;
            } else {
                self.left_out.push(format!("{}/{name}", side.arrays));
            }
        }
        Ok(())
    }

    fn graphs(&mut self, side: &Side, n: u64) -> Result<()> {
        let folder = self.root.group(side.graphs)?;
        for (name, graph) in self.loom.graphs(side.axis).all()? {
            if let Some(node) = self.kept_at(&format!("{}/{name}", side.graphs))?
                && graphs::graph_of(&node, n)?.as_ref() == Some(&graph)
            {
                tree::copy(&node, &folder, &name)?;
                continue;
            }
            graphs::write(&graph, &folder, &name)?;
            if !graphs::is_in_order(&graph) {
                let uns = tree::dict(&self.root.group("uns")?, KEPT_LOOM)?;
                graphs::keep(&graph, &tree::dict(&uns, side.kept[1])?, &name)?;
            }
        }
        let kept = self.kept.as_ref().map_or(Ok(Vec::new()), |k| tree::nodes(k, side.graphs))?;
        for (name, node) in kept {
            if !folder.contains(&name)? {
                if graphs::graph_of(&node, n)?.is_none() {
                    tree::copy(&node, &folder, &name)?;
                } else {
                    self.left_out.push(format!("{}/{name}", side.graphs));
                }
            }
        }
        Ok(())
    }

    /// What the loom says of itself, unless AnnData made it.
    fn attributes_of_file(&self) -> Result<()> {
        const USUAL: [&str; 2] = ["CreationDate", "LOOM_SPEC_VERSION"];
        let attributes = self.loom.file_attributes().all()?;
        let is_usual = attributes.keys().all(|name| USUAL.contains(&name.as_str()));
        if attributes.is_empty() || (self.kept.is_some() && is_usual) {
            return Ok(());
        }
        let uns = tree::dict(&self.root.group("uns")?, KEPT_LOOM)?;
        let group = tree::dict(&uns, "attrs")?;
        for (name, values) in &attributes {
            tree::put(&group, name, values)?;
        }
        Ok(())
    }
}
