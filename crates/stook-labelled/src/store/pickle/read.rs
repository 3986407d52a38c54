//! larray's objects in a pickle to those of this crate.

use stook::pickle::{Node, NodeId, Object, Pickle};
use stook_core::{Error, ErrorKind, Result};

use super::{ARRAY, AXIS, AXIS_COLLECTION, AXIS_REFERENCE, IGROUP, LGROUP, METADATA_NAME};
use crate::group::{Bounds, Group, GroupKey, LabelKey, PositionKey};
use crate::item::{Item, ItemKind};
use crate::session::{LoadReport, Session};
use crate::store::each_at_once;
use crate::store::python::{self, unexpected};
use crate::{Array, Axis, AxisCollection, AxisName, AxisRef, Label, Labels};

/// The objects of the dictionary that the pickle is.
pub(super) fn session(pickle: &Pickle, names: Option<&[String]>) -> Result<(Session, LoadReport)> {
    let root = pickle.node(pickle.root())?;
    let (Node::Dict(pairs) | Node::OrderedDict(pairs)) = root else {
        return Err(unexpected("a dictionary of names and objects", root));
    };
    let (mut report, mut session) = (LoadReport::default(), Session::new());
    let (mut wanted, mut found) = (Vec::new(), Vec::new());
    for (key, value) in pairs {
        let key = pickle.node(*key)?;
        let name = key.as_text().ok_or_else(|| unexpected("a name", key))?;
        if name == METADATA_NAME {
            *session.metadata_mut() = python::metadata(pickle, *value)?;
            continue;
        }
        if names.is_some_and(|names| names.iter().all(|wanted| wanted != name)) {
            continue;
        }
        wanted.push((name, *value));
    }
    // Elements are read from the file here.
    let items = each_at_once(wanted.len(), &|at| {
        let Some(&(_, id)) = wanted.get(at) else { return Ok(None) };
        match item(pickle, id) {
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(Some(Err(error))),
            found => found.map(|item| Some(Ok(item))),
        }
        .map_err(|error| match wanted.get(at) {
            Some((name, _)) => error.within(format_args!("`{name}`")),
            None => error,
        })
    })?;
    for ((name, _), item) in wanted.into_iter().zip(items) {
        match item {
            Some(Ok(item)) => found.push((name, item)),
            Some(Err(error)) => report.skip(name, error.message()),
            None => {}
        }
    }
    let rank = |item: &Item| match item.kind() {
        ItemKind::Axis => 1,
        ItemKind::Group => 2,
        ItemKind::Array => 3,
        _ => 0,
    };
    found.sort_by_key(|(_, item)| rank(item));
    for (name, item) in found {
        session.insert(name, item);
        report.loaded.push(name.to_owned());
    }
    Ok((session, report))
}

fn item(pickle: &Pickle, id: NodeId) -> Result<Item> {
    let Node::Object(object) = pickle.node(id)? else {
        return python::scalar(pickle, id).map(Item::Scalar);
    };
    match object.class {
        ARRAY => array(pickle, object),
        AXIS => axis(pickle, object).map(Item::Axis),
        LGROUP | IGROUP => group(pickle, object).map(Item::Group),
        other => Err(Error::unsupported(format!("a {} as an object", other.name))),
    }
}

fn malformed(class: &str) -> Error {
    Error::corrupt(format!("the state of the {class} is malformed"))
}

/// The parts of the tuple that is the state of an object.
fn state<'a>(pickle: &'a Pickle, object: &Object) -> Result<&'a [NodeId]> {
    let malformed = || malformed(object.class.name);
    match pickle.node(object.state.ok_or_else(malformed)?)? {
        Node::Tuple(parts) | Node::List(parts) => Ok(parts),
        _ => Err(malformed()),
    }
}

fn array(pickle: &Pickle, object: &Object) -> Result<Item> {
    let &[data, axes, ref metadata @ ..] = state(pickle, object)? else {
        return Err(malformed("Array"));
    };
    let Node::Object(collection) = pickle.node(axes)? else { return Err(malformed("Array")) };
    if collection.class != AXIS_COLLECTION {
        return Err(malformed("Array"));
    }
    let mut axes = Vec::new();
    for id in state(pickle, collection)? {
        match pickle.node(*id)? {
            Node::Object(object) if object.class == AXIS => axes.push(axis(pickle, object)?),
            other => return Err(unexpected("an axis", other)),
        }
    }
    let values = python::values(pickle, data)?;
    let metadata = metadata.first().map(|id| python::metadata(pickle, *id)).transpose()?;
    let array = Array::new(AxisCollection::from(axes), values);
    let array = array.map_err(|error| Error::corrupt(error.message()))?;
    Ok(Item::Array(array, metadata.unwrap_or_default()))
}

