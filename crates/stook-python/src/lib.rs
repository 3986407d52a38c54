//! The native half of the Python package `stook`.
//!
//! A method here converts its arguments, does its work in `enter::enter` without the GIL, and
//! converts the result. What numpy indexing means, the mapping of groups, and the exceptions are
//! in the Python half, `python/stook/`.
//!
//! Invariants: memory of numpy arrays is lent to the engine as it lies, strides included, and
//! the array is kept alive meanwhile; results are memory of numpy, filled in place. An item of
//! variable length is a Python object and is copied.

mod array;
mod attributes;
mod codecs;
mod convert;
mod create;
mod dtype;
mod enter;
mod fork;
mod labelled;
mod lend;
mod loom;
mod memory;
mod nodes;
mod onedata;
mod reports;
mod selection;
mod store;
mod strings;
mod tree;
mod values;

/// The native half of `stook`; use that.
#[pyo3::pymodule]
mod _stook {
    #[pymodule_export]
    use crate::array::Array;
    #[pymodule_export]
    use crate::codecs::Codec;
    #[pymodule_export]
    use crate::codecs::codec_ids;
    #[pymodule_export]
    use crate::convert::convert;
    #[pymodule_export]
    use crate::dtype::normalize_dtype;
    #[pymodule_export]
    use crate::fork::after_fork_in_child;
    #[pymodule_export]
    use crate::fork::after_fork_in_parent;
    #[pymodule_export]
    use crate::fork::before_fork;
    #[pymodule_export]
    use crate::labelled::axes::LabelledAxes;
    #[pymodule_export]
    use crate::labelled::axes::LabelledAxis;
    #[pymodule_export]
    use crate::labelled::kernels::labelled_arg_extreme;
    #[pymodule_export]
    use crate::labelled::kernels::labelled_argsort;
    #[pymodule_export]
    use crate::labelled::kernels::labelled_arithmetic;
    #[pymodule_export]
    use crate::labelled::kernels::labelled_binary;
    #[pymodule_export]
    use crate::labelled::kernels::labelled_count_true;
    #[pymodule_export]
    use crate::labelled::kernels::labelled_element_equals;
    #[pymodule_export]
    use crate::labelled::kernels::labelled_equals;
    #[pymodule_export]
    use crate::labelled::kernels::labelled_filter;
    #[pymodule_export]
    use crate::labelled::kernels::labelled_nonzero;
    #[pymodule_export]
    use crate::labelled::kernels::labelled_quantile;
    #[pymodule_export]
    use crate::labelled::kernels::labelled_reduce;
    #[pymodule_export]
    use crate::labelled::kernels::labelled_reduce_groups;
    #[pymodule_export]
    use crate::labelled::kernels::labelled_scan;
    #[pymodule_export]
    use crate::labelled::kernels::labelled_take;
    #[pymodule_export]
    use crate::labelled::kernels::labelled_true_positions;
    #[pymodule_export]
    use crate::labelled::key::LabelledGroup;
    #[pymodule_export]
    use crate::labelled::lazy::LabelledFile;
    #[pymodule_export]
    use crate::labelled::lazy::labelled_sheet;
    #[pymodule_export]
    use crate::labelled::session::labelled_load;
    #[pymodule_export]
    use crate::labelled::session::labelled_save;
    #[pymodule_export]
    use crate::labelled::text::labelled_csv_rows;
    #[pymodule_export]
    use crate::labelled::text::labelled_csv_table;
    #[pymodule_export]
    use crate::lend::Lender;
    #[pymodule_export]
    use crate::lend::Mapped;
    #[pymodule_export]
    use crate::loom::Loom;
    #[pymodule_export]
    use crate::loom::LoomScan;
    #[pymodule_export]
    use crate::nodes::Acquisition;
    #[pymodule_export]
    use crate::nodes::Ragged;
    #[pymodule_export]
    use crate::nodes::Rows;
    #[pymodule_export]
    use crate::nodes::decode_attribute;
    #[pymodule_export]
    use crate::nodes::decode_pickle;
    #[pymodule_export]
    use crate::onedata::OneCache;
    #[pymodule_export]
    use crate::onedata::OneCatalogue;
    #[pymodule_export]
    use crate::onedata::OneFolder;
    #[pymodule_export]
    use crate::onedata::OneObjects;
    #[pymodule_export]
    use crate::onedata::OneSource;
    #[pymodule_export]
    use crate::onedata::transpose;
    #[pymodule_export]
    use crate::reports::check;
    #[pymodule_export]
    use crate::reports::diff;
    #[pymodule_export]
    use crate::store::Store;
    #[pymodule_export]
    use crate::tree::Tree;

    #[pymodule_init]
    fn init(_module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::enter::install();
        Ok(())
    }

    use pyo3::prelude::*;
}
