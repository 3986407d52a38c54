//! Byte order: reverses the bytes of every number in items, in place.

use crate::dtype::DType;

/// Changes `items` of `dtype` from one byte order to the other, in place.
///
/// Bytes behind the last whole item are left as they are, as are text and other parts that have
/// no byte order.
pub fn swap_items(dtype: &DType, items: &mut [u8]) {
    match run_size(dtype) {
        Some(2) => swap_runs::<2>(items),
        Some(4) => swap_runs::<4>(items),
        Some(8) => swap_runs::<8>(items),
        Some(16) => swap_runs::<16>(items),
        Some(_) => {}
        None => swap_parts(dtype, items),
    }
}

/// The size of the numbers where an item is nothing but numbers of one size; 1 where no part of
/// it has a byte order.
fn run_size(dtype: &DType) -> Option<usize> {
    let (mut size, mut end) = (1, 0);
    let mut is_run = true;
    dtype.for_each_swap(0, &mut |offset, len| {
        is_run &= offset == end && (end == 0 || len == size);
        (size, end) = (len, offset + len);
    });
    (is_run && (end == 0 || end == dtype.item_size())).then_some(size)
}

fn swap_runs<const N: usize>(items: &mut [u8]) {
    items.as_chunks_mut::<N>().0.iter_mut().for_each(|number| number.reverse());
}

fn swap_parts(dtype: &DType, items: &mut [u8]) {
    let mut parts = Vec::new();
    dtype.for_each_swap(0, &mut |offset, len| parts.push(offset..offset + len));
    for item in items.chunks_exact_mut(dtype.item_size().max(1)) {
        for part in &parts {
            if let Some(number) = item.get_mut(part.clone()) {
                number.reverse();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dtype::StructType;

    fn swapped(dtype: &DType, len: usize) -> Vec<u8> {
        let mut items: Vec<u8> = (0..len).map(|i| i as u8).collect();
        swap_items(dtype, &mut items);
        items
    }

    #[test]
    fn numbers_are_reversed_and_text_is_not() {
        assert_eq!(swapped(&DType::Int16, 4), [1, 0, 3, 2]);
        assert_eq!(swapped(&DType::Float32, 4), [3, 2, 1, 0]);
        assert_eq!(swapped(&DType::Complex64, 8), [3, 2, 1, 0, 7, 6, 5, 4]);
        assert_eq!(swapped(&DType::Unicode(2), 8), [3, 2, 1, 0, 7, 6, 5, 4]);
        assert_eq!(swapped(&DType::LongDouble, 16), (0..16).rev().collect::<Vec<_>>());
        for dtype in [DType::UInt8, DType::fixed_bytes(4), DType::string(), DType::opaque(3)] {
            assert_eq!(swapped(&dtype, 32), (0..32).collect::<Vec<_>>(), "{dtype}");
        }
    }

    #[test]
    fn members_are_reversed_one_by_one() {
        let members = [("a", DType::Int16), ("t", DType::fixed_bytes(2)), ("b", DType::Int32)];
        let members = members.map(|(name, dtype)| (name.to_owned(), dtype));
        let dtype = DType::Struct(Arc::new(StructType::packed(members).unwrap()));
        assert_eq!(swapped(&dtype, 9), [1, 0, 2, 3, 7, 6, 5, 4, 8]);
    }

    #[test]
    fn a_struct_of_one_kind_of_number_is_a_run() {
        let members = ["x", "y", "z"].map(|name| (name.to_owned(), DType::Float32));
        let dtype = DType::Struct(Arc::new(StructType::packed(members).unwrap()));
        assert_eq!(run_size(&dtype), Some(4));
        let mixed = [("x".to_owned(), DType::Int16), ("y".to_owned(), DType::UInt8)];
        assert_eq!(run_size(&DType::Struct(Arc::new(StructType::packed(mixed).unwrap()))), None);
    }

    #[test]
    fn a_trailing_part_of_an_item_is_left() {
        assert_eq!(swapped(&DType::Int32, 6), [3, 2, 1, 0, 4, 5]);
    }
}
