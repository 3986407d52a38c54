//! Dataspaces: extents and the one kind of selection used here, a regular box.

use std::ffi::c_int;

use hdf5_metno_sys::h5i::hid_t;
use hdf5_metno_sys::h5s::{
    H5S_NULL, H5S_SCALAR, H5S_SELECT_SET, H5S_SIMPLE, H5S_UNLIMITED, H5Screate, H5Screate_simple,
    H5Sget_select_npoints, H5Sget_simple_extent_dims, H5Sget_simple_extent_ndims,
    H5Sselect_hyperslab,
};

use super::{Failure, Id, Result, call, lock};
use crate::array::Span;

unsafe extern "C" {
    /// As a plain number: a file may set the class to what the enum of the bindings does not list.
    unsafe fn H5Sget_simple_extent_type(space: hid_t) -> c_int;
}

const NULL: c_int = H5S_NULL as c_int;
const SCALAR: c_int = H5S_SCALAR as c_int;
const SIMPLE: c_int = H5S_SIMPLE as c_int;

/// The most axes that HDF5 allows.
pub(crate) const MAX_RANK: usize = 32;

/// The extent of a dataspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// No elements and no shape.
    Null,
    /// One element without axes.
    Scalar,
    /// Axes with their lengths and the lengths they may grow to (`None`: without bound).
    Simple { shape: Vec<u64>, max_shape: Vec<Option<u64>> },
}

/// A dataspace, possibly with a box selected.
#[derive(Debug)]
pub(crate) struct Space {
    id: Id,
}

impl Space {
    pub(super) fn owned(id: Id) -> Self {
        Self { id }
    }

    pub(super) fn id(&self) -> &Id {
        &self.id
    }

    /// A new dataspace.
    pub(crate) fn new(extent: &Extent) -> Result<Self> {
        let id = match extent {
            Extent::Null => call!("dataspace", H5Screate(H5S_NULL))?,
            Extent::Scalar => call!("dataspace", H5Screate(H5S_SCALAR))?,
            Extent::Simple { shape, max_shape } => {
                let rank = rank_of(shape)?;
                if max_shape.len() != shape.len() {
                    return Err(Failure::new(
                        "dataspace",
                        "shape and maximal shape differ in rank",
                    ));
                }
                let max: Vec<u64> =
                    max_shape.iter().map(|max| max.unwrap_or(H5S_UNLIMITED)).collect();
                call!("dataspace", H5Screate_simple(rank, shape.as_ptr(), max.as_ptr()))?
            }
        };
        Ok(Self { id: Id::owned(id) })
    }

    /// A dataspace of fixed shape.
    pub(crate) fn fixed(shape: &[u64]) -> Result<Self> {
        if shape.is_empty() {
            return Self::new(&Extent::Scalar);
        }
        let rank = rank_of(shape)?;
        let id = call!("dataspace", H5Screate_simple(rank, shape.as_ptr(), std::ptr::null()))?;
        Ok(Self { id: Id::owned(id) })
    }

    /// The number of axes; 0 for scalars and null extents.
    pub(crate) fn rank(&self) -> Result<usize> {
        let rank = call!("rank", H5Sget_simple_extent_ndims(self.id.raw()))?;
        Ok(usize::try_from(rank).unwrap_or(0))
    }

    /// The extent.
    pub(crate) fn extent(&self) -> Result<Extent> {
        let _lock = lock();
        // SAFETY: the id is valid and the call takes nothing else.
        let class = unsafe { H5Sget_simple_extent_type(self.id.raw()) };
        match class {
            NULL => Ok(Extent::Null),
            SCALAR => Ok(Extent::Scalar),
            SIMPLE => {
                let rank = self.rank()?;
                let (mut shape, mut max) = (vec![0; rank], vec![0; rank]);
                // Both vectors have as many elements as the library has just said.
                let (to, to_max) = (shape.as_mut_ptr(), max.as_mut_ptr());
                call!("extent", H5Sget_simple_extent_dims(self.id.raw(), to, to_max))?;
                let max_shape =
                    max.into_iter().map(|max| (max != H5S_UNLIMITED).then_some(max)).collect();
                Ok(Extent::Simple { shape, max_shape })
            }
            _ => Err(Failure::new("dataspace", "the extent is of no known class")),
        }
    }

    /// Selects the box of `shape` at `start`; both have the rank of the space.
    pub(crate) fn select_box(&self, start: &[u64], shape: &[u64]) -> Result<()> {
        let _lock = lock();
        let rank = self.rank()?;
        if rank != start.len() || rank != shape.len() {
            return Err(Failure::new("select", "a box of another rank than the dataspace"));
        }
        let null = std::ptr::null();
        // Both slices have `rank` elements, which the library reads.
        let (start, shape) = (start.as_ptr(), shape.as_ptr());
        call!(
            "select",
            H5Sselect_hyperslab(self.id.raw(), H5S_SELECT_SET, start, null, shape, null)
        )
        .map(drop)
    }

    /// Selects blocks along each axis.
    pub(crate) fn select_spans(&self, spans: &[Span]) -> Result<()> {
        let _lock = lock();
        if self.rank()? != spans.len() {
            return Err(Failure::new("select", "blocks of another rank than the dataspace"));
        }
        let start: Vec<u64> = spans.iter().map(|span| span.start).collect();
        let stride: Vec<u64> = spans.iter().map(|span| span.stride).collect();
        let count: Vec<u64> =
            spans.iter().map(|span| span.count.unwrap_or(H5S_UNLIMITED)).collect();
        let block: Vec<u64> = spans.iter().map(|span| span.block).collect();
        // All four have as many elements as the dataspace has axes, which the library reads.
        let (start, stride) = (start.as_ptr(), stride.as_ptr());
        let (count, block) = (count.as_ptr(), block.as_ptr());
        call!(
            "select",
            H5Sselect_hyperslab(self.id.raw(), H5S_SELECT_SET, start, stride, count, block)
        )
        .map(drop)
    }

    /// How many elements are selected (all, unless a box is).
    pub(crate) fn n_selected(&self) -> Result<u64> {
        let n = call!("selection", H5Sget_select_npoints(self.id.raw()))?;
        Ok(u64::try_from(n).unwrap_or(0))
    }
}

fn rank_of(shape: &[u64]) -> Result<i32> {
    i32::try_from(shape.len()).ok().filter(|_| shape.len() <= MAX_RANK).ok_or_else(|| {
        Failure::new("dataspace", format!("{} axes exceed the limit of 32", shape.len()))
    })
}
