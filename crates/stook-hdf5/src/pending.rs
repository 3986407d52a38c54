//! What waits for other nodes: references to those that do not exist yet, and scales of axes.
//!
//! Who copies a tree writes references before the nodes they name. Such a reference is stored
//! as null, remembered, and stored again when the file is committed or closed; one that names
//! nothing even then stays null.

use std::cell::Cell;
use std::sync::PoisonError;

use stook_core::chunk::Block;
use stook_core::{AttributeEdits, AttributeValue, DType, NodePath};

use crate::ffi::{self, Dataset, Location, MemoryType, References};
use crate::scales::{self, Attached};
use crate::shared::{Shared, c_path, name};

/// Something that is to be written again, or later.
#[derive(Debug)]
pub(crate) enum Pending {
    /// The scales of an array's named axes.
    Scales { node: NodePath },
    /// An attribute.
    Attribute { node: NodePath, name: String, value: AttributeValue },
    /// A block of an array's elements.
    Elements { node: NodePath, start: Vec<u64>, shape: Vec<u64>, items: Vec<u8>, heap: Vec<u8> },
}

/// When what waits is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Now, as far as what it waits for is there.
    Now,
    /// For the last time: there will be no more nodes.
    Last,
}

impl Pending {
    /// The elements of `block`.
    pub(crate) fn elements(node: &NodePath, block: Block<'_>, items: &[u8], heap: &[u8]) -> Self {
        Self::Elements {
            node: node.clone(),
            start: block.start.to_vec(),
            shape: block.shape.to_vec(),
            items: items.to_vec(),
            heap: heap.to_vec(),
        }
    }

    /// The attributes among `edits` that hold references.
    pub(crate) fn attributes(
        node: &NodePath,
        edits: &AttributeEdits,
    ) -> impl Iterator<Item = Self> {
        edits.changes.iter().filter_map(move |(name, value)| match value {
            Some(value @ AttributeValue::Values(values)) if has_reference(values.dtype()) => {
                let (node, name) = (node.clone(), name.clone());
                Some(Self::Attribute { node, name, value: value.clone() })
            }
            _ => None,
        })
    }

    /// Writes it again; false if it names something that is still not there.
    fn resolve(&self, shared: &Shared, when: When) -> bool {
        match self {
            Self::Scales { node } => {
                let must_be_whole = when == When::Now;
                // What fails now may not fail once all has been written.
                scales::attach(shared, node, must_be_whole).is_ok_and(|a| a == Attached::All)
            }
            Self::Attribute { node, name: attribute, value } => {
                let Ok((path, name)) = c_path(node).and_then(|p| Ok((p, name(attribute)?))) else {
                    return true;
                };
                let Ok(location) = Location::open(shared.file(), &path) else { return true };
                if !location.has_attribute(&name).unwrap_or(false) {
                    return true;
                }
                let AttributeValue::Values(values) = value else { return true };
                let write = || {
                    let memory = MemoryType::new(values.dtype())?;
                    location.attribute(&name)?.write(
                        &memory,
                        (values.items(), values.heap()),
                        shared,
                    )
                };
                write().is_ok()
            }
            Self::Elements { node, start, shape, items, heap } => {
                let write = || -> ffi::Result<()> {
                    let path = ffi::c_string(node.as_str())?;
                    let dataset = Dataset::open(shared.file(), &path, ffi::ChunkCache::Some)?;
                    let dtype = crate::dtype::read(&dataset.datatype()?)?.dtype;
                    let (space, memory) = (dataset.space()?, MemoryType::new(&dtype)?);
                    if !shape.is_empty() {
                        space.select_box(start, shape)?;
                    }
                    dataset.write(&space, &memory, (items, heap), shared)
                };
                write().is_ok()
            }
        }
    }
}

fn has_reference(dtype: &DType) -> bool {
    match dtype {
        DType::Reference => true,
        DType::Sequence(inner) => has_reference(inner),
        DType::Array(array) => has_reference(&array.item),
        DType::Struct(r#struct) => r#struct.fields.iter().any(|field| has_reference(&field.dtype)),
        _ => false,
    }
}

/// References where those to nothing become null, and are noticed.
pub(crate) struct Lenient<'a> {
    shared: &'a Shared,
    has_missed: Cell<bool>,
}

impl<'a> Lenient<'a> {
    pub(crate) fn new(shared: &'a Shared) -> Self {
        Self { shared, has_missed: Cell::new(false) }
    }

    /// Whether some reference named nothing.
    pub(crate) fn has_missed(&self) -> bool {
        self.has_missed.get()
    }
}

impl References for Lenient<'_> {
    fn path_of(&self, address: u64) -> ffi::Result<String> {
        self.shared.path_of(address)
    }

    fn address_of(&self, path: &str) -> ffi::Result<u64> {
        Ok(self.shared.address_of(path).unwrap_or_else(|_| {
            self.has_missed.set(true);
            0
        }))
    }

    fn region_of(&self, reference: &[u8; 12]) -> ffi::Result<(String, String)> {
        self.shared.region_of(reference)
    }

    fn reference_of(&self, path: &str, region: &str) -> ffi::Result<[u8; 12]> {
        match self.shared.reference_of(path, region) {
            // The dataset is there: it is the region that is wrong.
            Err(failure) if self.shared.address_of(path).is_ok() => Err(failure),
            Err(_) => {
                self.has_missed.set(true);
                Ok([0; 12])
            }
            Ok(reference) => Ok(reference),
        }
    }
}

impl Shared {
    /// Forgets what waits to be written over attributes that change now.
    pub(crate) fn forget_attributes(&self, node: &NodePath, edits: &AttributeEdits) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).retain(|pending| {
            let Pending::Attribute { node: at, name, .. } = pending else { return true };
            let is_changed = edits.clear || edits.changes.iter().any(|(new, _)| new == name);
            at != node || !is_changed
        });
    }

    /// Forgets what waits to be written over elements that change now.
    pub(crate) fn forget_elements(&self, node: &NodePath, block: Block<'_>) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).retain(|pending| {
            let Pending::Elements { node: at, start, shape, .. } = pending else { return true };
            let old = start.iter().zip(shape);
            let overlaps = old
                .zip(block.start.iter().zip(block.shape))
                .all(|((a, n), (b, m))| *a < b.saturating_add(*m) && *b < a.saturating_add(*n));
            at != node || !overlaps
        });
    }

    /// Forgets all that waits.
    pub(crate) fn forget_pending(&self) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Remembers what is to be written again.
    pub(crate) fn remember(&self, pending: impl IntoIterator<Item = Pending>) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).extend(pending);
    }

    /// Writes again what has waited for other nodes.
    pub(crate) fn resolve_pending(&self, when: When) {
        let _lock = ffi::lock();
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.retain(|pending| !pending.resolve(self, when));
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.resolve_pending(When::Last);
        if let Some(made) = self.io.made() {
            made.settle(&self.io);
            made.close();
        }
    }
}
