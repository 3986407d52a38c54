//! Dimension scales: the names of an array's axes, and the arrays that hold their coordinates.
//!
//! HDF5's dimension scales are attributes (the HDF5 Dimension Scale Specification): an array has
//! `DIMENSION_LABELS` (a name an axis) and `DIMENSION_LIST` (references to scales, a list an
//! axis); a scale has `CLASS`, `NAME`, and in `REFERENCE_LIST` the axes that it belongs to.
//!
//! Here an array has names of axes. They are read from labels, and where an axis has none from
//! the name of its first scale, as netCDF has it. They are written as labels; and an axis gets
//! for its scale the one-dimensional array of its name and length, in the group of the array or
//! the nearest above it, whose own axis has that name. Attributes that say no more than this are
//! not listed among those of a node.

use std::ffi::{CStr, CString};
use std::sync::Arc;

use stook_core::dtype::{DType, FixedString, Padding, StructType};
use stook_core::values::push_heap_item;
use stook_core::{AttributeValue, HeapItem, NodePath, Result, Values};

use crate::attributes::{self, Context};
use crate::ffi::{self, Dataset, Extent, Layout, LinkClass, Location, ObjectKind};
use crate::shared::{Shared, c_path};

/// The names of axes.
pub(crate) const LABELS: &CStr = c"DIMENSION_LABELS";
const LIST: &CStr = c"DIMENSION_LIST";
const CLASS: &CStr = c"CLASS";
const NAME: &CStr = c"NAME";
const REFERENCES: &CStr = c"REFERENCE_LIST";

const SCALE: &str = "DIMENSION_SCALE";

type Names = Vec<Option<String>>;

/// The names of the axes of the array `node`, of `rank` axes, if any has one.
pub(crate) fn read_names(
    location: &Location,
    node: &NodePath,
    rank: usize,
    context: Context<'_>,
) -> ffi::Result<Option<Names>> {
    let _lock = ffi::lock();
    let mut names = vec![None; rank];
    if let Some(value) = attributes::read_one(location, LABELS, context)?
        && let Some(labels) = labels_of(&value).filter(|labels| labels.len() == rank)
    {
        names = labels;
    }
    if names.contains(&None)
        && let Some(AttributeValue::Values(list)) = attributes::read_one(location, LIST, context)?
        && let Some(scales) = scales_of(&list).filter(|scales| scales.len() == rank)
    {
        for (name, scale) in names.iter_mut().zip(scales) {
            let last = |path: String| path.rsplit('/').next().map(str::to_owned);
            *name = name.take().or_else(|| scale.and_then(last)).filter(|name| !name.is_empty());
        }
    }
    if names == [None] && is_scale(location, context)? {
        names = vec![Some(node.name().to_owned())];
    }
    Ok(names.iter().any(Option::is_some).then_some(names))
}

fn labels_of(value: &AttributeValue) -> Option<Names> {
    let AttributeValue::Values(values) = value else { return None };
    if !matches!(values.dtype(), DType::String(_)) || values.shape().len() != 1 {
        return None;
    }
    (0..values.len())
        .map(|at| values.text_at(at).ok().map(|text| (!text.is_empty()).then_some(text)))
        .collect()
}

/// The path of the first scale of each axis.
fn scales_of(list: &Values) -> Option<Names> {
    let DType::Sequence(item) = list.dtype() else { return None };
    if **item != DType::Reference || list.shape().len() != 1 {
        return None;
    }
    let paths = (0..list.len()).map(|at| {
        let references = references_of(list, at)?.first_chunk::<16>();
        let path = references.map(|first| HeapItem::from_bytes(first).slice(list.heap(), 1));
        let path = path.transpose().ok()?.map(|path| String::from_utf8_lossy(path).into_owned());
        Some(path.filter(|path| !path.is_empty()))
    });
    paths.collect()
}

/// The references in list `at`, 16 bytes each.
fn references_of(list: &Values, at: usize) -> Option<&[u8]> {
    HeapItem::from_bytes(list.item(at)?).slice(list.heap(), 16).ok()
}

fn is_scale(location: &Location, context: Context<'_>) -> ffi::Result<bool> {
    Ok(attributes::read_text(location, CLASS, context)?.is_some_and(|class| class == SCALE))
}

/// Whether an attribute of this name and value may be one that is shown in another way.
pub(crate) fn may_imply(name: &CStr, value: Option<&AttributeValue>) -> bool {
    let is_scale = |value: &AttributeValue| match value {
        AttributeValue::Values(values) => {
            values.text_at(0).is_ok_and(|class| class == "DIMENSION_SCALE")
        }
        _ => false,
    };
    [LABELS, LIST, NAME, REFERENCES].contains(&name)
        || (name == CLASS && value.is_some_and(is_scale))
}

