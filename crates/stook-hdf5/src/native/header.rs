//! Object headers: the messages that a node is made of (section IV.A.1).

use stook_core::codec::lookup3;

use super::bytes::Bytes;
use super::source::Source;

/// Types of messages, by the names of the specification.
pub(super) mod kind {
    pub(crate) const DATASPACE: u16 = 0x01;
    pub(crate) const LINK_INFO: u16 = 0x02;
    pub(crate) const DATATYPE: u16 = 0x03;
    pub(crate) const FILL_VALUE: u16 = 0x05;
    pub(crate) const LINK: u16 = 0x06;
    pub(crate) const EXTERNAL_FILES: u16 = 0x07;
    pub(crate) const LAYOUT: u16 = 0x08;
    pub(crate) const FILTERS: u16 = 0x0B;
    pub(crate) const ATTRIBUTE: u16 = 0x0C;
    pub(crate) const CONTINUATION: u16 = 0x10;
    pub(crate) const SYMBOL_TABLE: u16 = 0x11;
    pub(crate) const ATTRIBUTE_INFO: u16 = 0x15;
    /// The last that the specification has.
    pub(crate) const LAST: u16 = 0x17;
}

/// A header's message may be this, and then lies elsewhere.
const FLAG_SHARED: u8 = 2;
/// Pieces that a header is in at most.
const MAX_PIECES: usize = 64;
/// The bytes before the messages of a header of version 1.
const PREFIX_LEN: usize = 16;

/// A message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub(super) kind: u16,
    flags: u8,
    data: &'a [u8],
}

impl<'a> Message<'a> {
    /// What it holds, where it holds it itself.
    pub(super) fn data(&self) -> Option<Bytes<'a>> {
        (self.flags & FLAG_SHARED == 0).then_some(Bytes(self.data))
    }
}

/// The bytes of a header, kept from one to the next.
#[derive(Debug, Default)]
pub(super) struct Header {
    /// The messages of all pieces, one piece behind the other.
    bytes: Vec<u8>,
    piece: Vec<u8>,
    /// Where each piece begins and ends in `bytes`.
    pieces: Vec<(usize, usize)>,
    is_old: bool,
    /// Whether messages have a number of their order.
    is_ordered: bool,
}

impl Header {
    /// Reads the header at `address`; checksums are checked where there are any.
    pub(super) fn read(&mut self, source: &mut Source<'_>, address: u64) -> Option<()> {
        self.bytes.clear();
        self.pieces.clear();
        source.read(address, PREFIX_LEN, &mut self.piece)?;
        self.is_old = self.piece.first() == Some(&1);
        if self.is_old {
            let len = Bytes(self.piece.get(8..)?).u32()?;
            self.is_ordered = false;
            let at = address.checked_add(PREFIX_LEN as u64)?;
            source.read(at, usize::try_from(len).ok()?, &mut self.piece)?;
            self.push(0, self.piece.len())?;
        } else {
            self.read_first(source, address)?;
        }
        while let Some((address, len)) = self.continuation()? {
            if self.pieces.len() >= MAX_PIECES {
                return None;
            }
            source.read(address, usize::try_from(len).ok()?, &mut self.piece)?;
            if self.is_old {
                self.push(0, self.piece.len())?;
            } else {
                self.push_checked(b"OCHK", 4)?;
            }
        }
        self.parts().all(|part| part.is_some()).then_some(())
    }

    /// The first piece of a header of version 2.
    fn read_first(&mut self, source: &mut Source<'_>, address: u64) -> Option<()> {
        let mut prefix = Bytes(&self.piece);
        if prefix.take(4)? != b"OHDR" || prefix.u8()? != 2 {
            return None;
        }
        let flags = prefix.u8()?;
        let (size_of_len, has_times, has_phases) =
            (flags & 3, flags & 0x20 != 0, flags & 0x10 != 0);
        self.is_ordered = flags & 4 != 0;
        let len_at = 6 + if has_times { 16 } else { 0 } + if has_phases { 4 } else { 0 };
        source.read(address, len_at + 8, &mut self.piece)?;
        let len = Bytes(self.piece.get(len_at..)?).sized(size_of_len)?;
        let start = len_at + (1 << size_of_len);
        let all = usize::try_from(len).ok()?.checked_add(start + 4)?;
        source.read(address, all, &mut self.piece)?;
        self.push_checked(b"OHDR", start)
    }

    /// Appends the messages of a piece that begins with `signature` and ends with its checksum.
    fn push_checked(&mut self, signature: &[u8; 4], start: usize) -> Option<()> {
        let end = self.piece.len().checked_sub(4)?;
        let (body, sum) = self.piece.split_at_checked(end)?;
        let is_whole = body.starts_with(signature) && lookup3(body) == Bytes(sum).u32()?;
        if is_whole { self.push(start, end) } else { None }
    }

    fn push(&mut self, start: usize, end: usize) -> Option<()> {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(self.piece.get(start..end)?);
        self.pieces.push((at, self.bytes.len()));
        Some(())
    }

    /// The next message that leads to a piece which is not there yet: the first leads to the
    /// second piece, and so on.
    #[expect(clippy::option_option, reason = "the outer `None` is what is not understood")]
    fn continuation(&self) -> Option<Option<(u64, u64)>> {
        let n_followed = self.pieces.len() - 1;
        let mut all = self.messages().filter(|message| message.kind == kind::CONTINUATION);
        let Some(message) = all.nth(n_followed) else { return Some(None) };
        let mut data = message.data()?;
        Some(Some((data.u64()?, data.u64()?)))
    }

    /// All messages; once, and at the end of a piece, `None` for what is none.
    fn parts(&self) -> impl Iterator<Item = Option<Message<'_>>> {
        self.pieces.iter().flat_map(|&(start, end)| {
            let piece = Bytes(self.bytes.get(start..end).unwrap_or_default());
            Messages { piece, is_old: self.is_old, is_ordered: self.is_ordered }
        })
    }

    /// All messages.
    pub(super) fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        self.parts().flatten()
    }

    /// The one message of a kind; `None` where there is none, too.
    pub(super) fn find(&self, kind: u16) -> Option<Message<'_>> {
        self.messages().find(|message| message.kind == kind)
    }
}

/// The messages of a piece.
struct Messages<'a> {
    piece: Bytes<'a>,
    is_old: bool,
    is_ordered: bool,
}

impl<'a> Messages<'a> {
    fn parse(&mut self) -> Option<Message<'a>> {
        let (kind, len, flags);
        if self.is_old {
            (kind, len, flags) = (self.piece.u16()?, self.piece.u16()?, self.piece.u8()?);
            self.piece.take(3)?;
        } else {
            (kind, len) = (u16::from(self.piece.u8()?), self.piece.u16()?);
            flags = self.piece.u8()?;
            self.piece.take(if self.is_ordered { 2 } else { 0 })?;
        }
        let data = self.piece.take(usize::from(len))?;
        (kind <= kind::LAST).then_some(Message { kind, flags, data })
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Option<Message<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        // What is shorter than a message is a gap.
        let head = if self.is_old { 8 } else { 4 + if self.is_ordered { 2 } else { 0 } };
        if self.piece.0.len() < head {
            return None;
        }
        let message = self.parse();
        if message.is_none() {
            self.piece = Bytes(&[]);
        }
        Some(message)
    }
}
