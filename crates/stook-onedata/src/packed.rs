//! What a session saved as arrays in one Zarr or HDF5 file, in place of a folder of npy and npz files.
//!
//! An array is an array of that name, a sparse matrix a group of scipy's members whose name ends in
//! `.npz`, objects (recipes among them) the bytes of their npy file. The attribute `onedata` tells which,
//! and how an array lay in its npy file. docs/formats/onedata.md draws it.
//!
//! Invariants: the file is opened for each call and held by none but the arrays that were loaded; a save
//! is one commit, which HDF5 files and zip archives have whole or not at all. In a folder of Zarr a new
//! array is made beside the old one, then takes its name.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stook::npy::{ObjectArray, npy_header_of};
use stook::pickle::Form;
use stook::sparse::Sparse;
use stook::{Array, AttributeValue, AxisSelection, File, Format, Group, Node, NodeKind, Selection};
use stook_core::codec::Endian;
use stook_core::engine::gate;
use stook_core::file::place::{draft_of, kind_of, remove};
use stook_core::file::write_atomic;
use stook_core::{
    ArraySpec, CodecSpec, DType, Durability, Error, Limits, OpenOptions, Result, Values,
};

use crate::data::Data;
use crate::name::OneName;
use crate::one_data::{FileKind, OneFile};

/// What the names of files end in that are no folders of npy and npz files.
const SUFFIXES: [&str; 4] = [".zarr", ".h5", ".hdf5", ".zip"];
/// What tells what a node is.
const MARK: &str = "onedata";
const OBJECTS: &str = "objects";
const ARRAY: &str = "array";
/// Nodes in the making are called so,
const DRAFT: &str = "stook-draft.";
/// and so when they are whole and have not yet the place of the old one.
const WHOLE: &str = "stook-whole.";
/// As many bytes are copied at a time.
const BLOCK_LEN: u64 = 64 << 20;

/// How the items of an array lie in its npy file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lay {
    is_fortran: bool,
    is_big: bool,
}

impl Lay {
    /// That of an npy file.
    pub(crate) fn of(spec: &ArraySpec) -> Self {
        let mut lay = Self::default();
        for codec in &spec.codecs {
            lay.is_big |= *codec == CodecSpec::ByteOrder(Endian::Big);
            lay.is_fortran |= matches!(codec, CodecSpec::Transpose { .. });
        }
        lay
    }

    fn to_json(self) -> Value {
        let (order, endian) =
            (if self.is_fortran { "F" } else { "C" }, if self.is_big { "big" } else { "little" });
        json!({"kind": ARRAY, "order": order, "endian": endian})
    }

    fn of_json(mark: &Value) -> Self {
        let is = |name: &str, value: &str| mark.get(name).and_then(Value::as_str) == Some(value);
        Self { is_fortran: is("order", "F"), is_big: is("endian", "big") }
    }

    /// What lays the items of an npy file so.
    fn codecs(self, rank: usize) -> Vec<CodecSpec> {
        let mut codecs = Vec::new();
        if self.is_fortran {
            codecs.push(CodecSpec::Transpose { order: (0..rank).rev().collect() });
        }
        let endian = if self.is_big { Endian::Big } else { Endian::Little };
        codecs.push(CodecSpec::ByteOrder(endian));
        codecs
    }
}

/// A file that holds what a session saved.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    path: PathBuf,
}

