//! New arrays and groups in one piece, with all their attributes: the object header as the library
//! would write it for files that HDF5 1.8 and later read (section IV.A.1.b).

use stook_core::codec::lookup3;

use super::bytes::UNDEFINED;
use super::header::kind;

/// Size of the first piece in two bytes, attributes in the order of their creation, bounds of
/// their number of its own.
const FLAGS: u8 = 0x01 | 0x04 | 0x10;
/// The bytes before the messages.
const PREFIX_LEN: usize = 4 + 1 + 1 + 4 + 2;
/// A message that is never changed.
const CONSTANT: u8 = 1;
/// A message that is never stored elsewhere.
const NOT_SHARED: u8 = 4;

/// An array to be made; types are messages as the library encodes them.
#[derive(Debug)]
pub(crate) struct NewArray<'a> {
    pub(crate) dtype: &'a [u8],
    pub(crate) shape: &'a [u64],
    /// How many bytes its elements are.
    pub(crate) elements_len: u64,
    /// Attributes in the header at most, and in a heap at least.
    pub(crate) phases: (u16, u16),
    pub(crate) attributes: &'a [NewAttribute<'a>],
}

/// An attribute to be made.
#[derive(Debug)]
pub(crate) struct NewAttribute<'a> {
    pub(crate) name: &'a str,
    pub(crate) dtype: Vec<u8>,
    /// `None` for one without elements and shape.
    pub(crate) shape: Option<&'a [u64]>,
    pub(crate) items: &'a [u8],
}

/// A header but for where the elements lie.
#[derive(Debug)]
pub(crate) struct NewHeader {
    bytes: Vec<u8>,
    /// Where in it that goes.
    address_at: usize,
}

impl NewHeader {
    /// How many bytes it will be.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() + size_of::<u32>()
    }

    /// The header of an array whose elements lie at an address, or that has none.
    pub(crate) fn sealed(self, elements: Option<u64>) -> Vec<u8> {
        self.sealed_with(&elements.unwrap_or(UNDEFINED).to_le_bytes())
    }

    fn sealed_with(mut self, addresses: &[u8]) -> Vec<u8> {
        let place = self.address_at..self.address_at + addresses.len();
        if let Some(place) = self.bytes.get_mut(place) {
            place.copy_from_slice(addresses);
        }
        let sum = lookup3(&self.bytes);
        self.bytes.extend(sum.to_le_bytes());
        self.bytes
    }
}

/// The header of a group but for where its names lie.
#[derive(Debug)]
pub(crate) struct NewGroup(NewHeader);

impl NewGroup {
    /// How many bytes it will be.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The header of a group whose tree of names and whose heap lie at addresses.
    pub(crate) fn sealed(self, tree: u64, heap: u64) -> Vec<u8> {
        self.0.sealed_with([tree.to_le_bytes(), heap.to_le_bytes()].as_flattened())
    }
}

/// The header of `array`; `None` where it does not fit into one.
pub(crate) fn encode(array: &NewArray<'_>) -> Option<NewHeader> {
    let mut header = begin(array.phases);
    message(&mut header, (kind::DATASPACE, 0, 0), |out| extent(Some(array.shape), out))?;
    message(&mut header, (kind::DATATYPE, CONSTANT, 0), |out| out.extend(array.dtype))?;
    // Version 2; space is made late, and filled if a value is set; none is, but the default.
    let fill = [2, 2, 2, 1, 0, 0, 0, 0];
    message(&mut header, (kind::FILL_VALUE, CONSTANT, 0), |out| out.extend(fill))?;
    let mut address_at = 0;
    message(&mut header, (kind::LAYOUT, 0, 0), |out| {
        // Version 3; in one piece.
        out.extend([3, 1]);
        address_at = out.len();
        out.extend(UNDEFINED.to_le_bytes());
        out.extend(array.elements_len.to_le_bytes());
    })?;
    end(&mut header, array.attributes, array.phases)?;
    Some(NewHeader { bytes: header, address_at })
}

