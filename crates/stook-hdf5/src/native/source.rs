//! The file's bytes, a few pages of which are kept.

use stook_core::codec::lookup3;
use stook_core::file::FileIo;

use super::bytes::{Bytes, UNDEFINED};

/// Bytes that are read at a time: headers of nodes that were made one after another lie together.
const PAGE_LEN: usize = 16 << 10;
/// Pages that are kept.
const N_PAGES: usize = 16;
/// More bytes of metadata in one piece are left to the library.
const MAX_PIECE_LEN: usize = 1 << 20;

/// Bytes of a file of the plain kind: addresses and lengths of eight bytes that count from its
/// first byte.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) file: &'a dyn FileIo,
    pub(super) pages: &'a mut Pages,
}

/// The pages, each in the place that its number gives it.
#[derive(Debug, Default)]
pub(super) struct Pages([Option<(u64, Vec<u8>)>; N_PAGES]);

impl Source<'_> {
    fn page(&mut self, number: u64) -> Option<&[u8]> {
        let place = self.pages.0.get_mut(usize::try_from(number).ok()? % N_PAGES)?;
        if place.as_ref().is_none_or(|(known, _)| *known != number) {
            let mut bytes = place.take().map_or_else(Vec::new, |(_, bytes)| bytes);
            bytes.resize(PAGE_LEN, 0);
            let at = number.checked_mul(PAGE_LEN as u64)?;
            let found = self.file.read_at(at, &mut bytes).ok()?;
            bytes.truncate(found);
            *place = Some((number, bytes));
        }
        place.as_ref().map(|(_, bytes)| bytes.as_slice())
    }

    /// Puts the `len` bytes from `address` on in the place of what `out` holds.
    pub(super) fn read(&mut self, address: u64, len: usize, out: &mut Vec<u8>) -> Option<()> {
        if len > MAX_PIECE_LEN || address == UNDEFINED {
            return None;
        }
        out.clear();
        while out.len() < len {
            let at = address.checked_add(out.len() as u64)?;
            let within = usize::try_from(at % PAGE_LEN as u64).ok()?;
            let rest = self.page(at / PAGE_LEN as u64)?.get(within..)?;
            let part = rest.get(..rest.len().min(len - out.len()))?;
            if part.is_empty() {
                return None;
            }
            out.extend_from_slice(part);
        }
        Some(())
    }

    /// The address of the root's header (section II.A).
    pub(super) fn root(&mut self) -> Option<u64> {
        let mut head = Vec::new();
        self.read(0, 48, &mut head)?;
        let mut bytes = Bytes(&head);
        if bytes.take(8)? != b"\x89HDF\r\n\x1a\n" {
            return None;
        }
        let version = bytes.u8()?;
        match version {
            0 | 1 => {
                let sizes = Bytes(head.get(13..)?).u16()?;
                let base_at = if version == 0 { 24 } else { 28 };
                let mut rest = Vec::new();
                self.read(base_at, 48, &mut rest)?;
                let mut rest = Bytes(&rest);
                let base = rest.u64()?;
                // Free space, end of file, driver information; the name of the root.
                rest.take(32)?;
                (sizes == 0x0808 && base == 0).then(|| rest.u64())?
            }
            2 | 3 => {
                let (sizes, flags, base) = (bytes.u16()?, bytes.u8()?, bytes.u64()?);
                let (_extension, _end, root) = (bytes.u64()?, bytes.u64()?, bytes.u64()?);
                let sum = bytes.u32()?;
                let is_whole = lookup3(head.get(..44)?) == sum;
                (sizes == 0x0808 && flags == 0 && base == 0 && is_whole).then_some(root)
            }
            _ => None,
        }
    }
}