/// The slots in the state of an axis: `(attributes, slots)`.
fn slots(pickle: &Pickle, object: &Object) -> Result<NodeId> {
    match state(pickle, object)? {
        &[_, slots] => Ok(slots),
        _ => Err(malformed(object.class.name)),
    }
}

fn axis(pickle: &Pickle, object: &Object) -> Result<Axis> {
    let slots = slots(pickle, object)?;
    let slot = |name: &str| pickle.item(slots, name).ok_or_else(|| malformed("Axis"));
    let name = axis_name(pickle, slot("name")?)?;
    let is_wildcard = matches!(pickle.node(slot("_iswildcard")?)?, Node::Bool(true));
    if is_wildcard {
        let len = pickle.node(slot("_length")?)?.as_int();
        let len = len.and_then(|len| usize::try_from(len).ok()).ok_or_else(|| malformed("Axis"))?;
        return Ok(Axis::wildcard(len, name));
    }
    Ok(Axis::new(python::labels(pickle, slot("_labels")?)?, name))
}

fn axis_name(pickle: &Pickle, id: NodeId) -> Result<Option<AxisName>> {
    Ok(match python::label(pickle, id)? {
        Label::None => None,
        Label::Str(text) => Some(AxisName::Text(text)),
        Label::Int(number) => Some(AxisName::Int(number)),
        other => return Err(Error::unsupported(format!("an axis called `{other}`"))),
    })
}

fn group(pickle: &Pickle, object: &Object) -> Result<Group> {
    let &[key, name, axis] = state(pickle, object)? else {
        return Err(malformed(object.class.name));
    };
    let axis = axis_ref(pickle, axis)?;
    let name = match python::label(pickle, name)? {
        Label::None => None,
        name => Some(name),
    };
    let key = if object.class == IGROUP {
        GroupKey::Positions(position_key(pickle, key)?)
    } else {
        GroupKey::Labels(label_key(pickle, key)?)
    };
    Ok(Group::new(key, name, axis))
}

fn axis_ref(pickle: &Pickle, id: NodeId) -> Result<Option<AxisRef>> {
    match pickle.node(id)? {
        Node::Object(object) if object.class == AXIS => Ok(Some(axis(pickle, object)?.into())),
        Node::Object(object) if object.class == AXIS_REFERENCE => {
            let name = pickle.item(slots(pickle, object)?, "name");
            let name = axis_name(pickle, name.ok_or_else(|| malformed("AxisReference"))?)?;
            Ok(name.map(AxisRef::from))
        }
        _ => Ok(axis_name(pickle, id)?.map(AxisRef::from)),
    }
}

fn label_key(pickle: &Pickle, id: NodeId) -> Result<LabelKey> {
    let node = pickle.node(id)?;
    Ok(match node {
        Node::Slice(parts) => LabelKey::Slice(bounds(pickle, parts, |id| {
            Ok(match python::label(pickle, id)? {
                Label::None => None,
                label => Some(label),
            })
        })?),
        Node::List(_) | Node::Tuple(_) | Node::Array(_) => {
            LabelKey::List(python::labels(pickle, id)?)
        }
        Node::Set(items) | Node::FrozenSet(items) => {
            let labels = items.iter().map(|id| python::label(pickle, *id));
            LabelKey::List(Labels::from_labels(labels.collect::<Result<_>>()?))
        }
        Node::Object(_) => return Err(unexpected("a label or labels", node)),
        _ => LabelKey::Scalar(python::label(pickle, id)?),
    })
}

fn position_key(pickle: &Pickle, id: NodeId) -> Result<PositionKey> {
    let node = pickle.node(id)?;
    let position = |label: Label| {
        label.as_int().ok_or_else(|| Error::unsupported(format!("the position `{label}`")))
    };
    Ok(match node {
        Node::Slice(parts) => PositionKey::Slice(bounds(pickle, parts, |id| {
            Ok(match python::label(pickle, id)? {
                Label::None => None,
                label => Some(position(label)?),
            })
        })?),
        Node::List(_) | Node::Tuple(_) | Node::Array(_) => {
            let labels = python::labels(pickle, id)?;
            PositionKey::List(labels.iter().map(position).collect::<Result<_>>()?)
        }
        _ => PositionKey::At(position(python::label(pickle, id)?)?),
    })
}

fn bounds<T>(
    pickle: &Pickle,
    &[start, stop, step]: &[NodeId; 3],
    bound: impl Fn(NodeId) -> Result<Option<T>>,
) -> Result<Bounds<T>> {
    let step = match pickle.node(step)? {
        Node::None => None,
        node => {
            let step = node.as_int().and_then(|step| i64::try_from(step).ok());
            Some(step.ok_or_else(|| unexpected("a step", node))?)
        }
    };
    Ok(Bounds { start: bound(start)?, stop: bound(stop)?, step })
}
