//! Structures that the library must not be given: it would read a global heap for ever, and divide by
//! the sizes that a B-tree tells.

use stook_core::{Error, Result};

/// Bytes before the first object: signature, version, reserved, size (of 8 bytes).
const HEADER_LEN: usize = 16;
/// Bytes of an object's header, with a size of 8 bytes.
const OBJECT_LEN: usize = 16;

/// Refuses the bytes of the header of a version 2 B-tree, read from `address`, whose nodes have no
/// room for a record: the library divides by the length of a record.
pub(super) fn check_tree(bytes: &[u8], address: u64) -> Result<()> {
    if !bytes.starts_with(b"BTHD") {
        return Ok(());
    }
    let node = bytes.get(6..10).and_then(<[u8]>::first_chunk).map(|b| u32::from_le_bytes(*b));
    let record = bytes.get(10..12).and_then(<[u8]>::first_chunk).map(|b| u16::from_le_bytes(*b));
    let (Some(node), Some(record)) = (node, record) else { return Ok(()) };
    // Signature, version, type and checksum are in a node, too.
    let room = node.saturating_sub(10);
    if record == 0 || u32::from(record) > room {
        let message = format!(
            "the B-tree at {address} has nodes of {node} bytes for records of {record} bytes"
        );
        return Err(Error::corrupt(message));
    }
    Ok(())
}

/// Refuses the bytes of a global heap, read from `address`, in which an object of free space has
/// no length: the library steps from object to object by their lengths.
pub(super) fn check(bytes: &[u8], address: u64) -> Result<()> {
    if !bytes.starts_with(b"GCOL") {
        return Ok(());
    }
    let number = |at: usize| -> Option<u64> {
        bytes.get(at..at + 8)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
    };
    let stated = number(8).and_then(|len| usize::try_from(len).ok()).unwrap_or(0);
    let end = stated.min(bytes.len());
    let mut at = HEADER_LEN;
    while at + OBJECT_LEN <= end {
        let is_free = bytes.get(at..at + 2) == Some(&[0, 0]);
        let Some(len) = number(at + 8) else { return Ok(()) };
        if is_free && len == 0 {
            let message = format!(
                "the global heap at {address} has an object of free space without a length"
            );
            return Err(Error::corrupt(message));
        }
        let Ok(len) = usize::try_from(len) else { return Ok(()) };
        let padded = len.checked_next_multiple_of(8).and_then(|len| len.checked_add(OBJECT_LEN));
        let step = if is_free { Some(len) } else { padded };
        // What leads out of the heap the library refuses itself.
        let Some(next) = step.and_then(|step| at.checked_add(step)) else { return Ok(()) };
        at = next;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_without_room_for_records_is_refused() {
        let header = |node: u32, record: u16| {
            let mut bytes = b"BTHD\0\x05".to_vec();
            bytes.extend(node.to_le_bytes());
            bytes.extend(record.to_le_bytes());
            bytes
        };
        check_tree(&header(512, 11), 0).unwrap();
        assert!(check_tree(&header(512, 0), 77).unwrap_err().message().contains("tree at 77"));
        assert!(check_tree(&header(12, 11), 0).is_err());
        check_tree(&header(512, 0)[..8], 0).unwrap();
        check_tree(b"TREE", 0).unwrap();
    }

    #[test]
    fn a_heap_without_an_end_is_refused() {
        let object = |index: u16, len: u64| {
            let mut bytes = [0; 16];
            bytes[..2].copy_from_slice(&index.to_le_bytes());
            bytes[8..].copy_from_slice(&len.to_le_bytes());
            bytes
        };
        let mut heap = vec![0; 4096];
        heap[..4].copy_from_slice(b"GCOL");
        heap[8..16].copy_from_slice(&4096_u64.to_le_bytes());
        heap[16..32].copy_from_slice(&object(1, 5));
        heap[40..56].copy_from_slice(&object(0, 4056));
        check(&heap, 0).unwrap();
        heap[40..56].copy_from_slice(&object(0, 0));
        assert!(check(&heap, 77).unwrap_err().message().contains("heap at 77"));
        heap[40..56].copy_from_slice(&object(2, u64::MAX));
        check(&heap, 0).unwrap();
        check(&heap[..20], 0).unwrap();
        check(b"TREE", 0).unwrap();
    }
}
