//! Objects of a global heap: text of variable length (section III.E).

use super::bytes::Bytes;
use super::source::Source;

const OBJECT_LEN: usize = 16;

/// The text that `reference`, sixteen bytes of an item of variable length, leads to, up to the
/// first NUL.
pub(super) fn text(source: &mut Source<'_>, reference: &[u8]) -> Option<Vec<u8>> {
    let mut reference = Bytes(reference);
    let len = usize::try_from(reference.u32()?).ok()?;
    let (address, index) = (reference.u64()?, reference.u32()?);
    if address == 0 || len == 0 {
        return Some(Vec::new());
    }
    let mut bytes = Vec::new();
    source.read(address, 16, &mut bytes)?;
    let mut head = Bytes(&bytes);
    if head.take(4)? != b"GCOL" || head.u8()? != 1 {
        return None;
    }
    head.take(3)?;
    let size = usize::try_from(head.u64()?).ok()?;
    source.read(address, size, &mut bytes)?;
    let mut objects = Bytes(bytes.get(16..)?);
    while objects.0.len() >= OBJECT_LEN {
        let (found, _references) = (objects.u16()?, objects.u16()?);
        objects.take(4)?;
        let size = usize::try_from(objects.u64()?).ok()?;
        if u32::from(found) == index && found != 0 {
            let text = objects.take(size)?.get(..len)?;
            let end = text.iter().position(|&byte| byte == 0).unwrap_or(len);
            return text.get(..end).map(<[u8]>::to_vec);
        }
        if found == 0 {
            // What is free is at the end.
            return None;
        }
        objects.take(size.checked_next_multiple_of(8)?)?;
    }
    None
}
