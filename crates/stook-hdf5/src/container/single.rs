//! One name, one attribute, one named type: what is asked for alone is looked up alone.

use stook_core::container::{Child, Link};
use stook_core::{AttributeValue, DType, Error, Limits, NodePath, Result};

use super::{Hdf5File, node_kind};
use crate::ffi::{self, LinkClass, ObjectKind};
use crate::shared::{c_path, name};
use crate::{attributes, dtype};

impl Hdf5File {
    pub(super) fn child_here(&self, node: &NodePath) -> Result<Option<Child>> {
        let _lock = ffi::lock();
        let (Some(above), root) = (node.parent(), self.root()?) else { return Ok(None) };
        let corrupt = self.shared.corrupt(node);
        // The library looks up a name in a group that is there.
        if !matches!(self.find(&above)?, super::Found::Node(ObjectKind::Group)) {
            return Ok(None);
        }
        let path = c_path(node)?;
        let Some(class) = root.link(&path).map_err(&corrupt)? else { return Ok(None) };
        let kind = || root.kind_at(&path).ok().and_then(node_kind);
        let (kind, link, identity) = match class {
            LinkClass::Hard => {
                let location = ffi::Location::open(self.shared.file(), &path).map_err(&corrupt)?;
                let (_, address) = location.identity().map_err(&corrupt)?;
                (kind(), Link::Hard, Some(address))
            }
            LinkClass::Soft => {
                (kind(), Link::Soft(root.soft_target(&path).map_err(&corrupt)?), None)
            }
            LinkClass::External => {
                let (file, target) = root.external_target(&path).map_err(&corrupt)?;
                (None, Link::External { file, target }, None)
            }
            LinkClass::User => (None, Link::Hard, None),
        };
        Ok(Some(Child { name: node.name().to_owned(), kind, link, identity, created: None }))
    }

    pub(super) fn stored_attribute_here(
        &self,
        node: &NodePath,
        attribute: &str,
    ) -> Result<Option<AttributeValue>> {
        let attribute = name(attribute).map_err(|error| self.at(error, node))?;
        let native = self.shared.native.as_ref();
        if let Some(found) = native.and_then(|native| native.attribute(node, &attribute)) {
            return Ok(found);
        }
        let _lock = ffi::lock();
        let (location, _) = self.location(node)?;
        let context: (&dyn ffi::References, &Limits) = (&*self.shared, &self.shared.limits);
        attributes::read_one(&location, &attribute, context).map_err(self.shared.corrupt(node))
    }

    pub(super) fn attribute_names_here(&self, node: &NodePath) -> Result<Vec<String>> {
        let _lock = ffi::lock();
        let (location, _) = self.location(node)?;
        let names = location.attribute_names().map_err(self.shared.corrupt(node))?;
        Ok(names.into_iter().map(|name| name.to_string_lossy().into_owned()).collect())
    }

    pub(super) fn named_type_here(&self, node: &NodePath) -> Result<DType> {
        let _lock = ffi::lock();
        if self.expect_there(node)? != ObjectKind::Datatype {
            return Err(self.at(Error::invalid("the node is no named type"), node));
        }
        let stored = ffi::Location::open(self.shared.file(), &c_path(node)?)
            .and_then(|location| dtype::read(&location.into_datatype()));
        Ok(stored.map_err(self.shared.corrupt(node))?.dtype)
    }

    pub(super) fn create_named_type_here(&self, node: &NodePath, dtype: &DType) -> Result<()> {
        let path = c_path(node)?;
        ffi::datatype_of(dtype, false)
            .and_then(|datatype| datatype.commit(self.shared.file(), &path))
            .map_err(self.shared.io(node))
    }
}
