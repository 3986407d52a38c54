//! Sessions in files, one module a format.

#[cfg(feature = "arrow")]
pub(crate) mod arrow;
pub(crate) mod csv;
pub(crate) mod excel;
pub(crate) mod kept;
pub(crate) mod pandas;
pub(crate) mod parallel;
pub(crate) mod pickle;
pub(crate) mod python;
pub(crate) mod sidecar;
pub(crate) mod table;
pub(crate) mod time;
pub(crate) mod zarr;

use std::sync::{Mutex, PoisonError};

use stook_core::{DType, Error, Result};

use crate::group::{Bounds, Group, GroupKey, LabelKey, PositionKey};
use crate::labels::Labels;
use crate::{Axis, AxisRef};

/// The labels that a group means, if they can be told: those of its list, or those of its axis that
/// lie between its bounds.
pub(crate) fn group_labels(group: &Group) -> Option<Labels> {
    let axis = match group.axis() {
        Some(AxisRef::Axis(axis)) => Some(axis),
        _ => None,
    };
    match group.key() {
        GroupKey::Labels(LabelKey::Scalar(label)) => Some(Labels::from_labels(vec![label.clone()])),
        GroupKey::Labels(LabelKey::List(labels)) => Some(labels.clone()),
        GroupKey::Labels(LabelKey::Slice(bounds)) => label_slice(axis?, bounds),
        GroupKey::Positions(key) => {
            let axis = axis?;
            axis.labels().take(&positions(key, axis.len())?).ok()
        }
    }
}

fn label_slice(axis: &Axis, bounds: &Bounds<crate::Label>) -> Option<Labels> {
    let at = |label: &crate::Label| axis.labels().position(label);
    let start = bounds.start.as_ref().map_or(Some(0), at)?;
    let stop = bounds.stop.as_ref().map_or(Some(axis.len()), |label| Some(at(label)? + 1))?;
    let step = usize::try_from(bounds.step.unwrap_or(1)).ok().filter(|&step| step > 0)?;
    let positions: Vec<usize> = (start..stop).step_by(step).collect();
    axis.labels().take(&positions).ok()
}

/// The positions that a key means on an axis of `len`, as Python counts them.
fn positions(key: &PositionKey, len: usize) -> Option<Vec<usize>> {
    let signed = i64::try_from(len).ok()?;
    let place = |at: i64| {
        let at = if at < 0 { at.checked_add(signed)? } else { at };
        usize::try_from(at).ok().filter(|&at| at < len)
    };
    match key {
        PositionKey::At(at) => Some(vec![place(*at)?]),
        PositionKey::List(list) => list.iter().map(|&at| place(at)).collect(),
        PositionKey::Slice(bounds) => {
            let step = bounds.step.unwrap_or(1);
            let bound = |at: i64| {
                let at = if at < 0 { at.saturating_add(signed) } else { at };
                if step > 0 { at.clamp(0, signed) } else { at.clamp(-1, signed - 1) }
            };
            let (first, last) = if step > 0 { (0, signed) } else { (signed - 1, -1) };
            let start = bounds.start.map_or(first, bound);
            let stop = bounds.stop.map_or(last, bound);
            let mut found = Vec::new();
            let mut at = start;
            while step != 0 && if step > 0 { at < stop } else { at > stop } {
                found.push(usize::try_from(at).ok()?);
                at = at.checked_add(step)?;
            }
            (step != 0).then_some(found)
        }
    }
}

/// What `work` makes of each number below `n`, on several threads.
pub(crate) fn each_at_once<T: Send>(
    n: usize,
    work: &(dyn Fn(usize) -> Result<T> + Sync),
) -> Result<Vec<T>> {
    let found: Vec<Mutex<Option<T>>> = (0..n).map(|_| Mutex::new(None)).collect();
    stook_core::engine::for_each(n, crate::kernels::n_threads(), &|at| {
        let made = work(at)?;
        if let Some(place) = found.get(at) {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
        }
        Ok(())
    })?;
    let found = found.into_iter();
    let found = found.map(|place| place.into_inner().unwrap_or_else(PoisonError::into_inner));
    Ok(found.flatten().collect())
}

/// Whether items of that type are whole numbers.
pub(crate) fn is_integer(dtype: &DType) -> bool {
    use DType::{Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64};
    matches!(dtype, Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | UInt64)
}

/// The name of the file of an object in a folder.
///
/// # Errors
/// `Unsupported` if no file has such a name.
pub(crate) fn file_name(name: &str, extension: &str) -> Result<String> {
    if name.is_empty() || name.contains(['/', '\\', '\0']) || name.starts_with('.') {
        return Err(Error::unsupported("it has no name for a file"));
    }
    Ok(format!("{name}.{extension}"))
}
