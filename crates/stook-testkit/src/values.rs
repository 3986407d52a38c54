//! Values of any type, the same in every run.

use stook_core::dtype::HEAP_ITEM_LEN;
use stook_core::values::{HeapItem, byte_len};
use stook_core::{DType, Values};

use crate::random::Random;

/// Characters of one to four bytes.
const CHARS: [char; 6] = ['a', 'Z', ' ', 'é', '中', '😀'];

/// Values of `dtype`: any bit pattern for numbers, valid text for strings.
///
/// # Panics
/// If they do not fit memory.
#[must_use]
pub fn random_values(dtype: &DType, shape: &[u64], random: &mut Random) -> Values {
    let mut heap = Vec::new();
    let mut items = vec![0; byte_len(shape, dtype.item_size()).unwrap()];
    for item in items.chunks_exact_mut(dtype.item_size().max(1)) {
        fill(dtype, item, &mut heap, random);
    }
    Values::new(dtype.clone(), shape.to_vec(), items, heap).unwrap()
}

fn fill(dtype: &DType, item: &mut [u8], heap: &mut Vec<u8>, random: &mut Random) {
    match dtype {
        DType::Bool => item[0] = u8::from(random.below(2) == 1),
        DType::FixedString(_) => {
            let len = random.below(item.len() + 1);
            item[..len].fill_with(|| b'a' + random.next_u64().to_le_bytes()[0] % 26);
        }
        DType::Unicode(_) => {
            let n_chars = random.below(item.len() / 4 + 1);
            for place in item.chunks_exact_mut(4).take(n_chars) {
                let code = u32::from(CHARS[random.below(CHARS.len())]);
                #[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
                place.copy_from_slice(&code.to_ne_bytes());
            }
        }
        DType::Struct(r#struct) => {
            for field in &r#struct.fields {
                let end = field.offset + field.dtype.item_size();
                fill(&field.dtype, &mut item[field.offset..end], heap, random);
            }
        }
        DType::Array(array) => {
            for item in item.chunks_exact_mut(array.item.item_size().max(1)) {
                fill(&array.item, item, heap, random);
            }
        }
        DType::Enum(r#enum) => {
            let (_, value) = r#enum.members[random.below(r#enum.members.len())];
            let bytes = if cfg!(target_endian = "big") {
                value.to_be_bytes().to_vec()
            } else {
                value.to_le_bytes().to_vec()
            };
            let start = if cfg!(target_endian = "big") { bytes.len() - item.len() } else { 0 };
            item.copy_from_slice(&bytes[start..start + item.len()]);
        }
        // The bytes behind the ten of an x87 number are padding, which need not survive.
        DType::LongDouble => item[..8].copy_from_slice(&random.next_u64().to_le_bytes()),
        DType::String(_) | DType::Bytes => {
            let n_chars = random.below(9);
            let text: String = (0..n_chars).map(|_| CHARS[random.below(CHARS.len())]).collect();
            let at = HeapItem { offset: heap.len() as u64, len: text.len() as u64 };
            heap.extend_from_slice(text.as_bytes());
            item[..HEAP_ITEM_LEN].copy_from_slice(&at.to_bytes());
        }
        _ => item.fill_with(|| random.next_u64().to_le_bytes()[0]),
    }
}