/// The attributes of the array `node` that say no more than the names of its axes do.
pub(crate) fn implied(
    location: &Location,
    node: &NodePath,
    context: Context<'_>,
) -> ffi::Result<Vec<&'static CStr>> {
    let labels = attributes::read_one(location, LABELS, context)?;
    let Some(labels) = labels.as_ref().and_then(labels_of) else { return Ok(Vec::new()) };
    let mut implied = vec![LABELS];
    if let Some(AttributeValue::Values(list)) = attributes::read_one(location, LIST, context)? {
        let scales = scales_of(&list).filter(|scales| scales.len() == labels.len());
        let has_many =
            (0..list.len()).any(|at| references_of(&list, at).is_some_and(|r| r.len() > 16));
        let is_named = |(scale, label): (Option<String>, &Option<String>)| {
            scale.is_none_or(|scale| scale.rsplit('/').next() == label.as_deref())
        };
        if !has_many && scales.is_some_and(|s| s.into_iter().zip(&labels).all(is_named)) {
            implied.push(LIST);
        }
    }
    let is_own = |name: &Option<String>| name.as_deref() == Some(node.name());
    if matches!(&labels[..], [name] if is_own(name))
        && is_scale(location, context)?
        && is_own(&attributes::read_text(location, NAME, context)?)
    {
        implied.extend([CLASS, NAME, REFERENCES]);
    }
    Ok(implied)
}

/// Writes the names of axes as h5py does.
pub(crate) fn write_labels(
    location: &Location,
    names: &[Option<String>],
    shared: &Shared,
) -> ffi::Result<()> {
    let texts: Vec<&str> = names.iter().map(|name| name.as_deref().unwrap_or("")).collect();
    let values = Values::from_strings(vec![texts.len() as u64], &texts)?;
    attributes::create_one(location, LABELS, &values, shared)
}

/// How far the scales of an array have been found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attached {
    /// There is nothing more to do.
    All,
    /// Some named axis has none yet.
    NotAll,
}

/// Attaches to each named axis of the array `node` its scale; where one is missing only if
/// `must_be_whole` does not say to wait for it.
///
/// # Errors
/// `Io`, `Corrupt`.
pub(crate) fn attach(shared: &Shared, node: &NodePath, must_be_whole: bool) -> Result<Attached> {
    let _lock = ffi::lock();
    let path = c_path(node)?;
    let (corrupt, io) = (shared.corrupt(node), shared.io(node));
    let root = Location::open(shared.file(), c"/").map_err(&corrupt)?;
    if root.link(&path).ok().flatten() != Some(LinkClass::Hard) {
        return Ok(Attached::All);
    }
    let location = Location::open(shared.file(), &path).map_err(&corrupt)?;
    let context: Context<'_> = (shared, &shared.limits);
    let labels = attributes::read_one(&location, LABELS, context).map_err(&corrupt)?;
    let Some(names) = labels.as_ref().and_then(labels_of) else { return Ok(Attached::All) };
    if location.has_attribute(LIST).map_err(&corrupt)? || is_own_scale(&names, node) {
        return Ok(Attached::All);
    }
    let shape = shape_of(shared, &path).map_err(&corrupt)?;
    let mut scales: Vec<Option<NodePath>> = Vec::with_capacity(names.len());
    for (name, len) in names.iter().zip(shape) {
        scales.push(match name {
            Some(name) => find(shared, &root, node, (name.as_str(), len))?,
            None => None,
        });
    }
    let is_whole = names.iter().zip(&scales).all(|(name, scale)| name.is_none() || scale.is_some());
    if (must_be_whole && !is_whole) || scales.iter().all(Option::is_none) {
        return Ok(if is_whole { Attached::All } else { Attached::NotAll });
    }
    attributes::create_one(&location, LIST, &list_of(&scales)?, shared).map_err(&io)?;
    for (axis, scale) in scales.iter().enumerate() {
        if let Some(scale) = scale {
            let of = Location::open(shared.file(), &c_path(scale)?).map_err(&corrupt)?;
            register(shared, &of, scale, (node, axis)).map_err(shared.io(scale))?;
        }
    }
    Ok(Attached::All)
}

/// Whether an array of axes called `names` is the scale of its own axis.
fn is_own_scale(names: &[Option<String>], node: &NodePath) -> bool {
    matches!(names, [Some(name)] if name == node.name())
}

fn shape_of(shared: &Shared, path: &CString) -> ffi::Result<Vec<u64>> {
    let dataset = Dataset::open_unchecked(shared.file(), path, ffi::ChunkCache::None)?;
    if dataset.creation()?.layout()? == Layout::Virtual {
        // How long it is depends on others.
        return Ok(Vec::new());
    }
    match dataset.space()?.extent()? {
        Extent::Simple { shape, .. } => Ok(shape),
        _ => Ok(Vec::new()),
    }
}