/// The header of a group of the old style, whose names are to be told; `None` where it does not fit
/// into one.
pub(crate) fn encode_group(
    attributes: &[NewAttribute<'_>],
    phases: (u16, u16),
) -> Option<NewGroup> {
    let mut header = begin(phases);
    let mut names_at = 0;
    message(&mut header, (kind::SYMBOL_TABLE, 0, 0), |out| {
        names_at = out.len();
        out.extend([0; 2 * size_of::<u64>()]);
    })?;
    end(&mut header, attributes, phases)?;
    Some(NewGroup(NewHeader { bytes: header, address_at: names_at }))
}

/// A header without messages, and without its length, which comes when it is known.
fn begin(phases: (u16, u16)) -> Vec<u8> {
    let mut header = Vec::with_capacity(1024);
    header.extend_from_slice(b"OHDR\x02");
    header.push(FLAGS);
    header.extend(phases.0.to_le_bytes());
    header.extend(phases.1.to_le_bytes());
    header.extend([0, 0]);
    header
}

/// Adds attributes and the length.
fn end(header: &mut Vec<u8>, attributes: &[NewAttribute<'_>], phases: (u16, u16)) -> Option<()> {
    let n_attributes = u16::try_from(attributes.len()).ok()?;
    if n_attributes > phases.0 {
        return None;
    }
    if n_attributes > 0 {
        message(header, (kind::ATTRIBUTE_INFO, NOT_SHARED, 0), |out| {
            // Version 0; the order is known.
            out.extend([0, 1]);
            out.extend(n_attributes.to_le_bytes());
            out.extend(UNDEFINED.to_le_bytes());
            out.extend(UNDEFINED.to_le_bytes());
        })?;
    }
    for (at, new) in (0..n_attributes).zip(attributes) {
        attribute(header, at, new)?;
    }
    let len = u16::try_from(header.len() - PREFIX_LEN).ok()?;
    header.get_mut(PREFIX_LEN - 2..PREFIX_LEN)?.copy_from_slice(&len.to_le_bytes());
    Some(())
}

/// Appends a message of a kind, with flags and the number of its order.
fn message(
    header: &mut Vec<u8>,
    (kind, flags, order): (u16, u8, u16),
    write: impl FnOnce(&mut Vec<u8>),
) -> Option<()> {
    header.push(u8::try_from(kind).ok()?);
    let len_at = header.len();
    header.extend([0, 0, flags]);
    header.extend(order.to_le_bytes());
    let start = header.len();
    write(header);
    let len = u16::try_from(header.len() - start).ok()?;
    header.get_mut(len_at..len_at + 2)?.copy_from_slice(&len.to_le_bytes());
    Some(())
}

fn attribute(header: &mut Vec<u8>, order: u16, new: &NewAttribute<'_>) -> Option<()> {
    let mut space = Vec::with_capacity(8);
    extent(new.shape, &mut space);
    let sizes = [new.name.len() + 1, new.dtype.len(), space.len()].map(u16::try_from);
    let [Ok(name_len), Ok(dtype_len), Ok(space_len)] = sizes else { return None };
    message(header, (kind::ATTRIBUTE, 0, order), |out| {
        out.extend([3, 0]);
        for size in [name_len, dtype_len, space_len] {
            out.extend(size.to_le_bytes());
        }
        // The name is UTF-8.
        out.push(1);
        out.extend(new.name.as_bytes());
        out.push(0);
        out.extend(&new.dtype);
        out.extend(&space);
        out.extend(new.items);
    })
}

/// A dataspace message, with the lengths as bounds where there are axes.
fn extent(shape: Option<&[u64]>, out: &mut Vec<u8>) {
    let Some(shape) = shape else {
        out.extend([2, 0, 0, 2]);
        return;
    };
    // A rank is at most 32.
    let rank = u8::try_from(shape.len()).unwrap_or(u8::MAX);
    out.extend([1, rank, u8::from(rank > 0), 0, 0, 0, 0, 0]);
    shape.iter().chain(shape).for_each(|len| out.extend(len.to_le_bytes()));
}

/// The datatype message of text in a field of `len_bytes`, filled up behind a NUL.
pub(crate) fn text_type(len_bytes: u32, is_utf8: bool) -> Vec<u8> {
    let mut message = vec![0x13, u8::from(is_utf8) << 4, 0, 0];
    message.extend(len_bytes.to_le_bytes());
    message
}
