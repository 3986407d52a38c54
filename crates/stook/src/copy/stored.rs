//! What of a source was ever written, and whether what was not reads alike on both sides.

use stook_core::values::items_equal;
use stook_core::{ArraySpec, Result, Values};

use super::blocks::Units;
use super::{Change, Ranges, Window};
use crate::array::Array;

/// More chunks than this of one block are not asked about: it is read.
const MOST_ASKED: usize = 1 << 20;

/// Whether nothing is stored of what goes to `block`; false where that cannot be told.
pub(super) fn is_absent(
    from: &Array,
    spec: &ArraySpec,
    window: &Window,
    block: &Ranges,
) -> Result<bool> {
    let bounds = window.bounds(block);
    for (n, unit) in Units::new(spec.write_grid(), &bounds).enumerate() {
        if n >= MOST_ASKED || from.source().is_stored(&unit)? != Some(false) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The value that elements of an array have that were never written.
fn fill(spec: &ArraySpec) -> Result<Values> {
    match &spec.fill_value {
        Some(fill) => Ok(fill.clone()),
        None => Values::zeroed(spec.dtype.clone(), Vec::new()),
    }
}

/// Whether elements that were never written have the same value on both sides.
pub(super) fn fills_agree(from: &ArraySpec, to: &ArraySpec, change: &Change) -> Result<bool> {
    let theirs = fill(to)?;
    let Ok(ours) = change.apply(fill(from)?, &to.dtype) else { return Ok(false) };
    let (a, b) = ((ours.items(), ours.heap()), (theirs.items(), theirs.heap()));
    Ok(items_equal(&to.dtype, a, b))
}

/// The item that fills what was never written, where all its bytes lie in it.
pub(crate) fn plain_fill(spec: &ArraySpec) -> Option<Vec<u8>> {
    if spec.dtype.has_heap() {
        return None;
    }
    fill(spec).ok().map(|fill| fill.items().to_vec())
}

/// Whether `items` are `fill`, again and again.
pub(crate) fn is_filled(items: &[u8], fill: &[u8]) -> bool {
    // An item is what is before it, if the first is the fill: one comparison for all.
    items.starts_with(fill)
        && items.get(fill.len()..).is_some_and(|rest| items.get(..rest.len()) == Some(rest))
}

#[cfg(test)]
mod tests {
    use super::is_filled;

    #[test]
    fn only_the_fill_is_the_fill() {
        assert!(is_filled(&[1, 2, 1, 2], &[1, 2]));
        assert!(is_filled(&[1, 2], &[1, 2]));
        assert!(!is_filled(&[1, 2, 1, 3], &[1, 2]));
        assert!(!is_filled(&[2, 2], &[1, 2]));
    }
}
