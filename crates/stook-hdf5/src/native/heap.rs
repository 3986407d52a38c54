//! Objects of global heaps: text of variable length (section III.E).

use std::collections::HashMap;

use stook_core::Limits;
use stook_core::values::HeapItem;

use super::bytes::Bytes;
use super::source::Source;

const HEAD_LEN: usize = 16;
const OBJECT_LEN: usize = 16;
/// Bytes of a reference to text: its length, the address of its heap, its number there.
const REFERENCE_LEN: usize = 16;
/// Bytes of heaps that are kept while the text of many items is read.
const KEPT_LEN: usize = 16 << 20;
/// Bytes of heaps that are read at most for each byte of the file: where more would have to be, because
/// text lies in no order, the library does it.
const MAX_READ: u64 = 8;

/// A global heap.
#[derive(Debug, Default)]
struct Heap {
    bytes: Vec<u8>,
    /// Where the object of each number begins and ends; those that are not there do so at 0.
    objects: Vec<(u32, u32)>,
}

impl Heap {
    fn read(source: &mut Source<'_>, address: u64) -> Option<Self> {
        let mut bytes = Vec::new();
        source.read(address, HEAD_LEN, &mut bytes)?;
        let mut head = Bytes(&bytes);
        if head.take(4)? != b"GCOL" || head.u8()? != 1 {
            return None;
        }
        head.take(3)?;
        let size = usize::try_from(head.u64()?).ok()?;
        source.read(address, size, &mut bytes)?;
        let mut heap = Self { bytes, objects: Vec::new() };
        heap.index()?;
        Some(heap)
    }

    fn index(&mut self) -> Option<()> {
        let all = self.bytes.len();
        let mut rest = Bytes(self.bytes.get(HEAD_LEN..)?);
        while rest.0.len() >= OBJECT_LEN {
            let (number, _references) = (usize::from(rest.u16()?), rest.u16()?);
            rest.take(4)?;
            let len = usize::try_from(rest.u64()?).ok()?;
            if number == 0 {
                // What is free is at the end.
                break;
            }
            let start = all - rest.0.len();
            rest.take(len.checked_next_multiple_of(8)?)?;
            if self.objects.len() <= number {
                self.objects.resize(number + 1, (0, 0));
            }
            let object = (u32::try_from(start).ok()?, u32::try_from(start + len).ok()?);
            *self.objects.get_mut(number)? = object;
        }
        Some(())
    }

    fn text(&self, number: u32, len: usize) -> Option<&[u8]> {
        let &(start, end) = self.objects.get(usize::try_from(number).ok()?)?;
        if start == 0 {
            return None;
        }
        let text = self.bytes.get(start as usize..end as usize)?.get(..len)?;
        let end = text.iter().position(|&byte| byte == 0).unwrap_or(len);
        text.get(..end)
    }
}

/// Reads the text that `references` lead to, each up to its first NUL: items of text of any length
/// go to `items`, which is as long, what they hold to the end of `payload`.
pub(super) fn texts(
    source: &mut Source<'_>,
    references: &[u8],
    (items, payload): (&mut [u8], &mut Vec<u8>),
    limits: &Limits,
) -> Option<()> {
    let mut heaps: HashMap<u64, Heap> = HashMap::new();
    let (mut kept, mut last) = (0, (0, Heap::default()));
    let mut room = source.file.len_bytes().ok()?.saturating_mul(MAX_READ);
    let items = items.chunks_exact_mut(REFERENCE_LEN);
    for (reference, item) in references.chunks_exact(REFERENCE_LEN).zip(items) {
        let mut reference = Bytes(reference);
        let len = usize::try_from(reference.u32()?).ok()?;
        let (address, number) = (reference.u64()?, reference.u32()?);
        let offset = payload.len() as u64;
        if address != 0 && len != 0 {
            if address != last.0 {
                let next = match heaps.remove(&address) {
                    Some(known) => known,
                    None => {
                        let new = Heap::read(source, address)?;
                        room = room.checked_sub(new.bytes.len() as u64)?;
                        kept += new.bytes.len() + size_of_val(new.objects.as_slice());
                        new
                    }
                };
                let (old, heap) = std::mem::replace(&mut last, (address, next));
                if kept > KEPT_LEN {
                    heaps.clear();
                    kept = 0;
                } else if old != 0 {
                    heaps.insert(old, heap);
                }
            }
            let text = last.1.text(number, len)?;
            limits.heap(offset.checked_add(text.len() as u64)?).ok()?;
            payload.extend_from_slice(text);
        }
        let found = HeapItem { offset, len: payload.len() as u64 - offset };
        item.copy_from_slice(&found.to_bytes());
    }
    Some(())
}

/// The text that one reference leads to, up to the first NUL.
pub(super) fn text(source: &mut Source<'_>, reference: &[u8], limits: &Limits) -> Option<Vec<u8>> {
    let (mut item, mut text) = ([0; REFERENCE_LEN], Vec::new());
    texts(source, reference.get(..REFERENCE_LEN)?, (&mut item, &mut text), limits)?;
    Some(text)
}
