//! Objects of this crate as larray pickles its own.

use stook::pickle::{Node, NodeId, Object, Pickle};
use stook_core::{Error, ErrorKind, Result};

use super::{ARRAY, AXIS, AXIS_COLLECTION, AXIS_REFERENCE, IGROUP, LGROUP, METADATA_NAME};
use crate::group::{Bounds, Group, GroupKey, LabelKey, PositionKey};
use crate::item::Item;
use crate::metadata::Metadata;
use crate::session::SaveReport;
use crate::store::python;
use crate::{Array, Axis, AxisName, AxisRef, Label};

/// The dictionary of `items`, and what of them is in it.
pub(super) fn session(
    items: &[(&str, &Item)],
    metadata: &Metadata,
) -> Result<(Pickle, SaveReport)> {
    let mut writer = Writer { pickle: Pickle::new(Node::None), axes: Vec::new() };
    let mut report = SaveReport::default();
    let key = writer.text(METADATA_NAME)?;
    let mut pairs = vec![(key, python::add_metadata(&mut writer.pickle, metadata)?)];
    for (name, item) in items {
        match writer.item(item) {
            Ok(id) => {
                pairs.push((writer.text(name)?, id));
                report.saved.push((*name).to_owned());
            }
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                report.skip(*name, error.message());
            }
            Err(error) => return Err(error),
        }
    }
    let root = writer.pickle.add(Node::Dict(pairs))?;
    Ok((writer.pickle.with_root(root), report))
}

struct Writer {
    pickle: Pickle,
    /// Axes that are in the pickle: one that several arrays share is there once.
    axes: Vec<(Axis, NodeId)>,
}

impl Writer {
    fn text(&mut self, text: &str) -> Result<NodeId> {
        self.pickle.add(Node::Text(text.to_owned()))
    }

    fn item(&mut self, item: &Item) -> Result<NodeId> {
        match item {
            Item::Array(array, metadata) => self.array(array, metadata),
            Item::Axis(axis) => self.axis(axis),
            Item::Group(group) => self.group(group),
            Item::Scalar(scalar) => python::add_scalar(&mut self.pickle, scalar),
            Item::Session(_) => Err(Error::unsupported("a session within a session")),
        }
    }

    fn object(&mut self, object: Object) -> Result<NodeId> {
        self.pickle.add(Node::Object(Box::new(object)))
    }

    fn array(&mut self, array: &Array, metadata: &Metadata) -> Result<NodeId> {
        let data = python::add_values(&mut self.pickle, array.data())?;
        let axes = array.axes().iter().map(|axis| self.axis(axis)).collect::<Result<_>>()?;
        let axes = Some(self.pickle.add(Node::List(axes))?);
        let axes = self.object(Object { state: axes, ..Object::new(AXIS_COLLECTION) })?;
        let metadata = python::add_metadata(&mut self.pickle, metadata)?;
        let state = Some(self.pickle.add(Node::Tuple(vec![data, axes, metadata]))?);
        self.object(Object { state, ..Object::new(ARRAY) })
    }

    fn axis(&mut self, axis: &Axis) -> Result<NodeId> {
        let is_same =
            |known: &Axis| known.labels().is_same(axis.labels()) && known.name() == axis.name();
        if let Some((_, id)) = self.axes.iter().find(|(known, _)| is_same(known)) {
            return Ok(*id);
        }
        let name = self.axis_name(axis.name())?;
        let labels = python::add_labels(&mut self.pickle, &axis.labels().without_wildcard())?;
        let len = self.pickle.add(Node::Int(axis.len() as i128))?;
        let is_wildcard = self.pickle.add(Node::Bool(axis.is_wildcard()))?;
        let none = self.pickle.add(Node::None)?;
        let slots = [
            ("name", name),
            ("_Axis__mapping", none),
            ("_Axis__sorted_keys", none),
            ("_Axis__sorted_values", none),
            ("_labels", labels),
            ("_length", len),
            ("_iswildcard", is_wildcard),
        ];
        let state = self.state(&slots)?;
        let id = self.object(Object { state, ..Object::new(AXIS) })?;
        self.axes.push((axis.clone(), id));
        Ok(id)
    }

