//! Groups: the names in them (sections III.A, III.B, III.D, IV.A.2.g).

use std::cmp::Ordering;

use stook_core::Limits;

use super::bytes::{Bytes, UNDEFINED};
use super::header::{Header, kind};
use super::source::Source;

/// A name in a group.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    /// The address of the header that it leads to.
    pub(super) address: u64,
    /// The position among the names that were made, where the group keeps it.
    pub(super) created: Option<u64>,
}

const SYMBOL_LEN: usize = 40;
/// What the scratch pad of a symbol holds where it is a soft link.
const CACHED_SOFT_LINK: u32 = 2;
/// Levels of a tree of names.
const MAX_LEVEL: u8 = 32;

/// The names in the group of a header, all of them hard links; `None` where one is not.
pub(super) fn entries(
    source: &mut Source<'_>,
    header: &Header,
    limits: &Limits,
) -> Option<Vec<Entry>> {
    if let Some(table) = header.find(kind::SYMBOL_TABLE) {
        let mut table = table.data()?;
        let (tree, heap) = (table.u64()?, table.u64()?);
        let mut names = Names { heap: local_heap(source, heap)?, entries: Vec::new(), n_left: 0 };
        names.n_left = limits.n_nodes;
        names.tree(source, tree, None)?;
        return Some(names.entries);
    }
    let mut info = header.find(kind::LINK_INFO)?.data()?;
    let (version, flags) = (info.u8()?, info.u8()?);
    if flags & 1 != 0 {
        info.u64()?;
    }
    let is_dense = info.u64()? != UNDEFINED;
    if version != 0 || is_dense {
        return None;
    }
    let links = header.messages().filter(|message| message.kind == kind::LINK);
    links.map(|message| link(message.data()?)).collect()
}

/// The address of the header that `name` leads to in the group of a header; `None` where there is
/// none, or it is not found by the way that this knows.
pub(super) fn find(source: &mut Source<'_>, header: &Header, name: &[u8]) -> Option<u64> {
    if let Some(table) = header.find(kind::SYMBOL_TABLE) {
        let mut table = table.data()?;
        let (tree, heap) = (table.u64()?, table.u64()?);
        return Search::new(source, heap, name)?.node(source, tree, None);
    }
    // Links that lie elsewhere are not among these.
    let links = header.messages().filter(|message| message.kind == kind::LINK);
    let mut named = links.filter_map(|message| link(message.data()?));
    named.find(|entry| entry.name == name).map(|entry| entry.address)
}

/// The way to one name through a tree.
struct Search<'n> {
    name: &'n [u8],
    heap: u64,
    heap_len: u64,
    bytes: Vec<u8>,
}

impl<'n> Search<'n> {
    fn new(source: &mut Source<'_>, heap: u64, name: &'n [u8]) -> Option<Self> {
        let mut bytes = Vec::new();
        let (heap_len, heap) = heap_at(source, heap, &mut bytes)?;
        Some(Self { name, heap, heap_len, bytes })
    }

    /// How the name is ordered beside the one at `offset` of the heap.
    fn compare(&mut self, source: &mut Source<'_>, offset: u64) -> Option<Ordering> {
        let room = self.heap_len.checked_sub(offset)?;
        // With the NUL behind it, or as much of a longer one.
        let len = (self.name.len() as u64 + 1).min(room);
        let at = self.heap.checked_add(offset)?;
        source.read(at, usize::try_from(len).ok()?, &mut self.bytes)?;
        let end = self.bytes.iter().position(|&byte| byte == 0).unwrap_or(self.bytes.len());
        Some(self.name.cmp(self.bytes.get(..end)?))
    }

    /// Looks into the node at `address`, which is `level` levels up.
    fn node(&mut self, source: &mut Source<'_>, address: u64, level: Option<u8>) -> Option<u64> {
        let mut bytes = Vec::new();
        let (found, n) = tree_node(source, address, level, &mut bytes)?;
        let key = |i: usize| Bytes(bytes.get(16 * i..).unwrap_or_default()).u64();
        for i in 0..n {
            // A child has the names up to the key behind it.
            if self.compare(source, key(i + 1)?)? == Ordering::Greater {
                continue;
            }
            let child = Bytes(bytes.get(16 * i + 8..)?).u64()?;
            return match found.checked_sub(1) {
                Some(below) => self.node(source, child, Some(below)),
                None => self.symbols(source, child),
            };
        }
        None
    }

    fn symbols(&mut self, source: &mut Source<'_>, address: u64) -> Option<u64> {
        let mut bytes = Vec::new();
        symbol_node(source, address, &mut bytes)?;
        for symbol in bytes.chunks_exact(SYMBOL_LEN) {
            let (name, header) = hard_link(symbol)?;
            if self.compare(source, name)? == Ordering::Equal {
                return Some(header);
            }
        }
        None
    }
}