/// The array that is the scale of an axis of `node` with `axis`' name and length.
fn find(
    shared: &Shared,
    root: &Location,
    node: &NodePath,
    axis: (&str, u64),
) -> Result<Option<NodePath>> {
    let context: Context<'_> = (shared, &shared.limits);
    let mut group = node.parent();
    while let Some(at) = group {
        group = at.parent();
        let Ok(candidate) = at.join(axis.0) else { return Ok(None) };
        let path = c_path(&candidate)?;
        let is_there = root.link(&path).ok().flatten() == Some(LinkClass::Hard)
            && root.kind_at(&path).ok() == Some(ObjectKind::Dataset);
        if !is_there || candidate == *node {
            continue;
        }
        let look = || -> ffi::Result<bool> {
            let location = Location::open(shared.file(), &path)?;
            let labels = attributes::read_one(&location, LABELS, context)?;
            let is_named = labels
                .as_ref()
                .and_then(labels_of)
                .is_some_and(|l| matches!(&l[..], [Some(name)] if name == axis.0));
            let is_free = !location.has_attribute(CLASS)? || is_scale(&location, context)?;
            Ok(is_named && is_free && shape_of(shared, &path)? == [axis.1])
        };
        if look().map_err(shared.corrupt(&candidate))? {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

/// A list of references for each axis.
fn list_of(scales: &[Option<NodePath>]) -> Result<Values> {
    let (mut items, mut heap) = (Vec::new(), Vec::new());
    for scale in scales {
        let (mut references, mut len) = (Vec::new(), 0);
        if let Some(scale) = scale {
            push_heap_item(&mut references, &mut heap, scale.as_str().as_bytes());
            len = 1;
        }
        items.extend(HeapItem { offset: heap.len() as u64, len }.to_bytes());
        heap.extend(references);
    }
    let dtype = DType::Sequence(Arc::new(DType::Reference));
    Values::new(dtype, vec![scales.len() as u64], items, heap)
}

/// Makes the array at `scale` a scale, if it is none yet, and adds an axis of another to those
/// that it belongs to.
#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn register(
    shared: &Shared,
    location: &Location,
    scale: &NodePath,
    axis: (&NodePath, usize),
) -> ffi::Result<()> {
    let context: Context<'_> = (shared, &shared.limits);
    if !location.has_attribute(CLASS)? {
        attributes::create_one(location, CLASS, &terminated(SCALE)?, shared)?;
        if !location.has_attribute(NAME)? {
            attributes::create_one(location, NAME, &terminated(scale.name())?, shared)?;
        }
    }
    let members = [("dataset", DType::Reference), ("dimension", DType::UInt32)];
    let members = members.map(|(name, dtype)| (name.to_owned(), dtype));
    let dtype = DType::Struct(Arc::new(StructType::packed(members)?));
    let old = attributes::read_one(location, REFERENCES, context)?;
    let (mut items, mut heap) = match old {
        Some(AttributeValue::Values(old)) if names_axes(old.dtype()) => {
            let (_, _, items, heap) = old.into_parts();
            (items, heap)
        }
        _ => (Vec::new(), Vec::new()),
    };
    push_heap_item(&mut items, &mut heap, axis.0.as_str().as_bytes());
    items.extend(u32::try_from(axis.1).unwrap_or(u32::MAX).to_ne_bytes());
    let n = items.len() / dtype.item_size();
    let values = Values::new(dtype, vec![n as u64], items, heap)?;
    if location.has_attribute(REFERENCES)? {
        location.delete_attribute(REFERENCES)?;
    }
    attributes::create_one(location, REFERENCES, &values, shared)
}

/// Whether `dtype` is a reference and the number of an axis, one behind the other.
fn names_axes(dtype: &DType) -> bool {
    let DType::Struct(r#struct) = dtype else { return false };
    matches!(&r#struct.fields[..], [dataset, axis]
        if dataset.dtype == DType::Reference && dataset.offset == 0
            && matches!(axis.dtype, DType::UInt32 | DType::Int32)
            && axis.offset == 16 && r#struct.size == 20)
}

/// Text with a NUL at its end, in a field that it fills.
fn terminated(text: &str) -> ffi::Result<Values> {
    let mut items = text.as_bytes().to_vec();
    items.push(0);
    let string = FixedString {
        len_bytes: items.len(),
        charset: stook_core::dtype::Charset::Ascii,
        padding: Padding::NullTerminated,
    };
    Ok(Values::new(DType::FixedString(string), Vec::new(), items, Vec::new())?)
}
