//! Structures that the library must not be given: by what they tell of themselves it would divide by
//! zero, go on for ever, or leave the memory that is its own.
//!
//! What it refuses itself is let through here; forms are those of the HDF5 File Format
//! Specification 3.0. `python/tests/test_crafted.py` looks for others.

use stook_core::codec::lookup3;
use stook_core::{Error, Result};

/// What is known of a file from what was read before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Bytes of an address, and of a length.
    sizes: (usize, usize),
    /// Whether there is a table of heaps for messages that objects share.
    has_shared_messages: bool,
}

impl Default for Seen {
    fn default() -> Self {
        Self { sizes: (8, 8), has_shared_messages: false }
    }
}

impl Seen {
    /// Refuses metadata that were read from `address`.
    pub(super) fn check(&mut self, bytes: &[u8], address: u64) -> Result<()> {
        let Some((signature, _)) = bytes.split_first_chunk::<4>() else { return Ok(()) };
        match signature {
            b"\x89HDF" => self.sizes = sizes(bytes).unwrap_or(self.sizes),
            b"SMTB" => self.has_shared_messages = true,
            b"BTHD" => return check_tree(bytes, address),
            b"BTLF" | b"BTIN" if !self.has_shared_messages => {
                return check_records(bytes, address);
            }
            b"FRHP" => return check_fractal_heap(Fields { bytes, sizes: self.sizes }, address),
            b"EAHD" => return check_array(Fields { bytes, sizes: self.sizes }, address),
            b"GCOL" => return check_heap(bytes, address),
            _ => {}
        }
        Ok(())
    }

    /// Refuses elements that were read from `address`, among which the library counts heaps of what
    /// varies in length.
    pub(super) fn check_elements(&self, bytes: &[u8], address: u64) -> Result<()> {
        if bytes.len() < MIN_HEAP_LEN || self.sizes.1 != 8 {
            return Ok(());
        }
        check_heap(bytes, address)
    }
}

/// The sizes that a superblock tells.
fn sizes(bytes: &[u8]) -> Option<(usize, usize)> {
    let at = match bytes.get(8)? {
        0 | 1 => 13,
        2 | 3 => 9,
        _ => return None,
    };
    let sizes = (usize::from(*bytes.get(at)?), usize::from(*bytes.get(at + 1)?));
    let is_known = |size| matches!(size, 2 | 4 | 8);
    (is_known(sizes.0) && is_known(sizes.1)).then_some(sizes)
}

/// The little-endian number in the `len` bytes at `at`.
fn number(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(len)?)?;
    (len <= 8).then(|| bytes.iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte)))
}

/// A structure some of whose fields have the sizes of the file.
#[derive(Clone, Copy)]
struct Fields<'a> {
    bytes: &'a [u8],
    sizes: (usize, usize),
}

impl Fields<'_> {
    /// The number of `len` bytes behind `fixed` bytes, so many addresses, and so many lengths.
    fn at(self, fixed: usize, addresses: usize, lengths: usize, len: usize) -> Option<u64> {
        let at = fixed + addresses * self.sizes.0 + lengths * self.sizes.1;
        number(self.bytes, at, len)
    }
}

/// The header of a version 2 B-tree whose nodes have no room for a record: the library divides by
/// the length of a record.
fn check_tree(bytes: &[u8], address: u64) -> Result<()> {
    let (node, record) = (number(bytes, 6, 4), number(bytes, 10, 2));
    let (Some(node), Some(record)) = (node, record) else { return Ok(()) };
    // Signature, version, type and checksum are in a node, too.
    if record == 0 || record > node.saturating_sub(10) {
        let message = format!(
            "the B-tree at {address} has nodes of {node} bytes for records of {record} bytes"
        );
        return Err(Error::corrupt(message));
    }
    Ok(())
}

/// Bytes before the first record of a node.
const NODE_HEAD_LEN: usize = 6;
/// What says that a message is a reference to one that is shared.
const IS_SHARED: u8 = 2;

