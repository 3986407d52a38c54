//! Byte order of items.

use stook_core::DType;

/// Reverses every number in `items`, which are of `dtype`.
pub(crate) fn swap_items(dtype: &DType, items: &mut [u8]) {
    let mut parts = Vec::new();
    dtype.for_each_swap(0, &mut |offset, len| parts.push(offset..offset.saturating_add(len)));
    for item in items.chunks_exact_mut(dtype.item_size().max(1)) {
        for part in &parts {
            if let Some(number) = item.get_mut(part.clone()) {
                number.reverse();
            }
        }
    }
}