/// A link message that is a hard link.
fn link(mut message: Bytes<'_>) -> Option<Entry> {
    let (version, flags) = (message.u8()?, message.u8()?);
    let has = |bit: u8| flags & bit != 0;
    let class = if has(8) { message.u8()? } else { 0 };
    let created = if has(4) { Some(message.u64()?) } else { None };
    message.take(usize::from(has(0x10)))?;
    let len = usize::try_from(message.sized(flags & 3)?).ok()?;
    let name = message.take(len)?.to_vec();
    let is_plain = version == 1 && class == 0 && !name.is_empty() && !name.contains(&0);
    is_plain.then_some(Entry { name, address: message.u64()?, created })
}

/// The length and the address of the names of a local heap.
fn heap_at(source: &mut Source<'_>, address: u64, bytes: &mut Vec<u8>) -> Option<(u64, u64)> {
    source.read(address, 32, bytes)?;
    let mut head = Bytes(bytes);
    if head.take(4)? != b"HEAP" || head.u8()? != 0 {
        return None;
    }
    head.take(3)?;
    let (len, _free, at) = (head.u64()?, head.u64()?, head.u64()?);
    Some((len, at))
}

/// The bytes that names lie in.
fn local_heap(source: &mut Source<'_>, address: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (len, at) = heap_at(source, address, &mut bytes)?;
    source.read(at, usize::try_from(len).ok()?, &mut bytes)?;
    Some(bytes)
}

/// The level of a node of a tree of names, and how many children it has: `bytes` then holds keys
/// and children in turn, 8 bytes each, a key last.
fn tree_node(
    source: &mut Source<'_>,
    address: u64,
    level: Option<u8>,
    bytes: &mut Vec<u8>,
) -> Option<(u8, usize)> {
    source.read(address, 24, bytes)?;
    let mut head = Bytes(bytes);
    if head.take(4)? != b"TREE" || head.u8()? != 0 {
        return None;
    }
    let (found, n) = (head.u8()?, usize::from(head.u16()?));
    if found > MAX_LEVEL || level.is_some_and(|level| level != found) {
        return None;
    }
    source.read(address.checked_add(24)?, 16 * n + 8, bytes)?;
    Some((found, n))
}

/// The symbols of the node at `address`, [`SYMBOL_LEN`] bytes each, to `bytes`.
fn symbol_node(source: &mut Source<'_>, address: u64, bytes: &mut Vec<u8>) -> Option<u16> {
    source.read(address, 8, bytes)?;
    let mut head = Bytes(bytes);
    if head.take(4)? != b"SNOD" || head.u8()? != 1 {
        return None;
    }
    head.take(1)?;
    let n = head.u16()?;
    source.read(address.checked_add(8)?, SYMBOL_LEN * usize::from(n), bytes)?;
    Some(n)
}

/// Where in the heap the name of a symbol is, and the header that it leads to, unless it is a
/// soft link.
fn hard_link(symbol: &[u8]) -> Option<(u64, u64)> {
    let mut symbol = Bytes(symbol);
    let (name, header, cached) = (symbol.u64()?, symbol.u64()?, symbol.u32()?);
    (cached < CACHED_SOFT_LINK && header != UNDEFINED).then_some((name, header))
}

/// Names on the way out of a tree.
struct Names {
    heap: Vec<u8>,
    entries: Vec<Entry>,
    /// Names and nodes of the tree that may still come.
    n_left: u64,
}

impl Names {
    /// The names below the node at `address`, which is `level` levels up.
    fn tree(&mut self, source: &mut Source<'_>, address: u64, level: Option<u8>) -> Option<()> {
        self.n_left = self.n_left.checked_sub(1)?;
        let mut bytes = Vec::new();
        let (found, n) = tree_node(source, address, level, &mut bytes)?;
        let mut rest = Bytes(&bytes);
        for _ in 0..n {
            let (_key, child) = (rest.u64()?, rest.u64()?);
            match found.checked_sub(1) {
                Some(below) => self.tree(source, child, Some(below))?,
                None => self.symbols(source, child)?,
            }
        }
        Some(())
    }

    fn symbols(&mut self, source: &mut Source<'_>, address: u64) -> Option<()> {
        let mut bytes = Vec::new();
        let n = symbol_node(source, address, &mut bytes)?;
        self.n_left = self.n_left.checked_sub(u64::from(n) + 1)?;
        for symbol in bytes.chunks_exact(SYMBOL_LEN) {
            let (name, header) = hard_link(symbol)?;
            let name = Bytes(self.heap.get(usize::try_from(name).ok()?..)?).text()?;
            if name.is_empty() {
                return None;
            }
            self.entries.push(Entry { name: name.to_vec(), address: header, created: None });
        }
        Some(())
    }
}
