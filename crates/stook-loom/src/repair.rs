//! What other writers do in their own way, put as the specification has it.

use stook::{AttributeEdits, DType, NodeKind, NodePath, Result, Selection, Values};

use crate::append;
use crate::attribute_value::{is_matrix_dtype, is_text, normalized, stored, values_of};
use crate::attributes;
use crate::axis::Axis;
use crate::change::{Change, attribute_path, named};
use crate::graph;
use crate::layout;
use crate::loom::Loom;
use crate::state::{ATTRS, State};
use crate::version;

/// What was mended: a line each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// What was mended, and how.
    pub changes: Vec<String>,
}

impl Loom {
    /// Puts what other writers do in their own way as the specification has it: attributes that
    /// are truth values, enumerations or compounds, text of the wrong kind, numbers of nodes that
    /// are floats, layers that cannot grow, versions that are arrays. No value is lost: a compound
    /// becomes an attribute for each of its members.
    ///
    /// # Errors
    /// `ReadOnly`, `Corrupt` where something cannot be read, `Unsupported` naming an attribute
    /// that cannot be mended, `Io`. Nothing is changed then.
    pub fn repair(&self) -> Result<Repaired> {
        let budget = self.options().budget_len_bytes;
        self.change(|change| {
            let mut repaired = Repaired::default();
            for axis in Axis::BOTH {
                repair_attributes(change, axis, &mut repaired)?;
                repair_graphs(change, axis, &mut repaired)?;
            }
            repair_version(change, &mut repaired)?;
            for name in change.state().layer_names()? {
                let old = change.state().layer(&name)?;
                let shape = change.shape();
                let max = old.spec().max_shape.clone();
                let can_grow = max.is_none_or(|max| max.get(1) == Some(&None));
                if old.spec().contiguous || !can_grow {
                    append::copied(change, &old, shape, budget)?;
                    change.touch(old.path());
                    repaired.changes.push(format!("`{}` can grow by columns", old.path()));
                }
            }
            Ok(repaired)
        })
    }
}

fn repair_attributes(change: &mut Change<'_>, axis: Axis, repaired: &mut Repaired) -> Result<()> {
    for name in change.state().attribute_names(axis)? {
        let path = attribute_path(axis, &name)?;
        let array = change.file().array(path.as_str())?;
        let dtype = array.dtype();
        let is_right = match (&dtype, change.state().version.is_v3()) {
            (DType::String(_), true) | (DType::FixedString(_), false) => true,
            (dtype, _) => is_matrix_dtype(dtype),
        };
        if is_right {
            continue;
        }
        let values = change.state().read(&array)?;
        if let DType::Struct(r#struct) = &dtype {
            change.remove(&path);
            change.touch(&path);
            for field in &r#struct.fields {
                let member = format!("{name}.{}", field.name.replace('/', "-"));
                let values = normalized(&field_of(&values, field)?)
                    .map_err(|error| error.within(format!("`{path}`, member `{}`", field.name)))?;
                attributes::put(change, axis, &member, &values)?;
                repaired.changes.push(format!("`{path}`: its member is now `{member}`"));
            }
            continue;
        }
        let values = normalized(&values).map_err(|error| error.within(format!("`{path}`")))?;
        attributes::put(change, axis, &name, &values)?;
        repaired.changes.push(format!("`{path}`: {dtype} is now {}", values.dtype()));
    }
    Ok(())
}

/// The values of one member of a compound.
fn field_of(values: &Values, field: &stook::dtype::Field) -> Result<Values> {
    let (size, len) = (values.dtype().item_size().max(1), field.dtype.item_size());
    let mut items = Vec::with_capacity(values.len().saturating_mul(len));
    for item in values.items().chunks_exact(size) {
        items.extend_from_slice(item.get(field.offset..field.offset + len).unwrap_or_default());
    }
    let mut shape = values.shape().to_vec();
    let mut dtype = field.dtype.clone();
    if let DType::Array(array) = &field.dtype {
        shape.extend_from_slice(&array.shape);
        dtype = array.item.clone();
    }
    Values::new(dtype, shape, items, values.heap().to_vec())
}

fn repair_graphs(change: &mut Change<'_>, axis: Axis, repaired: &mut Repaired) -> Result<()> {
    for name in graph::names(change.state(), axis)? {
        let group = named(axis.graphs(), &name)?;
        let mut is_right = true;
        for list in ["a", "b", "w"] {
            let path = group.join(list)?;
            if change.file().container().kind(&path)? == Some(NodeKind::Array) {
                let dtype = change.file().array(path.as_str())?.dtype();
                let is_float = matches!(dtype, DType::Float16 | DType::Float32 | DType::Float64);
                is_right &= is_float == (list == "w");
            }
        }
        if !is_right {
            let graph = graph::read(change.state(), axis, &name)?;
            graph::put(change, axis, &name, &graph)?;
            repaired.changes.push(format!("`{group}`: nodes are integers, weights are floats"));
        }
    }
    Ok(())
}

fn repair_version(change: &mut Change<'_>, repaired: &mut Repaired) -> Result<()> {
    let version = change.state().version;
    let scalar = Values::text(&version.to_string());
    let container = change.file().container().clone();
    let root = NodePath::root();
    let old = container.attribute(&root, version::NAME)?.as_ref().and_then(values_of);
    if old.is_some_and(|values| !values.shape().is_empty()) {
        let values = stored(&scalar, version)?;
        let adapted = container.adapt_attribute(version::NAME, &values.into())?.value;
        container.edit_attributes(&root, &AttributeEdits::new().set(version::NAME, adapted))?;
        change.touch(&root);
        repaired.changes.push(format!("the attribute `{}` is no array", version::NAME));
    }
    if !version.is_v3() {
        return Ok(());
    }
    change.require_group(&NodePath::parse(ATTRS)?)?;
    repair_file_attributes(change, repaired)?;
    let path = named(ATTRS, version::NAME)?;
    let is_scalar = match container.kind(&path)? {
        Some(NodeKind::Array) => change.file().array(path.as_str())?.shape().is_empty(),
        _ => false,
    };
    if !is_scalar {
        attributes::put_in_file(change, version::NAME, &scalar)?;
        repaired.changes.push(format!("`{path}` is a single text"));
    }
    Ok(())
}

fn repair_file_attributes(change: &mut Change<'_>, repaired: &mut Repaired) -> Result<()> {
    for name in State::names(change.state(), ATTRS, NodeKind::Array)? {
        let path = named(ATTRS, &name)?;
        let array = change.file().array(path.as_str())?;
        let dtype = array.dtype();
        let is_right = is_matrix_dtype(&dtype) || matches!(dtype, DType::String(_));
        if is_right || name == version::NAME || !(is_text(&dtype) || dtype == DType::Bool) {
            continue;
        }
        let values = normalized(&array.read(&Selection::All)?)?;
        let place = change.place(&path)?;
        layout::make_attribute(change.file(), &place, &values)?;
        change.touch(&path);
        repaired.changes.push(format!("`{path}`: {dtype} is now {}", values.dtype()));
    }
    Ok(())
}