impl Packed {
    /// The file at `path`; `None` where that is the name of a folder of npy and npz files.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        let name = path.to_string_lossy().to_lowercase();
        let is_one = SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
        is_one.then(|| Self { path: path.to_path_buf() })
    }

    /// The name of a session's folder in that of its file; `None` where it is no name of a file.
    pub(crate) fn stem(file_name: &str) -> Option<&str> {
        let lower = file_name.to_lowercase();
        let suffix = SUFFIXES.iter().find(|suffix| lower.ends_with(*suffix))?;
        file_name.get(..file_name.len() - suffix.len()).filter(|stem| !stem.is_empty())
    }

    /// The file that has the place of the folder `path`, which is not there.
    ///
    /// # Errors
    /// `InvalidInput` if there are two, `Io`.
    pub(crate) fn in_place_of(path: &Path) -> Result<Option<Self>> {
        let mut found: Option<Self> = None;
        let Some(name) = path.file_name() else { return Ok(None) };
        for suffix in SUFFIXES {
            let mut name = name.to_owned();
            name.push(suffix);
            let file = path.with_file_name(name);
            if kind_of(&file)?.is_none() {
                continue;
            }
            if let Some(Self { path: other }) = &found {
                let what =
                    format!("the session lies in two files, this one and {}", other.display());
                let error = Error::invalid(what).at_file(&file);
                return Err(error.with_hint("keep one of them there"));
            }
            found = Some(Self { path: file });
        }
        Ok(found)
    }

    /// Whether something in the file was saved as part of a session.
    ///
    /// # Errors
    /// Those of opening it.
    pub(crate) fn is_session(&self, options: &OpenOptions) -> Result<bool> {
        let Some(file) = self.open(options)? else { return Ok(false) };
        let root = file.root_group()?;
        for child in root.children()? {
            if child.kind == Some(NodeKind::Array)
                && let Node::Array(array) = root.node(&child.name)?
                && mark_of(&array)?.is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn open(&self, options: &OpenOptions) -> Result<Option<File>> {
        if kind_of(&self.path)?.is_none() {
            return Ok(None);
        }
        File::open_with(&self.path, options).map(Some)
    }

    /// Opens the file to change it, or makes it, and commits what `work` did.
    fn change<T>(
        &self,
        durability: Durability,
        work: impl FnOnce(&File) -> Result<T>,
    ) -> Result<T> {
        let file = File::require(&self.path)?;
        mend(&file)?;
        let done = work(&file)?;
        // Without a commit others would not see it.
        file.commit_with(if durability == Durability::Fsync {
            durability
        } else {
            Durability::Flush
        })?;
        Ok(done)
    }

    pub(crate) fn files(&self, options: &OpenOptions) -> Result<Vec<OneFile>> {
        let Some(file) = self.open(options)? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for child in file.root_group()?.children()? {
            if child.name.starts_with(DRAFT) || child.name.starts_with(WHOLE) {
                continue;
            }
            let (kind, name) = match (child.kind, child.name.strip_suffix(".npz")) {
                (Some(NodeKind::Group), Some(name)) => (FileKind::Npz, name),
                (Some(NodeKind::Array), _) => (FileKind::Npy, child.name.as_str()),
                _ => continue,
            };
            found.extend(name.parse().ok().map(|name: OneName| OneFile { kind, name }));
        }
        found.sort();
        Ok(found)
    }

    pub(crate) fn has(&self, file: &OneFile, options: &OpenOptions) -> Result<bool> {
        let Some(opened) = self.open(options)? else { return Ok(false) };
        opened.root_group()?.contains(&node_of(file)?)
    }

    /// Loads what is saved. An HDF5 file cannot be changed while an array of it is held: it comes as
    /// values.
    pub(crate) fn load(&self, file: &OneFile, options: &OpenOptions) -> Result<Data> {
        match self.load_held(file, options)? {
            Data::Array(array) if array.file().format() == Format::Hdf5 => {
                array.read(&Selection::All).map(Data::from)
            }
            other => Ok(other),
        }
    }

    /// The same, arrays in their file.
    pub(crate) fn load_held(&self, file: &OneFile, options: &OpenOptions) -> Result<Data> {
        let missing =
            || Error::not_found(format!("there is nothing saved as `{file}`")).at_file(&self.path);
        let opened = self.open(options)?.ok_or_else(missing)?;
        let (root, node) = (opened.root_group()?, node_of(file)?);
        if !root.contains(&node)? {
            return Err(missing());
        }
        match (root.node(&node)?, file.kind) {
            (Node::Group(group), FileKind::Npz) => {
                let container = opened.container().as_ref();
                Sparse::read(container, group.path()).map(|matrix| Data::Sparse(matrix.into()))
            }
            (Node::Array(array), FileKind::Npy) if is_objects(&array)? => {
                objects(&array, &options.limits).map(|objects| Data::Objects(objects.into()))
            }
            (Node::Array(array), FileKind::Npy) => Ok(Data::Array(array)),
            _ => {
                Err(Error::corrupt(format!("`{node}` is not what its name says"))
                    .at_file(&self.path))
            }
        }
    }

    pub(crate) fn load_columns(
        &self,
        file: &OneFile,
        range: std::ops::Range<u64>,
        options: &OpenOptions,
    ) -> Result<Sparse> {
        let missing = || Error::not_found("there is no such matrix").at_file(&self.path);
        let opened = self.open(options)?.ok_or_else(missing)?;
        let group = opened.group(&node_of(file)?)?;
        Sparse::read_range(opened.container().as_ref(), group.path(), range)
    }

    /// How the array saved as `file` lay in its npy file.
    pub(crate) fn lay_of(array: &Array) -> Result<Lay> {
        Ok(mark_of(array)?.map_or_else(Lay::default, |mark| Lay::of_json(&mark)))
    }

    pub(crate) fn save_array(
        &self,
        name: &OneName,
        array: &Array,
        lay: Lay,
        durability: Durability,
    ) -> Result<()> {
        self.replace(&OneFile::npy(name.clone()), durability, |file, draft| {
            let root = file.root_group()?;
            let new = root.array(draft).dtype(array.dtype()).shape(array.shape());
            let new = new.attribute(MARK, lay.to_json().to_string()).create()?;
            copy(array, &new)
        })
    }

    /// Saves the array of an npy file's bytes.
    pub(crate) fn save_items(
        &self,
        name: &OneName,
        spec: &ArraySpec,
        parts: &[&[u8]],
        durability: Durability,
    ) -> Result<()> {
        let beside = draft_of(&self.path).with_extension("npy");
        let saved = write_atomic(&beside, &parts.concat(), Durability::None).and_then(|()| {
            let array = File::open(&beside)?.array("/")?;
            self.save_array(name, &array, Lay::of(spec), durability)
        });
        remove(&beside)?;
        saved
    }

    pub(crate) fn save_objects(
        &self,
        name: &OneName,
        objects: &ObjectArray,
        durability: Durability,
    ) -> Result<()> {
        let bytes = objects.to_npy(Form::Numpy1)?;
        let values = Values::new(DType::UInt8, vec![bytes.len() as u64], bytes, Vec::new())?;
        self.replace(&OneFile::npy(name.clone()), durability, |file, draft| {
            let root = file.root_group()?;
            let new = root.array(draft).dtype(DType::UInt8).shape(values.shape().to_vec());
            let mark = json!({"kind": OBJECTS}).to_string();
            new.attribute(MARK, mark).create()?.write(&Selection::All, &values)
        })
    }

    pub(crate) fn save_sparse(
        &self,
        name: &OneName,
        matrix: &Sparse,
        durability: Durability,
    ) -> Result<()> {
        self.replace(&OneFile::npz(name.clone()), durability, |file, draft| {
            let group = file.root_group()?.create_group(draft)?;
            matrix.write(file.container().as_ref(), group.path())
        })
    }

    pub(crate) fn remove(&self, file: &OneFile, durability: Durability) -> Result<bool> {
        if kind_of(&self.path)?.is_none() {
            return Ok(false);
        }
        let node = node_of(file)?;
        self.change(durability, |opened| {
            let root = opened.root_group()?;
            let is_there = root.contains(&node)?;
            if is_there {
                root.remove(&node)?;
            }
            Ok(is_there)
        })
    }

    /// Has `make` make a draft, which then takes the place of `file`.
    fn replace(
        &self,
        file: &OneFile,
        durability: Durability,
        make: impl FnOnce(&File, &str) -> Result<()>,
    ) -> Result<()> {
        let node = node_of(file)?;
        let (draft, whole) = (format!("{DRAFT}{node}"), format!("{WHOLE}{node}"));
        self.change(durability, |opened| {
            let root = opened.root_group()?;
            make(opened, &draft).inspect_err(|_| {
                // The first error is the one to tell.
                let _ = root.remove(&draft);
            })?;
            root.rename(&draft, &whole)?;
            take_place(&root, &whole, &node)
        })
    }
}

/// What a file is called in its container.
fn node_of(file: &OneFile) -> Result<String> {
    let name = file.name.as_str();
    if file.kind == FileKind::Npz {
        return Ok(format!("{name}.npz"));
    }
    if name.ends_with(".npz") || name.starts_with(DRAFT) || name.starts_with(WHOLE) {
        let what = format!("`{name}` cannot be the name of an array in a Zarr or HDF5 file");
        return Err(Error::invalid(what));
    }
    Ok(name.to_owned())
}

/// Gives a node that is whole the name of the old one.
fn take_place(root: &Group, whole: &str, node: &str) -> Result<()> {
    if root.contains(node)? {
        root.remove(node)?;
    }
    root.rename(whole, node)
}

/// Ends what a writer began who was killed: what is whole takes its place, what is not goes.
fn mend(file: &File) -> Result<()> {
    let root = file.root_group()?;
    for child in root.children()? {
        if child.name.starts_with(DRAFT) {
            root.remove(&child.name)?;
        } else if let Some(node) = child.name.strip_prefix(WHOLE) {
            take_place(&root, &child.name, node)?;
        }
    }
    Ok(())
}

fn mark_of(array: &Array) -> Result<Option<Value>> {
    let attributes = array.attributes()?;
    Ok(match attributes.get(MARK) {
        Some(AttributeValue::Json(Value::String(text))) => serde_json::from_str(text).ok(),
        Some(AttributeValue::Values(values)) => {
            serde_json::from_str(&values.text_at(0).unwrap_or_default()).ok()
        }
        _ => None,
    })
}

fn is_objects(array: &Array) -> Result<bool> {
    let mark = mark_of(array)?;
    Ok(mark.is_some_and(|mark| mark.get("kind").and_then(Value::as_str) == Some(OBJECTS)))
}

fn objects(array: &Array, limits: &Limits) -> Result<ObjectArray> {
    let located = |error: Error| error.at_node(array.path()).at_file(array.file().path());
    let len = array.shape().first().copied().unwrap_or(0);
    if array.dtype() != DType::UInt8 || array.shape().len() != 1 {
        return Err(located(Error::corrupt("expected the bytes of objects")));
    }
    limits.chunk(len).map_err(located)?;
    let values = array.read(&Selection::All)?;
    let objects = ObjectArray::parse(values.items(), limits).map_err(located)?;
    objects.ok_or_else(|| located(Error::corrupt("expected objects, found an array of items")))
}

/// Copies all elements, some rows at a time.
fn copy(from: &Array, to: &Array) -> Result<()> {
    let shape = from.shape();
    let Some(&n_rows) = shape.first() else {
        return to.write(&Selection::All, &from.read(&Selection::All)?);
    };
    let row = shape.iter().skip(1).product::<u64>() * from.dtype().item_size() as u64;
    let step = (BLOCK_LEN / row.max(1)).max(1);
    let mut at = 0;
    while at < n_rows {
        gate::checkpoint()?;
        let end = n_rows.min(at + step);
        let mut axes = vec![AxisSelection::range(at, end)];
        axes.resize(shape.len(), AxisSelection::ALL);
        let rows = Selection::Axes(axes);
        to.write(&rows, &from.read(&rows)?)?;
        at = end;
    }
    Ok(())
}

/// Writes an npy file of the array that was saved so.
pub(crate) fn write_npy(target: &Path, array: &Array, lay: Lay) -> Result<()> {
    let shape = array.shape();
    let mut spec = ArraySpec::new(array.dtype(), shape.clone());
    spec.codecs = lay.codecs(shape.len());
    if spec.n_bytes() == 0 {
        return write_atomic(target, &npy_header_of(&spec)?, Durability::None);
    }
    let new = File::create_array(target)?.dtype(array.dtype()).codecs(spec.codecs);
    let new = new.shape(shape).create()?;
    copy(array, &new)?;
    new.file().commit()
}