    /// `(None, slots)`.
    fn state(&mut self, slots: &[(&str, NodeId)]) -> Result<Option<NodeId>> {
        let pairs = slots.iter().map(|(name, id)| Ok((self.text(name)?, *id)));
        let pairs = pairs.collect::<Result<_>>()?;
        let parts = vec![self.pickle.add(Node::None)?, self.pickle.add(Node::Dict(pairs))?];
        self.pickle.add(Node::Tuple(parts)).map(Some)
    }

    fn axis_name(&mut self, name: Option<&AxisName>) -> Result<NodeId> {
        match name {
            None => self.pickle.add(Node::None),
            Some(AxisName::Text(name)) => self.text(name),
            Some(AxisName::Int(number)) => self.pickle.add(Node::Int((*number).into())),
        }
    }

    fn group(&mut self, group: &Group) -> Result<NodeId> {
        let (class, key) = match group.key() {
            GroupKey::Labels(key) => (LGROUP, self.label_key(key)?),
            GroupKey::Positions(key) => (IGROUP, self.position_key(key)?),
        };
        let name = python::add_label(&mut self.pickle, group.name().unwrap_or(&Label::None))?;
        let axis = match group.axis() {
            None => self.pickle.add(Node::None)?,
            Some(AxisRef::Axis(axis)) => self.axis(axis)?,
            Some(AxisRef::Name(name)) => self.reference(&AxisName::Text(name.clone()))?,
            Some(AxisRef::Index(index)) => self.reference(&AxisName::Int(*index))?,
        };
        let state = Some(self.pickle.add(Node::Tuple(vec![key, name, axis]))?);
        self.object(Object { state, ..Object::new(class) })
    }

    fn reference(&mut self, name: &AxisName) -> Result<NodeId> {
        let name = self.axis_name(Some(name))?;
        let none = self.pickle.add(Node::None)?;
        let is_wildcard = self.pickle.add(Node::Bool(false))?;
        let slots = [("name", name), ("_labels", none), ("_iswildcard", is_wildcard)];
        let state = self.state(&slots)?;
        self.object(Object { state, ..Object::new(AXIS_REFERENCE) })
    }

    fn label_key(&mut self, key: &LabelKey) -> Result<NodeId> {
        match key {
            LabelKey::Scalar(label) => python::add_label(&mut self.pickle, label),
            LabelKey::Slice(bounds) => {
                let bounds = Bounds {
                    start: bounds.start.clone(),
                    stop: bounds.stop.clone(),
                    step: bounds.step,
                };
                self.slice(&bounds)
            }
            LabelKey::List(labels) => {
                let labels = labels.iter().map(|label| python::add_label(&mut self.pickle, &label));
                let labels = labels.collect::<Result<_>>()?;
                self.pickle.add(Node::List(labels))
            }
        }
    }

    fn position_key(&mut self, key: &PositionKey) -> Result<NodeId> {
        match key {
            PositionKey::At(at) => self.pickle.add(Node::Int((*at).into())),
            PositionKey::Slice(bounds) => self.slice(&Bounds {
                start: bounds.start.map(Label::Int),
                stop: bounds.stop.map(Label::Int),
                step: bounds.step,
            }),
            PositionKey::List(list) => {
                let list = list.iter().map(|&at| self.pickle.add(Node::Int(at.into())));
                let list = list.collect::<Result<_>>()?;
                self.pickle.add(Node::List(list))
            }
        }
    }

    fn slice(&mut self, bounds: &Bounds<Label>) -> Result<NodeId> {
        let none = Label::None;
        let start = python::add_label(&mut self.pickle, bounds.start.as_ref().unwrap_or(&none))?;
        let stop = python::add_label(&mut self.pickle, bounds.stop.as_ref().unwrap_or(&none))?;
        let step = bounds.step.map_or(none, Label::Int);
        let step = python::add_label(&mut self.pickle, &step)?;
        self.pickle.add(Node::Slice([start, stop, step]))
    }
}
