//! New tables of the names in a group of the old style: nodes of symbols, the tree of these, and
//! the heap that the names lie in (sections III.A, III.B, III.D).
//!
//! Nodes are filled in the order of the names; the library splits those to which others come.

use super::bytes::UNDEFINED;

/// Symbols of a node at most, and children of a node of the tree: twice the numbers that the
/// superblock has, which are these unless somebody asked for others.
const MAX_SYMBOLS: usize = 2 * NAMES_K.1 as usize;
const MAX_CHILDREN: usize = 2 * NAMES_K.0 as usize;
/// Half of the children of a tree's node, and of the symbols of one.
pub(crate) const NAMES_K: (u32, u32) = (16, 4);

const SYMBOL_LEN: usize = 40;
const SYMBOLS_LEN: usize = 8 + MAX_SYMBOLS * SYMBOL_LEN;
const TREE_HEAD_LEN: usize = 24;
const TREE_LEN: usize = TREE_HEAD_LEN + MAX_CHILDREN * 16 + 8;
const HEAP_HEAD_LEN: usize = 32;
/// What names in the heap are filled up to.
const NAME_ALIGNMENT: usize = 8;
/// What says that nothing in the heap is free.
const NOTHING_FREE: u64 = 1;

/// Tables of names, to be written where they were made for.
#[derive(Debug)]
pub(crate) struct NewNames {
    pub(crate) bytes: Vec<u8>,
    /// Where the tree is.
    pub(crate) tree: u64,
    /// Where the heap is.
    pub(crate) heap: u64,
}

/// The bytes that `names` take in the heap, the empty name first.
fn heap_len<'a>(names: impl Iterator<Item = &'a [u8]>) -> usize {
    names.fold(NAME_ALIGNMENT, |len, name| len + (name.len() + 1).next_multiple_of(NAME_ALIGNMENT))
}

/// The bytes of the tables of `names`.
pub(crate) fn names_len<'a>(names: impl ExactSizeIterator<Item = &'a [u8]>) -> usize {
    let mut n = names.len().div_ceil(MAX_SYMBOLS);
    let symbols = n * SYMBOLS_LEN;
    let mut n_nodes = 0;
    loop {
        n = n.div_ceil(MAX_CHILDREN).max(1);
        n_nodes += n;
        if n == 1 {
            break;
        }
    }
    HEAP_HEAD_LEN + heap_len(names) + symbols + n_nodes * TREE_LEN
}

/// The tables of `names`, which are sorted, and lead to headers at addresses; they will lie at
/// `start`.
pub(crate) fn names<'a>(
    names: impl ExactSizeIterator<Item = (&'a [u8], u64)> + Clone,
    start: u64,
) -> NewNames {
    let heap_len = heap_len(names.clone().map(|(name, _)| name));
    let mut heap = Vec::with_capacity(heap_len);
    heap.resize(NAME_ALIGNMENT, 0);
    let mut bytes = Vec::with_capacity(names_len(names.clone().map(|(name, _)| name)));
    bytes.extend_from_slice(b"HEAP\0\0\0\0");
    for number in [heap_len as u64, NOTHING_FREE, start + HEAP_HEAD_LEN as u64] {
        bytes.extend(number.to_le_bytes());
    }
    let symbols_at = HEAP_HEAD_LEN + heap_len;
    let mut symbols = Vec::new();
    // Of each node: where it is, and where the last of its names is in the heap.
    let mut below: Vec<(u64, u64)> = Vec::new();
    let n = names.len();
    for (at, (name, address)) in names.enumerate() {
        if at % MAX_SYMBOLS == 0 {
            // The one before is full.
            below.push((start + (symbols_at + symbols.len()) as u64, 0));
            let here = (n - at).min(MAX_SYMBOLS);
            symbols.extend_from_slice(b"SNOD\x01\0");
            symbols.extend(u16::try_from(here).unwrap_or(0).to_le_bytes());
        }
        let offset = heap.len() as u64;
        heap.extend_from_slice(name);
        heap.push(0);
        heap.resize(heap.len().next_multiple_of(NAME_ALIGNMENT), 0);
        symbols.extend(offset.to_le_bytes());
        symbols.extend(address.to_le_bytes());
        // Nothing of what it leads to is kept here.
        symbols.extend([0; SYMBOL_LEN - 16]);
        if let Some(node) = below.last_mut() {
            node.1 = offset;
        }
    }
    symbols.resize(below.len() * SYMBOLS_LEN, 0);
    bytes.extend(heap);
    bytes.extend(symbols);
    let tree = tree(&mut bytes, below, start);
    NewNames { bytes, tree, heap: start }
}

/// Appends the tree of nodes that lie at addresses and end with names; where its root is.
fn tree(bytes: &mut Vec<u8>, mut below: Vec<(u64, u64)>, start: u64) -> u64 {
    for level in 0_u8.. {
        let first = start + bytes.len() as u64;
        let n_nodes = below.len().div_ceil(MAX_CHILDREN).max(1);
        let mut nodes = Vec::with_capacity(n_nodes);
        // The last name before a node: none before the first.
        let mut before = 0;
        for at in 0..n_nodes {
            let children = below.chunks(MAX_CHILDREN).nth(at).unwrap_or_default();
            let address = |at: usize| first + (at * TREE_LEN) as u64;
            let from = bytes.len();
            bytes.extend_from_slice(b"TREE\0");
            bytes.push(level);
            bytes.extend(u16::try_from(children.len()).unwrap_or(0).to_le_bytes());
            let left = at.checked_sub(1).map_or(UNDEFINED, address);
            let right = if at + 1 < n_nodes { address(at + 1) } else { UNDEFINED };
            bytes.extend(left.to_le_bytes());
            bytes.extend(right.to_le_bytes());
            for &(child, last) in children {
                bytes.extend(u64::to_le_bytes(before));
                bytes.extend(child.to_le_bytes());
                before = last;
            }
            bytes.extend(before.to_le_bytes());
            bytes.resize(from + TREE_LEN, 0);
            nodes.push((address(at), before));
        }
        if let [(root, _)] = nodes.as_slice() {
            return *root;
        }
        below = nodes;
    }
    UNDEFINED
}
