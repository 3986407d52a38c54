//! numpy's dtypes and arrays in a pickle.

use std::sync::Arc;

use stook_core::codec::{Endian, swap_items, transpose};
use stook_core::dtype::{ArrayType, Field, StructType};
use stook_core::{Codec, DType, Error, Result, Scratch, Values};

use super::node::NodeId;
use super::payload::Payload;

/// A dtype of numpy, with the byte order of each part.
#[derive(Clone, Debug, PartialEq)]
pub enum Descr {
    /// Any object.
    Object,
    /// Items without parts.
    Plain {
        /// Their type.
        dtype: DType,
        /// The order of their bytes.
        endian: Endian,
    },
    /// Named members.
    Struct {
        /// Name, type and offset of each.
        fields: Vec<(String, Descr, usize)>,
        /// Bytes of an item.
        size: usize,
    },
    /// An array as one item.
    Array {
        /// The type of its elements.
        item: Box<Descr>,
        /// Its shape.
        shape: Vec<u64>,
    },
}

impl Descr {
    /// The type of the items in memory.
    ///
    /// # Errors
    /// `Unsupported` for objects.
    pub fn dtype(&self) -> Result<DType> {
        Ok(match self {
            Self::Object => return Err(Error::unsupported("objects as parts of an item")),
            Self::Plain { dtype, .. } => dtype.clone(),
            Self::Struct { fields, size } => {
                let fields = fields.iter().map(|(name, descr, offset)| {
                    Ok(Field { name: name.clone(), dtype: descr.dtype()?, offset: *offset })
                });
                let fields = fields.collect::<Result<_>>()?;
                DType::Struct(Arc::new(StructType { fields, size: *size }))
            }
            Self::Array { item, shape } => {
                DType::Array(Arc::new(ArrayType { item: item.dtype()?, shape: shape.clone() }))
            }
        })
    }

    /// Bytes of one item as they are stored; saturating.
    pub(super) fn item_size(&self) -> usize {
        match self {
            Self::Object => size_of::<u64>(),
            Self::Plain { dtype, .. } => dtype.item_size(),
            Self::Struct { size, .. } => *size,
            Self::Array { item, shape } => shape.iter().fold(item.item_size(), |size, &len| {
                size.saturating_mul(usize::try_from(len).unwrap_or(usize::MAX))
            }),
        }
    }

    /// Whether all parts are in the machine's byte order.
    fn is_native(&self) -> bool {
        match self {
            Self::Object => true,
            Self::Plain { endian, .. } => *endian == Endian::NATIVE,
            Self::Struct { fields, .. } => fields.iter().all(|(_, descr, _)| descr.is_native()),
            Self::Array { item, .. } => item.is_native(),
        }
    }

    /// Puts `items` into the machine's byte order.
    fn make_native(&self, items: &mut [u8]) {
        match self {
            Self::Object => {}
            Self::Plain { endian, .. } if *endian == Endian::NATIVE => {}
            Self::Plain { dtype, .. } => swap_items(dtype, items),
            Self::Struct { fields, size } => {
                for item in items.chunks_exact_mut((*size).max(1)) {
                    for (_, descr, offset) in fields {
                        let end = offset.saturating_add(descr.item_size());
                        if let Some(part) = item.get_mut(*offset..end) {
                            descr.make_native(part);
                        }
                    }
                }
            }
            Self::Array { item, .. } => item.make_native(items),
        }
    }
}

/// An array of numpy as a pickle holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct PickledArray {
    /// The type of its items.
    pub descr: Arc<Descr>,
    /// Its shape; empty for a scalar.
    pub shape: Vec<u64>,
    /// Whether its first axis varies fastest.
    pub is_fortran: bool,
    /// The items as they are stored; none for objects.
    pub bytes: Payload,
    /// The objects, in C order; empty for items.
    pub objects: Vec<NodeId>,
}

impl PickledArray {
    /// An array of items.
    ///
    /// # Errors
    /// `Corrupt` if `bytes` do not fill `shape`, `Unsupported` for objects as parts of an item.
    pub fn of_bytes(
        descr: Arc<Descr>,
        shape: Vec<u64>,
        is_fortran: bool,
        bytes: impl Into<Payload>,
    ) -> Result<Self> {
        let bytes = bytes.into();
        descr.dtype()?;
        let expected =
            shape.iter().try_fold(descr.item_size() as u64, |n, &len| n.checked_mul(len));
        let found = bytes.len_bytes();
        if expected != Some(found as u64) {
            let expected = expected.unwrap_or(u64::MAX);
            return Err(Error::corrupt(format!(
                "an array of shape {shape:?}: expected {expected} bytes, found {found}"
            )));
        }
        Ok(Self { descr, shape, is_fortran, bytes, objects: Vec::new() })
    }

    /// An array of objects.
    ///
    /// # Errors
    /// `Corrupt` if they do not fill `shape`.
    pub fn of_objects(shape: Vec<u64>, is_fortran: bool, objects: Vec<NodeId>) -> Result<Self> {
        let expected = shape.iter().try_fold(1_u64, |n, &len| n.checked_mul(len));
        if expected != Some(objects.len() as u64) {
            let (expected, found) = (expected.unwrap_or(u64::MAX), objects.len());
            return Err(Error::corrupt(format!(
                "an array of shape {shape:?}: expected {expected} objects, found {found}"
            )));
        }
        let descr = Arc::new(Descr::Object);
        Ok(Self { descr, shape, is_fortran, bytes: Vec::new().into(), objects })
    }

    /// Whether the items are objects.
    #[must_use]
    pub fn is_object(&self) -> bool {
        *self.descr == Descr::Object
    }

    /// The items in C order and the machine's byte order; those that are lent, and are so already,
    /// are not copied.
    ///
    /// # Errors
    /// `Unsupported` for objects; those of [`Payload::to_bytes`].
    pub fn to_values(&self) -> Result<Values> {
        let dtype = self.descr.dtype()?;
        let mut items = self.bytes.to_bytes()?;
        if self.is_fortran && self.shape.len() > 1 && !items.is_empty() {
            let order: Vec<usize> = (0..self.shape.len()).rev().collect();
            let mut turned = vec![0; items.len()];
            let codec: Arc<dyn Codec> = transpose(&order, &self.shape, dtype.item_size())?;
            codec.decode_into(&items, &mut turned, &mut Scratch::new())?;
            items = turned.into();
        }
        if !self.descr.is_native() {
            let mut swapped = items.into_vec();
            self.descr.make_native(&mut swapped);
            items = swapped.into();
        }
        Values::lent(dtype, self.shape.clone(), items)
    }
}
