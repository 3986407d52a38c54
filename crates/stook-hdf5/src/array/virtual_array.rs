//! Creating arrays whose elements are those of other arrays: HDF5's virtual datasets.

use std::ffi::CString;
use std::sync::Arc;

use stook_core::codec::{CodecSpec, Endian};
use stook_core::{ArraySpec, Error, NodePath, Result};

use super::Hdf5Array;
use super::create::is_zero;
use crate::ffi::{self, ChunkCache, Dataset, DatasetCreation, MemoryType, Space};
use crate::shared::{Shared, c_path, name};

/// Blocks along an axis, at equal distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first element.
    pub start: u64,
    /// From the beginning of a block to that of the next.
    pub stride: u64,
    /// How many blocks; `None` for as many as there are.
    pub count: Option<u64>,
    /// Elements of a block.
    pub block: u64,
}

/// Elements of another array, and where they are in a virtual one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualPart {
    /// The other file, relative to the folder of this one; `.` for this one.
    pub file: String,
    /// The array in it.
    pub dataset: String,
    /// The shape of that array, which need not be there yet.
    pub shape: Vec<u64>,
    /// How far it may grow.
    pub max_shape: Vec<Option<u64>>,
    /// Which of its elements, an axis each.
    pub from: Vec<Span>,
    /// Where they are in the virtual array, an axis each.
    pub to: Vec<Span>,
}

/// Creates the virtual array `node`; where that fails nothing is left behind.
pub(crate) fn create(
    shared: &Arc<Shared>,
    node: &NodePath,
    (spec, parts): (&ArraySpec, &[VirtualPart]),
) -> Result<Hdf5Array> {
    let shape = spec.shape().to_vec();
    let max_shape = spec.max_shape.clone();
    let max_shape = max_shape.unwrap_or_else(|| shape.iter().map(|&len| Some(len)).collect());
    let is_big = spec.codecs.contains(&CodecSpec::ByteOrder(Endian::Big));
    let datatype = ffi::datatype_of(&spec.dtype, is_big).map_err(shared.io(node))?;
    let path = c_path(node)?;
    let names: Vec<(CString, CString)> =
        parts.iter().map(|p| Ok((name(&p.file)?, name(&p.dataset)?))).collect::<Result<_>>()?;
    let make = || {
        let _lock = ffi::lock();
        let extent = ffi::Extent::Simple { shape, max_shape };
        let creation = DatasetCreation::new(shared.order)?;
        creation.set_virtual()?;
        for (part, (file, dataset)) in parts.iter().zip(&names) {
            let to = Space::new(&extent)?;
            to.select_spans(&part.to)?;
            let (shape, max_shape) = (part.shape.clone(), part.max_shape.clone());
            let from = Space::new(&ffi::Extent::Simple { shape, max_shape })?;
            from.select_spans(&part.from)?;
            creation.push_virtual(&to, (file, dataset), &from)?;
        }
        if let Some(fill) = spec.fill_value.as_ref().filter(|fill| !is_zero(fill)) {
            let memory = MemoryType::new(&spec.dtype)?;
            creation.set_fill_value(&memory, (fill.items(), fill.heap()), &**shared)?;
        }
        let space = Space::new(&extent)?;
        Dataset::create(shared.file(), &path, &datatype, &space, &creation, ChunkCache::None)
            .map(drop)
    };
    make().map_err(|failure| {
        let error = shared.io(node)(failure);
        match error.kind() {
            // What does not fit together the library refuses before it writes.
            stook_core::ErrorKind::Io => {
                Error::invalid(error.message().to_owned()).at_node(node).at_file(&shared.path)
            }
            _ => error,
        }
    })?;
    Hdf5Array::open(shared, node)
}