/// The node of a B-tree of attributes one of which is said to be shared, in a file that shares none:
/// the library looks it up in a heap that is not there.
fn check_records(bytes: &[u8], address: u64) -> Result<()> {
    // By name, and by the order in which they were made: heap id, flags, order, and a hash.
    let len = match bytes.get(5) {
        Some(8) => 17,
        Some(9) => 13,
        _ => return Ok(()),
    };
    let records = bytes.get(NODE_HEAD_LEN..).unwrap_or_default().chunks_exact(len);
    let is_shared = |record: &[u8]| record.get(8).is_some_and(|flags| flags & IS_SHARED != 0);
    let Some(first) = records.clone().position(is_shared) else { return Ok(()) };
    // What comes behind the last record is nobody's.
    let n_records = (0..=records.len()).find(|n| is_node_of(bytes, *n, len));
    if n_records.is_some_and(|n| first < n) {
        let message = format!(
            "the B-tree node at {address} says that attribute {first} is shared, in a file that \
             shares none"
        );
        return Err(Error::corrupt(message));
    }
    Ok(())
}

/// Whether the checksum is where it is in a node of `n` records of `len` bytes: behind them, and
/// in a node above others behind `n + 1` addresses and two counts each.
fn is_node_of(bytes: &[u8], n: usize, len: usize) -> bool {
    let records = NODE_HEAD_LEN + n * len;
    let is_leaf = bytes.starts_with(b"BTLF");
    let children = if is_leaf { 0..1 } else { 3..8 + 2 * 8 + 1 };
    children.into_iter().any(|child| {
        let end = records + if is_leaf { 0 } else { (n + 1) * child };
        let sum = number(bytes, end, 4);
        sum.is_some() && sum == bytes.get(..end).map(|bytes| lookup3(bytes).into())
    })
}

/// The least that a block of a fractal heap has of its own: signature, version, checksum, the
/// address of the heap, and its offset in it.
const BLOCK_HEAD_LEN: u64 = 4 + 1 + 4 + 8 + 8;

/// The header of a fractal heap whose table of blocks is none: the library sets up as many rows as
/// the logarithms of these numbers say, and takes it that they are powers of two.
fn check_fractal_heap(header: Fields<'_>, address: u64) -> Result<()> {
    let len = header.sizes.1;
    let (width, start) = (header.at(14, 2, 10, 2), header.at(16, 2, 10, len));
    let (most, bits) = (header.at(16, 2, 11, len), header.at(16, 2, 12, 2));
    let (Some(width), Some(start), Some(most), Some(bits)) = (width, start, most, bits) else {
        return Ok(());
    };
    let is_table = [width, start, most].iter().all(|n| n.is_power_of_two())
        && (BLOCK_HEAD_LEN < start && start <= most && most <= 1 << 31)
        && u64::from(start.ilog2() + width.ilog2()) <= bits
        && u64::from(most.ilog2()) <= bits
        && bits <= 64;
    if !is_table {
        let message = format!(
            "the fractal heap at {address} has rows of {width} blocks of {start} to {most} bytes, \
             of 2^{bits} bytes"
        );
        return Err(Error::corrupt(message));
    }
    Ok(())
}

/// Elements that an extensible array may have set without room for them.
const MAX_UNSTORED: u64 = 1 << 32;

/// The header of an extensible array that says more was set than anybody lives to read: the library
/// looks for each element, those that it does not store, too.
fn check_array(header: Fields<'_>, address: u64) -> Result<()> {
    let len = header.sizes.1;
    let (Some(n_set), Some(n_stored)) = (header.at(12, 0, 4, len), header.at(12, 0, 5, len)) else {
        return Ok(());
    };
    if n_set > n_stored.saturating_add(MAX_UNSTORED) {
        let message = format!(
            "the extensible array at {address} says that {n_set} elements were set, and has \
             {n_stored}"
        );
        return Err(Error::corrupt(message));
    }
    Ok(())
}

/// Bytes of a global heap, at least.
const MIN_HEAP_LEN: usize = 4096;
/// Bytes before the first object: signature, version, reserved, size (of 8 bytes).
const HEADER_LEN: usize = 16;
/// Bytes of an object's header, with a size of 8 bytes.
const OBJECT_LEN: usize = 16;

/// A global heap in which an object of free space has no length: the library steps from object to
/// object by their lengths.
fn check_heap(bytes: &[u8], address: u64) -> Result<()> {
    if !bytes.starts_with(b"GCOL") {
        return Ok(());
    }
    let number = |at: usize| number(bytes, at, 8);
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

    #[track_caller]
    fn refused(bytes: &[u8]) -> String {
        Seen::default().check(bytes, 77).unwrap_err().message().to_owned()
    }

    #[track_caller]
    fn passes(bytes: &[u8]) {
        Seen::default().check(bytes, 77).unwrap();
    }

    #[test]
    fn a_tree_without_room_for_records_is_refused() {
        let header = |node: u32, record: u16| {
            let mut bytes = b"BTHD\0\x05".to_vec();
            bytes.extend(node.to_le_bytes());
            bytes.extend(record.to_le_bytes());
            bytes
        };
        passes(&header(512, 11));
        assert!(refused(&header(512, 0)).contains("tree at 77"));
        assert!(refused(&header(12, 11)).contains("records of 11"));
        passes(&header(512, 0)[..8]);
        passes(b"TREE");
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
        passes(&heap);
        heap[40..56].copy_from_slice(&object(0, 0));
        assert!(refused(&heap).contains("heap at 77"));
        // The library reads them as elements.
        assert!(Seen::default().check_elements(&heap, 77).is_err());
        Seen::default().check_elements(&heap[..100], 77).unwrap();
        heap[40..56].copy_from_slice(&object(2, u64::MAX));
        passes(&heap);
        passes(&heap[..20]);
    }

    /// A node of a tree of attributes by name, each with these flags, and what is behind it.
    fn node(signature: &[u8], flags: &[u8], behind: &[u8]) -> Vec<u8> {
        let mut bytes = [signature, b"\0\x08"].concat();
        for flags in flags {
            bytes.extend([&[7; 8][..], &[*flags], &[1; 8]].concat());
        }
        if signature == b"BTIN" {
            bytes.extend(vec![9; 11 * (flags.len() + 1)]);
        }
        bytes.extend(lookup3(&bytes).to_le_bytes());
        [&bytes, behind].concat()
    }

    #[test]
    fn a_shared_attribute_is_refused_where_none_is() {
        for signature in [b"BTLF", b"BTIN"] {
            passes(&node(signature, &[0, 1, 4], &[0xff; 200]));
            let shared = node(signature, &[0, 2, 4], &[0xff; 200]);
            assert!(refused(&shared).contains("node at 77 says that attribute 1"));
            let mut seen = Seen::default();
            seen.check(b"SMTB\0\0\0\0", 0).unwrap();
            seen.check(&shared, 77).unwrap();
        }
        passes(&node(b"BTLF", &[], &[0xff; 60]));
        passes(b"BTLF\0\x05");
    }

    fn fractal_heap(width: u16, blocks: [u64; 2], bits: u16, sizes: usize) -> Vec<u8> {
        let mut bytes = b"FRHP\0\x08\0\0\0\x02\0\x10\0\0".to_vec();
        bytes.resize(14 + 12 * sizes, 0);
        bytes.extend(width.to_le_bytes());
        blocks.iter().for_each(|len| bytes.extend(&len.to_le_bytes()[..sizes]));
        bytes.extend(bits.to_le_bytes());
        bytes
    }

    #[test]
    fn a_fractal_heap_without_a_table_is_refused() {
        passes(&fractal_heap(4, [1024, 1 << 16], 40, 8));
        for (width, blocks, bits) in [
            (3, [1024, 1 << 16], 40),
            (0, [1024, 1 << 16], 40),
            (4, [0, 1 << 16], 40),
            (4, [1000, 1 << 16], 40),
            (4, [1 << 17, 1 << 16], 40),
            (4, [1024, 1 << 40], 40),
            (4, [1024, 1 << 16], 9),
            (4, [1024, 1 << 16], 65),
        ] {
            let message = refused(&fractal_heap(width, blocks, bits, 8));
            assert!(message.contains("heap at 77"), "{message}");
        }
        passes(&fractal_heap(3, [1024, 1 << 16], 40, 8)[..100]);
        // In a file with addresses and lengths of four bytes.
        let mut seen = Seen::default();
        seen.check(b"\x89HDF\r\n\x1a\n\x02\x04\x04\0", 0).unwrap();
        seen.check(&fractal_heap(4, [1024, 1 << 16], 32, 4), 0).unwrap();
        assert!(seen.check(&fractal_heap(5, [1024, 1 << 16], 32, 4), 0).is_err());
    }

    #[test]
    fn an_array_of_more_than_is_read_is_refused() {
        let header = |n_set: u64, n_stored: u64| {
            let mut bytes = b"EAHD\0\0\x08\x20\x04\x10\x04\x0a".to_vec();
            for n in [0, 0, 0, 0, n_set, n_stored] {
                bytes.extend(n.to_le_bytes());
            }
            bytes
        };
        passes(&header(30, 52));
        passes(&header(1 << 32, 20));
        assert!(refused(&header(1 << 33, 20)).contains("array at 77"));
        assert!(refused(&header(u64::MAX, u64::MAX >> 1)).contains("were set"));
        passes(&header(1 << 33, 20)[..50]);
    }
}
